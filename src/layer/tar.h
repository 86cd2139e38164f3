/* layer/tar.h - the tar format: entries out of a stream of bytes, and the blocks of an entry.
 *
 * Owns: POSIX ustar and pax, GNU's long names and sparse files (old, 0.0, 0.1, 1.0), v7; what it
 * refuses.  Must not: open anything; decide what an entry means in a layer.
 * Format: POSIX.1-2017 pax, "Basic Tar Format" in GNU tar's manual.
 *
 * Every byte of the stream goes either to meta() or is handed out as content, in order, so that the
 * stream can be put together again.  Names are bytes: nothing is decoded, and what has a NUL in it
 * is refused.  As with Go's archive/tar, which decides what an image is, only entries of regular
 * files (and of unknown kinds, which are refused) have content, and global pax headers count for
 * nothing.
 */
#ifndef BAWN_LAYER_TAR_H
#define BAWN_LAYER_TAR_H

#include <stdint.h>

#include "base/err.h"

#define TAR_BLOCK 512
#define TAR_PATH_MAX 4095
#define TAR_PAX_MAX ((size_t)1 << 20) /* bytes of one extended header or long name */
#define TAR_SEGS_MAX 65536            /* pieces of a sparse file */
#define TAR_XATTRS_MAX 256
#define TAR_ID_MAX UINT32_C(0xfffffffe)
#define TAR_FILE_MAX (UINT64_C(1) << 53)

enum tar_type {
	TAR_FILE = '0',
	TAR_HARD = '1',
	TAR_SYMLINK = '2',
	TAR_CHR = '3',
	TAR_BLK = '4',
	TAR_DIR = '5',
	TAR_FIFO = '6',
};

struct tar_seg {
	uint64_t offset, n; /* where in the file bytes of the stream belong */
};

struct tar_xattr {
	const char *name; /* behind "SCHILY.xattr." */
	const char *value;
	size_t n;
};

/* Valid until the next tar_next(). */
struct tar_entry {
	enum tar_type type;
	const char *path, *link;
	uint32_t mode, uid, gid; /* mode: 07777 */
	int64_t mtime;
	uint32_t mtime_ns;
	uint32_t major, minor;
	uint64_t size;              /* of the file, holes and all */
	const struct tar_seg *segs; /* one for a file without holes; none for an empty one */
	size_t n_segs;
	const struct tar_xattr *xattrs;
	size_t n_xattrs;
};

struct tar_ops {
	/* The next bytes of the stream, at least one unless it is over; valid until the next call.
	 */
	int (*fill)(void *ctx, const unsigned char **ret, size_t *ret_n, struct err *err);
	/* Bytes of the stream that are no content; may be NULL. */
	int (*meta)(void *ctx, const void *data, size_t n, struct err *err);
	/* Go on n bytes further on, for tar_skip(); may be NULL, they are read then. */
	int (*skip)(void *ctx, uint64_t n, struct err *err);
	void *ctx;
};

struct tar;
struct tar *tar_new(const struct tar_ops *ops);
void tar_free(struct tar *t);

/* The next entry: 1; 0 when the stream is over (all of it has been read then), or -errno.  What is
 * left of the one before is an error of the caller's. */
int tar_next(struct tar *t, struct tar_entry *ret, struct err *err);

/* The next piece of this entry's content and its place in the file: 1; 0 at its end. */
int tar_data(struct tar *t, const void **ret, size_t *ret_n, uint64_t *ret_offset, struct err *err);

/* Past the rest of this entry's content. */
int tar_skip(struct tar *t, struct err *err);
/* How many bytes of the stream are behind us. */
uint64_t tar_position(const struct tar *t);

/* ---- writing: an entry's blocks before its content ---- */

struct tar_out {
	char *data; /* whole blocks; freed by the holder with free() */
	size_t n, cap;
	bool failed;
};
/* Append e's header (with a pax header where it takes one) to out.  e->segs count for nothing: what
 * is written has no holes.  0 or -errno. */
int tar_put(struct tar_out *out, const struct tar_entry *e, struct err *err);

static inline size_t tar_padding(uint64_t size)
{
	return (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

#endif
