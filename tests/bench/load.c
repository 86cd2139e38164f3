/* tests/bench/load.c - load on a connection and on the system call path, and the servers for it.
 *
 * usage: load serve          servers on 127.0.0.1; prints "SINK-PORT SOURCE-PORT HTTP-PORT"
 *        load obey           does what each line of stdin says and answers with one line:
 *          up HOST PORT SECONDS        bytes/s that a sink confirms
 *          down HOST PORT SECONDS      bytes/s from a source
 *          http HOST PORT N SECONDS    N at once, a connection each: requests/s errors p50 p99 (us)
 *          dial HOST PORT              asks by HTTP; "done", after 3 s or an answer
 *          syscall N                   ns for one getppid(2)
 *          filter                      takes a seccomp filter that allows all, for good; "done"
 *
 * Client and server copy as a plain program does, with read(2) and write(2) of 128 KiB.  Servers
 * end the HTTP connections, as most do, so that the ports in TIME_WAIT are theirs.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (128 * 1024)
#define MAX_AT_ONCE 256
#define MAX_US 4000000 /* a slower answer counts as this */
#define TIMEOUT_MS 10000

static const char response[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
			       "Content-Length: 3\r\nConnection: close\r\n\r\nok\n";

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- servers -----------------------------------------------------------------------------------
 */

static int listen_any(int *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, 4096) < 0 ||
		getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		die("listen");
	*ret_port = ntohs(a.sin_port);
	return fd;
}

/* Reads until the client ends, then says how much came. */
static void *sink_one(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char *buf = malloc(CHUNK);
	uint64_t sum = 0;
	ssize_t n;
	while (buf && (n = read(fd, buf, CHUNK)) > 0)
		sum += (uint64_t)n;
	if (write(fd, &sum, sizeof(sum)) < 0)
		perror("load: sink");
	close(fd);
	free(buf);
	return NULL;
}

static void *source_one(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char *buf = calloc(1, CHUNK);
	while (buf && write(fd, buf, CHUNK) > 0)
		;
	close(fd);
	free(buf);
	return NULL;
}

struct server {
	int fd;
	void *(*one)(void *);
};

static void *serve_each(void *arg)
{
	const struct server *s = arg;
	for (;;) {
		int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
		pthread_t t;
		if (fd < 0)
			continue;
		if (pthread_create(&t, NULL, s->one, (void *)(intptr_t)fd) != 0)
			die("pthread_create");
		pthread_detach(t);
	}
	return NULL;
}

/* A request is taken to come in one piece and to be a GET. */
static void http_answer(int fd)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));
	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0 && write(fd, response, sizeof(response) - 1) < 0)
		perror("load: http");
	close(fd);
}

static _Noreturn void serve_http(int listener)
{
	struct epoll_event ev[64], add = {.events = EPOLLIN, .data.fd = listener};
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &add) < 0)
		die("epoll");
	for (;;) {
		int n = epoll_wait(epoll, ev, 64, -1);
		for (int i = 0; i < n; i++) {
			if (ev[i].data.fd != listener) {
				http_answer(ev[i].data.fd);
				continue;
			}
			int fd;
			while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >=
				0) {
				add.data.fd = fd;
				if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &add) < 0)
					die("epoll");
			}
		}
	}
}

static _Noreturn void serve(void)
{
	static struct server sink = {.one = sink_one}, source = {.one = source_one};
	int port[3];
	pthread_t t;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sink.fd = listen_any(&port[0]);
	source.fd = listen_any(&port[1]);
	int http = listen_any(&port[2]);
	if (pthread_create(&t, NULL, serve_each, &sink) != 0 ||
		pthread_create(&t, NULL, serve_each, &source) != 0)
		die("pthread_create");
	printf("%d %d %d\n", port[0], port[1], port[2]);
	fflush(stdout);
	serve_http(http);
}

/* ---- clients -----------------------------------------------------------------------------------
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

static void failed(const char *what)
{
	answer("failed %s: %s", what, strerror(errno));
}

static bool resolve(const char *host, int port, struct sockaddr_in *ret)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *ai;
	int r = getaddrinfo(host, NULL, &hints, &ai);
	if (r) {
		answer("failed %s: %s", host, gai_strerror(r));
		return false;
	}
	memcpy(ret, ai->ai_addr, sizeof(*ret));
	ret->sin_port = htons((uint16_t)port);
	freeaddrinfo(ai);
	return true;
}

static int dial(const struct sockaddr_in *to, int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static void run_up(const struct sockaddr_in *to, double seconds)
{
	static char buf[CHUNK];
	uint64_t confirmed = 0;
	int fd = dial(to, 0);
	if (fd < 0) {
		failed("connect");
		return;
	}
	double start = now(), end = start + seconds;
	while (now() < end)
		if (write(fd, buf, sizeof(buf)) < 0)
			break;
	shutdown(fd, SHUT_WR);
	if (recv(fd, &confirmed, sizeof(confirmed), MSG_WAITALL) != sizeof(confirmed))
		failed("no word from the sink");
	else
		answer("%.0f", (double)confirmed / (now() - start));
	close(fd);
}

static void run_down(const struct sockaddr_in *to, double seconds)
{
	static char buf[CHUNK];
	uint64_t sum = 0;
	int fd = dial(to, 0);
	if (fd < 0) {
		failed("connect");
		return;
	}
	double start = now(), end = start + seconds;
	while (now() < end) {
		ssize_t n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			break;
		sum += (uint64_t)n;
	}
	answer("%.0f", (double)sum / (now() - start));
	close(fd);
}

struct request {
	int fd;
	size_t got;
	double start;
	bool sent;
	char head[64];
};

struct http {
	struct sockaddr_in to;
	char text[300];
	int epoll;
	struct request at[MAX_AT_ONCE];
	size_t open;
	uint64_t done, errors;
	uint32_t *us; /* how many took that long */
};

static void begin(struct http *h, size_t i)
{
	struct request *q = &h->at[i];
	*q = (struct request){.start = now()};
	q->fd = dial(&h->to, SOCK_NONBLOCK);
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u64 = i};
	if (q->fd < 0 || epoll_ctl(h->epoll, EPOLL_CTL_ADD, q->fd, &e) < 0)
		die("connect");
	h->open++;
}

static void end_request(struct http *h, size_t i, bool ok)
{
	struct request *q = &h->at[i];
	double us = (now() - q->start) * 1e6;
	h->us[us < MAX_US ? (size_t)us : MAX_US]++;
	h->done++;
	h->errors += !ok;
	close(q->fd);
	q->fd = -1;
	h->open--;
}

/* True when the request has ended. */
static bool go_on(struct http *h, size_t i)
{
	struct request *q = &h->at[i];
	char buf[1024];
	if (!q->sent) {
		ssize_t n = send(q->fd, h->text, strlen(h->text), MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
			return false;
		if (n != (ssize_t)strlen(h->text)) {
			end_request(h, i, false);
			return true;
		}
		q->sent = true;
	}
	ssize_t n;
	while ((n = read(q->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t k = 0; k < n && q->got + (size_t)k < sizeof(q->head); k++)
			q->head[q->got + (size_t)k] = buf[k];
		q->got += (size_t)n;
	}
	if (n < 0 && errno == EAGAIN)
		return false;
	end_request(h, i,
		n == 0 && q->got >= sizeof(response) - 1 && memcmp(q->head, response, 12) == 0);
	return true;
}

static double percentile(const struct http *h, double p)
{
	uint64_t want = (uint64_t)((double)h->done * p), sum = 0;
	for (uint32_t us = 0; us < MAX_US; us++) {
		sum += h->us[us];
		if (sum > want)
			return us;
	}
	return MAX_US;
}

static void run_http(const struct sockaddr_in *to, const char *host, size_t n, double seconds)
{
	static struct http h;
	struct epoll_event ev[64];
	h = (struct http){.to = *to, .epoll = epoll_create1(EPOLL_CLOEXEC)};
	h.us = calloc(MAX_US + 1, sizeof(*h.us));
	if (h.epoll < 0 || !h.us)
		die("http");
	snprintf(h.text, sizeof(h.text), "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
		host);
	double start = now(), end = start + seconds;
	for (size_t i = 0; i < n; i++)
		begin(&h, i);
	while (h.open) {
		int k = epoll_wait(h.epoll, ev, 64, TIMEOUT_MS);
		if (k == 0) { /* what hangs is lost */
			h.errors += h.open;
			break;
		}
		for (int i = 0; i < k; i++)
			if (go_on(&h, ev[i].data.u64) && now() < end)
				begin(&h, ev[i].data.u64);
	}
	answer("%.1f %llu %.0f %.0f", (double)(h.done - h.errors) / (now() - start),
		(unsigned long long)h.errors, percentile(&h, 0.5), percentile(&h, 0.99));
	for (size_t i = 0; i < n; i++)
		if (h.at[i].fd >= 0)
			close(h.at[i].fd);
	close(h.epoll);
	free(h.us);
}

/* A request, so that something must be looked up to answer it. */
static void run_dial(const struct sockaddr_in *to, const char *host)
{
	int fd = dial(to, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (fd >= 0) {
		dprintf(fd, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);
		poll(&p, 1, 3000);
		close(fd);
	}
	answer("done");
}

static void run_syscall(long n)
{
	double start = now();
	for (long i = 0; i < n; i++)
		syscall(SYS_getppid);
	answer("%.2f", (now() - start) * 1e9 / (double)n);
}

/* What any filter costs: the kernel's part alone (seccomp(2)). */
static void run_filter(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog prog = {.len = 1, .filter = &allow};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		failed("seccomp");
	else
		answer("done");
}

static void obey(char *line)
{
	char *word[5] = {0};
	size_t n = 0;
	for (char *w; n < 5 && (w = strsep(&line, " \n"));)
		if (*w)
			word[n++] = w;
	if (n == 2 && strcmp(word[0], "syscall") == 0) {
		run_syscall(atol(word[1]));
		return;
	}
	if (n == 1 && strcmp(word[0], "filter") == 0) {
		run_filter();
		return;
	}
	struct sockaddr_in to;
	if (n < 3) {
		answer("failed: unknown command");
		return;
	}
	if (!resolve(word[1], atoi(word[2]), &to))
		return;
	if (n == 3 && strcmp(word[0], "dial") == 0)
		run_dial(&to, word[1]);
	else if (n == 4 && strcmp(word[0], "up") == 0)
		run_up(&to, atof(word[3]));
	else if (n == 4 && strcmp(word[0], "down") == 0)
		run_down(&to, atof(word[3]));
	else if (n == 5 && strcmp(word[0], "http") == 0 && atoi(word[3]) > 0 &&
		atoi(word[3]) <= MAX_AT_ONCE)
		run_http(&to, word[1], (size_t)atoi(word[3]), atof(word[4]));
	else
		answer("failed: unknown command");
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		serve();
	if (argc != 2 || strcmp(argv[1], "obey") != 0) {
		fprintf(stderr, "usage: load serve | load obey\n");
		return 2;
	}
	char *line = NULL;
	size_t cap = 0;
	while (getline(&line, &cap, stdin) > 0)
		obey(line);
	free(line);
	return 0;
}
