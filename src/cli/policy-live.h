/* cli/policy-live.h - a rule for all sandboxes, as bawn policy allow adds it. */
#ifndef BAWN_CLI_POLICY_LIVE_H
#define BAWN_CLI_POLICY_LIVE_H

#include "run/run.h"

/* Into user.yaml, and every sandbox that runs reads it; the names of those that did are printed.
 * An exit code, or -errno. */
int policy_live_all(struct run *r, enum session_policy what, const char *rule, struct err *err);

#endif
