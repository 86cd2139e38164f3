/* host/account.c - see account.h */
#include "host/account.h"

#include <stdlib.h>

#include "base/path.h"

#define NAME_OTHER "bawn" /* where an account of another number is called ACCOUNT_NAME */
#define NAME_MAX_LEN 32
#define PATH_MAX_LEN 512

enum { PW_NAME, PW_UID = 2, PW_HOME = 5, PW_SHELL = 6 };

/* Field n of a line of passwd or group, which ends at eol. */
static const char *field(const char *line, const char *eol, int n, size_t *ret_len)
{
	const char *p = line;
	for (; n > 0 && p < eol; p++)
		n -= *p == ':';
	*ret_len = (size_t)(eol - p);
	const char *colon = memchr(p, ':', *ret_len);
	if (colon)
		*ret_len = (size_t)(colon - p);
	return n > 0 ? NULL : p;
}

static bool field_is(const char *line, const char *eol, int n, const char *what)
{
	size_t len;
	const char *f = field(line, eol, n, &len);
	return f && len == strlen(what) && memcmp(f, what, len) == 0;
}

/* The line whose field n is what; NULL: there is none. */
static const char *find_line(const char *text, int n, const char *what, const char **ret_eol)
{
	for (const char *l = text, *eol; l && *l; l = *eol ? eol + 1 : NULL) {
		eol = l + strcspn(l, "\n");
		if (field_is(l, eol, n, what)) {
			*ret_eol = eol;
			return l;
		}
	}
	return NULL;
}

bool account_path(const char *s)
{
	static const char *const ours[] = {"/proc", "/sys", "/dev", "/run", "/tmp"};
	const size_t len = strlen(s);
	if (s[0] != '/' || !s[1] || len > PATH_MAX_LEN || strpbrk(s, ":\n") || strstr(s, "//") ||
		s[len - 1] == '/')
		return false;
	for (const char *p = s; (p = strchr(p, '/')); p++) {
		size_t n = strcspn(p + 1, "/");
		if ((n == 1 && p[1] == '.') || (n == 2 && p[1] == '.' && p[2] == '.'))
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (path_within(s, ours[i]))
			return false;
	return true;
}

static bool usable_name(const char *s)
{
	size_t n = strlen(s);
	return n && n <= NAME_MAX_LEN && s[0] != '-' && s[0] != '.' &&
		strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

static char *copy(struct arena *a, const char *line, const char *eol, int n)
{
	size_t len = 0;
	const char *f = field(line, eol, n, &len);
	return arena_dupn(a, f ? f : "", f ? len : 0);
}

static void take(struct arena *a, const char *line, const char *eol, struct host_identity *id)
{
	char *name = copy(a, line, eol, PW_NAME), *home = copy(a, line, eol, PW_HOME),
	     *shell = copy(a, line, eol, PW_SHELL);
	if (name && usable_name(name))
		id->user = name;
	if (home && account_path(home))
		id->home = home;
	if (shell && account_path(shell))
		id->shell = shell;
}

void account_identity(struct arena *a, struct account_files *f, struct host_identity *id)
{
	char number[16];
	const char *eol = NULL;
	id->user = ACCOUNT_NAME;
	id->home = "/home/" ACCOUNT_NAME;
	snprintf(number, sizeof(number), "%u", (unsigned int)id->uid);
	const char *line = f->passwd ? find_line(f->passwd, PW_UID, number, &eol) : NULL;
	f->has_account = line != NULL;
	if (line)
		take(a, line, eol, id);
	else if (f->passwd && find_line(f->passwd, PW_NAME, ACCOUNT_NAME, &eol))
		id->user = NAME_OTHER;
	id->group = id->user;
	snprintf(number, sizeof(number), "%u", (unsigned int)id->gid);
	f->has_group = f->group && find_line(f->group, PW_UID, number, &eol);
	if (!f->has_group && f->group && find_line(f->group, PW_NAME, id->group, &eol))
		id->group = NAME_OTHER;
}

int64_t account_uid(
	struct arena *a, const char *passwd, const char *user, const struct host_identity *id)
{
	char *name = arena_dupn(a, user, strcspn(user, ":"));
	const char *eol = NULL,
		   *line = name && passwd && *name ? find_line(passwd, PW_NAME, name, &eol) : NULL;
	if (!name || !*name)
		return -1;
	if (!line && streq(name, id->user))
		return id->uid;
	if (!line && streq(name, "root"))
		return 0;
	const char *number = line ? copy(a, line, eol, PW_UID) : name;
	size_t n = number ? strlen(number) : 0;
	bool plain = n && n < 10 && strspn(number, "0123456789") == n;
	return plain ? (int64_t)strtol(number, NULL, 10) : -1;
}

char *account_add(struct arena *a, const char *text, const char *line)
{
	size_t n = strlen(text);
	return arena_printf(a, "%s%s%s", text, n && text[n - 1] != '\n' ? "\n" : "", line);
}
