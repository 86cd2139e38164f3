/* tests/unit/test-policy-compare.c - two sets of rules compared by what they mean; public suffixes;
 * what lint says of one rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/compare.h"
#include "policy/egress-build.h"
#include "policy/lint.h"
#include "policy/path-glob.h"

static struct arena arena;

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

/* "-x" denies, "!x" is private, "~x" raw, "^x" may be sent 1000 bytes; words part by blanks, so "@"
 * stands for one in a rule. */
static struct rules make(const char *words)
{
	struct rules rules = {0};
	struct err err = {0};
	char *text = arena_dup(&arena, words);
	for (char *word; text && (word = strsep(&text, " "));) {
		struct rule r = {.deny = *word == '-',
			.private_ok = *word == '!',
			.raw = *word == '~',
			.max_upload = *word == '^' ? 1000 : 0};
		if (!*word)
			continue;
		word += r.deny || r.private_ok || r.raw || r.max_upload;
		for (char *at; (at = strchr(word, '@'));)
			*at = ' ';
		if (rule_parse(&arena, word, &r, &err) < 0)
			fail_msg("%s", err.msg);
		r.file = "x";
		assert_int_equal(rule_add(&arena, &rules, &r, &err), 0);
	}
	return rules;
}

static char found[4096];

static void note(void *ctx, const struct compare_found *f)
{
	static const char *const signs[] = {[COMPARE_ALLOWED] = "",
		[COMPARE_PRIVATE] = "!",
		[COMPARE_RAW] = "~",
		[COMPARE_REQUESTS] = "",
		[COMPARE_UPLOAD] = "^"};
	size_t n = strlen(found);
	(void)ctx;
	/* some rule lets it through */
	assert_true(f->rule.text != NULL || (f->example && !*f->example));
	n += (size_t)snprintf(found + n, sizeof(found) - n, "%s%c%s%s", n ? " " : "",
		f->more ? '+' : '-', signs[f->what], f->host);
	for (size_t i = 0; i < f->n_ports; i++)
		n += (size_t)snprintf(
			found + n, sizeof(found) - n, "%c%u", i ? ',' : ':', f->ports[i]);
	if (f->example)
		snprintf(found + n, sizeof(found) - n, "(%s)", f->example);
}

static void differ(const char *a, const char *b, const char *want)
{
	struct rules x = make(a), y = make(b);
	const struct compare_side sa = {.rules = &x}, sb = {.rules = &y};
	struct err err = {0};
	found[0] = '\0';
	int n = compare_rules(&sa, &sb, note, NULL, &err);
	if (n < 0)
		fail_msg("%s", err.msg);
	if (strcmp(found, want) != 0)
		fail_msg("\"%s\" and \"%s\": \"%s\", not \"%s\"", a, b, found, want);
	assert_int_equal(n == 0, *want == '\0');
}

static void test_compare(void **state)
{
	(void)state;
	differ("", "", "");
	differ("a.com", "a.com", "");
	differ("a.com b.com", "b.com a.com:443", "");
	differ("", "a.com", "+a.com:443");
	differ("a.com", "", "-a.com:443");
	differ("a.com", "a.com:80,443", "+a.com:80");
	differ("a.com:80", "a.com", "+a.com:443 -a.com:80");
	differ("", "*.a.com", "+*.a.com:443");
	differ("*.a.com", "**.a.com", "+*.**.a.com:443");
	differ("", "**.a.com", "+**.a.com:443");
	differ("**.a.com", "**.a.com x.a.com", ""); /* covered: no difference */
	differ("**.a.com x.a.com", "*.a.com", "-*.**.a.com:443");
	differ("", "**", "+**:443");
	differ("a.com", "**", "+**:443");
	/* a deny inside what both allow */
	differ("**.a.com", "**.a.com -x.a.com", "-x.a.com:443");
	differ("**.a.com", "**.a.com -*.a.com", "-*.a.com:443");
	differ("**.a.com -**.b.a.com", "**.a.com", "+**.b.a.com:443");
	/* a deny that denies nothing is no difference */
	differ("a.com", "a.com -b.com", "");
	differ("a.com", "!a.com", "+!a.com:443");
	differ("a.com", "~a.com", "+~a.com:443");
	/* addresses */
	differ("", "1.2.3.4", "+1.2.3.4:443");
	differ("", "1.2.3.0/24", "+1.2.3.0-1.2.3.255:443");
	differ("1.2.3.0/24", "1.2.3.0/24 -1.2.3.128/25", "-1.2.3.128-1.2.3.255:443");
	differ("1.2.3.0/25 1.2.3.128/25", "1.2.3.0/24", "");
	differ("", "255.255.255.255/32", "+255.255.255.255:443");
	/* ::/0 means IPv6: v4-mapped addresses are not of it */
	differ("0.0.0.0/0", "0.0.0.0/0 [::/0]:443",
		"+::-::fffe:ffff:ffff:443 "
		"+::1:0:0:0-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:443");
}

/* Requests to a host that both let through. */
static void test_compare_requests(void **state)
{
	(void)state;
	differ("GET@a.com/x/**", "GET@a.com/x/**", "");
	differ("GET,HEAD@a.com/x/**", "HEAD,GET@a.com/x/**", "");
	differ("GET@a.com/x/**", "GET@a.com/x/** GET@a.com/x/y", ""); /* covered */
	differ("a.com", "a.com GET@a.com/x/**", "");
	differ("GET@a.com/x/**", "a.com", "+a.com:443(HEAD /x/any)");
	differ("a.com", "GET@a.com/x/**", "-a.com:443(GET /any)");
	differ("GET@a.com/**", "GET,POST@a.com/**", "+a.com:443(POST /any)");
	differ("GET@a.com/x", "GET@a.com/y", "+a.com:443(GET /y) -a.com:443(GET /x)");
	differ("GET@a.com/x/*", "GET@a.com/x/**", "+a.com:443(GET /x)");
	/* a deny wins, also where only a common path shows it */
	differ("a.com", "a.com -DELETE@a.com", "-a.com:443(DELETE /any)");
	differ("GET@a.com/x/**", "GET@a.com/x/** -GET@a.com/**/secret",
		"-a.com:443(GET /x/secret)");
	differ("GET@a.com/x/**", "GET@a.com/x/** -GET@a.com/y", "");
	differ("GET@a.com/x/**", "GET@a.com/x/** -POST@a.com/x/y", "");
	/* a deny takes "/x/" for "/x", and small letters for capitals */
	differ("GET@a.com/x/*", "GET@a.com/x/* -GET@a.com/x", "-a.com:443(GET /x/)");
	differ("GET@a.com/x/*", "GET@a.com/x/* -GET@a.com/X/y", "+a.com:443()");
	differ("GET@a.com/x/** -a.com/x/y", "GET@a.com/x/**", "+a.com:443(GET /x/y)");
	/* names below, and ports */
	differ("**.a.com", "GET@**.a.com/**", "-**.a.com:443(HEAD /any)");
	differ("**.a.com", "**.a.com -POST@x.a.com", "-x.a.com:443(POST /any)");
	differ("a.com:8443,443", "GET@a.com:8443/** a.com", "-a.com:8443(HEAD /any)");
	/* one host is not reached at all: that says it */
	differ("", "GET@a.com/x", "+a.com:443");
	differ("^a.com", "a.com", "+^a.com:443");
	differ("a.com", "^a.com", "-^a.com:443");
	differ("GET@a.com/*b*c*", "GET@a.com/*b*c* GET@a.com/*anyb*",
		"+a.com:443(GET /anyanybany)");
}

static void test_globs(void **state)
{
	char buf[200];
	(void)state;
	assert_true(path_glob_covers("/**", "/x", false));
	assert_true(path_glob_covers("/x/**", "/x/*/y", false));
	assert_true(path_glob_covers("/x/**", "/x", false));
	assert_true(path_glob_covers("/*", "/x", false));
	assert_true(path_glob_covers("/**/x", "/a/**/x", false));
	assert_true(path_glob_covers("/X", "/x", true));
	assert_true(path_glob_covers("/X", "/x/", true));
	assert_true(path_glob_covers("/x/", "/x", true));
	assert_false(path_glob_covers("/x/y", "/x/z", true));
	assert_false(path_glob_covers("/X", "/x", false));
	assert_false(path_glob_covers("/*", "/**", false));
	assert_false(path_glob_covers("/*/*/*", "/**", false));
	assert_false(path_glob_covers("/x/*", "/x/**", false));
	assert_false(path_glob_covers("/x", "/*", false));
	assert_false(path_glob_covers("/any", "/*", false));
	assert_true(path_glob_meet("/x/**", "/**/y", buf, sizeof(buf)));
	assert_string_equal(buf, "/x/y");
	assert_true(path_glob_meet("/a*/**", "/*b/c", buf, sizeof(buf)));
	assert_string_equal(buf, "/ab/c");
	assert_true(path_glob_meet("/**", "/**", buf, sizeof(buf)));
	assert_false(path_glob_meet("/x/**", "/y/**", buf, sizeof(buf)));
	assert_false(path_glob_meet("/x*", "/y*", buf, sizeof(buf)));
	/* it ends, whatever is asked */
	assert_false(path_glob_meet(
		"/**/a/**/a/**/a/**/a/**/a/**/a/**/b", "/**/c/**/c/**/c/**/d", buf, sizeof(buf)));
	assert_false(
		path_glob_meet("/*a*a*a*a*a*a*a*a*a*b", "/*a*a*a*a*a*a*a*a*a*c", buf, sizeof(buf)));
	assert_true(path_glob_apart("/x/**", "/y/**"));
	assert_false(path_glob_apart("/x/**", "/X"));
	assert_false(path_glob_apart("/x/*", "/x"));
	/* given up: not told */
	assert_false(path_glob_apart("/*a*a*a*a*a*a*a*a*a*b", "/*a*a*a*a*a*a*a*a*a*c"));
	assert_false(path_glob_meet("/xxxxxxxxxxxxxxxxxxx", "/**", buf, 8));
	assert_string_equal(path_glob_write("/a b/\303\251?#%2F*", buf, sizeof(buf)),
		"/a%20b/%C3%A9%3F%23%2F*");
	assert_null(path_glob_write("/aaaaaaaaaaaa", buf, 8));
	assert_true(request_as_rule("GET", "a.com:80", "/x y?q", 6, buf, sizeof(buf)) == false);
	assert_true(request_as_rule("GET", "a.com:80", "/x%20y?q", 8, buf, sizeof(buf)));
	assert_string_equal(buf, "GET a.com:80/x%20y");
	assert_false(request_as_rule("GET", "a.com", "/x/../y", 7, buf, sizeof(buf)));
	assert_false(request_as_rule("GET", "a.com", "/x%2Fy", 6, buf, sizeof(buf)));
	assert_false(request_as_rule("GET", "a.com", "/x*", 3, buf, sizeof(buf)));
	assert_false(request_as_rule("get", "a.com", "/x", 2, buf, sizeof(buf)));
	assert_false(request_as_rule("", "a.com", "/x", 2, buf, sizeof(buf)));
	assert_false(request_as_rule("GET", "a.com", "/long", 5, buf, 10));
	assert_true(methods_cover("", ",GET,"));
	assert_true(methods_cover(",GET,HEAD,", ",HEAD,"));
	assert_true(methods_cover("", ""));
	assert_false(methods_cover(",GET,HEAD,", ",GET,POST,"));
	assert_false(methods_cover(",GETS,", ",GET,"));
	assert_false(methods_cover(",GET,", ""));
}

/* What is found must be so: asked of the tables directly, over many pairs of small policies. */
static void test_against_the_tables(void **state)
{
	static const char *const words[] = {"a.com", "*.a.com", "**.a.com", "x.a.com", "**.x.a.com",
		"-x.a.com", "-*.a.com", "-**.x.a.com", "**", "-a.com:443", "a.com:80",
		"*.x.a.com:80"};
	static const char *const names[] = {"a.com", "x.a.com", "y.a.com", "x.y.a.com", "y.x.a.com",
		"z.y.x.a.com", "com", "b.org", "c.b.org"};
	static const uint16_t ports[] = {80, 443};
	struct err err = {0};
	uint32_t seed = 12345;
	(void)state;
	for (int round = 0; round < 400; round++) {
		struct rules r[2];
		struct egress e[2];
		void *data[2];
		for (int k = 0; k < 2; k++) {
			char text[200] = "";
			for (size_t i = 0; i < ARRAY_LEN(words); i++) {
				seed = seed * 1103515245u + 12345u;
				if ((seed >> 16) % 4 == 0)
					snprintf(text + strlen(text), sizeof(text) - strlen(text),
						"%s ", words[i]);
			}
			size_t n;
			r[k] = make(text);
			assert_int_equal(egress_build(&r[k], false, &data[k], &n, &err), 0);
			assert_int_equal(egress_view(&e[k], data[k], n), 0);
		}
		const struct compare_side sa = {.rules = &r[0]}, sb = {.rules = &r[1]};
		found[0] = '\0';
		int n = compare_rules(&sa, &sb, note, NULL, &err);
		bool differs = false;
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			for (size_t p = 0; p < ARRAY_LEN(ports); p++)
				differs |= egress_match(&e[0], names[i], ports[p]).action !=
					egress_match(&e[1], names[i], ports[p]).action;
		/* the names are one of each class that these words make */
		if ((n > 0) != differs)
			fail_msg("round %d: %d, but %d: %s", round, n, differs, found);
		free(data[0]);
		free(data[1]);
	}
}

static void test_too_many_ports(void **state)
{
	char text[8192] = "";
	struct err err = {0};
	(void)state;
	for (int i = 1; i <= COMPARE_PORTS_MAX + 1; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "a.com:%d ", i);
	struct rules x = make(text), y = {0};
	const struct compare_side a = {.rules = &x}, b = {.rules = &y};
	assert_int_equal(compare_rules(&a, &b, note, NULL, &err), -E2BIG);
}

static void test_psl(void **state)
{
	char text[] = "// comment\n\ncom\nco.uk\n*.ck\n!www.ck\ngithub.io  trailing\n"
		      "s3.dualstack.eu-west-1.amazonaws.com\r\n";
	struct psl p;
	(void)state;
	assert_int_equal(psl_parse(&arena, text, &p), 0);
	assert_true(psl_has(&p, "com"));
	assert_true(psl_has(&p, "co.uk"));
	assert_true(psl_has(&p, "github.io"));
	assert_true(psl_has(&p, "anything.ck"));
	assert_true(psl_has(&p, "s3.dualstack.eu-west-1.amazonaws.com"));
	assert_false(psl_has(&p, "www.ck"));
	assert_false(psl_has(&p, "a.anything.ck"));
	assert_false(psl_has(&p, "example.com"));
	assert_false(psl_has(&p, "uk"));
	assert_false(psl_has(&p, "trailing"));
	psl_load(&arena, "/nonexistent/list", &p);
	assert_false(psl_has(&p, "com"));
	char empty[] = "";
	assert_int_equal(psl_parse(&arena, empty, &p), 0);
	assert_false(psl_has(&p, "com"));
}

static void test_lint_rule(void **state)
{
	static const struct {
		const char *rule, *want; /* a part of what is said, NULL: nothing */
	} t[] = {
		{"**.pages.example", "public suffix"},
		{"*.pages.example", "public suffix"},
		{"x.pages.example", NULL},
		{"pages.example", NULL},
		{"**.x.pages.example", NULL},
		{"-127.0.0.0/8", "never denies"},
		{"-127.0.0.1", "never denies"},
		{"-[::1]", "never denies"},
		{"-198.18.0.0/15", "never denies"},
		{"-localhost", "never denies"},
		{"-10.0.0.0/8", NULL},
		{"-0.0.0.0/0", NULL},
		{"-example.com", NULL},
		{"printer.local", "private"},
		{"!printer.local", NULL},
		{"**.corp.internal", "private"},
		{"10.0.0.0/8", NULL}, /* gives the addresses */
		{"100.0.0.0/8", "shared"},
		{"172.0.0.0/8", "private"},
		{"[f000::/4]:443", NULL},
		{"8.8.8.0/24", NULL},
	};
	char list[] = "pages.example\n", buf[300];
	struct psl p;
	(void)state;
	assert_int_equal(psl_parse(&arena, list, &p), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct rules r = make(t[i].rule);
		const char *got = lint_rule(&r.v[0], &p, buf, sizeof(buf));
		if (!got != !t[i].want || (got && !strstr(got, t[i].want)))
			fail_msg("%s: %s", t[i].rule, got ? got : "nothing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_compare_requests),
		cmocka_unit_test(test_globs),
		cmocka_unit_test(test_against_the_tables),
		cmocka_unit_test(test_too_many_ports),
		cmocka_unit_test(test_psl),
		cmocka_unit_test(test_lint_rule),
	};
	return cmocka_run_group_tests(tests, NULL, teardown);
}
