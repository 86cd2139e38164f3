/* run/run-end.c - what is said during and after a run, and what is carried back; see run.h.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/fd.h"
#include "run/run.h"

#define LIST_MAX 12 /* lines of one list at the end; the rest is counted */

int run_fail(const struct err *err, int code)
{
	if (err->msg[0])
		fprintf(stderr, "bawn: %s\n", err->msg);
	if (err->hint[0])
		fprintf(stderr, "bawn: %s\n", err->hint);
	return code;
}

void run_message(const struct run *r, const char *fmt, ...)
{
	char line[2048];
	if (r->opt.verbosity < 0)
		return;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line) - 2, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	size_t len = MIN((size_t)n, sizeof(line) - 3);
	/* In raw mode a newline does not return the carriage. */
	bool raw = r->sandbox && sandbox_owns_terminal(r->sandbox);
	memcpy(line + len, raw ? "\r\n" : "\n", raw ? 3 : 2);
	fprintf(stderr, "bawn: %s", line);
}

void run_audit(struct run *r, const char *event, const struct audit_field *f, size_t n)
{
	/* Told once, by audit.c's own count: the run goes on without its log. */
	int k = r->audit ? audit_emit(r->audit, event, f, n) : 0;
	if (k < 0)
		run_message(r, "the audit log can't be written: %s", strerror(-k));
}

struct denial_list {
	const struct run *r;
	size_t n;
};

/* fix as of a run: of its options a build has none. */
static void fix_in_build(const char *fix)
{
	static const struct {
		const char *option, *command;
	} all[] = {
		{"bawn run --allow ", "allow"}, {"bawn run --allow-private ", "allow --private"}};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (has_prefix(fix, all[i].option))
			fprintf(stderr,
				"      to allow it: bawn policy %s %s\n"
				"      to allow it in builds alone: a policy \"build\" of your "
				"own, "
				"bawn-build(1)\n",
				all[i].command, fix + strlen(all[i].option));
}

static void print_denial(void *ctx, const struct dialer_denial *d)
{
	struct denial_list *l = ctx;
	if (l->n == 0)
		run_message(l->r, "denied during this run:");
	if (l->n++ >= LIST_MAX)
		return;
	char count[32] = "";
	if (d->count > 1)
		snprintf(count, sizeof(count), " (%llu times)", (unsigned long long)d->count);
	fprintf(stderr, "  %s%s: %s%s%s%s\n", d->target, count, d->reason, d->rule[0] ? " (" : "",
		d->rule, d->rule[0] ? ")" : "");
	if (l->r->step)
		fix_in_build(d->fix);
	else if (d->fix[0])
		fprintf(stderr, "      to allow it: %s\n", d->fix);
}

static void print_unreached(void *ctx, const struct dialer_denial *d)
{
	struct denial_list *l = ctx;
	if (l->n == 0)
		run_message(l->r, "allowed, but not reached during this run:");
	if (l->n++ < LIST_MAX)
		fprintf(stderr, "  %s: %s\n", d->target, d->reason);
}

static void say_denials(struct run *r)
{
	if (!r->sandbox || r->opt.verbosity < 0)
		return;
	struct denial_list u = {.r = r};
	dialer_each_unreached(sandbox_dialer(r->sandbox), print_unreached, &u);
	struct denial_list l = {.r = r};
	dialer_each_denial(sandbox_dialer(r->sandbox), print_denial, &l);
	if (l.n > LIST_MAX)
		fprintf(stderr, "  and %zu more: bawn log\n", l.n - LIST_MAX);
}

/* As git writes it: the lock file beside, then the rename; a lock that is there is respected. */
static int write_git_config(const char *path, const char *text, size_t n, struct err *err)
{
	char lock[4096];
	struct stat st;
	if (snprintf(lock, sizeof(lock), "%s.lock", path) >= (int)sizeof(lock))
		return err_set(err, ENAMETOOLONG, "path too long");
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "it is not a regular file any more");
	_cleanup_close_ int fd = open(
		lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, st.st_mode & 0777);
	if (fd < 0)
		return err_sys(err, errno, "create %s", lock);
	int k = fd_write_all(fd, text, n);
	if (k == 0 && (fsync(fd) < 0 || rename(lock, path) < 0))
		k = -errno;
	if (k < 0)
		unlink(lock);
	return k < 0 ? err_sys(err, -k, "write %s", path) : 0;
}

/* A path as the person knows it: relative to the workspace where it lies in there. */
static const char *shown_path(const struct run *r, const char *path, char *buf, size_t n)
{
	size_t k = strlen(r->ws.path);
	if (path_within(path, r->ws.path) && path[k])
		path += k + 1;
	return escape_text(buf, n, path);
}

/* No program runs by these, but one of the host's that opens them talks to the agent (IPC-08). */
static const char *special_name(enum scan_type type)
{
	return type == SCAN_SOCKET  ? "socket: what connects to it talks to what the agent left"
		: type == SCAN_FIFO ? "FIFO: what reads it waits for whoever writes"
				    : "device";
}

static void say_persist(struct run *r, const struct scan_result *s)
{
	char shown[512], detail[256];
	size_t n = 0;
	for (int automatic = 1; automatic >= 0; automatic--)
		for (size_t i = 0; i < s->n; i++) {
			const struct scan_item *it = &s->v[i];
			bool special = it->kind == SCAN_SPECIAL && (it->flags & SCAN_NEW);
			if ((it->kind != SCAN_PERSIST && !special) ||
				!!(it->flags & SCAN_AUTO) != automatic)
				continue;
			const char *why = special ? special_name(it->type) : it->detail;
			shown_path(r, it->path, shown, sizeof(shown));
			escape_text(detail, sizeof(detail), why);
			char class[16] = "";
			if (it->per)
				snprintf(class, sizeof(class), "PER-%02u", it->per);
			struct audit_field f[] = {{.key = "path", .str = it->path},
				{.key = "class", .str = class}, {.key = "detail", .str = why}};
			run_audit(r, "persist", f, ARRAY_LEN(f));
			if (r->opt.verbosity < 0)
				continue;
			if (n == 0)
				run_message(r,
					"look at these before you use them; they make programs "
					"run on this machine:");
			if (n++ < LIST_MAX)
				fprintf(stderr, "  %s %s%s%s%s\n",
					it->flags & SCAN_NEW ? "new    " : "changed", shown,
					detail[0] ? " (" : "", detail, detail[0] ? ")" : "");
		}
	if (n > LIST_MAX)
		fprintf(stderr, "  and %zu more: bawn log\n", n - LIST_MAX);
}

/* Where something could be left that is in no list. */
static void say_limits(struct run *r, const struct scan_result *s)
{
	char shown[512], why[256];
	size_t n = 0;
	run_audit_limits(r, s);
	for (size_t i = 0; i < s->n; i++) {
		const struct scan_item *it = &s->v[i];
		if (it->kind != SCAN_LIMIT || GUARD_REMOVED("scan-limits"))
			continue;
		shown_path(r, it->path, shown, sizeof(shown));
		escape_text(why, sizeof(why), it->detail ? it->detail : "");
		if (n++ < LIST_MAX)
			run_message(r, "not all was looked at: %s (%s)", shown, why);
	}
	if (n > LIST_MAX)
		run_message(
			r, "not all was looked at: and %zu more places: bawn log", n - LIST_MAX);
}

static void audit_git(struct run *r, const struct scan_item *it, const char *action)
{
	const struct audit_field f[] = {{.key = "path", .str = it->path},
		{.key = "key", .str = it->detail ? it->detail : ""},
		{.key = "action", .str = action}};
	run_audit(r, "gitconfig", f, ARRAY_LEN(f));
}

static void carry_git(struct run *r, const struct scan_result *s)
{
	char shown[512], key[256];
	struct err err = {0};
	size_t dropped = 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct scan_item *it = &s->v[i];
		shown_path(r, it->path, shown, sizeof(shown));
		if (it->kind == SCAN_GIT_CONFIG) {
			int k = write_git_config(it->path, it->text, it->n_text, &err);
			if (k < 0)
				run_message(r, "what changed in %s was not carried over: %s", shown,
					err.msg);
			audit_git(r, it, k < 0 ? err.msg : "carried over");
		} else if (it->kind == SCAN_GIT_DROPPED) {
			audit_git(r, it, "not carried over");
			escape_text(key, sizeof(key), it->detail);
			if (dropped++ < LIST_MAX)
				run_message(r,
					"not carried over into %s: %s (it could run a program)",
					shown, key);
		}
	}
}

static void scan_end(struct run *r)
{
	struct scan_result s = {0};
	struct err err = {0};
	if (run_scan_end(r, &s, &err) < 0)
		run_message(r, "the workspace could not be looked through at the end: %s", err.msg);
	if (r->lasting) /* or said not to be */
		store_sandbox_seen(&r->box);
	/* What was found before that counts all the same. */
	carry_git(r, &s);
	say_persist(r, &s);
	say_limits(r, &s);
	run_change_aside(r, &s);
	run_change_say(r);
}

void run_account(struct run *r, const struct sandbox_result *res)
{
	say_denials(r);
	scan_end(r);
	/* nothing has ended where nothing could be started */
	const uint64_t end = res->end_ns ? res->end_ns : run_now();
	struct audit_field f[] = {{.key = "code", .num = res->code},
		{.key = "ms", .num = (int64_t)((end - r->t_begin) / 1000000)}};
	run_audit(r, "exit", f, ARRAY_LEN(f));
}

static void timing_line(const char *what, uint64_t from, uint64_t to)
{
	if (from && to >= from)
		fprintf(stderr, "  %-34s %8.3f ms\n", what, (double)(to - from) / 1e6);
}

void run_timing(const struct run *r, const struct sandbox_result *s)
{
	const uint64_t *t = s->stamps;
	fprintf(stderr, "bawn: timing\n");
	timing_line("profile and policy (pack)", r->t_begin, r->t_pack);
	timing_line("host facts, workspace scan", r->t_pack, r->t_facts);
	timing_line("plan", r->t_facts, r->t_plan);
	timing_line("clone and start of bawn-init", s->start_ns, t[STAMP_MAIN]);
	timing_line("waiting for the policy", t[STAMP_MAIN], t[STAMP_TOLD]);
	timing_line("identity", t[STAMP_TOLD], t[STAMP_IDENTITY]);
	timing_line("every sandbox's mounts", t[STAMP_IDENTITY], t[STAMP_EARLY]);
	timing_line("waiting for the plan", t[STAMP_EARLY], t[STAMP_PLAN]);
	timing_line("its own mounts", t[STAMP_PLAN], t[STAMP_MOUNTS]);
	timing_line("root entered", t[STAMP_MOUNTS], t[STAMP_ROOT]);
	timing_line("network (beside all of these)", t[STAMP_MAIN], t[STAMP_NET]);
	timing_line("confined and proven", MAX(t[STAMP_NET], t[STAMP_ROOT]), t[STAMP_CONFINED]);
	timing_line("start of the agent's program", t[STAMP_CONFINED], t[STAMP_EXEC]);
	timing_line("from Enter to the agent's program", r->t_begin, t[STAMP_EXEC]);
	timing_line("the agent", t[STAMP_EXEC], s->end_ns);
}
