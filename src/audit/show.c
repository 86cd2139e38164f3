/* audit/show.c - one line of the log as a person reads it; see read.h.
 *
 * Owns: filling the event's template from audit/events.c.
 * Must not: trust a line.  The file is ours, but its values are what programs inside chose.
 */
#include "audit/read.h"

#include <inttypes.h>
#include <strings.h>
#include <time.h>

#include "audit/events.h"
#include "base/escape.h"
#include "json/json.h"

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

static bool value_text(const struct json_doc *o, const char *key, char *dst, size_t cap)
{
	const char *text = json_doc_string(o, key);
	int64_t number;
	dst[0] = '\0';
	if (text) {
		escape_text(dst, cap, text);
		if (streq(key, "fix"))
			keep_backslashes(dst);
	} else if (json_doc_integer(o, key, &number)) {
		snprintf(dst, cap, "%" PRId64, number);
	}
	return dst[0] != '\0';
}

/* From p up to end into to; false when a field of it is absent or empty. */
static bool expand(const struct json_doc *o, const char *p, const char *end, FILE *to)
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

static void expand_template(const struct json_doc *o, const char *show, FILE *to)
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

struct field_list {
	const struct json_doc *o;
	FILE *to;
	const char *sep;
};

static void list_field(void *ud, const char *key)
{
	struct field_list *l = ud;
	char k[128], text[SHOW_MAX];
	if (streq(key, "time") || streq(key, "sandbox") || streq(key, "event") || streq(key, "n") ||
		streq(key, "prev"))
		return;
	value_text(l->o, key, text, sizeof(text));
	fprintf(l->to, "%s%s=%s", l->sep, escape_text(k, sizeof(k), key), text);
	l->sep = " ";
}

/* An event of a newer bawn: every field, as it comes. */
static void list_fields(const struct json_doc *o, FILE *to)
{
	struct field_list l = {.o = o, .to = to, .sep = ""};
	json_doc_each_key(o, list_field, &l);
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

static int show_text(const struct json_doc *o, char **ret)
{
	char when[64], sandbox[256], event[64];
	const char *name = json_doc_string(o, "event");
	local_time(json_doc_string(o, "time"), when, sizeof(when));
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

/* Of a list with commas; an empty list takes all. */
static bool listed(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
		if (strcspn(p, ",") == n && strncmp(p, word, n) == 0)
			return true;
	return !list;
}

/* The host of a target "host:443", "udp://host:53" or "[::1]:443". */
static bool is_host(const char *target, const char *host)
{
	const char *p = target ? strstr(target, "://") : NULL;
	p = p ? p + 3 : target;
	if (!p)
		return false;
	size_t n = strlen(host), len;
	if (*p == '[') {
		p++;
		len = strcspn(p, "]");
	} else {
		const char *colon = strrchr(p, ':');
		len = colon ? (size_t)(colon - p) : strlen(p);
	}
	if (len == n && strncasecmp(p, host, n) == 0)
		return true;
	/* ".example.com": what is below it */
	return host[0] == '.' && len > n && strncasecmp(p + len - n, host, n) == 0;
}

static bool wanted(const struct json_doc *o, const struct audit_filter *f)
{
	const char *time = json_doc_string(o, "time");
	if (f->sandbox && !streq(f->sandbox, json_doc_string(o, "sandbox")))
		return false;
	if (!listed(f->events, json_doc_string(o, "event")))
		return false;
	/* both are UTC in the same form, as far as they go */
	if (f->since && strcmp(time, f->since) < 0)
		return false;
	return !f->host || is_host(json_doc_string(o, "target"), f->host);
}

int audit_event_parse(
	const char *line, size_t n, const struct audit_filter *f, struct json_doc **ret)
{
	_cleanup_(json_doc_freep) struct json_doc *o = NULL;
	int r = json_line_parse(line, n, &o);
	if (r < 0)
		return r;
	if (!json_doc_string(o, "sandbox") || !json_doc_string(o, "event") ||
		!json_doc_string(o, "time"))
		return -EBADMSG;
	if (f && !wanted(o, f))
		return 0;
	*ret = TAKE_PTR(o);
	return 1;
}

int audit_show(const char *line, size_t n, const struct audit_filter *f, enum audit_style style,
	char **ret)
{
	_cleanup_(json_doc_freep) struct json_doc *o = NULL;
	int r = audit_event_parse(line, n, f, &o);
	if (r <= 0)
		return r;
	if (style == AUDIT_TEXT)
		return show_text(o, ret);
	char *text = json_line_text(o);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 1;
}

int audit_event_text(const struct json_doc *o, char **ret)
{
	const struct audit_event *e = audit_event_find(json_doc_string(o, "event"));
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);
	if (!to)
		return -ENOMEM;
	if (e)
		expand_template(o, e->show, to);
	else
		list_fields(o, to);
	if (fclose(to) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}
