/* Overlays of many layers, by both ways to mount one, and trees that are copied or merged.
 *
 * The mounts are made in a child, in namespaces of its own.
 */
#include "unit.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/tree-copy.h"
#include "base/tree.h"
#include "child.h"
#include "init/init-overlay.h"

#define LAYERS 100

static char top[64];

static int begin(void **state)
{
	(void)state;
	const char *home = getenv("HOME"), *builddir = getenv("BAWN_BUILDDIR");
	snprintf(top, sizeof(top), "%.40s/layersXXXXXX", builddir ? "." : home ? home : "/tmp");
	return mkdtemp(top) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	return tree_remove(AT_FDCWD, top, NULL);
}

static void put(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

/* LAYERS directories with long names that overlayfs would split; each has a file of its own, and
 * one that all have. */
static void make_layers(struct arena *a, struct strv *ret, const char *tag)
{
	char real[4096], name[180];
	CHECK(realpath(top, real));
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < LAYERS; i++) {
		char *dir = arena_printf(a, "%s/%s,:\\%d'\" /%s", real, name, i, name);
		char *file = arena_printf(a, "%s/own-%d", dir, i);
		char *all = arena_printf(a, "%s/all", dir);
		CHECK(file_mkdir_p(AT_FDCWD, dir, 0700) == 0);
		put(file, tag);
		put(all, arena_printf(a, "%d", i));
		strv_push(a, ret, dir);
	}
}

static void look(int dir)
{
	char name[32], text[16] = "";
	for (int i = 0; i < LAYERS; i++) {
		snprintf(name, sizeof(name), "own-%d", i);
		CHECK(faccessat(dir, name, F_OK, 0) == 0);
	}
	_cleanup_close_ int fd = openat(dir, "all", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	CHECK(atoi(text) == LAYERS - 1); /* the topmost's */
	CHECK(mkdirat(dir, "written", 0700) == 0);
}

static void mount_both_ways(void)
{
	struct arena a = {0};
	struct strv layers = {0};
	struct overlay o = OVERLAY_NONE;
	char *upper, *work, *point, *pair;
	own_namespaces(CLONE_NEWNS, getuid());
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	make_layers(&a, &layers, "x");
	for (size_t i = layers.n; i-- > 0;)
		CHECK(overlay_add(&o, layers.v[i]) == 0);
	for (int way = 0; way < 2; way++) {
		upper = arena_printf(&a, "%s/../up%d", layers.v[0], way);
		work = arena_printf(&a, "%s/../work%d", layers.v[0], way);
		point = arena_printf(&a, "%s/../point%d", layers.v[0], way);
		CHECK(mkdir(upper, 0700) == 0 && mkdir(work, 0700) == 0 && mkdir(point, 0700) == 0);
		pair = arena_printf(&a, "%s\n%s", upper, work);
		CHECK(overlay_open_upper(&o, pair) == 0);
		int at = open(point, O_PATH | O_DIRECTORY | O_CLOEXEC);
		CHECK(at >= 0);
		if (way == 0) {
			int tree = overlay_tree(&o, 0);
			if (tree == -EOPNOTSUPP)
				continue; /* an older kernel: the other way is what it has */
			CHECK(tree >= 0);
			CHECK(syscall(SYS_move_mount, tree, "", at, "",
				      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0);
		} else {
			CHECK(overlay_mount(&o, at, 0) == 0);
		}
		_cleanup_close_ int seen = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		CHECK(seen >= 0);
		look(seen);
		CHECK(access(arena_printf(&a, "%s/written", upper), F_OK) == 0);
		close(o.upper);
		close(o.work);
	}
	_exit(0);
}

static void test_100_layers_both_ways(void **state)
{
	(void)state;
	int status;
	pid_t pid = fork();
	if (pid == 0)
		mount_both_ways();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_a_link_is_no_layer(void **state)
{
	(void)state;
	struct overlay o = OVERLAY_NONE;
	char link[80];
	snprintf(link, sizeof(link), "%s/link", top);
	assert_int_equal(symlink("/etc", link), 0);
	assert_true(overlay_add(&o, link) < 0);
	for (size_t i = 0; i < OVERLAY_LOWER_MAX; i++)
		assert_int_equal(overlay_add(&o, top), 0);
	assert_int_equal(overlay_add(&o, top), -E2BIG);
	overlay_release(&o);
}

/* ---- merging ---- */

static int open_dir(const char *name)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/%s", top, name);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void touch(int dir, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static bool opaque(int dir, const char *name)
{
	char c = 0;
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fgetxattr(fd, "user.overlay.opaque", &c, 1) == 1 && c == 'y';
}

static bool whiteout(int dir, const char *name)
{
	struct stat st;
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) &&
		st.st_rdev == 0;
}

static void merge(const char *from, const char *to)
{
	struct err err = {0};
	struct tree_copy c = {.merge = true};
	_cleanup_close_ int src = open_dir(from), dst = open_dir(to), aux = open_dir("aux");
	assert_int_equal(tree_copy(src, dst, aux, &c, &err), 0);
}

static void test_merging_keeps_what_overlayfs_would_show(void **state)
{
	(void)state;
	_cleanup_close_ int low = open_dir("low"), high = open_dir("high"), all = open_dir("all");
	const char *const dirs[] = {"d", "d/sub", "opaque", "gone"};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		assert_int_equal(mkdirat(low, dirs[i], 0700), 0);
	touch(low, "d/low", "1");
	touch(low, "d/both", "1");
	touch(low, "opaque/hidden", "1");
	touch(low, "gone/x", "1");
	touch(low, "filenowdir", "1");
	assert_int_equal(mknodat(low, "whitenowdir", S_IFCHR, 0), 0);
	assert_int_equal(mkdirat(high, "d", 0750), 0);
	touch(high, "d/both", "2");
	assert_int_equal(mkdirat(high, "opaque", 0700), 0);
	_cleanup_close_ int o = openat(high, "opaque", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fsetxattr(o, "user.overlay.opaque", "y", 1, 0), 0);
	touch(high, "opaque/shown", "2");
	assert_int_equal(mknodat(high, "gone", S_IFCHR, 0), 0);
	assert_int_equal(mkdirat(high, "filenowdir", 0700), 0);
	assert_int_equal(mkdirat(high, "whitenowdir", 0700), 0);
	touch(high, "whitenowdir/in", "2");

	merge("low", "all");
	merge("high", "all");
	struct stat st, orig;
	assert_int_equal(fstatat(all, "d", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(fstatat(all, "d/both", &st, 0), 0);
	assert_int_equal(fstatat(high, "d/both", &orig, 0), 0);
	assert_true(st.st_ino == orig.st_ino); /* not a copy */
	assert_int_equal(faccessat(all, "d/low", F_OK, 0), 0);
	assert_int_equal(faccessat(all, "d/sub", F_OK, 0), 0);
	assert_int_equal(faccessat(all, "opaque/hidden", F_OK, 0), -1);
	assert_int_equal(faccessat(all, "opaque/shown", F_OK, 0), 0);
	assert_true(opaque(all, "opaque"));
	assert_false(opaque(all, "d"));
	assert_true(whiteout(all, "gone"));
	/* what lies below the merged layers must not show through either */
	assert_true(opaque(all, "filenowdir"));
	assert_true(opaque(all, "whitenowdir"));
	assert_int_equal(faccessat(all, "whitenowdir/in", F_OK, 0), 0);
}

static void test_copy_keeps_whiteouts_and_attributes(void **state)
{
	(void)state;
	struct err err = {0};
	struct tree_copy c = {0};
	_cleanup_close_ int src = open_dir("src"), dst = open_dir("dst"), aux = open_dir("aux2");
	assert_int_equal(mknodat(src, "white", S_IFCHR, 0), 0);
	assert_int_equal(mkdirat(src, "dir", 0700), 0);
	_cleanup_close_ int d = openat(src, "dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fsetxattr(d, "user.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(fchmod(d, 0500), 0);
	touch(src, "f", "content");
	assert_int_equal(tree_copy(src, dst, aux, &c, &err), 0);
	assert_true(whiteout(dst, "white"));
	assert_true(opaque(dst, "dir"));
	struct stat st, orig;
	assert_int_equal(fstatat(dst, "dir", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0500);
	assert_int_equal(fstatat(dst, "f", &st, 0), 0);
	assert_int_equal(fstatat(src, "f", &orig, 0), 0);
	assert_true(st.st_ino != orig.st_ino && st.st_size == 7 && st.st_mtime == orig.st_mtime);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_100_layers_both_ways),
		cmocka_unit_test(test_a_link_is_no_layer),
		cmocka_unit_test(test_merging_keeps_what_overlayfs_would_show),
		cmocka_unit_test(test_copy_keeps_whiteouts_and_attributes)};
	return cmocka_run_group_tests(tests, begin, end);
}
