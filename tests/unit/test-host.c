/* tests/unit/test-host.c - facts of the machine, found in made-up homes. */
#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/tree.h"
#include "host/agent.h"
#include "host/cgroup.h"
#include "host/env.h"
#include "host/etc.h"
#include "host/etc-files.h"
#include "host/git.h"
#include "host/package.h"
#include "host/toolchain.h"

struct world {
	char dir[PATH_MAX]; /* resolved; stands for / */
	char home[PATH_MAX + 8];
	struct arena a;
	struct host_identity id;
	struct err err;
};

static char *at(struct world *w, const char *rel)
{
	return arena_printf(&w->a, "%s/%s", w->home, rel);
}

static void parents(char *p)
{
	for (char *s = p + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		mkdir(p, 0755);
		*s = '/';
	}
}

static void put(struct world *w, const char *rel, const char *text, mode_t mode)
{
	char *p = at(w, rel);
	parents(p);
	FILE *f = fopen(p, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(p, mode);
}

static void ln(struct world *w, const char *target, const char *rel)
{
	char *p = at(w, rel);
	parents(p);
	assert_int_equal(symlink(target, p), 0);
}

#define ELF "\177ELF\2\1\1"

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char tmp[] = "/tmp/bawn-test-host-XXXXXX";
	if (!w || !mkdtemp(tmp) || !realpath(tmp, w->dir))
		return -1;
	snprintf(w->home, sizeof(w->home), "%s/home", w->dir);
	if (mkdir(w->home, 0755) < 0)
		return -1;
	w->id = (struct host_identity){.uid = getuid(),
		.gid = getgid(),
		.user = "u",
		.group = "g",
		.full_name = "",
		.home = w->home,
		.shell = "/bin/sh"};
	setenv("PATH", "/nonexistent", 1);
	static const char *const vars[] = {"CARGO_HOME", "RUSTUP_HOME", "NVM_DIR", "VOLTA_HOME",
		"PYENV_ROOT", "GOPATH", "GOROOT", "BUN_INSTALL", "PNPM_HOME", "UV_CACHE_DIR"};
	for (size_t i = 0; i < ARRAY_LEN(vars); i++)
		unsetenv(vars[i]);
	put(w, ".local/share/keyrings/canary", "secret", 0600);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	tree_remove(AT_FDCWD, w->dir, NULL);
	arena_free(&w->a);
	free(w);
	return 0;
}

static int find(struct world *w, const char *name, const char *place, struct host_agent *ret)
{
	struct profile p = {.name = name, .file = "x.yaml", .install = "npm install -g it"};
	strv_add(&w->a, &p.command, name);
	if (place)
		strv_add(&w->a, &p.find, place);
	w->err = (struct err){0};
	*ret = (struct host_agent){0};
	return host_agent_find(&w->a, &p, &w->id, NULL, ret, &w->err);
}

static bool binds(struct world *w, const struct host_agent *g, const char *rel)
{
	return strv_has(&g->binds, at(w, rel));
}

static bool shows(struct world *w, const struct host_agent *g, const char *rel)
{
	for (size_t i = 0; i < g->binds.n; i++)
		if (path_within(at(w, rel), g->binds.v[i]))
			return true;
	return false;
}

static const char *link_of(struct world *w, const struct host_agent *g, const char *rel)
{
	for (size_t i = 0; i < g->n_links; i++)
		if (streq(g->links[i].path, at(w, rel)))
			return g->links[i].target;
	return "";
}

/* Whatever the layout, nothing wide and no canary. */
static void check_narrow(struct world *w, const struct host_agent *g)
{
	assert_false(shows(w, g, ".local/share/keyrings/canary"));
	assert_false(binds(w, g, ".local/bin"));
	assert_false(binds(w, g, ".local"));
	assert_false(binds(w, g, ""));
}

static void set_path(struct world *w, const char *rel)
{
	setenv("PATH", arena_printf(&w->a, "relative::.:%s:/usr/bin:/bin", at(w, rel)), 1);
}

static void test_native(void **state)
{
	struct world *w = *state;
	struct host_agent g;
	put(w, ".local/share/claude/versions/2.1.3", ELF, 0755);
	put(w, ".local/share/claude/versions/2.1.2", ELF, 0755);
	put(w, ".local/bin/other", ELF, 0755);
	ln(w, at(w, ".local/share/claude/versions/2.1.3"), ".local/bin/claude");
	set_path(w, ".local/bin");
	assert_int_equal(find(w, "claude", NULL, &g), 0);
	assert_string_equal(g.exe, at(w, ".local/bin/claude"));
	assert_string_equal(g.resolved, at(w, ".local/share/claude/versions/2.1.3"));
	assert_int_equal(g.n_links, 1);
	assert_int_equal(g.binds.n, 1);
	assert_true(binds(w, &g, ".local/share/claude/versions/2.1.3"));
	assert_true(strv_has(&g.path, at(w, ".local/bin")));
	check_narrow(w, &g);
}

/* npm's global directory below ~/.local: the package, not the directory of all packages. */
static void test_npm_prefix(void **state)
{
	struct world *w = *state;
	struct host_agent g;
	put(w, ".local/lib/node_modules/@openai/codex/bin/codex.js", "#!/usr/bin/env node\n", 0755);
	put(w, ".local/lib/node_modules/@openai/codex/node_modules/@openai/codex-linux-x64/x", "",
		0644);
	put(w, ".local/lib/node_modules/other/index.js", "", 0644);
	put(w, ".local/bin/node", ELF, 0755);
	ln(w, "../lib/node_modules/@openai/codex/bin/codex.js", ".local/bin/codex");
	set_path(w, ".local/bin");
	assert_int_equal(find(w, "codex", NULL, &g), 0);
	assert_true(binds(w, &g, ".local/lib/node_modules/@openai/codex"));
	assert_true(binds(w, &g, ".local/bin/node"));
	assert_false(shows(w, &g, ".local/lib/node_modules/other"));
	assert_string_equal(link_of(w, &g, ".local/bin/codex"),
		"../lib/node_modules/@openai/codex/bin/codex.js");
	check_narrow(w, &g);
}

/* nvm that is not loaded: found by the profile's glob, highest version first, node beside it. */
static void test_nvm(void **state)
{
	struct world *w = *state;
	struct host_agent g;
	static const char *const v[] = {"v9.1.0", "v20.3.0", "v18.0.0"};
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		char *base = arena_printf(&w->a, ".nvm/versions/node/%s", v[i]);
		put(w, path_join(&w->a, base, "bin/node"), ELF, 0755);
		put(w, path_join(&w->a, base, "include/node/node.h"), "", 0644);
		put(w, path_join(&w->a, base, "lib/node_modules/g/cli.js"), "#!/usr/bin/env node\n",
			0755);
		ln(w, "../lib/node_modules/g/cli.js", path_join(&w->a, base, "bin/gemini"));
	}
	assert_int_equal(find(w, "gemini", "~/.nvm/versions/node/*/bin/gemini", &g), 0);
	assert_string_equal(g.exe, at(w, ".nvm/versions/node/v20.3.0/bin/gemini"));
	assert_true(shows(w, &g, ".nvm/versions/node/v20.3.0/bin/node"));
	assert_true(shows(w, &g, ".nvm/versions/node/v20.3.0/lib/node_modules/g"));
	assert_false(shows(w, &g, ".nvm/versions/node/v18.0.0"));
	assert_true(strv_has(&g.path, at(w, ".nvm/versions/node/v20.3.0/bin")));
	check_narrow(w, &g);
}

/* bun and yarn hoist: exactly the packages it depends on, through links. */
static void test_hoisted(void **state)
{
	struct world *w = *state;
	struct host_agent g;
	const char *nm = ".bun/install/global/node_modules";
	put(w, path_join(&w->a, nm, "tool/cli.js"), "#!/usr/bin/env node\n", 0755);
	put(w, path_join(&w->a, nm, "tool/package.json"),
		"{\"name\":\"tool\",\"x\":[1,{\"dependencies\":{\"trap\":\"1\"}}],"
		"\"dependencies\":{\"dep\":\"^1\",\"../up\":\"1\",\".hid\":\"1\"},"
		"\"optionalDependencies\":{\"@s/native-x64\":\"1\",\"absent\":\"1\"}}",
		0644);
	put(w, path_join(&w->a, nm, "dep/package.json"),
		"{\"dependencies\":{\"deeper\":\"1\",\"tool\":\"1\"}}", 0644);
	put(w, path_join(&w->a, nm, "deeper/package.json"), "{}", 0644);
	put(w, path_join(&w->a, nm, "@s/native-x64/package.json"), "{", 0644);
	put(w, path_join(&w->a, nm, "trap/package.json"), "{}", 0644);
	put(w, path_join(&w->a, nm, "stranger/package.json"), "{}", 0644);
	put(w, ".bun/bin/node", ELF, 0755);
	ln(w, "../install/global/node_modules/tool/cli.js", ".bun/bin/tool");
	set_path(w, ".bun/bin");
	assert_int_equal(find(w, "tool", NULL, &g), 0);
	static const char *const yes[] = {"tool", "dep", "deeper", "@s/native-x64"};
	static const char *const no[] = {"trap", "stranger"};
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(binds(w, &g, path_join(&w->a, nm, yes[i])));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(shows(w, &g, path_join(&w->a, nm, no[i])));
	check_narrow(w, &g);
}

/* pnpm: a shell shim, links into a store. */
static void test_pnpm(void **state)
{
	struct world *w = *state;
	struct host_agent g;
	const char *store = ".local/share/pnpm/global/5/.pnpm/tool@1/node_modules";
	put(w, ".local/share/pnpm/tool",
		"#!/bin/sh\nbasedir=$(dirname \"$0\")\nif [ -x \"$basedir/node\" ]; then\n"
		"  exec \"$basedir/node\"  \"$basedir/global/5/node_modules/tool/cli.js\" "
		"\"$@\"\nelse\n"
		"  exec node  \"$basedir/global/5/node_modules/tool/cli.js\" \"$@\"\nfi\n",
		0755);
	put(w, path_join(&w->a, store, "tool/cli.js"), "#!/usr/bin/env node\n", 0755);
	put(w, path_join(&w->a, store, "tool/package.json"), "{\"dependencies\":{\"d\":\"1\"}}",
		0644);
	put(w, ".local/share/pnpm/global/5/.pnpm/d@2/node_modules/d/package.json", "{}", 0644);
	ln(w, "../../d@2/node_modules/d", path_join(&w->a, store, "d"));
	ln(w, "../.pnpm/tool@1/node_modules/tool", ".local/share/pnpm/global/5/node_modules/tool");
	put(w, "node/bin/node", ELF, 0755);
	setenv("PATH",
		arena_printf(&w->a, "%s:%s:/bin", at(w, ".local/share/pnpm"), at(w, "node/bin")),
		1);
	assert_int_equal(find(w, "tool", NULL, &g), 0);
	assert_true(binds(w, &g, ".local/share/pnpm/tool"));
	assert_true(binds(w, &g, path_join(&w->a, store, "tool")));
	assert_true(binds(w, &g, ".local/share/pnpm/global/5/.pnpm/d@2/node_modules/d"));
	assert_true(binds(w, &g, "node/bin/node"));
	assert_true(*link_of(w, &g, ".local/share/pnpm/global/5/node_modules/tool"));
	assert_true(*link_of(w, &g, path_join(&w->a, store, "d")));
	check_narrow(w, &g);
}

static void test_volta_and_shims(void **state)
{
	struct world *w = *state;
	struct host_agent g;
	put(w, ".volta/bin/volta-shim", ELF, 0755);
	put(w, ".volta/tools/image/x", "", 0644);
	put(w, ".volta/layout.v4", "", 0644);
	ln(w, "volta-shim", ".volta/bin/claude");
	set_path(w, ".volta/bin");
	assert_int_equal(find(w, "claude", NULL, &g), 0);
	assert_true(shows(w, &g, ".volta/tools/image/x"));
	assert_true(binds(w, &g, ".volta/layout.v4"));
	assert_false(binds(w, &g, ".volta"));

	put(w, ".asdf/shims/tool", "#!/bin/sh\nexec asdf exec tool \"$@\"\n", 0755);
	put(w, ".asdf/installs/nodejs/18.1.0/bin/tool", ELF, 0755);
	put(w, ".asdf/installs/nodejs/9.1.0/bin/tool", ELF, 0755);
	set_path(w, ".asdf/shims");
	assert_int_equal(find(w, "tool", NULL, &g), 0);
	assert_string_equal(g.exe, at(w, ".asdf/installs/nodejs/18.1.0/bin/tool"));
	check_narrow(w, &g);
}

static void test_not_found(void **state)
{
	struct world *w = *state;
	struct host_agent g;
	assert_int_equal(find(w, "claude", "~/.x/*/claude", &g), -ENOENT);
	assert_string_equal(w->err.msg, "claude is not installed");
	assert_string_equal(w->err.hint, "npm install -g it");
	put(w, "bin/claude", ELF, 0644);
	set_path(w, "bin");
	assert_int_equal(find(w, "claude", NULL, &g), -EACCES);
	/* CFG-12: never from the current directory */
	put(w, "cwd/claude", ELF, 0755);
	int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(chdir(at(w, "cwd")), 0);
	setenv("PATH", ".::cwd", 1);
	assert_int_equal(find(w, "claude", NULL, &g), -ENOENT);
	assert_int_equal(fchdir(back), 0);
	close(back);
	/* loops end */
	ln(w, "b", "loop/a");
	ln(w, "a", "loop/b");
	set_path(w, "loop");
	assert_int_equal(find(w, "a", NULL, &g), -ENOENT);
	put(w, "self/tool", "#!/bin/sh\nexec \"$basedir/tool\"\n", 0755);
	set_path(w, "self");
	assert_int_equal(find(w, "tool", NULL, &g), -ELOOP);
}

/* --- toolchains --- */

static const struct host_tool *tool(
	struct world *w, const struct host_toolchains *t, const char *rel)
{
	for (size_t i = 0; i < t->n; i++)
		if (streq(t->v[i].path, at(w, rel)))
			return &t->v[i];
	return NULL;
}

static struct host_toolchains tools_of(struct world *w, const char *workspace)
{
	struct host_toolchains t = {0};
	assert_true(host_toolchains_find(&w->a, &w->id, workspace, NULL, NULL, &t, &w->err) == 0);
	return t;
}

static void test_toolchains(void **state)
{
	struct world *w = *state;
	struct host_toolchains t = tools_of(w, NULL);
	assert_int_equal(t.n, 0);
	put(w, ".cargo/bin/cargo", ELF, 0755);
	put(w, ".cargo/registry/x", "", 0644);
	put(w, ".cargo/credentials.toml", "token", 0600);
	put(w, ".cargo/config.toml", "[registry]\ntoken = \"x\"\n", 0644);
	put(w, ".m2/repository/x", "", 0644);
	put(w, ".m2/settings.xml", "<password>", 0644);
	put(w, "go/src/mine/x.go", "", 0644);
	put(w, "go/pkg/mod/x", "", 0644);
	put(w, "go/bin/gopls", ELF, 0755);
	put(w, ".npm/_cacache/x", "", 0644);
	put(w, ".npm/_logs/x", "", 0644);
	put(w, ".local/bin/uv", ELF, 0755);
	put(w, ".local/bin/mine", ELF, 0755);
	put(w, ".local/share/uv/python/cpython-3.12/bin/python3.12", ELF, 0755);
	put(w, ".local/share/uv/python/cpython-3.12/lib/x", "", 0644);
	put(w, "ws/.venv/pyvenv.cfg", "", 0644);
	ln(w, at(w, ".local/share/uv/python/cpython-3.12/bin/python3.12"), "ws/.venv/bin/python");
	put(w, "scripts/x", ELF, 0755);
	setenv("PATH",
		arena_printf(&w->a, "%s:%s:%s:%s:%s:rel:/usr/bin", at(w, ".cargo/bin"),
			at(w, "scripts"), at(w, ".local/bin"), at(w, ".deno/bin"), "/nowhere/bin"),
		1);
	t = tools_of(w, at(w, "ws"));
	assert_int_equal(tool(w, &t, ".cargo/bin")->mode, HOST_TOOL_OVERLAY);
	assert_int_equal(tool(w, &t, ".local/bin/uv")->mode, HOST_TOOL_RO);
	assert_int_equal(tool(w, &t, ".cargo/registry")->mode, HOST_TOOL_OVERLAY);
	assert_non_null(tool(w, &t, ".m2/repository"));
	assert_non_null(tool(w, &t, "go/bin"));
	assert_non_null(tool(w, &t, "go/pkg"));
	assert_non_null(tool(w, &t, ".npm/_cacache"));
	assert_non_null(tool(w, &t, ".local/bin/uv"));
	assert_non_null(tool(w, &t, ".local/share/uv/python"));
	static const char *const secret[] = {".cargo/credentials.toml", ".cargo/config.toml",
		".m2/settings.xml", "go/src/mine/x.go", ".npm/_logs/x", ".local/bin/mine",
		".local/share/keyrings/canary", "scripts/x"};
	for (size_t k = 0; k < ARRAY_LEN(secret); k++)
		for (size_t i = 0; i < t.n; i++)
			if (path_within(at(w, secret[k]), t.v[i].path))
				fail_msg("%s is shown by %s", secret[k], t.v[i].path);
	assert_true(strv_has(&t.path, at(w, ".cargo/bin")));
	assert_true(strv_has(&t.path, at(w, ".local/bin")));
	assert_true(strv_has(&t.path, "/usr/bin"));
	assert_true(strv_has(&t.path, at(w, ".deno/bin"))); /* nothing is there yet */
	assert_true(strv_has(&t.path_dropped, at(w, "scripts")));
	assert_true(strv_has(&t.path_dropped, "/nowhere/bin"));
	assert_false(strv_has(&t.path, "rel"));
}

/* However full the directories are that they lie in, links among them, or not to be listed. */
static void test_toolchains_anywhere(void **state)
{
	struct world *w = *state;
	struct host_toolchains t;
	static const char *const where[] = {"", ".cache/", ".local/share/"};
	static const char *const files[] = {"elsewhere/go-build/x", "elsewhere/ms-playwright/x",
		".rustup/toolchains/x", ".nuget/packages/x", ".local/share/mise/installs/x",
		".local/share/uv/tools/x"};
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		put(w, files[i], "", 0644);
	ln(w, "elsewhere", ".cache");
	for (int full = 0; full < 2; full++) {
		t = tools_of(w, NULL);
		/* what is mounted is named without links */
		assert_non_null(tool(w, &t, "elsewhere/go-build"));
		assert_non_null(tool(w, &t, "elsewhere/ms-playwright"));
		assert_int_equal(t.n_links, 1);
		assert_string_equal(t.links[0].path, at(w, ".cache"));
		assert_non_null(tool(w, &t, ".rustup"));
		assert_non_null(tool(w, &t, ".nuget/packages"));
		assert_non_null(tool(w, &t, ".local/share/mise/installs"));
		assert_non_null(tool(w, &t, ".local/share/uv/tools"));
		assert_int_equal(t.n, 6);
		for (size_t k = 0; k < ARRAY_LEN(where); k++)
			for (int i = 0; i < 300; i++)
				put(w, arena_printf(&w->a, "%sa-rather-long-name-%d", where[k], i),
					"", 0644);
	}
	assert_int_equal(chmod(at(w, ".local/share"), 0111), 0);
	t = tools_of(w, NULL);
	assert_int_equal(chmod(at(w, ".local/share"), 0755), 0);
	assert_non_null(tool(w, &t, ".local/share/mise/installs"));
}

/* A variable can't make something wide look like a toolchain. */
static void test_toolchain_variables(void **state)
{
	struct world *w = *state;
	put(w, "bin/x", ELF, 0755);
	put(w, "versions/x", "", 0644);
	put(w, "pkg/x", "", 0644);
	static const char *const vars[] = {
		"CARGO_HOME", "PYENV_ROOT", "GOPATH", "UV_CACHE_DIR", "GOROOT"};
	const char *dirs[] = {
		w->home, "/", w->dir, "/etc", at(w, ".local/share"), at(w, "../home")};
	for (size_t v = 0; v < ARRAY_LEN(vars); v++)
		for (size_t d = 0; d < ARRAY_LEN(dirs); d++) {
			setenv(vars[v], dirs[d], 1);
			struct host_toolchains t = tools_of(w, NULL);
			unsetenv(vars[v]);
			for (size_t i = 0; i < t.n; i++)
				if (path_within(w->home, t.v[i].path) ||
					path_within(at(w, ".local/share/keyrings"), t.v[i].path) ||
					!path_within(t.v[i].path, w->home))
					fail_msg("%s=%s shows %s", vars[v], dirs[d], t.v[i].path);
		}
	put(w, "elsewhere/cargo/bin/cargo", ELF, 0755);
	setenv("CARGO_HOME", at(w, "elsewhere/cargo"), 1);
	struct host_toolchains t = tools_of(w, NULL);
	assert_non_null(tool(w, &t, "elsewhere/cargo/bin"));
	assert_string_equal(strv_env_get(&t.env, "CARGO_HOME"), at(w, "elsewhere/cargo"));
	unsetenv("CARGO_HOME");
}

/* --- environment --- */

static void test_env(void **state)
{
	struct world *w = *state;
	char *env[] = {"LANG=C.UTF-8", "LC_ALL=C", "TERM=xterm", "AWS_SECRET_ACCESS_KEY=s",
		"GITHUB_TOKEN=t", "ANTHROPIC_API_KEY=k", "ANTHROPIC_MODEL=m", "LD_PRELOAD=/x",
		"BASH_ENV=/x", "NODE_OPTIONS=-r x", "SSH_AUTH_SOCK=/s",
		"DBUS_SESSION_BUS_ADDRESS=d", "GIT_DIR=/x", "PYTHONSTARTUP=/x", "BUN_OPTIONS=x",
		"BASH_FUNC_x%%=() { :; }", "novalue", "PATH=/x",
		"SSL_CERT_FILE=/etc/ssl/certs/x.crt", "PIP_CERT=/etc/shadow",
		"CURL_CA_BUNDLE=/etc/ssl/../shadow", NULL};
	struct profile p = {0};
	struct host_env e = {0};
	strv_add(&w->a, &p.keys, "ANTHROPIC_API_KEY");
	strv_add(&w->a, &p.env_pass, "ANTHROPIC_MODEL");
	strv_add(&w->a, &p.env_pass, "LD_*");
	assert_int_equal(host_env_select(&w->a, env, &p, &e, &w->err), 0);
	static const char *const pass[] = {"LANG=C.UTF-8", "LC_ALL=C", "TERM=xterm",
		"ANTHROPIC_API_KEY=k", "ANTHROPIC_MODEL=m", "SSL_CERT_FILE=/etc/ssl/certs/x.crt"};
	for (size_t i = 0; i < ARRAY_LEN(pass); i++)
		assert_true(strv_has(&e.env, pass[i]));
	assert_int_equal(e.env.n, ARRAY_LEN(pass));
	assert_true(e.has_key);
	assert_true(strv_has(&e.withheld, "AWS_SECRET_ACCESS_KEY"));
	assert_true(strv_has(&e.withheld, "GITHUB_TOKEN"));
	assert_true(strv_has(&e.withheld, "NODE_OPTIONS"));
	assert_false(strv_has(&e.withheld, "PATH"));
	assert_false(strv_has(&e.withheld, "DBUS_SESSION_BUS_ADDRESS"));
}

/* --- workspaces --- */

static struct path_xdg own(struct world *w)
{
	/* as path_xdg_find() gives them */
	return (struct path_xdg){.config = path_settle(&w->a, at(w, ".config/bawn")),
		.data = path_settle(&w->a, at(w, ".local/share/bawn")),
		.cache = path_settle(&w->a, at(w, ".cache/bawn")),
		.home = w->home};
}

static int resolve(struct world *w, const char *dir, struct host_workspace *ret)
{
	struct path_xdg x = own(w);
	w->err = (struct err){0};
	*ret = (struct host_workspace){0};
	return host_workspace_resolve(&w->a, dir, &w->id, &x, ret, &w->err);
}

static void test_settle(void **state)
{
	struct world *w = *state;
	put(w, "disk/a/x", "", 0644);
	ln(w, "disk/a", "link");
	ln(w, "nowhere", "dangling");
	ln(w, "turn", "turn");
	static const char *const cases[][2] = {{"disk/a/x", "disk/a/x"}, {"link", "disk/a"},
		{"link/x", "disk/a/x"}, {"link/new/deep", "disk/a/new/deep"}, {"new", "new"},
		{"./link//new/", "disk/a/new"}, {"link/../b", "disk/b"},
		{"dangling/x", "dangling/x"}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(path_settle(&w->a, at(w, cases[i][0])), at(w, cases[i][1]));
	assert_string_equal(path_settle(&w->a, "/"), "/");
	assert_null(path_settle(&w->a, at(w, "turn/x")));
	assert_int_equal(errno, ELOOP);
	setenv("XDG_DATA_HOME", at(w, "link"), 1);
	setenv("HOME", at(w, "link/.."), 1);
	struct path_xdg x;
	assert_int_equal(path_xdg_find(&w->a, &x, &w->err), 0);
	assert_string_equal(x.data, at(w, "disk/a/bawn"));
	assert_string_equal(x.home, at(w, "disk"));
	unsetenv("XDG_DATA_HOME");
}

static void test_refused(void **state)
{
	struct world *w = *state;
	struct host_workspace ws;
	put(w, ".local/share/bawn/x/y", "", 0644);
	put(w, "project/file", "", 0644);
	ln(w, ".local/share/bawn", "innocent");
	ln(w, "..", "up");
	const char *bad[] = {"/", w->home, w->dir, "/tmp", "/etc", "/etc/ssl", "/usr", "/usr/lib",
		"/proc", "/proc/self", "/dev", at(w, ".local"), at(w, ".local/share"),
		at(w, ".local/share/bawn"), at(w, ".local/share/bawn/x"), at(w, "innocent/x"),
		at(w, "up"), at(w, "project/.."), at(w, "nothing"), at(w, "project/file")};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (resolve(w, bad[i], &ws) >= 0)
			fail_msg("%s is taken", bad[i]);
		assert_true(w->err.msg[0]);
		assert_true(w->err.hint[0]);
	}
	/* state that does not exist yet, behind a link (OWN-13) */
	ln(w, "project", ".cache");
	assert_true(resolve(w, at(w, "project"), &ws) < 0);
	unlink(at(w, ".cache"));
	assert_int_equal(resolve(w, at(w, "project"), &ws), 0);
	assert_string_equal(ws.path, at(w, "project"));
	assert_int_equal(ws.git, HOST_GIT_NONE);
	assert_false(ws.empty);
	put(w, "hollow/x", "", 0644);
	unlink(at(w, "hollow/x"));
	assert_int_equal(resolve(w, at(w, "hollow"), &ws), 0);
	assert_true(ws.empty);
}

static void test_git(void **state)
{
	struct world *w = *state;
	struct host_workspace ws;
	put(w, ".git/HEAD", "x",
		0644); /* dotfiles in git: $HOME is not the work tree of everything */
	put(w, "r/.git/HEAD", "ref: refs/heads/m\n", 0644);
	put(w, "r/src/deep/x", "", 0644);
	assert_int_equal(resolve(w, at(w, "r/src/deep"), &ws), 0);
	assert_string_equal(ws.path, at(w, "r"));
	assert_string_equal(ws.cwd, at(w, "r/src/deep"));
	assert_int_equal(ws.git, HOST_GIT_DIR);
	put(w, "plain/x", "", 0644);
	assert_int_equal(resolve(w, at(w, "plain"), &ws), 0);
	assert_string_equal(ws.path, at(w, "plain"));

	/* a linked work tree that points back, and one that lies */
	put(w, "r/.git/worktrees/wt/HEAD", "x", 0644);
	put(w, "r/.git/worktrees/wt/commondir", "../..\n", 0644);
	put(w, "wt/.git", arena_printf(&w->a, "gitdir: %s\n", at(w, "r/.git/worktrees/wt")), 0644);
	put(w, "r/.git/worktrees/wt/gitdir", arena_printf(&w->a, "%s\n", at(w, "wt/.git")), 0644);
	assert_int_equal(resolve(w, at(w, "wt"), &ws), 0);
	assert_int_equal(ws.git, HOST_GIT_WORKTREE);
	assert_string_equal(ws.common_dir, at(w, "r/.git"));
	assert_true(strv_has(&ws.binds, at(w, "r/.git")));
	put(w, "liar/.git", arena_printf(&w->a, "gitdir: %s\n", at(w, "r/.git/worktrees/wt")),
		0644);
	assert_int_equal(resolve(w, at(w, "liar"), &ws), 0);
	assert_int_equal(ws.git, HOST_GIT_FOREIGN);
	assert_int_equal(ws.binds.n, 0);
	put(w, ".ssh/HEAD", "x", 0600);
	put(w, "liar2/.git", arena_printf(&w->a, "gitdir: %s\n", at(w, ".ssh")), 0644);
	assert_int_equal(resolve(w, at(w, "liar2"), &ws), 0);
	assert_int_equal(ws.binds.n, 0);

	/* a submodule */
	put(w, "r/.git/modules/sub/HEAD", "x", 0644);
	put(w, "r/.git/modules/sub/config", "[core]\n\tworktree = ../../../sub\n", 0644);
	put(w, "r/sub/.git", "gitdir: ../.git/modules/sub\n", 0644);
	assert_int_equal(resolve(w, at(w, "r/sub"), &ws), 0);
	assert_int_equal(ws.git, HOST_GIT_SUBMODULE);
	assert_true(strv_has(&ws.binds, at(w, "r/.git/modules/sub")));
}

static void test_extra(void **state)
{
	struct world *w = *state;
	struct path_xdg x = own(w);
	struct host_extra e;
	put(w, "data/f", "", 0644);
	put(w, "odd:ro", "", 0644);
	assert_int_equal(host_extra_resolve(&w->a, at(w, "data:ro"), &w->id, &x, &e, &w->err), 0);
	assert_true(e.read_only && e.dir);
	assert_int_equal(host_extra_resolve(&w->a, at(w, "data/f"), &w->id, &x, &e, &w->err), 0);
	assert_true(!e.read_only && !e.dir);
	assert_int_equal(host_extra_resolve(&w->a, at(w, "odd:ro"), &w->id, &x, &e, &w->err), 0);
	assert_false(e.read_only);
	assert_true(host_extra_resolve(&w->a, "/etc:ro", &w->id, &x, &e, &w->err) < 0);
}

/* --- identity and /etc --- */

static void test_identity(void **state)
{
	struct world *w = *state;
	struct host_identity id;
	setenv("HOME", w->home, 1);
	assert_int_equal(host_identity_find(&w->a, &id, &w->err), 0);
	assert_int_equal(id.uid, getuid());
	assert_string_equal(id.home, w->home);
	assert_true(*id.user && *id.group);
	unsetenv("SUDO_UID");
	assert_int_equal(host_identity_target(&w->a, NULL, &id, &w->err), -EPERM);
	assert_true(w->err.hint[0]);
	assert_int_equal(host_identity_target(&w->a, "root", &id, &w->err), -EPERM);
	assert_int_equal(host_identity_target(&w->a, "0", &id, &w->err), -EPERM);
	assert_int_equal(host_identity_target(&w->a, "no-such-user-here", &id, &w->err), -ENOENT);
	setenv("SUDO_UID", "0", 1);
	assert_int_equal(host_identity_target(&w->a, NULL, &id, &w->err), -EPERM);
	setenv("SUDO_UID", "12x", 1);
	assert_true(host_identity_target(&w->a, NULL, &id, &w->err) < 0);
	unsetenv("SUDO_UID");
}

static bool exists(const char *dir, const char *name)
{
	char p[PATH_MAX];
	struct stat st;
	snprintf(p, sizeof(p), "%s/%s", dir, name);
	return lstat(p, &st) == 0;
}

static void test_etc(void **state)
{
	struct world *w = *state;
	char *d1, *d2, *text;
	assert_int_equal(host_etc_prepare(&w->a, at(w, "cache"), &w->id, &d1, &w->err), 0);
settle:
	assert_int_equal(host_etc_prepare(&w->a, at(w, "cache"), &w->id, &d2, &w->err), 0);
	if (!streq(d1, d2)) { /* a source that was written this instant */
		d1 = d2;
		usleep(50000);
		goto settle;
	}
	static const char *const yes[] = {"passwd", "group", "hosts", "hostname", "resolv.conf",
		"nsswitch.conf", "ssh/ssh_config", "machine-id", "profile", "mtab"};
	static const char *const no[] = {"shadow", "gshadow", "sudoers", "sudoers.d", "ssl/private",
		"environment", "subuid", "fstab", "crypttab", "ssh/ssh_host_ed25519_key",
		"krb5.conf", "apt", "systemd"};
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (!exists(d1, yes[i]))
			fail_msg("%s is missing", yes[i]);
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		if (exists(d1, no[i]))
			fail_msg("%s was copied", no[i]);
	assert_true(
		file_read(&w->a, AT_FDCWD, path_join(&w->a, d1, "passwd"), 4096, &text, NULL) > 0);
	assert_non_null(strstr(text, arena_printf(&w->a, "u:x:%u:", getuid())));
	assert_true(file_read(&w->a, AT_FDCWD, path_join(&w->a, d1, "resolv.conf"), 4096, &text,
			    NULL) > 0);
	assert_null(strstr(text, "search"));
	assert_null(strstr(text, "domain"));
	/* something was taken out of the copy: a new one is made, under another name */
	unlink(path_join(&w->a, d1, "hosts"));
	assert_int_equal(host_etc_prepare(&w->a, at(w, "cache"), &w->id, &d2, &w->err), 0);
	assert_string_not_equal(d1, d2);
	assert_true(exists(d2, "hosts"));
	assert_true(exists(d1, "passwd")); /* a sandbox may still run on it */
	/* another identity has another copy */
	w->id.user = "v";
	assert_int_equal(host_etc_prepare(&w->a, at(w, "cache"), &w->id, &d1, &w->err), 0);
	assert_string_not_equal(d1, d2);
}

static void test_secret_lines(void **state)
{
	(void)state;
	char npmrc[] = "registry=https://r.example/\n//r.example/:_authToken=abc\n# token = x\n"
		       "proxy=http://u:p@h:1/\nfund=false";
	assert_true(etc_seems_secret(npmrc));
	size_t n = etc_drop_secret_lines(npmrc);
	assert_int_equal(n, strlen(npmrc));
	assert_string_equal(npmrc, "registry=https://r.example/\n# token = x\nfund=false");
	assert_false(etc_seems_secret(npmrc));
}

/* Where /proc says that we are, and where that is mounted. */
static void find_group(
	struct world *w, const char *cgroup, const char *mounts, const char *own, const char *top)
{
	char *got = NULL, *up = NULL;
	put(w, "proc/self/cgroup", cgroup, 0644);
	put(w, "proc/self/mountinfo", mounts, 0644);
	int r = cgroup_find(&w->a, at(w, "proc"), &got, &up, &w->err);
	assert_int_equal(r, own ? 0 : -ENOTSUP);
	if (own) {
		assert_string_equal(got, own);
		assert_string_equal(up, top);
	}
}

static void test_cgroup(void **state)
{
	struct world *w = *state;
	const char *one = "30 1 0:5 / /proc rw - proc proc rw\n"
			  "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw\n";
	find_group(w, "0::/user.slice/a.scope\n", one, "/sys/fs/cgroup/user.slice/a.scope",
		"/sys/fs/cgroup");
	find_group(w, "0::/\n", one, "/sys/fs/cgroup", "/sys/fs/cgroup");
	/* both hierarchies; only the second is meant */
	find_group(w, "4:memory:/x\n1:cpu:/y\n0::/z\n",
		"32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
		"41 31 0:38 / /sys/fs/cgroup/a\\040b rw - cgroup2 none rw\n",
		"/sys/fs/cgroup/a b/z", "/sys/fs/cgroup/a b");
	/* a mount that shows a part of the tree */
	find_group(w, "0::/part/me\n", "31 23 0:28 /part /cg rw - cgroup2 cgroup2 rw\n", "/cg/me",
		"/cg");
	find_group(w, "0::/other\n", "31 23 0:28 /part /cg rw - cgroup2 cgroup2 rw\n", NULL, NULL);
	/* outside of our namespace, none mounted, none at all, nonsense */
	find_group(w, "0::/../me\n", one, NULL, NULL);
	find_group(w, "0::/me\n", "30 1 0:5 / /proc rw - proc proc rw\n", NULL, NULL);
	find_group(w, "4:memory:/x\n", one, NULL, NULL);
	find_group(w, "", "", NULL, NULL);
	find_group(w, "0::/me", " - cgroup2 \n1 - cgroup2 x\n", NULL, NULL);
}

/* A directory that is no control group is never taken for one. */
static void test_cgroup_refused(void **state)
{
	struct world *w = *state;
	struct cgroup c = CGROUP_NONE;
	const struct cgroup_limits l = {.memory = 64 << 20, .cpus = 500};
	put(w, "cg/own/cgroup.controllers", "cpu io\n", 0644);
	put(w, "cg/own/cgroup.subtree_control", "", 0644);
	put(w, "cg/own/cgroup.procs", "", 0644);
	put(w, "cg/own/cgroup.type", "domain\n", 0644);
	put(w, "cg/cgroup.procs", "", 0444);
	assert_int_equal(
		cgroup_make(&w->a, at(w, "cg/own"), at(w, "cg"), "x", &l, &c, &w->err), -ENOTSUP);
	assert_non_null(strstr(w->err.msg, "lacks the controller"));
	assert_int_equal(c.dir, -1);
	/* others are in it: pid 1 is none of ours */
	put(w, "cg/own/cgroup.controllers", "cpu memory\n", 0644);
	put(w, "cg/own/cgroup.procs", "1\n", 0644);
	assert_int_equal(
		cgroup_make(&w->a, at(w, "cg/own"), at(w, "cg"), "x", &l, &c, &w->err), -ENOTSUP);
	assert_non_null(strstr(w->err.msg, "other programs"));
	assert_int_equal(cgroup_oom_kills(&c), 0);
	cgroup_end(&c);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_native),
		T(test_npm_prefix),
		T(test_nvm),
		T(test_hoisted),
		T(test_pnpm),
		T(test_volta_and_shims),
		T(test_not_found),
		T(test_toolchains),
		T(test_toolchains_anywhere),
		T(test_toolchain_variables),
		T(test_env),
		T(test_settle),
		T(test_refused),
		T(test_git),
		T(test_extra),
		T(test_identity),
		T(test_etc),
		T(test_secret_lines),
		T(test_cgroup),
		T(test_cgroup_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
