/* change/change.h - one run of bawn-change: what its parts share (internal to change).
 */
#ifndef BAWN_CHANGE_CHANGE_H
#define BAWN_CHANGE_CHANGE_H

#include <stdint.h>
#include <sys/stat.h>

#include "change/ledger.h"
#include "change/result.h"

#define CHANGE_ITEMS_MAX 2000000
#define TEXT_MAX ((size_t)8 << 20)    /* larger files are shown as a whole */
#define BINARY_MAX ((size_t)64 << 20) /* larger ones only named */
#define TARGET_MAX 4096
/* Files that are being landed lie beside their place under this name and the item's hash. */
#define STAGE_PREFIX ".bawn-land."

/* What is found at a place: the layer it is in and its inode. */
struct entry {
	int layer; /* index into uppers; LAYER_BASE; LAYER_NONE: nothing is there */
	struct stat st;
	const char *object; /* LAYER_GIT: its name in hex */
};
#define LAYER_BASE (-1)
#define LAYER_NONE (-2)
#define LAYER_GIT (-3) /* an object of git's; st holds its mode alone */

enum git_text {
	GIT_TEXT_NONE,
	GIT_TEXT_HEAD,
	GIT_TEXT_PACKED_REFS,
	GIT_TEXT_INDEX,
	GIT_TEXT_MERGE_RR,
	GIT_TEXT_EXCLUDE,
};

struct item {
	struct change_item pub;
	struct entry now, was; /* in the sandbox, on the host */
	uint16_t rule;         /* persist row + 1 that pub.per is of, 0 for another reason */
	enum git_text text;    /* a file of git's whose text decides */
};

/* A place that the host names by itself: a file, or a directory with all in it. */
struct host_place {
	const char *path, *why;
	unsigned int per;
	bool flat, asked;
	bool config; /* git's configuration goes on in it */
	bool word;   /* a file, or nothing */
};

struct change {
	struct arena arena;
	struct host_place *named;
	size_t n_named, cap_named;
	const struct change_request *req;
	int base;
	int upper[CHANGE_LAYERS_MAX];
	size_t n_uppers;
	int trash;      /* -1: none */
	int ledger_dir; /* -1: none */
	const char *ledger_name;
	struct ledger ledger;
	struct item *items;
	size_t n, cap;
	int index;      /* direct: a copy of git's index, -1: none */
	bool git;       /* GIT_IN and GIT_OUT lead to a `git cat-file --batch` */
	bool same_seen; /* apply: remember in the ledger where host and sandbox agree */
	int failed;     /* -errno: out of memory, too much */
};

/* change/layers.c */
/* path below root, no link followed, no mount crossed; O_CLOEXEC|O_NOFOLLOW|O_NONBLOCK added. */
int place_open(int root, const char *path, int flags);
/* The directory that path lies in (O_PATH), *ret_name the part behind. */
int place_parent(int root, const char *path, const char **ret_name);
int place_stat(int root, const char *path, struct stat *ret);
int layer_fd(const struct change *c, int layer);
/* An entry of an opened directory of an upper; xwhite: the directory says that it may hold
 * whiteouts that are files (overlayfs.rst, "whiteouts and opaque directories"). */
bool is_whiteout(int dirfd, const char *name, const struct stat *st, bool xwhite);
/* 'y', 'x', 0, or -errno; of an opened directory */
int dir_opaque(int fd);
/* Does the inode carry what overlays with other options leave (redirect, metacopy)? */
bool is_foreign(int fd);
bool is_copied_up(int fd);
enum change_type type_of(mode_t mode);
/* Names in a directory without "." and "..", appended.  0 or -errno. */
int list_names(struct arena *a, int dirfd, struct strv *ret);

/* change/collect.c: fills items, sorted by path */
int change_collect_items(struct change *c, struct err *err);
/* Only below these (the request's own are put aside). */
int change_collect_below(struct change *c, const struct strv *paths, struct err *err);

struct item *item_add(struct change *c, const char *path, enum change_kind kind,
	const struct entry *now, const struct entry *was, const char *detail);
void sort_items(struct change *c);
/* The item of the first n bytes of path, or NULL; items are sorted. */
struct item *item_find(struct change *c, const char *path, size_t n);

/* change/direct.c: the same for a workspace that was written to directly */
int change_collect_direct(struct change *c, struct err *err);
#define GIT_IN 4
#define GIT_OUT 5
/* The object's bytes, malloc'ed.  0 or -errno: -ENOENT, -EFBIG. */
int git_object(const char *name, char **ret, size_t *ret_n);

/* change/compare.c */
/* Same bytes?  1, 0 or -errno.  Holes cost nothing. */
int same_content(int a, int b, uint64_t size);
/* Open the file of an entry for reading, seen to be of this kind; -errno. */
int entry_open(const struct change *c, const struct entry *e, const char *path);
/* The target of a link, not resolved, NUL behind it.  Bytes or -errno. */
ssize_t entry_link(const struct change *c, const struct entry *e, const char *path,
	char ret[static TARGET_MAX]);
/* Did the host's file change since the sandbox could last have seen it? */
bool host_changed(const struct change *c, const struct item *it);
uint64_t stat_ctime_ns(const struct stat *st);

/* change/named.c */
/* -E2BIG: more places than are compared with what lands. */
int named_load(struct change *c, struct err *err);
/* The place that path is, or lies in, or leads to where it is a link; NULL.  program: it can be
 * executed, or is a link that may lead to what can. */
const struct host_place *named_of(
	const struct change *c, const char *path, bool link, bool program);

/* change/trip.c */
/* Fill pub.per and its company; text: content to be looked at (may be NULL: not known). */
void trip_check(struct change *c, struct item *it);
/* Does the rule hold for what is really landed, the content of fd? */
bool trip_holds_file(struct change *c, const struct item *it, int fd);
/* Some rules look into the file. */
bool trip_reads(const struct item *it);
/* Within a git directory (or one itself): bytes of path that name it, 0: no. */
size_t git_dir_len(const char *path);

/* change/patch.c */
int change_patch(struct change *c, int fd, struct err *err);
/* Counts lines of every item that has them. */
void change_count_lines(struct change *c);

/* change/apply.c, change/discard.c */
int change_apply(struct change *c, struct change_result *totals, struct err *err);
int change_discard(struct change *c, struct change_result *totals, struct err *err);
/* Copy content and mode (& 0777) of an opened file into a new one dirfd/name. */
int copy_file(int from, int dirfd, const char *name, mode_t mode);
/* Take out of the upper what no longer differs from the host's. */
int change_prune(struct change *c, struct err *err);
/* Finish what a discard, or an apply, that was cut short has left in the trash. */
int trash_recover(struct change *c, struct err *err);

#endif
