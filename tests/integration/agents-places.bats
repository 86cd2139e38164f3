#!/usr/bin/env bats
# agents-places.bats - every usual way to install an agent: it is found, it runs, and of the home
# nothing but its package and the links of the chain is seen.
bats_require_minimum_version 1.5.0
load ../lib.sh
load agents.sh
setup() {
	bawn_setup
	need_agents
	MODULES=$AGENTS_DIR/node_modules
	# The agents' packages are linked, not copied: they are 1.3 GB.
	PATH=/usr/local/bin:/usr/bin:/bin
	NODE=$(dirname "$(readlink -f "$(PATH=$AGENTS_DIR/../node/bin:$PATH command -v node)")")
	plant "$HOME/.local/share/keyrings/login.keyring"
	plant "$HOME/.ssh/id_ed25519"
}
teardown() {
	PATH=/usr/local/bin:/usr/bin:/bin
	bawn_teardown
}

link_tree() {
	mkdir -p "$(dirname "$2")"
	cp -al "$1" "$2" 2>/dev/null && return
	rm -rf "$2" # another owner's files can't be linked
	cp -a "$1" "$2"
}

# npm_prefix DIR PACKAGE...: DIR/lib/node_modules and links in DIR/bin, as npm -g makes them.
npm_prefix() {
	local dir=$1 p b
	mkdir -p "$dir/bin" "$dir/lib/node_modules"
	shift
	for p; do
		link_tree "$MODULES/$p" "$dir/lib/node_modules/$p"
		# npm -g nests a package's own dependencies
		for b in "$MODULES/$p"-linux-*; do
			[ ! -d "$b" ] || link_tree "$b" \
				"$dir/lib/node_modules/$p/node_modules/${b#"$MODULES"/}"
		done
	done
	for b in claude codex gemini opencode; do
		p=$(readlink "$MODULES/.bin/$b")
		[ ! -e "$dir/lib/node_modules/${p#../}" ] ||
			ln -sf "../lib/node_modules/${p#../}" "$dir/bin/$b"
	done
}

# found TOOL VERSION: it starts inside, and no directory that holds anything else is bound.
found() {
	need_runnable "$1"
	run timeout 60 "$BAWN" run --rm --offline "$1" -- --version </dev/null
	assert_status 0 || return 1
	assert_output "$2" || return 1
	"$BAWN" run --rm --offline --dry-run "$1" >"$T/plan" 2>&1
	if grep -E "(^|[ =])($HOME|$HOME/.local|$HOME/.local/share|$HOME/.local/bin)( |$)" "$T/plan" |
		grep -E 'bind' | grep -v "sandbox's own home"; then
		fail 'a directory of the home is bound whole'
	fi
}

VERSION_claude=2.1.330
VERSION_codex=0.169.0
VERSION_gemini=0.61.0
VERSION_opencode=1.18.33

pinned() {
	local v=VERSION_$1
	grep -q "\"${!v}\"" "$BAWN_SRCDIR/tests/agents/package.json" || fail "not pinned: $1 ${!v}"
}

@test "the versions tested are the pinned ones" {
	for a in "${AGENTS[@]}"; do pinned "$a"; done
}

ALL=(@anthropic-ai/claude-code @openai/codex @google/gemini-cli opencode-ai)

@test "npm global, in a prefix below the home that is not in PATH: all four" {
	npm_prefix "$HOME/.npm-global" "${ALL[@]}"
	PATH=$NODE:$PATH
	for a in "${AGENTS[@]}"; do
		v=VERSION_$a
		found "$a" "${!v}"
	done
}

@test "npm prefix ~/.local: all four; the keyrings beside stay unseen" {
	npm_prefix "$HOME/.local" "${ALL[@]}"
	PATH=$HOME/.local/bin:$NODE:$PATH
	for a in "${AGENTS[@]}"; do
		v=VERSION_$a
		found "$a" "${!v}"
	done
}

@test "nvm: the agents and their node, without a node elsewhere" {
	local root=$HOME/.nvm/versions/node/v20.0.0
	npm_prefix "$root" @openai/codex @google/gemini-cli
	cp "$NODE/node" "$root/bin/node"
	plant "$HOME/.nvm/alias/secret"
	# nvm is a function of interactive shells: its directory may stand in PATH or not
	PATH=$(without_node)
	found codex "$VERSION_codex"
	found gemini "$VERSION_gemini"
	PATH=$root/bin:$PATH
	found gemini "$VERSION_gemini"
}

# The system's directories without node, so that only the one under test is there.
without_node() {
	mkdir -p "$T/sys"
	ln -s /usr/bin/* "$T/sys/"
	rm -f "$T/sys/node" "$T/sys/nodejs" "$T/sys/npm" "$T/sys/npx"
	echo "$T/sys"
}

@test "volta: a shim that is one program for all" {
	local v=$HOME/.volta
	npm_prefix "$v/tools/image/packages/@google/gemini-cli" @google/gemini-cli
	mkdir -p "$v/bin" "$v/tools/image/node/20.0.0/bin" "$v/tools/user/bins" \
		"$v/tools/user/packages/@google"
	cp "$NODE/node" "$v/tools/image/node/20.0.0/bin/node"
	# as volta's own: by its name and the layout, with the node of the layout
	cat >"$v/bin/volta-shim" <<-'EOT'
		#!/bin/bash
		v=${VOLTA_HOME:-$HOME/.volta}
		[ -e "$v/tools/user/bins/${0##*/}.json" ] || exit 99
		PATH=$v/tools/image/node/20.0.0/bin:$PATH
		exec "$v/tools/image/packages/@google/gemini-cli/bin/${0##*/}" "$@"
	EOT
	chmod +x "$v/bin/volta-shim"
	ln -s volta-shim "$v/bin/gemini"
	ln -s volta-shim "$v/bin/node"
	printf '{"node":{"runtime":"20.0.0","npm":null},"pnpm":null,"yarn":null}' \
		>"$v/tools/user/platform.json"
	printf '{"name":"gemini","package":"@google/gemini-cli","version":"0.61.0","platform":{"node":"20.0.0","npm":null,"pnpm":null,"yarn":null},"manager":"Npm"}' \
		>"$v/tools/user/bins/gemini.json"
	export VOLTA_HOME=$v
	PATH=$v/bin:$(without_node)
	found gemini "$VERSION_gemini"
}

@test "the native installer: ~/.local/bin/claude and its versions" {
	need_runnable claude
	mkdir -p "$HOME/.local/bin" "$HOME/.local/share/claude/versions"
	ln "$(readlink -f "$MODULES/.bin/claude")" "$HOME/.local/share/claude/versions/2.1.330" ||
		cp "$(readlink -f "$MODULES/.bin/claude")" "$HOME/.local/share/claude/versions/2.1.330"
	ln -s "$HOME/.local/share/claude/versions/2.1.330" "$HOME/.local/bin/claude"
	found claude "$VERSION_claude"
	PATH=$HOME/.local/bin:$PATH
	found claude "$VERSION_claude"
	# as the agent sees it
	start_model '{"commands":["ls -R ~/.local; cat ~/.local/share/keyrings/*; readlink ~/.local/bin/claude"],"final":"over"}'
	lead claude
	run timeout 60 "$BAWN" run --rm "${LEAD[@]}" claude -- "${TASK[@]}" </dev/null
	assert_status 0
	[[ $(tool_result 0) == *"$HOME/.local/share/claude/versions/2.1.330"* ]] || fail "$(tool_result 0)"
	[[ $(tool_result 0) != *login.keyring* ]] || fail "$(tool_result 0)"
	refute_canary "$MODEL_LOG"
}

@test "opencode's own installer: ~/.opencode/bin" {
	mkdir -p "$HOME/.opencode/bin"
	ln "$(readlink -f "$MODULES/.bin/opencode")" "$HOME/.opencode/bin/opencode" ||
		cp "$(readlink -f "$MODULES/.bin/opencode")" "$HOME/.opencode/bin/opencode"
	plant "$HOME/.opencode/secret"
	found opencode "$VERSION_opencode"
	run grep -F "$HOME/.opencode" "$T/plan"
	refute_output "$HOME/.opencode/secret"
}

@test "pnpm and bun: the packages beside, none of their other things" {
	local p=$HOME/.local/share/pnpm n=global/5/.pnpm/@google+gemini-cli@0.61.0/node_modules
	link_tree "$MODULES/@google/gemini-cli" "$p/$n/@google/gemini-cli"
	cat >"$p/gemini" <<-EOT
		#!/bin/sh
		basedir=\$(dirname "\$(echo "\$0" | sed -e 's,\\\\,/,g')")
		if [ -x "\$basedir/node" ]; then
		  exec "\$basedir/node"  "\$basedir/$n/@google/gemini-cli/bundle/gemini.js" "\$@"
		else
		  exec node  "\$basedir/$n/@google/gemini-cli/bundle/gemini.js" "\$@"
		fi
	EOT
	chmod +x "$p/gemini"
	PATH=$NODE:$PATH # and not pnpm's own: it is found all the same
	found gemini "$VERSION_gemini"
	rm -rf "$p"
	p=$HOME/.bun/install/global/node_modules
	for n in codex codex-linux-x64; do link_tree "$MODULES/@openai/$n" "$p/@openai/$n"; done
	mkdir -p "$HOME/.bun/bin"
	ln -s ../install/global/node_modules/@openai/codex/bin/codex.js "$HOME/.bun/bin/codex"
	found codex "$VERSION_codex"
}

# manager DIR INSTALL: node and gemini below INSTALL, shims in DIR/shims that start DIR's manager.
manager() {
	local b
	npm_prefix "$1/$2" @google/gemini-cli
	cp "$NODE/node" "$1/$2/bin/node"
	mkdir -p "$1/shims" "$HOME/tools"
	printf '#!/bin/bash\nshift\nexec %q/%q/bin/"$@"\n' "$1" "$2" >"$HOME/tools/manager"
	chmod +x "$HOME/tools/manager"
	for b in node gemini; do
		printf '#!/usr/bin/env bash\nexec manager exec "%s" "$@"\n' "$b" >"$1/shims/$b"
		chmod +x "$1/shims/$b"
	done
}

@test "asdf and nodenv: the program behind the shim, and the manager that the shims start" {
	plant "$HOME/tools/secret"
	manager "$HOME/.asdf" installs/nodejs/20.0.0
	PATH=$HOME/.asdf/shims:$HOME/tools:$(without_node)
	found gemini "$VERSION_gemini"
	run grep -F "$HOME/tools/secret" "$T/plan"
	refute_output secret
	rm -rf "$HOME/.asdf"
	manager "$HOME/.nodenv" versions/20.0.0
	PATH=$HOME/.nodenv/shims:$HOME/tools:$T/sys
	found gemini "$VERSION_gemini"
}

@test "mise: a lone program of an installation; fnm: links of links" {
	local m=$HOME/.local/share/mise f=$HOME/.local/share/fnm
	mkdir -p "$m/installs/codex/0.169.0" "$m/shims" "$HOME/.local/bin"
	ln "$MODULES"/@openai/codex-linux-*/vendor/*/bin/codex "$m/installs/codex/0.169.0/codex" ||
		cp "$MODULES"/@openai/codex-linux-*/vendor/*/bin/codex "$m/installs/codex/0.169.0/codex"
	printf '#!/bin/sh\nexit 9\n' >"$HOME/.local/bin/mise"
	chmod +x "$HOME/.local/bin/mise"
	ln -s "$HOME/.local/bin/mise" "$m/shims/codex"
	PATH=$m/shims:$(without_node)
	found codex "$VERSION_codex"
	npm_prefix "$f/node-versions/v20.0.0/installation" @google/gemini-cli
	cp "$NODE/node" "$f/node-versions/v20.0.0/installation/bin/node"
	mkdir -p "$f/aliases" "$HOME/.local/state/fnm_multishells"
	ln -s "$f/node-versions/v20.0.0/installation" "$f/aliases/default"
	ln -s "$f/aliases/default" "$HOME/.local/state/fnm_multishells/7_1"
	PATH=$HOME/.local/state/fnm_multishells/7_1/bin:$T/sys
	found gemini "$VERSION_gemini"
	PATH=$T/sys:$T/none
	found gemini "$VERSION_gemini"
}

@test "a wrapper of the user's in ~/bin, links of links, and blanks in the path" {
	local dir="$HOME/my tools (old)/node"
	npm_prefix "$dir" @google/gemini-cli
	mkdir -p "$HOME/bin" "$HOME/a/b"
	PATH=$HOME/bin:$NODE:$PATH
	printf '#!/bin/bash\nexport X=1\nexec "$HOME/my tools (old)/node/bin/gemini" "$@"\n' >"$HOME/bin/gemini"
	chmod +x "$HOME/bin/gemini"
	found gemini "$VERSION_gemini"
	rm "$HOME/bin/gemini"
	ln -s ../../my\ tools\ \(old\)/node/bin/gemini "$HOME/a/b/two"
	ln -s "$HOME/a/b/two" "$HOME/a/one"
	ln -s ../a/one "$HOME/bin/gemini"
	found gemini "$VERSION_gemini"
}

@test "not installed: which command installs it, without root too, status 127" {
	PATH=$(without_node)
	for a in "${AGENTS[@]}"; do
		run -127 "$BAWN" run --rm "$a"
		assert_output 'npm install -g --prefix ~/.local ' || return 1
	done
}

@test "a link that leads nowhere, and a file that can't be executed" {
	PATH=$(without_node)
	mkdir -p "$HOME/.local/bin"
	ln -s /nonexistent/claude "$HOME/.local/bin/claude"
	run -127 "$BAWN" run --rm claude
	printf 'not a program\n' >"$HOME/codex"
	PATH=$HOME:$PATH
	run -126 "$BAWN" run --rm codex
	assert_output 'chmod +x'
	chmod +x "$HOME/codex"
	run -126 "$BAWN" run --rm codex
}
