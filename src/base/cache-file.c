/* base/cache-file.c - see cache-file.h */
#include "base/cache-file.h"

#include <fcntl.h>
#include <limits.h>

static int open_dir(const char *path, const char *what, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		int code = errno;
		if (code == ENOTDIR || code == ELOOP)
			err_hint(err, "remove it: rm '%s'", path);
		return err_sys(err, code, "open %s", path);
	}
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "stat %s", path);
	if (!GUARD_REMOVED("pack-owner") && (st.st_uid != geteuid() || (st.st_mode & 0022))) {
		err_hint(err, "remove it, or: chmod 0700 '%s'", path);
		return err_set(err, EPERM, "%s is %s; bawn does not take %s from there", path,
			st.st_uid != geteuid() ? "owned by somebody else" : "writable by others",
			what);
	}
	return TAKE_FD(fd);
}

int cache_file_open(const char *path, const char *what, struct stat *ret, struct err *err)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	if (n == 0 || n >= sizeof(dir))
		return err_set(err, EINVAL, "%s is not the path of a cache file", path);
	memcpy(dir, path, n);
	dir[n] = '\0';
	_cleanup_close_ int dirfd = open_dir(dir, what, err);
	if (dirfd < 0)
		return dirfd;
	_cleanup_close_ int fd = openat(
		dirfd, slash + 1, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ENOENT, "%s does not exist", path);
	/* A link, a socket, or one we may not read: nothing of ours. */
	if (fd < 0)
		return err_sys(
			err, errno == EMFILE || errno == ENFILE ? errno : ESTALE, "open %s", path);
	if (fstat(fd, ret) < 0)
		return err_sys(err, errno, "stat %s", path);
	if (!GUARD_REMOVED("pack-owner") &&
		(!S_ISREG(ret->st_mode) || ret->st_uid != geteuid() || ret->st_nlink != 1 ||
			(ret->st_mode & 07777) != 0600))
		return err_set(err, ESTALE, "%s is not a file of ours alone", what);
	return TAKE_FD(fd);
}

int source_id_stat(const char *path, bool follow, struct source_id *ret)
{
	struct stat st;
	*ret = (struct source_id){0};
	if ((follow ? stat(path, &st) : lstat(path, &st)) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
		ret->kind = SOURCE_ABSENT;
		return 0;
	}
	ret->kind = S_ISDIR(st.st_mode) ? SOURCE_DIR : SOURCE_FILE;
	ret->mode = st.st_mode;
	ret->uid = st.st_uid;
	ret->dev = st.st_dev;
	ret->ino = st.st_ino;
	if (S_ISDIR(st.st_mode))
		return 0; /* what is added to it is seen by the files named one by one */
	ret->size = (uint64_t)st.st_size;
	ret->mtime_sec = st.st_mtim.tv_sec;
	ret->mtime_nsec = st.st_mtim.tv_nsec;
	ret->ctime_sec = st.st_ctim.tv_sec;
	ret->ctime_nsec = st.st_ctim.tv_nsec;
	return 0;
}
