/* seed/glob.c - see glob.h */
#include "seed/glob.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>

#include "seed/expand.h"

static int plain(const struct dirent *e)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	return !e->d_name[strspn(e->d_name, set)];
}

/* Put what s stands for at to; how many that are.  The first is the one whose "*" is empty, be it
 * there or not: other entries, and a template's variables, go by its place. */
static size_t put(
	struct arena *a, const char *home, const struct seed_state *s, struct seed_state *to)
{
	const char *slash = strrchr(s->path, '/'), *pattern = slash ? slash + 1 : "";
	const char *star = strchr(pattern, '*');
	*to = *s;
	if (!star)
		return 1;
	char *own = arena_printf(a, "%.*s%s", (int)(star - pattern), pattern, star + 1);
	char *above = arena_dupn(a, s->path, (size_t)(slash - s->path));
	char *dir = above ? seed_expand_path(a, home, above, true) : NULL;
	struct dirent **list;
	int found = dir ? scandir(dir, &list, plain, alphasort) : -1;
	size_t n = own && *own ? 1 : 0;
	to->path = n ? arena_printf(a, "%s/%s", above ? above : "", own) : NULL;
	for (int i = 0; i < found; i++) {
		if (n < SEED_GLOB_MAX && own && !streq(list[i]->d_name, own) &&
			fnmatch(pattern, list[i]->d_name, FNM_PERIOD) == 0) {
			to[n] = *s;
			to[n++].path = arena_printf(a, "%s/%s", above, list[i]->d_name);
		}
		free(list[i]);
	}
	if (found >= 0)
		free(list);
	return n;
}

int seed_glob(struct arena *a, const char *home, struct seed_spec *spec, struct err *err)
{
	const size_t room = spec->n_state * SEED_GLOB_MAX;
	struct seed_state *all = arena_alloc(a, (room + 1) * sizeof(*all));
	size_t n = 0;
	for (size_t i = 0; all && i < spec->n_state; i++)
		n += put(a, home, &spec->state[i], &all[n]);
	spec->state = all;
	spec->n_state = n;
	return arena_check(a, err);
}
