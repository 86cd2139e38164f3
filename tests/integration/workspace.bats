#!/usr/bin/env bats
# workspace.bats - the workspace as a transaction, with sandboxes as people use them: copy-on-write
# (diff, apply, discard), and what a direct one moves aside.
bats_require_minimum_version 1.5.0
load ../lib.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

# A repository with two files, a secret that nobody tracks, and what git's own people have.
repo() {
	git_repo
	mkdir -p "$WS/src"
	seq 1 20 >"$WS/src/numbers"
	printf 'keep\n' >"$WS/keep"
	printf '.env\nignored/\n' >"$WS/.gitignore"
	git -C "$WS" add . && git -C "$WS" commit -qm second
	plant "$WS/.env"
}

cow() {
	"$BAWN" create --name cow --workspace cow shell >/dev/null
}

in_cow() {
	"$BAWN" run -q cow -- sh -c "$1"
}

# Everything below the workspace but .git: type, mode, link target, content.
tree_of() {
	(cd "$1" && find . -path ./.git -prune -o -printf '%P %y %m %l\n' | sort &&
		find . -path ./.git -prune -o -type f ! -name .env -exec sha256sum {} + | sort -k2)
}

@test "cow: nothing lands by itself; what the agent sees is its own; masked files stay masked" {
	repo
	cow
	tree_of "$WS" >"$T/before"
	run in_cow 'cat .env; echo changed >>src/numbers; rm keep; mkdir -p new/deep; echo n >new/deep/f
		ln -s numbers src/link; chmod 755 src/numbers; echo i >ignored.txt; mkdir ignored; echo z >ignored/z
		git config user.name inside; echo x >.git/hooks/post-commit; chmod +x .git/hooks/post-commit; git status --short'
	assert_status 0
	refute_canary
	assert_output ' D keep'
	tree_of "$WS" >"$T/after"
	diff "$T/before" "$T/after"
	[ ! -e "$WS/.git/hooks/post-commit" ]
	[ "$(git -C "$WS" config user.name)" = 'Test User' ]
	# the next session goes on from there
	[ "$(in_cow 'cat new/deep/f; test ! -e keep && echo gone')" = $'n\ngone' ]
	run "$BAWN" diff --name-only cow
	for f in keep new/deep/f src/link src/numbers ignored.txt ignored/z .git/config; do
		grep -qx "$f" <<<"$output" || fail "not listed: $f" || return 1
	done
	refute_output .env
}

@test "cow: what an overlay can't do is said before the first change, and is so" {
	repo
	mkdir -p "$WS/dir" && echo f >"$WS/dir/f" && git -C "$WS" add . && git -C "$WS" commit -qm dir
	"$BAWN" create --name cow --workspace cow shell >/dev/null
	run "$BAWN" run cow -- sh -c 'git mv dir dir2 && echo GIT-MOVED; git mv dir/f dir/g && echo FILE-MOVED; mv dir dir3 && echo MOVED'
	assert_output 'renaming a directory'
	assert_output FILE-MOVED
	assert_output MOVED
	refute_output GIT-MOVED
	run "$BAWN" run cow -- true
	refute_output 'renaming a directory'
}

@test "cow: the patch is what git apply takes, and gives the same tree" {
	repo
	printf 'a\0b' >"$WS/binary"
	git -C "$WS" add binary && git -C "$WS" commit -qm binary
	cow
	in_cow 'sed -i s/7/seven/ src/numbers; printf "c\0d" >binary; rm keep; ln -s src/numbers l
		printf "no newline" >nn; : >empty; chmod 755 src/numbers; mkdir "odd dir"; echo o >"odd dir/na	me"; echo "ü" >"ü"'
	in_cow 'tar -C "$PWD" --exclude=./.git --exclude=./.env -cf - .' >"$T/inside.tar"
	"$BAWN" diff cow >"$T/patch"
	git clone -q "$WS" "$T/copy"
	git -C "$T/copy" apply --check "$T/patch"
	git -C "$T/copy" apply "$T/patch"
	mkdir "$T/inside"
	tar -C "$T/inside" -xf "$T/inside.tar"
	rm -rf "$T/copy/.git"
	diff <(tree_of "$T/inside" | grep -v '^ d') <(tree_of "$T/copy" | grep -v '^ d')
}

@test "cow: apply lands all or a part, what the host changed meanwhile is not overwritten" {
	repo
	cow
	in_cow 'echo one >one; echo two >two; echo mine >>keep'
	run -0 "$BAWN" apply --dry-run cow
	[ ! -e "$WS/one" ]
	run -0 "$BAWN" apply cow one
	[ "$(cat "$WS/one")" = one ]
	[ ! -e "$WS/two" ]
	sleep 0.05
	echo theirs >>"$WS/keep"
	run "$BAWN" apply cow
	[ "$status" -ne 0 ]
	assert_output keep
	[ "$(cat "$WS/keep")" = $'keep\ntheirs' ]
	run -0 "$BAWN" apply --overwrite keep cow
	[ "$(cat "$WS/keep")" = $'keep\nmine' ]
	[ "$(cat "$WS/two")" = two ]
	[ -z "$("$BAWN" diff --name-only cow)" ]
	run -0 "$BAWN" apply cow
	# and the secret is what it was
	assert_untouched "$WS/.env"
}

@test "cow: discard, all or a part; not while it runs" {
	repo
	cow
	in_cow 'echo a >a; echo b >b; rm -r src; echo changed >keep'
	run -0 "$BAWN" discard cow src a
	[ "$(in_cow 'ls; wc -l <src/numbers; cat keep')" = $'README\nb\nkeep\nsrc\n20\nchanged' ]
	"$BAWN" exec -d cow sleep 30
	run "$BAWN" discard --all cow
	[ "$status" -ne 0 ]
	assert_output 'bawn stop cow'
	"$BAWN" stop cow
	run -0 "$BAWN" discard --all cow
	[ "$(in_cow 'ls; cat keep')" = $'README\nkeep\nsrc\nkeep' ]
}

@test "cow: a workspace that was moved is named, with what to do; its changes wait for it" {
	repo
	cow
	in_cow 'echo a >a'
	cd "$T" && mv "$WS" moved
	local c
	for c in 'diff cow' 'diff --stat cow' 'apply cow' 'discard --all cow' 'run cow'; do
		# shellcheck disable=SC2086  # words
		run -125 "$BAWN" $c
		assert_output "the workspace of sandbox cow: $WS: No such file or directory"
		assert_output 'put it back, or remove the sandbox: bawn rm cow'
	done
	mv moved "$WS"
	run -0 "$BAWN" apply cow
	[ "$(cat "$WS/a")" = a ]
}

@test "cow: apply while it runs lands, and does not land twice" {
	repo
	cow
	"$BAWN" run -d cow -- sh -c 'echo live >live; while :; do sleep 0.1; done' >/dev/null
	eventually sh -c "'$BAWN' diff --name-only cow | grep -qx live"
	run -0 "$BAWN" apply cow
	[ "$(cat "$WS/live")" = live ]
	[ -z "$("$BAWN" diff --name-only cow)" ]
	"$BAWN" exec cow sh -c 'echo more >>live'
	[ "$("$BAWN" diff --name-only cow)" = live ]
	[ "$(cat "$WS/live")" = live ]
}

@test "cow: apply asks about what the host would run, or needs --allow-exec" {
	repo
	cow
	in_cow 'mkdir .vscode; echo {} >.vscode/tasks.json; echo "echo hi" >.envrc; git config core.fsmonitor /tmp/x
		echo "#!/bin/sh" >.git/hooks/post-commit; chmod +x .git/hooks/post-commit; echo plain >plain'
	run "$BAWN" apply cow
	[ "$status" -ne 0 ]
	for f in .vscode .envrc .git/config .git/hooks/post-commit; do
		grep -q "runs code  $f" <<<"$output" || fail "not named: $f" || return 1
	done
	[ ! -e "$WS/plain" ]
	run "$BAWN" apply --rest cow
	[ "$(cat "$WS/plain")" = plain ]
	for f in .envrc .vscode/tasks.json .git/hooks/post-commit; do
		[ ! -e "$WS/$f" ] || fail "landed: $f" || return 1
	done
	run git -C "$WS" config core.fsmonitor
	assert_status 1
	run -0 "$BAWN" apply --allow-exec .envrc cow .envrc
	[ "$(cat "$WS/.envrc")" = 'echo hi' ]
	# a question on a terminal: no is the answer that nobody gives
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" expect='?' 'send=n\r' eof -- "$BAWN" apply cow
	[ "$status" -ne 0 ]
	[ ! -e "$WS/.vscode/tasks.json" ]
	# nor is it asked for ever: Ctrl-C ends it
	run timeout 10 /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" expect='?' 'send=\x03' eof -- "$BAWN" apply cow
	assert_status 130
	[ ! -e "$WS/.vscode/tasks.json" ]
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" expect='?' 'send=y\r' eof -- "$BAWN" apply cow
	[ -e "$WS/.vscode/tasks.json" ]
}

@test "cow: of a linked work tree, with commits that stay inside" {
	git_repo "$HOME/main"
	git -C "$HOME/main" worktree add -q "$HOME/tree" -b side
	cd "$HOME/tree"
	local head
	head=$(git -C "$HOME/main" rev-parse side)
	"$BAWN" create --name cow --workspace cow shell >/dev/null
	run in_cow 'echo x >x; git add x; git -c user.name=a -c user.email=a@example.com commit -qm inside && git log --oneline | wc -l'
	assert_output 2
	[ "$(git -C "$HOME/main" rev-parse side)" = "$head" ]
	[ "$(in_cow 'git log --oneline | wc -l')" = 2 ]
}

@test "cow with --rm: nothing lands, nothing is left, and it is said" {
	repo
	tree_of "$WS" >"$T/before"
	run "$BAWN" run --rm --workspace cow shell -- sh -c 'echo x >x; rm -rf src'
	assert_status 0
	assert_output 'goes with the sandbox'
	diff "$T/before" <(tree_of "$WS")
	[ -z "$("$BAWN" ls -q)" ]
}

@test "direct: new files that the host runs unasked are moved aside, others and old ones stay" {
	repo
	mkdir "$WS/.idea"
	echo old >"$WS/.idea/workspace.xml"
	git -C "$WS" add -f .idea && git -C "$WS" commit -qm idea
	run "$BAWN" run --name dir shell -- sh -c 'echo "touch /tmp/x" >.envrc; mkdir .vscode; echo {} >.vscode/tasks.json
		echo "all:" >Makefile; echo plain >plain; mkdir sub; echo e >sub/.envrc; ln -sf ../../x .git/COMMIT_EDITMSG'
	assert_status 0
	assert_output 'moved out of the workspace'
	for f in .envrc .vscode/tasks.json sub/.envrc .git/COMMIT_EDITMSG; do
		[ ! -e "$WS/$f" ] && [ ! -L "$WS/$f" ] || fail "still there: $f" || return 1
		grep -q "  $f is now " <<<"$output" || fail "not told: $f" || return 1
	done
	for f in Makefile plain .idea/workspace.xml; do
		[ -e "$WS/$f" ] || fail "gone: $f" || return 1
	done
	# where it says, and back by mv
	local to
	to=$(sed -n 's/^  \.envrc is now //p' <<<"$output")
	[ "$(cat "$to")" = 'touch /tmp/x' ]
	mv "$to" "$WS/.envrc"
	run "$BAWN" run --name dir shell -- sh -c 'echo y >y'
	[ -e "$WS/.envrc" ]
	refute_output 'moved out'
	grep -q '"event":"aside"' "$AUDIT"
	# by the user's word they stay
	rmdir "$WS/.vscode"
	run "$BAWN" run --name dir --allow-exec .vscode --allow-exec 'sub/*' shell -- sh -c 'mkdir .vscode; echo {} >.vscode/tasks.json; echo e >sub/.envrc; mkdir a; echo e >a/.envrc'
	[ -e "$WS/.vscode/tasks.json" ]
	[ -e "$WS/sub/.envrc" ]
	[ ! -e "$WS/a/.envrc" ]
	# and with --rm they are named, as there is no place for them
	run "$BAWN" run --rm shell -- sh -c 'mkdir b; echo e >b/.envrc'
	assert_output 'b/.envrc'
	[ -e "$WS/b/.envrc" ]
}

@test "direct: older files under a name that the host runs are moved aside, too" {
	repo
	mkdir -p "$WS/dir/inner"
	for f in one two dir/inner/tasks.json; do echo old >"$WS/$f"; done
	sleep 0.1
	run "$BAWN" run --name dir shell -- sh -c 'mv one .envrc; mkdir s; ln two s/.envrc; mv dir/inner dir/.vscode; echo plain >plain'
	assert_status 0
	for f in .envrc s/.envrc dir/.vscode/tasks.json; do
		[ ! -e "$WS/$f" ] || fail "still there: $f" || return 1
	done
	[ -e "$WS/two" ]
	# what an earlier session made
	run "$BAWN" run --name dir shell -- sh -c 'mv plain .envrc'
	[ ! -e "$WS/.envrc" ] || fail "$output"
}

@test "direct: bawn diff shows what changed since the start" {
	repo
	"$BAWN" run --name dir shell -- sh -c 'sed -i s/7/seven/ src/numbers; echo new >new; rm keep'
	run -0 "$BAWN" diff dir
	assert_output '+seven'
	assert_output 'b/new'
	assert_output 'a/keep'
	run -0 "$BAWN" diff --stat dir
	assert_output src/numbers
	"$BAWN" run --name dir shell -- true
	[ -z "$("$BAWN" diff --name-only dir)" ]
	run "$BAWN" apply dir
	[ "$status" -ne 0 ]
	assert_output 'is there already'
}
