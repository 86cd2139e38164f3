/* registry/ops.h - what bawn-registry can be asked: request.h.
 *
 * Owns: the paths of the distribution API, and that what was received is what was asked for.
 */
#ifndef BAWN_REGISTRY_OPS_H
#define BAWN_REGISTRY_OPS_H

#include "registry/session.h"

#define OPS_DATA_FD 4

/* REGISTRY_FETCH (fetch.c): what a URL of anyone's leads to. */
int fetch_do(struct session *s, struct registry_answer *ret, struct err *err);

/* 0 with *ret (texts in a), or -errno. */
int ops_do(struct session *s, struct arena *a, struct registry_answer *ret, struct err *err);

/* What Docker's config.json in text says of a host: a name and a password, a token, or (in
 * ret->helper) a helper that knows.  Nothing is no error. */
int login_find(struct arena *a, const char *text, size_t n, const char *host,
	struct registry_secrets *ret, struct registry_answer *ret_answer, struct err *err);
/* What a helper has answered. */
int login_helper(const char *text, size_t n, struct registry_secrets *ret, struct err *err);

#endif
