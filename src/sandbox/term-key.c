/* sandbox/term-key.c - see term-key.h */
#include "sandbox/term-key.h"

#define SEQ_MAX 64 /* longer ones carry text, and are no single key */

enum { SHIFT = 1, ALT = 2, CTRL = 4, LOCKS = 64 | 128 };
enum { RELEASED = 3 };

/* Keys that are pressed beside another: the locks, and shift, ctrl, alt ... of either side. */
static bool is_modifier(unsigned long code)
{
	return (code >= 57358 && code <= 57360) || (code >= 57441 && code <= 57454);
}

static int meaning(unsigned long code, unsigned long mods, unsigned long event)
{
	mods = (mods ? mods - 1 : 0) & ~(unsigned long)LOCKS;
	if (event == RELEASED || is_modifier(code))
		return TERM_KEY_ASIDE;
	if (mods == CTRL && code >= '@' && code <= '~')
		return (int)(code & 31);
	if (mods == 0 && code < 128)
		return (int)code;
	return TERM_KEY_OTHER;
}

/* :shifted:base; either may be empty */
static unsigned long base_key(const char *p)
{
	p++;
	p += strspn(p, "0123456789");
	return *p == ':' ? strtoul(p + 1, NULL, 10) : 0;
}

int term_key(const char *p, size_t n, size_t *ret_n)
{
	char seq[SEQ_MAX];
	size_t len = 2;
	*ret_n = 1;
	if (n < 4 || p[0] != '\033' || p[1] != '[')
		return (unsigned char)p[0];
	while (len < MIN(n, sizeof(seq)) &&
		((p[len] >= '0' && p[len] <= '9') || p[len] == ';' || p[len] == ':'))
		len++;
	if (len >= MIN(n, sizeof(seq)) || len == 2 || (p[len] != 'u' && p[len] != '~'))
		return (unsigned char)p[0];
	memcpy(seq, p, len);
	seq[len] = '\0';
	/* CSI code[:shifted[:base]][;modifiers[:event][;text]] u; CSI 27 ; modifiers ; code ~ */
	unsigned long v[3] = {0}, event = 0, base = 0;
	char *end = seq + 2;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		v[i] = strtoul(end, &end, 10);
		if (i == 0 && *end == ':')
			base = base_key(end);
		if (i == 1 && *end == ':')
			event = strtoul(end + 1, &end, 10);
		end += strcspn(end, ";");
		end += *end == ';';
	}
	if (p[len] == '~' && v[0] != 27)
		return (unsigned char)p[0];
	*ret_n = len + 1;
	/* where the layout is of another script, Ctrl and a letter are meant by the key */
	if (base && v[0] > 127 && !is_modifier(v[0]))
		v[0] = base;
	return p[len] == 'u' ? meaning(v[0], v[1], event) : meaning(v[2], v[1], 0);
}
