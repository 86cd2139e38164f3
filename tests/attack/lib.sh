# shellcheck shell=bash disable=SC2154  # status, output: set by bats
# attack/lib.sh - what the attack tests share: running attack.py inside, and on the host to show
# that an attack works where nothing defends.
ATTACK=$BAWN_SRCDIR/tests/attack/attack.py
export ATTACK

# Inside, by descriptor 0 being the program: nothing is put into the workspace.
attack() {
	in_sandbox /usr/bin/python3 -c "$(cat "$ATTACK")" "$@"
}

on_host() {
	/usr/bin/python3 "$ATTACK" "$@"
}

# The attempts printed by attack all ended with one of the given results.
#	expect_all RESULT [RESULT...]   looks at $output; words behind "->" must all be among them
expect_all() {
	local line word seen=0
	while IFS= read -r line; do
		case $line in *' -> '*) ;; *) continue ;; esac
		seen=1
		for word in ${line##* -> }; do
			case " $* " in
			*" $word "*) ;;
			*) fail "not as wanted ($*): $line"; return 1 ;;
			esac
		done
	done <<<"$output"
	[ $seen = 1 ] || fail "no attempt was made"
}

# wants NAME RESULT: exactly that line.
wants() {
	case $output in
	*"$1 -> $2"*) ;;
	*) fail "wanted: $1 -> $2" ;;
	esac
}

# A sandbox in the background: bg CMD...; sets BG (pid of bawn) and BG_OUT (its output).
bg() {
	BG_OUT=$T/bg.$RANDOM
	"$BAWN" run --rm "${BAWN_OPTS[@]}" shell "$WS" -- "$@" >"$BG_OUT" 2>&1 3>&- </dev/null &
	BG=$!
	SERVERS+=("$BG")
}

bg_says() { # TEXT
	eventually grep -qF -- "$1" "$BG_OUT"
}

box_dirs() {
	find "$XDG_DATA_HOME/bawn/sandboxes" -mindepth 1 -maxdepth 1 -type d 2>/dev/null
}
