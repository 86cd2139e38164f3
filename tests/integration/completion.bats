#!/usr/bin/env bats
# completion.bats - what bash, zsh and fish offer.  They ask `bawn __complete`, which goes by the
# program's own tables; what each shell makes of that is tried in that shell.
load ../lib.sh
setup() {
	bawn_setup
	PATH=$BAWN_BUILDDIR:$PATH
	export PATH
	"$BAWN" create --name my-box shell >/dev/null
	"$BAWN" create --name my-other shell >/dev/null
	"$BAWN" exec my-box touch "$HOME/left"
	"$BAWN" checkpoint my-box before >/dev/null 2>&1
	"$BAWN" exec my-box touch "$HOME/later"
	mkdir "$WS/subdir" "$WS/odd dir"
	touch "$WS/vars.env"
}
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

# in_bash, in_zsh, in_fish LINE: the words that the shell offers where LINE is typed, one a line.
in_bash() {
	bash --norc -c '
		compopt() { echo "compopt $*" >>"$2"; }
		source "$0"
		COMP_LINE=$1 COMP_POINT=${#1}
		# as readline does it: blanks part words, and so do "=" and ":", which are words of their own
		mapfile -t COMP_WORDS < <(grep -oE "[=:]+|[^[:blank:]=:]+" <<<"$1")
		[[ $1 == *[[:blank:]=:] ]] && COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_bawn
		printf "%s\n" "${COMPREPLY[@]}"' "$BAWN_SRCDIR/contrib/completion/bash/bawn" "$1" "$T/compopt"
}

in_fish() {
	fish --no-config -c "source '$BAWN_SRCDIR/contrib/completion/fish/bawn.fish'; complete -C '$1'" |
		cut -f1
}

in_zsh() {
	zsh -f "$BAWN_SRCDIR/tests/attack/zsh-complete" "$BAWN_SRCDIR/contrib/completion/zsh" "$1" "$T/offers"
}

offers() { # LINE WORD...: LINE offers each WORD
	local words
	words=$("in_$shell" "$1") || return 1
	for w in "${@:2}"; do
		[[ $'\n'$words$'\n' == *$'\n'"$w"$'\n'* ]] || fail "$shell: '$1' offers no '$w': $words" || return 1
	done
}

offers_only() { # LINE WORD...: and nothing else ("" for nothing)
	local words
	words=$("in_$shell" "$1" | sort | tr '\n' ' ') || return 1
	[ "${words% }" = "${*:2}" ] || fail "$shell: '$1' offers '$words', not '${*:2}'"
}

in_box() { # LINE WORD: the word is offered; bash has the part up to the colon already
	[ "$shell" = bash ] && set -- "$1" "${2#*:}"
	offers "$1" "$2"
}

each_kind() {
	offers 'bawn ' run create exec inspect doctor policy help || return 1
	offers_only 'bawn doc' doctor || return 1
	offers_only 'bawn help ins' inspect || return 1
	offers_only 'bawn run --allow-p' --allow-private || return 1
	offers_only 'bawn log --fo' --follow || return 1
	offers_only 'bawn rm --f' --force || return 1
	# names of each kind, behind options too
	offers_only 'bawn run cla' claude || return 1
	offers_only 'bawn run --offline cla' claude || return 1
	offers_only 'bawn run --allow x.org cla' claude || return 1
	offers 'bawn run ' claude shell my-box || return 1
	local c
	for c in exec shell attach logs stop rm inspect log; do
		offers_only "bawn $c my-" my-box my-other || return 1
	done
	offers_only 'bawn rm my-box my-o' my-other || return 1
	offers_only 'bawn attach my-box my-' '' || return 1
	offers_only 'bawn policy ch' check || return 1
	offers_only 'bawn policy check cla' claude || return 1
	offers_only 'bawn profile show ope' opencode || return 1
	# what options take
	offers 'bawn run --policy ba' balanced || return 1
	offers_only 'bawn run --allow-degraded ' case core cpus landlock memory || return 1
	offers_only 'bawn run --allow ' '' || return 1
	offers 'bawn run --env-file va' vars.env || return 1
	offers 'bawn run -e WS' WS || return 1
	offers 'bawn run --as-user ro' root || return 1
	offers 'bawn run claude sub' "$subdir" || return 1
	offers 'bawn exec my-box socat' socat || return 1
	# a checkpoint of the sandbox that was named
	offers_only 'bawn restore my-box be' before || return 1
	offers_only 'bawn restore my-other be' '' || return 1
	# inside a sandbox that need not run, once there is a command for it
	if "$BAWN" help | grep -q '^  cp '; then
		offers 'bawn cp my-' my-box: my-other: || return 1
		offers 'bawn cp sub' "$subdir" || return 1
		in_box "bawn cp my-box:$HOME/le" "my-box:$HOME/left" || return 1
		in_box "bawn cp my-box:$WS/va" "my-box:$WS/vars.env" || return 1
		offers_only 'bawn cp my-box:/etc/pass' '' || return 1
	fi
	# nothing behind "--": that is the agent's
	offers_only 'bawn run claude -- --al' '' || return 1
	offers_only 'bawn run claude -- sub' '' || return 1
	offers_only 'bawn nonsense ' ''
}

@test "bash offers commands, options, names and what options take" {
	shell=bash subdir=subdir
	each_kind || return 1
	offers 'bawn run --policy=ba' balanced
	offers 'bawn run --env-file=va' vars.env
}

@test "TERM-09 bash at a terminal: a name that was given inside is one word, and nothing else" {
	"$BAWN" exec my-box sh -c 'cd; mkdir -p d "d/sp ace"; echo yes >"d/x;touch PWNED;"; echo no >"d/y\$(touch PWNED)"
		touch "d/$(printf "z\302\23331m")" "d/$(printf "z\342\200\256")" "d/z\\\\" "d/zz"; echo space >"d/sp ace/q"'
	printf 'source %q\nPS1="> "\n' "$BAWN_SRCDIR/contrib/completion/bash/bawn" >"$T/rc"
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" 'expect=> ' \
		"send=bawn cp my-box:$HOME/d/x\\t$T/one\\r" 'expect=> ' \
		"send=bawn cp my-box:$HOME/d/y\\t$T/two\\r" 'expect=> ' \
		"send=bawn cp my-box:$HOME/d/sp\\tq\\t $T/three\\r" 'expect=> ' \
		'send=exit\r' eof -- bash --noprofile --rcfile "$T/rc" -i
	assert_status 0
	[ -z "$(find "$T" -name PWNED)" ] || fail "a name was carried out: $output"
	[ "$(cat "$T/one" "$T/two" "$T/three")" = $'yes\nno\nspace' ] || fail "$output"
	# what a terminal would not show as it is, is not offered at all
	shell=bash
	[ "$(in_bash "bawn cp my-box:$HOME/d/z")" = "$HOME/d/zz" ] || fail "$(in_bash "bawn cp my-box:$HOME/d/z" | cat -v)"
}

@test "zsh offers commands, options, names and what options take" {
	need command -v zsh -- "zsh"
	shell=zsh subdir=subdir
	each_kind || return 1
	offers 'bawn run --policy=ba' --policy=balanced
	offers 'bawn run --env-file=va' vars.env
}

@test "fish offers commands, options, names and what options take" {
	need command -v fish -- "fish"
	shell=fish subdir=subdir/
	each_kind || return 1
	offers 'bawn run --policy=ba' --policy=balanced
	offers 'bawn run --env-file=va' --env-file=vars.env
}

@test "bash at a terminal: Tab completes in place, behind = too" {
	printf 'source %q\nPS1="> "\n' "$BAWN_SRCDIR/contrib/completion/bash/bawn" >"$T/rc"
	run /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" 'expect=> ' \
		'send=bawn insp\tmy-b\t\r' 'expect="name": "my-box"' \
		'send=bawn run --policy=bala\t--dry-run --json shell\r' 'expect=balanced.yaml' \
		'send=exit\r' eof -- bash --noprofile --rcfile "$T/rc" -i
	assert_status 0
	refute_output TIMEOUT
}

@test "__complete: every option and command that help lists, broken state, odd names" {
	local c o
	for c in $("$BAWN" help | sed -nE 's/^  ([a-z]+) .*/\1/p'); do
		[[ $'\n'$("$BAWN" __complete "$c") == *$'\n'"$c"* ]] || fail "no $c" || return 1
		for o in $("$BAWN" "$c" --help | sed -nE 's/^ {1,6}(-[a-zA-Z]), --([a-z-]+).*/\1 --\2/p; s/^ {4,8}--([a-z-]+).*/--\1/p'); do
			[[ $'\n'$("$BAWN" __complete "$c" "$o") == *$'\n'"$o"* ]] || fail "$c offers no $o" || return 1
		done
	done
	echo garbage >"$XDG_DATA_HOME/bawn/sandboxes/my-box/spec"
	[ "$("$BAWN" __complete rm my-b)" = $'my-box\tbroken' ]
	# no control character of a profile's or a directory's name reaches the terminal
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles"
	printf 'summary: a \033[31mb\n' >"$XDG_CONFIG_HOME/bawn/profiles/odd.yaml"
	printf 'summary: x\n' >"$XDG_CONFIG_HOME/bawn/profiles/o"$'\033'"dd.yaml"
	run "$BAWN" __complete run od
	refute_output $'\033'
	assert_output 'a \x1b[31mb'
	run "$BAWN" __complete
	assert_status 0
	HOME=relative run "$BAWN" __complete run ''
	assert_status 0
	# and it leaves no trace where there was none
	XDG_DATA_HOME=$T/none XDG_CACHE_HOME=$T/none "$BAWN" __complete run ''
	[ ! -e "$T/none" ]
}
