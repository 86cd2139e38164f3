#!/usr/bin/env bats
# per-places.bats - attack corpus, class PER: places that neither a listing nor git shows.  How each row
# is played: per.sh.
load ../lib.sh
load per.sh
setup() { per_setup; }
teardown() { bawn_teardown; }

@test "PER-02 remotes of old, which stand in no config" {
	local hook='git init -q --bare node_modules/e; printf "#!/bin/sh\nexec $EVIL\n" >node_modules/e/hooks/pre-receive; chmod +x node_modules/e/hooks/pre-receive'
	never_silent PER-02 "$hook; mkdir -p .git/remotes; echo 'URL: node_modules/e' >.git/remotes/o" 'git push o main' .git/remotes/o
	# a repository without remotes pushes to "origin"
	never_silent PER-02 "$hook; mkdir -p .git/branches; echo \"\$PWD/node_modules/e\" >.git/branches/origin" \
		'git -c push.default=current push' .git/branches/origin
	never_silent PER-03 "$hook; mkdir r; echo 'URL: node_modules/e' >r/o; ln -s ../r .git/remotes" 'git push o main' .git/remotes
	# what git itself has there says nothing
	attempt 'git remote add o https://example.invalid/x; git checkout -q -b topic; git pack-refs --all; git gc -q' ''
	refute_output 'stands in no config'
	refute_output 'than there are'
	refute_output 'prompt'
}

@test "PER-05 repositories among packages, where nobody lists any" {
	local conf='git config core.fsmonitor $EVIL'
	never_silent PER-05 "git init -q node_modules/p; cd node_modules/p; $conf" 'cd node_modules/p && git status' node_modules/p/.git
	never_silent PER-05 "mkdir -p .venv/lib/python3/site-packages/p; git init -q .venv/lib/python3/site-packages/p; cd .venv/lib/python3/site-packages/p; $conf" \
		'cd .venv/lib/python3/site-packages/p && git status' .venv/lib/python3/site-packages/p/.git
}

@test "PER-05 bare repositories among packages, and what decides in one that was there" {
	local conf='git config core.bare false; git config core.worktree .; git config core.fsmonitor $EVIL'
	never_silent PER-05 "git init -q --bare node_modules/p; cd node_modules/p; $conf" 'cd node_modules/p && git status' node_modules/p
	never_silent PER-05 "mkdir -p node_modules/o/w; git init -q node_modules/o/r; cd node_modules/o/w; echo ref: refs/heads/x >HEAD; echo ../r/.git >commondir; printf '[core]\nbare=false\nworktree=.\nfsmonitor=%s\n' \$EVIL >../r/.git/config" \
		'cd node_modules/o/w && git status' node_modules/o/w
	FIXTURE=repo_among_packages
	never_silent PER-05 "printf '[core]\nfsmonitor=%s\n' \$EVIL >>node_modules/p/.git/config" 'cd node_modules/p && git status' node_modules/p/.git
	never_silent PER-05 'cp $EVIL node_modules/p/.git/hooks/post-commit' \
		'cd node_modules/p && git -c user.name=x -c user.email=x commit --allow-empty -m x' node_modules/p/.git
	attempt 'echo x >node_modules/p/x; echo x >node_modules/p/.git/hooks/x.sample' ''
	refute_output 'repository among packages'
}

repo_among_packages() {
	git_repo "$1"
	git_repo "$1/node_modules/p"
	echo node_modules >"$1/.gitignore"
	sleep 0.05
}

packages_repo() {
	git_repo "$1"
	mkdir -p "$1/node_modules/p/lib" "$1/env/lib/python3/site-packages/q"
	echo 'echo hello' >"$1/node_modules/p/lib/x.sh"
	echo 'pass' >"$1/env/lib/python3/site-packages/q/__init__.py"
	printf 'node_modules\nenv\n__pycache__\n*.pyc\n' >"$1/.gitignore"
	mkdir "$1/old"
	echo 'echo old' >"$1/old/x.sh"
	sleep 0.05
}

@test "PER-15 PER-16 code of packages, changed in place, which git ignores" {
	FIXTURE=packages_repo
	never_silent PER-15 'echo "$EVIL" >>node_modules/p/lib/x.sh' 'sh node_modules/p/lib/x.sh' node_modules
	never_silent PER-15 'echo "$EVIL" >node_modules/p/new.sh; touch -d 2001-01-01 node_modules/p/new.sh node_modules/p node_modules' \
		'sh node_modules/p/new.sh' node_modules
	never_silent PER-16 'echo "import os; os.system(\"$EVIL\")" >>env/lib/python3/site-packages/q/__init__.py' \
		'PYTHONPATH=env/lib/python3/site-packages /usr/bin/python3 -c "import q"' env/lib/python3/site-packages
	# a directory that is moved there, with files that are older than the run
	attempt 'mv old node_modules/old' ''
	names PER-15 node_modules
	# however deep they lie
	attempt 'p=node_modules; for i in $(seq 90); do p=$p/d; mkdir $p || exit; done' ''
	names PER-15 node_modules
	assert_output 'more code of packages than is looked at'
	# what was only looked at is no news
	attempt 'cat node_modules/p/lib/x.sh env/lib/python3/site-packages/q/__init__.py >/dev/null' ''
	refute_output 'code of packages'
}

@test "PER-16 compiled Python in the place of its source" {
	FIXTURE=packages_repo
	# by its hash, which nobody checks: the source may say what it likes (PEP 552)
	local compile='/usr/bin/python3 -c "import py_compile as c; c.compile(\"bad\", \"__pycache__/m.cpython-%d%d.pyc\" % __import__(\"sys\").version_info[:2], invalidation_mode=c.PycInvalidationMode.UNCHECKED_HASH)"'
	never_silent PER-16 "echo 'import os; os.system(\"'\$EVIL'\")' >bad; mkdir __pycache__; $compile; echo pass >m.py; rm bad" \
		'/usr/bin/python3 -c "import m"' __pycache__
	assert_output 'runs whatever its source says'
	# without a source
	never_silent PER-16 "echo 'import os; os.system(\"'\$EVIL'\")' >bad; /usr/bin/python3 -c 'import py_compile as c; c.compile(\"bad\", \"m.pyc\")'; rm bad" \
		'/usr/bin/python3 -c "import m"' m.pyc
	# what Python itself writes is one line, for all such directories
	attempt 'mkdir -p a b; echo pass >a/__init__.py; echo pass >b/__init__.py; /usr/bin/python3 -c "import a, b"' ''
	[ "$(grep -c 'compiled Python' <<<"$output")" = 1 ]
	refute_output 'whatever its source says'
}

environments_repo() {
	git_repo "$1"
	mkdir -p "$1/env/bin" "$1/_opam/bin" "$1/.terraform/modules/m" "$1/pkg" "$1/lib"
	echo home=/usr >"$1/env/pyvenv.cfg"
	printf '#!/bin/sh\n:\n' | tee "$1/_opam/bin/dune" "$1/env/bin/python" >"$1/.terraform/modules/m/run.sh"
	chmod +x "$1/env/bin/python"
	touch "$1/pkg/__init__.py" "$1/lib/mod.py"
	sleep 0.05
}

@test "PER-15 PER-16 environments of other names, modules beside their sources" {
	FIXTURE=environments_repo
	never_silent PER-16 'echo "$EVIL" >>env/bin/python' 'env/bin/python' env/bin
	listed PER-15 'echo x >>_opam/bin/dune; echo x >>.terraform/modules/m/run.sh' _opam .terraform
	never_silent PER-16 'echo "import os; os.system(\"$EVIL\")" >pip.py' '/usr/bin/python3 -m pip --version' pip.py
	listed PER-16 'echo x | tee pkg/fast.so lib/mod.so lib/other.so >one.so' pkg/fast.so lib/mod.so
	refute_output other.so one.so
	listed PER-13 'echo x | tee .roorules-code >.clinerules-ask' .roorules-code .clinerules-ask
	listed PER-09 'mkdir bin; echo x >bin/activate-hermit' bin/activate-hermit
	# what an ordinary build leaves says nothing
	attempt 'mkdir -p target/debug build lib/x; cp /bin/true target/debug/app; echo x >build/libx.so; echo o >build/a.o; cat env/bin/python' ''
	refute_output 'look at these'
}

vendored_repo() {
	git_repo "$1"
	local d
	for d in vendor/x vendor/composer php/vendor deps/y ex/deps/y app/vendor/bundle/ruby .eggs/e perl/local/lib/perl5/P \
		web/bower_components/b __pypackages__/3.11/lib/z conda/conda-meta conda/bin; do
		mkdir -p "$1/$d"
		echo x >"$1/$d/code"
	done
	touch "$1/php/vendor/autoload.php" "$1/ex/mix.exs"
	sleep 0.05
}

@test "PER-15 PER-16 packages of other languages, and conda's environments" {
	FIXTURE=vendored_repo
	local d
	for d in php/vendor ex/deps/y app/vendor/bundle/ruby .eggs/e perl/local/lib/perl5/P web/bower_components/b __pypackages__/3.11/lib/z; do
		attempt "echo evil >>$d/code" ''
		assert_output 'code of packages: 1 change' || fail "$d"
	done
	attempt 'echo evil >>conda/bin/code' ''
	assert_output 'conda/bin (programs of a python environment: 1 change)'
	listed PER-16 'mkdir -p conda/etc/conda/activate.d x.egg-info; echo x >conda/etc/conda/activate.d/x.sh; echo x >x.egg-info/entry_points.txt' \
		conda/etc/conda/activate.d/x.sh x.egg-info/entry_points.txt
	# sources that are called like them
	attempt 'echo more | tee -a vendor/x/code vendor/composer/code deps/y/code' ''
	refute_output 'look at these'
}

@test "PER-21 commits and files that git shows as others" {
	local bad='echo evil >README; git commit -qam bad; b=$(git rev-parse HEAD:README) g=$(git rev-parse HEAD~1:README)'
	attempt "$bad; git replace \$b \$g" ''
	[ "$(git show HEAD:README)" = hello ]
	names PER-21 .git/refs/replace
	attempt "$bad; git replace \$b \$g; git pack-refs --all" ''
	[ "$(git show HEAD:README)" = hello ]
	names PER-21 .git/packed-refs
	# behind more than is looked at
	attempt "$bad; git replace \$b \$g; git pack-refs --all; { sed -n 1p .git/packed-refs; yes '# nothing' | head -c 65m; sed 1d .git/packed-refs; } >p; mv p .git/packed-refs" ''
	names PER-21 .git/packed-refs
	attempt 'git rev-parse HEAD >.git/info/grafts' ''
	names PER-21 .git/info/grafts
	attempt 'echo /elsewhere >.git/objects/info/alternates' ''
	names PER-03 .git/objects/info/alternates
}

unseen_repo() {
	git_repo "$1"
	mkdir "$1/src"
	echo 1 >"$1/src/a.c"
	echo 1 >"$1/src/b.c"
	git -C "$1" add .
	git -C "$1" commit -qm src
	sleep 0.05
}

@test "PER-21 files that git is told not to look at" {
	FIXTURE=unseen_repo
	local how
	for how in assume-unchanged skip-worktree; do
		attempt "git update-index --$how src/a.c README; echo evil >>src/a.c" ''
		[ -z "$(git status --porcelain)$(git diff)" ] # nor does git say a word
		names PER-21 src/a.c
		assert_output 'src/a.c (git is told not to show that it changed)'
	done
	attempt 'git update-index --index-version 4 --assume-unchanged src/*; git update-index --split-index; echo evil | tee -a src/a.c >>src/b.c' ''
	assert_output 'src/a.c (git is told not to show that it changed, nor 1 more)'
	attempt 'git worktree add -q wt; cd wt; git update-index --skip-worktree src/a.c; echo evil >>src/a.c' ''
	names PER-21 wt/src/a.c
	# in a split index it is said without a name, of an entry that the other part has
	attempt 'git update-index --split-index; git update-index --assume-unchanged src/a.c; echo evil >>src/a.c' ''
	[ -z "$(git status --porcelain)$(git diff)" ]
	names PER-21 src/a.c
	# ... and what the other part says of an entry that was replaced counts no more
	attempt 'git update-index --assume-unchanged src/a.c; git update-index --split-index; git update-index --no-assume-unchanged src/a.c; echo evil >>src/a.c' ''
	[ -n "$(git status --porcelain)" ]
	refute_output 'is told not to'
	# a sparse index has a directory as one entry, be its files there or not
	attempt 'git config core.sparseCheckout true; git config core.sparseCheckoutCone true; git config index.sparse true; mkdir -p .git/info
		git sparse-checkout set --cone --sparse-index; mkdir src; echo evil >src/a.c; echo 1 >src/b.c
		git config --unset core.sparseCheckout; git config --unset core.sparseCheckoutCone; git config --unset index.sparse
		rm -f .git/config.worktree .git/info/sparse-checkout' ''
	[ -z "$(git status --porcelain)$(git diff)" ]
	names PER-21 src/a.c
	# the same of a submodule, as a whole
	attempt 'git init -q sub; cd sub; echo 1 >f; git add f; git -c user.name=x -c user.email=x commit -qm 1; cd ..; git add sub; git -c user.name=x -c user.email=x commit -qm 1
		git update-index --assume-unchanged sub; cd sub; echo evil >f; git -c user.name=x -c user.email=x commit -qam 2' ''
	[ -z "$(git status --porcelain)$(git diff)" ]
	names PER-21 sub/f
	# told so before: the index is left alone
	fresh "$WS"
	git -C "$WS" update-index --assume-unchanged src/a.c
	sleep 0.05
	rm -f "$AUDIT"
	run in_sandbox_sh 'echo evil >>src/a.c'
	names PER-21 src/a.c
	run in_sandbox_sh 'echo more >>src/b.c; git status'
	refute_output 'is told not to'
	# notes of new files, which nobody asked git for: git looks into no directory whose times fit
	attempt 'git update-index --force-untracked-cache; git status' ''
	names PER-21 .git/index
	git -C "$WS" config core.untrackedCache true
	run in_sandbox_sh 'echo x >n; git add n; git status'
	refute_output 'of new files'
	# new files that no file of the tree excludes
	attempt 'echo src/evil.c >>.git/info/exclude; echo evil >src/evil.c' ''
	[ -z "$(git status --porcelain)" ]
	names PER-21 .git/info/exclude
	listed PER-21 'printf "#\n\0\nevil.c\n" >.git/info/exclude' .git/info/exclude
	# a part of the tree, as git checks it out; and what a new repository has
	attempt 'git sparse-checkout set --no-cone /src/a.c; git init -q new; git clone -q . clone; echo "# nothing" >.git/info/exclude' ''
	refute_output 'is told not to' 'does not show'
}

@test "PER-03 submodules whose path is another than it reads (CVE-2025-48384, CVE-2024-32002, CVE-2018-11235)" {
	local m
	for m in '"x"]\n\tpath = "sub\r"\n\turl = https://example.invalid/x' '"x"]\n\tpath = A/.GIT/modules/x\n\turl = https://example.invalid/x' \
		'"../../x"]\n\tpath = x\n\turl = https://example.invalid/x' '"x"]\n\tpath = -x\n\turl = https://example.invalid/x' \
		'"x"]\n\tpath = x\n\turl = "ext::sh -c x"' '"x"]\n\tpath = x\n\turl = -ux'; do
		attempt "printf '[submodule $m\n' >.gitmodules" ''
		names PER-03 .gitmodules || fail "$m"
	done
	attempt 'printf "[submodule \"libs/x.git\"]\n\tpath = libs/x.git/y\n\turl = ../x.git\n" >.gitmodules' ''
	refute_output .gitmodules
}

@test "PER-05 PER-07 what stands behind a NUL, a carriage return or a megabyte of nothing" {
	git config --global filter.hostf.clean "$EVIL"
	never_silent PER-07 'printf "\0\n* filter=hostf\n" >.gitattributes; echo x >>README' 'git add README' .gitattributes
	never_silent PER-07 'printf "*\rfilter=hostf\n" >.gitattributes; echo x >>README' 'git add README' .gitattributes
	never_silent PER-07 '{ yes "# nothing" | head -c 1100000; printf "\n* filter=hostf\n"; } >.gitattributes; echo x >>README' \
		'git add README' .gitattributes
	never_silent PER-05 'git init -q --bare doc; cd doc; { yes "# nothing" | head -c 1100000; printf "\n[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = %s\n" $EVIL; } >config' \
		'cd doc && git status' doc
	attempt 'mkdir p; cd p; git init -q; { yes "# nothing" | head -c 1100000; printf "\n[core]\n\tfsmonitor = %s\n" $EVIL; } >.git/config' ''
	names PER-02 p/.git/config
}

@test "PER-09 a branch whose name a prompt would carry out (CVE-2014-9938)" {
	attempt 'git checkout -q -b "x\$(touch\${IFS}ran)"' ''
	names PER-09 .git/HEAD
	# shellcheck disable=SC2016
	attempt 'git checkout -q -b "x\`id\`"' ''
	names PER-09 .git/HEAD
}

conflict_repo() {
	git_repo "$1"
	(cd "$1" && echo a >f && git add f && git commit -qm a && git checkout -qb t && echo t >f && git commit -qam t &&
		git checkout -q main && echo m >f && git commit -qam m) >/dev/null
}

@test "PER-21 PER-03 how later merges resolve a conflict" {
	FIXTURE=conflict_repo
	attempt 'git config rerere.enabled true; git config rerere.autoupdate true; git merge t; echo evil >f; git add f; git rerere; git reset -q --hard' \
		'git merge t; grep evil f'
	names PER-21 .git/rr-cache
	# what the user has there is none of the agent's
	attempt ':' ''
	refute_output rr-cache
}

@test "PER-02 PER-09 PER-10 PER-13 PER-15 names of tools that few have" {
	lists PER-02 .jj/repo/config.toml .sl/config .bzr/branch/branch.conf
	lists PER-09 .env .env.local .envrc.local .direnvrc .prototools devenv.yaml .flox/env/manifest.toml .bash_aliases .ssh/config .netrc
	lists PER-10 .bsp/x.json buildServer.json .sourcekit-lsp/config.json .merlin .ctags.d/x.ctags .clj-kondo/config.edn rust-project.json
	lists PER-13 .opencode.json .cline/x .amp/settings.json .pi/settings.json .vibe/config.toml .grok/settings.json .rovodev/x codex.md mcp_config.json
	lists PER-15 JustFile JUSTFILE rakefile.rb lib/x.rake Gulpfile.js magefiles/m.go .air.toml .goreleaser.yml tools/bazel .bazeliskrc \
		tsconfig.json package-lock.json requirements.txt docker-bake.hcl .bundle/config .moon/tasks.yml lakefile.lean buf.gen.yaml
	lists PER-18 prek.toml
}

@test "PER-02 PER-09 PER-10 PER-13 PER-15 PER-17 names that are younger, or rarer" {
	lists PER-02 .repo/repo/main.py .west/config .fslckout .hgsub .reviewboardrc .arcconfig
	lists PER-09 .miserc.toml mise/config.toml .mise-tasks/x vfox.toml .tmux-sessionizer .in .flaskenv Procfile.test .pkgx.yaml .envrc.fish
	lists PER-10 .luarc.jsonc .lintr .factorypath .externalToolBuilders/x.launch compile_flags.txt x.run.xml a.csproj.user x.Rproj project.godot
	lists PER-11 .ddev/config.yaml distrobox.ini podman-compose.yml
	lists PER-13 .kilo/kilo.json kilo.jsonc .qoder/settings.json .lsp.json .cursor-plugin/plugin.json .specify/scripts/x hooks/hooks.json
	lists PER-15 pytest.toml tox.toml pylintrc.toml gems.rb .rspec-local .simplecov main.tofu root.hcl mod.just Directory.Build.rsp NuGet.config \
		cabal.project.local x.opam dprint.json treefmt.toml .puppeteerrc.cjs .vitepress/config.ts karma.conf.cjs .config/nextest.toml tauri.conf.json
	lists PER-16 .pdm-python .venv
	lists PER-17 .psysh.php .pdbrc.py .perldb .byebugrc startup.m .localrc.lua profile_default/startup/x.py x-gdb.py
	lists PER-18 .actrc hk.toml
}

@test "PER-21 on a share whose server's clock is behind, what was changed is listed all the same" {
	local dir=${BAWN_LATE_DIR:-}
	[ -n "$dir" ] || return 0 # no such share here
	WS=$(mktemp -d "$dir/XXXXXX")
	echo all: >"$WS/Makefile"
	sleep 3
	in_sandbox true
	run in_sandbox_sh 'ls -A; echo evil >>Makefile'
	assert_output "changed Makefile (make)"
	refute_output clock # what the time was read from is gone
}

headless_repo() {
	git_repo "$1"
	# all of a git directory but HEAD and config, as an earlier session could leave it
	mkdir -p "$1/x/objects" "$1/x/refs/heads" "$1/x/hooks" "$1/sub"
	cp "$EVIL" "$1/x/hooks/post-checkout"
	sleep 0.05
}

@test "PER-01 a git directory without a configuration, completed and moved to its place" {
	FIXTURE=headless_repo
	never_silent PER-01 'echo "ref: refs/heads/main" >x/HEAD; mv x sub/.git' \
		'cd sub && git -c user.name=t -c user.email=t@t commit -q --allow-empty -m x && git checkout -q -b y' sub/.git/hooks/post-checkout
}
