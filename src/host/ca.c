/* host/ca.c - see ca.h
 *
 * Theory: which file is the bundle differs from distribution to distribution, and each has several
 * names for it, linked to one another.  All known names are followed through the generated /etc, as
 * inside nothing can be mounted on a link; what they end in is covered.  Of files that variables
 * name only certificates are taken: such a file may lie where the agent has written.
 */
#include "host/ca.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"

#define LINKS_MAX 16
#define BUNDLE_MAX ((size_t)8 << 20)
#define ADDED_MAX ((size_t)1 << 20) /* a file of an administrator's */

/* The names of the bundle: Debian, Alpine and Arch; Fedora; openSUSE; what OpenSSL itself and the
 * BSDs' ports say. */
static const char *const names[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ca-certificates/extracted/tls-ca-bundle.pem",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/certs/ca-bundle.crt",
	"/etc/ssl/cert.pem",
	"/etc/pki/tls/cert.pem",
	"/usr/lib/ssl/cert.pem",
};

#define BUNDLE HOST_CA_INSIDE "/" HOST_CA_BUNDLE
#define OWN HOST_CA_INSIDE "/" HOST_CA_OWN
#define SANDBOX HOST_CA_INSIDE "/" HOST_CA_SANDBOX

/* Those of the first rows replace what the program has, the others add to it. */
const char *const host_ca_env[] = {
	"SSL_CERT_FILE=" BUNDLE,
	"CURL_CA_BUNDLE=" BUNDLE,
	"REQUESTS_CA_BUNDLE=" BUNDLE,
	"PIP_CERT=" BUNDLE,
	"GIT_SSL_CAINFO=" BUNDLE,
	"CARGO_HTTP_CAINFO=" BUNDLE,
	"AWS_CA_BUNDLE=" BUNDLE,
	"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=" BUNDLE,
	"NIX_SSL_CERT_FILE=" BUNDLE,
	"HEX_CACERTS_PATH=" BUNDLE,
	"HTTPLIB2_CA_CERTS=" BUNDLE,
	"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE=" BUNDLE,
	"CODEX_CA_CERTIFICATE=" BUNDLE,
	"NODE_EXTRA_CA_CERTS=" OWN,
	"DENO_CERT=" OWN,
	"UV_NATIVE_TLS=true",
	NULL,
};

bool host_ca_variable(const char *name, size_t n)
{
	for (size_t i = 0; host_ca_env[i]; i++)
		if (strcspn(host_ca_env[i], "=") == n && memcmp(host_ca_env[i], name, n) == 0)
			return true;
	return false;
}

/* Where that path of the inside lies on the host. */
static char *outside(struct arena *a, const char *etc, const char *path)
{
	return path_within(path, "/etc") ? arena_printf(a, "%s%s", etc, path + strlen("/etc"))
					 : arena_dup(a, path);
}

/* One component more.  1: it was a link, *path is to be followed anew; 0; -errno. */
static int step(struct arena *a, const char *etc, char **path, size_t n)
{
	char target[PATH_MAX];
	struct stat st;
	char *here = arena_dupn(a, *path, n), *real = here ? outside(a, etc, here) : NULL;
	if (!real)
		return -ENOMEM;
	if (lstat(real, &st) < 0)
		return -errno;
	if (!S_ISLNK(st.st_mode))
		return 0;
	ssize_t k = readlink(real, target, sizeof(target) - 1);
	if (k < 0)
		return -errno;
	target[k] = '\0';
	const char *slash = strrchr(here, '/');
	*path = target[0] == '/'
		? arena_printf(a, "%s%s", target, *path + n)
		: arena_printf(a, "%.*s/%s%s", (int)(slash - here), here, target, *path + n);
	return *path ? 1 : -ENOMEM;
}

/* Fold "." and ".." of a link's target: what stands before it has no link any more. */
static void fold(char *path)
{
	char *to = path;
	for (char *p = path; *p;) {
		char *s = p + strspn(p, "/");
		size_t n = strcspn(s, "/");
		p = s + n;
		if (n == 0 || (n == 1 && s[0] == '.'))
			continue;
		if (n == 2 && s[0] == '.' && s[1] == '.') {
			while (to > path && *--to != '/')
				;
			continue;
		}
		*to++ = '/';
		memmove(to, s, n);
		to += n;
	}
	*to = '\0';
}

/* path with all links followed as they lead inside; NULL: nothing is there, or no file. */
static char *resolve(struct arena *a, const struct host_ca_view *v, const char *path)
{
	struct host_stack_found f;
	const char *etc = v->etc;
	if (v->stack)
		return host_stack_find(a, v->stack, path, &f) == 0 && S_ISREG(f.st.st_mode) ? f.path
											    : NULL;
	char *p = arena_dup(a, path);
	int links = 0;
	for (size_t n = 0; p && p[n];) {
		n += 1 + strcspn(p + n + 1, "/");
		int r = step(a, etc, &p, n);
		if (r < 0 || (r > 0 && ++links > LINKS_MAX))
			return NULL;
		if (r > 0) {
			fold(p);
			n = 0;
		}
	}
	struct stat st;
	char *real = p ? outside(a, etc, p) : NULL;
	return real && stat(real, &st) == 0 && S_ISREG(st.st_mode) ? p : NULL;
}

int host_ca_places(struct arena *a, const struct host_ca_view *v, struct strv *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *p = resolve(a, v, names[i]);
		if (p && !strv_has(ret, p))
			strv_push(a, ret, p);
	}
	return arena_check(a, err);
}

/* Every certificate of text, and nothing else. */
static void put_certificates(FILE *to, const char *text)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----",
			  end[] = "-----END CERTIFICATE-----";
	for (const char *p = text; (p = strstr(p, begin));) {
		const char *stop = strstr(p, end);
		if (!stop)
			return;
		size_t n = (size_t)(stop - p) + strlen(end);
		const char *key = memmem(p + 1, n - 1, "-----BEGIN", 10);
		if (!key)
			fprintf(to, "%.*s\n", (int)n, p);
		p = key ? key : stop;
	}
}

/* Where update-ca-certificates (Debian, Alpine), update-ca-trust (Fedora, Arch) and openSUSE's take
 * what an administrator adds. */
static const char *const added_dirs[] = {
	"/usr/local/share/ca-certificates",
	"/etc/pki/ca-trust/source/anchors",
	"/etc/ca-certificates/trust-source/anchors",
	"/etc/pki/trust/anchors",
};

static void put_added(struct arena *a, FILE *to, const char *dir)
{
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));) {
		char *text = NULL,
		     *path = e->d_name[0] == '.' ? NULL : path_join(a, dir, e->d_name);
		if (path && file_read(a, AT_FDCWD, path, ADDED_MAX, &text, NULL) > 0)
			put_certificates(to, text);
	}
	if (d)
		closedir(d);
}

char *host_ca_added(struct arena *a)
{
	_cleanup_free_ char *buf = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&buf, &size);
	if (!f)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(added_dirs); i++)
		put_added(a, f, added_dirs[i]);
	return fclose(f) == 0 && size ? arena_dupn(a, buf, size) : NULL;
}

static char *read_bundle(struct arena *a, const struct host_ca_view *v, const char *path)
{
	struct host_stack_found f;
	char *text = NULL;
	if (v->stack)
		return host_stack_find(a, v->stack, path, &f) == 0 &&
				host_stack_read(a, &f, BUNDLE_MAX, &text) > 0
			? text
			: NULL;
	char *real = outside(a, v->etc, path);
	return real && file_read(a, AT_FDCWD, real, BUNDLE_MAX, &text, NULL) > 0 ? text : NULL;
}

/* The sandbox's certificate, and those that the user's own variables name. */
static char *additions(struct arena *a, const struct host_ca_view *v, const char *pem,
	const char *more, const struct strv *passed, const struct strv *places)
{
	_cleanup_free_ char *buf = NULL;
	struct strv seen = {0};
	size_t size = 0;
	FILE *f = open_memstream(&buf, &size);
	if (!f)
		return NULL;
	put_certificates(f, pem ? pem : more);
	bool own = fflush(f) == 0 && size;
	if (pem && more)
		put_certificates(f, more);
	for (size_t i = 0; i < passed->n; i++) {
		const char *e = passed->v[i], *value = strchr(e, '=');
		if (!value || value[1] != '/' || !host_ca_variable(e, (size_t)(value - e)))
			continue;
		char *p = resolve(a, v, value + 1);
		if (!p || strv_has(&seen, p) || strv_has(places, p))
			continue;
		strv_push(a, &seen, p);
		const char *text = read_bundle(a, v, p);
		if (text)
			put_certificates(f, text);
	}
	return fclose(f) == 0 && own ? arena_dupn(a, buf, size) : NULL;
}

static int put(struct arena *a, const char *dir, const char *name, const char *first,
	const char *second, struct err *err)
{
	char *text = arena_printf(a, "%s%s%s", first, *first ? "\n" : "", second);
	char *path = path_join(a, dir, name);
	return text && path
		? file_write_atomic(AT_FDCWD, path, text, strlen(text), 0644, false, err)
		: err_set(err, ENOMEM, "out of memory");
}

const char *host_ca_machine(struct arena *a)
{
	const struct host_ca_view host = {.etc = "/etc"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *p = resolve(a, &host, names[i]);
		if (p)
			return outside(a, host.etc, p);
	}
	return NULL;
}

int host_ca_write(struct arena *a, const struct host_ca_view *v, const char *dir, const char *pem,
	const char *more, const struct strv *passed, struct err *err)
{
	struct strv places = {0};
	int r = host_ca_places(a, v, &places, err);
	if (r < 0)
		return r;
	/* A template without any: what the machine trusts.  What variables of the template name is
	 * looked for in the template alone. */
	const struct host_ca_view host = {.etc = "/etc"}, *of = v;
	if (v->stack && !places.n) {
		of = &host;
		r = host_ca_places(a, of, &places, err);
		if (r < 0)
			return r;
	}
	const char *machine = places.n ? read_bundle(a, of, places.v[0]) : NULL;
	const char *own = additions(a, v, pem, more, passed, &places);
	if (!own)
		return err_set(err, EINVAL, "the sandbox's authority has no certificate");
	r = file_mkdir_p(AT_FDCWD, dir, 0700);
	if (r < 0)
		return err_sys(err, -r, "create %s", dir);
	r = pem ? put(a, dir, HOST_CA_SANDBOX, "", pem, err) : 0;
	if (r == 0)
		r = put(a, dir, HOST_CA_OWN, "", own, err);
	return r < 0 ? r : put(a, dir, HOST_CA_BUNDLE, machine ? machine : "", own, err);
}

/* Links to the sandbox's certificate: where the tools of the distributions take what is to be
 * added, and where OpenSSL looks for it by itself. */
#define ANCHOR_OPENSSL "/etc/ssl/certs/" HOST_CA_HASH
static const char *const anchors[] = {
	"/usr/local/share/ca-certificates/bawn.crt", /* Debian, Alpine: update-ca-certificates */
	"/etc/pki/ca-trust/source/anchors/bawn.crt", /* Fedora: update-ca-trust */
	"/etc/ca-certificates/trust-source/anchors/bawn.crt", /* Arch */
	ANCHOR_OPENSSL,
};

/* The bundle, 200 kB of it, by another name; a copy where that can't be. */
static int share(struct arena *a, const char *bundle, const char *to, struct err *err)
{
	char *text = NULL;
	if (link(bundle, to) == 0)
		return 0;
	ssize_t n = file_read(a, AT_FDCWD, bundle, 2 * BUNDLE_MAX, &text, err);
	return n < 0 ? (int)n : file_write_atomic(AT_FDCWD, to, text, (size_t)n, 0644, false, err);
}

int host_ca_seed(struct arena *a, const struct host_ca_view *v, const char *dir, const char *seed,
	struct err *err)
{
	struct strv places = {0};
	char *bundle = path_join(a, dir, HOST_CA_BUNDLE);
	int r = host_ca_places(a, v, &places, err);
	if (r < 0 || !bundle)
		return r < 0 ? r : err_set(err, ENOMEM, "out of memory");
	if (!places.n)
		strv_add(a, &places, names[0]);
	for (size_t i = 0; r == 0 && i < places.n; i++) {
		char *to = host_stack_seed(a, v->stack, seed, places.v[i]);
		if (to)
			r = share(a, bundle, to, err);
	}
	char *sandbox = path_join(a, dir, HOST_CA_SANDBOX);
	bool has = sandbox && access(sandbox, F_OK) == 0;
	for (size_t i = 0; r == 0 && has && i < ARRAY_LEN(anchors); i++) {
		char *to = host_stack_seed(a, v->stack, seed, anchors[i]);
		if (to && symlink(SANDBOX, to) < 0 && errno != EEXIST)
			r = err_sys(err, errno, "create %s", anchors[i]);
	}
	return r;
}
