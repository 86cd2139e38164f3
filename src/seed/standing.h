/* seed/standing.h - what a tool is told of where it is: bawn's own few lines and the user's, behind
 * whatever instructions of the user's came along; in the home, never in the workspace.
 */
#ifndef BAWN_SEED_STANDING_H
#define BAWN_SEED_STANDING_H

#include "seed/copy.h"
#include "seed/seed.h"
#include "seed/spec.h"

/* 0 or -errno; nothing to do where the profile names no file for it. */
int seed_standing(struct seed_copy *c, const struct seed_request *rq, const struct seed_spec *spec,
	struct err *err);

#endif
