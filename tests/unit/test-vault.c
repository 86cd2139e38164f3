/* test-vault.c - the vault's pure parts: heads and chunks, scrubbing, frames, what is put into a
 * request.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"
#include "vault/config.h"
#include "vault/frames.h"
#include "vault/link.h"

#define HOST "Host: a.example\r\n"

static ssize_t request(const char *s, struct h1_head *h)
{
	return h1_request(s, strlen(s), h);
}

static void test_accepted(void **state)
{
	static struct h1_head h;
	const char *s = "POST /a?b=c HTTP/1.1\r\n" HOST
			"content-LENGTH: 12 \r\nX-A:\tb c\r\n\r\nbody";
	(void)state;
	assert_int_equal(request(s, &h), strlen(s) - 4);
	assert_int_equal(h.length, 12);
	assert_int_equal(h.n, 3);
	assert_memory_equal(h.target.p, "/a?b=c", h.target.n);
	assert_memory_equal(h.f[2].value.p, "b c", h.f[2].value.n);
	for (size_t n = 0; n < strlen(s) - 4; n++)
		assert_int_equal(h1_request(s, n, &h), 0);
	s = "GET / HTTP/1.1\r\n" HOST
	    "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n";
	assert_true(request(s, &h) > 0 && h.websocket);
	/* without the option it is no upgrade */
	s = "GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: close\r\n\r\n";
	assert_true(request(s, &h) > 0 && !h.websocket && h.close);
	assert_true(request("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", &h) > 0);
}

static void test_refused(void **state)
{
	static struct h1_head h;
	static const struct {
		const char *s;
		int e;
	} t[] = {
		{"GET / HTTP/1.1\r\n\r\n", -EBADMSG},
		{"GET / HTTP/1.1\r\n" HOST HOST "\r\n", -EBADMSG},
		{"GET / HTTP/1.1\n" HOST "\r\n", -EBADMSG},
		{"GET / HTTP/1.1\r\n" HOST "A: b\rC: d\r\n\r\n", -EBADMSG},
		{"GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", -EBADMSG},
		{"GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n", -EBADMSG},
		{"GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n", -EBADMSG},
		{"GET / HTTP/1.1\r\n" HOST "A\r\n\r\n", -EBADMSG},
		{"GET / HTTP/1.1\r\n" HOST "A: \x7f\r\n\r\n", -EBADMSG},
		{"GET  / HTTP/1.1\r\n" HOST "\r\n", -EBADMSG},
		{"GET / HTTP/1.1 \r\n" HOST "\r\n", -EBADMSG},
		{"GET /\tHTTP/1.1\r\n" HOST "\r\n", -EBADMSG},
		{"GET / http/1.1\r\n" HOST "\r\n", -EBADMSG},
		{"GET / HTTP/1.2\r\n" HOST "\r\n", -EBADMSG},
		{"GET / HTTP/1.0\r\n" HOST "\r\n", -EPROTONOSUPPORT},
		{"GET * HTTP/1.1\r\n" HOST "\r\n", -EBADMSG},
		{"GET https://a.example/ HTTP/1.1\r\n" HOST "\r\n", -EBADMSG},
		{"GET a.example:443 HTTP/1.1\r\n" HOST "\r\n", -EBADMSG},
		{"connect a.example:443 HTTP/1.1\r\n" HOST "\r\n", -EOPNOTSUPP},
		{"TRACE / HTTP/1.1\r\n" HOST "\r\n", -EOPNOTSUPP},
		{"P / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
			-EBADMSG},
		{"P / HTTP/1.1\r\n" HOST "Content-Length: 1,1\r\n\r\n", -EBADMSG},
		{"P / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", -EBADMSG},
		{"P / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n", -EBADMSG},
		{"P / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", -EBADMSG},
		{"P / HTTP/1.1\r\n" HOST "Content-Length: 1234567890123456789\r\n\r\n", -EBADMSG},
		{"P / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
			-EBADMSG},
		{"P / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", -EBADMSG},
		{"P / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", -EBADMSG},
		{"GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", -EBADMSG},
		{"P / HTTP/1.1\r\n" HOST "Expect: 200-maybe\r\n\r\n", -EBADMSG},
		{"\r\nGET / HTTP/1.1\r\n" HOST "\r\n", -EBADMSG},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (request(t[i].s, &h) != t[i].e)
			fail_msg("%s: %zd", t[i].s, request(t[i].s, &h));
	static const char nul[] = "GET / HTTP/1.1\r\n" HOST "A: \0\r\n\r\n";
	assert_int_equal(h1_request(nul, sizeof(nul) - 1, &h), -EBADMSG);
	static char huge[H1_REQUEST_MAX + 64] = "GET / HTTP/1.1\r\n" HOST "A: ";
	memset(huge + strlen(huge), 'a', sizeof(huge) - strlen(huge) - 1);
	assert_int_equal(h1_request(huge, sizeof(huge) - 1, &h), -EMSGSIZE);
}

static void test_host(void **state)
{
	static struct h1_head h;
	static const struct {
		const char *host;
		uint16_t port;
		bool is;
	} t[] = {{"a.example", 443, true}, {"A.Example", 443, true}, {"a.example:443", 443, true},
		{"a.example:444", 443, false}, {"a.example", 444, false},
		{"a.example:444", 444, true}, {"b.example", 443, false},
		{"a.example@b.example", 443, false}, {"a.example:443:443", 443, false},
		{"a.example:", 443, false}, {"", 443, false}, {"a.example:0443", 443, false}};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		h.host = (struct http_span){t[i].host, strlen(t[i].host)};
		if (h1_host_is(&h, "a.example", t[i].port) != t[i].is)
			fail_msg("%s", t[i].host);
	}
}

static void test_written_anew(void **state)
{
	static struct h1_head h;
	struct buf b = {0};
	(void)state;
	assert_true(
		request("POST /x HTTP/1.1\r\nHost: A.example:443\r\nConnection: x-hop, close\r\n"
			"X-Hop: 1\r\nAccept-Encoding: gzip\r\nTE: trailers\r\nA: b\r\n"
			"Transfer-Encoding: chunked\r\n\r\n",
			&h) > 0);
	assert_int_equal(h1_put_request(&b, &h, "a.example", 443, NULL, NULL), 0);
	buf_add(&b, "", 1);
	assert_string_equal(buf_data(&b),
		"POST /x HTTP/1.1\r\nHost: a.example\r\nA: b\r\nAccept-Encoding: identity\r\n"
		"Transfer-Encoding: chunked\r\n");
	buf_free(&b);
	const char *r = "HTTP/1.0 200 OK\r\nConnection: x\r\nX: 1\r\nAlt-Svc: h3\r\nB: c\r\n\r\n";
	assert_int_equal(h1_response(r, strlen(r), &h), strlen(r));
	assert_int_equal(h1_put_response(&b, &h, H1_CHUNKED, true), 0);
	buf_add(&b, "", 1);
	assert_string_equal(buf_data(&b),
		"HTTP/1.1 200 OK\r\nB: c\r\nConnection: close\r\nTransfer-Encoding: "
		"chunked\r\n\r\n");
	buf_free(&b);
}

static void test_responses_refused(void **state)
{
	static struct h1_head h;
	static const char *const t[] = {"HTTP/2 200\r\n\r\n", "HTTP/1.1 20\r\n\r\n",
		"HTTP/1.1 2000\r\n\r\n", "HTTP/1.1 099 \r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "HTTP/1.1 200 O\rK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(h1_response(t[i], strlen(t[i]), &h), -EBADMSG);
	assert_true(h1_response("HTTP/1.1 200\r\n\r\n", 16, &h) == 16 && h.status == 200);
}

/* The body, or "!" where it was refused; in pieces of step bytes at most. */
static void unchunk(const char *s, size_t step, char *out, size_t *ret_end)
{
	struct h1_chunks c = {0};
	struct h1_piece p;
	size_t at = 0, n = strlen(s), k = 0, see = step;
	for (*ret_end = 0; at < n;) {
		see = MIN(see, n - at);
		ssize_t r = h1_chunk(&c, s + at, see, &p);
		if (r < 0) {
			out[k++] = '!';
			break;
		}
		memcpy(out + k, p.data.p ? p.data.p : "", p.data.n);
		k += p.data.n;
		at += (size_t)r;
		if (p.end) {
			*ret_end = at;
			break;
		}
		if (r == 0 && see == n - at)
			break;
		see = r ? step : see + 1;
	}
	out[k] = '\0';
}

static void test_chunks(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{"3\r\nabc\r\n0002;x=y\r\nde\r\n0\r\n\r\n", "abcde"},
		{"a\r\n0123456789\r\n0\r\nX: y\r\n\r\n", "0123456789"},
		{"3\r\nabcd\r\n", "abc!"},
		{"0x3\r\n", "!"},
		{"\r\n", "!"},
		{"3\nabc", "!"},
		{" 3\r\n", "!"},
		{"3 \r\n", "!"},
		{"1000000000000000\r\n", "!"},
		{"0\r\nContent-Length: 3\r\n\r\n", "!"},
		{"0\r\nAuthorization: x\r\n\r\n", "!"},
		{"0\r\nX y\r\n\r\n", "!"},
	};
	char out[64];
	size_t end;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		for (size_t step = 1; step < 40; step += 6) {
			unchunk(t[i].in, step, out, &end);
			assert_string_equal(out, t[i].out);
			assert_int_equal(end, strchr(t[i].out, '!') ? 0 : strlen(t[i].in));
		}
	}
}

/* A stream with secrets, cut in every way into two and into single bytes. */
static void test_scrub(void **state)
{
	/* at the end: one that another begins with */
	static const char in[] = "abSECRETcdSECSECRETSECRE-SECRETLONGER.SECRETLO.SECRET";
	static const char want[] = "ab******cdSEC******SECRE-************.******LO.******";
	static struct scrub s;
	const size_t n = sizeof(in) - 1;
	(void)state;
	assert_int_equal(scrub_add(&s, "SECRET", 6), 0);
	assert_int_equal(scrub_add(&s, "SECRETLONGER", 12), 0);
	assert_int_equal(scrub_add(&s, "abc", 3), -EINVAL);
	scrub_ready(&s);
	for (size_t cut = 0; cut <= n; cut++) {
		struct buf held = {0}, out = {0};
		assert_int_equal(scrub_feed(&s, &held, in, cut, false, &out), 0);
		assert_true(held.n < 12);
		assert_int_equal(scrub_feed(&s, &held, in + cut, n - cut, true, &out), 0);
		assert_int_equal(out.n, n);
		assert_memory_equal(buf_data(&out), want, n);
		buf_free(&held);
		buf_free(&out);
	}
	struct buf held = {0}, out = {0};
	for (size_t i = 0; i < n; i++)
		scrub_feed(&s, &held, in + i, 1, i == n - 1, &out);
	assert_memory_equal(buf_data(&out), want, n);
	buf_free(&out);
	/* what can be no secret's start is not held back */
	scrub_feed(&s, &held, "data: x\n\n", 9, false, &out);
	assert_int_equal(out.n, 9);
	buf_free(&held);
	buf_free(&out);
}

/* As others write a secret down; what is around it stays. */
static void test_scrub_forms(void **state)
{
	static const char secret[] = "s3cr+t/with\"\\&>>>?\?\?";
	static const struct {
		const char *in, *want;
	} t[] = {
		/* base64 of "s3...", "u:s3...", "me:s3...", and more behind it */
		{"<czNjcit0L3dpdGgiXCY+Pj4/Pz8=>", "<**************************8=>"},
		{"<czNjcit0L3dpdGgiXCY-Pj4_Pz8>", "<**************************8>"},
		{"<dTpzM2NyK3Qvd2l0aCJcJj4+Pj8/Pw==>", "<dTp**************************w==>"},
		{"<bWU6czNjcit0L3dpdGgiXCY+Pj4/Pz8hIQ==>",
			"<bWU6**************************8hIQ==>"},
		{"733363722b742f77697468225c263e3e3e3f3f3f",
			"****************************************"},
		{"733363722B742F77697468225C263E3E3E3F3F3F!",
			"****************************************!"},
		{"k=s3cr%2Bt%2Fwith%22%5C%26%3E%3E%3E%3F%3F%3F&",
			"k=******************************************&"},
		{"k=s3cr%2bt%2fwith%22%5c%26%3e%3e%3e%3f%3f%3f&",
			"k=******************************************&"},
		{"\"s3cr+t/with\\\"\\\\&>>>?\??\"", "\"**********************\""},
		{"\"s3cr+t\\/with\\\"\\\\&>>>?\??\"", "\"***********************\""},
		{"s3cr+t/with\"\\&>>>?\?", "s3cr+t/with\"\\&>>>?\?"},
	};
	static struct scrub s;
	static char room[SCRUB_FORMS][100];
	char buf[100];
	(void)state;
	assert_int_equal(scrub_add(&s, secret, sizeof(secret) - 1), 0);
	for (unsigned int i = 0; i < SCRUB_FORMS; i++) {
		size_t n = scrub_form(i, secret, sizeof(secret) - 1, room[i]);
		assert_true(n <= 3 * sizeof(secret));
		assert_true(n == 0 || scrub_add(&s, room[i], n) == 0);
	}
	scrub_ready(&s);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct buf held = {0}, out = {0};
		snprintf(buf, sizeof(buf), "%s", t[i].in);
		for (size_t at = 0; at < strlen(buf); at++)
			scrub_feed(&s, &held, buf + at, 1, !buf[at + 1], &out);
		buf_add(&out, "", 1);
		assert_string_equal(buf_data(&out), t[i].want);
		buf_free(&held);
		buf_free(&out);
	}
	/* a plain one has no other than base64 and hex, and a short one none that chance makes */
	unsigned int n = 0;
	for (unsigned int i = 0; i < SCRUB_FORMS; i++)
		n += scrub_form(i, "abcdefgh", 8, buf) > 0;
	assert_int_equal(n, 5);
	for (unsigned int i = 0; i < SCRUB_FORMS; i++)
		assert_true(scrub_form(i, "abc/", 4, buf) == (i == 6 || i == 7 ? 8u : 0u) ||
			scrub_form(i, "abc/", 4, buf) >= SCRUB_FORM_MIN_LEN);
}

static void test_frames(void **state)
{
	struct link a = {0}, b = {0};
	struct link_frame f;
	(void)state;
	assert_int_equal(link_put(&a, LINK_HEAD, "head", 4), 0);
	assert_int_equal(link_put(&a, LINK_END, NULL, 0), 0);
	static char big[LINK_FRAME_MAX + 1];
	assert_int_equal(link_put(&a, LINK_BODY, big, sizeof(big)), -EMSGSIZE);
	for (size_t n = 0; n < 12; n++) {
		assert_int_equal(link_next(&b, &f), 0);
		buf_add(&b.in, buf_data(&a.out) + n, 1);
	}
	assert_int_equal(link_next(&b, &f), 1);
	assert_true(f.kind == LINK_HEAD && f.n == 4 && memcmp(f.p, "head", 4) == 0);
	link_eat(&b, &f);
	assert_int_equal(link_next(&b, &f), 0);
	buf_add(&b.in, "\0\0\0\0\x63\0\0\0", 8);
	assert_int_equal(link_next(&b, &f), -EBADMSG);
	link_free(&a);
	link_free(&b);
}

/* Nothing is asked for without an event, and no event is needed for what may be there. */
/* All that is told of them, "[kind fin length]payload;" each. */
static const char *frames_of(bool masked, const char *p, size_t n, size_t step)
{
	static char said[512];
	struct frames f = {.masked = masked};
	struct frame_piece piece;
	size_t at = 0, len = 0;
	while (at < n) {
		ssize_t used = frame_next(&f, p + at, MIN(step, n - at), &piece);
		if (used < 0)
			return "bad";
		at += (size_t)used;
		if (piece.begins)
			len += (size_t)snprintf(said + len, sizeof(said) - len, "[%d %d %d]",
				f.kind, f.fin, (int)f.length);
		len += (size_t)snprintf(said + len, sizeof(said) - len, "%.*s%s", (int)piece.data.n,
			piece.data.n ? piece.data.p : "", piece.ends ? ";" : "");
	}
	said[len] = '\0';
	return said;
}

static void test_websocket(void **state)
{
	static const struct {
		const char *p;
		size_t n;
		bool masked;
		const char *want;
	} t[] = {
#define BYTES(s) (s), sizeof(s) - 1
		{BYTES("\x81\x05hello\x82\0"), false, "[1 1 5]hello;[2 1 0];"},
		{BYTES("\x01\1a\x89\2hi\0\0\x80\1b"), false,
			"[1 0 1]a;[9 1 2]hi;[0 0 0];[0 1 1]b;"},
		{BYTES("\x82\x83mask...\x88\x80mask"), true, "[2 1 3]...;[8 1 0];"},
		{BYTES("\x81\x85hell"), false, "bad"}, /* masked */
		{BYTES("\x81\5hello"), true, "bad"},   /* not masked */
		{BYTES("\xc1\1a"), false, "bad"},      /* compressed */
		{BYTES("\x83\1a"), false, "bad"},      /* no such kind */
		{BYTES("\x8b\1a"), false, "bad"},
		{BYTES("\x09\1a"), false, "bad"},        /* a ping in pieces */
		{BYTES("\x89\x7e\0\x7e"), false, "bad"}, /* a long one */
		{BYTES("\x80\1a"), false, "bad"},        /* goes on with nothing */
		{BYTES("\x01\1a\x81\1b"), false, "bad"}, /* begins anew */
		{BYTES("\x81\x7e\0\x7d"), false, "bad"}, /* longer than it had to be */
		{BYTES("\x81\x7f\0\0\0\0\0\0\xff\xff"), false, "bad"},
		{BYTES("\x81\x7f\xff\0\0\0\0\0\0\0"), false, "bad"},
	};
	char head[FRAME_HEAD_MAX];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		for (size_t step = 1; step < 20; step++)
			assert_string_equal(
				frames_of(t[i].masked, t[i].p, t[i].n, step), t[i].want);
	assert_int_equal(frame_head(1, true, 125, head), 2);
	assert_memory_equal(head, "\x81\x7d", 2);
	assert_int_equal(frame_head(0, false, 126, head), 4);
	assert_memory_equal(head, "\0\x7e\0\x7e", 4);
	assert_int_equal(frame_head(2, true, 65536, head), 10);
	assert_memory_equal(head, "\x82\x7f\0\0\0\0\0\1\0\0", 10);
}

static void test_wire(void **state)
{
	char buf[4096] = "";
	int fd[2];
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	struct wire w = {.fd = fd[0]};
	assert_int_equal(write(fd[1], "abcdef", 6), 6);
	assert_int_equal(wire_recv(&w, buf, 4), -EAGAIN);
	wire_event(&w, EPOLLIN);
	assert_int_equal(wire_recv(&w, buf, 4), 4);
	assert_true(w.in); /* there was no room for more */
	assert_int_equal(wire_recv(&w, buf, 4), 2);
	assert_false(w.in);
	assert_int_equal(write(fd[1], "ghi", 3), 3);
	assert_int_equal(wire_recv(&w, buf, 4), -EAGAIN);
	/* behind the last bytes comes the end, and no event of its own */
	shutdown(fd[1], SHUT_WR);
	wire_event(&w, EPOLLIN | EPOLLRDHUP);
	assert_int_equal(wire_recv(&w, buf, sizeof(buf)), 3);
	assert_int_equal(wire_recv(&w, buf, sizeof(buf)), -EPIPE);
	/* and the other way */
	while (wire_send(&w, buf, sizeof(buf)) == sizeof(buf))
		assert_false(w.full);
	assert_true(w.full);
	assert_int_equal(wire_send(&w, buf, 1), -EAGAIN);
	while (recv(fd[1], buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(wire_send(&w, buf, 1), -EAGAIN);
	wire_event(&w, EPOLLOUT);
	assert_int_equal(wire_send(&w, buf, 1), 1);
	close(fd[1]);
	assert_int_equal(wire_send(&w, buf, 1), -EPIPE);
	close(fd[0]);
}

static void test_flow_messages(void **state)
{
	struct vault_flow_msg m = {.magic = VAULT_MAGIC, .kind = VAULT_FLOW, .name = "a.example"};
	(void)state;
	assert_true(link_flow_ok(&m, sizeof(m)));
	assert_false(link_flow_ok(&m, sizeof(m) - 1));
	memcpy(m.name, "A.example", 10);
	assert_false(link_flow_ok(&m, sizeof(m)));
	memcpy(m.name, "a.example,DNS:b", 16);
	assert_false(link_flow_ok(&m, sizeof(m)));
	memset(m.name, 'a', sizeof(m.name));
	assert_false(link_flow_ok(&m, sizeof(m)));
}

static struct credential_host hosts[] = {{.name = "a.example", .port = 443}};

static struct vault_config *config_of(bool always, const char *basic, struct err *err, int *ret)
{
	static struct vault_config c;
	static struct blob b;
	const struct credential k = {.secret = "k",
		.hosts = hosts,
		.n_hosts = 1,
		.header = "authorization",
		.before = basic ? "" : "Bearer ",
		.after = "",
		.basic_user = basic,
		.shape = "{8}",
		.file = "f",
		.always = always};
	config_erase(&c);
	blob_free(&b);
	b = (struct blob){0};
	assert_int_equal(vault_config_credential(&b, &k, "the-secret", 10, "placeholder"), 0);
	*ret = config_read(&c, b.data, b.n, err);
	return &c;
}

static void check_inject(const struct vault_config *c, uint16_t port, const char *field,
	const char *want, bool injected)
{
	static struct h1_head h;
	char s[200];
	struct buf b = {0};
	bool any = !injected, again;
	snprintf(s, sizeof(s), "GET / HTTP/1.1\r\n" HOST "%s\r\n", field);
	assert_true(request(s, &h) > 0);
	assert_int_equal(config_inject(c, &h, "a.example", port, &b, &any, &again), 0);
	buf_add(&b, "", 1);
	char *at = strstr(buf_data(&b), "\r\nAccept-Encoding: identity\r\n");
	assert_non_null(at);
	assert_string_equal(at + strlen("\r\nAccept-Encoding: identity\r\n"), want);
	assert_null(strstr(buf_data(&b), "foreign"));
	assert_int_equal(any, injected);
	buf_free(&b);
}

static void test_inject(void **state)
{
	struct err err = {0};
	int r;
	(void)state;
	struct vault_config *c = config_of(false, NULL, &err, &r);
	assert_int_equal(r, 0);
	check_inject(c, 443, "", "\r\n", false);
	check_inject(c, 443, "AUTHORIZATION: foreign\r\nAuthorization: foreign\r\n",
		"authorization: Bearer the-secret\r\n\r\n", true);
	check_inject(c, 444, "A: b\r\n", "\r\n", false);
	c = config_of(true, NULL, &err, &r);
	check_inject(c, 443, "", "authorization: Bearer the-secret\r\n\r\n", true);
	check_inject(c, 444, "", "\r\n", false);
	c = config_of(true, "me", &err, &r);
	check_inject(c, 443, "", "authorization: Basic bWU6dGhlLXNlY3JldA==\r\n\r\n", true);
	char echo[] = "x bWU6dGhlLXNlY3JldA== the-secret y\n";
	assert_int_equal(scrub_run(&c->scrub, echo, strlen(echo), true), strlen(echo));
	assert_string_equal(echo, "x ******************** ********** y\n");
	config_erase(c);
}

static void test_bad_config(void **state)
{
	static struct vault_config c;
	struct err err = {0};
	struct blob b = {0};
	(void)state;
	blob_put(&b, VAULT_TAG_SECRET, "secret", 6);
	assert_int_equal(config_read(&c, b.data, b.n - 3, &err), -EBADMSG);
	config_erase(&c);
	assert_int_equal(config_read(&c, b.data, b.n, &err), -EBADMSG);
	assert_null(memmem(b.data, b.n, "secret", 6));
	config_erase(&c);
	blob_free(&b);
	const struct credential k = {.secret = "k",
		.hosts = hosts,
		.n_hosts = 1,
		.header = "h",
		.before = "",
		.after = "",
		.shape = "",
		.file = ""};
	static const char *const bad[] = {"ab", "with\nnewline"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		b = (struct blob){0};
		vault_config_credential(&b, &k, bad[i], strlen(bad[i]), "p");
		assert_int_equal(config_read(&c, b.data, b.n, &err), -EINVAL);
		assert_null(strstr(err.msg, bad[i]));
		config_erase(&c);
		blob_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_host),
		cmocka_unit_test(test_written_anew), cmocka_unit_test(test_responses_refused),
		cmocka_unit_test(test_chunks), cmocka_unit_test(test_scrub),
		cmocka_unit_test(test_scrub_forms), cmocka_unit_test(test_frames),
		cmocka_unit_test(test_websocket), cmocka_unit_test(test_wire),
		cmocka_unit_test(test_flow_messages), cmocka_unit_test(test_inject),
		cmocka_unit_test(test_bad_config)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
