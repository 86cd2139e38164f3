/* change/trip.c - what would make the host run something, among what is to be landed
 *
 * Names decide, from the table of the scan room, and for git directories the places in them that
 * git takes programs from.  The host's git is not asked.  Where a rule looks into a file, it is
 * asked again with the very bytes that are landed (trip_holds), as a running sandbox may change
 * them in between.
 */
#include "change/change.h"

#include <fcntl.h>
#include <limits.h>
#include <strings.h>

#include "base/fd.h"
#include "base/path.h"
#include "scan/git-config.h"
#include "scan/git-index.h"
#include "scan/persist.h"

static void set(struct item *it, unsigned int per, bool automatic, size_t group, const char *what)
{
	it->pub.per = per;
	it->pub.automatic = automatic;
	it->pub.group = (uint32_t)group;
	it->pub.what = what;
}

/* Ignoring case, as the work tree may be on a file system that does. */
size_t git_dir_len(const char *path)
{
	for (const char *p = path;;) {
		size_t n = strcspn(p, "/");
		if (n == 4 && strncasecmp(p, ".git", 4) == 0)
			return (size_t)(p - path) + n;
		if (!p[n])
			return 0;
		p += n + 1;
	}
}

#define PACKED_REFS_MAX ((size_t)64 << 20)
#define INDEX_MAX ((size_t)256 << 20)

struct git_place {
	const char *name; /* of a file, or of a directory with all in it ("x/") */
	unsigned int per;
	const char *what;
};

/* In a git directory, and again in each of modules/ and worktrees/. */
static const struct git_place git_places[] = {
	{"hooks/", 1, "git hook"},
	{"config", 2, "git settings"},
	{"config.worktree", 3, "git settings"},
	{"commondir", 3, "git takes settings and hooks from elsewhere"},
	{"gitdir", 3, "git takes settings and hooks from elsewhere"},
	{"info/attributes", 7, "names filter, diff or merge drivers"},
	{"rebase-merge/", 2, "a rebase that may run commands when it goes on"},
	{"rebase-apply/", 2, "a rebase that may run commands when it goes on"},
	{"sequencer/", 2, "a sequence of commits that goes on later"},
	{"remotes/", 2, "a remote that stands in no config"},
	{"branches/", 2, "a remote that stands in no config"},
	{"refs/replace/", 21, "git shows other commits or files than there are"},
	{"info/grafts", 21, "git shows other commits or files than there are"},
	{"objects/info/alternates", 3, "git takes objects from elsewhere"},
	{"lazygit.yml", 2, "lazygit runs what it names"},
	{"sl/", 2, "settings of another version control"},
	{"safe/", 9, "some shells put this work tree's programs in front of all others"},
};

static bool git_place(struct item *it, const char *in)
{
	/* modules/NAME/..., worktrees/NAME/...: NAME may have slashes, so any tail is tried */
	bool nested = has_prefix(in, "modules/") || has_prefix(in, "worktrees/");
	for (const char *p = in; p; p = nested && (p = strchr(p, '/')) ? p + 1 : NULL)
		for (size_t i = 0; i < ARRAY_LEN(git_places); i++) {
			const struct git_place *g = &git_places[i];
			size_t n = strlen(g->name);
			bool dir = g->name[n - 1] == '/';
			/* a link in the place of the directory counts as well */
			bool itself = dir && strncmp(p, g->name, n - 1) == 0 && !p[n - 1] &&
				it->pub.type != CHANGE_DIR;
			if (dir ? !(itself || has_prefix(p, g->name)) : !streq(p, g->name))
				continue;
			n = strlen(p);
			if (streq(g->name, "hooks/") && n > 7 && streq(p + n - 7, ".sample"))
				return false;
			size_t path = strlen(it->pub.path);
			set(it, p == in ? g->per : 3, true, path, g->what);
			return true;
		}
	return false;
}

static bool is_there(const struct change *c, const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	if (snprintf(path, sizeof(path), "%s%s%s", dir, *dir ? "/" : "", name) >= (int)sizeof(path))
		return false;
	for (size_t k = 0; k < c->n_uppers; k++)
		if (place_stat(c->upper[k], path, &st) == 0 && !S_ISCHR(st.st_mode))
			return true;
	return place_stat(c->base, path, &st) == 0;
}

/* Does the place hold a git directory without being called .git?  As git sees it: with a commondir,
 * all but HEAD is somewhere else. */
static bool is_bare(const struct change *c, const char *dir)
{
	return is_there(c, dir, "HEAD") &&
		((is_there(c, dir, "objects") && is_there(c, dir, "refs")) ||
			is_there(c, dir, "commondir"));
}

static bool bare_repository(struct change *c, struct item *it)
{
	static const char *const names[] = {
		"HEAD", "objects", "refs", "config", "hooks", "commondir", "config.worktree"};
	for (const char *p = it->pub.path;;) {
		/* every component that a git directory has: is its parent one? */
		size_t n = strcspn(p, "/");
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			if (n != strlen(names[i]) || strncmp(p, names[i], n) != 0)
				continue;
			size_t len = p == it->pub.path ? 0 : (size_t)(p - it->pub.path - 1);
			char *dir = arena_dupn(&c->arena, it->pub.path, len);
			if (dir && is_bare(c, dir)) {
				set(it, 5, true, len ? len : n, "a bare git repository");
				return true;
			}
		}
		if (!p[n])
			return false;
		p += n + 1;
	}
}

/* A directory of the table above, or the entry itself called like one. */
static bool by_directory(struct item *it)
{
	const char *path = it->pub.path;
	char parent[NAME_MAX + 1] = "", base[NAME_MAX + 1];
	for (const char *p = path;;) {
		size_t n = strcspn(p, "/");
		bool last = !p[n];
		if (n > NAME_MAX)
			return false;
		memcpy(base, p, n);
		base[n] = '\0';
		size_t len = (size_t)(p - path) + n;
		if (streq(base, "node_modules") && !last) {
			set(it, 15, false, len, "npm packages");
			return true;
		}
		uint16_t row = persist_dir(base, parent);
		const struct persist_rule *r = persist_row(row);
		if (r && (!last || it->pub.type != CHANGE_DIR)) {
			set(it, r->per, r->automatic, len, r->what);
			return true;
		}
		if (last)
			return false;
		memcpy(parent, base, n + 1);
		p += n + 1;
	}
}

static bool leads_out(struct change *c, const struct item *it)
{
	char to[TARGET_MAX];
	return entry_link(c, &it->now, it->pub.path, to) < 0 ||
		path_link_leads_out(it->pub.path, to);
}

bool trip_reads(const struct item *it)
{
	const struct persist_rule *r = persist_row(it->rule);
	if (it->text != GIT_TEXT_NONE)
		return true;
	return r &&
		(r->check == CHECK_ATTRIBUTES || r->check == CHECK_MODULES ||
			r->check == CHECK_PYC);
}

/* Its first bytes alone count, however long it is. */
static bool reads_head(const struct item *it)
{
	const struct persist_rule *r = persist_row(it->rule);
	return r && r->check == CHECK_PYC;
}

/* Bytes: what is longer is not known. */
static size_t reads_max(const struct item *it)
{
	switch (it->text) {
	case GIT_TEXT_PACKED_REFS:
	case GIT_TEXT_MERGE_RR:
		return PACKED_REFS_MAX;
	case GIT_TEXT_INDEX:
		return INDEX_MAX;
	default:
		return GIT_CONFIG_MAX;
	}
}

/* A file that the sandbox changed, and of which its index says that git is not to look at it. */
struct unseen {
	const struct change *c;
	const char *git; /* the git directory, of git_len bytes, in the work tree */
	size_t git_len;
	bool any;
};

static void one_unseen(void *ctx, const char *path)
{
	struct unseen *u = ctx;
	char full[PATH_MAX];
	struct stat st;
	const size_t top = u->git_len - strlen(".git");
	/* which one it is stands in the other file of a split index */
	u->any |= !path;
	if (u->any ||
		snprintf(full, sizeof(full), "%.*s%s", (int)top, u->git, path) >= (int)sizeof(full))
		return;
	/* a directory of a sparse index; it is in an upper when something in it changed */
	const size_t n = strlen(full);
	const bool dir = n && full[n - 1] == '/';
	if (dir)
		full[n - 1] = '\0';
	for (size_t k = 0; k < u->c->n_uppers && !u->any; k++)
		u->any = place_stat(u->c->upper[k], full, &st) == 0 &&
			(S_ISREG(st.st_mode) || (dir && S_ISDIR(st.st_mode)));
}

static bool hides(const struct change *c, const struct item *it, const char *text, size_t n)
{
	struct unseen u = {.c = c, .git = it->pub.path, .git_len = git_dir_len(it->pub.path)};
	/* of a submodule or another work tree it isn't known where the files are */
	if (strchr(it->pub.path + u.git_len + 1, '/'))
		return false;
	git_index_unseen(text, n, NULL, 0, one_unseen, &u);
	return u.any;
}

/* More than comments, as a new repository has them. */
static bool excludes(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i += strcspn(text + i, "\n") + 1)
		if (!text[i] || !strchr("#\r\n", text[i]))
			return true;
	return false;
}

/* A shell runs it when it is completed. */
static bool runs_completed(const char *text, size_t n)
{
	return memchr(text, '`', n) || memmem(text, n, "$(", 2) || memmem(text, n, "${", 2);
}

/* As the scan at the end of a run has it (git-dirs.c, git-state.c); text has room for a NUL. */
static bool git_text_holds(
	const struct change *c, const struct item *it, const char *text, size_t n)
{
	static const char replaced[] = " refs/replace/";
	char name[64];
	if (it->text == GIT_TEXT_INDEX)
		return git_index_odd(text, n, name, sizeof(name)) != 0 || hides(c, it, text, n);
	if (it->text == GIT_TEXT_MERGE_RR)
		return git_merge_rr_odd(text, n);
	if (it->text == GIT_TEXT_EXCLUDE)
		return excludes(text, n);
	if (it->text == GIT_TEXT_PACKED_REFS)
		return memmem(text, n, replaced, sizeof(replaced) - 1) || runs_completed(text, n);
	for (size_t i = 0; i < n; i++)
		if (memchr("$`%", text[i], 3))
			return true;
	return false;
}

static bool names_driver(const char *text, size_t n)
{
	static const char *const words[] = {"filter=", "diff=", "merge="};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (memmem(text, n, words[i], strlen(words[i])))
			return true;
	return false;
}

static bool runs_update(struct change *c, const char *text, size_t n)
{
	struct git_config g;
	if (git_config_parse(&c->arena, text, n, &g, NULL) < 0)
		return true; /* git may read it otherwise */
	for (size_t i = 0; i < g.n; i++)
		if (git_config_module_runs(&g.v[i]))
			return true;
	return false;
}

static bool holds(struct change *c, const struct item *it, const char *text, size_t n)
{
	const struct persist_rule *r = persist_row(it->rule);
	if (it->text != GIT_TEXT_NONE)
		return git_text_holds(c, it, text, n);
	if (!r || it->pub.type != CHANGE_FILE)
		return true;
	if (r->check == CHECK_ATTRIBUTES)
		return names_driver(text, n);
	if (r->check == CHECK_PYC)
		return persist_pyc_runs(it->pub.path, text, n);
	return r->check != CHECK_MODULES || runs_update(c, text, n);
}

bool trip_holds_file(struct change *c, const struct item *it, int fd)
{
	struct stat st;
	const size_t max = reads_max(it);
	if (fstat(fd, &st) < 0 || (st.st_size > (off_t)max && !reads_head(it)))
		return true;
	/* one more than there is: it may grow, and a NUL has its place */
	const size_t size = MIN((size_t)st.st_size, max);
	_cleanup_free_ char *text = calloc(size + 2, 1);
	ssize_t n = text ? fd_read_full(fd, text, size + 1) : -1;
	return n < 0 || ((size_t)n > size && !reads_head(it)) ||
		holds(c, it, text, MIN((size_t)n, size));
}

/* The same of the file as it lies in the upper. */
static bool holds_now(struct change *c, const struct item *it)
{
	if (it->pub.type != CHANGE_FILE || !trip_reads(it))
		return true;
	_cleanup_close_ int fd = entry_open(c, &it->now, it->pub.path);
	return fd < 0 || trip_holds_file(c, it, fd);
}

/* Of a file of git's own, or of a submodule's or work tree's; not of a branch or log of that name.
 */
static enum git_text text_of(const char *in)
{
	static const struct {
		const char *name;
		enum git_text text;
	} table[] = {{"HEAD", GIT_TEXT_HEAD}, {"packed-refs", GIT_TEXT_PACKED_REFS},
		{"index", GIT_TEXT_INDEX}, {"MERGE_RR", GIT_TEXT_MERGE_RR}};
	const char *name = path_base(in);
	if (streq(in, "info/exclude"))
		return GIT_TEXT_EXCLUDE;
	bool nested = has_prefix(in, "modules/") || has_prefix(in, "worktrees/");
	if ((name != in && !nested) || strstr(in, "/logs/") || strstr(in, "/refs/"))
		return GIT_TEXT_NONE;
	if (has_prefix(name, "sharedindex."))
		return GIT_TEXT_INDEX;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (streq(name, table[i].name))
			return table[i].text;
	return GIT_TEXT_NONE;
}

/* In a git directory.  git makes no links there, and what it writes (the message of a commit, the
 * logs of what a branch was) it writes to where one leads. */
static void git_file(struct change *c, struct item *it, const char *in)
{
	if (git_place(it, in))
		return;
	size_t n = strlen(it->pub.path);
	if (it->pub.type == CHANGE_LINK) {
		set(it, leads_out(c, it) ? 20 : 3, true, n, "a link among git's files");
		return;
	}
	if (has_prefix(in, "refs/") && runs_completed(in, strlen(in))) {
		set(it, 9, true, n, "a branch that a shell runs when it is completed");
		return;
	}
	it->text = text_of(in);
	if (it->text == GIT_TEXT_NONE || it->pub.type == CHANGE_DIR || !holds_now(c, it))
		return; /* it->text stays: it is asked again */
	if (it->text == GIT_TEXT_HEAD)
		set(it, 9, true, n, "a branch that a shell's prompt may run");
	else if (it->text == GIT_TEXT_INDEX)
		set(it, 3, true, n,
			"git restore writes what it names, or it says what git does not show");
	else if (it->text == GIT_TEXT_MERGE_RR)
		set(it, 20, true, n, "git copies what it names into its own directory");
	else if (it->text == GIT_TEXT_EXCLUDE)
		set(it, 21, true, n, "git status does not show what it names");
	else
		set(it, 21, true, n, "git shows other commits or files than there are");
}

/* Is a Python source beside the compiled module? */
static bool has_source(const struct change *c, const char *path)
{
	char dir[PATH_MAX], source[NAME_MAX + 8];
	const char *base = path_base(path);
	const size_t n = base > path ? (size_t)(base - path) - 1 : 0;
	if (snprintf(dir, sizeof(dir), "%.*s", (int)n, path) >= (int)sizeof(dir))
		return true;
	return is_there(c, dir, "__init__.py") ||
		(persist_module_source(base, source, sizeof(source)) && is_there(c, dir, source));
}

static bool by_name(struct change *c, struct item *it)
{
	const char *base = path_base(it->pub.path);
	uint16_t row = persist_file(base, base == it->pub.path);
	const struct persist_rule *r = persist_row(row);
	if (!r || it->pub.type == CHANGE_DIR || r->check == CHECK_TOLD)
		return false;
	if (r->check == CHECK_BESIDE && !has_source(c, it->pub.path))
		return false;
	if (r->check == CHECK_EXEC && it->pub.type == CHANGE_FILE && !(it->pub.mode & 0111))
		return false;
	it->rule = row;
	if (!holds_now(c, it))
		return false; /* it->rule stays: it is asked again */
	set(it, r->per, r->automatic, strlen(it->pub.path), r->what);
	return true;
}

static bool below_hooks(const struct change *c, struct item *it)
{
	const char *hooks = c->req->hooks;
	if (!hooks || !path_within(it->pub.path, hooks) ||
		(streq(it->pub.path, hooks) && it->pub.type == CHANGE_DIR))
		return false;
	set(it, 6, true, strlen(it->pub.path), "git hook (core.hooksPath)");
	return true;
}

/* Of a directory with programs, the programs. */
static bool by_host(const struct change *c, struct item *it)
{
	const struct host_place *p = it->pub.type == CHANGE_DIR
		? NULL
		: named_of(c, it->pub.path, it->pub.type == CHANGE_LINK,
			  it->pub.type != CHANGE_FILE || (it->pub.mode & 0111));
	if (!p)
		return false;
	set(it, p->per, !p->asked, strlen(it->pub.path), p->why);
	return true;
}

void trip_check(struct change *c, struct item *it)
{
	size_t git;
	if (it->pub.kind == CHANGE_DELETED || it->pub.kind == CHANGE_ODD)
		return;
	if ((git = git_dir_len(it->pub.path))) {
		if (it->pub.path[git])
			git_file(c, it, it->pub.path + git + 1);
		else if (it->pub.type != CHANGE_DIR)
			set(it, 3, true, git, "git takes its settings and hooks from elsewhere");
		return;
	}
	if (below_hooks(c, it) || by_directory(it) || by_name(c, it) || bare_repository(c, it) ||
		by_host(c, it))
		return;
	if (it->pub.type == CHANGE_LINK && leads_out(c, it))
		set(it, 20, false, strlen(it->pub.path), "a link that leads out of the workspace");
}
