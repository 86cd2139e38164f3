/* policy/locate.c - see locate.h.  Must not: read what is in the files, or look in a workspace. */
#include "policy/locate.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/path.h"
#include "base/text.h"
#include "policy/schema.h"

#define USER_POLICY "user"

static const struct {
	const char *what;
	const char *config, *data; /* below config_dir and data_dir */
} places[LOCATE_KINDS] = {
	[LOCATE_PROFILE] = {"profile", "profiles", "profiles"},
	[LOCATE_POLICY] = {"egress policy", "policies", "policies/egress"},
	[LOCATE_SYSCALLS] = {"system call policy", "policies/syscalls", "policies/syscalls"},
};

int locate_remember(struct locate *l, const char *path, struct err *err)
{
	for (const struct locate_source *s = l->sources; s; s = s->next)
		if (streq(s->path, path))
			return 0;
	struct locate_source *s = arena_alloc(l->a, sizeof(*s));
	if (!s || !(s->path = arena_dup(l->a, path)))
		return err_set(err, ENOMEM, "out of memory");
	int r = source_id_stat(path, false, &s->id);
	if (r < 0)
		return err_sys(err, -r, "stat %s", path);
	s->next = l->sources;
	l->sources = s;
	return 0;
}

static int refuse(struct err *err, const char *path, const char *why, const char *remedy)
{
	char shown[400];
	escape_text(shown, sizeof(shown), path);
	err_hint(err, "%s '%s'", remedy, shown);
	return err_set(err, EPERM, "%s %s; bawn takes no rules from it", shown, why);
}

/* What the user's rules come from must be the user's alone.  shipped: part of the installation,
 * where links are usual and a packager's group may write. */
static int check_trust(const char *path, bool dir, bool shipped, struct err *err)
{
	struct stat st;
	if ((shipped ? stat(path, &st) : lstat(path, &st)) < 0)
		return err_sys(err, errno, "stat %s", path);
	if (GUARD_REMOVED("config-trust"))
		return 0;
	if (S_ISLNK(st.st_mode))
		return refuse(
			err, path, "is a symbolic link", "put the file itself there instead of");
	if (dir ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return refuse(
			err, path, dir ? "is not a directory" : "is not a regular file", "remove");
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return refuse(err, path, "belongs to somebody else",
			shipped ? "install bawn yourself, or have root do it, instead of using"
				: "remove");
	if (st.st_mode & (shipped ? 0002 : 0022))
		return refuse(err, path, "can be written by others", "chmod go-w");
	return 0;
}

/* CONFIG, and CONFIG/SUB: 1 if there, 0 if not. */
static int check_config_dir(struct locate *l, const char *path, struct err *err)
{
	struct stat st;
	int r = locate_remember(l, path, err);
	if (r < 0)
		return r;
	if (lstat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0
							   : err_sys(err, errno, "stat %s", path);
	r = check_trust(path, true, false, err);
	return r < 0 ? r : 1;
}

static int check_config_dirs(struct locate *l, enum locate_kind kind, struct err *err)
{
	char path[4096];
	if (snprintf(path, sizeof(path), "%s/%s", l->config_dir, places[kind].config) >=
		(int)sizeof(path))
		return err_set(err, ENAMETOOLONG, "path too long");
	/* Each directory from CONFIG down, "policies" before "policies/syscalls". */
	for (size_t at = strlen(l->config_dir); at <= strlen(path); at++) {
		char c = path[at];
		if (c != '/' && c != '\0')
			continue;
		path[at] = '\0';
		int r = check_config_dir(l, path, err);
		path[at] = c;
		if (r <= 0)
			return r;
	}
	return 1;
}

/* Is this one there and fit to be read?  1 yes, 0 absent. */
static int try_file(struct locate *l, const char *path, bool shipped, struct err *err)
{
	struct stat st;
	int r = locate_remember(l, path, err);
	if (r < 0)
		return r;
	if (lstat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0
							   : err_sys(err, errno, "stat %s", path);
	r = check_trust(path, false, shipped, err);
	if (r >= 0 && S_ISLNK(st.st_mode)) {
		/* A shipped file may be a link; what it leads to counts too. */
		char *real = path_real(l->a, path);
		r = real ? locate_remember(l, real, err) : err_sys(err, errno, "resolve %s", path);
	}
	return r < 0 ? r : 1;
}

static int not_found(struct locate *l, enum locate_kind kind, const char *name, struct err *err)
{
	struct strv names = {0};
	char shown[128];
	escape_text(shown, sizeof(shown), name);
	locate_names(l, kind, &names, NULL);
	const char *near = text_nearest(name, (const char *const *)names.v, names.n);
	if (near) {
		err_hint(err, "did you mean \"%s\"?", near);
	} else {
		char all[400] = "";
		size_t len = 0;
		for (size_t i = 0; i < names.n && len < sizeof(all); i++)
			len += (size_t)snprintf(
				all + len, sizeof(all) - len, "%s%s", i ? ", " : "", names.v[i]);
		err_hint(err, "there are %s; your own go into %s/%s/NAME.yaml", all, l->config_dir,
			places[kind].config);
	}
	return err_set(err, ENOENT, "there is no %s \"%s\"", places[kind].what, shown);
}

int locate_file(struct locate *l, enum locate_kind kind, const char *name, const char **ret,
	struct err *err)
{
	if (strchr(name, '/')) {
		char *path = pack_abs(l->a, name);
		if (!path)
			return err_set(err, ENOENT, "the current directory is gone");
		int r = try_file(l, path, false, err);
		if (r == 0)
			return err_set(err, ENOENT, "%s does not exist", path);
		if (r > 0)
			*ret = path;
		return MIN(r, 0);
	}
	if (!schema_is_name(name)) {
		char shown[128];
		err_hint(err, "%s",
			kind == LOCATE_PROFILE          ? "bawn profile ls lists the profiles"
				: kind == LOCATE_POLICY ? "bawn policy show lists the policies"
							: "a name is of letters, digits, - and _");
		return err_set(err, EINVAL, "\"%s\" is not the name of %s %s",
			escape_text(shown, sizeof(shown), name),
			strchr("aeiou", places[kind].what[0]) ? "an" : "a", places[kind].what);
	}
	int r = check_config_dirs(l, kind, err);
	if (r < 0)
		return r;
	char *path = arena_printf(l->a, "%s/%s/%s.yaml", l->config_dir, places[kind].config, name);
	r = path ? try_file(l, path, false, err) : -ENOMEM;
	if (r == 0) {
		path = arena_printf(l->a, "%s/%s/%s.yaml", l->data_dir, places[kind].data, name);
		r = path ? try_file(l, path, true, err) : -ENOMEM;
	}
	if (r == 0)
		return not_found(l, kind, name, err);
	if (r > 0)
		*ret = path;
	return MIN(r, 0);
}

int locate_user_policy(struct locate *l, const char **ret, struct err *err)
{
	*ret = NULL;
	int r = check_config_dirs(l, LOCATE_POLICY, err);
	if (r < 0)
		return r;
	char *path = arena_printf(l->a, "%s/policies/" USER_POLICY ".yaml", l->config_dir);
	r = path ? try_file(l, path, false, err) : -ENOMEM;
	if (r > 0)
		*ret = path;
	return MIN(r, 0);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_dir(struct locate *l, const char *dir, struct strv *ret)
{
	DIR *d = opendir(dir);
	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		size_t n = strlen(e->d_name);
		if (n < 6 || !streq(e->d_name + n - 5, ".yaml"))
			continue;
		char *name = arena_dupn(l->a, e->d_name, n - 5);
		if (name && schema_is_name(name) && !strv_has(ret, name))
			strv_push(l->a, ret, name);
	}
	closedir(d);
}

int locate_names(struct locate *l, enum locate_kind kind, struct strv *ret, struct err *err)
{
	char *user = path_join(l->a, l->config_dir, places[kind].config);
	char *data = path_join(l->a, l->data_dir, places[kind].data);
	if (!user || !data)
		return err_set(err, ENOMEM, "out of memory");
	list_dir(l, user, ret);
	list_dir(l, data, ret);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_name);
	return arena_check(l->a, err);
}
