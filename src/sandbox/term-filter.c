/* sandbox/term-filter.c - see term-filter.h
 *
 * Theory of operation.  Text passes as it comes.  ESC starts a sequence that is held in seq until
 * its end is known (CSI) or until enough of it is known to judge it (strings: the number in front
 * of the first ";" and, for OSC 52, whether it asks).  C1 controls are only accepted in their
 * 7-bit form: U+0080 to U+009F, raw or as UTF-8, are dropped, as terminals differ in reading them.
 */
#include "sandbox/term-filter.h"

#define ESC 0x1b
#define BEL 0x07

static void out(char *dst, size_t *o, const char *s, size_t n)
{
	memcpy(dst + *o, s, n);
	*o += n;
}

static void mode_set(struct term_filter *f, uint16_t mode, bool on)
{
	if (mode == 25) {
		f->cursor_hidden = !on;
		return;
	}
	if (mode == 7) {
		f->nowrap = !on;
		return;
	}
	size_t i = 0;
	while (i < f->n_on && f->modes_on[i] != mode)
		i++;
	if (on && i == f->n_on && i < ARRAY_LEN(f->modes_on))
		f->modes_on[f->n_on++] = mode;
	else if (!on && i < f->n_on)
		f->modes_on[i] = f->modes_on[--f->n_on];
}

static void note_modes(struct term_filter *f, const char *params, bool on)
{
	while (*params) {
		unsigned long v = strtoul(params, NULL, 10);
		if (v && v < 65536)
			mode_set(f, (uint16_t)v, on);
		params += strcspn(params, ";");
		if (*params == ';')
			params++;
	}
}

/* seq holds ESC [ params final, NUL behind.  May it pass? */
static bool judge_csi(struct term_filter *f)
{
	char final = f->seq[f->n - 1];
	const char *params = f->seq + 2;
	bool private = params[0] == '?';
	switch (final) {
	case 'h':
	case 'l':
		if (private)
			note_modes(f, params + 1, final == 'h');
		return true;
	case 'u':
		if (params[0] == '>' || params[0] == '=')
			f->kitty_keys = true;
		else if (private)
			f->queries++;
		return true;
	case 'm':
		if (params[0] == '>')
			f->modify_keys = true;
		return true;
	case 'c': /* DA */
	case 'n': /* DSR */
	case 'q': /* XTVERSION, or cursor style */
	case 'p': /* DECRQM */
		f->queries++;
		return true;
	case 't': {
		unsigned long op = strtoul(params, NULL, 10);
		if (op == 20 || op == 21)
			return false;
		if (op >= 11 && op <= 19)
			f->queries++;
		return true;
	}
	case 'y': /* DECRQCRA and self tests */
		return !strchr(params, '*');
	default:
		return true;
	}
}

/* A string's beginning is in seq: enough to judge it?  1 pass, 0 drop, -1 more is needed. */
static int judge_string(struct term_filter *f, bool ended)
{
	const char *s = f->seq + 2;
	if (f->seq[1] != ']') { /* DCS, APC, PM, SOS: none of them is filtered, DCS may ask */
		if (f->seq[1] == 'P')
			f->queries++;
		return 1;
	}
	size_t digits = strspn(s, "0123456789");
	if (!s[digits] && !ended && digits < 8)
		return -1;
	unsigned long op = strtoul(s, NULL, 10);
	if (op == 1337 || op == 5113)
		return 0;
	if (op <= 2)
		f->title_set = true;
	if ((op == 4 || (op >= 10 && op <= 19)) && (strchr(s, '?') || !ended)) {
		f->queries++;
		return 1;
	}
	if (op != 52 && op != 50)
		return 1;
	const char *semi = s[digits] == ';' ? strchr(s + digits + 1, ';') : NULL;
	if (op == 50)
		return !ended ? -1 : !strchr(s, '?');
	if (!ended && (!semi || !semi[1]))
		return f->n + 2 < TERM_SEQ_MAX ? -1 : 0;
	if (!semi || semi[1] == '?')
		return 0;
	return f->clipboard;
}

static void start_seq(struct term_filter *f, enum term_state state)
{
	f->state = state;
	f->seq[0] = ESC;
	f->n = 1;
}

static void hold(struct term_filter *f, char c)
{
	if (f->n + 1 < TERM_SEQ_MAX) {
		f->seq[f->n++] = c;
		f->seq[f->n] = '\0';
	}
}

static void settle(struct term_filter *f, char *dst, size_t *o, int verdict, bool ended)
{
	if (verdict == 1)
		out(dst, o, f->seq, f->n);
	f->state = ended ? TERM_GROUND : verdict ? TERM_PASS_STRING : TERM_DROP_STRING;
}

static void in_ground(struct term_filter *f, unsigned char c, char *dst, size_t *o)
{
	if (c == ESC) {
		f->utf8_left = 0;
		start_seq(f, TERM_ESC);
		return;
	}
	if (c == 0x05) /* ENQ */
		return;
	if (f->c2) {
		f->c2 = false;
		if (c >= 0x80 && c <= 0x9f)
			return;
		dst[(*o)++] = (char)0xc2;
	} else if (c == 0xc2) {
		f->c2 = true;
		return;
	} else if (f->utf8_left && (c & 0xc0) == 0x80) {
		f->utf8_left--;
	} else if (c >= 0xe0) {
		f->utf8_left = c >= 0xf0 ? 3 : 2;
	} else if (c >= 0xc3) {
		f->utf8_left = 1;
	} else {
		f->utf8_left = 0;
		if (c >= 0x80 && c <= 0x9f)
			return;
	}
	dst[(*o)++] = (char)c;
}

static void in_escape(struct term_filter *f, unsigned char c, char *dst, size_t *o)
{
	hold(f, (char)c);
	if (c == '[') {
		f->state = TERM_CSI;
	} else if (c == ']' || c == 'P' || c == '_' || c == '^' || c == 'X') {
		f->state = TERM_STRING;
	} else if (c == ESC) {
		start_seq(f, TERM_ESC);
	} else if (c == 'Z') { /* DECID */
		f->queries++;
		settle(f, dst, o, 1, true);
	} else if (c >= 0x20 && c <= 0x2f) {
		if (f->n > 8)
			f->state = TERM_GROUND;
	} else {
		if (c == '=')
			f->keypad = true;
		settle(f, dst, o, 1, true);
	}
}

static void in_csi(struct term_filter *f, unsigned char c, char *dst, size_t *o)
{
	if (c == ESC) { /* cancels what came before */
		start_seq(f, TERM_ESC);
	} else if (c == 0x18 || c == 0x1a || f->n + 2 >= TERM_SEQ_MAX) {
		f->state = TERM_GROUND;
	} else if (c >= 0x40 && c <= 0x7e) {
		hold(f, (char)c);
		settle(f, dst, o, judge_csi(f), true);
	} else if (c >= 0x20 && c < 0x40) {
		hold(f, (char)c);
	} else if (c < 0x20 && c != 0x05) {
		dst[(*o)++] = (char)c; /* C0 inside a sequence is carried out at once */
	}
}

static void in_string(struct term_filter *f, unsigned char c, char *dst, size_t *o)
{
	if (f->state == TERM_STRING_ESC) {
		if (c == '\\') {
			int v = judge_string(f, true);
			hold(f, ESC);
			hold(f, '\\');
			settle(f, dst, o, v, true);
		} else {
			start_seq(f, TERM_ESC); /* an ESC ends the string and starts a sequence */
			in_escape(f, c, dst, o);
		}
		return;
	}
	if (c == ESC) {
		f->state = TERM_STRING_ESC;
		return;
	}
	if (c == BEL || c == 0x18 || c == 0x1a) {
		int v = judge_string(f, true);
		hold(f, (char)c);
		settle(f, dst, o, v, true);
		return;
	}
	if (c == 0x05)
		return;
	hold(f, (char)c);
	int v = judge_string(f, false);
	if (v < 0 && f->n + 3 >= TERM_SEQ_MAX)
		v = 0;
	if (v >= 0)
		settle(f, dst, o, v, false);
}

static void in_rest(struct term_filter *f, unsigned char c, char *dst, size_t *o)
{
	bool pass = f->state == TERM_PASS_STRING || f->state == TERM_PASS_ESC;
	bool after_esc = f->state == TERM_PASS_ESC || f->state == TERM_DROP_ESC;
	if (after_esc && c != '\\') {
		if (pass)
			out(dst, o, "\033\\", 2);
		start_seq(f, TERM_ESC);
		in_escape(f, c, dst, o);
		return;
	}
	if (after_esc || c == BEL || c == 0x18 || c == 0x1a) {
		if (pass)
			out(dst, o, after_esc ? "\033\\" : (const char[]){(char)c},
				after_esc ? 2 : 1);
		f->state = TERM_GROUND;
		return;
	}
	if (c == ESC) {
		f->state = pass ? TERM_PASS_ESC : TERM_DROP_ESC;
		return;
	}
	if (pass && c != 0x05)
		dst[(*o)++] = (char)c;
}

size_t term_filter(struct term_filter *f, const char *src, size_t n, char *dst)
{
	size_t o = 0;
	if (GUARD_REMOVED("terminal-filter")) {
		memcpy(dst, src, n);
		return n;
	}
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)src[i];
		switch (f->state) {
		case TERM_GROUND:
			in_ground(f, c, dst, &o);
			break;
		case TERM_ESC:
			in_escape(f, c, dst, &o);
			break;
		case TERM_CSI:
			in_csi(f, c, dst, &o);
			break;
		case TERM_STRING:
		case TERM_STRING_ESC:
			in_string(f, c, dst, &o);
			break;
		default:
			in_rest(f, c, dst, &o);
			break;
		}
	}
	return o;
}

size_t term_filter_undo(struct term_filter *f, char *dst)
{
	size_t o = 0;
	/* A string that was left open would swallow all that follows. */
	if (f->state == TERM_PASS_STRING || f->state == TERM_PASS_ESC)
		out(dst, &o, "\033\\", 2);
	for (size_t i = 0; i < f->n_on; i++)
		o += (size_t)snprintf(dst + o, 16, "\033[?%ul", f->modes_on[i]);
	if (f->kitty_keys)
		out(dst, &o, "\033[<9u", 5);
	if (f->modify_keys)
		out(dst, &o, "\033[>4;0m", 7);
	if (f->keypad)
		out(dst, &o, "\033>", 2);
	if (f->cursor_hidden)
		out(dst, &o, "\033[?25h", 6);
	if (f->nowrap)
		out(dst, &o, "\033[?7h", 5);
	out(dst, &o, "\033[0m", 4);
	bool clipboard = f->clipboard;
	*f = (struct term_filter){.clipboard = clipboard};
	return o;
}
