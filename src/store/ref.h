/* store/ref.h - references to templates: [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], as Docker has them.
 *
 * What stands before the first slash is a host where it has a dot or a colon in it or is
 * "localhost"; else the host is docker.io, and there a path of one word is below library/.  A tag
 * that isn't said is "latest", unless there is a digest.
 *
 * Owns: that grammar and both of its written forms.  Must not: touch anything on disk.
 */
#ifndef BAWN_STORE_REF_H
#define BAWN_STORE_REF_H

#include "base/arena.h"

#define REF_NAME_MAX 255 /* HOST/PATH */
#define REF_TAG_MAX 128
#define REF_MAX (REF_NAME_MAX + 1 + REF_TAG_MAX + 1 + 71)
#define REF_HOST "docker.io"

struct ref {
	char *host;   /* "docker.io", "localhost:5000" */
	char *path;   /* "library/debian" */
	char *tag;    /* NULL: there is a digest alone */
	char *digest; /* "sha256:HEX", of a manifest; NULL: none */
};

/* 0; -EINVAL with the rule that was broken, foreign text escaped. */
int ref_parse(struct arena *a, const char *text, struct ref *ret, struct err *err);

/* "docker.io/library/debian:12", with "@sha256:..." behind it where there is a digest.  NULL: out
 * of memory. */
char *ref_full(struct arena *a, const struct ref *r);
/* The shortest form that means the same: "debian:12". */
char *ref_familiar(struct arena *a, const struct ref *r);
/* HOST/PATH alone, in the short form: "debian". */
char *ref_familiar_name(struct arena *a, const struct ref *r);

/* What the store knows it by: HOST/PATH@DIGEST where there is a digest, else HOST/PATH:TAG. */
char *ref_key(struct arena *a, const struct ref *r);
/* A key, or any full form, as a person writes it; the text itself where it is none. */
const char *ref_shown(struct arena *a, const char *key);

/* 64 lower-case hex digits. */
bool ref_is_hex(const char *s);
/* "sha256:" and such digits; the digits, or NULL. */
const char *ref_digest_hex(const char *digest);

/* -EINVAL: the name stands for something else wherever a template is named, and would never be
 * found. */
int ref_check_new(const struct ref *ref, struct err *err);

#endif
