/* host/chase.c - see chase.h */
#include "host/chase.h"

#include <limits.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/path.h"

#define LINKS_MAX 40 /* as the kernel's own limit */

int host_link_add(struct arena *a, struct host_link **v, size_t *n, size_t *cap, const char *path,
	const char *target)
{
	for (size_t i = 0; i < *n; i++)
		if (streq((*v)[i].path, path))
			return 0;
	struct host_link *p = arena_grow(a, *v, *n, cap, sizeof(*p));
	if (!p)
		return -ENOMEM;
	*v = p;
	struct host_link l = {.path = arena_dup(a, path), .target = arena_dup(a, target)};
	if (!l.path || !l.target)
		return -ENOMEM;
	(*v)[(*n)++] = l;
	return 0;
}

/* done: resolved so far, no trailing slash ("" is the root); todo: what is left. */
struct walk {
	char done[PATH_MAX], todo[PATH_MAX];
	int links;
};

static int step_link(
	struct arena *a, struct host_agent *out, struct walk *w, const char *here, const char *rest)
{
	char target[PATH_MAX], joined[PATH_MAX];
	ssize_t n = readlink(here, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if (!host_system_path(here)) {
		int r = host_link_add(a, &out->links, &out->n_links, &out->cap_links, here, target);
		if (r < 0)
			return r;
	}
	if (target[0] == '/')
		w->done[0] = '\0';
	size_t k = strlen(rest);
	if ((size_t)n + 1 + k >= sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(joined, target, (size_t)n);
	joined[n] = '/';
	memcpy(joined + n + 1, rest, k + 1);
	memcpy(w->todo, joined, (size_t)n + 1 + k + 1);
	return 0;
}

/* Take the next component off w->todo.  1: more to do, 0: done, or -errno. */
static int step(struct arena *a, struct host_agent *out, struct walk *w)
{
	char *s = w->todo + strspn(w->todo, "/");
	size_t n = strcspn(s, "/");
	if (n == 0)
		return 0;
	const char *rest = s + n;
	size_t len = strlen(w->done);
	if (n == 1 && s[0] == '.') {
		memmove(w->todo, rest, strlen(rest) + 1);
		return 1;
	}
	if (n == 2 && s[0] == '.' && s[1] == '.') {
		char *slash = strrchr(w->done, '/');
		if (slash)
			*slash = '\0';
		memmove(w->todo, rest, strlen(rest) + 1);
		return 1;
	}
	char here[PATH_MAX];
	if (len + 1 + n >= sizeof(here))
		return -ENAMETOOLONG;
	memcpy(here, w->done, len);
	here[len] = '/';
	memcpy(here + len + 1, s, n);
	here[len + 1 + n] = '\0';
	struct stat st;
	if (lstat(here, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode)) {
		char copy[PATH_MAX];
		snprintf(copy, sizeof(copy), "%s", rest);
		int r = step_link(a, out, w, here, copy);
		return r < 0 ? r : 1;
	}
	memcpy(w->done, here, len + 1 + n + 1);
	memmove(w->todo, rest, strlen(rest) + 1);
	return 1;
}

int host_chase(struct arena *a, struct host_agent *out, const char *path, const char **ret,
	struct err *err)
{
	struct walk w = {.links = 0};
	char s[512];
	size_t n = strlen(path);
	if (path[0] != '/' || n >= sizeof(w.todo))
		return err_set(
			err, EINVAL, "not an absolute path: %s", escape_text(s, sizeof(s), path));
	memcpy(w.todo, path, n + 1);
	int r;
	do
		r = step(a, out, &w);
	while (r > 0);
	if (r < 0)
		return err_sys(err, -r, "follow %s", escape_text(s, sizeof(s), path));
	char *p = arena_dup(a, w.done[0] ? w.done : "/");
	if (!p)
		return err_set(err, ENOMEM, "out of memory");
	*ret = p;
	return 0;
}

bool host_agent_writes(const struct host_agent *out, const char *path)
{
	for (size_t i = 0; out->written && i < out->written->n; i++)
		if (path_within(path, out->written->v[i]))
			return !GUARD_REMOVED("agent-links");
	return false;
}

int host_chase_by(struct arena *a, struct host_agent *out, const char *by, const char *path,
	const char **ret, struct err *err)
{
	struct host_agent own = {0};
	const char *end;
	int r = host_chase(a, &own, path, &end, err);
	if (r < 0)
		return r;
	bool agents = by && host_agent_writes(out, by);
	for (size_t i = 0; i < own.n_links; i++)
		agents |= host_agent_writes(out, own.links[i].path);
	if (agents && !host_agent_writes(out, end) && !host_system_path(end))
		return err_set(err, EPERM, "what an agent may have put there leads out of it");
	for (size_t i = 0; i < own.n_links && r == 0; i++)
		r = host_link_add(a, &out->links, &out->n_links, &out->cap_links, own.links[i].path,
			own.links[i].target);
	if (r == 0)
		*ret = end;
	return r;
}
