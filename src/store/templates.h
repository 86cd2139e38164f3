/* store/templates.h - templates: DATA/templates, root file systems made of layers.
 *
 *   lock          flock: shared while somebody needs layers to stay (a start, an export, a load
 *                 under way); exclusive: whoever removes
 *   tags          "KEY sha256:HEX SECONDS" a line, sorted (ref_key(); HEX is a template)
 *   tags.lock     exclusive while tags is written anew
 *   images/HEX/   one template: its OCI config, byte for byte, whose sha256 is HEX, and the same as
 *                 `info` (store/template-info.h); whole when it has its name
 *   layers/HEX/   one layer: fs/, frame, info; HEX = sha256 of its uncompressed tar; whole when it
 *                 has its name, and never written again but for blobs in info
 *   tmp/NAME/     being made, flocked by its maker; without a locker: garbage
 *   cache/HEX     what a build step made; a line "layer HEX" keeps that layer
 *
 * Theory of operation.  Everything gets its name whole: made in tmp/, synced, renamed.  A template
 * is named by tags, or by nothing but its ID; sandboxes pin the ID (spec.digest).  What is made and
 * what is about to be used is covered by the shared lock, from before it is looked up until
 * something on disk names it; who removes has the exclusive lock and looks again.  A sandbox that
 * leaves no spec holds the template itself (template_use).  So an instant between two steps is the
 * old store or the new one, plus garbage that the next one with the exclusive lock removes: tmp/
 * without a locker, layers that no template names.
 *
 * Usual order of a maker:  templates_open, templates_hold, templates_begin (for each layer; let
 * bawn-layer fill making.dir), templates_commit_layers (all at once: one sync), templates_commit
 * (the image), templates_tag, close the hold.
 */
#ifndef BAWN_STORE_TEMPLATES_H
#define BAWN_STORE_TEMPLATES_H

#include "store/ref.h"
#include "store/store.h"
#include "store/template-info.h"

struct templates {
	char *dir; /* DATA/templates */
	int fd;    /* the same */
};

#define TEMPLATES_NONE ((struct templates){.fd = -1})

/* Find and make the directories, 0700.  data: path_xdg.data, store.xdg.data. */
int templates_open(struct arena *a, const char *data, struct templates *ret, struct err *err);
void templates_close(struct templates *t);

/* Hold off whoever removes; waits for one that is at it.  A descriptor to close, or -errno. */
int templates_hold(const struct templates *t, struct err *err);
/* Be the only one, after at most wait_ms: a descriptor to close; -EBUSY (err set) when others are
 * still at work. */
int templates_lock(const struct templates *t, int wait_ms, struct err *err);

/* ---- looking up (under a hold, where what is found is to be used) ---- */

struct template
{
	char *id;                  /* 64 hex digits */
	char *key;                 /* the tag it was found by; NULL: by its ID */
	struct template_info info; /* filled by template_find, template_read */
};

/* text: a reference, "sha256:HEX", or the first digits of an ID (4 or more).  -EINVAL when it is
 * none of them; -ENOENT when there is no such template; -ENOTUNIQ when digits fit several. */
int template_find(const struct templates *t, struct arena *a, const char *text,
	struct template *ret, struct err *err);
/* The same, id and key alone: it may be damaged. */
int template_resolve(const struct templates *t, struct arena *a, const char *text,
	struct template *ret, struct err *err);
/* By its whole ID.  -ENOENT (err set) when it isn't there; -EIO when it is damaged or a layer is
 * missing. */
int template_read(const struct templates *t, struct arena *a, const char *id, struct template *ret,
	struct err *err);
/* The config, byte for byte, NUL behind it.  Bytes, or -errno. */
ssize_t template_config(
	const struct templates *t, struct arena *a, const char *id, char **ret, struct err *err);
#define TEMPLATE_CONFIG_MAX ((size_t)8 << 20)

struct template_tag {
	char *key, *id;
	int64_t time; /* when it was set: seconds since the epoch */
};
struct template_tags {
	struct template_tag *v;
	size_t n;
};
int templates_tags(
	const struct templates *t, struct arena *a, struct template_tags *ret, struct err *err);
/* Everything in a part of the store ("layers", "tmp"), in no order, added to ret. */
int templates_names(const struct templates *t, const char *kind, struct arena *a, struct strv *ret,
	struct err *err);
/* All IDs, sorted. */
int templates_ids(const struct templates *t, struct arena *a, struct strv *ret, struct err *err);

/* Host path of a layer's fs/, and of the layer. */
char *template_layer_fs(const struct templates *t, struct arena *a, const char *diff);
/* Those of layers (diffs, lowest first) as an overlay takes them: top first, and of a layer that is
 * there several times the topmost, as a directory counts once; the lower one is all behind it. */
struct strv template_lowers(const struct templates *t, struct arena *a, const struct strv *layers);
char *template_layer_dir(const struct templates *t, struct arena *a, const char *diff);
bool template_layer_have(const struct templates *t, const char *diff);
int template_layer_read(const struct templates *t, struct arena *a, const char *diff,
	struct template_layer *ret, struct err *err);
/* The layer of which digest ("sha256:HEX") is a packed form: its diff, or NULL. */
char *template_layer_of_blob(const struct templates *t, struct arena *a, const char *digest);

/* ---- who uses it ---- */

/* For a sandbox that leaves no spec: hold the template until the descriptor is closed. */
int template_use(const struct templates *t, const char *id, struct err *err);
/* Names of the sandboxes that pin it.  -EAGAIN (err set) where a spec can't be read. */
int template_users(
	struct store *s, struct arena *a, const char *id, struct strv *ret, struct err *err);

/* ---- making (under a hold) ---- */

struct template_making {
	char name[24];               /* below tmp/ */
	int dir;                     /* it, flocked; -1: none */
	struct template_layer layer; /* what was made: set before the commit */
};
#define TEMPLATE_MAKING_NONE ((struct template_making){.dir = -1})

/* An empty directory. */
int templates_begin(const struct templates *t, struct template_making *ret, struct err *err);
/* Remove what was not committed; safe on TEMPLATE_MAKING_NONE and after a commit. */
void templates_abandon(const struct templates *t, struct template_making *m);
/* Put n layers into their places, lowest first, after one sync; one that is there already stays,
 * and gets to know m's blobs.  On failure the rest is still the caller's to abandon. */
int templates_commit_layers(const struct templates *t, struct arena *a, struct template_making *m,
	size_t n, struct err *err);
/* Remember another packed form of a layer: "sha256:HEX BYTES MEDIATYPE". */
int template_layer_add_blob(const struct templates *t, struct arena *a, const char *diff,
	const char *blob, struct err *err);
/* A template of this config and info (made of it by bawn-image), all layers of which are there.
 * ret_id gets 65 bytes. */
int templates_commit(const struct templates *t, struct arena *a, const char *config, size_t n,
	const struct template_info *info, char ret_id[static 65], struct err *err);
/* Let key (ref_key()) name template id from now on. */
int templates_tag(const struct templates *t, struct arena *a, const char *key, const char *id,
	struct err *err);

/* ---- removing (templates_lock() is held, but for untag) ---- */

/* -ENOENT when there is no such tag.  The template stays. */
int templates_untag(const struct templates *t, struct arena *a, const char *key, struct err *err);
/* All tags of template id. */
int templates_untag_all(
	const struct templates *t, struct arena *a, const char *id, struct err *err);
/* -EBUSY, by name, while a sandbox uses it.  Its tags go with it; layers are for the collector. */
int template_check_unused(const struct templates *t, struct store *s, struct arena *a,
	const char *id, struct err *err);
int template_remove(const struct templates *t, struct store *s, struct arena *a, const char *id,
	struct err *err);

struct template_garbage {
	bool layers;    /* in: also layers that nothing names, not just tmp/ */
	bool cache;     /* in: also all that builds keep */
	bool only_look; /* in: count, remove nothing */
	uint64_t n_layers, n_cache, n_tmp, bytes; /* out */
};
/* -EIO, with nothing removed of the layers, where a template's description can't be read. */
int templates_collect(
	const struct templates *t, struct arena *a, struct template_garbage *g, struct err *err);

#endif
