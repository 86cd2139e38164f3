/* tests/unit/test-stack.c - layers as overlayfs would stack them, without a mount. */
#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/path.h"
#include "base/tree.h"
#include "host/stack-int.h"

struct world {
	char dir[PATH_MAX];
	struct arena a;
	struct host_stack s; /* layers "top", "mid", "low" */
	struct err err;
};

static char *with_parents(struct world *w, const char *rel)
{
	char *p = path_join(&w->a, w->dir, rel), *slash = strrchr(p, '/');
	*slash = '\0';
	assert_int_equal(file_mkdir_p(AT_FDCWD, p, 0755), 0);
	*slash = '/';
	return p;
}

static void put(struct world *w, const char *rel, const char *text)
{
	FILE *f = fopen(with_parents(w, rel), "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void ln(struct world *w, const char *target, const char *rel)
{
	assert_int_equal(symlink(target, with_parents(w, rel)), 0);
}

static void whiteout(struct world *w, const char *rel)
{
	assert_int_equal(mknod(with_parents(w, rel), S_IFCHR, 0), 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char tmp[] = "/tmp/bawn-test-stack-XXXXXX";
	static const char *const layers[] = {"top", "mid", "low"};
	*state = w;
	if (!w || !mkdtemp(tmp) || !realpath(tmp, w->dir))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
		char *p = path_join(&w->a, w->dir, layers[i]);
		if (mkdir(p, 0755) < 0)
			return -1;
		strv_push(&w->a, &w->s.dirs, p);
	}
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	tree_remove(AT_FDCWD, w->dir, NULL);
	arena_free(&w->a);
	free(w);
	return 0;
}

/* The text at path; the name of the error. */
static const char *found(struct world *w, const struct host_stack *s, const char *path)
{
	struct host_stack_found f;
	char *text = NULL;
	int r = host_stack_find(&w->a, s, path, &f);
	if (r == 0 && S_ISDIR(f.st.st_mode))
		return arena_printf(&w->a, "dir %s", f.path);
	ssize_t n = r < 0 ? r : host_stack_read(&w->a, &f, 100, &text);
	return n < 0 ? strerrorname_np((int)-n) : text;
}

/* The same, whatever is remembered of how many layers. */
static const char *at(struct world *w, const char *path)
{
	const char *plain = found(w, &w->s, path);
	const int fd = open(w->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t fixed = 1; fixed <= w->s.dirs.n; fixed++) {
		const struct host_stack s = {
			w->s.dirs, fixed, host_stack_know(&w->a, fixed > 1 ? w->dir : NULL, fd)};
		assert_string_equal(found(w, &s, path), plain);
		assert_string_equal(found(w, &s, path), plain);
		/* and what a later start recalls */
		void *data = NULL;
		size_t n = 0;
		const int r = host_stack_keep(s.known, fixed, &data, &n);
		assert_true(r == 0 || (r == -ENODATA && plain && !s.known->n));
		if (r < 0)
			continue;
		const struct host_stack later = {
			w->s.dirs, fixed, host_stack_know(&w->a, NULL, -1)};
		assert_int_equal(host_stack_recall(later.known, &later.dirs, fixed, data, n), 0);
		assert_int_equal(later.known->n, s.known->n);
		assert_string_equal(found(w, &later, path), plain);
		assert_int_equal(later.known->n, s.known->n);
		free(data);
	}
	close(fd);
	return plain;
}

static void test_layers(void **state)
{
	struct world *w = *state;
	put(w, "low/etc/a", "low a");
	put(w, "low/etc/b", "low b");
	put(w, "mid/etc/a", "mid a");
	put(w, "top/etc/c", "top c");
	assert_string_equal(at(w, "/etc/a"), "mid a");
	assert_string_equal(at(w, "/etc/b"), "low b");
	assert_string_equal(at(w, "//etc/./c"), "top c");
	assert_string_equal(at(w, "/etc"), "dir /etc");
	assert_string_equal(at(w, "/"), "dir ");
	assert_string_equal(at(w, "/etc/d"), "ENOENT");
	assert_string_equal(at(w, "/etc/a/x"), "ENOTDIR");
	assert_string_equal(at(w, "/nothing/x"), "ENOENT");
	whiteout(w, "top/etc/a");
	whiteout(w, "top/gone");
	put(w, "low/gone/x", "x");
	assert_string_equal(at(w, "/etc/a"), "ENOENT");
	assert_string_equal(at(w, "/gone/x"), "ENOENT");
}

static void test_what_hides(void **state)
{
	struct world *w = *state;
	put(w, "low/d/x", "low");
	put(w, "low/f/x", "low");
	put(w, "mid/f", "a file where a directory was");
	put(w, "low/g", "a file below a directory");
	put(w, "top/g/y", "y");
	assert_string_equal(at(w, "/f"), "a file where a directory was");
	assert_string_equal(at(w, "/f/x"), "ENOTDIR");
	assert_string_equal(at(w, "/g"), "dir /g");
	put(w, "top/f/z", "z"); /* a directory again: not the one of long ago */
	assert_string_equal(at(w, "/f/z"), "z");
	assert_string_equal(at(w, "/f/x"), "ENOENT");
	put(w, "mid/d/y", "mid");
	assert_string_equal(at(w, "/d/x"), "low");
	if (setxattr(path_join(&w->a, w->dir, "mid/d"), "user.overlay.opaque", "y", 1, 0) < 0)
		skip(); /* a tmpfs before Linux 6.6 */
	assert_string_equal(at(w, "/d/x"), "ENOENT");
	assert_string_equal(at(w, "/d/y"), "mid");
}

static void test_links(void **state)
{
	struct world *w = *state;
	put(w, "low/usr/bin/tool", "tool");
	ln(w, "usr/bin", "low/bin");
	ln(w, "/bin/../bin/./tool", "top/usr/alias");
	ln(w, "alias", "mid/usr/again");
	ln(w, "../../../../../usr", "top/opt/up");
	assert_string_equal(at(w, "/bin/tool"), "tool");
	assert_string_equal(at(w, "/usr/again"), "tool");
	assert_string_equal(at(w, "/opt/up/bin/tool"), "tool");
	assert_string_equal(at(w, "/opt/up/../bin/tool"), "tool");
	ln(w, "loop2", "top/loop1");
	ln(w, "/loop1", "mid/loop2");
	assert_string_equal(at(w, "/loop1"), "ELOOP");
	ln(w, "x/../self", "top/self");
	assert_string_equal(at(w, "/self"), "ENOENT");
}

/* What a link leads to is looked for inside, and never opened through a link. */
static void test_links_of_a_stranger(void **state)
{
	struct world *w = *state;
	put(w, "secret", "of the host");
	char *secret = path_join(&w->a, w->dir, "secret");
	ln(w, secret, "top/etc/passwd");
	ln(w, "../../secret", "top/etc/group");
	ln(w, w->dir, "top/dir");
	assert_string_equal(at(w, "/etc/passwd"), "ENOENT");
	assert_string_equal(at(w, "/etc/group"), "ENOENT");
	assert_string_equal(at(w, "/dir/secret"), "ENOENT");
	/* nor when it is swapped for one between the look and the opening */
	char *text = NULL;
	static char through_dir[] = "/dir/secret", itself[] = "/etc/passwd", up[] = "/../secret";
	struct host_stack_found f = {.path = through_dir, .dir = w->s.dirs.v[0]};
	assert_int_equal(host_stack_read(&w->a, &f, 100, &text), -ELOOP);
	f.path = itself;
	assert_int_equal(host_stack_read(&w->a, &f, 100, &text), -ELOOP);
	f.path = up;
	assert_int_equal(host_stack_read(&w->a, &f, 100, &text), -EXDEV);
	assert_null(text);
}

static void test_places(void **state)
{
	struct world *w = *state;
	put(w, "low/etc/pki/certs/a", "a");
	ln(w, "../pki/certs", "low/etc/ssl/certs");
	put(w, "mid/etc/file", "f");
	assert_string_equal(host_stack_place(&w->a, &w->s, "/etc/ssl/certs/b"), "/etc/pki/certs/b");
	assert_string_equal(
		host_stack_place(&w->a, &w->s, "/etc/ssl/certs/x/y/b"), "/etc/pki/certs/x/y/b");
	assert_string_equal(host_stack_place(&w->a, &w->s, "/new/x"), "/new/x");
	assert_string_equal(host_stack_place(&w->a, &w->s, "/x"), "/x");
	assert_null(host_stack_place(&w->a, &w->s, "/etc/file/x"));
	ln(w, w->dir, "top/away"); /* out of here, and so nowhere inside */
	assert_string_equal(host_stack_place(&w->a, &w->s, "/away/x"), "/away/x");
}

static void test_odd_files(void **state)
{
	struct world *w = *state;
	char long_path[PATH_MAX + 10];
	put(w, "low/big",
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789");
	assert_string_equal(at(w, "/big"), "EFBIG");
	assert_int_equal(mkfifo(with_parents(w, "low/fifo"), 0644), 0);
	assert_string_equal(at(w, "/fifo"), "EINVAL");
	memset(long_path, 'a', sizeof(long_path));
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	assert_string_equal(at(w, long_path), "ENAMETOOLONG");
	const struct host_stack none = {0};
	struct host_stack_found f;
	assert_int_equal(host_stack_find(&w->a, &none, "/", &f), -ENOENT);
}

/* Of the layers that nobody changes all is looked at once, of the others each time. */
static void test_what_is_known(void **state)
{
	struct world *w = *state;
	const struct host_stack s = {w->s.dirs, 2, host_stack_know(&w->a, NULL, -1)};
	struct host_stack lower = {.n_fixed = 2, .known = s.known};
	put(w, "low/etc/a", "a");
	put(w, "mid/etc/b", "b");
	assert_string_equal(found(w, &s, "/etc/a"), "a");
	assert_string_equal(found(w, &s, "/etc/c"), "ENOENT");
	put(w, "mid/etc/a", "new a");
	put(w, "low/etc/c", "c");
	assert_string_equal(found(w, &s, "/etc/a"), "a");
	assert_string_equal(found(w, &s, "/etc/c"), "ENOENT");
	assert_string_equal(found(w, &w->s, "/etc/c"), "c");
	put(w, "top/etc/c", "top c");
	assert_string_equal(found(w, &s, "/etc/c"), "top c");
	whiteout(w, "top/etc/a");
	assert_string_equal(found(w, &s, "/etc/a"), "ENOENT");
	/* another stack that ends with them */
	for (size_t i = 1; i < w->s.dirs.n; i++)
		strv_push(&w->a, &lower.dirs, w->s.dirs.v[i]);
	assert_string_equal(found(w, &lower, "/etc/a"), "a");
	assert_string_equal(found(w, &lower, "/etc/c"), "ENOENT");
	assert_string_equal(found(w, &lower, "/etc/b"), "b");
}

/* More names than are remembered. */
static void test_many_names(void **state)
{
	struct world *w = *state;
	const struct host_stack s = {w->s.dirs, 3, host_stack_know(&w->a, NULL, -1)};
	char path[40];
	put(w, "low/d/1999", "last");
	for (int i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "/d/%d", i);
		assert_string_equal(found(w, &s, path), i < 1999 ? "ENOENT" : "last");
	}
	assert_string_equal(found(w, &s, "/d/1999"), "last");
}

/* What is recalled isn't looked for: the layers may be away.  What is not as it was written is not
 * believed, nothing of it. */
static void test_recalled(void **state)
{
	struct world *w = *state;
	struct host_stack_found f;
	void *data = NULL;
	size_t n = 0;
	put(w, "low/etc/a", "low a");
	put(w, "mid/etc/b", "mid b");
	whiteout(w, "top/etc/c");
	put(w, "low/etc/c", "low c");
	const size_t fixed = w->s.dirs.n;
	const struct host_stack s = {w->s.dirs, fixed, host_stack_know(&w->a, NULL, -1)};
	assert_int_equal(host_stack_keep(s.known, fixed, &data, &n), -ENODATA);
	assert_int_equal(host_stack_find(&w->a, &s, "/etc/a", &f), 0);
	assert_int_equal(host_stack_find(&w->a, &s, "/etc/b", &f), 0);
	assert_int_equal(host_stack_find(&w->a, &s, "/etc/c", &f), -ENOENT);
	assert_int_equal(host_stack_keep(s.known, fixed, &data, &n), 0);
	assert_int_equal(rename(w->dir, arena_printf(&w->a, "%s.away", w->dir)), 0);
	const struct host_stack later = {w->s.dirs, fixed, host_stack_know(&w->a, NULL, -1)};
	assert_int_equal(host_stack_recall(later.known, &later.dirs, fixed, data, n), 0);
	assert_int_equal(host_stack_find(&w->a, &later, "/etc/a", &f), 0);
	assert_true(S_ISREG(f.st.st_mode) && f.st.st_size == 5);
	assert_string_equal(f.dir, w->s.dirs.v[fixed - 1]);
	assert_int_equal(host_stack_find(&w->a, &later, "/etc/b", &f), 0);
	assert_int_equal(host_stack_find(&w->a, &later, "/etc/c", &f), -ENOENT);
	assert_int_equal(host_stack_find(&w->a, &later, "/etc/new", &f), -ENOENT);
	assert_int_equal(rename(arena_printf(&w->a, "%s.away", w->dir), w->dir), 0);
	/* one more name to keep, and all that was recalled */
	void *more = NULL;
	size_t n_more = 0;
	assert_int_equal(host_stack_keep(later.known, fixed, &more, &n_more), 0);
	assert_true(n_more > n);
	free(more);

	struct host_stack_known *k = host_stack_know(&w->a, NULL, -1);
	assert_int_equal(host_stack_recall(k, &w->s.dirs, fixed - 1, data, n), -EBADMSG);
	for (size_t cut = 0; cut < n; cut++) {
		assert_int_equal(host_stack_recall(k, &w->s.dirs, fixed, data, cut), -EBADMSG);
		assert_int_equal(k->n, 0);
	}
	for (size_t i = 0; i < n; i++) {
		((char *)data)[i] ^= 1;
		assert_int_equal(host_stack_recall(k, &w->s.dirs, fixed, data, n), -EBADMSG);
		assert_int_equal(k->n, 0);
		((char *)data)[i] ^= 1;
	}
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_layers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_hides, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links_of_a_stranger, setup, teardown),
		cmocka_unit_test_setup_teardown(test_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recalled, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
