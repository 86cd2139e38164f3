#!/usr/bin/env bats
# agents-lasting.bats - the real agents in sandboxes that last: each workspace mode through a whole
# life, sessions taken up again, log-ins and programs that change on the host between two starts.
load ../lib.sh
load agents.sh
load agents-lasting.sh
setup() { bawn_setup; }
teardown() {
	tmux -S "$T/tmux" kill-server 2>/dev/null
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

@test "claude lives in a direct workspace: create, detach, exec, allow, attach, fork, diff, rm" {
	life claude direct
}

@test "claude lives in a cow workspace: create, detach, exec, allow, attach, fork, diff, apply, rm" {
	life claude cow
}

@test "claude lives in a clone: create, detach, exec, allow, attach, fork, fetch, rm" {
	life claude clone
}

@test "claude lives without a workspace: create, detach, exec, allow, attach, fork, rm" {
	life claude none
}

@test "codex lives in a direct workspace: create, detach, exec, allow, attach, fork, diff, rm" {
	life codex direct
}

@test "codex lives in a cow workspace: create, detach, exec, allow, attach, fork, diff, apply, rm" {
	life codex cow
}

@test "codex lives in a clone: create, detach, exec, allow, attach, fork, fetch, rm" {
	life codex clone
}

@test "codex lives without a workspace: create, detach, exec, allow, attach, fork, rm" {
	life codex none
}

# short_life AGENT: two tasks in one sandbox in the background, with a look from beside.
short_life() {
	local agent=$1
	need_agents
	need_runnable "$agent"
	git_repo
	serve_http OPENED
	LATER=$PORT
	start_model "$(life_scenario "$LATER")"
	life_lead "$agent"
	KEPT+=(--connect-to "later.test:$LATER:127.0.0.1:$LATER")
	box create --name box --workspace cow "${KEPT[@]}" "$agent" >/dev/null
	run box run -d "${GIVEN[@]}" box -- "${TASK[@]}"
	assert_status 0 || return 1
	eventually was_denied box || return 1
	[ "$(box exec box cat who.txt)" = box ] || return 1
	run box policy allow --sandbox box "later.test:$LATER"
	assert_status 0 || return 1
	eventually box_is box stopped || return 1
	run box logs box
	assert_output 'THE TOUR IS OVER' || return 1
	[ "$(box fork box try 2>"$T/said")" = try ] || fail "$(cat "$T/said")" || return 1
	ask try || return 1
	run box diff try
	assert_output '+try' || return 1
	run box apply try
	assert_status 0 || return 1
	[ "$(cat "$WS/who.txt")" = try ] || return 1
	run box rm box try
	assert_status 0 || return 1
	assert_no_leftovers
}

@test "gemini lives in a cow workspace: run -d, exec, allow, logs, fork, diff, apply, rm" {
	short_life gemini
}

@test "opencode lives in a cow workspace: run -d, exec, allow, logs, fork, diff, apply, rm" {
	short_life opencode
}

# ---- between two starts -------------------------------------------------------------------------

# How many tool results stood in the requests since line $1 of the model's log, first and last.
results_since() {
	node -e '
		const lines = require("fs").readFileSync(process.argv[1], "utf8").trim().split("\n");
		const r = lines.slice(Number(process.argv[2])).map(JSON.parse)
			.filter((e) => e.tools?.length).map((e) => e.results);
		console.log(r[0], r.at(-1));' "$MODEL_LOG" "$1"
}

# resumes AGENT ARGS...: a task, a stop, and the same session again by ARGS.
resumes() {
	local agent=$1 n
	shift
	need_agents
	need_runnable "$agent"
	start_model '{"commands":["echo one >one.txt","echo two >two.txt"],"final":"THE TOUR IS OVER"}'
	life_lead "$agent"
	box create --name box "${KEPT[@]}" "$agent" >/dev/null
	ask box || return 1
	box_is box stopped || return 1
	n=$(wc -l <"$MODEL_LOG")
	run timeout 60 "$BAWN" run "${GIVEN[@]}" box -- "${TUI[@]}" "$@" </dev/null
	assert_status 0 || return 1
	assert_output 'THE TOUR IS OVER' || return 1
	# it knows of both steps before it is asked anything (gemini writes each twice into its history)
	[[ $(results_since "$n") =~ ^(2 2|4 4)$ ]] || fail "results: $(results_since "$n")" || return 1
	# and a new session doesn't
	n=$(wc -l <"$MODEL_LOG")
	ask box || return 1
	[ "$(results_since "$n")" = '0 2' ] || fail "results: $(results_since "$n")"
}

@test "claude -c goes on with the session that an earlier start left" {
	resumes claude -c -p more
}

@test "codex exec resume goes on with the session that an earlier start left" {
	need_agents
	resumes codex exec resume --last more
}

@test "gemini --resume goes on with the session that an earlier start left" {
	resumes gemini -m gemini-2.5-flash --resume latest -p more
}

@test "opencode run -c goes on with the session that an earlier start left" {
	resumes opencode run -c more
}

# codex and claude take turns in one home and one clone; each has its own log-in.
@test "another agent enters the same sandbox, and finds what the first left" {
	need_agents
	need_runnable claude
	git_repo
	start_model '{"commands":["cat ~/left notes.txt; echo turn >>~/left; echo note >>notes.txt; git add notes.txt; git commit -qm note"],"final":"THE TOUR IS OVER"}'
	life_lead codex
	box create --name box --workspace clone "${KEPT[@]}" codex >/dev/null
	ask box || return 1
	life_lead claude
	: >"$MODEL_LOG"
	run timeout 60 "$BAWN" run --name box "${GIVEN[@]}" claude -- "${TASK[@]}" </dev/null
	assert_status 0 || return 1
	assert_output 'THE TOUR IS OVER' || return 1
	[[ $(tool_result 0) == *turn*note* ]] || fail "it found: $(tool_result 0)" || return 1
	[ "$(box exec box git rev-list --count HEAD)" = 3 ] || return 1
	[ "$(box exec box cat notes.txt)" = $'note\nnote' ] || return 1
	# both homes are there, and both sessions can be gone on with
	box exec box sh -c 'ls ~/.codex/sessions ~/.claude/projects' >/dev/null || return 1
	# together with the other while that runs
	box exec -d box sleep 60 || return 1
	life_lead codex
	run timeout 60 "$BAWN" run "${GIVEN[@]}" --name box codex -- "${TASK[@]}" </dev/null
	assert_status 0 || return 1
	assert_output 'THE TOUR IS OVER' || return 1
	[ "$(box exec box git rev-list --count HEAD)" = 4 ]
}

# ---- log-ins and programs that change on the host -----------------------------------------------

# token_seen TEXT: did the model get it as a credential?
token_seen() {
	grep -q "$1" "$MODEL_LOG"
}

# login_renewed TOOL HOST ARGS...: a log-in that runs out between two starts, and is renewed on the host.
login_renewed() {
	local tool=$1 host=$2 renewal=$3 opts
	need_agents
	need_runnable "$tool"
	shift 3
	make_ca "$host"
	export SSL_CERT_FILE=$T/ca.pem
	start_model '{"commands":["echo x >>made.txt"],"final":"THE TOUR IS OVER"}' tls
	opts=(--connect-to "$host:443:127.0.0.1:$MODEL_PORT" --connect-to "$renewal:443:127.0.0.1:1")
	ACCESS=first-token-of-the-test
	plant_login "$tool"
	box create --name box "${opts[@]}" "$tool" >/dev/null
	run timeout 60 "$BAWN" run box -- "$@" </dev/null
	assert_output 'THE TOUR IS OVER' || return 1
	# it ran out, and the place to renew it can't be reached: said
	plant_login "$tool" -60
	run timeout 20 "$BAWN" run box -- --version </dev/null
	assert_output 'could not be renewed' || return 1
	# renewed on the host, whatever the tool made of its file inside meanwhile
	: >"$MODEL_LOG"
	ACCESS=second-token-of-the-test
	plant_login "$tool"
	run timeout 60 "$BAWN" run box -- "$@" </dev/null
	assert_output 'THE TOUR IS OVER' || return 1
	refute_output renewed || return 1
	[ "$(wc -l <"$WS/made.txt")" = 2 ] || return 1
	token_seen "$ACCESS" || fail "the new token was not used: $(grep -o '"auth":{[^}]*}' "$MODEL_LOG")" || return 1
	refute_canary "$MODEL_LOG"
}

@test "claude's log-in, renewed on the host, counts at the next start" {
	login_renewed claude api.anthropic.com platform.claude.com -p go
}

@test "codex's log-in, renewed on the host, counts at the next start" {
	login_renewed codex chatgpt.com auth.openai.com -c features.enable_request_compression=false exec go
}

@test "claude that updated itself on the host runs at the next start, and beside what runs" {
	need_agents
	need_runnable claude
	local v=$HOME/.local/share/claude/versions real
	start_model '{"commands":["echo x >>made.txt"],"final":"THE TOUR IS OVER"}'
	life_lead claude
	real=$(readlink -f "$(command -v claude)")
	mkdir -p "$v" "$HOME/.local/bin"
	ln "$real" "$v/1.0.1" 2>/dev/null || cp "$real" "$v/1.0.1"
	ln -s "$v/1.0.1" "$HOME/.local/bin/claude"
	PATH=$HOME/.local/bin:$PATH
	box create --name box "${KEPT[@]}" claude >/dev/null
	ask box || return 1
	# as its updater does: the new one, the link, the old one goes
	mv "$v/1.0.1" "$v/1.0.2"
	ln -sfn "$v/1.0.2" "$HOME/.local/bin/claude"
	ask box || return 1
	# while something runs
	box exec -d box sleep 60 || return 1
	mv "$v/1.0.2" "$v/1.0.3"
	ln -sfn "$v/1.0.3" "$HOME/.local/bin/claude"
	ask box || return 1
	box stop -t 0 box || return 1
	ask box || return 1
	[ "$(wc -l <"$WS/made.txt")" = 4 ]
}
