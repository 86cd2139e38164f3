/* egress/http-head.h - where each HTTP/1 request on a connection begins and ends, and whether it
 * names the host it goes to (RFC 9112).
 *
 * Pure, and strict: what two parsers could read in two ways is refused (obs-fold, bare CR or LF,
 * space before the colon, Content-Length beside Transfer-Encoding, a second Host or length, ...).
 * Bytes are looked at while they are still in the socket; http_next() says how many of them may be
 * sent on.
 */
#ifndef BAWN_EGRESS_HTTP_HEAD_H
#define BAWN_EGRESS_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request head, or a trailer section, must fit. */
#define HTTP_HEAD_MAX 32768

enum http_phase {
	HTTP_HEAD = 0,     /* a request head comes next */
	HTTP_CHUNK_SIZE,   /* a chunk's size line */
	HTTP_CHUNK_END,    /* the CRLF behind a chunk's data */
	HTTP_TRAILER,      /* trailer fields up to the empty line */
	HTTP_UPGRADE_WAIT, /* nothing more until the response's status is known */
	HTTP_RAW,          /* a WebSocket: no longer HTTP */
};

struct http_state {
	uint8_t phase;
	bool websocket; /* the pending upgrade asks for a WebSocket */
	uint32_t requests;
};

/* Look at buf[n], which starts where the last approved byte ended.  name: canonical host this
 * connection stands for, port 80.
 *   > 0  so many bytes may pass (body included, so it may exceed n); the state has moved behind
 * them 0    more bytes are needed, or (HTTP_UPGRADE_WAIT) nothing may pass yet -EPERM    the
 * request names another host; seen says which -EBADMSG  not strict HTTP/1 -EMSGSIZE the head is
 * past HTTP_HEAD_MAX seen is set only for -EPERM. */
int64_t http_next(
	struct http_state *s, const char *buf, size_t n, const char *name, char seen[static 256]);

/* The first bytes of the response to an upgrade request.  1: decided (the state has moved), 0:
 * more needed, -EPERM: switched to something that is no WebSocket. */
int http_upgrade_answer(struct http_state *s, const char *buf, size_t n);

#endif
