/* audit/show.c - one line of the log as a person reads it; see read.h.
 *
 * Owns: reading the JSON (jansson) and filling the event's template from audit/events.c.
 * Must not: trust a line.  The file is ours, but its values are what programs inside chose.
 */
#include "audit/read.h"

#include <jansson.h>
#include <time.h>

#include "audit/events.h"
#include "base/escape.h"

/* Longest value that is shown in full. */
#define SHOW_MAX 1024

/* A command to be pasted: it is quoted for the shell already, and its backslashes must stay. */
static void keep_backslashes(char *s)
{
	char *to = s;
	while (*s) {
		if (has_prefix(s, "\\x5c")) {
			*to++ = '\\';
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

static bool value_text(const json_t *o, const char *key, char *dst, size_t cap)
{
	const json_t *v = json_object_get(o, key);
	dst[0] = '\0';
	if (json_is_string(v)) {
		escape_text(dst, cap, json_string_value(v));
		if (streq(key, "fix"))
			keep_backslashes(dst);
	} else if (json_is_integer(v))
		snprintf(dst, cap, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	return dst[0] != '\0';
}

/* From p up to end into to; false when a field of it is absent or empty. */
static bool expand(const json_t *o, const char *p, const char *end, FILE *to)
{
	bool all = true;
	while (p < end) {
		const char *close = *p == '{' ? memchr(p, '}', (size_t)(end - p)) : NULL;
		if (!close) {
			fputc(*p++, to);
			continue;
		}
		char key[32], text[SHOW_MAX];
		snprintf(key, sizeof(key), "%.*s", (int)(close - p - 1), p + 1);
		all &= value_text(o, key, text, sizeof(text));
		/* "1 times" says nothing */
		all &= !(streq(key, "count") && streq(text, "1"));
		fputs(text, to);
		p = close + 1;
	}
	return all;
}

static void expand_template(const json_t *o, const char *show, FILE *to)
{
	const char *p = show;
	while (*p) {
		const char *open = strchrnul(p, '['), *close;
		expand(o, p, open, to);
		if (*open == '\0' || !(close = strchr(open, ']')))
			break;
		char *text = NULL;
		size_t n = 0;
		FILE *part = open_memstream(&text, &n);
		if (part) {
			bool all = expand(o, open + 1, close, part);
			fclose(part);
			if (all)
				fputs(text, to);
			free(text);
		}
		p = close + 1;
	}
}

/* An event of a newer bawn: every field, as it comes. */
static void list_fields(json_t *o, FILE *to)
{
	const char *key, *sep = "";
	json_t *v;
	json_object_foreach(o, key, v)
	{
		char k[128], text[SHOW_MAX];
		if (streq(key, "time") || streq(key, "sandbox") || streq(key, "event"))
			continue;
		value_text(o, key, text, sizeof(text));
		fprintf(to, "%s%s=%s", sep, escape_text(k, sizeof(k), key), text);
		sep = " ";
	}
}

/* The log's UTC as local time, whole seconds; as it stands where it doesn't parse. */
static void local_time(const char *utc, char *dst, size_t cap)
{
	struct tm tm = {0}, local;
	const char *rest = strptime(utc, "%Y-%m-%dT%H:%M:%S", &tm);
	time_t t = rest ? timegm(&tm) : -1;
	if (!rest || !localtime_r(&t, &local) || strftime(dst, cap, "%F %T", &local) == 0)
		escape_text(dst, cap, utc);
}

static int show_text(json_t *o, char **ret)
{
	char when[64], sandbox[256], event[64];
	const char *name = json_string_value(json_object_get(o, "event"));
	local_time(json_string_value(json_object_get(o, "time")), when, sizeof(when));
	value_text(o, "sandbox", sandbox, sizeof(sandbox));
	escape_text(event, sizeof(event), name);

	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);
	if (!to)
		return -ENOMEM;
	fprintf(to, "%s  %-16s %-11s ", when, sandbox, event);
	const struct audit_event *e = audit_event_find(name);
	if (e)
		expand_template(o, e->show, to);
	else
		list_fields(o, to);
	if (fclose(to) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 1;
}

int audit_show(const char *line, size_t n, const char *sandbox, enum audit_style style, char **ret)
{
	/* No duplicate keys: two readers of one line must see the same. */
	json_t *o = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
	int r = -EBADMSG;
	const char *name = json_string_value(json_object_get(o, "sandbox"));
	if (!json_is_string(json_object_get(o, "event")) || !name ||
		!json_is_string(json_object_get(o, "time")))
		goto out;
	if (sandbox && !streq(sandbox, name)) {
		r = 0;
		goto out;
	}
	if (style == AUDIT_TEXT) {
		r = show_text(o, ret);
	} else {
		char *text = json_dumps(o, JSON_ENSURE_ASCII | JSON_COMPACT | JSON_PRESERVE_ORDER);
		r = text ? 1 : -ENOMEM;
		if (text)
			*ret = text;
	}
out:
	json_decref(o);
	return r;
}
