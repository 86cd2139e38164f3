/* build/tree.h - what COPY and ADD take, from a context or a stage, and where it goes.
 *
 * Owns: finding sources (patterns, links that stay inside), walking them in a fixed order, their
 * digest, and the same walk as a copy.  Must not: follow a link out of the source or of the root
 * that is built, or take a mode, owner or attribute of the host's for one of the image's.
 */
#ifndef BAWN_BUILD_TREE_H
#define BAWN_BUILD_TREE_H

#include <sys/types.h>

#include "build/ignore.h"
#include "build/links.h"

#define BUILD_DEPTH_MAX 200

struct build_owner {
	bool set;
	uint32_t uid, gid;
};

/* One COPY or ADD, as far as its files go. */
struct build_copy {
	int from;      /* root of the sources */
	bool context;  /* it is the user's directory: owners and attributes don't count */
	bool unpacked; /* context: made of an archive, whose modes are kept beside it */
	const struct ignore *ignore; /* paths below from; NULL: none */
	struct ignore exclude;       /* --exclude: paths below what is copied */
	struct strv sources;         /* relative to from; a "/" behind one means nothing */
	const char *dest;            /* absolute, as inside; "/" behind it: a directory */
	const char *chmod;           /* --chmod, valid (mode.h); NULL: the source's mode */
	struct build_owner owner;    /* --chown */
	bool parents;                /* --parents: their directories come along */
	struct build_links *links;   /* whose links and FIFOs are; NULL: nobody asks */
	bool archive; /* an archive's: a directory takes the place of a link, unless it is implied
		       */
};

/* All sources' names, kinds, modes and content, in sha256's hex digits.  Found nothing: -ENOENT. */
int build_tree_digest(
	struct arena *a, const struct build_copy *c, char ret[static 65], struct err *err);
/* Into the tree at root (which nobody else writes). */
int build_tree_copy(struct arena *a, const struct build_copy *c, int root, struct err *err);
/* The paths that source, a pattern or a path, means in c->from. */
int build_tree_expand(struct arena *a, const struct build_copy *c, const char *source,
	struct strv *ret, struct err *err);

/* The directory path inside root, links followed as inside; missing ones are made (0755, owner).
 * A descriptor, or -errno. */
int build_tree_dir(int root, const char *path, const struct build_owner *owner, struct err *err);
/* A file with this text there, whatever was there before (no directory). */
int build_tree_put(int root, const char *path, const char *text, size_t n, mode_t mode,
	const struct build_owner *owner, struct err *err);

/* Record on fd who owns it and which mode it has, as layers have it (layer/layer.h). */
int build_tree_mark(
	int fd, const struct build_owner *owner, mode_t mode, bool dir, struct err *err);

/* "USER[:GROUP]" by the accounts of root; a number needs none.  *ret_gid stays where no group is
 * said and the account has none. */
int build_account(struct arena *a, int root, const char *text, struct build_owner *ret,
	char **ret_home, struct err *err);

/* A text of at most 1 MiB below root, links followed as inside; NULL: none. */
char *build_read_inside(struct arena *a, int root, const char *path);

#endif
