#!/usr/bin/env bats
# agents-settings.bats - what of the user's comes along into an agent's sandbox, and what never does:
# the log-in without its refresh token, settings without secrets.
#
# The tool is replaced by a shell: a user profile with all that the tool's own profile brings along.
load ../lib.sh
load agents.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

# ---- log-in -------------------------------------------------------------------------------------

LOOK_claude='cat ~/.claude/.credentials.json'
LOOK_codex='cat ~/.codex/auth.json'
LOOK_gemini='cat ~/.gemini/oauth_creds.json'
LOOK_opencode='cat ~/.local/share/opencode/auth.json'

# All of the inside's home and environment that could hold something.
EVERYTHING='grep -rs . "$HOME" /run /tmp --exclude-dir=project; grep -rsh canary-[0-9] /etc; env; cat /proc/*/environ | tr "\0" "\n"'

access_only() {
	local l=LOOK_$1
	plant_login "$1"
	run look "$1" "${!l}; $EVERYTHING" --offline
	assert_status 0 || return 1
	assert_output "$ACCESS" || return 1
	refute_canary || return 1
	[ "$(grep -c 'log-in.*access token only, expires in' <<<"$output")" -eq 1 ] ||
		fail 'not announced in one line' || return 1
	run look "$1" "${!l}; $EVERYTHING" --offline --no-login
	refute_output "$ACCESS" || return 1
	refute_output 'access token only' || return 1
	refute_canary
}

# shape_only AGENT SECONDS: no token comes along, whether it has ended or not; what stands for it says
# that it ends in years.
shape_only() {
	local l=LOOK_$1 years
	years=$((($(date +%s) + 315360000) / 100000000))
	plant_login "$1" "$2"
	run look "$1" "${!l}; $EVERYTHING" --offline
	assert_status 0 || return 1
	refute_output "$ACCESS" || return 1
	refute_canary || return 1
	[ "$(grep -c 'log-in (it stays on the host)' <<<"$output")" -eq 1 ] ||
		fail 'not announced in one line' || return 1
	case $1 in
	claude) [[ $output =~ \"accessToken\":\ \"sk-ant-oat01-[A-Za-z0-9]{86}AA\" && $output =~ \"expiresAt\":\ ${years}[0-9]{11} ]] ;;
	gemini) [[ $output =~ \"access_token\":\ \"ya29\.[A-Za-z0-9]{160}\" && $output =~ \"expiry_date\":\ ${years}[0-9]{11} ]] ;;
	codex)
		grep -q '"account_id": "acc"' <<<"$output" &&
			[ "$(grep -o '"access_token": "[^"]*' <<<"$output" | head -1 | cut -d. -f2 | tr '_-' '/+' | base64 -d 2>/dev/null | grep -o '"exp":[0-9]*' | cut -c 7-8)" = "$years" ] &&
			grep -q '"access_token": "[^"]*\.bm9uZQ"' <<<"$output"
		;;
	esac || fail "its shape: $output" || return 1
	run look "$1" "${!l}; $EVERYTHING" --offline --no-login
	refute_output 'stays on the host' || return 1
	refute_canary || return 1
	# to let it have the token itself is a word of its own
	[ "$2" -lt 0 ] && return 0
	run look "$1" "${!l}; $EVERYTHING" --offline --expose-key "$3"
	assert_output "$ACCESS" || return 1
	assert_output 'access token only, expires in' || return 1
	refute_canary
}

@test "claude's log-in: its shape only, announced; --no-login leaves it out, --expose-key lets it in" {
	shape_only claude 7200 claude
	shape_only claude -60
}

@test "codex's log-in: its shape only, announced; --no-login leaves it out, --expose-key lets it in" {
	shape_only codex 7200 chatgpt
	shape_only codex -60
}

@test "gemini's log-in: its shape only, announced; --no-login leaves it out, --expose-key lets it in" {
	shape_only gemini 7200 google
	shape_only gemini -60
}

@test "opencode's log-in: the access token only, announced; --no-login leaves it out" {
	access_only opencode
}

@test "a log-in that has expired and that bawn does not look after stays outside" {
	plant_login opencode -60
	run look opencode "$EVERYTHING" --offline
	assert_output 'expired' || return 1
	refute_output "$ACCESS" || return 1
	refute_canary || return 1
}

@test "OWN-15 20 sandboxes at once: the host's credential files stay byte-identical" {
	local a i
	for a in "${AGENTS[@]}"; do
		plant_login "$a"
		look_profile "$a"
	done
	files=(.claude/.credentials.json .claude.json .codex/auth.json .gemini/oauth_creds.json
		.gemini/google_accounts.json .gemini/settings.json .local/share/opencode/auth.json)
	(cd "$HOME" && stat -c '%n %i %s %Y %Z %a' "${files[@]}" && sha256sum "${files[@]}") >"$T/before"
	for ((i = 0; i < 20; i++)); do
		# what an agent does: renew the token and write it back
		a=${AGENTS[i % 4]}
		"$BAWN" run --rm -q --offline "$a-look" "$WS" -- \
			'for f in '"${files[*]}"'; do echo renewed >~/$f.new; mv ~/$f.new ~/$f; echo more >>~/$f; done' \
			>"$T/out.$i" 2>&1 3>&- &
	done
	wait
	cat "$T"/out.*
	(cd "$HOME" && stat -c '%n %i %s %Y %Z %a' "${files[@]}" && sha256sum "${files[@]}") >"$T/after"
	cmp "$T/before" "$T/after"
}

@test "in place of a key that the policy knows stands a placeholder; a tool's other keys pass, everything else stays" {
	export ANTHROPIC_API_KEY=key-of-claude CODEX_API_KEY=key-of-codex GEMINI_API_KEY=key-of-gemini
	export GROQ_API_KEY=key-of-groq
	export GITHUB_TOKEN=$CANARY AWS_SECRET_ACCESS_KEY=$CANARY
	export NPM_TOKEN=$CANARY SSH_AUTH_SOCK=/tmp/$CANARY DATABASE_URL=postgres://u:$CANARY@h/d
	declare -A own=([claude]=ANTHROPIC_API_KEY=sk-ant-api03- [codex]=CODEX_API_KEY=sk-proj-
		[gemini]=GEMINI_API_KEY=AIzaSy [opencode]=GROQ_API_KEY=gsk_)
	for a in claude codex gemini opencode; do
		run look "$a" "$EVERYTHING" --offline
		assert_output "${own[$a]}" || return 1
		refute_canary || return 1
		for b in claude codex gemini groq; do
			refute_output "key-of-$b" || return 1
		done
	done
}

@test "bawn login says that none is needed" {
	run "$BAWN" login
	assert_status 0
	assert_output 'needs no log-in'
}

# ---- settings -----------------------------------------------------------------------------------

file() {
	mkdir -p "$(dirname "$HOME/$1")"
	cat >"$HOME/$1"
}

@test "claude: instructions, skills, commands, agents, settings, theme and servers come along" {
	file .claude/CLAUDE.md <<<'MY INSTRUCTIONS'
	file .claude/commands/fix.md <<<'MY COMMAND'
	file .claude/agents/reviewer.md <<<'MY AGENT'
	file .claude/skills/tidy/SKILL.md <<<'MY SKILL'
	file .claude/hooks/here.sh <<<'echo MY HOOK'
	file .claude/settings.json <<-EOT
		{"model": "opus", "env": {"MY_FLAG": "1", "MY_TOKEN": "$CANARY"}, "apiKeyHelper": "echo $CANARY",
		 "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "sh $HOME/.claude/hooks/here.sh"}]},
		                    {"hooks": [{"type": "command", "command": "$HOME/bin/notify.sh $CANARY"}]}]}}
	EOT
	file .claude.json <<-EOT
		{"theme": "dark-daltonized", "userID": "$CANARY", "oauthAccount": {"emailAddress": "$CANARY"},
		 "primaryApiKey": "$CANARY", "customApiKeyResponses": {"approved": ["$CANARY"]},
		 "projects": {"/elsewhere": {"history": ["$CANARY"]}},
		 "mcpServers": {"docs": {"command": "npx", "args": ["docs-server"], "env": {"DOCS_API_KEY": "$CANARY"}}}}
	EOT
	run look claude 'cat ~/.claude.json ~/.claude/settings.json; grep -r MY ~/.claude; '"$EVERYTHING" --offline
	assert_status 0
	for w in 'MY INSTRUCTIONS' 'MY COMMAND' 'MY AGENT' 'MY SKILL' 'MY HOOK' opus MY_FLAG \
		dark-daltonized docs-server hasTrustDialogAccepted; do
		assert_output "$w" || return 1
	done
	refute_canary
	assert_output 'stays on the host, as it looks secret' # and by name:
	assert_output MY_TOKEN
	assert_output DOCS_API_KEY
	assert_output notify.sh # the dropped hook
	# by its line: the word that it was dropped may stand before or after the settings
	! grep '"command": ".*notify.sh' <<<"$output" || fail 'a hook without its script came along'
	# the host's own are as they were
	grep -q "$CANARY" "$HOME/.claude.json" "$HOME/.claude/settings.json"
}

@test "codex: instructions, prompts, skills, settings and servers come along" {
	file .codex/AGENTS.md <<<'MY INSTRUCTIONS'
	file .codex/prompts/fix.md <<<'MY COMMAND'
	file .codex/skills/tidy/SKILL.md <<<'MY SKILL'
	file .codex/history.jsonl <<<"$CANARY"
	file .codex/sessions/2026/x.jsonl <<<"$CANARY"
	file .codex/config.toml <<-EOT
		model = "gpt-mine"
		notify = ["$HOME/bin/$CANARY"]
		[tui]
		theme = "my-theme"
		[mcp_servers.docs]
		command = "npx"
		args = ["docs-server"]
		env = { DOCS_TOKEN = "$CANARY" }
		[otel]
		exporter = "$CANARY"
	EOT
	run look codex 'cat ~/.codex/config.toml; '"$EVERYTHING" --offline
	assert_status 0
	for w in 'MY INSTRUCTIONS' 'MY COMMAND' 'MY SKILL' gpt-mine my-theme docs-server trusted; do
		assert_output "$w" || return 1
	done
	refute_canary
	assert_output DOCS_TOKEN
}

@test "a variable that a server or provider of the settings reads, and that stays outside, is named with what passes it" {
	file .codex/config.toml <<-'EOT'
		model_provider = "azure"
		[model_providers.azure]
		name = "azure"
		base_url = "https://azure.example/v1"
		env_key = "MY_AZURE"
		[mcp_servers.docs]
		command = "npx"
		env_vars = ["MY_DOCS", "not set", 'MY_OTHER']
		bearer_token_env_var = "MY_ABSENT"
	EOT
	file .claude.json <<-'EOT'
		{"mcpServers": {"docs": {"command": "npx", "args": ["--key=${MY_DOCS}", "${MY_OTHER:-none}"],
		  "env": {"A": "x$MY_AZURE", "B": "$", "C": "${", "D": "$1", "E": "MY_ABSENT"}}}}
	EOT
	file .gemini/settings.json <<<'{"mcpServers": {"docs": {"httpUrl": "https://$MY_DOCS/", "env": {"A": "$MY_DOCS"}}}}'
	file .config/opencode/opencode.json <<-'EOT'
		{"provider": {"mine": {"options": {"apiKey": "{env:MY_AZURE}", "baseURL": "{env:HOME}/{env:}"}}},
		 "mcp": {"docs": {"type": "remote", "url": "https://x.example", "headers": {"A": "Bearer {env:MY_DOCS}"}}}}
	EOT
	export MY_AZURE=$CANARY MY_DOCS=$CANARY MY_OTHER=$CANARY
	says() { # PROFILE LINE [OPTIONS...]
		run look "$1" true --offline "${@:3}"
		assert_status 0 || return 1
		[ "$(grep 'your settings read' <<<"$output")" = "$2" ] || fail "$1: $output" || return 1
		refute_canary
	}
	says codex 'bawn: your settings read MY_AZURE, MY_DOCS, MY_OTHER, which stay outside: -e MY_AZURE -e MY_DOCS -e MY_OTHER passes them'
	assert_output 'bawn login codex'
	says codex 'bawn: your settings read MY_OTHER, which stays outside: -e MY_OTHER passes it' -e MY_AZURE=x -e MY_DOCS=y
	refute_output 'bawn login codex' # it has a key: that of its provider
	says claude 'bawn: your settings read MY_DOCS, MY_AZURE, which stay outside: -e MY_DOCS -e MY_AZURE passes them'
	says gemini 'bawn: your settings read MY_DOCS, which stays outside: -e MY_DOCS passes it'
	says opencode 'bawn: your settings read MY_AZURE, MY_DOCS, which stay outside: -e MY_AZURE -e MY_DOCS passes them'
	says codex '' --bare-home
}

@test "codex: profiles in files of their own and hooks come along; a hook whose script is absent does not" {
	file bin/absent.sh <<<'#!/bin/sh'
	chmod +x "$HOME/bin/absent.sh"
	file .codex/hooks/here.sh <<<'MY SCRIPT'
	file .codex/hooks.json <<-EOT
		{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "sh ~/.codex/hooks/here.sh stop"}]},
		                    {"hooks": [{"type": "command", "command": "~/bin/absent.sh json"}]}]}}
	EOT
	file .codex/config.toml <<-EOT
		[[hooks.SessionStart]]
		[[hooks.SessionStart.hooks]]
		type = "command"
		command = "$HOME/bin/absent.sh toml"
		[[hooks.SessionStart.hooks]]
		type = "command"
		command = "sh ~/.codex/hooks/here.sh start"
	EOT
	file .codex/work.config.toml <<-EOT
		model = "gpt-at-work"
		notify = ["$HOME/bin/$CANARY"]
		approval_policy = "untrusted"
		[features]
		daemon_auto_start = true
		my_feature = true
		[mcp_servers.docs]
		command = "npx"
		env = { DOCS_TOKEN = "$CANARY" }
	EOT
	file .codex/.hidden.config.toml <<<'model = "hidden"'
	file '.codex/a b.config.toml' <<<'model = "hidden"'
	run look codex 'cd ~/.codex; cat *.json *.toml hooks/*; grep -rs . . ' --offline
	assert_status 0
	assert_output 'MY SCRIPT' 'here.sh stop' 'here.sh start' gpt-at-work my_feature \
		'hooks.json: hooks.Stop.1.hooks.0.command: ~/bin/absent.sh is not inside' \
		'config.toml: hooks.SessionStart.hooks.command: ~/bin/absent.sh is not inside' \
		'work.config.toml: mcp_servers.docs.env.DOCS_TOKEN'
	refute_output 'absent.sh json' 'absent.sh toml' untrusted 'daemon_auto_start = true' hidden
	refute_canary
	# a home of its own
	mv "$HOME/.codex" "$HOME/codex"
	CODEX_HOME=$HOME/codex run look codex 'cat ~/.codex/*.toml' --offline
	assert_output gpt-at-work 'here.sh start'
}

@test "gemini: instructions, commands, settings and servers come along" {
	file .gemini/GEMINI.md <<<'MY INSTRUCTIONS'
	file .gemini/commands/fix.toml <<<'prompt = "MY COMMAND"'
	file .gemini/history/x <<<"$CANARY"
	file .gemini/tmp/x <<<"$CANARY"
	file .gemini/.env <<<"GEMINI_API_KEY=$CANARY"
	file .gemini/settings.json <<-EOT
		{"ui": {"theme": "MyTheme"}, "tools": {"sandbox": true},
		 "mcpServers": {"docs": {"command": "npx", "args": ["docs-server"], "env": {"DOCS_TOKEN": "$CANARY"}}},
		 "telemetry": {"otlpEndpoint": "$CANARY"}}
	EOT
	run look gemini 'cat ~/.gemini/settings.json; '"$EVERYTHING" --offline
	assert_status 0
	for w in 'MY INSTRUCTIONS' 'MY COMMAND' MyTheme docs-server; do
		assert_output "$w" || return 1
	done
	refute_canary
	assert_output DOCS_TOKEN
}

@test "opencode: instructions, commands, agents, settings and servers come along" {
	file .config/opencode/AGENTS.md <<<'MY INSTRUCTIONS'
	file .config/opencode/command/fix.md <<<'MY COMMAND'
	file .config/opencode/agent/review.md <<<'MY AGENT'
	file .local/share/opencode/mcp-auth.json <<<"$CANARY"
	file .local/share/opencode/opencode.db <<<"$CANARY"
	file .config/opencode/plugin/mine.js <<<'import pad from "left-pad" // MY PLUGIN'
	file .config/opencode/package.json <<<'{"dependencies": {"left-pad": "1.3.0"}, "scripts": {"postinstall": "MY SCRIPT"}}'
	file .config/opencode/opencode.json <<-EOT
		{"theme": "my-theme", "mcp": {"docs": {"type": "local", "command": ["npx", "docs-server"],
		  "environment": {"DOCS_TOKEN": "$CANARY"}}}, "provider": {"x": {"options": {"apiKey": "$CANARY"}}}}
	EOT
	run look opencode 'cat ~/.config/opencode/opencode.json; '"$EVERYTHING" --offline
	assert_status 0
	for w in 'MY INSTRUCTIONS' 'MY COMMAND' 'MY AGENT' my-theme docs-server 'MY PLUGIN' '"left-pad": "1.3.0"'; do
		assert_output "$w" || return 1
	done
	refute_output 'MY SCRIPT'
	refute_canary
	assert_output DOCS_TOKEN
	assert_output apiKey
}

# Some hooks end with 2 for a script that isn't there, as python3 does, which forbids what they watch.
@test "hooks and servers whose files are not inside stay behind, by name; a further PATH brings them" {
	file bin/check.py <<<'exit(0)'
	file bin/server.js <<<''
	file .local/bin/line <<<'#!/bin/sh'
	chmod +x "$HOME/bin/check.py" "$HOME/.local/bin/line"
	mkdir -p "$HOME/notes"
	file .claude/settings.json <<-EOT
		{"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "python3 ~/bin/check.py"}]}],
		           "Stop": [{"hooks": [{"type": "command", "command": "check.py"}]}]},
		 "statusLine": {"type": "command", "command": "~/.local/bin/line"}}
	EOT
	file .claude.json <<-EOT
		{"mcpServers": {"one": {"command": "bash", "args": ["-l", "$HOME/bin/server.js", "x"]},
		                "two": {"command": "env", "args": ["x", "$HOME/notes"]},
		                "three": {"command": "bash", "args": ["-c", "true", "$HOME", "/tmp"]},
		                "four": {"command": "docker", "args": ["run", "-i", "mcp/x"]},
		                "five": {"command": "bash", "args": ["-lc", "/usr/bin/env x"], "cwd": "$(dirname "$WS")"},
		                "six": {"command": "perl", "args": ["-ne", "/x/"]}}}
	EOT
	file .codex/config.toml <<-EOT
		[mcp_servers.one]
		command = "bash"
		args = ["$HOME/bin/server.js"]
		[mcp_servers.three]
		command = "bash"
		args = ["-c", "true"]
	EOT
	file .config/opencode/opencode.json <<-EOT
		{"mcp": {"one": {"type": "local", "command": ["bash", "$HOME/bin/server.js"]},
		         "three": {"type": "local", "command": ["bash", "-c", "true"]}}}
	EOT
	# as Debian's ~/.profile has it
	PATH=$HOME/bin:$HOME/.local/bin:$PATH
	run look claude 'cat ~/.claude/settings.json ~/.claude.json' --offline
	assert_status 0
	for w in PreToolUse.0.hooks.0.command:\ ~/bin/check.py Stop.0.hooks.0.command:\ check.py \
		statusLine.command:\ ~/.local/bin/line mcpServers.one.command:\ ~/bin/server.js \
		mcpServers.two.command:\ ~/notes; do
		assert_output "${w/$HOME/\~} is not inside" || return 1
	done
	assert_output 'mcpServers.four.command: docker has no engine inside'
	assert_output '"three"'
	# code is no script, and what the workspace lies in is there
	assert_output '"five"'
	assert_output '"six"'
	for w in '"matcher"' '"Stop"' '"statusLine"' '"one"' '"two"' '"four"'; do
		refute_output "$w" || return 1
	done
	for a in codex:.codex/config.toml opencode:.config/opencode/opencode.json; do
		run look "${a%:*}" "cat ~/${a#*:}" --offline
		assert_status 0 || return 1
		assert_output 'one.command: ~/bin/server.js is not inside' || return 1
		assert_output three || return 1
		[ "$(grep -c server.js <<<"$output")" -eq 1 ] || fail 'it came along' || return 1
	done
	look_profile claude
	run "$BAWN" run --rm --offline claude-look "$WS" "$HOME/bin:ro" "$HOME/notes:ro" -- \
		'cat ~/.claude/settings.json ~/.claude.json; python3 ~/bin/check.py && echo IT RUNS'
	assert_output 'IT RUNS'
	assert_output '"matcher"'
	assert_output '"two"'
	refute_output /bin/check.py\ is
	refute_output /bin/server.js\ is
	refute_output /notes\ is
}

@test "a proxy of the host's that settings name stays behind: inside there is none" {
	file .claude/settings.json <<<'{"env": {"HTTPS_PROXY": "http://127.0.0.1:3128", "no_proxy": "x", "MY_FLAG": "1"}}'
	file .claude.json <<<'{"mcpServers": {"a": {"command": "bash", "env": {"http_proxy": "http://127.0.0.1:3128", "MY_FLAG": "1"}}}}'
	file .codex/config.toml <<-EOT
		[shell_environment_policy.set]
		ALL_PROXY = "http://127.0.0.1:3128"
		MY_FLAG = "1"
		[mcp_servers.a]
		command = "bash"
		env = { HTTPS_PROXY = "http://127.0.0.1:3128", MY_FLAG = "1" }
	EOT
	file .gemini/settings.json <<<'{"mcpServers": {"a": {"command": "bash", "env": {"HTTP_PROXY": "http://127.0.0.1:3128", "MY_FLAG": "1"}}}}'
	file .config/opencode/opencode.json <<<'{"mcp": {"a": {"type": "local", "command": ["bash"], "environment": {"HTTPS_PROXY": "http://127.0.0.1:3128", "MY_FLAG": "1"}}}}'
	run look claude 'cat ~/.claude/settings.json ~/.claude.json' --offline
	[ "$(grep -c MY_FLAG <<<"$output")" -eq 2 ] || fail "$output"
	refute_output _PROXY
	refute_output _proxy
	run look codex 'cat ~/.codex/config.toml' --offline
	[ "$(grep -c MY_FLAG <<<"$output")" -eq 2 ] || fail "$output"
	refute_output _PROXY
	for a in gemini:.gemini/settings.json opencode:.config/opencode/opencode.json; do
		run look "${a%:*}" "cat ~/${a#*:}" --offline
		assert_output MY_FLAG || return 1
		refute_output _PROXY || return 1
	done
}

@test "--bare-home brings nothing along but the log-in and what starts the tool: all four; --no-login not even that" {
	local a all="$EVERYTHING; git config --global -l"
	declare -A start=([claude]=hasTrustDialogAccepted [codex]='trust_level = "trusted"' [gemini]=TRUST_FOLDER
		[opencode]='"share": "disabled"')
	for a in .claude/CLAUDE.md .claude/skills/tidy/SKILL.md .codex/AGENTS.md .codex/prompts/fix.md \
		.agents/skills/tidy/SKILL.md .gemini/GEMINI.md .gemini/commands/fix.toml \
		.config/opencode/AGENTS.md .config/opencode/command/fix.md; do
		file "$a" <<<'THIS IS MINE'
	done
	file .claude/settings.json <<<'{"model": "THIS IS MINE"}'
	file .codex/config.toml <<<'model = "THIS IS MINE"'
	file .config/opencode/opencode.json <<<'{"model": "THIS IS MINE"}'
	git config --global user.name 'THIS IS MINE'
	for a in "${AGENTS[@]}"; do
		plant_login "$a"
		[ "$a" != gemini ] || file .gemini/settings.json <<<'{"ui": {"theme": "THIS IS MINE"}}'
		run look "$a" "$all" --offline
		assert_output 'name=THIS IS MINE' || return 1
		[ "$(grep -c 'THIS IS MINE' <<<"$output")" -ge 3 ] || fail "$output" || return 1
		run look "$a" "$all" --offline --bare-home
		refute_output 'THIS IS MINE' || return 1
		refute_canary || return 1
		assert_output "${start[$a]}" || return 1
		[ "$(grep -c '^bawn: using your .* log-in' <<<"$output")" = 1 ] || fail "$output" || return 1
		run look "$a" "$all" --offline --bare-home --no-login
		refute_output 'THIS IS MINE' 'using your' "$ACCESS" || return 1
		refute_canary || return 1
		assert_output "${start[$a]}" || return 1
	done
}

@test "--no-login leaves out keys in the tools' own files, too; one in the environment is used" {
	file .codex/auth.json <<<'{"auth_mode": "apikey", "OPENAI_API_KEY": "key-of-codex"}'
	file .local/share/opencode/auth.json <<<'{"groq": {"type": "api", "key": "key-of-groq"}, "other": {"type": "api", "key": "key-of-another"}}'
	for a in codex opencode; do
		run look "$a" "$EVERYTHING" --offline
		assert_output 'API key' || return 1
		run look "$a" "$EVERYTHING" --offline --no-login
		assert_status 0 || return 1
		refute_output auth_mode '"groq"' key-of- 'API key' || return 1
	done
	CODEX_API_KEY=key-of-codex run look codex "$EVERYTHING" --offline --no-login
	assert_output '"OPENAI_API_KEY": "sk-proj-'
	refute_output key-of-
}

# Every file that an agent or its surroundings are known to keep something secret in.
SECRET_FILES=(
	.codex/auth.json .codex/history.jsonl .codex/sessions/2026/01/x.jsonl .codex/log/codex.log
	.codex/state_5.sqlite .codex/logs_2.sqlite .codex/thread_history_1.sqlite
	.codex/memories_1.sqlite .codex/goals_1.sqlite .codex/queue_1.sqlite .codex/.credentials.json
	.claude/.credentials.json .claude/projects/p/x.jsonl .claude/history.jsonl
	.claude/backups/x .claude/plugins/x .claude/todos/x.json .claude/shell-snapshots/x.sh
	.claude/file-history/x .claude/debug/x .claude/statsig/x .claude/session-env/x
	.claude.json.backup
	.gemini/oauth_creds.json .gemini/google_accounts.json .gemini/google_accounts_old.json
	.gemini/gemini-credentials.json .gemini/mcp-oauth-tokens.json .gemini/.env
	.gemini/projects.json .gemini/trustedFolders.json .gemini/history/x .gemini/tmp/x
	.gemini/installation_id
	.local/share/opencode/auth.json .local/share/opencode/mcp-auth.json
	.local/share/opencode/opencode.db .local/share/opencode/log/x.log
	.local/share/opencode/snapshot/x .local/share/opencode/repos/x .cache/opencode/x
	.ssh/id_ed25519 .ssh/config .aws/credentials .config/gh/hosts.yml .config/gcloud/credentials.db
	.netrc .git-credentials .npmrc .pypirc .cargo/credentials.toml .docker/config.json
	.kube/config .gnupg/private-keys-v1.d/x .bash_history .env .config/anthropic/x
	.local/share/keyrings/login.keyring .password-store/x.gpg .terraform.d/credentials.tfrc.json)

@test "a token planted in every file that keeps one is seen from none of the four sandboxes" {
	local f a
	for f in "${SECRET_FILES[@]}"; do plant "$HOME/$f"; done
	for a in "${AGENTS[@]}"; do
		run look "$a" "$EVERYTHING; find / -xdev 2>/dev/null" --offline
		refute_canary || return 1
		for f in .ssh .aws .netrc .gnupg .bash_history keyrings; do
			refute_output "$HOME/$f" || return 1
		done
	done
	for f in "${SECRET_FILES[@]}"; do assert_untouched "$HOME/$f"; done
}

@test "tokens in keys of the settings that do come along stay on the host" {
	local json="{\"apiKey\": \"$CANARY\", \"nested\": {\"authToken\": \"$CANARY\", \"password\": \"$CANARY\"}}"
	file .claude.json <<<"{\"mcpServers\": {\"a\": {\"type\": \"http\", \"url\": \"https://u:$CANARY@h/\", \"headers\": {\"Authorization\": \"Bearer $CANARY\"}}}, \"oauthAccount\": $json, \"s1mAccessCache\": $json}"
	file .claude/settings.json <<<"{\"env\": {\"ANTHROPIC_AUTH_TOKEN\": \"$CANARY\", \"X_SECRET\": \"$CANARY\"}, \"awsAuthRefresh\": \"$CANARY\", \"forceLoginOrgUUID\": \"$CANARY\"}"
	file .codex/config.toml <<-EOT
		[model_providers.x]
		base_url = "https://h"
		experimental_bearer_token = "$CANARY"
		http_headers = { Authorization = "Bearer $CANARY" }
		[mcp_servers.a]
		url = "https://h"
		bearer_token = "$CANARY"
	EOT
	file .gemini/settings.json <<<"{\"mcpServers\": {\"a\": {\"httpUrl\": \"https://h\", \"headers\": {\"X-Api-Key\": \"$CANARY\"}, \"oauth\": {\"clientSecret\": \"$CANARY\"}}}}"
	file .config/opencode/opencode.json <<<"{\"mcp\": {\"a\": {\"type\": \"remote\", \"url\": \"https://h\", \"headers\": {\"Authorization\": \"Bearer $CANARY\"}}}}"
	for a in "${AGENTS[@]}"; do
		run look "$a" "$EVERYTHING" --offline
		assert_status 0 || return 1
		refute_canary || return 1
		assert_output 'looks secret' || return 1
	done
}

@test "settings as other programs leave them: large, with a byte order mark, empty, broken" {
	local f=$HOME/.claude.json
	# every prompt is kept in there: 12 MB
	{
		printf '\357\273\277{"theme": "light", "mcpServers": {"docs": {"command": "npx"}}, "projects": {"/p": {"history": ["'
		head -c 12000000 /dev/zero | tr '\0' x
		printf '"]}}}'
	} >"$f"
	file .claude/settings.json </dev/null
	file .claude/.credentials.json <<<' '
	run look claude 'cat ~/.claude.json' --offline
	assert_status 0
	assert_output '"npx"'
	assert_output '"theme": "light"'
	refute_output xxxx
	refute_output 'come along'
	refute_output "can't be used"
	# what is no secret isn't called one
	file .claude/settings.json <<<'{ broken'
	rm -f "$HOME/.claude/.credentials.json"
	mkfifo "$HOME/.claude/.credentials.json"
	run look claude true --offline
	assert_status 0
	assert_output 'does not come along: ~/.claude/settings.json: line 1'
	assert_output "can't be used: ~/.claude/.credentials.json: not a regular file"
	refute_output 'looks secret'
}

@test "settings that make the tool ask stay outside, each named; --no-yolo brings them along" {
	file .claude/settings.json <<-'EOT'
		{"permissions": {"ask": ["Bash(git push:*)"], "deny": ["Read(/x)"], "allow": ["Bash(ls)"],
		 "disableBypassPermissionsMode": "disable"}, "theme": "dark"}
	EOT
	run look claude 'cat ~/.claude/settings.json' --offline
	assert_status 0
	# shellcheck disable=SC2088  # as bawn writes it
	assert_output 'does not come along: ~/.claude/settings.json: permissions.ask: it would ask' \
		'~/.claude/settings.json: permissions.disableBypassPermissionsMode: it would ask' \
		'"Read(/x)"' '"Bash(ls)"' '"dark"'
	refute_output 'git push' '"disable"'
	run look claude 'cat ~/.claude/settings.json' --offline --no-yolo
	assert_status 0
	assert_output '"Bash(git push:*)"' '"disableBypassPermissionsMode": "disable"' '"Read(/x)"'
	refute_output 'come along'
	# nothing is said where there is nothing of the kind
	file .claude/settings.json <<<'{"permissions": {"deny": ["Read(/x)"]}, "ask": ["Bash"]}'
	run look claude 'cat ~/.claude/settings.json' --offline
	assert_output '"Read(/x)"'
	refute_output 'would ask'
}

@test "CRED-08 opencode's log-in with GitHub Copilot, which never ends, is dealt with as a key" {
	local all='cat ~/.local/share/opencode/auth.json; env; cat /proc/*/environ 2>/dev/null; true' e
	printf '{"github-copilot": {"type": "oauth", "refresh": "gho_%s", "access": "gho_%s", "expires": 0},
		"anthropic": {"type": "oauth", "access": "token-of-claude", "refresh": "%s", "expires": %d000},
		"poe": {"type": "oauth", "access": "%s", "refresh": "%s", "expires": 0}}' "$CANARY" "$CANARY" "$CANARY" \
		$(($(date +%s) + 7200)) "$CANARY" "$CANARY" | file .local/share/opencode/auth.json
	e=$(cat "$HOME/.local/share/opencode/auth.json")
	run look opencode "$all" --offline
	assert_status 0
	refute_canary
	assert_output 'using your OpenCode log-in with GitHub Copilot'
	[[ $output =~ \"refresh\":\ \"gho_[A-Za-z0-9]{36}\" ]]
	assert_output '"access": ""'
	assert_output token-of-claude
	# nothing else is as good as a key
	assert_output 'poe: a token that does not expire'
	refute_output 'github-copilot: a token'
	refute_output COPILOT_GITHUB_TOKEN
	# where no policy has the credential the token would be there itself, and it reads repositories
	run look opencode "$all" --offline --policy balanced
	assert_status 0
	refute_canary
	refute_output gho_
	assert_output 'your OpenCode log-in with GitHub Copilot stays outside: no policy has the credential for it'
	assert_output token-of-claude
	run look opencode "$all" --offline --no-login
	refute_canary
	refute_output gho_
	rm "$HOME/.local/share/opencode/auth.json"
	OPENCODE_AUTH_CONTENT=$e run look opencode "$all" --offline
	refute_canary
	assert_output '"refresh":"gho_'
}

@test "of several log-ins in one file the expired ones are named" {
	file .local/share/opencode/auth.json <<-EOT
		{"anthropic": {"type": "oauth", "access": "A1", "refresh": "$CANARY", "expires": 1000},
		 "copilot": {"type": "oauth", "access": "B1", "refresh": "$CANARY", "expires": $(($(date +%s) + 7200))000}}
	EOT
	run look opencode 'cat ~/.local/share/opencode/auth.json' --offline
	assert_status 0
	assert_output 'your OpenCode log-in for anthropic has expired: run `opencode auth login` once on the host'
	assert_output 'using your OpenCode log-in for copilot (access token only'
	assert_output B1
	refute_output A1
	refute_canary
}

# What OpenCode keeps: keys that the policy knows, one that it doesn't, ChatGPT's log-in, others.
opencode_auth() {
	printf '{"anthropic": {"type": "api", "key": "key-of-anthropic-%s"}, "opencode": {"type": "api", "key": "key-of-zen-%s"},
		"groq": {"type": "api", "key": "key-of-groq-%s"}, "other": {"type": "api", "key": "key-of-another"},
		"openai": {"type": "oauth", "access": "at-%s", "refresh": "rt-%s", "expires": %d000, "accountId": "acc"},
		"copilot": {"type": "oauth", "access": "token-of-copilot", "refresh": "rt-%s", "expires": %d000},
		"https://corp.example": {"type": "wellknown", "key": "CORP_TOKEN", "token": "wk-%s"}}' \
		"$CANARY" "$CANARY" "$CANARY" "$CANARY" "$CANARY" "$1" "$CANARY" "$1" "$CANARY"
}

@test "CRED-08 opencode: placeholders in the place of its keys and of ChatGPT's log-in, in its file and its variable" {
	local all='cat ~/.local/share/opencode/auth.json; env; cat /proc/*/environ 2>/dev/null; true'
	opencode_auth "$(($(date +%s) + 7200))" | file .local/share/opencode/auth.json
	chmod 600 "$HOME/.local/share/opencode/auth.json"
	run look opencode "$all" --offline
	assert_status 0
	refute_canary
	assert_output '"key": "sk-ant-api03-'
	assert_output '"key": "gsk_'
	[[ $output == *'"opencode": {'*'"key": "sk-'* ]]
	[[ $output == *'"openai": {'*'"access": "eyJ'* ]]
	assert_output '"accountId": "acc"'
	assert_output key-of-another
	assert_output token-of-copilot
	assert_output "OpenCode's ChatGPT log-in (it stays on the host)"
	# where a key of the same service is in the environment under a name that it doesn't read
	printf '{"openai": {"type": "api", "key": "key-of-openai-%s"}}' "$CANARY" | file .local/share/opencode/auth.json
	CODEX_API_KEY=$CANARY-of-codex run look opencode "$all" --offline
	assert_status 0
	refute_canary
	assert_output '"key": "sk-'
	opencode_auth "$(($(date +%s) + 7200))" | file .local/share/opencode/auth.json
	# where the key is in the environment, too: the placeholder is there
	GROQ_API_KEY=$CANARY run look opencode "$all" --offline
	refute_canary
	assert_output GROQ_API_KEY=gsk_
	refute_output '"groq"'
	# the same text in a variable, and the file counts no more
	printf '{"mistral": {"type": "api", "key": "%s"}}' "$CANARY" | file .local/share/opencode/auth.json
	OPENCODE_AUTH_CONTENT=$(opencode_auth "$(($(date +%s) + 7200))" |
		sed "s/at-$CANARY/token-of-chatgpt/; s/key-of-another/$(printf 'long-%.0s' {1..2000})key-of-another/")
	export OPENCODE_AUTH_CONTENT
	run look opencode "$all" --offline
	assert_status 0
	refute_canary
	refute_output mistral
	assert_output 'OPENCODE_AUTH_CONTENT={'
	[[ $(grep -o '^OPENCODE_AUTH_CONTENT=.*' <<<"$output") == *'"key":"sk-ant-api03-'* ]]
	assert_output key-of-another
	grep -o '^OPENCODE_AUTH_CONTENT=.*' <<<"$output" | head -1 | cut -d= -f2- | python3 -m json.tool >/dev/null
	# that can't be renewed without a file: what ends by itself comes along
	assert_output token-of-chatgpt
	for e in OPENCODE_AUTH_CONTENT "OPENCODE_AUTH_CONTENT=$OPENCODE_AUTH_CONTENT"; do
		run look opencode "$all" --offline -e "$e"
		assert_status 0
		refute_canary
		assert_output 'OPENCODE_AUTH_CONTENT={'
	done
	run look opencode "$all" --offline --no-login
	refute_canary
	refute_output OPENCODE_AUTH_CONTENT
	OPENCODE_AUTH_CONTENT="not JSON $CANARY" run look opencode "$all" --offline
	assert_status 0
	refute_canary
	[ "$(grep -c "can't be used: \$OPENCODE_AUTH_CONTENT" <<<"$output")" = 1 ]
	# what is exposed is
	run look opencode "$all" --offline --expose-key ANTHROPIC_API_KEY
	assert_output "key-of-anthropic-$CANARY"
	refute_output "key-of-groq"
}
