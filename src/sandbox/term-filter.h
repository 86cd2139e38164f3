/* sandbox/term-filter.h - what an agent may not make the caller's terminal do.
 *
 * Pure.  A byte-at-a-time parser of ECMA-48 and xterm control sequences (invisible-island.net/xterm
 * ctlseqs).  Strings (OSC, DCS, APC) pass only if a table names them, as terminals give new ones a
 * meaning every year: run a command (kitty's remote control), type at a key press (DECUDK), read a
 * file of the host's (kitty graphics by path), read the clipboard.  Other sequences pass but for
 * those that type text of the agent's choice back, print, or change how bytes are read:
 *   CSI 20 t, CSI 21 t, CSI ... y, ENQ; CSI ... i; ESC % and ESC SP; C1 controls in their 8-bit
 * form. It keeps count of what is changed, so that it can be undone.
 */
#ifndef BAWN_SANDBOX_TERM_FILTER_H
#define BAWN_SANDBOX_TERM_FILTER_H

#include <stdint.h>

#include "base/macro.h"

#define TERM_SEQ_MAX 512  /* a sequence that can't be judged by then is dropped */
#define TERM_UNDO_MAX 768 /* what term_filter_undo() and _redo() write at most */

enum term_state {
	TERM_GROUND,
	TERM_ESC,
	TERM_CSI,
	TERM_STRING, /* OSC, DCS, APC, PM, SOS: held until judged */
	TERM_STRING_ESC,
	TERM_PASS_STRING, /* judged: passing the rest */
	TERM_PASS_ESC,
	TERM_DROP_STRING, /* judged: dropping the rest */
	TERM_DROP_ESC,
};

struct term_filter {
	enum term_state state;
	bool clipboard;
	/* Set by the caller: what the terminal answers would be read by somebody else, and nobody
	 * puts its title back.  Neither is let through. */
	bool deaf;
	char seq[TERM_SEQ_MAX];
	size_t n;
	uint16_t modes_on[24]; /* DEC private modes set by the agent that are off by default */
	size_t n_on;
	bool modes_lost; /* more than those */
	bool cursor_hidden, nowrap, norepeat, pointer, keypad, kitty_keys, modify_keys, title_set;
	uint8_t kitty_flags, modify_value; /* what the two keyboard modes are at now, 0: off */
	bool keyboard_locked, insert, newline, echo; /* ANSI modes 2, 4, 20, and 12 off */
	bool charset, margins, cursor_style, colours, locator, status_line;
	unsigned char lead; /* of a UTF-8 character whose second byte has not come yet, or 0 */
	uint8_t utf8_left;  /* continuation bytes that may follow */
	uint32_t queries;   /* queries whose answer may still be on its way */
};

/* Filter n bytes of src into dst (at least n + TERM_SEQ_MAX bytes).  Returns bytes written. */
size_t term_filter(struct term_filter *f, const char *src, size_t n, char *dst);
/* The sequences that put back everything the agent changed; returns bytes written to
 * dst[TERM_UNDO_MAX]. */
size_t term_filter_undo(struct term_filter *f, char *dst);
/* The sequences that bring another terminal, or the same one later, into the modes in which the
 * agent believes its terminal is: screen, mouse, paste, keyboard, cursor.  What it drew is its own
 * to draw anew.  Returns bytes written to dst[TERM_UNDO_MAX]; f stays as it is. */
size_t term_filter_redo(const struct term_filter *f, char *dst);

#endif
