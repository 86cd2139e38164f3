#!/usr/bin/env bats
# template-agents.bats - the real Codex in a template, headless, led by the scripted model: created with
# --template, entered by name with a task, and what it changes in its root stays.
load ../lib.sh
load ../templates.sh
load agents.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

@test "codex in a template: created, run with a task, its changes of the system stay, the key does not get in" {
	need_agents codex
	local dir=${BAWN_AGENTS:-$BAWN_BUILDDIR/agents}/node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl
	need test -d "$dir" -- "codex for this machine"
	template_layer
	template_debian
	mkdir -p "$LAYER/opt" "$LAYER/usr/local/bin"
	cp -a "$dir" "$LAYER/opt/codex"
	ln -s "../../../opt/codex/$(cd "$dir" && find . -name codex -type f -perm -u+x | head -1)" "$LAYER/usr/local/bin/codex"
	template_commit tools:v1 'env PATH=/usr/local/bin:/usr/bin' 'env OF_IMAGE=yes'
	plant "$HOME/.ssh/id_ed25519"
	start_model "$(cat <<-EOT
		{"commands": [
		 "echo written by the agent > made.txt; id -un; echo of-image=\$OF_IMAGE; pwd",
		 "echo from codex >/etc/codex-was-here; cat /etc/image-file",
		 "cat $HOME/.ssh/id_ed25519; env | grep -c sk-test-codex; echo end"],
		 "final": "THE TASK IS DONE"}
	EOT
	)"
	lead codex
	run "$BAWN" create --name box --template tools:v1 "${LEAD[@]}" codex .
	[ "$output" = box ] || fail "$output"
	run timeout 200 "$BAWN" run box -- "${TASK[@]}" </dev/null
	assert_status 0
	assert_output 'THE TASK IS DONE'
	refute_output 'not brought in'
	[ "$(cat "$WS/made.txt")" = 'written by the agent' ]
	[[ $(tool_result 0) == *agent*of-image=yes*"$WS"* ]] || fail "$(tool_result 0)"
	[[ $(tool_result 1) == *image-only* ]] || fail "$(tool_result 1)"
	[[ $(tool_result 2) == *end* ]] || fail "$(tool_result 2)"
	refute_canary "$MODEL_LOG"
	# a log-in that changes is brought in over the copy that is there, in a layer or written
	"$BAWN" exec box sh -c 'echo old >~/.codex/auth.json'
	"$BAWN" checkpoint box one
	run "$BAWN" run box -- --version
	assert_status 0
	refute_output 'not brought in'
	run "$BAWN" exec box cat /home/agent/.codex/auth.json
	refute_output old
	run "$BAWN" exec box cat /etc/codex-was-here
	[ "$output" = "from codex" ] || fail "$output"
}
