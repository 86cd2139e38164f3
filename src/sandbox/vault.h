/* sandbox/vault.h - the supervisor's side of the vault: bawn-vault, which holds the credentials and
 * speaks TLS to the world, and bawn-front, which speaks it to the agent.
 *
 * Owns: both processes, and what a new vault needs to take over from one that ended: its
 * configuration and its authority, sealed memfds that are only passed on.  Must not: look into
 * either, or into a byte of a connection.
 *
 * A connection that is terminated goes agent - relay - front - vault - upstream.  The supervisor
 * dials the checked address as for any other, makes the two streams in between, and hands each
 * process its ends.  A process that has died is started again at the next connection.  Where the
 * configuration changes, another pair takes over at the next connection; the one before goes on
 * with what it has until the next change, or the end.
 */
#ifndef BAWN_SANDBOX_VAULT_H
#define BAWN_SANDBOX_VAULT_H

#include "base/proc.h"
#include "vault/vault.h"

enum {
	VAULT_FLOWS = 1024, /* whose events can still be told what they are about */
	VAULT_SPENT = 64,   /* hosts whose uploads are remembered */
	VAULT_READY_MS = 5000,
	VAULT_LAST_MS = 500, /* at the end, for what hasn't been told yet */
};

struct vault_part {
	struct proc proc;
	int sock; /* -1: it doesn't run */
};

enum { VAULT_KEYS, VAULT_FRONT, VAULT_PARTS };

/* One bawn-vault and its bawn-front. */
struct vault_pair {
	struct vault_part part[VAULT_PARTS];
	bool used; /* a connection has gone through it */
};

struct vault_flow {
	uint32_t id;
	uint16_t port;
	char name[256];
};

struct vault_spent {
	uint64_t up;
	uint16_t port;
	char name[256];
};

struct vault {
	struct vault_pair pair[2]; /* what new connections go through; the one before */
	int config, resume, certificate;
	int errors; /* memfd: what the first one has to say at its start */
	uint32_t next;
	struct vault_flow *flows;  /* VAULT_FLOWS of them, made when needed */
	struct vault_spent *spent; /* VAULT_SPENT of them, likewise */
	unsigned n_spent;
};

struct sandbox;
void vault_clear(struct vault *v);
void vault_end(struct vault *v);
/* Have the loop told of what they say. */
int vault_watch(struct sandbox *s, struct err *err);
void vault_event(struct sandbox *s, unsigned int slot);
/* The last words of all of them. */
void vault_drain(struct sandbox *s);
/* dialer_vault */
const char *vault_refuse(void *sandbox, const char *name, uint16_t port, bool raw);
uint64_t vault_limit(void *sandbox, const char *name, uint16_t port, uint32_t *ret_rule);
struct http_verdict vault_judge(
	void *sandbox, const char *name, uint16_t port, const char *method, const char *target);
int vault_flow(void *sandbox, const char *name, uint16_t port, bool raw, int up, int *ret,
	struct err *err);

#endif
