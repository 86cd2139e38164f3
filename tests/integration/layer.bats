#!/usr/bin/env bats
# layer.bats - bawn-layer: what a tar becomes, and that it comes out again byte for byte.
# shellcheck disable=SC2119,SC2120  # options that most calls leave out
bats_require_minimum_version 1.5.0
load ../lib.sh
load layer.sh
setup() { layer_setup; }
teardown() { bawn_teardown; }

@test "layer: what GNU tar writes is read, and written again byte for byte" {
	local format z
	mkdir -p src/d/e
	echo hi >src/d/f
	ln src/d/f src/d/g
	ln -s f src/d/s
	mkfifo src/d/p
	head -c 700000 /dev/urandom >src/big
	truncate -s 1M src/sparse
	printf x | dd of=src/sparse bs=1 seek=500000 conv=notrunc status=none
	chmod 4755 src/d/f
	touch -d '2001-02-03 04:05:06.123456789' src/big src/d/e
	n=$(printf 'x%.0s' {1..200})
	mkdir "src/$n.d"
	echo m >"src/$n.d/$n"
	for format in gnu oldgnu pax "pax --sparse-version=0.0" "pax --sparse-version=0.1"; do
		# shellcheck disable=SC2086
		tar -S --format=$format -C src -cf t.tar .
		gzip -kf t.tar
		zstd -qf t.tar
		for z in t.tar t.tar.gz t.tar.zst; do
			read_layer <$z
			assert_status 0
			[[ "$output" == *"diff sha256:$(sha256sum <t.tar | cut -d' ' -f1)"* ]]
			[[ "$output" == *"blob sha256:$(sha256sum <$z | cut -d' ' -f1) $(stat -c %s $z) "* ]]
			cp t.tar "$T/read.tar"
			again
		done
		rm src/d/p # diff does not compare these
		[ -p "$T/l/fs/d/p" ] && rm "$T/l/fs/d/p"
		diff -r --no-dereference src "$T/l/fs"
		mkfifo src/d/p
		[ "$T/l/fs/d/f" -ef "$T/l/fs/d/g" ]
		[ "$(stat -c %b "$T/l/fs/sparse")" -lt 100 ]
		[ "$(stat -c %a "$T/l/fs/d/f")" = 755 ]
		[ "$(xattr "$T/l/fs/d/f" user.bawn.mode)" = 4755 ]
		[[ "$format" != pax* ]] || [ "$(stat -c %y "$T/l/fs/big")" = "$(stat -c %y src/big)" ]
	done
}

@test "layer: index says where in an archive its files are" {
	local z where offset size
	echo '[{"Config":"c.json"}]' >manifest.json
	head -c 300000 /dev/urandom >layer.tar
	ln -s layer.tar link.tar
	mkdir blobs
	tar -cf a.tar manifest.json layer.tar link.tar blobs
	gzip -k a.tar
	zstd -q a.tar
	for z in a.tar a.tar.gz a.tar.zst; do
		: >spool
		run "$LAYER" index <$z 3<>spool
		assert_status 0
		[ "${lines[2]}" = $'link link.tar\tlayer.tar' ] && [ "${lines[3]}" = "dir blobs" ]
		where=spool
		[ $z != a.tar ] || where=a.tar
		[ "${lines[4]}" = "in $([ $where = spool ] && echo 3 || echo 0)" ]
		cmp $where a.tar
		read -r _ offset size _ <<<"${lines[1]}"
		tail -c +$((offset + 1)) $where | head -c "$size" | cmp - layer.tar
	done
	run "$LAYER" index < <(cat a.tar) 3<>spool
	[ "${lines[4]}" = "in 3" ]
	head -c 200000 a.tar >cut.tar
	run "$LAYER" index <cut.tar 3<>spool
	refuted "the archive ends in the middle"
}

# upper NAME: a directory like an overlay's upper one
upper() {
	mkdir -p "$T/$1/d" "$T/$1/cut"
	cd "$T/$1" || return
}

opaque() {
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.overlay.opaque", b"y")' "$1"
}

# pack_layer MODE OWNERS DIR...: as a tar, $T/p.tar
pack_layer() {
	local mode=$1 owners=$2
	shift 2
	run bash -c '"$0" pack "$1" "$2" 4<"$3" 5<"${4:-/dev/null}" 3>"$5" <"$6" >"$7"; s=$?; cat "$5"; exit $s' \
		"$LAYER" "$mode" "$owners" "$1" "${2:-}" "$T/p.res" "${EXCLUDE:-/dev/null}" "$T/p.tar"
}

@test "layer: upper directories are packed as overlayfs merges them" {
	upper top
	echo new >both
	mknod gone c 0 0
	mknod d/gone c 0 0
	echo x >d/x
	echo only >cut/new
	opaque cut
	mkdir over
	echo 1 >over/1
	ln over/1 over/link
	ln -s nowhere sym
	mkfifo pipe
	touch -d '2001-02-03 04:05:06.5' both
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
	echo evil >.wh.evil
	mkdir shut
	echo in >shut/f
	chmod 0 shut/f shut
	upper low
	echo old >both
	echo old >gone
	echo low >d/low
	echo y >d/x
	echo old >cut/old
	echo file >over
	pack_layer layer 1000:1000,5:6 "$T/top" "$T/low"
	assert_status 0
	assert_output "skipped 2"
	assert_output "note sock: left out, as it is a socket"
	assert_output "note .wh.evil: left out"
	tar -tf "$T/p.tar" | sort >"$T/names"
	diff "$T/names" - <<-END
		.wh.gone
		both
		cut/
		cut/.wh..wh..opq
		cut/new
		d/
		d/.wh.gone
		d/low
		d/x
		over/
		over/.wh..wh..opq
		over/1
		over/link
		pipe
		shut/
		shut/f
		sym
	END
	[ "$(stat -c %a "$T/top/shut")" = 0 ] # as before
	tar -tvf "$T/p.tar" --numeric-owner >"$T/list"
	grep -q '^-rw-r--r-- 1000/1000 .* both$' "$T/list"
	grep -q '^-rw-r--r-- 5/6 .* d/low$' "$T/list"
	grep -q '^---------- 1000/1000 .* shut/f$' "$T/list"
	grep -q '^hrw-r--r-- .* over/link link to over/1$' "$T/list"
	read_layer <"$T/p.tar"
	assert_status 0
	again
	[ "$(stat -c %y "$T/l/fs/both")" = "$(stat -c %y "$T/top/both")" ]
	is_whiteout "$T/l/fs/gone" && is_opaque "$T/l/fs/cut" && is_opaque "$T/l/fs/over"
	pack_layer squash 0:0 "$T/top" "$T/low"
	assert_status 0
	run ! grep -q '\.wh\.' <(tar -tf "$T/p.tar")
	# names to leave out, with what is below them
	printf '%s\0' d both shut/f cut/new >"$T/exclude"
	EXCLUDE=$T/exclude pack_layer layer 0:0 "$T/top" "$T/low"
	assert_status 0
	run ! grep -qE '^(d/|both|shut/f|cut/new)' <(tar -tf "$T/p.tar")
	tar -tf "$T/p.tar" | grep -qx 'shut/'
	chmod 700 "$T/top/shut"
}

@test "layer: a finished upper is adopted as it stands" {
	upper u/fs
	echo text >f
	chmod 4755 f
	ln f link
	echo ro >ro
	chmod 444 ro
	echo none >none
	chmod 0 none
	mknod gone c 0 0
	opaque cut
	chmod 2500 d
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
	cd "$T"
	local before
	before=$(stat -c '%i %y' u/fs/f)
	run "$LAYER" adopt 1000:1001 3<u
	assert_status 0
	assert_output "skipped 1"
	[ "$(stat -c '%i %y' u/fs/f)" = "$before" ]
	[ "$(stat -c %a u/fs/f u/fs/ro u/fs/none u/fs/d | xargs)" = "755 444 400 700" ]
	[ "$(xattr u/fs/f user.bawn.mode)" = 4755 ] && [ "$(xattr u/fs/d user.bawn.mode)" = 2500 ]
	[ "$(xattr u/fs/ro user.rootlesscontainers | od -An -tx1)" = " 08 e8 07 10 e9 07" ]
	[ ! -e u/fs/sock ]
	"$LAYER" write none 3<u 4>res >a.tar
	[ "$(head -n 2 res)" = "$(head -n 2 <<<"$output")" ]
	[ "$(sha256sum <a.tar | cut -d' ' -f1)" = "$(sed -n 's/^diff sha256://p' res)" ]
	tar -tvf a.tar --numeric-owner >list
	grep -q '^-rwsr-xr-x 1000/1001 .* f$' list
	grep -q '^---------- 1000/1001 .* none$' list
	grep -q '^dr-x--S--- 1000/1001 .* d/$' list
	# read again it is the same layer
	read_layer <a.tar
	assert_status 0
	is_whiteout "$T/l/fs/gone"
	rm u/fs/gone l/fs/gone
	diff -r --no-dereference u/fs l/fs
	run "$LAYER" adopt 3<u
	[ "$status" = 1 ] # it has a frame
}

@test "layer: what a tar does not list of its directories is as in the layers below" {
	mktar <<-END | tee t.tar >/dev/null
		dir tmp mode=1777 mtime=5
		dir home mode=755
		dir home/agent mode=700 uid=1000 gid=1000 pax.SCHILY.xattr.user.a=b
	END
	read_layer <t.tar
	assert_status 0
	mv "$T/l" "$T/below"
	mkdir "$T/l"
	mktar <<-END >t.tar
		file tmp/x text=x
		file home/agent/.x text=y
		file .wh.usr
		file usr/new/f text=z
	END
	run "$LAYER" read 3<"$T/l" 4<"$T/below/fs" <t.tar
	assert_status 0
	cd "$T/l/fs"
	[ "$(stat -c %a tmp home/agent usr usr/new | xargs)" = "1777 700 755 755" ]
	[ "$(stat -c %Y tmp)" = 5 ]
	[ "$(xattr home/agent user.rootlesscontainers | od -An -tx1)" = " 08 e8 07 10 e8 07" ]
	[ "$(xattr home/agent user.a)" = b ]
	is_opaque usr
	cp "$WS/t.tar" "$T/read.tar"
	again
}

@test "layer: a damaged layer is an error, and says of what" {
	echo "file f size=5000" | mktar >t.tar
	read_layer <t.tar
	assert_status 0
	cp -a "$T/l" "$T/good"
	for what in 'rm fs/f' 'truncate -s 100 fs/f' 'truncate -s -1 frame' 'rm frame' ': >frame' \
		'rm fs/f; ln -s /etc/passwd fs/f' 'mv fs x; ln -s /etc fs' \
		'printf "x" | dd of=frame bs=1 seek=20 conv=notrunc status=none'; do
		rm -rf "$T/l"
		cp -a "$T/good" "$T/l"
		(cd "$T/l" && eval "$what")
		run bash -c '"$0" write none 3<"$1" 4>"$2"; s=$?; cat "$2"; exit $s' "$LAYER" "$T/l" "$T/res"
		case $what in
		printf*) [ "$status" = 1 ] || run ! cmp -s t.tar <("$LAYER" write none 3<"$T/l" 4>/dev/null) ;;
		*) [ "$status" = 1 ] && grep -q '^error ' "$T/res" || fail "$what" ;;
		esac
	done
	run "$LAYER" read foo=1 3<"$T/l" </dev/null
	assert_status 2
	run "$LAYER" nonsense
	assert_status 2
}
