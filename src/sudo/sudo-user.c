/* sudo/sudo-user.c - see sudo-user.h */
#include "sudo/sudo-user.h"

enum { NAME, PASSWORD, UID, GID, GECOS, HOME, SHELL, FIELDS };

/* All digits, and a number that fits. */
static bool number(const char *s, uint32_t *ret)
{
	uint64_t n = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || (n = n * 10 + (uint64_t)(*s - '0')) > UINT32_MAX)
			return false;
	}
	*ret = (uint32_t)n;
	return true;
}

/* Cut the copy of a line at its colons. */
static bool split(char *line, const char *f[FIELDS])
{
	for (int i = 0; i < FIELDS; i++) {
		f[i] = line;
		char *colon = strchr(line, ':');
		if (!colon)
			return i == FIELDS - 1;
		if (i == FIELDS - 1)
			return false;
		*colon = '\0';
		line = colon + 1;
	}
	return false;
}

static int find(
	struct arena *a, const char *text, const char *name, uint32_t uid, struct sudo_user *ret)
{
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		const char *f[FIELDS];
		uint32_t u, g;
		char *copy = arena_dupn(a, line, n);
		if (!copy)
			return -ENOMEM;
		line += n + (line[n] == '\n');
		if (!split(copy, f) || !number(f[UID], &u) || !number(f[GID], &g))
			continue;
		if (name ? !streq(f[NAME], name) : u != uid)
			continue;
		*ret = (struct sudo_user){.name = f[NAME],
			.uid = u,
			.gid = g,
			.home = f[HOME][0] == '/' ? f[HOME] : "/",
			.shell = f[SHELL][0] == '/' ? f[SHELL] : "/bin/sh"};
		return 0;
	}
	return -ENOENT;
}

int sudo_user_find(struct arena *a, const char *text, const char *who, struct sudo_user *ret)
{
	uint32_t uid;
	if (who[0] != '#')
		return find(a, text, who, 0, ret);
	return number(who + 1, &uid) ? find(a, text, NULL, uid, ret) : -ENOENT;
}

int sudo_user_of(struct arena *a, const char *text, uid_t uid, struct sudo_user *ret)
{
	return find(a, text, NULL, uid, ret);
}
