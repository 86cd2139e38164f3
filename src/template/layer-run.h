/* template/layer-run.h - bawn-layer, as the rest of bawn calls it (layer/layer.h says what it
 * does).
 *
 * Owns: its descriptors, its result, and the pulse by which a caller shows progress.  Must not:
 * believe it more than its result says.
 */
#ifndef BAWN_TEMPLATE_LAYER_RUN_H
#define BAWN_TEMPLATE_LAYER_RUN_H

#include "base/arena.h"
#include "base/link-owners.h"
#include "store/template-info.h"

/* Called several times a second while it works; ctx is the caller's. */
struct layer_pulse {
	void (*fn)(void *ctx);
	void *ctx;
};

/* A tar: all of fd from where it stands, or (part) length bytes of a file from offset on. */
struct layer_source {
	int fd;
	bool part, implied; /* implied: no layer, such directories are marked (layer/layer.h) */
	uint64_t offset, length;
};

/* Make fs/ and frame of a tar in the empty directory dir.  lower: the fs/ directories of the layers
 * below, topmost first.  -ENOEXEC where it does not even begin as a tar does. */
int layer_run_read(const char *helper, struct arena *a, const struct layer_source *from, int dir,
	const int *lower, size_t n_lower, const struct layer_pulse *pulse,
	struct template_layer *ret, struct err *err);
/* The tar of the layer in dir, written to out; how: "none", "gzip", "zstd". */
int layer_run_write(const char *helper, struct arena *a, int dir, int out, const char *how,
	const struct layer_pulse *pulse, struct template_layer *ret, struct err *err);
/* Is the tree of the layer in dir what its tar says, of which *ret has the digest?  making: an
 * empty directory, to be used for it.  -EBADMSG with the first thing that is not. */
int layer_run_check(const char *helper, struct arena *a, int dir, int making,
	const struct layer_pulse *pulse, struct template_layer *ret, struct err *err);
/* A finished upper directory (dir/fs) becomes a layer as it stands; owner: of what says nothing of
 * one, "0:0"; links: a file that says whose its links and FIFOs are (base/link-owners.h), or -1.
 */
int layer_run_adopt(const char *helper, struct arena *a, int dir, const char *owner, int links,
	struct template_layer *ret, struct err *err);
/* Whose the links and FIFOs of the layer in dir are. */
int layer_run_links(
	const char *helper, struct arena *a, int dir, struct link_owners **ret, struct err *err);

/* What an archive of images holds. */
struct archive_member {
	char *name;            /* as it stands there */
	char *target;          /* of a link; NULL: a file */
	uint64_t offset, size; /* of a file's bytes, in the plain tar */
};
struct archive {
	struct archive_member *v; /* sorted by name; the last of one name counts */
	size_t n;
	bool in_copy; /* the plain tar is in the copy, not in the file itself */
};
/* copy: an empty file, for what is compressed or can't be read twice. */
int layer_run_index(const char *helper, struct arena *a, int from, int copy,
	const struct layer_pulse *pulse, struct archive *ret, struct err *err);
/* NULL: there is no such file.  A link counts as what it leads to, where that is a file of the
 * archive by its plain name: names are compared, nothing is opened. */
const struct archive_member *archive_find(const struct archive *v, const char *name);

#endif
