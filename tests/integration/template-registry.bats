#!/usr/bin/env bats
# Templates to and from Debian's docker-registry, with skopeo and umoci at the other end: it stands for
# docker.io, as a mirror.
load ../lib.sh
load ../templates.sh
load ../registry/lib.sh

setup_file() {
	bawn_setup
	docker_registry "$BATS_FILE_TMPDIR/docker"
	make_images "$BATS_FILE_TMPDIR"
	export DOCKER_AT
	bawn_teardown
}
teardown_file() { kill "$(cat "$BATS_FILE_TMPDIR/docker/pid")"; }
setup() {
	bawn_setup
	registries "mirror docker.io http://$DOCKER_AT only"
}
teardown() { bawn_teardown; }

# A system that runs, and what is odd in a layer, as docker/sandbox-templates:codex and :claude-code.
make_images() {
	local dir=$1 tool
	template_layer
	template_debian
	tar -C "$LAYER" --owner=0 --group=0 -cf "$dir/base.tar" .
	mkdir -p "$dir/odd/home/agent" "$dir/odd/opt/a" "$dir/odd/usr/bin"
	echo one >"$dir/odd/opt/a/file"
	ln "$dir/odd/opt/a/file" "$dir/odd/opt/a/hard"
	ln -s ../a/file "$dir/odd/opt/a/soft"
	cp /bin/true "$dir/odd/opt/setuid"
	chmod 4755 "$dir/odd/opt/setuid"
	: >"$dir/odd/etc.wh"
	printf 'agent:x:1000:1000::/home/agent:/bin/bash\n' >"$dir/odd/passwd"
	tar -C "$dir/odd" --owner=1000 --group=1000 --transform 's,^./etc.wh,./etc/.wh.image-file,' \
		--transform 's,^./passwd,./etc/passwd,' -cf "$dir/odd.tar" .
	for tool in codex claude; do
		mkdir -p "$dir/$tool/usr/bin"
		printf '#!/bin/sh\necho "this is %s, as $(id -un) in $HOME"\n' "$tool" >"$dir/$tool/usr/bin/$tool"
		chmod 0755 "$dir/$tool/usr/bin/$tool"
		tar -C "$dir/$tool" --owner=0 --group=0 -cf "$dir/$tool.tar" ./usr/bin/$tool
	done
	put_image codex codex "$dir"
	put_image claude claude-code "$dir"
}

put_image() {
	python3 "$BAWN_SRCDIR/tests/registry/layout.py" "$3/$1.oci" latest --config \
		'{"User":"agent","Env":["PATH=/usr/local/bin:/usr/bin:/bin","KIND=template"]}' \
		"$3/base.tar" "$3/odd.tar" "$3/$1.tar"
	skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$3/$1.oci:latest" \
		"docker://$DOCKER_AT/docker/sandbox-templates:$2"
}

config_digest() {
	skopeo --insecure-policy inspect --raw --tls-verify=false "docker://$1" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["config"]["digest"])'
}

@test "template pull: docker/sandbox-templates:codex and :claude-code, by a mirror of docker.io" {
	run "$BAWN" template pull docker.io/docker/sandbox-templates:codex
	assert_status 0
	assert_output "docker/sandbox-templates:codex"
	run "$BAWN" template pull docker/sandbox-templates:claude-code
	assert_status 0
	# two of three layers are the same
	[ "$(find "$XDG_DATA_HOME/bawn/templates/layers" -mindepth 1 -maxdepth 1 | wc -l)" = 4 ]
	run "$BAWN" template verify
	assert_status 0
}

@test "template push: skopeo and umoci take what we push, file by file" {
	local format
	"$BAWN" template pull -q docker/sandbox-templates:codex
	for format in oci docker; do
		run "$BAWN" template push -q --format $format docker/sandbox-templates:codex \
			"$DOCKER_AT/ours/$format:1"
		assert_status 0
		[ "$(config_digest "$DOCKER_AT/ours/$format:1")" = \
			"$(config_digest "$DOCKER_AT/docker/sandbox-templates:codex")" ]
		skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$DOCKER_AT/ours/$format:1" \
			"oci:$T/$format:x"
	done
	skopeo --insecure-policy copy -q --src-tls-verify=false \
		"docker://$DOCKER_AT/docker/sandbox-templates:codex" "oci:$T/theirs:x"
	for format in oci docker theirs; do
		umoci unpack --rootless --image "$T/$format:x" "$T/$format.tree" >/dev/null 2>&1
		(cd "$T/$format.tree/rootfs" && find . -printf '%p %y %m %s %l %n\n' | sort) >"$T/$format.list"
	done
	[ "$(wc -l <"$T/theirs.list")" -gt 50 ]
	diff "$T/theirs.list" "$T/oci.list"
	diff "$T/theirs.list" "$T/docker.list"
	diff -r --no-dereference "$T/theirs.tree/rootfs" "$T/oci.tree/rootfs"
}

@test "template push: packed anew, and pulled by another user's store, it is the same template" {
	"$BAWN" template pull -q docker/sandbox-templates:codex
	# as from an archive, of which no packed form is known
	"$BAWN" template save -o "$T/a.tar" docker/sandbox-templates:codex
	XDG_DATA_HOME=$T/other "$BAWN" template load -q "$T/a.tar"
	XDG_DATA_HOME=$T/other "$BAWN" template push -q docker/sandbox-templates:codex "$DOCKER_AT/again/x:1"
	[ "$(config_digest "$DOCKER_AT/again/x:1")" = \
		"$(config_digest "$DOCKER_AT/docker/sandbox-templates:codex")" ]
	XDG_DATA_HOME=$T/third run "$BAWN" template pull -q "$DOCKER_AT/again/x:1"
	assert_status 0
	XDG_DATA_HOME=$T/third run "$BAWN" template verify
	assert_status 0
}

@test "run --pull: missing, always and never; an agent starts in what came" {
	run "$BAWN" run --rm --pull never -t docker/sandbox-templates:codex shell "$WS" -- codex
	assert_status 125
	assert_output "there is no template"
	run "$BAWN" run --rm --dry-run -t docker/sandbox-templates:codex shell "$WS" -- codex
	assert_status 125
	run "$BAWN" run --rm -t docker/sandbox-templates:codex shell "$WS" -- codex
	assert_status 0
	assert_output "this is codex, as agent in /home/agent"
	# it is there: the registry is not asked, and need not answer
	registries "mirror docker.io http://127.0.0.1:1 only"
	run "$BAWN" run --rm -t docker/sandbox-templates:codex shell "$WS" -- codex
	assert_status 0
	run "$BAWN" run --rm --pull always -t docker/sandbox-templates:codex shell "$WS" -- codex
	assert_status 125
	assert_output "pull docker/sandbox-templates:codex"
	run "$BAWN" run --rm --pull sometimes -t docker/sandbox-templates:codex shell "$WS" -- codex
	assert_output "--pull is always, missing or never"
}

@test "run: a name is a local template, then a recipe that is shipped, then an image to pull" {
	local copy=$T/copy
	copy_bawn "$copy"
	# who builds is asked as bawn-build(1) says, and makes of it what is tested elsewhere
	rm -f "$copy/bawn-build"
	cat >"$copy/bawn-build" <<-EOF
		#!/bin/sh
		echo "built: \$*" >&2
		exec "$BAWN" template tag docker/sandbox-templates:claude-code "\$3"
	EOF
	chmod +x "$copy/bawn-build"
	"$BAWN" template pull -q docker/sandbox-templates:claude-code
	skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false \
		"docker://$DOCKER_AT/docker/sandbox-templates:codex" "docker://$DOCKER_AT/library/claude:latest"
	: >"$copy/share/profiles/claude.Dockerfile"
	run "$copy/bawn" run --rm -t claude shell "$WS" -- claude
	assert_status 0
	assert_output "built: build -t claude -f $copy/share/profiles/claude.Dockerfile $copy/share/profiles"
	assert_output "this is claude"
	run "$copy/bawn" run --rm -t claude shell "$WS" -- claude
	assert_status 0
	refute_output "built:"
	# always is the registry's
	run "$copy/bawn" run --rm --pull always -t claude shell "$WS" -- codex
	assert_status 0
	refute_output "built:"
	assert_output "this is codex"
	"$BAWN" template rm claude
	rm "$copy/share/profiles/claude.Dockerfile"
	run "$copy/bawn" run --rm -t claude shell "$WS" -- codex
	assert_status 0
}

@test "create --pull always: a tag that moved is a new template, and a sandbox keeps its own" {
	local tag=$DOCKER_AT/moving/x:1 at=docker://$DOCKER_AT
	skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false \
		"$at/docker/sandbox-templates:codex" "$at/moving/x:1"
	"$BAWN" create -t "$tag" --name first shell "$WS"
	skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false \
		"$at/docker/sandbox-templates:claude-code" "$at/moving/x:1"
	"$BAWN" create -t "$tag" --name second shell "$WS"
	"$BAWN" create -t "$tag" --pull always --name third shell "$WS"
	"$BAWN" exec first codex
	"$BAWN" exec second codex
	run "$BAWN" exec third claude
	assert_status 0
	assert_output "this is claude"
	"$BAWN" rm -f first second third
}
