/* vault/vault.h - the messages between the supervisor, bawn-front and bawn-vault.
 *
 * Owns: their layout, the descriptors that come along, and what stands in a configuration.  libc
 * only, so that the supervisor includes it.
 *
 * SOCK_SEQPACKET, descriptor 3 of each helper; a message of any other size ends the helper, and the
 * supervisor trusts no field of what it is told.  A flow is one connection of the agent's and one
 * to the upstream; where one ends the other is closed.
 *
 *   agent ~TLS~ relay ~ (stream) bawn-front ~ link (stream) ~ bawn-vault ~TLS~ upstream
 *
 * Start: bawn-vault is given 3 the supervisor, 4 a configuration (sealed memfd), 5 what an earlier
 * one has left behind (the second descriptor of its VAULT_READY), or nothing; its environment is
 * SSL_CERT_FILE and SSL_CERT_DIR, as far as they are set.  It answers with VAULT_READY once.
 * bawn-front is given 3 and an empty environment, and says nothing at start.
 */
#ifndef BAWN_VAULT_VAULT_H
#define BAWN_VAULT_VAULT_H

#include <stdint.h>

#include "base/blob.h"
#include "policy/credential.h"
#include "policy/http-rule.h"

#define VAULT_MAGIC 0x62767431u /* "bvt1" */

enum vault_kind {
	VAULT_FLOW = 1, /* supervisor to both */
	VAULT_READY,    /* vault to supervisor; with it come two sealed memfds: the certificate of
			 * the sandbox's authority (PEM), and the authority itself, with its key, for
			 * the vault's successor and nobody else */
	VAULT_RENEW,    /* supervisor to vault: a whole configuration in place of the one it has;
			 * with it come upload_spent bytes of a sealed memfd */
	VAULT_EVENT,    /* vault or front to supervisor: a request, or why there was none */
};

/* One more flow.  With it come, to the front: the agent's stream, its end of the link; to the
 * vault: its end of the link, the connected TCP socket.  Both non-blocking. */
struct vault_flow_msg {
	uint32_t magic, kind;
	uint32_t flow; /* comes back in events */
	uint16_t port, pad;
	uint64_t upload_spent; /* bytes this run has sent to name:port so far; see up below */
	char name[256];        /* canonical, NUL-terminated */
};

enum vault_why {
	VAULT_WHY_NONE = 0, /* the request went upstream */
	VAULT_WHY_TLS,      /* the agent's handshake failed, took too long, or named another host */
	VAULT_WHY_MALFORMED, /* no strict HTTP/1.1, or a form that two parsers read in two ways */
	VAULT_WHY_HOST,      /* a Host that is not the connection's */
	VAULT_WHY_RULE,      /* an HTTP rule denies it, or none allows it: rule */
	VAULT_WHY_BUDGET,    /* max-upload is used up */
	VAULT_WHY_UNTRUSTED, /* the upstream's certificate does not hold */
	VAULT_WHY_UPSTREAM,  /* the upstream broke off, timed out, or speaks no HTTP/1 */
	VAULT_WHY_LIMIT,     /* too many flows */
	VAULT_WHY_REQUESTS,  /* a credential that goes there may not go with this request */
};

/* What the helpers tell: one event for each request, when the response's head is there or the
 * request was refused.  A message holds as many as it is long, at most VAULT_TELL_BATCH; READY
 * comes alone. */
#define VAULT_TELL_BATCH 16
struct vault_tell_msg {
	uint32_t magic, kind;
	uint32_t flow;
	uint32_t rule;   /* VAULT_WHY_RULE: for egress_rule(), or EGRESS_NO_RULE */
	uint16_t status; /* of the response; 0: there was none */
	uint8_t why, injected;
	uint32_t lost;   /* events that could not be sent before this one */
	uint64_t up;     /* bytes sent to this name:port by this vault and before (upload_spent) */
	char method[24]; /* printable; empty when there was no request */
	char path[256];  /* printable, without the query; cut off at the end */
	char text[256];  /* what is wrong, for a person */
};

/* ---- the configuration: a blob ---- */

enum vault_tag {
	VAULT_TAG_CREDENTIAL = 1, /* credential_put() */
	VAULT_TAG_SECRET,         /* of the credential before it: bytes */
	VAULT_TAG_PLACEHOLDER,    /* of the credential before it: a string */
	VAULT_TAG_RULE,           /* http_rule_put() */
	VAULT_TAG_RENEWS,         /* of the credential before it: where it is refused, it is being
				   * renewed: the agent is told to come again */
	VAULT_TAG_FORMER,         /* a secret that still counts, and is to be blanked: bytes */
};

/* Append one credential with its secret, or the rules; the caller erases b->data (b->cap bytes)
 * and its memfd is for the vault alone.  0 or -ENOMEM. */
int vault_config_credential(struct blob *b, const struct credential *c, const void *secret,
	size_t n, const char *placeholder);
int vault_config_renews(struct blob *b, const void *former, size_t n);
int vault_config_rules(struct blob *b, const struct http_rules *rules);

#endif
