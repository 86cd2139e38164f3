/* layer/pack.h - directories become a tar, or, where a directory shall stay what it is, the frame
 * of one.
 *
 * Owns: merging upper directories as overlayfs does, what of them is in the tar, whiteouts.
 * Must not: follow a link; change what it packs (adopting does: layer.h).
 */
#ifndef BAWN_LAYER_PACK_H
#define BAWN_LAYER_PACK_H

#include "layer/frame.h"
#include "layer/layer.h"
#include "layer/output.h"

struct pack_owner {
	uint32_t uid, gid;
};

struct pack {
	const int *dirs; /* topmost first */
	size_t n_dirs;
	const struct pack_owner *owners; /* of what says nothing of one, for each directory */
	bool squash;
	const char *exclude; /* names, each ended by a NUL */
	size_t exclude_n;
	unsigned int depth;
	struct output *out;
	struct frame_out *frame; /* not NULL: adopt dirs[0], whose frame this is */
};
/* The caller ends out (and frame).  c's tar is the caller's to know. */
int pack(const struct pack *p, struct layer_counts *c, struct err *err);

/* "UID:GID[,UID:GID]...", the last one for all that follow.  0 or -EINVAL. */
int pack_owners(const char *text, struct pack_owner *ret, size_t n, struct err *err);

#endif
