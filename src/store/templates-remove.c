/* store/templates-remove.c - removing templates, and garbage; see templates.h
 *
 * All under the exclusive lock: nothing is being made or looked up meanwhile.  What goes is renamed
 * into tmp/ first, so that it is gone from its place at once, and what is left of it is garbage.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/tree.h"
#include "store/templates.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define CACHE_FILE_MAX ((size_t)1 << 20)

int template_check_unused(const struct templates *t, struct store *s, struct arena *a,
	const char *id, struct err *err)
{
	struct strv users = {0};
	char path[96], *names = NULL;
	int r = template_users(s, a, id, &users, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < users.n && i < 8; i++)
		names = arena_printf(
			a, "%s%s%s", names ? names : "", names ? ", " : "", users.v[i]);
	if (users.n) {
		err_hint(err, "bawn rm %s removes what was made of it", users.v[0]);
		return err_set(err, EBUSY, "template %.12s is in use by %s%s", id,
			names ? names : "sandboxes", users.n > 8 ? " and others" : "");
	}
	snprintf(path, sizeof(path), "images/%s", id);
	_cleanup_close_ int fd = openat(t->fd, path, DIR_FLAGS);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		err_hint(err, "wait for the end of the run that has no name of its own (--rm)");
		return err_set(err, EBUSY, "template %.12s is in use by a sandbox that runs", id);
	}
	return 0;
}

/* KIND/NAME out of its place, then removed. */
static int discard(const struct templates *t, const char *kind, const char *name, struct err *err)
{
	char from[NAME_MAX + 16], to[NAME_MAX + 16];
	snprintf(from, sizeof(from), "%s/%s", kind, name);
	snprintf(to, sizeof(to), "tmp/gone-%s", name);
	CRASH_STEP();
	/* left by one that was killed just here */
	int r = tree_remove(t->fd, to, err);
	if (r < 0)
		return r;
	if (renameat(t->fd, from, t->fd, to) < 0)
		return err_sys(err, errno, "remove %s/%s", t->dir, from);
	CRASH_STEP();
	return tree_remove(t->fd, to, err);
}

int template_remove(const struct templates *t, struct store *s, struct arena *a, const char *id,
	struct err *err)
{
	int r = template_check_unused(t, s, a, id, err);
	if (r == 0)
		r = templates_untag_all(t, a, id, err);
	return r < 0 ? r : discard(t, "images", id, err);
}

/* ---- garbage ---- */

static int collect_tmp(
	const struct templates *t, struct arena *a, struct template_garbage *g, struct err *err)
{
	struct strv names = {0};
	char path[NAME_MAX + 16];
	int r = templates_names(t, "tmp", a, &names, err);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		snprintf(path, sizeof(path), "tmp/%s", names.v[i]);
		_cleanup_close_ int fd = openat(t->fd, path, DIR_FLAGS);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
			continue;
		g->n_tmp++;
		CRASH_STEP();
		r = g->only_look ? 0 : tree_remove(t->fd, path, err);
	}
	return r;
}

/* Layers that a step of a build has made. */
static int use_cached(const struct templates *t, struct arena *a, const struct strv *cached,
	struct strv *used, struct err *err)
{
	char path[NAME_MAX + 16], *text;
	for (size_t i = 0; i < cached->n; i++) {
		snprintf(path, sizeof(path), "cache/%s", cached->v[i]);
		ssize_t n = file_read(a, t->fd, path, CACHE_FILE_MAX, &text, err);
		if (n < 0)
			return (int)n;
		for (char *line; (line = strsep(&text, "\n"));)
			if (has_prefix(line, "layer ") && ref_is_hex(line + 6))
				strv_push(a, used, line + 6);
	}
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What templates and builds name, sorted. */
static int find_used(const struct templates *t, struct arena *a, const struct strv *cached,
	struct strv *used, struct err *err)
{
	struct strv ids = {0};
	int r = templates_ids(t, a, &ids, err);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		struct template_info info = {0};
		char path[96], *text;
		snprintf(path, sizeof(path), "images/%s/info", ids.v[i]);
		ssize_t n = file_read(a, t->fd, path, TEMPLATE_INFO_MAX, &text, err);
		r = n < 0 ? (int)n : template_info_parse(a, text, (size_t)n, &info, err);
		if (r < 0) {
			err_hint(
				err, "bawn template rm %.12s, and it can be loaded anew", ids.v[i]);
			err_prefix(err, "template %.12s can't be read, so no layer is removed",
				ids.v[i]);
			return -EIO;
		}
		for (size_t k = 0; k < info.layers.n; k++)
			strv_push(a, used, info.layers.v[k]);
	}
	if (r == 0)
		r = use_cached(t, a, cached, used, err);
	if (r == 0 && used->n)
		qsort(used->v, used->n, sizeof(*used->v), by_text);
	return r < 0 ? r : arena_check(a, err);
}

static uint64_t size_of(const struct templates *t, struct arena *a, const char *diff)
{
	struct template_layer l = {0};
	return template_layer_read(t, a, diff, &l, NULL) < 0 ? 0 : l.size;
}

static int collect_layers(const struct templates *t, struct arena *a, struct template_garbage *g,
	const struct strv *cached, struct err *err)
{
	struct strv used = {0}, all = {0};
	int r = find_used(t, a, cached, &used, err);
	if (r == 0)
		r = templates_names(t, "layers", a, &all, err);
	for (size_t i = 0; r == 0 && i < all.n; i++) {
		if (used.n && bsearch(&all.v[i], used.v, used.n, sizeof(*used.v), by_text))
			continue;
		g->n_layers++;
		if (ref_is_hex(all.v[i]))
			g->bytes += size_of(t, a, all.v[i]);
		r = g->only_look ? 0 : discard(t, "layers", all.v[i], err);
	}
	return r;
}

static int collect_cache(
	const struct templates *t, struct template_garbage *g, struct strv *cached, struct err *err)
{
	char path[NAME_MAX + 16];
	for (size_t i = 0; i < cached->n; i++) {
		snprintf(path, sizeof(path), "cache/%s", cached->v[i]);
		g->n_cache++;
		CRASH_STEP();
		if (!g->only_look && unlinkat(t->fd, path, 0) < 0)
			return err_sys(err, errno, "remove %s/%s", t->dir, path);
	}
	cached->n = 0;
	return 0;
}

/* What --mount=type=cache has filled; one that a RUN is about to use is locked. */
static int collect_mounts(
	const struct templates *t, struct arena *a, struct template_garbage *g, struct err *err)
{
	struct strv names = {0};
	char path[NAME_MAX + 32];
	if (faccessat(t->fd, "cache-mounts", F_OK, 0) < 0)
		return 0;
	int r = templates_names(t, "cache-mounts", a, &names, err);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		snprintf(path, sizeof(path), "cache-mounts/%s", names.v[i]);
		_cleanup_close_ int fd = openat(t->fd, path, DIR_FLAGS);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
			continue;
		g->n_cache++;
		CRASH_STEP();
		r = g->only_look ? 0 : tree_remove(t->fd, path, err);
	}
	return r;
}

int templates_collect(
	const struct templates *t, struct arena *a, struct template_garbage *g, struct err *err)
{
	struct strv cached = {0};
	int r = collect_tmp(t, a, g, err);
	if (r == 0)
		r = templates_names(t, "cache", a, &cached, err);
	if (r == 0 && g->cache)
		r = collect_cache(t, g, &cached, err);
	if (r == 0 && g->cache)
		r = collect_mounts(t, a, g, err);
	if (r == 0 && g->layers)
		r = collect_layers(t, a, g, &cached, err);
	return r;
}
