/* change/discard.c - taking things out of the topmost upper: what is discarded, and what has been
 * landed
 *
 * Theory: most of the time it is enough that the upper has nothing at a path: then what is below
 * shows.  Whole trees are first renamed into the trash, so that a kill leaves all or nothing of
 * them.  Where that does not show the host's own - a frozen layer below has the change, or a
 * directory above is opaque - the upper gets a copy of what the host has, or a whiteout.
 */
#include "change/change.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include "base/escape.h"
#include "base/file.h"
#include "base/path.h"
#include "base/tree.h"

/* Directories whose mode is changed for a moment are written down before, so that a kill in between
 * leaves no change of mode that nobody made. */
#define MODES "modes"
#define MODES_MAX 65536

struct mode_of {
	const char *path;
	mode_t mode;
};

static int set_mode(struct change *c, const char *path, mode_t mode)
{
	const char *name;
	struct stat st;
	_cleanup_close_ int dir = place_parent(c->upper[0], path, &name);
	if (dir < 0 || fstatat(dir, *name ? name : ".", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return dir < 0 ? dir : -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return fchmodat(dir, *name ? name : ".", mode, 0) < 0 ? -errno : 0;
}

static int note_modes(struct change *c, const struct mode_of *v, size_t n, struct err *err)
{
	struct blob b = {.max = MODES_MAX};
	for (size_t i = 0; i < n; i++) {
		blob_put_str(&b, 1, v[i].path);
		blob_put_u64(&b, 2, v[i].mode & 07777);
	}
	int r = b.failed ? err_set(err, ENOMEM, "out of memory")
			 : file_write_atomic(c->trash, MODES, b.data, b.n, 0600, true, err);
	blob_free(&b);
	return r;
}

static int restore_modes(struct change *c, struct err *err)
{
	struct blob_iter it;
	struct blob_view v;
	struct stat st;
	const char *path = NULL;
	uint64_t mode;
	char *text;
	if (fstatat(c->trash, MODES, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	ssize_t n = file_read(&c->arena, c->trash, MODES, MODES_MAX, &text, err);
	if (n < 0)
		return (int)n;
	blob_iter_init(&it, text, (size_t)n);
	while (blob_next(&it, &v) > 0) {
		if (v.tag == 1)
			path = blob_str(&v);
		else if (path && (!*path || change_plain(path)) && blob_u64(&v, &mode) == 0)
			set_mode(c, path, (mode_t)mode & 07777);
	}
	unlinkat(c->trash, MODES, 0);
	return 0;
}

/* A directory that the agent made read-only must not stop us: its own mode (a moved directory's
 * ".." is written), or that of the one it is in. */
static int rename_shut(struct change *c, const char *path, int dir, const char *name,
	const char *to, struct err *err)
{
	struct mode_of v[2];
	struct stat st, top;
	size_t n = 0;
	if (fstat(dir, &top) < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!(top.st_mode & 0200)) {
		char *up = arena_dupn(
			&c->arena, path, name == path ? 0 : (size_t)(name - path - 1));
		if (!up)
			return -ENOMEM;
		v[n++] = (struct mode_of){up, top.st_mode};
	}
	if (S_ISDIR(st.st_mode) && !(st.st_mode & 0200))
		v[n++] = (struct mode_of){path, st.st_mode};
	int r = n ? note_modes(c, v, n, err) : -EACCES;
	for (size_t i = 0; i < n && r == 0; i++)
		r = set_mode(c, v[i].path, v[i].mode | 0700);
	if (r == 0 && renameat(dir, name, c->trash, to) < 0)
		r = -errno;
	if (n)
		restore_modes(c, NULL);
	return r;
}

/* Put the topmost upper's entry aside into the trash and remove it there. */
static int trash_entry(struct change *c, const char *path, struct err *err)
{
	static unsigned int serial;
	char to[32];
	const char *name;
	struct stat st;
	_cleanup_close_ int dir = place_parent(c->upper[0], path, &name);
	if (dir == -ENOENT || dir == -ENOTDIR || dir == -ELOOP)
		return 0;
	if (dir < 0)
		return err_sys(err, -dir, "open %s in the sandbox", path);
	do
		snprintf(to, sizeof(to), "gone-%u", serial++);
	while (fstatat(c->trash, to, &st, AT_SYMLINK_NOFOLLOW) == 0);
	int r = renameat(dir, name, c->trash, to) < 0 ? -errno : 0;
	if (r == -EACCES)
		r = rename_shut(c, path, dir, name, to, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_sys(err, -r, "take %s out of the sandbox", path);
	return tree_remove(c->trash, to, err);
}

/* What an earlier one that was cut short has left. */
int trash_recover(struct change *c, struct err *err)
{
	struct strv names = {0};
	int r = c->trash < 0 ? 0 : restore_modes(c, err);
	if (r < 0 || c->trash < 0)
		return r;
	_cleanup_close_ int fd = place_open(c->trash, "", O_RDONLY | O_DIRECTORY);
	r = fd < 0 ? fd : list_names(&c->arena, fd, &names);
	if (r < 0)
		return err_sys(err, -r, "look into the trash");
	for (size_t i = 0; i < names.n && r == 0; i++)
		r = tree_remove(c->trash, names.v[i], err);
	return r;
}

static int drop_all(struct change *c, struct err *err)
{
	struct strv names = {0};
	_cleanup_close_ int fd = place_open(c->upper[0], "", O_RDONLY | O_DIRECTORY);
	int r = fd < 0 ? fd : list_names(&c->arena, fd, &names);
	if (r < 0)
		return err_sys(err, -r, "look into the sandbox's changes");
	for (size_t i = 0; i < names.n && r == 0; i++)
		r = trash_entry(c, names.v[i], err);
	return r;
}

/* The directories above path, as the host has them, where the upper has none yet. */
static int make_parents(struct change *c, const char *path)
{
	for (const char *s = path; (s = strchr(s, '/')); s++) {
		const char *name;
		struct stat st;
		_cleanup_free_ char *up = strndup(path, (size_t)(s - path));
		if (!up)
			return -ENOMEM;
		if (place_stat(c->upper[0], up, &st) == 0)
			continue;
		mode_t mode = place_stat(c->base, up, &st) == 0 ? st.st_mode & 0777 : 0755;
		_cleanup_close_ int dir = place_parent(c->upper[0], up, &name);
		if (dir < 0)
			return dir;
		if (mkdirat(dir, name, mode | 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* The upper's entry becomes what the host has. */
static int like_host(struct change *c, struct item *it)
{
	char to[TARGET_MAX];
	const char *path = it->pub.path, *name;
	int r = make_parents(c, path);
	if (r < 0)
		return r;
	_cleanup_close_ int dir = place_parent(c->upper[0], path, &name);
	if (dir < 0)
		return dir;
	if (it->was.layer == LAYER_NONE)
		return mknodat(dir, name, S_IFCHR, makedev(0, 0)) < 0 ? -errno : 0;
	if (S_ISDIR(it->was.st.st_mode)) {
		if (mkdirat(dir, name, (it->was.st.st_mode & 0777) | 0700) < 0 && errno != EEXIST)
			return -errno;
		return fchmodat(dir, name, it->was.st.st_mode & 0777, 0) < 0 ? -errno : 0;
	}
	if (S_ISLNK(it->was.st.st_mode)) {
		ssize_t n = entry_link(c, &it->was, path, to);
		return n < 0 ? (int)n : symlinkat(to, dir, name) < 0 ? -errno : 0;
	}
	_cleanup_close_ int fd = entry_open(c, &it->was, path);
	return fd < 0 ? fd : copy_file(fd, dir, name, it->was.st.st_mode);
}

static bool covers_all(const struct strv *paths)
{
	for (size_t i = 0; i < paths->n; i++)
		if (!paths->v[i][0])
			return true;
	return paths->n == 0;
}

/* In a directory that the host doesn't have: it has been hidden as a whole. */
static bool below_hidden(struct change *c, const char *path)
{
	for (const char *s = path; (s = strchr(s, '/')); s++) {
		const struct item *up = item_find(c, path, (size_t)(s - path));
		if (up && up->pub.type == CHANGE_DIR && up->pub.old_type != CHANGE_DIR)
			return true;
	}
	return false;
}

/* What still differs although the upper has nothing there. */
static int restore(struct change *c, struct err *err)
{
	struct item *first = c->items;
	size_t n = c->n;
	c->items = NULL;
	c->n = c->cap = 0;
	int r = change_collect_items(c, err);
	for (size_t i = 0; i < c->n && r == 0; i++) {
		struct item *it = &c->items[i];
		if (below_hidden(c, it->pub.path))
			continue;
		bool dir = it->pub.type == CHANGE_DIR && it->pub.old_type == CHANGE_DIR;
		if (it->now.layer == 0 && !dir)
			r = trash_entry(c, it->pub.path, err);
		int k = r == 0 ? like_host(c, it) : 0;
		if (k < 0)
			r = err_sys(err, -k, "show the host's %s", it->pub.path);
	}
	free(c->items);
	c->items = first;
	c->n = c->cap = n;
	return r;
}

/* A directory above that the sandbox removed, or made a file: only that can be dropped. */
static int check_above(struct change *c, const char *path, struct err *err)
{
	for (const char *s = path; (s = strchr(s, '/')); s++) {
		struct stat st;
		_cleanup_free_ char *up = strndup(path, (size_t)(s - path));
		size_t k = 0;
		if (!up)
			return err_set(err, ENOMEM, "out of memory");
		while (k < c->n_uppers && place_stat(c->upper[k], up, &st) < 0)
			k++;
		if (k == c->n_uppers || S_ISDIR(st.st_mode))
			continue;
		char shown[256];
		escape_text(shown, sizeof(shown), up);
		err_hint(err, "drop %s as a whole", shown);
		return err_set(err, ENOTDIR,
			"%s was %s in the sandbox: nothing in it can be dropped", shown,
			S_ISCHR(st.st_mode) ? "removed" : "replaced");
	}
	return 0;
}

int change_discard(struct change *c, struct change_result *totals, struct err *err)
{
	const struct strv *paths = &c->req->paths;
	int r = 0;
	for (size_t i = 0; i < paths->n && r == 0; i++)
		r = check_above(c, paths->v[i], err);
	if (r < 0)
		return r;
	if (covers_all(paths))
		r = drop_all(c, err);
	else
		for (size_t i = 0; i < paths->n && r == 0; i++)
			r = trash_entry(c, paths->v[i], err);
	if (r == 0)
		r = restore(c, err);
	for (size_t i = 0; i < c->n && r == 0; i++)
		c->items[i].pub.state = CHANGE_DISCARDED;
	totals->done = r == 0;
	return r;
}

/* --- after an apply --- */

/* Does anything that is still a change lie at or below path? */
static bool has_change(const struct change *c, const char *path)
{
	size_t lo = 0, hi = c->n, n = strlen(path);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (strcmp(c->items[mid].pub.path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < c->n && streq(c->items[lo].pub.path, path))
		return true;
	/* "a/b" sorts behind "a-b", which may lie between */
	for (; lo < c->n && strncmp(c->items[lo].pub.path, path, n) == 0; lo++)
		if (c->items[lo].pub.path[n] == '/')
			return true;
	return false;
}

struct prune_dir {
	struct prune_dir *next;
	char *rel;
};

static int prune_names(struct change *c, const char *rel, struct prune_dir **todo, struct err *err)
{
	struct strv names = {0};
	struct arena a = {0};
	_cleanup_close_ int fd = place_open(c->upper[0], rel, O_RDONLY | O_DIRECTORY);
	int r = fd < 0 ? 0 : list_names(&a, fd, &names);
	for (size_t i = 0; i < names.n && r == 0; i++) {
		struct stat st;
		char *path = arena_printf(&c->arena, "%s%s%s", rel, *rel ? "/" : "", names.v[i]);
		struct prune_dir *d = arena_alloc(&c->arena, sizeof(*d));
		if (!path || !d) {
			r = err_set(err, ENOMEM, "out of memory");
			break;
		}
		if (!has_change(c, path)) {
			r = trash_entry(c, path, err);
			continue;
		}
		if (fstatat(fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
			continue;
		/* in an opaque directory, what is taken out would be missing */
		_cleanup_close_ int sub = place_open(fd, names.v[i], O_RDONLY | O_DIRECTORY);
		if (sub < 0 || dir_opaque(sub) != 0)
			continue;
		*d = (struct prune_dir){*todo, path};
		*todo = d;
	}
	arena_free(&a);
	return r;
}

/* Without frozen layers, what no longer differs is taken out of the upper, so that the host's later
 * edits show through.  With them it stays: what is below it may differ. */
int change_prune(struct change *c, struct err *err)
{
	if (c->n_uppers != 1 || c->trash < 0)
		return 0;
	struct item *first = c->items;
	size_t n = c->n;
	c->items = NULL;
	c->n = c->cap = 0;
	struct strv everything = {0};
	int r = change_collect_below(c, &everything, err);
	struct prune_dir *todo = NULL;
	if (r == 0)
		r = prune_names(c, "", &todo, err);
	while (r == 0 && todo) {
		struct prune_dir *d = todo;
		todo = d->next;
		r = prune_names(c, d->rel, &todo, err);
	}
	free(c->items);
	c->items = first;
	c->n = c->cap = n;
	return r;
}
