/* vault/http1.h - HTTP/1.1 heads and chunks (RFC 9110, 9112): read strictly, written anew.
 *
 * Pure.  What two parsers could read in two ways is refused and never repaired: a bare CR or LF, a
 * NUL, a folded line, space before the colon, a second length, a length beside chunks, a coding
 * other than "chunked", another form of target than a path, "_" for "-" in the name of a field that
 * counts.  What goes on is written from what was read, so that nothing passes that was not
 * understood.
 */
#ifndef BAWN_VAULT_HTTP1_H
#define BAWN_VAULT_HTTP1_H

#include "policy/http-text.h"
#include "vault/buf.h"

#define H1_REQUEST_MAX 32768  /* bytes of a request head, or of trailers */
#define H1_RESPONSE_MAX 65536 /* bytes of a response head */
#define H1_FIELDS_MAX 128

struct h1_field {
	struct http_span name, value;
};

struct h1_head {
	struct http_span method, target; /* of a request */
	struct http_span reason, host;
	unsigned int status; /* of a response */
	bool v11, chunked, close, websocket, upgrade;
	bool coded;     /* its content is compressed, or the like */
	int64_t length; /* -1: none was said */
	struct h1_field f[H1_FIELDS_MAX];
	size_t n;
};

/* The head at the front of buf.  Its length, 0: more is needed, -EBADMSG, -EMSGSIZE: too long or
 * too many fields, -EPROTONOSUPPORT: a version other than 1.1 (requests), -EOPNOTSUPP: a method
 * that is not let through (CONNECT, TRACE). */
ssize_t h1_request(const char *buf, size_t n, struct h1_head *ret);
ssize_t h1_response(const char *buf, size_t n, struct h1_head *ret);

/* Does its Host mean this canonical name and port?  Without a port it means 443. */
bool h1_host_is(const struct h1_head *h, const char *name, uint16_t port);

/* The request as it goes on, but for the empty line: Host first, then the fields for which keep
 * (may be NULL) says so and that are not between two hops only, then how long the body is.  0 or
 * -ENOMEM. */
typedef bool (*h1_keep)(const void *arg, const struct h1_field *f);
int h1_put_request(struct buf *b, const struct h1_head *h, const char *name, uint16_t port,
	h1_keep keep, const void *arg);

enum h1_framing { H1_NO_BODY, H1_LENGTH, H1_CHUNKED };
/* The whole response head, with how long the body is, and "close" where it ends the connection. */
int h1_put_response(struct buf *b, const struct h1_head *h, enum h1_framing framing, bool close);

/* ---- chunks ---- */

struct h1_chunks {
	uint8_t phase;
	uint64_t left;
};

struct h1_piece {
	struct http_span data;    /* of the body */
	struct http_span trailer; /* whole field lines, each with its CRLF */
	bool end;
};

/* Read on at buf.  Bytes that are done with, 0: more is needed, or -EBADMSG.  buf must come to hold
 * a whole trailer section (H1_REQUEST_MAX). */
ssize_t h1_chunk(struct h1_chunks *c, const char *buf, size_t n, struct h1_piece *ret);

#endif
