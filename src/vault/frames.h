/* vault/frames.h - frames of a WebSocket (RFC 6455, 5.2), read strictly.
 *
 * Pure.  No extension is let through when a connection is opened, so what has a reserved bit or an
 * unknown kind is no frame; nor is a length that could be written shorter, a control frame in
 * pieces, a fragment of no message.  An agent's are masked, an upstream's are not.
 */
#ifndef BAWN_VAULT_FRAMES_H
#define BAWN_VAULT_FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/http-text.h"

#define FRAME_HEAD_MAX 14
#define FRAME_CONTROL_MAX 125

struct frames {
	bool masked; /* set by who reads: an agent's */
	/* of the frame that is being read */
	bool fin;
	uint8_t kind; /* its opcode: 0, 1, 2, 8, 9 or 10 */
	uint64_t length, left;
	/* how far it is */
	bool in_message, in_frame;
	uint8_t head[FRAME_HEAD_MAX], have;
};

struct frame_piece {
	bool begins, ends;     /* the frame; what it is stands in struct frames */
	struct http_span data; /* of its payload, as it came */
};

static inline bool frame_is_control(const struct frames *f)
{
	return f->kind >= 8;
}

/* Read on at buf: bytes that are done with (all, unless a frame ends before), or -EBADMSG. */
ssize_t frame_next(struct frames *f, const char *buf, size_t n, struct frame_piece *ret);

/* The head of an upstream's frame, at dst; its length. */
size_t frame_head(unsigned int kind, bool fin, uint64_t length, char dst[static FRAME_HEAD_MAX]);

#endif
