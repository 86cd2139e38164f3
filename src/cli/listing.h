/* cli/listing.h - what `bawn profile` and `bawn policy` have in common: verbs, --json, linting.
 */
#ifndef BAWN_CLI_LISTING_H
#define BAWN_CLI_LISTING_H

#include "base/json-out.h"
#include "policy/locate.h"

struct ctx {
	struct arena a;
	struct locate locate;
	struct json_out json;
	bool as_json, help;
	const char *usage;
	int n; /* rest of the command line */
	char **arg;
	void *own; /* the command's */
};

struct listing_verb {
	const char *name;
	int (*run)(struct ctx *c);
};

/* Foreign text (a user's file) on our stdout. */
const char *shown(char *buf, size_t cap, const char *s);

/* Find the directories and the verb argv[0]; run it on argv[1..argc), print what it left in
 * c->json, release.  The exit code. */
int listing_run(struct ctx *c, const struct listing_verb *verbs, size_t n, const char *usage,
	int argc, char **argv);

/* All there are of kind, one line or JSON object each.  one() shows a name: 0, or -errno with *err,
 * which is said; the exit code. */
int list_all(struct ctx *c, enum locate_kind kind,
	int (*one)(struct ctx *c, const char *name, struct err *err));

struct lint {
	struct ctx *c;
	int errors;
};

/* One warning, as policy/lint.h calls it. */
void lint_finding(void *lint, const char *file, uint32_t line, uint32_t col, const char *text);
/* Lint c->arg, or all there are of kind.  one() checks a name: 0 or -errno; what: "policy". */
int lint_all(struct ctx *c, enum locate_kind kind, const char *what,
	int (*one)(struct lint *l, const char *name, struct err *err));

#endif
