#!/usr/bin/env bats
# why.bats - bawn-why: the agent asks why a host is denied; it learns the rule and the command for
# its person, changes nothing, and nothing leaves.
bats_require_minimum_version 1.5.0
load ../lib.sh
setup() { bawn_setup; }
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

why() { # what follows is asked inside
	run timeout 30 "$BAWN" run --rm "${BAWN_OPTS[@]}" shell "$WS" -- sh -c 'exec bawn-why "$@"' sh "$@"
}

# where the shipped policy says it
line_of() { grep -nE "^ +- $1( |$)" "$BAWN_SRCDIR/policies/egress/balanced.yaml" | cut -d: -f1; }

@test "bawn-why: denied, allowed, by which rule, and the exact command" {
	why example.com
	assert_status 1
	[ "${lines[0]}" = 'denied: example.com:443' ]
	assert_output 'because: no rule allows it'
	assert_output 'to allow it, on the host: bawn run --allow example.com (and'
	run -1 timeout 30 "$BAWN" run --rm shell "$WS" -- bawn-why example.com
	assert_output 'denied: example.com:443'
	why http://example.com/path
	assert_output 'denied: example.com:80'
	assert_output 'bawn run --allow example.com:80 (and'
	why github.com
	assert_status 0
	[ "${lines[0]}" = 'allowed: github.com:443' ]
	assert_output "by: policy balanced, line $(line_of github.com): allow github.com"
	why statsig.anthropic.com
	assert_status 1
	assert_output 'because: a rule denies it'
	assert_output "by: policy balanced, line $(line_of statsig.anthropic.com): deny statsig.anthropic.com"
	refute_output 'to allow it'
	why printer.local:631
	assert_output 'bawn run --allow-private printer.local:631 (and'
	why 1.2.3.4
	assert_output 'denied: 1.2.3.4:443'
	assert_output 'bawn run --allow 1.2.3.4 (and'
	why '[2606:4700::1]:8443'
	assert_output 'denied: [2606:4700::1]:8443'
	assert_output 'bawn run --allow [2606:4700::1]:8443 (and'
	why 127.0.0.1:3000
	assert_output 'bawn run --host-port 3000 (and'
	why 169.254.169.254:80
	assert_output 'because: a cloud metadata service hands out credentials, and no rule allows it'
	refute_output 'to allow it'
	BAWN_OPTS=(--policy open)
	why 169.254.169.254:80
	assert_status 1
	refute_output 'to allow it'
	why example.com
	assert_status 0
	assert_output 'by: policy open, line 5: allow **:22,80,443,8080,8443'
	BAWN_OPTS=(--deny example.com)
	why example.com
	assert_output 'by: --deny example.com'
}

@test "bawn-why: --json, wrong words, and outside of a sandbox" {
	why --json example.com
	assert_status 1
	python3 -c '
import json, sys
x = json.loads(sys.argv[1])
assert x["target"] == "example.com:443" and x["allowed"] is False and x["rule"] is None, x
assert x["reason"] == "no rule allows it" and x["fix"].startswith("bawn run --allow example.com"), x' "$output"
	local bad
	for bad in '' 'a b' 'A B C' 'get x' 'x:99999' 'ftp2://x' '--no-such'; do
		# shellcheck disable=SC2086  # words
		why $bad
		assert_status 2 || return 1
		[[ $output == *'bawn-why: '* ]]
	done
	why "$(printf 'a%.0s' {1..60}).$(printf 'b%.0s' {1..60}).$(printf 'c%.0s' {1..60}).$(printf 'd%.0s' {1..60})"
	assert_status 125
	assert_output 'too long'
	run -125 timeout 30 "$BAWN_BUILDDIR/bawn-why" example.com
	assert_output 'bawn policy explain'
	run -0 "$BAWN_BUILDDIR/bawn-why" --help
	assert_output 'Usage: bawn-why'
}

@test "bawn-why: an offline sandbox" {
	BAWN_OPTS=(--offline)
	why github.com
	assert_status 1
	assert_output 'denied: github.com'
	assert_output 'this sandbox is offline'
	why --json github.com
	python3 -c 'import json, sys; assert json.loads(sys.argv[1])["allowed"] is False' "$output"
}

@test "bawn-why: a lasting sandbox answers by the rules as they are now, and its command works as it is" {
	"$BAWN" run -d --name box shell "$WS" -- sleep 300
	run -1 timeout 20 "$BAWN" exec box bawn-why example.org:8443
	local fix
	fix=$(sed -n 's/^to allow it, on the host: //p' <<<"$output")
	[ "$fix" = 'bawn policy allow example.org:8443 --sandbox box' ]
	# shellcheck disable=SC2086  # words
	"$BAWN" ${fix#bawn }
	run -0 timeout 20 "$BAWN" exec box bawn-why example.org:8443
	assert_output 'by: --allow example.org:8443'
	"$BAWN" policy deny --sandbox box example.org:8443
	run -1 timeout 20 "$BAWN" exec box bawn-why example.org:8443
	assert_output 'because: a rule denies it'
}

@test "bawn-why reveals no path of the host; nor does a denial" {
	mkdir -p "$XDG_CONFIG_HOME/bawn/policies" "$T/secret-place"
	printf 'deny: ["**.evil.example"]\n' >"$XDG_CONFIG_HOME/bawn/policies/user.yaml"
	printf 'deny: [x.example]\n' >"$T/secret-place/mine.yaml"
	BAWN_OPTS=(--policy "$T/secret-place/mine.yaml" --audit "$T/secret-place/log")
	why a.evil.example
	assert_output 'by: policy user, line 1: deny **.evil.example'
	refute_output .config
	why x.example
	assert_output 'by: policy mine, line 1: deny x.example'
	refute_output secret-place
	why other.example # the command line that started it is not shown, either
	assert_output 'bawn run --allow other.example (and'
	refute_output secret-place
	run --separate-stderr timeout 20 "$BAWN" run --rm "${BAWN_OPTS[@]}" shell "$WS" -- curl -sS http://a.evil.example/
	assert_output 'is refused: a rule denies it (policy user, line 1: deny **.evil.example)'
	refute_output .config
}

@test "bawn-why: nothing is looked up, connected to or allowed by it, whatever a policy says" {
	serve_http hello
	# all names lead there; a question must not
	BAWN_OPTS=(--allow '**:80' --connect-to "::127.0.0.1:$PORT" --audit "$T/log")
	run timeout 30 "$BAWN" run --rm "${BAWN_OPTS[@]}" shell "$WS" -- sh -c '
		bawn-why example.com
		curl -sS http://443.example.com.why.bawn.invalid/
		curl -sS http://nonsense.why.bawn.invalid/
		curl -sS http://0.x.why.bawn.invalid/
		curl -sS http://443.-x.why.bawn.invalid/ || true
		curl -sS -m 5 http://why.bawn.invalid/ || true
		curl -sS -m 5 -H "Host: example.com" http://80.example.com.why.bawn.invalid/ || true
		curl -sS -m 5 http://443.example.com.why.bawn.invalid:8080/ || true
		curl -sS -m 5 https://443.example.com.why.bawn.invalid/ || true'
	[ "$(grep -c '^denied: example.com:443' <<<"$output")" = 2 ]
	[ "$(grep -c '^bawn-why: not a question' <<<"$output")" = 3 ]
	refute_output hello
	refute_output 'allow":'
	# a question is no event: neither allowed nor denied
	run ! grep -q '"event":"allow"' "$T/log"
}

@test "bawn-why: questions are capped, and the cap holds nothing else up" {
	run timeout 60 "$BAWN" run --rm shell "$WS" -- sh -c '
		i=0
		while [ $i -lt 400 ]; do bawn-why "h$i.example.com"; i=$((i + 1)); done 2>&1 |
			sed "s/h[0-9]*/h/" | sort | uniq -c
		curl -sS http://denied.example.com/'
	assert_output 'denied: h.example.com:443'
	assert_output 'too many questions'
	assert_output 'denied.example.com:80 is refused'
}

@test "bawn-why METHOD URL: whether a request may be made, by which rule, and what would allow it" {
	mkdir -p "$XDG_CONFIG_HOME/bawn/policies"
	cat >"$XDG_CONFIG_HOME/bawn/policies/w.yaml" <<-'Y'
		allow:
		  - GET,HEAD api.example.com/repos/me/**
		  - plain.example.com
		deny:
		  - api.example.com/repos/me/secret/**
	Y
	BAWN_OPTS=(--policy w)
	why GET 'https://api.example.com/repos/me/x?token=1#y'
	assert_status 0
	[ "${lines[0]}" = 'allowed: GET api.example.com:443/repos/me/x' ]
	assert_output 'because: a rule allows this request'
	assert_output 'by: policy w, line 2: allow GET,HEAD api.example.com/repos/me/**'
	why POST https://api.example.com/repos/me/x
	assert_status 1
	[ "${lines[0]}" = 'denied: POST api.example.com:443/repos/me/x' ]
	assert_output 'because: no rule allows this method and path'
	assert_output "to allow it, on the host: bawn run --allow 'POST api.example.com/repos/me/x' (and"
	why GET https://api.example.com/repos/me/secret/x
	assert_status 1
	assert_output 'by: policy w, line 5: deny api.example.com/repos/me/secret/**'
	refute_output 'to allow it'
	# a path that a server may read otherwise
	why GET 'https://api.example.com/repos/me/..%2fyou'
	assert_status 1
	assert_output 'can be read in another way'
	refute_output 'to allow it'
	# where nobody looks at requests, and where no connection is made
	why DELETE https://plain.example.com/x
	assert_status 0
	assert_output 'allowed: DELETE plain.example.com:443/x'
	why GET https://other.example.com/x
	assert_status 1
	assert_output 'because: no rule allows it'
	assert_output 'bawn run --allow other.example.com (and'
	why GET http://api.example.com:80/repos/me/x
	assert_status 1
	why --json PUT https://api.example.com/repos/me/x
	assert_status 1
	python3 -c '
import json, sys
x = json.loads(sys.argv[1])
assert x["target"] == "PUT api.example.com:443/repos/me/x" and not x["allowed"], x
assert x["fix"].startswith("bawn run --allow ") and x["rule"] is None, x' "$output"
	why GET "https://api.example.com/$(printf 'a%.0s' {1..300})"
	assert_status 125
	assert_output 'too long'
	# control bytes in the question are shown as what they are
	why GET $'https://api.example.com/a\033[31m'
	assert_status 1
	[[ $output != *$'\033'* ]] || fail escape
}

@test "bawn-why METHOD URL: a lasting sandbox answers by its rules of now, and its command works as it is" {
	"$BAWN" run -d --name box --allow 'GET api.example.org/x/**' shell "$WS" -- sleep 300
	run -0 timeout 20 "$BAWN" exec box bawn-why GET https://api.example.org/x/y
	run -1 timeout 20 "$BAWN" exec box bawn-why POST https://api.example.org/x/y
	local fix
	fix=$(sed -n 's/^to allow it, on the host: //p' <<<"$output")
	[ "$fix" = "bawn policy allow 'POST api.example.org/x/y' --sandbox box" ] || fail "$fix"
	eval "\"$BAWN\" ${fix#bawn }"
	run -0 timeout 20 "$BAWN" exec box bawn-why POST https://api.example.org/x/y
	assert_output "by: --allow POST api.example.org/x/y"
}

@test "bawn-why: a question is answered before --ask holds anything, and is nothing to ask a person" {
	"$BAWN" run -d --name box --ask=20 shell "$WS" -- sleep 300
	SECONDS=0
	run -1 timeout 15 "$BAWN" exec box bawn-why new.example.org
	run -1 timeout 15 "$BAWN" exec box bawn-why GET https://new.example.org/x
	[ "$SECONDS" -lt 10 ]
	run -0 "$BAWN" policy pending box
	refute_output bawn.invalid
}
