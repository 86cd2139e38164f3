/* tests/unit/test-seed-cache.c - a seeding that is kept: when it is used again, and when not. */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/path.h"
#include "base/tree.h"
#include "seed/cache.h"
#include "seed/seed.h"

#define IDENTITY "[user]\n\tname = A U Thor\n\temail = a@example.org\n"

static char root[64], host[80], work[80], inside[80], cache[160], profile[80];
static struct arena arena;
static char *records;

static char *at(const char *dir, const char *rel)
{
	return path_join(&arena, dir, rel);
}

/* A file of the user's, old enough to be relied on. */
static void put(const char *rel, const char *text)
{
	char *path = at(host, rel);
	assert_int_equal(
		file_write_atomic(AT_FDCWD, path, text, strlen(text), 0644, false, NULL), 0);
}

static char *content(const char *rel)
{
	char *s;
	return file_read(&arena, AT_FDCWD, at(inside, rel), 65536, &s, NULL) < 0 ? NULL : s;
}

static void fresh_home(void)
{
	assert_int_equal(tree_remove(AT_FDCWD, inside, NULL), 0);
	assert_int_equal(mkdir(inside, 0700), 0);
}

static bool hit(void)
{
	fresh_home();
	int fd = open(inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	bool used = seed_cache_use(&arena, cache, fd, &records);
	close(fd);
	/* A miss leaves the home to bawn-admin as it was. */
	assert_true(used == (content(".gitconfig") != NULL));
	assert_true(used || access(at(inside, ".config"), F_OK) < 0);
	return used;
}

/* What bawn-admin seed does at that time. */
static void seed_at(int64_t now)
{
	struct seed_report report = {.a = &arena};
	struct err err = {0};
	const struct seed_request rq = {.profile = profile,
		.home = inside,
		.workspace = work,
		.sandbox = "s",
		.cache = cache,
		.now = now};
	fresh_home();
	if (seed_run(&rq, &report, &err) < 0)
		fail_msg("%s", err.msg);
}

static void seed(void)
{
	seed_at(time(NULL) + 10);
}

static bool kept(void)
{
	return access(cache, F_OK) == 0;
}

static int setup(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/bawn-seed-cache-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(host, sizeof(host), "%s/host", root);
	snprintf(work, sizeof(work), "%s/work", root);
	snprintf(inside, sizeof(inside), "%s/inside", root);
	snprintf(cache, sizeof(cache), "%s/cache/seed/%032d", root, 7);
	snprintf(profile, sizeof(profile), "%s/p.yaml", root);
	setenv("HOME", host, 1);
	unsetenv("XDG_CONFIG_HOME");
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	const char *text = "command: [sh]\n";
	return mkdir(host, 0755) || mkdir(work, 0755) || mkdir(inside, 0700) ||
		file_write_atomic(AT_FDCWD, profile, text, strlen(text), 0600, false, NULL);
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(AT_FDCWD, root, NULL);
	arena_free(&arena);
	return 0;
}

static void the_same_as_bawn_admin_wrote(void **state)
{
	(void)state;
	put(".gitconfig", IDENTITY "[alias]\n\tx = !sh\n[core]\n\texcludesFile = ~/.ignore\n");
	put(".ignore", "*.swp\n");
	seed();
	assert_true(kept());
	char *config = content(".gitconfig"), *ignore = content(".config/git/ignore");
	assert_true(hit());
	assert_string_equal(content(".gitconfig"), config);
	assert_string_equal(content(".config/git/ignore"), ignore);
	assert_string_equal(ignore, "*.swp\n");
	assert_non_null(strstr(config, "A U Thor"));
	assert_null(strstr(config, "alias"));
	assert_non_null(strstr(records, "skipped\tgit: 1 settings"));
	assert_non_null(strstr(records, "login\tnone\n"));
	struct stat st;
	assert_int_equal(stat(at(inside, ".gitconfig"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(at(inside, ".config"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

/* What seed/secret.c keeps out of the home is in no cache either. */
static void no_secret_is_kept(void **state)
{
	(void)state;
	put(".gitconfig",
		IDENTITY
		"[http]\n\textraHeader = \"Authorization: Bearer Cn4rY\"\n"
		"[url \"https://u:Cn4rYghp_0123456789abcdefghijABCDEFGHIJ012345@x.test/\"]\n"
		"\tinsteadOf = \"x:\"\n[include]\n");
	put(".ignore", "Cn4rY\n");
	seed();
	assert_true(kept());
	char *data;
	ssize_t n = file_read(&arena, AT_FDCWD, cache, SEED_CACHE_MAX, &data, NULL);
	assert_true(n > 0);
	assert_null(memmem(data, (size_t)n, "Cn4rY", 5));
}

static void a_home_without_git_settings(void **state)
{
	(void)state;
	seed();
	assert_true(kept());
	assert_true(hit());
	assert_non_null(strstr(content(".gitconfig"), "[safe]"));
	/* One appears: in the first place, in the second, as the default excludes. */
	static const char *const appear[] = {
		".gitconfig", ".config/git/config", ".config/git/ignore", ".config/git/attributes"};
	assert_int_equal(file_mkdir_p(AT_FDCWD, at(host, ".config/git"), 0755), 0);
	for (size_t i = 0; i < ARRAY_LEN(appear); i++) {
		assert_true(hit());
		put(appear[i], IDENTITY);
		assert_false(hit());
		unlink(at(host, appear[i]));
	}
	/* A link that leads nowhere yet is something, too. */
	assert_int_equal(symlink("elsewhere", at(host, ".gitconfig")), 0);
	assert_false(hit());
	unlink(at(host, ".gitconfig"));
	assert_true(hit());
	/* Another home in its place. */
	assert_int_equal(rename(host, at(root, "old")), 0);
	assert_int_equal(mkdir(host, 0755), 0);
	assert_false(hit());
}

static void a_changed_source_is_a_miss(void **state)
{
	(void)state;
	put("real", IDENTITY);
	put("other", IDENTITY);
	assert_int_equal(symlink("real", at(host, ".gitconfig")), 0);
	seed();
	assert_true(hit());
	assert_int_equal(unlink(at(host, ".gitconfig")), 0);
	assert_false(hit());
	assert_int_equal(symlink("other", at(host, ".gitconfig")), 0);
	assert_false(hit());
	seed();
	assert_true(hit());
	/* The same length and the same mtime, behind a link. */
	struct stat st;
	char *other = at(host, "other");
	assert_int_equal(stat(other, &st), 0);
	int fd = open(other, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "#", 1, 0), 1);
	assert_int_equal(futimens(fd, (const struct timespec[]){st.st_atim, st.st_mtim}), 0);
	close(fd);
	assert_false(hit());
}

static void what_git_alone_decides_is_not_kept(void **state)
{
	(void)state;
	static const char *const texts[] = {"[include]\n\tpath = more\n",
		"[includeIf \"gitdir:/x/\"]\n\tpath = more\n",
		"[includeIf \"onbranch:m\"]\npath=x\n", "this is no configuration\n"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		put(".gitconfig", texts[i]);
		seed();
		assert_non_null(content(".gitconfig"));
		assert_false(kept());
	}
	/* Changed just now: the next change may leave no trace. */
	put(".gitconfig", IDENTITY);
	struct stat st;
	assert_int_equal(stat(at(host, ".gitconfig"), &st), 0);
	seed_at(st.st_mtime);
	assert_false(kept());
	seed_at(st.st_mtime + 2);
	assert_false(kept());
	/* A directory of excludes: nobody watches what is in it. */
	put(".gitconfig", "[core]\n\texcludesFile = ~/dir\n");
	assert_int_equal(mkdir(at(host, "dir"), 0755), 0);
	seed();
	assert_false(kept());
	/* A home that is not new has settings of its own. */
	put(".gitconfig", IDENTITY);
	seed();
	assert_true(kept());
	assert_int_equal(unlink(cache), 0);
	struct seed_report report = {.a = &arena};
	const struct seed_request rq = {.profile = profile, .home = inside, .cache = cache};
	assert_int_equal(seed_run(&rq, &report, NULL), 0);
	assert_false(kept());
}

static void more_than_git_is_not_kept(void **state)
{
	(void)state;
	const char *text = "command: [sh]\nfiles:\n  - path: ~/.x\n    content: \"${NOW}\"\n";
	assert_int_equal(
		file_write_atomic(AT_FDCWD, profile, text, strlen(text), 0600, false, NULL), 0);
	seed();
	assert_non_null(content(".x"));
	assert_false(kept());
}

static void a_cache_of_others_is_a_miss(void **state)
{
	(void)state;
	char *dir = arena_dupn(&arena, cache, (size_t)(path_base(cache) - cache) - 1);
	seed();
	assert_true(hit());
	static const mode_t modes[] = {0400, 0640, 0602, 0700};
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(chmod(cache, modes[i]), 0);
		assert_false(hit());
	}
	assert_int_equal(chmod(cache, 0600), 0);
	assert_true(hit());
	assert_int_equal(chmod(dir, 0770), 0);
	assert_false(hit());
	assert_int_equal(chmod(dir, 0700), 0);
	char *other = arena_printf(&arena, "%s/%032d", dir, 8);
	assert_int_equal(link(cache, other), 0);
	assert_false(hit());
	assert_int_equal(unlink(cache), 0);
	assert_int_equal(symlink(other, cache), 0);
	assert_false(hit());
	/* Under another name it is another start's. */
	assert_int_equal(rename(other, cache), 0);
	assert_true(hit());
	assert_int_equal(rename(cache, other), 0);
	memcpy(cache, other, strlen(other));
	assert_false(hit());
	assert_int_equal(unlink(cache), 0);
	assert_int_equal(mkfifo(cache, 0600), 0);
	assert_false(hit());
}

static void write_cache(const char *data, size_t n)
{
	struct err err = {0};
	assert_int_equal(file_write_atomic(AT_FDCWD, cache, data, n, 0600, false, &err), 0);
}

static void every_byte_and_every_length_counts(void **state)
{
	(void)state;
	seed();
	char *data;
	ssize_t n = file_read(&arena, AT_FDCWD, cache, SEED_CACHE_MAX, &data, NULL);
	assert_true(n > 0);
	for (ssize_t i = 0; i < n; i += i < 64 ? 1 : 37) {
		data[i] ^= 1;
		write_cache(data, (size_t)n);
		data[i] ^= 1;
		/* the head's padding, which nothing reads, is all that may differ */
		if (hit())
			fail_msg("byte %zd does not count", i);
		write_cache(data, (size_t)i);
		assert_false(hit());
	}
	char *more = arena_alloc(&arena, (size_t)n + 8);
	memcpy(more, data, (size_t)n);
	write_cache(more, (size_t)n + 8);
	assert_false(hit());
	write_cache(data, (size_t)n);
	assert_true(hit());
}

/* A whole and well-formed cache with these files in it. */
static bool hit_with(const char *const *rel, size_t n, unsigned int mode)
{
	struct seed_cache c;
	seed_cache_begin(&c, time(NULL));
	seed_cache_source(&c, "/nowhere");
	for (size_t i = 0; i < n; i++)
		seed_cache_file(&c, rel[i], mode, "x", 1);
	seed_cache_file(&c, ".gitconfig", 0600, "x", 1);
	c.complete = true;
	assert_int_equal(seed_cache_save(&c, cache, "login\tnone\n", NULL), 0);
	assert_true(kept());
	return hit();
}

static void only_plain_places_below_the_home(void **state)
{
	(void)state;
	static const char *const good = ".config/git/ignore";
	static const char *const bad[] = {
		"/etc/x", "../x", "a/../../x", "a//x", "", "a/", ".", "./x", "a/.", "a/.."};
	assert_true(hit_with(&good, 1, 0600));
	assert_true(hit_with(&good, 1, 0700));
	assert_false(hit_with(&good, 1, 04700));
	assert_false(hit_with(&good, 1, 0666));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(hit_with(&bad[i], 1, 0600));
	static const char *const many[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	assert_true(hit_with(many, 7, 0600));
	assert_false(hit_with(many, 8, 0600));
	assert_int_equal(access(at(root, "x"), F_OK), -1);
}

static void what_is_in_the_home_stays(void **state)
{
	(void)state;
	static const char *const rel = "d/x";
	assert_true(hit_with(&rel, 1, 0600));
	fresh_home();
	assert_int_equal(symlink(host, at(inside, "d")), 0);
	int fd = open(inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_false(seed_cache_use(&arena, cache, fd, &records));
	assert_int_equal(access(at(host, "x"), F_OK), -1);
	assert_int_equal(unlink(at(inside, "d")), 0);
	assert_int_equal(symlink(at(host, "made"), at(inside, ".gitconfig")), 0);
	assert_false(seed_cache_use(&arena, cache, fd, &records));
	assert_int_equal(access(at(host, "made"), F_OK), -1);
	close(fd);
}

static void the_name_says_what_it_depends_on(void **state)
{
	(void)state;
	char *exe = at(host, "bawn-admin");
	put("bawn-admin", "1");
	const struct seed_cache_key base = {
		.home = "/h", .workspace = "/w", .git = 1, .admin = exe};
	struct seed_cache_key keys[] = {base, base, base, base, base, base, base};
	keys[0].home = "/h2";
	keys[1].xdg_config = "";
	keys[2].xdg_config = "/c";
	keys[3].workspace = "/w2";
	keys[4].git = 2;
	keys[5].template = true;
	keys[6].no_system = true;
	char *p = seed_cache_path(&arena, "/cache", &base);
	assert_non_null(p);
	assert_int_equal(strlen(p), strlen("/cache/seed/") + 32);
	assert_string_equal(seed_cache_path(&arena, "/cache", &base), p);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_string_not_equal(seed_cache_path(&arena, "/cache", &keys[i]), p);
	put("bawn-admin", "2"); /* another file */
	assert_string_not_equal(seed_cache_path(&arena, "/cache", &base), p);
	assert_int_equal(unlink(exe), 0);
	assert_null(seed_cache_path(&arena, "/cache", &base));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_same_as_bawn_admin_wrote),
		T(no_secret_is_kept),
		T(a_home_without_git_settings),
		T(a_changed_source_is_a_miss),
		T(what_git_alone_decides_is_not_kept),
		T(more_than_git_is_not_kept),
		T(a_cache_of_others_is_a_miss),
		T(every_byte_and_every_length_counts),
		T(only_plain_places_below_the_home),
		T(what_is_in_the_home_stays),
		T(the_name_says_what_it_depends_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
