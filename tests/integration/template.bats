#!/usr/bin/env bats
# template.bats - templates come and go: archives in and out again; names; what is in use.  The
# archives are made by tests/images.py; what strangers might write is in template-hostile.bats, other
# programs' archives in template-peers.bats, faults in template-faults.bats.
bats_require_minimum_version 1.5.0
load ../lib.sh
setup() {
	bawn_setup
	STORE=$XDG_DATA_HOME/bawn/templates
}
teardown() { bawn_teardown; }

image() { # KIND [TAG...]: $WS/KIND.tar
	/usr/bin/python3 "$BAWN_SRCDIR/tests/images.py" "$1" "$WS/$1.tar" "${@:2}"
}
template() { "$BAWN" template "$@"; }

nothing_half() {
	[ -z "$(ls -A "$STORE/tmp")" ]
	template verify -q
}

@test "load: docker archives and OCI archives, plain and gzip, from a file and through a pipe" {
	local kind id
	for kind in docker gzip oci; do
		image "$kind" "x/$kind:1"
		run -0 template load "$WS/$kind.tar"
		[[ $output == *"  x/$kind:1" ]]
	done
	image docker piped
	run -0 bash -c "cat '$WS/docker.tar' | '$BAWN' template load -"
	[[ $output == *"  piped:latest" ]]
	# it is one template, by whatever way it came
	run -0 bash -c "'$BAWN' template ls -q | sort -u | wc -l"
	[ "$output" = 1 ]
	[ "$(ls "$STORE/layers" | wc -l)" = 2 ]
	run -0 --separate-stderr template inspect --json piped
	id=$(/usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["id"])' <<<"$output")
	[ "$(sha256sum <"$STORE/images/$id/config")" = "$id  -" ]
	nothing_half
}

@test "load: several images of one archive, sharing a layer; no tag; one more tag" {
	image several a:1 b:2 c:3
	run -0 template load "$WS/several.tar"
	[ "${#lines[@]}" = 3 ]
	[ "$(ls "$STORE/layers" | wc -l)" = 4 ]
	run -125 template load --tag d "$WS/several.tar"
	[[ $output == *"3 images"* ]]
	image docker
	run -0 template load -t named:x "$WS/docker.tar"
	run -0 template load "$WS/docker.tar"
	run -0 template inspect named:x
	run -125 template load -t '../x' "$WS/docker.tar"
	nothing_half
}

@test "load: the image for this machine is taken, and others are named" {
	image platforms p:1
	run -0 template load "$WS/platforms.tar"
	run -0 template inspect --json p:1
	[[ $output == *"\"arch\": \"$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')\""* ]]
	image other_platforms o:1
	run -125 template load "$WS/other_platforms.tar"
	[[ $output == *"there is no image for linux/"* && $output == *"but for linux/"*"linux/s390x"* ]]
	image other_config o:1
	run -125 template load "$WS/other_config.tar"
	[[ $output == *"the image is for linux/"*", not for linux/"* ]]
	run -0 template load --platform linux/s390x "$WS/platforms.tar"
	run -0 template inspect --json p:1
	[[ $output == *'"arch": "s390x"'* ]]
	image artifacts a:1
	run -0 template load "$WS/artifacts.tar"
	[[ $output == *a:1 ]]
	run -125 template load --platform 'linux/' "$WS/platforms.tar"
	[[ $output == *"is no platform"* ]]
}

# The highest level that this processor has, as the C library says it.
cpu_level() {
	local v
	v=$(/lib64/ld-linux-x86-64.so.2 --help | sed -n 's/^ *x86-64-\(v[2-4]\) (supported.*/\1/p' | sort | tail -1)
	echo "${v:-v1}"
}

@test "load: of variants the highest that this processor can run; one that it can't is refused" {
	local all=(amd64/v1 amd64/v2 amd64/v3 amd64/v4 amd64/v9) v
	[ "$(uname -m)" = x86_64 ] || skip "variants of amd64"
	need test -x /lib64/ld-linux-x86-64.so.2 -- "glibc's ld.so"
	v=$(cpu_level)
	image variants "${all[@]}"
	run -0 template load "$WS/variants.tar"
	run -0 template inspect --json v:1
	[[ $output == *"\"variant\": \"$v\""* ]]
	# the only one there is
	image variants "amd64/$v" arm64/v8
	run -0 template load "$WS/variants.tar"
	image variants amd64/v9 arm64/v8
	run -125 template load "$WS/variants.tar"
	[[ $output == *"there is no image for linux/amd64 in it, but for linux/amd64/v9, linux/arm64/v8"* ]]
	[[ $output == *"this machine's processor can run up to linux/amd64/$v"* ]]
	# by name any can be had, and what is below it where there is none
	image variants "${all[@]}"
	run -0 template load --platform linux/amd64/v9 "$WS/variants.tar"
	run -0 template inspect --json v:1
	[[ $output == *'"variant": "v9"'* ]]
	image variants amd64 amd64/v2
	run -0 template load --platform linux/amd64/v3 "$WS/variants.tar"
	run -0 template inspect --json v:1
	[[ $output == *'"variant": "v2"'* ]]
	# what only its configuration says counts, too
	image variant_config amd64/v9 w:1
	run -125 template load "$WS/variant_config.tar"
	[[ $output == *"the image is for linux/amd64/v9, not for linux/amd64"* ]]
	[[ $output == *"this machine's processor can run up to linux/amd64/$v"* ]]
	image variant_config "amd64/$v" w:1
	run -0 template load "$WS/variant_config.tar"
	nothing_half
	# and builds
	printf 'ARG V=%s\nFROM --platform=linux/amd64/$V w:1\nLABEL a=b\n' "$v" >"$WS/Dockerfile"
	run -0 "$BAWN" build -t x "$WS"
	run -0 template inspect --json x
	[[ $output == *"\"variant\": \"$v\""* ]]
	run -125 "$BAWN" build --build-arg V=v9 "$WS"
	[[ $output == *"Dockerfile:2:6: linux/amd64/v9 is another platform than this machine's"* ]]
}

@test "load: a layer that is a link to another, an image without layers" {
	image twice t:1
	run -0 template load "$WS/twice.tar"
	[ "$(ls "$STORE/layers" | wc -l)" = 1 ]
	image empty e:1
	run -0 template load "$WS/empty.tar"
	nothing_half
}

@test "load: 127 layers, as many as there may be; what comes out has them all" {
	image many m:1
	run -0 template load "$WS/many.tar"
	[ "$(ls "$STORE/layers" | wc -l)" = 127 ]
	run -0 template save -o "$WS/out.tar" m:1
	XDG_DATA_HOME=$T/other run -0 template load "$WS/out.tar"
	[[ $output == *m:1 ]]
	[ "$(XDG_DATA_HOME=$T/other template ls -q)" = "$(template ls -q)" ]
}

@test "save: what was loaded comes out again, byte for byte, and can be loaded elsewhere" {
	image several a:1 example.com/b:2
	template load "$WS/several.tar"
	local id other
	id=$(template ls -q)
	run -0 template save -o "$WS/out.tar" a:1 example.com/b:2
	other=$(XDG_DATA_HOME=$T/other template load "$WS/out.tar" && XDG_DATA_HOME=$T/other template ls -q)
	[[ $other == *"a:1"*"example.com/b:2"*"$id" ]]
	# the layers in it are the tars that were loaded
	mkdir "$WS/in" "$WS/out"
	tar -C "$WS/in" -xf "$WS/several.tar"
	tar -C "$WS/out" -xf "$WS/out.tar"
	local f n=0
	for f in "$WS"/in/*.tar; do
		cmp "$f" "$WS/out/blobs/sha256/$(basename "$f" .tar)"
		n=$((n + 1))
	done
	[ "$n" = 3 ]
	run -0 template save --format oci -o - a:1
	run -0 bash -c "'$BAWN' template save --format oci -o - a:1 | tar -t"
	[[ $output == *index.json* && $output != *manifest.json* ]]
	run -0 bash -c "'$BAWN' template save --format oci -o - a:1 | XDG_DATA_HOME='$T/third' '$BAWN' template load -"
	[[ $output == *"a:1" ]]
}

@test "save: bad input, and a disk that is full, leave nothing behind" {
	image docker x
	template load "$WS/docker.tar"
	run -125 template save x
	[[ $output == *"--output is missing"* ]]
	local word
	for word in -o --output -qo --format --allow-secret --outp; do
		run -2 template save "$word"
		[[ $output == *"needs an argument"* ]]
		run template save x x "$word"
		[ "$status" = 2 ] || [ "$status" = 125 ]
		[[ $output == *"needs an argument"* ]]
	done
	run -125 template save -qo "$WS/y" nowhere x
	[[ $output == *"no template 'nowhere'"* ]]
	run -125 template ls -q --json
	[[ $output == *"--json or --quiet"* ]]
	run -2 template save -o "$WS/y"
	run -125 template save -o "$WS/y" nowhere
	[[ $output == *"no template 'nowhere'"* ]]
	run -125 template save -o "$WS/absent/y" x
	run -125 template save -o "$WS" x
	run -2 template save --format zip -o "$WS/y" x
	run -125 bash -c "'$BAWN' template save -o - x >/dev/full"
	[[ $output == *"write the archive"* || $output == *"No space"* ]]
	[ "$(ls "$WS")" = docker.tar ]
	echo kept >"$WS/y"
	(ulimit -f 20 && trap '' XFSZ && run -125 template save -o "$WS/y" x)
	[ "$(cat "$WS/y")" = kept ]
	[ "$(ls "$WS" | wc -l)" = 2 ]
}

@test "tag, rm, prune: names come and go, layers with the last that needs them" {
	image several a:1 b:2
	template load "$WS/several.tar"
	template tag a:1 base
	template tag a:1 base:latest
	run -0 template ls
	[[ $output == *"base:latest"* ]]
	run -0 template rm base
	run -0 template rm b:2
	[ "$(ls "$STORE/layers" | wc -l)" = 2 ]
	template tag a:1 base
	run -1 template rm "$(template ls -q)"
	[[ $output == *"has 2 names"* ]]
	run -0 template rm -f "$(template ls -q)"
	[ -z "$(find "$STORE/layers" "$STORE/images" -mindepth 1)" ]
	run -1 template rm a:1
	# a name that moves leaves its template nameless
	template load "$WS/several.tar"
	template tag a:1 b:2
	run -0 template prune --dry-run
	[[ $output == *"template "* ]]
	[ "$(template ls -q | wc -l)" = 2 ]
	run -0 template prune
	[ "$(template ls -q | wc -l)" = 1 ]
	run -0 template ls --json
	/usr/bin/python3 -c 'import json,sys; assert sorted(x["name"] for x in json.load(sys.stdin)) == ["a:1", "b:2"]' <<<"$output"
	nothing_half
}

@test "rm: a template that a sandbox is made of stays, and the sandbox is named" {
	image docker x
	template load "$WS/docker.tar"
	local id
	id=$(template ls -q)
	# as create --template writes it
	"$BAWN" create --name worker shell
	sed -i "s/^template host/template x:latest\ndigest sha256:$id/" "$XDG_DATA_HOME/bawn/sandboxes/worker/spec"
	run -1 template rm x
	[[ $output == *"in use by worker"* && $output == *"bawn rm worker"* ]]
	template tag x y
	run -0 template rm y
	run -1 template rm -f "$id"
	template load -t other "$WS/docker.tar"
	run -0 template inspect x
	[[ $output == *"sandboxes   worker"* ]]
	# without a name it is kept, too
	sed -i d "$STORE/tags"
	run -0 template prune
	[ "$(template ls -q)" = "$id" ]
	# as long as a sandbox can't be read, nothing is known to be unused
	echo nonsense >"$XDG_DATA_HOME/bawn/sandboxes/worker/spec"
	run -125 template prune
	[[ $output == *worker* ]]
	"$BAWN" rm -f worker
	run -0 template prune
	[ -z "$(template ls -q)" ]
}

@test "verify: each thing that is amiss is found, and nothing is where nothing is" {
	image several a:1 b:2
	template load "$WS/several.tar"
	run -0 template verify
	[ -z "$output" ]
	local id layer
	id=$(template ls -q | head -n1)
	layer=$(sed -n 's/^layer //p' "$STORE/images/$id/info" | head -n1)
	# a file's content, which only its digest tells
	printf X | dd of="$STORE/layers/$layer/fs/usr/bin/tool" conv=notrunc status=none
	run -1 template verify
	[[ $output == *"layer ${layer:0:12}: "* ]]
	run -0 template verify --quick
	run -125 template save -o "$WS/y" a:1
	[ ! -e "$WS/y" ]
	chmod 600 "$STORE/images/$id/config"
	printf ' ' >>"$STORE/images/$id/config"
	echo "docker.io/library/z:1 sha256:$layer 1" >>"$STORE/tags"
	mv "$STORE/layers/$layer" "$STORE/away"
	run -1 template verify --quick
	[[ $output == *"z:1 names template ${layer:0:12}, which is not there"* ]]
	[[ $output == *"layer ${layer:0:12} is not there"* ]]
	"$BAWN" create --name worker shell
	sed -i "s/^template host/template z:1\ndigest sha256:$layer/" "$XDG_DATA_HOME/bawn/sandboxes/worker/spec"
	run -1 template verify --quick
	[[ $output == *"sandbox worker is made of template ${layer:0:12}, which is not there"* ]]
	"$BAWN" rm -f worker
	# what is damaged can be removed, and comes back whole
	run -0 template rm -f "$(template ls -q | sed -n 1p)" "$(template ls -q | sed -n 2p)"
	rm -rf "$STORE/away"
	template load "$WS/several.tar"
	run -1 template verify
	[[ $output == *"z:1"* && ${#lines[@]} = 3 ]]
}

@test "verify: a layer's tree that is more, less or else than its tar is found, by the name" {
	local fs own
	image docker a:1
	template load "$WS/docker.tar"
	fs=$(dirname "$(ls "$STORE"/layers/*/fs/usr/bin/tool)")
	fs=${fs%/usr/bin} own=$fs/home/agent/own
	cp -a "$STORE" "$T/whole"
	amiss() { # NAME WHAT: verify says so, then all is whole again
		run -1 template verify
		[[ ${lines[0]} == "layer "*": $1 $2" ]] || fail "of $1: $output"
		rm -rf "$STORE"
		cp -a "$T/whole" "$STORE"
		run -0 template verify
	}
	echo more >>"$own"
	amiss home/agent/own "has another size"
	chmod 644 "$own"
	amiss home/agent/own "has another mode"
	setfattr -x user.rootlesscontainers "$own"
	amiss home/agent/own "has another owner"
	setfattr -n user.note -v x "$fs/usr/bin/tool"
	amiss usr/bin/again "has other attributes"
	touch "$fs/etc/ld.so.preload"
	amiss etc/ld.so.preload "is not of this layer"
	mkdir "$fs/usr/lib"
	amiss usr/lib "is not of this layer"
	ln -sfn usr/sbin "$fs/bin"
	amiss bin "leads elsewhere"
	rm "$fs/bin"
	amiss bin "is not there"
	rm "$fs/dev/null"
	mkfifo "$fs/dev/null"
	amiss dev/null "is something else"
	setfattr -n user.bawn.node -v "c 1 5" "$fs/dev/null"
	amiss dev/null "has another mode"
	setfattr -n user.overlay.opaque -v y "$fs/etc"
	amiss etc "hides what is below it, or does so no more"
	own=$(ls "$STORE"/layers/*/fs/etc/two)
	rm "$(dirname "$own")/../gone"
	amiss gone "is not there"
	rm "$own"
	amiss the "layer's file fs/etc/two: No such file or directory"
	# the list of tags, with its own remedy
	cat "$STORE/tags" "$STORE/tags" >"$T/twice"
	cp "$T/twice" "$STORE/tags"
	run -1 template verify
	[[ $output == *"a:1 is a tag twice"* ]]
	echo nonsense >"$STORE/tags"
	run -1 template verify
	[[ $output == *"or remove the file: the templates stay, under their IDs"* ]]
}

@test "progress is for a terminal alone, and the last line stays clean" {
	local line
	image large l:1
	run -0 --separate-stderr template load "$WS/large.tar"
	[ -z "$stderr" ]
	run -0 /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" "expect=l:1" eof -- \
		bash -c "'$BAWN' template load '$WS/large.tar'"
	[[ $output == *"l:1"* ]]
	# what is longer than a line is cut: wrapped, it would stay
	cat >"$T/narrow" <<-EOF
		{
			head -c 9000000 '$WS/large.tar'
			sleep 1
			tail -c +9000001 '$WS/large.tar'
		} | '$BAWN' template load -
	EOF
	run -0 timeout 60 /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" --size=24x20 \
		expect=MB expect=l:1 eof -- bash "$T/narrow"
	[[ $output == *$'\r'"loading: "*"<ESC>[K"* ]]
	while IFS= read -r -d $'\r' line; do
		[[ $line != *"<ESC>[K"* ]] || [ "$((${#line} - 7))" -lt 20 ] || fail "too long: $line"
	done <<<"$output"
}

@test "bawn template: verbs, help and completion say the same; unknown ones are refused" {
	local have verb
	have=$("$BAWN" template --help | sed -nE '/^Verbs:/,/^$/s/^  ([a-z]+) .*/\1/p' | sort)
	[ "$have" = "$("$BAWN" __complete template '' | cut -f1 | sort)" ]
	for verb in $have; do
		"$BAWN" template "$verb" --help | grep -qE "^(Usage:|      ) bawn template $verb"
		[ "$verb" = bootstrap ] || # its example would be minutes of downloads
			"$BAWN" template "$verb" --help | grep -q "^  bawn template $verb"
		[[ $("$BAWN" __complete template "$verb" --) == *--help* ]]
	done
	[[ $("$BAWN" __complete template load --) == *--platform* ]]
	image docker x/y:1
	template load "$WS/docker.tar"
	[[ $("$BAWN" __complete template rm '') == "x/y:1"* ]]
	run -2 template
	run -2 template tagg
	[[ $output == *"did you mean tag?"* ]]
	run -2 template ls --nonsense
	run -2 template tag x
	# what they would mean elsewhere is no template
	for verb in host scratch docker.io/library/host; do
		run -125 template tag x/y:1 "$verb"
		[[ $output == *"no template can be called "* ]]
		run -125 template load -t "$verb" "$WS/docker.tar"
		run -125 template build -t "$verb" "$WS"
		[[ $output == *"no template can be called "* ]]
	done
	run -0 template tag x/y:1 host:1
}
