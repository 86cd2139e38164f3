#!/usr/bin/env bats
# net.bats - attack corpus, classes NET and TLS (what concerns SNI and Host), OWN-09 and OWN-10; the
# denial as a person sees it; proxies.  On a small internet of its own (net/world).
# shellcheck disable=SC2054  # commas belong to the rules
load ../lib.sh
load ../net/lib.sh

# ---- addresses ----------------------------------------------------------------------------------

@test "NET-01 TCP to an address that was never resolved is reset, and the log says where to" {
	run net tcp=8.8.8.8,443,x tcp=93.184.216.34,80 tcp=1.1.1.1,9999
	each ECONNREFUSED
	nothing_came packets
	audit '"event":"deny","target":"8.8.8.8:443".*"reason":"no rule allows it"'
	audit '"target":"1.1.1.1:9999"'
}

@test "NET-02 the address of an allowed name, obtained elsewhere, is refused" {
	BAWN_OPTS+=(--allow ok.example:80,443)
	run net http=ok.example tcp=93.184.216.34,80 tcp=93.184.216.34,443
	wants http=ok.example "200 OK: hello"
	wants tcp=93.184.216.34,80 ECONNREFUSED
	wants tcp=93.184.216.34,443 ECONNREFUSED
	[ "$(grep -c . "$WORLD/http.log")" = 1 ] || fail "$(cat "$WORLD/http.log")"
}

@test "NET-03 IPv6 literals, mapped, NAT64, 6to4 and Teredo addresses are refused" {
	run net tcp=2600:80::1,80 tcp=::ffff:8.8.8.8,80 tcp=64:ff9b::808:808,80 \
		tcp=2002:808:808::1,80 tcp=2001:0:808::1,80 tcp=fe80::1%lo,80 tcp=fd00::1,80
	each ECONNREFUSED
	nothing_came packets
	audit '"target":"\[2600:80::1\]:80"'
}

@test "NET-04 UDP is refused at once, by every way of sending it" {
	run net udp_to=8.8.8.8,53 udp_to=8.8.8.8,123 udp_to=1.1.1.1,443 udp_to=9.9.9.9,3478 \
		udp_to=2001:4860:4860::8888,443 udp_to=255.255.255.255,9 udp_to=224.0.0.251,5353
	each "EPERM at once" EACCES ENETUNREACH
	run net udp=8.8.8.8,53 udp=127.0.0.53,5353
	each EPERM ECONNREFUSED
	nothing_came packets
	audit '"target":"udp 1.1.1.1:443".*"reason":"only TCP leaves the sandbox"'
}

@test "NET-05 NET-11 ICMP and raw sockets are refused, and nobody fakes an answer" {
	run net sock=2,3,1 sock=2,2,1 sock=10,2,58 sock=10,3,58 sock=2,3,255 sock=17,3,768 sock=17,2,0 \
		sock=44,3,0
	each EPERM EAFNOSUPPORT EPROTONOSUPPORT
}

@test "NET-06 the relay's own port is refused, and said so" {
	BAWN_OPTS+=(--allow 0.0.0.0/0:1,80 --allow '[::/0]:1')
	run net tcp=127.0.0.1,1,GET tcp=::1,1,GET tcp=127.1.2.3,1,GET tcp=0.0.0.0,1,GET tcp=::ffff:127.0.0.1,1
	each ECONNREFUSED ECONNRESET
	audit "straight to bawn's own listener"
}

@test "NET-06 a server inside has the web's ports, and none of those that bawn listens on" {
	run "$BAWN" run --rm "${BAWN_OPTS[@]}" shell "$WS" -- python3 -c '
import socket
for port in (1, 53, 79, 80, 443, 631):
    for host in ("127.0.0.1", "0.0.0.0", "::1"):
        s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            s.bind((host, port))
            s.listen()
            c = socket.create_connection((host, port), 10)
            a, _ = s.accept()
            a.sendall(b"own")
            got = c.recv(9).decode()
        except OSError as e:
            got = e.strerror
        s.close()
        print(host, port, got)'
	local host port
	for host in 127.0.0.1 0.0.0.0 ::1; do
		for port in 80 443 631; do assert_output "$host $port own" || return 1; done
		for port in 1 53 79; do assert_output "$host $port Permission denied" || return 1; done
	done
}

@test "NET-06 NET-10 servers inside on a name's port and address get none of its connections" {
	BAWN_OPTS+=(--allow ok.example:80 --allow 9.9.9.9:80)
	run net own_listeners=ok.example own_ends=ok.example http=ok.example
	local ok="200 OK: hello from the internet, sni= got=0"
	wants own_listeners=ok.example "$ok, 0 came to us"
	wants own_ends=ok.example "EADDRNOTAVAIL | $ok | $ok | closed"
	wants http=ok.example "$ok"
}

@test "NET-07 the host's loopback is never reached" {
	BAWN_OPTS+=(--allow 0.0.0.0/0:80,7001,7002 --allow '[::/0]:80,7003,7004' --allow loop.example:80,7001)
	run net tcp=127.0.0.1,7001 tcp=127.0.0.1,7002 tcp=::1,7003 tcp=::1,7004 tcp=0.0.0.0,7002 \
		tcp=::,7004 tcp=localhost,7002 tcp=127.9.9.9,7002 tcp=::ffff:127.0.0.1,7001 \
		tcp=x.localhost,7002 tcp=loop.example,7001 tcp=127.0.0.1,80 tcp=::1,80
	each ECONNREFUSED ECONNRESET no-name
	nothing_came canary
}

@test "NET-08 the host's own addresses, its network and what a user-mode stack would offer are refused" {
	run net tcp=45.0.0.2,7002 tcp=10.77.0.2,7002 tcp=2600:45::2,7004 tcp=10.77.0.1,80 tcp=45.0.0.1,80 \
		tcp=10.0.2.2,80 tcp=10.0.2.3,53 tcp=172.17.0.1,80 tcp=192.168.1.1,80
	each ECONNREFUSED
	nothing_came canary
	nothing_came packets
}

@test "NET-09 metadata addresses are refused, also behind an allowed name and for --allow-private" {
	BAWN_OPTS+=(--allow metadata.google.internal:80 --allow meta.example:80
		--allow alibaba.example:80 --allow azure.example:80 --allow aws6.example:80
		--allow-private meta.example:80 --allow-private aws6.example:80)
	run net tcp=169.254.169.254,80 tcp=fd00:ec2::254,80 tcp=100.100.100.200,80 tcp=168.63.129.16,80
	each ECONNREFUSED
	run net http=metadata.google.internal http=meta.example http=alibaba.example \
		http=azure.example http=aws6.example
	each "403 Forbidden: bawn: "
	assert_output "metadata service"
	nothing_came packets '^6 '
	nothing_came http
}

@test "NET-09 a rule that gives the metadata address reaches it" {
	BAWN_OPTS+=(--allow 169.254.169.254:80)
	run net http=169.254.169.254
	wants http=169.254.169.254 "200 OK"
}

@test "NET-10 marks, devices, transparent and foreign source addresses lead nowhere" {
	# SO_MARK, SO_BINDTODEVICE, IP_TRANSPARENT, IP_FREEBIND
	run net opt=1,36,1 opt=1,36,4294967295 opt=1,25,lo opt=0,19,1 opt=0,15,1 source=127.0.0.1,8.8.8.8,53 \
		source=8.8.8.8,9.9.9.9,53 source=198.18.0.1,8.8.8.8,53
	case $output in *' open'*) fail "got out" ;; esac
	nothing_came packets
}

@test "NET-12 NET-13 only UNIX, INET, INET6 and route sockets can be opened" {
	run net sock=40,1,0 # vsock: not bound to any network namespace
	each EAFNOSUPPORT
	run net sock=31,3,0 sock=38,5,0 sock=30,1,0 sock=21,5,0 sock=43,1,0 sock=41,2,0 sock=29,3,1 sock=39,1,0 \
		sock=42,2,0 sock=9,5,0 sock=3,2,0 sock=4,2,0 sock=5,2,0 sock=24,1,0 sock=45,1,0 sock=15,3,2
	each EAFNOSUPPORT EPERM
	# what a kernel without them answers, and programs take for that
	run net sock=2,5,132 sock=2,1,132 sock=10,2,136 sock=2,6,33 sock=2,2,136 sock=2,1,262 sock=10,1,262
	each EPROTONOSUPPORT
	run net sock=1,1,0 sock=2,1,0 sock=10,1,0 sock=2,2,0 sock=16,3,0
	each open
}

@test "NET-16 an allowed host on another port is refused" {
	BAWN_OPTS+=(--allow ok.example)
	run net tcp=ok.example,22 tcp=ok.example,9999 tcp=ok.example,8443 http=ok.example tls=ok.example
	wants tcp=ok.example,22 ECONNRESET
	wants tcp=ok.example,9999 ECONNRESET
	wants http=ok.example "403 Forbidden: bawn: ok.example:80 is refused"
	wants tls=ok.example "200 OK"
	nothing_came packets '^6 .* (22|80|9999|8443)$'
	audit '"event":"deny","target":"ok.example:22"'
}

@test "NET-17 what isn't TLS is closed on 443, what isn't HTTP on 80, unless the rule says raw" {
	BAWN_OPTS+=(--allow ok.example:80,443)
	run net tcp=ok.example,443,SSH-2.0-x $'tcp=ok.example,443,\x05\x01\x00' $'tcp=ok.example,80,SSH-2.0-x\r\n\r\n' \
		tcp=ok.example,443,GET
	refute_output "SSH-2.0-test"
	refute_output hello
	nothing_came packets '^6 '
	audit "doesn't begin with a TLS handshake"
	cat >"$T/raw.yaml" <<-E
		allow:
		  - host: ok.example:80
		    raw: true
	E
	BAWN_OPTS=(-q --policy "$T/raw.yaml")
	run net http_raw=ok.example,'GET / HTTP/1.1\r\nHost: else.example\r\n\r\n'
	wants http_raw "200 OK" || case $output in *"200 OK"*) ;; *) fail "raw is not raw" ;; esac
}

@test "NET-18 only the route netlink family is open, and it changes nothing" {
	# XFRM, AUDIT, NETFILTER, KOBJECT_UEVENT, CONNECTOR, GENERIC, SOCK_DIAG
	run net netlink=6 netlink=9 netlink=12 netlink=15 netlink=11 netlink=16 netlink=4
	each EPERM EPROTONOSUPPORT EAFNOSUPPORT
	run net netlink=0 route_change
	wants netlink=0 open
	wants route_change EPERM
}

@test "NET-18 the ruleset in the namespace is the one that was sent, and lo has no way out" {
	bg one "$BAWN" run --rm -q --allow 9.9.9.9:853 shell "$WS" -- sh -c 'echo up; exec sleep 30'
	local init rules
	init=$(init_of "$!")
	eventually grep -q up "$T/one"
	inside() { PATH=$PATH:/usr/sbin:/sbin /usr/bin/python3 "$BAWN_SRCDIR/tests/net/enter.py" "$init" "$@"; }
	rules=$(inside nft list ruleset)
	echo "$rules"
	[[ $rules == *"table inet"* && $rules == *"policy drop"* && $rules == *"tproxy to :1"* ]]
	[[ $rules == *"9.9.9.9 . 853"* && $rules == *"reject with tcp reset"* ]]
	[[ $rules == *"admin-prohibited"* ]]
	[ "$(inside ip -o link | wc -l)" = 1 ]
	run bash -c "! /usr/bin/python3 '$BAWN_SRCDIR/tests/net/enter.py' $init ip route | grep -v '^local'"
	assert_status 0
	# nothing listens there but the relay's ports and the name server's
	run inside ss -Hlnt
	assert_output 127.0.0.1:1
	[ -z "$(awk '{print $4}' <<<"$output" | grep -vE '^(127\.0\.0\.1:1|\[::1\]:1|127\.0\.0\.53:53)$')" ]
}

@test "NET-19 sandboxes don't share listeners, names or addresses" {
	bg one "$BAWN" run --rm -q --allow one.example:80 shell "$WS" -- /usr/bin/python3 -c \
		"$(cat "$BAWN_SRCDIR/tests/net/inside.py")" http=one.example listen=0.0.0.0,5555,20
	eventually grep -q listening "$T/one"
	grep -q '200 OK' "$T/one"
	BAWN_OPTS+=(--allow two.example:80)
	run net tcp=127.0.0.1,5555 tcp=198.18.0.1,5555 resolve=two.example http=198.18.0.1,one.example \
		http=198.18.0.1,two.example
	wants tcp=127.0.0.1,5555 ECONNREFUSED
	wants resolve=two.example 198.18.0.1 # the same number, another name
	wants http=198.18.0.1,one.example "403"
	wants http=198.18.0.1,two.example "200 OK"
	grep -q 'somebody came' "$T/one" && fail "reached the other"
	nothing_came http 'one.example.*two|two.example /.*one'
}

@test "NET-20 what listens inside is on no address of the host" {
	bg one "$BAWN" run --rm -q shell "$WS" -- /usr/bin/python3 -c \
		"$(cat "$BAWN_SRCDIR/tests/net/inside.py")" listen=0.0.0.0,5556,20
	eventually grep -q listening "$T/one"
	for a in 127.0.0.1 45.0.0.2 ::1; do
		run in_world curl -sS -m 2 "http://$(case $a in *:*) echo "[$a]" ;; *) echo $a ;; esac):5556/"
		[ "$status" = 7 ] || fail "$a: status $status"
	done
	grep -q 'somebody came' "$T/one" && fail "reached"
	in_world ss -Hlnt | grep 5556 && fail "listens on the host"
	run "$BAWN" run --rm --publish 8080 shell
	assert_status 125
}

@test "NET-21 (R) a host port goes to the host's loopback alone, and only where asked" {
	run net tcp=127.0.0.1,7012,hello
	wants tcp=127.0.0.1,7012,hello ECONNREFUSED
	BAWN_OPTS+=(--host-port 7012)
	run net tcp=127.0.0.1,7012,hello tcp=127.0.0.1,7001
	wants tcp=127.0.0.1,7012,hello "open 'hello'"
	wants tcp=127.0.0.1,7001 ECONNREFUSED
	nothing_came canary
	grep -q 'NET-21' "$BAWN_SRCDIR/SECURITY.md"
}

@test "NET-23 one source port to two addresses: each connection is its own name's" {
	BAWN_OPTS+=(--allow a.example:80 --allow b.example:80)
	run net same_port=a.example,b.example,80
	wants same_port=a.example,b.example,80 "HTTP/1.1 200 OK | HTTP/1.1 200 OK"
	grep -q 'GET a.example' "$WORLD/http.log"
	grep -q 'GET b.example' "$WORLD/http.log"
}

@test "NET-24 thousands of silent connections (RES-06): capped, and the next one works" {
	BAWN_OPTS+=(--allow ok.example:80)
	bg out "$BAWN" run --rm "${BAWN_OPTS[@]}" shell "$WS" -- /usr/bin/python3 -c \
		"$(cat "$BAWN_SRCDIR/tests/net/inside.py")" half_open=ok.example,80,5000
	local main=$! p kb seen=0
	eventually grep -q holding "$T/out"
	for p in "$main" $(pgrep -P "$main" -x 'bawn-relay|bawn-resolve'); do
		kb=$(awk '/^VmRSS/ { print $2 }' "/proc/$p/status" || echo 0)
		[ "${kb:-0}" -lt 30000 ] || fail "$p holds $kb KiB"
		seen=$((seen + 1))
	done
	[ "$seen" -ge 2 ] || fail "where is the relay?"
	eventually grep -q -- '->' "$T/out"
	grep -q '200 OK' "$T/out" || fail "$(cat "$T/out")"
	nothing_came tcp '^80 ' || [ "$(grep -c '^80 ' "$WORLD/tcp.log")" = 1 ]
	audit '"target":"connections".*"reason":"too many at once"'
}

@test "NET-24 peers that never read: memory stays bounded, and the next one works" {
	BAWN_OPTS+=(--allow ok.example:80)
	run net never_reads=ok.example,60
	wants never_reads=ok.example,60 "200 OK"
}

@test "NET-24 TLS-03 a ClientHello that is never finished is closed after ten seconds" {
	BAWN_OPTS+=(--allow ok.example)
	run net par hello=ok.example,ok.example,cut hello=ok.example,ok.example,slow
	[[ $output =~ cut\ -\>\ [a-zA-Z]+\ after\ (9|10|11|12)\ s ]] || fail "cut"
	[[ $output =~ slow\ -\>\ [a-zA-Z]+\ after\ (9|10|11|12|13)\ s ]] || fail "slow"
	nothing_came packets '^6 '
}

@test "NET-25 half-close, late data, reset and nothing at all are passed on" {
	BAWN_OPTS+=(--allow ok.example:7,9,10,11)
	run net half_close=ok.example,7 nothing=ok.example,9 late=ok.example,10 tcp=ok.example,11,x
	wants half_close=ok.example,7 "'abc'"
	wants nothing=ok.example,9 "'got 0'"
	wants late=ok.example,10 "'first'"
	wants tcp=ok.example,11,x ECONNRESET
	came late 'sent afterwards'
}

@test "NET-25 urgent data between two requests keeps neither from its answer" {
	BAWN_OPTS+=(--allow ok.example:80)
	run net urgent_between=ok.example,60
	wants urgent_between=ok.example,60 "all answered"
}

@test "NET-27 offline: no names, no route" {
	BAWN_OPTS+=(--offline --allow ok.example:80 --allow 8.8.8.8:80)
	run net tcp=8.8.8.8,80 tcp=2600:80::1,80 udp_to=8.8.8.8,53
	each ENETUNREACH
	run net http=ok.example dns=ok.example
	wants http=ok.example no-name
	wants dns=ok.example "NXDOMAIN 0"
	nothing_came packets
}

@test "a client that knows IPv6 alone finds no address; a host that has IPv6 alone is reached" {
	BAWN_OPTS+=(--allow six.example:80 --allow both.example:80 --allow broken6.example:80)
	run net http=six.example http=both.example http=broken6.example dns=six.example,AAAA
	wants http=six.example "200 OK"
	wants http=both.example "200 OK"
	wants http=broken6.example "200 OK" # falls back to IPv4
	wants dns=six.example,AAAA "NOERROR 0"
	came tcp '80 2600:80::1'
}

@test "literals: an address and a network given by a rule are reached, their neighbours not" {
	BAWN_OPTS+=(--allow 9.9.9.9:853 --allow 203.0.112.0/24:7 --allow '[2600:80::/32]:7' --deny 203.0.112.9:7)
	run net tcp=9.9.9.9,853,hi tcp=203.0.112.7,7,hi tcp=2600:80::5,7,hi tcp=9.9.9.8,853 tcp=9.9.9.9,80 \
		tcp=203.0.113.1,7 tcp=203.0.112.9,7 tcp=2600:81::1,7
	wants tcp=9.9.9.9,853,hi "open 'hi'"
	wants tcp=203.0.112.7,7,hi "open 'hi'"
	wants tcp=2600:80::5,7,hi "open 'hi'"
	for a in 9.9.9.8,853 9.9.9.9,80 203.0.113.1,7 203.0.112.9,7 2600:81::1,7; do
		case $output in *"tcp=$a -> ECONN"*) ;; *) fail "$a" ;; esac
	done
	nothing_came packets '9\.9\.9\.8|203\.0\.113|203\.0\.112\.9|2600:81'
}

# ---- TLS and HTTP -------------------------------------------------------------------------------

@test "TLS-01 another name in the SNI than the connection's is closed with an alert" {
	BAWN_OPTS+=(--allow ok.example --allow other.example)
	run net tls=ok.example tls=ok.example,other.example tls=ok.example,OK.example tls=ok.example,ok.example.evil.test
	wants "tls=ok.example" "200 OK: hello from the internet, sni=ok.example"
	wants tls=ok.example,other.example tls:TLSV1_ALERT_ACCESS_DENIED
	wants tls=ok.example,OK.example "200 OK" # names have no case
	wants tls=ok.example,ok.example.evil.test tls:TLSV1_ALERT_ACCESS_DENIED
	nothing_came tls other
	audit '"target":"ok.example:443".*"reason":"its TLS handshake names other.example"'
}

@test "TLS-02 no SNI is closed; ECH keys can't be learnt" {
	BAWN_OPTS+=(--allow ok.example)
	run net tls=ok.example, dns=ok.example,HTTPS dns=ok.example,SVCB dns=_443._https.ok.example,SVCB
	wants tls=ok.example, tls:TLSV1_ALERT_ACCESS_DENIED
	wants dns=ok.example,HTTPS "NOERROR 0"
	wants dns=ok.example,SVCB "NOERROR 0"
	nothing_came tls
}

@test "TLS-03 a ClientHello in pieces is read, one past the limit is closed" {
	BAWN_OPTS+=(--allow ok.example)
	run net hello=ok.example,ok.example,whole hello=ok.example,ok.example,bytes \
		hello=ok.example,ok.example,records hello=ok.example,ok.example,big \
		hello=ok.example,other.example,bytes hello=ok.example,other.example,records
	wants hello=ok.example,ok.example,whole "server hello"
	wants hello=ok.example,ok.example,bytes "server hello"
	wants hello=ok.example,ok.example,records "server hello"
	wants hello=ok.example,ok.example,big "alert 49"
	wants hello=ok.example,other.example,bytes "alert 49"
	wants hello=ok.example,other.example,records "alert 49"
}

@test "TLS-05 TLS-07 (R) another Host inside an allowed TLS connection passes, as documented" {
	BAWN_OPTS+=(--allow ok.example)
	run net tls=ok.example,ok.example,443,fronted.example
	wants tls=ok.example,ok.example,443,fronted.example "200 OK"
	came http 'GET fronted.example'
	grep -qE 'TLS-05.*fronting' "$BAWN_SRCDIR/SECURITY.md"
	grep -qE 'TLS-07' "$BAWN_SRCDIR/SECURITY.md"
}

@test "TLS-08 the sandbox is offered no proxy, and the host's variables stay outside" {
	export https_proxy=http://user:$CANARY@127.0.0.1:3128 HTTP_PROXY=http://127.0.0.1:3128
	run in_sandbox_sh 'env | grep -i proxy; true'
	refute_canary
	refute_output 3128
	BAWN_OPTS+=(--allow ok.example:80)
	run net http_raw=ok.example,'CONNECT ok.example:443 HTTP/1.1\r\nHost: ok.example:443\r\n\r\n' \
		http_raw=ok.example,'GET http://other.example/ HTTP/1.1\r\nHost: ok.example\r\n\r\n' \
		http_raw=ok.example,'GET / HTTP/1.1\r\nHost: ok.example\r\nHost: other.example\r\n\r\n' \
		http_raw=ok.example,'GET / HTTP/1.1\r\nHost : other.example\r\n\r\n' \
		http_raw=ok.example,'GET / HTTP/1.1\r\nHost: ok.example\x00.evil\r\n\r\n' \
		http_raw=ok.example,'GET / HTTP/1.1\r\nHost: other.example@ok.example\r\n\r\n' \
		http_raw=ok.example,'GET / HTTP/1.1\r\nX: y\r\n Host: other.example\r\n\r\n' \
		http_raw=ok.example,'GET / HTTP/1.1\r\n\r\n'
	refute_output "200 OK"
	nothing_came http
}

@test "TLS-09 nothing is forwarded before the verdict" {
	BAWN_OPTS+=(--allow ok.example)
	run net early=ok.example,443,other.example tls=no.example
	each "alert 49" tls:TLSV1_ALERT_ACCESS_DENIED
	nothing_came packets '^6 '
	nothing_came dns no.example
}

@test "TLS-15 QUIC is refused at once, so that clients fall back" {
	BAWN_OPTS+=(--allow ok.example)
	run net resolve=ok.example udp=ok.example,443 udp=198.18.0.1,443 tls=ok.example
	wants udp=198.18.0.1,443 EPERM
	wants tls=ok.example "200 OK"
	nothing_came packets '^17 .* 443$'
}

@test "TLS-16 WebSocket, server-sent events and large uploads work" {
	BAWN_OPTS+=(--allow ok.example:80,9)
	run net websocket=ok.example upload=ok.example,64 upload=ok.example,64,9 sse=ok.example sse=ok.example
	wants websocket=ok.example "HTTP/1.1 101 Switching Protocols '\\x82\\x05GET /'"
	wants sse=ok.example "5 events in time"
	wants upload=ok.example,64 "200 OK: hello from the internet, sni= got=67108864"
	wants upload=ok.example,64,9 "got 67108864"
	audit '"event":"flow","target":"ok.example:9","up":67108864,"down":12'
}

@test "TLS-17 a session taken up again under another name is checked all the same" {
	BAWN_OPTS+=(--allow ok.example --allow other.example)
	run net tls_resume=ok.example,other.example
	wants tls_resume=ok.example,other.example "resumed tls:TLSV1_ALERT_ACCESS_DENIED"
}

@test "OWN-10 every request on a kept-alive connection must name its host" {
	BAWN_OPTS+=(--allow ok.example:80 --allow other.example:80)
	run net http_again=ok.example,ok.example,later http_again=ok.example,ok.example,pipelined
	case $output in *"later -> 200 OK"*" | 200 OK"*"pipelined -> 200 OK"*" | 200 OK"*) ;; *) fail control ;; esac
	: >"$WORLD/http.log"
	run net http_again=ok.example,other.example,later http_again=ok.example,other.example,pipelined \
		http=ok.example,other.example
	wants http_again=ok.example,other.example,later "200 OK"
	wants http=ok.example,other.example 403
	nothing_came http 'other.example|stolen'
	audit '"reason":"an HTTP request on it names other.example"'
}

@test "OWN-09 30,000 short connections to one name, closed by the client" {
	# to the loopback, where the host's own ports come back at once
	BAWN_OPTS+=(--allow ok.test:13 --connect-to ok.test:13:127.0.0.1:7013)
	run net short=ok.test,13,30000
	wants short=ok.test,13,30000 "30000 good, 0 bad"
}

# ---- the denial, as a person sees it ------------------------------------------------------------

@test "a denial names the rule, and its command, pasted, works" {
	printf 'allow:\n  - ok.example:80\ndeny:\n  - no.example:80\n' >"$T/p.yaml"
	run "$BAWN" run --rm --policy "$T/p.yaml" shell "$WS" -- curl -sS -m 5 http://no.example/
	assert_output "no.example:80 is refused: "
	assert_output "p.yaml:4: deny no.example:80"

	run "$BAWN" run --rm shell "$WS" -- curl -sS -m 5 http://new.example/
	assert_output "bawn: new.example:80 is refused: no rule allows it."
	local in_body on_stderr
	in_body=$(sed -n 's/^To allow it, on the host: //p' <<<"$output")
	on_stderr=$(sed -n 's/.*bawn: denied .*; to allow it: //p' <<<"$output")
	[ -n "$in_body" ] && [ "$in_body" = "$on_stderr" ] || fail "not one command: $in_body / $on_stderr"
	assert_output "denied during this run:"
	PATH=$T/bin:$PATH run bash -c "$in_body"
	assert_status 0
	assert_output "hello from the internet"
}

@test "the command works for a name on 443, an address, a private host and --connect-to" {
	local fix c
	for c in "tls=new.example" "tcp=9.9.9.9,7,hi" "http=lan.example"; do
		run net "$c"
		each tls: ECONN "403 Forbidden"
	done
	BAWN_OPTS=()
	paste_fix() {
		run "$@"
		fix=$(sed -n 's/.*bawn: denied .*; to allow it: //p' <<<"$output" | head -1)
		[ -n "$fix" ] || fail "no command"
		PATH=$T/bin:$PATH run bash -c "$fix"
		assert_status 0 || return 1
	}
	paste_fix "$BAWN" run --rm shell "$WS" -- curl -sSk -m 5 https://new.example/
	assert_output "sni=new.example"
	paste_fix "$BAWN" run --rm shell "$WS" -- curl -sS -m 5 http://9.9.9.9/
	assert_output "hello from"
	paste_fix "$BAWN" run --rm --allow lan.example:80 shell "$WS" -- curl -sSf -m 5 http://lan.example/
	assert_output "hello from"
	# a name of a private network is refused when it is asked for, so without a port
	paste_fix "$BAWN" run --rm shell "$WS" -- curl -sSf -m 5 http://printer.lan/
	assert_output "hello from"
	paste_fix "$BAWN" run --rm --allow-private printer.lan shell "$WS" -- curl -sSf -m 5 http://printer.lan/
	assert_output "hello from"
	paste_fix "$BAWN" run --rm --connect-to c.example:80:127.0.0.1:7010 shell "$WS" -- \
		curl -sSf -m 5 http://c.example/ "-HX: a'b \$c"
	assert_output "hello from"
}

@test "a command too long for the refusal is not cut in the middle" {
	run in_sandbox curl -sS -m 5 http://no.example/ "-HX: $(printf 'x%.0s' {1..3000})"
	assert_output "no.example:80 is refused"
	assert_output "--allow no.example:80"
	refute_output "on the host: bawn run"
}

@test "in a terminal the denial stands in the title, not in the agent's picture" {
	run /usr/bin/python3 - "$BAWN" run --rm shell "$WS" -- \
		sh -c 'curl -s -m 5 http://no.example/ >/dev/null; sleep 0.5; echo done' <<-'E'
		import os, pty, sys
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv(sys.argv[1], sys.argv[1:])
		data = b""
		try:
		    while True:
		        data += os.read(fd, 4096)
		except OSError:
		    pass
		os.waitpid(pid, 0)
		print(repr(data))
	E
	assert_output '\x1b]2;bawn denied no.example:80'
	local before=${output%%done*}
	case $before in *"to allow it"*) fail "written into the picture" ;; esac
	assert_output "denied during this run:" # afterwards
}

@test "bawn log -f shows a denial while the run goes on" {
	mkdir -p "${AUDIT%/*}"
	timeout 20 "$BAWN" log -f >"$T/followed" 2>&1 3>&- &
	SERVERS+=("$!")
	sleep 0.3
	bg one "$BAWN" run --rm -q shell "$WS" -- sh -c 'curl -s -m 5 http://no.example/ >/dev/null; sleep 20'
	eventually grep -q 'no.example:80' "$T/followed"
	kill -0 "${SERVERS[-1]}"
	run "$BAWN" log
	assert_output no.example:80
}

@test "a flood of denials is counted, not repeated" {
	run "$BAWN" run --rm shell "$WS" -- sh -c \
		'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do curl -s -m 5 http://no.example/ >/dev/null; done'
	[ "$(grep -c 'denied no.example:80' <<<"$output")" = 1 ] || fail "repeated"
	assert_output "no.example:80 (12 times)"
}

# ---- proxies, private hosts ---------------------------------------------------------------------

@test "the host's HTTPS_PROXY and http_proxy are used, its no_proxy honoured" {
	BAWN_OPTS+=(--allow ok.example:80,443 --allow direct.example:80)
	export HTTPS_PROXY=http://me:pass@127.0.0.1:3128 http_proxy=http://127.0.0.1:3128
	export no_proxy=direct.example
	run net http=ok.example tls=ok.example http=direct.example tls=no.example
	wants http=ok.example "200 OK"
	wants tls=ok.example "200 OK: hello from the internet, sni=ok.example"
	wants http=direct.example "200 OK"
	wants tls=no.example tls:TLSV1_ALERT_ACCESS_DENIED
	came proxy 'CONNECT ok.example:443 HTTP/1.1 auth=Basic bWU6cGFzcw=='
	HTTPS_PROXY=http://me@127.0.0.1:3128 run net tls=ok.example
	came proxy 'CONNECT ok.example:443 HTTP/1.1 auth=Basic bWU6$'
	nothing_came proxy 'no.example|direct.example'
	nothing_came dns ok.example # the proxy resolves
	refute_output pass
	refute_canary "$AUDIT"
}

@test "a proxy that refuses is named, its words escaped; one that is gone fails the connection" {
	BAWN_OPTS+=(--allow refused.example:80)
	export http_proxy=http://127.0.0.1:3128
	run net http=refused.example
	wants http=refused.example "502 Bad Gateway"
	assert_output "the proxy said: HTTP/1.1 407"
	refute_output $'\x1b'
	export http_proxy=http://127.0.0.1:9
	run net http=refused.example
	wants http=refused.example "502 Bad Gateway"
}

@test "HTTP_PROXY in capitals counts, but for a CGI program, where it is a client's (httpoxy)" {
	BAWN_OPTS+=(--allow ok.example:80)
	export HTTP_PROXY=http://127.0.0.1:3128
	REQUEST_METHOD=GET run net http=ok.example
	wants http=ok.example "200 OK"
	nothing_came proxy
	run net http=ok.example
	came proxy 'CONNECT ok.example:80'
	# and the small one before it
	http_proxy=http://127.0.0.1:9 run net http=ok.example
	wants http=ok.example "502 Bad Gateway"
}

@test "--allow-private reaches a private address, --connect-to the host's loopback, nothing else does" {
	BAWN_OPTS+=(--allow ten.example:80 --allow loop.example:80)
	run net http=ten.example http=loop.example
	each "403 Forbidden"
	nothing_came packets '^6 '
	nothing_came canary
	BAWN_OPTS+=(--allow-private ten.example:80)
	run net http=ten.example http=loop.example
	wants http=ten.example "200 OK"
	wants http=loop.example 403
	BAWN_OPTS=(-q --allow c.test:80 --connect-to c.test:80:127.0.0.1:7010)
	run net http=c.test http=c.test,x.test
	wants http=c.test "200 OK"
	wants http=c.test,x.test 403
}

@test "an allowed host that can't be reached says why" {
	BAWN_OPTS+=(--allow none.example:80 --allow nowhere.test:80 --allow ok.example:81)
	run net http=none.example http=nowhere.test tcp=ok.example,81
	wants http=none.example "502 Bad Gateway"
	wants http=nowhere.test "502 Bad Gateway"
	wants tcp=ok.example,81 ECONNRESET
	assert_output "no such name"
}

@test "an allowed host that can't be reached is named outside as well, at once, in the log and at the end" {
	run "$BAWN" run --rm --workspace none --allow a.example --connect-to a.example:443:127.0.0.1:1 shell -- sh -c \
		'for i in 1 2 3; do curl -sS https://a.example; done; exit 7'
	assert_status 7
	[ "$(grep -c "a.example:443 is allowed, but can't be reached: " <<<"$output")" = 1 ]
	grep -A 2 'allowed, but not reached during this run:' <<<"$output" | grep -q '^  a.example:443: .*[Rr]efused'
	run "$BAWN" log --event unreachable
	assert_output 'a.example:443'
}
