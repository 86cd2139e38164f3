/* tests/unit/test-scan-parse.c - the parsers of the scan room: globs, git's config and index. */
#include "unit.h"

#include "scan/git-config.h"
#include "scan/git-index.h"
#include "scan/glob.h"
#include "scan/named.h"
#include "scan/persist.h"

/* --- globs --- */

static int match(const char *pattern, const char *path, bool dir, bool icase)
{
	struct arena a = {0};
	struct glob_set s = {.fold = icase};
	struct err err = {0};
	int r = glob_set_add(&a, &s, pattern, &err);
	if (r == 0)
		r = glob_set_match(&s, path, dir, NULL);
	else
		assert_true(err.msg[0] && err.hint[0]);
	arena_free(&a);
	return r;
}

static void test_glob(void **state)
{
	static const struct {
		const char *pattern, *path;
		int want;
	} t[] = {
		{".env", ".env", 1},
		{".env", "a/b/.env", 1},
		{"/.env", "a/.env", 0},
		{"/.env", ".env", 1},
		{"**/.env", "a/b/c/d/e/f/g/h/i/.env", 1},
		{"**/.env", ".env", 1},
		{"a/.env", "a/.env", 1},
		{"a/.env", "b/a/.env", 0},
		{"./.env", "x/.env", 0},
		{"./.env", ".env", 1},
		{"a//b", "a/b", 1},
		{"a/./b", "a/b", 1},
		{"a/x/../b", "a/b", 1},
		{"*.key", "x.key", 1},
		{"*.key", "d/x.key", 1},
		{"*.key", "x.keys", 0},
		{"*.key", ".key", 1},
		{"a/**", "a", 0},
		{"a/**", "a/b", 1},
		{"a/**", "a/b/c", 1},
		{"a/**/z", "a/z", 1},
		{"a/**/z", "a/b/c/z", 1},
		{"a/**/z", "a/b/c/y", 0},
		{"**/a/**/b", "x/a/y/b", 1},
		{"?", "x", 1},
		{"?", "xy", 0},
		{"[a-c]x", "bx", 1},
		{"[!a-c]x", "bx", 0},
		{"[!a-c]x", "dx", 1},
		{"[]]", "]", 1},
		{"a\\*b", "a*b", 1},
		{"a\\*b", "axb", 0},
		{"a*/b", "ax/b", 1},
		{"a*b", "a/b", 0},
		{"", "x", -EINVAL},
		{"..", "x", -EINVAL},
		{"a/../..", "x", -EINVAL},
		{"[a", "x", -EINVAL},
		{"a\\", "x", -EINVAL},
		{"/", "x", -EINVAL},
		{"!", "x", -EINVAL},
		{"!x", "x", 0},
		{"*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0},
		{"**/a/**/a/**/a/**/a/**/b", "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", 0},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (match(t[i].pattern, t[i].path, false, false) != t[i].want)
			fail_msg("%s on %s", t[i].pattern, t[i].path);
	assert_int_equal(match("secrets/", "a/secrets", true, false), 1);
	assert_int_equal(match("secrets/", "a/secrets", false, false), 0);
	assert_int_equal(match("**/.env", "A/.ENV", false, true), 1); /* FS-11 */
	assert_int_equal(match("**/.env", "A/.ENV", false, false), 0);
}

/* --- git config --- */

static void check_parse(const char *text, const char *key, const char *value)
{
	struct arena a = {0};
	struct git_config c;
	int r = git_config_parse(&a, text, strlen(text), &c, NULL);
	if (!key) {
		assert_int_equal(r, -EINVAL);
	} else {
		assert_int_equal(r, 0);
		assert_true(c.n > 0);
		assert_string_equal(c.v[c.n - 1].key, key);
		if (value)
			assert_string_equal(c.v[c.n - 1].value, value);
		else
			assert_null(c.v[c.n - 1].value);
	}
	arena_free(&a);
}

static void test_config_parse(void **state)
{
	(void)state;
	check_parse("[core]\n\tbare = false\n", "core.bare", "false");
	check_parse("[Core] Bare\n", "core.bare", NULL);
	check_parse("[a \"B c\"]\nX = \"y # z\" ; w\n", "a.B c.x", "y # z");
	check_parse("[a.B]\nx=1", "a.b.x", "1");
	check_parse("[a]\nx = one \\\n two\n", "a.x", "one  two");
	check_parse("[a]\r\nx = 1\r\n", "a.x", "1");
	check_parse("\xef\xbb\xbf[a]\nx = \"q\\\"\\\\\\t\"\n", "a.x", "q\"\\\t");
	check_parse("[a]\n# c\n; d\nx = 1   \n", "a.x", "1");
	check_parse("[a \"x\\\"]y\"]\nb=1\n", "a.x\"]y.b", "1");
	check_parse("x = 1\n", NULL, NULL);
	check_parse("[a\nx=1\n", NULL, NULL);
	check_parse("[a]\nx = \"1\n", NULL, NULL);
	check_parse("[a]\nx = \\q\n", NULL, NULL);
	check_parse("[a]\n1x = y\n", NULL, NULL);
	check_parse("[a]\nx y = z\n", NULL, NULL);
	check_parse("[]\nx=1\n", NULL, NULL);
	struct arena a = {0};
	struct git_config c;
	assert_int_equal(git_config_parse(&a, "[a]\nx=\0y\n", 9, &c, NULL), -EINVAL);
	arena_free(&a);
}

static struct git_config_text text_of(const char *s)
{
	return (struct git_config_text){s, strlen(s)};
}

static void check_merge(const char *base, const char *copy, const char *real, const char *want,
	const char *kept, const char *dropped)
{
	struct arena a = {0};
	struct git_config_text out;
	struct strv k, d;
	struct err err = {0};
	int r = git_config_merge(
		&a, text_of(base), text_of(copy), text_of(real), &out, &k, &d, &err);
	assert_int_equal(r, 0);
	if (want) {
		assert_non_null(out.p);
		assert_string_equal(out.p, want);
	} else {
		assert_null(out.p);
	}
	assert_string_equal(k.n ? k.v[0] : "", kept);
	assert_string_equal(d.n ? d.v[0] : "", dropped);
	arena_free(&a);
}

static void test_config_merge(void **state)
{
	static const char base[] =
		"[core]\n\tbare = false\n# mine\n[filter \"lfs\"]\n\tclean = c\n";
	(void)state;
	check_merge(base, base, base, NULL, "", "");
	check_merge(base,
		"[core]\n\tbare = false\n[filter \"lfs\"]\n\tclean = c\n[remote \"o\"]\n"
		"\turl = https://x.y/z.git\n",
		base,
		"[core]\n\tbare = false\n# mine\n[filter \"lfs\"]\n\tclean = c\n[remote \"o\"]\n"
		"\turl = https://x.y/z.git\n",
		"remote.o.url", "");
	/* the host changed something else meanwhile: it stays */
	check_merge("[a]\n", "[user]\n\tname = N\n", "[a]\n[core]\n\tpager = less\n",
		"[a]\n[core]\n\tpager = less\n[user]\n\tname = N\n", "user.name", "");
	/* removal, and a setting on the section's own line */
	check_merge("[branch \"x\"] remote = o\n\tmerge = refs/heads/x\n", "\n",
		"[branch \"x\"] remote = o\n\tmerge = refs/heads/x\n[a]\n", "[branch \"x\"]\n[a]\n",
		"branch.x.remote", "");
	check_merge(
		base, "[core]\n\tbare = false\n[alias]\n\tx = !evil\n", base, NULL, "", "alias.x");
	/* the real one has it already */
	check_merge("", "[user]\n\tname = a\n", "[user]\n\tname = a\n", NULL, "", "");
}

/* PER-02: each must be dropped and named, none may be in the merged text. */
static void test_config_dangerous(void **state)
{
	static const char *const bad[] = {"[core]\n\tfsmonitor = x", "[core]\n\thooksPath = x",
		"[core]\n\tsshCommand = x", "[core]\n\tpager = x", "[core]\n\teditor = x",
		"[core]\n\taskPass = x", "[core]\n\tworktree = /x", "[core]\n\tattributesFile = x",
		"[core]\n\tgitProxy = x", "[core]\n\talternateRefsCommand = x",
		"[diff]\n\texternal = x", "[diff \"a\"]\n\ttextconv = x",
		"[diff \"a\"]\n\tcommand = x", "[filter \"a\"]\n\tclean = x",
		"[filter \"a\"]\n\tsmudge = x", "[filter \"a\"]\n\tprocess = x",
		"[merge \"a\"]\n\tdriver = x", "[mergetool \"a\"]\n\tcmd = x",
		"[difftool \"a\"]\n\tcmd = x", "[gpg]\n\tprogram = x",
		"[gpg \"ssh\"]\n\tdefaultKeyCommand = x", "[credential]\n\thelper = x",
		"[credential \"https://a\"]\n\thelper = !x", "[alias]\n\tst = status",
		"[alias]\n\tx = !y", "[uploadpack]\n\tpackObjectsHook = x", "[include]\n\tpath = x",
		"[includeIf \"gitdir:x\"]\n\tpath = x", "[url \"x\"]\n\tinsteadOf = y",
		"[url \"x\"]\n\tpushInsteadOf = y", "[remote \"o\"]\n\tuploadpack = x",
		"[remote \"o\"]\n\treceivepack = x", "[remote \"o\"]\n\tvcs = x",
		"[remote \"o\"]\n\tproxy = x", "[remote \"o\"]\n\turl = ext::sh -c x",
		"[remote \"o\"]\n\turl = --upload-pack=x",
		"[remote \"o\"]\n\turl = ssh://-oProxyCommand=x/",
		"[remote \"o\"]\n\turl = file:///x",
		"[remote \"o\"]\n\turl = ssh://u@-oProxyCommand=x/y",
		"[remote \"o\"]\n\turl = u@-oProxyCommand=x:y", "[remote \"o\"]\n\tpushurl = fd::3",
		"[protocol \"ext\"]\n\tallow = always", "[protocol]\n\tallow = always",
		"[extensions]\n\tworktreeConfig = true", "[http]\n\tproxy = x",
		"[http]\n\tsslVerify = false", "[interactive]\n\tdiffFilter = x",
		"[sequence]\n\teditor = x", "[web]\n\tbrowser = x", "[browser \"x\"]\n\tcmd = x",
		"[man \"x\"]\n\tcmd = x", "[pager]\n\tlog = x", "[submodule \"x\"]\n\tupdate = !x",
		"[submodule \"x\"]\n\turl = ext::x", "[trailer \"x\"]\n\tcommand = x",
		"[tar \"x\"]\n\tcommand = x", "[sendemail]\n\tsmtpserver = x",
		"[instaweb]\n\thttpd = x", "[imap]\n\ttunnel = x", "[lfs]\n\turl = x",
		"[lfs \"customtransfer.x\"]\n\tpath = x", "[rebase]\n\tinstructionFormat = x",
		"[receive]\n\tprocReceiveRefs = x", "[safe]\n\tdirectory = *",
		"[init]\n\ttemplateDir = x", "[commit]\n\ttemplate = x",
		"[blame]\n\tignoreRevsFile = x", "[maintenance]\n\trepo = x",
		"[branch \"x\"]\n\tmergeOptions = -s x", "[user]\n\tsigningKey = x",
		"[remote \"ext::x\"]\n\turl = https://a/b", "[guitool \"x\"]\n\tcmd = x",
		"[branch \"f\"]\n\tremote = evil.git", "[branch \"f\"]\n\tpushRemote = ./evil",
		"[remote]\n\tpushDefault = /ws/evil", "[checkout]\n\tdefaultRemote = evil",
		"[user]\n\tname = \"a\\n\033[31mb\""};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct arena a = {0};
		struct git_config_text out;
		struct strv kept, dropped;
		int r = git_config_merge(
			&a, text_of(""), text_of(bad[i]), text_of(""), &out, &kept, &dropped, NULL);
		if (r != 0 || out.p || kept.n || dropped.n != 1)
			fail_msg("%s", bad[i]);
		arena_free(&a);
	}
}

static void test_config_good(void **state)
{
	static const char *const good[] = {"[branch \"f/x\"]\n\tremote = .",
		"[branch \"f\"]\n\tmerge = refs/heads/f",
		"[remote \"o\"]\n\turl = git@github.com:a/b.git",
		"[remote \"o\"]\n\turl = ssh://git@h:22/a", "[remote \"o\"]\n\turl = ../other",
		"[remote \"o\"]\n\turl = /srv/git/x.git",
		"[remote \"o\"]\n\tfetch = +refs/heads/*:refs/remotes/o/*",
		"[user]\n\tname = A. \\\"B\\\" C", "[user]\n\temail = a@b.c",
		"[pull]\n\trebase = true", "[submodule \"lib\"]\n\turl = https://a/b\n",
		"[submodule \"lib\"]\n\tactive = true", "[core]\n\tsparseCheckout = true",
		"[color \"diff\"]\n\tmeta = yellow bold"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct arena a = {0};
		struct git_config_text out;
		struct strv kept, dropped;
		int r = git_config_merge(&a, text_of(""), text_of(good[i]), text_of(""), &out,
			&kept, &dropped, NULL);
		if (r != 0 || !out.p || kept.n != 1 || dropped.n)
			fail_msg("%s", good[i]);
		arena_free(&a);
	}
}

/* Where a remote is wanted only one that there will be is taken: git takes directories, too. */
static void test_config_remotes(void **state)
{
	static const struct {
		const char *real, *copy;
		size_t kept;
	} rows[] = {
		{"", "[remote \"o\"]\nurl = https://a/b\n[branch \"f\"]\nremote = o\n", 2},
		{"[remote \"o\"]\nurl = https://a/b\n",
			"[remote \"o\"]\nurl = https://a/b\n[branch \"f\"]\nremote = o\n", 1},
		/* its URL is not taken over, so there will be none */
		{"", "[remote \"o\"]\nurl = ext::x\n[branch \"f\"]\nremote = o\n", 0},
		/* removed in the same run */
		{"[remote \"o\"]\nurl = https://a/b\n", "[branch \"f\"]\nremote = o\n", 1},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a = {0};
		struct git_config_text out;
		struct strv kept, dropped;
		assert_int_equal(git_config_merge(&a, text_of(rows[i].real), text_of(rows[i].copy),
					 text_of(rows[i].real), &out, &kept, &dropped, NULL),
			0);
		assert_int_equal(kept.n, rows[i].kept);
		assert_false(rows[i].kept < 2 && strv_has(&kept, "branch.f.remote") && i != 1);
		arena_free(&a);
	}
}

/* --- git index --- */

static size_t put_entry(unsigned char *p, const char *name, uint16_t flags)
{
	size_t n = strlen(name), whole = (62 + n + 8) & ~(size_t)7;
	memset(p, 0, whole);
	p[60] = (unsigned char)((flags | n) >> 8);
	p[61] = (unsigned char)n;
	memcpy(p + 62, name, n);
	return whole;
}

static void test_index(void **state)
{
	unsigned char b[1024] = "DIRC\0\0\0\2\0\0\0\3";
	size_t n = 12;
	struct git_index_split split;
	(void)state;
	n += put_entry(b + n, ".env", 0);
	n += put_entry(b + n, "a/b/x.key", 0);
	n += put_entry(b + n, "z", 0);
	memset(b + n, 0, 20);
	n += 20;
	struct git_index_query q[] = {{.path = "z"}, {.path = ".env"}, {.path = "a/b", .dir = true},
		{.path = "a/b/x", .dir = true}, {.path = "a/b/x.key"}, {.path = "q"}};
	assert_int_equal(git_index_lookup(b, n, 20, q, ARRAY_LEN(q), NULL, &split, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(q); i++)
		assert_int_equal(q[i].found, !streq(q[i].path, "q") && !streq(q[i].path, "a/b/x"));
	/* every truncation is refused or harmless, and sets nothing when refused */
	for (size_t k = 0; k < n; k++) {
		unsigned char *copy = malloc(k ? k : 1);
		struct git_index_query one = {.path = ".env"};
		memcpy(copy, b, k);
		if (git_index_lookup(copy, k, 20, &one, 1, NULL, &split, NULL) < 0)
			assert_false(one.found);
		free(copy);
	}
	b[7] = 9;
	assert_int_equal(git_index_lookup(b, n, 20, q, 1, NULL, &split, NULL), -EBADMSG);
}

static void note(void *ctx, const char *path)
{
	strcat(strcat(ctx, path ? path : "?"), " ");
}

static void test_index_unseen(void **state)
{
	enum { ASSUME_VALID = 0x8000, EXTENDED = 0x4000 };
	unsigned char b[1024] = "DIRC\0\0\0\3\0\0\0\4";
	char names[256] = "";
	size_t n = 12;
	(void)state;
	n += put_entry(b + n, "a", 0);
	n += put_entry(b + n, "b", ASSUME_VALID);
	n += put_entry(b + n, "c", 0);
	/* of the extended flags, skip-worktree; the name comes behind them */
	unsigned char *d = b + n;
	n += put_entry(d, "xxd", EXTENDED);
	d[61] = 1;
	d[62] = 0x40;
	d[63] = 0;
	memset(b + n, 0, 20);
	n += 20;
	assert_int_equal(git_index_unseen(b, n, NULL, 0, note, names), 0);
	assert_string_equal(names, "b d ");
	/* one that is cut short says nothing, but that it is */
	for (size_t k = 1; k < n; k++) {
		unsigned char *copy = malloc(k);
		names[0] = '\0';
		memcpy(copy, b, k);
		if (git_index_unseen(copy, k, NULL, 0, note, names) < 0)
			assert_string_equal(names, "");
		free(copy);
	}
}

/* The extension of a split index with a bitmap of what is deleted, one of what is replaced: one
 * literal word each. */
static size_t put_link(unsigned char *p, uint8_t deleted, uint8_t replaced)
{
	const uint8_t words[] = {deleted, replaced};
	memset(p, 0, 8 + 20 + 2 * 28);
	memcpy(p, "link", 4);
	p[7] = 20 + 2 * 28;
	memset(p + 8, 0xab, 20);
	for (size_t i = 0; i < 2; i++) {
		unsigned char *w = p + 28 + i * 28;
		w[3] = 3;     /* bits */
		w[7] = 2;     /* words: what comes, and one as it is */
		w[11] = 0x02; /* ... which is one literal: in the upper 31 bits */
		w[23] = words[i];
	}
	return 8 + 20 + 2 * 28;
}

static void test_index_split_unseen(void **state)
{
	enum { ASSUME_VALID = 0x8000 };
	unsigned char b[1024] = "DIRC\0\0\0\2\0\0\0\3", part[1024] = "DIRC\0\0\0\2\0\0\0\3";
	char names[256] = "", shared[GIT_INDEX_SHARED_MAX];
	size_t n = 12, n_part = 12;
	(void)state;
	/* the first and the third are replaced, the second is deleted; the one with a name is new
	 */
	n += put_entry(b + n, "", 0);
	n += put_entry(b + n, "", ASSUME_VALID);
	n += put_entry(b + n, "new", ASSUME_VALID);
	n += put_link(b + n, 2, 5);
	n += 20;
	n_part += put_entry(part + n_part, "a", ASSUME_VALID);
	n_part += put_entry(part + n_part, "b", ASSUME_VALID);
	n_part += put_entry(part + n_part, "c", 0);
	n_part += 20;
	assert_true(git_index_shared(b, n, shared));
	assert_string_equal(shared, "sharedindex.abababababababababababababababababababab");
	assert_false(git_index_shared(part, n_part, shared));
	assert_int_equal(git_index_unseen(b, n, part, n_part, note, names), 0);
	assert_string_equal(names, "new c ");
	names[0] = '\0';
	assert_int_equal(git_index_unseen(b, n, NULL, 0, note, names), 0);
	assert_string_equal(names, "new ? ");
	assert_false(git_index_untracked(b, n));
	memcpy(b + n - 20 - (8 + 20 + 2 * 28), "UNTR", 4);
	assert_true(git_index_untracked(b, n));
}

/* --- what settings name --- */

static void note_named(void *ctx, const char *rel, const char *why, unsigned int flags)
{
	char *all = ctx;
	(void)why;
	sprintf(all + strlen(all), "%s%s%s%s ", rel, flags & NAMED_CONFIG ? ":config" : "",
		flags & NAMED_ASKED ? ":asked" : "", flags & NAMED_WORD ? ":word" : "");
}

static void test_named(void **state)
{
	static const struct {
		const char *key, *value, *want;
	} t[] = {
		{"include.path", "../etc/shared", "etc/shared:config "},
		{"include.path", "/ws/x", "x:config "},
		{"include.path", "~/x", ""},
		{"includeif.gitdir:/ws/.path", "../../etc/x", ""},
		{"core.hookspath", "hooks", ""},
		{"commit.template", ".gitmessage", ".gitmessage "},
		{"commit.template", "../outside", ""},
		{"commit.template", "a/../b//./c", "b/c "},
		{"filter.x.clean", "./tools/x --flag", "tools/x:word "},
		{"filter.x.clean", "python3 tools/x.py", "tools/x.py:word "},
		{"diff.x.textconv", "sh -c 'exec ./conv \"$f\"'", "exec:word conv:word f:word "},
		{"alias.x", "log --oneline", ""},
		{"alias.x", "!./run; git log", "run:asked:word "},
		{"user.name", "./x", ""},
		{"credential.helper", "!/ws/h get", "h:word get:word "},
		{"gc.recentobjectshook", "./r", "r:word "},
		{"lfs.customtransfer.x.path", "/ws/t", "t:word "},
		{"lfs.extension.x.clean", "./c %f", "c:word %f:word "},
		{"lfs.url", "/ws/x", ""},
		{"guitool.x.cmd", "tools/g", "tools/g:word "},
		{"tig.bind.generic", "C !./t %(commit)", "t:word %:word commit:word "},
		{"sendemail.smtpserver", "/ws/m", "m:word "},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct arena a = {0};
		const struct named_from from = {&a, "/ws", "/ws/.git", "/home/u"};
		char got[256] = "";
		named_by_git(&from, t[i].key, t[i].value, note_named, got);
		if (!streq(got, t[i].want))
			fail_msg("%s = %s: \"%s\", not \"%s\"", t[i].key, t[i].value, got,
				t[i].want);
		arena_free(&a);
	}
}

/* --- names --- */

/* Numbers of rows are kept in a file: by another table they would mean something else. */
static void test_persist_digest(void **state)
{
	static const struct persist_group was[] = {
		{PERSIST_NAME, CHECK_NONE, 15, false, "make", "Makefile makefile"},
		{PERSIST_SUFFIX, CHECK_NONE, 15, false, "build", ".mk"}};
	(void)state;
	const struct digest d = persist_digest(was, ARRAY_LEN(was));
	assert_true(digest_eq(d, persist_digest(was, ARRAY_LEN(was))));
	assert_false(digest_eq(d, persist_digest(was, 1)));
	for (int i = 0; i < 6; i++) {
		struct persist_group now[ARRAY_LEN(was)];
		memcpy(now, was, sizeof(was));
		if (i == 0)
			now[0].names = "Makefile";
		else if (i == 1)
			now[1].what = "builds";
		else if (i == 2)
			now[1].how = PERSIST_DOT;
		else if (i == 3)
			now[0].automatic = true;
		else if (i == 4)
			now[0].check = CHECK_EXEC;
		else
			now[0].per = 16;
		assert_false(digest_eq(d, persist_digest(now, ARRAY_LEN(now))));
	}
}

static void test_persist_file(void **state)
{
	static const struct {
		const char *name, *what; /* NULL: of no interest */
	} t[] = {
		{".size-limit.cjs", "tool settings that are a program"},
		{".eslintrc.js", "tool settings that load code"},
		{".psysh.php", "start file of an interpreter"},
		{".nvim.lua", "neovim"},
		{".js", NULL},
		{"size-limit.cjs", NULL},
		{"main.ts", NULL},
		{".ts.txt", NULL},
		{"x.tofu", "build"},
		{"Procfile.test", "processes to start"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct persist_rule *r = persist_row(persist_file(t[i].name, true));
		if (!r != !t[i].what || (r && !streq(r->what, t[i].what)))
			fail_msg("%s: %s", t[i].name, r ? r->what : "of no interest");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glob),
		cmocka_unit_test(test_config_parse),
		cmocka_unit_test(test_config_merge),
		cmocka_unit_test(test_config_dangerous),
		cmocka_unit_test(test_config_good),
		cmocka_unit_test(test_config_remotes),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_index_unseen),
		cmocka_unit_test(test_index_split_unseen),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_persist_digest),
		cmocka_unit_test(test_persist_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
