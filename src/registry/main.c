/* registry/main.c - bawn-registry: one question to a registry, or to the file in which Docker keeps
 * who the user is to one, or to whatever ADD of a Dockerfile names by a URL.
 *
 * Owns: the order: read what was asked, the secrets and the certificates to trust, be confined, do
 * it, answer.  Must not: print, or know more of the user than what it was handed.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/file.h"
#include "registry/confine.h"
#include "registry/ops.h"

enum { SECRETS_FD = 3 };
#define TRUST_MAX ((size_t)8 << 20)
#define LOGIN_MAX ((size_t)1 << 20)

static struct registry_secrets secrets;

/* "--in DIR", of a sandbox (request.h): its files in the places of our descriptors. */
static int open_in(const char *path, struct err *err)
{
	static const struct {
		const char *name;
		int flags, as;
	} files[] = {{REGISTRY_IN_REQUEST, O_RDONLY, STDIN_FILENO},
		{REGISTRY_IN_ANSWER, O_WRONLY | O_CREAT | O_EXCL, STDOUT_FILENO},
		{"/dev/null", O_RDONLY, SECRETS_FD},
		{REGISTRY_IN_DATA, O_RDWR | O_CREAT | O_EXCL, OPS_DATA_FD}};
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fds[ARRAY_LEN(files)] = {0};
	if (dir < 0)
		return err_sys(err, errno, "open %s", path);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		int fd = openat(dir, files[i].name, files[i].flags | O_CLOEXEC, 0600);
		/* out of the way of the numbers that they get */
		fds[i] = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, OPS_DATA_FD + 1);
		if (fds[i] < 0)
			return err_sys(err, errno, "open %s/%s", path, files[i].name);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (dup2(fds[i], files[i].as) < 0)
			return err_sys(err, errno, "dup2");
	return 0;
}

/* As a RUN has it: what the build was told, in our environment. */
static int take_proxy(struct registry_request *q, struct err *err)
{
	const char *v = has_prefix(q->url ? q->url : "", "https:") ? getenv("https_proxy")
								   : getenv("http_proxy");
	if (!v)
		return 0;
	q->no_proxy = getenv("no_proxy");
	size_t n = strlen(v);
	if (n >= sizeof(secrets.proxy))
		return err_set(err, EINVAL, "http_proxy or https_proxy is too long");
	memcpy(secrets.proxy, v, n + 1);
	return 0;
}

static int read_request(struct arena *a, struct registry_request *ret, struct err *err)
{
	char *text = arena_alloc(a, REGISTRY_REQUEST_MAX);
	ssize_t n = text ? fd_pread_full(STDIN_FILENO, text, REGISTRY_REQUEST_MAX - 1, 0) : -ENOMEM;
	if (n < 0 || strlen(text) != (size_t)n || registry_request_parse(text, ret) < 0)
		return err_set(err, EBADMSG, "bawn-registry is asked in another form than its own");
	if (ret->stall < 1 || ret->stall > 3600)
		ret->stall = REGISTRY_STALL;
	if (ret->tries < 1 || ret->tries > 20)
		ret->tries = REGISTRY_TRIES;
	return 0;
}

/* The machine's certificates (or those of SSL_CERT_FILE), and one more file's. */
static int read_trust(struct arena *a, const struct registry_request *q, char **ret, size_t *ret_n,
	struct err *err)
{
	static const char *const bundles[] = {"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
	char *machine = NULL, *more = NULL;
	ssize_t n = -ENOENT, m = 0;
	const bool tls = q->base && has_prefix(q->base, "https://"),
		   fetch = q->op == REGISTRY_FETCH; /* http may lead to https */
	if (!tls && !fetch)
		return 0;
	if (q->trust)
		n = file_read(a, AT_FDCWD, q->trust, TRUST_MAX, &machine, err);
	for (size_t i = 0; !q->trust && n < 0 && i < ARRAY_LEN(bundles); i++)
		n = file_read(a, AT_FDCWD, bundles[i], TRUST_MAX, &machine, NULL);
	if (q->ca)
		m = file_read(a, AT_FDCWD, q->ca, TRUST_MAX, &more, err);
	if (m < 0)
		return (int)m;
	if (n < 0 && fetch && !q->trust)
		n = 0; /* an https URL then fails by itself */
	if (n < 0 && (q->trust || !q->ca)) {
		err_hint(err, "install ca-certificates, or set SSL_CERT_FILE");
		return q->trust ? (int)n
				: err_set(err, ENOENT, "no certificates to trust on this machine");
	}
	*ret = arena_printf(a, "%s\n%s\n", n > 0 ? machine : "", m > 0 ? more : "");
	if (!*ret)
		return err_set(err, ENOMEM, "out of memory");
	*ret_n = strlen(*ret);
	return 0;
}

/* The URL that it is all about: where it begins. */
static const char *where(const struct registry_request *q)
{
	const char *url = q->op == REGISTRY_FETCH ? q->url : q->base;
	return url ? url : "";
}

static int talk(struct arena *a, const struct registry_request *q, struct registry_answer *ret,
	struct err *err)
{
	struct http_setup setup = {.proxy = secrets.proxy,
		.no_proxy = q->no_proxy,
		.stall = (unsigned int)q->stall,
		.tls = has_prefix(where(q), "https://")};
	char host[512];
	int r = read_trust(a, q, &setup.trust, &setup.trust_n, err);
	if (r == 0)
		r = confine_registry(true, err);
	if (r < 0)
		return r;
	http_host(where(q), host, sizeof(host));
	setup.local = http_is_loopback(host);
	struct session s = {.q = q,
		.secrets = &secrets,
		.push = q->op == REGISTRY_PUSH_BLOB || q->op == REGISTRY_PUSH_MANIFEST ||
			q->op == REGISTRY_HAVE,
		.left = q->tries};
	r = http_open(&setup, &s.http, err);
	if (r < 0)
		return r;
	r = q->op == REGISTRY_FETCH ? fetch_do(&s, ret, err) : ops_do(&s, a, ret, err);
	http_close(s.http);
	return r;
}

static int look_up(struct arena *a, const struct registry_request *q, struct registry_answer *ret,
	struct err *err)
{
	int r = confine_registry(false, err);
	char *text = r == 0 ? arena_alloc(a, LOGIN_MAX) : NULL;
	if (r < 0)
		return r;
	ssize_t n = text ? fd_pread_full(OPS_DATA_FD, text, LOGIN_MAX, 0) : -ENOMEM;
	if (n < 0 || (size_t)n == LOGIN_MAX)
		return err_set(err, EFBIG, "it can't be read, or has no end");
	if (q->op == REGISTRY_HELPER)
		r = login_helper(text, (size_t)n, &secrets, err);
	else if (!q->host)
		r = err_set(err, EINVAL, "bawn-registry is asked for what can't be");
	else
		r = login_find(a, text, (size_t)n, q->host, &secrets, ret, err);
	explicit_bzero(text, (size_t)n);
	return r;
}

static void answer(struct arena *a, struct registry_answer *w, int r, const struct err *err)
{
	if (r < 0)
		w->error = *err->msg ? err->msg : strerror(-r);
	if (r < 0 && *err->hint)
		w->hint = err->hint;
	char *text = registry_answer_text(a, w);
	if (text)
		fd_write_all(STDOUT_FILENO, text, strlen(text));
}

int main(int argc, char **argv)
{
	struct arena a = {0};
	struct err err = {0};
	struct registry_request q = {0};
	struct registry_answer w = {0};
	prctl(PR_SET_DUMPABLE, 0);
	mlock(&secrets, sizeof(secrets));
	syscall(SYS_close_range, OPS_DATA_FD + 1, ~0u, 0);
	signal(SIGPIPE, SIG_IGN);
	const bool in = argc == 3 && streq(argv[1], REGISTRY_IN);
	int r = in ? open_in(argv[2], &err) : 0;
	if (r == 0)
		r = read_request(&a, &q, &err);
	if (r == 0 && registry_secrets_read(SECRETS_FD, &secrets) < 0)
		r = err_set(&err, EBADMSG, "what bawn-registry was handed is malformed");
	if (r == 0 && in) {
		if (q.ca && access(q.ca, F_OK) < 0)
			q.ca = NULL; /* the sandbox has no authority of its own */
		r = take_proxy(&q, &err);
	}
	if (r == 0)
		r = q.op == REGISTRY_LOGIN || q.op == REGISTRY_HELPER ? look_up(&a, &q, &w, &err)
								      : talk(&a, &q, &w, &err);
	/* the token, or who we are; where nothing may be written, nobody wants to know */
	if (r == 0 && !in && registry_secrets_write(SECRETS_FD, &secrets) == -EINVAL)
		r = err_set(&err, EBADMSG, "a name or a password with control bytes in it");
	registry_secrets_erase(&secrets);
	answer(&a, &w, r, &err);
	arena_free(&a);
	return r < 0;
}
