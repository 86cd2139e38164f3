/* build/tree.c - the sources of a COPY, found; see tree.h and tree-walk.c */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/path.h"
#include "base/sha256.h"
#include "build/tree-walk.h"

static uint64_t resolve_of(const struct build_copy *c)
{
	if (GUARD_REMOVED("build-beneath"))
		return 0;
	return RESOLVE_NO_MAGICLINKS | (c->context ? RESOLVE_BENEATH : RESOLVE_IN_ROOT);
}

static int fail(struct walk *w, int code, const char *what, const char *path)
{
	char safe[600];
	escape_text(safe, sizeof(safe), *path ? path : ".");
	if (code == EXDEV)
		return err_set(w->err, EXDEV, "%s leads out of the context", safe);
	return err_sys(w->err, code, "%s %s", what, safe);
}

/* "./a//b/" is "a/b", "" the root itself.  -EXDEV: ".." leads out of a context. */
static int clean(struct walk *w, const char *text, char **ret)
{
	char *s = arena_alloc(w->a, strlen(text) + 1);
	size_t n = 0;
	if (!s)
		return err_set(w->err, ENOMEM, "out of memory");
	for (const char *p = text; *p;) {
		p += strspn(p, "/");
		size_t len = strcspn(p, "/");
		if (len == 2 && p[0] == '.' && p[1] == '.') {
			if (!n && w->c->context)
				return fail(w, EXDEV, "open", text);
			while (n && s[--n] != '/')
				;
		} else if (len && !(len == 1 && *p == '.')) {
			if (n)
				s[n++] = '/';
			memcpy(s + n, p, len);
			n += len;
		}
		p += len;
	}
	s[n] = '\0';
	*ret = s;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What in dir (below from) fits the pattern, each with rest behind it. */
static int match_names(
	struct walk *w, const char *dir, const char *pattern, struct strv *ret, struct err *err)
{
	struct glob g;
	int r = glob_compile(w->a, pattern, false, &g, err);
	if (r < 0)
		return r;
	int fd = path_openat2(w->c->from, *dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
		resolve_of(w->c));
	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return fail(w, fd < 0 ? -fd : errno, "list", dir);
	size_t first = ret->n;
	for (struct dirent *e; r == 0 && (e = readdir(d));) {
		if (streq(e->d_name, ".") || streq(e->d_name, "..") ||
			!(glob_match(&g, e->d_name) & GLOB_WHOLE))
			continue;
		r = strv_addf(w->a, ret, "%s%s%s", dir, *dir ? "/" : "", e->d_name);
	}
	closedir(d);
	if (ret->n > first)
		qsort(ret->v + first, ret->n - first, sizeof(*ret->v), compare);
	return r < 0 ? err_set(err, ENOMEM, "out of memory") : 0;
}

#define SOURCES_MAX 100000

/* dir and all directories below it, but those that are left out; no link is followed. */
static int match_below(struct walk *w, const char *dir, struct strv *ret)
{
	size_t first = ret->n;
	int r = strv_add(w->a, ret, dir);
	for (size_t i = first; r == 0 && i < ret->n && ret->n <= SOURCES_MAX; i++) {
		struct strv names = {0};
		r = match_names(w, ret->v[i], "*", &names, w->err);
		for (size_t k = 0; r == 0 && k < names.n; k++) {
			bool below = false;
			if (w->c->ignore && ignore_match(w->c->ignore, names.v[k], &below) &&
				!below)
				continue;
			_cleanup_close_ int fd = path_openat2(w->c->from, names.v[k],
				O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, resolve_of(w->c));
			r = fd < 0 ? 0 : strv_push(w->a, ret, names.v[k]);
		}
	}
	return r;
}

/* All paths that one source means. */
static int expand_source(struct walk *w, const char *text, struct strv *ret)
{
	struct strv now = {0};
	char *path = NULL;
	int r = clean(w, text, &path);
	if (r == 0 && !glob_is(path))
		return strv_push(w->a, ret, path);
	if (r == 0)
		r = strv_add(w->a, &now, "");
	for (char *p = path, *next; r == 0 && p && *p; p = next) {
		struct strv then = {0};
		size_t n = strcspn(p, "/");
		next = p + n + (p[n] == '/');
		p[n] = '\0';
		for (size_t i = 0; r == 0 && i < now.n; i++) {
			const char *dir = now.v[i];
			r = w->c->parents && streq(p, "**") ? match_below(w, dir, &then)
				: glob_is(p)
				? match_names(w, dir, p, &then, w->err)
				: strv_addf(w->a, &then, "%s%s%s", dir, *dir ? "/" : "", p);
			if (then.n > SOURCES_MAX)
				return err_set(w->err, E2BIG, "more than %d files fit this pattern",
					SOURCES_MAX);
		}
		now = then;
	}
	for (size_t i = 0; r == 0 && i < now.n; i++)
		r = strv_push(w->a, ret, now.v[i]);
	return r == -ENOMEM ? err_set(w->err, ENOMEM, "out of memory") : r;
}

/* ---- one source ---- */

/* Where fd really lies below from, with links resolved: what .dockerignore goes by. */
static char *real_below(struct walk *w, int fd)
{
	char link[64], root[PATH_MAX], path[PATH_MAX];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", w->c->from);
	ssize_t n = readlink(link, root, sizeof(root) - 1);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t m = n < 0 ? n : readlink(link, path, sizeof(path) - 1);
	if (n < 0 || m < 0)
		return NULL;
	root[n] = path[m] = '\0';
	if (n == 1)
		n = 0;
	if (strncmp(root, path, (size_t)n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	return arena_dup(w->a, path + n + (path[n] == '/'));
}

/* --parents: where in path the part begins that comes along ("a/./b/c": "b/c"). */
static ssize_t parents_from(struct walk *w, const char *text, const char *path)
{
	const char *pivot = strstr(text, "/./"), *p = path;
	char *head = arena_dupn(w->a, text, pivot ? (size_t)(pivot - text) : 0), *cleaned;
	int r = head ? clean(w, head, &cleaned) : err_set(w->err, ENOMEM, "out of memory");
	if (r < 0)
		return r;
	for (const char *c = cleaned; *c; c += *c == '/') {
		c += strcspn(c, "/");
		p += strcspn(p, "/");
		p += *p == '/';
	}
	return p - path;
}

/* The directories on that way, each as it is in the source. */
static int take_parents(struct walk *w, const char *path, size_t from, int top)
{
	for (const char *p = path + from; (p = strchr(p, '/')); p++) {
		char *prefix = arena_dupn(w->a, path, (size_t)(p - path));
		_cleanup_close_ int src = !prefix
			? -ENOMEM
			: path_openat2(w->c->from, prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
				  resolve_of(w->c));
		if (src < 0)
			return fail(w, -src, "open", path);
		_cleanup_close_ int fd = w->sum
			? -1
			: build_tree_dir(top, prefix + from, &w->c->owner, w->err);
		if (!w->sum && fd < 0)
			return fd;
		w->rel.n = 0;
		buf_str(&w->rel, prefix + from);
		int r = walk_dir_facts(w, src, fd);
		w->rel.n = 0;
		if (r < 0)
			return r;
	}
	return 0;
}

struct target {
	int root;
	const char *path; /* --dest, no "/" behind it */
	bool dir;         /* it has to be one */
};

/* The directory that a file goes to, and its name there. */
static int file_place(struct walk *w, const struct target *t, const char *base, char **ret_name)
{
	bool into = t->dir;
	if (!into) {
		int fd = path_openat2(t->root, t->path + strspn(t->path, "/"),
			O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
			RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
		into = fd >= 0;
		if (fd >= 0)
			close(fd);
	}
	const char *slash = strrchr(t->path, '/');
	char *dir = into ? arena_dup(w->a, t->path)
			 : arena_dupn(w->a, t->path, (size_t)(slash - t->path));
	*ret_name = arena_dup(w->a, into ? base : slash + 1);
	if (!dir || !*ret_name)
		return err_set(w->err, ENOMEM, "out of memory");
	return build_tree_dir(t->root, dir, &w->c->owner, w->err);
}

/* Into the directory t goes what is in the directory src; t itself is none of it, and takes neither
 * mode nor owner from it, also where it is made.  But an archive that lists its own root says what
 * t is, unless that is the root of all, and with --parents a directory comes along itself. */
static int take_content(struct walk *w, int src, const struct target *t)
{
	_cleanup_close_ int fd = -1;
	if (!w->sum) {
		fd = build_tree_dir(t->root, t->path, &w->c->owner, w->err);
		if (fd < 0)
			return fd;
	}
	w->top = fd;
	int r = walk_inside(w, src, fd);
	bool itself = w->c->archive ? *t->path && !walk_is_implied(src) : w->c->parents && w->rel.n;
	return r == 0 && itself ? walk_dir_facts(w, src, fd) : r;
}

/* Is it left out, by what it is really called?  as: what it is to --exclude. */
static int left_out(struct walk *w, int fd, const char *path, const char *as, bool dir)
{
	char *real = w->c->context ? real_below(w, fd) : arena_dup(w->a, path);
	bool below = false;
	if (!real && GUARD_REMOVED("build-beneath"))
		real = arena_dup(w->a, path);
	if (!real)
		return fail(w, EXDEV, "open", path);
	if (w->c->ignore && *real && ignore_match(w->c->ignore, real, &below) && !(dir && below))
		return 1;
	w->shown.n = w->rel.n = w->at.n = w->n_links = 0;
	buf_str(&w->shown, real);
	if (!*as || (dir && !w->c->parents))
		return 0;
	return ignore_match(&w->c->exclude, as, &below) && !(dir && below);
}

static int take_one_file(struct walk *w, int fd, const char *path, const char *as,
	const struct stat *st, const struct target *t)
{
	char *name = NULL;
	if (!S_ISREG(st->st_mode))
		return err_set(w->err, EINVAL, "%s is neither a file nor a directory", w->shown.s);
	_cleanup_close_ int to = w->sum ? -1 : file_place(w, t, path_base(path), &name);
	if (!w->sum && to < 0)
		return to;
	w->top = to;
	buf_str(&w->rel, as);
	buf_str(&w->at, name ? name : path_base(path));
	return walk_file(w, fd, to, name ? name : path_base(path));
}

static int take_source(struct walk *w, const char *text, const char *path, const struct target *t)
{
	_cleanup_close_ int fd = path_openat2(w->c->from, *path ? path : ".",
		O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0, resolve_of(w->c));
	struct stat st;
	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(w, fd < 0 ? -fd : errno, "open", path);
	ssize_t from = w->c->parents ? parents_from(w, text, path) : path_base(path) - path;
	if (from < 0)
		return (int)from;
	const char *as = path + from;
	int out = left_out(w, fd, path, as, S_ISDIR(st.st_mode));
	if (out)
		return MIN(out, 0);
	w->found++;
	struct target own = *t;
	if (w->c->parents) {
		_cleanup_close_ int top = w->sum
			? -1
			: build_tree_dir(t->root, t->path, &w->c->owner, w->err);
		int r = !w->sum && top < 0 ? top : take_parents(w, path, (size_t)from, top);
		if (r < 0)
			return r;
		own.path = arena_printf(w->a, "%s/%s", t->path, as);
		own.dir = false;
		if (!own.path)
			return err_set(w->err, ENOMEM, "out of memory");
	}
	if (!S_ISDIR(st.st_mode))
		return take_one_file(w, fd, path, as, &st, &own);
	if (w->c->parents)
		buf_str(&w->rel, as);
	return take_content(w, fd, &own);
}

static int take_all(struct walk *w, const struct target *t)
{
	int r = 0;
	for (size_t i = 0; r >= 0 && i < w->c->sources.n; i++) {
		struct strv paths = {0};
		size_t was = w->found;
		const char *text = w->c->sources.v[i];
		r = expand_source(w, text, &paths);
		for (size_t k = 0; r >= 0 && k < paths.n; k++)
			r = take_source(w, text, paths.v[k], t);
		/* a pattern may fit nothing as long as something else is there */
		if (r >= 0 && w->found == was && !glob_is(text))
			r = fail(w, ENOENT, "open", text);
	}
	if (r >= 0 && !w->found)
		r = err_set(w->err, ENOENT, "nothing fits what is to be copied");
	buf_free(&w->shown);
	buf_free(&w->rel);
	buf_free(&w->at);
	return r;
}

int build_tree_digest(
	struct arena *a, const struct build_copy *c, char ret[static 65], struct err *err)
{
	struct sha256 sum;
	struct walk w = {.a = a, .c = c, .err = err, .sum = &sum, .top = -1};
	const struct target t = {.root = -1, .path = "", .dir = true};
	sha256_begin(&sum);
	int r = take_all(&w, &t);
	if (r >= 0)
		sha256_end(&sum, ret);
	return r;
}

int build_tree_copy(struct arena *a, const struct build_copy *c, int root, struct err *err)
{
	struct walk w = {.a = a, .c = c, .err = err, .top = -1};
	size_t n = strlen(c->dest);
	const bool dir = c->dest[n - 1] == '/' || c->sources.n > 1;
	while (n && c->dest[n - 1] == '/')
		n--;
	const struct target t = {.root = root, .path = arena_dupn(a, c->dest, n), .dir = dir};
	return t.path ? take_all(&w, &t) : err_set(err, ENOMEM, "out of memory");
}

int build_tree_expand(struct arena *a, const struct build_copy *c, const char *source,
	struct strv *ret, struct err *err)
{
	struct walk w = {.a = a, .c = c, .err = err, .top = -1};
	int r = expand_source(&w, source, ret);
	buf_free(&w.shown);
	buf_free(&w.rel);
	buf_free(&w.at);
	return r;
}
