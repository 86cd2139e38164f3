/* policy/request-table.h - credentials and HTTP rules as records of a pack: one record for each,
 * whose content is a blob of its own.
 *
 * What is read points into the record; only the arrays are the arena's.
 */
#ifndef BAWN_POLICY_REQUEST_TABLE_H
#define BAWN_POLICY_REQUEST_TABLE_H

#include "base/blob.h"
#include "policy/credential.h"
#include "policy/http-rule.h"

/* Append one record with this tag. */
void credential_put(struct blob *b, uint32_t tag, const struct credential *c);
void http_rule_put(struct blob *b, uint32_t tag, const struct http_rule *r);

/* Read one and append it to *ret.  0, -EBADMSG or -ENOMEM. */
int credential_get(struct arena *a, const struct blob_view *v, struct credentials *ret);
int http_rule_get(struct arena *a, const struct blob_view *v, struct http_rules *ret);

#endif
