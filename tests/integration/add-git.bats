#!/usr/bin/env bats
# add-git.bats - ADD of repositories (TPL-14): what of them is copied, whom git may reach, and what strangers
# put into theirs.  On a small internet of its own (net/world), in which add-server.py answers.
bats_require_minimum_version 1.5.0
load ../lib.sh
load ../net/lib.sh
load build.sh
load add.sh

# repo NAME: a repository that the server has, of which $R is the work tree.
repo() {
	R=$BATS_TEST_TMPDIR/work-$1
	mkdir -p "$WORLD/add.log.git"
	rm -rf "$WORLD/add.log.git/$1.git"
	git init -q --bare -b main "$WORLD/add.log.git/$1.git"
	git -C "$WORLD/add.log.git/$1.git" config uploadpack.allowAnySHA1InWant "${2:-true}"
	git init -q -b main "$R"
	git -C "$R" config user.name 'Test User'
	git -C "$R" config user.email test@example.com
	git -C "$R" remote add origin "$WORLD/add.log.git/$1.git"
}

commit() { # FILE TEXT
	mkdir -p "$R/$(dirname "$1")"
	echo "$2" >"$R/$1"
	git -C "$R" add -A
	git -C "$R" commit -qm "$2"
	git -C "$R" push -q origin HEAD:main
	git -C "$R/" push -q --tags
	git -C "$(git -C "$R" remote get-url origin)" update-server-info
}

@test "ADD of a repository: its branch, tag or commit, all of it or a directory; git's own only if asked for" {
	local first kind
	repo one
	commit dir/a first
	chmod 755 "$R/dir/a"
	ln -s dir/a "$R/link"
	commit b second
	git -C "$R" tag v1
	first=$(git -C "$R" rev-parse HEAD)
	git -C "$R" checkout -q -b side
	commit c/d third
	git -C "$R" push -q origin side
	git -C "$R" push -qf origin "$first:main"
	git -C "$WORLD/add.log.git/one.git" update-server-info
	for kind in git dumb; do
		dockerfile <<-E
			FROM scratch
			ADD $AT/$kind/one.git /main
			ADD --chown=3:4 $AT/$kind/one.git#side:c /side
			ADD $AT/$kind/one.git#v1 /tag/
			ADD $AT/$kind/one.git#$first:dir /commit
			ADD --exclude=b --exclude=link $AT/$kind/one.git#:. /part
			ADD --keep-git-dir=true $AT/$kind/one.git#v1 /keep
		E
		run -0 build -t x "$C"
		files x | cut -d' ' -f1-3 | grep -v 'keep/.git/' | LC_ALL=C sort -u >"$T/got"
		diff - "$T/got" <<-E
			commit 755 0:0
			commit/a 755 0:0
			keep 755 0:0
			keep/.git 755 0:0
			keep/b 644 0:0
			keep/dir 755 0:0
			keep/dir/a 755 0:0
			keep/link 777 0:0
			main 755 0:0
			main/b 644 0:0
			main/dir 755 0:0
			main/dir/a 755 0:0
			main/link 777 0:0
			part 755 0:0
			part/dir 755 0:0
			part/dir/a 755 0:0
			side 755 3:4
			side/d 644 3:4
			tag 755 0:0
			tag/b 644 0:0
			tag/dir 755 0:0
			tag/dir/a 755 0:0
			tag/link 777 0:0
		E
	done
	# by whatever way it came, it is what was there
	[ "$(grep -c CACHED <<<"$output")" -ge 5 ]
	[ -z "$(ls -A "$XDG_DATA_HOME/bawn/templates/tmp")" ]
}

@test "ADD of a repository: submodules come along, from where the policy allows; none of this machine's files" {
	local url
	repo sub
	commit inner sub
	repo top
	git -C "$R" -c protocol.file.allow=always submodule --quiet add "$WORLD/add.log.git/sub.git" module
	git -C "$R" config -f .gitmodules submodule.module.url ../sub.git
	commit outer top
	printf 'FROM scratch\nADD %s/git/top.git /\n' "$AT" | dockerfile
	run -0 build -t x "$C"
	files x | cut -d' ' -f1 | LC_ALL=C sort >"$T/got"
	diff - <(grep -v '/$' "$T/got") <<<$'.gitmodules\nmodule\nmodule/inner\nouter'
	# also where no server knows of depths, and the commit is not the last one
	(R=$BATS_TEST_TMPDIR/work-sub && commit later sub)
	git -C "$WORLD/add.log.git/top.git" update-server-info
	sed -i 's/git/dumb/' "$C/Dockerfile"
	run -0 build -t y "$C"
	files y | cut -d' ' -f1 | LC_ALL=C sort | diff "$T/got" -
	sed -i 's/dumb/git/' "$C/Dockerfile"
	for url in http://denied.example:8080/git/sub.git "file://$WORLD/add.log.git/sub.git" "ext::sh -c id" \
		"$WORLD/add.log.git/sub.git" ssh://add.example/sub.git; do
		git -C "$R" config -f .gitmodules submodule.module.url "$url"
		commit outer "$url"
		run -125 build -t z "$C"
		assert_output "Dockerfile:2:5: $AT/git/top.git: " || return 1
		case $url in
		http:*) assert_output "denied.example:8080: a rule denies it" ;;
		/*) assert_output "does not exist" ;;
		*) assert_output "not allowed" ;;
		esac || return 1
	done
	run ! "$BAWN" template inspect z
}

@test "TPL-15 ADD of a repository: git reaches whom the policy of builds allows" {
	local url
	repo one
	commit a first
	for url in http://denied.example:8080/git/one.git http://loop.example:8080/git/one.git \
		https://add.example/git/one.git "$AT/to.git?http://denied.example:8080/x.git"; do
		printf 'FROM scratch\nADD %s /f\n' "$url" | dockerfile
		run -125 build -t y "$C"
		assert_output "Dockerfile:2:5: $url: " || return 1
		assert_output "denied during this run:" || return 1
		assert_output "was denied: see above" || return 1
	done
	nothing_came canary
	sed -i 's/^allow.*/allow: ["*.example:9443"]/' "$XDG_CONFIG_HOME/bawn/policies/build.yaml"
	printf 'FROM scratch\nADD https://add.example:9443/git/one.git /f\n' | dockerfile
	run -125 build -t y "$C"
	assert_output "git could not get it"
	SSL_CERT_FILE=$WORLD/add.crt run -0 build -t y "$C"
}

@test "TPL-14 ADD of a repository: nothing leads out of it, and no word of it is an option" {
	local word
	plant "$T/secret"
	repo one
	ln -s / "$R/root"
	ln -s ../../../../../../../../../.. "$R/up"
	ln -s "$T/secret" "$R/leak"
	commit a first
	printf 'FROM scratch\nADD %s/git/one.git /\n' "$AT" | dockerfile
	run -0 build -t x "$C"
	"$BAWN" template save -o "$T/x.tar" x
	refute_canary "$T/x.tar"
	for word in "#:.." "#:../../.." "#:root$T" "#:up$T" "#:root/etc" "#:leak" "#:none" "#none" \
		"#$(printf '%040d' 7)"; do
		printf 'FROM scratch\nADD %s/git/one.git%s /f\n' "$AT" "$word" | dockerfile
		run -125 build -t y "$C"
		assert_output "Dockerfile:2:5: $AT/git/one.git" || return 1
		refute_canary || return 1
	done
	for word in "$AT/git/one.git#--upload-pack=id" "$AT/git/one.git#a..b" "$AT/git/one.git#a b" \
		"$AT/git/one.git#x@{1}" "http://u:p@add.example/x.git" git@add.example:x.git \
		ssh://git@add.example/x.git git://add.example/x.git "http:///x.git" "$AT/none.git" "$AT/garbage.git"; do
		printf 'FROM scratch\nADD ["%s", "/f"]\n' "$word" | dockerfile
		run -125 build -t y "$C"
		assert_output "Dockerfile:2:" || return 1
		assert_output $'\n  ADD ' || return 1
	done
	run ! "$BAWN" template inspect y
	[ -z "$(ls -A "$XDG_DATA_HOME/bawn/templates/tmp")" ]
}

@test "a context that is a repository: its files, without what git keeps, and its Dockerfile" {
	local word
	repo ctx
	printf 'FROM scratch\nCOPY . /all/\n' >"$R/Dockerfile"
	mkdir "$R/sub"
	printf 'FROM scratch\nCOPY . /sub/\n' >"$R/sub/Dockerfile"
	printf 'FROM scratch\nCOPY a /other/\n' >"$R/D"
	commit a first
	git -C "$R" tag v1
	printf 'sub\n!sub/Dockerfile\n' >"$R/.dockerignore"
	ln -s "$T/secret" "$R/Dockerfile.evil"
	plant "$T/secret"
	commit a second
	git -C "$R" push -q --tags
	run -0 build -t x "$AT/git/ctx.git"
	assert_output "bawn: $AT/git/ctx.git is fetched"
	files x | cut -d' ' -f1 | LC_ALL=C sort >"$T/got"
	diff - "$T/got" <<<$'all\nall/.dockerignore\nall/D\nall/Dockerfile\nall/Dockerfile.evil\nall/a\nall/sub\nall/sub/Dockerfile'
	run -0 build -t x "$AT/git/ctx.git#v1:sub"
	files x | cut -d' ' -f1 | LC_ALL=C sort | diff <(printf 'sub\nsub/Dockerfile\n') -
	run -0 build -t x -f D "$AT/git/ctx.git#v1"
	files x | cut -d' ' -f1 | LC_ALL=C sort | diff <(printf 'other\nother/a\n') -
	for word in "-f Dockerfile.evil $AT/git/ctx.git" "-f ../../../etc/passwd $AT/git/ctx.git" \
		"$AT/git/ctx.git#none" "$AT/git/ctx.git#:a" git@add.example:x.git http://denied.example:8080/git/ctx.git; do
		# shellcheck disable=SC2086  # words
		run -125 build -t y $word
		refute_canary || return 1
		refute_output root: || return 1
	done
	assert_output "the context: http://denied.example:8080/git/ctx.git: it, or what it leads to, was denied"
	run ! "$BAWN" template inspect y
	[ -z "$(ls -A "$XDG_DATA_HOME/bawn/templates/tmp")" ]
}
