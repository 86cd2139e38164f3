/* seed/merge.h - a template's own settings files, and what bawn puts into them, as one.
 *
 * What a template has was written by a stranger, and JSON and TOML are large languages: it is read
 * in bawn-merge, a confined process that is given those texts and nothing else.  What it answers
 * goes into the sandbox's home as it is, and is read by nobody out here.
 *
 * Who wins, key by key: what bawn has to say (top), then the template, then the rest (all: the
 * user's own settings, and what fills gaps).  Lists of JSON are joined.
 */
#ifndef BAWN_SEED_MERGE_H
#define BAWN_SEED_MERGE_H

#include "base/blob.h"
#include "seed/copy.h"
#include "seed/spec.h"

#define SEED_MERGE_MAX ((size_t)48 << 20) /* all texts of one request, and of its answer */

struct seed_merge {
	const char *rel; /* below the home, for messages */
	enum seed_format format;
	const char *base; /* the template's: n bytes and a NUL; NULL: it has none */
	size_t n;
	const char *top, *all; /* top: NULL for none */
	char *text;            /* what is to be written: all, where base can't be read */
};

/* Fill in base of each from below c's home, and text.  What can't be read is named in the report,
 * and does not count.  helper: path of bawn-merge.  0 or -errno. */
int seed_merge_all(
	struct seed_copy *c, const char *helper, struct seed_merge *m, size_t n, struct err *err);

/* In bawn-merge. */

/* One file, with base.  0 and m->text in the arena; -EINVAL: base is malformed; -errno. */
int seed_merge_one(struct arena *a, struct seed_merge *m, struct err *err);
/* A whole request, answered.  0 or -EBADMSG. */
int seed_merge_answer(struct arena *a, const char *request, size_t n, struct blob *answer);

#endif
