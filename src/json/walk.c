/* json/walk.c - walks over a document's places that neither filter nor merge; see json.h */
#include <jansson.h>

#include "json/json.h"

static void remove_below(json_t *v, const struct keypats *which, struct keypath *path,
	void (*removed)(void *ud, const char *place), void *ud)
{
	char place[512];
	const char *key;
	json_t *child;
	void *next;
	json_object_foreach_safe(v, next, key, child)
	{
		if (path->n == KEYPATH_MAX)
			return;
		path->seg[path->n++] = key;
		const bool goes = keypats_cover(which, path);
		if (goes)
			removed(ud, keypath_text(path, place, sizeof(place)));
		else
			remove_below(child, which, path, removed, ud);
		path->n--;
		if (goes)
			json_object_del(v, key);
	}
}

void json_doc_remove(struct json_doc *d, const struct keypats *which,
	void (*removed)(void *ud, const char *place), void *ud)
{
	struct keypath path = {0};
	remove_below((json_t *)d, which, &path, removed, ud);
}

struct strings {
	const struct keypats *which;
	bool (*goes)(void *ud, const char *value);
	void (*removed)(void *ud, const char *place);
	void *ud;
};

static void strings_below(const struct strings *s, json_t *v, struct keypath *path);

/* Of what is kept at path: false, it has to go. */
static bool stays(const struct strings *s, json_t *child, struct keypath *path)
{
	char place[512];
	if (!json_is_string(child)) {
		strings_below(s, child, path);
		return true;
	}
	if ((s->which && !keypats_cover(s->which, path)) ||
		!s->goes(s->ud, json_string_value(child)))
		return true;
	s->removed(s->ud, keypath_text(path, place, sizeof(place)));
	return false;
}

static void strings_below(const struct strings *s, json_t *v, struct keypath *path)
{
	char index[24];
	const char *key;
	json_t *child;
	void *next;
	if (path->n == KEYPATH_MAX)
		return;
	path->n++;
	for (size_t i = 0, at = 0, n = json_array_size(v); at < n; at++) {
		snprintf(index, sizeof(index), "%zu", at);
		path->seg[path->n - 1] = index;
		if (stays(s, json_array_get(v, i), path))
			i++;
		else
			json_array_remove(v, i);
	}
	json_object_foreach_safe(v, next, key, child)
	{
		path->seg[path->n - 1] = key;
		if (!stays(s, child, path))
			json_object_del(v, key);
	}
	path->n--;
}

void json_doc_strings(struct json_doc *d, const struct keypats *which,
	bool (*goes)(void *ud, const char *value), void (*removed)(void *ud, const char *place),
	void *ud)
{
	const struct strings s = {which, goes, removed, ud};
	struct keypath path = {0};
	strings_below(&s, (json_t *)d, &path);
}
