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

VERSION_claude=2.1.332
VERSION_codex=0.171.0
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

@test "nvm: the agents and their node, without a node elsewhere: all four" {
	local root=$HOME/.nvm/versions/node/v20.0.0
	npm_prefix "$root" "${ALL[@]}"
	cp "$NODE/node" "$root/bin/node"
	plant "$HOME/.nvm/alias/secret"
	# nvm is a function of interactive shells: its directory may stand in PATH or not
	PATH=$(without_node)
	for a in "${AGENTS[@]}"; do
		v=VERSION_$a
		found "$a" "${!v}"
	done
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
	local v=$HOME/.volta p i=0
	mkdir -p "$v/bin" "$v/tools/image/node/20.0.0/bin" "$v/tools/user/bins"
	cp "$NODE/node" "$v/tools/image/node/20.0.0/bin/node"
	# as volta's own: by its name and the layout, with the node of the layout
	cat >"$v/bin/volta-shim" <<-'EOT'
		#!/bin/bash
		v=${VOLTA_HOME:-$HOME/.volta}
		p=$(sed -n 's/.*"package":"\([^"]*\)".*/\1/p' "$v/tools/user/bins/${0##*/}.json") || exit 99
		PATH=$v/tools/image/node/20.0.0/bin:$PATH
		exec "$v/tools/image/packages/$p/bin/${0##*/}" "$@"
	EOT
	chmod +x "$v/bin/volta-shim"
	ln -s volta-shim "$v/bin/node"
	printf '{"node":{"runtime":"20.0.0","npm":null},"pnpm":null,"yarn":null}' \
		>"$v/tools/user/platform.json"
	export VOLTA_HOME=$v
	PATH=$v/bin:$(without_node)
	for a in "${AGENTS[@]}"; do
		p=${ALL[i++]} v=VERSION_$a
		npm_prefix "$VOLTA_HOME/tools/image/packages/$p" "$p"
		ln -s volta-shim "$VOLTA_HOME/bin/$a"
		printf '{"name":"%s","package":"%s","version":"%s","platform":{"node":"20.0.0","npm":null,"pnpm":null,"yarn":null},"manager":"Npm"}' \
			"$a" "$p" "${!v}" >"$VOLTA_HOME/tools/user/bins/$a.json"
		found "$a" "${!v}"
	done
}

@test "the native installer: ~/.local/bin/claude and its versions" {
	need_runnable claude
	mkdir -p "$HOME/.local/bin" "$HOME/.local/share/claude/versions"
	ln "$(readlink -f "$MODULES/.bin/claude")" "$HOME/.local/share/claude/versions/2.1.332" ||
		cp "$(readlink -f "$MODULES/.bin/claude")" "$HOME/.local/share/claude/versions/2.1.332"
	ln -s "$HOME/.local/share/claude/versions/2.1.332" "$HOME/.local/bin/claude"
	found claude "$VERSION_claude"
	PATH=$HOME/.local/bin:$PATH
	found claude "$VERSION_claude"
	# as the agent sees it
	start_model '{"commands":["ls -R ~/.local; cat ~/.local/share/keyrings/*; readlink ~/.local/bin/claude"],"final":"over"}'
	lead claude
	run timeout 60 "$BAWN" run --rm "${LEAD[@]}" claude -- "${TASK[@]}" </dev/null
	assert_status 0
	[[ $(tool_result 0) == *"$HOME/.local/share/claude/versions/2.1.332"* ]] || fail "$(tool_result 0)"
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

# A lone program of claude's, in XDG's directory, and the script of its old installer.
@test "claude: its versions below XDG_DATA_HOME; ~/.claude/local" {
	need_runnable claude
	local x=$HOME/data/claude/versions
	mkdir -p "$x" "$HOME/.local/bin" "$HOME/.claude"
	link_file "$(readlink -f "$MODULES/.bin/claude")" "$x/$VERSION_claude"
	ln -s "$x/$VERSION_claude" "$HOME/.local/bin/claude"
	plant "$HOME/data/keyrings/login.keyring"
	XDG_DATA_HOME=$HOME/data found claude "$VERSION_claude"
	run grep -F "$HOME/data" "$T/plan"
	refute_output keyrings
	rm -r "$HOME/.local/bin" "$HOME/data/claude"
	plant "$HOME/.claude/local/secret"
	npm_prefix "$T/npm" @anthropic-ai/claude-code
	mv "$T/npm/lib/node_modules" "$HOME/.claude/local/"
	mkdir "$HOME/.claude/local/node_modules/.bin"
	ln -s ../@anthropic-ai/claude-code/bin/claude.exe "$HOME/.claude/local/node_modules/.bin/claude"
	printf '#!/bin/bash\nexec "%s" "$@"\n' "$HOME/.claude/local/node_modules/.bin/claude" >"$HOME/.claude/local/claude"
	chmod +x "$HOME/.claude/local/claude"
	found claude "$VERSION_claude"
	run grep -F "$HOME/.claude/local" "$T/plan"
	refute_output "$HOME/.claude/local/secret"
}

link_file() {
	ln "$1" "$2" 2>/dev/null || cp "$1" "$2"
}

# What codex brings is in a program beside it: without that no tool of it works.
@test "codex's own installer: it works with the parts that it came with" {
	local home=$HOME/.codex/packages/standalone
	local dir=$home/releases/$VERSION_codex-x86_64-unknown-linux-musl vendor
	for vendor in "$MODULES"/@openai/codex-linux-*/vendor/*; do link_tree "$vendor" "$dir"; done
	mkdir -p "$HOME/.local/bin"
	ln -s bin/codex "$dir/codex"
	ln -s "$dir" "$home/current"
	ln -s "$home/current/bin/codex" "$HOME/.local/bin/codex"
	plant "$dir/secret"
	plant "$HOME/.codex/packages/standalone/releases/secret"
	PATH=$(without_node)
	found codex "$VERSION_codex"
	PATH=$AGENTS_DIR/../node/bin:$NODE:$PATH
	start_model '{"commands":["echo written by the agent >made.txt; command -v rg; find ~ -name secret"],"final":"THE TOUR IS OVER"}'
	lead codex
	PATH=$T/sys run timeout 60 "$BAWN" run --rm "${LEAD[@]}" codex -- "${TASK[@]}" </dev/null
	assert_status 0
	refute_output 'Code Mode is unavailable'
	[ "$(cat "$WS/made.txt")" = 'written by the agent' ]
	[[ $(tool_result 0) == *"$home/current/codex-path/rg"* ]] || fail "$(tool_result 0)"
	[[ $(tool_result 0) != *secret* ]] || fail "$(tool_result 0)"
	# its archive unpacked in ~/.local: none of what is there besides
	rm "$HOME/.local/bin/codex" "$dir/codex" "$dir/secret"
	cp -al "$dir/." "$HOME/.local/"
	ln -s share "$HOME/.local/codex-share"
	plant "$HOME/.local/codex-notes.txt" 700
	plant "$HOME/.local/codex-experiments/x"
	plant "$HOME/.local/bin/codex-notes.txt"
	rm -r "$HOME/.codex"
	PATH=$T/sys:$T/none
	found codex "$VERSION_codex"
	grep -qF "$HOME/.local/bin/codex-code-mode-host" "$T/plan" || fail "$(cat "$T/plan")"
	grep -qF "$HOME/.local/codex-path" "$T/plan" || fail "$(cat "$T/plan")"
	run grep -E "$HOME/.local/(share[ /]|codex-|bin/codex-)" "$T/plan"
	refute_output "$HOME/.local/share " codex-share keyrings codex-notes codex-experiments
	# in the home itself: the program alone
	mkdir "$HOME/bin"
	mv "$HOME/.local/bin/"codex* "$HOME/bin"
	mv "$HOME/.local/"codex-* "$HOME"
	PATH=$T/sys:$HOME/bin
	found codex "$VERSION_codex"
	run grep -F "$HOME/codex-" "$T/plan"
	refute_output codex-
}

# pnpm_shim FILE REST: as pnpm writes it, for REST below the shim's directory.
pnpm_shim() {
	cat >"$1" <<-EOT
		#!/bin/sh
		basedir=\$(dirname "\$(echo "\$0" | sed -e 's,\\\\,/,g')")
		if [ -x "\$basedir/node" ]; then
		  exec "\$basedir/node"  "\$basedir/$2" "\$@"
		else
		  exec ${3-node}  "\$basedir/$2" "\$@"
		fi
	EOT
	chmod +x "$1"
}

@test "pnpm: each package in a store of its own, with links to what it depends on; no more than these" {
	local p=$HOME/.local/share/pnpm s=global/5/.pnpm n
	n=$s/@google+gemini-cli@0.61.0/node_modules
	link_tree "$MODULES/@google/gemini-cli" "$p/$n/@google/gemini-cli"
	pnpm_shim "$p/gemini" "$n/@google/gemini-cli/bundle/gemini.js"
	plant "$p/$s/other@1.0.0/node_modules/other/secret"
	PATH=$NODE:$PATH # and not pnpm's own: it is found all the same
	found gemini "$VERSION_gemini"
	n=$s/@openai+codex@$VERSION_codex/node_modules
	link_tree "$MODULES/@openai/codex" "$p/$n/@openai/codex"
	link_tree "$MODULES/@openai/codex-linux-x64" "$p/$s/@openai+codex@$VERSION_codex-linux-x64/node_modules/@openai/codex"
	ln -s "../../../@openai+codex@$VERSION_codex-linux-x64/node_modules/@openai/codex" "$p/$n/@openai/codex-linux-x64"
	pnpm_shim "$p/codex" "$n/@openai/codex/bin/codex.js"
	found codex "$VERSION_codex"
	# below XDG_DATA_HOME, where pnpm says that it be put into PATH
	mv "$p" "$HOME/pnpm"
	n=$s/@anthropic-ai+claude-code@$VERSION_claude/node_modules
	link_tree "$MODULES/@anthropic-ai/claude-code" "$HOME/pnpm/$n/@anthropic-ai/claude-code"
	pnpm_shim "$HOME/pnpm/claude" "$n/@anthropic-ai/claude-code/bin/claude.exe" ''
	sed -i 's/exec  /exec /' "$HOME/pnpm/claude"
	PATH=$HOME/pnpm:$PATH
	found codex "$VERSION_codex"
	found claude "$VERSION_claude"
	run grep -F "$HOME/pnpm" "$T/plan"
	refute_output other@1.0.0
}

@test "bun: all packages beside each other, those that it depends on are seen: all four" {
	local p=$HOME/.bun/install/global/node_modules i n
	PATH=$NODE:$PATH
	mkdir -p "$HOME/.bun/bin"
	for n in "${ALL[@]}" @openai/codex-linux-x64; do link_tree "$MODULES/$n" "$p/$n"; done
	plant "$p/other/secret"
	for i in "${AGENTS[@]}"; do
		n=$(readlink "$MODULES/.bin/$i") v=VERSION_$i
		ln -s "../install/global/node_modules/${n#../}" "$HOME/.bun/bin/$i"
		found "$i" "${!v}"
		run grep -F "$p" "$T/plan"
		refute_output "$p/other"
	done
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
	mkdir -p "$m/installs/codex/0.171.0" "$m/shims" "$HOME/.local/bin"
	ln "$MODULES"/@openai/codex-linux-*/vendor/*/bin/codex "$m/installs/codex/0.171.0/codex" ||
		cp "$MODULES"/@openai/codex-linux-*/vendor/*/bin/codex "$m/installs/codex/0.171.0/codex"
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
