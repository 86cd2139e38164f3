/* layer/tar-put.c - an entry's blocks: ustar, and a pax header for what that can't say. */
#include "layer/tar-in.h"

#define OCTAL_8 UINT64_C(07777777)      /* most in a field of 8 */
#define OCTAL_12 UINT64_C(077777777777) /* ... of 12 */

static void append(struct tar_out *o, const void *data, size_t n)
{
	if (o->failed)
		return;
	if (o->n + n > o->cap) {
		size_t cap = MAX(o->cap * 2, o->n + n + 4096);
		char *p = realloc(o->data, cap);
		if (!p) {
			o->failed = true;
			return;
		}
		o->data = p;
		o->cap = cap;
	}
	memcpy(o->data + o->n, data, n);
	o->n += n;
}

static void pad(struct tar_out *o)
{
	static const char zeros[TAR_BLOCK];
	append(o, zeros, tar_padding(o->n));
}

/* "LENGTH KEY=VALUE\n", whose length counts its own digits. */
static void record(
	struct tar_out *o, const char *prefix, const char *key, const void *value, size_t n)
{
	char head[24];
	size_t body = strlen(prefix) + strlen(key) + n + 3, len = body + 1;
	for (size_t digits = 1, limit = 10; len >= limit; digits++, limit *= 10)
		len = body + digits + 1;
	int k = snprintf(head, sizeof(head), "%zu ", len);
	append(o, head, (size_t)k);
	append(o, prefix, strlen(prefix));
	append(o, key, strlen(key));
	append(o, "=", 1);
	append(o, value, n);
	append(o, "\n", 1);
}

static void record_number(struct tar_out *o, const char *key, uint64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	record(o, "", key, text, (size_t)n);
}

static void record_time(struct tar_out *o, int64_t s, uint32_t ns)
{
	char text[48];
	bool negative = s < 0;
	uint64_t whole = negative ? (uint64_t)-s : (uint64_t)s;
	if (negative && ns) {
		whole--;
		ns = 1000000000 - ns;
	}
	int n = snprintf(text, sizeof(text), "%s%llu.%09u", negative ? "-" : "",
		(unsigned long long)whole, ns);
	while (text[n - 1] == '0')
		n--;
	n -= text[n - 1] == '.';
	record(o, "", "mtime", text, (size_t)n);
}

static void octal(char *field, size_t n, uint64_t v)
{
	char text[24];
	snprintf(text, sizeof(text), "%0*llo", (int)n - 1, (unsigned long long)v);
	memcpy(field, text, n);
}

static void finish(struct tar_header *h)
{
	unsigned int sum = 0;
	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	memset(h->chksum, ' ', sizeof(h->chksum));
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += ((const unsigned char *)h)[i];
	octal(h->chksum, 7, sum);
}

/* In the name field, or divided at a slash between that and the prefix. */
static bool put_name(struct tar_header *h, const char *path)
{
	size_t n = strlen(path);
	if (n <= sizeof(h->name)) {
		memcpy(h->name, path, n);
		return true;
	}
	for (size_t i = n - 1; i > 0; i--) {
		/* the slash that ends a directory's name divides nothing */
		if (path[i] != '/' || i == n - 1 || i > sizeof(h->prefix))
			continue;
		if (n - i - 1 > sizeof(h->name))
			break;
		memcpy(h->prefix, path, i);
		memcpy(h->name, path + i + 1, n - i - 1);
		return true;
	}
	memcpy(h->name, path, sizeof(h->name));
	return false;
}

static void put_pax(struct tar_out *o, const struct tar_entry *e, const struct tar_out *text)
{
	struct tar_header h = {.type = 'x'};
	snprintf(h.name, sizeof(h.name), "PaxHeaders/%s", e->path);
	octal(h.mode, sizeof(h.mode), 0644);
	octal(h.uid, sizeof(h.uid), 0);
	octal(h.gid, sizeof(h.gid), 0);
	octal(h.size, sizeof(h.size), text->n);
	octal(h.mtime, sizeof(h.mtime), 0);
	finish(&h);
	append(o, &h, sizeof(h));
	append(o, text->data, text->n);
	pad(o);
}

int tar_put(struct tar_out *out, const struct tar_entry *e, struct err *err)
{
	struct tar_header h = {.type = (char)e->type};
	struct tar_out x = {0};
	uint64_t size = e->type == TAR_FILE ? e->size : 0;
	bool plain_time = e->mtime >= 0 && (uint64_t)e->mtime <= OCTAL_12 && !e->mtime_ns;
	if (!put_name(&h, e->path))
		record(&x, "", "path", e->path, strlen(e->path));
	if (e->type == TAR_SYMLINK || e->type == TAR_HARD) {
		size_t n = strlen(e->link);
		memcpy(h.linkname, e->link, MIN(n, sizeof(h.linkname)));
		if (n > sizeof(h.linkname))
			record(&x, "", "linkpath", e->link, n);
	}
	if (e->uid > OCTAL_8)
		record_number(&x, "uid", e->uid);
	if (e->gid > OCTAL_8)
		record_number(&x, "gid", e->gid);
	if (size > OCTAL_12)
		record_number(&x, "size", size);
	if (!plain_time)
		record_time(&x, e->mtime, e->mtime_ns);
	for (size_t i = 0; i < e->n_xattrs; i++)
		record(&x, "SCHILY.xattr.", e->xattrs[i].name, e->xattrs[i].value, e->xattrs[i].n);
	octal(h.mode, sizeof(h.mode), e->mode & 07777);
	octal(h.uid, sizeof(h.uid), e->uid > OCTAL_8 ? 0 : e->uid);
	octal(h.gid, sizeof(h.gid), e->gid > OCTAL_8 ? 0 : e->gid);
	octal(h.size, sizeof(h.size), size > OCTAL_12 ? 0 : size);
	octal(h.mtime, sizeof(h.mtime),
		e->mtime >= 0 && (uint64_t)e->mtime <= OCTAL_12 ? (uint64_t)e->mtime : 0);
	octal(h.major, sizeof(h.major), e->major & OCTAL_8);
	octal(h.minor, sizeof(h.minor), e->minor & OCTAL_8);
	finish(&h);
	if (x.n)
		put_pax(out, e, &x);
	append(out, &h, sizeof(h));
	bool failed = x.failed || out->failed;
	free(x.data);
	return failed ? err_set(err, ENOMEM, "out of memory") : 0;
}
