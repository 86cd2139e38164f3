/* plan/wire.h - the plan as bytes: a sealed memfd of base/blob records that bawn-init executes.
 *
 * Native byte order; writer and reader are of one build.  The reader trusts lengths only after
 * blob_next() has checked them, and keeps pointers into the mapping, which is unmapped before the
 * agent can look: bawn-init holds no copy of the agent's environment.
 */
#ifndef BAWN_PLAN_WIRE_H
#define BAWN_PLAN_WIRE_H

#include "base/blob.h"
#include "plan/plan.h"

#define WIRE_MAGIC 0x62776e70u

/* Arguments, and variables: more than execve(2) takes, at most 6 MiB with a pointer for each. */
#define WIRE_STRINGS_MAX (1u << 20)

enum wire_tag {
	WIRE_HEAD = 1,
	WIRE_HOSTNAME,
	WIRE_CWD,
	WIRE_EXE,
	WIRE_ARGV,
	WIRE_ENV,
	WIRE_MOUNT,
	WIRE_LAND,
	WIRE_SECCOMP,
	WIRE_END, /* nothing may follow, and it must be there: a cut plan is refused */
};

/* ... and what has no owner is root's, in a home, too: whoever runs this RUN is root. */
#define WIRE_IMAGE_BUILT 2

struct wire_head {
	uint32_t magic;
	uint32_t uid, gid;
	uint32_t n_mounts, n_land, n_argv, n_env;
	uint8_t tty_fds, offline, landlock;
	uint8_t wait; /* for GO, before the agent starts */
	uint64_t pids;
	uint16_t rows, cols; /* of the pty */
	uint8_t lasting;     /* pid 1 outlives session 0 (plan/control.h) */
	uint8_t image;       /* the root is a template's, and writable; WIRE_IMAGE_BUILT */
	uint8_t sudo;        /* pid 1 can start programs that are root by emulation */
	uint8_t as_root;     /* session 0 is one of these; implies sudo */
};

/* The plan and, from the pack, the seccomp program. */
struct wire_bytes {
	const void *p;
	size_t n;
};

/* All of it but the rows that the early form had. */
int wire_write(const struct plan *p, struct wire_bytes seccomp, uint16_t rows, uint16_t cols,
	struct blob *ret, struct err *err);

/* The reader's form of a row; the strings point into what was read. */
struct wire_mount {
	uint32_t kind, flags, mode;
	const char *src, *dst, *data;
};

/* What the namespaces themselves need, and the rows that are every sandbox's: known from the pack
 * and the options, before there is a plan.  bawn-init makes the network, lays these rows and waits
 * for the plan; nothing else runs until then. */
struct wire_early {
	struct wire_early_head {
		uint32_t magic;
		uint32_t uid, gid;
		uint32_t inside_uid, inside_gid; /* what these are called inside */
		uint16_t n_host_ports;
		uint16_t host_ports[16];
		uint16_t user_namespaces; /* that may be made inside */
		uint16_t n_mounts;        /* filled in by the writer */
	} head;
	struct wire_bytes nft, rtnl;
	struct wire_mount *mounts; /* read: allocated */
};

enum wire_early_tag {
	WIRE_EARLY_HEAD = 1,
	WIRE_EARLY_NFT,
	WIRE_EARLY_RTNL,
	WIRE_EARLY_MOUNT,
	WIRE_EARLY_END,
};

/* e->mounts isn't looked at: rows are the n of a plan that is being made. */
int wire_early_write(const struct wire_early *e, const struct mount_op *rows, size_t n,
	struct blob *ret, struct err *err);
/* 0 or -errno, -EBADMSG where it is malformed; *ret points into data. */
int wire_early_read(const void *data, size_t n, struct wire_early *ret, struct err *err);
void wire_early_free(struct wire_early *e);

/* The reader's form; arrays are allocated once, strings point into the mapping. */
struct wire_plan {
	struct wire_head head;
	const char *hostname, *cwd, *exe;
	const char **argv, **env;
	struct wire_mount *mounts;
	struct land_rule *land;
	struct wire_bytes seccomp;
};

/* 0 or -EBADMSG.  data must outlive *ret; wire_free releases the arrays only. */
int wire_read(const void *data, size_t n, struct wire_plan *ret, struct err *err);
void wire_free(struct wire_plan *w);

#endif
