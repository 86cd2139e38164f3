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
		xz -0kf t.tar
		bzip2 -1kf t.tar
		# as pzstd, eStargz and zstd:chunked write them: frames to be skipped, several members
		{
			printf '\x5a\x2a\x4d\x18\x04\0\0\0abcd'
			head -c 5000 t.tar | zstd -q
			printf '\x50\x2a\x4d\x18\x02\0\0\0ab'
			tail -c +5001 t.tar | zstd -q
			printf '\x50\x2a\x4d\x18\x04\0\0\0abcd'
		} >t.pieces.zst
		{
			head -c 5000 t.tar | gzip -n
			tail -c +5001 t.tar | gzip
			: | gzip -n
		} >t.pieces.gz
		for z in t.tar t.tar.gz t.tar.zst t.tar.xz t.tar.bz2 t.pieces.zst t.pieces.gz; do
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
	xz -0k a.tar
	bzip2 -k a.tar
	{
		printf '\x50\x2a\x4d\x18\x04\0\0\0abcd'
		cat a.tar.zst
	} >a.skip.zst
	for z in a.tar a.tar.gz a.tar.zst a.tar.xz a.tar.bz2 a.skip.zst; do
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
	grep -q '^hrwsr-xr-x 1000/1001 .* link link to f$' list
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

# Two trees, file by file: kinds, modes, owners, times, contents, links.
compare_trees() {
	python3 - "$@" <<-'END'
		import hashlib, os, stat, sys
		def tree(top):
		    out, inodes = {}, {}
		    for where, dirs, files in os.walk(top):
		        for name in dirs + files:
		            path = os.path.join(where, name)
		            rel, st = os.path.relpath(path, top), os.lstat(path)
		            get = lambda a: os.getxattr(path, a) if not os.path.islink(path) and a in os.listxattr(path) else b""
		            mode = stat.S_IMODE(st.st_mode)
		            if get("user.bawn.mode"):
		                mode = int(get("user.bawn.mode"), 8)
		            # umoci says of an id that is root's that it is nobody's
		            owner = get("user.rootlesscontainers").replace(b"\x08\xff\xff\xff\xff\x0f", b"")
		            what = [stat.S_IFMT(st.st_mode), 0 if stat.S_ISLNK(st.st_mode) else mode, owner]
		            if not stat.S_ISDIR(st.st_mode):
		                inodes.setdefault(st.st_ino, set()).add(rel)
		            if stat.S_ISREG(st.st_mode):
		                what += [hashlib.sha256(open(path, "rb").read()).hexdigest(), int(st.st_mtime)]
		            if stat.S_ISLNK(st.st_mode):
		                what += [os.readlink(path)]
		            out[rel] = what
		    return out, sorted(sorted(s) for s in inodes.values() if len(s) > 1)
		(a, al), (b, bl) = tree(sys.argv[1]), tree(sys.argv[2])
		for k in sorted(set(a) | set(b)):
		    if a.get(k) != b.get(k):
		        print(k, a.get(k), b.get(k))
		if al != bl:
		    print("links", al, bl)
		sys.exit(a != b or al != bl)
	END
}

@test "layer: a stack of layers is what umoci makes of it" {
	need command -v umoci
	local i
	mktar <<-END >1.tar
		dir etc
		file etc/passwd text=root uid=0
		file etc/shadow text=secret mode=640 gid=42
		dir home
		dir home/agent mode=700 uid=1000 gid=1000
		file home/agent/x text=x uid=1000 gid=1000
		dir opt
		file opt/a text=a
		hard opt/b link=opt/a
		dir usr
		dir usr/lib
		sym lib link=usr/lib
		file usr/lib/so text=elf mode=4755
		dir gone
		file gone/f text=f
		dir swap
		file swap/f text=f
		file file text=file
		dir opq
		file opq/old text=old
		dir re
		file re/f text=1
	END
	mktar <<-END >2.tar
		file .wh.gone
		file swap text=file
		dir file
		file file/in text=in
		dir opq mode=750
		file opq/.wh..wh..opq
		file opq/new text=new uid=7 gid=8
		file opt/.wh.a
		file .wh.re
		dir home
		dir home/agent mode=700 uid=1000 gid=1000
		file home/agent/x text=y uid=1000 gid=1000
	END
	mktar <<-END >3.tar
		dir re
		file re/g text=2
		dir gone
		file etc/passwd text=changed
		sym swap link=file/in
		file opt/b text=mine
		hard opt/c link=opt/b
		fifo pipe mode=644
	END
	umoci init --layout img
	umoci new --image img:t
	for i in 1 2 3; do
		umoci raw add-layer --image img:t $i.tar
		mkdir $i
		"$LAYER" read 3<$i <$i.tar >/dev/null
	done
	umoci unpack --rootless --image img:t bundle >/dev/null 2>&1
	"$LAYER" pack squash 0:0 4<3/fs 5<2/fs 6<1/fs 3>res </dev/null >all.tar || fail "$(cat res)"
	read_layer <all.tar
	assert_status 0
	compare_trees bundle/rootfs "$T/l/fs"
	# and as one layer over the first
	"$LAYER" pack layer 0:0 4<3/fs 5<2/fs 3>res </dev/null >23.tar
	umoci new --image img:u
	umoci raw add-layer --image img:u 1.tar
	umoci raw add-layer --image img:u 23.tar
	umoci unpack --rootless --image img:u bundle2 >/dev/null 2>&1
	compare_trees bundle2/rootfs "$T/l/fs"
}

# The links, FIFOs and devices of tars read one on the other, as Python reads them.
owners_of_tars() {
	/usr/bin/python3 - "$@" <<-'END'
		import sys, tarfile
		tree = {}
		for tar in sys.argv[1:]:
		    seen = {}
		    for m in tarfile.open(tar):
		        name = m.name.rstrip("/").removeprefix("./")
		        where, _, base = name.rpartition("/")
		        where += "/" if where else ""
		        if base == ".wh..wh..opq":
		            tree = {k: v for k, v in tree.items() if not k.startswith(where)}
		        elif base.startswith(".wh."):
		            tree.pop(where + base[4:], None)
		        else:
		            kind = seen.get(m.linkname, tree.get(m.linkname, ("",)))[0] if m.islnk() else m.type.decode()
		            seen[name] = kind, m.uid, m.gid, "%o" % (m.mode & 0o7777 if kind != "2" else 0o777)
		    tree.update(seen)
		for name, what in sorted(tree.items()):
		    if what[0] in ("2", "3", "4", "6"):
		        print(*what, name)
	END
}

@test "layer: what layers become keeps the owners of links, FIFOs and devices" {
	cd "$T" || return
	local i long deep
	long=$(printf 'long%.0s' {1..40})
	deep=$(printf 'd%.0s' {1..90})/$(printf 'e%.0s' {1..90})
	mktar <<-END >1.tar
		dir usr uid=3 gid=4
		file usr/big size=3000001 uid=7 gid=8
		sym usr/link link=big uid=5 gid=6
		sym usr/$long link=$long uid=5 gid=3000000
		dir $deep
		fifo $deep/pipe uid=9 gid=10 mode=4620
		chr usr/null dev=1,3 uid=11 gid=12 mode=666
		blk usr/disk dev=8,0 uid=0 gid=6 mode=660
		sym usr/twice link=a uid=1 gid=1
		sym usr/twice link=b uid=2 gid=2
		sym usr/late link=a uid=1 gid=1
		file usr/late uid=2
		hard usr/link2 link=usr/link uid=5 gid=6
		sym usr/root link=a
		sym usr/below link=a uid=44 gid=44
		sym usr/gone link=a uid=44 gid=44
		sym usr/then link=a uid=44 gid=44
		sym opq/in link=a uid=44 gid=44
		sym usr/pax link=a pax.uid=123456 pax.gid=654321 pax.path=usr/of-pax
		file usr/sparse pax.GNU.sparse.major=1 pax.GNU.sparse.minor=0 pax.GNU.sparse.name=usr/holes pax.GNU.sparse.realsize=9000 text=1\n8000\n4\n$(printf '\\0%.0s' {1..503})abcd
		sym usr/last link=a uid=77 gid=78
	END
	mktar <<-END >2.tar
		sym usr/below link=b uid=55 gid=56
		file usr/.wh.gone
		sym usr/then link=a
		file opq/.wh..wh..opq
		sym opq/new link=x uid=66 gid=66
	END
	for i in 1 2; do
		mkdir "of$i"
		"$LAYER" read 3<"of$i" <$i.tar >/dev/null
	done
	mkdir top
	ln -s written top/written
	"$LAYER" pack squash 0:0 layers=2 4<top 5<of2 6<of1 3>res </dev/null >all.tar || fail "$(cat res)"
	owners_of_tars 1.tar 2.tar >want
	echo "2 0 0 777 written" >>want
	owners_of_tars all.tar >got
	diff <(sort want) <(sort got)
	[ "$(wc -l <got)" = 14 ] || fail "$(cat got)"
	# once more: of the one layer that it has become, and of no frame what it has
	mkdir of3
	"$LAYER" read 3<of3 <all.tar >/dev/null
	"$LAYER" pack squash 0:0 layers=1 4<of3 3>res </dev/null >again.tar || fail "$(cat res)"
	owners_of_tars again.tar | diff got -
	"$LAYER" pack squash 0:0 4<of3/fs 3>res </dev/null >without.tar || fail "$(cat res)"
	owners_of_tars without.tar >lost
	grep -qx "2 0 0 777 usr/last" lost
	# a frame that is damaged is no frame without owners
	cp of3/frame frame
	for i in 0 40 $(($(stat -c %s frame) / 2)) $(($(stat -c %s frame) - 1)); do
		head -c "$i" frame >of3/frame
		run "$LAYER" pack squash 0:0 layers=1 4<of3 3>res </dev/null
		[ "$status" = 1 ] || fail "$i bytes of it: $status"
		grep -q "^error .*frame" res || fail "$(cat res)"
	done
	run "$LAYER" pack squash 0:0 layers=2 4<of3 3>res </dev/null
	[ "$status" = 2 ]
}
