/* cli/template.h - the verbs of `bawn template`: one file a verb, one row in template-main.c, one
 * in main.c (for completion) and one in bawn-template(1).
 */
#ifndef BAWN_CLI_TEMPLATE_H
#define BAWN_CLI_TEMPLATE_H

#include "base/json-out.h"
#include "cli/admin.h"
#include "template/template.h"

struct tpl {
	struct arena a;
	struct admin_dirs dirs;
	struct store store;
	struct templates t;
	struct template_work w;
	struct json_out json; /* printed at the end, where something was put into it */
};

struct template_verb {
	const char *name;
	const char *args;     /* "[OPTIONS] NAME..." */
	const char *text;     /* a sentence or two */
	const char *examples; /* lines, each with two spaces in front */
	const struct option_row *rows;
	option_fn option; /* ctx is NULL: what is given stands in the verb's own file */
	int min, max;     /* words; max < 0: any number */
	const char *what; /* the word that is missing, where there are fewer than min */
	/* An exit code, or -errno (125) with *err as it is to be said. */
	int (*run)(struct tpl *c, char **word, int n, struct err *err);
};

extern const struct template_verb template_bootstrap_verb, template_inspect_verb,
	template_load_verb, template_ls_verb, template_prune_verb, template_pull_verb,
	template_push_verb, template_rm_verb, template_save_verb, template_tag_verb,
	template_verify_verb;

/* The last row of every table. */
#define TEMPLATE_HELP (-1)
#define TEMPLATE_HELP_ROW                                                                          \
	{                                                                                          \
		"help", 'h', NULL, "show this help", TEMPLATE_HELP                                 \
	}

/* A failure of one of several names: said at once; the exit code so far becomes 1. */
int template_failed(const struct err *err);
/* The exclusive lock, after a wait that is said; -EBUSY when others don't end. */
int template_alone(struct tpl *c, struct err *err);
/* "12 days", "3 h" since then. */
char *template_age(int64_t since, char *buf, size_t cap);

#endif
