/* seed/cache.c - the reader of seed/cache.h.
 *
 * Owns: deciding that a cache still holds, and writing its files.  Must not: report errors
 * (whatever is wrong with a cache means that bawn-admin does the work), or need more than libc and
 * base.
 *
 * Theory of operation.  The digest finds damage; owner, mode and directory tell that the file is
 * ours (base/cache-file.h).  Each source was looked at before it was read, as itself and behind its
 * links, and must be the same now.  Nothing is written before the whole file has been understood.
 */
#include "seed/cache.h"

#include <fcntl.h>
#include <limits.h>
#include <strings.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"

struct file {
	mode_t mode;
	const char *rel;
	const char *data;
	size_t n;
};

struct content {
	struct file files[SEED_CACHE_FILES_MAX];
	size_t n_files, n_sources;
	const char *records;
	bool named;
};

char *seed_cache_path(struct arena *a, const char *cache_dir, const struct seed_cache_key *key)
{
	struct source_id admin;
	if (source_id_stat(key->admin, true, &admin) < 0 || admin.kind != SOURCE_FILE)
		return NULL;
	struct blob b = {0};
	blob_put_u64(&b, 0, SEED_CACHE_FORMAT);
	blob_put_str(&b, 0, PACKAGE_VERSION);
	blob_put_str(&b, 1, key->home);
	blob_put_u64(&b, 2, key->xdg_config != NULL);
	blob_put_str(&b, 2, key->xdg_config ? key->xdg_config : "");
	blob_put_str(&b, 3, key->workspace);
	blob_put_u64(&b, 4, (uint64_t)key->git);
	blob_put_str(&b, 5, key->admin);
	blob_put(&b, 6, &admin, sizeof(admin));
	blob_put_u64(&b, 7, (uint64_t)key->template | (uint64_t)key->no_system << 1);
	char hex[33], *path = NULL;
	if (!b.failed)
		path = arena_printf(
			a, "%s/seed/%s", cache_dir, digest_hex(digest_of(b.data, b.n), hex));
	blob_free(&b);
	return path;
}

bool seed_no_system(const char *value)
{
	static const char *const no[] = {"", "0", "false", "no", "off"};
	for (size_t i = 0; value && i < ARRAY_LEN(no); i++)
		if (strcasecmp(value, no[i]) == 0)
			return false;
	return value;
}

bool seed_cache_source_holds(const struct blob_view *v)
{
	struct seed_cache_source was, now;
	if (v->len <= sizeof(was) || v->data[v->len - 1] != '\0')
		return false;
	memcpy(&was, v->data, sizeof(was));
	const char *path = v->data + sizeof(was);
	return *path == '/' && source_id_stat(path, false, &now.link) == 0 &&
		source_id_stat(path, true, &now.target) == 0 &&
		memcmp(&was, &now, sizeof(was)) == 0;
}

/* "a/b/c": relative, and every component a plain name. */
static bool rel_ok(const char *rel)
{
	for (const char *p = rel;; p++) {
		size_t n = strcspn(p, "/");
		if (n == 0 || n > NAME_MAX || (n == 1 && *p == '.') ||
			(n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
		if (!*p)
			return (size_t)(p - rel) < PATH_MAX;
	}
}

static bool get_file(const struct blob_view *v, struct content *c)
{
	uint32_t mode;
	if (c->n_files == SEED_CACHE_FILES_MAX || v->len < sizeof(mode))
		return false;
	memcpy(&mode, v->data, sizeof(mode));
	const char *rel = v->data + sizeof(mode), *end = v->data + v->len;
	const char *nul = memchr(rel, 0, (size_t)(end - rel));
	if (!nul || !rel_ok(rel) || (mode != 0600 && mode != 0700))
		return false;
	c->files[c->n_files++] = (struct file){
		.mode = mode, .rel = rel, .data = nul + 1, .n = (size_t)(end - nul) - 1};
	return true;
}

static bool get_record(const struct blob_view *v, const char *name, struct content *c)
{
	const char *s;
	switch (v->tag) {
	case SEED_CACHE_NAME:
		s = blob_str(v);
		c->named = s && streq(s, name);
		return c->named;
	case SEED_CACHE_SOURCE:
		c->n_sources++;
		return seed_cache_source_holds(v);
	case SEED_CACHE_FILE:
		return get_file(v, c);
	case SEED_CACHE_RECORDS:
		c->records = blob_str(v);
		return c->records != NULL;
	default:
		return false;
	}
}

static bool understand(const char *data, size_t n, const char *name, struct content *c)
{
	struct seed_cache_head h;
	if (n < sizeof(h))
		return false;
	memcpy(&h, data, sizeof(h));
	data += sizeof(h);
	n -= sizeof(h);
	if (memcmp(h.magic, SEED_CACHE_MAGIC, sizeof(h.magic)) != 0 ||
		h.format != SEED_CACHE_FORMAT || h.head_len != sizeof(h) || h.payload_len != n ||
		!digest_eq(digest_of(data, n), h.payload))
		return false;
	struct blob_iter it;
	struct blob_view v;
	int k;
	blob_iter_init(&it, data, n);
	while ((k = blob_next(&it, &v)) > 0)
		if (!get_record(&v, name, c))
			return false;
	return k == 0 && c->named && c->n_sources && c->n_files && c->records;
}

static bool write_file(int home, const struct file *f)
{
	char dir[PATH_MAX];
	const char *base = path_base(f->rel);
	if (base != f->rel) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(base - f->rel) - 1, f->rel);
		if (file_mkdir_p(home, dir, 0700) < 0)
			return false;
	}
	_cleanup_close_ int fd = path_openat2(home, f->rel, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		f->mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return false;
	if (fd_write_all(fd, f->data, f->n) == 0)
		return true;
	unlinkat(home, f->rel, 0); /* bawn-admin would take half a file for the user's own */
	return false;
}

bool seed_cache_use(struct arena *a, const char *path, int home, char **ret_records)
{
	struct stat st;
	_cleanup_close_ int fd = cache_file_open(path, "settings", &st, NULL);
	if (fd < 0 || st.st_size <= 0 || (uint64_t)st.st_size > SEED_CACHE_MAX)
		return false;
	size_t n = (size_t)st.st_size;
	char *data = arena_alloc(a, n);
	if (!data || fd_read_full(fd, data, n) != (ssize_t)n)
		return false;
	struct content c = {0};
	if (!understand(data, n, path_base(path), &c))
		return false;
	/* The last one, .gitconfig, tells bawn-admin that its work is done: written in order. */
	for (size_t i = 0; i < c.n_files; i++)
		if (!write_file(home, &c.files[i]))
			return false;
	*ret_records = arena_dup(a, c.records);
	return *ret_records != NULL;
}
