/* egress/relay-main.c - bawn-relay: the process between the agent and the supervisor.
 *
 * Owns: the start, the one epoll loop and the dispatch by kind of descriptor.
 *
 * Given: 3 the supervisor (SOCK_SEQPACKET, egress/proto.h), 4 a socket on which bawn-init sends the
 * listening sockets once (net/netns.h), 5 the launch pack; with the argument "leases", 6 a page of
 * addresses (egress/lease.h).  It knows no secret, runs in the host's namespaces without privilege,
 * and can connect to nothing but those addresses, open no file and start no program, nor speak to
 * nftables on the NFLOG socket: it locks itself in before it reads from a listener, so no hostile
 * byte is read before that.  It ends when the supervisor's end of 3 closes.
 */
#include "egress/relay.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/fd.h"
#include "egress/dialer.h"
#include "egress/jail.h"
#include "egress/lease.h"
#include "egress/names.h"
#include "egress/nflog.h"
#include "net/netns.h"

enum {
	SUPER_FD = 3,
	HANDOVER_FD = 4,
	PACK_FD = 5,
	LEASES_FD = 6,
	EVENTS = 128,
	NFLOG_BATCH = 32,
	BUSY_TURNS = 4,
	OTHER_FDS = 32, /* listeners, epoll, the supervisor, descriptors just received */
	MEMORY = 64 * 1024 * 1024,
};

struct relay relay = {.nflog = -1};
static int dns_udp = -1, dns_tcp = -1;
static bool has_leases;
static unsigned busy; /* turns of the loop since there was nothing to do */

static const uint16_t calls[] = {
	SYS_recvfrom,
	SYS_sendto,
	SYS_epoll_pwait,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
	SYS_close,
	SYS_epoll_ctl,
	SYS_accept4,
	SYS_getsockopt,
	SYS_sendmsg,
	SYS_recvmsg,
	SYS_shutdown,
	SYS_setsockopt,
	SYS_getsockname,
	SYS_pread64, /* another policy's memfd; it reads no socket */
	SYS_clock_gettime,
	SYS_madvise,
	SYS_sched_yield,
	SYS_restart_syscall,
	SYS_rt_sigreturn,
	SYS_exit,
	SYS_exit_group,
#ifdef BAWN_ASAN
	SYS_read,
	SYS_write,
	SYS_mmap,
	SYS_munmap,
	SYS_mprotect,
	SYS_futex,
	SYS_sigaltstack,
	SYS_rt_sigprocmask,
	SYS_getpid,
	SYS_gettid,
	SYS_tgkill,
#endif
};

void relay_die(const char *why)
{
	/* Nothing can be written from inside the jail; the status says which errno it was. */
	if (!why)
		_exit(0);
	_exit(errno > 0 && errno < 64 ? 64 + errno : 64);
}

int relay_watch(int fd, uint32_t events, enum relay_event kind, uint32_t id)
{
	struct epoll_event e = {.events = events, .data.u64 = (uint64_t)kind << 32 | id};
	return epoll_ctl(relay.epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static void update_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	relay.now = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The listening sockets: all that is ours before the jail is closed; they are not read from yet. */
static size_t take_handover(int fds[static FD_PASS_MAX])
{
	char byte;
	size_t n_fds = 0;
	ssize_t n = fd_recv(HANDOVER_FD, &byte, 1, fds, FD_PASS_MAX, &n_fds);
	if (n <= 0 || n_fds < NETNS_FD_HOST_PORTS)
		relay_die(n == 0 ? NULL : "no listeners came");
	close(HANDOVER_FD);
	for (size_t i = 0; i < n_fds; i++)
		if (fd_set_nonblock(fds[i]) < 0)
			relay_die("fcntl");
	return n_fds;
}

static void watch_listeners(const int *fds, size_t n)
{
	flow_add_listener(NETNS_FD_TCP4, fds[NETNS_FD_TCP4]);
	flow_add_listener(NETNS_FD_TCP6, fds[NETNS_FD_TCP6]);
	dns_udp = fds[NETNS_FD_DNS_UDP];
	dns_tcp = fds[NETNS_FD_DNS_TCP];
	relay.nflog = fds[NETNS_FD_NFLOG];
	if (relay_watch(dns_udp, EPOLLIN, RELAY_EV_DNS_UDP, 0) < 0 ||
		relay_watch(dns_tcp, EPOLLIN, RELAY_EV_DNS_TCP, 0) < 0 ||
		relay_watch(relay.nflog, EPOLLIN, RELAY_EV_NFLOG, 0) < 0)
		relay_die("epoll_ctl");
	for (size_t i = NETNS_FD_HOST_PORTS; i < n; i++)
		flow_add_listener((unsigned)i, fds[i]);
}

static void tell_packet(void *ctx, const struct nflog_packet *p)
{
	(void)ctx;
	tell_denied(p->proto == IPPROTO_UDP ? EGRESS_WHY_UDP : EGRESS_WHY_PROTO, "", &p->dst,
		p->port, p->proto, "");
}

static void nflog_ready(void)
{
	for (int i = 0; i < NFLOG_BATCH; i++) {
		ssize_t n = recv(relay.nflog, relay.scratch, RELAY_SCRATCH, MSG_DONTWAIT);
		if (n < 0)
			return; /* ENOBUFS too: some were lost, the counters of nft know */
		nflog_parse(relay.scratch, (size_t)n, tell_packet, NULL);
	}
}

/* The run is over: what was counted and not yet told is told, and that is all. */
_noreturn_ static void last_words(void)
{
	nflog_ready();
	flow_end_all();
	lease_tick();
	tell_tick();
	relay_die(NULL);
}

static void answered(const struct egress_answer_msg *m, int *fds, size_t n_fds)
{
	if (m->answer == EGRESS_ANSWER_PORT) {
		live_port(m, fds, n_fds);
		return;
	}
	if (n_fds > 1)
		close(fds[1]);
	if (m->answer == EGRESS_ANSWER_CUT)
		live_cut_port(m->flow);
	else if (m->answer == EGRESS_ANSWER_POLICY)
		live_policy(fds[0]);
	else if (m->answer == EGRESS_ANSWER_LIST)
		flow_list();
	else
		flow_answer(m, fds[0]);
}

static void super_ready(uint32_t events)
{
	static struct egress_answer_msg m;
	while (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		int fds[2] = {-1, -1};
		size_t n_fds = 0;
		ssize_t n = fd_recv(relay.super, &m, sizeof(m), fds, ARRAY_LEN(fds), &n_fds);
		if (n == -EAGAIN)
			break;
		if (n == 0)
			last_words();
		if (n != (ssize_t)sizeof(m) || m.magic != EGRESS_MAGIC)
			relay_die(NULL);
		m.text[sizeof(m.text) - 1] = '\0';
		answered(&m, fds, n_fds);
	}
	if (events & EPOLLOUT)
		tell_writable();
}

static void dispatch(const struct epoll_event *e)
{
	uint32_t id = (uint32_t)e->data.u64;
	switch ((enum relay_event)(e->data.u64 >> 32)) {
	case RELAY_EV_SUPER:
		super_ready(e->events);
		break;
	case RELAY_EV_LISTENER:
		flow_accept(id);
		break;
	case RELAY_EV_DNS_UDP:
		dns_udp_ready(dns_udp);
		break;
	case RELAY_EV_DNS_TCP:
		dns_tcp_accept(dns_tcp);
		break;
	case RELAY_EV_NFLOG:
		nflog_ready();
		break;
	case RELAY_EV_DNS_CONN:
		dns_conn_event(id, e->events);
		break;
	case RELAY_EV_CLIENT:
		flow_event(id, CLIENT, e->events);
		break;
	case RELAY_EV_UPSTREAM:
		flow_event(id, UPSTREAM, e->events);
		break;
	}
}

static bool is_listener(const struct epoll_event *e)
{
	return e->data.u64 >> 32 == RELAY_EV_LISTENER;
}

static void tick(void)
{
	flow_tick();
	dns_tick();
	lease_tick();
	tell_tick();
	flow_bury();
}

/* Let go of the code pages that are mapped: at the start, as most of a static program's code is
 * needed only then, and after a second without work.  They stay in the page cache, shared by all
 * sandboxes; what is used is mapped again by itself, in a few microseconds. */
static void drop_code(void)
{
	extern const char __executable_start[], etext[];
	uintptr_t page = (uintptr_t)getpagesize();
	uintptr_t from = (uintptr_t)__executable_start & ~(page - 1);
	uintptr_t to = ((uintptr_t)etext + page - 1) & ~(page - 1);
	madvise((void *)from, to - from, MADV_DONTNEED);
}

/* What is there already costs no sleep, and a client that needs no watching no call. */
static int next_events(struct epoll_event *ev, int wait)
{
	int n = flow_any_later() ? epoll_wait(relay.epoll, ev, EVENTS, 0) : 0;
	busy = n > 0 ? busy + 1 : 0;
	flow_watch(n == 0);
	return n == 0 ? epoll_wait(relay.epoll, ev, EVENTS, wait) : n;
}

/* Who is new goes last.  Where short requests keep us from sleeping, those who are to answer the
 * ones before them run first: else they wait for the end of our slice, and that many requests for
 * them.  A relay that isn't busy gives no turn away: it may share its processor with a compiler. */
static void take_new(const struct epoll_event *ev, int n)
{
	bool any = false;
	for (int i = 0; i < n; i++) {
		if (!is_listener(&ev[i]))
			continue;
		dispatch(&ev[i]);
		any = true;
	}
	if (any && busy >= BUSY_TURNS)
		sched_yield();
}

_noreturn_ static void loop(void)
{
	static struct epoll_event ev[EVENTS];
	uint64_t next_tick = 0;
	bool worked = false;
	for (;;) {
		bool timed = flow_any_timed() || dns_any_timed() || tell_any_pending() ||
			lease_any_pending();
		int wait = -1;
		if (timed && next_tick == 0)
			next_tick = relay.now + RELAY_TICK_MS;
		if (!timed)
			next_tick = 0;
		else
			wait = next_tick > relay.now ? (int)(next_tick - relay.now) : 0;
		if (flow_any_ready())
			wait = 0;
		if (wait < 0 && worked)
			wait = RELAY_TICK_MS;
		int n = next_events(ev, wait);
		if (n < 0 && errno != EINTR)
			relay_die("epoll_wait");
		if (n == 0 && !timed && worked) {
			pump_trim();
			drop_code();
		}
		worked = n > 0 || timed;
		update_now();
		/* What has waited longer goes first: who is new waits in the backlog. */
		for (int i = 0; i < n; i++)
			if (!is_listener(&ev[i]))
				dispatch(&ev[i]);
		flow_run_ready();
		take_new(ev, n);
		flow_bury();
		if (next_tick && relay.now >= next_tick) {
			tick();
			next_tick = 0;
		}
	}
}

static void start(int nflog, struct err *err)
{
	uint32_t seed = 0;
	const void *random = (const void *)getauxval(AT_RANDOM);
	if (random)
		memcpy(&seed, random, sizeof(seed));
	if (pack_open_fd(PACK_FD, &relay.pack, err) < 0)
		goto failed;
	relay.egress = relay.pack.egress;
	relay.super = SUPER_FD;
	relay.epoll = epoll_create1(EPOLL_CLOEXEC);
	signal(SIGPIPE, SIG_IGN);
	names_init(seed);
	flow_init();
	int r = pump_init();
	if (r == 0)
		r = live_init();
	if (r == 0 && has_leases)
		r = lease_init(LEASES_FD);
	if (r < 0) {
		err_sys(err, -r, "memory for buffers");
		goto failed;
	}
	if (relay.epoll < 0 || fd_set_nonblock(SUPER_FD) < 0) {
		err_sys(err, errno, "descriptor 3");
		goto failed;
	}
	const struct jail jail = {.calls = calls,
		.n_calls = ARRAY_LEN(calls),
		.leases = lease_page(),
		.mute_fd = nflog,
		.max_fds = 2 * RELAY_MAX_FLOWS + RELAY_MAX_DNS_CONNS + OTHER_FDS,
		.max_memory = MEMORY + relay.pack.map_bytes + 2 * EGRESS_POLICY_MAX};
	drop_code();
	if (jail_enter(&jail, err) < 0)
		goto failed;
	uint64_t rest = RELAY_MAX_DNS_CONNS + OTHER_FDS;
	_Static_assert(EGRESS_FDS_MIN >= RELAY_MAX_DNS_CONNS + OTHER_FDS + 2 * 16, "16 flows");
	if (jail_fds() < EGRESS_FDS_MIN) {
		err_set(err, EMFILE, "the limit of open files is too low: %u",
			(unsigned)jail_fds());
		goto failed;
	}
	relay.max_flows = (uint32_t)MIN((jail_fds() - rest) / 2, (uint64_t)RELAY_MAX_FLOWS);
	return;
failed:
	dprintf(STDERR_FILENO, "bawn: relay: %s\n", err->msg);
	if (err->hint[0])
		dprintf(STDERR_FILENO, "bawn: relay: %s\n", err->hint);
	_exit(1);
}

int main(int argc, char **argv)
{
	static struct err err;
	has_leases = argc == 2 && streq(argv[1], DIALER_RELAY_LEASES);
	if (syscall(SYS_close_range, LEASES_FD + has_leases, ~0u, 0) < 0)
		relay_die("close_range");
	int fds[FD_PASS_MAX];
	size_t n = take_handover(fds);
	start(fds[NETNS_FD_NFLOG], &err);
	update_now();
	if (relay_watch(SUPER_FD, EPOLLIN, RELAY_EV_SUPER, 0) < 0)
		relay_die("epoll_ctl");
	watch_listeners(fds, n);
	loop();
}
