/* store/sandboxes.h - sandboxes that last: DATA/sandboxes/NAME/, complete when it has a spec.
 *
 *   spec          what it was created with (store/spec.h)
 *   lock          held (flock) by its supervisor while it runs, and by whoever changes it at rest
 *   control.sock  its supervisor's socket while it runs; nothing in the sandbox can reach it
 *   up/           the writable layer: up/home, up/ws (--workspace cow), up/tool-* (toolchains), or
 *                 up/root where the root is a template's
 *   work/         what overlayfs needs beside each of them
 *   pid1          a link to nowhere: number and beginning of what runs inside (store/leftover.c)
 *   unseen        its time: since when nobody has looked at what sessions left in the workspace
 *   seed/         lowest layer of the home: settings that came along, anew at each start; in a
 *                 template seed-root/, the layer above the template's (run/image.h)
 *   log           what sessions wrote that nobody watched; log.1 before it
 *   git/ ...      private copies for one run
 *
 * DATA/layers/ID/ holds frozen layers, made like up/: shared by sandboxes, never written again; one
 * that no spec names is garbage.  Whoever holds the lock knows that nobody else starts, changes or
 * removes the sandbox.  A directory appears under its name whole, and is renamed to ".gone-..."
 * before it is removed; store_collect() finishes what was cut short.
 */
#ifndef BAWN_STORE_SANDBOXES_H
#define BAWN_STORE_SANDBOXES_H

#include "store/spec.h"
#include "store/store.h"

/* -ENOENT (err untouched) when no sandbox has that name. */
int store_sandbox_find(
	struct store *s, struct arena *a, const char *name, struct spec *ret, struct err *err);
/* All names, sorted. */
int store_sandbox_list(struct store *s, struct arena *a, struct strv *ret, struct err *err);
/* Does anybody hold its lock? */
bool store_sandbox_busy(struct store *s, const char *name);

/* Make it, locked.  from: another one's directory, whose record of its starts and of what was
 * landed comes along with what it wrote; -1: none.  -EEXIST when the name is taken. */
int store_sandbox_create(struct store *s, struct arena *a, const struct spec *spec, int from,
	struct store_box *ret, struct err *err);
/* Take its lock.  -EBUSY (err untouched) while somebody else has it, -ENOENT when it is gone. */
int store_sandbox_lock(
	struct store *s, struct arena *a, const char *name, struct store_box *ret, struct err *err);
/* What was started in it: whoever has the lock next waits until that has ended, whatever became of
 * the supervisor. */
int store_sandbox_note_init(const struct store_box *b, pid_t pid, struct err *err);
/* That wait, for the sandbox's directory dir: 0, or -EBUSY where it doesn't end. */
int store_sandbox_leftover(int dir);
/* A session starts in a workspace that it writes to, at that time (of files, ns): 1, 0 when an
 * earlier time is noted already.  What it left has been looked through.  Since when that was not
 * done, though sessions ran; 0: it was. */
int store_sandbox_note_unseen(const struct store_box *b, uint64_t since_ns, struct err *err);
void store_sandbox_seen(const struct store_box *b);
uint64_t store_sandbox_unseen(const struct store_box *b);
/* Write a changed spec; the lock must be held. */
int store_sandbox_save(const struct store_box *b, const struct spec *spec, struct err *err);
/* Remove it with all it holds (its layers too, where no other sandbox names them), and let go of
 * the lock, which must be held. */
int store_sandbox_remove(struct store *s, struct store_box *b, struct err *err);
/* Let go of the lock; the sandbox stays. */
void store_sandbox_release(struct store_box *b);

/* Before a start, the lock held: an empty seed/, into which the user's settings are copied. */
int store_home_reset(const struct store_box *b, struct err *err);
/* seed/rel counts although there is an older rel in the home: a log-in.  In a template's root rel
 * may be absolute.  layered: there may be one in a frozen layer too.  0 or -errno; what stands in
 * the way stays. */
int store_home_refresh(const struct store_box *b, const char *rel, bool layered, struct err *err);
/* Where the home has a rel of its own, which hides seed/rel: these lines behind what is in it,
 * unless their first known bytes stand there.  0, 1 when they were put there, or -errno. */
int store_home_lines(const struct store_box *b, const char *rel, const char *lines, size_t known,
	struct err *err);

/* Host path of a part ("home", "ws", "tool-...") of layer id. */
char *store_layer_part(struct store *s, struct arena *a, const char *id, const char *part);

#endif
