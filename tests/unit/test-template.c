/* unit tests of the template room: where a link of an archive may lead (TPL-09), the tar that is
 * written, the line that shows progress
 */
#include "unit.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "template/layer-run.h"
#include "template/progress.h"
#include "template/tar-out.h"

#define FILE_AT(n) .name = (char *)(n), .offset = 512, .size = 5
#define LINK_TO(n, t) .name = (char *)(n), .target = (char *)(t)

static void tpl_09_links_lead_to_members(void **state)
{
	(void)state;
	/* sorted by name, as they come */
	struct archive_member v[] = {{LINK_TO("a/abs", "/b/layer.tar")},
		{LINK_TO("a/dots", "./.././b//layer.tar")},
		{LINK_TO("a/layer.tar", "../b/layer.tar")}, {LINK_TO("a/out", "../../b/layer.tar")},
		{LINK_TO("a/to-link", "layer.tar")}, {LINK_TO("a/to-nothing", "../b/x")},
		{LINK_TO("a/up", "..")}, {FILE_AT("b/layer.tar")}, {LINK_TO("top", "b/layer.tar")},
		{LINK_TO("top-out", "../b/layer.tar")}};
	const struct archive all = {.v = v, .n = ARRAY_LEN(v)};
	static const char *const good[] = {"b/layer.tar", "a/layer.tar", "a/dots", "top"};
	static const char *const bad[] = {"a/abs", "a/out", "a/to-link", "a/to-nothing", "a/up",
		"top-out", "absent", "", "b", "../b/layer.tar", "./b/layer.tar"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const struct archive_member *m = archive_find(&all, good[i]);
		assert_non_null(m);
		assert_string_equal(m->name, "b/layer.tar");
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (archive_find(&all, bad[i]))
			fail_msg("found: %s", bad[i]);
	assert_null(archive_find(&(struct archive){0}, "x"));
}

static void heads_of_a_tar(void **state)
{
	(void)state;
	struct err err = {0};
	unsigned char block[TAR_BLOCK];
	struct tar_out t = {.fd = memfd_create("tar", MFD_CLOEXEC)};
	assert_true(t.fd >= 0);
	assert_int_equal(tar_out_file(&t, "a", "hello", 5, &err), 0);
	assert_int_equal(lseek(t.fd, 0, SEEK_END), 2 * TAR_BLOCK);
	assert_int_equal(pread(t.fd, block, TAR_BLOCK, 0), TAR_BLOCK);
	assert_memory_equal(block + 124, "00000000005", 12);
	assert_memory_equal(block + 257, "ustar\00000", 8);
	/* as large as octal digits go, and larger */
	assert_int_equal(tar_out_head(&t, "b", (UINT64_C(1) << 33) - 1, &err), 0);
	assert_int_equal(tar_out_head(&t, "c", UINT64_C(1) << 33, &err), 0);
	assert_int_equal(pread(t.fd, block, TAR_BLOCK, 2 * TAR_BLOCK), TAR_BLOCK);
	assert_memory_equal(block + 124, "77777777777", 12);
	assert_int_equal(pread(t.fd, block, TAR_BLOCK, 3 * TAR_BLOCK), TAR_BLOCK);
	static const unsigned char big[12] = {0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0};
	assert_memory_equal(block + 124, big, 12);
	char name[TAR_NAME_MAX + 1];
	memset(name, 'n', sizeof(name));
	name[TAR_NAME_MAX] = '\0';
	assert_int_equal(tar_out_head(&t, name, 0, &err), -ENAMETOOLONG);
	assert_int_equal(tar_out_pad(&t, 512, &err), 0);
	assert_int_equal(tar_out_pad(&t, 513, &err), 0);
	assert_int_equal(lseek(t.fd, 0, SEEK_CUR), 4 * TAR_BLOCK + 511);
	close(t.fd);
	t.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(tar_out_end(&t, &err), -ENOSPC);
	assert_true(err.hint[0]);
	close(t.fd);
}

static void lines_of_progress(void **state)
{
	(void)state;
	char line[200];
	struct progress p = {
		.what = "loading", .done = 1500000, .total = 4500000, .layer = 2, .layers = 7};
	assert_string_equal(progress_text(&p, 1000, line, sizeof(line)),
		"loading: 1.5 MB of 4.5 MB, layer 2 of 7, 1.5 MB/s, 0:03 left");
	p = (struct progress){.what = "loading", .done = 999};
	assert_string_equal(progress_text(&p, 0, line, sizeof(line)), "loading: 999 B, 0 B/s");
	p = (struct progress){.what = "x", .done = 1000, .total = UINT64_C(99999999999999)};
	assert_string_equal(progress_text(&p, 1000, line, sizeof(line)),
		"x: 1.0 kB of 100 TB, 1.0 kB/s, 27777777 h left");
	/* more than was expected: nothing is left, and nothing is below zero */
	p = (struct progress){.what = "x", .done = 20, .total = 10};
	assert_string_equal(progress_text(&p, 1000, line, sizeof(line)), "x: 20 B of 10 B, 20 B/s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tpl_09_links_lead_to_members),
		cmocka_unit_test(heads_of_a_tar),
		cmocka_unit_test(lines_of_progress),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
