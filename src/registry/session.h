/* registry/session.h - talking to one registry about one repository: who asks, where it leads, and
 * when to come again.
 *
 * Owns: tokens, redirects, waiting.  Must not: know what a manifest or a blob is; ops.c does.
 */
#ifndef BAWN_REGISTRY_SESSION_H
#define BAWN_REGISTRY_SESSION_H

#include "registry/http.h"
#include "registry/request.h"
#include "registry/secrets.h"

struct session {
	struct http *http;
	const struct registry_request *q;
	struct registry_secrets *secrets; /* bearer: a token that it got */
	bool push;                        /* what is asked of the repository */
	bool basic;                       /* the registry wants a name and a password itself */
	bool asked;                       /* a token was got in this session */
	int64_t left;                     /* tries */
};

/* Make the call, with who we are, where it leads, and again where that may help: not answered, too
 * many requests, the registry's own trouble.  call->url is put in place of by what it was
 * redirected to.  once: what has begun to flow is the caller's to begin again.  0: an answer of
 * 2xx, or 404 where missing says that it may be; else -errno with what is wrong and the remedy.
 * *ret is to be freed. */
int session_call(struct session *s, const struct http_call *call, bool missing,
	struct http_answer *ret, struct err *err);

/* What was answered instead of what was wanted, as an error. */
int session_refused(const struct session *s, const struct http_answer *w, struct err *err);

/* Wait before the next try; false: there is none. */
bool session_again(struct session *s, int64_t seconds);

#endif
