/* build/steps.c - a step that makes a layer, or the cache's word that it is made; see build.h */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/escape.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/tree.h"
#include "build/build.h"
#include "template/layer-run.h"

static int oom(struct err *err)
{
	return err_set(err, ENOMEM, "out of memory");
}

struct strv build_lowers(struct build *b, const struct build_state *st)
{
	return template_lowers(&b->store, &b->a, &st->layers);
}

char *build_key(struct build *b, const struct build_state *st, const char *const *part, size_t n)
{
	struct sha256 sum;
	char hex[SHA256_HEX + 1];
	static const char version[] = "bawn-build 6";
	sha256_begin(&sum);
	sha256_add(&sum, version, sizeof(version));
	for (size_t i = 0; i < st->layers.n; i++)
		sha256_add(&sum, st->layers.v[i], strlen(st->layers.v[i]) + 1);
	sha256_add(&sum, "", 1);
	for (size_t i = 0; i < n; i++)
		if (part[i])
			sha256_add(&sum, part[i], strlen(part[i]) + 1);
	return arena_dup(&b->a, sha256_end(&sum, hex));
}

/* ---- the cache ---- */

/* The layer that key made, where it is still there; "" for a step that changed nothing. */
static char *cached(struct build *b, const char *key)
{
	char path[96], *text = NULL;
	snprintf(path, sizeof(path), "cache/%s", key);
	ssize_t n = b->opt.no_cache ? -1 : file_read(&b->a, b->store.fd, path, 4096, &text, NULL);
	if (n < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	if (streq(text, "nothing"))
		return arena_dup(&b->a, "");
	const char *hex = has_prefix(text, "layer ") ? text + 6 : "";
	return ref_is_hex(hex) && template_layer_have(&b->store, hex) ? arena_dup(&b->a, hex)
								      : NULL;
}

static int remember(struct build *b, const char *key, const char *hex, struct err *err)
{
	char path[96], text[96];
	snprintf(path, sizeof(path), "cache/%s", key);
	int n = hex ? snprintf(text, sizeof(text), "layer %s\n", hex)
		    : snprintf(text, sizeof(text), "nothing\n");
	CRASH_STEP();
	return file_write_atomic(b->store.fd, path, text, (size_t)n, 0600, false, err);
}

/* ---- making ---- */

/* The upper's root stands for the whole root: it is to be what it was. */
static int begin_upper(
	struct build *b, const struct build_state *st, const char *dir, struct err *err)
{
	static const char *const attrs[] = {"user.rootlesscontainers", "user.bawn.mode"};
	char *fs = path_join(&b->a, dir, "fs"), *work = path_join(&b->a, dir, "work"), value[64];
	struct stat was;
	if (!fs || !work)
		return oom(err);
	if (mkdir(fs, 0755) < 0 || chmod(fs, 0755) < 0 || mkdir(work, 0700) < 0)
		return err_sys(err, errno, "create %s", fs);
	if (!st->layers.n)
		return 0;
	char *top = template_layer_fs(&b->store, &b->a, st->layers.v[st->layers.n - 1]);
	if (!top || stat(top, &was) < 0 || chmod(fs, was.st_mode & 07777) < 0)
		return err_sys(err, errno, "look at the layer below");
	for (size_t i = 0; i < ARRAY_LEN(attrs); i++) {
		ssize_t n = getxattr(top, attrs[i], value, sizeof(value));
		if (n >= 0 && setxattr(fs, attrs[i], value, (size_t)n, 0) < 0)
			return err_sys(err, errno, "record an owner");
	}
	return 0;
}

/* Frame and digest, in a confined process. */
static int adopt(struct build *b, struct template_making *m, const struct build_owner *owner,
	struct err *err)
{
	char *helper = path_join(&b->a, b->install.libexec, "bawn-layer");
	char *ids = arena_printf(&b->a, "%u:%u", owner->uid, owner->gid);
	_cleanup_close_ int links = openat(m->dir, BUILD_LINKS, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (links >= 0 && unlinkat(m->dir, BUILD_LINKS, 0) < 0)
		return err_sys(err, errno, "remove a list");
	return helper && ids ? layer_run_adopt(helper, &b->a, m->dir, ids, links, &m->layer, err)
			     : oom(err);
}

/* A layer of dir/fs, unless there is nothing in it: *ret_hex is NULL then. */
static int seal(struct build *b, struct build_step *s, struct template_making *m, char **ret_hex,
	struct err *err)
{
	char *fs = arena_printf(&b->a, "%s/tmp/%s/fs", b->store.dir, m->name);
	if (!fs)
		return oom(err);
	if (file_dir_empty(fs)) {
		templates_abandon(&b->store, m);
		*ret_hex = NULL;
		return 0;
	}
	int r = adopt(b, m, &s->owner, err);
	char *hex = r < 0 ? NULL : arena_dup(&b->a, m->layer.diff);
	if (r == 0)
		r = templates_commit_layers(&b->store, &b->a, m, 1, err);
	if (r == 0)
		*ret_hex = hex;
	return r;
}

static int make(struct build *b, struct build_state *st, struct build_step *s, char **ret_hex,
	struct err *err)
{
	struct template_making m = TEMPLATE_MAKING_NONE;
	int r = templates_begin(&b->store, &m, err);
	if (r < 0)
		return r;
	char *dir = arena_printf(&b->a, "%s/tmp/%s", b->store.dir, m.name);
	r = dir ? begin_upper(b, st, dir, err) : oom(err);
	if (r == 0)
		r = s->make(b, st, s, dir, err);
	if (r >= 0 && (s->owner.uid || s->owner.gid))
		r = build_keep_owners(b, st, dir, err);
	if (r >= 0)
		r = tree_remove(m.dir, "work", err);
	if (r >= 0)
		r = seal(b, s, &m, ret_hex, err);
	templates_abandon(&b->store, &m);
	return r;
}

int build_step_run(struct build *b, struct build_state *st, struct build_step *s, struct err *err)
{
	char *hex = cached(b, s->key);
	bool hit = hex != NULL;
	int r = 0;
	if (st->layers.n >= TEMPLATE_LAYERS_MAX)
		return err_set(err, E2BIG, "a template has at most %d layers: join instructions",
			TEMPLATE_LAYERS_MAX);
	build_say_step(b, s->what, hit);
	if (!hit) {
		r = make(b, st, s, &hex, err);
		if (r >= 0)
			r = remember(b, s->key, hex, err);
	}
	if (r < 0)
		return r;
	bool layer = hex && *hex;
	if (layer &&
		(strv_push(&b->a, &st->layers, hex) < 0 ||
			strv_addf(&b->a, &st->changes, "layer %s", hex) < 0))
		return oom(err);
	return strv_addf(&b->a, &st->changes, "%s %s", layer ? "history" : "empty-history",
		       s->what) < 0
		? oom(err)
		: 0;
}
