/* policy/path-glob.c - see path-glob.h */
#include "policy/path-glob.h"

#include <stdio.h>
#include <string.h>

#include "policy/http-rule.h"

enum { MEET_STEPS = 20000, DEPTH_MAX = 12 };

struct out {
	char *s;
	size_t n, cap; /* one byte is kept for the NUL */
	unsigned int steps;
	bool fold;
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool put(struct out *o, const char *s, size_t n)
{
	if (o->cap - o->n <= n)
		return false;
	memcpy(o->s + o->n, s, n);
	o->n += n;
	return true;
}

static bool is_many(const char *segment)
{
	return strncmp(segment, "**", 2) == 0 && (segment[2] == '/' || !segment[2]);
}

static const char *next(const char *segment)
{
	const char *slash = strchr(segment, '/');
	return slash ? slash + 1 : NULL;
}

static bool put_segment(struct out *o, const char *s, const char *word)
{
	bool ok = put(o, "/", 1);
	for (size_t i = 0; ok && s[i] && s[i] != '/'; i++)
		ok = s[i] == '*' ? put(o, word, strlen(word)) : put(o, &s[i], 1);
	return ok;
}

static bool finish(struct out *o)
{
	bool ok = o->n || put(o, "/", 1);
	o->s[o->n] = '\0';
	return ok;
}

bool path_glob_example(
	const char *glob, const char *word, unsigned int depth, char *buf, size_t cap)
{
	struct out o = {.s = buf, .cap = cap};
	bool ok = true;
	for (const char *s = glob + 1; s && ok; s = next(s)) {
		if (!is_many(s))
			ok = put_segment(&o, s, word);
		for (unsigned int i = 0; is_many(s) && ok && i < depth; i++)
			ok = put_segment(&o, "*", word);
	}
	return finish(&o) && ok;
}

/* They differ before any wildcard: the cheap answer for most pairs of many rules. */
static bool differ_early(const char *a, const char *b, bool fold)
{
	while (*a && *b && *a != '*' && *b != '*' && (*a == *b || (fold && lower(*a) == lower(*b))))
		a++, b++;
	if (*a == '*' || *b == '*')
		return false;
	return *a && *b; /* where one ends, "/" and "**" are to be thought of */
}

bool path_glob_covers(const char *a, const char *b, bool fold)
{
	char path[HTTP_PATH_MAX * 3 + 2];
	unsigned int most = 2; /* more than a can name singly: then it is its "**" that matches */
	if (strcmp(a, "/**") == 0 || strcmp(a, b) == 0)
		return true;
	if (differ_early(a, b, fold))
		return false;
	for (const char *s = a + 1; (s = next(s));)
		most++;
	for (unsigned int depth = 0; depth <= MIN(most, (unsigned int)DEPTH_MAX); depth++)
		if (!path_glob_example(b, "\2", depth, path, sizeof(path)) ||
			!http_path_match(a, path, fold))
			return false;
	return most <= DEPTH_MAX;
}

/* ---- what two have in common ---- */

/* Two segments, to their ends. */
static bool meet_in(struct out *o, const char *a, const char *b)
{
	const size_t n = o->n;
	const bool a_ends = !*a || *a == '/', b_ends = !*b || *b == '/';
	if (++o->steps > MEET_STEPS)
		return false;
	if (a_ends && b_ends)
		return true;
	if (!a_ends && *a == '*') {
		if (meet_in(o, a + 1, b))
			return true;
		o->n = n;
		if (b_ends || (*b != '*' && !put(o, b, 1)))
			return false;
		return meet_in(o, a, b + 1);
	}
	if (!b_ends && *b == '*')
		return meet_in(o, b, a);
	return !a_ends && !b_ends && (*a == *b || (o->fold && lower(*a) == lower(*b))) &&
		put(o, a, 1) && meet_in(o, a + 1, b + 1);
}

static bool meet(struct out *o, const char *a, const char *b)
{
	const size_t n = o->n;
	if (++o->steps > MEET_STEPS)
		return false;
	if (!a && !b)
		return true;
	if (a && is_many(a)) {
		if (meet(o, next(a), b))
			return true;
		o->n = n;
		if (!b || (!is_many(b) && !put_segment(o, b, "any")))
			return false;
		return meet(o, a, next(b));
	}
	if (b && is_many(b))
		return meet(o, b, a);
	return a && b && put(o, "/", 1) && meet_in(o, a, b) && meet(o, next(a), next(b));
}

bool path_glob_meet(const char *a, const char *b, char *buf, size_t cap)
{
	struct out o = {.s = buf, .cap = cap};
	return meet(&o, a + 1, b + 1) && finish(&o) && http_path_match(a, buf, false) &&
		http_path_match(b, buf, false);
}

bool path_glob_apart(const char *a, const char *b)
{
	char buf[HTTP_PATH_MAX], longer[HTTP_PATH_MAX];
	const char *const pairs[][2] = {{a, b}, {a, longer}, {b, longer}};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct out o = {.s = buf, .cap = sizeof(buf), .fold = true};
		int n = snprintf(longer, sizeof(longer), "%s/", i == 1 ? b : a);
		if (n < 0 || (size_t)n >= sizeof(longer))
			return false;
		/* given up, or no room: not known */
		if (meet(&o, pairs[i][0] + 1, pairs[i][1] + 1) || o.steps > MEET_STEPS ||
			strlen(a) + strlen(b) + 8 > sizeof(buf) / 4)
			return false;
	}
	return true;
}

const char *path_glob_write(const char *glob, char *buf, size_t cap)
{
	static const char digits[] = "0123456789ABCDEF";
	struct out o = {.s = buf, .cap = cap};
	bool ok = true;
	for (const char *s = glob; *s && ok; s++) {
		const unsigned char c = (unsigned char)*s;
		const char hex[] = {'%', digits[c >> 4], digits[c & 15]};
		bool plain = c > ' ' && c < 0x7f && c != '?' && c != '#';
		ok = plain ? put(&o, s, 1) : put(&o, hex, sizeof(hex));
	}
	buf[o.n] = '\0';
	return ok ? buf : NULL;
}

bool request_as_rule(
	const char *method, const char *host, const char *target, size_t n, char *buf, size_t cap)
{
	char path[HTTP_PATH_MAX * 3 + 2], word[2048];
	unsigned int ways = 0;
	size_t len = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_");
	if (len == 0 || len > HTTP_METHOD_LEN || method[len])
		return false;
	if (http_path_canonical(target, n, 0, path, sizeof(path), &ways) < 0 || ways ||
		strchr(path, '*') || !path_glob_write(path, word, sizeof(word)))
		return false;
	int k = snprintf(buf, cap, "%s %s%s", method, host, word);
	return k > 0 && (size_t)k < cap;
}

static bool has_method(const char *list, const char *m, size_t n)
{
	for (const char *q = list; *q && q[1];) {
		size_t k = strcspn(q + 1, ",");
		if (k == n && strncmp(m, q + 1, n) == 0)
			return true;
		q += k + 1;
	}
	return false;
}

/* Of those in b, are some, or all, in a? */
static bool methods_in(const char *a, const char *b, bool all)
{
	for (const char *p = b; *p && p[1];) {
		size_t n = strcspn(p + 1, ",");
		if (has_method(a, p + 1, n) != all)
			return !all;
		p += n + 1;
	}
	return all;
}

bool methods_cover(const char *a, const char *b)
{
	return !*a || (*b && methods_in(a, b, true));
}

bool methods_meet(const char *a, const char *b)
{
	return !*a || !*b || methods_in(a, b, false);
}
