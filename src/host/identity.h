/* host/identity.h - who the caller is: numbers, names and home, as the files of /etc say.
 *
 * Reads /etc/passwd and /etc/group itself: bawn is static, and NSS would load code and make
 * connections.  A user whom only NSS knows (LDAP, systemd-homed) is named from $USER and $HOME.
 */
#ifndef BAWN_HOST_IDENTITY_H
#define BAWN_HOST_IDENTITY_H

#include <sys/types.h>

#include "base/arena.h"

struct host_identity {
	uid_t uid;
	gid_t gid;
	const char *user;      /* never empty, only [A-Za-z0-9._-], not starting with "-" */
	const char *group;     /* as user */
	const char *full_name; /* GECOS name; may be "" */
	const char *home;  /* absolute, as $HOME says, else as passwd does; its links followed */
	const char *given; /* the same with its links */
	const char *shell; /* absolute; "/bin/sh" when unknown */
};

/* The identity of this process (real uid and gid).  -EINVAL with a remedy without a home. */
int host_identity_find(struct arena *a, struct host_identity *ret, struct err *err);

/* For root: whom to become before anything else.  as_user: a name or number, or NULL for $SUDO_UID
 * (home then comes from passwd, never from $HOME).  -EPERM with the remedy when neither names an
 * ordinary user; uid 0 and gid 0 are never returned. */
int host_identity_target(
	struct arena *a, const char *as_user, struct host_identity *ret, struct err *err);

#endif
