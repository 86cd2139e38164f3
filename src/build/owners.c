/* build/owners.c - what was there before a step keeps its owner; see build.h
 *
 * Theory: an upper directory also has what overlayfs copied up unchanged (the directories above
 * what was written, files that were only appended to).  Without a record of an owner such a thing
 * is root's, as it was below, and not of whoever the step ran as: it gets a record that says so.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "build/build.h"

struct owning {
	struct arena *a;
	struct buf rel;
	int below; /* root of the layers below */
	struct err *err;
	int depth;
};

static int mark(struct owning *o, int fd, bool dir)
{
	static const unsigned char root[] = {0x08, 0, 0x10, 0};
	char value[16];
	struct stat st;
	const char *rel = o->rel.n ? o->rel.s : ".";
	if (fgetxattr(fd, "user.rootlesscontainers", value, sizeof(value)) >= 0 || errno == ERANGE)
		return 0;
	if (fstatat(o->below, rel, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode) != dir)
		return 0;
	if (fsetxattr(fd, "user.rootlesscontainers", root, sizeof(root), 0) < 0)
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
	if (fd < 0)
		return err_sys(o->err, errno, "open a file of the layer");
	buf_printf(&o->rel, "%s%s", was ? "/" : "", name);
	int r = o->rel.failed ? err_set(o->err, ENOMEM, "out of memory")
			      : mark(o, fd, S_ISDIR(st.st_mode));
	if (r == 0 && S_ISDIR(st.st_mode))
		r = inside(o, fd);
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
