/* run/options.h - option tables: one row an option drives getopt_long(3), --help and completion.
 */
#ifndef BAWN_RUN_OPTIONS_H
#define BAWN_RUN_OPTIONS_H

#include <stdio.h>

#include "base/err.h"

struct option_row {
	const char *name; /* long name, without dashes; NULL ends the table */
	char letter;      /* short name, or 0 */
	const char *arg;  /* what it takes, as --help shows it; NULL: nothing; "[=X]": X may be left
			     out */
	const char *help;
	int id;
};

#define OPTIONS_MAX 48

/* Called for each option in order.  0 or -EINVAL with *err filled. */
typedef int (*option_fn)(void *ctx, int id, const char *value, struct err *err);

/* Parse argv[1..argc) up to "--".  Options and positional arguments may be mixed; the positional
 * ones are moved behind the options: argv[*ret_first..*ret_end) are they, argv[*ret_rest..argc) is
 * what stood behind "--" (*ret_dashes tells whether there was one).  -EINVAL with a remedy. */
struct option_split {
	int first, end, rest;
	bool dashes;
};
int options_parse(const struct option_row *rows, int argc, char **argv, option_fn fn, void *ctx,
	struct option_split *ret, struct err *err);

/* The words behind "--" are words like the others: moved behind those.  Their new end. */
int options_words(const struct option_split *split, int argc, char **argv);

/* For a command that runs another: the first word that is no option ends the options, as all behind
 * it belongs to the other; argv[*ret_first] is it (a "--" before it is passed over). */
int options_parse_ordered(const struct option_row *rows, int argc, char **argv, option_fn fn,
	void *ctx, int *ret_first, struct err *err);

/* Given alone to any command whose options are a table, it prints the table for completion: one
 * option a line, "--name TAB letter TAB what it takes TAB help". */
#define OPTIONS_WORD "--print-options"
void options_print(const struct option_row *rows);

void options_help(const struct option_row *rows, FILE *to);

#endif
