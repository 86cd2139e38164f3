/* The network namespace: built, sent, and then asked by connections and by nft(8), the oracle.
 *
 * Every test works in a child with user and network namespaces of its own, as an ordinary user may.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "child.h"
#include "net/apply.h"
#include "net/destination.h"
#include "net/literals.h"
#include "net/netns.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t address(union address *a, const char *ip, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, ip, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		return sizeof(a->v4);
	}
	CHECK(inet_pton(AF_INET6, ip, &a->v6.sin6_addr) == 1);
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(port);
	return sizeof(a->v6);
}

/* The errno of a connection attempt, 0 when it was made (and left in *ret_fd if wanted). */
static int tcp(const char *ip, uint16_t port, int *ret_fd)
{
	union address a;
	socklen_t len = address(&a, ip, port);
	int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0);
	int e = connect(fd, &a.any, len) < 0 ? errno : 0;
	if (ret_fd && e == 0)
		*ret_fd = fd;
	else
		close(fd);
	return e;
}

static int udp(const char *ip, uint16_t port)
{
	union address a;
	socklen_t len = address(&a, ip, port);
	int fd = socket(a.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0);
	int e = connect(fd, &a.any, len) < 0 || send(fd, "x", 1, 0) < 0 ? errno : 0;
	close(fd);
	return e;
}

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

#define STEP(name, call)                                                                           \
	do {                                                                                       \
		double start_ = now_us();                                                          \
		if ((call) < 0) {                                                                  \
			fprintf(stderr, "%s: %s\n", name, err.msg);                                \
			_exit(1);                                                                  \
		}                                                                                  \
		printf("# %-9s %4.0f us\n", name, now_us() - start_);                              \
	} while (0)

static const uint16_t host_ports[] = {8080, 9229};
#define N_FDS (NETNS_FD_HOST_PORTS + 2)

/* As on a kernel without nft_tproxy: the first transaction is refused. */
static bool without_tproxy;
static bool cookies; /* the listener keeps nothing of what begins a connection */

/* nft(8)'s name of the expression gets another first letter, wherever it is in the bytes. */
static void spoil(void *batch, size_t n, const char *expression)
{
	char *name = memmem(batch, n, expression, strlen(expression) + 1);
	CHECK(name);
	for (; name; name = memmem(batch, n, expression, strlen(expression) + 1))
		name[0] = 'x';
}

/* The whole set-up in this process; fds gets N_FDS descriptors. */
static void set_up(const struct net_cidr *allow, size_t n, bool offline, int *fds)
{
	struct err err = {0};
	struct net_build b = {.allow = allow,
		.n_allow = n,
		.host_ports = host_ports,
		.n_host_ports = 2,
		.offline = offline};
	void *nft, *rtnl;
	size_t nft_n, rtnl_n;
	CHECK(net_build_nft(&b, &nft, &nft_n, &err) == 0);
	CHECK(net_build_rtnl(&b, &rtnl, &rtnl_n, &err) == 0);
	own_namespaces(CLONE_NEWNET, 0);
	/* Without the rules the proof fails. */
	STEP("rtnl", net_apply_rtnl(rtnl, rtnl_n, &err));
	CHECK(offline || net_prove(&err) == -ENOTRECOVERABLE);
	if (without_tproxy)
		spoil(nft, nft_n, "tproxy");
	STEP("nft", net_apply_nft(nft, nft_n, &err) == without_tproxy ? 0 : -1);
	STEP("sysctls", net_sysctls(without_tproxy, &err));
	STEP("prove", net_prove(&err));
	STEP("listeners", net_listeners(host_ports, 2, fds, &err));
	int fd = cookies ? open("/proc/sys/net/ipv4/tcp_syncookies", O_WRONLY | O_CLOEXEC) : -1;
	CHECK(!cookies || write(fd, "2", 1) == 1); /* always */
	fflush(stdout);
	free(nft);
	free(rtnl);
}

static int in_child(void (*fn)(void))
{
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(20);
		fn();
		_exit(0);
	}
	int st;
	assert_int_equal(waitpid(pid, &st, 0), pid);
	int code = WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
	if (code == NO_NAMESPACES)
		skip();
	return code;
}

static struct net_cidr cidr(const char *ip, unsigned bits, uint16_t port)
{
	struct net_cidr c = {.n_ports = 1, .ports = {port}};
	struct in_addr v4;
	if (inet_pton(AF_INET, ip, &v4) == 1) {
		c.net.s6_addr[10] = c.net.s6_addr[11] = 0xff;
		memcpy(c.net.s6_addr + 12, &v4, 4);
		c.bits = (uint8_t)(96 + bits);
	} else {
		assert_int_equal(inet_pton(AF_INET6, ip, &c.net), 1);
		c.bits = (uint8_t)bits;
	}
	return c;
}

/* The original destination of the connection that waits on listener. */
static uint16_t accepted_from(int listener, const char *ip)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};
	CHECK(poll(&p, 1, 2000) == 1);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd >= 0);
	union address want;
	struct in6_addr got;
	uint16_t port;
	socklen_t len = address(&want, ip, 0);
	bool v4 = len == sizeof(want.v4);
	CHECK(net_destination(fd, v4 ? AF_INET : AF_INET6, &got, &port) == 0);
	if (v4)
		CHECK(IN6_IS_ADDR_V4MAPPED(&got) &&
			memcmp(got.s6_addr + 12, &want.v4.sin_addr, 4) == 0);
	else
		CHECK(memcmp(&got, &want.v6.sin6_addr, 16) == 0);
	close(fd);
	return port;
}

static void names_only(void)
{
	int fds[N_FDS];
	set_up(NULL, 0, false, fds);
	/* A name's address reaches the relay with its destination. */
	CHECK(tcp("198.18.0.1", 443, NULL) == 0);
	CHECK(accepted_from(fds[NETNS_FD_TCP4], "198.18.0.1") == 443);
	CHECK(tcp("198.19.255.254", 22, NULL) == 0);
	CHECK(accepted_from(fds[NETNS_FD_TCP4], "198.19.255.254") == 22);
	CHECK(tcp("::ffff:198.18.0.2", 443, NULL) == 0);
	CHECK(accepted_from(fds[NETNS_FD_TCP4], "198.18.0.2") == 443);
	/* NET-01, NET-03, NET-08, NET-09: literals are reset at once. */
	static const char *const literals[] = {"1.1.1.1", "198.17.255.255", "198.20.0.0",
		"169.254.169.254", "10.0.2.2", "192.168.1.1", "100.100.100.200",
		"2606:4700:4700::1111", "64:ff9b::101:101", "fd00:ec2::254", "::ffff:1.1.1.1",
		"2002:101:101::1"};
	for (size_t i = 0; i < ARRAY_LEN(literals); i++)
		CHECK(tcp(literals[i], 443, NULL) == ECONNREFUSED);
	/* NET-04: datagrams fail at once, to names as well. */
	static const struct {
		const char *ip;
		uint16_t port;
	} datagrams[] = {{"8.8.8.8", 53}, {"1.1.1.1", 443}, {"1.1.1.1", 123}, {"198.18.0.1", 443},
		{"2606:4700:4700::1111", 53}, {"::ffff:8.8.8.8", 53}};
	for (size_t i = 0; i < ARRAY_LEN(datagrams); i++)
		CHECK(udp(datagrams[i].ip, datagrams[i].port) == EPERM);
	/* A multicast address can't be anybody's own, which AnyIP would make it. */
	int multicast = udp("224.0.0.251", 5353);
	CHECK(multicast == EPERM || multicast == EINVAL);
	/* NET-06: straight to the listener. */
	static const char *const direct[] = {"127.0.0.1", "127.255.255.254", "::1",
		"fd62:6177:6e00::1", "0.0.0.0", "::ffff:127.0.0.1"};
	for (size_t i = 0; i < ARRAY_LEN(direct); i++)
		CHECK(tcp(direct[i], NETNS_RELAY_PORT, NULL) == ECONNREFUSED);
	/* Loopback is the sandbox's own. */
	CHECK(tcp("127.0.0.1", 8080, NULL) == 0 && tcp("127.0.0.1", 9229, NULL) == 0);
	CHECK(tcp("127.0.0.1", 8081, NULL) == ECONNREFUSED);
	CHECK(tcp(NETNS_DNS_ADDR, 53, NULL) == 0 && udp(NETNS_DNS_ADDR, 53) == 0);
	char buf[16];
	CHECK(recv(fds[NETNS_FD_DNS_UDP], buf, sizeof(buf), 0) == 1);
}

static void test_names_only(void **state)
{
	(void)state;
	assert_int_equal(in_child(names_only), 0);
}

/* Bytes pass both ways over such a connection. */
static void conversation(void)
{
	int fds[N_FDS], client;
	char buf[8];
	set_up(NULL, 0, false, fds);
	CHECK(tcp("198.18.7.7", 443, &client) == 0);
	fcntl(fds[NETNS_FD_TCP4], F_SETFL, 0);
	int server = accept4(fds[NETNS_FD_TCP4], NULL, NULL, SOCK_CLOEXEC);
	CHECK(server >= 0);
	CHECK(send(client, "hello", 5, 0) == 5 && recv(server, buf, 8, 0) == 5);
	CHECK(send(server, "olleh", 5, 0) == 5 && recv(client, buf, 8, 0) == 5);
	CHECK(shutdown(client, SHUT_WR) == 0 && recv(server, buf, 8, 0) == 0);
	CHECK(send(server, "end", 3, 0) == 3 && recv(client, buf, 8, 0) == 3);
	close(server);
	CHECK(recv(client, buf, 8, 0) == 0);
}

static void test_conversation(void **state)
{
	(void)state;
	assert_int_equal(in_child(conversation), 0);
}

static struct net_cidr rules[8];
static size_t n_rules;

static void literal_rules(void)
{
	int fds[N_FDS];
	set_up(rules, n_rules, false, fds);
	static const struct {
		const char *ip;
		uint16_t port;
		int error;
	} cases[] = {
		{"93.184.216.34", 443, 0},
		{"93.184.216.34", 80, ECONNREFUSED},
		{"93.184.216.35", 443, ECONNREFUSED},
		{"10.1.2.3", 22, 0},
		{"10.255.255.255", 22, 0},
		{"11.0.0.0", 22, ECONNREFUSED},
		{"9.255.255.255", 22, ECONNREFUSED},
		{"2001:db8:1::5", 443, 0},
		{"2001:db8:2::5", 443, ECONNREFUSED},
		{"2606:4700:4700::1111", 853, 0},
		{"2606:4700:4700::1112", 853, ECONNREFUSED},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (tcp(cases[i].ip, cases[i].port, NULL) != cases[i].error) {
			fprintf(stderr, "%s %u\n", cases[i].ip, cases[i].port);
			_exit(1);
		}
		if (cases[i].error == 0)
			CHECK(accepted_from(
				      fds[strchr(cases[i].ip, ':') ? NETNS_FD_TCP6 : NETNS_FD_TCP4],
				      cases[i].ip) == cases[i].port);
	}
	CHECK(udp("93.184.216.34", 443) == EPERM);
	CHECK(tcp("127.0.0.1", 8081, NULL) == ECONNREFUSED);
	CHECK(tcp("127.0.0.1", 1, NULL) == ECONNREFUSED);
}

static void test_literals(void **state)
{
	(void)state;
	n_rules = 0;
	rules[n_rules++] = cidr("93.184.216.34", 32, 443);
	rules[n_rules++] = cidr("10.0.0.0", 8, 22);
	rules[n_rules++] = cidr("10.1.0.0", 16, 22); /* inside: merged, or the kernel refuses */
	rules[n_rules++] = cidr("2001:db8:1::", 48, 443);
	rules[n_rules++] = cidr("2606:4700:4700::1111", 128, 853);
	assert_int_equal(in_child(literal_rules), 0);
	cookies = true;
	assert_int_equal(in_child(literal_rules), 0);
	cookies = false;
}

static void everything(void)
{
	int fds[N_FDS];
	set_up(rules, n_rules, false, fds);
	CHECK(tcp("1.2.3.4", 443, NULL) == 0);
	CHECK(accepted_from(fds[NETNS_FD_TCP4], "1.2.3.4") == 443);
	/* Loopback stays loopback. */
	CHECK(tcp("127.0.0.1", 443, NULL) == ECONNREFUSED);
	CHECK(tcp("::1", 443, NULL) == ECONNREFUSED);
	CHECK(tcp("127.0.0.1", 8080, NULL) == 0);
	CHECK(tcp("127.0.0.1", 1, NULL) == ECONNREFUSED);
}

static void test_everything(void **state)
{
	(void)state;
	n_rules = 0;
	rules[n_rules++] = cidr("0.0.0.0", 0, 443);
	rules[n_rules++] = cidr("::", 0, 443);
	assert_int_equal(in_child(everything), 0);
}

static void offline(void)
{
	int fds[N_FDS];
	set_up(NULL, 0, true, fds);
	CHECK(tcp("1.1.1.1", 443, NULL) == ENETUNREACH); /* NET-27 */
	CHECK(tcp("198.18.0.1", 443, NULL) == ENETUNREACH);
	CHECK(udp("8.8.8.8", 53) == ENETUNREACH);
	int e = tcp("2606:4700:4700::1111", 443, NULL);
	CHECK(e == ENETUNREACH || e == EADDRNOTAVAIL);
	CHECK(tcp("127.0.0.1", 8080, NULL) == 0);
}

static void test_offline(void **state)
{
	(void)state;
	assert_int_equal(in_child(offline), 0);
}

/* The same on a kernel without nft_tproxy, by address translation. */
static void test_tracked(void **state)
{
	static void (*const all[])(void) = {names_only, conversation};
	static void (*const literal[])(void) = {literal_rules, everything};
	(void)state;
	without_tproxy = true;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		assert_int_equal(in_child(all[i]), 0);
	n_rules = 0;
	rules[n_rules++] = cidr("93.184.216.34", 32, 443);
	rules[n_rules++] = cidr("10.0.0.0", 8, 22);
	rules[n_rules++] = cidr("2001:db8:1::", 48, 443);
	rules[n_rules++] = cidr("2606:4700:4700::1111", 128, 853);
	assert_int_equal(in_child(literal[0]), 0);
	n_rules = 0;
	rules[n_rules++] = cidr("0.0.0.0", 0, 443);
	rules[n_rules++] = cidr("::", 0, 443);
	assert_int_equal(in_child(literal[1]), 0);
	without_tproxy = false;
}

/* One set of rules for another, of either kind; what is connected stays so. */
static void replaced(void)
{
	struct err err = {0};
	int fds[N_FDS], client;
	char buf[8];
	void *nft;
	size_t n;
	struct net_build b = {.allow = rules, .n_allow = n_rules};
	set_up(NULL, 0, false, fds);
	CHECK(tcp("198.18.7.7", 443, &client) == 0);
	fcntl(fds[NETNS_FD_TCP4], F_SETFL, 0);
	int server = accept4(fds[NETNS_FD_TCP4], NULL, NULL, SOCK_CLOEXEC);
	CHECK(tcp("93.184.216.34", 443, NULL) == ECONNREFUSED);
	CHECK(net_build_nft(&b, &nft, &n, &err) == 0);
	if (without_tproxy)
		spoil(nft, n, "tproxy");
	CHECK(net_replace_nft(nft, n, &err) == without_tproxy);
	CHECK(send(client, "hello", 5, 0) == 5 && recv(server, buf, 8, 0) == 5);
	CHECK(send(server, "olleh", 5, 0) == 5 && recv(client, buf, 8, 0) == 5);
	CHECK(tcp("93.184.216.34", 443, NULL) == 0);
	CHECK(accepted_from(fds[NETNS_FD_TCP4], "93.184.216.34") == 443);
	CHECK(tcp("93.184.216.35", 443, NULL) == ECONNREFUSED);
	CHECK(net_replace_nft(nft, n - 4, &err) == -EBADMSG);
}

static void test_replaced(void **state)
{
	(void)state;
	n_rules = 0;
	rules[n_rules++] = cidr("93.184.216.34", 32, 443);
	assert_int_equal(in_child(replaced), 0);
	without_tproxy = true;
	assert_int_equal(in_child(replaced), 0);
	without_tproxy = false;
}

/* A port that the kernel picks is never the one that is called: no connection meets itself. */
static void not_oneself(void)
{
	int fds[N_FDS], client;
	union address a;
	socklen_t len = sizeof(a);
	set_up(NULL, 0, false, fds);
	CHECK(tcp("198.18.7.7", 40000, &client) == 0);
	CHECK(getsockname(client, &a.any, &len) == 0);
	CHECK(a.v4.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	/* a listener of the agent's own gets nothing that is for the relay */
	int own = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	len = address(&a, "0.0.0.0", 4443);
	CHECK(bind(own, &a.any, len) == 0 && listen(own, 8) == 0);
	CHECK(tcp("198.18.7.7", 4443, NULL) == 0);
	CHECK(accept(own, NULL, NULL) < 0 && errno == EAGAIN);
	CHECK(accepted_from(fds[NETNS_FD_TCP4], "198.18.7.7") == 40000);
	CHECK(accepted_from(fds[NETNS_FD_TCP4], "198.18.7.7") == 4443);
}

static void test_not_oneself(void **state)
{
	(void)state;
	assert_int_equal(in_child(not_oneself), 0);
}

/* A refused packet comes to the log socket at once; the proof's own do not. */
static void nflog(void)
{
	int fds[N_FDS];
	char buf[4096];
	set_up(NULL, 0, false, fds);
	CHECK(recv(fds[NETNS_FD_NFLOG], buf, sizeof(buf), 0) < 0 && errno == EAGAIN);
	CHECK(udp("203.0.113.9", 4444) == EPERM);
	ssize_t n = recv(fds[NETNS_FD_NFLOG], buf, sizeof(buf), 0);
	static const uint8_t target[] = {203, 0, 113, 9};
	CHECK(n > 0 && memmem(buf, (size_t)n, target, sizeof(target)));
	/* A flood is refused whole and logged in part. */
	for (int i = 0; i < 1000; i++)
		CHECK(udp("203.0.113.9", 4444) == EPERM);
	int logged = 0;
	while (recv(fds[NETNS_FD_NFLOG], buf, sizeof(buf), 0) > 0)
		logged++;
	CHECK(logged > 20 && logged < 300);
}

static void test_nflog(void **state)
{
	(void)state;
	assert_int_equal(in_child(nflog), 0);
}

static void sysctls(void)
{
	int fds[N_FDS];
	char buf[16] = "";
	without_tproxy = true; /* as connections are tracked only then */
	set_up(NULL, 0, false, fds);
	int fd = open("/proc/sys/net/ipv4/tcp_tw_reuse", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, buf, sizeof(buf)) > 0 && buf[0] == '1');
	fd = open(
		"/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, buf, sizeof(buf)) > 0 && buf[0] == '1');
	/* an established flow may be idle for an hour and more */
	fd = open("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established",
		O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, buf, sizeof(buf)) > 0 && atoi(buf) >= 3600);
}

static void test_sysctls(void **state)
{
	(void)state;
	assert_int_equal(in_child(sysctls), 0);
}

/* ---- the oracle ---- */

static const char wanted_ruleset[] =
	"table inet bawn {\n"
	"	set addr4 {\n"
	"		type ipv4_addr . inet_service\n"
	"		size 1\n"
	"		elements = { 93.184.216.34 . 443 }\n"
	"	}\n"
	"\n"
	"	set net4 {\n"
	"		type ipv4_addr . inet_service\n"
	"		flags interval\n"
	"		elements = { 10.0.0.0/8 . 22 }\n"
	"	}\n"
	"\n"
	"	set addr6 {\n"
	"		type ipv6_addr . inet_service\n"
	"		size 1\n"
	"		elements = { 2606:4700:4700::1111 . 853 }\n"
	"	}\n"
	"\n"
	"	chain relay {\n"
	"		type filter hook prerouting priority mangle; policy accept;\n"
	"		ip daddr 127.0.0.0/8 accept\n"
	"		ip6 daddr ::1 accept\n"
	"		ip6 daddr fd62:6177:6e00::1 accept\n"
	"		ip daddr 198.18.0.0/15 meta l4proto tcp tproxy to :1\n"
	"		ip daddr . tcp dport @addr4 tproxy to :1\n"
	"		ip daddr . tcp dport @net4 tproxy to :1\n"
	"		ip6 daddr . tcp dport @addr6 tproxy to :1\n"
	"	}\n"
	"\n"
	"	chain refuse {\n"
	"		limit rate 20/second burst 100 packets log group 1 snaplen 96\n"
	"		meta l4proto tcp counter packets 1 bytes 60 reject with tcp reset\n"
	"		counter packets 1 bytes 29 reject with icmpx admin-prohibited\n"
	"	}\n"
	"\n"
	"	chain loopback {\n"
	"		tcp dport 1 goto refuse\n"
	"		accept\n"
	"	}\n"
	"\n"
	"	chain out {\n"
	"		type filter hook output priority filter; policy drop;\n"
	"		tcp flags != syn / syn,ack accept\n"
	"		icmp type destination-unreachable accept\n"
	"		icmpv6 type destination-unreachable accept\n"
	"		ip daddr 127.0.0.0/8 goto loopback\n"
	"		ip6 daddr ::1 goto loopback\n"
	"		ip6 daddr fd62:6177:6e00::1 goto loopback\n"
	"		ip daddr 198.18.0.0/15 meta l4proto tcp accept\n"
	"		ip daddr . tcp dport @addr4 accept\n"
	"		ip daddr . tcp dport @net4 accept\n"
	"		ip6 daddr . tcp dport @addr6 accept\n"
	"		goto refuse\n"
	"	}\n"
	"}\n";

static const char *nft_path(void)
{
	return access("/usr/sbin/nft", X_OK) == 0 ? "/usr/sbin/nft" : "/sbin/nft";
}

static void oracle(void)
{
	int fds[N_FDS];
	char cmd[128], got[8192];
	set_up(rules, n_rules, false, fds);
	snprintf(cmd, sizeof(cmd), "%s list ruleset", nft_path());
	FILE *f = popen(cmd, "re");
	CHECK(f);
	size_t n = fread(got, 1, sizeof(got) - 1, f);
	got[n] = 0;
	CHECK(pclose(f) == 0);
	if (!streq(got, wanted_ruleset)) {
		fprintf(stderr, "%s", got);
		_exit(1);
	}
}

static void test_oracle(void **state)
{
	(void)state;
	if (access(nft_path(), X_OK) < 0)
		skip();
	n_rules = 0;
	rules[n_rules++] = cidr("93.184.216.34", 32, 443);
	rules[n_rules++] = cidr("10.0.0.0", 8, 22);
	rules[n_rules++] = cidr("2606:4700:4700::1111", 128, 853);
	assert_int_equal(in_child(oracle), 0);
}

/* ---- without namespaces ---- */

static void test_flatten(void **state)
{
	(void)state;
	struct err err = {0};
	struct literal *l;
	size_t n;
	struct net_cidr c[] = {
		cidr("10.0.0.1", 8, 443),   /* host bits */
		cidr("10.2.0.0", 16, 443),  /* inside the first */
		cidr("10.2.3.4", 32, 443),  /* likewise */
		cidr("10.2.3.4", 32, 80),   /* another port */
		cidr("10.2.3.4", 32, 80),   /* twice */
		cidr("127.0.0.1", 32, 443), /* the sandbox's own */
		cidr("127.1.0.0", 16, 443), /* likewise */
		cidr("::1", 128, 443),      /* likewise */
		cidr("2001:db8::ffff", 64, 443),
	};
	assert_int_equal(literals_flatten(c, ARRAY_LEN(c), &l, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_true(l[0].set == LITERAL_ADDR4 && l[0].port == 80 && l[0].first[3] == 4);
	static const uint8_t first[] = {10, 0, 0, 0}, last[] = {10, 255, 255, 255};
	assert_true(l[1].set == LITERAL_NET4 && l[1].port == 443);
	assert_memory_equal(l[1].first, first, 4);
	assert_memory_equal(l[1].last, last, 4);
	assert_true(l[2].set == LITERAL_NET6 && l[2].bits == 64 && l[2].first[15] == 0 &&
		l[2].last[15] == 0xff);
	free(l);
	assert_int_equal(literals_flatten(NULL, 0, &l, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_null(l);
}

static void test_flatten_bad(void **state)
{
	(void)state;
	struct err err = {0};
	struct literal *l = NULL;
	size_t n = 0;
	struct net_cidr c = cidr("10.0.0.0", 8, 443);
	c.bits = 129;
	assert_int_equal(literals_flatten(&c, 1, &l, &n, &err), -EINVAL);
	c.bits = 128;
	c.n_ports = 0;
	assert_int_equal(literals_flatten(&c, 1, &l, &n, &err), -EINVAL);
	c.n_ports = NET_CIDR_PORTS + 1;
	assert_int_equal(literals_flatten(&c, 1, &l, &n, &err), -EINVAL);
	struct net_cidr *many = calloc(65537, sizeof(*many));
	assert_non_null(many);
	for (size_t i = 0; i < 65537; i++)
		many[i] = cidr("10.0.0.0", 32, 443);
	assert_int_equal(literals_flatten(many, 65537, &l, &n, &err), -E2BIG);
	free(many);
	assert_null(l);
}

static void many_literals(void)
{
	int fds[N_FDS];
	enum { N = 5000 };
	struct net_cidr *many = calloc(N, sizeof(*many));
	CHECK(many);
	for (unsigned i = 0; i < N; i++) {
		char ip[32];
		snprintf(ip, sizeof(ip), "20.%u.%u.7", i / 256, i % 256);
		many[i] = cidr(ip, 32, 443);
	}
	set_up(many, N, false, fds);
	/* Past the cost limit the relay gets all TCP, and the supervisor decides. */
	CHECK(tcp("20.1.1.7", 443, NULL) == 0);
	CHECK(accepted_from(fds[NETNS_FD_TCP4], "20.1.1.7") == 443);
	CHECK(tcp("21.1.1.7", 443, NULL) == 0);
	CHECK(accepted_from(fds[NETNS_FD_TCP4], "21.1.1.7") == 443);
	CHECK(udp("20.1.1.7", 443) == EPERM);
	CHECK(tcp("127.0.0.1", 1, NULL) == ECONNREFUSED);
	CHECK(tcp("127.0.0.1", 8080, NULL) == 0);
}

static void test_many(void **state)
{
	(void)state;
	assert_int_equal(in_child(many_literals), 0);
}

static void full_sets(void)
{
	int fds[N_FDS];
	struct net_cidr some[260];
	for (unsigned i = 0; i < ARRAY_LEN(some); i++) {
		char ip[32];
		snprintf(ip, sizeof(ip), "20.%u.%u.7", i / 256, i % 256);
		some[i] = i < 230 ? cidr(ip, 32, 443) : cidr(ip, 24, 443);
	}
	set_up(some, ARRAY_LEN(some), false, fds);
	CHECK(tcp("20.0.229.7", 443, NULL) == 0 && tcp("20.1.3.9", 443, NULL) == 0);
	CHECK(tcp("20.0.229.8", 443, NULL) == ECONNREFUSED);
}

static void test_full_sets(void **state)
{
	(void)state;
	assert_int_equal(in_child(full_sets), 0);
}

static void bad_batches(void)
{
	struct err err = {0};
	struct net_build b = {0};
	void *nft, *rtnl;
	size_t nft_n, rtnl_n;
	CHECK(net_build_nft(&b, &nft, &nft_n, &err) == 0);
	CHECK(net_build_rtnl(&b, &rtnl, &rtnl_n, &err) == 0);
	own_namespaces(CLONE_NEWNET, 0);
	CHECK(net_apply_rtnl(rtnl, rtnl_n - 4, &err) == -EBADMSG);
	CHECK(net_apply_nft(nft, nft_n - 4, &err) == -EBADMSG);
	CHECK(net_apply_nft(nft, 0, &err) == -EBADMSG);
	CHECK(net_apply_rtnl("", 0, &err) == -EBADMSG);
	CHECK(net_apply_rtnl(rtnl, rtnl_n, &err) == 0);
	/* A second time the routes are there already: an error is never lost. */
	CHECK(net_apply_rtnl(rtnl, rtnl_n, &err) == -EEXIST);
	CHECK(strstr(err.msg, "lo and its routes"));
	/* A transaction with a broken message is refused whole. */
	char *broken = malloc(nft_n);
	CHECK(broken);
	memcpy(broken, nft, nft_n);
	spoil(broken, nft_n, "tproxy");
	spoil(broken, nft_n, "redir");
	CHECK(net_apply_nft(broken, nft_n, &err) < 0);
	CHECK(strstr(err.msg, "nftables rules") && *err.hint);
	CHECK(net_prove(&err) == -ENOTRECOVERABLE);
	CHECK(net_apply_nft(nft, nft_n, &err) == 0 && net_prove(&err) == 0);
}

static void test_bad_batches(void **state)
{
	(void)state;
	assert_int_equal(in_child(bad_batches), 0);
}

/* What the heap held before is not in the batches: a pack made again has the same bytes. */
static void test_same_bytes(void **state)
{
	static const struct net_cidr cidr = {.bits = 128, .ports = {443}, .n_ports = 1};
	struct net_build b = {.allow = &cidr, .n_allow = 1};
	struct err err = {0};
	void *nft[2], *rtnl[2];
	size_t nft_n[2], rtnl_n[2];
	(void)state;
	for (int i = 0; i < 2; i++) {
		mallopt(M_PERTURB, 0x5a + i);
		assert_int_equal(net_build_nft(&b, &nft[i], &nft_n[i], &err), 0);
		assert_int_equal(net_build_rtnl(&b, &rtnl[i], &rtnl_n[i], &err), 0);
	}
	mallopt(M_PERTURB, 0);
	assert_int_equal(nft_n[0], nft_n[1]);
	assert_memory_equal(nft[0], nft[1], nft_n[0]);
	assert_int_equal(rtnl_n[0], rtnl_n[1]);
	assert_memory_equal(rtnl[0], rtnl[1], rtnl_n[0]);
	for (int i = 0; i < 2; i++) {
		free(nft[i]);
		free(rtnl[i]);
	}
}

static void listeners_busy(void)
{
	int fds[N_FDS];
	struct err err = {0};
	struct net_build b = {0};
	void *rtnl;
	size_t rtnl_n;
	static const uint16_t twice[] = {8080, 8080};
	CHECK(net_build_rtnl(&b, &rtnl, &rtnl_n, &err) == 0);
	own_namespaces(CLONE_NEWNET, 0);
	CHECK(net_apply_rtnl(rtnl, rtnl_n, &err) == 0);
	fds[0] = -7;
	CHECK(net_listeners(twice, 2, fds, &err) == -EADDRINUSE);
	CHECK(fds[0] == -7 && strstr(err.msg, "8080"));
	uint16_t many[17] = {0};
	CHECK(net_listeners(many, 17, fds, &err) == -E2BIG);
	CHECK(net_listeners(twice, 1, fds, &err) == 0);
	for (int i = 0; i < NETNS_FD_HOST_PORTS + 1; i++)
		CHECK((fcntl(fds[i], F_GETFD) & FD_CLOEXEC) &&
			(fcntl(fds[i], F_GETFL) & O_NONBLOCK));
}

static void test_listeners_busy(void **state)
{
	(void)state;
	assert_int_equal(in_child(listeners_busy), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_only),
		cmocka_unit_test(test_conversation),
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_offline),
		cmocka_unit_test(test_tracked),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_not_oneself),
		cmocka_unit_test(test_nflog),
		cmocka_unit_test(test_sysctls),
		cmocka_unit_test(test_oracle),
		cmocka_unit_test(test_flatten),
		cmocka_unit_test(test_flatten_bad),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_full_sets),
		cmocka_unit_test(test_bad_batches),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_listeners_busy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
