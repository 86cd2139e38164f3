#!/usr/bin/env bats
# imports.bats - what the user's instructions import by "@path" comes along, and what must not does not.
# shellcheck disable=SC2088  # the tildes are what bawn prints
load ../lib.sh
load agents.sh
setup() {
	bawn_setup
	mkdir -p "$HOME/.claude"
}
teardown() { bawn_teardown; }

file() { # PATH below the home; the text is standard input
	mkdir -p "$(dirname "$HOME/$1")"
	cat >"$HOME/$1"
}

SHOW='cd ~; for f in $(find . -path ./project -prune -o -type f -print); do echo "== $f"; cat $f; done 2>/dev/null; echo END'

@test "imports: real agents read them as they do on the host, near, in the home and nested" {
	need_agents
	need_runnable claude
	start_model '{"commands":["true"],"final":"OVER","watch":["NEARWORDS","HOMEWORDS","NESTEDWORDS"]}'
	file .claude/CLAUDE.md <<<$'@NEAR.md\nSee @~/notes/home.md for more.'
	file .claude/NEAR.md <<<$'NEARWORDS\n- @sub/nested.md'
	file .claude/sub/nested.md <<<'NESTEDWORDS'
	file notes/home.md <<<'HOMEWORDS'
	lead claude
	run timeout 60 "$BAWN" run --rm "${LEAD[@]}" claude "$WS" -- "${TASK[@]}" </dev/null
	assert_status 0
	grep -q '"seen":\["NEARWORDS","HOMEWORDS","NESTEDWORDS"\]' "$MODEL_LOG" ||
		fail "$(grep -o '"seen":[^]]*]' "$MODEL_LOG")"
	: >"$MODEL_LOG"
	file .gemini/GEMINI.md <<<$'@./NEAR.md'
	file .gemini/NEAR.md <<<'NEARWORDS'
	lead gemini
	run timeout 60 "$BAWN" run --rm "${LEAD[@]}" gemini "$WS" -- "${TASK[@]}" </dev/null
	assert_status 0
	grep -q '"seen":\["NEARWORDS"\]' "$MODEL_LOG" || fail "$(grep -o '"seen":[^]]*]' "$MODEL_LOG")"
	# the host's are as they were, and --bare-home brings none
	[ "$(cat "$HOME/.claude/NEAR.md")" = $'NEARWORDS\n- @sub/nested.md' ]
	run look claude "$SHOW" --offline --bare-home
	refute_output NEARWORDS HOMEWORDS NESTEDWORDS
}

@test "imports: texts that opencode's settings name are there, others are withheld, and by way of a link none" {
	need_agents
	start_model '{"commands":["true"],"final":"OVER","watch":["PROMPTWORDS","RULEWORDS","HOMEWORDS"]}'
	file .config/opencode/prompts/b.txt <<<'PROMPTWORDS'
	file .config/opencode/rules/r.md <<<'RULEWORDS'
	file notes/h.md <<<'HOMEWORDS'
	file .config/opencode/key.txt <<<'KEYWORDS'
	file .config/opencode/opencode.json <<-'EOT'
		{"agent": {"build": {"prompt": "{file:./prompts/b.txt} and {file:~/notes/h.md}"}},
		 "instructions": ["~/.config/opencode/rules/*.md", "docs/*.md", "https://example.org/x.md"]}
	EOT
	lead opencode
	run timeout 60 "$BAWN" run --rm "${LEAD[@]}" opencode "$WS" -- "${TASK[@]}" </dev/null
	assert_status 0
	grep -q '"seen":\["PROMPTWORDS","RULEWORDS","HOMEWORDS"\]' "$MODEL_LOG" ||
		fail "$(grep -o '"seen":[^]]*]' "$MODEL_LOG")"
	# a key's place stays one, whatever the file is called; so does what is no text, or elsewhere
	file .config/opencode/opencode.json <<-'EOT'
		{"agent": {"a": {"prompt": "{file:../../private.md}"}, "b": {"prompt": "{file:/etc/motd.txt}"},
		  "c": {"prompt": "{file:~/.netrc}"}, "d": {"prompt": "{file:./prompts/b.txt} {file:./key}"}},
		 "mcp": {"m": {"type": "remote", "url": "https://example.org",
		   "headers": {"Authorization": "Bearer {file:./key.txt}", "X-Api-Key": "{file:./key.txt}"}}}}
	EOT
	run look opencode 'cat ~/.config/opencode/opencode.json' --offline
	assert_status 0
	refute_output '"{file:' 'Bearer {file' 'b.txt} '
	assert_output 'agent.a.prompt: the content of another file'
	assert_output 'headers.Authorization: a credential'
	# settings that a repository holds name nothing but what lies beside them
	file dotfiles/opencode.json <<-'EOT'
		{"agent": {"build": {"prompt": "{file:~/private/diary.md} {file:./prompts/b.txt}"}},
		 "instructions": ["~/private/*.md"]}
	EOT
	file private/diary.md <<<"$CANARY"
	ln -sf ../../dotfiles/opencode.json "$HOME/.config/opencode/opencode.json"
	run look opencode "$SHOW" --offline
	assert_status 0
	refute_canary
	assert_output '~/private/diary.md: imported by way of a link (a further PATH brings it)' \
		'agent.build.prompt: the text that it names is not inside'
	# which ends nothing
	run timeout 60 "$BAWN" run --rm "${LEAD[@]}" opencode "$WS" -- "${TASK[@]}" </dev/null
	assert_status 0
	assert_output OVER
}

@test "imports: what is none, what is no text, what is outside and what looks secret" {
	echo OUTSIDEWORDS >"$T/outside.md"
	file .claude/CLAUDE.md <<-EOT
		@loop.md @with\\ blank.md write to me@near.md, use @anthropic-ai/claude-code, @absent.md
		In code: \`@code.md\` and \`\` \`@code.md\` \`\`.
		\`\`\`sh
		@code.md
		\`\`
		@code.md
		\`\`\`
		~~~~
		@code.md
		~~~
		@code.md
		~~~~
		@../.claude/./behind.md
		@tool.sh @$T/outside.md @~/keys.txt @credentials.txt @~/notes @/usr/bin/env @../../../../../..$T/outside.md
	EOT
	file .claude/loop.md <<<'LOOPWORDS @loop.md @CLAUDE.md'
	file '.claude/with blank.md' <<<'BLANKWORDS'
	file .claude/behind.md <<<'BEHINDWORDS'
	file .claude/code.md <<<'CODEWORDS'
	file .claude/near.md <<<'NEARWORDS'
	file .claude/tool.sh <<<'TOOLWORDS'
	file .claude/credentials.txt <<<'NAMEDWORDS'
	file keys.txt <<<"KEYWORDS key: sk-ant-api03-$(printf 'x%.0s' {1..80}) behind"
	mkdir -p "$HOME/notes"
	run look claude "$SHOW" --offline
	assert_status 0
	assert_output LOOPWORDS BEHINDWORDS 'KEYWORDS key: [withheld by bawn]' behind END
	grep -q '^== ./.claude/with blank.md\|BLANKWORDS' <(look claude 'cat ~/.claude/with*' --offline 2>&1) ||
		fail "a name with a blank"
	refute_output CODEWORDS NEARWORDS TOOLWORDS OUTSIDEWORDS xxxxxxxx
	assert_output '~/.claude/CLAUDE.md: @tool.sh: no text by its name (a further PATH brings it)' \
		"~/.claude/CLAUDE.md: @$T/outside.md: it is not inside (a further PATH brings it)" \
		'~/keys.txt: '
	# each once, and nothing of what is none
	[ "$(grep -o '@tool.sh: no text' <<<"$output" | wc -l)" = 1 ] || fail "told twice"
	output=$(grep '^bawn: ' <<<"$output")
	refute_output '@anthropic-ai' '@absent' '@/usr/bin/env' '@~/notes' '@code'
	# and it does
	run "$BAWN" run --rm --offline claude-look "$WS" "$HOME/.claude/tool.sh:ro" "$T/outside.md:ro" -- \
		"cat ~/.claude/tool.sh $T/outside.md"
	assert_output TOOLWORDS OUTSIDEWORDS
	refute_output 'is not inside' 'no text'
}

@test "imports: a name that secrets have is withheld" {
	local n names=(id_rsa.txt .env.md credentials.txt)
	for n in "${names[@]}"; do
		echo "words of $n" >"$HOME/$n"
		echo "@~/$n"
	done >"$HOME/.claude/CLAUDE.md"
	run look claude "$SHOW" --offline
	assert_status 0
	for n in "${names[@]}"; do
		assert_output "~/$n: its name"
		refute_output "words of $n"
	done
}

@test "CFG-04 imports: by way of a workspace nobody brings what lies elsewhere in the home" {
	file private/diary.md <<<"$CANARY"
	# the instructions are kept in a repository, and the last agent there added a line
	file dotfiles/CLAUDE.md <<<$'@NEAR.md\n@~/private/diary.md @../private/diary.md'
	file dotfiles/NEAR.md <<<$'NEARWORDS\n@~/private/diary.md'
	ln -s ../dotfiles/CLAUDE.md "$HOME/.claude/CLAUDE.md"
	ln -s ../dotfiles/NEAR.md "$HOME/.claude/NEAR.md"
	local ws
	for ws in "$WS" "$HOME/dotfiles"; do
		cd "$ws"
		run "$BAWN" profile ls
		WS=$ws run look claude "$SHOW" --offline
		assert_status 0
		refute_canary
		assert_output NEARWORDS \
			'@~/private/diary.md: imported by way of a link (a further PATH brings it)'
	done
	# nor what lies beside the link that leads to them: another project's notes
	file .claude/projects/other/notes.md <<<"$CANARY"
	file dotfiles/CLAUDE.md <<<'@projects/other/notes.md @~/.claude/projects/other/notes.md'
	run look claude "$SHOW" --offline
	refute_canary
	assert_output '@projects/other/notes.md: imported by way of a link'
	rm -r "$HOME/.claude/projects"
	# nor by a file of another repository that the user's own instructions import, or by a link in its place
	rm "$HOME/.claude/CLAUDE.md"
	file .claude/CLAUDE.md <<<'@~/team/NOTES.md'
	file team/beside.md <<<'BESIDEWORDS'
	file team/NOTES.md <<<'TEAMWORDS @beside.md @~/private/diary.md @../private/diary.md'
	run look claude "$SHOW" --offline
	assert_status 0
	assert_output TEAMWORDS BESIDEWORDS '@../private/diary.md: imported by way of a link'
	refute_canary
	local to
	for to in private/words.csv private/diary.md .config/rclone/rclone.conf; do
		file "$to" <<<"$CANARY"
		ln -sf "../$to" "$HOME/team/NOTES.md"
		run look claude "$SHOW" --offline
		assert_output '@~/team/NOTES.md: imported by way of a link'
		refute_canary
		rm "$HOME/$to"
	done
	rm -r "$HOME/team" "$HOME/.claude/CLAUDE.md"
	# and where the directory of the settings itself is what the agent works in
	rm "$HOME/.claude/NEAR.md"
	file private/diary.md <<<"$CANARY"
	file dotfiles/CLAUDE.md <<<'@NEAR.md @~/private/diary.md'
	cp "$HOME"/dotfiles/*.md "$HOME/.claude"
	cd "$HOME/.claude"
	WS=$HOME/.claude run look claude "cat ~/private/diary.md; echo END" --offline
	assert_output END
	refute_canary
}

@test "imports: endless, deep and many ones end" {
	local i
	for ((i = 0; i < 100; i++)); do
		echo "WORDS$i." >"$HOME/.claude/many$i.md"
		echo "@many$i.md"
	done >"$HOME/.claude/CLAUDE.md"
	echo "DEEP0. @deep1.md" >"$HOME/.claude/many0.md"
	for ((i = 1; i < 10; i++)); do
		echo "DEEP$i. @deep$((i + 1)).md" >"$HOME/.claude/deep$i.md"
	done
	run look claude "$SHOW" --offline
	assert_status 0
	assert_output DEEP0. DEEP3. WORDS50.
	refute_output DEEP7. WORDS99.
	assert_output 'too many imports: this one and the next stay outside'
	[ "$(grep -o 'too many' <<<"$output" | wc -l)" = 1 ] || fail "told twice"
}
