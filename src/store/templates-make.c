/* store/templates-make.c - layers, templates and tags put into their places; see templates.h
 *
 * CRASH_STEP() stands where the state on disk changes: each place leaves the old store or the new
 * one, and in tmp/ what the next collector removes.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/file.h"
#include "base/sha256.h"
#include "base/tree.h"
#include "store/templates.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int templates_begin(const struct templates *t, struct template_making *ret, struct err *err)
{
	struct template_making m = TEMPLATE_MAKING_NONE;
	char path[40];
	uint64_t nonce;
	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return err_sys(err, errno, "getrandom");
	snprintf(m.name, sizeof(m.name), "%016" PRIx64, nonce);
	snprintf(path, sizeof(path), "tmp/%s", m.name);
	CRASH_STEP();
	if (mkdirat(t->fd, path, 0700) < 0)
		return err_sys(err, errno, "create %s/%s", t->dir, path);
	m.dir = openat(t->fd, path, DIR_FLAGS);
	if (m.dir < 0 || flock(m.dir, LOCK_EX | LOCK_NB) < 0) {
		int r = err_sys(err, errno, "open %s/%s", t->dir, path);
		templates_abandon(t, &m);
		return r;
	}
	CRASH_STEP();
	*ret = m;
	return 0;
}

void templates_abandon(const struct templates *t, struct template_making *m)
{
	char path[40];
	if (m->name[0]) {
		snprintf(path, sizeof(path), "tmp/%s", m->name);
		tree_remove(t->fd, path, NULL);
	}
	if (m->dir >= 0)
		close(m->dir);
	*m = TEMPLATE_MAKING_NONE;
}

/* tmp/NAME becomes KIND/HEX.  1: it is there already. */
static int put_in_place(const struct templates *t, struct template_making *m, const char *kind,
	const char *hex, struct err *err)
{
	char from[40], to[96];
	snprintf(from, sizeof(from), "tmp/%s", m->name);
	snprintf(to, sizeof(to), "%s/%s", kind, hex);
	CRASH_STEP();
	if (syscall(SYS_renameat2, t->fd, from, t->fd, to, RENAME_NOREPLACE) < 0)
		return errno == EEXIST ? 1 : err_sys(err, errno, "create %s/%s", t->dir, to);
	CRASH_STEP();
	m->name[0] = '\0';
	return 0;
}

static int sync_part(const struct templates *t, const char *kind, struct err *err)
{
	_cleanup_close_ int fd = openat(t->fd, kind, DIR_FLAGS);
	return fd < 0 || fsync(fd) < 0 ? err_sys(err, errno, "write %s/%s to disk", t->dir, kind)
				       : 0;
}

/* ---- layers ---- */

static int write_layer_info(int dir, const struct template_layer *l, bool sync, struct err *err)
{
	size_t n = 0;
	_cleanup_free_ char *text = template_layer_text(l, &n);
	return text ? file_write_atomic(dir, "info", text, n, 0600, sync, err)
		    : err_set(err, ENOMEM, "out of memory");
}

/* Any lock but the store's would do: whoever adds to an info at the same time. */
static int lock_tags(const struct templates *t, struct err *err)
{
	_cleanup_close_ int fd = openat(
		t->fd, "tags.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	while (fd >= 0 && flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "lock %s/tags.lock", t->dir);
	return fd < 0 ? err_sys(err, errno, "open %s/tags.lock", t->dir) : TAKE_FD(fd);
}

int template_layer_add_blob(const struct templates *t, struct arena *a, const char *diff,
	const char *blob, struct err *err)
{
	struct template_layer l = {0};
	_cleanup_close_ int lock = lock_tags(t, err);
	int r = lock < 0 ? lock : template_layer_read(t, a, diff, &l, err);
	if (r < 0)
		return r;
	size_t digest = strcspn(blob, " ");
	for (size_t i = 0; i < l.blobs.n; i++)
		if (strncmp(l.blobs.v[i], blob, digest + 1) == 0)
			return 0;
	char *path = template_layer_dir(t, a, diff);
	if (!path || strv_add(a, &l.blobs, blob) < 0)
		return err_set(err, ENOMEM, "out of memory");
	_cleanup_close_ int dir = open(path, DIR_FLAGS);
	return dir < 0 ? err_sys(err, errno, "open %s", path)
		       : write_layer_info(dir, &l, true, err);
}

static int commit_layer(
	const struct templates *t, struct arena *a, struct template_making *m, struct err *err)
{
	int r = put_in_place(t, m, "layers", m->layer.diff, err);
	if (r == 1) {
		r = 0;
		for (size_t i = 0; r == 0 && i < m->layer.blobs.n; i++)
			r = template_layer_add_blob(t, a, m->layer.diff, m->layer.blobs.v[i], err);
	}
	if (r == 0)
		templates_abandon(t, m);
	return r;
}

/* What survives the machine's end at any instant: a layer that has its name is whole, as all of it
 * is on disk before the rename; a template that has its name has its layers, as theirs are on disk
 * before it is made; a tag leads to a template, for the same reason.  One syncfs(2) for all layers,
 * not an fsync(2) for each of their files: those would be a write of the journal each.  While they
 * are made write-back.h writes most of it, and this waits for the rest. */
int templates_commit_layers(const struct templates *t, struct arena *a, struct template_making *m,
	size_t n, struct err *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!m[i].layer.diff || !ref_is_hex(m[i].layer.diff))
			return err_set(err, EINVAL, "a layer without its digest");
		r = write_layer_info(m[i].dir, &m[i].layer, false, err);
	}
	CRASH_STEP();
	if (r == 0 && n && syncfs(t->fd) < 0)
		r = err_sys(err, errno, "write layers to disk");
	for (size_t i = 0; r == 0 && i < n; i++)
		r = commit_layer(t, a, &m[i], err);
	return r < 0 || !n ? r : sync_part(t, "layers", err);
}

/* ---- templates ---- */

static int fill(const struct template_making *m, const char *config, size_t n,
	const struct template_info *info, struct err *err)
{
	size_t len = 0;
	_cleanup_free_ char *text = template_info_text(info, &len);
	if (!text)
		return err_set(err, ENOMEM, "out of memory");
	int r = file_write_atomic(m->dir, "config", config, n, 0600, true, err);
	if (r == 0)
		r = file_write_atomic(m->dir, "info", text, len, 0600, true, err);
	CRASH_STEP();
	if (r == 0 && fsync(m->dir) < 0)
		r = err_sys(err, errno, "write a template to disk");
	return r;
}

/* Is it there, whole, with this very configuration? */
static bool is_there(
	const struct templates *t, struct arena *a, const char *id, const char *config, size_t n)
{
	struct template f;
	char *have;
	return template_read(t, a, id, &f, NULL) == 0 &&
		template_config(t, a, id, &have, NULL) == (ssize_t)n &&
		memcmp(have, config, n) == 0;
}

/* The damaged one that is in its place goes into tmp/ in exchange. */
static int replace(
	const struct templates *t, const struct template_making *m, const char *id, struct err *err)
{
	char from[40], to[96];
	snprintf(from, sizeof(from), "tmp/%s", m->name);
	snprintf(to, sizeof(to), "images/%s", id);
	CRASH_STEP();
	if (syscall(SYS_renameat2, t->fd, from, t->fd, to, RENAME_EXCHANGE) < 0)
		return err_sys(err, errno, "replace %s/%s", t->dir, to);
	CRASH_STEP();
	return 0;
}

int templates_commit(const struct templates *t, struct arena *a, const char *config, size_t n,
	const struct template_info *info, char ret_id[static 65], struct err *err)
{
	struct template_making m = TEMPLATE_MAKING_NONE;
	char id[SHA256_HEX + 1];
	if (info->layers.n > TEMPLATE_LAYERS_MAX)
		return err_set(err, E2BIG, "more than %d layers", TEMPLATE_LAYERS_MAX);
	if (n > TEMPLATE_CONFIG_MAX)
		return err_set(err, EFBIG, "the configuration is larger than %zu bytes",
			TEMPLATE_CONFIG_MAX);
	for (size_t i = 0; i < info->layers.n; i++)
		if (!template_layer_have(t, info->layers.v[i]))
			return err_set(
				err, ENOENT, "layer %.12s is not in the store", info->layers.v[i]);
	sha256_hex(config, n, id);
	if (is_there(t, a, id, config, n)) {
		memcpy(ret_id, id, sizeof(id));
		return 0;
	}
	int r = templates_begin(t, &m, err);
	if (r == 0)
		r = fill(&m, config, n, info, err);
	if (r == 0)
		r = put_in_place(t, &m, "images", id, err);
	/* by another who makes the same just now, or damaged */
	if (r == 1)
		r = is_there(t, a, id, config, n) ? 0 : replace(t, &m, id, err);
	if (r == 0)
		r = sync_part(t, "images", err);
	templates_abandon(t, &m);
	if (r == 0)
		memcpy(ret_id, id, sizeof(id));
	return r;
}

/* ---- tags ---- */

static int by_key(const void *a, const void *b)
{
	const struct template_tag *x = a, *y = b;
	return strcmp(x->key, y->key);
}

static int write_tags(const struct templates *t, struct template_tags *tags, struct err *err)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	if (!f)
		return err_sys(err, errno, "memory for the tags");
	if (tags->n)
		qsort(tags->v, tags->n, sizeof(*tags->v), by_key);
	for (size_t i = 0; i < tags->n; i++)
		fprintf(f, "%s sha256:%s %" PRId64 "\n", tags->v[i].key, tags->v[i].id,
			tags->v[i].time);
	int r = fclose(f) == 0 ? 0 : err_sys(err, errno, "memory for the tags");
	if (r == 0)
		r = file_write_atomic(t->fd, "tags", text, n, 0600, true, err);
	if (r == 0 && fsync(t->fd) < 0)
		r = err_sys(err, errno, "write %s to disk", t->dir);
	free(text);
	return r;
}

int templates_tag(const struct templates *t, struct arena *a, const char *key, const char *id,
	struct err *err)
{
	struct template_tags tags = {0};
	struct template f;
	struct ref ref;
	int r = ref_parse(a, key, &ref, err);
	if (r < 0)
		return r;
	char *own = ref_key(a, &ref);
	r = ref_check_new(&ref, err);
	if (r < 0)
		return r;
	_cleanup_close_ int lock = own ? lock_tags(t, err) : err_set(err, ENOMEM, "out of memory");
	if (lock < 0)
		return lock;
	r = template_read(t, a, id, &f, err);
	if (r == 0)
		r = templates_tags(t, a, &tags, err);
	if (r < 0)
		return r;
	size_t i = 0, cap = tags.n;
	while (i < tags.n && !streq(tags.v[i].key, own))
		i++;
	if (i < tags.n && streq(tags.v[i].id, id))
		return 0;
	if (i == tags.n) {
		tags.v = arena_grow(a, tags.v, tags.n, &cap, sizeof(*tags.v));
		if (!tags.v)
			return err_set(err, ENOMEM, "out of memory");
		tags.n++;
	}
	tags.v[i] = (struct template_tag){own, f.id, (int64_t)time(NULL)};
	return write_tags(t, &tags, err);
}

/* Take out those for which fn says so: how many, or -errno. */
static int drop_tags(const struct templates *t, struct arena *a, const char *key, const char *id,
	struct err *err)
{
	struct template_tags tags = {0};
	_cleanup_close_ int lock = lock_tags(t, err);
	int r = lock < 0 ? lock : templates_tags(t, a, &tags, err);
	size_t kept = 0;
	if (r < 0)
		return r;
	for (size_t i = 0; i < tags.n; i++)
		if (key ? !streq(tags.v[i].key, key) : !streq(tags.v[i].id, id))
			tags.v[kept++] = tags.v[i];
	int gone = (int)(tags.n - kept);
	tags.n = kept;
	r = gone ? write_tags(t, &tags, err) : 0;
	return r < 0 ? r : gone;
}

int templates_untag(const struct templates *t, struct arena *a, const char *key, struct err *err)
{
	int r = drop_tags(t, a, key, NULL, err);
	if (r == 0) {
		err_hint(err, "bawn template ls lists those there are");
		return err_set(err, ENOENT, "there is no template %s", ref_shown(a, key));
	}
	return r < 0 ? r : 0;
}

int templates_untag_all(const struct templates *t, struct arena *a, const char *id, struct err *err)
{
	int r = drop_tags(t, a, NULL, id, err);
	return r < 0 ? r : 0;
}
