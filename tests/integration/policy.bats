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

@test "policy explain: every rule that matches, which decides and why, and what changes it" {
	echo 'deny: [github.com]' | conf policies/user.yaml
	run -1 "$BAWN" policy explain --allow '**.com' claude https://github.com/x
	[[ ${lines[0]} == "denied: github.com:443, by profile claude: a deny wins"* ]] || fail verdict
	assert_output 'balanced.yaml:77: allow github.com'
	assert_output 'user.yaml:1: deny github.com  <- decides'
	assert_output '--allow: allow **.com'
	assert_output 'to change it: bawn policy rm github.com'
	[ "$(grep -c '<- decides' <<<"$output")" = 1 ]
	# layers in order: the profile's policies, the user's, options
	[ "$(sed -n 's/^  [0-9]\. //p' <<<"$output" | sed 's/.*\///' | tr '\n' ' ')" = \
		'anthropic.yaml balanced.yaml user.yaml --allow ' ]
	run -1 "$BAWN" policy explain shell example.com:8443
	assert_output 'no rule allows it'
	assert_output 'to change it: bawn policy allow example.com:8443'
	run -0 "$BAWN" policy explain shell go.dev
	assert_output 'to change it: bawn policy deny go.dev'
	run -1 "$BAWN" policy explain --offline shell go.dev
	assert_output 'it is offline'
	run -1 "$BAWN" policy explain shell statsig.anthropic.com
	assert_output 'to change it: edit '
	run -1 "$BAWN" policy explain --policy open shell 10.0.0.1
	assert_output 'the address is special'
	run -2 "$BAWN" policy explain claude
	run -125 "$BAWN" policy explain claude 'a b'
	assert_output "bawn: 'a b': not a host name"
	run -125 "$BAWN" policy explain nosuch example.com
	assert_output 'there is no profile, sandbox or policy'
}

@test "policy explain and check never disagree" {
	local host a b
	for host in github.com github.com:22 x.github.com statsig.anthropic.com a.claude.ai a.b.claude.ai \
		x.debian.org:80 x.npmjs.org evilgithub.com 1.1.1.1 10.0.0.1 127.0.0.1:80 \
		169.254.169.254:80 '[::1]:80' printer.local; do
		for policy in balanced open locked github; do
			a=0 b=0
			"$BAWN" policy check --policy "$policy" claude "$host" >/dev/null || a=$?
			"$BAWN" policy explain --policy "$policy" claude "$host" >/dev/null || b=$?
			[ "$a" = "$b" ] || fail "$policy $host: check $a, explain $b" || return 1
		done
	done
}

@test "policy explain: a sandbox has its own rules, and says its own command" {
	"$BAWN" create --name box --allow own.example.com --deny go.dev shell . >/dev/null
	run -0 "$BAWN" policy explain box own.example.com
	assert_output '--allow: allow own.example.com  <- decides'
	run -1 "$BAWN" policy explain box go.dev
	assert_output 'to change it: bawn policy rm --sandbox box go.dev'
	"$BAWN" policy rm --sandbox box go.dev
	run -0 "$BAWN" policy explain sandbox:box go.dev
	run -1 "$BAWN" policy explain box other.example.com
	fix=$(sed -n 's/^to change it: bawn //p' <<<"$output")
	[ "$fix" = 'policy allow --sandbox box other.example.com' ]
	# shellcheck disable=SC2086  # words
	"$BAWN" $fix
	run -0 "$BAWN" policy explain box other.example.com
	"$BAWN" policy explain --json box own.example.com | python3 -c '
import json, sys
x = json.load(sys.stdin)
assert x["allowed"] and x["of"] == "sandbox box" and x["matches"][0]["decides"], x
assert x["layers"][-1] == "--allow", x'
}

@test "policy diff: what one lets through and the other doesn't, by rule and by meaning" {
	printf 'allow:\n  - a.example.com\n  - "**.b.example.com"\n' >a.yaml
	printf 'allow:\n  - a.example.com:443,8443\n  - x.b.example.com\ndeny:\n  - z.example.com\n' >b.yaml
	run -1 "$BAWN" policy diff ./a.yaml ./b.yaml
	assert_output '  a.example.com:8443  by '
	assert_output '  **.b.example.com:443  by '
	assert_output '- allow **.b.example.com'
	assert_output '+ deny z.example.com'
	refute_output '  x.b.example.com:443' # both let it through
	refute_output '  z.example.com'       # neither does
	run -0 "$BAWN" policy diff ./a.yaml ./a.yaml
	assert_output 'allow the same'
	run -1 "$BAWN" policy diff locked profile:shell
	assert_output 'allowed by profile shell alone:'
	run -125 "$BAWN" policy diff opencode locked
	assert_output 'write profile:opencode or policy:opencode'
	run -2 "$BAWN" policy diff locked
	"$BAWN" policy diff --json ./a.yaml ./b.yaml >out.json || true
	python3 -c '
import json
x = json.load(open("out.json"))
assert not x["same"]
assert [m["host"] for m in x["more"]] == ["a.example.com"] and x["more"][0]["ports"] == [8443], x
assert [m["host"] for m in x["less"]] == ["**.b.example.com"], x
assert len(x["rules_added"]) == 3 and len(x["rules_removed"]) == 2, x'
	"$BAWN" create --name box --allow own.example.com --offline shell . >/dev/null
	run -1 "$BAWN" policy diff box profile:shell
	assert_output 'allowed by profile shell alone:' # the sandbox is offline
	refute_output 'allowed by sandbox box alone:'
}

@test "policy export, import: the same verdicts on another machine, host by host" {
	conf policies/user.yaml <<-'EOT'
		allow:
		  - host: "git.corp.example:22,443"
		    private: true
		  - {host: "raw.example.com:443", raw: true}
		  - 10.1.2.0/24:80
		deny:
		  - x.claude.ai
		  - "**.github.com:443"
	EOT
	run -0 "$BAWN" policy export claude -o all.yaml
	run -125 "$BAWN" policy export claude -o all.yaml
	assert_output 'is there already'
	run -0 "$BAWN" policy export claude -o all.yaml --force
	run ! grep -qF "$HOME" all.yaml # nothing of this machine
	# the other machine: no configuration at all
	local there="$HOME/there" host a b n=0
	there() { XDG_CONFIG_HOME=$there "$BAWN" "$@"; }
	run -0 there policy import --as carried all.yaml
	assert_output 'policy carried: '
	[ "$(stat -c %a "$there/bawn/policies/carried.yaml")" = 600 ]
	run -0 there policy lint carried
	for host in api.anthropic.com claude.ai a.claude.ai x.claude.ai a.b.claude.ai statsig.anthropic.com \
		github.com api.github.com github.com:22 x.npmjs.org x.debian.org:80 \
		x.debian.org:443 x.debian.org:22 git.corp.example git.corp.example:22 \
		git.corp.example:80 raw.example.com 10.1.2.3:80 10.1.2.3 10.1.3.3:80 169.254.169.254:80 \
		1.1.1.1 example.com evil.tld printer.local; do
		a=0 b=0
		"$BAWN" policy check claude "$host" >/dev/null || a=$?
		there policy check --policy carried claude "$host" >/dev/null || b=$?
		[ "$a" = "$b" ] || fail "$host: here $a, there $b" || return 1
		n=$((n + 1 - a))
	done
	[ "$n" -gt 5 ] # some are allowed
	# and by meaning, private and raw with it
	run -0 "$BAWN" policy diff profile:claude ./all.yaml
	# a policy alone keeps that it takes in the profile's own
	"$BAWN" policy export locked >locked.yaml
	grep -q '^api: true' locked.yaml
	"$BAWN" create --name off --offline shell . >/dev/null
	run -0 "$BAWN" policy export off
	assert_output 'allow: []'
}

@test "policy import: bad input, and what is there, leave everything as it was" {
	echo 'allow: [mine.example.com]' | conf policies/mine.yaml
	printf 'allow:\n  - a.example.com\n' >new.yaml
	run -125 "$BAWN" policy import --as mine new.yaml
	assert_output 'there is a policy mine already'
	assert_output '--force'
	grep -q mine.example.com "$XDG_CONFIG_HOME/bawn/policies/mine.yaml"
	# a shipped name would change every profile that uses it
	run -125 "$BAWN" policy import --as balanced new.yaml
	assert_output 'there is a policy balanced already'
	run -125 "$BAWN" policy import --as user --force new.yaml
	assert_output 'user.yaml counts in every sandbox'
	run -0 "$BAWN" policy import --as mine --force new.yaml
	cmp new.yaml "$XDG_CONFIG_HOME/bawn/policies/mine.yaml"
	local bad before
	before=$(ls -A "$XDG_CONFIG_HOME/bawn/policies")
	printf 'allow: [1.2.3.4/33]\n' >bad1.yaml
	printf 'allow: &x [a.com]\ndeny: *x\n' >bad2.yaml
	printf 'include: /etc/passwd\n' >bad3.yaml
	head -c 2000000 /dev/zero | tr '\0' '#' >bad4.yaml
	ln -s /dev/zero bad5.yaml
	mkfifo bad6.yaml
	printf 'allow: !!python/object/apply:os.system ["touch ran"]\n' >bad7.yaml
	for bad in bad?.yaml missing.yaml '../../etc/passwd'; do
		run -125 timeout 10 "$BAWN" policy import "$bad"
		[[ $output == bawn:* ]] || fail "$bad" || return 1
	done
	run -125 "$BAWN" policy import --as '../x' new.yaml
	assert_output "can't be a policy's name"
	run -125 "$BAWN" policy import - <new.yaml
	assert_output '--as NAME'
	[ "$(ls -A "$XDG_CONFIG_HOME/bawn/policies")" = "$before" ]
	[ ! -e ran ] && [ ! -e "$XDG_CONFIG_HOME/bawn/x.yaml" ]
	run -0 "$BAWN" policy import --as stdin - <new.yaml
	"$BAWN" policy import --json --as json new.yaml | python3 -c '
import json, sys
x = json.load(sys.stdin)
assert x["name"] == "json" and x["rules"] == 1 and x["warnings"] == 0, x'
	# a directory that others can write is not written into
	chmod 0777 "$XDG_CONFIG_HOME/bawn/policies"
	run -125 "$BAWN" policy import --as other new.yaml
}

@test "policy lint: public suffixes, a deny that never denies, private names" {
	conf policies/odd.yaml <<-'EOT'
		allow:
		  - "*.s3.dualstack.eu-west-1.amazonaws.com"
		  - printer.local
		  - 172.0.0.0/8
		deny:
		  - 127.0.0.1
	EOT
	run -0 "$BAWN" policy lint odd
	assert_output 'odd.yaml:3:5: warning: printer.local is a name of private networks'
	assert_output 'odd.yaml:4:5: warning: a part of it is private'
	assert_output 'odd.yaml:6:5: warning: never denies anything'
	[ ! -e /usr/share/publicsuffix/public_suffix_list.dat ] ||
		assert_output 'odd.yaml:2:5: warning: anyone can have a name below s3.dualstack'
}
