/* base/file.c - see file.h */
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "base/dir-record.h"
#include "base/fd.h"

ssize_t file_read(
	struct arena *a, int dirfd, const char *path, size_t max, char **ret, struct err *err)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_sys(err, errno, "open %s", path);
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%s is not a regular file", path);
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return err_set(err, EFBIG, "%s is larger than %zu bytes", path, max);

	/* Files of /proc say size 0: read up to max then. */
	size_t cap = st.st_size ? (size_t)st.st_size : MIN(max, (size_t)65536);
	char *buf = arena_alloc(a, cap + 1);
	if (!buf)
		return err_set(err, ENOMEM, "out of memory");
	ssize_t n = fd_read_full(fd, buf, cap);
	if (n < 0)
		return err_sys(err, (int)-n, "read %s", path);
	buf[n] = '\0';
	*ret = buf;
	return n;
}

int file_write_atomic(int dirfd, const char *path, const void *data, size_t n, mode_t mode,
	bool durable, struct err *err)
{
	char tmp[PATH_MAX];
	static unsigned int serial;
	/* room for what follows the name, where that is as long as a name may be */
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int n_kept = (int)MIN(
		(size_t)(name - path) + MIN(strlen(name), (size_t)NAME_MAX - 40), sizeof(tmp));
	int k = snprintf(
		tmp, sizeof(tmp), "%.*s.%ld.%u.tmp", n_kept, path, (long)getpid(), serial++);
	if (k < 0 || (size_t)k >= sizeof(tmp))
		return err_set(err, ENAMETOOLONG, "path too long: %s", path);

	_cleanup_close_ int fd = openat(
		dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_sys(err, errno, "create %s", tmp);
	CRASH_STEP();
	int r = fd_write_all(fd, data, n);
	CRASH_STEP();
	if (r == 0 && durable && fsync(fd) < 0)
		r = -errno;
	CRASH_STEP();
	if (r == 0 && renameat(dirfd, tmp, dirfd, path) < 0)
		r = -errno;
	CRASH_STEP();
	if (r < 0) {
		unlinkat(dirfd, tmp, 0);
		return err_sys(err, -r, "write %s", path);
	}
	return 0;
}

int file_statx(int dirfd, const char *path, int flags, unsigned int mask, struct file_statx *ret)
{
	return syscall(SYS_statx, dirfd, path, flags, mask, ret) < 0 ? -errno : 0;
}

int file_mkdir_p(int dirfd, const char *path, mode_t mode)
{
	CRASH_STEP();
	if (mkdirat(dirfd, path, mode) == 0)
		return 0;
	if (errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -errno;

	/* back to what there is, cutting the path short, and forth again: most of it is there */
	char buf[PATH_MAX];
	const int len = snprintf(buf, sizeof(buf), "%s", path);
	if (len >= (int)sizeof(buf))
		return -ENAMETOOLONG;
	for (char *p = buf + len; p > buf;) {
		while (--p > buf && *p != '/')
			;
		if (p == buf)
			break;
		*p = '\0';
		if (mkdirat(dirfd, buf, mode) == 0 || errno == EEXIST)
			break;
		if (errno != ENOENT)
			return -errno;
	}
	for (char *p = buf + strlen(buf); p < buf + len; p += strlen(p)) {
		*p = '/';
		if (mkdirat(dirfd, buf, mode) < 0 && errno != EEXIST)
			return -errno;
	}
	return mkdirat(dirfd, path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

int file_sha256(int fd, char ret[static SHA256_HEX + 1])
{
	enum { ROOM = 1 << 16 };
	struct sha256 sum;
	_cleanup_free_ char *room = malloc(ROOM);
	ssize_t n = room ? 1 : -ENOMEM;
	sha256_begin(&sum);
	while (n > 0) {
		n = fd_read_full(fd, room, ROOM);
		if (n > 0)
			sha256_add(&sum, room, (size_t)n);
	}
	sha256_end(&sum, ret);
	return (int)n;
}

int file_mkdir_private(const char *path, struct err *err)
{
	int r = file_mkdir_p(AT_FDCWD, path, 0700);
	if (r < 0)
		return err_sys(err, -r, "create directory %s", path);
	struct stat st;
	if (lstat(path, &st) < 0)
		return err_sys(err, errno, "stat %s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 0022)) {
		if (S_ISLNK(st.st_mode))
			err_hint(err,
				"remove the link; for another disk, let the whole directory "
				"'bawn' above be a link, or set XDG_DATA_HOME");
		else
			err_hint(err,
				"make it a directory of yours that only you can write: "
				"chown -h \"$USER\" '%s'; chmod 0700 '%s'",
				path, path);
		return err_set(err, EPERM, "%s is %s; bawn does not keep state there", path,
			S_ISLNK(st.st_mode)              ? "a symbolic link"
				: !S_ISDIR(st.st_mode)   ? "not a directory"
				: st.st_uid != geteuid() ? "owned by somebody else"
							 : "writable by others");
	}
	return 0;
}

bool file_dir_empty(const char *path)
{
	/* readdir, but no allocation of a DIR: three entries decide */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_Alignas(8) char buf[1024];
	if (fd < 0)
		return false;
	ssize_t n = dir_records(fd, buf, sizeof(buf));
	for (ssize_t o = 0; o < n;) {
		const struct dir_record *d = (const struct dir_record *)(buf + o);
		if (!streq(d->d_name, ".") && !streq(d->d_name, ".."))
			return false;
		o += d->d_reclen;
	}
	return n >= 0;
}

const char *file_no_upper(int fd)
{
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return NULL;
	return fs.f_type == OVERLAYFS_SUPER_MAGIC ? "an overlay itself, as a container's root is"
		: fs.f_type == NFS_SUPER_MAGIC    ? "NFS"
		: fs.f_type == FUSE_SUPER_MAGIC   ? "FUSE"
						  : NULL;
}
