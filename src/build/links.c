/* build/links.c - see links.h */
#include "build/links.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "template/layer-run.h"

/* What an open directory is called, below the open directory root. */
static ssize_t real_path(int fd, char to[static PATH_MAX])
{
	char link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, to, PATH_MAX - 1);
	if (n >= 0)
		to[n] = '\0';
	return n;
}

static int below(int root, int dir, const char *name, char to[static PATH_MAX], struct err *err)
{
	char top[PATH_MAX], path[PATH_MAX];
	ssize_t n = real_path(root, top), m = n < 0 ? n : real_path(dir, path);
	if (n == 1)
		n = 0; /* "/": it is mounted nowhere */
	if (m < 0 || strncmp(top, path, (size_t)n) != 0 || (path[n] && path[n] != '/'))
		return err_set(err, EXDEV, "a directory was moved while it was copied");
	const char *rel = path + n + strspn(path + n, "/");
	int len = snprintf(to, PATH_MAX, "%s%s%s", rel, *rel ? "/" : "", name);
	return len >= PATH_MAX ? err_set(err, ENAMETOOLONG, "a path is too long") : 0;
}

/* The layer that shows path: the topmost that has it.  -1: none. */
static ssize_t layer_of(const struct build_links *l, const char *path)
{
	for (size_t i = 0; i < l->lowers.n; i++) {
		_cleanup_close_ int fs = open(l->lowers.v[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		_cleanup_close_ int fd = fs < 0
			? -1
			: path_openat2(fs, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
				  RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
		if (fd >= 0)
			return (ssize_t)i;
	}
	return -1;
}

static int read_layer(struct build_links *l, size_t i, struct err *err)
{
	char *dir = arena_printf(l->a, "%s/..", l->lowers.v[i]);
	if (!l->known)
		l->known = arena_alloc(l->a, l->lowers.n * sizeof(*l->known));
	if (!dir || !l->known)
		return err_set(err, ENOMEM, "out of memory");
	if (l->known[i])
		return 0;
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, errno, "open a layer")
		      : layer_run_links(l->helper, l->a, fd, &l->known[i], err);
}

int build_links_find(struct build_links *l, int from, int dir, const char *name,
	struct link_owner *ret, struct err *err)
{
	char path[PATH_MAX];
	if (!l->lowers.n)
		return 0;
	int r = below(from, dir, name, path, err);
	ssize_t i = r < 0 ? -1 : layer_of(l, path);
	if (r == 0 && i >= 0)
		r = read_layer(l, (size_t)i, err);
	if (r == 0 && i >= 0)
		link_owners_find(l->known[i], path, ret);
	return r;
}

int build_links_keep(
	struct build_links *l, int to, const char *as, const struct link_owner *o, struct err *err)
{
	char path[PATH_MAX];
	int r = l->list ? below(l->root, to, as, path, err) : 0;
	if (r == 0 && l->list)
		fprintf(l->list, "%u %u %o %s%c", o->uid, o->gid, o->mode, path, '\0');
	return r;
}

int build_links_path(struct build_links *l, int to, const char *name, char **ret, struct err *err)
{
	char path[PATH_MAX];
	int r = below(l->root, to, name, path, err);
	if (r < 0)
		return r;
	*ret = arena_dup(l->a, path);
	return *ret ? 0 : err_set(err, ENOMEM, "out of memory");
}

int build_links_dir(struct build_links *l, int to, const char *name, struct err *err)
{
	char path[PATH_MAX];
	int r = below(l->root, to, name, path, err);
	return r < 0 ? r
		     : path_openat2(l->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
			       RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

void build_links_from(struct build_links *l, struct strv lowers)
{
	for (size_t i = 0; l->known && i < l->lowers.n; i++)
		link_owners_free(l->known[i]);
	l->known = NULL;
	l->lowers = lowers;
}

int build_links_end(struct build_links *l, struct err *err)
{
	build_links_from(l, (struct strv){0});
	FILE *list = l->list;
	l->list = NULL;
	if (!list)
		return 0;
	bool failed = ferror(list);
	return fclose(list) != 0 || failed ? err_set(err, EIO, "write the owners of links") : 0;
}
