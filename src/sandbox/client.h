/* sandbox/client.h - a person's terminal, or a script, at a session of a lasting sandbox.
 *
 * Owns: the terminal while the session has it, the signals meanwhile, the keys that detach.  The
 * session itself is the supervisor's (sandbox/server.h).
 */
#ifndef BAWN_SANDBOX_CLIENT_H
#define BAWN_SANDBOX_CLIENT_H

#include "sandbox/session.h"

struct client_config {
	int sock;         /* to the supervisor; a request that starts a session was sent */
	uint8_t tty_fds;  /* which of 0-2 are the terminal */
	bool clipboard;   /* pass OSC 52 writes to it */
	bool detached;    /* return as soon as the session has started */
	bool interrupt;   /* SIGINT asks it to end as SIGTERM does, not only the program */
	const char *keys; /* bytes that detach when typed in a row; NULL: none do */
};

struct client_result {
	int code;
	bool detached; /* the session goes on */
	bool failed;   /* the program was not started; *err says why */
	bool timeout;  /* its time was over */
	int signal; /* SIGINT, SIGTERM or SIGHUP was sent to us and passed on, the first; else 0 */
};

/* Stay until the session ends, the user detaches, or the supervisor goes.  The signals of
 * session_signals() must be blocked; they reach the session.  0 or -errno; -ESRCH (err untouched):
 * the supervisor ended before it took the request up. */
int client_run(const struct client_config *c, struct client_result *ret, struct err *err);

/* "ctrl-p,ctrl-q" as bytes in dst[17]; -EINVAL with the grammar. */
int client_detach_keys(const char *text, char dst[17], struct err *err);

#endif
