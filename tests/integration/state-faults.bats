#!/usr/bin/env bats
# state-faults.bats - what happens to lasting sandboxes where their state can't be written or read: a
# disk without space or inodes, read-only, without extended attributes; a later version, garbage, trees
# that resist removal
load ../lib.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}


# on_tmpfs SIZE INODES SCRIPT: SCRIPT with its data directory on a small file system of its own, in
# namespaces where it can be resized; bawn itself has no privilege there.
on_tmpfs() {
	mkdir -p "$XDG_DATA_HOME"
	cat >"$T/outer" <<-OUTER
		set -u
		D=\$XDG_DATA_HOME
		mount -t tmpfs -o size=$1,nr_inodes=$2,mode=0700 none "\$D" || exit 77
		resize() { mount -o "remount,size=\$1,nr_inodes=\$2" "\$D"; }
		bawn() { timeout 20 setpriv --inh-caps=-all --ambient-caps=-all "$BAWN" "\$@"; }
		value() { bawn exec "\${1:-box}" sh -c 'cat ~/f' 2>/dev/null; }
		put() { bawn exec box sh -c "echo \$1 >~/f; mkdir -p ~/d/\$1"; }
		bad() { echo "BAD: \$*"; df "\$D"; df -i "\$D"; find "\$D" | head -40; cat "\$D/bawn/sandboxes/box/spec"; exit 1; }
		cd "$WS"
	OUTER
	printf '%s\n' "$3" >>"$T/outer"
	unshare --user --map-current-user --keep-caps --mount bash "$T/outer"
}

can_mount() { unshare --user --map-current-user --keep-caps --mount mount -t tmpfs none /mnt; }

# For each of the commands: with room for 0, 1, 2 ... more pages or inodes.
LITTLE='
state() {
	resize 64m 20000
	bawn rm -f --all >/dev/null 2>&1
	rm -rf "$D"/fill "$D"/n; mkdir "$D/n"
	bawn create --name box shell . >/dev/null || bad create
	put 1; bawn checkpoint box t0 >/dev/null 2>&1 || bad t0
	put 2
}
fill_pages() { # leave $1 pages
	head -c 200M /dev/zero >"$D/fill" 2>/dev/null
	truncate -s "-$(($1 * 4096))" "$D/fill"
}
fill_inodes() {
	local i
	resize 64m $(($(df --output=iused "$D" | tail -1) + $1))
}
after() {
	rm -f "$D/fill"; resize 64m 20000
	[ "$rc" != 124 ] || bad "$what: hangs"
	[ "$rc" = 0 ] || grep -q . out || bad "$what: fails silently ($rc)"
	case $what in
	restore) case $(value) in 2) [ "$rc" != 0 ] || bad "$what: said to be done" ;; 1) ;; *) bad "$what: $(value)" ;; esac ;;
	run) case $(value) in 2 | x) ;; *) bad "$what: $(value)" ;; esac ;;
	*) [ "$(value)" = 2 ] || bad "$what ($rc): $(value) $(cat out)" ;;
	esac
	[ "$what" != checkpoint ] || [ "$rc" != 0 ] || { put 7; bawn restore box t1 >/dev/null 2>&1; [ "$(value)" = 2 ] || bad "$what: it is not there"; }
	[ "$what" != fork ] || [ "$rc" != 0 ] || [ "$(value new)" = 2 ] || bad "$what: it is not there"
	bawn restore box t0 >/dev/null 2>&1 || bad "$what: no restore afterwards"
	[ "$(value)" = 1 ] || bad "$what: t0 is not there"
	bawn rm -f --all >/dev/null || bad "$what: rm afterwards"
	bawn run --rm shell . -- true || bad "$what: run afterwards"
	[ -z "$(find "$D/bawn/layers" "$D/bawn/sandboxes" -mindepth 1 -maxdepth 1 ! -name .lock)" ] || bad "$what: leftovers"
}
walk() { # FILL
	for left in $LEFT; do
		for what in checkpoint fork restore run live; do
			state
			[ $what != live ] || bawn exec -d box sleep 100 >/dev/null
			"$1" $left
			rc=0
			case $what in
			checkpoint) bawn checkpoint box t1 ;;
			fork) bawn fork box new ;;
			restore) bawn restore box t0 ;;
			run) bawn run box -- sh -c "echo x >~/g && mv ~/g ~/f" ;;
			live) bawn checkpoint box t1 ;;
			esac >out 2>&1 || rc=$?
			failed=$((${failed:-0} + (rc != 0)))
			[ $what != live ] || { rm -f "$D/fill"; resize 64m 20000; bawn stop --time 0 box >/dev/null || bad "stop"; }
			after
		done
	done
	echo "done, $failed failed"
}'

@test "a full disk in the middle of checkpoint, fork, restore and run: the old state or the new" {
	need can_mount -- "a tmpfs in a user namespace"
	run on_tmpfs 64m 20000 "LEFT='0 1 2 3 4 6'; $LITTLE; walk fill_pages"
	refute_output BAD
	assert_output "done, "
	refute_output "done, 0 failed"
}

@test "no inode left in the middle of them: the same" {
	need can_mount -- "a tmpfs in a user namespace"
	run on_tmpfs 64m 20000 "LEFT='0 1 2 3 5 7'; $LITTLE; walk fill_inodes"
	refute_output BAD
	assert_output "done, "
	refute_output "done, 0 failed"
}

@test "read-only state: every command says so, and nothing is lost" {
	need can_mount -- "a tmpfs in a user namespace"
	run on_tmpfs 64m 20000 '
		bawn create --name box shell . >/dev/null
		put 2
		bawn checkpoint box t0 >/dev/null 2>&1
		mount -o remount,ro "$D"
		for c in "create --name other shell ." "checkpoint box" "fork box new" "undo box" "restore box t0" "exec box true" "rm box" "ls" "run --rm shell . -- true"; do
			bawn $c >out 2>&1 && bad "$c: succeeds"
			grep -q "Read-only file system" out || bad "$c: $(cat out)"
		done
		mount -o remount,rw "$D"
		[ "$(value)" = 2 ] || bad lost
		echo fine'
	assert_output fine
	refute_output BAD
}

@test "a file system without extended attributes: said at once, with what to do; --rm needs none" {
	local c
	for c in "create --name box shell $WS" "run --name box shell $WS -- true"; do
		# shellcheck disable=SC2086  # words
		run "$DENY" fsetxattr=EOPNOTSUPP "$BAWN" $c
		assert_status 125
		assert_output "no extended attributes"
		assert_output XDG_DATA_HOME
	done
	run "$BAWN" ls -q
	[ -z "$output" ]
	run "$DENY" fsetxattr=EOPNOTSUPP "$BAWN" run --rm shell "$WS" -- true
	assert_status 0
}

@test "a home on an overlay, as in a container: said at once, with what to do; --rm works; doctor warns" {
	mkdir -p "$T/l" "$T/top" "$XDG_DATA_HOME"
	cat >"$T/outer" <<-'OUTER'
		mount -t tmpfs none "$T/top" && mkdir "$T/top/u" "$T/top/w" || exit 77
		mount -t overlay -o "userxattr,lowerdir=$T/l,upperdir=$T/top/u,workdir=$T/top/w" none "$XDG_DATA_HOME" || exit 77
		bawn() { timeout 20 setpriv --inh-caps=-all --ambient-caps=-all "$BAWN" "$@"; echo "= $?"; }
		bawn create --name box shell "$WS"
		bawn run shell "$WS" -- true
		bawn run --rm shell "$WS" -- echo works
		bawn doctor
		ls -A "$XDG_DATA_HOME/bawn/sandboxes"
	OUTER
	run env T="$T" unshare --user --map-current-user --keep-caps --mount bash "$T/outer"
	[ "$status" != 77 ] || skip "no overlay can be mounted here"
	[ "$(grep -c '^bawn: no sandbox can be kept in .*: that is an overlay' <<<"$output")" = 2 ]
	[ "$(grep -c '^bawn: set XDG_DATA_HOME .*bawn run --rm' <<<"$output")" = 2 ]
	[[ $output == *$'works\n= 0'* ]]
	assert_output "no sandbox that lasts can be kept in $XDG_DATA_HOME/bawn: that is an overlay"
	run grep '^box\|^shell' <<<"$output"
	[ -z "$output" ]
}

@test "a later version's sandbox: named, not touched; the others go on" {
	"$BAWN" create --name box shell "$WS"
	"$BAWN" create --name other shell "$WS"
	sed -i '1s/.*/bawn-sandbox 2/' "$XDG_DATA_HOME/bawn/sandboxes/box/spec"
	cp "$XDG_DATA_HOME/bawn/sandboxes/box/spec" "$T/spec"
	local c
	for c in "run box" "exec box true" "checkpoint box" "fork box new" "undo box" "restore box t" "checkpoints box" "checkpoints --rm t box"; do
		# shellcheck disable=SC2086  # words
		run "$BAWN" $c
		assert_status 125
		assert_output "later version"
	done
	run "$BAWN" ls
	assert_status 0
	assert_output broken
	run "$BAWN" exec other true
	assert_status 0
	cmp "$XDG_DATA_HOME/bawn/sandboxes/box/spec" "$T/spec"
	"$BAWN" rm -f box
	run "$BAWN" ls -q
	[ "$output" = other ]
}

@test "garbage for a spec, a tag, a pending layer: an error with the way out, no crash" {
	local i
	"$BAWN" create --name box shell "$WS"
	"$BAWN" exec box sh -c 'echo 1 >~/f'
	"$BAWN" checkpoint box t0
	cp "$XDG_DATA_HOME/bawn/sandboxes/box/spec" "$T/good"
	garbage() {
		for c in "exec box true" "checkpoint box" "fork box new" "restore box t0" "checkpoints box"; do
			# shellcheck disable=SC2086  # words
			run timeout 10 "$BAWN" $c
			[ "$status" -lt 126 ] || fail "$1: $c: $status"
			[ "$status" = 0 ] || [ -n "$output" ] || fail "$1: $c says nothing"
		done
		run "$BAWN" ls
		assert_status 0
	}
	for i in 0 1 20 100; do
		head -c $i "$T/good" >"$XDG_DATA_HOME/bawn/sandboxes/box/spec"
		garbage "cut at $i"
	done
	head -c 4096 /dev/urandom >"$XDG_DATA_HOME/bawn/sandboxes/box/spec"
	garbage noise
	for line in 'tag ../../../etc 1 - 0000000000000000' 'tag x y z' 'tag x 1 - ../../escape' 'layer ../../../../etc' \
		'layer /etc' 'pending ../../x' 'pending 0123456789abcdef' 'base nowhere' 'tag t9 1 -' "tag t8 99999999999999999999 - aaaaaaaaaaaaaaaa"; do
		{ cat "$T/good"; echo "$line"; } >"$XDG_DATA_HOME/bawn/sandboxes/box/spec"
		garbage "$line"
		[ -d "$XDG_DATA_HOME/bawn/layers" ]
	done
	cp "$T/good" "$XDG_DATA_HOME/bawn/sandboxes/box/spec"
	run "$BAWN" rm -f box
	assert_status 0
}

@test "trees that resist: 0000 at every level, 5000 deep, and all together are frozen, forked and removed" {
	"$BAWN" create --name box shell "$WS"
	"$BAWN" exec box python3 -c "
import os
os.chdir(os.path.expanduser('~')); os.mkdir('shut'); os.chdir('shut')
for i in range(5000):
    os.mkdir('d'); open('f','w').close(); os.chmod('f',0); os.chdir('d')
up = os.open('.', os.O_RDONLY)
for i in range(5000):
    os.chmod('.', 0o700); p = os.open('..', os.O_RDONLY); os.chmod('.', 0); os.fchdir(p); os.close(p)
os.chmod('.', 0)"
	run "$BAWN" checkpoint box t
	assert_status 0
	"$BAWN" fork box new
	run "$BAWN" exec new sh -c 'stat -c %a ~/shut; chmod 700 ~/shut; ls ~/shut'
	assert_output $'0\nd\nf'
	run timeout 60 "$BAWN" rm new box
	assert_status 0
	[ -z "$(find "$XDG_DATA_HOME/bawn/layers" -mindepth 1 -maxdepth 1 ! -name .lock)" ]
}
