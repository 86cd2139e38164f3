/* policy/profile-keys.h - the one table of a profile's keys.
 *
 * It drives the YAML parser, `bawn profile lint`, how a profile lies in a pack, and a test that
 * compares it with bawn-profile(5).  The same for a policy's keys stands in policy/schema.h.
 */
#ifndef BAWN_POLICY_PROFILE_KEYS_H
#define BAWN_POLICY_PROFILE_KEYS_H

#include <stdint.h>

#include "policy/profile.h"

enum profile_type {
	PROFILE_STRING, /* const char *: one line of text */
	PROFILE_NAME,   /* const char *: a policy's name: letters, digits, "-", "_", "." */
	PROFILE_LIST,   /* struct strv */
	PROFILE_NAMES,  /* struct strv of policy names or absolute paths */
	PROFILE_GLOBS,  /* struct strv of globs below the workspace */
	PROFILE_PATHS,  /* struct strv of paths below the workspace */
	PROFILE_VARS,   /* struct strv of variable names, or with one trailing "*" */
	PROFILE_SINCE,  /* struct strv of FLAG=VERSION, written as a map */
	PROFILE_ENV,    /* struct strv of KEY=value, written as a map */
	PROFILE_TEXTS, /* struct strv of texts of any number of lines; a single one needs no list */
	PROFILE_HOME,  /* struct strv of paths below the home, "~/..." */
	PROFILE_BOOL,  /* bool: true or false */
	PROFILE_SUBS,  /* subs, n_subs: a map of word to list */
	PROFILE_MAP,   /* only a map of further keys: "env" */
	PROFILE_TREE,  /* read by bawn-admin seed; here only: a list */
};

struct profile_key {
	const char *path; /* "yolo", "env.pass" */
	enum profile_type type;
	size_t offset;       /* in struct profile */
	const char *deflt;   /* as the man page says it */
	const char *summary; /* one line */
};

extern const struct profile_key profile_keys[];
extern const size_t profile_n_keys;

/* The member a key fills. */
static inline void *profile_member(struct profile *p, const struct profile_key *k)
{
	return (char *)p + k->offset;
}
static inline const void *profile_member_const(const struct profile *p, const struct profile_key *k)
{
	return (const char *)p + k->offset;
}

/* How it is stored: one string, a list of strings, or something else. */
bool profile_type_is_string(enum profile_type t);
bool profile_type_is_strv(enum profile_type t);
const char *profile_type_name(enum profile_type t); /* "text", "list", ... as in the man page */

#endif
