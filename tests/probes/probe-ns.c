/* probe-ns.c - class NS: namespaces, ids, capabilities, other processes */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/sched.h>
#include <net/if.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "probe.h"

static int unshare_child(void *ctx)
{
	return result(syscall(SYS_unshare, *(const long *)ctx));
}

static int unshare_ns(const struct probe *p, char **argv)
{
	(void)argv;
	long flags = p->arg[0];
	return probe_in_child(unshare_child, &flags);
}

static int clone_ns(const struct probe *p, char **argv)
{
	(void)argv;
	long r = syscall(SYS_clone, p->arg[0] | SIGCHLD, 0, 0, 0, 0);
	if (r == 0)
		_exit(0);
	if (r > 0)
		waitpid((pid_t)r, NULL, 0);
	return result(r);
}

static int clone3_ns(const struct probe *p, char **argv)
{
	(void)argv;
	struct clone_args a = {.flags = (uint64_t)p->arg[0], .exit_signal = SIGCHLD};
	long r = syscall(SYS_clone3, &a, sizeof(a));
	if (r == 0)
		_exit(0);
	if (r > 0)
		waitpid((pid_t)r, NULL, 0);
	return result(r);
}

/* One netlink request; the kernel's answer. */
static int netlink(int protocol, const void *m, size_t n)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return errno;
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[4096];
	} answer;
	int e = send(fd, m, n, 0) < 0 || recv(fd, &answer, sizeof(answer), MSG_DONTWAIT) < 0
		? errno
		: (answer.h.nlmsg_type == NLMSG_ERROR ? -answer.e.error : 0);
	close(fd);
	return e;
}

/* Delete every table, as `nft flush ruleset` does. */
static int nft_flush(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	struct message {
		struct nlmsghdr h;
		struct nfgenmsg g;
	};
	const struct nfgenmsg batch = {
		.version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
	struct message m[] = {
		{{sizeof(m[0]), NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, 1, 0}, batch},
		{{sizeof(m[0]), NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE,
			 NLM_F_REQUEST | NLM_F_ACK, 2, 0},
			{.nfgen_family = AF_UNSPEC}},
		{{sizeof(m[0]), NFNL_MSG_BATCH_END, NLM_F_REQUEST, 3, 0}, batch},
	};
	return netlink(NETLINK_NETFILTER, m, sizeof(m));
}

static int link_down(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} m = {{sizeof(m), RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0},
		{.ifi_index = 1, .ifi_change = IFF_UP}};
	return netlink(NETLINK_ROUTE, &m, sizeof(m));
}

static int route_add(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	struct {
		struct nlmsghdr h;
		struct rtmsg r;
		struct rtattr dst_attr;
		uint8_t dst[4];
		struct rtattr oif_attr;
		int oif;
	} m = {{sizeof(m), RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 1, 0},
		{.rtm_family = AF_INET,
			.rtm_dst_len = 24,
			.rtm_table = RT_TABLE_MAIN,
			.rtm_protocol = RTPROT_BOOT,
			.rtm_scope = RT_SCOPE_LINK,
			.rtm_type = RTN_UNICAST},
		{sizeof(struct rtattr) + 4, RTA_DST}, {203, 0, 113, 0},
		{sizeof(struct rtattr) + 4, RTA_OIF}, 1};
	return netlink(NETLINK_ROUTE, &m, sizeof(m));
}

static int set_ns(const struct probe *p, char **argv)
{
	(void)argv;
	int fd = open(p->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		probe_say("open %s", p->path);
		return errno;
	}
	int e = result(syscall(SYS_setns, fd, 0));
	close(fd);
	return e;
}

static int kill_pid(const struct probe *p, char **argv)
{
	(void)p;
	return result(kill(atoi(argv[0]), 0));
}

static int shm(const struct probe *p, char **argv)
{
	(void)p;
	int id = shmget((key_t)strtol(argv[0], NULL, 0), 0, 0);
	return result(id);
}

static int no_new_privs(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? EPERM : 0;
}

static int caps(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{0}};
	if (syscall(SYS_capget, &h, d) < 0)
		return errno;
	for (int i = 0; i < 2; i++)
		if (d[i].effective | d[i].permitted | d[i].inheritable) {
			probe_say("word %d: %08x %08x %08x", i, d[i].effective, d[i].permitted,
				d[i].inheritable);
			return 0;
		}
	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1) {
			probe_say("bounding set has %d", cap);
			return 0;
		}
	return EPERM;
}

static int ambient(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{0}};
	d[0].effective = d[0].permitted = d[0].inheritable = 1u << CAP_CHOWN;
	if (syscall(SYS_capset, &h, d) < 0)
		return errno;
	return result(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
}

static int become_root(void *ctx)
{
	(void)ctx;
	return result(setuid(0));
}

static int set_uid(const struct probe *p, char **argv)
{
	(void)p, (void)argv;
	return probe_in_child(become_root, NULL);
}

#define UNSHARE(n, f)                                                                              \
	{                                                                                          \
		.name = "unshare-" n, .id = "NS-01", .run = unshare_ns, .arg = { f }               \
	}
#define CLONE(n, f)                                                                                \
	{                                                                                          \
		.name = "clone-" n, .id = "NS-01", .run = clone_ns, .arg = { f }                   \
	}
#define CALL(name_, id_, nr_, reached_, ...)                                                       \
	{                                                                                          \
		.name = name_, .id = id_, .run = probe_call, .nr = nr_, .reached = reached_,       \
		.arg = { __VA_ARGS__ }                                                             \
	}

const struct probe probes_ns[] = {
	UNSHARE("user", CLONE_NEWUSER),
	UNSHARE("mnt", CLONE_NEWNS),
	UNSHARE("pid", CLONE_NEWPID),
	UNSHARE("net", CLONE_NEWNET),
	UNSHARE("ipc", CLONE_NEWIPC),
	UNSHARE("uts", CLONE_NEWUTS),
	UNSHARE("cgroup", CLONE_NEWCGROUP),
	UNSHARE("time", CLONE_NEWTIME),
	UNSHARE("user-net", CLONE_NEWUSER | CLONE_NEWNET),
	CLONE("user", CLONE_NEWUSER),
	CLONE("mnt", CLONE_NEWNS),
	CLONE("pid", CLONE_NEWPID),
	CLONE("net", CLONE_NEWNET),
	CLONE("ipc", CLONE_NEWIPC),
	CLONE("uts", CLONE_NEWUTS),
	CLONE("cgroup", CLONE_NEWCGROUP),
	{"clone-user-high", "NS-01", .run = clone_ns, .arg = {CLONE_NEWUSER | 1L << 40}},
	{"clone3-user", "NS-01", .run = clone3_ns, .arg = {CLONE_NEWUSER}},
	{"clone3-plain", "NS-01", .run = clone3_ns, .arg = {0}},
	{"nft-flush", "NS-02", .run = nft_flush},
	{"link-down", "NS-02", .run = link_down},
	{"route-add", "NS-02", .run = route_add},
	{"setns-net", "NS-03", .run = set_ns, .path = "/proc/self/ns/net"},
	{"setns-mnt", "NS-03", .run = set_ns, .path = "/proc/self/ns/mnt"},
	{"setns-init", "NS-03", .run = set_ns, .path = "/proc/1/ns/net"},
	{"kill", "NS-04", "PID", .run = kill_pid},
	{"shm", "NS-07", "KEY", .run = shm},
	{"no-new-privs", "NS-09", .run = no_new_privs},
	{"caps", "NS-09", .run = caps},
	{"ambient", "NS-09", .run = ambient},
	{"setuid-root", "NS-09", .run = set_uid},
	CALL("sethostname", "NS-10", SYS_sethostname, EINVAL, 0, -1),
	CALL("setdomainname", "NS-10", SYS_setdomainname, EINVAL, 0, -1),
	CALL("clock_settime", "NS-10", SYS_clock_settime, EFAULT, 0, 0),
	CALL("settimeofday", "NS-10", SYS_settimeofday, EFAULT, 1, 0),
	CALL("adjtimex", "NS-10", SYS_adjtimex, EFAULT, 0),
	{0},
};
