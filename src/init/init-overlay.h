/* init/init-overlay.h - an overlay of many layers.
 *
 * Owns: the descriptors of one overlay's directories while it is put together.  Must not: know the
 * plan, or where the overlay goes.
 */
#ifndef BAWN_INIT_INIT_OVERLAY_H
#define BAWN_INIT_INIT_OVERLAY_H

#include <stddef.h>
#include <stdint.h>

#define OVERLAY_LOWER_MAX 200

struct overlay {
	int lower[OVERLAY_LOWER_MAX]; /* top first */
	size_t n;
	int upper, work;
	int beside;        /* the directory that the last one lies in, two levels up */
	char *beside_path; /* its path */
};

#define OVERLAY_NONE ((struct overlay){.upper = -1, .work = -1, .beside = -1})

/* One more lower directory, below those that are there.  0 or -errno. */
int overlay_add(struct overlay *o, const char *path);
/* "upper", newline, "work".  0 or -errno. */
int overlay_open_upper(struct overlay *o, const char *pair);
/* A detached mount of it (without an upper directory, read-only), of flags MOUNT_FLEETING;
 * -EOPNOTSUPP where the kernel
 * can't take layers one by one. */
int overlay_tree(const struct overlay *o, uint32_t flags);
/* The same by mount(2), on the directory point; flags of the plan.  0 or -errno. */
int overlay_mount(const struct overlay *o, int point, uint32_t flags);
void overlay_release(struct overlay *o);

#endif
