/* build/links.h - whose the links and FIFOs are that COPY and ADD take: no attribute can say it, so
 * it is found in the layers that they come from (base/link-owners.h), and kept in a list beside
 * what becomes a layer.
 *
 * Owns: that list.  Must not: read a frame (bawn-layer does, confined).
 */
#ifndef BAWN_BUILD_LINKS_H
#define BAWN_BUILD_LINKS_H

#include <stdio.h>

#include "base/arena.h"
#include "base/link-owners.h"

struct build_links {
	struct arena *a;
	const char *helper; /* bawn-layer */
	struct strv lowers; /* fs/ of the layers they come from, topmost first; none: root's */
	struct link_owners **known; /* by layer, once asked for */
	int root;                   /* of the tree that is built */
	FILE *list;                 /* NULL: nothing is kept */
};

/* Of name in dir, which is beneath the merged root from. */
int build_links_find(struct build_links *l, int from, int dir, const char *name,
	struct link_owner *ret, struct err *err);
/* as, in the directory to of the tree that is built, is of that owner. */
int build_links_keep(
	struct build_links *l, int to, const char *as, const struct link_owner *o, struct err *err);
/* Name in the directory to, by a path from root that no link is on, and with links followed inside
 * root: a directory. A descriptor, or -errno. */
int build_links_path(struct build_links *l, int to, const char *name, char **ret, struct err *err);
int build_links_dir(struct build_links *l, int to, const char *name, struct err *err);
/* The next sources come from elsewhere. */
void build_links_from(struct build_links *l, struct strv lowers);
/* With all that it has opened and read.  The list has to be whole. */
int build_links_end(struct build_links *l, struct err *err);

#endif
