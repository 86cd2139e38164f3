/* net/apply.h - setting the sandbox's network namespace up, from a thread that has just made it.
 *
 * Light: libc only, no allocation, thread-safe.  The caller holds every capability over the user
 * namespace that owns the network namespace.  Order: net_apply_rtnl, net_apply_nft, net_sysctls,
 * net_prove, net_listeners (the proof comes before the log socket, or the relay would hear of it).
 */
#ifndef BAWN_NET_APPLY_H
#define BAWN_NET_APPLY_H

#include <stdint.h>

#include "base/err.h"

/* Send the requests of net_build_rtnl() and check every acknowledgement.  Requests for IPv6 may
 * fail where the kernel has none.  0 or -errno. */
int net_apply_rtnl(const void *batch, size_t n, struct err *err);

/* Send the first transaction of net_build_nft() and check its acknowledgement; where the kernel
 * lacks nft_tproxy, the second, which does the same by address translation.  0, 1 for the second
 * (then SO_ORIGINAL_DST has the destination, else getsockname(2)), or -errno. */
int net_apply_nft(const void *batch, size_t n, struct err *err);

/* The same for a namespace that has them already: the old ones go as the new ones come, in one
 * transaction.  Connections that are there stay. */
int net_replace_nft(const void *batch, size_t n, struct err *err);

/* Set what the namespace needs below /proc/sys/net; proc_fd: a directory descriptor of any mounted,
 * writable /proc (the files act on the calling thread's namespace).  tracked: connections are, as
 * net_apply_nft() returned 1.  net_sysctls opens /proc. */
int net_sysctls_at(int proc_fd, bool tracked, struct err *err);
int net_sysctls(bool tracked, struct err *err);

/* Prove that a datagram is refused at once and that the relay's port can't be reached without a
 * redirection (by IPv4; the rules that refuse know no family).  Call it before net_listeners.  0,
 * or -ENOTRECOVERABLE. */
int net_prove(struct err *err);

/* Make the listening sockets and the NFLOG socket: non-blocking, close-on-exec.  ret_fds gets
 * NETNS_FD_HOST_PORTS + n descriptors in the order of enum netns_fd.  Without IPv6 in the kernel
 * the one for it is an eventfd that never becomes readable.  The DNS socket carries IP_PKTINFO.  0
 * or -errno. */
int net_listeners(const uint16_t *host_ports, size_t n, int *ret_fds, struct err *err);

#endif
