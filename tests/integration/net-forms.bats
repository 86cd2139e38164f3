#!/usr/bin/env bats
# net-forms.bats - attack corpus, classes NET, DNS, TLS and OWN: the same attacks in the other forms
# they come in.  Every spelling of an address, every shape of a ClientHello, every way to frame a
# request, and what hostile name servers and proxies answer.  See net.bats and dns.bats.
# shellcheck disable=SC2054  # commas belong to the rules
load ../lib.sh
load ../net/lib.sh

# ---- addresses ----------------------------------------------------------------------------------

@test "NET-07 NET-09 decimal, octal, hexadecimal and short spellings reach no more than dotted ones" {
	BAWN_OPTS+=(--allow 0.0.0.0/0:80,7001,7002 --allow '[::/0]:80,7003,7004')
	run net tcp=2130706433,7001 tcp=0x7f000001,7001 tcp=0177.0.0.1,7001 tcp=127.1,7001 tcp=0,7002 \
		tcp=0x7f.0.0x1,7001 tcp=017700000001,7001 tcp=::127.0.0.1,7003 tcp=::ffff:7f00:1,7001 \
		tcp=0:0:0:0:0:ffff:127.0.0.1,7001 tcp=64:ff9b::7f00:1,7003 tcp=2002:7f00:1::1,7003
	each ECONN
	nothing_came canary
	run net tcp=2852039166,80,x tcp=0xa9fea9fe,80,x tcp=0251.0376.0251.0376,80,x tcp=169.254.43518,80,x \
		tcp=::ffff:a9fe:a9fe,80,x tcp=64:ff9b::a9fe:a9fe,80,x tcp=64:ff9b:1::a9fe:a9fe,80,x \
		tcp=2002:a9fe:a9fe::1,80,x tcp=::169.254.169.254,80,x tcp=fe80::5efe:a9fe:a9fe%lo,80,x \
		tcp=2001:0:a9fe:a9fe::1,80,x tcp=2600:80::5efe:a9fe:a9fe,80,x
	each "open 'HTTP/1.1 403" ECONN EINVAL
	nothing_came packets '^6 '
}

@test "NET-08 NET-09 a rule for a network gives what is public in it, or what all of it is" {
	BAWN_OPTS+=(--allow 0.0.0.0/0:80,7002 --allow '[::/0]:80,7004')
	run net http=93.184.216.34 http=169.254.169.254 http=169.254.170.23 http=192.0.0.192 http=10.77.0.1 \
		http=192.168.1.1 http=100.64.0.1 tcp=45.0.0.2,7002 tcp=10.77.0.2,7002 tcp=2600:45::2,7004 \
		tcp=fd00:ec2::254,80,x tcp=fd00:ec2::23,80,x tcp=fd20:ce::254,80,x
	wants http=93.184.216.34 "200 OK"
	for a in 169.254.169.254 169.254.170.23 192.0.0.192 10.77.0.1 192.168.1.1 100.64.0.1; do
		wants "http=$a" "403 Forbidden: bawn: $a:80 is refused"
	done
	nothing_came canary
	[ "$(grep -vc '93.184.216.34' "$WORLD/packets.log")" = 0 ] || fail "$(cat "$WORLD/packets.log")"
	audit '"target":"169.254.169.254:80".*a rule for a network.*metadata'
	audit "\"target\":\"45.0.0.2:7002\".*this machine's own address"
	# private ranges given as such, but for the host's own address in it and for metadata
	BAWN_OPTS=(-q --allow 10.77.0.0/24:80,7002 --allow 169.254.0.0/16:80 --allow 10.77.0.2:81)
	run net http=10.77.0.1 http=10.77.0.2 tcp=10.77.0.2,7002 http=169.254.169.254 http=169.254.7.7
	wants http=10.77.0.1 "200 OK"
	wants http=10.77.0.2 "403 Forbidden: bawn: 10.77.0.2:80 is refused"
	wants tcp=10.77.0.2,7002 ECONNRESET
	wants http=169.254.169.254 403
	wants http=169.254.7.7 "200 OK"
	nothing_came canary
	# and `policy check` says the same
	printf 'allow: ["0.0.0.0/0:80", "10.77.0.0/24:81"]\n' >"$T/wide.yaml"
	run "$BAWN" policy check --policy "$T/wide.yaml" shell 169.254.169.254:80
	assert_status 1
	run "$BAWN" policy check --policy "$T/wide.yaml" shell 10.77.0.1:81
	assert_status 0
}

@test "NET-08 DNS-05 what is routed to the host itself is its own, though no interface has it" {
	BAWN_OPTS+=(--allow 0.0.0.0/0:80,7002 --allow '[::/0]:7004' --allow routed.example:7002 --allow routed6.example:7004)
	run net tcp=47.0.0.9,7002 tcp=routed.example,7002 tcp=2600:47::9,7004 tcp=routed6.example,7004 http=93.184.216.34
	wants tcp=47.0.0.9,7002 ECONNRESET
	wants tcp=2600:47::9,7004 ECONNRESET
	wants tcp=routed.example,7002 ECONNRESET
	wants tcp=routed6.example,7004 ECONNRESET
	wants http=93.184.216.34 "200 OK"
	nothing_came canary
	audit "\"target\":\"47.0.0.9:7002\".*this machine's own address"
	audit "\"target\":\"routed6.example:7004\".*2600:47::9 .this machine's own address"
}

@test "NET-08 DNS-05 the host's neighbours are not reached by their public addresses either" {
	# near.example is in the host's own network, 45.0.0.0/24 and 2600:45::/64
	BAWN_OPTS+=(--allow 0.0.0.0/0:80 --allow '[::/0]:7,80' --allow near.example:80 --allow near6.example:80
		--allow near-mixed.example:80)
	run net http=near.example http=near6.example http=45.0.0.1 tcp=2600:45::1,7,hi tcp=2600:45::abcd,7,hi
	for a in near.example near6.example 45.0.0.1; do
		wants "http=$a" "403 Forbidden: bawn: $a:80 is refused"
	done
	assert_output "its address is 2600:45::1 (this machine's own network)"
	nothing_came http
	[ "$(grep -c '^6 ' "$WORLD/packets.log")" = 0 ] || fail "$(cat "$WORLD/packets.log")"
	run net http=near-mixed.example http=93.184.216.34 tcp=2600:46::1,7,hi
	wants http=near-mixed.example "200 OK"
	wants http=93.184.216.34 "200 OK"
	wants tcp=2600:46::1,7,hi "open 'hi'"
	audit '"target":"45.0.0.1:80".*own network'
	# who says so means it
	BAWN_OPTS=(-q --allow-private near.example:80 --allow '[2600:45::1]:7')
	run net http=near.example tcp=2600:45::1,7,hi
	wants http=near.example "200 OK"
	wants tcp=2600:45::1,7,hi "open 'hi'"
}

@test "NET-09 --allow-private never means a metadata service, in any of its spellings" {
	local n q=()
	for n in meta eks oracle eks6 gcp6 meta64 meta6to4 alias-meta; do
		BAWN_OPTS+=(--allow-private "$n.example:80")
		q+=("http=$n.example")
	done
	run net "${q[@]}"
	each "403 Forbidden: bawn: "
	assert_output "(metadata service)"
	nothing_came packets '^6 '
}

@test "NET-10 source routes, data with the SYN, multicast and broadcast lead nowhere" {
	BAWN_OPTS+=(--allow ok.example:80)
	run net source_route=127.0.0.1,8.8.8.8,80 source_route=198.18.0.1,8.8.8.8,80 fastopen=8.8.8.8,80,x \
		tcp=224.0.0.1,80,x tcp=255.255.255.255,80,x tcp=ff02::1%lo,80,x tcp=240.0.0.1,80,x \
		tcp=0.0.0.1,80,x opt=6,30,1 opt=6,19,1 opt=0,4,1
	case $output in *' open'*) fail "got out" ;; esac
	nothing_came packets
	run net fastopen=198.18.0.9,80,x
	wants fastopen=198.18.0.9,80,x "open 'HTTP/1.1 403"
	run net 'fastopen=ok.example,80,GET / HTTP/1.1\r\nHost: ok.example\r\n\r\n' \
		'fastopen=ok.example,80,GET / HTTP/1.1\r\nHost: other.example\r\n\r\n'
	[ "$(grep -c "open 'HTTP/1.1 200" <<<"$output")" = 1 ] || fail "data with the SYN"
	nothing_came http other.example
}

@test "NET-04 udp:// rules are refused by name, not ignored" {
	run "$BAWN" run --rm --allow udp://8.8.8.8:53 shell "$WS" -- echo STARTED
	assert_status 125
	refute_output STARTED
	assert_output UDP
}

@test "NET-24 the relay can't be killed or starved of descriptors from inside" {
	BAWN_OPTS+=(--allow ok.example:80)
	run net kill_everybody http=ok.example half_open=ok.example,443,5000 http=ok.example \
		dns=ok.example
	wants http=ok.example "200 OK"
	[ "$(grep -c '^http=ok.example -> 200 OK' <<<"$output")" = 2 ]
	wants dns=ok.example "NOERROR 1 198.18"
}

@test "--connect-to, --allow-private and --host-port open what they name and nothing beside it" {
	BAWN_OPTS+=(--allow c.test:80,81 --connect-to c.test:80:127.0.0.1:7010 --host-port 7012 --allow '**.priv.example:80'
		--allow-private ten.example:80)
	run net tcp=127.0.0.1,7012,hi tcp=127.0.0.2,7012,hi tcp=0.0.0.0,7012,hi tcp=::1,7012,hi tcp=198.18.0.1,7012,hi \
		tcp=c.test,81 tcp=c.test,7010 http=c.test,ten.example tcp=127.0.0.1,7010 tcp=127.0.0.1,7001 http=ten.example,c.test \
		tcp=ten.example,443,x tcp=x.ten.example,80,x
	wants tcp=127.0.0.1,7012,hi "open 'hi'"
	for a in 127.0.0.2,7012,hi ::1,7012,hi 198.18.0.1,7012,hi c.test,81 c.test,7010 127.0.0.1,7010 127.0.0.1,7001; do
		wants "tcp=$a" ECONN || fail "$a"
	done
	wants http=c.test,ten.example 403
	wants http=ten.example,c.test 403
	nothing_came canary
	for o in "--connect-to a:80" "--connect-to a:80:b:0" "--connect-to a:x:b:1" "--host-port 0" "--host-port 65536" \
		"--host-port 1" "--allow-private 10.0.0.1/8" "--allow 127.0.0.1:80" "--allow localhost:80" \
		"--allow [::1]:80" "--allow 198.18.0.1:80" "--allow 0x7f000001:80" "--allow 127.1:80"; do
		# shellcheck disable=SC2086
		run "$BAWN" run --rm $o shell "$WS" -- echo STARTED
		[ "$status" = 125 ] || fail "$o: $status"
	done
}

# ---- names --------------------------------------------------------------------------------------

@test "DNS-08 an address written as a name is no name" {
	run net dns=2130706433 dns=0x7f000001 dns=127.0.0.1 dns=1.2.3.4 dns=0x7f.1 dns=017700000001 dns=a.b.127 dns=x.0x1f
	each "NXDOMAIN 0"
	run net dns=-a.example dns=a-.example dns=a.-b.example "dns_label=$(printf '61%.0s' {1..63}).$(printf '61%.0s' {1..63}).$(printf '61%.0s' {1..63}).$(printf '61%.0s' {1..62})" \
		dns_label=2a.6578616d706c65 dns_label=615c2e62.6578616d706c65 dns_label=61.ff.6578616d706c65 dns_label=61e28480.6578616d706c65
	each "NXDOMAIN 0" FORMERR
	nothing_came dns
}

@test "DNS-05 aliases are followed to the end, and the end is checked" {
	BAWN_OPTS+=(--allow '*.example:80')
	run net http=alias.example http=alias-meta.example http=alias-good.example http=alias-loop.example http=alias-open.example
	wants http=alias.example "403 Forbidden: bawn: alias.example:80 is refused: its address is 10.1.2.3 (private)"
	wants http=alias-meta.example "403 Forbidden"
	wants http=alias-good.example "200 OK"
	wants http=alias-loop.example "502 Bad Gateway"
	wants http=alias-open.example "502 Bad Gateway"
	nothing_came packets '^6 (10|169)\.'
}

@test "DNS-11 what a hostile name server answers is no crash and no address" {
	BAWN_OPTS+=(--allow '*.example:80')
	run net par http=wrong-id.example http=wrong-name.example http=pointer-loop.example http=cut.example \
		http=lying-length.example http=garbage.example
	for n in wrong-id wrong-name pointer-loop cut lying-length garbage; do
		wants "http=$n.example" "502 Bad Gateway"
	done
	nothing_came http
	run net http=many.example http=ok.example
	case $output in *"many.example -> 403"* | *"many.example -> 502"*) ;; *) fail "the loopback, 199 times" ;; esac
	wants http=ok.example "200 OK"
	nothing_came canary
}

@test "DNS-16 silent and deaf clients of the name server, over TCP, are let go" {
	BAWN_OPTS+=(--allow ok.example:80)
	run net dns_tcp_hold=ok.example,100 http=ok.example dns_tcp=ok.example,A,50
	wants dns_tcp_hold=ok.example,100 "100 held, NOERROR 1 198.18.0.1"
	wants http=ok.example "200 OK"
	[ "$(grep -o 'NOERROR 1 198.18.0.1' <<<"$output" | wc -l)" -ge 51 ]
}

@test "OWN-11 a flood below an allowed wildcard takes nothing from the names that rules give" {
	BAWN_OPTS+=(--allow '**.wild.example:80' --allow ok.example:80)
	run net flood=3000,wild.example dns=ok.example http=ok.example
	wants dns=ok.example "NOERROR 1 198.18."
	wants http=ok.example "200 OK"
}

# ---- TLS ----------------------------------------------------------------------------------------

@test "TLS-01 TLS-02 TLS-03 ClientHellos of every shape: the connection's name or nothing" {
	BAWN_OPTS+=(--allow ok.example --allow other.example)
	local f q=()
	for f in plain dot case header_cut; do q+=("odd_hello=ok.example,other.example,$f"); done
	run net "${q[@]}"
	each "server hello" "alert 40" "alert 70" "alert 71" "alert 80" "alert 109" # of the server
	[ "$(grep -c . "$WORLD/tcp.log")" = 4 ] || fail "$(cat "$WORLD/tcp.log")"
	: >"$WORLD/tcp.log"
	: >"$WORLD/packets.log"
	q=()
	for f in none no_sni sslv2 ssl3 twice twice_other two_names other_kind empty empty_list nul nul_end crlf dots sub address \
		utf8 long esni ech_alone short_vec trailing ccs_first alert_between data_between empty_record server_hello \
		hello_request other_first http proxy starttls; do
		q+=("odd_hello=ok.example,other.example,$f")
	done
	run net "${q[@]}"
	each "alert 49"
	[ "$(grep -c 'alert 49' <<<"$output")" = ${#q[@]} ]
	nothing_came tcp
	nothing_came packets '^6 '
}

# ---- HTTP ---------------------------------------------------------------------------------------

# What follows the first request must never be taken for a request that nobody checked.
@test "OWN-10 TLS-08 requests that two readers could frame in two ways are refused" {
	BAWN_OPTS+=(--allow ok.example:80 --allow other.example:80)
	local h='Host: ok.example\r\n' s='GET /stolen HTTP/1.1\r\nHost: other.example\r\n\r\n' r q=()
	local forms=(
		"POST / HTTP/1.1\r\n${h}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$s"
		"POST / HTTP/1.1\r\n${h}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n$s"
		"POST / HTTP/1.1\r\n${h}Content-Length: 0\r\nContent-Length: 44\r\n\r\n$s"
		"POST / HTTP/1.1\r\n${h}Content-Length: 0%2c 44\r\n\r\n$s"
		"POST / HTTP/1.1\r\n${h}Content-Length: +5\r\n\r\nabcde$s"
		"POST / HTTP/1.1\r\n${h}Content-Length: -1\r\n\r\n$s"
		"POST / HTTP/1.1\r\n${h}Content-Length: 0x5\r\n\r\nabcde$s"
		"POST / HTTP/1.1\r\n${h}Content-Length: 99999999999999999999\r\n\r\n$s"
		"POST / HTTP/1.1\r\n${h}Content-Length : 5\r\n\r\nabcde$s"
		"POST / HTTP/1.1\r\n${h}Content-Length:\r\n\r\n$s"
		"POST / HTTP/1.1\r\n${h}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n$s"
		"POST / HTTP/1.1\r\n${h}Transfer-Encoding: chunked%2c identity\r\n\r\n0\r\n\r\n$s"
		"POST / HTTP/1.1\r\n${h}Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$s"
		"POST / HTTP/1.1\r\n${h}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n$s"
		"POST / HTTP/1.1\r\n${h}Transfer-Encoding\r\n : chunked\r\n\r\n0\r\n\r\n$s"
		"POST / HTTP/1.0\r\n${h}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n$s"
		"GET / HTTP/1.1\r\n${h}X: y\n\n$s"
		"GET / HTTP/1.1\r\n${h}X: y\r\rGET /stolen HTTP/1.1\r\n\r\n"
		"GET / HTTP/1.1\n${h}\r\n"
		"GET / HTTP/1.1\r\n${h}X: a\r\n\tHost: other.example\r\n\r\n"
		" GET / HTTP/1.1\r\n${h}\r\n"
		"\r\nGET / HTTP/1.1\r\n${h}\r\n"
		"GET / HTTP/1.1\r\n Host: other.example\r\n${h}\r\n"
		"GET / HTTP/1.1\r\nHost: other.example\r\n${h}\r\n"
		"GET / HTTP/1.1\r\n${h}HOST: other.example\r\n\r\n"
		"GET / HTTP/1.1\r\nHost: ok.example%2c other.example\r\n\r\n"
		"GET / HTTP/1.1\r\nHost: ok.example other.example\r\n\r\n"
		"GET / HTTP/1.1\r\nHost: ok.example/other.example\r\n\r\n"
		"GET / HTTP/1.1\r\nHost: ok.example#@other.example\r\n\r\n"
		"GET / HTTP/1.1\r\nHost: ok.example:80@other.example\r\n\r\n"
		"GET / HTTP/1.1\r\nHost: ok.example:443\r\n\r\n"
		"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n"
		"GET / HTTP/1.1\r\nHost:\r\n\r\n"
		"GET / HTTP/1.1\r\n\xffHost: other.example\r\n${h}\r\n"
		"GET / HTTP/0.9\r\n${h}\r\n"
		"GET / HTTP/2.0\r\n${h}\r\n"
		"GET / HTTP/1.1 HTTP/1.1\r\nHost: other.example\r\n\r\n"
		"GET /\r\n"
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
		"CONNECT ok.example:80 HTTP/1.1\r\n${h}\r\n"
		"connect other.example:443 HTTP/1.1\r\n${h}\r\n"
		"GET http://other.example/ HTTP/1.1\r\n${h}\r\n"
		"GET HTTP://other.example:80/ HTTP/1.1\r\n${h}\r\n"
		"GET http://ok.example@other.example/ HTTP/1.1\r\n${h}\r\n"
		"GET http://ok.example:80:80/ HTTP/1.1\r\n${h}\r\n"
		"GET http:///stolen HTTP/1.1\r\n${h}\r\n"
		"GET https://ok.example/ HTTP/1.1\r\n${h}\r\n"
		"GET ftp://ok.example/ HTTP/1.1\r\n${h}\r\n"
		"GET other.example HTTP/1.1\r\n${h}\r\n"
		"GET ?x HTTP/1.1\r\n${h}\r\n"
		"GET * HTTP/1.1\r\n${h}\r\n"
		"GET / HTTP/1.1\r\n${h}Upgrade: h2c\r\nUpgrade: websocket\r\n\r\n$s"
	)
	for r in "${forms[@]}"; do q+=("http_raw=ok.example,$r"); done
	run net "${q[@]}"
	each "403 Forbidden" ECONN closed
	nothing_came http
	nothing_came packets '^6 '
}

@test "OWN-10 what comes after a good request on the connection is looked at as sharply" {
	BAWN_OPTS+=(--allow ok.example:80 --allow other.example:80)
	local h='Host: ok.example\r\n' s='GET /stolen HTTP/1.1\r\nHost: other.example\r\n\r\n' r q=()
	local chunked="POST /first HTTP/1.1\r\n${h}Transfer-Encoding: chunked\r\n\r\n"
	for r in \
		"GET /first HTTP/1.1\r\n${h}\r\n$s" \
		"POST /first HTTP/1.1\r\n${h}Content-Length: 5\r\n\r\nabcde$s" \
		"${chunked}5\r\nabcde\r\n0\r\n\r\n$s" \
		"${chunked}5;a=\"b\"\r\nabcde\r\n0\r\nX: y\r\n\r\n$s" \
		"${chunked}0\r\nHost: other.example\r\n\r\n$s" \
		"${chunked}0\r\nContent-Length: 99\r\n\r\n$s" \
		"${chunked}5\nabcde\r\n0\r\n\r\n$s" \
		"${chunked}5 \r\nabcde\r\n0\r\n\r\n$s" \
		"${chunked}0x5\r\nabcde\r\n0\r\n\r\n$s" \
		"${chunked}-1\r\nabcde\r\n0\r\n\r\n$s" \
		"${chunked}ffffffffffffffff5\r\nabcde\r\n0\r\n\r\n$s" \
		"${chunked}5\r\nabcdeXX0\r\n\r\n$s" \
		"${chunked}5;\n\r\nabcde\r\n0\r\n\r\n$s" \
		"GET /first HTTP/1.1\r\n${h}Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n$s" \
		"GET /first HTTP/1.1\r\n${h}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc$s" \
		"GET /first HTTP/1.1\r\n${h}\r\n\0\0\0"; do
		q+=("http_raw=ok.example,$r")
	done
	run net "${q[@]}" urgent=ok.example http=ok.example
	wants http=ok.example "200 OK"
	nothing_came http 'stolen|other'
	came http 'GET ok.example /first'
}

# ---- the host's proxy ---------------------------------------------------------------------------

@test "a hostile proxy's answers are failures, and cost the supervisor nothing" {
	BAWN_OPTS+=(--allow '**.odd.example:80')
	export http_proxy=http://127.0.0.1:3128
	bg out "$BAWN" run --rm "${BAWN_OPTS[@]}" shell "$WS" -- /usr/bin/python3 -c \
		"$(cat "$BAWN_SRCDIR/tests/net/inside.py")" par http=half.odd.example http=huge.odd.example http=text.odd.example \
		http=moved.odd.example http=gone.odd.example http=binary.odd.example
	local main=$! ticks before
	eventually grep -q 'binary.odd.example ->' "$T/out"
	before=$(awk '{ print $14 + $15 }' "/proc/$main/stat") # a busy machine's start took its time
	sleep 3
	ticks=$(awk '{ print $14 + $15 }' "/proc/$main/stat")
	[ $((ticks - before)) -lt 50 ] ||
		fail "$((ticks - before)) ticks of processor time while half an answer waits"
	output=$(cat "$T/out")
	for n in huge text moved gone binary; do
		wants "http=$n.odd.example" "502 Bad Gateway"
	done
	nothing_came canary
	refute_output $'\x1b'
}
