/* tests/unit/test-layer.c - the parts of the layer room: numbers and headers of a tar, names,
 * owners, the frame, and the jail.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/path.h"
#include "base/tree.h"
#include "child.h"
#include "layer/attr.h"
#include "layer/frame.h"
#include "layer/hash.h"
#include "layer/jail.h"
#include "base/link-owners.h"
#include "layer/place.h"
#include "layer/tar-in.h"

static void test_numbers(void **state)
{
	(void)state;
	static const struct {
		const char *field;
		size_t n;
		int64_t want; /* -1: refused */
	} cases[] = {
		{"0000644\0", 8, 0644},
		{"  644 \0\0", 8, 0644},
		{"\0\0\0\0\0\0\0\0", 8, 0},
		{"        ", 8, 0},
		{"77777777", 8, 077777777},
		{"-000001\0", 8, -1},
		{"0000009\0", 8, -1},
		{"0x10\0\0\0\0", 8, -1},
		{"\x80\0\0\0\0\0\x01\x02", 8, 0x102},
		{"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12, INT64_MAX},
		{"\x80\0\0\0\x80\0\0\0\0\0\0\0", 12, -1},
		{"\x80\0\0\x01\0\0\0\0\0\0\0\0", 12, -1},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t v = -1;
		int r = tar_number(cases[i].field, cases[i].n, &v);
		if (cases[i].want < 0)
			assert_int_equal(r, -ERANGE);
		else
			assert_int_equal(r, 0);
		assert_true(v == cases[i].want);
	}
	int64_t v = 0;
	/* two's complement, for times before 1970 */
	assert_int_equal(tar_number("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", 12, &v), 0);
	assert_true(v == -2);
	assert_int_equal(tar_number("\xc0\0\0\0\0\0\0\0\0\0\0\0", 12, &v), -ERANGE);
}

static void test_names(void **state)
{
	(void)state;
	static const struct {
		const char *name, *want;
	} cases[] = {
		{"a", "a"}, {"./a/", "a"}, {"a//b/./c", "a/b/c"}, {".", ""}, {"./", ""}, {"/", ""},
		{"...", "..."}, {"a/..b", "a/..b"}, {"/a", NULL}, {"//a", NULL}, {"..", NULL},
		{"a/..", NULL}, {"a/../b", NULL}, {"a/b/c/d/e/f", NULL}, /* deeper than 5 */
	};
	char got[TAR_PATH_MAX + 1];
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = {0};
		int r = place_clean(cases[i].name, 5, got, &err);
		if (cases[i].want) {
			assert_int_equal(r, 0);
			assert_string_equal(got, cases[i].want);
		} else {
			assert_true(r == -EPERM || r == -ENAMETOOLONG);
			assert_true(strlen(err.msg) > 0);
		}
	}
}

static void test_owners(void **state)
{
	(void)state;
	static const uint32_t ids[] = {0, 1, 127, 128, 1000, 65534, 16777216, TAR_ID_MAX};
	unsigned char b[12];
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		for (size_t j = 0; j < ARRAY_LEN(ids); j++) {
			uint32_t uid = 7, gid = 7;
			size_t n = attr_owner_put(b, ids[i], ids[j]);
			assert_true(n <= sizeof(b));
			assert_true(attr_owner_get(b, n, &uid, &gid));
			assert_int_equal(uid, ids[i]);
			assert_int_equal(gid, ids[j]);
		}
	/* the protobuf of the rootlesscontainers project for 1000:5 */
	assert_int_equal(attr_owner_put(b, 1000, 5), 5);
	assert_memory_equal(b, "\x08\xe8\x07\x10\x05", 5);
	uint32_t uid, gid;
	assert_false(attr_owner_get((const unsigned char *)"\x08", 1, &uid, &gid));
	assert_false(
		attr_owner_get((const unsigned char *)"\x08\xff\xff\xff\xff\xff", 6, &uid, &gid));
	assert_false(attr_owner_get((const unsigned char *)"\x18\x01", 2, &uid, &gid));
	assert_false(
		attr_owner_get((const unsigned char *)"\x08\xff\xff\xff\xff\x1f", 6, &uid, &gid));
	/* as umoci writes it, where only the group is somebody's */
	assert_true(attr_owner_get(
		(const unsigned char *)"\x08\xff\xff\xff\xff\x0f\x10\x2a", 8, &uid, &gid));
	assert_true(uid == ATTR_ID_NOOP && gid == 42);
}

/* The text in which one process tells another whose links are. */
static void test_link_owners(void **state)
{
	static const char good[] = "1 2 777 a/b\0"
				   "4294967295 0 4620 a\0"
				   "3 4 777 a/b\0"
				   "5 6 777 with a space";
	static const char *const bad[] = {"", "1 2 777", "1 2 777 ", "1 2 8 a", "1  2 777 a",
		"-1 2 777 a", "1 4294967296 777 a", "1 2 10000 a", "x"};
	struct link_owners *l;
	struct link_owner o = {0};
	(void)state;
	assert_int_equal(link_owners_parse(good, sizeof(good), &l, NULL), 0);
	assert_true(link_owners_find(l, "a/b", &o)); /* the last one counts */
	assert_int_equal(o.uid, 3);
	assert_int_equal(o.gid, 4);
	assert_true(link_owners_find(l, "a", &o));
	assert_int_equal(o.uid, UINT32_MAX);
	assert_int_equal(o.mode, 04620);
	assert_true(link_owners_find(l, "with a space", &o));
	assert_false(link_owners_find(l, "b", &o));
	link_owners_free(l);
	/* not ended */
	assert_int_equal(link_owners_parse(good, sizeof(good) - 1, &l, NULL), -EBADMSG);
	assert_int_equal(link_owners_parse("", 0, &l, NULL), 0);
	assert_false(link_owners_find(l, "a", &o));
	link_owners_free(l);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(link_owners_parse(bad[i], strlen(bad[i]) + 1, &l, NULL), -EBADMSG);
}

static void test_disk_mode(void **state)
{
	(void)state;
	assert_int_equal(attr_disk_mode(06755, false), 0755);
	assert_int_equal(attr_disk_mode(01644, false), 0644);
	assert_int_equal(attr_disk_mode(0, false), 0400);
	assert_int_equal(attr_disk_mode(02050, true), 0750);
	assert_int_equal(attr_disk_mode(01777, true), 01777);
}

struct bytes {
	const char *p;
	size_t n;
};

static int fill(void *ctx, const unsigned char **ret, size_t *ret_n, struct err *err _unused_)
{
	struct bytes *b = ctx;
	*ret = (const unsigned char *)b->p;
	*ret_n = b->n;
	b->p += b->n;
	b->n = 0;
	return 0;
}

static void check_back(const struct tar_entry *want)
{
	struct tar_out out = {0};
	struct err err = {0};
	struct tar_entry got;
	assert_int_equal(tar_put(&out, want, &err), 0);
	struct bytes b = {out.data, out.n};
	struct tar *t = tar_new(&(struct tar_ops){.fill = fill, .ctx = &b});
	assert_non_null(t);
	assert_int_equal(tar_next(t, &got, &err), 1);
	assert_string_equal(got.path, want->path);
	assert_string_equal(got.link, want->link ? want->link : "");
	assert_int_equal(got.type, want->type);
	assert_int_equal(got.mode, want->mode);
	assert_int_equal(got.uid, want->uid);
	assert_int_equal(got.gid, want->gid);
	assert_true(got.size == want->size);
	assert_true(got.mtime == want->mtime);
	assert_int_equal(got.mtime_ns, want->mtime_ns);
	assert_int_equal(got.major, want->major);
	assert_int_equal(got.minor, want->minor);
	assert_int_equal(got.n_xattrs, want->n_xattrs);
	for (size_t i = 0; i < got.n_xattrs; i++) {
		assert_string_equal(got.xattrs[i].name, want->xattrs[i].name);
		assert_int_equal(got.xattrs[i].n, want->xattrs[i].n);
		assert_memory_equal(got.xattrs[i].value, want->xattrs[i].value, got.xattrs[i].n);
	}
	tar_free(t);
	free(out.data);
}

/* What is written is read as the same. */
static void test_headers(void **state)
{
	(void)state;
	const struct tar_xattr x[] = {{"user.a", "b\0\n=c", 5}, {"security.capability", "", 0}};
	char name[TAR_PATH_MAX + 1];
	for (size_t n = 1; n <= TAR_PATH_MAX; n += n < 300 ? 1 : 13) {
		for (size_t i = 0; i < n; i++)
			name[i] = i % 90 == 89 && i != n - 1 ? '/' : 'x';
		name[n] = 0;
		check_back(&(struct tar_entry){.type = TAR_FILE, .path = name, .mode = 0644});
		check_back(&(struct tar_entry){.type = TAR_SYMLINK, .path = name, .link = name});
		memset(name, 'y', n);
		check_back(&(struct tar_entry){.type = TAR_DIR, .path = name});
	}
	check_back(&(struct tar_entry){.type = TAR_FILE,
		.path = "\xff\n",
		.mode = 07777,
		.uid = 2097152,
		.gid = TAR_ID_MAX,
		.mtime = -1,
		.mtime_ns = 500000000,
		.size = 0,
		.xattrs = x,
		.n_xattrs = 2});
	check_back(
		&(struct tar_entry){.type = TAR_BLK, .path = "b", .major = 259, .minor = 2097151});
	check_back(&(struct tar_entry){.type = TAR_FIFO, .path = "p", .mtime = 1, .mtime_ns = 1});
	check_back(&(struct tar_entry){.type = TAR_FIFO, .path = "p", .mtime = -5});
	check_back(&(struct tar_entry){
		.type = TAR_FIFO, .path = "p", .mtime = INT64_C(1) << 40, .mtime_ns = 10});
}

struct told {
	char text[4096];
	size_t n;
};

static int on_bytes(void *ctx, const void *data, size_t n, struct err *err _unused_)
{
	struct told *t = ctx;
	if (t->n + n > sizeof(t->text))
		return -EFBIG;
	memcpy(t->text + t->n, data, n);
	t->n += n;
	return 0;
}

static int on_content(void *ctx, const char *path, uint64_t offset, uint64_t n, struct err *err)
{
	char text[256];
	int k = snprintf(text, sizeof(text), "[%s %llu %llu]", path, (unsigned long long)offset,
		(unsigned long long)n);
	return on_bytes(ctx, text, (size_t)k, err);
}

/* A name means what it meant then: what was replaced is where it was moved to. */
static void test_frame(void **state)
{
	(void)state;
	char block[TAR_BLOCK];
	struct told told = {.n = 0};
	struct err err = {0};
	int fd = memfd_create("frame", MFD_CLOEXEC);
	struct frame_out *f = frame_begin(fd, &err);
	assert_non_null(f);
	memset(block, 'a', sizeof(block));
	assert_int_equal(frame_bytes(f, block, sizeof(block), &err), 0);
	assert_int_equal(frame_content(f, "d/x", 0, 5, &err), 0);
	assert_int_equal(frame_bytes(f, "rest", 4, &err), 0);
	assert_int_equal(frame_kept(f, "d", "0", &err), 0);
	assert_int_equal(frame_content(f, "d", 10, 6, &err), 0);
	assert_int_equal(frame_content(f, "d", 20, 7, &err), 0);
	assert_int_equal(frame_content(f, "dd", 0, 7, &err), 0);
	assert_int_equal(frame_kept(f, "d", "1", &err), 0);
	block[100] = 'b';
	assert_int_equal(frame_bytes(f, block, sizeof(block), &err), 0);
	assert_int_equal(frame_content(f, "d", 0, 8, &err), 0);
	assert_int_equal(frame_bytes(f, "\0\0\0", 3, &err), 0);
	assert_int_equal(frame_end(f, &err), 0);
	frame_free(f);
	assert_int_equal(frame_read(fd, &(struct frame_ops){on_bytes, on_content, &told}, &err), 0);
	const char want[] = "[kept/0/x 0 5]rest[kept/1 10 6][kept/1 20 7][fs/dd 0 7]";
	assert_int_equal(told.n, 2 * TAR_BLOCK + strlen(want) + strlen("[fs/d 0 8]") + 3);
	assert_memory_equal(told.text + TAR_BLOCK, want, strlen(want));
	assert_memory_equal(told.text + TAR_BLOCK + strlen(want), block, sizeof(block));
	assert_memory_equal(told.text + told.n - 13, "[fs/d 0 8]\0\0\0", 13);
	close(fd);
}

static int try_open(int dir, const char *path, int flags)
{
	int fd = place_open(dir, path, flags, flags & O_CREAT ? 0600 : 0);
	if (fd >= 0)
		close(fd);
	return fd;
}

_unused_ static void in_jail(int mine, int other)
{
	struct err err = {0};
	int dirs[] = {mine, other};
	CHECK(hash_init(&err) == 0);
	CHECK(layer_jail(dirs, 2, true, 1 << 20, &err) == 0);
	CHECK(try_open(mine, "new", O_WRONLY | O_CREAT | O_EXCL) >= 0);
	CHECK(mknodat(mine, "white", S_IFCHR, 0) == 0);
	CHECK(mknodat(mine, "fifo", S_IFIFO | 0600, 0) == 0);
	CHECK(mkdirat(mine, "d", 0700) == 0 && linkat(mine, "new", mine, "d/l", 0) == 0);
	CHECK(try_open(other, "", O_RDONLY | O_DIRECTORY) >= 0);
	CHECK(try_open(other, "new", O_WRONLY | O_CREAT | O_EXCL) == -EACCES);
	CHECK(mkdirat(other, "d", 0700) < 0 && errno == EACCES);
	CHECK(linkat(mine, "new", other, "l", 0) < 0);
	CHECK(syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", &(struct open_how){.flags = O_RDONLY},
		      sizeof(struct open_how)) < 0 &&
		errno == EACCES);
	CHECK(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY) < 0 && errno == EPERM);
	CHECK(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM);
	CHECK(syscall(SYS_execveat, mine, "new", NULL, NULL, 0) < 0 && errno == EPERM);
	CHECK(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) < 0 && errno == EPERM);
	CHECK(syscall(SYS_kill, 1, 0) < 0 && errno == EPERM);
	_exit(0);
}

static void test_jail(void **state)
{
#ifdef BAWN_ASAN
	(void)state;
	skip(); /* the jail is left out of such a build in part */
#else
	char top[] = "/tmp/test-layer.XXXXXX";
	int status = -1, mine, other;
	(void)state;
	assert_non_null(mkdtemp(top));
	assert_int_equal(chdir(top), 0);
	assert_true(mkdir("mine", 0700) == 0 && mkdir("other", 0700) == 0);
	mine = open("mine", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	other = open("other", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid = fork();
	if (pid == 0)
		in_jail(mine, other);
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(mine);
	close(other);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(tree_remove(AT_FDCWD, top, NULL), 0);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_link_owners),
		cmocka_unit_test(test_disk_mode),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_jail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
