/* base/text.c - see text.h */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#define WORD_MAX 40

/* Levenshtein distance, with a swap of neighbours as one step (optimal string alignment). */
static size_t distance(const char *a, const char *b)
{
	size_t d[WORD_MAX + 1][WORD_MAX + 1], n = strlen(a), m = strlen(b);
	if (n > WORD_MAX || m > WORD_MAX)
		return SIZE_MAX;
	for (size_t i = 0; i <= n; i++)
		d[i][0] = i;
	for (size_t k = 0; k <= m; k++)
		d[0][k] = k;
	for (size_t i = 1; i <= n; i++) {
		for (size_t k = 1; k <= m; k++) {
			size_t best = d[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
			best = MIN(best, d[i - 1][k] + 1);
			best = MIN(best, d[i][k - 1] + 1);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				best = MIN(best, d[i - 2][k - 2] + 1);
			d[i][k] = best;
		}
	}
	return d[n][m];
}

const char *text_nearest(const char *word, const char *const *words, size_t n)
{
	const char *best = NULL;
	size_t least = MAX(strlen(word) / 3, (size_t)1) + 1;
	for (size_t i = 0; i < n; i++) {
		size_t x = distance(word, words[i]);
		if (x < least) {
			least = x;
			best = words[i];
		}
	}
	return best;
}

bool text_glob_ok(const char *s)
{
	for (; *s; s++) {
		if (*s == '\\') {
			if (!*++s || *s == '/')
				return false;
			continue;
		}
		if (*s != '[')
			continue;
		s++;
		if (*s == '!' || *s == '^')
			s++;
		for (bool first = true; *s != ']' || first; first = false) {
			if (*s == '\\')
				s++;
			if (!*s || *s == '/')
				return false;
			s++;
		}
	}
	return true;
}

bool text_number(const char **p, int base, uint32_t most, uint32_t *ret)
{
	char *end;
	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	unsigned long long v = strtoull(*p, &end, base);
	if (errno || v > most || *end != ' ')
		return false;
	*ret = (uint32_t)v;
	*p = end + 1;
	return true;
}

const char *text_version(const char *s)
{
	s += *s == 'v';
	size_t n = strspn(s, "0123456789");
	return n && s[n] == '.' && isdigit((unsigned char)s[n + 1]) ? s : NULL;
}

bool text_version_below(const char *version, const char *since)
{
	const char *v = version ? text_version(version) : NULL;
	return v && strncmp(v, "0.0.0", 5) != 0 && strverscmp(v, since) < 0;
}
