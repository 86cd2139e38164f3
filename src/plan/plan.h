/* plan/plan.h - the immutable description of one launch.
 *
 * Pure data and its invariants: built by cli from the profile, the policy and host facts; printed
 * by
 * --dry-run; handed to bawn-init as one sealed blob (plan/wire.h).  Nothing after plan_check()
 * decides anything.
 */
#ifndef BAWN_PLAN_PLAN_H
#define BAWN_PLAN_PLAN_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/json-out.h"
#include "confine/landlock.h" /* struct land_rule */

/* One row of the mount plan; applied in order, top to bottom.  dst is a path in the new root, and
 * is never resolved through a symbolic link there. */
enum mount_op_kind {
	MOUNT_DIR,     /* make a directory (mode) */
	MOUNT_FILE,    /* make an empty file */
	MOUNT_TEXT,    /* make a file with the content data */
	MOUNT_SYMLINK, /* make a link dst -> data */
	MOUNT_TMPFS,   /* data: mount options (size=, nr_inodes=, mode=) */
	MOUNT_BIND,    /* bind src, a resolved host path, on dst */
	MOUNT_PIN,     /* bind dst on itself, so that it can't be renamed or removed */
	MOUNT_MASK,    /* an empty read-only file or directory over dst */
	MOUNT_LINK,    /* a symbolic link to data mounted over the file dst */
	MOUNT_LOWER,   /* src: one more lower directory of the overlay row behind it, top first */
	MOUNT_OVERLAY, /* src: the lowest; data: "upper", newline, "work": host directories */
	MOUNT_PROC,
	MOUNT_DEVPTS,
	MOUNT_MQUEUE,
	MOUNT_DEV,     /* bind the host's device node src */
	MOUNT_SCRATCH, /* an empty directory (mode) on dst, in memory, gone at the end */
	MOUNT_SEAL,  /* what is mounted on dst becomes read-only: no later row makes nodes there */
	MOUNT_CARRY, /* what was mounted on dst before "/" was is brought into that root */
	MOUNT_KINDS
};

enum mount_flag {
	MOUNT_RO = 1,
	MOUNT_NOEXEC = 2,
	MOUNT_REC = 4, /* with what is mounted below src */
	/* skip silently when src or dst does not exist, or a node can't be made; an overlay: what
	 * can't be one is bound read-only */
	MOUNT_OPTIONAL = 8,
	MOUNT_DEVICES = 16, /* not nodev */
	MOUNT_POINT = 32,   /* make the mount point when missing (never inside the workspace) */
	MOUNT_GUARD = 64,   /* covers a file of the user's: put back when the host pulls it away */
	MOUNT_FLEETING =
		128, /* overlay: what is written goes with the sandbox, and is never synced */
};

struct mount_op {
	uint32_t kind, flags, mode;
	const char *src, *dst, *data;
	const char *why; /* for --dry-run: one short phrase */
};

struct plan {
	struct arena arena;
	const char *id; /* sandbox name */
	const char *hostname;
	uid_t uid; /* outside: the one user that is mapped */
	gid_t gid;
	uid_t inside_uid; /* what it is called inside */
	gid_t inside_gid;
	const char *template, *digest; /* "host", NULL; or a reference and what it meant */
	const char *user, *home;
	const char *workspace; /* NULL: none */
	const char *cwd;
	struct mount_op *mounts;
	size_t n_mounts, cap_mounts;
	size_t n_early; /* rows that were handed over before there was a plan (wire_early) */
	struct land_rule *land;
	size_t n_land, cap_land;
	bool landlock;   /* false only with --allow-degraded landlock */
	const char *exe; /* absolute path inside, or a name that is looked for in PATH there */
	struct strv argv, env;
	unsigned user_namespaces; /* that may be made inside */
	uint64_t pids;            /* RLIMIT_NPROC in the user namespace, 0: leave */
	uint64_t memory, cpus;    /* of its control group, outside: bytes, thousandths; 0: none */
	uint8_t tty_fds; /* bit i: descriptor i of the agent is its pty, not the caller's */
	bool offline;
	bool sudo;    /* programs inside can become root by emulation (plan/sudo.h) */
	bool as_root; /* the command is root by emulation */
	bool built;   /* it is a RUN of a Dockerfile: what has no owner is root's, in a home, too */
	uint16_t host_ports[16];
	size_t n_host_ports;
	const char *state_dir; /* host path, removed at the end when ephemeral */
	bool ephemeral;
	struct strv credentials; /* in force: one line each, never a value */
	struct strv rules;       /* the egress rules, one line each, for --dry-run */
	struct strv notices;     /* one line each, printed at start */
	struct strv withheld;    /* environment variable names not passed */
	struct strv degraded;
};

struct mount_op *plan_mount(struct plan *p, enum mount_op_kind kind, const char *dst);
int plan_land(struct plan *p, const char *path, bool write);

/* The invariants: absolute resolved paths, uid and gid not 0, no bind of bawn's own state but the
 * plan's, masks behind the binds they cover, argv not empty, and so on.  0 or -EINVAL. */
int plan_check(const struct plan *p, struct err *err);

void plan_print(const struct plan *p, FILE *to);
void plan_json(const struct plan *p, struct json_out *j);
void plan_free(struct plan *p);

#endif
