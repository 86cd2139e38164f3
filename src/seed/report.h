/* seed/report.h - what a seeding has to say, collected in order.
 *
 * The rooms below cli do not print: each record becomes one line of bawn-admin seed's fd 3.
 */
#ifndef BAWN_SEED_REPORT_H
#define BAWN_SEED_REPORT_H

#include <stdint.h>

#include "base/arena.h"

enum seed_kind {
	SEED_NOTICE,   /* one line for the user, printed at start */
	SEED_ENV,      /* KEY=VALUE to add to the agent's environment */
	SEED_VARIABLE, /* the same, in place of what -e gives: a log-in's text, as it may come along
			*/
	SEED_WITHHELD, /* what the profile wants along and looks secret, so it stays: "PLACE: why"
			*/
	SEED_LEFT,     /* the same for another reason than a secret: too large, a link, a script not
			  there */
	SEED_SKIPPED,  /* keys that are on no list, counted: for -v */
	SEED_HOOKS,    /* the user's core.hooksPath, which the host's git obeys in the workspace */
	SEED_SETTING,  /* KEY TAB VALUE: another of the user's git settings, which may name a place
			  in  the workspace */
	SEED_LOGIN,    /* "used NAME", "expired NAME" or "none" */
	SEED_FRESH, /* path in the home of a log-in, or an absolute one in a template's root: this
		       copy counts, whatever is there already */
	SEED_KEY,   /* VARIABLE=KEY: the API key of a log-in, for which a stand-in was put there */
	SEED_READS, /* NAME: a variable that settings read */
	SEED_RENEW, /* CREDENTIAL=JSON: a log-in that stayed outside, for bawn-login */
	SEED_KINDS
};

struct seed_record {
	enum seed_kind kind;
	char *text;
};

struct seed_report {
	struct arena *a;
	struct seed_record *v;
	size_t n, cap;
};

const char *seed_kind_name(enum seed_kind kind); /* "notice", ... */

/* Texts are cut at 4 KiB and escaped (escape_text), SEED_ENV, SEED_VARIABLE, SEED_KEY,
 * SEED_RENEW and SEED_SETTING excepted. Out of memory poisons the arena. */
void seed_say(struct seed_report *r, enum seed_kind kind, const char *fmt, ...) _printf_(3, 4);

/* So many seconds, for people: "9 days", "3 h", "25 min". */
const char *seed_duration(int64_t s, char *dst, size_t cap);

#endif
