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
	[[ $output == *"allowed: api.anthropic.com:443"*"anthropic.yaml:"[0-9]*": allow api.anthropic.com"* ]]
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
assert x["rules"][1]["max_upload"] == 50000000 and x["rules"][0]["max_upload"] is None, x
assert x["credentials"] == [{"secret": "github", "header": "authorization", "always": False,
    "hosts": ["api.example.com", "*.git.example.com:8443"], "env": ["GH_TOKEN"],
    "placeholder": "ghp_{36}", "requests": ["GET,HEAD /**"], "line": 7}], x'
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
	for name in balanced anthropic openai google github; do
		"$BAWN" policy show --json "$name" >"$T/$name.json"
	done
	python3 - "$T" <<-'P'
		import json, sys
		load = lambda n: [{k: v for k, v in c.items() if k != "line"}
		                  for c in json.load(open(f"{sys.argv[1]}/{n}.json"))["credentials"]]
		want = [c for n in ("anthropic", "openai", "google", "github") for c in load(n)]
		assert len(want) == 8 and load("balanced") == want, want
	P
	goes() { # METHOD URL [OPTION...]: the secrets that go with it
		"$BAWN" policy check --json --method "$1" "${@:3}" claude "$2" |
			python3 -c 'import json, sys; print(*json.load(sys.stdin)["credentials"])'
	}
	local git=https://github.com/o/r.git api=https://api.github.com
	[ "$(goes POST https://api.anthropic.com/v1/messages)" = "anthropic claude" ]
	[ "$(goes GET $git/info/refs?service=git-upload-pack)" = github ]
	[ "$(goes POST $git/git-upload-pack)" = github ]
	[ "$(goes POST $git/git-receive-pack)" = "" ]
	[ "$(goes POST $git/git-upload-pack/../git-receive-pack)" = "" ]
	[ "$(goes GET $api/repos/o/r/pulls)" = github ]
	[ "$(goes POST $api/repos/o/r/pulls)" = "" ]
	[ "$(goes POST $api/graphql)" = "" ]
	[ "$(goes GET https://raw.githubusercontent.com/o/r/x)" = "" ]
	local write=(--policy balanced --policy github-write)
	[ "$(goes POST $git/git-receive-pack "${write[@]}")" = github ]
	[ "$(goes DELETE $api/repos/o/r "${write[@]}")" = github ]
	[ "$(goes POST https://api.anthropic.com/v1/messages "${write[@]}")" = "anthropic claude" ]
}

@test "every pair of shipped policies goes together" {
	local p q
	for p in anthropic openai google github github-write balanced locked open; do
		for q in anthropic openai google github github-write balanced locked open; do
			run "$BAWN" policy check --policy "$p" --policy "$q" claude api.anthropic.com
			[ "$status" -le 1 ] || fail "$p $q: $output"
		done
	done
}
