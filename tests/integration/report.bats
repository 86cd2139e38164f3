#!/usr/bin/env bats
# report.bats - the page of a run: what is on it, that nothing foreign is more than text, and how a
# browser shows it.
load ../lib.sh
setup() {
	bawn_setup
	mkdir -p "$XDG_DATA_HOME/bawn"
}
teardown() {
	"$BAWN" rm -f --all >/dev/null 2>&1
	bawn_teardown
}

event() { # SECOND SANDBOX EVENT FIELDS
	printf '{"time":"2026-01-02T03:04:%02d.000006Z","sandbox":"%s","event":"%s",%s}\n' "$@"
}

a_run() { # SANDBOX
	event 1 "$1" start '"profile":"claude","program":"/usr/bin/claude","workspace":"/src/app"'
	event 2 "$1" ready '"ms":12'
	event 3 "$1" allow '"target":"api.example.com:443","rule":"api.example.com"'
	event 9 "$1" flow '"target":"api.example.com:443","up":4000,"down":1234567,"ms":6000'
	event 9 "$1" flow '"target":"b.example.com:443","up":300000,"down":100,"ms":60'
	event 20 "$1" deny '"target":"evil.example:443","reason":"no rule allows it","fix":"bawn policy allow evil.example","count":3'
	event 30 "$1" persist '"path":".vscode/tasks.json","class":"ide"'
	event 31 "$1" session '"session":1,"action":"ended","code":4'
	event 40 "$1" exit '"code":7,"ms":39000'
}

browser() { # PAGE: JSON of what it is there; see tests/attack/browse.py
	/usr/bin/python3 "$BAWN_SRCDIR/tests/attack/browse.py" "$1" "$T/shots"
}

@test "report: what a run did is on its page, and no other run" {
	{
		event 0 one deny '"target":"before.example:1","reason":"r"'
		a_run one
		event 5 two deny '"target":"other.example:443","reason":"r"'
	} >"$AUDIT"
	run "$BAWN" report one -o "$T/page.html"
	assert_status 0
	[ -z "$output" ]
	[ "$(stat -c %a "$T/page.html")" = 600 ]
	run cat "$T/page.html"
	assert_output 'api.example.com:443'
	assert_output '1.2 MiB'
	assert_output 'bawn policy allow evil.example'
	assert_output '.vscode/tasks.json'
	assert_output '<td class="num bad">7</td>'
	assert_output '<dd>7</dd>'
	refute_output before.example
	refute_output other.example
	# all its runs
	run "$BAWN" report one --all -o -
	assert_output before.example
	run "$BAWN" report --last -o -
	assert_output '<h1>one</h1>'
}

@test "report: a real run" {
	in_sandbox true >/dev/null 2>&1
	run "$BAWN" report --last -o "$T/page.html"
	assert_status 0
	run cat "$T/page.html"
	assert_output '<b>shell</b>'
	assert_output '<dd>0</dd>'
}

@test "report: what is wrong is told, and nothing half-written stays" {
	run "$BAWN" report none -o "$T/page.html"
	assert_status 125
	assert_output "nothing of sandbox none"
	run "$BAWN" report --last -o "$T/page.html"
	assert_status 125
	assert_output "no run"
	a_run one >"$AUDIT"
	run "$BAWN" report one
	assert_status 125
	assert_output "needs -o FILE"
	run "$BAWN" report -o "$T/page.html"
	assert_status 125
	assert_output "or --last"
	run "$BAWN" report one --last -o "$T/page.html"
	assert_status 125
	run "$BAWN" report one -o "$T/no/such/dir/page.html"
	assert_status 125
	assert_output "no/such/dir"
	local odd
	for odd in /dev/stdout "$T"; do
		run "$BAWN" report one -o "$odd"
		assert_status 125
		assert_output "$odd is there, and no plain file"
		assert_output "-o - for standard output"
	done
	[ -z "$(find "$T" -name '*page*')" ]
}

# Every field that a program inside may choose holds what would be markup, a script or a style.
hostile() {
	local x='<script>document.title=1</script><img src=x onerror=document.title=2>\"'"'"'><svg/onload=document.title=3></style></title><style>*{display:none}</style>&lt;\u001b]0;x\u0007\u202e javascript:document.title=4'
	event 1 bad start "\"profile\":\"$x\",\"program\":\"$x\",\"workspace\":\"$x\""
	event 3 bad flow "\"target\":\"$x\",\"up\":4000,\"down\":1234567,\"ms\":6000"
	event 4 bad deny "\"target\":\"$x\",\"reason\":\"$x\",\"rule\":\"$x\",\"fix\":\"$x\""
	event 4 bad request "\"method\":\"$x\",\"target\":\"$x\",\"status\":200,\"credential\":\"$x\",\"reason\":\"$x\""
	event 4 bad setting "\"what\":\"$x\",\"value\":\"$x\""
	event 4 bad session "\"session\":2,\"action\":\"begins\",\"program\":\"$x\""
	event 4 bad ask "\"target\":\"$x\",\"action\":\"$x\",\"question\":1,\"by\":\"$x\""
	local kind
	for kind in persist aside gitconfig remount; do
		event 5 bad "$kind" "\"path\":\"$x\",\"action\":\"$x\",\"detail\":\"$x\",\"key\":\"$x\""
	done
	event 6 bad session "\"session\":1,\"action\":\"$x\",\"program\":\"$x\""
	event 7 bad error "\"message\":\"$x\",\"hint\":\"$x\""
	event 8 bad "$x" "\"$x\":\"$x\""
	event 9 bad withheld "\"kind\":\"$x\",\"name\":\"$x\""
}

@test "report: hostile names are text and nothing else" {
	hostile >"$AUDIT"
	"$BAWN" report bad -o "$T/page.html"
	grep -q '&lt;script&gt;' "$T/page.html"
	/usr/bin/python3 - "$T/page.html" <<-'EOF'
		import sys, html.parser
		text = open(sys.argv[1], encoding="utf-8").read()
		assert not any(ord(c) < 32 and c not in "\n\t" or c in "\u202e\x7f" for c in text)
		class P(html.parser.HTMLParser):
		    known = set("html head meta title style body a nav main header p h1 h2 b i code dl dt dd div small"
		                " section figure svg g text line rect details summary table thead tbody tr th td ul li br"
		                " span footer".split())
		    attrs = set("lang charset http-equiv content name class href id viewbox role aria-label x y x1 x2 y1 y2"
		                " width height rx tabindex open title aria-hidden".split())
		    n = {}
		    def handle_starttag(self, tag, attrs):
		        assert tag in self.known, tag
		        self.n[tag] = self.n.get(tag, 0) + 1
		        for k, v in attrs:
		            assert k in self.attrs, (tag, k)
		            assert k != "href" or v.startswith("#"), v
		p = P(); p.feed(text)
		assert p.n["style"] == 1 and p.n["main"] == 1, p.n
		assert "default-src 'none'" in text and "unsafe-inline'; base" in text and "script-src" not in text
	EOF
}

@test "report: requests alike are one row, what was in force and each session with its exit code are there" {
	{
		event 1 one start '"profile":"claude","program":"/usr/bin/claude","version":"0.1.0"'
		event 2 one setting '"what":"policy","value":"balanced, github-read"'
		event 2 one setting '"what":"memory","value":"4 GiB"'
		event 3 one session '"session":1,"action":"begins","program":"/bin/bash"'
		local i
		for i in 1 2 3 4; do
			event 4 one request '"method":"POST","target":"api.example.com/v1/messages","status":200,"credential":"key"'
		done
		event 5 one request '"method":"GET","target":"api.example.com/v1/x","status":0,"credential":"key","reason":"upstream went away"'
		event 13 one session '"session":1,"action":"ended","code":3'
		event 31 one exit '"code":0,"ms":30000'
	} >"$AUDIT"
	"$BAWN" report one -o "$T/page.html"
	run cat "$T/page.html"
	assert_output '<td class="kind">POST</td><td class="mono">api.example.com/v1/messages</td><td class="num">200</td><td class="num">4</td><td>key</td>'
	assert_output '<td class="num bad">none</td><td class="num">1</td><td>upstream went away</td>'
	assert_output '<dt>policy</dt><dd>balanced, github-read</dd>'
	assert_output '<dt>memory</dt><dd>4 GiB</dd>'
	assert_output 'Run by bawn 0.1.0'
	assert_output '<td class="num">1</td><td class="mono">/bin/bash</td><td class="num">+2.0 s</td><td class="num">10.0 s</td><td class="num bad">3</td>'
	assert_output '<td class="mono">/usr/bin/claude</td><td class="num">+0 ms</td><td class="num">30.0 s</td><td class="num good">0</td>'
}

@test "report: a real run says what was in force; its changed files stand there with their lines" {
	mkdir -p "$WS/src"
	seq 100 >"$WS/src/main.c"
	seq 40 >"$WS/README.md"
	"$BAWN" run --name shop --workspace cow --pids 300 --memory 512M --allow-degraded memory --deny 'x.example' \
		shell "$WS" -- sh -c 'seq 60 >>src/main.c; sed -i 3,30d README.md; head -c 3000 /dev/urandom >logo.png
			printf "{}" >package.json; mkdir d; : >"$(printf "evil\033[31m<script>\"&")"' >/dev/null 2>&1
	"$BAWN" report shop -o "$T/page.html"
	run cat "$T/page.html"
	assert_output '<dt>policy</dt><dd>balanced</dd>'
	assert_output '<dt>deny</dt><dd>x.example</dd>'
	assert_output '<dt>workspace</dt><dd>cow</dd>'
	assert_output '<dt>pids</dt><dd>300</dd>'
	assert_output '61 lines added</span>, <span class="minus">28 removed'
	assert_output '<td class="mono">src/main.c</td><td>modified</td><td class="num"><span class="plus">+60</span>'
	assert_output '<td class="mono">README.md</td><td>modified</td><td class="num"><span class="minus">-28</span>'
	assert_output '<td class="mono">logo.png</td><td>added</td><td class="num">binary</td>'
	assert_output '<td>added directory</td>'
	assert_output 'evil\x1b[31m&lt;script&gt;&quot;&amp;'
	assert_output '<td class="mono">package.json<br><span class="warn">'
	# without the sandbox the page says that it can't know
	"$BAWN" rm -f shop
	"$BAWN" report shop -o "$T/page.html"
	grep -q "can't be listed (any more)" "$T/page.html"
	# nor does it ask a sandbox of that name about another log
	cp "$AUDIT" "$T/other.jsonl"
	"$BAWN" create --name shop --workspace cow shell "$WS" >/dev/null
	"$BAWN" report --file "$T/other.jsonl" shop -o "$T/page.html"
	grep -q "can't be listed (any more)" "$T/page.html"
}

# 50,000 events of a run, with hosts, denials and requests that are all different.
flood() {
	/usr/bin/python3 - >"$AUDIT" <<-'EOF'
		def event(i, kind, rest):
		    print('{"time":"2026-01-02T%02d:%02d:%02d.%06dZ","sandbox":"many","event":"%s",%s}' % (
		        3 + i // 14400, i // 240 % 60, i // 4 % 60, i % 4 * 250000, kind, rest))
		event(0, "start", '"profile":"claude","program":"/usr/bin/claude","workspace":"/src"')
		for i in range(1, 49999):
		    kind = ("allow", "flow", "deny", "request", "session")[i % 5]
		    event(i, kind, '"target":"h%d.example:443","up":%d,"down":%d,"ms":5,"reason":"no rule allows it","fix":"x",'
		          '"method":"GET","status":200,"session":%d,"action":"begins","program":"/bin/p%d"' % (i, i, i * 7, i, i))
		event(49999, "exit", '"code":0,"ms":12499750')
	EOF
}

@test "report: 50,000 events make a page of bounded size, in bounded time, that says what it leaves out" {
	flood
	[ "$(wc -l <"$AUDIT")" = 50000 ]
	SECONDS=0
	"$BAWN" report many -o "$T/page.html"
	[ "$SECONDS" -le 20 ] || fail "$SECONDS s"
	[ "$(stat -c %s "$T/page.html")" -lt 3000000 ] || fail "$(stat -c %s "$T/page.html") bytes"
	run cat "$T/page.html"
	assert_output 'All 50000 events'
	assert_output '46000 events had no room here'
	assert_output '<dd>0</dd>'
	assert_output 'Targets that had no room here: 9000.'
	assert_output 'Requests that had no room here: 9000.'
}

@test "report in Chromium: of a run in which nothing happened, and of 50,000 events" {
	need command -v chromium -- "Chromium (Debian package chromium)"
	mkdir -p "$T/shots"
	in_sandbox true >/dev/null 2>&1
	"$BAWN" report --last -o "$T/empty.html"
	flood
	"$BAWN" report many -o "$T/many.html"
	browser "$T/empty.html" >"$T/empty" || fail "$(cat "$T/empty")"
	browser "$T/many.html" >"$T/many" || fail "$(cat "$T/many")"
	/usr/bin/python3 - "$T/empty" "$T/many" <<-'EOF'
		import json, sys
		for f in sys.argv[1:]:
		    p = json.load(open(f))
		    assert p["errors"] == [] and p["requests"] == 1 and p["scripts"] == 0, p
		    assert p["light"]["colours"] > 20 and p["dark"]["colours"] > 20 and p["overflow"] <= 0, p
		    assert p["text"] > 200 and p["tabs"][0] == "#main" and p["opened"], p
	EOF
}

@test "report in Chromium: shown, no error, keys, dark mode, hostile names run nothing" {
	need command -v chromium -- "Chromium (Debian package chromium)"
	a_run one >"$AUDIT"
	"$BAWN" report one -o "$T/page.html"
	hostile >"$AUDIT"
	"$BAWN" report bad -o "$T/bad.html"
	mkdir -p "$T/shots"
	browser "$T/page.html" >"$T/seen" || fail "$(cat "$T/seen")"
	browser "$T/bad.html" >"$T/bad" || fail "$(cat "$T/bad")"
	/usr/bin/python3 - "$T/seen" "$T/bad" <<-'EOF'
		import json, sys
		page, bad = (json.load(open(f)) for f in sys.argv[1:])
		for p, name in ((page, "one"), (bad, "bad")):
		    assert p["errors"] == [], p["errors"]
		    assert p["requests"] == 1, p["requests"]
		    assert p["title"] == "bawn report: " + name, p["title"]
		    assert p["light"]["colours"] > 20 and p["dark"]["colours"] > 20, p
		    assert p["light"]["background"] != p["dark"]["background"], p
		    assert p["scripts"] == 0 and p["text"] > 200, p
		    assert p["overflow"] <= 0, p["overflow"]
		# by the keyboard: the skip link, the sections in their order, then what can be opened
		assert page["tabs"][:9] == ["#main", "#timeline", "#traffic", "#denials", "#requests", "#files",
		                            "#sessions", "#policy", "#guards"], page["tabs"]
		assert "SUMMARY" in page["tabs"] and "DIV" in page["tabs"], page["tabs"]
		assert page["opened"], "Enter does not open a list"
	EOF
}
