/* init/init.h - what the files of bawn-init share.
 *
 * Owns nothing but declarations.  bawn-init decides nothing: it executes the rows of a plan, proves
 * each guard, and stays as pid 1.
 */
#ifndef BAWN_INIT_INIT_H
#define BAWN_INIT_INIT_H

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/err.h"
#include "init/init-overlay.h"
#include "plan/control.h"
#include "plan/wire.h"

/* Descriptors bawn starts us with, besides 0-2. */
enum { INIT_FD_CONTROL = 3, INIT_FD_HANDOVER = 4 };

extern mode_t init_umask; /* the caller's, for the agent */

/* init-report.c */
void report_stamp(enum control_stamp stamp);
_noreturn_ void report_fail(const struct err *err);
int report_send(enum control_kind kind, int value, int fd); /* fd: passed along, or -1 */
int report_session(enum control_kind kind, uint32_t session, int value, int fd);
struct cpu {
	uint64_t user_us, system_us;
};
void report_exited(uint32_t session, int code, const struct cpu *used);
void report_failed(uint32_t session, const struct err *err);
/* One message from the supervisor, with at most four descriptors; 0 when it is gone.  -EAGAIN when
 * none waits and !block. */
int report_receive(struct control_msg *ret, bool block, int fds[4], size_t *ret_nfds);
/* The descriptor of EARLY or PLAN; does not return without one. */
int report_receive_part(enum control_kind which);

/* init-net.c: the network, set up by a thread of its own beside the mounts.
 *
 * unshare(2) of a network namespace takes some 600 us of kernel time and takes no lock that
 * mounting takes; a thread can have a network namespace of its own, and the main thread joins it by
 * setns(2) at the last moment at which it still may. */
struct net_stage {
	const struct wire_early *early; /* once it is told */
	sem_t told;
	pthread_t thread;
	int proc;  /* directory descriptor of the host's /proc, until both are done */
	int netns; /* out: descriptor of the new namespace */
	atomic_bool done;
	struct err err;
};
int net_stage_start(struct net_stage *s, struct err *err);
/* What is to be in it. */
void net_stage_tell(struct net_stage *s, const struct wire_early *early);
/* Off the caller's processor with it, where there is another (base/proc.h): from here on both have
 * as much to do. */
void net_stage_aside(const struct net_stage *s);
int net_stage_join(struct net_stage *s, struct err *err); /* and enter it */

/* init-mounts.c: the new root, row by row; then pivot into it and drop the old one. */
struct mounts {
	int base; /* the tmpfs that everything begins with */
	int root; /* the same, or the template's root, which is mounted in it */
	unsigned int n_scratch;
	int parent; /* a directory of the new root, -1, and which: the next row is likely in it */
	char parent_path[PATH_MAX];
	int scratch;           /* where sources of masks and links are made; -1 until needed */
	bool starting;         /* the root is being built; nobody has seen it yet */
	struct overlay layers; /* the overlay that the next rows are about */
};

int mounts_begin(struct mounts *m, struct err *err); /* the empty new root */
int mounts_apply(struct mounts *m, const struct wire_mount *rows, size_t n, struct err *err);
/* sealed: nothing is written to the root itself any more. */
int mounts_enter(struct mounts *m, bool sealed, struct err *err);

/* One row, in the mount namespace this process is in; root: descriptor of its root. */
int mounts_apply_row(int root, const struct wire_mount *m, struct err *err);

/* init-reapply.c: guards that the host pulled away, put back from outside. */
int reapply_main(void);

/* init-renet.c: the nftables rules, replaced from outside. */
int renet_main(void);
/* init-lend.c: one more directory of the host, from outside. */
int lend_main(const char *path);

/* init-agent.c: the pty and the process of a session. */
struct pty {
	int master, slave;
};
int agent_open_pty(uint16_t rows, uint16_t cols, struct pty *ret, struct err *err);

enum identity {
	IDENTITY_ONLY, /* pid 1 has no other to give */
	IDENTITY_USER, /* the sandbox's user, with no capability */
	IDENTITY_ROOT, /* root by emulation (confine/emulate.h) */
};

struct agent {
	enum identity identity;
	int owners; /* owner_post(), of one that is root; -1: none are kept */
	int cwd_fd; /* 0: cwd by its name */
	const char *cwd, *exe;
	const char **argv, **env;
	uint8_t tty_fds; /* bit i: descriptor i is the pty */
	bool leads;      /* a session of its own */
	mode_t umask;
	int slave;  /* of its pty, -1: none */
	int fds[3]; /* what becomes 0-2 where it is not the pty; -1: ours stays */
};
/* Its pid, or the -errno of execve.  Waits for that, so nothing else may run yet: whoever stops the
 * child before its execve stops us. */
int agent_start(const struct agent *a, struct err *err);
/* Its pid, at once.  *ret_outcome ends when the program runs, or gives the struct err that says why
 * it doesn't. */
int agent_fork(const struct agent *a, int *ret_outcome, struct err *err);

/* init-sessions.c: pid 1 from here on.  lasting: see plan/control.h; sudo: see plan/wire.h. */
_noreturn_ void sessions_wait(int first, bool lasting, bool sudo);

/* init-sudo.c: what programs inside ask of pid 1 (plan/sudo.h). */
int sudo_listen(struct err *err);
/* Start to listen, by a thread.  0 or -errno. */
int sudo_start(void);

/* init-owner.c: owners that an emulated root gives.  Where its listener is to be sent, or -1: then
 * none are kept.  Starts pid 1's second thread when it is first asked. */
int owner_post(void);
/* It is a RUN as root: what has no owner is root's, in a home, too, and no user is busy.  Before
 * there is anybody who asks. */
void owner_built(void);

/* init-keeper.c: the fork of pid 1 that starts the command of a request and stays with it.  conn:
 * to the client; fds: what came with it. */
_noreturn_ void keeper_run(int conn, uint32_t flags, const int *fds, int owners);

#endif
