# shellcheck shell=bash disable=SC2034,SC2154  # used by the tests; set by bats
# lib.sh - a registry that does as it is told (registry.py), for a .bats file.

# registry_start: two of them, the second one for the first to redirect to.  Sets REG (a directory with
# port, log, image) and ELSE.
registry_start() {
	local dir
	REG=$1/registry ELSE=$1/elsewhere
	for dir in "$ELSE" "$REG"; do
		mkdir -p "$dir"
		: >"$dir/log"
		# 3>&-: bats waits for whoever holds its descriptor 3
		python3 "$BAWN_SRCDIR/tests/registry/registry.py" "$dir" "$(cat "$ELSE/port" 2>/dev/null)" \
			>/dev/null 2>&1 3>&- </dev/null &
		echo "$!" >"$dir/pid"
		eventually test -e "$dir/port"
	done
}

registry_stop() {
	local dir
	for dir in "$REG" "$ELSE"; do
		kill "$(cat "$dir/pid")" 2>/dev/null || :
	done
}

registry_at() {
	echo "127.0.0.1:$(cat "$REG/port")"
}

# layer N: "digest=... size=..." of the image's n-th layer.
registry_layer() {
	awk -v n="$1" '/^layer/ && ++i == n { print "digest=" $2, "size=" $3 }' "$REG/image"
}

# ask KEY=VALUE...: one question to bawn-registry, what comes on its descriptor 4 to $OUT.
ask() {
	timeout 60 python3 "$BAWN_SRCDIR/tests/registry/ask.py" "$BAWN_BUILDDIR/bawn-registry" "$OUT" \
		base="http://$(registry_at)" "$@"
}

# none_of PATTERN FILE...: it is in none of them.
none_of() {
	if grep -nE -- "$1" "${@:2}"; then
		fail "found: $1"
	fi
}

# registries LINE...: the file CONFIG/registries.
registries() {
	mkdir -p "$XDG_CONFIG_HOME/bawn"
	printf '%s\n' "$@" >"$XDG_CONFIG_HOME/bawn/registries"
}

# What the store holds, for a comparison before and after.
store_state() {
	(cd "$XDG_DATA_HOME/bawn/templates" 2>/dev/null &&
		ls -A tmp images layers && cut -d' ' -f1,2 tags 2>/dev/null) || :
}

# docker_registry DIR: Debian's, on a port of loopback; sets DOCKER_AT.
docker_registry() {
	mkdir -p "$1"
	cat >"$1/config.yml" <<-EOF
		version: 0.1
		log: {level: info, formatter: text}
		storage: {filesystem: {rootdirectory: $1/data}}
		http: {addr: "127.0.0.1:0"}
	EOF
	docker-registry serve "$1/config.yml" >"$1/log" 2>&1 3>&- </dev/null &
	echo "$!" >"$1/pid"
	eventually grep -q 'listening on' "$1/log"
	DOCKER_AT=$(sed -n 's/.*listening on \(127.0.0.1:[0-9]*\).*/\1/p' "$1/log" | head -1)
}
