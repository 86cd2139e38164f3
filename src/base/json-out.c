/* base/json-out.c - see json-out.h */
#include "base/json-out.h"

#include <inttypes.h>

#include "base/arena.h"

static void put(struct json_out *j, const char *s, size_t n)
{
	if (j->failed)
		return;
	if (j->cap - j->n < n + 1) {
		size_t cap = MAX(j->cap * 2, j->n + n + 512);
		char *p = first_grow(j->buf, j->cap, cap);
		if (!p) {
			j->failed = true;
			return;
		}
		j->buf = p;
		j->cap = cap;
	}
	memcpy(j->buf + j->n, s, n);
	j->n += n;
	j->buf[j->n] = '\0';
}

static size_t utf8_ok(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	size_t n = (s[0] >> 5) == 6 ? 2 : (s[0] >> 4) == 14 ? 3 : (s[0] >> 3) == 30 ? 4 : 0;
	if (n == 0 || (n == 2 && s[0] < 0xc2) || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void put_string(struct json_out *j, const char *str)
{
	const unsigned char *s = (const unsigned char *)str;
	put(j, "\"", 1);
	while (*s) {
		size_t n = utf8_ok(s);
		if (n == 0) {
			put(j, "\xef\xbf\xbd", 3);
			n = 1;
		} else if (*s == '"' || *s == '\\') {
			char esc[2] = {'\\', (char)*s};
			put(j, esc, 2);
		} else if (*s < 0x20 || *s == 0x7f) {
			char esc[8];
			put(j, esc, (size_t)snprintf(esc, sizeof(esc), "\\u%04x", *s));
		} else {
			put(j, (const char *)s, n);
		}
		s += n;
	}
	put(j, "\"", 1);
}

static void lead(struct json_out *j, const char *key)
{
	if (j->depth > 0) {
		if (!j->first[j->depth])
			put(j, ",", 1);
		j->first[j->depth] = false;
		if (j->pretty) {
			put(j, "\n", 1);
			for (int i = 0; i < j->depth; i++)
				put(j, "  ", 2);
		}
	}
	if (key) {
		put_string(j, key);
		put(j, j->pretty ? ": " : ":", j->pretty ? 2 : 1);
	}
}

void json_begin(struct json_out *j, const char *key, char bracket)
{
	lead(j, key);
	put(j, &bracket, 1);
	if (j->depth + 1 < (int)ARRAY_LEN(j->first))
		j->depth++;
	else
		j->failed = true;
	j->first[j->depth] = true;
}

void json_end(struct json_out *j, char bracket)
{
	bool empty = j->first[j->depth];
	if (j->depth > 0)
		j->depth--;
	if (j->pretty && !empty) {
		put(j, "\n", 1);
		for (int i = 0; i < j->depth; i++)
			put(j, "  ", 2);
	}
	put(j, &bracket, 1);
}

void json_str(struct json_out *j, const char *key, const char *value)
{
	lead(j, key);
	if (value)
		put_string(j, value);
	else
		put(j, "null", 4);
}

void json_int(struct json_out *j, const char *key, int64_t value)
{
	char s[32];
	lead(j, key);
	put(j, s, (size_t)snprintf(s, sizeof(s), "%" PRId64, value));
}

void json_bool(struct json_out *j, const char *key, bool value)
{
	lead(j, key);
	put(j, value ? "true" : "false", value ? 4 : 5);
}

void json_free(struct json_out *j)
{
	first_give(j->buf, j->cap);
	*j = (struct json_out){0};
}
