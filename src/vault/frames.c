/* vault/frames.c - see frames.h */
#include "vault/frames.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"

enum { FIN = 0x80, RESERVED = 0x70, MASK = 0x80, LENGTH_16 = 126, LENGTH_64 = 127 };
enum { KIND_MORE = 0, KIND_BINARY = 2, KIND_CLOSE = 8, KIND_PONG = 10 };

/* How long the head is, as far as its first two bytes say. */
static size_t head_length(const uint8_t h[static 2])
{
	const uint8_t n = h[1] & 0x7f;
	return (n == LENGTH_16 ? 4u : n == LENGTH_64 ? 10u : 2u) + (h[1] & MASK ? 4u : 0u);
}

static int read_kind(struct frames *f)
{
	f->fin = f->head[0] & FIN;
	f->kind = f->head[0] & 0x0f;
	if (f->head[0] & RESERVED || (bool)(f->head[1] & MASK) != f->masked)
		return -EBADMSG;
	if (f->kind >= KIND_CLOSE)
		return f->kind <= KIND_PONG && f->fin ? 0 : -EBADMSG;
	/* the first of a message says what it is, those behind it nothing */
	return f->kind <= KIND_BINARY && f->in_message == (f->kind == KIND_MORE) ? 0 : -EBADMSG;
}

static int read_length(struct frames *f)
{
	uint8_t n = f->head[1] & 0x7f, bytes = n == LENGTH_16 ? 2 : n == LENGTH_64 ? 8 : 0;
	uint64_t length = bytes ? 0 : n;
	for (uint8_t i = 0; i < bytes; i++)
		length = length << 8 | f->head[2 + i];
	if ((bytes == 2 && length < LENGTH_16) || (bytes == 8 && length <= UINT16_MAX) ||
		length > INT64_MAX || (frame_is_control(f) && length > FRAME_CONTROL_MAX))
		return -EBADMSG;
	f->length = f->left = length;
	return 0;
}

static ssize_t read_head(struct frames *f, const char *buf, size_t n, struct frame_piece *ret)
{
	size_t used = 0;
	while (used < n && (f->have < 2 || f->have < head_length(f->head))) {
		f->head[f->have++] = (uint8_t)buf[used++];
		if (f->have == 2 && read_kind(f) < 0)
			return -EBADMSG;
	}
	if (f->have < 2 || f->have < head_length(f->head))
		return (ssize_t)used;
	if (read_length(f) < 0)
		return -EBADMSG;
	f->have = 0;
	f->in_frame = ret->begins = true;
	return (ssize_t)used;
}

ssize_t frame_next(struct frames *f, const char *buf, size_t n, struct frame_piece *ret)
{
	*ret = (struct frame_piece){0};
	ssize_t used = f->in_frame ? 0 : read_head(f, buf, n, ret);
	if (used < 0 || !f->in_frame)
		return used;
	n = (size_t)MIN((uint64_t)(n - (size_t)used), f->left);
	ret->data = (struct http_span){buf + used, n};
	f->left -= n;
	if (f->left == 0) {
		ret->ends = true;
		f->in_frame = false;
		if (!frame_is_control(f))
			f->in_message = !f->fin;
	}
	return used + (ssize_t)n;
}

size_t frame_head(unsigned int kind, bool fin, uint64_t length, char dst[static FRAME_HEAD_MAX])
{
	const size_t bytes = length < LENGTH_16 ? 0 : length <= UINT16_MAX ? 2 : 8;
	dst[0] = (char)((fin ? FIN : 0) | (kind & 0x0f));
	dst[1] = (char)(bytes == 0 ? length : bytes == 2 ? LENGTH_16 : LENGTH_64);
	for (size_t i = 0; i < bytes; i++)
		dst[2 + i] = (char)(length >> (8 * (bytes - 1 - i)) & 0xff);
	return 2 + bytes;
}
