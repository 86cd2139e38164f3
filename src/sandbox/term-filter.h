/* sandbox/term-filter.h - what an agent may not make the caller's terminal do.
 *
 * Pure.  A byte-at-a-time parser of ECMA-48 and xterm control sequences (invisible-island.net/xterm
 * ctlseqs) that passes everything but:
 *   OSC 52 with "?" (reads the clipboard); OSC 52 writes unless allowed;
 *   CSI 20 t, CSI 21 t (reports icon label and title: text of the agent's choice typed back),
 *   ENQ (answerback), DECRQCRA and DECRQUPSS-like reports (CSI ... * y, screen contents typed
 * back); OSC 1337 and OSC 5113 (file transfer), OSC 50 with "?", DCS + q with long payloads stay.
 * It keeps count of the modes that are set, so that they can be undone.
 */
#ifndef BAWN_SANDBOX_TERM_FILTER_H
#define BAWN_SANDBOX_TERM_FILTER_H

#include <stdint.h>

#include "base/macro.h"

#define TERM_SEQ_MAX                                                                               \
	512 /* a control sequence longer than this is not held back but judged so far */

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
	char seq[TERM_SEQ_MAX];
	size_t n;
	uint16_t modes_on[24]; /* DEC private modes set by the agent that are off by default */
	size_t n_on;
	bool cursor_hidden, nowrap, keypad, kitty_keys, modify_keys, title_set;
	bool c2;           /* 0xC2 was seen: a C1 control as UTF-8 may follow */
	uint8_t utf8_left; /* continuation bytes that may follow */
	uint32_t queries;  /* queries whose answer may still be on its way */
};

/* Filter n bytes of src into dst (at least n + TERM_SEQ_MAX bytes).  Returns bytes written. */
size_t term_filter(struct term_filter *f, const char *src, size_t n, char *dst);
/* The sequences that put back everything the agent changed; returns bytes written to dst[512]. */
size_t term_filter_undo(struct term_filter *f, char *dst);

#endif
