/* seed/script.h - will a command of a copied setting (hook, status line, MCP server) run inside?
 */
#ifndef BAWN_SEED_SCRIPT_H
#define BAWN_SEED_SCRIPT_H

#include "seed/copy.h"

/* command: a line for a shell; with args (not NULL) a program, and n arguments of it as they are.
 * NULL: as far as can be told, yes.  Else what is missing, in c's arena: "~/x.sh is not inside". */
const char *seed_script_missing(
	struct seed_copy *c, const char *command, const char *const *args, size_t n);

/* Will file, an absolute path, be there inside at the same place: with a mount, as one of the
 * machine's own, or among what was copied? */
bool seed_file_inside(struct seed_copy *c, const char *file);

#endif
