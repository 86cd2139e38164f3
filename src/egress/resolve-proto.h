/* egress/resolve-proto.h - the one message each way between the supervisor and bawn-resolve.
 *
 * SOCK_SEQPACKET, descriptor 3 of the resolver; any other size ends it.
 */
#ifndef BAWN_EGRESS_RESOLVE_PROTO_H
#define BAWN_EGRESS_RESOLVE_PROTO_H

#include <netinet/in.h>
#include <stdint.h>

#define RESOLVE_MAGIC 0x72736c76u /* "rslv" */
#define RESOLVE_MAX_ADDRS 16
/* Seconds without a question after which the resolver ends; it is started again when needed. */
#define RESOLVE_IDLE_S 4
/* Milliseconds after which a question has failed. */
#define RESOLVE_TIMEOUT_MS 5000

enum resolve_status {
	RESOLVE_OK = 0,
	RESOLVE_NO_NAME, /* the name doesn't exist, or has no address */
	RESOLVE_TIMEOUT, /* no name server answered */
	RESOLVE_FAILED,  /* anything else */
};

struct resolve_ask_msg {
	uint32_t magic;
	uint32_t id;    /* echoed */
	char name[256]; /* NUL-terminated */
};

struct resolve_reply_msg {
	uint32_t magic;
	uint32_t id;
	uint8_t status; /* enum resolve_status */
	uint8_t n;
	uint16_t pad;
	uint32_t ttl;                            /* seconds, the least of the answers; 0 unknown */
	struct in6_addr addr[RESOLVE_MAX_ADDRS]; /* v4 as v4-mapped */
};

#endif
