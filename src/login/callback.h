/* login/callback.h - the one request by which a browser brings an authorization code back (RFC 6749
 * 4.1.2, RFC 8252 7.3).
 *
 * Pure, for the process that is confined.
 */
#ifndef BAWN_LOGIN_CALLBACK_H
#define BAWN_LOGIN_CALLBACK_H

#include "base/err.h"
#include "vault/http1.h"

#define CALLBACK_CODE_MAX 4096

struct callback_want {
	const char *host; /* of the redirect: "localhost" */
	uint16_t port;
	const char *path;  /* "/callback" */
	const char *state; /* what only the browser that we have sent can know */
};

enum callback_kind {
	CALLBACK_MORE,   /* of the request has to come */
	CALLBACK_CODE,   /* code is it */
	CALLBACK_DENIED, /* code is the endpoint's word for why, as it was sent */
	CALLBACK_NO,     /* not the request that is waited for */
};

/* The request at the front of buf.  code holds only visible ASCII. */
enum callback_kind callback_read(const char *buf, size_t n, const struct callback_want *want,
	char code[static CALLBACK_CODE_MAX]);

/* CODE#STATE, as a person brings it back from a page that shows it, blanks and line end around it:
 * is it ours? */
bool callback_paste(const char *line, const char *state, char code[static CALLBACK_CODE_MAX]);

/* In constant time for texts of one length. */
bool callback_same(const char *a, const char *b);

#endif
