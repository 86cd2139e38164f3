/* store/template-info.h - what a template and a layer are, as text for programs without JSON:
 * images/HEX/info and layers/HEX/info (store/templates.h).
 *
 * The first line is "bawn-template 1" or "bawn-layer 1", then one "key value" a line; values run to
 * the end of the line, \n, \r and \\ stand for what can't stand there, lists repeat their key.  An
 * unknown key or a higher version is refused.
 *
 * Owns: both formats, and the result that bawn-layer gives.  Pure: no system call.
 */
#ifndef BAWN_STORE_TEMPLATE_INFO_H
#define BAWN_STORE_TEMPLATE_INFO_H

#include <stdint.h>

#include "base/arena.h"

#define TEMPLATE_LAYERS_MAX 127 /* as many as Docker allows */
#define TEMPLATE_INFO_MAX ((size_t)1 << 20)

struct template_info {
	struct strv layers;          /* diff_ids, 64 hex digits, lowest first */
	struct strv env;             /* KEY=value */
	struct strv entrypoint, cmd; /* one element each */
	struct strv shell, onbuild;  /* for builds on it: SHELL's elements, and instructions */
	char *user, *workdir;        /* as the image has them; NULL: none */
	char *arch, *os, *variant;   /* "amd64", "linux"; variant NULL: none */
	char *created;               /* RFC 3339; NULL: not said */
	struct strv passwd;          /* NAME:UID:GID:HOME:SHELL of the image's own /etc/passwd */
	uint64_t size;               /* bytes of all layers' files */
};

struct template_layer {
	char *diff;         /* 64 hex digits: sha256 of its tar */
	uint64_t size, tar; /* bytes of its files; of its tar */
	uint64_t entries, skipped;
	struct strv blobs; /* "sha256:HEX BYTES MEDIATYPE": packed forms that are known */
	struct strv notes; /* what was skipped or changed, in words */
};

/* Both take text of n bytes with a NUL behind it, and change it; strings point into it.  0, -EINVAL
 * with the line, or -EPROTO where a later bawn has written it. */
int template_info_parse(
	struct arena *a, char *text, size_t n, struct template_info *ret, struct err *err);
int template_layer_parse(
	struct arena *a, char *text, size_t n, struct template_layer *ret, struct err *err);

/* What bawn-layer writes as its result (no first line, and a "diff sha256:HEX"); media: the type
 * that its "blob DIGEST BYTES" gets, where the result names none. */
int template_layer_result(struct arena *a, char *text, size_t n, const char *media,
	struct template_layer *ret, struct err *err);

/* The text; free() it.  NULL: out of memory. */
char *template_info_text(const struct template_info *t, size_t *ret_n);
char *template_layer_text(const struct template_layer *l, size_t *ret_n);

#endif
