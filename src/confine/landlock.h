/* confine/landlock.h - the second wall: which paths a process may use, whatever is mounted.
 *
 * Light: libc only.  The ruleset is built from paths as they are where the caller stands (the new
 * root, once it has been entered), so it names inodes, not strings: "/work2" is not below "/work".
 */
#ifndef BAWN_CONFINE_LANDLOCK_H
#define BAWN_CONFINE_LANDLOCK_H

#include "base/err.h"

/* A path and everything below it; write: also create, change, remove, rename, and ioctl on devices.
 * Without write: read, list and execute. */
struct land_rule {
	const char *path;
	bool write;
};

/* The kernel's Landlock ABI version, or -errno (-ENOSYS, -EOPNOTSUPP: there is none). */
int landlock_abi(void);

/* A ruleset in which only these paths can be used.  Rules that don't exist are an error.
 * Returns a descriptor; -EOPNOTSUPP when the kernel has no Landlock, or only ABI 1 (which forbids
 * every rename and link between directories, and so breaks ordinary tools). */
int landlock_build(const struct land_rule *rules, size_t n, struct err *err);

/* Add to a ruleset: what the caller has open as fd can be opened anew by its name in /proc (as
 * /dev/stdin is), for what it is open for and no more.  What has no path needs no rule, and a
 * directory, of which all below would be covered, gets none.  0 or -errno. */
int landlock_allow_open(int ruleset, int fd, struct err *err);

/* Confine the calling thread and its children for ever.  Needs no_new_privs.  0 or -errno. */
int landlock_enter(int fd, struct err *err);

/* Prove that the ruleset holds: forbidden is a path which file modes allow the caller to write and
 * no rule with write covers.  A file is opened for writing; in a directory a directory is made.
 * On a read-only file system the proof is a remount, which takes CAP_SYS_ADMIN to mean anything:
 * call it before the capabilities go.  0, or -ENOTRECOVERABLE when the wall isn't there. */
int landlock_prove(const char *forbidden, struct err *err);

#endif
