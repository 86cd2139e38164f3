/* secret/secret-get.c - from a name to a value. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "secret/ask.h"
#include "secret/secret.h"
#include "secret/secret-file.h"

extern char **environ;

static int from_command(
	const char *name, const char *command, struct secret_buf *b, struct err *err)
{
	struct arena a = {0};
	struct strv argv = {0};
	char what[SECRET_NAME_MAX + 40];
	snprintf(what, sizeof(what), "the command of secret %s", name);
	strv_add(&a, &argv, "/bin/sh");
	strv_add(&a, &argv, "-c");
	strv_add(&a, &argv, command);
	int r = arena_check(&a, err);
	if (r == 0)
		r = secret_ask(&argv, environ, -1, 2, SECRET_COMMAND_TIMEOUT, what, b, err);
	arena_free(&a);
	return r;
}

static int from_env(const char *name, const char *var, struct secret_buf *b, struct err *err)
{
	const char *v = getenv(var);
	char shown[128];
	if (!v || !*v)
		return err_set(err, ENODATA, "secret %s: the variable %s is not set", name,
			escape_text(shown, sizeof(shown), var));
	b->n = strlen(v);
	if (b->n > SECRET_MAX)
		return err_set(
			err, E2BIG, "secret %s: a secret is %d bytes at most", name, SECRET_MAX);
	memcpy(b->v, v, b->n + 1);
	return 0;
}

static int from_file(const char *name, const char *path, struct secret_buf *b, struct err *err)
{
	char shown[300];
	struct stat st;
	escape_text(shown, sizeof(shown), path);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "secret %s: open %s", name, shown);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "secret %s: %s is not a regular file", name, shown);
	if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 0022)) {
		err_hint(err, "chmod go-w %s, and see whose it is", shown);
		return err_set(err, EPERM, "secret %s: others can write %s", name, shown);
	}
	int r = secret_buf_read(b, fd, err);
	return r < 0 ? err_prefix(err, "secret %s", name) : 0;
}

/* What is stored in fd to its value. */
static int resolve(const char *name, int fd, enum secret_source source, struct secret_buf *ret,
	struct err *err)
{
	_cleanup_secret_ struct secret_buf b = {0};
	int r = secret_buf_alloc(&b, err);
	if (r == 0)
		r = secret_buf_read(&b, fd, err);
	if (r == 0 && source != SECRET_VALUE) {
		char *from = strdup(b.v);
		if (!from)
			return err_set(err, ENOMEM, "out of memory");
		r = source == SECRET_COMMAND   ? from_command(name, from, &b, err)
			: source == SECRET_ENV ? from_env(name, from, &b, err)
					       : from_file(name, from, &b, err);
		free(from);
	}
	/* there is a secret, and it must not seem that there is none */
	if (r == -ENOENT)
		r = -ENODATA;
	if (r < 0)
		return r;
	r = secret_check_value(b.v, b.n, err);
	if (r < 0)
		return err_prefix(err, "secret %s", name);
	*ret = b;
	b = (struct secret_buf){0};
	return 0;
}

static int from_scope(const char *config_dir, const char *sandbox, const char *name,
	struct secret_buf *ret, struct err *err)
{
	enum secret_source source;
	if (!config_dir)
		return -ENOENT;
	_cleanup_close_ int dir = secret_dir(config_dir, sandbox, false, err);
	if (dir < 0)
		return dir;
	_cleanup_close_ int fd = secret_open(dir, name, &source, NULL, err);
	return fd < 0 ? fd : resolve(name, fd, source, ret, err);
}

static int from_variables(
	const char *name, const struct strv *env, struct secret_buf *ret, struct err *err)
{
	for (size_t i = 0; env && i < env->n; i++) {
		const char *v = getenv(env->v[i]);
		if (!v || !*v)
			continue;
		_cleanup_secret_ struct secret_buf b = {0};
		int r = secret_buf_alloc(&b, err);
		if (r == 0)
			r = from_env(name, env->v[i], &b, err);
		if (r == 0)
			r = secret_check_value(b.v, b.n, err);
		if (r < 0)
			return err_prefix(err, "%s", env->v[i]);
		*ret = b;
		b = (struct secret_buf){0};
		return 0;
	}
	return -ENOENT;
}

bool secret_any(const char *config_dir)
{
	_cleanup_close_ int dir = secret_dir(config_dir, NULL, false, NULL);
	return dir != -ENOENT;
}

int secret_get(const char *config_dir, const char *sandbox, const char *name,
	const struct strv *env, struct secret_buf *ret, struct err *err)
{
	int r = secret_check_name(name, err);
	if (r < 0)
		return r;
	/* a sandbox whose name no secret can have has none of its own */
	r = sandbox && secret_check_name(sandbox, NULL) == 0
		? from_scope(config_dir, sandbox, name, ret, err)
		: -ENOENT;
	if (r == -ENOENT)
		r = from_scope(config_dir, NULL, name, ret, err);
	if (r == -ENOENT)
		r = from_variables(name, env, ret, err);
	return r;
}
