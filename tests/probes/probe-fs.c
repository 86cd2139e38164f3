/* probe-fs.c - class FS.  What would change a file takes its path from the test. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "probe.h"

static int read_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char buf[64];
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
	int e = n < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	if (e == 0 && n == 0) {
		probe_say("%s is empty", path);
		return ENODATA;
	}
	if (e == 0)
		probe_say("%s has %zd bytes or more", path, n);
	return e;
}

static int read_file(const struct probe *p, char **argv)
{
	(void)p;
	return read_path(argv[0]);
}

/* By every other root and working directory in sight. */
static int read_via_proc(const struct probe *p, char **argv)
{
	(void)p;
	static const char *const roots[] = {"/proc/self/root", "/proc/1/root", "/proc/1/cwd",
		"/proc/self/task/1/root", "/proc/thread-self/root", "/proc/self/cwd/../../../../..",
		"/../../..", "/.old", "/oldroot", "/proc/self/fd/3", "/proc/1/fd/3", "/dev/fd/9"};
	int e = ENOENT;
	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s%s", roots[i], argv[0]);
		e = read_path(path);
		if (e == 0)
			break;
	}
	return e;
}

static int extra_fds(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	DIR *d = opendir("/proc/self/fd");
	if (!d)
		return errno;
	int found = -1;
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		int fd = e->d_name[0] == '.' ? 0 : atoi(e->d_name);
		if (fd > 2 && fd != dirfd(d))
			found = fd;
	}
	closedir(d);
	if (found >= 0)
		probe_say("descriptor %d is open", found);
	return found >= 0 ? 0 : EBADF;
}

static int make_node(const struct probe *p, char **argv)
{
	const char *dir = argv[0] ? argv[0] : ".";
	char path[4096];
	snprintf(path, sizeof(path), "%s/.bawn-probe-node", dir);
	mode_t mode = (mode_t)p->arg[0] | 0600;
	dev_t dev = makedev((unsigned)p->arg[1], (unsigned)p->arg[2]);
	int e = result(mknod(path, mode, dev));
#ifdef SYS_mknod /* the C library takes mknodat(2) */
	if (e)
		e = result(syscall(SYS_mknod, path, mode, dev));
#endif
	if (e == 0)
		unlink(path);
	return e;
}

static int open_write(const struct probe *p, char **argv)
{
	(void)p;
	int fd = open(argv[0], O_WRONLY | O_CLOEXEC);
	int e = result(fd);
	if (fd >= 0)
		close(fd);
	return e;
}

static int reopen_write(const struct probe *p, char **argv)
{
	(void)p;
	int path_fd = open(argv[0], O_PATH | O_CLOEXEC);
	if (path_fd < 0)
		return errno;
	char link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	int fd = open(link, O_WRONLY | O_CLOEXEC);
	int e = result(fd);
	if (fd >= 0)
		close(fd);
	close(path_fd);
	return e;
}

static int truncate_file(const struct probe *p, char **argv)
{
	(void)p;
	struct stat st;
	if (stat(argv[0], &st) < 0)
		return errno;
	return result(truncate(argv[0], st.st_size));
}

static int set_xattr(const struct probe *p, char **argv)
{
	(void)p;
	return result(setxattr(argv[0], "user.bawn-probe", "x", 1, 0));
}

static int change_mode(const struct probe *p, char **argv)
{
	(void)p;
	struct stat st;
	if (stat(argv[0], &st) < 0)
		return errno;
	return result(chmod(argv[0], st.st_mode & 07777));
}

static int change_times(const struct probe *p, char **argv)
{
	(void)p;
	return result(utimensat(AT_FDCWD, argv[0], NULL, 0));
}

static int map_write(const struct probe *p, char **argv)
{
	(void)p;
	int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	void *m = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int e = m == MAP_FAILED ? errno : 0;
	close(fd);
	return e;
}

/* An unnamed file, linked into place. */
static int tmpfile_link(const struct probe *p, char **argv)
{
	(void)p;
	char path[4096], link[64];
	int fd = open(argv[0], O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	snprintf(path, sizeof(path), "%s/.bawn-probe-link", argv[0]);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	int e = result(linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW));
	if (e == 0)
		unlink(path);
	close(fd);
	return e;
}

static int create(const struct probe *p, char **argv)
{
	(void)p;
	int fd = open(argv[0], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int e = result(fd);
	if (fd >= 0) {
		close(fd);
		unlink(argv[0]);
	}
	return e;
}

static int rename_path(const struct probe *p, char **argv)
{
	(void)p;
	return result(rename(argv[0], argv[1]));
}

static int exchange(const struct probe *p, char **argv)
{
	(void)p;
	return result(syscall(SYS_renameat2, AT_FDCWD, argv[0], AT_FDCWD, argv[1], 2L));
}

static int link_path(const struct probe *p, char **argv)
{
	(void)p;
	return result(link(argv[0], argv[1]));
}

static int remove_path(const struct probe *p, char **argv)
{
	(void)p;
	struct stat st;
	if (lstat(argv[0], &st) < 0)
		return errno;
	return result(S_ISDIR(st.st_mode) ? rmdir(argv[0]) : unlink(argv[0]));
}

static int list_dir(const struct probe *p, char **argv)
{
	(void)p;
	DIR *d = opendir(argv[0]);
	if (!d)
		return errno;
	size_t n = 0;
	for (struct dirent *e = readdir(d); e; e = readdir(d))
		n += !streq(e->d_name, ".") && !streq(e->d_name, "..");
	closedir(d);
	probe_say("%zu entries", n);
	return n ? 0 : ENODATA;
}

const struct probe probes_fs[] = {
	{"read", "FS-01", "PATH", .run = read_file},
	{"read-via-proc", "FS-02", "PATH", .run = read_via_proc},
	{"list", "FS-26", "PATH", .run = list_dir},
	{"rename", "FS-13", "FROM TO", .run = rename_path},
	{"exchange", "FS-14", "FROM TO", .run = exchange},
	{"remove", "FS-13", "PATH", .run = remove_path},
	{"link", "FS-03", "FROM TO", .run = link_path},
	{"extra-fds", "FS-18", .run = extra_fds},
	{"mknod-char", "FS-21", "[DIR]", .run = make_node, .arg = {S_IFCHR, 1, 3}},
	{"mknod-block", "FS-21", "[DIR]", .run = make_node, .arg = {S_IFBLK, 8, 0}},
	{"mknod-whiteout", "FS-21", "[DIR]", .run = make_node, .arg = {S_IFCHR, 0, 0}},
	{"open-write", "FS-27", "PATH", .run = open_write},
	{"create", "FS-27", "PATH", .run = create},
	{"reopen-write", "FS-27", "PATH", .run = reopen_write},
	{"truncate", "FS-27", "PATH", .run = truncate_file},
	{"setxattr", "FS-27", "PATH", .run = set_xattr},
	{"chmod", "FS-27", "PATH", .run = change_mode},
	{"utimes", "FS-27", "PATH", .run = change_times},
	{"mmap-write", "FS-27", "PATH", .run = map_write},
	{"tmpfile-link", "FS-27", "DIR", .run = tmpfile_link},
	{0},
};
