/* change/aside.h - taking new files that the host would run out of a workspace, at the end of a run
 * that wrote to it directly.
 *
 * They are moved, never removed: below DIR/aside/TIME/, under the path they had, so that `mv`
 * brings one back.  The caller passes only what its scan saw appear under that name.  How old a
 * file is says nothing: an older one may have been renamed, linked or come with a directory.
 */
#ifndef BAWN_CHANGE_ASIDE_H
#define BAWN_CHANGE_ASIDE_H

#include "base/arena.h"

struct aside {
	const char *path; /* relative to the workspace, as given */
	const char *to;   /* where it is now: absolute; NULL: it stayed, and why says why */
	const char *why;
};

/* root: the workspace, absolute and resolved.  dir: the sandbox's directory, or where else state is
 * kept, absolute.  paths: relative, files, links and directories.  No link of the workspace is
 * followed.  Each path is where it was or wholly moved, at any instant; one that has become a part
 * of another that was moved counts as moved.  ret: paths->n rows.  0, or -errno when nothing could
 * be done at all. */
int change_set_aside(const char *root, const char *dir, const struct strv *paths, struct arena *a,
	struct aside **ret, struct err *err);

#endif
