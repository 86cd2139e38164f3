/* seed/expand.h - variables in what a profile writes into a home.
 */
#ifndef BAWN_SEED_EXPAND_H
#define BAWN_SEED_EXPAND_H

#include "seed/seed.h"

/* Put variables into a text: ${WORKSPACE}, ${HOME}, ${SANDBOX}, ${NOW} (RFC 3339), ${NAME}
 * of the environment, ${NAME:last20} its last 20 bytes.  quoted: escaped as inside a JSON or TOML
 * string.  In arena; NULL and -EINVAL for anything else behind "${". */
int seed_expand(struct arena *a, const struct seed_request *rq, const char *text, bool quoted,
	char **ret, struct err *err);

/* A path as a profile writes it ("${CODEX_HOME:-~/.codex}/x"): where it is on the host, whose home
 * is home, or (host false) below the one inside.  In arena; NULL: none. */
char *seed_expand_path(struct arena *a, const char *home, const char *path, bool host);

#endif
