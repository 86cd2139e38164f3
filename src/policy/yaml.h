/* policy/yaml.h - the small part of YAML that bawn's files may use, as a tree with positions.
 *
 * Maps, lists and scalars; every scalar is a string ("no" is the word no, 1.0 the text 1.0).
 * Refused, with file:line:column: aliases, anchors, tags, directives, a second document, duplicate
 * keys, keys that are not scalars, byte order marks, carriage returns, NUL and other control bytes,
 * text that is not UTF-8, files over 1 MiB, lines over 64 KiB, nesting over 16 levels.
 */
#ifndef BAWN_POLICY_YAML_H
#define BAWN_POLICY_YAML_H

#include <stdint.h>

#include "base/arena.h"

#define YAML_FILE_MAX ((size_t)1 << 20)
#define YAML_LINE_MAX ((size_t)64 << 10)
#define YAML_DEPTH_MAX 16
#define YAML_MAP_MAX 1024 /* keys of one map */

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	uint32_t line, col; /* of the value, 1-based */
	const char *key;    /* its key when it stands in a map, else NULL */
	uint32_t key_line, key_col;
	const char *text;        /* scalars: the value (never NULL) */
	bool quoted;             /* scalars: written in quotes or as a block */
	struct yaml_node *child; /* lists and maps: the first entry, in file order */
	struct yaml_node *next;  /* the next entry of the same list or map */
	size_t n;                /* lists and maps: number of entries */
};

/* Parse n bytes of text.  file: how messages call it.  *ret is a map, list or scalar; an empty
 * document gives an empty map.  All memory is the arena's.  0 or -EINVAL / -EFBIG / -ENOMEM. */
int yaml_parse(struct arena *a, const char *file, const char *text, size_t n,
	struct yaml_node **ret, struct err *err);

/* Read and parse a file (file_read's rules).  0 or -errno. */
int yaml_load(struct arena *a, const char *path, struct yaml_node **ret, struct err *err);

/* The value of key in a map, or NULL (also when map is NULL or no map). */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* An empty plain scalar: what "key:" with nothing behind it gives. */
bool yaml_is_empty(const struct yaml_node *node);

/* "a list", "a map", "text": for messages. */
const char *yaml_kind_name(const struct yaml_node *node);

/* Fill *err with "FILE:LINE:COL: message" and return -EINVAL.  yaml_err_key points at the key. */
int yaml_err(struct err *err, const char *file, const struct yaml_node *at, const char *fmt, ...)
	_printf_(4, 5);
int yaml_err_key(struct err *err, const char *file, const struct yaml_node *at, const char *fmt,
	...) _printf_(4, 5);

#define YAML_EACH(entry, node)                                                                     \
	for (const struct yaml_node *entry = (node)->child; entry; entry = entry->next)

#endif
