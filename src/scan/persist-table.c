/* scan/persist-table.c - see persist.h: which names, and what is said of them.  The most telling
 * come first within a class; a pattern that stands further down is asked before one above it.
 */
#include "scan/persist.h"

/* names, as many to a line as fit */
/* clang-format off */
const struct persist_group persist_groups[] = {
	{PERSIST_DIR, CHECK_NONE, 6, true,
	 "git hook (core.hooksPath)",
	 ""}, /* the first row */
	{PERSIST_NAME, CHECK_MODULES, 3, true,
	 "submodule with an update command",
	 ".gitmodules"},
	{PERSIST_NAME, CHECK_ATTRIBUTES, 7, true,
	 "names a filter, diff or merge driver",
	 ".gitattributes"},
	{PERSIST_NAME, CHECK_NONE, 2, true,
	 "git settings that a config may include",
	 ".gitconfig"},
	{PERSIST_NAME, CHECK_NONE, 2, false,
	 "git-lfs",
	 ".lfsconfig"},
	{PERSIST_NAME, CHECK_NONE, 2, true,
	 "lazygit",
	 ".lazygit.yml"},
	{PERSIST_NAME, CHECK_NONE, 2, true,
	 "mercurial settings and hooks",
	 "hgrc hgrc-not-shared"},
	{PERSIST_DIR, CHECK_NONE, 2, true,
	 "settings of another version control",
	 ".jj .sl .bzr .pijul _darcs .repo .west .fossil-settings"},
	{PERSIST_DIR, CHECK_NONE, 6, true,
	 "git hooks",
	 ".hooks .githooks .git-hooks"},
	{PERSIST_DIR, CHECK_NONE, 2, true,
	 "git settings that a config may include",
	 ".config/git"},
	{PERSIST_NAME, CHECK_NONE, 2, false,
	 "settings of another version control",
	 ".hgsub .fslckout _FOSSIL_ .p4config .gclient DEPS west.yml .mrconfig"},
	{PERSIST_NAME, CHECK_NONE, 2, false,
	 "code review",
	 ".arcconfig .arclint .arcunit .reviewboardrc"},
	{PERSIST_NAME, CHECK_NONE, 9, true,
	 "direnv",
	 ".envrc .direnvrc"},
	{PERSIST_NAME, CHECK_NONE, 9, true,
	 "mise",
	 ".mise.toml mise.toml .mise.local.toml mise.local.toml .rtx.toml .rtx.local.toml "
	 ".miserc.toml"},
	{PERSIST_NAME, CHECK_TOLD, 9, false,
	 "variables of programs that run here",
	 ".env"},
	{PERSIST_PREFIX, CHECK_TOLD, 9, false,
	 "variables of programs that run here",
	 ".env."},
	{PERSIST_PREFIX, CHECK_NONE, 9, true,
	 "direnv",
	 ".envrc."},
	{PERSIST_NAME, CHECK_NONE, 9, true,
	 "rbenv, rvm",
	 ".rbenv-vars .ruby-env .versions.conf"},
	{PERSIST_PREFIX, CHECK_NONE, 9, true,
	 "what direnv keeps of nix, and runs again",
	 "flake-profile nix-profile"},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "devenv",
	 "devenv.local.nix devenv.yaml devenv.nix"},
	{PERSIST_DIR, CHECK_NONE, 9, false,
	 "flox",
	 ".flox"},
	{PERSIST_NAME, CHECK_NONE, 9, true,
	 "proto",
	 ".prototools"},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "version of a tool",
	 "lean-toolchain .swift-version .bun-version .deno-version .perl-version "
	 ".php-version .lua-version .zig-version .tofu-version .terragrunt-version "
	 ".ruby-version .ruby-gemset .nvmrc .node-version .python-version .java-version "
	 ".go-version .terraform-version .sdkmanrc .rvmrc .zvmrc .gvmrc .mill-version "
	 ".gradle-version .scala-version .kotlin-version .erlang-version .elixir-version "
	 ".crystal-version .dart-version .rust-version .opentofu-version .tfswitchrc "
	 ".packer-version .helm-version .kubectl-version"},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "versions of tools",
	 "aqua.yaml aqua.yml .aqua.yaml .aqua.yml pkgx.yaml pkgx.yml .pkgx.yaml .pkgx.yml"},
	{PERSIST_NAME, CHECK_NONE, 9, true,
	 "start file of a shell",
	 ".ondirrc"},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "asdf or mise",
	 ".tool-versions"},
	{PERSIST_NAME, CHECK_NONE, 9, true,
	 "autoenv",
	 ".autoenv .autoenv.zsh .autoenv_leave .autoenv_leave.zsh .env.leave .in .out "
	 ".bash_enter .bash_leave"},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "shell environment",
	 ".env.sh"},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "nix",
	 "flake.nix shell.nix default.nix"},
	{PERSIST_DIR, CHECK_NONE, 9, true,
	 "mise",
	 ".config/mise .mise .rtx"},
	{PERSIST_PREFIX, CHECK_NONE, 9, true,
	 "mise",
	 "mise. .mise."},
	{PERSIST_DIR, CHECK_NONE, 9, true,
	 "shadowenv",
	 ".shadowenv.d"},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "devbox",
	 "devbox.json"},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "pixi",
	 "pixi.toml"},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "hermit",
	 "activate-hermit hermit.hcl"},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "terminal sessions",
	 ".tmux.conf .tmuxinator.yml .smug.yml .screenrc .tmuxp.yaml .tmuxp.yml "
	 ".tmuxp.json .workmux.yaml .zellij.kdl"},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "processes to start",
	 "Procfile process-compose.yaml process-compose.yml"},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "start file of a shell",
	 ".bashrc .bash_profile .profile .zshrc .zshenv .zprofile .inputrc .bash_aliases "
	 ".bash_login .bash_logout .zlogin .zlogout .login .cshrc .tcshrc .kshrc .mkshrc "
	 "config.fish config.nu env.nu .xonshrc .pam_environment .xinitrc .xprofile "
	 ".xsession .xsessionrc"},
	{PERSIST_DIR, CHECK_NONE, 9, false,
	 "settings of ssh",
	 ".ssh .gnupg"},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "settings of transfers",
	 ".netrc .curlrc .wgetrc"},
	{PERSIST_DIR, CHECK_NONE, 9, false,
	 "mise",
	 "mise mise-tasks .mise-tasks"},
	{PERSIST_NAME, CHECK_NONE, 9, true,
	 "vfox",
	 ".vfox.toml vfox.toml"},
	{PERSIST_NAME, CHECK_NONE, 9, true,
	 "terminal sessions",
	 ".tmux-sessionizer"},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "variables of programs that run here",
	 ".flaskenv .quartenv .overmind.env .foreman"},
	{PERSIST_PREFIX, CHECK_NONE, 9, false,
	 "processes to start",
	 "Procfile. process-compose."},
	{PERSIST_NAME, CHECK_NONE, 9, false,
	 "guix",
	 "guix.scm manifest.scm"},
	{PERSIST_DOT, CHECK_NONE, 9, false,
	 "start file of a shell",
	 ".sh .bash .zsh .fish .ps1"},
	{PERSIST_DIR, CHECK_NONE, 19, false,
	 "services of a user",
	 ".config/systemd"},
	{PERSIST_DIR, CHECK_NONE, 19, false,
	 "desktop launcher",
	 ".config/autostart"},
	{PERSIST_DIR, CHECK_NONE, 10, true,
	 "editor settings and tasks",
	 ".vscode .zed"},
	{PERSIST_DIR, CHECK_NONE, 10, true,
	 "IDE project",
	 ".idea .fleet .vs .externalToolBuilders .kdev4"},
	{PERSIST_DIR, CHECK_NONE, 10, true,
	 "editor and agent settings",
	 ".cursor .windsurf .kiro"},
	{PERSIST_DIR, CHECK_NONE, 10, true,
	 "editor settings",
	 ".helix .vim .nvim .nova .lapce .theia .settings .sourcekit-lsp "
	 ""},
	{PERSIST_SUFFIX, CHECK_NONE, 10, true,
	 "editor workspace",
	 ".code-workspace"},
	{PERSIST_SUFFIX, CHECK_NONE, 10, true,
	 "editor project",
	 ".sublime-project"},
	{PERSIST_NAME, CHECK_NONE, 10, true,
	 "editor project",
	 ".sublime-project"},
	{PERSIST_DIR, CHECK_NONE, 10, true,
	 "run configurations",
	 ".run"},
	{PERSIST_DIR, CHECK_NONE, 10, false,
	 "IDE project",
	 "nbproject"},
	{PERSIST_SUFFIX, CHECK_NONE, 10, true,
	 "IDE project",
	 ".iml .ipr .iws .kdev4"},
	{PERSIST_SUFFIX, CHECK_NONE, 10, true,
	 "run configuration",
	 ".launch .run.xml"},
	{PERSIST_NAME, CHECK_NONE, 10, true,
	 "IDE project",
	 ".project .classpath project.pbxproj .cproject .factorypath .pydevproject "
	 ".kateproject"},
	{PERSIST_DIR, CHECK_NONE, 10, false,
	 "settings and caches of an editor's tools",
	 ".clj-kondo .lsp .metals .bloop .ropeproject .spyproject"},
	{PERSIST_NAME, CHECK_NONE, 10, false,
	 "editor settings",
	 ".editorconfig .nrepl.edn ltex.json gopls.json jdtls.json .projections.json "
	 ".tasks analysis_options.yaml .clang-tidy erlang_ls.config erlang_ls.yaml"},
	{PERSIST_NAME, CHECK_NONE, 10, true,
	 "editor settings",
	 "coc-settings.json .vimspector.json .neoconf.json .phpactor.json .phpactor.yml "
	 ".projectile .kak .luarc.json omnisharp.json"},
	{PERSIST_DIR, CHECK_NONE, 10, true,
	 "build server that an editor starts",
	 ".bsp"},
	{PERSIST_NAME, CHECK_NONE, 10, true,
	 "build server that an editor starts",
	 "buildServer.json"},
	{PERSIST_NAME, CHECK_NONE, 10, true,
	 "code completion",
	 ".merlin .tern-project .ctags rust-project.json rust-analyzer.toml "
	 ".rust-analyzer.toml .pyre_configuration .ycm_extra_conf.py .clangd .ccls "
	 "compile_commands.json .luarc.jsonc .luarc.doc.json .clang_complete "
	 "compile_flags.txt .gutctags ols.json .lintr .solargraph.yml"},
	{PERSIST_NAME, CHECK_NONE, 17, true,
	 "vim",
	 ".emacs .spacemacs .kakrc _vimrc _exrc .exrc .vimrc .lvimrc .local.vimrc "
	 ".local-vimrc .vimrc.local .vimrc.lua .nvimrc.lua"},
	{PERSIST_DIR, CHECK_NONE, 10, true,
	 "code completion",
	 ".ctags.d"},
	{PERSIST_NAME, CHECK_NONE, 10, false,
	 "watches of files",
	 ".watchmanconfig"},
	{PERSIST_NAME, CHECK_TOLD, 15, false,
	 "plugins of an editor or compiler",
	 "tsconfig.json jsconfig.json"},
	{PERSIST_PREFIX, CHECK_TOLD, 15, false,
	 "plugins of an editor or compiler",
	 "tsconfig."},
	{PERSIST_NAME, CHECK_NONE, 12, true,
	 "agent instructions",
	 ".cursorrules .windsurfrules .clinerules CLAUDE.md CLAUDE.local.md"},
	{PERSIST_DIR, CHECK_NONE, 13, true,
	 "agent instructions",
	 ".clinerules"},
	{PERSIST_NAME, CHECK_NONE, 13, true,
	 "agent instructions",
	 ".roorules .roomodes .kilocodemodes .goosehints .augment-guidelines .rules AGENT.md "
	 "QWEN.md CRUSH.md WARP.md SKILL.md codex.md AMP.md replit.md AGENTS.md "
	 "AGENTS.override.md GEMINI.md copilot-instructions.md SOUL.md"},
	{PERSIST_DIR, CHECK_NONE, 13, true,
	 "agent settings",
	 ".agent .amazonq .augment .claude-plugin .codeium .copilot .crush .factory .goose "
	 ".iflow .junie .kilocode .openhands .serena .trae .warp .zencoder .mcp .amp "
	 ".antigravity .cline .codebuddy .codegpt .cody .devin .droid .forge .grok .jules "
	 ".kimi .letta .mux .ona .pi .qodo .rovodev .sourcegraph .tabnine .vibe .void .codex "
	 ".gemini .opencode .agents .aider .continue .roo .qwen .kilo .qoder .lingma "
	 ".comate .firebender .bob .cortex .pochi .kode .neovate .commandcode .trae-cn "
	 ".cursor-plugin .codex-plugin .rulesync .ruler .eca .hermes .openclaw "
	 ".aiassistant .deepagents .mcpjam .adal .conductor .superset .dmux-hooks .specify "
	 ".taskmaster .aider-desk"},
	{PERSIST_NAME, CHECK_NONE, 13, true,
	 "agent settings",
	 ".claude.json .continuerc.json crush.json .crush.json mcp.json .opencode.json "
	 ".mcp_config.json mcp_config.json forge.yaml gptme.toml .mentat_config.json "
	 ".goose.yaml opencode.json opencode.jsonc kilo.json kilo.jsonc .lsp.json "
	 "gemini-extension.json rulesync.jsonc cagent.yaml conductor.json"},
	{PERSIST_PREFIX, CHECK_NONE, 13, true,
	 "agent settings",
	 ".aider"},
	{PERSIST_PREFIX, CHECK_NONE, 13, true,
	 "agent instructions",
	 ".roorules- .clinerules- .windsurfrules- .kilocoderules"},
	{PERSIST_NAME, CHECK_NONE, 13, false,
	 "agent instructions",
	 "CONVENTIONS.md"},
	{PERSIST_NAME, CHECK_NONE, 13, false,
	 "agent settings",
	 "hooks.json"},
	{PERSIST_DIR, CHECK_NONE, 11, true,
	 "container that the editor starts",
	 ".devcontainer"},
	{PERSIST_NAME, CHECK_NONE, 11, true,
	 "container that the editor starts",
	 ".devcontainer.json"},
	{PERSIST_NAME, CHECK_NONE, 11, false,
	 "containers",
	 "docker-compose.yml docker-compose.yaml docker-compose.override.yml compose.yml "
	 "compose.yaml"},
	{PERSIST_NAME, CHECK_NONE, 11, false,
	 "virtual machine",
	 "Vagrantfile"},
	{PERSIST_PREFIX, CHECK_NONE, 11, false,
	 "containers",
	 "docker-compose. docker-compose- compose. podman-compose."},
	{PERSIST_NAME, CHECK_NONE, 11, false,
	 "container image",
	 "Dockerfile Containerfile Earthfile Tiltfile"},
	{PERSIST_NAME, CHECK_NONE, 11, true,
	 "development environment",
	 ".gitpod.yml .replit replit.nix devfile.yaml .devfile.yaml .stackblitzrc"},
	{PERSIST_DIR, CHECK_NONE, 11, true,
	 "development environment",
	 ".idx .codesandbox"},
	{PERSIST_NAME, CHECK_NONE, 12, true,
	 "tool servers of an agent",
	 ".mcp.json"},
	{PERSIST_DIR, CHECK_NONE, 12, true,
	 "agent settings",
	 ".claude"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "npm scripts",
	 "package.json package.json5"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "npm settings",
	 ".npmrc"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "yarn settings",
	 ".yarnrc .yarnrc.yml"},
	{PERSIST_DIR, CHECK_NONE, 15, false,
	 "yarn itself and its plugins",
	 ".yarn"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "pnpm hooks",
	 ".pnpmfile.cjs pnpmfile.js .pnpmfile.mjs"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "pnpm settings",
	 "pnpm-workspace.yaml"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "bun settings",
	 "bunfig.toml"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "deno tasks",
	 "deno.json deno.jsonc"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "build of a native module",
	 "binding.gyp"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "make",
	 "Makefile makefile GNUmakefile BSDmakefile Makefile.am Kbuild"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "cmake",
	 "CMakeLists.txt"},
	{PERSIST_NAME, CHECK_NONE, 15, true,
	 "cmake",
	 "CMakePresets.json"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "meson",
	 "meson.build"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "configure",
	 "configure"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "autoconf",
	 "configure.ac"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "just",
	 "Justfile justfile"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "task",
	 "Taskfile.yml"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "rake",
	 "Rakefile"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "bundler",
	 "Gemfile gems.rb"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "cargo build",
	 "build.rs"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "cargo",
	 "Cargo.toml"},
	{PERSIST_DIR, CHECK_NONE, 15, false,
	 "cargo settings",
	 ".cargo"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "rustup",
	 "rust-toolchain.toml rust-toolchain"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "zig build",
	 "build.zig"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "gradle",
	 "gradlew build.gradle build.gradle.kts settings.gradle settings.gradle.kts"},
	{PERSIST_DIR, CHECK_NONE, 15, false,
	 "gradle",
	 "gradle/wrapper buildSrc"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "maven",
	 "mvnw pom.xml"},
	{PERSIST_DIR, CHECK_NONE, 15, false,
	 "maven",
	 ".mvn"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "pytest",
	 "conftest.py pytest.ini pytest.toml .pytest.toml .pytest.ini"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "python build",
	 "setup.py setup.cfg pyproject.toml"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "nox",
	 "noxfile.py"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "tox",
	 "tox.ini tox.toml"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "invoke",
	 "tasks.py"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "sbt",
	 "build.sbt"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "mix",
	 "mix.exs"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "composer",
	 "composer.json"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "package manager",
	 ".pnp.cjs .pnp.js .pnp.loader.mjs pip.conf uv.toml poetry.toml Pipfile NuGet.Config "
	 "nuget.config pubspec.yaml shard.yml cpanfile Podfile Brewfile Package.swift go.mod "
	 "go.work deno.lock NuGet.config pubspec_overrides.yaml "
	 "vcpkg-configuration.json"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "build or task runner",
	 "lerna.json nx.json turbo.json rush.json project.json angular.json .parcelrc "
	 ".sequelizerc nodemon.json foundry.toml fabfile.py dodo.py SConstruct SConscript "
	 "wscript manage.py hatch.toml hatch_build.py conf.py mkdocs.yml mkdocs.yaml "
	 "Makefile.PL Build.PL Guardfile Capfile Thorfile Dangerfile Fastfile config.ru "
	 "BUILD BUILD.bazel WORKSPACE WORKSPACE.bazel MODULE.bazel .bazelrc .bazelversion "
	 ".buckconfig BUCK pants.toml gradle.properties local.properties init.gradle "
	 "build.xml build.sc build.mill project.clj deps.edn bb.edn .sbtopts .jvmopts "
	 "Directory.Build.props Directory.Build.targets global.json dotnet-tools.json "
	 "Setup.hs cabal.project stack.yaml hie.yaml dune dune-project rebar.config "
	 "rebar.config.script nim.cfg config.nims magefile.go build.jl meson_options.txt "
	 "CMakeUserPresets.json Doxyfile latexmkrc .latexmkrc cdk.json samconfig.toml "
	 "Pulumi.yaml terragrunt.hcl ansible.cfg helmfile.yaml skaffold.yaml JUSTFILE "
	 "JustFile .Justfile rakefile Rakefile.rb rakefile.rb .air.toml air.toml "
	 ".goreleaser.yml .goreleaser.yaml goreleaser.yml goreleaser.yaml buf.gen.yaml "
	 "sqlc.yaml sqlc.yml sqlc.json lakefile.lean lakefile.toml bazel .bazeliskrc "
	 "tools.go docker-bake.hcl docker-bake.json wrangler.toml wrangler.json "
	 "wrangler.jsonc serverless.yml serverless.yaml serverless.ts serverless.js "
	 "firebase.json .firebaserc vercel.json netlify.toml app.json fly.toml devspace.yaml "
	 "garden.yml garden.yaml project.garden.yml okteto.yml okteto.yaml werf.yaml "
	 "dagger.json tilt_config.json .terraformrc terraform.tfvars project.janet "
	 "shadow-cljs.edn build.boot profile.boot profiles.clj cake.config build.cake "
	 "build.fsx build.ps1 psakefile.ps1 Build.ps1 paket.dependencies package.yaml "
	 "spago.dhall spago.yaml bower.json .bowerrc plopfile.js .hygen.js Makefile.local "
	 "GNUmakefile.local .makerc _config.yml book.toml .readthedocs.yaml .readthedocs.yml "
	 ".pdm.toml Cross.toml Trunk.toml dbt_project.yml profiles.yml grumphp.yml "
	 "grumphp.yml.dist captainhook.json .condarc environment.yml .pydistutils.cfg "
	 ".pypirc .cz.toml .cz.json .bumpversion.cfg .bumpversion.toml build.properties "
	 "Project.toml Earthfile.yml Mintfile Appfile Matchfile Gymfile Scanfile Puppetfile "
	 "Berksfile Cheffile Vagrantfile.local Procfile.dev Procfile.local bacon.toml "
	 "clippy.toml .cargo-husky Makefile.toml cog.toml mprocs.yaml lets.yaml maskfile.md "
	 "Runfile run.sh.in Taskfile ninja.build build.ninja premake4.lua conanfile.py "
	 "conanfile.txt vcpkg.json BUILD.gn .gn tsup.json .swcrc rolldown.json moon.yml "
	 "metro.json flutter_launcher_icons.yaml build.yaml melos.yaml .justfile tup.config "
	 "Snakefile xmake.lua premake5.lua artisan phpunit.xml phpunit.xml.dist .user.ini "
	 "dune-workspace opam Shakefile Shakefile.hs dist.ini weaver.ini minil.toml "
	 "Emakefile castor.php RoboFile.php Envoy.blade.php deploy.php .symfony.local.yaml "
	 "Steepfile kitchen.yml .kitchen.yml .kitchen.local.yml electron-builder.yml "
	 "electron-builder.yaml electron-builder.json .release-it.json .release-it.yaml "
	 ".release-it.yml .release-it.toml release.toml .release.toml cliff.toml "
	 "cargo-generate.toml tauri.conf.json tauri.conf.json5 Tauri.toml Anchor.toml "
	 "dub.json dub.sdl rescript.json bsconfig.json project.yml Tupfile Tupfile.lua "
	 "Tuprules.tup Tuprules.lua Jamfile Jamroot Eask Easkfile Eldev Cask Jakefile "
	 "jakefile.js Cakefile nextflow.config dvc.yaml meltano.yml luigi.cfg luigi.toml "
	 "gunicorn.conf.py supervisord.conf scrapy.cfg alembic.ini locustfile.py tusk.yml "
	 "tusk.yaml .tusk.yml duties.py poe_tasks.toml poe_tasks.yaml poe_tasks.json "
	 "jbang-catalog.json Directory.Build.rsp MSBuild.rsp launchSettings.json hugo.toml "
	 "hugo.yaml hugo.json _quarto.yml _quarto.yaml _targets.R .plzconfig "
	 ".plzconfig.local .buckconfig.local user.bazelrc .bazelrc.user qodana.yaml "
	 "codegen.ts codegen.yml codegen.yaml knexfile.js knexfile.ts ormconfig.js "
	 "ormconfig.ts ormconfig.json ember-cli-build.js testem.js .ember-cli .nuxtrc "
	 ".sailsrc .proxyrc treefmt.toml .treefmt.toml dprint.json dprint.jsonc "
	 ".dprint.json .dprint.jsonc nextest.toml .araraconfig.yaml .marprc wt.toml "
	 "default.do all.do"},
	{PERSIST_DIR, CHECK_NONE, 15, false,
	 "build or task runner",
	 ".moon .proto .bundle .lein .fake .devspace .werf .dagger .swiftpm .dart_tool .expo "
	 ".pulumi .config/nextest magefiles _plugins .fvm .trunk .rye .pixi/envs "
	 ".vitepress .kamal .dvc .qlty .phan .nuke .meteor .pixi"},
	{PERSIST_SUFFIX, CHECK_NONE, 15, false,
	 "build or task runner",
	 ".rake .thor .janet .nu .dockerfile .Dockerfile .containerfile .Containerfile .bzl "
	 ".star .bake.hcl .mage.go"},
	{PERSIST_PREFIX, CHECK_NONE, 11, false,
	 "container image",
	 "Dockerfile. Containerfile."},
	{PERSIST_DIR, CHECK_NONE, 11, false,
	 "development environment",
	 ".ddev"},
	{PERSIST_NAME, CHECK_NONE, 11, false,
	 "development environment",
	 ".lando.yml .lando.local.yml distrobox.ini mkosi.conf"},
	{PERSIST_PREFIX, CHECK_NONE, 15, false,
	 "build",
	 "Gulpfile. gruntfile. Makefile. makefile. rakefile. serverless. gulpfile. "
	 "Gruntfile. cabal.project. Pulumi."},
	{PERSIST_NAME, CHECK_TOLD, 15, false,
	 "what a package manager installs",
	 "package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb "
	 "Cargo.lock Gemfile.lock poetry.lock uv.lock pdm.lock pixi.lock Pipfile.lock "
	 "composer.lock mix.lock go.sum flake.lock pubspec.lock Podfile.lock "
	 "Package.resolved packages.lock.json conda-lock.yml pylock.toml requirements.txt "
	 "constraints.txt gems.locked"},
	{PERSIST_PREFIX, CHECK_TOLD, 15, false,
	 "what a package manager installs",
	 "requirements- requirements. constraints-"},
	{PERSIST_NAME, CHECK_NONE, 15, false,
	 "linter or test settings that load code",
	 ".pylintrc pylintrc mypy.ini .mypy.ini .flake8 .coveragerc .rspec .rubocop.yml "
	 ".proverc .perltidyrc .perlcriticrc .luacheckrc .busted .golangci.yml "
	 ".golangci.yaml .php-cs-fixer.php .php-cs-fixer.dist.php rector.php phpstan.neon "
	 ".formatter.exs .credo.exs .solcover.js .taprc .c8rc .jshintrc psalm.xml "
	 "psalm.xml.dist infection.json5 infection.json .sqlfluff .vale.ini .yamllint "
	 ".ansible-lint .semgrep.yml pyrightconfig.json .swiftlint.yml .swiftformat "
	 ".slather.yml .haml-lint.yml .erb_lint.yml .reek.yml .standard.yml .luacov "
	 ".testmoduleignore .stylish-haskell.yaml .hlint.yaml .ocamlformat ruff.toml "
	 ".ruff.toml .flowconfig phpcs.xml phpcs.xml.dist .phpcs.xml codeception.yml "
	 "behat.yml behat.yml.dist kahlan-config.php cypress.json .testcaferc.json "
	 ".testcaferc.js jest.config.json .jest.config.json .ava.json "
	 ".dependency-cruiser.json .dependency-cruiser.js .dependency-cruiser.cjs .eslintrc "
	 "biome.json biome.jsonc .oxlintrc.json .hintrc .sasslintrc .scss-lint.yml "
	 ".markdownlint-cli2.jsonc .markdownlint-cli2.yaml .markdownlint-cli2.cjs "
	 ".markdownlint.cjs .secretlintrc.json .cspell.json cspell.json .asciidoctorconfig "
	 ".valgrindrc .pylintrc.toml pylintrc.toml .rspec-local .yardopts .simplecov "
	 ".erb-lint.yml .mdlrc .cucumber.yml cucumber.yml phpunit.dist.xml "
	 "phpstan.neon.dist phpstan.dist.neon ecs.php .phpcs.xml.dist .golangci.toml "
	 ".golangci.json .custom-gcl.yml .scalafix.conf .scalafmt.conf .protolint.yaml "
	 ".protolint.yml buf.yaml redocly.yaml .redocly.yaml .spectral.yaml .spectral.yml "
	 ".spectral.json cspell.yaml cspell.yml cspell.config.yaml cSpell.json "
	 ".cspell.yaml .htmlvalidate.json knip.json knip.ts typedoc.json .mega-linter.yml "
	 ".stestr.conf .testr.conf .noserc nose2.cfg unittest.cfg .browserslistrc "
	 ".syncpackrc .czrc pyrefly.toml ty.toml elvis.config"},
	{PERSIST_PREFIX, CHECK_NONE, 15, false,
	 "task",
	 "Taskfile. taskfile."},
	{PERSIST_PREFIX, CHECK_NONE, 15, false,
	 "tool settings that load code",
	 ".eslintrc .prettierrc .babelrc .stylelintrc .mocharc .nycrc .postcssrc .releaserc "
	 ".graphqlrc .remarkrc .textlintrc .vscode-test. vitest.workspace. jupyter_"},
	{PERSIST_SUFFIX, CHECK_NONE, 15, false,
	 "tool settings that are a program",
	 ".config.js .config.ts .config.mjs .config.cjs .config.mts .config.cts .conf.js "
	 ".conf.ts -config.js .conf.mjs .conf.cjs .conf.mts -config.cjs -config.mjs "
	 "-config.ts"},
	{PERSIST_SUFFIX, CHECK_NONE, 15, false,
	 "build",
	 ".gradle .gradle.kts .sbt .cabal .nimble .gemspec .csproj .fsproj .vbproj .vcxproj "
	 ".props .targets .mk .cmake .pri .pro .tf .opam .tofu .tf.json .tfvars .hcl .just "
	 ".mill .main.kts .sln .slnx .proj .nuspec .runsettings .nims .nim.cfg .hxml .jam"},
	{PERSIST_DIR, CHECK_NONE, 15, false,
	 "storybook",
	 ".storybook"},
	{PERSIST_DOT, CHECK_NONE, 15, false,
	 "tool settings that are a program",
	 ".js .cjs .mjs .ts .mts .cts"},
	{PERSIST_NAME, CHECK_NONE, 16, false,
	 "python environment",
	 "pyvenv.cfg .venv .pdm-python"},
	{PERSIST_NAME, CHECK_NONE, 16, false,
	 "every python start",
	 "sitecustomize.py usercustomize.py"},
	{PERSIST_SUFFIX, CHECK_PYC, 16, true,
	 "compiled Python that runs whatever its source says",
	 ".pyc"},
	{PERSIST_ROOT, CHECK_NONE, 16, false,
	 "python -m takes it before its own",
	 "pip.py venv.py ensurepip.py virtualenv.py pytest.py pipx.py uv.py"},
	{PERSIST_SUFFIX, CHECK_BESIDE, 16, false,
	 "compiled module, which comes before its source",
	 ".so"},
	{PERSIST_SUFFIX, CHECK_NONE, 16, false,
	 "compiled module, which comes before its source",
	 "-linux-gnu.so .abi3.so .pmc .zwc"},
	{PERSIST_NAME, CHECK_NONE, 16, false,
	 "start of python",
	 "python-startup.py"},
	{PERSIST_SUFFIX, CHECK_NONE, 16, false,
	 "every python start",
	 ".pth"},
	{PERSIST_DIR, CHECK_NONE, 16, false,
	 "python environment",
	 ".venv/bin venv/bin activate.d deactivate.d"},
	{PERSIST_NAME, CHECK_NONE, 16, false,
	 "plugins that programs in Python load",
	 "entry_points.txt"},
	{PERSIST_NAME, CHECK_NONE, 17, true,
	 "neovim",
	 ".nvim.lua .nvimrc"},
	{PERSIST_NAME, CHECK_NONE, 17, true,
	 "emacs",
	 ".dir-locals.el .dir-locals-2.el"},
	{PERSIST_NAME, CHECK_NONE, 17, false,
	 "gdb",
	 ".gdbinit"},
	{PERSIST_NAME, CHECK_NONE, 17, false,
	 "lldb",
	 ".lldbinit"},
	{PERSIST_NAME, CHECK_NONE, 17, false,
	 "python debugger",
	 ".pdbrc"},
	{PERSIST_NAME, CHECK_NONE, 17, false,
	 "ruby shell",
	 ".pryrc .irbrc"},
	{PERSIST_NAME, CHECK_NONE, 17, true,
	 "R",
	 ".Rprofile .Renviron"},
	{PERSIST_NAME, CHECK_NONE, 17, false,
	 "what R goes on with, functions that it calls among it",
	 ".RData"},
	{PERSIST_NAME, CHECK_NONE, 17, true,
	 "start file of an editor",
	 ".lazy.lua .lite_project.lua .localrc.lua"},
	{PERSIST_NAME, CHECK_NONE, 17, false,
	 "start file of an interpreter",
	 ".ghci .ocamlinit .iex.exs .octaverc .gdbearlyinit .gnuplot .pythonrc .pythonrc.py "
	 ".pythonstartup startup.jl ipython_config.py .radare2rc .perldb .erlang .byebugrc "
	 ".rdbgrc .r2rc .rizinrc startup.m finish.m maxima-init.lisp maxima-init.mac"},
	{PERSIST_DIR, CHECK_NONE, 17, false,
	 "start files of an interpreter",
	 ".ipython .jupyter .julia profile_default"},
	{PERSIST_NAME, CHECK_NONE, 17, false,
	 "vim",
	 "Session.vim .session.vim"},
	{PERSIST_DOT, CHECK_NONE, 17, false,
	 "start file of an interpreter",
	 ".py .rb .lua .php .el .pl .exs .R .scm"},
	{PERSIST_SUFFIX, CHECK_NONE, 17, false,
	 "gdb",
	 "-gdb.py -gdb.gdb"},
	{PERSIST_DIR, CHECK_NONE, 18, false,
	 "CI",
	 ".github .gitlab .gitea .forgejo .buildkite .semaphore .woodpecker .circleci"},
	{PERSIST_NAME, CHECK_NONE, 18, false,
	 "CI",
	 ".woodpecker.yml bitbucket-pipelines.yml appveyor.yml .appveyor.yml cloudbuild.yaml "
	 ".cirrus.yml buildspec.yml .gitlab-ci.yaml .gitlab-ci.yml .travis.yml Jenkinsfile "
	 "azure-pipelines.yml .drone.yml .actrc"},
	{PERSIST_NAME, CHECK_NONE, 18, true,
	 "pre-commit hooks",
	 ".pre-commit-config.yaml .pre-commit-config.yml prek.toml .pre-commit-hooks.yaml"},
	{PERSIST_NAME, CHECK_NONE, 18, true,
	 "git hooks",
	 ".gitlint .lintstagedrc.json .captainhook.json .rusty-hook.toml"},
	{PERSIST_DIR, CHECK_NONE, 18, true,
	 "pre-commit hooks",
	 ".pre-commit"},
	{PERSIST_NAME, CHECK_NONE, 18, false,
	 "git hooks",
	 "hooks.toml"},
	{PERSIST_DIR, CHECK_NONE, 18, true,
	 "git hooks (husky)",
	 ".husky"},
	{PERSIST_NAME, CHECK_NONE, 18, true,
	 "git hooks (lefthook)",
	 "lefthook.yml lefthook.yaml .lefthook.yml lefthook-local.yml"},
	{PERSIST_DIR, CHECK_NONE, 10, true,
	 "obsidian",
	 ".obsidian"},
	{PERSIST_SUFFIX, CHECK_NONE, 10, false,
	 "editor project",
	 ".Rproj .gdextension .uproject"},
	{PERSIST_NAME, CHECK_NONE, 10, false,
	 "editor project",
	 "project.godot platformio.ini cmake-variants.yaml"},
	{PERSIST_SUFFIX, CHECK_NONE, 10, false,
	 "settings of an IDE, or of a build, for one user",
	 ".user"},
	{PERSIST_DIR, CHECK_NONE, 18, true,
	 "git hooks (lefthook)",
	 ".lefthook .lefthook-local"},
	{PERSIST_NAME, CHECK_NONE, 18, true,
	 "git hooks (hk)",
	 "hk.pkl hk.local.pkl hk.toml hk.yaml hk.yml hk.json .hk.pkl"},
	{PERSIST_NAME, CHECK_NONE, 18, true,
	 "git hooks (overcommit)",
	 ".overcommit.yml"},
	{PERSIST_NAME, CHECK_NONE, 18, true,
	 "git hooks (husky)",
	 ".huskyrc"},
	{PERSIST_NAME, CHECK_NONE, 18, true,
	 "git hooks (lint-staged)",
	 ".lintstagedrc"},
	{PERSIST_PREFIX, CHECK_NONE, 18, true,
	 "git hooks",
	 ".lintstagedrc. .huskyrc. .simple-git-hooks. simple-git-hooks. lefthook. .lefthook. "
	 "lefthook- .commitlintrc"},
	{PERSIST_PREFIX, CHECK_NONE, 18, false,
	 "CI",
	 ".gitlab-ci-local"},
	{PERSIST_SUFFIX, CHECK_NONE, 19, false,
	 "desktop launcher",
	 ".desktop"},
	{PERSIST_ROOT, CHECK_EXEC, 19, false,
	 "has the name of a common command",
	 "ls cd cat cp mv rm ps id sh vi bash zsh env sudo su ssh scp git gh make cmake gcc "
	 "cc clang node npm npx yarn pnpm bun deno python python3 pip pip3 uv cargo rustc go "
	 "java mvn docker podman kubectl terraform aws curl wget grep find sed awk less more "
	 "man vim nvim nano emacs code tar unzip which test echo date top kill claude codex "
	 "gemini opencode bawn"},
};
/* clang-format on */

const size_t persist_n_groups = ARRAY_LEN(persist_groups);
