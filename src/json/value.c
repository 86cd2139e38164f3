/* json/value.c - see value.h */
#include "json/value.h"

#include <jansson.h>

static json_t *inner(const struct json_value *v)
{
	return (json_t *)v;
}

static struct json_value *outer(json_t *v)
{
	return (struct json_value *)v;
}

/* Brackets that are open at once, before anything is built of them. */
static bool too_deep(const char *s, size_t n)
{
	size_t depth = 0;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"') {
			for (i++; i < n && s[i] != '"'; i++)
				i += s[i] == '\\';
		} else if (s[i] == '{' || s[i] == '[') {
			if (++depth > JSON_VALUE_DEPTH)
				return true;
		} else if (s[i] == '}' || s[i] == ']') {
			depth -= depth > 0;
		}
	}
	return false;
}

int json_value_parse(const char *text, size_t n, struct json_value **ret, struct err *err)
{
	json_error_t at;
	if (too_deep(text, n))
		return err_set(err, EINVAL, "JSON of more than %d levels", JSON_VALUE_DEPTH);
	json_t *v = json_loadb(text, n, JSON_REJECT_DUPLICATES, &at);
	if (!v)
		return err_set(
			err, EINVAL, "line %d, column %d: no valid JSON", at.line, at.column);
	*ret = outer(v);
	return 0;
}

void json_value_free(struct json_value *v)
{
	json_decref(inner(v));
}

bool json_value_is_object(const struct json_value *v)
{
	return json_is_object(inner(v));
}

bool json_value_is_array(const struct json_value *v)
{
	return json_is_array(inner(v));
}

bool json_value_is_null(const struct json_value *v)
{
	return !v || json_is_null(inner(v));
}

struct json_value *json_value_get(const struct json_value *v, const char *key)
{
	return outer(json_object_get(inner(v), key));
}

size_t json_value_count(const struct json_value *v)
{
	return json_array_size(inner(v));
}

struct json_value *json_value_at(const struct json_value *v, size_t i)
{
	return outer(json_array_get(inner(v), i));
}

const char *json_value_text(const struct json_value *v)
{
	return json_string_value(inner(v));
}

bool json_value_number(const struct json_value *v, int64_t *ret)
{
	if (!json_is_integer(inner(v)))
		return false;
	*ret = json_integer_value(inner(v));
	return true;
}

int json_value_each(const struct json_value *v,
	int (*fn)(void *ud, const char *key, const struct json_value *value), void *ud)
{
	const char *key;
	json_t *value;
	json_object_foreach(inner(v), key, value)
	{
		int r = fn(ud, key, outer(value));
		if (r)
			return r;
	}
	return 0;
}

struct json_value *json_value_object(void)
{
	return outer(json_object());
}

struct json_value *json_value_array(void)
{
	return outer(json_array());
}

struct json_value *json_value_string(const char *s)
{
	return outer(json_string(s));
}

struct json_value *json_value_integer(int64_t n)
{
	return outer(json_integer(n));
}

struct json_value *json_value_bool(bool b)
{
	return outer(json_boolean(b));
}

int json_value_set(struct json_value *v, const char *key, struct json_value *value)
{
	return json_object_set_new(inner(v), key, inner(value)) < 0 ? -ENOMEM : 0;
}

int json_value_push(struct json_value *v, struct json_value *value)
{
	return json_array_append_new(inner(v), inner(value)) < 0 ? -ENOMEM : 0;
}

void json_value_remove(struct json_value *v, const char *key)
{
	json_object_del(inner(v), key);
}

char *json_value_print(const struct json_value *v, size_t *ret_n)
{
	char *s = json_dumps(inner(v), JSON_COMPACT | JSON_PRESERVE_ORDER);
	if (s)
		*ret_n = strlen(s);
	return s;
}
