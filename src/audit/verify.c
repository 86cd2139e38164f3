/* audit/verify.c - does the log still say what was written?  See read.h and chain.h.
 *
 * Owns: reading all files of the log and comparing them with chain and head record.  Must not:
 * change anything, nor trust a byte of what it reads.
 *
 * Theory of operation.  The files are opened and their sizes taken under the log's lock, so that
 * the head record belongs to them; then writers go on and are not seen.  A line's text is vouched
 * for by the line behind it (prev), the last one's by the head.  Numbers tell what is missing or
 * moved. Lines without a number are of a bawn before the chain, if they stand before line 1.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "audit/read.h"
#include "base/escape.h"

struct verify {
	struct chain_head head;
	struct audit_verdict *to;
	void (*problem)(void *ud, const char *text);
	void *ud;
	char file[PATH_MAX]; /* the one that is read, escaped */
	uint64_t line;       /* in it */
	uint64_t n;          /* number of the last line that was in its place */
	char hash[SHA256_HEX + 1], at[PATH_MAX + 32];
	bool begun, broken; /* broken: prev of the next line is not to be compared */
	bool head_seen;
};

static void tell(struct verify *v, const char *where, const char *fmt, ...) _printf_(3, 4);
static void tell(struct verify *v, const char *where, const char *fmt, ...)
{
	char text[PATH_MAX + 512];
	int n = snprintf(text, sizeof(text), "%s: ", where);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	v->to->problems++;
	v->problem(v->ud, text);
}

/* The number that the oldest line there is must have. */
static uint64_t oldest(const struct chain_head *h)
{
	for (size_t i = AUDIT_FILES; i > 0; i--)
		if (h->first[i - 1])
			return h->first[i - 1];
	return 1;
}

static void in_order(struct verify *v, const char *here, uint64_t n, const char *prev)
{
	uint64_t want = v->begun ? v->n + 1 : oldest(&v->head);
	if (n > want) {
		tell(v, here, "lines are missing before it: number %" PRIu64 " to %" PRIu64, want,
			n - 1);
		return;
	}
	if (!v->begun && n == 1 && !streq(prev, CHAIN_NONE))
		tell(v, here, "the first line of all was changed");
	if (v->begun && !v->broken && !streq(prev, v->hash))
		tell(v, v->at, "the line was changed, or the one behind it");
}

static void check_line(struct verify *v, const char *line, size_t len)
{
	char here[sizeof(v->at)], prev[SHA256_HEX + 1];
	uint64_t n;
	v->line++;
	snprintf(here, sizeof(here), "%s:%" PRIu64, v->file, v->line);
	if (!chain_line(line, len, &n, prev)) {
		if (v->begun) {
			tell(v, here, "a line without a number: it was put in or changed");
			return;
		}
		v->to->old++;
		return;
	}
	v->to->lines++;
	if (v->begun && n <= v->n) {
		if (n == 1)
			tell(v, here, "a new chain begins: the head record was removed before it");
		else
			tell(v, here, "out of order: number %" PRIu64 " behind %" PRIu64, n, v->n);
		if (n != 1)
			return;
	} else {
		if (!v->begun && n > 1 && v->to->old)
			tell(v, here, "lines without a number stand before number %" PRIu64, n);
		in_order(v, here, n, prev);
	}
	v->begun = true;
	v->broken = false;
	v->n = n;
	sha256_hex(line, len, v->hash);
	snprintf(v->at, sizeof(v->at), "%s", here);
	if (n == v->head.n) {
		v->head_seen = true;
		if (!streq(v->hash, v->head.hash))
			tell(v, here, "the line was changed");
	}
}

/* The lines of one file, up to size. */
static int check_file(struct verify *v, int fd, uint64_t size)
{
	static char buf[2 * AUDIT_LINE_MAX];
	size_t have = 0;
	bool skip = false;
	v->line = 0;
	while (size > 0) {
		ssize_t k = read(fd, buf + have, (size_t)MIN(size, sizeof(buf) - have));
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? -errno : 0;
		size -= (uint64_t)k;
		have += (size_t)k;
		char *p = buf, *nl;
		while ((nl = memchr(p, '\n', have - (size_t)(p - buf))) != NULL) {
			/* of a line that was too long its end is left, which has no number */
			check_line(v, skip ? "" : p, skip ? 0 : (size_t)(nl - p));
			skip = false;
			p = nl + 1;
		}
		have -= (size_t)(p - buf);
		memmove(buf, p, have);
		if (have == sizeof(buf)) {
			skip = true;
			have = 0;
		}
	}
	v->to->half = have > 0 || skip;
	return 0;
}

/* A writer holds it for microseconds, unless it is stopped. */
static int lock_head(int fd)
{
	for (int i = 0; i < 2000; i++) {
		if (flock(fd, LOCK_SH | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return -EWOULDBLOCK;
}

struct files {
	int fd[AUDIT_FILES];
	uint64_t size[AUDIT_FILES];
	size_t n;
};

static int take(const char *path, struct verify *v, struct files *f, struct err *err)
{
	char file[PATH_MAX + 8], shown[PATH_MAX];
	snprintf(file, sizeof(file), "%s.head", path);
	escape_text(shown, sizeof(shown), file);
	_cleanup_close_ int head = open(
		file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (head < 0 && errno != ENOENT)
		return err_sys(err, errno, "open %s", shown);
	int r = head < 0 ? 0 : lock_head(head);
	if (r < 0) {
		err_hint(err, "a bawn that is stopped may hold it; try again when it has gone on");
		return err_sys(err, -r, "lock %s", shown);
	}
	int k = head < 0 ? 0 : chain_head_read(head, &v->head);
	r = audit_open_all(path, f->fd, &f->n);
	for (size_t i = 0; r == 0 && i < f->n; i++) {
		struct stat st;
		r = fstat(f->fd[i], &st) < 0 ? -errno : 0;
		f->size[i] = (uint64_t)st.st_size;
	}
	if (r < 0) {
		escape_text(shown, sizeof(shown), path);
		return err_sys(err, -r, "open the audit log %s", shown);
	}
	if (k < 0)
		tell(v, shown, "the head record is damaged");
	else if (k == 0)
		v->head.n = 0;
	return k;
}

/* By which name a descriptor is known now. */
static void name_file(struct verify *v, const char *path, int fd)
{
	struct stat a, b;
	for (unsigned int i = 0; i < AUDIT_FILES; i++) {
		char file[PATH_MAX];
		if (chain_file(file, sizeof(file), path, i) && stat(file, &a) == 0 &&
			fstat(fd, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev) {
			escape_text(v->file, sizeof(v->file), file);
			return;
		}
	}
	escape_text(v->file, sizeof(v->file), path);
}

static void check_end(struct verify *v, const char *path, int head)
{
	char shown[PATH_MAX];
	escape_text(shown, sizeof(shown), path);
	if (head == 0 && v->begun)
		tell(v, shown, "the head record %s.head is missing: the end can't be known", shown);
	if (head != 1 || v->head_seen || v->head.n == 0)
		return;
	if (!v->begun || v->n < v->head.n)
		tell(v, v->begun ? v->at : shown,
			"lines are missing behind it: number %" PRIu64 " to %" PRIu64,
			v->begun ? v->n + 1 : oldest(&v->head), v->head.n);
	else
		tell(v, v->at, "the head record is of another log");
}

int audit_verify(const char *path, void (*problem)(void *ud, const char *text), void *ud,
	struct audit_verdict *ret, struct err *err)
{
	struct verify *v = calloc(1, sizeof(*v));
	struct files f = {0};
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	*ret = (struct audit_verdict){0};
	v->to = ret;
	v->problem = problem;
	v->ud = ud;
	int head = take(path, v, &f, err), r = head < 0 && head != -EBADMSG ? head : 0;
	for (size_t i = f.n; i > 0; i--) {
		if (r == 0) {
			name_file(v, path, f.fd[i - 1]);
			r = check_file(v, f.fd[i - 1], f.size[i - 1]);
			if (r < 0)
				err_sys(err, -r, "read %s", v->file);
		}
		close(f.fd[i - 1]);
	}
	if (r == 0)
		check_end(v, path, head);
	free(v);
	return r;
}
