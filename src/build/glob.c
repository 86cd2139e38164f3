/* build/glob.c - see glob.h
 *
 * Theory: for each token in turn, which places of the path can be reached; no way is tried twice.
 */
#include <stdint.h>

#include "build/glob.h"

enum tok_kind {
	TOK_BYTE,
	TOK_ONE,  /* ?: a character that is no "/" */
	TOK_NAME, /* *: any number of bytes that are no "/" */
	TOK_SET,
	TOK_ALL,  /* ** at the end */
	TOK_DIRS, /* **: nothing, or anything that ends in "/" */
};

struct glob_tok {
	enum tok_kind kind;
	unsigned char byte;
	uint64_t set[4];
};

static void set_add(struct glob_tok *t, unsigned int from, unsigned int to)
{
	for (unsigned int c = from; c <= to; c++)
		t->set[c / 64] |= (uint64_t)1 << (c % 64);
}

/* One end of a range, a backslash undone; NULL: there is none. */
static const char *set_byte(const char *p, unsigned int *ret)
{
	if (*p == '\\')
		p++;
	if (!*p)
		return NULL;
	*ret = (unsigned char)*p;
	return p + 1;
}

/* Behind the "[": where the set ends, NULL if it doesn't. */
static const char *read_set(const char *p, struct glob_tok *t)
{
	bool not = *p == '^';
	p += not ;
	for (bool first = true; first || *p != ']'; first = false) {
		unsigned int from, to;
		if (*p == ']' || *p == '-' || !(p = set_byte(p, &from)))
			return NULL;
		to = from;
		if (*p == '-' && !(p = set_byte(p + 1, &to)))
			return NULL;
		if (to < from)
			return NULL;
		set_add(t, from, to);
	}
	for (size_t i = 0; not &&i < ARRAY_LEN(t->set); i++)
		t->set[i] = ~t->set[i];
	t->set['/' / 64] &= ~((uint64_t)1 << ('/' % 64));
	return p + 1;
}

int glob_compile(
	struct arena *a, const char *pattern, bool stars, struct glob *ret, struct err *err)
{
	size_t n = strlen(pattern);
	if (n > GLOB_MAX)
		return err_set(err, EINVAL, "a pattern is longer than %d bytes", GLOB_MAX);
	*ret = (struct glob){.tok = arena_alloc(a, (n + 1) * sizeof(*ret->tok))};
	if (!ret->tok)
		return err_set(err, ENOMEM, "out of memory");
	for (const char *p = pattern; *p;) {
		struct glob_tok *t = &ret->tok[ret->n++];
		char c = *p++;
		t->kind = TOK_BYTE;
		t->byte = (unsigned char)c;
		if (c == '?') {
			t->kind = TOK_ONE;
		} else if (c == '*' && stars && *p == '*') {
			p++;
			p += *p == '/';
			t->kind = *p ? TOK_DIRS : TOK_ALL;
		} else if (c == '*') {
			t->kind = TOK_NAME;
		} else if (c == '[') {
			t->kind = TOK_SET;
			p = read_set(p, t);
			if (!p)
				return err_set(err, EINVAL,
					"\"[\" and \"]\" don't belong together "
					"in this pattern");
		} else if (c == '\\') {
			if (!*p)
				return err_set(err, EINVAL, "a backslash ends this pattern");
			t->byte = (unsigned char)*p++;
		}
	}
	return 0;
}

/* From the places of a path that are reached to those reached with one token more. */
static bool step(const struct glob_tok *t, const char *s, size_t n, const unsigned char *now,
	unsigned char *to)
{
	bool any = false;
	unsigned char seen = 0;
	memset(to, 0, n + 1);
	for (size_t i = 0; i <= n; i++) {
		unsigned char c = i ? (unsigned char)s[i - 1] : 0;
		switch (t->kind) {
		case TOK_BYTE:
			to[i] = i && now[i - 1] && c == t->byte;
			break;
		case TOK_SET:
			to[i] = i && now[i - 1] && (t->set[c / 64] >> (c % 64) & 1);
			break;
		case TOK_ONE:
			/* a character of several bytes: its first, and what follows it */
			to[i] = i && ((now[i - 1] && c != '/') || (seen && (c & 0xc0) == 0x80));
			seen = to[i];
			break;
		case TOK_NAME:
			seen = now[i] || (seen && c != '/');
			to[i] = seen;
			break;
		case TOK_ALL:
			seen |= now[i];
			to[i] = seen;
			break;
		case TOK_DIRS:
			to[i] = now[i] || (seen && c == '/');
			seen |= now[i];
			break;
		}
		any = any || to[i];
	}
	return any;
}

int glob_match(const struct glob *g, const char *path)
{
	unsigned char room[2][GLOB_MAX + 1], *now = room[0], *to = room[1];
	size_t n = strlen(path);
	int found = 0;
	if (n > GLOB_MAX)
		return 0;
	memset(now, 0, n + 1);
	now[0] = 1;
	for (size_t k = 0; k < g->n; k++) {
		const struct glob_tok *t = &g->tok[k];
		/* the path is used up: what is left must begin with "/", or take one in */
		if (now[n] &&
			(t->kind == TOK_DIRS || t->kind == TOK_ALL ||
				(t->kind == TOK_BYTE && t->byte == '/')))
			found |= GLOB_BELOW;
		if (t->kind == TOK_DIRS)
			for (size_t i = 0; i < n; i++)
				found |= now[i] ? GLOB_BELOW : 0;
		if (!step(t, path, n, now, to))
			return found;
		unsigned char *was = now;
		now = to;
		to = was;
	}
	if (now[n])
		found |= GLOB_WHOLE;
	for (size_t i = 1; i < n; i++)
		if (now[i] && path[i] == '/')
			found |= GLOB_PARENT;
	return found;
}

bool glob_is(const char *text)
{
	return strpbrk(text, "*?[\\") != NULL;
}
