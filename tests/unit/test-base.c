/* unit tests of the base room */
#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/blob.h"
#include "base/digest.h"
#include "base/dir-record.h"
#include "base/sha256.h"
#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/job.h"
#include "base/json-out.h"
#include "base/name-owners.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/tree.h"

static char scratch[] = "/tmp/bawn-test-base-XXXXXX";

static int make_scratch(void **state)
{
	(void)state;
	return mkdtemp(scratch) ? chdir(scratch) : -1;
}

static int drop_scratch(void **state)
{
	(void)state;
	return chdir("/") | tree_remove(AT_FDCWD, scratch, NULL);
}

static void escapes_control_and_bidi(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"plain", "plain"},
		{"a\nb", "a\\x0ab"},
		{"\033[2J", "\\x1b[2J"},
		{"\x7f", "\\x7f"},
		{"caf\xc3\xa9", "caf\xc3\xa9"},
		{"\xc2\x9b"
		 "31m",
			"\\xc2\\x9b31m"},   /* CSI as a C1 control */
		{"\xff\xfe", "\\xff\\xfe"}, /* not UTF-8 */
		{"\xc0\xaf", "\\xc0\\xaf"}, /* overlong */
		{"a\xe2\x80\xae"
		 "b",
			"a\\xe2\\x80\\xaeb"}, /* right-to-left override */
		{"back\\slash", "back\\x5cslash"},
	};
	char b[128];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(escape_text(b, sizeof(b), rows[i].in), rows[i].out);
	char tiny[6];
	assert_string_equal(escape_text(tiny, sizeof(tiny), "abcdefgh"), "abcde");
	assert_string_equal(escape_text(tiny, sizeof(tiny), "ab\n"), "ab"); /* never half a \xHH */
}

static void quotes_for_the_shell(void **state)
{
	(void)state;
	char b[128];
	assert_string_equal(escape_shell(b, sizeof(b), "a/b-c"), "a/b-c");
	assert_string_equal(escape_shell(b, sizeof(b), "a b"), "'a b'");
	assert_string_equal(escape_shell(b, sizeof(b), "it's"), "'it'\\''s'");
	assert_string_equal(escape_shell(b, sizeof(b), "x\ny'"), "$'x\\x0ay\\''");
	assert_string_equal(escape_shell(b, sizeof(b), ""), "''");
}

static void blob_survives_and_refuses(void **state)
{
	(void)state;
	struct blob b = {0};
	const char *strs[] = {"one", "", "three"};
	assert_int_equal(blob_put_str(&b, 1, "hello"), 0);
	assert_int_equal(blob_put_u64(&b, 2, 42), 0);
	assert_int_equal(blob_put_strs(&b, 3, strs, 3), 0);
	struct blob_iter it;
	struct blob_view v;
	blob_iter_init(&it, b.data, b.n);
	assert_int_equal(blob_next(&it, &v), 1);
	assert_string_equal(blob_str(&v), "hello");
	assert_int_equal(blob_next(&it, &v), 1);
	uint64_t n;
	assert_int_equal(blob_u64(&v, &n), 0);
	assert_int_equal(n, 42);
	assert_int_equal(blob_next(&it, &v), 1);
	assert_null(blob_str(&v));
	size_t pos = 0;
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(blob_strs_next(&v, &pos), strs[i]);
	assert_null(blob_strs_next(&v, &pos));
	assert_int_equal(blob_next(&it, &v), 0);
	/* Cut anywhere: never a record past the end. */
	for (size_t cut = 1; cut < b.n; cut++) {
		int r;
		char *copy = malloc(cut);
		memcpy(copy, b.data, cut);
		blob_iter_init(&it, copy, cut);
		while ((r = blob_next(&it, &v)) > 0)
			assert_true(v.data + v.len <= copy + cut);
		free(copy);
	}
	uint32_t lie[4] = {1, 0xfffffff0u, 0, 0};
	blob_iter_init(&it, lie, sizeof(lie));
	assert_int_equal(blob_next(&it, &v), -EBADMSG);
	blob_free(&b);
	struct blob small = {.max = 64};
	char big[100] = {0};
	assert_int_equal(blob_put(&small, 1, big, sizeof(big)), -ENOMEM);
	assert_int_equal(blob_put_u64(&small, 1, 1), -ENOMEM); /* stays failed */
	blob_free(&small);
}

static void json_is_json(void **state)
{
	(void)state;
	struct json_out j = {0};
	json_begin(&j, NULL, '{');
	json_str(&j, "a\"", "x\n\x01\xff\xc3\xa9");
	json_begin(&j, "l", '[');
	json_int(&j, NULL, -1);
	json_bool(&j, NULL, true);
	json_str(&j, NULL, NULL);
	json_end(&j, ']');
	json_end(&j, '}');
	assert_string_equal(
		j.buf, "{\"a\\\"\":\"x\\u000a\\u0001\xef\xbf\xbd\xc3\xa9\",\"l\":[-1,true,null]}");
	json_free(&j);
}

static void paths_are_not_folded(void **state)
{
	(void)state;
	assert_true(path_within("/area", "/area"));
	assert_true(path_within("/area/a", "/area/"));
	assert_false(path_within("/area2", "/area"));
	assert_false(path_within("/are", "/area"));
	assert_true(path_within("/x", "/"));
	assert_false(path_link_leads_out("l", "a/b"));
	assert_false(path_link_leads_out("a/l", "../b"));
	assert_false(path_link_leads_out("a/b/l", "./..//../c"));
	assert_true(path_link_leads_out("l", "/a"));
	assert_true(path_link_leads_out("a/l", "../../b"));
	assert_true(path_link_leads_out("a/b/l", "c/../x"));
	struct arena a = {0};
	assert_string_equal(path_join(&a, "/a/", "/b"), "/a/b");
	assert_string_equal(path_expand_home(&a, "~/x", "/home/u"), "/home/u/x");
	assert_string_equal(path_expand_home(&a, "~x", "/home/u"), "~x");
	arena_free(&a);
}

static void files_are_whole_or_not(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	char *text;
	assert_int_equal(file_write_atomic(AT_FDCWD, "f", "one", 3, 0600, true, &err), 0);
	assert_int_equal(file_write_atomic(AT_FDCWD, "f", "two", 3, 0600, false, &err), 0);
	assert_int_equal(file_read(&a, AT_FDCWD, "f", 100, &text, &err), 3);
	assert_string_equal(text, "two");
	assert_int_equal(file_read(&a, AT_FDCWD, "f", 2, &text, &err), -EFBIG);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(file_read(&a, AT_FDCWD, "fifo", 10, &text, &err), -EINVAL); /* no hang */
	assert_int_equal(file_read(&a, AT_FDCWD, "none", 10, &text, &err), -ENOENT);

	/* a name of NAME_MAX bytes is one, though what stands for it meanwhile has more to say */
	char name[NAME_MAX + 2];
	memset(name, 'n', sizeof(name));
	name[NAME_MAX] = '\0';
	assert_int_equal(file_write_atomic(AT_FDCWD, name, "x", 1, 0600, false, &err), 0);
	assert_int_equal(file_read(&a, AT_FDCWD, name, 10, &text, &err), 1);
	name[NAME_MAX] = 'n';
	name[NAME_MAX + 1] = '\0';
	assert_int_equal(
		file_write_atomic(AT_FDCWD, name, "x", 1, 0600, false, &err), -ENAMETOOLONG);
	arena_free(&a);
}

static void an_empty_directory_is_one_and_no_link(void **state)
{
	(void)state;
	assert_int_equal(mkdir("empty", 0700), 0);
	assert_true(file_dir_empty("empty"));
	assert_int_equal(symlink("empty", "to-empty"), 0);
	assert_false(file_dir_empty("to-empty"));
	assert_false(file_dir_empty("none"));
	assert_int_equal(mkdir("empty/.hidden", 0700), 0);
	assert_false(file_dir_empty("empty"));
	assert_true(file_dir_empty("empty/.hidden"));
}

static void private_directories(void **state)
{
	(void)state;
	struct err err = {0};
	assert_int_equal(file_mkdir_private("p/q/r", &err), 0);
	struct stat st;
	assert_int_equal(stat("p/q", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(chmod("p/q/r", 0777), 0);
	assert_int_equal(file_mkdir_private("p/q/r", &err), -EPERM);
	assert_non_null(strstr(err.hint, "chmod"));
	assert_int_equal(symlink("p", "link"), 0);
	assert_int_equal(file_mkdir_private("link", &err), -EPERM);
}

static void trees_go_whatever_is_in_them(void **state)
{
	(void)state;
	struct err err = {0};
	assert_int_equal(mkdir("t", 0700), 0);
	int fd = open("t", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 3000; i++) { /* deeper than PATH_MAX allows to name */
		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		int next = openat(fd, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
	for (int i = 0; i < 32; i++) { /* names that the removal itself would use */
		char name[64];
		snprintf(name, sizeof(name), "t/.bawn-rm-%d/d", i);
		if (i % 2)
			assert_int_equal(file_mkdir_p(AT_FDCWD, name, 0700), 0);
		name[strlen(name) - 2] = '\0';
		if (!(i % 2))
			assert_int_equal(
				file_write_atomic(AT_FDCWD, name, "x", 1, 0600, false, &err), 0);
	}
	assert_int_equal(mkdir("t/shut", 0700), 0);
	assert_int_equal(file_write_atomic(AT_FDCWD, "t/shut/f", "x", 1, 0600, false, &err), 0);
	assert_int_equal(chmod("t/shut", 0000), 0);
	assert_int_equal(mkdir("victim", 0700), 0);
	assert_int_equal(file_write_atomic(AT_FDCWD, "victim/keep", "x", 1, 0600, false, &err), 0);
	assert_int_equal(symlink("../victim", "t/out"), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "t", &err), 0);
	assert_int_equal(access("t", F_OK), -1);
	assert_int_equal(access("victim/keep", F_OK), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "t", &err), 0); /* gone already */
}

static void descriptors_travel(void **state)
{
	(void)state;
	int sv[2], p[2], got[2];
	size_t n;
	char b[8];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(fd_send(sv[0], "abc", 3, p, 2), 0);
	assert_int_equal(fd_recv(sv[1], b, sizeof(b), got, 1, &n), 3);
	assert_int_equal(n, 1); /* the second one was closed, not leaked */
	assert_int_equal(fcntl(got[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(got[0]);
	close(sv[0]);
	assert_int_equal(fd_recv(sv[1], b, sizeof(b), got, 1, &n), 0);
	close(sv[1]);
	close(p[0]);
	close(p[1]);
}

static void helpers_get_what_they_are_given(void **state)
{
	(void)state;
	int p[2], leak = open("/", O_PATH); /* not close-on-exec, as a careless caller's would be */
	struct err err = {0};
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	setenv("BAWN_TEST_SECRET", "canary", 1);
	char *argv[] = {(char[]){"sh"}, (char[]){"-c"},
		(char[]){"echo \"[$BAWN_TEST_SECRET]\"; cd /proc/self/fd && echo *"}, NULL};
	const int fds[] = {-1, p[1], -1};
	struct proc_spawn how = {.path = "/bin/sh", .argv = argv, .fds = fds, .nfds = 3};
	struct proc child = PROC_NONE;
	assert_int_equal(proc_spawn(&how, &child, &err), 0);
	close(p[1]);
	/* 3 is the directory that the shell is reading. */
	char out[128] = "";
	assert_true(fd_read_full(p[0], out, sizeof(out) - 1) > 0);
	assert_string_equal(out, "[]\n0 1 2 3\n");
	int status;
	assert_int_equal(proc_wait(&child, &status), 0);
	assert_int_equal(status, 0);
	how.path = "/nonexistent";
	assert_int_equal(proc_spawn(&how, &child, &err), -ENOENT);
	close(p[0]);
	close(leak);
}

/* The same while the caller goes on: what it says comes, and why it could not begin. */
static void helpers_that_start_beside_us(void **state)
{
	(void)state;
	int p[2], status;
	struct err err = {0};
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	char *argv[] = {
		(char[]){"sh"}, (char[]){"-c"}, (char[]){"cd /proc/self/fd && echo *"}, NULL};
	const int fds[] = {-1, p[1], -1};
	struct proc_beside b = {.how = {.path = "/bin/sh", .argv = argv, .fds = fds, .nfds = 3}};
	struct proc child = PROC_NONE;
	assert_int_equal(proc_spawn_beside(&b, &child, &err), 0);
	close(p[1]);
	char out[128] = "";
	assert_true(fd_read_full(p[0], out, sizeof(out) - 1) > 0);
	assert_string_equal(out, "0 1 2 3\n");
	assert_int_equal(proc_wait(&child, &status), 0);
	assert_int_equal(status, 0);
	assert_int_equal(b.error, 0);
	close(p[0]);

	b.how = (struct proc_spawn){
		.path = "/nonexistent", .argv = argv, .fds = (int[]){-1, -1, -1}, .nfds = 3};
	assert_int_equal(proc_spawn_beside(&b, &child, &err), 0);
	assert_int_equal(proc_wait(&child, &status), 0);
	assert_int_equal(status, 127);
	assert_int_equal(b.error, ENOENT);
	b.how.ns = CLONE_NEWNS | CLONE_FS; /* which no kernel takes together */
	assert_int_equal(proc_spawn_beside(&b, &child, &err), -EINVAL);
}

static void processors_but_this_one(void **state)
{
	(void)state;
	cpu_set_t before, all, others, one;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&one);
	for (size_t i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
		if (CPU_ISSET(i, &before))
			CPU_SET(i, &one);
	if (proc_other_cpus(&all, &others)) {
		assert_true(CPU_EQUAL(&all, &before));
		assert_int_equal(CPU_COUNT(&others), CPU_COUNT(&all) - 1);
	} else {
		assert_int_equal(CPU_COUNT(&before), 1);
	}
	/* bound to one there is no other */
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_false(proc_other_cpus(&all, &others));
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

/* Texts of every length, so that some end exactly where a chunk does and some begin the next. */
static void texts_in_an_arena(void **state)
{
	(void)state;
	struct arena a = {0};
	char text[300], *v[600], *w[600];
	for (int i = 0; i < 600; i++) {
		const int n = i * 7 % 290;
		memset(text, 'a' + i % 26, sizeof(text));
		v[i] = arena_printf(&a, "%d:%.*s", i % 10, n, text);
		text[n] = '\0';
		w[i] = arena_join(&a, "<", text, ">");
		assert_non_null(v[i]);
		assert_non_null(w[i]);
		assert_string_equal(v[i] + 2, text);
	}
	for (int i = 0; i < 600; i++) {
		const size_t n = (size_t)i * 7 % 290;
		assert_int_equal(v[i][0], '0' + i % 10);
		assert_int_equal(strlen(v[i]), n + 2);
		assert_int_equal(strlen(w[i]), n + 2);
		assert_true(w[i][0] == '<' && w[i][n + 1] == '>');
		assert_true(n == 0 || (v[i][n + 1] == 'a' + i % 26 && w[i][n] == 'a' + i % 26));
	}
	/* what is not used yet is zero, whatever was tried there */
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 200; i++) {
		assert_non_null(arena_printf(&a, "%.*s", i, text));
		const char *zero = arena_alloc(&a, 64);
		for (int k = 0; k < 64; k++)
			assert_int_equal(zero[k], 0);
	}
	arena_free(&a);
}

static void arrays_grow_in_an_arena(void **state)
{
	(void)state;
	struct arena a = {0};
	size_t cap = 0;
	int *v = NULL, *kept = NULL;
	for (int i = 0; i < 1000; i++) {
		int *grown = arena_grow(&a, v, (size_t)i, &cap, sizeof(*v));
		assert_non_null(grown);
		if (i == 16)
			kept = v;
		v = grown;
		v[i] = i;
		assert_true((size_t)i < cap);
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v[i], i);
	assert_ptr_not_equal(kept, v);
	assert_int_equal(kept[15], 15); /* who still points to it reads what was there */
	arena_free(&a);
}

static void lists_cross_in_a_record(void **state)
{
	(void)state;
	struct arena a = {0};
	struct strv in = {0}, none = {0}, out = {0};
	struct blob b = {0};
	struct blob_iter it;
	struct blob_view v;
	strv_add(&a, &in, "one");
	strv_add(&a, &in, "");
	strv_add(&a, &in, "three");
	assert_int_equal(blob_put_opt(&b, 1, NULL), 0);
	assert_int_equal(blob_put_strv(&b, 2, &none), 0);
	assert_int_equal(blob_put_strv(&b, 3, &in), 0);
	assert_int_equal(blob_put_opt(&b, 4, "there"), 0);
	blob_iter_init(&it, b.data, b.n);
	assert_int_equal(blob_next(&it, &v), 1);
	assert_int_equal(v.tag, 3); /* what is not there makes no record */
	assert_int_equal(blob_strv(&a, &v, &out), 0);
	assert_int_equal(out.n, 3);
	assert_string_equal(out.v[0], "one");
	assert_string_equal(out.v[1], "");
	assert_string_equal(out.v[2], "three");
	assert_int_equal(blob_next(&it, &v), 1);
	assert_string_equal(blob_str(&v), "there");
	assert_int_equal(blob_next(&it, &v), 0);
	blob_free(&b);
	arena_free(&a);
}

/* A helper in the scratch directory: its path, absolute. */
static const char *helper(const char *name, const char *script)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/%s", scratch, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, script, strlen(script)), 0);
	close(fd);
	return path;
}

/* Pieces of what a program has from its start: longer in their place, given back, had again, and
 * always zeroed; and the heap where there is no more of it. */
static void the_first_memory_is_had_again(void **state)
{
	(void)state;
	enum { K = 1024, ALL = 4 << 20 };
	first_ahead(ALL); /* more than there is */
	char *p = first_calloc(K);
	assert_non_null(p);
	memset(p, 'a', K);
	char *q = first_grow(p, K, 3 * K);
	assert_non_null(q);
	assert_true(q[0] == 'a' && q[K - 1] == 'a');
	memset(q, 'b', 3 * K);
	char *other = first_calloc(K); /* q is the last one no more */
	assert_non_null(other);
	char *r = first_grow(q, 3 * K, 5 * K);
	assert_non_null(r);
	assert_true(r[0] == 'b' && r[3 * K - 1] == 'b');
	memset(r, 'c', 5 * K);
	first_give(r, 5 * K);
	char *fresh = first_calloc(8 * K);
	assert_non_null(fresh);
	for (size_t i = 0; i < 8 * K; i++)
		assert_int_equal(fresh[i], 0);
	for (size_t i = 0; i < K; i++)
		assert_int_equal(other[i], 0);
#ifndef BAWN_ASAN
	assert_ptr_equal(q, p);
	assert_ptr_equal(fresh, r);
#endif
	char *big = first_grow(NULL, 0, 10), *bigger;
	assert_non_null(big);
	memset(big, 'd', 10);
	bigger = first_grow(big, 10, ALL);
	assert_non_null(bigger);
	assert_true(bigger[0] == 'd' && bigger[9] == 'd');
	bigger = first_grow(bigger, ALL, 2 * (size_t)ALL);
	assert_true(bigger && bigger[9] == 'd');
	first_give(bigger, 2 * (size_t)ALL);
	first_give(NULL, 0);
	first_give(fresh, 8 * K);
	first_give(other, K);
}

static void a_directory_is_read_entry_by_entry(void **state)
{
	(void)state;
	char dir[300], path[400];
	snprintf(dir, sizeof(dir), "%s/entries", scratch);
	assert_int_equal(mkdir(dir, 0700), 0);
	for (int i = 0; i < 300; i++) {
		static const char *const odd[] = {"...", "..x", ".x", "x"};
		char name[20];
		snprintf(name, sizeof(name), "entry%d", i);
		snprintf(path, sizeof(path), "%s/%s", dir, i < 4 ? odd[i] : name);
		assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
	}
	struct dir_reader d = {.fd = open(dir, O_RDONLY | O_DIRECTORY)};
	int n = 0;
	for (const struct dir_record *e; (e = dir_next(&d)); n++) {
		assert_false(streq(e->d_name, ".") || streq(e->d_name, ".."));
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(n, 300);
	assert_int_equal(d.n, 0);
	/* removed: nothing is in it, and that is no failure */
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(lseek(d.fd, 0, SEEK_SET), 0);
	assert_null(dir_next(&d));
	assert_int_equal(d.n, 0);
	close(d.fd);
	d.fd = -1;
	assert_null(dir_next(&d));
	assert_true(d.n < 0);
}

static void jobs_answer_once(void **state)
{
	(void)state;
	struct err err = {0};
	struct blob b = {0};
	struct job job = JOB_NONE;
	struct arena a = {0};
	char *out = NULL, *again = NULL;
	size_t n = 0;
	static char big[200000];
	/* what it is asked it answers; opened anew it is read from its beginning */
	const char *echo = helper("echo", "#!/bin/sh\nexec cat /proc/self/fd/0\n");
	memset(big, 'x', sizeof(big));
	assert_int_equal(blob_put(&b, 7, big, sizeof(big)), 0);
	assert_int_equal(job_start(echo, "echo", &b, NULL, 0, &job, &err), 0);
	assert_int_equal(job_read(&job, 1 << 20, -1, &a, &out, &n), 0);
	assert_int_equal(n, b.n);
	assert_int_equal(out[n], 0);
	assert_memory_equal(out, b.data, n);
	assert_int_equal(job_read(&job, 1 << 20, -1, &a, &again, &n), -EBADF);
	assert_null(again);
	job_end(&job, true);
	job_end(&job, true); /* twice, and on none: nothing happens */

	assert_int_equal(job_start(echo, "echo", &b, NULL, 0, &job, &err), 0);
	assert_int_equal(job_read(&job, 100000, -1, &a, &again, &n), -EFBIG);
	assert_null(again);
	job_end(&job, false);
	assert_int_equal(job_start("/nonexistent", "echo", &b, NULL, 0, &job, &err), -ENOENT);
	blob_free(&b);
	arena_free(&a);
}

static void jobs_that_hang_are_left(void **state)
{
	(void)state;
	struct err err = {0};
	struct blob b = {0};
	struct job job = JOB_NONE;
	struct arena a = {0};
	char *out = NULL;
	size_t n = 0;
	int more[2];
	assert_int_equal(pipe2(more, O_CLOEXEC), 0);
	const char *hang = helper("hang", "#!/bin/sh\nread x <&3\n");
	assert_int_equal(job_start(hang, "hang", &b, more, 1, &job, &err), 0);
	pid_t pid = job.proc.pid;
	assert_int_equal(job_read(&job, 4096, 100, &a, &out, &n), -ETIME);
	assert_null(out);
	job_end(&job, false);
	assert_int_equal(kill(pid, 0), -1); /* killed and reaped */
	assert_int_equal(errno, ESRCH);
	close(more[0]);
	close(more[1]);
}

/* NIST's vectors (FIPS 180-4 examples, and of the CAVP set those at the edges of a block). */
static void sha256_is_nists(void **state)
{
	(void)state;
	static const struct {
		const char *text, *hex;
	} v[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
		 "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
			"cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	};
	char hex[SHA256_HEX + 1];
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_string_equal(sha256_hex(v[i].text, strlen(v[i].text), hex), v[i].hex);
	/* a million "a", in pieces that cross the blocks */
	char a[1000];
	struct sha256 s;
	memset(a, 'a', sizeof(a));
	sha256_begin(&s);
	for (size_t i = 0; i < 1000; i++)
		sha256_add(&s, a, sizeof(a));
	assert_string_equal(sha256_end(&s, hex),
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void digest_tells_apart(void **state)
{
	(void)state;
	char hex[33];
	assert_true(digest_eq(digest_of("a", 1), digest_of("a", 1)));
	assert_false(digest_eq(digest_of("a", 1), digest_of("b", 1)));
	assert_int_equal(strlen(digest_hex(digest_of("", 0), hex)), 32);
	/* XXH3-128 of the empty input with seed 0, from the reference implementation's test
	 * vectors. */
	assert_string_equal(hex, "99aa06d3014798d86001c324468d497f");
}

static void name_owners_hold(void **state)
{
	static char list[NAME_OWNERS_MAX];
	static const char *const bad[] = {
		"", "1 2", "1 2 ", "1 2 a", "x 2 a\0", "1 4294967296 a\0"};
	uint32_t uid = 0, gid = 0;
	size_t n = 0;
	(void)state;
	assert_false(name_owners_find(list, 0, "a", &uid, &gid));
	n = name_owners_set(list, n, "a", 1, 2);
	n = name_owners_set(list, n, "a b", 3, UINT32_MAX - 1);
	n = name_owners_set(list, n, "c", 5, 6);
	n = name_owners_set(list, n, "a", 7, 8); /* instead */
	assert_int_equal(n, sizeof("1 2 a") + sizeof("3 4294967294 a b") + sizeof("5 6 c"));
	assert_true(name_owners_find(list, n, "a", &uid, &gid));
	assert_int_equal(uid, 7);
	assert_true(name_owners_find(list, n, "a b", &uid, &gid));
	assert_int_equal(gid, UINT32_MAX - 1);
	assert_false(name_owners_find(list, n, "b", &uid, &gid));
	/* cut anywhere: what is whole counts, nothing else is read */
	for (size_t i = 0; i < n; i++)
		name_owners_find(list, i, "nothing", &uid, &gid);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(name_owners_find(bad[i], strlen(bad[i]), "a", &uid, &gid));
	/* full: nothing more, and what was there stays */
	char name[] = "0000";
	for (size_t i = 0, more = n; more; i++) {
		snprintf(name, sizeof(name), "%04zu", i);
		n = more;
		more = name_owners_set(list, n, name, 1, 1);
	}
	assert_true(n <= NAME_OWNERS_MAX && n > NAME_OWNERS_MAX - 16);
	assert_true(name_owners_find(list, n, "c", &uid, &gid));
	assert_int_equal(uid, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_control_and_bidi),
		cmocka_unit_test(quotes_for_the_shell),
		cmocka_unit_test(blob_survives_and_refuses),
		cmocka_unit_test(name_owners_hold),
		cmocka_unit_test(json_is_json),
		cmocka_unit_test(paths_are_not_folded),
		cmocka_unit_test(files_are_whole_or_not),
		cmocka_unit_test(an_empty_directory_is_one_and_no_link),
		cmocka_unit_test(private_directories),
		cmocka_unit_test(trees_go_whatever_is_in_them),
		cmocka_unit_test(descriptors_travel),
		cmocka_unit_test(helpers_get_what_they_are_given),
		cmocka_unit_test(helpers_that_start_beside_us),
		cmocka_unit_test(processors_but_this_one),
		cmocka_unit_test(texts_in_an_arena),
		cmocka_unit_test(arrays_grow_in_an_arena),
		cmocka_unit_test(lists_cross_in_a_record),
		cmocka_unit_test(the_first_memory_is_had_again),
		cmocka_unit_test(a_directory_is_read_entry_by_entry),
		cmocka_unit_test(jobs_answer_once),
		cmocka_unit_test(jobs_that_hang_are_left),
		cmocka_unit_test(sha256_is_nists),
		cmocka_unit_test(digest_tells_apart),
	};
	return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
