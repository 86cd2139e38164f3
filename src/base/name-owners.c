/* base/name-owners.c - see name-owners.h */
#include "base/name-owners.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct record {
	const char *at; /* the whole of it */
	size_t n;       /* with its NUL */
	const char *name;
	uint32_t uid, gid;
};

/* The one at p, which ends before end. */
static bool next(const char *p, const char *end, struct record *ret)
{
	size_t len = strnlen(p, (size_t)(end - p));
	if (p + len == end)
		return false;
	*ret = (struct record){.at = p, .n = len + 1};
	bool good = text_number(&p, 10, UINT32_MAX, &ret->uid) &&
		text_number(&p, 10, UINT32_MAX, &ret->gid);
	ret->name = p;
	return good && *p;
}

static bool find(const char *list, size_t n, const char *name, struct record *ret)
{
	const char *end = list + n;
	for (const char *p = list; p < end && next(p, end, ret); p += ret->n)
		if (strcmp(ret->name, name) == 0)
			return true;
	return false;
}

bool name_owners_find(
	const char *list, size_t n, const char *name, uint32_t *ret_uid, uint32_t *ret_gid)
{
	struct record r;
	if (!find(list, n, name, &r))
		return false;
	*ret_uid = r.uid;
	*ret_gid = r.gid;
	return true;
}

size_t name_owners_set(
	char list[static NAME_OWNERS_MAX], size_t n, const char *name, uint32_t uid, uint32_t gid)
{
	struct record r;
	size_t good = 0;
	while (good < n && next(list + good, list + n, &r))
		good += r.n;
	n = good; /* what is behind it is no list */
	if (find(list, n, name, &r)) {
		size_t at = (size_t)(r.at - list);
		memmove(list + at, list + at + r.n, n - at - r.n);
		n -= r.n;
	}
	int k = snprintf(list + n, NAME_OWNERS_MAX - n, "%u %u %s", uid, gid, name);
	return k < 0 || (size_t)k >= NAME_OWNERS_MAX - n ? 0 : n + (size_t)k + 1;
}
