/* registry/challenge.c - see challenge.h
 *
 * Theory: a comma parts challenges as well as the parameters of one.  A word with "=" and a value
 * behind it is a parameter of the scheme before it; any other word is the next scheme.
 */
#include "registry/challenge.h"

#include <errno.h>
#include <strings.h>

struct scan {
	const char *p, *end;
};

static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip(struct scan *s, const char *set)
{
	while (s->p < s->end && *s->p && strchr(set, *s->p))
		s->p++;
}

static size_t token(struct scan *s, const char **ret)
{
	const char *from = s->p;
	while (s->p < s->end && is_token(*s->p))
		s->p++;
	*ret = from;
	return (size_t)(s->p - from);
}

/* A token or a quoted string, into dst; one that is too long is malformed. */
static int value_of(struct scan *s, char *dst, size_t cap)
{
	size_t o = 0;
	bool quoted = s->p < s->end && *s->p == '"';
	if (quoted)
		s->p++;
	while (s->p < s->end && (quoted ? *s->p != '"' : is_token(*s->p))) {
		if (quoted && *s->p == '\\' && ++s->p == s->end)
			return -EBADMSG;
		if (o + 1 >= cap)
			return -EBADMSG;
		dst[o++] = *s->p++;
	}
	if (quoted && s->p++ >= s->end)
		return -EBADMSG;
	if (!quoted && o == 0)
		return -EBADMSG;
	dst[o] = '\0';
	return 0;
}

/* "=" behind a word: a parameter, unless nothing but "=" and the end follows (token68). */
static bool is_param(const struct scan *s)
{
	struct scan t = *s;
	skip(&t, " \t");
	if (t.p == t.end || *t.p != '=')
		return false;
	t.p++;
	skip(&t, " \t");
	return t.p < t.end && *t.p != '=' && *t.p != ',';
}

/* Negotiate's and others' token68: no parameter, and nothing for us. */
static void pass_token68(struct scan *s)
{
	struct scan t = *s;
	while (t.p < t.end && (is_token(*t.p) || *t.p == '/'))
		t.p++;
	while (t.p < t.end && *t.p == '=')
		t.p++;
	const char *after = t.p;
	skip(&t, " \t");
	if (after > s->p && (t.p == t.end || *t.p == ','))
		s->p = t.p;
}

static int param(struct scan *s, const char *name, size_t n, bool ours, struct challenge *c)
{
	char unused[CHALLENGE_REALM_MAX], *dst = unused;
	size_t cap = sizeof(unused);
	const struct {
		const char *name;
		char *dst;
		size_t cap;
	} known[] = {
		{"realm", c->realm, sizeof(c->realm)},
		{"service", c->service, sizeof(c->service)},
		{"error", c->error, sizeof(c->error)},
	};
	for (size_t i = 0; ours && i < ARRAY_LEN(known); i++) {
		if (strlen(known[i].name) != n || strncasecmp(known[i].name, name, n) != 0)
			continue;
		if (*known[i].dst)
			return -EBADMSG; /* said twice */
		dst = known[i].dst;
		cap = known[i].cap;
	}
	skip(s, " \t");
	s->p++; /* the "=" that is_param() has seen */
	skip(s, " \t");
	return value_of(s, dst, cap);
}

static int parse(struct scan *s, struct challenge *c)
{
	bool in_scheme = false, ours = false;
	for (;;) {
		const char *word;
		skip(s, " \t,");
		if (s->p == s->end)
			return 0;
		size_t n = token(s, &word);
		if (n == 0)
			return -EBADMSG;
		if (in_scheme && is_param(s)) {
			if (param(s, word, n, ours, c) < 0)
				return -EBADMSG;
			skip(s, " \t");
			if (s->p < s->end && *s->p != ',')
				return -EBADMSG;
			continue;
		}
		if (s->p < s->end && *s->p != ' ' && *s->p != '\t' && *s->p != ',')
			return -EBADMSG;
		in_scheme = true;
		ours = n == 6 && strncasecmp(word, "Bearer", n) == 0 && !c->bearer;
		c->bearer |= ours;
		c->basic |= n == 5 && strncasecmp(word, "Basic", n) == 0;
		skip(s, " \t");
		struct scan t = *s;
		if (token(&t, &word) == 0 || !is_param(&t))
			pass_token68(s);
	}
}

int challenge_add(struct challenge *c, const char *value, size_t n)
{
	struct challenge next = *c;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)value[i] < ' ' ? value[i] != '\t' : value[i] == 0x7f)
			return -EBADMSG;
	struct scan s = {.p = value, .end = value + n};
	if (parse(&s, &next) < 0)
		return -EBADMSG;
	*c = next;
	return 0;
}
