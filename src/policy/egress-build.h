/* policy/egress-build.h - rules to the tables of egress-table.h.
 */
#ifndef BAWN_POLICY_EGRESS_BUILD_H
#define BAWN_POLICY_EGRESS_BUILD_H

#include "policy/rule.h"

/* malloc'd; rule i of the list is rule i of egress_rule().  0 or -errno. */
int egress_build(
	const struct rules *rules, bool offline, void **ret, size_t *ret_n, struct err *err);

#endif
