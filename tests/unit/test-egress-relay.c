/* tests/unit/test-egress-relay.c - bawn-relay alone, with this test as its supervisor and without a
 * network namespace: the listeners are ordinary ones, so every connection is made straight to them.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/proc.h"
#include "egress-pack.h"
#include "egress/dialer.h"
#include "egress/lease.h"
#include "egress/proto.h"
#include "late-clock.h"
#include "net/netns.h"

struct world {
	struct proc relay;
	int super;
	struct sockaddr_in listener, host_port;
};

static int bound(int type, struct sockaddr_in *a)
{
	socklen_t len = sizeof(*a);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	*a = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)a, sizeof(*a)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)a, &len), 0);
	return fd;
}

/* leases: the page that it gets, or -1; clock: relay-late's, which is started then, or -1 */
static void open_world_with(struct world *w, int leases, int clock)
{
	int super[2], handover[2];
	char path[4096];
	const char *dir = getenv("BAWN_BUILDDIR");
	struct sockaddr_in other;
	struct err err = {0};
	const struct test_rule rules[] = {{.text = "allowed.example"}};
	snprintf(path, sizeof(path), "%s/%s", dir ? dir : ".",
		clock < 0 ? "bawn-relay" : "tests/unit/relay-late");
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, super), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, handover), 0);
	int pack = test_pack(rules, ARRAY_LEN(rules), false);
	char *argv[] = {
		(char[]){"bawn-relay"}, leases >= 0 ? (char[]){DIALER_RELAY_LEASES} : NULL, NULL};
	int fds[LATE_CLOCK_FD + 1] = {-1, -1, 2, super[1], handover[1], pack, leases, clock};
	int nfds = clock >= 0 ? LATE_CLOCK_FD + 1 : leases >= 0 ? LATE_CLOCK_FD : LATE_CLOCK_FD - 1;
	struct proc_spawn how = {.path = path, .argv = argv, .fds = fds, .nfds = nfds};
	if (proc_spawn(&how, &w->relay, &err) < 0)
		fail_msg("%s", err.msg);
	int l[NETNS_FD_HOST_PORTS + 1];
	l[NETNS_FD_TCP4] = bound(SOCK_STREAM, &w->listener);
	l[NETNS_FD_TCP6] = eventfd(0, EFD_CLOEXEC);
	l[NETNS_FD_DNS_UDP] = bound(SOCK_DGRAM, &other);
	l[NETNS_FD_DNS_TCP] = bound(SOCK_STREAM, &other);
	l[NETNS_FD_NFLOG] = eventfd(0, EFD_CLOEXEC);
	l[NETNS_FD_HOST_PORTS] = bound(SOCK_STREAM, &w->host_port);
	assert_int_equal(fd_send(handover[0], "l", 1, l, ARRAY_LEN(l)), 0);
	for (size_t i = 0; i < ARRAY_LEN(l); i++)
		close(l[i]);
	close(super[1]);
	close(handover[0]);
	close(handover[1]);
	close(pack);
	w->super = super[0];
}

static void open_world(struct world *w)
{
	open_world_with(w, -1, -1);
}

static int dial(const struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval tv = {.tv_sec = 5};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	assert_int_equal(connect(fd, (const struct sockaddr *)a, sizeof(*a)), 0);
	return fd;
}

static void told(struct world *w, struct egress_ask_msg *m)
{
	struct pollfd p = {.fd = w->super, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(recv(w->super, m, sizeof(*m), 0), (ssize_t)sizeof(*m));
	assert_int_equal(m->magic, EGRESS_MAGIC);
}

/* It must be gone at once; the limit leaves room for a busy machine. */
static int wait_end(struct world *w)
{
	struct pollfd p = {.fd = w->relay.pidfd, .events = POLLIN};
	int status = -1;
	if (poll(&p, 1, 3000) != 1) {
		proc_kill(&w->relay);
		fail_msg("the relay is still there");
	}
	proc_wait(&w->relay, &status);
	return status;
}

static bool status_says(pid_t pid, const char *line)
{
	char path[64], buf[4096];
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	size_t n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;
	buf[n] = '\0';
	return strstr(buf, line);
}

static void test_confined(void **state)
{
	(void)state;
	struct world w;
	struct egress_ask_msg m;
	open_world(&w);
	close(dial(&w.listener)); /* it accepts: so it has locked itself in */
	told(&w, &m);
	assert_true(status_says(w.relay.pid, "\nSeccomp:\t2\n"));
	assert_true(status_says(w.relay.pid, "\nNoNewPrivs:\t1\n"));
	close(w.super);
	assert_int_equal(wait_end(&w), 0);
}

/* NET-06, NET-23: no original destination, no flow. */
static void test_listener_direct(void **state)
{
	(void)state;
	struct world w;
	struct egress_ask_msg m;
	char c;
	open_world(&w);
	int fd = dial(&w.listener);
	told(&w, &m);
	assert_int_equal(m.kind, EGRESS_TELL_DENIED);
	assert_int_equal(m.why, EGRESS_WHY_LISTENER);
	assert_int_equal(recv(fd, &c, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
	close(w.super);
	assert_int_equal(wait_end(&w), 0);
}

/* A verdict for nobody, a verdict without a socket, and a message that is none. */
static void test_answers(void **state)
{
	(void)state;
	struct world w;
	struct egress_ask_msg m;
	struct egress_answer_msg a = {.magic = EGRESS_MAGIC, .answer = EGRESS_ANSWER_OPEN};
	char buf[64];
	int sv[2];
	open_world(&w);
	int fd = dial(&w.host_port);
	told(&w, &m);
	assert_int_equal(m.kind, EGRESS_ASK_HOST_PORT);
	assert_int_equal(m.port, ntohs(w.host_port.sin_port));
	a.flow = m.flow + (1u << 12); /* another generation */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	assert_int_equal(fd_send(w.super, &a, sizeof(a), &sv[1], 1), 0);
	close(sv[1]);
	assert_int_equal(recv(sv[0], buf, 1, 0), 0); /* closed unused */
	close(sv[0]);
	a.flow = m.flow;
	assert_int_equal(fd_send(w.super, &a, sizeof(a), NULL, 0), 0);
	assert_int_equal(recv(fd, buf, 1, 0), -1);
	close(fd);
	assert_int_equal(send(w.super, &a, sizeof(a) - 1, 0), (ssize_t)sizeof(a) - 1);
	assert_int_equal(wait_end(&w), 0);
	close(w.super);
}

static void test_passes_bytes(void **state)
{
	(void)state;
	struct world w;
	struct egress_ask_msg m;
	struct egress_answer_msg a = {.magic = EGRESS_MAGIC, .answer = EGRESS_ANSWER_OPEN};
	char buf[64];
	struct sockaddr_in up;
	open_world(&w);
	int l = bound(SOCK_STREAM, &up), ours = dial(&up);
	int theirs = accept4(l, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int fd = dial(&w.host_port);
	/* before the verdict: nothing may pass (TLS-09) */
	assert_int_equal(send(fd, "early", 5, 0), 5);
	told(&w, &m);
	a.flow = m.flow;
	assert_int_equal(recv(ours, buf, sizeof(buf), MSG_DONTWAIT), -1);
	assert_int_equal(fd_send(w.super, &a, sizeof(a), &theirs, 1), 0);
	close(theirs);
	assert_int_equal(recv(ours, buf, 5, MSG_WAITALL), 5);
	assert_memory_equal(buf, "early", 5);
	assert_int_equal(send(ours, "back", 4, 0), 4);
	assert_int_equal(recv(fd, buf, 4, MSG_WAITALL), 4);
	/* NET-25: a reset is passed on */
	struct linger now = {.l_onoff = 1};
	setsockopt(ours, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(ours);
	assert_int_equal(recv(fd, buf, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	told(&w, &m);
	assert_int_equal(m.kind, EGRESS_TELL_END);
	assert_int_equal(m.up, 5);
	assert_int_equal(m.down, 4);
	close(fd);
	close(l);
	close(w.super);
	assert_int_equal(wait_end(&w), 0);
}

/* Send text with a byte out of band in its middle, then the end. */
static void send_urgent(int fd)
{
	assert_int_equal(send(fd, "before", 6, 0), 6);
	assert_int_equal(send(fd, "!", 1, MSG_OOB), 1);
	assert_int_equal(send(fd, "behind", 6, 0), 6);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
}

static void wants_all(int fd)
{
	char buf[64] = {0};
	size_t n = 0;
	ssize_t k;
	while ((k = recv(fd, buf + n, sizeof(buf) - 1 - n, 0)) > 0)
		n += (size_t)k;
	assert_int_equal(k, 0);
	assert_string_equal(buf, "beforebehind");
}

/* A read stops at urgent data; what is behind it must not be taken for nothing, though the end has
 * come by then. */
static void test_urgent(void **state)
{
	(void)state;
	struct world w;
	struct egress_ask_msg m;
	struct egress_answer_msg a = {.magic = EGRESS_MAGIC, .answer = EGRESS_ANSWER_OPEN};
	struct sockaddr_in up;
	open_world(&w);
	int l = bound(SOCK_STREAM, &up), ours = dial(&up);
	int theirs = accept4(l, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int fd = dial(&w.host_port);
	send_urgent(fd);
	send_urgent(ours);
	told(&w, &m);
	a.flow = m.flow;
	assert_int_equal(fd_send(w.super, &a, sizeof(a), &theirs, 1), 0);
	close(theirs);
	wants_all(ours);
	wants_all(fd);
	told(&w, &m);
	assert_int_equal(m.kind, EGRESS_TELL_END);
	close(fd);
	close(ours);
	close(l);
	close(w.super);
	assert_int_equal(wait_end(&w), 0);
}

/* ---- leases ---- */

static struct lease_page *make_page(int *ret_fd, const struct sockaddr_in *to)
{
	*ret_fd = memfd_create("leases", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(*ret_fd, LEASE_PAGE_BYTES), 0);
	struct lease_page *p = mmap(
		NULL, LEASE_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, *ret_fd, 0);
	assert_true(p != MAP_FAILED);
	p->slot[3].v4 = *to;
	p->n_ports = 1;
	p->port[0] = ntohs(to->sin_port);
	assert_int_equal(fcntl(*ret_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	return p;
}

/* Answer the question, which must come, with a connection to `to` and this lease. */
static void is_asked(struct world *w, const struct sockaddr_in *to, uint8_t lease)
{
	struct egress_ask_msg m;
	struct egress_answer_msg a = {
		.magic = EGRESS_MAGIC, .answer = EGRESS_ANSWER_OPEN, .lease = lease};
	do
		told(w, &m);
	while (m.kind == EGRESS_TELL_END || m.kind == EGRESS_TELL_AGAIN);
	assert_int_equal(m.kind, EGRESS_ASK_HOST_PORT);
	a.flow = m.flow;
	int fd = dial(to);
	assert_int_equal(fd_send(w->super, &a, sizeof(a), &fd, 1), 0);
	close(fd);
}

/* The server's end of a connection from inside. */
static int reached(int server)
{
	struct pollfd p = {.fd = server, .events = POLLIN};
	struct timeval tv = {.tv_sec = 5};
	assert_int_equal(poll(&p, 1, 5000), 1);
	int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return fd;
}

static void talks(int client, int fd)
{
	char c;
	assert_int_equal(send(client, "q", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(recv(fd, &c, 1, 0), 1);
	assert_int_equal(send(fd, "a", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(recv(client, &c, 1, 0), 1);
}

/* A connection from inside reaches the server. */
static void passes(int client, int server)
{
	int fd = reached(server);
	talks(client, fd);
	close(fd);
	close(client);
}

static bool is_silent(struct world *w)
{
	struct egress_ask_msg m;
	ssize_t n;
	while ((n = recv(w->super, &m, sizeof(m), MSG_DONTWAIT)) > 0)
		if (m.kind == EGRESS_ASK_HOST_PORT)
			return false;
	return true;
}

static void test_leases(void **state)
{
	(void)state;
	struct world w;
	struct sockaddr_in up;
	struct egress_ask_msg m;
	int fd, server = bound(SOCK_STREAM, &up);
	struct lease_page *p = make_page(&fd, &up);
	uint32_t again = 0;
	open_world_with(&w, fd, -1);
	close(fd);
	/* a slot that came with no answer is not used */
	int client = dial(&w.host_port);
	is_asked(&w, &up, 0);
	passes(client, server);
	client = dial(&w.host_port);
	is_asked(&w, &up, 4);
	passes(client, server);
	for (int i = 0; i < 20; i++) {
		passes(dial(&w.host_port), server);
		assert_true(is_silent(&w));
	}
	/* the supervisor hears of them within a second or so */
	while (again < 20) {
		told(&w, &m);
		if (m.kind == EGRESS_TELL_AGAIN) {
			assert_int_equal(m.flow, EGRESS_ASK_HOST_PORT);
			assert_int_equal(m.port, ntohs(w.host_port.sin_port));
			again += m.count;
		}
	}
	assert_int_equal(again, 20);
	/* recalled */
	p->slot[3].any.sa_family = AF_UNSPEC;
	client = dial(&w.host_port);
	is_asked(&w, &up, 0);
	passes(client, server);
	/* a server that is gone: the supervisor says so, as ever */
	p->slot[3].any.sa_family = AF_INET;
	passes(dial(&w.host_port), server);
	close(server);
	client = dial(&w.host_port);
	again = 0;
	do {
		told(&w, &m);
		again += m.kind == EGRESS_TELL_AGAIN ? m.count : 0;
	} while (m.kind != EGRESS_ASK_HOST_PORT);
	/* it was there, and then no more: not the other way round */
	assert_int_equal(again, 1);
	close(client);
	close(w.super);
	assert_int_equal(wait_end(&w), 0);
	munmap(p, LEASE_PAGE_BYTES);
}

/* A slot of a page that wasn't given, or that there is none of. */
static void test_no_leases(void **state)
{
	(void)state;
	static const uint8_t slots[] = {1, LEASE_SLOTS, LEASE_SLOTS + 1, 255};
	struct world w;
	struct sockaddr_in up;
	int server = bound(SOCK_STREAM, &up), client;
	open_world(&w);
	for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
		client = dial(&w.host_port);
		is_asked(&w, &up, slots[i]);
		passes(client, server);
	}
	close(w.super);
	assert_int_equal(wait_end(&w), 0);
	close(server);
}

/* ---- time ---- */

/* An established flow may be silent for an hour and more, as an agent's is that waits for its user:
 * the relay ends what has waited too long for a verdict, and this one never. */
static void test_idle(void **state)
{
	(void)state;
	static const uint64_t minutes[] = {61, 26 * 60};
	struct world w;
	struct sockaddr_in up;
	struct egress_ask_msg m;
	char c;
	int page = memfd_create("clock", MFD_CLOEXEC), server = bound(SOCK_STREAM, &up);
	assert_int_equal(ftruncate(page, sizeof(uint64_t)), 0);
	late_clock *late = mmap(NULL, sizeof(*late), PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
	assert_true(late != MAP_FAILED);
	open_world_with(&w, -1, page);
	close(page);
	int client = dial(&w.host_port);
	is_asked(&w, &up, 0);
	int ours = reached(server);
	talks(client, ours);
	for (size_t i = 0; i < ARRAY_LEN(minutes); i++) {
		int other = dial(&w.host_port);
		told(&w, &m);
		assert_int_equal(m.kind, EGRESS_ASK_HOST_PORT);
		atomic_fetch_add(late, minutes[i] * 60 * 1000);
		assert_int_equal(recv(other, &c, 1, 0), -1);
		assert_int_equal(errno, ECONNRESET);
		close(other);
		talks(client, ours);
	}
	close(client);
	close(ours);
	close(server);
	close(w.super);
	assert_int_equal(wait_end(&w), 0);
	munmap((void *)late, sizeof(*late));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confined),
		cmocka_unit_test(test_listener_direct),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_passes_bytes),
		cmocka_unit_test(test_urgent),
		cmocka_unit_test(test_leases),
		cmocka_unit_test(test_no_leases),
		cmocka_unit_test(test_idle),
	};
	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
