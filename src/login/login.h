/* login/login.h - the messages between the supervisor and bawn-login, which looks after the user's
 * log-ins while a sandbox uses them.
 *
 * Owns: their layout.  libc only, so that the supervisor includes it.
 *
 * SOCK_SEQPACKET, descriptor 3 of bawn-login; 4 is what it looks after: a JSON object a line, whose
 * values are strings: "name" (the policy's credential), "label" and "run" (for people), "file" of
 * the host, in it the places "token", "expires" ("jwt": the token says it), "refresh", "id" and
 * "refreshed"; "url", "client_id", "client_secret", "scope" and "form" ("yes") of the request that
 * renews it.  Arguments: the directory for locks, then HOST:PORT:ADDR:PORT as of --connect-to.
 *
 * With --begin it makes one log-in that is not there yet (begin.h), for `bawn login`; the one line
 * then has, beside these, "authorize" (the URL a browser is sent to), "ask_scope", "extra", "host",
 * "port" ("0": any) and "path" to which it comes back, "paste", "set", "account", "claims", "claim"
 * and "send_state".
 *
 * It tells of each log-in once at its start, and again when there is a new token, by its own clock,
 * because the host's file has changed, or because it was told that the token is refused.  It ends
 * when the supervisor does, but not in the middle of a renewal.
 */
#ifndef BAWN_LOGIN_LOGIN_H
#define BAWN_LOGIN_LOGIN_H

#include <stdint.h>

#define LOGIN_MAGIC 0x62766c31u /* "bvl1" */
#define LOGIN_TOKEN_MAX 16384
#define LOGIN_MAX 8 /* log-ins of one sandbox */

enum login_kind {
	LOGIN_TOKEN = 1, /* bawn-login: the token to use from now on */
	LOGIN_FAILED,    /* bawn-login: text says why there is none; it goes on trying */
	LOGIN_DEAD,      /* bawn-login: the same, and only a person can change it */
	LOGIN_REFUSED,   /* supervisor: this token is refused, or none was told so far */
};

struct login_msg {
	uint32_t magic, kind;
	uint32_t which; /* the line */
	uint32_t n;     /* bytes of token */
	char token[LOGIN_TOKEN_MAX];
	char text[768], hint[512];
};

#endif
