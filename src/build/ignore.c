/* build/ignore.c - see ignore.h; the rules are those of moby's patternmatcher and of the reference
 */
#include <ctype.h>

#include "base/escape.h"
#include "build/ignore.h"

struct ignore_rule {
	bool keep; /* "!": not left out, after all */
	struct glob glob;
};

/* As Go's path.Clean, and no "/" in front: "./a//b/../c/" is "a/c".  In place. */
static void clean(char *s)
{
	char *out = s, *p = s;
	while (*p) {
		size_t n = strcspn(p, "/");
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			while (out > s && *--out != '/')
				;
		} else if (n && !(n == 1 && *p == '.')) {
			if (out > s)
				*out++ = '/';
			memmove(out, p, n);
			out += n;
		}
		p += n;
		p += *p == '/';
	}
	*out = '\0';
}

int ignore_add(struct arena *a, struct ignore *ig, const char *line, size_t n, struct err *err)
{
	while (n && isspace((unsigned char)*line))
		line++, n--;
	while (n && isspace((unsigned char)line[n - 1]))
		n--;
	bool keep = n && *line == '!';
	line += keep, n -= keep;
	while (n && isspace((unsigned char)*line))
		line++, n--;
	if (!n)
		return keep ? err_set(err, EINVAL, "there is nothing behind this \"!\"") : 0;
	char *pattern = arena_dupn(a, line, n);
	ig->v = arena_grow(a, ig->v, ig->n, &ig->cap, sizeof(*ig->v));
	if (!pattern || !ig->v)
		return err_set(err, ENOMEM, "out of memory");
	clean(pattern);
	if (!*pattern) /* the context itself can't be left out */
		return 0;
	struct ignore_rule *r = &ig->v[ig->n];
	*r = (struct ignore_rule){.keep = keep};
	int ret = glob_compile(a, pattern, true, &r->glob, err);
	if (ret >= 0)
		ig->n++;
	return ret;
}

int ignore_parse(struct arena *a, const char *file, const char *text, size_t n, struct ignore *ret,
	struct err *err)
{
	struct ignore ig = {0};
	const char *end = text + n;
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	for (size_t line = 1; text < end; line++) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((nl ? nl : end) - text);
		if (memchr(text, '\0', len))
			return err_set(
				err, EINVAL, "%s:%zu: there is a NUL byte in it", file, line);
		int r = *text == '#' ? 0 : ignore_add(a, &ig, text, len, err);
		if (r < 0) {
			err_prefix(err, "%s:%zu", file, line);
			return r;
		}
		text = nl ? nl + 1 : end;
	}
	*ret = ig;
	return 0;
}

bool ignore_match(const struct ignore *ig, const char *path, bool *ret_below)
{
	bool out = false, below = false;
	for (size_t i = 0; i < ig->n; i++) {
		const struct ignore_rule *r = &ig->v[i];
		int m = glob_match(&r->glob, path);
		if (r->keep && (m & GLOB_BELOW))
			below = true;
		if (r->keep == out && (m & (GLOB_WHOLE | GLOB_PARENT)))
			out = !r->keep;
	}
	if (ret_below)
		*ret_below = below;
	return out;
}
