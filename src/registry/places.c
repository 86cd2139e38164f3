/* registry/places.c - see places.h */
#include "registry/places.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/path.h"

enum { WORDS = 4, MIRRORS = 16 };

struct read {
	struct arena *a;
	const char *host;
	bool push, only;
	struct registry_places places;
	struct strv insecure, secure; /* hosts */
	struct strv ca;               /* HOST, FILE, HOST, FILE ... */
};

static bool good_host(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
	const char *p = s + n;
	if (*s == '[') {
		n = strspn(s + 1, "0123456789abcdefABCDEF:.");
		p = s + 1 + n;
		if (*p++ != ']')
			return false;
	}
	if (n == 0 || strlen(s) > 255)
		return false;
	return !*p ||
		(*p == ':' && p[1] && strlen(p + 1) <= 5 && !p[1 + strspn(p + 1, "0123456789")]);
}

static bool is_loopback(const char *host)
{
	char name[256];
	struct in_addr v4;
	size_t n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	if (n >= sizeof(name))
		return false;
	memcpy(name, host, n);
	name[n] = '\0';
	return streq(name, "localhost") || streq(name, "[::1]") ||
		(inet_pton(AF_INET, name, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127);
}

/* "http://HOST[:PORT][/]": its host, or NULL. */
static char *url_host(struct arena *a, const char *url, bool *ret_tls)
{
	*ret_tls = has_prefix(url, "https://");
	if (!*ret_tls && !has_prefix(url, "http://"))
		return NULL;
	const char *host = strstr(url, "://") + 3;
	size_t n = strcspn(host, "/");
	char *copy = arena_dupn(a, host, n);
	return copy && good_host(copy) && (!host[n] || streq(host + n, "/")) ? copy : NULL;
}

static int add(struct read *r, const char *host, const char *base, bool mirror)
{
	struct registry_places *p = &r->places;
	struct registry_place *at = &p->v[p->n];
	if (p->n == MIRRORS)
		return -E2BIG;
	*at = (struct registry_place){
		.host = arena_dup(r->a, host), .base = arena_dup(r->a, base), .mirror = mirror};
	p->n++;
	return at->host && at->base ? 0 : -ENOMEM;
}

/* NULL, or what is wrong. */
static const char *mirror(struct read *r, char **w, size_t n)
{
	bool tls;
	char *host = n == 3 || n == 4 ? url_host(r->a, w[2], &tls) : NULL;
	if (!host || (n == 4 && !streq(w[3], "only")) || !good_host(w[1]))
		return "wanted: mirror HOST http[s]://HOST[:PORT] [only]";
	if (r->push || !streq(w[1], r->host))
		return NULL;
	r->only |= n == 4;
	char *base = arena_printf(r->a, "%s://%s", tls ? "https" : "http", host);
	return base && add(r, host, base, true) == 0 ? NULL : "too many mirrors";
}

static const char *row(struct read *r, char **w, size_t n)
{
	if (streq(w[0], "mirror"))
		return mirror(r, w, n);
	if (streq(w[0], "insecure") || streq(w[0], "https")) {
		if (n != 2 || !good_host(w[1]))
			return "wanted: insecure HOST[:PORT], or https HOST[:PORT]";
		strv_add(r->a, *w[0] == 'i' ? &r->insecure : &r->secure, w[1]);
		return NULL;
	}
	if (streq(w[0], "ca")) {
		if (n != 3 || !good_host(w[1]) || *w[2] != '/')
			return "wanted: ca HOST[:PORT] /ABSOLUTE/FILE";
		strv_add(r->a, &r->ca, w[1]);
		strv_add(r->a, &r->ca, w[2]);
		return NULL;
	}
	if (streq(w[0], "stall")) {
		if (n != 2 || strlen(w[1]) > 4 || w[1][strspn(w[1], "0123456789")] ||
			!(r->places.stall = strtol(w[1], NULL, 10)) || r->places.stall > 3600)
			return "wanted: stall SECONDS, 1 to 3600";
		return NULL;
	}
	return "unknown; there are mirror, insecure, https, ca and stall";
}

static int line(struct read *r, char *text, unsigned int nr, struct err *err)
{
	char *w[WORDS + 1], shown[80];
	size_t n = 0;
	text[strcspn(text, "#")] = '\0';
	for (char *word; n <= WORDS && (word = strsep(&text, " \t\r"));)
		if (*word)
			w[n++] = word;
	if (n == 0)
		return 0;
	const char *wrong = n > WORDS ? "too many words" : row(r, w, n);
	if (!wrong)
		return 0;
	return err_set(err, EINVAL, "registries:%u: '%s': %s", nr,
		escape_text(shown, sizeof(shown), w[0]), wrong);
}

/* How a registry itself is asked. */
static int add_itself(struct read *r)
{
	const char *at = streq(r->host, "docker.io") ? "registry-1.docker.io" : r->host;
	bool tls = strv_has(&r->secure, r->host) ||
		(!strv_has(&r->insecure, r->host) && !is_loopback(r->host));
	char *base = arena_printf(r->a, "%s://%s", tls ? "https" : "http", at);
	return base ? add(r, r->host, base, false) : -ENOMEM;
}

int registry_places_parse(struct arena *a, char *text, size_t n, const char *host, bool push,
	struct registry_places *ret, struct err *err)
{
	struct read r = {.a = a, .host = host, .push = push};
	unsigned int nr = 0;
	int k = 0;
	r.places.v = arena_alloc(a, MIRRORS * sizeof(*r.places.v));
	if (!r.places.v)
		return err_set(err, ENOMEM, "out of memory");
	if (strlen(text) != n)
		return err_set(err, EINVAL, "registries: it has a NUL in it");
	for (char *one; k == 0 && (one = strsep(&text, "\n"));)
		k = line(&r, one, ++nr, err);
	if (k == 0 && !r.only && add_itself(&r) < 0)
		k = err_set(err, E2BIG, "registries: too many mirrors");
	for (size_t i = 0; k == 0 && i < r.places.n; i++)
		for (size_t c = 0; c + 1 < r.ca.n; c += 2)
			if (streq(r.ca.v[c], r.places.v[i].host))
				r.places.v[i].ca = r.ca.v[c + 1];
	if (k == 0)
		k = arena_check(a, err);
	if (k == 0)
		*ret = r.places;
	return k;
}

/* Whoever writes it says whom we ask. */
static int check_trust(int fd, const char *path, struct err *err)
{
	struct stat st;
	char shown[300];
	escape_text(shown, sizeof(shown), path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "%s", shown);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%s is no regular file", shown);
	if (((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 0022)) &&
		!GUARD_REMOVED("registry-config")) {
		err_hint(err, "chmod go-w '%s', and see whose it is", shown);
		return err_set(err, EPERM, "others can write %s", shown);
	}
	return 0;
}

int registry_places_find(struct arena *a, const char *config_dir, const char *host, bool push,
	struct registry_places *ret, struct err *err)
{
	char none[1] = "", *path = path_join(a, config_dir, "registries");
	char *text = path ? arena_alloc(a, PLACES_FILE_MAX) : NULL;
	if (!text)
		return err_set(err, ENOMEM, "out of memory");
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return registry_places_parse(a, none, 0, host, push, ret, err);
	if (fd < 0)
		return err_sys(err, errno, "open %s", path);
	int r = check_trust(fd, path, err);
	if (r < 0)
		return r;
	ssize_t n = fd_read_full(fd, text, PLACES_FILE_MAX);
	if (n < 0 || (size_t)n == PLACES_FILE_MAX)
		return err_set(err, EFBIG, "%s can't be read, or has no end", path);
	r = registry_places_parse(a, text, (size_t)n, host, push, ret, err);
	if (r < 0)
		err_hint(err, "see bawn-template(1), and the file %s", path);
	return r;
}
