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
#define P(name, per, automatic, what)                                                              \
	{                                                                                          \
		name, PERSIST_PREFIX, per, CHECK_NONE, automatic, what                             \
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
	N(".gitconfig", 2, true, "git settings that a config may include"),
	N(".lfsconfig", 2, false, "git-lfs"),
	N("hgrc", 2, true, "mercurial settings and hooks"),
	D(".githooks", 6, true, "git hooks"),
	D(".git-hooks", 6, true, "git hooks"),
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
	P("mise.", 9, true, "mise"),
	P(".mise.", 9, true, "mise"),
	D(".shadowenv.d", 9, true, "shadowenv"),
	N(".autoenv_leave", 9, true, "autoenv"),
	N(".autoenv_leave.zsh", 9, true, "autoenv"),
	N(".env.leave", 9, true, "autoenv"),
	N(".ruby-version", 9, false, "version of a tool"),
	N(".ruby-gemset", 9, false, "version of a tool"),
	N(".nvmrc", 9, false, "version of a tool"),
	N(".node-version", 9, false, "version of a tool"),
	N(".python-version", 9, false, "version of a tool"),
	N(".java-version", 9, false, "version of a tool"),
	N(".go-version", 9, false, "version of a tool"),
	N(".terraform-version", 9, false, "version of a tool"),
	N(".sdkmanrc", 9, false, "version of a tool"),
	N(".rvmrc", 9, false, "version of a tool"),
	N("default.nix", 9, false, "nix"),
	N("devbox.json", 9, false, "devbox"),
	N("pixi.toml", 9, false, "pixi"),
	N(".tmux.conf", 9, false, "terminal sessions"),
	N(".tmuxinator.yml", 9, false, "terminal sessions"),
	N(".smug.yml", 9, false, "terminal sessions"),
	N(".screenrc", 9, false, "terminal sessions"),
	N("Procfile", 9, false, "processes to start"),
	N("process-compose.yaml", 9, false, "processes to start"),
	N("process-compose.yml", 9, false, "processes to start"),
	N(".bashrc", 9, false, "start file of a shell"),
	N(".bash_profile", 9, false, "start file of a shell"),
	N(".profile", 9, false, "start file of a shell"),
	N(".zshrc", 9, false, "start file of a shell"),
	N(".zshenv", 9, false, "start file of a shell"),
	N(".zprofile", 9, false, "start file of a shell"),
	N(".inputrc", 9, false, "start file of a shell"),

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
	D(".vim", 10, true, "editor settings"),
	D(".nvim", 10, true, "editor settings"),
	D(".nova", 10, true, "editor settings"),
	D(".lapce", 10, true, "editor settings"),
	D(".theia", 10, true, "editor settings"),
	D(".settings", 10, true, "editor settings"),
	D(".run", 10, true, "run configurations"),
	D("nbproject", 10, false, "IDE project"),
	S(".iml", 10, true, "IDE project"),
	S(".launch", 10, true, "run configuration"),
	N(".project", 10, true, "IDE project"),
	N(".classpath", 10, true, "IDE project"),
	N("project.pbxproj", 10, true, "IDE project"),
	N(".editorconfig", 10, false, "editor settings"),
	N("coc-settings.json", 10, true, "editor settings"),
	N(".vimspector.json", 10, true, "editor settings"),
	N(".neoconf.json", 10, true, "editor settings"),
	N(".luarc.json", 10, true, "editor settings"),
	N("omnisharp.json", 10, true, "editor settings"),
	N(".ycm_extra_conf.py", 10, true, "code completion"),
	N(".clangd", 10, true, "code completion"),
	N(".ccls", 10, true, "code completion"),
	N("compile_commands.json", 10, true, "code completion"),
	N(".cursorrules", 12, true, "agent instructions"),
	N(".windsurfrules", 12, true, "agent instructions"),
	N(".clinerules", 12, true, "agent instructions"),
	D(".clinerules", 13, true, "agent instructions"),
	N(".roorules", 13, true, "agent instructions"),
	N(".roomodes", 13, true, "agent instructions"),
	N(".kilocodemodes", 13, true, "agent instructions"),
	N(".goosehints", 13, true, "agent instructions"),
	N(".augment-guidelines", 13, true, "agent instructions"),
	N(".rules", 13, true, "agent instructions"),
	N("AGENT.md", 13, true, "agent instructions"),
	N("QWEN.md", 13, true, "agent instructions"),
	N("CRUSH.md", 13, true, "agent instructions"),
	N("WARP.md", 13, true, "agent instructions"),
	N("SKILL.md", 13, true, "agent instructions"),
	D(".agent", 13, true, "agent settings"),
	D(".amazonq", 13, true, "agent settings"),
	D(".augment", 13, true, "agent settings"),
	D(".claude-plugin", 13, true, "agent settings"),
	D(".codeium", 13, true, "agent settings"),
	D(".copilot", 13, true, "agent settings"),
	D(".crush", 13, true, "agent settings"),
	D(".factory", 13, true, "agent settings"),
	D(".goose", 13, true, "agent settings"),
	D(".iflow", 13, true, "agent settings"),
	D(".junie", 13, true, "agent settings"),
	D(".kilocode", 13, true, "agent settings"),
	D(".openhands", 13, true, "agent settings"),
	D(".serena", 13, true, "agent settings"),
	D(".trae", 13, true, "agent settings"),
	D(".warp", 13, true, "agent settings"),
	D(".zencoder", 13, true, "agent settings"),
	N(".claude.json", 13, true, "agent settings"),
	N(".continuerc.json", 13, true, "agent settings"),
	N("crush.json", 13, true, "agent settings"),
	N(".crush.json", 13, true, "agent settings"),
	N("mcp.json", 13, true, "agent settings"),
	P(".aider", 13, true, "agent settings"),

	D(".devcontainer", 11, true, "container that the editor starts"),
	N(".devcontainer.json", 11, true, "container that the editor starts"),
	N("docker-compose.yml", 11, false, "containers"),
	N("docker-compose.yaml", 11, false, "containers"),
	N("docker-compose.override.yml", 11, false, "containers"),
	N("compose.yml", 11, false, "containers"),
	N("compose.yaml", 11, false, "containers"),
	N("Vagrantfile", 11, false, "virtual machine"),
	P("docker-compose.", 11, false, "containers"),
	P("docker-compose-", 11, false, "containers"),
	P("compose.", 11, false, "containers"),
	N("Dockerfile", 11, false, "container image"),
	N("Containerfile", 11, false, "container image"),
	N("Earthfile", 11, false, "container image"),
	N("Tiltfile", 11, false, "container image"),
	N(".gitpod.yml", 11, true, "development environment"),
	N(".replit", 11, true, "development environment"),
	N("replit.nix", 11, true, "development environment"),
	N("devfile.yaml", 11, true, "development environment"),
	N(".devfile.yaml", 11, true, "development environment"),
	N(".stackblitzrc", 11, true, "development environment"),
	D(".idx", 11, true, "development environment"),
	D(".codesandbox", 11, true, "development environment"),

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
	N(".pnp.cjs", 15, false, "package manager"),
	N(".pnp.js", 15, false, "package manager"),
	N(".pnp.loader.mjs", 15, false, "package manager"),
	N("pip.conf", 15, false, "package manager"),
	N("uv.toml", 15, false, "package manager"),
	N("poetry.toml", 15, false, "package manager"),
	N("Pipfile", 15, false, "package manager"),
	N("NuGet.Config", 15, false, "package manager"),
	N("nuget.config", 15, false, "package manager"),
	N("pubspec.yaml", 15, false, "package manager"),
	N("shard.yml", 15, false, "package manager"),
	N("cpanfile", 15, false, "package manager"),
	N("Podfile", 15, false, "package manager"),
	N("Brewfile", 15, false, "package manager"),
	N("Package.swift", 15, false, "package manager"),
	N("go.mod", 15, false, "package manager"),
	N("go.work", 15, false, "package manager"),
	N("deno.lock", 15, false, "package manager"),
	N("lerna.json", 15, false, "build or task runner"),
	N("nx.json", 15, false, "build or task runner"),
	N("turbo.json", 15, false, "build or task runner"),
	N("rush.json", 15, false, "build or task runner"),
	N("project.json", 15, false, "build or task runner"),
	N("angular.json", 15, false, "build or task runner"),
	N(".parcelrc", 15, false, "build or task runner"),
	N(".sequelizerc", 15, false, "build or task runner"),
	N("nodemon.json", 15, false, "build or task runner"),
	N("foundry.toml", 15, false, "build or task runner"),
	N("fabfile.py", 15, false, "build or task runner"),
	N("dodo.py", 15, false, "build or task runner"),
	N("SConstruct", 15, false, "build or task runner"),
	N("SConscript", 15, false, "build or task runner"),
	N("wscript", 15, false, "build or task runner"),
	N("manage.py", 15, false, "build or task runner"),
	N("hatch.toml", 15, false, "build or task runner"),
	N("hatch_build.py", 15, false, "build or task runner"),
	N("conf.py", 15, false, "build or task runner"),
	N("mkdocs.yml", 15, false, "build or task runner"),
	N("mkdocs.yaml", 15, false, "build or task runner"),
	N("Makefile.PL", 15, false, "build or task runner"),
	N("Build.PL", 15, false, "build or task runner"),
	N("Guardfile", 15, false, "build or task runner"),
	N("Capfile", 15, false, "build or task runner"),
	N("Thorfile", 15, false, "build or task runner"),
	N("Dangerfile", 15, false, "build or task runner"),
	N("Fastfile", 15, false, "build or task runner"),
	N("config.ru", 15, false, "build or task runner"),
	N("BUILD", 15, false, "build or task runner"),
	N("BUILD.bazel", 15, false, "build or task runner"),
	N("WORKSPACE", 15, false, "build or task runner"),
	N("WORKSPACE.bazel", 15, false, "build or task runner"),
	N("MODULE.bazel", 15, false, "build or task runner"),
	N(".bazelrc", 15, false, "build or task runner"),
	N(".bazelversion", 15, false, "build or task runner"),
	N(".buckconfig", 15, false, "build or task runner"),
	N("BUCK", 15, false, "build or task runner"),
	N("pants.toml", 15, false, "build or task runner"),
	N("gradle.properties", 15, false, "build or task runner"),
	N("local.properties", 15, false, "build or task runner"),
	N("init.gradle", 15, false, "build or task runner"),
	N("build.xml", 15, false, "build or task runner"),
	N("build.sc", 15, false, "build or task runner"),
	N("build.mill", 15, false, "build or task runner"),
	N("project.clj", 15, false, "build or task runner"),
	N("deps.edn", 15, false, "build or task runner"),
	N("bb.edn", 15, false, "build or task runner"),
	N(".sbtopts", 15, false, "build or task runner"),
	N(".jvmopts", 15, false, "build or task runner"),
	N("Directory.Build.props", 15, false, "build or task runner"),
	N("Directory.Build.targets", 15, false, "build or task runner"),
	N("global.json", 15, false, "build or task runner"),
	N("dotnet-tools.json", 15, false, "build or task runner"),
	N("Setup.hs", 15, false, "build or task runner"),
	N("cabal.project", 15, false, "build or task runner"),
	N("stack.yaml", 15, false, "build or task runner"),
	N("hie.yaml", 15, false, "build or task runner"),
	N("dune", 15, false, "build or task runner"),
	N("dune-project", 15, false, "build or task runner"),
	N("rebar.config", 15, false, "build or task runner"),
	N("rebar.config.script", 15, false, "build or task runner"),
	N("nim.cfg", 15, false, "build or task runner"),
	N("config.nims", 15, false, "build or task runner"),
	N("magefile.go", 15, false, "build or task runner"),
	N("build.jl", 15, false, "build or task runner"),
	N("meson_options.txt", 15, false, "build or task runner"),
	N("CMakeUserPresets.json", 15, false, "build or task runner"),
	N("Doxyfile", 15, false, "build or task runner"),
	N("latexmkrc", 15, false, "build or task runner"),
	N(".latexmkrc", 15, false, "build or task runner"),
	N("cdk.json", 15, false, "build or task runner"),
	N("samconfig.toml", 15, false, "build or task runner"),
	N("Pulumi.yaml", 15, false, "build or task runner"),
	N("terragrunt.hcl", 15, false, "build or task runner"),
	N("ansible.cfg", 15, false, "build or task runner"),
	N("helmfile.yaml", 15, false, "build or task runner"),
	N("skaffold.yaml", 15, false, "build or task runner"),
	N(".justfile", 15, false, "build or task runner"),
	N("tup.config", 15, false, "build or task runner"),
	N("Snakefile", 15, false, "build or task runner"),
	N("xmake.lua", 15, false, "build or task runner"),
	N("premake5.lua", 15, false, "build or task runner"),
	N("artisan", 15, false, "build or task runner"),
	N("phpunit.xml", 15, false, "build or task runner"),
	N("phpunit.xml.dist", 15, false, "build or task runner"),
	N(".user.ini", 15, false, "build or task runner"),
	N(".pylintrc", 15, false, "linter or test settings that load code"),
	N("pylintrc", 15, false, "linter or test settings that load code"),
	N("mypy.ini", 15, false, "linter or test settings that load code"),
	N(".mypy.ini", 15, false, "linter or test settings that load code"),
	N(".flake8", 15, false, "linter or test settings that load code"),
	N(".coveragerc", 15, false, "linter or test settings that load code"),
	N(".rspec", 15, false, "linter or test settings that load code"),
	N(".rubocop.yml", 15, false, "linter or test settings that load code"),
	N(".proverc", 15, false, "linter or test settings that load code"),
	N(".perltidyrc", 15, false, "linter or test settings that load code"),
	N(".perlcriticrc", 15, false, "linter or test settings that load code"),
	N(".luacheckrc", 15, false, "linter or test settings that load code"),
	N(".busted", 15, false, "linter or test settings that load code"),
	N(".golangci.yml", 15, false, "linter or test settings that load code"),
	N(".golangci.yaml", 15, false, "linter or test settings that load code"),
	N(".php-cs-fixer.php", 15, false, "linter or test settings that load code"),
	N(".php-cs-fixer.dist.php", 15, false, "linter or test settings that load code"),
	N("rector.php", 15, false, "linter or test settings that load code"),
	N("phpstan.neon", 15, false, "linter or test settings that load code"),
	N(".formatter.exs", 15, false, "linter or test settings that load code"),
	N(".credo.exs", 15, false, "linter or test settings that load code"),
	N(".solcover.js", 15, false, "linter or test settings that load code"),
	N(".taprc", 15, false, "linter or test settings that load code"),
	N(".c8rc", 15, false, "linter or test settings that load code"),
	N(".valgrindrc", 15, false, "linter or test settings that load code"),
	N("BSDmakefile", 15, false, "make"),
	N("Makefile.am", 15, false, "make"),
	N("Kbuild", 15, false, "make"),
	N(".justfile", 15, false, "just"),
	P("Taskfile.", 15, false, "task"),
	P("taskfile.", 15, false, "task"),
	P("gulpfile.", 15, false, "build"),
	P("Gruntfile.", 15, false, "build"),
	P(".eslintrc", 15, false, "tool settings that load code"),
	P(".prettierrc", 15, false, "tool settings that load code"),
	P(".babelrc", 15, false, "tool settings that load code"),
	P(".stylelintrc", 15, false, "tool settings that load code"),
	P(".mocharc", 15, false, "tool settings that load code"),
	P(".nycrc", 15, false, "tool settings that load code"),
	P(".postcssrc", 15, false, "tool settings that load code"),
	P(".releaserc", 15, false, "tool settings that load code"),
	P(".graphqlrc", 15, false, "tool settings that load code"),
	P(".remarkrc", 15, false, "tool settings that load code"),
	P(".textlintrc", 15, false, "tool settings that load code"),
	P(".vscode-test.", 15, false, "tool settings that load code"),
	P("vitest.workspace.", 15, false, "tool settings that load code"),
	P("jupyter_", 15, false, "tool settings that load code"),
	S(".config.js", 15, false, "tool settings that are a program"),
	S(".config.ts", 15, false, "tool settings that are a program"),
	S(".config.mjs", 15, false, "tool settings that are a program"),
	S(".config.cjs", 15, false, "tool settings that are a program"),
	S(".config.mts", 15, false, "tool settings that are a program"),
	S(".config.cts", 15, false, "tool settings that are a program"),
	S(".conf.js", 15, false, "tool settings that are a program"),
	S(".conf.ts", 15, false, "tool settings that are a program"),
	S("-config.js", 15, false, "tool settings that are a program"),
	S(".gradle", 15, false, "build"),
	S(".gradle.kts", 15, false, "build"),
	S(".sbt", 15, false, "build"),
	S(".cabal", 15, false, "build"),
	S(".nimble", 15, false, "build"),
	S(".gemspec", 15, false, "build"),
	S(".csproj", 15, false, "build"),
	S(".fsproj", 15, false, "build"),
	S(".vbproj", 15, false, "build"),
	S(".vcxproj", 15, false, "build"),
	S(".props", 15, false, "build"),
	S(".targets", 15, false, "build"),
	S(".mk", 15, false, "build"),
	S(".cmake", 15, false, "build"),
	S(".pri", 15, false, "build"),
	S(".pro", 15, false, "build"),
	S(".tf", 15, false, "build"),
	D("buildSrc", 15, false, "gradle"),
	D(".storybook", 15, false, "storybook"),

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
	N(".Renviron", 17, true, "R"),
	N(".ghci", 17, false, "start file of an interpreter"),
	N(".ocamlinit", 17, false, "start file of an interpreter"),
	N(".iex.exs", 17, false, "start file of an interpreter"),
	N(".octaverc", 17, false, "start file of an interpreter"),
	N(".gdbearlyinit", 17, false, "start file of an interpreter"),
	N(".gnuplot", 17, false, "start file of an interpreter"),
	N(".pythonrc", 17, false, "start file of an interpreter"),
	N(".pythonrc.py", 17, false, "start file of an interpreter"),
	N(".pythonstartup", 17, false, "start file of an interpreter"),
	N("startup.jl", 17, false, "start file of an interpreter"),
	N("ipython_config.py", 17, false, "start file of an interpreter"),
	N(".radare2rc", 17, false, "start file of an interpreter"),
	D(".ipython", 17, false, "start files of an interpreter"),
	D(".jupyter", 17, false, "start files of an interpreter"),
	D(".julia", 17, false, "start files of an interpreter"),

	D(".github", 18, false, "CI"),
	D(".gitlab", 18, false, "CI"),
	D(".gitea", 18, false, "CI"),
	D(".forgejo", 18, false, "CI"),
	D(".buildkite", 18, false, "CI"),
	D(".semaphore", 18, false, "CI"),
	D(".woodpecker", 18, false, "CI"),
	N(".woodpecker.yml", 18, false, "CI"),
	N("bitbucket-pipelines.yml", 18, false, "CI"),
	N("appveyor.yml", 18, false, "CI"),
	N(".appveyor.yml", 18, false, "CI"),
	N("cloudbuild.yaml", 18, false, "CI"),
	N(".cirrus.yml", 18, false, "CI"),
	N("buildspec.yml", 18, false, "CI"),
	N(".gitlab-ci.yaml", 18, false, "CI"),
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
	P(".lintstagedrc.", 18, true, "git hooks"),
	P(".huskyrc.", 18, true, "git hooks"),
	P(".simple-git-hooks.", 18, true, "git hooks"),
	P("simple-git-hooks.", 18, true, "git hooks"),
	P("lefthook.", 18, true, "git hooks"),
	P(".lefthook.", 18, true, "git hooks"),
	P("lefthook-", 18, true, "git hooks"),
	P(".commitlintrc", 18, true, "git hooks"),
	N(".pre-commit-hooks.yaml", 18, true, "pre-commit hooks"),
	N(".rusty-hook.toml", 18, true, "git hooks"),

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

#define SLOTS 2048
static uint16_t slot[SLOTS]; /* names and root commands, open addressing; filled at first use */
/* Chains of the patterns: by the byte that they begin, or end, with; rows + 1. */
static uint16_t first[256], last[256], next[ARRAY_LEN(rules)];
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
		const char *name = rules[i].name;
		uint16_t *chain = rules[i].how == PERSIST_PREFIX ? &first[(unsigned char)name[0]]
			: rules[i].how == PERSIST_SUFFIX
			? &last[(unsigned char)name[strlen(name) - 1]]
			: NULL;
		if (chain) {
			next[i] = *chain;
			*chain = (uint16_t)(i + 1);
		}
		if (rules[i].how != PERSIST_NAME && rules[i].how != PERSIST_ROOT)
			continue;
		uint32_t k = hash(rules[i].name) % SLOTS;
		while (slot[k])
			k = (k + 1) % SLOTS;
		slot[k] = (uint16_t)(i + 1);
	}
	ready = true;
}

/* Does base match the pattern row r?  An end alone (".mk") is no such file. */
static bool matches(const struct persist_rule *r, const char *base, size_t n)
{
	size_t k = strlen(r->name);
	if (n < k + (r->how == PERSIST_SUFFIX))
		return false;
	return memcmp(r->how == PERSIST_SUFFIX ? base + n - k : base, r->name, k) == 0;
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
	/* Few patterns begin, or end, with any one byte; the chains make this cheap for 100,000
	 * files. */
	size_t n = strlen(base);
	for (uint16_t i = n ? first[(unsigned char)base[0]] : 0; i; i = next[i - 1])
		if (matches(&rules[i - 1], base, n))
			return i;
	for (uint16_t i = n ? last[(unsigned char)base[n - 1]] : 0; i; i = next[i - 1])
		if (matches(&rules[i - 1], base, n))
			return i;
	return 0;
}

/* Directories without a leading dot that are in the table; most directories are none of either. */
static bool plain_dir(const char *base)
{
	static const char *const names[] = {"bin", "wrapper", "mise", "buildSrc", "nbproject"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (streq(base, names[i]))
			return true;
	return false;
}

uint16_t persist_dir(const char *base, const char *parent)
{
	if (base[0] != '.' && !plain_dir(base))
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
