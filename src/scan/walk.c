/* scan/walk.c - see walk.h
 *
 * Directories are opened by their path from the root, without following any link; so depth costs
 * neither descriptors nor an open directory stream, and a path that is too long to be named is
 * where the walk ends (reported).  Recursion goes one level per component, at most PATH_MAX / 2.
 */
#include "scan/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <time.h>

#include "base/dir-record.h"
#include "base/path.h"
#include "scan/par.h"
#include "scan/persist.h"

#define RACY_NS 20000000 /* two ticks of the coarsest clock a file system stamps with */

/* An entry of the directory that is being listed; kept on one growing stack across the recursion.
 */
struct entry {
	uint32_t name; /* in names */
	uint32_t flags;
	uint16_t per;
	uint8_t type;
	bool dir; /* walk into it */
	bool keep;
};

/* What visit() says of a directory of the user's that could not be listed: the one that it is in
 * must not be taken from the cache, where nothing would be known of it. */
enum { LEFT_OUT = 1 };

struct lister {
	struct walk *w;
	char *names;
	size_t n_names, cap_names;
	struct entry *ents;
	size_t n_ents, cap_ents;
	unsigned char *changed; /* per old directory: 1 to be listed again */
	int64_t racy_after;
	char path[PATH_MAX];
	size_t len;
	_Alignas(8) char buf[65536];
};

int walk_open(int root, const char *path, int flags)
{
	/* openat2(2) refuses O_PATH together with flags that mean nothing to it */
	flags |= O_CLOEXEC | O_NOFOLLOW | (flags & O_PATH ? 0 : O_NONBLOCK | O_NOCTTY);
	return path_openat2(root, *path ? path : ".", (unsigned int)flags, 0,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

bool walk_path(const struct table *t, const struct dir *d, const struct cand *c, char *buf)
{
	const char *dir = t->pool + d->path, *name = t->pool + c->name;
	size_t n = strlen(dir), k = strlen(name), sep = n ? 1 : 0;
	if (n + sep + k >= PATH_MAX)
		return false;
	memcpy(buf, dir, n);
	buf[n] = '/';
	memcpy(buf + n + sep, name, k + 1);
	return true;
}

static int64_t ns(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int cmp_name(const char *names, const struct entry *a, const struct entry *b)
{
	return strcmp(names + a->name, names + b->name);
}

static int by_name(const void *x, const void *y, void *names)
{
	return cmp_name(names, x, y);
}

static uint8_t type_of(mode_t m)
{
	return (uint8_t)IFTODT(m);
}

/* Names under which private keys are kept, and names that say nothing.  Everything else is only
 * masked by a pattern. */
static bool may_hold_key(const char *s)
{
	static const char *const exts[] = {"pem", "key", "p8", "pk8", "pkcs8", "ppk", "crt", "cer",
		"rsa", "dsa", "ecdsa", "ed25519", "openssh", "ssh", "ovpn", "asc", "bak", "old",
		"orig", "save"};
	static const char *const plain[] = {"Makefile", "Dockerfile", "LICENSE", "README",
		"Kconfig", "Kbuild", "COPYING", "AUTHORS", "CHANGELOG", "INSTALL", "NEWS", "TODO",
		"VERSION", "CODEOWNERS", "Gemfile", "Rakefile", "Procfile", "configure", "BUILD",
		"OWNERS", "NOTICE", "gradlew", "mvnw", "makefile", "Jenkinsfile", "Vagrantfile"};
	static const char *const words[] = {"key", "cred", "secret", "private", "token", "cert",
		"passw", "gcp", "firebase", "account", "backup"};
	const char *dot = strrchr(s, '.');
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasestr(s, words[i]) && !(dot && streq(dot, ".pub")))
			return true;
	if (has_prefix(s, "id_") || has_prefix(s, "ssh_host_"))
		return !(dot && streq(dot, ".pub"));
	if (!dot || dot == s) {
		for (size_t i = 0; i < ARRAY_LEN(plain); i++)
			if (streq(s, plain[i]))
				return false;
		return !dot;
	}
	for (size_t i = 0; i < ARRAY_LEN(exts); i++)
		if (strcasecmp(dot + 1, exts[i]) == 0)
			return true;
	return false;
}

/* Files that are there to show what a secret file looks like. */
static bool example_like(const char *s)
{
	static const char *const words[] = {"example", "sample", "template", "tmpl", "tpl", "dist",
		"default", "defaults", "schema"};
	while (*s) {
		size_t n = strcspn(s, ".-_");
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (n == strlen(words[i]) && strncasecmp(s, words[i], n) == 0)
				return true;
		s += n + (s[n] != '\0');
	}
	return false;
}

static bool pruned(const char *name)
{
	return streq(name, "node_modules") || streq(name, "__pycache__");
}

/* l->path holds the directory's path, l->len its length; put "/name" behind it for a moment. */
static bool push_name(struct lister *l, const char *name, size_t *ret_old)
{
	size_t n = strlen(name), sep = l->len ? 1 : 0;
	*ret_old = l->len;
	if (l->len + sep + n > l->w->max_path || l->len + sep + n + 1 >= sizeof(l->path))
		return false;
	if (sep)
		l->path[l->len] = '/';
	memcpy(l->path + l->len + sep, name, n + 1);
	l->len += sep + n;
	return true;
}

static void pop_name(struct lister *l, size_t old)
{
	l->len = old;
	l->path[old] = '\0';
}

static void classify(struct lister *l, struct entry *e, const char *name, uint32_t ctx)
{
	const struct walk *w = l->w;
	bool dir = e->type == DT_DIR, literal = false, root = l->len == 0;
	size_t old;
	if (!push_name(l, name, &old)) {
		if (dir && w->limit)
			w->limit(w->ctx, l->path, "a path below it is too long");
		e->keep = e->dir = false;
		return;
	}
	if (dir && streq(name, ".git")) {
		e->flags = CAND_GIT;
		goto out;
	}
	if ((e->type == DT_REG || e->type == DT_LNK) && streq(name, ".git"))
		e->flags |= CAND_GIT;
	if ((ctx & DIR_MASKED) ||
		(w->mask.n && glob_set_match(&w->mask, l->path, dir, &literal) &&
			(literal || !example_like(name))))
		e->flags |= CAND_MASK | (literal ? CAND_LITERAL : 0);
	if (w->protect.n && glob_set_match(&w->protect, l->path, dir, NULL))
		e->flags |= CAND_PROTECT;
	if (dir) {
		if (pruned(name))
			e->flags |= CAND_PRUNED;
		e->dir = !(e->flags & CAND_PRUNED);
		goto out;
	}
	if (e->type == DT_SOCK || e->type == DT_FIFO || e->type == DT_BLK || e->type == DT_CHR)
		e->flags |= CAND_SPECIAL;
	if (e->type == DT_REG && !(e->flags & CAND_MASK) && may_hold_key(name))
		e->flags |= CAND_CONTENT;
	if (e->type == DT_REG || e->type == DT_LNK) {
		e->per = ctx & 0xffff ? (uint16_t)ctx : persist_file(name, root);
		e->flags |= e->per ? CAND_PERSIST : 0;
	}
out:
	e->keep = e->flags != 0;
	pop_name(l, old);
}

static struct entry *new_entry(struct lister *l, const char *name)
{
	size_t n = strlen(name) + 1;
	if (l->cap_names - l->n_names < n) {
		size_t cap = MAX(l->cap_names * 2, l->n_names + n + 8192);
		char *p = cap < UINT32_MAX ? first_grow(l->names, l->cap_names, cap) : NULL;
		if (!p)
			return NULL;
		l->names = p;
		l->cap_names = cap;
	}
	if (l->n_ents == l->cap_ents) {
		size_t cap = MAX(l->cap_ents * 2, (size_t)256);
		struct entry *p = first_grow(l->ents, l->cap_ents * sizeof(*p), cap * sizeof(*p));
		if (!p)
			return NULL;
		l->ents = p;
		l->cap_ents = cap;
	}
	struct entry *e = &l->ents[l->n_ents++];
	*e = (struct entry){.name = (uint32_t)l->n_names};
	memcpy(l->names + l->n_names, name, n);
	l->n_names += n;
	return e;
}

/* Drop the entry that was just made, when nothing has to be remembered of it. */
static void drop_entry(struct lister *l)
{
	l->n_ents--;
	l->n_names = l->ents[l->n_ents].name;
}

/* The candidate of that name in a directory of the last table; they are in order of name. */
static const struct cand *was_here(const struct walk *w, uint32_t old, const char *name)
{
	if (old == UINT32_MAX)
		return NULL;
	const struct table *t = &w->old;
	const struct dir *d = &t->dirs[old];
	for (uint32_t lo = 0, hi = d->n; lo < hi;) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = strcmp(t->pool + t->cands[d->first + mid].name, name);
		if (c == 0)
			return &t->cands[d->first + mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static void look_fresh(struct lister *l, int fd, const char *name, bool known)
{
	struct stat st;
	size_t old;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || ns(st.st_ctim) < l->w->since)
		return;
	if (push_name(l, name, &old)) {
		l->w->fresh(l->w->ctx, l->path, &st, known);
		pop_name(l, old);
	}
}

struct listing {
	uint32_t files;
	unsigned int bare; /* bits: HEAD, objects, refs, commondir */
};

static void note_bare(struct listing *g, const char *name, uint8_t type)
{
	if (streq(name, "HEAD") && (type == DT_REG || type == DT_LNK))
		g->bare |= 1;
	else if (streq(name, "objects") && (type == DT_DIR || type == DT_LNK))
		g->bare |= 2;
	else if (streq(name, "refs") && (type == DT_DIR || type == DT_LNK))
		g->bare |= 4;
	else if (streq(name, "commondir") && (type == DT_REG || type == DT_LNK))
		g->bare |= 8;
}

/* As git sees it (setup.c, is_git_directory): links will do, and with a commondir all but HEAD is
 * somewhere else. */
static bool looks_bare(const struct listing *g)
{
	return (g->bare & 7) == 7 || (g->bare & 9) == 9;
}

/* Read the entries of fd onto the stack. */
static int list(struct lister *l, int fd, uint32_t ctx, bool fresh, uint32_t old, struct listing *g)
{
	ssize_t n;
	while ((n = dir_records(fd, l->buf, sizeof(l->buf))) > 0) {
		for (ssize_t o = 0; o < n;) {
			const struct dir_record *d = (const struct dir_record *)(l->buf + o);
			o += d->d_reclen;
			if (streq(d->d_name, ".") || streq(d->d_name, ".."))
				continue;
			struct entry *e = new_entry(l, d->d_name);
			if (!e)
				return -ENOMEM;
			e->type = d->d_type;
			struct stat st;
			if (e->type == DT_UNKNOWN &&
				fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
				e->type = type_of(st.st_mode);
			g->files += e->type != DT_DIR;
			note_bare(g, d->d_name, e->type);
			classify(l, e, d->d_name, ctx);
			if (fresh && e->type != DT_DIR)
				look_fresh(
					l, fd, d->d_name, was_here(l->w, old, d->d_name) != NULL);
			if (!e->keep && !e->dir)
				drop_entry(l);
		}
	}
	return n < 0 ? -errno : 0;
}

/* Candidates of the entries since mark into the table, in order of name. */
static int store_cands(struct lister *l, size_t mark, uint32_t at, uint32_t old)
{
	struct table *t = &l->w->now;
	t->dirs[at].first = t->n_cands;
	for (size_t i = mark; i < l->n_ents; i++) {
		struct entry *e = &l->ents[i];
		if (!e->keep)
			continue;
		const char *name = l->names + e->name;
		uint32_t s = table_string(t, name, strlen(name));
		struct cand *c = s == UINT32_MAX ? NULL : table_cand(t);
		if (!c)
			return -ENOMEM;
		const struct cand *was = was_here(l->w, old, name);
		c->name = s;
		c->flags = e->flags | (was ? was->flags & CAND_SHUT : 0);
		c->per = e->per;
		c->type = e->type;
	}
	t->dirs[at].n = t->n_cands - t->dirs[at].first;
	return 0;
}

static uint32_t begin_dir(struct lister *l, const struct stat *st, uint32_t files, uint32_t ctx)
{
	struct table *t = &l->w->now;
	uint32_t s = table_string(t, l->path, l->len);
	struct dir *d = s == UINT32_MAX ? NULL : table_dir(t);
	if (!d)
		return UINT32_MAX;
	d->path = s;
	d->files = files;
	d->ctx = ctx;
	d->ctime = ns(st->st_ctim);
	d->mtime = ns(st->st_mtim);
	d->ino = d->ctime >= l->racy_after ? 0 : st->st_ino;
	return t->n_dirs - 1;
}

static int set_origin(struct walk *w, uint32_t at, uint32_t old)
{
	if ((at & (at + 1)) == 0) { /* 0, 1, 3, 7, ...: grow by doubling */
		uint32_t *p = realloc(w->origin, ((size_t)at + 1) * 2 * sizeof(*p));
		if (!p)
			return -ENOMEM;
		w->origin = p;
	}
	w->origin[at] = old;
	return 0;
}

static int visit(struct lister *l, uint32_t old, uint32_t ctx);

static uint32_t ctx_below(struct lister *l, const char *name, uint32_t ctx, bool masked)
{
	uint32_t bits = (ctx & DIR_MASKED) | (masked ? DIR_MASKED : 0);
	ctx &= 0xffff;
	if (l->w->hooks_path && path_within(l->path, l->w->hooks_path))
		return bits | persist_hooks_path();
	if (ctx)
		return bits | ctx;
	/* l->path is the subdirectory itself: its parent's name stands before the last slash */
	char parent[NAME_MAX + 1] = "";
	const char *slash = strrchr(l->path, '/');
	if (slash) {
		const char *p = slash;
		while (p > l->path && p[-1] != '/')
			p--;
		if ((size_t)(slash - p) < sizeof(parent))
			snprintf(parent, sizeof(parent), "%.*s", (int)(slash - p), p);
	}
	return bits | persist_dir(name, parent);
}

/* The subdirectories among the entries since mark; both lists are sorted by name. */
static int visit_subdirs(struct lister *l, size_t mark, uint32_t at, uint32_t old, uint32_t ctx)
{
	const struct table *t = &l->w->old;
	uint32_t child = old == UINT32_MAX ? 0 : old + 1;
	uint32_t end = old == UINT32_MAX ? 0 : t->dirs[old].end;
	size_t stop = l->n_ents;
	for (size_t i = mark; i < stop; i++) {
		if (!l->ents[i].dir)
			continue;
		char name[NAME_MAX + 1];
		snprintf(name, sizeof(name), "%s", l->names + l->ents[i].name);
		size_t saved;
		if (!push_name(l, name, &saved))
			continue;
		while (child < end && strcmp(t->pool + t->dirs[child].path, l->path) < 0)
			child = t->dirs[child].end;
		uint32_t same = child < end && streq(t->pool + t->dirs[child].path, l->path)
			? child
			: UINT32_MAX;
		bool masked = l->ents[i].flags & CAND_MASK;
		int r = visit(l, same, ctx_below(l, name, ctx, masked));
		pop_name(l, saved);
		if (r < 0)
			return r;
		if (r == LEFT_OUT)
			l->w->now.dirs[at].ino = 0;
	}
	return 0;
}

/* The record of a directory of the last table, with its candidates; *ret is its number now. */
static int copy_dir(struct lister *l, uint32_t old, uint32_t *ret)
{
	struct walk *w = l->w;
	const struct table *t = &w->old;
	const struct dir *d = &t->dirs[old];
	struct stat st = {.st_ino = d->ino};
	uint32_t at = begin_dir(l, &st, d->files, d->ctx);
	if (at == UINT32_MAX || set_origin(w, at, old) < 0)
		return -ENOMEM;
	w->now.dirs[at].ino = d->ino;
	w->now.dirs[at].ctime = d->ctime;
	w->now.dirs[at].mtime = d->mtime;
	w->now.dirs[at].first = w->now.n_cands;
	w->now.dirs[at].n = d->n;
	for (uint32_t i = 0; i < d->n; i++) {
		const struct cand *from = &t->cands[d->first + i];
		const char *name = t->pool + from->name;
		uint32_t s = table_string(&w->now, name, strlen(name));
		struct cand *c = s == UINT32_MAX ? NULL : table_cand(&w->now);
		if (!c)
			return -ENOMEM;
		*c = *from;
		c->name = s;
	}
	*ret = at;
	return 0;
}

/* A directory that is as it was: copy its record, then its subdirectories. */
static int reuse(struct lister *l, uint32_t old)
{
	struct walk *w = l->w;
	const struct table *t = &w->old;
	const struct dir *d = &t->dirs[old];
	uint32_t at;
	int copied = copy_dir(l, old, &at);
	if (copied < 0)
		return copied;
	for (uint32_t k = old + 1; k < d->end; k = t->dirs[k].end) {
		const char *name = path_base(t->pool + t->dirs[k].path);
		size_t saved;
		if (!push_name(l, name, &saved))
			continue;
		int r = visit(l, k, t->dirs[k].ctx & ~DIR_BARE);
		pop_name(l, saved);
		if (r < 0)
			return r;
		if (r == LEFT_OUT)
			w->now.dirs[at].ino = 0;
	}
	w->now.dirs[at].end = w->now.n_dirs;
	return 0;
}

/* What was known of a directory that can't be listed now, and of all below it: to be listed again
 * as soon as that is possible, and what was masked there is to be known then. */
static int keep(struct lister *l, uint32_t old)
{
	const struct table *t = &l->w->old;
	uint32_t at;
	int r = copy_dir(l, old, &at);
	for (uint32_t k = old + 1; r == 0 && k < t->dirs[old].end; k = t->dirs[k].end) {
		size_t saved;
		if (!push_name(l, path_base(t->pool + t->dirs[k].path), &saved))
			continue;
		r = keep(l, k);
		pop_name(l, saved);
	}
	if (r < 0)
		return r;
	struct dir *d = &l->w->now.dirs[at];
	d->ino = 0;
	d->ctx &= ~DIR_BARE;
	d->end = l->w->now.n_dirs;
	for (uint32_t i = 0; i < d->n; i++)
		l->w->now.cands[d->first + i].flags &= CAND_SHUT;
	return 0;
}

/* What is in somebody else's directory, shut to the user, is so to whoever is inside as well; so is
 * what not even root may look at, as a mount point of FUSE. */
static bool can_hide(const struct walk *w, const char *path)
{
	struct stat st;
	return fstatat(w->root, *path ? path : ".", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		st.st_uid == w->uid;
}

static int visit_listed(struct lister *l, uint32_t old, uint32_t ctx)
{
	struct walk *w = l->w;
	struct stat st;
	struct listing g = {0};
	int fd = walk_open(w->root, l->path, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		const bool hides = can_hide(w, l->path);
		if (fd == -EACCES && w->limit && hides)
			w->limit(w->ctx, l->path, WALK_SHUT);
		if (fd >= 0)
			close(fd);
		if (l->len == 0)
			return fd < 0 ? fd : -EIO;
		int kept = fd == -EACCES && hides && old != UINT32_MAX ? keep(l, old) : 0;
		return kept < 0 || !hides ? kept : LEFT_OUT;
	}
	/* Another directory in its place: what is in it is new here, however old its files are. */
	if (old != UINT32_MAX && w->old.dirs[old].ino && w->old.dirs[old].ino != st.st_ino)
		old = UINT32_MAX;
	size_t mark = l->n_ents, names = l->n_names;
	bool changed = w->fresh && (w->full || ns(st.st_ctim) >= w->since);
	if (changed && ns(st.st_ctim) >= w->since)
		w->fresh(w->ctx, l->path, &st, old != UINT32_MAX);
	int r = list(l, fd, ctx, changed, old, &g);
	close(fd);
	if (r == 0)
		qsort_r(l->ents + mark, l->n_ents - mark, sizeof(*l->ents), by_name, l->names);
	uint32_t bare = looks_bare(&g) && l->len ? DIR_BARE : 0;
	uint32_t at = r == 0 ? begin_dir(l, &st, g.files, ctx | bare) : UINT32_MAX;
	if (r == 0 && (at == UINT32_MAX || set_origin(w, at, old) < 0))
		r = -ENOMEM;
	if (r == 0)
		r = store_cands(l, mark, at, old);
	if (r == 0)
		r = visit_subdirs(l, mark, at, old, ctx);
	if (r == 0)
		w->now.dirs[at].end = w->now.n_dirs;
	l->n_ents = mark;
	l->n_names = names;
	return r;
}

static int visit(struct lister *l, uint32_t old, uint32_t ctx)
{
	if (old != UINT32_MAX && !l->changed[old] && (l->w->old.dirs[old].ctx & ~DIR_BARE) == ctx)
		return reuse(l, old);
	return visit_listed(l, old, ctx);
}

static void check_range(void *ctx, uint32_t begin, uint32_t end)
{
	struct lister *l = ctx;
	struct walk *w = l->w;
	const struct table *t = &w->old;
	for (uint32_t i = begin; i < end; i++) {
		const struct dir *d = &t->dirs[i];
		const char *path = t->pool + d->path;
		struct stat st;
		if (w->full || fstatat(w->root, *path ? path : ".", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISDIR(st.st_mode) || st.st_ino != d->ino || ns(st.st_ctim) != d->ctime ||
			ns(st.st_mtim) != d->mtime)
			l->changed[i] = 1;
	}
}

/* One stat per directory of the cache.  true when none has changed. */
static bool check_old(struct lister *l)
{
	par_run(check_range, l, l->w->old.n_dirs);
	return !memchr(l->changed, 1, l->w->old.n_dirs);
}

/* The context of directories depends on core.hooksPath, which is no part of the cache's key. */
static bool same_hooks(const struct walk *w)
{
	for (uint32_t i = 0; i < w->old.n_dirs; i++) {
		const struct dir *d = &w->old.dirs[i];
		const char *path = w->old.pool + d->path;
		bool is = w->hooks_path && *path && path_within(path, w->hooks_path);
		if (is != ((uint16_t)d->ctx == persist_hooks_path()))
			return false;
	}
	return true;
}

int walk_run(struct walk *w)
{
	struct timespec now;
	struct lister *l = first_calloc(sizeof(*l));
	if (!l)
		return -ENOMEM;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	l->w = w;
	l->racy_after = ns(now) - RACY_NS;
	int r = 0;
	if (w->have_old) {
		l->changed = first_calloc(w->old.n_dirs);
		r = l->changed ? 0 : -ENOMEM;
	}
	bool same = r == 0 && w->have_old && check_old(l);
	if (r == 0 && w->have_old && !same_hooks(w)) {
		memset(l->changed, 1, w->old.n_dirs);
		same = false;
	}
	if (same) {
		w->now = w->old;
	} else if (r == 0) {
		w->rebuilt = true;
		w->now.index_state = w->old.index_state;
		r = visit(l, w->have_old ? 0 : UINT32_MAX, 0);
	}
	for (uint32_t i = 0; i < w->now.n_dirs; i++)
		w->n_files += w->now.dirs[i].files;
	first_free(l->names);
	first_free(l->ents);
	first_free(l->changed);
	first_free(l);
	return r;
}

const struct cand *walk_was(const struct walk *w, uint32_t dir, const char *name)
{
	if (!w->have_old)
		return NULL;
	return was_here(w, w->rebuilt ? w->origin[dir] : dir, name);
}
