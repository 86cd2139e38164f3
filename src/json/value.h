/* json/value.h - JSON values of any kind: read strictly, looked into, made, written.
 *
 * For documents whose shape a standard gives (image manifests and configurations), which json.h's
 * walks over settings are not.  Everything that looks into a value takes NULL too, and finds
 * nothing there, so that a chain of look-ups needs one check at its end.
 */
#ifndef BAWN_JSON_VALUE_H
#define BAWN_JSON_VALUE_H

#include <stdint.h>

#include "base/err.h"

struct json_value;

#define JSON_VALUE_DEPTH 64

/* 0; -EINVAL with line and column: no JSON, a key twice (two readers of one document must see the
 * same), or nested deeper than JSON_VALUE_DEPTH. */
int json_value_parse(const char *text, size_t n, struct json_value **ret, struct err *err);
void json_value_free(struct json_value *v);
static inline void json_value_freep(struct json_value **v)
{
	json_value_free(*v);
}
#define _cleanup_json_ _cleanup_(json_value_freep)

bool json_value_is_object(const struct json_value *v);
bool json_value_is_array(const struct json_value *v);
bool json_value_is_null(const struct json_value *v); /* absent, or null */
/* NULL: no object, or no such key. */
struct json_value *json_value_get(const struct json_value *v, const char *key);
/* Elements of an array, 0 for anything else. */
size_t json_value_count(const struct json_value *v);
struct json_value *json_value_at(const struct json_value *v, size_t i);
/* NULL: no string. */
const char *json_value_text(const struct json_value *v);
/* False: no whole number. */
bool json_value_number(const struct json_value *v, int64_t *ret);
/* Each key of an object, in its order, until fn says something else than 0, which is returned. */
int json_value_each(const struct json_value *v,
	int (*fn)(void *ud, const char *key, const struct json_value *value), void *ud);

/* Making: NULL when out of memory, or where a text is no UTF-8. */
struct json_value *json_value_object(void);
struct json_value *json_value_array(void);
struct json_value *json_value_string(const char *s);
struct json_value *json_value_integer(int64_t n);
struct json_value *json_value_bool(bool b);
/* value becomes v's, also on failure, and may be NULL (-ENOMEM then).  0 or -errno. */
int json_value_set(struct json_value *v, const char *key, struct json_value *value);
int json_value_push(struct json_value *v, struct json_value *value);
void json_value_remove(struct json_value *v, const char *key);

/* On one line, keys in the order they were made; free() it.  NULL: out of memory. */
char *json_value_print(const struct json_value *v, size_t *ret_n);

#endif
