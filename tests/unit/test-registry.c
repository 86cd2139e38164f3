/* tests/unit/test-registry.c - the registry room: what is pure in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "registry/ops.h"

static int add(struct challenge *c, const char *value)
{
	return challenge_add(c, value, strlen(value));
}

static void test_challenge(void **state)
{
	(void)state;
	static struct challenge c;
	c = (struct challenge){0};
	assert_int_equal(add(&c,
				 "Bearer realm=\"https://auth.example.test/token\","
				 "service=\"reg, of \\\"tests\\\"\",scope=\"repository:a/b:pull\""),
		0);
	assert_true(c.bearer);
	assert_false(c.basic);
	assert_string_equal(c.realm, "https://auth.example.test/token");
	assert_string_equal(c.service, "reg, of \"tests\"");
	/* what another header adds; the first Bearer counts */
	assert_int_equal(add(&c, "basic realm=x , Bearer realm=\"https://evil.test/\""), 0);
	assert_true(c.basic);
	assert_string_equal(c.realm, "https://auth.example.test/token");
	/* several in one, with a token68 among them, and blanks wherever they may stand */
	c = (struct challenge){0};
	assert_int_equal(
		add(&c, ", Negotiate YWJj/+==, NTLM ,bEaReR\trealm = \"r\" ,, service\t=s,"), 0);
	assert_true(c.bearer);
	assert_string_equal(c.realm, "r");
	assert_string_equal(c.service, "s");
	/* the parameters of another scheme are not Bearer's */
	c = (struct challenge){0};
	assert_int_equal(add(&c, "Digest realm=\"d\", nonce=\"n\", Bearer service=\"s\""), 0);
	assert_string_equal(c.realm, "");
}

static void test_challenge_malformed(void **state)
{
	(void)state;
	static struct challenge c;
	static const struct challenge none;
	static char longer[CHALLENGE_REALM_MAX + 100];
	static const char *const bad[] = {"Bearer realm=\"open", "Bearer realm=\"a\\",
		"Bearer realm=\"a\"Basic", "Bearer realm=\"a\", realm=\"b\"", "=",
		"Bearer realm=\"a\nb\"", "Bearer \"x\"", "Bearer; realm=x", longer};
	memset(longer, 'x', sizeof(longer) - 1);
	memcpy(longer, "Bearer realm=", 13);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		c = none;
		if (add(&c, bad[i]) != -EBADMSG)
			fail_msg("taken: %.60s", bad[i]);
		assert_memory_equal(&c, &none, sizeof(c));
	}
}

static void test_forms(void **state)
{
	(void)state;
	struct arena a = {0};
	struct registry_request q;
	const struct registry_request ask = {.op = REGISTRY_BLOB,
		.base = "https://reg.test",
		.repo = "a/b",
		.digest = "sha256:00",
		.size = 1 << 20};
	char *text = registry_request_text(&a, &ask);
	assert_non_null(text);
	assert_int_equal(registry_request_parse(text, &q), 0);
	assert_int_equal(q.op, REGISTRY_BLOB);
	assert_string_equal(q.repo, "a/b");
	assert_int_equal(q.size, 1 << 20);
	assert_null(q.from);
	const struct registry_request fetch = {
		.op = REGISTRY_FETCH, .url = "https://h/a b?c", .size = (int64_t)1 << 34};
	text = registry_request_text(&a, &fetch);
	assert_int_equal(registry_request_parse(text, &q), 0);
	assert_int_equal(q.op, REGISTRY_FETCH);
	assert_string_equal(q.url, "https://h/a b?c");
	struct registry_answer w;
	const struct registry_answer said = {.size = 3, .modified = 1445412480};
	text = registry_answer_text(&a, &said);
	assert_int_equal(registry_answer_parse(text, &w), 0);
	assert_true(w.modified == 1445412480 && w.size == 3);
	/* no value makes a line of its own */
	struct registry_request evil = ask;
	evil.repo = "a\nop push-blob";
	assert_null(registry_request_text(&a, &evil));
	static const char *const bad[] = {"", "end\n", "op blob\n", "op blob\nend",
		"op nothing\nend\n", "op blob\nop blob\nend\n", "op blob\nsize -1\nend\n",
		"op blob\nsize 1x\nend\n", "op blob\nrepo a\nrepo b\nend\n",
		"op blob\nevil 1\nend\n", "op blob\nend\nsize 1\n"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *copy = arena_dup(&a, bad[i]);
		/* the last newline alone may be missing */
		if (registry_request_parse(copy, &q) == 0 && !streq(bad[i], "op blob\nend"))
			fail_msg("taken: %s", bad[i]);
	}
	arena_free(&a);
}

static void test_secrets(void **state)
{
	(void)state;
	static struct registry_secrets s, t;
	int fd = memfd_create("secrets", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(registry_secrets_read(fd, &t), 0);
	assert_false(registry_secrets_any(&t));
	snprintf(s.user, sizeof(s.user), "ann");
	memset(s.pass, 'p', sizeof(s.pass) - 1);
	memset(s.bearer, 'b', sizeof(s.bearer) - 1);
	memset(s.identity, 'i', sizeof(s.identity) - 1);
	assert_int_equal(registry_secrets_write(fd, &s), 0);
	assert_int_equal(registry_secrets_read(fd, &t), 0);
	assert_memory_equal(&s, &t, sizeof(s));
	/* a password may have lines (_json_key's is a file), and none of them is one of ours */
	snprintf(s.pass, sizeof(s.pass), "{\n\t\"a\": \"\\n\"\r\nuser evil\nidentity x\n}\n");
	snprintf(s.user, sizeof(s.user), "\\");
	assert_int_equal(registry_secrets_write(fd, &s), 0);
	assert_int_equal(registry_secrets_read(fd, &t), 0);
	assert_memory_equal(s.pass, t.pass, strlen(s.pass) + 1);
	assert_string_equal(t.user, "\\");
	assert_memory_equal(s.identity, t.identity, sizeof(s.identity));
	memset(s.pass, '\n', sizeof(s.pass) - 1);
	assert_int_equal(registry_secrets_write(fd, &s), 0);
	assert_int_equal(registry_secrets_read(fd, &t), 0);
	assert_memory_equal(s.pass, t.pass, sizeof(s.pass));
	snprintf(s.pass, sizeof(s.pass), "bell\a");
	assert_int_equal(registry_secrets_write(fd, &s), -EINVAL);
	snprintf(s.pass, sizeof(s.pass), "p");
	snprintf(s.bearer, sizeof(s.bearer), "a\nb"); /* a header's */
	assert_int_equal(registry_secrets_write(fd, &s), -EINVAL);
	static const char *const bad[] = {"pass a\\\n", "pass a\\x\n", "pass \\", "pass a"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_return_code(ftruncate(fd, 0), errno);
		assert_int_equal(pwrite(fd, bad[i], strlen(bad[i]), 0), (ssize_t)strlen(bad[i]));
		assert_int_equal(registry_secrets_read(fd, &t), -EBADMSG);
	}
	close(fd);
}

static int find(
	const char *text, const char *host, struct registry_secrets *s, struct registry_answer *w)
{
	static struct arena a;
	*s = (struct registry_secrets){0};
	*w = (struct registry_answer){0};
	return login_find(&a, text, strlen(text), host, s, w, NULL);
}

static void test_docker_config(void **state)
{
	(void)state;
	static struct registry_secrets s;
	struct registry_answer w;
	/* ann:pass:word */
	static const char config[] =
		"{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"YW5uOnBhc3M6d29yZA==\"},"
		"\"ghcr.io\":{\"identitytoken\":\"tok\"},\"reg.test:5000\":{},"
		"\"quay.io/ann\":{\"auth\":\"YW5uOnBhc3M6d29yZA==\"}},"
		"\"credHelpers\":{\"gcr.io\":\"gcloud\"}}";
	assert_int_equal(find(config, "docker.io", &s, &w), 0);
	assert_string_equal(s.user, "ann");
	assert_string_equal(s.pass, "pass:word");
	assert_null(w.helper);
	assert_int_equal(find(config, "ghcr.io", &s, &w), 0);
	assert_string_equal(s.identity, "tok");
	assert_string_equal(s.user, "");
	assert_int_equal(find(config, "gcr.io", &s, &w), 0);
	assert_string_equal(w.helper, "gcloud");
	/* no other host gets them, by whatever it is called */
	static const char *const others[] = {"reg.test:5000", "index.docker.io.evil.test", "io", "",
		"evil.test", "quay.io", "reg.test", "docker.io.", "hcr.io"};
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_int_equal(find(config, others[i], &s, &w), 0);
		assert_false(registry_secrets_any(&s));
		assert_null(w.helper);
	}
	/* base64(1) breaks lines, and Docker doesn't mind */
	assert_int_equal(
		find("{\"auths\":{\"x.test\":{\"auth\":\"YW5u\\nOnBhc3M6\\r\\nd29yZA==\\n\"}}}",
			"x.test", &s, &w),
		0);
	assert_string_equal(s.pass, "pass:word");
	assert_int_equal(find("{\"credsStore\":\"pass\"}", "x.test", &s, &w), 0);
	assert_string_equal(w.helper, "pass");
	assert_int_equal(find("", "x.test", &s, &w), 0);
	assert_int_equal(find(" \n", "x.test", &s, &w), 0);
	static const char *const bad[] = {" x", "[]", "{\"credsStore\":\"../../bin/sh\"}",
		"{\"credsStore\":\"-x\"}", "{\"credsStore\":\"a b\"}",
		"{\"auths\":{\"x.test\":{\"auth\":\"%%%\"}}}",
		"{\"auths\":{\"x.test\":{\"auth\":\"YWJj\"}}}",      /* abc */
		"{\"auths\":{\"x.test\":{\"auth\":\"YQBiOmM=\"}}}"}; /* a NUL in it */
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (find(bad[i], "x.test", &s, &w) == 0)
			fail_msg("taken: %s", bad[i]);
}

static void test_helper(void **state)
{
	(void)state;
	static struct registry_secrets s;
	static const char person[] = "{\"ServerURL\":\"x\",\"Username\":\"ann\",\"Secret\":\"s\"}",
			  token[] =
				  "{\"ServerURL\":\"x\",\"Username\":\"<token>\",\"Secret\":\"t\"}",
			  text[] = "credentials not found in native keychain";
	s = (struct registry_secrets){0};
	assert_int_equal(login_helper(person, strlen(person), &s, NULL), 0);
	assert_string_equal(s.user, "ann");
	assert_string_equal(s.pass, "s");
	s = (struct registry_secrets){0};
	assert_int_equal(login_helper(token, strlen(token), &s, NULL), 0);
	assert_string_equal(s.identity, "t");
	assert_string_equal(s.pass, "");
	struct err err = {0};
	assert_int_equal(login_helper(text, strlen(text), &s, &err), -EBADMSG);
	assert_null(strstr(err.msg, "keychain"));
}

static void test_urls(void **state)
{
	(void)state;
	static char url[HTTP_URL_MAX];
	static const struct {
		const char *base, *rel, *want;
		int r;
	} rows[] = {
		{"https://r.test/v2/a", "/x?y=1", "https://r.test/x?y=1", 0},
		{"https://r.test/v2/a", "https://cdn.test/b", "https://cdn.test/b", 0},
		{"https://r.test/v2/a", "//cdn.test/b", "https://cdn.test/b", 0},
		{"http://127.0.0.1:5000/v2/", "http://127.0.0.1:5001/b", "http://127.0.0.1:5001/b",
			0},
		{"http://127.0.0.1:5000/v2/", "https://cdn.test/b", "https://cdn.test/b", 0},
		{"https://r.test/v2/a", "http://r.test/b", NULL, -EPROTO},
		{"https://r.test/v2/a", "HTTP://r.test/b", NULL, -EPROTO},
		{"https://r.test/v2/a", "file:///etc/passwd", NULL, -EINVAL},
		{"https://r.test/v2/a", "ftp://r.test/", NULL, -EINVAL},
		{"https://r.test/v2/a", "gopher://r.test/", NULL, -EINVAL},
		{"https://r.test/v2/a", "javascript:x", NULL, -EINVAL},
		{"https://r.test/v2/a", "https://u:p@r.test/", NULL, -EINVAL},
		{"https://r.test/v2/a", "https://u@r.test/", NULL, -EINVAL},
		{"https://r.test/v2/a", "", NULL, -EINVAL},
		{"https://r.test/v2/a", "/a b", NULL, -EINVAL},
		{"https://r.test/v2/a", "/a\r\nX: y", NULL, -EINVAL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r = http_resolve(rows[i].base, rows[i].rel, url);
		if (r != rows[i].r || (r == 0 && !streq(url, rows[i].want)))
			fail_msg("%s from %s: %d %s", rows[i].rel, rows[i].base, r, url);
	}
	assert_true(http_same_origin("https://R.test/a", "https://r.test:443/b"));
	assert_false(http_same_origin("https://r.test/a", "https://r.test:444/b"));
	assert_false(http_same_origin("https://r.test/a", "http://r.test/b"));
	assert_false(http_same_origin("https://r.test/a", "https://r.test.evil.test/b"));
	assert_true(http_is_loopback("127.8.9.1"));
	assert_true(http_is_loopback("[::1]"));
	assert_false(http_is_loopback("127.0.0.1.evil.test"));
	assert_false(http_is_loopback("128.0.0.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_challenge),
		cmocka_unit_test(test_challenge_malformed),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_docker_config),
		cmocka_unit_test(test_helper),
		cmocka_unit_test(test_urls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
