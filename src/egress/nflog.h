/* egress/nflog.h - what nftables says it rejected: NFLOG messages
 * (linux/netfilter/nfnetlink_log.h).
 *
 * Pure.  The frame comes from the kernel; the packet in it was made by the agent.
 */
#ifndef BAWN_EGRESS_NFLOG_H
#define BAWN_EGRESS_NFLOG_H

#include <netinet/in.h>
#include <stdint.h>
#include <stddef.h>

struct nflog_packet {
	struct in6_addr dst; /* v4 as v4-mapped */
	uint8_t proto;       /* IPPROTO_* */
	uint16_t port;       /* destination port, 0 when the protocol has none */
};

/* Parse the datagram data[n].  Calls fn for each packet that could be read; returns how many. */
size_t nflog_parse(
	const void *data, size_t n, void (*fn)(void *ctx, const struct nflog_packet *p), void *ctx);

#endif
