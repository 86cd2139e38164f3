/* egress/dialer-dial.c - from an allowed name to a connected socket.
 *
 * Owns: jobs under way: resolve once, check every address, connect to the checked address and to
 * nothing else, over the host's proxy where it has one.  Must not: decide about names.
 *
 * Happy eyeballs (RFC 8305): families alternate, v6 first, a new attempt every 250 ms or when one
 * fails; the first that connects wins.
 */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "base/escape.h"
#include "egress/dialer-int.h"
#include "net/routed-here.h"

enum { PROXY_HEAD_MAX = 8192, PROXY_ATTEMPT = 255, NETWORKS_S = 2 };

socklen_t dial_sockaddr(const struct host_addr *a, uint16_t port, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (host_addr_is_v4(a)) {
		struct sockaddr_in *s = (struct sockaddr_in *)ret;
		s->sin_family = AF_INET;
		s->sin_port = htons(port);
		memcpy(&s->sin_addr, a->ip.s6_addr + 12, 4);
		return sizeof(*s);
	}
	struct sockaddr_in6 *s = (struct sockaddr_in6 *)ret;
	s->sin6_family = AF_INET6;
	s->sin6_port = htons(port);
	s->sin6_addr = a->ip;
	return sizeof(*s);
}

/* ---- which addresses ---- */

/* Cloud metadata services hand out credentials; only a rule that gives the address reaches one. */
static bool is_metadata(const struct host_addr *a)
{
	const char *range = host_addr_special(a);
	return range && streq(range, "metadata");
}

static const char own[] = "this machine's own address";

/* Packets to it stay on this machine. */
static bool is_own(const struct host_addr *a)
{
	struct sockaddr_storage to;
	dial_sockaddr(a, 0, &to);
	return !GUARD_REMOVED("routed-here") && net_routed_here((const struct sockaddr *)&to);
}

static const char near[] = "this machine's own network";

/* The address's bytes, in both families; *ret_n: how many. */
static const uint8_t *bytes_of(const struct sockaddr *a, size_t *ret_n)
{
	*ret_n = a->sa_family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	return a->sa_family == AF_INET
		? (const uint8_t *)&((const struct sockaddr_in *)(const void *)a)->sin_addr
		: (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
}

/* Is to in the network that this is an address of?  One with no neighbours has a mask of all ones,
 * or no mask that says anything. */
static bool covers(const struct ifaddrs *i, const struct sockaddr *to)
{
	size_t n, n_mask;
	if (!i->ifa_addr || !i->ifa_netmask || i->ifa_addr->sa_family != to->sa_family ||
		(i->ifa_flags & (IFF_LOOPBACK | IFF_POINTOPOINT)))
		return false;
	const uint8_t *a = bytes_of(i->ifa_addr, &n), *b = bytes_of(to, &n);
	const uint8_t *mask = bytes_of(i->ifa_netmask, &n_mask);
	if (mask[0] == 0 || mask[n - 1] == UINT8_MAX)
		return false;
	for (size_t k = 0; k < n; k++)
		if ((a[k] ^ b[k]) & mask[k])
			return false;
	return true;
}

/* A machine of the network that this one is in.  With IPv6 its printers and disks have addresses of
 * the internet, and no range says what they are: the machine's own addresses and their masks do.
 * Asked for anew every other second: a machine with hundreds of interfaces tells them in 1 ms. */
static bool is_neighbour(const struct host_addr *a)
{
	static struct ifaddrs *list;
	static time_t asked;
	struct sockaddr_storage to;
	struct timespec now;
	if (GUARD_REMOVED("neighbour"))
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!list || now.tv_sec - asked >= NETWORKS_S) {
		if (list)
			freeifaddrs(list);
		list = NULL;
		asked = now.tv_sec;
		if (getifaddrs(&list) < 0) {
			list = NULL; /* not known, it may be one */
			return true;
		}
	}
	dial_sockaddr(a, 0, &to);
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		if (covers(i, (const struct sockaddr *)&to))
			return true;
	return false;
}

/* Why an address that is not special by its range is none of the internet's, or NULL. */
static const char *at_home(const struct host_addr *a)
{
	return is_own(a) ? own : is_neighbour(a) ? near : NULL;
}

const char *dial_refused(const struct job *j, const struct host_addr *a)
{
	bool by_name = j->dial[0];
	if (j->explicit_addr || GUARD_REMOVED("private-address"))
		return NULL;
	if (is_metadata(a))
		return "metadata service";
	/* that a private network is given says nothing about this machine's place in it */
	if (j->verdict.private_ok)
		return !by_name && is_own(a) ? own : NULL;
	const char *s = host_addr_special(a);
	return s ? s : at_home(a);
}

/* Keep what may be dialled, families alternating, v6 first. */
static bool check_addrs(struct dialer *d, struct job *j, const struct cache_entry *e)
{
	struct host_addr v6[RESOLVE_MAX_ADDRS], v4[RESOLVE_MAX_ADDRS], bad = {0};
	const char *why = NULL;
	unsigned n6 = 0, n4 = 0;
	for (unsigned i = 0; i < e->n; i++) {
		const char *range = dial_refused(j, &e->addr[i]);
		if (range) {
			why = range;
			bad = e->addr[i];
		} else if (host_addr_is_v4(&e->addr[i])) {
			v4[n4++] = e->addr[i];
		} else {
			v6[n6++] = e->addr[i];
		}
	}
	j->n_addr = 0;
	for (unsigned i = 0; i < n6 || i < n4; i++) {
		if (i < n6)
			j->addr[j->n_addr++] = v6[i];
		if (i < n4)
			j->addr[j->n_addr++] = v4[i];
	}
	if (j->n_addr)
		return true;
	char addr[INET6_ADDRSTRLEN + 8], reason[160], fix[300];
	host_addr_format(&bad, addr, sizeof(addr));
	snprintf(reason, sizeof(reason), "its address is %s (%s)", addr, why);
	if (is_metadata(&bad))
		fix[0] = '\0';
	else if (j->ask_port == 443)
		snprintf(fix, sizeof(fix), "--allow-private %s", j->name);
	else
		snprintf(fix, sizeof(fix), "--allow-private %s:%u", j->name, j->ask_port);
	dialer_refused(d, j, reason, fix);
	return false;
}

/* ---- connecting ---- */

void dial_release(struct job *j)
{
	for (unsigned i = 0; i < j->n_started; i++)
		if (j->fd[i] >= 0)
			close(j->fd[i]);
	j->n_started = 0;
	if (j->proxy_fd >= 0)
		close(j->proxy_fd);
	j->proxy_fd = -1;
}

bool dial_is_loopback(const struct host_addr *a)
{
	return host_addr_is_v4(a) ? a->ip.s6_addr[12] == IN_LOOPBACKNET
				  : IN6_IS_ADDR_LOOPBACK(&a->ip);
}

static uint64_t job_key(const struct job *j, unsigned attempt)
{
	return (uint64_t)DIALER_EV_JOB << 56 | (uint64_t)attempt << 32 | j->id;
}

static void send_connect(struct dialer *d, struct job *j, int fd)
{
	char head[1400];
	int n = snprintf(head, sizeof(head), "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n",
		j->connect, j->connect, j->auth[0] ? "Proxy-Authorization: Basic " : "", j->auth,
		j->auth[0] ? "\r\n" : "");
	j->proxy_fd = fd;
	j->state = JOB_PROXY;
	/* edge-triggered: looking at half an answer leaves it in the socket */
	struct epoll_event e = {
		.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u64 = job_key(j, PROXY_ATTEMPT)};
	if (send(fd, head, (size_t)n, MSG_NOSIGNAL) != n ||
		(epoll_ctl(d->epoll, EPOLL_CTL_MOD, fd, &e) < 0 &&
			epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &e) < 0))
		dialer_failed(d, j, "the proxy: %s", strerror(errno));
}

static void connected(struct dialer *d, struct job *j, unsigned attempt)
{
	int fd = j->fd[attempt], one = 1;
	j->fd[attempt] = -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (!dial_is_loopback(&j->addr[attempt]))
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	for (unsigned i = 0; i < j->n_started; i++) {
		if (j->fd[i] >= 0)
			close(j->fd[i]);
		j->fd[i] = -1;
	}
	if (j->via_proxy) {
		send_connect(d, j, fd);
		return;
	}
	j->reached = attempt;
	j->private_addr = !j->explicit_addr &&
		(host_addr_special(&j->addr[attempt]) || at_home(&j->addr[attempt]));
	dialer_open(d, j, fd);
}

/* 1: connected, 0: under way, -errno */
static int start_attempt(struct dialer *d, struct job *j, unsigned i)
{
	struct sockaddr_storage to;
	socklen_t len = dial_sockaddr(&j->addr[i], j->port, &to);
	j->fd[i] = -1;
	_cleanup_close_ int fd = socket(
		to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (dial_is_loopback(
		    &j->addr[i])) /* a default that paces (BBR) only costs there; best effort */
		setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	int r = connect(fd, (struct sockaddr *)&to, len);
	/* on loopback the handshake is over by now, and asking again says so */
	if (r < 0 && errno == EINPROGRESS && dial_is_loopback(&j->addr[i]))
		r = connect(fd, (struct sockaddr *)&to, len);
	if (r == 0) {
		j->fd[i] = TAKE_FD(fd);
		return 1;
	}
	if (errno != EINPROGRESS && errno != EALREADY)
		return -errno;
	struct epoll_event e = {.events = EPOLLOUT, .data.u64 = job_key(j, i)};
	if (epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		return -errno;
	j->fd[i] = TAKE_FD(fd);
	return 0;
}

/* Start the next address, and those behind it that fail at once. */
static void advance(struct dialer *d, struct job *j)
{
	while (j->n_started < j->n_addr) {
		unsigned i = j->n_started++;
		int r = start_attempt(d, j, i);
		if (r > 0) {
			connected(d, j, i);
			return;
		}
		if (r == 0) {
			j->next_start = j->n_started < j->n_addr ? d->now + DIALER_STAGGER_MS : 0;
			dialer_wake_at(d, j->next_start ? j->next_start : j->deadline);
			return;
		}
		j->n_failed++;
		j->last_error = -r;
	}
	j->next_start = 0;
	if (j->n_failed == j->n_addr)
		dialer_failed(
			d, j, "%s%s", j->via_proxy ? "the proxy: " : "", strerror(j->last_error));
}

static void start_connect(struct dialer *d, struct job *j)
{
	j->state = JOB_CONNECT;
	j->deadline = d->now + DIALER_CONNECT_MS;
	advance(d, j);
}

static const char *resolve_words(uint8_t status)
{
	switch ((enum resolve_status)status) {
	case RESOLVE_NO_NAME:
		return "no such name";
	case RESOLVE_TIMEOUT:
		return "no name server answered";
	case RESOLVE_OK:
	case RESOLVE_FAILED:
		break;
	}
	return "the name could not be resolved";
}

static void resolved(struct dialer *d, struct job *j, const struct cache_entry *e)
{
	if (e->status != RESOLVE_OK)
		dialer_failed(d, j, "%s", resolve_words(e->status));
	else if (check_addrs(d, j, e))
		start_connect(d, j);
}

void dial_resolved(struct dialer *d, const struct cache_entry *e)
{
	for (unsigned i = 0; i < DIALER_MAX_JOBS && d->n_jobs; i++) {
		struct job *j = d->jobs[i];
		if (j && j->state == JOB_RESOLVE && streq(j->dial, e->name))
			resolved(d, j, e);
	}
}

void dial_start(struct dialer *d, struct job *j)
{
	if (!j->dial[0]) {
		start_connect(d, j);
		return;
	}
	j->state = JOB_RESOLVE;
	const struct cache_entry *e = resolve_lookup(d, j->dial);
	if (!e) {
		dialer_failed(d, j, "the resolver can't be started");
		return;
	}
	if (e->state == CACHE_DONE) {
		resolved(d, j, e);
		return;
	}
	j->deadline = d->now + 2 * RESOLVE_TIMEOUT_MS;
	dialer_wake_at(d, j->deadline);
}

/* ---- the proxy's answer ---- */

static void proxy_event(struct dialer *d, struct job *j)
{
	char head[PROXY_HEAD_MAX], line[PROXY_LINE_MAX], shown[200];
	ssize_t n = recv(j->proxy_fd, head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		dialer_failed(d, j, "the proxy hung up");
		return;
	}
	ssize_t len = proxy_answer(head, (size_t)n, line);
	if (len == 0) {
		struct pollfd p = {.fd = j->proxy_fd, .events = POLLRDHUP};
		if (n == PROXY_HEAD_MAX)
			dialer_failed(d, j, "the proxy's answer is too long");
		else if (poll(&p, 1, 0) > 0)
			dialer_failed(d, j, "the proxy hung up");
		return;
	}
	if (len < 0) {
		dialer_failed(d, j, "the proxy said: %s", escape_text(shown, sizeof(shown), line));
		return;
	}
	if (recv(j->proxy_fd, head, (size_t)len, MSG_DONTWAIT) != len) {
		dialer_failed(d, j, "the proxy: %s", strerror(errno));
		return;
	}
	int fd = j->proxy_fd;
	j->proxy_fd = -1;
	epoll_ctl(d->epoll, EPOLL_CTL_DEL, fd, NULL);
	dialer_open(d, j, fd);
}

/* ---- events ---- */

static void attempt_event(struct dialer *d, struct job *j, unsigned i)
{
	int e = 0;
	socklen_t len = sizeof(e);
	if (i >= j->n_started || j->fd[i] < 0)
		return;
	if (getsockopt(j->fd[i], SOL_SOCKET, SO_ERROR, &e, &len) < 0)
		e = errno;
	if (e == 0) {
		/* the relay gets it: our epoll must not keep an eye on it */
		epoll_ctl(d->epoll, EPOLL_CTL_DEL, j->fd[i], NULL);
		connected(d, j, i);
		return;
	}
	close(j->fd[i]);
	j->fd[i] = -1;
	j->n_failed++;
	j->last_error = e;
	if (j->n_started < j->n_addr || j->n_failed == j->n_addr)
		advance(d, j);
}

void dial_event(struct dialer *d, uint32_t id, unsigned attempt)
{
	struct job *j = d->jobs[(id & 0xffff) % DIALER_MAX_JOBS];
	if (!j || j->id != id)
		return;
	if (j->state == JOB_PROXY && attempt == PROXY_ATTEMPT)
		proxy_event(d, j);
	else if (j->state == JOB_CONNECT)
		attempt_event(d, j, attempt);
}

void dial_tick(struct dialer *d)
{
	uint64_t next = 0;
	for (unsigned i = 0; i < DIALER_MAX_JOBS; i++) {
		struct job *j = d->jobs[i];
		if (!j)
			continue;
		if (d->now >= j->deadline) {
			dialer_failed(
				d, j, "no answer within %d seconds", DIALER_CONNECT_MS / 1000);
			continue;
		}
		if (j->state == JOB_CONNECT && j->next_start && d->now >= j->next_start)
			advance(d, j);
		if (d->jobs[i] != j)
			continue;
		uint64_t at = j->next_start && j->state == JOB_CONNECT
			? MIN(j->next_start, j->deadline)
			: j->deadline;
		if (!next || at < next)
			next = at;
	}
	if (next)
		dialer_wake_at(d, next);
}
