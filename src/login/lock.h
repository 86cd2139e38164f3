/* login/lock.h - one at a time, of all the user's bawns, renews or begins a log-in. */
#ifndef BAWN_LOGIN_LOCK_H
#define BAWN_LOGIN_LOCK_H

#include "base/err.h"

/* The lock of the log-in name below dir, waited for 90 s at the longest.  A descriptor that holds
 * it until it is closed, or -errno. */
int login_lock(const char *dir, const char *name, struct err *err);

#endif
