/* change/named.c - what the host names by itself, among what is to be landed: what the user's own
 * leads to, and files and programs of git's settings, those of the workspace's repository as the
 * host has it (scan/named.h)
 */
#include "scan/named.h"

#include <fcntl.h>
#include <limits.h>

#include "base/fd.h"
#include "base/path.h"
#include "change/change.h"
#include "scan/git-config.h"

#define NAMED_MAX 4096 /* as included files may name more */

static void add(struct change *c, const struct host_place *p)
{
	struct host_place *v;
	for (size_t i = 0; i < c->n_named; i++) { /* named twice: what says most of it */
		v = &c->named[i];
		if (!streq(v->path, p->path) || v->per != p->per || v->flat != p->flat ||
			v->config != p->config)
			continue;
		v->asked &= p->asked;
		v->word &= p->word;
		return;
	}
	v = c->n_named < NAMED_MAX
		? arena_grow(&c->arena, c->named, c->n_named, &c->cap_named, sizeof(*v))
		: NULL;
	if (!v) {
		c->failed = c->n_named < NAMED_MAX ? -ENOMEM : -E2BIG;
		return;
	}
	c->named = v;
	v[c->n_named++] = *p;
}

static void by_git(void *ctx, const char *rel, const char *why, unsigned int flags)
{
	add(ctx,
		&(struct host_place){.path = rel,
			.why = why,
			.per = 2,
			.asked = flags & NAMED_ASKED,
			.config = flags & NAMED_CONFIG,
			.word = flags & NAMED_WORD});
}

/* A configuration as the host has it. */
static void by_file(struct change *c, const char *rel)
{
	struct git_config g;
	struct stat st;
	const char *dir = arena_printf(
		&c->arena, "%s/%.*s", c->req->base, (int)(path_base(rel) - rel), rel);
	_cleanup_close_ int fd = place_open(c->base, rel, O_RDONLY);
	if (!dir || fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		(uint64_t)st.st_size > GIT_CONFIG_MAX)
		return;
	char *text = arena_alloc(&c->arena, (size_t)st.st_size + 1);
	ssize_t n = text ? fd_read_full(fd, text, (size_t)st.st_size) : -1;
	if (n < 0 || git_config_parse(&c->arena, text, (size_t)n, &g, NULL) < 0)
		return;
	const struct named_from from = {&c->arena, c->req->base, dir, c->req->home};
	for (size_t i = 0; i < g.n; i++)
		named_by_git(&from, g.v[i].key, g.v[i].value, by_git, c);
}

int named_load(struct change *c, struct err *err)
{
	const struct change_request *q = c->req;
	for (size_t i = 0; i < q->named.n; i += 3)
		add(c,
			&(struct host_place){.path = q->named.v[i],
				.why = q->named.v[i + 1],
				.per = 9,
				.flat = *q->named.v[i + 2]});
	by_file(c, ".git/config");
	named_by_user(&c->arena, q->base, q->home, &q->settings, by_git, c);
	/* and the files that it goes on in; the list grows meanwhile */
	for (size_t i = 0; i < c->n_named; i++)
		if (c->named[i].config)
			by_file(c, c->named[i].path);
	if (c->failed == -E2BIG) {
		err_hint(err,
			"fewer of them, in .git/config, what it includes, and your own git's "
			"configuration");
		return err_set(err, E2BIG, "git's settings name more than %d places", NAMED_MAX);
	}
	return c->failed ? err_sys(err, -c->failed, "look through what git's settings name") : 0;
}

/* Is what lands at path the place, in it, or a link on the way to it? */
static bool is_place(const struct host_place *p, const char *path, bool link, bool program)
{
	const size_t n = strlen(p->path);
	if (streq(path, p->path))
		return true;
	if (link && path_within(p->path, path))
		return true;
	const char *in = !n ? path : path_within(path, p->path) ? path + n + 1 : NULL;
	return in && !p->word && !(p->flat && (strchr(in, '/') || !program));
}

const struct host_place *named_of(const struct change *c, const char *path, bool link, bool program)
{
	for (size_t i = 0; i < c->n_named; i++)
		if (is_place(&c->named[i], path, link, program))
			return &c->named[i];
	return NULL;
}
