#!/usr/bin/env bats
# template-faults.bats - templates where the disk is full, read-only, damaged or of a later bawn, where
# commands are killed or come at once: the old store or the new one, and a message that says so.
bats_require_minimum_version 1.5.0
load ../lib.sh
setup() {
	bawn_setup
	STORE=$XDG_DATA_HOME/bawn/templates
}
teardown() { bawn_teardown; }

image() { /usr/bin/python3 "$BAWN_SRCDIR/tests/images.py" "$1" "$WS/$1.tar" "${@:2}"; }
template() { "$BAWN" template "$@"; }
nothing_half() {
	[ -z "$(ls -A "$STORE/tmp")" ]
	template verify -q
}

can_mount() { unshare --user --map-current-user --keep-caps --mount mount -t tmpfs none /mnt; }

# SCRIPT with its data directory on a small file system of its own, in namespaces where it can be
# resized; bawn itself has no privilege there.
on_tmpfs() {
	mkdir -p "$XDG_DATA_HOME"
	cat >"$T/outer" <<-OUTER
		set -u
		D=\$XDG_DATA_HOME
		mount -t tmpfs -o size=64m,nr_inodes=20000,mode=0700 none "\$D" || exit 77
		resize() { mount -o "remount,size=\$1,nr_inodes=\$2" "\$D"; }
		template() { timeout 20 setpriv --inh-caps=-all --ambient-caps=-all "$BAWN" template "\$@"; }
		bad() { echo "BAD: \$*"; df "\$D"; df -i "\$D"; find "\$D" | head -40; exit 1; }
		cd "$WS"
	OUTER
	printf '%s\n' "$1" >>"$T/outer"
	unshare --user --map-current-user --keep-caps --mount bash "$T/outer"
}

# With room for ever more pages or inodes, until there is enough.
FILLED='
state() { # of what counts
	(cd "$D/bawn/templates" && find images layers -mindepth 1 -maxdepth 1 | sort; cat tags)
}
attempt() { # WHAT IS LEFT, COMMAND...
	local left=$1 before rc=0
	shift
	before=$(state)
	"$@" >out 2>err || rc=$?
	rm -f "$D/fill"
	resize 64m 20000
	[ "$rc" != 124 ] || bad "$left left: $*: hangs"
	[ "$rc" = 0 ] || grep -q "^bawn: " err || bad "$left left: $*: fails silently ($rc)"
	[ "$rc" = 0 ] || [ "$before" = "$(state)" ] || bad "$left left: $*: half: $(diff <(echo "$before") <(state))"
	[ -z "$(ls "$D/bawn/templates/tmp")" ] || bad "$left left: $*: leftovers"
	template verify -q || bad "$left left: $*: verify"
	return "$rc"
}
fill_pages() {
	head -c 200M /dev/zero >"$D/fill" 2>/dev/null
	truncate -s "-$(($1 * 4096))" "$D/fill"
}
fill_inodes() { resize 64m $(($(df --output=iused "$D" | tail -1) + $1)); }
template load docker.tar >/dev/null || bad first
'

@test "a full disk in the middle of a load and of a tag: the old store or the new, and it is said" {
	need can_mount -- "a tmpfs in a user namespace"
	image docker small
	image large l:1
	run on_tmpfs "$FILLED"'
		for left in 0 1 3 6 40 3000 5200 8000; do
			fill_pages $left
			if attempt $left template load large.tar; then last=done; break; fi
			grep -q "No space" err || bad "$left: $(cat err)"
			last=$left
		done
		[ "$last" = done ] || bad "it never fits"
		for left in 0 1; do
			fill_pages $left
			attempt $left template tag small new$left || grep -q "No space" err || bad "$(cat err)"
		done
		echo fine'
	[ "$status" != 77 ] || skip "no tmpfs here"
	[[ $output == fine ]] || fail "$output"
}

@test "without inodes: the same" {
	need can_mount -- "a tmpfs in a user namespace"
	image docker small
	image oci o:1
	run on_tmpfs "$FILLED"'
		template rm small >/dev/null
		n=0
		for left in 0 1 2 3 4 6 8 11 14 18 22 26 60; do
			fill_inodes $left
			if attempt $left template load oci.tar; then last=done; break; fi
			n=$((n + 1))
		done
		[ "${last:-}" = done ] && [ "$n" -gt 5 ] || bad "not enough: $n"
		echo fine'
	[ "$status" != 77 ] || skip "no tmpfs here"
	[[ $output == fine ]] || fail "$output"
}

@test "a store that is read-only, belongs to another version or is damaged says so, by name" {
	image docker x
	template load "$WS/docker.tar"
	local id
	id=$(template ls -q)
	sed -i '1s/1/2/' "$STORE/images/$id/info"
	run -1 template inspect x
	[[ $output == *"a later version of bawn has written it"* ]]
	run -0 template ls
	[[ $output == *"damaged: "*"later version"* ]]
	run -125 template prune
	[[ $output == *"no layer is removed"* ]]
	[ "$(ls "$STORE/layers" | wc -l)" = 2 ]
	echo nonsense >"$STORE/images/$id/info"
	run -1 template inspect x
	[[ $output == *"is damaged"* && $output == *"bawn template rm ${id:0:12}"* ]]
	# loaded once more, it is whole again
	run -0 template load "$WS/docker.tar"
	run -0 template verify
	printf ' ' >>"$STORE/images/$id/config"
	run -1 template verify --quick
	run -0 template load "$WS/docker.tar"
	run -0 template verify
	[ -z "$(ls "$STORE/tmp")" ]
	echo nonsense >"$STORE/images/$id/info"
	# the way out that is named
	run -0 template rm "${id:0:12}"
	run -0 template load "$WS/docker.tar"
	printf 'half a' >>"$STORE/tags"
	run -125 template ls
	[[ $output == *"tags:2: it is cut short or no tag"* ]]
	run -125 template tag x y
	sed -i '$d' "$STORE/tags"
	chmod 500 "$STORE" "$STORE/tmp" "$STORE/images"
	run -125 template load "$WS/docker.tar"
	[[ $output == *"Permission denied"* ]]
	run -125 template tag x y
	run -0 template ls
	chmod 700 "$STORE" "$STORE/tmp" "$STORE/images"
	run -0 template verify
	chmod 777 "$STORE"
	run -125 template ls
	[[ $output == *"writable by others"* ]]
}

@test "a link or a file where a directory of the store is: refused, and nothing is written through it" {
	image docker x
	mkdir -p "$STORE" "$T/elsewhere"
	ln -s "$T/elsewhere" "$STORE/images"
	run -125 template load "$WS/docker.tar"
	rm "$STORE/images"
	ln -s "$T/elsewhere" "$STORE/tmp"
	run -125 template load "$WS/docker.tar"
	rm -rf "$STORE"
	ln -s "$T/elsewhere" "$STORE"
	run -125 template load "$WS/docker.tar"
	[[ $output == *"symbolic link"* ]]
	[ -z "$(ls -A "$T/elsewhere")" ]
	rm "$STORE"
	mkdir -m 700 "$STORE"
	: >"$STORE/layers"
	run -125 template load "$WS/docker.tar"
	[ -z "$(template ls -q)" ]
}

@test "two loads and removals at once: one of both orders, nothing half" {
	image several a:1 b:2
	image oci c:3
	local i pids=()
	for i in 1 2 3; do
		template load "$WS/several.tar" >"$T/out.$i" 2>&1 &
		pids+=($!)
		template load "$WS/oci.tar" >"$T/oci.$i" 2>&1 &
		pids+=($!)
		template rm c:3 >"$T/rm.$i" 2>&1 &
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	wait
	template load "$WS/oci.tar"
	run -0 template ls
	[[ $output == *a:1* && $output == *b:2* && $output == *c:3* ]]
	nothing_half
}

# A load that has read a part of the archive and waits for more; its pid is in $LOADING.
half_load() {
	rm -f "$T/pipe"
	mkfifo "$T/pipe"
	"$BAWN" template load - <"$T/pipe" &
	LOADING=$!
	exec 7>"$T/pipe"
	head -c 5000000 "$WS/large.tar" >&7
	local i
	for ((i = 0; i < 400; i++)); do
		[ -z "$(find "$STORE/tmp" -name plain -size +100k 2>/dev/null)" ] || return 0
		sleep 0.05
	done
	fail "it doesn't begin"
}

@test "TPL-18 a load that is killed leaves nothing that counts, and the next one removes it" {
	image large l:1
	half_load
	kill -9 "$LOADING"
	wait "$LOADING" || true
	exec 7>&-
	[ -z "$(template ls -q)" ]
	run -0 template verify
	run -0 template load "$WS/large.tar"
	nothing_half
	half_load
	kill -TERM "$LOADING"
	local ended=0
	wait "$LOADING" || ended=$? # here: a subshell has no such child
	[ "$ended" = 143 ] || fail "it ended with $ended"
	exec 7>&-
	run -0 template load "$WS/large.tar"
	nothing_half
}

@test "rm and prune wait for a load that is under way, and a load for nobody" {
	image large l:1
	image docker x
	template load "$WS/docker.tar"
	half_load
	run -0 timeout 20 "$BAWN" template load -t y "$WS/docker.tar"
	run -0 timeout 20 "$BAWN" template tag x z
	"$BAWN" template rm x >"$T/rm" 2>&1 7>&- &
	local rm=$! i
	for ((i = 0; i < 400; i++)); do
		! grep -q "waiting for others" "$T/rm" || break
		sleep 0.05
	done
	grep -q "waiting for others" "$T/rm"
	[[ $(template ls) == *"x:latest"* ]]
	tail -c +5000001 "$WS/large.tar" >&7
	exec 7>&-
	wait "$LOADING"
	wait "$rm"
	run -0 template ls
	[[ $output == *l:1* && $output != *"x:latest"* && $output == *"z:latest"* ]]
	nothing_half
}
