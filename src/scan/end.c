/* scan/end.c - the end: what was left behind that the host could run, follow or trip over (see
 * scanner.h)
 *
 * Theory: what counts is the inode's ctime, which nothing inside can set; git's own view (index,
 * exclude files, skip-worktree) is not asked (PER-21).  Names come from the table, so that an
 * unchanged directory costs one stat; files changed in place are found because every candidate of
 * the table is looked at.  Modes of other files in unchanged directories are only looked at in a
 * full scan.
 */
#include "scan/scanner.h"

#include <dirent.h>
#include <fcntl.h>
#include <strings.h>
#include <limits.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/fd.h"
#include "base/path.h"
#include "scan/par.h"
#include "scan/persist.h"

bool scan_leads_out(struct scan_at at)
{
	char target[PATH_MAX];
	_cleanup_close_ int fd = path_openat2(at.base->fd, at.rel, O_PATH | O_CLOEXEC, 0,
		RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	if (fd >= 0)
		return false;
	ssize_t n = readlinkat(at.base->fd, at.rel, target, sizeof(target) - 1);
	if (n <= 0)
		return true;
	target[n] = '\0';
	/* what is missing on its way may come later */
	if (fd != -EXDEV && target[0] != '/')
		return path_link_leads_out(at.rel, target);
	/* absolute links count as leaving even where they come back */
	return !(path_within(target, at.base->path) && !strstr(target, "/.."));
}

/* Does the default ACL of a directory (acl(5)) let every user write to what is made in it, whatever
 * the umask of who makes it?  Other users can't be named from inside, where no id is theirs. */
static bool default_opens(struct scanner *s, const char *path)
{
	struct {
		struct posix_acl_xattr_header h;
		struct posix_acl_xattr_entry e[64];
	} acl;
	_cleanup_close_ int fd = scan_open(
		(struct scan_at){&s->base[0], path}, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || GUARD_REMOVED("default-acl"))
		return false; /* the walk says that it could not look */
	ssize_t n = fgetxattr(fd, "system.posix_acl_default", &acl, sizeof(acl));
	if (n < 0)
		return errno == ERANGE; /* longer than any that has to do with the user's own ids */
	for (size_t i = 0; sizeof(acl.h) + (i + 1) * sizeof(acl.e[0]) <= (size_t)n; i++)
		if (le16toh(acl.e[i].e_tag) == ACL_OTHER && (le16toh(acl.e[i].e_perm) & ACL_WRITE))
			return true;
	return false;
}

/* Directories made in such a one have it too: the topmost says it all. */
static bool begins_to_open(struct scanner *s, const char *path)
{
	char above[PATH_MAX];
	const char *slash = strrchr(path, '/');
	if (!default_opens(s, path))
		return false;
	if (!*path)
		return true;
	snprintf(above, sizeof(above), "%.*s", slash ? (int)(slash - path) : 0, path);
	return !default_opens(s, above);
}

/* Into a git directory, or to one. */
static bool names_git(const char *path)
{
	for (const char *p = path; *p; p += *p == '/') {
		const size_t n = strcspn(p, "/");
		if (n == 4 && strncasecmp(p, ".git", 4) == 0)
			return true;
		p += n;
	}
	return false;
}

void scan_end_fresh(void *ctx, const char *path, const struct stat *st, bool known)
{
	struct scanner *s = ctx;
	unsigned int flags = known ? 0 : SCAN_NEW;
	if (S_ISLNK(st->st_mode)) {
		char *p = arena_dup(&s->arena, path), to[PATH_MAX];
		ssize_t n = readlinkat(s->base[0].fd, path, to, sizeof(to) - 1);
		to[n > 0 ? n : 0] = '\0';
		if (p && scan_leads_out((struct scan_at){&s->base[0], p}))
			scan_emit_persist(s, p, SCAN_SYMLINK, 20, flags,
				arena_printf(&s->arena, "link to %s", to));
		else if (p && names_git(to)) /* what git writes through it, too */
			scan_emit_persist(s, p, SCAN_SYMLINK, 3, flags,
				arena_printf(&s->arena, "link to %s", to));
		return;
	}
	bool dir = S_ISDIR(st->st_mode);
	if (!dir && !S_ISREG(st->st_mode))
		return;
	if (!dir && (st->st_mode & 06000))
		scan_emit_persist(s, path, SCAN_FILE, 0, flags,
			st->st_mode & S_ISUID ? "set-user-ID" : "set-group-ID");
	if ((st->st_mode & S_IWOTH) && !(dir && (st->st_mode & S_ISVTX)))
		scan_emit_persist(
			s, path, dir ? SCAN_DIR : SCAN_FILE, 0, flags, "writable by every user");
	if (dir && begins_to_open(s, path))
		scan_emit_persist(s, path, SCAN_DIR, 0, flags,
			"makes new files writable by every user (default ACL)");
}

/* .gitattributes: any filter=, diff= or merge= that is not a plain switch.  git reads line by line,
 * past a NUL too, and takes a carriage return for a space. */
static bool names_driver(const char *text, size_t n)
{
	static const char *const words[] = {"filter=", "diff=", "merge="};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		for (const char *p = text;
			(p = memmem(p, n - (size_t)(p - text), words[i], strlen(words[i]))); p++)
			if (p > text && strchr(" \t\r]", p[-1]))
				return true;
	return false;
}

static bool runs_update(struct scanner *s, const char *text, size_t n)
{
	struct git_config c;
	if (git_config_parse(&s->arena, text, n, &c, NULL) < 0)
		return true; /* git may read it otherwise */
	for (size_t i = 0; i < c.n; i++)
		if (git_config_module_runs(&c.v[i]))
			return true;
	return false;
}

/* Is a source of the same name beside it, or a whole package of them? */
static bool has_source(struct scanner *s, const char *path)
{
	char source[NAME_MAX + 8];
	struct stat st;
	const char *base = path_base(path);
	char *dir = arena_dupn(&s->arena, path, (size_t)(base - path));
	const char *init = dir ? arena_join(&s->arena, dir, "__init__.py", "") : NULL;
	const char *same = dir && persist_module_source(base, source, sizeof(source))
		? arena_join(&s->arena, dir, source, "")
		: NULL;
	return (init && fstatat(s->base[0].fd, init, &st, AT_SYMLINK_NOFOLLOW) == 0) ||
		(same && fstatat(s->base[0].fd, same, &st, AT_SYMLINK_NOFOLLOW) == 0);
}

static bool check_holds(
	struct scanner *s, const struct persist_rule *r, const char *path, const struct stat *st)
{
	char *text;
	if (r->check == CHECK_NONE || r->check == CHECK_TOLD || r->check == CHECK_PYC)
		return true; /* __pycache__ is looked at in end-packages.c */
	if (r->check == CHECK_EXEC)
		return st->st_mode & 0111;
	if (r->check == CHECK_BESIDE)
		return has_source(s, path);
	ssize_t n = scan_read(s, (struct scan_at){&s->base[0], path}, GIT_CONFIG_MAX, &text);
	if (n < 0 || (size_t)n >= GIT_CONFIG_MAX) /* what is behind that is not known */
		return true;
	return r->check == CHECK_ATTRIBUTES ? names_driver(text, (size_t)n)
					    : runs_update(s, text, (size_t)n);
}

/* New, as far as can be told: not in the last table; without one, by its time of birth. */
static unsigned int newness(struct scanner *s, uint32_t dir, const char *name, const char *path)
{
	if (s->walk.have_old)
		return walk_was(&s->walk, dir, name) ? 0 : SCAN_NEW;
	struct file_statx x;
	if (file_statx(s->base[0].fd, path, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &x) < 0 ||
		!(x.stx_mask & STATX_BTIME))
		return 0;
	uint64_t t = (uint64_t)x.stx_btime.tv_sec * 1000000000u + x.stx_btime.tv_nsec;
	return t >= s->req->since_ns ? SCAN_NEW : 0;
}

/* Changed since the agent could run, or moved here with a directory: that leaves the ctime of what
 * is in it as it was. */
static bool touched(
	const struct scanner *s, uint32_t dir, const struct cand *c, const struct stat *st)
{
	return scan_since(s, st) ||
		(s->walk.have_old && s->walk.rebuilt &&
			!walk_was(&s->walk, dir, s->walk.now.pool + c->name));
}

static enum scan_type type_of(mode_t m)
{
	return S_ISDIR(m)                    ? SCAN_DIR
		: S_ISLNK(m)                 ? SCAN_SYMLINK
		: S_ISSOCK(m)                ? SCAN_SOCKET
		: S_ISFIFO(m)                ? SCAN_FIFO
		: (S_ISBLK(m) || S_ISCHR(m)) ? SCAN_DEVICE
					     : SCAN_FILE;
}

/* "gitdir: .../.git/modules/NAME" or worktrees, as git writes it.  What lies there is looked at
 * (scan_each_git), wherever else git is sent to is told of. */
static bool inside_git(const char *text)
{
	static const char *const dirs[] = {"/.git/modules/", "/.git/worktrees/", " .git/modules/"};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		const char *p = strstr(text, dirs[i]);
		if (p && !strstr(p, "..") && p[strlen(dirs[i])] != '\n')
			return true;
	}
	return false;
}

/* So does a linked work tree of a bare repository, whatever that one's name is. */
static bool leads_to_known(
	struct scanner *s, const struct dir *dir, const struct cand *c, const char *text)
{
	struct scan_at at = scan_git_of(s, dir, c);
	return at.base && (inside_git(text) || scan_git_is_linked(s, at));
}

/* A .git that is a file or a link, made or changed in the run. */
static void git_pointer(struct scanner *s, uint32_t dir, const struct cand *c, const char *path,
	const struct stat *st, unsigned int flags)
{
	char *text = NULL;
	if (S_ISREG(st->st_mode) &&
		scan_read(s, (struct scan_at){&s->base[0], path}, PATH_MAX, &text) > 0 &&
		leads_to_known(s, &s->walk.now.dirs[dir], c, text))
		return;
	scan_emit_persist(s, path, type_of(st->st_mode), 3, flags | SCAN_AUTO,
		"git takes its configuration and hooks from elsewhere");
}

/* Programs of npm packages are looked at one by one, links followed: what is behind them may have
 * changed where it lies. */
static void npm_programs(struct scanner *s, uint32_t dir, const struct cand *c, const char *modules)
{
	const char *name = s->walk.now.pool + c->name;
	char *bin = path_join(&s->arena, modules, ".bin");
	struct stat st;
	if (!bin || fstatat(s->base[0].fd, bin, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (scan_since(s, &st)) {
		scan_emit_persist(
			s, bin, SCAN_DIR, 15, newness(s, dir, name, modules), "npm programs");
		return;
	}
	int fd = walk_open(s->base[0].fd, bin, O_RDONLY | O_DIRECTORY);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *de;
	while (d && (de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		char *path = path_join(&s->arena, bin, de->d_name);
		if (path && fstatat(dirfd(d), de->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
			scan_since(s, &st))
			scan_emit_persist(s, path, SCAN_FILE, 15, 0, "npm program");
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

static void candidate(struct scanner *s, uint32_t dir, const struct cand *c)
{
	const struct table *t = &s->walk.now;
	const char *name = t->pool + c->name;
	char path[PATH_MAX];
	struct stat st;
	if (!walk_path(t, &t->dirs[dir], c, path))
		return;
	if (c->flags & CAND_PRUNED) {
		npm_programs(s, dir, c, path);
		return;
	}
	if (fstatat(s->base[0].fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !touched(s, dir, c, &st))
		return;
	unsigned int flags = newness(s, dir, name, path);
	if (c->flags & CAND_SPECIAL)
		scan_emit_rel(s, path,
			(struct scan_item){
				.kind = SCAN_SPECIAL, .type = type_of(st.st_mode), .flags = flags});
	if ((c->flags & CAND_GIT) && !S_ISDIR(st.st_mode))
		git_pointer(s, dir, c, path, &st, flags);
	const struct persist_rule *r = persist_row(c->per);
	if ((c->flags & CAND_PERSIST) && r && check_holds(s, r, path, &st))
		scan_emit_persist(s, path, type_of(st.st_mode), r->per,
			flags | (r->automatic ? SCAN_AUTO : 0), r->what);
}

static void bare_repo(struct scanner *s, uint32_t dir)
{
	const struct table *t = &s->walk.now;
	struct stat st;
	const char *path = t->pool + t->dirs[dir].path;
	char *head = path_join(&s->arena, path, "HEAD");
	uint32_t old = s->walk.rebuilt ? s->walk.origin[dir] : dir;
	if (s->walk.have_old && old != UINT32_MAX && (s->walk.old.dirs[old].ctx & DIR_BARE))
		return;
	if (scan_git_is_linked(s, (struct scan_at){&s->base[0], path}))
		return; /* looked at as one (scan_each_git) */
	if (head && fstatat(s->base[0].fd, head, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		(s->walk.have_old || scan_since(s, &st)))
		scan_emit_persist(
			s, path, SCAN_DIR, 5, SCAN_NEW | SCAN_AUTO, "a bare git repository");
}

struct hits {
	struct scanner *s;
	unsigned char *hit; /* per candidate: worth a look */
};

/* For each directory of the range, which candidates changed; all but a few did not. */
static void find_touched(void *ctx, uint32_t begin, uint32_t end)
{
	const struct hits *x = ctx;
	const struct table *t = &x->s->walk.now;
	char path[PATH_MAX];
	struct stat st;
	for (uint32_t i = begin; i < end; i++) {
		const struct dir *d = &t->dirs[i];
		for (uint32_t k = d->first; k < d->first + d->n; k++) {
			const struct cand *c = &t->cands[k];
			if (c->flags & (CAND_PRUNED | CAND_SPECIAL | CAND_GIT))
				x->hit[k] = 1;
			else if ((c->flags & CAND_PERSIST) && walk_path(t, d, c, path) &&
				fstatat(x->s->base[0].fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
				x->hit[k] = touched(x->s, i, c, &st);
		}
	}
}

void scan_end_report(struct scanner *s)
{
	const struct table *t = &s->walk.now;
	struct hits x = {.s = s, .hit = arena_alloc(&s->arena, t->n_cands + 1)};
	if (!x.hit)
		return;
	/* git first, as it is asked for most often, should there be too much of all */
	scan_each_git(s, scan_git_check);
	if (s->req->hooks)
		scan_git_hooks(s, scan_locate(s, s->req->hooks), 6, false);
	par_run(find_touched, &x, t->n_dirs);
	for (uint32_t i = 0; i < t->n_dirs; i++) {
		const struct dir *d = &t->dirs[i];
		if (d->ctx & DIR_BARE)
			bare_repo(s, i);
		for (uint32_t k = d->first; k < d->first + d->n; k++)
			if (x.hit[k])
				candidate(s, i, &t->cands[k]);
	}
	scan_end_named(s);
	scan_end_packages(s);
}

/* All of one descriptor that was opened before confinement; absent reads as empty. */
static int slurp(struct scanner *s, int fd, struct git_config_text *ret)
{
	struct stat st;
	*ret = (struct git_config_text){"", 0};
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > GIT_CONFIG_MAX)
		return -EFBIG;
	char *buf = arena_alloc(&s->arena, (size_t)st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	ssize_t n = fd_read_full(fd, buf, (size_t)st.st_size);
	if (n < 0)
		return (int)n;
	*ret = (struct git_config_text){buf, (size_t)n};
	return 0;
}

static void emit_keys(
	struct scanner *s, enum scan_kind kind, const char *path, const struct strv *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		scan_emit(s,
			(struct scan_item){.kind = kind,
				.type = SCAN_GIT_CONFIG_FILE,
				.path = path,
				.detail = keys->v[i]});
}

static bool is_one_of(const char *v, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(v, words[i]) == 0)
			return true;
	return false;
}

static const char leads_elsewhere[] =
	"leads elsewhere: what is pushed goes there, or what is pulled comes from there";

/* Was there a remote of the name that e is about, with an URL? */
static bool had_remote(const struct git_config *base, const struct git_config_entry *e)
{
	for (size_t i = 0; i < base->n; i++)
		if (streq(base->v[i].section, "remote") && streq(base->v[i].name, "url") &&
			base->v[i].subsection && e->subsection &&
			streq(base->v[i].subsection, e->subsection))
			return true;
	return false;
}

static bool had_key(const struct git_config *c, const char *key)
{
	for (size_t i = 0; i < c->n; i++)
		if (streq(c->v[i].key, key))
			return true;
	return false;
}

/* As git reads it: without "=" it is true, and so is every number but 0. */
static bool is_true(const char *v)
{
	static const char *const yes[] = {"true", "yes", "on"};
	return !v || is_one_of(v, yes, ARRAY_LEN(yes)) || strtoll(v, NULL, 0) != 0;
}

/* What a fetch by this refspec overwrites, if that is not the remote's own; NULL. */
static const char *says_fetch(struct arena *a, const char *remote, const char *spec)
{
	static const char *const heads[] = {"refs/heads/", "refs/*", "heads/"};
	static const char *const others[] = {"refs/tags/", "tags/", "refs/notes/", "refs/pull/",
		"refs/merge-requests/", "refs/changes/"};
	const char *to = strrchr(spec, ':'), *own = arena_printf(a, "refs/remotes/%s/", remote);
	if (!to || !*++to || !own || has_prefix(to, own) || has_prefix(to, own + strlen("refs/")))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (has_prefix(to, others[i]))
			return NULL;
	bool branch = !has_prefix(to, "refs/") && !has_prefix(to, "remotes/");
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		branch |= has_prefix(to, heads[i]);
	return branch ? "has a fetch overwrite branches" : "has a fetch overwrite what is not its";
}

static const char *says_remote(
	struct arena *a, const struct git_config *base, const struct git_config_entry *e)
{
	const char *v = e->value ? e->value : "";
	if (streq(e->name, "promisor"))
		return is_true(e->value) ? "has git connect there by itself, when something is "
					   "missing"
					 : NULL;
	if (streq(e->name, "push") || (streq(e->name, "mirror") && is_true(e->value)))
		return "decides what a push overwrites and removes";
	if (streq(e->name, "fetch"))
		return says_fetch(a, e->subsection, v);
	if (!streq(e->name, "url") && !streq(e->name, "pushurl"))
		return NULL;
	if (git_config_is_path(v))
		return "is a directory: a push runs its hooks";
	return had_remote(base, e) ? leads_elsewhere : NULL;
}

/* What a remote that came or changed means to whoever pushes and pulls as ever, or NULL. */
static const char *says_where(struct arena *a, const struct git_config *base,
	const struct git_config_entry *e, const struct strv *kept)
{
	if (streq(e->section, "remote") && e->subsection)
		return says_remote(a, base, e);
	if ((streq(e->key, "push.default") && e->value && strcasecmp(e->value, "matching") == 0) ||
		(streq(e->key, "push.followtags") && is_true(e->value)))
		return "decides what else a push takes along";
	if (streq(e->section, "submodule") && e->subsection && streq(e->name, "url"))
		return had_key(base, e->key) ? leads_elsewhere : NULL;
	if (!(streq(e->section, "branch") &&
		    (streq(e->name, "remote") || streq(e->name, "pushremote"))) &&
		!streq(e->key, "remote.pushdefault"))
		return NULL;
	const char *of = e->value ? arena_printf(a, "remote.%s.url", e->value) : NULL;
	return had_key(base, e->key) || (of && strv_has(kept, of)) ? leads_elsewhere : NULL;
}

/* What it hides from whoever looks at what changed, or NULL. */
static const char *says_hidden(const struct git_config_entry *e)
{
	static const char *const no[] = {"no", "false", "off", "0"},
				 *const all[] = {"all", "dirty"}, *const minimal[] = {"minimal"};
	if (streq(e->key, "core.ignorecase") && is_true(e->value))
		return "hides new files from git status that are called like others but for the "
		       "case";
	if (!e->value)
		return NULL;
	if (streq(e->key, "core.checkstat") && is_one_of(e->value, minimal, 1))
		return "hides what changed in files that keep their size and time";
	if (streq(e->key, "status.showuntrackedfiles") && is_one_of(e->value, no, ARRAY_LEN(no)))
		return "hides new files from git status";
	if ((streq(e->key, "diff.ignoresubmodules") ||
		    (streq(e->section, "submodule") && streq(e->name, "ignore"))) &&
		is_one_of(e->value, all, ARRAY_LEN(all)))
		return "hides what changed in submodules";
	return NULL;
}

/* Settings that were taken over run nothing by themselves; some lead whoever goes on with the
 * repository where the agent wants them, or keep from them what it did. */
static void tell_settings(struct scanner *s, const char *path, struct git_config_text base,
	struct git_config_text copy, const struct strv *kept)
{
	struct git_config b, c;
	if (git_config_parse(&s->arena, base.p, base.n, &b, NULL) < 0 ||
		git_config_parse(&s->arena, copy.p, copy.n, &c, NULL) < 0 ||
		GUARD_REMOVED("git-settings"))
		return;
	for (size_t i = 0; i < c.n; i++) {
		const struct git_config_entry *v = &c.v[i];
		if (!strv_has(kept, v->key))
			continue;
		const char *hidden = says_hidden(v);
		const char *why = hidden ? hidden : says_where(&s->arena, &b, v, kept);
		if (why)
			scan_emit(s,
				(struct scan_item){.kind = SCAN_PERSIST,
					.type = SCAN_FILE,
					.per = hidden ? 21 : 2,
					.path = path,
					.detail = arena_printf(
						&s->arena, "git setting %s %s", v->key, why)});
	}
}

static void merge_one(struct scanner *s, size_t i)
{
	const struct scan_git_config *g = &s->req->git[i];
	struct git_config_text t[3], merged;
	struct strv kept = {0}, dropped = {0};
	struct err err = {0};
	int r = 0;
	if (s->git_fds[i][2] < 0)
		return; /* the copy is gone: nothing to take over */
	for (int k = 0; r == 0 && k < 3; k++)
		r = slurp(s, s->git_fds[i][k], &t[k]);
	if (r == 0)
		r = git_config_merge(&s->arena, t[1], t[2], t[0], &merged, &kept, &dropped, &err);
	if (r < 0) {
		scan_emit(s,
			(struct scan_item){.kind = SCAN_GIT_DROPPED,
				.type = SCAN_GIT_CONFIG_FILE,
				.path = g->real,
				.detail = arena_printf(&s->arena, "(all of it: %s)",
					err.code ? err.msg : "not a plain file of at most 1 MiB")});
		return;
	}
	if (merged.p)
		scan_emit(s,
			(struct scan_item){.kind = SCAN_GIT_CONFIG,
				.type = SCAN_GIT_CONFIG_FILE,
				.path = g->real,
				.text = merged.p,
				.n_text = merged.n});
	tell_settings(s, g->real, t[1], t[2], &kept);
	emit_keys(s, SCAN_GIT_KEPT, g->real, &kept);
	emit_keys(s, SCAN_GIT_DROPPED, g->real, &dropped);
}

void scan_end_git_configs(struct scanner *s)
{
	for (size_t i = 0; i < s->req->n_git; i++)
		merge_one(s, i);
}
