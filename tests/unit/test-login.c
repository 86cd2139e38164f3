/* tests/unit/test-login.c - a log-in's file and a token endpoint's answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_a_dead_token),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
