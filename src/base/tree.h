/* base/tree.h - removing whole trees that hostile programs have filled.
 */
#ifndef BAWN_BASE_TREE_H
#define BAWN_BASE_TREE_H

#include "base/err.h"

/* Remove name below dirfd and everything in it: never follows a link, never leaves the file system
 * object it was given, copes with 0000 directories and with any depth in bounded memory and
 * descriptors.  0 (also when it did not exist) or -errno. */
int tree_remove(int dirfd, const char *name, struct err *err);

#endif
