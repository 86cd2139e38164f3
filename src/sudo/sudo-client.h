/* sudo/sudo-client.h - the client's side of plan/sudo.h: a command under another identity, started
 * by pid 1, as if it were the caller's own child.
 *
 * Owns: the request, the terminal between the caller's and the command's own, signals and stops.
 * Must not: know options or users.
 */
#ifndef BAWN_SUDO_CLIENT_H
#define BAWN_SUDO_CLIENT_H

#include "base/arena.h"

struct sudo_command {
	const char *exe; /* a name without a slash is looked for in PATH of env */
	struct strv argv, env;
	unsigned int umask;
	bool root, detach;
};

/* Ask, and stay until it ends; with detach: until it runs.  *ret_status as wait(2) has it, 0 with
 * detach.  -ENOTCONN: nobody is there to ask; otherwise -errno of why it could not be started. */
int sudo_client_run(const struct sudo_command *c, int *ret_status, struct err *err);

#endif
