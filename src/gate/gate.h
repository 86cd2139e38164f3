/* gate/gate.h - the gate that a sandbox's files pass before they become a template: no secret does.
 *
 * Owns: what is looked into and how it is told.  Must not: change or remove anything, tell a value.
 *
 * bawn-gate gets a directory (3) that nobody writes any more, confines itself, and reads all that
 * is in it: the bytes of a sandbox are hostile.  It looks into files, compressed ones and archives
 * too, names, targets of links and extended attributes.  Descriptors: 0 the request, 1 the result,
 * 4 the known secrets (a sealed memfd, as gate_secrets_put() makes it).
 *
 * What it can't find: a secret that a program inside has written in a way of its own (encrypted,
 * spelt backwards).  The gate is there for what was left lying about.
 */
#ifndef BAWN_GATE_GATE_H
#define BAWN_GATE_GATE_H

#include <stdint.h>

#include "base/blob.h"

#define GATE_DIR_FD 3
#define GATE_SECRETS_FD 4
#define GATE_FOUND_MAX 1000 /* that are told one by one */
#define GATE_FOUND_FILE 20  /* of one file */
#define GATE_REQUEST_MAX ((size_t)8 << 20)

struct gate_request {
	struct strv allow; /* paths below the directory, with all below them: told, but no reason to
			      stop */
	struct strv harmless; /* placeholders: what looks like a secret and is none */
	uint64_t now;         /* seconds; 0: web tokens don't end */
};
int gate_request_write(struct blob *b, const struct gate_request *r);
int gate_request_read(
	struct arena *a, const void *data, size_t n, struct gate_request *ret, struct err *err);

/* One more known secret: name is shown ("the secret anthropic"). */
int gate_secrets_put(struct blob *b, const char *name, const void *v, size_t n);

struct gate_item {
	const char *path;   /* below the directory, foreign text */
	const char *member; /* of an archive, or "attribute NAME"; "" */
	const char *what;   /* a kind of secret; why it was not looked into */
	uint64_t line;      /* 0: not in a line */
};

struct gate_items {
	struct gate_item *v;
	size_t n, cap;
};

struct gate_result {
	struct gate_items found, allowed, unseen;
	uint64_t n_found, n_allowed, n_unseen; /* also what isn't told one by one */
	uint64_t files, bytes;
	uint64_t too_short; /* known secrets that can't be looked for */
};

/* What a helper has written: from a process that has read hostile things, so checked. */
int gate_result_read(
	struct arena *a, const void *data, size_t n, struct gate_result *ret, struct err *err);
int gate_result_put(struct blob *b, uint32_t tag, const struct gate_item *it);
enum gate_tag {
	GATE_TAG_ALLOW = 1,
	GATE_TAG_HARMLESS,
	GATE_TAG_NOW,
	GATE_TAG_NAME,
	GATE_TAG_VALUE,
	GATE_TAG_LINE,
	GATE_TAG_FOUND,
	GATE_TAG_ALLOWED,
	GATE_TAG_UNSEEN,
	GATE_TAG_TOTALS,
	GATE_TAG_FAILED,
};
struct gate_totals {
	uint64_t n_found, n_allowed, n_unseen, files, bytes, too_short;
};

/* Run helper (the absolute path of bawn-gate) on directory dir and wait.  secrets: a descriptor, or
 * -1.  0, or -errno when it could not look at everything. */
int gate_run(const char *helper, const struct gate_request *req, int dir, int secrets,
	struct arena *a, struct gate_result *ret, struct err *err);

#endif
