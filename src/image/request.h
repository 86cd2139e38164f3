/* image/request.h - what bawn-image is asked, as records, and what it does with it.
 */
#ifndef BAWN_IMAGE_REQUEST_H
#define BAWN_IMAGE_REQUEST_H

#include "base/blob.h"
#include "image/image.h"

enum image_op {
	IMAGE_READ_ARCHIVE = 1,
	IMAGE_READ_LAYOUT,
	IMAGE_READ_MANIFEST,
	IMAGE_READ_CONFIG,
	IMAGE_EDIT_CONFIG,
	IMAGE_WRITE_MANIFEST,
	IMAGE_WRITE_LAYOUT,
	IMAGE_WRITE_ARCHIVE,
	IMAGE_OPS
};

struct image_request {
	enum image_op op;
	const char *doc, *passwd; /* NULL: none */
	size_t n_doc, n_passwd;
	struct image_platform platform; /* arch NULL: any */
	struct strv lines;              /* writing: "KEY VALUE" */
};

#define IMAGE_LINES_MAX 100000

int image_request_write(struct blob *b, const struct image_request *req);
int image_request_read(
	struct arena *a, const void *data, size_t n, struct image_request *ret, struct err *err);

/* Answer it: lines on out.  0, or -errno with what was written worth nothing. */
int image_answer(struct arena *a, const struct image_request *req, FILE *out, struct err *err);

/* ---- the parts, each of a file of its own ---- */

struct json_value;

int image_archive_read(struct arena *a, const struct json_value *doc, FILE *out, struct err *err);
int image_layout_read(struct arena *a, const struct json_value *doc, const struct image_platform *p,
	FILE *out, struct err *err);
int image_manifest_read(struct arena *a, const struct json_value *doc,
	const struct image_platform *p, FILE *out, struct err *err);
int image_config_read(struct arena *a, const struct image_request *req,
	const struct json_value *doc, FILE *out, struct err *err);
int image_config_edit(
	struct arena *a, struct json_value *doc, const struct strv *lines, struct err *err);
int image_write(struct arena *a, const struct image_request *req, FILE *out, struct err *err);

/* The lines that the image's /etc/passwd has for uid 1000, and for user. */
int image_passwd(struct arena *a, const char *text, size_t n, const char *user, struct strv *ret);

/* Does only the processor's level stand against it? */
bool image_platform_beyond(const struct image_platform *want, const struct image_platform *have);
/* What helps where nothing fits. */
void image_platform_hint(const struct image_platform *want, bool beyond, struct err *err);
/* "linux/arm64/v8", escaped. */
char *image_platform_text(struct arena *a, const struct image_platform *p);

#endif
