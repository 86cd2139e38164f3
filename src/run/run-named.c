/* run/run-named.c - see named.h
 *
 * Theory: who keeps the files that begin with a dot in a repository has links to them in the home,
 * where shells, editors and git look; whoever writes to such a file writes to what they start with.
 * Which links there are only the home says.  Those are followed that by what they say lead to
 * somewhere in the home or in the workspace: what leads elsewhere may be on a server that does not
 * answer.
 */
#include "run/named.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/dir-record.h"
#include "base/path.h"
#include "scan/persist.h"

#define ENTRIES_MAX 20000u
#define ENTRIES_EACH 1000u
#define NAMED_MAX 1000u

/* Below the home, and how deep: each directory costs time at the end of a run. */
static const struct place {
	const char *dir;
	int depth;
} places[] = {
	{"", 0},
	{".config", 1},
	{".config/fish/conf.d", 0},
	{".config/fish/functions", 0},
	{".config/nvim/lua", 1},
	{".config/nvim/plugin", 0},
	{".config/systemd/user", 1},
	{"bin", 0},
	{".bin", 0},
	{".local/bin", 0},
	{".local/share/applications", 0},
	{".local/share/nvim/site/pack", 2},
	{".ssh", 1},
	{".gnupg", 0},
	{".vim", 3},
	{".emacs.d", 1},
	{".zsh", 1},
	{".zfunc", 0},
	{".oh-my-zsh/custom", 2},
	{".bashrc.d", 0},
	{".bash_completion.d", 0},
	{".tmux", 1},
	{".claude", 1},
	{".codex", 1},
	{".gemini", 1},
	{".cursor", 1},
	{".cargo", 1},
	{".docker", 1},
	{".kube", 0},
	{".git-template", 1},
	{".git-templates", 1},
	{".githooks", 0},
	{".opencode", 1},
	{".agents", 1},
	{".copilot", 1},
	{".ipython", 2},
	{".jupyter", 1},
	{".julia", 1},
	{".gradle", 1},
	{".m2", 0},
	{".sbt", 1},
	{".lein", 0},
	{".terraform.d", 1},
	{".zprezto", 1},
	{".doom.d", 1},
	{".vscode/extensions", 0},
	{".asdf/plugins", 0},
	{".rbenv/plugins", 0},
	{".pyenv/plugins", 0},
	{".nodenv/plugins", 0},
	{".local/share/bash-completion/completions", 0},
	{".local/share/cinnamon", 1},
	{".local/share/gh/extensions", 0},
	{".local/share/gnome-shell/extensions", 0},
	{".local/share/mise/plugins", 0},
	{".local/share/nautilus/scripts", 0},
	{".local/share/nvim/lazy", 0},
	{".local/share/plasma/plasmoids", 0},
	{".local/share/systemd/user", 1},
	{".local/share/zinit/plugins", 0},
	{".local/share/zsh/site-functions", 0},
};

struct find {
	struct arena *a;
	const char *home, *real, *root; /* the home as it is called, and as it is */
	struct scan_named *v;
	size_t n, cap;
	unsigned int looked_at;
};

static void add(struct find *f, const char *path, const char *why, bool flat)
{
	struct scan_named *v = f->n < NAMED_MAX ? arena_grow(f->a, f->v, f->n, &f->cap, sizeof(*v))
						: NULL;
	if (!v || !why)
		return;
	f->v = v;
	v[f->n++] = (struct scan_named){.path = path, .why = why, .per = 9, .flat = flat};
}

/* A directory that lies in the root as a whole, and is no more than another name of it. */
static bool says_something(const struct find *f, const char *rel, const char *to)
{
	return !streq(to, f->root) || rel[0] == '.' || strchr(rel, '/');
}

/* Does it, as it is written, lie where looking is no risk? */
static bool is_near(const struct find *f, const char *path)
{
	return path_within(path, f->home) || path_within(path, f->real) ||
		path_within(path, f->root);
}

/* dir/to with its ".." taken literally: which is where it would lead if there were no links. */
static const char *joined(const struct find *f, const char *dir, const char *to)
{
	char *out = *to == '/' ? arena_dup(f->a, to) : path_join(f->a, dir, to);
	for (char *up; out && (up = strstr(out, "/.."));) {
		if (up[3] && up[3] != '/')
			return NULL; /* a name that begins with dots: rare, and not worth more */
		char *from = up;
		while (from > out && *--from != '/')
			;
		memmove(from, up + 3, strlen(up + 3) + 1);
	}
	return out;
}

/* rel: as the home calls it; NULL: it lies elsewhere. */
static void link_found(struct find *f, const char *path, const char *rel)
{
	char to[PATH_MAX];
	const char *dir = path ? path_parent(f->a, path) : NULL;
	ssize_t n = dir ? readlinkat(AT_FDCWD, path, to, sizeof(to) - 1) : -1;
	if (n <= 0)
		return;
	to[n] = '\0';
	const char *written = joined(f, dir, to);
	if (!written || !is_near(f, written))
		return;
	/* what is not there yet is where it would be */
	const char *end = path_settle(f->a, *to == '/' ? to : path_join(f->a, dir, to));
	if (end && path_within(end, f->root) && says_something(f, rel ? rel : path, end))
		add(f, end,
			arena_printf(f->a, "%s%s leads there", rel ? "~/" : "", rel ? rel : path),
			false);
}

/* rel: as above, of the directory path. */
static void look_in(struct find *f, const char *path, const char *rel, int depth)
{
	_cleanup_close_ int fd = path
		? path_openat2(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
			  RESOLVE_NO_SYMLINKS)
		: -1;
	unsigned int n = 0;
	struct dir_reader d;
	const struct dir_record *e;
	struct stat st;
	d.fd = fd;
	d.n = d.at = 0;
	while (fd >= 0 && (e = dir_next(&d)) && n++ < ENTRIES_EACH &&
		f->looked_at++ < ENTRIES_MAX) {
		if (e->d_type != DT_LNK && e->d_type != DT_DIR && e->d_type != DT_UNKNOWN)
			continue;
		const bool link = e->d_type == DT_LNK ||
			(e->d_type == DT_UNKNOWN &&
				fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
				S_ISLNK(st.st_mode));
		if (!link && !depth)
			continue;
		const char *below = path_join(f->a, path, e->d_name), *as = rel;
		if (rel)
			as = *rel ? path_join(f->a, rel, e->d_name) : arena_dup(f->a, e->d_name);
		if (link)
			link_found(f, below, as);
		else if (e->d_type == DT_DIR)
			look_in(f, below, as, depth - 1);
	}
}

/* Programs of packages and environments are listed as such. */
static bool is_told(const char *dir)
{
	char up[PATH_MAX];
	if (snprintf(up, sizeof(up), "%s", dir) >= (int)sizeof(up))
		return true;
	char *slash = strrchr(up, '/');
	if (slash)
		*slash = '\0';
	return strstr(dir, "/node_modules/") || persist_dir(path_base(dir), path_base(up));
}

/* Programs that are links to what lies in the root, by way of others perhaps: npm link's, and a
 * person's own. */
static void links_of(struct find *f, const char *dir)
{
	const size_t n = strlen(f->real);
	const char *rel = path_within(dir, f->real) ? dir + n + strspn(dir + n, "/") : NULL;
	look_in(f, dir, rel, 0);
}

static void by_path(struct find *f)
{
	char *list = arena_dup(f->a, getenv("PATH") ? getenv("PATH") : "");
	for (char *p = list, *dir; (dir = strsep(&p, ":"));) {
		/* a relative one is another in each directory */
		const bool local = has_prefix(dir, "/usr/local/");
		const char *end = *dir == '/' && (local || is_near(f, dir)) ? path_settle(f->a, dir)
									    : NULL;
		if (!end)
			continue;
		if (!path_within(end, f->root))
			links_of(f, end);
		else if (!is_told(end))
			add(f, end, "a directory of your PATH", true);
	}
}

static void by_variables(struct find *f)
{
	static const char *const names[] = {"BASH_ENV", "ENV", "ZDOTDIR", "INPUTRC",
		"GIT_CONFIG_GLOBAL", "PYTHONSTARTUP", "STARSHIP_CONFIG", "RIPGREP_CONFIG_PATH",
		"NPM_CONFIG_USERCONFIG", "npm_config_userconfig", "KUBECONFIG", "DIRENV_CONFIG",
		"TMUX_CONF", "SCREENRC", "WGETRC", "CURL_HOME", "DOCKER_CONFIG"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *v = getenv(names[i]);
		const char *end = v && *v == '/' && is_near(f, v) ? path_settle(f->a, v) : NULL;
		if (end && path_within(end, f->root))
			add(f, end, arena_printf(f->a, "your %s names it", names[i]), false);
	}
}

int run_named_find(
	struct arena *a, const char *home, const char *root, struct scan_named **ret, size_t *ret_n)
{
	struct find f = {.a = a, .home = home, .root = root};
	*ret = NULL;
	*ret_n = 0;
	f.real = home && *home == '/' ? path_real(a, home) : NULL;
	if (!f.real)
		return a->failed ? -ENOMEM : 0;
	/* a workspace that holds the home is none */
	for (size_t i = 0; !path_within(f.real, root) && i < ARRAY_LEN(places); i++)
		look_in(&f, *places[i].dir ? path_join(a, f.real, places[i].dir) : f.real,
			places[i].dir, places[i].depth);
	by_path(&f);
	by_variables(&f);
	*ret = f.v;
	*ret_n = f.n;
	return a->failed ? -ENOMEM : 0;
}
