/* tests/unit/test-change-parts.c - the pure parts of the change room: diff, object names, ledger.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "base/git-name.h"
#include "base/file.h"
#include "change/diff.h"
#include "change/ledger.h"
#include "change/object.h"

static void digests(void **state)
{
	(void)state;
	char hex[GIT_NAME_MAX];
	unsigned char raw[SHA1_LEN];
	git_blob_name("", 0, 20, hex);
	assert_string_equal(hex, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
	git_blob_name("hello\n", 6, 20, hex);
	assert_string_equal(hex, "ce013625030ba8dba906f756967f9e9ca394464a");
	git_blob_name("", 0, 32, hex);
	assert_string_equal(
		hex, "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813");
	/* FIPS 180-4: "abc", and a message of two blocks */
	object_sha1("abc", 3, raw);
	assert_memory_equal(raw, "\xa9\x99\x3e\x36\x47\x06\x81\x6a\xba\x3e", 10);
	const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	object_sha1(two, 56, raw);
	assert_memory_equal(raw, "\x84\x98\x3e\x44\x1c\x3b\xd2\x6e\xba\xae", 10);
}

static void changed(const char *a, const char *b, const char *want_a, const char *want_b)
{
	struct diff d;
	assert_int_equal(diff_texts(&d, a, strlen(a), b, strlen(b)), 0);
	char got_a[64] = "", got_b[64] = "";
	for (uint32_t i = 0; i < d.a.n; i++)
		got_a[i] = d.a.changed[i] ? '-' : '.';
	for (uint32_t i = 0; i < d.b.n; i++)
		got_b[i] = d.b.changed[i] ? '+' : '.';
	assert_string_equal(got_a, want_a);
	assert_string_equal(got_b, want_b);
	diff_free(&d);
}

static void small_diffs(void **state)
{
	(void)state;
	changed("a\nb\nc\n", "a\nb\nc\n", "...", "...");
	changed("", "a\n", "", "+");
	changed("a\n", "", "-", "");
	changed("a\nb\nc\n", "a\nx\nc\n", ".-.", ".+.");
	changed("a\nb", "a\nb\n", ".-", ".+");
	changed("a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n", "--.-...", "..+..+");
	/* an added function ends with its own brace */
	changed("f\n}\n", "f\n}\ng\n}\n", "..", "..++");
}

/* A text turned round, and two that share nothing but small change: bounded in time. */
static void dear_diffs(void **state)
{
	(void)state;
	enum { LINES = 60000 };
	char *a = malloc(LINES * 8), *b = malloc(LINES * 8);
	size_t na = 0, nb = 0;
	uint32_t seed = 1;
	for (int i = 0; i < LINES; i++) {
		na += (size_t)sprintf(a + na, "%d\n", i % 977);
		seed = seed * 1664525 + 1013904223;
		nb += (size_t)sprintf(b + nb, "%u\n", (seed >> 16) % 977);
	}
	struct timespec t0, t1;
	struct diff d;
	clock_gettime(CLOCK_MONOTONIC, &t0);
	assert_int_equal(diff_texts(&d, a, na, b, nb), 0);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	diff_free(&d);
	free(a);
	free(b);
	print_message("# %.2f s\n",
		(double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9);
	assert_true(t1.tv_sec - t0.tv_sec < 20);
}

static void too_many_lines(void **state)
{
	(void)state;
	size_t n = DIFF_LINES_MAX + 1;
	char *a = malloc(n);
	struct diff d;
	memset(a, '\n', n);
	assert_int_equal(diff_texts(&d, a, n, "", 0), -E2BIG);
	diff_free(&d);
	free(a);
}

static void ledgers(void **state)
{
	(void)state;
	struct arena a = {0};
	struct ledger l = {0}, back;
	struct stat st = {.st_ino = 5, .st_ctim = {.tv_sec = 9, .tv_nsec = 1}}, other = st;
	char dir[] = "/tmp/bawn-test-ledger-XXXXXX", *text;
	assert_non_null(mkdtemp(dir));
	int fd = open(dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	other.st_ctim.tv_nsec = 2;
	ledger_add(&a, &l, "b", &other);
	ledger_add(&a, &l, "a/\n", &st);
	ledger_add(&a, &l, "b", &st); /* the later one holds */
	assert_int_equal(ledger_write(&l, fd, "landed", NULL), 0);
	ssize_t n = file_read(&a, fd, "landed", 1 << 20, &text, NULL);
	assert_int_equal(ledger_read(&a, text, (size_t)n, &back), 0);
	assert_int_equal(back.n, 2);
	assert_true(ledger_has(&back, "b", &st));
	assert_false(ledger_has(&back, "b", &other));
	assert_true(ledger_has(&back, "a/\n", &st));
	assert_false(ledger_has(&back, "a", &st));
	/* damaged anywhere: none of it is believed */
	for (ssize_t i = 0; i < n; i++) {
		char *copy = arena_dupn(&a, text, (size_t)n);
		copy[i] ^= 1;
		if (ledger_read(&a, copy, (size_t)n, &back) == 0) {
			/* padding is nobody's */
			assert_int_equal(back.n, 2);
		} else {
			assert_false(ledger_has(&back, "b", &st));
		}
		assert_true(ledger_read(&a, text, (size_t)i, &back) < 0);
	}
	unlinkat(fd, "landed", 0);
	close(fd);
	rmdir(dir);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests),
		cmocka_unit_test(small_diffs),
		cmocka_unit_test(dear_diffs),
		cmocka_unit_test(too_many_lines),
		cmocka_unit_test(ledgers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
