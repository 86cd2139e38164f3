/* layer/pack-in.h - what pack's files share: pack.c (the walk), pack-entry.c (one entry),
 * pack-names.c (sets of names, hard links).
 */
#ifndef BAWN_LAYER_PACK_IN_H
#define BAWN_LAYER_PACK_IN_H

#include "layer/attr.h"
#include "layer/pack.h"
#include "layer/place.h"

/* Names of one directory, in order, each with the topmost layer that has it. */
struct name {
	char *name;
	size_t layer; /* index into the directory's layers */
};
struct names {
	struct name *v;
	size_t n, cap;
};
int names_read(int dir, size_t layer, struct names *ret, struct err *err);
/* In order, the topmost of each name alone. */
void names_settle(struct names *l);
void names_free(struct names *l);

/* Inodes with several links, and the first name of each. */
struct links {
	struct link_slot *v;
	size_t n, cap;
};
/* The earlier name of this inode; NULL: it is path, from now on (also without memory). */
const char *links_first(struct links *l, const struct stat *st, const char *path);
void links_free(struct links *l);

struct packer {
	const struct pack *p;
	struct layer_counts *c;
	struct links links;
	const char **exclude; /* in order */
	size_t n_exclude;
	struct attr_buf *attrs;
	struct tar_out head;
	char path[TAR_PATH_MAX + 1]; /* relative to the root */
	size_t path_n;
};

/* Open name for reading; what its owner may not read is opened up (*ret_opened is then not -1)
 * until pack_close_again(), with Linux 6.6 and later.  *ret is how it was.  fd or -errno. */
int pack_open(int dir, const char *name, int flags, struct stat *ret, int *ret_opened);
void pack_close_again(int opened, const struct stat *st);

/* What is at name in dir, which is one of layer's, and is no directory and no whiteout. */
int pack_other(struct packer *k, int dir, size_t layer, const char *name, const struct stat *st,
	struct err *err);
/* The directory itself, open as fd. */
int pack_dir(struct packer *k, int fd, size_t layer, const struct stat *st, struct err *err);
/* An empty file that means something: .wh.NAME in the place of k->path, whose end name is, or
 * (NULL) .wh..wh..opq in k->path. */
int pack_whiteout(struct packer *k, const char *name, struct err *err);

#endif
