# shellcheck shell=bash disable=SC2154,SC2034  # T, BAWN: lib.sh; LAYER, LAYERS: for the tests
# templates.sh - templates put together by hand, for tests of what runs in one; load it behind lib.sh
#
#	template_layer			a new layer; sets LAYER to its fs/, to be filled
#	template_commit TAG [LINE...]	a template of the layers so far; LINEs go to its `info`
#	template_debian			fills LAYER with a small system: bash, coreutils and their libraries

LAYERS=()

template_store() {
	TEMPLATES=$XDG_DATA_HOME/bawn/templates
	mkdir -p "$TEMPLATES"/{images,layers,tmp,cache}
	chmod 0700 "$XDG_DATA_HOME/bawn" "$TEMPLATES"
}

template_id() {
	printf '%s' "$RANDOM$RANDOM$RANDOM$*" | sha256sum | cut -c1-64
}

template_layer() {
	local id
	template_store
	id=$(template_id "${#LAYERS[@]}")
	LAYERS+=("$id")
	LAYER=$TEMPLATES/layers/$id/fs
	mkdir -p "$LAYER"
	: >"$TEMPLATES/layers/$id/frame"
	printf 'bawn-layer 1\ndiff %s\nsize 0\ntar 0\nentries 0\n' "$id" >"$TEMPLATES/layers/$id/info"
}

template_commit() {
	local tag=$1 id l
	shift
	template_store
	id=$(template_id "$tag")
	mkdir -p "$TEMPLATES/images/$id"
	echo '{}' >"$TEMPLATES/images/$id/config"
	{
		echo 'bawn-template 1'
		for l in "${LAYERS[@]}"; do echo "layer $l"; done
		echo 'arch amd64'
		echo 'os linux'
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$TEMPLATES/images/$id/info"
	case $tag in */*) ;; *) tag=docker.io/library/$tag ;; esac
	case $tag in *:*) ;; *) tag=$tag:latest ;; esac
	echo "$tag sha256:$id 1700000000" >>"$TEMPLATES/tags"
	LC_ALL=C sort -o "$TEMPLATES/tags" "$TEMPLATES/tags"
	# shellcheck disable=SC2034  # for the tests
	TEMPLATE_ID=$id
}

# A program of this machine and the libraries it loads, at their paths.
template_program() {
	local f
	for f; do
		f=$(type -P "$f")
		mkdir -p "$LAYER$(dirname "$f")"
		cp -L "$f" "$LAYER$f"
		template_libraries "$f"
	done
}

template_libraries() {
	local f lib
	for f; do
		ldd "$f" 2>/dev/null | grep -o '/[^ ]*' | while read -r lib; do
			[ -e "$LAYER$lib" ] || { mkdir -p "$LAYER$(dirname "$lib")" && cp -L "$lib" "$LAYER$lib"; }
		done
	done
}

# Put together once for a file of tests: to ask for the libraries of each program takes a second.
template_debian() {
	local small=$BATS_FILE_TMPDIR/small-system
	[ -d "$small" ] || { template_small "$small.new" && mv "$small.new" "$small"; } || return 1
	cp -RP "$small/." "$LAYER/"
}

template_small() { # DIR
	local LAYER=$1
	mkdir -p "$LAYER"/usr/{bin,lib,lib64,sbin} "$LAYER"/{etc,root,var,home}
	ln -s usr/bin "$LAYER/bin"
	ln -s usr/lib "$LAYER/lib"
	ln -s usr/lib64 "$LAYER/lib64"
	ln -s usr/sbin "$LAYER/sbin"
	template_program bash cat ls id env mkdir rm mv touch stat sleep sha256sum readlink ln chmod cp find grep
	ln -s bash "$LAYER/usr/bin/sh"
	printf 'root:x:0:0:root:/root:/bin/bash\n' >"$LAYER/etc/passwd"
	printf 'root:x:0:\n' >"$LAYER/etc/group"
	echo image-only >"$LAYER/etc/image-file"
}
