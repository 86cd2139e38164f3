#!/usr/bin/env bats
# policy.bats - profiles and policies as a person uses them: shipped files, user's files, check.

bats_require_minimum_version 1.5.0
load ../lib.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

conf() { # conf PATH: stdin into the user's configuration
	mkdir -p "$XDG_CONFIG_HOME/bawn/$(dirname "$1")"
	chmod -R go-w "$XDG_CONFIG_HOME/bawn"
	cat >"$XDG_CONFIG_HOME/bawn/$1"
	chmod 0600 "$XDG_CONFIG_HOME/bawn/$1"
}

@test "shipped profiles and policies have no errors, and only open is called wide" {
	run "$BAWN" profile lint
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	run "$BAWN" policy lint
	[ "$status" -eq 0 ]
	[ -z "$(sed '/\/open\.yaml:/d' <<<"$output")" ]
}

@test "balanced is the sum of the policies that its comments name" {
	local dir=$BAWN_SRCDIR/policies/egress want name
	want=$(for name in $(sed -n 's/^  # .*: \([a-z]*\)$/\1/p' "$dir/balanced.yaml"); do
		sed -n 's/^  - //p' "$dir/$name.yaml"
	done | sort -u)
	[ -n "$want" ]
	[ "$want" = "$(sed -n 's/^  - //p' "$dir/balanced.yaml" | sort -u)" ]
}

@test "policy check: 0 allowed, 1 denied, with rule, file and line; 2 usage, 125 failure" {
	run "$BAWN" policy check claude api.anthropic.com
	[ "$status" -eq 0 ]
	[[ $output == *"allowed: api.anthropic.com:443"*"anthropic.yaml:"[0-9]*": allow api.anthropic.com" ]]
	run "$BAWN" policy check claude https://statsig.anthropic.com/v1
	[ "$status" -eq 1 ]
	[[ $output == *"denied"*"anthropic.yaml:"[0-9]*": deny statsig.anthropic.com" ]]
	run "$BAWN" policy check claude example.com:8443
	[ "$status" -eq 1 ]
	[[ $output == *"bawn run --allow example.com:8443 claude"* ]]
	run "$BAWN" policy check --allow example.com:8443 claude example.com:8443
	[ "$status" -eq 0 ]
	run "$BAWN" policy check claude
	[ "$status" -eq 2 ]
	run "$BAWN" policy check nosuch example.com
	[ "$status" -eq 125 ]
}

@test "policy check --json is JSON" {
	"$BAWN" policy check --json claude example.com | python3 -c '
import json, sys
x = json.load(sys.stdin)
assert x["allowed"] is False and x["fix"] == "--allow example.com", x'
}

@test "DNS-10 names that only look like an allowed one are denied" {
	local name
	for name in evilgithub.com github.com.evil.tld github.com@evil https://github.com@evil.tld/ \
		'github.com%2eevil.tld' 'github.com\.evil.tld' github.com:22; do
		run "$BAWN" policy check shell "$name"
		[ "$status" -eq 1 ]
	done
}

@test "NET-09 metadata and private addresses stay denied under open" {
	local a
	for a in 169.254.169.254:80 100.100.100.200:80 '[fd00:ec2::254]:80' 10.0.0.1:80 \
		192.168.1.1:443 127.0.0.1:80 '[::1]:80' '[::ffff:10.0.0.1]:80'; do
		run "$BAWN" policy check --policy open shell "$a"
		[ "$status" -eq 1 ]
	done
	run "$BAWN" policy check --policy open shell 1.1.1.1
	[ "$status" -eq 0 ]
}

@test "locked leaves the tool its own service and nothing else" {
	run "$BAWN" policy check --policy locked claude api.anthropic.com
	[ "$status" -eq 0 ]
	run "$BAWN" policy check --policy locked claude github.com
	[ "$status" -eq 1 ]
	run "$BAWN" policy check --policy locked shell api.anthropic.com
	[ "$status" -eq 1 ]
}

@test "CFG-01 an empty policy denies all, as a file and in the user's directory" {
	echo 'allow: []' | conf policies/none.yaml
	run "$BAWN" policy check --policy none claude api.anthropic.com
	[ "$status" -eq 1 ]
	: | conf policies/balanced.yaml
	run "$BAWN" policy check shell github.com
	[ "$status" -eq 1 ]
}

@test "CFG-02 CFG-08 an error has file, line, column and the nearest key" {
	printf 'allow:\n  - example.com\nalow: []\n' | conf policies/bad.yaml
	run "$BAWN" policy check --policy bad shell example.com
	[ "$status" -eq 125 ]
	[[ $output == *"bawn/policies/bad.yaml:3:1: unknown key \"alow\"; did you mean \"allow\"?"* ]]
	printf 'allow:\n  - "*"\n' | conf policies/bad.yaml
	run "$BAWN" policy lint bad
	[ "$status" -eq 1 ]
	[[ $output == *"bad.yaml:2:5: "* ]]
	printf 'allow:\n  - "*.com"\n' | conf policies/bad.yaml
	run "$BAWN" policy lint bad
	[ "$status" -eq 0 ]
	[[ $output == *"bad.yaml:2:5: warning: "* ]]
}

@test "a profile's patterns and the policies it names: an error has file, line and column" {
	local d="$XDG_CONFIG_HOME/bawn/profiles" row
	mkdir -p "$d"
	while IFS='|' read -r row text; do
		printf 'command: [sh]\n%s\n' "$text" >"$d/odd.yaml"
		run -125 "$BAWN" run odd "$WS" -- -c 'echo ran'
		assert_output "odd.yaml:$row: " || return 1
		run -1 "$BAWN" profile lint odd
		assert_output "odd.yaml:$row: " || return 1
	done <<-'EOT'
		2:8|mask: ["["]
		2:11|protect: ["a\\"]
		2:18|policies: [open, no-such]
		2:11|syscalls: no-such
	EOT
}

@test "--help and wrong options of policy and profile" {
	local c
	for c in policy profile; do
		run -0 "$BAWN" "$c" --help
		assert_output "Usage: bawn $c" || return 1
		run -0 "$BAWN" help "$c"
		assert_output "Usage: bawn $c" || return 1
		run -2 "$BAWN" "$c" --no-such
		assert_output 'bawn: unknown option --no-such' || return 1
		case ${lines[0]} in bawn:*) ;; *) fail "first line" || return 1 ;; esac
	done
}

@test "CFG-04 nothing in a workspace is read as a profile or a policy" {
	mkdir -p "$WS/profiles" "$WS/policies/egress" "$WS/.config/bawn/policies"
	echo 'allow: ["**"]' | tee "$WS/policies/egress/balanced.yaml" "$WS/balanced.yaml" \
		"$WS/.config/bawn/policies/user.yaml" "$WS/policies/user.yaml" >/dev/null
	echo 'command: [evil]' | tee "$WS/profiles/shell.yaml" "$WS/shell.yaml" >/dev/null
	run "$BAWN" policy check shell example.net
	[ "$status" -eq 1 ]
	run "$BAWN" profile show shell
	[[ $output != *evil* ]]
}

@test "CFG-06 links and what others can write are refused" {
	echo 'allow: ["**"]' | conf policies/mine.yaml
	run "$BAWN" policy check --policy mine shell example.net
	[ "$status" -eq 0 ]
	chmod 0666 "$XDG_CONFIG_HOME/bawn/policies/mine.yaml"
	run "$BAWN" policy check --policy mine shell example.net
	[ "$status" -eq 125 ]
	[[ $output == *"chmod go-w"* ]]
	chmod 0600 "$XDG_CONFIG_HOME/bawn/policies/mine.yaml"
	chmod 0777 "$XDG_CONFIG_HOME/bawn/policies"
	run "$BAWN" policy check --policy mine shell example.net
	[ "$status" -eq 125 ]
	chmod 0700 "$XDG_CONFIG_HOME/bawn/policies"
	mv "$XDG_CONFIG_HOME/bawn/policies/mine.yaml" "$WS/x.yaml"
	ln -s "$WS/x.yaml" "$XDG_CONFIG_HOME/bawn/policies/mine.yaml"
	run "$BAWN" policy check --policy mine shell example.net
	[ "$status" -eq 125 ]
	[[ $output == *"symbolic link"* ]]
	run "$BAWN" policy check --policy ../../../project/x shell example.net
	[ "$status" -eq 125 ]
}

@test "the user-wide policy applies to every profile, also beside --policy" {
	printf 'allow: [mine.example]\ndeny: [api.anthropic.com]\n' | conf policies/user.yaml
	run "$BAWN" policy check shell mine.example
	[ "$status" -eq 0 ]
	run "$BAWN" policy check --policy locked claude mine.example
	[ "$status" -eq 0 ]
	run "$BAWN" policy check --policy anthropic claude api.anthropic.com
	[ "$status" -eq 1 ]
	[[ $output == *"user.yaml:2: deny api.anthropic.com"* ]]
}

@test "a fifth tool is one file" {
	printf 'command: [mytool, --x]\nyolo: [--yes]\n' | conf profiles/mytool.yaml
	run "$BAWN" profile ls
	[ "$status" -eq 0 ]
	[[ $output == *mytool* ]]
	run "$BAWN" policy check mytool github.com
	[ "$status" -eq 0 ]
	run "$BAWN" profile show mytol
	[ "$status" -eq 125 ]
	[[ $output == *'did you mean "mytool"?'* ]]
}
