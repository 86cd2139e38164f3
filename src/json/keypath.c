/* seed/keypath.c - see keypath.h */
#include "json/keypath.h"

#include <fnmatch.h>

int keypat_parse(struct arena *a, const char *text, struct keypat *ret)
{
	struct keypat pat = {.n = 0};
	const char *p = text;
	for (;;) {
		if (pat.n == KEYPATH_MAX)
			return -EINVAL;
		const char *start = p;
		size_t len;
		bool literal = *p == '"';
		if (literal) {
			start = ++p;
			len = strcspn(p, "\"");
			if (p[len] != '"')
				return -EINVAL;
			p += len + 1;
		} else {
			len = strcspn(p, ".");
			p += len;
		}
		if (len == 0 || (*p && *p != '.'))
			return -EINVAL;
		pat.seg[pat.n] = arena_dupn(a, start, len);
		pat.literal[pat.n++] = literal;
		if (!*p)
			break;
		p++;
	}
	*ret = pat;
	return 0;
}

static bool prefix_matches(const struct keypat *pat, const struct keypath *path, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool same = pat->literal[i] ? streq(pat->seg[i], path->seg[i])
					    : fnmatch(pat->seg[i], path->seg[i], 0) == 0;
		if (!same)
			return false;
	}
	return true;
}

/* Is path what pat names, or below it? */
static bool keypat_covers(const struct keypat *pat, const struct keypath *path)
{
	return pat->n <= path->n && prefix_matches(pat, path, pat->n);
}

/* Does pat name something below path? */
static bool keypat_leads(const struct keypat *pat, const struct keypath *path)
{
	return pat->n > path->n && prefix_matches(pat, path, path->n);
}

bool keypat_is(const struct keypat *pat, const struct keypath *path)
{
	return pat->n == path->n && prefix_matches(pat, path, pat->n);
}

bool keypats_cover(const struct keypats *pats, const struct keypath *path)
{
	for (size_t i = 0; i < pats->n; i++)
		if (keypat_covers(&pats->v[i], path))
			return true;
	return false;
}

bool keypats_lead(const struct keypats *pats, const struct keypath *path)
{
	for (size_t i = 0; i < pats->n; i++)
		if (keypat_leads(&pats->v[i], path))
			return true;
	return false;
}

const char *keypath_text(const struct keypath *path, char *dst, size_t cap)
{
	size_t o = 0;
	dst[0] = '\0';
	for (size_t i = 0; i < path->n && o + 1 < cap; i++) {
		int k = snprintf(dst + o, cap - o, "%s%s", i ? "." : "", path->seg[i]);
		o += k > 0 ? (size_t)k : 0;
	}
	return dst;
}
