/* seed/toml-merge.c - one TOML document put into another; see toml.h.  Pure. */
#include "seed/toml.h"

static bool path_same(const struct keypath *a, const struct keypath *b)
{
	return a->n == b->n && toml_path_starts(a, b);
}

/* Is there an entry whose whole place is path or a part of it, or that lies below path? */
static bool clashes(const struct toml_doc *d, const struct keypath *path)
{
	for (const struct toml_section *s = d->section; s; s = s->next) {
		for (const struct toml_entry *e = s->entry; e; e = e->next) {
			struct keypath p = s->path;
			for (size_t i = 0; i < e->path.n && p.n < KEYPATH_MAX; i++)
				p.seg[p.n++] = e->path.seg[i];
			if (toml_path_starts(path, &p) ||
				(toml_path_starts(&p, path) && e->path.n > 1 &&
					s->path.n < path->n))
				return true;
		}
	}
	return false;
}

/* Has d a table at path, or below it? */
static bool has_table(const struct toml_doc *d, const struct keypath *path)
{
	for (const struct toml_section *s = d->section; s; s = s->next)
		if (s->path.n && toml_path_starts(&s->path, path))
			return true;
	return false;
}

/* Is a part of e's key, as to would have it, a table of d's? */
static bool is_table(
	const struct toml_doc *d, const struct toml_section *to, const struct toml_entry *e)
{
	struct keypath p = to->path;
	for (size_t i = 0; i < e->path.n && p.n < KEYPATH_MAX; i++) {
		p.seg[p.n++] = e->path.seg[i];
		if (has_table(d, &p))
			return true;
	}
	return false;
}

static void merge_entry(
	struct toml_section *to, const struct toml_entry *e, struct arena *a, bool over)
{
	for (struct toml_entry *have = to->entry; have; have = have->next) {
		if (path_same(&have->path, &e->path)) {
			if (over) {
				have->value = e->value;
				have->string = e->string;
			}
			return;
		}
		if (toml_path_starts(&have->path, &e->path) ||
			toml_path_starts(&e->path, &have->path))
			return;
	}
	struct toml_entry *copy = arena_alloc(a, sizeof(*copy));
	if (!copy)
		return;
	*copy = *e;
	copy->next = NULL;
	struct toml_entry **last = &to->entry;
	while (*last)
		last = &(*last)->next;
	*last = copy;
	to->last = &copy->next;
}

/* Is path an array of tables of d's, or within one? */
static bool within_array(const struct toml_doc *d, const struct keypath *path)
{
	for (const struct toml_section *s = d->section; s; s = s->next)
		if (s->array && toml_path_starts(path, &s->path))
			return true;
	return false;
}

/* The table [path] of d, where there is one that is no array. */
static struct toml_section *find_table(const struct toml_doc *d, const struct keypath *path)
{
	struct toml_section *s = d->section;
	while (s && !(path_same(&s->path, path) && !s->array))
		s = s->next;
	return s;
}

/* Where add's table s goes; NULL: nowhere.  An array goes as a whole, with the tables within it,
 * and only where d has nothing of its name: had says whether it has. */
static struct toml_section *place_table(
	struct toml_doc *d, const struct toml_doc *add, const struct toml_section *s, bool had)
{
	if (within_array(add, &s->path))
		return had ? NULL : toml_section_add(d, &s->path, s->array);
	struct toml_section *to = find_table(d, &s->path);
	if (to)
		return to;
	return clashes(d, &s->path) || within_array(d, &s->path)
		? NULL
		: toml_section_add(d, &s->path, false);
}

void toml_doc_merge(struct toml_doc *d, const struct toml_doc *add, bool over)
{
	bool *had = arena_alloc(d->a, (add->n_sections + 1) * sizeof(*had));
	size_t i = 0;
	if (!had)
		return;
	for (const struct toml_section *s = add->section; s; s = s->next, i++)
		for (const struct toml_section *t = add->section; t; t = t->next)
			had[i] |= t->array && toml_path_starts(&s->path, &t->path) &&
				(has_table(d, &t->path) || clashes(d, &t->path));
	i = 0;
	for (const struct toml_section *s = add->section; s; s = s->next, i++) {
		struct toml_section *to = place_table(d, add, s, had[i]);
		for (const struct toml_entry *e = s->entry; to && e; e = e->next)
			if (!is_table(d, to, e))
				merge_entry(to, e, d->a, over);
	}
}

/* ---- one table a place ---- */

static int put_open(
	struct toml_doc *d, const struct keypath *at, const struct toml_entry *e, struct err *err);

/* { a = 1, b.c = 2 } as entries of the table [at]. */
static int put_inline(
	struct toml_doc *d, const struct keypath *at, const char *value, struct err *err)
{
	struct toml_entry *list = NULL;
	int r = toml_inline_read(d->a, value, &list, err);
	for (const struct toml_entry *e = list; e && r == 0; e = e->next)
		r = put_open(d, at, e, err);
	return r;
}

static int twice(const struct keypath *path, struct err *err)
{
	char place[512];
	return err_set(
		err, EINVAL, "%s stands there twice", keypath_text(path, place, sizeof(place)));
}

static bool has_entry(const struct toml_section *s, const char *key)
{
	for (const struct toml_entry *e = s->entry; e; e = e->next)
		if (streq(e->path.seg[0], key))
			return true;
	return false;
}

/* Put e, of the table [at], where it is a key of one part. */
static int put_open(
	struct toml_doc *d, const struct keypath *at, const struct toml_entry *e, struct err *err)
{
	struct keypath whole = *at;
	for (size_t i = 0; i < e->path.n && whole.n < KEYPATH_MAX; i++)
		whole.seg[whole.n++] = e->path.seg[i];
	if (whole.n != at->n + e->path.n)
		return err_set(err, EINVAL, "nested too deep");
	if (e->value && e->value[0] == '{')
		return put_inline(d, &whole, e->value, err);
	struct keypath table = whole;
	const char *key = table.seg[--table.n];
	struct toml_section *to = find_table(d, &table);
	if (!to && !clashes(d, &table) && !within_array(d, &table))
		to = toml_section_add(d, &table, false);
	if (!to || has_entry(to, key) || has_table(d, &whole))
		return twice(&whole, err);
	struct toml_entry *copy = arena_alloc(d->a, sizeof(*copy));
	if (!copy)
		return err_set(err, ENOMEM, "out of memory");
	*copy = (struct toml_entry){.key = toml_key_text(d->a, key),
		.value = e->value,
		.string = e->string,
		.path = {.seg = {key}, .n = 1}};
	*to->last = copy;
	to->last = &copy->next;
	return 0;
}

int toml_doc_open(struct toml_doc *d, struct err *err)
{
	struct toml_doc open = {.a = d->a};
	open.last = &open.section;
	if (!toml_section_add(&open, &(struct keypath){.n = 0}, false))
		return err_set(err, ENOMEM, "out of memory");
	for (const struct toml_section *s = d->section; s; s = s->next) {
		if (within_array(d, &s->path)) {
			struct toml_section *to = toml_section_add(&open, &s->path, s->array);
			if (!to)
				return err_set(err, EINVAL, "too many tables");
			to->entry = s->entry;
			continue;
		}
		if (s->path.n && clashes(&open, &s->path))
			return twice(&s->path, err);
		for (const struct toml_entry *e = s->entry; e; e = e->next) {
			int r = put_open(&open, &s->path, e, err);
			if (r < 0)
				return r;
		}
	}
	open.skipped = d->skipped;
	*d = open;
	return arena_check(d->a, err);
}
