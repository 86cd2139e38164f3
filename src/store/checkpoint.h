/* store/checkpoint.h - the checkpoints of a sandbox, as its spec has them.
 *
 * One "tag" line each, oldest first:
 *
 *   TAG TIME PARENT LAYER...
 *
 * LAYERs are ids of frozen layers, lowest first: all that the sandbox had written by then.  PARENT
 * is the checkpoint that was taken, or restored, last before it, "-" for none.  So checkpoints are
 * a tree, and restoring an old one takes nothing from those behind it.
 *
 * Owns: that format and its rules.  Must not: touch anything on disk.
 */
#ifndef BAWN_STORE_CHECKPOINT_H
#define BAWN_STORE_CHECKPOINT_H

#include "store/spec.h"

#define CHECKPOINTS_MAX 500
#define CHECKPOINT_UNDONE "undone" /* what the last restore put aside */

struct checkpoint {
	char *tag;
	char *parent; /* NULL: none */
	int64_t time; /* seconds since the epoch */
	struct strv layers;
};

/* 0; -EINVAL with the rule, which is that of names: 1-64 of a-z A-Z 0-9 . _ -. */
int checkpoint_tag_check(const char *tag, struct err *err);
/* An unused one: cp1, cp2, ... */
char *checkpoint_tag_new(struct arena *a, const struct spec *s);
/* Line i of spec->tags.  -EINVAL when it is none. */
int checkpoint_at(
	struct arena *a, const struct spec *s, size_t i, struct checkpoint *ret, struct err *err);
/* -ENOENT, with those there are as the remedy. */
int checkpoint_find(struct arena *a, const struct spec *s, const char *tag, struct checkpoint *ret,
	struct err *err);
/* Behind the others; one of the same tag is replaced.  -E2BIG when there are too many. */
int checkpoint_put(struct arena *a, struct spec *s, const struct checkpoint *c, struct err *err);
/* Take it out; those that name it as their parent, and the spec's base, go by its own parent. */
int checkpoint_remove(struct arena *a, struct spec *s, const char *tag, struct err *err);

bool strv_same(const struct strv *a, const struct strv *b);

#endif
