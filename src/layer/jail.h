/* layer/jail.h - what is left to bawn-layer once it reads: a few directories, and calls for them.
 */
#ifndef BAWN_LAYER_JAIL_H
#define BAWN_LAYER_JAIL_H

#include "confine/jail.h"

/* dirs: at most LAYER_DIRS_MAX + 1.  write: this process makes things in the first one. */
int layer_jail(const int *dirs, size_t n, bool write, uint64_t file_size, struct err *err);

#endif
