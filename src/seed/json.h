/* seed/json.h - JSON settings files: reading, keeping what is on a list, merging, writing.
 *
 * The one place of this room that includes jansson.  Comments and trailing commas, which the
 * agents' own readers take, are taken too.  Must not: open files.
 */
#ifndef BAWN_SEED_JSON_H
#define BAWN_SEED_JSON_H

#include <stdint.h>

#include "seed/keypath.h"

struct json_doc; /* always an object at the top */

/* An empty object. */
struct json_doc *json_doc_new(void);
/* 0; -EINVAL with line and column if it is no JSON object, or nests deeper than KEYPATH_MAX. */
int json_doc_parse(const char *text, size_t n, struct json_doc **ret, struct err *err);
void json_doc_free(struct json_doc *d);
static inline void json_doc_freep(struct json_doc **d)
{
	json_doc_free(*d);
}

/* Indented, a newline at the end; free() it.  NULL: out of memory. */
char *json_doc_text(const struct json_doc *d);

/* What a filter found.  place: "mcpServers.x.env.TOKEN". */
struct json_watch {
	void (*withheld)(void *ud, const char *place, const char *why);
	/* May command be run inside?  NULL: yes; else what is missing. */
	const char *(*missing)(void *ud, const char *command);
	void *ud;
};

/* Remove what no keep pattern covers, what a drop pattern covers, and what looks like a secret;
 * the last is named.  Returns how many keys were removed because no pattern covers them. */
size_t json_doc_filter(struct json_doc *d, const struct keypats *keep, const struct keypats *drop,
	const struct json_watch *watch);

/* Remove the object around each string that a pattern names and whose command is missing inside;
 * what is left empty by that goes too. */
void json_doc_check_commands(
	struct json_doc *d, const struct keypats *commands, const struct json_watch *watch);

/* Put add into d, key by key; lists are joined without doubles.  over: add's values win. */
int json_doc_merge(struct json_doc *d, const struct json_doc *add, bool over);

/* A log-in file: one place a token may stand, "*.access" standing for several. */
struct json_token {
	const char *root;  /* the first key of the place */
	const char *token; /* the token itself */
	int64_t expires;   /* seconds since the epoch, 0: it doesn't say */
};
/* Call fn for each non-empty string that pattern names.  expires: pattern of its expiry (the same
 * keys for the same "*"; seconds or milliseconds), "jwt": the token says it itself, NULL: never.
 * fn returns false to have the token's whole root removed; so are, where the pattern begins with
 * "*", roots without a token.  Returns how many were kept. */
size_t json_doc_tokens(struct json_doc *d, const struct keypat *pattern, const char *expires_text,
	const struct keypat *expires, bool (*fn)(void *ud, const struct json_token *t), void *ud);

/* Keep only what the patterns cover, with no look at secrets: for log-in files alone. */
void json_doc_keep(struct json_doc *d, const struct keypats *keep);

/* Make the strings that patterns cover empty: tools want the key of a refresh token to be there. */
void json_doc_blank(struct json_doc *d, const struct keypats *strings);

/* Put a dead signature on the JSON web tokens that patterns name: claims stay readable to the
 * tool, but nobody can log in with them. */
void json_doc_unsign(struct json_doc *d, const struct keypats *tokens);

bool json_doc_is_empty(const struct json_doc *d);

#endif
