/* scan/persist.c - see persist.h */
#include "scan/persist.h"

#include <stdint.h>

#define N(name, per, automatic, what)                                                              \
	{                                                                                          \
		name, PERSIST_NAME, per, CHECK_NONE, automatic, what                               \
	}
#define D(name, per, automatic, what)                                                              \
	{                                                                                          \
		name, PERSIST_DIR, per, CHECK_NONE, automatic, what                                \
	}
#define S(name, per, automatic, what)                                                              \
	{                                                                                          \
		name, PERSIST_SUFFIX, per, CHECK_NONE, automatic, what                             \
	}
#define X(name)                                                                                    \
	{                                                                                          \
		name, PERSIST_ROOT, 19, CHECK_EXEC, false, "has the name of a common command"      \
	}

static const struct persist_rule rules[] = {
	{"", PERSIST_DIR, 6, CHECK_NONE, true, "git hook (core.hooksPath)"}, /* row 0 */
	{".gitmodules", PERSIST_NAME, 3, CHECK_MODULES, true, "submodule with an update command"},
	{".gitattributes", PERSIST_NAME, 7, CHECK_ATTRIBUTES, true,
		"names a filter, diff or merge driver"},
	N(".envrc", 9, true, "direnv"),
	N(".mise.toml", 9, true, "mise"),
	N("mise.toml", 9, true, "mise"),
	N(".mise.local.toml", 9, true, "mise"),
	N("mise.local.toml", 9, true, "mise"),
	N(".rtx.toml", 9, true, "mise"),
	N(".tool-versions", 9, false, "asdf or mise"),
	N(".autoenv", 9, true, "autoenv"),
	N(".autoenv.zsh", 9, true, "autoenv"),
	N(".env.sh", 9, false, "shell environment"),
	N("devenv.nix", 9, false, "devenv"),
	N("flake.nix", 9, false, "nix"),
	N("shell.nix", 9, false, "nix"),
	D(".config/mise", 9, true, "mise"),
	D(".mise", 9, true, "mise"),

	D(".vscode", 10, true, "editor settings and tasks"),
	D(".idea", 10, true, "IDE project"),
	D(".zed", 10, true, "editor settings and tasks"),
	D(".cursor", 10, true, "editor and agent settings"),
	D(".windsurf", 10, true, "editor and agent settings"),
	D(".fleet", 10, true, "IDE project"),
	D(".vs", 10, true, "IDE project"),
	D(".helix", 10, true, "editor settings"),
	D(".kiro", 10, true, "editor and agent settings"),
	S(".code-workspace", 10, true, "editor workspace"),
	S(".sublime-project", 10, true, "editor project"),
	N(".sublime-project", 10, true, "editor project"),
	N(".cursorrules", 12, true, "agent instructions"),
	N(".windsurfrules", 12, true, "agent instructions"),
	N(".clinerules", 12, true, "agent instructions"),

	D(".devcontainer", 11, true, "container that the editor starts"),
	N(".devcontainer.json", 11, true, "container that the editor starts"),
	N("docker-compose.yml", 11, false, "containers"),
	N("docker-compose.yaml", 11, false, "containers"),
	N("docker-compose.override.yml", 11, false, "containers"),
	N("compose.yml", 11, false, "containers"),
	N("compose.yaml", 11, false, "containers"),
	N("Vagrantfile", 11, false, "virtual machine"),

	N(".mcp.json", 12, true, "tool servers of an agent"),
	D(".claude", 12, true, "agent settings"),
	N("CLAUDE.md", 12, true, "agent instructions"),
	N("CLAUDE.local.md", 12, true, "agent instructions"),
	N("AGENTS.md", 13, true, "agent instructions"),
	N("AGENTS.override.md", 13, true, "agent instructions"),
	N("GEMINI.md", 13, true, "agent instructions"),
	D(".codex", 13, true, "agent settings"),
	D(".gemini", 13, true, "agent settings"),
	D(".opencode", 13, true, "agent settings"),
	D(".agents", 13, true, "agent settings"),
	N("opencode.json", 13, true, "agent settings"),
	N("opencode.jsonc", 13, true, "agent settings"),
	D(".aider", 13, true, "agent settings"),
	N(".aider.conf.yml", 13, true, "agent settings"),
	D(".continue", 13, true, "agent settings"),
	D(".roo", 13, true, "agent settings"),
	D(".qwen", 13, true, "agent settings"),
	N("copilot-instructions.md", 13, true, "agent instructions"),

	N("package.json", 15, false, "npm scripts"),
	N(".npmrc", 15, false, "npm settings"),
	N(".yarnrc", 15, false, "yarn settings"),
	N(".yarnrc.yml", 15, false, "yarn settings"),
	D(".yarn", 15, false, "yarn itself and its plugins"),
	N(".pnpmfile.cjs", 15, false, "pnpm hooks"),
	N("pnpmfile.js", 15, false, "pnpm hooks"),
	N(".pnpmfile.mjs", 15, false, "pnpm hooks"),
	N("pnpm-workspace.yaml", 15, false, "pnpm settings"),
	N("bunfig.toml", 15, false, "bun settings"),
	N("deno.json", 15, false, "deno tasks"),
	N("deno.jsonc", 15, false, "deno tasks"),
	N("binding.gyp", 15, false, "build of a native module"),
	N("Makefile", 15, false, "make"),
	N("makefile", 15, false, "make"),
	N("GNUmakefile", 15, false, "make"),
	N("CMakeLists.txt", 15, false, "cmake"),
	N("CMakePresets.json", 15, true, "cmake"),
	N("meson.build", 15, false, "meson"),
	N("configure", 15, false, "configure"),
	N("configure.ac", 15, false, "autoconf"),
	N("Justfile", 15, false, "just"),
	N("justfile", 15, false, "just"),
	N("Taskfile.yml", 15, false, "task"),
	N("Rakefile", 15, false, "rake"),
	N("Gemfile", 15, false, "bundler"),
	N("build.rs", 15, false, "cargo build"),
	N("Cargo.toml", 15, false, "cargo"),
	D(".cargo", 15, false, "cargo settings"),
	N("rust-toolchain.toml", 15, false, "rustup"),
	N("rust-toolchain", 15, false, "rustup"),
	N("build.zig", 15, false, "zig build"),
	N("gradlew", 15, false, "gradle"),
	N("build.gradle", 15, false, "gradle"),
	N("build.gradle.kts", 15, false, "gradle"),
	N("settings.gradle", 15, false, "gradle"),
	N("settings.gradle.kts", 15, false, "gradle"),
	D("gradle/wrapper", 15, false, "gradle"),
	N("mvnw", 15, false, "maven"),
	N("pom.xml", 15, false, "maven"),
	D(".mvn", 15, false, "maven"),
	N("conftest.py", 15, false, "pytest"),
	N("pytest.ini", 15, false, "pytest"),
	N("setup.py", 15, false, "python build"),
	N("setup.cfg", 15, false, "python build"),
	N("pyproject.toml", 15, false, "python build"),
	N("noxfile.py", 15, false, "nox"),
	N("tox.ini", 15, false, "tox"),
	N("tasks.py", 15, false, "invoke"),
	N("build.sbt", 15, false, "sbt"),
	N("mix.exs", 15, false, "mix"),
	N("composer.json", 15, false, "composer"),

	N("pyvenv.cfg", 16, false, "python environment"),
	N("sitecustomize.py", 16, false, "every python start"),
	N("usercustomize.py", 16, false, "every python start"),
	S(".pth", 16, false, "every python start"),
	D(".venv/bin", 16, false, "python environment"),
	D("venv/bin", 16, false, "python environment"),

	N(".exrc", 17, true, "vim"),
	N(".vimrc", 17, true, "vim"),
	N(".lvimrc", 17, true, "vim"),
	N(".local.vimrc", 17, true, "vim"),
	N(".nvim.lua", 17, true, "neovim"),
	N(".nvimrc", 17, true, "neovim"),
	N(".dir-locals.el", 17, true, "emacs"),
	N(".dir-locals-2.el", 17, true, "emacs"),
	N(".gdbinit", 17, false, "gdb"),
	N(".lldbinit", 17, false, "lldb"),
	N(".pdbrc", 17, false, "python debugger"),
	N(".pryrc", 17, false, "ruby shell"),
	N(".irbrc", 17, false, "ruby shell"),
	N(".Rprofile", 17, true, "R"),

	D(".github/workflows", 18, false, "CI"),
	D(".github/actions", 18, false, "CI"),
	N(".gitlab-ci.yml", 18, false, "CI"),
	D(".circleci", 18, false, "CI"),
	N(".travis.yml", 18, false, "CI"),
	N("Jenkinsfile", 18, false, "CI"),
	N("azure-pipelines.yml", 18, false, "CI"),
	N(".drone.yml", 18, false, "CI"),
	N(".pre-commit-config.yaml", 18, true, "pre-commit hooks"),
	N(".pre-commit-config.yml", 18, true, "pre-commit hooks"),
	D(".husky", 18, true, "git hooks (husky)"),
	N("lefthook.yml", 18, true, "git hooks (lefthook)"),
	N("lefthook.yaml", 18, true, "git hooks (lefthook)"),
	N(".lefthook.yml", 18, true, "git hooks (lefthook)"),
	N("lefthook-local.yml", 18, true, "git hooks (lefthook)"),
	N(".overcommit.yml", 18, true, "git hooks (overcommit)"),
	N(".huskyrc", 18, true, "git hooks (husky)"),
	N(".lintstagedrc", 18, true, "git hooks (lint-staged)"),

	S(".desktop", 19, false, "desktop launcher"),
	X("ls"),
	X("cd"),
	X("cat"),
	X("cp"),
	X("mv"),
	X("rm"),
	X("ps"),
	X("id"),
	X("sh"),
	X("vi"),
	X("bash"),
	X("zsh"),
	X("env"),
	X("sudo"),
	X("su"),
	X("ssh"),
	X("scp"),
	X("git"),
	X("gh"),
	X("make"),
	X("cmake"),
	X("gcc"),
	X("cc"),
	X("clang"),
	X("node"),
	X("npm"),
	X("npx"),
	X("yarn"),
	X("pnpm"),
	X("bun"),
	X("deno"),
	X("python"),
	X("python3"),
	X("pip"),
	X("pip3"),
	X("uv"),
	X("cargo"),
	X("rustc"),
	X("go"),
	X("java"),
	X("mvn"),
	X("docker"),
	X("podman"),
	X("kubectl"),
	X("terraform"),
	X("aws"),
	X("curl"),
	X("wget"),
	X("grep"),
	X("find"),
	X("sed"),
	X("awk"),
	X("less"),
	X("more"),
	X("man"),
	X("vim"),
	X("nvim"),
	X("nano"),
	X("emacs"),
	X("code"),
	X("tar"),
	X("unzip"),
	X("which"),
	X("test"),
	X("echo"),
	X("date"),
	X("top"),
	X("kill"),
	X("claude"),
	X("codex"),
	X("gemini"),
	X("opencode"),
	X("bawn"),
};

_Static_assert(ARRAY_LEN(rules) < UINT16_MAX, "rows are numbered in 16 bits");

#define SLOTS 1024
static uint16_t slot[SLOTS]; /* names and root commands, open addressing; filled at first use */
static bool ready;

static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h ^ h >> 15;
}

static void fill(void)
{
	for (size_t i = 1; i < ARRAY_LEN(rules); i++) {
		if (rules[i].how != PERSIST_NAME && rules[i].how != PERSIST_ROOT)
			continue;
		uint32_t k = hash(rules[i].name) % SLOTS;
		while (slot[k])
			k = (k + 1) % SLOTS;
		slot[k] = (uint16_t)(i + 1);
	}
	ready = true;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);
	return n > k && streq(s + n - k, end);
}

uint16_t persist_file(const char *base, bool root)
{
	if (!ready)
		fill();
	for (uint32_t k = hash(base) % SLOTS; slot[k]; k = (k + 1) % SLOTS) {
		const struct persist_rule *r = &rules[slot[k] - 1];
		if (streq(r->name, base) && (r->how == PERSIST_NAME || root))
			return slot[k];
	}
	static const char *const suffixes[] = {
		".code-workspace", ".sublime-project", ".pth", ".desktop"};
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (ends_with(base, suffixes[i]))
			for (size_t r = 1; r < ARRAY_LEN(rules); r++)
				if (rules[r].how == PERSIST_SUFFIX &&
					streq(rules[r].name, suffixes[i]))
					return (uint16_t)(r + 1);
	return 0;
}

uint16_t persist_dir(const char *base, const char *parent)
{
	if (base[0] != '.' && !streq(base, "bin") && !streq(base, "wrapper") &&
		!streq(base, "workflows") && !streq(base, "actions") && !streq(base, "mise"))
		return 0;
	for (size_t i = 1; i < ARRAY_LEN(rules); i++) {
		if (rules[i].how != PERSIST_DIR)
			continue;
		const char *slash = strchr(rules[i].name, '/');
		if (!slash ? streq(rules[i].name, base)
			   : streq(slash + 1, base) &&
					strlen(parent) == (size_t)(slash - rules[i].name) &&
					has_prefix(rules[i].name, parent))
			return (uint16_t)(i + 1);
	}
	return 0;
}

const struct persist_rule *persist_row(uint16_t row_plus_1)
{
	return row_plus_1 && row_plus_1 <= ARRAY_LEN(rules) ? &rules[row_plus_1 - 1] : NULL;
}

uint16_t persist_hooks_path(void)
{
	return 1;
}
