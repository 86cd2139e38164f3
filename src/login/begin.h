/* login/begin.h - a log-in that is not there yet: by the browser, with a code that comes back to
 * this machine (RFC 8252), proved by PKCE (RFC 7636).
 */
#ifndef BAWN_LOGIN_BEGIN_H
#define BAWN_LOGIN_BEGIN_H

#include "base/arena.h"
#include "json/json.h"

struct begin {
	struct json_doc *spec; /* login.h; besides "authorize", "host", "port", "path", "extra" */
	const char *name, *label, *file;
	const char *token_host, *token_port;
	const char *lock_dir;
	const char *browser; /* absolute, or "" */
	const struct strv *overrides;
	unsigned int seconds;
	bool force;
};

/* 0 or -errno; nothing is written unless it is the whole log-in. */
int begin_login(const struct begin *b, struct err *err);

#endif
