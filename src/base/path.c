/* base/path.c - see path.h */
#include "base/path.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int path_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
	long fd;
	do
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd < 0 ? -errno : (int)fd;
}

char *path_real(struct arena *a, const char *path)
{
	char real[PATH_MAX];
	return realpath(path, real) ? arena_dup(a, real) : NULL;
}

/* Without "//", "/./", "/../" and a slash at the end. */
static bool is_plain(const char *path)
{
	for (const char *p = path; *p == '/';) {
		size_t n = strcspn(++p, "/");
		if (n == 0 || (p[0] == '.' && (n == 1 || (n == 2 && p[1] == '.'))))
			return n == 0 && p == path + 1 && !*p;
		p += n;
	}
	return true;
}

char *path_settle(struct arena *a, const char *path)
{
	/* one call where there is no link, as nearly always */
	int fd = is_plain(path)
		? path_openat2(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS)
		: -EINVAL;
	if (fd >= 0) {
		close(fd);
		return arena_dup(a, path);
	}
	char *real = fd == -ENOENT ? NULL : path_real(a, path);
	if (real || (fd != -ENOENT && errno != ENOENT))
		return real;
	/* its directory, and the name behind that */
	size_t end = strlen(path);
	while (end > 1 && path[end - 1] == '/')
		end--;
	size_t name = end;
	while (name && path[name - 1] != '/')
		name--;
	if (name < 2)
		return arena_dup(a, path);
	char *last = arena_dupn(a, path + name, end - name), *dir = arena_dupn(a, path, name - 1);
	char *rest = last && dir ? path_settle(a, dir) : NULL;
	return rest ? path_join(a, rest, last) : NULL;
}

bool path_within(const char *path, const char *dir)
{
	size_t n = strlen(dir);
	while (n && dir[n - 1] == '/')
		n--;
	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

bool path_meets(const char *path, const char *other)
{
	return path_within(path, other) || path_within(other, path);
}

char *path_fold(struct arena *a, const char *path)
{
	char *out = arena_alloc(a, strlen(path) + 2);
	size_t n = 0;
	for (const char *p = path; out && *p;) {
		p += strspn(p, "/");
		const size_t k = strcspn(p, "/");
		if (k == 2 && p[0] == '.' && p[1] == '.') {
			while (n && out[--n] != '/')
				;
		} else if (k && !(k == 1 && *p == '.')) {
			out[n++] = '/';
			memcpy(out + n, p, k);
			n += k;
		}
		p += k;
	}
	if (out && n == 0)
		out[n++] = '/';
	if (out)
		out[n] = '\0'; /* longer, before a ".." */
	return out;
}

char *path_join(struct arena *a, const char *dir, const char *name)
{
	size_t n = strlen(dir);
	const char *sep = n && dir[n - 1] == '/' ? "" : "/";
	while (*name == '/')
		name++;
	return arena_join(a, dir, sep, name);
}

char *path_parent(struct arena *a, const char *path)
{
	const size_t n = (size_t)(path_base(path) - path);
	return n ? arena_dupn(a, path, n > 1 ? n - 1 : 1) : NULL;
}

char *path_expand_home(struct arena *a, const char *path, const char *home)
{
	if (streq(path, "~"))
		return arena_dup(a, home);
	if (has_prefix(path, "~/"))
		return path_join(a, home, path + 2);
	return arena_dup(a, path);
}

void path_unescape(char *s)
{
	char *to = s;
	for (char *p = s; *p; to++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] && p[3]) {
			*to = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
			p += 4;
		} else {
			*to = *p++;
		}
	}
	*to = '\0';
}

char *path_of_word(struct arena *a, const char *word)
{
	const char *dot = strrchr(word, '.');
	const bool file = dot && dot > word && !strchr(word, '/') &&
		(streq(dot, ".yaml") || streq(dot, ".yml"));
	return file ? arena_printf(a, "./%s", word) : arena_dup(a, word);
}

const char *path_base(const char *path)
{
	const char *s = strrchr(path, '/');
	return s ? s + 1 : path;
}

bool path_link_leads_out(const char *name, const char *target)
{
	long depth = 0;
	bool word = false;
	if (*target == '/')
		return true;
	for (const char *p = name; *p; p++)
		depth += *p == '/';
	for (const char *p = target; *p;) {
		size_t n = strcspn(p, "/");
		bool up = n == 2 && p[0] == '.' && p[1] == '.';
		if (up && (word || --depth < 0))
			return true;
		word |= !up && n && !(n == 1 && p[0] == '.');
		p += n + (p[n] == '/');
	}
	return false;
}

/* The absolute directory of this executable (from /proc/self/exe), in arena.  NULL: errno. */
static char *path_exe_dir(struct arena *a)
{
	char buf[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", buf, sizeof(buf) - 1);
	if (n < 0)
		return NULL;
	buf[n] = '\0';
	char *slash = strrchr(buf, '/');
	if (!slash) {
		errno = ENOENT;
		return NULL;
	}
	*slash = '\0';
	return arena_dup(a, buf);
}

static bool has_helper(const char *dir)
{
	char p[PATH_MAX];
	return snprintf(p, sizeof(p), "%s/bawn-init", dir) < (int)sizeof(p) && access(p, X_OK) == 0;
}

/* What lies below dir without its last n components: the kernel's name of an executable has no link
 * and no "..", and what is made of it here is shown to people. */
static char *above(struct arena *a, const char *dir, int n, const char *name)
{
	char *up = arena_dup(a, dir);
	for (char *slash; up && n-- > 0 && (slash = strrchr(up, '/'));)
		*slash = '\0';
	return up ? path_join(a, up, name) : NULL;
}

int path_install_find(struct arena *a, const char *libexecdir, const char *datadir,
	struct path_install *ret, struct err *err)
{
	char *dir = path_exe_dir(a);
	if (!dir)
		return err_sys(err, errno, "read /proc/self/exe");

	/* The helpers of this very bawn first: an installation that was moved, or a second one, may
	 * find another version where it was once configured to look. */
	char *moved = above(a, dir, 1, "libexec/bawn");
	char *moved_data = above(a, dir, 1, "share/bawn");
	if (!moved || !moved_data)
		return arena_check(a, err);
	if (has_helper(dir) && !streq(dir, libexecdir)) {
		ret->libexec = dir;
		ret->data = path_join(a, dir, "share");
		/* no build tree, but a helper of an installation that was moved */
		if (ret->data && access(ret->data, F_OK) < 0)
			ret->data = above(a, dir, 2, "share/bawn");
	} else if (!streq(moved, libexecdir) && has_helper(moved)) {
		ret->libexec = moved;
		ret->data = access(moved_data, F_OK) == 0 ? moved_data : arena_dup(a, datadir);
	} else if (has_helper(libexecdir)) {
		ret->libexec = arena_dup(a, libexecdir);
		ret->data = arena_dup(a, datadir);
	} else {
		err_hint(err, "install bawn again: make install");
		return err_set(err, ENOENT, "bawn-init is in neither %s nor %s", libexecdir, moved);
	}
	return arena_check(a, err);
}

char *path_install_bawn(
	struct arena *a, const struct path_install *in, const char *libexecdir, const char *bindir)
{
	char *beside = path_join(a, in->libexec, "bawn");
	if (!beside || access(beside, X_OK) == 0)
		return beside;
	if (streq(in->libexec, libexecdir))
		return path_join(a, bindir, "bawn");
	return path_join(a, in->libexec, "../../bin/bawn");
}

static char *xdg_dir(struct arena *a, const char *var, const char *home, const char *fallback)
{
	const char *v = getenv(var);
	if (v && v[0] == '/')
		return path_join(a, v, "bawn");
	return fallback ? arena_printf(a, "%s/%s/bawn", home, fallback) : NULL;
}

/* What can't be settled is said by whoever uses it. */
static void settle(struct arena *a, char **dir)
{
	char *s = *dir ? path_settle(a, *dir) : NULL;
	if (s)
		*dir = s;
}

int path_xdg_find(struct arena *a, struct path_xdg *ret, struct err *err)
{
	const char *home = getenv("HOME");
	if (!home || home[0] != '/') {
		err_hint(err, "set it to your home directory: export HOME=/home/you");
		return err_set(
			err, EINVAL, "HOME is %s", home ? "not an absolute path" : "not set");
	}
	ret->home = arena_dup(a, home);
	ret->config = xdg_dir(a, "XDG_CONFIG_HOME", home, ".config");
	ret->data = xdg_dir(a, "XDG_DATA_HOME", home, ".local/share");
	ret->cache = xdg_dir(a, "XDG_CACHE_HOME", home, ".cache");
	ret->runtime = xdg_dir(a, "XDG_RUNTIME_DIR", home, NULL);
	int r = arena_check(a, err);
	if (r < 0)
		return r;
	settle(a, &ret->home);
	settle(a, &ret->config);
	settle(a, &ret->data);
	settle(a, &ret->cache);
	settle(a, &ret->runtime);
	return arena_check(a, err);
}
