/* run/step.h - one RUN of a Dockerfile: a command in a root made of layers, whose writes are kept.
 *
 * bawn-build starts `bawn __step` with a request on 3 (a sealed memfd, records of base/blob.h; both
 * are of one build).  The sandbox is one as `bawn run --rm` makes it, under the profile
 * profiles/internal/build.yaml: same filter, same network, the policy "build".  What was written
 * becomes DIR/fs when the command has succeeded.  For ADD of something remote the program is one of
 * this machine's, and its root "host": of that only what is mounted is left, in the same sandbox
 * under the same policy.  STEP_DENIED: the command failed, and the policy has denied something.
 */
#ifndef BAWN_RUN_STEP_H
#define BAWN_RUN_STEP_H

#include "base/blob.h"

#define STEP_COMMAND "__step"
#define STEP_FD 3
#define STEP_DENIED 124 /* STEP_HOST */

enum step_tag {
	STEP_LAYERS = 1, /* strings: host directories, lowest first */
	STEP_ENV,        /* strings: KEY=value, all of it */
	STEP_ARGV,       /* strings */
	STEP_CWD,
	STEP_DIR, /* fs in it becomes what was written */
	STEP_USER,
	STEP_HOME,
	STEP_UID, /* u64: what the user is called inside; 0: root, by emulation */
	STEP_GID,
	STEP_OFFLINE, /* u64 */
	STEP_MOUNT,   /* strings: kind, source (host), target, size (0: any) */
	STEP_HOST,    /* u64: no RUN: a program of this machine's, in the root "host", for ADD */
};

/* STEP_MOUNT's first word. */
#define STEP_BIND "bind"
#define STEP_BIND_RO "bind-ro"
#define STEP_TMPFS "tmpfs"

/* A script that is given as a heredoc. */
#define STEP_SCRIPTS "/run/bawn/heredoc/"

/* ---- for bawn alone ---- */

#define RUN_STEP_SCRATCH "/run/bawn"
#define RUN_STEP_HOME                                                                              \
	RUN_STEP_SCRATCH "/home" /* bawn's own place for settings: not the image's                 \
				  */

struct run_step_mount {
	const char *kind, *source, *target, *size;
	bool dir;
};

struct run_step {
	struct strv layers, env, argv;
	const char *cwd, *dir, *user, *home;
	uid_t uid;
	gid_t gid;
	bool offline, host;
	struct run_step_mount *mounts;
	size_t n_mounts, cap;
};

struct run;
struct host_stack;

/* run-step.c: the request on fd; sets r->step. */
int run_step_read(struct run *r, int fd, struct err *err);
/* What run_image_open() does, from the request. */
int run_step_image(struct run *r, struct err *err);
/* Its mounts: places in seed-root, then the rows. */
int run_step_points(struct run *r, const struct host_stack *stack, struct err *err);
void run_step_rows(struct run *r);
void run_step_env(struct run *r);
/* What was written becomes DIR/fs. */
int run_step_keep(struct run *r, struct err *err);

#endif
