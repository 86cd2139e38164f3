/* policy/target.c - see target.h.  Pure. */
#include "policy/target.h"

#include <strings.h>

static const struct {
	const char *scheme;
	uint16_t port;
} schemes[] = {
	{"https", 443},
	{"http", 80},
	{"wss", 443},
	{"ws", 80},
	{"ssh", 22},
	{"git", 9418},
	{"git+https", 443},
	{"git+ssh", 22},
	{"ftp", 21},
};

static int parse_port(const char *s, size_t n, uint16_t *ret)
{
	unsigned int v = 0;
	if (n == 0 || n > 5)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		v = v * 10 + (unsigned int)(s[i] - '0');
	}
	if (v == 0 || v > 65535)
		return -EINVAL;
	*ret = (uint16_t)v;
	return 0;
}

/* The scheme's port; *s moves behind "://" and *n shrinks to the authority. */
static int take_scheme(const char **s, size_t *n, uint16_t *ret_port, struct err *err)
{
	const char *sep = strstr(*s, "://");
	*ret_port = 443;
	*n = strlen(*s);
	if (!sep)
		return 0;
	size_t len = (size_t)(sep - *s), i = 0;
	while (i < ARRAY_LEN(schemes) &&
		!(strlen(schemes[i].scheme) == len && strncasecmp(schemes[i].scheme, *s, len) == 0))
		i++;
	if (i == ARRAY_LEN(schemes))
		return err_set(err, EINVAL, "not a scheme that has a port here");
	*ret_port = schemes[i].port;
	*s = sep + 3;
	*n = strcspn(*s, "/?#\\");
	for (size_t k = *n; k-- > 0;) {
		if ((*s)[k] != '@')
			continue;
		*s += k + 1;
		*n -= k + 1;
		break;
	}
	return 0;
}

/* Why it is none, and what to write instead. */
static int bad_name(const char *text, const char *host, size_t n, struct err *err)
{
	if (n == 0)
		return err_set(err, EINVAL, "there is no host name in it");
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)host[i] >= 0x80)
			return err_set(err, EINVAL,
				"not an ASCII name: programs ask for its xn-- form, which is to "
				"be given here");
	const char *slash = memchr(host, '/', n);
	if (slash && slash > host && !strstr(text, "://") && strncmp(text, "//", 2) != 0)
		return err_set(err, EINVAL, "a path needs a scheme, as in https://%.200s", text);
	return err_set(err, EINVAL,
		"not a host name: labels of 1-63 letters, digits, \"-\" and \"_\", with dots "
		"between");
}

int target_parse(const char *text, struct target *ret, struct err *err)
{
	struct target t = {0};
	const char *s = text;
	size_t n;
	int r = take_scheme(&s, &n, &t.port, err);
	if (r < 0)
		return r;
	const char *host = s, *end = s + n, *port = NULL;
	size_t host_len = n;
	if (n && *s == '[') {
		const char *close = memchr(s, ']', n);
		if (!close || (close + 1 < end && close[1] != ':'))
			return err_set(err, EINVAL, "the bracket is not closed");
		host = s + 1;
		host_len = (size_t)(close - host);
		port = close + 1 < end ? close + 2 : NULL;
	} else {
		const char *colon = memchr(s, ':', n);
		if (colon && !memchr(colon + 1, ':', (size_t)(end - colon) - 1)) {
			host_len = (size_t)(colon - s);
			port = colon + 1;
		}
	}
	const char *path = port ? memchr(port, '/', (size_t)(end - port)) : NULL;
	if (path && path > port && s == text)
		return bad_name(text, text, n, err);
	if (port && parse_port(port, (size_t)(end - port), &t.port) < 0)
		return err_set(err, EINVAL, "the port is not between 1 and 65535");
	char addr[64];
	if (host_len < sizeof(addr)) {
		memcpy(addr, host, host_len);
		addr[host_len] = '\0';
		t.is_addr = host_addr_parse(addr, &t.addr) == 0;
	}
	if (!t.is_addr && host_canonical(host, host_len, t.name) < 0)
		return bad_name(text, host, host_len, err);
	*ret = t;
	return 0;
}
