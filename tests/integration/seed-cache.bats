#!/usr/bin/env bats
# seed-cache.bats - git's settings from one start to the next: kept while nothing has changed, and
# never used once something has.
load ../lib.sh

setup() {
	bawn_setup
	git init -q -b main "$WS"
	git config --file "$HOME/.gitconfig" user.name One
	sleep 3.1 # what has just changed is not kept
}
teardown() { bawn_teardown; }

kept() { ls "$XDG_CACHE_HOME/bawn/seed" 2>/dev/null; }

# The name that git has inside; nothing of bawn's but the result on the way.
name_is() {
	run in_sandbox git config user.name
	assert_status 0 || return 1
	[ "${lines[-1]}" = "$1" ] || fail "not $1: $output"
}

@test "git's settings are kept, and the same from the cache" {
	name_is One
	[ "$(kept | wc -l)" = 1 ] || fail "kept: $(kept)"
	local f
	f=$XDG_CACHE_HOME/bawn/seed/$(kept)
	[ "$(stat -c %a "$f" "${f%/*}" | xargs)" = "600 700" ] || fail "$(stat "$f")"
	in_sandbox_sh 'cat ~/.gitconfig' >"$T/first"
	rm "$f"
	in_sandbox_sh 'cat ~/.gitconfig' >"$T/second"
	[ "$(kept | wc -l)" = 1 ] || fail "kept: $(kept)"
	cmp "$T/first" "$T/second"
}

@test "a changed, new or removed file of git's settings counts at the next start" {
	name_is One
	git config --file "$HOME/.gitconfig" user.name Two
	name_is Two
	name_is Two
	rm "$HOME/.gitconfig"
	mkdir -p "$XDG_CONFIG_HOME/git"
	git config --file "$XDG_CONFIG_HOME/git/config" user.name Three
	name_is Three
	BAWN_OPTS=(-e XDG_CONFIG_HOME="$T")
	run in_sandbox git config user.name
	assert_status 1
	refute_output Three
}

@test "a kept seed that was changed, or that others can write, is made again" {
	name_is One
	local f how
	f=$XDG_CACHE_HOME/bawn/seed/$(kept)
	cp -p "$f" "$T/good"
	for how in flip truncate mode link directory; do
		rm -f "$f"
		cp -p "$T/good" "$f"
		case $how in
		flip) sed -i 's/One/Bad/' "$f" ;;
		truncate) truncate -s -8 "$f" ;;
		mode) chmod 0666 "$f" ;;
		link) mv "$f" "$T/moved" && ln -s "$T/moved" "$f" ;;
		directory) chmod 0777 "${f%/*}" ;;
		esac
		name_is One || fail "$how"
	done
}

@test "conditional settings are asked of git at every start" {
	printf '[includeIf "gitdir:%s/"]\n\tpath = %s/more\n' "$WS" "$HOME" >>"$HOME/.gitconfig"
	git config --file "$HOME/more" user.name Work
	sleep 3.1
	name_is Work
	[ -z "$(kept)" ] || fail "kept: $(kept)"
	git config --file "$HOME/more" user.name Other
	name_is Other
}
