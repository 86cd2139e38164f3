/* confine/emulate.h - being root where there is one user: what root's system calls answer.
 *
 * Light: libc only.  In a sandbox with an image's root all files belong to one user, who is not
 * root anywhere.  Programs that install things ask for root's system calls all the same: this
 * filter, loaded behind the sandbox's own, answers them with success and does nothing.  It never
 * answers a call that fills memory (getresuid, capget: these tell the truth), and never allows what
 * the first filter refuses: of two filters the stricter counts.
 */
#ifndef BAWN_CONFINE_EMULATE_H
#define BAWN_CONFINE_EMULATE_H

#include <linux/filter.h>
#include <stdint.h>

#include "base/err.h"

/* Enough for the program. */
#define EMULATE_INSNS 96

/* The program; told: a listener is told of owners (SECCOMP_RET_USER_NOTIF), those that are given
 * instead of an answer, those that are asked for instead of the kernel, and of modes that are given
 * before the kernel is.  How many instructions. */
size_t emulate_program(struct sock_filter ret[static EMULATE_INSNS], bool told);

/* Load it for the calling thread, for good.  listener: told, and *ret_listener becomes the
 * descriptor (close-on-exec); NULL: not told.  0 or -errno; async-signal-safe. */
int emulate_enter(int *ret_listener);

/* Do root's calls answer as they should?  0, or -ENOTRECOVERABLE.  Changes nothing. */
int emulate_prove(void);

#endif
