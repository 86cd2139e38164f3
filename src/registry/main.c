/* registry/main.c - bawn-registry: one question to a registry, or to the file in which Docker keeps
 * who the user is to one.
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
	if (!q->base || !has_prefix(q->base, "https://"))
		return 0;
	if (q->trust)
		n = file_read(a, AT_FDCWD, q->trust, TRUST_MAX, &machine, err);
	for (size_t i = 0; !q->trust && n < 0 && i < ARRAY_LEN(bundles); i++)
		n = file_read(a, AT_FDCWD, bundles[i], TRUST_MAX, &machine, NULL);
	if (q->ca)
		m = file_read(a, AT_FDCWD, q->ca, TRUST_MAX, &more, err);
	if (m < 0)
		return (int)m;
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

static int talk(struct arena *a, const struct registry_request *q, struct registry_answer *ret,
	struct err *err)
{
	struct http_setup setup = {.proxy = secrets.proxy,
		.no_proxy = q->no_proxy,
		.stall = (unsigned int)q->stall,
		.tls = q->base && has_prefix(q->base, "https://")};
	char host[512];
	int r = read_trust(a, q, &setup.trust, &setup.trust_n, err);
	if (r == 0)
		r = confine_registry(true, err);
	if (r < 0)
		return r;
	http_host(q->base ? q->base : "", host, sizeof(host));
	setup.local = http_is_loopback(host);
	struct session s = {.q = q,
		.secrets = &secrets,
		.push = q->op == REGISTRY_PUSH_BLOB || q->op == REGISTRY_PUSH_MANIFEST ||
			q->op == REGISTRY_HAVE,
		.left = q->tries};
	r = http_open(&setup, &s.http, err);
	if (r < 0)
		return r;
	r = ops_do(&s, a, ret, err);
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

int main(void)
{
	struct arena a = {0};
	struct err err = {0};
	struct registry_request q = {0};
	struct registry_answer w = {0};
	prctl(PR_SET_DUMPABLE, 0);
	mlock(&secrets, sizeof(secrets));
	syscall(SYS_close_range, OPS_DATA_FD + 1, ~0u, 0);
	signal(SIGPIPE, SIG_IGN);
	int r = read_request(&a, &q, &err);
	if (r == 0 && registry_secrets_read(SECRETS_FD, &secrets) < 0)
		r = err_set(&err, EBADMSG, "what bawn-registry was handed is malformed");
	if (r == 0)
		r = q.op == REGISTRY_LOGIN || q.op == REGISTRY_HELPER ? look_up(&a, &q, &w, &err)
								      : talk(&a, &q, &w, &err);
	/* the token, or who we are; where nothing may be written, nobody wants to know */
	if (r == 0 && registry_secrets_write(SECRETS_FD, &secrets) == -EINVAL)
		r = err_set(&err, EBADMSG, "a name or a password with control bytes in it");
	registry_secrets_erase(&secrets);
	answer(&a, &w, r, &err);
	arena_free(&a);
	return r < 0;
}
