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
	WIRE_NFT,
	WIRE_RTNL,
	WIRE_END, /* nothing may follow, and it must be there: a cut plan is refused */
};

struct wire_head {
	uint32_t magic;
	uint32_t uid, gid;
	uint32_t n_mounts, n_land, n_argv, n_env;
	uint8_t tty_fds, offline, landlock;
	uint8_t wait; /* for GO, before the agent starts */
	uint64_t pids;
	uint16_t rows, cols; /* of the pty */
	uint16_t n_host_ports;
	uint16_t host_ports[16];
};

/* What does not come from the plan but from the pack. */
struct wire_blobs {
	const void *seccomp, *nft, *rtnl;
	size_t seccomp_bytes, nft_bytes, rtnl_bytes;
};

int wire_write(const struct plan *p, const struct wire_blobs *w, uint16_t rows, uint16_t cols,
	struct blob *ret, struct err *err);

/* The reader's form; arrays are allocated once, strings point into the mapping. */
struct wire_mount {
	uint32_t kind, flags, mode;
	const char *src, *dst, *data;
};

struct wire_plan {
	struct wire_head head;
	const char *hostname, *cwd, *exe;
	const char **argv, **env;
	struct wire_mount *mounts;
	struct land_rule *land;
	struct wire_blobs blobs;
};

/* 0 or -EBADMSG.  data must outlive *ret; wire_free releases the arrays only. */
int wire_read(const void *data, size_t n, struct wire_plan *ret, struct err *err);
void wire_free(struct wire_plan *w);

#endif
