/* sudo/sudo-env.h - the variables that a command has behind sudo or su.
 *
 * Pure.  It is order, not defence: who calls and what is called have the same rights.
 */
#ifndef BAWN_SUDO_ENV_H
#define BAWN_SUDO_ENV_H

#include "sudo/sudo-args.h"
#include "sudo/sudo-user.h"

#define SUDO_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* env: the caller's, with NULL behind; to: who the command is, from: who calls.  shell: what runs
 * it, or NULL.  0 or -ENOMEM. */
int sudo_env(struct arena *a, char *const *env, const struct sudo_args *s,
	const struct sudo_user *to, const struct sudo_user *from, const char *shell,
	struct strv *ret);

#endif
