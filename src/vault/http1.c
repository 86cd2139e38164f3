/* vault/http1.c - see http1.h */
#include "vault/http1.h"

#include <errno.h>
#include <strings.h>

#include "policy/egress.h"

enum { HTTPS_PORT = 443 };

/* The next element of a comma-separated list; *rest moves on. */
static bool next_item(struct http_span *rest, struct http_span *ret)
{
	if (rest->n == 0)
		return false;
	const char *comma = memchr(rest->p, ',', rest->n);
	size_t n = comma ? (size_t)(comma - rest->p) : rest->n;
	*ret = http_trim((struct http_span){rest->p, n});
	n += comma != NULL;
	rest->p += n;
	rest->n -= n;
	return true;
}

/* ---- fields ---- */

static void read_connection(struct http_span v, struct h1_head *h)
{
	struct http_span item;
	while (next_item(&v, &item)) {
		if (http_is(item, "close"))
			h->close = true;
		if (http_is(item, "upgrade"))
			h->upgrade = true;
	}
}

static int read_field(struct http_span line, struct h1_head *h)
{
	struct h1_field f;
	if (http_split_field(line, &f.name, &f.value) < 0)
		return -EBADMSG;
	if (h->n == H1_FIELDS_MAX)
		return -EMSGSIZE;
	h->f[h->n++] = f;
	if (http_is(f.name, "host")) {
		if (h->host.p)
			return -EBADMSG;
		h->host = f.value;
	} else if (http_is(f.name, "content-length")) {
		return h->length >= 0 ? -EBADMSG : http_read_length(f.value, &h->length);
	} else if (http_is(f.name, "transfer-encoding")) {
		if (h->chunked || !http_is(f.value, "chunked"))
			return -EBADMSG;
		h->chunked = true;
	} else if (http_is(f.name, "content-encoding")) {
		h->coded |= f.value.n > 0 && !http_is(f.value, "identity");
	} else if (http_is(f.name, "connection")) {
		read_connection(f.value, h);
	}
	return 0;
}

/* Fields up to the empty line; *at stands behind the first line. */
static ssize_t read_fields(const char *buf, size_t n, size_t at, size_t max, struct h1_head *h)
{
	struct http_span line;
	for (;;) {
		int r = http_next_line(buf, n, &at, &line);
		if (r < 0)
			return r;
		if (r == 0)
			return n >= max ? -EMSGSIZE : 0;
		if (at > max)
			return -EMSGSIZE;
		if (line.n == 0)
			break;
		r = read_field(line, h);
		if (r < 0)
			return r;
	}
	return h->chunked && (h->length >= 0 || !h->v11) ? -EBADMSG : (ssize_t)at;
}

/* ---- requests ---- */

static int read_target(struct h1_head *h)
{
	struct http_span t = h->target;
	for (size_t i = 0; i < t.n; i++)
		if ((unsigned char)t.p[i] <= 0x20 || t.p[i] == 0x7f)
			return -EBADMSG;
	if (t.n && t.p[0] == '/')
		return 0;
	return t.n == 1 && t.p[0] == '*' && http_is(h->method, "options") ? 0 : -EBADMSG;
}

static int read_request_line(struct http_span l, struct h1_head *h)
{
	static const char version[] = " HTTP/1.1";
	const size_t v = sizeof(version) - 1;
	const char *sp = memchr(l.p, ' ', l.n);
	if (!sp)
		return -EBADMSG;
	h->method = (struct http_span){l.p, (size_t)(sp - l.p)};
	struct http_span rest = {sp + 1, l.n - h->method.n - 1};
	if (!http_is_token(h->method) || rest.n <= v)
		return -EBADMSG;
	if (http_is(h->method, "connect") || http_is(h->method, "trace") ||
		http_is(h->method, "track"))
		return -EOPNOTSUPP;
	const char *end = rest.p + rest.n - v;
	if (memcmp(end, version, v - 1) != 0)
		return -EBADMSG;
	if (end[v - 1] == '0')
		return -EPROTONOSUPPORT;
	if (end[v - 1] != '1')
		return -EBADMSG;
	h->target = (struct http_span){rest.p, rest.n - v};
	h->v11 = true;
	return read_target(h);
}

static bool between_hops(const struct h1_head *h, struct http_span name)
{
	static const char *const names[] = {"connection", "keep-alive", "proxy-connection", "te",
		"transfer-encoding", "content-length", "upgrade", "trailer", "http2-settings",
		"proxy-authorization", "proxy-authenticate", "host"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (http_names(name, names[i]))
			return true;
	for (size_t i = 0; i < h->n; i++) {
		struct http_span rest = h->f[i].value, item;
		if (!http_is(h->f[i].name, "connection"))
			continue;
		while (next_item(&rest, &item))
			if (item.n == name.n && strncasecmp(item.p, name.p, name.n) == 0)
				return true;
	}
	return false;
}

/* What a request says beside its framing. */
static int check_request(struct h1_head *h)
{
	bool asked = false;
	if (!h->host.p)
		return -EBADMSG;
	for (size_t i = 0; i < h->n; i++) {
		const struct h1_field *f = &h->f[i];
		if (memchr(f->name.p, '_', f->name.n) &&
			(between_hops(h, f->name) || http_names(f->name, "expect")))
			return -EBADMSG;
		if (http_is(f->name, "expect") && !http_is(f->value, "100-continue"))
			return -EBADMSG;
		if (!http_is(f->name, "upgrade"))
			continue;
		if (asked || !http_is(f->value, "websocket"))
			return -EBADMSG;
		asked = true;
	}
	h->websocket = asked && h->upgrade;
	return h->websocket && (h->chunked || h->length > 0) ? -EBADMSG : 0;
}

ssize_t h1_request(const char *buf, size_t n, struct h1_head *ret)
{
	struct http_span line;
	size_t at = 0;
	*ret = (struct h1_head){.length = -1};
	if (n && !http_is_tchar(buf[0]))
		return -EBADMSG;
	int r = http_next_line(buf, n, &at, &line);
	if (r < 0)
		return r;
	if (r == 0)
		return n >= H1_REQUEST_MAX ? -EMSGSIZE : 0;
	r = read_request_line(line, ret);
	if (r < 0)
		return r;
	ssize_t len = read_fields(buf, n, at, H1_REQUEST_MAX, ret);
	if (len > 0) {
		r = check_request(ret);
		if (r < 0)
			return r;
	}
	return len;
}

bool h1_host_is(const struct h1_head *h, const char *name, uint16_t port)
{
	char canon[HOST_NAME_MAX_LEN + 1], text[8];
	struct http_span v = h->host;
	const char *colon = v.p ? memchr(v.p, ':', v.n) : NULL;
	size_t host = colon ? (size_t)(colon - v.p) : v.n;
	if (!v.p || host_canonical(v.p, host, canon) < 0 || !streq(canon, name))
		return false;
	if (!colon)
		return port == HTTPS_PORT;
	snprintf(text, sizeof(text), "%u", port);
	return http_is((struct http_span){colon + 1, v.n - host - 1}, text);
}

/* ---- responses ---- */

ssize_t h1_response(const char *buf, size_t n, struct h1_head *ret)
{
	struct http_span l;
	size_t at = 0;
	*ret = (struct h1_head){.length = -1};
	int r = http_next_line(buf, n, &at, &l);
	if (r < 0)
		return r;
	if (r == 0)
		return n >= H1_RESPONSE_MAX ? -EMSGSIZE : 0;
	if (l.n < 12 || memcmp(l.p, "HTTP/1.", 7) != 0 || (l.p[7] != '0' && l.p[7] != '1') ||
		l.p[8] != ' ' || (l.n > 12 && l.p[12] != ' '))
		return -EBADMSG;
	for (int i = 9; i < 12; i++) {
		if (l.p[i] < '0' || l.p[i] > '9')
			return -EBADMSG;
		ret->status = ret->status * 10 + (unsigned int)(l.p[i] - '0');
	}
	if (ret->status < 100)
		return -EBADMSG;
	ret->v11 = l.p[7] == '1';
	if (l.n > 13)
		ret->reason = (struct http_span){l.p + 13, l.n - 13};
	if (!http_is_field_text(ret->reason))
		return -EBADMSG;
	ssize_t len = read_fields(buf, n, at, H1_RESPONSE_MAX, ret);
	for (size_t i = 0; len > 0 && i < ret->n; i++)
		if (http_is(ret->f[i].name, "upgrade") && http_is(ret->f[i].value, "websocket"))
			ret->websocket = ret->upgrade;
	return len;
}

/* ---- writing ---- */

static int put_field(struct buf *b, const struct h1_field *f)
{
	int r = buf_add(b, f->name.p, f->name.n);
	r = r < 0 ? r : buf_add(b, ": ", 2);
	r = r < 0 ? r : buf_add(b, f->value.p, f->value.n);
	return r < 0 ? r : buf_add(b, "\r\n", 2);
}

static int put_framing(struct buf *b, const struct h1_head *h, bool chunked, bool length)
{
	if (chunked)
		return buf_addf(b, "Transfer-Encoding: chunked\r\n");
	return length ? buf_addf(b, "Content-Length: %lld\r\n", (long long)h->length) : 0;
}

int h1_put_request(struct buf *b, const struct h1_head *h, const char *name, uint16_t port,
	h1_keep keep, const void *arg)
{
	char colon[8] = "";
	if (port != HTTPS_PORT)
		snprintf(colon, sizeof(colon), ":%u", port);
	int r = buf_addf(b, "%.*s %.*s HTTP/1.1\r\nHost: %s%s\r\n", (int)h->method.n, h->method.p,
		(int)h->target.n, h->target.p, name, colon);
	for (size_t i = 0; i < h->n && r == 0; i++) {
		const struct h1_field *f = &h->f[i];
		/* what is looked through must be neither compressed nor another one's frames */
		if (!between_hops(h, f->name) && !http_names(f->name, "accept-encoding") &&
			!http_names(f->name, "sec-websocket-extensions") && (!keep || keep(arg, f)))
			r = put_field(b, f);
	}
	r = r < 0 ? r : buf_addf(b, "Accept-Encoding: identity\r\n");
	if (r == 0 && h->websocket)
		r = buf_addf(b, "Connection: Upgrade\r\nUpgrade: websocket\r\n");
	return r < 0 ? r : put_framing(b, h, h->chunked, h->length >= 0);
}

int h1_put_response(struct buf *b, const struct h1_head *h, enum h1_framing framing, bool close)
{
	int r = buf_addf(b, "HTTP/1.1 %03u %.*s\r\n", h->status, (int)h->reason.n,
		h->reason.p ? h->reason.p : "");
	for (size_t i = 0; i < h->n && r == 0; i++)
		if (!between_hops(h, h->f[i].name) || http_is(h->f[i].name, "trailer"))
			/* what would lead past us, over QUIC */
			r = http_is(h->f[i].name, "alt-svc") ? 0 : put_field(b, &h->f[i]);
	if (r == 0 && h->status == 101)
		r = buf_addf(b, "Connection: Upgrade\r\nUpgrade: websocket\r\n");
	else if (r == 0 && close)
		r = buf_addf(b, "Connection: close\r\n");
	/* a length of what has no body, and can't be that of another answer's (a HEAD's, a 304's)
	 */
	const bool none = h->status < 200 || h->status == 204;
	if (r == 0)
		r = put_framing(b, h, framing == H1_CHUNKED,
			framing == H1_LENGTH || (h->length >= 0 && !h->chunked && !none));
	return r < 0 ? r : buf_add(b, "\r\n", 2);
}

/* ---- chunks ---- */

enum { CHUNK_SIZE = 0, CHUNK_DATA, CHUNK_END, CHUNK_TRAILER };

static ssize_t chunk_size(struct h1_chunks *c, const char *buf, size_t n)
{
	int r = http_chunk_line(buf, n, &c->left);
	if (r > 0)
		c->phase = c->left ? CHUNK_DATA : CHUNK_TRAILER;
	return r;
}

/* Fields that say where a message ends, where it goes or who sends it have no place behind it. */
static bool trailer_ok(struct http_span name)
{
	static const char *const names[] = {"host", "content-length", "transfer-encoding",
		"connection", "upgrade", "expect", "authorization", "cookie", "set-cookie",
		"x-api-key", "proxy-authorization"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (http_names(name, names[i]))
			return false;
	return true;
}

static ssize_t chunk_trailer(const char *buf, size_t n, struct h1_piece *ret)
{
	struct http_span l;
	struct h1_field f;
	size_t at = 0;
	for (;;) {
		size_t before = at;
		int r = http_next_line(buf, n, &at, &l);
		if (r < 0)
			return r;
		if (r == 0 || at > H1_REQUEST_MAX)
			return n >= H1_REQUEST_MAX ? -EBADMSG : 0;
		if (l.n == 0) {
			ret->trailer = (struct http_span){buf, before};
			ret->end = true;
			return (ssize_t)at;
		}
		if (http_split_field(l, &f.name, &f.value) < 0 || !trailer_ok(f.name))
			return -EBADMSG;
	}
}

ssize_t h1_chunk(struct h1_chunks *c, const char *buf, size_t n, struct h1_piece *ret)
{
	*ret = (struct h1_piece){0};
	switch (c->phase) {
	case CHUNK_SIZE:
		return chunk_size(c, buf, n);
	case CHUNK_DATA:
		n = MIN(n, c->left);
		ret->data = (struct http_span){buf, n};
		c->left -= n;
		if (c->left == 0)
			c->phase = CHUNK_END;
		return (ssize_t)n;
	case CHUNK_END:
		if ((n > 0 && buf[0] != '\r') || (n > 1 && buf[1] != '\n'))
			return -EBADMSG;
		if (n < 2)
			return 0;
		c->phase = CHUNK_SIZE;
		return 2;
	default:
		return chunk_trailer(buf, n, ret);
	}
}
