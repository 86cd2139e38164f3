/* tests/unit/test-gate.c - what is told as a secret, and what is not: both errors count.
 *
 * Nothing here is anybody's; formats are written in two pieces, so that no scanner takes the file
 * for a leak.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gate/gate.h"
#include "gate/match.h"
#include "gate/names.h"

static struct gate_set set;

static int begin(void **state)
{
	(void)state;
	return gate_set_begin(&set);
}

static int end(void **state)
{
	(void)state;
	gate_set_free(&set);
	return 0;
}

struct hits {
	size_t n, at;
	char kind[160];
	bool known;
};

static void on_hit(void *ctx, size_t at, const char *kind, bool known)
{
	struct hits *h = ctx;
	if (!h->n++) {
		h->at = at;
		h->known = known;
		snprintf(h->kind, sizeof(h->kind), "%s", kind);
	}
}

static struct hits look_at(enum gate_manner how, const char *text)
{
	struct hits h = {0};
	const size_t n = strlen(text);
	/* exactly as long, so that a read behind it is seen */
	unsigned char *copy = malloc(n ? n : 1);
	memcpy(copy, text, n);
	gate_match(&set, how, copy, 0, n, n, on_hit, &h);
	free(copy);
	return h;
}

static void is_secret(enum gate_manner how, const char *text, const char *kind)
{
	struct hits h = look_at(how, text);
	if (h.n != 1 || !strstr(h.kind, kind))
		fail_msg("%zu in '%s': %s", h.n, text, h.n ? h.kind : "nothing");
}

static void is_none(enum gate_manner how, const char *text)
{
	struct hits h = look_at(how, text);
	if (h.n)
		fail_msg("'%s': %s", text, h.kind);
}

#define R20 "q7Zk2Xw9Lm4Tb8Vc1Rd6"
#define R16 "f3Hs8Kp1Yw6Nj4Ge"
#define R36 R20 R16

static void test_formats(void **state)
{
	(void)state;
	is_secret(GATE_PLAIN,
		"x sk-"
		"ant-api03-" R36 "-AA\n",
		"Anthropic");
	is_secret(GATE_CODE,
		"let k = \"sk-"
		"proj-" R36 "\";",
		"API key");
	is_secret(GATE_BINARY, "\1ghp_" R36 "\2", "GitHub");
	is_secret(GATE_OBJECT,
		"github_"
		"pat_" R20 "_" R36,
		"GitHub");
	is_secret(GATE_PLAIN,
		"AK"
		"IAQ7ZK2XW9LM4TB8VC",
		"AWS");
	is_secret(GATE_PLAIN,
		"xo"
		"xb-" R36,
		"Slack");
	is_secret(GATE_PLAIN,
		"key=AI"
		"zaSy" R20 "f3Hs8Kp1Yw6Nj",
		"Google");
	is_secret(GATE_PLAIN,
		"gl"
		"pat-" R20,
		"GitLab");
	is_secret(GATE_PLAIN,
		"//r/:_authToken=np"
		"m_" R36,
		"npm");
	/* of one case, or of letters alone, as the service draws them: half of AWS's have few
	 * digits */
	is_secret(GATE_PLAIN,
		"ann,AK"
		"IAQZXKWPLMTB7VCRDQ,",
		"AWS");
	is_secret(GATE_PLAIN,
		"h"
		"f_qZkXwLmTbVcRdHsKpYwNjGeQaBfUiOvEnMz",
		"Hugging Face");
	is_secret(GATE_PLAIN,
		"rubygems"
		"_9f3c17aa04be5d6672c1f0a9338844de0b1c2d3e4f5a6b7c",
		"RubyGems");
	is_secret(GATE_PLAIN,
		"tls.key: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVkt"
		"LS0tLQpNSUlFdlFJQkFEQU5CZ2txaGtpRzl3MEJBUUVGQUFTQ0JLY3dnZ1NqQWdFQUFvSUJBUUM3Cg"
		"==",
		"private key, as base64");
	is_secret(GATE_PLAIN,
		"https://hooks.slack.com"
		"/services/T0Q7ZK2XW/B0F3HS8KP/" R16 "Qw9Lm4Tb",
		"webhook");
	is_secret(GATE_PLAIN, "\\nghp_" R36, "GitHub");
	is_secret(GATE_PLAIN, "?t%3Dghp_" R36, "GitHub");
}

static void test_no_formats(void **state)
{
	(void)state;
	is_none(GATE_PLAIN,
		"task-"
		"ant-api03-" R36);
	is_none(GATE_PLAIN,
		"sk-"
		"xxxxxxxxxxxxxxxxxxxxxxxx");
	is_none(GATE_PLAIN, "sk-ant-your-key-goes-here-please-1");
	is_none(GATE_PLAIN, "class=\"sk-chasing-dot-animation-container-1\"");
	is_none(GATE_PLAIN,
		"AK"
		"IAIOSFODNN7EXAMPLE");
	is_none(GATE_PLAIN,
		"h"
		"f_theWordsOfAnIdentifierInCamelCases");
	is_none(GATE_PLAIN,
		"https://hooks.slack.com/services/T00000000/B00000000/"
		"XXXXXXXXXXXXXXXXXXXXXXXX");
	is_none(GATE_OBJECT,
		"LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVkt"
		"LS0tLQpNSUlFdlFJQkFEQU5CZ2txaGtpRzl3MEJBUUVGQUFTQ0JLY3dnZ1NqQWdFQUFvSUJBU"
		"UM3Cg==");
	is_none(GATE_PLAIN, "ghp_");
	is_none(GATE_PLAIN, "ghp_" R20);
	is_none(GATE_PLAIN, "sk-");
	is_none(GATE_PLAIN, "");
	is_none(GATE_PLAIN, "=");
}

static void test_assignments(void **state)
{
	(void)state;
	is_secret(GATE_PLAIN, "export MY_TOKEN=" R36 "\n", "name that says so");
	is_secret(GATE_PLAIN, "{\"clientSecret\": \"" R20 "\"}", "name that says so");
	is_secret(GATE_PLAIN, "{\\\"api_key\\\":\\\"" R20 "\\\"}", "name that says so");
	is_secret(GATE_PLAIN, "db-password: '" R16 "'", "name that says so");
	is_secret(GATE_CODE, "const password = '" R20 "';", "name that says so");
	is_secret(GATE_CODE, "cfg[\"secret_key\"] = \"" R20 "\"", "name that says so");
	is_secret(GATE_PLAIN, "Authorization: Bearer " R36, "name that says so");
	is_secret(GATE_GIT, "extraheader = AUTHORIZATION: basic " R36 "==", "name that says so");
	is_secret(GATE_PLAIN, "api_secret: 9f3c17aa04be5d66aa00bb11cc22dd33", "name that says so");
	is_secret(GATE_PLAIN, "token = \"\"\"" R20 "\"\"\"\n", "name that says so");
	is_secret(GATE_CODE, "token = \"\"\"" R20 "\"\"\"\n", "name that says so");
	/* ann:s3cret-pw, wherever it lies */
	is_secret(GATE_PLAIN, "{\"auths\":{\"r\":{\"auth\": \"YW5uOnMzY3JldC1wdw==\"}}}",
		"name and a password");
	is_secret(GATE_PLAIN, "//r.local/:_auth=YW5uOnMzY3JldC1wdw==", "name and a password");
	/* told once, by what it is */
	is_secret(GATE_PLAIN, "TOKEN=ghp_" R36, "GitHub");

	is_none(GATE_PLAIN, "MY_TOKEN=$OTHER_TOKEN_1a2B3c4D5e6F7g");
	is_none(GATE_PLAIN, "MY_TOKEN=${{ secrets.T0K3N_1a2B3c4D5 }}");
	is_none(GATE_PLAIN, "token: <1a2B3c4D5e6F7g8H9>");
	is_none(GATE_PLAIN, "password=hunter2");
	is_none(GATE_PLAIN, "\"tokenizer\": \"" R36 "\"");
	is_none(GATE_PLAIN, "\"integrity\": \"sha512-" R36 R36 "==\"");
	is_none(GATE_PLAIN, "next_token=some_words_in_a_row_of_them");
	is_none(GATE_CODE, "password = getPassword1a2B3c4D5e6F();");
	is_none(GATE_CODE, "token = a1.b2.c3.d4.e5.f6.g7.h8.i9");
	is_none(GATE_PLAIN, "{\"auth\": \"YW5uOnMzY3JldC1wdw=\"}");
	is_none(GATE_PLAIN, "{\"oauth\": \"YW5uOnMzY3JldC1wdw==\"}");
	is_none(GATE_PLAIN, "auth: dXNlcjpwYXNzd29yZA=="); /* user:password */
	is_none(GATE_PLAIN, "auth: authentication");
	is_none(GATE_PLAIN, "auth:");
	is_none(GATE_PLAIN, "auth=YQ==");
	is_none(GATE_BINARY, "MY_TOKEN=" R36);
	is_none(GATE_OBJECT, "MY_TOKEN=" R36);
}

static void test_credential_files(void **state)
{
	(void)state;
	is_secret(GATE_LENIENT, "//registry.example/:_authToken=hello-you", "a credential");
	is_secret(GATE_LENIENT, "aws_secret_access_key = abcd", "a credential");
	is_secret(GATE_LENIENT, "{\"auths\":{\"r\":{\"auth\":\"dTpwdw==\"}}}", "a credential");
	is_secret(GATE_LENIENT, "    client-key-data: LS0t", "a credential");
	is_secret(GATE_LENIENT, "machine h login me password s3cret\n", "a password");
	is_secret(GATE_LENIENT, "machine h\n\tlogin me\n\tpassword\n\tx1\n", "a password");
	is_secret(GATE_LENIENT, "MACHINE h LOGIN me PASSWORD s3cret\n", "a password");
	is_secret(GATE_LENIENT, "machine h login me passwd s3cret\n", "a password");
	is_none(GATE_LENIENT, "export DB_PASSWORD=$(pass show db) A_TOKEN=\"$(cat /run/token)\"");
	is_secret(GATE_LENIENT, "https://me:pw12@h.example/", "URL");
	is_none(GATE_LENIENT, "_authToken=${NPM_TOKEN}");
	is_none(GATE_LENIENT, "prefix=/home/agent/.npm-global\ncafile=/x\nkey=/etc/key.pem");
	is_none(GATE_LENIENT, "{\"auths\":{}}");
}

static void test_urls(void **state)
{
	(void)state;
	is_secret(GATE_GIT, "url = https://me:pw12@git.local/x", "URL");
	is_secret(GATE_GIT, "url = https://" R20 "@git.local/x", "URL");
	is_secret(GATE_PLAIN, "DSN postgres://app:" R16 "@db.internal/x", "URL");
	is_none(GATE_GIT, "url = https://me@git.local/x");
	is_none(GATE_GIT, "url = ssh://git@git.local/x");
	is_none(GATE_PLAIN, "http://user:pass@host.com/");
	is_none(GATE_PLAIN, "http://user:" R16 "@example.com/");
	is_none(GATE_PLAIN, "http://user:${PASS}@git.local/");
	is_none(GATE_PLAIN, "https://me.local/a:b/c@1.2.3");
	is_none(GATE_PLAIN, "://");
	is_none(GATE_PLAIN, "a://");
	is_none(GATE_PLAIN, "a://b@");
}

#define BODY                                                                                       \
	"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"                       \
	"MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu\n"
#define DASHES "-----"

static void test_private_keys(void **state)
{
	(void)state;
	is_secret(GATE_PLAIN, DASHES "BEGIN PRIVATE KEY" DASHES "\n" BODY, "private key");
	is_secret(GATE_BINARY, DASHES "BEGIN RSA PRIVATE KEY" DASHES "\r\n" BODY, "private key");
	is_secret(GATE_PLAIN,
		DASHES "BEGIN RSA PRIVATE KEY" DASHES
		       "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AA11\n\n" BODY,
		"private key");
	is_secret(GATE_CODE,
		"k = '" DASHES "BEGIN PRIVATE KEY" DASHES
		"\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\\n'",
		"private key");
	is_none(GATE_CODE,
		"if (s.startsWith(\"" DASHES "BEGIN PRIVATE KEY" DASHES "\")) return parse(s);");
	is_none(GATE_PLAIN, DASHES "BEGIN PUBLIC KEY" DASHES "\n" BODY);
	is_none(GATE_PLAIN, DASHES "BEGIN PRIVATE KEY" DASHES "\nMIIEvQ...\n");
	is_none(GATE_PLAIN, DASHES "BEGIN PRIVATE KEY" DASHES);
	is_none(GATE_PLAIN, DASHES "BEGIN ");
	is_none(GATE_OBJECT, DASHES "BEGIN PRIVATE KEY" DASHES "\n" BODY);
}

static void test_binary_keys(void **state)
{
	static const struct {
		const char *v;
		size_t n;
		bool key;
	} v[] = {
#define B(text, key) {text "0123456789abcdef01234567", sizeof(text) + 23, key}
		B("\x30\x82\x04\xbd\x02\x01\x00\x30\x0d\x06\x09\x2a\x86", true), /* PKCS#8 */
		B("\x30\x82\x04\xa3\x02\x01\x00\x02\x82\x01\x01\x00", true),     /* PKCS#1 */
		B("\x30\x77\x02\x01\x01\x04\x20", true),                         /* SEC 1 */
		B("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70", true),     /* Ed25519 */
		B("\x95\x05\x86\x04\x65\x00\x00\x00\x01\x0c\x00", true),         /* OpenPGP, RSA */
		B("\x94\x58\x04\x65\x00\x00\x00\x16\x09\x2b\x06", true),         /* ... EdDSA */
		B("\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\1", true),             /* Java's */
		/* certificates, public keys, signatures, a store of certificates alone, an empty
		   one */
		B("\x30\x82\x03\x0d\x30\x82\x01\xf5\xa0\x03\x02", false),
		B("\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48", false),
		B("\x30\x82\x01\x0a\x02\x82\x01\x01\x00", false),
		B("\x30\x26\x02\x01\x00\x04\x06public", false),
		B("\x99\x01\x8d\x04\x65\x00\x00\x00\x01\x0c\x00", false),
		B("\x95\x05\x86\x04\x00\x00\x00\x00\x01\x0c\x00", false),
		B("\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\2", false),
		B("\xfe\xed\xfe\xed\0\0\0\2\0\0\0\0\0\0\0\0", false),
#undef B
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		for (size_t n = 0; n <= v[i].n; n++) { /* exactly as long */
			unsigned char *copy = malloc(n ? n : 1);
			memcpy(copy, v[i].v, n);
			const bool key = gate_binary_key(copy, n) != NULL;
			free(copy);
			if (key && !v[i].key)
				fail_msg("%zu is taken for a key", i);
			if (n == v[i].n && v[i].key && !key)
				fail_msg("%zu is no key", i);
		}
	}
}

/* {"alg":"HS256","typ":"JWT"} and {"sub":"agent-7","name":"somebody","exp":N} */
static void test_web_tokens(void **state)
{
	static const char head[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.", tail[] = "." R36;
	static const char claims[] = /* exp 1700000000 */
		"eyJzdWIiOiJhZ2VudC03IiwibmFtZSI6InNvbWVib2R5IiwiZXhwIjoxNzAwMDAwMDAwfQ";
	char text[300];
	(void)state;
	snprintf(text, sizeof(text), "x %s%s%s y", head, claims, tail);
	set.now = 1600000000;
	is_secret(GATE_PLAIN, text, "web token");
	set.now = 1800000000;
	is_none(GATE_PLAIN, text);
	set.now = 0;
	is_secret(GATE_CODE, text, "web token");
	snprintf(text, sizeof(text), "%s%s", head, claims);
	is_none(GATE_PLAIN, text);
	is_none(GATE_PLAIN, head);
	is_none(GATE_PLAIN, "eyJ");
}

static void known(const char *text, const char *form)
{
	struct hits h = look_at(GATE_OBJECT, text);
	char want[64];
	snprintf(want, sizeof(want), "the secret x%s%s", *form ? ", as " : "", form);
	if (h.n != 1 || !h.known)
		fail_msg("%zu in '%s'", h.n, text);
	assert_string_equal(h.kind, want);
}

static void test_known(void **state)
{
	static const char v[] = "tr/4ub+our-\"9x";
	(void)state;
	assert_int_equal(gate_set_add(&set, "the secret x", v, sizeof(v) - 1), 0);
	assert_int_equal(gate_set_add(&set, "the secret y", "short", 5), 1);
	known("..tr/4ub+our-\"9x..", "");
	/* base64 of the value with 0, 1, 2 bytes before it, and some behind */
	known("dHIvNHViK291ci0iOXg=", "base64");
	known("YXRyLzR1YitvdXItIjl4", "base64");
	known("YWF0ci80dWIrb3VyLSI5eGJi", "base64");
	known("dHIvNHVi\nK291ci0iOXg=", "base64");
	known("74722f3475622b6f75722d223978", "hexadecimal");
	known("74722F34\r\n75622B6F75722D223978", "hexadecimal");
	known("tr%2F4ub%2Bour-%229x", "percent-encoded");
	known("tr\\/4ub+our-\\\"9x", "JSON");
	is_none(GATE_PLAIN, "tr/4ub+our-\"9");
	is_none(GATE_PLAIN, "short");
	static const unsigned char wide[] = "t\0r\0/\0"
					    "4\0u\0b\0+\0o\0u\0r\0-\0\"\0"
					    "9\0x";
	struct hits h = {0};
	gate_match(&set, GATE_BINARY, wide, 0, sizeof(wide), sizeof(wide), on_hit, &h);
	assert_int_equal(h.n, 1);
}

static void test_harmless(void **state)
{
	static const char v[] = "sk-"
				"ant-api03-" R36;
	(void)state;
	is_secret(GATE_PLAIN,
		"KEY=sk-"
		"ant-api03-" R36,
		"Anthropic");
	assert_int_equal(gate_set_harmless(&set, v, sizeof(v) - 1), 0);
	is_none(GATE_PLAIN,
		"API_KEY=sk-"
		"ant-api03-" R36 "\n");
	is_none(GATE_PLAIN,
		"{\"api_key\": \"sk-"
		"ant-api03-" R36 "\"}");
	is_secret(GATE_PLAIN,
		"KEY=sk-"
		"ant-api03-" R16 R20,
		"Anthropic");
}

static void test_names(void **state)
{
	(void)state;
	assert_non_null(gate_credential_file("home/agent/.config/gh/hosts.yml"));
	assert_non_null(gate_credential_file(".git-credentials"));
	assert_non_null(gate_credential_file("a/b/.codex/auth.json"));
	assert_non_null(gate_credential_file("x/.aws/sso/cache/1.json"));
	assert_non_null(gate_credential_file("a/b.tgz!.aws/sso/cache/1.json"));
	assert_non_null(gate_credential_file("home/agent/x.p12"));
	assert_null(gate_credential_file("usr/share/cmake-3.25/Templates/Windows/Key.pfx"));
	assert_null(gate_credential_file("a/.codex!auth.json"));
	assert_null(gate_credential_file("x/auth.json"));
	assert_null(gate_credential_file("x.codex/auth.json"));
	assert_null(gate_credential_file("gh/hosts.yml/x"));
	assert_int_equal(gate_manner_of("home/agent/.npmrc"), GATE_LENIENT);
	static const char *const lenient[] = {"etc/environment", "root/.bashrc", "etc/npmrc",
		"etc/pip.conf", "home/agent/.config/pip/pip.conf", "etc/mysql/my.cnf",
		"w/terraform.tfstate", "etc/kubernetes/admin.conf", "etc/profile.d/x.sh",
		".env.local"};
	for (size_t i = 0; i < ARRAY_LEN(lenient); i++)
		assert_int_equal(gate_manner_of(lenient[i]), GATE_LENIENT);
	/* what came with a package */
	assert_int_equal(gate_manner_of("usr/local/lib/node_modules/a/README.md"), GATE_BINARY);
	assert_int_equal(gate_manner_of("usr/lib/jvm/x/conf/a.properties"), GATE_BINARY);
	assert_int_equal(gate_manner_of("usr/lib/x/defaults"), GATE_BINARY);
	/* but a root of its own below the home, and what has the environment of a daemon */
	assert_int_equal(gate_manner_of("home/agent/rootfs/usr/lib/x/defaults"), GATE_PLAIN);
	assert_int_equal(gate_manner_of("usr/lib/systemd/system/x.service"), GATE_PLAIN);
	assert_int_equal(gate_manner_of("home/agent/README.md"), GATE_CODE);
	assert_int_equal(gate_manner_of("usr/local/lib/a.properties"), GATE_PLAIN);
	assert_int_equal(gate_manner_of("w/.git/modules/a/config"), GATE_GIT);
	assert_int_equal(gate_manner_of(".env.example"), GATE_CODE);
	assert_int_equal(gate_manner_of("w/.git/config"), GATE_GIT);
	assert_int_equal(gate_manner_of("home/agent/x.py"), GATE_CODE);
	assert_int_equal(gate_manner_of("a/node_modules/b/x.js"), GATE_BINARY);
	assert_int_equal(gate_manner_of("a/node_modules/b/.npmrc"), GATE_LENIENT);
	assert_int_equal(gate_manner_of("usr/share/doc/a/README"), GATE_OBJECT);
	assert_int_equal(gate_manner_of("etc/app.conf"), GATE_PLAIN);
	assert_non_null(gate_published("usr/lib/node_modules/a/test/key.pem"));
	assert_null(gate_published("home/agent/test/key.pem"));
	assert_null(gate_published("home/agent/contest/node_modules/key.pem"));
}

static void test_wire(void **state)
{
	struct arena a = {0};
	struct err err = {0};
	struct blob b = {0};
	struct gate_result r;
	const struct gate_item it = {"home/a", "m", "a key", 7};
	struct gate_totals t = {.n_found = 1, .files = 3};
	(void)state;
	gate_result_put(&b, GATE_TAG_FOUND, &it);
	blob_put(&b, GATE_TAG_TOTALS, &t, sizeof(t));
	assert_int_equal(gate_result_read(&a, b.data, b.n, &r, &err), 0);
	assert_int_equal(r.found.n, 1);
	assert_string_equal(r.found.v[0].what, "a key");
	assert_int_equal(r.found.v[0].line, 7);
	/* cut short anywhere: never taken for "nothing was found" */
	for (size_t n = 0; n < b.n; n += 8)
		assert_int_equal(gate_result_read(&a, b.data, n, &r, &err), -EBADMSG);
	blob_free(&b);
	/* found, and none told */
	blob_put(&b, GATE_TAG_TOTALS, &t, sizeof(t));
	assert_int_equal(gate_result_read(&a, b.data, b.n, &r, &err), -EBADMSG);
	blob_free(&b);
	arena_free(&a);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {T(test_formats), T(test_no_formats), T(test_assignments),
		T(test_credential_files), T(test_urls), T(test_private_keys), T(test_binary_keys),
		T(test_web_tokens), T(test_known), T(test_harmless), T(test_names), T(test_wire)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
