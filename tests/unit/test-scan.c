/* tests/unit/test-scan.c - bawn-scan itself on odd trees. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "base/path.h"
#include "base/tree.h"
#include "scan/git-config.h"
#include "scan/git-index.h"
#include "scan/glob.h"
#include "scan/jail.h"
#include "scan/result.h"

/* --- bawn-scan on real trees --- */

struct world {
	char dir[64], ws[96], cache[96];
	struct arena a;
	struct scan_result res;
};

static char helper[PATH_MAX];

static void put(struct world *w, const char *name, const char *text)
{
	char p[PATH_MAX];
	snprintf(p, sizeof(p), "%s/%s", w->ws, name);
	for (char *s = p + strlen(w->ws) + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		mkdir(p, 0755);
		*s = '/';
	}
	FILE *f = fopen(p, "we");
	if (!f)
		fail_msg("create %s: %s", p, strerror(errno));
	fputs(text, f);
	fclose(f);
}

/* Past the resolution of any file system's clock, so that nothing counts as racy. */
static void settle(void)
{
	usleep(40000);
}

static uint64_t coarse_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const char *build = getenv("BAWN_BUILDDIR");
	snprintf(helper, sizeof(helper), "%s/bawn-scan", build ? build : ".");
	if (helper[0] != '/' && !realpath("bawn-scan", helper))
		return -1;
	strcpy(w->dir, "/tmp/bawn-test-scan-XXXXXX");
	if (!mkdtemp(w->dir))
		return -1;
	snprintf(w->ws, sizeof(w->ws), "%s/ws", w->dir);
	snprintf(w->cache, sizeof(w->cache), "%s/cache", w->dir);
	if (mkdir(w->ws, 0755) < 0 || mkdir(w->cache, 0700) < 0)
		return -1;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	tree_remove(AT_FDCWD, w->dir, NULL);
	arena_free(&w->a);
	free(w);
	return 0;
}

static void run(struct world *w, bool end, uint64_t since, struct scan_git_config *git)
{
	static const char *const masks[] = {"**/.env", ".env.*", "*.key", "vault/", "!public.key"};
	static const char *const protects[] = {".vscode/tasks.json", ".envrc", ".husky/"};
	struct scan_request q = {
		.root = w->ws, .end = end, .since_ns = since, .git = git, .n_git = git ? 1 : 0};
	struct job job = JOB_NONE;
	struct err err = {0};
	for (size_t i = 0; i < ARRAY_LEN(masks); i++)
		strv_add(&w->a, &q.mask, masks[i]);
	for (size_t i = 0; i < ARRAY_LEN(protects); i++)
		strv_add(&w->a, &q.protect, protects[i]);
	q.git_dir = arena_printf(&w->a, "%s/.git", w->ws);
	int r = scan_start(helper, w->cache, NULL, &q, &job, &err);
	if (r == 0)
		r = scan_collect(&job, &q, 20000, &w->a, &w->res, &err);
	job_end(&job, true);
	if (r < 0)
		fail_msg("%s", err.msg);
}

static const struct scan_item *find(
	const struct world *w, enum scan_kind kind, unsigned int per, const char *name)
{
	char p[PATH_MAX];
	snprintf(p, sizeof(p), "%s/%s", w->ws, name);
	for (size_t i = 0; i < w->res.n; i++) {
		const struct scan_item *it = &w->res.v[i];
		if (it->kind == kind && it->per == per && streq(it->path, p))
			return it;
	}
	return NULL;
}

static bool masked(const struct world *w, const char *name)
{
	return find(w, SCAN_MASK, 0, name);
}

#define BODY "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW"
#define KEY "-----BEGIN OPENSSH PRIVATE KEY-----\nbm90IGEga2V5\n-----END OPENSSH PRIVATE KEY-----\n"

static void plant_masks(struct world *w)
{
	put(w, ".env", "S=1");
	put(w, "a/b/c/d/e/f/g/h/i/.env", "S=1"); /* FS-08 */
	put(w, "a/.env.local", "S=1");
	put(w, "a/.env.example", "S=");
	put(w, "a/.ENV", "S=1"); /* FS-11 */
	put(w, "x.key", "k");
	put(w, "public.key", "k");
	put(w, "deploy", KEY);
	put(w, "server.pem", KEY);
	put(w, "cert.pem", "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n");
	put(w, "vault/deep/any", "s");
	put(w, "vaulted/any", "s");
	put(w, "node_modules/p/.env", "x");
	put(w, "real/secret.txt", "S");
	put(w, "hard", "x");
	put(w, "b/main.c", "int main;");
}

static void test_masks(void **state)
{
	struct world *w = *state;
	char p[PATH_MAX], q[PATH_MAX];
	plant_masks(w);
	snprintf(p, sizeof(p), "%s/real/.env", w->ws);
	assert_int_equal(symlink("secret.txt", p), 0); /* FS-06 */
	snprintf(p, sizeof(p), "%s/hard", w->ws);
	snprintf(q, sizeof(q), "%s/b/.env", w->ws);
	assert_int_equal(link(p, q), 0); /* FS-05 */
	snprintf(p, sizeof(p), "%s/c.key", w->ws);
	snprintf(q, sizeof(q), "%s/real/abs.txt", w->ws);
	put(w, "real/abs.txt", "S");
	assert_int_equal(symlink(q, p), 0);
	settle();
	for (int pass = 0; pass < 3; pass++) { /* cold, and from the cache */
		run(w, false, 0, NULL);
		assert_int_equal(w->res.cached, pass > 0);
		static const char *const yes[] = {".env", "a/b/c/d/e/f/g/h/i/.env", "a/.env.local",
			"a/.ENV", "x.key", "deploy", "server.pem", "vault", "real/secret.txt",
			"real/abs.txt", "b/.env"};
		static const char *const no[] = {"a/.env.example", "public.key", "cert.pem",
			"vaulted/any", "vault/deep/any", "node_modules/p/.env", "b/main.c", "hard"};
		for (size_t i = 0; i < ARRAY_LEN(yes); i++)
			if (!masked(w, yes[i]))
				fail_msg("pass %d: %s is not masked", pass, yes[i]);
		for (size_t i = 0; i < ARRAY_LEN(no); i++)
			if (masked(w, no[i]))
				fail_msg("pass %d: %s is masked", pass, no[i]);
		assert_non_null(find(w, SCAN_HARDLINK, 0, "b/.env"));
		assert_null(find(w, SCAN_HARDLINK, 0, ".env"));
	}
}

/* What reads keys, or tells of them, is no key; what holds one is, sources too. */
static void test_key_text(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *name, *text;
		bool key;
	} rows[] = {
		{"sshkey.c",
			"#define B \"-----BEGIN OPENSSH PRIVATE KEY-----\\n\"\n#define E "
			"\"-----END OPENSSH PRIVATE KEY-----\\n\"\n" BODY,
			false},
		{"keys.js",
			"if (s.startsWith('-----BEGIN PRIVATE KEY-----'))\n\treturn parse(s, "
			"{format: 'pem', somethingOfFiftyLettersAndCapitalsButNoDigits: 1});\n",
			false},
		{"key.py",
			"# the \"-----BEGIN RSA PRIVATE KEY-----\" line, AGE-SECRET-KEY-1... and\n"
			"# PuTTY-User-Key-File-2: are ignored\n",
			false},
		{"private-keys.md", "    -----BEGIN PRIVATE KEY-----\n    ...\n", false},
		{"test-keys.h", "\"-----BEGIN RSA PRIVATE KEY-----\\n\"\n\t\"" BODY "\\n\"\n",
			true},
		{"token.go", "k := `-----BEGIN EC PRIVATE KEY-----\n" BODY "\n`\n", true},
		{"cert.ts", "const k = '-----BEGIN PRIVATE KEY-----\\n" BODY "\\n'\n", true},
		{"secret.py",
			"K = \"\"\"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
			"DEK-Info: AES-128-CBC,0123456789ABCDEF0123456789ABCDEF\n\n" BODY,
			true},
		{"age-key.rs",
			"\"AGE-SECRET-KEY-1QQPQTNYYT3XUQDWYPGJGSRRYMEA6UFKNZLGXJ7ZFMVVGHSQQQQQ\"",
			true},
		{"putty-key.php", "'PuTTY-User-Key-File-3: x\nPrivate-Lines: 14\n'", true},
		{"deploy", "-----BEGIN PRIVATE KEY-----\nshort\n-----END PRIVATE KEY-----\n", true},
		{"me.asc", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBG\n", true},
		{"other.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" BODY, false},
		{"my-key.txt", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBG\n", true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		put(w, rows[i].name, rows[i].text);
	run(w, false, 0, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (masked(w, rows[i].name) != rows[i].key)
			fail_msg("%s is %smasked", rows[i].name, rows[i].key ? "not " : "");
}

/* The cache must notice: a new file, a file whose content becomes a key, a rename of a parent. */
static void test_cache(void **state)
{
	struct world *w = *state;
	char p[PATH_MAX], q[PATH_MAX];
	plant_masks(w);
	put(w, "deploy", "nothing yet, nothing yet, nothing yet");
	settle();
	run(w, false, 0, NULL);
	assert_false(masked(w, "deploy"));
	settle();
	run(w, false, 0, NULL);
	put(w, "deploy", KEY); /* in place: no directory changes */
	put(w, "b/new.key", "k");
	snprintf(p, sizeof(p), "%s/a/b", w->ws);
	snprintf(q, sizeof(q), "%s/b/moved", w->ws);
	assert_int_equal(rename(p, q), 0);
	run(w, false, 0, NULL);
	assert_true(w->res.cached);
	assert_true(masked(w, "deploy"));
	assert_true(masked(w, "b/new.key"));
	assert_true(masked(w, "b/moved/c/d/e/f/g/h/i/.env"));
	assert_false(masked(w, "a/b/c/d/e/f/g/h/i/.env"));
	/* a directory swapped for a link must not be followed */
	snprintf(p, sizeof(p), "%s/b/moved", w->ws);
	snprintf(q, sizeof(q), "%s/elsewhere", w->ws);
	assert_int_equal(rename(p, q), 0);
	assert_int_equal(symlink("../elsewhere", p), 0);
	run(w, false, 0, NULL);
	assert_false(masked(w, "b/moved/c/d/e/f/g/h/i/.env"));
	assert_true(masked(w, "elsewhere/c/d/e/f/g/h/i/.env"));
}

/* OWN-12 for this cache: whatever is in the file, the answer is right. */
static void test_cache_broken(void **state)
{
	struct world *w = *state;
	char dir[PATH_MAX], p[PATH_MAX * 2];
	plant_masks(w);
	settle();
	run(w, false, 0, NULL);
	snprintf(dir, sizeof(dir), "%s/scan", w->cache);
	DIR *d = opendir(dir);
	assert_non_null(d);
	struct dirent *de;
	while ((de = readdir(d)) && de->d_name[0] == '.')
		;
	assert_non_null(de);
	snprintf(p, sizeof(p), "%s/%s", dir, de->d_name);
	closedir(d);
	struct stat st;
	assert_int_equal(stat(p, &st), 0);
	assert_true(st.st_size > 64);
	for (off_t at = 0; at < st.st_size; at += st.st_size / 23) {
		int fd = open(p, O_RDWR | O_CLOEXEC);
		char c;
		assert_int_equal(pread(fd, &c, 1, at), 1);
		c = (char)~c;
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
		close(fd);
		run(w, false, 0, NULL);
		assert_false(w->res.cached);
		assert_true(masked(w, ".env"));
		assert_true(masked(w, "deploy"));
	}
	assert_int_equal(truncate(p, st.st_size / 2), 0);
	run(w, false, 0, NULL);
	assert_false(w->res.cached);
	assert_true(masked(w, "vault"));
}

static int git(struct world *w, const char *args)
{
	char cmd[PATH_MAX];
	snprintf(cmd, sizeof(cmd),
		"cd '%s' && GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null git "
		"-c user.name=t -c user.email=t@t -c init.defaultBranch=m -c "
		"protocol.file.allow=always "
		"%s >/dev/null 2>&1",
		w->ws, args);
	return system(cmd); /* NOLINT: a fixed command of the test */
}

static void need_git(struct world *w)
{
	if (git(w, "init -q .") != 0)
		skip();
}

static void test_tracked(void **state)
{
	struct world *w = *state;
	static const char *const formats[] = {"update-index --index-version 2",
		"update-index --index-version 3", "update-index --index-version 4",
		"update-index --split-index"};
	need_git(w);
	put(w, "keep.key", "k");
	put(w, "sub dir/.env", "tracked");
	put(w, "vault/tracked", "t");
	put(w, "id_tracked", KEY);
	git(w, "add -A");
	git(w, "commit -qm x");
	put(w, "loose.key", "k");
	put(w, "vault/loose", "s");
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		git(w, formats[i]);
		for (int pass = 0; pass < 2; pass++) {
			run(w, false, 0, NULL);
			assert_true(masked(w, "loose.key"));
			assert_true(masked(w, "vault/loose"));
			assert_false(masked(w, "vault"));
			assert_false(masked(w, "keep.key"));
			assert_false(masked(w, "sub dir/.env"));
			assert_false(masked(w, "id_tracked"));
			assert_non_null(find(w, SCAN_TRACKED, 0, "keep.key"));
			assert_non_null(find(w, SCAN_TRACKED, 0, "sub dir/.env"));
			assert_non_null(find(w, SCAN_TRACKED, 0, "vault/tracked"));
			assert_null(find(w, SCAN_TRACKED, 0, "loose.key"));
			settle();
		}
	}
	/* the index changes: the answers change, though no directory of the work tree does */
	git(w, "rm -q --cached keep.key");
	run(w, false, 0, NULL);
	assert_true(masked(w, "keep.key"));
	git(w, "add -f loose.key");
	run(w, false, 0, NULL);
	assert_false(masked(w, "loose.key"));
	/* a broken index: nothing counts as tracked, and it is said */
	put(w, ".git/index", "DIRCnonsense");
	run(w, false, 0, NULL);
	assert_true(masked(w, "loose.key"));
	assert_non_null(find(w, SCAN_LIMIT, 0, ".git"));
}

static void test_protect(void **state)
{
	struct world *w = *state;
	need_git(w);
	put(w, ".vscode/tasks.json", "{}");
	put(w, "sub/.envrc", "x");
	put(w, ".husky/pre-commit", "x");
	put(w, "lib/.keep", "");
	put(w, "hookdir/pre-commit", "#!/bin/sh\n");
	git(w, "config core.hooksPath hookdir");
	git(w, "init -q lib/nested");
	git(w, "init -q --bare lib/bare");
	git(w, "commit -q --allow-empty -m x");
	git(w, "worktree add -q wt");
	git(w, "-C lib/nested commit -q --allow-empty -m x");
	git(w, "submodule add -q ./lib/nested mod");
	settle();
	for (int pass = 0; pass < 2; pass++) {
		run(w, false, 0, NULL);
		const struct scan_item *it = find(w, SCAN_PROTECT, 0, ".git/config");
		assert_non_null(it);
		assert_int_equal(it->type, SCAN_GIT_CONFIG_FILE);
		it = find(w, SCAN_PROTECT, 0, ".git/hooks");
		assert_non_null(it);
		assert_int_equal(it->type, SCAN_DIR);
		static const char *const all[] = {".vscode/tasks.json", "sub/.envrc", ".husky",
			"hookdir", "lib/nested/.git/config", "lib/nested/.git/hooks",
			"lib/bare/config", "lib/bare/hooks", "wt/.git",
			".git/worktrees/wt/commondir", ".git/worktrees/wt/gitdir",
			".git/modules/mod/config", ".git/modules/mod/hooks", "mod/.git"};
		for (size_t i = 0; i < ARRAY_LEN(all); i++)
			if (!find(w, SCAN_PROTECT, 0, all[i]))
				fail_msg("pass %d: %s is not protected", pass, all[i]);
	}
}

struct left {
	unsigned int per;
	const char *name;
	const char *text;
};

static void test_persist(void **state)
{
	struct world *w = *state;
	static const struct left left[] = {{1, ".git/hooks/pre-commit", "#!/bin/sh\n"},
		{2, "lib/.git/config", "[core]\n\tfsmonitor = evil\n"},
		{3, ".git/config.worktree", "[core]\n\tpager = evil\n"},
		{3, ".gitmodules", "[submodule \"x\"]\n\tupdate = !evil\n"},
		{3, ".git/commondir", "../e\n"}, {3, "new/.git", "gitdir: /tmp/evil\n"},
		{6, "hookdir/post-checkout", "x"}, {7, ".gitattributes", "*.c filter=evil\n"},
		{7, ".git/info/attributes", "* filter=e\n"}, {9, ".envrc", "x"},
		{9, "deep/.mise.toml", "x"}, {10, ".vscode/settings.json", "{}"},
		{10, "p.code-workspace", "{}"}, {10, "a/.idea/x.xml", ""},
		{11, ".devcontainer/devcontainer.json", "{}"}, {12, ".mcp.json", "{}"},
		{12, ".claude/skills/x/SKILL.md", "x"}, {12, "CLAUDE.md", "x"},
		{13, "AGENTS.md", "x"}, {13, ".codex/config.toml", "x"}, {13, ".gemini/.env2", "x"},
		{13, "opencode.json", "{}"}, {15, "package.json", "{}"}, {15, ".npmrc", "x"},
		{15, "Makefile", "x"}, {15, "c/build.rs", "x"}, {15, ".cargo/config.toml", "x"},
		{16, ".venv/bin/python", "x"}, {16, ".venv/pyvenv.cfg", "x"},
		{16, "sitecustomize.py", "x"}, {17, ".exrc", "x"}, {17, ".gdbinit", "x"},
		{18, ".github/workflows/ci.yml", "x"}, {18, "lefthook.yml", "x"},
		{18, ".husky/pre-push", "x"}, {19, "x.desktop", "x"}};
	static const struct left quiet[] = {{0, "b/main.c", "x"},
		{0, "plain/.gitattributes", "*.c text\n"}, {0, "README.md", "x"},
		{0, ".git/hooks/x.sample", "x"}};
	char p[PATH_MAX];
	need_git(w);
	plant_masks(w);
	put(w, "lib/x", "");
	put(w, "hookdir/pre-push", "x");
	put(w, "Makefile", "all:\n");
	put(w, "old/setup.py", "x");
	git(w, "config core.hooksPath ./hookdir/");
	git(w, "init -q lib");
	settle();
	run(w, false, 0, NULL);
	settle();
	uint64_t since = coarse_now();
	for (size_t i = 0; i < ARRAY_LEN(left); i++)
		put(w, left[i].name, left[i].text);
	for (size_t i = 0; i < ARRAY_LEN(quiet); i++)
		put(w, quiet[i].name, quiet[i].text);
	put(w, "ls", "x");
	snprintf(p, sizeof(p), "%s/ls", w->ws);
	chmod(p, 0755);
	put(w, "nest/HEAD", "ref: x\n");
	put(w, "nest/objects/x", "");
	put(w, "nest/refs/x", "");
	for (int cached = 1; cached >= 0; cached--) {
		if (!cached) { /* the same without a cache */
			snprintf(p, sizeof(p), "%s/scan", w->cache);
			tree_remove(AT_FDCWD, p, NULL);
		}
		run(w, true, since, NULL);
		for (size_t i = 0; i < ARRAY_LEN(left); i++)
			if (!find(w, SCAN_PERSIST, left[i].per, left[i].name))
				fail_msg("PER-%02u %s is not reported", left[i].per, left[i].name);
		for (size_t i = 0; i < w->res.n; i++)
			for (size_t k = 0; k < ARRAY_LEN(quiet); k++)
				if (streq(w->res.v[i].path + strlen(w->ws) + 1, quiet[k].name))
					fail_msg("%s is reported", quiet[k].name);
		assert_non_null(find(w, SCAN_PERSIST, 19, "ls"));
		assert_non_null(find(w, SCAN_PERSIST, 5, "nest"));
		assert_null(find(w, SCAN_PERSIST, 15, "old/setup.py"));
		assert_false(find(w, SCAN_PERSIST, 15, "Makefile")->flags & SCAN_NEW);
		assert_true(find(w, SCAN_PERSIST, 15, "package.json")->flags & SCAN_NEW);
		assert_true(find(w, SCAN_PERSIST, 9, ".envrc")->flags & SCAN_AUTO);
		assert_false(find(w, SCAN_PERSIST, 15, "Makefile")->flags & SCAN_AUTO);
		if (cached)
			run(w, false, 0, NULL);
	}
}

/* PER-21: hiding from git, and times set back, change nothing. */
static void test_persist_hidden(void **state)
{
	struct world *w = *state;
	char p[PATH_MAX];
	need_git(w);
	put(w, "Makefile", "all:\n");
	git(w, "add -A");
	git(w, "commit -qm x");
	settle();
	run(w, false, 0, NULL);
	settle();
	uint64_t since = coarse_now();
	git(w, "update-index --skip-worktree Makefile");
	put(w, ".git/info/exclude", "*\n");
	put(w, "Makefile", "evil:\n");
	struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
	snprintf(p, sizeof(p), "%s/Makefile", w->ws);
	assert_int_equal(utimensat(AT_FDCWD, p, old, 0), 0);
	utimensat(AT_FDCWD, w->ws, old, 0);
	run(w, true, since, NULL);
	assert_non_null(find(w, SCAN_PERSIST, 15, "Makefile"));
}

/* FS-22, FS-30, PER-20, IPC-08 */
static void test_left_modes(void **state)
{
	struct world *w = *state;
	char p[PATH_MAX];
	put(w, "src/a.c", "x");
	put(w, "src/b.c", "x");
	put(w, "dir/x", "x");
	settle();
	run(w, false, 0, NULL);
	settle();
	uint64_t since = coarse_now();
	snprintf(p, sizeof(p), "%s/src/a.c", w->ws);
	chmod(p, 04755);
	snprintf(p, sizeof(p), "%s/src/b.c", w->ws);
	chmod(p, 0666);
	snprintf(p, sizeof(p), "%s/dir", w->ws);
	chmod(p, 0777);
	static const char *const links[][2] = {{"out", "/etc/passwd"}, {"up", "../../x"},
		{"src/far", "../../../etc"}, {"in", "src/a.c"}, {"loop", "loop"},
		{"dangle", "nowhere"}};
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		snprintf(p, sizeof(p), "%s/%s", w->ws, links[i][0]);
		assert_int_equal(symlink(links[i][1], p), 0);
	}
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	snprintf(un.sun_path, sizeof(un.sun_path), "%.90s/sock", w->ws);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	snprintf(p, sizeof(p), "%s/n\nl\033[31m.desktop", w->ws);
	fd = open(p, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	run(w, true, since, NULL);
	assert_non_null(find(w, SCAN_PERSIST, 0, "src/a.c"));
	assert_non_null(find(w, SCAN_PERSIST, 0, "src/b.c"));
	assert_non_null(find(w, SCAN_PERSIST, 0, "dir"));
	assert_non_null(find(w, SCAN_PERSIST, 20, "out"));
	assert_non_null(find(w, SCAN_PERSIST, 20, "up"));
	assert_non_null(find(w, SCAN_PERSIST, 20, "src/far"));
	assert_null(find(w, SCAN_PERSIST, 20, "in"));
	assert_null(find(w, SCAN_PERSIST, 20, "loop"));
	assert_null(find(w, SCAN_PERSIST, 20, "dangle"));
	assert_non_null(find(w, SCAN_SPECIAL, 0, "sock"));
	assert_non_null(find(w, SCAN_PERSIST, 19, "n\nl\033[31m.desktop"));
}

/* FS-28: nothing blocks, nothing is read that is no plain file, depth ends in a report. */
static void test_hostile(void **state)
{
	struct world *w = *state;
	char p[PATH_MAX];
	static const char *const fifos[] = {
		".env", "id_rsa", "pipe.pem", "noext", "Makefile", ".gitattributes", ".git"};
	for (size_t i = 0; i < ARRAY_LEN(fifos); i++) {
		snprintf(p, sizeof(p), "%s/%s", w->ws, fifos[i]);
		assert_int_equal(mkfifo(p, 0600), 0);
	}
	put(w, "sub/.git", "gitdir: ../../../../../../../../etc\n");
	put(w, "sub2/.git", "gitdir: .\n");
	snprintf(p, sizeof(p), "%s/huge.pem", w->ws);
	int fd = open(p, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (ftruncate(fd, (off_t)1 << 43) < 0)
		assert_int_equal(errno, EFBIG);
	close(fd);
	snprintf(p, sizeof(p), "%s/closed", w->ws);
	mkdir(p, 0000);
	int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(chdir(w->ws), 0);
	for (int i = 0; i < 2500; i++) {
		if (mkdir("d", 0755) < 0 || chdir("d") < 0)
			fail_msg("mkdir: %s", strerror(errno));
	}
	assert_int_equal(fchdir(back), 0);
	close(back);
	for (int pass = 0; pass < 2; pass++) {
		run(w, pass, pass ? 1 : 0, NULL);
		bool deep = false, special = find(w, SCAN_SPECIAL, 0, ".env");
		for (size_t i = 0; i < w->res.n; i++)
			deep |= w->res.v[i].kind == SCAN_LIMIT && strlen(w->res.v[i].path) > 4000;
		assert_true(special);
		assert_true(deep);
		if (geteuid() != 0)
			assert_non_null(find(w, SCAN_LIMIT, 0, "closed"));
	}
}

/* What somebody else keeps shut is no news: nobody inside could leave anything there. */
static void test_shut_by_others(void **state)
{
	struct world *w = *state;
	struct stat st;
	char kept[sizeof(w->ws)];
	if (stat("/var/cache/ldconfig", &st) < 0 || st.st_uid == geteuid() || (st.st_mode & 077))
		skip(); /* that of libc-bin on Debian and Ubuntu */
	memcpy(kept, w->ws, sizeof(kept));
	strcpy(w->ws, "/var/cache");
	for (int pass = 0; pass < 2; pass++) {
		run(w, pass, pass ? 1 : 0, NULL);
		assert_null(find(w, SCAN_LIMIT, 0, "ldconfig"));
	}
	memcpy(w->ws, kept, sizeof(kept));
}

static void write_at(struct world *w, const char *name, const char *text, char *path)
{
	snprintf(path, PATH_MAX, "%s/%s", w->dir, name);
	assert_int_equal(
		file_write_atomic(AT_FDCWD, path, text, strlen(text), 0600, false, NULL), 0);
}

static void test_git_config_end(void **state)
{
	struct world *w = *state;
	char real[PATH_MAX], base[PATH_MAX], copy[PATH_MAX];
	put(w, ".git/config", "[core]\n\tbare = false\n");
	snprintf(real, sizeof(real), "%s/.git/config", w->ws);
	write_at(w, "base", "[core]\n\tbare = false\n", base);
	write_at(w, "copy", "[core]\n\tbare = false\n\tpager = evil\n[user]\n\tname = A\n", copy);
	struct scan_git_config g = {.real = real, .base = base, .copy = copy};
	run(w, true, 1, &g);
	const struct scan_item *it = find(w, SCAN_GIT_CONFIG, 0, ".git/config");
	assert_non_null(it);
	assert_int_equal(it->n_text, strlen("[core]\n\tbare = false\n[user]\n\tname = A\n"));
	assert_memory_equal(it->text, "[core]\n\tbare = false\n[user]\n\tname = A\n", it->n_text);
	assert_string_equal(find(w, SCAN_GIT_KEPT, 0, ".git/config")->detail, "user.name");
	assert_string_equal(find(w, SCAN_GIT_DROPPED, 0, ".git/config")->detail, "core.pager");
	/* what an agent may leave instead of its copy */
	unlink(copy);
	assert_int_equal(mkfifo(copy, 0600), 0);
	run(w, true, 1, &g);
	assert_null(find(w, SCAN_GIT_CONFIG, 0, ".git/config"));
	assert_non_null(find(w, SCAN_GIT_DROPPED, 0, ".git/config"));
	unlink(copy);
	assert_int_equal(symlink("/etc/passwd", copy), 0);
	run(w, true, 1, &g);
	assert_null(find(w, SCAN_GIT_CONFIG, 0, ".git/config"));
	unlink(copy);
	run(w, true, 1, &g);
	assert_null(find(w, SCAN_GIT_CONFIG, 0, ".git/config"));
}

static int jailed(const char *ws)
{
	struct err err;
	int dir = open(ws, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (scan_jail(&dir, 1, &err) < 0)
		return 1;
	int fd = openat(dir, "a", O_RDONLY | O_CLOEXEC); /* openat is not in the list */
	if (fd >= 0)
		return 2;
	fd = path_openat2(dir, "a", O_RDONLY | O_CLOEXEC, 0, 0);
	if (fd < 0)
		return 3;
	if (path_openat2(dir, "b", O_WRONLY | O_CREAT | O_CLOEXEC, 0600, 0) >= 0 ||
		path_openat2(dir, "a", O_RDWR | O_CLOEXEC, 0, 0) >= 0)
		return 4;
	if (path_openat2(AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC, 0, 0) >= 0)
		return 5;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || socket(AF_INET, SOCK_STREAM, 0) >= 0)
		return 6;
	if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0 || errno != EPERM)
		return 7;
	char *const none[] = {NULL};
	execve("/bin/true", none, none);
	if (errno != EPERM || kill(getppid(), 0) == 0 || prctl(PR_GET_DUMPABLE) >= 0)
		return 8;
	if (unlinkat(dir, "a", 0) == 0 || ptrace(PTRACE_TRACEME, 0, 0, 0) == 0)
		return 9;
	return 0;
}

/* The helper that reads what strangers wrote can read it, and nothing more. */
static void test_jail(void **state)
{
	struct world *w = *state;
	int st;
	put(w, "a", "x");
#ifdef BAWN_ASAN
	skip(); /* such a build has no system call filter, see scan/jail.c */
#endif
	pid_t pid = fork();
	if (pid == 0)
		_exit(jailed(w->ws));
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_true(WIFEXITED(st));
	assert_int_equal(WEXITSTATUS(st), 0);
}

/* What comes from the helper is not believed. */
static void test_result_hostile(void **state)
{
	struct world *w = *state;
	struct scan_request q = {.root = w->ws};
	static const char *const bad[] = {
		"/etc/passwd", "%s/../x", "%s2/x", "%s//x", "%s/./x", "x", ""};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char p[PATH_MAX];
		const char *pct = strstr(bad[i], "%s");
		snprintf(p, sizeof(p), "%s%s", pct ? w->ws : "", pct ? pct + 2 : bad[i]);
		struct blob b = {0};
		struct scan_result res;
		scan_result_put(
			&b, &(struct scan_item){.kind = SCAN_MASK, .type = SCAN_FILE, .path = p});
		scan_result_done(&b, &(struct scan_result){.n = 1});
		assert_int_equal(scan_result_read(&w->a, b.data, b.n, &q, &res, NULL), -EBADMSG);
		blob_free(&b);
	}
	struct blob b = {0};
	struct scan_result res;
	char p[PATH_MAX];
	snprintf(p, sizeof(p), "%s/x", w->ws);
	scan_result_put(&b, &(struct scan_item){.kind = SCAN_MASK, .type = SCAN_FILE, .path = p});
	size_t whole = b.n;
	assert_int_equal(scan_result_read(&w->a, b.data, b.n, &q, &res, NULL), -EBADMSG);
	scan_result_done(&b, &(struct scan_result){.n = 1});
	assert_int_equal(scan_result_read(&w->a, b.data, b.n, &q, &res, NULL), 0);
	assert_int_equal(res.n, 1);
	for (size_t k = 0; k < b.n; k++)
		assert_int_equal(scan_result_read(&w->a, b.data, k, &q, &res, NULL), -EBADMSG);
	b.data[8] = 77; /* kind */
	assert_int_equal(scan_result_read(&w->a, b.data, b.n, &q, &res, NULL), -EBADMSG);
	assert_true(whole > 0);
	blob_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_masks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_key_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cache, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cache_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tracked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_protect, setup, teardown),
		cmocka_unit_test_setup_teardown(test_persist, setup, teardown),
		cmocka_unit_test_setup_teardown(test_persist_hidden, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shut_by_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_git_config_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_jail, setup, teardown),
		cmocka_unit_test_setup_teardown(test_result_hostile, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
