#include "net/routed-here.h"

#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fd.h"
#include "base/macro.h"

/* The address's bytes, *ret_n of them: 4 or 16. */
static const uint8_t *address_bytes(const struct sockaddr *a, size_t *ret_n)
{
	*ret_n = sizeof(struct in_addr);
	if (a->sa_family == AF_INET)
		return (const uint8_t *)&((const struct sockaddr_in *)(const void *)a)->sin_addr;
	const struct in6_addr *ip = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(ip))
		return ip->s6_addr + sizeof(*ip) - sizeof(struct in_addr);
	*ret_n = sizeof(*ip);
	return ip->s6_addr;
}

bool net_routed_here(const struct sockaddr *a)
{
	size_t n;
	const uint8_t *to = address_bytes(a, &n);
	struct {
		struct nlmsghdr h;
		struct rtmsg route;
		struct rtattr attr;
		uint8_t to[sizeof(struct in6_addr)];
	} ask = {.h = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST},
		.route = {.rtm_family = n == sizeof(struct in_addr) ? AF_INET : AF_INET6,
			.rtm_dst_len = (uint8_t)(n * 8)},
		.attr = {.rta_type = RTA_DST, .rta_len = (uint16_t)RTA_LENGTH(n)}};
	union {
		struct nlmsghdr h;
		char bytes[1024];
	} told;
	ask.h.nlmsg_len = (uint32_t)(offsetof(typeof(ask), to) + n);
	memcpy(ask.to, to, n);
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0 || send(fd, &ask, ask.h.nlmsg_len, 0) < 0)
		return true;
	ssize_t k = recv(fd, &told, sizeof(told), 0);
	if (k < (ssize_t)NLMSG_LENGTH(sizeof(struct rtmsg)))
		return true;
	if (told.h.nlmsg_type != RTM_NEWROUTE)
		return false;
	const struct rtmsg *route = NLMSG_DATA(&told.h);
	return route->rtm_type == RTN_LOCAL;
}
