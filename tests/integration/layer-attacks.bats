#!/usr/bin/env bats
# layer-attacks.bats - bawn-layer: what odd and hostile tars become, and what they can't do.
# shellcheck disable=SC2119,SC2120  # options that most calls leave out
bats_require_minimum_version 1.5.0
load ../lib.sh
load layer.sh
setup() { layer_setup; }
teardown() { bawn_teardown; }

@test "TPL-01 absolute names and .. are refused" {
	local name
	for name in /etc/passwd ../up a/../../up a/.. ..; do
		echo "file $name text=x" | mktar >t.tar
		read_layer <t.tar
		refuted "the tar has "
	done
	[ ! -e "$T/up" ] && [ ! -e "$T/l/up" ]
}

@test "TPL-02 nothing is written through a symbolic link" {
	mkdir "$T/out"
	plant "$T/out/canary"
	mktar <<-END >t.tar
		sym a link=$T/out
		file a/canary text=no
	END
	read_layer <t.tar
	refuted "below a, which is a symbolic link"
	mktar <<-END >t.tar
		sym a link=$T/out/canary
		file a text=mine
		sym d link=$T/out
		dir d
		file d/canary text=mine
	END
	read_layer <t.tar
	assert_status 0
	[ "$(cat "$T/l/fs/a")" = mine ] && [ "$(cat "$T/l/fs/d/canary")" = mine ]
	[ "$(cat "$T/out/canary")" = "$CANARY" ]
	again
}

@test "TPL-03 a hard link is to an earlier entry of the same tar, or refused" {
	mkdir "$T/out"
	plant "$T/out/canary"
	local link
	for link in "$T/out/canary" ../out/canary /etc/shadow; do
		echo "hard a link=$link" | mktar >t.tar
		read_layer <t.tar
		refuted "the tar has "
	done
	mktar <<-END >t.tar
		sym up link=$T/out
		hard a link=up/canary
	END
	read_layer <t.tar
	refuted "hard link to up/canary, which is not in it before"
	for link in below later dir .wh.x x a; do
		mktar <<-END >t.tar
			dir dir
			file .wh.x
			hard a link=$link
			file later text=x
		END
		read_layer <t.tar
		if [ $link = a ]; then
			refuted "hard link to a, which is not in it before"
		else
			refuted "hard link to "
		fi
	done
	# to a symbolic link it is one to the link itself
	mktar <<-END >t.tar
		sym s link=$T/out/canary
		hard h link=./s
		file f text=x
		hard f link=f
	END
	read_layer <t.tar
	assert_status 0
	[ "$(readlink "$T/l/fs/h")" = "$T/out/canary" ] && [ "$(cat "$T/l/fs/f")" = x ]
	again
}

@test "TPL-05 whiteouts mean what lies below, never what the same layer has" {
	mktar <<-END >t.tar
		file .wh.gone
		file .wh.again
		file again text=new
		file before text=stays
		file .wh.before
		dir full
		file full/f text=x
		file .wh.full
		file .wh.empty
		dir empty
		file .wh.deep
		file deep/a/b text=x
		dir opq
		file opq/first text=x
		file opq/.wh..wh..opq
		file opq/later text=x
		file implied/.wh..wh..opq
		file implied/.wh.x
		hard .wh.linked link=.wh.gone
		sym .wh.sym link=x
		file .wh.big size=1000
		file .wh..wh.plnk text=aufs
		file .wh..wh.orph/x text=aufs
		file .wh.gone
	END
	read_layer <t.tar
	assert_status 0
	local f
	for f in gone linked sym big implied/x; do
		is_whiteout "$T/l/fs/$f" || fail "$f"
	done
	for f in full empty deep opq implied; do
		is_opaque "$T/l/fs/$f" || fail "$f"
	done
	[ "$(cat "$T/l/fs/again" "$T/l/fs/before")" = newstays ]
	[ -f "$T/l/fs/full/f" ] && [ -f "$T/l/fs/deep/a/b" ]
	[ -f "$T/l/fs/opq/first" ] && [ -f "$T/l/fs/opq/later" ]
	assert_output "skipped 2"
	assert_output "note .wh..wh.plnk: left out"
	[ -z "$(find "$T/l/fs" -name '.wh.*')" ]
	again
	for f in .wh. .wh.. .wh...; do
		echo "file a/$f" | mktar >t.tar
		read_layer <t.tar
		refuted "whiteout of nothing"
	done
	echo "file .wh.a/b" | mktar >t.tar
	read_layer <t.tar
	refuted "below a whiteout"
}

@test "TPL-06 devices, FIFOs, set-ID bits and capabilities are kept without having any effect" {
	mktar <<-END >t.tar
		chr tty dev=5,1 mode=620 gid=5
		blk sda dev=8,0
		fifo pipe mode=600
		file su mode=6755 text=x
		dir sg mode=2755
		dir sticky mode=1777
		file none mode=0 text=x
		dir shut mode=0
		file shut/in text=x uid=1000 gid=1000
		file cap text=x pax.SCHILY.xattr.security.capability=\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00
		file own text=x pax.SCHILY.xattr.user.mime=text/plain
		file evil text=x pax.SCHILY.xattr.user.overlay.redirect=/etc pax.SCHILY.xattr.user.bawn.mode=4777 pax.SCHILY.xattr.trusted.overlay.opaque=y
		dir evil2 pax.SCHILY.xattr.user.overlay.opaque=y pax.SCHILY.xattr.user.rootlesscontainers=x
	END
	read_layer <t.tar
	assert_status 0
	cd "$T/l/fs"
	[ "$(stat -c '%F %s' tty)" = "regular empty file 0" ]
	[ "$(xattr tty user.bawn.node)" = "c 5 1" ] && [ "$(xattr sda user.bawn.node)" = "b 8 0" ]
	[ -p pipe ] && [ "$(stat -c %a pipe)" = 600 ]
	[ "$(stat -c %a su sg sticky none shut | xargs)" = "755 755 1777 400 700" ]
	[ "$(xattr su user.bawn.mode)" = 6755 ] && [ "$(xattr none user.bawn.mode)" = 0 ]
	no_xattr sticky user.bawn.mode
	[ "$(xattr shut/in user.rootlesscontainers | od -An -tx1)" = " 08 e8 07 10 e8 07" ]
	[ "$(xattr cap user.bawn.xattr.security.capability | wc -c)" = 20 ]
	[ "$(xattr own user.mime)" = text/plain ]
	[ "$(xattr evil user.bawn.xattr.user.overlay.redirect)" = /etc ]
	no_xattr evil user.overlay.redirect
	no_xattr evil user.bawn.mode
	no_xattr evil2 user.overlay.opaque
	[ "$(xattr evil user.bawn.xattr.trusted.overlay.opaque)" = y ]
	cd "$WS"
	again
	# and all of it comes back where a tree is packed
	"$LAYER" pack squash 0:0 4<"$T/l/fs" 3>res </dev/null >p.tar || fail "$(cat res)"
	mv "$T/l" "$T/first"
	read_layer <p.tar
	assert_status 0
	cd "$T"
	python3 - <<-'END'
		import os
		for top, dirs, files in os.walk("first/fs"):
		    for name in [top] + [top + "/" + f for f in files]:
		        if not os.path.islink(name) and os.path.exists(name):
		            other = "l" + name[5:]
		            a, b = ({x: os.getxattr(n, x) for x in os.listxattr(n)} for n in (name, other))
		            assert a == b, (name, a, b)
		            assert os.stat(name).st_mode == os.stat(other).st_mode, name
	END
}

@test "TPL-07 what takes another's name in the same layer is the last one, whole" {
	mktar <<-END >t.tar
		file fd text=file
		dir fd
		file fd/in text=1
		dir df
		file df/in text=2
		file df text=file
		file fs text=3
		sym fs link=target
		sym sf link=target
		file sf text=4
		dir ds
		file ds/a/b text=5
		sym ds link=target
		file target text=untouched
		sym sd link=target
		dir sd
		file fh text=6
		hard fh link=target
		file twice text=first
		hard other link=twice
		file twice text=second
		fifo p
		file p text=7
		chr c dev=1,3
		dir c
		dir kept mtime=5
		file kept/x text=x
		dir kept mtime=7 mode=700
	END
	read_layer <t.tar
	assert_status 0
	cd "$T/l/fs"
	[ -d fd ] && is_opaque fd && [ "$(cat fd/in)" = 1 ]
	[ "$(cat df)" = file ]
	[ -L fs ] && [ -L ds ] && [ -d sd ] && [ ! -L sd ] && is_opaque sd
	[ "$(cat sf target fh twice other p)" = 4untoucheduntouchedsecondfirst7 ]
	[ fh -ef target ] && [ -d c ]
	[ -f kept/x ] && [ "$(stat -c '%a %Y' kept)" = "700 7" ]
	no_xattr kept user.overlay.opaque
	cd "$WS"
	again
}

@test "TPL-08 what a header claims is checked, and everything has a limit" {
	local claim
	# sizes, negative, huge, not a number
	for claim in 'field.size=-0000000001\x00' 'field.size=\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff' \
		'field.size=\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff' 'field.size=77777777777\x00' \
		'field.size=0000000009\x00' 'field.mode=zzzzzzz\x00' 'field.uid=\x80\x00\x00\x00\xff\xff\xff\xff' \
		'field.mtime=xyz' 'field.chksum=0000000\x00' 'pax.size=-1' 'pax.size=9223372036854775807' \
		'pax.size=99999999999999999999999' 'pax.uid=4294967295' 'pax.mtime=1e9' \
		'pax.GNU.sparse.major=1' 'pax.GNU.sparse.map=0,9999' 'pax.GNU.sparse.map=1' \
		'pax.GNU.sparse.offset=4' 'pax.GNU.sparse.size=99999999999999999999'; do
		echo "file f text=hello $claim" | mktar >t.tar
		read_layer <t.tar
		refuted "the tar is damaged at byte" || fail "$claim"
	done
	# records that lie about their length
	for claim in '99 path=x' '5 a=b' '0 a=b' '-1 a=b' '6 a=bb' '6 abcd' '12345678901234567890123 a=b' '6 =bcd'; do
		{
			printf 'raw pax kind=x text="%s\\n"\n' "$claim"
			echo "file f text=x"
		} | mktar >t.tar
		read_layer <t.tar
		refuted "the tar is damaged at byte" || fail "$claim"
	done
	# extended headers and long names that are too long, of nothing, or twice
	printf 'raw l kind=L size=1100000\nfile f\n' | mktar >t.tar
	read_layer <t.tar
	refuted "the tar is damaged"
	printf 'raw l kind=L size=5000\nfile f\n' | mktar >t.tar
	read_layer <t.tar
	refuted "the tar is damaged"
	printf 'raw l kind=L text=x\n' | mktar >t.tar
	read_layer <t.tar
	refuted "the tar is damaged"
	printf 'raw l kind=Z text=x\n' | mktar >t.tar
	read_layer <t.tar
	refuted "unknown kind"
	# a component that no file system takes, and directories in one another without end
	echo "file $(printf 'n%.0s' {1..256})" | mktar >t.tar
	read_layer <t.tar
	refuted "more than 255"
	echo "file $(printf 'd/%.0s' {1..600})f" | mktar >t.tar
	read_layer <t.tar
	refuted "too deep"
	printf 'file a\nfile b\nfile c\n' | mktar >t.tar
	read_layer entries=2 <t.tar
	refuted "more than 2 entries"
	# bombs: files, and files that only say so
	local z
	for z in gzip zstd "xz -9" bzip2; do
		# shellcheck disable=SC2086
		echo "file a size=50000" | mktar | $z -c >t.tar
		read_layer bytes=49999 <t.tar
		refuted "more than 49999 bytes"
		read_layer bytes=50000 <t.tar
		assert_status 0
	done
	# a window that would have to be held in memory
	echo "file a size=50000" | mktar | xz --lzma2=dict=512MiB -c >t.tar
	read_layer <t.tar
	refuted "xz stream wants too much memory"
	# a tar whose first name begins as a bzip2 file does
	echo "file BZh91AYSY" | mktar >t.tar
	read_layer <t.tar
	assert_status 0
	truncate -s 70G sparse
	tar -S -cf t.tar sparse
	read_layer <t.tar
	refuted "the files of the tar have more than"
	rm sparse
	# zeros without end behind the end
	head -c 3000000 /dev/zero >t.tar
	read_layer meta=2999999 <t.tar
	refuted "more than 2999999 bytes that are no file's content"
}

@test "TPL-08 truncated and corrupt streams are an error wherever they are cut" {
	local n z
	mktar <<-END >t.tar
		dir d
		file d/f size=3000
		file g text=x pax.mtime=1.5
		sym s link=x
	END
	gzip -kn t.tar
	zstd -q t.tar
	xz -k t.tar
	bzip2 -k t.tar
	for n in 1 511 513 1000 1600 4000 5000 5700 6300; do
		head -c $n t.tar >cut.tar
		read_layer <cut.tar
		refuted "the tar is damaged" || fail "$n"
	done
	for z in t.tar.gz t.tar.zst t.tar.xz t.tar.bz2; do
		for n in 5 12 60 $(($(stat -c %s $z) - 9)) $(($(stat -c %s $z) - 1)); do
			head -c "$n" $z >cut.tar
			read_layer <cut.tar
			refuted "" || fail "$z $n"
		done
		# one byte of the checksum at the end
		python3 - $z <<-'END'
			import sys
			b = bytearray(open(sys.argv[1], "rb").read())
			b[{"gz": -6, "st": -2, "xz": -16, "z2": -4}[sys.argv[1][-2:]]] ^= 1
			open("cut.tar", "wb").write(b)
		END
		read_layer <cut.tar
		refuted "stream is damaged" || fail "$z"
		(cat $z; echo rest) >cut.tar
		read_layer <cut.tar
		refuted "stream " || fail "$z with something behind it"
	done
	# several members are one stream
	for z in gzip zstd xz bzip2; do
		(head -c 1000 t.tar | $z -c; tail -c +1001 t.tar | $z -c) >t.packed
		read_layer <t.packed
		assert_status 0
	done
	: >cut.tar
	read_layer <cut.tar
	assert_status 0
	assert_output "entries 0"
	echo hello >cut.tar
	read_layer <cut.tar
	refuted "the tar is damaged"
}

@test "TPL-11 names are bytes: not UTF-8, not normalised, with newlines, twice" {
	mktar <<-END >t.tar
		file "a\xff\xfeb" text=1
		file "line\nbreak\x1b[31m" text=2
		file e\xcc\x81 text=nfd
		file \xc3\xa9 text=nfc
		file x pax.path=long/e\xcc\x81/\xff text=3
		sym l link=\xff\n
		dir ./a//b/./c/
		file .wh.\xfe\n
		file b\xff pax.SCHILY.xattr.user.\xff\n=v
	END
	read_layer <t.tar
	assert_status 0
	cd "$T/l/fs"
	[ "$(cat $'a\xff\xfeb' $'line\nbreak\e[31m' $'e\xcc\x81' $'\xc3\xa9' $'long/e\xcc\x81/\xff')" = 12nfdnfc3 ]
	[ "$(readlink l | od -An -tx1)" = " ff 0a 0a" ]
	[ -d a/b/c ]
	is_whiteout $'\xfe\n'
	cd "$WS"
	again
	printf 'file .wh..wh.\\x1b\\n\n' | mktar >t.tar
	read_layer <t.tar
	assert_output 'note .wh..wh.\x1b\x0a: left out'
	printf 'file f pax.path=a\\x00b\n' | mktar >t.tar
	read_layer <t.tar
	refuted "a name with a NUL"
	printf 'raw l kind=L text="a\\x00b\\x00"\nfile f\n' | mktar >t.tar
	read_layer <t.tar
	refuted "a name with a NUL"
	printf 'file ""\n' | mktar >t.tar
	read_layer <t.tar
	refuted "without a name"
}

# waits_confined FIFO: process $! waits at it, confined, and has read nothing yet
waits_confined() {
	local pid=$!
	exec 9<>"$1"
	eventually grep -q '^Seccomp:.*2' "/proc/$pid/status"
	grep -q '^NoNewPrivs:.*1' "/proc/$pid/status"
	[ "$(stat -c %U "/proc/$pid/environ")" = root ] # not dumpable
	kill $pid
	wait $pid || :
	exec 9>&-
}

@test "TPL bawn-layer confines itself before the first byte of a tar" {
	mkfifo stream
	"$LAYER" read 3<"$T/l" <stream >/dev/null &
	waits_confined stream
	[ -z "$(ls "$T/l")" ]
	"$LAYER" index 3<>spool <stream >/dev/null &
	waits_confined stream
	"$LAYER" pack layer 0:0 4<"$T/l" 3>/dev/null <stream >/dev/null &
	waits_confined stream
}
