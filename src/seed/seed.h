/* seed/seed.h - what of the user's agent settings, log-in and git identity comes along, as copies.
 *
 * Runs as the user, with the host's HOME and environment, before the agent starts.  Reads the
 * user's files, writes only below the sandbox's home.  Never writes, locks or touches a source.
 */
#ifndef BAWN_SEED_SEED_H
#define BAWN_SEED_SEED_H

#include <stdint.h>

#include "seed/copy.h"
#include "seed/report.h"

struct seed_request {
	const char *profile;   /* the YAML file */
	const char *home;      /* the sandbox's home, as the host sees it; exists */
	const char *workspace; /* resolved, or NULL */
	const char *sandbox;   /* its name */
	const char *version;   /* of the tool, or NULL: it can't be told */
	const char *cache;     /* keep what comes of it in this file (seed/cache.h), or NULL */
	struct strv stand_ins; /* VARIABLE=TEXT: a key that would stand in VARIABLE does not come
				* along, TEXT does, and the key is reported */
	struct strv lines;     /* "~/PATH=LINES": what a file of the home has, behind what else is
				* in it */
	int64_t now;           /* 0: the clock's (what a cache takes for settled) */
	const struct seed_below *below; /* the root is a template's; home is then where that goes */
	struct strv variables;          /* with below: of the template, NAME=VALUE */
	struct strv shown;              /* what else of the host's is mounted inside */
	const char *path;               /* PATH inside, or NULL: a plain one */
	const char *merge;              /* with below: the path of bawn-merge */
	bool no_login;                  /* leave log-ins out */
	bool no_yolo;                   /* the tool's own prompts stay */
	bool bare_home;                 /* leave the user's settings and git identity out */
};

/* Fill the home.  0 or -errno; the report holds what was said either way. */
int seed_run(const struct seed_request *rq, struct seed_report *report, struct err *err);

#endif
