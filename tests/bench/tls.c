/* tests/bench/tls.c - load on a TLS connection that stays, and the server for it.
 *
 * usage: tls serve CERT KEY   a server on 127.0.0.1; prints its port
 *        tls obey [ADDRESS]   does what each line of stdin says and answers with one line (ADDRESS:
 *                             where HOST is to be had, in the place of a lookup):
 *          rate HOST PORT N SECONDS    N connections that stay, a request at a time on each:
 *                                      requests/s errors p50 p99 (us to the first byte)
 *          body HOST PORT MIB SECONDS  one connection, bodies of so many MIB: bytes/s errors
 *          hold HOST PORT N            opens N more, makes a request on each, keeps them: how many
 *          drop                        closes what is held
 *
 * Certificates are checked against SSL_CERT_FILE, as most programs do.  GET /N is answered with N
 * bytes; X-Bench: in a request is what a policy puts a secret into.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 16384
#define MAX_AT_ONCE 256
#define MAX_HELD 4096
#define MAX_US 4000000 /* a slower answer counts as this */
#define TIMEOUT_MS 10000
#define SERVER_CONNS 16384

static SSL_CTX *ctx;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tls: %s: %s\n", what, strerror(errno));
	ERR_print_errors_fp(stderr);
	exit(1);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void set_mode(void)
{
	SSL_CTX_set_mode(ctx,
		SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ctx, 1);
}

/* What another connection left in OpenSSL's queue of errors would be taken for one of this. */
static int tls_read(SSL *s, void *buf, size_t n)
{
	ERR_clear_error();
	return SSL_read(s, buf, (int)n);
}

static int tls_write(SSL *s, const void *buf, size_t n)
{
	ERR_clear_error();
	return SSL_write(s, buf, (int)n);
}

static bool again(SSL *s, int r)
{
	int e = SSL_get_error(s, r);
	return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
}

/* ---- the server --------------------------------------------------------------------------------
 */

struct conn {
	SSL *ssl;
	char in[4096];
	size_t n_in, head, n_head;
	uint64_t body; /* bytes left to send */
	char out[128];
};

static struct conn *conns[SERVER_CONNS];
static char zeros[CHUNK];

static void hang_up(int fd)
{
	SSL_free(conns[fd]->ssl);
	free(conns[fd]);
	conns[fd] = NULL;
	close(fd);
}

/* What there is to say is said; false: the connection is over. */
static bool say(struct conn *c)
{
	while (c->head < c->n_head || c->body) {
		bool head = c->head < c->n_head;
		char both[sizeof(c->out) + CHUNK];
		size_t n = c->n_head - c->head, k = c->body < CHUNK ? c->body : CHUNK;
		memcpy(both, c->out + c->head, n);
		memcpy(both + n, zeros, k);
		int r = head ? tls_write(c->ssl, both, n + k) : tls_write(c->ssl, zeros, k);
		if (r <= 0)
			return again(c->ssl, r);
		size_t of_head = (size_t)r < n ? (size_t)r : n;
		c->head += of_head;
		c->body -= (size_t)r - of_head;
	}
	return true;
}

/* A request: "GET /N HTTP/1.1" and fields, in one piece or more. */
static bool hear(struct conn *c)
{
	for (;;) {
		char *end = memmem(c->in, c->n_in, "\r\n\r\n", 4);
		if (end && c->head == c->n_head && !c->body) {
			size_t used = (size_t)(end + 4 - c->in);
			c->body = strtoull(c->in + 5, NULL, 10);
			c->head = 0;
			c->n_head = (size_t)snprintf(c->out, sizeof(c->out),
				"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
				"Content-Length: %llu\r\n\r\n",
				(unsigned long long)c->body);
			memmove(c->in, c->in + used, c->n_in -= used);
			if (!say(c))
				return false;
			continue;
		}
		if (c->n_in == sizeof(c->in) - 1)
			return false;
		int r = tls_read(c->ssl, c->in + c->n_in, sizeof(c->in) - 1 - c->n_in);
		if (r <= 0)
			return again(c->ssl, r);
		c->n_in += (size_t)r;
		c->in[c->n_in] = '\0';
	}
}

static void take(int listener, int epoll)
{
	int fd, one = 1;
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = fd};
		if (fd >= SERVER_CONNS) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		conns[fd] = calloc(1, sizeof(*conns[fd]));
		if (!conns[fd] || !(conns[fd]->ssl = SSL_new(ctx)) ||
			!SSL_set_fd(conns[fd]->ssl, fd) ||
			epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
			die("accept");
		SSL_set_accept_state(conns[fd]->ssl);
	}
}

static _Noreturn void serve(const char *cert, const char *key)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	struct epoll_event ev[64], add = {.events = EPOLLIN};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		die("certificate");
	set_mode();
	add.data.fd = fd;
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, 4096) < 0 ||
		getsockname(fd, (struct sockaddr *)&a, &n) < 0 || epoll < 0 ||
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &add) < 0)
		die("listen");
	printf("%d\n", ntohs(a.sin_port));
	fflush(stdout);
	for (;;) {
		int k = epoll_wait(epoll, ev, 64, -1);
		for (int i = 0; i < k; i++) {
			int at = ev[i].data.fd;
			if (at == fd)
				take(fd, epoll);
			else if (conns[at] && (!say(conns[at]) || !hear(conns[at])))
				hang_up(at);
		}
	}
}

/* ---- the client --------------------------------------------------------------------------------
 */

static void answer(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void answer(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

struct client {
	SSL *ssl;
	int fd;
	char head[1024];
	size_t n_head;
	uint64_t left; /* of a body; UINT64_MAX: the head is not there yet */
	double start;
	bool timed;
};

static const char *address;

static bool resolve(const char *host, int port, struct sockaddr_in *ret)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *ai;
	int r = getaddrinfo(address ? address : host, NULL, &hints, &ai);
	if (r) {
		answer("failed %s: %s", host, gai_strerror(r));
		return false;
	}
	memcpy(ret, ai->ai_addr, sizeof(*ret));
	ret->sin_port = htons((uint16_t)port);
	freeaddrinfo(ai);
	return true;
}

static bool dial(const struct sockaddr_in *to, const char *host, struct client *c)
{
	int one = 1;
	*c = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		return false;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->ssl = SSL_new(ctx);
	return c->ssl && SSL_set_fd(c->ssl, c->fd) && SSL_set_tlsext_host_name(c->ssl, host) &&
		SSL_set1_host(c->ssl, host) && SSL_connect(c->ssl) == 1;
}

static void hang(struct client *c)
{
	SSL_free(c->ssl);
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct client){.fd = -1};
}

static bool ask(struct client *c, const char *host, uint64_t body)
{
	char text[400];
	int n = snprintf(text, sizeof(text),
		"GET /%llu HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nX-Bench: none\r\n\r\n",
		(unsigned long long)body, host);
	c->n_head = 0;
	c->left = UINT64_MAX;
	c->timed = false;
	c->start = now();
	return tls_write(c->ssl, text, (size_t)n) == n;
}

/* How far a head has come: its length once it is there, with *left; -1: no good one. */
static int take_head(struct client *c, const char *p, size_t n)
{
	size_t k = n < sizeof(c->head) - 1 - c->n_head ? n : sizeof(c->head) - 1 - c->n_head;
	memcpy(c->head + c->n_head, p, k);
	c->head[c->n_head + k] = '\0';
	char *end = strstr(c->head, "\r\n\r\n"), *length = strcasestr(c->head, "content-length:");
	if (!end && c->n_head + k < sizeof(c->head) - 1) {
		c->n_head += k;
		return (int)n;
	}
	if (!end || !length || strncmp(c->head, "HTTP/1.1 200 ", 13) != 0)
		return -1;
	c->left = strtoull(length + sizeof("content-length:") - 1, NULL, 10);
	return (int)((size_t)(end + 4 - c->head) - c->n_head);
}

/* Read on: 1 the response is whole, 0 more will come, -1 it broke.  First bytes are told. */
static int hear_answer(struct client *c, void (*first)(double us, void *arg), void *arg)
{
	static char buf[CHUNK];
	for (;;) {
		if (c->left == 0)
			return 1;
		int n = tls_read(c->ssl, buf, sizeof(buf)), used = 0;
		if (n <= 0)
			return again(c->ssl, n) ? 0 : -1;
		if (!c->timed) {
			c->timed = true;
			first((now() - c->start) * 1e6, arg);
		}
		if (c->left == UINT64_MAX)
			used = take_head(c, buf, (size_t)n);
		if (used < 0)
			return -1;
		if (c->left == UINT64_MAX)
			continue;
		if ((uint64_t)(n - used) > c->left)
			return -1;
		c->left -= (uint64_t)(n - used);
	}
}

struct rate {
	uint64_t done, errors;
	uint32_t *us; /* how many took that long */
};

static void count(double us, void *arg)
{
	struct rate *r = arg;
	r->us[us < MAX_US ? (size_t)us : MAX_US]++;
	r->done++;
}

static double percentile(const struct rate *r, double p)
{
	uint64_t want = (uint64_t)((double)r->done * p), sum = 0;
	for (uint32_t us = 0; us < MAX_US; us++) {
		sum += r->us[us];
		if (sum > want)
			return us;
	}
	return MAX_US;
}

static void run_rate(const struct sockaddr_in *to, const char *host, size_t n, double seconds)
{
	static struct client c[MAX_AT_ONCE];
	struct epoll_event ev[64];
	struct rate r = {.us = calloc(MAX_US + 1, sizeof(*r.us))};
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	size_t open = 0;
	if (epoll < 0 || !r.us)
		die("rate");
	for (size_t i = 0; i < n; i++) {
		struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.u64 = i};
		if (!dial(to, host, &c[i]) || epoll_ctl(epoll, EPOLL_CTL_ADD, c[i].fd, &e) < 0) {
			answer("failed to connect: %s",
				ERR_reason_error_string(ERR_peek_last_error()) ?: strerror(errno));
			for (size_t k = 0; k <= i; k++)
				hang(&c[k]);
			close(epoll);
			free(r.us);
			return;
		}
		fcntl(c[i].fd, F_SETFL, O_NONBLOCK);
	}
	double start = now(), end = start + seconds, last = start;
	for (size_t i = 0; i < n; i++)
		open += ask(&c[i], host, 2);
	while (open) {
		int k = epoll_wait(epoll, ev, 64, TIMEOUT_MS);
		if (k == 0) { /* what hangs is lost */
			r.errors += open;
			break;
		}
		for (int i = 0; i < k; i++) {
			struct client *x = &c[ev[i].data.u64];
			int h = x->ssl ? hear_answer(x, count, &r) : 0;
			if (h > 0 && (last = now()) < end && ask(x, host, 2))
				continue;
			r.errors += h < 0;
			open -= h != 0;
			if (h < 0)
				hang(x);
		}
	}
	answer("%.1f %llu %.0f %.0f", (double)r.done / (last - start), (unsigned long long)r.errors,
		percentile(&r, 0.5), percentile(&r, 0.99));
	for (size_t i = 0; i < n; i++)
		hang(&c[i]);
	close(epoll);
	free(r.us);
}

static void unheard(double us, void *arg)
{
	(void)us, (void)arg;
}

static void run_body(const struct sockaddr_in *to, const char *host, size_t mib, double seconds)
{
	struct client c;
	uint64_t sum = 0, errors = 0;
	double start, took = 0;
	if (!dial(to, host, &c)) {
		answer("failed to connect: %s", strerror(errno));
		hang(&c);
		return;
	}
	start = now();
	do {
		if (!ask(&c, host, (uint64_t)mib << 20) || hear_answer(&c, unheard, NULL) != 1) {
			errors++;
			break;
		}
		sum += (uint64_t)mib << 20;
		took = now() - start;
	} while (took < seconds);
	answer("%.0f %llu", took > 0 ? (double)sum / took : 0, (unsigned long long)errors);
	hang(&c);
}

static struct client *held[MAX_HELD];
static size_t n_held;

static void run_hold(const struct sockaddr_in *to, const char *host, size_t n)
{
	for (size_t i = 0; i < n && n_held < MAX_HELD; i++) {
		struct client *c = calloc(1, sizeof(*c));
		if (!c || !dial(to, host, c) || !ask(c, host, 2) ||
			hear_answer(c, unheard, NULL) != 1) {
			answer("failed: only %zu are open: %s", n_held, strerror(errno));
			return;
		}
		held[n_held++] = c;
	}
	answer("%zu", n_held);
}

static void run_drop(void)
{
	while (n_held) {
		hang(held[--n_held]);
		free(held[n_held]);
	}
	answer("done");
}

static void obey(char *line)
{
	char *word[5] = {0};
	struct sockaddr_in to;
	size_t n = 0;
	for (char *w; n < 5 && (w = strsep(&line, " \n"));)
		if (*w)
			word[n++] = w;
	if (n == 1 && strcmp(word[0], "drop") == 0) {
		run_drop();
		return;
	}
	if (n < 4) {
		answer("failed: unknown command");
		return;
	}
	if (!resolve(word[1], atoi(word[2]), &to))
		return;
	size_t much = (size_t)atol(word[3]);
	if (n == 5 && strcmp(word[0], "rate") == 0 && much > 0 && much <= MAX_AT_ONCE)
		run_rate(&to, word[1], much, atof(word[4]));
	else if (n == 5 && strcmp(word[0], "body") == 0 && much > 0)
		run_body(&to, word[1], much, atof(word[4]));
	else if (n == 4 && strcmp(word[0], "hold") == 0)
		run_hold(&to, word[1], much);
	else
		answer("failed: unknown command");
}

int main(int argc, char **argv)
{
	char line[400];
	struct rlimit files;
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (argc == 4 && strcmp(argv[1], "serve") == 0)
		serve(argv[2], argv[3]);
	if (argc < 2 || argc > 3 || strcmp(argv[1], "obey") != 0) {
		fprintf(stderr, "usage: tls serve CERT KEY | obey [ADDRESS]\n");
		return 2;
	}
	address = argv[2];
	ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx || SSL_CTX_set_default_verify_paths(ctx) != 1)
		die("trust");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	set_mode();
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	return 0;
}
