/* egress/relay-pump.c - moving the bytes of an open flow.
 *
 * Owns: the pool of buffers, of which one is the scratch buffer.  Must not: know names or verdicts;
 * it passes what it may.
 *
 * Theory of operation.  Bytes are read into the scratch buffer and written at once: two calls a
 * piece, for a short request and for bulk data alike.  On loopback that is faster than splice(2),
 * which hands on pages one by one that have long left the processor's cache.  When the sink doesn't
 * take all, the direction keeps the scratch buffer itself with what is left, nothing is copied, and
 * another of the pool becomes the scratch buffer.  Until the rest is out nothing more is read, so a
 * peer that never reads is held back by TCP itself.  When the pool has no other buffer, what the
 * sink may not take stays in the source's socket (MSG_PEEK).
 *
 * The pool is address space only; pages come when touched, and go when the relay has been idle for
 * a second, or earlier when many buffers are free.
 *
 * From an HTTP client only approved bytes pass; http_next() approves them while they are still in
 * the socket.  Where a rule limits what may be sent, no more than that leaves the client's socket,
 * and the first byte past it ends the connection.
 */
#include "egress/relay.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include "egress/names.h"

enum {
	KEEP_WARM = 4,            /* free buffers whose pages are kept while there is work */
	BUDGET = 4 * 1024 * 1024, /* bytes a direction may move before others have their turn */
	ANSWER_MAX = 16 * 1024,
};

/* What one step of a direction came to. */
enum step { STEP_MORE, STEP_WAIT, STEP_EOF };

static uint8_t *pool;
static int16_t scratch; /* index of the scratch buffer */
/* Free buffers, the last freed on top: it is the one in the processor's cache. */
static int16_t warm[KEEP_WARM], cold[RELAY_BUFFERS];
static unsigned n_warm, n_cold;

static uint8_t *buffer(int16_t i)
{
	return pool + (size_t)i * RELAY_SCRATCH;
}

static void use_as_scratch(int16_t i)
{
	scratch = i;
	relay.scratch = buffer(i);
}

int pump_init(void)
{
	size_t size = (size_t)RELAY_BUFFERS * RELAY_SCRATCH;
	pool = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		-1, 0);
	if (pool == MAP_FAILED)
		return -errno;
	/* else the first byte would cost two megabytes; a kernel without huge pages says EINVAL */
	madvise(pool, size, MADV_NOHUGEPAGE);
	for (int16_t i = RELAY_BUFFERS - 1; i > 0; i--)
		cold[n_cold++] = i;
	use_as_scratch(0);
	return 0;
}

static bool buffer_spare(void)
{
	return n_warm + n_cold > 0;
}

static int16_t buffer_get(void)
{
	return n_warm ? warm[--n_warm] : cold[--n_cold];
}

static void buffer_put(int16_t i)
{
	if (n_warm < KEEP_WARM) {
		warm[n_warm++] = i;
		return;
	}
	madvise(buffer(i), RELAY_SCRATCH, MADV_DONTNEED);
	cold[n_cold++] = i;
}

void pump_trim(void)
{
	while (n_warm) {
		int16_t i = warm[--n_warm];
		madvise(buffer(i), RELAY_SCRATCH, MADV_DONTNEED);
		cold[n_cold++] = i;
	}
	madvise(relay.scratch, RELAY_SCRATCH, MADV_DONTNEED);
}

static void dir_release(struct flow_dir *d)
{
	if (!d->held)
		return;
	d->held = 0;
	buffer_put(d->buf);
}

void pump_release(struct flow *f)
{
	dir_release(&f->dir[CLIENT]);
	dir_release(&f->dir[UPSTREAM]);
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* What an earlier write left. */
static int send_held(struct flow *f, unsigned i)
{
	struct flow_dir *d = &f->dir[i];
	ssize_t n = send(f->fd[!i], buffer(d->buf) + d->at, d->held, MSG_NOSIGNAL);
	if (n < 0 && !would_block())
		return -errno;
	n = MAX(n, 0);
	f->bytes[i] += (uint64_t)n;
	if ((size_t)n == d->held) {
		dir_release(d);
		return STEP_MORE;
	}
	d->at += (uint32_t)n;
	d->held -= (uint32_t)n;
	d->blocked = true;
	return STEP_WAIT;
}

/* Bytes of direction i that have left the source. */
static void took(struct flow *f, unsigned i, size_t n)
{
	if (i == CLIENT && f->sniff == SNIFF_HTTP && f->approved != INT64_MAX)
		f->approved -= n;
	if (i == CLIENT && f->upload >= 0)
		upload_spend(f->upload, n, f->vaulted);
}

/* Where the source is known to have ended, its end is the next thing to pass on: the last bytes
 * wait for it, so that both leave in one segment and wake the sink once.  Not towards the upstream,
 * where approval may stop between them. */
static int last_bytes(const struct flow *f, unsigned i)
{
	return i == UPSTREAM && f->rdhup[i] ? MSG_MORE : 0;
}

/* Read and write through the scratch buffer; the direction keeps what the sink doesn't take. */
static int move_copy(struct flow *f, unsigned i, size_t limit)
{
	struct flow_dir *d = &f->dir[i];
	size_t want = MIN(limit, (size_t)RELAY_SCRATCH);
	ssize_t n = recv(f->fd[i], relay.scratch, want, 0);
	if (n < 0)
		return would_block() ? STEP_WAIT : -errno;
	if (n == 0)
		return STEP_EOF;
	took(f, i, (size_t)n);
	ssize_t k = send(f->fd[!i], relay.scratch, (size_t)n, MSG_NOSIGNAL | last_bytes(f, i));
	if (k < 0 && !would_block())
		return -errno;
	k = MAX(k, 0);
	f->bytes[i] += (uint64_t)k;
	if (k < n) {
		d->buf = scratch;
		d->at = (uint32_t)k;
		d->held = (uint32_t)(n - k);
		d->blocked = true;
		use_as_scratch(buffer_get());
		return STEP_WAIT;
	}
	/* A short read has emptied the socket: where its end was already reported, that is next,
	 * and else what comes is a new event.  Reads also stop at urgent data. */
	if ((size_t)n == want || f->urgent[i])
		return STEP_MORE;
	return f->rdhup[i] ? STEP_EOF : STEP_WAIT;
}

/* No other buffer to be had: leave in the source what the sink doesn't take. */
static int move_peek(struct flow *f, unsigned i, size_t limit)
{
	struct flow_dir *d = &f->dir[i];
	ssize_t n = recv(f->fd[i], relay.scratch, MIN(limit, (size_t)RELAY_SCRATCH), MSG_PEEK);
	if (n < 0)
		return would_block() ? STEP_WAIT : -errno;
	if (n == 0)
		return STEP_EOF;
	ssize_t k = send(f->fd[!i], relay.scratch, (size_t)n, MSG_NOSIGNAL);
	if (k < 0 && !would_block())
		return -errno;
	if (k <= 0) {
		d->blocked = true;
		return STEP_WAIT;
	}
	if (recv(f->fd[i], relay.scratch, (size_t)k, MSG_TRUNC) != k)
		return -EIO;
	f->bytes[i] += (uint64_t)k;
	took(f, i, (size_t)k);
	return STEP_MORE;
}

static int fail_http(struct flow *f, int r, const char *seen)
{
	tell_denied(EGRESS_WHY_HOST, names_text(f->name), &f->addr, f->port, 0,
		r == -EPERM ? seen : "");
	return -EPERM;
}

/* Get more bytes of an HTTP client approved. */
static int approve(struct flow *f)
{
	char seen[256];
	ssize_t n = recv(f->fd[CLIENT], relay.scratch, HTTP_HEAD_MAX, MSG_PEEK);
	if (n < 0)
		return would_block() ? STEP_WAIT : -errno;
	if (n == 0)
		return STEP_EOF;
	int64_t r = http_next(
		&f->http, (char *)relay.scratch, (size_t)n, names_text(f->name), seen);
	if (r < 0)
		return fail_http(f, (int)r, seen);
	if (r == 0) /* cut off: there will be no rest */
		return f->rdhup[CLIENT] && f->http.phase != HTTP_UPGRADE_WAIT ? -EPIPE : STEP_WAIT;
	flow_approve(f, (uint64_t)r, (size_t)n);
	return STEP_MORE;
}

/* Before the response to an upgrade may pass, its status decides how the client is read on. */
static int check_upgrade(struct flow *f)
{
	char first[12];
	ssize_t n = recv(f->fd[UPSTREAM], first, sizeof(first), MSG_PEEK);
	if (n < 0)
		return would_block() ? STEP_WAIT : -errno;
	if (n == 0)
		return STEP_EOF;
	int r = http_upgrade_answer(&f->http, first, (size_t)n);
	if (r < 0)
		return fail_http(f, r, "");
	if (r == 0)
		return f->rdhup[UPSTREAM] ? -EPIPE : STEP_WAIT;
	flow_make_ready(f, CLIENT);
	return STEP_MORE;
}

/* Nothing more may be sent: is there more? */
static int check_upload(struct flow *f)
{
	char byte;
	ssize_t n = recv(f->fd[CLIENT], &byte, 1, MSG_PEEK);
	if (n < 0)
		return would_block() ? STEP_WAIT : -errno;
	if (n == 0)
		return STEP_EOF;
	tell_denied(EGRESS_WHY_UPLOAD, names_text(f->name), &f->addr, f->port, 0, "");
	return -EPERM;
}

static int step(struct flow *f, unsigned i)
{
	size_t limit = SIZE_MAX;
	if (i == CLIENT && f->sniff == SNIFF_HTTP) {
		if (f->approved == 0)
			return f->all_seen ? STEP_WAIT : approve(f);
		limit = (size_t)f->approved;
	} else if (f->sniff == SNIFF_HTTP && f->http.phase == HTTP_UPGRADE_WAIT) {
		return check_upgrade(f);
	}
	if (i == CLIENT && f->upload >= 0) {
		const uint64_t left = upload_left(f->upload, f->vaulted);
		if (left == 0)
			return check_upload(f);
		limit = (size_t)MIN((uint64_t)limit, left);
	}
	return buffer_spare() ? move_copy(f, i, limit) : move_peek(f, i, limit);
}

/* The server has ended behind its answer, and of the client nothing waits: what it could still ask
 * has nobody to answer it, as without us.  Only where the answer fits any client's window: a socket
 * that is closed doesn't wait for ever for one that reads slowly. */
static bool is_answered(const struct flow *f, unsigned i)
{
	return i == UPSTREAM && f->sniff == SNIFF_HTTP && f->http.phase == HTTP_HEAD &&
		f->approved == 0 && f->all_seen && f->bytes[UPSTREAM] > 0 &&
		f->bytes[UPSTREAM] <= ANSWER_MAX;
}

/* The source has ended and all of it is out: nothing is read while something is held. */
static int finish(struct flow *f, unsigned i)
{
	f->dir[i].eof = true;
	if (f->dir[!i].eof)
		return 1;
	/* also before a close: with unread bytes that would drop what isn't sent yet */
	if (shutdown(f->fd[!i], SHUT_WR) < 0 && errno != ENOTCONN)
		return -errno;
	return is_answered(f, i);
}

int pump(struct flow *f, unsigned i)
{
	struct flow_dir *d = &f->dir[i];
	uint64_t start = f->bytes[i];
	d->blocked = false;
	if (d->eof)
		return 0;
	int r = d->held ? send_held(f, i) : STEP_MORE;
	while (r == STEP_MORE) {
		r = step(f, i);
		if (r == STEP_MORE && f->bytes[i] - start >= BUDGET) {
			flow_make_ready(f, i);
			return 0;
		}
	}
	if (r < 0)
		return r;
	return r == STEP_EOF ? finish(f, i) : 0;
}
