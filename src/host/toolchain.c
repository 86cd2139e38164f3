/* host/toolchain.c - see toolchain.h
 *
 * Theory: a start lists the few directories that the rows lie in, and looks closer only at rows of
 * which the name is there; a directory of many entries isn't listed to its end, then each row costs
 * a stat.  What a tool installs into is writable, as agents do install: by an overlay, so that the
 * host's stays as it is.  A tool that keeps no credential in its directory comes along as a whole:
 * it moves files between the parts, and has its settings beside them.  Of the others parts are
 * named one by one: the directory itself then belongs to the sandbox's own home and stays writable
 * (lock files), and files that hold credentials are not there at all (credentials.toml,
 * settings.xml, gradle.properties, .npmrc; rbenv's vars, ghcup's config.yaml, the keys of .NET's
 * certificates), nor is what a plugin or a later version puts beside them.  A directory that an
 * environment variable names is believed only if it holds what the tool would have put there, and
 * never if it is the home directory, above it, or the workspace.  A file that is a link is followed
 * with care: who keeps such files elsewhere may have an agent work there.  What lies in a directory
 * that the user asked for is shown as it was asked for.
 */
#include "host/toolchain.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/dir-record.h"
#include "base/file.h"
#include "base/path.h"
#include "host/chase.h"

enum part_flag {
	PART_OVERLAY = 1,
	PART_FILE = 2,      /* a file, read-only */
	PART_NO_SECRET = 4, /* a file: left out when it seems to hold a credential */
	PART_COPY = 8,      /* a file that the tool itself writes: a copy */
};

struct part {
	const char *sub; /* below the tool's directory; "" is the directory itself */
	unsigned int flags;
};

#define PARTS_MAX 10

static const struct tool {
	const char *name;
	const char *env;    /* variable that names the directory, or NULL */
	const char *dir;    /* default, below $HOME; "": files in $HOME itself */
	const char *marker; /* what must be in a directory that env named; NULL: any of the parts */
	struct part parts[PARTS_MAX];
} tools[] = {
	{"cargo", "CARGO_HOME", ".cargo", NULL,
		{{"bin", PART_OVERLAY}, {"registry", PART_OVERLAY}, {"git", PART_OVERLAY},
			{".crates.toml", PART_FILE | PART_COPY | PART_NO_SECRET},
			{".crates2.json", PART_FILE | PART_COPY | PART_NO_SECRET},
			{"env", PART_FILE}, {"config.toml", PART_FILE | PART_NO_SECRET},
			{"config", PART_FILE | PART_NO_SECRET}}},
	{"rustup", "RUSTUP_HOME", ".rustup", "toolchains", {{"", PART_OVERLAY}}},
	{"nvm", "NVM_DIR", ".nvm", "nvm.sh", {{"", PART_OVERLAY}}},
	{"fnm", "FNM_DIR", ".local/share/fnm", "node-versions", {{"", PART_OVERLAY}}},
	{"volta", "VOLTA_HOME", ".volta", "tools", /* not hooks.json */
		{{"bin", PART_OVERLAY}, {"tools", PART_OVERLAY}, {"layout.v3", PART_FILE},
			{"layout.v4", PART_FILE}}},
	{"n", "N_PREFIX", "n", "n/versions",
		{{"bin", PART_OVERLAY}, {"lib", PART_OVERLAY}, {"n", PART_OVERLAY}}},
	{"bun", "BUN_INSTALL", ".bun", NULL, {{"bin", PART_OVERLAY}, {"install", PART_OVERLAY}}},
	{"deno", "DENO_INSTALL", ".deno", "bin/deno", {{"bin", PART_OVERLAY}}},
	{"deno cache", "DENO_DIR", ".cache/deno", NULL,
		{{"npm", PART_OVERLAY}, {"deps", PART_OVERLAY}, {"gen", PART_OVERLAY},
			{"remote", PART_OVERLAY}}},
	{"pnpm", "PNPM_HOME", ".local/share/pnpm", NULL,
		{{"bin", PART_OVERLAY}, {"nodejs", PART_OVERLAY}, {"global", PART_OVERLAY},
			{"store", PART_OVERLAY}, {".tools", PART_OVERLAY}, {"pnpm", PART_FILE},
			{"pnpx", PART_FILE}}},
	{"npm", NULL, ".npm", NULL, {{"_cacache", PART_OVERLAY}, {"_npx", PART_OVERLAY}}},
	{"npm global", "NPM_CONFIG_PREFIX", ".npm-global", NULL, /* see npm_prefix() */
		{{"bin", PART_OVERLAY}, {"lib", PART_OVERLAY}, {"lib/node_modules", PART_OVERLAY}}},
	{"yarn", NULL, ".yarn", NULL, {{"bin", PART_OVERLAY}, {"berry/cache", PART_OVERLAY}}},
	{"yarn global", NULL, ".config/yarn/global", NULL, {{"", PART_OVERLAY}}},
	{"yarn cache", NULL, ".cache/yarn", NULL, {{"", PART_OVERLAY}}},
	{"corepack", NULL, ".cache/node/corepack", NULL, {{"", PART_OVERLAY}}},
	{"node-gyp", NULL, ".cache/node-gyp", NULL, {{"", PART_OVERLAY}}},
	{"playwright", "PLAYWRIGHT_BROWSERS_PATH", ".cache/ms-playwright", NULL,
		{{"", PART_OVERLAY}}},
	{"pyenv", "PYENV_ROOT", ".pyenv", "versions", {{"", PART_OVERLAY}}},
	{"uv python", "UV_PYTHON_INSTALL_DIR", ".local/share/uv/python", NULL,
		{{"", PART_OVERLAY}}},
	{"uv tools", "UV_TOOL_DIR", ".local/share/uv/tools", NULL, {{"", PART_OVERLAY}}},
	{"uv cache", "UV_CACHE_DIR", ".cache/uv", "CACHEDIR.TAG", {{"", PART_OVERLAY}}},
	{"pipx", "PIPX_HOME", ".local/share/pipx", "venvs",
		{{"venvs", PART_OVERLAY}, {"shared", PART_OVERLAY}, {"py", PART_OVERLAY}}},
	{"pip cache", "PIP_CACHE_DIR", ".cache/pip", NULL,
		{{"http", PART_OVERLAY}, {"http-v2", PART_OVERLAY}, {"wheels", PART_OVERLAY}}},
	{"pip user", NULL, ".local/lib", NULL, {{NULL, 0}}}, /* python3.*: see add_matching() */
	{"poetry", NULL, ".local/share/pypoetry", NULL, {{"venv", 0}}},
	{"poetry cache", NULL, ".cache/pypoetry", NULL,
		{{"cache", PART_OVERLAY}, {"artifacts", PART_OVERLAY},
			{"virtualenvs", PART_OVERLAY}}},
	{"conda", "CONDA_PREFIX_1", "miniconda3", "conda-meta", {{"", PART_OVERLAY}}},
	{"conda forge", NULL, "miniforge3", "conda-meta", {{"", PART_OVERLAY}}},
	{"anaconda", NULL, "anaconda3", "conda-meta", {{"", PART_OVERLAY}}},
	{"go", "GOPATH", "go", NULL, /* src is the user's */
		{{"bin", PART_OVERLAY}, {"pkg", PART_OVERLAY}}},
	{"go sdk", NULL, "sdk", NULL, {{NULL, 0}}}, /* go1.*: see add_matching() */
	{"go root", "GOROOT", NULL, "bin/go", {{"", 0}}},
	{"go root", NULL, ".local/go", "bin/go", {{"", 0}}},
	{"go build cache", "GOCACHE", ".cache/go-build", NULL, {{"", PART_OVERLAY}}},
	{"mise", "MISE_DATA_DIR", ".local/share/mise", "installs",
		{{"installs", PART_OVERLAY}, {"shims", PART_OVERLAY}, {"plugins", PART_OVERLAY}}},
	{"mise config", "MISE_CONFIG_DIR", ".config/mise", NULL,
		{{"config.toml", PART_FILE | PART_COPY | PART_NO_SECRET}}},
	{"asdf", "ASDF_DATA_DIR", ".asdf", "installs",
		{{"installs", PART_OVERLAY}, {"shims", PART_OVERLAY}, {"plugins", PART_OVERLAY},
			{"bin", 0}, {"lib", 0}, {"asdf.sh", PART_FILE}}},
	/* which version counts where a project names none: looked for from there upwards */
	{"versions", NULL, "", NULL,
		{{".tool-versions", PART_FILE | PART_COPY | PART_NO_SECRET},
			{".asdfrc", PART_FILE | PART_COPY | PART_NO_SECRET},
			{".node-version", PART_FILE | PART_COPY | PART_NO_SECRET},
			{".nvmrc", PART_FILE | PART_COPY | PART_NO_SECRET},
			{".python-version", PART_FILE | PART_COPY | PART_NO_SECRET},
			{".ruby-version", PART_FILE | PART_COPY | PART_NO_SECRET},
			{".java-version", PART_FILE | PART_COPY | PART_NO_SECRET}}},
	{"rbenv", "RBENV_ROOT", ".rbenv", "versions", /* not vars */
		{{"versions", PART_OVERLAY}, {"shims", PART_OVERLAY}, {"bin", PART_OVERLAY},
			{"libexec", PART_OVERLAY}, {"plugins", PART_OVERLAY},
			{"rbenv.d", PART_OVERLAY}, {"completions", PART_OVERLAY},
			{"version", PART_FILE | PART_COPY}}},
	{"nodenv", "NODENV_ROOT", ".nodenv", "versions", /* not vars */
		{{"versions", PART_OVERLAY}, {"shims", PART_OVERLAY}, {"bin", PART_OVERLAY},
			{"libexec", PART_OVERLAY}, {"plugins", PART_OVERLAY},
			{"nodenv.d", PART_OVERLAY}, {"completions", PART_OVERLAY},
			{"version", PART_FILE | PART_COPY}}},
	{"rvm", NULL, ".rvm", "rubies",
		{{"rubies", PART_OVERLAY}, {"gems", PART_OVERLAY}, {"bin", 0}, {"scripts", 0}}},
	{"gem", NULL, ".gem", NULL, {{"ruby", PART_OVERLAY}}}, /* not credentials */
	{"gem user", NULL, ".local/share/gem", NULL, {{"ruby", PART_OVERLAY}}},
	{"bundler", NULL, ".bundle", NULL, {{"cache", PART_OVERLAY}}},
	{"sdkman", "SDKMAN_DIR", ".sdkman", "candidates", {{"", PART_OVERLAY}}},
	{"jdk", NULL, ".jdks", NULL, {{"", 0}}},
	{"java home", "JAVA_HOME", NULL, "bin/java", {{"", 0}}},
	{"gradle", "GRADLE_USER_HOME", ".gradle", NULL,
		{{"caches", PART_OVERLAY}, {"wrapper", PART_OVERLAY}, {"jdks", PART_OVERLAY}}},
	{"maven", NULL, ".m2", NULL, {{"repository", PART_OVERLAY}, {"wrapper", PART_OVERLAY}}},
	{"ivy", NULL, ".ivy2", NULL, {{"cache", PART_OVERLAY}}},
	{"coursier", NULL, ".cache/coursier", NULL, {{"", PART_OVERLAY}}},
	{"dotnet", "DOTNET_ROOT", ".dotnet", "dotnet", /* not corefx/cryptography */
		{{"sdk", PART_OVERLAY}, {"shared", PART_OVERLAY}, {"host", PART_OVERLAY},
			{"packs", PART_OVERLAY}, {"templates", PART_OVERLAY},
			{"sdk-manifests", PART_OVERLAY}, {"metadata", PART_OVERLAY},
			{"library-packs", PART_OVERLAY}, {"tools", PART_OVERLAY},
			{"dotnet", PART_FILE}}},
	{"dotnet tools", NULL, ".dotnet/tools", NULL, {{"", PART_OVERLAY}}},
	{"nuget", "NUGET_PACKAGES", ".nuget/packages", NULL, {{"", PART_OVERLAY}}},
	{"composer", NULL, ".cache/composer", NULL, {{"", PART_OVERLAY}}},
	{"ghcup", NULL, ".ghcup", "bin", /* not config.yaml */
		{{"bin", PART_OVERLAY}, {"ghc", PART_OVERLAY}, {"hls", PART_OVERLAY},
			{"cache", PART_OVERLAY}, {"db", PART_OVERLAY}, {"env", PART_FILE}}},
	{"stack", NULL, ".stack", NULL, {{"programs", PART_OVERLAY}, {"snapshots", PART_OVERLAY}}},
	{"opam", "OPAMROOT", ".opam", "config", {{"", PART_OVERLAY}}},
	{"elan", NULL, ".elan", "toolchains", {{"", PART_OVERLAY}}},
	{"zig cache", NULL, ".cache/zig", NULL, {{"", PART_OVERLAY}}},
	{"flutter", NULL, "flutter", "bin/flutter", {{"", PART_OVERLAY}}},
	{"pub", "PUB_CACHE", ".pub-cache", NULL,
		{{"hosted", PART_OVERLAY}, {"bin", PART_OVERLAY}, {"git", PART_OVERLAY},
			{"global_packages", PART_OVERLAY}}},
	{"android", "ANDROID_HOME", "Android/Sdk", "platforms", {{"", 0}}},
	{"ccache", "CCACHE_DIR", ".cache/ccache", NULL, {{"", PART_OVERLAY}}},
	{"sccache", "SCCACHE_DIR", ".cache/sccache", NULL, {{"", PART_OVERLAY}}},
	{"pre-commit", NULL, ".cache/pre-commit", NULL, {{"", PART_OVERLAY}}},
	/* terminals that this machine's ncurses doesn't know: kitty and ghostty name theirs */
	{"terminfo", NULL, ".terminfo", NULL, {{"", PART_OVERLAY}}},
	{"terminfo of the terminal", "TERMINFO", NULL, "x", {{"", 0}}},
};

/* What else there may be in a directory that comes along as a whole, or in a part of one: files
 * that only who keeps a credential in them has, and directories.  "*" is any name. */
static const struct {
	const char *tool, *place;
} shut[] = {
	/* npm config set --global */
	{"nvm", "versions/node/*/etc/npmrc"},
	{"fnm", "node-versions/*/installation/etc/npmrc"},
	{"volta", "tools/image/node/*/etc/npmrc"},
	{"mise", "installs/node/*/etc/npmrc"},
	{"asdf", "installs/nodejs/*/etc/npmrc"},
	{"nodenv", "versions/*/etc/npmrc"},
	{"PATH", "etc/npmrc"},
	/* pip config --site set */
	{"pyenv", "versions/*/pip.conf"},
	{"mise", "installs/python/*/pip.conf"},
	{"uv python", "*/pip.conf"},
	{"PATH", "pip.conf"},
	/* conda config --system, --env */
	{"conda", ".condarc"},
	{"conda", "envs/*/.condarc"},
	{"conda", "pip.conf"},
	{"conda", "envs/*/pip.conf"},
	{"opam", "plugins/opam-publish"},
};

/* Single programs in ~/.local/bin, which is never bound whole.  Links are recreated only if they
 * lead into something that is bound. */
static const char *const local_bin[] = {"uv", "uvx", "mise", "asdf", "fnm", "poetry", "pipx",
	"pnpm", "pnpx", "yarn", "node", "npm", "npx", "corepack", "bun", "deno", "python",
	"python3", "pip", "pip3", "ruff", "black", "mypy", "pytest", "tox", "nox", "pre-commit",
	"hatch", "pdm", "virtualenv", "cmake", "ninja", "meson", "just", "rg", "fd", "jq", "tsc",
	"zig", "go", "gofmt", NULL};

/* Where most rows lie, below $HOME; a directory comes behind those above it. */
static const char *const parents[] = {"", ".cache", ".local", ".local/share", ".config"};

enum { LISTING_MAX = 4096 };

struct listing {
	bool known;    /* names[] has been filled, or can't be */
	bool complete; /* names[] has all of them */
	size_t n;
	char *names; /* one after the other, each with its end */
};

struct finder {
	struct listing *listings; /* as parents[] */
	struct arena *a;
	const struct host_identity *id;
	const char *home; /* resolved */
	const char *workspace;
	const struct strv *further;
	const struct host_agent *agent;
	struct host_toolchains *out;
	struct host_agent chased; /* collects links */
};

/* In the workspace, or in what the user named beside it? */
static bool asked_for(const struct finder *f, const char *path)
{
	if (f->workspace && path_within(path, f->workspace))
		return true;
	for (size_t i = 0; f->further && i < f->further->n; i++)
		if (path_within(path, f->further->v[i]))
			return true;
	return false;
}

static bool covered(const struct finder *f, const char *path)
{
	if (host_system_path(path) || asked_for(f, path))
		return true;
	for (size_t i = 0; i < f->out->n; i++)
		if (path_within(path, f->out->v[i].path))
			return true;
	return false;
}

/* Home, anything above it or above the workspace, and well-known places of other things. */
static bool too_wide(const struct finder *f, const char *path)
{
	static const char *const shared[] = {"/", "/home", "/tmp", "/var", "/var/tmp", "/etc",
		"/run", "/srv", "/mnt", "/media", "/root", "/dev", "/proc", "/sys", "/boot"};
	static const char *const below_home[] = {".local", ".local/bin", ".local/share",
		".local/lib", ".config", ".cache", "bin", ".ssh", ".gnupg", ".aws", ".kube",
		".docker", "Documents", "Desktop", "Downloads"};
	if (path_within(f->home, path) || (f->workspace && path_within(f->workspace, path)))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(shared); i++)
		if (streq(path, shared[i]))
			return true;
	if (path_within(path, "/etc") || path_within(path, "/proc") || path_within(path, "/sys"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(below_home); i++) {
		size_t n = strlen(f->home);
		if (path_within(path, f->home) && streq(path + n + 1, below_home[i]))
			return true;
	}
	return false;
}

static void add_tool(
	struct finder *f, const char *name, const char *path, enum host_tool_mode mode, bool dir)
{
	struct host_toolchains *o = f->out;
	struct host_tool *v = arena_grow(f->a, o->v, o->n, &o->cap, sizeof(*v));
	if (!v)
		return;
	o->v = v;
	o->v[o->n++] = (struct host_tool){.name = name, .path = path, .mode = mode, .dir = dir};
}

/* Words that a settings file would not hold without a credential. */
static bool seems_secret(struct finder *f, const char *file)
{
	static const char *const words[] = {"token", "password", "passwd", "secret", "credential",
		"_auth", "api_key", "apikey", "private key", "key-data"};
	char *text;
	if (file_read(f->a, AT_FDCWD, file, 65536, &text, NULL) < 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasestr(text, words[i]))
			return true;
	const char *at = strchr(text, '@'), *scheme = strstr(text, "://");
	return at && scheme;
}

static void take_links(struct finder *f, const struct host_agent *links)
{
	for (size_t k = 0; k < links->n_links; k++)
		host_link_add(f->a, &f->chased.links, &f->chased.n_links, &f->chased.cap_links,
			links->links[k].path, links->links[k].target);
}

static const char *extension(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot && dot != name ? dot : NULL;
}

/* Has an agent that works here had a hand in where these lead? */
static bool by_agents_way(const struct finder *f, const struct host_agent *links)
{
	for (size_t k = 0; k < links->n_links; k++)
		if (asked_for(f, links->links[k].path))
			return true;
	return false;
}

/* May the file come along that a link leads to?  Where the user keeps such files (~/src/dotfiles)
 * an agent can have put another link: now, or in a session before. */
static bool link_is_good(struct finder *f, const struct host_agent *links, const struct part *p,
	const char *real, const struct stat *st)
{
	if (by_agents_way(f, links))
		return false;
	const char *name = path_base(p->sub), *base = path_base(real);
	const char *want = extension(name), *is = extension(base);
	if (want ? !is || !streq(want, is) : !streq(name, base))
		return false;
	return (st->st_mode & 0111) || !seems_secret(f, real); /* no settings file is a program */
}

/* What a tool writes by replacing the file, which none that is mounted can be. */
static bool add_copy(struct finder *f, const struct tool *t, const struct part *p, const char *path)
{
	struct host_agent links = {0}; /* what lies behind one is copied, not shown */
	struct stat st;
	const char *real;
	if (host_chase(f->a, &links, path, &real, NULL) < 0 || stat(real, &st) < 0 ||
		!S_ISREG(st.st_mode))
		return false;
	if (!streq(path, real) && (asked_for(f, real) || !link_is_good(f, &links, p, real, &st)))
		return false;
	if (covered(f, path) || ((p->flags & PART_NO_SECRET) && seems_secret(f, real)))
		return true;
	add_tool(f, t->name, path, HOST_TOOL_COPY, false);
	if (f->out->n)
		f->out->v[f->out->n - 1].from = arena_dup(f->a, real);
	return true;
}

static bool add_part(struct finder *f, const struct tool *t, const struct part *p, const char *dir)
{
	struct stat st;
	char *path = *p->sub ? path_join(f->a, dir, p->sub) : arena_dup(f->a, dir);
	bool file = p->flags & PART_FILE;
	if (!path || lstat(path, &st) < 0)
		return false;
	if ((p->flags & PART_COPY) && path_within(path, f->home))
		return add_copy(f, t, p, path);
	if (S_ISLNK(st.st_mode)) { /* ~/.rustup -> /data/rustup: the link, and where it leads */
		struct host_agent links = {0};
		const char *real;
		if (host_chase(f->a, &links, path, &real, NULL) < 0 || stat(real, &st) < 0)
			return false;
		if (!covered(f, real) &&
			(file ? !link_is_good(f, &links, p, real, &st) : by_agents_way(f, &links)))
			return false;
		take_links(f, &links);
		path = arena_dup(f->a, real);
	}
	if ((file ? !S_ISREG(st.st_mode) : !S_ISDIR(st.st_mode)) || too_wide(f, path))
		return false;
	if (covered(f, path) || ((p->flags & PART_NO_SECRET) && seems_secret(f, path)))
		return true;
	add_tool(f, t->name, path, p->flags & PART_OVERLAY ? HOST_TOOL_OVERLAY : HOST_TOOL_RO,
		!file);
	return true;
}

/* What of place is below dir, which came along. */
static void add_shut(struct finder *f, const char *dir, const char *place)
{
	const size_t n = strcspn(place, "/");
	if (n == 1 && *place == '*') {
		DIR *d = opendir(dir);
		struct dirent *de;
		while (d && (de = readdir(d)))
			if (de->d_name[0] != '.')
				add_shut(f, path_join(f->a, dir, de->d_name), place + 2);
		if (d)
			closedir(d);
		return;
	}
	char *name = arena_dupn(f->a, place, n);
	char *path = name && dir ? path_join(f->a, dir, name) : NULL;
	struct stat st;
	if (!path || lstat(path, &st) < 0)
		return;
	if (place[n]) {
		if (S_ISDIR(st.st_mode)) /* a version's other name is a link */
			add_shut(f, path, place + n + 1);
	} else if (covered(f, path) && !asked_for(f, path) &&
		(S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && seems_secret(f, path)))) {
		strv_push(f->a, &f->out->shut, path);
	}
}

static void add_all_shut(struct finder *f, const char *tool, const char *dir)
{
	if (streq(tool, "conda forge") || streq(tool, "anaconda"))
		tool = "conda";
	for (size_t i = 0; i < ARRAY_LEN(shut) && !GUARD_REMOVED("toolchain-shut"); i++)
		if (streq(shut[i].tool, tool))
			add_shut(f, dir, shut[i].place);
}

/* DIR/NAME*: python3.11 in ~/.local/lib, where pip installs, and go1.22 in ~/sdk. */
static void add_matching(struct finder *f, const char *name, const char *dir)
{
	const bool sdk = streq(name, "go sdk");
	const char *prefix = sdk ? "go1" : "python3.";
	const enum host_tool_mode mode = sdk ? HOST_TOOL_RO : HOST_TOOL_OVERLAY;
	DIR *d = opendir(dir);
	struct dirent *de;
	while (d && (de = readdir(d))) {
		struct stat st;
		char *p = has_prefix(de->d_name, prefix) ? path_join(f->a, dir, de->d_name) : NULL;
		if (p && lstat(p, &st) == 0 && S_ISDIR(st.st_mode) && !covered(f, p))
			add_tool(f, name, p, mode, true);
	}
	if (d)
		closedir(d);
}

static void list(struct arena *a, const char *dir, struct listing *l)
{
	_Alignas(struct dir_record) char buf[LISTING_MAX];
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	l->known = true;
	ssize_t n = fd < 0 ? (errno == ENOENT ? 0 : -1) : dir_records(fd, buf, sizeof(buf));
	/* the names alone are shorter */
	l->names = n > 0 ? arena_alloc(a, (size_t)n) : NULL;
	for (ssize_t at = 0; l->names && at < n;) {
		const struct dir_record *e = (const void *)(buf + at);
		size_t len = strlen(e->d_name) + 1;
		memcpy(l->names + l->n, e->d_name, len);
		l->n += len;
		at += e->d_reclen;
	}
	l->complete = n == 0 || (l->names && dir_records(fd, buf, sizeof(buf)) == 0);
}

static bool has_name(const struct listing *l, const char *name, size_t n)
{
	for (size_t at = 0; at < l->n; at += strlen(l->names + at) + 1)
		if (strlen(l->names + at) == n && memcmp(l->names + at, name, n) == 0)
			return true;
	return false;
}

/* Is it certain that nothing of this name is below $HOME? */
static bool is_absent(struct finder *f, const char *sub)
{
	for (size_t i = 0; f->listings && i < ARRAY_LEN(parents); i++) {
		struct listing *l = &f->listings[i];
		const size_t n = strlen(parents[i]);
		if (n && (strncmp(sub, parents[i], n) != 0 || sub[n] != '/'))
			continue;
		const char *name = n ? sub + n + 1 : sub;
		const char *dir = l->known ? NULL : path_join(f->a, f->home, parents[i]);
		if (dir)
			list(f->a, dir, l);
		if (l->complete && !has_name(l, name, strcspn(name, "/")))
			return true;
	}
	return false;
}

/* Where npm installs globally, by the user's ~/.npmrc; that file, which may hold tokens, isn't
 * there inside.  NULL: not said there, or not in a way that is understood. */
static const char *npm_prefix(struct finder *f)
{
	static const char word[] = "prefix", var[] = "${HOME}/";
	char *text, *file = is_absent(f, ".npmrc") ? NULL : path_join(f->a, f->home, ".npmrc");
	if (!file || file_read(f->a, AT_FDCWD, file, 65536, &text, NULL) < 0)
		return NULL;
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line += strspn(line, " \t");
		if (!has_prefix(line, word))
			continue;
		line += sizeof(word) - 1;
		line += strspn(line, " \t");
		if (*line++ != '=')
			continue;
		line += strspn(line, " \t\"'");
		line[strcspn(line, "\r\"'")] = '\0';
		for (size_t n = strlen(line); n && strchr(" \t", line[n - 1]);)
			line[--n] = '\0';
		if (has_prefix(line, var))
			return path_join(f->a, f->id->home, line + sizeof(var) - 1);
		return path_expand_home(f->a, line, f->id->home);
	}
	return NULL;
}

static void find_tool(struct finder *f, const struct tool *t)
{
	const char *env = t->env ? getenv(t->env) : NULL;
	if (!env && streq(t->name, "npm global"))
		env = npm_prefix(f);
	if (t->dir && !*t->dir) {
		for (size_t i = 0; i < PARTS_MAX && t->parts[i].sub; i++)
			if (!is_absent(f, t->parts[i].sub))
				add_part(f, t, &t->parts[i], f->home);
		return;
	}
	char *dir = NULL;
	const char *real;
	struct host_agent links = {0};
	struct stat st;
	if (env && env[0] == '/')
		dir = arena_dupn(f->a, env, strcspn(env, ":")); /* GOPATH may be a list */
	else if (t->dir && !is_absent(f, t->dir))
		dir = path_join(f->a, f->home, t->dir);
	if (!dir || lstat(dir, &st) < 0)
		return;
	/* ~/.cache -> /scratch/cache: the links, and where they lead */
	if (host_chase(f->a, &links, dir, &real, NULL) < 0 || stat(real, &st) < 0 ||
		(!covered(f, real) && by_agents_way(f, &links)))
		return;
	take_links(f, &links);
	dir = arena_dup(f->a, real);
	if (!dir || !S_ISDIR(st.st_mode) || covered(f, dir))
		goto environment;
	if (!t->parts[0].sub) {
		add_matching(f, t->name, dir);
		return;
	}
	if (t->marker) {
		char *m = path_join(f->a, dir, t->marker);
		if (!m || access(m, F_OK) < 0)
			return;
	}
	if (path_within(f->home, dir))
		return;
	bool any = false;
	for (size_t i = 0; i < PARTS_MAX && t->parts[i].sub; i++)
		/* a whole directory that only a variable names must prove what it is */
		if (*t->parts[i].sub || !env || t->marker || path_within(dir, f->home))
			any |= add_part(f, t, &t->parts[i], dir);
	if (!any && !streq(t->name, "npm global"))
		return;
	add_all_shut(f, t->name, dir);
environment:
	/* The host's trust in the workspace's mise.toml is written in a directory that stays there;
	 * without it every shim ends with an error.  Inside, what it runs is behind the wall. */
	if (streq(t->name, "mise") && f->workspace && !strchr(f->workspace, ':'))
		strv_env_set(f->a, &f->out->env, "MISE_TRUSTED_CONFIG_PATHS", f->workspace);
	if (env && env[0] == '/' && dir)
		strv_env_set(f->a, &f->out->env, t->env, env);
}

/* Has DIR/lib a Python's own modules? */
static bool is_python_root(struct finder *f, const char *dir)
{
	char *lib = path_join(f->a, dir, "lib");
	DIR *d = lib ? opendir(lib) : NULL;
	struct dirent *de;
	bool found = false;
	while (d && !found && (de = readdir(d))) {
		char *os = has_prefix(de->d_name, "python")
			? arena_printf(f->a, "%s/%s/os.py", lib, de->d_name)
			: NULL;
		found = os && access(os, F_OK) == 0;
	}
	if (d)
		closedir(d);
	return found;
}

/* uv's and pyenv's: the directory that BIN/python lies in, one above bin.  It is the workspace that
 * names it, so it has to be a Python, and what else lies beside that stays outside. */
static void add_python_root(struct finder *f, const char *real)
{
	static const struct tool t = {.name = "python of the workspace",
		.parts = {{"bin", 0}, {"lib", 0}, {"include", 0}}};
	const char *slash = strrchr(real, '/');
	if (!slash || slash - real < 5 || memcmp(slash - 4, "/bin", 4) != 0)
		return;
	char *root = arena_dupn(f->a, real, (size_t)(slash - 4 - real));
	if (!root || covered(f, root) || too_wide(f, root))
		return;
	if (!GUARD_REMOVED("workspace-python") && !is_python_root(f, root))
		return;
	for (size_t i = 0; t.parts[i].sub; i++)
		add_part(f, &t, &t.parts[i], root);
}

static void look_at_venv(struct finder *f)
{
	static const char *const names[] = {".venv/bin/python", "venv/bin/python"};
	for (size_t i = 0; f->workspace && i < ARRAY_LEN(names); i++) {
		const char *real;
		struct stat st;
		char *p = path_join(f->a, f->workspace, names[i]);
		if (!p || lstat(p, &st) < 0 || !S_ISLNK(st.st_mode))
			continue;
		struct host_agent links = {0};
		if (host_chase(f->a, &links, p, &real, NULL) < 0)
			continue;
		/* A workspace may be hostile: only interpreters below the user's home. */
		if (path_within(real, f->home) && has_prefix(path_base(real), "python"))
			add_python_root(f, real);
		for (size_t k = 0; k < links.n_links; k++)
			if (!path_within(links.links[k].path, f->workspace))
				host_link_add(f->a, &f->chased.links, &f->chased.n_links,
					&f->chased.cap_links, links.links[k].path,
					links.links[k].target);
	}
}

static void look_at_local_bin(struct finder *f)
{
	char *named = path_join(f->a, f->home, ".local/bin");
	struct stat st;
	const char *dir;
	if (!named || stat(named, &st) < 0 || host_chase(f->a, &f->chased, named, &dir, NULL) < 0)
		return;
	for (size_t i = 0; local_bin[i]; i++) {
		char *p = path_join(f->a, dir, local_bin[i]);
		if (!p || lstat(p, &st) < 0)
			continue;
		if (S_ISREG(st.st_mode) && (st.st_mode & 0100)) {
			if (!covered(f, p))
				add_tool(f, "~/.local/bin", p, HOST_TOOL_RO, false);
			continue;
		}
		struct host_agent links = {0};
		const char *real;
		if (!S_ISLNK(st.st_mode) || host_chase(f->a, &links, p, &real, NULL) < 0 ||
			!covered(f, real))
			continue;
		take_links(f, &links);
	}
}

/* A virtual environment may be a project's own directory, with all that lies in there. */
static void add_venv(struct finder *f, const char *root)
{
	static const struct tool t = {.name = "a virtual environment",
		.parts = {{"bin", PART_OVERLAY}, {"lib", PART_OVERLAY}, {"lib64", PART_OVERLAY},
			{"include", PART_OVERLAY}, {"share", PART_OVERLAY},
			{"pyvenv.cfg", PART_FILE}}};
	for (size_t i = 0; t.parts[i].sub; i++)
		add_part(f, &t, &t.parts[i], root);
}

/* PREFIX/bin in PATH that no row knows: a Node or Python distribution unpacked somewhere, or a venv
 * that is active.  agents: an agent has had a hand in where that is, who may have made it lead to
 * any directory; of that, a venv is all that comes along. */
static void look_at_path_dir(struct finder *f, const char *real, bool agents)
{
	static const char *const marks[] = {"node", "python3", "go", "java", "rustc", "ruby"};
	const char *slash = strrchr(real, '/');
	if (!slash || slash == real || !streq(slash, "/bin") || covered(f, real))
		return;
	char *root = arena_dupn(f->a, real, (size_t)(slash - real));
	char *lib = root ? path_join(f->a, root, "lib") : NULL;
	char *venv = root ? path_join(f->a, root, "pyvenv.cfg") : NULL;
	if (!lib || !venv || too_wide(f, root) || access(lib, F_OK) < 0)
		return;
	if (access(venv, F_OK) == 0 && !GUARD_REMOVED("path-links"))
		add_venv(f, root);
	for (size_t i = 0; i < ARRAY_LEN(marks) && !covered(f, real); i++) {
		char *m = path_join(f->a, real, marks[i]);
		if (m && access(m, X_OK) == 0 && (!agents || GUARD_REMOVED("path-links"))) {
			add_tool(f, marks[i], root, HOST_TOOL_OVERLAY, true);
			add_all_shut(f, "PATH", root);
			return;
		}
	}
}

/* Does a directory of this name exist inside?  Bound, or made for something that is in it. */
static bool in_sandbox(const struct finder *f, const char *real)
{
	if (covered(f, real))
		return true;
	for (size_t i = 0; i < f->out->n; i++)
		if (path_within(f->out->v[i].path, real))
			return true;
	for (size_t i = 0; i < f->chased.n_links; i++)
		if (path_within(f->chased.links[i].path, real))
			return true;
	const struct host_agent *g = f->agent;
	for (size_t i = 0; g && i < g->binds.n; i++)
		if (path_within(real, g->binds.v[i]))
			return true;
	return false;
}

/* Where something may be installed inside, of which nothing is there yet: a name below the home
 * that the host has nothing under, or ~/.local/bin, which is never bound.  Outside, too, it counts
 * from the first program on. */
static bool is_install_place(const struct finder *f, const char *dir)
{
	const char *const homes[] = {f->id->given ? f->id->given : f->id->home, f->id->home};
	for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
		const size_t n = strlen(homes[i]);
		struct stat st;
		if (path_within(dir, homes[i]) && dir[n])
			return streq(dir + n, "/.local/bin") ||
				(lstat(dir, &st) < 0 && errno == ENOENT);
	}
	return false;
}

static void filter_path(struct finder *f)
{
	struct host_toolchains *o = f->out;
	const char *p = getenv("PATH");
	for (p = p ? p : ""; *p;) {
		size_t n = strcspn(p, ":");
		char *dir = arena_dupn(f->a, p, n);
		p += n + (p[n] == ':');
		if (!dir || dir[0] != '/' || strv_has(&o->path, dir) ||
			strv_has(&o->path_dropped, dir))
			continue;
		bool keep = host_system_path(dir) || (f->agent && strv_has(&f->agent->path, dir));
		struct host_agent links = {0};
		const char *real;
		if (!keep && host_chase(f->a, &links, dir, &real, NULL) == 0) {
			look_at_path_dir(f, real, by_agents_way(f, &links));
			keep = in_sandbox(f, real);
			for (size_t k = 0; keep && k < links.n_links; k++)
				host_link_add(f->a, &f->chased.links, &f->chased.n_links,
					&f->chased.cap_links, links.links[k].path,
					links.links[k].target);
		}
		keep = keep || is_install_place(f, dir);
		strv_push(f->a, keep ? &o->path : &o->path_dropped, dir);
	}
	for (size_t i = 0; f->agent && i < f->agent->path.n; i++)
		if (!strv_has(&o->path, f->agent->path.v[i]))
			strv_add(f->a, &o->path, f->agent->path.v[i]);
	static const char *const always[] = {"/usr/local/bin", "/usr/bin", "/bin"};
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		if (!strv_has(&o->path, always[i]))
			strv_add(f->a, &o->path, always[i]);
}

int host_toolchains_find(struct arena *a, const struct host_identity *id, const char *workspace,
	const struct strv *further, const struct host_agent *agent, struct host_toolchains *ret,
	struct err *err)
{
	struct host_toolchains out = {0};
	struct finder f = {.a = a,
		.id = id,
		.workspace = workspace,
		.further = further,
		.agent = agent,
		.out = &out};
	int r = host_chase(a, &f.chased, id->given ? id->given : id->home, &f.home, err);
	if (r < 0)
		return r;
	f.listings = arena_alloc(a, sizeof(*f.listings) * ARRAY_LEN(parents));
	for (size_t i = 0; i < ARRAY_LEN(tools); i++)
		find_tool(&f, &tools[i]);
	look_at_venv(&f);
	look_at_local_bin(&f);
	filter_path(&f);
	out.links = f.chased.links;
	out.n_links = f.chased.n_links;
	out.cap_links = f.chased.cap_links;
	r = arena_check(a, err);
	if (r == 0)
		*ret = out;
	return r;
}
