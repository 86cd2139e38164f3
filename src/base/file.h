/* base/file.h - whole files: bounded reads, atomic writes, private directories.
 */
#ifndef BAWN_BASE_FILE_H
#define BAWN_BASE_FILE_H

#include <sys/stat.h>

#include "base/arena.h"
#include "base/sha256.h"
#include "base/statx.h"

/* Read a regular file of at most max bytes into arena, NUL behind it.  Bytes or -errno; -EFBIG past
 * max, -EINVAL if it is no regular file.  Never blocks on a FIFO.  dirfd may be AT_FDCWD. */
ssize_t file_read(
	struct arena *a, int dirfd, const char *path, size_t max, char **ret, struct err *err);

/* Write beside, fsync if durable, rename.  The old file or the new one, never half.  0 or -errno.
 */
int file_write_atomic(int dirfd, const char *path, const void *data, size_t n, mode_t mode,
	bool durable, struct err *err);

/* The SHA-256 of what fd has from here on to its end.  0 or -errno. */
int file_sha256(int fd, char ret[static SHA256_HEX + 1]);

/* mkdir -p with mode 0700 for what is made; the last component must then be a directory of ours
 * that nobody else can write (not a symlink), else -EPERM with the remedy.  0 or -errno. */
int file_mkdir_private(const char *path, struct err *err);

/* mkdir -p below dirfd, mode for each made.  0 or -errno. */
int file_mkdir_p(int dirfd, const char *path, mode_t mode);

/* A directory, no link to one, that can be read and has no entry. */
bool file_dir_empty(const char *path);

/* Why what is written to an overlay can't lie in this file system, as far as its kind tells: the
 * kernel takes no other overlay for that, and none that may change behind its back.  NULL: it may.
 */
const char *file_no_upper(int fd);
#define FILE_UPPER_HINT                                                                            \
	"set XDG_DATA_HOME to a directory on ext4, XFS, btrfs, or tmpfs since Linux 6.6"

#endif
