/* store/templates.c - finding and reading templates, and the locks; see templates.h */
#include "store/templates.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "base/escape.h"
#include "base/file.h"
#include "store/sandboxes.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define TAGS_MAX ((size_t)16 << 20)
#define PREFIX_MIN 4
#define LOCK_POLL_MS 20

/* A directory, not a link to one. */
static int make_part(int dirfd, const char *name)
{
	struct stat st;
	if (mkdirat(dirfd, name, 0700) == 0)
		return 0;
	if (errno != EEXIST || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	errno = ENOTDIR;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int templates_open(struct arena *a, const char *data, struct templates *ret, struct err *err)
{
	static const char *const parts[] = {"images", "layers", "tmp", "cache"};
	struct templates t = TEMPLATES_NONE;
	t.dir = path_join(a, data, "templates");
	int r = t.dir ? file_mkdir_private(t.dir, err) : err_set(err, ENOMEM, "out of memory");
	if (r < 0)
		return r;
	t.fd = open(t.dir, DIR_FLAGS);
	if (t.fd < 0)
		return err_sys(err, errno, "open %s", t.dir);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (make_part(t.fd, parts[i]) == 0)
			continue;
		r = err_sys(err, errno, "create directory %s/%s", t.dir, parts[i]);
		templates_close(&t);
		return r;
	}
	*ret = t;
	return 0;
}

void templates_close(struct templates *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

/* ---- locks ---- */

static int open_lock(const struct templates *t, struct err *err)
{
	int fd = openat(t->fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? err_sys(err, errno, "open %s/lock", t->dir) : fd;
}

int templates_hold(const struct templates *t, struct err *err)
{
	_cleanup_close_ int fd = open_lock(t, err);
	while (fd >= 0 && flock(fd, LOCK_SH) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "lock %s", t->dir);
	return fd < 0 ? fd : TAKE_FD(fd);
}

int templates_lock(const struct templates *t, int wait_ms, struct err *err)
{
	_cleanup_close_ int fd = open_lock(t, err);
	if (fd < 0)
		return fd;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return err_sys(err, errno, "lock %s", t->dir);
		if (wait_ms <= 0) {
			err_hint(err,
				"a load, pull, build, save or start is under way; try again "
				"when it is done");
			return err_set(err, EBUSY, "the templates are in use");
		}
		nanosleep(&(struct timespec){.tv_nsec = LOCK_POLL_MS * 1000000}, NULL);
		wait_ms -= LOCK_POLL_MS;
	}
	return TAKE_FD(fd);
}

/* ---- tags ---- */

static bool tag_line(char *line, struct template_tag *ret)
{
	char *key = strsep(&line, " "), *digest = line ? strsep(&line, " ") : NULL, *end;
	const char *hex = digest ? ref_digest_hex(digest) : NULL;
	if (!hex || !line || !*key || *line < '0' || *line > '9')
		return false;
	for (const char *p = key; *p; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	errno = 0;
	*ret = (struct template_tag){key, (char *)hex, strtoll(line, &end, 10)};
	return !*end && !errno;
}

static int tags_parse(const struct templates *t, struct arena *a, char *text, size_t n,
	struct template_tags *ret, struct err *err)
{
	struct template_tags tags = {0};
	size_t cap = 0, lines = 0;
	char *line;
	bool whole = !memchr(text, '\0', n), ends = n == 0 || text[n - 1] == '\n';
	if (n && ends)
		text[n - 1] = '\0';
	for (char *rest = n ? text : NULL; whole && (line = strsep(&rest, "\n"));) {
		lines++;
		tags.v = arena_grow(a, tags.v, tags.n, &cap, sizeof(*tags.v));
		if (!tags.v)
			return err_set(err, ENOMEM, "out of memory");
		whole = tag_line(line, &tags.v[tags.n++]);
	}
	whole = whole && ends;
	if (!whole) {
		err_hint(err,
			"correct that line, or remove the file: the templates stay, under "
			"their IDs");
		return err_set(err, EIO, "%s/tags:%zu: it is cut short or no tag", t->dir, lines);
	}
	*ret = tags;
	return 0;
}

int templates_tags(
	const struct templates *t, struct arena *a, struct template_tags *ret, struct err *err)
{
	char *text;
	if (faccessat(t->fd, "tags", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
		*ret = (struct template_tags){0};
		return 0;
	}
	ssize_t n = file_read(a, t->fd, "tags", TAGS_MAX, &text, err);
	return n < 0 ? (int)n : tags_parse(t, a, text, (size_t)n, ret, err);
}

/* ---- reading ---- */

static int open_part(const struct templates *t, const char *kind, const char *hex)
{
	char path[96];
	if (!ref_is_hex(hex))
		return -EINVAL;
	snprintf(path, sizeof(path), "%s/%s", kind, hex);
	int fd = openat(t->fd, path, DIR_FLAGS);
	return fd < 0 ? -errno : fd;
}

static int damaged(const char *id, struct err *err)
{
	err_hint(err,
		"bawn template verify names all that is amiss; bawn template rm %.12s and "
		"load or pull it again",
		id);
	err_prefix(err, "template %.12s is damaged", id);
	if (err)
		err->code = EIO;
	return -EIO;
}

int template_read(const struct templates *t, struct arena *a, const char *id, struct template *ret,
	struct err *err)
{
	struct template f = {0};
	char *text;
	_cleanup_close_ int dir = open_part(t, "images", id);
	if (dir == -ENOENT || dir == -EINVAL) {
		err_hint(err, "bawn template ls lists those there are");
		return err_set(err, ENOENT, "there is no template %.12s", id);
	}
	if (dir < 0)
		return err_sys(err, -dir, "open %s/images/%s", t->dir, id);
	ssize_t n = file_read(a, dir, "info", TEMPLATE_INFO_MAX, &text, err);
	int r = n < 0 ? (int)n : template_info_parse(a, text, (size_t)n, &f.info, err);
	for (size_t i = 0; r == 0 && i < f.info.layers.n; i++)
		if (!template_layer_have(t, f.info.layers.v[i]))
			r = err_set(err, EIO, "layer %.12s is not there", f.info.layers.v[i]);
	if (r == -EPROTO)
		return err_prefix(err, "template %.12s", id);
	if (r < 0)
		return damaged(id, err);
	f.id = arena_dup(a, id);
	*ret = f;
	return arena_check(a, err);
}

ssize_t template_config(
	const struct templates *t, struct arena *a, const char *id, char **ret, struct err *err)
{
	_cleanup_close_ int dir = open_part(t, "images", id);
	if (dir < 0)
		return err_sys(err, -dir, "open template %.12s", id);
	return file_read(a, dir, "config", TEMPLATE_CONFIG_MAX, ret, err);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int templates_names(const struct templates *t, const char *kind, struct arena *a, struct strv *ret,
	struct err *err)
{
	struct dirent *de;
	int fd = openat(t->fd, kind, DIR_FLAGS);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		int e = errno;
		if (fd >= 0)
			close(fd);
		return err_sys(err, e, "open %s/%s", t->dir, kind);
	}
	while ((de = readdir(d)))
		if (!streq(de->d_name, ".") && !streq(de->d_name, ".."))
			strv_add(a, ret, de->d_name);
	closedir(d);
	return arena_check(a, err);
}

/* Names of 64 hex digits in a part of the store, sorted. */
static int hex_names(const struct templates *t, struct arena *a, const char *kind, struct strv *ret,
	struct err *err)
{
	struct strv all = {0}, names = {0};
	int r = templates_names(t, kind, a, &all, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < all.n; i++)
		if (ref_is_hex(all.v[i]))
			strv_push(a, &names, all.v[i]);
	if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), by_text);
	*ret = names;
	return arena_check(a, err);
}

int templates_ids(const struct templates *t, struct arena *a, struct strv *ret, struct err *err)
{
	return hex_names(t, a, "images", ret, err);
}

/* ---- finding ---- */

static int not_found(const char *text, struct err *err)
{
	char shown[128];
	err_hint(err, "bawn template ls lists those there are");
	return err_set(
		err, ENOENT, "there is no template '%s'", escape_text(shown, sizeof(shown), text));
}

/* The one ID that begins with digits. */
static int find_id(
	const struct templates *t, struct arena *a, const char *digits, char **ret, struct err *err)
{
	struct strv ids = {0};
	int r = templates_ids(t, a, &ids, err);
	if (r < 0)
		return r;
	char *found = NULL;
	for (size_t i = 0; i < ids.n; i++) {
		if (!has_prefix(ids.v[i], digits))
			continue;
		if (found) {
			err_hint(
				err, "%.16s and %.16s begin so: give more digits", found, ids.v[i]);
			return err_set(
				err, ENOTUNIQ, "'%s' is the ID of several templates", digits);
		}
		found = ids.v[i];
	}
	if (!found)
		return not_found(digits, err);
	*ret = found;
	return 0;
}

static bool is_digits(const char *s)
{
	size_t n = strlen(s);
	return n >= PREFIX_MIN && n <= 64 && strspn(s, "0123456789abcdef") == n;
}

int template_resolve(const struct templates *t, struct arena *a, const char *text,
	struct template *f, struct err *err)
{
	struct template_tags tags;
	struct ref ref;
	const char *digits = has_prefix(text, "sha256:") ? text + 7 : text;
	struct err why = {0};
	int r = digits != text && is_digits(digits) ? -EINVAL : ref_parse(a, text, &ref, &why);
	if (r == 0) {
		char *key = ref_key(a, &ref);
		r = key ? templates_tags(t, a, &tags, err) : err_set(err, ENOMEM, "out of memory");
		if (r < 0)
			return r;
		for (size_t i = 0; i < tags.n; i++) {
			if (!streq(tags.v[i].key, key))
				continue;
			f->id = tags.v[i].id;
			f->key = key;
			return 0;
		}
	}
	if (is_digits(digits))
		return find_id(t, a, digits, &f->id, err);
	if (r == 0)
		return not_found(text, err);
	if (err)
		*err = why;
	return r;
}

int template_find(const struct templates *t, struct arena *a, const char *text,
	struct template *ret, struct err *err)
{
	struct template f = {0}, whole = {0};
	int r = template_resolve(t, a, text, &f, err);
	if (r == 0)
		r = template_read(t, a, f.id, &whole, err);
	if (r < 0)
		return r;
	whole.key = f.key;
	*ret = whole;
	return 0;
}

/* ---- layers ---- */

char *template_layer_dir(const struct templates *t, struct arena *a, const char *diff)
{
	return arena_printf(a, "%s/layers/%s", t->dir, diff);
}

char *template_layer_fs(const struct templates *t, struct arena *a, const char *diff)
{
	return arena_printf(a, "%s/layers/%s/fs", t->dir, diff);
}

struct strv template_lowers(const struct templates *t, struct arena *a, const struct strv *layers)
{
	struct strv v = {0};
	for (size_t i = layers->n; i-- > 0;) {
		char *fs = template_layer_fs(t, a, layers->v[i]);
		if (fs && !strv_has(&v, fs))
			strv_push(a, &v, fs);
	}
	return v;
}

bool template_layer_have(const struct templates *t, const char *diff)
{
	char path[96];
	struct stat st;
	snprintf(path, sizeof(path), "layers/%s/fs", diff);
	return ref_is_hex(diff) && fstatat(t->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(st.st_mode);
}

int template_layer_read(const struct templates *t, struct arena *a, const char *diff,
	struct template_layer *ret, struct err *err)
{
	char *text;
	_cleanup_close_ int dir = open_part(t, "layers", diff);
	if (dir < 0)
		return err_sys(err, -dir, "open layer %.12s", diff);
	ssize_t n = file_read(a, dir, "info", TEMPLATE_INFO_MAX, &text, err);
	int r = n < 0 ? (int)n : template_layer_parse(a, text, (size_t)n, ret, err);
	if (r < 0)
		return err_prefix(err, "layer %.12s", diff);
	ret->diff = arena_dup(a, diff);
	return arena_check(a, err);
}

char *template_layer_of_blob(const struct templates *t, struct arena *a, const char *digest)
{
	struct strv all = {0};
	struct template_layer l;
	size_t n = strlen(digest);
	if (!ref_digest_hex(digest) || hex_names(t, a, "layers", &all, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < all.n; i++) {
		if (template_layer_read(t, a, all.v[i], &l, NULL) < 0)
			continue;
		for (size_t k = 0; k < l.blobs.n; k++)
			if (strncmp(l.blobs.v[k], digest, n) == 0 && l.blobs.v[k][n] == ' ')
				return all.v[i];
	}
	return NULL;
}

/* ---- who uses it ---- */

int template_use(const struct templates *t, const char *id, struct err *err)
{
	_cleanup_close_ int fd = open_part(t, "images", id);
	if (fd < 0)
		return err_sys(err, -fd, "open template %.12s", id);
	while (flock(fd, LOCK_SH) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "hold template %.12s", id);
	return TAKE_FD(fd);
}

int template_users(
	struct store *s, struct arena *a, const char *id, struct strv *ret, struct err *err)
{
	struct strv names = {0}, users = {0};
	int r = store_sandbox_list(s, a, &names, err);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct spec spec = {0};
		r = store_sandbox_find(s, a, names.v[i], &spec, err);
		if (r == -ENOENT) {
			r = 0;
			continue;
		}
		if (r < 0) {
			if (err)
				err->code = EAGAIN;
			return -EAGAIN;
		}
		const char *hex = spec.digest ? ref_digest_hex(spec.digest) : NULL;
		if (hex && streq(hex, id))
			strv_push(a, &users, names.v[i]);
	}
	if (r == 0)
		r = arena_check(a, err);
	if (r == 0)
		*ret = users;
	return r;
}
