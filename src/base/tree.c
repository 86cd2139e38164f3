/* base/tree.c - see tree.h
 *
 * Theory: depth must not cost descriptors, stack or path length, as a sandbox may leave directories
 * thousands deep.  Directories that are met are renamed up to the top of the tree being removed
 * once they lie too deep, so that the depth ever handled stays below DEPTH_MAX.
 *
 * Two processes may remove the same tree (a run its own directory, and another run what looks like
 * a leftover): what is gone already is no failure.
 */
#include "base/tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/dir-record.h"

#define DEPTH_MAX 32 /* a buffer each, on the 128 KB that musl gives a thread */

struct walk {
	int top;             /* where deep directories are moved to */
	unsigned int serial; /* names them */
};

static int open_dir(int dirfd, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, flags);
	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
		fd = openat(dirfd, name, flags);
	return fd < 0 ? -errno : fd;
}

static int empty_dir(struct walk *w, int fd, int depth);

/* Whoever filled the tree may have thought of our names, too. */
static int move_up(struct walk *w, int dirfd, const char *name)
{
	char up[32];
	int r;
	do {
		snprintf(up, sizeof(up), ".bawn-rm-%u", w->serial++);
		r = renameat(dirfd, name, w->top, up) < 0 ? -errno : 0;
	} while (r == -ENOTEMPTY || r == -EEXIST || r == -ENOTDIR);
	return r;
}

static int remove_at(struct walk *w, int dirfd, const char *name, int depth)
{
	CRASH_STEP();
	int r = unlinkat(dirfd, name, 0);
	/* Asked for here and nowhere above, or a tree of them would be gone through twice at each
	 * level. */
	if (r < 0 && errno == EACCES && fchmod(dirfd, 0700) == 0)
		r = unlinkat(dirfd, name, 0);
	if (r == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES)
		return -errno;

	if (depth >= DEPTH_MAX) {
		r = move_up(w, dirfd, name);
		/* its ".." changes, so it has to be writable itself */
		if (r == -EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
			r = move_up(w, dirfd, name);
		return r;
	}
	_cleanup_close_ int fd = open_dir(dirfd, name);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = empty_dir(w, fd, depth + 1);
	if (r < 0)
		return r;
	return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

static int empty_dir(struct walk *w, int fd, int depth)
{
	struct dir_reader d;
	const struct dir_record *e;
	d.fd = fd;
	d.n = d.at = 0;
	if (lseek(fd, 0, SEEK_SET) < 0) /* it may have been read before */
		return -errno;
	int r = 0;
	while (r == 0 && (e = dir_next(&d)))
		r = remove_at(w, fd, e->d_name, depth);
	return r == 0 && d.n < 0 ? -errno : r;
}

int tree_remove(int dirfd, const char *name, struct err *err)
{
	_cleanup_close_ int top = open_dir(dirfd, name);
	if (top == -ENOENT)
		return 0;
	int r = 0;
	if (top == -ENOTDIR || top == -ELOOP) {
		r = unlinkat(dirfd, name, 0) < 0 ? -errno : 0;
	} else if (top < 0) {
		r = top;
	} else {
		struct walk w = {.top = top};
		unsigned int before;
		do { /* again while a pass has moved deep directories to the top */
			before = w.serial;
			r = empty_dir(&w, top, 0);
		} while (r == 0 && w.serial != before);
		CRASH_STEP();
		if (r == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			r = -errno;
	}
	return r < 0 ? err_sys(err, -r, "remove %s", name) : 0;
}
