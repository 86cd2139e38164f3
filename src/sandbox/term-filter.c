/* sandbox/term-filter.c - see term-filter.h
 *
 * Theory of operation.  Text passes as it comes.  ESC starts a sequence that is held in seq until
 * its end is known (CSI) or until enough of it is known to judge it (strings); nothing of it is
 * written before, so that dropping it at any point leaves the terminal where it was.  What is held
 * is what a terminal would see: control bytes inside of a sequence, which terminals carry out or
 * skip without leaving it, are passed at once or skipped before it is judged.  C1 controls are only
 * accepted in their 7-bit form: U+0080 to U+009F, raw, as UTF-8 or overlong, are dropped
 * everywhere, strings included, where one would end the string for the terminal but not for us.
 */
#include "sandbox/term-filter.h"

#define ENQ 0x05
#define BEL 0x07
#define SO 0x0e
#define CAN 0x18
#define SUB 0x1a
#define ESC 0x1b
#define DEL 0x7f

enum osc_rule {
	OSC_PASS = 1,
	OSC_COLOUR,
	OSC_KITTY_NOTIFY,
	OSC_POINTER,
	OSC_NOTIFY,
	OSC_DESKTOP,
	OSC_CLIPBOARD
};

/* The operating system commands that pass.  Not among them, for a reason: 3 and 46 (X properties
 * and log files of xterm), 50 (fonts; CVE-2022-45063), 51 (calls of an editor around the terminal),
 * 633 (VS Code: which command is to be run again), 1337, 5113 and 5522 (files and the clipboard).
 */
static const struct {
	uint16_t first, last;
	enum osc_rule rule;
} osc_rules[] = {
	{0, 2, OSC_PASS},      /* titles */
	{4, 5, OSC_COLOUR},    /* palette */
	{7, 8, OSC_PASS},      /* directory, links */
	{9, 9, OSC_NOTIFY},    /* notification, progress; ConEmu runs macros by it */
	{10, 19, OSC_COLOUR},  /* colours of text, cursor and pointer */
	{21, 21, OSC_COLOUR},  /* kitty's */
	{22, 22, OSC_POINTER}, /* its shape */
	{52, 52, OSC_CLIPBOARD},
	{66, 66, OSC_PASS}, /* text size */
	{99, 99, OSC_KITTY_NOTIFY},
	{104, 106, OSC_PASS},
	{110, 119, OSC_PASS}, /* colours back */
	{133, 133, OSC_PASS}, /* marks of a shell */
	/* notification; urxvt calls extensions by it, VTE is told of containers to go on in */
	{777, 777, OSC_DESKTOP},
};

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
	if (mode == 8) {
		f->norepeat = !on;
		return;
	}
	size_t i = 0;
	while (i < f->n_on && f->modes_on[i] != mode)
		i++;
	if (on && i == f->n_on && i < ARRAY_LEN(f->modes_on))
		f->modes_on[f->n_on++] = mode;
	else if (on && i == f->n_on)
		f->modes_lost = true;
	else if (!on && i < f->n_on)
		f->modes_on[i] = f->modes_on[--f->n_on];
}

static void ansi_mode_set(struct term_filter *f, uint16_t mode, bool on)
{
	switch (mode) {
	case 2:
		f->keyboard_locked = on;
		break;
	case 4:
		f->insert = on;
		break;
	case 12:
		f->echo = !on;
		break;
	case 20:
		f->newline = on;
		break;
	default:
		break;
	}
}

/* The next of "1;2;3". */
static unsigned long take_mode(const char **params)
{
	unsigned long v = strtoul(*params, NULL, 10);
	*params += strcspn(*params, ";");
	*params += **params == ';';
	return v;
}

static void note_modes(struct term_filter *f, const char *params, bool on,
	void (*set)(struct term_filter *f, uint16_t mode, bool on))
{
	while (*params) {
		unsigned long v = take_mode(&params);
		if (v && v < 65536)
			set(f, (uint16_t)v, on);
	}
}

/* CSI ? Pm r: back to what they were saved as, whenever that was. */
static void restore_mode(struct term_filter *f, uint16_t mode, bool on)
{
	(void)on;
	if (mode == 25 || mode == 7 || mode == 8)
		mode_set(f, mode, false);
	else
		mode_set(f, mode, true);
}

/* Window operations: reports of what is in a title are text of the agent's choice typed back. */
static bool judge_window(struct term_filter *f, const char *params)
{
	unsigned long op = strtoul(params, NULL, 10);
	if (*params == '>') /* titles are hexadecimal from then on */
		return false;
	if (op == 20 || op == 21 || op > 9999) /* who knows what 2^32 + 21 is to a terminal */
		return false;
	if (op >= 11 && op <= 19)
		f->queries++;
	return true;
}

/* kitty's keyboard protocol: > pushes flags, = sets, adds (2) or takes away (3), < pops. */
static void note_kitty(struct term_filter *f, const char *params)
{
	const char *semi = strchr(params, ';');
	uint8_t flags = (uint8_t)(strtoul(params + 1, NULL, 10) & 31);
	unsigned long how = *params == '=' && semi ? strtoul(semi + 1, NULL, 10) : 1;
	f->kitty_keys |= *params != '<';
	if (*params == '<') /* of what lies below nothing is known but that it is less */
		f->kitty_flags = 0;
	else if (how == 2)
		f->kitty_flags |= flags;
	else if (how == 3)
		f->kitty_flags &= (uint8_t)~flags;
	else
		f->kitty_flags = flags;
}

/* xterm's modifyOtherKeys: CSI > 4 ; VALUE m; without a value, off. */
static void note_modify_keys(struct term_filter *f, const char *params)
{
	f->modify_keys = true;
	if (strncmp(params, ">4;", 3) == 0)
		f->modify_value = (uint8_t)(strtoul(params + 3, NULL, 10) & 3);
	else if (strcmp(params, ">4m") == 0 || strcmp(params, ">m") == 0)
		f->modify_value = 0;
}

static bool names_mode(const char *params, unsigned long mode)
{
	while (*params)
		if (take_mode(&params) == mode)
			return true;
	return false;
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
		/* DECANM, DECTEK: a VT52 and a Tektronix 4014 have another language, in which
		 * nothing of what undoes modes is said */
		if (private && names_mode(params + 1, final == 'l' ? 2 : 38) &&
			!GUARD_REMOVED("terminal-language"))
			return false;
		note_modes(f, params + private, final == 'h', private ? mode_set : ansi_mode_set);
		return true;
	case 'r':
		if (private)
			note_modes(f, params + 1, true, restore_mode);
		else
			f->margins = true;
		return true;
	case 'u':
		if (strchr("<=>", params[0]))
			note_kitty(f, params);
		else if (private || strpbrk(params, "$&"))
			f->queries++;
		return true;
	case 'm':
		if (params[0] == '>')
			note_modify_keys(f, params);
		f->queries += private; /* XTQMODKEYS */
		return true;
	case 'g': /* XTQFMTKEYS */
		f->queries += private;
		return true;
	case 'R': /* XTREPORTCOLORS */
		f->queries += strchr(params, '#') != NULL;
		return true;
	case 'v': /* DECRQDE */
		f->queries += strchr(params, '"') != NULL;
		return true;
	case 'q': /* XTVERSION, or cursor style */
		f->cursor_style |= strchr(params, ' ') != NULL;
		f->queries++;
		return true;
	case 'z': /* DECELR: the mouse, as a DEC locator */
		if (strchr(params, '\''))
			f->locator = strtoul(params, NULL, 10) != 0;
		return true;
	case '}': /* DECSASD: what is written goes to the status line */
	case '~': /* DECSSDT: there is one */
		f->status_line |= strchr(params, '$') != NULL;
		return true;
	case 'p': /* DECRQM; DECSCL makes another terminal of it, one that answers in 8 bits */
		f->queries++;
		return !strchr(params, '"');
	case 'c': /* DA */
	case 'n': /* DSR */
	case 'w': /* DECRQPSR */
	case 'x': /* DECREQTPARM */
	case '|': /* DECRQLP */
	case 'S': /* XTSMGRAPHICS */
		f->queries++;
		return true;
	case 't':
		return judge_window(f, params);
	case 'i': /* prints: to a program of the terminal's configuration */
	case 'y': /* DECRQCRA and self tests */
	case ']': /* Linux's console: which one is shown, when it goes dark, how its bell sounds */
		return false;
	default:
		return true;
	}
}

/* A judgement on a string whose beginning is in seq: 1 pass, 0 drop, -1 more is needed. */
enum { DROP = 0, PASS = 1, MORE = -1 };

/* ConEmu's numbered commands have only progress that is harmless. */
static int judge_notification(const char *text, bool ended)
{
	size_t digits = strspn(text, "0123456789");
	if (!text[digits] && !ended)
		return MORE;
	if (digits && (text[digits] == ';' || !text[digits]))
		return text[0] == '4' && digits == 1 ? PASS : DROP;
	return PASS;
}

/* kitty's notifications, KEY=VALUE:KEY=VALUE;TEXT.  One that is to report that it was clicked on,
 * or went away, types its name, which is the agent's choice, whenever that comes to be: hours after
 * the end perhaps, into the shell of whoever clicks. */
static int judge_kitty_notify(struct term_filter *f, const char *s, bool ended)
{
	const size_t n = strcspn(s, ";");
	if (!s[n] && !ended)
		return MORE;
	for (const char *p = s; p < s + n; p += strcspn(p, ":;") + 1) {
		const size_t k = strcspn(p, ":;");
		const char *report = strstr(p, "report");
		if (has_prefix(p, "c=") || (has_prefix(p, "a=") && report && report < p + k))
			return DROP;
	}
	f->queries++;
	return PASS;
}

static int judge_desktop(const char *text, bool ended)
{
	static const char notify[] = "notify;";
	size_t n = strlen(text), k = sizeof(notify) - 1;
	if (strncmp(text, notify, MIN(n, k)) != 0)
		return DROP;
	return n >= k ? PASS : ended ? DROP : MORE;
}

/* "?" asks for a colour, everything else sets one. */
static int judge_colour(struct term_filter *f, const char *text, bool ended)
{
	if (!ended)
		return MORE;
	f->queries += strchr(text, '?') != NULL;
	f->colours |= text[strspn(text, "0123456789;?")] != '\0';
	return PASS;
}

static int judge_clipboard(const struct term_filter *f, const char *s, bool ended)
{
	const char *semi = strchr(s, ';');
	if (!ended && (!semi || !semi[1]))
		return MORE;
	return semi && semi[1] != '?' && f->clipboard ? PASS : DROP;
}

static int judge_osc(struct term_filter *f, const char *s, bool ended)
{
	size_t digits = strspn(s, "0123456789");
	if (!s[digits] && !ended)
		return MORE;
	if (!digits || (s[digits] && s[digits] != ';'))
		return DROP;
	unsigned long op = strtoul(s, NULL, 10);
	enum osc_rule rule = 0;
	for (size_t i = 0; i < ARRAY_LEN(osc_rules); i++)
		if (op >= osc_rules[i].first && op <= osc_rules[i].last)
			rule = osc_rules[i].rule;
	s += digits + (s[digits] == ';');
	switch (rule) {
	case OSC_PASS:
		f->title_set |= op <= 2 && !f->deaf;
		return f->deaf && op <= 2 ? DROP : PASS;
	case OSC_COLOUR:
		return judge_colour(f, s, ended);
	case OSC_KITTY_NOTIFY:
		return judge_kitty_notify(f, s, ended);
	case OSC_POINTER:
		f->pointer = true;
		f->queries++;
		return PASS;
	case OSC_NOTIFY:
		return judge_notification(s, ended);
	case OSC_DESKTOP:
		return judge_desktop(s, ended);
	case OSC_CLIPBOARD:
		return judge_clipboard(f, s, ended);
	}
	return DROP;
}

/* Sixel pictures, DECRQSS, XTGETTCAP, synchronized updates.  Not: keys that type (DECUDK), macros,
 * passing through tmux, kitty's remote control ("@kitty-cmd"). */
static int judge_dcs(struct term_filter *f, const char *s, bool ended)
{
	const char *p = s + strspn(s, "0123456789;:<=>?");
	size_t inter = strspn(p, " !\"#$%&'()*+,-./");
	char final = p[inter];
	if (!final)
		return ended ? DROP : MORE;
	bool asks = final == 'q' && inter == 1 && (*p == '$' || *p == '+') && p == s;
	bool sixel = final == 'q' && inter == 0 && !strpbrk(s, "<=>?");
	bool update = final == 's' && inter == 0 && *s == '=';
	f->queries += asks;
	return asks || sixel || update ? PASS : DROP;
}

/* kitty's graphics, with the picture in the sequence: by path ("t=f", "t=t", "t=s") the terminal
 * would read, and remove, files of the host's, and say whether they exist. */
static int judge_apc(struct term_filter *f, const char *s, bool ended)
{
	if (*s && *s != 'G')
		return DROP;
	size_t n = strcspn(s, ";");
	if (!s[n] && !ended)
		return MORE;
	for (const char *p = s; (p = strchr(p, 't')) && p < s + n; p++)
		if (p[1] == '=' && p[2] != 'd')
			return DROP;
	f->queries++;
	return *s ? PASS : DROP;
}

/* v, unless it is a question that was asked since and nobody may ask. */
static int unless_asked(struct term_filter *f, uint32_t before, int v)
{
	if (!f->deaf || f->queries == before)
		return v;
	f->queries = before;
	return DROP;
}

static int judge_string(struct term_filter *f, bool ended)
{
	const char *s = f->seq + 2;
	uint32_t before = f->queries;
	switch (f->seq[1]) {
	case ']':
		return unless_asked(f, before, judge_osc(f, s, ended));
	case 'P':
		return unless_asked(f, before, judge_dcs(f, s, ended));
	case '_':
		return unless_asked(f, before, judge_apc(f, s, ended));
	default: /* PM, SOS */
		return DROP;
	}
}

static void start_seq(struct term_filter *f, enum term_state state)
{
	f->state = state;
	f->seq[0] = ESC;
	f->n = 1;
	f->lead = 0;
	f->utf8_left = 0;
}

static void hold(struct term_filter *f, char c)
{
	if (f->n + 1 < TERM_SEQ_MAX) {
		f->seq[f->n++] = c;
		f->seq[f->n] = '\0';
	}
}

static void settle(struct term_filter *f, char *dst, size_t *o, bool pass, bool ended)
{
	if (pass)
		out(dst, o, f->seq, f->n);
	f->state = ended ? TERM_GROUND : pass ? TERM_PASS_STRING : TERM_DROP_STRING;
}

/* May c be the second byte of a UTF-8 character that begins with lead?  Nothing overlong, no
 * surrogates, and none of U+0080 to U+009F. */
static bool second_byte(unsigned char lead, unsigned char c)
{
	unsigned char min = 0x80, max = 0xbf;
	if (lead == 0xc2 || lead == 0xe0)
		min = 0xa0;
	else if (lead == 0xf0)
		min = 0x90;
	else if (lead == 0xed)
		max = 0x9f;
	else if (lead == 0xf4)
		max = 0x8f;
	return c >= min && c <= max;
}

/* One byte of text that is no control; what of it may go on is written to to[2]. */
static size_t text_byte(struct term_filter *f, unsigned char c, char *to)
{
	size_t n = 0;
	bool c1 = c >= 0x80 && c <= 0x9f;
	unsigned char lead = f->lead;
	f->lead = 0;
	if (lead && second_byte(lead, c)) {
		f->utf8_left = lead >= 0xf0 ? 2 : lead >= 0xe0 ? 1 : 0;
		to[0] = (char)lead;
		to[1] = (char)c;
		return 2;
	}
	if (lead && !c1) /* a broken character is the terminal's to show */
		to[n++] = (char)lead;
	if (c < 0x80) {
		f->utf8_left = 0;
		to[n++] = (char)c;
	} else if (f->utf8_left && (c & 0xc0) == 0x80) {
		f->utf8_left--;
		to[n++] = (char)c;
	} else {
		f->utf8_left = 0;
		if (c >= 0xc2 && c <= 0xf4)
			f->lead = c;
		else if (!c1)
			to[n++] = (char)c;
	}
	return n;
}

static void control(struct term_filter *f, unsigned char c, char *dst, size_t *o)
{
	if (c == ENQ)
		return;
	f->charset |= c == SO;
	dst[(*o)++] = (char)c;
}

static void in_ground(struct term_filter *f, unsigned char c, char *dst, size_t *o)
{
	if (c == ESC) {
		start_seq(f, TERM_ESC);
		return;
	}
	if (c >= 0x20) {
		*o += text_byte(f, c, dst + *o);
		return;
	}
	f->lead = 0;
	f->utf8_left = 0;
	control(f, c, dst, o);
}

/* ESC, intermediates, final. */
static bool judge_escape(struct term_filter *f)
{
	char first = f->seq[1];
	if (first == '%' || first == ' ') /* out of UTF-8; answers with 8-bit controls */
		return false;
	if (first == 'Z') /* DECID */
		f->queries++;
	if (first == '=')
		f->keypad = true;
	if (f->n == 2 && first == 'l') /* HP's memory lock: what is above stays where it is */
		f->margins = true;
	if (f->n == 2 ? strchr("no|}~", first) != NULL : strchr("()*+-./", first) != NULL)
		f->charset = true;
	return true;
}

static void in_escape(struct term_filter *f, unsigned char c, char *dst, size_t *o)
{
	if (c == ESC) {
		start_seq(f, TERM_ESC);
	} else if (c == CAN || c == SUB) {
		f->state = TERM_GROUND;
	} else if (c < 0x20) {
		control(f, c, dst, o); /* carried out at once, the sequence goes on behind it */
	} else if (c == DEL) {
		return;
	} else if (c > DEL) {
		f->state = TERM_GROUND;
		in_ground(f, c, dst, o);
	} else if (f->n == 1 && c == '[') {
		hold(f, (char)c);
		f->state = TERM_CSI;
	} else if (f->n == 1 && strchr("]P_^X", c)) {
		hold(f, (char)c);
		f->state = TERM_STRING;
	} else if (c <= 0x2f) {
		hold(f, (char)c);
		if (f->n > 8)
			f->state = TERM_GROUND;
	} else {
		hold(f, (char)c);
		uint32_t before = f->queries;
		settle(f, dst, o, unless_asked(f, before, judge_escape(f)), true);
	}
}

static void in_csi(struct term_filter *f, unsigned char c, char *dst, size_t *o)
{
	if (c == ESC) { /* cancels what came before */
		start_seq(f, TERM_ESC);
	} else if (c == CAN || c == SUB || f->n + 2 >= TERM_SEQ_MAX) {
		f->state = TERM_GROUND;
	} else if (c >= 0x40 && c <= 0x7e) {
		hold(f, (char)c);
		uint32_t before = f->queries;
		settle(f, dst, o, unless_asked(f, before, judge_csi(f)), true);
	} else if (c >= 0x20 && c < 0x40) {
		hold(f, (char)c);
	} else if (c < 0x20) {
		control(f, c, dst, o); /* carried out at once */
	}
}

/* Does c end the string without an ESC?  BEL ends an OSC alone. */
static bool ends_string(const struct term_filter *f, unsigned char c)
{
	return c == CAN || c == SUB || (c == BEL && f->seq[1] == ']');
}

static void in_string(struct term_filter *f, unsigned char c, char *dst, size_t *o)
{
	if (f->state == TERM_STRING_ESC) {
		if (c == '\\') {
			bool pass = judge_string(f, true) == PASS;
			hold(f, ESC);
			hold(f, '\\');
			settle(f, dst, o, pass, true);
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
	if (ends_string(f, c)) {
		bool pass = c == BEL && judge_string(f, true) == PASS;
		hold(f, (char)c);
		settle(f, dst, o, pass, true);
		return;
	}
	if (c < 0x20 || c == DEL)
		return;
	char text[2];
	size_t n = text_byte(f, c, text);
	for (size_t i = 0; i < n; i++)
		hold(f, text[i]);
	int v = n ? judge_string(f, false) : MORE;
	if (v == MORE && f->n + 6 >= TERM_SEQ_MAX)
		v = DROP;
	if (v != MORE)
		settle(f, dst, o, v == PASS, false);
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
	if (after_esc || ends_string(f, c)) {
		if (pass)
			out(dst, o, after_esc ? "\033\\" : (const char[]){(char)c},
				after_esc ? 2 : 1);
		f->state = TERM_GROUND;
		f->lead = 0;
		return;
	}
	if (c == ESC) {
		f->state = pass ? TERM_PASS_ESC : TERM_DROP_ESC;
		return;
	}
	if (pass && c >= 0x20 && c != DEL)
		*o += text_byte(f, c, dst + *o);
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

static void undo_modes(const struct term_filter *f, char *dst, size_t *o)
{
	/* What a person would notice, when more was set than is kept count of. */
	static const uint16_t all[] = {1, 5, 6, 9, 47, 66, 69, 1000, 1001, 1002, 1003, 1004, 1005,
		1006, 1015, 1016, 1047, 1049, 2004, 2026, 2031, 2048};
	for (size_t i = 0; i < f->n_on; i++)
		*o += (size_t)snprintf(dst + *o, 16, "\033[?%ul", f->modes_on[i]);
	for (size_t i = 0; f->modes_lost && i < ARRAY_LEN(all); i++)
		*o += (size_t)snprintf(dst + *o, 16, "\033[?%ul", all[i]);
}

size_t term_filter_undo(struct term_filter *f, char *dst)
{
	size_t o = 0;
	/* A string that was left open would swallow all that follows. */
	if (f->state == TERM_PASS_STRING || f->state == TERM_PASS_ESC)
		out(dst, &o, "\033\\", 2);
	undo_modes(f, dst, &o);
	const struct {
		bool set;
		const char *undo;
	} rows[] = {
		{f->kitty_keys, "\033[<9u"},
		{f->modify_keys, "\033[>4;0m"},
		{f->keypad, "\033>"},
		{f->cursor_hidden, "\033[?25h"},
		{f->nowrap, "\033[?7h"},
		{f->norepeat, "\033[?8h"},
		{f->pointer, "\033]22;\033\\"},
		{f->locator, "\033[0'z"},
		{f->status_line, "\033[0$}\033[0$~"},
		{f->keyboard_locked, "\033[2l"},
		{f->insert, "\033[4l"},
		{f->echo, "\033[12h"},
		{f->newline, "\033[20l"},
		{f->charset, "\033(B\033)B\017"},
		{f->margins, "\0337\033[r\0338"}, /* resetting them moves the cursor */
		{f->cursor_style, "\033[0 q"},
		{f->colours, "\033]104\033\\\033]110\033\\\033]111\033\\\033]112\033\\"},
		{true, "\033[0m"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].set)
			out(dst, &o, rows[i].undo, strlen(rows[i].undo));
	bool clipboard = f->clipboard;
	*f = (struct term_filter){.clipboard = clipboard};
	return o;
}

/* The other screen comes first: some terminals keep other modes by screen. */
static bool is_screen(uint16_t mode)
{
	return mode == 47 || mode == 1047 || mode == 1049;
}

size_t term_filter_redo(const struct term_filter *f, char *dst)
{
	size_t o = 0;
	for (int screen = 1; screen >= 0; screen--)
		for (size_t i = 0; i < f->n_on; i++)
			/* 2026: a drawing begun before; nobody would end it */
			if (is_screen(f->modes_on[i]) == (screen == 1) && f->modes_on[i] != 2026)
				o += (size_t)snprintf(dst + o, 16, "\033[?%uh", f->modes_on[i]);
	if (f->kitty_flags)
		o += (size_t)snprintf(dst + o, 16, "\033[>%uu", f->kitty_flags);
	if (f->modify_value)
		o += (size_t)snprintf(dst + o, 16, "\033[>4;%um", f->modify_value);
	const struct {
		bool set;
		const char *redo;
	} rows[] = {
		{f->keypad, "\033="},
		{f->cursor_hidden, "\033[?25l"},
		{f->nowrap, "\033[?7l"},
		{f->norepeat, "\033[?8l"},
		{f->insert, "\033[4h"},
		{f->newline, "\033[20h"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].set)
			out(dst, &o, rows[i].redo, strlen(rows[i].redo));
	return o;
}
