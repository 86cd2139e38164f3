/* run/live.h - changing a sandbox that lasts: what stands in its spec, and what a running one does.
 *
 * The supervisor is asked while it runs (live.c) and writes the spec itself, as it has the lock; at
 * rest whoever changes it takes the lock and does the same to the spec alone.
 */
#ifndef BAWN_RUN_LIVE_H
#define BAWN_RUN_LIVE_H

#include "run/run.h"

/* ---- published ports, as they stand in the spec ---- */

/* text: in full.  -EEXIST where it is published already. */
int live_publish_spec(struct arena *a, struct spec *s, const char *text, struct err *err);
/* HOST[:PORT].  -ENOENT where there is none. */
int live_unpublish_spec(struct spec *s, const char *text, struct err *err);

/* ---- rules ---- */

/* The three lists of rules that a sandbox has. */
struct live_lists {
	struct strv *allow, *deny, *allow_private;
};

/* Is text a rule?  -EINVAL with the reason. */
int live_rule_check(const char *text, enum session_policy what, struct err *err);
/* Put the rule where it belongs; true: something has changed. */
bool live_rule_add(
	struct arena *a, struct live_lists l, enum session_policy what, const char *text);
/* Take back every rule that says the same; how many. */
size_t live_rule_remove(struct live_lists l, const char *text);

/* The supervisor: one rule more, or less; once: until it stops.  errors: as below. */
int run_rule(struct run *r, enum session_policy what, const char *rule, bool once, int errors,
	struct err *err);

/* The supervisor: compile the policy again, as the options and the profiles beside are now, and let
 * it count; errors: where bawn-admin says what is wrong.  The old one stays where that fails. */
int run_policy_again(struct run *r, int errors, struct err *err);

/* ---- run-ask.c ---- */

/* dialer_hooks.asked: into the log. */
void run_on_asked(void *ctx, const struct dialer_question *q, enum dialer_asked what);
/* PENDING and ANSWER. */
int run_on_ask(struct run *r, const struct session_msg *m, const int *fds, size_t n_fds,
	struct session_msg *answer, struct err *err);

/* ---- run-look.c ---- */

/* FLOWS and DENIALS. */
void run_on_look(struct run *r, const struct session_msg *m, struct session_msg *answer);

#endif
