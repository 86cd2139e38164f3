/* init/theirs.c - see theirs.h. */
#include "init/theirs.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"

int theirs_fd(uint32_t pid, int fd)
{
	char path[48];
	if (fd == AT_FDCWD)
		snprintf(path, sizeof(path), "/proc/%u/cwd", pid);
	else
		snprintf(path, sizeof(path), "/proc/%u/fd/%d", pid, fd);
	return fd < 0 && fd != AT_FDCWD ? -1 : open(path, O_PATH | O_CLOEXEC);
}

/* The string at that address there.  Not past a page at once: the next may not be mapped. */
static bool read_string(uint32_t pid, uint64_t address, char to[static PATH_MAX])
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	_cleanup_close_ int mem = open(path, O_RDONLY | O_CLOEXEC);
	for (size_t n = 0; mem >= 0 && n < PATH_MAX;) {
		size_t part = MIN((size_t)PATH_MAX - n, 4096 - (address + n) % 4096);
		ssize_t k = pread(mem, to + n, part, (off_t)(address + n));
		if (k <= 0)
			return false;
		if (memchr(to + n, '\0', (size_t)k))
			return true;
		n += (size_t)k;
	}
	return false;
}

static bool root_at(const char *path, struct file_statx *ret)
{
	return file_statx(AT_FDCWD, path, 0, STATX_INO | STATX_MNT_ID, ret) == 0 &&
		(ret->stx_mask & STATX_MNT_ID);
}

/* Does "/" mean the same to them?  Not behind a chroot, nor with mounts of their own, which
 * syscalls: nested allows: a path would then be resolved to another file. */
static bool has_our_root(uint32_t pid)
{
	char path[32];
	struct file_statx theirs, ours;
	snprintf(path, sizeof(path), "/proc/%u/root", pid);
	return root_at(path, &theirs) && root_at("/", &ours) && theirs.stx_ino == ours.stx_ino &&
		theirs.stx_mnt_id == ours.stx_mnt_id &&
		theirs.stx_dev_major == ours.stx_dev_major &&
		theirs.stx_dev_minor == ours.stx_dev_minor;
}

/* "/proc/NUMBER/root" */
static bool is_root_of_process(const char *path)
{
	if (!has_prefix(path, "/proc/"))
		return false;
	path += strlen("/proc/");
	size_t n = strspn(path, "0123456789");
	return n && streq(path + n, "/root");
}

int theirs_path(uint32_t pid, int dirfd, uint64_t address, int flags)
{
	char path[PATH_MAX];
	if (!address && flags & AT_EMPTY_PATH) /* Linux 6.11 */
		return theirs_fd(pid, dirfd);
	if (!read_string(pid, address, path))
		return -1;
	if (!*path)
		return flags & AT_EMPTY_PATH ? theirs_fd(pid, dirfd) : -1;
	if (!(flags & AT_SYMLINK_NOFOLLOW) && is_root_of_process(path))
		return -EACCES;
	if (!has_our_root(pid))
		return -1;
	_cleanup_close_ int dir = *path == '/' ? -1 : theirs_fd(pid, dirfd);
	if (*path != '/' && dir < 0)
		return -1;
	/* a magic link would be one of ours */
	return path_openat2(*path == '/' ? AT_FDCWD : dir, path,
		O_PATH | O_CLOEXEC | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0u), 0,
		RESOLVE_NO_MAGICLINKS);
}

bool theirs_says(uint32_t pid, uint64_t address, const char *what)
{
	char text[PATH_MAX];
	return read_string(pid, address, text) && streq(text, what);
}

int theirs_memory(uint32_t pid)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	return open(path, O_RDWR | O_CLOEXEC);
}
