#!/usr/bin/env bats
# examples.bats - every example of every man page and every --help does what it says: it is run as it
# is printed.  A new example needs a line here only where it is for a terminal or doesn't end.
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../templates.sh
load ../registry/lib.sh
setup() {
	bawn_setup
	git_repo
	local tool
	mkdir -p "$HOME/.local/bin" "$HOME/src/app" "$HOME/src/lib"
	# an agent that takes any arguments; at a terminal it waits for a line, as they do
	for tool in claude codex gemini opencode; do
		printf '#!/bin/sh\necho "%s $*"\n[ ! -t 0 ] || read -r line\n' "$tool" >"$HOME/.local/bin/$tool"
		chmod 755 "$HOME/.local/bin/$tool"
	done
	printf 'check:\n\t@echo checked\n' >"$WS/Makefile"
	echo 'say hello' >"$WS/task.md"
	PATH=$BAWN_BUILDDIR:$HOME/.local/bin:$PATH
	export PATH
}
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

# What can't be run here, and why.
cannot='
'

can_run() {
	local pattern
	while IFS= read -r pattern; do
		# the why stands behind the last bar
		# shellcheck disable=SC2053  # a pattern
		[[ -z $pattern || $1 != ${pattern%|*} ]] || return 1
	done <<<"$cannot"
}

# The example lines of a man page's source, and of a command's --help.
of_page() {
	local blocks='s/^([a-z].*)/\1/p' # in a page of section 5 they are files
	[[ $1 != *.5.scd ]] || blocks=d
	sed -nE "/^# EXAMPLES?\$/,/^# [^E]/{ /^\`\`\`/,/^\`\`\`/{ $blocks; d }; s/^	(.*)/\1/p }" "$1" |
		sed -E 's/\\([_*~])/\1/g'
}

of_help() {
	"$BAWN" "$1" --help | sed -n '/^Examples:$/,/^$/s/^  //p'
}

# What must be there for the examples of a command or page.
prepare() {
	unset http_proxy no_proxy
	"$BAWN" rm -f --all >/dev/null
	rm -rf "$XDG_CONFIG_HOME/bawn/secrets" # the commands of examples are not there
	case $1 in
	create) ;;
	run) # a template with the tool in it
		rm -rf "$XDG_DATA_HOME/bawn/templates"
		template_layer
		template_debian
		cp "$HOME/.local/bin/codex" "$LAYER/usr/bin/codex"
		template_commit node-tools
		;;
	secret)
		export KEY=key
		"$BAWN" create claude >/dev/null
		;;
	attach | logs) "$BAWN" run -d claude >/dev/null ;;
	checkpoints | restore | undo | fork)
		"$BAWN" create claude >/dev/null
		"$BAWN" checkpoint claude-project before-upgrade >/dev/null
		"$BAWN" exec claude-project touch "$HOME/since"
		;;
	report) "$BAWN" run -d claude >/dev/null ;;
	template)
		rm -rf "$XDG_DATA_HOME/bawn/templates" # what was put there by hand is not as digests say
		/usr/bin/python3 "$BAWN_SRCDIR/tests/images.py" docker "$WS/image.tar" debian:12
		"$BAWN" template load "$WS/image.tar" >/dev/null
		"$BAWN" template tag debian:12 mine:1
		"$BAWN" create --template debian:12 --name claude-project shell >/dev/null
		mkdir -p "$XDG_DATA_HOME/bawn/sandboxes/claude-project/up/root/opt"
		echo tool >"$XDG_DATA_HOME/bawn/sandboxes/claude-project/up/root/opt/tool"
		# a mirror of docker.io; as a proxy, it is registry.example.com, too
		registry_start "$T/registries"
		SERVERS+=("$(cat "$REG/pid")" "$(cat "$ELSE/pid")")
		registries "mirror docker.io http://$(registry_at) only" "insecure registry.example.com"
		http_proxy=http://$(registry_at)
		export http_proxy no_proxy=127.0.0.1
		;;
	build)
		printf 'FROM scratch AS build\nARG VERSION\nLABEL v=$VERSION\nCOPY token.txt /\n' >"$WS/Dockerfile"
		cp "$WS/Dockerfile" "$WS/Dockerfile.ci"
		echo token >"$WS/token.txt"
		git -C "$WS" add -A
		git -C "$WS" commit -qm 'what is built'
		;;
	sudo) # in a template's root
		template_layer
		template_debian
		template_program install
		template_commit t
		echo tool >"$WS/tool"
		"$BAWN" create --name claude-project --template t shell >/dev/null
		;;
	diff | apply | discard)
		mkdir -p "$WS/src" "$WS/tests"
		echo 'int x;' >"$WS/src/parser.c"
		"$BAWN" create --workspace cow claude >/dev/null
		"$BAWN" exec claude-project sh -c 'echo "int y;" >>src/parser.c; echo t >tests/new
			echo "{}" >package.json' 2>/dev/null
		;;
	*) "$BAWN" create claude >/dev/null ;;
	esac
}

on_pty() { # STEP... -- LINE
	/usr/bin/python3 "$BAWN_SRCDIR/tests/attack/pty-drive.py" "${@:1:$#-1}" bash -c "${*: -1}"
}

run_line() {
	case $1 in
	'bawn log -f' | 'bawn logs -f '*) # it goes on until somebody ends it
		run -124 timeout 1 bash -c "$1"
		;;
	'bawn monitor' | 'bawn monitor claude-project') run -0 on_pty expect=RUNNING 'send=q' eof -- "$1" ;;
	'bawn run claude' | 'bawn run -- claude' | 'bawn shell '* | 'bawn attach '* | \
		'bawn run shell '*:ro) # for a person at a terminal
		run -0 on_pty sleep=1 'send=exit\r' eof -- "$1"
		refute_output TIMEOUT
		;;
	'bawn secret set anthropic') # it asks
		run -0 on_pty sleep=1 'send=a-key\r' eof -- "$1"
		refute_output TIMEOUT
		;;
	'bawn apply --dry-run '*) # not all would land: one of them is what the host runs
		run -1 timeout 20 bash -c "$1" </dev/null
		;;
	'bawn policy explain '*' example.org' | 'bawn policy diff '*) # denied; they differ
		run -1 timeout 20 bash -c "$1" </dev/null
		;;
	*) run -0 timeout 20 bash -c "$1" </dev/null ;;
	esac
}

run_all() { # what it is of; the lines come on standard input
	local line n=0 lines
	mapfile -t lines
	for line in "${lines[@]}"; do
		n=$((n + 1))
		can_run "$line" || continue
		run_line "$line" || fail "$1: $line: $output" || return 1
	done
	[ "$n" -gt 0 ] || fail "$1: no example"
}

@test "every example of --help works as it is printed" {
	local c
	for c in $("$BAWN" help | sed -nE 's/^  ([a-z]+) .*/\1/p'); do
		case $c in login | version | help) continue ;; esac
		prepare "$c"
		run_all "$c --help" < <(of_help "$c") || return 1
	done
}

@test "every example of the man pages works as it is printed" {
	local f c
	for f in "$BAWN_SRCDIR"/man/*.scd; do
		c=${f##*/bawn-}
		c=${c%%.*}
		[[ $f != *.7.scd ]] || continue
		prepare "$c"
		run_all "${f##*/}" < <(of_page "$f") || return 1
	done
}

@test "the fields that bawn-ls(1) describes are those of ls --json and inspect" {
	"$BAWN" create --name one shell >/dev/null
	"$BAWN" create --name two shell >/dev/null
	echo garbage >"$XDG_DATA_HOME/bawn/sandboxes/two/spec"
	"$BAWN" ls --json >"$T/ls"
	"$BAWN" inspect one two >"$T/inspect"
	python3 - "$BAWN_SRCDIR/man/bawn-ls.1.scd" "$T/ls" "$T/inspect" <<-'EOF'
		import json, re, sys
		text = open(sys.argv[1]).read().split("# FIELDS")[1].split("\n# ")[0]
		both, more = text.split("Of *bawn inspect* besides:")
		names = lambda t: {n for l in t.splitlines() if l.startswith("*") for n in re.findall(r"\*(\w+)\*", l)}
		has = lambda f: {k for o in json.load(open(f)) for k in o}
		assert names(both) == has(sys.argv[2]), names(both) ^ has(sys.argv[2])
		assert names(both) | names(more) == has(sys.argv[3]), (names(both) | names(more)) ^ has(sys.argv[3])
	EOF
}

@test "what bawn-run(1) says stays with a sandbox is what bawn create takes, and inspect shows it" {
	local of_one='name pull as-user verbose quiet help' # not kept
	sed -n '/^# RE-ENTRY/,/^Given again/p' "$BAWN_SRCDIR/man/bawn-run.1.scd" |
		grep -oE -- '--[a-z-]+' | sort -u >"$T/page"
	"$BAWN" create --help | sed -nE 's/^ +(-., )?(--[a-z-]+).*/\2/p' |
		grep -vxE -- "--(${of_one// /|})" | sort -u >"$T/create"
	diff "$T/page" "$T/create"
	"$BAWN" create --name kept --allow-exec .envrc --expose-key SOME_KEY shell >/dev/null
	run -0 "$BAWN" inspect kept
	[[ $output == *'"allow_exec": ['*.envrc*'"expose_key": ['*SOME_KEY* ]]
}

@test "the files that bawn-run(1) says a sandbox keeps are there" {
	local name where=$XDG_DATA_HOME/bawn/sandboxes/files
	"$BAWN" run -d --name files shell -- sh -c 'echo x; touch ~/x; sleep 60' >/dev/null
	eventually test -s "$where/log"
	for name in $(sed -nE '/^# FILES/,/^# E/p' "$BAWN_SRCDIR/man/bawn-run.1.scd" | grep -oE '_[a-z.]+(/|_)' | tr -d '_/'); do
		[ "$name" = log. ] || [ -e "$where/$name" ] || fail "no $name" || return 1
	done
	[ -e "$where/up/home/x" ]
}
