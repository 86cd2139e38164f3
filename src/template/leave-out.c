/* template/leave-out.c - see leave-out.h */
#include "template/leave-out.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"

#define SEED_DEPTH_MAX 64

/* Below a home; the last name may have a '*'. */
static const char *const in_home[] = {
	/* log-ins, keys and transcripts of agents */
	".claude/.credentials.json", ".claude/projects", ".claude/history.jsonl", ".claude/todos",
	".claude/shell-snapshots", ".claude/backups", ".claude/file-history", ".claude/debug",
	".claude/session-env", ".claude/sessions", ".claude/paste-cache", ".claude/statsig",
	".claude/telemetry", ".claude/ide", ".claude.json*", ".codex/auth.json", ".codex/sessions",
	".codex/archived_sessions", ".codex/history*", ".codex/log", ".codex/logs*",
	".codex/*.sqlite*", ".codex/shell_snapshots", ".codex/memories", ".codex/.credentials*",
	".gemini/oauth_creds.json", ".gemini/google_account*", ".gemini/gemini-credentials.json",
	".gemini/mcp-oauth-tokens*", ".gemini/a2a-oauth-tokens*", ".gemini/.env", ".gemini/tmp",
	".gemini/history", ".local/share/opencode/auth.json", ".local/share/opencode/mcp-auth.json",
	".local/share/opencode/opencode.db*", ".local/share/opencode/log",
	".local/share/opencode/snapshot", ".local/share/opencode/storage",
	".local/share/opencode/repos", ".local/share/opencode/tool-output", ".local/state/opencode",
	".config/gh", ".config/glab-cli", ".config/hub", ".config/github-copilot",
	/* what was typed */
	".bash_history", ".zsh_history", ".zhistory", ".zsh_sessions", ".histfile", ".ash_history",
	".sh_history", ".history", ".local/share/fish/fish_history*", ".python_history",
	".node_repl_history", ".ts_node_repl_history", ".bun_repl_history", ".deno_history",
	".sqlite_history", ".psql_history", ".mysql_history", ".mariadb_history",
	".rediscli_history", ".mongosh", ".dbshell", ".irb_history", ".pry_history", ".php_history",
	".gdb_history", ".R*history", ".julia_history", ".scala_history", ".lesshst", ".viminfo",
	".local/state/vim", ".local/state/nvim", ".local/state/bash", ".local/state/lesshst",
	".local/state/python_history", ".local/share/nano/search_history", ".wget-hsts",
	".npm/_logs", ".ipython/profile_default/history.sqlite*", ".local/share/jupyter/runtime",
	".sudo_as_admin_successful"};

/* Of bawn's own; the accounts are kept, as packages add theirs to them. */
static const char *const seed_stays[] = {
	"etc/passwd", "etc/group", "usr/bin/sudo", "usr/bin/su", "usr/sbin/policy-rc.d"};

/* Below a home: what a tool is told and how it is set up.  bawn puts the user's own there at each
 * start, but what was changed inside is meant to stay. */
static const char *const of_tools[] = {
	".claude/", ".codex/", ".gemini/", ".config/opencode/", ".agents/"};

/* Where a variable of the image's says that a tool has its files: those names below a home that
 * begin with `of` are, less `less`, below its value. */
static const struct {
	const char *variable, *of, *less;
} elsewhere[] = {
	{"CODEX_HOME", ".codex/", ".codex/"},
	{"CLAUDE_CONFIG_DIR", ".claude/", ".claude/"},
	{"CLAUDE_CONFIG_DIR", ".claude.json", ""},
	{"GEMINI_CLI_HOME", ".gemini/", ""},
	{"XDG_CONFIG_HOME", ".config/", ".config/"},
	{"XDG_DATA_HOME", ".local/share/", ".local/share/"},
	{"XDG_STATE_HOME", ".local/state/", ".local/state/"},
};

static bool is_dots(const char *name)
{
	return streq(name, ".") || streq(name, "..");
}

static int open_below(int dir, const char *path)
{
	return path_openat2(dir, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* The names in dir/parent that fit the glob; the directory is the sandbox's: names are taken,
 * nothing else of it. */
static void look_up(
	struct arena *a, int dir, const char *parent, const char *glob, struct strv *ret)
{
	int fd = open_below(dir, parent);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *e; (e = readdir(d));)
		if (!is_dots(e->d_name) && fnmatch(glob, e->d_name, 0) == 0)
			strv_addf(a, ret, "%s/%s", parent, e->d_name);
	closedir(d);
}

/* An absolute path as a name below the root, without a trailing slash; NULL: none, or one that has
 * to be worked out. */
static char *below_root(struct arena *a, const char *path)
{
	if (!path || path[0] != '/' || !path[1] || strstr(path, "//") || strstr(path, "/."))
		return NULL;
	size_t n = strlen(path + 1);
	return arena_dupn(a, path + 1, n - (path[n] == '/'));
}

/* Where a name below a home may be: in each home, and where variables say. */
static void places(struct arena *a, const struct strv *homes, const struct strv *env,
	const char *name, struct strv *ret)
{
	for (size_t h = 0; h < homes->n; h++)
		strv_push(a, ret, path_join(a, homes->v[h], name));
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
		if (!has_prefix(name, elsewhere[i].of))
			continue;
		char *dir = below_root(a, strv_env_get(env, elsewhere[i].variable));
		if (dir)
			strv_push(a, ret, path_join(a, dir, name + strlen(elsewhere[i].less)));
	}
}

static void one(struct arena *a, char *path, const int *dirs, size_t n, struct strv *ret)
{
	char *slash = path ? strrchr(path, '/') : NULL;
	if (!slash)
		return;
	if (!strchr(slash, '*')) {
		strv_push(a, ret, path);
		return;
	}
	*slash = '\0';
	for (size_t i = 0; i < n; i++)
		look_up(a, dirs[i], path, slash + 1, ret);
}

static bool is_of_tool(const struct strv *tools, const char *path)
{
	for (size_t i = 0; i < tools->n; i++)
		if (tools->v[i] && path_within(path, tools->v[i]))
			return true;
	return false;
}

static int open_file(int dir, const char *path)
{
	return path_openat2(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static bool same_bytes(int one, int two)
{
	char b[2][16384];
	for (off_t at = 0;;) {
		ssize_t n = fd_pread_full(one, b[0], sizeof(b[0]), at);
		if (n < 0 || fd_pread_full(two, b[1], sizeof(b[1]), at) != n ||
			memcmp(b[0], b[1], (size_t)n) != 0)
			return false;
		if (n == 0)
			return true;
		at += n;
	}
}

/* Was the file that bawn put at path written anew inside, with other content? */
static bool is_changed(int seed, const int *dirs, size_t n_dirs, const char *path)
{
	for (size_t i = 0; i < n_dirs; i++) {
		_cleanup_close_ int now = open_file(dirs[i], path);
		struct stat st;
		if (now == -ENOENT || now == -ENOTDIR)
			continue;
		if (now < 0 || fstat(now, &st) < 0 || !S_ISREG(st.st_mode))
			return false;
		_cleanup_close_ int was = open_file(seed, path);
		return was >= 0 && !same_bytes(was, now);
	}
	return false;
}

struct seeds {
	struct arena *a;
	struct strv tools;
	int dir;
	const int *dirs;
	size_t n_dirs;
};

static void seeded(const struct seeds *s, const char *path, unsigned int depth, struct strv *ret)
{
	struct arena *a = s->a;
	int dir = s->dir;
	int fd = open_below(dir, path);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d || depth > SEED_DEPTH_MAX) {
		if (d)
			closedir(d);
		else if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *e; (e = readdir(d));) {
		struct stat st;
		if (is_dots(e->d_name) ||
			fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		char *inner = *path ? path_join(a, path, e->d_name) : arena_dup(a, e->d_name);
		bool stays = !inner;
		for (size_t i = 0; !stays && i < ARRAY_LEN(seed_stays); i++)
			stays = streq(inner, seed_stays[i]);
		if (!stays && S_ISDIR(st.st_mode))
			seeded(s, inner, depth + 1, ret);
		else if (!stays &&
			!(S_ISREG(st.st_mode) && is_of_tool(&s->tools, inner) &&
				is_changed(dir, s->dirs, s->n_dirs, inner)))
			strv_push(a, ret, inner);
	}
	closedir(d);
}

int leave_out(struct arena *a, const struct strv *homes, const struct strv *env, const int *dirs,
	size_t n_dirs, int seed, struct strv *ret)
{
	struct strv paths = {0};
	for (size_t i = 0; i < ARRAY_LEN(in_home) && !GUARD_REMOVED("leave-out"); i++)
		places(a, homes, env, in_home[i], &paths);
	for (size_t i = 0; i < paths.n; i++)
		one(a, paths.v[i], dirs, n_dirs, ret);
	struct seeds s = {.a = a, .dir = seed, .dirs = dirs, .n_dirs = n_dirs};
	for (size_t i = 0; i < ARRAY_LEN(of_tools); i++)
		places(a, homes, env, of_tools[i], &s.tools);
	if (seed >= 0)
		seeded(&s, "", 0, ret);
	return a->failed ? -ENOMEM : 0;
}
