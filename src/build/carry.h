/* build/carry.h - the order in which things are done; see build.h
 */
#ifndef BAWN_BUILD_CARRY_H
#define BAWN_BUILD_CARRY_H

#include "build/build.h"

/* All stages that the target needs; a failure has its place in *err. */
int build_carry_out(struct build *b, struct err *err);
int build_instruction(struct build *b, struct build_state *st, int stage, const struct df_inst *i,
	struct err *err);

#endif
