/* seed/reads.h - which variables of the environment a tool's settings name.
 *
 * An MCP server or a provider of the user's own takes its key from a variable, which stays outside
 * unless the profile passes it: the tool would fail over it without saying why.  The names go into
 * the report (SEED_READS); whether there is such a variable is not for here.
 */
#ifndef BAWN_SEED_READS_H
#define BAWN_SEED_READS_H

#include "json/json.h"
#include "seed/report.h"
#include "seed/toml.h"

/* References in strings at these places: "${NAME}", "$NAME", "{env:NAME}".  One with a value for
 * its absence ("${NAME:-x}") does without. */
void seed_reads_json(struct seed_report *r, struct json_doc *d, const struct keypats *variables);

/* Strings at these places, and lists of strings, which are names. */
void seed_reads_toml(
	struct seed_report *r, const struct toml_doc *d, const struct keypats *variables);

#endif
