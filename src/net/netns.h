/* net/netns.h - the sandbox's network namespace: constants that several rooms must agree on.
 *
 * In the namespace there is only lo, up, with local routes for every address (AnyIP, v4 and v6).
 * nftables gives TCP to names and listed addresses to the relay's listener, counts and rejects all
 * else at once.
 */
#ifndef BAWN_NET_NETNS_H
#define BAWN_NET_NETNS_H

/* The one nftables table. */
#define NETNS_TABLE "bawn"
/* The relay's listener: 127.0.0.1 and ::1; a privileged port, so that the agent can't hold it. */
#define NETNS_RELAY_PORT 1
/* DNS, UDP and TCP, port 53. */
#define NETNS_DNS_ADDR "127.0.0.53"
/* lo's second addresses, loopback like the first: 127.255.255.254, fd62:6177:6e00::1 (see
 * lo_further() in build-rtnl.c); 4 and 16 bytes. */
#define NETNS_OWN4 "\x7f\xff\xff\xfe"
#define NETNS_OWN6 "\xfd\x62\x61\x77\x6e\0\0\0\0\0\0\0\0\0\0\1"
/* Synthetic addresses (RFC 2544 benchmarking range, never on the internet): one per name. */
#define NETNS_SYNTH_NET 0xc6120000u /* 198.18.0.0 */
#define NETNS_SYNTH_BITS 15
/* NFLOG group that rejected packets are copied to, rate-limited. */
#define NETNS_NFLOG_GROUP 1

/* Order of the descriptors in bawn-init's one message to the relay. */
enum netns_fd {
	NETNS_FD_TCP4,
	NETNS_FD_TCP6,
	NETNS_FD_DNS_UDP,
	NETNS_FD_DNS_TCP,
	NETNS_FD_NFLOG,
	NETNS_FD_HOST_PORTS, /* the first of the --host-port listeners, 127.0.0.1, plan order */
};

#endif
