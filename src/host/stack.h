/* host/stack.h - a look into a root that is not mounted: layers as overlayfs would stack them.
 *
 * What is in there is a stranger's: links are followed as they would lead inside, never on the
 * host, and a file is opened beneath its layer alone.  Nothing is executed or mapped.  Must not:
 * write.
 */
#ifndef BAWN_HOST_STACK_H
#define BAWN_HOST_STACK_H

#include <sys/stat.h>

#include "base/arena.h"

struct host_stack_known;
struct host_stack {
	struct strv dirs; /* host paths of the layers, top first */
	/* The last n_fixed of them are changed by nobody while known lives, which keeps what was
	 * found in them (for all stacks that end with the same layers).  NULL: nothing is kept. */
	size_t n_fixed;
	struct host_stack_known *known;
};

struct host_stack_found {
	char *path;      /* inside, no link in it */
	const char *dir; /* the layer that has it: one of dirs */
	struct stat st;
};

/* Nothing is known yet.  base (NULL: none): a directory, open as base_fd while this is used, which
 * is asked for what lies below it.  NULL: out of memory. */
struct host_stack_known *host_stack_know(struct arena *a, const char *base, int base_fd);

/* What is known of n_fixed layers as bytes (malloc'd), for host_stack_recall() of a later start.
 * 0; -ENODATA: nothing that was not recalled. */
int host_stack_keep(const struct host_stack_known *k, size_t n_fixed, void **ret, size_t *ret_n);
/* Before anything is found: dirs as in the stack, of which the last n_fixed are the same layers as
 * then.  Of what was found then, st has st_mode and st_size alone.  0; -EBADMSG: not as it was
 * written, and nothing of it counts. */
int host_stack_recall(struct host_stack_known *k, const struct strv *dirs, size_t n_fixed,
	const void *data, size_t size);

/* path (absolute, as inside) with every link followed.  0; -ENOENT, -ENOTDIR, -ELOOP as the kernel
 * would say inside, where it lies in none of the mounts on top; -ENOMEM. */
int host_stack_find(struct arena *a, const struct host_stack *s, const char *path,
	struct host_stack_found *ret);
/* Where a file that is to be made at path would lie: the links of its directory followed, as far as
 * there is one.  NULL where something stands in the way. */
char *host_stack_place(struct arena *a, const struct host_stack *s, const char *path);
/* The host path of a file that is to be made in the directory seed, which lies over the stack, for
 * path inside; its directory is made.  NULL where something stands in the way. */
char *host_stack_seed(
	struct arena *a, const struct host_stack *s, const char *seed, const char *path);
/* What was found, to be read: a descriptor, or -errno. */
int host_stack_open(const struct host_stack_found *f);
/* Its text, NUL behind it, where it is a file of at most max bytes.  Bytes; -EFBIG past max,
 * -EINVAL where it is no file, or another -errno. */
ssize_t host_stack_read(struct arena *a, const struct host_stack_found *f, size_t max, char **ret);

#endif
