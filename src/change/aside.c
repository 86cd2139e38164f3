/* change/aside.c - see aside.h
 *
 * Between two places on one file system a rename does it.  Else a file or link is copied under a
 * name that says so, synced, renamed, and only then removed; a directory on another file system
 * stays.
 */
#include "change/aside.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "change/result.h"

#define PART ".part"
#define NEVER_FOLLOW (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

static int open_parent(int root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	*ret_name = slash ? slash + 1 : path;
	_cleanup_free_ char *dir = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	return dir ? path_openat2(root, dir, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, NEVER_FOLLOW)
		   : -ENOMEM;
}

static int copy_out(int dir, const char *name, int to, const char *part)
{
	static char buf[65536];
	struct stat st;
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	unlinkat(to, part, 0);
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlinkat(dir, name, buf, sizeof(buf) - 1);
		if (n < 0)
			return -errno;
		buf[n] = '\0';
		return symlinkat(buf, to, part) < 0 ? -errno : 0;
	}
	if (!S_ISREG(st.st_mode))
		return -EXDEV;
	_cleanup_close_ int in = openat(
		dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_close_ int out = in < 0 ? -1 : openat(to, part, flags, st.st_mode & 0777);
	if (out < 0)
		return -errno;
	ssize_t n;
	while ((n = fd_read_full(in, buf, sizeof(buf))) > 0) {
		int r = fd_write_all(out, buf, (size_t)n);
		if (r < 0)
			return r;
	}
	return n < 0 ? (int)n : fsync(out) < 0 ? -errno : 0;
}

/* dir/name becomes to/name. */
static int move_entry(int dir, const char *name, int to)
{
	char part[280];
	if (renameat(dir, name, to, name) == 0)
		return 0;
	if (errno != EXDEV)
		return -errno;
	snprintf(part, sizeof(part), "%.250s" PART, name);
	int r = copy_out(dir, name, to, part);
	if (r == 0 && renameat(to, part, to, name) < 0)
		r = -errno;
	if (r == 0 && unlinkat(dir, name, 0) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(to, part, 0);
	return r;
}

static const char *explain(struct arena *a, int r)
{
	if (r == -EXDEV)
		return "a directory on another file system than bawn's state";
	return arena_printf(a, "%s", strerror(-r));
}

static void move_one(int root, int top, const char *where, struct arena *a, struct aside *x)
{
	const char *name;
	_cleanup_close_ int dir = open_parent(root, x->path, &name);
	if (dir < 0) {
		x->why = dir == -ENOENT ? "it is gone" : explain(a, dir);
		return;
	}
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		x->why = "it is gone";
		return;
	}
	_cleanup_free_ char *up = strndup(x->path, (size_t)(name - x->path));
	int r = up ? 0 : -ENOMEM;
	if (r == 0 && *up) {
		up[strlen(up) - 1] = '\0';
		r = file_mkdir_p(top, up, 0700);
	}
	_cleanup_close_ int to = r < 0 ? -1
		: *up ? path_openat2(top, up, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, NEVER_FOLLOW)
		      : fcntl(top, F_DUPFD_CLOEXEC, 3);
	if (r == 0)
		r = to < 0 ? -EIO : move_entry(dir, name, to);
	if (r < 0)
		x->why = explain(a, r);
	else
		x->to = arena_printf(a, "%s/%s", where, x->path);
}

/* DIR/aside/TIME, new; two runs in one second get different ones. */
static int make_place(const char *dir, struct arena *a, char **ret, struct err *err)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;
	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	char *aside = path_join(a, dir, "aside");
	if (!aside || file_mkdir_private(aside, err) < 0)
		return err && err->code ? -err->code : -ENOMEM;
	for (int i = 0; i < 1000; i++) {
		char *place = i ? arena_printf(a, "%s/%s-%d", aside, stamp, i)
				: arena_printf(a, "%s/%s", aside, stamp);
		if (!place)
			return err_set(err, ENOMEM, "out of memory");
		if (mkdir(place, 0700) == 0) {
			*ret = place;
			return 0;
		}
		if (errno != EEXIST)
			return err_sys(err, errno, "make %s", place);
	}
	return err_set(err, EEXIST, "too many directories in %s", aside);
}

int change_set_aside(const char *root, const char *dir, const struct strv *paths, struct arena *a,
	struct aside **ret, struct err *err)
{
	struct aside *v = arena_alloc(a, (paths->n + 1) * sizeof(*v));
	char *place = NULL;
	bool moved = false;
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	int r = make_place(dir, a, &place, err);
	if (r < 0)
		return r;
	_cleanup_close_ int from = path_openat2(AT_FDCWD, root, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
		RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	_cleanup_close_ int top = open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0 || top < 0) {
		r = err_sys(err, from < 0 ? -from : errno, "open %s", from < 0 ? root : place);
		rmdir(place);
		return r;
	}
	for (size_t i = 0; i < paths->n; i++) {
		v[i].path = paths->v[i];
		for (size_t k = 0; k < i && !v[i].to; k++)
			if (v[k].to && path_within(paths->v[i], paths->v[k]))
				v[i].to = arena_printf(a, "%s/%s", place, paths->v[i]);
		if (!v[i].to && !change_plain(paths->v[i]))
			v[i].why = "no path of the workspace";
		else if (!v[i].to)
			move_one(from, top, place, a, &v[i]);
		moved |= v[i].to != NULL;
	}
	if (!moved)
		rmdir(place);
	*ret = v;
	return arena_check(a, err);
}
