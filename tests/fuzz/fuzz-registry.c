/* tests/fuzz/fuzz-registry.c - what bawn-registry is asked and answers, Docker's config.json and
 * what its helpers say.  The first byte says which.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_helper(const char *s)
{
	check(*s && *s != '-' && !strpbrk(s, "/ \n;$"));
}

/* What is read says the same when it is written and read again. */
static void forms(char *text)
{
	struct arena a = {0};
	struct registry_answer w, again;
	if (registry_answer_parse(text, &w) == 0) {
		char *out = registry_answer_text(&a, &w);
		check(out && registry_answer_parse(out, &again) == 0);
		check(w.size == again.size && w.status == again.status);
		check(!w.error == !again.error && (!w.error || !strcmp(w.error, again.error)));
	}
	arena_free(&a);
}

static void request(char *text)
{
	struct arena a = {0};
	struct registry_request q, again;
	if (registry_request_parse(text, &q) == 0) {
		char *out = registry_request_text(&a, &q);
		check(out && registry_request_parse(out, &again) == 0 && q.op == again.op);
	}
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct registry_secrets s;
	struct registry_answer w = {0};
	struct arena a = {0};
	if (n == 0)
		return 0;
	char *text = calloc(1, n);
	check(text != NULL);
	memcpy(text, data + 1, n - 1);
	memset(&s, 0, sizeof(s));
	if (data[0] == 'a')
		forms(text);
	else if (data[0] == 'q')
		request(text);
	else if (data[0] == 'h')
		login_helper(text, n - 1, &s, NULL);
	else if (login_find(&a, text, n - 1, "docker.io", &s, &w, NULL) == 0 && w.helper)
		check_helper(w.helper);
	check(memchr(s.user, 0, sizeof(s.user)) && memchr(s.pass, 0, sizeof(s.pass)) &&
		memchr(s.identity, 0, sizeof(s.identity)));
	free(text);
	arena_free(&a);
	return 0;
}
