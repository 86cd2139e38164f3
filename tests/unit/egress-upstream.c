/* tests/unit/egress-upstream.c - see egress-upstream.h */
#include "egress-upstream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

int upstream_listen(uint16_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	a.sin_port = htons(*port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 4096) < 0 ||
		getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
		perror("upstream");
		exit(99);
	}
	*port = ntohs(a.sin_port);
	return fd;
}

struct client {
	int fd;
	bool http, raw, ending;
	size_t n;
	uint64_t send_left, recv_left;
	char buf[8192];
};

static void drop(struct client *c)
{
	close(c->fd);
	free(c);
}

static bool client_out(struct client *c)
{
	static unsigned char out[256 * 1024];
	if (out[1] == 0)
		for (size_t i = 0; i < sizeof(out); i++)
			out[i] = (unsigned char)(i % UPSTREAM_PERIOD);
	while (c->send_left) {
		size_t at = (UPSTREAM_BIG - c->send_left) % UPSTREAM_PERIOD;
		ssize_t k = send(
			c->fd, out + at, MIN(sizeof(out) - at, c->send_left), MSG_NOSIGNAL);
		if (k < 0)
			return errno == EAGAIN;
		c->send_left -= (uint64_t)k;
	}
	return true;
}

/* GET /big, GET /ws (switches to echo), GET /silent (no answer), POST (length read and thrown
 * away), else a small answer. */
static bool respond(struct client *c)
{
	char out[512], host[128] = "?";
	char *h = strstr(c->buf, "Host: ");
	char *cl = strstr(c->buf, "Content-Length: ");
	if (h)
		sscanf(h, "Host: %127[^\r]", host);
	if (has_prefix(c->buf, "GET /ws")) {
		c->raw = true;
		return dprintf(c->fd,
			       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n") >
			0;
	}
	if (has_prefix(c->buf, "GET /silent"))
		return true;
	if (has_prefix(c->buf, "GET /big")) {
		c->send_left = UPSTREAM_BIG;
		dprintf(c->fd, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", UPSTREAM_BIG);
		return client_out(c);
	}
	if (cl)
		c->recv_left = strtoull(cl + 16, NULL, 10);
	int n = snprintf(out, sizeof(out), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%s\r\n%s\n",
		strlen(host) + 1,
		strstr(c->buf, "Connection: close") ? "Connection: close\r\n" : "", host);
	return send(c->fd, out, (size_t)n, MSG_NOSIGNAL) == n &&
		!strstr(c->buf, "Connection: close");
}

static bool client_in(struct client *c)
{
	for (;;) {
		static char big[256 * 1024];
		ssize_t k = c->http && !c->raw && !c->recv_left
			? recv(c->fd, c->buf + c->n, sizeof(c->buf) - 1 - c->n, 0)
			: recv(c->fd, big,
				  c->recv_left ? MIN(sizeof(big), c->recv_left) : sizeof(big), 0);
		if (k < 0)
			return errno == EAGAIN;
		if (k == 0)
			return false;
		if (!c->http || c->raw) {
			if (send(c->fd, big, (size_t)k, MSG_NOSIGNAL) != k)
				return false;
			continue;
		}
		if (c->recv_left) {
			c->recv_left -= MIN(c->recv_left, (uint64_t)k);
			continue;
		}
		c->n += (size_t)k;
		c->buf[c->n] = '\0';
		for (char *end; (end = strstr(c->buf, "\r\n\r\n"));) {
			size_t head = (size_t)(end + 4 - c->buf);
			if (!respond(c))
				return false;
			size_t body = MIN(c->recv_left, c->n - head);
			c->recv_left -= body;
			memmove(c->buf, c->buf + head + body, c->n - head - body + 1);
			c->n -= head + body;
		}
	}
}

void upstream_run(int http, int echo, int host)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct client listeners[] = {{.fd = http}, {.fd = echo}, {.fd = host}};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < ARRAY_LEN(listeners); i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = &listeners[i]};
		epoll_ctl(ep, EPOLL_CTL_ADD, listeners[i].fd, &e);
	}
	for (;;) {
		struct epoll_event ev[64];
		int n = epoll_wait(ep, ev, 64, -1);
		for (int i = 0; i < n; i++) {
			struct client *c = ev[i].data.ptr;
			if (c >= listeners && c < listeners + ARRAY_LEN(listeners)) {
				int fd, one = 1;
				while ((fd = accept4(c->fd, NULL, NULL,
						SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
					struct client *k = calloc(1, sizeof(*k));
					k->fd = fd;
					k->http = c != &listeners[1];
					setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
					struct epoll_event e = {
						.events = EPOLLIN | EPOLLOUT | EPOLLET,
						.data.ptr = k};
					epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
				}
				continue;
			}
			if (!client_out(c) || !client_in(c))
				drop(c);
		}
	}
}
