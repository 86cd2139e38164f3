/* audit/audit.c - the writer: one event, one line, one write(2).
 *
 * Owns: the log's descriptor, rotation, the rate cap.  Must not: allocate per event beyond one
 * buffer, block on another writer, or stop a run because the log can't be written.
 *
 * Theory of operation.  All runs without a name of their own append to one file.  O_APPEND makes
 * each write(2) land whole behind the others' (the kernel holds the inode's lock meanwhile), so
 * lines never mix.  Rotation: whoever finds its descriptor past the limit tries flock() on it.  The
 * winner renames the file if the path still names it; everybody else goes on writing into the
 * renamed file until its own next event, when it finds the same and opens the path again.  No line
 * is lost, and nobody waits.  A short write (disk full) leaves half a line: the next write starts
 * with a newline, and readers skip the half.
 */
#include "audit/audit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "audit/events.h"
#include "base/file.h"
#include "base/json-out.h"
#include "base/path.h"

#define ROTATE_AT (INT64_C(16) << 20)
#define RATE_CAP 1000 /* events a second */

struct audit {
	int fd;
	char path[PATH_MAX];
	char sandbox[256];
	struct json_out line;
	int64_t window; /* the second that n_window counts in, CLOCK_MONOTONIC */
	unsigned int n_window;
	uint64_t dropped; /* by the rate cap or a full disk, not reported yet */
	bool full;        /* the last write failed, and that was reported */
	bool torn;        /* half a line is at the end */
};

static int64_t rotate_at(void)
{
	return GUARD_REMOVED("audit-rotate") ? INT64_MAX : ROTATE_AT;
}

static int open_log(const char *path, struct err *err)
{
	const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY |
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

int audit_open(const char *path, const char *sandbox, struct audit **ret, struct err *err)
{
	struct audit *a = calloc(1, sizeof(*a));
	if (!a)
		return err_set(err, ENOMEM, "out of memory");
	a->fd = -1;
	int r = snprintf(a->path, sizeof(a->path), "%s", path);
	/* ".1" has to fit as well */
	if (r < 0 || (size_t)r + 3 > sizeof(a->path)) {
		r = err_set(err, ENAMETOOLONG, "path too long: %s", path);
		goto fail;
	}
	snprintf(a->sandbox, sizeof(a->sandbox), "%s", sandbox);
	r = a->fd = open_log(path, err);
	if (r < 0)
		goto fail;
	r = check_log(a->fd, path, err);
	if (r < 0)
		goto fail;
	*ret = a;
	return 0;
fail:
	audit_close(a);
	return r;
}

/* The path's file again, when it is no longer ours; keeps the old one if that fails. */
static void reopen(struct audit *a)
{
	int fd = open_log(a->path, NULL);
	if (fd < 0)
		return;
	if (check_log(fd, a->path, NULL) < 0) {
		close(fd);
		return;
	}
	close(a->fd);
	a->fd = fd;
	a->torn = false;
}

static void rotate_if_needed(struct audit *a)
{
	struct stat mine, now;
	if (fstat(a->fd, &mine) < 0)
		return;
	if (mine.st_nlink > 0 && mine.st_size < rotate_at())
		return;
	if (flock(a->fd, LOCK_EX | LOCK_NB) < 0)
		return; /* somebody is just doing it */
	bool same = lstat(a->path, &now) == 0 && now.st_dev == mine.st_dev &&
		now.st_ino == mine.st_ino;
	if (same) {
		char old[PATH_MAX + 4];
		snprintf(old, sizeof(old), "%s.1", a->path);
		if (rename(a->path, old) < 0) {
			flock(a->fd, LOCK_UN);
			return;
		}
	}
	flock(a->fd, LOCK_UN);
	reopen(a);
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

static void build_line(struct audit *a, const char *event, const struct audit_field *f, size_t n)
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
	json_end(j, '}');
}

/* The line and its newline in one write.  0, or -errno the first time it can't be written. */
static int write_line(struct audit *a)
{
	struct json_out *j = &a->line;
	if (j->failed) {
		json_free(j);
		return -ENOMEM;
	}
	/* The writer keeps a NUL behind the text: its place takes the newline. */
	j->buf[j->n] = '\n';
	size_t len = j->n + 1;
	ssize_t k;
	do {
		/* the newline that ends a torn line must not become a line of its own */
		k = a->torn ? write(a->fd, "\n", 1) : 1;
		if (k == 1) {
			a->torn = false;
			k = write(a->fd, j->buf, len);
		}
	} while (k < 0 && errno == EINTR);
	j->buf[j->n] = '\0';
	if (k == (ssize_t)len) {
		a->full = false;
		return 0;
	}
	int e = k < 0 ? errno : ENOSPC;
	a->torn |= k > 0;
	a->dropped++;
	if (a->full)
		return 0;
	a->full = true;
	return -e;
}

/* false: over the cap, count it. */
static bool within_rate(struct audit *a, const char *event)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (ts.tv_sec != a->window) {
		a->window = ts.tv_sec;
		a->n_window = 0;
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
	build_line(a, "dropped", &f, 1);
	int r = write_line(a);
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
	rotate_if_needed(a);
	if (a->dropped && (a->full || a->n_window <= 1))
		r = report_dropped(a);
	build_line(a, event, f, n);
	int k = write_line(a);
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
	json_free(&a->line);
	free(a);
}
