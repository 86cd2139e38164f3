/* tests/unit/test-recipes.c - the recipes that are shipped: each can be read, and makes what its
 * profile needs: the agent's account, and its program as the last word. */
#include "unit.h"

#include <fcntl.h>

#include "base/file.h"
#include "build/dockerfile.h"

static const struct df_inst *last_of(const struct dockerfile *d, enum df_kind kind)
{
	const struct df_inst *found = NULL;
	for (size_t i = 0; i < d->n_inst; i++)
		if (d->v[i]->kind == kind)
			found = d->v[i];
	return found;
}

static void check(const char *name, const char *program)
{
	struct arena a = {0};
	struct dockerfile d;
	struct err err = {0};
	char *text = NULL;
	const char *src = getenv("BAWN_SRCDIR");
	char *path = arena_printf(&a, "%s/profiles/%s.Dockerfile", src ? src : ".", name);
	ssize_t n = file_read(&a, AT_FDCWD, path, DF_FILE_MAX, &text, &err);
	if (n < 0 || dockerfile_parse(&a, name, text, (size_t)n, &d, &err) < 0)
		fail_msg("%s: %s", path, err.msg);
	assert_int_equal(d.v[0]->kind, DF_FROM);
	assert_string_equal(d.v[0]->words[0].s, "debian");
	const struct df_inst *user = last_of(&d, DF_USER), *cmd = last_of(&d, DF_CMD);
	assert_non_null(user);
	assert_string_equal(user->words[0].s, "agent");
	assert_non_null(cmd);
	assert_true(cmd->exec);
	assert_string_equal(cmd->words[0].s, program);
	arena_free(&a);
}

static void test_recipes(void **state)
{
	(void)state;
	check("base", "bash");
	check("claude", "claude");
	check("codex", "codex");
	check("gemini", "gemini");
	check("opencode", "opencode");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_recipes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
