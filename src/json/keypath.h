/* json/keypath.h - where a value stands in a tree of keys, and patterns over such places.
 *
 * A pattern is what profiles write: "mcpServers.*.command", "projects.\"/a.b\".x".  Each segment is
 * a glob (fnmatch) of one key or array index; a segment in double quotes is taken literally.
 * Pure: no system call, used by the JSON and the TOML filter alike.
 */
#ifndef BAWN_JSON_KEYPATH_H
#define BAWN_JSON_KEYPATH_H

#include "base/arena.h"

#define KEYPATH_MAX 32 /* deepest nesting that is looked at; deeper values are not copied */

struct keypath {
	const char *seg[KEYPATH_MAX];
	size_t n;
};

struct keypat {
	char *seg[KEYPATH_MAX];
	bool literal[KEYPATH_MAX];
	size_t n;
};

struct keypats {
	struct keypat *v;
	size_t n;
};

/* 0, or -EINVAL for an empty segment, an open quote or too many segments. */
int keypat_parse(struct arena *a, const char *text, struct keypat *ret);

/* Is path exactly what pat names? */
bool keypat_is(const struct keypat *pat, const struct keypath *path);

bool keypats_cover(const struct keypats *pats, const struct keypath *path);
bool keypats_lead(const struct keypats *pats, const struct keypath *path);

/* "a.b.c" for messages, cut to cap. */
const char *keypath_text(const struct keypath *path, char *dst, size_t cap);

#endif
