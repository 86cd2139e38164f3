/* egress/jail.h - how bawn-relay and bawn-resolve lock themselves in before they read a hostile
 * byte.
 *
 * Owns: their resource limits, Landlock rule set and seccomp allow-list, and the proofs that these
 * hold.  Must not: allocate, or know what the process is for.
 */
#ifndef BAWN_EGRESS_JAIL_H
#define BAWN_EGRESS_JAIL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct lease_page;

struct jail {
	const uint16_t *calls; /* system call numbers that stay allowed; all others give EPERM */
	size_t n_calls;
	const char *const *readable; /* files that may still be opened for reading */
	size_t n_readable;
	/* A page of addresses that may be connected to (egress/lease.h); NULL: none, and no socket
	 * can be made. */
	const struct lease_page *leases;
	/* A descriptor, above 2, that nothing can be sent on; 0: none.  A netlink socket made by
	 * who had the capability still commands the namespace it is of. */
	int mute_fd;
	uint64_t max_fds;    /* RLIMIT_NOFILE, lowered to the hard limit */
	uint64_t max_memory; /* RLIMIT_AS, bytes */
};

/* Not dumpable, no new privileges, ends with its parent, rlimits, Landlock (where the kernel has
 * it; seccomp stands without it), seccomp; then tries what must fail.  0 or -errno. */
int jail_enter(const struct jail *j, struct err *err);

/* The descriptor limit that jail_enter() has set. */
uint64_t jail_fds(void);

#endif
