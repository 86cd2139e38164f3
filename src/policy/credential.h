/* policy/credential.h - what a policy says about credentials: which secret goes to which hosts, in
 * which header, and what the agent sees in its place.
 *
 * Owns: the compiled form (it lies in the pack; no credentials, no record) and its questions.
 * Pure.  Must not: know where a secret comes from (src/secret) or hold one.
 */
#ifndef BAWN_POLICY_CREDENTIAL_H
#define BAWN_POLICY_CREDENTIAL_H

#include "base/arena.h"
#include "policy/egress.h"
#include "policy/http-rule.h"

#define CREDENTIALS_MAX 64
#define CREDENTIAL_PLACEHOLDER_MAX 512

struct credential_host {
	const char *name; /* canonical, behind the wildcard */
	uint32_t kind;    /* EGRESS_EXACT, EGRESS_ONE or EGRESS_ANY */
	uint16_t port;
};

struct credential {
	const char *secret; /* its name in the store: "anthropic" */
	struct credential_host *hosts;
	size_t n_hosts;
	const char *header; /* the field's name, lower case: "x-api-key", "authorization" */
	/* The field's value is before, the secret, after; with basic_user it is "Basic " and
	 * base64(basic_user ":" secret) instead (RFC 7617), and both are "". */
	const char *before, *after;
	const char *basic_user; /* NULL: no basic authentication */
	struct strv env;        /* variables in which the agent gets the placeholder.  In bawn's own
				   environment they are where the secret is, if none is stored */
	struct strv files; /* "~/PATH=LINES": files of the sandbox's home that have it, too, where
			      {} stands in the lines */
	const char *shape; /* of the placeholder: text, in which {N} is N random letters and
			      digits */
	bool always; /* put the header into every request to these hosts, not only those that have
			the placeholder in it */
	struct http_rules requests; /* those that may carry it; none: every request.  Of each entry
				       only methods and path count */
	const char *beyond;         /* the policy by which others may, too; or NULL */
	const char *file;           /* where it stands */
	uint32_t line;
};

struct credentials {
	struct credential *v;
	size_t n;
};

/* Does any credential go to this canonical name and port?  c may be NULL: a policy without any. */
bool credential_host(const struct credentials *c, const char *name, uint16_t port);
/* Does this one? */
bool credential_goes_to(const struct credential *c, const char *name, uint16_t port);

/* ... and may this request carry it?  Where it may not, nothing else may stand in the header. */
bool credential_sends(const struct credential *c, const char *name, uint16_t port,
	const char *method, size_t method_len, const char *target, size_t target_len);

/* A placeholder of the credential's shape from random bytes (at least strlen of the result many;
 * CREDENTIAL_PLACEHOLDER_MAX always suffices).  Bytes of ret, or -EINVAL.  It depends on the shape
 * and on random alone. */
int credential_placeholder(const struct credential *c, const unsigned char *random, size_t n,
	char ret[static CREDENTIAL_PLACEHOLDER_MAX + 1]);

/* The path and the lines of a file, the latter with the placeholder in; in arena, NULL: out of
 * memory. */
char *credential_file(struct arena *a, const char *file, const char *placeholder);

/* Is s a shape?  Its length when filled, or -EINVAL with *err. */
int credential_shape_check(const char *s, struct err *err);

#endif
