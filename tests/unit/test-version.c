/* tests/unit/test-version.c - which version of a tool is installed: packages, directories, volta,
 * and lone executables; and how versions compare. */
#include "host/version.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/text.h"
#include "base/tree.h"
#include "unit.h"

static struct arena a;
static char root[PATH_MAX];

static int setup(void **state)
{
	(void)state;
	char tmp[] = "/tmp/bawn-test-version-XXXXXX";
	a = (struct arena){0};
	return mkdtemp(tmp) && realpath(tmp, root) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&a);
	return tree_remove(AT_FDCWD, root, NULL);
}

/* A file of `before` zeros, then text, then `after` zeros. */
static char *put(const char *rel, off_t before, const char *text, off_t after)
{
	char *p = path_join(&a, root, rel);
	for (char *s = p + strlen(root) + 1; (s = strchr(s, '/')); *s++ = '/') {
		*s = '\0';
		mkdir(p, 0755);
	}
	int fd = open(p, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), before), (ssize_t)strlen(text));
	assert_int_equal(ftruncate(fd, before + (off_t)strlen(text) + after), 0);
	close(fd);
	return p;
}

static const char *version(const char *resolved, const char *bound)
{
	struct host_agent g = {.exe = resolved, .resolved = resolved};
	if (bound)
		strv_add(&a, &g.binds, path_join(&a, root, bound));
	const char *v = host_agent_version(&a, "tool", &g);
	return v ? v : "none";
}

static void packages(void **state)
{
	(void)state;
	put("lib/node_modules/@x/tool/package.json", 0,
		"{\"version\": \"1.2.6\", \"bin\": {\"tool\": \"x\"}}", 0);
	put("lib/node_modules/node/package.json", 0, "{\"version\": \"22.1.0\"}", 0);
	put("lib/node_modules/@x/tool/dist/package.json", 0, "{\"type\": \"module\"}", 0);
	char *p = put("lib/node_modules/@x/tool/dist/bin/tool", 0, "#!/usr/bin/env node\n", 0);
	assert_string_equal(version(p, NULL), "1.2.6");
	/* a wrapper in front: by what it starts */
	p = put("bin/tool", 0, "#!/bin/sh\n", 0);
	assert_string_equal(version(p, "lib/node_modules/@x/tool"), "1.2.6");
	assert_string_equal(version(p, "lib/node_modules/node"), "none"); /* its interpreter */
	assert_string_equal(version(p, NULL), "none");
}

static void directories(void **state)
{
	(void)state;
	assert_string_equal(version(put("tool/versions/2.1.3", 0, "x", 0), NULL), "2.1.3");
	assert_string_equal(
		version(put("node/v20.1.0/Cellar/tool/1.4.0/bin/tool", 0, "x", 0), NULL), "1.4.0");
	assert_string_equal(version(put("v2/7/tool", 0, "x", 0), NULL), "none");
}

static void voltas_layout(void **state)
{
	(void)state;
	char *p = put(".volta/bin/volta-shim", 0, "x", 0);
	put(".volta/tools/user/bins/tool.json", 0,
		"{\"name\": \"tool\", \"version\": \"1.1.53\", \"platform\": {\"node\": "
		"\"20.0.0\"}}",
		0);
	assert_string_equal(version(p, ".volta/tools"), "1.1.53");
	assert_string_equal(version(put("bin/tool", 0, "x", 0), ".volta/tools"), "none");
}

static void lone_executables(void **state)
{
	(void)state;
	static const char mine[] = "\1--user-agent=tool/1.1.53 --use-system-ca --\1";
	assert_string_equal(version(put("a/tool", 1 << 20, mine, 46000), NULL), "1.1.53");
	assert_string_equal(version(put("b/tool", 1 << 20, mine, 82), NULL), "1.1.53");
	/* another's name, no version, one that has no end, one that is too far from the end */
	assert_string_equal(
		version(put("c/tool", 1 << 20, "--user-agent=other/1.1.53 ", 9), NULL), "none");
	assert_string_equal(
		version(put("d/tool", 1 << 20, "--user-agent=tool/local ", 9), NULL), "none");
	assert_string_equal(
		version(put("e/tool", 1 << 20, "--user-agent=tool/1.1.53", 0), NULL), "none");
	assert_string_equal(version(put("f/tool", 1 << 20, mine, 1 << 20), NULL), "none");
	assert_string_equal(version(put("g/tool", 0, mine, 9), NULL), "none");
}

static void comparing(void **state)
{
	(void)state;
	assert_true(text_version_below("1.2.6", "1.18"));
	assert_true(text_version_below("0.98.0", "0.99"));
	assert_true(text_version_below("v1.17.20", "1.18"));
	assert_false(text_version_below("1.18.0", "1.18"));
	assert_false(text_version_below("1.18.0-beta.1", "1.18"));
	assert_false(text_version_below("2.0.0", "1.18"));
	assert_false(text_version_below("0.131.0-linux-x64", "0.131"));
	/* what can't be told is new, and so is a build from a branch */
	assert_false(text_version_below(NULL, "1.18"));
	assert_false(text_version_below("local", "1.18"));
	assert_false(text_version_below("7", "1.18"));
	assert_false(text_version_below("0.0.0-main-202611", "1.18"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(packages),
		T(directories),
		T(voltas_layout),
		T(lone_executables),
		T(comparing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
