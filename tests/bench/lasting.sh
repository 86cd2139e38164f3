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

# elapsed COMMAND...: ms
elapsed() {
	local t=${EPOCHREALTIME/./}
	"$@" </dev/null >/dev/null 2>>"$errors" || return 1
	calc "(${EPOCHREALTIME/./} - $t) / 1000" 2
}

# A sandbox at rest with SIZE in its home, made by fallocate: what is in the blocks costs nothing.
filled() { # NAME SIZE
	# shellcheck disable=SC2016  # for the shell inside
	lasting "$1" && "$bawn" exec "$1" sh -c 'fallocate -l "$1" ~/big && mkdir ~/d &&
		for i in $(seq 200); do echo "$i" >~/d/$i; done' sh "$2" 2>>"$errors"
}

bench_checkpoint() {
	local what size i c f
	for size in 10M 10G; do
		local cs=() fs=()
		what="a sandbox of ${size}B at rest"
		for i in 1 2 3 4 5; do
			if ! filled bench-box "$size" || ! c=$(elapsed "$bawn" checkpoint bench-box one) ||
				! "$bawn" exec bench-box touch /tmp/x || ! f=$(elapsed "$bawn" fork bench-box bench-fork); then
				unmeasured checkpoint "$what" "a command failed"
				return
			fi
			cs+=("$c") fs+=("$f")
			"$bawn" rm -f bench-fork bench-box >/dev/null
		done
		row "checkpoint-$size" "checkpoint of $what" "$(printf '%s\n' "${cs[@]}" | quantile)" " ms" "<=" 10 \
			"five times, each with a fresh one: ${cs[*]}"
		row "fork-$size" "fork of $what" "$(printf '%s\n' "${fs[@]}" | quantile)" " ms" "<=" 10 \
			"five times: ${fs[*]}"
	done
}

bench_diff() {
	local what="diff --stat, 1,000 of 100,000 files changed, of git status"
	git_workspace || {
		unmeasured diff "$what" "no workspace (is git installed?)"
		return
	}
	"$bawn" rm -f bench-box >/dev/null 2>&1
	# shellcheck disable=SC2016
	(cd "$git_ws" && "$bawn" create --name bench-box --workspace cow shell >/dev/null &&
		"$bawn" exec bench-box sh -c 'for d in $(seq 0 99); do for i in 0 1 2 3 4 5 6 7 8 9; do
			echo changed >>src/$((d / 25))/$d/file-$i.c; done; done' 2>>"$errors") &&
		race diff "$git_ws" "$bawn" diff --stat bench-box \; git "$git_ws" git status || {
		unmeasured diff "$what" "a command failed"
		return
	}
	row diff "$what" "$(calc "${median[diff]} / ${median[git]}")" "" "<=" 1.5 \
		"$(times diff)$(times git)"
	"$bawn" rm -f bench-box >/dev/null
}

cached_kb() {
	awk '/^Cached:/ { print $2 }' /proc/meminfo
}

# 50 forks of a sandbox with 100 MB: what they take on disk, and what reading it in each takes of memory
bench_forks() {
	local what="50 forks of a sandbox with 100 MB" before after c0 c1 i
	lasting bench-box && "$bawn" exec bench-box sh -c 'head -c 104857600 /dev/urandom >~/big' 2>>"$errors" || {
		unmeasured forks "$what" "a command failed"
		return
	}
	before=$(du -sk "$HOME/.local/share/bawn" | cut -f1)
	"$bawn" fork --count 50 bench-box bench-fork >/dev/null 2>>"$errors" || {
		unmeasured forks "$what" "a command failed"
		return
	}
	after=$(du -sk "$HOME/.local/share/bawn" | cut -f1)
	row forks-disk "disk: $what, of one" "$(calc "$after / $before")" "" "<=" 1.1 "$before KiB, then $after KiB"
	sync -f "$HOME/.local/share/bawn"
	c0=$(cached_kb)
	for i in 1 2 3 4 5 6 7 8 9 10; do
		"$bawn" exec "bench-fork-$i" sh -c 'cat ~/big' >/dev/null 2>>"$errors"
	done
	c1=$(cached_kb)
	row forks-cache "page cache: read in ten of them, of the file once" \
		"$(calc "($c1 - $c0 > 0 ? $c1 - $c0 : 0) / 102400")" "" "<=" 1.2 "grew by $((c1 - c0)) KiB"
	"$bawn" rm -f --all >/dev/null
}
