/* base/tree-copy.h - a tree that hostile programs have filled, once more.
 *
 * Owns: what has to come along of a file: content (shared where the file system can, holes kept),
 * mode, times, extended attributes, hard links, whiteouts.  Must not: follow a link, or leave the
 * two directories it was given.  Any depth, in bounded descriptors and stack.
 */
#ifndef BAWN_BASE_TREE_COPY_H
#define BAWN_BASE_TREE_COPY_H

#include <stdint.h>

#include "base/err.h"

struct tree_copy {
	/* Nothing is copied: files become further names of the same ones, and what lies above
	 * replaces what is there as overlayfs would show it: whiteouts hide, opaque directories
	 * hide what was in them.  For trees that are never written again. */
	bool merge;
	void (*progress)(void *ctx, const struct tree_copy *c); /* after each entry; may be NULL */
	void *ctx;
	uint64_t files, bytes; /* out: entries; bytes that had to be copied */
};

/* The content of the directory src into the directory dst, and src's own mode and attributes.
 * scratch: an empty directory on dst's file system, to be removed afterwards with what is in it.
 * 0 or -errno, with the part that is done left there. */
int tree_copy(int src, int dst, int scratch, struct tree_copy *c, struct err *err);

/* In a process of its own that may read what its owner has forbidden himself (mode 0000): fn(ctx)
 * runs there, privileged over our own files and nobody else's.  Its result; its err is handed back.
 * Where no such process can be had it is run all the same. */
int tree_privileged(int (*fn)(void *ctx, struct err *err), void *ctx, struct err *err);

#endif
