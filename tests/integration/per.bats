#!/usr/bin/env bats
# per.bats - attack corpus, class PER: what the agent leaves in the workspace so that the host runs
# it later; how each row is played: per.sh.
load ../lib.sh
load per.sh
setup() { per_setup; }
teardown() { bawn_teardown; }

no_hooks_repo() {
	mkdir -p "$1"
	git init -q -b main --template= "$1"
	git -C "$1" config user.name T
	git -C "$1" config user.email t@example.com
	mkdir -p "$1/tools/githooks"
	printf '#!/bin/sh\nexec %s\n' "$EVIL" >"$1/tools/githooks/pre-commit"
	chmod +x "$1/tools/githooks/pre-commit"
	echo x >"$1/README"
	git -C "$1" add .
	git -C "$1" commit -qm first
	find "$1" -exec touch -h -d '2020-01-01' {} +
	sleep 0.05 # so that the fixture is older than the run
}

@test "PER-01 hooks of the repository can't be made, changed or swapped" {
	local s='printf "#!/bin/sh\nexec $EVIL\n" >h; chmod +x h'
	blocked "$s; cp h .git/hooks/pre-commit" 'git commit -q --allow-empty -m x'
	blocked "$s; mkdir -p .git/h2; cp h .git/h2/pre-commit; mv .git/hooks .git/h3; mv .git/h2 .git/hooks" \
		'git commit -q --allow-empty -m x'
	blocked "$s; rm -rf .git/hooks; mkdir .git/hooks; cp h .git/hooks/post-checkout" 'git checkout -q -b t'
	blocked "$s; mv .git .g; cp -r .g .git; mkdir -p .git/hooks; cp h .git/hooks/pre-commit" \
		'git commit -q --allow-empty -m x'
	blocked "$s; cp h .git/hooks/pre-commit.sample; mv .git/hooks/pre-commit.sample .git/hooks/pre-commit" \
		'git commit -q --allow-empty -m x'
}

@test "PER-01 hooks made where there was no hooks directory are named, also when moved there" {
	FIXTURE=no_hooks_repo
	never_silent PER-01 'mkdir .git/hooks; cp tools/githooks/pre-commit .git/hooks/' \
		'git commit -q --allow-empty -m x' .git/hooks/pre-commit
	never_silent PER-01 'mv tools/githooks .git/hooks' 'git commit -q --allow-empty -m x' .git/hooks/pre-commit
	never_silent PER-01 'ln -s ../tools/githooks .git/hooks' 'git commit -q --allow-empty -m x' .git/hooks
}

linked_hooks_repo() {
	no_hooks_repo "$1"
	mv "$1/tools/githooks" "$1/myhooks"
	printf '#!/bin/sh\n:\n' >"$1/myhooks/pre-commit"
	ln -s ../myhooks "$1/.git/hooks"
	sleep 0.05
}

@test "PER-01 a hooks directory that is a link to one in the tree" {
	FIXTURE=linked_hooks_repo
	never_silent PER-01 'echo "exec $EVIL" >>myhooks/pre-commit' 'git commit -q --allow-empty -m x' myhooks/pre-commit
}

@test "PER-02 no setting of git's config that runs code reaches the host's file" {
	local k v
	# KEY=VALUE=ACTION; @ is the evil program
	while IFS='|' read -r k v action; do
		[ -n "$k" ] || continue
		v=${v//@/\$EVIL}
		blocked "git config '$k' \"$v\"" "$action"
		[ -z "$(git config --local --get "$k")" ] || fail "$k is set on the host"
		assert_output 'not carried over into .git/config: ' || return 1
	done <<-'EOF'
		core.fsmonitor|@|git status
		core.hooksPath|$(mkdir -p /tmp/hk; dirname $EVIL)/hk|mkdir -p $(dirname $EVIL)/hk; cp $EVIL $(dirname $EVIL)/hk/pre-commit; git commit -q --allow-empty -m x
		core.sshCommand|@|git ls-remote git@example.com:a/b
		core.editor|@|git commit --allow-empty
		core.askPass|@|GIT_TERMINAL_PROMPT=0 git credential fill <<<$'protocol=https\nhost=example.com\n'
		credential.helper|!@|GIT_TERMINAL_PROMPT=0 git credential fill <<<$'protocol=https\nhost=example.com\n'
		sequence.editor|@|git commit -q --allow-empty -m x; git rebase -i HEAD~1
		diff.external|@|echo x >>README; git diff
		alias.st|!@|git st
		gpg.program|@|git commit -q -S --allow-empty -m x
		pager.log|@|script -qec 'git log' /dev/null
		core.pager|@|script -qec 'git log' /dev/null
		interactive.diffFilter|@|echo x >>README; echo q | script -qec 'git add -p' /dev/null
		trailer.x.command|@|echo | git interpret-trailers --trailer x=1
		protocol.ext.allow|always|git ls-remote "ext::$EVIL"
		browser.x.cmd|@|git -c help.browser=x web--browse --tool=x http://a
		mergetool.x.cmd|@|git difftool -y -x "$EVIL" HEAD; git mergetool --tool=x
		sendemail.sendmailCmd|@|git config sendemail.sendmailCmd | sh
		remote.origin.vcs|x|git remote -v; $(git config remote.origin.vcs >/dev/null && echo $EVIL)
	EOF
}

attr_repo() {
	git_repo "$1"
	printf '*.x diff=d filter=f merge=m\n' >"$1/.gitattributes"
	echo a >"$1/f.x"
	git -C "$1" add .
	git -C "$1" commit -qm attributes
}

@test "PER-02 neither drivers, includes, rewritten urls nor direct writes" {
	FIXTURE=attr_repo
	blocked 'git config diff.d.textconv $EVIL' 'echo b >>f.x; git diff'
	blocked 'git config diff.d.command $EVIL' 'echo b >>f.x; git diff'
	blocked 'git config filter.f.clean $EVIL' 'echo b >>f.x; git add f.x'
	blocked 'git config filter.f.process $EVIL' 'echo b >>f.x; git add f.x'
	blocked 'git config filter.f.smudge $EVIL' 'rm f.x; git checkout f.x'
	blocked 'git config merge.m.driver $EVIL' 'git checkout -q -b o; echo 1 >f.x; git commit -qam 1; git checkout -q main; echo 2 >f.x; git commit -qam 2; git merge o'
	blocked 'printf "[core]\n\tfsmonitor = $EVIL\n" >inc; git config include.path ../inc' 'git status'
	blocked 'printf "[core]\n\tfsmonitor = $EVIL\n" >inc; git config includeIf.gitdir:/.path ../inc' 'git status'
	blocked 'printf "[core]\n\tfsmonitor = %s\n" $EVIL >>.git/config' 'git status'
	blocked 'printf "[core]\n\tfsmonitor = %s\n" $EVIL >c; mv c .git/config || cp c .git/config' 'git status'
	blocked 'git config url.ext::$EVIL.insteadOf https://a/; git config protocol.ext.allow always' 'git ls-remote https://a/'
	blocked 'git config remote.origin.url "ext::$EVIL"; git config protocol.allow always' 'git fetch'
	blocked 'git config branch.main.remote "ext::$EVIL"; git config branch.main.merge refs/heads/main; git config protocol.allow always' 'git fetch'
	blocked 'git config remote.origin.url .; git config remote.origin.uploadpack $EVIL' 'git fetch origin'
	blocked 'git config remote.origin.url .; git config remote.origin.receivepack $EVIL' 'git push origin main'
}

worktree_config_repo() {
	git_repo "$1"
	git -C "$1" config extensions.worktreeConfig true
}

link_config_repo() {
	git_repo "$1"
	mv "$1/.git/config" "$1/conf"
	ln -s ../conf "$1/.git/config"
	sleep 0.05
}

@test "PER-02 a config that is a link into the tree is never silently changed" {
	FIXTURE=link_config_repo
	never_silent PER-02 'git config core.fsmonitor $EVIL' 'git status' conf
}

sub_repo() {
	[ -d "$T/lib" ] || git_repo "$T/lib"
	git_repo "$1"
	git -C "$1" -c protocol.file.allow=always submodule --quiet add "$T/lib" sub
	git -C "$1" commit -qm sub
}

@test "PER-03 configs of work trees and submodules, .gitmodules" {
	FIXTURE=worktree_config_repo
	never_silent PER-03 'printf "[core]\n\tfsmonitor = $EVIL\n" >.git/config.worktree' 'git status' .git/config.worktree
	FIXTURE=git_repo
	# switching the extension on alone is not enough, and neither is silent
	never_silent PER-03 'git config extensions.worktreeConfig true; git config --worktree core.fsmonitor $EVIL' 'git status' .git/config.worktree
	FIXTURE=sub_repo
	blocked 'git -C sub config core.fsmonitor $EVIL' 'git -C sub status'
	blocked 'printf "[core]\n\tfsmonitor = $EVIL\n" >>.git/modules/sub/config' 'git status'
	blocked 'printf "#!/bin/sh\nexec $EVIL\n" >.git/modules/sub/hooks/pre-commit; chmod +x .git/modules/sub/hooks/pre-commit' \
		'git -C sub -c user.name=a -c user.email=a@b commit -q --allow-empty -m x'
	blocked 'rm sub/.git; cp -r .git/modules/sub sub/.git; git config -f sub/.git/config --unset core.worktree; git -C sub config core.fsmonitor $EVIL' 'git -C sub status'
	attempt 'git config -f .gitmodules submodule.sub.update "!$EVIL"; git add .gitmodules' 'git submodule update --init'
	names PER-03 .gitmodules
	# a whole new module, made elsewhere and moved in
	never_silent PER-02 'git init -q m/n; git -C m/n config core.fsmonitor $EVIL' 'git -C m/n status' m/n/.git/config
	attempt 'git init -q --separate-git-dir .git/modules/new new; git -C new config core.fsmonitor $EVIL' 'git -C new status'
	[ "$ran" = no ] || names PER-02 .git/modules/new/config
	# a .git file that leads elsewhere
	never_silent PER-03 'mkdir q; git init -q --separate-git-dir deep q; git -C q config core.fsmonitor $EVIL' 'git -C q status' q/.git
}

# What git takes for a repository, or for a part of one, is more than a .git directory.
@test "PER-03 PER-05 git directories in pieces: commondir, links, gitfiles" {
	local c='mkdir -p c/objects c/refs; printf "[core]\n\trepositoryformatversion=0\n\tfsmonitor=%s\n" $EVIL >c/config'
	local h='echo ref: refs/heads/main'
	never_silent PER-03 "$c; mkdir -p .git/worktrees/x s; $h >.git/worktrees/x/HEAD; echo ../../../c >.git/worktrees/x/commondir; echo gitdir: ../.git/worktrees/x >s/.git" \
		'cd s && git status' .git/worktrees/x/commondir
	never_silent PER-03 "$c; mkdir -p s/.git; $h >s/.git/HEAD; echo ../../c >s/.git/commondir" 'cd s && git status' s/.git/commondir
	never_silent PER-05 "$c; mkdir s; $h >s/HEAD; echo ../c >s/commondir" 'cd s && git --work-tree=. status' s
	never_silent PER-05 "mkdir -p s/r o; ln -s r s/refs; ln -s ../o s/objects; $h >s/HEAD; printf '[core]\n\tbare=false\n\tworktree=.\n\tfsmonitor=%s\n\trepositoryformatversion=0\n' \$EVIL >s/config" \
		'cd s && git status' s
	never_silent PER-03 "$c; mkdir -p x.git/worktrees/x s; $h >x.git/worktrees/x/HEAD; echo ../../../c >x.git/worktrees/x/commondir; echo gitdir: ../x.git/worktrees/x >s/.git" \
		'cd s && git status' s/.git
	never_silent PER-03 "$c; $h >c/HEAD; mkdir -p .git/modules s; ln -s ../../c .git/modules/m; echo gitdir: ../.git/modules/m >s/.git" \
		'cd s && git status' .git/modules/m
	never_silent PER-03 "$c; mkdir -p s w/x; $h >w/x/HEAD; echo ../../c >w/x/commondir; ln -s ../w .git/worktrees; echo gitdir: ../.git/worktrees/x >s/.git" \
		'cd s && git status' .git/worktrees
	# git's own pieces are no news
	attempt 'git worktree add -q wt && git init -q --separate-git-dir .git/modules/y y' ''
	refute_output 'from elsewhere'
}

# A file .git is followed wherever it leads, be it to where git puts its own: what is there was
# neither found by depth nor by number, nor below a repository that has no HEAD.
@test "PER-03 git directories behind a file .git: too deep, too many, in another, in none" {
	local d
	repo_at() { # at DIR
		# shellcheck disable=SC2028  # the shell inside takes it
		echo "mkdir -p $1/objects $1/refs s; echo ref: refs/heads/main >$1/HEAD; printf '[core]\n\tbare=false\n\trepositoryformatversion=0\n\tfsmonitor=%s\n' \$EVIL >$1/config"
	}
	for d in .git/modules/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p .git/worktrees/x .git/worktrees/x/y \
		.git/worktrees/x/objects/q x/.git/modules/m; do
		never_silent PER-02 "$(repo_at "$d"); echo gitdir: ../$d >s/.git" 'cd s && git status' "$d/config"
	done
	d=.git/modules/m
	never_silent PER-02 "mkdir -p $d/objects; echo ref: x >$d/HEAD; $(repo_at $d/n); echo gitdir: ../$d/n >s/.git" \
		'cd s && git status' $d/n/config
	never_silent PER-02 "seq -f $d/%.0f 4200 | xargs mkdir -p; $(repo_at $d/yy); echo gitdir: ../$d/yy >s/.git" \
		'cd s && git status' $d/yy/config
	assert_output "not all was looked at: $d (more entries"
	# the common directory of a linked work tree, without a HEAD of its own
	never_silent PER-02 "$(repo_at x/.git); rm x/.git/HEAD; mkdir -p x/.git/worktrees/w; echo ref: refs/heads/main >x/.git/worktrees/w/HEAD; echo ../.. >x/.git/worktrees/w/commondir; echo gitdir: ../x/.git/worktrees/w >s/.git" \
		'cd s && git status' x/.git/config
	# a config that is a link to what another branch has
	never_silent PER-03 "$(repo_at $d); echo gitdir: ../$d >s/.git; mv $d/config y; git checkout -q -b t; git add y; git commit -qm 2; git checkout -q main; ln -s ../../../y $d/config" \
		'git checkout -q t; cd s && git status' $d/config
	# by way of a link, which is not followed
	never_silent PER-03 "$(repo_at x/.git/worktrees/w); ln -s x l; echo gitdir: ../l/.git/worktrees/w >s/.git" \
		'cd s && git status' s/.git
}

@test "PER-03 what was not looked at is said" {
	attempt 'seq -f d%.0f/.git/objects 16400 | xargs mkdir -p; for d in d*; do : >$d/.git/HEAD; done' ''
	assert_output 'not all was looked at:'
	assert_output 'more git repositories than are looked at'
	grep -F '"event":"limit"' "$AUDIT" | grep -qF 'not looked at' || fail 'not in the log'
	attempt 'mkdir -p .git/modules/m/objects .git/modules/m/hooks; echo ref: x >.git/modules/m/HEAD; seq -f .git/modules/m/hooks/%.0f.sample 4200 | xargs touch' ''
	assert_output 'not all was looked at: .git/modules/m/hooks (more entries'
	attempt ':' ''
	refute_output 'not all was looked at'
}

packages_repo() {
	git_repo "$1"
	mkdir -p "$1"/{node_modules/a,__pycache__,ve/bin}
	touch "$1"/{node_modules/a/x.js,__pycache__/x.cpython-311.pyc,ve/bin/python,ve/pyvenv.cfg}
	sleep 0.05
}

# what is in a directory that can be searched, but not listed, is found by name: a hook by git
@test "PER-01 PER-03 PER-15 PER-16 directories that can't be listed, nor so what is in them" {
	local d
	control 'git init -q d; cp "$EVIL" d/.git/hooks/pre-commit; chmod 0311 d/.git/hooks' \
		'cd d && git -c user.name=t -c user.email=t@t commit -q --allow-empty -m x'
	for d in d/.git/hooks d/.git/modules d/.git/worktrees d/.git/remotes d/.git/info d/.git; do
		attempt "git init -q d; mkdir -p $d; chmod 0311 $d" ''
		assert_output "not all was looked at: $d (no permission to look into it)"
	done
	FIXTURE=packages_repo
	for d in node_modules __pycache__; do
		attempt "for f in $d/*.pyc $d/a/*; do echo evil >>\$f; done; chmod 0311 $d" ''
		assert_output "changed $d (more code of packages than is looked at)"
	done
	attempt 'echo evil >ve/bin/python; chmod 0311 ve/bin' ''
	assert_output "changed ve/bin (programs of a python environment that can't be looked at)"
	chmod -R u+rwX "$WS" "$CTL"
}

@test "PER-01 a rebase, or picked commits, left half-way that name a strategy of the work tree" {
	local x='mkdir git-merge-..; printf "#!/bin/sh\nexec $EVIL\n" >git-merge-../x; chmod +x git-merge-../x; h=$(git rev-parse HEAD)'
	never_silent PER-01 "$x; mkdir .git/rebase-merge; cd .git/rebase-merge; echo ../x >strategy; echo \$h | tee onto >orig-head; echo refs/heads/main >head-name; touch interactive 'done'; echo pick \$h >git-rebase-todo; echo 1 | tee msgnum >end" \
		'git rebase --continue' .git/rebase-merge/strategy
	never_silent PER-01 "$x; git checkout -q -b t; echo 2 >>README; git commit -qam 2; p=\$(git rev-parse HEAD); git checkout -q main; mkdir .git/sequencer; cd .git/sequencer; echo \$h | tee head >abort-safety; printf '[options]\n\tstrategy = ../x\n' >opts; printf 'pick %s 2\n' \$p \$p >todo" \
		'git cherry-pick --continue' .git/sequencer/opts
	# git's own are no news
	attempt 'echo 2 >>README; git commit -qam 2; git checkout -q -b t HEAD~1; echo 3 >>README; git commit -qam 3; git rebase -q -s ort main; git rebase --abort; git cherry-pick -s --strategy=recursive main main~1' ''
	refute_output 'when continued'
}

@test "PER-01 a rebase left half-way that runs commands when continued" {
	never_silent PER-01 'git commit -q --allow-empty -m second; GIT_SEQUENCE_EDITOR="sed -i \"1s,.*,break\nexec $EVIL,\"" git rebase -q -i HEAD~1' \
		'git rebase --continue' .git/rebase-merge/git-rebase-todo
	attempt 'git commit -q --allow-empty -m second; GIT_SEQUENCE_EDITOR="sed -i 1s,.*,break," git rebase -q -i HEAD~1' ''
	refute_output 'when continued'
}

@test "PER-02 a remote that is a directory is named, a remote that there is not is not set" {
	local hook='mkdir -p e; git init -q --bare node_modules/e; printf "#!/bin/sh\nexec $EVIL\n" >node_modules/e/hooks/pre-receive; chmod +x node_modules/e/hooks/pre-receive'
	never_silent PER-02 "$hook; git config remote.o.url ./node_modules/e" 'git push o main' .git/config
	blocked "$hook; git config branch.main.pushRemote ./node_modules/e" 'git push'
	blocked "$hook; git config remote.pushDefault node_modules/e" 'git -c push.default=current push'
}

origin_repo() {
	git_repo "$1"
	git -C "$1" remote add origin https://example.com/mine.git
	git -C "$1" config branch.main.remote origin
	git -C "$1" config branch.main.merge refs/heads/main
}

@test "PER-02 CFG-04 a remote that leads elsewhere, and settings that hide, are named" {
	FIXTURE=origin_repo
	local set
	for set in 'remote.origin.url https://evil.example/x.git' 'remote.origin.pushurl git@evil.example:x' \
		'remote.origin.push +refs/*:refs/*' 'remote.origin.mirror true' 'remote.origin.mirror 0x2' \
		'remote.origin.fetch +refs/heads/*:refs/heads/*' 'remote.origin.fetch +refs/heads/x:main' \
		'remote.up.fetch +refs/heads/*:refs/remotes/origin/*' 'remote.up.promisor true' \
		'push.default matching' 'push.followTags yes'; do
		listed PER-02 "git remote add up https://evil.example/x; git config $set" .git/config || fail "$set"
	done
	# without a value it is true
	listed PER-02 "printf '[remote \"origin\"]\n\tmirror\n' >>.git/config" .git/config
	listed PER-02 'git remote add up https://evil.example/x; git config branch.main.pushRemote up' .git/config
	listed PER-02 'git remote add up https://evil.example/x; git config branch.main.remote up' .git/config
	listed PER-02 'git remote add up https://evil.example/x; git config remote.pushDefault up' .git/config
	for set in 'status.showUntrackedFiles no' 'diff.ignoreSubmodules all' 'submodule.x.ignore dirty' \
		'core.ignoreCase true' 'core.checkStat minimal'; do
		listed PER-21 "git config $set" .git/config || fail "$set"
	done
	# a further remote, and a branch that follows the one that there was, lead nobody anywhere
	origin_repo "$WS/plain"
	cd "$WS/plain" || return 1
	run "$BAWN" run --rm shell . -- sh -c 'git remote add up https://example.net/x; git config branch.new.remote origin
		git config --add remote.up.fetch +refs/pull/*:refs/remotes/up/pr/*; git config push.default simple
		git config core.ignoreCase false; git config status.showUntrackedFiles all; git config user.name me'
	[ "$(git config remote.up.url)" = https://example.net/x ]
	refute_output "git setting"
	# a repository that was made inside has no such origin unnamed, either
	cd "$WS" || return 1
	listed PER-02 'git init -q made; cd made; git remote add o https://evil.example/x; git config remote.o.promisor true' made/.git/config
}

old_bare_repo() {
	git_repo "$1"
	mkdir "$1/fix"
	git init -q --bare "$1/fix/x"
	git -C "$1/fix/x" config core.fsmonitor "$EVIL"
	git -C "$1/fix/x" config core.bare false
	git -C "$1/fix/x" config core.worktree .
	mv "$1/fix/x/HEAD" "$1/fix/x/HEAD.off"
	sleep 0.05
}

@test "PER-05 a bare repository in a subdirectory" {
	local conf='git config core.fsmonitor $EVIL; git config core.bare false; git config core.worktree .'
	never_silent PER-05 "git init -q --bare doc; cd doc; $conf" 'cd doc && git status' doc
	never_silent PER-05 "mkdir d; cd d; mkdir objects refs; echo ref: refs/heads/x >HEAD; $conf; printf '[core]\n\trepositoryformatversion=0\n\tbare=false\n\tworktree=.\n\tfsmonitor=%s\n' \$EVIL >config" \
		'cd d && git status' d
	FIXTURE=old_bare_repo
	never_silent PER-05 'mv fix/x/HEAD.off fix/x/HEAD; mv fix/x y' 'cd y && git status' y
}

hookspath_repo() {
	no_hooks_repo "$1"
	git -C "$1" config core.hooksPath .myhooks
	[ -n "${HOOKS_ABSENT:-}" ] || mkdir "$1/.myhooks"
	sleep 0.05
}

@test "PER-06 a core.hooksPath directory in the tree" {
	FIXTURE=hookspath_repo
	local s='printf "#!/bin/sh\nexec $EVIL\n" >.myhooks/pre-commit; chmod +x .myhooks/pre-commit'
	blocked "$s" 'git commit -q --allow-empty -m x'
	blocked "mv .myhooks .m2; mkdir .myhooks; $s" 'git commit -q --allow-empty -m x'
	HOOKS_ABSENT=1
	never_silent PER-06 "mkdir .myhooks; $s" 'git commit -q --allow-empty -m x' .myhooks/pre-commit
	never_silent PER-06 'mv tools/githooks .myhooks' 'git commit -q --allow-empty -m x' .myhooks/pre-commit
}

@test "PER-06 a core.hooksPath of the user's own config that leads into the tree" {
	FIXTURE=no_hooks_repo
	git config --global core.hooksPath .ghooks
	never_silent PER-06 'mkdir .ghooks; cp tools/githooks/pre-commit .ghooks/' 'git commit -q --allow-empty -m x' .ghooks/pre-commit
	git config --global core.hooksPath tools/githooks
	attempt 'echo "#" >>tools/githooks/pre-commit' 'true'
	[[ $(tail -n 1 tools/githooks/pre-commit) != '#' ]] || names PER-06 tools/githooks/pre-commit
}

@test "PER-07 attributes that name a driver of the host's" {
	git config --global diff.hostd.textconv "$EVIL"
	git config --global filter.hostf.clean "$EVIL"
	never_silent PER-07 'echo "* diff=hostd" >.gitattributes; echo x >>README' 'git diff' .gitattributes
	never_silent PER-07 'echo "* filter=hostf" >.git/info/attributes || { mkdir .git/info; echo "* filter=hostf" >.git/info/attributes; }; echo x >>README' \
		'git add README' .git/info/attributes
	never_silent PER-07 'mkdir -p s; echo "* filter=hostf" >s/.gitattributes; echo x >s/y' 'git add s' s/.gitattributes
}

@test "PER-08 nothing that bawn itself does on the host runs what the workspace says" {
	sub_repo "$WS"
	local k
	for k in core.fsmonitor core.pager core.editor core.sshCommand diff.external credential.helper alias.config alias.status gpg.program core.askPass; do
		git config "$k" "$EVIL"
	done
	git config alias.config "!$EVIL"
	mkdir hk
	cp "$EVIL" hk/post-index-change
	cp "$EVIL" hk/pre-commit
	git config core.hooksPath hk
	echo '* diff=d filter=f' >.gitattributes
	git config filter.f.clean "$EVIL"
	git config diff.d.textconv "$EVIL"
	printf '#!/bin/sh\nexec %s\n' "$EVIL" >git
	chmod +x git
	cp git "$WS/ls"
	git -C sub config core.fsmonitor "$EVIL"
	rm -f "$RAN"
	git -c core.hooksPath=/dev/null -c alias.status= status >/dev/null 2>&1 || : # control
	[ -e "$RAN" ] || fail "the control does not run anything"
	rm -f "$RAN"
	PATH=$WS:.:$PATH GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.fsmonitor GIT_CONFIG_VALUE_0="$EVIL" \
		GIT_EXEC_PATH=$WS GIT_SSH_COMMAND=$EVIL GIT_PAGER=$EVIL PAGER=$EVIL GIT_EXTERNAL_DIFF=$EVIL \
		run in_sandbox_sh 'echo x >>README; true'
	assert_status 0
	run "$BAWN" run --rm --dry-run shell "$WS"
	run "$BAWN" doctor
	[ ! -e "$RAN" ] || fail "bawn ran a program that the workspace names"
	git config --unset core.fsmonitor
}

@test "PER-09 files that a shell's prompt or a tool manager runs" {
	never_silent PER-09 'echo "$EVIL" >.envrc' '. ./.envrc' .envrc
	lists PER-09 .envrc .mise.toml mise.toml .tool-versions .autoenv sub/.envrc sub/deep/.mise.toml .config/mise/config.toml
}

@test "PER-10 editors' project files" {
	lists PER-10 .vscode/tasks.json .vscode/settings.json .vscode/launch.json .idea/workspace.xml .zed/tasks.json \
		.cursor/hooks.json my.code-workspace sub/.vscode/tasks.json
}

@test "PER-11 containers that the host starts" {
	lists PER-11 .devcontainer/devcontainer.json .devcontainer.json .devcontainer/x/devcontainer.json docker-compose.yml compose.yaml sub/docker-compose.yaml
}

@test "PER-12 settings and instructions of agents: Claude Code" {
	lists PER-12 .mcp.json .claude/settings.json .claude/settings.local.json .claude/commands/x.md .claude/agents/a.md \
		.claude/skills/s/SKILL.md .claude/hooks/h.sh CLAUDE.md sub/CLAUDE.md CLAUDE.local.md
}

@test "PER-13 settings and instructions of the other agents" {
	lists PER-13 .codex/config.toml AGENTS.md .gemini/settings.json GEMINI.md opencode.json opencode.jsonc .opencode/plugin/p.js sub/AGENTS.md
	attempt 'mkdir .gemini; echo X=1 >.gemini/.env' ''
	names PER-13 .gemini/.env
}

@test "PER-14 the agents' own state on the host is a copy inside" {
	local f
	mkdir -p "$HOME"/.{claude,codex,gemini}/sub "$HOME/.config/opencode/plugin"
	for f in .claude/settings.json .claude.json .codex/config.toml .gemini/settings.json .config/opencode/opencode.json \
		.bashrc .profile .gitconfig .config/opencode/plugin/p.js .local/bin/tool; do
		mkdir -p "$(dirname "$HOME/$f")"
		echo '{}' >"$HOME/$f"
	done
	rm "$HOME/.gitconfig"
	(cd "$HOME" && find . -path ./.cache -prune -o -path ./project -prune -o -path ./.local/share/bawn -prune -o -type f -exec sha256sum {} + | sort) >"$T/sums"
	attempt 'cd; for f in .claude/settings.json .claude.json .codex/config.toml .gemini/settings.json .config/opencode/opencode.json .bashrc .profile .gitconfig .config/opencode/plugin/p.js .local/bin/tool .config/systemd/user/x.service .config/autostart/x.desktop .ssh/rc; do
		mkdir -p "$(dirname "$f")"; echo evil >>"$f"; done' ''
	(cd "$HOME" && find . -path ./.cache -prune -o -path ./project -prune -o -path ./.local/share/bawn -prune -o -type f -exec sha256sum {} + | sort) >"$T/sums2"
	diff "$T/sums" "$T/sums2" >&2
}

@test "PER-15 scripts of builds and package managers" {
	never_silent PER-15 'printf "all:\n\t$EVIL\n" >Makefile' make Makefile
	never_silent PER-15 'printf "{\"scripts\":{\"test\":\"%s\"}}" $EVIL >package.json' 'npm test' package.json
	never_silent PER-15 'mkdir -p node_modules/.bin; printf "#!/bin/sh\nexec $EVIL\n" >node_modules/.bin/tool; chmod +x node_modules/.bin/tool' \
		'node_modules/.bin/tool' node_modules/.bin
	never_silent PER-15 'echo "import os; os.system(\"$EVIL\")" >setup.py' '/usr/bin/python3 setup.py' setup.py
	lists PER-15 package.json .npmrc .yarnrc.yml .yarn/releases/y.cjs .pnpmfile.cjs bunfig.toml Makefile sub/Makefile
	lists PER-15 build.rs .cargo/config.toml gradlew gradle/wrapper/gradle-wrapper.properties conftest.py setup.py Cargo.toml
}

venv_repo() {
	git_repo "$1"
	mkdir -p "$1/.venv/bin" "$1/.venv/lib/python3/site-packages" "$1/node_modules/.bin"
	printf '#!/bin/sh\n:\n' >"$1/.venv/bin/python"
	printf '#!/bin/sh\n:\n' >"$1/node_modules/.bin/tsc"
	chmod +x "$1/.venv/bin/python" "$1/node_modules/.bin/tsc"
	sleep 0.05
}

@test "PER-15 PER-16 programs in node_modules and .venv that were there, changed in place" {
	FIXTURE=venv_repo
	never_silent PER-16 'echo "$EVIL" >>.venv/bin/python' '.venv/bin/python' .venv/bin/python
	never_silent PER-15 'echo "$EVIL" >>node_modules/.bin/tsc' 'node_modules/.bin/tsc' node_modules/.bin/tsc
	never_silent PER-15 'cp node_modules/.bin/tsc t; echo "$EVIL" >>t; mv t node_modules/.bin/tsc' 'node_modules/.bin/tsc' node_modules/.bin
	attempt 'echo "import os" >.venv/lib/python3/site-packages/x.pth; echo x >.venv/lib/python3/site-packages/sitecustomize.py; echo home=/tmp >.venv/pyvenv.cfg' ''
	names PER-16 .venv/lib/python3/site-packages/x.pth .venv/lib/python3/site-packages/sitecustomize.py .venv/pyvenv.cfg
	never_silent PER-16 'echo "import os; os.system(\"$EVIL\")" >sitecustomize.py' 'PYTHONPATH=. /usr/bin/python3 -c 1' sitecustomize.py
}

@test "PER-17 start files of editors and debuggers" {
	lists PER-17 .exrc .nvim.lua .dir-locals.el .gdbinit .lldbinit sub/.gdbinit sub/.dir-locals.el
}

@test "PER-18 CI and commit hooks of tools" {
	lists PER-18 .github/workflows/ci.yml .gitlab-ci.yml .pre-commit-config.yaml .husky/pre-commit lefthook.yml .circleci/config.yml
}

@test "PER-19 programs with the names of commands, launchers, set-user-ID" {
	never_silent PER-19 'printf "#!/bin/sh\nexec $EVIL\n" >ls; chmod +x ls' 'PATH=.:$PATH; ls' ls
	attempt 'printf "#!/bin/sh\n" >git; chmod +x git; printf "[Desktop Entry]\nExec=x\n" >a.desktop' ''
	names PER-19 git a.desktop
	attempt 'cp /bin/true s; chmod 4755 s' ''
	assert_output 'set-user-ID'
}

@test "PER-09 PER-10 PER-15 PER-17 PER-18 more of what makes a host run programs" {
	lists PER-02 .hg/hgrc .gitconfig
	lists PER-09 .ruby-version .nvmrc .python-version mise.dev.toml .mise.ci.toml devbox.json .tmux.conf Procfile
	lists PER-10 .vim/coc-settings.json .run/x.xml .clangd .ycm_extra_conf.py .editorconfig app.iml .project
	lists PER-11 docker-compose.dev.yml compose.override.yaml Dockerfile .gitpod.yml
	lists PER-13 .aider.model.settings.yml .roomodes .clinerules/x.md .amazonq/mcp.json .crush.json .goosehints .claude-plugin/x.json
	lists PER-15 vite.config.ts webpack.config.js jest.config.cjs eslint.config.mjs .eslintrc.json .prettierrc.js .babelrc gulpfile.js .pnp.cjs
	lists PER-15 .bazelrc MODULE.bazel WORKSPACE gradle.properties buildSrc/x.gradle .mvn/jvm.config .mvn/extensions.xml CMakeUserPresets.json
	lists PER-15 tox.ini noxfile.py Taskfile.yaml .pylintrc mypy.ini .flake8 .rspec .rubocop.yml .perltidyrc x.gemspec docs/conf.py .latexmkrc
	lists PER-15 Directory.Build.props a.csproj go.mod main.tf cdk.json foundry.toml .luacheckrc Setup.hs rebar.config
	lists PER-17 .Renviron .ghci .ocamlinit .iex.exs .julia/config/startup.jl .ipython/profile_default/startup/x.py
	lists PER-18 .github/actions/a/action.yml .github/dependabot.yml .buildkite/pipeline.yml .lintstagedrc.json lefthook-local.yaml .simple-git-hooks.json
}

many_files() {
	mkdir -p "$1/d" "$1/e"
	(cd "$1/d" && seq 1 4000 | xargs touch)
	echo x >"$1/e/tool"
	chmod 0755 "$1/e/tool"
	sleep 0.05
}

@test "PER-19 FS-22 FS-30 modes changed in place, in a directory that did not change" {
	git_repo
	echo x >tool
	sleep 0.05
	run in_sandbox true # the cache knows the tree
	run in_sandbox_sh 'chmod 4755 tool'
	assert_output 'tool (set-user-ID)'
	chmod 0644 tool
	run in_sandbox_sh 'chmod o+w README'
	assert_output 'README (writable by every user)'
	# in a large tree this is looked for after runs of more than five seconds
	WS=$HOME/large
	many_files "$WS"
	run in_sandbox true
	run in_sandbox_sh 'chmod 4755 e/tool; sleep 5.2'
	assert_output 'e/tool (set-user-ID)'
}

@test "PER-20 links that lead out of the workspace" {
	plant "$HOME/.ssh/id"
	attempt 'ln -s ~/.ssh/id innocent.txt; ln -s /etc/passwd p; mkdir s; ln -s ../../../.. s/up; ln -s README fine' ''
	names PER-20 innocent.txt p s/up
	refute_output ' fine'
	grep -F '"event":"persist"' "$AUDIT" | grep -F '/fine"' && fail "a link within is named"
	assert_untouched "$HOME/.ssh/id"
}

@test "PER-20 links that git writes through to the outside" {
	local c='git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x'
	never_silent PER-20 "ln -sf $RAN .git/COMMIT_EDITMSG" "$c" .git/COMMIT_EDITMSG
	never_silent PER-20 "ln -sf $RAN .git/logs/HEAD" "$c" .git/logs/HEAD
	# that it leads out shows when git has begun something; in a directory; in that of a linked work tree
	listed PER-20 'ln -sf rebase-merge/../../../x .git/COMMIT_EDITMSG' .git/COMMIT_EDITMSG
	listed PER-20 'rm -rf .git/logs; mkdir l; ln -s /tmp/x l/HEAD; mv l .git/logs; ln -s missing/../../../x .git/FETCH_HEAD; mv .git/objects o; ln -s /tmp/x .git/objects' \
		.git/logs/HEAD .git/FETCH_HEAD .git/objects
	never_silent PER-20 "git worktree add -q wt; ln -s $RAN .git/worktrees/wt/COMMIT_EDITMSG" "cd wt && $c" \
		.git/worktrees/wt/COMMIT_EDITMSG
	# many files do not hide it, and where there are too many, or they lie too deep, that is said
	listed PER-20 'd=.git/a; for i in $(seq 30); do d=$d/d; done; mkdir -p $d; ln -s /tmp/x .git/zz' .git/zz
	assert_output 'not all was looked at: .git (more'
}

# odd_index NAME CONTENT [WHERE]: a script that puts one more entry into an index, as git never would
odd_index() {
	printf 'o=$(printf %%s %q | git hash-object -w --stdin); /usr/bin/python3 -c %q %q "$o" %s' \
		"$2" "$(cat "$BAWN_SRCDIR/tests/attack/git-index.py")" "$1" "${3:-.git/index}"
}

@test "PER-03 what git believes of its own files: an index that names what no checkout makes" {
	local hook="#!/bin/sh
touch $RAN" name
	for name in .git/hooks/post-checkout sub/.GIT/x ../x /tmp/x a//b ./c; do
		listed PER-03 "$(odd_index "$name" x)" .git/index
		assert_output "git restore writes what it names: $name"
	done
	never_silent PER-03 "$(odd_index .git/hooks/post-checkout "$hook")" 'git checkout . ; git checkout -q -b other' .git/index
	for name in "$(odd_index .git/config x); git update-index --split-index" \
		"git update-index --split-index; $(odd_index .git/config x '.git/sharedindex.*')"; do
		attempt "$name" ''
		grep -qE 'sharedindex[.][0-9a-f]+ .git restore writes what it names: .git/config' <<<"$output" || fail "$output"
	done
	listed PER-03 'git worktree add -q wt; printf DIRC >.git/worktrees/wt/index' .git/worktrees/wt/index
	attempt 'echo x >n; mkdir -p .github d; echo y >.github/y; echo z >d/.gitignore; git add -A; git update-index --split-index; git stash -q; git stash pop -q' ''
	refute_output 'git restore writes' "can't be read"
}

@test "PER-03 PER-20 what git believes of its own files: of conflicts, of a rebase, of where it works" {
	local f h
	h=$(printf '%040d' 1)
	listed PER-20 "printf '$h\\t../x\\0' >.git/MERGE_RR" .git/MERGE_RR
	for f in rebase-merge/msgnum rebase-apply/next rebase-merge/head-name; do
		listed PER-09 "mkdir .git/\$(dirname $f); echo '\$(touch /tmp/x)1' >.git/$f" ".git/$f"
	done
	listed PER-09 'ln -sf "refs/heads/\$(touch x)" .git/HEAD' .git/HEAD
	listed PER-09 'git worktree add -q wt; echo "ref: refs/heads/\`touch x\`" >.git/worktrees/wt/HEAD' .git/worktrees/wt/HEAD
	listed PER-01 "mkdir .git/rebase-apply; echo \"'--build-fake-ancestor=/tmp/x'\" >.git/rebase-apply/apply-opt" .git/rebase-apply/apply-opt
	listed PER-02 'git init -q sub; git -C sub config core.worktree /tmp' sub/.git/config
	listed PER-02 'git init -q sub; git -C sub config core.worktree ../../.git' sub/.git/config
	listed PER-02 'git init -q --bare .git/evil; git init -q sub; git -C sub remote add o "$PWD/.git/evil"' sub/.git/config
	listed PER-03 'ln -s .git/hooks l; mkdir e; ln -s ../.git/config e/d' l e/d
	listed PER-02 'echo x >.git/lazygit.yml' .git/lazygit.yml
	listed PER-09 'git branch "a/fix\$(x)"; git branch "\`x\`/y"' '.git/refs/heads/a/fix$(x)' '.git/refs/heads/`x`'
	listed PER-09 'git tag "v\${IFS}"; git pack-refs --all' .git/packed-refs
	# a rebase that stopped, a submodule, and a clone next door are nothing to tell
	attempt 'git checkout -q -b s; echo a >c; git add c; git commit -qm a; git checkout -q -b t HEAD~1; echo b >c; git add c; git commit -qm b
		git rebase s || :; git init -q other; git -C other commit -q --allow-empty -m x
		git -c protocol.file.allow=always submodule --quiet add ./other mod; git clone -q other clone' ''
	refute_output MERGE_RR prompt core.worktree remote.origin.url
}

@test "PER-01 the hooks of a linked work tree's submodule, wherever the work tree lies" {
	fresh "$WS"
	git -C "$WS" worktree add -q "$T/elsewhere"
	git init -q --bare "$WS/.git/worktrees/elsewhere/modules/sub"
	cd "$WS"
	rm -f "$AUDIT"
	sleep 0.05
	run in_sandbox bash -c 'cd .git/worktrees/elsewhere/modules/sub; echo evil >hooks/post-checkout || echo held
		mkdir -p ../new/hooks ../new/objects ../new/refs; echo ref: refs/heads/x >../new/HEAD; echo evil >../new/hooks/pre-push'
	assert_output held
	[ ! -e "$WS/.git/worktrees/elsewhere/modules/sub/hooks/post-checkout" ]
	names PER-01 modules/new/hooks/pre-push
}

junk_repo() {
	git_repo "$1"
	git -C "$1" worktree add -q wt
	mkdir -p "$1/junk/objects" "$1/junk/refs" "$1/junk/hooks" "$1/tree/rebase-merge"
	printf '[core]\n\trepositoryformatversion = 0\n' >"$1/junk/config"
	printf '#!/bin/sh\nexec %s\n' "$EVIL" >"$1/junk/hooks/post-checkout"
	chmod +x "$1/junk/hooks/post-checkout"
	cp "$1"/.git/worktrees/wt/{index,commondir} "$1/tree/"
	ln -s ../../hooks/pre-push "$1/tree/COMMIT_EDITMSG"
	echo "exec $EVIL" >"$1/tree/rebase-merge/git-rebase-todo"
	sleep 0.05
}

@test "PER-01 PER-03 git directories that were put together before, moved to their place as a whole" {
	FIXTURE=junk_repo
	never_silent PER-01 'mkdir a; mv junk a/.git; echo ref: refs/heads/main >a/.git/HEAD' 'cd a && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git checkout -q -b t' \
		a/.git/hooks/post-checkout
	listed PER-03 'mv tree .git/worktrees/w; echo ref: refs/heads/w >.git/worktrees/w/HEAD' .git/worktrees/w/COMMIT_EDITMSG
	names PER-01 .git/worktrees/w/rebase-merge/git-rebase-todo
}

@test "PER-03 links that git writes through to its own config and hooks" {
	local begun='printf "[core]\n\tfsmonitor = \"touch %s; false\"\n" '"$RAN"' >.git/MERGE_MSG; '
	local c='export GIT_EDITOR=true; git -c user.name=a -c user.email=a@b commit --allow-empty; git status'
	never_silent PER-03 "$begun ln -sf config .git/COMMIT_EDITMSG" "$c" .git/COMMIT_EDITMSG
	never_silent PER-03 "$begun ln -sf x/y/../../config .git/COMMIT_EDITMSG; mkdir -p .git/x/y" "$c" .git/COMMIT_EDITMSG
	never_silent PER-03 "$begun ln -s .git/config l; ln -sf ../l .git/COMMIT_EDITMSG" "$c" .git/COMMIT_EDITMSG
	listed PER-03 'rm -rf .git/logs; mkdir l; ln -s ../.git/hooks/pre-push l/HEAD; ln -s ../l .git/logs' .git/logs
	listed PER-03 'rm -rf .git/logs/refs; mkdir -p x/refs s/rr-cache; ln -s ../../x/refs .git/logs/refs; ln -s ../s/rr-cache .git/rr-cache' \
		.git/logs/refs .git/rr-cache
	# in a git directory that was put together before, and only then moved to its place
	fresh "$WS"
	(cd "$WS" && mkdir -p a/junk/objects a/junk/refs && ln -s ../../.git/config a/junk/COMMIT_EDITMSG &&
		printf '[core]\n\tbare = false\n' >a/junk/config)
	rm -f "$AUDIT"
	sleep 0.05
	run in_sandbox bash -c 'mv a/junk a/.git; echo ref: refs/heads/main >a/.git/HEAD'
	names PER-03 a/.git/COMMIT_EDITMSG
	# what work trees share that are made of links, and a HEAD of old
	attempt 'mkdir s; echo x >s/shallow; rm -f .git/description; echo d >s/description; for f in shallow description; do ln -s ../s/$f .git/$f; done; ln -sf refs/heads/main .git/HEAD; mv .git/objects s/objects; ln -s ../s/objects .git/objects' ''
	refute_output 'git writes to'
}

@test "PER-09 PER-01 a flood of harmless findings keeps none of what runs by itself out of the report" {
	local flood='/usr/bin/python3 -c "import os; os.mkdir(\".a\"); [os.symlink(\"/\", \".a/%d\" % i) for i in range(20100)]"'
	listed PER-09 "$flood; echo x >.envrc" .envrc
	assert_output 'more findings than can be listed'
	listed PER-20 "$flood; ln -sf /tmp/x .git/COMMIT_EDITMSG" .git/COMMIT_EDITMSG
	# of what counts first, in a git directory
	flood='/usr/bin/python3 -c "import os; os.mkdir(\".git/x\"); [os.symlink(\"/\" + \"y\" * 3900, \".git/x/%d\" % i) for i in range(9500)]"'
	listed PER-09 "$flood; echo x >.envrc" .envrc
	assert_output 'not all was looked at: .git (more'
	# fewer, but long
	flood='/usr/bin/python3 -c "import os; d = \".a/\" + \"/\".join([\"x\" * 240] * 12); os.makedirs(d); os.chdir(d); [os.symlink(\"/\" * 3900, str(i)) for i in range(9000)]"'
	listed PER-09 "echo x >.envrc; $flood" .envrc
	assert_output 'more findings than can be listed'
}

make_repo() {
	git_repo "$1"
	printf 'all:\n\t@:\n' >"$1/Makefile"
	git -C "$1" add Makefile
	git -C "$1" commit -qm make
	sleep 0.05
}

@test "PER-21 what git is told to hide, and forged times, are named all the same" {
	FIXTURE=make_repo
	local s='printf "all:\n\t$EVIL\n" >Makefile; '
	never_silent PER-15 "$s git update-index --skip-worktree Makefile" make Makefile
	never_silent PER-15 "$s git update-index --assume-unchanged Makefile" make Makefile
	never_silent PER-15 "cp -p Makefile m; $s touch -r m Makefile; rm m" make Makefile
	never_silent PER-15 'echo GNUmakefile >>.git/info/exclude; printf "all:\n\t$EVIL\n" >GNUmakefile' make GNUmakefile
	never_silent PER-15 'printf "*\n" >.gitignore; printf "all:\n\t$EVIL\n" >GNUmakefile; git rm -q --cached -r .' make GNUmakefile
	# made under another name, dated back, then renamed
	never_silent PER-15 'printf "all:\n\t$EVIL\n" >zz; touch -d 2001-01-01 zz; mv zz GNUmakefile' make GNUmakefile
}

old_dir_repo() {
	git_repo "$1"
	mkdir -p "$1/samples/editor/.vscode" "$1/samples/x" "$1/.zed"
	echo '{}' >"$1/samples/editor/.vscode/tasks.json"
	printf 'all:\n\t%s\n' "$EVIL" >"$1/samples/x/Makefile"
	echo '{}' >"$1/samples/tasks.json"
	mkdir "$1/samples/zed"
	echo '{"evil": 1}' >"$1/samples/zed/tasks.json"
	echo '{}' >"$1/.zed/tasks.json"
	sleep 0.05
}

@test "PER-21 directories with old files in them, moved to where they count" {
	FIXTURE=old_dir_repo
	attempt 'mv samples/editor/.vscode .vscode' ''
	names PER-10 .vscode/tasks.json
	attempt 'mv samples/editor/.vscode .idea' ''
	names PER-10 .idea/tasks.json
	# over one that was there, with the same names in it
	attempt 'mv .zed samples/old; mv samples/zed .zed' ''
	grep -q evil .zed/tasks.json && names PER-10 .zed/tasks.json
	never_silent PER-15 'mv samples/x proj' 'make -C proj' proj/Makefile
}
