#!/usr/bin/env bats
# harness.bats - the test helpers themselves: a canary is found where it is, servers count visits.
load ../lib.sh
setup() { bawn_setup; }
teardown() { bawn_teardown; }

@test "tests run as an ordinary user in a scratch home" {
	[ "$(id -u)" -ne 0 ]
	[ "$HOME" != "$REAL_HOME" ]
	[ -d "$WS" ]
}

@test "refute_canary fails when the canary is there" {
	plant "$HOME/.ssh/id_canary"
	run cat "$HOME/.ssh/id_canary"
	if refute_canary 2>/dev/null; then false; fi
	output=
	refute_canary "$WS"
	if refute_canary "$HOME/.ssh" 2>/dev/null; then false; fi
}

@test "a server on loopback answers and counts" {
	need command -v socat -- "socat is not installed"
	need command -v curl -- "curl is not installed"
	serve_http 'good day'
	[ "$(server_hits "$PORT")" -eq 0 ]
	run curl -s --max-time 5 "http://127.0.0.1:$PORT/"
	[ "$output" = 'good day' ]
	[ "$(server_hits "$PORT")" -eq 1 ]
}
