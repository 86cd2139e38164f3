/* host/package.c - see package.h
 *
 * Theory: npm's global directory (PREFIX/lib/node_modules) keeps a package's dependencies inside
 * the package, so binding the package is enough and nothing is parsed on the common path.  Other
 * layouts (bun, yarn, pnpm, a project's own node_modules) hoist them beside it: then each
 * package.json is read and names are looked up the way Node does, from the package's directory up.
 * An executable without Node may be unpacked with parts of its own, as Codex's installer does; such
 * a directory may be ~/.local itself, so the parts are bound one by one, by a closed list.
 */
#include "host/package.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "host/chase.h"

#define PACKAGES_MAX 1024
#define JSON_MAX ((size_t)1 << 20)

static const char nm[] = "/node_modules/";

/* Length of the package directory that file lies in: behind the last node_modules, one name or
 * "@scope/name".  0: in none. */
static size_t package_len(const char *file)
{
	const char *last = NULL;
	for (const char *p = file; (p = strstr(p, nm)); p++)
		last = p;
	if (!last)
		return 0;
	const char *p = last + sizeof(nm) - 1;
	p += strcspn(p, "/");
	if (last[sizeof(nm) - 1] == '@' && *p)
		p += 1 + strcspn(p + 1, "/");
	return *p ? (size_t)(p - file) : 0;
}

/* PREFIX/lib/node_modules, where no other node_modules is above it. */
static bool npm_global(const char *file)
{
	const char *first = strstr(file, nm);
	return first && first - file >= 4 && memcmp(first - 4, "/lib", 4) == 0;
}

static size_t outermost_len(const char *file)
{
	const char *first = strstr(file, nm);
	if (!first)
		return 0;
	char head[4096];
	const char *p = first + sizeof(nm) - 1;
	p += strcspn(p, "/");
	if (first[sizeof(nm) - 1] == '@' && *p)
		p += 1 + strcspn(p + 1, "/");
	size_t n = (size_t)(p - file);
	return n < sizeof(head) && *p ? n : 0;
}

static const char *skip_ws(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

/* Behind a JSON string that starts at s, or NULL. */
static const char *skip_string(const char *s)
{
	for (s++; *s && *s != '"'; s++)
		if (*s == '\\' && !*++s)
			return NULL;
	return *s == '"' ? s + 1 : NULL;
}

/* Behind any JSON value, by counting brackets. */
static const char *skip_value(const char *s)
{
	int depth = 0;
	s = skip_ws(s);
	while (s && *s) {
		if (*s == '"') {
			s = skip_string(s);
			if (!s)
				return NULL;
		} else if (*s == '{' || *s == '[') {
			depth++;
			s++;
		} else if (*s == '}' || *s == ']') {
			if (depth == 0)
				return s;
			depth--;
			s++;
		} else if (*s == ',' && depth == 0) {
			return s;
		} else {
			s++;
			if (depth == 0)
				continue;
		}
		if (depth == 0 && (s[-1] == '"' || s[-1] == '}' || s[-1] == ']'))
			return s;
	}
	return s;
}

static bool dep_section(const char *key, size_t n)
{
	static const char *const names[] = {
		"dependencies", "optionalDependencies", "peerDependencies"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (n == strlen(names[i]) && memcmp(key, names[i], n) == 0)
			return true;
	return false;
}

/* A name that can be joined to a path: "x" or "@s/x", no dots in front, nothing odd. */
static bool dep_name(const char *s, size_t n)
{
	const char *slash = memchr(s, '/', n);
	if (n == 0 || n > 214 || s[0] == '.' || s[0] == '/' || (slash && s[0] != '@'))
		return false;
	if (slash && (slash[1] == '.' || memchr(slash + 1, '/', n - (size_t)(slash + 1 - s))))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == '\\')
			return false;
	return true;
}

/* Call for each key of the object at s ("{"); returns behind it. */
static const char *each_key(struct arena *a, const char *s, bool top, struct strv *ret)
{
	s = skip_ws(s);
	if (*s != '{')
		return skip_value(s);
	s = skip_ws(s + 1);
	while (s && *s == '"') {
		const char *key = s + 1;
		s = skip_string(s);
		if (!s)
			return NULL;
		size_t n = (size_t)(s - 1 - key);
		s = skip_ws(s);
		if (*s++ != ':')
			return NULL;
		if (top && dep_section(key, n)) {
			s = each_key(a, s, false, ret);
		} else {
			if (!top && dep_name(key, n))
				strv_push(a, ret, arena_dupn(a, key, n));
			s = skip_value(s);
		}
		if (!s)
			return NULL;
		s = skip_ws(s);
		if (*s == ',')
			s = skip_ws(s + 1);
	}
	return s && *s == '}' ? s + 1 : NULL;
}

/* The names in dependencies, optionalDependencies and peerDependencies of a package.json. Lenient:
 * what does not look like JSON ends the list. */
static void host_package_deps(struct arena *a, const char *json, struct strv *ret)
{
	each_key(a, json, true, ret);
}

/* The string behind a key at the top of a package.json, or NULL. */
static const char *top_string(struct arena *a, const char *json, const char *key)
{
	const char *s = skip_ws(json);
	for (s = *s == '{' ? skip_ws(s + 1) : NULL; s && *s == '"';) {
		bool found = has_prefix(s, key);
		s = skip_string(s);
		s = s ? skip_ws(s) : NULL;
		if (!s || *s++ != ':')
			return NULL;
		s = skip_ws(s);
		const char *end = *s == '"' ? skip_string(s) : NULL;
		if (found)
			return end ? arena_dupn(a, s + 1, (size_t)(end - s) - 2) : NULL;
		s = skip_value(s);
		s = s ? skip_ws(s) : NULL;
		if (s && *s == ',')
			s = skip_ws(s + 1);
	}
	return NULL;
}

const char *host_package_version(struct arena *a, const char *json)
{
	return top_string(a, json, "\"version\"");
}

/* Is dir a package of that name?  Where a link leads to one in no node_modules (npm link), it has
 * to say so itself. */
static bool is_package(struct arena *a, const char *dir, const char *name)
{
	char *json, *file = path_join(a, dir, "package.json");
	if (strstr(dir, nm))
		return true;
	if (!file || file_read(a, AT_FDCWD, file, JSON_MAX, &json, NULL) < 0)
		return false;
	const char *own = top_string(a, json, "\"name\"");
	return own && streq(own, name);
}

/* Node's lookup: DIR/node_modules/NAME for each directory from dir upwards. */
static char *lookup(struct arena *a, const char *dir, const char *name)
{
	char *d = arena_dup(a, dir);
	while (d) {
		struct stat st;
		if (!streq(path_base(d), "node_modules")) {
			char *p = arena_printf(a, "%s/node_modules/%s", d, name);
			if (p && stat(p, &st) == 0 && S_ISDIR(st.st_mode))
				return p;
		}
		char *slash = strrchr(d, '/');
		if (!slash || slash == d)
			return NULL;
		*slash = '\0';
	}
	return NULL;
}

/* A work list, so that cycles and long chains cost no stack. */
static int bind_closure(struct arena *a, struct host_agent *out, const char *dir, struct err *err)
{
	struct strv todo = {0};
	strv_add(a, &todo, dir);
	for (size_t i = 0; i < todo.n; i++) {
		if (todo.n > PACKAGES_MAX) {
			err_hint(err,
				"install it globally with npm: its packages are then in one place");
			return err_set(err, E2BIG, "%s depends on more than %d packages", dir,
				PACKAGES_MAX);
		}
		struct strv deps = {0};
		char *json;
		host_agent_bind(a, out, todo.v[i]);
		char *file = path_join(a, todo.v[i], "package.json");
		if (!file || file_read(a, AT_FDCWD, file, JSON_MAX, &json, NULL) < 0)
			continue;
		host_package_deps(a, json, &deps);
		for (size_t k = 0; k < deps.n; k++) {
			const char *real;
			char *p = lookup(a, todo.v[i], deps.v[k]);
			if (p && host_chase_by(a, out, todo.v[i], p, &real, NULL) == 0 &&
				is_package(a, real, deps.v[k]) && !strv_has(&todo, real))
				strv_add(a, &todo, real);
		}
	}
	return 0;
}

/* The home, above it, or where anyone may put things. */
static bool is_wide(const char *dir, const struct host_identity *id)
{
	struct stat st;
	return path_within(id->home, dir) || (id->given && path_within(id->given, dir)) ||
		stat(dir, &st) < 0 || (st.st_mode & S_IWOTH);
}

static void bind_kind(
	struct arena *a, struct host_agent *out, const char *dir, const char *name, mode_t kind)
{
	struct stat st;
	char *p = path_join(a, dir, name);
	if (p && lstat(p, &st) == 0 && (st.st_mode & S_IFMT) == kind)
		host_agent_bind(a, out, p);
}

/* The programs that are called NAME-... in dir. */
static void bind_programs(
	struct arena *a, struct host_agent *out, const char *dir, const char *name)
{
	DIR *d = opendir(dir);
	struct dirent *de;
	struct stat st;
	const size_t n = strlen(name);
	while (d && (de = readdir(d)))
		if (has_prefix(de->d_name, name) && de->d_name[n] == '-' &&
			fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode) && (st.st_mode & 0100))
			host_agent_bind(a, out, path_join(a, dir, de->d_name));
	if (d)
		closedir(d);
}

/* DIR/bin/NAME with a DIR/NAME-package.json: the programs beside it, and what such a package has
 * in DIR; what else is called so there (~/.local/NAME-notes) is the user's.  Before there was such
 * a file: DIR/NAME with a directory DIR/NAME-resources. */
static void bind_parts(
	struct arena *a, struct host_agent *out, const char *file, const struct host_identity *id)
{
	const char *name = path_base(file);
	char *dir = arena_dupn(a, file, (size_t)(name - file) - 1);
	char *up = dir && streq(path_base(dir), "bin")
		? arena_dupn(a, dir, (size_t)(path_base(dir) - dir) - 1)
		: NULL;
	char *manifest = arena_printf(a, "%s-package.json", name);
	char *resources = arena_printf(a, "%s-resources", name);
	char *programs = arena_printf(a, "%s-path", name);
	char *marker = up && manifest ? path_join(a, up, manifest) : NULL;
	if (!resources || !programs)
		return;
	if (marker && access(marker, F_OK) == 0) {
		if (is_wide(up, id))
			return;
		bind_programs(a, out, dir, name);
		bind_kind(a, out, up, manifest, S_IFREG);
		bind_kind(a, out, up, resources, S_IFDIR);
		bind_kind(a, out, up, programs, S_IFDIR);
	} else if (dir && *dir && !is_wide(dir, id)) {
		bind_kind(a, out, dir, resources, S_IFDIR);
	}
}

int host_package_bind(struct arena *a, struct host_agent *out, const char *file,
	const struct host_identity *id, struct err *err)
{
	size_t n = package_len(file);
	/* it is there; what is beside it in no package of the same place is another's */
	if (host_agent_writes(out, file) && n == 0)
		return 0;
	if (n == 0) {
		host_agent_bind(a, out, file);
		bind_parts(a, out, file, id);
		return 0;
	}
	if (npm_global(file)) {
		size_t outer = outermost_len(file);
		if (host_agent_writes(out, file))
			return 0;
		host_agent_bind(a, out, arena_dupn(a, file, outer ? outer : n));
		return 0;
	}
	char *dir = arena_dupn(a, file, n);
	if (dir && host_agent_writes(out, file) && !host_agent_writes(out, dir))
		return 0;
	return dir ? bind_closure(a, out, dir, err) : err_set(err, ENOMEM, "out of memory");
}
