/* egress/relay-pump.c - moving the bytes of an open flow.
 *
 * Owns: the pool of pipes.  Must not: know names or verdicts; it passes what it may.
 *
 * Small pieces are read into the one scratch buffer and written at once: two calls and no pipe for
 * a short request.  What the sink doesn't take goes into a pipe.  A direction that fills half the
 * scratch buffer in one read turns to splice(2), where pages move without being copied.  A pipe is
 * held only while it holds bytes, so idle flows cost none, and when the pool is empty the bytes
 * stay in the source's socket (MSG_PEEK): a peer that never reads is held back by TCP itself.
 *
 * From an HTTP client only approved bytes pass; http_next() approves them while they are still in
 * the socket.
 */
#include "egress/relay.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "egress/names.h"

enum {
	PIPE_BYTES = 1024 * 1024,
	BIG_PIPES = 16, /* the user's other programs need the kernel's pipe pages too */
	KEEP_PIPES = 8, /* empty ones kept open */
	BULK_READ = RELAY_SCRATCH / 2,
	SPLICE_MAX = 1024 * 1024,
	BUDGET = 4 * 1024 * 1024, /* bytes a direction may move before others have their turn */
};

/* What one step of a direction came to. */
enum step { STEP_MORE, STEP_WAIT, STEP_EOF };

static int pipes[RELAY_MAX_PIPES][2];
static int16_t free_pipes[RELAY_MAX_PIPES];
static unsigned n_free, n_made, n_big;
static int16_t closed_slots[RELAY_MAX_PIPES];
static unsigned n_closed;
static bool big[RELAY_MAX_PIPES];

static int16_t pipe_get(void)
{
	if (n_free)
		return free_pipes[--n_free];
	int16_t i;
	if (n_closed)
		i = closed_slots[n_closed - 1];
	else if (n_made < RELAY_MAX_PIPES)
		i = (int16_t)n_made;
	else
		return -1;
	if (pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	/* past the user's soft limit the kernel gives pipes of a page or two: no use here */
	if (fcntl(pipes[i][1], F_GETPIPE_SZ) < RELAY_SCRATCH) {
		close(pipes[i][0]);
		close(pipes[i][1]);
		return -1;
	}
	if (n_closed)
		n_closed--;
	else
		n_made++;
	big[i] = n_big < BIG_PIPES && fcntl(pipes[i][1], F_SETPIPE_SZ, PIPE_BYTES) >= 0;
	n_big += big[i];
	return i;
}

static void pipe_put(int16_t i, bool empty)
{
	if (empty && n_free < KEEP_PIPES) {
		free_pipes[n_free++] = i;
		return;
	}
	close(pipes[i][0]);
	close(pipes[i][1]);
	n_big -= big[i];
	closed_slots[n_closed++] = i;
}

static void dir_release(struct flow_dir *d)
{
	if (d->pipe < 0)
		return;
	pipe_put(d->pipe, d->in_pipe == 0);
	d->pipe = -1;
	d->in_pipe = 0;
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

/* Pipe to sink. */
static int drain_pipe(struct flow *f, unsigned i)
{
	struct flow_dir *d = &f->dir[i];
	while (d->in_pipe) {
		ssize_t n = splice(pipes[d->pipe][0], NULL, f->fd[!i], NULL, d->in_pipe,
			SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (n < 0 && would_block()) {
			d->blocked = true;
			return STEP_WAIT;
		}
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		d->in_pipe -= (uint32_t)n;
		f->bytes[i] += (uint64_t)n;
	}
	return STEP_MORE;
}

/* Bytes of direction i that have left the source. */
static void took(struct flow *f, unsigned i, size_t n)
{
	if (i == CLIENT && f->sniff == SNIFF_HTTP && f->approved != INT64_MAX)
		f->approved -= n;
}

static int move_splice(struct flow *f, unsigned i, size_t limit)
{
	struct flow_dir *d = &f->dir[i];
	ssize_t n = splice(f->fd[i], NULL, pipes[d->pipe][1], NULL, MIN(limit, (size_t)SPLICE_MAX),
		SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n < 0)
		return would_block() ? STEP_WAIT : -errno;
	if (n == 0)
		return STEP_EOF;
	d->in_pipe += (uint32_t)n;
	took(f, i, (size_t)n);
	return STEP_MORE;
}

/* Read and write through the scratch buffer; the pipe takes what the sink doesn't. */
static int move_copy(struct flow *f, unsigned i, size_t limit)
{
	struct flow_dir *d = &f->dir[i];
	size_t want = MIN(limit, sizeof(relay.scratch));
	ssize_t n = recv(f->fd[i], relay.scratch, want, 0);
	if (n < 0)
		return would_block() ? STEP_WAIT : -errno;
	if (n == 0)
		return STEP_EOF;
	took(f, i, (size_t)n);
	d->bulk = n >= BULK_READ;
	ssize_t k = send(f->fd[!i], relay.scratch, (size_t)n, MSG_NOSIGNAL);
	if (k < 0 && !would_block())
		return -errno;
	k = MAX(k, 0);
	f->bytes[i] += (uint64_t)k;
	if (k < n) {
		ssize_t w = write(pipes[d->pipe][1], relay.scratch + k, (size_t)(n - k));
		if (w != n - k)
			return -EPIPE;
		d->in_pipe = (uint32_t)w;
		d->blocked = true;
		return STEP_WAIT;
	}
	/* A short read has emptied the socket; what comes now is a new event.  Except an end that
	 * was already reported. */
	return (size_t)n < want && !f->rdhup[i] ? STEP_WAIT : STEP_MORE;
}

/* No pipe to be had: leave in the source what the sink doesn't take. */
static int move_peek(struct flow *f, unsigned i, size_t limit)
{
	struct flow_dir *d = &f->dir[i];
	ssize_t n = recv(f->fd[i], relay.scratch, MIN(limit, sizeof(relay.scratch)), MSG_PEEK);
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
	f->approved = (uint64_t)r;
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

static int step(struct flow *f, unsigned i)
{
	struct flow_dir *d = &f->dir[i];
	size_t limit = SIZE_MAX;
	int r;
	if (i == CLIENT && f->sniff == SNIFF_HTTP) {
		if (f->approved == 0)
			return approve(f);
		limit = (size_t)f->approved;
	} else if (f->sniff == SNIFF_HTTP && f->http.phase == HTTP_UPGRADE_WAIT) {
		return check_upgrade(f);
	}
	if (d->pipe < 0)
		d->pipe = pipe_get();
	if (d->pipe < 0)
		return move_peek(f, i, limit);
	r = d->bulk ? move_splice(f, i, limit) : move_copy(f, i, limit);
	if (r == STEP_MORE)
		r = drain_pipe(f, i);
	if (d->in_pipe == 0)
		dir_release(d);
	return r;
}

/* The source has ended and all of it is out. */
static int finish(struct flow *f, unsigned i)
{
	dir_release(&f->dir[i]);
	if (f->dir[!i].eof && f->dir[!i].in_pipe == 0)
		return 1;
	return shutdown(f->fd[!i], SHUT_WR) < 0 && errno != ENOTCONN ? -errno : 0;
}

int pump(struct flow *f, unsigned i)
{
	struct flow_dir *d = &f->dir[i];
	uint64_t start = f->bytes[i];
	bool had_eof = d->eof;
	d->blocked = false;
	if (d->in_pipe) {
		int r = drain_pipe(f, i);
		if (r != STEP_MORE)
			return r < 0 ? r : 0;
		if (d->eof)
			return finish(f, i);
	}
	if (had_eof)
		return 0;
	for (;;) {
		int r = step(f, i);
		if (r < 0)
			return r;
		if (r == STEP_WAIT)
			return 0;
		if (r == STEP_EOF) {
			d->eof = true;
			return d->in_pipe ? 0 : finish(f, i);
		}
		if (f->bytes[i] - start >= BUDGET) {
			flow_make_ready(f, i);
			return 0;
		}
	}
}
