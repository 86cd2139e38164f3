/* egress/dialer.h - the supervisor's side of the network: decide, resolve, check, connect, hand
 * over.
 *
 * Owns: the socket to the relay, the resolver helper, connections being made.  Must not: parse
 * anything the agent or the network sent but the fixed-size messages of egress/proto.h.
 */
#ifndef BAWN_EGRESS_DIALER_H
#define BAWN_EGRESS_DIALER_H

#include <stdint.h>

#include "policy/egress.h"
#include "policy/http-rule.h"

/* curl's --connect-to HOST:PORT:ADDR:PORT; the user's explicit word, so addr may be loopback. */
struct dialer_override {
	const char *host;    /* canonical; "" matches any */
	uint16_t port;       /* 0 matches any */
	const char *to_host; /* name or address; "" keeps */
	uint16_t to_port;    /* 0 keeps */
};

/* One denial or failure, as the exit list and the live line show it. */
struct dialer_denial {
	const char *target; /* "example.com:443", "udp 8.8.8.8:53" */
	const char *reason; /* "no rule allows it (policy balanced)" */
	const char *rule;   /* "policies/egress/x.yaml:12: deny statsig..." or "" */
	const char *fix;    /* "--allow example.com" or "" when nothing would */
	uint64_t count;
};

/* A name that no rule knows, and that a person is asked about. */
struct dialer_question {
	uint32_t id;
	const char *target; /* "example.com:443" */
	const char *name;
	uint16_t port;
	unsigned flows;   /* connections that wait */
	uint32_t left_ms; /* until they are denied */
};

enum dialer_asked {
	DIALER_ASKED,        /* a new question */
	DIALER_NOT_ANSWERED, /* in time: denied */
	DIALER_SAID_NO,      /* dialer_question_refuse() */
	DIALER_RULED,        /* a rule knows the name now: judged by it */
};

struct dialer_hooks {
	void *ctx;
	/* A process inside connects to name:port, from its own port client, and waits for an
	 * answer.  NULL: nobody wants to know. */
	void (*asks)(void *ctx, const char *name, uint16_t port, uint16_t client);
	/* A question comes up or ends. */
	void (*asked)(void *ctx, const struct dialer_question *q, enum dialer_asked what);
	/* Every verdict.  A denial: once per target and reason, then only counted.  An allowed
	 * target: at once, then at most once a second with count saying how many connections. */
	void (*verdict)(void *ctx, bool allowed, const struct dialer_denial *d);
	/* An allowed target can't be reached: once for each. */
	void (*unreached)(void *ctx, const char *target, const char *why);
	/* flows to one target ended: sums of bytes and milliseconds, about once a second */
	void (*flow_end)(void *ctx, const char *target, uint64_t up, uint64_t down, uint64_t ms);
};

/* Where TLS ends outside of the sandbox (sandbox/vault.h). */
struct dialer_vault {
	void *ctx;
	/* Before anything is dialled: why no connection to name:port may be made, or NULL. */
	const char *(*refuse)(void *ctx, const char *name, uint16_t port, bool raw);
	/* A connection to name:port is open; raw: its rule says that nothing may look into it.  1:
	 * it goes to the relay as it is.  0: up is taken over, and *ret goes there instead. -errno:
	 * neither, with the reason. */
	int (*flow)(void *ctx, const char *name, uint16_t port, bool raw, int up, int *ret,
		struct err *err);
	/* Bytes that may be sent to name:port on connections that go to the relay as they are, and
	 * the rule that says so; 0: no limit. */
	uint64_t (*limit)(void *ctx, const char *name, uint16_t port, uint32_t *ret_rule);
	/* May this request be made, given that the connection may?  NULL: every one. */
	struct http_verdict (*judge)(
		void *ctx, const char *name, uint16_t port, const char *method, const char *target);
};

struct dialer_config {
	int relay_sock; /* our end of the SOCK_SEQPACKET pair; taken over */
	const struct egress *egress;
	const char *resolver_path; /* libexec/bawn/bawn-resolve */
	const struct dialer_override *overrides;
	size_t n_overrides;
	const uint16_t *host_ports; /* loopback ports the relay may ask for */
	size_t n_host_ports;
	const char *https_proxy, *http_proxy, *no_proxy; /* the host's, or NULL */
	/* The user's command line around the option that would allow something: "bawn run" and
	 * "claude . -- -p hi"; NULL: "bawn run" and nothing. */
	const char *fix_prefix, *fix_suffix;
	const char
		*fix_sandbox; /* or the running sandbox whose policy can be changed; NULL: none */
	/* How long a connection to a name that no rule knows waits for a person; 0: not at all. */
	uint32_t ask_ms;
	struct dialer_hooks hooks;
	struct dialer_vault vault; /* flow NULL: there is none */
};

struct dialer;
/* Everything c points to must outlive the dialer.  0 or -errno. */
int dialer_new(const struct dialer_config *c, struct dialer **ret, struct err *err);
/* Open files without which the relay does not work. */
unsigned dialer_relay_fds(void);
/* For the relay, before it starts: addresses that it may connect to by itself (egress/lease.h).  A
 * descriptor, which is to be the relay's 6, and this its argument; or -1: it has to ask for each.
 */
#define DIALER_RELAY_LEASES "leases"
int dialer_lease_fd(struct dialer *d);
int dialer_fd(const struct dialer *d); /* readable when dialer_dispatch() has work */
int dialer_dispatch(
	struct dialer *d); /* 0; -EPIPE when the relay is gone, -EPROTO when it sent nonsense */
/* A published port was connected to: the relay carries it from here.  Both sockets are connected,
 * and taken over.  target: in words, for the log. */
void dialer_port_open(
	struct dialer *d, uint16_t host, uint16_t inside, const char *target, int inner, int outer);
/* It is published no more: its connections end. */
void dialer_port_cut(struct dialer *d, uint16_t host, uint16_t inside);
/* Decide by these rules from now on.  What is being dialled, and what is open, is judged again:
 * what is denied now ends, the rest goes on untouched.  e must outlive the dialer or the next call;
 * table: its n bytes, for the relay.  0 or -errno, with nothing changed. */
int dialer_policy(
	struct dialer *d, const struct egress *e, const void *table, size_t n, struct err *err);
/* Something else was refused: it counts and is shown as a denial.  fix: the option that would allow
 * it, or "". */
void dialer_denied(
	struct dialer *d, const char *target, const char *reason, uint32_t rule, const char *fix);
/* The questions, oldest first; false past the last.  By number: 0 or -ENOENT. */
bool dialer_question(struct dialer *d, unsigned i, struct dialer_question *ret);
int dialer_question_find(struct dialer *d, uint32_t id, struct dialer_question *ret);
/* A person says no: what waits is denied, and the name not asked for again.  0 or -ENOENT. */
int dialer_question_refuse(struct dialer *d, uint32_t id);
/* An open connection, as the relay told a moment ago. */
struct dialer_flow {
	const char *target;    /* "example.com:443" */
	char rule[600];        /* that allows it now; "" where none does (ports) */
	uint64_t up, down, ms; /* bytes so far, its age */
	uint16_t from;         /* the port inside that it comes from, 0: not known */
};

/* How many are open, and the i-th of those that were busy last; false past the last (of
 * EGRESS_LIST_MAX).  Asks the relay for what is next told; *ret_stale: it has not answered for a
 * while, ask again in a moment. */
unsigned dialer_flows(struct dialer *d, bool *ret_stale);
bool dialer_flow(struct dialer *d, unsigned i, struct dialer_flow *ret);
/* The denials, the newest kind first; false past the last. */
bool dialer_denial(const struct dialer *d, unsigned i, struct dialer_denial *ret);
/* All denials of the run, most frequent first; fn is called for each. */
void dialer_each_denial(
	const struct dialer *d, void (*fn)(void *ctx, const struct dialer_denial *x), void *ctx);
/* All targets that were allowed and not reached in the end: target, reason, count. */
void dialer_each_unreached(
	const struct dialer *d, void (*fn)(void *ctx, const struct dialer_denial *x), void *ctx);
/* The sandbox has ended: hear the relay's last words, at most ms milliseconds long. */
void dialer_finish(struct dialer *d, int ms);
void dialer_free(struct dialer *d);

#endif
