# shellcheck shell=bash disable=SC2015,SC2154,SC2034  # A && B || C is meant; variables of run's
# template.sh - rows of `run`: starts in a template, of one layer and of thirty, and loading an image;
# and podman's on the same files where it works rootless (it takes newuidmap, or ignore_chown_errors for one uid).

# shellcheck source=tests/templates.sh
. "$here/../templates.sh"

# One layer with a small system; thirty: the same and 29 that each bring files of their own and
# replace those of the one below.
bench_templates() {
	local XDG_DATA_HOME=$HOME/.local/share T=$work i
	LAYERS=()
	template_layer && template_debian && template_program true || return 1
	# shellcheck disable=SC2153  # template_layer sets it
	bench_layer=$LAYER
	template_commit bench-one 'env PATH=/usr/bin'
	for ((i = 2; i <= 30; i++)); do
		template_layer && mkdir -p "$LAYER/usr/share/bench/$i" "$LAYER/etc" || return 1
		echo "$i" >"$LAYER/usr/share/bench/$i/file"
		echo "$i" >"$LAYER/etc/bench"
	done
	template_commit bench-thirty 'env PATH=/usr/bin'
}

bench_template() {
	local what="start in a template of 30 layers, of 1 layer" podman=()
	bench_templates && race one "$work/empty" "$bawn" run --rm --template bench-one shell -- true \; \
		thirty "$work/empty" "$bawn" run --rm --template bench-thirty shell -- true \; \
		host "$work/empty" "${bawn_true[@]}" || {
		unmeasured template "$what" "a command failed"
		return
	}
	row template "$what" "$(calc "${median[thirty]} / ${median[one]}")" "" "<=" 1.3 \
		"$(times thirty)$(times one)"
	row template-host "the same, 1 layer, of template host" \
		"$(calc "${median[one]} / ${median[host]}")" "" none 0 "$(times host)"
	bench_podman
}

# podman_here DIR: $podman with a store of its own
podman_here() {
	podman=(podman --root "$1" --runroot "$work/podman" --cgroup-manager cgroupfs
		--storage-driver overlay --storage-opt ignore_chown_errors=true)
}

bench_podman() {
	local what="start in a template of 30 layers, of podman run" store=$scratch/podman
	local podman
	podman_here "$store"
	command -v podman >/dev/null || {
		unmeasured template-podman "$what" "podman is not installed"
		return
	}
	mkdir -p "$work/podman" && export XDG_RUNTIME_DIR=$work/podman
	if tar -C "$bench_layer" -c . 2>"$errors" | "${podman[@]}" import -q - bench-one >/dev/null 2>>"$errors" &&
		rounds=$((rounds > 20 ? 20 : rounds)) race podman "$work/empty" "${podman[@]}" run --rm --network none \
			--cgroups disabled bench-one true \; \
			bawn "$work/empty" "$bawn" run --rm --template bench-thirty shell -- true; then
		row template-podman "$what" "$(calc "${median[bawn]} / ${median[podman]}")" "" "<=" 0.05 \
			"$(times bawn)$(times podman)"
	else
		unmeasured template-podman "$what" "$(tail -c 200 "$errors" | tr '\n' ' ')"
	fi
	"${podman[@]}" rmi -f bench-one >/dev/null 2>&1
	unset XDG_RUNTIME_DIR
}

# An archive of one image with 500 MB of this machine's own files.
bench_archive() {
	(cd / && find usr/share usr/lib -xdev -type f -readable -printf '%s %p\n' 2>/dev/null) |
		awk '{ n += $1 } n > 500e6 { exit } { sub(/^[0-9]+ /, ""); print }' >"$work/files"
	(cd / && tar -cf "$work/layer.tar" -T "$work/files") 2>>"$errors" &&
		"${podman[@]}" import -q "$work/layer.tar" bench-load >/dev/null 2>>"$errors" &&
		"${podman[@]}" save -q -o "$work/image.tar" bench-load 2>>"$errors" &&
		"${podman[@]}" rmi -f bench-load >/dev/null 2>>"$errors"
}

bench_load() {
	local what="load an image of 500 MB, of podman load" podman i t ours=() theirs=()
	podman_here "$scratch/podman-load"
	command -v podman >/dev/null && mkdir -p "$work/podman" && export XDG_RUNTIME_DIR=$work/podman &&
		bench_archive || {
		unmeasured load "$what" "podman does not work here: $(tail -c 200 "$errors" | tr '\n' ' ')"
		return
	}
	for ((i = 0; i < 5; i++)); do
		t=$(elapsed "$bawn" template load "$work/image.tar") && ours+=("$t") &&
			"$bawn" template rm -f localhost/bench-load >/dev/null 2>>"$errors" &&
			t=$(elapsed "${podman[@]}" load -q -i "$work/image.tar") && theirs+=("$t") &&
			"${podman[@]}" rmi -f bench-load >/dev/null 2>>"$errors" || {
			unmeasured load "$what" "$(tail -c 200 "$errors" | tr '\n' ' ')"
			return
		}
	done
	local a b
	a=$(printf '%s\n' "${ours[@]}" | quantile)
	b=$(printf '%s\n' "${theirs[@]}" | quantile)
	row load "$what" "$(calc "$a / $b")" "" "<=" 0.7 \
		"bawn $a ms, podman $b ms, $(wc -l <"$work/files") files"
	rm -f "$work/image.tar" "$work/layer.tar"
	unset XDG_RUNTIME_DIR
}
