/* layer/extract-in.h - what extract's files share: extract.c (an entry at a time), extract-dir.c
 * (the directories that entries lie in), extract-clear.c (what had the name before).
 */
#ifndef BAWN_LAYER_EXTRACT_IN_H
#define BAWN_LAYER_EXTRACT_IN_H

#include "base/arena.h"
#include "layer/extract.h"
#include "layer/frame.h"
#include "layer/place.h"

struct dir_time {
	char *path;
	struct timespec mtime;
};

struct extract {
	const struct extract_in *in;
	struct layer_counts *c;
	struct tar *tar;
	struct frame_out *frame;
	int fs, kept; /* kept: -1 while there is none */
	uint64_t n_kept, meta;
	struct arena arena;
	struct dir_time *times; /* of directories, set at the end, in this order */
	size_t n_times, cap_times;
	/* the directory of the last entry; -1: none */
	int parent;
	size_t parent_n;
	char parent_path[TAR_PATH_MAX + 1];
	char path[TAR_PATH_MAX + 1]; /* of this entry, clean */
};

/* path escaped, for messages; one at a time. */
const char *extract_shown(const char *path);
void extract_forget_parent(struct extract *x);
/* The directory that path (n bytes of it) names, made where it isn't there.  The fd is x's. */
int extract_parent(
	struct extract *x, const char *path, size_t n, const struct tar_entry *e, struct err *err);
int extract_remember_time(
	struct extract *x, const char *path, const struct tar_entry *e, struct err *err);
int extract_set_times(struct extract *x, struct err *err);

enum clear { CLEAR_FREE, CLEAR_DIR, CLEAR_REPLACED };
/* Make room for name (the end of path) in parent.  CLEAR_DIR: a directory is there, and keep_dir.
 */
int extract_clear(struct extract *x, int parent, const char *path, const char *name, bool keep_dir,
	struct err *err);
bool extract_is_whiteout(const struct stat *st);

#endif
