/* template/tar-out.h - a tar of our own making (POSIX ustar): plain files with short names.
 *
 * Where nothing is said of a size that ustar can't hold, 8 GiB, base-256 is used, which GNU tar,
 * Go's archive/tar, libarchive and bawn-layer read.
 */
#ifndef BAWN_TEMPLATE_TAR_OUT_H
#define BAWN_TEMPLATE_TAR_OUT_H

#include <stdint.h>

#include "base/err.h"

#define TAR_BLOCK 512
#define TAR_NAME_MAX 100

struct tar_out {
	int fd;
};

/* The head of a file of size bytes, which the caller writes behind it, then tar_out_pad(). */
int tar_out_head(const struct tar_out *t, const char *name, uint64_t size, struct err *err);
int tar_out_pad(const struct tar_out *t, uint64_t size, struct err *err);
int tar_out_dir(const struct tar_out *t, const char *name, struct err *err);
/* All of a file. */
int tar_out_file(
	const struct tar_out *t, const char *name, const void *data, size_t n, struct err *err);
/* Two empty blocks. */
int tar_out_end(const struct tar_out *t, struct err *err);

#endif
