#!/usr/bin/env bats
# dns.bats - attack corpus, class DNS, and OWN-11.  The name server of the small internet (net/world)
# writes every question down: what no rule allows must never be in its log.
# shellcheck disable=SC2054  # commas belong to the rules
load ../lib.sh
load ../net/lib.sh

@test "DNS-01 no question leaves the host, whatever is asked inside" {
	local name=$CANARY.attacker.tld
	run net "dns=$name" "dns=$name,TXT" "dns=$name,AAAA" \
		"dns_tcp=$name" "resolve=$name" "http=$name" \
		"tls=$name"
	wants "dns=$name" "NOERROR 1 198.19."
	wants "http=$name" "403 Forbidden"
	wants "tls=$name" tls:TLSV1_ALERT_ACCESS_DENIED
	nothing_came dns
	nothing_came packets
	audit "\"event\":\"deny\",\"target\":\"$name:80\""
}

@test "DNS-01 asking about an allowed name alone sends nothing; connecting does" {
	BAWN_OPTS+=(--allow ok.example:80)
	run net dns=ok.example resolve=ok.example getaddrinfo=ok.example,0
	wants dns=ok.example "NOERROR 1 198.18.0.1"
	wants getaddrinfo=ok.example,0 198.18.0.1
	nothing_came dns
	run net http=ok.example
	wants http=ok.example "200 OK"
	came dns '^ok.example 1$'
	nothing_came dns '^([^o]|o[^k])'
}

@test "DNS-02 (R) names below an allowed wildcard: asked about only when connected to, and documented" {
	BAWN_OPTS+=(--allow '**.wild.example:80')
	run net dns=secret1.wild.example http=secret2.wild.example
	wants dns=secret1.wild.example "NOERROR 1 198.18."
	wants http=secret2.wild.example "200 OK"
	nothing_came dns secret1
	came dns secret2
	grep -q 'DNS-02' "$BAWN_SRCDIR/SECURITY.md"
	printf 'allow: ["*.github.io"]\n' >"$T/wide.yaml"
	run "$BAWN" policy lint "$T/wide.yaml"
	assert_output github.io
}

@test "DNS-02 new names below a wildcard are rate-capped" {
	BAWN_OPTS+=(--allow '**.wild.example:80')
	run net flood=3000,wild.example dns=one.more.wild.example
	[[ $output =~ wild.example\ -\>\ ([0-9]+)\ addresses ]]
	[ "${BASH_REMATCH[1]}" -lt 2500 ] || fail "not capped"
	[ "${BASH_REMATCH[1]}" -ge 900 ] || fail "too little for honest work"
	audit 'too many different names'
}

@test "DNS-03 types other than A have no data, for allowed and denied names" {
	BAWN_OPTS+=(--allow ok.example:80)
	local t q=()
	for t in TXT NULL MX SRV ANY AXFR PTR HTTPS SVCB NS SOA CAA NAPTR AAAA; do
		q+=("dns=ok.example,$t" "dns=no.example,$t" "dns_tcp=ok.example,$t")
	done
	run net "${q[@]}" dns=34.216.184.93.in-addr.arpa,PTR
	each "NOERROR 0" "NXDOMAIN 0"
	nothing_came dns
}

@test "DNS-04 other name servers, by UDP, TCP, TLS, QUIC and HTTPS, are refused" {
	BAWN_OPTS+=(--allow ok.example)
	run net dns=ok.example,A,8.8.8.8 dns=ok.example,A,45.0.0.1 udp_to=8.8.8.8,853 udp_to=9.9.9.9,443 \
		tcp=8.8.8.8,53 tcp=1.1.1.1,853 tcp=1.1.1.1,443 tcp=2001:4860:4860::8888,53 tls=1.1.1.1,cloudflare-dns.com
	each EPERM ECONNREFUSED
	run net tls=dns.google tls=cloudflare-dns.com tls=ok.example,dns.google
	each tls:TLSV1_ALERT_ACCESS_DENIED
	nothing_came packets '^(6|17) '
}

@test "DNS-05 an allowed name that resolves to a special address is refused: each kind" {
	local n q=()
	for n in loop ten lan own own6 loop6 link6 mapped nat64 sixtofour zero meta aws6; do
		BAWN_OPTS+=(--allow "$n.example:80")
		q+=("http=$n.example")
	done
	run net "${q[@]}"
	each "403 Forbidden: bawn: "
	nothing_came packets '^6 '
	nothing_came canary
	nothing_came http
	audit '"target":"loop.example:80".*its address is 127.0.0.1 \(loopback\)'
}

@test "DNS-05 --allow-private is for that name alone" {
	BAWN_OPTS+=(--allow-private ten.example:80 --allow lan.example:80)
	run net http=ten.example http=lan.example
	wants http=ten.example "200 OK"
	wants http=lan.example 403
}

@test "DNS-05 while bawn learns, too: names with special addresses are refused, and not learnt" {
	local n q=()
	for n in loop ten lan own own6 loop6 link6 mapped nat64 sixtofour zero meta aws6; do
		q+=("http=$n.example")
	done
	run "$BAWN" learn -q -o "$T/learnt.yaml" shell "$WS" -- /usr/bin/python3 -c \
		"$(cat "$BAWN_SRCDIR/tests/net/inside.py")" "${q[@]}" http=printer.local http=10.77.0.1
	each "403 Forbidden: bawn: " ECONN no-name
	nothing_came packets '^6 '
	nothing_came canary
	grep -q '^allow: \[\]$' "$T/learnt.yaml"
	run "$BAWN" learn -q -o "$T/learnt.yaml" --force shell "$WS" -- /usr/bin/python3 -c \
		"$(cat "$BAWN_SRCDIR/tests/net/inside.py")" http=ok.example http=loop.example
	wants http=ok.example "200 OK"
	[ "$(sed -n 's/^  - //p' "$T/learnt.yaml")" = '"ok.example:80"' ] || fail "$(cat "$T/learnt.yaml")"
}

@test "DNS-06 resolved once, checked, and the checked address is dialled" {
	BAWN_OPTS+=(--allow flip.example:80)
	run net http=flip.example
	wants http=flip.example "200 OK"
	[ "$(grep -c '^flip.example 1$' "$WORLD/dns.log")" = 1 ] || fail "asked again"
	# the second answer is the loopback: refused, not reached
	run net http=flip.example
	wants http=flip.example 403
	nothing_came canary
}

@test "DNS-07 of a mixed answer only the public address is used" {
	BAWN_OPTS+=(--allow mixed.example:80)
	run net http=mixed.example http=mixed.example http=mixed.example
	each "200 OK"
	nothing_came canary
	nothing_came packets '10\.1\.2\.3'
}

@test "DNS-08 odd names are made canonical or refused, the same for DNS, SNI and Host" {
	BAWN_OPTS+=(--allow ok.example:80,443)
	run net dns=OK.example dns=oK.eXaMpLe. http=ok.example,OK.EXAMPLE http=ok.example,ok.example. \
		tls=ok.example,OK.exAmple http=ok.example,ok.example:80
	wants dns=OK.example "NOERROR 1 198.18.0.1"
	wants http=ok.example,OK.EXAMPLE "200 OK"
	wants http=ok.example,ok.example. "200 OK"
	wants tls=ok.example,OK.exAmple "200 OK"
	wants http=ok.example,ok.example:80 "200 OK"
	# a NUL, CR LF, a space, a dot inside a label, 8-bit bytes, an underscore, an empty label
	local ok=6f6b ex=6578616d706c65
	run net dns_label=6f6b00.$ex dns_label=6f6b0d0a.$ex dns_label=6f206b.$ex dns_label=6f6b2e$ex dns_label=c3b6.$ex \
		dns_label=6f6b2e6578616d706c65.636f6d
	each NXDOMAIN FORMERR
	run net http=ok.example,ok.example:81 'http=ok.example,ok..example' 'http=ok.example,ok .example' \
		http=ok.example,.ok.example 'http=ok.example,ok.example,80,/x' http=ok.example,оk.example \
		http=ok.example,xn--k-0ta.example
	for n in ok.example:81 'ok..example' 'ok .example' .ok.example оk.example xn--k-0ta.example; do
		case $output in *"http=ok.example,$n -> 200"*) fail "$n passed" ;; esac
	done
	local long
	long=$(printf 'a%.0s' {1..63})
	run net "dns=$long.example" "dns=$long.$long.$long.$long.example" dns=_dmarc.ok.example
	wants "dns=$long.example" "NOERROR 1"
	wants "dns=$long.$long.$long.$long.example" "FORMERR"
	nothing_came dns '^[^o]'
}

@test "DNS-10 names that only look like an allowed one" {
	BAWN_OPTS+=(--allow github.example:80 --allow '*.hub.example:80' --allow '**.deep.example:80')
	run net http=evilgithub.example http=github.example.evil.example http=githubxexample.example \
		http=hub.example http=a.b.hub.example http=xhub.example http=xdeep.example \
		http=github.example,github.example@evil.example
	each "403 Forbidden"
	run net http=github.example http=a.hub.example http=a.b.deep.example
	each "200 OK"
	nothing_came dns 'evil|xhub|xdeep|^hub|a\.b\.hub'
}

@test "DNS-11 malformed messages are answered with an error or not at all, and the next is answered" {
	BAWN_OPTS+=(--allow ok.example:80)
	run net dns_broken
	[[ $output == *" then NOERROR 1 198.18.0.1"* ]]
	refute_output SERVFAIL
	refute_output REFUSED
	assert_output FORMERR
	run net dns_tcp=ok.example,A,20 # pipelined
	[ "$(grep -o 'NOERROR 1 198.18.0.1' <<<"$output" | wc -l)" = 20 ]
}

@test "DNS-13 no search domain comes along, and none is tried outside" {
	BAWN_OPTS+=(--allow 'foo:80' --allow none.example:80 --allow six.example:80)
	run in_sandbox cat /etc/resolv.conf
	refute_output search
	refute_output corp
	run net http=bar http=none.example http=foo getaddrinfo=six.example,10 http=six.example
	wants http=bar no-name
	wants http=none.example "502"
	wants getaddrinfo=six.example,10 no-name
	wants http=six.example "200 OK"
	nothing_came dns corp
	nothing_came dns '^bar'
}

@test "DNS-14 the host's resolvers can't be asked: no socket of them is there" {
	run in_sandbox_sh 'ls -d /run/nscd /var/run/nscd /run/systemd /run/dbus /run/avahi-daemon /var/lib/sss /run/sssd 2>/dev/null
		find / -xdev -type s 2>/dev/null; cat /etc/nsswitch.conf | grep hosts; cat /proc/net/unix | grep -c @'
	refute_output /run/
	refute_output sss
	case $output in *resolve*|*mdns*|*myhostname*|*nis*) fail "another way to look names up" ;; esac
	run net udp_to=224.0.0.251,5353 udp_to=224.0.0.252,5355 udp_to=127.0.0.53,5355 udp_to=ff02::fb,5353
	each EPERM ENETUNREACH ECONNREFUSED EADDRNOTAVAIL sent
	nothing_came packets
}

@test "DNS-15 localhost is the sandbox's own; local, internal and single-label names are refused" {
	run net resolve=localhost resolve=a.b.localhost dns=a.localhost,AAAA dns=printer.local dns=db.internal dns=foo dns=x.corp \
		dns=metadata.google.internal dns=router.lan dns=a.onion
	wants resolve=localhost 127.0.0.1
	wants resolve=a.b.localhost 127.0.0.1
	wants dns=a.localhost,AAAA "NOERROR 0"
	for n in printer.local db.internal foo x.corp metadata.google.internal router.lan a.onion; do
		wants "dns=$n" "NXDOMAIN 0"
	done
	nothing_came dns
}

@test "DNS-15 names are found by those who ask for one family, of those that the machine has" {
	# glibc's AI_ADDRCONFIG counts no family of which there is but the one loopback address
	cat >"$WS/ask.py" <<-'P'
		import socket as s
		for host, family in ("localhost", s.AF_INET), ("localhost", s.AF_INET6), ("ok.example", s.AF_INET):
		    print(host, sorted({a[4][0] for a in s.getaddrinfo(host, 80, family, 1, 0, s.AI_ADDRCONFIG)}))
		print("either", sorted({a[4][0] for a in s.getaddrinfo("localhost", 80, 0, 1, 0, s.AI_ADDRCONFIG)}))
		server = s.create_server(("::", 8080), family=s.AF_INET6, dualstack_ipv6=True)
		for own in "127.255.255.254", "fd62:6177:6e00::1":
		    print(s.create_connection((own, 8080), 9).getsockname()[0])
	P
	run "$BAWN" run --rm -q --allow ok.example:80 shell "$WS" -- python3 ask.py
	assert_status 0
	diff <(echo "$output") - <<-'O'
		localhost ['127.0.0.1']
		localhost ['::1']
		ok.example ['198.18.0.1']
		either ['127.0.0.1', '::1']
		127.255.255.254
		fd62:6177:6e00::1
	O
}

@test "DNS-16 a flood of questions is capped; the run and other names go on" {
	BAWN_OPTS+=(--allow ok.example:80)
	local start=$SECONDS
	run net http=ok.example flood=20000,flooded.example http=ok.example
	[ "$(grep -c '200 OK' <<<"$output")" = 2 ] || fail "the allowed name failed"
	[ $((SECONDS - start)) -lt 60 ] || fail "took $((SECONDS - start)) s"
	nothing_came dns flooded
}

@test "OWN-11 a flood of names that no rule allows: allowed names keep their addresses" {
	BAWN_OPTS+=(--allow a.example:80 --allow b.example:80)
	run net resolve=a.example flood=12000,x.test.example resolve=b.example resolve=a.example http=a.example http=b.example \
		http=n1.x.test.example
	wants resolve=a.example 198.18.0.1
	wants resolve=b.example 198.18.0.2
	[ "$(grep -c 'resolve=a.example -> 198.18.0.1' <<<"$output")" = 2 ]
	wants http=a.example "200 OK"
	wants http=b.example "200 OK"
	nothing_came dns x.test
}

@test "a denied host fails within a second, not after a client's retries" {
	local start=${EPOCHREALTIME/./}
	run net http=no.example tls=no.example tcp=no.example,22 dns=no.local
	[ $((${EPOCHREALTIME/./} - start)) -lt 3000000 ] || fail "slow"
	wants http=no.example 403
	wants tcp=no.example,22 ECONNRESET
}
