/* base/link-owners.c - see link-owners.h. */
#include "base/link-owners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct item {
	size_t path; /* in text */
	size_t at;   /* which of them it was */
	struct link_owner owner;
};

struct link_owners {
	char *text;
	size_t text_n, text_cap;
	struct item *v;
	size_t n, cap;
};

struct link_owners *link_owners_new(void)
{
	return calloc(1, sizeof(struct link_owners));
}

static int make_room(struct link_owners *l, size_t n)
{
	if (l->text_n + n > l->text_cap) {
		size_t cap = MAX(l->text_cap * 2, l->text_n + n + 4096);
		char *more = realloc(l->text, cap);
		if (!more)
			return -ENOMEM;
		l->text = more;
		l->text_cap = cap;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 256;
		struct item *more = realloc(l->v, cap * sizeof(*more));
		if (!more)
			return -ENOMEM;
		l->v = more;
		l->cap = cap;
	}
	return 0;
}

int link_owners_add(struct link_owners *l, const char *path, const struct link_owner *o)
{
	size_t n = strlen(path) + 1;
	int r = make_room(l, n);
	if (r < 0)
		return r;
	memcpy(l->text + l->text_n, path, n);
	l->v[l->n] = (struct item){l->text_n, l->n, *o};
	l->n++;
	l->text_n += n;
	return 0;
}

static int by_path(const void *a, const void *b, void *text)
{
	const struct item *x = a, *y = b;
	int r = strcmp((const char *)text + x->path, (const char *)text + y->path);
	return r ? r : (x->at > y->at) - (x->at < y->at);
}

void link_owners_settle(struct link_owners *l)
{
	if (l->n > 0)
		qsort_r(l->v, l->n, sizeof(*l->v), by_path, l->text);
}

bool link_owners_find(const struct link_owners *l, const char *path, struct link_owner *ret)
{
	size_t low = 0, high = l->n;
	while (low < high) { /* behind the last that is not greater */
		size_t mid = low + (high - low) / 2;
		if (strcmp(l->text + l->v[mid].path, path) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || !streq(l->text + l->v[low - 1].path, path))
		return false;
	*ret = l->v[low - 1].owner;
	return true;
}

void link_owners_free(struct link_owners *l)
{
	if (!l)
		return;
	free(l->text);
	free(l->v);
	free(l);
}

/* ---- its text ---- */

static int parse(struct link_owners *l, const char *text, size_t n, struct err *err)
{
	for (const char *p = text, *end = text + n; p < end;) {
		struct link_owner o;
		size_t len = strnlen(p, (size_t)(end - p));
		const char *next = p + len + 1;
		if (next > end || !text_number(&p, 10, UINT32_MAX, &o.uid) ||
			!text_number(&p, 10, UINT32_MAX, &o.gid) ||
			!text_number(&p, 8, 07777, &o.mode) || !*p)
			return err_set(err, EBADMSG, "the owners of links are no list of them");
		if (link_owners_add(l, p, &o) < 0)
			return err_set(err, ENOMEM, "out of memory");
		p = next;
	}
	return 0;
}

int link_owners_parse(const char *text, size_t n, struct link_owners **ret, struct err *err)
{
	struct link_owners *l = link_owners_new();
	int r = l ? parse(l, text, n, err) : err_set(err, ENOMEM, "out of memory");
	if (r < 0) {
		link_owners_free(l);
		return r;
	}
	link_owners_settle(l);
	*ret = l;
	return 0;
}

int link_owners_each(
	const struct link_owners *l, size_t i, const char **ret_path, struct link_owner *ret)
{
	if (i >= l->n)
		return 0;
	*ret_path = l->text + l->v[i].path;
	*ret = l->v[i].owner;
	return 1;
}
