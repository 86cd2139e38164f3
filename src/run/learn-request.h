/* run/learn-request.h - which requests a run made to one host, as rules on requests.
 *
 * Pure.  What is private in a path does not become a rule: no query, and what looks like a number,
 * a key, a name of somebody or anything but a plain word is "*".
 */
#ifndef BAWN_RUN_LEARN_REQUEST_H
#define BAWN_RUN_LEARN_REQUEST_H

#include <stdint.h>

#include "base/arena.h"

enum {
	LEARN_GLOBS_MAX =
		48,      /* to one host; with more, its requests are told apart by method alone */
	LEARN_ALIKE = 4, /* that differ in one segment alone are one with "*" there */
	LEARN_METHODS_LEN = 64
};

struct learn_glob {
	char *path;                      /* a glob */
	char methods[LEARN_METHODS_LEN]; /* "GET,HEAD" */
	uint64_t times;
};

struct learn_requests {
	struct learn_glob v[LEARN_GLOBS_MAX];
	size_t n;
	bool all;    /* too many kinds: one glob for all of them */
	bool unsaid; /* there was a request that no rule can say */
};

/* The glob of a request's path, which has no query; cut: its end is missing.  0 or -EINVAL. */
int learn_glob(const char *path, bool cut, char *buf, size_t cap);

void learn_request_add(
	struct arena *a, struct learn_requests *l, const char *method, const char *path, bool cut);
/* All have been added: what is alike becomes one. */
void learn_requests_fold(struct arena *a, struct learn_requests *l);

#endif
