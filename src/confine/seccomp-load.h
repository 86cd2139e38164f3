/* confine/seccomp-load.h - installing a compiled system call filter, and proving that it is there.
 *
 * Light: libc only.  The program comes from the pack (confine/seccomp-compile.h makes it).
 */
#ifndef BAWN_CONFINE_SECCOMP_LOAD_H
#define BAWN_CONFINE_SECCOMP_LOAD_H

#include "base/err.h"

/* Install prog (an array of struct sock_filter, bytes long) in the calling thread; sets
 * no_new_privs first.  0; -EINVAL for a program of no or too many instructions; -ENOSYS, -EINVAL
 * with a remedy where the kernel can't. */
int seccomp_load_filter(const void *prog, size_t bytes, struct err *err);

/* Make one refused call of each kind and compare the answer with the one that only the filter gives
 * (the arguments are such that the kernel would answer otherwise and change nothing).  0, or
 * -ENOTRECOVERABLE naming the call. */
int seccomp_prove(struct err *err);

#endif
