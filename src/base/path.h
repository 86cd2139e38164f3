/* base/path.h - path arithmetic that never follows links, and openat2(2).
 *
 * Lexical functions are only for paths that the kernel has already resolved (path_real); folding
 * ".." through a link that has not been resolved is how profile paths were escaped elsewhere.
 */
#ifndef BAWN_BASE_PATH_H
#define BAWN_BASE_PATH_H

#include <linux/openat2.h>
#include <stdint.h>

#include "base/arena.h"

/* openat2(2); glibc 2.36 has no wrapper.  fd or -errno. */
int path_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/* The kernel's own answer for path, every link resolved (realpath(3)); in arena.  NULL: errno. */
char *path_real(struct arena *a, const char *path);

/* The same for a path (absolute) of which the end need not be there yet: what is there is resolved,
 * the rest stays as it is.  NULL: errno. */
char *path_settle(struct arena *a, const char *path);

/* Is path (absolute, resolved) dir itself or below it? "/area2" is not within "/area". */
bool path_within(const char *path, const char *dir);

/* Is either of them within the other? */
bool path_meets(const char *path, const char *other);

/* An absolute path with "." and ".." folded, as a program does that looks at no links; in arena.
 * Where that leads is decided by whoever opens it. */
char *path_fold(struct arena *a, const char *path);

/* "dir/name" in arena, one slash between. */
char *path_join(struct arena *a, const char *dir, const char *name);

/* "~" and "~/x" with home put in; anything else is copied. */
char *path_expand_home(struct arena *a, const char *path, const char *home);

/* The part behind the last slash. */
const char *path_base(const char *path);
/* A path of /proc/PID/mountinfo, in which blanks and the like are \040 (proc(5)); in place. */
void path_unescape(char *s);
/* A word of the command line that is a name or, with a slash, a path: one that ends as a YAML file
 * does is that file of the current directory, "./WORD"; all else stays as it is. */
char *path_of_word(struct arena *a, const char *word);
/* What is before that, without the slash; "/" of what is in it.  NULL: nothing, or no memory. */
char *path_parent(struct arena *a, const char *path);

/* Could following a link lead out of the directory that name is below?  name: where the link is,
 * relative, no link on the way; target: what stands in it.  As text: ".." counts only in front, as
 * behind a word that is, or becomes, a link itself it leads anywhere. */
bool path_link_leads_out(const char *name, const char *target);

/* Where this installation keeps its helpers and its data.  In a build tree (bawn-init stands beside
 * the executable) both are the build directory's; otherwise, what configure was told, or the same
 * places relative to the executable when the tree was moved. */
struct path_install {
	char *libexec; /* holds bawn-init, bawn-relay, ... */
	char *data;    /* holds profiles/, policies/ */
};
int path_install_find(struct arena *a, const char *libexecdir, const char *datadir,
	struct path_install *ret, struct err *err);

/* The command bawn of an installation, for its helpers: beside them in a build tree, else where
 * configure was told, or at its place in a tree that was moved.  NULL: out of memory. */
char *path_install_bawn(
	struct arena *a, const struct path_install *in, const char *libexecdir, const char *bindir);

/* The user's directories (XDG base directory specification 0.8), settled: a home or a ~/.cache that
 * is a link to another disk counts as where it leads.  Each ended in "/bawn" before that. */
struct path_xdg {
	char *config, *data, *cache, *runtime; /* runtime may be NULL */
	char *home;
};
/* HOME must be absolute; a relative XDG_* is ignored, as the specification says. */
int path_xdg_find(struct arena *a, struct path_xdg *ret, struct err *err);

#endif
