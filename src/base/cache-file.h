/* base/cache-file.h - what the caches in $XDG_CACHE_HOME/bawn have in common: how their files are
 * opened, and how they notice that what they were made from has changed.
 *
 * A digest alone proves nothing against whoever can write the file; its owner, its mode and its
 * directory do.
 */
#ifndef BAWN_BASE_CACHE_FILE_H
#define BAWN_BASE_CACHE_FILE_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"

/* Open a file that only we can have written: regular, ours, 0600, one link, none followed to it, in
 * a directory of ours that nobody else can write.  what: for messages ("the pack").  fd; -ENOENT;
 * -ESTALE when it must be written anew; -EPERM, with the remedy, when the directory is at fault. */
int cache_file_open(const char *path, const char *what, struct stat *ret, struct err *err);

/* One thing that a cache depends on. */
enum source_kind {
	SOURCE_FILE,   /* unchanged: every field counts */
	SOURCE_DIR,    /* the same directory with the same owner and mode */
	SOURCE_ABSENT, /* nothing is there (a file that would take precedence) */
};

struct source_id { /* no padding: compared as bytes */
	uint32_t kind, mode, uid, pad;
	uint64_t dev, ino, size;
	int64_t mtime_sec, mtime_nsec, ctime_sec, ctime_nsec;
};

/* Fill *ret with what lies at path now; follow: behind a link.  0 or -errno. */
int source_id_stat(const char *path, bool follow, struct source_id *ret);

#endif
