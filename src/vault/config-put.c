/* vault/config-put.c - the supervisor's side of a configuration; see vault.h */
#include "vault/vault.h"

#include "policy/request-table.h"

int vault_config_credential(struct blob *b, const struct credential *c, const void *secret,
	size_t n, const char *placeholder)
{
	credential_put(b, VAULT_TAG_CREDENTIAL, c);
	blob_put(b, VAULT_TAG_SECRET, secret, n);
	blob_put_str(b, VAULT_TAG_PLACEHOLDER, placeholder);
	return b->failed ? -ENOMEM : 0;
}

int vault_config_renews(struct blob *b, const void *former, size_t n)
{
	blob_put_u64(b, VAULT_TAG_RENEWS, 1);
	if (n)
		blob_put(b, VAULT_TAG_FORMER, former, n);
	return b->failed ? -ENOMEM : 0;
}

int vault_config_rules(struct blob *b, const struct http_rules *rules)
{
	for (size_t i = 0; rules && i < rules->n; i++)
		http_rule_put(b, VAULT_TAG_RULE, &rules->v[i]);
	return b->failed ? -ENOMEM : 0;
}
