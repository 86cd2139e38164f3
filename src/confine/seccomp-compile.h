/* confine/seccomp-compile.h - a system call policy as a BPF program.
 *
 * Heavy: libseccomp; linked only into bawn-admin.  The result goes into the pack and is installed
 * by confine/seccomp-load.h.
 */
#ifndef BAWN_CONFINE_SECCOMP_COMPILE_H
#define BAWN_CONFINE_SECCOMP_COMPILE_H

#include <linux/filter.h>

#include "confine/seccomp-policy.h"

/* Compile a policy file.  *ret is malloc'd.  0; -EINVAL with file:line:column for a bad policy;
 * -E2BIG for a program past the kernel's 4096 instructions. */
int seccomp_compile_policy(
	const char *policy_file, struct sock_filter **ret, size_t *ret_n, struct err *err);

/* The same, with a say in where "extends: NAME" is found: every file that is read, but the first,
 * was named by locate. */
int seccomp_compile_policy_with(const char *policy_file, seccomp_locate locate, void *ctx,
	struct sock_filter **ret, size_t *ret_n, unsigned *ret_user_namespaces, struct err *err);

#endif
