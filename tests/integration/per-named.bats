#!/usr/bin/env bats
# per-named.bats - attack corpus, class PER: files of the workspace that the host itself names, whatever
# they are called: by links in the home, PATH, and settings of its git.  How each row is played: per.sh.
# shellcheck disable=SC2088  # as the report writes the home
load ../lib.sh
load per.sh
setup() { per_setup; }
teardown() { bawn_teardown; }

dotfiles_repo() {
	git_repo "$1"
	mkdir -p "$1/nvim/lua" "$1/zsh" "$1/elsewhere"
	echo ':' | tee "$1/bashrc" "$1/zsh/aliases" "$1/nvim/init.lua" "$1/nvim/lua/a.lua" >"$1/elsewhere/a.lua"
	git -C "$1" add .
	git -C "$1" commit -qm dotfiles
	sleep 0.05
}

@test "PER-09 files that links in the home lead to" {
	FIXTURE=dotfiles_repo
	mkdir -p "$HOME/.config/fish/conf.d" "$HOME/.zsh"
	ln -sf "$WS/bashrc" "$HOME/.bashrc"
	ln -s "../${WS#"$HOME"/}/zsh/aliases" "$HOME/.zsh/aliases"
	ln -s "$WS/nvim" "$HOME/.config/nvim"
	ln -s "$WS/new.fish" "$HOME/.config/fish/conf.d/new.fish" # not there yet
	ln -s "$WS" "$HOME/dots"
	never_silent PER-09 'echo "$EVIL" >>bashrc' '. bashrc' bashrc
	assert_output 'changed bashrc (~/.bashrc leads there)'
	listed PER-09 'echo x >new.fish; echo y >a; mv a zsh/aliases' new.fish zsh/aliases
	attempt 'echo x >>nvim/init.lua; echo y >>nvim/lua/a.lua; echo z >nvim/lua/b.lua' ''
	assert_output '(~/.config/nvim leads there; and 2 more there)'
	# older files, moved to where they count
	listed PER-09 'mv nvim/lua x; mv elsewhere nvim/lua' nvim
	# all else of that repository, which another name of it says nothing of
	attempt 'echo x >>README; git commit -qam x; git status; mkdir y; touch y/z; cat bashrc nvim/init.lua' ''
	refute_output 'leads there'
	# nor is one moved out of the workspace, though new
	attempt 'true' ''
	run "$BAWN" run --workspace direct shell -- sh -c 'rm -f bashrc; echo x >bashrc'
	[ -e "$WS/bashrc" ]
	assert_output 'bashrc (~/.bashrc leads there)'
	# held back with the rest until it is named
	run "$BAWN" run --name held --workspace cow shell -- sh -c 'echo evil >>bashrc; echo evil >>nvim/lua/a.lua; echo x >>README'
	run "$BAWN" apply held
	assert_output '~/.bashrc leads there'
	assert_output '~/.config/nvim leads there'
	[ "$(tail -n 1 bashrc)" = x ]
}

@test "PER-09 programs in directories of PATH, and files that variables name" {
	mkdir -p "$WS/bin/sub"
	git_repo "$WS"
	printf '#!/bin/sh\n' | tee "$WS/bin/tool" "$WS/bin/text" "$WS/env.sh" >"$WS/bin/sub/x"
	chmod +x "$WS/bin/tool" "$WS/bin/sub/x"
	sleep 0.05
	cd "$WS"
	PATH=$WS/bin:$PATH run in_sandbox_sh 'echo x >>bin/tool; echo x >>bin/text; echo x >>bin/sub/x; echo x >>env.sh'
	assert_output 'bin/tool (a directory of your PATH)'
	refute_output bin/text bin/sub 'more there' env.sh
	BASH_ENV=$WS/env.sh run in_sandbox_sh 'echo x >>env.sh'
	assert_output 'env.sh (your BASH_ENV names it)'
	mkdir -p node_modules/.bin .venv/bin
	sleep 0.05
	PATH=$WS/node_modules/.bin:$WS/.venv/bin:$PATH run in_sandbox_sh 'echo x >.venv/bin/t; chmod +x .venv/bin/t'
	refute_output 'of your PATH'
}

@test "PER-09 programs of PATH, and extensions of other programs, that are links to the workspace" {
	mkdir -p "$WS/src" "$HOME/.npm-global/bin" "$HOME/.npm-global/lib/node_modules" "$HOME/.vscode/extensions" \
		"$HOME/.local/share/gh/extensions"
	git_repo "$WS"
	echo x | tee "$WS/src/cli.js" >"$WS/src/other.js"
	# as npm link makes them
	ln -s "$WS" "$HOME/.npm-global/lib/node_modules/mine"
	ln -s ../lib/node_modules/mine/src/cli.js "$HOME/.npm-global/bin/mine"
	sleep 0.05
	cd "$WS"
	PATH=$HOME/.npm-global/bin:$PATH run in_sandbox_sh 'echo x >>src/cli.js; echo x >>src/other.js'
	assert_output 'changed src/cli.js (~/.npm-global/bin/mine leads there)'
	refute_output other.js
	ln -s "$WS" "$HOME/.vscode/extensions/mine"
	run in_sandbox_sh 'echo x >>src/other.js'
	assert_output 'changed src/other.js (~/.vscode/extensions/mine leads there)'
	rm "$HOME/.vscode/extensions/mine"
	ln -s "$WS/src" "$HOME/.local/share/gh/extensions/gh-mine"
	run in_sandbox_sh 'echo x >>src/other.js'
	assert_output 'changed src/other.js (~/.local/share/gh/extensions/gh-mine leads there)'
}

included_repo() {
	git_repo "$1"
	mkdir -p "$1/etc" "$1/tools"
	printf '[alias]\n\tst = status\n' >"$1/etc/users"
	printf '[include]\n\tpath = more\n' >"$1/etc/shared"
	printf '[diff "more"]\n\ttextconv = etc/textconv\n[core]\n\teditor = vi -c tools\n' >"$1/etc/more"
	printf '#!/bin/sh\ncat\n' | tee "$1/etc/textconv" "$1/tools/clean" "$1/tools/deploy" >"$1/tools/more"
	chmod +x "$1"/tools/* "$1/etc/textconv"
	echo template >"$1/etc/message"
	git -C "$1" config include.path ../etc/shared
	git -C "$1" config filter.f.clean './tools/clean %f'
	git -C "$1" config core.fsmonitor 'sh tools/more'
	git -C "$1" config alias.deploy '!tools/deploy main'
	echo '*.x filter=f' >"$1/.gitattributes"
	git -C "$1" -c core.fsmonitor=false add .
	git -C "$1" -c core.fsmonitor=false commit -qm shared
	sleep 0.05
}

@test "PER-02 files that the configuration of git goes on in, and programs that it names" {
	FIXTURE=included_repo
	local fsmonitor='printf "[core]\n\tfsmonitor = %s\n" $EVIL'
	blocked "$fsmonitor >>etc/shared" 'git status'
	blocked "$fsmonitor >x; mv x etc/shared; mkdir -p e; cp x e/shared; mv etc e2; mv e etc" 'git status'
	never_silent PER-02 'echo "exec $EVIL" >tools/clean' 'echo a >a.x; git add a.x' tools/clean
	never_silent PER-02 'echo "exec $EVIL" >>tools/more' 'git status' tools/more
	never_silent PER-02 'printf "#!/bin/sh\nexec $EVIL\n" >x; chmod +x x; mv x tools/deploy' 'git deploy' tools/deploy
	# in a file that the included one includes, and that file
	blocked "$fsmonitor >>etc/more" 'git status'
	listed PER-02 'echo x >>etc/textconv; echo x >tools/other' etc/textconv
	refute_output tools/other core.editor
	# one that was not there
	FIXTURE=git_repo
	attempt 'true' ''
	git config include.path ../later
	sleep 0.05
	rm -f "$AUDIT"
	run in_sandbox_sh 'echo "[alias]" >later; echo x >README'
	names PER-02 later
	refute_output README
}

@test "PER-02 the same of the user's own configuration" {
	FIXTURE=included_repo
	git config --global include.path "$WS/etc/users"
	git config --global diff.z.textconv tools/more
	git config --global commit.template "${WS/#"$HOME"/"~"}/etc/message"
	blocked 'printf "[core]\n\tfsmonitor = %s\n" $EVIL >>etc/users' 'git -c core.fsmonitor=false log; git status'
	listed PER-02 'echo x >>tools/more; echo x >>etc/message' tools/more etc/message
	run "$BAWN" run --name held --workspace cow shell -- sh -c 'echo "[a]" | tee -a etc/users >>etc/shared; echo x >>tools/clean; echo x >>etc/textconv'
	run "$BAWN" apply held
	assert_output 'etc/users'
	assert_output "git's configuration goes on in it: include.path"
	assert_output 'named by the git setting filter.f.clean'
	assert_output 'named by the git setting diff.more.textconv'
	[ "$(cat etc/users etc/shared | grep -cF '[a]')" = 0 ]
	# more of them than are compared: nothing lands unseen
	echo '[alias]' >etc/users
	for ((i = 0; i < 5000; i++)); do echo "	a$i = !tools/p$i"; done >>etc/users
	run "$BAWN" apply --rest --allow-exec tools held
	assert_status 125
	assert_output "git's settings name more than "
	assert_output '.git/config'
	run ! grep -q x tools/clean
}

@test "PER-02 PER-09 links on the way to what the host names" {
	FIXTURE=included_repo
	# the directory that a setting names becomes a link to another, with another program in it
	listed PER-02 'mv tools t2; ln -s t2 tools; echo "exec $EVIL" >t2/clean' tools
	# ... or to one that was there, with nothing in it that is new
	attempt 'mkdir old; printf "#!/bin/sh\n" >old/clean; chmod +x old/clean' ''
	sleep 0.05
	rm -f "$AUDIT"
	run in_sandbox_sh 'mv tools t2; ln -s old tools'
	names PER-02 tools
	# a new name in PATH for a program that an earlier session left
	mkdir -p "$WS/bin" "$WS/scripts"
	attempt 'mkdir -p bin scripts; printf "#!/bin/sh\n" >scripts/x.sh; chmod +x scripts/x.sh' ''
	sleep 0.05
	PATH=$WS/bin:$PATH run in_sandbox_sh 'ln -s ../scripts/x.sh bin/git'
	assert_output 'bin/git (a directory of your PATH)'
}

@test "PER-02 configuration behind a link, or one that can't be there, stops no start" {
	FIXTURE=included_repo
	attempt 'true' ''
	ln -s etc current
	git config --global include.path "$WS/current/users"
	git config --global --add include.path "$WS/none/x"
	run in_sandbox_sh 'echo started; { echo x >>etc/users; } 2>&1'
	assert_output started
	assert_output 'Read-only file system'
	# by a name that the included file itself gives: beside that
	printf '[include]\n\tpath = more2\n' >>etc/users
	printf '[alias]\n' >etc/more2
	run in_sandbox_sh 'echo started; { echo x >>etc/more2; } 2>&1'
	assert_output started
	assert_output 'Read-only file system'
}

@test "PER-09 apply: what a dangling link of the home waits for, and links that lead to what is named" {
	FIXTURE=included_repo
	attempt 'true' ''
	mkdir -p bin
	ln -s "$WS/zshrc.local" "$HOME/.zshrc.local" # nothing is there yet
	git config core.fsmonitor 'sh bin/more'
	PATH=$WS/bin:$PATH run "$BAWN" run --name held --workspace cow shell -- \
		sh -c 'echo evil >zshrc.local; echo evil >bin/more; mkdir t2; mv tools/clean t2/; rm -r tools; ln -s t2 tools'
	PATH=$WS/bin:$PATH run "$BAWN" apply held
	assert_output '~/.zshrc.local leads there'
	assert_output 'named by the git setting core.fsmonitor'
	assert_output 'named by the git setting filter.f.clean'
	[ ! -e zshrc.local ]
	[ ! -e bin/more ]
	[ ! -L tools ]
}
