/* net/listen.c - the sockets that are handed out of the namespace, and its proof; see apply.h.
 *
 * Owns: the listeners and the NFLOG socket until the caller has them.  Must not: accept or read.
 */
#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "net/apply.h"
#include "net/netns.h"

/* The kernel caps it at net.core.somaxconn (4096). */
#define BACKLOG 4096
/* Enough of a packet for its addresses and ports behind any IPv6 header chain worth reading. */
#define NFLOG_COPY 96
#define HOST_PORTS_MAX 16

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t address(union address *a, int family, const char *ip, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (family == AF_INET) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		inet_pton(AF_INET, ip, &a->v4.sin_addr);
		return sizeof(a->v4);
	}
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(port);
	inet_pton(AF_INET6, ip, &a->v6.sin6_addr);
	return sizeof(a->v6);
}

static int bound(int family, int type, const char *ip, uint16_t port, struct err *err)
{
	_cleanup_close_ int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, errno, "open a socket for %s port %u", ip, port);
	int one = 1;
	union address a;
	socklen_t len = address(&a, family, ip, port);
	if ((family == AF_INET6 &&
		    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0) ||
		(type == SOCK_DGRAM &&
			setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one)) < 0) ||
		bind(fd, &a.any, len) < 0 || (type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
		return err_sys(err, errno, "listen on %s port %u", ip, port);
	return TAKE_FD(fd);
}

/* A listener that tproxy may give connections to.  An accepted one holds the port that was called,
 * on the address that was called, and what it inherits (SO_REUSEADDR) lets servers inside, which
 * set it too, listen on that port of every address all the same. */
static int relay(int family, const char *ip, struct err *err)
{
	_cleanup_close_ int fd = bound(family, SOCK_STREAM, ip, NETNS_RELAY_PORT, err);
	int one = 1;
	if (fd < 0)
		return fd;
	if (setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &one, sizeof(one)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return err_sys(err, errno, "make the relay's listener transparent");
	return TAKE_FD(fd);
}

static int relay6(struct err *err)
{
	int fd = relay(AF_INET6, "::1", err);
	if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL)
		return fd;
	/* No IPv6 in this kernel: nothing will ever come by it. */
	fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return fd < 0 ? err_sys(err, errno, "eventfd") : fd;
}

/* One message binds the group and sets what is copied; sent at once (threshold 1), so that a denial
 * is shown while it is news. */
static int nflog(struct err *err)
{
	struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
		struct nlattr cmd_attr;
		struct nfulnl_msg_config_cmd cmd;
		char pad0[3];
		struct nlattr mode_attr;
		struct nfulnl_msg_config_mode mode;
		char pad1[2];
		struct nlattr thresh_attr;
		uint32_t thresh;
	} m = {
		.h = {.nlmsg_len = sizeof(m),
			.nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.g = {.nfgen_family = AF_UNSPEC, .res_id = htons(NETNS_NFLOG_GROUP)},
		.cmd_attr = {sizeof(struct nlattr) + sizeof(m.cmd), NFULA_CFG_CMD},
		.cmd = {NFULNL_CFG_CMD_BIND},
		.mode_attr = {sizeof(struct nlattr) + sizeof(m.mode), NFULA_CFG_MODE},
		.mode = {.copy_range = htonl(NFLOG_COPY), .copy_mode = NFULNL_COPY_PACKET},
		.thresh_attr = {sizeof(struct nlattr) + sizeof(m.thresh), NFULA_CFG_QTHRESH},
		.thresh = htonl(1),
	};
	_cleanup_close_ int fd = socket(
		AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_NETFILTER);
	struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} answer;
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ||
		sendto(fd, &m, sizeof(m), 0, (struct sockaddr *)&any, sizeof(any)) < 0)
		return err_sys(err, errno, "open the NFLOG socket");
	ssize_t k = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);
	if (k < 0)
		return err_sys(err, errno, "bind the NFLOG group");
	if ((size_t)k < sizeof(answer) || answer.h.nlmsg_type != NLMSG_ERROR)
		return err_set(err, EBADMSG, "bind the NFLOG group: unexpected answer");
	if (answer.e.error) {
		err_hint(err, "the kernel needs CONFIG_NETFILTER_NETLINK_LOG; see: bawn doctor");
		return err_sys(err, -answer.e.error, "bind the NFLOG group");
	}
	return TAKE_FD(fd);
}

static int open_one(size_t i, const uint16_t *host_ports, struct err *err)
{
	switch (i) {
	case NETNS_FD_TCP4:
		return relay(AF_INET, "127.0.0.1", err);
	case NETNS_FD_TCP6:
		return relay6(err);
	case NETNS_FD_DNS_UDP:
		return bound(AF_INET, SOCK_DGRAM, NETNS_DNS_ADDR, 53, err);
	case NETNS_FD_DNS_TCP:
		return bound(AF_INET, SOCK_STREAM, NETNS_DNS_ADDR, 53, err);
	case NETNS_FD_NFLOG:
		return nflog(err);
	default:
		return bound(AF_INET, SOCK_STREAM, "127.0.0.1", host_ports[i - NETNS_FD_HOST_PORTS],
			err);
	}
}

int net_listeners(const uint16_t *host_ports, size_t n, int *ret_fds, struct err *err)
{
	int fds[NETNS_FD_HOST_PORTS + HOST_PORTS_MAX];
	size_t total = NETNS_FD_HOST_PORTS + n;
	if (n > HOST_PORTS_MAX)
		return err_set(err, E2BIG, "more than %d host ports", HOST_PORTS_MAX);
	for (size_t i = 0; i < total; i++) {
		fds[i] = open_one(i, host_ports, err);
		if (fds[i] >= 0)
			continue;
		int r = fds[i];
		while (i--)
			close(fds[i]);
		return r;
	}
	memcpy(ret_fds, fds, total * sizeof(*fds));
	return 0;
}

/* An address for documentation (RFC 5737) and the discard port: no name ever gets it, and nothing
 * would happen if it were sent to. */
static int prove_datagram(struct err *err)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, errno, "socket");
	union address a;
	socklen_t len = address(&a, AF_INET, "192.0.2.1", 9);
	int e = sendto(fd, "", 1, MSG_DONTWAIT, &a.any, len) < 0 ? errno : 0;
	if (e == EPERM || e == ENETUNREACH /* offline: no route either */)
		return 0;
	return err_set(err, ENOTRECOVERABLE, "nftables does not hold: a datagram to 192.0.2.1: %s",
		e ? strerror(e) : "was sent");
}

/* With a listener there, only nftables can refuse this connection. */
static int prove_relay_port(struct err *err)
{
	_cleanup_close_ int listener = bound(
		AF_INET, SOCK_STREAM, "127.0.0.1", NETNS_RELAY_PORT, err);
	if (listener < 0 && listener != -EADDRINUSE)
		return listener;
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, errno, "socket");
	union address a;
	socklen_t len = address(&a, AF_INET, "127.0.0.1", NETNS_RELAY_PORT);
	/* On loopback either answer comes within the call. */
	if (connect(fd, &a.any, len) < 0 && errno == ECONNREFUSED)
		return 0;
	return err_set(err, ENOTRECOVERABLE,
		"nftables does not hold: the relay's port can be reached directly");
}

int net_prove(struct err *err)
{
	int r = 0;
	if (!GUARD_REMOVED("nft-reject"))
		r = prove_datagram(err);
	if (r == 0 && !GUARD_REMOVED("nft-reject") && !GUARD_REMOVED("nft-listener"))
		r = prove_relay_port(err);
	return r;
}
