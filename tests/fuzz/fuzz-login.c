/* tests/fuzz/fuzz-login.c - a token endpoint's answer and a log-in's file: what is taken of them
 * can stand in a header, and a file with it reads as one with it again.
 */
#include <stdlib.h>
#include <string.h>

#include "login/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_token(const char *s)
{
	size_t n = s ? strlen(s) : 8;
	check(n >= 8 && n < LOGIN_TOKEN_MAX && (!s || !strpbrk(s, " \t\r\n\x7f")));
}

static void drop(struct work_values *v)
{
	free(v->token);
	free(v->refresh);
	free(v->id);
	free(v->text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char text[] =
		"{\"token\":\"o.access\",\"refresh\":\"o.refresh\",\"id\":\"id\","
		"\"expires\":\"o.until\",\"refreshed\":\"o.at\"}";
	struct json_doc *spec = NULL, *d = NULL, *file = NULL, *again = NULL;
	struct work_values v = {0}, seen = {0}, out = {0};
	struct err err;
	check(json_doc_parse(text, sizeof(text) - 1, &spec, &err) == 0);
	if (json_line_parse((const char *)data, n, &d) == 0) {
		tokens_refusal(400, d, &v, &err);
		check(strlen(err.msg) < 100);
		if (tokens_answer(spec, d, &v, &err) == 0) {
			check_token(v.token);
			check_token(v.refresh);
			check_token(v.id);
			check(v.expires > 0);
		}
	}
	if (json_doc_parse((const char *)data, n, &file, &err) == 0) {
		if (tokens_look(spec, file, &seen, &err) == 0)
			check_token(seen.token);
		if (v.token && tokens_apply(spec, file, &v, &out, &err) == 0) {
			check(json_doc_parse(out.text, strlen(out.text), &again, &err) == 0);
			check(strcmp(json_doc_at(again, "o.access"), v.token) == 0);
		}
	}
	drop(&v);
	drop(&seen);
	drop(&out);
	json_doc_free(spec);
	json_doc_free(d);
	json_doc_free(file);
	json_doc_free(again);
	return 0;
}
