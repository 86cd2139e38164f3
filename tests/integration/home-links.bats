#!/usr/bin/env bats
# home-links.bats - a home that is reached by a link, or whose ~/.cache, ~/.local or ~/.config are
# links to another disk: everything works as if they were none.
load ../lib.sh
load agents.sh
setup() {
	bawn_setup
	unset XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME XDG_STATE_HOME
	mkdir "$T/disk"
}
teardown() { bawn_teardown; }

# a program of the user's own that is found in PATH, and shows what it is asked to
tool() {
	mkdir -p "${1%/*}"
	printf '#!/bin/sh\necho tool runs\n' >"$1"
	chmod +x "$1"
}

@test "home links: HOME itself is a link" {
	ln -s "$HOME" "$T/disk/me"
	cd "$WS"
	export HOME=$T/disk/me
	run "$BAWN" run --rm shell -- sh -c 'echo "$HOME"; pwd; echo x >made'
	assert_status 0
	[ "$output" = "$T/home"$'\n'"$T/home/project" ]
	[ -e "$T/home/project/made" ]
	"$BAWN" run --name box shell -- sh -c 'echo kept >~/note'
	# under the name with the link as well
	run "$BAWN" exec box cat "$HOME/note"
	assert_status 0
	[ "$output" = kept ]
	run "$BAWN" ls -q
	[ "$output" = box ]
	run "$BAWN" run --rm shell "$HOME" -- true
	assert_status 125
	assert_output "it is your whole home directory"
}

@test "home links: a directory above HOME is a link" {
	ln -s "$T" "$T/disk/up"
	export HOME=$T/disk/up/home
	tool "$HOME/bin/tool"
	mkdir -p "$HOME/.nvm/versions/node/v20/bin"
	tool "$HOME/.nvm/versions/node/v20/bin/node"
	touch "$HOME/.nvm/nvm.sh"
	PATH=$HOME/.nvm/versions/node/v20/bin:$PATH NVM_DIR=$HOME/.nvm \
		run "$BAWN" run --rm shell -- sh -c 'node; test -e "$NVM_DIR/nvm.sh" && echo "$NVM_DIR"'
	assert_status 0
	[ "$output" = "tool runs"$'\n'"$T/disk/up/home/.nvm" ]
}

@test "home links: ~/.cache, ~/.config and ~/.local/share lead elsewhere" {
	mkdir "$T/disk/cache" "$T/disk/config" "$T/disk/share" "$HOME/.local"
	ln -s "$T/disk/cache" "$HOME/.cache"
	ln -s ../disk/config "$HOME/.config"
	ln -s "$T/disk/share" "$HOME/.local/share"
	run "$BAWN" run --rm shell -- sh -c 'echo in; mkdir -p ~/.cache/x ~/.local/share/y ~/.config/z && echo made'
	assert_status 0
	[ "$output" = in$'\n'made ]
	[ ! -e "$T/disk/cache/x" ]
	"$BAWN" policy allow example.org
	[ -e "$T/disk/config/bawn/policies/user.yaml" ]
	"$BAWN" run --name box shell -- sh -c 'mkdir -p ~/.local/share/app && echo kept >~/.local/share/app/note'
	[ -d "$T/disk/share/bawn/sandboxes/box" ]
	"$BAWN" checkpoint box
	"$BAWN" fork box twin
	run "$BAWN" exec twin cat "$HOME/.local/share/app/note"
	assert_status 0
	[ "$output" = kept ]
}

@test "home links: what is lent from such a directory is there by both names, and the rest is the home's own" {
	local d=$T/disk c=$HOME/big/cache
	mkdir -p "$d/local/share/uv/python/cpython/bin" "$c/pip/wheels" "$d/cargo/registry" "$d/cargo/bin"
	ln -s "$d/local" "$HOME/.local"
	ln -s big/cache "$HOME/.cache"
	ln -s ../disk/cargo "$HOME/.cargo"
	plant "$d/local/share/keyrings/login"
	plant "$d/cargo/credentials.toml"
	echo host >"$c/pip/wheels/w"
	tool "$d/local/share/uv/python/cpython/bin/python3"
	tool "$d/local/share/claude/versions/1.0.0"
	mkdir -p "$d/local/bin"
	ln -s ../share/claude/versions/1.0.0 "$d/local/bin/claude"
	ln -s "$HOME/.local/share/uv/python/cpython/bin/python3" "$d/local/bin/python3"
	PATH=$HOME/.local/bin:$PATH
	run "$BAWN" run --rm claude
	assert_status 0
	assert_output 'tool runs'
	cat >look <<-EOF
		for p in ~/.local $d/local; do
			\$p/share/uv/python/cpython/bin/python3
			cat \$p/share/keyrings/login
		done
		python3
		cat ~/.cache/pip/wheels/w $c/pip/wheels/w ~/.cargo/credentials.toml
		echo new >~/.cache/pip/wheels/w && echo >~/.cargo/lock && mkdir ~/.local/share/new ~/.cache/new && echo written
		ls -A ~/.cargo
	EOF
	run "$BAWN" run --name box shell -- sh look
	[ "$(grep -c 'tool runs' <<<"$output")" = 3 ]
	[ "$(grep -c '^host$' <<<"$output")" = 2 ]
	assert_output written
	refute_canary
	[ "$(cat "$c/pip/wheels/w")" = host ]
	[ ! -e "$d/cargo/lock" ] && [ ! -e "$d/local/share/new" ] && [ ! -e "$c/new" ]
	run "$BAWN" exec box sh -c 'cat ~/.cache/pip/wheels/w; ls -d ~/.local/share/new ~/.cache/new ~/.cargo/lock'
	assert_status 0
	[ "${lines[0]}" = new ]
}

@test "home links: state that lies in the workspace by way of a link is refused as if it lay there" {
	mkdir -p "$WS/share" "$HOME/.local"
	ln -s "$WS/share" "$HOME/.local/share"
	run "$BAWN" run --rm shell "$WS" -- true
	assert_status 125
	assert_output "bawn keeps its own state in"
	rm "$HOME/.local/share"
	HOME=$HOME/./ XDG_DATA_HOME=$WS/../project//x run "$BAWN" run --rm shell "$WS" -- true
	assert_status 125
	assert_output "bawn keeps its own state in"
}

@test "home links: bawn's whole directory may be one, a part of it not" {
	mkdir -p "$T/disk/bawn" "$HOME/.local/share"
	chmod 0700 "$T/disk/bawn"
	ln -s "$T/disk/bawn" "$HOME/.local/share/bawn"
	"$BAWN" run --name box shell -- true
	[ -d "$T/disk/bawn/sandboxes/box" ]
	mv "$T/disk/bawn/sandboxes" "$T/disk/elsewhere"
	ln -s "$T/disk/elsewhere" "$T/disk/bawn/sandboxes"
	run "$BAWN" run --rm shell -- true
	assert_status 125
	assert_output 'is a symbolic link'
	assert_output "let the whole directory 'bawn' above be a link"
}

@test "home links: a ~/.cache that leads nowhere is an error with a remedy" {
	rm -rf "$HOME/.cache"
	ln -s "$T/disk/none" "$HOME/.cache"
	run "$BAWN" run --rm shell -- true
	assert_status 125
	assert_output "$HOME/.cache"
	assert_output "XDG_CACHE_HOME"
}

@test "home links: the log-in in a ~/.claude that is a link to one's own files is used, another tool's file is not" {
	tool "$HOME/.local/bin/claude"
	printf '#!/bin/sh\ncat ~/.claude/.credentials.json\n' >"$HOME/.local/bin/claude"
	PATH=$HOME/.local/bin:$PATH
	plant_login claude
	mkdir "$HOME/dotfiles"
	mv "$HOME/.claude" "$HOME/dotfiles/claude"
	ln -s dotfiles/claude "$HOME/.claude"
	local before
	before=$(sha256sum "$HOME/dotfiles/claude/.credentials.json")
	run "$BAWN" run --rm claude
	assert_status 0
	assert_output 'using your claude.ai log-in'
	assert_output '"accessToken"'
	refute_canary
	[ "$(sha256sum "$HOME/dotfiles/claude/.credentials.json")" = "$before" ]
	# a file of another name, or of another tool's, is none
	local to
	for to in dotfiles/claude/credentials .aws/.credentials.json; do
		mkdir -p "$HOME/.aws"
		cp "$HOME/dotfiles/claude/.credentials.json" "$HOME/$to"
		rm "$HOME/.claude"
		mkdir "$HOME/.claude"
		ln -s "../$to" "$HOME/.claude/.credentials.json"
		run "$BAWN" run --rm claude
		assert_output "log-in can't be used"
		refute_output '"accessToken"'
		refute_canary
		rm -r "$HOME/.claude"
		ln -s dotfiles/claude "$HOME/.claude"
	done
}
