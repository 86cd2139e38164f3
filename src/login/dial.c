/* login/dial.c - see dial.h */
#include "login/dial.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/fd.h"
#include "egress/proxy.h"

enum { CONNECT_MS = 10000, IO_SECONDS = 20, HEAD_MAX = 8192 };

/* One field of HOST:PORT:ADDR:PORT; an address of version 6 stands in brackets. */
static bool field(const char **s, char *dst, size_t cap)
{
	const char *p = *s;
	size_t skip = 0, n = strcspn(p, ":");
	if (*p == '[') {
		n = strcspn(++p, "]");
		skip = p[n] == ']';
	}
	if (n >= cap)
		return false;
	memcpy(dst, p, n);
	dst[n] = '\0';
	p += n + skip;
	*s = *p == ':' ? p + 1 : p;
	return true;
}

static bool overridden(const struct strv *overrides, char host[static 256], char port[static 8])
{
	for (size_t i = 0; i < overrides->n; i++) {
		const char *s = overrides->v[i];
		char from[256], at[8], to[256], to_port[8];
		if (!field(&s, from, sizeof(from)) || !field(&s, at, sizeof(at)) ||
			!field(&s, to, sizeof(to)) || !field(&s, to_port, sizeof(to_port)))
			continue;
		if ((*from && !streq(from, host)) || (*at && !streq(at, port)))
			continue;
		if (*to)
			snprintf(host, 256, "%s", to);
		if (*to_port)
			snprintf(port, 8, "%s", to_port);
		return true;
	}
	return false;
}

static int try_one(const struct addrinfo *ai)
{
	const struct timeval tv = {.tv_sec = IO_SECONDS};
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), e = 0;
	socklen_t n = sizeof(e);
	if (fd < 0)
		return -errno;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		e = errno;
		if (e == EINPROGRESS && poll(&p, 1, CONNECT_MS) == 0)
			e = ETIMEDOUT;
		else if (e == EINPROGRESS && getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) < 0)
			e = errno;
	}
	int flags = fcntl(fd, F_GETFL);
	if (e == 0 &&
		(fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ||
			setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0 ||
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0))
		e = errno;
	if (e == 0)
		return fd;
	close(fd);
	return -e;
}

static int connect_to(const char *host, const char *port, struct err *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *all = NULL;
	int k = getaddrinfo(host, port, &hints, &all), fd = -EHOSTUNREACH;
	if (k != 0)
		return err_set(err, EHOSTUNREACH, "%s: %s", host, gai_strerror(k));
	for (const struct addrinfo *ai = all; ai && fd < 0; ai = ai->ai_next)
		fd = try_one(ai);
	freeaddrinfo(all);
	return fd < 0 ? err_sys(err, -fd, "connect to %s:%s", host, port) : fd;
}

/* CONNECT; of the answer only the status counts, and no byte behind it is read. */
static int through(const struct proxy *p, const char *host, const char *port, struct err *err)
{
	char head[HEAD_MAX], text[16];
	size_t n = 0;
	snprintf(text, sizeof(text), "%u", p->port);
	_cleanup_close_ int fd = connect_to(p->host, text, err);
	if (fd < 0)
		return fd;
	int len = snprintf(head, sizeof(head),
		"CONNECT %s:%s HTTP/1.1\r\nHost: %s:%s\r\n%s%s%s\r\n", host, port, host, port,
		*p->auth ? "Proxy-Authorization: Basic " : "", p->auth, *p->auth ? "\r\n" : "");
	if (fd_write_all(fd, head, (size_t)len) < 0)
		return err_set(err, EIO, "the proxy %s broke off", p->host);
	while (n < sizeof(head) - 1 && !(n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0)) {
		if (read(fd, head + n, 1) != 1)
			return err_set(err, EIO, "the proxy %s broke off", p->host);
		n++;
	}
	head[n] = '\0';
	if (!has_prefix(head, "HTTP/1.") || strncmp(head + 8, " 200", 4) != 0)
		return err_set(
			err, ECONNREFUSED, "the proxy %s does not connect to %s", p->host, host);
	return TAKE_FD(fd);
}

static const char *variable(const char *lower, const char *upper)
{
	const char *v = getenv(lower);
	return v && *v ? v : getenv(upper);
}

int dial(const struct strv *overrides, const char *host, const char *port, struct err *err)
{
	char name[256], number[8];
	struct proxy proxy;
	snprintf(name, sizeof(name), "%s", host);
	snprintf(number, sizeof(number), "%s", port);
	if (overridden(overrides, name, number))
		return connect_to(name, number, err);
	proxy_parse(variable("https_proxy", "HTTPS_PROXY"), &proxy);
	if (!proxy.set ||
		proxy_exempt(
			variable("no_proxy", "NO_PROXY"), host, (uint16_t)strtoul(port, NULL, 10)))
		return connect_to(name, number, err);
	if (*proxy.bad)
		return err_set(err, EINVAL, "%s", proxy.bad);
	return through(&proxy, host, port, err);
}
