/* policy/compare-request.h - two lists of rules on requests, asked about one host: which requests
 * does one let through and the other not?
 */
#ifndef BAWN_POLICY_COMPARE_REQUEST_H
#define BAWN_POLICY_COMPARE_REQUEST_H

#include "base/arena.h"
#include "policy/http-rule.h"

/* A request that only the second (more) or the first lets through: "GET /repos/any", and the rule
 * that does, or EGRESS_NO_RULE where none looks at requests there.  example "": the two lists
 * differ, and which requests that is about was not found. */
typedef void compare_request_fn(void *ctx, bool more, const char *example, uint32_t rule);

enum { COMPARE_MORE = 1, COMPARE_LESS = 2 };

/* fn (or NULL) once for each rule.  COMPARE_MORE | COMPARE_LESS as there are; -ENOMEM. */
int compare_requests(struct arena *a, const struct http_rules *was, const struct http_rules *is,
	const char *name, uint16_t port, compare_request_fn *fn, void *ctx);

#endif
