/* change/result.h - what bawn-change found or did: the record format and its reader.
 *
 * One record an item, sorted by path, then one that ends the list; a result without it is an error.
 * The reader believes nothing: enums are range-checked; paths are relative, have no "." or ".." and
 * lie within what was asked for.  They may hold any other byte: escape_text() before showing.
 */
#ifndef BAWN_CHANGE_RESULT_H
#define BAWN_CHANGE_RESULT_H

#include "base/arena.h"
#include "base/blob.h"
#include "change/request.h"

enum change_kind {
	CHANGE_ADDED = 1,
	CHANGE_MODIFIED, /* content; perhaps the mode too */
	CHANGE_MODE,     /* mode only */
	CHANGE_TYPE,     /* file, link or directory became another of these */
	CHANGE_DELETED,
	CHANGE_ODD, /* can't be shown or landed; detail says why */
	CHANGE_KINDS
};

enum change_type {
	CHANGE_NOTHING, /* the other side of what was added or deleted */
	CHANGE_FILE,
	CHANGE_LINK,
	CHANGE_DIR,
	CHANGE_SPECIAL, /* socket, FIFO, device */
	CHANGE_TYPES
};

enum change_state {
	CHANGE_SEEN = 0, /* listed; with a dry run: would be landed */
	CHANGE_LANDED,
	CHANGE_DISCARDED,
	CHANGE_CONFLICT, /* not landed: the host's own changed meanwhile */
	CHANGE_EXEC,     /* not landed: the host would run it; per, automatic */
	CHANGE_REFUSED,  /* not landed: detail says why */
	CHANGE_FAILED,   /* detail says why */
	CHANGE_STATES
};

struct change_item {
	enum change_kind kind;
	enum change_type type, old_type;
	enum change_state state;
	bool binary;             /* shown as a whole (old or new is no text, or large) */
	bool counted;            /* added and removed hold lines */
	bool automatic;          /* per: runs without being asked for, else when its tool is used */
	uint32_t per;            /* class of what makes the host run code, 1 is PER-01; 0: none */
	uint32_t group;          /* per: so many bytes of path name all that belongs together */
	uint32_t mode, old_mode; /* permission bits */
	uint64_t size, old_size;
	uint64_t added, removed;
	const char *path;
	const char *detail; /* words for a person, may be "" */
	const char *what;   /* per: what would run it */
};

struct change_result {
	struct change_item *v;
	size_t n;
	uint64_t n_landed, n_blocked, n_failed;
	bool done; /* apply, discard: the act took place (else something blocked all of it) */
};

int change_result_read(struct arena *a, const void *data, size_t n,
	const struct change_request *req, struct change_result *ret, struct err *err);

/* writer, in bawn-change */
int change_result_put(struct blob *b, const struct change_item *it);
int change_result_done(struct blob *b, const struct change_result *totals);
int change_result_error(struct blob *b, const struct err *err); /* instead of everything else */

/* Is path (relative) one of these or below one?  An empty string is everything. */
bool change_selected(const struct strv *paths, const char *path);
/* Relative, no empty, "." or ".." component. */
bool change_plain(const char *path);

#endif
