/* cli/cmd-secret.h - what the files of bawn secret share.
 */
#ifndef BAWN_CLI_CMD_SECRET_H
#define BAWN_CLI_CMD_SECRET_H

#include "cli/listing.h"
#include "policy/credential.h"
#include "secret/secret.h"

/* The command line; in ctx.own. */
struct secret_args {
	bool value_stdin, dry_run, yes;
	const char *source[SECRET_SOURCES]; /* --command, --env, --file; [SECRET_VALUE] unused */
	const char *sandbox;
};

/* All that the shipped and the user's policies say about credentials.  What is wrong with a policy
 * is said on stderr once, and that policy left out. */
int secret_bindings(struct ctx *c, struct credentials *ret);

/* Read a secret from the terminal, without showing it; prompt on stderr.  0; -ENOTTY: stdin is no
 * terminal; -EINTR: a signal that ends bawn came (the terminal is as it was); other -errno. */
int secret_prompt(const char *prompt, struct secret_buf *b, struct err *err);

/* Say so on stderr where no policy sends this secret anywhere. */
void secret_say_unbound(struct ctx *c, const char *name);

int secret_import(struct ctx *c);

#endif
