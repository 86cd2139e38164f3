/* egress/nflog.c - see nflog.h */
#include "egress/nflog.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>

enum { HAS_PORTS_MAX_EXT = 8 };

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP ||
		proto == IPPROTO_DCCP || proto == IPPROTO_UDPLITE;
}

static bool parse_v4(const uint8_t *p, size_t n, struct nflog_packet *ret, size_t *ret_l4)
{
	size_t ihl = (size_t)(p[0] & 15) * 4;
	if (n < 20 || ihl < 20)
		return false;
	ret->proto = p[9];
	ret->dst.s6_addr[10] = ret->dst.s6_addr[11] = 0xff;
	memcpy(ret->dst.s6_addr + 12, p + 16, 4);
	*ret_l4 = ihl;
	return true;
}

static bool parse_v6(const uint8_t *p, size_t n, struct nflog_packet *ret, size_t *ret_l4)
{
	if (n < 40)
		return false;
	memcpy(ret->dst.s6_addr, p + 24, 16);
	uint8_t next = p[6];
	size_t at = 40;
	for (int i = 0; i < HAS_PORTS_MAX_EXT; i++) {
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS)
			break;
		if (at + 8 > n)
			break;
		next = p[at];
		at += 8 + (size_t)p[at + 1] * 8;
	}
	ret->proto = next;
	*ret_l4 = at;
	return true;
}

static bool parse_packet(const uint8_t *p, size_t n, struct nflog_packet *ret)
{
	size_t l4 = 0;
	memset(ret, 0, sizeof(*ret));
	if (n == 0)
		return false;
	bool ok = p[0] >> 4 == 4 ? parse_v4(p, n, ret, &l4)
		: p[0] >> 4 == 6 ? parse_v6(p, n, ret, &l4)
				 : false;
	if (ok && has_ports(ret->proto) && l4 + 4 <= n)
		ret->port = (uint16_t)(p[l4 + 2] << 8 | p[l4 + 3]);
	return ok;
}

static bool parse_message(const uint8_t *p, size_t n, struct nflog_packet *ret)
{
	if (n < sizeof(struct nfgenmsg))
		return false;
	size_t at = NLMSG_ALIGN(sizeof(struct nfgenmsg));
	while (at + sizeof(struct nlattr) <= n) {
		struct nlattr a;
		memcpy(&a, p + at, sizeof(a));
		if (a.nla_len < sizeof(a) || at + a.nla_len > n)
			return false;
		if ((a.nla_type & NLA_TYPE_MASK) == NFULA_PAYLOAD)
			return parse_packet(p + at + sizeof(a), a.nla_len - sizeof(a), ret);
		at += (size_t)NLA_ALIGN(a.nla_len);
	}
	return false;
}

size_t nflog_parse(
	const void *data, size_t n, void (*fn)(void *ctx, const struct nflog_packet *p), void *ctx)
{
	const uint8_t *p = data;
	size_t at = 0, count = 0;
	while (at + sizeof(struct nlmsghdr) <= n) {
		struct nlmsghdr h;
		memcpy(&h, p + at, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > n - at)
			break;
		struct nflog_packet pkt;
		if (h.nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET) &&
			parse_message(p + at + NLMSG_HDRLEN, h.nlmsg_len - NLMSG_HDRLEN, &pkt)) {
			fn(ctx, &pkt);
			count++;
		}
		at += NLMSG_ALIGN(h.nlmsg_len);
	}
	return count;
}
