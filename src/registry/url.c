/* registry/url.c - URLs, as http.h says; libcurl's own parser, so that what is judged here is what
 * is asked there.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>

#include "base/escape.h"
#include "registry/http.h"

static int part(CURLU *u, CURLUPart what, unsigned int flags, char *dst, size_t cap)
{
	char *text = NULL;
	dst[0] = '\0';
	if (curl_url_get(u, what, &text, flags) != CURLUE_OK)
		return -EINVAL;
	size_t n = strlen(text);
	if (n < cap)
		memcpy(dst, text, n + 1);
	curl_free(text);
	return n < cap ? 0 : -EINVAL;
}

static bool has_user(CURLU *u)
{
	char *text = NULL;
	bool has = curl_url_get(u, CURLUPART_USER, &text, 0) == CURLUE_OK;
	curl_free(text);
	return has;
}

static int resolve(CURLU *u, const char *base, const char *rel, char ret[static HTTP_URL_MAX])
{
	char scheme[16], was[16], url[HTTP_URL_MAX];
	if (curl_url_set(u, CURLUPART_URL, base, 0) != CURLUE_OK ||
		part(u, CURLUPART_SCHEME, 0, was, sizeof(was)) < 0 ||
		curl_url_set(u, CURLUPART_URL, rel, 0) != CURLUE_OK ||
		part(u, CURLUPART_SCHEME, 0, scheme, sizeof(scheme)) < 0 || has_user(u) ||
		curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
		part(u, CURLUPART_URL, 0, url, sizeof(url)) < 0)
		return -EINVAL;
	if (!streq(scheme, "https") && !streq(scheme, "http"))
		return -EINVAL;
	if (streq(was, "https") && !streq(scheme, "https") && !GUARD_REMOVED("registry-downgrade"))
		return -EPROTO;
	memcpy(ret, url, sizeof(url));
	return 0;
}

int http_resolve(const char *base, const char *rel, char ret[static HTTP_URL_MAX])
{
	size_t n = strlen(rel);
	if (n == 0 || n >= HTTP_URL_MAX)
		return -EINVAL;
	for (const char *p = rel; *p; p++)
		if (*p <= ' ' || *p > '~')
			return -EINVAL;
	CURLU *u = curl_url();
	int r = u ? resolve(u, base, rel, ret) : -EINVAL;
	curl_url_cleanup(u);
	return r;
}

int http_follow(char url[static HTTP_URL_MAX], const struct http_answer *w, struct err *err)
{
	char shown[300];
	int r = *w->location ? http_resolve(url, w->location, url) : -EINVAL;
	escape_text(shown, sizeof(shown), w->location);
	if (r == -EPROTO)
		return err_set(err, EPERM, "it leads from https to http, \"%s\"", shown);
	return r < 0
		? err_set(err, EPERM, "it leads to \"%s\", which is no https or http URL", shown)
		: 0;
}

/* "https://host:443", lower case. */
static int origin(const char *url, char *ret, size_t cap)
{
	char scheme[16], host[512], port[8];
	CURLU *u = curl_url();
	int r = u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK ? 0 : -EINVAL;
	if (r == 0)
		r = part(u, CURLUPART_SCHEME, 0, scheme, sizeof(scheme));
	if (r == 0)
		r = part(u, CURLUPART_HOST, 0, host, sizeof(host));
	if (r == 0)
		r = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port));
	curl_url_cleanup(u);
	if (r < 0)
		return r;
	int n = snprintf(ret, cap, "%s://%s:%s", scheme, host, port);
	for (char *p = ret; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return n > 0 && (size_t)n < cap ? 0 : -EINVAL;
}

bool http_same_origin(const char *a, const char *b)
{
	char x[600], y[600];
	return origin(a, x, sizeof(x)) == 0 && origin(b, y, sizeof(y)) == 0 && streq(x, y);
}

void http_host(const char *url, char *ret, size_t cap)
{
	CURLU *u = curl_url();
	ret[0] = '\0';
	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK)
		part(u, CURLUPART_HOST, 0, ret, cap);
	curl_url_cleanup(u);
	for (char *p = ret; *p; p++)
		*p = (char)tolower((unsigned char)*p);
}

bool http_is_loopback(const char *host)
{
	struct in_addr v4;
	return streq(host, "localhost") || streq(host, "[::1]") || streq(host, "::1") ||
		(inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127);
}

int http_add_escaped(char *dst, size_t cap, const char *s)
{
	size_t n = strlen(dst);
	for (; *s; s++) {
		if (n + 4 > cap)
			return -E2BIG;
		if (isalnum((unsigned char)*s) || strchr("-._~", *s))
			dst[n++] = *s;
		else
			n += (size_t)snprintf(dst + n, cap - n, "%%%02X", (unsigned char)*s);
		dst[n] = '\0';
	}
	return 0;
}
