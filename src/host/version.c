/* host/version.c - see version.h */
#include "host/version.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/text.h"
#include "host/package.h"

#define JSON_MAX ((size_t)1 << 20)
#define TAIL_MAX 0x40000
#define LEVELS_MAX 6 /* from a program to its package.json: vendor/x86_64-.../bin/ */

/* Does a package.json name this command (in "bin": {"tool": ...}), whatever its form? */
static bool names_command(const char *json, const char *command)
{
	const size_t n = strlen(command);
	for (const char *at = json; (at = strstr(at, command)); at += n)
		if (n && at > json && at[-1] == '"' && at[n] == '"' &&
			at[n + 1 + strspn(at + n + 1, " \t\r\n")] == ':')
			return true;
	return false;
}

/* A file of this machine, or of a template that is not mounted. */
static bool read_json(
	struct arena *a, const struct host_stack *stack, const char *file, char **ret_json)
{
	struct host_stack_found f;
	if (!file)
		return false;
	if (!stack)
		return file_read(a, AT_FDCWD, file, JSON_MAX, ret_json, NULL) >= 0;
	return host_stack_find(a, stack, file, &f) == 0 &&
		host_stack_read(a, &f, JSON_MAX, ret_json) >= 0;
}

/* What the package says that resolved lies in; command: only one that has that. */
static const char *from_package(
	struct arena *a, const struct host_stack *stack, const char *resolved, const char *command)
{
	char *dir = resolved ? arena_dup(a, resolved) : NULL;
	for (int i = 0; dir && i < LEVELS_MAX; i++) {
		char *slash = strrchr(dir, '/'), *json;
		if (!slash || slash == dir)
			return NULL;
		*slash = '\0';
		if (streq(path_base(dir), "node_modules"))
			return NULL;
		char *file = path_join(a, dir, "package.json");
		if (!read_json(a, stack, file, &json))
			continue;
		/* {"type": "module"} alone is no package's own. */
		const char *v = host_package_version(a, json);
		if (v && text_version(v))
			return !command || names_command(json, command) ? v : NULL;
	}
	return NULL;
}

/* .../claude/versions/1.2.3, Cellar/opencode/1.2.3/bin/opencode: the last such name */
static const char *from_directory(struct arena *a, const char *resolved)
{
	const char *v = NULL;
	for (const char *p = resolved; (p = strchr(p, '/'));) {
		p++;
		if (text_version(p))
			v = arena_dupn(a, p, strcspn(p, "/"));
	}
	return v;
}

/* Volta's shim stands for all tools; what it starts says a file of its layout. */
static const char *from_volta(struct arena *a, const char *command, const struct host_agent *agent)
{
	const char *base = path_base(agent->resolved);
	char *json;
	if (!streq(base, "volta-shim") && !streq(base, "volta"))
		return NULL;
	for (size_t i = 0; i < agent->binds.n; i++) {
		if (!streq(path_base(agent->binds.v[i]), "tools"))
			continue;
		char *file = arena_printf(
			a, "%s/user/bins/%s.json", agent->binds.v[i], path_base(command));
		if (file && file_read(a, AT_FDCWD, file, JSON_MAX, &json, NULL) >= 0)
			return host_package_version(a, json);
	}
	return NULL;
}

/* A lone executable that was made with Bun ends with the options that it was given, one of them
 * "--user-agent=NAME/VERSION"; behind them stand Bun's own tables and ELF's. */
static const char *from_tail(struct arena *a, const char *command, int fd)
{
	struct stat st;
	char *mark = arena_printf(a, "--user-agent=%s/", path_base(command));
	if (fd < 0 || !mark || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < TAIL_MAX)
		return NULL;
	_cleanup_free_ char *tail = malloc(TAIL_MAX);
	if (!tail || pread(fd, tail, TAIL_MAX, st.st_size - TAIL_MAX) != TAIL_MAX)
		return NULL;
	const char *end = tail + TAIL_MAX, *at = memmem(tail, TAIL_MAX, mark, strlen(mark));
	size_t n = 0;
	for (at = at ? at + strlen(mark) : end; at + n < end && at[n] > ' ' && at[n] <= '~';)
		n++;
	char *v = at + n < end ? arena_dupn(a, at, n) : NULL;
	return v ? text_version(v) : NULL;
}

const char *host_agent_version(struct arena *a, const char *command, const struct host_agent *agent)
{
	const char *resolved = agent->resolved, *v = NULL;
	if (strstr(resolved, "/node_modules/"))
		v = from_package(a, NULL, resolved, NULL);
	/* A wrapper in front (pnpm's): what it starts is bound, and its interpreter, too. */
	for (size_t i = 0; i < agent->binds.n && !v; i++)
		if (strstr(agent->binds.v[i], "/node_modules/"))
			v = from_package(a, NULL, path_join(a, agent->binds.v[i], "bin"),
				path_base(command));
	v = v ? v : from_volta(a, command, agent);
	if (v)
		return v;
	v = from_directory(a, resolved);
	if (v)
		return v;
	_cleanup_close_ int fd = open(resolved, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return from_tail(a, command, fd);
}

const char *host_stack_version(struct arena *a, const struct host_stack *stack, const char *command,
	const struct host_stack_found *program)
{
	const char *path = program->path;
	const char *v = strstr(path, "/node_modules/") ? from_package(a, stack, path, NULL) : NULL;
	v = v ? v : from_directory(a, path);
	if (v)
		return v;
	_cleanup_close_ int fd = host_stack_open(program);
	return from_tail(a, command, fd);
}
