/* cli/doctor-net.c - doctor: the sandbox's network, built and sent as a start does it.
 *
 * The requests come from net/build.h and are sent by net/apply.h: what is tried here is what runs.
 */
#include "cli/doctor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include "net/apply.h"
#include "net/build.h"
#include "net/destination.h"
#include "net/netns.h"

#define NFT_REMEDY                                                                                 \
	"load the modules once as root: sudo modprobe -a nf_tables nft_tproxy nft_reject_inet "    \
	"nft_log (to keep it: a file in /etc/modules-load.d)"

typedef int (*apply_fn)(const void *, size_t, struct err *);
typedef int (*build_fn)(const struct net_build *, void **, size_t *, struct err *);

/* The remedy of the failed call itself, unless that is this very command. */
static void remedy_of(struct doctor_result *r, const struct err *err, const char *own)
{
	bool usable = err->hint[0] && !strstr(err->hint, "bawn doctor");
	doctor_remedy(r, "%s", usable ? err->hint : own);
}

/* What apply returned, or -1 after a report. */
static int send_built(struct doctor_result *r, build_fn build, apply_fn apply, const char *remedy)
{
	const struct net_build b = {0};
	struct err err = {0};
	_cleanup_free_ void *batch = NULL;
	size_t n = 0;
	int ret = build(&b, &batch, &n, &err);
	if (ret == 0)
		ret = apply(batch, n, &err);
	if (ret >= 0)
		return ret;
	doctor_fail(r, "%s", err.msg);
	remedy_of(r, &err, remedy);
	return -1;
}

static bool enter_routes(struct doctor_result *r)
{
	return doctor_enter_userns(r, CLONE_NEWNET) &&
		send_built(r, net_build_rtnl, net_apply_rtnl,
			"use a kernel with CONFIG_NET_NS and CONFIG_IP_MULTIPLE_TABLES") == 0;
}

static void check_routes(struct doctor_result *r)
{
	if (enter_routes(r))
		doctor_ok(r, "lo is up, with local routes for every address");
}

/* 0, 1: with connection tracking, -1 after a report */
static int enter_rules(struct doctor_result *r)
{
	return enter_routes(r) ? send_built(r, net_build_nft, net_apply_nft, NFT_REMEDY) : -1;
}

static void check_nft(struct doctor_result *r)
{
	struct err err = {0};
	int tracked = enter_rules(r);
	if (tracked < 0)
		return;
	if (net_sysctls(tracked, &err) < 0 || net_prove(&err) < 0) {
		doctor_fail(r, "%s", err.msg);
		remedy_of(r, &err, NFT_REMEDY);
		return;
	}
	doctor_ok(r, "rules are taken; a datagram is refused at once");
}

/* A connection to a synthetic address must come out of the relay's listener, and say where it was
 * meant to go. */
static bool redirected(int listener)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(443)};
	to.sin_addr.s_addr = htonl(NETNS_SYNTH_NET + 7);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0 || (connect(s, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS))
		return false;
	struct pollfd p = {.fd = listener, .events = POLLIN};
	if (poll(&p, 1, 2000) != 1)
		return false;
	int c = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct in6_addr seen;
	uint16_t port;
	return c >= 0 && net_destination(c, AF_INET, &seen, &port) == 0 && port == 443 &&
		memcmp(seen.s6_addr + 12, &to.sin_addr, sizeof(to.sin_addr)) == 0;
}

static void check_redirect(struct doctor_result *r)
{
	struct err err = {0};
	int fds[NETNS_FD_HOST_PORTS];
	int tracked = enter_rules(r);
	if (tracked < 0)
		return;
	if (net_listeners(NULL, 0, fds, &err) < 0) {
		doctor_fail(r, "%s", err.msg);
		doctor_remedy(r, "%s", err.hint);
		return;
	}
	if (!redirected(fds[NETNS_FD_TCP4])) {
		doctor_fail(r, "a connection isn't redirected to the relay: %s", strerror(errno));
		doctor_remedy(r, NFT_REMEDY);
		return;
	}
	doctor_ok(r, "connections reach the relay and name their destination%s",
		tracked ? "; short ones would be a quarter faster with nft_tproxy" : "");
}

const struct doctor_check doctor_net_checks[] = {
	{"routes", "network namespace", check_routes, true},
	{"nftables", "nftables", check_nft, true},
	{"redirect", "redirection", check_redirect, true},
	{0},
};
