#!/bin/bash
# short-loop.sh - a fixture: a loop around one sandbox as people write it for codex.  Every round is a
# fresh session that is told its number and what the last one wrote.  0: another round, 2: the
# target is reached, else it failed.  SANDBOX_TOOL is the program that stands before "run".
rounds=${ROUNDS:-5}
box=ralph-env
answer=output.txt
thinking=medium

task=$1
if [[ -z $task ]]; then
	echo "usage: $0 TASK" >&2
	exit 1
fi

ask() {
	"$SANDBOX_TOOL" run "$box" -- --dangerously-bypass-approvals-and-sandbox exec \
		-c "model_reasoning_effort=\"$thinking\"" -o "$answer" "$1"
}

round=0
while ((++round <= rounds)); do
	echo "round $round of $rounds"
	before=$(cat "$answer" 2>/dev/null)
	ask "$task

This is round $round.
What the round before left:
$before"
	status=$?
	if ((status == 2)); then
		echo reached
		exit 0
	elif ((status != 0)); then
		echo "round $round failed" >&2
		exit "$status"
	fi
done
