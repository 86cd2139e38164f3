/* secret/ask.h - a program on the host that is asked for a secret.
 */
#ifndef BAWN_SECRET_ASK_H
#define BAWN_SECRET_ASK_H

#include "secret/secret.h"

/* Run argv (argv[0] absolute) in the root directory, so that nothing where the caller stands
 * counts, with the descriptors input and errors (-1: nothing) as its stdin and stderr.  Its output
 * without a line end into *b (allocated).  It and what it started are killed at the end of the
 * time.  what: how messages call it.  0; -ETIME; -E2BIG; -ECANCELED: it ended with an error. */
int secret_ask(const struct strv *argv, char *const *envp, int input, int errors, int timeout_ms,
	const char *what, struct secret_buf *b, struct err *err);

#endif
