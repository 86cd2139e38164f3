/* run/clone.h - --workspace clone: a git clone of the workspace that is the sandbox's own.
 *
 * Owns: making it, the remote by which the host's repository fetches from it, and every git process
 * that bawn starts on the host.  Must not: let git read anything that the sandbox has written,
 * outside of it.
 */
#ifndef BAWN_RUN_CLONE_H
#define BAWN_RUN_CLONE_H

#include "run/run.h"

#define CLONE_OBJECTS "/run/bawn/objects" /* the host's object store inside, read-only */
#define CLONE_LFS "/run/bawn/lfs/objects" /* its objects of Git LFS, where there are any */
#define CLONE_PART "ws"                   /* of the writable layer */
#define CLONE_SETUP "clone"               /* in the box: what the first session needs to know */
#define CLONE_SETUP_INSIDE "/run/bawn/clone"

/* r->ws was resolved; the workspace inside will be a clone of it.  -EINVAL, with the remedy, where
 * that can't be done. */
int clone_resolve(struct run *r, struct err *err);
/* The sandbox is locked and about to start: make the clone unless it was made (spec.branch),
 * inside, and the host's remote. */
int clone_ready(struct run *r, struct err *err);
/* The remote bawn-NAME of the host's repository; best effort. */
void clone_remote_add(struct run *r, const struct spec *s);
void clone_remote_remove(struct run *r, const struct spec *s);

#endif
