/* scan/key-text.c - see key-text.h
 *
 * Theory: the line that begins a key says enough in a file that may be one.  Programs that read and
 * write keys have that line too (OpenSSH's sshkey.c), and a source that reads as empty doesn't
 * build: in sources and documents a key's own text has to follow.
 */
#include "scan/key-text.h"

#include <string.h>
#include <strings.h>

#include "base/macro.h"

#define LINE 80  /* in which "-----BEGIN ..." ends */
#define BODY 512 /* in which a key's text begins, past what PEM and PGP write before it */
#define RUN 32   /* of its characters, at the least; lines have 64, the shortest key 48 */

static bool is_source(const char *name)
{
	static const char *const exts[] = {"c", "h", "cc", "cpp", "cxx", "hh", "hpp", "inc", "m",
		"mm", "go", "rs", "zig", "swift", "java", "kt", "scala", "groovy", "cs", "fs", "vb",
		"py", "pyi", "pyx", "rb", "php", "pl", "pm", "lua", "js", "mjs", "cjs", "jsx", "ts",
		"mts", "cts", "tsx", "vue", "svelte", "ex", "exs", "erl", "hrl", "hs", "ml", "mli",
		"lisp", "el", "clj", "dart", "md", "rst", "adoc", "html", "pod"};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot && dot > name && i < ARRAY_LEN(exts); i++)
		if (strcasecmp(dot + 1, exts[i]) == 0)
			return true;
	return false;
}

static bool is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		c == '+' || c == '/';
}

/* A run of base64 that is no long name and no path, before the line that ends a key. */
static bool body_follows(const char *p, size_t n)
{
	static const char end[] = "-----END ";
	n = MIN(n, (size_t)BODY);
	const char *stop = memmem(p, n, end, sizeof(end) - 1);
	n = stop ? (size_t)(stop - p) : n;
	for (size_t i = 0, from = 0; i < n; from = ++i) {
		bool upper = false, low = false, digit = false;
		for (; i < n && is_base64(p[i]); i++) {
			upper |= p[i] >= 'A' && p[i] <= 'Z';
			low |= p[i] >= 'a' && p[i] <= 'z';
			digit |= p[i] >= '0' && p[i] <= '9';
		}
		if (i - from >= RUN && upper && low && digit)
			return true;
	}
	return false;
}

/* Behind p, past the rest of the line that begins a private key; NULL: it begins none. */
static const char *past_begin(const char *p, size_t n)
{
	static const char key[] = "PRIVATE KEY", block[] = " BLOCK", dashes[] = "-----";
	const char *end = p + MIN(n, (size_t)LINE);
	const char *q = memmem(p, (size_t)(end - p), key, sizeof(key) - 1);
	if (!q)
		return NULL;
	q += sizeof(key) - 1;
	if ((size_t)(end - q) >= sizeof(block) - 1 && memcmp(q, block, sizeof(block) - 1) == 0)
		q += sizeof(block) - 1; /* of PGP */
	if ((size_t)(end - q) < sizeof(dashes) - 1 || memcmp(q, dashes, sizeof(dashes) - 1) != 0)
		return NULL;
	return q + sizeof(dashes) - 1;
}

/* PuTTY's keys and age's: the word is enough, or what stands behind it. */
static bool other_key(const char *p, size_t n, bool source)
{
	static const char putty[] = "PuTTY-User-Key-File-",
			  lines[] = "Private-Lines: ", age[] = "AGE-SECRET-KEY-1";
	const char *q = memmem(p, n, putty, sizeof(putty) - 1);
	if (q && !source)
		return true;
	q = q ? memmem(q, n - (size_t)(q - p), lines, sizeof(lines) - 1) : NULL;
	if (q && q + sizeof(lines) - 1 < p + n && q[sizeof(lines) - 1] >= '0' &&
		q[sizeof(lines) - 1] <= '9')
		return true;
	for (q = p; (q = memmem(q, n - (size_t)(q - p), age, sizeof(age) - 1));) {
		q += sizeof(age) - 1;
		size_t run = 0;
		while (q + run < p + n && is_base64(q[run]))
			run++;
		if (!source || run >= RUN)
			return true;
	}
	return false;
}

bool key_text(const char *name, const char *p, size_t n)
{
	static const char begin[] = "-----BEGIN ";
	const bool source = is_source(name);
	for (const char *q = p; (q = memmem(q, n - (size_t)(q - p), begin, sizeof(begin) - 1));) {
		q += sizeof(begin) - 1;
		const char *body = past_begin(q, n - (size_t)(q - p));
		if (body && (!source || body_follows(body, n - (size_t)(body - p))))
			return true;
	}
	return other_key(p, n, source);
}
