/* layer/pack-names.c - sets of names, and hard links, for pack. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "layer/pack-in.h"

static int add(struct names *l, const char *name, size_t layer)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 32;
		struct name *v = realloc(l->v, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n] = (struct name){strdup(name), layer};
	return l->v[l->n].name ? (l->n++, 0) : -ENOMEM;
}

struct raw_dirent {
	uint64_t ino;
	int64_t off;
	unsigned short len;
	unsigned char type;
	char name[];
};

int names_read(int dir, size_t layer, struct names *ret, struct err *err)
{
	_Alignas(struct raw_dirent) char buf[32768];
	for (;;) {
		long n = syscall(SYS_getdents64, dir, buf, sizeof(buf));
		if (n < 0)
			return err_sys(err, errno, "list a directory");
		if (n == 0)
			return 0;
		for (long at = 0; at < n;) {
			const struct raw_dirent *d = (const struct raw_dirent *)(buf + at);
			at += d->len;
			if (streq(d->name, ".") || streq(d->name, ".."))
				continue;
			if (add(ret, d->name, layer) < 0)
				return err_set(err, ENOMEM, "out of memory");
		}
	}
}

static int by_name(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int r = strcmp(x->name, y->name);
	return r ? r : (x->layer > y->layer) - (x->layer < y->layer);
}

void names_settle(struct names *l)
{
	size_t kept = 0;
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_name);
	for (size_t i = 0; i < l->n; i++) {
		if (kept && streq(l->v[kept - 1].name, l->v[i].name))
			free(l->v[i].name);
		else
			l->v[kept++] = l->v[i];
	}
	l->n = kept;
}

void names_free(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].name);
	free(l->v);
	*l = (struct names){0};
}

struct link_slot {
	dev_t dev;
	ino_t ino;
	char *path; /* NULL: free */
};

static struct link_slot *slot(struct link_slot *v, size_t cap, dev_t dev, ino_t ino)
{
	uint64_t h = ((uint64_t)ino ^ ((uint64_t)dev << 32)) * UINT64_C(0x9e3779b97f4a7c15);
	for (size_t i = (size_t)(h >> 32);; i++) {
		struct link_slot *s = &v[i & (cap - 1)];
		if (!s->path || (s->dev == dev && s->ino == ino))
			return s;
	}
}

static bool grow(struct links *l)
{
	size_t cap = l->cap ? l->cap * 2 : 256;
	struct link_slot *v = calloc(cap, sizeof(*v));
	if (!v)
		return false;
	for (size_t i = 0; i < l->cap; i++)
		if (l->v[i].path)
			*slot(v, cap, l->v[i].dev, l->v[i].ino) = l->v[i];
	free(l->v);
	l->v = v;
	l->cap = cap;
	return true;
}

const char *links_first(struct links *l, const struct stat *st, const char *path)
{
	if (l->n * 2 >= l->cap && !grow(l))
		return NULL;
	struct link_slot *s = slot(l->v, l->cap, st->st_dev, st->st_ino);
	if (s->path)
		return s->path;
	char *copy = strdup(path);
	if (copy) {
		*s = (struct link_slot){st->st_dev, st->st_ino, copy};
		l->n++;
	}
	return NULL;
}

void links_free(struct links *l)
{
	for (size_t i = 0; i < l->cap; i++)
		free(l->v[i].path);
	free(l->v);
}
