/* egress/http-head.c - see http-head.h
 *
 * One call handles one unit: a whole request head with its Content-Length body, a chunk with its
 * size line, the CRLF behind it, or a trailer section.  A unit is approved whole or not at all, so
 * there is no state inside one.
 */
#include "egress/http-head.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "policy/egress.h"

enum { CHUNK_LINE_MAX = 256, HTTP_PORT = 80 };
/* Bodies are counted in int64_t; 18 digits can't overflow it. */
enum { LENGTH_DIGITS = 18, CHUNK_DIGITS = 15 };

struct span {
	const char *p;
	size_t n;
};

struct head {
	bool v11, host, length, chunked, upgrade, websocket;
	int64_t body;
};

static bool is_tchar(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_tchar(s.p[i]))
			return false;
	return s.n > 0;
}

static bool span_is(struct span s, const char *lower)
{
	return s.n == strlen(lower) && strncasecmp(s.p, lower, s.n) == 0;
}

static struct span trim(struct span s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* Visible bytes, space and tab, and anything above ASCII. */
static bool is_field_text(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* Does authority (host[:port]) mean name, port 80?  0, -EPERM (seen filled) or -EBADMSG. */
static int check_authority(struct span a, const char *name, char *seen)
{
	char canon[HOST_NAME_MAX_LEN + 1];
	size_t host = a.n;
	const char *colon = memchr(a.p, ':', a.n);
	snprintf(seen, 256, "%.*s", (int)MIN(a.n, 255u), a.p);
	if (GUARD_REMOVED("host-check"))
		return 0;
	if (colon) {
		struct span port = {colon + 1, a.n - (size_t)(colon + 1 - a.p)};
		host = (size_t)(colon - a.p);
		if (!(port.n == 2 && memcmp(port.p, "80", 2) == 0) && port.n != 0)
			return -EPERM;
	}
	if (host_canonical(a.p, host, canon) < 0 || !streq(canon, name))
		return -EPERM;
	return 0;
}

static int parse_target(struct span t, bool options, const char *name, char *seen)
{
	static const char scheme[] = "http://";
	for (size_t i = 0; i < t.n; i++)
		if ((unsigned char)t.p[i] <= 0x20 || t.p[i] == 0x7f)
			return -EBADMSG;
	if (t.n && t.p[0] == '/')
		return 0;
	if (options && t.n == 1 && t.p[0] == '*')
		return 0;
	size_t k = sizeof(scheme) - 1;
	if (t.n <= k || strncasecmp(t.p, scheme, k) != 0)
		return -EBADMSG;
	struct span a = {t.p + k, t.n - k};
	for (size_t i = 0; i < a.n; i++) {
		if (strchr("/?#", a.p[i])) {
			a.n = i;
			break;
		}
	}
	return check_authority(a, name, seen);
}

static int parse_request_line(struct span l, struct head *h, const char *name, char *seen)
{
	const char *sp = memchr(l.p, ' ', l.n);
	if (!sp)
		return -EBADMSG;
	struct span method = {l.p, (size_t)(sp - l.p)};
	if (!is_token(method) || span_is(method, "connect"))
		return -EBADMSG;
	struct span rest = {sp + 1, l.n - method.n - 1};
	const size_t v = sizeof(" HTTP/1.1") - 1;
	if (rest.n <= v || memcmp(rest.p + rest.n - v, " HTTP/1.", v - 1) != 0)
		return -EBADMSG;
	char minor = rest.p[rest.n - 1];
	if (minor != '0' && minor != '1')
		return -EBADMSG;
	h->v11 = minor == '1';
	return parse_target(
		(struct span){rest.p, rest.n - v}, span_is(method, "options"), name, seen);
}

static int parse_length(struct span v, struct head *h)
{
	if (h->length || v.n == 0 || v.n > LENGTH_DIGITS)
		return -EBADMSG;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return -EBADMSG;
		h->body = h->body * 10 + (v.p[i] - '0');
	}
	h->length = true;
	return 0;
}

static int split_field(struct span l, struct span *ret_name, struct span *ret_value)
{
	const char *colon = memchr(l.p, ':', l.n);
	if (!colon)
		return -EBADMSG;
	*ret_name = (struct span){l.p, (size_t)(colon - l.p)};
	*ret_value = trim((struct span){colon + 1, l.n - ret_name->n - 1});
	/* a folded line starts with a space, which is_token() refuses too */
	return is_token(*ret_name) && is_field_text(*ret_value) ? 0 : -EBADMSG;
}

static int parse_field(struct span l, struct head *h, const char *name, char *seen)
{
	struct span key, v;
	if (split_field(l, &key, &v) < 0)
		return -EBADMSG;
	if (span_is(key, "host")) {
		if (h->host)
			return -EBADMSG;
		h->host = true;
		return check_authority(v, name, seen);
	}
	if (span_is(key, "content-length"))
		return parse_length(v, h);
	if (span_is(key, "transfer-encoding")) {
		if (h->chunked || !span_is(v, "chunked"))
			return -EBADMSG;
		h->chunked = true;
	}
	if (span_is(key, "upgrade")) {
		if (h->upgrade)
			return -EBADMSG;
		h->upgrade = true;
		h->websocket = span_is(v, "websocket");
	}
	return 0;
}

/* The next line of buf[at..n), without its CRLF; *at moves behind it.  0 when there is no whole
 * line yet, -EBADMSG for a bare CR or LF or a NUL. */
static int next_line(const char *buf, size_t n, size_t *at, struct span *ret)
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
		*ret = (struct span){buf + *at, i - *at};
		*at = i + 2;
		return 1;
	}
	return 0;
}

static int64_t finish_head(struct http_state *s, const struct head *h, size_t len)
{
	if (!h->host || (h->chunked && (h->length || !h->v11)))
		return -EBADMSG;
	/* Only the first response of a connection can be told from others without parsing them. */
	if (h->upgrade && (s->requests || h->chunked))
		return -EBADMSG;
	s->requests++;
	s->websocket = h->websocket;
	s->phase = h->chunked ? HTTP_CHUNK_SIZE : h->upgrade ? HTTP_UPGRADE_WAIT : HTTP_HEAD;
	return (int64_t)len + h->body;
}

static int64_t next_head(
	struct http_state *s, const char *buf, size_t n, const char *name, char *seen)
{
	struct head h = {0};
	struct span l;
	size_t at = 0;
	if (n && !is_tchar(buf[0]))
		return -EBADMSG;
	for (int line = 0;; line++) {
		int r = next_line(buf, n, &at, &l);
		if (r < 0)
			return r;
		if (r == 0)
			return n >= HTTP_HEAD_MAX ? -EMSGSIZE : 0;
		if (at > HTTP_HEAD_MAX)
			return -EMSGSIZE;
		if (line == 0)
			r = parse_request_line(l, &h, name, seen);
		else if (l.n)
			r = parse_field(l, &h, name, seen);
		else
			return finish_head(s, &h, at);
		if (r < 0)
			return r;
	}
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

static int64_t next_chunk(struct http_state *s, const char *buf, size_t n)
{
	struct span l;
	size_t at = 0, i = 0;
	int64_t size = 0;
	int r = next_line(buf, n, &at, &l);
	if (r < 0)
		return r;
	if (r == 0)
		return n > CHUNK_LINE_MAX ? -EBADMSG : 0;
	for (; i < l.n && hex_digit(l.p[i]) >= 0; i++)
		size = i < CHUNK_DIGITS ? size << 4 | hex_digit(l.p[i]) : -1;
	if (i == 0 || i > CHUNK_DIGITS || l.n > CHUNK_LINE_MAX)
		return -EBADMSG;
	if (i < l.n && (l.p[i] != ';' || !is_field_text((struct span){l.p + i, l.n - i})))
		return -EBADMSG;
	s->phase = size ? HTTP_CHUNK_END : HTTP_TRAILER;
	return (int64_t)at + size;
}

static int64_t next_chunk_end(struct http_state *s, const char *buf, size_t n)
{
	if (n >= 1 && buf[0] != '\r')
		return -EBADMSG;
	if (n < 2)
		return 0;
	if (buf[1] != '\n')
		return -EBADMSG;
	s->phase = HTTP_CHUNK_SIZE;
	return 2;
}

static int64_t next_trailer(struct http_state *s, const char *buf, size_t n)
{
	struct span l, key, v;
	size_t at = 0;
	for (;;) {
		int r = next_line(buf, n, &at, &l);
		if (r < 0)
			return r;
		if (r == 0)
			return n >= HTTP_HEAD_MAX ? -EMSGSIZE : 0;
		if (l.n == 0)
			break;
		if (split_field(l, &key, &v) < 0 || span_is(key, "host") ||
			span_is(key, "content-length") || span_is(key, "transfer-encoding"))
			return -EBADMSG;
	}
	s->phase = HTTP_HEAD;
	return (int64_t)at;
}

int64_t http_next(
	struct http_state *s, const char *buf, size_t n, const char *name, char seen[static 256])
{
	switch ((enum http_phase)s->phase) {
	case HTTP_HEAD:
		return next_head(s, buf, n, name, seen);
	case HTTP_CHUNK_SIZE:
		return next_chunk(s, buf, n);
	case HTTP_CHUNK_END:
		return next_chunk_end(s, buf, n);
	case HTTP_TRAILER:
		return next_trailer(s, buf, n);
	case HTTP_UPGRADE_WAIT:
		return 0;
	case HTTP_RAW:
		return INT64_MAX;
	}
	return -EBADMSG;
}

int http_upgrade_answer(struct http_state *s, const char *buf, size_t n)
{
	static const char status[] = "HTTP/1.x 101";
	if (n < sizeof(status) - 1)
		return 0;
	bool switched = memcmp(buf, "HTTP/1.", 7) == 0 && memcmp(buf + 8, " 101", 4) == 0;
	if (switched && !s->websocket)
		return -EPERM;
	s->phase = switched ? HTTP_RAW : HTTP_HEAD;
	return 1;
}
