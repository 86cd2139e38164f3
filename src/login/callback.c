/* login/callback.c - see callback.h */
#include "login/callback.h"

bool callback_same(const char *a, const char *b)
{
	size_t n = strlen(a);
	unsigned char differ = 0;
	if (n == 0 || n != strlen(b))
		return false;
	for (size_t i = 0; i < n; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return differ == 0;
}

static int hex(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

/* False: what no code or state has in it. */
static bool decode(struct http_span v, char *dst, size_t cap)
{
	size_t o = 0;
	for (size_t i = 0; i < v.n; i++) {
		int c = (unsigned char)v.p[i];
		if (c == '%') {
			int high = i + 2 < v.n ? hex(v.p[i + 1]) : -1,
			    low = i + 2 < v.n ? hex(v.p[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = high << 4 | low;
			i += 2;
		}
		if (c <= ' ' || c > '~' || o + 1 >= cap)
			return false;
		dst[o++] = (char)c;
	}
	dst[o] = '\0';
	return true;
}

/* The value of a parameter that stands there once; 0: it doesn't, -1: twice, or malformed. */
static int parameter(struct http_span query, const char *name, char *dst, size_t cap)
{
	const size_t len = strlen(name);
	int found = 0;
	for (size_t at = 0; at < query.n;) {
		const char *p = query.p + at, *amp = memchr(p, '&', query.n - at);
		size_t n = amp ? (size_t)(amp - p) : query.n - at;
		at += n + 1;
		if (n <= len || p[len] != '=' || memcmp(p, name, len) != 0)
			continue;
		if (found++ ||
			!decode((struct http_span){.p = p + len + 1, .n = n - len - 1}, dst, cap))
			return -1;
	}
	return found;
}

static bool span_is(struct http_span s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

enum callback_kind callback_read(const char *buf, size_t n, const struct callback_want *want,
	char code[static CALLBACK_CODE_MAX])
{
	static struct h1_head h;
	char state[256], error[256], host[80];
	snprintf(host, sizeof(host), "%s:%u", want->host, want->port);
	ssize_t at = h1_request(buf, n, &h);
	if (at == 0)
		return CALLBACK_MORE;
	if (at < 0 || !span_is(h.method, "GET") || !http_is(h.host, host))
		return CALLBACK_NO;
	const char *mark = memchr(h.target.p, '?', h.target.n);
	if (!mark)
		return CALLBACK_NO;
	const struct http_span path = {.p = h.target.p, .n = (size_t)(mark - h.target.p)},
			       query = {.p = mark + 1, .n = h.target.n - path.n - 1};
	if (!span_is(path, want->path) || parameter(query, "state", state, sizeof(state)) != 1 ||
		(!GUARD_REMOVED("login-state") && !callback_same(state, want->state)))
		return CALLBACK_NO;
	int failed = parameter(query, "error", error, sizeof(error)),
	    done = parameter(query, "code", code, CALLBACK_CODE_MAX);
	if (failed == 1 && done == 0) {
		snprintf(code, CALLBACK_CODE_MAX, "%s", error);
		return CALLBACK_DENIED;
	}
	return failed == 0 && done == 1 && *code ? CALLBACK_CODE : CALLBACK_NO;
}

bool callback_paste(const char *line, const char *state, char code[static CALLBACK_CODE_MAX])
{
	static const char blank[] = " \t\r\n";
	char theirs[256];
	line += strspn(line, blank);
	size_t n = strcspn(line, "#");
	if (n == 0 || n >= CALLBACK_CODE_MAX || line[n] != '#')
		return false;
	for (size_t i = 0; i < n; i++)
		if (line[i] <= ' ' || line[i] > '~')
			return false;
	const char *rest = line + n + 1;
	size_t len = strcspn(rest, blank);
	if (len >= sizeof(theirs) || rest[len + strspn(rest + len, blank)])
		return false;
	memcpy(theirs, rest, len);
	theirs[len] = '\0';
	if (!callback_same(theirs, state))
		return false;
	memcpy(code, line, n);
	code[n] = '\0';
	return true;
}
