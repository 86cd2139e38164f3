/* store/spare.h - a sandbox's directory, kept for the next start of its kind.
 *
 * Theory of operation.  ext4 avoids inodes that were freed in the last minute, and takes longer to
 * remove a directory than to make one: a start that made what it needs anew, and removed it, would
 * get dearer with each.  So what nobody can learn anything from stays: empty directories where
 * something of the user's is mounted ("ways", below home/), and the empty upper directories of
 * their overlays (below up/), and the one where git's configuration is copied to (git/0).
 * Everything else goes when the run is over, and what is taken is looked through again, with the
 * list of ways that lies beside them.
 *
 * A working directory of an overlay is no one's twice: each run has one of its own, work.N, and
 * removes those of former runs when it has time (the kernel alone writes there).  Nor may two
 * mounts have one upper directory, and the kernel takes a while to take one down: until then the
 * lock is held, and who finds it held makes upper directories of its own.
 *
 * Of those that run at once each leaves one: the first at the place itself, others beside it, in a
 * directory of at most 256.
 */
#ifndef BAWN_STORE_SPARE_H
#define BAWN_STORE_SPARE_H

#include "store/store.h"

/* The working directories' names begin with it. */
#define SPARE_WORK "work."

/* Where the next start on this workspace finds an unused directory: b->spare, NULL: nowhere. */
void spare_place(struct store *s, struct arena *a, const char *workspace, const char *home,
	struct store_box *b);
/* Make one of those that are kept b->dir; false: there is none. */
bool spare_take(const struct store_box *b);
/* A directory that was taken from there: recall its ways.  Does it hold nothing else? */
bool spare_taken(struct store_box *b, struct arena *a);
/* Keep the directory, emptied, for the next start; false when it has to be removed. */
bool spare_keep(const struct store_box *b);
/* The end of the box's store_box_sweep(): it is waited for only where it has far too much to do. */
void sweep_leave(struct store_box *b);

#endif
