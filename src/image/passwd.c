/* image/passwd.c - what an image's own /etc/passwd says of its users; see request.h
 *
 * A line that is none (passwd(5)) is left out: no name, number or path gets out of here that is not
 * one.
 */
#include "image/request.h"

#define FIELDS 7
#define AGENT_UID "1000"

static bool name_ok(const char *s)
{
	size_t n = strlen(s);
	if (n == 0 || n > 32 || s[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
			    (s[i] >= '0' && s[i] <= '9') || strchr("._-", s[i])))
			return false;
	return true;
}

static bool id_ok(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && n <= 10 && strspn(s, "0123456789") == n &&
		strtoull(s, NULL, 10) < UINT32_MAX;
}

/* An absolute path, "/" and "/a/b" but not "/a/../b"; an empty one is none. */
static bool path_ok(const char *s)
{
	if (s[0] != '/' || strlen(s) > 255 || strstr(s, "//") || strstr(s, "/../") ||
		strstr(s, "/./"))
		return false;
	size_t n = strlen(s);
	if ((n >= 3 && streq(s + n - 3, "/..")) || (n >= 2 && streq(s + n - 2, "/.")))
		return false;
	for (; *s; s++)
		if (*s < ' ' || *s > '~' || *s == '\\')
			return false;
	return true;
}

static void read_line(struct arena *a, char *line, const char *user, struct strv *ret)
{
	char *f[FIELDS];
	for (size_t i = 0; i < FIELDS; i++)
		f[i] = line ? strsep(&line, ":") : NULL;
	if (line || !f[FIELDS - 1] || !name_ok(f[0]) || !id_ok(f[2]) || !id_ok(f[3]) ||
		!path_ok(f[5]))
		return;
	if (streq(f[2], AGENT_UID) || (user && (streq(f[0], user) || streq(f[2], user))))
		strv_addf(a, ret, "%s:%s:%s:%s:%s", f[0], f[2], f[3], f[5],
			path_ok(f[6]) ? f[6] : "/bin/sh");
}

int image_passwd(struct arena *a, const char *text, size_t n, const char *user, struct strv *ret)
{
	char *copy = text ? arena_dupn(a, text, n) : NULL;
	/* "user:group" */
	char *name = user ? arena_dupn(a, user, strcspn(user, ":")) : NULL;
	if (text && memchr(text, '\0', n))
		return 0;
	for (char *line; (line = strsep(&copy, "\n")) && ret->n < 16;)
		read_line(a, line, name, ret);
	return a->failed ? -ENOMEM : 0;
}
