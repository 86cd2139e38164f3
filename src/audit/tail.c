/* audit/tail.c - whole lines out of a log that others append to and rotate; see read.h.
 *
 * Theory of operation.  The log is PATH; before, it was PATH.1, .2 and .3.  All are opened at the
 * start, the newest first, so that a rotation meanwhile makes one come twice (it is left out) and
 * none be missed; they are read the oldest first.  From then on a reader holds one descriptor and
 * reads it to its end.  Only there does it ask whether PATH still names the same file; if not, the
 * writers have rotated, and since some of them may still append to the old file, it is read once
 * more to its end before the new one is opened.  inotify watches the directory (create, rename) and
 * by it every write to the files in it, so that nothing polls.
 */
#include "audit/read.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "audit/chain.h"
#include "base/escape.h"

struct audit_tail {
	char path[PATH_MAX];
	int fd;                 /* -1: no file existed so far */
	int newer[AUDIT_FILES]; /* to be read after fd, the newest first */
	size_t n_newer;
	int inotify;  /* -1 until audit_tail_wait() is first called */
	bool skip;    /* inside a line that is too long */
	size_t start; /* where the unread part of buf starts */
	size_t n;     /* bytes in buf */
	size_t skipped;
	char buf[AUDIT_LINE_MAX];
};

static int open_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

static bool same_file(int a, int b)
{
	struct stat x, y;
	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
		x.st_ino == y.st_ino;
}

int audit_open_all(const char *path, int fds[static AUDIT_FILES], size_t *ret)
{
	size_t n = 0;
	for (unsigned int i = 0; i < AUDIT_FILES; i++) {
		char file[PATH_MAX + 16];
		if (!chain_file(file, sizeof(file), path, i))
			continue;
		int fd = open_read(file);
		if (fd < 0 && i == 0 && fd != -ENOENT)
			return fd;
		if (fd < 0)
			continue;
		if (n && same_file(fds[n - 1], fd))
			close(fd);
		else
			fds[n++] = fd;
	}
	*ret = n;
	return 0;
}

int audit_tail_open(const char *path, struct audit_tail **ret, struct err *err)
{
	struct audit_tail *t = calloc(1, sizeof(*t));
	char shown[PATH_MAX];
	if (!t)
		return err_set(err, ENOMEM, "out of memory");
	escape_text(shown, sizeof(shown), path);
	t->inotify = t->fd = -1;
	int r = snprintf(t->path, sizeof(t->path), "%s", path);
	if (r < 0 || (size_t)r >= sizeof(t->path)) {
		free(t);
		return err_set(err, ENAMETOOLONG, "path too long: %s", shown);
	}
	r = audit_open_all(path, t->newer, &t->n_newer);
	if (r < 0) {
		free(t);
		return err_sys(err, -r, "open the audit log %s", shown);
	}
	if (t->n_newer)
		t->fd = t->newer[--t->n_newer];
	*ret = t;
	return 0;
}

/* A whole line out of the buffer.  1 or 0. */
static int take_line(struct audit_tail *t, char **ret, size_t *ret_n)
{
	for (;;) {
		char *p = t->buf + t->start;
		char *nl = memchr(p, '\n', t->n - t->start);
		if (!nl)
			break;
		*nl = '\0';
		t->start = (size_t)(nl - t->buf) + 1;
		if (t->skip) {
			t->skip = false;
			t->skipped++;
			continue;
		}
		*ret = p;
		*ret_n = (size_t)(nl - p);
		return 1;
	}
	memmove(t->buf, t->buf + t->start, t->n - t->start);
	t->n -= t->start;
	t->start = 0;
	if (t->n == sizeof(t->buf)) {
		t->skip = true;
		t->n = 0;
	}
	return 0;
}

/* More bytes into the buffer.  Bytes, 0 at the end, or -errno. */
static ssize_t fill(struct audit_tail *t)
{
	if (t->fd < 0)
		return 0;
	ssize_t k;
	do
		k = read(t->fd, t->buf + t->n, sizeof(t->buf) - t->n);
	while (k < 0 && errno == EINTR);
	if (k < 0)
		return -errno;
	t->n += (size_t)k;
	return k;
}

/* At the end of fd: has PATH become another file?  true: it is open now. */
static bool move_on(struct audit_tail *t)
{
	struct stat mine, now;
	if (t->n_newer) {
		close(t->fd);
		t->fd = t->newer[--t->n_newer];
		t->skip = false;
		t->n = t->start = 0;
		return true;
	}
	if (stat(t->path, &now) < 0)
		return false;
	if (t->fd >= 0) {
		if (fstat(t->fd, &mine) == 0 && mine.st_dev == now.st_dev &&
			mine.st_ino == now.st_ino)
			return false;
		if (fill(t) > 0)
			return true; /* a late writer: finish this file first */
	}
	int fd = open_read(t->path);
	if (fd < 0)
		return false;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = fd;
	/* Half a line stays half: its writer died. */
	t->skip = false;
	t->n = t->start = 0;
	return true;
}

int audit_tail_next(struct audit_tail *t, char **ret, size_t *ret_n)
{
	for (;;) {
		if (take_line(t, ret, ret_n))
			return 1;
		ssize_t k = fill(t);
		if (k < 0)
			return (int)k;
		if (k == 0 && !move_on(t))
			return 0;
	}
}

/* The nearest directory that exists: the log's own may come later. */
static int watch_dir(struct audit_tail *t)
{
	char dir[PATH_MAX];
	snprintf(dir, sizeof(dir), "%s", t->path);
	for (;;) {
		char *slash = strrchr(dir, '/');
		if (!slash)
			snprintf(dir, sizeof(dir), ".");
		else if (slash == dir)
			dir[1] = '\0';
		else
			*slash = '\0';
		if (inotify_add_watch(t->inotify, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO) >= 0)
			return 0;
		if (errno != ENOENT || streq(dir, "/") || streq(dir, "."))
			return -errno;
	}
}

int audit_tail_wait(struct audit_tail *t)
{
	if (t->inotify < 0) {
		t->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		if (t->inotify < 0)
			return -errno;
		/* What came between the last read and the watch is found by reading again. */
		return watch_dir(t);
	}
	struct pollfd p = {.fd = t->inotify, .events = POLLIN};
	if (poll(&p, 1, -1) < 0)
		return -errno;
	char events[4096] __attribute__((aligned(8)));
	while (read(t->inotify, events, sizeof(events)) > 0)
		;
	return t->fd < 0 ? watch_dir(t) : 0;
}

size_t audit_tail_skipped(const struct audit_tail *t)
{
	return t->skipped;
}

void audit_tail_free(struct audit_tail *t)
{
	if (!t)
		return;
	if (t->fd >= 0)
		close(t->fd);
	while (t->n_newer)
		close(t->newer[--t->n_newer]);
	if (t->inotify >= 0)
		close(t->inotify);
	free(t);
}
