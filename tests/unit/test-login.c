/* tests/unit/test-login.c - a log-in's file and a token endpoint's answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "login/callback.h"
#include "login/tokens.h"
#include "unit.h"

static const char file_text[] =
	"{\"a\":[1,{\"b\":null}],\"t\":{\"access\":\"old-access-1\",\"refresh\":\"old-refresh-1\","
	"\"until\":1700000000000,\"n\":1.5}}";

static struct json_doc *parse(const char *text)
{
	struct json_doc *d = NULL;
	struct err err;
	assert_int_equal(json_doc_parse(text, strlen(text), &d, &err), 0);
	return d;
}

static struct json_doc *spec(const char *more)
{
	char text[512];
	snprintf(text, sizeof(text),
		"{\"token\":\"t.access\",\"refresh\":\"t.refresh\",\"expires\":\"t.until\","
		"\"client_id\":\"the client\"%s}",
		more);
	return parse(text);
}

static void drop(struct work_values *v)
{
	free(v->token);
	free(v->refresh);
	free(v->id);
	free(v->text);
	*v = (struct work_values){0};
}

static void test_look(void **state)
{
	static const char *const bad[] = {"{}", "{\"t\":1}", "{\"t\":{\"access\":7}}",
		"{\"t\":{\"access\":\"\"}}", "{\"t\":{\"access\":\"with a blank\"}}",
		"{\"t\":{\"access\":\"two\\r\\nX-Lines: 1\"}}", "{\"t\":[\"access\"]}"};
	struct json_doc *s = spec(""), *d = parse(file_text);
	struct work_values v = {0};
	struct err err;
	(void)state;
	assert_int_equal(tokens_look(s, d, &v, &err), 0);
	assert_string_equal(v.token, "old-access-1");
	assert_int_equal(v.expires, 1700000000);
	assert_true(v.renewable);
	drop(&v);
	json_doc_free(d);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		d = parse(bad[i]);
		assert_int_equal(tokens_look(s, d, &v, &err), -ENOENT);
		json_doc_free(d);
	}
	json_doc_free(s);
}

static void test_request(void **state)
{
	struct json_doc *s = spec("");
	struct buf b = {0};
	(void)state;
	assert_int_equal(tokens_request(s, "re&\"fresh", &b), 0);
	buf_add(&b, "", 1);
	assert_non_null(strstr(buf_data(&b), "\"refresh_token\":\"re&\\\"fresh\""));
	assert_non_null(strstr(buf_data(&b), "\"grant_type\":\"refresh_token\""));
	buf_free(&b);
	json_doc_free(s);
	s = spec(",\"form\":\"yes\",\"client_secret\":\"x\"");
	assert_int_equal(tokens_request(s, "1//re&=fresh", &b), 0);
	buf_add(&b, "", 1);
	assert_string_equal(buf_data(&b),
		"grant_type=refresh_token&refresh_token=1%2F%2Fre%26%3Dfresh&client_id=the%20client"
		"&client_secret=x");
	buf_free(&b);
	json_doc_free(s);
}

static void test_answer(void **state)
{
	static const char *const bad[] = {"{}", "{\"access_token\":null}",
		"{\"access_token\":\"short\"}", "{\"access_token\":\"has\\u0000nul-in-it\"}",
		"{\"access_token\":\"has a blank in it\"}", "{\"access_token\":{\"x\":1}}"};
	struct json_doc *s = spec(""), *d;
	struct work_values v = {0};
	struct err err;
	int64_t now = (int64_t)time(NULL);
	(void)state;
	d = parse("{\"access_token\":\"new-access-1\",\"expires_in\":600,\"refresh_token\":\"bad "
		  "one\"}");
	assert_int_equal(tokens_answer(s, d, &v, &err), 0);
	assert_string_equal(v.token, "new-access-1");
	assert_null(v.refresh);
	assert_in_range(v.expires, now + 599, now + 610);
	drop(&v);
	json_doc_free(d);
	/* what it says of the end is believed within reason */
	d = parse("{\"access_token\":\"new-access-1\",\"expires_in\":-9000000000000}");
	assert_int_equal(tokens_answer(s, d, &v, &err), 0);
	assert_in_range(v.expires, now + 3599, now + 3610);
	drop(&v);
	json_doc_free(d);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		d = NULL;
		/* some are no JSON at all, for a strict reader */
		if (json_line_parse(bad[i], strlen(bad[i]), &d) == 0)
			assert_int_equal(tokens_answer(s, d, &v, &err), -EBADMSG);
		json_doc_free(d);
	}
	json_doc_free(s);
}

static void test_refusal(void **state)
{
	struct json_doc *d = parse("{\"error\":\"invalid_grant\\u001b[31mSECRET 123\"}");
	struct json_doc *known = parse("{\"error\":\"invalid_grant\",\"more\":1}");
	struct work_values v = {0};
	struct err err = {0};
	(void)state;
	assert_int_equal(tokens_refusal(400, d, &v, &err), -EACCES);
	assert_true(v.refused);
	assert_string_equal(err.msg, "it answered 400");
	assert_int_equal(tokens_refusal(400, known, &v, &err), -EACCES);
	assert_string_equal(err.msg, "it answered 400, invalid_grant");
	assert_int_equal(tokens_refusal(500, NULL, &v, &err), -EACCES);
	assert_false(v.refused);
	json_doc_free(d);
	json_doc_free(known);
}

static void test_apply(void **state)
{
	struct json_doc *s = spec(",\"id\":\"t.id\",\"refreshed\":\"at\""), *d = parse(file_text),
			*out;
	struct work_values v = {.token = (char[]){"new-access-1"},
				   .refresh = (char[]){"new-refresh-1"},
				   .id = (char[]){"new-identity"},
				   .expires = 1800000000},
			   ret = {0};
	struct err err;
	(void)state;
	assert_int_equal(tokens_apply(s, d, &v, &ret, &err), 0);
	out = parse(ret.text);
	assert_string_equal(json_doc_at(out, "t.access"), "new-access-1");
	assert_string_equal(json_doc_at(out, "t.refresh"), "new-refresh-1");
	assert_string_equal(json_doc_at(out, "t.id"), "new-identity");
	assert_int_equal(json_doc_time_at(out, "t.until", ""), 1800000000);
	assert_non_null(strstr(ret.text, "1800000000000")); /* its own unit */
	assert_non_null(strstr(ret.text, "1.5"));
	assert_non_null(json_doc_at(out, "at"));
	drop(&ret);
	json_doc_free(out);
	json_doc_free(d);
	/* without a new one the refresh token stays; where an object should be is something else */
	d = parse(file_text);
	v.refresh = v.id = NULL;
	assert_int_equal(tokens_apply(s, d, &v, &ret, &err), 0);
	assert_non_null(strstr(ret.text, "old-refresh-1"));
	drop(&ret);
	json_doc_free(d);
	d = parse("{\"t\":\"text\"}");
	assert_int_equal(tokens_apply(s, d, &v, &ret, &err), -EINVAL);
	json_doc_free(d);
	json_doc_free(s);
}

/* {"exp":1,"email":"x"} with a signature: the claims stay, the end is another, the signature dead.
 */
static void test_a_dead_token(void **state)
{
	static const char text[] =
		"{\"t\":\"eyJhIjoxfQ.eyJleHAiOjEsImVtYWlsIjoieCJ9.c2lnbmF0dXJl\"}";
	struct arena a = {0};
	struct keypat p;
	const struct keypats where = {.v = &p, .n = 1};
	struct json_doc *d = parse(text);
	(void)state;
	assert_int_equal(keypat_parse(&a, "t", &p), 0);
	json_doc_unsign(d, &where, 4000000000);
	assert_string_equal(
		json_doc_at(d, "t"), "eyJhIjoxfQ.eyJleHAiOjQwMDAwMDAwMDAsImVtYWlsIjoieCJ9.bm9uZQ");
	assert_int_equal(json_doc_time_at(d, "jwt", json_doc_at(d, "t")), 4000000000);
	json_doc_free(d);
	arena_free(&a);
}

static enum callback_kind request(const char *line, const char *host, char code[CALLBACK_CODE_MAX])
{
	static const struct callback_want want = {
		.host = "localhost", .port = 1455, .path = "/auth/callback", .state = "the-state"};
	char text[9000];
	int n = snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: %s\r\n\r\n", line, host);
	for (int k = 0; k < n; k++)
		assert_int_equal(callback_read(text, (size_t)k, &want, code), CALLBACK_MORE);
	return callback_read(text, (size_t)n, &want, code);
}

static void test_callback(void **state)
{
	static const char *const bad[] = {"POST /auth/callback?code=abc&state=the-state",
		"GET /auth/callback?code=abc&state=the-stat",
		"GET /auth/callback?code=abc&state=", "GET /auth/callback?code=abc",
		"GET /auth/callback", "GET /auth/callback?code=abc&state=the-statf",
		"GET /auth/callback?code=&state=the-state", "GET /auth/callback?state=the-state",
		"GET /auth/callback/?code=abc&state=the-state",
		"GET /auth/Callback?code=abc&state=the-state",
		"GET /auth/callback?code=abc&state=the-state&state=the-state",
		"GET /auth/callback?code=abc&code=abc&state=the-state",
		"GET /auth/callback?code=abc&error=access_denied&state=the-state",
		"GET /auth/callback?code=a%00c&state=the-state",
		"GET /auth/callback?code=a%0d%0ac&state=the-state",
		"GET /auth/callback?code=a%2&state=the-state",
		"GET /auth/callback?code=a%zzc&state=the-state",
		"GET /auth/callback?xcode=abc&state=the-state"};
	char code[CALLBACK_CODE_MAX], line[9000] = "GET /auth/callback?state=the-state&code=";
	(void)state;
	assert_int_equal(request("GET /auth/callback?code=ab%2Fc&scope=x&state=the-state",
				 "localhost:1455", code),
		CALLBACK_CODE);
	assert_string_equal(code, "ab/c");
	assert_int_equal(request("GET /auth/callback?error=access_denied&state=the-state",
				 "LOCALHOST:1455", code),
		CALLBACK_DENIED);
	assert_string_equal(code, "access_denied");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(request(bad[i], "localhost:1455", code), CALLBACK_NO);
	assert_int_equal(
		request("GET /auth/callback?code=abc&state=the-state", "evil.test:1455", code),
		CALLBACK_NO);
	assert_int_equal(request("GET /auth/callback?code=abc&state=the-state", "localhost", code),
		CALLBACK_NO);
	memset(line + strlen(line), 'a', CALLBACK_CODE_MAX);
	assert_int_equal(request(line, "localhost:1455", code), CALLBACK_NO);
	assert_false(callback_same("", ""));
	assert_true(callback_paste("  the/code#the-state\r\n", "the-state", code));
	assert_string_equal(code, "the/code");
	static const char *const pasted[] = {"", "\n", "the-code", "the-code#", "#the-state",
		"the-code#the-stat", "the code#the-state", "the-code#the-state more",
		"the-code#the-state#the-state"};
	for (size_t i = 0; i < ARRAY_LEN(pasted); i++)
		assert_false(callback_paste(pasted[i], "the-state", code));
}

static void test_begin(void **state)
{
	struct json_doc *s = spec(",\"code\":\"the code\",\"verifier\":\"v\",\"redirect\":"
				  "\"http://x/\",\"form\":\"yes\",\"id\":\"t.id\",\"set\":"
				  "\"{\\\"kind\\\":\\\"new\\\"}\",\"account\":\"t.who\","
				  "\"claims\":\"https://x/a.b\",\"claim\":\"who\""),
			*d = parse("{}");
	/* {"https://x/a.b":{"who":"me"}} */
	char id[] = "aaaa.eyJodHRwczovL3gvYS5iIjp7IndobyI6Im1lIn19.c2ln";
	char access[] = "new-access-1", refresh[] = "new-refresh-1";
	struct work_values in = {.token = access,
				   .refresh = refresh,
				   .id = id,
				   .expires = 1800000000},
			   out = {0};
	struct buf b = {0};
	struct err err;
	(void)state;
	assert_int_equal(tokens_request(s, "", &b), 0);
	assert_int_equal(buf_add(&b, "", 1), 0);
	assert_string_equal(buf_data(&b),
		"grant_type=authorization_code&code=the%20code&redirect_uri=http%3A%2F%2Fx%2F&"
		"code_verifier=v&client_id=the%20client");
	buf_free(&b);
	assert_int_equal(tokens_apply(s, d, &in, &out, &err), 0);
	assert_string_equal(json_doc_at(d, "t.who"), "me");
	assert_string_equal(json_doc_at(d, "kind"), "new");
	assert_string_equal(json_doc_at(d, "t.refresh"), "new-refresh-1");
	drop(&out);
	in.id = NULL; /* without it nobody knows whose log-in it is */
	assert_true(tokens_apply(s, d, &in, &out, &err) < 0);
	json_doc_free(d);
	json_doc_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_a_dead_token),
		cmocka_unit_test(test_callback),
		cmocka_unit_test(test_begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
