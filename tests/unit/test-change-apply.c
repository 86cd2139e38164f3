/* tests/unit/test-change-apply.c - bawn-change lands, refuses and discards. */
#include "change-world.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/tree.h"
#include "change/aside.h"

static const char same_as_merged[] =
	"list() { (cd \"$1\" && find . -printf '%p %y %#m %l\n' | LC_ALL=C sort && find . -type f "
	"-readable -exec sha1sum {} + | LC_ALL=C sort -k2); } && list merged >merged.list && "
	"list base >base.list && diff -a base.list merged.list";

static const char before[] =
	"cd base && seq 1 300 >numbers && echo old >mod && echo gone >gone && ln -s mod link && "
	"mkdir -p d/e tree/sub && echo 1 >d/e/f && echo 2 >tree/sub/x && echo 3 >tree/y && "
	"echo t >tofile && mkdir -p todir.d/in && echo z >todir.d/z && echo f >dirnow && "
	"echo s >same && echo x >onlymode && mkdir closed && echo c >closed/c && chmod 555 closed";
static const char inside[] =
	"sed -i '10d' numbers; echo more >>mod; rm gone; ln -sfn elsewhere link; rm -r tree; rm "
	"tofile; "
	"ln -s mod tofile; rm -r todir.d; echo now a file >todir.d; rm dirnow; mkdir dirnow; "
	"echo in >dirnow/in; touch same; chmod 755 onlymode; mkdir -p deep/er; echo d >deep/er/f; "
	"mkdir emptydir; chmod 700 emptydir; rm -r d; mkdir d; echo other >d/g; "
	"head -c 200000 /dev/urandom >bin; chmod 4755 bin; truncate -s 1M sparse; chmod 600 mod; "
	"chmod 755 closed; echo c2 >closed/c; rm -r closed/../emptydir; mkdir emptydir; "
	"chmod 500 emptydir";

static void start(struct world *w)
{
	world_sh_ok(w, before);
	world_start(w);
	world_inside(w, false, inside);
	/* what never lands */
	world_sh_ok(w, "chmod 755 merged/bin");
}

static size_t count(const struct world *w, enum change_state s)
{
	size_t n = 0;
	for (size_t i = 0; i < w->res.n; i++)
		n += w->res.v[i].state == s;
	return n;
}

static void everything_lands(void **state)
{
	struct world *w = *state;
	start(w);
	struct change_request q = world_request(w, CHANGE_APPLY, false);
	q.dry_run = true;
	world_must(w, &q, -1);
	assert_false(w->res.done);
	assert_int_equal(count(w, CHANGE_SEEN), w->res.n);
	world_sh_ok(w, "grep -q old base/mod && test ! -e base/bin && test ! -e state/landed");
	q.dry_run = false;
	world_must(w, &q, -1);
	assert_true(w->res.done);
	assert_int_equal(count(w, CHANGE_LANDED), w->res.n);
	world_sh_ok(w, same_as_merged);
	world_sh_ok(w,
		"test ! -u base/bin && test -z \"$(find up -mindepth 1)\" && "
		"test -z \"$(find trash -mindepth 1)\" && test \"$(ls state)\" = landed");
	world_must(w, &q, -1);
	assert_int_equal(w->res.n, 0);
}

static void a_part_lands(void **state)
{
	struct world *w = *state;
	start(w);
	struct change_request q = world_request(w, CHANGE_APPLY, false);
	strv_add(&w->a, &q.paths, "d");
	strv_add(&w->a, &q.paths, "gone");
	world_must(w, &q, -1);
	assert_true(w->res.done);
	world_sh_ok(w,
		"test ! -e base/gone && test ! -e base/d/e && grep -q other base/d/g && "
		"grep -q old base/mod && test ! -e up/gone && test ! -e up/d && test -e up/mod");
	q.paths = (struct strv){0};
	world_must(w, &q, -1);
	world_sh_ok(w, same_as_merged);
}

/* While it runs, the upper is left alone; what was landed is no change any more, and the agent's
 * next edit of it no conflict. */
static void a_running_sandbox_keeps_its_upper(void **state)
{
	struct world *w = *state;
	world_text(w->base, "f", "1\n");
	world_start(w);
	world_text(w->up, "f", "2\n");
	world_text(w->up, "new", "2\n");
	struct change_request q = world_request(w, CHANGE_APPLY, false);
	q.running = true;
	world_must(w, &q, -1);
	world_sh_ok(w, "grep -q 2 base/f && grep -q 2 up/f && grep -q 2 base/new");
	world_must(w, &q, -1);
	assert_int_equal(w->res.n, 0);
	world_text(w->up, "f", "3\n");
	world_text(w->up, "new", "3\n");
	world_must(w, &q, -1);
	assert_int_equal(w->res.n_landed, 2);
	world_sh_ok(w, "grep -q 3 base/f && grep -q 3 base/new");
}

static void the_hosts_edits_are_kept(void **state)
{
	struct world *w = *state;
	world_sh_ok(w,
		"cd base && for i in edited gone same moded old replaced; do echo 1 >$i; done; "
		"mkdir dir && echo 1 >dir/a && echo 1 >dir/b");
	world_start(w);
	world_inside(w, false,
		"for i in edited same moded old replaced; do echo 2 >$i; done; "
		"echo 2 >both; rm gone; rm -r dir; echo fine >fine");
	world_sh_ok(w,
		"cd base && echo host >edited && echo 2 >same && chmod 600 moded && echo host "
		">both "
		"&& echo host >gone && echo host >dir/a && echo h >x && mv x replaced && "
		"touch -d '2001-01-01' edited both");
	struct change_request q = world_request(w, CHANGE_APPLY, false);
	world_must(w, &q, -1);
	assert_false(w->res.done);
	static const char *const conflicts[] = {
		"edited", "moded", "both", "gone", "dir/a", "replaced", "dir"};
	for (size_t i = 0; i < ARRAY_LEN(conflicts); i++)
		if (world_item(w, conflicts[i])->state != CHANGE_CONFLICT)
			fail_msg("%s is no conflict", conflicts[i]);
	assert_null(world_item(w, "same"));
	assert_int_equal(world_item(w, "old")->state, CHANGE_SEEN);
	world_sh_ok(w, "test ! -e base/fine && grep -q 1 base/old");
	q.rest = true;
	world_must(w, &q, -1);
	assert_true(w->res.done);
	assert_int_equal(w->res.n_blocked, ARRAY_LEN(conflicts));
	world_sh_ok(w,
		"cd base; grep -q fine fine && grep -q 2 old && grep -q host edited && "
		"grep -q host dir/a && test ! -e dir/b && grep -q host gone && grep -q 1 moded && "
		"grep -q h replaced");
	strv_add(&w->a, &q.overwrite, "edited");
	strv_add(&w->a, &q.overwrite, "dir");
	world_must(w, &q, -1);
	world_sh_ok(w, "cd base; grep -q 2 edited && test ! -e dir && grep -q host both");
}

/* The host edits while the sandbox is stopped; a later session takes that up and goes on. */
static void a_later_session_has_seen_the_hosts_edit(void **state)
{
	struct world *w = *state;
	world_sh_ok(w, "echo 1 >base/f; echo 1 >base/early; echo 1 >base/never");
	world_start(w);
	world_inside(w, false, "echo 2 >early");
	world_sh_ok(w, "echo host >base/f; echo host >base/early");
	world_start(w);
	world_sh_ok(w, "chmod -R u+rwx work; rm -rf work");
	world_inside(w, false, "echo more >>f");
	struct change_request q = world_request(w, CHANGE_APPLY, false);
	world_must(w, &q, -1);
	assert_int_equal(world_item(w, "f")->state, CHANGE_SEEN);
	assert_int_equal(world_item(w, "early")->state, CHANGE_CONFLICT);
	/* with the first start alone it can't be told */
	q.n_since = 1;
	world_must(w, &q, -1);
	assert_int_equal(world_item(w, "f")->state, CHANGE_CONFLICT);
}

static void nothing_leaves_the_workspace(void **state)
{
	struct world *w = *state;
	world_sh_ok(w,
		"mkdir out && echo safe >out/f && mkdir base/real && echo 1 >base/real/f && "
		"echo 1 >base/f");
	world_start(w);
	world_text(w->up, "real/f", "evil\n");
	world_text(w->up, "real/new", "evil\n");
	world_text(w->up, "f", "evil\n");
	world_whiteout(w->up, "real/g");
	/* the host made links of its directory and its file */
	world_sh_ok(w,
		"rm -r base/real && ln -s ../out base/real && rm base/f && ln -s ../out/f base/f");
	struct change_request q = world_request(w, CHANGE_APPLY, false);
	q.rest = true;
	world_must(w, &q, -1);
	world_sh_ok(w,
		"grep -q safe out/f && test ! -e out/new && test -L base/real && test -L base/f");
	strv_add(&w->a, &q.overwrite, "");
	world_must(w, &q, -1);
	world_sh_ok(w, "grep -q safe out/f && test ! -e out/new");
}

static void what_is_never_landed(void **state)
{
	struct world *w = *state;
	world_text(w->base, ".env", "SECRET=1\n");
	world_text(w->base, "conf/.env", "SECRET=1\n");
	world_start(w);
	world_text(w->up, ".env", "");
	world_whiteout(w->up, "conf");
	world_text(w->up, ".bawn-land.0123", "x");
	world_sh_ok(w,
		"mkfifo up/fifo && mkdir up/shut && chmod 0 up/shut && echo x >up/closed && "
		"chmod 0 up/closed && echo x >up/fine && chmod 7777 up/fine");
	struct change_request q = world_request(w, CHANGE_APPLY, false);
	strv_add(&w->a, &q.masked, ".env");
	strv_add(&w->a, &q.masked, "conf/.env");
	q.rest = true;
	world_must(w, &q, -1);
	assert_int_equal(world_item(w, ".env")->state, CHANGE_REFUSED);
	assert_int_equal(world_item(w, "conf/.env")->state, CHANGE_REFUSED);
	assert_int_equal(world_item(w, "fifo")->state, CHANGE_REFUSED);
	assert_int_equal(world_item(w, "closed")->state, CHANGE_FAILED);
	world_sh_ok(w,
		"cd base && grep -q SECRET .env && grep -q SECRET conf/.env && test ! -e fifo && "
		"test ! -e .bawn-land.0123 && test \"$(stat -c %a fine)\" = 777 && "
		"test -z \"$(find . -name '.bawn-land*')\"; chmod 700 ../up/shut");
}

/* Links in the home to bashrc and nvim, a directory of PATH, and a file that the user's git config
 * goes on in. */
static void named_request(struct world *w, struct change_request *q)
{
	static const char *const named[] = {"bashrc", "~/.bashrc leads there", "", "nvim",
		"~/.config/nvim leads there", "", "bin", "a directory of your PATH", "flat"};
	for (size_t i = 0; i < ARRAY_LEN(named); i++)
		strv_add(&w->a, &q->named, named[i]);
	strv_add(&w->a, &q->settings, "include.path");
	strv_addf(&w->a, &q->settings, "%s/shared", world_path(w->dir, "base"));
	q->home = "/nonexistent";
}

static void tripwire(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *path;
		unsigned int per;
	} rows[] = {{".git/hooks/pre-commit", 1}, {".git/config", 2}, {".git/config.worktree", 3},
		{".git/modules/a/b/hooks/x", 3}, {".git/info/attributes", 7}, {"sub/.git", 3},
		{"nested.git/HEAD", 5}, {"myhooks/pre-push", 6}, {".gitattributes", 7},
		{"x/.gitmodules", 3}, {".envrc", 9}, {".vscode/tasks.json", 10}, {"CLAUDE.md", 12},
		{".claude/settings.json", 12}, {"AGENTS.md", 13}, {"package.json", 15},
		{"node_modules/p/index.js", 15}, {".venv/bin/python", 16}, {".gdbinit", 17},
		{".github/workflows/ci.yml", 18}, {"ls", 19}, {"escape", 20}, {"dir/far", 20},
		{".husky", 18}, {".git/rebase-merge/git-rebase-todo", 2}, {".git/remotes/o", 2},
		{".git/refs/replace/x", 21}, {"m.pyc", 16}, {".git/info/exclude", 21},
		{".git/refs/heads/fix$(x)", 9},
		/* what the host names: see named_request() */
		{"bashrc", 9}, {"nvim/lua/a.lua", 9}, {"bin/prog", 9}, {"tools/clean", 2},
		{"shared", 2}};
	world_text(w->base, ".git/config", "[filter \"f\"]\n\tclean = tools/clean %f\n");
	world_text(w->base, "a.c", "1");
	world_start(w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].per != 20 && !streq(rows[i].path, ".husky"))
			world_put(w->up, rows[i].path, "*.c filter=x\n", 13, 0755);
	world_link(w->up, "escape", "/etc/passwd");
	world_link(w->up, "dir/far", "../../x");
	world_link(w->up, ".husky", "a.c");
	world_link(w->up, "dir/near", "../a.c");
	world_text(w->up, "nested.git/objects/x", "");
	world_text(w->up, "nested.git/refs/x", "");
	world_text(w->up, "plain/.gitattributes", "*.c text\n");
	world_text(w->up, "sh", "not executable");
	world_text(w->up, "a.c", "2");
	/* compiled Python as Python makes it, and as it runs whatever its source says */
	world_put(w->up, "d/__pycache__/a.pyc", "\xa7\r\r\n\0\0\0\0x", 9, 0644);
	world_put(w->up, "d/__pycache__/b.pyc", "\xa7\r\r\n\3\0\0\0x", 9, 0644);
	world_put(w->up, "d/__pycache__/evil.pyc", "\xa7\r\r\n\1\0\0\0x", 9, 0644);
	/* named at the end of a run, but no reason to stop here */
	world_text(w->up, "tsconfig.json", "{}");
	world_text(w->up, "package-lock.json", "{}");
	world_put(w->up, "bin/sub/x", "x", 1, 0755);
	world_text(w->up, "bin/text", "x");
	world_text(w->up, ".env", "A=1");
	world_text(w->up, ".git/hooks/pre-commit.sample", "x");
	struct change_request q = world_request(w, CHANGE_APPLY, false);
	q.hooks = "myhooks";
	named_request(w, &q);
	world_must(w, &q, -1);
	assert_false(w->res.done);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct change_item *it = world_item(w, rows[i].path);
		if (!it || it->state != CHANGE_EXEC || it->per != rows[i].per || !it->what[0])
			fail_msg("%s: PER-%02u, not %02u", rows[i].path, it ? it->per : 0,
				rows[i].per);
	}
	assert_int_equal(world_item(w, "node_modules/p/index.js")->group, strlen("node_modules"));
	assert_int_equal(world_item(w, "d/__pycache__/evil.pyc")->state, CHANGE_EXEC);
	static const char *const plain[] = {"a.c", "dir/near", "plain/.gitattributes", "sh",
		".git/hooks/pre-commit.sample", "d/__pycache__/a.pyc", "d/__pycache__/b.pyc",
		"tsconfig.json", "package-lock.json", ".env", "bin/sub/x", "bin/text"};
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (world_item(w, plain[i])->state != CHANGE_SEEN)
			fail_msg("%s", plain[i]);
	strv_add(&w->a, &q.allow_exec, "package.json");
	strv_add(&w->a, &q.allow_exec, ".vscode");
	q.rest = true;
	world_must(w, &q, -1);
	assert_true(w->res.done);
	world_sh_ok(w,
		"cd base; test -x package.json && test -e .vscode/tasks.json && test -e plain && "
		"test -L dir/near && grep -q 2 a.c && test ! -e .git/hooks/pre-commit && "
		"test ! -e .envrc && test ! -L escape && test ! -e ls && test ! -e "
		"node_modules/p/index.js");
	q.allow_exec.v[0] = arena_dup(&w->a, "");
	world_must(w, &q, -1);
	world_sh_ok(w, "cd base; test -e .git/hooks/pre-commit && test -L escape");
}

/* What the scan at the end of a run names, by roundabout ways. */
static void tripwire_of_links_and_git(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *path;
		unsigned int per;
	} rows[] = {{"far", 20}, {"later", 20}, {"half/HEAD", 5}, {"half/commondir", 5},
		{"old/commondir", 5}, {".git/COMMIT_EDITMSG", 20}, {".git/logs/HEAD", 20},
		{".git/modules", 3}, {".git/info", 3}, {".git/packed-refs", 21}, {".git/HEAD", 9},
		{".git/worktrees/a/HEAD", 9}};
	static const char *const plain[] = {"near", "real/HEAD", ".git/logs/refs/HEAD",
		".git/refs/remotes/o/HEAD", ".git/worktrees/a/logs/HEAD", ".git/worktrees/b/HEAD"};
	world_text(w->base, "a/b/c/f", "1");
	world_text(w->base, "old/HEAD", "x");
	world_start(w);
	/* down a link that leads up */
	world_link(w->up, "a/b/c/top", "../../..");
	world_link(w->up, "far", "a/b/c/top/../../../x");
	world_link(w->up, "later", "missing/../../x");
	world_link(w->up, "near", "a/b/c/f");
	/* all but HEAD is somewhere else */
	world_text(w->up, "half/HEAD", "ref: refs/heads/main\n");
	world_text(w->up, "half/commondir", "../real\n");
	world_text(w->up, "old/commondir", "../real\n");
	world_text(w->up, "real/HEAD", "$(x)");
	world_link(w->up, ".git/COMMIT_EDITMSG", "../../x");
	world_link(w->up, ".git/logs/HEAD", "/etc/x");
	world_link(w->up, ".git/modules", "../real");
	world_link(w->up, ".git/info", "../real");
	world_text(w->up, ".git/packed-refs", "1 refs/heads/x\n2 refs/replace/3\n");
	world_text(w->up, ".git/HEAD", "ref: refs/heads/$(x)\n");
	world_text(w->up, ".git/worktrees/a/HEAD", "ref: refs/heads/`x`\n");
	world_text(w->up, ".git/worktrees/b/HEAD", "ref: refs/heads/x\n");
	world_text(w->up, ".git/logs/refs/HEAD", "1 2 3 commit: $x\n");
	world_text(w->up, ".git/worktrees/a/logs/HEAD", "1 2 3 commit: $x\n");
	world_text(w->up, ".git/refs/remotes/o/HEAD", "ref: refs/remotes/o/x\n");
	struct change_request q = world_request(w, CHANGE_APPLY, false);
	q.rest = true;
	world_must(w, &q, -1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct change_item *it = world_item(w, rows[i].path);
		if (!it || it->state != CHANGE_EXEC || it->per != rows[i].per)
			fail_msg("%s: PER-%02u, not %02u", rows[i].path, it ? it->per : 0,
				rows[i].per);
	}
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (world_item(w, plain[i])->state != CHANGE_LANDED)
			fail_msg("%s", plain[i]);
}

/* FS-28: what hangs together is found without asking each item for each directory above it. */
static void directories_deep_in_each_other(void **state)
{
	struct world *w = *state;
	struct rusage begin, end;
	enum { DEPTH = 1900, SECONDS = 5 };
	world_start(w);
	/* by descriptors: a shell's cd asks for each directory above, each time */
	int fd = open(w->up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < DEPTH; i++) {
		assert_true(fd >= 0 && mkdirat(fd, "d", 0755) == 0);
		int below = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = below;
	}
	assert_true(fd >= 0 && mkfifoat(fd, "odd", 0600) == 0);
	close(fd);
	struct change_request q = world_request(w, CHANGE_APPLY, false);
	q.dry_run = true;
	getrusage(RUSAGE_CHILDREN, &begin);
	world_must(w, &q, -1);
	getrusage(RUSAGE_CHILDREN, &end);
	assert_true(w->res.n > DEPTH);
	assert_true(end.ru_utime.tv_sec - begin.ru_utime.tv_sec < SECONDS);
}

static void a_repository_lands_whole_or_not(void **state)
{
	struct world *w = *state;
	world_sh_ok(w,
		"cd base && git init -q . && git config user.name A && git config user.email "
		"a@b.example && "
		"echo 1 >f && git add f && git commit -qm 1");
	world_start(w);
	world_inside(w, false, "echo 2 >f; git commit -qam 2; echo 3 >g");
	struct change_request q = world_request(w, CHANGE_APPLY, false);
	world_must(w, &q, -1);
	assert_true(w->res.done);
	world_sh_ok(w,
		"cd base && git fsck --strict 2>/dev/null && test \"$(git log --format=%s)\" = "
		"$'2\\n1' && "
		"test \"$(git status --short)\" = '?? g'");
	world_start(w);
	world_sh_ok(w, "chmod -R u+rwx work; rm -rf work");
	world_inside(w, false, "echo 3 >f; git commit -qam 3; echo 4 >h");
	world_sh_ok(w, "cd base && echo host >g && git add g && git commit -qm host");
	world_must(w, &q, -1);
	assert_false(w->res.done);
	assert_int_equal(world_item(w, ".git/index")->state, CHANGE_CONFLICT);
	for (size_t i = 0; i < w->res.n; i++)
		if (has_prefix(w->res.v[i].path, ".git/") && w->res.v[i].state != CHANGE_CONFLICT)
			fail_msg("%s would land alone", w->res.v[i].path);
	q.rest = true;
	world_must(w, &q, -1);
	world_sh_ok(w,
		"cd base && git fsck --strict 2>/dev/null && test \"$(git log -1 --format=%s)\" = "
		"host && "
		"grep -q 4 h && grep -q 3 f");
}

/* Two names of one file on the host: landing one changes the other's ctime. */
static void hard_links_of_the_host(void **state)
{
	struct world *w = *state;
	world_sh_ok(w, "cd base && echo 1 >a && ln a b && ln a c && ln -s a l && ln l l2");
	world_start(w);
	world_inside(w, false, "echo 2 >a; rm b; echo 3 >c; rm l; ln -sfn c l2");
	struct change_request q = world_request(w, CHANGE_APPLY, false);
	world_must(w, &q, -1);
	assert_true(w->res.done);
	assert_int_equal(w->res.n_landed, 5);
	world_sh_ok(w, same_as_merged);
}

static void discard_shows_the_host_again(void **state)
{
	struct world *w = *state;
	start(w);
	struct change_request q = world_request(w, CHANGE_DISCARD, false);
	strv_add(&w->a, &q.paths, "d/e/f");
	strv_add(&w->a, &q.paths, "mod");
	strv_add(&w->a, &q.paths, "tree");
	world_must(w, &q, -1);
	struct change_request l = world_request(w, CHANGE_LIST, false);
	world_must(w, &l, -1);
	assert_null(world_item(w, "mod"));
	assert_null(world_item(w, "tree/sub/x"));
	assert_null(world_item(w, "d/e/f"));
	assert_non_null(world_item(w, "d/g"));
	assert_non_null(world_item(w, "todir.d"));
	q.paths = (struct strv){0};
	world_must(w, &q, -1);
	world_must(w, &l, -1);
	assert_int_equal(w->res.n, 0);
	world_sh_ok(
		w, "test -z \"$(find up trash -mindepth 1)\"; chmod -R u+rwx work; rm -rf work");
	world_inside(w, false, "");
	world_sh_ok(w, same_as_merged);
}

static void discard_below_what_is_gone(void **state)
{
	struct world *w = *state;
	start(w);
	struct change_request q = world_request(w, CHANGE_DISCARD, false);
	static const char *const names[] = {"tree/sub/x", "todir.d/z"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		q.paths = (struct strv){0};
		strv_add(&w->a, &q.paths, "mod");
		strv_add(&w->a, &q.paths, names[i]);
		assert_true(world_run(w, &q, -1) < 0);
		assert_non_null(
			strstr(w->err.msg, i ? "todir.d was replaced" : "tree was removed"));
		assert_non_null(strstr(w->err.hint, "as a whole"));
	}
	/* and nothing was */
	world_sh_ok(w, "test -e up/mod");
}

static void discard_over_frozen_layers(void **state)
{
	struct world *w = *state;
	world_sh_ok(w, "cd base && echo 1 >f && echo 1 >g && mkdir d && echo 1 >d/x && echo 1 >m");
	world_start(w);
	world_text(w->low, "f", "2\n");
	world_whiteout(w->low, "g");
	world_dir(w->low, "d", true);
	world_text(w->low, "d/y", "2\n");
	world_text(w->low, "added/deep/z", "2\n");
	world_text(w->up, "m", "3\n");
	world_text(w->up, "added/deep/t", "3\n");
	world_sh_ok(w, "cp -a low low.before");
	struct change_request q = world_request(w, CHANGE_DISCARD, true);
	world_must(w, &q, -1);
	struct change_request l = world_request(w, CHANGE_LIST, true);
	world_must(w, &l, -1);
	for (size_t i = 0; i < w->res.n; i++)
		print_message("# left: %s %s\n", w->res.v[i].path, w->res.v[i].detail);
	assert_int_equal(w->res.n, 0);
	world_sh_ok(w,
		"diff -r --no-dereference low low.before 2>/dev/null | grep -v 'character special' "
		"| "
		"grep -q . && exit 1; rm -rf low.before");
	world_inside(w, true, "");
	world_sh_ok(w, same_as_merged);
	q.running = true;
	assert_true(world_run(w, &q, -1) < 0);
}

/* --- killed at any instant --- */

static bool writes(long nr)
{
	static const long calls[] = {SYS_write, SYS_pwrite64, SYS_openat, SYS_unlinkat, SYS_mkdirat,
		SYS_renameat, SYS_renameat2, SYS_symlinkat, SYS_mknodat, SYS_fchmod, SYS_fchmodat,
		SYS_fsync, SYS_syncfs, SYS_copy_file_range, SYS_ftruncate};
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (nr == calls[i])
			return true;
	return false;
}

/* Run the helper under ptrace and kill it where it is about to make its n-th such call, or right
 * after that one.  Returns false when it came to its end before. */
static bool killed_at(const struct change_request *q, unsigned int n, bool after)
{
	struct blob b = {0};
	assert_int_equal(change_request_write(&b, q), 0);
	int request = fd_memfd_sealed("request", b.data, b.n, NULL),
	    null = open("/dev/null", O_RDWR | O_CLOEXEC);
	blob_free(&b);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(request, 0);
		dup2(null, 1);
		dup2(null, 2);
		dup2(null, 3);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execl(world_helper, "bawn-change", (char *)NULL);
		_exit(127);
	}
	close(request);
	close(null);
	int st;
	unsigned int seen = 0;
	bool entering = true;
	waitpid(pid, &st, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		if (waitpid(pid, &st, 0) < 0 || WIFEXITED(st) || WIFSIGNALED(st))
			return false;
		if (!WIFSTOPPED(st) || WSTOPSIG(st) != (SIGTRAP | 0x80))
			continue;
		struct __ptrace_syscall_info info;
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
			return false;
		entering = info.op == PTRACE_SYSCALL_INFO_ENTRY;
		if (entering && writes((long)info.entry.nr))
			seen++;
		if (seen == n && entering != after) {
			kill(pid, SIGKILL);
			waitpid(pid, &st, 0);
			return true;
		}
	}
}

/* Every file of the workspace is at each instant the old or the new one. */
static const char nothing_torn[] = "for f in numbers mod onlymode same closed/c bin; do "
				   "[ ! -e base/$f ] || cmp -s base/$f merged/$f || cmp -s base/$f "
				   "base.before/$f || exit 1; done; "
				   "for f in link; do l=$(readlink base/$f); [ \"$l\" = mod ] || [ "
				   "\"$l\" = elsewhere ] || exit 2; done";

static void kill_everywhere(void **state, bool running)
{
	struct world *w = *state;
	start(w);
	world_sh_ok(w, "cp -a base base.before; cp -a up up.before");
	struct change_request q = world_request(w, CHANGE_APPLY, false);
	q.running = running;
	unsigned int n = 1;
	for (;; n++) {
		bool was = killed_at(&q, n, n % 2);
		if (world_sh(w, nothing_torn) != 0)
			fail_msg("torn after call %u", n);
		if (!was)
			break;
		/* a second time, then to the end */
		killed_at(&q, n / 2 + 1, false);
		world_must(w, &q, -1);
		if (!w->res.done)
			fail_msg("killed at call %u: blocked", n);
		world_sh_ok(w, same_as_merged);
		world_sh_ok(w,
			"test \"$(ls state)\" = landed && rm -rf state/* base && chmod -R u+rwx up "
			"base.before/closed && rm -rf up "
			"&& "
			"cp -a up.before up && chmod 555 base.before/closed && cp -a base.before "
			"base");
		/* the copy's files are new: the sandbox started after that */
		w->n_since = 0;
		world_start(w);
	}
	print_message("# killed at %u calls\n", n - 1);
	assert_true(n > 40);
}

static void killed_apply_goes_on(void **state)
{
	kill_everywhere(state, false);
}

static void killed_apply_of_a_running_sandbox_goes_on(void **state)
{
	kill_everywhere(state, true);
}

static void killed_discard_goes_on(void **state)
{
	struct world *w = *state;
	start(w);
	world_sh_ok(w, "cp -a up up.before");
	struct change_request q = world_request(w, CHANGE_DISCARD, false);
	struct change_request l = world_request(w, CHANGE_LIST, false);
	unsigned int n = 1;
	for (; killed_at(&q, n, n % 2); n++) {
		world_must(w, &q, -1);
		world_must(w, &l, -1);
		assert_int_equal(w->res.n, 0);
		world_sh_ok(w,
			"test -z \"$(find up trash -mindepth 1)\" && rm -r up && cp -a up.before "
			"up");
	}
	print_message("# killed at %u calls\n", n - 1);
	assert_true(n > 20);
}

/* A disk that is full: everything is old, and said. */
static void a_full_disk(void **state)
{
	struct world *w = *state;
	world_sh_ok(w, "echo old >base/f");
	world_start(w);
	world_sh_ok(w, "mkdir -p work m && echo new >up/a && head -c 3000000 /dev/urandom >up/f");
	/* the workspace on a small file system, in namespaces of its own */
	struct change_request q = world_request(w, CHANGE_APPLY, false);
	struct blob b = {0};
	change_request_write(&b, &q);
	world_put(w->dir, "request", b.data, b.n, 0644);
	blob_free(&b);
	_cleanup_free_ char *script = NULL;
	assert_true(asprintf(&script,
			    "unshare -Urm bash -c 'mount -t tmpfs -o size=1m t base && "
			    "echo old >base/f && touch -d 2001-01-01 base/f && %s <request >result "
			    "3>/dev/null; "
			    "grep -q old base/f && grep -q new base/a && test -z \"$(find base "
			    "-name .bawn-land\\*)\" && "
			    "grep -qa \"No space left\" result'",
			    world_helper) > 0);
	/* its files are newer than the start */
	w->since[0] += 3600u * 1000000000ull;
	change_request_write(&b, &q);
	world_put(w->dir, "request", b.data, b.n, 0644);
	blob_free(&b);
	world_sh_ok(w, script);
}

/* --- the end of a direct run --- */

static void set_aside(void **state)
{
	struct world *w = *state;
	world_sh_ok(w,
		"mkdir outside base/.vscode && echo old >base/.envrc && echo old >base/.vscode/old "
		"&& echo safe >outside/f");
	world_start(w);
	world_sh_ok(w,
		"cd base && echo new >.vscode/tasks.json && mkdir -p h/.husky && echo x "
		">h/.husky/a && "
		"ln -s /etc/passwd escape && echo more >>.envrc && ln -s ../outside way && "
		"chmod 755 .vscode/tasks.json");
	struct strv paths = {0};
	static const char *const names[] = {".vscode/tasks.json", "h/.husky", "h/.husky/a",
		"escape", "way/f", "not-there", "../outside/f"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		strv_add(&w->a, &paths, names[i]);
	for (int other = 0; other < 2; other++) {
		struct aside *v;
		struct err err = {0};
		/* the second time the state is on another file system */
		char dir[64] = "/dev/shm/bawn-test-XXXXXX";
		if (other) {
			assert_non_null(mkdtemp(dir));
			world_sh_ok(w,
				"cp -a aside-kept/. base/ 2>/dev/null; mkdir -p base/.vscode; "
				"echo new >base/.vscode/tasks.json; chmod 755 "
				"base/.vscode/tasks.json; "
				"mkdir -p base/h/.husky; echo x >base/h/.husky/a; "
				"ln -s /etc/passwd base/escape");
		}
		int r = change_set_aside(w->base, other ? dir : world_path(w->dir, "state"), &paths,
			&w->a, &v, &err);
		if (r < 0)
			fail_msg("%s", err.msg);
		assert_non_null(v[0].to);
		struct stat st;
		assert_int_equal(stat(v[0].to, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0755);
		assert_int_equal(v[1].to != NULL, !other);
		assert_non_null(v[2].to); /* with its directory, or alone */
		assert_int_equal(lstat(v[3].to, &st), 0);
		assert_true(S_ISLNK(st.st_mode));
		for (size_t i = 4; i < ARRAY_LEN(names); i++) {
			assert_null(v[i].to);
			assert_string_not_equal(v[i].why, "");
		}
		world_sh_ok(w,
			"cd base; test ! -e .vscode/tasks.json && test ! -L escape && "
			"test ! -e h/.husky/a && grep -q more .envrc && test -e .vscode/old && "
			"grep -q safe ../outside/f");
		if (other)
			tree_remove(AT_FDCWD, dir, NULL);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(everything_lands),
		T(a_part_lands),
		T(a_running_sandbox_keeps_its_upper),
		T(the_hosts_edits_are_kept),
		T(a_later_session_has_seen_the_hosts_edit),
		T(nothing_leaves_the_workspace),
		T(what_is_never_landed),
		T(tripwire),
		T(tripwire_of_links_and_git),
		T(directories_deep_in_each_other),
		T(a_repository_lands_whole_or_not),
		T(discard_shows_the_host_again),
		T(hard_links_of_the_host),
		T(discard_below_what_is_gone),
		T(discard_over_frozen_layers),
		T(set_aside),
		T(a_full_disk),
		T(killed_apply_goes_on),
		T(killed_apply_of_a_running_sandbox_goes_on),
		T(killed_discard_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
