/* tests/unit/test-seed.c - whole seedings: a host home full of planted tokens, the shipped
 * profiles, and what of it is found in the copy. */
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "base/tree.h"
#include "seed/git.h"
#include "seed/script.h"
#include "seed/seed.h"

/* Every planted token holds MARK; the one that may come along holds ACCESS too. */
#define MARK "Cn4rY"
#define ACCESS MARK "aCc3sS"
#define TOKEN(n) "tok-" MARK #n "x9Q2w8E7r6T5"

static char root[64], host[80], inside[80], work[80];
static struct arena arena;
static struct seed_report report;

static void put(const char *rel, const char *fmt, ...) _printf_(2, 3);

static void put(const char *rel, const char *fmt, ...)
{
	char path[256], text[8192], *slash;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/%s", host, rel);
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0755), 0);
	*slash = '/';
	assert_int_equal(
		file_write_atomic(AT_FDCWD, path, text, strlen(text), 0600, false, NULL), 0);
}

static void base64url(const char *s, char *out)
{
	static const char abc[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t n = strlen(s), o = 0;
	for (size_t i = 0; i < n; i += 3) {
		unsigned int v = (unsigned int)(unsigned char)s[i] << 16;
		v |= i + 1 < n ? (unsigned int)(unsigned char)s[i + 1] << 8 : 0;
		v |= i + 2 < n ? (unsigned char)s[i + 2] : 0;
		for (size_t k = 0; k < 4 && i + k <= n; k++)
			out[o++] = abc[v >> (18 - 6 * k) & 63];
	}
	out[o] = '\0';
}

/* The formatter would break these texts into shreds. */
/* clang-format off */
static void plant_codex(const char *payload)
{
	put(".codex/auth.json",
		"{\"OPENAI_API_KEY\": null, "
		"\"tokens\": {\"id_token\": \"eyJhbGciOiJSUzI1NiJ9.%s.sig" MARK
		"01\", \"access_token\": \"eyJhbGciOiJSUzI1NiJ9.%s." ACCESS
		"\", \"refresh_token\": \"" TOKEN(02) "\", \"account_id\": \"acc\"}}",
		payload,
		payload);
	put(".codex/sessions/2026/x.jsonl", TOKEN(03));
	put(".codex/history.jsonl", TOKEN(04));
	put(".codex/state_5.sqlite", TOKEN(05));
	put(".codex/config.toml",
		"model = \"gpt-x\"\n"
		"[mcp_servers.a]\n"
		"command = \"sh\"\n"
		"env = { A_TOKEN = \"" TOKEN(06) "\", LANG = \"C\" }\n"
		"bearer_token = \"" TOKEN(07) "\"\n"
		"[model_providers.b]\n"
		"experimental_bearer_token = \"" TOKEN(08) "\"\n"
		"name = \"b\"\n"
		"[projects.\"/x/" TOKEN(09) "\"]\n"
		"trust_level = \"trusted\"\n");
	put(".codex/AGENTS.md", "Be brief.\nDEPLOY_TOKEN=" TOKEN(10) "\n");
	put(".codex/skills/s/SKILL.md", "a skill\n");
	put(".codex/skills/s/.env", TOKEN(11));
}

static void plant_claude(long long end)
{
	put(".claude/.credentials.json",
		"{\"claudeAiOauth\": {\"accessToken\": \"sk-ant-oat01-" ACCESS
		"\", \"refreshToken\": \"sk-ant-ort01-" MARK
		"12\", \"expiresAt\": %lld000, \"scopes\": [\"user:inference\"]}, "
		"\"mcpOAuth\": {\"x\": \"" TOKEN(13) "\"}}",
		end);
	put(".claude.json",
		"{\"oauthAccount\": {\"emailAddress\": \"" MARK
		"14@example.org\"}, \"userID\": \"" TOKEN(15) "\", \"theme\": \"light\", "
		"\"customApiKeyResponses\": {\"approved\": [\"" TOKEN(16)
		"\"]},\"mcpServers\": {\"m\": {\"command\": \"sh\", "
		"\"env\": {\"X_API_KEY\": \"" TOKEN(17)
		"\"}, \"headers\": {\"Authorization\": \"Bearer " TOKEN(18)
		"\"}}}, \"projects\": {\"%s\": {\"history\": [\"" TOKEN(19)
		"\"], \"mcpServers\": {\"local\": {\"command\": \"sh\"}}}}}",
		work);
	put(".claude/settings.json",
		"{\"model\": \"opus\", \"env\": {\"ANTHROPIC_AUTH_TOKEN\": \"" TOKEN(20)
		"\", \"EDITOR\": \"vi\"}, \"apiKeyHelper\": \"echo " TOKEN(21)
		"\", \"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", "
		"\"command\": \"~/.claude/hooks/here.sh\"}]}, "
		"{\"hooks\": [{\"type\": \"command\", \"command\": \"~/bin/absent.sh\"}]}]}}");
	put(".claude/hooks/here.sh", "#!/bin/sh\n");
	put(".claude/CLAUDE.md",
		"Speak plainly. Use sk-ant-api03-" MARK "22abcdef for tests.\n");
	put(".claude/projects/p/x.jsonl", TOKEN(23));
	put(".claude/history.jsonl", TOKEN(24));
	put(".claude/shell-snapshots/s.sh", TOKEN(25));
	put(".claude/backups/.claude.json", TOKEN(26));
	put(".claude/todos/t.json", TOKEN(27));
	put(".claude/skills/ok/SKILL.md", "fine\n");
}

static void plant_others(long long end)
{
	put(".gemini/oauth_creds.json",
		"{\"access_token\": \"ya29." ACCESS "\", \"refresh_token\": \"1//" MARK
		"28\", \"id_token\": \"" TOKEN(29)
		"\", \"expiry_date\": %lld000, \"scope\": \"x\"}",
		end);
	put(".gemini/google_accounts.json", "{\"active\": \"" MARK "30@example.org\"}");
	put(".gemini/.env", "GEMINI_API_KEY=" TOKEN(31));
	put(".gemini/settings.json",
		"{\"ui\": {\"theme\": \"x\"}, \"mcpServers\": {\"m\": {\"command\": \"sh\", "
		"\"env\": {\"T_TOKEN\": \"" TOKEN(32) "\"}}}}");
	put(".gemini/tmp/h/logs.json", TOKEN(33));
	put(".gemini/history/h/x", TOKEN(34));
	put(".gemini/gemini-credentials.json", TOKEN(35));
	put(".local/share/opencode/auth.json",
		"{\"a\": {\"type\": \"oauth\", \"access\": \"" ACCESS "\", \"refresh\": \""
		TOKEN(36)
		"\", \"expires\": %lld000}, \"b\": {\"type\": \"oauth\", \"access\": \""
		TOKEN(37) "\", \"refresh\": \"" TOKEN(38) "\", \"expires\": 0}}",
		end);
	put(".local/share/opencode/mcp-auth.json", TOKEN(39));
	put(".local/share/opencode/opencode.db", TOKEN(40));
	put(".config/opencode/opencode.json",
		"{\"theme\": \"x\", \"provider\": {\"p\": {\"options\": {\"apiKey\": \""
		TOKEN(41) "\", \"baseURL\": \"https://example.org\"}}}}");
}

static void plant_tools(void)
{
	put(".local/share/keyrings/login.keyring", TOKEN(42));
	put(".git-credentials", "https://u:" TOKEN(43) "@example.org\n");
	put(".gitconfig",
		"[user]\n"
		"\tname = A U Thor\n"
		"\temail = a@example.org\n"
		"[commit]\n"
		"\tgpgsign = true\n"
		"[core]\n"
		"\thooksPath = /x\n"
		"\teditor = " TOKEN(44) "\n"
		"\tfsmonitor = /x\n"
		"[credential]\n"
		"\thelper = store --" TOKEN(45) "\n"
		"[alias]\n"
		"\tx = !sh " TOKEN(46) "\n"
		"[http \"https://example.org\"]\n"
		"\textraheader = Authorization: Basic " TOKEN(47) "\n"
		"[url \"https://u:" TOKEN(48) "@example.org/\"]\n"
		"\tinsteadOf = https://example.org/\n"
		"[url \"https://mirror.example.org/\"]\n"
		"\tinsteadOf = ex:\n"
		"[url \"git@github.com:\"]\n"
		"\tinsteadOf = https://github.com/\n"
		"[init]\n"
		"\tdefaultBranch = trunk\n"
		"[gc]\n"
		"\tpruneExpire = never\n"
		"\trecentObjectsHook = /hooks/x\n"
		"[gc \"refs/stash\"]\n"
		"\treflogExpire = never\n"
		"[protocol \"file\"]\n"
		"\tallow = always\n"
		"[protocol \"ext\"]\n"
		"\tallow = hooks\n"
		"[safe]\n"
		"\tdirectory = /shared/x\n");
	put(".config/git/ignore", "*.swp\n");
	put(".netrc", "machine x password " TOKEN(49));
	put(".npmrc", "//x/:_authToken=" TOKEN(50));
	put(".ssh/id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\n" MARK "51\n-----END");
	put(".aws/credentials", TOKEN(52));
	put(".config/gh/hosts.yml", "oauth_token: " TOKEN(53));
}

/* clang-format on */

/* Every file that an agent keeps a secret in, and those of git and other tools. */
static void plant(int64_t left)
{
	long long end = (long long)(time(NULL) + left);
	char claims[128], payload[256];
	snprintf(claims, sizeof(claims), "{\"exp\":%lld,\"plan\":\"x\"}", end);
	base64url(claims, payload);
	plant_codex(payload);
	plant_claude(end);
	plant_others(end);
	plant_tools();
	char link[160];
	snprintf(link, sizeof(link), "%s/.claude/skills/ok/key", host);
	assert_int_equal(symlink("../../../.ssh/id_ed25519", link), 0);
	snprintf(link, sizeof(link), "%s/.claude/skills/ssh", host);
	assert_int_equal(symlink("../../.ssh", link), 0);
	snprintf(link, sizeof(link), "%s/.claude/commands", host);
	assert_int_equal(symlink("../.ssh", link), 0);
}

static int setup(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/test-seed-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(host, sizeof(host), "%s/host", root);
	snprintf(inside, sizeof(inside), "%s/inside", root);
	snprintf(work, sizeof(work), "%s/work", root);
	mkdir(host, 0700);
	mkdir(inside, 0700);
	mkdir(work, 0700);
	setenv("HOME", host, 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	static const char *const unset[] = {"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN",
		"CLAUDE_CODE_OAUTH_TOKEN", "OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_ACCESS_TOKEN",
		"GEMINI_API_KEY", "GOOGLE_API_KEY", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
		"XDG_STATE_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR"};
	for (size_t i = 0; i < ARRAY_LEN(unset); i++)
		unsetenv(unset[i]);
	arena = (struct arena){0};
	report = (struct seed_report){.a = &arena};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return tree_remove(AT_FDCWD, root, NULL);
}

static struct seed_request request(const char *profile)
{
	const char *src = getenv("BAWN_SRCDIR");
	return (struct seed_request){
		.profile = arena_printf(&arena, "%s/profiles/%s.yaml", src ? src : ".", profile),
		.home = inside,
		.workspace = work,
		.sandbox = "t"};
}

static void seed(const char *profile)
{
	struct seed_request rq = request(profile);
	struct err err = {0};
	if (seed_run(&rq, &report, &err) < 0)
		fail_msg("%s: %s", profile, err.msg);
}

static bool said(enum seed_kind kind, const char *text)
{
	for (size_t i = 0; i < report.n; i++)
		if (report.v[i].kind == kind && strstr(report.v[i].text, text))
			return true;
	return false;
}

static char *content(const char *rel)
{
	char path[200], *text = NULL;
	snprintf(path, sizeof(path), "%s/%s", inside, rel);
	return file_read(&arena, AT_FDCWD, path, 1 << 20, &text, NULL) < 0 ? NULL : text;
}

static size_t n_access;

static int look(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	char *text;
	if (strstr(path, MARK))
		fail_msg("%s", path);
	if (type == FTW_SL || (st->st_mode & 0077))
		fail_msg("%s: a link, or open to others", path);
	if (type != FTW_F)
		return 0;
	ssize_t n = file_read(&arena, AT_FDCWD, path, 1 << 20, &text, NULL);
	assert_true(n >= 0);
	for (char *p = text; (p = strstr(p, MARK)); p++) {
		if (strncmp(p, ACCESS, strlen(ACCESS)) != 0)
			fail_msg("%s holds %.40s", path, p - 6);
		n_access++;
	}
	return 0;
}

static size_t copied_tokens(void)
{
	n_access = 0;
	assert_int_equal(nftw(inside, look, 16, FTW_PHYS), 0);
	for (size_t i = 0; i < report.n; i++)
		assert_null(strstr(report.v[i].text, MARK "0"));
	return n_access;
}

static const char *const profiles[] = {"claude", "codex", "gemini", "opencode"};

/* SECURITY: of all that is planted, only the announced access token comes along. */
static void only_the_access_token_comes_along(void **state)
{
	(void)state;
	umask(077);
	plant(3 * 3600 + 600);
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		seed(profiles[i]);
		assert_int_equal(copied_tokens(), 1);
		assert_true(said(SEED_NOTICE, "(access token only, expires in 3 h)"));
		tree_remove(AT_FDCWD, inside, NULL);
		mkdir(inside, 0700);
	}
	assert_true(said(SEED_NOTICE, "using your claude.ai log-in"));
	assert_true(said(SEED_WITHHELD, "~/.claude/settings.json: env.ANTHROPIC_AUTH_TOKEN"));
	assert_true(said(SEED_WITHHELD, "~/.claude.json: mcpServers.m.env.X_API_KEY"));
	assert_true(said(SEED_WITHHELD, "~/.claude/CLAUDE.md: an Anthropic key"));
	assert_true(said(SEED_LEFT, "~/.claude/skills/ok/key"));
	assert_true(said(SEED_LEFT, "~/.claude/skills/ssh"));
	assert_true(said(SEED_LEFT, "~/.claude/commands"));
	assert_true(said(SEED_LEFT, "~/bin/absent.sh is not inside"));
	assert_true(said(SEED_WITHHELD, "~/.codex/config.toml: mcp_servers.a.env.A_TOKEN"));
	assert_true(said(SEED_WITHHELD, "~/.codex/skills/s/.env"));
	assert_true(said(SEED_WITHHELD, "opencode/auth.json: b: a token that does not expire"));
	assert_true(said(SEED_WITHHELD, "git: url"));
	assert_true(said(SEED_NOTICE, "commits are not signed inside"));
}

/* git's settings that stand twice: the machine's, then the user's. */
static void the_last_setting_counts(void **state)
{
	static const char off[] = "commit.gpgsign\ntrue\0tag.gpgsign\nfalse\0commit.gpgsign\nfalse";
	static const char on[] = "commit.gpgsign\nfalse\0push.gpgsign\ntrue\0tag.gpgsign\nfalse";
	struct arena a = {0};
	struct seed_report own = {.a = &a};
	struct seed_git_out out;
	(void)state;
	assert_int_equal(seed_git_filter(&own, off, sizeof(off), NULL, false, &out, NULL), 0);
	assert_false(out.signing);
	assert_int_equal(seed_git_filter(&own, on, sizeof(on), NULL, false, &out, NULL), 0);
	assert_true(out.signing);
	arena_free(&a);
}

/* SECURITY: the host's files are read and nothing else, with several seedings at once too. */
static void host_files_stay_as_they_are(void **state)
{
	(void)state;
	static const char *const files[] = {".claude/.credentials.json", ".claude.json",
		".codex/auth.json", ".gemini/oauth_creds.json", ".local/share/opencode/auth.json",
		".gitconfig"};
	struct stat before[ARRAY_LEN(files)], now;
	char path[200], *text[ARRAY_LEN(files)], *again;
	plant(7200);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", host, files[i]);
		assert_int_equal(stat(path, &before[i]), 0);
		assert_true(file_read(&arena, AT_FDCWD, path, 1 << 20, &text[i], NULL) > 0);
	}
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			snprintf(path, sizeof(path), "%s/%d", inside, i);
			mkdir(path, 0700);
			struct seed_request rq = request(profiles[i % 4]);
			rq.home = path;
			_exit(seed_run(&rq, &report, NULL) < 0);
		}
		assert_true(pid > 0);
	}
	int status;
	for (int i = 0; i < 20; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", host, files[i]);
		assert_int_equal(stat(path, &now), 0);
		assert_true(file_read(&arena, AT_FDCWD, path, 1 << 20, &again, NULL) > 0);
		assert_string_equal(again, text[i]);
		assert_int_equal(now.st_ino, before[i].st_ino);
		assert_int_equal(now.st_ctim.tv_nsec, before[i].st_ctim.tv_nsec);
	}
}

static void without_login_no_token_comes_along(void **state)
{
	(void)state;
	umask(077);
	plant(7200);
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		struct seed_request rq = request(profiles[i]);
		rq.no_login = true;
		assert_int_equal(seed_run(&rq, &report, NULL), 0);
	}
	assert_int_equal(copied_tokens(), 0);
	assert_true(said(SEED_LOGIN, "none"));
}

static void an_expired_login_says_what_to_do(void **state)
{
	(void)state;
	umask(077);
	plant(30); /* ends before the run could use it */
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
		seed(profiles[i]);
	assert_int_equal(copied_tokens(), 0);
	assert_true(
		said(SEED_NOTICE, "claude.ai log-in has expired: run `claude` once on the host"));
	assert_true(said(SEED_NOTICE, "ChatGPT log-in has expired: run `codex` once on the host"));
	assert_true(said(SEED_NOTICE, "Google log-in has expired: run `gemini` once on the host"));
	assert_true(said(SEED_LOGIN, "expired claude.ai"));
}

/* None of the user's settings; the log-in and the answers to first-run dialogs all the same. */
static void a_bare_home_has_no_settings(void **state)
{
	(void)state;
	plant(7200);
	struct seed_request rq = request("claude");
	rq.bare_home = true;
	assert_int_equal(seed_run(&rq, &report, NULL), 0);
	char *config = content(".claude.json");
	assert_null(strstr(config, "theme"));
	assert_null(strstr(config, "mcpServers"));
	assert_non_null(strstr(config, "\"hasTrustDialogAccepted\": true"));
	assert_null(strstr(content(".claude/settings.json"), "model"));
	assert_non_null(strstr(content(".claude/.credentials.json"), ACCESS));
	char path[4096];
	/* what bawn says of the sandbox alone */
	char *told = content(".claude/CLAUDE.md");
	assert_ptr_equal(strstr(told, "<!-- bawn: this sandbox -->"), told);
	static const char *const out[] = {".gitconfig", ".config/git/config"};
	for (size_t i = 0; i < ARRAY_LEN(out); i++) {
		snprintf(path, sizeof(path), "%s/%s", inside, out[i]);
		assert_int_equal(access(path, F_OK), -1);
	}
}

static void settings_come_along(void **state)
{
	(void)state;
	umask(077);
	plant(7200);
	setenv("ANTHROPIC_API_KEY", "sk-ant-\"-0123456789ABCDEFGHIJ", 1);
	seed("claude");
	char *config = content(".claude.json"), *settings = content(".claude/settings.json");
	assert_non_null(strstr(config, "\"theme\": \"light\""));
	assert_non_null(strstr(config, "\"hasCompletedOnboarding\": true"));
	assert_non_null(strstr(config, "\"hasTrustDialogAccepted\": true"));
	assert_non_null(strstr(config, "\"local\""));
	assert_non_null(strstr(config, "\"0123456789ABCDEFGHIJ\""));
	assert_non_null(strstr(settings, "here.sh"));
	assert_null(strstr(settings, "absent.sh"));
	assert_null(strstr(settings, "apiKeyHelper"));
	assert_non_null(strstr(settings, "\"EDITOR\": \"vi\""));
	assert_non_null(strstr(settings, "\"skipDangerousModePermissionPrompt\": true"));
	assert_non_null(content(".claude/skills/ok/SKILL.md"));
	assert_null(content(".claude/.credentials.json")); /* the key is there: no log-in needed */
	setenv("OPENAI_API_KEY", "sk-x", 1);
	put(".codex/auth.json", "{}");
	seed("codex");
	assert_non_null(strstr(content(".codex/auth.json"), "\"OPENAI_API_KEY\": \"sk-x\""));
	assert_non_null(strstr(content(".codex/config.toml"), "model = \"gpt-x\"\n"));
	assert_non_null(strstr(content(".codex/config.toml"), "trust_level = \"trusted\"\n"));
}

/* An API key in a tool's own file: a placeholder comes along, and the key is told to bawn alone. */
static void a_key_has_a_stand_in(void **state)
{
	(void)state;
	put(".codex/auth.json", "{\"OPENAI_API_KEY\": \"sk-" MARK "\", \"auth_mode\": \"apikey\"}");
	struct seed_request rq = request("codex");
	struct err err = {0};
	strv_add(&arena, &rq.stand_ins, "OTHER_KEY=x");
	strv_add(&arena, &rq.stand_ins, "OPENAI_API_KEY=sk-stand-in");
	assert_int_equal(seed_run(&rq, &report, &err), 0);
	char *auth = content(".codex/auth.json");
	assert_non_null(strstr(auth, "\"OPENAI_API_KEY\": \"sk-stand-in\""));
	assert_non_null(strstr(auth, "\"auth_mode\": \"apikey\""));
	assert_null(strstr(auth, MARK));
	assert_true(said(SEED_KEY, "OPENAI_API_KEY=sk-" MARK));
	for (size_t i = 0; i < report.n; i++)
		if (report.v[i].kind != SEED_KEY)
			assert_null(strstr(report.v[i].text, MARK));
	/* where nothing stands in for it, it is as it was */
	report.n = 0;
	seed("codex");
	assert_false(said(SEED_KEY, ""));
	assert_non_null(strstr(content(".codex/auth.json"), "\"sk-" MARK "\""));
}

/* Lines for a file: behind what is there, once, and through no link. */
static void lines_come_behind(void **state)
{
	(void)state;
	struct seed_request rq = request("shell");
	struct err err = {0};
	put(".npmrc", "//host.example/:_authToken=" MARK "\n");
	strv_add(&arena, &rq.lines, "~/.npmrc=//a.example/:_authToken=npm_x");
	strv_add(&arena, &rq.lines, "~/.npmrc=//a.example/:_authToken=npm_x");
	strv_add(&arena, &rq.lines, "~/.npmrc=//b.example/:_authToken=npm_y");
	strv_add(&arena, &rq.lines, "~/.config/x/y.yml=k:\n  a=b\n");
	strv_add(&arena, &rq.lines, "~/.config/x/y.yml=  a=b\n");
	assert_int_equal(seed_run(&rq, &report, &err), 0);
	assert_string_equal(content(".npmrc"),
		"//a.example/:_authToken=npm_x\n//b.example/:_authToken=npm_y\n");
	assert_string_equal(content(".config/x/y.yml"), "k:\n  a=b\n");
	strv_add(&arena, &rq.lines, "/etc/x=y");
	assert_int_equal(seed_run(&rq, &report, &err), -EINVAL);
}

static void git_identity_comes_along(void **state)
{
	(void)state;
	plant(7200);
	seed("shell");
	char *c = content(".gitconfig");
	assert_non_null(c);
	static const char *const have[] = {"name = \"A U Thor\"", "defaultbranch = \"trunk\"",
		"pruneexpire = \"never\"", "[gc \"refs/stash\"]\n\treflogexpire = \"never\"",
		"allow = \"always\"", "directory = \"/shared/x\"", "insteadof = \"ex:\"",
		"gpgsign = \"false\"", "insteadof = \"git@github.com:\"", "[safe]"};
	static const char *const gone[] = {"hooks", "editor", "fsmonitor", "helper", "alias",
		"extraheader", "gpgsign = \"true\"", "[url \"git@github.com:\"]"};
	for (size_t i = 0; i < ARRAY_LEN(have); i++)
		if (!strstr(c, have[i]))
			fail_msg("no %s in %s", have[i], c);
	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		if (strstr(c, gone[i]))
			fail_msg("%s in %s", gone[i], c);
	assert_string_equal(content(".config/git/ignore"), "*.swp\n");
}

/* In the words of `git lfs install` alone, and only where the program is there. */
static void git_lfs_comes_along(void **state)
{
	(void)state;
	static const char list[] = "filter.lfs.clean\ngit-lfs clean -- %f\0"
				   "filter.lfs.smudge\ngit-lfs smudge --skip -- %f\0"
				   "filter.lfs.process\ngit-lfs filter-process\0"
				   "filter.lfs.required\ntrue\0"
				   "filter.lfs.process\ngit-lfs filter-process; evil\0"
				   "filter.lfs.clean\n./git-lfs clean -- %f\0"
				   "filter.other.clean\ngit-lfs clean -- %f";
	struct seed_git_out out;
	assert_int_equal(seed_git_filter(&report, list, sizeof(list), NULL, true, &out, NULL), 0);
	assert_non_null(strstr(out.text, "[filter \"lfs\"]\n\tclean = \"git-lfs clean -- %f\"\n"));
	assert_non_null(strstr(out.text, "smudge = \"git-lfs smudge --skip -- %f\"\n"));
	assert_non_null(strstr(out.text, "process = \"git-lfs filter-process\"\n"));
	assert_non_null(strstr(out.text, "required = \"true\"\n"));
	assert_null(strstr(out.text, "evil"));
	assert_null(strstr(out.text, "./"));
	assert_null(strstr(out.text, "other"));
	assert_int_equal(seed_git_filter(&report, list, sizeof(list), NULL, false, &out, NULL), 0);
	assert_null(strstr(out.text, "lfs"));
}

/* A last run's agent makes the workspace lead to a secret, through a link of the user's. */
static void links_out_of_the_workspace_are_refused(void **state)
{
	(void)state;
	char path[160], to[160];
	put("notes/private.md", MARK);
	put(".claude/x", "x");
	snprintf(path, sizeof(path), "%s/CLAUDE.md", work);
	snprintf(to, sizeof(to), "%s/notes/private.md", host);
	assert_int_equal(symlink(to, path), 0);
	snprintf(to, sizeof(to), "%s/.claude/CLAUDE.md", host);
	assert_int_equal(symlink(path, to), 0);
	seed("claude");
	assert_null(strstr(content(".claude/CLAUDE.md"), MARK));
	assert_true(said(SEED_LEFT, "a link in the workspace leads to"));
}

/* What the agent of an earlier run left in a kept home must not lead the copy outside. */
static void links_in_the_home_are_not_followed(void **state)
{
	(void)state;
	char path[160];
	put(".claude/CLAUDE.md", "text");
	snprintf(path, sizeof(path), "%s/.claude", inside);
	assert_int_equal(symlink(work, path), 0);
	struct seed_request rq = request("claude");
	assert_true(seed_run(&rq, &report, NULL) < 0);
	snprintf(path, sizeof(path), "%s/CLAUDE.md", work);
	assert_int_equal(access(path, F_OK), -1);
}

static void odd_sources_are_named(void **state)
{
	(void)state;
	char path[160];
	put(".claude/settings.json", "{ broken");
	put(".codex/config.toml", "model = \"x\"\n[broken\n");
	put(".claude/.credentials.json", "[]");
	snprintf(path, sizeof(path), "%s/.claude/CLAUDE.md", host);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/.claude/keybindings.json", host);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, 5 << 20), 0);
	close(fd);
	seed("claude");
	seed("codex");
	assert_true(said(SEED_LEFT, "~/.claude/settings.json: line 1"));
	assert_true(said(SEED_LEFT, "~/.codex/config.toml: line 2"));
	assert_true(said(SEED_LEFT, "~/.claude/keybindings.json: larger than 4 MiB"));
	assert_true(said(SEED_NOTICE, "your claude.ai log-in can't be used"));
	assert_null(strstr(content(".codex/config.toml"), "model = "));
}

static void bad_profiles_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"state:\n  - pth: ~/x\n", ":2:5: unknown key \"pth\""},
		{"state:\n  - path: /etc/passwd\n", "path must begin with \"~/\""},
		{"state:\n  - path: ~/x\n    format: json\n", "\"keep\" is missing"},
		{"state:\n  - path: ~/x\n    variables: [a.b]\n",
			"\"variables\" goes with \"format: json\" or toml"},
		{"state:\n  - path: ~/x\n    format: toml\n    keep: [a]\n    prompts: [a.b]\n",
			"\"prompts\" goes with \"format: json\""},
		{"state:\n  - path: ~/x\n    texts: [a.b]\n", "\"texts\" goes with"},
		{"state:\n  - path: ~/x\n    format: json\n    keep: [a]\n    imports: true\n",
			"\"imports\" is for text"},
		{"state: ~/x\n", "must be a list"},
		{"state:\n  - path: ~/x\n    format: xml\n", "format must be plain, json or toml"},
		{"login:\n  - path: ~/x\n", "\"name\" is missing"},
		{"login:\n  - path: ~/x\n    name: x\n    run: x\n    keep: [a]\n    token: a\n",
			"either \"expires\" or \"key: true\""},
		{"files:\n  - path: ~/x\n    content: x\n    when: {before: new}\n",
			"\"new\" is not a version, as 1.2"},
		{"files:\n  - path: ~/x\n    content: x\n    when: {yolo: 1}\n",
			"yolo must be either, yes or no"},
		{"files:\n  - content: x\n", "either \"path\" or \"env\""},
		{"files:\n  - path: ~/x\n    content: ${nope}\n", "unknown variable"},
		{"files:\n  - path: ~/x\n    format: json\n    content: x\n", "content of ~/x"},
		{"files:\n  - path: ~/../x\n    content: x\n", "make the directory"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {0};
		struct seed_request rq = request("x");
		put("p.yaml", "%s", rows[i].text);
		rq.profile = arena_printf(&arena, "%s/p.yaml", host);
		assert_true(seed_run(&rq, &report, &err) < 0);
		if (!strstr(err.msg, rows[i].says))
			fail_msg("\"%s\" instead of \"%s\"", err.msg, rows[i].says);
	}
}

/* A fifth tool is one file. */
static void another_tool_needs_no_code(void **state)
{
	(void)state;
	put(".tool/conf.json", "{\"keep\": 1, \"not\": 2}");
	put("p.yaml",
		"state:\n  - path: ~/.tool/conf.json\n    format: json\n    keep: [keep]\n"
		"files:\n  - path: ~/.tool/seen\n    content: ${WORKSPACE} ${SANDBOX}\n"
		"  - env: TOOL_HOME\n    content: ${HOME}/.tool\n");
	struct seed_request rq = request("x");
	rq.profile = arena_printf(&arena, "%s/p.yaml", host);
	assert_int_equal(seed_run(&rq, &report, NULL), 0);
	assert_non_null(strstr(content(".tool/conf.json"), "\"keep\": 1"));
	assert_null(strstr(content(".tool/conf.json"), "not"));
	assert_string_equal(content(".tool/seen"), arena_printf(&arena, "%s t", work));
	assert_true(said(SEED_ENV, arena_printf(&arena, "TOOL_HOME=%s/.tool", host)));
}

/* What a start needs that another version doesn't. */
static void versions_differ(void **state)
{
	(void)state;
	static const struct {
		const char *version;
		bool no_yolo;
		const char *is, *is_not;
		bool yolo;
	} rows[] = {
		{"1.2.6", false, "ANY=old", "ANY=between", true},
		{"1.10.0", false, "ANY=between", "ANY=old", true},
		{"1.18.0", false, "ANY=new", "ANY=between", true},
		{NULL, false, "ANY=new", "ANY=old", true},
		{"1.18.0", true, "ANY=new", "ASKS=no", false},
	};
	put("p.yaml",
		"files:\n"
		"  - {env: ANY, content: old, when: {before: \"1.9\"}}\n"
		"  - {env: ANY, content: between, when: {since: \"1.9\", before: \"1.18\"}}\n"
		"  - {env: ANY, content: new, when: {since: \"1.18\"}}\n"
		"  - {env: ASKS, content: \"no\", when: {yolo: yes}}\n"
		"  - {env: OWN, content: \"no\", over: false}\n"
		"  - {env: OTHER, content: \"other\", over: false}\n");
	setenv("OWN", "x", 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct seed_request rq = request("x");
		rq.profile = arena_printf(&arena, "%s/p.yaml", host);
		rq.version = rows[i].version;
		rq.no_yolo = rows[i].no_yolo;
		report = (struct seed_report){.a = &arena};
		assert_int_equal(seed_run(&rq, &report, NULL), 0);
		assert_true(said(SEED_ENV, rows[i].is));
		assert_false(said(SEED_ENV, rows[i].is_not));
		assert_int_equal(said(SEED_ENV, "ASKS=no"), rows[i].yolo);
		/* what the user has set stays */
		assert_false(said(SEED_ENV, "OWN="));
		assert_true(said(SEED_ENV, "OTHER=other"));
	}
	unsetenv("OWN");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(only_the_access_token_comes_along),
		T(the_last_setting_counts),
		T(host_files_stay_as_they_are),
		T(without_login_no_token_comes_along),
		T(an_expired_login_says_what_to_do),
		T(a_bare_home_has_no_settings),
		T(settings_come_along),
		T(a_key_has_a_stand_in),
		T(lines_come_behind),
		T(git_identity_comes_along),
		T(git_lfs_comes_along),
		T(links_out_of_the_workspace_are_refused),
		T(links_in_the_home_are_not_followed),
		T(odd_sources_are_named),
		T(bad_profiles_are_refused),
		T(another_tool_needs_no_code),
		T(versions_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
