/* change/request.h - what bawn-change is asked, and how it is started.
 *
 * A copy-on-write workspace is an overlay: the host's directory (base) below, what the sandbox
 * wrote in directories above it (uppers, the topmost first; those below the first are frozen layers
 * and are never written).  bawn-change lists, shows, lands or discards the difference.  Whatever
 * stands in an upper was written by the agent and is hostile; the helper works below these
 * directories only, follows no link, and runs nothing.
 *
 * Paths of the request are relative to base, literal (no patterns), without "." and "..".
 */
#ifndef BAWN_CHANGE_REQUEST_H
#define BAWN_CHANGE_REQUEST_H

#include "base/arena.h"
#include "base/blob.h"
#include "base/job.h"

#define CHANGE_LAYERS_MAX 128

enum change_op {
	CHANGE_LIST = 1, /* items only */
	CHANGE_PATCH,    /* items, and a patch for `git apply` on the text descriptor */
	CHANGE_APPLY,    /* land the items on base */
	CHANGE_DISCARD,  /* make paths show base again; the sandbox must not run */
	CHANGE_OPS
};

struct change_request {
	enum change_op op;
	bool lines;   /* list: count lines */
	bool dry_run; /* apply: say what would be done */
	bool rest;    /* apply: land what can be landed although other things can't */
	bool running; /* the overlay is mounted: the uppers may change and may not be changed */
	bool direct;  /* no overlay: what changed in base since since[0]; list and patch alone */
	const char *base;   /* absolute, resolved */
	struct strv uppers; /* absolute, resolved; the topmost first */
	struct strv paths;  /* only these and what is below them; none: everything */
	/* apply: */
	struct strv allow_exec; /* may be landed although the host would run it; "" is everything */
	struct strv overwrite;  /* may be landed although the host changed it meanwhile */
	struct strv masked;     /* read as empty inside: never landed */
	struct strv named; /* what the user's own leads to: path, why, "flat" (of a directory, what
			      is in it alone) or "", path, why ... */
	struct strv settings; /* of the user's own git: key, value, key, value ... */
	const char *home;     /* where these stand, or NULL */
	const char *hooks;    /* where the user's own git looks for hooks, if below base; or NULL */
	/* Start of each session, the first first: CLOCK_REALTIME_COARSE taken before the overlay
	 * was mounted, in nanoseconds.  At least one for apply. */
	const uint64_t *since;
	size_t n_since;
	const char *ledger; /* apply: file of the sandbox's state that remembers what was landed */
	const char *trash; /* empty directory beside uppers.v[0], on its file system (discard, apply
			      of a stopped sandbox); what is left in it may be removed */
	const char *index; /* direct: a copy of git's index of that time, or NULL */
	unsigned int hash_len; /* patch: 20 (SHA-1) or 32, as the repository's object names are */
};

/* Where a path from a person (relative to cwd, or absolute) lies below base; in arena.  NULL with
 * *err when it lies outside or names base itself together with something odd.  "" is base. */
char *change_path(
	struct arena *a, const char *base, const char *cwd, const char *path, struct err *err);

int change_request_write(struct blob *b, const struct change_request *req);
int change_request_read(
	struct arena *a, const void *data, size_t n, struct change_request *ret, struct err *err);

struct change_result;
/* git: for a direct workspace, ends to write to and to read from a `git cat-file --batch`; or NULL.
 * text_fd: where a patch goes, -1 for none.  The helper writes all of it before its result, so that
 * whoever reads a pipe there reads that first. */
int change_start(const char *helper, const struct change_request *req, int text_fd,
	const int git[2], struct job *ret, struct err *err);
/* Blocks until the helper has ended.  -EPIPE, without a message, when it ended because nobody read
 * its text any more.  A killed apply can be repeated. */
int change_collect(struct job *job, const struct change_request *req, struct arena *a,
	struct change_result *ret, struct err *err);

#endif
