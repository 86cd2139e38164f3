/* layer/extract-dir.c - the directories that entries lie in: opened without following a link, made
 * where the tar doesn't list them, their times set at the end.
 *
 * A directory that is only implied must not change the one of that name in the layers below, whose
 * mode and owner the overlay would hide: it gets these from there.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/escape.h"
#include "layer/attr.h"
#include "layer/extract-in.h"

const char *extract_shown(const char *path)
{
	static char shown[512];
	return escape_text(shown, sizeof(shown), path);
}

void extract_forget_parent(struct extract *x)
{
	if (x->parent >= 0)
		close(x->parent);
	x->parent = -1;
}

int extract_remember_time(
	struct extract *x, const char *path, const struct tar_entry *e, struct err *err)
{
	struct dir_time *v = arena_grow(&x->arena, x->times, x->n_times, &x->cap_times, sizeof(*v));
	if (v) {
		x->times = v;
		v[x->n_times] = (struct dir_time){
			arena_dup(&x->arena, path), {.tv_sec = e->mtime, .tv_nsec = e->mtime_ns}};
	}
	if (!v || !v[x->n_times].path)
		return err_set(err, ENOMEM, "out of memory");
	x->n_times++;
	return 0;
}

int extract_set_times(struct extract *x, struct err *err)
{
	for (size_t i = 0; i < x->n_times; i++) {
		const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, x->times[i].mtime};
		_cleanup_close_ int fd = place_open(
			x->fs, x->times[i].path, O_RDONLY | O_DIRECTORY, 0);
		if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
			continue; /* something else took its name */
		if (fd < 0 || futimens(fd, times) < 0)
			return err_sys(err, fd < 0 ? -fd : errno, "set the time of %s",
				extract_shown(x->times[i].path));
	}
	return 0;
}

/* What the layers below say of this directory. */
static void from_lower(
	struct extract *x, const char *path, struct attr_buf *buf, struct tar_entry *e)
{
	for (size_t i = 0; i < x->in->n_lower; i++) {
		struct tar_entry seen = {0};
		struct stat st;
		_cleanup_close_ int fd = place_open(
			x->in->lower[i], path, O_RDONLY | O_DIRECTORY, 0);
		if (fd == -ENOENT)
			continue;
		if (fd < 0 || fstat(fd, &st) < 0 || attr_get(fd, &st, buf, &seen, NULL) < 0)
			return;
		seen.path = e->path;
		seen.mtime = st.st_mtim.tv_sec;
		seen.mtime_ns = (uint32_t)st.st_mtim.tv_nsec;
		*e = seen;
		return;
	}
}

/* One directory that the tar has things in, but has not listed (yet). */
static int make_implied(struct extract *x, int parent, const char *path, const char *name,
	const struct tar_entry *e, struct err *err)
{
	struct tar_entry d = {.type = TAR_DIR,
		.path = path,
		.mode = 0755,
		.mtime = e->mtime,
		.mtime_ns = e->mtime_ns};
	struct stat st;
	bool hidden = fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (hidden && !extract_is_whiteout(&st))
		return err_set(err, ENOTDIR, "the tar has something below %s, which is %s in it",
			extract_shown(path),
			S_ISLNK(st.st_mode) ? "a symbolic link" : "no directory");
	if (hidden && unlinkat(parent, name, 0) < 0)
		return err_sys(err, errno, "remove %s", extract_shown(path));
	_cleanup_free_ struct attr_buf *buf = malloc(sizeof(*buf));
	if (!buf)
		return err_set(err, ENOMEM, "out of memory");
	if (!hidden)
		from_lower(x, path, buf, &d);
	if (mkdirat(parent, name, attr_first_mode(&d)) < 0)
		return err_sys(err, errno, "make %s", extract_shown(path));
	_cleanup_close_ int fd = place_open(parent, name, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return err_sys(err, -fd, "open %s", extract_shown(path));
	int r = attr_set(fd, &d, true, x->c, err);
	if (r == 0 && hidden)
		r = attr_set_opaque(fd, err);
	if (r == 0 && (x->in->shape || x->in->mark))
		r = attr_set_implied(fd, err);
	return r == 0 ? extract_remember_time(x, path, &d, err) : r;
}

static int make_parents(
	struct extract *x, const char *path, size_t n, const struct tar_entry *e, struct err *err)
{
	char part[TAR_PATH_MAX + 1];
	_cleanup_close_ int at = place_open(x->fs, "", O_PATH | O_DIRECTORY, 0);
	for (size_t from = 0, to; at >= 0 && from < n; from = to + 1) {
		to = from;
		while (to < n && path[to] != '/')
			to++;
		memcpy(part, path, to);
		part[to] = 0;
		int next = place_open(at, part + from, O_PATH | O_DIRECTORY, 0);
		if (next == -ENOENT || next == -ENOTDIR || next == -ELOOP) {
			int r = make_implied(x, at, part, part + from, e, err);
			if (r < 0)
				return r;
			next = place_open(at, part + from, O_PATH | O_DIRECTORY, 0);
		}
		close(at);
		at = next;
	}
	return at < 0 ? err_sys(err, -at, "open %s", extract_shown(path)) : TAKE_FD(at);
}

int extract_parent(
	struct extract *x, const char *path, size_t n, const struct tar_entry *e, struct err *err)
{
	char dir[TAR_PATH_MAX + 1];
	if (x->parent >= 0 && x->parent_n == n && memcmp(x->parent_path, path, n) == 0)
		return x->parent;
	memcpy(dir, path, n);
	dir[n] = 0;
	int fd = place_open(x->fs, dir, O_PATH | O_DIRECTORY, 0);
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		fd = make_parents(x, path, n, e, err);
	else if (fd < 0)
		return err_sys(err, -fd, "open %s", extract_shown(dir));
	if (fd < 0)
		return fd;
	extract_forget_parent(x);
	x->parent = fd;
	x->parent_n = n;
	memcpy(x->parent_path, dir, n + 1);
	return fd;
}
