/* egress/proto.h - the one fixed-size message kind between relay and supervisor, each way.
 *
 * SOCK_SEQPACKET; a message of any other size ends the run.  What the supervisor sends is mostly an
 * answer; a published connection, a new policy and a cut come unasked.  The supervisor trusts no
 * field: names are canonicalised again, ports and families checked, flow numbers only echoed.
 */
#ifndef BAWN_EGRESS_PROTO_H
#define BAWN_EGRESS_PROTO_H

#include <netinet/in.h>
#include <stdint.h>

#define EGRESS_MAGIC 0x6261776eu /* "bawn" */
#define EGRESS_FDS_MIN 96        /* open files, without which the relay does not work */

enum egress_ask {
	EGRESS_ASK_NAME = 1,  /* connect to name:port */
	EGRESS_ASK_ADDR,      /* connect to a literal address:port */
	EGRESS_ASK_HOST_PORT, /* connect to port on the host's loopback (--host-port) */
	EGRESS_TELL_DENIED,   /* the relay or nftables refused something: why says what */
	EGRESS_TELL_END,      /* flow is over: up, down; flow: the kind of what has ended */
	EGRESS_PORT,          /* never asked: the kind of a flow through a published port */
	EGRESS_TELL_OPEN, /* answer to LIST: one open flow: up, down, ms (its age); flow: its kind,
			   * and above 16 bits the port that it comes from inside;
			   * count: its place in the list, from 0 */
	EGRESS_TELL_LISTED, /* that was the list; count: how many are open */
	EGRESS_TELL_AGAIN,  /* connections that were not asked for (lease.h): flow: the kind,
			     * count: how many */
};

enum egress_why {
	EGRESS_WHY_NONE = 0,
	EGRESS_WHY_SNI,      /* ClientHello names another host, or none, or isn't TLS */
	EGRESS_WHY_HOST,     /* a request's Host names another host, or isn't HTTP */
	EGRESS_WHY_UDP,      /* nftables rejected a datagram */
	EGRESS_WHY_PROTO,    /* another protocol (ICMP, SCTP, ...) */
	EGRESS_WHY_LISTENER, /* straight to the relay's own listener */
	EGRESS_WHY_LIMIT,    /* a cap was reached */
	EGRESS_WHY_SPECIAL,  /* a DNS question for a name that has no place on the internet */
	EGRESS_WHY_QUERY,    /* a DNS question for a name past the pool's cap */
	EGRESS_WHY_UPLOAD,   /* what may be sent to this name and port is used up */
};

struct egress_ask_msg {
	uint32_t magic;
	uint8_t kind, why; /* ASK_NAME, why: it will be refused in any case */
	uint16_t port;
	uint32_t flow;         /* TELL_DENIED: the IP protocol instead, 0 when it was TCP */
	uint32_t count;        /* how many of the same this stands for; ASK_NAME: the port that the
				* client connects from */
	uint64_t up, down, ms; /* TELL_END: sums over count flows of one target; TELL_OPEN */
	struct in6_addr addr;  /* ASK_ADDR, TELL_DENIED */
	char name[256];        /* NUL-terminated, canonical; empty when there is none */
	char seen[256];        /* what was found instead (SNI, Host), printable */
};

enum egress_answer {
	EGRESS_ANSWER_OPEN = 1, /* a connected socket comes with the message */
	EGRESS_ANSWER_DENIED,   /* text explains, to be shown as the 403 body */
	EGRESS_ANSWER_FAILED,   /* allowed, but it could not be reached */
	EGRESS_ANSWER_PORT,     /* flow: key of a published port; the sandbox's socket and the other
				 * side's come with the message, both connected */
	EGRESS_ANSWER_CUT,      /* flow: key of a published port that is so no more */
	EGRESS_ANSWER_POLICY,   /* a sealed memfd comes along: the egress table from now on */
	EGRESS_ANSWER_LIST,     /* unasked: tell which flows are open */
};

/* Open flows that a list has at most: those that were busy last. */
#define EGRESS_LIST_MAX 64

/* Bytes of a policy that comes while the relay runs. */
#define EGRESS_POLICY_MAX ((size_t)32 << 20)

struct egress_answer_msg {
	uint32_t magic;
	uint32_t flow;
	uint8_t answer;
	uint8_t sniff;        /* 1: check SNI (443) / Host (80); 0: the rule is raw */
	uint8_t private_addr; /* OPEN: only a rule that says "private" allows it */
	uint8_t vaulted;      /* OPEN: its TLS ends in the vault, which counts on its own */
	uint8_t lease;        /* OPEN: the slot, from 1, by which the same may be connected to
			       * without asking (lease.h); 0: ask again */
	uint8_t pad[3];
	uint64_t max_upload; /* OPEN: bytes from the agent to this name and port, over all
				connections of the relay's life; 0: no limit */
	char text[1024];
};

#endif
