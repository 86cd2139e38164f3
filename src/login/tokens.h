/* login/tokens.h - what stands in a log-in's file and in a token endpoint's answer (RFC 6749 5).
 *
 * Pure, for the process that is confined.  A spec is what login.h says: an object of strings.
 */
#ifndef BAWN_LOGIN_TOKENS_H
#define BAWN_LOGIN_TOKENS_H

#include "json/json.h"
#include "login/login.h"
#include "vault/buf.h"

/* Strings are malloc()ed, or an arena's (work.h). */
struct work_values {
	char *token, *refresh, *id; /* NULL: none */
	char *text;                 /* of a file */
	int64_t expires;            /* seconds since the epoch, 0: unknown */
	bool renewable;             /* there is a refresh token */
	bool refused;               /* the endpoint said no, as opposed to nothing */
};

const char *tokens_spec(const struct json_doc *spec, const char *key); /* "": it isn't said */

/* Of a file: token, expires, renewable.  0 or -errno. */
int tokens_look(const struct json_doc *spec, const struct json_doc *file, struct work_values *ret,
	struct err *err);
/* NAME=VALUE behind what is there, as in a form (RFC 6749 B). */
void tokens_put_form(struct buf *b, const char *key, const char *value);
/* The standard's word that this is, or NULL: then it is not to be shown. */
const char *tokens_word(const char *error);
/* The body of the request that renews it, or, where the spec has a code, begins it; appended. */
int tokens_request(const struct json_doc *spec, const char *refresh, struct buf *b);
/* An answer that is no success; d: its JSON, or NULL.  No byte of it but a word of the standard's
 * gets into the message.  -EACCES. */
int tokens_refusal(
	unsigned int status, const struct json_doc *d, struct work_values *ret, struct err *err);
/* One that is: token, refresh, id, expires.  0 or -errno. */
int tokens_answer(const struct json_doc *spec, const struct json_doc *d, struct work_values *ret,
	struct err *err);
/* Into the file, where all else stays: text.  0 or -errno. */
int tokens_apply(const struct json_doc *spec, struct json_doc *file, const struct work_values *in,
	struct work_values *ret, struct err *err);

#endif
