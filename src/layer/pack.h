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
#include "base/link-owners.h"
#include "layer/output.h"

struct pack_owner {
	uint32_t uid, gid;
};

struct pack {
	const int *dirs; /* topmost first */
	size_t n_dirs;
	const struct pack_owner *owners; /* of what says nothing of one, for each directory */
	const char *home;                /* and, where not NULL, of what is there or below ... */
	size_t home_dirs;                /* ... in the first so many directories */
	struct pack_owner home_owner;
	struct link_owners *const
		*known; /* not NULL: of each directory, whose its links are; NULL */
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
/* "UID:GID:DIRS:NAME" into p; changes text.  0 or -EINVAL. */
int pack_home(char *text, struct pack *p, struct err *err);

#endif
