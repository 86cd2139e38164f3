/* policy/write.h - what a policy says, as text again: YAML that the parser reads as the same.
 *
 * libc only.  Whoever writes a policy reads it again before it is kept (compare.h).
 */
#ifndef BAWN_POLICY_WRITE_H
#define BAWN_POLICY_WRITE_H

#include <stdio.h>

#include "policy/credential.h"

/* In double quotes; what a rule, a summary or a credential can hold needs no more.  The arena's. */
const char *write_quoted(struct arena *a, const char *s);
/* A size as rule_size() reads it: "50MB". */
void write_size(FILE *f, uint64_t bytes);

/* "*.example.com:8443", without the port 443; "GET,HEAD /repos". */
const char *write_host(const struct credential_host *h, char *buf, size_t cap);
const char *write_request(const struct http_rule *r, char *buf, size_t cap);
/* One entry of the list "credentials". */
void write_credential(struct arena *a, FILE *f, const struct credential *c);

#endif
