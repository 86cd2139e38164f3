/* tests/unit/test-secret.c - the memory of a secret, where its value comes from, and which counts.
 */
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "secret/ask.h"
#include "secret/secret.h"

#ifdef BAWN_ASAN
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

static char root[64], config[100];

static int setup(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR");
	snprintf(root, sizeof(root), "%.40s/secret.XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(root))
		return -1;
	snprintf(config, sizeof(config), "%s/config", root);
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* The flags of the mapping that begins at p ("rd wr lo dd wf"), as the kernel says them. */
static void flags_of(const void *p, char *ret, size_t cap)
{
	char line[400], want[40];
	bool here = false;
	FILE *f = fopen("/proc/self/smaps", "re");
	assert_non_null(f);
	snprintf(want, sizeof(want), "%lx-", (unsigned long)(uintptr_t)p);
	*ret = '\0';
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, want, strlen(want)) == 0)
			here = true;
		else if (here && has_prefix(line, "VmFlags:")) {
			snprintf(ret, cap, "%s", line);
			break;
		}
	}
	fclose(f);
}

static void test_memory(void **state)
{
	struct secret_buf b = {0};
	struct err err = {0};
	char flags[400];
	int status;
	(void)state;
	if (secret_buf_alloc(&b, &err) < 0)
		fail_msg("%s", err.msg);
	flags_of(b.v, flags, sizeof(flags));
	/* AddressSanitizer makes mlock(2) do nothing. */
	if (!SANITIZED)
		assert_non_null(strstr(flags, " lo"));
	assert_non_null(strstr(flags, " dd"));
	assert_non_null(strstr(flags, " wf"));
	memcpy(b.v, "secret", 7);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(b.v[0] == '\0' ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(b.v, "secret");
	secret_buf_free(&b);
	assert_null(b.v);
	secret_buf_free(&b);
}

static int set(const char *sandbox, const char *name, enum secret_source source, const char *text)
{
	struct err err = {0};
	int r = secret_set(config, sandbox, name, source, text, strlen(text), &err);
	if (r < 0)
		fail_msg("%s: %s", name, err.msg);
	return r;
}

/* want: the value, or NULL with a part of the message (NULL: none anywhere). */
static void expect(const char *sandbox, const char *name, const struct strv *env, const char *want,
	const char *part)
{
	struct secret_buf b = {0};
	struct err err = {0};
	int r = secret_get(config, sandbox, name, env, &b, &err);
	if (want) {
		if (r < 0 || b.n != strlen(want) || strcmp(b.v, want) != 0)
			fail_msg("%s: %d %s", name, r, r < 0 ? err.msg : b.v);
	} else if (part) {
		if (r >= 0 || r == -ENOENT || !strstr(err.msg, part))
			fail_msg("%s: %d \"%s\", not \"%s\"", name, r, err.msg, part);
		assert_null(strstr(err.msg, "canary"));
		assert_null(strstr(err.hint, "canary"));
	} else {
		assert_int_equal(r, -ENOENT);
		assert_int_equal(err.code, 0);
	}
	assert_true((r == 0) == (b.v != NULL));
	secret_buf_free(&b);
}

static void test_which_counts(void **state)
{
	struct arena a = {0};
	struct strv env = {0};
	(void)state;
	strv_add(&a, &env, "BAWN_TEST_A");
	strv_add(&a, &env, "BAWN_TEST_B");
	setenv("BAWN_TEST_A", "", 1);
	unsetenv("BAWN_TEST_B");
	assert_false(secret_any(config));
	expect(NULL, "key", &env, NULL, NULL);
	expect("box", "key", NULL, NULL, NULL);
	setenv("BAWN_TEST_B", "from-b", 1);
	expect("box", "key", &env, "from-b", NULL);
	setenv("BAWN_TEST_A", "from-a", 1);
	expect("box", "key", &env, "from-a", NULL);
	set(NULL, "key", SECRET_VALUE, "for-all");
	assert_true(secret_any(config));
	expect("box", "key", &env, "for-all", NULL);
	struct secret_buf b = {0};
	assert_int_equal(secret_get(NULL, "box", "key", &env, &b, NULL), 0);
	assert_string_equal(b.v, "from-a"); /* without the store */
	secret_buf_free(&b);
	set("box", "key", SECRET_VALUE, "for-box");
	expect("box", "key", &env, "for-box", NULL);
	expect("other", "key", &env, "for-all", NULL);
	expect(NULL, "key", &env, "for-all", NULL);
	/* a name that no secret's directory can have: that sandbox has none of its own */
	expect("../key", "key", &env, "for-all", NULL);
	assert_int_equal(secret_forget_sandbox(config, "box", NULL), 0);
	assert_int_equal(secret_forget_sandbox(config, "box", NULL), 0);
	expect("box", "key", &env, "for-all", NULL);
	assert_int_equal(secret_remove(config, NULL, "key", NULL), 0);
	expect("box", "key", &env, "from-a", NULL);
	setenv("BAWN_TEST_A", "canary\nx", 1);
	expect(NULL, "key", &env, NULL, "BAWN_TEST_A: the secret has more than one line");
	arena_free(&a);
}

static void put_file(const char *name, const char *text, mode_t mode, char *ret)
{
	snprintf(ret, 200, "%s/%s", root, name);
	int fd = open(ret, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void test_sources(void **state)
{
	char path[200], text[300];
	(void)state;
	set(NULL, "c", SECRET_COMMAND, "echo one; pwd >&2; test \"$(pwd)\" = / && exit 0");
	expect(NULL, "c", NULL, "one", NULL);
	set(NULL, "c", SECRET_COMMAND, "printf 'two\\r\\n'; sleep 60 &");
	expect(NULL, "c", NULL, "two", NULL);
	set(NULL, "c", SECRET_COMMAND, "echo canary; exit 3");
	expect(NULL, "c", NULL, NULL, "the command of secret c has ended with 3");
	set(NULL, "c", SECRET_COMMAND, "echo canary; echo canary");
	expect(NULL, "c", NULL, NULL, "secret c: the secret has more than one line");
	set(NULL, "c", SECRET_COMMAND, "true");
	expect(NULL, "c", NULL, NULL, "secret c: the secret is empty");
	set(NULL, "c", SECRET_COMMAND, "while :; do echo canary; done");
	expect(NULL, "c", NULL, NULL, "has written more than a secret's");
	setenv("BAWN_TEST_C", "three", 1);
	set(NULL, "e", SECRET_ENV, "BAWN_TEST_C");
	expect(NULL, "e", NULL, "three", NULL);
	unsetenv("BAWN_TEST_C");
	expect(NULL, "e", NULL, NULL, "secret e: the variable BAWN_TEST_C is not set");
	put_file("f", "four\n", 0600, path);
	set(NULL, "f", SECRET_FILE, path);
	expect(NULL, "f", NULL, "four", NULL);
	put_file("f", "canary\n", 0622, path);
	expect(NULL, "f", NULL, NULL, "others can write");
	unlink(path);
	expect(NULL, "f", NULL, NULL, "secret f: open ");
	set(NULL, "f", SECRET_FILE, root);
	expect(NULL, "f", NULL, NULL, "not a regular file");
	snprintf(text, sizeof(text), "a\nb");
	assert_int_equal(secret_set(config, NULL, "x", SECRET_COMMAND, text, 3, NULL), -EINVAL);
	assert_int_equal(secret_set(config, NULL, "x", SECRET_FILE, "rel", 3, NULL), -EINVAL);
}

static void test_time_limit(void **state)
{
	struct arena a = {0};
	struct strv argv = {0};
	struct secret_buf b = {0};
	struct err err = {0};
	struct timespec begin, end;
	char script[300];
	(void)state;
	/* what it has started is killed, too: nothing holds the mark's lock */
	snprintf(script, sizeof(script), "(exec 9>%s/mark; flock 9; sleep 60) & sleep 0.1; wait",
		root);
	strv_add(&a, &argv, "/bin/sh");
	strv_add(&a, &argv, "-c");
	strv_add(&a, &argv, script);
	assert_int_equal(secret_buf_alloc(&b, &err), 0);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_int_equal(secret_ask(&argv, NULL, -1, -1, 1000, "it", &b, &err), -ETIME);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_string_equal(err.msg, "it has not answered within 1 s");
	assert_true(end.tv_sec - begin.tv_sec < 5);
	snprintf(script, sizeof(script), "%s/mark", root);
	_cleanup_close_ int fd = open(script, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	int tries = 0;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0 && ++tries < 100)
		usleep(20000);
	assert_true(tries < 100);
	secret_buf_free(&b);
	arena_free(&a);
}

/* What crashed in the middle, or was never ours, is no secret. */
static void test_damaged(void **state)
{
	static const char *const texts[] = {"", "x", "bawn-secret 2 value  \ncanary",
		"bawn-secret 1 other  \ncanary", "bawn-secret 1 value\ncanary",
		"bawn-secret 1 value  "};
	char path[200];
	(void)state;
	set(NULL, "d", SECRET_VALUE, "x");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		put_file("config/secrets/d", texts[i], 0600, path);
		expect(NULL, "d", NULL, NULL, "the file of secret d is damaged");
	}
	put_file("config/secrets/d", "bawn-secret 1 value  \n", 0600, path);
	expect(NULL, "d", NULL, NULL, "secret d: the secret is empty");
	put_file("config/secrets/d", "bawn-secret 1 value  \nya", 0640, path);
	expect(NULL, "d", NULL, NULL, "can be read or written by others");
}

static void test_list(void **state)
{
	struct arena a = {0};
	struct secret_info *v = NULL;
	size_t n = 1;
	char path[200];
	(void)state;
	assert_int_equal(secret_list(&a, config, &v, &n, NULL), 0);
	assert_int_equal(n, 0);
	set(NULL, "b", SECRET_VALUE, "x");
	set("box", "b", SECRET_ENV, "X");
	set(NULL, "a", SECRET_COMMAND, "true");
	put_file("config/secrets/b.1.0.tmp", "rest", 0600, path);
	assert_int_equal(secret_list(&a, config, &v, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_string_equal(v[0].name, "a");
	assert_int_equal(v[0].source, SECRET_COMMAND);
	assert_null(v[1].sandbox);
	assert_string_equal(v[2].sandbox, "box");
	assert_int_equal(secret_exists(config, "box", "b", NULL), 1);
	assert_int_equal(secret_exists(config, "box", "a", NULL), 0);
	set(NULL, "a", SECRET_VALUE, "y"); /* which sweeps */
	assert_int_equal(access(path, F_OK), -1);
	arena_free(&a);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_memory),
		TEST(test_which_counts),
		TEST(test_sources),
		TEST(test_time_limit),
		TEST(test_damaged),
		TEST(test_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
