/* net/routed-here.h - which addresses are this machine's own. */
#ifndef BAWN_NET_ROUTED_HERE_H
#define BAWN_NET_ROUTED_HERE_H

#include <stdbool.h>
#include <sys/socket.h>

/* Do packets to a stay on this machine?  The kernel is asked for the route (rtnetlink(7),
 * RTM_GETROUTE): so an interface's address is one, and so is what is on no interface, but routed to
 * the machine itself: a load balancer's (Google's agent does that), or a whole prefix for proxies.
 * a: AF_INET or AF_INET6; of an IPv4 address mapped into IPv6 (RFC 4291 2.5.5.2) the IPv4 one
 * counts. What can't be asked may be one: true. What no route leads to is reached by nobody:
 * false. */
bool net_routed_here(const struct sockaddr *a);

#endif
