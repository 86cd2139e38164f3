/* net/build.h - the rtnetlink and nftables requests of a sandbox's network namespace, as bytes.
 *
 * Heavy: libmnl, libnftnl, libnl-3; linked only into bawn-admin.  The result goes into the pack and
 * is sent by net/apply.h.
 */
#ifndef BAWN_NET_BUILD_H
#define BAWN_NET_BUILD_H

#include <netinet/in.h>
#include <stdint.h>

#include "base/err.h"

#define NET_CIDR_PORTS 16

/* A literal address or network of an allow rule.  v4 is v4-mapped, and bits counts in the 128-bit
 * space (198.18.0.0/15 is 111).  n_ports is 1 to 16. */
struct net_cidr {
	struct in6_addr net;
	uint8_t bits;
	uint16_t ports[NET_CIDR_PORTS];
	size_t n_ports;
};

struct net_build {
	const struct net_cidr *allow;
	size_t n_allow;
	const uint16_t *host_ports;
	size_t n_host_ports;
	bool offline; /* no routes: connecting anywhere but loopback is ENETUNREACH */
};

/* malloc'd bytes; of nft two transactions, of which one is sent: see net_apply_nft().  0, -EINVAL
 * for a malformed rule, -E2BIG for more than 65536 addresses, or -ENOMEM.  Overlapping rules are
 * merged. */
int net_build_nft(const struct net_build *b, void **ret, size_t *ret_n, struct err *err);
int net_build_rtnl(const struct net_build *b, void **ret, size_t *ret_n, struct err *err);

#endif
