/* scan/end-packages.c - the end: code that no one reads before it runs (see scanner.h)
 *
 * Owns: what changed below node_modules, site-packages, __pycache__ and the like.  Must not: say
 * which file it was; an installation changes thousands.
 *
 * Theory: git ignores these directories, so nothing that a person looks at shows that a file in
 * them is another one; and the host runs them as the project's own.  They are not in the table
 * (walk.c leaves them out, or has their candidates alone), so each is walked whole, once, and told
 * of in one line.  A file that is moved here with its directory keeps its ctime, but that directory
 * does not.
 */
#include "scan/scanner.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "scan/par.h"
#include "scan/persist.h"

#define ENTRIES_MAX 1500000u /* of all together, some seconds; more than that is said */
#define PARTS_MAX 20000u
#define DEPTH_MAX 64 /* two threads hold so many directories open: jail.c */

/* What is walked in one go, by one of two threads: a package, or what lies beside them. */
struct part {
	const char *path;
	uint32_t n;  /* changes */
	bool python; /* may hold compiled Python */
	bool told;   /* there is something to be named */
	bool cut;    /* not all of it was looked at */
};

static _Atomic uint32_t looked_at;

struct tally {
	struct scanner *s;
	struct part *part;
	bool tell;                           /* in a second walk, by one thread */
	char path[PATH_MAX], repo[PATH_MAX]; /* the last that was told of */
};

/* Code that says of itself that its source is not to be looked at (PEP 552: by hash, unchecked).
 * Python writes such files only when it is told to. */
static bool unchecked(int dir, const char *name, const struct stat *st)
{
	unsigned char head[8] = {0};
	size_t n = strlen(name);
	if (n < 5 || !streq(name + n - 4, ".pyc") || !S_ISREG(st->st_mode))
		return false;
	int fd = walk_open(dir, name, O_RDONLY);
	ssize_t got = fd < 0 ? fd : fd_pread_full(fd, head, sizeof(head), 0);
	if (fd >= 0)
		close(fd);
	return got > 0 && persist_pyc_runs("__pycache__/x", head, (size_t)got);
}

static bool there_is(int dir, const char *name)
{
	struct stat st;
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* How much of path names the repository that the file is one of, and for which it decides what git
 * runs; 0: none.  Without a .git, git takes a directory for one by what lies in it. */
static size_t repository(const struct tally *t, int dir, const char *name)
{
	static const char *const decide[] = {"HEAD", "config", "config.worktree", "commondir"};
	const size_t n = strlen(t->path), k = strlen(name);
	const char *git = strstr(t->path, "/.git/"), *hooks = "/hooks";
	bool decides = false;
	if (streq(name, ".git"))
		return n;
	for (size_t i = 0; i < ARRAY_LEN(decide); i++)
		decides |= streq(name, decide[i]);
	if (!decides) {
		const size_t h = strlen(hooks);
		if ((k > 7 && streq(name + k - 7, ".sample")) || n < h + k + 1 ||
			memcmp(t->path + n - k - 1 - h, hooks, h) != 0 || !there_is(dir, "../HEAD"))
			return 0;
		return git ? (size_t)(git - t->path) + 5 : n - k - 1 - h;
	}
	if (git)
		return (size_t)(git - t->path) + 5;
	if (!there_is(dir, "HEAD") ||
		!(there_is(dir, "commondir") ||
			(there_is(dir, "objects") && there_is(dir, "refs"))))
		return 0;
	return n - k - 1;
}

/* What stands out among a thousand changes of an installation. */
static void tell(struct tally *t, int dir, const char *name, const struct stat *st)
{
	const size_t n = repository(t, dir, name);
	if (n) {
		t->part->told = true;
		/* once, whatever there is of it */
		if (!t->tell || (strlen(t->repo) == n && memcmp(t->repo, t->path, n) == 0))
			return;
		snprintf(t->repo, sizeof(t->repo), "%.*s", (int)n, t->path);
		scan_emit_persist(t->s, t->repo,
			S_ISREG(st->st_mode) && n == strlen(t->path) ? SCAN_FILE : SCAN_DIR, 5,
			SCAN_AUTO, "a git repository among packages");
	} else if (t->part->python && unchecked(dir, name, st)) {
		t->part->told = true;
		if (t->tell)
			scan_emit_persist(t->s, t->path, SCAN_FILE, 16, SCAN_AUTO,
				"compiled Python that runs whatever its source says");
	}
}

static void walk_dir(struct tally *t, int fd, size_t len, int depth, bool deep);

static void walk_one(struct tally *t, int dir, const char *name, size_t len, int depth, bool deep)
{
	struct stat st;
	size_t n = strlen(name);
	if (len + n + 2 > sizeof(t->path)) {
		t->part->cut = true;
		return;
	}
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	t->path[len] = '/';
	memcpy(t->path + len + 1, name, n + 1);
	if (scan_since(t->s, &st)) {
		t->part->n++;
		tell(t, dir, name, &st);
	}
	if (deep && S_ISDIR(st.st_mode)) {
		int fd = depth < DEPTH_MAX ? walk_open(dir, name, O_RDONLY | O_DIRECTORY) : -ELOOP;
		if (fd >= 0)
			walk_dir(t, fd, len + 1 + n, depth + 1, deep);
		else
			t->part->cut = true;
	}
	t->path[len] = '\0';
}

/* Takes fd. */
static void walk_dir(struct tally *t, int fd, size_t len, int depth, bool deep)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	if (!d) {
		close(fd);
		return;
	}
	while ((e = readdir(d))) {
		if (streq(e->d_name, ".") || streq(e->d_name, ".."))
			continue;
		if (looked_at++ >= ENTRIES_MAX) {
			t->part->cut = true;
			break;
		}
		walk_one(t, dirfd(d), e->d_name, len, depth, deep);
	}
	closedir(d);
}

/* deep: with all below it. */
static void walk_part(struct scanner *s, struct part *p, bool deep, bool tell)
{
	struct tally t = {.s = s, .part = p, .tell = tell};
	size_t len = strlen(p->path);
	int fd = len < sizeof(t.path) ? walk_open(s->base[0].fd, p->path, O_RDONLY | O_DIRECTORY)
				      : -ENAMETOOLONG;
	p->cut |= fd == -EACCES;
	if (fd < 0)
		return;
	memcpy(t.path, p->path, len + 1);
	p->n = 0;
	walk_dir(&t, fd, len, 0, deep);
}

struct parts {
	struct scanner *s;
	struct part *v;
	uint32_t n;
	size_t cap;
};

static struct part *add(struct parts *x, const char *path, bool python)
{
	if (x->n == PARTS_MAX)
		return NULL;
	struct part *v = arena_grow(&x->s->arena, x->v, x->n, &x->cap, sizeof(*v));
	if (!v)
		return NULL;
	x->v = v;
	v[x->n] = (struct part){.path = path, .python = python};
	return &v[x->n++];
}

static void walk_parts(void *ctx, uint32_t begin, uint32_t end)
{
	struct parts *x = ctx;
	for (uint32_t i = begin; i < end; i++)
		walk_part(x->s, &x->v[i], true, false);
}

/* The directories in one, each a part; 1 where the directory itself or what else is in it changed.
 */
static uint32_t split(struct parts *x, const char *top, bool python, bool *cut)
{
	struct scanner *s = x->s;
	struct part own = {.path = top, .python = python};
	struct stat st;
	struct dirent *e;
	int fd = walk_open(s->base[0].fd, top, O_RDONLY | O_DIRECTORY);
	bool since = fd >= 0 && fstat(fd, &st) == 0 && scan_since(s, &st);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		*cut |= fd == -EACCES;
		return 0;
	}
	while ((e = readdir(d))) {
		if (e->d_type != DT_DIR || streq(e->d_name, ".") || streq(e->d_name, ".."))
			continue;
		char *path = path_join(&s->arena, top, e->d_name);
		if (path && !add(x, path, python))
			break;
	}
	closedir(d);
	walk_part(s, &own, false, true);
	*cut |= own.cut;
	return own.n + since;
}

static uint32_t tally(struct scanner *s, const char *top, bool python)
{
	struct parts x = {.s = s};
	bool cut = false;
	uint32_t n = split(&x, top, python, &cut);
	cut |= x.n == PARTS_MAX;
	par_run(walk_parts, &x, x.n);
	for (uint32_t i = 0; i < x.n; i++) {
		n += x.v[i].n;
		cut |= x.v[i].cut;
		if (x.v[i].told)
			walk_part(s, &x.v[i], true, true);
	}
	if (cut)
		scan_emit_persist(
			s, top, SCAN_DIR, 15, 0, "more code of packages than is looked at");
	return n;
}

static const char *counted(struct scanner *s, const char *what, uint32_t n)
{
	return arena_printf(&s->arena, "%s: %u %s", what, n, n == 1 ? "change" : "changes");
}

/* All __pycache__ together are one line: wherever Python runs, it makes them. */
struct compiled {
	const char *first;
	uint32_t n;
};

static void pruned(struct scanner *s, const char *path, struct compiled *c)
{
	bool python = streq(path_base(path), "__pycache__");
	uint32_t n = tally(s, path, python);
	if (n && !python)
		scan_emit_persist(s, path, SCAN_DIR, 15, 0, counted(s, "code of packages", n));
	if (!n || !python)
		return;
	if (!c->first)
		c->first = path;
	c->n += n;
}

/* Directories of code that other programs put there and run, and that git mostly ignores; a walk
 * for masks goes through them, so they are in the table. */
static bool holds_code(struct scanner *s, const char *path)
{
	static const struct {
		const char *end;    /* of the path */
		const char *beside; /* what there is next to it, where the name alone says little */
		bool within;        /* or in it */
	} dirs[] = {{"site-packages", NULL, false}, {"_opam", NULL, false},
		{".terraform", NULL, false}, {".devbox", NULL, false}, {".devenv", NULL, false},
		{"__pypackages__", NULL, false}, {".eggs", NULL, false},
		{"bower_components", NULL, false}, {"jspm_packages", NULL, false},
		{"lua_modules", NULL, false}, {".luarocks", NULL, false}, {".qlot", NULL, false},
		{"vendor/bundle", NULL, false}, {"local/lib/perl5", NULL, false},
		{"deps", "mix.exs", false}, {"vendor", "autoload.php", true}};
	const size_t n = strlen(path);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		const size_t k = strlen(dirs[i].end);
		struct stat st;
		if (n < k || !streq(path + n - k, dirs[i].end) || (n > k && path[n - k - 1] != '/'))
			continue;
		if (!dirs[i].beside)
			return true;
		const char *up = arena_dupn(&s->arena, path, dirs[i].within ? n : n - k);
		const char *file = up ? path_join(&s->arena, *up ? up : ".", dirs[i].beside) : NULL;
		return file && fstatat(s->base[0].fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0;
	}
	return false;
}

/* What lies beside a pyvenv.cfg, or conda's notes, whatever the environment is called. */
static void environment(struct scanner *s, const char *dir)
{
	const char *bin = dir && *dir ? path_join(&s->arena, dir, "bin") : dir ? "bin" : NULL;
	struct part own = {.path = bin};
	if (!bin || persist_dir("bin", path_base(dir)))
		return; /* listed by its name */
	walk_part(s, &own, false, false);
	if (own.n || own.cut)
		scan_emit_persist(s, bin, SCAN_DIR, 16, 0,
			own.cut ? "programs of a python environment that can't be looked at"
				: counted(s, "programs of a python environment", own.n));
}

void scan_end_packages(struct scanner *s)
{
	const struct table *t = &s->walk.now;
	struct compiled c = {0};
	char path[PATH_MAX];
	looked_at = 0;
	if (GUARD_REMOVED("packages"))
		return;
	for (uint32_t i = 0; i < t->n_dirs; i++) {
		const struct dir *d = &t->dirs[i];
		const char *own = t->pool + d->path;
		const char *base = path_base(own);
		bool site = streq(base, "site-packages");
		uint32_t n = holds_code(s, own) ? tally(s, own, site) : 0;
		if (n)
			scan_emit_persist(s, own, SCAN_DIR, site ? 16 : 15, 0,
				counted(s, "code of packages", n));
		if (streq(base, "conda-meta"))
			environment(s, base == own ? "" : path_parent(&s->arena, own));
		for (uint32_t k = d->first; k < d->first + d->n; k++) {
			char *copy;
			if (streq(t->pool + t->cands[k].name, "pyvenv.cfg"))
				environment(s, own);
			if ((t->cands[k].flags & CAND_PRUNED) &&
				walk_path(t, d, &t->cands[k], path) &&
				(copy = arena_dup(&s->arena, path)))
				pruned(s, copy, &c);
		}
	}
	if (c.first)
		scan_emit_persist(s, c.first, SCAN_DIR, 16, 0,
			counted(s,
				"compiled Python, here and elsewhere, which runs in its source's "
				"place",
				c.n));
}
