#!/usr/bin/env bats
# template-peers.bats - what podman, skopeo and umoci make, bawn loads; what bawn saves, they take: the
# same digests, configuration and files.  Without a network, and without a second user id.
bats_require_minimum_version 1.5.0
load ../lib.sh
setup() {
	bawn_setup
	need command -v skopeo -- skopeo
	need command -v umoci -- umoci
}
teardown() { bawn_teardown; }

template() { "$BAWN" template "$@"; }
py() { /usr/bin/python3 "$@"; }

# An image in two layers, made by umoci in the layout $WS/img, as img:v1.
umoci_image() {
	local b=$T/bundle
	umoci init --layout "$WS/img"
	umoci new --image "$WS/img:v1"
	umoci unpack --rootless --image "$WS/img:v1" "$b"
	mkdir -p "$b/rootfs/etc" "$b/rootfs/bin" "$b/rootfs/gone"
	printf 'root:x:0:0:root:/root:/bin/sh\nagent:x:1000:1000::/home/agent:/bin/sh\n' >"$b/rootfs/etc/passwd"
	echo hi >"$b/rootfs/bin/hi"
	chmod 4755 "$b/rootfs/bin/hi"
	ln -s hi "$b/rootfs/bin/ho"
	ln "$b/rootfs/bin/hi" "$b/rootfs/bin/hj"
	echo x >"$b/rootfs/gone/x"
	umoci repack --image "$WS/img:v1" "$b"
	umoci config --image "$WS/img:v1" --config.user agent --config.env A=1 --config.env 'B=x y' \
		--config.workingdir /w --config.cmd sh --config.cmd -l --config.entrypoint /bin/hi
	rm -rf "$b"
	umoci unpack --rootless --image "$WS/img:v1" "$b"
	rm -r "$b/rootfs/gone"
	echo two >"$b/rootfs/etc/two"
	umoci repack --image "$WS/img:v1" "$b"
	chmod -R u+rwX "$b"
	rm -rf "$b"
}

# An archive's configuration, byte for byte, and the list of its layers' files as skopeo and umoci
# have them.
config_of() { skopeo inspect --config --raw "$1"; }
tree_of() { # TRANSPORT:PATH, NAME
	rm -rf "$T/oci" "$T/out"
	skopeo copy -q "$1" "oci:$T/oci:x"
	umoci unpack --rootless --image "$T/oci:x" "$T/out"
	(cd "$T/out/rootfs" && find . -mindepth 1 -printf '%p %y %m %s %l %n %T@\n' | sort &&
		find . -type f -exec sha256sum {} + | sort)
	chmod -R u+rwX "$T/out"
}

@test "umoci and skopeo: what they make is loaded, and what is saved has the same digests, configuration, files" {
	umoci_image
	skopeo copy -q "oci:$WS/img:v1" "docker-archive:$WS/docker.tar:example.com/a:v1"
	skopeo copy -q "oci:$WS/img:v1" "oci-archive:$WS/oci.tar:example.com/b:v1"
	zstd -q "$WS/docker.tar" -o "$WS/docker.tar.zst"
	gzip -k "$WS/docker.tar"
	# layers packed by zstd have another manifest, and the same image
	skopeo copy -q --dest-compress --dest-compress-format zstd "oci:$WS/img:v1" "oci-archive:$WS/zstd.tar:example.com/b:v1"
	local f config tree
	config=$(config_of "oci:$WS/img:v1" | sha256sum)
	tree=$(tree_of "oci:$WS/img:v1")
	[[ $tree == *bin/hi* && $tree != *gone* ]]
	for f in docker.tar oci.tar zstd.tar docker.tar.gz docker.tar.zst; do
		XDG_DATA_HOME=$T/$f template load "$WS/$f"
		XDG_DATA_HOME=$T/$f run -0 template ls -q
		[ "$output" = "${config%% *}" ] || fail "$f: $output"
	done
	# a layout in a directory
	tar -C "$WS/img" -c . | "$BAWN" template load -t v1 -
	[ "$(template ls -q)" = "${config%% *}" ]
	template load "$WS/docker.tar"
	template save -o "$WS/saved.tar" example.com/a:v1
	template save --format oci -o "$WS/saved-oci.tar" example.com/a:v1
	for f in docker-archive:saved.tar oci-archive:saved.tar oci-archive:saved-oci.tar; do
		f=${f%%:*}:$WS/${f#*:}
		[ "$(config_of "$f" | sha256sum)" = "$config" ] || fail "$f"
		[ "$(tree_of "$f")" = "$tree" ] || fail "$f: $(diff <(echo "$tree") <(tree_of "$f"))"
		skopeo inspect "$f" | py -c 'import json,sys; assert len(json.load(sys.stdin)["Layers"]) == 2'
	done
	# by the name that it was saved under
	skopeo inspect "docker-archive:$WS/saved.tar:example.com/a:v1"
	skopeo inspect "oci-archive:$WS/saved.tar:example.com/a:v1"
	rm -rf "$T/umoci"
	mkdir "$T/umoci"
	tar -C "$T/umoci" -xf "$WS/saved.tar"
	umoci ls --layout "$T/umoci"
}

# Its own store, beside the tests' home; with one user id it keeps no owners.
pod() {
	podman --root "$T/pod" --runroot "$T/podrun" --storage-driver vfs \
		--storage-opt vfs.ignore_chown_errors=true --cgroup-manager cgroupfs "$@"
}

@test "podman: what it saves is loaded, and it takes what is saved" {
	need command -v podman -- podman
	umoci_image
	need pod info -- "podman without root"
	skopeo copy -q "oci:$WS/img:v1" "docker-archive:$WS/docker.tar:example.com/a:v1"
	pod load -q -i "$WS/docker.tar"
	pod save -q --format docker-archive -o "$WS/pod.tar" example.com/a:v1
	pod save -q --format oci-archive -o "$WS/pod-oci.tar" example.com/a:v1
	pod tag example.com/a:v1 example.com/c:v3
	pod save -q -m -o "$WS/pod-two.tar" example.com/a:v1 example.com/c:v3
	local f id
	for f in pod pod-oci pod-two; do
		XDG_DATA_HOME=$T/$f run -0 template load "$WS/$f.tar"
		[[ $output == *"example.com/a:v1"* ]] || fail "$f: $output"
		XDG_DATA_HOME=$T/$f run -0 template verify
	done
	[[ $output == "" ]]
	XDG_DATA_HOME=$T/pod-two run -0 template ls
	[[ $output == *example.com/a:v1*example.com/c:v3* ]]
	template load "$WS/docker.tar"
	id=$(template ls -q)
	template tag example.com/a:v1 example.com/mine:2
	template save -o "$WS/saved.tar" example.com/mine:2
	template save --format oci -o "$WS/saved-oci.tar" example.com/a:v1
	pod rmi -fa
	pod load -q -i "$WS/saved.tar"
	run -0 pod images -q --no-trunc example.com/mine:2
	[ "$output" = "sha256:$id" ]
	pod load -q -i "$WS/saved-oci.tar"
	run -0 pod images -q --no-trunc example.com/a:v1
	[ "$output" = "sha256:$id" ]
	run -0 pod inspect --format '{{.Config.User}} {{.Config.Env}} {{.Config.Entrypoint}} {{.RootFS.Layers}}' example.com/mine:2
	[[ $output == "agent "*"B=x y"*"/bin/hi"* ]]
	[ "$(tr -d '[]' <<<"${output##*/bin/hi}" | wc -w)" = 2 ]
}
