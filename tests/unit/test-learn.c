/* tests/unit/test-learn.c - what becomes of the requests of a run that is learnt from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/learn-request.h"

static struct arena arena;

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void test_glob(void **state)
{
	static const char *const t[][2] = {
		{"/", "/"},
		{"/v1/messages", "/v1/messages"},
		{"/repos/me/x.git/git-upload-pack", "/repos/me/x.git/git-upload-pack"},
		{"/x/", "/x/"},
		/* numbers, keys, names of people */
		{"/users/12345/", "/users/*/"},
		{"/o/2f1e9c40-8a7b-4b60-9a51-0c5f2be0a111/x", "/o/*/x"},
		{"/deadbeefcafe", "/*"},
		{"/bot123456:AAFfoo/send", "/*/send"},
		{"/by/me@example.com", "/by/*"},
		{"/t/aBcDeFgHiJkLmNoP", "/t/*"},
		{"/averyveryveryveryverylongwordindeedx", "/*"},
		{"/a*b", "/*"},
		{"/files;v=1/x", "/*/x"},
		/* what a server may read in several ways */
		{"/a%2Fb/c", "/**/c"},
		{"/a//b", "/a/**/b"},
		{"/a/%41/../b", "/a/**/b"},
		{"/a/./b", "/a/**/b"},
		{"/a/b\\c", "/a/**"},
		{"/a/%20", "/a/**"},
	};
	char buf[200];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(learn_glob(t[i][0], false, buf, sizeof(buf)), 0);
		if (strcmp(buf, t[i][1]) != 0)
			fail_msg("%s: %s, not %s", t[i][0], buf, t[i][1]);
	}
	assert_int_equal(learn_glob("/v1/mess", true, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "/v1/**");
	assert_int_equal(learn_glob("/a%2F/mess", true, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "/**");
	assert_int_equal(learn_glob("*", false, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(learn_glob("", false, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(learn_glob("/abcdefghij", false, buf, 12), -EINVAL);
}

/* "METHOD PATH" words, and what is learnt from them. */
static void learn(const char *const *words, const char *want)
{
	struct learn_requests l = {0};
	char got[8192] = "";
	for (; *words; words++) {
		char *word = arena_dup(&arena, *words), *path = strchr(word, ' ');
		*path++ = '\0';
		learn_request_add(&arena, &l, word, path, false);
	}
	learn_requests_fold(&arena, &l);
	for (size_t i = 0; i < l.n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s %s x%d", i ? "; " : "",
			l.v[i].methods, l.v[i].path, (int)l.v[i].times);
	if (l.unsaid)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "!");
	assert_string_equal(got, want);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_requests(void **state)
{
	(void)state;
	learn(WORDS("GET /a", "GET /a", "HEAD /a", "POST /b"), "GET,HEAD /a x3; POST /b x1");
	learn(WORDS("GET /u/1", "GET /u/22", "DELETE /u/me"), "GET /u/* x2; DELETE /u/me x1");
	/* three that are alike stay, four are one; other methods stay by themselves */
	learn(WORDS("GET /p/a/x", "GET /p/b/x", "GET /p/c/x"),
		"GET /p/a/x x1; GET /p/b/x x1; GET /p/c/x x1");
	learn(WORDS("GET /p/a/x", "GET /p/b/x", "PUT /p/e/x", "GET /p/c/x", "GET /p/d/x"),
		"GET /p/*/x x4; PUT /p/e/x x1");
	/* beside one that is a star already, the narrower one says nothing */
	learn(WORDS("GET /u/1", "GET /u/me"), "GET /u/* x2");
	learn(WORDS("GET /u/me", "GET /u/1", "GET /u/me/x"), "GET /u/* x2; GET /u/me/x x1");
	/* a method that no rule can say */
	learn(WORDS("get /a", "GET /b", "G3T /c"), "GET /b x1!");
	learn(WORDS("A /a", "B /a", "C /a", "D /a", "E /a", "F /a", "G /a", "H /a", "I /a"),
		"A,B,C,D,E,F,G,H /a x9!");
}

static void test_many(void **state)
{
	struct learn_requests l = {0};
	(void)state;
	/* more kinds than are held: one for all, with every method */
	for (int i = 0; i < 200; i++) {
		char path[100] = "";
		for (int k = 0; k <= i; k++)
			snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%c",
				k < 40 ? 'a' + (i + k) % 26 : 'z');
		path[99] = '\0';
		learn_request_add(&arena, &l, i % 2 ? "GET" : "POST", path, false);
	}
	learn_requests_fold(&arena, &l);
	assert_true(l.all);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].path, "/**");
	assert_non_null(strstr(l.v[0].methods, "GET"));
	assert_non_null(strstr(l.v[0].methods, "POST"));
	assert_int_equal(l.v[0].times, 200);
	/* thousands of one kind are one line */
	l = (struct learn_requests){0};
	for (int i = 0; i < 5000; i++) {
		char path[40];
		snprintf(path, sizeof(path), "/x/%c%c%c/y", 'a' + i % 26, 'a' + i / 26 % 26, 'k');
		learn_request_add(&arena, &l, "GET", path, false);
	}
	learn_requests_fold(&arena, &l);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].path, "/x/*/y");
	assert_int_equal(l.v[0].times, 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glob),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, teardown);
}
