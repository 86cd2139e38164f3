/* host/cgroup.h - a control group of a sandbox's own: limits on memory, processors and processes.
 *
 * Owns: finding a place in the cgroup2 tree where this user may make one, its files, its end.  Must
 * not: change any group that it didn't make, but for switching controllers on for the children of
 * one that was delegated to us, and moving bawn's own processes of such a one into a child.
 */
#ifndef BAWN_HOST_CGROUP_H
#define BAWN_HOST_CGROUP_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"

struct cgroup_limits {
	uint64_t memory; /* bytes, 0: none */
	uint64_t cpus;   /* thousandths of a processor, 0: none */
	uint64_t pids;   /* 0: none; left out where there is no such controller */
};

struct cgroup {
	int dir;    /* -1: there is none */
	char *path; /* of the directory */
	bool ours;  /* we made it, and remove it; else systemd does */
};

#define CGROUP_NONE ((struct cgroup){.dir = -1})

/* Where we are: *ret_own our group's directory, *ret_top the highest one that can be seen.  proc is
 * /proc but in tests.  0; -ENOTSUP (err untouched) without a cgroup2 tree. */
int cgroup_find(struct arena *a, const char *proc, char **ret_own, char **ret_top, struct err *err);

/* Make one called after id in own or the nearest group above it that is fit for it, and set the
 * limits.  -ENOTSUP (err says why, without a remedy) where none is. */
int cgroup_make(struct arena *a, const char *own, const char *top, const char *id,
	const struct cgroup_limits *l, struct cgroup *ret, struct err *err);
/* The one that systemd has made, at path below top. */
int cgroup_open(
	struct arena *a, const char *top, const char *path, struct cgroup *ret, struct err *err);

/* Move a process into it, with all its threads. */
int cgroup_enter(const struct cgroup *c, pid_t pid, struct err *err);
/* How many processes the kernel has killed in it for want of memory. */
uint64_t cgroup_oom_kills(const struct cgroup *c);
/* Kill what is in it, and remove it. */
void cgroup_end(struct cgroup *c);

#endif
