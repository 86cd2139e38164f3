/* policy/rule-request.c - the part of a rule that is about requests: "METHODS HOST[:PORT]/PATH".
 *
 * Owns: the grammar of methods, path globs and sizes.  Must not: decide (http-rule.c).
 */
#include "base/escape.h"
#include "policy/http-rule.h"
#include "policy/path-glob.h"
#include "policy/rule.h"

#define METHOD_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_,"

static const char *const usual_methods[] = {
	"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

static int bad(struct err *err, const char *text, const char *why)
{
	char shown[200];
	return err_set(
		err, EINVAL, "rule \"%s\": %s", escape_text(shown, sizeof(shown), text), why);
}

static int check_method(const char *text, const char *m, size_t n, struct err *err)
{
	if (n == 0)
		return bad(err, text, "a method is missing before \",\" or the space");
	for (size_t i = 0; i < n; i++) {
		if (m[i] >= 'a' && m[i] <= 'z')
			return bad(err, text, "methods are in capital letters: GET,HEAD");
		if (!(m[i] >= 'A' && m[i] <= 'Z') && !(i > 0 && (m[i] == '-' || m[i] == '_')))
			return bad(err, text,
				"before the space stand methods with commas between: \"GET,HEAD "
				"example.com/**\"");
	}
	if (n > HTTP_METHOD_LEN)
		return bad(err, text, "a method is 16 letters at most");
	return 0;
}

/* "GET,HEAD" to ",GET,HEAD," */
static int take_methods(
	struct arena *a, const char *text, size_t n, struct rule *rule, struct err *err)
{
	size_t count = 0;
	for (size_t at = 0; at <= n; count++) {
		size_t len = 0;
		while (at + len < n && text[at + len] != ',')
			len++;
		int r = check_method(text, text + at, len, err);
		if (r < 0)
			return r;
		at += len + 1;
	}
	if (count > HTTP_METHODS_MAX)
		return bad(err, text, "8 methods at most");
	rule->methods = arena_printf(a, ",%.*s,", (int)n, text);
	return rule->methods ? 0 : err_set(err, ENOMEM, "out of memory");
}

static int take_path(
	struct arena *a, const char *text, const char *glob, struct rule *rule, struct err *err)
{
	char path[HTTP_PATH_MAX * 3 + 2];
	unsigned int ways = 0;
	if (strpbrk(glob, "?#"))
		return bad(
			err, text, "a path ends before \"?\" and \"#\"; queries are not looked at");
	int r = http_path_canonical(glob, strlen(glob), 0, path, sizeof(path), &ways);
	if (r == -ENAMETOOLONG)
		return bad(err, text, "the path is too long");
	if (r < 0)
		return bad(err, text,
			"the path has a space, a control byte, or a \"%\" without two hexadecimal "
			"digits");
	if (ways & (HTTP_READ_DOTS | HTTP_READ_MERGE | HTTP_READ_TWICE))
		return bad(err, text,
			"the path has \".\" or \"..\" segments, \"//\" or something encoded twice: "
			"write what the server is to see");
	for (const char *p = path; (p = strstr(p, "**")); p += 2)
		if (p[-1] != '/' || (p[2] && p[2] != '/'))
			return bad(err, text,
				"\"**\" is a whole segment of the path: \"/repos/**\"; \"*\" is a "
				"part of one");
	rule->path = arena_dup(a, path);
	return rule->path ? 0 : err_set(err, ENOMEM, "out of memory");
}

/* Where the path begins in HOST[:PORT]/PATH; NULL: there is none (a network's "/" begins none). */
static const char *path_of(const char *host)
{
	char addr[64];
	struct host_addr ignored;
	const char *slash = strchr(host, '/');
	size_t n = slash ? (size_t)(slash - host) : 0;
	if (!slash || host[0] == '[')
		return NULL;
	if (n >= sizeof(addr))
		return slash;
	memcpy(addr, host, n);
	addr[n] = '\0';
	return host_addr_parse(addr, &ignored) == 0 ? NULL : slash;
}

int rule_request(struct arena *a, const char *text, struct rule *rule, const char **ret_host,
	struct err *err)
{
	/* A space behind anything else is the host's mistake. */
	size_t word = strspn(text, METHOD_BYTES);
	const char *space = text[word] == ' ' ? text + word : NULL;
	const char *host = space ? space + 1 : text;
	const char *path = path_of(host);
	int r = 0;
	char shown[200];
	*ret_host = text;
	/* what is left of a URL, more likely than a rule on the root alone */
	if (!space && path && path > host && !path[1])
		return err_set(err, EINVAL,
			"rule \"%s\": write \"%.*s\", or \"%.*s/**\" for requests",
			escape_text(shown, sizeof(shown), text), (int)MIN(path - host, 200), host,
			(int)MIN(path - host, 200), host);
	if (!space && !path)
		return 0;
	if (!space && path > host && !memchr(host, '.', (size_t)(path - host)))
		return bad(err, text,
			"before the path stands a host name with a dot, or say the methods: \"GET "
			"HOST/PATH\"");
	rule->methods = "";
	if (space)
		r = take_methods(a, text, (size_t)(space - text), rule, err);
	if (r == 0)
		r = take_path(a, text, path ? path : "/**", rule, err);
	if (r < 0)
		return r;
	*ret_host = path ? arena_dupn(a, host, (size_t)(path - host)) : host;
	return *ret_host ? 0 : err_set(err, ENOMEM, "out of memory");
}

int rule_size(const char *text, uint64_t *ret, struct err *err)
{
	static const struct {
		const char *unit;
		uint64_t bytes;
	} units[] = {{"", 1}, {"KB", 1000}, {"MB", 1000000}, {"GB", 1000000000},
		{"KiB", (uint64_t)1 << 10}, {"MiB", (uint64_t)1 << 20}, {"GiB", (uint64_t)1 << 30}};
	char shown[64];
	uint64_t n = 0;
	size_t i = 0, u = 0;
	for (; text[i] >= '0' && text[i] <= '9' && i < 10; i++)
		n = n * 10 + (uint64_t)(text[i] - '0');
	while (u < ARRAY_LEN(units) && !streq(units[u].unit, text + i))
		u++;
	if (i == 0 || u == ARRAY_LEN(units))
		return err_set(err, EINVAL,
			"\"%s\" is not a size: a number and nothing, KB, MB, GB, KiB, MiB or GiB "
			"(50MB)",
			escape_text(shown, sizeof(shown), text));
	if (n == 0)
		return err_set(err, EINVAL, "a limit of 0 lets no request through; deny the host");
	*ret = n * units[u].bytes;
	return 0;
}

bool rule_covers_requests(const struct rule *a, const struct rule *b)
{
	if (!a->path)
		return true;
	if (!b->path)
		return false;
	return methods_cover(a->methods, b->methods) && path_glob_covers(a->path, b->path, a->deny);
}

bool rule_same_requests(const struct rule *a, const struct rule *b)
{
	if (!a->path || !b->path)
		return !a->path && !b->path;
	return streq(a->path, b->path) && streq(a->methods, b->methods);
}

const char *rule_odd_method(const struct rule *rule)
{
	static const char *const end = ",";
	if (!rule->path || !*rule->methods)
		return NULL;
	for (const char *p = rule->methods + 1; *p;) {
		size_t n = strcspn(p, end), i = 0;
		while (i < ARRAY_LEN(usual_methods) &&
			!(strlen(usual_methods[i]) == n && strncmp(usual_methods[i], p, n) == 0))
			i++;
		if (i == ARRAY_LEN(usual_methods))
			return p;
		p += n + (p[n] == ',');
	}
	return NULL;
}
