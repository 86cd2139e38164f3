/* secret/secret-store.c - what is in the store: set, removed, listed. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/file.h"
#include "base/text.h"
#include "secret/secret.h"
#include "secret/secret-file.h"

int secret_check_name(const char *name, struct err *err)
{
	char shown[128];
	size_t n = strlen(name);
	bool ok = n > 0 && n <= SECRET_NAME_MAX && name[0] != '.' && name[0] != '-';
	for (size_t i = 0; ok && i < n; i++)
		ok = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') ||
			(name[i] >= '0' && name[i] <= '9') || (name[i] && strchr("._-", name[i]));
	if (ok && n > 4 && streq(name + n - 4, ".tmp"))
		ok = false; /* how files are called that are being written */
	return ok ? 0
		  : err_set(err, EINVAL,
			    "\"%s\" can't be a secret's name: letters, digits, \".\", \"-\", "
			    "\"_\", 64 "
			    "at most, not starting with \".\" or \"-\", not ending in .tmp",
			    escape_text(shown, sizeof(shown), name));
}

static int check_names(const char *sandbox, const char *name, struct err *err)
{
	int r = secret_check_name(name, err);
	if (r < 0 || !sandbox)
		return r;
	char shown[128];
	if (secret_check_name(sandbox, NULL) < 0)
		return err_set(err, EINVAL, "\"%s\" is not a sandbox's name",
			escape_text(shown, sizeof(shown), sandbox));
	return 0;
}

/* The scope's directory, with the whole store locked (*ret_lock); -ENOENT: no such store. */
static int locked_dir(
	const char *config_dir, const char *sandbox, bool make, int *ret_lock, struct err *err)
{
	_cleanup_close_ int all = secret_dir(config_dir, NULL, make, err);
	if (all < 0)
		return all;
	int r = secret_lock(all, err);
	if (r < 0)
		return r;
	int dir = secret_dir(config_dir, sandbox, make, err);
	if (dir >= 0) {
		secret_sweep(dir);
		*ret_lock = TAKE_FD(all);
	}
	return dir;
}

static int check_text(enum secret_source source, const char *text, size_t n, struct err *err)
{
	if (source == SECRET_VALUE)
		return secret_check_value(text, n, err);
	if (n == 0 || n > SECRET_MAX || secret_check_value(text, n, NULL) < 0)
		return err_set(err, EINVAL,
			"--%s takes one line of text, without control bytes or spaces around it",
			secret_source_name(source));
	if (source == SECRET_FILE && text[0] != '/')
		return err_set(err, EINVAL, "not an absolute path");
	return 0;
}

int secret_set(const char *config_dir, const char *sandbox, const char *name,
	enum secret_source source, const char *text, size_t n, struct err *err)
{
	_cleanup_close_ int lock = -1;
	_cleanup_secret_ struct secret_buf b = {0};
	int r = check_names(sandbox, name, err);
	if (r == 0)
		r = check_text(source, text, n, err);
	if (r == 0)
		r = secret_buf_alloc(&b, err);
	if (r < 0)
		return r;
	snprintf(b.v, SECRET_BUF_ROOM, "bawn-secret 1 %-7s\n", secret_source_name(source));
	memcpy(b.v + SECRET_HEADER_LEN, text, n);
	b.n = SECRET_HEADER_LEN + n;
	_cleanup_close_ int dir = locked_dir(config_dir, sandbox, true, &lock, err);
	if (dir < 0)
		return dir;
	r = file_write_atomic(dir, name, b.v, b.n, 0600, true, err);
	if (r < 0) {
		err_hint(err, "the store is %s/secrets; what was there before is as it was",
			config_dir);
		return err_prefix(err, "keep the secret");
	}
	return fsync(dir) < 0 ? err_sys(err, errno, "sync the store of secrets") : 0;
}

int secret_exists(const char *config_dir, const char *sandbox, const char *name, struct err *err)
{
	enum secret_source source;
	int r = check_names(sandbox, name, err);
	if (r < 0)
		return r;
	_cleanup_close_ int dir = secret_dir(config_dir, sandbox, false, err);
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	_cleanup_close_ int fd = secret_open(dir, name, &source, NULL, err);
	return fd == -ENOENT ? 0 : fd < 0 ? fd : 1;
}

static int none(const char *config_dir, const char *sandbox, const char *name, struct err *err)
{
	struct arena a = {0};
	struct secret_info *v = NULL;
	struct strv names = {0};
	size_t n = 0;
	bool elsewhere = false;
	secret_list(&a, config_dir, &v, &n, NULL);
	for (size_t i = 0; i < n; i++) {
		bool here = sandbox ? v[i].sandbox && streq(v[i].sandbox, sandbox) : !v[i].sandbox;
		if (here)
			strv_add(&a, &names, v[i].name);
		else if (streq(v[i].name, name) && !elsewhere) {
			elsewhere = true;
			err_hint(err, "there is one %s%s",
				v[i].sandbox ? "for --sandbox " : "for all",
				v[i].sandbox ? v[i].sandbox : " sandboxes");
		}
	}
	const char *near = text_nearest(name, (const char *const *)names.v, names.n);
	if (near)
		err_hint(err, "did you mean \"%s\"?", near);
	else if (!elsewhere)
		err_hint(err, "bawn secret ls lists them");
	arena_free(&a);
	return err_set(err, ENOENT, "there is no secret \"%s\"%s%s", name,
		sandbox ? " for sandbox " : "", sandbox ? sandbox : "");
}

int secret_remove(const char *config_dir, const char *sandbox, const char *name, struct err *err)
{
	_cleanup_close_ int lock = -1;
	int r = check_names(sandbox, name, err);
	if (r < 0)
		return r;
	_cleanup_close_ int dir = locked_dir(config_dir, sandbox, false, &lock, err);
	if (dir == -ENOENT)
		return none(config_dir, sandbox, name, err);
	if (dir < 0)
		return dir;
	CRASH_STEP();
	if (unlinkat(dir, name, 0) < 0)
		return errno == ENOENT ? none(config_dir, sandbox, name, err)
				       : err_sys(err, errno, "remove secret %s", name);
	CRASH_STEP();
	return fsync(dir) < 0 ? err_sys(err, errno, "sync the store of secrets") : 0;
}

int secret_forget_sandbox(const char *config_dir, const char *sandbox, struct err *err)
{
	_cleanup_close_ int lock = -1;
	char name[SECRET_NAME_MAX + 2];
	if (secret_check_name(sandbox, NULL) < 0)
		return 0; /* no secret can be of such a sandbox */
	_cleanup_close_ int dir = locked_dir(config_dir, sandbox, false, &lock, err);
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return err_sys(err, errno, "read the secrets of %s", sandbox);
	for (struct dirent *e; (e = readdir(d));) {
		CRASH_STEP();
		if (e->d_name[0] != '.')
			unlinkat(dir, e->d_name, 0);
	}
	closedir(d);
	snprintf(name, sizeof(name), "@%s", sandbox);
	CRASH_STEP();
	return unlinkat(lock, name, AT_REMOVEDIR) < 0 && errno != ENOENT
		? err_sys(err, errno, "remove the secrets of %s", sandbox)
		: 0;
}

struct list {
	struct arena *a;
	struct secret_info *v;
	size_t n, cap;
};

static int add_entry(
	struct list *l, int dir, const char *name, const char *sandbox, struct err *err)
{
	struct secret_info info = {.sandbox = sandbox};
	_cleanup_close_ int fd = secret_open(dir, name, &info.source, &info.changed, err);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd; /* removed meanwhile */
	struct secret_info *v = arena_grow(l->a, l->v, l->n, &l->cap, sizeof(*v));
	info.name = arena_dup(l->a, name);
	if (!v || !info.name)
		return err_set(err, ENOMEM, "out of memory");
	l->v = v;
	v[l->n++] = info;
	return 0;
}

static int list_scope(struct list *l, const char *config_dir, const char *sandbox,
	struct strv *scopes, struct err *err)
{
	int fd = secret_dir(config_dir, sandbox, false, err);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	DIR *d = fdopendir(fd);
	int r = d ? 0 : err_sys(err, errno, "read the store of secrets");
	if (!d)
		close(fd);
	for (struct dirent *e; r == 0 && (e = readdir(d));) {
		if (e->d_name[0] == '@' && scopes && secret_check_name(e->d_name + 1, NULL) == 0)
			r = strv_add(l->a, scopes, e->d_name + 1);
		else if (secret_check_name(e->d_name, NULL) == 0)
			r = add_entry(l, fd, e->d_name, sandbox, err);
	}
	if (d)
		closedir(d);
	return r;
}

static int by_name(const void *pa, const void *pb)
{
	const struct secret_info *a = pa, *b = pb;
	int c = strcmp(a->name, b->name);
	return c ? c : strcmp(a->sandbox ? a->sandbox : "", b->sandbox ? b->sandbox : "");
}

int secret_list(struct arena *a, const char *config_dir, struct secret_info **ret, size_t *ret_n,
	struct err *err)
{
	struct list l = {.a = a};
	struct strv scopes = {0};
	int r = list_scope(&l, config_dir, NULL, &scopes, err);
	for (size_t i = 0; r == 0 && i < scopes.n; i++)
		r = list_scope(&l, config_dir, scopes.v[i], NULL, err);
	if (r < 0)
		return r;
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), by_name);
	*ret = l.v;
	*ret_n = l.n;
	return 0;
}
