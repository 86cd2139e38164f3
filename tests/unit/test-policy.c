/* tests/unit/test-policy.c - host names, addresses, rules, matching, lint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "policy/egress-build.h"
#include "policy/lint.h"
#include "policy/rule.h"
#include "policy/target.h"

/* DNS-08: one table for DNS, SNI, Host and rules. */
static void test_host_canonical(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out; /* NULL: refused */
	} t[] = {
#define S(s) s, sizeof(s) - 1
		{S("example.com"), "example.com"},
		{S("EXAMPLE.Com"), "example.com"},
		{S("eXaMpLe.cOm."), "example.com"},
		{S("xn--bcher-kva.example"), "xn--bcher-kva.example"},
		{S("_sip._tcp.example.com"), "_sip._tcp.example.com"},
		{S("a_b.example.com"), "a_b.example.com"},
		{S("localhost"), "localhost"},
		{S("1e100.net"), "1e100.net"},
		{S("3com.com"), "3com.com"},
		{S(""), NULL},
		{S("."), NULL},
		{S(".."), NULL},
		{S("example.com.."), NULL},
		{S(".example.com"), NULL},
		{S("a..b"), NULL},
		{S("-a.com"), NULL},
		{S("a-.com"), NULL},
		{S("a.-com"), NULL},
		{S("a b.com"), NULL},
		{S("a\0.com"), NULL},
		{S("a.com\0"), NULL},
		{S("a\r\n.com"), NULL},
		{S("a.com\n"), NULL},
		{S("a\\.b.com"), NULL},
		{S("github.com@evil"), NULL},
		{S("a:80"), NULL},
		{S("a/b"), NULL},
		{S("a%2ecom"), NULL},
		{S("*.a.com"), NULL},
		{S("b\xc3\xbc"
		   "cher.example"),
			NULL},
		{S("g\xd1\x96thub.com"), NULL}, /* a Cyrillic i */
		{S("example\xe3\x80\x82"
		   "com"),
			NULL}, /* an ideographic full stop */
		{S("127.0.0.1"), NULL},
		{S("127.1"), NULL},
		{S("2130706433"), NULL},
		{S("0x7f000001"), NULL},
		{S("0x7f.0.0.1"), NULL},
		{S("a.0x"), NULL},
		{S("foo.123"), NULL},
		{S("::1"), NULL},
#undef S
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char out[HOST_NAME_MAX_LEN + 1] = "untouched";
		int r = host_canonical(t[i].in, t[i].n, out);
		if ((r == 0) != (t[i].out != NULL))
			fail_msg("\"%s\": %d", t[i].in, r);
		assert_string_equal(out, t[i].out ? t[i].out : "untouched");
	}
}

static void test_host_lengths(void **state)
{
	char name[300], out[HOST_NAME_MAX_LEN + 1];
	(void)state;
	memset(name, 'a', sizeof(name));
	assert_int_equal(host_canonical(name, 63, out), 0);
	assert_int_equal(host_canonical(name, 64, out), -EINVAL);
	for (size_t i = 63; i < sizeof(name); i += 64)
		name[i] = '.';
	assert_int_equal(host_canonical(name, 253, out), 0);
	assert_int_equal(host_canonical(name, 254, out), -EINVAL);
	name[253] = '.';
	assert_int_equal(host_canonical(name, 254, out), 0); /* the root's dot is not counted */
	assert_int_equal(strlen(out), 253);
}

static void test_addr_parse(void **state)
{
	static const char *const good[][2] = {
		{"1.2.3.4", "1.2.3.4"},
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"::ffff:1.2.3.4", "1.2.3.4"},
		{"::FFFF:102:304", "1.2.3.4"},
		{"2606:4700::1111", "2606:4700::1111"},
		{"::", "::"},
	};
	static const char *const wrong[] = {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4",
		"1.2.3.04", "0x1.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4.", "1..3.4", "1.2.3.-4",
		"1.2.3.1111", "fe80::1%lo", "[::1]", ":::", "1:2:3:4:5:6:7:8:9",
		"12345::", "example.com", "::1/128",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct host_addr a;
		char buf[64];
		assert_int_equal(host_addr_parse(good[i][0], &a), 0);
		host_addr_format(&a, buf, sizeof(buf));
		assert_string_equal(buf, good[i][1]);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct host_addr a;
		if (host_addr_parse(wrong[i], &a) != -EINVAL)
			fail_msg("\"%s\" is taken for an address", wrong[i]);
	}
}

/* NET-03, NET-09, DNS-05. */
static void test_special(void **state)
{
	static const struct {
		const char *addr, *name;
	} t[] = {
		{"1.1.1.1", NULL}, {"8.8.8.8", NULL}, {"9.255.255.255", NULL}, {"11.0.0.0", NULL},
		{"172.15.255.255", NULL}, {"172.32.0.0", NULL}, {"100.63.255.255", NULL},
		{"100.128.0.0", NULL}, {"198.17.255.255", NULL}, {"198.20.0.0", NULL},
		{"223.255.255.255", NULL}, {"2606:4700::1111", NULL}, {"2a00:1450::1", NULL},
		{"0.0.0.0", "unspecified"}, {"0.1.2.3", "unspecified"}, {"10.0.0.1", "private"},
		{"100.64.0.1", "shared"}, {"100.127.255.255", "shared"},
		{"100.100.100.200", "metadata"}, {"127.0.0.1", "loopback"},
		{"127.255.255.254", "loopback"}, {"169.254.0.1", "link-local"},
		{"169.254.169.254", "metadata"}, {"169.254.170.2", "metadata"},
		{"168.63.129.16", "metadata"}, {"172.16.0.1", "private"},
		{"172.31.255.255", "private"}, {"192.0.0.192", "metadata"}, {"192.0.2.1", NULL},
		{"192.168.1.1", "private"}, {"198.18.0.1", "benchmarking"},
		{"198.19.255.255", "benchmarking"}, {"198.51.100.1", NULL}, {"203.0.113.9", NULL},
		{"224.0.0.1", "multicast"}, {"239.255.255.255", "multicast"},
		{"240.0.0.1", "reserved"}, {"255.255.255.255", "broadcast"}, {"::", "unspecified"},
		{"::1", "loopback"}, {"::7f00:1", "reserved"}, {"::ffff:127.0.0.1", "loopback"},
		{"::ffff:10.1.2.3", "private"}, {"::ffff:169.254.169.254", "metadata"},
		{"::ffff:8.8.8.8", NULL}, {"64:ff9b::7f00:1", "loopback"},
		{"64:ff9b::a9fe:a9fe", "metadata"}, {"64:ff9b::808:808", NULL},
		{"64:ff9b:1::1", "private"}, {"2002:7f00:1::1", "loopback"},
		{"2002:0a00:0001::", "private"}, {"2002:0808:0808::1", NULL},
		{"2001:0:7f00:1::f7f7:f7f7", "loopback"},     /* Teredo, the server */
		{"2001:0:808:808:0:0:80ff:fffe", "loopback"}, /* Teredo, the client inverted */
		{"2001:0:808:808:0:0:f5ff:fffe", "private"}, {"2001:db8::1", NULL},
		{"2001:2::1", "benchmarking"}, {"3fff::1", NULL}, {"fc00::1", "private"},
		{"fd12:3456::1", "private"}, {"fd00:ec2::254", "metadata"},
		{"169.254.42.42", "metadata"}, {"169.254.0.23", "metadata"},
		{"169.254.169.123", "metadata"}, {"64:ff9b::a9fe:2a2a", "metadata"},
		{"fd00:42::42", "metadata"}, {"fd00:c1::a9fe:a9fe", "metadata"},
		{"fe80::a9fe:a9fe", "metadata"}, {"fe80::a9fe:a9ff", "link-local"},
		{"fd20:ce::254", "metadata"}, {"fe80::1", "link-local"}, {"febf::1", "link-local"},
		{"fec0::1", "site-local"}, {"ff02::1", "multicast"}, {"100::1", "discard"},
		{"4000::1", "reserved"}, {"2606:4700::5efe:10.0.0.1", "private"}, /* ISATAP */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct host_addr a;
		assert_int_equal(host_addr_parse(t[i].addr, &a), 0);
		const char *got = host_addr_special(&a);
		if ((got == NULL) != (t[i].name == NULL) || (got && !streq(got, t[i].name)))
			fail_msg("%s: %s, not %s", t[i].addr, got ? got : "public",
				t[i].name ? t[i].name : "public");
	}
}

/* CFG-08: what is no rule, and that the message says what was meant. */
static void test_rule_errors(void **state)
{
	static const char *const t[][2] = {
		{"", "empty"},
		{"*", "**"},
		{"all", "**"},
		{"ALL:80", "**"},
		{"*.", "nothing"},
		{"**.", "nothing"},
		{"***.example.com", "wildcard"},
		{"*example.com", "wildcard"},
		{"a.*.com", "wildcard"},
		{"*.*.com", "wildcard"},
		{".x", "write \"**.x\""},
		{".example.com", "starts with a dot"},
		{"http://x", "write \"x\""},
		{"https://example.com/path", "write \"example.com\""},
		{"https://example.com:8443/", "write \"example.com:8443\""},
		{"udp://8.8.8.8:53", "UDP"},
		{"example.com/", "write \"example.com\""},
		{"x:0", "port 0"},
		{"x:65536", "65536"},
		{"x:99999", "99999"},
		{"x:", "missing"},
		{"x:80,", "missing"},
		{"x:,80", "missing"},
		{"x:80-90", "ranges"},
		{"x:*", "wildcard"},
		{"x:http", "not a port number"},
		{"x:080", "not a port number"},
		{"x:+80", "not a port number"},
		{"x: 80", "not a port number"},
		{"x:80,80", "twice"},
		{":443", "no host"},
		{"x:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "more than 16"},
		{"github.com@evil", "user"},
		{"a b.com", "capital letters"},
		{"b\xc3\xbc"
		 "cher.example",
			"xn--"},
		{"a..b", "not a host name"},
		{"-a.com", "not a host name"},
		{"1.2.3", "four plain numbers"},
		{"127.1", "four plain numbers"},
		{"010.0.0.1", "four plain numbers"},
		{"0x7f.0.0.1", "four plain numbers"},
		{"10.0.0.0/33", "0-32"},
		{"10.0.0.0/", "0-32"},
		{"10.0.0.0/08", "0-32"},
		{"10.0.0.1/8", "write \"10.0.0.0/8\""},
		{"fd00::1/8", "write \"fd00::/8\""},
		{"fd00::/129", "0-128"},
		{"[::1", "closed"},
		{"[fd00::1]443", "behind the bracket"},
		{"[example.com]:443", "not an IPv6"},
		{"127.0.0.1:8080", "--host-port"},
		{"[::1]:8080", "--host-port"},
		{"::1", "--host-port"},
		{"localhost:3000", "--host-port"},
		{"foo.localhost", "--host-port"},
		{"198.18.3.4", "stands for host names"},
		{"0.0.0.0", "unspecified"},
		{"a\x1b[31m.com", "control byte"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct arena a = {0};
		struct rule r = {0};
		struct err err = {0};
		if (rule_parse(&a, t[i][0], &r, &err) != -EINVAL)
			fail_msg("\"%s\" is taken for a rule", t[i][0]);
		if (!strstr(err.msg, t[i][1]))
			fail_msg("\"%s\": message \"%s\" lacks \"%s\"", t[i][0], err.msg, t[i][1]);
		assert_null(strchr(err.msg, 0x1b));
		arena_free(&a);
	}
}

/* A set of rules, compiled and viewed as a run does it. */
struct set {
	struct arena a;
	struct rules rules;
	void *data;
	struct egress e;
};

static void set_add(struct set *s, const char *text)
{
	struct rule r = {
		.deny = text[0] == '!', .private_ok = text[0] == 'P', .raw = text[0] == 'R'};
	struct err err = {0};
	if (strchr("!PR", text[0]))
		text++;
	if (rule_parse(&s->a, text, &r, &err) < 0)
		fail_msg("%s", err.msg);
	r.file = "test.yaml";
	r.line = (uint32_t)s->rules.n + 1;
	assert_int_equal(rule_add(&s->a, &s->rules, &r, &err), 0);
}

static void set_build(struct set *s, bool offline)
{
	size_t n;
	assert_int_equal(egress_build(&s->rules, offline, &s->data, &n, NULL), 0);
	assert_int_equal(egress_view(&s->e, s->data, n), 0);
}

static void set_free(struct set *s)
{
	free(s->data);
	arena_free(&s->a);
}

static bool allowed(const struct set *s, const char *what)
{
	struct target t;
	struct err err = {0};
	if (target_parse(what, &t, &err) < 0)
		return false;
	struct egress_verdict v = t.is_addr ? egress_match_addr(&s->e, &t.addr, t.port)
					    : egress_match(&s->e, t.name, t.port);
	if (!t.is_addr && v.action == EGRESS_ALLOW)
		assert_true(egress_name_known(&s->e, t.name));
	return v.action == EGRESS_ALLOW;
}

static const char *const match_rules[] = {"github.com", "*.one.org", "**.any.org:80,443",
	"api.example.com:8443", "Mixed.Case.COM", "!bad.any.org", "!*.evil.any.org",
	"!port.any.org:80", "203.0.113.7", "8.8.8.0/24:53,443", "!8.8.8.8", "2606:4700::/32",
	"[2001:4860::8888]:53", "10.0.0.0/8:22"};
static const struct {
	const char *target;
	bool allow;
} match_table[] = {
	{"github.com", true},
	{"GitHub.com.", true},
	{"github.com:80", false},
	{"github.com:22", false},
	{"http://github.com/x", false},
	{"https://github.com/x", true},
	/* DNS-10 */
	{"evilgithub.com", false},
	{"github.com.evil.tld", false},
	{"github.com@evil", false},
	{"https://github.com@evil.tld/", false},
	{"https://evil.tld@github.com/", true},
	{"https://evil.tld\\@github.com/", false},
	{"www.github.com", false},
	{"com", false},
	/* one label */
	{"a.one.org", true},
	{"one.org", false},
	{"a.b.one.org", false},
	{"aone.org", false},
	/* any depth, but not the name itself */
	{"x.any.org", true},
	{"x.any.org:80", true},
	{"a.b.c.d.any.org", true},
	{"any.org", false},
	{"xany.org", false},
	{"any.org.x", false},
	/* deny wins; without a port it covers every port */
	{"bad.any.org", false},
	{"bad.any.org:80", false},
	{"x.bad.any.org", true},
	{"a.evil.any.org", false},
	{"a.b.evil.any.org", true},
	{"evil.any.org", true},
	{"port.any.org:80", false},
	{"port.any.org:443", true},
	{"api.example.com", false},
	{"api.example.com:8443", true},
	{"mixed.case.com", true},
	/* addresses */
	{"203.0.113.7", true},
	{"203.0.113.8", false},
	{"203.0.113.7:80", false},
	{"8.8.8.4:53", true},
	{"8.8.8.8:53", false},
	{"8.8.9.4:53", false},
	{"[2606:4700::1]", true},
	{"[2606:4701::1]", false},
	{"[2001:4860::8888]:53", true},
	{"[2001:4860::8889]:53", false},
	{"10.1.2.3:22", true},
	{"[::ffff:203.0.113.7]:443", true},
	{"11.0.0.0:22", false},
};

static void test_match(void **state)
{
	struct set s = {0};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(match_rules); i++)
		set_add(&s, match_rules[i]);
	set_build(&s, false);
	for (size_t i = 0; i < ARRAY_LEN(match_table); i++)
		if (allowed(&s, match_table[i].target) != match_table[i].allow)
			fail_msg("%s should be %s", match_table[i].target,
				match_table[i].allow ? "allowed" : "denied");

	struct egress_verdict v = egress_match(&s.e, "bad.any.org", 443);
	struct egress_rule r;
	assert_int_equal(egress_rule(&s.e, v.rule, &r), 0);
	assert_string_equal(r.text, "bad.any.org");
	assert_string_equal(r.file, "test.yaml");
	assert_int_equal(r.line, 6);
	assert_true(r.deny);
	assert_true(egress_name_known(&s.e, "port.any.org"));
	assert_false(egress_name_known(&s.e, "bad.any.org"));
	assert_false(egress_name_known(&s.e, "other.org"));
	assert_int_equal(egress_rule(&s.e, EGRESS_NO_RULE, &r), -ENOENT);
	set_free(&s);
}

/* CFG-01, CFG-03 */
static void test_empty_denies(void **state)
{
	struct set none = {0}, other = {0};
	(void)state;
	set_build(&none, false);
	set_add(&other, "b.com");
	set_build(&other, false);
	assert_false(allowed(&none, "a.com"));
	assert_false(allowed(&none, "b.com"));
	assert_false(allowed(&none, "1.1.1.1"));
	assert_false(egress_name_known(&none.e, "a.com"));
	assert_false(allowed(&other, "a.com"));
	assert_true(allowed(&other, "b.com"));
	set_free(&none);
	set_free(&other);
}

static void test_everything_and_offline(void **state)
{
	struct set s = {0}, off = {0};
	(void)state;
	set_add(&s, "**:80,443");
	set_add(&s, "0.0.0.0/0");
	set_add(&s, "!x.com");
	set_build(&s, false);
	assert_true(allowed(&s, "a.b.c"));
	assert_true(allowed(&s, "single:80"));
	assert_false(allowed(&s, "a.b.c:22"));
	assert_false(allowed(&s, "x.com"));
	assert_true(allowed(&s, "1.1.1.1"));
	assert_false(allowed(&s, "[2606:4700::1]:443")); /* v4's zero prefix is not v6's */
	set_free(&s);

	set_add(&off, "**");
	set_add(&off, "::/0");
	set_build(&off, true);
	assert_true(egress_offline(&off.e));
	assert_false(allowed(&off, "a.com"));
	assert_false(egress_name_known(&off.e, "a.com"));
	set_free(&off);

	off = (struct set){0};
	set_add(&off, "::/0");
	set_build(&off, false);
	assert_true(allowed(&off, "[2606:4700::1]:443"));
	assert_false(allowed(&off, "1.1.1.1")); /* nor the other way round */
	set_free(&off);
}

static void test_flags(void **state)
{
	struct set s = {0};
	(void)state;
	set_add(&s, "**.corp.example");
	set_add(&s, "Pdb.corp.example");
	set_add(&s, "Rgit.example:22,443");
	set_build(&s, false);
	struct egress_verdict v = egress_match(&s.e, "db.corp.example", 443);
	assert_true(v.private_ok);
	assert_false(v.raw);
	assert_int_equal(v.rule, 1); /* the most specific one is named */
	v = egress_match(&s.e, "x.corp.example", 443);
	assert_false(v.private_ok);
	v = egress_match(&s.e, "git.example", 443);
	assert_true(v.raw);
	v = egress_match(&s.e, "git.example", 80);
	assert_false(v.raw);
	set_free(&s);
}

/* A damaged table: wrong answers are allowed, reads outside it are not (run under ASan). */
static void test_damaged_table(void **state)
{
	struct set s = {0};
	size_t n;
	(void)state;
	set_add(&s, "**.any.org:80,443");
	set_add(&s, "github.com");
	set_add(&s, "10.0.0.0/8");
	assert_int_equal(egress_build(&s.rules, false, &s.data, &n, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			char *copy = malloc(n);
			struct egress e;
			struct egress_rule r;
			assert_non_null(copy);
			memcpy(copy, s.data, n);
			copy[i] = (char)((unsigned char)copy[i] ^ (1u << bit));
			if (egress_view(&e, copy, n) == 0) {
				struct host_addr a;
				host_addr_parse("10.1.1.1", &a);
				egress_match(&e, "x.any.org", 443);
				egress_match(&e, "github.com", 443);
				egress_name_known(&e, "github.com");
				egress_match_addr(&e, &a, 443);
				for (uint32_t k = 0; k < 4; k++)
					egress_rule(&e, k, &r);
			}
			free(copy);
		}
	}
	for (size_t i = 0; i < n; i++) {
		struct egress e;
		assert_int_equal(egress_view(&e, s.data, i), -EBADMSG);
	}
	set_free(&s);
}

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* 10,000 rules: opening costs nothing per rule, and a match stays in the range of a few hash
 * probes.  The limits leave room for a loaded machine and sanitizers; they catch a scan. */
static void test_many_rules(void **state)
{
	struct set small = {0}, big = {0};
	char text[64];
	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "%s%shost%d.dom%d.example", i % 7 ? "" : "!",
			i % 3 == 0           ? ""
				: i % 3 == 1 ? "*."
					     : "**.",
			i, i % 100);
		set_add(&big, text);
		if (i < 100)
			set_add(&small, text);
	}
	set_build(&small, false);
	set_build(&big, false);
	const char *deep = "a.b.c.d.e.f.g.h.i.j.host9998.dom98.example";
	assert_true(allowed(&big, "x.host9997.dom97.example"));
	double took[2];
	const struct set *sets[2] = {&small, &big};
	for (int k = 0; k < 2; k++) {
		double start = now();
		for (int i = 0; i < 20000; i++)
			egress_match(&sets[k]->e, deep, 443);
		took[k] = now() - start;
	}
	assert_true(took[1] < took[0] * 8 + 0.05);
	assert_true(took[1] / 20000 < 100e-6);

	/* Viewing the table again and again: no work per rule. */
	size_t n;
	free(big.data);
	assert_int_equal(egress_build(&big.rules, false, &big.data, &n, NULL), 0);
	double start = now();
	for (int i = 0; i < 10000; i++) {
		struct egress e;
		assert_int_equal(egress_view(&e, big.data, n), 0);
	}
	assert_true((now() - start) / 10000 < 20e-6);
	set_free(&small);
	set_free(&big);
}

struct found {
	int n;
	char text[20][300];
	uint32_t line[20];
};

static void note(void *ctx, const char *file, uint32_t line, uint32_t col, const char *text)
{
	struct found *f = ctx;
	(void)file;
	(void)col;
	assert_true(f->n < 20);
	f->line[f->n] = line;
	snprintf(f->text[f->n++], 300, "%s", text);
}

static void expect_lint(const struct found *f, uint32_t line, const char *text)
{
	for (int i = 0; i < f->n; i++)
		if (f->line[i] == line && strstr(f->text[i], text))
			return;
	fail_msg("no finding \"%s\" in line %u", text, line);
}

/* CFG-08, DNS-02 */
static void test_lint(void **state)
{
	static const char *const rules[] = {"*.com", "**.github.io", "*.s3.amazonaws.com", "**",
		"intranet", "169.254.169.254", "0.0.0.0/0", "a.example.com", "**.example.com",
		"a.example.com", "x.denied.org", "!**.denied.org", "Pa.example.com",
		"fine.example.net", "*.npmjs.org"};
	struct set s = {0};
	struct found f = {0};
	(void)state;
	/* "**" would cover every name: it gets a test of its own below. */
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		set_add(&s, i == 3 ? "127-0-0-1.example" : rules[i]);
	lint_rules(&s.a, &s.rules, note, &f);
	expect_lint(&f, 1, "top-level domain .com");
	expect_lint(&f, 2, "anyone can have a name below github.io");
	expect_lint(&f, 3, "s3.amazonaws.com");
	expect_lint(&f, 5, "one label");
	expect_lint(&f, 6, "metadata");
	expect_lint(&f, 7, "very large");
	expect_lint(&f, 8, "line 9");
	expect_lint(&f, 10, "covers it already");
	expect_lint(&f, 11, "never allows anything");
	for (int i = 0; i < f.n; i++)
		assert_true(f.line[i] <= 11); /* private, and what is in order: no finding */
	set_free(&s);

	struct set all = {0};
	f.n = 0;
	set_add(&all, "**:80,443");
	set_add(&all, "x.example.com");
	set_add(&all, "x.example.com:22");
	lint_rules(&all.a, &all.rules, note, &f);
	expect_lint(&f, 1, "every host name");
	expect_lint(&f, 2, "covers it already");
	assert_int_equal(f.n, 2);
	set_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_canonical),
		cmocka_unit_test(test_host_lengths),
		cmocka_unit_test(test_addr_parse),
		cmocka_unit_test(test_special),
		cmocka_unit_test(test_rule_errors),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_empty_denies),
		cmocka_unit_test(test_everything_and_offline),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_damaged_table),
		cmocka_unit_test(test_many_rules),
		cmocka_unit_test(test_lint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
