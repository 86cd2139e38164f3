#!/usr/bin/env bats
# secret.bats - bawn secret: what is kept, how, and that it is seen nowhere else.

bats_require_minimum_version 1.5.0
load ../lib.sh
setup() {
	bawn_setup
	STORE=$XDG_CONFIG_HOME/bawn/secrets
	export T STORE
	export -n CANARY # it must come from nowhere but the store
	CANARY=canary-$RANDOM$RANDOM$RANDOM-x
}
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

secret() { run "$BAWN" secret "$@"; }
keep() { printf %s "$2" | "$BAWN" secret set --value-stdin "${@:3}" "$1" 2>/dev/null; }
kept() { tail -n +2 "$STORE/$1"; }
on_pty() { /usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" "$@"; }

@test "set and ls: each source, kept for the user alone, and no value is shown" {
	keep plain "$CANARY"
	secret set --env GH_TOKEN by-env
	[ "$status" -eq 0 ]
	secret set --command "echo $CANARY" by-command
	echo "$CANARY" >"$T/f"
	(cd "$T" && "$BAWN" secret set --file f by-file)
	[ "$(kept plain)" = "$CANARY" ]
	[ "$(kept by-file)" = "$T/f" ]
	[ "$(find "$STORE" -type d -printf '%m ')" = "700 " ]
	[ "$(find "$STORE" -type f -printf '%m\n' | sort -u)" = 600 ]
	secret ls
	[ "$status" -eq 0 ]
	[[ $output == *"plain  "*"value"*"all"* && $output == *"by-env  "*"env"* ]]
	[[ $output != *canary* ]]
	"$BAWN" secret ls --json >"$T/json"
	run ! grep -q canary "$T/json"
	python3 - "$T/json" <<-'P'
		import json, sys, time
		x = json.load(open(sys.argv[1]))
		assert [(s["name"], s["source"], s["sandbox"]) for s in x] == [("by-command", "command", None),
		    ("by-env", "env", None), ("by-file", "file", None), ("plain", "value", None)], x
		assert all(abs(s["changed"] - time.time()) < 100 and s["hosts"] == [] for s in x)
	P
	keep plain other
	[ "$(kept plain)" = other ]
	secret rm plain
	[ "$status" -eq 0 ]
	[ ! -e "$STORE/plain" ]
}

@test "ls says where the user's and the shipped policies send a secret; set, that none does" {
	mkdir -p "$XDG_CONFIG_HOME/bawn/policies"
	cat >"$XDG_CONFIG_HOME/bawn/policies/w.yaml" <<-'Y'
		credentials:
		  - {secret: work-key, hosts: [a.example.com, "*.b.example.com:8443"], header: x-key, env: K}
	Y
	echo 'allow: {' >"$XDG_CONFIG_HOME/bawn/policies/broken.yaml"
	chmod -R go-w "$XDG_CONFIG_HOME/bawn"
	run --separate-stderr bash -c 'printf k | "$BAWN" secret set --value-stdin work-key'
	[ "$status" -eq 0 ]
	[[ $stderr != *"no policy sends"* && $stderr == *"broken.yaml"* ]]
	run --separate-stderr bash -c 'printf k | "$BAWN" secret set --value-stdin wrok-key'
	[ "$status" -eq 0 ]
	[[ $stderr == *"no policy sends the secret wrok-key anywhere yet; did you mean \"work-key\"?"* ]]
	run --separate-stderr "$BAWN" secret ls
	[[ $output == *"work-key"*"a.example.com, *.b.example.com:8443"* ]]
	[[ $output == *"wrok-key"*" -" ]]
}

@test "at a terminal it is asked for unseen; Ctrl-C ends it and leaves the terminal as it was" {
	run -0 on_pty 'expect=secret work: ' "send=${CANARY}x\x7f\r" eof modes -- "$BAWN" secret set work
	[[ $output != *canary* ]]
	[[ $output == *"modes as before"* ]]
	[ "$(kept work)" = "$CANARY" ]
	run -130 on_pty 'expect=secret work: ' 'send=other\x03' eof modes -- "$BAWN" secret set work
	[[ $output != *other* && $output == *"modes as before"* ]]
	[ "$(kept work)" = "$CANARY" ]
	# longer than a terminal's own line
	local long
	long=$(head -c 6000 /dev/zero | tr '\0' k)
	run -0 on_pty 'expect=secret long: ' "send=$long" 'send=\r' eof -- "$BAWN" secret set long
	[ "$(kept long)" = "$long" ]
	# nothing typed
	run -125 on_pty 'expect=secret none: ' 'send=\r' eof -- "$BAWN" secret set none
	[[ $output == *"the secret is empty"* ]]
}

@test "what can't be a secret is refused, with what is wrong and without the value; the old one stays" {
	keep work "$CANARY"
	local value want
	while IFS='|' read -r value want; do
		printf '%b' "$value" >"$T/in"
		run bash -c '"$BAWN" secret set --value-stdin work <"$T/in"'
		[ "$status" -eq 125 ] || fail "$value was taken"
		[[ $output == *"$want"* && $output != *bad* ]] || fail "$value: $output"
		[ "$(kept work)" = "$CANARY" ]
	done <<-'T'
		|the secret is empty
		\n|the secret is empty
		bad\nbad|more than one line
		bad\rbad|more than one line
		bad\0000bad|a NUL byte
		bad\tbad|a control byte
		bad\0033[2Jbad|a control byte
		bad\0177|a control byte
		 bad|begins or ends with a space
		bad |begins or ends with a space
	T
	head -c 16385 /dev/zero | tr '\0' b >"$T/in"
	run bash -c '"$BAWN" secret set --value-stdin work <"$T/in"'
	[ "$status" -eq 125 ]
	[[ $output == *"16384 bytes at most"* ]]
	head -c 16384 /dev/zero | tr '\0' b >"$T/in"
	"$BAWN" secret set --value-stdin work <"$T/in" 2>/dev/null
	[ "$(kept work | wc -c)" -eq 16384 ]
	# one line end, of either kind, is the file's and not the secret's
	printf 'x\r\n' | "$BAWN" secret set --value-stdin work 2>/dev/null
	[ "$(kept work)" = x ]
}

@test "wrong command lines: cause and remedy, and nothing is kept" {
	local want words
	while IFS='|' read -r words want; do
		# shellcheck disable=SC2086  # words
		run "$BAWN" secret $words </dev/null
		[ "$status" -eq 2 ] || [ "$status" -eq 125 ] || fail "$words: $status"
		[[ $output == *"$want"* ]] || fail "$words: $output, not $want"
	done <<-'T'
		set|set takes the secret's name
		set work hunter2|a secret never stands on the command line
		set work|no option says where it is
		set work|bawn secret set --value-stdin work
		set ../x|can't be a secret's name
		set -- -x|can't be a secret's name
		set @box|can't be a secret's name
		set a.tmp|can't be a secret's name
		set --env A --file B work|not several
		set --env A=B work|takes a variable's name
		set --file /nonexistent work|No such file
		set --sandbox none --env A work|there is no sandbox 'none'
		set --sandbox ../x --env A work|there is no sandbox
		set --command= work|--command takes one line
		set --json --env A work|--json is not an option of set
		rm|rm takes one name
		rm work|there is no secret "work"
		ls work|ls takes no name
		ls --yes|--yes is not an option of ls
		import x|import takes no name
		import|stdin is no terminal
		show|unknown verb
	T
	[ ! -e "$STORE" ]
	"$BAWN" secret set --env A anthropic 2>/dev/null
	secret rm antropic
	[ "$status" -eq 125 ]
	[[ $output == *'did you mean "anthropic"?'* ]]
}

@test "CRED a store that others could read or write is refused, each part of it" {
	keep work "$CANARY"
	refused() {
		secret ls
		[ "$status" -eq 125 ] && [[ $output == *"$1"* && $output != *canary* ]] || fail "ls, $1: $output"
	}
	chmod g+r "$STORE/work"
	refused 'chmod go='
	chmod 600 "$STORE/work"
	chmod o+x "$STORE"
	refused 'chmod go='
	run bash -c 'printf new | "$BAWN" secret set --value-stdin work'
	[ "$status" -eq 125 ]
	chmod 700 "$STORE"
	chmod g+w "$XDG_CONFIG_HOME/bawn"
	refused 'chmod go-w'
	chmod g-w "$XDG_CONFIG_HOME/bawn"
	ln "$STORE/work" "$T/second"
	refused 'another hard link'
	rm "$T/second"
	mv "$STORE/work" "$T/work"
	ln -s "$T/work" "$STORE/work"
	refused 'symbolic link'
	rm "$STORE/work"
	mkfifo -m 600 "$STORE/work"
	refused 'not a regular file'
	rm "$STORE/work"
	echo garbage >"$STORE/work"
	chmod 600 "$STORE/work"
	refused 'damaged'
	mv "$STORE" "$T/store"
	ln -s "$T/store" "$STORE"
	refused 'link or no directory'
}

@test "a directory that can't be written, a full disk: said, and the old secret stays" {
	keep work "$CANARY"
	chmod 500 "$STORE"
	run bash -c 'printf new | "$BAWN" secret set --value-stdin work'
	[ "$status" -eq 125 ]
	[[ $output == *"Permission denied"*"what was there before is as it was"* ]]
	secret rm work
	[ "$status" -eq 125 ]
	chmod 700 "$STORE"
	[ "$(kept work)" = "$CANARY" ]
	mkdir "$T/full"
	run unshare -rm bash -c '
		mount -t tmpfs -o size=64k,mode=700 none "$T/full" || exit 77
		export XDG_CONFIG_HOME=$T/full
		printf old | "$BAWN_BUILDDIR/bawn-admin" secret set --value-stdin work 2>/dev/null || exit 78
		cat /dev/zero >"$T/full/fill" 2>/dev/null
		printf new | "$BAWN_BUILDDIR/bawn-admin" secret set --value-stdin work
		echo "status $?"
		tail -n +2 "$T/full/bawn/secrets/work"
		ls -A "$T/full/bawn/secrets"'
	[ "$status" -ne 77 ] || skip "no user namespace to mount a small disk in"
	[[ $output == *"No space left on device"*"status 125"*"oldwork" ]]
}

@test "many writers at once, and one that was killed: always one whole secret, no rest" {
	local i
	for i in 1 2 3 4 5 6 7 8; do
		(for _ in 1 2 3 4 5; do keep work "value-$i-$(printf '%0300d' "$i")"; done) &
	done
	wait
	[[ $(kept work) =~ ^value-([1-8])-0{299}[1-8]$ ]]
	[ "$(ls -A "$STORE")" = work ]
	echo "$CANARY" >"$STORE/work.1.0.tmp"
	keep work last
	[ "$(ls -A "$STORE")" = work ]
}

@test "a secret for one sandbox: beside the one for all, and gone with the sandbox" {
	"$BAWN" create --name box shell "$WS" >/dev/null
	keep work all
	keep work one --sandbox box
	[ "$(kept work)" = all ]
	[ "$(kept @box/work)" = one ]
	secret ls
	[ "$(grep -c '^work ' <<<"$output")" -eq 2 ]
	[[ $output == *"work "*" box "* ]]
	secret rm --sandbox box nothing
	[ "$status" -eq 125 ]
	keep only here --sandbox box
	secret rm only
	[[ $output == *"there is one for --sandbox box"* ]]
	"$BAWN" rm box >/dev/null
	[ ! -e "$STORE/@box" ]
	[ "$(kept work)" = all ]
}

@test "CRED a secret is in no argument, environment, message, log, cache or other file" {
	printf %s "$CANARY" >"$T/in"
	if command -v strace >/dev/null; then
		strace -f -qq -v -s 100000 -e trace=execve -o "$T/exec" \
			"$BAWN" secret set --value-stdin work <"$T/in" 2>"$T/said"
		strace -f -qq -v -s 100000 -e trace=execve -o "$T/exec2" "$BAWN" secret ls >>"$T/said" 2>&1
		grep -q bawn-admin "$T/exec"
	else
		"$BAWN" secret set --value-stdin work <"$T/in" 2>"$T/said"
	fi
	rm "$T/in"
	{
		"$BAWN" secret ls --json
		"$BAWN" run --rm shell "$WS" -- sh -c 'env; cat /proc/1/environ /proc/1/cmdline; ls -aR ~'
		"$BAWN" run --dry-run shell "$WS"
		"$BAWN" log --json
	} >>"$T/said" 2>&1
	[ "$(grep -rl "$CANARY" "$T" "$HOME" "$XDG_DATA_HOME" "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME" | sort -u)" = "$STORE/work" ]
}

# A machine with keys in every place that import looks at.
places() {
	mkdir -p "$T/bin"
	printf '#!/bin/sh\n[ "$*" = "auth token --hostname github.com" ] || exit 9\n[ -z "$GH_TOKEN" ] || exit 8\necho gh-%s\n' \
		"$CANARY" >"$T/bin/gh"
	printf '#!/bin/sh\n[ "$1" = get ] && printf "username=u\\npassword=git-%s\\n"\n' "$CANARY" >"$T/helper"
	chmod +x "$T/bin/gh" "$T/helper"
	printf '[credential]\n\thelper = %s\n' "$T/helper" >"$HOME/.gitconfig"
	printf 'color=false\n//reg.npmjs.org.evil.example/:_authToken=wrong\n//reg.npmjs.org/:_authToken="npm-%s"\n' \
		"$CANARY" >"$HOME/.npmrc"
	export ANTHROPIC_API_KEY=an-$CANARY OPENAI_API_KEY=oa-$CANARY
	unset CODEX_API_KEY GEMINI_API_KEY GH_TOKEN GITHUB_TOKEN GITLAB_TOKEN
	PATH=$T/bin:$PATH
}

@test "import finds what the shell and its tools have, names places and never values" {
	places
	secret import --dry-run
	[ "$status" -eq 0 ]
	[[ $output != *canary* ]]
	local line
	for line in 'anthropic: from the variable ANTHROPIC_API_KEY' 'openai: from the variable OPENAI_API_KEY' \
		'github: from gh auth token' "gitlab: from git's credential helper for gitlab.com" \
		'npm: from _authToken in ~/.npmrc'; do
		[[ $output == *"$line"* ]] || fail "no $line in: $output"
	done
	[ ! -e "$STORE" ]
	keep openai mine
	secret import --yes
	[ "$status" -eq 0 ]
	[[ $output == *"openai: there is one already"* && $output != *canary* ]]
	[ "$(kept anthropic)" = "an-$CANARY" ]
	[ "$(kept openai)" = mine ]
	[ "$(kept github)" = "$T/bin/gh auth token --hostname github.com" ]
	[ "$(kept gitlab)" = "git-$CANARY" ]
	[ "$(kept npm)" = "npm-$CANARY" ]
	[[ $output == *"no policy sends the secret gitlab anywhere yet"* ]]
}

@test "import asks about each, and what is not answered with y is not taken" {
	places
	run -0 on_pty 'expect=import anthropic, from the variable ANTHROPIC_API_KEY? [y/N] ' 'send=y\r' \
		'expect=import openai' 'send=\r' 'expect=import github' 'send=n\r' 'expect=import gitlab' \
		'send=no\r' 'expect=import npm' 'send=y\r' eof -- "$BAWN" secret import
	[[ $output != *canary* ]]
	[ "$(ls "$STORE")" = $'anthropic\nnpm' ]
}

@test "CRED import takes no program and no configuration from where it stands" {
	places
	rm "$T/bin/gh"
	: >"$HOME/.gitconfig"
	git_repo
	git -C "$WS" config credential.helper "!touch $T/ran; echo password=evil; :"
	printf '#!/bin/sh\ntouch %s/ran\necho password=evil\n' "$T" >"$WS/git"
	cp "$WS/git" "$WS/gh"
	chmod +x "$WS/git" "$WS/gh"
	(
		cd "$WS" || exit
		PATH=$WS:.:$PATH GIT_CONFIG_GLOBAL=$WS/.git/config GIT_CONFIG_COUNT=1 \
			GIT_CONFIG_KEY_0=credential.helper GIT_CONFIG_VALUE_0="!touch $T/ran; :" GIT_ASKPASS=$WS/git \
			timeout 20 "$BAWN" secret import --yes >"$T/out" 2>&1 </dev/null
	)
	[ ! -e "$T/ran" ]
	run ! grep -qE 'github|gitlab' "$T/out"
}

@test "import: nothing there, and something there that can't be a secret" {
	places
	rm "$T/bin/gh" "$HOME/.npmrc" "$HOME/.gitconfig"
	unset ANTHROPIC_API_KEY OPENAI_API_KEY
	secret import --dry-run
	[ "$status" -eq 0 ]
	[[ $output == "nothing was found"* ]]
	ANTHROPIC_API_KEY=$'two\nlines' secret import --yes
	[ "$status" -eq 125 ]
	[[ $output == *"anthropic, from the variable ANTHROPIC_API_KEY: the secret has more than one line"* ]]
}

@test "a sandbox that runs is told of what was set and removed, and goes on" {
	"$BAWN" run -d --name box shell "$WS" -- sleep 100 >/dev/null
	run -0 bash -c 'printf k | "$BAWN" secret set --value-stdin anthropic'
	secret rm anthropic
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	run -0 "$BAWN" exec box true
	# one whose supervisor doesn't answer any more is no reason to fail
	"$BAWN" rm -f box >/dev/null
	run -0 bash -c 'printf k | "$BAWN" secret set --value-stdin anthropic'
}

@test "completion offers the secrets that are there, and the words of bawn secret" {
	keep work-key x
	run -0 "$BAWN" __complete secret rm w
	[[ $output == work-key* ]]
	run -0 "$BAWN" __complete secret ''
	[[ $output == *set*ls*rm*import* ]]
	run -0 "$BAWN" __complete secret set --va
	[[ $output == *--value-stdin* ]]
}
