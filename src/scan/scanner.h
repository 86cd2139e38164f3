/* scan/scanner.h - one run of bawn-scan: what its parts share (internal to scan).
 */
#ifndef BAWN_SCAN_SCANNER_H
#define BAWN_SCAN_SCANNER_H

#include "scan/git-config.h"
#include "scan/result.h"
#include "scan/walk.h"

#define SCAN_ITEMS_MAX 20000
/* At the end, where a session may have left as much of all else as it liked: of what runs by itself
 * and of git's settings, and of the rest; bytes, together less than a result has room for. */
#define SCAN_FIRST_MAX 20000
#define SCAN_FIRST_BYTES ((size_t)36 << 20)
#define SCAN_REST_BYTES ((size_t)20 << 20)
#define SCAN_BASES_MAX 16
/* Git directories that are looked at: a tree of Android's repo has three for each project. */
#define SCAN_GIT_DIRS_MAX 16384

/* A directory that may be read: the root first, then the request's git_dirs. */
struct scan_base {
	int fd; /* O_PATH */
	const char *path;
};

/* A place below one of them. */
struct scan_at {
	const struct scan_base *base;
	const char *rel; /* "" is the base itself */
};

struct scan_seen {
	struct scan_at at;
	bool linked; /* as that of a linked work tree, not as a repository's own */
};

struct scanner {
	struct arena arena;
	const struct scan_request *req;
	struct scan_base base[SCAN_BASES_MAX];
	size_t n_bases;
	struct walk walk;
	struct blob out;
	struct scan_result totals;
	int (*git_fds)[3];      /* of req->git, opened before confinement; -1 where absent */
	struct scan_seen *seen; /* git directories that were looked at (git-dirs.c) */
	size_t n_seen, cap_seen;
	uint16_t seen_slot[2 * SCAN_GIT_DIRS_MAX]; /* by digest: the number in seen + 1 */
	bool git_full;
	uint32_t n_git_refs;                             /* that git-state.c has looked at */
	uint32_t n_git_entries, n_git_links;             /* that git-links.c has looked at, named */
	size_t n_first, n_rest, first_bytes, rest_bytes; /* items that were put out */
	bool limited;
	/* start: what there is more of than can be guarded, and the first of it that is too many */
	const char *too_many, *too_many_at;
	bool dirty; /* the cache has to be written */
};

void scan_too_many(struct scanner *s, const char *what, const char *path);
/* Append an item; past SCAN_ITEMS_MAX one SCAN_LIMIT item says so.  rel: below the root. */
void scan_emit(struct scanner *s, struct scan_item it);
/* it.path is made from a place. */
void scan_emit_at(struct scanner *s, struct scan_at at, struct scan_item it);
void scan_emit_rel(struct scanner *s, const char *rel, struct scan_item it);
/* The same of something that outlives the run; per: of which row (scan/persist.h). */
void scan_emit_persist(struct scanner *s, const char *rel, enum scan_type type, unsigned int per,
	unsigned int flags, const char *detail);

/* The same of a place in a git directory, which git acts upon by itself; of its type. */
void scan_emit_git(struct scanner *s, struct scan_at at, unsigned int per, const char *detail);

/* Absolute and resolved path to a place; base NULL when it lies in none. */
struct scan_at scan_locate(const struct scanner *s, const char *path);
struct scan_at scan_below(struct scanner *s, struct scan_at at, const char *name);
int scan_open(struct scan_at at, int flags); /* as walk_open */
/* A directory to be listed.  One of the user's own that can't be is told of: what is in it is
 * found by name all the same, a hook by git for one. */
int scan_list(struct scanner *s, struct scan_at at);
int scan_stat(struct scan_at at, struct stat *ret); /* of the last component itself */
/* Up to max bytes of a regular file, NUL behind; -errno, never blocks. */
ssize_t scan_read(struct scanner *s, struct scan_at at, size_t max, char **ret);
ssize_t scan_read_in(struct arena *a, struct scan_at at, size_t max, char **ret);
/* Where a link leads, links on the way followed, when that is below the root: relative. */
char *scan_follow(struct scanner *s, const char *rel);
bool scan_since(const struct scanner *s, const struct stat *st);

/* scan/git-dirs.c */
/* The git directory behind candidate ".git" of dir; base NULL when there is none to be read. */
struct scan_at scan_git_of(struct scanner *s, const struct dir *d, const struct cand *c);
void scan_git_protect(struct scanner *s, struct scan_at git_dir);
void scan_git_check(struct scanner *s, struct scan_at git_dir);
/* At the end: that of a linked work tree of a repository that there was at the start. */
bool scan_git_is_linked(struct scanner *s, struct scan_at at);
/* What is new in a directory of hooks; moved: it was made, or moved here, with all that is in it.
 */
void scan_git_hooks(struct scanner *s, struct scan_at hooks, unsigned int per, bool moved);
/* core.hooksPath of the request's repository, if it is a place below the root; relative. */
const char *scan_hooks_path(struct scanner *s);
/* Where a protected link leads to is protected with it, if it lies in the workspace. */
void scan_protect_target(struct scanner *s, const char *rel, const char *detail);
/* fn for each git directory known: of the request, of each ".git", each bare one. */
void scan_each_git(struct scanner *s, void (*fn)(struct scanner *s, struct scan_at git_dir));

/* scan/git-links.c */
/* Links in a git directory, at the end, that git would write through.  moved: it was made, or moved
 * to its place, in the session, so that its links may be older. */
void scan_git_links(struct scanner *s, struct scan_at git_dir, bool moved);

/* scan/git-state.c */
/* What is said of that which git shows in the place of a commit, or of any object: with it, neither
 * log nor diff shows what is there. */
extern const char scan_git_shows_other[];
/* What git believes of its own files, at the end; moved: as above. */
void scan_git_state(struct scanner *s, struct scan_at git_dir, bool moved);

/* scan/masks.c */
void scan_start_masks(struct scanner *s);
/* scan/end.c */
void scan_end_report(struct scanner *s);
void scan_end_fresh(void *ctx, const char *path, const struct stat *st, bool known);
void scan_end_git_configs(struct scanner *s);
/* Does following this link leave the workspace, or the git directory outside that it is in? */
bool scan_leads_out(struct scan_at at);
/* scan/end-named.c */
void scan_end_named(struct scanner *s);
/* At the start: files that the configuration of the request's repository goes on in. */
void scan_named_protect(struct scanner *s);
/* scan/end-packages.c */
void scan_end_packages(struct scanner *s);

#endif
