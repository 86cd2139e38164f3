/* scan/git-dirs.c - the places in a git directory that decide what git runs (see scanner.h)
 *
 * Looked at are hooks, config, config.worktree, info/attributes, commondir, remotes of old, what
 * replaces objects, HEAD's name, what a rebase or picked commits go on with, and the same in
 * modules/ (submodules), in worktrees/ and wherever a file .git leads to.  Objects, other refs and
 * the rest are not read.
 */
#include "scan/scanner.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include "base/dir-record.h"
#include "base/path.h"
#include "scan/git-index.h"

#define ENTRIES_MAX 4096
#define MODULE_DEPTH 12

static bool is_git_dir(struct scanner *s, struct scan_at at)
{
	struct stat st;
	return scan_stat(scan_below(s, at, "HEAD"), &st) == 0 &&
		(scan_stat(scan_below(s, at, "objects"), &st) == 0 ||
			scan_stat(scan_below(s, at, "commondir"), &st) == 0);
}

/* The place of an absolute path, folded.  Folding is sound here: every later step
 * refuses links (walk_open). */
static struct scan_at located(struct scanner *s, const char *p)
{
	struct scan_at none = {0};
	char out[PATH_MAX];
	size_t len = 0;
	for (; p && *p;) {
		p += strspn(p, "/");
		size_t k = strcspn(p, "/");
		if (k == 2 && p[0] == '.' && p[1] == '.') {
			while (len && out[len - 1] != '/')
				len--;
			len -= len > 0;
		} else if (k && !(k == 1 && p[0] == '.')) {
			if (len + k + 2 > sizeof(out))
				return none;
			out[len++] = '/';
			memcpy(out + len, p, k);
			len += k;
		}
		p += k;
	}
	out[len] = '\0';
	char *copy = p ? arena_dup(&s->arena, out) : NULL;
	return copy ? scan_locate(s, copy) : none;
}

/* "gitdir: X" of a .git file, folded against the directory it stands in. */
static struct scan_at follow_file(struct scanner *s, const char *dir, const char *file)
{
	char *text;
	struct scan_at none = {0};
	ssize_t n = scan_read(s, (struct scan_at){&s->base[0], file}, PATH_MAX, &text);
	if (n < 0 || !has_prefix(text, "gitdir: "))
		return none;
	text += strlen("gitdir: ");
	text[strcspn(text, "\r\n")] = '\0';
	char *p = text[0] == '/' ? text
				 : arena_printf(&s->arena, "%s/%s/%s", s->base[0].path, dir, text);
	return located(s, p);
}

struct scan_at scan_git_of(struct scanner *s, const struct dir *d, const struct cand *c)
{
	char rel[PATH_MAX];
	const struct table *t = &s->walk.now;
	struct scan_at none = {0};
	if (!walk_path(t, d, c, rel))
		return none;
	struct scan_at at = {&s->base[0], arena_dup(&s->arena, rel)};
	if (c->type == DT_REG)
		at = follow_file(s, t->pool + d->path, rel);
	else if (c->type == DT_LNK)
		at.rel = scan_follow(s, rel);
	return at.base && at.rel && is_git_dir(s, at) ? at : none;
}

static void emit_limit(struct scanner *s, struct scan_at at, const char *why)
{
	scan_emit_at(
		s, at, (struct scan_item){.kind = SCAN_LIMIT, .type = SCAN_DIR, .detail = why});
}

/* What modules/ and worktrees/ have is found there, and again by the file that leads to it: once is
 * enough.  False: it was, or there have been as many as are looked at. */
static bool first_time(struct scanner *s, struct scan_at at, bool linked)
{
	size_t i = digest_of(at.rel, strlen(at.rel)).lo % ARRAY_LEN(s->seen_slot);
	for (; s->seen_slot[i]; i = (i + 1) % ARRAY_LEN(s->seen_slot)) {
		const struct scan_seen *was = &s->seen[s->seen_slot[i] - 1];
		if (was->linked == linked && was->at.base == at.base && streq(was->at.rel, at.rel))
			return false;
	}
	if (s->n_seen == SCAN_GIT_DIRS_MAX) {
		if (!s->git_full)
			emit_limit(s, at, "more git repositories than are looked at");
		s->git_full = true;
		scan_too_many(s, "git repositories", path_join(&s->arena, at.base->path, at.rel));
		return false;
	}
	struct scan_seen *v = arena_grow(
		&s->arena, s->seen, s->n_seen, &s->cap_seen, sizeof(*s->seen));
	if (v) {
		s->seen = v;
		v[s->n_seen++] = (struct scan_seen){at, linked};
		s->seen_slot[i] = (uint16_t)s->n_seen;
	}
	return true;
}

/* What git itself writes there leads back to the repository that the work tree belongs to. */
static bool leads_back(struct scanner *s, struct scan_at commondir)
{
	char *text;
	ssize_t n = scan_read(s, commondir, PATH_MAX, &text);
	return n > 0 && (streq(text, "../..\n") || streq(text, "../.."));
}

static void linked_worktree(struct scanner *s, struct scan_at at);

/* The repository that the directory of a linked work tree belongs to: two names up. */
static struct scan_at common_of(struct scanner *s, struct scan_at at)
{
	char *common = arena_dup(&s->arena, at.rel);
	char *slash = common ? strrchr(common, '/') : NULL;
	if (!slash)
		return (struct scan_at){0};
	*slash = '\0';
	slash = strrchr(common, '/');
	*(slash ? slash : common) = '\0';
	return (struct scan_at){at.base, common};
}

/* The git directory that a file .git leads to, or that the walk met: wherever it lies, be it where
 * git puts its own but deeper than is walked, below no repository, or in one that is not whole. */
static void pointed_at(
	struct scanner *s, struct scan_at at, void (*fn)(struct scanner *s, struct scan_at git_dir))
{
	if (!leads_back(s, scan_below(s, at, "commondir"))) {
		fn(s, at);
		return;
	}
	linked_worktree(s, at);
	struct scan_at common = common_of(s, at);
	if (common.base)
		fn(s, common);
}

void scan_each_git(struct scanner *s, void (*fn)(struct scanner *s, struct scan_at git_dir))
{
	const struct table *t = &s->walk.now;
	for (size_t i = 1; i < s->n_bases; i++)
		fn(s, (struct scan_at){&s->base[i], ""});
	for (uint32_t i = 0; i < t->n_dirs && !s->git_full; i++) {
		const struct dir *d = &t->dirs[i];
		/* worktrees/ of a bare repository is walked, too */
		if (d->ctx & DIR_BARE)
			pointed_at(s, (struct scan_at){&s->base[0], t->pool + d->path}, fn);
		for (uint32_t k = 0; k < d->n; k++) {
			const struct cand *c = &t->cands[d->first + k];
			if (!(c->flags & CAND_GIT))
				continue;
			struct scan_at at = scan_git_of(s, d, c);
			if (at.base && c->type != DT_REG)
				fn(s, at);
			else if (at.base && !GUARD_REMOVED("git-files"))
				pointed_at(s, at, fn);
		}
	}
}

/* git follows links in its directory, this scan doesn't: one that is new is told of. */
static bool is_new_link(struct scanner *s, struct scan_at at)
{
	struct stat st;
	return s->req->end && scan_stat(at, &st) == 0 && S_ISLNK(st.st_mode) && scan_since(s, &st);
}

/* Names in a directory, without "." and ".."; at most max. */
static void list(struct scanner *s, struct scan_at at, size_t max, struct strv *ret)
{
	_Alignas(8) char buf[4096];
	_cleanup_close_ int fd = scan_list(s, at);
	ssize_t n;
	while (fd >= 0 && (n = dir_records(fd, buf, sizeof(buf))) > 0)
		for (ssize_t o = 0; o < n;) {
			const struct dir_record *d = (const struct dir_record *)(buf + o);
			o += d->d_reclen;
			if (streq(d->d_name, ".") || streq(d->d_name, ".."))
				continue;
			if (ret->n >= max) {
				scan_too_many(s, "entries in a git directory",
					path_join(&s->arena, at.base->path, at.rel));
				emit_limit(s, at, "more entries than are looked at");
				return;
			}
			strv_add(&s->arena, ret, d->d_name);
		}
}

static void emit_pointer(struct scanner *s, struct scan_at at)
{
	scan_emit_git(s, at, 3, "git takes config and hooks from elsewhere");
}

static void each_module(struct scanner *s, struct scan_at dir, int depth,
	void (*fn)(struct scanner *s, struct scan_at git_dir))
{
	struct strv names = {0};
	struct stat st;
	if (is_new_link(s, dir))
		emit_pointer(s, dir);
	if (scan_stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
		return;
	if (depth > MODULE_DEPTH) {
		emit_limit(s, dir, "deeper than git repositories are looked for");
		return;
	}
	list(s, dir, ENTRIES_MAX, &names);
	for (size_t i = 0; i < names.n; i++) {
		struct scan_at at = scan_below(s, dir, names.v[i]);
		if (is_git_dir(s, at))
			fn(s, at);
		else
			each_module(s, at, depth + 1, fn); /* "libs/x" is a name of two levels */
	}
}

void scan_protect_target(struct scanner *s, const char *rel, const char *detail)
{
	struct stat st;
	char *to = scan_follow(s, rel);
	if (to && fstatat(s->base[0].fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
		scan_emit_rel(s, to,
			(struct scan_item){.kind = SCAN_PROTECT,
				.type = S_ISDIR(st.st_mode) ? SCAN_DIR : SCAN_FILE,
				.detail = detail});
}

static void protect(struct scanner *s, struct scan_at git, const char *name, bool config)
{
	struct stat st;
	struct scan_at at = scan_below(s, git, name);
	if (scan_stat(at, &st) < 0)
		return;
	enum scan_type type = S_ISDIR(st.st_mode) ? SCAN_DIR
		: S_ISLNK(st.st_mode)             ? SCAN_SYMLINK
		: config                          ? SCAN_GIT_CONFIG_FILE
						  : SCAN_FILE;
	if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
		scan_emit_at(s, at,
			(struct scan_item){.kind = SCAN_PROTECT, .type = type, .detail = "git"});
	if (S_ISLNK(st.st_mode) && at.base == &s->base[0])
		scan_protect_target(s, at.rel, "git");
}

static void protect_worktree(struct scanner *s, struct scan_at at)
{
	protect(s, at, "config.worktree", true);
	protect(s, at, "commondir", false);
	protect(s, at, "gitdir", false);
}

void scan_git_protect(struct scanner *s, struct scan_at git_dir)
{
	struct strv trees = {0};
	if (!first_time(s, git_dir, false))
		return;
	protect(s, git_dir, "config", true);
	protect(s, git_dir, "hooks", false);
	protect_worktree(s, git_dir);
	each_module(s, scan_below(s, git_dir, "modules"), 0, scan_git_protect);
	struct scan_at wt = scan_below(s, git_dir, "worktrees");
	list(s, wt, ENTRIES_MAX, &trees);
	for (size_t i = 0; i < trees.n; i++)
		linked_worktree(s, scan_below(s, wt, trees.v[i]));
}

/* Is the work tree that a submodule's git directory names one that has a .git, in the workspace and
 * in no git directory?  Any other would have git restore write whatever the index says there. */
static bool leads_to_its_own(struct scanner *s, struct scan_at git, const char *value)
{
	struct stat st;
	char *path = value[0] == '/'
		? arena_dup(&s->arena, value)
		: arena_printf(&s->arena, "%s/%s/%s", git.base->path, git.rel, value);
	struct scan_at at = located(s, path);
	return at.base == &s->base[0] && at.rel && !git_path_odd(*at.rel ? at.rel : "x") &&
		scan_stat(scan_below(s, at, ".git"), &st) == 0;
}

/* Settings that every new repository has, and that run nothing. */
static bool harmless(struct scanner *s, struct scan_at git, const struct git_config_entry *e)
{
	static const char *const keys[] = {"core.repositoryformatversion",
		"extensions.objectformat", "extensions.worktreeconfig", "extensions.partialclone",
		"extensions.refstorage"};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (streq(e->key, keys[i]))
			return true;
	if (streq(e->key, "core.worktree"))
		return e->value && leads_to_its_own(s, git, e->value);
	/* git asks it for what is missing, whoever looks at the repository */
	if (streq(e->section, "remote") && streq(e->name, "promisor"))
		return false;
	/* a repository within a git directory is walked by nobody, and a push runs its hooks */
	if (e->value && (streq(e->section, "remote") || streq(e->section, "branch")) &&
		git_config_is_path(e->value) &&
		(has_prefix(e->value, ".git/") || strstr(e->value, "/.git/")))
		return false;
	return git_config_plain(e);
}

static bool handled(const struct scanner *s, struct scan_at at)
{
	for (size_t i = 0; i < s->req->n_git; i++) {
		struct scan_at real = scan_locate(s, s->req->git[i].real);
		if (real.base == at.base && real.rel && streq(real.rel, at.rel))
			return true;
	}
	return false;
}

bool scan_git_is_linked(struct scanner *s, struct scan_at at)
{
	struct scan_at common = common_of(s, at);
	return common.base &&
		has_prefix(at.rel + strlen(common.rel) + (*common.rel != 0), "worktrees/") &&
		leads_back(s, scan_below(s, at, "commondir")) &&
		handled(s, scan_below(s, common, "config"));
}

static void check_config(struct scanner *s, struct scan_at git, const char *name, unsigned int per)
{
	struct stat st;
	struct git_config c;
	struct err err = {0};
	char *text;
	struct scan_at at = scan_below(s, git, name);
	/* Every config there was at the start has a private copy: one without is new, whatever its
	 * ctime says (the directory may have been moved here), or was and is a link. */
	if (handled(s, at) || scan_stat(at, &st) < 0)
		return;
	if (S_ISLNK(st.st_mode)) {
		/* whatever stands there now: another branch may have another file */
		bool since = scan_since(s, &st);
		if (since)
			emit_pointer(s, at);
		char *to = at.base == &s->base[0] ? scan_follow(s, at.rel) : NULL;
		at = (struct scan_at){to ? &s->base[0] : NULL, to ? to : ""};
		if (!to || scan_stat(at, &st) < 0 || !(since || scan_since(s, &st)))
			return;
	}
	struct scan_item it = {
		.kind = SCAN_PERSIST, .type = SCAN_FILE, .flags = SCAN_AUTO, .per = per};
	ssize_t n = scan_read(s, at, GIT_CONFIG_MAX, &text);
	/* of what is longer, only the beginning was read */
	if (n < 0 || (size_t)n >= GIT_CONFIG_MAX ||
		git_config_parse(&s->arena, text, (size_t)n, &c, &err) < 0) {
		it.detail = "a git config that can't be read";
		scan_emit_at(s, at, it);
		return;
	}
	for (size_t i = 0; i < c.n; i++) {
		if (harmless(s, git, &c.v[i]))
			continue;
		it.detail = arena_printf(&s->arena, "git setting %s", c.v[i].key);
		scan_emit_at(s, at, it);
	}
}

/* moved: the git directory was made, or moved here, in the session; what is in it may be older. */
static void check_changed(struct scanner *s, struct scan_at git, const char *name, unsigned int per,
	const char *what, bool moved)
{
	struct stat st;
	struct scan_at at = scan_below(s, git, name);
	if (scan_stat(at, &st) == 0 && (moved || scan_since(s, &st)))
		scan_emit_git(s, at, per, what);
}

void scan_git_hooks(struct scanner *s, struct scan_at hooks, unsigned int per, bool moved)
{
	struct strv names = {0};
	struct stat dir, st;
	if (scan_stat(hooks, &dir) < 0)
		return;
	if (!S_ISDIR(dir.st_mode)) {
		char *to = NULL;
		if (moved || scan_since(s, &dir))
			scan_emit_git(s, hooks, per, "git hooks from elsewhere");
		else if (hooks.base == &s->base[0])
			to = scan_follow(s, hooks.rel);
		hooks = (struct scan_at){to ? &s->base[0] : NULL, to ? to : ""};
		if (!to || scan_stat(hooks, &dir) < 0 || !S_ISDIR(dir.st_mode))
			return;
	}
	list(s, hooks, ENTRIES_MAX, &names);
	for (size_t i = 0; i < names.n; i++) {
		size_t n = strlen(names.v[i]);
		struct scan_at at = scan_below(s, hooks, names.v[i]);
		if ((n > 7 && streq(names.v[i] + n - 7, ".sample")) || scan_stat(at, &st) < 0)
			continue;
		/* a directory that was made or moved here: its files may be older */
		if (moved || scan_since(s, &st) || scan_since(s, &dir))
			scan_emit_git(s, at, per, "git hook");
	}
}

static void check_worktree(struct scanner *s, struct scan_at at, bool linked, bool moved)
{
	struct stat st, dir;
	struct scan_at common = scan_below(s, at, "commondir");
	if (linked && is_new_link(s, at))
		emit_pointer(s, at);
	check_config(s, at, "config.worktree", 3);
	if (scan_stat(common, &st) < 0 || (linked && leads_back(s, common)))
		return;
	/* a directory that was moved here holds older files */
	if (moved || scan_since(s, &st) || (scan_stat(at, &dir) == 0 && scan_since(s, &dir)))
		emit_pointer(s, common);
}

/* git starts git-merge-NAME; with a slash in the name, not from PATH but from the work tree. */
static bool foreign_strategy(const char *name)
{
	static const char *const gits[] = {
		"ort", "recursive", "resolve", "octopus", "ours", "subtree"};
	size_t n = strcspn(name, "\r\n");
	for (size_t i = 0; i < ARRAY_LEN(gits); i++)
		if (n == strlen(gits[i]) && memcmp(name, gits[i], n) == 0)
			return false;
	return n > 0;
}

static bool todo_runs(struct scanner *s, const char *text, size_t n)
{
	(void)s, (void)n;
	for (const char *p = text; *p; p += p[0] == '\n') {
		p += strspn(p, " \t\r");
		if (has_prefix(p, "exec") || (p[0] == 'x' && strchr(" \t", p[1])))
			return true;
		p += strcspn(p, "\n");
	}
	return false;
}

static bool strategy_runs(struct scanner *s, const char *text, size_t n)
{
	(void)s, (void)n;
	return foreign_strategy(text);
}

/* git am --continue hands them to git apply. */
static bool apply_writes(struct scanner *s, const char *text, size_t n)
{
	(void)s, (void)n;
	return strstr(text, "fake-ancestor") || strstr(text, "unsafe");
}

static bool opts_run(struct scanner *s, const char *text, size_t n)
{
	struct git_config c;
	if (git_config_parse(&s->arena, text, n, &c, NULL) < 0)
		return true; /* git may read it otherwise */
	for (size_t i = 0; i < c.n; i++)
		if (streq(c.v[i].key, "options.strategy") &&
			(!c.v[i].value || foreign_strategy(c.v[i].value)))
			return true;
	return false;
}

/* What stands half-way, left for the next "--continue" to go on with: it may name programs. */
static void check_rebase(struct scanner *s, struct scan_at git, bool moved)
{
	static const struct {
		const char *dir, *file;
		bool (*runs)(struct scanner *s, const char *text, size_t n);
		const char *what;
	} table[] = {
		{"rebase-merge", "git-rebase-todo", todo_runs,
			"a rebase that runs commands when continued"},
		{"rebase-merge", "strategy", strategy_runs,
			"a rebase that runs a program when continued"},
		{"rebase-apply", "apply-opt", apply_writes, "patches that write a file anywhere"},
		{"sequencer", "opts", opts_run, "picked commits that run a program when continued"},
	};
	struct stat st, dir;
	char *text;
	for (size_t i = 0; i < ARRAY_LEN(table) && !GUARD_REMOVED("git-rebase"); i++) {
		struct scan_at at = scan_below(s, git, table[i].dir);
		struct scan_at file = scan_below(s, at, table[i].file);
		if (is_new_link(s, at)) {
			emit_pointer(s, at);
			continue;
		}
		if (scan_stat(file, &st) < 0 ||
			!(moved || scan_since(s, &st) ||
				(scan_stat(at, &dir) == 0 && scan_since(s, &dir))))
			continue;
		ssize_t n = scan_read(s, file, GIT_CONFIG_MAX, &text);
		if (n < 0 || (size_t)n >= GIT_CONFIG_MAX || table[i].runs(s, text, (size_t)n))
			scan_emit_git(s, file, 1, table[i].what);
	}
}

/* Remotes as git had them before its config: a push to one that is a directory runs hooks. */
static void check_old_remotes(struct scanner *s, struct scan_at git, const char *name, bool moved)
{
	struct strv names = {0};
	struct stat dir, st;
	struct scan_at at = scan_below(s, git, name);
	if (is_new_link(s, at)) {
		emit_pointer(s, at);
		return;
	}
	if (scan_stat(at, &dir) < 0)
		return;
	list(s, at, ENTRIES_MAX, &names);
	for (size_t i = 0; i < names.n; i++) {
		struct scan_at one = scan_below(s, at, names.v[i]);
		if (scan_stat(one, &st) == 0 &&
			(moved || scan_since(s, &st) || scan_since(s, &dir)))
			scan_emit_git(s, one, 2, "a remote that stands in no config");
	}
}

/* Those that there were at the start are held in their place (protect_worktree): where one came or
 * went since, what is beside it may have been put together elsewhere, before. */
static bool is_linked_moved(struct scanner *s, struct scan_at at)
{
	struct stat st;
	const char *slash = strrchr(at.rel, '/');
	char *up = slash ? arena_dupn(&s->arena, at.rel, (size_t)(slash - at.rel)) : NULL;
	return up && scan_stat((struct scan_at){at.base, up}, &st) == 0 && scan_since(s, &st);
}

/* The directory of a linked work tree, at the start or at the end. */
static void linked_worktree(struct scanner *s, struct scan_at at)
{
	if (!first_time(s, at, true))
		return;
	/* submodules are each work tree's own */
	if (!s->req->end) {
		protect_worktree(s, at);
		each_module(s, scan_below(s, at, "modules"), 0, scan_git_protect);
		return;
	}
	const bool moved = is_linked_moved(s, at);
	check_worktree(s, at, true, moved);
	check_rebase(s, at, moved);
	scan_git_links(s, at, moved);
	scan_git_state(s, at, moved);
	each_module(s, scan_below(s, at, "modules"), 0, scan_git_check);
}

/* Each config that there was at the start has a private copy: a git directory where it has none was
 * made in the session, or moved to its place, whatever the times in it say.  So is one without any,
 * as git makes none of these. */
static bool is_moved(struct scanner *s, struct scan_at git_dir)
{
	struct stat st;
	struct scan_at config = scan_below(s, git_dir, "config");
	return scan_stat(config, &st) < 0 || (S_ISREG(st.st_mode) && !handled(s, config));
}

void scan_git_check(struct scanner *s, struct scan_at git_dir)
{
	struct strv trees = {0};
	if (!first_time(s, git_dir, false))
		return;
	const bool moved = is_moved(s, git_dir);
	check_config(s, git_dir, "config", 2);
	scan_git_hooks(s, scan_below(s, git_dir, "hooks"), 1, moved);
	check_changed(
		s, git_dir, "info/attributes", 7, "names filter, diff or merge drivers", moved);
	check_worktree(s, git_dir, false, moved);
	check_rebase(s, git_dir, moved);
	check_changed(s, git_dir, "objects/info/alternates", 3, "git takes objects from elsewhere",
		moved);
	check_old_remotes(s, git_dir, "remotes", moved);
	check_old_remotes(s, git_dir, "branches", moved);
	check_changed(s, git_dir, "info/grafts", 21, scan_git_shows_other, moved);
	check_changed(s, git_dir, "refs/replace", 21, scan_git_shows_other, moved);
	scan_git_links(s, git_dir, moved);
	scan_git_state(s, git_dir, moved);
	each_module(s, scan_below(s, git_dir, "modules"), 0, scan_git_check);
	static const char *const dirs[] = {"worktrees", "info"};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (is_new_link(s, scan_below(s, git_dir, dirs[i])))
			emit_pointer(s, scan_below(s, git_dir, dirs[i]));
	struct scan_at wt = scan_below(s, git_dir, "worktrees");
	list(s, wt, ENTRIES_MAX, &trees);
	for (size_t i = 0; i < trees.n; i++)
		linked_worktree(s, scan_below(s, wt, trees.v[i]));
}

const char *scan_hooks_path(struct scanner *s)
{
	struct git_config c;
	char *text;
	const char *value = NULL;
	const char *dir = s->req->git_dir;
	if (!dir)
		return NULL;
	/* The config of a linked work tree is in the common directory: the base itself. */
	struct scan_at at = scan_locate(s, dir);
	if (!at.base)
		return NULL;
	if (at.base != &s->base[0])
		at.rel = "";
	ssize_t n = scan_read(s, scan_below(s, at, "config"), GIT_CONFIG_MAX, &text);
	if (n < 0 || git_config_parse(&s->arena, text, (size_t)n, &c, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < c.n; i++)
		if (streq(c.v[i].key, "core.hookspath") && c.v[i].value)
			value = c.v[i].value;
	if (!value || !*value)
		return NULL;
	if (value[0] == '/') {
		at = scan_locate(s, value);
		return at.base == &s->base[0] && *at.rel ? at.rel : NULL;
	}
	char *p = arena_dup(&s->arena, has_prefix(value, "./") ? value + 2 : value);
	size_t len = p ? strlen(p) : 0;
	while (len && p[len - 1] == '/')
		p[--len] = '\0';
	/* with ".." in it, it is no path of the table */
	return len && !strstr(p, "..") && !strstr(p, "//") ? p : NULL;
}
