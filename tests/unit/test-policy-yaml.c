/* tests/unit/test-policy-yaml.c - the YAML subset, profiles, egress policies, their man pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>

#include "base/file.h"
#include "policy/profile-keys.h"
#include "policy/read.h"
#include "policy/schema.h"

static struct arena arena;

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static int parse(const char *text, size_t n, struct yaml_node **ret, struct err *err)
{
	*err = (struct err){0};
	return yaml_parse(&arena, "f.yaml", text, n, ret, err);
}

/* CFG-02, CFG-07: each refused, at the right place. */
static void test_refused(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *msg; /* what the message must hold */
	} t[] = {
#define S(s) s, sizeof(s) - 1
		{S("a: 1\na: 2\n"), "f.yaml:2:1: key \"a\" stands twice, first in line 1"},
		{S("a: &x 1\nb: *x\n"), "f.yaml:1:4: anchors"},
		{S("b: *x\n"), "f.yaml:1:4: aliases"},
		{S("*x : 1\n"), "aliases"},
		{S("&k a: 1\n"), "anchors"},
		{S("a: !!str 1\n"), "f.yaml:1:4: tags"},
		{S("a: !x 1\n"), "tags"},
		{S("!!map\na: 1\n"), "tags"},
		{S("a: &l [1]\n"), "anchors"},
		{S("a: !!seq [1]\n"), "tags"},
		{S("? [a]\n: b\n"), "f.yaml:1:3: a key must be"},
		{S("{[a]: b}\n"), "a key must be"},
		{S("a: 1\n---\nb: 2\n"), "f.yaml:2:1: a second document"},
		{S("%YAML 1.1\n---\na: 1\n"), "directives"},
		{S("%TAG ! tag:x,2000:\n---\na: 1\n"), "directives"},
		{S("\xef\xbb\xbf"
		   "a: 1\n"),
			"f.yaml:1:1: starts with a byte order mark"},
		{S("a: 1\r\nb: 2\r\n"), "f.yaml:1:5: a carriage return"},
		{S("a:\n\t- b\n"), "f.yaml:2:1: a tab; indent with spaces"},
		{S("a:\n  - \303\274\n  \t- b\n"), "f.yaml:3:3: a tab; indent with spaces"},
		{S("a: \"x\0y\"\n"), "f.yaml:1:6: the control byte 0x00"},
		{S("a: 1\n\0"), "f.yaml:2:1: the control byte 0x00"},
		{S("a: \x1b[31m\n"), "control byte 0x1b"},
		{S("a: \"\\0\"\n"), "a NUL byte"},
		{S("a: \xff\n"), "f.yaml:"},
		{S("\xff\xfe"
		   "a\0"),
			"f.yaml:"},
		{S("a: [1\n"), "f.yaml:"},
		{S("a: b: c\n"), "f.yaml:1:"},
		{S("[[[[[[[[[[[[[[[[[[[[[[[["), "nested deeper"},
		{S("a: 'x\n"), "f.yaml:"},
#undef S
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct yaml_node *root = NULL;
		struct err err;
		if (parse(t[i].text, t[i].n, &root, &err) >= 0)
			fail_msg("accepted: %s", t[i].text);
		if (!strstr(err.msg, t[i].msg))
			fail_msg("\"%s\" lacks \"%s\"", err.msg, t[i].msg);
	}
}

static void test_sizes(void **state)
{
	struct yaml_node *root = NULL;
	struct err err;
	size_t n = YAML_FILE_MAX + 1;
	char *big = malloc(n);
	(void)state;
	assert_non_null(big);
	memset(big, '#', n);
	assert_int_equal(parse(big, YAML_LINE_MAX, &root, &err), 0);
	assert_int_equal(parse(big, YAML_LINE_MAX + 2, &root, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "64 KiB"));
	for (size_t i = 80; i < n; i += 80)
		big[i] = '\n';
	assert_int_equal(parse(big, n - 1, &root, &err), 0);
	assert_int_equal(parse(big, n, &root, &err), -EFBIG);
	size_t len = 0;
	for (int i = 0; i < YAML_MAP_MAX + 1; i++)
		len += (size_t)snprintf(big + len, n - len, "k%d: v\n", i);
	assert_int_equal(parse(big, len, &root, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "1024 keys"));
	free(big);
}

static void test_tree(void **state)
{
	static const char text[] = "# c\na: no\nb: [1.0, 'x y', \"\"]\nc:\n  d: |\n    t\n  e:\n";
	struct yaml_node *root = NULL;
	struct err err;
	(void)state;
	assert_int_equal(parse(text, sizeof(text) - 1, &root, &err), 0);
	assert_int_equal(root->kind, YAML_MAP);
	assert_int_equal(root->n, 3);
	const struct yaml_node *a = yaml_get(root, "a"), *b = yaml_get(root, "b");
	assert_string_equal(a->text, "no"); /* a string, not false */
	assert_int_equal(a->line, 2);
	assert_int_equal(a->col, 4);
	assert_int_equal(a->key_col, 1);
	assert_int_equal(b->n, 3);
	assert_string_equal(b->child->text, "1.0");
	assert_true(b->child->next->quoted);
	assert_false(yaml_is_empty(b->child->next->next)); /* "" is text */
	const struct yaml_node *c = yaml_get(root, "c");
	assert_string_equal(yaml_get(c, "d")->text, "t\n");
	assert_true(yaml_is_empty(yaml_get(c, "e")));
	assert_null(yaml_get(root, "zz"));
	assert_null(yaml_get(a, "x"));

	assert_int_equal(parse("", 0, &root, &err), 0);
	assert_int_equal(root->kind, YAML_MAP);
	assert_int_equal(root->n, 0);
	assert_int_equal(parse("# only\n", 7, &root, &err), 0);
	assert_int_equal(root->n, 0);
}

static int profile(const char *text, struct profile *ret, struct err *err)
{
	struct yaml_node *root = NULL;
	int r = parse(text, strlen(text), &root, err);
	return r < 0 ? r : profile_parse(&arena, "tool", "f.yaml", root, ret, err);
}

static void test_profile(void **state)
{
	struct profile p;
	struct err err;
	(void)state;
	assert_int_equal(profile("command: [tool, run]\n"
				 "exec: true\n"
				 "yolo: [--yes]\nyolo-after: [run]\nyolo-unless: [--no]\n"
				 "subcommands:\n  exec: [--x, --y]\n  review: []\n"
				 "env:\n  pass: [A_B, C_*]\n  set: {K: \"1\", W: '${WORKSPACE}'}\n"
				 "keys: [TOOL_KEY]\nlogin-hint: log in\n"
				 "state: [{path: ~/a}]\n"
				 "policies: [npm, /etc/x.yaml]\napi: [tool]\nsyscalls: debug\n"
				 "mask: [./a//b/, '!c', d/./e]\nprotect: []\n",
				 &p, &err),
		0);
	assert_string_equal(p.name, "tool");
	assert_string_equal(p.summary, "tool");
	assert_int_equal(p.command.n, 2);
	assert_true(p.args_replace);
	assert_string_equal(p.yolo_after.v[0], "run");
	assert_int_equal(p.n_subs, 2);
	assert_string_equal(p.subs[0].word, "exec");
	assert_int_equal(p.subs[0].args.n, 2);
	assert_int_equal(p.subs[1].args.n, 0);
	assert_string_equal(p.env_pass.v[1], "C_*");
	assert_string_equal(p.env_set.v[0], "K=1");
	assert_string_equal(p.env_set.v[1], "W=${WORKSPACE}");
	assert_true(p.has_seed);
	assert_int_equal(p.policies.n, 2);
	assert_string_equal(p.api.v[0], "tool");
	assert_string_equal(p.syscalls, "debug");
	/* FS-07: one form, however it is written */
	assert_string_equal(p.mask.v[0], "a/b");
	assert_string_equal(p.mask.v[1], "!c");
	assert_string_equal(p.mask.v[2], "d/e");
	assert_int_equal(p.protect.n, 0);

	assert_int_equal(profile("command: [x]\n", &p, &err), 0);
	assert_false(p.has_seed);
	assert_false(p.args_replace);
	assert_string_equal(p.policies.v[0], "balanced");
	assert_string_equal(p.syscalls, "default");
	assert_true(strv_has(&p.mask, ".env"));
	assert_true(strv_has(&p.protect, ".git/hooks"));
}

/* CFG-02 */
static void test_profile_errors(void **state)
{
	static const char *const t[][2] = {
		{"", "f.yaml:1:1: no command"},
		{"command: []\n", "no command"},
		{"comand: [x]\n", "f.yaml:1:1: unknown key \"comand\"; did you mean \"command\"?"},
		{"command: [x]\nyol: [y]\n",
			"f.yaml:2:1: unknown key \"yol\"; did you mean \"yolo\"?"},
		{"command: [x]\nyolo_after: [y]\n", "did you mean \"yolo-after\"?"},
		{"command: [x]\nzzzzzz: 1\n", "the keys are summary, command"},
		{"command: [x]\nenv:\n  pas: [A]\n",
			"f.yaml:3:3: unknown key \"pas\" in \"env\"; did "
			"you mean \"pass\"?"},
		{"command: x\n", "f.yaml:1:10: \"command\" needs a list"},
		{"command: {a: b}\n", "needs a list"},
		{"command: [[a]]\n", "needs text"},
		{"command: [x, '']\n", "f.yaml:1:14: an empty value"},
		{"command: [x]\nexec: yes\n", "f.yaml:2:7: \"yes\" is neither true nor false"},
		{"command: [x]\nexec: [true]\n", "needs text"},
		{"command: [x]\nsummary: [a]\n", "needs text"},
		{"command: [x]\nsummary: \"a\\nb\"\n", "more than one line"},
		{"command: [x]\nenv: [A]\n", "needs a map"},
		{"command: [x]\nenv:\n  pass: ['*']\n", "every variable"},
		{"command: [x]\nenv:\n  pass: [A*B]\n", "not a variable's name"},
		{"command: [x]\nenv:\n  pass: [A=1]\n", "not a variable's name"},
		{"command: [x]\nenv:\n  pass: [1A]\n", "not a variable's name"},
		{"command: [x]\nenv:\n  set: {A B: 1}\n", "not a variable's name"},
		{"command: [x]\nenv:\n  set: {A: [1]}\n", "needs text"},
		{"command: [x]\nmask: [../x]\n", "f.yaml:2:8: \"../x\" is not below the workspace"},
		{"command: [x]\nmask: [/etc]\n", "not below"},
		{"command: [x]\nmask: ['.']\n", "not below"},
		{"command: [x]\nprotect: [a/../b]\n", "not below"},
		{"command: [x]\npolicies: [../../x]\n", "neither a policy's name"},
		{"command: [x]\npolicies: [-rf]\n", "neither a policy's name"},
		{"command: [x]\nsyscalls: ../x\n", "not a policy's name"},
		{"command: [x]\nstate: text\n", "\"state\" needs a list"},
		{"command: [x]\nsubcommands: [a]\n", "needs a map"},
		{"command: [x]\nsubcommands: {a: b}\n", "needs a list"},
		{"- a\n", "needs a map"},
		{"text\n", "needs a map"},
		{"command: [x]\n<<: {yolo: [y]}\n", "unknown key \"<<\""},
		{"command: [x]\n\"\\e[1m\": 1\n", "unknown key \"\\x1b[1m\""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct profile p;
		struct err err;
		if (profile(t[i][0], &p, &err) != -EINVAL)
			fail_msg("accepted: %s", t[i][0]);
		if (!strstr(err.msg, t[i][1]))
			fail_msg("\"%s\" lacks \"%s\"", err.msg, t[i][1]);
	}
}

static int policy(const char *text, struct egress_file *ret, struct err *err)
{
	struct yaml_node *root = NULL;
	int r = parse(text, strlen(text), &root, err);
	return r < 0 ? r : egress_file_parse(&arena, "f.yaml", root, ret, err);
}

static void test_policy(void **state)
{
	struct egress_file f;
	struct err err;
	(void)state;
	assert_int_equal(policy("summary: s\napi: true\nallow:\n  - a.com\n"
				"  - {host: 'b.com:22', raw: true}\n"
				"  - host: c.com\n    private: true\ndeny: [d.com]\n",
				 &f, &err),
		0);
	assert_true(f.api);
	assert_int_equal(f.rules.n, 4);
	assert_int_equal(f.rules.v[0].line, 4);
	assert_int_equal(f.rules.v[0].ports[0], 443);
	assert_true(f.rules.v[1].raw);
	assert_int_equal(f.rules.v[1].ports[0], 22);
	assert_true(f.rules.v[2].private_ok);
	assert_int_equal(f.rules.v[2].line, 6);
	assert_true(f.rules.v[3].deny);
	assert_int_equal(f.rules.v[3].n_ports, 0);
	static const char *const empty[] = {"", "allow: []\n", "allow:\n", "deny: []\n"};
	for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
		assert_int_equal(policy(empty[i], &f, &err), 0);
		assert_int_equal(f.rules.n, 0);
	}
}

static void test_policy_errors(void **state)
{
	static const char *const t[][2] = {
		{"alow: [a.com]\n", "f.yaml:1:1: unknown key \"alow\"; did you mean \"allow\"?"},
		{"allow: a.com\n", "f.yaml:1:8: \"allow\" needs a list"},
		{"allow: [a.com, '*']\n", "f.yaml:1:16: rule \"*\""},
		{"allow:\n  - http://x\n", "f.yaml:2:5: rule \"http://x\""},
		{"allow:\n  - ''\n", "f.yaml:2:5: an empty rule"},
		{"allow:\n  -\n", "an empty rule"},
		{"allow:\n  - [a]\n", "needs text"},
		{"allow:\n  - {hots: a}\n",
			"unknown key \"hots\" in a rule; did you mean \"host\"?"},
		{"allow:\n  - {private: true}\n", "without \"host\""},
		{"allow:\n  - {host: a.com, private: yes}\n", "neither true nor false"},
		{"deny:\n  - {host: a.com, private: true}\n", "don't go with deny"},
		{"credentials: {}\n", "needs a list"},
		{"allow: [a.com]\nallow: [b.com]\n", "stands twice"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct egress_file f;
		struct err err;
		if (policy(t[i][0], &f, &err) != -EINVAL)
			fail_msg("accepted: %s", t[i][0]);
		if (!strstr(err.msg, t[i][1]))
			fail_msg("\"%s\" lacks \"%s\"", err.msg, t[i][1]);
	}
}

static char *slurp(const char *name)
{
	const char *dir = getenv("BAWN_SRCDIR");
	char path[1000], *text = NULL;
	struct err err = {0};
	snprintf(path, sizeof(path), "%s/%s", dir ? dir : ".", name);
	if (file_read(&arena, AT_FDCWD, path, 1 << 20, &text, &err) < 0)
		fail_msg("%s", err.msg);
	return text;
}

/* "*KEY* (TYPE, default: DEFAULT)" is how the man pages name each key. */
static void expect_documented(
	const char *page, const char *text, const char *key, const char *type, const char *deflt)
{
	char line[300];
	if (streq(deflt, "required"))
		snprintf(line, sizeof(line), "\n*%s* (%s, required)\n", key, type);
	else
		snprintf(line, sizeof(line), "\n*%s* (%s, default: %s)\n", key, type, deflt);
	if (!strstr(text, line))
		fail_msg("%s lacks the line: %s", page, line + 1);
}

static size_t count_keys(const char *text)
{
	size_t n = 0;
	for (const char *p = text; (p = strstr(p, "\n*")); p++) {
		const char *end = strchr(p + 1, '\n');
		const char *paren = strstr(p, "* (");
		n += paren && end && paren < end && end[-1] == ')';
	}
	return n;
}

static void test_man_pages(void **state)
{
	const char *text = slurp("man/bawn-profile.5.scd");
	(void)state;
	for (size_t i = 0; i < profile_n_keys; i++) {
		const struct profile_key *k = &profile_keys[i];
		expect_documented(
			"bawn-profile(5)", text, k->path, profile_type_name(k->type), k->deflt);
	}
	assert_int_equal(count_keys(text), profile_n_keys);
	text = slurp("man/bawn-policy.5.scd");
	for (size_t i = 0; i < policy_n_keys; i++)
		expect_documented("bawn-policy(5)", text, policy_keys[i].name, policy_keys[i].type,
			policy_keys[i].deflt);
	for (size_t i = 0; i < rule_n_keys; i++)
		expect_documented("bawn-policy(5)", text, rule_keys[i].name, rule_keys[i].type,
			rule_keys[i].deflt);
	for (size_t i = 0; i < credential_n_keys; i++)
		expect_documented("bawn-policy(5)", text, credential_keys[i].name,
			credential_keys[i].type, credential_keys[i].deflt);
	assert_int_equal(count_keys(text), policy_n_keys + rule_n_keys + credential_n_keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_refused, teardown),
		cmocka_unit_test_teardown(test_sizes, teardown),
		cmocka_unit_test_teardown(test_tree, teardown),
		cmocka_unit_test_teardown(test_profile, teardown),
		cmocka_unit_test_teardown(test_profile_errors, teardown),
		cmocka_unit_test_teardown(test_policy, teardown),
		cmocka_unit_test_teardown(test_policy_errors, teardown),
		cmocka_unit_test_teardown(test_man_pages, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
