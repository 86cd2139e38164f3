/* login/work.c - see work.h
 *
 * Theory: the parent forks, the child gives up all but a pipe and one connected socket
 * (loop_confine), then reads the hostile bytes; what it found comes back as a blob of bounded
 * strings, which the parent checks.
 */
#include "login/work.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/blob.h"
#include "base/fd.h"
#include "vault/http1.h"
#include "vault/loop.h"

enum { ANSWER_MAX = 256 * 1024, WORK_MS = 45000, IO_MS = 20000 };
enum { OUT_FD = 3, SOCK_FD = 4 };

enum tag {
	TAG_TOKEN = 1,
	TAG_REFRESH,
	TAG_ID,
	TAG_TEXT,
	TAG_EXPIRES,
	TAG_RENEWABLE,
	TAG_REFUSED,
	TAG_ERROR,
	TAG_DONE,
};

/* ---- in the child ---- */

/* "auth.test/token": main.c has seen that it is https. */
static const char *place_of(const struct json_doc *spec)
{
	static const char scheme[] = "https://";
	const char *url = tokens_spec(spec, "url");
	return has_prefix(url, scheme) ? url + strlen(scheme) : "";
}

/* ---- a connection on which somebody waits ---- */

struct peer {
	struct wire wire;
	struct tls *tls;
};

/* For the next event; false: none came in time. */
static bool await(struct peer *p)
{
	struct pollfd e = {.fd = p->wire.fd,
		.events = (short)(POLLIN | POLLRDHUP | (p->wire.full ? POLLOUT : 0))};
	if (poll(&e, 1, IO_MS) <= 0)
		return false;
	wire_event(&p->wire, (uint32_t)e.revents); /* poll's bits are epoll's */
	return true;
}

static int greet(struct peer *p, char *why, size_t cap)
{
	int r = tls_handshake(p->tls, why, cap);
	while (r == 0 && await(p))
		r = tls_handshake(p->tls, why, cap);
	return r;
}

static ssize_t read_some(struct peer *p, void *buf, size_t n)
{
	ssize_t k = tls_read(p->tls, buf, n);
	while (k == -EAGAIN && await(p))
		k = tls_read(p->tls, buf, n);
	return k;
}

static ssize_t write_some(struct peer *p, const void *buf, size_t n)
{
	ssize_t k = tls_write(p->tls, buf, n);
	while (k == -EAGAIN && await(p))
		k = tls_write(p->tls, buf, n);
	return k;
}

/* ---- the exchange ---- */

/* Everything up to the answer's end, however that is said. */
static int read_body(struct peer *peer, struct buf *in, const struct h1_head *h, size_t at,
	struct buf *body, struct err *err)
{
	char piece[16384];
	struct h1_chunks chunks = {0};
	struct h1_piece p;
	bool chunked = h->chunked;
	int64_t length = h->length;
	buf_eat(in, at);
	for (;;) {
		while (chunked) {
			ssize_t used = h1_chunk(&chunks, buf_data(in), in->n, &p);
			if (used < 0)
				return err_set(err, EBADMSG, "it sent malformed chunks");
			if (used && p.data.n && buf_add(body, p.data.p, p.data.n) < 0)
				return err_set(err, ENOMEM, "out of memory");
			if (used && p.end)
				return 0;
			buf_eat(in, (size_t)used);
			if (!used)
				break;
		}
		if (!chunked && in->n) {
			buf_add(body, buf_data(in), in->n);
			buf_eat(in, in->n);
		}
		if (!chunked && length >= 0 && body->n >= (size_t)length)
			return 0;
		if (body->n + in->n > ANSWER_MAX)
			return err_set(err, EMSGSIZE, "it sent more than any token takes");
		ssize_t n = read_some(peer, piece, sizeof(piece));
		if (n <= 0 && (n < 0 || chunked || length >= 0))
			return err_set(err, EIO, "it broke off, or did not answer in time");
		if (n == 0)
			return 0;
		if (buf_add(in, piece, (size_t)n) < 0)
			return err_set(err, ENOMEM, "out of memory");
	}
}

static int read_answer(
	struct peer *peer, unsigned int *ret_status, struct buf *body, struct err *err)
{
	static struct h1_head h;
	char piece[16384];
	struct buf in = {0};
	int r = 0;
	for (;;) {
		ssize_t at = h1_response(buf_data(&in), in.n, &h);
		if (at < 0)
			r = err_set(err, EBADMSG, "it does not answer in HTTP/1.1");
		if (at > 0 && h.status >= 200)
			r = read_body(peer, &in, &h, (size_t)at, body, err);
		if (r < 0 || (at > 0 && h.status >= 200))
			break;
		if (at > 0) {
			buf_eat(&in, (size_t)at);
			continue;
		}
		ssize_t n = read_some(peer, piece, sizeof(piece));
		if (n <= 0 || buf_add(&in, piece, (size_t)n) < 0) {
			r = err_set(err, EIO, "it broke off, or did not answer in time");
			break;
		}
	}
	*ret_status = h.status;
	buf_free(&in);
	return r;
}

static int exchange(int sock, const struct json_doc *spec, const char *host, const struct buf *body,
	unsigned int *ret_status, struct buf *answer, struct err *err)
{
	const char *path = place_of(spec);
	struct buf out = {0};
	char why[120] = "";
	path += strcspn(path, "/");
	struct peer peer = {.wire = {.fd = sock}};
	peer.tls = tls_upstream(&peer.wire, host);
	int r = peer.tls ? greet(&peer, why, sizeof(why)) : -ENOMEM;
	if (r <= 0) {
		tls_free(peer.tls);
		return err_set(err, r ? -r : ETIME, "no TLS with it: %s", *why ? why : "no answer");
	}
	buf_addf(&out,
		"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/%s\r\n"
		"Accept: application/json\r\nUser-Agent: bawn\r\nContent-Length: %zu\r\n"
		"Connection: close\r\n\r\n",
		*path ? path : "/", host,
		*tokens_spec(spec, "form") ? "x-www-form-urlencoded" : "json", body->n);
	r = buf_add(&out, buf_data(body), body->n);
	while (r == 0 && out.n) {
		ssize_t n = write_some(&peer, buf_data(&out), out.n);
		if (n <= 0)
			r = err_set(err, EIO, "it broke off");
		else
			buf_eat(&out, (size_t)n);
	}
	if (r == 0)
		r = read_answer(&peer, ret_status, answer, err);
	buf_free(&out);
	tls_free(peer.tls);
	return r;
}

static int ask(int sock, const struct json_doc *spec, const struct json_doc *file, const char *host,
	struct work_values *ret, struct err *err)
{
	const char *refresh = json_doc_at(file, tokens_spec(spec, "refresh"));
	struct buf body = {0}, answer = {0};
	unsigned int status = 0;
	int r = tokens_request(spec, refresh ? refresh : "", &body);
	if (r == 0)
		r = exchange(sock, spec, host, &body, &status, &answer, err);
	buf_free(&body);
	if (r < 0)
		return r;
	_cleanup_(json_doc_freep) struct json_doc *d = NULL;
	bool json = answer.n && json_line_parse(buf_data(&answer), answer.n, &d) == 0;
	if (status != 200)
		r = tokens_refusal(status, json ? d : NULL, ret, err);
	else if (!json)
		r = err_set(err, EBADMSG, "its answer is no JSON");
	else
		r = tokens_answer(spec, d, ret, err);
	buf_free(&answer);
	return r;
}

static void report(const struct work_values *v, int r, const struct err *err)
{
	struct blob b = {0};
	blob_put_opt(&b, TAG_TOKEN, v->token);
	blob_put_opt(&b, TAG_REFRESH, v->refresh);
	blob_put_opt(&b, TAG_ID, v->id);
	blob_put_opt(&b, TAG_TEXT, v->text);
	blob_put_u64(&b, TAG_EXPIRES, (uint64_t)v->expires);
	blob_put_u64(&b, TAG_RENEWABLE, v->renewable);
	blob_put_u64(&b, TAG_REFUSED, v->refused);
	if (r < 0)
		blob_put_str(&b, TAG_ERROR, err->msg);
	else
		blob_put_u64(&b, TAG_DONE, 1);
	if (!b.failed)
		fd_write_all(OUT_FD, b.data, b.n);
}

static _noreturn_ void child(enum work what, const struct json_doc *spec, const char *host,
	const char *text, int out, int sock, const struct work_values *in)
{
	struct work_values v = {0};
	struct err err = {0};
	/* the places are taken from above first, as one may be the other's */
	int o = fcntl(out, F_DUPFD_CLOEXEC, 64),
	    s = sock < 0 ? -1 : fcntl(sock, F_DUPFD_CLOEXEC, 64);
	dup2(o, OUT_FD);
	if (s >= 0)
		dup2(s, SOCK_FD);
	syscall(SYS_close_range, s < 0 ? SOCK_FD : SOCK_FD + 1, ~0u, 0);
	signal(SIGPIPE, SIG_IGN);
	int r = what == WORK_ASK ? tls_upstream_setup(&err) : 0;
	if (r == 0)
		r = loop_confine(&err);
	_cleanup_(json_doc_freep) struct json_doc *file = NULL;
	if (r == 0)
		r = json_doc_parse(text, strlen(text), &file, &err);
	if (r == 0 && what == WORK_LOOK)
		r = tokens_look(spec, file, &v, &err);
	else if (r == 0 && what == WORK_ASK)
		r = ask(SOCK_FD, spec, file, host, &v, &err);
	else if (r == 0)
		r = tokens_apply(spec, file, in, &v, &err);
	report(&v, r, &err);
	_exit(0);
}

/* ---- in the parent ---- */

static char *text_of(struct arena *a, const struct blob_view *v, size_t max)
{
	const char *s = blob_str(v);
	return s && strlen(s) <= max ? arena_dup(a, s) : NULL;
}

static int take(
	struct arena *a, const char *data, size_t n, struct work_values *ret, struct err *err)
{
	struct blob_iter it;
	struct blob_view v;
	uint64_t u = 0;
	bool done = false;
	int more;
	blob_iter_init(&it, data, n);
	while ((more = blob_next(&it, &v)) > 0) {
		if (v.tag == TAG_TOKEN)
			ret->token = text_of(a, &v, LOGIN_TOKEN_MAX - 1);
		else if (v.tag == TAG_REFRESH)
			ret->refresh = text_of(a, &v, LOGIN_TOKEN_MAX - 1);
		else if (v.tag == TAG_ID)
			ret->id = text_of(a, &v, LOGIN_TOKEN_MAX - 1);
		else if (v.tag == TAG_TEXT)
			ret->text = text_of(a, &v, WORK_FILE_MAX);
		else if (v.tag == TAG_EXPIRES && blob_u64(&v, &u) == 0)
			ret->expires = (int64_t)u;
		else if (v.tag == TAG_RENEWABLE && blob_u64(&v, &u) == 0)
			ret->renewable = u;
		else if (v.tag == TAG_REFUSED && blob_u64(&v, &u) == 0)
			ret->refused = u;
		else if (v.tag == TAG_ERROR && blob_str(&v))
			return err_set(err, EPROTO, "%.600s", blob_str(&v));
		else if (v.tag == TAG_DONE)
			done = true;
	}
	return more < 0 || !done ? err_set(err, EPROTO, "its reader ended before it was done") : 0;
}

static ssize_t read_all(int fd, char *data, size_t cap)
{
	struct timespec begun, now;
	size_t n = 0;
	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		int64_t left = WORK_MS - (now.tv_sec - begun.tv_sec) * 1000;
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (left <= 0 || n == cap || poll(&p, 1, (int)left) == 0)
			return -ETIME;
		ssize_t k = read(fd, data + n, cap - n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? -errno : (ssize_t)n;
		n += (size_t)k;
	}
}

int work_do(struct arena *a, enum work what, const struct json_doc *spec, const char *text,
	int sock, const struct work_values *in, struct work_values *ret, struct err *err)
{
	enum { CAP = 1 << 20 };
	const char *url = place_of(spec);
	char *host = arena_dupn(a, url, strcspn(url, ":/")), *data = arena_alloc(a, CAP);
	int p[2];
	if (!data || !host || pipe2(p, O_CLOEXEC) < 0)
		return err_set(err, ENOMEM, "out of memory");
	pid_t pid = fork();
	if (pid == 0)
		child(what, spec, host, text, p[1], sock, in);
	close(p[1]);
	ssize_t n = pid < 0 ? -EAGAIN : read_all(p[0], data, CAP);
	close(p[0]);
	if (pid > 0) {
		if (n < 0)
			kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	*ret = (struct work_values){0};
	if (n < 0)
		return err_set(
			err, (int)-n, n == -ETIME ? "no answer in time" : "no process for it");
	return take(a, data, (size_t)n, ret, err);
}
