/* policy/lint.h - what is allowed to be written but is probably not meant.
 */
#ifndef BAWN_POLICY_LINT_H
#define BAWN_POLICY_LINT_H

#include "policy/psl.h"
#include "policy/read.h"

/* Called for each finding: "FILE:LINE:COL: text" parts. */
typedef void lint_fn(void *ctx, const char *file, uint32_t line, uint32_t col, const char *text);

/* One rule by itself: a wildcard over a public suffix, a deny that nothing can run into, private
 * addresses without "private".  A sentence in buf, or NULL. */
const char *lint_rule(const struct rule *rule, const struct psl *psl, char *buf, size_t cap);

/* Rules that are suspicious by themselves (rule_suspicious, lint_rule), stand twice, are covered by
 * a wider one, or can never allow anything because a deny covers them.  O(n log n).  Findings or
 * -ENOMEM.
 */
int lint_rules(struct arena *a, const struct rules *rules, lint_fn *fn, void *ctx);

/* Hosts of credentials that anyone can have a name at. */
int lint_credentials(const struct credentials *list, lint_fn *fn, void *ctx);

/* Variables that would run code on the inside of every program, keys that contradict. */
int lint_profile(const struct profile *p, lint_fn *fn, void *ctx);

#endif
