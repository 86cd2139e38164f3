/* net/literals.h - allowed literal addresses and networks, flattened to what nftables sets hold.
 *
 * Pure.  Between the rules of a policy and net/build.c.
 */
#ifndef BAWN_NET_LITERALS_H
#define BAWN_NET_LITERALS_H

#include "net/build.h"

/* Which of the four sets an element belongs to. */
enum literal_set { LITERAL_ADDR4, LITERAL_NET4, LITERAL_ADDR6, LITERAL_NET6, LITERAL_SETS };

struct literal {
	enum literal_set set;
	uint8_t first[16], last[16]; /* network byte order; v4 in the first 4 bytes */
	uint8_t bits;                /* 0-32 for v4, 0-128 for v6 */
	uint16_t port;
};

/* One element for each network and port, host bits cleared, sorted by set, port and address,
 * without duplicates and without networks inside others of the same port (an interval set refuses
 * overlaps). What lies inside 127.0.0.0/8 or is ::1 is left out: the sandbox's loopback is its own.
 * *ret is malloc'd, NULL when there are none.  0 or -errno as net_build_nft. */
int literals_flatten(
	const struct net_cidr *c, size_t n, struct literal **ret, size_t *ret_n, struct err *err);

#endif
