/* scan/walk.h - the directories of a workspace and the entries in them that matter, from the cache
 * where it holds.
 *
 * Theory: an unchanged directory (same inode, ctime, mtime) has the same names in it, and ctime
 * can't be set by anyone.  So a table of all directories with the few names that matter in each is
 * kept from the last scan; now one stat per directory tells which must be listed again.  What is in
 * the files themselves never comes from the cache unless the file's own ctime is the same.
 */
#ifndef BAWN_SCAN_WALK_H
#define BAWN_SCAN_WALK_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/digest.h"
#include "scan/glob.h"

enum cand_flag {
	CAND_MASK = 1,     /* its name matches a mask */
	CAND_CONTENT = 2,  /* may hold a private key: its head must be looked at */
	CAND_PROTECT = 4,  /* matches a protect pattern */
	CAND_PERSIST = 8,  /* in the table of what the host runs (persist.h); per is the row + 1 */
	CAND_GIT = 16,     /* ".git": directory, file or link */
	CAND_PRUNED = 32,  /* a directory that isn't walked (node_modules, ...) */
	CAND_SPECIAL = 64, /* socket, FIFO, device */
	CAND_LITERAL = 128,
	CAND_LOOKED = 256, /* the git index was asked; CAND_TRACKED is its answer */
	CAND_TRACKED = 512,
	CAND_CHECKED = 1024, /* content looked at when ino and ctime were these */
	CAND_KEY = 2048,     /* and it holds a private key */
	CAND_SHUT = 4096, /* the last start masked it; stays with the name when it is listed anew */
	CAND_HELD = 8192, /* git tracks it since then, with another content: masked still */
};

/* In struct dir's ctx, beside the row: */
#define DIR_BARE 0x10000u   /* looks like a bare git repository */
#define DIR_MASKED 0x20000u /* a mask took it or one above: everything in it is a candidate */

/* Both records are stored as they are: no padding, offsets into the pool instead of pointers. */
struct cand {
	uint32_t name;
	uint32_t flags;
	uint16_t per;
	uint8_t type; /* DT_* */
	uint8_t pad;
	uint32_t pad2;
	uint64_t ino;
	int64_t ctime;
};

struct dir {
	uint32_t path;  /* relative to the root, "" for it */
	uint32_t end;   /* index behind the last directory below this one (preorder) */
	uint32_t first; /* candidates */
	uint32_t n;
	uint32_t files; /* entries that are no directories */
	uint32_t ctx;   /* persist row + 1 that holds for everything in it, or 0 */
	uint64_t ino;   /* 0: always list again */
	int64_t ctime, mtime;
};

struct table {
	struct dir *dirs;
	struct cand *cands;
	char *pool;
	uint32_t n_dirs, n_cands, n_pool;
	uint32_t cap_dirs, cap_cands, cap_pool;
	struct digest index_state; /* of all git indexes when CAND_LOOKED was set */
};

struct walk;

/* What was found in a directory that was listed because it changed since `since`. */
typedef void (*walk_fresh_fn)(void *ctx, const char *path, const struct stat *st, bool known);
/* Something that was not looked at. */
typedef void (*walk_limit_fn)(void *ctx, const char *path, const char *why);

struct walk {
	int root; /* O_PATH or read descriptor of the root */
	struct glob_set mask, protect;
	const char *hooks_path; /* core.hooksPath relative to the root, or NULL */
	size_t max_path;        /* longest relative path that can still be named absolutely */
	uid_t uid;              /* whose directories can be shut from inside */
	int64_t since;          /* end: report entries of directories with a later ctime */
	bool full;              /* end: of all directories */
	walk_fresh_fn fresh;    /* NULL at the start */
	walk_limit_fn limit;
	void *ctx;
	/* result */
	struct table old, now; /* old: from the cache, kept for "was it there before" */
	bool have_old;
	bool rebuilt;     /* now differs from old; else it is old (shared memory) */
	uint32_t *origin; /* rebuilt: directory of old that each one of now was, or UINT32_MAX */
	uint64_t n_files;
	int failed; /* -errno */
};

int walk_run(struct walk *w);
/* "dir/name" in buf (PATH_MAX), false when too long. */
bool walk_path(const struct table *t, const struct dir *d, const struct cand *c, char *buf);
/* The same-named candidate in the table of the last scan; NULL: it was not there. */
const struct cand *walk_was(const struct walk *w, uint32_t dir, const char *name);

#define WALK_SHUT "no permission to look into it" /* limit()'s why */
/* path below the root without following any link; O_NONBLOCK|O_CLOEXEC|O_NOFOLLOW added. */
int walk_open(int root, const char *path, int flags);

/* scan/table.c: the cache file */
uint32_t table_string(struct table *t, const char *s, size_t n); /* 0 with pool NULL: no memory */
struct dir *table_dir(struct table *t);
struct cand *table_cand(struct table *t);
/* key: digest of root, patterns and names.  0, or -ESTALE for anything that is not a whole table of
 * it. */
int table_load(int fd, struct digest key, struct table *ret);
int table_store(int fd, struct digest key, const struct table *t);

#endif
