/* build/owners.c - what was there before a step keeps its owner, and not what it lost; see build.h
 *
 * Theory: an upper directory also has what overlayfs copied up (the directories above what was
 * written, files that were only appended to, or moved).  Without a record of an owner such a thing
 * is root's, as it was below, and not of whoever the step ran as: it gets a record that says so.
 * overlayfs marks what it has copied up (user.overlay.origin).  Where it has marked a directory
 * above, what has no mark was made here; else what has the same name below, without a record, is
 * taken for it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "build/build.h"
#include "init/owner-attr.h"

struct owning {
	struct arena *a;
	struct buf rel;
	int below;        /* root of the layers below */
	struct strv *set; /* only look for recorded set-ID bits: paths */
	bool origins;     /* overlayfs has marked a directory above */
	struct err *err;
	int depth;
};

static bool is_copied_up(int fd)
{
	return fgetxattr(fd, "user.overlay.origin", NULL, 0) >= 0;
}

static bool has_owner(int fd)
{
	return fgetxattr(fd, OWNER_ATTR, NULL, 0) >= 0;
}

/* Was it there below as root's? */
static bool was_roots(const struct owning *o, const char *rel, bool dir)
{
	struct stat st;
	_cleanup_close_ int low = path_openat2(o->below, rel,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
		RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	return low >= 0 && fstat(low, &st) == 0 && S_ISDIR(st.st_mode) == dir && !has_owner(low);
}

/* The recorded mode where it has set-ID bits, which are never on disk; else 0. */
static mode_t set_id_of(int fd)
{
	char text[MODE_BYTES];
	ssize_t n = fgetxattr(fd, MODE_ATTR, text, sizeof(text) - 1);
	text[MAX(n, (ssize_t)0)] = '\0';
	mode_t mode = n > 0 ? (mode_t)strtoul(text, NULL, 8) & 07777 : 0;
	return mode & 06000 ? mode : 0;
}

static int mark(struct owning *o, int fd, bool dir)
{
	static const unsigned char root[] = {0x08, 0, 0x10, 0};
	const char *rel = o->rel.n ? o->rel.s : ".";
	if (o->set && !dir && set_id_of(fd) && strv_add(o->a, o->set, rel) < 0)
		return err_set(o->err, ENOMEM, "out of memory");
	if (o->set)
		return 0;
	if (has_owner(fd))
		return 0;
	if (!is_copied_up(fd) && (o->origins || !was_roots(o, rel, dir)))
		return 0;
	if (fsetxattr(fd, OWNER_ATTR, root, sizeof(root), 0) < 0)
		return err_sys(o->err, errno, "record the owner of %s", rel);
	return 0;
}

static int inside(struct owning *o, int fd);

static int entry(struct owning *o, int dir, const char *name)
{
	struct stat st;
	size_t was = o->rel.n;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(o->err, errno, "look at a file of the layer");
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return 0;
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && o->set && errno == EACCES)
		return 0; /* what nobody may read has lost its bits, or is new */
	if (fd < 0)
		return err_sys(o->err, errno, "open a file of the layer");
	buf_printf(&o->rel, "%s%s", was ? "/" : "", name);
	int r = o->rel.failed ? err_set(o->err, ENOMEM, "out of memory")
			      : mark(o, fd, S_ISDIR(st.st_mode));
	bool origins = o->origins;
	o->origins |= is_copied_up(fd);
	if (r == 0 && S_ISDIR(st.st_mode))
		r = inside(o, fd);
	o->origins = origins;
	o->rel.n = was;
	if (o->rel.s)
		o->rel.s[was] = '\0';
	return r;
}

static int inside(struct owning *o, int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d)
		return err_sys(o->err, errno, "list a directory of the layer");
	if (++o->depth > 4 * BUILD_DEPTH_MAX)
		r = err_set(o->err, ELOOP, "directories lie in one another too deep");
	for (struct dirent *e; r == 0 && (e = readdir(d));)
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			r = entry(o, fd, e->d_name);
	o->depth--;
	closedir(d);
	return r;
}

static int walk(void *ctx, const int *roots, struct buf *out, struct err *err)
{
	struct owning o = {.below = roots[0], .err = err};
	(void)out;
	_cleanup_close_ int fd = open(ctx, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? err_sys(err, errno, "open the layer") : mark(&o, fd, true);
	if (r == 0)
		r = inside(&o, fd);
	buf_free(&o.rel);
	return r;
}

int build_keep_owners(
	struct build *b, const struct build_state *st, const char *dir, struct err *err)
{
	struct view v = {.lowers = build_lowers(b, st)};
	char *fs = path_join(&b->a, dir, "fs");
	return fs ? view_run(&b->a, dir, &v, 1, walk, fs, NULL, err)
		  : err_set(err, ENOMEM, "out of memory");
}

/* ---- set-ID bits ---- */

/* A command sees a program of a lower layer without its set-ID bits, and chmod gives it what it
 * has seen: the same mode as before, on disk.  What came up by nothing but a change of its mode
 * was meant to lose them. */
static int drop_one(int up, int low)
{
	struct stat is, was;
	mode_t mode = up < 0 ? 0 : set_id_of(up);
	if (!mode || low < 0 || set_id_of(low) != mode)
		return 0;
	if (fstat(up, &is) < 0 || fstat(low, &was) < 0 || is.st_nlink != 1 ||
		(is.st_mode & 07777) != (was.st_mode & 07777) || is.st_size != was.st_size ||
		is.st_mtim.tv_sec != was.st_mtim.tv_sec ||
		is.st_mtim.tv_nsec != was.st_mtim.tv_nsec)
		return 0;
	char text[MODE_BYTES];
	int n = snprintf(text, sizeof(text), "%o", (unsigned int)(mode & 01777));
	return fsetxattr(up, MODE_ATTR, text, (size_t)n, 0) < 0 ? -errno : 0;
}

struct dropping {
	const struct strv *paths;
	const char *fs;
};

static int drop(void *ctx, const int *roots, struct buf *out, struct err *err)
{
	const struct dropping *d = ctx;
	const uint64_t flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC,
		       how = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
	(void)out;
	_cleanup_close_ int fs = open(d->fs, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	for (size_t i = 0; fs >= 0 && i < d->paths->n; i++) {
		_cleanup_close_ int up = path_openat2(fs, d->paths->v[i], flags, 0, how);
		_cleanup_close_ int low = path_openat2(roots[0], d->paths->v[i], flags, 0, how);
		int r = drop_one(up, low);
		if (r < 0)
			return err_sys(err, -r, "record a mode");
	}
	return fs < 0 ? err_sys(err, errno, "open the layer") : 0;
}

int build_drop_set_id(
	struct build *b, const struct build_state *st, const char *dir, struct err *err)
{
	struct strv paths = {0};
	struct owning o = {.a = &b->a, .below = -1, .set = &paths, .err = err};
	struct dropping d = {.paths = &paths, .fs = path_join(&b->a, dir, "fs")};
	struct view v = {.lowers = build_lowers(b, st)};
	_cleanup_close_ int fd = d.fs ? open(d.fs, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
				      : -1;
	int r = fd < 0 ? err_sys(err, errno, "open the layer") : inside(&o, fd);
	buf_free(&o.rel);
	return r < 0 || !paths.n ? r : view_run(&b->a, dir, &v, 1, drop, &d, NULL, err);
}
