#!/usr/bin/env bats
# report.bats - the page of a run: what is on it, that nothing foreign is more than text, and how a
# browser shows it.
load ../lib.sh
setup() {
	bawn_setup
	mkdir -p "$XDG_DATA_HOME/bawn"
}
teardown() { bawn_teardown; }

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
	assert_output '1 ended, status 4'
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
	[ -z "$(find "$T" -name '*page*')" ]
}

# Every field that a program inside may choose holds what would be markup, a script or a style.
hostile() {
	local x='<script>document.title=1</script><img src=x onerror=document.title=2>\"'"'"'><svg/onload=document.title=3></style></title><style>*{display:none}</style>&lt;\u001b]0;x\u0007\u202e javascript:document.title=4'
	event 1 bad start "\"profile\":\"$x\",\"program\":\"$x\",\"workspace\":\"$x\""
	event 3 bad flow "\"target\":\"$x\",\"up\":4000,\"down\":1234567,\"ms\":6000"
	event 4 bad deny "\"target\":\"$x\",\"reason\":\"$x\",\"rule\":\"$x\",\"fix\":\"$x\""
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
		    known = set("html head meta title style body a nav main header p h1 h2 b code dl dt dd div small"
		                " section figure svg g text line rect details summary table thead tbody tr th td ul li br"
		                " span footer".split())
		    attrs = set("lang charset http-equiv content name class href id viewbox role aria-label x y x1 x2 y1 y2"
		                " width height rx tabindex open title".split())
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
		assert page["tabs"][:7] == ["#main", "#timeline", "#traffic", "#denials", "#files",
		                            "#sessions", "#guards"], page["tabs"]
		assert "SUMMARY" in page["tabs"] and "DIV" in page["tabs"], page["tabs"]
		assert page["opened"], "Enter does not open a list"
	EOF
}
