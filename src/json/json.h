/* json/json.h - JSON documents: reading, keeping what is on a list, merging, writing.
 *
 * The one place that includes jansson.  Comments and trailing commas, which the
 * agents' own readers take, are taken too.  Must not: open files.
 */
#ifndef BAWN_JSON_JSON_H
#define BAWN_JSON_JSON_H

#include <stdint.h>

#include "json/keypath.h"

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

/* ---- one object a line: the audit log ---- */

/* Strict: no comments, and no key twice, because two readers of one line must see the same. */
int json_line_parse(const char *line, size_t n, struct json_doc **ret);
/* On one line, in the order of the keys, ASCII only; free() it.  NULL: out of memory. */
char *json_line_text(const struct json_doc *d);
/* NULL: no such key, or no string. */
const char *json_doc_string(const struct json_doc *d, const char *key);
/* False: no such key, or no whole number. */
bool json_doc_integer(const struct json_doc *d, const char *key, int64_t *ret);
/* False: no such key, or neither true nor false. */
bool json_doc_bool(const struct json_doc *d, const char *key, bool *ret);
/* NULL: no such key, or no object; it ends with d. */
const struct json_doc *json_doc_object(const struct json_doc *d, const char *key);
/* Each object of the list at key, until fn says something else than 0, which is returned. */
int json_doc_each(const struct json_doc *d, const char *key,
	int (*fn)(void *ud, const struct json_doc *item), void *ud);
void json_doc_each_key(const struct json_doc *d, void (*fn)(void *ud, const char *key), void *ud);

/* ---- settings files ---- */

/* What a filter found.  place: "mcpServers.x.env.TOKEN". */
struct json_watch {
	void (*withheld)(void *ud, const char *place, const char *why);
	/* Why a string kept under name (NULL: none) is a secret; NULL: it is none. */
	const char *(*secret)(const char *name, const char *value);
	/* Does an option of this name take a secret? */
	bool (*secret_name)(const char *option);
	/* May command be run inside?  args NULL: it is a line for a shell; else a program, and n
	 * arguments.  NULL: yes; else what is missing. */
	const char *(*missing)(void *ud, const char *command, const char *const *args, size_t n);
	void *ud;
};

/* Remove what no keep pattern covers, what a drop pattern covers, and what looks like a secret;
 * the last is named.  Returns how many keys were removed because no pattern covers them. */
size_t json_doc_filter(struct json_doc *d, const struct keypats *keep, const struct keypats *drop,
	const struct json_watch *watch);

/* Remove the keys of objects that these patterns cover; each that was there is named. */
void json_doc_remove(struct json_doc *d, const struct keypats *which,
	void (*removed)(void *ud, const char *place), void *ud);

/* Each string whose place these patterns cover (NULL: each), in order; one that goes is removed,
 * and named.  removed: not NULL where any goes. */
void json_doc_strings(struct json_doc *d, const struct keypats *which,
	bool (*goes)(void *ud, const char *value), void (*removed)(void *ud, const char *place),
	void *ud);

#define JSON_ARGS_MAX 64 /* more of a command's arguments are not looked at */
/* Remove the object around each string that a pattern names and whose command is missing inside;
 * what is left empty by that goes too.  "args" and "cwd" beside the string belong to it; a list
 * that a pattern names is a command and its arguments. */
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

/* Put value in place of the strings that patterns cover. */
void json_doc_put(struct json_doc *d, const struct keypats *strings, char *value);

/* Put a dead signature on the JSON web tokens that patterns name: claims stay readable to the
 * tool, but nobody can log in with them.  exp: what they say about their end then, 0: as it was. */
void json_doc_unsign(struct json_doc *d, const struct keypats *tokens, int64_t exp);

/* The text that claim key, inside the object claim named, of a JSON web token is; free() it.  NULL:
 * there is none. */
char *json_jwt_claim(const char *token, const char *object, const char *key);

/* ---- single places: "tokens.access_token", keys parted by dots ---- */

/* NULL: nothing there, or no string. */
const char *json_doc_at(const struct json_doc *d, const char *place);
/* Objects on the way are made.  0, or -EINVAL: something else than an object is in the way. */
int json_doc_set_at(struct json_doc *d, const char *place, const char *value);
/* Seconds since the epoch from a place ("jwt": from the token itself); 0: it isn't said. */
int64_t json_doc_time_at(const struct json_doc *d, const char *place, const char *token);
/* In the unit that stands there; milliseconds where nothing does. */
int json_doc_set_time_at(struct json_doc *d, const char *place, int64_t seconds);

#endif
