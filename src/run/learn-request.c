/* run/learn-request.c - see learn-request.h */
#include "run/learn-request.h"

#include <string.h>

enum { WORD_MAX = 32, DIGITS_MAX = 3, TURNS_MAX = 3, HEX_MIN = 8 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* A word of the service's, as far as that can be told: "repos", "v1", "git-upload-pack"; not
 * "12345", "5f2a...", "aGVsbG8gd29ybGQ", "me@example.com". */
static bool is_word(const char *s, size_t n)
{
	size_t digits = 0, turns = 0, hex = 0;
	for (size_t i = 0; i < n; i++) {
		const char c = s[i];
		if (!is_digit(c) && !is_lower(c) && !is_upper(c) && !strchr("._-", c))
			return false;
		digits += is_digit(c);
		hex += is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		turns += i && is_upper(c) && !is_upper(s[i - 1]);
	}
	return n <= WORD_MAX && digits <= DIGITS_MAX && digits < n && turns <= TURNS_MAX &&
		(hex < n || n < HEX_MIN);
}

/* What a server may read as something else than one segment: an encoded slash, a backslash. */
static bool is_odd(const char *s, size_t n)
{
	return n == 0 || memchr(s, '%', n) || memchr(s, '\\', n) || strncmp(s, "..", n) == 0;
}

int learn_glob(const char *path, bool cut, char *buf, size_t cap)
{
	size_t len = 0;
	bool many = false; /* the last segment is "**" */
	if (*path != '/' || cap < 4)
		return -EINVAL;
	for (const char *s = path + 1;;) {
		size_t n = strcspn(s, "/");
		const bool last = !s[n];
		const bool odd = (last && cut) || (n ? is_odd(s, n) : !last);
		if (len + n + 4 > cap)
			return -EINVAL;
		if (!odd || !many)
			buf[len++] = '/';
		if (odd && !many) {
			buf[len++] = '*';
			buf[len++] = '*';
		} else if (!odd && (n == 0 || is_word(s, n) || GUARD_REMOVED("learn-private"))) {
			memcpy(buf + len, s, n);
			len += n;
		} else if (!odd) {
			buf[len++] = '*';
		}
		many = odd;
		if (last)
			break;
		s += n + 1;
	}
	buf[len] = '\0';
	return 0;
}

/* ---- the list ---- */

static bool has_method(const char *list, const char *m, size_t n)
{
	for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
		if (strcspn(p, ",") == n && strncmp(p, m, n) == 0)
			return true;
	return false;
}

/* false: no rule can say it. */
static bool add_methods(struct learn_glob *g, const char *methods)
{
	for (const char *p = methods; *p; p += strcspn(p, ","), p += *p == ',') {
		size_t n = strcspn(p, ","), len = strlen(g->methods), commas = 0;
		if (has_method(g->methods, p, n))
			continue;
		for (size_t i = 0; i < len; i++)
			commas += g->methods[i] == ',';
		if (len + n + 2 > sizeof(g->methods) || commas >= 7)
			return false;
		snprintf(g->methods + len, sizeof(g->methods) - len, "%s%.*s", len ? "," : "",
			(int)n, p);
	}
	return true;
}

static void join(struct learn_requests *l, size_t to, size_t from)
{
	l->unsaid |= !add_methods(&l->v[to], l->v[from].methods);
	l->v[to].times += l->v[from].times;
	l->v[from] = l->v[--l->n];
}

/* The segment that both differ in, if it is the only one: how many bytes stand before it. */
static bool differ_once(const char *a, const char *b, size_t *ret)
{
	bool found = false;
	const char *start = a;
	for (;;) {
		size_t n = strcspn(a, "/"), k = strcspn(b, "/");
		if (n != k || strncmp(a, b, n) != 0) {
			if (found || strncmp(a, "**", 2) == 0 || strncmp(b, "**", 2) == 0 || !n ||
				!k)
				return false;
			found = true;
			*ret = (size_t)(a - start);
		}
		if (!a[n] || !b[k])
			return found && !a[n] && !b[k];
		a += n + 1;
		b += k + 1;
	}
}

static char *with_star(struct arena *a, const char *path, size_t at)
{
	size_t n = strcspn(path + at, "/");
	return arena_printf(a, "%.*s*%s", (int)at, path, path + at + n);
}

/* One that others are like in all but one segment: those become one.  false: there are none. */
static bool fold_one(struct arena *a, struct learn_requests *l)
{
	for (size_t i = 0; i < l->n; i++) {
		for (size_t k = 0; k < l->n; k++) {
			size_t at, other, alike = 1;
			if (k == i || !streq(l->v[i].methods, l->v[k].methods) ||
				!differ_once(l->v[i].path, l->v[k].path, &at))
				continue;
			for (size_t m = 0; m < l->n; m++)
				alike += m != i && streq(l->v[i].methods, l->v[m].methods) &&
					differ_once(l->v[i].path, l->v[m].path, &other) &&
					other == at;
			bool star = strncmp(l->v[k].path + at, "*/", 2) == 0 ||
				streq(l->v[k].path + at, "*");
			char *path = alike >= LEARN_ALIKE || star ? with_star(a, l->v[i].path, at)
								  : NULL;
			if (!path)
				continue;
			l->v[i].path = path;
			for (size_t m = l->n; m-- > 0;)
				if (m != i && streq(l->v[i].methods, l->v[m].methods) &&
					(streq(path, l->v[m].path) ||
						(differ_once(path, l->v[m].path, &other) &&
							other == at))) {
					join(l, i, m);
					if (i == l->n) /* it was the last, and has moved */
						i = m;
				}
			return true;
		}
	}
	return false;
}

void learn_requests_fold(struct arena *a, struct learn_requests *l)
{
	while (fold_one(a, l))
		;
}

void learn_request_add(
	struct arena *a, struct learn_requests *l, const char *method, const char *path, bool cut)
{
	char glob[1024];
	size_t i = 0, n = strlen(method);
	if (n == 0 || n > 16 || !is_upper(*method) ||
		method[strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_")] ||
		learn_glob(path, cut, glob, sizeof(glob)) < 0) {
		l->unsaid = true;
		return;
	}
	if (l->n == LEARN_GLOBS_MAX)
		learn_requests_fold(a, l);
	if (l->n == LEARN_GLOBS_MAX) { /* too many kinds */
		while (l->n > 1)
			join(l, 0, l->n - 1);
		l->v[0].path = arena_dup(a, "/**");
		l->all = true;
	}
	if (l->all)
		snprintf(glob, sizeof(glob), "/**");
	while (i < l->n && !(l->v[i].path && streq(l->v[i].path, glob)))
		i++;
	if (i == l->n) {
		l->v[i] = (struct learn_glob){.path = arena_dup(a, glob)};
		if (!l->v[i].path) {
			l->unsaid = true;
			return;
		}
		l->n++;
	}
	l->unsaid |= !add_methods(&l->v[i], method);
	l->v[i].times++;
}
