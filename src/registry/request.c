/* registry/request.c - see request.h
 *
 * The last line is "end": a text that was cut off is none.
 */
#include "registry/request.h"

#include <errno.h>

struct field {
	const char *key;
	size_t at;
	bool number;
};

#define TEXT(type, f)                                                                              \
	{                                                                                          \
#f, offsetof(struct type, f), false                                                \
	}
#define NUMBER(type, f)                                                                            \
	{                                                                                          \
#f, offsetof(struct type, f), true                                                 \
	}

static const struct field request_fields[] = {
	TEXT(registry_request, base),
	TEXT(registry_request, repo),
	TEXT(registry_request, ref),
	TEXT(registry_request, digest),
	TEXT(registry_request, type),
	TEXT(registry_request, from),
	TEXT(registry_request, host),
	TEXT(registry_request, url),
	TEXT(registry_request, trust),
	TEXT(registry_request, ca),
	TEXT(registry_request, no_proxy),
	NUMBER(registry_request, size),
	NUMBER(registry_request, stall),
	NUMBER(registry_request, tries),
};

static const struct field answer_fields[] = {
	TEXT(registry_answer, digest),
	TEXT(registry_answer, type),
	TEXT(registry_answer, error),
	TEXT(registry_answer, hint),
	TEXT(registry_answer, helper),
	NUMBER(registry_answer, size),
	NUMBER(registry_answer, modified),
	NUMBER(registry_answer, status),
};

static const char *const ops[REGISTRY_OPS] = {
	[REGISTRY_NONE] = "none",
	[REGISTRY_MANIFEST] = "manifest",
	[REGISTRY_BLOB] = "blob",
	[REGISTRY_HAVE] = "have",
	[REGISTRY_PUSH_BLOB] = "push-blob",
	[REGISTRY_PUSH_MANIFEST] = "push-manifest",
	[REGISTRY_LOGIN] = "login",
	[REGISTRY_HELPER] = "helper",
	[REGISTRY_FETCH] = "fetch",
};

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	return false;
}

static char *fields_text(
	struct arena *a, const char *begin, const struct field *f, size_t n, const void *from)
{
	char *text = arena_dup(a, begin);
	for (size_t i = 0; text && i < n; i++) {
		const char *at = (const char *)from + f[i].at, *value;
		if (f[i].number) {
			int64_t number = *(const int64_t *)(const void *)at;
			if (number)
				text = arena_printf(
					a, "%s%s %lld\n", text, f[i].key, (long long)number);
			continue;
		}
		value = *(const char *const *)(const void *)at;
		if (!value)
			continue;
		if (has_control(value))
			return NULL;
		text = arena_printf(a, "%s%s %s\n", text, f[i].key, value);
	}
	return text ? arena_printf(a, "%send\n", text) : NULL;
}

static int put(const struct field *f, void *to, char *value)
{
	char *at = (char *)to + f->at;
	if (f->number) {
		int64_t *number = (int64_t *)(void *)at, v = 0;
		if (*number || !*value || strlen(value) > 15 || value[strspn(value, "0123456789")])
			return -EBADMSG;
		for (; *value; value++)
			v = v * 10 + (*value - '0');
		*number = v;
		return 0;
	}
	const char **text = (const char **)(void *)at;
	if (*text || has_control(value))
		return -EBADMSG;
	*text = value;
	return 0;
}

static int parse(char *text, const struct field *f, size_t n, enum registry_op *op, void *to)
{
	bool ended = false;
	for (char *line; !ended && (line = strsep(&text, "\n"));) {
		char *value = strchr(line, ' ');
		size_t i = 0;
		if (streq(line, "end")) {
			ended = true;
			continue;
		}
		if (!value)
			return -EBADMSG;
		*value++ = '\0';
		if (op && streq(line, "op")) {
			for (i = 1; i < REGISTRY_OPS && !streq(ops[i], value);)
				i++;
			if (*op != REGISTRY_NONE || i == REGISTRY_OPS)
				return -EBADMSG;
			*op = (enum registry_op)i;
			continue;
		}
		while (i < n && !streq(f[i].key, line))
			i++;
		if (i == n || put(&f[i], to, value) < 0)
			return -EBADMSG;
	}
	return ended && (!text || !*text) ? 0 : -EBADMSG;
}

char *registry_request_text(struct arena *a, const struct registry_request *q)
{
	char *begin = arena_printf(a, "op %s\n", ops[q->op]);
	return begin ? fields_text(a, begin, request_fields, ARRAY_LEN(request_fields), q) : NULL;
}

char *registry_answer_text(struct arena *a, const struct registry_answer *w)
{
	return fields_text(a, "", answer_fields, ARRAY_LEN(answer_fields), w);
}

int registry_request_parse(char *text, struct registry_request *ret)
{
	struct registry_request q = {0};
	int r = parse(text, request_fields, ARRAY_LEN(request_fields), &q.op, &q);
	if (r < 0 || q.op == REGISTRY_NONE)
		return -EBADMSG;
	*ret = q;
	return 0;
}

int registry_answer_parse(char *text, struct registry_answer *ret)
{
	struct registry_answer w = {0};
	if (parse(text, answer_fields, ARRAY_LEN(answer_fields), NULL, &w) < 0)
		return -EBADMSG;
	*ret = w;
	return 0;
}
