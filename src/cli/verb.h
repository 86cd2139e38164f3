/* cli/verb.h - what the subcommands that deal with lasting sandboxes have in common: options, help,
 * names, who we are and where our state is.
 */
#ifndef BAWN_CLI_VERB_H
#define BAWN_CLI_VERB_H

#include "run/options.h"
#include "run/run.h"

struct verb {
	const char *usage;    /* "stop [OPTIONS] NAME..." */
	const char *help;     /* a sentence or two */
	const char *examples; /* lines, each with two spaces in front */
	const struct option_row *rows;
	option_fn option;
	int min, max;     /* words that are no options; max < 0: any number */
	bool ordered;     /* the first word ends the options */
	bool ends;        /* a signal ends it at once; else they are held, for a session */
	const char *what; /* the word that is missing, where there are fewer than min */
};

/* The last row of every table. */
#define VERB_HELP (-1)
#define VERB_HELP_ROW                                                                              \
	{                                                                                          \
		"help", 'h', NULL, "show this help", VERB_HELP                                     \
	}

/* Parse, --help, refuse to run inside a sandbox, find the caller and the store.  ctx goes to
 * verb.option; it may be r itself.  The words are argv[*ret_first..*ret_end).  -1: go on; else the
 * exit code, with all that was to be said said and r released. */
int verb_begin(const struct verb *v, struct run *r, void *ctx, int argc, char **argv,
	int *ret_first, int *ret_end);

/* A failure of one of several names: said at once; the exit code so far becomes 1. */
int verb_failed(const struct err *err);

#endif
