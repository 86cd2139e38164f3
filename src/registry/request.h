/* registry/request.h - what bawn-registry is asked, and what it answers: lines "KEY VALUE".
 *
 * Owns: both written forms.  Must not: hold a secret; these come and go through descriptors of
 * their own.  Pure, used by both sides.
 *
 * Descriptors of bawn-registry: 0 the request, 1 the answer, 3 secrets (see secrets.h; /dev/null:
 * none), 4 the bytes: where a manifest or a blob goes, or what is pushed (a regular file).
 */
#ifndef BAWN_REGISTRY_REQUEST_H
#define BAWN_REGISTRY_REQUEST_H

#include <stdint.h>

#include "base/arena.h"

#define REGISTRY_REQUEST_MAX ((size_t)64 * 1024)
#define REGISTRY_MANIFEST_MAX ((int64_t)4 << 20)
/* A blob may have a TiB; what is behind that is a mistake or an attack. */
#define REGISTRY_BLOB_MAX ((int64_t)1 << 40)
#define REGISTRY_STALL 30 /* seconds with next to nothing: given up, and tried again */
#define REGISTRY_TRIES 5

/* REGISTRY_FETCH is done in a sandbox, of which a directory is all that comes out: bawn-registry
 * REGISTRY_IN DIR has in it the request, and leaves there the answer and the bytes. */
#define REGISTRY_IN "--in"
#define REGISTRY_IN_REQUEST "request"
#define REGISTRY_IN_ANSWER "answer"
#define REGISTRY_IN_DATA "data"

enum registry_op {
	REGISTRY_NONE,
	REGISTRY_MANIFEST,      /* ref: a tag or a digest; its bytes on 4 */
	REGISTRY_BLOB,          /* digest, size; its bytes on 4 as they come */
	REGISTRY_HAVE,          /* digest: is that blob there?  status 200 or 404; with from: by a
				   mount from that repository, too */
	REGISTRY_PUSH_BLOB,     /* digest, size: the file on 4, unless it is there */
	REGISTRY_PUSH_MANIFEST, /* ref, type: the file on 4 */
	REGISTRY_LOGIN,         /* host: what the config.json on 4 says of it */
	REGISTRY_HELPER,        /* what a credential helper has answered, on 4 */
	REGISTRY_FETCH,         /* url, size (the most): what is there, on 4; of no registry */
	REGISTRY_OPS,
};

struct registry_request {
	enum registry_op op;
	const char *base; /* "https://ghcr.io", "http://127.0.0.1:5000": no path */
	const char *repo; /* "library/debian" */
	const char *ref;
	const char *digest; /* "sha256:HEX" */
	const char *type;   /* a media type */
	const char *from;   /* another repository of the same registry */
	const char *host;
	const char *url;
	const char *trust; /* a file of certificates, in place of the machine's */
	const char *ca;    /* one more such file */
	const char *no_proxy;
	int64_t size;
	int64_t stall; /* seconds */
	int64_t tries; /* in all, of one that failed in a way that may pass */
};

struct registry_answer {
	const char *digest; /* of what was received */
	const char *type;   /* Content-Type */
	int64_t size;
	int64_t modified;  /* Last-Modified, in seconds since 1970; 0: not said */
	int64_t status;    /* of HTTP; 0: there was none */
	const char *error; /* NULL: it was done */
	const char *hint;
	const char *helper; /* REGISTRY_LOGIN: the program docker-credential-HELPER knows it */
};

/* The text, in arena.  NULL: out of memory, or a value has a control byte in it. */
char *registry_request_text(struct arena *a, const struct registry_request *q);
char *registry_answer_text(struct arena *a, const struct registry_answer *w);

/* text is cut up in place and stays with *ret.  0; -EBADMSG: an unknown key, one twice, a value
 * that can't be, or no end. */
int registry_request_parse(char *text, struct registry_request *ret);
int registry_answer_parse(char *text, struct registry_answer *ret);

#endif
