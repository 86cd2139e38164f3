/* run/pull.h - making sure that a template is in the store before a plan is made of it.
 *
 * Owns: when a registry is asked.  Must not: talk to one; `bawn template pull` does.
 */
#ifndef BAWN_RUN_PULL_H
#define BAWN_RUN_PULL_H

#include "run/run.h"

/* "always", "missing", "never" (option --pull).  0; -EINVAL. */
int run_pull_parse(const char *text, enum run_pull *ret, struct err *err);

/* After this ref is in the store: it was there and when is RUN_PULL_MISSING; or it was built of the
 * recipe that is shipped under that name (profiles/NAME.Dockerfile; not with RUN_PULL_ALWAYS); or
 * it was pulled.  Both say on stderr what they do and what is wrong.  Does nothing with
 * RUN_PULL_NEVER, for an ID ("sha256:HEX") and for "host"; looking it up then says that it is not
 * there.  Take no hold on the store before.  0; -ECANCELED with an empty message, as all has been
 * said; other -errno. */
int run_pull(struct run *r, const char *ref, enum run_pull when, struct err *err);

#endif
