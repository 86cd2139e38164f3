/* policy/compare.h - two sets of rules: what one lets through and the other doesn't.
 *
 * Not a comparison of texts: every name and address that could be asked for is in one of finitely
 * many classes that both sets decide about as one, and each class is asked of both.
 */
#ifndef BAWN_POLICY_COMPARE_H
#define BAWN_POLICY_COMPARE_H

#include "policy/rule.h"

#define COMPARE_PORTS_MAX 256 /* different ports in both sets together */

enum compare_what {
	COMPARE_ALLOWED,  /* may be connected to */
	COMPARE_PRIVATE,  /* ... at a private address, too */
	COMPARE_RAW,      /* ... with bytes that are neither TLS nor HTTP */
	COMPARE_REQUESTS, /* both may be connected to, but be asked for different things */
	COMPARE_UPLOAD,   /* ... or be sent more */
	COMPARE_WHATS
};

/* One class that differs.  host: "example.com", "*.example.com", "**.example.com" or
 * "*.**.example.com" (two labels more, or further ones), but for names that have a line of their
 * own; "1.2.3.0-1.2.3.255"; more: the second lets it through, the first doesn't, else the other
 * way; rule: of the set that lets it through.  example: of COMPARE_REQUESTS, as
 * compare_request_fn() is given it; else NULL. */
struct compare_found {
	bool more;
	enum compare_what what;
	const char *host;
	const uint16_t *ports;
	size_t n_ports;
	const char *example;
	struct egress_rule rule;
};
typedef void compare_fn(void *ctx, const struct compare_found *f);

struct compare_side {
	const struct rules *rules;
	bool offline;
};

/* fn for each difference, sorted by name, then by address.  How many; -E2BIG with more than
 * COMPARE_PORTS_MAX ports; -ENOMEM. */
int compare_rules(const struct compare_side *a, const struct compare_side *b, compare_fn *fn,
	void *ctx, struct err *err);

/* Do both say the same, as written? */
bool compare_same_rule(const struct rule *x, const struct rule *y);

#endif
