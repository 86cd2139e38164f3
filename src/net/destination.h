/* net/destination.h - where a connection that came to the relay's listener was meant to go. */
#ifndef BAWN_NET_DESTINATION_H
#define BAWN_NET_DESTINATION_H

#include <netinet/in.h>
#include <stdint.h>

/* fd: accepted from the listener of this family (AF_INET, AF_INET6).  *ret_addr: IPv4 is v4-mapped;
 * *ret_port: host order.  0; -EADDRNOTAVAIL: to the listener itself, or nobody knows any more; both
 * are set as far as they are known. */
int net_destination(int fd, int family, struct in6_addr *ret_addr, uint16_t *ret_port);

#endif
