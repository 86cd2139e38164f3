# shellcheck shell=bash disable=SC2015,SC2154,SC2034,SC2317  # A && B || C is meant; variables of run's; called by name
# template.sh - rows of `run`: starts in a template, of one layer and of thirty; loading, saving and building one;
# and podman's and buildah's on the same files.  Rootless these take newuidmap, or ignore_chown_errors for one uid.

# shellcheck source=tests/templates.sh
. "$here/../templates.sh"

# podman_here DIR: $podman, $buildah with a store of their own
podman_here() {
	local store=(--root "$1" --runroot "$work/podman" --storage-driver overlay
		--storage-opt ignore_chown_errors=true)
	podman=(podman "${store[@]}" --cgroup-manager cgroupfs)
	buildah=(buildah "${store[@]}")
	mkdir -p "$work/podman" && export XDG_RUNTIME_DIR=$work/podman
}

# Its runtime, crun, refuses a hierarchy that is half version 1, also where it is to make no group: in podman's own
# mount namespace, which its pause process keeps, it sees version 2 alone.
podman_cgroups() {
	# shellcheck disable=SC2016  # for the shell in there
	[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] || "${podman[@]}" unshare sh -c \
		'[ ! -d /sys/fs/cgroup/unified ] || mount --rbind /sys/fs/cgroup/unified /sys/fs/cgroup' 2>>"$errors"
}

# The pause process of podman_here, and what lies in the stores with other numbers.
podman_away() {
	local pid
	pid=$(cat "$work/podman/libpod/tmp/pause.pid" 2>/dev/null) && kill "$pid" 2>/dev/null
	buildah unshare rm -rf "$@" 2>>"$errors" || rm -rf "$@" 2>>"$errors"
	unset XDG_RUNTIME_DIR
}

# missing TOOL...: what of them is not installed
missing() {
	local t out=''
	for t; do
		command -v "$t" >/dev/null || out+="$t is not installed; "
	done
	printf '%s' "${out%; }"
}

# duel ROUNDS NAME: interleaved rounds of ours_NAME and theirs_NAME, each given the round's number, and begun in turn;
# before each the disk is at rest, as one would pay for what the other has written.  ready_NAME, where there is one,
# comes before each round.  Sets ours_ms, theirs_ms (medians) and spread.
duel() {
	local i who t ours=() theirs=() order
	for ((i = 0; i < $1; i++)); do
		order="ours theirs"
		((i % 2)) && order="theirs ours"
		! declare -F "ready_$2" >/dev/null || "ready_$2" "$i" >/dev/null 2>>"$errors" || return 1
		for who in $order; do
			sync -f "$scratch"
			t=$(elapsed "${who}_$2" "$i") || return 1
			declare -n times_of=$who
			times_of+=("$t")
		done
	done
	ours_ms=$(printf '%s\n' "${ours[@]}" | quantile)
	theirs_ms=$(printf '%s\n' "${theirs[@]}" | quantile)
	spread="$1 rounds, ours ${ours[*]}, theirs ${theirs[*]}"
}

why_not() {
	tail -c 200 "$errors" | tr '\n' ' '
}

versions() {
	"$@" --version 2>/dev/null | awk '{ sub(/^version /, ""); printf "%s %s", $1, $3; exit }'
}

# ---- starts ----

# One layer with a small system; thirty: the same and 29 that each bring files of their own and
# replace those of the one below.
bench_templates() {
	local XDG_DATA_HOME=$HOME/.local/share T=$work i
	[ -n "${bench_layer:-}" ] && return
	LAYERS=()
	template_layer && template_debian && template_program true || return 1
	# shellcheck disable=SC2153  # template_layer sets it
	mkdir -p "$LAYER"/{proc,sys,dev,tmp,run,usr/local/bin}
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
	local what="start in a template of 30 layers, of 1 layer"
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

# podman as it is run, with its network, as bawn has one; and without any.
bench_podman() {
	local what="start in a template of 30 layers, of podman run" podman buildah why net=()
	why=$(missing podman)
	[ -z "$why" ] || {
		unmeasured template-podman "$what" "$why"
		return
	}
	podman_here "$scratch/podman"
	[ -w /dev/net/tun ] && [ -z "$(missing slirp4netns)" ] || net=(--network none)
	if tar -C "$bench_layer" -c . 2>"$errors" | "${podman[@]}" import -q - bench-one >/dev/null 2>>"$errors" &&
		podman_cgroups &&
		rounds=$((rounds > 30 ? 30 : rounds)) race podman "$work/empty" "${podman[@]}" run --rm "${net[@]}" \
			--cgroups disabled bench-one true \; \
			alone "$work/empty" "${podman[@]}" run --rm --network none --cgroups disabled bench-one true \; \
			bawn "$work/empty" "$bawn" run --rm --template bench-thirty shell -- true; then
		row template-podman "$what" "$(calc "${median[bawn]} / ${median[podman]}")" "" "<=" 0.05 \
			"$(times bawn)$(times podman)$(versions podman), of 1 layer${net:+, without a network}"
		row template-podman-alone "the same, of podman run --network none" \
			"$(calc "${median[bawn]} / ${median[alone]}")" "" none 0 "$(times alone)"
	else
		unmeasured template-podman "$what" "$(why_not)"
	fi
	podman_away "$scratch/podman"
}

# ---- save, build: bench-one as an image that both have ----

both_have() {
	bench_templates && tar -C "$bench_layer" -c . 2>>"$errors" |
		"${podman[@]}" import -q -c 'ENV PATH=/usr/bin' - bench-base >/dev/null 2>>"$errors" &&
		"${podman[@]}" save -q -o "$work/base.tar" bench-base >/dev/null 2>>"$errors" &&
		"$bawn" template load -q "$work/base.tar" >/dev/null 2>>"$errors" && rm -f "$work/base.tar"
}

# of_this_machine BYTES DIR: so many bytes of its own files, small and large as they come, always the same
of_this_machine() {
	(cd / && find usr/lib usr/share -xdev -type f -readable -size -64M -printf '%p\t%s\n' 2>/dev/null) |
		LC_ALL=C sort | awk '{ print NR * 7919 % 100003 "\t" $0 }' | sort -n 2>/dev/null |
		awk -F'\t' -v max="$1" '{ n += $3 } n > max { exit } { print $2 }' >"$work/files"
	mkdir -p "$2" && tar -C / -c -T "$work/files" 2>>"$errors" | tar -C "$2" -x 2>>"$errors"
}

# As the bytes are new each time, nobody has the layer already.
ready_save() {
	(cd "$work/in" && "$bawn" run bench-box -- sh -c "echo $1 >/data/round") &&
		"${podman[@]}" run --name "bench-box-$1" --network none --cgroups disabled -v "$work/in:/in:ro" \
			bench-base sh -c "cp -r /in/usr /data && echo $1 >/data/round"
}

ours_save() {
	"$bawn" template save -q "${allowed[@]}" bench-box "bench-saved:$1"
}

# What of this machine's files looks like a key to the gate is allowed by name, as its remedy says.
allow_findings() {
	local word
	allowed=()
	for word in $("$bawn" template save -q bench-box bench-saved:0 2>&1 | grep -o -- '--allow-secret [^ ]*'); do
		allowed+=("$word")
	done
}

theirs_save() {
	"${podman[@]}" commit -q "bench-box-$1" "bench-saved:$1"
}

bench_save() {
	local what="save 100 MB written in a sandbox, of podman commit" podman buildah why allowed=()
	why=$(missing podman buildah)
	[ -z "$why" ] || {
		unmeasured save "$what" "$why"
		return
	}
	podman_here "$scratch/podman-save"
	: >"$errors"
	if both_have && podman_cgroups && of_this_machine 100e6 "$work/in" &&
		(cd "$work/in" && "$bawn" create --name bench-box --template localhost/bench-base shell &&
			"$bawn" run bench-box -- sh -c "mkdir /data && cp -r $work/in/usr /data") >/dev/null 2>>"$errors" &&
		allow_findings &&
		duel $((rounds > 11 ? 11 : rounds)) save; then
		row save "$what" "$(calc "$ours_ms / $theirs_ms")" "" "<=" 0.7 \
			"bawn $ours_ms ms, podman $theirs_ms ms, $(wc -l <"$work/files") files, $spread, $(versions podman)"
	else
		unmeasured save "$what" "$(why_not)"
	fi
	"$bawn" rm -f bench-box >/dev/null 2>&1
	podman_away "$scratch/podman-save"
	rm -rf "$work/in"
}

build_context() {
	mkdir -p "$1/src" && for i in 1 2 3 4 5 6 7 8 9; do echo "$i" >"$1/src/$i"; done
	cat >"$1/Dockerfile" <<-'EOF'
		FROM localhost/bench-base
		ARG WHO=world
		ENV GREETING=hello
		WORKDIR /app
		COPY src/1 src/2 ./
		RUN echo "$GREETING $WHO" >one
		RUN mkdir -p /opt/two && cp one /opt/two
		COPY src /app/src
		RUN cat src/* >all
		RUN --mount=type=cache,target=/cache echo 3 >three
		LABEL version=1
		CMD ["cat", "all"]
	EOF
}

bench_build() {
	local what="a build of which all is cached, of buildah" podman buildah why bud
	why=$(missing podman buildah)
	[ -z "$why" ] || {
		unmeasured build "$what" "$why"
		return
	}
	podman_here "$scratch/podman-build"
	bud=("${buildah[@]}" bud --layers --isolation chroot -t bench-built "$work/context")
	: >"$errors"
	# each of them fills its cache, and shows that it has it
	if both_have && build_context "$work/context" &&
		"$bawn" template build -t bench-built "$work/context" >/dev/null 2>>"$errors" &&
		"${bud[@]}" >/dev/null 2>>"$errors" &&
		[ "$("$bawn" template build "$work/context" 2>&1 >/dev/null | grep -c CACHED)" -ge 6 ] &&
		[ "$("${bud[@]}" 2>&1 | grep -c 'Using cache')" -ge 6 ] &&
		rounds=$((rounds > 40 ? 40 : rounds)) race buildah "$work/empty" "${bud[@]}" \; \
			bawn "$work/empty" "$bawn" template build -t bench-built "$work/context"; then
		row build "$what" "$(calc "${median[bawn]} / ${median[buildah]}")" "" "<=" 0.3 \
			"$(times bawn)$(times buildah)$(versions buildah)"
	else
		unmeasured build "$what" "$(why_not)"
	fi
	podman_away "$scratch/podman-build"
}

# ---- load ----

# An archive of one image with 500 MB of this machine's own files.
bench_archive() {
	of_this_machine 500e6 "$work/in" && tar -C "$work/in" -cf "$work/layer.tar" . && rm -rf "$work/in" &&
		"${podman[@]}" import -q "$work/layer.tar" bench-load >/dev/null 2>>"$errors" && rm -f "$work/layer.tar" &&
		"${podman[@]}" save -q -o "$work/image.tar" bench-load >/dev/null 2>>"$errors"
}

# A store of its own for each: what is removed between two rounds makes the next one slower, as some file systems
# look at each inode that went a short while ago.
ready_load() {
	podman_here "$scratch/load/podman-$1"
	"${podman[@]}" images -q && mkdir -p "$scratch/load/bawn-$1"
}

ours_load() {
	XDG_DATA_HOME=$scratch/load/bawn-$1 "$bawn" template load -q "$work/image.tar"
}

theirs_load() {
	"${podman[@]}" load -q -i "$work/image.tar"
}

bench_load() {
	local what="load an image of 500 MB, of podman load" podman buildah why
	why=$(missing podman buildah)
	[ -z "$why" ] || {
		unmeasured load "$what" "$why"
		return
	}
	podman_here "$scratch/load/podman"
	: >"$errors"
	if bench_archive && duel $((rounds > 5 ? 5 : rounds)) load; then
		row load "$what" "$(calc "$ours_ms / $theirs_ms")" "" "<=" 0.7 \
			"bawn $ours_ms ms, podman $theirs_ms ms, $(wc -l <"$work/files") files, $spread, $(versions podman)"
	else
		unmeasured load "$what" "$(why_not)"
	fi
	podman_away "$scratch/load"
	rm -f "$work/image.tar"
}
