/* policy/target.h - what `bawn policy check` is asked about: URL | HOST[:PORT] | ADDRESS[:PORT].
 */
#ifndef BAWN_POLICY_TARGET_H
#define BAWN_POLICY_TARGET_H

#include "policy/egress.h"

struct target {
	bool is_addr;
	struct host_addr addr;
	char name[HOST_NAME_MAX_LEN + 1]; /* canonical; empty when it is an address */
	uint16_t port;
};

/* A URL's host is what a client would connect to: behind the last "@", before the port.
 * 0; -EINVAL with a reason: no client inside could ask for it by that name. */
int target_parse(const char *text, struct target *ret, struct err *err);

#endif
