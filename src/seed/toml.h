/* seed/toml.h - a strict filter for TOML settings (codex's config.toml).
 *
 * Reads TOML 1.0 and writes back only what is on a list; a file it does not understand to its end
 * is refused whole.  No library for it is in Debian 12.  Pure.  Must not: open files.
 */
#ifndef BAWN_SEED_TOML_H
#define BAWN_SEED_TOML_H

#include "json/json.h" /* struct json_watch */

#define TOML_SECTIONS_MAX 1024
#define TOML_ENTRIES_MAX 8192

struct toml_entry {
	const char *key;     /* as written back: a.b."c d" */
	const char *value;   /* as written back */
	const char *string;  /* decoded, when the value is a string; else NULL */
	struct keypath path; /* within its section */
	struct toml_entry *next;
};

struct toml_section {
	struct keypath path; /* n == 0: before the first header */
	bool array;          /* [[path]] */
	struct toml_entry *entry, **last;
	struct toml_section *next;
};

struct toml_doc {
	struct arena *a;
	struct toml_section *section, **last;
	size_t n_sections, n_entries;
	size_t skipped; /* keys that were on no list */
};

/* keep NULL: everything, with no look at secrets (for bawn's own text).  0, or -EINVAL with the
 * line number. */
int toml_doc_parse(struct arena *a, const char *text, size_t n, const struct keypats *keep,
	const struct keypats *drop, const struct json_watch *watch, struct toml_doc *ret,
	struct err *err);

/* Remove tables that hold a command which is missing inside (see json_doc_check_commands). */
void toml_doc_check_commands(
	struct toml_doc *d, const struct keypats *commands, const struct json_watch *watch);

/* Put add into d.  over: a key of add replaces d's.  A table of add that d already has as a value,
 * or the other way round, is left out: both cannot stand in one file. */
void toml_doc_merge(struct toml_doc *d, const struct toml_doc *add, bool over);

/* Spread keys that are written as one (a.b = 1, a = { b = 1 }) into tables, so that others can be
 * merged into those.  What an array of tables holds stays as it is.  For documents that were read
 * without a filter.  0; -EINVAL: a key stands there twice. */
int toml_doc_open(struct toml_doc *d, struct err *err);

/* Where an entry stands in the whole document. */
struct keypath toml_entry_place(const struct toml_section *s, const struct toml_entry *e);

/* In the arena. */
char *toml_doc_text(const struct toml_doc *d);

/* For toml-merge.c. */
struct toml_section *toml_section_add(struct toml_doc *d, const struct keypath *path, bool array);
bool toml_path_starts(const struct keypath *path, const struct keypath *prefix);
/* The keys of an inline table, "{ a = 1, b.c = 2 }" as it is written back; key is not set. */
int toml_inline_read(struct arena *a, const char *value, struct toml_entry **ret, struct err *err);
char *toml_key_text(struct arena *a, const char *key); /* as written back */

#endif
