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

static void strings_below(const json_t *v, const struct keypats *which, struct keypath *path,
	void (*fn)(void *ud, const char *value), void *ud)
{
	char index[24];
	size_t at;
	const char *key;
	json_t *child;
	if (json_is_string(v) && (!which || keypats_cover(which, path)))
		fn(ud, json_string_value(v));
	if (path->n == KEYPATH_MAX)
		return;
	path->n++;
	if (json_is_array(v)) {
		json_array_foreach(v, at, child)
		{
			snprintf(index, sizeof(index), "%zu", at);
			path->seg[path->n - 1] = index;
			strings_below(child, which, path, fn, ud);
		}
	} else if (json_is_object(v)) {
		json_object_foreach((json_t *)(uintptr_t)v, key, child)
		{
			path->seg[path->n - 1] = key;
			strings_below(child, which, path, fn, ud);
		}
	}
	path->n--;
}

void json_doc_each_string(const struct json_doc *d, const struct keypats *which,
	void (*fn)(void *ud, const char *value), void *ud)
{
	struct keypath path = {0};
	strings_below((const json_t *)d, which, &path, fn, ud);
}

static void cut_below(json_t *v, struct keypath *path, bool (*lost)(void *ud, const char *value),
	void (*removed)(void *ud, const char *place), void *ud)
{
	char index[24], place[512];
	const char *key;
	json_t *child;
	void *next;
	if (path->n == KEYPATH_MAX)
		return;
	path->n++;
	for (size_t i = json_array_size(v); i-- > 0;) {
		snprintf(index, sizeof(index), "%zu", i);
		path->seg[path->n - 1] = index;
		child = json_array_get(v, i);
		if (!json_is_string(child) || !lost(ud, json_string_value(child))) {
			cut_below(child, path, lost, removed, ud);
			continue;
		}
		removed(ud, keypath_text(path, place, sizeof(place)));
		json_array_remove(v, i);
	}
	json_object_foreach_safe(v, next, key, child)
	{
		path->seg[path->n - 1] = key;
		if (!json_is_string(child) || !lost(ud, json_string_value(child))) {
			cut_below(child, path, lost, removed, ud);
			continue;
		}
		removed(ud, keypath_text(path, place, sizeof(place)));
		json_object_del(v, key);
	}
	path->n--;
}

void json_doc_remove_strings(struct json_doc *d, bool (*lost)(void *ud, const char *value),
	void (*removed)(void *ud, const char *place), void *ud)
{
	struct keypath path = {0};
	cut_below((json_t *)d, &path, lost, removed, ud);
}
