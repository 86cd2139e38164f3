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
		sed -n '/- secret:/!s/^  - //p' "$dir/$name.yaml"
	done | sort -u)
	[ -n "$want" ]
	[ "$want" = "$(sed -n '/- secret:/!s/^  - //p' "$dir/balanced.yaml" | sort -u)" ]
}

@test "policy check: 0 allowed, 1 denied, with rule, file and line; 2 usage, 125 failure" {
	run "$BAWN" policy check claude api.anthropic.com
	[ "$status" -eq 0 ]
	[[ $output == *"allowed: api.anthropic.com:443"*"anthropic.yaml:"[0-9]*": allow api.anthropic.com"* ]]
	run "$BAWN" policy check claude https://statsig.anthropic.com/v1
	[ "$status" -eq 1 ]
	[[ $output == *"denied"*"anthropic.yaml:"[0-9]*": deny statsig.anthropic.com" ]]
	run "$BAWN" policy check claude example.com:8443
	[ "$status" -eq 1 ]
	[[ $output == *"bawn run --allow example.com:8443 claude"* ]]
	run "$BAWN" policy check --allow example.com:8443 claude example.com:8443
	[ "$status" -eq 0 ]
	# OpenCode's model list, where it was until 1.18.11 and where it is since
	"$BAWN" policy check opencode models.dev
	"$BAWN" policy check --policy locked opencode models.opencode.ai
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

@test "a profile of the user's stands before the shipped one of that name" {
	conf profiles/codex.yaml <<<$'summary: mine\ncommand: [sh]\nyolo: [-e]\npolicies: [locked]'
	run "$BAWN" profile show codex
	assert_output "summary: mine"
	refute_output CODEX_API_KEY
	run "$BAWN" run --rm codex "$WS" -- -c 'echo "mine: $-"'
	assert_status 0
	assert_output "mine: "
	[[ $output == *"mine: "*e* ]]
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

@test "a profile or policy is the file of the current directory where its name ends as one's does" {
	cd "$WS"
	printf 'allow: [example.net]\n' >net.yaml
	printf 'comand: [sh]\n' >bad.yml
	printf 'command: [sh]\npolicies: []\n' >tool.yaml
	run -1 "$BAWN" profile lint bad.yml tool.yaml
	assert_output "$WS/bad.yml:1:1: unknown key \"comand\"" "$WS/tool.yaml:1:1: warning"
	run -0 "$BAWN" policy lint net.yaml
	run -0 "$BAWN" policy show net.yaml
	assert_output "# $WS/net.yaml" 'allow example.net'
	run -0 "$BAWN" policy check --policy net.yaml shell example.net
	assert_output "by $WS/net.yaml:1: allow example.net"
	run -1 "$BAWN" policy check tool.yaml example.net
	run -0 "$BAWN" run --rm --policy net.yaml tool.yaml -- -c 'echo ran'
	assert_output ran
	run -125 "$BAWN" run --rm other.yaml -- -c 'echo ran'
	assert_output "$WS/other.yaml does not exist"
	# a name stays one: nothing of the workspace stands for it
	printf 'command: [sh]\n' >mine
	run -125 "$BAWN" run --rm mine -- -c 'echo ran'
	refute_output ran
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
	for verb in 'ls mytool' 'shwo mytool' $'sh\x1bow'; do
		# shellcheck disable=SC2086  # two words
		run "$BAWN" profile $verb
		[ "$status" -eq 2 ] || fail "profile $verb: $status $output"
		printf '%s\n' "$output" >>"$T/said"
	done
	grep -q 'ls takes no name; show takes one' "$T/said"
	grep -q "unknown verb 'shwo'; did you mean show?" "$T/said"
	grep -qF "unknown verb 'sh\x1bow'" "$T/said"
}

requests_policy() {
	conf policies/w.yaml <<-'Y'
		allow:
		  - GET,HEAD api.example.com/repos/me/**
		  - {host: up.example.com, max-upload: 50MB}
		deny:
		  - api.example.com/repos/me/secret/**
		credentials:
		  - secret: github
		    hosts: [api.example.com, "*.git.example.com:8443"]
		    header: {Authorization: "Bearer {}"}
		    env: [GH_TOKEN]
		    placeholder: ghp_{36}
		    requests: ["GET,HEAD /**"]
	Y
}

@test "policy check knows method and path, and what a server may make of the path" {
	requests_policy
	check() { run "$BAWN" policy check --policy w "$@"; }
	check claude 'GET https://api.example.com/repos/me/x?page=2'
	[ "$status" -eq 0 ]
	[[ $output == "allowed: GET api.example.com:443, by "*"w.yaml:2: allow GET,HEAD api.example.com/repos/me/**"* ]]
	[[ $output == *"secret github goes there in authorization"* ]]
	check --method HEAD claude https://api.example.com/repos/me/x
	[ "$status" -eq 0 ]
	check --method POST claude https://api.example.com/repos/me/x
	[ "$status" -eq 1 ]
	[[ $output == *"no rule allows this method and path"*"--allow 'POST api.example.com/**'"* ]]
	local path
	for path in /repos/you /repos/me/../you /repos/me/..%2fyou /repos/me/%2e%2e/you '/repos/me/..;/you' \
		/repos/me/%252e%252e/you '/repos/me/..\you' //repos/me /repos/me/secret /repos/me/SECRET/x \
		/repos/me/%73ecret /repos/me/a/../secret /repos/me/%00 /repos/me/% '/repos/me/a b' ''; do
		check --method GET claude "https://api.example.com$path"
		[ "$status" -eq 1 ] || { echo "allowed: $path"; return 1; }
	done
	# of the connection alone
	check claude https://api.example.com/repos/you
	[ "$status" -eq 0 ]
	# what was named as the remedy is one
	check --allow 'POST api.example.com/**' --method POST claude https://api.example.com/repos/me/x
	[ "$status" -eq 0 ]
}

@test "policy check --json and show --json say what a policy says of requests and secrets" {
	requests_policy
	"$BAWN" policy check --json --policy w --method GET claude https://api.example.com/repos/me |
		python3 -c '
import json, sys
x = json.load(sys.stdin)
assert x["allowed"] and x["method"] == "GET" and x["credentials"] == ["github"] and x["line"] == 2, x'
	"$BAWN" policy show --json w | python3 -c '
import json, sys
x = json.load(sys.stdin)
assert not x["beside"] and x["rules"][1]["max_upload"] == 50000000 and x["rules"][0]["max_upload"] is None, x
assert x["credentials"] == [{"secret": "github", "header": "authorization", "always": False,
    "hosts": ["api.example.com", "*.git.example.com:8443"], "env": ["GH_TOKEN"], "files": [],
    "placeholder": "ghp_{36}", "requests": ["GET,HEAD /**"], "beyond": None, "line": 7}], x'
	run "$BAWN" policy show w
	[[ $output == *"allow up.example.com  (at most 50000000 bytes sent)"* ]]
	[[ $output == *"secret github goes to api.example.com, *.git.example.com:8443 in authorization, with GET,HEAD /**; the agent sees a placeholder in GH_TOKEN" ]]
}

@test "what is wrong with a rule on requests or a credential is said with its place" {
	local line want
	while IFS='|' read -r line want; do
		printf 'allow:\n  - a.example.com\n%b' "$line" | conf policies/bad.yaml
		run "$BAWN" policy show bad
		[ "$status" -eq 125 ]
		[[ $output == *"/bad.yaml:$want"* ]] || { echo "$line: $output, not $want"; return 1; }
	done <<-'T'
		  - get b.example.com\n|3:5: rule "get b.example.com": methods are in capital letters
		  - GET b.example.com/../x\n|3:5: rule "GET b.example.com/../x": the path has
		  - {host: b.example.com, max-upload: much}\n|3:39: "much" is not a size
		credentials:\n  - secret: a/b\n|4:13: "a/b" can't be a secret's name
		credentials:\n  - {secret: a, hosts: ["**"], header: x}\n|4:25: a credential for every host
		credentials:\n  - {secret: a, host: [b]}\n|4:17: unknown key "host" in a credential; did you mean "hosts"
	T
}

@test "policy allow, deny and rm take rules on requests, each for itself" {
	"$BAWN" policy allow 'GET,HEAD a.example.com/x/**'
	"$BAWN" policy allow a.example.com
	"$BAWN" policy deny 'DELETE a.example.com'
	run -1 "$BAWN" policy check --method DELETE shell https://a.example.com/
	[[ $output == *"user.yaml:"*": deny DELETE a.example.com" ]]
	run -0 "$BAWN" policy check --method PUT shell https://a.example.com/
	"$BAWN" policy rm 'DELETE a.example.com'
	run -0 "$BAWN" policy check --method DELETE shell https://a.example.com/
	run "$BAWN" policy rm 'POST a.example.com'
	[ "$status" -ne 0 ]
	"$BAWN" policy rm a.example.com
	run -1 "$BAWN" policy check --method PUT shell https://a.example.com/x/y
	run -0 "$BAWN" policy check --method HEAD shell https://a.example.com/x/y
	run "$BAWN" policy allow 'get a.example.com/x'
	[ "$status" -ne 0 ]
	[[ $output == *"methods are in capital letters"* ]]
}

@test "the secrets of balanced are those of the policies that it sums, and reading comes without writing" {
	local name
	for name in balanced anthropic openai google npm github; do
		"$BAWN" policy show --json "$name" >"$T/$name.json"
	done
	python3 - "$T" <<-'P'
		import json, sys
		load = lambda n: [{k: v for k, v in c.items() if k != "line"}
		                  for c in json.load(open(f"{sys.argv[1]}/{n}.json"))["credentials"]]
		want = [c for n in ("anthropic", "openai", "google", "npm", "github") for c in load(n)]
		assert len(want) == 12 and load("balanced") == want, want
	P
	goes() { # METHOD URL [OPTION...]: the secrets that go with it
		"$BAWN" policy check --json --method "$1" "${@:3}" claude "$2" |
			python3 -c 'import json, sys; print(*json.load(sys.stdin)["credentials"])'
	}
	local git=https://github.com/o/r.git api=https://api.github.com
	[ "$(goes POST https://api.anthropic.com/v1/messages)" = 'anthropic anthropic-token claude' ]
	[ "$(goes GET $git/info/refs?service=git-upload-pack)" = github ]
	[ "$(goes POST $git/git-upload-pack)" = github ]
	[ "$(goes POST $git/git-receive-pack)" = "" ]
	[ "$(goes POST $git/git-upload-pack/../git-receive-pack)" = "" ]
	[ "$(goes GET $api/repos/o/r/pulls)" = github ]
	[ "$(goes POST $api/repos/o/r/pulls)" = "" ]
	[ "$(goes POST $api/graphql)" = "" ]
	[ "$(goes GET https://raw.githubusercontent.com/o/r/x)" = "" ]
	local write=(--policy github-write)
	[ "$(goes POST $git/git-receive-pack "${write[@]}")" = github ]
	[ "$(goes DELETE $api/repos/o/r "${write[@]}")" = github ]
	# which comes beside the profile's own, unless one is named that takes their place
	[ "$(goes POST https://api.anthropic.com/v1/messages "${write[@]}")" = 'anthropic anthropic-token claude' ]
	run -0 "$BAWN" policy check "${write[@]}" claude https://pypi.org/
	run -1 "$BAWN" policy check "${write[@]}" --policy locked claude https://pypi.org/
	local npm=https://x.npmjs.org
	[ "$(goes GET $npm/some-package)" = npm ]
	[ "$(goes POST $npm/-/npm/v1/security/advisories/bulk)" = npm ]
	[ "$(goes POST $npm/-/npm/v1/tokens)" = "" ]
	[ "$(goes PUT $npm/some-package)" = "" ]
	[ "$(goes PUT $npm/some-package --policy npm-write)" = npm ]
	run -0 "$BAWN" policy check --method POST claude $git/git-receive-pack
	assert_output 'secret github does not go with this request; with --policy github-write it does'
}

@test "every pair of shipped policies goes together" {
	local p q
	for p in anthropic openai google github github-write npm npm-write opencode providers balanced locked open; do
		for q in anthropic openai google github github-write npm npm-write opencode providers balanced locked open; do
			run "$BAWN" policy check --policy "$p" --policy "$q" claude api.anthropic.com
			[ "$status" -le 1 ] || fail "$p $q: $output"
		done
	done
}
@test "policy explain: every rule that matches, which decides and why, and what changes it" {
	echo 'deny: [github.com]' | conf policies/user.yaml
	run -1 "$BAWN" policy explain --allow '**.com' claude https://github.com/x
	[[ ${lines[0]} == "denied: github.com:443, by profile claude: a deny wins"* ]] || fail verdict
	local line
	line=$(grep -n '^ *- github.com$' "$BAWN_SRCDIR/policies/egress/balanced.yaml")
	assert_output "balanced.yaml:${line%%:*}: allow github.com"
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

@test "policy check says what is wrong with a target" {
	run -1 "$BAWN" policy check shell https://bücher.example/
	assert_output 'xn-- form'
	run -1 "$BAWN" policy check shell github.com/foo/bar
	assert_output 'a path needs a scheme, as in https://github.com/foo/bar'
	run -1 "$BAWN" policy check shell github.com:443/foo
	assert_output 'a path needs a scheme, as in https://github.com:443/foo'
	run -1 "$BAWN" policy check shell https://github.com:no/
	assert_output 'the port is not between 1 and 65535'
	run -1 "$BAWN" policy check shell ''
	assert_output 'there is no host name in it'
	run -125 "$BAWN" policy check --method '' shell https://github.com/
	assert_output 'methods are in capital letters'
	run -125 "$BAWN" policy check --method get shell https://github.com/
	assert_output "'get': methods are in capital letters"
	run -125 "$BAWN" policy check '' github.com
	assert_output 'bawn profile ls lists the profiles'
	run -1 "$BAWN" policy check shell ''
	assert_output 'there is no host name in it'
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

@test "policy explain knows method and path, and what waits behind a path read in another way" {
	requests_policy
	run -0 "$BAWN" policy explain --policy w claude 'GET https://api.example.com/repos/me/x?page=2'
	[[ ${lines[0]} == "allowed: GET api.example.com:443/repos/me/x?page=2, by profile claude: "* ]] || fail verdict
	assert_output 'w.yaml:2: allow GET,HEAD api.example.com/repos/me/**  <- decides'
	assert_output 'secret github goes there in authorization, by '
	assert_output "to change it: bawn policy deny 'GET api.example.com/repos/me/x'"
	run -1 "$BAWN" policy explain --policy w --method POST claude https://api.example.com/repos/me/x
	assert_output 'no rule allows this method and path'
	refute_output 'decides'
	assert_output "to change it: bawn policy allow 'POST api.example.com/repos/me/x'"
	# what it names as the remedy is one
	fix=$(sed -n 's/^to change it: bawn //p' <<<"$output")
	eval "\"$BAWN\" $fix"
	run -0 "$BAWN" policy explain --policy w --method POST claude https://api.example.com/repos/me/x
	run -1 "$BAWN" policy explain --policy w --method GET claude https://api.example.com/repos/me/SECRET/x
	assert_output 'w.yaml:5: deny api.example.com/repos/me/secret/**  <- decides'
	run -1 "$BAWN" policy explain --policy w --method GET claude 'https://api.example.com/repos/me/..;/you'
	assert_output 'can be read in another way'
	refute_output 'to change it'
	# a connection alone: the rules on requests are named
	run -0 "$BAWN" policy explain --policy w claude api.example.com
	assert_output 'allow GET,HEAD api.example.com/repos/me/** (of requests)'
	assert_output '--method METHOD asks about one'
	"$BAWN" policy explain --json --policy w 'claude' 'HEAD https://api.example.com/repos/me' | python3 -c '
import json, sys
x = json.load(sys.stdin)
assert x["allowed"] and x["method"] == "HEAD" and x["path"] == "/repos/me", x
assert x["credentials"] == ["github"] and x["matches"][0]["requests"], x'
}

@test "policy diff: requests, uploads, and where secrets go" {
	requests_policy
	printf 'allow:\n  - api.example.com\n  - up.example.com\n' >plain.yaml
	run -1 "$BAWN" policy diff policy:w ./plain.yaml
	assert_output '  api.example.com:443 requests like POST /repos/me/any  by '
	assert_output '  up.example.com:443 may be sent more  by '
	assert_output '- allow GET,HEAD api.example.com/repos/me/**'
	assert_output '- secret github goes to api.example.com'
	refute_output 'allowed by policy w alone'
	run -0 "$BAWN" policy diff policy:w "$XDG_CONFIG_HOME/bawn/policies/w.yaml"
	assert_output 'allow the same'
	# where a secret goes is a difference by itself
	printf 'allow:\n  - api.example.com\n' >a.yaml
	printf 'allow:\n  - api.example.com\ncredentials:\n  - {secret: k, hosts: [api.example.com], header: x-key, always: true}\n' >b.yaml
	run -1 "$BAWN" policy diff ./a.yaml ./b.yaml
	assert_output '+ secret k goes to api.example.com in x-key (always)'
	"$BAWN" policy diff --json policy:w ./plain.yaml >out.json || true
	python3 -c '
import json
x = json.load(open("out.json"))
assert not x["same"] and not x["less"], x
assert ("requests", "POST /repos/me/any") in [(m["what"], m["request"]) for m in x["more"]], x
assert "upload" in [m["what"] for m in x["more"]], x
assert x["credentials_removed"][0]["secret"] == "github" and x["credentials_added"] == [], x'
}

@test "policy export, import: request rules, uploads and credentials come along, secrets never" {
	requests_policy
	printf 'a-secret-value' | "$BAWN" secret set --value-stdin github
	"$BAWN" policy export policy:w >all.yaml
	run ! grep -q a-secret-value all.yaml
	run -0 "$BAWN" policy diff policy:w ./all.yaml
	assert_output 'allow the same'
	local there="$HOME/there" url a b n=0
	there() { XDG_CONFIG_HOME=$there "$BAWN" "$@"; }
	run -0 there policy import --as carried all.yaml
	assert_output 'secret github goes to api.example.com'
	for url in GET,/repos/me/x POST,/repos/me/x GET,/repos/me/secret GET,/repos/you HEAD,/repos/me; do
		a=0 b=0
		"$BAWN" policy check --policy w --method "${url%,*}" claude "https://api.example.com${url#*,}" >a.txt || a=$?
		there policy check --policy carried --method "${url%,*}" claude \
			"https://api.example.com${url#*,}" >b.txt || b=$?
		[ "$a" = "$b" ] || fail "$url: here $a, there $b" || return 1
		[ "$(grep -c 'secret github goes' a.txt)" = "$(grep -c 'secret github goes' b.txt)" ] ||
			fail "$url: the secret" || return 1
		n=$((n + 1 - a))
	done
	[ "$n" = 2 ] || fail "$n"
	# everything that a credential can say
	cat >full.yaml <<-'Y'
		allow: [a.example.com, "GET b.example.com/a%20b/%2A*/c%2Fd"]
		credentials:
		  - secret: one
		    hosts: [a.example.com, "**.a.example.com:443,8443"]
		    header: {X-Key: "a \"{}\" \\ b"}
		    env: [ONE, TWO]
		    placeholder: "x-{20}"
		    requests: ["GET,HEAD /a%20b/**", "POST /x%2Fy", "/**/%C3%A9"]
		  - {secret: two, hosts: [b.example.com], basic: me, always: true}
		  - secret: three
		    hosts: [c.example.com]
		    header: X-Key
		    file: {~/.three: "first \"{}\"\n\tsecond\n", ~/.config/four: "k={}"}
		    requests: ["GET /**"]
		    beyond: full-write
		  - {secret: five, hosts: [d.example.com], header: X-Key, login: true}
		beside: true
	Y
	"$BAWN" policy export ./full.yaml >again.yaml
	run -0 "$BAWN" policy diff ./full.yaml ./again.yaml
	assert_output 'none differ'
	refute_output 'secret'
	grep -qx 'beside: true' again.yaml
	# the shipped ones, too
	for url in balanced github github-write npm npm-write anthropic openai google providers locked open; do
		"$BAWN" policy export "policy:$url" >x.yaml
		run -0 "$BAWN" policy diff "policy:$url" ./x.yaml
	done
	# imports that name a credential badly change nothing
	printf 'allow: [a.com]\ncredentials:\n  - {secret: k, hosts: ["**"], header: x, always: true}\n' >bad.yaml
	run -125 there policy import bad.yaml
	[ ! -e "$there/bawn/policies/bad.yaml" ]
}

@test "policy lint: rules on requests that others make void" {
	conf policies/odd.yaml <<-'EOT'
		allow:
		  - GET a.example.com/x/**
		  - HEAD,GET b.example.com/y/*
		  - GET b.example.com/**
		  - GET,HEAD b.example.com/**
		  - POST c.example.com/p
		deny:
		  - a.example.com
		  - c.example.com/P
		  - DELETE d.example.com
	EOT
	run -0 "$BAWN" policy lint odd
	assert_output 'odd.yaml:2:5: warning: never allows anything: line 8 denies "a.example.com"'
	assert_output 'odd.yaml:3:5: warning: line 5 ("GET,HEAD b.example.com/**") covers it already'
	assert_output 'odd.yaml:4:5: warning: line 5 ("GET,HEAD b.example.com/**") covers it already'
	assert_output 'odd.yaml:6:5: warning: never allows anything: line 9 denies'
	refute_output 'odd.yaml:5:'
	refute_output 'odd.yaml:10:'
}
