/* net/apply.c - sending prebuilt netlink requests, and the namespace's sysctls; see apply.h.
 *
 * Owns: the netlink sockets while it sends.  Must not: build requests, or know what they say.
 *
 * Theory of operation.  Both rtnetlink and nf_tables handle a request inside sendmsg(2): when it
 * returns, the answers are in the socket's queue, so they are read without ever waiting.  An
 * rtnetlink batch asks for an answer to each message.  An nftables transaction asks for one answer,
 * to its last message, and gets more only for messages that failed; transactions stay below the
 * default send buffer, because raising it takes a capability over the host's user namespace.
 */
#include "net/apply.h"

#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/netns.h"

static int netlink_open(int protocol, struct err *err)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0) {
		int e = errno;
		err_hint(err, "the kernel needs %s; see: bawn doctor",
			protocol == NETLINK_NETFILTER ? "CONFIG_NF_TABLES" : "CONFIG_NET");
		return err_sys(err, e, "open a netlink socket");
	}
	/* Answers without a copy of the request in them. */
	int one = 1;
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	return fd;
}

static int netlink_send(int fd, const void *data, size_t n, struct err *err)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t k = sendto(fd, data, n, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	if (k < 0)
		return err_sys(err, errno, "send a netlink request");
	return (size_t)k == n ? 0 : err_set(err, EMSGSIZE, "a netlink request was cut");
}

/* The message of the batch with this sequence number, or NULL. */
static const struct nlmsghdr *find_seq(const char *p, size_t n, uint32_t seq)
{
	while (n >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const void *)p;
		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > n)
			return NULL;
		if (h->nlmsg_seq == seq)
			return h;
		size_t step = MIN((size_t)NLMSG_ALIGN(h->nlmsg_len), n);
		p += step;
		n -= step;
	}
	return NULL;
}

struct answers {
	const char *batch;
	size_t batch_n;
	size_t ok;
	/* true: this failure doesn't count */
	bool (*tolerate)(const struct nlmsghdr *request, int error);
};

static int read_answer(struct answers *a, const struct nlmsghdr *h, struct err *err)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)))
		return err_set(err, EBADMSG, "unexpected netlink answer %u", h->nlmsg_type);
	if (e->error == 0) {
		a->ok++;
		return 0;
	}
	const struct nlmsghdr *request = find_seq(a->batch, a->batch_n, h->nlmsg_seq);
	if (request && a->tolerate && a->tolerate(request, -e->error)) {
		a->ok++;
		return 0;
	}
	return err_sys(err, -e->error, "netlink request %u (type 0x%x)", h->nlmsg_seq,
		request ? request->nlmsg_type : 0u);
}

/* Read all that is queued, so that nothing is left for who asks next; the first failure wins. */
static int read_answers(int fd, struct answers *a, struct err *err)
{
	_Alignas(struct nlmsghdr) char buf[8192];
	int first = 0;
	for (;;) {
		ssize_t k = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && (errno == EAGAIN || first < 0))
			return first;
		if (k < 0)
			return err_sys(err, errno, "read netlink answers");
		size_t n = (size_t)k;
		for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			int r = read_answer(a, h, first < 0 ? NULL : err);
			first = first < 0 ? first : r;
		}
	}
}

/* A machine without IPv6 has nothing that could leave by it. */
static bool no_ipv6(const struct nlmsghdr *request, int error)
{
	const struct rtgenmsg *g = NLMSG_DATA(request);
	return request->nlmsg_len >= NLMSG_LENGTH(sizeof(*g)) && g->rtgen_family == AF_INET6 &&
		(error == EAFNOSUPPORT || error == EOPNOTSUPP || error == EACCES ||
			error == ENODEV || error == EPFNOSUPPORT);
}

static size_t count_messages(const char *p, size_t n)
{
	size_t count = 0;
	while (n >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const void *)p;
		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > n)
			return 0;
		size_t step = MIN((size_t)NLMSG_ALIGN(h->nlmsg_len), n);
		p += step;
		n -= step;
		count++;
	}
	return n ? 0 : count;
}

int net_apply_rtnl(const void *batch, size_t n, struct err *err)
{
	size_t want = count_messages(batch, n);
	if (want == 0)
		return err_set(err, EBADMSG, "the rtnetlink batch is malformed");
	_cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, err);
	if (fd < 0)
		return fd;
	struct answers a = {.batch = batch, .batch_n = n, .tolerate = no_ipv6};
	int r = netlink_send(fd, batch, n, err);
	if (r == 0)
		r = read_answers(fd, &a, err);
	if (r == 0 && a.ok != want)
		r = err_set(err, EPROTO, "%zu of %zu rtnetlink requests were answered", a.ok, want);
	return r < 0 ? err_prefix(err, "set up lo and its routes") : 0;
}

/* The bytes up to the end of the first transaction, 0 where there is none. */
static size_t transaction(const char *p, size_t n)
{
	size_t at = 0;
	while (n - at >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const void *)(p + at);
		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > n - at)
			return 0;
		at += MIN((size_t)NLMSG_ALIGN(h->nlmsg_len), n - at);
		if (h->nlmsg_type == NFNL_MSG_BATCH_END)
			return at;
	}
	return 0;
}

static int send_transaction(int fd, const void *batch, size_t n, struct err *err)
{
	struct answers a = {.batch = batch, .batch_n = n};
	int r = netlink_send(fd, batch, n, err);
	if (r == 0)
		r = read_answers(fd, &a, err);
	if (r == 0 && a.ok == 0)
		r = err_set(err, EPROTO, "the kernel did not answer");
	return r;
}

/* What a kernel says that lacks an expression. */
static bool is_lacking(int r)
{
	return r == -ENOENT || r == -EOPNOTSUPP || r == -EAFNOSUPPORT;
}

int net_apply_nft(const void *batch, size_t n, struct err *err)
{
	const char *p = batch;
	size_t first = count_messages(p, n) ? transaction(p, n) : 0;
	if (first == 0)
		return err_set(err, EBADMSG, "the nftables batch is malformed");
	_cleanup_close_ int fd = netlink_open(NETLINK_NETFILTER, err);
	if (fd < 0)
		return fd;
	int r = send_transaction(fd, p, first, err);
	if (is_lacking(r) && first < n) {
		r = send_transaction(fd, p + first, n - first, err);
		r = r == 0 ? 1 : r;
	}
	if (r < 0) {
		err_hint(err,
			"the kernel needs nf_tables with tproxy (or nat and redirect), reject, "
			"limit and log; see: bawn doctor");
		return err_prefix(err, "load the nftables rules");
	}
	return r;
}

/* "delete table": the first message of the transaction, so that the rest is as if there were none.
 */
struct delete_table {
	struct nlmsghdr h;
	struct nfgenmsg g;
	struct nlattr a;
	char name[NLMSG_ALIGN(sizeof(NETNS_TABLE))];
};

int net_replace_nft(const void *batch, size_t n, struct err *err)
{
	struct delete_table d = {.h = {.nlmsg_len = sizeof(d),
					 .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE,
					 .nlmsg_flags = NLM_F_REQUEST,
					 .nlmsg_seq = UINT32_MAX},
		.g = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0},
		.a = {.nla_len = sizeof(d.a) + sizeof(NETNS_TABLE), .nla_type = NFTA_TABLE_NAME},
		.name = NETNS_TABLE};
	const char *p = batch;
	_cleanup_free_ char *all = malloc(n + 2 * sizeof(d));
	size_t at = 0, len;
	if (!all)
		return err_set(err, ENOMEM, "out of memory");
	for (unsigned i = 0; i < 2 && n > 0; i++, p += len, n -= len) {
		const struct nlmsghdr *begin = (const void *)p;
		len = transaction(p, n);
		if (len == 0 || begin->nlmsg_type != NFNL_MSG_BATCH_BEGIN)
			return err_set(err, EBADMSG, "the nftables batch is malformed");
		size_t head = NLMSG_ALIGN(begin->nlmsg_len);
		memcpy(all + at, p, head);
		memcpy(all + at + head, &d, sizeof(d));
		memcpy(all + at + head + sizeof(d), p + head, len - head);
		at += len + sizeof(d);
	}
	return net_apply_nft(all, at, err);
}

/* Where a row is optional, the kernel may lack the file or refuse the value; no promise depends on
 * it. */
static const struct {
	const char *path, *value;
	bool optional, tracked; /* tracked: only where connections are */
} sysctls[] = {
	/* A client that closes first leaves its port in TIME_WAIT: without reuse, connections to
	 * one name end after 28,232 of them, and the conntrack table fills. */
	{"sys/net/ipv4/tcp_tw_reuse", "1", false, false},
	{"sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait", "1", true, true},
	/* Datagrams stay on loopback, where every one is accepted on its own merits: a flood of DNS
	 * questions must not fill the conntrack table.  Established TCP keeps the kernel's five
	 * days: an agent may be silent for hours. */
	{"sys/net/netfilter/nf_conntrack_udp_timeout", "2", true, true},
	/* Every hop in here is loopback, where pacing (BBR, where the host prefers it) only costs.
	 */
	{"sys/net/ipv4/tcp_congestion_control", "reno", true, false},
	/* A web server inside listens where it is used to, as in a container.  The relay's own port
	 * and the resolver's stay beyond the agent. */
	{"sys/net/ipv4/ip_unprivileged_port_start", "80", true, false},
};

int net_sysctls_at(int proc_fd, bool tracked, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(sysctls); i++) {
		if (sysctls[i].tracked && !tracked)
			continue;
		_cleanup_close_ int fd = openat(proc_fd, sysctls[i].path, O_WRONLY | O_CLOEXEC);
		size_t n = strlen(sysctls[i].value);
		bool set = fd >= 0 && write(fd, sysctls[i].value, n) == (ssize_t)n;
		if (!set && !sysctls[i].optional && errno == EROFS)
			err_hint(err,
				"/proc/sys is read-only, as in a container: start that with "
				"--security-opt systempaths=unconfined (docker) or "
				"--security-opt unmask=ALL (podman)");
		if (!set && !sysctls[i].optional)
			return err_sys(err, errno, "write /proc/%s", sysctls[i].path);
	}
	return 0;
}

int net_sysctls(bool tracked, struct err *err)
{
	_cleanup_close_ int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "open /proc");
	return net_sysctls_at(fd, tracked, err);
}
