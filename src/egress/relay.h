/* egress/relay.h - what the files of bawn-relay share: the flow, the loop's state, and who calls
 * whom.
 *
 *   relay-main   start, the one epoll loop, dispatch by kind
 *   relay-flow   a connection's life: accept, sniff, ask, verdict, refusal, end
 *   relay-pump   moving bytes of an open flow
 *   relay-upload how much was sent to a host whose rule limits it
 *   relay-tell   everything that is sent to the supervisor
 *   relay-dns    answering DNS
 *   relay-live   what the supervisor changes while it runs: the policy, published ports
 *   relay-lease  connections that need no question
 *
 * Nothing here allocates after the start: fixed tables, of which only the used part is touched.
 */
#ifndef BAWN_EGRESS_RELAY_H
#define BAWN_EGRESS_RELAY_H

#include <netinet/in.h>
#include <stdint.h>

#include "egress/http-head.h"
#include "egress/proto.h"
#include "policy/pack.h"

enum {
	RELAY_MAX_FLOWS = 4096,
	RELAY_MAX_HALF_OPEN = 1024, /* flows without a verdict; past that the oldest is dropped */
	RELAY_BUFFERS = 64, /* for what a sink doesn't take at once; one is the scratch buffer */
	RELAY_MAX_DNS_CONNS = 32,
	RELAY_MAX_PUBLISHED =
		1024, /* flows through published ports: the rest stays for the agent */
	RELAY_SCRATCH = 256 * 1024,
	RELAY_TICK_MS = 1000,
	RELAY_SNIFF_MS = 10 * 1000,      /* to send a whole ClientHello or request head */
	RELAY_ASK_MS = 150 * 1000,       /* the supervisor's own limits are shorter, --ask's too */
	RELAY_LINGER_MS = 2 * 1000,      /* to read a refusal */
	RELAY_IDLE_MS = 2 * 3600 * 1000, /* open flows idle so long may be dropped for new ones */
};

enum relay_event {
	RELAY_EV_SUPER,
	RELAY_EV_LISTENER, /* index: enum netns_fd */
	RELAY_EV_DNS_UDP,
	RELAY_EV_DNS_TCP,
	RELAY_EV_NFLOG,
	RELAY_EV_DNS_CONN, /* index */
	RELAY_EV_CLIENT,   /* flow id */
	RELAY_EV_UPSTREAM, /* flow id */
};

enum flow_state {
	FLOW_FREE,
	FLOW_SNIFF,  /* waiting for the ClientHello or the request head */
	FLOW_ASK,    /* waiting for the supervisor */
	FLOW_OPEN,   /* bytes are passed on */
	FLOW_LINGER, /* the refusal was sent; the rest of the client's bytes is thrown away */
};

enum flow_sniff { SNIFF_NONE, SNIFF_TLS, SNIFF_HTTP };

enum { CLIENT, UPSTREAM }; /* also the directions: from the client, from upstream */

struct flow_dir {
	uint32_t at, held; /* bytes that wait in the buffer, from where on */
	int16_t buf;       /* index in the pool, while there are any */
	bool eof;          /* the source has ended */
	bool blocked;      /* the sink is full: go on when it is writable */
};

struct flow {
	uint32_t id;         /* generation << 12 | index */
	int fd[2];           /* CLIENT, UPSTREAM */
	uint8_t state;       /* enum flow_state */
	uint8_t kind;        /* enum egress_ask of its question */
	uint8_t sniff;       /* enum flow_sniff */
	bool allowed;        /* what our own pack says; the supervisor decides */
	bool doomed;         /* didn't pass the sniffing, asked only for the text of the refusal */
	bool unsent;         /* its question waits for room in the socket */
	bool vaulted;        /* its TLS ends in the vault */
	bool private_addr;   /* its address needs a rule that says "private" */
	bool watched[2];     /* fd[i] is in the epoll set */
	bool out[2];         /* ... for room to write, too: it once had none */
	bool urgent[2];      /* data out of band came: a short read says nothing */
	bool rdhup[2];       /* the peer of fd[i] has ended its side */
	uint8_t ready;       /* bit i: direction i has work left, see flow_make_ready() */
	uint16_t port, from; /* from: the port inside that it comes from, 0: not known */
	int16_t name;        /* index of the name table, -1 for none */
	int16_t upload;      /* what it sends is counted there (relay-upload.c); -1: it isn't */
	uint32_t key;        /* EGRESS_PORT: which published port */
	struct in6_addr addr;
	struct http_state http;
	uint64_t approved; /* SNIFF_HTTP: bytes from the client that may pass unseen */
	bool all_seen;     /* SNIFF_HTTP: nothing has come from the client behind those */
	struct flow_dir dir[2];
	uint64_t bytes[2];
	uint64_t start, last, deadline; /* ms */
	struct flow *prev, *next;       /* list of flows without a verdict, or lingering */
	struct flow *ready_next, *unsent_next;
};

struct relay {
	int epoll, super, nflog;
	uint64_t now; /* ms, CLOCK_MONOTONIC, once a turn of the loop */
	struct pack pack;
	const struct egress *egress;
	uint32_t max_flows;
	/* seconds work: whether the loop must wake for the tick */
	uint32_t pending;
	uint8_t *scratch; /* RELAY_SCRATCH bytes; another after pump() */
};
extern struct relay relay;

_noreturn_ void relay_die(const char *why);
int relay_watch(int fd, uint32_t events, enum relay_event kind, uint32_t id);
static inline uint32_t relay_seconds(void)
{
	return (uint32_t)(relay.now / 1000);
}

/* relay-flow.c */
void flow_init(void);
void flow_add_listener(unsigned which, int fd);
void flow_accept(unsigned which);
void flow_event(uint32_t id, unsigned side, uint32_t events);
void flow_answer(const struct egress_answer_msg *m, int fd);
/* A connection through a published port: inner is the sandbox's end; both are taken over. */
void flow_port(uint32_t key, int inner, int outer);
/* End every flow of which this is true. */
void flow_cut(bool (*ends)(const struct flow *f, uint32_t key), uint32_t key);
/* The open ones that were busy last, to the supervisor. */
void flow_list(void);
void flow_run_ready(void);
bool flow_any_ready(void);
void flow_make_ready(struct flow *f, unsigned dir);
/* Clients that are not watched yet: once a turn of the loop; all: before it sleeps. */
bool flow_any_later(void);
void flow_watch(bool all);
void flow_approve(struct flow *f, uint64_t n, size_t seen);
void flow_bury(void); /* after a batch of events: ended flows may be used again */
void flow_tick(void);
bool flow_any_timed(void);
void flow_end(struct flow *f, bool reset);
void flow_end_all(void); /* the run is over */

/* relay-pump.c.  pump() returns 0, 1 when the flow is over in order, -errno when it has to be
 * reset. */
int pump(struct flow *f, unsigned dir);
int pump_init(void);  /* before the jail */
void pump_trim(void); /* idle: give back all memory that holds no bytes */
void pump_release(struct flow *f);

/* relay-upload.c: where to count what goes to a name and port, of which most bytes may; -1: the
 * table is full.  What is left there for a connection, and what it has sent: vaulted, where the
 * vault counts as well. */
int upload_account(int name, uint16_t port, uint64_t most);
uint64_t upload_left(int account, bool vaulted);
void upload_spend(int account, uint64_t n, bool vaulted);

/* relay-tell.c */
void tell_ask(struct flow *f); /* sends, or queues until there is room */
void tell_forget(struct flow *f);
void tell_writable(void);
void tell_denied(enum egress_why why, const char *name, const struct in6_addr *addr, uint16_t port,
	uint8_t proto, const char *seen);
void tell_end(const struct flow *f);
/* A list: its flows, then its end.  false: there is no room; without an end it counts for nothing.
 */
bool tell_open(const struct flow *f, uint32_t place);
void tell_listed(uint32_t open);
/* count connections to the same were made by a lease; false: there is no room, tell it later */
bool tell_again(uint8_t kind, int name, uint16_t port, uint32_t count);
void tell_tick(void);
bool tell_any_pending(void);

/* relay-live.c */
int live_init(void); /* before the jail */
void live_port(const struct egress_answer_msg *m, const int *fds, size_t n_fds);
void live_policy(int fd);
void live_cut_port(uint32_t key);

/* relay-lease.c */
struct lease_page;
int lease_init(int fd); /* before the jail; without it there are none */
const struct lease_page *lease_page(void);
void lease_take(const struct flow *f, uint8_t slot); /* slot: of the answer, 0 for none */
/* A socket that is connected to where the flow goes, or -1: the supervisor has to be asked. */
int lease_connect(const struct flow *f);
void lease_drop_all(void);
void lease_tick(void);
bool lease_any_pending(void);

/* relay-dns.c */
void dns_udp_ready(int fd);
void dns_tcp_accept(int fd);
void dns_conn_event(uint32_t idx, uint32_t events);
void dns_tick(void);
bool dns_any_timed(void);

#endif
