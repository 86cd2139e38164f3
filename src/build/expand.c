/* build/expand.c - see expand.h
 *
 * Theory: one pass of recursive descent.  What ends a piece is the caller's to say: the end of the
 * text, or the "}" or "/" of the ${...} that it stands in.  Quotes and escapes are undone while the
 * result is written.  At the top, the result is also cut into words, where an unquoted blank
 * stands, the text's own or one of a value's.
 */
#include <ctype.h>
#include <stdint.h>

#include "build/buf.h"
#include "build/expand.h"

struct ex {
	const struct expand *e;
	const char *start, *p;
	struct arena *a;
	struct err *err;
	int depth;
	size_t made;   /* bytes of all results, inner ones too */
	uint64_t work; /* steps of matching */
};

struct cut {
	struct arena *a;
	struct strv *words; /* NULL: nothing is cut */
	struct buf word;
	bool failed;
};

static int bad(struct ex *x, const char *what)
{
	return err_set(x->err, EINVAL, "%s", what);
}

static void cut_end(struct cut *c)
{
	if (!c->word.n)
		return;
	char *s = buf_take(c->a, &c->word);
	if (!s || strv_push(c->a, c->words, s) < 0)
		c->failed = true;
}

/* raw: blanks are no ends */
static void cut_add(struct cut *c, const char *s, size_t n, bool raw)
{
	if (!c || !c->words)
		return;
	for (size_t i = 0; i < n; i++)
		if (!raw && isspace((unsigned char)s[i]))
			cut_end(c);
		else
			buf_char(&c->word, s[i]);
}

static int add(struct ex *x, struct buf *out, const char *s, size_t n)
{
	x->made += n;
	if (x->made > EXPAND_MAX)
		return err_set(x->err, E2BIG, "the result is longer than 1 MiB");
	buf_add(out, s, n);
	return out->failed ? err_set(x->err, ENOMEM, "out of memory") : 0;
}

static int stop_on(struct ex *x, int stop, bool raw, struct buf *out, struct cut *cut);

/* ---- patterns ---- */

#define WORK_MAX ((uint64_t)1 << 26)

enum { ANY_CHAR = 256, ANY_TEXT };

struct pattern {
	uint16_t *tok;
	size_t n;
	unsigned char *reach, *next; /* one a place in the text */
};

static int pattern_begin(struct ex *x, const char *pat, const char *text, struct pattern *ret)
{
	size_t n = strlen(pat), room = strlen(text) + 1;
	*ret = (struct pattern){.tok = arena_alloc(x->a, (n + 1) * sizeof(uint16_t)),
		.reach = arena_alloc(x->a, room),
		.next = arena_alloc(x->a, room)};
	if (!ret->tok || !ret->reach || !ret->next)
		return err_set(x->err, ENOMEM, "out of memory");
	for (; *pat; pat++) {
		if (*pat == '\\' && pat[1])
			ret->tok[ret->n++] = (unsigned char)*++pat;
		else
			ret->tok[ret->n++] = *pat == '*' ? ANY_TEXT
				: *pat == '?'            ? ANY_CHAR
							 : (unsigned char)*pat;
	}
	return 0;
}

/* Which of the n + 1 places of s the whole pattern leads to from one end of it: from the first one
 * forwards, or from the last one backwards.  The longest way or the shortest; -1: to none. */
static ssize_t pattern_run(
	struct ex *x, struct pattern *p, const char *s, size_t n, bool back, bool longest)
{
	x->work += (p->n + 1) * (n + 1);
	if (x->work > WORK_MAX)
		return -E2BIG;
	memset(p->reach, 0, n + 1);
	p->reach[0] = 1;
	for (size_t t = 0; t < p->n; t++) {
		uint16_t tok = p->tok[back ? p->n - 1 - t : t];
		unsigned char seen = 0;
		for (size_t i = 0; i <= n; i++) {
			seen |= p->reach[i];
			if (tok == ANY_TEXT)
				p->next[i] = seen;
			else if (i == 0)
				p->next[i] = 0;
			else
				p->next[i] = p->reach[i - 1] &&
					(tok == ANY_CHAR ||
						tok == (unsigned char)(back ? s[n - i] : s[i - 1]));
		}
		unsigned char *was = p->reach;
		p->reach = p->next;
		p->next = was;
	}
	for (size_t i = 0; i <= n; i++) {
		size_t at = longest ? n - i : i;
		if (p->reach[at])
			return (ssize_t)at;
	}
	return -1;
}

static int too_much(struct ex *x)
{
	return err_set(x->err, E2BIG, "the pattern takes too long on a text this long");
}

/* ${x#pat} and ${x%pat}, ## and %% for the longest. */
static int trim(struct ex *x, bool back, const char *pat, const char *value, struct buf *out)
{
	struct pattern p;
	size_t n = strlen(value);
	bool longest = *pat == (back ? '%' : '#');
	int r = pattern_begin(x, pat + longest, value, &p);
	if (r < 0)
		return r;
	ssize_t cut = pattern_run(x, &p, value, n, back, longest);
	if (cut == -E2BIG)
		return too_much(x);
	if (cut < 0)
		cut = 0;
	return add(x, out, back ? value : value + cut, n - (size_t)cut);
}

static int replace(struct ex *x, const char *pat, const char *with, bool all, const char *value,
	struct buf *out)
{
	struct pattern p;
	int r = pattern_begin(x, pat, value, &p);
	bool done = !*pat;
	while (r >= 0 && *value) {
		ssize_t n = done ? -1 : pattern_run(x, &p, value, strlen(value), false, true);
		if (n == -E2BIG)
			return too_much(x);
		if (n <= 0) {
			r = add(x, out, value++, 1);
			continue;
		}
		r = add(x, out, with, strlen(with));
		value += n;
		done = !all;
	}
	return r;
}

/* ---- variables ---- */

static bool name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* A name, a number, or one of the shell's own parameters. */
static size_t name_length(const char *p)
{
	size_t n = 0;
	if (isdigit((unsigned char)*p)) {
		while (isdigit((unsigned char)p[n]))
			n++;
		return n;
	}
	if (*p && strchr("@*#?-$!", *p))
		return 1;
	while (name_char(p[n]))
		n++;
	return n;
}

struct name {
	const char *s;
	size_t n;
};

static const char *value_of(struct ex *x, struct name name)
{
	return x->e->get ? x->e->get(x->e->ctx, name.s, name.n) : NULL;
}

/* What stands between here and stop, itself expanded. */
static int inner(struct ex *x, int stop, bool raw, char **ret)
{
	_cleanup_buf_ struct buf b = {0};
	if (++x->depth > EXPAND_DEPTH_MAX)
		return bad(x, "variables nest too deep");
	int r = stop_on(x, stop, raw, &b, NULL);
	x->depth--;
	if (r < 0)
		return r;
	*ret = buf_take(x->a, &b);
	return *ret ? 0 : err_set(x->err, ENOMEM, "out of memory");
}

static int required(struct ex *x, struct name name, bool set, const char *word)
{
	return err_set(x->err, EINVAL, "%.*s: %s", (int)MIN(name.n, 200), name.s,
		*word         ? word
			: set ? "is not allowed to be empty"
			      : "is not allowed to be unset");
}

/* Behind the name, at the operator. */
static int with_operator(struct ex *x, struct name name, const char *from, struct buf *out)
{
	char *word, *pat;
	bool colon = *x->p == ':';
	if (colon)
		x->p++;
	char op = *x->p;
	if (!op || !strchr(colon ? "+-?" : "+-?#%/", op))
		return bad(x, op ? "this operator is not known in a substitution" : "missing '}'");
	x->p++;
	const char *value = value_of(x, name);
	bool set = value && (!colon || *value);
	if (op == '/') {
		bool all = *x->p == '/';
		x->p += all;
		int r = inner(x, '/', true, &pat);
		if (r >= 0)
			r = inner(x, '}', true, &word);
		if (r < 0)
			return r;
		if (!value && x->e->keep_unset)
			return add(x, out, from, (size_t)(x->p - from));
		return replace(x, pat, word, all, value ? value : "", out);
	}
	int r = inner(x, '}', op == '#' || op == '%', &word);
	if (r < 0)
		return r;
	if (!value && x->e->keep_unset)
		return add(x, out, from, (size_t)(x->p - from));
	switch (op) {
	case '-':
		return add(x, out, set ? value : word, strlen(set ? value : word));
	case '+':
		return add(x, out, word, set ? strlen(word) : 0);
	case '?':
		return set ? add(x, out, value, strlen(value)) : required(x, name, value, word);
	default:
		return trim(x, op == '%', word, value ? value : "", out);
	}
}

static int dollar(struct ex *x, struct buf *out)
{
	const char *from = x->p++;
	bool brace = *x->p == '{';
	x->p += brace;
	if (brace && !*x->p)
		return bad(x, "missing '}'");
	if (brace && strchr("{}:", *x->p))
		return bad(x, "bad substitution");
	struct name name = {.s = x->p, .n = name_length(x->p)};
	x->p += name.n;
	if (brace && *x->p != '}')
		return with_operator(x, name, from, out);
	x->p += brace;
	if (!name.n)
		return add(x, out, from, (size_t)(x->p - from));
	const char *value = value_of(x, name);
	if (!value && x->e->keep_unset)
		return add(x, out, from, (size_t)(x->p - from));
	return value ? add(x, out, value, strlen(value)) : 0;
}

/* ---- text ---- */

static int single_quotes(struct ex *x, struct buf *out)
{
	const char *from = x->p, *end = strchr(from + 1, '\'');
	bool keep = x->e->keep_quotes;
	if (!end)
		return bad(x, "there is no matching single quote");
	x->p = end + 1;
	return keep ? add(x, out, from, (size_t)(end + 1 - from))
		    : add(x, out, from + 1, (size_t)(end - from - 1));
}

static int double_quotes(struct ex *x, struct buf *out)
{
	const char *from = x->p++;
	int r = x->e->keep_quotes ? add(x, out, "\"", 1) : 0;
	while (r >= 0 && *x->p && *x->p != '"') {
		if (*x->p == '$') {
			r = dollar(x, out);
			continue;
		}
		char c = *x->p++;
		if (c == x->e->escape) {
			if (x->e->keep_escapes)
				r = add(x, out, &c, 1);
			if (!*x->p)
				break;
			if (*x->p == '"' || *x->p == '$' || *x->p == x->e->escape)
				c = *x->p++;
			else if (x->e->keep_escapes)
				continue;
		}
		if (r >= 0)
			r = add(x, out, &c, 1);
	}
	if (r < 0)
		return r;
	if (!*x->p) {
		x->p = from;
		return bad(x, "there is no matching double quote");
	}
	x->p++;
	return x->e->keep_quotes ? add(x, out, "\"", 1) : 0;
}

static int escaped(struct ex *x, bool raw, struct buf *out)
{
	const char *from = x->p++;
	bool keep = raw || x->e->keep_escapes;
	if (*x->p)
		x->p++;
	return add(x, out, keep ? from : from + 1, (size_t)(x->p - from - !keep));
}

static int piece(struct ex *x, bool raw, struct buf *out, bool *ret_raw)
{
	char c = *x->p;
	*ret_raw = true;
	if (c == '\'' && !x->e->plain_quotes)
		return single_quotes(x, out);
	if (c == '"' && !x->e->plain_quotes)
		return double_quotes(x, out);
	*ret_raw = c == x->e->escape;
	if (c == '$')
		return dollar(x, out);
	if (c == x->e->escape)
		return escaped(x, raw, out);
	x->p++;
	return add(x, out, &c, 1);
}

/* Up to stop, which is taken; 0: up to the end. */
static int stop_on(struct ex *x, int stop, bool raw, struct buf *out, struct cut *cut)
{
	while (*x->p) {
		size_t was = out->n;
		bool is_raw;
		if (stop && *x->p == stop) {
			x->p++;
			return 0;
		}
		int r = piece(x, raw, out, &is_raw);
		if (r < 0)
			return r;
		cut_add(cut, out->s ? out->s + was : "", out->n - was, is_raw);
	}
	return !stop ? 0 : bad(x, stop == '}' ? "missing '}'" : "missing '/' in a substitution");
}

static int expand(struct arena *a, const struct expand *e, const char *text, char **ret,
	struct cut *cut, size_t *at, struct err *err)
{
	_cleanup_buf_ struct buf b = {0};
	struct ex x = {.e = e, .start = text, .p = text, .a = a, .err = err};
	int r = stop_on(&x, 0, false, &b, cut);
	if (r < 0) {
		if (at)
			*at = (size_t)(x.p - x.start);
		return r;
	}
	char *s = buf_take(a, &b);
	if (!s)
		return err_set(err, ENOMEM, "out of memory");
	if (ret)
		*ret = s;
	return 0;
}

int expand_word(struct arena *a, const struct expand *e, const char *word, char **ret, size_t *at,
	struct err *err)
{
	return expand(a, e, word, ret, NULL, at, err);
}

int expand_words(struct arena *a, const struct expand *e, const char *text, struct strv *ret,
	size_t *at, struct err *err)
{
	struct strv words = {0};
	struct cut cut = {.a = a, .words = &words};
	int r = expand(a, e, text, NULL, &cut, at, err);
	if (r >= 0)
		cut_end(&cut);
	buf_free(&cut.word);
	if (r < 0)
		return r;
	if (cut.failed)
		return err_set(err, ENOMEM, "out of memory");
	*ret = words;
	return 0;
}
