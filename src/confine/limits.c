/* confine/limits.c - see limits.h.
 *
 * Owns: the table of limits.  Must not: be relied on for memory (an rlimit can't bound the total).
 */
#include "confine/limits.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Above this, programs that close every descriptor one by one take seconds. */
#define NOFILE_HARD_MAX (1u << 20)
/* Node, Go and git expect at least the usual default. */
#define NOFILE_SOFT_MIN 1024u

/* More than any build uses, and less than what leaves the user's programs unable to fork: the
 * processes of the sandbox are the user's, too (RES-01). */
#define NPROC_DEFAULT ((rlim_t)16384)

static int set(int what, const char *name, rlim_t soft, rlim_t hard, struct err *err)
{
	struct rlimit l = {.rlim_cur = soft, .rlim_max = hard};
	if (setrlimit(RLIMIT_KIND(what), &l) < 0)
		return err_sys(err, errno, "set the limit %s", name);
	return 0;
}

/* A core_pattern that names a pipe runs a program of the host's, as root, on our memory, whatever
 * the limit is, 0 included; only the value 1 makes the kernel skip it (fs/coredump.c).  The system
 * call filter keeps the value there. */
static int core(struct err *err)
{
	if (GUARD_REMOVED("core-limit"))
		return 0;
	int r = set(RLIMIT_CORE, "core", 1, 1, err);
	if (r < 0 && err)
		err_hint(err,
			"the hard limit of core files must be at least 1 (ulimit -H -c): a "
			"smaller one does not keep crashes from the host's core handler");
	return r;
}

static int nofile(struct err *err)
{
	struct rlimit l;
	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return err_sys(err, errno, "read the limit nofile");
	rlim_t hard = MIN(l.rlim_max, NOFILE_HARD_MAX);
	rlim_t soft = MIN(MAX(l.rlim_cur, NOFILE_SOFT_MIN), hard);
	if (hard == l.rlim_max && soft == l.rlim_cur)
		return 0;
	return set(RLIMIT_NOFILE, "nofile", soft, hard, err);
}

static int nproc_limit(uint64_t nproc, struct err *err)
{
	struct rlimit l;
	if (GUARD_REMOVED("pids"))
		return 0;
	if (getrlimit(RLIMIT_NPROC, &l) < 0)
		return err_sys(err, errno, "read the limit nproc");
	rlim_t n = nproc ? (rlim_t)nproc : NPROC_DEFAULT;
	n = MIN(n, l.rlim_max == RLIM_INFINITY || nproc ? l.rlim_max : l.rlim_max / 4 * 3);
	return set(RLIMIT_NPROC, "nproc", MIN(n, nproc ? n : l.rlim_cur), n, err);
}

/* Counted for all processes of the user together, in all namespaces: at the whole of it the sandbox
 * would take the last one, and the user's programs could queue no signal and make no timer, lock no
 * memory, open no message queue (RES-04). */
static int spare(int what, const char *name, struct err *err)
{
	struct rlimit l;
	if (getrlimit(RLIMIT_KIND(what), &l) < 0)
		return err_sys(err, errno, "read the limit %s", name);
	if (l.rlim_max == RLIM_INFINITY || GUARD_REMOVED("spare-limits"))
		return 0;
	rlim_t hard = l.rlim_max / 4 * 3;
	return set(what, name, MIN(l.rlim_cur, hard), hard, err);
}

static int spare_all(struct err *err)
{
	int r = spare(RLIMIT_SIGPENDING, "sigpending", err);
	if (r == 0)
		r = spare(RLIMIT_MEMLOCK, "memlock", err);
	if (r == 0)
		r = spare(RLIMIT_MSGQUEUE, "msgqueue", err);
	return r;
}

int limits_apply(uint64_t nproc, struct err *err)
{
	int r = core(err);
	if (r == 0)
		r = nofile(err);
	if (r == 0)
		r = spare_all(err);
	/* Some desktops allow their user real-time priority; an agent that spins at one takes the
	 * machine. */
	if (r == 0)
		r = set(RLIMIT_RTPRIO, "rtprio", 0, 0, err);
	if (r == 0)
		r = set(RLIMIT_NICE, "nice", 0, 0, err);
	return r < 0 ? r : nproc_limit(nproc, err);
}

void limits_short_turns(void)
{
	struct sched_attr a = {.size = sizeof(a)};
	if (syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) < 0)
		return;
	a.sched_flags |= SCHED_FLAG_RESET_ON_FORK;
	a.sched_runtime = 100000; /* ns, the least */
	syscall(SYS_sched_setattr, 0, &a, 0);
}
