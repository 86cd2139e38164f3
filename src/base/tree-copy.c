/* base/tree-copy.c - see tree-copy.h
 *
 * Theory of operation.  Two descriptors walk, one in each tree; a level of the walk remembers the
 * names of the directories it has still to enter and who its two directories are.  The way up is
 * "..", and it must lead to the directories that the way down came from.  So depth costs memory
 * alone, and no path is ever put together.
 *
 * A file with several names is linked into scratch under its inode number when it is met first, and
 * from there when it is met again.
 */
#include "base/tree-copy.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/tree.h"

#define OPAQUE "user.overlay.opaque"
#define ORIGIN "user.overlay.origin"
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define XATTR_MAX 65536

struct level {
	struct level *up;
	char **names; /* directories in here that are still to be done */
	size_t n, cap;
	struct stat src;
	ino_t dst_ino;
};

struct walk {
	struct tree_copy *c;
	struct level *top;
	int src, dst; /* of the top level */
	int scratch;
};

static void level_free(struct level *l)
{
	while (l->n)
		free(l->names[--l->n]);
	free(l->names);
	free(l);
}

static int level_push(struct level *l, const char *name)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		char **v = realloc(l->names, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		l->names = v;
		l->cap = cap;
	}
	l->names[l->n] = strdup(name);
	return l->names[l->n] ? (l->n++, 0) : -ENOMEM;
}

/* ---- attributes ---- */

/* Not where overlayfs copied a file up from: of a copy, when that was can't be told any more, and
 * nobody must take its birth for that. */
static bool wanted(const char *name)
{
	return (has_prefix(name, "user.") && !streq(name, ORIGIN)) ||
		has_prefix(name, "system.posix_acl_");
}

static int copy_xattrs(int src, int dst)
{
	char names[XATTR_MAX];
	ssize_t n = flistxattr(src, names, sizeof(names));
	if (n <= 0)
		return n == 0 || errno == ENOTSUP ? 0 : -errno;
	char *value = malloc(XATTR_MAX);
	if (!value)
		return -ENOMEM;
	int r = 0;
	for (const char *p = names; r == 0 && p < names + n; p += strlen(p) + 1) {
		if (!wanted(p))
			continue;
		ssize_t len = fgetxattr(src, p, value, XATTR_MAX);
		if (len < 0 || fsetxattr(dst, p, value, (size_t)len, 0) < 0)
			r = -errno;
	}
	free(value);
	return r;
}

static int finish(int dst, const struct stat *st)
{
	const struct timespec ts[2] = {st->st_atim, st->st_mtim};
	return fchmod(dst, st->st_mode & 07777) < 0 || futimens(dst, ts) < 0 ? -errno : 0;
}

/* ---- one file ---- */

static int copy_range(int src, int dst, off_t at, off_t n, struct tree_copy *c)
{
	off_t from = at;
	if (lseek(dst, at, SEEK_SET) < 0)
		return -errno;
	while (n > 0) {
		ssize_t k = sendfile(dst, src, &from, (size_t)MIN(n, (off_t)1 << 30));
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? -errno : 0; /* shorter than it was */
		n -= k;
		c->bytes += (uint64_t)k;
	}
	return 0;
}

static int copy_data(int src, int dst, off_t size, struct tree_copy *c)
{
	if (size == 0 || ioctl(dst, FICLONE, src) == 0)
		return 0;
	if (ftruncate(dst, size) < 0)
		return -errno;
	for (off_t at = 0; at < size;) {
		off_t data = lseek(src, at, SEEK_DATA);
		if (data < 0)
			return errno == ENXIO ? 0 : -errno; /* a hole up to the end */
		off_t hole = lseek(src, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		int r = copy_range(src, dst, data, MIN(hole, size) - data, c);
		if (r < 0)
			return r;
		at = hole;
	}
	return 0;
}

static int copy_file(struct walk *w, const char *name, const struct stat *st)
{
	_cleanup_close_ int src = openat(
		w->src, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat now;
	if (src < 0 || fstat(src, &now) < 0)
		return -errno;
	if (now.st_ino != st->st_ino || now.st_dev != st->st_dev)
		return -ESTALE;
	_cleanup_close_ int dst = openat(
		w->dst, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (dst < 0)
		return -errno;
	CRASH_STEP();
	int r = copy_data(src, dst, st->st_size, w->c);
	if (r == 0)
		r = copy_xattrs(src, dst);
	return r < 0 ? r : finish(dst, st);
}

static int copy_link(struct walk *w, const char *name)
{
	char target[PATH_MAX + 1];
	ssize_t n = readlinkat(w->src, name, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, w->dst, name) < 0 ? -errno : 0;
}

static int copy_other(struct walk *w, const char *name, const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return copy_file(w, name, st);
	int r;
	if (S_ISLNK(st->st_mode)) {
		r = copy_link(w, name);
	} else { /* a device could only be a whiteout, 0:0, which needs no privilege */
		dev_t dev = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? st->st_rdev : 0;
		r = mknodat(w->dst, name, st->st_mode, dev) < 0 ? -errno : 0;
		if (r == 0 && dev == 0 && !S_ISCHR(st->st_mode) &&
			fchmodat(w->dst, name, st->st_mode & 07777, 0) < 0)
			r = -errno;
	}
	const struct timespec ts[2] = {st->st_atim, st->st_mtim};
	if (r == 0 && utimensat(w->dst, name, ts, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	return r;
}

/* A file that may have been met under another name. */
static int copy_entry(struct walk *w, const char *name, const struct stat *st)
{
	char key[64];
	if (st->st_nlink < 2)
		return copy_other(w, name, st);
	snprintf(key, sizeof(key), "%" PRIx64 "-%" PRIx64, (uint64_t)st->st_dev,
		(uint64_t)st->st_ino);
	if (linkat(w->scratch, key, w->dst, name, 0) == 0)
		return 0;
	if (errno != ENOENT && errno != EMLINK)
		return -errno;
	int r = copy_other(w, name, st);
	/* where it can have no further name it becomes several files */
	if (r == 0 && linkat(w->dst, name, w->scratch, key, 0) < 0 && errno != EMLINK &&
		errno != EEXIST)
		r = -errno;
	return r;
}

/* Over what a lower layer has there. */
static int merge_entry(struct walk *w, const char *name, const struct stat *st)
{
	int r = tree_remove(w->dst, name, NULL);
	if (r < 0)
		return r;
	CRASH_STEP();
	if (linkat(w->src, name, w->dst, name, 0) == 0)
		return 0;
	return errno == EMLINK ? copy_other(w, name, st) : -errno;
}

/* ---- directories ---- */

/* Everything but directories; those are noted. */
static int copy_here(struct walk *w)
{
	int copy = openat(w->src, ".", DIR_FLAGS);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		int e = errno;
		if (copy >= 0)
			close(copy);
		return -e;
	}
	int r = 0;
	struct dirent *de;
	while (r == 0 && (errno = 0, de = readdir(d))) {
		struct stat st;
		if (streq(de->d_name, ".") || streq(de->d_name, ".."))
			continue;
		if (fstatat(w->src, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			r = -errno;
		else if (S_ISDIR(st.st_mode))
			r = level_push(w->top, de->d_name);
		else
			r = w->c->merge ? merge_entry(w, de->d_name, &st)
					: copy_entry(w, de->d_name, &st);
		w->c->files++;
		if (r == 0 && w->c->progress)
			w->c->progress(w->c->ctx, w->c);
	}
	if (r == 0 && errno)
		r = -errno;
	closedir(d);
	return r;
}

static int descend(struct walk *w, int src, int dst)
{
	struct level *l = calloc(1, sizeof(*l));
	struct stat st;
	int r = !l ? -ENOMEM : fstat(src, &l->src) < 0 || fstat(dst, &st) < 0 ? -errno : 0;
	if (r == 0)
		r = copy_xattrs(src, dst);
	if (r < 0) {
		free(l);
		close(src);
		close(dst);
		return r;
	}
	l->dst_ino = st.st_ino;
	l->up = w->top;
	w->top = l;
	if (w->src >= 0) {
		close(w->src);
		close(w->dst);
	}
	w->src = src;
	w->dst = dst;
	return copy_here(w);
}

/* The directory name of dst that is to take the one of src: there already, or made.  What hid or
 * was no directory goes, and then nothing below it may show. */
static int make_dir(struct walk *w, const char *name, int src)
{
	char value;
	struct stat st;
	bool there = fstatat(w->dst, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	bool opaque = w->c->merge && fgetxattr(src, OPAQUE, &value, 1) == 1 && value == 'y';
	bool hides = there && !S_ISDIR(st.st_mode);
	if (there && (opaque || hides)) {
		int r = tree_remove(w->dst, name, NULL);
		if (r < 0)
			return r;
	}
	CRASH_STEP();
	if ((!there || opaque || hides) && mkdirat(w->dst, name, 0700) < 0)
		return -errno;
	int fd = openat(w->dst, name, DIR_FLAGS);
	if (fd < 0)
		return -errno;
	if (hides && fsetxattr(fd, OPAQUE, "y", 1, 0) < 0) {
		int e = errno;
		close(fd);
		return -e;
	}
	return fd;
}

static int enter_next(struct walk *w)
{
	char *name = w->top->names[--w->top->n];
	int src = openat(w->src, name, DIR_FLAGS);
	int dst = src < 0 ? -errno : make_dir(w, name, src);
	free(name);
	if (dst < 0) {
		if (src >= 0)
			close(src);
		return dst;
	}
	return descend(w, src, dst);
}

/* The way up has to lead where the way down came from. */
static int parent_of(int fd, ino_t ino)
{
	struct stat st;
	int up = openat(fd, "..", DIR_FLAGS);
	if (up < 0)
		return -errno;
	if (fstat(up, &st) == 0 && st.st_ino == ino)
		return up;
	close(up);
	return -ESTALE;
}

static int ascend(struct walk *w)
{
	struct level *l = w->top;
	int src = -1, dst = -1, r = 0;
	if (l->up) {
		src = parent_of(w->src, l->up->src.st_ino);
		dst = parent_of(w->dst, l->up->dst_ino);
		r = src < 0 ? src : dst < 0 ? dst : 0;
	}
	if (r == 0)
		r = finish(w->dst, &l->src);
	close(w->src);
	close(w->dst);
	w->src = src;
	w->dst = dst;
	w->top = l->up;
	level_free(l);
	return r;
}

int tree_copy(int src, int dst, int scratch, struct tree_copy *c, struct err *err)
{
	struct walk w = {.c = c, .src = -1, .dst = -1, .scratch = scratch};
	int s = openat(src, ".", DIR_FLAGS), d = s < 0 ? -errno : openat(dst, ".", DIR_FLAGS);
	int r = s < 0 || d < 0 ? -errno : 0;
	if (r < 0) {
		if (s >= 0)
			close(s);
		return err_sys(err, -r, "open a directory to copy");
	}
	r = descend(&w, s, d);
	while (r == 0 && w.top)
		r = w.top->n ? enter_next(&w) : ascend(&w);
	while (w.top) {
		struct level *up = w.top->up;
		level_free(w.top);
		w.top = up;
	}
	if (w.src >= 0)
		close(w.src);
	if (w.dst >= 0)
		close(w.dst);
	return r < 0 ? err_sys(err, -r, "copy what was written in the sandbox") : 0;
}

/* ---- privilege over our own files ---- */

static int put(const char *file, const char *text)
{
	_cleanup_close_ int fd = open(file, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

static void gain(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();
	if (unshare(CLONE_NEWUSER) < 0)
		return;
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	put("/proc/self/uid_map", map);
	put("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	put("/proc/self/gid_map", map);
}

int tree_privileged(int (*fn)(void *ctx, struct err *err), void *ctx, struct err *err)
{
	struct err said = {0};
	int fds[2], status;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		gain();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int r = getppid() == parent ? fn(ctx, &said) : -ECANCELED;
		if (r < 0 && !said.code)
			err_sys(&said, -r, "copy");
		fd_write_all(fds[1], &said, sizeof(said));
		_exit(r < 0 ? 1 : 0);
	}
	int e = errno;
	close(fds[1]);
	ssize_t n = pid < 0 ? 0 : fd_read_full(fds[0], &said, sizeof(said));
	close(fds[0]);
	if (pid < 0)
		return err_sys(err, e, "fork");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n == sizeof(said) && !said.code && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (n != sizeof(said) || !said.code)
		return err_set(err, EIO, "the process that copies ended unexpectedly");
	if (said.hint[0])
		err_hint(err, "%s", said.hint);
	return err_set(err, said.code, "%s", said.msg);
}
