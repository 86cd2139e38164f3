/* probe.h - what the files of the attack probe share.
 *
 * Each probe is one attack, tried for real: it would work for root on an ordinary machine (in mount
 * and network namespaces of its own, so that the machine survives it), so that its failure inside a
 * sandbox means something.  Calls that need arguments nobody should have are made with wrong ones:
 * then the kernel's own complaint about them (reached()) means that nothing stood before it.
 */
#ifndef BAWN_TESTS_PROBE_H
#define BAWN_TESTS_PROBE_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"

/* Prints behind the verdict. */
extern char probe_detail[256];
void probe_say(const char *fmt, ...) _printf_(1, 2);

struct probe {
	const char *name;
	const char *id;   /* of the attack corpus */
	const char *args; /* what it takes, NULL: nothing; in brackets: may be left out */
	/* 0: the attack worked; a positive errno: refused. argv: NULL-terminated */
	int (*run)(const struct probe *p, char **argv);
	/* for probe_call(): the call, and the errno that only the kernel behind all guards gives */
	long nr;
	long arg[6];
	int reached;
	const char *path; /* for probes by path */
};

/* Ends with a probe without a name. */
extern const struct probe probes_sec[], probes_ns[], probes_mnt[], probes_net[], probes_fs[],
	probes_proc[], probes_term[], probes_ipc[], probes_res[];

/* The system call of p->nr with p->arg. */
int probe_call(const struct probe *p, char **argv);

static inline int result(long r)
{
	return r < 0 ? errno : 0;
}

/* As result(), but this errno too means that the attack came through. */
static inline int reached(long r, int kernel_errno)
{
	if (r < 0 && errno == kernel_errno) {
		probe_say("the kernel itself answered: %s", strerrorname_np(errno));
		return 0;
	}
	return result(r);
}

/* Run fn in a child; its result.  A child that a signal ends counts as refused (ECHILD). */
int probe_in_child(int (*fn)(void *ctx), void *ctx);

#endif
