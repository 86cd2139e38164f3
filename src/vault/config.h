/* vault/config.h - what bawn-vault was given: credentials with their secrets, HTTP rules; and what
 * becomes of a request by them.
 *
 * Owns: the only memory that holds secrets, locked and left out of core dumps, erased at the end.
 */
#ifndef BAWN_VAULT_CONFIG_H
#define BAWN_VAULT_CONFIG_H

#include "vault/http1.h"
#include "vault/scrub.h"
#include "vault/vault.h"

struct vault_key {
	const char *placeholder;
	const char *value; /* of the field, with the secret in it */
	size_t n;
	bool renews; /* VAULT_TAG_RENEWS */
};

struct vault_config {
	struct arena arena;
	char *secrets; /* a mapping of its own, n bytes of cap in use */
	size_t n, cap;
	struct credentials credentials;
	struct vault_key key[CREDENTIALS_MAX];
	struct http_rules rules;
	struct scrub scrub; /* every form in which a secret is sent */
};

/* data: the blob; must stay, as the rest points into it, but its secrets are moved to locked memory
 * and erased there.  0; -EBADMSG, -ENOMEM, or -EINVAL for a secret that can't be sent, with *err.
 */
int config_read(struct vault_config *c, char *data, size_t n, struct err *err);
void config_erase(struct vault_config *c);

/* The credential that this request asks for (its field is there, or it goes with all) and may not
 * have; NULL: none. */
const struct credential *config_barred(
	const struct vault_config *c, const struct h1_head *h, const char *name, uint16_t port);

/* The request as it goes upstream, with what credentials put in: *ret_injected, and whether it is
 * one that can be renewed.  0 or -ENOMEM. */
int config_inject(const struct vault_config *c, const struct h1_head *h, const char *name,
	uint16_t port, struct buf *out, bool *ret_injected, bool *ret_renews);

/* May these lines stand behind a request's body?  Not a field that a credential puts in,
 * nor one that says another method or path than the head, where rules hold. */
bool config_trailers_ok(
	const struct vault_config *c, const char *name, uint16_t port, struct http_span lines);

#endif
