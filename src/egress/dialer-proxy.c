/* egress/dialer-proxy.c - HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the host, as curl reads them.
 *
 * Pure.  http://[USER[:PASSWORD]@]HOST[:PORT][/]; other schemes can't be used and say so.
 */
#include <strings.h>

#include "egress/dialer-int.h"

enum { DEFAULT_PORT = 1080 };

static int hex(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

static size_t percent_decode(const char *s, size_t n, unsigned char *dst, size_t cap)
{
	size_t o = 0;
	for (size_t i = 0; i < n && o < cap; i++) {
		if (s[i] == '%' && i + 2 < n && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
			dst[o++] = (unsigned char)(hex(s[i + 1]) << 4 | hex(s[i + 2]));
			i += 2;
		} else {
			dst[o++] = (unsigned char)s[i];
		}
	}
	return o;
}

/* RFC 4648 4 */
static void base64(const unsigned char *p, size_t n, char *dst, size_t cap)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t o = 0;
	for (size_t i = 0; i < n && o + 5 <= cap; i += 3) {
		unsigned v = (unsigned)p[i] << 16;
		if (i + 1 < n)
			v |= (unsigned)p[i + 1] << 8;
		if (i + 2 < n)
			v |= p[i + 2];
		dst[o++] = digits[v >> 18];
		dst[o++] = digits[v >> 12 & 63];
		dst[o++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		dst[o++] = i + 2 < n ? digits[v & 63] : '=';
	}
	dst[o] = '\0';
}

static bool parse_port(const char *s, size_t n, uint16_t *ret)
{
	unsigned v = 0;
	if (n == 0 || n > 5)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (unsigned)(s[i] - '0');
	}
	if (v == 0 || v > 65535)
		return false;
	*ret = (uint16_t)v;
	return true;
}

/* host, host:port or [v6]:port in s[n]. */
static bool split_host(const char *s, size_t n, char *host, uint16_t *port)
{
	size_t len = n;
	if (n && s[0] == '[') {
		const char *close = memchr(s, ']', n);
		if (!close)
			return false;
		s++;
		len = (size_t)(close - s);
		n -= 2 + len;
		if (n && (close[1] != ':' || !parse_port(close + 2, n - 1, port)))
			return false;
	} else {
		const char *colon = memchr(s, ':', n);
		if (colon) {
			len = (size_t)(colon - s);
			if (!parse_port(colon + 1, n - len - 1, port))
				return false;
		}
	}
	struct host_addr a;
	if (len == 0 || len > 255)
		return false;
	memcpy(host, s, len);
	host[len] = '\0';
	if (host_addr_parse(host, &a) == 0)
		return true;
	char canon[HOST_NAME_MAX_LEN + 1];
	if (host_canonical(host, len, canon) < 0)
		return false;
	memcpy(host, canon, sizeof(canon));
	return true;
}

void proxy_parse(const char *url, struct proxy *ret)
{
	*ret = (struct proxy){.port = DEFAULT_PORT};
	if (!url || !url[0])
		return;
	ret->set = true;
	const char *s = url;
	const char *scheme = strstr(url, "://");
	if (scheme) {
		if (scheme - url != 4 || strncasecmp(url, "http", 4) != 0) {
			snprintf(ret->bad, sizeof(ret->bad), "only http:// proxies can be used");
			return;
		}
		s = scheme + 3;
	}
	size_t n = strcspn(s, "/?#");
	const char *at = memrchr(s, '@', n);
	if (at) {
		unsigned char plain[380];
		size_t k = percent_decode(s, (size_t)(at - s), plain, sizeof(plain) - 1);
		if (!memchr(s, ':', (size_t)(at - s)))
			plain[k++] = ':'; /* RFC 7617 2: there without a password, too */
		base64(plain, k, ret->auth, sizeof(ret->auth));
		n -= (size_t)(at + 1 - s);
		s = at + 1;
	}
	if (!split_host(s, n, ret->host, &ret->port))
		snprintf(ret->bad, sizeof(ret->bad), "the proxy's address isn't HOST[:PORT]");
}

bool proxy_exempt(const char *no_proxy, const char *host, uint16_t port)
{
	if (!no_proxy)
		return false;
	size_t hn = strlen(host);
	for (const char *s = no_proxy; *s;) {
		size_t n = strcspn(s, ", ");
		const char *e = s;
		s += n + (s[n] != '\0');
		if (n == 1 && *e == '*')
			return true;
		const char *colon = memrchr(e, ':', n);
		if (colon && memchr(e, ':', n) == colon) { /* not a v6 address */
			uint16_t p;
			if (!parse_port(colon + 1, n - (size_t)(colon + 1 - e), &p) || p != port)
				continue;
			n = (size_t)(colon - e);
		}
		while (n && *e == '.') {
			e++;
			n--;
		}
		if (n == 0 || n > hn || strncasecmp(host + hn - n, e, n) != 0)
			continue;
		if (n == hn || host[hn - n - 1] == '.')
			return true;
	}
	return false;
}

ssize_t proxy_answer(const char *head, size_t n, char ret_line[static PROXY_LINE_MAX])
{
	const char *end = memmem(head, n, "\r\n\r\n", 4);
	ret_line[0] = '\0';
	if (!end)
		return 0;
	/* where the end was found, these stop in front of it */
	if (strncmp(head, "HTTP/1.", 7) == 0 && strncmp(head + 8, " 2", 2) == 0)
		return end + 4 - head;
	size_t line = (size_t)(end - head);
	const char *cr = memchr(head, '\r', line), *lf = memchr(head, '\n', line);
	line = cr ? (size_t)(cr - head) : line;
	line = lf && (size_t)(lf - head) < line ? (size_t)(lf - head) : line;
	snprintf(ret_line, PROXY_LINE_MAX, "%.*s", (int)line, head);
	return -EPROTO;
}
