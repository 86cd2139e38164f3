/* build/mount.h - what RUN --mount=... says (pure).
 */
#ifndef BAWN_BUILD_MOUNT_H
#define BAWN_BUILD_MOUNT_H

#include <stdint.h>

#include "build/expand.h"

enum df_mount_type { DF_MOUNT_BIND, DF_MOUNT_CACHE, DF_MOUNT_TMPFS, DF_MOUNT_SECRET };
enum df_sharing { DF_SHARED, DF_PRIVATE, DF_LOCKED };

struct df_mount {
	enum df_mount_type type;
	const char *target, *source, *from, *id, *env; /* NULL: not said */
	enum df_sharing sharing;
	bool read_only, read_write, required;
	bool has_mode, has_owner;
	unsigned int mode, uid, gid;
	uint64_t size; /* 0: not said */
};

/* The value of one --mount.  e expands each value; NULL: values with a "$" in them are taken as
 * they are, which is for looking at the form alone.  0, -EINVAL, -E2BIG or -ENOMEM. */
int df_mount_parse(struct arena *a, const char *spec, const struct expand *e, struct df_mount *ret,
	struct err *err);

#endif
