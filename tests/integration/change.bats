#!/usr/bin/env bats
# change.bats - bawn diff, apply and discard on what a sandbox changed in a copy-on-write workspace.
bats_require_minimum_version 1.5.0
load ../lib.sh
setup() {
	bawn_setup
	BOX="$XDG_DATA_HOME/bawn/sandboxes/box"
}
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

# A sandbox at rest whose workspace is copy-on-write, as a start leaves it.
make_box() {
	"$BAWN" create --name box shell >/dev/null
	sed -i 's/^mode .*/mode cow/' "$BOX/spec"
	mkdir -p "$BOX/up/ws" "$BOX/work/ws"
	note_start
}

# A record of a start, of now.
note_start() {
	sleep 0.02
	python3 - "$BOX/changes" <<-'END'
		import struct, sys, time
		now = time.clock_gettime_ns(5) # CLOCK_REALTIME_COARSE
		open(sys.argv[1], "wb").write(struct.pack("<IIQIIQ", 1, 8, now, 4, 8, 0))
	END
	sleep 0.02
}

# inside SCRIPT: on the merged workspace, as the agent does it.
inside() {
	mkdir -p "$HOME/m"
	printf 'set -e\ncd "$1"\n%s\n' "$1" >"$HOME/inside.sh"
	unshare -Urm sh -c "mount -t overlay -o userxattr,lowerdir=$WS,upperdir=$BOX/up/ws,workdir=$BOX/work/ws o $HOME/m &&
		exec setpriv --no-new-privs bash $HOME/inside.sh $HOME/m"
}

@test "diff: a patch for git apply, --stat, --name-only, --json, PATH" {
	cd "$WS"
	git init -q . && echo one >a.txt && echo gone >b.txt && git add . && git -c user.name=A -c user.email=a@example.org commit -qm 1
	make_box
	inside 'echo two >>a.txt; rm b.txt; mkdir sub; echo new >sub/c; echo ignored >.gitignore; echo i >ignored'
	run --separate-stderr "$BAWN" diff box
	assert_status 0
	[ -z "$stderr" ]
	echo "$output" | git apply --check -
	"$BAWN" diff box | git apply -
	[ "$(cat a.txt)" = $'one\ntwo' ] && [ ! -e b.txt ] && [ "$(cat sub/c ignored)" = $'new\ni' ]
	git checkout -q . && git clean -qfdx
	run "$BAWN" diff --stat box
	assert_output 'a.txt      | 1 +'
	assert_output '5 changed, 4 lines added, 1 removed'
	run "$BAWN" diff --name-only box
	[ "$output" = $'.gitignore\na.txt\nb.txt\nignored\nsub/c' ] || fail "$output"
	mkdir -p sub && cd sub
	run "$BAWN" diff --name-only box . ../a.txt
	[ "$output" = $'a.txt\nsub/c' ] || fail "$output"
	run "$BAWN" diff --name-only box "$HOME"
	assert_status 125
	assert_output 'outside the workspace'
	"$BAWN" diff --json box | python3 -c '
import json, sys
d = {x["path"]: x for x in json.load(sys.stdin)}
assert d["a.txt"]["kind"] == "modified" and d["a.txt"]["added"] == 1, d
assert d["b.txt"]["kind"] == "deleted" and d["b.txt"]["old_mode"] == "0644", d'
}

@test "apply: dry run, then all; again is nothing; discard drops" {
	cd "$WS"
	echo one >a && echo keep >b
	make_box
	inside 'echo two >a; echo new >c; echo x >b'
	run "$BAWN" apply --dry-run box
	assert_status 0
	assert_output '3 would be landed, 0 not'
	[ "$(cat a)" = one ]
	run "$BAWN" discard box b
	assert_status 0
	assert_output '1 dropped'
	run "$BAWN" apply box
	assert_status 0
	assert_output '2 landed'
	[ "$(cat a b c)" = $'two\nkeep\nnew' ]
	[ -z "$(ls -A "$BOX/up/ws")" ]
	run "$BAWN" apply box
	assert_status 0
	assert_output 'nothing to land'
}

@test "apply: what the host changed meanwhile is in the way of everything, until told otherwise" {
	cd "$WS"
	echo one >a && echo one >b
	make_box
	inside 'echo two >a; echo two >b'
	echo host >a
	run "$BAWN" apply box
	assert_status 1
	assert_output 'nothing was landed'
	assert_output 'conflict   a: the host'
	assert_output '--overwrite PATH'
	[ "$(cat a b)" = $'host\none' ]
	run "$BAWN" apply --rest box
	assert_status 1
	[ "$(cat a b)" = $'host\ntwo' ]
	run "$BAWN" apply --overwrite a box
	assert_status 0
	[ "$(cat a)" = two ]
}

@test "PER-21 apply: the tripwire names what the host would run, asks on a terminal, needs --allow-exec without" {
	cd "$WS"
	git init -q . && git -c user.name=A -c user.email=a@example.org commit -q --allow-empty -m 1
	make_box
	inside 'printf "#!/bin/sh\ntouch $HOME/pwned\n" >.git/hooks/post-checkout; chmod +x .git/hooks/post-checkout
		echo "{}" >package.json; echo fine >fine; mkdir -p node_modules/a node_modules/b; echo 1 >node_modules/a/i.js
		echo 1 >node_modules/b/i.js; echo package.json >.git/info/exclude'
	run "$BAWN" apply box
	assert_status 1
	assert_output 'runs code  .git/hooks/post-checkout: git hook (PER-01), by itself'
	assert_output 'runs code  package.json: npm scripts (PER-15), when its tool is used'
	[ "$(grep -c node_modules <<<"$output")" = 1 ] || fail "$output"
	[ ! -e fine ]
	run "$BAWN" apply --rest --allow-exec package.json box
	assert_status 1
	[ -e fine ] && [ -e package.json ] && [ ! -e .git/hooks/post-checkout ] && [ ! -e node_modules/a/i.js ]
	# on a terminal: no is no, yes lands what was listed
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" 'expect=[y/N]' 'send=n\n' eof -- "$BAWN" apply box
	[ ! -e .git/hooks/post-checkout ]
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" 'expect=[y/N]' 'send=y\n' eof -- "$BAWN" apply box
	[ -e .git/hooks/post-checkout ] && [ -e node_modules/b/i.js ]
}

@test "PER-21 TERM-10 apply: there is no yes to what a flood keeps from being shown" {
	cd "$WS"
	git init -q . && git -c user.name=A -c user.email=a@example.org commit -q --allow-empty -m 1
	make_box
	# shellcheck disable=SC2016  # the shell inside takes it
	inside 'for i in $(seq 50); do mkdir "!$i"; echo x >"!$i/.envrc"; done; echo x >.git/hooks/post-checkout'
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" 'send=y\n' eof -- "$BAWN" apply box
	refute_output '[y/N]'
	assert_output 'nothing was landed'
	assert_output '... and 11 more'
	[ ! -e .git/hooks/post-checkout ] && [ ! -e '!1' ]
	run "$BAWN" apply --allow-exec . box
	assert_status 0
	[ -e .git/hooks/post-checkout ] && [ -e '!50/.envrc' ]
}

@test "FS-30 apply names what it lands that every user may write to" {
	cd "$WS"
	echo x >old; echo x >open; chmod 666 open; mkdir dir; ln -s old was
	make_box
	inside 'umask 0; echo y >new; chmod 777 old dir; echo y >>open; rm was; echo y >was; umask 022; echo y >plain; ln -s old link'
	for how in --dry-run --rest; do
		run "$BAWN" apply "$how" box
		assert_status 0
		assert_output 'writable by every user of this machine:'
		for f in new old dir was; do
			grep -qx "  $f" <<<"$output" || fail "$f is not named"
		done
		for f in open plain link; do
			if grep -qx "  $f" <<<"$output"; then fail "$f is named"; fi
		done
	done
}

@test "TERM-09 names and contents with escapes are shown written out" {
	cd "$WS"
	make_box
	inside $'echo $\'\\e]0;title\\a\' >$\'evil\\e[31m\\nname\''
	for how in --stat --name-only --json; do
		run "$BAWN" diff $how box
		[[ "$output" != *$'\e'* ]] || fail "$how"
	done
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" eof -- "$BAWN" diff box
	[[ "$output" != *$'\e]0;title'* ]] || fail "on the terminal"
	assert_output '+\x1b]0;title'
	assert_output 'evil\033[31m\nname'
	# into a pipe the patch is as it is
	"$BAWN" diff box | grep -q $'\e]0;title'
}

@test "diff, apply, discard: names that are none, a direct workspace, one that never ran, a running one" {
	cd "$WS"
	for c in diff apply discard; do
		run "$BAWN" "$c" nobody x
		assert_status 125
		assert_output 'nobody'
	done
	"$BAWN" create --name direct shell >/dev/null
	run "$BAWN" apply direct
	assert_status 125
	assert_output 'direct workspace'
	assert_output '--workspace cow'
	make_box
	rm -r "$BOX/up/ws" "$BOX/changes"
	run "$BAWN" apply box
	assert_status 0
	assert_output 'nothing to land'
	run "$BAWN" discard box
	assert_status 125
	assert_output 'paths or --all'
	run "$BAWN" diff --stat --json box
	assert_status 125
}

@test "apply and discard exclude each other, and leave a running sandbox's layer alone" {
	cd "$WS"
	echo 1 >a
	make_box
	inside 'echo 2 >a'
	exec 9<"$BOX"
	flock -x 9
	run "$BAWN" apply box
	assert_status 125
	assert_output 'another bawn apply'
	exec 9<&-
	exec 9<"$BOX/lock"
	flock -x 9
	run "$BAWN" discard box a
	assert_status 125
	assert_output 'bawn stop box'
	run "$BAWN" apply box
	assert_status 0
	[ "$(cat a)" = 2 ] && [ -e "$BOX/up/ws/a" ]
	exec 9<&-
}

@test "diff of a direct workspace: what changed since the start, old content from git" {
	cd "$WS"
	git init -q .
	printf 'one\ntwo\n' >a && echo gone >b && echo same >c && echo mine >dirty && ln -s a l && echo 1 >mode
	git add . && git -c user.name=A -c user.email=a@example.org commit -qm 1 && git gc -q
	echo untracked >u && echo before >u2 && echo uncommitted >>dirty
	# what could make git run something, were it asked in the workspace
	printf '[core]\n\tfsmonitor = touch %s/pwned\n\tpager = touch %s/pwned\n' "$HOME" "$HOME" >>.git/config
	"$BAWN" create --name box shell >/dev/null
	run "$BAWN" diff box
	assert_status 125
	assert_output 'not been started'
	cp .git/index "$BOX/index"
	note_start
	echo three >>a; rm b; touch c; echo new >n; echo more >>u; ln -sfn c l; chmod +x mode; rm u2
	mkdir sub; echo s >sub/s
	run --separate-stderr "$BAWN" diff box
	assert_status 0
	[[ "$stderr" == *'u: changed; what it was is not kept'* ]] || fail "$stderr"
	git stash list >/dev/null 2>&1 || true
	rm -f "$HOME/pwned"
	mkdir "$HOME/copy" && git archive HEAD | tar -x -C "$HOME/copy"
	(cd "$HOME/copy" && git init -q . && echo "$output" | git apply -)
	for f in a c n sub/s; do cmp "$f" "$HOME/copy/$f"; done
	[ ! -e "$HOME/copy/b" ] && [ -x "$HOME/copy/mode" ] && [ "$(readlink "$HOME/copy/l")" = c ]
	# untouched since the start, whatever git says of it
	[ "$(cat "$HOME/copy/dirty")" = mine ]
	run "$BAWN" diff --name-only box
	[ "$output" = $'a\nb\nl\nmode\nn\nsub/s\nu' ] || fail "$output"
	run "$BAWN" diff --stat box a
	assert_output 'a | 1 +'
	[ ! -e "$HOME/pwned" ]
}

@test "diff of a direct workspace without git, and with an index that is none" {
	cd "$WS"
	echo one >a
	"$BAWN" create --name box shell >/dev/null
	head -c 500 /dev/urandom >"$BOX/index"
	note_start
	echo new >b
	echo two >a
	run "$BAWN" diff box
	assert_status 0
	assert_output '+new'
	assert_output 'a: changed; what it was is not kept'
}
