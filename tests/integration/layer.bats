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
