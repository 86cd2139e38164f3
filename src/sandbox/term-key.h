/* sandbox/term-key.h - which key the bytes from a terminal mean.
 *
 * Pure.  A program may ask its terminal for keys in a form that tells more than a byte can (kitty's
 * keyboard protocol, sw.kovidgoyal.net/kitty/keyboard-protocol; xterm's modifyOtherKeys): Ctrl-P is
 * CSI 112 ; 5 u then, and its release is told, too.  Whoever waits for Ctrl-P has to know it in
 * each.
 */
#ifndef BAWN_SANDBOX_TERM_KEY_H
#define BAWN_SANDBOX_TERM_KEY_H

#include "base/macro.h"

enum {
	TERM_KEY_OTHER = -1, /* one that no byte stands for */
	TERM_KEY_ASIDE = -2, /* a key let go, or a modifier: it says nothing of what was typed */
};

/* The first key of the n >= 1 bytes at p: a byte, as a terminal sends it by default, or one of the
 * above. *ret_n: bytes it takes.  A sequence that is not whole, or is not of those forms, is read
 * as bytes. */
int term_key(const char *p, size_t n, size_t *ret_n);

#endif
