/* net/build-rtnl.c - lo, its addresses and the routes of the sandbox's network namespace; see
 * build.h.
 *
 * Owns: the rtnetlink requests (libnl-3's core; libnl-route-3 would cost 660 KB of relocations for
 * five messages).  Must not: send anything.
 */
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "net/build.h"
#include "net/netns.h"

/* The first device of every network namespace. */
#define LO_INDEX 1

struct out {
	char *buf;
	size_t n;
	uint32_t seq;
	bool failed;
};

/* Append one request; takes msg over. */
static void append(struct out *o, struct nl_msg *msg, bool complete)
{
	struct nlmsghdr *h = msg ? nlmsg_hdr(msg) : NULL;
	size_t padded = h ? NLMSG_ALIGN(h->nlmsg_len) : 0;
	char *grown = h && complete ? realloc(o->buf, o->n + padded) : NULL;
	if (!grown) {
		o->failed = true;
	} else {
		h->nlmsg_seq = ++o->seq;
		o->buf = grown;
		memset(grown + o->n, 0, padded);
		memcpy(grown + o->n, h, h->nlmsg_len);
		o->n += padded;
	}
	nlmsg_free(msg);
}

static void lo_up(struct out *o)
{
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC,
		.ifi_index = LO_INDEX,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP};
	struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK);
	append(o, m, m && nlmsg_append(m, &i, sizeof(i), NLMSG_ALIGNTO) == 0);
}

/* One more address for each family.  AI_ADDRCONFIG asks which families the machine has, and glibc
 * counts none that has but 127.0.0.1 and ::1: with AF_INET every name, localhost too, would be one
 * that doesn't exist.  Of both families, as with one alone AF_UNSPEC would leave the other out.
 * Both are loopback to the rules.  That of IPv6 is deprecated: the kernel's tproxy looks for the
 * relay at the first one that is not. */
static void lo_further(struct out *o, unsigned char family)
{
	const char *address = family == AF_INET ? NETNS_OWN4 : NETNS_OWN6;
	int n = family == AF_INET ? 4 : 16;
	struct ifaddrmsg i = {.ifa_family = family,
		.ifa_prefixlen = (uint8_t)(8 * n),
		.ifa_flags = IFA_F_NODAD,
		.ifa_scope = RT_SCOPE_HOST,
		.ifa_index = LO_INDEX};
	struct ifa_cacheinfo deprecated = {.ifa_prefered = 0, .ifa_valid = UINT32_MAX};
	struct nl_msg *m = nlmsg_alloc_simple(
		RTM_NEWADDR, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	append(o, m,
		m && nlmsg_append(m, &i, sizeof(i), NLMSG_ALIGNTO) == 0 &&
			nla_put(m, IFA_LOCAL, n, address) == 0 &&
			nla_put(m, IFA_ADDRESS, n, address) == 0 &&
			(family == AF_INET ||
				nla_put(m, IFA_CACHEINFO, sizeof(deprecated), &deprecated) == 0));
}

/* AnyIP: every address is local.  Without a route connect(2) fails before nftables sees a packet.
 * The source is loopback, not the destination's own address, which IPv4 would take, nor the one
 * above, which IPv6 would: a port of ours would meet itself now and then. */
static void everything_is_local(struct out *o, unsigned char family)
{
	struct rtmsg r = {.rtm_family = family,
		.rtm_table = RT_TABLE_LOCAL,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = RT_SCOPE_HOST,
		.rtm_type = RTN_LOCAL};
	struct nl_msg *m = nlmsg_alloc_simple(
		RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	append(o, m,
		m && nlmsg_append(m, &r, sizeof(r), NLMSG_ALIGNTO) == 0 &&
			nla_put_u32(m, RTA_OIF, LO_INDEX) == 0 &&
			(family == AF_INET ? nla_put_u32(m, RTA_PREFSRC, htonl(INADDR_LOOPBACK))
					   : nla_put(m, RTA_PREFSRC, sizeof(in6addr_loopback),
						     &in6addr_loopback)) == 0);
}

int net_build_rtnl(const struct net_build *b, void **ret, size_t *ret_n, struct err *err)
{
	struct out o = {0};
	lo_up(&o);
	lo_further(&o, AF_INET);
	lo_further(&o, AF_INET6);
	if (!b->offline) {
		everything_is_local(&o, AF_INET);
		everything_is_local(&o, AF_INET6);
	}
	if (o.failed) {
		free(o.buf);
		return err_sys(err, ENOMEM, "build the routes");
	}
	*ret = o.buf;
	*ret_n = o.n;
	return 0;
}
