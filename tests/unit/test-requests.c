/* tests/unit/test-requests.c - HTTP rules and credentials: reading paths, matching, deciding, YAML,
 * and their way through a pack's records.
 */
#include "unit.h"

#include "policy/egress-build.h"
#include "policy/http-build.h"
#include "policy/lint.h"
#include "policy/read.h"
#include "policy/request-table.h"
#include "policy/schema.h"

static const char *canonical(const char *target, unsigned int how, unsigned int *ways)
{
	static char out[HTTP_PATH_MAX * 3 + 2];
	int r = http_path_canonical(target, strlen(target), how, out, sizeof(out), ways);
	return r < 0 ? NULL : out;
}

static void test_path_readings(void **state)
{
	static const struct {
		const char *in;
		unsigned int how, ways;
		const char *out; /* NULL: refused */
	} t[] = {
		{"/", 0, 0, "/"},
		{"/a/b", 0, 0, "/a/b"},
		{"/a/b/", 0, 0, "/a/b/"},
		{"/a?x=/../b", 0, 0, "/a"},
		{"/%61%2d%7E", 0, 0, "/a-~"},
		{"/a%20b", 0, 0, "/a b"},
		{"/100%25", 0, 0, "/100%25"},
		{"/a%2Fb", 0, HTTP_READ_SLASH, "/a%2Fb"},
		{"/a%2fb", HTTP_READ_SLASH, HTTP_READ_SLASH, "/a/b"},
		{"/a%5cb", HTTP_READ_SLASH, HTTP_READ_SLASH, "/a/b"},
		{"/a\\b", HTTP_READ_SLASH, HTTP_READ_SLASH, "/a/b"},
		{"/a;x=1/b;y", 0, HTTP_READ_PARAMS, "/a;x=1/b;y"},
		{"/a;x=1/b;y", HTTP_READ_PARAMS, HTTP_READ_PARAMS, "/a/b"},
		{"/a%3bx/b", HTTP_READ_PARAMS, HTTP_READ_PARAMS, "/a/b"},
		{"/a/../b", 0, HTTP_READ_DOTS, "/a/../b"},
		{"/a/../b", HTTP_READ_DOTS, HTTP_READ_DOTS, "/b"},
		{"/a/./b/.", HTTP_READ_DOTS, HTTP_READ_DOTS, "/a/b/"},
		{"/a/b/..", HTTP_READ_DOTS, HTTP_READ_DOTS, "/a/"},
		{"/a/%2e%2E/b", HTTP_READ_DOTS, HTTP_READ_DOTS, "/b"},
		{"/a/..;/b", HTTP_READ_DOTS | HTTP_READ_PARAMS, HTTP_READ_DOTS | HTTP_READ_PARAMS,
			"/b"},
		{"/a/..%2fb", HTTP_READ_DOTS | HTTP_READ_SLASH, HTTP_READ_DOTS | HTTP_READ_SLASH,
			"/b"},
		{"//a//b", 0, HTTP_READ_MERGE, "//a//b"},
		{"//a//b", HTTP_READ_MERGE, HTTP_READ_MERGE, "/a/b"},
		{"//", HTTP_READ_MERGE, HTTP_READ_MERGE, "/"},
		{"/a//../b", HTTP_READ_DOTS, HTTP_READ_DOTS | HTTP_READ_MERGE, "/a/b"},
		{"/a%252fb", 0, HTTP_READ_TWICE, "/a%252fb"},
		{"/a%252fb", HTTP_READ_TWICE, HTTP_READ_TWICE | HTTP_READ_SLASH, "/a%2Fb"},
		{"/a%25252e", HTTP_READ_TWICE, HTTP_READ_TWICE, "/a."},
		{"/a%2500b", HTTP_READ_TWICE, 0, NULL},
		{"/..", HTTP_READ_DOTS, 0, NULL},
		{"/a/../../b", HTTP_READ_DOTS, 0, NULL},
		{"", 0, 0, NULL},
		{"*", 0, 0, NULL},
		{"a", 0, 0, NULL},
		{"http://example.com/", 0, 0, NULL},
		{"/a b", 0, 0, NULL},
		{"/a\tb", 0, 0, NULL},
		{"/a\r\nb", 0, 0, NULL},
		{"/a#b", 0, 0, NULL},
		{"/a%", 0, 0, NULL},
		{"/a%2", 0, 0, NULL},
		{"/a%2g", 0, 0, NULL},
		{"/a%u002f", 0, 0, NULL},
		{"/a%00b", 0, 0, NULL},
		{"/a%0d%0ab", 0, 0, NULL},
		{"/a%01b", 0, 0, NULL},
		{"/a%c0%afb", 0, 0, NULL},
		{"/a%e0%80%afb", 0, 0, NULL},
		{"/%c3%bc", 0, 0, "/\xc3\xbc"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		unsigned int ways = 0;
		const char *out = canonical(t[i].in, t[i].how, &ways);
		if (!out != !t[i].out || (out && strcmp(out, t[i].out) != 0))
			fail_msg("\"%s\" (%u): \"%s\"", t[i].in, t[i].how, out ? out : "refused");
		if (out && ways != t[i].ways)
			fail_msg("\"%s\" (%u): ways %u", t[i].in, t[i].how, ways);
	}
}

static void test_path_lengths(void **state)
{
	char in[HTTP_PATH_MAX + 2], small[8];
	unsigned int ways;
	(void)state;
	memset(in, 'a', sizeof(in));
	in[0] = '/';
	assert_int_equal(http_path_canonical(in, HTTP_PATH_MAX + 1, 0, in, sizeof(in), &ways),
		-ENAMETOOLONG);
	assert_int_equal(http_path_canonical("/aaaaaa", 7, 0, small, sizeof(small), &ways), 7);
	assert_int_equal(
		http_path_canonical("/aaaaaaa", 8, 0, small, sizeof(small), &ways), -ENAMETOOLONG);
}

static void test_path_globs(void **state)
{
	static const struct {
		const char *glob, *path;
		bool strict, folded;
	} t[] = {
		{"/", "/", true, true},
		{"/", "/a", false, false},
		{"/**", "/", true, true},
		{"/**", "/a/b/", true, true},
		{"/a/**", "/a", true, true},
		{"/a/**", "/a/", true, true},
		{"/a/**", "/a/b/c", true, true},
		{"/a/**", "/ab", false, false},
		{"/a/*", "/a/b", true, true},
		{"/a/*", "/a/b/c", false, false},
		{"/a/*", "/a/", true, true},
		{"/a/*", "/a", false, false},
		{"/a/b", "/a/b/", false, true},
		{"/a/b/", "/a/b", false, true},
		{"/a/b", "/A/b", false, true},
		{"/**/git-upload-pack", "/o/r/git-upload-pack", true, true},
		{"/**/git-upload-pack", "/git-upload-pack", true, true},
		{"/**/git-upload-pack", "/o/r/git-receive-pack", false, false},
		{"/*/*/info/refs", "/o/r/info/refs", true, true},
		{"/*/*/info/refs", "/o/info/refs", false, false},
		{"/v*/x", "/v1/x", true, true},
		{"/*-*-*", "/a-b-c-d", true, true},
		{"/*-*-*", "/a-b", false, false},
		{"/**/a/**/b", "/x/a/y/a/z/b", true, true},
		{"/**/a/**/b", "/x/a/y/a/z", false, false},
		{"/a%2Fb", "/a%2Fb", true, true},
		{"/a%2Fb", "/a/b", false, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		if (http_path_match(t[i].glob, t[i].path, false) != t[i].strict)
			fail_msg("%s %s", t[i].glob, t[i].path);
		if (http_path_match(t[i].glob, t[i].path, true) != t[i].folded)
			fail_msg("%s %s (folded)", t[i].glob, t[i].path);
	}
}

/* ---- rules ---- */

struct world {
	struct arena a;
	struct rules rules;
	struct http_rules http;
	struct egress egress;
	void *table;
};

static void add_rules(struct world *w, const char *const *texts)
{
	struct err err = {0};
	size_t n = 0;
	for (size_t i = 0; texts[i]; i++) {
		struct rule r = {.deny = texts[i][0] == '!'};
		if (rule_parse(&w->a, texts[i] + r.deny, &r, &err) < 0)
			fail_msg("%s", err.msg);
		r.file = "test";
		assert_int_equal(rule_add(&w->a, &w->rules, &r, &err), 0);
	}
	assert_int_equal(http_build(&w->a, &w->rules, &w->http, &err), 0);
	assert_int_equal(egress_build(&w->rules, false, &w->table, &n, &err), 0);
	assert_int_equal(egress_view(&w->egress, w->table, n), 0);
}

static void end_world(struct world *w)
{
	free(w->table);
	arena_free(&w->a);
}

static bool allowed(const struct world *w, const char *name, const char *method, const char *target)
{
	struct http_verdict v = http_decide(
		&w->http, name, 443, method, strlen(method), target, strlen(target));
	assert_true((v.action == EGRESS_DENY) == (v.why != NULL));
	return v.action == EGRESS_ALLOW;
}

struct request {
	const char *name, *method, *target;
	bool want;
};

static void assert_requests(const struct world *w, const struct request *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (allowed(w, t[i].name, t[i].method, t[i].target) != t[i].want)
			fail_msg("%s %s%s", t[i].method, t[i].name, t[i].target);
}

/* A method behind the method, where methods count. */
static void test_methods_in_queries(void **state)
{
	static const char *const rules[] = {"GET,HEAD api.github.com/repos/me/**",
		"POST api.github.com/graphql", "*.example.com/v1/*", "plain.example.net", NULL};
	static const struct request t[] = {
		{"api.github.com", "POST", "/graphql?_method=DELETE", false},
		{"api.github.com", "GET", "/repos/me/x?a=1&%5FMethod=PUT", false},
		{"api.github.com", "GET", "/repos/me/x?a;x-http-method-override=PUT", false},
		{"api.github.com", "GET", "/repos/me/x?_method", false},
		{"api.github.com", "GET", "/repos/me/x?_methods=1&a=_method&my_method=2", true},
		{"a.example.com", "POST", "/v1/x?_method=DELETE", true},
		{"plain.example.net", "POST", "/x?_method=DELETE", true},
	};
	struct world w = {0};
	(void)state;
	add_rules(&w, rules);
	assert_requests(&w, t, ARRAY_LEN(t));
	end_world(&w);
}

static void test_decide(void **state)
{
	static const char *const rules[] = {"GET,HEAD api.github.com/repos/me/**",
		"POST api.github.com/graphql", "!api.github.com/repos/me/secret/**",
		"*.example.com/v1/*", "PUT,GET open.example.org/a", "open.example.org",
		"!DELETE open.example.org", "plain.example.net", "GET any.example.net", NULL};
	static const struct request t[] = {
		{"api.github.com", "GET", "/repos/me/x", true},
		{"api.github.com", "HEAD", "/repos/me/x?page=2", true},
		{"api.github.com", "GET", "/repos/me", true},
		{"api.github.com", "POST", "/repos/me/x", false},
		{"api.github.com", "get", "/repos/me/x", false},
		{"api.github.com", "GE", "/repos/me/x", false},
		{"api.github.com", "GETS", "/repos/me/x", false},
		{"api.github.com", "", "/repos/me/x", false},
		{"api.github.com", "GET ", "/repos/me/x", false},
		{"api.github.com", "GET", "/repos/you/x", false},
		{"api.github.com", "GET", "/REPOS/me/x", false},
		{"api.github.com", "POST", "/graphql", true},
		{"api.github.com", "POST", "/graphql/", false},
		/* what one server or another takes for a path outside */
		{"api.github.com", "GET", "/repos/me/../you/x", false},
		{"api.github.com", "GET", "/repos/me/%2e%2e/you/x", false},
		{"api.github.com", "GET", "/repos/me/..%2fyou/x", false},
		{"api.github.com", "GET", "/repos/me/..%5cyou/x", false},
		{"api.github.com", "GET", "/repos/me/..;/you/x", false},
		{"api.github.com", "GET", "/repos/me/..;a=b/you/x", false},
		{"api.github.com", "GET", "/repos/me/%252e%252e/you/x", false},
		{"api.github.com", "GET", "/repos/me/..%252fyou/x", false},
		{"api.github.com", "GET", "/repos/me//../../you", false},
		{"api.github.com", "GET", "/repos/me/x/../y", true},
		{"api.github.com", "GET", "/repos/me/x%2Fy", true},
		{"api.github.com", "GET", "/repos;/me/x", false}, /* only without ";" is it repos */
		{"api.github.com", "GET", "//repos/me/x", false},
		{"api.github.com", "GET", "https://api.github.com/repos/me/x", false},
		{"api.github.com", "OPTIONS", "*", false},
		/* a deny can't be written around */
		{"api.github.com", "GET", "/repos/me/secret/x", false},
		{"api.github.com", "GET", "/repos/me/secret", false},
		{"api.github.com", "GET", "/repos/me/SECRET/x", false},
		{"api.github.com", "GET", "/repos/me/%73ecret/x", false},
		{"api.github.com", "GET", "/repos/me/x/../secret/x", false},
		{"api.github.com", "GET", "/repos/me/secret;v=1/x", false},
		{"api.github.com", "GET", "/repos/me//secret/x", false},
		{"api.github.com", "GET", "/repos/me/secret%2Fx", false},
		{"api.github.com", "GET", "/repos/me/%2573ecret/x", false},
		{"api.github.com", "GET", "/repos/me/secrets/x", true},
		/* wildcards in names, a whole host beside its rules, hosts without any */
		{"a.example.com", "PATCH", "/v1/x", true},
		{"a.example.com", "PATCH", "/v2/x", false},
		{"open.example.org", "POST", "/anything", true},
		{"open.example.org", "DELETE", "/anything", false},
		{"open.example.org", "delete", "/anything", false},
		{"plain.example.net", "DELETE", "/../..", true},
		{"any.example.net", "GET", "/x/y", true},
		{"any.example.net", "PUT", "/x/y", false},
	};
	struct world w = {0};
	(void)state;
	add_rules(&w, rules);
	assert_requests(&w, t, ARRAY_LEN(t));
	assert_true(http_rules_apply(&w.http, "api.github.com", 443));
	assert_false(http_rules_apply(&w.http, "any.example.net", 8443));
	assert_false(http_rules_apply(&w.http, "plain.example.net", 443));
	assert_false(http_rules_apply(NULL, "api.github.com", 443));
	/* the rule that is named, and what it means for connections */
	struct http_verdict v = http_decide(
		&w.http, "api.github.com", 443, "GET", 3, "/repos/me/secret", 16);
	struct egress_rule er;
	assert_int_equal(egress_rule(&w.egress, v.rule, &er), 0);
	assert_string_equal(er.text, "api.github.com/repos/me/secret/**");
	assert_int_equal(egress_match(&w.egress, "api.github.com", 443).action, EGRESS_ALLOW);
	assert_int_equal(egress_match(&w.egress, "open.example.org", 443).action, EGRESS_ALLOW);
	end_world(&w);
}

static void test_deny_alone_opens_nothing(void **state)
{
	static const char *const rules[] = {"!DELETE a.example/x", NULL};
	struct world w = {0};
	(void)state;
	add_rules(&w, rules);
	assert_int_equal(egress_match(&w.egress, "a.example", 443).action, EGRESS_DENY);
	assert_false(allowed(&w, "a.example", "GET", "/"));
	end_world(&w);
}

static void test_rule_errors(void **state)
{
	static const struct {
		const char *text, *part;
	} t[] = {
		{"get a.example/x", "capital letters"},
		{"GET, a.example/x", "a method is missing"},
		{",GET a.example/x", "a method is missing"},
		{"GET  a.example/x", "white space"},
		{"G3T a.example/x", "methods with commas"},
		{"A,B,C,D,E,F,G,H,I a.example", "8 methods"},
		{"ABCDEFGHIJKLMNOPQ a.example", "16 letters"},
		{"a.example/x?y", "queries"},
		{"a.example/x#y", "queries"},
		{"a.example/../x", "segments"},
		{"a.example//x", "segments"},
		{"a.example/%252e", "segments"},
		{"a.example/x%zz", "hexadecimal"},
		{"a.example/x y", "a space"},
		{"a.example/x**", "whole segment"},
		{"a.example/**x", "whole segment"},
		{"GET 192.0.2.1", "address"},
		{"192.0.2.1:443/x", "address"},
		{"GET 10.0.0.0/8", "not an address"},
		{"/x", "no host stands before the path"},
		{"GET /x", "no host stands before the path"},
		{"https://a.example/x", "not a URL"},
		{"localhost/x", "localhost"},
	};
	struct arena a = {0};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct rule r = {0};
		struct err err = {0};
		if (rule_parse(&a, t[i].text, &r, &err) != -EINVAL || !strstr(err.msg, t[i].part))
			fail_msg("%s: %s", t[i].text, err.msg);
	}
	struct rule net = {0};
	struct err err = {0};
	assert_int_equal(rule_parse(&a, "10.0.0.0/8:443", &net, &err), 0);
	assert_null(net.path);
	arena_free(&a);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t want; /* 0: refused */
	} t[] = {{"50MB", 50000000}, {"1", 1}, {"64KiB", 65536}, {"2GiB", (uint64_t)2 << 30},
		{"0", 0}, {"", 0}, {"MB", 0}, {"50 MB", 0}, {"50mb", 0}, {"-1", 0}, {"1.5GB", 0},
		{"99999999999", 0}};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		uint64_t n = 0;
		int r = rule_size(t[i].text, &n, NULL);
		if ((r < 0) != (t[i].want == 0) || n != t[i].want)
			fail_msg("%s: %d", t[i].text, r);
	}
}

/* ---- YAML ---- */

static int parse(struct arena *a, const char *yaml, struct egress_file *ret, struct err *err)
{
	struct yaml_node *root = NULL;
	int r = yaml_parse(a, "p.yaml", yaml, strlen(yaml), &root, err);
	return r < 0 ? r : egress_file_parse(a, "p.yaml", root, ret, err);
}

#define CRED(rest) "credentials:\n  - secret: s\n    hosts: [a.example]\n" rest

static void test_credentials(void **state)
{
	struct arena a = {0};
	struct err err = {0};
	struct egress_file f;
	(void)state;
	if (parse(&a,
		    "allow:\n  - {host: up.example, max-upload: 50MB}\n"
		    "credentials:\n"
		    "  - secret: anthropic\n    hosts: [api.a.example, \"*.b.example:8443,443\"]\n"
		    "    header: X-Api-Key\n    env: A_KEY\n    placeholder: sk-ant-{93}\n"
		    "  - secret: gh\n    hosts: [api.g.example]\n"
		    "    header: {Authorization: \"Bearer {}\"}\n    env: [GH_TOKEN, G]\n"
		    "  - secret: gh\n    hosts: [g.example]\n    basic: x-access-token\n"
		    "    always: true\n"
		    "  - secret: t\n    hosts: [t.example]\n    header: \"x-t: a {} b\"\n"
		    "    env: T\n",
		    &f, &err) < 0)
		fail_msg("%s", err.msg);
	const struct credential *c = f.credentials.v;
	assert_int_equal(f.credentials.n, 4);
	assert_string_equal(c[0].header, "x-api-key");
	assert_string_equal(c[0].before, "");
	assert_string_equal(c[0].shape, "sk-ant-{93}");
	assert_int_equal(c[0].n_hosts, 3);
	assert_string_equal(c[1].before, "Bearer ");
	assert_int_equal(c[1].env.n, 2);
	assert_string_equal(c[2].basic_user, "x-access-token");
	assert_true(c[2].always);
	assert_string_equal(c[3].before, "a ");
	assert_string_equal(c[3].after, " b");
	assert_true(credential_host(&f.credentials, "api.a.example", 443));
	assert_true(credential_host(&f.credentials, "x.b.example", 8443));
	assert_false(credential_host(&f.credentials, "x.y.b.example", 8443));
	assert_false(credential_host(&f.credentials, "api.a.example", 8443));
	assert_false(credential_host(&f.credentials, "evilapi.a.example", 443));
	assert_false(credential_host(NULL, "api.a.example", 443));
	assert_int_equal(f.rules.v[0].max_upload, 50000000);
	arena_free(&a);
}

static void test_credential_errors(void **state)
{
	static const struct {
		const char *yaml, *part;
	} t[] = {
		{"credentials: x\n", "p.yaml:1:14: \"credentials\" needs a list"},
		{"credentials: [x]\n", "p.yaml:1:15: needs a map"},
		{CRED(""), "p.yaml:2:5: a credential without \"header\""},
		{"credentials:\n  - hosts: [a.example]\n", "without \"secret\""},
		{"credentials:\n  - secret: s\n", "without \"hosts\""},
		{CRED("    header: x-k\n"), "would never be used"},
		{CRED("    header: x-k\n    env: A\n    what: 1\n"), "unknown key \"what\""},
		{CRED("    header: x-k\n    env: A\n    placeholders: 1\n"),
			"did you mean \"placeholder\""},
		{CRED("    header: x-k\n    basic: u\n    env: A\n"), "leave \"header\" out"},
		{CRED("    header: host\n    env: A\n"), "can't stand in the header \"host\""},
		{CRED("    header: Transfer-Encoding\n    env: A\n"), "can't stand"},
		{CRED("    header: \"x y\"\n    env: A\n"), "not a header's name"},
		{CRED("    header: \"x-k: {} {}\"\n    env: A\n"), "once"},
		{CRED("    header: {X: no}\n    env: A\n"), "\"{}\" once"},
		{CRED("    header: {X: \"{}\", Y: \"{}\"}\n    env: A\n"), "one header"},
		{CRED("    header: \"x-k: {}\\u00fc\"\n    env: A\n"), "visible ASCII"},
		{CRED("    basic: \"a:b\"\n    env: A\n"), "without \":\""},
		{CRED("    header: x-k\n    env: 1A\n"), "p.yaml:5:10: \"1A\" is not a variable"},
		{CRED("    header: x-k\n    env: PATH\n"), "no variable for a secret"},
		{CRED("    header: x-k\n    env: LD_PRELOAD\n"), "no variable for a secret"},
		{CRED("    header: x-k\n    env: [A, A]\n"), "twice"},
		{CRED("    header: x-k\n    env: A\n    placeholder: abc\n"), "16 random"},
		{CRED("    header: x-k\n    env: A\n    placeholder: \"{40\"\n"), "\"{\" begins"},
		{CRED("    header: x-k\n    env: A\n    placeholder: \"{9999}\"\n"), "512 bytes"},
		{CRED("    header: x-k\n    env: A\n    always: maybe\n"),
			"neither true nor false"},
		{"credentials:\n  - {secret: sk-ant/key+x, hosts: [a.example]}\n",
			"can't be a secret's name"},
		{"credentials:\n  - {secret: s, hosts: [10.0.0.1]}\n", "hosts by name"},
		{"credentials:\n  - {secret: s, hosts: [\"**\"]}\n", "name the hosts"},
		{"credentials:\n  - {secret: s, hosts: [a.example/x]}\n", "hosts by name"},
		{"credentials:\n  - {secret: s, hosts: [\"a.example:80\"]}\n", "port 80"},
		{"credentials:\n  - {secret: s, hosts: []}\n", "names no host"},
		{CRED("    header: x-k\n    env: A\n    requests: [GET]\n"),
			"p.yaml:6:16: a request is"},
		{CRED("    header: x-k\n    env: A\n    requests: [GET b.example/x]\n"),
			"a request is"},
		{CRED("    header: x-k\n    env: A\n    requests: [get /x]\n"), "capital letters"},
		{CRED("    header: x-k\n    env: A\n    requests: []\n"), "names no request"},
		{CRED("    header: x-k\n    env: A\n    beyond: more\n"), "goes with \"requests\""},
		{CRED("    header: x-k\n    env: A\n    requests: [GET /]\n    beyond: a b\n"),
			"the name of a policy"},
		{CRED("    header: x-k\n    env: A\n  - secret: t\n    hosts: [\"*.example\"]\n"
		      "    header: x-k\n    env: B\n    always: true\n"),
			"puts \"x-k\" into requests to"},
		{CRED("    header: x-k\n    env: A\n  - secret: s\n    hosts: [\"*.example\"]\n"
		      "    header: x-k\n    env: B\n"),
			"puts \"x-k\" into requests to"},
		{CRED("    header: x-k\n    env: A\n  - secret: t\n    hosts: [b.example]\n"
		      "    header: x-k\n    env: A\n"),
			"stands for another secret"},
		{"allow:\n  - {host: a.example, max-upload: lots}\n",
			"p.yaml:2:35: \"lots\" is not"},
		{"deny:\n  - {host: a.example, max-upload: 1MB}\n", "don't go with deny"},
		{"allow:\n  - {host: 10.0.0.0/8, max-upload: 1MB}\n", "not an address"},
		{"allow:\n  - {host: GET a.example, raw: true}\n", "\"raw\""},
		{"allow:\n  - get a.example\n", "p.yaml:2:5: rule \"get a.example\""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct arena a = {0};
		struct err err = {0};
		struct egress_file f;
		if (parse(&a, t[i].yaml, &f, &err) >= 0 || !strstr(err.msg, t[i].part))
			fail_msg("%s\n-> %s (wanted %s)", t[i].yaml, err.msg, t[i].part);
		arena_free(&a);
	}
}

/* Two secrets may go into one header of a host, where a placeholder tells which. */
static void test_credentials_apart(void **state)
{
	struct arena a = {0};
	struct err err = {0};
	struct egress_file f;
	(void)state;
	assert_int_equal(parse(&a,
				 CRED("    header: x-k\n    env: A\n  - secret: t\n"
				      "    hosts: [a.example]\n    header: x-k\n    env: B\n"),
				 &f, &err),
		0);
	assert_int_equal(f.credentials.n, 2);
	arena_free(&a);
}

/* The same credential out of two policies is one; secrets may share a variable with themselves. */
static void test_credentials_add(void **state)
{
	struct arena a = {0};
	struct err err = {0};
	struct egress_file f, g;
	struct credentials all = {0};
	const char *yaml = CRED(
		"    header: x-k\n    env: A\n  - secret: s\n    hosts: [b.example]\n"
		"    basic: u\n    env: A\n");
	(void)state;
	assert_int_equal(parse(&a, yaml, &f, &err), 0);
	assert_int_equal(parse(&a, yaml, &g, &err), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(credentials_add(&a, &all, &f.credentials.v[i], &err), 0);
		assert_int_equal(credentials_add(&a, &all, &g.credentials.v[i], &err), 0);
	}
	assert_int_equal(all.n, 2);
	arena_free(&a);
}

static bool sends(
	const struct credential *c, const char *name, const char *method, const char *path)
{
	return credential_sends(c, name, 443, method, strlen(method), path, strlen(path));
}

/* Which requests carry a credential, read from YAML, joined, and out of a pack's record. */
static void test_credential_requests(void **state)
{
	struct arena a = {0};
	struct err err = {0};
	struct egress_file f, g, h;
	struct credentials all = {0}, read = {0};
	struct blob b = {0};
	struct blob_iter it;
	struct blob_view v;
	(void)state;
#define FILES "    file: {~/.x: \"a {} b {}\", ~/y/z: \"{}\"}\n"
#define READ                                                                                       \
	CRED("    basic: u\n    always: true\n    requests: [\"GET,HEAD /**\", POST /**/up]\n"     \
	     "    beyond: more\n" FILES)
	assert_int_equal(parse(&a, READ, &f, &err), 0);
	assert_int_equal(
		parse(&a,
			CRED("    basic: u\n    always: true\n    requests: [POST /down]\n" FILES),
			&g, &err),
		0);
	assert_int_equal(parse(&a, CRED("    basic: u\n    always: true\n" FILES), &h, &err), 0);
	assert_int_equal(credentials_add(&a, &all, &f.credentials.v[0], &err), 0);
	credential_put(&b, 1, &all.v[0]);
	blob_iter_init(&it, b.data, b.n);
	assert_int_equal(blob_next(&it, &v), 1);
	assert_int_equal(credential_get(&a, &v, &read), 0);
	const struct credential *c = read.v;
	assert_string_equal(c->beyond, "more");
	assert_int_equal(c->files.n, 2);
	assert_string_equal(credential_file(&a, c->files.v[0], "P"), "~/.x=a P b P");
	assert_string_equal(credential_file(&a, c->files.v[1], "P"), "~/y/z=P");
	assert_true(sends(c, "a.example", "GET", "/x?y=1"));
	assert_true(sends(c, "a.example", "POST", "/o/r/up"));
	assert_false(sends(c, "a.example", "POST", "/o/r/down"));
	assert_false(sends(c, "a.example", "POST", "/o/r/up/../down"));
	assert_false(sends(c, "a.example", "POST", "/o/r/down;/up/.."));
	assert_false(sends(c, "a.example", "GET", "x"));
	assert_false(sends(c, "b.example", "GET", "/x"));
	assert_int_equal(credentials_add(&a, &all, &g.credentials.v[0], &err), 0);
	assert_int_equal(credentials_add(&a, &all, &g.credentials.v[0], &err), 0);
	assert_int_equal(all.n, 1);
	assert_int_equal(all.v[0].requests.n, 3);
	assert_true(sends(&all.v[0], "a.example", "POST", "/down"));
	assert_false(sends(&all.v[0], "a.example", "POST", "/x"));
	assert_int_equal(credentials_add(&a, &all, &h.credentials.v[0], &err), 0);
	assert_int_equal(credentials_add(&a, &all, &f.credentials.v[0], &err), 0);
	assert_true(sends(&all.v[0], "a.example", "POST", "/x"));
	blob_free(&b);
	arena_free(&a);
}

static void test_placeholder(void **state)
{
	unsigned char random[CREDENTIAL_PLACEHOLDER_MAX];
	char one[CREDENTIAL_PLACEHOLDER_MAX + 1], two[CREDENTIAL_PLACEHOLDER_MAX + 1];
	struct credential c = {.shape = "sk-ant-{20}-{3}AA"};
	(void)state;
	for (size_t i = 0; i < sizeof(random); i++)
		random[i] = (unsigned char)(i * 7);
	assert_int_equal(credential_placeholder(&c, random, sizeof(random), one), 33);
	assert_int_equal(strlen(one), 33);
	assert_memory_equal(one, "sk-ant-", 7);
	assert_string_equal(one + 31, "AA");
	assert_int_equal(one[27], '-');
	for (size_t i = 7; i < 27; i++)
		assert_true((one[i] >= '0' && one[i] <= '9') || (one[i] >= 'A' && one[i] <= 'Z') ||
			(one[i] >= 'a' && one[i] <= 'z'));
	for (size_t i = 0; i < sizeof(random); i++)
		random[i]++;
	assert_int_equal(credential_placeholder(&c, random, sizeof(random), two), 33);
	assert_string_not_equal(one, two);
	assert_int_equal(credential_placeholder(&c, random, 32, two), -EINVAL);
}

/* ---- records of a pack ---- */

static void test_records(void **state)
{
	static const char *const texts[] = {"GET,HEAD api.a.example/repos/me/**",
		"!api.a.example/x", "api.a.example:443,8443", NULL};
	struct world w = {0};
	struct err err = {0};
	struct egress_file f;
	struct blob b = {0};
	struct blob_iter it;
	struct blob_view v;
	struct credentials creds = {0};
	struct http_rules http = {0};
	(void)state;
	add_rules(&w, texts);
	assert_int_equal(parse(&w.a,
				 CRED("    basic: user\n    env: [A, B]\n    always: true\n"
				      "  - {secret: t, hosts: [\"**.b.example:444\"], header: x-t, "
				      "env: C}\n"),
				 &f, &err),
		0);
	for (size_t i = 0; i < f.credentials.n; i++)
		credential_put(&b, 1, &f.credentials.v[i]);
	for (size_t i = 0; i < w.http.n; i++)
		http_rule_put(&b, 2, &w.http.v[i]);
	assert_false(b.failed);
	blob_iter_init(&it, b.data, b.n);
	while (blob_next(&it, &v) > 0) {
		int r = v.tag == 1 ? credential_get(&w.a, &v, &creds)
				   : http_rule_get(&w.a, &v, &http);
		assert_int_equal(r, 0);
		/* cut anywhere, it is refused or shorter, and never read past its end */
		for (uint32_t n = 0; n < v.len; n++) {
			struct blob_view cut = {.tag = v.tag, .len = n, .data = v.data};
			struct credentials cc = {0};
			struct http_rules hh = {0};
			if (v.tag == 1)
				credential_get(&w.a, &cut, &cc);
			else
				http_rule_get(&w.a, &cut, &hh);
		}
	}
	assert_int_equal(creds.n, 2);
	assert_string_equal(creds.v[0].basic_user, "user");
	assert_true(creds.v[0].always);
	assert_int_equal(creds.v[0].env.n, 2);
	assert_int_equal(creds.v[0].line, 2);
	assert_true(credential_goes_to(&creds.v[1], "x.y.b.example", 444));
	assert_int_equal(http.n, 3);
	assert_int_equal(
		http_decide(&http, "api.a.example", 443, "GET", 3, "/x", 2).action, EGRESS_DENY);
	assert_int_equal(
		http_decide(&http, "api.a.example", 443, "PUT", 3, "/y", 2).action, EGRESS_ALLOW);
	assert_int_equal(http_max_upload(&http, "api.a.example", 443), UINT64_MAX);
	blob_free(&b);
	end_world(&w);
}

static void test_max_upload(void **state)
{
	struct arena a = {0};
	struct err err = {0};
	struct egress_file f;
	struct http_rules http;
	(void)state;
	assert_int_equal(parse(&a,
				 "allow:\n  - {host: \"**.a.example\", max-upload: 50MB}\n"
				 "  - {host: x.a.example, max-upload: 1MB}\n  - b.example\n",
				 &f, &err),
		0);
	assert_int_equal(http_build(&a, &f.rules, &http, &err), 0);
	assert_int_equal(http_max_upload(&http, "y.a.example", 443), 50000000);
	assert_int_equal(http_max_upload(&http, "x.a.example", 443), 1000000);
	assert_int_equal(http_max_upload(&http, "x.a.example", 444), UINT64_MAX);
	assert_int_equal(http_max_upload(&http, "b.example", 443), UINT64_MAX);
	assert_int_equal(http_max_upload(NULL, "b.example", 443), UINT64_MAX);
	/* a limit alone is no rule on requests */
	assert_false(http_rules_apply(&http, "x.a.example", 443));
	arena_free(&a);
}

static size_t findings;
static char last_finding[300];
static void finding(void *ctx, const char *file, uint32_t line, uint32_t col, const char *text)
{
	(void)ctx, (void)file, (void)line, (void)col;
	findings++;
	snprintf(last_finding, sizeof(last_finding), "%s", text);
}

static void test_lint(void **state)
{
	static const struct {
		const char *rules[4];
		const char *part; /* NULL: nothing to say */
	} t[] = {
		{{"GET a.example.com/x", "POST a.example.com/x"}, NULL},
		{{"GET a.example.com/x", "a.example.com"}, "covers it already"},
		{{"a.example.com/**", "GET a.example.com/x"}, "covers it already"},
		{{"GET a.example.com/x", "GET a.example.com/x"}, "covers it already"},
		{{"a.example.com", "!DELETE a.example.com"}, NULL},
		{{"DELETE a.example.com/x", "!a.example.com/**"}, "never allows anything"},
		{{"GET,FETCH a.example.com"}, "FETCH is not one of the usual methods"},
		{{"GET *.github.io/x"}, "anyone can have a name"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct world w = {0};
		findings = 0;
		add_rules(&w, t[i].rules);
		lint_rules(&w.a, &w.rules, finding, NULL);
		if ((t[i].part != NULL) != (findings > 0) ||
			(t[i].part && !strstr(last_finding, t[i].part)))
			fail_msg("%s: %zu, %s", t[i].rules[0], findings, last_finding);
		end_world(&w);
	}
}

static void test_lint_credentials(void **state)
{
	struct arena a = {0};
	struct err err = {0};
	struct egress_file f;
	(void)state;
	assert_int_equal(
		parse(&a,
			CRED("    header: x-k\n    env: A\n") "  - {secret: t, hosts: "
							      "[\"*.b.example\", \"*.github.io\"], "
							      "header: x-t, "
							      "env: B}\n  - {secret: u, hosts: "
							      "[\"**.com\"], header: x-u, env: "
							      "C}\n",
			&f, &err),
		0);
	findings = 0;
	assert_int_equal(lint_credentials(&f.credentials, finding, NULL), 2);
	assert_int_equal(findings, 2);
	assert_non_null(strstr(last_finding, "the secret u: allows every host below"));
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_readings),
		cmocka_unit_test(test_path_lengths),
		cmocka_unit_test(test_path_globs),
		cmocka_unit_test(test_decide),
		cmocka_unit_test(test_methods_in_queries),
		cmocka_unit_test(test_deny_alone_opens_nothing),
		cmocka_unit_test(test_rule_errors),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_credential_errors),
		cmocka_unit_test(test_credentials_add),
		cmocka_unit_test(test_credentials_apart),
		cmocka_unit_test(test_credential_requests),
		cmocka_unit_test(test_placeholder),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_max_upload),
		cmocka_unit_test(test_lint),
		cmocka_unit_test(test_lint_credentials),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
