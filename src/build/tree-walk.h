/* build/tree-walk.h - the walk itself; for tree.c and tree-walk.c alone.
 */
#ifndef BAWN_BUILD_TREE_WALK_H
#define BAWN_BUILD_TREE_WALK_H

#include "build/buf.h"
#include "build/tree.h"

struct walk_link {
	dev_t dev;
	ino_t ino;
	char *path; /* below top */
};

struct sha256;

struct walk {
	struct arena *a;
	const struct build_copy *c;
	struct err *err;
	struct sha256 *sum; /* NULL: it is a copy */
	int top;            /* what at is relative to; -1 for a digest */
	struct buf shown;   /* the path below c->from */
	struct buf rel;     /* below what is copied: what --exclude and the digest go by */
	struct buf at;      /* below top */
	struct walk_link *links;
	size_t n_links, cap_links;
	int depth;
	size_t found;
};

/* All that is in the directory from, into to. */
int walk_inside(struct walk *w, int from, int to);
int walk_take(struct walk *w, int dir, const char *name, int to, const char *as);
/* The open file fd, as `as` in to. */
int walk_file(struct walk *w, int fd, int to, const char *as);
/* Is it a directory that an archive has things in, and does not list? */
bool walk_is_implied(int fd);
/* Mode, owner and attributes of the directory from for fd; or a line of the digest. */
int walk_dir_facts(struct walk *w, int from, int fd);

int walk_push(struct walk *w, struct buf *b, const char *name, size_t *was);
void walk_pop(struct buf *b, size_t was);

#endif
