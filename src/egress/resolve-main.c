/* egress/resolve-main.c - bawn-resolve: upstream name resolution, by c-ares.
 *
 * Owns: the only code of ours that reads what name servers send.  Given: 3 the supervisor
 * (SOCK_SEQPACKET, egress/resolve-proto.h).  Honours the host's /etc/resolv.conf and /etc/hosts.
 * It can read those files and talk to name servers; it can't start programs, write files or trace,
 * and it knows nothing but names.  It ends when its socket closes or after RESOLVE_IDLE_S without a
 * question.
 */
#include <ares.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "egress/jail.h"
#include "egress/resolve-proto.h"
#include "base/macro.h"

enum {
	SUPER_FD = 3,
	MAX_FDS = 64,
	MAX_PENDING = 128,
	MEMORY = 256 * 1024 * 1024,
	TRIES = 2,
	TRY_MS = 1800, /* c-ares doubles it: 1.8 + 3.6 s is cut at RESOLVE_TIMEOUT_MS */
};

static const uint16_t calls[] = {
	SYS_recvfrom,
	SYS_sendto,
	SYS_recvmsg,
	SYS_sendmsg,
	SYS_ppoll,
	SYS_socket,
	SYS_connect,
	SYS_bind,
	SYS_getsockname,
	SYS_getpeername,
	SYS_getsockopt,
	SYS_setsockopt,
	SYS_close,
	SYS_fcntl,
	SYS_ioctl,
	SYS_openat,
	SYS_newfstatat,
	SYS_fstat,
	SYS_lseek,
	SYS_read,
	SYS_pread64,
	SYS_readv,
	SYS_write,
	SYS_writev,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_mprotect,
	SYS_madvise,
	SYS_brk,
	SYS_futex,
	SYS_clock_gettime,
	SYS_gettimeofday,
	SYS_getrandom,
	SYS_getpid,
	SYS_gettid,
	SYS_uname,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_restart_syscall,
	SYS_sched_yield,
	SYS_exit,
	SYS_exit_group,
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS_open
	SYS_open,
#endif
#ifdef SYS_stat
	SYS_stat,
#endif
#ifdef BAWN_ASAN
	SYS_sigaltstack,
#endif
};

static const char *const readable[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
	"/etc/host.conf", "/etc/services", "/dev/urandom"};

struct question {
	bool used;
	uint32_t id;
	uint64_t deadline; /* ms */
};

static struct question questions[MAX_PENDING];
static unsigned n_pending;
/* the supervisor's, and c-ares' own, which has one or two to each name server */
static struct pollfd polled[MAX_FDS] = {{.fd = SUPER_FD, .events = POLLIN}};
static nfds_t n_polled = 1;

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void reply(struct resolve_reply_msg *m)
{
	m->magic = RESOLVE_MAGIC;
	if (send(SUPER_FD, m, sizeof(*m), MSG_NOSIGNAL) != (ssize_t)sizeof(*m))
		_exit(1);
}

static uint8_t status_of(int ares)
{
	switch (ares) {
	case ARES_SUCCESS:
		return RESOLVE_OK;
	case ARES_ENOTFOUND:
	case ARES_ENODATA:
	case ARES_EBADNAME:
		return RESOLVE_NO_NAME;
	case ARES_ETIMEOUT:
	case ARES_ECONNREFUSED:
		return RESOLVE_TIMEOUT;
	default:
		return RESOLVE_FAILED;
	}
}

static void add_addr(struct resolve_reply_msg *m, const struct ares_addrinfo_node *n)
{
	struct in6_addr *a = &m->addr[m->n];
	if (n->ai_family == AF_INET) {
		a->s6_addr[10] = a->s6_addr[11] = 0xff;
		memcpy(a->s6_addr + 12, &((struct sockaddr_in *)n->ai_addr)->sin_addr, 4);
	} else if (n->ai_family == AF_INET6) {
		*a = ((struct sockaddr_in6 *)n->ai_addr)->sin6_addr;
	} else {
		return;
	}
	uint32_t ttl = n->ai_ttl > 0 ? (uint32_t)n->ai_ttl : 0;
	m->ttl = m->n == 0 ? ttl : MIN(m->ttl, ttl);
	m->n++;
}

static void answered(void *arg, int status, int timeouts, struct ares_addrinfo *res)
{
	struct question *q = arg;
	(void)timeouts;
	struct resolve_reply_msg m = {.id = q->id, .status = status_of(status)};
	q->used = false;
	n_pending--;
	for (struct ares_addrinfo_node *n = res ? res->nodes : NULL; n && m.n < RESOLVE_MAX_ADDRS;
		n = n->ai_next)
		add_addr(&m, n);
	if (res)
		ares_freeaddrinfo(res);
	if (status == ARES_SUCCESS && m.n == 0)
		m.status = RESOLVE_NO_NAME;
	if (status != ARES_EDESTRUCTION)
		reply(&m);
}

static void ask(ares_channel ch, struct resolve_ask_msg *m)
{
	struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = ARES_AI_NOSORT};
	struct question *q = NULL;
	m->name[sizeof(m->name) - 1] = '\0';
	for (unsigned i = 0; i < MAX_PENDING && !q; i++)
		if (!questions[i].used)
			q = &questions[i];
	if (!q) {
		reply(&(struct resolve_reply_msg){.id = m->id, .status = RESOLVE_FAILED});
		return;
	}
	*q = (struct question){
		.used = true, .id = m->id, .deadline = now_ms() + RESOLVE_TIMEOUT_MS};
	n_pending++;
	ares_getaddrinfo(ch, m->name, NULL, &hints, answered, q);
}

/* One message of the supervisor; false at its end. */
static bool super_ready(ares_channel ch)
{
	struct resolve_ask_msg m;
	ssize_t n = recv(SUPER_FD, &m, sizeof(m), MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n != (ssize_t)sizeof(m) || m.magic != RESOLVE_MAGIC)
		return false;
	ask(ch, &m);
	return true;
}

static bool any_late(void)
{
	uint64_t now = now_ms();
	for (unsigned i = 0; i < MAX_PENDING && n_pending; i++)
		if (questions[i].used && now >= questions[i].deadline)
			return true;
	return false;
}

static int wait_ms(ares_channel ch)
{
	struct timeval max = {.tv_sec = n_pending ? 1 : RESOLVE_IDLE_S}, t;
	struct timeval *w = ares_timeout(ch, &max, &t);
	return (int)(w->tv_sec * 1000 + (w->tv_usec + 999) / 1000);
}

/* c-ares: this is what it waits for on one of its sockets; nothing, as it closes it. */
static void socket_state(_unused_ void *data, ares_socket_t fd, int readable_too, int writable)
{
	nfds_t i = 1;
	while (i < n_polled && polled[i].fd != fd)
		i++;
	short events = (short)((readable_too ? POLLIN : 0) | (writable ? POLLOUT : 0));
	if (i == n_polled && events && n_polled < ARRAY_LEN(polled))
		polled[n_polled++].fd = fd;
	if (i == n_polled)
		return;
	polled[i].events = events;
	if (!events)
		polled[i] = polled[--n_polled];
}

static void loop(ares_channel ch)
{
	for (;;) {
		/* what is done for one changes the list */
		struct pollfd p[ARRAY_LEN(polled)];
		const nfds_t n = n_polled;
		memcpy(p, polled, n * sizeof(*p));
		int r = poll(p, n, wait_ms(ch));
		if (r < 0 && errno != EINTR)
			_exit(1);
		if (r == 0 && n_pending == 0)
			return;
		if (r > 0 && p[0].revents && !super_ready(ch))
			return;
		for (nfds_t i = 1; i < n; i++)
			if (p[i].revents)
				ares_process_fd(ch,
					p[i].events & POLLIN ? p[i].fd : ARES_SOCKET_BAD,
					p[i].events & POLLOUT ? p[i].fd : ARES_SOCKET_BAD);
		ares_process_fd(ch, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
		if (any_late()) /* c-ares has no limit for a whole question */
			ares_cancel(ch);
	}
}

int main(void)
{
	static struct err err;
	ares_channel ch;
	/* No search domains: what is looked up is the name that was decided about.  The flag alone
	 * doesn't hold in ares_getaddrinfo(). */
	struct ares_options o = {.timeout = TRY_MS,
		.tries = TRIES,
		.flags = ARES_FLAG_NOSEARCH,
		.domains = NULL,
		.ndomains = 0,
		.sock_state_cb = socket_state};
	setsid(); /* signals of the terminal are the supervisor's to act on */
	if (syscall(SYS_close_range, SUPER_FD + 1, ~0u, 0) < 0 ||
		ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return 1;
	const struct jail jail = {.calls = calls,
		.n_calls = ARRAY_LEN(calls),
		.readable = readable,
		.n_readable = ARRAY_LEN(readable),
		.max_fds = MAX_FDS,
		.max_memory = MEMORY};
	if (jail_enter(&jail, &err) < 0) {
		dprintf(STDERR_FILENO, "bawn: resolver: %s\n", err.msg);
		return 1;
	}
	int r = ares_init_options(&ch, &o,
		ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB |
			(GUARD_REMOVED("search-domains") ? 0 : ARES_OPT_DOMAINS));
	if (r != ARES_SUCCESS) {
		dprintf(STDERR_FILENO, "bawn: resolver: %s\n", ares_strerror(r));
		return 1;
	}
	loop(ch);
	_exit(0);
}
