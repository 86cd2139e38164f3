/* store/checkpoint.c - see checkpoint.h */
#include "store/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/escape.h"
#include "store/layers.h"

bool strv_same(const struct strv *a, const struct strv *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = streq(a->v[i], b->v[i]);
	return same;
}

int checkpoint_tag_check(const char *tag, struct err *err)
{
	char shown[128];
	size_t n = strlen(tag);
	bool ok = n >= 1 && n <= SPEC_NAME_MAX;
	for (size_t i = 0; ok && i < n; i++) {
		char c = tag[i];
		ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			(i && (c == '.' || c == '_' || c == '-'));
	}
	if (ok)
		return 0;
	escape_text(shown, sizeof(shown), tag);
	err_hint(err, "1 to 64 of a-z A-Z 0-9 . _ -, the first a letter or a digit");
	return err_set(err, EINVAL, "'%s' can't be a checkpoint's tag", shown);
}

static int parse(struct arena *a, const char *line, struct checkpoint *ret)
{
	struct checkpoint c = {0};
	char *rest = arena_dup(a, line), *word, *end;
	if (!rest)
		return -ENOMEM;
	c.tag = strsep(&rest, " ");
	word = strsep(&rest, " ");
	c.time = word && *word ? strtoll(word, &end, 10) : -1;
	if (c.time < 0 || *end || checkpoint_tag_check(c.tag, NULL) < 0)
		return -EINVAL;
	c.parent = strsep(&rest, " ");
	if (!c.parent)
		return -EINVAL;
	if (streq(c.parent, "-"))
		c.parent = NULL;
	while ((word = strsep(&rest, " ")))
		if (!layer_id_ok(word) || strv_push(a, &c.layers, word) < 0)
			return -EINVAL;
	*ret = c;
	return 0;
}

int checkpoint_at(
	struct arena *a, const struct spec *s, size_t i, struct checkpoint *ret, struct err *err)
{
	char shown[80];
	if (parse(a, s->tags.v[i], ret) == 0)
		return 0;
	escape_text(shown, sizeof(shown), s->tags.v[i]);
	return err_set(err, EINVAL, "spec: malformed tag '%s'", shown);
}

/* Is line that of tag? */
static bool is_tag(const char *line, const char *tag)
{
	size_t n = strlen(tag);
	return strncmp(line, tag, n) == 0 && line[n] == ' ';
}

static int unknown(struct arena *a, const struct spec *s, const char *tag, struct err *err)
{
	char shown[128];
	char *all = NULL;
	for (size_t i = s->tags.n > 8 ? s->tags.n - 8 : 0; i < s->tags.n; i++) {
		char *one = arena_dupn(a, s->tags.v[i], strcspn(s->tags.v[i], " "));
		all = all ? arena_printf(a, "%s, %s", all, one ? one : "") : one;
	}
	if (all)
		err_hint(err, "it has %s; all: bawn checkpoints %s", all, s->name);
	else
		err_hint(err, "to take one: bawn checkpoint %s", s->name);
	return err_set(err, ENOENT, "sandbox %s has no checkpoint '%s'", s->name,
		escape_text(shown, sizeof(shown), tag));
}

int checkpoint_find(struct arena *a, const struct spec *s, const char *tag, struct checkpoint *ret,
	struct err *err)
{
	for (size_t i = 0; i < s->tags.n; i++)
		if (is_tag(s->tags.v[i], tag))
			return checkpoint_at(a, s, i, ret, err);
	return unknown(a, s, tag, err);
}

char *checkpoint_tag_new(struct arena *a, const struct spec *s)
{
	for (unsigned int n = 1;; n++) {
		char *tag = arena_printf(a, "cp%u", n);
		bool taken = false;
		for (size_t i = 0; tag && i < s->tags.n; i++)
			taken |= is_tag(s->tags.v[i], tag);
		if (!taken)
			return tag;
	}
}

static char *format(struct arena *a, const struct checkpoint *c)
{
	char *line = arena_printf(
		a, "%s %" PRId64 " %s", c->tag, c->time, c->parent ? c->parent : "-");
	for (size_t i = 0; line && i < c->layers.n; i++)
		line = arena_printf(a, "%s %s", line, c->layers.v[i]);
	return line;
}

int checkpoint_put(struct arena *a, struct spec *s, const struct checkpoint *c, struct err *err)
{
	struct strv tags = {0};
	for (size_t i = 0; i < s->tags.n; i++)
		if (!is_tag(s->tags.v[i], c->tag))
			strv_push(a, &tags, s->tags.v[i]);
	if (tags.n >= CHECKPOINTS_MAX) {
		err_hint(err, "bawn checkpoints --rm TAG %s removes one", s->name);
		return err_set(err, E2BIG, "sandbox %s has %d checkpoints, which is as many as go",
			s->name, CHECKPOINTS_MAX);
	}
	strv_push(a, &tags, format(a, c));
	int r = arena_check(a, err);
	if (r == 0)
		s->tags = tags;
	return r;
}

int checkpoint_remove(struct arena *a, struct spec *s, const char *tag, struct err *err)
{
	struct checkpoint gone, c;
	struct strv tags = {0};
	int r = checkpoint_find(a, s, tag, &gone, err);
	for (size_t i = 0; r == 0 && i < s->tags.n; i++) {
		if (is_tag(s->tags.v[i], tag))
			continue;
		r = checkpoint_at(a, s, i, &c, err);
		if (r == 0 && c.parent && streq(c.parent, tag)) {
			c.parent = gone.parent;
			strv_push(a, &tags, format(a, &c));
		} else if (r == 0) {
			strv_push(a, &tags, s->tags.v[i]);
		}
	}
	if (r == 0)
		r = arena_check(a, err);
	if (r < 0)
		return r;
	s->tags = tags;
	if (s->base && streq(s->base, tag))
		s->base = gone.parent;
	return 0;
}
