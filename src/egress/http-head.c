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
#include "policy/http-text.h"

struct head {
	bool v11, host, length, chunked, upgrade, websocket;
	int64_t body;
};

/* Does authority (host[:port]) mean name, port 80?  0, -EPERM (seen filled) or -EBADMSG. */
static int check_authority(struct http_span a, const char *name, char *seen)
{
	char canon[HOST_NAME_MAX_LEN + 1];
	size_t host = a.n;
	const char *colon = memchr(a.p, ':', a.n);
	snprintf(seen, 256, "%.*s", (int)MIN(a.n, 255u), a.p);
	if (GUARD_REMOVED("host-check"))
		return 0;
	if (colon) {
		struct http_span port = {colon + 1, a.n - (size_t)(colon + 1 - a.p)};
		host = (size_t)(colon - a.p);
		if (!(port.n == 2 && memcmp(port.p, "80", 2) == 0) && port.n != 0)
			return -EPERM;
	}
	if (host_canonical(a.p, host, canon) < 0 || !streq(canon, name))
		return -EPERM;
	return 0;
}

static int parse_target(struct http_span t, bool options, const char *name, char *seen)
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
	struct http_span a = {t.p + k, t.n - k};
	for (size_t i = 0; i < a.n; i++) {
		if (strchr("/?#", a.p[i])) {
			a.n = i;
			break;
		}
	}
	return check_authority(a, name, seen);
}

static int parse_request_line(struct http_span l, struct head *h, const char *name, char *seen)
{
	const char *sp = memchr(l.p, ' ', l.n);
	if (!sp)
		return -EBADMSG;
	struct http_span method = {l.p, (size_t)(sp - l.p)};
	if (!http_is_token(method) || http_is(method, "connect"))
		return -EBADMSG;
	struct http_span rest = {sp + 1, l.n - method.n - 1};
	const size_t v = sizeof(" HTTP/1.1") - 1;
	if (rest.n <= v || memcmp(rest.p + rest.n - v, " HTTP/1.", v - 1) != 0)
		return -EBADMSG;
	char minor = rest.p[rest.n - 1];
	if (minor != '0' && minor != '1')
		return -EBADMSG;
	h->v11 = minor == '1';
	return parse_target(
		(struct http_span){rest.p, rest.n - v}, http_is(method, "options"), name, seen);
}

/* A field that counts, written so that only some readers take it for one. */
static bool disguised(struct http_span key)
{
	static const char *const names[] = {"content-length", "transfer-encoding"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (memchr(key.p, '_', key.n) && http_names(key, names[i]))
			return true;
	return false;
}

static int parse_field(struct http_span l, struct head *h, const char *name, char *seen)
{
	struct http_span key, v;
	if (http_split_field(l, &key, &v) < 0 || disguised(key))
		return -EBADMSG;
	if (http_is(key, "host")) {
		if (h->host)
			return -EBADMSG;
		h->host = true;
		return check_authority(v, name, seen);
	}
	if (http_is(key, "content-length")) {
		if (h->length)
			return -EBADMSG;
		h->length = true;
		return http_read_length(v, &h->body);
	}
	if (http_is(key, "transfer-encoding")) {
		if (h->chunked || !http_is(v, "chunked"))
			return -EBADMSG;
		h->chunked = true;
	}
	if (http_is(key, "upgrade")) {
		if (h->upgrade)
			return -EBADMSG;
		h->upgrade = true;
		h->websocket = http_is(v, "websocket");
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
	struct http_span l;
	size_t at = 0;
	if (n && !http_is_tchar(buf[0]))
		return -EBADMSG;
	for (int line = 0;; line++) {
		int r = http_next_line(buf, n, &at, &l);
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

static int64_t next_chunk(struct http_state *s, const char *buf, size_t n)
{
	uint64_t size = 0;
	int r = http_chunk_line(buf, n, &size);
	if (r > 0)
		s->phase = size ? HTTP_CHUNK_END : HTTP_TRAILER;
	return r > 0 ? r + (int64_t)size : r;
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
	struct http_span l, key, v;
	size_t at = 0;
	for (;;) {
		int r = http_next_line(buf, n, &at, &l);
		if (r < 0)
			return r;
		if (r == 0)
			return n >= HTTP_HEAD_MAX ? -EMSGSIZE : 0;
		if (l.n == 0)
			break;
		if (http_split_field(l, &key, &v) < 0 || http_is(key, "host") ||
			http_is(key, "content-length") || http_is(key, "transfer-encoding"))
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
