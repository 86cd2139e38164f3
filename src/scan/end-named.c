/* scan/end-named.c - places in the workspace that the host itself names: settings of its git, links
 * in the user's home, directories of PATH (see scanner.h)
 *
 * Theory: no name tells of them, so they are not in the table; there are few, and each is looked at
 * by itself.  Of a directory it is said in one line that, and how much, in it changed.
 */
#include "scan/scanner.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include "base/path.h"
#include "scan/named.h"
#include "scan/persist.h"

#define NAMED_MAX 1024 /* places, as included files may name more: each is looked up */
#define CONFIGS_MAX 64 /* files that a configuration goes on in */
#define DIR_DEPTH 48
#define DIR_ENTRIES 200000u

/* What is not in the table. */
static bool is_unlisted(const char *rel)
{
	static const char *const names[] = {"node_modules", "__pycache__", ".git"};
	for (const char *p = rel; *p; p += strspn(p, "/")) {
		const size_t n = strcspn(p, "/");
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (n == strlen(names[i]) && memcmp(p, names[i], n) == 0)
				return true;
		p += n;
	}
	return false;
}

/* Are the directories that it lies in others than at the start?  One that was moved here brings
 * older files. */
static bool is_moved(const struct scanner *s, const char *rel)
{
	char up[PATH_MAX];
	struct stat st;
	const struct table *t = &s->walk.old;
	if (!s->walk.have_old || is_unlisted(rel) ||
		snprintf(up, sizeof(up), "%s", rel) >= (int)sizeof(up))
		return false;
	for (char *slash; (slash = strrchr(up, '/'));) {
		uint32_t i = 0;
		*slash = '\0';
		while (i < t->n_dirs && !streq(t->pool + t->dirs[i].path, up))
			i++;
		if (scan_stat((struct scan_at){&s->base[0], up}, &st) == 0 &&
			(i == t->n_dirs || (t->dirs[i].ino && st.st_ino != t->dirs[i].ino)))
			return true;
	}
	return false;
}

struct dir_tally {
	struct scanner *s;
	bool flat;             /* programs in it alone */
	uint32_t n, looked_at; /* changed files; entries */
	bool other;            /* a directory changed */
	bool shut;             /* or can't be listed */
	char path[PATH_MAX], first[PATH_MAX];
};

static void tally_dir(struct dir_tally *t, int fd, size_t len, int depth);

static void tally_one(struct dir_tally *t, int dir, const char *name, size_t len, int depth)
{
	struct stat st;
	const size_t n = strlen(name);
	if (streq(name, ".git")) /* which has ways of its own */
		return;
	if (len + n + 2 > sizeof(t->path) || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	memcpy(t->path + len, "/", 1);
	memcpy(t->path + len + 1, name, n + 1);
	bool since = scan_since(t->s, &st);
	/* of a program that is a link: the link, and what it leads to */
	if (t->flat && S_ISLNK(st.st_mode)) {
		if (fstatat(dir, name, &st, 0) < 0)
			return;
		since |= scan_since(t->s, &st);
	}
	if (S_ISDIR(st.st_mode) && !t->flat) {
		t->other |= since;
		if (depth < DIR_DEPTH)
			tally_dir(t, walk_open(dir, name, O_RDONLY | O_DIRECTORY), len + 1 + n,
				depth + 1);
	} else if (since && !(t->flat && (!S_ISREG(st.st_mode) || !(st.st_mode & 0111)))) {
		if (t->n++ == 0)
			memcpy(t->first, t->path, len + n + 2);
	}
	t->path[len] = '\0';
}

/* Takes fd. */
static void tally_dir(struct dir_tally *t, int fd, size_t len, int depth)
{
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	t->shut |= fd == -EACCES;
	if (!d && fd >= 0)
		close(fd);
	while (d && (e = readdir(d)) && t->looked_at++ < DIR_ENTRIES)
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			tally_one(t, dirfd(d), e->d_name, len, depth);
	if (d)
		closedir(d);
}

static void named_dir(struct scanner *s, const struct scan_named *p, const char *rel)
{
	struct dir_tally t = {.s = s, .flat = p->flat};
	const size_t n = strlen(rel);
	if (n >= sizeof(t.path))
		return;
	memcpy(t.path, rel, n + 1);
	tally_dir(&t, walk_open(s->base[0].fd, rel, O_RDONLY | O_DIRECTORY), n, 0);
	const char *first = t.n ? t.first + strspn(t.first, "/") : rel;
	if (t.looked_at > DIR_ENTRIES)
		scan_emit_rel(s, rel,
			(struct scan_item){.kind = SCAN_LIMIT,
				.type = SCAN_DIR,
				.detail = "more entries than are looked at"});
	if (t.shut)
		scan_emit_rel(s, rel,
			(struct scan_item){
				.kind = SCAN_LIMIT, .type = SCAN_DIR, .detail = WALK_SHUT});
	const char *in_it = path_join(&s->arena, rel, "x");
	if (t.n || (t.other && !p->flat) || (in_it && *rel && is_moved(s, in_it)))
		scan_emit_persist(s, first, t.n ? SCAN_FILE : SCAN_DIR, p->per,
			p->asked ? 0 : SCAN_AUTO,
			t.n > 1 ? arena_printf(&s->arena, "%s; and %u more there", p->why, t.n - 1)
				: p->why);
}

/* What the table has is told of by its name. */
static bool in_table(const char *rel)
{
	const char *base = path_base(rel);
	const struct persist_rule *r = persist_row(persist_file(base, base == rel));
	return r && r->automatic && r->check == CHECK_NONE;
}

/* The way to it leads through a link, which git and the shell follow: the first of these that is
 * new, as it may lead to what is older.  Where it ends, NULL: nowhere in here. */
static const char *behind_links(struct scanner *s, const struct scan_named *p)
{
	char up[PATH_MAX];
	struct stat st;
	const char *end = scan_follow(s, p->path);
	if (!end || snprintf(up, sizeof(up), "%s", p->path) >= (int)sizeof(up))
		return NULL;
	for (char *slash = up; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		if (scan_stat((struct scan_at){&s->base[0], up}, &st) < 0)
			break;
		if (S_ISLNK(st.st_mode) && scan_since(s, &st)) {
			scan_emit_persist(s, arena_dup(&s->arena, up), SCAN_SYMLINK, p->per,
				p->asked ? 0 : SCAN_AUTO, p->why);
			break;
		}
	}
	return end;
}

static void look(struct scanner *s, const struct scan_named *p)
{
	struct stat st;
	const char *rel = p->path;
	if (scan_stat((struct scan_at){&s->base[0], rel}, &st) < 0 &&
		(!(rel = behind_links(s, p)) ||
			scan_stat((struct scan_at){&s->base[0], rel}, &st) < 0))
		return;
	if (S_ISLNK(st.st_mode)) {
		if (scan_since(s, &st))
			scan_emit_persist(
				s, rel, SCAN_SYMLINK, p->per, p->asked ? 0 : SCAN_AUTO, p->why);
		rel = scan_follow(s, rel);
		if (!rel || scan_stat((struct scan_at){&s->base[0], rel}, &st) < 0)
			return;
	}
	if (S_ISDIR(st.st_mode) && !p->word)
		named_dir(s, p, rel);
	else if (S_ISREG(st.st_mode) && !p->flat && !in_table(rel) &&
		(scan_since(s, &st) || is_moved(s, rel)))
		scan_emit_persist(s, rel, SCAN_FILE, p->per, p->asked ? 0 : SCAN_AUTO, p->why);
}

struct named_list {
	struct scanner *s;
	struct scan_named *v;
	size_t n, cap;
	bool config; /* parts of git's configuration alone */
};

static void add(struct named_list *l, const struct scan_named *p)
{
	if (l->n == NAMED_MAX)
		return;
	for (size_t i = 0; i < l->n; i++)
		if (streq(l->v[i].path, p->path)) {
			l->v[i].config |= p->config;
			l->v[i].word &= p->word;
			l->v[i].asked &= p->asked;
			l->v[i].flat &= p->flat;
			return;
		}
	struct scan_named *v = arena_grow(&l->s->arena, l->v, l->n, &l->cap, sizeof(*v));
	if (v) {
		l->v = v;
		v[l->n++] = *p;
	}
}

static void by_git(void *ctx, const char *rel, const char *why, unsigned int flags)
{
	struct named_list *l = ctx;
	if (!l->config || (flags & NAMED_CONFIG))
		add(l,
			&(struct scan_named){.path = rel,
				.why = why,
				.per = 2,
				.asked = flags & NAMED_ASKED,
				.config = flags & NAMED_CONFIG,
				.word = flags & NAMED_WORD});
}

/* dir: where the file is, absolute. */
static void by_file(struct named_list *l, struct scan_at at, const char *dir)
{
	struct scanner *s = l->s;
	struct git_config c;
	char *text;
	ssize_t n = dir ? scan_read(s, at, GIT_CONFIG_MAX, &text) : -1;
	if (n < 0 || git_config_parse(&s->arena, text, (size_t)n, &c, NULL) < 0)
		return;
	const struct named_from from = {&s->arena, s->base[0].path, dir, s->req->home};
	for (size_t i = 0; i < c.n; i++)
		named_by_git(&from, c.v[i].key, c.v[i].value, by_git, l);
}

/* By the configuration of the request's repository. */
static void by_repository(struct named_list *l)
{
	struct scanner *s = l->s;
	const char *dir = s->req->git_dir;
	struct scan_at at = dir ? scan_locate(s, dir) : (struct scan_at){0};
	if (!at.base)
		return;
	if (at.base != &s->base[0]) { /* of a linked work tree: in the common directory */
		at.rel = "";
		dir = at.base->path;
	}
	by_file(l, scan_below(s, at, "config"), dir);
}

/* And by the files that it goes on in; the list grows meanwhile. */
static void by_included(struct named_list *l)
{
	struct scanner *s = l->s;
	size_t n = 0;
	for (size_t i = 0; i < l->n && l->n < NAMED_MAX && n < CONFIGS_MAX; i++) {
		const char *path = l->v[i].path, *rel = path;
		struct stat st;
		if (!l->v[i].config ||
			((scan_stat((struct scan_at){&s->base[0], rel}, &st) < 0 ||
				 S_ISLNK(st.st_mode)) &&
				!(rel = scan_follow(s, rel))))
			continue;
		n++;
		by_file(l, (struct scan_at){&s->base[0], rel},
			arena_printf(&s->arena, "%s/%.*s", s->base[0].path,
				(int)(path_base(path) - path), path));
	}
}

void scan_end_named(struct scanner *s)
{
	struct named_list l = {.s = s};
	const struct scan_request *q = s->req;
	for (size_t i = 0; i < q->n_named; i++) {
		struct scan_named p = q->named[i];
		p.path += strlen(q->root);
		p.path += strspn(p.path, "/");
		add(&l, &p);
	}
	by_repository(&l);
	named_by_user(&s->arena, s->base[0].path, q->home, &q->settings, by_git, &l);
	by_included(&l);
	if (l.n == NAMED_MAX)
		scan_emit_rel(s, "",
			(struct scan_item){.kind = SCAN_LIMIT,
				.type = SCAN_DIR,
				.detail = "more places are named by git's settings than are looked "
					  "at"});
	for (size_t i = 0; i < l.n; i++)
		look(s, &l.v[i]);
}

void scan_named_protect(struct scanner *s)
{
	struct named_list l = {.s = s, .config = true};
	struct stat st;
	by_repository(&l);
	by_included(&l);
	for (size_t i = 0; i < l.n; i++) {
		struct scan_at at = {&s->base[0], l.v[i].path};
		if (scan_stat(at, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)))
			continue;
		scan_emit_at(s, at,
			(struct scan_item){.kind = SCAN_PROTECT,
				.type = S_ISLNK(st.st_mode) ? SCAN_SYMLINK : SCAN_FILE,
				.detail = "git's configuration"});
		if (S_ISLNK(st.st_mode))
			scan_protect_target(s, at.rel, "git's configuration");
	}
}
