#!/usr/bin/env bats
# toolchains.bats - compilers, interpreters and package caches below $HOME: found and running
# inside, writable there with the host's unchanged, credentials not there.  The homes have the
# layout of the real tools.  Where npm's registry or the distribution has the tool, it is the real
# one that is used, in the tests called "real"; what is there for a single name of many, or can be
# had from its own server alone (rustup, pyenv and uv themselves), is a small script that says who
# it is.
load ../lib.sh
load agents.sh
setup() {
	bawn_setup
	PATH=/usr/local/bin:/usr/bin:/bin
	unset CARGO_HOME RUSTUP_HOME NVM_DIR PYENV_ROOT GOPATH GOROOT MISE_DATA_DIR
	unset GOFLAGS GOPROXY GOCACHE GOMODCACHE PIP_USER PIP_TARGET PYTHONPATH PYTHONUSERBASE
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
		: >~/.cargo/.package-cache && echo LOCKED; echo evil >~/.cargo/bin/cargo; cargo again || true'
	assert_output 'real-cargo build'
	assert_output 'real-rustc --version'
	assert_output new.crate
	assert_output LOCKED
	# it is the sandbox's own, where cargo install writes
	refute_output 'real-cargo again'
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

@test "toolchains: which version counts where a project names none, and JAVA_HOME" {
	tool "$HOME/.asdf/installs/nodejs/20/bin/node" asdf-node
	put "$HOME/.tool-versions" 'nodejs 20'
	put "$HOME/.python-version" 3.12
	tool "$HOME/.sdkman/candidates/java/17/bin/java" java-17
	ln -s 17 "$HOME/.sdkman/candidates/java/current"
	export JAVA_HOME=$HOME/.sdkman/candidates/java/current
	home_kept 'cat ~/.tool-versions ~/.python-version; $JAVA_HOME/bin/java x; echo 22 >~/.tool-versions; cat ~/.tool-versions'
	assert_output 'nodejs 20' 3.12 'java-17 x' 22
	[ "$(cat "$HOME/.tool-versions")" = 'nodejs 20' ]
	# a JDK anywhere, and what is none
	tool "$T/jdk/bin/java" java-jdk
	JAVA_HOME=$T/jdk home_kept '$JAVA_HOME/bin/java x'
	assert_output 'java-jdk x'
	plant "$T/other/x"
	JAVA_HOME=$T/other home_kept "echo =\$JAVA_HOME=; cat $T/other/x"
	assert_output "=="
	refute_canary
	put "$HOME/.tool-versions" "nodejs ghp_token=0123456789abcdefghij$CANARY"
	home_kept 'cat ~/.tool-versions; echo done'
	assert_output "done"
	refute_canary
}

# ---- the real ones --------------------------------------------------------------------------------

# tests/toolchains' packages: sets TC to their node_modules, NODE to a real node.
need_toolchains() {
	TC=${BAWN_TOOLCHAINS:-$BAWN_BUILDDIR/toolchains}
	need test -d "$TC/node_modules/npm" -- "the toolchains' npm packages (./bootstrap check)"
	TC=$(realpath "$TC")
	NODE=$TC/../node/bin/node
	[ -x "$NODE" ] || NODE=$(command -v node)
	NODE=$(realpath "$NODE")
}

# node_at DIR: node and npm as every version manager unpacks them.
node_at() {
	mkdir -p "$1/bin" "$1/lib/node_modules"
	ln "$NODE" "$1/bin/node" 2>/dev/null || cp "$NODE" "$1/bin/node"
	cp -r "$TC/node_modules/npm" "$1/lib/node_modules/"
	ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/bin/npm"
	ln -s ../lib/node_modules/npm/bin/npx-cli.js "$1/bin/npx"
}

# A package of which `npm install -g` makes the command moo, $T/moo-1.0.0.tgz.
moo_package() {
	put "$T/moo/package/package.json" '{"name": "moo", "version": "1.0.0", "bin": {"moo": "moo.js"}}'
	put "$T/moo/package/moo.js" $'#!/usr/bin/env node\nconsole.log("moo says", process.execPath);'
	tar -C "$T/moo" -czf "$WS/moo-1.0.0.tgz" package
}

# lasting SCRIPT: in the sandbox "tools", which stays.
lasting() {
	run "$BAWN" run -q --offline --name tools shell "$WS" -- bash -c "$1"
}

@test "toolchains, real: nvm's node, native Claude Code, which starts an MCP server by npx and calls its tool" {
	need_agents
	need_runnable claude
	need_toolchains
	local v=$HOME/.nvm/versions/node/v22.23.3 server=@modelcontextprotocol/server-everything spec tree native
	spec=$server@$(sed -n "s,.*\"$server\": \"\(.*\)\".*,\1,p" "$TC/package.json")
	node_at "$v"
	put "$HOME/.nvm/nvm.sh" '# nvm'
	put "$HOME/.nvm/alias/default" 22
	mkdir -p "$HOME/.local/share/claude/versions" "$HOME/.local/bin"
	native=$(realpath "$(command -v claude)")
	ln "$native" "$HOME/.local/share/claude/versions/2.1.332" 2>/dev/null ||
		cp "$native" "$HOME/.local/share/claude/versions/2.1.332"
	ln -s "$HOME/.local/share/claude/versions/2.1.332" "$HOME/.local/bin/claude"
	# what an earlier npx left: its tree, named as npx does, and what the registry said
	tree=$HOME/.npm/_npx/$(printf %s "$spec" | sha512sum | cut -c1-16)
	put "$tree/package.json" "{\"_npx\": {\"packages\": [\"$spec\"]}, \"dependencies\": {\"$server\": \"^${spec##*@}\"}}"
	cp -r "$TC/node_modules" "$tree/"
	rm -r "$tree/node_modules/npm" "$tree/node_modules/@jdxcode"
	cp -r "$TC/cache/_cacache" "$HOME/.npm/"
	put "$HOME/.claude.json" "{\"mcpServers\": {\"every\":
		{\"command\": \"npx\", \"args\": [\"--prefer-offline\", \"-y\", \"$spec\"]}}}"
	git_repo
	start_model '{"commands": ["command -v node npx claude; node -p process.execPath",
		{"call": "mcp__every__echo", "input": {"message": "by way of npx"}},
		{"call": "mcp__every__get-sum", "input": {"a": 20, "b": 22}}], "final": "THE TOUR IS OVER"}'
	lead claude
	PATH=$v/bin:$HOME/.local/bin:/usr/local/bin:/usr/bin:/bin
	export NVM_DIR=$HOME/.nvm
	run timeout 100 "$BAWN" run --rm "${LEAD[@]}" --deny '**.npmjs.org' -e ENABLE_TOOL_SEARCH=false \
		claude -- "${TASK[@]}" </dev/null
	assert_status 0
	assert_output 'THE TOUR IS OVER'
	output=$(tool_result 0)
	assert_output "$v/bin/npx"
	assert_output "$HOME/.local/bin/claude"
	output=$(tool_result 1)
	assert_output 'Echo: by way of npx'
	output=$(tool_result 2)
	assert_output 42
	assert_no_leftovers
}

@test "toolchains, real: what npm installs globally below nvm is there from then on, in that sandbox alone" {
	need_toolchains
	local v=$HOME/.nvm/versions/node/v22.23.3 before
	node_at "$v"
	put "$HOME/.nvm/nvm.sh" '# nvm'
	put "$HOME/.nvm/alias/default" 22
	moo_package
	export NVM_DIR=$HOME/.nvm PATH=$v/bin:$PATH
	before=$(sums)
	lasting 'npm install -g --offline ./moo-1.0.0.tgz && moo && . "$NVM_DIR/nvm.sh" && sed -i s/22/20/ "$NVM_DIR/alias/default"'
	assert_status 0
	assert_output "moo says $v/bin/node"
	lasting 'moo && npm ls -g && npm rm -g moo && hash -r && ! command -v moo'
	assert_status 0
	assert_output "moo@1.0.0"
	home_kept 'command -v moo || echo none here; rm -rf ~/.nvm/versions/node/*; ls ~/.nvm/versions/node'
	assert_output 'none here'
	diff <(echo "$before") <(sums) || fail "the host's home changed"
}

@test "toolchains, real: npm installs into a Node unpacked anywhere, or where ~/.npmrc says, which isn't there" {
	need_toolchains
	local v=$HOME/.local/opt/node prefix
	node_at "$v"
	moo_package
	PATH=$v/bin:$PATH
	home_kept 'npm install -g --offline ./moo-1.0.0.tgz && moo'
	assert_status 0
	assert_output "moo says $v/bin/node"
	for prefix in .local 'my tools'; do
		printf '%s\n' "//r.example/:_authToken=$CANARY" " prefix = \"~/$prefix\" " >"$HOME/.npmrc"
		mkdir -p "$HOME/$prefix/lib"
		cp -r "$T/moo/package" "$HOME/$prefix/lib/node_modules" # a module of the user's
		home_kept "npm install -g --offline ./moo-1.0.0.tgz; '$HOME/$prefix/bin/moo'; ls -a '$HOME/$prefix/lib/node_modules'; cat ~/.npmrc"
		assert_output "moo says $v/bin/node"
		assert_output moo.js
	done
}

@test "toolchains, real: mise, by its shims: what is installed inside gets one" {
	need_toolchains
	local m=$HOME/.local/share/mise
	[ "$(uname -m)" = x86_64 ] || return 0 # npm's registry has it for no other
	mkdir -p "$HOME/.local/bin"
	ln "$TC"/node_modules/@jdxcode/mise-linux-*/bin/mise "$HOME/.local/bin/" 2>/dev/null ||
		cp "$TC"/node_modules/@jdxcode/mise-linux-*/bin/mise "$HOME/.local/bin/"
	node_at "$m/installs/node/22.23.3"
	put "$T/dotfiles/mise.toml" $'[tools]\nnode = "22.23.3"' # as who keeps such files elsewhere has it
	mkdir -p "$HOME/.config/mise"
	ln -s "$T/dotfiles/mise.toml" "$HOME/.config/mise/config.toml"
	put "$WS/mise.toml" $'[env]\nFROM_MISE = "yes"'
	moo_package
	PATH=$m/shims:$HOME/.local/bin:$PATH
	export MISE_OFFLINE=1
	mise trust -q
	mise reshim
	[ -L "$m/shims/npm" ] || fail "$(ls -l "$m/shims")"
	lasting 'node -p process.execPath && mise env && npm install -g --offline ./moo-1.0.0.tgz && mise reshim && moo && mise settings set experimental true'
	assert_status 0
	assert_output "$m/installs/node/22.23.3/bin/node"
	assert_output FROM_MISE=yes
	assert_output "moo says $m/installs/node/22.23.3/bin/node"
	[ ! -e "$m/shims/moo" ] || fail "on the host as well"
	[ "$(cat "$T/dotfiles/mise.toml")" = $'[tools]\nnode = "22.23.3"' ] || fail "the settings on the host"
	lasting 'cd / && moo && mise settings get experimental && rm -r ~/.local/share/mise/installs/node && ! moo'
	assert_status 0
	assert_output true
	[ -x "$m/installs/node/22.23.3/bin/node" ] || fail "removed on the host"
}

@test "toolchains, real: a rustup toolchain: build with a cached crate, test, cargo install, rustup's settings" {
	need command -v rustc cargo -- "cargo and rustc (Debian: the packages of these names)"
	local tc
	tc=$HOME/.rustup/toolchains/stable-$(uname -m)-unknown-linux-gnu
	mkdir -p "$tc/bin" "$tc/lib" "$HOME/.cargo/bin"
	cp "$(command -v rustc)" "$(command -v cargo)" "$(command -v rustdoc)" "$tc/bin/"
	# some packages have links there to linkers that they don't need
	cp -rL "$(rustc --print sysroot)/lib/rustlib" "$tc/lib/" 2>"$T/cp" || ! grep -v '/gcc-ld/' "$T/cp"
	put "$HOME/.rustup/settings.toml" 'default_toolchain = "stable"'
	printf '#!/bin/sh\nexec "%s/bin/${0##*/}" "$@"\n' "$tc" >"$HOME/.cargo/bin/rustup"
	chmod +x "$HOME/.cargo/bin/rustup"
	ln -s rustup "$HOME/.cargo/bin/cargo"
	ln -s rustup "$HOME/.cargo/bin/rustc"
	ln -s rustup "$HOME/.cargo/bin/rustdoc"
	# a crate that only cargo's cache has inside
	put "$T/dep/Cargo.toml" $'[package]\nname = "dep"\nversion = "0.1.0"'
	put "$T/dep/src/lib.rs" 'pub fn word() -> &'"'static"' str { "built with a cached crate" }'
	put "$T/dep/src/main.rs" 'fn main() { println!("installed on the host") }'
	git_repo "$T/dep"
	git -C "$T/dep" add .
	git -C "$T/dep" commit -qm crate
	put Cargo.toml "$(printf '%s\n' '[package]' 'name = "hello"' 'version = "0.1.0"' 'edition = "2021"' \
		'[dependencies]' "dep = { git = \"file://$T/dep\" }")"
	put src/main.rs 'fn main() { println!("{}", dep::word()); } #[test] fn t() { assert!(dep::word().len() > 3) }'
	PATH=$HOME/.cargo/bin:$PATH
	cargo -q fetch
	cargo -q install --path "$T/dep" 2>/dev/null
	[ -d "$HOME/.cargo/git/db" ] || fail "cargo keeps its cache elsewhere"
	lasting 'rustc --print sysroot && cargo run -q --offline && cargo test -q --offline && cargo install -q --offline --path . && cd / && hello &&
		echo changed >~/.rustup/settings.toml.new && mv ~/.rustup/settings.toml.new ~/.rustup/settings.toml'
	assert_status 0
	# its own, or that of the library that the program is linked with
	assert_output "$(rustc --print sysroot)"
	assert_output '1 passed'
	[ "$(grep -c 'built with a cached crate' <<<"$output")" = 2 ] || fail "$output"
	lasting 'cd / && hello; cat ~/.rustup/settings.toml'
	assert_output 'built with a cached crate'
	assert_output changed
	lasting 'cargo install --list && dep'
	assert_output 'dep v0.1.0'
	assert_output 'hello v0.1.0'
	assert_output 'installed on the host'
	home_kept 'cd / && hello || echo none here; cat ~/.rustup/settings.toml'
	assert_output 'none here'
	assert_output stable
	[ ! -e "$HOME/.cargo/bin/hello" ] || fail "installed on the host"
}

# python_at DIR: this machine's Python, moved; it takes its own place for its prefix.
python_at() {
	PYV=$(/usr/bin/python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
	mkdir -p "$1/bin" "$1/lib/python3/dist-packages"
	cp "/usr/bin/$PYV" "$1/bin/"
	ln -s "$PYV" "$1/bin/python3"
	ln -s "$PYV" "$1/bin/python"
	tar -C /usr/lib --exclude=test --exclude='config-*' --exclude=EXTERNALLY-MANAGED \
		-cf - "$PYV" | tar -C "$1/lib" -xf -
	cp -rp /usr/lib/python3/dist-packages/pip* "$1/lib/python3/dist-packages/"
}

@test "toolchains, real: a project's .venv of uv's Python, pyenv's for the rest: packages go where they do outside" {
	local uv=$HOME/.local/share/uv/python/cpython-3-linux py=$HOME/.pyenv/versions/3.0 site
	python_at "$uv"
	python_at "$py"
	site=$HOME/.local/lib/$PYV/site-packages
	mkdir -p "$HOME/.pyenv/shims" "$HOME/.pyenv/bin" "$site"
	printf '#!/bin/sh\nexec "%s/bin/${0##*/}" "$@"\n' "$py" >"$HOME/.pyenv/shims/python3"
	chmod +x "$HOME/.pyenv/shims/python3"
	put "$site/there.py" 'word = "the user has it"'
	/usr/bin/python3 - <<-'P'
		import zipfile
		d, files = "moo-1.0.dist-info/", {"moo.py": "def main(): print('moo', __file__)\n"}
		files[d + "METADATA"] = "Metadata-Version: 2.1\nName: moo\nVersion: 1.0\n"
		files[d + "WHEEL"] = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
		files[d + "entry_points.txt"] = "[console_scripts]\nmoo = moo:main\n"
		files[d + "RECORD"] = "".join(f + ",,\n" for f in [*files, d + "RECORD"])
		with zipfile.ZipFile("moo-1.0-py3-none-any.whl", "w") as z:
		    for name, text in files.items():
		        z.writestr(name, text)
	P
	"$uv/bin/python3" -m venv --without-pip .venv
	PATH=$HOME/.pyenv/shims:$HOME/.pyenv/bin:$HOME/.local/bin:$PATH
	export PYENV_ROOT=$HOME/.pyenv
	home_kept '.venv/bin/python -c "import sys, ssl, json; print(sys.base_prefix)" &&
		python3 -m pip -q --python .venv/bin/python install --no-index ./moo-*.whl && .venv/bin/moo'
	assert_status 0
	assert_output "$uv"
	assert_output "moo $WS/.venv/lib/$PYV/site-packages/moo.py"
	.venv/bin/moo
	lasting 'python3 -c "import sys, there; print(sys.prefix, there.word)" && python3 -m pip -q install --user --no-index ./moo-*.whl && cd / && moo'
	assert_status 0
	assert_output "$py the user has it"
	assert_output "moo $site/moo.py"
	lasting 'cd / && moo && : >~/.pyenv/shims/moo'
	assert_status 0
	[ "$(ls "$site")" = there.py ] || fail "installed on the host: $(ls "$site")"
	[ "$(ls "$HOME/.pyenv/shims")" = python3 ] || fail "a shim on the host"
}

# Only where a go is installed: it would be 80 MB more to fetch for one test.
@test "toolchains, real: go builds from the module cache, and installs" {
	local root
	root=$(go env GOROOT 2>/dev/null) || return 0
	mkdir -p "$HOME/.local/go" "$T/proxy/example.org/dep/@v"
	tar -C "$root" --exclude=./test --exclude=./doc --exclude=./api --exclude=testdata -hcf - . | tar -C "$HOME/.local/go" -xf -
	(
		cd "$T/proxy/example.org/dep/@v" || exit 1
		echo '{"Version": "v1.0.0"}' >v1.0.0.info
		echo 'module example.org/dep' >v1.0.0.mod
		put "$T/mod/example.org/dep@v1.0.0/go.mod" 'module example.org/dep'
		put "$T/mod/example.org/dep@v1.0.0/dep.go" $'package dep\nconst Word = "built with a cached module"'
		cd "$T/mod" && /usr/bin/python3 -c 'import sys, zipfile
for path in sys.argv[2:]:
    zipfile.ZipFile(sys.argv[1], "a").write(path)' "$OLDPWD/v1.0.0.zip" example.org/dep@v1.0.0/{go.mod,dep.go}
	)
	put go.mod $'module example.org/hello\ngo 1.19\nrequire example.org/dep v1.0.0'
	put main.go $'package main\nimport "example.org/dep"\nfunc main() { println(dep.Word) }'
	PATH=$HOME/.local/go/bin:$HOME/go/bin:$PATH
	GOPROXY=file://$T/proxy GONOSUMDB='*' GONOSUMCHECK=1 GOFLAGS=-mod=mod go build -o /dev/null .
	[ -d "$HOME/go/pkg/mod/example.org/dep@v1.0.0" ] || fail "go keeps its modules elsewhere"
	lasting 'command -v go && go install . && cd / && hello'
	assert_status 0
	assert_output "$HOME/.local/go/bin/go"
	assert_output 'built with a cached module'
	lasting 'cd / && hello'
	assert_status 0
	[ ! -e "$HOME/go/bin" ] || fail "installed on the host"
}

@test "toolchains: maven, gradle, gem: caches without the credentials beside them" {
	local f
	put "$HOME/.m2/repository/a/a.jar" jar
	put "$HOME/.gradle/caches/x" cache
	for f in .m2/settings.xml .m2/settings-security.xml .gradle/gradle.properties .gem/credentials .docker/config.json \
		.config/pip/pip.conf .yarnrc.yml .bundle/config .nuget/NuGet/NuGet.Config .composer/auth.json \
		.rbenv/vars .nodenv/vars .volta/hooks.json .ghcup/config.yaml .dotnet/corefx/cryptography/x509stores/my/A.pfx; do
		plant "$HOME/$f"
	done
	tool "$HOME/.rbenv/versions/3.3.0/bin/ruby" rbenv-ruby
	put "$HOME/.rbenv/version" 3.3.0
	tool "$HOME/.nodenv/versions/22.1.0/bin/node" nodenv-node
	tool "$HOME/.volta/tools/image/node/22.1.0/bin/node" volta-node
	put "$HOME/.volta/layout.v4" ''
	tool "$HOME/.ghcup/bin/ghc" ghcup-ghc
	tool "$HOME/.dotnet/dotnet" dotnet-tool
	put "$HOME/.dotnet/sdk/9.0.1/x" ''
	home_kept 'cat ~/.m2/repository/a/a.jar; echo n >~/.m2/repository/n && echo g >~/.gradle/caches/g && echo WROTE
		cat ~/.m2/*.xml ~/.gradle/*.properties ~/.gem/credentials ~/.docker/* ~/.config/pip/* ~/.yarnrc.yml ~/.bundle/config ~/.nuget/NuGet/* ~/.composer/*; find ~ -name "*.xml"
		cat ~/.rbenv/vars ~/.nodenv/vars ~/.volta/hooks.json ~/.ghcup/config.yaml; find ~/.dotnet -name "*.pfx" -exec cat {} +
		grep -rhs . ~/.rbenv ~/.nodenv ~/.volta ~/.ghcup ~/.dotnet
		~/.rbenv/versions/*/bin/ruby; ~/.nodenv/versions/*/bin/node; ~/.volta/tools/image/node/*/bin/node; ~/.ghcup/bin/ghc; ~/.dotnet/dotnet
		mkdir ~/.rbenv/versions/3.4.0 ~/.dotnet/sdk/9.0.2 && echo 3.4.0 >~/.rbenv/version && echo INSTALLED $(ls ~/.rbenv/versions)'
	assert_output jar WROTE rbenv-ruby nodenv-node volta-node ghcup-ghc dotnet-tool 'INSTALLED 3.3.0 3.4.0'
	refute_output .pfx
}

@test "toolchains: a terminal that only the user has a description of is known inside" {
	need command -v tic -- "ncurses"
	infocmp xterm | sed 's/^xterm|/xterm-new|/' >"$T/description"
	tic -x -o "$HOME/.terminfo" "$T/description"
	TERM=xterm-new run in_sandbox_sh 'tput cup 1 1 | wc -c; infocmp | sed s/^xterm-new/xterm-own/ >d; tic -x -o ~/.terminfo d 2>/dev/null; tput -T xterm-own cup 1 1 | wc -c'
	[ "$output" = $'6\n6' ] || fail "$output"
	[ ! -e "$HOME/.terminfo/x/xterm-own" ]
	# as kitty and ghostty bring one along, outside the home
	mkdir "$T/terminal"
	mv "$HOME/.terminfo" "$T/terminal/terminfo"
	plant "$T/terminal/secret"
	export TERM=xterm-new TERMINFO=$T/terminal/terminfo
	run in_sandbox_sh "tput cup 1 1 | wc -c; touch \$TERMINFO/y; cat $T/terminal/secret"
	assert_output $'6\n' "$TERMINFO/y': Read-only file system"
	refute_canary
	TERMINFO=$T/terminal run in_sandbox_sh "cat $T/terminal/secret; echo done"
	assert_output done
	refute_canary
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

@test "toolchains: a directory of PATH that is a further path, or in one, is in PATH inside" {
	tool "$HOME/my tools/bin/mine" mine
	tool "$HOME/other/theirs" theirs
	PATH="$HOME/my tools/bin:$HOME/other:$PATH"
	run "$BAWN" run --rm -q shell "$WS" "$HOME/my tools:ro" -- sh -c 'echo "$PATH"; mine here; theirs || echo none'
	assert_status 0
	assert_output "mine here" none
	[[ $output == "$HOME/my tools/bin:"* && $output != *"$HOME/other:"* ]] || fail "$output"
	run "$BAWN" run --rm -q shell "$WS" -- sh -c 'mine || echo none'
	assert_output none
}

@test "toolchains: a further path that a toolchain lies in is written as any other" {
	tool "$HOME/.cargo/bin/cargo" cargo-tool
	put "$HOME/.nvm/nvm.sh" '# nvm'
	tool "$HOME/.local/bin/uv" uv-tool
	PATH=$HOME/.cargo/bin:$HOME/.local/bin:$PATH
	run "$BAWN" run --rm -q shell "$WS" "$HOME/.cargo" "$HOME/.nvm" "$HOME/.local/bin" -- sh -c \
		'cargo build; uv sync; echo 1 >~/.cargo/bin/new && echo 2 >~/.nvm/new && echo 3 >~/.local/bin/uv'
	assert_status 0
	assert_output 'cargo-tool build' 'uv-tool sync'
	[ "$(cat "$HOME/.cargo/bin/new" "$HOME/.nvm/new" "$HOME/.local/bin/uv")" = $'1\n2\n3' ] || fail "the host's are not written"
	# asked for without leave to write
	run "$BAWN" run --rm -q shell "$WS" "$HOME/.cargo:ro" -- sh -c 'cargo again; echo 1 >~/.cargo/bin/newer && echo WROTE'
	assert_output 'cargo-tool again'
	refute_output WROTE
	# a part of it: that alone
	mkdir "$HOME/.cargo/registry"
	run "$BAWN" run --rm -q shell "$WS" "$HOME/.cargo/registry" -- sh -c 'echo 1 >~/.cargo/registry/new && echo 2 >~/.cargo/bin/other'
	assert_status 0
	[ -e "$HOME/.cargo/registry/new" ] && [ ! -e "$HOME/.cargo/bin/other" ] || fail "$(ls "$HOME"/.cargo/*)"
}

@test "toolchains: CFG-04 a tool's settings that are a link lead to none of the user's other files" {
	local dot=$HOME/src/dotfiles key=$HOME/.ssh/id_ed25519 look p
	look='cat ~/.config/mise/config.toml ~/.cargo/config.toml ~/.cargo/config; echo looked'
	plant "$key"
	plant "$HOME/keys/key.toml"
	sed -i '1i -----BEGIN OPENSSH PRIVATE KEY-----' "$HOME/keys/key.toml"
	put "$HOME/.cargo/registry/x" ''
	mkdir -p "$dot" "$HOME/.config/mise" "$T/other"
	put "$dot/mise.toml" '[tools] # mine'
	put "$dot/cargo.toml" '[build] # mine'
	ln -s "$dot/mise.toml" "$HOME/.config/mise/config.toml"
	ln -s "$dot/cargo.toml" "$HOME/.cargo/config.toml"
	# as the user has it, they are there
	run in_sandbox_sh "$look"
	assert_output '[tools] # mine' '[build] # mine'
	# an agent in the dotfiles has put links there; then, and in another sandbox later
	for p in "$key" "$HOME/keys/key.toml"; do
		ln -sfn "$p" "$dot/mise.toml"
		ln -sfn "$p" "$dot/cargo.toml"
		ln -sfn "$p" "$HOME/.cargo/config"
		for WS in "$dot" "$T/other"; do
			run in_sandbox_sh "$look"
			assert_output looked
			refute_canary
		done
		# the dotfiles beside the workspace
		run "$BAWN" run --rm -q shell "$T/other" "$dot" -- sh -c "$look"
		assert_output looked
		refute_canary
	done
	# a file of the right kind, by way of the workspace: what it is, the agent chose
	plant "$HOME/notes.toml"
	ln -sfn "$HOME/notes.toml" "$dot/mise.toml"
	ln -sfn "$HOME/notes.toml" "$dot/cargo.toml"
	WS=$dot
	run in_sandbox_sh "$look"
	assert_output looked
	refute_canary
	# nor a directory
	rm -r "$HOME/.config/mise" "$HOME/.cargo/registry"
	plant "$HOME/docs/config.toml"
	ln -s "$HOME/docs" "$dot/mise"
	ln -s "$dot/mise" "$HOME/.config/mise"
	ln -s "$dot/mise" "$HOME/.cargo/registry"
	run in_sandbox_sh "$look; cat ~/.cargo/registry/* $dot/mise/*"
	assert_output looked
	refute_canary
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

# agent_found SCRIPT: what a claude that PATH has in the workspace sees, with SCRIPT as its last line.
agent_found() {
	run "$BAWN" run --rm -q --no-login --bare-home claude "$WS" -- --version </dev/null
	assert_status 0 || return 1
	assert_output looked || return 1
	refute_canary
}

@test "toolchains: CFG-04 what an agent put where PATH finds the tool brings nothing of the home in" {
	local bin=$WS/node_modules/.bin pkg=$WS/node_modules/@a/claude look
	look="cat $HOME/.ssh/id_rsa $HOME/scripts/deploy.sh $HOME/other/node_modules/priv/notes $HOME/work/x; echo looked"
	plant "$HOME/.ssh/id_rsa"
	plant "$HOME/scripts/deploy.sh"
	plant "$HOME/other/node_modules/priv/notes"
	plant "$HOME/other/node_modules/priv/index.js"
	plant "$HOME/work/x"
	put "$HOME/work/package.json" '{"name": "w", "version": "1.0.0"}'
	sed -i '1i #!/bin/sh' "$HOME/scripts/deploy.sh"
	chmod +x "$HOME/scripts/deploy.sh"
	mkdir -p "$bin" "$pkg"
	PATH=$bin:/usr/local/bin:/usr/bin:/bin
	# a package that depends on what links of the workspace lead to
	printf '#!/bin/sh\n%s\n' "$look" >"$pkg/cli.sh"
	chmod +x "$pkg/cli.sh"
	ln -s ../@a/claude/cli.sh "$bin/claude"
	put "$pkg/package.json" '{"dependencies": {"x": "1", "y": "1", "w": "1"}}'
	ln -s "$HOME/.ssh" "$WS/node_modules/x"
	ln -s "$HOME/other/node_modules/priv" "$WS/node_modules/y"
	ln -s "$HOME/work" "$WS/node_modules/w"
	agent_found
	# a script that hands on to files of the home, or has them as its interpreter's beside
	rm "$bin/claude"
	printf '#!/bin/sh\n%s\n: "%s/node_modules/x/id_rsa" "%s/other/node_modules/priv/index.js" %s "$@"\n' "$look" \
		"$WS" "$HOME" "$HOME/scripts/deploy.sh" >"$bin/claude"
	printf '#!/bin/sh\n%s\nexit\nexec %s\nexec deploy.sh\n' "$look" "$HOME/scripts/deploy.sh" >"$pkg/cli.sh"
	chmod +x "$bin/claude"
	PATH=$PATH:$HOME/scripts
	agent_found
	cp "$pkg/cli.sh" "$bin/claude"
	agent_found
	# a link: what comes behind it in PATH is taken, if there is something
	ln -sf "$HOME/scripts/deploy.sh" "$bin/claude"
	run sh -c '"$@"; echo "status $?"' sh "$BAWN" run --rm --no-login --bare-home claude "$WS" -- --version </dev/null
	assert_output 'status 127' 'a link out of what an agent writes to'
	refute_canary
	mkdir -p "$HOME/.local/bin"
	printf '#!/bin/sh\n%s\n' "$look" >"$HOME/.local/bin/claude"
	chmod +x "$HOME/.local/bin/claude"
	PATH=$PATH:$HOME/.local/bin
	agent_found
	# a package elsewhere whose dependency is a link to what is none
	mkdir -p "$T/pre/node_modules/c"
	cp "$HOME/.local/bin/claude" "$T/pre/node_modules/c/cli.sh"
	put "$T/pre/node_modules/c/package.json" '{"dependencies": {"x": "1"}}'
	ln -s "$HOME/.ssh" "$T/pre/node_modules/x"
	ln -sf "$T/pre/node_modules/c/cli.sh" "$HOME/.local/bin/claude"
	agent_found
}

@test "toolchains: CFG-04 a directory of PATH that an agent made a link is no more than a virtual environment" {
	local d=$HOME/proj
	/usr/bin/python3 -m venv --without-pip "$d"
	plant "$d/.env"
	plant "$d/secret/x"
	mkdir -p "$HOME/tools/bin" "$HOME/tools/lib"
	tool "$HOME/tools/bin/node" real-node
	plant "$HOME/tools/notes"
	PATH=$WS/venv/bin:$PATH
	ln -s "$d" "$WS/venv"
	run in_sandbox_sh "ls -a $d; cat $d/.env $d/secret/x; find $d -name .env; command -v python3; python3 -c 'import sys; print(sys.prefix)'
		echo x >$d/bin/x && echo WRITABLE"
	assert_output "$WS/venv/bin/python3" pyvenv.cfg WRITABLE
	refute_canary
	ln -sfn "$HOME/tools" "$WS/venv"
	run in_sandbox_sh "cat $HOME/tools/notes; ls $HOME/tools; echo looked"
	assert_output looked
	refute_canary
	# where no agent had a hand in it, the same environment comes along likewise, and a distribution whole
	rm "$WS/venv"
	PATH=$d/bin:$HOME/tools/bin:/usr/bin:/bin
	run in_sandbox_sh "cat $d/.env; python3 -c 'import sys; print(sys.prefix)'; node -v"
	assert_output "$d" 'real-node -v'
	refute_output "canary-"
}

@test "toolchains: files with credentials in what comes along as a whole read as empty" {
	local rc
	for rc in .nvm/versions/node/v20 .local/share/fnm/node-versions/v20/installation dist; do
		mkdir -p "$HOME/$rc/bin" "$HOME/$rc/lib"
		put "$HOME/$rc/etc/npmrc" "//r.local/:_authToken=$CANARY"
	done
	put "$HOME/.nvm/versions/node/v21/etc/npmrc" 'fund=false'
	put "$HOME/.nvm/nvm.sh" ''
	tool "$HOME/dist/bin/node" real-node
	put "$HOME/.opam/config" x
	plant "$HOME/.opam/plugins/opam-publish/me.token"
	put "$HOME/.pyenv/versions/3.12/pip.conf" "index-url = https://me:$CANARY@pypi.example/simple"
	put "$HOME/miniconda3/conda-meta/history" ''
	put "$HOME/miniconda3/.condarc" "channels: [https://conda.example/t/<TOKEN>/$CANARY]"
	put "$HOME/miniconda3/envs/e/.condarc" "channels: [main]"
	PATH=$HOME/dist/bin:$PATH
	run in_sandbox_sh 'cd; grep -r . .opam .nvm .local/share/fnm dist .pyenv miniconda3; node -v; cat .opam/plugins/opam-publish/*
		mv .nvm/versions .nvm/v2; mv .opam/plugins .opam/p2; rm -rf .pyenv dist miniconda3/.condarc; grep -r . .opam .nvm .pyenv miniconda3'
	assert_output fund=false 'channels: [main]' 'real-node -v'
	refute_canary
	# the host's are as they were
	grep -q "$CANARY" "$HOME/dist/etc/npmrc" "$HOME/.opam/plugins/opam-publish/me.token" "$HOME/.pyenv/versions/3.12/pip.conf"
}
