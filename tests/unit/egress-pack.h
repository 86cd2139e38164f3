/* tests/unit/egress-pack.h - a launch pack for tests, made of rules only.
 */
#ifndef BAWN_TEST_EGRESS_PACK_H
#define BAWN_TEST_EGRESS_PACK_H

#include "policy/pack.h"

struct test_rule {
	const char *text;
	bool deny, private_ok, raw;
};

/* A sealed descriptor with a pack that pack_open_fd() takes.  Ends the program on failure. */
int test_pack(const struct test_rule *rules, size_t n, bool offline);

#endif
