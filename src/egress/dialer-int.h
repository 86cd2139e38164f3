/* egress/dialer-int.h - what the files of the dialer share.
 *
 *   dialer          messages of the relay, verdicts, answers
 *   dialer-dial     from a verdict to a connected socket: resolve, check, happy eyeballs, proxy
 *   dialer-resolve  the resolver helper and its cache
 *   dialer-ask      connections that wait for a person
 *   dialer-deny     the table of denials, their words
 *   dialer-live     flows that are open or have ended, as the relay tells
 *   dialer-tell     what the relay tells without asking
 *   dialer-lease    what the relay may connect to without asking
 *   dialer-why      the agent's questions about rules
 */
#ifndef BAWN_EGRESS_DIALER_INT_H
#define BAWN_EGRESS_DIALER_INT_H

#include "base/proc.h"
#include "egress/proxy.h"
#include "egress/dialer.h"
#include "egress/proto.h"
#include "egress/resolve-proto.h"

enum {
	DIALER_MAX_JOBS = 512,
	DIALER_MAX_DENIALS = 512,
	DIALER_MAX_ALLOWED = 256,
	DIALER_MAX_UNREACHED = 64,
	DIALER_CACHE = 64,
	DIALER_STAGGER_MS = 250, /* RFC 8305 5 */
	DIALER_CONNECT_MS = 15 * 1000,
	DIALER_MAX_QUEUE = 256,
	DIALER_ASK_NAMES = 16, /* questions at a time */
	DIALER_ASK_FLOWS = 16, /* that wait for one */
	DIALER_ASK_SETTLED = 64,
	DIALER_ASK_QUIET_MS = 60 * 1000, /* nobody answered: until it is asked for again */
};

enum dialer_event { DIALER_EV_RELAY, DIALER_EV_RESOLVER, DIALER_EV_TIMER, DIALER_EV_JOB };

enum job_state { JOB_RESOLVE = 1, JOB_CONNECT, JOB_PROXY };

/* One connection being made. */
struct job {
	uint32_t id; /* generation << 16 | slot */
	uint32_t flow;
	enum job_state state;
	struct egress_verdict verdict;
	bool explicit_addr; /* the user gave the address, or the name that stands for it */
	bool via_proxy;
	bool private_addr;     /* connected to one that only a "private" rule allows */
	bool by_name, by_addr; /* what was asked for: name, or asked */
	struct host_addr asked;
	uint16_t port;     /* to connect to */
	char target[300];  /* what the agent asked for, as shown: "example.com:443" */
	char name[256];    /* what is allowed: for the fix */
	char dial[256];    /* the name being resolved; "" when addr[] was given */
	char connect[300]; /* HOST:PORT for the proxy's CONNECT */
	char auth[512];    /* base64 of user:password, or "" */
	uint16_t ask_port;
	struct host_addr addr[RESOLVE_MAX_ADDRS];
	int fd[RESOLVE_MAX_ADDRS];
	unsigned n_addr, n_started, n_failed;
	unsigned reached; /* the address that it is connected to */
	int last_error;
	int proxy_fd;
	uint64_t deadline, next_start; /* ms; next_start 0: none is left to start */
};

enum cache_state { CACHE_FREE, CACHE_PENDING, CACHE_DONE };

struct cache_entry {
	enum cache_state state;
	uint32_t id;
	uint8_t status, tries;
	uint8_t n;
	uint64_t expires; /* ms */
	char name[256];
	struct host_addr addr[RESOLVE_MAX_ADDRS];
};

struct denial {
	char *target, *reason, *rule, *fix;
	uint64_t count;
};

/* Allowed targets, so that a burst of connections is one event. */
struct allowed {
	char target[300];
	uint32_t rule;
	uint64_t count, told; /* connections not told yet; ms of the last telling */
};

/* Targets that were allowed, and could not be reached. */
struct unreached {
	char target[300], reason[300];
	uint64_t count;
	bool reached; /* a later connection was made */
};

struct answer {
	struct egress_answer_msg msg;
	int fds[2]; /* -1: none */
};

struct dialer {
	struct dialer_config c;
	int epoll, timer;
	uint64_t now, armed; /* ms; what the timer is set to, 0: not */
	struct job *jobs[DIALER_MAX_JOBS];
	struct job *spare; /* of an ended one: saves two calls and two page faults a connection */
	uint32_t gen;
	unsigned n_jobs;

	struct answer *queue; /* ring of DIALER_MAX_QUEUE + DIALER_MAX_JOBS, made when needed */
	unsigned q_head, q_len;
	uint32_t relay_events;

	struct proc resolver;
	int resolver_sock;
	uint32_t next_id;
	struct cache_entry *cache; /* DIALER_CACHE of them, made when needed */

	struct proxy http, https;
	struct asks *asks; /* made when needed */

	struct denial denials[DIALER_MAX_DENIALS];
	unsigned n_denials;
	struct denial overflow;
	struct allowed *allowed; /* DIALER_MAX_ALLOWED of them, made when needed */
	unsigned n_allowed;
	struct unreached *unreached; /* DIALER_MAX_UNREACHED of them, made when needed */
	unsigned n_unreached;
	struct flows *flows; /* made when needed */
	bool relay_heard;    /* it runs, or is being started */

	struct lease_page *leases; /* shared with the relay; NULL: it asks each time */

	uint64_t why_tokens, why_last; /* thousandths of questions; ms */
};

/* dialer.c */
void dialer_wake_at(struct dialer *d, uint64_t ms);
/* Answer and forget the job.  fd is taken over. */
void dialer_open(struct dialer *d, struct job *j, int fd);
void dialer_failed(struct dialer *d, struct job *j, const char *fmt, ...) _printf_(3, 4);
void dialer_refused(struct dialer *d, struct job *j, const char *reason, const char *fix);

void dialer_update_now(struct dialer *d);
void dialer_watch_relay(struct dialer *d); /* after an answer that no dispatch caused */
/* Where a connection to name, canonical, goes instead: the first that fits, or NULL. */
const struct dialer_override *dialer_override_of(
	const struct dialer *d, const char *name, uint16_t port);
/* The verdict on a connection to name, canonical, and what follows; nobody is asked. */
void dialer_judge_name(struct dialer *d, uint32_t flow, const char *name, uint16_t port);

/* Ask the relay something; no descriptor goes along. */
void dialer_post(struct dialer *d, enum egress_answer what);

/* dialer-live.c */
void live_ended(struct dialer *d, const struct egress_ask_msg *m);
void live_open(struct dialer *d, const struct egress_ask_msg *m);
void live_listed(struct dialer *d, const struct egress_ask_msg *m);
void live_free(struct dialer *d);

/* dialer-ask.c */
/* The flow waits for a person; false: it can't, and is to be denied. */
bool ask_hold(struct dialer *d, uint32_t flow, const char *name, uint16_t port, const char *target);
void ask_tick(struct dialer *d);
void ask_judge_again(struct dialer *d); /* by other rules, at the next dispatch */
void ask_free(struct dialer *d);

/* dialer-why.c */
/* The answer to a name that is a question, in dst. */
void dialer_why(struct dialer *d, const char *name, char *dst, size_t cap);
/* One question more; false when there were too many. */
bool dialer_why_take(struct dialer *d);
/* A rule as the inside may know it: no path of the host. */
void dialer_rule_inside(const struct dialer *d, uint32_t rule, char *dst, size_t cap);

/* dialer-dial.c */
void dial_start(struct dialer *d, struct job *j); /* j->addr[] is filled, or j->dial set */
void dial_event(struct dialer *d, uint32_t id, unsigned attempt);
void dial_tick(struct dialer *d);
void dial_resolved(struct dialer *d, const struct cache_entry *e);
void dial_release(struct job *j);
/* Why an address must not be dialled, or NULL. */
const char *dial_refused(const struct job *j, const struct host_addr *a);

bool dial_is_loopback(const struct host_addr *a);
socklen_t dial_sockaddr(const struct host_addr *a, uint16_t port, struct sockaddr_storage *ret);

/* dialer-lease.c */
uint8_t lease_give(struct dialer *d, const struct job *j); /* for the answer; 0: it has to ask */
void lease_recall(struct dialer *d);                       /* all, before other rules count */
void lease_told(struct dialer *d, const struct egress_ask_msg *m);
void lease_free(struct dialer *d);

/* dialer-resolve.c */
const struct cache_entry *resolve_lookup(struct dialer *d, const char *name);
void resolve_event(struct dialer *d);
void resolve_stop(struct dialer *d);

/* dialer-deny.c */
void deny_rule_text(const struct dialer *d, uint32_t rule, char *dst, size_t cap);
void deny_note(struct dialer *d, const char *target, const char *reason, uint32_t rule,
	const char *fix, uint32_t count);
/* The relay has counted what went to a host. */
void deny_upload(struct dialer *d, const struct egress_ask_msg *m, const char *target);
uint64_t upload_limit(const struct dialer *d, const struct job *j);
void allow_note(struct dialer *d, const char *target, uint32_t rule, uint32_t count);
void allow_flush(struct dialer *d);
void deny_text(const struct dialer *d, char *dst, size_t cap, const char *target,
	const char *reason, uint32_t rule, const char *fix);
void deny_free(struct dialer *d);
void dialer_format_target(char *dst, size_t cap, const char *name, uint16_t port);
void dialer_format_addr(char *dst, size_t cap, const struct host_addr *a, uint16_t port);
/* The option that would allow host:port; no port means 443. */
void dialer_fix_name(char *dst, size_t cap, const char *option, const char *host, uint16_t port);
void dialer_fix_addr(char *dst, size_t cap, const struct host_addr *a, uint16_t port);
/* The reason of a denial by the rules; fix is emptied where adding a rule wouldn't help. */
const char *dialer_deny_reason(const struct egress_verdict *v, bool offline, char *fix);

/* dialer-unreached.c */
void unreached_note(struct dialer *d, const char *target, const char *why);
void unreached_no_more(struct dialer *d, const char *target);
void unreached_free(struct dialer *d);

/* dialer-tell.c */
void tell_denied(struct dialer *d, const struct egress_ask_msg *m);

#endif
