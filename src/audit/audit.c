/* audit/audit.c - the writer: one event, one line, one write(2), one link of the chain.
 *
 * Owns: the log's descriptor, its head record, rotation, the rate cap.  Must not: allocate per
 * event beyond one buffer, wait long for another writer, or stop a run because the log can't be
 * written.
 *
 * Theory of operation.  All runs without a file of their own append to one.  Each line carries the
 * hash of the line before it (chain.h), so lines are written under a lock, that of the head record:
 * look whether the path still names our file, rotate if it is too long, append, write the head.
 * Whoever dies in the middle leaves one of three states, and the next writer settles each: half a
 * line behind what the head knows is cut off; a whole line that the head doesn't know yet, and that
 * continues the chain, is taken; anything else is not ours and stays, for `bawn log --verify` to
 * find.  A writer that is stopped while it holds the lock holds up nobody for more than LOCK_WAIT:
 * what can't be written is counted, and reported later.
 */
#include "audit/audit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "audit/chain.h"
#include "audit/events.h"
#include "base/arena.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json-out.h"
#include "base/path.h"

#define RATE_CAP 1000                 /* events a second */
#define LINE_CAP 32768                /* a longer one is counted as dropped: readers have a limit */
#define LOCK_WAIT INT64_C(1000000000) /* ns */

struct audit {
	int fd;
	int head;
	char path[PATH_MAX];
	char head_path[PATH_MAX];
	char sandbox[256];
	struct json_out line;
	int64_t window; /* the second that n_window counts in, CLOCK_MONOTONIC */
	unsigned int n_window;
	uint64_t dropped; /* by the rate cap or a full disk, not reported yet */
	bool full;        /* the last write failed, and that was reported */
	bool head_known;  /* looked at in this second: its path names our descriptor */
	struct stat mine; /* of fd, when it was opened */
	bool stuck;       /* the lock could not be had: the next event does not wait for it */
};

static int64_t rotate_at(void)
{
	return GUARD_REMOVED("audit-rotate") ? INT64_MAX : AUDIT_FILE_MAX;
}

/* append: O_APPEND or 0 */
static int open_log(const char *path, int append, struct err *err)
{
	const int flags = O_RDWR | O_CREAT | append | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY |
		O_NONBLOCK;
	int fd = open(path, flags, 0600);
	if (fd < 0 && errno == ENOENT) {
		char dir[PATH_MAX];
		snprintf(dir, sizeof(dir), "%s", path);
		char *slash = strrchr(dir, '/');
		if (slash && slash != dir) {
			*slash = '\0';
			int r = file_mkdir_private(dir, err);
			if (r < 0)
				return r;
			fd = open(path, flags, 0600);
		}
	}
	if (fd < 0)
		return err_sys(err, errno, "open the audit log %s", path);
	return fd;
}

/* A regular file of ours: nobody else may have put it there, nor a FIFO that blocks us. */
static int check_log(int fd, const char *path, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "stat %s", path);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
		err_hint(err, "give --audit a file of yours, or move this one away");
		return err_set(err, EPERM, "the audit log %s is not a regular file of yours", path);
	}
	return 0;
}

/* path's file in place of *fd, which stays where that fails. */
static int open_checked(const char *path, int append, int *fd, struct err *err)
{
	_cleanup_close_ int got = open_log(path, append, err);
	int r = got < 0 ? got : check_log(got, path, err);
	if (r < 0)
		return r;
	if (*fd >= 0)
		close(*fd);
	*fd = TAKE_FD(got);
	return 0;
}

static int log_stat(struct audit *a)
{
	return fstat(a->fd, &a->mine) < 0 ? -errno : 0;
}

int audit_open(const char *path, const char *sandbox, struct audit **ret, struct err *err)
{
	struct audit *a = first_calloc(sizeof(*a));
	if (!a)
		return err_set(err, ENOMEM, "out of memory");
	a->fd = a->head = -1;
	snprintf(a->path, sizeof(a->path), "%s", path);
	int r = snprintf(a->head_path, sizeof(a->head_path), "%s.head", path);
	if (r < 0 || (size_t)r >= sizeof(a->head_path)) {
		r = err_set(err, ENAMETOOLONG, "path too long: %s", path);
		goto fail;
	}
	snprintf(a->sandbox, sizeof(a->sandbox), "%s", sandbox);
	r = open_checked(a->path, O_APPEND, &a->fd, err);
	if (r == 0)
		r = open_checked(a->head_path, 0, &a->head, err);
	if (r == 0)
		r = log_stat(a);
	if (r < 0)
		goto fail;
	*ret = a;
	return 0;
fail:
	audit_close(a);
	return r;
}

static int64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static bool still_there(int fd, const char *path, struct stat *mine)
{
	struct stat now;
	return fstat(fd, mine) == 0 && lstat(path, &now) == 0 && now.st_dev == mine->st_dev &&
		now.st_ino == mine->st_ino;
}

static bool lock_wait(struct audit *a)
{
	struct timespec pause = {.tv_nsec = 20000};
	int64_t end = now_ns() + (a->stuck ? 0 : LOCK_WAIT);
	while (flock(a->head, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EINTR && (errno != EWOULDBLOCK || now_ns() >= end))
			return false;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 1000000)
			pause.tv_nsec *= 2;
	}
	return true;
}

/* The log's lock, on the head record that its path names.  0 or -errno. */
static int lock(struct audit *a)
{
	struct stat st;
	for (int tries = 0; tries < 8; tries++) {
		a->stuck = !lock_wait(a);
		if (a->stuck)
			return -EAGAIN;
		if (a->head_known || still_there(a->head, a->head_path, &st)) {
			a->head_known = true;
			return 0;
		}
		/* somebody removed it */
		flock(a->head, LOCK_UN);
		int r = open_checked(a->head_path, 0, &a->head, NULL);
		if (r < 0)
			return r;
	}
	return -EAGAIN;
}

/* How far files are to be moved: to the first place that is free, which a rotation that was killed
 * has left, or the oldest's. */
static unsigned int free_place(const struct audit *a)
{
	char file[PATH_MAX + 16];
	unsigned int i = 1;
	while (i + 1 < AUDIT_FILES && chain_file(file, sizeof(file), a->path, i) &&
		access(file, F_OK) == 0)
		i++;
	return i;
}

/* One step older: the oldest goes.  The head first: who dies in between leaves a head that knows
 * already (no line in the first file), and the next writer moves what is left. */
static void rotate(struct audit *a, struct chain_head *h)
{
	char from[PATH_MAX + 16], to[PATH_MAX + 16];
	if (h->first[0])
		memmove(h->first + 1, h->first, (AUDIT_FILES - 1) * sizeof(*h->first));
	h->first[0] = h->size = 0;
	CRASH_STEP();
	if (chain_head_write(a->head, h) < 0)
		return;
	for (unsigned int i = free_place(a); i > 0; i--) {
		CRASH_STEP();
		if (chain_file(from, sizeof(from), a->path, i - 1) &&
			chain_file(to, sizeof(to), a->path, i))
			(void)rename(from, to);
	}
	CRASH_STEP();
	(void)open_checked(a->path, O_APPEND, &a->fd, NULL);
	CRASH_STEP();
}

/* Take half a line back.  One that can't be stays, and the next line begins on a line of its own.
 */
static void cut_back(const struct audit *a, uint64_t size)
{
	int r = ftruncate(a->fd, (off_t)size);
	(void)r;
}

/* What is behind the end that the head knows: whole lines that continue the chain are taken, half a
 * line of ours is cut off.  What else there is stays. */
static void settle_tail(struct audit *a, struct chain_head *h, uint64_t size)
{
	static char buf[LINE_CAP * 2];
	size_t want = (size_t)MIN(size - h->size, sizeof(buf)), at = 0;
	if (fd_pread_full(a->fd, buf, want, (off_t)h->size) != (ssize_t)want)
		return;
	for (char *nl; (nl = memchr(buf + at, '\n', want - at)) != NULL;) {
		size_t len = (size_t)(nl - buf) - at;
		char prev[SHA256_HEX + 1];
		uint64_t n;
		if (!chain_line(buf + at, len, &n, prev) || n != h->n + 1 || !streq(prev, h->hash))
			break;
		if (!h->first[0])
			h->first[0] = n;
		h->n = n;
		sha256_hex(buf + at, len, h->hash);
		at += len + 1;
	}
	h->size += at;
	if (want - at > 0 && h->size + (want - at) == size && !memchr(buf + at, '\n', want - at))
		cut_back(a, h->size);
}

/* Is the path's file ours?  *ret_size: its size.  One call, as this is done for every line. */
static bool is_mine(const struct audit *a, uint64_t *ret_size)
{
	struct stat st;
	if (lstat(a->path, &st) < 0 || st.st_ino != a->mine.st_ino || st.st_dev != a->mine.st_dev)
		return false;
	*ret_size = (uint64_t)st.st_size;
	return true;
}

/* Under the lock: our descriptor is the path's file, *h its head, *ret_size its size; *ret_odd: the
 * head did not know that. */
static int settle(struct audit *a, struct chain_head *h, uint64_t *ret_size, bool *ret_odd)
{
	uint64_t size;
	int r = 0;
	if (!is_mine(a, &size)) {
		r = open_checked(a->path, O_APPEND, &a->fd, NULL);
		if (r == 0)
			r = log_stat(a);
		size = (uint64_t)a->mine.st_size;
	}
	if (r < 0)
		return r;
	/* without a record a new chain begins, and that shows */
	*ret_odd = chain_head_read(a->head, h) != 1;
	if (*ret_odd)
		h->size = size;
	*ret_odd |= size != h->size;
	if (size > h->size)
		settle_tail(a, h, size);
	if (size >= (uint64_t)rotate_at()) {
		rotate(a, h);
		*ret_odd = true;
	}
	if (*ret_odd) {
		r = log_stat(a);
		size = (uint64_t)a->mine.st_size;
	}
	*ret_size = size;
	return r;
}

/* RFC 3339, UTC, microseconds.  Not gmtime_r: it reads the time zone files first. */
static void put_time(char *dst, size_t cap)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	int64_t days = ts.tv_sec / 86400, sec = ts.tv_sec % 86400;
	/* Days since 1970 to a date, counting years from March, so that leap days come last. */
	int64_t z = days + 719468, era = z / 146097, doe = z % 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int64_t d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;
	int64_t y = yoe + era * 400 + (m <= 2);
	snprintf(dst, cap,
		"%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64 ":%02" PRId64
		".%06ldZ",
		y, m, d, sec / 3600, sec / 60 % 60, sec % 60, ts.tv_nsec / 1000);
}

static void build_line(struct audit *a, const struct chain_head *h, const char *event,
	const struct audit_field *f, size_t n)
{
	struct json_out *j = &a->line;
	char when[64];
	put_time(when, sizeof(when));
	j->n = 0;
	j->depth = 0;
	json_begin(j, NULL, '{');
	json_str(j, "time", when);
	json_str(j, "sandbox", a->sandbox);
	json_str(j, "event", event);
	for (size_t i = 0; i < n; i++) {
		if (f[i].str)
			json_str(j, f[i].key, f[i].str);
		else
			json_int(j, f[i].key, f[i].num);
	}
	json_int(j, "n", (int64_t)h->n + 1);
	json_str(j, "prev", GUARD_REMOVED("audit-chain") ? CHAIN_NONE : h->hash);
	json_end(j, '}');
}

/* What is not a whole line must not stay: the chain has no half ones.  0 or -errno. */
static int append(struct audit *a, const char *text, size_t len, uint64_t *size, bool odd)
{
	char last = '\n';
	/* half a line that is not ours: it must not become the beginning of one */
	if (odd && *size > 0 && pread(a->fd, &last, 1, (off_t)*size - 1) == 1 && last != '\n') {
		if (fd_write_all(a->fd, "\n", 1) < 0)
			return -ENOSPC;
		++*size;
	}
	ssize_t k;
	do
		k = write(a->fd, text, len);
	while (k < 0 && errno == EINTR);
	if (k == (ssize_t)len) {
		*size += len;
		return 0;
	}
	int e = k < 0 ? errno : ENOSPC;
	if (k > 0)
		cut_back(a, *size);
	return -e;
}

/* Under the lock: the line, its newline and the head behind it. */
static int write_locked(struct audit *a, const char *event, const struct audit_field *f, size_t n)
{
	struct json_out *j = &a->line;
	struct chain_head h;
	uint64_t size = 0;
	bool odd = false;
	int r = settle(a, &h, &size, &odd);
	if (r < 0)
		return r;
	build_line(a, &h, event, f, n);
	if (j->failed) {
		json_free(j);
		return -ENOMEM;
	}
	if (j->n > LINE_CAP)
		return -EMSGSIZE;
	/* The writer keeps a NUL behind the text: its place takes the newline. */
	j->buf[j->n] = '\n';
	r = append(a, j->buf, j->n + 1, &size, odd);
	j->buf[j->n] = '\0';
	if (r < 0)
		return r;
	h.n++;
	h.size = size;
	if (!h.first[0])
		h.first[0] = h.n;
	sha256_hex(j->buf, j->n, h.hash);
	/* the next writer finds the line where this fails */
	(void)chain_head_write(a->head, &h);
	return 0;
}

/* 0, or -errno the first time it can't be written. */
static int write_line(struct audit *a, const char *event, const struct audit_field *f, size_t n)
{
	int r = lock(a);
	if (r == 0) {
		r = write_locked(a, event, f, n);
		flock(a->head, LOCK_UN);
	}
	if (r == 0) {
		a->full = false;
		return 0;
	}
	a->dropped++;
	if (a->full || r == -EMSGSIZE)
		return 0;
	a->full = true;
	return r;
}

/* false: over the cap, count it. */
static bool within_rate(struct audit *a, const char *event)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (ts.tv_sec != a->window) {
		a->window = ts.tv_sec;
		a->n_window = 0;
		a->head_known = false;
	}
	const struct audit_event *e = audit_event_find(event);
	if ((e && e->keep) || GUARD_REMOVED("audit-rate"))
		return true;
	return a->n_window++ < RATE_CAP;
}

static int report_dropped(struct audit *a)
{
	uint64_t n = a->dropped;
	struct audit_field f = {.key = "count", .num = (int64_t)n};
	int r = write_line(a, "dropped", &f, 1);
	if (!a->full)
		a->dropped -= n;
	else
		a->dropped = n;
	return r;
}

int audit_emit(struct audit *a, const char *event, const struct audit_field *f, size_t n)
{
	int r = 0;
	if (!within_rate(a, event)) {
		a->dropped++;
		return 0;
	}
	if (a->dropped && (a->full || a->n_window <= 1))
		r = report_dropped(a);
	int k = write_line(a, event, f, n);
	return k < 0 ? k : r;
}

void audit_close(struct audit *a)
{
	if (!a)
		return;
	if (a->fd >= 0) {
		if (a->dropped)
			(void)report_dropped(a);
		close(a->fd);
	}
	if (a->head >= 0)
		close(a->head);
	json_free(&a->line);
	first_free(a);
}
