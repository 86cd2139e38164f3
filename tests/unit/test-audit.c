/* tests/unit/test-audit.c - the audit log: lines, caps, rotation, concurrent writers, a full disk,
 * hostile values, and that bawn-log(1) shows the table as it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "audit/audit.h"
#include "audit/events.h"
#include "audit/read.h"

static char dir[PATH_MAX], path[PATH_MAX + 16];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s/test-audit.XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/audit.jsonl", dir);
	return setenv("TZ", "UTC", 1);
}

static int teardown(void **state)
{
	(void)state;
	char cmd[PATH_MAX + 16];
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static struct audit *open_ok(const char *sandbox)
{
	struct audit *a = NULL;
	struct err err = {0};
	assert_int_equal(audit_open(path, sandbox, &a, &err), 0);
	return a;
}

static size_t count_lines(const char *needle)
{
	struct audit_tail *t = NULL;
	char *line;
	size_t n, found = 0;
	assert_int_equal(audit_tail_open(path, &t, NULL), 0);
	while (audit_tail_next(t, &line, &n) == 1)
		found += strstr(line, needle) != NULL;
	audit_tail_free(t);
	return found;
}

static char *first_line(const char *sandbox, enum audit_style style)
{
	struct audit_tail *t = NULL;
	char *line, *text = NULL;
	size_t n;
	const struct audit_filter f = {.sandbox = sandbox};
	assert_int_equal(audit_tail_open(path, &t, NULL), 0);
	while (!text && audit_tail_next(t, &line, &n) == 1)
		(void)audit_show(line, n, &f, style, &text);
	audit_tail_free(t);
	return text;
}

static void print_problem(void *ud, const char *text)
{
	char *all = ud;
	strncat(all, text + strlen(dir) + 1, 4095 - strlen(all));
	strncat(all, "\n", 4095 - strlen(all));
}

/* What verify says, without the directory. */
static const char *verify(struct audit_verdict *ret)
{
	static char all[4096];
	all[0] = '\0';
	assert_int_equal(audit_verify(path, print_problem, all, ret, NULL), 0);
	return all;
}

static void verify_ok(uint64_t lines, uint64_t old)
{
	struct audit_verdict v;
	assert_string_equal(verify(&v), "");
	assert_int_equal(v.problems, 0);
	assert_int_equal(v.lines, lines);
	assert_int_equal(v.old, old);
	assert_false(v.half);
}

static void emit(int n)
{
	struct audit *a = open_ok("s");
	for (int i = 0; i < n; i++) {
		struct audit_field f = {.key = "ms", .num = 100 + i};
		assert_int_equal(audit_emit(a, "ready", &f, 1), 0);
	}
	audit_close(a);
}

/* A command of the shell's in the log's directory. */
static void sh(const char *cmd)
{
	char all[PATH_MAX + 512];
	snprintf(all, sizeof(all), "cd '%s' && %s", dir, cmd);
	assert_int_equal(system(all), 0);
}

/* What is done to a log of five lines, and what verify then says of it. */
static void test_chain_finds(void **state)
{
	(void)state;
	static const struct {
		const char *cmd, *says;
	} cases[] = {
		{"true", ""},
		{"sed -i 's/:102/:999/' audit.jsonl", "audit.jsonl:3: the line was changed"},
		{"sed -i 's/:104/:999/' audit.jsonl", "audit.jsonl:5: the line was changed"},
		{"sed -i 's/:100/:999/' audit.jsonl", "audit.jsonl:1: the line was changed"},
		{"sed -i 3d audit.jsonl",
			"audit.jsonl:3: lines are missing before it: number 3 to 3"},
		{"sed -i 1d audit.jsonl",
			"audit.jsonl:1: lines are missing before it: number 1 to 1"},
		{"sed -i 4,5d audit.jsonl",
			"audit.jsonl:3: lines are missing behind it: number 4 to 5"},
		{"truncate -s -10 audit.jsonl",
			"audit.jsonl:4: lines are missing behind it: number 5"},
		{"sed -i '3{h;d};4G' audit.jsonl",
			"audit.jsonl:3: lines are missing before it: number 3 to 3\naudit.jsonl:4: "
			"out"},
		{"sed -i 2p audit.jsonl", "audit.jsonl:3: out of order: number 2 behind 2"},
		{"sed -i '2a {}' audit.jsonl", "audit.jsonl:3: a line without a number"},
		{"sed -i '2a\\\n' audit.jsonl", "audit.jsonl:3: a line without a number"},
		{"sed -i 's/,\"n\":3,.*/}/' audit.jsonl", "audit.jsonl:3: a line without a number"},
		{"sed -i '1s/000/001/' audit.jsonl",
			"audit.jsonl:1: the first line of all was changed"},
		{"rm audit.jsonl", "audit.jsonl: lines are missing behind it: number 1 to 5"},
		{"rm audit.jsonl.head", "audit.jsonl: the head record"},
		{"printf x >>audit.jsonl.head; sed -i 's/ 5 / 4 /' audit.jsonl.head",
			"audit.jsonl.head: the head record is damaged"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct audit_verdict v;
		sh("rm -f audit*");
		emit(5);
		sh(cases[i].cmd);
		const char *says = verify(&v);
		if (!has_prefix(says, cases[i].says) || (v.problems == 0) != (*cases[i].says == 0))
			fail_msg("%s: %s", cases[i].cmd, says);
		/* and what is written afterwards does not hide it */
		emit(3);
		says = verify(&v);
		if ((v.problems == 0) != (*cases[i].says == 0))
			fail_msg("%s, later: %s", cases[i].cmd, says);
	}
}

/* Killed between line and head, or in the middle of a line: the next writer goes on. */
static void test_chain_after_a_kill(void **state)
{
	(void)state;
	emit(4);
	sh("cp audit.jsonl.head before");
	emit(1);
	sh("cp before audit.jsonl.head");
	struct audit_verdict v;
	assert_string_equal(verify(&v), "");
	emit(1);
	verify_ok(6, 0);
	sh("printf '{\"time\":\"2026' >>audit.jsonl");
	assert_string_equal(verify(&v), "");
	assert_true(v.half);
	emit(1);
	verify_ok(7, 0);
	assert_int_equal(count_lines("\"ready\""), 7);
}

/* Writers killed at any moment, others go on: what is there is in order. */
static void test_chain_under_kills(void **state)
{
	(void)state;
	enum { WRITERS = 8, ROUNDS = 12 };
	for (int round = 0; round < ROUNDS; round++) {
		pid_t pid[WRITERS];
		for (int i = 0; i < WRITERS; i++) {
			pid[i] = fork();
			if (pid[i] > 0)
				continue;
			struct audit *a = NULL;
			struct audit_field f = {.key = "ms", .num = 1};
			if (audit_open(path, "s", &a, NULL) < 0)
				_exit(1);
			for (;;)
				(void)audit_emit(a, "ready", &f, 1);
		}
		for (int i = 0; i < WRITERS; i++) {
			usleep(2000);
			kill(pid[i], SIGKILL);
			waitpid(pid[i], NULL, 0);
		}
	}
	struct audit_verdict v;
	assert_string_equal(verify(&v), "");
	assert_true(v.lines > ROUNDS);
}

/* A writer that is stopped with the lock holds nobody up for long, and nothing is lost unsaid. */
static void test_a_held_lock(void **state)
{
	(void)state;
	emit(1);
	char head[PATH_MAX + 32];
	snprintf(head, sizeof(head), "%s.head", path);
	int fd = open(head, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	struct audit *a = open_ok("s");
	struct audit_field f = {.key = "ms", .num = 1};
	time_t begin = time(NULL);
	assert_int_equal(audit_emit(a, "ready", &f, 1), -EAGAIN);
	for (int i = 0; i < 100; i++)
		assert_int_equal(audit_emit(a, "ready", &f, 1), 0);
	assert_true(time(NULL) - begin < 5);
	close(fd);
	assert_int_equal(audit_emit(a, "ready", &f, 1), 0);
	audit_close(a);
	assert_int_equal(count_lines("\"dropped\",\"count\":101"), 1);
	verify_ok(3, 0);
}

/* Past the fourth file the oldest goes, and that is no gap; a file that was taken away is one. */
static void test_files_are_bounded(void **state)
{
	(void)state;
	struct audit_verdict v;
	emit(1);
	for (int i = 0; i < 6; i++) {
		/* one long line that is ours as far as its size goes */
		struct audit *a = open_ok("s");
		char big[30000];
		memset(big, 'x', sizeof(big) - 1);
		big[sizeof(big) - 1] = '\0';
		struct audit_field f = {.key = "message", .str = big};
		for (int k = 0; k < 570; k++)
			assert_int_equal(audit_emit(a, "error", &f, 1), 0);
		audit_close(a);
	}
	assert_string_equal(verify(&v), "");
	sh("test $(ls audit.jsonl audit.jsonl.[0-9]* | wc -l) = 4");
	sh("test $(cat audit* | wc -c) -lt $((4 * 17000000))");
	sh("rm audit.jsonl.2");
	assert_true(has_prefix(verify(&v), "audit.jsonl.1:1: lines are missing before it"));
	sh("rm audit.jsonl.3");
	assert_true(has_prefix(verify(&v), "audit.jsonl.1:1: lines are missing before it"));
}

/* Killed at each step of a rotation: the next writer ends it, and no line is lost or in doubt. */
static void test_killed_in_a_rotation(void **state)
{
	(void)state;
	static const char *const step[] = {"true", "mv audit.jsonl.2 audit.jsonl.3",
		"mv audit.jsonl.1 audit.jsonl.2", "mv audit.jsonl audit.jsonl.1"};
	char big[30000];
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	struct audit_field f = {.key = "message", .str = big};
	struct audit *a = open_ok("s");
	char older[PATH_MAX + 32];
	struct stat st;
	snprintf(older, sizeof(older), "%s.2", path);
	do {
		assert_int_equal(audit_emit(a, "error", &f, 1), 0);
		/* one that never rotates would fill the disk */
		assert_true(stat(path, &st) < 0 || st.st_size < 2 * AUDIT_FILE_MAX);
	} while (stat(older, &st) < 0 || stat(path, &st) < 0 || st.st_size < AUDIT_FILE_MAX);
	audit_close(a);
	sh("test ! -e audit.jsonl.3");
	sh("mkdir kept; cp audit* kept");
	for (size_t steps = 0; steps <= ARRAY_LEN(step); steps++) {
		struct chain_head h;
		struct audit_verdict v;
		sh("rm -f audit*; cp kept/* .");
		char head[PATH_MAX + 32];
		snprintf(head, sizeof(head), "%s.head", path);
		int fd = open(head, O_RDWR | O_CLOEXEC);
		assert_int_equal(chain_head_read(fd, &h), 1);
		uint64_t before = h.n;
		memmove(h.first + 1, h.first, (AUDIT_FILES - 1) * sizeof(*h.first));
		h.first[0] = h.size = 0;
		if (steps > 0)
			assert_int_equal(chain_head_write(fd, &h), 0);
		close(fd);
		for (size_t i = 1; i < steps; i++)
			sh(step[i]);
		assert_string_equal(verify(&v), "");
		emit(3);
		assert_string_equal(verify(&v), "");
		assert_int_equal(v.lines, before + 3);
		assert_int_equal(count_lines("\"ready\""), 3);
		sh("rm audit.jsonl.3");
		assert_true(has_prefix(verify(&v), "audit.jsonl.2:1: lines are missing before"));
	}
}

static void test_filters(void **state)
{
	(void)state;
	static const struct {
		struct audit_filter f;
		const char *target;
		int want;
	} cases[] = {
		{{.host = "a.example"}, "a.example:443", 1},
		{{.host = "A.example"}, "udp://a.example:53", 1},
		{{.host = "a.example"}, "b.a.example:443", 0},
		{{.host = ".a.example"}, "b.a.example:443", 1},
		{{.host = "::1"}, "[::1]:443", 1},
		{{.events = "allow,deny"}, "x:1", 1},
		{{.events = "allow"}, "x:1", 0},
		{{.events = "de"}, "x:1", 0},
		{{.since = "2026-01-02T03:04:05"}, "x:1", 1},
		{{.since = "2026-01-02T03:04:06"}, "x:1", 0},
		{{.sandbox = "t"}, "x:1", 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char line[256], *text = NULL;
		int n = snprintf(line, sizeof(line),
			"{\"time\":\"2026-01-02T03:04:05.000006Z\",\"sandbox\":\"s\",\"event\":"
			"\"deny\",\"target\":\"%s\",\"reason\":\"r\"}",
			cases[i].target);
		if (audit_show(line, (size_t)n, &cases[i].f, AUDIT_TEXT, &text) != cases[i].want)
			fail_msg("case %zu", i);
		free(text);
	}
}

static void test_line(void **state)
{
	(void)state;
	struct audit *a = open_ok("claude-1");
	struct audit_field f[] = {
		{.key = "target", .str = "example.com:443"},
		{.key = "reason", .str = "no rule allows it"},
		{.key = "fix", .str = "bawn run --allow example.com"},
		{.key = "count", .num = 3},
	};
	assert_int_equal(audit_emit(a, "deny", f, 4), 0);
	audit_close(a);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	char *text = first_line(NULL, AUDIT_TEXT);
	assert_non_null(text);
	assert_non_null(strstr(text,
		"claude-1         deny        example.com:443: no rule "
		"allows it, 3 times; to allow it: bawn run --allow "
		"example.com"));
	assert_null(strstr(text, " by ")); /* no rule: that part is left out */
	free(text);
	assert_null(first_line("other", AUDIT_TEXT));
	text = first_line("claude-1", AUDIT_JSON);
	assert_non_null(strstr(text, "\"event\":\"deny\",\"target\":\"example.com:443\""));
	free(text);
}

static void test_time_is_now_in_utc(void **state)
{
	(void)state;
	time_t before = time(NULL);
	struct audit *a = open_ok("s");
	struct audit_field f = {.key = "ms", .num = 1};
	assert_int_equal(audit_emit(a, "ready", &f, 1), 0);
	audit_close(a);
	char *text = first_line(NULL, AUDIT_JSON);
	struct tm tm = {0};
	assert_non_null(strptime(text, "{\"time\":\"%Y-%m-%dT%H:%M:%S", &tm));
	time_t t = timegm(&tm);
	assert_true(t >= before && t <= before + 5);
	free(text);
}

/* The command that allows it can be pasted, and "1 times" is left out. */
static void test_fix_is_pasteable(void **state)
{
	(void)state;
	struct audit *a = open_ok("s");
	struct audit_field f[] = {
		{.key = "target", .str = "x:443"},
		{.key = "reason", .str = "a\\b"},
		{.key = "fix", .str = "bawn run -- $'a\\x0ab' 'it'\\''s' \x1b"},
		{.key = "count", .num = 1},
	};
	assert_int_equal(audit_emit(a, "deny", f, 4), 0);
	audit_close(a);
	char *text = first_line(NULL, AUDIT_TEXT);
	assert_non_null(strstr(
		text, "x:443: a\\x5cb; to allow it: bawn run -- $'a\\x0ab' 'it'\\''s' \\x1b"));
	free(text);
}

/* What a program inside chose must not reach the terminal as control sequences (TERM-09). */
static void test_hostile_text(void **state)
{
	(void)state;
	struct audit *a = open_ok("s\x1b[2J");
	struct audit_field f[] = {
		{.key = "target",
			.str = "a\x1b]0;owned\x07\xc2\x9b"
			       "31m\xe2\x80\xae\n{rule}[x]"},
		{.key = "reason", .str = "\xff\xfe"},
	};
	assert_int_equal(audit_emit(a, "deny", f, 2), 0);
	audit_close(a);
	assert_int_equal(count_lines("deny"), 1);
	for (enum audit_style s = AUDIT_TEXT; s <= AUDIT_JSON; s++) {
		char *text = first_line(NULL, s);
		assert_non_null(text);
		for (const char *p = text; *p; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
		assert_null(strstr(text, "\xc2\x9b"));
		assert_null(strstr(text, "\xe2\x80\xae"));
		free(text);
	}
}

static void test_not_an_event(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "{}", "null", "[1]", "{\"time\":1}",
		"{\"time\":\"t\",\"sandbox\":\"s\"}",
		"{\"time\":\"t\",\"sandbox\":\"s\",\"event\":\"deny\"",
		"{\"time\":\"t\",\"sandbox\":\"s\",\"event\":\"deny\",\"event\":\"allow\"}",
		"{\"time\":\"t\",\"sandbox\":\"s\",\"event\":7}"};
	char *text = NULL;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
			audit_show(bad[i], strlen(bad[i]), NULL, AUDIT_TEXT, &text), -EBADMSG);
	assert_null(text);
	/* an event of a newer version is shown all the same */
	const char *odd =
		"{\"time\":\"x\\u001b\",\"sandbox\":\"s\",\"event\":\"novel\",\"k\":\"v\"}";
	assert_int_equal(audit_show(odd, strlen(odd), NULL, AUDIT_TEXT, &text), 1);
	assert_non_null(strstr(text, "novel"));
	assert_non_null(strstr(text, "k=v"));
	assert_null(strchr(text, 0x1b));
	free(text);
}

static void test_rate_cap(void **state)
{
	(void)state;
	struct audit *a = open_ok("s");
	struct audit_field f = {.key = "target", .str = "x"}, k = {.key = "ms", .num = 1};
	for (int i = 0; i < 20000; i++)
		assert_int_equal(audit_emit(a, "allow", &f, 1), 0);
	for (int i = 0; i < 50; i++)
		assert_int_equal(audit_emit(a, "ready", &k, 1), 0);
	audit_close(a);
	size_t n = count_lines("\"allow\"");
	/* at least one full second's worth, at most what the seconds it took allow */
	assert_true(n >= 1000 && n <= 10000);
	assert_int_equal(count_lines("\"ready\""), 50);
	assert_true(count_lines("\"dropped\"") >= 1);
}

static void test_refuses_foreign_file(void **state)
{
	(void)state;
	struct audit *a = NULL;
	struct err err = {0};
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(audit_open(path, "s", &a, &err) < 0);
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(audit_open(path, "s", &a, &err), -ELOOP);
	assert_null(a);
}

static void fill_to(off_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	/* one long line, so that readers have to skip it as well */
	assert_int_equal(ftruncate(fd, size - 1), 0);
	assert_int_equal(pwrite(fd, "\n", 1, size - 1), 1);
	close(fd);
}

static void test_rotation(void **state)
{
	(void)state;
	fill_to((16 << 20) + 1);
	struct audit *a = open_ok("s"), *b = open_ok("t");
	struct audit_field f = {.key = "ms", .num = 1};
	assert_int_equal(audit_emit(a, "ready", &f, 1), 0);
	assert_int_equal(audit_emit(b, "ready", &f, 1), 0);
	audit_close(a);
	audit_close(b);
	char old[PATH_MAX + 32];
	struct stat st;
	snprintf(old, sizeof(old), "%s.1", path);
	assert_int_equal(stat(old, &st), 0);
	assert_int_equal(st.st_size, (16 << 20) + 1);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 4096);
	assert_int_equal(count_lines("\"ready\""), 2);
}

/* 50 runs at once, the log rotating under them: every line whole, none lost. */
static void test_concurrent_writers(void **state)
{
	(void)state;
	enum { WRITERS = 50, EACH = 100 };
	fill_to((16 << 20) - 100000);
	pid_t pid[WRITERS];
	for (int i = 0; i < WRITERS; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			struct audit *a = NULL;
			char name[32];
			snprintf(name, sizeof(name), "w%d", i);
			if (audit_open(path, name, &a, NULL) < 0)
				_exit(1);
			struct audit_field f = {.key = "ms"};
			for (f.num = 0; f.num < EACH; f.num++)
				if (audit_emit(a, "ready", &f, 1) < 0)
					_exit(1);
			audit_close(a);
			_exit(0);
		}
	}
	for (int i = 0; i < WRITERS; i++) {
		int status = 1;
		waitpid(pid[i], &status, 0);
		assert_int_equal(status, 0);
	}
	struct audit_tail *t = NULL;
	char *line, *text;
	size_t n, good = 0;
	assert_int_equal(audit_tail_open(path, &t, NULL), 0);
	while (audit_tail_next(t, &line, &n) == 1) {
		text = NULL;
		assert_int_equal(audit_show(line, n, NULL, AUDIT_JSON, &text), 1);
		free(text);
		good++;
	}
	assert_int_equal(audit_tail_skipped(t), 1);
	audit_tail_free(t);
	assert_int_equal(good, WRITERS * EACH);
	verify_ok(WRITERS * EACH, 1);
	char old[PATH_MAX + 32];
	snprintf(old, sizeof(old), "%s.1", path);
	assert_int_equal(access(old, F_OK), 0);
}

/* The writer reports a full disk once, goes on, and says afterwards how much is missing. */
static void test_disk_full(void **state)
{
	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit was, small;
	getrlimit(RLIMIT_FSIZE, &was);
	small = was;
	struct audit *a = open_ok("s");
	struct audit_field f = {.key = "ms", .num = 1};
	assert_int_equal(audit_emit(a, "ready", &f, 1), 0);
	assert_int_equal(audit_emit(a, "ready", &f, 1), 0);
	small.rlim_cur = 400; /* inside the third line, and the head record fits */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int failed = 0;
	for (int i = 0; i < 10; i++)
		failed += audit_emit(a, "ready", &f, 1) < 0;
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_equal(failed, 1);
	assert_int_equal(audit_emit(a, "ready", &f, 1), 0);
	audit_close(a);
	assert_int_equal(count_lines("\"dropped\",\"count\":10,"), 1);
	verify_ok(4, 0);
	/* the half line was taken back */
	char *line, *text;
	size_t n, bad = 0, good = 0;
	struct audit_tail *t = NULL;
	assert_int_equal(audit_tail_open(path, &t, NULL), 0);
	while (audit_tail_next(t, &line, &n) == 1) {
		text = NULL;
		if (audit_show(line, n, NULL, AUDIT_JSON, &text) == 1)
			good++;
		else
			bad++;
		free(text);
	}
	audit_tail_free(t);
	assert_int_equal(good, 4);
	assert_int_equal(bad, 0);
}

static void test_follow_across_rotation(void **state)
{
	(void)state;
	struct audit_tail *t = NULL;
	char *line;
	size_t n;
	assert_int_equal(audit_tail_open(path, &t, NULL), 0); /* not there yet */
	assert_int_equal(audit_tail_next(t, &line, &n), 0);
	assert_int_equal(audit_tail_wait(t), 0);
	struct audit *a = open_ok("s");
	struct audit_field f = {.key = "ms", .num = 1};
	assert_int_equal(audit_emit(a, "ready", &f, 1), 0);
	assert_int_equal(audit_tail_wait(t), 0);
	assert_int_equal(audit_tail_next(t, &line, &n), 1);

	char old[PATH_MAX + 32];
	snprintf(old, sizeof(old), "%s.1", path);
	assert_int_equal(rename(path, old), 0);
	f.num = 2;
	assert_int_equal(audit_emit(a, "ready", &f, 1), 0); /* still into the old one */
	audit_close(a);
	a = open_ok("s");
	f.num = 3;
	assert_int_equal(audit_emit(a, "ready", &f, 1), 0);
	audit_close(a);
	assert_int_equal(audit_tail_wait(t), 0);
	assert_int_equal(audit_tail_next(t, &line, &n), 1);
	assert_non_null(strstr(line, "\"ms\":2"));
	assert_int_equal(audit_tail_next(t, &line, &n), 1);
	assert_non_null(strstr(line, "\"ms\":3"));
	assert_int_equal(audit_tail_next(t, &line, &n), 0);
	audit_tail_free(t);
}

/* Every template names only fields of its event, and only optional ones stand in [...]. */
static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < audit_n_events; i++) {
		const struct audit_event *e = &audit_events[i];
		assert_ptr_equal(audit_event_find(e->name), e);
		bool opt = false;
		for (const char *p = e->show; *p; p++) {
			opt = *p == '[' || (opt && *p != ']');
			if (*p != '{')
				continue;
			char key[32];
			snprintf(key, sizeof(key), "%.*s", (int)strcspn(p + 1, "}"), p + 1);
			const struct audit_event_field *f = audit_event_field(e, key);
			if (!f)
				fail_msg("%s: no field %s", e->name, key);
			assert_int_equal(f->optional, opt);
		}
	}
}

/* The rows of bawn-log(1) between "# EVENTS" and the next heading: "*name*" then "_field_"s, an
 * optional one in brackets. */
static void test_man_page(void **state)
{
	(void)state;
	const char *src = getenv("BAWN_SRCDIR");
	char file[PATH_MAX], line[512], row[512];
	snprintf(file, sizeof(file), "%s/man/bawn-log.1.scd", src ? src : ".");
	FILE *f = fopen(file, "re");
	if (!f)
		skip();
	bool in = false;
	size_t seen = 0;
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#')
			in = has_prefix(line, "# EVENTS");
		if (!in || line[0] != '*')
			continue;
		assert_true(seen < audit_n_events);
		const struct audit_event *e = &audit_events[seen++];
		int o = snprintf(row, sizeof(row), "*%s*", e->name);
		for (const struct audit_event_field *x = e->fields; x->key; x++)
			o += snprintf(row + o, sizeof(row) - (size_t)o,
				x->optional ? " [_%s_]" : " _%s_", x->key);
		line[strcspn(line, "\n")] = '\0';
		assert_string_equal(line, row);
	}
	fclose(f);
	assert_int_equal(seen, audit_n_events);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_line),
		T(test_time_is_now_in_utc),
		T(test_fix_is_pasteable),
		T(test_hostile_text),
		T(test_not_an_event),
		T(test_rate_cap),
		T(test_refuses_foreign_file),
		T(test_rotation),
		T(test_concurrent_writers),
		T(test_disk_full),
		T(test_follow_across_rotation),
		T(test_chain_finds),
		T(test_chain_after_a_kill),
		T(test_chain_under_kills),
		T(test_a_held_lock),
		T(test_files_are_bounded),
		T(test_killed_in_a_rotation),
		T(test_filters),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_man_page),
	};
	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
