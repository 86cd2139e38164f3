/* seed/glob.h - entries of "state" that stand for several files. */
#ifndef BAWN_SEED_GLOB_H
#define BAWN_SEED_GLOB_H

#include "seed/spec.h"

#define SEED_GLOB_MAX 32

/* In place of each entry whose last name is a pattern with one "*": the one without it, and one for
 * each other file of the host's that fits, by name, at most SEED_GLOB_MAX of each.  Names that no
 * settings have (blanks, "=") are none.  0 or -ENOMEM. */
int seed_glob(struct arena *a, const char *home, struct seed_spec *spec, struct err *err);

#endif
