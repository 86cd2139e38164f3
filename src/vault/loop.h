/* vault/loop.h - the one loop of bawn-front and of bawn-vault: flows, the supervisor, the clock.
 *
 * Every descriptor is edge-triggered (wire.h), and a flow is moved on until nothing moves; one that
 * would go on for ever is set back so that the others get their turn.  Requests that were made are
 * told together, at most every TELL_LATE ms while they are many; what is refused is told at once.
 */
#ifndef BAWN_VAULT_LOOP_H
#define BAWN_VAULT_LOOP_H

#include "vault/link.h"
#include "vault/tls.h"
#include "vault/vault.h"

#define LOOP_FLOWS_MAX 16384
#define LOOP_SUPER_FD 3

/* What both have of a flow; the first member of theirs. */
struct flow {
	struct flow *next, *prev;
	uint32_t id;
	uint16_t port;
	bool dead, queued;
	uint64_t deadline; /* ms, 0: none */
	struct wire wire;  /* the agent's stream, or the upstream's */
	struct link link;
	struct tls *tls;
	char name[256]; /* canonical */
};

struct loop_ops {
	size_t flow_size;
	int agent_fd; /* which of a message's two descriptors is flow->wire's, the other is the
		       * link's */
	void (*start)(struct flow *f, const struct vault_flow_msg *m);
	bool (*pump)(struct flow *f);    /* move on; true: there is more to do at once */
	void (*late)(struct flow *f);    /* its deadline is over */
	void (*stop)(struct flow *f);    /* free what is its own */
	void (*renew)(int fd, size_t n); /* VAULT_RENEW; NULL: there is none */
};

/* Until the supervisor's socket ends; 0, or 1 if something is wrong with that. */
int loop_run(const struct loop_ops *ops);

uint64_t loop_now(void); /* ms */
void loop_tell(const struct vault_tell_msg *m);
/* A text for an event: printable, and cut off where it is too long. */
void loop_text(char *dst, size_t cap, const char *p, size_t n);

/* Memory, descriptors, system calls and files: given up for good.  0 or -errno. */
int loop_confine(struct err *err);

#endif
