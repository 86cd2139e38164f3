/* sandbox/watch.h - noticing that the host replaced a file that is guarded inside (OWN-01).
 *
 * Owns: an inotify descriptor on the parents of every guarded path.  Must not: decide what then.
 * On a share it is somebody on the server, or on another machine, of whom inotify hears nothing:
 * what lies there is looked at, time and again.
 */
#ifndef BAWN_SANDBOX_WATCH_H
#define BAWN_SANDBOX_WATCH_H

#include <sys/types.h>

#include "base/blob.h"
#include "plan/plan.h"

#define WATCH_MAX 1024 /* guarded paths that are watched; more are guarded, but not put back */

struct watch_id {
	dev_t dev;
	ino_t ino; /* 0: none */
};

struct watch {
	int fd; /* readable when something happened; -1: nothing to watch */
	int *wd;
	const char **path;   /* guarded path i, whose parent is watched by wd[i] */
	struct watch_id *id; /* which file it was; NULL: none is on a share */
	uint64_t looked;     /* ms */
	size_t n;
	size_t unwatched; /* guards past WATCH_MAX or past the user's inotify limit */
};

/* Watch the guard rows of the plan.  0 or -errno. */
int watch_start(struct watch *w, const struct plan *p, struct err *err);
/* Read what happened: the first guarded path that was replaced, or NULL. */
const char *watch_read(struct watch *w);
/* How long to wait, in ms, before watch_look(); -1: nobody has to look. */
int watch_wait_ms(const struct watch *w);
/* The first guarded path on a share that has been replaced, or NULL.  Looks no more often than it
 * has to. */
const char *watch_look(struct watch *w);
/* The guard rows alone, in the plan's wire form, for `bawn-init reapply`. */
int watch_rows(const struct plan *p, struct blob *ret, struct err *err);
/* Watch the directories that are now where the watched ones were: the host may have put new ones in
 * their place.  From the outermost in, so that what is made meanwhile is seen in the one above. */
void watch_renew(struct watch *w);
void watch_stop(struct watch *w);

#endif
