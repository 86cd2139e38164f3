/* sudo/sudo-user.h - an account of the image's /etc/passwd.
 *
 * The file is what programs inside have made of it.  Must not: ask a name service (the program is
 * static).
 */
#ifndef BAWN_SUDO_USER_H
#define BAWN_SUDO_USER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"

struct sudo_user {
	const char *name, *home, *shell;
	uid_t uid;
	gid_t gid;
};

/* By name, or by number as "#N"; text is all of passwd(5).  0, or -ENOENT. */
int sudo_user_find(struct arena *a, const char *text, const char *who, struct sudo_user *ret);
/* By number. */
int sudo_user_of(struct arena *a, const char *text, uid_t uid, struct sudo_user *ret);

#endif
