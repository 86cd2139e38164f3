/* scan/git-merge.c - git_config_merge(), see git-config.h
 *
 * Theory: keys are compared as lists of values, because git's are (remote.*.fetch may stand many
 * times).  A key whose list in the agent's copy is what it was in the base is left alone, whatever
 * the real file holds now; the others are set to the copy's list if every old and new value is
 * plain, else dropped.  So a change that the host made meanwhile survives unless the agent changed
 * the same key.
 */
#include "scan/git-config.h"

#include <ctype.h>

#include "base/blob.h"

struct text {
	char *p;
	size_t n, cap;
	bool failed;
};

static void put(struct text *t, const char *s, size_t n)
{
	if (t->cap - t->n < n + 1) {
		size_t cap = MAX(t->cap * 2, t->n + n + 4096);
		char *p = realloc(t->p, cap);
		if (!p) {
			t->failed = true;
			return;
		}
		t->p = p;
		t->cap = cap;
	}
	memcpy(t->p + t->n, s, n);
	t->n += n;
	t->p[t->n] = '\0';
}

static void puts_(struct text *t, const char *s)
{
	put(t, s, strlen(s));
}

static bool same_value(const struct git_config_entry *x, const struct git_config_entry *y)
{
	if (!x->value || !y->value)
		return x->value == y->value;
	return streq(x->value, y->value);
}

static const struct git_config_entry *nth(
	const struct git_config *c, const char *key, size_t nth_one)
{
	for (size_t i = 0; i < c->n; i++)
		if (streq(c->v[i].key, key) && nth_one-- == 0)
			return &c->v[i];
	return NULL;
}

static bool same_list(const struct git_config *x, const struct git_config *y, const char *key)
{
	for (size_t i = 0;; i++) {
		const struct git_config_entry *a = nth(x, key, i), *b = nth(y, key, i);
		if (!a && !b)
			return true;
		if (!a || !b || !same_value(a, b))
			return false;
	}
}

static bool all_plain(const struct git_config *c, const char *key)
{
	for (size_t i = 0; i < c->n; i++)
		if (streq(c->v[i].key, key) && !git_config_plain(&c->v[i]))
			return false;
	return true;
}

/* The three texts read, and what is to be taken over from copy to real. */
struct merge {
	const struct git_config *copy, *real;
	struct strv keep, drop;
};

/* Will there be a remote of that name with an URL? */
static bool has_remote(const struct merge *m, const char *name)
{
	const struct git_config *in[] = {m->copy, m->real};
	for (size_t k = 0; k < ARRAY_LEN(in); k++)
		for (size_t i = 0; i < in[k]->n; i++) {
			const struct git_config_entry *e = &in[k]->v[i];
			if (streq(e->section, "remote") && e->subsection &&
				streq(e->subsection, name) && streq(e->name, "url") &&
				strv_has(&m->keep, e->key) == (in[k] == m->copy))
				return true;
		}
	return false;
}

static bool wants_remote(const struct git_config_entry *e)
{
	if (streq(e->section, "branch"))
		return e->subsection && (streq(e->name, "remote") || streq(e->name, "pushremote"));
	return streq(e->key, "remote.pushdefault") || streq(e->key, "checkout.defaultremote");
}

/* Where a remote's name is wanted git also takes a directory, and a push there runs its hooks; and
 * a name of nothing may be one of a file in .git/remotes. */
static bool names_remotes(const struct merge *m, const char *key)
{
	for (size_t i = 0; i < m->copy->n; i++) {
		const struct git_config_entry *e = &m->copy->v[i];
		if (streq(e->key, key) && wants_remote(e) && e->value && !streq(e->value, ".") &&
			!has_remote(m, e->value))
			return false;
	}
	return true;
}

static void drop_unnamed(struct arena *a, struct merge *m)
{
	struct strv keep = {0};
	for (size_t i = 0; i < m->keep.n; i++)
		strv_add(a, names_remotes(m, m->keep.v[i]) ? &keep : &m->drop, m->keep.v[i]);
	m->keep = keep;
}

/* Keys of one config that differ between base and copy. */
static int changed_keys(struct arena *a, const struct git_config *in, const struct git_config *base,
	const struct git_config *copy, struct strv *ret)
{
	for (size_t i = 0; i < in->n; i++) {
		const char *key = in->v[i].key;
		bool first = nth(in, key, 0) == &in->v[i];
		if (first && !same_list(base, copy, key) && !strv_has(ret, key))
			if (strv_add(a, ret, key) < 0)
				return -ENOMEM;
	}
	return 0;
}

static void put_quoted(struct text *t, const char *v)
{
	puts_(t, "\"");
	for (; *v; v++) {
		if (*v == '"' || *v == '\\')
			puts_(t, "\\");
		if (*v == '\n')
			puts_(t, "\\n");
		else if (*v == '\t')
			puts_(t, "\\t");
		else if (*v == '\b')
			puts_(t, "\\b");
		else
			put(t, v, 1);
	}
	puts_(t, "\"");
}

static bool needs_quotes(const char *v)
{
	size_t n = strlen(v);
	return n == 0 || v[0] == ' ' || v[n - 1] == ' ' || strpbrk(v, "#;\"\\\n\t\b\r");
}

static void put_entry(struct text *t, const struct git_config_entry *e)
{
	puts_(t, "\t");
	puts_(t, e->name);
	if (e->value) {
		puts_(t, " = ");
		if (needs_quotes(e->value))
			put_quoted(t, e->value);
		else
			puts_(t, e->value);
	}
	puts_(t, "\n");
}

static void put_header(struct text *t, const struct git_config_entry *e)
{
	puts_(t, "[");
	puts_(t, e->section);
	if (e->subsection) {
		puts_(t, " \"");
		for (const char *s = e->subsection; *s; s++) {
			if (*s == '"' || *s == '\\')
				puts_(t, "\\");
			put(t, s, 1);
		}
		puts_(t, "\"");
	}
	puts_(t, "]\n");
}

static bool same_section(const struct git_config_entry *x, const struct git_config_entry *y)
{
	if (!streq(x->section, y->section) || !x->subsection != !y->subsection)
		return false;
	return !x->subsection || streq(x->subsection, y->subsection);
}

/* All of a section's new entries; done[] marks them. */
static void put_new(struct text *t, const struct git_config *copy, const struct strv *kept,
	const struct git_config_entry *like, bool *done)
{
	for (size_t i = 0; i < copy->n; i++)
		if (!done[i] && same_section(&copy->v[i], like) && strv_has(kept, copy->v[i].key)) {
			put_entry(t, &copy->v[i]);
			done[i] = true;
		}
}

/* real's text with the kept keys taken out and put in again as copy has them. */
static int rewrite(struct arena *a, struct git_config_text real, const struct git_config *rc,
	const struct git_config *copy, const struct strv *kept, struct git_config_text *ret)
{
	struct text t = {0};
	bool *done = arena_alloc(a, copy->n + 1);
	size_t at = 0;
	if (!done)
		return -ENOMEM;
	for (size_t i = 0; i < rc->n; i++) {
		const struct git_config_entry *e = &rc->v[i];
		put(&t, real.p + at, e->start - at);
		if (!strv_has(kept, e->key))
			put(&t, real.p + e->start, e->end - e->start);
		else if (e->end > e->start && t.n && t.p[t.n - 1] != '\n')
			puts_(&t, "\n"); /* "[section] name = value" on one line */
		at = e->end;
		if (i + 1 < rc->n && same_section(e, &rc->v[i + 1]))
			continue;
		if (t.n && t.p[t.n - 1] != '\n')
			puts_(&t, "\n");
		put_new(&t, copy, kept, e, done);
	}
	put(&t, real.p + at, real.n - at);
	for (size_t i = 0; i < copy->n; i++) {
		if (done[i] || !strv_has(kept, copy->v[i].key))
			continue;
		if (t.n && t.p[t.n - 1] != '\n')
			puts_(&t, "\n");
		put_header(&t, &copy->v[i]);
		put_new(&t, copy, kept, &copy->v[i], done);
	}
	if (!t.failed) {
		ret->p = arena_dupn(a, t.p ? t.p : "", t.n);
		ret->n = t.n;
	}
	free(t.p);
	return t.failed || !ret->p ? -ENOMEM : 0;
}

/* The result must read as real with exactly the kept keys replaced: a last check of the writer. */
static bool as_meant(struct arena *a, struct git_config_text text, const struct git_config *real,
	const struct git_config *copy, const struct strv *kept)
{
	struct git_config now;
	if (git_config_parse(a, text.p, text.n, &now, NULL) < 0)
		return false;
	for (size_t i = 0; i < now.n; i++) {
		const char *key = now.v[i].key;
		if (!same_list(&now, strv_has(kept, key) ? copy : real, key))
			return false;
	}
	for (size_t i = 0; i < real->n; i++)
		if (!strv_has(kept, real->v[i].key) && !same_list(&now, real, real->v[i].key))
			return false;
	return true;
}

/* What git finds out by looking at its own config file and writes down, unasked, at each "git init"
 * of a repository that is there: whether the execute bit holds.  Inside that file is a link, on
 * which no chmod shows, so the answer is no, and on the host git would be blind to modes from then
 * on. */
static bool probed(const char *key)
{
	return streq(key, "core.filemode");
}

int git_config_merge(struct arena *a, struct git_config_text base, struct git_config_text copy,
	struct git_config_text real, struct git_config_text *ret_text, struct strv *kept,
	struct strv *dropped, struct err *err)
{
	struct git_config b, c, r;
	struct strv changed = {0};
	struct merge m = {.copy = &c, .real = &r};
	struct git_config_text out = {NULL, 0};
	int res = git_config_parse(a, base.p, base.n, &b, err);
	if (res == 0)
		res = git_config_parse(a, copy.p, copy.n, &c, err);
	if (res == 0)
		res = git_config_parse(a, real.p, real.n, &r, err);
	if (res < 0)
		return res;
	if (changed_keys(a, &c, &b, &c, &changed) < 0 || changed_keys(a, &b, &b, &c, &changed) < 0)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < changed.n; i++) {
		const char *key = changed.v[i];
		if (same_list(&c, &r, key))
			continue; /* the host has it already */
		if (probed(key))
			continue;
		bool plain = all_plain(&b, key) && all_plain(&c, key) && all_plain(&r, key);
		strv_add(a, plain || GUARD_REMOVED("git-config-merge") ? &m.keep : &m.drop, key);
	}
	if (!GUARD_REMOVED("git-remotes"))
		drop_unnamed(a, &m);
	if (m.keep.n && rewrite(a, real, &r, &c, &m.keep, &out) < 0)
		return err_set(err, ENOMEM, "out of memory");
	if (m.keep.n && !as_meant(a, out, &r, &c, &m.keep))
		return err_set(err, EINVAL, "the merged git config does not read as it was meant");
	res = arena_check(a, err);
	if (res < 0)
		return res;
	*ret_text = out;
	*kept = m.keep;
	*dropped = m.drop;
	return 0;
}
