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

/* The same but for three, which a process that is root by emulation (confine/emulate.h) has over
 * the files of the sandbox: CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID of the caller's own user
 * namespace, that is over files of the users it maps.  They are permitted, inheritable and ambient:
 * none is effective here, all three are after an exec. */
int caps_keep_files(struct err *err);

/* After caps_keep_files(), in a child on its way to its program: give these three up as well, for
 * good, or have them now.  0 or -errno; async-signal-safe, as a child of vfork(2) has to be. */
int caps_give_up(void);
int caps_use_files(void);

/* No set holds a capability.  0, or -ENOTRECOVERABLE naming the one that does. */
int caps_prove(struct err *err);

#endif
