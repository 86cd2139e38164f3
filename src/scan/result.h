/* scan/result.h - what bawn-scan found: the record format and the supervisor's reader.
 *
 * Record format (base/blob.h): one SCAN_TAG_ITEM each, then SCAN_TAG_DONE; a result without DONE is
 * an error.  The reader believes nothing: enums are range-checked, paths must be absolute, free of
 * "." and ".." and within the directories of the request.
 */
#ifndef BAWN_SCAN_RESULT_H
#define BAWN_SCAN_RESULT_H

#include "base/arena.h"
#include "base/blob.h"
#include "scan/request.h"

enum scan_kind {
	SCAN_MASK = 1,    /* path must read as empty */
	SCAN_TRACKED,     /* matches a mask but is tracked by git: warn, never mask (OWN-14) */
	SCAN_HARDLINK,    /* to be masked, but has a second name somewhere (FS-05) */
	SCAN_PROTECT,     /* existing path that must not change; type says how to hold it */
	SCAN_SPECIAL,     /* socket, FIFO or device in the workspace */
	SCAN_LIMIT,       /* something was not looked at (detail says why) */
	SCAN_PERSIST,     /* end: could run on the host later, or lead out; id, flags */
	SCAN_GIT_CONFIG,  /* end: new text for the file path is in text */
	SCAN_GIT_KEPT,    /* end: key in detail was merged into path */
	SCAN_GIT_DROPPED, /* end: key in detail of path was not merged; it could run code */
	SCAN_HELD,        /* to be masked, though git has come to track it since it was */
	SCAN_KINDS
};

enum scan_type {
	SCAN_FILE = 1,
	SCAN_DIR,
	SCAN_SYMLINK,
	SCAN_GIT_CONFIG_FILE, /* give the inside a private copy through a mounted link */
	SCAN_SOCKET,
	SCAN_FIFO,
	SCAN_DEVICE,
	SCAN_TYPES
};

enum scan_flag {
	SCAN_NEW = 1,  /* did not exist at the start (by name); else changed */
	SCAN_AUTO = 2, /* runs without the user asking for it (opening the directory, any git
			  command); else when its tool is used */
};

struct scan_item {
	enum scan_kind kind;
	enum scan_type type;
	unsigned int flags;
	unsigned int per;   /* SCAN_PERSIST: number of the class, PER-01 = 1; 0 for FS-22, FS-30 */
	const char *path;   /* absolute, any byte but NUL: escape_text() before showing */
	const char *detail; /* words for a person, may be "" ; may hold foreign bytes too */
	const char *text;   /* SCAN_GIT_CONFIG: n_text bytes */
	size_t n_text;
};

struct scan_result {
	struct scan_item *v;
	size_t n;
	uint64_t n_dirs, n_files; /* seen, cached ones included */
	bool cached;              /* the cache held for at least the root directory */
};

/* Items point into data, which must outlive them.  -EBADMSG when anything is amiss. */
int scan_result_read(struct arena *a, const void *data, size_t n, const struct scan_request *req,
	struct scan_result *ret, struct err *err);

/* writer, in bawn-scan */
int scan_result_put(struct blob *b, const struct scan_item *it);
int scan_result_done(struct blob *b, const struct scan_result *totals);
int scan_result_error(struct blob *b, const struct err *err); /* instead of everything else */

#endif
