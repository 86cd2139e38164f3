/* run/rows.h - the rows of a plan: what run-plan.c and run-plan-lend.c make them with.
 */
#ifndef BAWN_RUN_ROWS_H
#define BAWN_RUN_ROWS_H

#include "run/run.h"

static inline struct mount_op *row(
	struct run *r, enum mount_op_kind kind, const char *dst, uint32_t flags, const char *data)
{
	struct mount_op *m = plan_mount(&r->plan, kind, dst);
	m->flags = flags;
	m->data = data;
	return m;
}

static inline void bind_row(struct run *r, const char *path, uint32_t flags, const char *why)
{
	struct mount_op *m = row(r, MOUNT_BIND, path, flags | MOUNT_POINT, NULL);
	m->src = m->dst;
	m->why = why;
}

static inline bool inside_workspace(const struct run *r, const char *path)
{
	return path_within(path, r->ws.path);
}

/* An overlay: what is written goes to up/PART of the sandbox, over the frozen layers that have such
 * a part, over below (top first), over lowest. */
int run_overlay_rows(struct run *r, const char *dst, const char *part, const struct strv *below,
	const char *lowest, const char *why, struct err *err);
/* The user's directories, from the outermost in. */
int run_lend_rows(struct run *r, struct err *err);

#endif
