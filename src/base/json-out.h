/* base/json-out.h - writing JSON (RFC 8259) into a growing buffer.
 *
 * Only the writer: it stands in processes that link nothing but libc (bawn, on its start path).
 * Reading JSON is jansson's work, in bawn-admin.  Strings are emitted as valid UTF-8: a byte that
 * is not part of a well-formed sequence becomes U+FFFD.
 */
#ifndef BAWN_BASE_JSON_OUT_H
#define BAWN_BASE_JSON_OUT_H

#include <stdint.h>

#include "base/macro.h"

struct json_out {
	char *buf;
	size_t n, cap;
	int depth;
	bool failed;    /* out of memory; what was written so far stays valid memory */
	bool pretty;    /* newline and two spaces a level */
	bool first[32]; /* no comma needed yet at this depth */
};

void json_begin(
	struct json_out *j, const char *key, char bracket); /* '{' or '['; key NULL in arrays */
void json_end(struct json_out *j, char bracket);            /* '}' or ']' */
void json_str(struct json_out *j, const char *key, const char *value); /* NULL value: null */
void json_int(struct json_out *j, const char *key, int64_t value);
void json_bool(struct json_out *j, const char *key, bool value);
void json_free(struct json_out *j);

#endif
