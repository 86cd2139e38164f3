/* layer/check.c - see check.h.
 *
 * Theory: that the tar can be put together again proves the bytes that it takes from the tree, and
 * no more: not what a file has behind them, not names that it does not have, no mode, owner, or
 * target of a link.  So the tar is read anew, without content, and both trees are compared.
 * What the tar does not list (a directory that it only has things in) has its attributes from the
 * layers below, which are not looked at here.
 */
#include "layer/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include "base/fd.h"
#include "base/arena.h"
#include "layer/attr.h"
#include "layer/extract-in.h"

struct check {
	int want, have;
	struct arena a;
	struct strv dirs; /* still to be looked at */
	struct attr_buf buf[2];
	/* the owner of all that says nothing of one: 0:0, or that of a build's RUN */
	bool has_owner;
	uint32_t uid, gid;
	struct err *err;
};

static int amiss(struct check *c, const char *path, const char *what)
{
	return err_set(c->err, EBADMSG, "%s %s", extract_shown(path), what);
}

static bool same_owner(
	struct check *c, const struct tar_entry *want, const struct tar_entry *have, bool said)
{
	if (said)
		return want->uid == have->uid && want->gid == have->gid;
	if (!c->has_owner) {
		c->has_owner = true;
		c->uid = want->uid;
		c->gid = want->gid;
	}
	return want->uid == c->uid && want->gid == c->gid;
}

static bool same_xattrs(const struct tar_entry *a, const struct tar_entry *b)
{
	if (a->n_xattrs != b->n_xattrs)
		return false;
	for (size_t i = 0; i < a->n_xattrs; i++) {
		const struct tar_xattr *x = &a->xattrs[i];
		size_t k = 0;
		while (k < b->n_xattrs &&
			!(streq(b->xattrs[k].name, x->name) && b->xattrs[k].n == x->n &&
				memcmp(b->xattrs[k].value, x->value, x->n) == 0))
			k++;
		if (k == b->n_xattrs)
			return false;
	}
	return true;
}

/* Files and directories: what their attributes say. */
static int compare_attrs(struct check *c, const char *path, int want_dir, int have_dir,
	const char *name, const struct stat *want, const struct stat *have)
{
	struct tar_entry w = {0}, h = {0};
	const int flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW;
	_cleanup_close_ int a = place_open(want_dir, name, flags, 0);
	_cleanup_close_ int b = place_open(have_dir, name, flags, 0);
	if (a < 0 || b < 0)
		return b < 0 ? amiss(c, path, "can't be read")
			     : err_sys(c->err, -a, "%s", extract_shown(path));
	if (S_ISDIR(want->st_mode) && attr_is_opaque(a) != attr_is_opaque(b))
		return amiss(c, path, "hides what is below it, or does so no more");
	if (attr_is_implied(a))
		return 0;
	int r = attr_get(a, want, &c->buf[0], &w, c->err);
	if (r == 0)
		r = attr_get(b, have, &c->buf[1], &h, c->err);
	if (r < 0)
		return r;
	if (w.type != h.type || w.mode != h.mode || w.major != h.major || w.minor != h.minor)
		return amiss(c, path, "has another mode");
	if (!same_owner(c, &w, &h, c->buf[1].has_owner))
		return amiss(c, path, "has another owner");
	return same_xattrs(&w, &h) ? 0 : amiss(c, path, "has other attributes");
}

static int compare_links(struct check *c, const char *path, int want, int have, const char *name)
{
	char a[PATH_MAX], b[PATH_MAX];
	ssize_t n = readlinkat(want, name, a, sizeof(a)), m = readlinkat(have, name, b, sizeof(b));
	if (n < 0 || n != m || memcmp(a, b, (size_t)n) != 0)
		return amiss(c, path, "leads elsewhere");
	return 0;
}

static int compare(struct check *c, const char *path, int want, int have, const char *name)
{
	struct stat w, h;
	if (fstatat(want, name, &w, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(c->err, errno, "%s", extract_shown(path));
	if (fstatat(have, name, &h, AT_SYMLINK_NOFOLLOW) < 0)
		return amiss(c, path, "is not there");
	if ((w.st_mode & S_IFMT) != (h.st_mode & S_IFMT) || w.st_rdev != h.st_rdev)
		return amiss(c, path, "is something else");
	if (S_ISREG(w.st_mode) && w.st_size != h.st_size)
		return amiss(c, path, "has another size");
	if (S_ISLNK(w.st_mode))
		return compare_links(c, path, want, have, name);
	if (S_ISDIR(w.st_mode) && strv_add(&c->a, &c->dirs, path) < 0)
		return err_set(c->err, ENOMEM, "out of memory");
	return S_ISDIR(w.st_mode) || S_ISREG(w.st_mode)
		? compare_attrs(c, path, want, have, name, &w, &h)
		: 0;
}

/* A name of the layer that the tar has not; of a socket no tar knows. */
static int only_there(struct check *c, const char *path, int want, int have, const char *name)
{
	struct stat st;
	if (fstatat(want, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
		(fstatat(have, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(st.st_mode)))
		return 0;
	return amiss(c, path, "is not of this layer");
}

static int each(struct check *c, const char *path, int of, int want, int have,
	int (*fn)(struct check *c, const char *path, int want, int have, const char *name))
{
	char inner[TAR_PATH_MAX + NAME_MAX + 2];
	int fd = fcntl(of, F_DUPFD_CLOEXEC, 3), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		r = err_sys(c->err, errno, "list %s", extract_shown(path));
		if (fd >= 0)
			close(fd);
		return r;
	}
	rewinddir(d);
	for (struct dirent *e; r == 0 && (errno = 0, e = readdir(d));) {
		if (streq(e->d_name, ".") || streq(e->d_name, ".."))
			continue;
		snprintf(inner, sizeof(inner), "%s%s%s", path, *path ? "/" : "", e->d_name);
		r = fn(c, inner, want, have, e->d_name);
	}
	if (r == 0 && errno)
		r = err_sys(c->err, errno, "list %s", extract_shown(path));
	closedir(d);
	return r;
}

static int check_dir(struct check *c, const char *path)
{
	_cleanup_close_ int want = place_open(c->want, path, O_RDONLY | O_DIRECTORY, 0);
	_cleanup_close_ int have = place_open(c->have, path, O_RDONLY | O_DIRECTORY, 0);
	if (want < 0)
		return err_sys(c->err, -want, "open %s", extract_shown(path));
	if (have < 0)
		return amiss(c, path, "can't be opened");
	int r = each(c, path, have, want, have, only_there);
	return r < 0 ? r : each(c, path, want, want, have, compare);
}

int check_tree(int want, int have, struct err *err)
{
	struct check *c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(err, ENOMEM, "out of memory");
	c->want = want;
	c->have = have;
	c->err = err;
	struct stat w, h;
	int r = fstat(want, &w) < 0 || fstat(have, &h) < 0
		? err_sys(err, errno, "a layer's directory")
		: compare_attrs(c, "the root", want, have, "", &w, &h);
	if (r == 0)
		r = check_dir(c, "");
	while (r == 0 && c->dirs.n)
		r = check_dir(c, c->dirs.v[--c->dirs.n]);
	arena_free(&c->a);
	free(c);
	return r;
}
