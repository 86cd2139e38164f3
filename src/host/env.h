/* host/env.h - which of the caller's environment variables go along.
 *
 * An allow-list: the base table (language, terminal, time zone) and the profile's env.pass and
 * keys.  PATH, HOME, USER, SHELL and toolchain variables are the plan's to set.
 */
#ifndef BAWN_HOST_ENV_H
#define BAWN_HOST_ENV_H

#include "base/arena.h"
#include "policy/profile.h"

struct host_env {
	struct strv env;      /* KEY=value that pass */
	struct strv withheld; /* names that do not and that the user may miss; shell and session
				 bookkeeping (PWD, SHLVL, LS_COLORS, XDG_*, DBUS_*, ...) left out */
	bool has_key;         /* one of profile->keys is set and not empty */
};

int host_env_select(struct arena *a, char *const *environment, const struct profile *profile,
	struct host_env *ret, struct err *err);

#endif
