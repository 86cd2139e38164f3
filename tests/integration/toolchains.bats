#!/usr/bin/env bats
# toolchains.bats - compilers, interpreters and package caches below $HOME: found and running
# inside, caches writable there with the host's unchanged, credentials not there.  The homes have
# the layout of the real tools; the programs in them are small scripts that say who they are.
load ../lib.sh
setup() {
	bawn_setup
	PATH=/usr/local/bin:/usr/bin:/bin
	unset CARGO_HOME RUSTUP_HOME NVM_DIR PYENV_ROOT GOPATH GOROOT MISE_DATA_DIR
}
teardown() {
	chmod -R u+rwX "$T" 2>/dev/null
	bawn_teardown
}

# tool PATH TEXT: a program that says TEXT and its arguments.
tool() {
	mkdir -p "$(dirname "$1")"
	printf '#!/bin/sh\necho "%s $*"\n' "$2" >"$1"
	chmod 0755 "$1"
}

put() { # FILE TEXT
	mkdir -p "$(dirname "$1")"
	printf '%s\n' "$2" >"$1"
}

sums() {
	find "$HOME" \( -path "$HOME/.cache/bawn" -o -path "$XDG_DATA_HOME/bawn" -o -path "$WS" \) -prune -o \
		\( -type f -o -type l \) -printf '%p %s %T@ %l\n' | sort
}

# The script inside; the host's home is the same afterwards, and no canary was seen.
home_kept() {
	local before
	before=$(sums)
	run in_sandbox_sh "$1"
	refute_canary || return 1
	diff <(echo "$before") <(sums) >&2 || fail "the host's home changed"
}

@test "toolchains: nvm, native Claude Code, an MCP server by npx" {
	local v=$HOME/.nvm/versions/node/v22.1.0
	put "$HOME/.nvm/nvm.sh" '# nvm'
	put "$HOME/.nvm/alias/default" 22
	tool "$v/bin/node" nvm-node
	put "$v/lib/node_modules/npm/bin/npx-cli.js" '#!/usr/bin/env node'
	chmod +x "$v/lib/node_modules/npm/bin/npx-cli.js"
	ln -s ../lib/node_modules/npm/bin/npx-cli.js "$v/bin/npx"
	put "$HOME/.npm/_npx/abc/node_modules/mcp-server/index.js" server
	put "$HOME/.npm/_cacache/index-v5/x" cached
	plant "$HOME/.npmrc"
	plant "$HOME/.npm/_logs/log"
	tool "$HOME/.local/share/claude/versions/2.0.1" native-claude
	mkdir -p "$HOME/.local/bin"
	ln -s "$HOME/.local/share/claude/versions/2.0.1" "$HOME/.local/bin/claude"
	plant "$HOME/.local/share/keyrings/login.keyring"
	export NVM_DIR=$HOME/.nvm PATH=$v/bin:$HOME/.local/bin:$PATH
	home_kept 'node --here; npx -y mcp-server; cat ~/.npm/_npx/abc/node_modules/mcp-server/index.js ~/.npmrc ~/.npm/_logs/log
		echo new >~/.npm/_cacache/index-v5/y && cat ~/.npm/_cacache/index-v5/*; echo evil >$(command -v node); echo NVM=$NVM_DIR'
	assert_output 'nvm-node --here'
	assert_output "nvm-node $v/bin/npx -y mcp-server"
	assert_output server
	assert_output new
	assert_output "NVM=$HOME/.nvm"
	run "$BAWN" run --rm claude "$WS" -- --hello
	assert_output native-claude
	assert_output --hello
	refute_canary
}

@test "toolchains: uv and pyenv, the interpreter behind a .venv" {
	local py=$HOME/.pyenv/versions/3.12.1 uv=$HOME/.local/share/uv/python/cpython-3.13.0-linux-x86_64-gnu
	mkdir -p "$py/bin" "$uv/bin" "$HOME/.pyenv/shims" "$HOME/.pyenv/bin" "$WS/.venv/bin" "$WS/other/.venv/bin"
	tool "$py/bin/python3.12" pyenv-python
	put "$py/lib/python3.12/os.py" ''
	put "$uv/lib/python3.13/os.py" ''
	ln -s python3.12 "$py/bin/python3"
	ln -s python3.12 "$py/bin/python"
	tool "$HOME/.pyenv/shims/python3" "pyenv-shim"
	put "$HOME/.pyenv/version" 3.12.1
	tool "$uv/bin/python3.13" uv-python
	tool "$HOME/.local/bin/uv" uv-tool
	put "$HOME/.cache/uv/CACHEDIR.TAG" tag
	put "$HOME/.cache/uv/wheels/x" wheel
	plant "$HOME/.config/uv/credentials.toml"
	plant "$HOME/.local/share/uv/credentials/x"
	plant "$HOME/.pypirc"
	ln -s "$py/bin/python3.12" "$WS/.venv/bin/python"
	ln -s "$uv/bin/python3.13" "$WS/other/.venv/bin/python"
	PATH=$HOME/.pyenv/shims:$HOME/.pyenv/bin:$HOME/.local/bin:$PATH
	export PYENV_ROOT=$HOME/.pyenv
	home_kept '.venv/bin/python -V; other/.venv/bin/python -V; python3 -c x; uv sync; cat ~/.config/uv/* ~/.local/share/uv/credentials/* ~/.pypirc
		echo more >~/.cache/uv/wheels/y && cat ~/.cache/uv/wheels/y; rm ~/.cache/uv/wheels/x; touch ~/.pyenv/versions/x'
	assert_output 'pyenv-python -V'
	assert_output 'uv-python -V'
	assert_output 'pyenv-shim -c x'
	assert_output 'uv-tool sync'
	assert_output more
}

@test "toolchains: CFG-04 what a workspace's .venv leads to comes along only where it is a Python, and without what lies beside it" {
	local d
	mkdir -p "$WS/.venv/bin"
	for d in "$HOME/work" "$HOME/.local/opt/py" "$HOME"; do
		mkdir -p "$d/bin" "$d/lib/python3.11/site-packages"
		tool "$d/bin/python3.11" real-python
		plant "$d/notes"
		plant "$d/lib/secret"
		ln -sfn "$d/bin/python3.11" "$WS/.venv/bin/python"
		run in_sandbox_sh "cat $d/notes $d/lib/secret; ls -R $d"
		refute_canary
	done
	# one it is: its programs and modules, nothing else
	d=$HOME/work
	rm "$d/lib/secret"
	: >"$d/lib/python3.11/os.py"
	ln -sfn "$d/bin/python3.11" "$WS/.venv/bin/python"
	run in_sandbox_sh ".venv/bin/python -V; ls $d; cat $d/notes"
	assert_output 'real-python -V'
	refute_canary
}

@test "toolchains: rustup and cargo" {
	local tc=$HOME/.rustup/toolchains/stable-x86_64-unknown-linux-gnu
	tool "$tc/bin/rustc" real-rustc
	tool "$tc/bin/cargo" real-cargo
	put "$HOME/.rustup/settings.toml" 'default_toolchain = "stable"'
	mkdir -p "$HOME/.cargo/bin"
	# rustup's proxies run the toolchain's program
	printf '#!/bin/sh\nexec "%s/bin/${0##*/}" "$@"\n' "$tc" >"$HOME/.cargo/bin/rustup"
	chmod +x "$HOME/.cargo/bin/rustup"
	ln "$HOME/.cargo/bin/rustup" "$HOME/.cargo/bin/cargo"
	ln -s rustup "$HOME/.cargo/bin/rustc"
	put "$HOME/.cargo/registry/cache/index/serde.crate" crate
	put "$HOME/.cargo/git/db/x" db
	plant "$HOME/.cargo/credentials.toml"
	plant "$HOME/.cargo/credentials"
	PATH=$HOME/.cargo/bin:$PATH
	home_kept 'cargo build; rustc --version; cat ~/.cargo/credentials* ; cat ~/.cargo/registry/cache/index/serde.crate
		echo n >~/.cargo/registry/cache/index/new.crate && rm ~/.cargo/registry/cache/index/serde.crate && ls ~/.cargo/registry/cache/index
		: >~/.cargo/.package-cache && echo LOCKED; echo evil >~/.cargo/bin/cargo; cargo again'
	assert_output 'real-cargo build'
	assert_output 'real-rustc --version'
	assert_output new.crate
	assert_output LOCKED
	assert_output 'real-cargo again'
}

@test "toolchains: go, with its module and build caches" {
	tool "$HOME/.local/go/bin/go" go-tool
	tool "$HOME/go/bin/gopls" gopls
	put "$HOME/go/pkg/mod/cache/download/x" mod
	put "$HOME/.cache/go-build/00/x" obj
	plant "$HOME/go/src/private/secret.go"
	plant "$HOME/.netrc"
	plant "$HOME/.config/go/env"
	PATH=$HOME/.local/go/bin:$HOME/go/bin:$PATH
	home_kept 'go test; gopls x; cat ~/go/pkg/mod/cache/download/x ~/.netrc ~/go/src/private/*; echo y >~/go/pkg/mod/cache/download/y && echo z >~/.cache/go-build/00/z && echo WROTE'
	assert_output 'go-tool test'
	assert_output 'gopls x'
	assert_output WROTE
}

@test "toolchains: mise" {
	local m=$HOME/.local/share/mise
	tool "$m/installs/node/22.0.0/bin/node" mise-node
	tool "$HOME/.local/bin/mise" mise-tool
	mkdir -p "$m/shims"
	ln -s "$HOME/.local/bin/mise" "$m/shims/node"
	put "$HOME/.config/mise/config.toml" '[tools]'
	put "$WS/mise.toml" '[env]'
	plant "$HOME/.local/state/mise/secret"
	PATH=$m/shims:$m/installs/node/22.0.0/bin:$HOME/.local/bin:$PATH
	home_kept 'mise exec; node x; ~/.local/share/mise/installs/node/22.0.0/bin/node real; cat ~/.config/mise/config.toml ~/.local/state/mise/*; echo done'
	assert_output 'mise-tool exec'
	assert_output 'mise-tool x'
	assert_output 'mise-node real'
	assert_output '[tools]'
	# that the user trusts the workspace's settings is written where it stays
	home_kept 'echo "trusted: $MISE_TRUSTED_CONFIG_PATHS"'
	assert_output "trusted: $WS"
	# a token in the settings keeps the file out
	put "$HOME/.config/mise/config.toml" "[env]
GITHUB_TOKEN = \"ghp_0123456789abcdefghijABCDEFGHIJ$CANARY\""
	home_kept 'cat ~/.config/mise/config.toml; echo done'
	assert_output "done"
}

@test "toolchains: maven, gradle, gem: caches without the credentials beside them" {
	local f
	put "$HOME/.m2/repository/a/a.jar" jar
	put "$HOME/.gradle/caches/x" cache
	for f in .m2/settings.xml .m2/settings-security.xml .gradle/gradle.properties .gem/credentials .docker/config.json \
		.config/pip/pip.conf .yarnrc.yml .bundle/config .nuget/NuGet/NuGet.Config .composer/auth.json; do
		plant "$HOME/$f"
	done
	home_kept 'cat ~/.m2/repository/a/a.jar; echo n >~/.m2/repository/n && echo g >~/.gradle/caches/g && echo WROTE
		cat ~/.m2/*.xml ~/.gradle/*.properties ~/.gem/credentials ~/.docker/* ~/.config/pip/* ~/.yarnrc.yml ~/.bundle/config ~/.nuget/NuGet/* ~/.composer/*; find ~ -name "*.xml"'
	assert_output jar
	assert_output WROTE
}

@test "toolchains: a variable that points to the home or elsewhere widens nothing" {
	plant "$HOME/.ssh/id"
	plant "$T/elsewhere/secret"
	mkdir -p "$T/elsewhere/registry"
	plant "$T/elsewhere/registry/../bin/x"
	CARGO_HOME=$HOME GOPATH=$HOME PYENV_ROOT=/ NVM_DIR=$HOME/.ssh UV_CACHE_DIR=$T/elsewhere GOCACHE=$HOME/.ssh \
		run in_sandbox_sh "cat $HOME/.ssh/* $T/elsewhere/secret; ls $T/elsewhere; echo done"
	assert_output "done"
	refute_canary
}

@test "toolchains: what one run leaves in a cache is not there in the next, though their places are kept" {
	local kept
	put "$HOME/.npm/_cacache/index-v5/x" cached
	put "$HOME/.cargo/registry/cache/a" crate
	cat >leave <<'E'
cd ~/.npm/_cacache && echo left >left && mkdir -p d/e && echo left >d/e/f && rm -r index-v5 || exit 1
echo left >~/.npm/beside; echo left >~/.left; mkdir ~/.npm/other; chmod 0777 ~/.cargo/registry
E
	cat >look <<'E'
find ~ -path ~/project -prune -o -name '*left*' -print -o -name beside -print -o -name other -print
cat ~/.npm/_cacache/index-v5/x; [ -e ~/.npm/_cacache/d ] && echo d is there
stat -c %a ~/.cargo/registry; ls -A ~ | sort | tr '\n' ' '
E
	run in_sandbox_sh ". ./look"
	assert_status 0
	local first=$output
	for _ in 1 2 3; do
		run in_sandbox_sh ". ./leave"
		assert_status 0
		run in_sandbox_sh ". ./look"
		[ "$output" = "$first" ] || fail "at first: $first; then: $output"
	done
	[ "$(cat "$HOME/.npm/_cacache/index-v5/x")" = cached ]
	# what is kept for the next start is empty, and is its owner's to remove
	kept=$XDG_CACHE_HOME/bawn/spare
	[ "$(find "$kept" -name _cacache | wc -l)" -ge 1 ] || fail "nothing was kept: $(find "$kept")"
	[ -z "$(find "$kept" -type f -size +0 ! -name ways)" ] || fail "$(find "$kept" -type f -size +0)"
	# a cache that is gone leaves no name behind
	rm -r "$HOME/.npm"
	run in_sandbox_sh 'ls -A ~'
	refute_output .npm
	# nor does what another run was given, be it a file's place or a directory's
	put "$HOME/far/away/f" asked
	mkdir -p "$HOME/near/by"
	run "$BAWN" run --rm -q shell "$WS" "$HOME/far/away/f:ro" "$HOME/near/by" -- sh -c 'cat ~/far/away/f; ls ~'
	assert_output asked
	assert_output near
	run in_sandbox_sh 'ls -A ~'
	refute_output far near
	rm -r "$kept"
	run in_sandbox_sh ". ./look"
	assert_output '.cargo project'
}

@test "toolchains: the end of a run waits for no disk" {
	put "$HOME/.npm/_cacache/index-v5/x" cached
	run in_sandbox_sh 'grep _cacache /proc/self/mountinfo'
	assert_output volatile
	# what lasts is written
	run "$BAWN" run --name lasts shell "$WS" -- grep _cacache /proc/self/mountinfo
	assert_status 0
	refute_output volatile
	"$BAWN" rm -f lasts
}

@test "toolchains: a program built with sanitizers ends inside as outside; leaks are found where ptrace is" {
	cd "$WS"
	echo 'int main(int argc, char **argv) { return argc == 2 ? argv[1][0] - 48 : 1; }' >good.c
	printf '#include <stdlib.h>\nchar *volatile p;\nint main(void) { p = malloc(3); p = 0; return 0; }\n' >leak.c
	local s
	for s in address leak undefined; do
		cc -fsanitize=$s -o good-$s good.c
		"$BAWN" run --rm -q shell -- ./good-$s 0
		run "$BAWN" run --rm -q shell -- ./good-$s 7
		[ "$status" = 7 ] || fail "$s: $output"
	done
	cc -fsanitize=address -o leak leak.c
	"$BAWN" run --rm -q shell -- ./leak
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles"
	printf '%s\n' 'summary: d' 'command: [bash]' 'exec: true' 'policies: [balanced]' 'syscalls: debug' \
		>"$XDG_CONFIG_HOME/bawn/profiles/dbg.yaml"
	run "$BAWN" run --rm -q dbg -- ./leak
	[ "$status" != 0 ] || fail "$output"
	assert_output "detected memory leaks"
}

@test "toolchains: npm does not ask for a newer npm in each fresh home, unless it is to" {
	[ "$(in_sandbox npm config get update-notifier)" = false ]
	run "$BAWN" run --rm -q -e NPM_CONFIG_UPDATE_NOTIFIER=true shell -- npm config get update-notifier
	[ "$output" = true ]
}

@test "toolchains: fakeroot gives files away inside as outside" {
	[ "$(in_sandbox sh -c 'echo "$FAKEROOTDONTTRYCHOWN"')" = 1 ]
	command -v fakeroot >/dev/null || return 0
	run in_sandbox fakeroot sh -c 'touch f && chown 0:5002 f && install -o 7 -g 8 f g && stat -c %u:%g f g'
	assert_status 0
	[ "$output" = $'0:5002\n7:8' ] || fail "$output"
}

@test "toolchains: Debian's chromium is found and started by its name" {
	need test -d /etc/chromium.d -- "Debian's chromium"
	run in_sandbox chromium --version
	assert_status 0
	assert_output Chromium
}
