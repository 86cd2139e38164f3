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
	/* What it does with the n words behind its options: an exit code, or -errno (125), with
	 * *err as it is to be said.  ctx is verb_main()'s. */
	int (*run)(struct run *r, void *ctx, char **word, int n, struct err *err);
};

/* The last row of every table. */
#define VERB_HELP (-1)
#define VERB_HELP_ROW                                                                              \
	{                                                                                          \
		"help", 'h', NULL, "show this help", VERB_HELP                                     \
	}

/* The table of a command without options of its own. */
extern const struct option_row verb_no_rows[];

/* The whole of a command: parse, --help, refuse to run inside a sandbox, find the caller and the
 * store, verb.run, say what is to be said, release r.  ctx goes to verb.option and verb.run; it may
 * hold r, which is filled before either is called.  The exit code. */
int verb_main(const struct verb *v, struct run *r, void *ctx, int argc, char **argv);

/* A failure of one of several names: said at once; the exit code so far becomes 1. */
int verb_failed(const struct err *err);

#endif
