#!/usr/bin/env bats
# shellcheck disable=SC2088,SC2153  # the tilde is in the message; LAYER: set by templates.sh
# template-config.bats - what a template says to the tools stays in force: instructions, settings, commands,
# git's configuration; with bawn's own keys in it, before the user's, whatever is written there.
# shellcheck disable=SC2016,SC2088,SC2153  # for the inner shell; LAYER: templates.sh
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../templates.sh
load agents.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

# A template "base", once more: a small system, and a layer whose HOMEDIR is the agent's home.
begin() {
	rm -f "${TEMPLATES:-$T}/tags"
	LAYERS=(${SYSTEM:+"$SYSTEM"})
	if [ -z "${SYSTEM:-}" ]; then
		template_layer
		template_debian
		SYSTEM=${LAYERS[0]}
	fi
	template_layer
	HOMEDIR=$LAYER/home/agent
	mkdir -p "$HOMEDIR"
}

# put FILE: standard input to a file of the template's home
put() {
	mkdir -p "$(dirname "$HOMEDIR/$1")"
	cat >"$HOMEDIR/$1"
}

# in_tool TOOL SCRIPT [OPTIONS...]
in_tool() {
	local tool=$1 script=$2
	shift 2
	look "$tool" "$script" --template base "$@"
}

# get KEY...: of the JSON in $output
get() {
	python3 -c '
import json, sys
d = json.loads(sys.argv[1])
for k in sys.argv[2:]:
    d = d[int(k)] if isinstance(d, list) else d[k]
print(json.dumps(d))' "$output" "$@"
}

# toml KEY...: of the TOML in $output
toml() {
	python3 -c '
import json, sys, tomllib
d = tomllib.loads(sys.argv[1])
for k in sys.argv[2:]:
    d = d[int(k)] if isinstance(d, list) else d[k]
print(json.dumps(d))' "$output" "$@"
}

@test "config: a template's config.toml stays, with bawn's keys in it and the user's behind it" {
	begin
	put .codex/config.toml <<-'EOT'
		# of the team
		model = "of-the-template"
		check_for_update_on_startup = true
		features.web_search = true
		mcp_servers = { own = { command = "/opt/own", args = ["a", "b"] } }
		[projects]
		"/elsewhere" = { trust_level = "untrusted" }
		[[x.y]]
		n = 1
		[x.y.z]
		m = 2
		[[x.y]]
		n = 3
		[tui]
		theme = "dark"
		notifications = true
	EOT
	template_commit base
	mkdir -p "$HOME/.codex"
	printf 'model = "of-the-user"\nmodel_reasoning_effort = "high"\n[tui]\ntheme = "light"\nanimations = false\n[mcp_servers.mine]\nurl = "https://mcp.example.com"\n' \
		>"$HOME/.codex/config.toml"
	run in_tool codex 'cat ~/.codex/config.toml' -q
	assert_status 0
	[ "$(toml model)" = '"of-the-template"' ]
	[ "$(toml model_reasoning_effort)" = '"high"' ]
	[ "$(toml check_for_update_on_startup)" = false ]
	[ "$(toml features)" = '{"web_search": true, "daemon_auto_start": false}' ]
	[ "$(toml projects "$WS")" = '{"trust_level": "trusted"}' ]
	[ "$(toml projects /elsewhere)" = '{"trust_level": "untrusted"}' ]
	[ "$(toml mcp_servers)" = '{"own": {"command": "/opt/own", "args": ["a", "b"]}, "mine": {"url": "https://mcp.example.com"}}' ]
	[ "$(toml x)" = '{"y": [{"n": 1, "z": {"m": 2}}, {"n": 3}]}' ]
	[ "$(toml tui)" = '{"theme": "dark", "notifications": true, "animations": false}' ]
	# without the user's
	run in_tool codex 'cat ~/.codex/config.toml' -q --bare-home
	refute_output model_reasoning_effort
	[ "$(toml model)" = '"of-the-template"' ]
	[ "$(toml projects "$WS")" = '{"trust_level": "trusted"}' ]
}

@test "config: JSON settings of a template stay, comments and lists in them, for each tool" {
	begin
	put .claude/settings.json <<-'EOT'
		{
		  // of the team
		  "model": "of-the-template",
		  "skipDangerousModePermissionPrompt": false,
		  "sandbox": {"enabled": true, "excludedCommands": ["git"]},
		  "permissions": {"deny": ["Read(/srv/**)"],},
		  "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "/opt/hook"}]}]}
		}
	EOT
	put .claude.json <<<'{"mcpServers": {"own": {"command": "/opt/own"}}, "hasCompletedOnboarding": false}'
	put .gemini/settings.json <<<'{"ui": {"theme": "of-the-template"}, "general": {"enableAutoUpdate": true, "vimMode": true}}'
	put .config/opencode/opencode.json <<<'{"model": "a/of-the-template", "autoupdate": true, "mcp": {"own": {"type": "local", "command": ["/opt/own"]}}}'
	template_commit base
	mkdir -p "$HOME/.claude"
	echo '{"model": "of-the-user", "language": "german", "permissions": {"deny": ["Read(/mine/**)"]}}' >"$HOME/.claude/settings.json"
	run in_tool claude 'cat ~/.claude/settings.json' -q
	[ "$(get model)$(get language)" = '"of-the-template""german"' ] || fail model
	[ "$(get skipDangerousModePermissionPrompt)" = true ]
	[ "$(get sandbox)" = '{"enabled": false, "excludedCommands": ["git"]}' ]
	[ "$(get permissions deny)" = '["Read(/srv/**)", "Read(/mine/**)"]' ]
	[ "$(get hooks Stop 0 hooks 0 command)" = '"/opt/hook"' ]
	run in_tool claude 'cat ~/.claude.json' -q
	[ "$(get mcpServers own command)" = '"/opt/own"' ]
	[ "$(get hasCompletedOnboarding)" = true ]
	[ "$(get projects "$WS" hasTrustDialogAccepted)" = true ]
	run in_tool gemini 'cat ~/.gemini/settings.json' -q
	[ "$(get ui theme)$(get general)" = '"of-the-template"{"enableAutoUpdate": false, "vimMode": true, "enableAutoUpdateNotification": false}' ]
	run in_tool opencode 'cat ~/.config/opencode/opencode.json' -q
	[ "$(get model)$(get autoupdate)$(get mcp own type)" = '"a/of-the-template"false"local"' ]
}

@test "config: what can't be read in a template is said, does not count, and stops nothing" {
	local bad
	mkdir -p "$HOME/.codex"
	echo 'model = "of-the-user"' >"$HOME/.codex/config.toml"
	for bad in 'model = ' 'a = 1
		a = 2' '[a]
		b = 1
		[a.b]
		c = 1' $'x = "\x01"'; do
		begin
		printf '%s\n' "$bad" | put .codex/config.toml
		template_commit base
		run in_tool codex 'cat ~/.codex/config.toml'
		assert_status 0
		assert_output "bawn: ~/.codex/config.toml of the template does not count: "
		assert_output 'model = "of-the-user"'
		assert_output 'trust_level = "trusted"'
	done
	begin
	printf '{"a": \xff}' | put .claude/settings.json
	mkdir -p "$HOMEDIR/.claude.json"
	head -c 5000000 /dev/zero | put .claude/CLAUDE.md
	template_commit base
	run in_tool claude 'cat ~/.claude/settings.json; grep -a work.in ~/.claude/CLAUDE.md; cat ~/.claude.json'
	assert_status 0
	assert_output "~/.claude/settings.json of the template does not count: "
	assert_output "~/.claude.json of the template does not count: it is no file"
	assert_output "~/.claude/CLAUDE.md of the template does not count: it is too large"
	assert_output '"enableAllProjectMcpServers": true'
	assert_output "You work in a sandbox"
	assert_output '"hasCompletedOnboarding": true'
	# one that was made and never filled says nothing
	begin
	printf '\n' | put .codex/config.toml
	template_commit base
	run in_tool codex 'cat ~/.codex/config.toml'
	refute_output 'does not count'
	assert_output 'of-the-user'
}

@test "config: links of a template lead to where its settings are, inside, and nothing outside is written" {
	plant "$HOME/outside/canary"
	begin
	mkdir -p "$LAYER/opt/team/codex" "$HOMEDIR"
	ln -s /opt/team/codex "$HOMEDIR/.codex"
	ln -s ../prompt.md "$LAYER/opt/team/codex/AGENTS.md"
	echo 'the TEAM speaks' >"$LAYER/opt/team/prompt.md"
	echo 'model = "of-the-template"' >"$LAYER/opt/team/codex/config.toml"
	ln -s "$HOME/outside" "$HOMEDIR/.agents"
	template_commit base
	mkdir -p "$HOME/.agents/skills/one"
	echo mine >"$HOME/.agents/skills/one/SKILL.md"
	run in_tool codex 'cat ~/.codex/config.toml ~/.codex/AGENTS.md; readlink ~/.codex; cat /opt/team/prompt.md; cat ~/.agents/skills/one/SKILL.md'
	assert_output 'model = "of-the-template"'
	assert_output 'trust_level = "trusted"'
	assert_output "the TEAM speaks"
	assert_output "You work in a sandbox"
	assert_output "/opt/team/codex
the TEAM speaks"
	assert_output mine
	[ "$(ls "$HOME/outside")" = canary ] || fail "$(ls "$HOME/outside")"
}

@test "config: a home that is a link, or below one, is the one that the template means" {
	local way
	mkdir -p "$HOME/.codex"
	echo 'I speak' >"$HOME/.codex/AGENTS.md"
	look_profile codex
	for way in home above dangling proc; do
		begin
		mkdir -p "$LAYER/var/home/agent/.codex"
		echo 'model = "of-the-template"' >"$LAYER/var/home/agent/.codex/config.toml"
		rm -r "${LAYER:?}/home"
		mkdir "$LAYER/home"
		case $way in
		home) ln -s ../var/home/agent "$LAYER/home/agent" ;;
		above)
			rmdir "$LAYER/home"
			ln -s var/home "$LAYER/home"
			;;
		dangling) ln -s /none "$LAYER/home/agent" ;;
		proc) ln -s /proc "$LAYER/home/agent" ;;
		esac
		template_commit base
		run -0 "$BAWN" run --rm -q --template base --workspace none codex-look -- \
			'cat ~/.codex/*; echo x >~/y && cat ~/y; readlink /home /home/agent; :'
		assert_output 'I speak'
		assert_output 'daemon_auto_start = false'
		case $way in
		home) assert_output ../var/home/agent ;;
		above) assert_output var/home ;;
		esac
		case $way in
		home | above) assert_output 'model = "of-the-template"' ;;
		esac
		# where a directory of the workspace's path covers such a link, there is a home all the same
		run -0 look codex 'cat ~/.codex/*; echo x >~/y; pwd' -q --template base
		assert_output 'I speak'
		assert_output 'trust_level = "trusted"'
		assert_output "$WS"
	done
}

@test "config: a template's variables say where a tool's files are" {
	begin
	mkdir -p "$LAYER/opt/codex" "$LAYER/opt/claude"
	echo 'model = "of-the-template"' >"$LAYER/opt/codex/config.toml"
	echo 'the TEAM speaks' >"$LAYER/opt/codex/AGENTS.md"
	echo '{"mcpServers": {"own": {"command": "/opt/own"}}}' >"$LAYER/opt/claude/.claude.json"
	template_commit base 'env CODEX_HOME=/opt/codex' 'env CLAUDE_CONFIG_DIR=/opt/claude' 'env XDG_CONFIG_HOME=relative/x'
	mkdir -p "$HOME/.codex/prompts" "$HOME/.claude/commands"
	echo 'I speak' >"$HOME/.codex/AGENTS.md"
	echo mine >"$HOME/.codex/prompts/p.md"
	echo mine >"$HOME/.claude/commands/c.md"
	CODEX_API_KEY=sk-test-0000000000000000 run in_tool codex 'cat $CODEX_HOME/config.toml $CODEX_HOME/AGENTS.md $CODEX_HOME/prompts/p.md; ls -A ~; ls $CODEX_HOME' -q
	assert_output 'model = "of-the-template"'
	assert_output 'trust_level = "trusted"'
	[[ $output == *"the TEAM speaks"*"I speak"*"You work in a sandbox"*mine*AGENTS.md*auth.json* ]] || fail "$output"
	refute_output .codex
	run in_tool claude 'cat $CLAUDE_CONFIG_DIR/.claude.json; cat $CLAUDE_CONFIG_DIR/settings.json $CLAUDE_CONFIG_DIR/commands/c.md; ls -A ~' -q
	assert_output /opt/own
	assert_output hasCompletedOnboarding
	assert_output enableAllProjectMcpServers
	assert_output mine
	refute_output '.claude
'
	run in_tool codex 'ls -ld /opt' -q
	assert_output drwxr-xr-x
	# of a log-in the fresh copy counts in a sandbox that lasts, there too
	for i in 1 2; do
		CODEX_API_KEY=sk-test-0000000000000000 run "$BAWN" run --template base codex-look "$WS" -- 'cat $CODEX_HOME/auth.json; echo stale >$CODEX_HOME/auth.json'
		assert_status 0
		assert_output '"auth_mode"'
		refute_output stale
		refute_output "not brought in"
	done
	# nothing of it is left for the next start
	rm "$HOME/.claude/commands/c.md"
	run in_tool claude 'ls $CLAUDE_CONFIG_DIR/ $CLAUDE_CONFIG_DIR/commands' -q
	assert_output settings.json
	refute_output c.md
	run in_tool opencode 'cat ~/.config/opencode/opencode.json' -q
	assert_output autoupdate
	# a place that has to be worked out is none
	begin
	template_commit base 'env CODEX_HOME=/absent/../y'
	run in_tool codex 'ls -A ~' -q
	assert_status 0
	assert_output .codex
}

@test "config: what the user's settings start is looked for in the template, not on the machine" {
	begin
	mkdir -p "$LAYER/opt/team/bin" "$LAYER/usr/local/bin"
	printf '#!/bin/sh\n' | tee "$LAYER/opt/team/bin/team-only" >"$LAYER/usr/local/bin/base-only"
	chmod +x "$LAYER/opt/team/bin/team-only" "$LAYER/usr/local/bin/base-only"
	put bin/own.sh <<<'#!/bin/sh'
	template_commit base 'env PATH=/opt/team/bin:/usr/local/bin:/usr/bin'
	cat >"$HOME/.claude.json" <<-'EOT'
		{"mcpServers": {"one": {"command": "team-only"}, "two": {"command": "/usr/local/bin/base-only"},
		                "three": {"command": "python3", "args": ["-m", "x"]}, "four": {"command": "/usr/bin/git"},
		                "five": {"command": "~/bin/own.sh"}}}
	EOT
	run in_tool claude 'cat ~/.claude.json'
	assert_output 'mcpServers.three.command: python3 is not inside'
	assert_output 'mcpServers.four.command: /usr/bin/git is not inside'
	for w in one two five; do assert_output "\"$w\":" || return 1; done
	for w in three four; do refute_output "\"$w\":" || return 1; done
}

@test "config: commands, agents and skills of a template and of the user's stand side by side, its own first" {
	begin
	put .claude/commands/ship.md <<<'ship as the team does'
	put .claude/skills/a/SKILL.md <<<'a skill of the team'
	put .codex/prompts/p.md <<<'a prompt of the team'
	template_commit base
	mkdir -p "$HOME/.claude/commands" "$HOME/.claude/agents"
	echo 'ship as I do' >"$HOME/.claude/commands/ship.md"
	echo 'my other one' >"$HOME/.claude/commands/other.md"
	echo 'my agent' >"$HOME/.claude/agents/x.md"
	run in_tool claude 'cat ~/.claude/commands/*.md ~/.claude/agents/* ~/.claude/skills/a/*' -q
	[ "$output" = "my other one
ship as the team does
my agent
a skill of the team" ] || fail "$output"
}

@test "config: instructions of a template, the user's and bawn's, in that order, each once" {
	begin
	put .codex/AGENTS.override.md <<<'the TEAM speaks'
	template_commit base
	mkdir -p "$HOME/.codex"
	echo 'I speak' >"$HOME/.codex/AGENTS.md"
	run in_tool codex 'cat ~/.codex/AGENTS.override.md' -q
	[[ $output == "the TEAM speaks"*"I speak"*"You work in a sandbox"* ]] || fail "$output"
	# what an earlier sandbox was told is not told again
	begin
	put .codex/AGENTS.md <<<"the TEAM speaks

I speak

<!-- bawn: this sandbox -->
# You work in a sandbox named OLD
<!-- bawn: end -->
and what was added"
	template_commit base
	run in_tool codex 'cat ~/.codex/AGENTS.md' -q
	refute_output OLD
	[[ $output == "the TEAM speaks"*"I speak"*"and what was added"*"You work in a sandbox"* ]] || fail "$output"
	[ "$(grep -c 'I speak' <<<"$output")" = 1 ]
	[ "$(grep -c 'bawn: this sandbox' <<<"$output")" = 1 ]
}

@test "config: git's settings of a template stay, and the user is who commits" {
	begin
	put .gitconfig <<-'EOT'
		[user]
			name = Template
			email = template@example.com
		[alias]
			st = status
	EOT
	template_program git
	template_commit base
	git config --global user.name 'Some Body'
	git config --global user.email body@example.com
	run "$BAWN" run --rm -q --template base shell . -- git config --global --list
	assert_output 'alias.st=status'
	[ "$(grep user.name <<<"$output" | tail -1)" = 'user.name=Some Body' ] || fail "$output"
	run in_tool codex 'git config --get user.name; git config --get alias.st' -q
	[ "$output" = 'Some Body
status' ] || fail "$output"
	run "$BAWN" run --rm -q --bare-home --template base shell . -- git config --get user.name
	[ "$output" = Template ] || fail "$output"
}

@test "TPL-09 bawn-merge, which parses a template's settings, is confined, and can open no file" {
	run -0 python3 - "$BAWN_BUILDDIR/bawn-merge" <<-'PY'
		import os, struct, subprocess, sys, time
		def record(tag, data):
		    return struct.pack("=II", tag, len(data)) + data + bytes(-len(data) % 8)
		# settings that are more than a pipe holds: it waits in the middle of its answer
		base = b'{"a": "' + b"x" * 200000 + b'"}'
		fd = os.memfd_create("request")
		os.write(fd, record(1, struct.pack("=Q", 0)) + record(2, base + b"\0") + record(4, b'{"b": 1}\0'))
		p = subprocess.Popen([sys.argv[1]], stdin=fd, stdout=subprocess.PIPE)
		for _ in range(1000):
		    status = dict(l.split(":\t", 1) for l in open(f"/proc/{p.pid}/status").read().splitlines() if ":\t" in l)
		    if open(f"/proc/{p.pid}/wchan").read().startswith(("pipe_write", "anon_pipe_write")) or status["State"][0] == "S":
		        break
		    time.sleep(0.02)
		assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", status
		answer = p.stdout.read()
		assert answer[0] == 5 and b'"b": 1' in answer and p.wait() == 0
	PY
	run -1 "$BAWN_BUILDDIR/bawn-merge" </dev/null
}
