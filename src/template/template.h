/* template/template.h - templates come and go: archives in and out, and what they are checked for.
 *
 * Owns: what an archive of images has to be, layer for layer, before it is in the store.  Must not:
 * parse a byte of one (bawn-layer and bawn-image do), print, or execute anything of a template's.
 */
#ifndef BAWN_TEMPLATE_TEMPLATE_H
#define BAWN_TEMPLATE_TEMPLATE_H

#include "image/image.h"
#include "store/templates.h"
#include "template/layer-run.h"
#include "template/progress.h"

/* What all of it works with. */
struct template_work {
	struct arena *a;
	struct templates *t;
	char *layer_helper, *image_helper; /* paths of bawn-layer and bawn-image */
	struct progress progress;
	/* whose position tells how far a helper is with the layer at hand; -1: nothing does */
	int follow;
	uint64_t follow_from, follow_base; /* its position, and progress.done, at the beginning */
};

/* Begin to follow fd, from position from on; template_pulse draws. */
void template_follow(struct template_work *w, int fd, uint64_t from);
void template_pulse(void *work);

/* Paths of the helpers in libexec. */
int template_work_init(struct template_work *w, struct arena *a, struct templates *t,
	const char *libexec, struct err *err);

/* ---- putting one together ---- */

/* Layers being made, lowest first, of a template that is not there yet. */
struct template_stack {
	struct strv diffs;              /* of all so far */
	struct template_making *making; /* those that are not in the store yet */
	size_t n;
	int lower[TEMPLATE_LAYERS_MAX]; /* fs/ of all so far, topmost last */
	size_t n_lower;
};
/* One more layer on top; it has to be diff (64 hex digits), and its packed form blob
 * ("sha256:HEX"), where that is not NULL.  One that is in the store is not read again. */
int template_stack_add(struct template_work *w, struct template_stack *s, const char *diff,
	const char *blob, const struct layer_source *from, struct err *err);
/* Put them into the store, and a template of them and this config (read for platform p, NULL: any).
 * ret_id gets 65 bytes. */
int template_stack_commit(struct template_work *w, struct template_stack *s, const char *config,
	size_t n, const struct image_platform *p, char ret_id[static 65], struct err *err);
void template_stack_free(struct template_work *w, struct template_stack *s);

/* The image's own /etc/passwd, as far as it is a file: bytes in arena, 0 where there is none.
 * lower: its layers' fs/, topmost last. */
ssize_t template_passwd(struct arena *a, const int *lower, size_t n, char **ret);

/* ---- archives ---- */

struct template_loaded {
	char id[65];
	struct strv names; /* keys that name it now */
};
/* Load all images of an archive.  tag: a key that the only one of it gets too, NULL: none.  The
 * store is held by the caller.  *ret is as long as there were images; on failure, *ret_n of them
 * are in the store. */
int template_load(struct template_work *w, int fd, const struct image_platform *p, const char *tag,
	struct template_loaded **ret, size_t *ret_n, struct err *err);

/* An archive of these templates, on fd: an OCI layout, and unless oci, also what `docker load`
 * reads. */
struct template_export {
	char *id;
	struct strv names; /* as they are to stand there: full references */
};
int template_export(struct template_work *w, int fd, const struct template_export *v, size_t n,
	bool oci, struct err *err);

/* ---- checking ---- */

/* Says each thing that is amiss, in words; content: read every byte of every layer again.  Number
 * of findings, or -errno. */
int template_verify(struct template_work *w, struct store *s, bool content,
	void (*say)(void *ctx, const char *text), void *ctx, struct err *err);

#endif
