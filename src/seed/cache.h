/* seed/cache.h - what a seeding came to, kept for the next start.
 *
 * Only for profiles that bring nothing but git's identity along: what others bring may hold tokens
 * that end, and depends on more than files.  bawn-admin seed writes such a file beside filling the
 * home; bawn fills the next home from it without starting any program, as long as all that it was
 * made from is as it was.  It holds what the home gets, nothing else.
 *
 * cache.c (the reader) needs libc and base only: it stands on the start path.
 */
#ifndef BAWN_SEED_CACHE_H
#define BAWN_SEED_CACHE_H

#include "base/arena.h"
#include "base/blob.h"
#include "base/cache-file.h"
#include "base/digest.h"

#define SEED_CACHE_MAGIC "bawnseed"
#define SEED_CACHE_FORMAT 1u
#define SEED_CACHE_MAX ((size_t)1 << 20)
#define SEED_CACHE_FILES_MAX 8

/* The file: this, then a blob (base/blob.h) of payload_len bytes, and nothing behind it. */
struct seed_cache_head {
	char magic[8];
	uint32_t format;
	uint32_t head_len;
	struct digest payload; /* of everything behind the head */
	uint64_t payload_len;
};

enum seed_cache_tag {
	SEED_CACHE_NAME = 1, /* the file's own name */
	SEED_CACHE_SOURCE,   /* struct seed_cache_source, then the path with its NUL */
	SEED_CACHE_FILE,     /* u32 mode, the path below the home with its NUL, the content */
	SEED_CACHE_RECORDS,  /* string: the lines that bawn-admin seed printed */
};

struct seed_cache_source {
	struct source_id link, target; /* what lies at path, and behind it where that is a link */
};

/* ---- reader ---- */

struct seed_cache_key {
	const char *home;       /* HOME and XDG_CONFIG_HOME as bawn-admin would see them */
	const char *xdg_config; /* NULL: unset */
	bool template;          /* the root is one: the machine's settings don't count */
	bool no_system;         /* see seed_no_system() */
	const char *workspace;
	int git;           /* enum host_git_kind */
	const char *admin; /* bawn-admin: another build may decide otherwise */
};

/* "CACHE_DIR/seed/<32 hex>" in arena; NULL when there is no such bawn-admin or no memory. */
char *seed_cache_path(struct arena *a, const char *cache_dir, const struct seed_cache_key *key);

/* GIT_CONFIG_NOSYSTEM's value, or NULL: does git leave the machine's own settings out? */
bool seed_no_system(const char *value);

/* Fill the home (a directory, so far empty) from the cache file path.  true, and the records, one a
 * line, in arena; false when bawn-admin has to do it, whatever the reason. */
bool seed_cache_use(struct arena *a, const char *path, int home, char **ret_records);

/* Is a SEED_CACHE_SOURCE record still true? */
bool seed_cache_source_holds(const struct blob_view *v);

/* ---- writer: cache-write.c ---- */

struct seed_cache {
	struct blob b;
	int64_t began;
	bool refused;  /* depends on more than is known */
	bool complete; /* git's part was made from scratch */
};

void seed_cache_begin(struct seed_cache *c, int64_t now); /* seconds of CLOCK_REALTIME */
/* All of these do nothing for NULL.  A source is named before it is read. */
void seed_cache_source(struct seed_cache *c, const char *path);
void seed_cache_file(
	struct seed_cache *c, const char *rel, unsigned int mode, const void *data, size_t n);
void seed_cache_refuse(struct seed_cache *c);
/* Write it to path, unless it would not be true.  0 (also when there is nothing to keep) or -errno;
 * c is released. */
int seed_cache_save(struct seed_cache *c, const char *path, const char *records, struct err *err);

#endif
