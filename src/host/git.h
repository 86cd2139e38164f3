/* host/git.h - the workspace: its resolved path, the git work tree it lies in, and refusals.
 *
 * Reads .git as data; runs no git.  What a .git *file* points to outside the workspace is believed
 * only if that directory points back (a hostile workspace could name any directory).
 */
#ifndef BAWN_HOST_GIT_H
#define BAWN_HOST_GIT_H

#include "base/path.h"
#include "host/identity.h"

enum host_git_kind {
	HOST_GIT_NONE,
	HOST_GIT_DIR,       /* .git is a directory in the workspace */
	HOST_GIT_WORKTREE,  /* .git is a file: a linked work tree */
	HOST_GIT_SUBMODULE, /* .git is a file: a submodule, or git init --separate-git-dir */
	HOST_GIT_FOREIGN,   /* .git is a file or link that does not point back: not bound */
};

struct host_workspace {
	const char *path; /* resolved: the work tree, or the directory asked for */
	const char *cwd;  /* resolved: where the agent starts, within path */
	enum host_git_kind git;
	const char *git_dir;    /* absolute, resolved; NULL without git */
	const char *common_dir; /* where config and hooks are; equals git_dir but in a linked one */
	struct strv binds;      /* git directories outside path that must be bound writable */
	bool empty;             /* no entry at all: nothing to scan */
};

/* Where git's small file dir/name leads to: its first line behind the prefix, read as a path from
 * dir, links resolved.  NULL where there is no such file, or place. */
char *host_git_leads_to(struct arena *a, const char *dir, const char *name, const char *prefix);

/* What to do about a PATH that was given and can't be resolved: code is errno. */
void host_path_hint(const char *given, int code, struct err *err);

/* dir NULL or "": the current directory.  Refused with a remedy: missing, not a directory, "/",
 * $HOME or above it, /tmp and other shared or system directories, bawn's own state (above, below
 * or the same, after resolving links), names that can't be shown in a mount table (newline is
 * fine).
 */
int host_workspace_resolve(struct arena *a, const char *dir, const struct host_identity *id,
	const struct path_xdg *own, struct host_workspace *ret, struct err *err);

/* An extra mount PATH[:ro]: a directory or a single file; the same refusals. */
struct host_extra {
	const char *path; /* resolved */
	bool read_only;
	bool dir;
};
int host_extra_resolve(struct arena *a, const char *arg, const struct host_identity *id,
	const struct path_xdg *own, struct host_extra *ret, struct err *err);

#endif
