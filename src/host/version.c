/* host/version.c - see version.h */
#include "host/version.h"

#include <ctype.h>
#include <fcntl.h>

#include "base/file.h"
#include "base/path.h"
#include "host/package.h"

#define JSON_MAX ((size_t)1 << 20)
#define LEVELS_MAX 6 /* from a program to its package.json: vendor/x86_64-.../bin/ */

/* "1.2.3", "v1.2.3", "1.2": digits, a dot, digits. */
static const char *as_version(const char *s)
{
	s += *s == 'v';
	size_t n = strspn(s, "0123456789");
	return n && s[n] == '.' && isdigit((unsigned char)s[n + 1]) ? s : NULL;
}

static const char *from_package(struct arena *a, const char *resolved)
{
	char *dir = resolved ? arena_dup(a, resolved) : NULL;
	for (int i = 0; dir && i < LEVELS_MAX; i++) {
		char *slash = strrchr(dir, '/'), *json;
		if (!slash || slash == dir)
			return NULL;
		*slash = '\0';
		if (streq(path_base(dir), "node_modules"))
			return NULL;
		char *file = path_join(a, dir, "package.json");
		if (!file || file_read(a, AT_FDCWD, file, JSON_MAX, &json, NULL) < 0)
			continue;
		/* {"type": "module"} alone is no package's own. */
		const char *v = host_package_version(a, json);
		if (v && as_version(v))
			return v;
	}
	return NULL;
}

const char *host_agent_version(struct arena *a, const struct host_agent *agent)
{
	const char *resolved = agent->resolved, *v = NULL;
	if (strstr(resolved, "/node_modules/"))
		v = from_package(a, resolved);
	/* A wrapper in front (pnpm's): what it starts is bound. */
	for (size_t i = 0; i < agent->binds.n && !v; i++)
		if (strstr(agent->binds.v[i], "/node_modules/"))
			v = from_package(a, path_join(a, agent->binds.v[i], "bin"));
	if (v)
		return v;
	/* .../claude/versions/1.2.3, Cellar/opencode/1.2.3/bin/opencode: the last such name */
	for (const char *p = resolved; (p = strchr(p, '/'));) {
		p++;
		if (as_version(p))
			v = arena_dupn(a, p, strcspn(p, "/"));
	}
	return v;
}

bool host_version_below(const char *version, const char *since)
{
	const char *v = version ? as_version(version) : NULL;
	/* 0.0.0-something: a build from a branch, newer than any release */
	return v && strncmp(v, "0.0.0", 5) != 0 && strverscmp(v, since) < 0;
}
