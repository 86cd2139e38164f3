/* build/view.h - root file systems of stages, looked at and written to in a process of their own.
 *
 * Owns: the user and mount namespace of such a process, and what it hands back.  Must not: execute
 * anything: what is mounted is reached by descriptor alone.
 */
#ifndef BAWN_BUILD_VIEW_H
#define BAWN_BUILD_VIEW_H

#include "base/arena.h"
#include "build/buf.h"

#define VIEW_MAX 64

struct view {
	struct strv lowers;       /* host directories, top first; empty: nothing there */
	const char *upper, *work; /* NULL: only to be read */
};

/* scratch: an existing directory of ours, in which nothing is left behind.
 * In a child: fn with a descriptor of each root, in order.  What fn puts into *out is handed back.
 * 0 or -errno, with the child's err. */
typedef int (*view_fn)(void *ctx, const int *roots, struct buf *out, struct err *err);
int view_run(struct arena *a, const char *scratch, const struct view *v, size_t n, view_fn fn,
	void *ctx, char **ret, struct err *err);

#endif
