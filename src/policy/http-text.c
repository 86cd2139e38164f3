/* policy/http-text.c - see http-text.h */
#include "policy/http-text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum { LENGTH_DIGITS = 18, CHUNK_DIGITS = 15, CHUNK_LINE_MAX = 256 };

bool http_is_tchar(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c && strchr("!#$%&'*+-.^_`|~", c));
}

bool http_is_token(struct http_span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!http_is_tchar(s.p[i]))
			return false;
	return s.n > 0;
}

bool http_is(struct http_span s, const char *lower)
{
	return s.n == strlen(lower) && strncasecmp(s.p, lower, s.n) == 0;
}

bool http_names(struct http_span s, const char *lower)
{
	if (s.n != strlen(lower))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '_' ? lower[i] != '-' && lower[i] != '_'
				  : strncasecmp(s.p + i, lower + i, 1) != 0)
			return false;
	return true;
}

struct http_span http_trim(struct http_span s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool http_is_field_text(struct http_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

int http_next_line(const char *buf, size_t n, size_t *at, struct http_span *ret)
{
	for (size_t i = *at; i < n; i++) {
		if (buf[i] == '\n' || buf[i] == '\0')
			return -EBADMSG;
		if (buf[i] != '\r')
			continue;
		if (i + 1 == n)
			return 0;
		if (buf[i + 1] != '\n')
			return -EBADMSG;
		*ret = (struct http_span){buf + *at, i - *at};
		*at = i + 2;
		return 1;
	}
	return 0;
}

int http_split_field(struct http_span l, struct http_span *ret_name, struct http_span *ret_value)
{
	const char *colon = memchr(l.p, ':', l.n);
	if (!colon)
		return -EBADMSG;
	*ret_name = (struct http_span){l.p, (size_t)(colon - l.p)};
	*ret_value = http_trim((struct http_span){colon + 1, l.n - ret_name->n - 1});
	/* a folded line starts with a space, which is no token either */
	return http_is_token(*ret_name) && http_is_field_text(*ret_value) ? 0 : -EBADMSG;
}

int http_read_length(struct http_span v, int64_t *ret)
{
	int64_t length = 0;
	if (v.n == 0 || v.n > LENGTH_DIGITS)
		return -EBADMSG;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return -EBADMSG;
		length = length * 10 + (v.p[i] - '0');
	}
	*ret = length;
	return 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

int http_chunk_line(const char *buf, size_t n, uint64_t *ret_size)
{
	struct http_span l;
	size_t at = 0, i = 0;
	uint64_t size = 0;
	int r = http_next_line(buf, n, &at, &l);
	if (r < 0)
		return r;
	if (r == 0)
		return n > CHUNK_LINE_MAX ? -EBADMSG : 0;
	for (; i < l.n && i <= CHUNK_DIGITS && hex_digit(l.p[i]) >= 0; i++)
		size = size << 4 | (uint64_t)hex_digit(l.p[i]);
	if (i == 0 || i > CHUNK_DIGITS || l.n > CHUNK_LINE_MAX)
		return -EBADMSG;
	if (i < l.n && (l.p[i] != ';' || !http_is_field_text((struct http_span){l.p + i, l.n - i})))
		return -EBADMSG;
	*ret_size = size;
	return (int)at;
}
