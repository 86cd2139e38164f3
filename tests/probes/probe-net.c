/* probe-net.c - classes NET and DNS, the kernel's side */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "probe.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t parse(union address *a, const char *ip, const char *port)
{
	memset(a, 0, sizeof(*a));
	in_port_t p = htons((uint16_t)atoi(port));
	if (inet_pton(AF_INET, ip, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = p;
		return sizeof(a->v4);
	}
	if (inet_pton(AF_INET6, ip, &a->v6.sin6_addr) == 1) {
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = p;
		return sizeof(a->v6);
	}
	return 0;
}

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int connect_fd(int fd, const union address *a, socklen_t len)
{
	int64_t start = now_us();
	fcntl(fd, F_SETFL, O_NONBLOCK);
	int e = connect(fd, &a->any, len) < 0 ? errno : 0;
	if (e == EINPROGRESS) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		socklen_t n = sizeof(e);
		e = poll(&p, 1, 5000) == 1 ? 0 : ETIMEDOUT;
		if (e == 0)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n);
	}
	probe_say("after %lld us", (long long)(now_us() - start));
	return e;
}

static int tcp_to(const char *ip, const char *port)
{
	union address a;
	socklen_t len = parse(&a, ip, port);
	int fd = len ? socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	if (fd < 0)
		return len ? errno : EINVAL;
	int e = connect_fd(fd, &a, len);
	close(fd);
	return e;
}

static int udp_to(const char *ip, const char *port)
{
	union address a;
	socklen_t len = parse(&a, ip, port);
	int fd = len ? socket(a.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	if (fd < 0)
		return len ? errno : EINVAL;
	int64_t start = now_us();
	int e = connect(fd, &a.any, len) < 0 || send(fd, "x", 1, 0) < 0 ? errno : 0;
	probe_say("after %lld us", (long long)(now_us() - start));
	close(fd);
	return e;
}

static int tcp(const struct probe *p, char **argv)
{
	(void)p;
	return tcp_to(argv[0], argv[1]);
}

static int udp(const struct probe *p, char **argv)
{
	(void)p;
	return udp_to(argv[0], argv[1]);
}

/* path: "ADDRESS PORT" */
static int fixed(const struct probe *p, int (*to)(const char *ip, const char *port))
{
	char ip[64];
	const char *space = strchr(p->path, ' ');
	snprintf(ip, sizeof(ip), "%.*s", (int)(space - p->path), p->path);
	return to(ip, space + 1);
}

static int tcp_fixed(const struct probe *p, char **argv)
{
	(void)argv;
	return fixed(p, tcp_to);
}

static int udp_fixed(const struct probe *p, char **argv)
{
	(void)argv;
	return fixed(p, udp_to);
}

/* Datagrams in every other way there is: unconnected, by sendmmsg, from a bound address. */
static int udp_variants(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	union address a, from;
	socklen_t len = parse(&a, "8.8.8.8", "53"), from_len;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (sendto(fd, "x", 1, 0, &a.any, len) == 1) {
		probe_say("sendto");
		return 0;
	}
	struct iovec iov = {.iov_base = (char[]){"x"}, .iov_len = 1};
	struct mmsghdr m = {
		.msg_hdr = {.msg_name = &a, .msg_namelen = len, .msg_iov = &iov, .msg_iovlen = 1}};
	if (sendmmsg(fd, &m, 1, 0) == 1) {
		probe_say("sendmmsg");
		return 0;
	}
	int e = errno;
	close(fd);
	/* AnyIP makes every address one of ours to send from. */
	static const char *const sources[] = {"127.0.0.1", "198.18.0.9", "8.8.8.8", "192.168.1.1"};
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		from_len = parse(&from, sources[i], "0");
		if (fd >= 0 && bind(fd, &from.any, from_len) == 0 &&
			sendto(fd, "x", 1, 0, &a.any, len) == 1) {
			probe_say("from %s", sources[i]);
			return 0;
		}
		close(fd);
	}
	return e;
}

/* arg: family, type, protocol */
static int open_socket(const struct probe *p, char **argv)
{
	(void)argv;
	long fd = syscall(SYS_socket, p->arg[0], p->arg[1], p->arg[2]);
	int e = result(fd);
	if (fd >= 0)
		close((int)fd);
	return e;
}

/* Every family but the four that are allowed, each with the usual types. */
static int families(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	for (int f = 0; f < 64; f++) {
		if (f == AF_UNIX || f == AF_INET || f == AF_INET6 || f == AF_NETLINK)
			continue;
		for (int type = SOCK_STREAM; type <= SOCK_PACKET; type++)
			for (int proto = 0; proto < 4; proto++) {
				int fd = socket(f, type, proto);
				if (fd < 0 && errno == EAFNOSUPPORT)
					continue;
				probe_say("family %d type %d protocol %d: %s", f, type, proto,
					fd < 0 ? strerrorname_np(errno) : "open");
				return 0;
			}
	}
	return EAFNOSUPPORT;
}

/* Every netlink protocol but ROUTE. */
static int netlinks(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	for (int proto = 1; proto < 32; proto++) {
		int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, proto);
		if (fd < 0 && errno == (proto == NETLINK_AUDIT ? EPROTONOSUPPORT : EPERM))
			continue;
		probe_say("protocol %d: %s", proto, fd < 0 ? strerrorname_np(errno) : "open");
		return 0;
	}
	return EPERM;
}

/* Every type and protocol of the internet families but TCP and UDP. */
static int inet_protocols(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	for (int type = 0; type < 16; type++)
		for (int proto = 0; proto < 300; proto++) {
			bool ok = (type == SOCK_STREAM && (proto == 0 || proto == IPPROTO_TCP)) ||
				(type == SOCK_DGRAM && (proto == 0 || proto == IPPROTO_UDP));
			for (int v6 = 0; v6 < 2 && !ok; v6++) {
				int fd = socket(v6 ? AF_INET6 : AF_INET, type, proto);
				/* MPTCP, DCCP, SCTP, UDP-Lite: as of a kernel without them */
				bool other = proto == 262 || proto == 33 || proto == 132 ||
					proto == 136;
				if (fd < 0 && errno == (other ? EPROTONOSUPPORT : EPERM))
					continue;
				probe_say("v%d type %d protocol %d: %s", v6 ? 6 : 4, type, proto,
					fd < 0 ? strerrorname_np(errno) : "open");
				return 0;
			}
		}
	return EPERM;
}

/* arg: level, option */
static int set_option(const struct probe *p, char **argv)
{
	(void)argv;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	if (fd < 0)
		return errno;
	int e = result(setsockopt(fd, (int)p->arg[0], (int)p->arg[1], &one, sizeof(one)));
	close(fd);
	return e;
}

/* Unprivileged, but must change nothing. */
static int bind_device(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	union address a;
	socklen_t len = parse(&a, "1.1.1.1", "443");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) < 0)
		return errno;
	int e = connect_fd(fd, &a, len);
	close(fd);
	return e;
}

static int bind_port(const struct probe *p, char **argv)
{
	(void)p;
	union address a;
	socklen_t len = parse(&a, "127.0.0.1", argv[0]);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	int e = result(bind(fd, &a.any, len));
	close(fd);
	return e;
}

#define TCP(n, id_, where)                                                                         \
	{                                                                                          \
		.name = n, .id = id_, .run = tcp_fixed, .path = where                              \
	}
#define UDP(n, id_, where)                                                                         \
	{                                                                                          \
		.name = n, .id = id_, .run = udp_fixed, .path = where                              \
	}
#define SOCKET(n, id_, ...)                                                                        \
	{                                                                                          \
		.name = n, .id = id_, .run = open_socket, .arg = { __VA_ARGS__ }                   \
	}

const struct probe probes_net[] = {
	{"tcp", "NET-01", "ADDRESS PORT", .run = tcp},
	{"udp", "NET-04", "ADDRESS PORT", .run = udp},
	TCP("tcp4-literal", "NET-01", "1.1.1.1 443"),
	TCP("tcp6-literal", "NET-03", "2606:4700:4700::1111 443"),
	TCP("tcp-v4-mapped", "NET-03", "::ffff:1.1.1.1 443"),
	TCP("tcp-nat64", "NET-03", "64:ff9b::101:101 443"),
	TCP("tcp-6to4", "NET-03", "2002:101:101::1 443"),
	TCP("tcp-teredo", "NET-03", "2001:0:101:101::1 443"),
	TCP("tcp-lan", "NET-08", "192.168.1.1 80"),
	TCP("tcp-slirp", "NET-08", "10.0.2.2 22"),
	TCP("tcp-metadata", "NET-09", "169.254.169.254 80"),
	TCP("tcp-metadata6", "NET-09", "fd00:ec2::254 80"),
	TCP("tcp-alibaba", "NET-09", "100.100.100.200 80"),
	TCP("tcp-azure", "NET-09", "168.63.129.16 80"),
	TCP("tcp-dns", "DNS-04", "8.8.8.8 53"),
	TCP("tcp-dot", "DNS-04", "1.1.1.1 853"),
	TCP("relay-port", "NET-06", "127.0.0.1 1"),
	TCP("relay-port6", "NET-06", "::1 1"),
	TCP("relay-port-any", "NET-06", "0.0.0.0 1"),
	TCP("relay-port-alias", "NET-06", "127.0.0.2 1"),
	UDP("udp-dns", "NET-04", "8.8.8.8 53"),
	UDP("udp-ntp", "NET-04", "1.1.1.1 123"),
	UDP("udp-quic", "NET-04", "1.1.1.1 443"),
	UDP("udp-stun", "NET-04", "1.1.1.1 3478"),
	UDP("udp-synthetic", "NET-04", "198.18.0.1 443"),
	UDP("udp6", "NET-04", "2606:4700:4700::1111 443"),
	UDP("udp-multicast", "NET-04", "224.0.0.251 5353"),
	{"udp-variants", "NET-04", .run = udp_variants},
	SOCKET("ping", "NET-05", AF_INET, SOCK_DGRAM, IPPROTO_ICMP),
	SOCKET("ping6", "NET-05", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6),
	SOCKET("raw-icmp", "NET-05", AF_INET, SOCK_RAW, IPPROTO_ICMP),
	SOCKET("raw6-icmp", "NET-05", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6),
	SOCKET("raw-tcp", "NET-11", AF_INET, SOCK_RAW, IPPROTO_TCP),
	SOCKET("raw-high", "NET-11", AF_INET | 1L << 32, SOCK_RAW, IPPROTO_TCP),
	SOCKET("packet", "NET-11", AF_PACKET, SOCK_RAW, 0x300),
	SOCKET("xdp", "NET-11", AF_XDP, SOCK_RAW, 0),
	SOCKET("inet-packet", "NET-11", AF_INET, SOCK_PACKET, 0x300),
	SOCKET("vsock", "NET-12", AF_VSOCK, SOCK_STREAM, 0),
	SOCKET("vsock-high", "NET-12", AF_VSOCK | 1L << 32, SOCK_STREAM, 0),
	SOCKET("alg", "NET-13", AF_ALG, SOCK_SEQPACKET, 0),
	SOCKET("bluetooth", "NET-13", AF_BLUETOOTH, SOCK_RAW, 1),
	SOCKET("tipc", "NET-13", AF_TIPC, SOCK_SEQPACKET, 0),
	SOCKET("rds", "NET-13", AF_RDS, SOCK_SEQPACKET, 0),
	SOCKET("smc", "NET-13", AF_SMC, SOCK_STREAM, 0),
	SOCKET("kcm", "NET-13", AF_KCM, SOCK_DGRAM, 0),
	SOCKET("can", "NET-13", AF_CAN, SOCK_RAW, 1),
	SOCKET("qipcrtr", "NET-13", AF_QIPCRTR, SOCK_DGRAM, 0),
	SOCKET("key", "NET-13", AF_KEY, SOCK_RAW, 2),
	SOCKET("mptcp", "NET-13", AF_INET, SOCK_STREAM, 262),
	SOCKET("sctp", "NET-13", AF_INET, SOCK_STREAM, IPPROTO_SCTP),
	SOCKET("udplite", "NET-13", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE),
	{"families", "NET-13", .run = families},
	{"inet-protocols", "NET-13", .run = inet_protocols},
	SOCKET("netlink-netfilter", "NET-18", AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER),
	SOCKET("netlink-xfrm", "NET-18", AF_NETLINK, SOCK_RAW, NETLINK_XFRM),
	SOCKET("netlink-audit", "NET-18", AF_NETLINK, SOCK_RAW, NETLINK_AUDIT),
	SOCKET("netlink-uevent", "NET-18", AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT),
	SOCKET("netlink-generic", "NET-18", AF_NETLINK, SOCK_RAW, NETLINK_GENERIC),
	{"netlinks", "NET-18", .run = netlinks},
	{"so_mark", "NET-10", .run = set_option, .arg = {SOL_SOCKET, SO_MARK}},
	{"ip_transparent", "NET-10", .run = set_option, .arg = {IPPROTO_IP, IP_TRANSPARENT}},
	{"tcp_repair", "NET-10", .run = set_option, .arg = {IPPROTO_TCP, TCP_REPAIR}},
	{"bindtodevice", "NET-10", .run = bind_device},
	{"bind", "NET-19", "PORT", .run = bind_port},
	{0},
};
