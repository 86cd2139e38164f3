#!/usr/bin/env bats
# git.bats - git inside the sandbox: what comes along of the user's settings, every command works,
# and what the agent sets comes back without what runs code.
load ../lib.sh
setup() {
	bawn_setup
	BARE=$T/bare
	BAWN_OPTS=()
}
teardown() { bawn_teardown; }

# A bare repository that is a further PATH: a remote which the sandbox can reach.
bare_remote() {
	git init -q --bare -b main "$BARE"
}

in_git() {
	"$BAWN" run --rm -q "${BAWN_OPTS[@]}" shell "$WS" "$BARE" -- bash -euc "$1"
}

# Hooks that would run.
hooked() {
	find "$1" -path '*hooks/*' -type f ! -name '*.sample' -print
}

@test "git: identity, default branch, excludes and url rewrites come along" {
	cat >"$HOME/.gitconfig" <<-'EOF'
		[user]
			name = Jane Host
			email = jane@example.com
		[init]
			defaultBranch = trunk
		[core]
			excludesFile = ~/.global-ignore
		[url "https://mirror.example.com/"]
			insteadOf = mir:
		[pull]
			rebase = true
		[includeIf "gitdir:~/project/"]
			path = ~/work.inc
	EOF
	printf '[user]\n\temail = jane@work.example.com\n' >"$HOME/work.inc"
	echo '*.ignored' >"$HOME/.global-ignore"
	mkdir -p "$XDG_CONFIG_HOME/git"
	git init -q -b main "$WS"
	run in_sandbox_sh 'git config user.name; git config user.email; git config pull.rebase
		git init -q /tmp/new && git -C /tmp/new symbolic-ref HEAD
		touch a.ignored b.seen; git status --porcelain; git remote add m mir:x/y && git remote get-url m'
	assert_output 'Jane Host'
	assert_output jane@work.example.com
	assert_output refs/heads/trunk
	assert_output '?? b.seen'
	refute_output '?? a.ignored'
	assert_output https://mirror.example.com/x/y
}

@test "git: nothing of the user's settings that runs code, and no credential, comes along" {
	git init -q -b main "$WS"
	echo "echo ran >>$T/ran" >"$T/evil"
	chmod +x "$T/evil"
	cat >"$HOME/.gitconfig" <<-EOF
		[user]
			name = Jane Host
		[core]
			pager = $T/evil
			editor = $T/evil
			fsmonitor = $T/evil
			hooksPath = $T
			sshCommand = $T/evil
			askPass = $T/evil
		[alias]
			x = !$T/evil
		[credential]
			helper = store
		[diff]
			external = $T/evil
		[diff "d"]
			textconv = $T/evil
		[filter "f"]
			clean = $T/evil
		[merge "m"]
			driver = $T/evil
		[gpg]
			program = $T/evil
		[sequence]
			editor = $T/evil
		[uploadpack]
			packObjectsHook = $T/evil
		[http]
			extraHeader = Authorization: Basic $CANARY
			proxy = http://user:$CANARY@proxy.example.com
		[url "https://user:$CANARY@git.example.com/"]
			insteadOf = https://git.example.com/
	EOF
	echo "https://user:$CANARY@git.example.com" >"$HOME/.git-credentials"
	run in_sandbox_sh 'git config --list; cat ~/.gitconfig ~/.git-credentials'
	refute_canary
	refute_output "$T/evil"
	refute_output credential.helper
	assert_output 'user.name=Jane Host'
	[ ! -e "$T/ran" ] || fail "bawn ran a program of the git config"
}

@test "git: signing is off inside, with one line that says so" {
	git_repo
	run in_sandbox true
	refute_output signed
	printf '[commit]\n\tgpgSign = true\n[gpg]\n\tformat = ssh\n[user]\n\tsigningKey = ~/.ssh/k.pub\n' \
		>"$HOME/.gitconfig"
	run in_sandbox_sh 'git commit -q --allow-empty -m inside && git log -1 --format=%s:%G?'
	assert_status 0
	assert_output inside:N
	[ "$(grep -c 'not signed' <<<"$output")" = 1 ] || fail "not one line"
}

@test "git: every command of a day works, and what it sets is there afterwards" {
	git_repo
	bare_remote
	run in_git "
		git remote add origin '$BARE'
		git push -q -u origin main
		git switch -q -c topic
		echo 1 >one; git add one; git commit -qm one
		git switch -q main; echo 2 >two; git add two; git commit -qm two
		git switch -q topic; git rebase -q main
		git branch -m topic feature
		git push -q -u origin feature
		echo wip >>one; git stash -q; git stash pop -q; git checkout -q one
		git config branch.feature.description 'a plain text'
		git worktree add -q /tmp/wt main~1
		git worktree add -q -b wt2 ../project/.wt main
		git -C .wt commit -q --allow-empty -m 'in the work tree'
		git worktree remove .wt
		git -c protocol.file.allow=always submodule --quiet add '$BARE' libs/sub
		git commit -qm sub
		git sparse-checkout set libs
		git sparse-checkout disable
		git clone -q '$BARE' /tmp/clone
		git -C /tmp/clone log --oneline main
		git remote rename origin upstream
		git remote set-url --push upstream '$BARE'
		git branch --set-upstream-to=upstream/main main
		git tag v1; git gc -q; git fsck
		git switch -q -c pick main; echo 3 >three; git add three; git commit -qm three; git switch -q feature
		git merge -q main; git cherry-pick pick; git revert --no-edit HEAD; git bisect start; git bisect reset; git branch -D pick
		echo ALL-DONE"
	assert_status 0
	assert_output ALL-DONE
	# the host sees it all, in its own config
	[ "$(git remote get-url upstream)" = "$BARE" ]
	[ "$(git config branch.main.remote)" = upstream ]
	[ "$(git config branch.main.merge)" = refs/heads/main ]
	[ "$(git config branch.feature.merge)" = refs/heads/feature ]
	[ "$(git config branch.feature.description)" = 'a plain text' ]
	[ "$(git -C "$BARE" rev-parse feature)" != "$(git -C "$BARE" rev-parse main)" ]
	[ "$(git config submodule.libs/sub.url)" = "$BARE" ]
	run git status --porcelain
	[ -z "$output" ] || fail "not clean on the host"
	git fsck
	[ ! -e .git/config.lock ]
	[ ! -L .git/config ]
}

@test "git: plain settings are carried over at the end; what runs code is dropped and named" {
	git_repo
	git config core.editor vi
	git config remote.origin.url https://example.com/a.git
	cp .git/config "$T/before"
	run in_sandbox_sh 'git config user.name Inside; git config branch.main.rebase true
		git config core.fsmonitor "touch /tmp/x"; git config core.hooksPath /tmp; git config alias.st "!evil"
		git config core.editor evil; git config remote.origin.uploadpack evil; git config remote.origin.url ext::evil
		git config include.path /tmp/x; git config credential.helper evil; git config url.x:.insteadOf https://
		git config filter.f.clean evil; git config diff.d.textconv evil; git config core.sshCommand evil; echo done'
	assert_output "done"
	local k
	for k in core.fsmonitor core.hookspath alias.st core.editor remote.origin.uploadpack remote.origin.url \
		include.path credential.helper url.x:.insteadof filter.f.clean diff.d.textconv core.sshcommand; do
		grep -F '"event":"gitconfig"' "$AUDIT" | grep -F "\"$k\"" | grep -qF 'not carried over' ||
			fail "$k is not in the log"
	done
	assert_output 'not carried over into .git/config: core.fsmonitor'
	[ "$(git config user.name)" = Inside ]
	[ "$(git config branch.main.rebase)" = true ]
	[ "$(git config core.editor)" = vi ]
	[ "$(git config remote.origin.url)" = https://example.com/a.git ]
	run git config --list --local
	refute_output evil
	refute_output fsmonitor
	# nothing changed inside: the file keeps its bytes and its inode
	local ino
	ino=$(stat -c %i.%Z .git/config)
	run in_sandbox_sh 'git status; git log; git commit -q --allow-empty -m x'
	[ "$(stat -c %i.%Z .git/config)" = "$ino" ]
}

@test "git: init in a repository that is there leaves the host's view of modes as it was" {
	git_repo
	git config core.filemode true
	cp .git/config "$T/before"
	run in_sandbox_sh 'git init && echo done'
	assert_output "Reinitialized"
	assert_output "done"
	refute_output 'not carried over'
	cmp .git/config "$T/before"
}

@test "git: a config the agent broke, emptied or replaced by a link changes nothing outside" {
	git_repo
	cp .git/config "$T/before"
	run in_sandbox_sh 'echo "[broken" >>.git/config; true'
	cmp .git/config "$T/before"
	assert_output '.git/config'
	run in_sandbox_sh 'p=$(readlink .git/config) && rm "$p" && ln -s /etc/passwd "$p"; true'
	cmp .git/config "$T/before"
	run in_sandbox_sh 'p=$(readlink .git/config) && rm "$p" && mkfifo "$p"; true'
	cmp .git/config "$T/before"
	run in_sandbox_sh 'p=$(readlink .git/config) && rm "$p" && head -c 3000000 /dev/zero >"$p"; true'
	cmp .git/config "$T/before"
	# a lock that somebody holds is respected, and said
	: >.git/config.lock
	run in_sandbox_sh 'p=$(readlink .git/config); printf "[user]\n\tname = Changed\n" >>"$p"'
	cmp .git/config "$T/before"
	assert_output 'was not carried over'
}

@test "git: what the host sets during the run survives" {
	git_repo
	run in_sandbox_sh "git config branch.main.rebase true; echo ready >ready; while [ ! -e go ]; do sleep 0.02; done" &
	local bg=$!
	eventually test -e ready
	cp .git/config "$T/c"
	git config --file "$T/c" remote.mine.url https://example.com/mine.git
	cat "$T/c" >.git/config
	touch go
	wait "$bg"
	[ "$(git config remote.mine.url)" = https://example.com/mine.git ]
	[ "$(git config branch.main.rebase)" = true ]
}

@test "git: a linked work tree is a workspace with the same protections" {
	git_repo "$HOME/main"
	git -C "$HOME/main" worktree add -q -b wt "$HOME/linked"
	git -C "$HOME/main" config core.editor vi
	WS=$HOME/linked
	cd "$WS"
	run in_sandbox_sh 'echo x >x; git add x; git commit -qm "from the work tree"; git config branch.wt.rebase true
		git config core.fsmonitor evil
		d=$(git rev-parse --git-common-dir); echo evil >$d/hooks/pre-commit; echo evil >$d/commondir; mv $d/hooks $d/h2
		echo "gitdir: /tmp/x" >.git; mv .git .git2; git log -1 --format=%s; ls '"$HOME/main; echo done"
	assert_output "done"
	assert_output 'from the work tree'
	assert_output 'core.fsmonitor'
	[ "$(git log -1 --format=%s)" = 'from the work tree' ]
	[ "$(git config branch.wt.rebase)" = true ]
	[ -z "$(hooked "$HOME/main/.git")" ]
	[ ! -e "$HOME/main/.git/h2" ]
	# what was absent can be made, and is named
	assert_output 'git takes config and hooks from elsewhere'
	rm -f "$HOME/main/.git/commondir"
	run git -C "$HOME/main" config --list --local
	refute_output evil
	# and the main work tree's files stay unseen
	plant "$HOME/main/only-there"
	run in_sandbox_sh "cat $HOME/main/only-there $HOME/main/README; echo done"
	refute_canary
	refute_output hello
}

@test "git: work trees that stay outside are none to be pruned" {
	git_repo "$HOME/main"
	git -C "$HOME/main" worktree add -q -b one "$HOME/trees/one"
	git -C "$HOME/main" worktree add -q -b two "$HOME/trees/two"
	echo staged >"$HOME/trees/two/staged"
	git -C "$HOME/trees/two" add staged
	# one that is gone on the host too, and one whose place leads nowhere back
	git -C "$HOME/main" worktree add -q -b gone "$HOME/trees/gone"
	rm -r "$HOME/trees/gone"
	mkdir -p "$HOME/main/.git/worktrees/claimed"
	echo ../.. >"$HOME/main/.git/worktrees/claimed/commondir"
	echo ref: refs/heads/main >"$HOME/main/.git/worktrees/claimed/HEAD"
	mkdir "$HOME/else"
	git init -q --separate-git-dir "$T/else" "$HOME/else"
	echo "$HOME/else/.git" >"$HOME/main/.git/worktrees/claimed/gitdir"
	for WS in "$HOME/main" "$HOME/trees/one"; do
		cd "$WS"
		run in_sandbox_sh 'git worktree prune -n -v; git worktree prune; git worktree list; git gc -q; git branch -D two; ls -a ~/trees/two; echo done'
		assert_output "done"
		assert_output 'Removing worktrees/gone'
		assert_output 'Removing worktrees/claimed'
		refute_output 'Removing worktrees/two'
		refute_output 'Removing worktrees/one'
		assert_output "annot delete branch 'two'"
		refute_output 'staged'
	done
	[ "$(git -C "$HOME/trees/two" status --short)" = 'A  staged' ]
	# what the agent puts in the way is no reason not to start
	cd "$HOME/main"
	"$BAWN" run -q --name stays shell -- sh -c 'rm -rf ~/trees; ln -s /nowhere ~/trees'
	run "$BAWN" run -q stays -- echo started
	assert_output started
}

@test "git: a repository that asks for signed commits can be committed to, and goes on asking" {
	git_repo
	git config commit.gpgSign true
	git config tag.gpgSign true
	git config gpg.program /nonexistent/gpg
	cp .git/config "$T/before"
	"$BAWN" run --rm shell -- bash -euc 'echo x >x; git add x; git commit -qm inside; git tag -m t v1; git config branch.main.rebase true' >"$T/out" 2>&1 ||
		fail "$(cat "$T/out")"
	run cat "$T/out"
	[ "$(grep -c 'commits are not signed inside' "$T/out")" = 1 ] || fail "$output"
	refute_output 'not carried over'
	[ "$(git log -1 --format=%s)" = inside ]
	[ "$(git config branch.main.rebase)" = true ]
	[ "$(git config --get-all commit.gpgSign)" = true ]
	[ "$(git config --get-all tag.gpgSign)" = true ]
	run git config --list --local
	refute_output push.gpgsign
	# for the user's own settings too it is said once
	git config --global commit.gpgSign true
	run "$BAWN" run --rm shell -- true
	[ "$(grep -c 'commits are not signed inside' <<<"$output")" = 1 ] || fail "$output"
}

@test "git: a repository that borrows objects names the PATH that it needs" {
	git_repo "$HOME/lender's own"
	git clone -q --shared "$HOME/lender's own" "$HOME/borrower" 2>/dev/null
	cd "$HOME/borrower"
	run "$BAWN" run --rm shell -- git log --format=%s
	assert_output 'borrows git objects that stay outside'
	local path
	path=$(sed -n 's/.*bawn run PROFILE \. \(.*\) lets them be read/\1/p' <<<"$output")
	run bash -c "'$BAWN' run --rm shell . $path -- git log --format=%s"
	[ "$output" = first ] || fail "$output"
	# one that is inside the workspace is no matter
	git_repo
	git clone -q --shared "$WS" "$WS/inner" 2>/dev/null
	mv "$WS/inner/.git/objects/info/alternates" "$WS/.git/objects/info/alternates"
	cd "$WS"
	run "$BAWN" run --rm shell -- git log --format=%s
	refute_output borrows
}

@test "git: a submodule is a workspace with the same protections" {
	git_repo "$T/lib"
	git_repo "$HOME/super"
	git -C "$HOME/super" -c protocol.file.allow=always submodule --quiet add "$T/lib" sub
	git -C "$HOME/super" commit -qm sub
	WS=$HOME/super/sub
	cd "$WS"
	[ -f .git ]
	git config user.name T
	git config user.email t@example.com
	run in_sandbox_sh 'echo x >x; git add x; git commit -qm "in the submodule"; git switch -q -c topic; git config branch.topic.rebase true
		git config core.hooksPath /tmp; d=$(git rev-parse --git-dir); echo evil >$d/hooks/post-commit; mv $d/hooks $d/h2; mv .git .g; echo done'
	assert_output "done"
	assert_output core.hookspath
	[ "$(git log -1 --format=%s topic)" = 'in the submodule' ]
	[ "$(git config branch.topic.rebase)" = true ]
	[ -f .git ]
	[ -z "$(hooked "$HOME/super/.git")" ]
	run git config --list --local
	refute_output hookspath
	run in_sandbox_sh "cat $HOME/super/README; echo done"
	refute_output hello
}

@test "git: submodules below the workspace have a config of their own to work on" {
	git_repo "$T/lib"
	git_repo
	git -c protocol.file.allow=always submodule --quiet add "$T/lib" libs/sub
	git commit -qm sub
	run in_sandbox_sh 'git -C libs/sub config branch.main.rebase true; git -C libs/sub remote add x https://example.com/x.git
		git -C libs/sub config core.fsmonitor evil; git submodule status; git submodule update --init; echo done'
	assert_output "done"
	assert_output core.fsmonitor
	[ "$(git -C libs/sub config branch.main.rebase)" = true ]
	[ "$(git -C libs/sub remote get-url x)" = https://example.com/x.git ]
	run git -C libs/sub config core.fsmonitor
	[ -z "$output" ]
}

@test "git: a .git file that points to a place that does not point back is not followed" {
	git_repo "$HOME/secret"
	plant "$HOME/secret/.git/canary"
	echo "gitdir: $HOME/secret/.git" >"$WS/.git"
	run in_sandbox_sh "cat $HOME/secret/.git/canary; git log; echo done"
	refute_canary
	assert_output "done"
}

@test "git: what a .git leads to that is not followed is named, with what to do" {
	git config --global user.name 'Test User'
	git config --global user.email test@example.com
	git init -q --separate-git-dir "$T/its own" "$WS"
	git -C "$WS" commit -q --allow-empty -m first
	cd "$WS"
	run "$BAWN" run --rm shell -- git log
	assert_output 'not a git repository' "bawn run PROFILE . '$T/its own' brings it along"
	run "$BAWN" run --rm shell . "$T/its own" -- git log --format=%s
	[ "$output" = first ] || fail
	rm .git
	ln -s "$T/its own" .git
	run "$BAWN" run --rm shell -- true
	assert_output "bawn run PROFILE . '$T/its own' brings it along"
	git worktree add -q "$HOME/tree"
	mv "$HOME/tree" "$HOME/moved"
	cd "$HOME/moved"
	run "$BAWN" run --rm shell -- true
	assert_output 'git worktree repair mends that'
	git worktree repair 2>/dev/null
	run "$BAWN" run --rm shell -- git log --format=%s
	[ "$output" = first ] || fail
}

@test "git: fetches of git@host: go by https for the known hosts" {
	git_repo
	serve_tcp 'sleep 0.2'
	local h
	git remote add ssh git@github.com:someone/thing.git
	run in_sandbox_sh 'git remote get-url ssh; for h in github.com gitlab.com bitbucket.org codeberg.org; do
		git ls-remote --get-url git@$h:a/b.git; git ls-remote --get-url ssh://git@$h/a/b.git; done'
	assert_output https://github.com/someone/thing.git
	for h in github.com gitlab.com bitbucket.org codeberg.org; do
		[ "$(grep -c "^https://$h/a/b.git" <<<"$output")" = 2 ] || fail "$h"
	done
	# for real, up to the TLS handshake with a server on loopback
	BAWN_OPTS=(--connect-to "github.com:443:127.0.0.1:$PORT")
	run in_sandbox_sh 'GIT_CURL_VERBOSE=1 GIT_TERMINAL_PROMPT=0 timeout 20 git fetch ssh'
	[ "$status" != 0 ]
	refute_output 'ssh:'
	[ "$(server_hits "$PORT")" -ge 1 ] || fail "nobody came to the server"
	# the user's own rewrite to ssh would lead nowhere inside
	printf '[url "git@github.com:"]\n\tinsteadOf = https://github.com/\n' >"$HOME/.gitconfig"
	run in_sandbox_sh 'git ls-remote --get-url https://github.com/a/b'
	assert_output https://github.com/a/b
	[ "$(git config remote.ssh.url)" = git@github.com:someone/thing.git ]
}

# OWN-14: the same commands outside and inside, on two copies of one repository.
masked_repo() {
	git_repo "$1"
	printf 'A=1\n' >"$1/.env"
	printf 'tracked\n' >"$1/server.key"
	mkdir -p "$1/conf"
	printf 'B=1\n' >"$1/conf/.env.production"
	git -C "$1" add -f .
	git -C "$1" commit -qm 'with what matches a mask'
	printf 'change\n' >>"$1/README"
	printf 'A=two\n' >"$1/.env" # another size: git can't mistake it within one clock tick
	touch -d '2020-01-01' "$1/README" "$1/.env" "$1/server.key" "$1/conf/.env.production"
}

@test "OWN-14 tracked files that match a mask: every command gives what it gives outside" {
	local script='set -eu; export GIT_AUTHOR_DATE="2024-01-01 00:00 +0000" GIT_COMMITTER_DATE="2024-01-01 00:00 +0000"
		git status --porcelain; git diff; git clean -n; git stash -q -u; git status --porcelain; git stash pop -q; git status --porcelain
		git commit -qam all; git show --stat --format=%H HEAD; git checkout -q HEAD~1; cat .env; git checkout -q main; cat .env server.key conf/.env.production
		git rm -q --cached server.key; git reset -q --hard; git mv conf/.env.production conf/.env.prod; git commit -qm moved; git rm -q .env; git commit -qm gone
		git rev-parse HEAD; ls -A; git status --porcelain'
	# two repositories with the same commits
	local -x GIT_AUTHOR_DATE="2024-01-01 00:00 +0000" GIT_COMMITTER_DATE="2024-01-01 00:00 +0000"
	masked_repo "$HOME/outside"
	masked_repo "$WS"
	(cd "$HOME/outside" && bash -c "$script") >"$T/outside" 2>&1
	"$BAWN" run --rm -q shell "$WS" -- bash -c "$script" >"$T/inside" 2>"$T/err" ||
		fail "inside: $(cat "$T/err" "$T/inside")"
	diff "$T/outside" "$T/inside" >&2
	[ -z "$(git status --porcelain)" ]
	[ "$(git rev-parse HEAD)" = "$(git -C "$HOME/outside" rev-parse HEAD)" ]
}

@test "OWN-14 an untracked secret never gets into a commit or a stash" {
	git_repo
	plant "$WS/.env"
	plant "$WS/a.key"
	run in_sandbox_sh 'git add -A; git commit -qam x; echo y >y; git stash -u; git stash pop; git clean -fdx; echo done'
	assert_output "done"
	assert_untouched "$WS/.env"
	assert_untouched "$WS/a.key"
	run git log --all -p
	refute_canary
}

@test "git: an identity of one directory holds in linked work trees, submodules and bare repositories" {
	local d
	git config --global user.name 'Test User'
	git config --global user.email home@example.com
	git config --global "includeIf.gitdir:$HOME/work/.path" "$HOME/.gitconfig-work"
	printf '[user]\n\temail = work@example.com\n' >"$HOME/.gitconfig-work"
	mkdir -p "$HOME/work"
	git_repo "$HOME/work/repo"
	git -C "$HOME/work/repo" config --unset user.email
	git -C "$HOME/work/repo" worktree add -q "$HOME/elsewhere" 2>/dev/null
	git init -q --bare "$HOME/work/bare.git"
	git init -q -b main "$HOME/work/super"
	git -C "$HOME/work/super" -c protocol.file.allow=always submodule add -q "$HOME/work/repo" sub 2>/dev/null
	git init -q "$HOME/other"
	for d in work/repo elsewhere work/bare.git work/super/sub; do
		cd "$HOME/$d"
		run "$BAWN" run -q shell -- git config user.email
		[ "$output" = work@example.com ] || fail "$d" || return 1
	done
	cd "$HOME/other"
	run "$BAWN" run -q shell -- git config user.email
	[ "$output" = home@example.com ]
	# a .git file that says nothing costs only the condition
	mkdir "$HOME/broken"
	cd "$HOME/broken"
	echo 'gitdir: /nonexistent' >.git
	run "$BAWN" run -q shell -- git -C / config --global user.email
	[ "$output" = home@example.com ]
}

@test "git: settings in both of git's files, and of a repository with such a remote" {
	local d
	mkdir -p "$XDG_CONFIG_HOME/git" "$HOME/repo" "$HOME/plain"
	printf '[user]\n\tname = Jane Host\n\temail = xdg@example.com\n[core]\n\tabbrev = 9\n' >"$XDG_CONFIG_HOME/git/config"
	cat >"$HOME/.gitconfig" <<-'EOF'
		[user]
			email = home@example.com
		[includeIf "hasconfig:remote.*.url:https://work.example.com/**"]
			path = work.inc
	EOF
	printf '[user]\n\temail = work@example.com\n' >"$HOME/work.inc"
	git init -q "$HOME/plain"
	git -C "$HOME/plain" remote add origin https://example.com/work.example.com/x
	git_repo "$HOME/repo"
	git -C "$HOME/repo" config --unset user.name
	git -C "$HOME/repo" config --unset user.email
	git -C "$HOME/repo" remote add up https://work.example.com/team/x
	git -C "$HOME/repo" worktree add -q "$HOME/linked" 2>/dev/null
	for d in repo linked plain; do
		cd "$HOME/$d"
		git config user.name >"$T/outside"
		git config user.email >>"$T/outside"
		git config core.abbrev >>"$T/outside"
		run "$BAWN" run --rm -q shell -- bash -c 'git config user.name; git config user.email; git config core.abbrev
			git config --get-regexp "bawn|^include"'
		[ "$output" = "$(cat "$T/outside")" ] || fail "$d: $output" || return 1
	done
	# the one file, alone
	rm "$HOME/.gitconfig"
	run "$BAWN" run --rm -q shell -- git config user.email
	[ "$output" = xdg@example.com ]
}

@test "git: aliases come along, but those that are a shell's" {
	git_repo
	git config --global alias.lg 'log --format=%s'
	git config --global alias.sh '!echo ran'
	git config --global alias.op '-c core.pager=x log'
	run in_sandbox_sh 'git lg; git config --get-regexp ^alias'
	[ "$output" = $'first\nalias.lg log --format=%s' ] || fail "$output"
}

@test "git: a bare repository with its work trees beside it is protected, and what git makes there is not told of" {
	git config --global user.name 'Test User'
	git config --global user.email test@example.com
	git_repo "$HOME/from"
	mkdir -p "$WS"
	git clone -q --bare "$HOME/from" "$WS/.bare"
	echo 'gitdir: ./.bare' >"$WS/.git"
	git -C "$WS" worktree add -q "$WS/main"
	git -C "$WS" worktree add -q -b feat "$WS/feat"
	cd "$WS"
	run "$BAWN" run --rm shell -- bash -euc 'cd feat; git commit -q --allow-empty -m in; git worktree add -q -b more ../more
		cd ../more; git commit -q --allow-empty -m in'
	[ "$output" = '' ] || fail "$output"
	git -C more log -1 --format=%s | grep -qx in
	# what runs something is
	run "$BAWN" run --rm shell -- bash -c 'cd .bare/worktrees; git -C ../../more worktree add -q -b bad ../bad
		printf "[core]\n\tfsmonitor = x\n" >bad/config.worktree
		echo x >feat/commondir || echo held
		git -C ../../more worktree add -q -b away ../away; mkdir -p ../../o/objects ../../o/refs; echo ../../../o >away/commondir
		mkdir -p ../../y/z/other; cp bad/HEAD ../../y/z/other/; echo ../.. >../../y/z/other/commondir; printf "[core]\n\tpager = x\n" >../../y/config'
	assert_output held
	assert_output '.bare/worktrees/bad/config.worktree (git setting core.fsmonitor)'
	assert_output '.bare/worktrees/away/commondir (git takes config and hooks from elsewhere)'
	assert_output 'y/z/other (a bare git repository)'
	assert_output 'y/config (git setting core.pager)'
	refute_output 'bad/commondir'
}

@test "git: files of Git LFS are committed as pointers, and nothing seems changed" {
	need command -v git-lfs -- "git-lfs"
	need git config --system filter.lfs.process -- "the machine's settings for git-lfs"
	unset GIT_CONFIG_NOSYSTEM # the user has none
	git_repo
	(cd "$WS" && git lfs track '*.bin') >/dev/null
	head -c 5000 /dev/zero >"$WS/a.bin"
	git -C "$WS" add -A
	git -C "$WS" commit -qm lfs
	run in_sandbox_sh 'touch a.bin; git status --porcelain; echo new >b.bin; git add b.bin; git commit -qm b; rm a.bin; git checkout -q a.bin; wc -c <a.bin'
	assert_status 0
	refute_output 'M a.bin'
	assert_output 5000
	run git -C "$WS" show HEAD:b.bin
	assert_output 'version https://git-lfs'
	run git -C "$WS" lfs fsck
	assert_status 0
	# without the machine's settings it is as with git itself
	export GIT_CONFIG_NOSYSTEM=1
	run in_sandbox git config filter.lfs.process
	assert_status 1
	# of the user's own those words count that git lfs install writes
	git config --global filter.lfs.process 'git-lfs filter-process'
	git config --global filter.lfs.clean 'evil'
	run in_sandbox git config --get-regexp '^filter'
	assert_output 'git-lfs filter-process'
	refute_output evil
}
