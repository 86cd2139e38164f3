/* seed/reads.c - see reads.h.  Pure. */
#include "seed/reads.h"

#include <ctype.h>
#include <string.h>

/* The length of the name that s begins with, 0: none. */
static size_t name_at(const char *s)
{
	size_t n = 0;
	if (isdigit((unsigned char)*s))
		return 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n;
}

static void say(struct seed_report *r, const char *name, size_t n)
{
	if (n && n < 128)
		seed_say(r, SEED_READS, "%.*s", (int)n, name);
}

static bool on_string(void *ud, const char *value)
{
	for (const char *s = value; *s; s++) {
		const char *from = has_prefix(s, "{env:") ? s + 5
			: has_prefix(s, "${")             ? s + 2
			: *s == '$'                       ? s + 1
							  : NULL;
		const size_t n = from ? name_at(from) : 0;
		if (n && (from == s + 1 || from[n] == '}'))
			say(ud, from, n);
	}
	return false;
}

void seed_reads_json(struct seed_report *r, struct json_doc *d, const struct keypats *variables)
{
	if (variables->n)
		json_doc_strings(d, variables, on_string, NULL, r);
}

/* Each string of a list, as it is written back: on one line, without a comment.  What is no name is
 * none of a variable either. */
static void read_list(struct seed_report *r, const char *s)
{
	while (*(s += strcspn(s, "\"'"))) {
		const char quote = *s++;
		const size_t n = name_at(s);
		if (s[n] == quote)
			say(r, s, n);
		s += strcspn(s, "\"'");
		s += *s != '\0';
	}
}

void seed_reads_toml(
	struct seed_report *r, const struct toml_doc *d, const struct keypats *variables)
{
	for (const struct toml_section *s = d->section; s && variables->n; s = s->next)
		for (const struct toml_entry *e = s->entry; e; e = e->next) {
			const struct keypath path = toml_entry_place(s, e);
			if (!keypats_cover(variables, &path))
				continue;
			if (e->string && e->string[name_at(e->string)] == '\0')
				say(r, e->string, strlen(e->string));
			else if (*e->value == '[')
				read_list(r, e->value);
		}
}
