/* unit tests of the tool's command line: where yolo flags go, and that none comes twice */
#include "unit.h"

#include "run/run.h"

static struct arena a;

static struct strv words(const char *s)
{
	struct strv v = {0};
	char *copy = arena_dup(&a, s);
	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		strv_push(&a, &v, w);
	return v;
}

static void expect(const struct profile *p, const char *args, bool yolo, const char *want)
{
	struct strv in = words(args), out = {0};
	assert_int_equal(run_argv(&a, p, &in, yolo, &out), 0);
	char got[1024] = "";
	for (size_t i = 0; i < out.n; i++) {
		strcat(got, i ? " " : "");
		strcat(got, out.v[i]);
	}
	assert_string_equal(got, want);
}

#define DANGER "--dangerously-bypass-approvals-and-sandbox"

static void codex(void **state)
{
	(void)state;
	struct profile_sub subs[] = {{.word = "exec", .args = words("--skip-git-repo-check")}};
	struct profile p = {
		.command = words("codex"), .yolo = words(DANGER), .subs = subs, .n_subs = 1};
	expect(&p, "", true, "codex " DANGER);
	expect(&p, "exec x", true, "codex " DANGER " exec --skip-git-repo-check x");
	expect(&p, DANGER " exec x", true, "codex " DANGER " exec --skip-git-repo-check x");
	expect(&p, "exec --skip-git-repo-check x", true,
		"codex " DANGER " exec --skip-git-repo-check x");
	expect(&p, "exec x", false, "codex exec --skip-git-repo-check x");
	expect(&p, DANGER " exec -c a=b -o f exec", true,
		"codex " DANGER " exec --skip-git-repo-check -c a=b -o f exec");
}

static void opencode(void **state)
{
	(void)state;
	struct profile p = {
		.command = words("opencode"), .yolo = words("--auto"), .yolo_after = words("run")};
	expect(&p, "run hello", true, "opencode run --auto hello");
	expect(&p, "run --auto hello", true, "opencode run --auto hello");
	expect(&p, "", true, "opencode --auto");
	expect(&p, "auth login", true, "opencode auth login");
	expect(&p, "run hello", false, "opencode run hello");
}

static void gemini(void **state)
{
	(void)state;
	struct profile p = {.command = words("gemini"),
		.yolo = words("--yolo --skip-trust"),
		.yolo_unless = words("--approval-mode"),
		.yolo_not_before = words("mcp hooks")};
	expect(&p, "-p hi", true, "gemini --yolo --skip-trust -p hi");
	expect(&p, "--approval-mode=plan -p hi", true, "gemini --approval-mode=plan -p hi");
	expect(&p, "--yolo", true, "gemini --skip-trust --yolo");
	expect(&p, "mcp list", true, "gemini mcp list");
	expect(&p, "fix mcp", true, "gemini --yolo --skip-trust fix mcp");
	expect(&p, "-p mcp", true, "gemini --yolo --skip-trust -p mcp");
}

static void flags_with_values(void **state)
{
	(void)state;
	struct profile p = {.command = words("t"), .yolo = words("--mode free")};
	expect(&p, "x", true, "t --mode free x");
	expect(&p, "--mode strict x", true, "t --mode strict x");
}

static void plain_commands(void **state)
{
	(void)state;
	struct profile p = {.command = words("bash"), .args_replace = true};
	expect(&p, "", true, "bash");
	expect(&p, "make check", true, "make check");
}

static int drop(void **state)
{
	(void)state;
	arena_free(&a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codex),
		cmocka_unit_test(opencode),
		cmocka_unit_test(gemini),
		cmocka_unit_test(flags_with_values),
		cmocka_unit_test(plain_commands),
	};
	return cmocka_run_group_tests(tests, NULL, drop);
}
