/* init/theirs.h - what another process means: its descriptors, paths and memory, as pid 1's thread
 * that serves it sees them (init-owner.c).
 *
 * Light: libc only; allocates nothing.  Must not: open a file for more than its name (O_PATH).
 */
#ifndef BAWN_INIT_THEIRS_H
#define BAWN_INIT_THEIRS_H

#include <stdint.h>

#include "base/macro.h"

/* All: negative where there is none. */

/* A descriptor of the process, or its working directory (AT_FDCWD). */
int theirs_fd(uint32_t pid, int fd);
/* What the path at this address means there; flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH.  -EACCES:
 * where another process has its root. */
int theirs_path(uint32_t pid, int dirfd, uint64_t address, int flags);
/* Its memory, to be read and written to. */
int theirs_memory(uint32_t pid);
/* Is the string at this address there that one? */
bool theirs_says(uint32_t pid, uint64_t address, const char *what);

#endif
