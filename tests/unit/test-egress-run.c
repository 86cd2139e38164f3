/* tests/unit/test-egress-run.c - relay, dialer and network namespace together, without bawn-init.
 *
 * The parent stays in the host's namespaces: it runs the dialer and a small upstream server on
 * loopback.  A child makes a user and a network namespace, sets it up as bawn-init does (net/),
 * hands the listeners to the relay, and is then the agent: the checks run there.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "base/proc.h"
#include "child.h"
#include "egress-pack.h"
#include "egress-upstream.h"
#include "egress/dialer.h"
#include "net/apply.h"
#include "net/build.h"
#include "net/netns.h"

enum { HOST_PORT = 18099 };

/* What the dialer's hooks saw, for the child to look at. */
struct seen {
	_Atomic unsigned n, ends;
	_Atomic uint64_t up, down;
	struct {
		bool allowed;
		char target[128], reason[128], fix[128];
	} v[256];
};
static struct seen *seen;

static uint16_t http_port, echo_port, host_port;

/* ---- the sandbox's side ---- */

static const uint16_t host_ports[] = {HOST_PORT};

static void make_netns(int handover)
{
	struct err err = {0};
	void *nft, *rtnl;
	size_t nft_n, rtnl_n;
	int fds[NETNS_FD_HOST_PORTS + 1];
	struct net_cidr lit = {.bits = 128, .ports = {7000}, .n_ports = 1};
	inet_pton(AF_INET6, "::ffff:10.9.8.7", &lit.net);
	struct net_build nb = {
		.allow = &lit, .n_allow = 1, .host_ports = host_ports, .n_host_ports = 1};
	own_namespaces(CLONE_NEWNET, 1000);
	if (net_build_nft(&nb, &nft, &nft_n, &err) < 0 ||
		net_build_rtnl(&nb, &rtnl, &rtnl_n, &err) < 0 ||
		net_apply_rtnl(rtnl, rtnl_n, &err) < 0 || net_apply_nft(nft, nft_n, &err) < 0 ||
		net_sysctls(false, &err) < 0 || net_prove(&err) < 0 ||
		net_listeners(host_ports, 1, fds, &err) < 0) {
		fprintf(stderr, "netns: %s\n", err.msg);
		exit(99);
	}
	if (fd_send(handover, "l", 1, fds, ARRAY_LEN(fds)) < 0)
		exit(99);
	close(handover);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	free(nft);
	free(rtnl);
}

/* One DNS question; returns the rcode, the address in *ret (0: none), -1 without an answer. */
static int dns(const char *name, uint16_t type, uint32_t *ret)
{
	uint8_t q[512] = {0x12, 0x34, 1, 0, 0, 1}, a[512];
	size_t n = 12;
	for (const char *s = name; *s;) {
		size_t len = strcspn(s, ".");
		q[n++] = (uint8_t)len;
		memcpy(q + n, s, len);
		n += len;
		s += len + (s[len] == '.');
	}
	q[n++] = 0;
	q[n++] = (uint8_t)(type >> 8);
	q[n++] = (uint8_t)type;
	q[n++] = 0;
	q[n++] = 1;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)};
	inet_pton(AF_INET, NETNS_DNS_ADDR, &to.sin_addr);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timeval tv = {.tv_sec = 3};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || send(fd, q, n, 0) < 0)
		return -1;
	ssize_t k = recv(fd, a, sizeof(a), 0);
	if (k < 12 || a[0] != 0x12 || a[1] != 0x34)
		return -1;
	*ret = 0;
	if (a[7] == 1 && (size_t)k >= n + 16)
		*ret = (uint32_t)a[n + 12] << 24 | (uint32_t)a[n + 13] << 16 |
			(uint32_t)a[n + 14] << 8 | a[n + 15];
	return a[3] & 15;
}

static int tcp(uint32_t addr, uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(addr)};
	struct timeval tv = {.tv_sec = 5};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		int e = errno;
		close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

static int dial(const char *name, uint16_t port)
{
	uint32_t a;
	assert_int_equal(dns(name, 1, &a), 0);
	assert_int_not_equal(a, 0);
	return tcp(a, port);
}

static void put(int fd, const void *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void puts_to(int fd, const char *s)
{
	put(fd, s, strlen(s));
}

/* Read until the end of the connection; bytes, or -errno of what ended it. */
static ssize_t slurp(int fd, char *buf, size_t cap)
{
	size_t n = 0;
	for (;;) {
		ssize_t k = recv(fd, buf + n, cap - 1 - n, 0);
		if (k < 0)
			return -errno;
		if (k == 0)
			break;
		n += (size_t)k;
	}
	buf[n] = '\0';
	return (ssize_t)n;
}

/* Read until needle has come. */
static bool expect(int fd, const char *needle)
{
	char buf[8192];
	size_t n = 0;
	while (n < sizeof(buf) - 1) {
		ssize_t k = recv(fd, buf + n, sizeof(buf) - 1 - n, 0);
		if (k <= 0)
			return false;
		n += (size_t)k;
		buf[n] = '\0';
		if (memmem(buf, n, needle, strlen(needle)))
			return true;
	}
	return false;
}

static bool verdict_seen(bool allowed, const char *target, const char *reason)
{
	for (int tries = 0; tries < 300; tries++) {
		for (unsigned i = 0; i < seen->n && i < ARRAY_LEN(seen->v); i++)
			if (seen->v[i].allowed == allowed && streq(seen->v[i].target, target) &&
				strstr(seen->v[i].reason, reason))
				return true;
		usleep(10000);
	}
	return false;
}

/* The least ClientHello with a server name. */
static size_t hello(uint8_t *p, const char *sni)
{
	size_t s = strlen(sni), n = 0;
	size_t ext = s ? 4 + 2 + 1 + 2 + s : 0;
	size_t body = 2 + 32 + 1 + 2 + 2 + 1 + 1 + 2 + ext;
#define P1(x) (p[n++] = (uint8_t)(x))
#define P2(x) (P1((x) >> 8), P1(x))
	P1(22), P2(0x0301), P2(body + 4);
	P1(1), P1(0), P2(body);
	P2(0x0303);
	for (int i = 0; i < 32; i++)
		P1(i);
	P1(0), P2(2), P2(0x1301), P1(1), P1(0), P2(ext);
	if (s) {
		P2(0), P2(ext - 4), P2(ext - 6), P1(0), P2(s);
		memcpy(p + n, sni, s);
		n += s;
	}
	return n;
}

static void test_dns(void **state)
{
	(void)state;
	uint32_t a, b;
	assert_int_equal(dns("api.allowed.example", 1, &a), 0);
	assert_int_equal(a >> 17, NETNS_SYNTH_NET >> 17);
	assert_int_equal(dns("API.Allowed.Example", 1, &b), 0);
	assert_int_equal(a, b);
	assert_int_equal(dns("denied.example", 1, &b), 0);
	assert_int_equal(b >> 17, NETNS_SYNTH_NET >> 17);
	assert_int_equal(dns("api.allowed.example", 28, &a), 0);
	assert_int_equal(a, 0);
	assert_int_equal(dns("api.allowed.example", 65, &a), 0);
	assert_int_equal(a, 0);
	assert_int_equal(dns("x.localhost", 1, &a), 0);
	assert_int_equal(a, INADDR_LOOPBACK);
	assert_int_equal(dns("printer.local", 1, &a), 3);
	assert_int_equal(dns("intranet", 1, &a), 3);
	assert_int_equal(dns("db.internal", 1, &a), 0); /* a rule names it */
	assert_int_not_equal(a, 0);
	assert_int_equal(dns("other.internal", 1, &a), 3);
	assert_int_equal(dns("1.18.198.in-addr.arpa", 12, &a), 3);
}

static void test_http(void **state)
{
	(void)state;
	int fd = dial("api.allowed.example", 80);
	assert_true(fd >= 0);
	for (int i = 0; i < 3; i++) {
		puts_to(fd, "GET / HTTP/1.1\r\nHost: api.allowed.example\r\n\r\n");
		assert_true(expect(fd, "\r\n\r\napi.allowed.example\n"));
	}
	puts_to(fd,
		"POST / HTTP/1.1\r\nHost: API.allowed.example.:80\r\nContent-Length: "
		"5\r\n\r\nhello");
	assert_true(expect(fd, "\r\n\r\nAPI.allowed"));
	/* OWN-10: a later request names another host */
	puts_to(fd, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
	char buf[4096];
	assert_true(slurp(fd, buf, sizeof(buf)) <= 0);
	close(fd);
	assert_true(verdict_seen(true, "api.allowed.example:80", "allowed"));
	assert_true(verdict_seen(false, "api.allowed.example:80", "names evil.example"));
}

static void test_http_wrong_host(void **state)
{
	(void)state;
	char buf[4096];
	int fd = dial("api.allowed.example", 80);
	puts_to(fd, "GET / HTTP/1.1\r\nHost: other.example\r\n\r\n");
	assert_true(slurp(fd, buf, sizeof(buf)) > 0);
	assert_true(has_prefix(buf, "HTTP/1.1 403 "));
	assert_non_null(strstr(buf, "other.example"));
	close(fd);
	fd = dial("api.allowed.example", 80);
	puts_to(fd, "SSH-2.0-x\r\n\r\n");
	slurp(fd, buf, sizeof(buf));
	close(fd);
	assert_true(verdict_seen(false, "api.allowed.example:80", "isn't well-formed"));
}

static void test_http_denied(void **state)
{
	(void)state;
	char buf[4096];
	int fd = dial("denied.example", 80);
	puts_to(fd, "GET / HTTP/1.1\r\nHost: denied.example\r\n\r\n");
	assert_true(slurp(fd, buf, sizeof(buf)) > 0);
	assert_true(has_prefix(buf, "HTTP/1.1 403 "));
	assert_non_null(strstr(buf, "bawn run test --allow denied.example:80"));
	close(fd);
	assert_true(verdict_seen(false, "denied.example:80", "no rule"));
}

static void test_websocket(void **state)
{
	(void)state;
	int fd = dial("api.allowed.example", 80);
	puts_to(fd,
		"GET /ws HTTP/1.1\r\nHost: api.allowed.example\r\nConnection: Upgrade\r\n"
		"Upgrade: websocket\r\n\r\n");
	assert_true(expect(fd, "101 Switching"));
	put(fd, "\x81\x05\x00\r\nab", 7);
	assert_true(expect(fd, "\r\nab"));
	close(fd);
}

static void test_tls(void **state)
{
	(void)state;
	uint8_t h[600];
	char buf[4096];
	size_t n = hello(h, "api.allowed.example");
	int fd = dial("api.allowed.example", 443);
	put(fd, h, n);
	assert_int_equal(recv(fd, buf, n, MSG_WAITALL), (ssize_t)n);
	assert_memory_equal(buf, h, n);
	close(fd);
	/* TLS-03: one byte a segment */
	fd = dial("api.allowed.example", 443);
	for (size_t i = 0; i < n; i++)
		put(fd, h + i, 1);
	assert_int_equal(recv(fd, buf, n, MSG_WAITALL), (ssize_t)n);
	close(fd);
}

static void tls_refused(const char *name, const void *p, size_t n)
{
	char buf[64];
	int fd = dial(name, 443);
	put(fd, p, n);
	assert_int_equal(slurp(fd, buf, sizeof(buf)), 7);
	assert_memory_equal(buf, "\x15\x03\x03\x00\x02\x02\x31", 7);
	close(fd);
}

static void test_tls_refused(void **state)
{
	(void)state;
	uint8_t h[600];
	tls_refused("api.allowed.example", h, hello(h, "evil.example"));
	tls_refused("api.allowed.example", h, hello(h, ""));
	tls_refused("api.allowed.example", "SSH-2.0-OpenSSH\r\n", 17);
	tls_refused("denied.example", h, hello(h, "denied.example"));
	assert_true(verdict_seen(false, "denied.example:443", "no rule"));
	assert_true(verdict_seen(false, "api.allowed.example:443", "names evil.example"));
}

static void test_other_port(void **state)
{
	(void)state;
	char buf[64];
	int fd = dial("api.allowed.example", 7000);
	puts_to(fd, "ping");
	assert_true(expect(fd, "ping"));
	/* NET-25: our end closes, the rest still comes */
	puts_to(fd, "last");
	shutdown(fd, SHUT_WR);
	assert_int_equal(slurp(fd, buf, sizeof(buf)), 4);
	close(fd);
	/* NET-16 */
	fd = dial("api.allowed.example", 9999);
	assert_true(fd >= 0);
	assert_int_equal(slurp(fd, buf, sizeof(buf)), -ECONNRESET);
	close(fd);
	assert_true(verdict_seen(false, "api.allowed.example:9999", "no rule"));
}

static void test_literal(void **state)
{
	(void)state;
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
	assert_int_equal(tcp(0x01010101, 443), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_true(verdict_seen(false, "1.1.1.1:443", "no rule"));
	inet_pton(AF_INET6, "2606:4700::1111", &a6.sin6_addr);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a6, sizeof(a6)), -1);
	close(fd);
	/* a rule gives this one: the relay asks, and it can't be reached */
	fd = tcp(0x0a090807, 7000);
	if (fd >= 0)
		close(fd);
	/* NET-06 */
	assert_int_equal(tcp(INADDR_LOOPBACK, NETNS_RELAY_PORT), -1);
	assert_true(verdict_seen(false, "relay", "own listener"));
	/* an address of the range that stands for no name */
	fd = tcp(NETNS_SYNTH_NET + 77777, 443);
	if (fd >= 0) {
		char buf[64];
		assert_int_equal(slurp(fd, buf, sizeof(buf)), 7);
		close(fd);
	}
}

static void test_udp(void **state)
{
	(void)state;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(123)};
	inet_pton(AF_INET, "9.9.9.9", &to.sin_addr);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), -1);
	assert_int_equal(errno, EPERM);
	assert_true(verdict_seen(false, "udp 9.9.9.9:123", "only TCP"));
}

static void test_host_port(void **state)
{
	(void)state;
	int fd = tcp(INADDR_LOOPBACK, HOST_PORT);
	assert_true(fd >= 0);
	puts_to(fd, "GET / HTTP/1.1\r\nHost: anything\r\n\r\n");
	assert_true(expect(fd, "anything"));
	close(fd);
}

static void test_private(void **state)
{
	(void)state;
	char buf[2048];
	/* allowed by name and port, but it resolves to loopback (DNS-05) */
	int fd = dial("private.example", 80);
	puts_to(fd, "GET / HTTP/1.1\r\nHost: private.example\r\n\r\n");
	assert_true(slurp(fd, buf, sizeof(buf)) > 0);
	assert_true(has_prefix(buf, "HTTP/1.1 502 ") || has_prefix(buf, "HTTP/1.1 403 "));
	close(fd);
}

static int ask_big(void)
{
	int fd = dial("api.allowed.example", 80);
	puts_to(fd, "GET /big HTTP/1.1\r\nHost: api.allowed.example\r\n\r\n");
	return fd;
}

/* Read so much of the answer, and that it is what was sent, in order. */
static void read_big(int fd, uint64_t want)
{
	static char buf[1 << 20];
	char last[4] = "";
	while (memcmp(last, "\r\n\r\n", 4) != 0) {
		memmove(last, last + 1, 3);
		assert_int_equal(recv(fd, last + 3, 1, 0), 1);
	}
	for (uint64_t n = 0; n < want;) {
		ssize_t k = recv(fd, buf, MIN(sizeof(buf), want - n), 0);
		assert_true(k > 0);
		for (ssize_t i = 0; i < k; i++, n++)
			if ((unsigned char)buf[i] != n % UPSTREAM_PERIOD)
				fail_msg("another byte at %llu", (unsigned long long)n);
	}
}

static void test_big(void **state)
{
	(void)state;
	static char buf[1 << 20];
	uint64_t n = 0;
	int fd = ask_big();
	read_big(fd, UPSTREAM_BIG);
	close(fd);
	fd = dial("api.allowed.example", 80);
	snprintf(buf, sizeof(buf),
		"POST / HTTP/1.1\r\nHost: api.allowed.example\r\nContent-Length: %d\r\n\r\n",
		UPSTREAM_BIG);
	puts_to(fd, buf);
	memset(buf, 'x', sizeof(buf));
	for (n = 0; n < UPSTREAM_BIG; n += sizeof(buf))
		put(fd, buf, sizeof(buf));
	puts_to(fd, "GET / HTTP/1.1\r\nHost: api.allowed.example\r\nConnection: close\r\n\r\n");
	assert_true(slurp(fd, buf, sizeof(buf)) > 0);
	close(fd);
}

/* NET-24: peers that don't read are held back, more of them than the relay has buffers, and disturb
 * no others; when they do read, each gets what is its own. */
static void test_never_reads(void **state)
{
	int fd[100];
	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		fd[i] = ask_big();
	test_http(state);
	test_big(state);
	for (size_t i = 0; i < ARRAY_LEN(fd); i += 9)
		read_big(fd[i], UPSTREAM_BIG / 4);
	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		close(fd[i]);
	test_big(state);
}

/* NET-24: connections that say nothing; the oldest give way. */
static void test_half_open(void **state)
{
	(void)state;
	static int fd[1500];
	uint32_t a;
	assert_int_equal(dns("api.allowed.example", 1, &a), 0);
	size_t n = 0;
	for (; n < ARRAY_LEN(fd); n++)
		if ((fd[n] = tcp(a, 443)) < 0)
			break;
	test_tls(state);
	while (n--)
		close(fd[n]);
}

/* OWN-09: many short connections, the client closes first. */
static void test_short(void **state)
{
	(void)state;
	static const char req[] = "GET / HTTP/1.1\r\nHost: api.allowed.example\r\n\r\n";
	const char *n_text = getenv("BAWN_TEST_CONNECTIONS");
	int n = n_text ? atoi(n_text) : 30000;
	char buf[512];
	uint32_t a;
	assert_int_equal(dns("api.allowed.example", 1, &a), 0);
	for (int i = 0; i < n; i++) {
		int fd = tcp(a, 80);
		if (fd < 0)
			fail_msg("connection %d: %s", i, strerror(errno));
		put(fd, req, sizeof(req) - 1);
		assert_true(recv(fd, buf, sizeof(buf), 0) > 0);
		close(fd);
	}
}

/* OWN-11: names no rule allows don't move an allowed one. */
static void test_name_flood(void **state)
{
	(void)state;
	uint32_t a, b;
	char name[64];
	int none = 0;
	assert_int_equal(dns("api.allowed.example", 1, &a), 0);
	for (int i = 0; i < 6000; i++) {
		snprintf(name, sizeof(name), "secret%d.attacker.example", i);
		int r = dns(name, 1, &b);
		assert_true(r == 0 || r == 3 || r == -1);
		none += r == 3;
	}
	assert_true(none > 1000);
	assert_int_equal(dns("api.allowed.example", 1, &b), 0);
	assert_int_equal(a, b);
	test_http(state);
}

/* The server ends behind its answer: all of that comes, then its end, whatever the client has sent
 * or sends meanwhile; and what is asked after it gets no answer. */
static void test_answered(void **state)
{
	(void)state;
#define ASK "GET / HTTP/1.1\r\nHost: api.allowed.example\r\n"
	static const char *const asks[] = {ASK "Connection: close\r\n\r\n",
		ASK "Connection: close\r\n\r\n" ASK "\r\n",
		ASK "Connection: close\r\n\r\n" ASK "Content-"};
	char buf[4096];
	for (int i = 0; i < 300; i++) {
		int fd = dial("api.allowed.example", 80);
		puts_to(fd, asks[i % 3]);
		if (i % 2 && i % 3 != 2) /* behind a line begun it is no request */
			send(fd, ASK "\r\n", sizeof(ASK "\r\n") - 1, MSG_NOSIGNAL);
		if (!expect(fd, "\r\n\r\napi.allowed.example\n"))
			fail_msg("round %d: no answer", i);
		assert_true(slurp(fd, buf, sizeof(buf)) <= 0);
		send(fd, ASK "\r\n", sizeof(ASK "\r\n") - 1, MSG_NOSIGNAL);
		assert_true(recv(fd, buf, sizeof(buf), 0) <= 0);
		close(fd);
	}
#undef ASK
}

/* A client that goes away before there is an answer is noticed, at once or later. */
static void test_gives_up(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		unsigned before;
		do { /* until no more ends are told of what was before */
			before = seen->ends;
			usleep(2200 * 1000);
		} while (seen->ends != before);
		int fd = dial("api.allowed.example", 80);
		puts_to(fd, "GET /silent HTTP/1.1\r\nHost: api.allowed.example\r\n\r\n");
		usleep(late ? 300 * 1000 : 0);
		close(fd);
		for (int i = 0; i < 500 && seen->ends == before; i++)
			usleep(10000);
		assert_true(seen->ends > before);
	}
}

static void test_ends_told(void **state)
{
	(void)state;
	for (int i = 0; i < 300 && seen->ends == 0; i++)
		usleep(10000);
	assert_true(seen->ends > 0);
	assert_true(seen->down > UPSTREAM_BIG);
	assert_true(seen->up > UPSTREAM_BIG);
}

/* ---- the supervisor's side ---- */

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void on_verdict(void *ctx, bool allowed, const struct dialer_denial *x)
{
	(void)ctx;
	unsigned i = seen->n;
	if (i >= ARRAY_LEN(seen->v))
		return;
	seen->v[i].allowed = allowed;
	snprintf(seen->v[i].target, sizeof(seen->v[i].target), "%s", x->target);
	snprintf(seen->v[i].reason, sizeof(seen->v[i].reason), "%s", x->reason);
	snprintf(seen->v[i].fix, sizeof(seen->v[i].fix), "%s", x->fix);
	seen->n = i + 1;
	if (getenv("BAWN_TEST_VERBOSE"))
		fprintf(stderr, "# %s %s: %s [%s] %s x%llu\n", allowed ? "allow" : "deny",
			x->target, x->reason, x->rule, x->fix, (unsigned long long)x->count);
}

static void on_end(void *ctx, const char *target, uint64_t up, uint64_t down, uint64_t ms)
{
	(void)ctx;
	(void)ms;
	(void)target;
	seen->ends++;
	seen->up += up;
	seen->down += down;
}

static const struct test_rule rules[] = {
	{.text = "api.allowed.example:80,443,7000"},
	{.text = "**.allowed.example:443"},
	{.text = "never.allowed.example", .deny = true},
	{.text = "private.example:80"},
	{.text = "db.internal:5432", .private_ok = true},
	{.text = "10.9.8.7:7000"},
};

static struct proc start_relay(int theirs, int handover, int pack)
{
	char path[4096];
	const char *dir = getenv("BAWN_BUILDDIR");
	snprintf(path, sizeof(path), "%s/bawn-relay", dir ? dir : ".");
	char *argv[] = {(char[]){"bawn-relay"}, NULL};
	int fds[] = {-1, -1, 2, theirs, handover, pack};
	struct proc_spawn how = {.path = path,
		.argv = argv,
		.fds = fds,
		.nfds = (int)ARRAY_LEN(fds),
		.die_with_parent = SIGKILL};
	struct proc p = PROC_NONE;
	struct err err = {0};
	if (proc_spawn(&how, &p, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		exit(99);
	}
	return p;
}

static int agent(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_http_wrong_host),
		cmocka_unit_test(test_http_denied),
		cmocka_unit_test(test_websocket),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_tls_refused),
		cmocka_unit_test(test_other_port),
		cmocka_unit_test(test_literal),
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_host_port),
		cmocka_unit_test(test_private),
		cmocka_unit_test(test_big),
		cmocka_unit_test(test_never_reads),
		cmocka_unit_test(test_half_open),
		cmocka_unit_test(test_answered),
		cmocka_unit_test(test_gives_up),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_name_flood),
		cmocka_unit_test(test_ends_told),
	};
	return cmocka_run_group_tests_name("egress", tests, NULL, NULL);
}

static int supervise(struct dialer *d, pid_t child, struct proc *relay)
{
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0), status;
	struct pollfd p[] = {{.fd = dialer_fd(d), .events = POLLIN},
		{.fd = pidfd, .events = POLLIN}, {.fd = relay->pidfd, .events = POLLIN}};
	for (;;) {
		poll(p, ARRAY_LEN(p), -1);
		if (p[0].revents && dialer_dispatch(d) < 0) {
			fprintf(stderr, "the relay is gone\n");
			kill(child, SIGKILL);
			return 98;
		}
		if (p[1].revents)
			break;
	}
	waitpid(child, &status, 0);
	close(pidfd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

int main(void)
{
	int ask[2], handover[2];
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	host_port = HOST_PORT;
	int l[] = {upstream_listen(&http_port), upstream_listen(&echo_port),
		upstream_listen(&host_port)};
	fflush(stdout);
	pid_t up = fork();
	if (up == 0)
		upstream_run(l[0], l[1], l[2]);
	for (size_t i = 0; i < ARRAY_LEN(l); i++)
		close(l[i]);
	socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ask);
	socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, handover);
	int pack_fd = test_pack(rules, ARRAY_LEN(rules), false);
	struct proc relay = start_relay(ask[1], handover[1], pack_fd);
	close(ask[1]);
	close(handover[1]);
	pid_t child = fork();
	if (child == 0) {
		struct rlimit files;
		getrlimit(RLIMIT_NOFILE, &files);
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ask[0]);
		make_netns(handover[0]);
		_exit(agent());
	}
	close(handover[0]);
	struct pack pack;
	struct err err = {0};
	if (pack_open_fd(pack_fd, &pack, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 99;
	}
	const struct dialer_override overrides[] = {
		{"private.example", 80, "", 0},
		{"", 80, "127.0.0.1", http_port},
		{"", 443, "127.0.0.1", echo_port},
		{"", 7000, "127.0.0.1", echo_port},
	};
	char resolver[4096];
	const char *dir = getenv("BAWN_BUILDDIR");
	snprintf(resolver, sizeof(resolver), "%s/bawn-resolve", dir ? dir : ".");
	struct dialer_config c = {.relay_sock = ask[0],
		.egress = pack.egress,
		.resolver_path = resolver,
		.overrides = overrides,
		.n_overrides = ARRAY_LEN(overrides),
		.host_ports = host_ports,
		.n_host_ports = 1,
		.fix_prefix = "bawn run test",
		.hooks = {.verdict = on_verdict, .flow_end = on_end}};
	struct dialer *d;
	if (dialer_new(&c, &d, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 99;
	}
	int r = supervise(d, child, &relay);
	dialer_free(d);
	int status = -1;
	/* NET-24, PER: it ends at once when our end is closed */
	uint64_t start = now_ns();
	proc_wait(&relay, &status);
	if (status != 0 || now_ns() - start > 1000000000) {
		fprintf(stderr, "the relay ended with %d\n", status);
		r = r ? r : 96;
	}
	kill(up, SIGKILL);
	waitpid(up, NULL, 0);
	pack_close(&pack);
	return r;
}
