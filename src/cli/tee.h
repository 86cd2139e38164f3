/* cli/tee.h - standard output and error of a session by way of a child of ours, which keeps the end
 * of what was written.
 *
 * Owns: the child and the two pipes to it.  What reaches a terminal is filtered as a session's is
 * (sandbox/term-filter.h): it comes from inside.
 */
#ifndef BAWN_CLI_TEE_H
#define BAWN_CLI_TEE_H

#include "base/err.h"

#define TEE_TAIL_MAX 16384

/* Shared with the child. */
struct tee_tail {
	char text[TEE_TAIL_MAX + 1]; /* no NUL inside, whole lines where there is more than fits */
	size_t n;
};

struct tee {
	int saved[2]; /* what 1 and 2 were */
	int pid;
	struct tee_tail *tail;
};

struct tee_tail *tee_tail_new(struct err *err);
/* From here on 1 and 2 lead to the child; what is written to 1 goes to out, and its end into tail
 * (NULL: nowhere).  0 or -errno. */
int tee_begin(struct tee *t, int out, struct tee_tail *tail, struct err *err);
/* 1 and 2 are as they were, and all that came through the pipes has been written. */
void tee_end(struct tee *t);

#endif
