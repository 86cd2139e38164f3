/* seed/expand.c - see expand.h */
#include "seed/expand.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/path.h"

static const char *variable(const struct seed_request *rq, const char *name)
{
	static char now[32];
	if (streq(name, "NOW")) {
		time_t t = time(NULL);
		struct tm tm;
		strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
		return now;
	}
	if (streq(name, "WORKSPACE"))
		return rq->workspace;
	if (streq(name, "SANDBOX"))
		return rq->sandbox;
	return getenv(name);
}

static void put_value(FILE *f, const char *v, bool quoted)
{
	for (; v && *v; v++) {
		if (quoted && (*v == '"' || *v == '\\'))
			fprintf(f, "\\%c", *v);
		else if (quoted && ((unsigned char)*v < 0x20 || *v == 0x7f))
			fprintf(f, "\\u%04x", (unsigned int)(unsigned char)*v);
		else
			putc(*v, f);
	}
}

int seed_expand(struct arena *a, const struct seed_request *rq, const char *text, bool quoted,
	char **ret, struct err *err)
{
	_cleanup_free_ char *buf = NULL;
	size_t size;
	FILE *f = open_memstream(&buf, &size);
	if (!f)
		return err_set(err, ENOMEM, "out of memory");
	int r = 0;
	for (const char *p = text; *p && r == 0;) {
		if (p[0] != '$' || p[1] != '{') {
			putc(*p++, f);
			continue;
		}
		char name[64];
		size_t n = strspn(p + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		const char *end = p + 2 + n;
		bool last20 = has_prefix(end, ":last20");
		end += last20 ? strlen(":last20") : 0;
		if (n == 0 || n >= sizeof(name) || *end != '}') {
			r = err_set(err, EINVAL, "unknown variable at \"%.20s\"", p);
			break;
		}
		snprintf(name, sizeof(name), "%.*s", (int)n, p + 2);
		const char *v = variable(rq, name);
		size_t len = v ? strlen(v) : 0;
		put_value(f, last20 && len > 20 ? v + len - 20 : v, quoted);
		p = end + 1;
	}
	if (fclose(f) != 0 && r == 0)
		r = err_set(err, ENOMEM, "out of memory");
	if (r == 0)
		*ret = arena_dupn(a, buf, size);
	return r;
}

char *seed_expand_path(struct arena *a, const char *home, const char *path, bool host)
{
	if (has_prefix(path, "${")) {
		const char *dash = strstr(path, ":-"), *end = strchr(path, '}');
		if (!end || !dash || dash > end)
			return NULL;
		char *var = arena_dupn(a, path + 2, (size_t)(dash - path) - 2);
		const char *value = var && host ? getenv(var) : NULL;
		char *fallback = arena_dupn(a, dash + 2, (size_t)(end - dash) - 2);
		const char *base = value && *value == '/' ? value : fallback;
		path = base ? arena_printf(a, "%s%s", base, end + 1) : NULL;
	}
	if (!path)
		return NULL;
	if (host)
		return path_expand_home(a, path, home);
	return has_prefix(path, "~/") ? arena_dup(a, path + 2) : NULL;
}
