/* host/stack.c - see stack.h
 *
 * Theory of operation.  A path is walked one component at a time through the layers that still take
 * part in its directory: the topmost entry of that name decides.  A whiteout (character device 0/0)
 * or something that is no directory hides the layers below, an opaque directory hides what is below
 * it.  A link begins the walk anew with its target, at most LINKS_MAX times.
 *
 * A start asks for some thirty names, most of them in /etc and /usr: of the layers that nobody
 * changes each directory and name is looked at once (struct known), and by later starts not at all
 * (stack-known.c).
 */
#include "host/stack-int.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"

#define LINKS_MAX 40
#define STEPS_MAX 4096 /* components walked, for one path */
#define SAFE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

struct walk {
	struct arena *a;
	const struct host_stack *s;
	/* which of the layers that may change have the directory that the walk is in, top first */
	size_t *alive, n;
	const struct known *fixed; /* and of the others; NULL: none of them */
	char *here;                /* that directory inside, "" for the root */
	struct host_stack_found at;
};

struct host_stack_known *host_stack_know(struct arena *a, const char *base, int base_fd)
{
	struct host_stack_known *k = arena_alloc(a, sizeof(*k));
	if (k) {
		k->a = a;
		k->base = base;
		k->base_fd = base_fd;
	}
	return k;
}

static size_t n_changing(const struct host_stack *s)
{
	return s->known ? s->dirs.n - s->n_fixed : s->dirs.n;
}

static bool is_opaque(const char *path)
{
	char v = '\0';
	return lgetxattr(path, "user.overlay.opaque", &v, 1) == 1 && v == 'y';
}

/* All of the fixed layers have a root. */
static const struct known *fixed_root(const struct host_stack *s)
{
	struct host_stack_known *k = s->known;
	if (!k || !s->n_fixed)
		return NULL;
	if (k->root.l.n)
		return &k->root;
	k->root.l.alive = arena_alloc(k->a, s->n_fixed * sizeof(size_t));
	if (!k->root.l.alive)
		return NULL;
	for (size_t i = 0; i < s->n_fixed; i++)
		k->root.l.alive[i] = i;
	k->root.l.n = s->n_fixed;
	return &k->root;
}

static void begin(struct walk *w)
{
	w->n = n_changing(w->s);
	for (size_t i = 0; i < w->n; i++)
		w->alive[i] = i;
	w->fixed = fixed_root(w->s);
	w->here = arena_dup(w->a, "");
	w->at = (struct host_stack_found){
		.path = w->here, .dir = w->s->dirs.v[0], .st = {.st_mode = S_IFDIR | 0755}};
}

/* Where layers lie, and whether there are more below. */
struct place {
	const char *base; /* open as fd; NULL: anywhere */
	int fd;
	bool more;
};

static int stat_at(const struct place *p, const char *full, struct stat *ret)
{
	const size_t n = p->base && path_within(full, p->base) ? strlen(p->base) : 0;
	return n && full[n] == '/' ? fstatat(p->fd, full + n + 1, ret, AT_SYMLINK_NOFOLLOW)
				   : lstat(full, ret);
}

/* The topmost entry of that path decides what is there; where it is a directory, those of that path
 * below it take part.  in: which of dirs to look in; ret->alive may be the same array. */
static int scan(struct arena *a, const struct place *p, char *const *dirs, const size_t *in,
	size_t n, const char *path, struct level *ret)
{
	const size_t len = strlen(path);
	ret->r = -ENOENT;
	ret->n = 0;
	ret->hides = false;
	for (size_t i = 0; i < n && !ret->hides; i++) {
		const char *dir = dirs[in[i]];
		const size_t at = strlen(dir);
		char full[PATH_MAX];
		struct stat st;
		if (at + len >= sizeof(full))
			return -ENAMETOOLONG;
		memcpy(full, dir, at);
		memcpy(full + at, path, len + 1);
		if (stat_at(p, full, &st) < 0) {
			if (errno == ENOENT || errno == ENOTDIR)
				continue;
			return -errno;
		}
		ret->hides = !S_ISDIR(st.st_mode);
		if (S_ISCHR(st.st_mode) && st.st_rdev == 0)
			break;
		if (ret->r < 0) {
			ret->at = (struct host_stack_found){
				.path = arena_dup(a, path), .dir = dir, .st = st};
			ret->top = in[i];
			ret->r = 0;
		}
		if (ret->hides)
			break;
		ret->alive[ret->n++] = in[i];
		ret->hides = (p->more || i + 1 < n) && is_opaque(full);
	}
	return 0;
}

/* The same in the fixed layers, looked for once. */
static int look_fixed(struct walk *w, const char *path, const struct known **ret)
{
	struct host_stack_known *k = w->s->known;
	for (size_t i = 0; i < k->n; i++)
		if (streq(k->v[i]->path, path)) {
			*ret = k->v[i];
			return 0;
		}
	const struct level *in = &w->fixed->l;
	struct known *fresh = arena_alloc(k->a, sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	fresh->path = arena_dup(k->a, path);
	fresh->l.alive = arena_alloc(k->a, in->n * sizeof(size_t));
	if (!fresh->path || !fresh->l.alive)
		return -ENOMEM;
	const struct place p = {k->base, k->base_fd, false};
	int r = scan(k->a, &p, w->s->dirs.v + n_changing(w->s), in->alive, in->n, path, &fresh->l);
	if (r < 0)
		return r;
	if (k->n < KNOWN_MAX)
		k->v[k->n++] = fresh;
	*ret = fresh;
	return 0;
}

static int look(struct walk *w, const char *path)
{
	struct level l = {.alive = w->alive};
	const struct known *fixed = NULL;
	const struct place p = {NULL, -1, w->fixed != NULL};
	int r = scan(w->a, &p, w->s->dirs.v, w->alive, w->n, path, &l);
	if (r == 0 && w->fixed && !l.hides)
		r = look_fixed(w, path, &fixed);
	if (r < 0)
		return r;
	if (l.r < 0 && fixed) {
		l.at = fixed->l.at;
		l.r = fixed->l.r;
	}
	w->n = l.n;
	w->fixed = fixed && fixed->l.n ? fixed : NULL;
	if (l.r == 0)
		w->at = l.at;
	return l.r;
}

/* What is left of a path once its first component is the link at w->at. */
static int follow(struct walk *w, const char *rest, char **ret)
{
	char target[PATH_MAX], full[PATH_MAX];
	if ((size_t)snprintf(full, sizeof(full), "%s%s", w->at.dir, w->at.path) >= sizeof(full))
		return -ENAMETOOLONG;
	ssize_t n = readlink(full, target, sizeof(target) - 1);
	if (n <= 0)
		return n < 0 ? -errno : -ENOENT;
	target[n] = '\0';
	*ret = target[0] == '/' ? arena_printf(w->a, "%s/%s", target, rest)
				: arena_printf(w->a, "%s/%s/%s", w->here, target, rest);
	return *ret && strlen(*ret) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* "/a/b" of "/a/b/c", "" of "/a". */
static char *parent_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	return arena_dupn(a, path, slash ? (size_t)(slash - path) : 0);
}

int host_stack_find(
	struct arena *a, const struct host_stack *s, const char *path, struct host_stack_found *ret)
{
	struct walk w = {.a = a, .s = s, .alive = arena_alloc(a, (s->dirs.n + 1) * sizeof(size_t))};
	char *todo = arena_dup(a, path);
	int links = 0, steps = 0;
	if (!s->dirs.n)
		return -ENOENT;
	if (!w.alive || !todo)
		return -ENOMEM;
	begin(&w);
	for (char *p = todo;;) {
		p += strspn(p, "/");
		size_t n = strcspn(p, "/");
		if (n == 0)
			break;
		if (!S_ISDIR(w.at.st.st_mode))
			return -ENOTDIR;
		/* each ".." walks anew: the links of a stranger's must not make that endless */
		if (++steps > STEPS_MAX)
			return -ELOOP;
		if (n == 1 && p[0] == '.') {
			p += n;
			continue;
		}
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			/* no link is in what was walked so far */
			todo = p = arena_printf(a, "%s/%s", parent_of(a, w.here), p + n);
			begin(&w);
			if (!p)
				return -ENOMEM;
			continue;
		}
		char *next = arena_printf(a, "%s/%.*s", w.here, (int)n, p);
		int r = next ? look(&w, next) : -ENOMEM;
		if (r < 0)
			return r;
		p += n;
		if (S_ISLNK(w.at.st.st_mode)) {
			r = ++links > LINKS_MAX ? -ELOOP : follow(&w, p, &todo);
			if (r < 0)
				return r;
			p = todo;
			begin(&w);
			continue;
		}
		w.here = next;
	}
	if (a->failed)
		return -ENOMEM;
	*ret = w.at;
	return 0;
}

char *host_stack_place(struct arena *a, const struct host_stack *s, const char *path)
{
	struct host_stack_found f = {0};
	size_t n = (size_t)(strrchr(path, '/') - path);
	int r = -ENOENT;
	/* the longest part of the directory that there is */
	while (n && r == -ENOENT) {
		char *part = arena_dupn(a, path, n);
		r = part ? host_stack_find(a, s, part, &f) : -ENOMEM;
		for (; r == -ENOENT && n && path[n - 1] != '/'; n--)
			;
		n -= r == -ENOENT && n;
	}
	if (n == 0)
		return arena_dup(a, path);
	if (r < 0 || !S_ISDIR(f.st.st_mode))
		return NULL;
	return arena_printf(a, "%s%s", f.path, path + n);
}

/* Is there nothing but directories in seed on the way to path, or nothing at all?  Links that bawn
 * itself has put there lead out of it. */
static bool is_clear(struct arena *a, const char *seed, const char *path)
{
	struct stat st;
	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		char *part = arena_printf(a, "%s%.*s", seed, (int)(p - path), path);
		if (!part || (lstat(part, &st) == 0 && !S_ISDIR(st.st_mode)))
			return false;
	}
	return true;
}

char *host_stack_seed(
	struct arena *a, const struct host_stack *s, const char *seed, const char *path)
{
	char *inside = host_stack_place(a, s, path);
	char *to = inside && is_clear(a, seed, inside) ? arena_printf(a, "%s%s", seed, inside)
						       : NULL;
	char *dir = to ? arena_dupn(a, to, (size_t)(strrchr(to, '/') - to)) : NULL;
	return dir && file_mkdir_p(AT_FDCWD, dir, 0755) == 0 ? to : NULL;
}

int host_stack_open(const struct host_stack_found *f)
{
	_cleanup_close_ int layer = open(f->dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (layer < 0 || !f->path[0])
		return layer < 0 ? -errno : -EINVAL;
	const bool anywhere = GUARD_REMOVED("stack-beneath");
	return path_openat2(layer, f->path + 1, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
		anywhere ? 0 : SAFE);
}

ssize_t host_stack_read(struct arena *a, const struct host_stack_found *f, size_t max, char **ret)
{
	struct stat st;
	_cleanup_close_ int fd = host_stack_open(f);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	char *text = arena_alloc(a, (size_t)st.st_size + 1);
	ssize_t n = text ? fd_pread_full(fd, text, (size_t)st.st_size, 0) : -ENOMEM;
	if (n < 0)
		return n;
	text[n] = '\0';
	*ret = text;
	return n;
}
