/* change/starts.h - what a sandbox's state must remember so that its changes can be judged: when
 * its sessions started, what read as empty inside, where the user's git looks for hooks, and its
 * other settings that may name a place in the workspace.
 *
 * One small file, "changes", in the sandbox's directory, written beside and renamed at each start.
 */
#ifndef BAWN_CHANGE_STARTS_H
#define BAWN_CHANGE_STARTS_H

#include <stdint.h>

#include "base/arena.h"

struct change_starts {
	uint64_t *since; /* as change_request has it */
	size_t n_since;
	struct strv masked;   /* relative to the workspace; all that ever were */
	char *hooks;          /* likewise, or NULL */
	struct strv settings; /* key, value, key, value ... */
};

/* A session starts: to be called before its workspace is mounted.  0 or -errno. */
int change_starts_begin(int box, const struct strv *masked, const char *hooks,
	const struct strv *settings, struct err *err);
/* The same for a workspace that is written to directly: git_index (absolute; may be absent, may be
 * NULL) is copied beside, as DIRECT_INDEX.  A clone of its extents where the file system has that.
 */
#define DIRECT_INDEX "index"
int change_direct_begin(int box, const char *git_index, struct err *err);
/* -ENOENT (err untouched) when it never started; -EBADMSG when the file is damaged. */
int change_starts_read(int box, struct arena *a, struct change_starts *ret, struct err *err);

#endif
