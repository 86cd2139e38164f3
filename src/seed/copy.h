/* seed/copy.h - reading the user's files safely and writing the copies.
 *
 * Sources are only ever read.  A source may be a link (dotfile managers make them), but not one
 * that leads to where secrets are kept, or out of the workspace: the last run's agent could have
 * made that.  Copies are written below the sandbox's home without following any link there.
 */
#ifndef BAWN_SEED_COPY_H
#define BAWN_SEED_COPY_H

#include "seed/cache.h"
#include "seed/report.h"

#define SEED_FILE_MAX ((size_t)4 << 20)
/* Of settings only the listed keys are copied: what a tool notes beside them (claude keeps every
 * prompt in ~/.claude.json) may be large. */
#define SEED_DOC_MAX ((size_t)64 << 20)
#define SEED_TREE_BYTES_MAX ((size_t)64 << 20)
#define SEED_TREE_FILES_MAX 5000
#define SEED_TREE_DEPTH_MAX 16

/* What lies below that which is written, where the home is a template's; ud comes first.  A path is
 * one below the home, or an absolute one inside. */
struct seed_below {
	/* Its text, NUL behind it; bytes, -ENOENT, -EFBIG or -errno. */
	ssize_t (*read)(void *ud, struct arena *a, const char *path, size_t max, char **ret);
	bool (*exists)(void *ud, struct arena *a, const char *path);
	/* Where it has to be written below the root, as links of the template lead elsewhere. NULL:
	 * dst is the home, and that is where. */
	char *(*place)(void *ud, struct arena *a, const char *path);
	void *ud;
};

struct seed_copy {
	struct arena *a;
	struct seed_report *report;
	const char *home;               /* the host's, resolved */
	const char *workspace;          /* resolved, or NULL */
	int dst;                        /* the sandbox's home; with below, its root */
	const struct seed_below *below; /* or NULL */
	const struct strv *joined;      /* "~/PATH": copied although there is one below */
	const struct strv *shown;       /* what else of the host's is mounted inside */
	const char *path;               /* PATH inside */
	struct strv moved;   /* "REL=/PATH": the template's variables have it there (CODEX_HOME) */
	size_t bytes, files; /* copied so far, against the limits */
	struct seed_cache *cache; /* notes what is read and written, or NULL */
};

/* The content of a settings file of the user's, NUL behind it.  Bytes; -ENOENT; -errno with a
 * message. */
ssize_t seed_read(struct seed_copy *c, const char *path, char **ret, struct err *err);

/* Copy a file or a directory to rel below the home.  place: how messages call it.  What exists
 * there already stays.  What can't or mustn't be copied is named in the report; -errno only when
 * the copy itself fails. */
int seed_copy(struct seed_copy *c, const char *path, const char *rel, const char *place,
	const struct strv *exclude, struct err *err);

/* Write a file below the home, directories as needed (0700).  0 or -errno. */
int seed_write(struct seed_copy *c, const char *rel, const void *data, size_t n, bool exec,
	struct err *err);

/* Where that is: rel, or in a template's root an absolute path inside; NULL: out of memory. */
const char *seed_place(const struct seed_copy *c, const char *rel);

/* Does rel exist below the home (as anything)?  seed_exists() means: written by us, seed_has() also
 * in the template. */
bool seed_exists(const struct seed_copy *c, const char *rel);
bool seed_has(const struct seed_copy *c, const char *rel);
/* What the template has there: bytes, -ENOENT, -EFBIG or another -errno; -ENOENT without below. */
ssize_t seed_read_below(struct seed_copy *c, const char *rel, size_t max, char **ret);
/* Read it; bytes, -ENOENT, -errno.  seed_read_any(): the template's, where we wrote none. */
ssize_t seed_read_back(struct seed_copy *c, const char *rel, char **ret, struct err *err);
ssize_t seed_read_any(struct seed_copy *c, const char *rel, char **ret, struct err *err);

#endif
