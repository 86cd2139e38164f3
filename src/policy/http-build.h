/* policy/http-build.h - rules to the list of http-rule.h.
 */
#ifndef BAWN_POLICY_HTTP_BUILD_H
#define BAWN_POLICY_HTTP_BUILD_H

#include "policy/http-rule.h"
#include "policy/rule.h"

/* What the rules say about requests and sizes; nothing when none does.  0 or -ENOMEM. */
int http_build(struct arena *a, const struct rules *rules, struct http_rules *ret, struct err *err);

#endif
