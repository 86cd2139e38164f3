# shellcheck shell=bash disable=SC2015,SC2154,SC2317  # as in run, whose variables and callers these are
# lasting.sh - the rows about sandboxes that last; read by run.

# lasting NAME ARGS...: a fresh one, whose directory is $work/empty
lasting() {
	local name=$1
	shift
	"$bawn" rm -f "$name" >/dev/null 2>&1
	(cd "$work/empty" && "$bawn" create --name "$name" "$@" shell >/dev/null)
}

bench_reenter() {
	local what="re-enter a stopped sandbox, of a fresh --rm start"
	lasting bench-box && race once "$work/empty" "${bawn_true[@]}" \; \
		again "$work/empty" "$bawn" run bench-box -- true || {
		unmeasured reenter "$what" "a command failed"
		return
	}
	row reenter "$what" "$(calc "${median[again]} / ${median[once]}")" "" "<=" 1.3 \
		"$(times again)$(times once)"
	"$bawn" rm -f bench-box >/dev/null
}

bench_exec() {
	local what="exec into a running sandbox, of bwrap --unshare-all"
	lasting bench-box && (cd "$work/empty" && "$bawn" exec -d bench-box sleep 3600 >/dev/null) &&
		race exec "$work/empty" "$bawn" exec bench-box true \; \
			bwrap "$work/empty" "${bwrap_real[@]}" true || {
		unmeasured exec "$what" "a command failed"
		return
	}
	row exec "$what" "$(calc "${median[exec]} / ${median[bwrap]}")" "" "<=" 0.6 \
		"$(times exec)$(times bwrap)"
	"$bawn" rm -f bench-box >/dev/null
}

# at_once COMMAND...: how long, in ms, until 200 of them that were started together have ended
at_once() {
	local t=${EPOCHREALTIME/./} i
	for ((i = 0; i < 200; i++)); do
		"$@" </dev/null >/dev/null 2>>"$errors" &
	done
	wait
	calc "(${EPOCHREALTIME/./} - $t) / 1000" 1
}

bench_many() {
	local what="200 sandboxes at once, of 200 bwrap" i ours=() theirs=()
	cd "$work/empty" || return
	for ((i = 0; i < 5; i++)); do
		ours+=("$(at_once "${bawn_true[@]}")")
		theirs+=("$(at_once "${bwrap_real[@]}" true)")
	done
	local a b
	a=$(printf '%s\n' "${ours[@]}" | quantile)
	b=$(printf '%s\n' "${theirs[@]}" | quantile)
	row many "$what" "$(calc "$a / $b")" "" "<=" 1.0 "bawn $a ms, bwrap $b ms"
}
