/* scan/glob.c - see glob.h
 *
 * Theory: "*" within a name and "**" among names are the same problem, so both are matched by the
 * same walk: on a mismatch go back to the latest star only and let it take one element more.  That
 * never needs the stars before it, hence no exponential case.
 */
#include "scan/glob.h"

#include <ctype.h>
#include <stdint.h>

#include "base/escape.h"
#include "base/text.h"

struct part {
	const char *s;
	size_t n;
	bool any;     /* "**" */
	bool literal; /* no *, ?, [ or backslash */
};

struct glob {
	bool negate, dir_only;
	bool fold;
	size_t n;
	struct part *part;
};

static int fold(const struct glob *g, char c)
{
	return g->fold ? tolower((unsigned char)c) : (unsigned char)c;
}

/* One "[...]" at p; *ret_end is behind it.  Closedness was checked by add(). */
static bool match_set(const struct glob *g, const char *p, char c, const char **ret_end)
{
	bool negate = p[1] == '!' || p[1] == '^', hit = false;
	const char *q = p + 1 + negate;
	for (bool first = true; *q != ']' || first; first = false) {
		char lo = *q == '\\' ? *++q : *q;
		char hi = lo;
		if (q[1] == '-' && q[2] != ']') {
			q += 2;
			hi = *q == '\\' ? *++q : *q;
		}
		int x = fold(g, c);
		hit |= x >= fold(g, lo) && x <= fold(g, hi);
		q++;
	}
	*ret_end = q + 1;
	return hit != negate;
}

/* Does one pattern element at p match c?  *ret_next is behind the element. */
static bool match_one(const struct glob *g, const char *p, char c, const char **ret_next)
{
	if (*p == '[')
		return match_set(g, p, c, ret_next);
	if (*p == '\\')
		p++;
	else if (*p == '?') {
		*ret_next = p + 1;
		return true;
	}
	*ret_next = p + 1;
	return fold(g, *p) == fold(g, c);
}

static bool match_literal(const struct glob *g, const struct part *p, const char *s, size_t n)
{
	if (n != p->n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (fold(g, s[i]) != fold(g, p->s[i]))
			return false;
	return true;
}

static bool match_name(const struct glob *g, const struct part *part, const char *s, size_t n)
{
	if (part->literal)
		return match_literal(g, part, s, n);
	const char *p = part->s, *pend = p + part->n, *end = s + n;
	const char *star_p = NULL, *star_s = NULL, *next;
	while (s < end) {
		if (p < pend && *p == '*') {
			star_p = ++p;
			star_s = s;
		} else if (p < pend && match_one(g, p, *s, &next)) {
			p = next;
			s++;
		} else if (star_p) {
			p = star_p;
			s = ++star_s;
		} else {
			return false;
		}
	}
	while (p < pend && *p == '*')
		p++;
	return p == pend;
}

static size_t name_len(const char *s)
{
	return strcspn(s, "/");
}

static const char *next_name(const char *s)
{
	s += name_len(s);
	return *s ? s + 1 : s;
}

static bool match_path(const struct glob *g, const char *path)
{
	size_t i = 0, star_i = SIZE_MAX;
	const char *s = path, *star_s = NULL;
	while (*s) {
		if (i < g->n && g->part[i].any) {
			star_i = ++i;
			star_s = s;
		} else if (i < g->n && match_name(g, &g->part[i], s, name_len(s))) {
			i++;
			s = next_name(s);
		} else if (star_s) {
			i = star_i;
			s = star_s = next_name(star_s);
		} else {
			return false;
		}
	}
	/* a last double star means something below: what it hangs on does not match itself */
	return i == g->n;
}

/* Fold "", "." and ".." out of the pattern; fills g->part. */
static int split(struct arena *a, struct glob *g, const char *s)
{
	struct part parts[GLOB_MAX_PARTS];
	size_t n = 0;
	while (*s) {
		size_t k = name_len(s);
		const char *p = s;
		s += k + (s[k] == '/');
		if (k == 0 || (k == 1 && p[0] == '.'))
			continue;
		if (k == 2 && p[0] == '.' && p[1] == '.') {
			if (n == 0 || parts[n - 1].any)
				return -EINVAL;
			n--;
			continue;
		}
		if (n == GLOB_MAX_PARTS)
			return -EINVAL;
		bool any = k == 2 && p[0] == '*' && p[1] == '*';
		if (any && n && parts[n - 1].any)
			continue;
		bool literal = true;
		for (size_t i = 0; i < k; i++)
			literal &= p[i] != '*' && p[i] != '?' && p[i] != '[' && p[i] != '\\';
		parts[n++] = (struct part){.s = p, .n = k, .any = any, .literal = literal};
	}
	if (n == 0)
		return -EINVAL;
	g->part = arena_alloc(a, n * sizeof(*parts));
	if (!g->part)
		return -ENOMEM;
	memcpy(g->part, parts, n * sizeof(*parts));
	g->n = n;
	return 0;
}

static bool has_inner_slash(const char *s)
{
	const char *slash = strchr(s, '/');
	while (slash && slash[1] == '/')
		slash++;
	return slash && slash[1];
}

/* Does it say {a,b}, as a shell's pattern may?  Here it would be one name with braces in it, and
 * what was meant to be masked would not be. */
static bool has_alternatives(const char *s)
{
	bool open = false, comma = false;
	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (*s == '{')
			open = true;
		else if (*s == ',')
			comma = open;
		else if (*s == '}' && comma)
			return true;
	}
	return false;
}

int glob_set_add(struct arena *a, struct glob_set *s, const char *pattern, struct err *err)
{
	char shown[256];
	struct glob g = {.fold = s->fold};
	const char *p = pattern;
	if (*p == '!') {
		g.negate = true;
		p++;
	}
	size_t n = strlen(p);
	if (has_alternatives(p)) {
		err_hint(err, "give each as a pattern of its own; a brace of a file's name is \\{");
		return err_set(err, EINVAL, "{a,b} is no pattern here: %s",
			escape_text(shown, sizeof(shown), pattern));
	}
	/* "./x" and "x/../y" are anchored by what they say; a bare name is not. */
	bool anywhere = n && !has_inner_slash(p) && p[0] != '/';
	g.dir_only = n && p[n - 1] == '/';
	int r = n == 0 || n > GLOB_MAX_LEN || s->n == GLOB_MAX_PATTERNS || !text_glob_ok(p)
		? -EINVAL
		: 0;
	char *copy = r == 0 ? arena_join(a, anywhere ? "**/" : "", p, "") : NULL;
	if (r == 0)
		r = copy ? split(a, &g, copy) : -ENOMEM;
	if (r == -EINVAL) {
		err_hint(err,
			"a pattern is a path below the workspace, such as **/.env, *.key or "
			"config/secrets/");
		return err_set(err, EINVAL, "not a usable pattern: %s",
			escape_text(shown, sizeof(shown), pattern));
	}
	struct glob *v = r < 0 ? NULL : arena_grow(a, s->v, s->n, &s->cap, sizeof(*v));
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	s->v = v;
	s->v[s->n++] = g;
	return 0;
}

bool glob_set_match(const struct glob_set *s, const char *path, bool dir, bool *ret_literal)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t n = strlen(base);
	for (size_t i = s->n; i-- > 0;) {
		const struct glob *g = &s->v[i];
		const struct part *last = &g->part[g->n - 1];
		if ((g->dir_only && !dir) || (!last->any && !match_name(g, last, base, n)) ||
			!match_path(g, path))
			continue;
		if (ret_literal)
			*ret_literal = last->literal;
		return !g->negate;
	}
	return false;
}
