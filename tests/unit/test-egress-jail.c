/* tests/unit/test-egress-jail.c - OWN-07: code run inside the relay.
 *
 * What an attacker could do who has the relay run code of his: this test is that code, in a process
 * that has locked itself in as the relay does, with the descriptors that the relay has.  The same
 * attempts without the jail show that each would work.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "child.h"
#include "egress/jail.h"
#include "egress/lease.h"
#include "net/apply.h"
#include "net/build.h"
#include "net/netns.h"

static int listeners[NETNS_FD_HOST_PORTS];
static int canary;
static struct sockaddr_in canary_addr;

/* `nft flush ruleset`, as a batch; the last message asks for an answer. */
static struct {
	struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
	} m[3];
} flush;

static void fill_flush(void)
{
	static const uint16_t types[] = {NFNL_MSG_BATCH_BEGIN,
		NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE, NFNL_MSG_BATCH_END};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		flush.m[i].h = (struct nlmsghdr){.nlmsg_len = sizeof(flush.m[i]),
			.nlmsg_type = types[i],
			.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (i == 1 ? NLM_F_ACK : 0)),
			.nlmsg_seq = (uint32_t)i};
		flush.m[i].g.res_id = i == 1 ? 0 : htons(NFNL_SUBSYS_NFTABLES);
	}
}

/* 0: it was done; else the errno. */
static int answer_of(ssize_t sent)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} a;
	if (sent < 0)
		return errno;
	return recv(listeners[NETNS_FD_NFLOG], &a, sizeof(a), 0) < 0 ? errno : -a.e.error;
}

static int by_send(void)
{
	return answer_of(send(listeners[NETNS_FD_NFLOG], &flush, sizeof(flush), 0));
}

static int by_sendmsg(void)
{
	struct iovec v = {&flush, sizeof(flush)};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	return answer_of(sendmsg(listeners[NETNS_FD_NFLOG], &m, 0));
}

static int by_write(void)
{
	return answer_of(write(listeners[NETNS_FD_NFLOG], &flush, sizeof(flush)));
}

static int by_writev(void)
{
	struct iovec v = {&flush, sizeof(flush)};
	return answer_of(writev(listeners[NETNS_FD_NFLOG], &v, 1));
}

static int by_another_number(void)
{
	int fd = fcntl(listeners[NETNS_FD_NFLOG], F_DUPFD, 0);
	return answer_of(fd < 0 ? -1 : send(fd, &flush, sizeof(flush), 0));
}

static int by_high_bits(void)
{
	return answer_of(syscall(SYS_sendto, 1L << 32 | listeners[NETNS_FD_NFLOG], &flush,
		sizeof(flush), 0, NULL, 0));
}

static int new_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER) < 0 ? errno : 0;
}

static int dial_canary(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		return errno;
	return connect(fd, (struct sockaddr *)&canary_addr, sizeof(canary_addr)) < 0 ? errno : 0;
}

/* A listener that is shut down could be connected by the data it sends first. */
static int dial_by_fastopen(void)
{
	int fd = listeners[NETNS_FD_TCP4];
	shutdown(fd, SHUT_RDWR);
	sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&canary_addr, sizeof(canary_addr));
	return EPERM; /* what counts is that nobody comes: the socket is the sandbox's */
}

/* What the relay is left with, as relay-main.c has it. */
static const uint16_t calls[] = {SYS_recvfrom, SYS_sendto, SYS_close, SYS_epoll_ctl, SYS_accept4,
	SYS_getsockopt, SYS_sendmsg, SYS_recvmsg, SYS_shutdown, SYS_setsockopt, SYS_getsockname,
	SYS_pread64, SYS_madvise, SYS_exit_group};

static int in_child(bool jailed, const struct lease_page *leases, int (*attempt)(void))
{
	pid_t p = fork();
	if (p == 0) {
		struct err err = {0};
		const struct jail j = {.calls = calls,
			.n_calls = ARRAY_LEN(calls),
			.leases = leases,
			.mute_fd = listeners[NETNS_FD_NFLOG],
			.max_fds = 64,
			.max_memory = 1u << 30};
		if (jailed && jail_enter(&j, &err) < 0)
			_exit(200);
		_exit(attempt());
	}
	int status;
	assert_int_equal(waitpid(p, &status, 0), p);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_code_in_the_relay(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		int (*attempt)(void);
		bool works; /* without the jail */
	} table[] = {{"send", by_send, true}, {"sendmsg", by_sendmsg, true},
		{"write", by_write, true}, {"writev", by_writev, true},
		{"another number", by_another_number, true}, {"high bits", by_high_bits, true},
		{"a socket", new_netlink, true}, {"the canary", dial_canary, true},
		{"fast open", dial_by_fastopen, false}};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int jailed = in_child(true, NULL, table[i].attempt);
		if (jailed != EPERM)
			fail_msg("%s: %s", table[i].what, strerror(jailed));
	}
	/* nobody has come to the canary */
	assert_int_equal(accept4(canary, NULL, NULL, SOCK_NONBLOCK), -1);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int r = table[i].works ? in_child(false, NULL, table[i].attempt) : 0;
		if (r)
			fail_msg("%s proves nothing: %s", table[i].what, strerror(r));
	}
}

/* ---- with leases: what the user's options give may be connected to, and nothing else ---- */

static struct lease_page *page; /* as the relay has it: to read */
enum { OPEN_SLOT, CANARY_SLOT, EMPTY_SLOT };

static int tcp(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* The errno of the attempt; 0: it was connected, or is about to be. */
static int connect_to(const void *a, socklen_t len)
{
	int fd = tcp();
	if (fd < 0)
		return errno;
	return connect(fd, a, len) < 0 && errno != EINPROGRESS ? errno : 0;
}

static int lease_own_address(void)
{
	return connect_to(&canary_addr, sizeof(canary_addr));
}

/* What the page says, from another place, where it could be changed after the look. */
static int lease_copied_address(void)
{
	union lease_slot copy = page->slot[OPEN_SLOT];
	return connect_to(&copy, LEASE_ADDR_LEN);
}

static int lease_unaligned(void)
{
	return connect_to(page->slot[OPEN_SLOT].bytes + 8, LEASE_ADDR_LEN);
}

static int lease_behind_the_slots(void)
{
	return connect_to(page->slot + LEASE_SLOTS, LEASE_ADDR_LEN);
}

static int lease_before_the_slots(void)
{
	return connect_to(page->slot - 1, LEASE_ADDR_LEN);
}

static int lease_length(void)
{
	return connect_to(&page->slot[OPEN_SLOT], sizeof(struct sockaddr_in));
}

static int lease_sendto_fastopen(void)
{
	int fd = tcp();
	return sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&canary_addr,
		       sizeof(canary_addr)) < 0
		? errno
		: 0;
}

static int lease_sendmsg_fastopen(void)
{
	struct iovec v = {(char[]){"x"}, 1};
	struct msghdr m = {.msg_name = &canary_addr,
		.msg_namelen = sizeof(canary_addr),
		.msg_iov = &v,
		.msg_iovlen = 1};
	return sendmsg(tcp(), &m, MSG_FASTOPEN | MSG_NOSIGNAL) < 0 ? errno : 0;
}

static int lease_datagrams(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) < 0 ? errno : 0;
}

static int lease_mptcp(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 262) < 0 ? errno : 0;
}

static int lease_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) < 0 ? errno : 0;
}

static int lease_source_route(void)
{
	/* loose, over one host (RFC 791) */
	const uint8_t route[] = {IPOPT_NOP, IPOPT_LSRR, 7, 4, 127, 0, 0, 2};
	return setsockopt(tcp(), IPPROTO_IP, IP_OPTIONS, route, sizeof(route)) < 0 ? errno : 0;
}

static int lease_listen(void)
{
	return listen(tcp(), 1) < 0 ? errno : 0;
}

static int lease_map_again(void)
{
	return mprotect(page, LEASE_PAGE_BYTES, PROT_READ | PROT_WRITE) < 0 ? errno : 0;
}

static int lease_given(void)
{
	return connect_to(&page->slot[OPEN_SLOT], LEASE_ADDR_LEN);
}

/* The page is right, the ports that it began with are not. */
static int lease_other_port(void)
{
	return connect_to(&page->slot[CANARY_SLOT], LEASE_ADDR_LEN);
}

/* Nothing is connected: what is sent has nowhere to go. */
static int lease_recalled(void)
{
	int fd = tcp();
	if (connect(fd, &page->slot[EMPTY_SLOT].any, LEASE_ADDR_LEN) < 0)
		return errno;
	/* not errno: a sanitizer's own calls come between */
	return send(fd, "x", 1, MSG_NOSIGNAL) < 0 ? EPIPE : 0;
}

/* What madvise(2) could do to a page of others. */
static int lease_punch_a_hole(void)
{
	return madvise(page, LEASE_PAGE_BYTES, MADV_REMOVE) < 0 && errno == EACCES ? EPERM : 0;
}

static int lease_receive_into(void)
{
	int fd = tcp();
	socklen_t len = LEASE_PAGE_BYTES;
	return getsockname(fd, &page->slot[EMPTY_SLOT].any, &len) < 0 && errno == EFAULT ? EPERM
											 : 0;
}

/* Everything there is of a kind is tried; EPERM: nothing passes but what may. */
static int sweep_sockets(void)
{
	unsigned others = 0, passed = 0;
	for (int family = 0; family < 48; family++)
		for (int type = 0; type < 16; type++)
			for (int proto = 0; proto < 300; proto++) {
				const int with = type | SOCK_NONBLOCK | SOCK_CLOEXEC;
				int fd = socket(family, with, proto);
				if (fd < 0 && errno == EPERM)
					continue;
				if ((family == AF_INET || family == AF_INET6) &&
					type == SOCK_STREAM && proto == 0)
					passed++;
				else
					others++;
				close(fd);
			}
	for (int type = 0; type < 16; type++)
		others += socket(AF_INET, type, 0) >= 0 ||
			socket(AF_INET, type | SOCK_CLOEXEC, 0) >= 0 ||
			socket(AF_INET, type | SOCK_NONBLOCK, 0) >= 0;
	return others == 0 && passed == 2 ? EPERM : 0;
}

static int sweep_connects(void)
{
	const uintptr_t at = (uintptr_t)page, from = at - 2 * (uintptr_t)LEASE_PAGE_BYTES,
			to = at + 4 * (uintptr_t)LEASE_PAGE_BYTES;
	unsigned others = 0, passed = 0;
	/* no socket: what passes has nothing to connect */
	for (uintptr_t p = from; p < to; p++)
		if (syscall(SYS_connect, -1, p, LEASE_ADDR_LEN) == 0 || errno != EPERM) {
			const bool slot = p >= at && p < at + sizeof(page->slot) &&
				(p - at) % LEASE_SLOT_BYTES == 0;
			passed += slot;
			others += !slot;
		}
	/* the same address by another number */
	for (int bit = 0; bit < 64; bit++)
		if (bit < 5 || bit > 10)
			others += syscall(SYS_connect, -1, at ^ 1ull << bit, LEASE_ADDR_LEN) == 0 ||
				errno != EPERM;
	for (unsigned len = 0; len < 256; len++)
		if (len != LEASE_ADDR_LEN)
			others += syscall(SYS_connect, -1, at, len) == 0 || errno != EPERM;
	return others == 0 && passed == LEASE_SLOTS ? EPERM : 0;
}

static int sweep_options(void)
{
	unsigned others = 0, passed = 0;
	for (int level = -1; level < 300; level++)
		for (int option = -1; option < 300; option++) {
			if (setsockopt(-1, level, option, "", 1) < 0 && errno == EPERM)
				continue;
			if ((level == SOL_SOCKET &&
				    (option == SO_LINGER || option == SO_KEEPALIVE)) ||
				(level == IPPROTO_TCP &&
					(option == TCP_NODELAY || option == TCP_CONGESTION ||
						option == TCP_QUICKACK)))
				passed++;
			else
				others++;
		}
	return others == 0 && passed == 5 ? EPERM : 0;
}

/* With every other flag, too; and what is only sent still passes. */
static int sweep_sends(void)
{
	struct msghdr m = {0};
	unsigned others = 0, passed = 0;
	for (int bit = 0; bit < 32; bit++) {
		const unsigned flag = 1u << bit;
		const unsigned with = (unsigned)MSG_FASTOPEN | flag;
		others += syscall(SYS_sendto, -1, "", 1, with, NULL, 0) == 0 || errno != EPERM;
		others += syscall(SYS_sendmsg, -1, &m, with) == 0 || errno != EPERM;
		if (flag == MSG_FASTOPEN)
			continue;
		passed += syscall(SYS_sendto, -1, "", 1, flag, NULL, 0) < 0 && errno != EPERM;
		passed += syscall(SYS_sendmsg, -1, &m, flag) < 0 && errno != EPERM;
	}
	return others == 0 && passed == 2 * 31 ? EPERM : 0;
}

static int sweep_calls(void)
{
	const long n[] = {SYS_bind, SYS_listen, SYS_accept, SYS_socketpair, SYS_sendmmsg, SYS_dup,
		SYS_fcntl, SYS_ioctl, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect,
		SYS_io_uring_setup, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_userfaultfd,
		SYS_fallocate, SYS_pwrite64, SYS_write, SYS_splice, SYS_sendfile};
	unsigned others = 0;
	for (size_t i = 0; i < ARRAY_LEN(n); i++)
		others += syscall(n[i], -1, 0, 0, 0, 0, 0) >= 0 || errno != EPERM;
#ifdef __x86_64__
	/* x32 */
	others += syscall(1L << 30 | SYS_socket, AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM;
	others += syscall(1L << 30 | SYS_connect, -1, page, LEASE_ADDR_LEN) == 0 || errno != EPERM;
#endif
	return others == 0 ? EPERM : 0;
}

static int bound(struct sockaddr_in *ret)
{
	socklen_t len = sizeof(*ret);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	*ret = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)ret, len) < 0 || listen(fd, 8) < 0 ||
		getsockname(fd, (struct sockaddr *)ret, &len) < 0)
		_exit(99);
	return fd;
}

static void make_page(const struct sockaddr_in *given)
{
	int fd = memfd_create("page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fd, LEASE_PAGE_BYTES), 0);
	struct lease_page *w = mmap(
		NULL, LEASE_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, 0x10 /* F_SEAL_FUTURE_WRITE */ | F_SEAL_SHRINK), 0);
	page = mmap(NULL, LEASE_PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(w != MAP_FAILED && page != MAP_FAILED);
	w->slot[OPEN_SLOT].v4 = *given;
	w->slot[CANARY_SLOT].v4 = canary_addr;
	w->n_ports = 1;
	w->port[0] = ntohs(given->sin_port);
	munmap(w, LEASE_PAGE_BYTES);
	close(fd);
}

/* A sanitizer's runtime makes calls of its own, which are refused here: it ends with 1. */
#ifdef BAWN_ASAN
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

static void test_leases(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		int (*attempt)(void);
	} table[] = {{"an address of one's own", lease_own_address},
		{"a copy of one that was given", lease_copied_address},
		{"beside a slot", lease_unaligned}, {"behind the slots", lease_behind_the_slots},
		{"before the slots", lease_before_the_slots}, {"another length", lease_length},
		{"sendto", lease_sendto_fastopen}, {"sendmsg", lease_sendmsg_fastopen},
		{"datagrams", lease_datagrams}, {"multipath", lease_mptcp},
		{"unix sockets", lease_unix}, {"a source route", lease_source_route},
		{"a listener", lease_listen}, {"writing to the page", lease_map_again},
		{"netlink", new_netlink}, {"a hole", lease_punch_a_hole},
		{"what a call writes", lease_receive_into}, {"all sockets", sweep_sockets},
		{"all pointers", sweep_connects}, {"all options", sweep_options},
		{"all flags", sweep_sends}, {"other calls", sweep_calls}};
	struct sockaddr_in given;
	int listener = bound(&given);
	const bool landlock = syscall(SYS_landlock_create_ruleset, NULL, 0,
				      LANDLOCK_CREATE_RULESET_VERSION) >= 4;
	make_page(&given);
	for (int fd; (fd = accept4(canary, NULL, NULL, SOCK_NONBLOCK)) >= 0;)
		close(fd); /* of tests without a jail */
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int r = in_child(true, page, table[i].attempt);
		if (r != EPERM)
			fail_msg("%s: %s", table[i].what, strerror(r));
	}
	if (SANITIZED)
		return;
	assert_int_equal(in_child(true, page, lease_recalled), EPIPE);
	if (landlock)
		assert_int_equal(in_child(true, page, lease_other_port), EACCES);
	assert_int_equal(accept4(canary, NULL, NULL, SOCK_NONBLOCK), -1);
	assert_int_equal(accept4(listener, NULL, NULL, SOCK_NONBLOCK), -1);
	/* and what is given is given */
	assert_int_equal(in_child(true, page, lease_given), 0);
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	assert_true(fd >= 0);
	close(fd);
	close(listener);
}

/* The sandbox's side: a namespace with its rules; its sockets go out. */
_noreturn_ static void namespace(int out)
{
	struct err err = {0};
	struct net_build nb = {0};
	void *nft;
	size_t n;
	own_namespaces(CLONE_NEWNET, 1000);
	void *rtnl;
	size_t rtnl_n;
	int fds[NETNS_FD_HOST_PORTS];
	if (net_build_nft(&nb, &nft, &n, &err) < 0 ||
		net_build_rtnl(&nb, &rtnl, &rtnl_n, &err) < 0 ||
		net_apply_rtnl(rtnl, rtnl_n, &err) < 0 || net_apply_nft(nft, n, &err) < 0 ||
		net_listeners(NULL, 0, fds, &err) < 0 ||
		fd_send(out, "l", 1, fds, ARRAY_LEN(fds)) < 0) {
		fprintf(stderr, "namespace: %s\n", err.msg);
		_exit(99);
	}
	for (;;)
		pause();
}

int main(void)
{
	int sv[2];
	char byte;
	size_t n = 0;
	fill_flush();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return 99;
	pid_t p = fork();
	if (p == 0)
	namespace(sv[1]);
	close(sv[1]);
	if (fd_recv(sv[0], &byte, 1, listeners, ARRAY_LEN(listeners), &n) != 1) {
		int status = 0;
		waitpid(p, &status, 0);
		return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
	}
	fcntl(listeners[NETNS_FD_NFLOG], F_SETFL, 0); /* answers are waited for */
	canary = bound(&canary_addr);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code_in_the_relay), cmocka_unit_test(test_leases)};
	int r = cmocka_run_group_tests_name("jail", tests, NULL, NULL);
	kill(p, SIGKILL);
	waitpid(p, NULL, 0);
	return r;
}
