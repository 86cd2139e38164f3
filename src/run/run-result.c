/* run/run-result.c - what one session did and used: --result, --timeout, and the account of a loop.
 *
 * Two processes have a part in it where the sandbox lasts.  The supervisor counts (it sees traffic
 * and denials) and, at the session's end, writes the difference into a memfd of the client's; the
 * client knows how it ended, looks at the workspace, and writes the file.  Sessions that run at the
 * same time in one sandbox share its network: what one does counts for each of them.  Traffic is
 * counted where a connection ends, and told by the relay about once a second; the last session of a
 * sandbox hears all of it.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "base/blob.h"
#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json-out.h"
#include "run/run.h"
#include "scan/changed.h"

#define TARGETS_MAX 1024
#define MARKS_MAX 64 /* as many as there can be sessions */
#define TIMEOUT_MAX_MS (UINT64_C(24) * 24 * 3600 * 1000)
#define EXIT_TIMEOUT 124

enum account_tag { ACCOUNT_CPU = 1, ACCOUNT_FLOW, ACCOUNT_DENIAL };

struct traffic {
	uint64_t up, down;
};

/* What had been counted when a session began. */
struct mark {
	bool used;
	uint32_t session;
	struct arena arena;
	struct traffic *traffic;
	size_t n_traffic;
	struct strv denied; /* target, NUL's stand-in, reason */
	uint64_t *counts;
};

struct run_tally {
	struct arena arena;
	struct strv targets;
	struct traffic traffic[TARGETS_MAX]; /* the last one is for all the others */
	struct mark marks[MARKS_MAX];
};

/* ---- durations ---- */

int run_duration(const char *text, uint64_t *ret_ms, struct err *err)
{
	static const struct {
		char unit;
		uint64_t ms;
	} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}, {'\0', 1000}};
	char shown[64], *end;
	errno = 0;
	unsigned long long n = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
	for (size_t i = 0; n > 0 && !errno && i < ARRAY_LEN(units); i++) {
		bool fits = *end == units[i].unit && (!*end || !end[1]) &&
			n <= TIMEOUT_MAX_MS / units[i].ms;
		if (!fits)
			continue;
		*ret_ms = n * units[i].ms;
		return 0;
	}
	err_hint(err, "a number of seconds, or with a unit: 30s, 10m, 1h; at most 24d");
	return err_set(
		err, EINVAL, "'%s' is not a duration", escape_text(shown, sizeof(shown), text));
}

/* ---- the supervisor's part ---- */

static struct run_tally *tally(struct run *r)
{
	if (!r->tally)
		r->tally = calloc(1, sizeof(*r->tally));
	return r->tally;
}

void run_tally_flow(struct run *r, const char *target, uint64_t up, uint64_t down)
{
	struct run_tally *t = tally(r);
	size_t i = 0;
	if (!t)
		return;
	while (i < t->targets.n && !streq(t->targets.v[i], target))
		i++;
	if (i == t->targets.n &&
		strv_add(&t->arena, &t->targets, i < TARGETS_MAX - 1 ? target : "others") < 0)
		return;
	i = MIN(i, (size_t)TARGETS_MAX - 1);
	t->traffic[i].up += up;
	t->traffic[i].down += down;
}

static char *denial_key(struct arena *a, const struct dialer_denial *d)
{
	return arena_printf(a, "%s\n%s", d->target, d->reason);
}

struct counting {
	struct mark *mark;
	struct blob *to;
	uint64_t total;
};

static void note_denial(void *ctx, const struct dialer_denial *d)
{
	struct counting *c = ctx;
	struct mark *m = c->mark;
	char *key = denial_key(&m->arena, d);
	if (key && m->counts && m->denied.n < 1024 && strv_push(&m->arena, &m->denied, key) == 0)
		m->counts[m->denied.n - 1] = d->count;
}

void run_tally_begin(void *run, uint32_t session)
{
	struct run *r = run;
	struct run_tally *t = tally(r);
	struct mark *m = NULL;
	for (size_t i = 0; t && i < MARKS_MAX && !m; i++)
		if (!t->marks[i].used)
			m = &t->marks[i];
	if (!m)
		return;
	*m = (struct mark){.used = true, .session = session};
	m->n_traffic = MIN(t->targets.n, (size_t)TARGETS_MAX);
	m->traffic = arena_alloc(&m->arena, (m->n_traffic + 1) * sizeof(*m->traffic));
	m->counts = arena_alloc(&m->arena, 1024 * sizeof(*m->counts));
	if (m->traffic)
		memcpy(m->traffic, t->traffic, m->n_traffic * sizeof(*m->traffic));
	else
		m->n_traffic = 0;
	struct counting c = {.mark = m};
	if (r->sandbox)
		dialer_each_denial(sandbox_dialer(r->sandbox), note_denial, &c);
}

static void put_denial(void *ctx, const struct dialer_denial *d)
{
	struct counting *c = ctx;
	uint64_t before = 0;
	char *key = c->mark ? denial_key(&c->mark->arena, d) : NULL;
	for (size_t i = 0; key && i < c->mark->denied.n; i++)
		if (streq(c->mark->denied.v[i], key))
			before = c->mark->counts[i];
	if (d->count <= before)
		return;
	char count[24];
	snprintf(count, sizeof(count), "%" PRIu64, d->count - before);
	const char *const words[] = {count, d->target, d->reason, d->rule, d->fix};
	blob_put_strs(c->to, ACCOUNT_DENIAL, words, ARRAY_LEN(words));
}

static void put_flows(const struct run_tally *t, const struct mark *m, struct blob *b)
{
	for (size_t i = 0; t && i < MIN(t->targets.n, (size_t)TARGETS_MAX); i++) {
		struct traffic now = t->traffic[i];
		char up[24], down[24];
		if (m && i < m->n_traffic) {
			now.up -= m->traffic[i].up;
			now.down -= m->traffic[i].down;
		}
		if (!now.up && !now.down)
			continue;
		snprintf(up, sizeof(up), "%" PRIu64, now.up);
		snprintf(down, sizeof(down), "%" PRIu64, now.down);
		const char *const words[] = {t->targets.v[i], up, down};
		blob_put_strs(b, ACCOUNT_FLOW, words, ARRAY_LEN(words));
	}
}

void run_tally_account(void *run, const struct sandbox_account *a)
{
	struct run *r = run;
	struct run_tally *t = tally(r);
	struct mark *m = NULL;
	for (size_t i = 0; t && i < MARKS_MAX; i++)
		if (t->marks[i].used && t->marks[i].session == a->session)
			m = &t->marks[i];
	struct blob b = {0};
	const uint64_t cpu[] = {a->user_us, a->system_us};
	struct counting c = {.mark = m, .to = &b};
	blob_put(&b, ACCOUNT_CPU, cpu, sizeof(cpu));
	put_flows(t, m, &b);
	if (r->sandbox)
		dialer_each_denial(sandbox_dialer(r->sandbox), put_denial, &c);
	/* a client that has no use for it any more, or no memory: it goes without */
	if (!b.failed)
		fd_write_all(a->fd, b.data, b.n);
	blob_free(&b);
	if (m) {
		arena_free(&m->arena);
		*m = (struct mark){0};
	}
}

void run_tally_free(struct run *r)
{
	for (size_t i = 0; r->tally && i < MARKS_MAX; i++)
		arena_free(&r->tally->marks[i].arena);
	if (r->tally)
		arena_free(&r->tally->arena);
	free(r->tally);
	r->tally = NULL;
	if (r->result.account >= 0)
		close(TAKE_FD(r->result.account));
	if (r->result.dir >= 0)
		close(TAKE_FD(r->result.dir));
}

/* ---- the client's part ---- */

int run_result_open(struct run *r, struct err *err)
{
	const char *path = r->opt.result;
	char shown[300];
	struct stat st;
	if (!path)
		return 0;
	escape_text(shown, sizeof(shown), path);
	const char *slash = strrchr(path, '/');
	char *dir = slash ? arena_dupn(&r->arena, path, slash == path ? 1 : (size_t)(slash - path))
			  : arena_dup(&r->arena, ".");
	char *name = arena_dup(&r->arena, slash ? slash + 1 : path);
	if (!dir || !name)
		return err_set(err, ENOMEM, "out of memory");
	err_hint(err, "--result takes the path of a file in a directory that you can write");
	if (!*name || streq(name, ".") || streq(name, ".."))
		return err_set(err, EISDIR, "--result '%s' names no file", shown);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "--result %s", shown);
	r->result.dir = fd; /* held: nothing inside can lead the write elsewhere */
	if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return err_sys(err, errno, "--result %s", shown);
	bool is = fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!is && errno != ENOENT)
		return err_sys(err, errno, "--result %s", shown);
	if (is && !S_ISREG(st.st_mode))
		return err_set(err, EEXIST, "--result %s exists and is no regular file", shown);
	*err = (struct err){0};
	r->result.name = name;
	r->result.wanted = true;
	run_result_start(r);
	return 0;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A file's times come from the coarse clock, which moves with the timer's tick, or from the fine
 * one (Linux 6.13, Documentation/filesystems/multigrain-ts.rst).  Files of the last iteration are
 * therefore older than the next one for certain once the coarse clock has passed the fine one's
 * value of now: one or two ticks, which a loop waits for and nobody else. */
void run_result_start(struct run *r)
{
	const struct timespec little = {.tv_nsec = 200000};
	uint64_t begun = clock_ns(CLOCK_REALTIME), now;
	int tries = r->result.iteration > 1 ? 250 : 0; /* somebody may set the clock back */
	while ((now = clock_ns(CLOCK_REALTIME_COARSE)) <= begun && tries-- > 0)
		nanosleep(&little, NULL);
	r->result.started = (int64_t)(now / 1000000000u);
	r->result.since_ns = now;
}

int run_result_account(struct run *r, struct err *err)
{
	struct run_result *res = &r->result;
	if (!res->wanted || res->account >= 0)
		return res->account;
	int fd = memfd_create("bawn-account", MFD_CLOEXEC);
	if (fd < 0) {
		err_sys(err, errno, "memory for the account");
		return -ENOMEM;
	}
	res->account = fd;
	return fd;
}

int run_result_code(const struct run *r, int code)
{
	if (!r->result.timeout)
		return code;
	run_message(r, "its time (%" PRIu64 " s) was over: it was ended", r->opt.timeout_ms / 1000);
	return EXIT_TIMEOUT;
}

/* "2026-01-02T03:04:05Z"; days from the civil calendar, as no time zone file is to be read. */
static const char *rfc3339(int64_t t, char dst[32])
{
	int64_t days = t / 86400 + 719468, sec = t % 86400;
	int64_t era = days / 146097, doe = days % 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153, day = doy - (153 * mp + 2) / 5 + 1;
	int64_t month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2);
	snprintf(dst, 32, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year, (int)month, (int)day,
		(int)(sec / 3600), (int)(sec / 60 % 60), (int)(sec % 60));
	return dst;
}

static int64_t number(const char *s)
{
	return s ? (int64_t)strtoull(s, NULL, 10) : 0;
}

/* The records of one kind, as an array; j NULL: only counted.  Sum of the counts. */
static uint64_t each_record(
	const void *data, size_t n, enum account_tag tag, const char *key, struct json_out *j)
{
	struct blob_iter it;
	struct blob_view v;
	uint64_t sum = 0;
	if (j)
		json_begin(j, key, '[');
	blob_iter_init(&it, data, n);
	while (blob_next(&it, &v) == 1) {
		size_t pos = 0;
		if (v.tag != tag)
			continue;
		const char *a = blob_strs_next(&v, &pos), *b = blob_strs_next(&v, &pos),
			   *c = blob_strs_next(&v, &pos), *d = blob_strs_next(&v, &pos),
			   *e = blob_strs_next(&v, &pos);
		sum += (uint64_t)number(a);
		if (!j)
			continue;
		json_begin(j, NULL, '{');
		json_str(j, "target", tag == ACCOUNT_FLOW ? a : b);
		if (tag == ACCOUNT_FLOW) {
			json_int(j, "up", number(b));
			json_int(j, "down", number(c));
		} else {
			json_int(j, "count", number(a));
			json_str(j, "reason", c);
			json_str(j, "rule", d && *d ? d : NULL);
			json_str(j, "fix", e && *e ? e : NULL);
		}
		json_end(j, '}');
	}
	if (j)
		json_end(j, ']');
	return sum;
}

static void take_cpu(struct run_result *res, const void *data, size_t n)
{
	struct blob_iter it;
	struct blob_view v;
	uint64_t cpu[2];
	blob_iter_init(&it, data, n);
	if (blob_next(&it, &v) != 1 || v.tag != ACCOUNT_CPU || v.len != sizeof(cpu))
		return;
	memcpy(cpu, v.data, sizeof(cpu));
	res->user_us = cpu[0];
	res->system_us = cpu[1];
}

static const char *ending(const struct run_result *res, const struct err *err)
{
	return err->code        ? "failed"
		: res->detached ? "detached"
		: res->timeout  ? "timeout"
				: "exited";
}

static void write_file(struct run *r, int code, const struct err *err, const void *data, size_t n,
	const struct scan_changed *changed)
{
	struct run_result *res = &r->result;
	struct json_out j = {.pretty = true};
	struct err failure = {0};
	char text[32];
	json_begin(&j, NULL, '{');
	json_str(&j, "sandbox", r->spec.name ? r->spec.name : r->box.id);
	json_str(&j, "profile", r->opt.profile);
	if (res->iteration)
		json_int(&j, "iteration", (int64_t)res->iteration);
	json_str(&j, "started", rfc3339(res->started, text));
	json_str(&j, "ended", rfc3339((int64_t)time(NULL), text));
	json_int(&j, "duration_ms", (int64_t)res->ms);
	json_str(&j, "end", ending(res, err));
	json_int(&j, "exit", code);
	json_str(&j, "error", err->code && *err->msg ? err->msg : NULL);
	json_str(&j, "remedy", err->code && *err->hint ? err->hint : NULL);
	json_begin(&j, "cpu", '{');
	json_int(&j, "user_ms", (int64_t)(res->user_us / 1000));
	json_int(&j, "system_ms", (int64_t)(res->system_us / 1000));
	json_end(&j, '}');
	each_record(data, n, ACCOUNT_FLOW, "network", &j);
	each_record(data, n, ACCOUNT_DENIAL, "denials", &j);
	json_begin(&j, "workspace", '{');
	json_str(&j, "path", r->ws.path);
	json_int(&j, "files_changed", (int64_t)changed->files);
	json_int(&j, "files_new", (int64_t)changed->fresh);
	json_bool(&j, "complete", changed->whole);
	json_end(&j, '}');
	json_end(&j, '}');
	char *all = j.failed ? NULL : arena_printf(&r->arena, "%s\n", j.buf);
	int k = all ? file_write_atomic(res->dir, res->name, all, strlen(all), 0644, true, &failure)
		    : err_set(&failure, ENOMEM, "out of memory");
	if (k < 0)
		run_message(r, "the result was not written: %s", failure.msg);
	json_free(&j);
}

void run_result_end(struct run *r, int code, const struct err *err)
{
	struct run_result *res = &r->result;
	struct scan_changed changed = {.whole = true};
	struct err ignored = {0};
	struct stat st;
	void *data = NULL;
	if (!res->wanted)
		return;
	res->ms = (run_now() - r->t_begin) / 1000000;
	size_t n = res->account >= 0 && fstat(res->account, &st) == 0 ? (size_t)st.st_size : 0;
	if (n)
		data = mmap(NULL, n, PROT_READ, MAP_PRIVATE, res->account, 0);
	if (data == MAP_FAILED)
		data = NULL;
	n = data ? n : 0;
	take_cpu(res, data, n);
	res->denials = each_record(data, n, ACCOUNT_DENIAL, NULL, NULL);
	if (r->ws.path && scan_changed_count(r->ws.path, res->since_ns, &changed, &ignored) < 0)
		changed.whole = false;
	res->changed = changed.files;
	if (res->name)
		write_file(r, code, err, data, n, &changed);
	if (data)
		munmap(data, n);
	if (res->account >= 0)
		close(TAKE_FD(res->account));
	if (res->dir >= 0)
		close(TAKE_FD(res->dir));
	res->wanted = false;
}
