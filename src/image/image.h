/* image/image.h - bawn-image: the JSON of images, read and written in a confined process.
 *
 * Owns: manifests, indexes and configurations of OCI and Docker, and what they may say.  Must not:
 * open a file, touch the store, or be asked for anything but a text from texts.
 *
 * bawn-image is asked once (base/job.h): the request, a sealed memfd on 0, is records of
 * base/blob.h; the answer on 1 is lines "KEY VALUE", \n, \r and \\ escaped, the last of them "done"
 * or "error TEXT" with "hint TEXT".  What is here asks it and believes nothing: digests, names and
 * numbers are looked at again.
 */
#ifndef BAWN_IMAGE_IMAGE_H
#define BAWN_IMAGE_IMAGE_H

#include "base/arena.h"
#include "store/line.h"
#include "store/template-info.h"

#define IMAGE_DOC_MAX ((size_t)8 << 20) /* of each document */
#define IMAGE_ARCHIVE_MAX 1000          /* images in one archive */

#define IMAGE_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define IMAGE_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define IMAGE_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define IMAGE_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define IMAGE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define IMAGE_DOCKER_INDEX "application/vnd.docker.distribution.manifest.list.v2+json"
#define IMAGE_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define IMAGE_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar.gzip"

/* Which image of several: "linux", "amd64", NULL. */
struct image_platform {
	const char *os, *arch, *variant;
	unsigned int level; /* amd64 without a variant: up to linux/amd64/vLEVEL; 0 is 1 */
};
extern const struct image_platform image_here; /* this machine's, but for its level */
struct image_platform image_machine(void);     /* and with it: what it can run */
/* "linux/amd64", "linux/arm64/v8"; a missing os is linux.  -EINVAL with the form. */
int image_platform_parse(
	struct arena *a, const char *text, struct image_platform *ret, struct err *err);

/* How well have fits want: 0 not at all; more is better.  have.os and .arch NULL: not said. */
int image_platform_fits(const struct image_platform *want, const struct image_platform *have);

/* What a manifest or index says of a blob. */
struct image_desc {
	char *digest; /* "sha256:HEX" */
	uint64_t size;
	char *media;
	struct strv names; /* of a layout's entry: store keys (ref_key) */
};

/* ---- reading: helper is the path of bawn-image ---- */

/* manifest.json of a `docker save` archive. */
struct image_saved {
	char *config;       /* name of a member */
	struct strv layers; /* the same, lowest first */
	struct strv names;  /* store keys */
};
int image_read_archive(const char *helper, struct arena *a, const char *doc, size_t n,
	struct image_saved **ret, size_t *ret_n, struct err *err);

/* index.json of an OCI layout: for each image it names, the manifest or index for this platform.
 * -ENOEXEC (err set) where there are only others. */
int image_read_layout(const char *helper, struct arena *a, const char *doc, size_t n,
	const struct image_platform *p, struct image_desc **ret, size_t *ret_n, struct err *err);

/* A manifest, or an index, of which one entry is chosen.  -ENOEXEC where there are only others. */
struct image_manifest {
	bool index;
	struct image_desc chosen; /* index: the manifest (or index) to read next */
	struct image_desc config; /* else */
	struct image_desc *layer; /* lowest first */
	size_t n;
};
int image_read_manifest(const char *helper, struct arena *a, const char *doc, size_t n,
	const struct image_platform *p, struct image_manifest *ret, struct err *err);

/* A configuration: *ret without size, which is the layers'.  p: -ENOEXEC when it is for another
 * platform; NULL: any.  passwd: the image's own /etc/passwd, n_passwd bytes, or NULL. */
int image_read_config(const char *helper, struct arena *a, const char *doc, size_t n,
	const struct image_platform *p, const char *passwd, size_t n_passwd,
	struct template_info *ret, struct err *err);

/* ---- writing ---- */

/* A configuration made of another (NULL: an empty one) by changes, each "KEY VALUE", in order:
 *
 *   env K=V, unenv K        user, workdir, stopsignal, author, created, arch, os, variant TEXT
 *   entrypoint ARG, cmd ARG, shell ARG     one element a line; the first of a key takes the place
 * of what was there; "no-entrypoint -", "no-cmd -", "no-shell -" leave none label K=V, expose
 * PORT/PROTO, volume PATH, onbuild TEXT; no-onbuild - healthcheck JSON        the object as it is
 * to stand there layer HEX               one more diff_id on top history TEXT            an entry
 * with a layer: what made it ("created_by") empty-history TEXT      an entry without one squash -
 * no layers and no history so far
 *
 * User, workdir and stopsignal with an empty value are removed.  *ret is in arena. */
int image_edit_config(const char *helper, struct arena *a, const char *base, size_t n,
	const struct strv *changes, char **ret, size_t *ret_n, struct err *err);

/* A manifest, of OCI or of Docker: the media types of config and layers are as given. */
int image_write_manifest(const char *helper, struct arena *a, bool docker,
	const struct image_desc *config, const struct image_desc *layer, size_t n_layers,
	char **ret, size_t *ret_n, struct err *err);
/* index.json of an OCI layout; names are full references. */
int image_write_layout(const char *helper, struct arena *a, const struct image_desc *manifest,
	size_t n, char **ret, size_t *ret_n, struct err *err);
/* manifest.json of a `docker save` archive; names as docker load takes them. */
int image_write_archive(const char *helper, struct arena *a, const struct image_saved *image,
	size_t n, char **ret, size_t *ret_n, struct err *err);

#endif
