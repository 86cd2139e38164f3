/* confine/limits.h - resource limits of everything inside.
 */
#ifndef BAWN_CONFINE_LIMITS_H
#define BAWN_CONFINE_LIMITS_H

#include <stdint.h>

#include "base/err.h"

/* Set the limits for the calling process and what it starts.  nproc: most processes of this user in
 * this user namespace, 0 leaves it as it is.  0 or -errno. */
int limits_apply(uint64_t nproc, struct err *err);

/* The calling thread asks for short turns, and so has them soon, however many want a processor
 * (Linux 6.12; before, nothing changes).  What it starts has usual ones. */
void limits_short_turns(void);

#endif
