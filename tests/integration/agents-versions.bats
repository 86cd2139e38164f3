#!/usr/bin/env bats
# agents-versions.bats - the shipped profiles with other versions of the agents: flags, settings and
# variables that one version needs and another doesn't.  A script in the agent's package stands for
# it: which version it is, its package says.
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../templates.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

# agent NAME PACKAGE VERSION: npm's global directory ~/.local has it; it prints its arguments, the
# variable that matters, and its settings.
agent() {
	local dir=$HOME/.local/lib/node_modules/$2
	mkdir -p "$dir/bin" "$HOME/.local/bin"
	printf '{"name": "%s", "version": "%s", "bin": {"%s": "bin/%s"}}' "$2" "$3" "$1" "$1" >"$dir/package.json"
	cat >"$dir/bin/$1" <<-'EOT'
		#!/bin/bash
		printf '[%s]' "$@"
		echo
		echo "permission=$OPENCODE_PERMISSION"
		cat ~/.claude.json ~/.claude/settings.json ~/.codex/config.toml ~/.config/opencode/opencode.json 2>/dev/null || :
	EOT
	chmod +x "$dir/bin/$1"
	ln -sf "../lib/node_modules/$2/bin/$1" "$HOME/.local/bin/$1"
}

# lone SCRIPT: with the end of an executable that was made with Bun.
lone() {
	cat "$1"
	echo 'exit'
	head -c 300000 /dev/zero | tr '\0' '#'
	printf '\001--user-agent=opencode/1.1.53 --use-system-ca --\001'
	head -c 50000 /dev/zero | tr '\0' '#'
}

says() { # NAME ARGS...
	run "$BAWN" run --rm -q --offline "${OPTS[@]}" "$@" </dev/null
	assert_status 0
}

@test "opencode: --auto since 1.18, before it what OPENCODE_PERMISSION allows; --no-yolo has neither" {
	local all='"external_directory": "allow"'
	agent opencode opencode-ai 1.18.4
	says opencode -- run go
	assert_output '[run][--auto][go]'
	assert_output $'\npermission=\n'
	agent opencode opencode-ai 1.17.20
	says opencode -- run go
	assert_output '[run][go]'
	assert_output 'permission={"bash": {"*": "allow"}, '
	assert_output ", $all, "
	# the user's own word is his
	OPENCODE_PERMISSION='{"bash":"deny"}' says opencode -- run go
	assert_output 'permission={"bash":"deny"}'
	says -e OPENCODE_PERMISSION='{"edit":"ask"}' opencode -- run go
	assert_output 'permission={"edit":"ask"}'
	says --no-yolo opencode -- run go
	assert_output $'[run][go]\npermission=\n'
	refute_output "$all"
}

@test "codex: each version's own offers of another model are answered, and its review of hooks" {
	agent codex @openai/codex 0.77.0
	says codex
	assert_output 'sandbox_mode = "danger-full-access"'
	says --no-yolo codex
	refute_output 'danger-full-access'
	agent codex @openai/codex 0.98.0
	says codex
	assert_output '"gpt-5.2" = "gpt-5.2-codex"'
	refute_output 'hook-trust'
	agent codex @openai/codex 0.101.0
	says codex
	assert_output '"gpt-5.2-codex" = "gpt-5.3-codex"'
	agent codex @openai/codex 0.118.0
	says codex
	assert_output '"gpt-5.2-codex" = "gpt-5.4"'
	refute_output 'hooks = false'
	agent codex @openai/codex 0.133.0
	says codex
	assert_output '[--dangerously-bypass-hook-trust]'
	assert_output 'hooks = false'
	agent codex @openai/codex 0.171.0
	says codex
	assert_output '[--dangerously-bypass-hook-trust]'
	assert_output '"gpt-5.5" = "gpt-6-sol"'
	refute_output 'hooks = false'
	# what the user has chosen stays
	mkdir -p "$HOME/.codex"
	printf '[notice.model_migrations]\n"gpt-5.5" = "mine"\n' >"$HOME/.codex/config.toml"
	says codex
	assert_output '"gpt-5.5" = "mine"'
}

@test "claude: a project of ~/.claude.json has what old versions look for, and the user's own" {
	agent claude @anthropic-ai/claude-code 1.0.128
	printf '{"projects": {"%s": {"allowedTools": ["Bash(ls)"]}}}' "$WS" >"$HOME/.claude.json"
	says claude
	assert_output '"mcpContextUris": []'
	assert_output '"Bash(ls)"'
	agent claude @anthropic-ai/claude-code 2.1.332
	says claude
	refute_output '"mcpContextUris"'
}

@test "claude: before 2.0 no setting that makes an old version drop them all" {
	mkdir -p "$HOME/.claude"
	echo '{"model": "opus"}' >"$HOME/.claude/settings.json"
	agent claude @anthropic-ai/claude-code 1.0.65
	says claude
	assert_output '"model": "opus"'
	assert_output '"enableAllProjectMcpServers": true'
	refute_output '"sandbox"'
	refute_output '"skipDangerousModePermissionPrompt"'
	agent claude @anthropic-ai/claude-code 2.0.30
	says claude
	assert_output '"enableAllProjectMcpServers": true'
	assert_output '"skipDangerousModePermissionPrompt": true'
	assert_output '"sandbox": {'
}

@test "a lone executable says its version itself, whatever it is called by" {
	agent opencode opencode-ai 1.1.53
	mkdir -p "$HOME/.opencode/bin"
	lone "$HOME/.local/bin/opencode" >"$HOME/.opencode/bin/opencode"
	chmod +x "$HOME/.opencode/bin/opencode"
	rm -r "$HOME/.local/bin/opencode" "$HOME/.local/lib"
	says opencode -- run go
	assert_output '[run][go]'
	assert_output 'permission={"bash"'
	run "$BAWN" run -v --offline --dry-run opencode -- run go
	assert_output 'opencode 1.1.53 does not know --auto (since 1.18): not passed'
}

@test "pnpm's shims of today: the package behind is found, bound, and its version told" {
	local p=$HOME/.local/share/pnpm link
	agent opencode opencode-ai 1.1.53
	link=store/v11/links/@/opencode-ai/1.1.53/0af1/node_modules/opencode-ai
	mkdir -p "$p/bin" "$p/${link%/*}" "$p/global/v11/b26a/node_modules"
	mv "$HOME/.local/lib/node_modules/opencode-ai" "$p/$link"
	ln -s "../../../../$link" "$p/global/v11/b26a/node_modules/opencode-ai"
	rm -r "$HOME/.local/bin/opencode" "$HOME/.local/lib"
	cat >"$p/bin/opencode" <<-'EOT'
		#!/bin/sh
		link="$0"
		basedir="${link%/*}"
		basedir_abs=$(CDPATH= cd -P -- "$basedir" && pwd -P) || exit $?
		if [ -x "$basedir/node" ]; then
		  exec "$basedir/node"  "$basedir_abs"/'../global/v11/b26a/node_modules/opencode-ai/bin/opencode' "$@"
		else
		  exec bash  "$basedir_abs"/'../global/v11/b26a/node_modules/opencode-ai/bin/opencode' "$@"
		fi
	EOT
	chmod +x "$p/bin/opencode"
	# not in PATH, it is found all the same; a directory of another name has to stand in PATH
	says opencode -- run go
	assert_output '[run][go]'
	mkdir "$HOME/tools"
	mv "$p" "$HOME/tools/pn"
	PATH=$HOME/tools/pn/bin:$PATH says opencode -- run go
	assert_output '[run][go]'
	assert_output 'permission={"bash"'
}

@test "yarn's global directory: found where it is not in PATH" {
	agent opencode opencode-ai 1.1.53
	mkdir -p "$HOME/.config/yarn/global/node_modules/.bin" "$HOME/.yarn/bin"
	mv "$HOME/.local/lib/node_modules/opencode-ai" "$HOME/.config/yarn/global/node_modules/"
	rm -r "$HOME/.local/bin/opencode" "$HOME/.local/lib"
	ln -s ../opencode-ai/bin/opencode "$HOME/.config/yarn/global/node_modules/.bin/opencode"
	ln -s ../../.config/yarn/global/node_modules/.bin/opencode "$HOME/.yarn/bin/opencode"
	says opencode -- run go
	assert_output '[run][go]'
}

@test "in a template, its own version counts, not the machine's" {
	local dir
	agent opencode opencode-ai 1.1.53
	template_layer
	template_debian
	dir=$LAYER/usr/local/lib/node_modules/opencode-ai
	mkdir -p "${dir%/*}" "$LAYER/usr/local/bin"
	mv "$HOME/.local/lib/node_modules/opencode-ai" "$dir"
	ln -s ../lib/node_modules/opencode-ai/bin/opencode "$LAYER/usr/local/bin/opencode"
	template_commit old:v1 'env PATH=/usr/local/bin:/usr/bin'
	agent opencode opencode-ai 1.18.33
	OPTS=(--template old:v1)
	says opencode -- run go
	assert_output '[run][go]'
	assert_output 'permission={"bash"'
	# a lone executable in there, as OpenCode's own installer puts it
	rm "$LAYER/usr/local/bin/opencode"
	lone "$dir/bin/opencode" >"$LAYER/usr/local/bin/opencode"
	chmod +x "$LAYER/usr/local/bin/opencode"
	rm -r "$dir"
	template_commit lone:v1 'env PATH=/usr/local/bin:/usr/bin'
	OPTS=(--template lone:v1)
	says opencode -- run go
	assert_output '[run][go]'
	OPTS=()
	says opencode -- run go
	assert_output '[run][--auto][go]'
}

@test "gemini: until 0.3 settings have their old names, by a key or a log-in" {
	local f=$HOME/.gemini/settings.json dir=$HOME/.local/lib/node_modules/@google/gemini-cli
	agent gemini @google/gemini-cli 0.2.2
	printf '#!/bin/sh\ncat ~/.gemini/settings.json\n' >"$dir/bin/gemini"
	export GEMINI_API_KEY=test-x
	says gemini
	assert_output '"selectedAuthType": "gemini-api-key"'
	assert_output '"disableAutoUpdate": true'
	assert_output '"theme": "Default"'
	mkdir -p "${f%/*}"
	printf '{"access_token":"ya29.x","refresh_token":"1//y","expiry_date":%d000}' $(($(date +%s) + 3600)) >"${f%/*}/oauth_creds.json"
	unset GEMINI_API_KEY
	says gemini
	assert_output '"selectedAuthType": "oauth-personal"'
	export GEMINI_API_KEY=test-x
	sed -i 's/0\.2\.2/0.3.4/' "$dir/package.json"
	says gemini
	refute_output selectedAuthType
	refute_output disableAutoUpdate
	refute_output theme
	assert_output '"selectedType": "gemini-api-key"'
}

# wrapped: ~/bin/opencode is the script on standard input; the package is in ~/tools alone.
wrapped() {
	cat >"$HOME/bin/opencode"
	PATH=$HOME/bin:$PATH says opencode -- run go
	assert_output '[run][go]'
	assert_output 'permission={"bash"'
}

@test "a script of the user's in front: what it hands its arguments to is found, however it says where" {
	agent opencode opencode-ai 1.1.53
	mkdir -p "$HOME/bin" "$HOME/tools"
	mv "$HOME/.local/lib" "$HOME/.local/bin" "$HOME/tools/"
	printf '#!/bin/sh\n' >"$HOME/bin/opencode"
	chmod +x "$HOME/bin/opencode"
	wrapped <<-'EOT'
		#!/bin/bash
		# opencode "$@", without colours
		NO_COLOR=1 ~/tools/bin/opencode "$@"
	EOT
	wrapped <<-'EOT'
		#!/usr/bin/env bash
		set -euo pipefail
		export TOOLS="${TOOLS:-$HOME/tools}"
		program=$TOOLS/bin/opencode
		exec "${program}" "$@"
	EOT
	wrapped <<-'EOT'
		#!/bin/sh
		if true; then
			"$(dirname "$0")/../tools/bin/opencode" "$@"
			exit $?
		fi
	EOT
	# what it is called itself, what is missing something, and what is never reached, stop nothing
	printf '#!/usr/bin/env no-such-interpreter\n' >"$HOME/tools/broken"
	chmod +x "$HOME/tools/broken"
	wrapped <<-'EOT'
		#!/bin/sh
		[ -z "$OLD" ] || ~/tools/broken "$@"
		[ "$1" != install ] || opencode "$@"
		logger -t opencode -- "$@" || :
		PATH=$HOME/tools/bin:$PATH
		~/tools/bin/opencode "$@"
	EOT
	# what it only mentions is none of it
	printf '#!/bin/sh\n' >"$HOME/tools/other"
	chmod +x "$HOME/tools/other"
	printf '#!/bin/sh\nO=~/tools/other\n# $O "$@"\n~/tools/bin/opencode "$@"\nls ~/tools/other 2>/dev/null || :\n' >"$HOME/bin/opencode"
	PATH=$HOME/bin:$PATH says opencode -- run go
	assert_output '[run][go]'
	PATH=$HOME/bin:$PATH run "$BAWN" run -v --offline --dry-run opencode
	refute_output tools/other
}
