/* tests/unit/test-build-ignore.c - .dockerignore and the patterns of paths. */
#include "unit.h"

#include "build/ignore.h"

struct match {
	const char *rules, *path;
	bool out;
};

static void test_ignore(void **state)
{
	(void)state;
	static const struct match all[] = {
		{"a", "a", true},
		{"a", "a/b/c", true},
		{"a", "ab", false},
		{"a", "b/a", false},
		{"/a", "a", true},
		{"./a//b/../c/", "a/c/x", true},
		{"# a\n\n  b  \r\n", "b", true},
		{"#a", "#a", false},
		{"*.md", "x.md", true},
		{"*.md", "d/x.md", false},
		{"*/*.md", "d/x.md", true},
		{"**/*.md", "d/e/x.md", true},
		{"**/*.md", "x.md", true},
		{"**", "a/b", true},
		{"a/**", "a/b/c", true},
		{"a/**/z", "a/z", true},
		{"a/**/z", "a/b/c/z", true},
		{"a/**/z", "a/b/cz", false},
		{"**/node_modules", "a/b/node_modules/x/y", true},
		{"te?t", "test", true},
		{"te?t", "te/t", false},
		{"te?t", "te\xc3\xa9t", true},
		{"[a-c]x", "bx", true},
		{"[^a-c]x", "bx", false},
		{"[^a-c]x", "dx", true},
		{"a\\*", "a*", true},
		{"a\\*", "ab", false},
		{"*\n!a", "a", false},
		{"*\n!a", "a/b", false},
		{"*\n!a", "b", true},
		{"*\n!a\na/b", "a/b/c", true},
		{"*\n!a/b", "a", true},
		{"*\n!a/b", "a/b", false},
		{"*.md\n!README*.md\nREADME-secret.md", "README-x.md", false},
		{"*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true},
		{"!a\na", "a", true},
		{".", "a", false},
		{"..", "a", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct arena a = {0};
		struct ignore ig = {0};
		struct err err = {0};
		if (ignore_parse(
			    &a, ".dockerignore", all[i].rules, strlen(all[i].rules), &ig, &err) < 0)
			fail_msg("%s: %s", all[i].rules, err.msg);
		if (ignore_match(&ig, all[i].path, NULL) != all[i].out)
			fail_msg("rules \"%s\", path %s", all[i].rules, all[i].path);
		arena_free(&a);
	}
}

/* A directory that is left out is walked all the same where something in it is not. */
static void test_below(void **state)
{
	(void)state;
	static const struct match all[] = {
		{"*\n!a/b", "a", true},
		{"*\n!a/b", "c", false},
		{"*\n!a/b", "ab", false},
		{"*\n!**/x", "c/d", true},
		{"*\n!a/*/x", "a/q", true},
		{"*\n!a/*/x", "b", false},
		{"*\n!a", "b", false},
		{"node_modules", "node_modules", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct arena a = {0};
		struct ignore ig = {0};
		bool below = false;
		assert_int_equal(
			ignore_parse(&a, "i", all[i].rules, strlen(all[i].rules), &ig, NULL), 0);
		assert_true(ignore_match(&ig, all[i].path, &below));
		if (below != all[i].out)
			fail_msg("rules \"%s\", path %s", all[i].rules, all[i].path);
		arena_free(&a);
	}
}

static void test_bad(void **state)
{
	(void)state;
	static const char *const all[] = {
		"a\n!\n", "a\n[b", "a\nb[]", "a\nb\\", "a\n[z-a]", "a\n[a-"};
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct arena a = {0};
		struct ignore ig = {0};
		struct err err = {0};
		assert_int_equal(
			ignore_parse(&a, "ig", all[i], strlen(all[i]), &ig, &err), -EINVAL);
		assert_int_equal(strncmp(err.msg, "ig:2: ", 6), 0);
		arena_free(&a);
	}
}

/* No pattern makes a path take long. */
static void test_effort(void **state)
{
	(void)state;
	struct arena a = {0};
	struct glob g;
	char pattern[GLOB_MAX + 1], path[GLOB_MAX + 1];
	for (size_t i = 0; i < GLOB_MAX; i++)
		pattern[i] = i % 2 ? 'a' : '*', path[i] = 'a';
	pattern[GLOB_MAX] = path[GLOB_MAX] = '\0';
	pattern[GLOB_MAX - 1] = 'b';
	assert_int_equal(glob_compile(&a, pattern, true, &g, NULL), 0);
	assert_int_equal(glob_match(&g, path), 0);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ignore),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_effort),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
