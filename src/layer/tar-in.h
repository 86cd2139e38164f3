/* layer/tar-in.h - what the reader's files share: tar.c (blocks, kinds, content), tar-pax.c (what
 * an extended header says), tar-sparse.c (where a sparse file's pieces belong).
 */
#ifndef BAWN_LAYER_TAR_IN_H
#define BAWN_LAYER_TAR_IN_H

#include "layer/tar.h"

struct tar_header { /* offsets of POSIX.1 ustar */
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], chksum[8], type;
	char linkname[100], magic[6], version[2], uname[32], gname[32], major[8], minor[8];
	char prefix[155], pad[12];
};
_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "a header is one block");

/* What extended headers have said of the entry that follows. */
struct tar_pax {
	const char *path, *link; /* NULL: nothing said */
	bool has_size, has_uid, has_gid, has_mtime;
	uint64_t size;
	uint32_t uid, gid;
	int64_t mtime;
	uint32_t mtime_ns;
	struct tar_xattr xattrs[TAR_XATTRS_MAX];
	size_t n_xattrs;
	/* GNU.sparse.* */
	bool sparse, sparse_1;
	const char *sparse_name;
	uint64_t real_size;
	size_t n_half; /* pieces' offsets and sizes, one after the other, in segs */
};

struct tar {
	struct tar_ops ops;
	const unsigned char *p; /* what fill() gave and is not used yet */
	size_t n;
	uint64_t pos;                       /* in the stream */
	char *text, *long_name, *long_link; /* of the extended headers */
	char name[TAR_PATH_MAX + 1], link[TAR_PATH_MAX + 1];
	struct tar_pax pax;
	struct tar_seg *segs;
	size_t n_segs, cap_segs;
	uint64_t left; /* of the content, in the stream */
	size_t pad, seg;
	uint64_t seg_done;
	bool over;
};

int tar_bad(const struct tar *t, struct err *err, const char *fmt, ...) _printf_(3, 4);
/* The next n bytes of the stream, which are no content, to `to`. */
int tar_take(struct tar *t, void *to, size_t n, struct err *err);

/* A number field: octal, or base 256.  0 or -ERANGE. */
int tar_number(const char *field, size_t n, int64_t *ret);
/* Decimal digits up to the end of text[n]. */
int tar_decimal(const char *text, size_t n, uint64_t max, uint64_t *ret);

/* text[n] is an extended header's; it is changed, and t->pax points into it. */
int tar_pax_parse(struct tar *t, char *text, size_t n, struct err *err);

int tar_seg_add(struct tar *t, uint64_t offset, uint64_t n, struct err *err);
/* One more number of an alternating list of offsets and sizes. */
int tar_seg_half(struct tar *t, uint64_t value, struct err *err);
/* The map of an old GNU sparse file: in its header and the blocks behind it. */
int tar_sparse_old(struct tar *t, const struct tar_header *h, uint64_t *ret_real, struct err *err);
/* The map of a 1.0 sparse file, at the beginning of its content, *left of which stays. */
int tar_sparse_map(struct tar *t, uint64_t *left, struct err *err);
/* Ordered, not overlapping, within the file, as much as is stored? */
int tar_sparse_check(struct tar *t, uint64_t real, uint64_t stored, struct err *err);

#endif
