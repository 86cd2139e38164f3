/* tests/unit/test-seed-filter.c - the pure parts of seed: secrets, JSON, TOML, key patterns. */
#include "unit.h"

#include "json/json.h"
#include "seed/secret.h"
#include "seed/merge.h"
#include "seed/toml.h"

static struct arena arena;
static char said[4096];

static void note(void *ud, const char *place, const char *why)
{
	(void)ud;
	size_t n = strlen(said);
	snprintf(said + n, sizeof(said) - n, "%s: %s\n", place, why);
}

static const char *missing(void *ud, const char *command, const char *const *args, size_t n)
{
	(void)ud;
	bool lost = strstr(command, "absent");
	for (size_t i = 0; args && i < n; i++)
		lost = lost || strstr(args[i], "absent");
	return lost ? "is not inside" : NULL;
}

static const struct json_watch watch = {
	.withheld = note, .secret = secret_value, .secret_name = secret_name, .missing = missing};

static struct keypats patterns(const char *const *text)
{
	struct keypats p = {.v = arena_alloc(&arena, 32 * sizeof(struct keypat))};
	for (; *text; text++)
		assert_int_equal(keypat_parse(&arena, *text, &p.v[p.n++]), 0);
	return p;
}

static int reset(void **state)
{
	(void)state;
	arena_free(&arena);
	arena = (struct arena){0};
	said[0] = '\0';
	return 0;
}

static void secrets_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *key, *value;
		bool secret;
	} rows[] = {
		{NULL, "sk-ant-api03-AbCdEf0123456789", true},
		{NULL, "ghp_0123456789abcdefghijABCDEFGHIJ012345", true},
		{NULL, "xoxb-123456789012-abcdef", true},
		{NULL, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", true},
		{NULL, "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END", true},
		{NULL, "https://user:hunter2@example.org/x", true},
		{NULL, "https://example.org/mcp?api_key=abcdef0123456789", true},
		{NULL, "Zk3vQ9xL2mN8pR4tY7wB1cD5fG6hJ0sA", true},
		{"API_KEY", "hunter22", true},
		{"authToken", "hunter22", true},
		{"Authorization", "Bearer abcdefgh", true},
		{"password", "correct1", true},
		{"X-Header", "Bearer abcdefghij", true},
		{"apiKey", "{file:~/.key}", true},
		{"API_KEY", "${API_KEY}", false},
		{"API_KEY", "$API_KEY", false},
		{"apiKey", "{env:KEY}", false},
		{"Authorization", "Bearer ${TOKEN}", false},
		{"model", "claude-opus-5-5", false},
		{"path", "/home/u/projects/my-long-project-name-2024/src", false},
		{"url", "https://example.org/mcp", false},
		{"keybinding", "ctrl+shift+x", false},
		{"monkey", "a banana", false},
		{"description", "Use the task-runner for 12 things and sk-ip the rest", false},
		{"rev", "v1.2.3", false},
		{"env_key", "MY_GATEWAY_API_KEY", false},
		{"env_key", "hunter22", true},
		{"env_key", "MY_hunter22_KEY", true},
		{"env_key", "sk_live_0123456789abcdefghijkl", true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *why = secret_value(rows[i].key, rows[i].value);
		if (!why == rows[i].secret)
			fail_msg("%s=%s: %s", rows[i].key ? rows[i].key : "-", rows[i].value,
				why ? why : "taken for harmless");
	}
}

static void secret_names_are_words(void **state)
{
	(void)state;
	static const char *const yes[] = {"TOKEN", "githubToken", "GITHUB_TOKEN", "api-key",
		"APIKey", "--api-key", "client_secret", "DB_PASSWORD", "x-auth-token",
		"privateKey"};
	static const char *const no[] = {"tokenizer", "keyboard", "monkey", "maxTokensPerTurn",
		"keybindings", "author", "secretary", ""};
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(secret_name(yes[i]));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(secret_name(no[i]));
}

static char *filtered(const char *json, const char *const *keep, const char *const *drop)
{
	struct json_doc *d;
	struct err err = {0};
	assert_int_equal(json_doc_parse(json, strlen(json), &d, &err), 0);
	struct keypats k = patterns(keep), x = patterns(drop);
	json_doc_filter(d, &k, &x, &watch);
	char *text = json_doc_text(d);
	json_doc_free(d);
	return text;
}

static void json_keeps_what_is_listed(void **state)
{
	(void)state;
	static const char in[] =
		"{ // comment\n \"theme\": \"dark\", \"other\": 1,\n"
		"\"mcp\": {\"a\": {\"command\": \"x\", \"args\": [\"--token\", "
		"\"hunter22\"], \"env\": {\"MY_TOKEN\": \"hunter22\", \"LANG\": "
		"\"C\"}}}, /* two */ \"p\": {\"/a.b\": {\"keep\": 1, \"not\": 2}},}";
	char *out = filtered(in, (const char *[]){"theme", "mcp", "p.\"/a.b\".keep", NULL},
		(const char *[]){NULL});
	assert_non_null(strstr(out, "\"theme\": \"dark\""));
	assert_non_null(strstr(out, "\"LANG\": \"C\""));
	assert_non_null(strstr(out, "\"keep\": 1"));
	assert_null(strstr(out, "hunter22"));
	assert_null(strstr(out, "other"));
	assert_null(strstr(out, "\"not\""));
	assert_non_null(strstr(said, "mcp.a.env.MY_TOKEN: "));
	assert_non_null(strstr(said, "mcp.a.args.1: "));
	free(out);
}

static void json_drop_wins(void **state)
{
	(void)state;
	char *out = filtered("{\"a\": {\"b\": 1, \"c\": 2}}", (const char *[]){"a", NULL},
		(const char *[]){"a.b", NULL});
	assert_null(strstr(out, "\"b\""));
	assert_non_null(strstr(out, "\"c\": 2"));
	free(out);
}

static void json_hooks_without_script_go(void **state)
{
	(void)state;
	static const char in[] =
		"{\"hooks\": {\"Pre\": [{\"matcher\": \"x\", \"hooks\": [{\"command\": "
		"\"absent\"}]}, "
		"{\"hooks\": [{\"command\": \"here\"}, {\"command\": \"absent\"}]}], "
		"\"Post\": [{\"matcher\": \"*\", \"hooks\": [{\"command\": \"absent\"}]}]}}";
	struct json_doc *d;
	assert_int_equal(json_doc_parse(in, strlen(in), &d, NULL), 0);
	struct keypats c = patterns((const char *[]){"hooks.*.*.hooks.*.command", NULL});
	json_doc_check_commands(d, &c, &watch);
	char *out = json_doc_text(d);
	assert_non_null(strstr(out, "here"));
	assert_null(strstr(out, "absent"));
	assert_null(strstr(out, "matcher"));
	assert_null(strstr(out, "Post"));
	free(out);
	json_doc_free(d);
}

/* What stands beside a command belongs to it: arguments, where it starts; a list is both in one. */
static void json_servers_without_their_files_go(void **state)
{
	(void)state;
	static const char in[] =
		"{\"mcp\": {\"one\": {\"command\": \"node\", \"args\": [\"here\", 1, \"absent\"]}, "
		"\"two\": {\"command\": \"node\", \"args\": [\"here\"], \"cwd\": \"absent\"}, "
		"\"three\": {\"command\": [\"node\", \"absent\"]}, "
		"\"four\": {\"command\": \"node\", \"args\": [\"here\"]}, "
		"\"five\": {\"command\": [\"node\", \"here\"]}, \"six\": {\"command\": []}, "
		"\"seven\": {\"command\": 7, \"args\": [\"absent\"]}}}";
	struct json_doc *d;
	assert_int_equal(json_doc_parse(in, strlen(in), &d, NULL), 0);
	struct keypats c = patterns((const char *[]){"mcp.*.command", NULL});
	json_doc_check_commands(d, &c, &watch);
	char *out = json_line_text(d);
	assert_string_equal(out,
		"{\"mcp\":{\"four\":{\"command\":\"node\",\"args\":[\"here\"]},"
		"\"five\":{\"command\":[\"node\",\"here\"]},\"six\":{\"command\":[]},"
		"\"seven\":{\"command\":7,\"args\":[\"absent\"]}}}");
	assert_non_null(strstr(said, "mcp.three.command: is not inside"));
	free(out);
	json_doc_free(d);
}

static void json_refuses(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "[1]", "{\"a\": }", "{\"a\": 1", "\"x\"", "{'a': 1}"};
	struct json_doc *d;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(json_doc_parse(bad[i], strlen(bad[i]), &d, NULL), -EINVAL);
	char deep[200] = "{\"a\":";
	memset(deep + 5, '[', 60);
	memset(deep + 65, ']', 60);
	strcpy(deep + 125, "}");
	assert_int_equal(json_doc_parse(deep, strlen(deep), &d, NULL), -EINVAL);
}

static void json_merge_over_and_under(void **state)
{
	(void)state;
	struct json_doc *d, *add;
	assert_int_equal(json_doc_parse("{\"a\":{\"x\":1},\"l\":[1]}", 21, &d, NULL), 0);
	assert_int_equal(
		json_doc_parse("{\"a\":{\"x\":2,\"y\":3},\"l\":[1,2]}", 29, &add, NULL), 0);
	json_doc_merge(d, add, false);
	char *out = json_doc_text(d);
	assert_non_null(strstr(out, "\"x\": 1"));
	assert_non_null(strstr(out, "\"y\": 3"));
	free(out);
	json_doc_merge(d, add, true);
	out = json_doc_text(d);
	assert_non_null(strstr(out, "\"x\": 2"));
	free(out);
	json_doc_free(d);
	json_doc_free(add);
}

static int toml(const char *in, const char *const *keep, char **ret)
{
	struct toml_doc d;
	struct err err = {0};
	struct keypats k = patterns(keep), none = {0};
	int r = toml_doc_parse(&arena, in, strlen(in), &k, &none, &watch, &d, &err);
	if (r < 0)
		return r;
	struct keypats c = patterns((const char *[]){"mcp.*.command", NULL});
	toml_doc_check_commands(&d, &c, &watch);
	*ret = toml_doc_text(&d);
	return 0;
}

static void toml_keeps_what_is_listed(void **state)
{
	(void)state;
	static const char in[] =
		"# comment with ghp_0123456789abcdefghij\n"
		"model = \"gpt\" # tail\nother = 1\n"
		"text = \"\"\"\nline one\n[not.a.table]\nother = 2\"\"\"\n"
		"[mcp.good]\ncommand = 'npx'\nargs = [ \"a\", # c\n \"--api-key\", \"hunter22\", "
		"]\n"
		"env = { API_TOKEN = \"hunter22\", LANG = \"C\" }\n"
		"[mcp.gone]\ncommand = \"absent\"\n[mcp.gone.env]\nA = \"1\"\n"
		"[mcp.good.http_headers]\nAuthorization = \"Bearer hunter22\"\nAccept = \"x\"\n"
		"[projects.\"/secret/place\"]\ntrust_level = \"trusted\"\n"
		"[[list]]\nn = 1\n[[list]]\nn = -2.5e3\n";
	char *out;
	assert_int_equal(toml(in, (const char *[]){"model", "text", "mcp", "list", NULL}, &out), 0);
	assert_non_null(strstr(out, "model = \"gpt\"\n"));
	assert_non_null(strstr(out, "text = \"line one\\u000a[not.a.table]\\u000aother = 2\"\n"));
	assert_non_null(strstr(out, "args = [\"a\", \"--api-key\"]\n"));
	assert_non_null(strstr(out, "env = { LANG = \"C\" }\n"));
	assert_non_null(strstr(out, "[mcp.good.http_headers]\nAccept = \"x\"\n"));
	assert_non_null(strstr(out, "[[list]]\nn = 1\n\n[[list]]\nn = -2.5e3\n"));
	static const char *const gone[] = {"hunter22", "ghp_", "gone", "secret", "\nother"};
	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		assert_null(strstr(out, gone[i]));
	assert_non_null(strstr(said, "mcp.gone.command: is not inside"));
	assert_non_null(strstr(said, "mcp.good.env.API_TOKEN"));
}

/* Each way to write a table that holds a command, opened as settings are before they are merged. */
static void toml_commands_are_found_when_opened(void **state)
{
	(void)state;
	static const char *const in[] = {
		"[mcp.one]\ncommand = 'absent'\n[mcp.two]\ncommand = 'x'\n",
		"[mcp]\none = { command = 'absent' }\ntwo = { command = 'x' }\n",
		"[mcp]\none.command = 'absent'\ntwo.command = 'x'\n",
		"mcp.one.command = 'absent'\nmcp.two.command = 'x'\n",
		"mcp = { one = { command = 'absent' }, two = { command = 'x' } }\n"};
	for (size_t i = 0; i < ARRAY_LEN(in); i++) {
		struct toml_doc d, merged;
		struct err err = {0};
		struct keypats k = patterns((const char *[]){"mcp", NULL}), none = {0};
		struct keypats c = patterns((const char *[]){"mcp.*.command", NULL});
		assert_int_equal(
			toml_doc_parse(&arena, in[i], strlen(in[i]), &k, &none, &watch, &d, &err),
			0);
		assert_int_equal(toml_doc_open(&d, &err), 0);
		assert_int_equal(
			toml_doc_parse(&arena, "mcp = 1", 0, NULL, NULL, NULL, &merged, &err), 0);
		toml_doc_merge(&merged, &d, true);
		toml_doc_check_commands(&merged, &c, &watch);
		char *out = toml_doc_text(&merged);
		assert_null(strstr(out, "absent"));
		assert_non_null(strstr(out, "[mcp.two]\ncommand = \"x\""));
	}
}

static void toml_servers_without_their_files_go(void **state)
{
	(void)state;
	static const char in[] =
		"[mcp.one]\nargs = [ 'here', # absent\n 7, \"\"\"absent\"\"\", ]\ncommand = "
		"'node'\n"
		"[mcp.two]\ncommand = 'node'\ncwd = 'absent'\n"
		"[mcp.three]\ncommand = 'node'\nargs = []\nenv = { args = 'absent' }\n"
		"[mcp.four]\ncommand = 'node'\nargs = ['a \"b\" ]', \"c\"]\n";
	char *out;
	assert_int_equal(toml(in, (const char *[]){"mcp", NULL}, &out), 0);
	assert_null(strstr(out, "one"));
	assert_null(strstr(out, "two"));
	assert_non_null(strstr(out, "[mcp.three]"));
	assert_non_null(strstr(out, "[mcp.four]"));
	assert_non_null(strstr(said, "mcp.two.command: is not inside"));
}

/* Hooks are arrays of tables, or arrays in them: of each the one whose script is absent goes, and a
 * table that says nothing itself stays for those within it. */
static void toml_arrays_lose_their_tables_one_by_one(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out, *said;
	} rows[] = {
		{"[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = 'command'\ncommand = 'absent'\n"
		 "[[hooks.Stop.hooks]]\ncommand = 'one'\n[[hooks.Stop]]\nmatcher = 'x'\n"
		 "[[hooks.Stop.hooks]]\ncommand = 'two'\n[tui]\na = 1\n",
			"\n[[hooks.Stop]]\n\n[[hooks.Stop.hooks]]\ncommand = \"one\"\n"
			"\n[[hooks.Stop]]\nmatcher = \"x\"\n"
			"\n[[hooks.Stop.hooks]]\ncommand = \"two\"\n\n[tui]\na = 1\n",
			"hooks.Stop.hooks.command: is not inside\n"},
		{"[[hooks.Stop]]\nhooks = [{ command = 'one' }, { command = 'absent' }]\n",
			"\n[[hooks.Stop]]\nhooks = [{ command = \"one\" }]\n",
			"hooks.Stop.hooks.1.command: is not inside\n"},
		{"[hooks]\nStop = [{ hooks = [{ command = 'absent', x = [1] }] }]\n"
		 "Start = [{ hooks = [{ command = 'one' }] }]\n",
			"\n[hooks]\nStop = [{ hooks = [] }]\n"
			"Start = [{ hooks = [{ command = \"one\" }] }]\n",
			"hooks.Stop.0.hooks.0.command: is not inside\n"},
		{"[[other]]\n[[other.x]]\na = 1\n", "", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct toml_doc d, merged;
		struct err err = {0};
		struct keypats k = patterns((const char *[]){"hooks", "tui", NULL}), none = {0};
		struct keypats c = patterns((const char *[]){"hooks.*.hooks.command",
			"hooks.*.hooks.*.command", "hooks.*.*.hooks.*.command", NULL});
		said[0] = '\0';
		assert_int_equal(toml_doc_parse(&arena, rows[i].in, strlen(rows[i].in), &k, &none,
					 &watch, &d, &err),
			0);
		assert_int_equal(toml_doc_open(&d, &err), 0);
		assert_int_equal(toml_doc_parse(&arena, "", 0, NULL, NULL, NULL, &merged, &err), 0);
		toml_doc_merge(&merged, &d, false);
		toml_doc_check_commands(&merged, &c, &watch);
		assert_string_equal(toml_doc_text(&merged), rows[i].out);
		assert_string_equal(said, rows[i].said);
	}
}

static void toml_fails_closed(void **state)
{
	(void)state;
	static const char *const bad[] = {"a = ", "a", "a = \"x", "[a", "[a]]", "a = 'x' y",
		"a = \"\\q\"", "= 1", "a = [1", "a = {b = 1", "a = what", "a = \"\\ud800\"",
		"a..b = 1", "[]\n", "a = 1 b = 2", "a = \"\"\"x", "a = \x01", "\"a\nb\" = 1",
		"a = \"\\u00", "a = \"\\", "a = [1 2]"};
	char *out;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (toml(bad[i], (const char *[]){"a", NULL}, &out) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	char deep[512] = "a = ";
	memset(deep + 4, '[', 400);
	assert_int_equal(toml(deep, (const char *[]){"a", NULL}, &out), -EINVAL);
}

static void toml_merges_tables_once(void **state)
{
	(void)state;
	struct toml_doc d, add;
	static const char
		own[] = "a = 1\n[features]\nx = true\n",
		ours[] =
			"a = 2\nb = 3\n[features]\ny = false\nx = false\n[p.\"/w s\"]\nt = \"1\"\n";
	assert_int_equal(toml_doc_parse(&arena, own, strlen(own), NULL, NULL, NULL, &d, NULL), 0);
	assert_int_equal(
		toml_doc_parse(&arena, ours, strlen(ours), NULL, NULL, NULL, &add, NULL), 0);
	toml_doc_merge(&d, &add, true);
	assert_string_equal(toml_doc_text(&d),
		"a = 2\nb = 3\n\n[features]\nx = false\n"
		"y = false\n\n[p.\"/w s\"]\nt = \"1\"\n");
}

static const char *merged(
	enum seed_format format, const char *base, const char *top, const char *all)
{
	struct seed_merge m = {
		.format = format, .base = base, .n = strlen(base), .top = top, .all = all};
	struct err err = {0};
	return seed_merge_one(&arena, &m, &err) == 0 ? m.text : arena_dup(&arena, err.msg);
}

static void merge_order(void **state)
{
	(void)state;
	assert_string_equal(
		merged(SEED_JSON, "{\"a\":1,\"b\":1,\"l\":[1],\"o\":{\"x\":1}}",
			"{\"a\":2,\"o\":{\"y\":2}}",
			"{\"a\":2,\"b\":3,\"c\":3,\"l\":[1,2],\"o\":{\"x\":3,\"y\":2}}"),
		"{\n  \"a\": 2,\n  \"b\": 1,\n  \"l\": [\n    1,\n    2\n  ],\n  \"o\": {\n    "
		"\"x\": 1,\n    \"y\": 2\n  },\n  \"c\": 3\n}\n");
	assert_string_equal(merged(SEED_TOML, "a = 1\nb = 1\n", "a = 2\n", "a = 2\nb = 3\nc = 3\n"),
		"a = 2\nb = 1\nc = 3\n");
	/* a key that the image has as a table is not lost, nor doubled */
	assert_string_equal(merged(SEED_TOML, "t.a = 1\nu = { a = { b = 1 }, \"x y\".c = [1] }\n",
				    "[t]\na = 2\nb = 3\n", "[u.a]\nb = 9\nc = 2\n[v]\na = 1\n"),
		"\n[t]\na = 2\nb = 3\n\n[u.a]\nb = 1\nc = 2\n\n[u.\"x y\"]\nc = [1]\n\n[v]\na = "
		"1\n");
	/* arrays of tables are the image's or ours, not both */
	assert_string_equal(merged(SEED_TOML, "[[x]]\na.b = 1\n[x.y]\nc = 1\n", NULL,
				    "[[x]]\na = 9\n[x.y]\nc = 9\n[[z]]\nn = 1\n[z.w]\nn = 2\n"),
		"\n[[x]]\na.b = 1\n\n[x.y]\nc = 1\n\n[[z]]\nn = 1\n\n[z.w]\nn = 2\n");
	assert_string_equal(merged(SEED_TOML, " \n", NULL, "a = 1\n"), "a = 1\n");
	assert_string_equal(merged(SEED_JSON, "", NULL, "{\"a\": 1}"), "{\n  \"a\": 1\n}\n");
}

static void merge_malformed(void **state)
{
	(void)state;
	static const struct {
		const char *base, *says;
	} bad[] = {{"a = 1\na = 2\n", "a stands there twice"},
		{"a = {b = 1, b = 2}\n", "a.b stands there twice"},
		{"[a]\nb = 1\n[a.b]\nc = 1\n", "a.b stands there twice"},
		{"[a.b]\nc = 1\n[a]\nb = 1\n", "a.b stands there twice"},
		{"a.b = 1\na = 2\n", "a stands there twice"}, {"a = 1\nb = \n", "line 2: "},
		{"[[a]]\nb = 1\n[c]\na = 1\n\nd = {e = 1\n", "line 6: "}};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_non_null(
			strstr(merged(SEED_TOML, bad[i].base, NULL, "x = 1\n"), bad[i].says));
	assert_non_null(strstr(merged(SEED_JSON, "[1]", NULL, "{}"), "object"));
	/* requests that are none */
	struct blob answer = {0};
	assert_int_equal(seed_merge_answer(&arena, "nonsense", 8, &answer), -EBADMSG);
	assert_int_equal(seed_merge_answer(&arena, "", 0, &answer), 0);
	assert_int_equal(answer.n, 0);
	struct blob rq = {0};
	blob_put_u64(&rq, 1, 1);
	blob_put(&rq, 2, "", 0);
	blob_put_str(&rq, 4, "a = 1\n");
	assert_int_equal(seed_merge_answer(&arena, rq.data, rq.n, &answer), -EBADMSG);
	blob_free(&rq);
	blob_free(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(secrets_are_found, reset),
		cmocka_unit_test_setup(secret_names_are_words, reset),
		cmocka_unit_test_setup(json_keeps_what_is_listed, reset),
		cmocka_unit_test_setup(json_drop_wins, reset),
		cmocka_unit_test_setup(json_hooks_without_script_go, reset),
		cmocka_unit_test_setup(json_servers_without_their_files_go, reset),
		cmocka_unit_test_setup(json_refuses, reset),
		cmocka_unit_test_setup(json_merge_over_and_under, reset),
		cmocka_unit_test_setup(toml_keeps_what_is_listed, reset),
		cmocka_unit_test_setup(toml_commands_are_found_when_opened, reset),
		cmocka_unit_test_setup(toml_servers_without_their_files_go, reset),
		cmocka_unit_test_setup(toml_arrays_lose_their_tables_one_by_one, reset),
		cmocka_unit_test_setup(toml_fails_closed, reset),
		cmocka_unit_test_setup(toml_merges_tables_once, reset),
		cmocka_unit_test_setup(merge_order, reset),
		cmocka_unit_test_setup_teardown(merge_malformed, reset, reset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
