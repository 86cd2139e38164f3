#!/bin/bash
# long.sh - real agents at work for longer than their tokens live: what login-agents.bats tries with
# tokens of seconds, with those of ten minutes that the services give.  By hand: it takes its time.
#
# usage: tests/vault/long.sh claude|codex|gemini [MINUTES [SANDBOXES [LIFE]]]   (17, 20, 600 seconds)
#
# In the build directory, or with BAWN_BUILDDIR; as an ordinary user, with the agents installed
# (BAWN_AGENTS, ./bootstrap check).  The scripted model plays the API and the token endpoint: it
# refuses a token that is over, and takes a refresh token once.  All sandboxes share one log-in, which
# had ended before they start, and are led to work until the time is over; every few steps each shows all
# that it has.  After each renewal the memory of all that runs inside is searched (memory.py).
#
# Prints a line a minute and at the end what it came to; exits 1 when an agent did not do its work, a token
# was refused or used twice, a renewal was missing or one too many, or a token was found inside.
# shellcheck disable=SC2015,SC2016,SC2034
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
BATS_TEST_DIRNAME=$here/integration
tool=${1:-} minutes=${2:-17} sandboxes=${3:-20} LIFE=${4:-600}

skip() {
	printf 'long: %s\n' "$*" >&2
	exit 1
}
# shellcheck source=tests/lib.sh disable=SC1091
. "$here/lib.sh"
for part in agents vault login-agents; do
	# shellcheck disable=SC1090
	. "$here/integration/$part.sh"
done
login_of "$tool" || skip "usage: tests/vault/long.sh claude|codex|gemini [MINUTES [SANDBOXES [LIFE]]]"
[ "$(id -u)" != 0 ] || skip 'as an ordinary user'
BAWN_MUST_WORK=1
bawn_setup || skip 'no scratch directory'
pids=()
end() {
	for p in "${pids[@]}"; do
		kill "$p" 2>/dev/null
	done
	wait "${pids[@]}" 2>/dev/null
	bawn_teardown
}
trap end EXIT
trap 'exit 1' INT TERM

# One command a step, no two alike, for what looks for agents that go in circles, and fewer than 30: Gemini CLI
# then asks its model whether it is getting anywhere.  Claude Code refuses to sleep for long, but waits for
# what has no end.  Codex comes back after 30 s, so its steps are shorter and more.
step=$((minutes * 60 / 24 + 1))
[ "$tool" != codex ] || step=25
steps=$((minutes * 60 / step + 1))
COMMANDS='"echo written by the agent > made-$BAWN_SANDBOX.txt; echo made"'
for ((i = 1; i <= steps; i++)); do
	case $((i % 4)) in
	0) what=$SHOW ;;
	1) what="ls -l; date" ;;
	2) what="wc -c made-*.txt; uptime" ;;
	*) what="uname -a; cat made-*.txt" ;;
	esac
	COMMANDS+=",{\"run\":\"timeout $step tail -f /dev/null; echo step $i of $steps; $what\",\"timeout\":$((step + 90))}"
done
logged_in "$tool" "${HOSTS[@]}" || skip 'no log-in'

began=$SECONDS
for ((i = 0; i < sandboxes; i++)); do
	mkdir "$WS/$i"
	(cd "$WS/$i" && exec "$BAWN" run --rm "${OPTS[@]}" "${TASK[@]}") >"$T/out.$i" 2>&1 </dev/null &
	pids+=($!)
done

count() { grep -c "$1" "$MODEL_LOG" || :; }
refused() { grep '"status":401' "$MODEL_LOG" | grep -c '"authorization"' || :; }
alive() {
	local p n=0
	for p in "${pids[@]}"; do
		kill -0 "$p" 2>/dev/null && n=$((n + 1))
	done
	echo "$n"
}
known=0 at=0 bad=0 minute=-1
while [ "$(alive)" -gt 0 ]; do
	now=$((SECONDS - began))
	if [ $((now / 60)) -gt "$minute" ]; then
		minute=$((now / 60))
		printf '%3d min: %d at work, %d questions, %d renewals, %d refused\n' "$minute" "$(alive)" \
			"$(count '"api"')" "$(renewed)" "$(refused)"
	fi
	# twenty seconds behind it the vaults have it, and have used it
	n=$(renewed)
	[ "$n" = "$known" ] || at=$((now + 20))
	known=$n
	if [ "$at" -gt 0 ] && [ "$now" -ge "$at" ] && [ "$(count '"api"')" -gt "$sandboxes" ]; then
		at=0
		printf 'memory, after renewal %d: ' "$known"
		python3 "$here/vault/memory.py" $$ "$MODEL_LOG" "$REFRESH" || bad=$((bad + 1))
	fi
	# more than twice the time: something hangs
	[ "$now" -lt $((minutes * 120 + 600)) ] || break
	sleep 2
done

done=0 took=$((SECONDS - began))
for ((i = 0; i < sandboxes; i++)); do
	if grep -q 'THE TOUR IS OVER' "$T/out.$i" && [ "$(cat "$WS/$i"/made-*.txt)" = 'written by the agent' ]; then
		done=$((done + 1))
	else
		printf -- '--- sandbox %d\n' "$i"
		tail -5 "$T/out.$i"
	fi
done
# one before the start, then each time that three quarters of a life are over
want=$((1 + took * 4 / (LIFE * 3)))
printf '%s: %d of %d did their work in %d s; %d questions; %d renewals (%d at most, 2 at least), %d refused, %d used twice; %d finds\n' \
	"$tool" "$done" "$sandboxes" "$took" "$(count '"api"')" "$(renewed)" "$want" "$(refused)" \
	"$(count '"reuse":true')" "$bad"
[ "$done" = "$sandboxes" ] && [ "$(renewed)" -ge 2 ] && [ "$(renewed)" -le "$want" ] && [ "$(refused)" = 0 ] &&
	[ "$bad" = 0 ] && seen_well && echo 'as it must be'
