/* change/direct.c - what changed in a workspace that was written to directly
 *
 * Theory: nothing was kept of the files but the time of the start and git's index of then, so as
 * not to make the start slower.  A file whose ctime is later has been written, by the sandbox or by
 * anybody else.  What it was comes from git's objects where git tracks it; of others it can only be
 * said that they changed.  A tracked file that is missing counts where its directory has changed
 * since.  What had not been committed or added before the start is part of the difference.
 */
#include "change/change.h"

#include <fcntl.h>
#include <limits.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/git-name.h"
#include "base/path.h"
#include "scan/git-index.h"

#define INDEX_MAX ((size_t)512 << 20)

struct tracked {
	const char *path;
	const char *object;
	uint32_t mode;
	bool seen;
};

struct todo {
	struct todo *next;
	char *rel;
};

struct direct {
	struct change *c;
	struct tracked *v; /* sorted by path, as the index is */
	size_t n, cap;
	struct todo *todo;
	size_t path_max;
};

static int add_tracked(void *ctx, const char *path, uint32_t mode, const unsigned char *object)
{
	struct direct *d = ctx;
	struct change *c = d->c;
	if (!change_plain(path) || git_dir_len(path))
		return 0;
	if (d->n == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 1024;
		struct tracked *p = realloc(d->v, cap * sizeof(*p));
		if (!p)
			return -ENOMEM;
		d->v = p;
		d->cap = cap;
	}
	char *hex = arena_alloc(&c->arena, GIT_NAME_MAX);
	char *copy = arena_dup(&c->arena, path);
	if (!hex || !copy)
		return -ENOMEM;
	for (size_t i = 0; i < c->req->hash_len; i++)
		snprintf(hex + 2 * i, 3, "%02x", object[i]);
	d->v[d->n++] = (struct tracked){.path = copy, .object = hex, .mode = mode};
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct tracked *)a)->path, ((const struct tracked *)b)->path);
}

static int read_index(struct direct *d, struct err *err)
{
	struct git_index_split split = {0};
	struct stat st;
	if (d->c->index < 0)
		return 0;
	if (fstat(d->c->index, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > INDEX_MAX)
		return err_set(err, EFBIG, "the copy of git's index is no file of at most 512 MiB");
	_cleanup_free_ char *buf = malloc((size_t)st.st_size + 1);
	ssize_t n = buf ? fd_read_full(d->c->index, buf, (size_t)st.st_size) : -ENOMEM;
	if (n < 0)
		return err_sys(err, (int)-n, "read the copy of git's index");
	/* what another git understands and we don't: nothing is tracked then */
	int r = git_index_each(buf, (size_t)n, d->c->req->hash_len, add_tracked, d, &split, NULL);
	git_index_split_free(&split);
	if (r == -ENOMEM)
		return err_set(err, ENOMEM, "out of memory");
	if (r < 0 || split.shared[0])
		d->n = 0;
	if (d->n)
		qsort(d->v, d->n, sizeof(*d->v), by_path);
	return 0;
}

static struct tracked *find(const struct direct *d, const char *path)
{
	struct tracked key = {.path = path};
	return d->n ? bsearch(&key, d->v, d->n, sizeof(key), by_path) : NULL;
}

static bool since(const struct direct *d, const struct stat *st)
{
	return stat_ctime_ns(st) > d->c->req->since[0];
}

/* The file is what git has of it? */
static bool same_as_git(
	const struct direct *d, const char *path, const struct entry *now, const struct tracked *t)
{
	char name[GIT_NAME_MAX], to[TARGET_MAX];
	unsigned int len = d->c->req->hash_len;
	if (S_ISLNK(now->st.st_mode)) {
		ssize_t n = entry_link(d->c, now, path, to);
		if (n < 0 || t->mode != 0120000)
			return false;
		git_blob_name(to, (size_t)n, len, name);
		return streq(name, t->object);
	}
	if (t->mode != (now->st.st_mode & 0100 ? 0100755u : 0100644u) ||
		(uint64_t)now->st.st_size > BINARY_MAX)
		return false;
	_cleanup_close_ int fd = entry_open(d->c, now, path);
	_cleanup_free_ char *buf = malloc((size_t)now->st.st_size + 1);
	ssize_t n = fd >= 0 && buf ? fd_read_full(fd, buf, (size_t)now->st.st_size) : -1;
	if (n < 0)
		return false;
	git_blob_name(buf, (size_t)n, len, name);
	return streq(name, t->object);
}

static bool born_since(const struct direct *d, int dir, const char *name)
{
	struct file_statx x;
	if (file_statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &x) < 0 ||
		!(x.stx_mask & STATX_BTIME))
		return false;
	return (uint64_t)x.stx_btime.tv_sec * 1000000000u + x.stx_btime.tv_nsec >
		d->c->req->since[0];
}

static struct entry from_git(const struct tracked *t)
{
	struct entry e = {.layer = LAYER_GIT, .object = t->object};
	e.st.st_mode = t->mode;
	return e;
}

static void one_file(
	struct direct *d, int dir, const char *name, const char *path, const struct stat *st)
{
	struct change *c = d->c;
	struct entry now = {.layer = LAYER_BASE, .st = *st}, none = {.layer = LAYER_NONE};
	struct tracked *t = find(d, path);
	if (t)
		t->seen = true;
	if (!since(d, st) || (c->req->paths.n && !change_selected(&c->req->paths, path)))
		return;
	if (type_of(st->st_mode) == CHANGE_SPECIAL) {
		item_add(c, path, CHANGE_ODD, &now, &none, "neither file, link nor directory");
	} else if (t && (t->mode & 0170000) != 0160000) {
		struct entry was = from_git(t);
		if (same_as_git(d, path, &now, t))
			return;
		item_add(c, path,
			type_of(t->mode) == type_of(st->st_mode) ? CHANGE_MODIFIED : CHANGE_TYPE,
			&now, &was, NULL);
	} else if (!t && born_since(d, dir, name)) {
		item_add(c, path, CHANGE_ADDED, &now, &none, NULL);
	} else if (!t) {
		item_add(c, path, CHANGE_ODD, &now, &none,
			"changed; what it was is not kept, as git does not track it");
	}
}

static int push(struct direct *d, const char *path)
{
	struct todo *t = arena_alloc(&d->c->arena, sizeof(*t));
	char *rel = arena_dup(&d->c->arena, path);
	if (!t || !rel)
		return -ENOMEM;
	*t = (struct todo){d->todo, rel};
	d->todo = t;
	return 0;
}

static int one_directory(struct direct *d, const char *rel)
{
	struct arena scratch = {0};
	struct strv names = {0};
	_cleanup_close_ int fd = place_open(d->c->base, rel, O_RDONLY | O_DIRECTORY);
	int r = fd < 0 ? 0 : list_names(&scratch, fd, &names); /* gone, shut, another mount */
	for (size_t i = 0; i < names.n && r == 0; i++) {
		char path[PATH_MAX];
		struct stat st;
		if (snprintf(path, sizeof(path), "%s%s%s", rel, *rel ? "/" : "", names.v[i]) >=
				(int)MIN(sizeof(path), d->path_max) ||
			fstatat(fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0 || git_dir_len(path))
			continue;
		if (S_ISDIR(st.st_mode))
			r = push(d, path);
		else
			one_file(d, fd, names.v[i], path, &st);
	}
	arena_free(&scratch);
	return r;
}

/* The nearest directory above that still is one has changed? */
static bool removed_since(const struct direct *d, const char *path)
{
	char up[PATH_MAX];
	struct stat st;
	if (snprintf(up, sizeof(up), "%s", path) >= (int)sizeof(up))
		return false;
	for (;;) {
		char *slash = strrchr(up, '/');
		*(slash ? slash : up) = '\0';
		_cleanup_close_ int fd = place_open(d->c->base, up, O_PATH | O_DIRECTORY);
		if (fd >= 0)
			return fstat(fd, &st) == 0 && since(d, &st);
		if (!*up)
			return false;
	}
}

static void missing(struct direct *d)
{
	struct change *c = d->c;
	struct entry none = {.layer = LAYER_NONE};
	for (size_t i = 0; i < d->n && c->failed == 0; i++) {
		const struct tracked *t = &d->v[i];
		struct stat st;
		if (t->seen || (t->mode & 0170000) == 0160000 ||
			(c->req->paths.n && !change_selected(&c->req->paths, t->path)) ||
			(place_stat(c->base, t->path, &st) == 0 && !S_ISDIR(st.st_mode)) ||
			!removed_since(d, t->path))
			continue;
		struct entry was = from_git(t);
		item_add(c, t->path, CHANGE_DELETED, &none, &was, NULL);
	}
}

int change_collect_direct(struct change *c, struct err *err)
{
	struct direct d = {.c = c, .path_max = PATH_MAX - strlen(c->req->base) - 64};
	int r = read_index(&d, err);
	if (r == 0 && push(&d, "") < 0)
		r = err_set(err, ENOMEM, "out of memory");
	while (r == 0 && d.todo && c->failed == 0) {
		struct todo *t = d.todo;
		d.todo = t->next;
		if (one_directory(&d, t->rel) < 0)
			r = err_set(err, ENOMEM, "out of memory");
	}
	if (r == 0)
		missing(&d);
	free(d.v);
	if (r == 0 && c->failed)
		r = err_sys(err, -c->failed, "look through what changed");
	sort_items(c);
	return r;
}

/* One line of the answer, without its newline. */
static int read_line(char *buf, size_t cap)
{
	for (size_t n = 0; n + 1 < cap; n++) {
		if (fd_read_full(GIT_OUT, buf + n, 1) != 1)
			return -EPIPE;
		if (buf[n] == '\n') {
			buf[n] = '\0';
			return 0;
		}
	}
	return -EBADMSG;
}

int git_object(const char *name, char **ret, size_t *ret_n)
{
	char line[128], ask[GIT_NAME_MAX + 1], *end;
	size_t len = strlen(name);
	snprintf(ask, sizeof(ask), "%s\n", name);
	int r = fd_write_all(GIT_IN, ask, len + 1);
	if (r == 0)
		r = read_line(line, sizeof(line));
	if (r < 0)
		return r == -EPIPE ? -ENOENT : r;
	if (strncmp(line, name, len) != 0 || strncmp(line + len, " blob ", 6) != 0)
		return -ENOENT;
	unsigned long long n = strtoull(line + len + 6, &end, 10);
	if (*end || n > BINARY_MAX) {
		char skip[4096];
		for (unsigned long long left = n + 1; !*end && left;) {
			ssize_t k = fd_read_full(GIT_OUT, skip, (size_t)MIN(left, sizeof(skip)));
			if (k <= 0)
				break;
			left -= (unsigned long long)k;
		}
		return -EFBIG;
	}
	_cleanup_free_ char *buf = malloc((size_t)n + 1);
	if (!buf)
		return -ENOMEM;
	if (fd_read_full(GIT_OUT, buf, (size_t)n + 1) != (ssize_t)n + 1)
		return -ENOENT;
	*ret = TAKE_PTR(buf);
	*ret_n = (size_t)n;
	return 0;
}
