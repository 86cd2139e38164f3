#!/usr/bin/env bats
# vault.bats - bawn-front and bawn-vault, with the supervisor, the agent and the upstream played by
# tests/vault: keys that the agent never holds, one identity for each connection, HTTP that can be
# read in one way only, faults of every side.
load ../lib.sh

setup() {
	bawn_setup
	export T PYTHONDONTWRITEBYTECODE=1
}
teardown() { bawn_teardown; }

case_of() {
	run timeout 120 python3 "$BAWN_SRCDIR/tests/vault/${2:-cases}.py" "$1"
	echo "$output"
	[ "$status" = 0 ]
}

@test "CRED the header is ours whatever the agent sent; the placeholder elsewhere stays" { case_of inject; }
@test "CRED a bare header, basic authentication, and their scrubbing" { case_of forms; }
@test "CRED no key of the agent's own behind a body" { case_of behind; }
@test "TLS-12 no secret to another host, another port, or a name below" { case_of elsewhere; }
@test "TLS-12 of two secrets for one header that whose placeholder stands in it is sent" { case_of several; }
@test "TLS-12 a secret for some requests goes with those alone" { case_of limited; }
@test "TLS-12 a redirect carries no secret" { case_of redirect; }
@test "TLS-13 an echoed secret is scrubbed in head, body and trailers, however it is cut" { case_of scrub; }
@test "TLS-13 ... and one written down in another way; what is compressed does not pass" { case_of written_down; }
@test "TLS-16 server-sent events come at once" { case_of streaming; }
@test "HTTP smuggling forms are refused, and nothing behind them is seen upstream" { case_of smuggling; }
@test "TLS-01 TLS-02 TLS-10 SNI, ALPN, TLS version, leaf, and an authority of each start's own" { case_of identity; }
@test "TLS-11 an upstream's bad certificate gets nothing, and the agent is told" { case_of untrusted; }
@test "HTTP keep-alive, chunks both ways, trailers, requests at once, fields between hops" { case_of bodies; }
@test "HTTP responses without a body, and early ones" { case_of empties; }
@test "HTTP 100-continue" { case_of continues; }
@test "TLS-16 WebSocket passes, another upgrade does not" { case_of websocket; }
@test "TLS-13 a secret in a WebSocket's messages is scrubbed, in fragments and pings too" { case_of websocket hostile; }
@test "HTTP what is no WebSocket passes on an upgraded connection in neither direction" { case_of frames hostile; }
@test "TLS-13 no half of a secret by asking for a part" { case_of parts hostile; }
@test "TLS-13 a former token is scrubbed in every form" { case_of former hostile; }
@test "TLS-14 what stands behind a body counts, and says no other method or path" { case_of behind_bodies hostile; }
@test "HTTP rules hold against fields and queries that name another method or path" { case_of overrides hostile; }
@test "HTTP heads at their limits; lengths where there is no body; no answer in an answer" { case_of heads hostile; }
@test "TLS-16 half a GiB each way in constant memory" { case_of big; }
@test "3000 requests of all sizes, in records large and small and many at once: none is left lying" { case_of storm; }
@test "1000 idle connections at once, at most 64 KiB each" { case_of idle; }
@test "10000 connections one after the other: nothing stays of them" { case_of many; }
@test "TLS-16 an hour goes by: what waits is still there, what was never finished is not" { case_of hour; }
@test "NET-24 more connections than there are descriptors: those that are stay" { case_of crowd; }
@test "HTTP rules on method and path, in every way that a path can be read" { case_of rules; }
@test "HTTP max-upload holds over connections and a restart" { case_of budget; }
@test "a killed vault fails the request; the front lives and the next vault goes on" { case_of killed; }
@test "upstreams that reset, drip, break off or speak something else" { case_of faults; }
@test "an upstream that hangs is given up, and the agent is told" { case_of hangs; }
@test "TLS-03 everything in pieces of one byte; junk instead of a ClientHello" { case_of pieces; }
@test "TLS-03 a handshake that is never finished ends" { case_of never; }
@test "CRED front and vault are confined, and nobody can read their memory" { case_of confined; }
@test "CRED no byte of a secret or of the authority's key in the front's memory" { case_of search; }
