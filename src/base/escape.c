/* base/escape.c - see escape.h */
#include "base/escape.h"

#include <stdint.h>

/* Length of the well-formed UTF-8 sequence at s (RFC 3629), 0 if malformed; *ret its code point. */
static size_t utf8_len(const unsigned char *s, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80      ? 1
		: (s[0] >> 5) == 6  ? 2
		: (s[0] >> 4) == 14 ? 3
		: (s[0] >> 3) == 30 ? 4
				    : 0;
	if (n == 0)
		return 0;
	uint32_t cp = n == 1 ? s[0] : s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (s[i] & 0x3f);
	}
	if ((n > 1 && cp < least[n]) || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret = cp;
	return n;
}

static bool unsafe_cp(uint32_t cp)
{
	return cp < 0x20 || cp == '\\' || (cp >= 0x7f && cp <= 0x9f) || cp == 0x61c ||
		(cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
		(cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff;
}

char *escape_text(char *dst, size_t cap, const char *src)
{
	const unsigned char *s = (const unsigned char *)src;
	size_t o = 0;
	while (*s && cap) {
		uint32_t cp;
		size_t n = utf8_len(s, &cp);
		bool raw = n && (!unsafe_cp(cp) || GUARD_REMOVED("escape"));
		if (n == 0)
			n = 1;
		size_t need = raw ? n : 4 * n;
		if (o + need + 1 > cap)
			break;
		for (size_t i = 0; i < n; i++) {
			if (raw)
				dst[o++] = (char)s[i];
			else
				o += (size_t)snprintf(dst + o, cap - o, "\\x%02x", s[i]);
		}
		s += n;
	}
	if (cap)
		dst[o] = '\0';
	return dst;
}

static bool shell_plain(const char *s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "_@%+=:,./-";
	return *s && s[strspn(s, ok)] == '\0';
}

char *escape_shell(char *dst, size_t cap, const char *src)
{
	if (shell_plain(src)) {
		snprintf(dst, cap, "%s", src);
		return dst;
	}
	bool ansi = false;
	for (const char *p = src; *p; p++)
		ansi |= (unsigned char)*p < 0x20 || *p == 0x7f;
	size_t o = (size_t)snprintf(dst, cap, "%s'", ansi ? "$" : "");
	for (const char *p = src; *p && o + 6 < cap; p++) {
		if (ansi && ((unsigned char)*p < 0x20 || *p == 0x7f))
			o += (size_t)snprintf(dst + o, cap - o, "\\x%02x", (unsigned char)*p);
		else if (*p == '\'')
			o += (size_t)snprintf(dst + o, cap - o, "%s", ansi ? "\\'" : "'\\''");
		else if (ansi && *p == '\\')
			o += (size_t)snprintf(dst + o, cap - o, "\\\\");
		else
			dst[o++] = *p;
	}
	if (o + 2 <= cap) {
		dst[o++] = '\'';
		dst[o] = '\0';
	} else if (cap) {
		dst[cap - 1] = '\0';
	}
	return dst;
}
