/* egress/lease.h - addresses that the relay may connect to by itself.
 *
 * A connection to a server on this machine is over in microseconds, and to ask the supervisor for
 * each costs as much again.  So, for what the user's own options give by address (--host-port,
 * --connect-to), the supervisor writes the address that it has judged and connected to into a page;
 * the relay may connect to what stands there, and to nothing else:
 *
 *   - Only the supervisor can write: the page is a memfd sealed against every other writable
 *     mapping (F_SEAL_FUTURE_WRITE, fcntl(2)), and the relay maps it to read before its jail.
 *   - The relay's seccomp filter lets connect(2) through only where the pointer that it is given
 *     is that of a slot: the kernel copies the address out of the page, so there is no moment
 *     between check and use (jail.c).
 *   - A slot is written once.  Recalled, it loses its family, which makes it an address of nothing;
 *     the rest stays, so that a copy under way never mixes two.  It is never another's.
 *   - Landlock allows no other ports than those that the options name.
 *
 * So the relay can do no more by itself than it could by asking again.  Where there are no such
 * options there is no page, and the relay can make no socket.
 */
#ifndef BAWN_EGRESS_LEASE_H
#define BAWN_EGRESS_LEASE_H

#include <netinet/in.h>
#include <stdint.h>

enum {
	LEASE_SLOTS = 64,
	LEASE_SLOT_BYTES = 32,
	LEASE_ADDR_LEN = sizeof(struct sockaddr_in6), /* given to connect(2) for both families */
	LEASE_PAGE_BYTES = 4096,
	LEASE_MAX_PORTS = (LEASE_PAGE_BYTES - LEASE_SLOTS * LEASE_SLOT_BYTES) / 2 - 1,
};

/* family AF_UNSPEC: not given, or not any more */
union lease_slot {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	uint8_t bytes[LEASE_SLOT_BYTES];
};

struct lease_page {
	union lease_slot slot[LEASE_SLOTS];
	uint16_t n_ports,
		port[LEASE_MAX_PORTS]; /* that a slot can have; written before the start */
};
_Static_assert(sizeof(struct lease_page) == LEASE_PAGE_BYTES, "one page");
_Static_assert((LEASE_SLOTS & (LEASE_SLOTS - 1)) == 0, "the filter masks a slot's number");

#endif
