/* net/destination.c - where a connection was meant to go; see destination.h.
 *
 * tproxy gives the socket the destination's address as its own.  Where that is the listener's,
 * addresses were turned (a kernel without nft_tproxy), and connection tracking knows the one that
 * was meant; or nothing was turned, and somebody called the listener itself.
 */
#include "net/destination.h"

#include <errno.h>
#include <linux/netfilter_ipv4.h>
#include <string.h>
#include <sys/socket.h>

#include "base/macro.h"

enum { IP6T_ORIGINAL_DST = 80 }; /* linux/netfilter_ipv6/ip6_tables.h */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool is_loopback(const union address *a)
{
	return a->any.sa_family == AF_INET ? ntohl(a->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
					   : IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

int net_destination(int fd, int family, struct in6_addr *ret_addr, uint16_t *ret_port)
{
	union address a = {0};
	const bool v4 = family == AF_INET;
	socklen_t len = v4 ? sizeof(a.v4) : sizeof(a.v6);
	if (getsockname(fd, &a.any, &len) < 0)
		return -EADDRNOTAVAIL;
	bool known = !is_loopback(&a);
	if (!known &&
		getsockopt(fd, v4 ? SOL_IP : SOL_IPV6, v4 ? SO_ORIGINAL_DST : IP6T_ORIGINAL_DST, &a,
			&len) == 0)
		known = !is_loopback(&a);
	*ret_addr = v4 ? (struct in6_addr){0} : a.v6.sin6_addr;
	if (v4) {
		ret_addr->s6_addr[10] = ret_addr->s6_addr[11] = 0xff;
		memcpy(ret_addr->s6_addr + 12, &a.v4.sin_addr, 4);
	}
	*ret_port = ntohs(v4 ? a.v4.sin_port : a.v6.sin6_port);
	return known ? 0 : -EADDRNOTAVAIL;
}
