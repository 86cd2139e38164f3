/* store/store.h - bawn's state on disk: where it is, who holds it, what is left over.
 *
 * $XDG_DATA_HOME/bawn/sandboxes/ID/{lock,home/,git/,overlay/}; an ephemeral sandbox's directory is
 * removed at its end, or, where bawn was killed, by the next command: whoever can take the lock
 * of a directory knows that nobody lives in it.  Directories appear and disappear only while the
 * lock of sandboxes/ itself is held (shared to make, exclusive to collect), so a fresh one is never
 * taken for a leftover.  One that has a spec lasts (store/sandboxes.h), and is none either.
 */
#ifndef BAWN_STORE_STORE_H
#define BAWN_STORE_STORE_H

#include "base/path.h"

#define STORE_LOCK_NAME "lock" /* of a sandbox, in its directory */

struct store {
	struct path_xdg xdg;
	char *sandboxes; /* directory */
	int lock;        /* sandboxes/.lock */
};

#define STORE_NONE ((struct store){.lock = -1})

/* Find and make the directories, 0700; -EPERM with the remedy where they can't be trusted. */
int store_open(struct arena *a, struct store *ret, struct err *err);
void store_close(struct store *s);

struct store_box {
	char *id;    /* "claude-myrepo-1f3a9c" */
	char *spare; /* where an unused directory is kept for the next start, or NULL */
	char *point; /* the workspace's place below home/, which a spare one still has */
	bool whole;  /* a spare one is that of a template's sandbox, with what bawn has put in */
	bool taken;  /* it was a spare one */
	char *work;  /* the working directories of its overlays; NULL: "work" */
	struct strv ways;    /* "home/.npm/_cacache", "up/PART": empty directories to be kept */
	bool ways_noted;     /* a spare one has the list of them */
	struct sweep *sweep; /* what removes those of former runs */
	char *dir;           /* host path */
	char *home;   /* host path: where what comes along into its home is put before a start */
	char *root;   /* the home below a template's root; NULL: it is a part of its own */
	bool lasting; /* it stays when the run is over (store/sandboxes.h) */
	int lock;     /* held while the sandbox lives */
};

#define STORE_BOX_NONE ((struct store_box){.lock = -1})

/* What the id of such a directory begins with. */
char *store_box_shape(struct arena *a, const char *profile, const char *workspace);

/* A fresh directory for an ephemeral sandbox, locked, with home/ in it.  The id is made of the
 * profile's and the workspace's name and a random part.  home: the user's, to tell where in it the
 * workspace will be mounted. */
int store_box_create(struct store *s, struct arena *a, const char *profile, const char *workspace,
	const char *home, struct store_box *ret, struct err *err);
/* The same for a template's sandbox: spare (NULL: nowhere) is where one that is like it is kept,
 * with all that bawn has put into it, and with nothing that was written inside. */
int store_box_create_like(struct store *s, struct arena *a, const char *profile,
	const char *workspace, const char *spare, struct store_box *ret, struct err *err);
/* What the run that begins will mount on in a box for this run: directories below home/, and upper
 * directories of overlays, below up/, relative to it.  They stay in a spare one where nothing was
 * left in them (store/spare.h).  Before anything is mounted: what was kept for others goes. */
void store_box_ways(struct store_box *b, struct arena *a, const struct strv *ways);
/* Have the working directories of former runs removed, which hold nothing, when this one has lasted
 * a while; a thread does it. */
void store_box_sweep(struct store_box *b);
/* Remove what is in the directory, and let go.  The directory itself is kept as CACHE/spare/KEY for
 * the next start with the same mount point, with nothing but empty ways in it. */
int store_box_remove(struct store_box *b, struct err *err);
/* The same, but the lock is for the caller to close (-1: none) when the kernel has taken down what
 * was mounted in it. */
int store_box_leave(struct store_box *b, int *ret_lock, struct err *err);

/* Remove what killed runs left behind.  Number removed, or -errno; another collector at work is no
 * error. */
int store_collect(struct store *s, struct err *err);

/* Remove cached files (packs, seeds, scans) that no start has used for 30 days; looks once a day,
 * by the time of CACHE_DIR/.pruned.  Best effort: what can't be removed stays. */
void store_prune_cache(const char *cache_dir);

#endif
