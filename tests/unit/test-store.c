/* unit tests of the store room: CFG-14, CFG-15, leftovers */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/tree.h"
#include "store/store.h"

static char home[] = "/tmp/bawn-test-store-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	unsetenv("XDG_DATA_HOME");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_CACHE_HOME");
	return mkdtemp(home) ? setenv("HOME", home, 1) : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return tree_remove(AT_FDCWD, home, NULL);
}

static void boxes_come_and_go(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	struct store s = STORE_NONE;
	struct store_box b = STORE_BOX_NONE, c = STORE_BOX_NONE;
	assert_int_equal(store_open(&a, &s, &err), 0);
	assert_int_equal(
		store_box_create(&s, &a, "claude", "/home/u/My Repo\n", home, &b, &err), 0);
	assert_int_equal(strncmp(b.id, "claude-my_repo_-", 16), 0);
	assert_int_equal(
		store_box_create(&s, &a, "claude", "/home/u/My Repo\n", home, &c, &err), 0);
	assert_string_not_equal(b.id, c.id);
	assert_int_equal(store_collect(&s, &err), 0); /* both live */
	assert_int_equal(access(b.dir, F_OK), 0);
	assert_int_equal(store_box_remove(&b, &err), 0);
	assert_int_equal(store_box_remove(&c, &err), 0);
	store_close(&s);
	arena_free(&a);
}

static void leftovers_of_the_killed_are_collected(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	struct store s = STORE_NONE;
	struct store_box b = STORE_BOX_NONE;
	pid_t pid = fork();
	if (pid == 0) {
		_exit(store_open(&a, &s, &err) < 0 ||
			store_box_create(&s, &a, "x", "/w", home, &b, &err) < 0);
	}
	int st;
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	assert_int_equal(store_open(&a, &s, &err), 0);
	assert_int_equal(store_collect(&s, &err), 1);
	assert_int_equal(store_collect(&s, &err), 0);
	store_close(&s);
	arena_free(&a);
}

static void untrusted_directories_are_refused(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	struct store s = STORE_NONE;
	char dir[256];
	snprintf(dir, sizeof(dir), "%s/.local/share/bawn/sandboxes", home);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(store_open(&a, &s, &err), -EPERM);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(setenv("HOME", "relative", 1), 0);
	assert_int_equal(store_open(&a, &s, &err), -EINVAL);
	assert_int_equal(unsetenv("HOME"), 0);
	assert_int_equal(store_open(&a, &s, &err), -EINVAL);
	setenv("HOME", home, 1);
	arena_free(&a);
}

/* A directory that nothing was left in is taken again; one that anything was left in is not. */
static void an_untouched_directory_is_taken_again(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	struct store s = STORE_NONE;
	struct store_box b = STORE_BOX_NONE;
	char ws[256], path[400];
	struct stat first, again;
	snprintf(ws, sizeof(ws), "%s/src/w", home);
	assert_int_equal(store_open(&a, &s, &err), 0);
	assert_int_equal(store_box_create(&s, &a, "x", ws, home, &b, &err), 0);
	snprintf(path, sizeof(path), "%s/home/src/w", b.dir);
	assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0755), 0); /* as the mount point is made */
	snprintf(path, sizeof(path), "%s/home/src", b.dir);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(stat(b.dir, &first), 0);
	assert_int_equal(store_box_remove(&b, &err), 0);
	assert_int_equal(store_box_create(&s, &a, "x", ws, home, &b, &err), 0);
	assert_int_equal(stat(b.dir, &again), 0);
	assert_int_equal(first.st_ino, again.st_ino);
	/* Whatever is left behind, a file or a changed mode, must not reach the next run. */
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/home/%s", b.dir, i == 0 ? ".left" : "src");
		if (i == 0)
			assert_int_equal(
				file_write_atomic(AT_FDCWD, path, "x", 1, 0600, false, &err), 0);
		else if (i == 1)
			assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0700) | chmod(path, 0700), 0);
		else
			assert_int_equal(symlink("/etc", path), 0);
		assert_int_equal(store_box_remove(&b, &err), 0);
		assert_int_equal(store_box_create(&s, &a, "x", ws, home, &b, &err), 0);
		snprintf(path, sizeof(path), "%s/home/%s", b.dir, i == 0 ? ".left" : "src");
		assert_int_equal(access(path, F_OK), -1);
	}
	/* ... nor an attribute, where the file system has them */
	snprintf(path, sizeof(path), "%s/home", b.dir);
	if (setxattr(path, "user.left", "x", 1, 0) < 0)
		assert_int_equal(errno, ENOTSUP);
	assert_int_equal(store_box_remove(&b, &err), 0);
	assert_int_equal(store_box_create(&s, &a, "x", ws, home, &b, &err), 0);
	snprintf(path, sizeof(path), "%s/home", b.dir);
	assert_true(getxattr(path, "user.left", NULL, 0) < 0);
	assert_int_equal(store_box_remove(&b, &err), 0);
	store_close(&s);
	arena_free(&a);
}

/* A file or a tree goes, the directory that it was in is used again; also with a workspace that
 * does not lie in the home, or none. */
static void a_spare_is_emptied(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	struct store s = STORE_NONE;
	struct store_box b = STORE_BOX_NONE;
	char path[400];
	struct stat first, again;
	assert_int_equal(store_open(&a, &s, &err), 0);
	for (int i = 0; i < 3; i++) {
		const char *ws = i == 0 ? NULL : i == 1 ? "/srv/w" : "/srv/other";
		assert_int_equal(store_box_create(&s, &a, "x", ws, home, &b, &err), 0);
		assert_int_equal(stat(b.dir, i == 0 ? &first : &again), 0);
		assert_true(i == 0 || first.st_ino == again.st_ino);
		snprintf(path, sizeof(path), "%s/home/a/b", b.dir);
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0755), 0);
		snprintf(path, sizeof(path), "%s/git", b.dir);
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(file_write_atomic(AT_FDCWD, path, "x", 1, 0600, false, &err), 0);
		assert_int_equal(store_box_remove(&b, &err), 0);
	}
	store_close(&s);
	arena_free(&a);
}

/* Who left a spare directory may still hold its lock for a moment: the next start does not fail. */
static void a_spare_is_taken_before_its_lock_is_let_go(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	struct store s = STORE_NONE;
	struct store_box b = STORE_BOX_NONE, c = STORE_BOX_NONE;
	char ws[256], path[400];
	snprintf(ws, sizeof(ws), "%s/held", home);
	assert_int_equal(store_open(&a, &s, &err), 0);
	assert_int_equal(store_box_create(&s, &a, "x", ws, home, &b, &err), 0);
	snprintf(path, sizeof(path), "%s/home/held", b.dir);
	assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0755), 0);
	struct strv ways = {0};
	strv_push(&a, &ways, "up/x");
	store_box_ways(&b, &a, &ways);
	snprintf(path, sizeof(path), "%s/up/x", b.dir);
	assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0700), 0);
	int held = dup(b.lock);
	assert_true(held >= 0);
	assert_int_equal(store_box_remove(&b, &err), 0);
	assert_int_equal(store_box_create(&s, &a, "x", ws, home, &c, &err), 0);
	assert_int_equal(store_collect(&s, &err), 0); /* it lives */
	/* the mounts of that run may still be there: what they wrote to is none of ours */
	snprintf(path, sizeof(path), "%s/up", c.dir);
	assert_int_equal(access(path, F_OK), -1);
	close(held);
	assert_int_equal(store_collect(&s, &err), 0);
	assert_int_equal(access(c.dir, F_OK), 0);
	assert_int_equal(store_box_remove(&c, &err), 0);
	store_close(&s);
	arena_free(&a);
}

static void in_box(const struct store_box *b, const char *rel, char ret[static 600])
{
	snprintf(ret, 600, "%s/%s", b->dir, rel);
}

static bool box_has(const struct store_box *b, const char *rel)
{
	char path[600];
	in_box(b, rel, path);
	return access(path, F_OK) == 0;
}

/* What a run with a package cache makes: the places, and what the kernel makes for the overlay. */
static void mount_in_box(const struct store_box *b)
{
	static const char *const made[] = {"work/incompat/volatile", "work/incompat", "work"};
	char path[600], rel[200];
	in_box(b, "home/.npm", path);
	assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0755), 0);
	in_box(b, "home/.npm/cache", path);
	assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0755), 0);
	in_box(b, "up/tool-1", path);
	assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0700), 0);
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		snprintf(rel, sizeof(rel), "%s/tool-1/%s", b->work, made[i]);
		in_box(b, rel, path);
		assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0700), 0);
		assert_int_equal(chmod(path, i == 2 ? 0 : 0700), 0);
	}
}

/* The next start of the kind gets empty directories on the ways, and nothing that was left. */
static void ways_are_kept_and_nothing_else(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	struct store s = STORE_NONE;
	struct store_box b = STORE_BOX_NONE;
	struct strv ways = {0}, fewer = {0};
	struct stat first, again;
	char path[600], cmd[900], work[200];
	strv_push(&a, &ways, "home/.npm/cache");
	strv_push(&a, &ways, "up/tool-1");
	strv_push(&a, &ways, "home/../../x"); /* is none */
	strv_push(&a, &fewer, "up/tool-1");
	assert_int_equal(store_open(&a, &s, &err), 0);
	assert_int_equal(store_box_create(&s, &a, "x", "/srv/ways", home, &b, &err), 0);
	assert_int_equal(stat(b.dir, &first), 0);
	for (int i = 0; i < 6; i++) {
		static const char *const left[] = {"home/.npm/cache/f", "up/tool-1/f", "up/tool-2",
			"home/.npm/f", "home/f", "up/f"};
		store_box_ways(&b, &a, &ways);
		assert_int_equal(b.ways.n, 2);
		mount_in_box(&b);
		in_box(&b, left[i], path);
		assert_int_equal(file_write_atomic(AT_FDCWD, path, "x", 1, 0600, false, &err), 0);
		snprintf(work, sizeof(work), "%s/tool-1/work", b.work);
		assert_int_equal(store_box_remove(&b, &err), 0);
		/* by hand, as its owner, whatever the kernel has made */
		snprintf(cmd, sizeof(cmd),
			"cp -a '%s/.cache/bawn/spare' '%s/again' && rm -r '%s/again'", home, home,
			home);
		assert_int_equal(system(cmd), 0);
		assert_int_equal(store_box_create(&s, &a, "x", "/srv/ways", home, &b, &err), 0);
		assert_int_equal(stat(b.dir, &again), 0);
		assert_int_equal(first.st_ino, again.st_ino);
		assert_false(box_has(&b, left[i]));
		assert_true(box_has(&b, "home/.npm/cache") && box_has(&b, "up/tool-1"));
		assert_true(box_has(&b, work));
		store_box_sweep(&b);
		*strchr(work, '/') = '\0';
		for (int ms = 0; ms < 5000 && box_has(&b, work); ms++)
			poll(NULL, 0, 1); /* a thread is at it */
		assert_false(box_has(&b, work));
	}
	/* what nothing is mounted on this time isn't there */
	store_box_ways(&b, &a, &fewer);
	assert_true(box_has(&b, "up/tool-1") && box_has(&b, "home"));
	assert_false(box_has(&b, "home/.npm"));
	assert_int_equal(store_box_remove(&b, &err), 0);
	store_close(&s);
	arena_free(&a);
}

/* Where the private copy of git's configuration was: one empty directory, or none. */
static void the_place_of_gits_copy_is_kept_empty(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	struct store s = STORE_NONE;
	struct store_box b = STORE_BOX_NONE;
	char path[600];
	assert_int_equal(store_open(&a, &s, &err), 0);
	assert_int_equal(store_box_create(&s, &a, "x", "/srv/gits", home, &b, &err), 0);
	static const char *const left[] = {"git/0/config", "git/0/hooks/x", "git/1/config",
		"git/config", "git-base-0", "git/0/mode", "git/mode"};
	for (size_t i = 0; i < ARRAY_LEN(left); i++) {
		const bool mode = streq(path_base(left[i]), "mode");
		in_box(&b, left[i], path);
		if (strchr(left[i], '/')) {
			*strrchr(path, '/') = '\0';
			assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0700), 0);
			if (mode)
				assert_int_equal(chmod(path, 0755), 0);
			in_box(&b, left[i], path);
		}
		if (!mode)
			assert_int_equal(
				file_write_atomic(AT_FDCWD, path, "x", 1, 0600, false, &err), 0);
		assert_int_equal(store_box_remove(&b, &err), 0);
		assert_int_equal(store_box_create(&s, &a, "x", "/srv/gits", home, &b, &err), 0);
		assert_true(b.taken);
		assert_false(
			box_has(&b, left[i]) || box_has(&b, "git/0/hooks") || box_has(&b, "git/1"));
		assert_int_equal(box_has(&b, "git/0"), i < 5);
	}
	/* what is put there while nobody has it is not taken */
	in_box(&b, "git/0", path);
	assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0700), 0);
	assert_int_equal(store_box_remove(&b, &err), 0);
	assert_int_equal(store_box_create(&s, &a, "x", "/srv/gits", home, &b, &err), 0);
	assert_true(b.taken);
	snprintf(path, sizeof(path), "%s/git/0/config", b.spare);
	assert_int_equal(store_box_remove(&b, &err), 0);
	assert_int_equal(file_write_atomic(AT_FDCWD, path, "x", 1, 0600, false, &err), 0);
	assert_int_equal(store_box_create(&s, &a, "x", "/srv/gits", home, &b, &err), 0);
	assert_false(b.taken || box_has(&b, "git"));
	assert_int_equal(store_box_remove(&b, &err), 0);
	store_close(&s);
	arena_free(&a);
}

static unsigned int works_in(const char *dir)
{
	unsigned int n = 0;
	DIR *d = opendir(dir);
	assert_non_null(d);
	for (struct dirent *de; (de = readdir(d));)
		n += has_prefix(de->d_name, "work.");
	closedir(d);
	return n;
}

/* A run that is over before its thread has removed one leaves fewer than it found, all the same, if
 * there are many; and what no overlay leaves goes, too. */
static void working_directories_do_not_pile_up(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	struct store s = STORE_NONE;
	struct store_box b = STORE_BOX_NONE;
	char path[600], rel[100], dir[600];
	assert_int_equal(store_open(&a, &s, &err), 0);
	assert_int_equal(store_box_create(&s, &a, "x", "/srv/piles", home, &b, &err), 0);
	for (int i = 0; i < 300; i++) {
		static const char *const parts[] = {
			"tool-1/work/incompat/volatile", "tool-2/work", "odd/deeper"};
		for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
			snprintf(rel, sizeof(rel), "work.%06x/%s", (unsigned int)i, parts[k]);
			in_box(&b, rel, path);
			assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0700), 0);
		}
	}
	assert_int_equal(store_box_remove(&b, &err), 0);
	assert_int_equal(store_box_create(&s, &a, "x", "/srv/piles", home, &b, &err), 0);
	assert_int_equal(works_in(b.dir), 300);
	snprintf(dir, sizeof(dir), "%s", b.spare);
	store_box_sweep(&b);
	assert_int_equal(store_box_remove(&b, &err), 0);
	assert_true(works_in(dir) <= 298);
	for (int ms = 0; ms < 5000 && works_in(dir) > 0; ms++)
		poll(NULL, 0, 1);
	assert_int_equal(works_in(dir), 0);
	store_close(&s);
	arena_free(&a);
}

/* A mode, an attribute, a link, or a list that leads elsewhere: nothing of it is taken. */
static void ways_that_are_none_are_not_taken(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	struct store s = STORE_NONE;
	struct store_box b = STORE_BOX_NONE;
	struct strv ways = {0};
	char path[600], to[600];
	strv_push(&a, &ways, "home/.npm/cache");
	strv_push(&a, &ways, "up/tool-1");
	snprintf(to, sizeof(to), "%s/elsewhere", home);
	assert_int_equal(mkdir(to, 0755), 0);
	assert_int_equal(store_open(&a, &s, &err), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(store_box_create(&s, &a, "x", "/srv/none", home, &b, &err), 0);
		store_box_ways(&b, &a, &ways);
		mount_in_box(&b);
		in_box(&b, i == 3 ? "home/.npm/cache" : "up/tool-1", path);
		if (i == 0)
			assert_int_equal(chmod(path, 0777), 0);
		else if (i == 1 && setxattr(path, "user.left", "x", 1, 0) < 0)
			assert_int_equal(errno, ENOTSUP);
		else if (i > 1)
			assert_int_equal(rmdir(path) | symlink(to, path), 0);
		assert_int_equal(store_box_remove(&b, &err), 0);
		assert_int_equal(store_box_create(&s, &a, "x", "/srv/none", home, &b, &err), 0);
		struct stat st;
		in_box(&b, i == 3 ? "home/.npm/cache" : "up/tool-1", path);
		if (lstat(path, &st) == 0) {
			assert_int_equal(st.st_mode, S_IFDIR | 0700);
			assert_true(getxattr(path, "user.left", NULL, 0) < 0);
		}
		assert_int_equal(store_box_remove(&b, &err), 0);
		assert_int_equal(access(to, F_OK), 0);
	}
	static const char *const lists[] = {
		"home/../../elsewhere\n", "/etc\n", "home//x\n", "seed\n", "up/./x\n"};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		assert_int_equal(store_box_create(&s, &a, "x", "/srv/none", home, &b, &err), 0);
		const char *spare = b.spare;
		assert_int_equal(store_box_remove(&b, &err), 0);
		snprintf(path, sizeof(path), "%s/ways", spare);
		assert_int_equal(file_write_atomic(AT_FDCWD, path, lists[i], strlen(lists[i]), 0600,
					 false, &err),
			0);
		assert_int_equal(store_box_create(&s, &a, "x", "/srv/none", home, &b, &err), 0);
		assert_int_equal(b.ways.n, 0);
		assert_false(b.taken);
		assert_int_equal(store_box_remove(&b, &err), 0);
	}
	assert_int_equal(access(to, F_OK), 0);
	store_close(&s);
	arena_free(&a);
}

/* A run removes its directory while another takes it for a leftover. */
static void two_may_remove_the_same_tree(void **state)
{
	(void)state;
	char dir[256], path[300];
	struct err err = {0};
	snprintf(dir, sizeof(dir), "%s/twice", home);
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 8; i++) {
			snprintf(path, sizeof(path), "%s/%d/x/y", dir, i);
			assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0700), 0);
		}
		int go[2], status;
		char c;
		assert_int_equal(pipe(go), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			close(go[1]);
			_exit(read(go[0], &c, 1) != 0 || tree_remove(AT_FDCWD, dir, NULL) < 0);
		}
		close(go[0]);
		close(go[1]); /* both start now */
		assert_int_equal(tree_remove(AT_FDCWD, dir, &err), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(access(dir, F_OK), -1);
	}
}

static void old_caches_go_once_a_day(void **state)
{
	(void)state;
	char dir[256], old[300], fresh[300], mark[300], kept[300];
	snprintf(dir, sizeof(dir), "%s/cache/pack", home);
	snprintf(kept, sizeof(kept), "%s/cache/spare-root/x", home);
	snprintf(old, sizeof(old), "%s/old", dir);
	snprintf(fresh, sizeof(fresh), "%s/fresh", dir);
	assert_int_equal(file_mkdir_p(AT_FDCWD, dir, 0700), 0);
	const struct timespec long_ago[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	for (int round = 0; round < 2; round++) {
		assert_int_equal(file_write_atomic(AT_FDCWD, old, "x", 1, 0600, false, NULL), 0);
		assert_int_equal(file_write_atomic(AT_FDCWD, fresh, "x", 1, 0600, false, NULL), 0);
		assert_int_equal(utimensat(AT_FDCWD, old, long_ago, 0), 0);
		assert_int_equal(file_mkdir_p(AT_FDCWD, kept, 0700), 0);
		snprintf(mark, sizeof(mark), "%s/cache", home);
		store_prune_cache(mark);
		assert_int_equal(access(fresh, F_OK), 0);
		/* The second look of the same day does nothing. */
		assert_int_equal(access(old, F_OK), round ? 0 : -1);
		assert_int_equal(access(kept, F_OK), round ? 0 : -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boxes_come_and_go),
		cmocka_unit_test(leftovers_of_the_killed_are_collected),
		cmocka_unit_test(untrusted_directories_are_refused),
		cmocka_unit_test(an_untouched_directory_is_taken_again),
		cmocka_unit_test(a_spare_is_emptied),
		cmocka_unit_test(ways_are_kept_and_nothing_else),
		cmocka_unit_test(working_directories_do_not_pile_up),
		cmocka_unit_test(ways_that_are_none_are_not_taken),
		cmocka_unit_test(the_place_of_gits_copy_is_kept_empty),
		cmocka_unit_test(a_spare_is_taken_before_its_lock_is_let_go),
		cmocka_unit_test(two_may_remove_the_same_tree),
		cmocka_unit_test(old_caches_go_once_a_day),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
