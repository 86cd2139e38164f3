/* host/stack-int.h - what is known of layers that nobody changes; shared by stack.c, which finds it
 * out, and stack-known.c, which carries it from one start to the next.
 */
#ifndef BAWN_HOST_STACK_INT_H
#define BAWN_HOST_STACK_INT_H

#include "host/stack.h"

#define KNOWN_MAX 1024 /* a stranger's links could lead to any number of names */

/* What some layers have at a path. */
struct level {
	int r; /* 0; -ENOENT */
	struct host_stack_found at;
	size_t *alive, n; /* those that have it as a directory, top first */
	size_t top;       /* index of at.dir, where r is 0 */
	bool hides;       /* what is below them */
};

/* One path in the layers that nobody changes. */
struct known {
	const char *path;
	struct level l;
};

struct host_stack_known {
	struct arena *a;
	const char *base; /* the directory base_fd; where the fixed layers lie in it, the way to
			   * them is short */
	int base_fd;
	struct known *v[KNOWN_MAX], root;
	size_t n, n_kept; /* n_kept: as many of them come from an earlier start */
};

#endif
