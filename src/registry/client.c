/* registry/client.c - see client.h */
#include "registry/client.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/blob.h"
#include "base/escape.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/proxy-env.h"
#include "registry/secrets.h"
#include "secret/ask.h"

extern char **environ;

enum { ANSWER_MAX = 64 * 1024, LOOK_MS = 20000 };

/* ---- questions ---- */

int registry_start(const struct registry_client *c, struct arena *a,
	const struct registry_request *ask, int data, struct registry_job *ret, struct err *err)
{
	struct registry_request q = *ask;
	const char *trust = getenv("SSL_CERT_FILE");
	q.base = c->place.base;
	q.ca = c->place.ca;
	if (!q.host)
		q.host = c->place.host;
	q.stall = c->stall;
	q.trust = trust && *trust ? trust : NULL;
	q.no_proxy = proxy_env("no_proxy", "NO_PROXY");
	char *text = registry_request_text(a, &q);
	if (!text)
		return err_set(err, EINVAL, "what is asked of %s can't be written down", q.host);
	_cleanup_close_ int secrets = memfd_create("secrets", MFD_CLOEXEC);
	if (secrets < 0)
		return err_sys(err, errno, "memfd");
	int r = registry_secrets_write(secrets, c->secrets);
	if (r < 0)
		return err_set(err, -r,
			"the credentials for %s can't be used: they have control "
			"bytes in them",
			c->place.host);
	const int more[] = {secrets, data};
	const struct blob request = {.data = text, .n = strlen(text)};
	struct job job = JOB_NONE;
	r = job_start(c->helper, "bawn-registry", &request, more, ARRAY_LEN(more), &job, err);
	if (r < 0)
		return r;
	ret->job = job;
	ret->secrets = TAKE_FD(secrets);
	return 0;
}

void registry_abort(struct registry_job *job)
{
	job_end(&job->job, false);
	if (job->secrets >= 0)
		close(TAKE_FD(job->secrets));
}

static int failed(const struct registry_client *c, const struct registry_answer *w, struct err *err)
{
	if (w->hint)
		err_hint(err, "%s", w->hint);
	return err_set(err,
		w->status == 404                               ? ENOENT
			: w->status == 401 || w->status == 403 ? EACCES
							       : EPROTO,
		"%s: %s", c->place.mirror ? c->place.base : c->place.host, w->error);
}

int registry_finish(struct registry_client *c, struct arena *a, struct registry_job *job,
	struct registry_answer *ret, struct err *err)
{
	char *text = NULL;
	size_t n = 0;
	int r = job_read(&job->job, ANSWER_MAX, -1, a, &text, &n);
	job_end(&job->job, r == 0);
	if (r < 0 || strlen(text) != n || registry_answer_parse(text, ret) < 0) {
		registry_abort(job);
		err_hint(err, "is there enough memory?");
		return err_set(err, EPROTO, "bawn-registry has ended without an answer");
	}
	if (!ret->error)
		r = registry_secrets_read(job->secrets, c->secrets);
	close(TAKE_FD(job->secrets));
	if (r < 0)
		return err_set(err, -r, "bawn-registry has left no token behind");
	return ret->error ? failed(c, ret, err) : 0;
}

int registry_ask(struct registry_client *c, struct arena *a, const struct registry_request *q,
	int data, struct registry_answer *ret, struct err *err)
{
	struct registry_job job = REGISTRY_JOB_NONE;
	int r = registry_start(c, a, q, data, &job, err);
	return r < 0 ? r : registry_finish(c, a, &job, ret, err);
}

/* ---- who we are ---- */

/* "registry.HOST_PORT"; NULL where no secret can be called so. */
static char *secret_name(struct arena *a, const char *host)
{
	char *name = arena_printf(a, "registry.%s", host);
	for (char *p = name; p && *p; p++)
		if (*p == ':')
			*p = '_';
	return name && secret_check_name(name, NULL) == 0 ? name : NULL;
}

/* 1: it is there and taken. */
static int from_store(struct registry_client *c, struct arena *a, struct err *err)
{
	_cleanup_secret_ struct secret_buf b = {0};
	const char *name = secret_name(a, c->place.host);
	int r = name ? secret_get(c->config_dir, NULL, name, NULL, &b, err) : -ENOENT;
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	const char *colon = strchr(b.v, ':');
	size_t user = colon ? (size_t)(colon - b.v) : 0;
	if (!colon || user == 0 || user >= sizeof(c->secrets->user) ||
		b.n - user > sizeof(c->secrets->pass)) {
		err_hint(err, "keep it anew: bawn secret set %s", name);
		return err_set(err, EINVAL, "secret %s is not of the form USER:PASSWORD", name);
	}
	memcpy(c->secrets->user, b.v, user);
	c->secrets->user[user] = '\0';
	snprintf(c->secrets->pass, sizeof(c->secrets->pass), "%s", colon + 1);
	return 1;
}

/* A helper is the user's own program: of an absolute directory of PATH, and not what lies below the
 * current one, where an agent may have written it (node_modules/.bin); the home is no workspace. */
static char *find_program(struct arena *a, const char *home, const char *name)
{
	const char *path = getenv("PATH");
	char *copy = arena_dup(a, path ? path : "/usr/local/bin:/usr/bin:/bin");
	const char *here = path_real(a, "."), *own = path_real(a, home);
	if (here && own && path_within(own, here))
		here = NULL;
	for (char *dir; (dir = strsep(&copy, ":"));) {
		char *file = *dir == '/' ? path_join(a, dir, name) : NULL;
		const char *real = file ? path_real(a, file) : NULL;
		if (real && access(file, X_OK) == 0 &&
			(GUARD_REMOVED("registry-helper") || !here || !path_within(real, here)))
			return file;
	}
	return NULL;
}

static int memfd_of(const void *text, size_t n)
{
	int fd = memfd_create("text", MFD_CLOEXEC);
	if (fd >= 0 && (fd_write_all(fd, text, n) < 0 || lseek(fd, 0, SEEK_SET) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int ask_helper(struct registry_client *c, struct arena *a, const char *name, struct err *err)
{
	_cleanup_secret_ struct secret_buf b = {0};
	struct strv argv = {0};
	char *program = arena_printf(a, "docker-credential-%s", name), get[] = "get";
	char *path = program ? find_program(a, c->home, program) : NULL;
	/* the name under which docker login keeps it */
	const char *host = streq(c->place.host, "docker.io") ? "https://index.docker.io/v1/"
							     : c->place.host;
	if (!path) {
		err_hint(err,
			"install it, or take it out of Docker's config.json; one below the current "
			"directory is not run");
		return err_set(err, ENOENT, "%s, which knows who you are to %s, is not in PATH",
			program, c->place.host);
	}
	strv_add(a, &argv, path);
	strv_add(a, &argv, get);
	_cleanup_close_ int in = memfd_of(host, strlen(host));
	int r = in < 0 ? err_set(err, ENOMEM, "out of memory") : secret_buf_alloc(&b, err);
	if (r == 0)
		r = secret_ask(&argv, environ, in, -1, SECRET_COMMAND_TIMEOUT, program, &b, err);
	/* "credentials not found in native keychain": what Docker knows it by */
	if (r == -ECANCELED && memmem(b.v, b.n, "not found", 9))
		return 0;
	if (r < 0)
		return r;
	_cleanup_close_ int out = memfd_of(b.v, b.n);
	struct registry_answer w = {0};
	const struct registry_request q = {.op = REGISTRY_HELPER};
	if (out < 0)
		return err_set(err, ENOMEM, "out of memory");
	r = registry_ask(c, a, &q, out, &w, err);
	return r < 0 ? err_prefix(err, "%s", program) : 0;
}

static int from_docker(struct registry_client *c, struct arena *a, struct err *err)
{
	const char *dir = getenv("DOCKER_CONFIG");
	struct registry_answer w = {0};
	char *path = dir && *dir ? path_join(a, dir, "config.json")
				 : path_join(a, c->home, ".docker/config.json");
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
				      : -1;
	if (!path)
		return err_set(err, ENOMEM, "out of memory");
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0) {
		int code = errno;
		err_hint(err, "is it yours?  sudo docker login leaves one that is root's");
		return err_sys(err, code, "%s", path);
	}
	const struct registry_request q = {.op = REGISTRY_LOGIN};
	int r = registry_ask(c, a, &q, fd, &w, err);
	if (r < 0) {
		err_hint(err, "mend it, or remove it, and docker login writes it anew");
		return err_prefix(err, "%s", path);
	}
	return w.helper ? ask_helper(c, a, arena_dup(a, w.helper), err) : 0;
}

static int take_proxy(struct registry_client *c, const char *proxy, struct err *err)
{
	if (!proxy)
		return 0;
	if (strstr(proxy, "://") && !has_prefix(proxy, "http://") && !has_prefix(proxy, "https://"))
		return err_set(err, EINVAL,
			"only http:// and https:// proxies can be used; look at https_proxy and "
			"http_proxy");
	if ((size_t)snprintf(c->secrets->proxy, sizeof(c->secrets->proxy), "%s", proxy) >=
		sizeof(c->secrets->proxy))
		return err_set(err, EINVAL, "https_proxy or http_proxy is too long");
	return 0;
}

int registry_open(struct registry_client *c, struct arena *a, struct err *err)
{
	void *m = mmap(NULL, sizeof(*c->secrets), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m == MAP_FAILED)
		return err_set(err, ENOMEM, "out of memory");
	c->secrets = m;
	if (mlock(m, sizeof(*c->secrets)) < 0 || madvise(m, sizeof(*c->secrets), MADV_DONTDUMP) < 0)
		errno = 0; /* the limit is small on some machines; it is erased all the same */
	int r = from_store(c, a, err);
	if (r == 0)
		r = from_docker(c, a, err);
	const char *proxy = proxy_env("https_proxy", "HTTPS_PROXY");
	if (has_prefix(c->place.base, "http:"))
		proxy = proxy_env("http_proxy", "HTTP_PROXY");
	return r < 0 ? r : take_proxy(c, proxy, err);
}

void registry_close(struct registry_client *c)
{
	if (!c->secrets)
		return;
	registry_secrets_erase(c->secrets);
	munmap(c->secrets, sizeof(*c->secrets));
	c->secrets = NULL;
}
