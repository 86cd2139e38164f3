/* store/layers-make.c - layers that are not just renamed: copies, and several merged into one; see
 * layers.h.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/tree.h"
#include "store/checkpoint.h"
#include "store/layers.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Layer id while it is being made: .new-ID, and beside it what the copying needs. */
struct making {
	char *dir, *fresh, *scratch, *done;
	int to, aux;
	const struct strv *from; /* directories, lowest first */
	struct tree_copy *copy;
};

static int begin(
	struct store *s, struct arena *a, const char *id, struct making *m, struct err *err)
{
	m->dir = path_join(a, s->xdg.data, "layers");
	m->fresh = arena_printf(a, "%s/.new-%s", m->dir, id);
	m->scratch = arena_printf(a, "%s/.new-%s-links", m->dir, id);
	m->done = arena_printf(a, "%s/%s", m->dir, id);
	int r = arena_check(a, err);
	if (r < 0)
		return r;
	CRASH_STEP();
	if (mkdir(m->fresh, 0700) < 0 || mkdir(m->scratch, 0700) < 0)
		return err_sys(err, errno, "create a layer in %s", m->dir);
	m->to = open(m->fresh, DIR_FLAGS);
	m->aux = open(m->scratch, DIR_FLAGS);
	return m->to < 0 || m->aux < 0 ? err_sys(err, errno, "open a layer in %s", m->dir) : 0;
}

static int copy_all(void *ctx, struct err *err)
{
	struct making *m = ctx;
	int r = 0;
	for (size_t i = 0; r == 0 && i < m->from->n; i++) {
		_cleanup_close_ int src = open(m->from->v[i], DIR_FLAGS);
		r = src < 0 ? err_sys(err, errno, "open %s", m->from->v[i])
			    : tree_copy(src, m->to, m->aux, m->copy, err);
	}
	return r;
}

static int end(struct making *m, int r, struct err *err)
{
	if (m->to >= 0)
		close(m->to);
	if (m->aux >= 0)
		close(m->aux);
	CRASH_STEP();
	/* its mode was that of the directory it was copied from */
	if (r == 0 && (chmod(m->fresh, 0700) < 0 || rename(m->fresh, m->done) < 0))
		r = err_sys(err, errno, "put a layer into place");
	CRASH_STEP();
	if (m->scratch)
		tree_remove(AT_FDCWD, m->scratch, NULL);
	if (r < 0 && m->fresh)
		tree_remove(AT_FDCWD, m->fresh, NULL);
	return r;
}

static int make(struct store *s, struct arena *a, const char *id, const struct strv *from,
	struct tree_copy *c, struct err *err)
{
	struct making m = {.to = -1, .aux = -1, .from = from, .copy = c};
	int r = begin(s, a, id, &m, err);
	if (r == 0)
		r = tree_privileged(copy_all, &m, err);
	if (r == 0 && syncfs(m.to) < 0)
		r = err_sys(err, errno, "write a layer to disk");
	return end(&m, r, err);
}

int layer_copy(struct store *s, struct arena *a, const struct store_box *b, const char *id,
	struct tree_copy *c, struct err *err)
{
	struct strv from = {0};
	strv_push(a, &from, path_join(a, b->dir, "up"));
	int r = arena_check(a, err);
	return r < 0 ? r : make(s, a, id, &from, c, err);
}

/* Checkpoints of exactly these layers have the merged one instead. */
static int rename_stack(struct arena *a, struct spec *spec, const struct strv *old,
	const struct strv *fresh, struct err *err)
{
	struct spec changed = *spec;
	struct checkpoint c;
	int r = 0;
	changed.tags = (struct strv){0};
	for (size_t i = 0; r == 0 && i < spec->tags.n; i++) {
		r = checkpoint_at(a, spec, i, &c, err);
		if (r == 0 && strv_same(&c.layers, old))
			c.layers = *fresh;
		if (r == 0)
			r = checkpoint_put(a, &changed, &c, err);
	}
	if (r == 0)
		spec->tags = changed.tags;
	return r;
}

int layers_squash(struct store *s, struct arena *a, const struct store_box *b, struct spec *spec,
	size_t max, struct err *err)
{
	struct tree_copy c = {.merge = true};
	struct strv from = {0}, fresh = {0};
	const struct strv old = spec->layers;
	if (old.n <= max)
		return 0;
	_cleanup_close_ int hold = layers_hold(s, err);
	char *id = hold < 0 ? NULL : layer_id_new(a);
	if (!id)
		return hold < 0 ? hold : err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < old.n; i++)
		strv_push(a, &from, store_layer_part(s, a, old.v[i], "."));
	strv_push(a, &fresh, id);
	int r = arena_check(a, err);
	if (r == 0)
		r = make(s, a, id, &from, &c, err);
	if (r == 0)
		r = rename_stack(a, spec, &old, &fresh, err);
	if (r < 0)
		return r;
	spec->layers = fresh;
	r = store_switch(s, a, b, spec, NULL, err);
	return r < 0 ? r : 1;
}
