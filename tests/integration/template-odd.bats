#!/usr/bin/env bats
# template-odd.bats - images as podman saves them that are not made for agents: another User, no accounts, no
# shell, no bash, a relative WorkingDir, uid 1000 by another name, HOME in Env, an Entrypoint alone.
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../templates.sh
setup() {
	bawn_setup
	need command -v podman -- podman
}
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	# what podman leaves behind, to keep its user namespace
	local pause
	pause=$(find "$T" -name pause.pid -path '*libpod*' -exec cat {} + 2>/dev/null)
	[ -z "$pause" ] || kill "$pause" 2>/dev/null
	chmod -R u+rwX "$T/pod" 2>/dev/null
	bawn_teardown
}

pod() {
	podman --root "$T/pod" --runroot "$T/podrun" --storage-driver vfs \
		--storage-opt vfs.ignore_chown_errors=true --cgroup-manager cgroupfs "$@"
}

# A small system in $LAYER, to be changed; bash is sh's name there, too.
system() {
	LAYER=$T/root
	[ -d "$LAYER" ] || template_debian
}

# image NAME [CHANGE...]: what is in $LAYER, as podman imports and saves it, loaded as localhost/NAME
image() {
	local name=$1 changes=()
	shift
	for x; do changes+=(--change "$x"); done
	tar -C "$LAYER" --owner 0 --group 0 --numeric-owner -cf "$T/root.tar" .
	pod import -q "${changes[@]}" "$T/root.tar" "$name" >/dev/null 2>&1
	rm -f "$T/image.tar"
	pod save -q -o "$T/image.tar" "$name" 2>/dev/null
	"$BAWN" template load -q "$T/image.tar" >/dev/null
}

in_image() { # NAME COMMAND...
	"$BAWN" run --rm -q --template "localhost/$1" shell . -- "${@:2}"
}

who='id -un; id -u; pwd; echo "$HOME $USER"; test -w ~ && test -w . && echo writable'

@test "odd images: another User, one that is no account, and no accounts at all: one is the agent, uid 1000" {
	system
	image daemon 'USER daemon'
	image numbers 'USER 1234:5' 'ENV HOME=/srv/home'
	rm "$LAYER/etc/passwd" "$LAYER/etc/group"
	image nobody 'USER www:www' 'WORKDIR /nowhere/at/all'
	local name
	for name in daemon numbers nobody; do
		run -0 in_image "$name" sh -c "$who"
		[ "$output" = "agent
1000
$WS
/home/agent agent
writable" ] || fail "$name: $output"
		run -0 "$BAWN" run --rm -q --workspace none --template "localhost/$name" shell -- sh -c "$who"
		[ "$output" = "agent
1000
/home/agent
/home/agent agent
writable" ] || fail "$name: $output"
	done
	run -125 "$BAWN" run --rm -q --template localhost/no-such shell . -- id
}

@test "odd images: uid 1000 by another name, with another home, HOME in Env, a relative WorkingDir" {
	system
	printf 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/no/such/shell\n' >"$LAYER/etc/passwd"
	printf 'root:x:0:\nnode:x:1000:\n' >"$LAYER/etc/group"
	mkdir -p "$LAYER/home/node" "$LAYER/srv/app"
	image node 'USER node' 'WORKDIR srv/app' 'ENV HOME=/elsewhere' 'ENV USER=other' 'ENV OWN=yes' 'ENTRYPOINT ["entry.sh"]'
	run -0 in_image node sh -c "$who; echo \$OWN"
	[ "$output" = "node
1000
$WS
/home/node node
writable
yes" ] || fail "$output"
	run -0 "$BAWN" run --rm -q --workspace none --template localhost/node shell -- sh -c pwd
	[ "$output" = /srv/app ] || fail "$output"
	# its shell is not there: another one is
	"$BAWN" create -q --name box --template localhost/node shell .
	run -0 sh -c "echo 'id -un; echo \$0' | '$BAWN' shell box"
	assert_output node
}

@test "odd images: one without bash has sh as its shell, one without any says so" {
	system
	mv "$LAYER/usr/bin/bash" "$LAYER/usr/bin/ash"
	ln -sf ash "$LAYER/usr/bin/sh"
	image alpine
	run -0 sh -c "echo 'echo it is \$0; exit 0' | '$BAWN' run --rm -q --template localhost/alpine shell ."
	assert_output 'it is /bin/sh'
	"$BAWN" create -q --name box --template localhost/alpine shell .
	run -3 sh -c "echo 'echo it is \$0; exit 3' | '$BAWN' shell box"
	assert_output 'it is /bin/sh'
	rm "$LAYER/usr/bin/sh" "$LAYER/usr/bin/ash"
	image distroless 'ENTRYPOINT ["/usr/bin/id"]'
	run -0 in_image distroless id -un
	[ "$output" = agent ] || fail "$output"
	run -127 "$BAWN" run --rm -q --template localhost/distroless shell .
	assert_output 'template localhost/distroless:latest has no program bash'
	assert_output 'shell -- PROGRAM'
	run -127 "$BAWN" run --rm -q --template localhost/distroless codex .
	assert_output 'has no program codex'
	assert_output 'bawn template build -t codex -f '
	"$BAWN" create -q --name bare --template localhost/distroless shell .
	run -127 "$BAWN" shell bare
	assert_output 'template localhost/distroless:latest has no shell'
	assert_output 'bawn exec bare PROGRAM'
	run -0 "$BAWN" exec bare id -un
	[ "$output" = agent ] || fail "$output"
	echo there >"$WS/file"
	"$BAWN" cp "$WS/file" bare:/root/file
	run -0 "$BAWN" exec bare cat /root/file
	[ "$output" = there ] || fail "$output"
}

# As aufs, --squash of older builders and tools that write layers without a file system make them:
# whiteouts of what no layer below has, or beside a mark that hides all of it anyway.
@test "odd images: a whiteout that hides nothing is no name inside, and its directory can be removed" {
	local n
	layers() { # TAG LAYER...: each layer is a directory
		local tag=$1 l i=0 tars=()
		shift
		for l; do
			tar -C "$l" --owner 0 --group 0 --numeric-owner --sort=name -cf "$T/$((++i)).tar" .
			tars+=("$T/$i.tar")
		done
		/usr/bin/python3 - "$BAWN_SRCDIR/tests" "$T/image.tar" "$tag" "${tars[@]}" <<-'P'
			import sys
			sys.path.insert(0, sys.argv[1])
			import images
			layers = [open(f, "rb").read() for f in sys.argv[4:]]
			conf = images.config(layers, config={"Env": ["PATH=/usr/bin"]})
			images.docker(sys.argv[2], [(conf, layers, [sys.argv[3]])])
		P
		"$BAWN" template load -q "$T/image.tar" >/dev/null
	}
	system
	mkdir -p "$T"/{old,gone,hides,cut,both}/data/d/sub
	touch "$T"/old/data/d/{old,sub/old}
	rm -r "$T/gone/data"
	touch "$T/gone/.wh.data"
	touch "$T"/hides/data/d/{.wh.nothing,sub/.wh.nothing,new}
	touch "$T"/cut/data/d/{.wh..wh..opq,new}
	touch "$T"/both/data/d/{.wh..wh..opq,.wh.old,sub/.wh.old,new}
	layers lone:1 "$LAYER" "$T/hides"
	layers lone:2 "$T/hides" "$LAYER"
	layers lone:3 "$LAYER" "$T/old" "$T/gone" "$T/hides"
	layers lone:4 "$LAYER" "$T/old" "$T/both"
	layers lone:5 "$LAYER" "$T/old" "$T/cut"
	for n in 1 2 3 4 5; do
		run -0 "$BAWN" run --rm -q --template "lone:$n" shell . -- sh -c \
			'cd /data && ls -R d && rm -r d && echo removed'
		[ "$output" = $'d:\nnew\nsub\n\nd/sub:\nremoved' ] || fail "lone:$n: $output"
	done
	run -0 "$BAWN" template verify
}
