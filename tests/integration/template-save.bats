#!/usr/bin/env bats
# template-save.bats - bawn template save NAME TAG: what of a sandbox becomes a template, and what never
# does.  Attack corpus: TPL-16, TPL-18, CRED-07.
#
# The keys here are nobody's; they are put together here, so that no scanner takes this file for a leak.
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../templates.sh

setup() {
	bawn_setup
	STORE=$XDG_DATA_HOME/bawn/templates
	GHP=ghp'_q7Zk2Xw9Lm4Tb8Vc1Rd6f3Hs8Kp1Yw6Nj4Ge'
}
teardown() {
	"$BAWN" rm -f box >/dev/null 2>&1 || :
	bawn_teardown
}

template() { "$BAWN" template "$@"; }
inside() { "$BAWN" exec box "$@"; }

# A real template "base" of a few programs, and the sandbox "box" made with it.
box() {
	template_layer
	template_debian
	# shellcheck disable=SC2086
	[ -z "${PROGRAMS:-}" ] || template_program $PROGRAMS
	mkdir "$LAYER/opt"
	/usr/bin/python3 - "$LAYER" "$T/base.tar" "${VARIABLES[@]}" <<-'PY'
		import hashlib, io, json, sys, tarfile
		def owner(i):
		    i.uid = i.gid = 0
		    i.uname = i.gname = ""
		    return i
		layer = io.BytesIO()
		with tarfile.open(fileobj=layer, mode="w") as t:
		    t.add(sys.argv[1], arcname=".", filter=owner)
		    for name, kind, uid, gid in ("etc/of-web", tarfile.SYMTYPE, 33, 34), ("etc/pipe", tarfile.FIFOTYPE, 5, 6):
		        i = tarfile.TarInfo(name)
		        i.type, i.linkname, i.uid, i.gid = kind, "passwd" if kind == tarfile.SYMTYPE else "", uid, gid
		        t.addfile(i)
		layer = layer.getvalue()
		diff = hashlib.sha256(layer).hexdigest()
		config = json.dumps({"architecture": {"x86_64": "amd64", "aarch64": "arm64"}[__import__("os").uname().machine],
		    "os": "linux", "config": {"Env": ["PATH=/usr/bin:/bin", "FROM_BASE=yes"] + sys.argv[3:]},
		    "rootfs": {"type": "layers", "diff_ids": ["sha256:" + diff]}}).encode()
		manifest = [{"Config": "c.json", "RepoTags": ["base:1"], "Layers": ["l.tar"]}]
		with tarfile.open(sys.argv[2], "w") as t:
		    for name, data in (("c.json", config), ("l.tar", layer), ("manifest.json", json.dumps(manifest).encode())):
		        i = tarfile.TarInfo(name)
		        i.size = len(data)
		        t.addfile(i, io.BytesIO(data))
	PY
	rm -rf "$STORE"
	template load -q "$T/base.tar" >/dev/null
	"$BAWN" create --template base:1 --name box shell "$WS" "$@" >/dev/null
}

tags() { template ls | tail -n +2 | cut -d' ' -f1 | sort | tr '\n' ' '; }
nothing_half() {
	[ -z "$(ls -A "$STORE/tmp")" ] || fail "left in tmp"
	template verify -q
}

@test "save: what was installed is in the new template, with its environment; what was mounted is not" {
	mkdir -p "$HOME/extra"
	echo of-the-extra >"$HOME/extra/there"
	box "$HOME/extra"
	echo of-the-workspace-only >"$WS/here"
	inside sh -c 'mkdir -p ~/tools /opt/x; echo tool >~/tools/t; echo opt >/opt/x/o; rm /etc/image-file
		ln -s tools/t ~/l; chmod 750 ~/tools; echo inside >new-in-workspace'
	run -0 --separate-stderr template save box made:1
	[[ $output == *"  made:1" ]]
	[[ $stderr == *"the workspace $WS is worked on directly and is no part of it"* ]]
	nothing_half
	mkdir -p "$T/other"
	run -0 "$BAWN" run --rm -q --template made:1 shell "$T/other" -- sh -c \
		"cat /home/agent/tools/t /home/agent/l /opt/x/o; stat -c %a /home/agent/tools; echo \$FROM_BASE; test ! -e /etc/image-file && test ! -e $WS && test ! -e $HOME/extra"
	[ "$output" = $'tool\ntool\nopt\n750\nyes' ]
	# as others have it: the agent's home is the agent's, the rest root's
	template save -q -o "$T/made.tar" made:1
	mkdir "$T/x"
	tar -C "$T/x" -xf "$T/made.tar"
	for f in "$T"/x/blobs/sha256/*; do tar --numeric-owner -tvf "$f" 2>/dev/null || :; done >"$T/list"
	grep -q '1000/1000 .* home/agent/tools/t$' "$T/list"
	grep -q ' 0/0 .* opt/x/o$' "$T/list"
	run ! grep -q 'here$\|new-in-workspace\|extra' "$T/list"
}

@test "TPL-16 CRED-07 save: log-ins, histories and transcripts of agents are left out, nothing else is" {
	box
	inside sh -c 'cd ~; for f in .claude/.credentials.json .claude/projects/p.jsonl .claude.json .codex/auth.json \
		.codex/sessions/s .codex/logs_2.sqlite .codex/history.jsonl .gemini/oauth_creds.json .config/gh/hosts.yml \
		.local/share/opencode/auth.json .bash_history .python_history .local/state/opencode/x \
		.codex/AGENTS.md .claude/CLAUDE.md .claude/skills/s/SKILL.md .config/app .bashrc; do
			case $f in */*) mkdir -p "${f%/*}" ;; esac; echo content >"$f"; done'
	template save -q box made
	mkdir -p "$T/other"
	run -0 "$BAWN" run --rm -q --bare-home --template made shell "$T/other" -- sh -c 'cd; find . -type f'
	[ "$(sort <<<"$output")" = $'./.bashrc\n./.claude/CLAUDE.md\n./.claude/skills/s/SKILL.md\n./.codex/AGENTS.md\n./.config/app' ] || fail left
}

@test "TPL-16 CRED-07 save: so are those where the template's variables have a tool's files" {
	load agents.sh
	look_profile codex
	VARIABLES=(CODEX_HOME=/opt/codex CLAUDE_CONFIG_DIR=/opt/claude/ GEMINI_CLI_HOME=/opt/gemini
		XDG_CONFIG_HOME=/opt/config XDG_DATA_HOME=/opt/data XDG_STATE_HOME=/opt/state/../x)
	box
	"$BAWN" rm -f box
	mkdir "$HOME/.codex"
	echo me >"$HOME/.codex/AGENTS.md"
	echo 'model = "mine"' >"$HOME/.codex/config.toml"
	CODEX_API_KEY=sk-test-0000000000000000 "$BAWN" run -q --template base:1 --name box codex-look "$WS" -- 'cd /opt
		echo "the TEAM speaks" >codex/AGENTS.md
		for f in codex/sessions/s codex/logs_2.sqlite codex/history.jsonl claude/.credentials.json claude/projects/p.jsonl \
			claude/.claude.json claude/.claude.json.backup gemini/.gemini/oauth_creds.json gemini/.gemini/tmp/x/logs.json \
			config/gh/hosts.yml data/opencode/auth.json data/opencode/opencode.db-wal \
			claude/CLAUDE.md codex/log.md gemini/sessions/s config/app data/x state/opencode/y; do
				mkdir -p "${f%/*}"; echo content >"$f"; done'
	template save -q box made
	mkdir -p "$T/other"
	run -0 "$BAWN" run --rm -q --bare-home --template made shell "$T/other" -- sh -c 'cd /opt; find . -type f; cat codex/AGENTS.md'
	[ "$(grep -v TEAM <<<"$output" | sort)" = $'./claude/CLAUDE.md\n./codex/AGENTS.md\n./codex/log.md\n./config/app\n./data/x\n./gemini/sessions/s\n./state/opencode/y' ] || fail left
	assert_output 'the TEAM speaks'
}

# What an archive's layers hold: owners, modes, attributes, content.
contents() {
	/usr/bin/python3 - "$1" <<-'PY'
		import hashlib, json, sys, tarfile
		t = tarfile.open(sys.argv[1])
		m = json.load(t.extractfile("manifest.json"))[0]
		print(json.dumps(json.load(t.extractfile(m["Config"]))["config"], sort_keys=True))
		for layer in m["Layers"]:
		    for e in tarfile.open(fileobj=t.extractfile(layer)):
		        data = hashlib.sha256(tarfile.open(fileobj=t.extractfile(layer)).extractfile(e.name).read()).hexdigest() if e.isreg() else e.linkname
		        x = {k: v for k, v in e.pax_headers.items() if "xattr" in k}
		        print(e.name, oct(e.mode), e.uid, e.gid, e.type, e.mtime, data, x)
	PY
}

@test "save, remove, load in another's store, run: the same files, owners on export, variables and agent" {
	load agents.sh
	PROGRAMS='chown mkfifo' box
	look_profile codex
	inside sh -c 'mkdir -p ~/.codex /opt/tool; echo the TEAM speaks >~/.codex/AGENTS.md; echo data >/opt/tool/data; ln /opt/tool/data /opt/tool/again; ln -s data /opt/tool/link
		printf "#!/bin/sh\necho it runs\n" >/opt/tool/run; chmod 4755 /opt/tool/run; mkdir -m 2770 /opt/tool/shared; mkfifo /opt/tool/pipe'
	"$BAWN" exec -u root box sh -c 'mkdir -p /var/lib/db; echo row >/var/lib/db/row; ln -s row /var/lib/db/last; chown -R 101:102 /var/lib/db'
	/usr/bin/python3 -c "import os,sys; os.setxattr(sys.argv[1], 'user.note', b'kept')" "$XDG_DATA_HOME/bawn/sandboxes/box/up/root/opt/tool/data"
	template save -q box example.com/team/made:1 >/dev/null
	template save -q -o "$T/made.tar" example.com/team/made:1
	contents "$T/made.tar" >"$T/contents"
	"$BAWN" rm -f box
	template rm example.com/team/made:1 base:1
	template prune >/dev/null
	[ -z "$(template ls -q)" ]
	# somebody else: another home, and with it another store and other settings
	mkdir -p "$T/their/.config" "$T/their/work"
	look_profile codex
	cp -r "$XDG_CONFIG_HOME/bawn" "$T/their/.config/"
	export HOME=$T/their XDG_CONFIG_HOME=$T/their/.config XDG_DATA_HOME=$T/their/data XDG_CACHE_HOME=$T/their/cache
	template load -q "$T/made.tar"
	template verify -q
	template save -q -o "$T/again.tar" example.com/team/made:1
	contents "$T/again.tar" >"$T/contents2"
	cmp "$T/contents" "$T/contents2" || fail "$(diff "$T/contents" "$T/contents2")"
	grep -q 'opt/tool/run 0o4755 ' "$T/contents" || fail "$(cat "$T/contents")"
	grep -q 'opt/tool/shared 0o2770 ' "$T/contents" || fail "$(cat "$T/contents")"
	grep -q 'var/lib/db/row 0o644 101 102 ' "$T/contents" || fail "$(grep db "$T/contents")"
	grep -q 'var/lib/db/last 0o777 101 102 ' "$T/contents" || fail "$(grep db "$T/contents")"
	grep -q 'home/agent/.codex/AGENTS.md 0o[0-7]* 1000 1000 ' "$T/contents" || fail owner
	grep -q "opt/tool/.* {'SCHILY.xattr.user.note': 'kept'}" "$T/contents" || fail "$(grep tool "$T/contents")"
	grep -q '"FROM_BASE=yes"' "$T/contents"
	cd "$T/their/work"
	run -0 "$BAWN" run --rm -q --template example.com/team/made:1 codex-look . -- \
		'echo $FROM_BASE; /opt/tool/run; cat /opt/tool/link /var/lib/db/row; stat -c %h /opt/tool/again; cat ~/.codex/AGENTS.md; id -un; pwd'
	[[ $output == "yes
it runs
data
row
2
the TEAM speaks"*"You work in a sandbox"*"agent
$T/their/work" ]] || fail "$output"
}

@test "prompts and settings that a Dockerfile puts into a template are in force" {
	load agents.sh
	box
	mkdir context
	echo 'the TEAM speaks' >context/AGENTS.md
	echo 'model = "of-the-template"' >context/config.toml
	printf 'FROM base:1\nCOPY AGENTS.md config.toml /home/agent/.codex/\nRUN echo more >>/home/agent/.codex/AGENTS.md\n' >context/Dockerfile
	run -0 "$BAWN" template build -t made context
	rm -r context
	run -0 look codex 'cat ~/.codex/AGENTS.md ~/.codex/config.toml; echo x >>~/.codex/AGENTS.md' -q --template made
	[[ $output == "the TEAM speaks
more"*"You work in a sandbox"*'model = "of-the-template"'* ]] || fail "$output"
}

@test "save: prompts and settings that were changed inside are in the template, what only came along is not" {
	load agents.sh
	box
	look_profile codex
	look_profile claude
	mkdir -p "$HOME/.codex/prompts" "$HOME/.claude"
	echo 'the USER speaks' >"$HOME/.codex/AGENTS.md"
	echo 'a prompt of the user' >"$HOME/.codex/prompts/p.md"
	echo '{"language": "german"}' >"$HOME/.claude/settings.json"
	echo 'model_reasoning_effort = "high"' >"$HOME/.codex/config.toml"
	"$BAWN" rm -f box
	"$BAWN" create --template base:1 --name box codex-look . >/dev/null
	"$BAWN" run -q --name box codex-look -- 'echo the TEAM speaks >>~/.codex/AGENTS.md
		echo "[mcp_servers.own]" >>~/.codex/config.toml; echo "command = \"/opt/own\"" >>~/.codex/config.toml
		mkdir -p ~/.claude ~/.codex/skills/s; echo skill >~/.codex/skills/s/SKILL.md; touch ~/.codex/prompts/p.md
		echo "{\"model\": \"of-the-template\"}" >~/.claude/settings.json; echo mine >>~/.gitconfig'
	template save -q box made
	rm -r "$HOME/.codex" "$HOME/.claude"
	mkdir -p "$T/other"
	run -0 "$BAWN" run --rm -q --template made codex-look "$T/other" -- 'cat ~/.codex/AGENTS.md ~/.codex/config.toml ~/.codex/skills/s/*; ls ~/.codex/prompts; grep -c mine ~/.gitconfig || :'
	[[ $output == "the USER speaks"*"the TEAM speaks"*"the workspace $T/other is"* ]] || fail "$output"
	refute_output "the workspace $WS is"
	assert_output '[mcp_servers.own]
command = "/opt/own"'
	assert_output "[projects.\"$T/other\"]"
	assert_output skill
	refute_output p.md
	[[ $output == *$'\n0' ]] || fail "$output"
	run -0 "$BAWN" run --rm -q --template made claude-look "$T/other" -- 'cat ~/.claude/settings.json'
	assert_output of-the-template
	assert_output skipDangerousModePermissionPrompt
	refute_output german
}

@test "TPL-16 save: a secret stops it, is named by path and line, and never told; --allow-secret lets a path pass" {
	box
	printf %s "tr/4ub+our-\"9x-and-more" | "$BAWN" secret set --value-stdin mine
	inside sh -c "printf 'a\nb\n%s\n' 'key $GHP' >/opt/conf; echo '_authToken=abcdef' >~/.npmrc; mkdir ~/k; echo '$GHP' >~/k/a"
	printf 'u:%s' "tr/4ub+our-\"9x-and-more" | base64 | inside sh -c 'cat >~/encoded'
	MY_SERVICE_TOKEN=just-some-words-here inside sh -c 'echo x just-some-words-here >/opt/words'
	before=$(tags)
	MY_SERVICE_TOKEN=just-some-words-here run -125 template save -q box made:1
	assert_output '/opt/conf:3: a GitHub token'
	assert_output '/home/agent/.npmrc:1: a credential'
	assert_output '/home/agent/encoded:1: the secret mine, as base64'
	assert_output '/opt/words:1: the value of MY_SERVICE_TOKEN'
	assert_output '5 secrets found: no template was made'
	assert_output '--allow-secret /'
	refute_output "$GHP"
	refute_output abcdef
	refute_output 4ub
	refute_output just-some
	[ "$(tags)" = "$before" ]
	nothing_half
	# a path, and no more than that
	run -125 template save -q --allow-secret /opt/conf --allow-secret /home/agent/k box made:1
	refute_output '/opt/conf'
	assert_output '2 secrets found'
	run -125 template save -q --allow-secret opt/conf box made:1
	assert_output 'absolute path inside'
	run -0 template save -q --allow-secret /opt/ --allow-secret /home/agent box made:1
	assert_output 'let pass: /opt/conf:3: a GitHub token'
	assert_output 'let pass: /home/agent/encoded:1: the secret mine, as base64'
	refute_output "$GHP"
	[ "$(tags)" = "base:1 made:1 " ]
}

@test "TPL-18 save: what runs stands still for it and goes on; the state is of one instant" {
	box
	# two files that are never apart but for an instant
	"$BAWN" exec -d box bash -c 'i=0; while :; do i=$((i + 1)); echo $i >/opt/t; mv /opt/t /opt/a; echo $i >/opt/t; mv /opt/t /opt/b; done' 3>&-
	eventually inside sh -c "test -e /opt/b"
	run -0 template save -q box live
	was=$(inside cat /opt/b)
	eventually bash -c "[ \"\$('$BAWN' exec box cat /opt/b)\" -gt $was ]"
	"$BAWN" stop box >/dev/null
	mkdir -p "$T/other"
	run -0 "$BAWN" run --rm -q --template live shell "$T/other" -- cat /opt/a /opt/b
	[ "${#lines[@]}" = 2 ] && [ $((lines[0] - lines[1])) -le 1 ] && [ $((lines[0] - lines[1])) -ge 0 ]
	nothing_half
	# the copy is gone with it
	[ -z "$(find "$XDG_DATA_HOME/bawn/layers" -mindepth 1 ! -name '*lock' 2>/dev/null)" ]
}

@test "save: of what was checkpointed and written since; --squash makes one layer of all" {
	box
	inside sh -c 'echo one >/opt/one; echo old >/opt/both'
	"$BAWN" checkpoint box first >/dev/null
	inside sh -c 'echo two >/opt/two; echo new >/opt/both; rm /etc/image-file'
	template save -q box made
	template save -q --squash box flat
	mkdir -p "$T/other"
	for t in made flat; do
		run -0 "$BAWN" run --rm -q --template "$t" shell "$T/other" -- sh -c 'cat /opt/one /opt/two /opt/both; test -e /etc/image-file || echo 1; echo $FROM_BASE'
		[ "$output" = $'one\ntwo\nnew\n1\nyes' ] || fail "$t"
	done
	[ "$(template inspect --json flat | grep -c '"diff"\|"layer"')" -le "$(template inspect --json made | grep -c '"diff"\|"layer"')" ]
	run -0 template ls
	[[ $output =~ flat:latest\ .*\ 1\ +linux ]]
	[[ $output =~ made:latest\ .*\ 2\ +linux ]]
	nothing_half
}

@test "save: --squash keeps the owners of the template's links and FIFOs; others read them so" {
	need command -v skopeo -- skopeo
	need command -v umoci -- umoci
	box
	inside ln -s made /opt/made
	template save -q --squash -o "$T/flat.tar" box flat:1
	skopeo copy -q docker-archive:"$T/flat.tar" oci:"$T/oci:flat" >/dev/null
	umoci unpack --rootless --image "$T/oci:flat" "$T/bundle" >/dev/null 2>&1
	[ "$(readlink "$T/bundle/rootfs/etc/of-web" "$T/bundle/rootfs/opt/made" | tr '\n' ' ')" = "passwd made " ]
	run -0 /usr/bin/python3 - "$T/oci" <<-'PY'
		import json, sys, tarfile
		blob = lambda d: open(sys.argv[1] + "/blobs/sha256/" + d["digest"][7:], "rb")
		manifest = json.load(blob(json.load(open(sys.argv[1] + "/index.json"))["manifests"][0]))
		assert len(manifest["layers"]) == 1
		with tarfile.open(fileobj=blob(manifest["layers"][0])) as t:
		    for name in "etc/of-web", "etc/pipe", "opt/made", "usr/bin/sh":
		        print(name, t.getmember(name).uid, t.getmember(name).gid)
	PY
	assert_output "etc/of-web 33 34
etc/pipe 5 6
opt/made 0 0
usr/bin/sh 0 0"
}

@test "save: -o writes an archive, too, that another store takes" {
	box
	inside sh -c 'echo tool >/opt/tool'
	template save -q -o "$T/a.tar" box team/tools:v1
	export XDG_DATA_HOME=$T/elsewhere
	run -0 template load -q "$T/a.tar"
	assert_output team/tools:v1
	mkdir -p "$T/other"
	run -0 "$BAWN" run --rm -q --template team/tools:v1 shell "$T/other" -- cat /opt/tool
	[ "$output" = tool ]
}

@test "save: what can't be saved, and why" {
	"$BAWN" create --name plain shell "$WS" >/dev/null
	run -125 template save plain x:1
	assert_output 'is on template host'
	assert_output 'bawn create --template'
	run -125 template save nobody x:1
	assert_output "no sandbox 'nobody'"
	run -125 template save -q --squash base:1
	assert_output 'are for saving a sandbox'
	box
	for name in ../../x -- '' 'A B' x:1@sha256:0 "$(printf 'x%.0s' {1..5000})"; do
		run template save -q box "$name"
		[ "$status" != 0 ] || fail "took '$name'"
	done
	[ "$(tags)" = "base:1 " ]
	nothing_half
}

@test "TPL-18 save: killed at any instant, it leaves no half template" {
	local i
	# or it was over before anybody looked
	seen() { eventually bash -c "$1 || ! kill -0 $! 2>/dev/null"; }
	box
	inside sh -c 'for i in 1 2 3 4 5 6 7 8; do cat /usr/bin/bash >/opt/b$i; done'
	for i in 1 2 3 4 5 6; do
		template save -q box made:$i >/dev/null 2>&1 3>&- &
		# events of its own making: tmp/ is there, a layer's tree, the end
		case $i in
		1) seen "ls '$STORE/tmp' | grep -q ." ;;
		2) seen "ls '$STORE'/tmp/*/fs | grep -q ." ;;
		3) seen "ls '$STORE'/tmp/*/fs/opt | grep -q b3" ;;
		4) seen "ls '$STORE'/tmp/*/fs/opt | grep -q b8" ;;
		5) seen "[ \$(ls '$STORE/layers' | wc -l) -gt 1 ]" ;;
		esac
		kill -9 "$!" 2>/dev/null || :
		wait "$!" 2>/dev/null || :
	done
	# whatever went with it has ended, and what is left is garbage that the next command removes
	eventually template prune
	template verify -q
	run -0 template save -q box made:last
	template verify -q
	for t in $(tags); do template inspect "$t" >/dev/null; done
	[[ $(tags) == *"base:1 "*"made:last "* ]]
}

@test "a sandbox whose agent has shut its own / or home can be saved, and starts again" {
	local mode
	box
	for mode in 000 111 444; do
		inside sh -c "echo kept $mode >/made; chmod $mode /"
		"$BAWN" stop box
		run -0 "$BAWN" template save box shut:v1
		run -0 "$BAWN" run --rm -q --template shut:v1 shell . -- cat /made
		assert_output "kept $mode"
		inside chmod "$mode" /
		"$BAWN" stop box
		run -0 "$BAWN" run -q box -- cat /made
		assert_output "kept $mode"
	done
	# without a template: the home
	"$BAWN" create -q --name plain shell .
	"$BAWN" exec plain sh -c 'echo kept >~/made; chmod 0 ~'
	"$BAWN" stop plain
	run -0 "$BAWN" run -q plain -- sh -c 'cat ~/made'
	assert_output kept
	# one that can be read is as it was left
	"$BAWN" exec plain sh -c 'chmod 500 ~'
	"$BAWN" stop plain
	run -0 "$BAWN" run -q plain -- sh -c 'stat -c %a ~'
	assert_output 500
	"$BAWN" rm -f plain
}
