/* base/proc.h - starting helpers and holding on to them.
 *
 * A pid is a resource: every child is held by a pidfd and reaped by its owner.
 */
#ifndef BAWN_BASE_PROC_H
#define BAWN_BASE_PROC_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct proc {
	pid_t pid;
	int pidfd;
};

#define PROC_NONE ((struct proc){.pid = -1, .pidfd = -1})

#define PROC_FDS_MAX 160

/* How to start a helper: its own executable, an explicit environment, and a table of descriptors.
 * Nothing else crosses: everything above the table is close-on-exec. */
struct proc_spawn {
	const char *path; /* absolute */
	char *const *argv;
	char *const *envp;   /* NULL: empty environment */
	const int *fds;      /* fds[i] becomes descriptor i in the child; -1: /dev/null */
	int nfds;            /* at least 3 (0, 1, 2), at most PROC_FDS_MAX */
	uint64_t ns;         /* CLONE_NEW* flags, 0 for none */
	uint64_t caps;       /* with CLONE_NEWUSER: what it has over its namespaces, 1 << CAP_* */
	int die_with_parent; /* signal sent to it when the caller's thread ends, 0: none; such a
				helper also gets a process group of its own, but with: */
	bool same_group;     /* what the terminal sends reaches it, too */
};

/* clone3 with CLONE_VFORK|CLONE_VM|CLONE_PIDFD, then execve.  An exec failure comes back here as an
 * error.  0 or -errno. */
int proc_spawn(const struct proc_spawn *how, struct proc *ret, struct err *err);

/* The same without waiting until the child is the program: the two go on beside each other, in one
 * memory.  *b and all that b->how points to must stay as they are until the child's first word, or
 * its end, after which b->error says why it could not be executed, if so.  For one child at a time.
 */
struct proc_beside {
	struct proc_spawn how;
	volatile int error; /* of execve(2) and what goes before it, 0: none */
};
int proc_spawn_beside(struct proc_beside *b, struct proc *ret, struct err *err);

/* The processors that the caller may use, and those of them but the one it runs on: for what is to
 * run beside it.  A scheduler begins a child on its parent's and leaves it there for as long as a
 * whole start takes, with another one idle.  False: there is but one. */
bool proc_other_cpus(cpu_set_t *ret_all, cpu_set_t *ret_others);

/* The remedy where fork(2) and its like have failed with code. */
void proc_hint(int code, struct err *err);

/* Wait for it; *ret_status as waitid(2) puts it: exit code, or 128+n for signal n.  0 or -errno. */
int proc_wait(struct proc *p, int *ret_status);

/* SIGKILL, for proc_wait() to come later; both of these are safe to call on PROC_NONE. */
void proc_end(const struct proc *p);
/* The same and reap. */
void proc_kill(struct proc *p);

#endif
