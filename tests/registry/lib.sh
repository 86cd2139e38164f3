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
