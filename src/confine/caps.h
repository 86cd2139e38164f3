/* confine/caps.h - giving every capability up, for good.
 *
 * Light: libc only, so that pid 1 needs no library for some fifty system calls.
 */
#ifndef BAWN_CONFINE_CAPS_H
#define BAWN_CONFINE_CAPS_H

#include "base/err.h"

/* Lock the secure bits (no uid ever means anything, nothing can be made ambient), empty the
 * bounding and ambient sets and then all others, and prove it.  Calling thread only.  0 or -errno.
 */
int caps_drop_all(struct err *err);

/* No set holds a capability.  0, or -ENOTRECOVERABLE naming the one that does. */
int caps_prove(struct err *err);

#endif
