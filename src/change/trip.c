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

/* Does the place hold a git directory without being called .git? */
static bool is_bare(const struct change *c, const char *dir)
{
	static const char *const parts[] = {"HEAD", "objects", "refs"};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char path[PATH_MAX];
		struct stat st;
		bool there = false;
		if (snprintf(path, sizeof(path), "%s%s%s", dir, *dir ? "/" : "", parts[i]) >=
			(int)sizeof(path))
			return false;
		for (size_t k = 0; !there && k < c->n_uppers; k++)
			there = place_stat(c->upper[k], path, &st) == 0 && !S_ISCHR(st.st_mode);
		if (!there && place_stat(c->base, path, &st) < 0)
			return false;
	}
	return true;
}

static bool bare_repository(struct change *c, struct item *it)
{
	static const char *const names[] = {"HEAD", "objects", "refs", "config", "hooks"};
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

static bool leads_out(const char *path, const char *to)
{
	int depth = 0;
	if (to[0] == '/')
		return true;
	for (const char *p = path; (p = strchr(p, '/')); p++)
		depth++;
	while (*to) {
		size_t n = strcspn(to, "/");
		if (n == 2 && to[0] == '.' && to[1] == '.')
			depth--;
		else if (n && !(n == 1 && to[0] == '.'))
			depth++;
		if (depth < 0)
			return true;
		to += n + (to[n] == '/');
	}
	return false;
}

bool trip_reads(const struct item *it)
{
	const struct persist_rule *r = persist_row(it->rule);
	return r &&
		(r->check == CHECK_ATTRIBUTES || r->check == CHECK_MODULES ||
			r->check == CHECK_PYC);
}

bool trip_reads_head(const struct item *it)
{
	const struct persist_rule *r = persist_row(it->rule);
	return r && r->check == CHECK_PYC;
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

bool trip_holds(struct change *c, const struct item *it, const char *text, size_t n)
{
	const struct persist_rule *r = persist_row(it->rule);
	if (!r || it->pub.type != CHANGE_FILE)
		return true;
	if (r->check == CHECK_ATTRIBUTES)
		return names_driver(text, n);
	if (r->check == CHECK_PYC)
		return persist_pyc_runs(it->pub.path, text, n);
	return r->check != CHECK_MODULES || runs_update(c, text, n);
}

/* As trip_holds, of the file as it lies in the upper. */
static bool holds_now(struct change *c, const struct item *it)
{
	if (it->pub.type != CHANGE_FILE || !trip_reads(it))
		return true;
	_cleanup_close_ int fd = entry_open(c, &it->now, it->pub.path);
	if (fd < 0 || (it->now.st.st_size > (off_t)GIT_CONFIG_MAX && !trip_reads_head(it)))
		return true;
	_cleanup_free_ char *text = malloc(GIT_CONFIG_MAX);
	ssize_t n = text ? fd_read_full(fd, text, GIT_CONFIG_MAX) : -1;
	return n < 0 || trip_holds(c, it, text, (size_t)n);
}

static bool by_name(struct change *c, struct item *it)
{
	const char *base = path_base(it->pub.path);
	uint16_t row = persist_file(base, base == it->pub.path);
	const struct persist_rule *r = persist_row(row);
	if (!r || it->pub.type == CHANGE_DIR || r->check == CHECK_TOLD)
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

void trip_check(struct change *c, struct item *it)
{
	char to[TARGET_MAX];
	size_t git;
	if (it->pub.kind == CHANGE_DELETED || it->pub.kind == CHANGE_ODD)
		return;
	if ((git = git_dir_len(it->pub.path))) {
		if (it->pub.path[git])
			git_place(it, it->pub.path + git + 1);
		else if (it->pub.type != CHANGE_DIR)
			set(it, 3, true, git, "git takes its settings and hooks from elsewhere");
		return;
	}
	if (below_hooks(c, it) || by_directory(it) || by_name(c, it) || bare_repository(c, it))
		return;
	if (it->pub.type == CHANGE_LINK &&
		(entry_link(c, &it->now, it->pub.path, to) < 0 || leads_out(it->pub.path, to)))
		set(it, 20, false, strlen(it->pub.path), "a link that leads out of the workspace");
}
