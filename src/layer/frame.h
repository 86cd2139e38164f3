/* layer/frame.h - the frame of a layer: its tar without the content of files, so that the same tar
 * can be put together again.
 *
 * Format (all numbers LEB128 but in the footer): FRAME_MAGIC, then records in the order of the tar:
 *	'h' BITMAP(64) BYTES	a block like the last 'h' but for the bytes whose bit is set
 *	'r' N BYTES		bytes as they are
 *	'z' N			N zero bytes
 *	'c' OFFSET N LEN PATH	N bytes of the file PATH from OFFSET on
 *	'd' OFFSET N		the same of the file of the last 'c'
 *	'e'			the end of the tar
 * then, for each thing whose name a later entry took: 'k' AT LEN PATH LEN NAME: the first AT
 * records 'c' that name PATH or what is below it mean kept/NAME; then the footer: where the first
 * 'k' is or would be, 8 bytes, little-endian, and FRAME_END.
 */
#ifndef BAWN_LAYER_FRAME_H
#define BAWN_LAYER_FRAME_H

#include <stdint.h>

#include "base/err.h"

#define FRAME_MAGIC "bawn-frame 1\n"
#define FRAME_END "\nframed\n"
#define FRAME_KEPT_MAX ((size_t)65536)

struct frame_out;
/* fd stays the caller's. */
struct frame_out *frame_begin(int fd, struct err *err);
int frame_bytes(struct frame_out *f, const void *data, size_t n, struct err *err);
int frame_content(
	struct frame_out *f, const char *path, uint64_t offset, uint64_t n, struct err *err);
/* What has been PATH up to now is kept/NAME. */
int frame_kept(struct frame_out *f, const char *path, const char *name, struct err *err);
int frame_end(struct frame_out *f, struct err *err);
void frame_free(struct frame_out *f);

struct frame_ops {
	int (*bytes)(void *ctx, const void *data, size_t n, struct err *err);
	/* path is relative to the layer's directory: fs/... or kept/... */
	int (*content)(void *ctx, const char *path, uint64_t offset, uint64_t n, struct err *err);
	void *ctx;
};
/* Piece by piece, in the order of the tar. */
struct frame_in;
struct frame_piece {
	const void *data; /* NULL without place: zeros */
	uint64_t n;
	const char *place; /* not NULL: content, of this file below the layer's directory ... */
	uint64_t offset;   /* ... from here on */
};
int frame_open(int fd, struct frame_in **ret, struct err *err);
/* The next one: 1, valid until the next call; 0 at the end. */
int frame_next(struct frame_in *f, struct frame_piece *ret, struct err *err);
void frame_close(struct frame_in *f);

/* Go through a frame (fd, a file, at its beginning).  0 or -errno; -EBADMSG: it is damaged. */
int frame_read(int fd, const struct frame_ops *ops, struct err *err);

#endif
