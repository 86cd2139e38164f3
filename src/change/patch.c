/* change/patch.c - items as a patch that `git apply` takes, and their line counts
 *
 * Git knows files and links, and of a mode only whether it is executable; directories and finer
 * modes are in the items, not in the patch.  Paths within a git directory are left out: git refuses
 * a patch that has one.  Each side is read once, into memory, so that what the patch says of a file
 * holds together even while the sandbox writes it.
 */
#include "change/change.h"

#include <stdarg.h>

#include "base/git-name.h"
#include "base/fd.h"
#include "change/diff.h"
#include "change/object.h"

#define CONTEXT 3

struct side {
	bool there;
	char *data;
	size_t n;
	unsigned int mode; /* as git writes it, in octal */
};

struct out {
	int fd;
	size_t n;
	int failed;
	char buf[65536];
};

static int put(void *ctx, const char *p, size_t n)
{
	struct out *o = ctx;
	while (n && !o->failed) {
		size_t k = MIN(n, sizeof(o->buf) - o->n);
		memcpy(o->buf + o->n, p, k);
		o->n += k;
		p += k;
		n -= k;
		if (o->n == sizeof(o->buf)) {
			o->failed = fd_write_all(o->fd, o->buf, o->n);
			o->n = 0;
		}
	}
	return o->failed;
}

static void puts_(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

static _printf_(2, 3) void putf(struct out *o, const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	puts_(o, buf);
}

static bool needs_quotes(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f || *s == '"' ||
			*s == '\\')
			return true;
	return false;
}

/* prefix and path as one name, quoted as C does where it takes that. */
static void put_name(struct out *o, const char *prefix, const char *path)
{
	static const char plain[] = "\a\b\t\n\v\f\r\"\\", letter[] = "abtnvfr\"\\";
	if (!needs_quotes(path)) {
		puts_(o, prefix);
		puts_(o, path);
		return;
	}
	puts_(o, "\"");
	puts_(o, prefix);
	for (const char *p = path; *p; p++) {
		const char *k = strchr(plain, *p);
		char esc[2] = {'\\', k ? letter[k - plain] : 0};
		if (k)
			put(o, esc, 2);
		else if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			putf(o, "\\%03o", (unsigned int)(unsigned char)*p);
		else
			put(o, p, 1);
	}
	puts_(o, "\"");
}

static void free_side(struct side *s)
{
	free(s->data);
	*s = (struct side){0};
}

static int load_file(
	const struct change *c, const struct entry *e, const char *path, struct side *s)
{
	struct stat st;
	_cleanup_close_ int fd = entry_open(c, e, path);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size > BINARY_MAX)
		return -EFBIG;
	size_t n = (size_t)st.st_size;
	s->data = malloc(n + 1);
	if (!s->data)
		return -ENOMEM;
	ssize_t got = fd_read_full(fd, s->data, n);
	if (got < 0)
		return (int)got;
	s->n = (size_t)got;
	s->mode = st.st_mode & 0100 ? 0100755 : 0100644;
	return 0;
}

/* One side of an item; a directory, or nothing, is not there. */
static int load(const struct change *c, const struct entry *e, const char *path, struct side *s)
{
	char to[TARGET_MAX];
	*s = (struct side){0};
	if (e->layer == LAYER_NONE)
		return 0;
	if (e->layer == LAYER_GIT) {
		s->there = true;
		s->mode = e->st.st_mode;
		return c->git ? git_object(e->object, &s->data, &s->n) : -ENOENT;
	}
	if (S_ISREG(e->st.st_mode)) {
		s->there = true;
		return load_file(c, e, path, s);
	}
	if (!S_ISLNK(e->st.st_mode))
		return 0;
	ssize_t n = entry_link(c, e, path, to);
	if (n < 0)
		return (int)n;
	s->there = true;
	s->data = strndup(to, (size_t)n);
	s->n = (size_t)n;
	s->mode = 0120000;
	return s->data ? 0 : -ENOMEM;
}

static bool is_binary(const struct side *s)
{
	return s->n > TEXT_MAX || (s->n && memchr(s->data, 0, s->n));
}

static const char *text_of(const struct side *s)
{
	return s->data ? s->data : "";
}

static void put_line(struct out *o, char mark, const struct diff_side *s, uint32_t line)
{
	const char *p = s->text + s->start[line];
	size_t n = s->start[line + 1] - s->start[line];
	put(o, &mark, 1);
	put(o, p, n);
	if (n && p[n - 1] != '\n')
		puts_(o, "\n\\ No newline at end of file\n");
}

struct run {
	uint32_t a0, a1, b0, b1;
};

static void put_range(struct out *o, char mark, uint32_t first, uint32_t n)
{
	putf(o, "%c%u", mark, n ? first + 1 : first);
	if (n != 1)
		putf(o, ",%u", n);
}

/* Runs v[0..n) with their surroundings. */
static void put_hunk(struct out *o, const struct diff *d, const struct run *v, size_t n)
{
	uint32_t before = MIN(v[0].a0, (uint32_t)CONTEXT);
	uint32_t after = MIN(d->a.n - v[n - 1].a1, (uint32_t)CONTEXT);
	uint32_t a = v[0].a0 - before, b = v[0].b0 - before;
	puts_(o, "@@ ");
	put_range(o, '-', a, v[n - 1].a1 + after - a);
	puts_(o, " ");
	put_range(o, '+', b, v[n - 1].b1 + after - b);
	puts_(o, " @@\n");
	for (size_t i = 0; i < n; i++) {
		for (; a < v[i].a0; a++)
			put_line(o, ' ', &d->a, a);
		for (; a < v[i].a1; a++)
			put_line(o, '-', &d->a, a);
		for (b = v[i].b0; b < v[i].b1; b++)
			put_line(o, '+', &d->b, b);
	}
	for (uint32_t end = a + after; a < end; a++)
		put_line(o, ' ', &d->a, a);
}

static int put_hunks(struct out *o, const struct diff *d)
{
	struct run *v = NULL;
	size_t n = 0, cap = 0;
	struct run x = {0};
	while (diff_next(d, &x.a0, &x.a1, &x.b0, &x.b1)) {
		if (n && x.a0 - v[n - 1].a1 > 2 * CONTEXT) {
			put_hunk(o, d, v, n);
			n = 0;
		}
		if (n == cap) {
			cap = cap ? cap * 2 : 64;
			struct run *p = realloc(v, cap * sizeof(*p));
			if (!p) {
				free(v);
				return -ENOMEM;
			}
			v = p;
		}
		v[n++] = x;
	}
	if (n)
		put_hunk(o, d, v, n);
	free(v);
	return 0;
}

static void put_head(struct out *o, const struct change *c, const char *path,
	const struct side *was, const struct side *now, bool same)
{
	char old[GIT_NAME_MAX], new[GIT_NAME_MAX];
	puts_(o, "diff --git ");
	put_name(o, "a/", path);
	puts_(o, " ");
	put_name(o, "b/", path);
	puts_(o, "\n");
	if (!was->there)
		putf(o, "new file mode %o\n", now->mode);
	else if (!now->there)
		putf(o, "deleted file mode %o\n", was->mode);
	else if (was->mode != now->mode)
		putf(o, "old mode %o\nnew mode %o\n", was->mode, now->mode);
	if (same)
		return;
	memset(old, '0', sizeof(old));
	memset(new, '0', sizeof(new));
	old[2 * c->req->hash_len] = new[2 * c->req->hash_len] = '\0';
	if (was->there)
		git_blob_name(text_of(was), was->n, c->req->hash_len, old);
	if (now->there)
		git_blob_name(text_of(now), now->n, c->req->hash_len, new);
	putf(o, "index %s..%s", old, new);
	if (was->there && now->there && was->mode == now->mode)
		putf(o, " %o", now->mode);
	puts_(o, "\n");
}

static void put_file_line(struct out *o, const char *mark, const char *prefix, const char *path)
{
	puts_(o, mark);
	if (!prefix) {
		puts_(o, "/dev/null\n");
		return;
	}
	put_name(o, prefix, path);
	puts_(o, strchr(path, ' ') ? "\t\n" : "\n");
}

/* From was to now, either of which may be nothing. */
static int put_change(struct out *o, const struct change *c, struct item *it,
	const struct side *was, const struct side *now)
{
	const char *path = it->pub.path;
	bool same = was->there && now->there && was->n == now->n &&
		(was->n == 0 || memcmp(was->data, now->data, was->n) == 0);
	if (same && was->mode == now->mode)
		return 0;
	put_head(o, c, path, was, now, same);
	if (same || (was->n == 0 && now->n == 0))
		return o->failed;
	struct diff d = {0};
	int r = is_binary(was) || is_binary(now)
		? -E2BIG
		: diff_texts(&d, text_of(was), was->n, text_of(now), now->n);
	if (r == -E2BIG) {
		it->pub.binary = true;
		puts_(o, "GIT binary patch\n");
		r = object_literal(text_of(now), now->n, put, o);
		if (r == 0)
			r = object_literal(text_of(was), was->n, put, o);
	} else if (r == 0) {
		put_file_line(o, "--- ", was->there ? "a/" : NULL, path);
		put_file_line(o, "+++ ", now->there ? "b/" : NULL, path);
		r = put_hunks(o, &d);
	}
	diff_free(&d);
	return r < 0 ? r : o->failed;
}

static bool in_patch(const struct item *it)
{
	return it->pub.kind != CHANGE_ODD && !git_dir_len(it->pub.path);
}

/* Both sides into memory; with a word in detail when that can't be. */
static int load_both(const struct change *c, struct item *it, struct side *was, struct side *now)
{
	int r = load(c, &it->was, it->pub.path, was);
	if (r == 0)
		r = load(c, &it->now, it->pub.path, now);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		it->pub.binary = true;
		it->pub.detail = r == -EFBIG ? "too large for a patch"
			: r == -ENOENT       ? "what it was is not to be had from git"
			: r == -EACCES       ? "can't be read: its mode keeps its owner out"
					     : "changed while it was read";
		free_side(was);
		free_side(now);
		return 1;
	}
	return 0;
}

static int put_item(struct out *o, const struct change *c, struct item *it)
{
	struct side was = {0}, now = {0}, none = {0};
	int r = load_both(c, it, &was, &now);
	if (r != 0)
		return MIN(r, 0);
	if (was.there && now.there && ((was.mode ^ now.mode) & 0170000)) {
		r = put_change(o, c, it, &was, &none);
		if (r == 0)
			r = put_change(o, c, it, &none, &now);
	} else if (was.there || now.there) {
		r = put_change(o, c, it, &was, &now);
	}
	free_side(&was);
	free_side(&now);
	return r;
}

int change_patch(struct change *c, int fd, struct err *err)
{
	static struct out o;
	int r = 0;
	o.fd = fd;
	for (size_t i = 0; i < c->n && r == 0; i++)
		if (in_patch(&c->items[i]))
			r = put_item(&o, c, &c->items[i]);
	if (r == 0 && o.n)
		r = fd_write_all(fd, o.buf, o.n);
	return r < 0 ? err_sys(err, -r, "write the patch") : 0;
}

static void count(const struct diff *d, struct change_item *it)
{
	for (uint32_t i = 0; i < d->a.n; i++)
		it->removed += d->a.changed[i];
	for (uint32_t i = 0; i < d->b.n; i++)
		it->added += d->b.changed[i];
	it->counted = true;
}

/* Of a file that was added or removed whole, the diff is not needed. */
static uint64_t lines_of(const struct side *s)
{
	uint64_t n = 0;
	for (const char *p = text_of(s), *end = p + s->n; p < end; n++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		p = nl ? nl + 1 : end;
	}
	return n;
}

static void count_item(struct change *c, struct item *it)
{
	struct side was = {0}, now = {0};
	struct diff d = {0};
	if (load_both(c, it, &was, &now) != 0)
		return;
	if (is_binary(&was) || is_binary(&now)) {
		it->pub.binary = true;
	} else if (!was.n || !now.n || ((was.mode ^ now.mode) & 0170000)) {
		it->pub.removed = lines_of(&was);
		it->pub.added = lines_of(&now);
		it->pub.counted = was.there || now.there;
	} else {
		int r = diff_texts(&d, was.data, was.n, now.data, now.n);
		if (r == 0)
			count(&d, &it->pub);
		else
			it->pub.binary = true;
		diff_free(&d);
	}
	free_side(&was);
	free_side(&now);
}

void change_count_lines(struct change *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->items[i].pub.kind != CHANGE_ODD && c->items[i].pub.kind != CHANGE_MODE)
			count_item(c, &c->items[i]);
}
