/* registry/challenge.h - WWW-Authenticate (RFC 9110, 11.6.1): what a registry wants to know before
 * it answers.
 *
 * Owns: that grammar.  Must not: decide whether anybody is told anything.  Pure.
 */
#ifndef BAWN_REGISTRY_CHALLENGE_H
#define BAWN_REGISTRY_CHALLENGE_H

#include "base/macro.h"

#define CHALLENGE_REALM_MAX 2048
#define CHALLENGE_TEXT_MAX 512

struct challenge {
	bool basic, bearer;
	/* of the first Bearer challenge; "" what it doesn't say */
	char realm[CHALLENGE_REALM_MAX]; /* a URL, not yet looked at */
	char service[CHALLENGE_TEXT_MAX];
	char error[CHALLENGE_TEXT_MAX]; /* "insufficient_scope" */
};

/* Add what one header's value of n bytes says.  Schemes that we don't know are passed over.  0;
 * -EBADMSG: it is malformed, has control bytes in it or something too long; *c is then as it was.
 */
int challenge_add(struct challenge *c, const char *value, size_t n);

#endif
