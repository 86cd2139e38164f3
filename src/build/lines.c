/* build/lines.c - see lines.h
 *
 * Theory: a physical line that ends in the escape character (with blanks behind it, if any) goes on
 * in the next one, of which comments and empty lines are left out.  What is joined remembers where
 * each part came from, so that every later complaint has its line and column.
 */
#include <ctype.h>

#include "build/buf.h"
#include "build/lines.h"

struct phys {
	const char *s;
	size_t n; /* without its line end */
	uint32_t line;
};

static bool next_phys(struct df_in *in, struct phys *ret, const char **ret_end)
{
	if (in->p >= in->end)
		return false;
	const char *nl = memchr(in->p, '\n', (size_t)(in->end - in->p));
	const char *after = nl ? nl + 1 : in->end;
	*ret = (struct phys){
		.s = in->p, .n = (size_t)((nl ? nl : in->end) - in->p), .line = in->line};
	while (ret->n && ret->s[ret->n - 1] == '\r')
		ret->n--;
	in->p = after;
	in->line++;
	if (ret_end)
		*ret_end = after;
	return true;
}

static size_t blanks(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && isspace((unsigned char)s[i]))
		i++;
	return i;
}

static bool is_comment(const struct phys *l)
{
	size_t i = blanks(l->s, l->n);
	return i < l->n && l->s[i] == '#';
}

/* ---- directives ---- */

struct directive {
	char *key, *value;
	size_t value_col;
};

/* "# key = value": NULL key if it isn't one. */
static int read_directive(struct arena *a, const struct phys *l, struct directive *ret)
{
	size_t i = blanks(l->s, l->n), n = l->n;
	*ret = (struct directive){0};
	if (i >= n || l->s[i] != '#')
		return 0;
	i++;
	i += blanks(l->s + i, n - i);
	size_t key = i;
	while (i < n && isalnum((unsigned char)l->s[i]))
		i++;
	size_t key_n = i - key;
	i += blanks(l->s + i, n - i);
	if (!key_n || !isalpha((unsigned char)l->s[key]) || i >= n || l->s[i] != '=')
		return 0;
	i++;
	i += blanks(l->s + i, n - i);
	while (n > i && isspace((unsigned char)l->s[n - 1]))
		n--;
	if (i == n)
		return 0;
	ret->key = arena_dupn(a, l->s + key, key_n);
	ret->value = arena_dupn(a, l->s + i, n - i);
	ret->value_col = i;
	if (!ret->key || !ret->value)
		return -ENOMEM;
	for (char *c = ret->key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return 0;
}

static int directive_err(struct df_in *in, const struct phys *l, size_t col, const char *what)
{
	in->d->err_line = l->line;
	in->d->err_col = (uint32_t)col + 1;
	return err_set(in->err, EINVAL, "%s:%u:%zu: %s", in->d->file, l->line, col + 1, what);
}

int df_directives(struct df_in *in)
{
	static const char *const known[] = {"syntax", "escape", "check"};
	bool seen[ARRAY_LEN(known)] = {0};
	struct phys l;
	for (;;) {
		struct df_in was = *in;
		struct directive dir;
		size_t k = 0;
		if (!next_phys(in, &l, NULL))
			return 0;
		if (read_directive(in->a, &l, &dir) < 0)
			return err_set(in->err, ENOMEM, "out of memory");
		while (dir.key && k < ARRAY_LEN(known) && !streq(dir.key, known[k]))
			k++;
		if (!dir.key || k == ARRAY_LEN(known)) {
			*in = was;
			return 0;
		}
		if (seen[k])
			return directive_err(in, &l, 0, "this directive stands here twice");
		seen[k] = true;
		if (streq(known[k], "syntax"))
			in->d->syntax = dir.value;
		if (!streq(known[k], "escape"))
			continue;
		if (!streq(dir.value, "\\") && !streq(dir.value, "`"))
			return directive_err(in, &l, dir.value_col,
				"the escape character is a backslash or a backtick");
		in->d->escape = dir.value[0];
	}
}

/* ---- logical lines ---- */

struct joint {
	struct buf text;
	struct df_line *line;
	size_t cap;
};

static int add_part(
	struct df_in *in, struct joint *j, const char *s, size_t n, uint32_t line, size_t col)
{
	struct df_line *l = j->line;
	l->seg = arena_grow(in->a, l->seg, l->n_seg, &j->cap, sizeof(*l->seg));
	if (!l->seg)
		return err_set(in->err, ENOMEM, "out of memory");
	l->seg[l->n_seg++] = (struct df_seg){
		.off = j->text.n, .line = line, .col = (uint32_t)col + 1};
	buf_add(&j->text, s, n);
	return 0;
}

/* Does the line go on?  *n becomes what is before the escape character. */
static bool goes_on(const struct df_in *in, const char *s, size_t *n)
{
	size_t end = *n;
	while (end && (s[end - 1] == ' ' || s[end - 1] == '\t'))
		end--;
	if (!end || s[end - 1] != in->d->escape)
		return false;
	if (end > 1 && s[end - 2] == in->d->escape)
		return false;
	*n = end - 1;
	return true;
}

static int join(struct df_in *in, struct joint *j, struct phys l)
{
	size_t skip = blanks(l.s, l.n);
	for (;;) {
		size_t n = l.n - skip;
		bool more = goes_on(in, l.s + skip, &n);
		int r = add_part(in, j, l.s + skip, n, l.line, skip);
		if (r < 0 || !more)
			return r;
		do {
			if (!next_phys(in, &l, NULL))
				return 0;
		} while (is_comment(&l) || blanks(l.s, l.n) == l.n);
		skip = 0;
	}
}

int df_next(struct df_in *in, struct df_line **ret)
{
	struct joint j = {0};
	struct phys l;
	for (;;) {
		if (!next_phys(in, &l, NULL))
			return 0;
		if (is_comment(&l) || blanks(l.s, l.n) == l.n)
			continue;
		j.line = arena_alloc(in->a, sizeof(*j.line));
		j.cap = 0;
		int r = j.line ? join(in, &j, l) : err_set(in->err, ENOMEM, "out of memory");
		if (r < 0) {
			buf_free(&j.text);
			return r;
		}
		j.line->n = j.text.n;
		j.line->text = buf_take(in->a, &j.text);
		if (!j.line->text)
			return err_set(in->err, ENOMEM, "out of memory");
		if (blanks(j.line->text, j.line->n) < j.line->n)
			break;
	}
	*ret = j.line;
	return 1;
}

int df_take_heredoc(struct df_in *in, const struct df_line *line, size_t at, struct df_heredoc *doc)
{
	_cleanup_buf_ struct buf b = {0};
	size_t name_n = strlen(doc->name);
	struct phys l;
	const char *after;
	while (next_phys(in, &l, &after)) {
		const char *s = l.s;
		size_t n = l.n;
		while (doc->chomp && n && *s == '\t')
			s++, n--;
		if (n == name_n && memcmp(s, doc->name, n) == 0) {
			doc->n = b.n;
			doc->text = buf_take(in->a, &b);
			return doc->text ? 0 : err_set(in->err, ENOMEM, "out of memory");
		}
		buf_add(&b, s, (size_t)(after - s));
	}
	df_err(in->d, line, at, in->err, "nothing ends this heredoc: no line \"%.80s\" follows",
		doc->name);
	return -EINVAL;
}
