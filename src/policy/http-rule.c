/* policy/http-rule.c - see http-rule.h.
 *
 * Theory of operation.  A target is decoded once; what was an encoded slash is then the byte 1,
 * which no path can hold otherwise (control bytes are refused), so that it stays apart from a
 * slash.  What comes out is text again: "%2F" for that byte, "%25" for a percent sign; globs are
 * brought into the same form when they are compiled.  A reading is one set of enum http_reading;
 * while one is made, it is seen which further ones would differ.  A reading can only bring up ways
 * whose set has a higher number than its own, so counting upwards goes through all.
 */
#include "policy/http-rule.h"

#include <string.h>
#include <strings.h>

#include "policy/egress-table.h"

#define SLASH '\1'
#define READINGS 32

static int hex(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

/* The byte that s[at..] with "%XX" stands for, or -1. */
static int escaped(const char *s, size_t n, size_t at)
{
	if (s[at] != '%' || n - at < 3 || hex(s[at + 1]) < 0 || hex(s[at + 2]) < 0)
		return -1;
	return hex(s[at + 1]) * 16 + hex(s[at + 2]);
}

/* Decode in place.  first: the bytes are as they came. */
static int decode(char *s, size_t *n, bool first, bool *ret_any)
{
	size_t out = 0;
	*ret_any = false;
	for (size_t i = 0; i < *n; i++) {
		int c = escaped(s, *n, i);
		if (c < 0) {
			if (first && s[i] == '%')
				return -EINVAL;
			s[out++] = s[i];
			continue;
		}
		if (c < 0x20 || c == 0x7f)
			return -EINVAL;
		*ret_any = true;
		s[out++] = c == '/' ? SLASH : (char)c;
		i += 2;
	}
	*n = out;
	return 0;
}

/* Longer forms of what has a shorter one in UTF-8: how slashes and dots were hidden. */
static bool overlong(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		unsigned char next = i + 1 < n ? (unsigned char)s[i + 1] : 0xff;
		if (c == 0xc0 || c == 0xc1 || (c == 0xe0 && next < 0xa0) ||
			(c == 0xf0 && next < 0x90))
			return true;
	}
	return false;
}

static int decode_all(char *s, size_t *n, unsigned int how, unsigned int *ways)
{
	bool any;
	int r = decode(s, n, true, &any);
	if (r < 0)
		return r;
	for (size_t i = 0; i < *n; i++)
		if (escaped(s, *n, i) >= 0)
			*ways |= HTTP_READ_TWICE;
	while (r == 0 && any && (how & HTTP_READ_TWICE))
		r = decode(s, n, false, &any);
	return r < 0 || overlong(s, *n) ? -EINVAL : 0;
}

struct out {
	char *s;
	size_t n, cap; /* one byte is kept for the NUL */
	bool full;
};

static void put(struct out *o, const char *s, size_t n)
{
	if (o->cap - o->n <= n) {
		o->full = true;
		return;
	}
	memcpy(o->s + o->n, s, n);
	o->n += n;
}

static void put_segment(struct out *o, const char *s, size_t n)
{
	put(o, "/", 1);
	for (size_t i = 0; i < n; i++) {
		if (s[i] == SLASH)
			put(o, "%2F", 3);
		else if (s[i] == '%')
			put(o, "%25", 3);
		else
			put(o, &s[i], 1);
	}
}

static int pop_segment(struct out *o)
{
	while (o->n > 0 && o->s[o->n - 1] != '/')
		o->n--;
	if (o->n == 0)
		return -EINVAL;
	o->n--;
	return 0;
}

/* One segment of the path; last: nothing stands behind it. */
static int read_segment(
	struct out *o, const char *s, size_t n, bool last, unsigned int how, unsigned int *ways)
{
	const char *params = memchr(s, ';', n);
	if (params) {
		*ways |= HTTP_READ_PARAMS;
		if (how & HTTP_READ_PARAMS)
			n = (size_t)(params - s);
	}
	bool dot = n == 1 && s[0] == '.', up = n == 2 && s[0] == '.' && s[1] == '.';
	if (dot || up) {
		*ways |= HTTP_READ_DOTS;
		if (how & HTTP_READ_DOTS) {
			int r = up ? pop_segment(o) : 0;
			if (r == 0 && last)
				put(o, "/", 1);
			return r;
		}
	}
	if (n == 0 && !last) {
		*ways |= HTTP_READ_MERGE;
		if (how & HTTP_READ_MERGE)
			return 0;
	}
	put_segment(o, s, n);
	return 0;
}

static int read_segments(
	struct out *o, const char *s, size_t n, unsigned int how, unsigned int *ways)
{
	for (size_t at = 1;;) {
		size_t end = at;
		for (; end < n && s[end] != '/'; end++) {
			if (s[end] != SLASH && s[end] != '\\')
				continue;
			*ways |= HTTP_READ_SLASH;
			if (how & HTTP_READ_SLASH)
				break;
		}
		int r = read_segment(o, s + at, end - at, end >= n, how, ways);
		if (r < 0 || end >= n)
			return r;
		at = end + 1;
	}
}

int http_path_canonical(const char *target, size_t n, unsigned int how, char *ret, size_t cap,
	unsigned int *ret_ways)
{
	char s[HTTP_PATH_MAX];
	const char *query = memchr(target, '?', n);
	unsigned int ways = 0;
	struct out o = {.s = ret, .cap = cap};
	if (n > HTTP_PATH_MAX || cap == 0)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)target[i] <= ' ' || target[i] == 0x7f || target[i] == '#')
			return -EINVAL;
	if (query)
		n = (size_t)(query - target);
	if (n == 0 || target[0] != '/')
		return -EINVAL;
	memcpy(s, target, n);
	int r = decode_all(s, &n, how, &ways);
	if (r == 0)
		r = read_segments(&o, s, n, how, &ways);
	if (r < 0)
		return r;
	if (o.full)
		return -ENAMETOOLONG;
	if (o.n == 0)
		put(&o, "/", 1); /* all of it was dots or empty segments */
	ret[o.n] = '\0';
	*ret_ways = ways;
	return (int)o.n;
}

/* ---- globs ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool segment_matches(const char *g, size_t gn, const char *p, size_t pn, bool fold)
{
	size_t gi = 0, pi = 0, star = SIZE_MAX, from = 0;
	while (pi < pn) {
		if (gi < gn && g[gi] == '*') {
			star = gi++;
			from = pi;
		} else if (gi < gn && (g[gi] == p[pi] || (fold && lower(g[gi]) == lower(p[pi])))) {
			gi++;
			pi++;
		} else if (star != SIZE_MAX) {
			gi = star + 1;
			pi = ++from;
		} else {
			return false;
		}
	}
	while (gi < gn && g[gi] == '*')
		gi++;
	return gi == gn;
}

/* The segment behind this one; NULL behind the last. */
static const char *next_segment(const char *s)
{
	const char *slash = strchr(s, '/');
	return slash ? slash + 1 : NULL;
}

static bool is_last_empty(const char *s)
{
	return s && !*s;
}

bool http_path_match(const char *glob, const char *path, bool fold)
{
	const char *g = glob + 1, *p = path + 1; /* both start with "/" */
	const char *star_g = NULL, *star_p = NULL;
	for (;;) {
		if (g && strncmp(g, "**", 2) == 0 && (g[2] == '/' || !g[2])) {
			g = next_segment(g);
			if (!g)
				return true;
			star_g = g;
			star_p = p;
		} else if (g && p &&
			segment_matches(g, strcspn(g, "/"), p, strcspn(p, "/"), fold)) {
			g = next_segment(g);
			p = next_segment(p);
			if (!g && !p)
				return true;
		} else if (fold && ((!g && is_last_empty(p)) || (!p && is_last_empty(g)))) {
			return true;
		} else if (star_g && star_p && (star_p = next_segment(star_p))) {
			g = star_g;
			p = star_p;
		} else {
			return false;
		}
	}
}

/* ---- deciding ---- */

bool http_rule_is_for(const struct http_rule *r, const char *name, uint16_t port)
{
	if (!egress_name_matches(r->kind, r->name, name))
		return false;
	for (uint32_t i = 0; i < r->n_ports; i++)
		if (r->ports[i] == port)
			return true;
	return r->n_ports == 0;
}

static bool has_method(const struct http_rule *r, const char *method, size_t n)
{
	if (!*r->methods)
		return true;
	for (const char *p = r->methods + 1; *p;) {
		size_t len = strcspn(p, ",");
		if (len == n && (r->deny ? strncasecmp(p, method, n) : strncmp(p, method, n)) == 0)
			return true;
		p += len + (p[len] == ',');
	}
	return false;
}

static bool method_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(s[i] >= 'A' && s[i] <= 'Z') && !(s[i] >= 'a' && s[i] <= 'z') &&
			!(s[i] >= '0' && s[i] <= '9') && !(s[i] && strchr("!#$%&'*+-.^_`|~", s[i])))
			return false;
	return n > 0;
}

bool http_rules_apply(const struct http_rules *rules, const char *name, uint16_t port)
{
	for (size_t i = 0; rules && i < rules->n; i++)
		if (!rules->v[i].plain && http_rule_is_for(&rules->v[i], name, port))
			return true;
	return false;
}

struct request {
	const char *name, *method;
	size_t method_len;
	uint16_t port;
};

/* One reading of the path: the first deny, else the first allow. */
static struct http_verdict decide_path(
	const struct http_rules *rules, const struct request *q, const char *path)
{
	struct http_verdict v = {.action = EGRESS_DENY,
		.rule = EGRESS_NO_RULE,
		.why = "no rule allows this method and path"};
	for (size_t i = 0; i < rules->n; i++) {
		const struct http_rule *r = &rules->v[i];
		if (!http_rule_is_for(r, q->name, q->port))
			continue;
		if (!r->plain &&
			(!has_method(r, q->method, q->method_len) ||
				!http_path_match(r->path, path, r->deny)))
			continue;
		if (r->deny)
			return (struct http_verdict){.action = EGRESS_DENY,
				.rule = r->rule,
				.why = "a rule denies this method and path"};
		if (v.action == EGRESS_DENY)
			v = (struct http_verdict){.action = EGRESS_ALLOW, .rule = r->rule};
	}
	return v;
}

static struct http_verdict deny(const char *why)
{
	return (struct http_verdict){.action = EGRESS_DENY, .rule = EGRESS_NO_RULE, .why = why};
}

/* Does the key of a query, as far as it goes, say this (in lower case)? */
static bool key_is(const char *s, size_t n, const char *want)
{
	for (size_t i = 0; i < n && s[i] != '='; i++, want++) {
		int c = escaped(s, n, i);
		if (c >= 0)
			i += 2;
		else
			c = s[i];
		if (!*want || (lower((char)c) != *want))
			return false;
	}
	return !*want;
}

/* Frameworks that know forms take a method from there ("_method=DELETE"): another one than the
 * rules are held against. */
static bool query_names_method(const char *target, size_t n)
{
	static const char *const keys[] = {"_method", "_http_method", "_httpmethod",
		"x-http-method-override", "x-http-method", "x-method-override"};
	const char *query = memchr(target, '?', n), *end = target + n;
	while (query && ++query < end) {
		const char *next = query;
		while (next < end && *next != '&' && *next != ';')
			next++;
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			if (key_is(query, (size_t)(next - query), keys[i]))
				return true;
		query = next < end ? next : NULL;
	}
	return false;
}

static bool methods_count(const struct http_rules *rules, const char *name, uint16_t port)
{
	for (size_t i = 0; i < rules->n; i++)
		if (*rules->v[i].methods && http_rule_is_for(&rules->v[i], name, port))
			return true;
	return false;
}

struct http_verdict http_decide(const struct http_rules *rules, const char *name, uint16_t port,
	const char *method, size_t method_len, const char *target, size_t target_len)
{
	const struct request q = {
		.name = name, .method = method, .method_len = method_len, .port = port};
	struct http_verdict first = {.action = EGRESS_ALLOW, .rule = EGRESS_NO_RULE};
	char path[HTTP_PATH_MAX * 3 + 2];
	unsigned int known = 0, ways = 0;
	if (!http_rules_apply(rules, name, port))
		return first;
	if (!method_ok(method, method_len))
		return deny("the method is malformed");
	if (methods_count(rules, name, port) && query_names_method(target, target_len))
		return deny("the query names a method of its own");
	for (unsigned int how = 0; how < READINGS; how++) {
		if (how & ~known)
			continue;
		int r = http_path_canonical(target, target_len, how, path, sizeof(path), &ways);
		if (r < 0)
			return deny(r == -ENAMETOOLONG ? "the path is too long"
						       : "the path is malformed");
		known |= GUARD_REMOVED("http-readings") ? 0 : ways;
		struct http_verdict v = decide_path(rules, &q, path);
		if (v.action == EGRESS_DENY) {
			if (how && v.rule == EGRESS_NO_RULE)
				v.why = "the path can be read in another way, which no rule allows";
			return v;
		}
		if (how == 0)
			first = v;
	}
	return first;
}

static const struct http_rule *least_upload(
	const struct http_rules *rules, const char *name, uint16_t port)
{
	const struct http_rule *least = NULL;
	for (size_t i = 0; rules && i < rules->n; i++)
		if (rules->v[i].max_upload < (least ? least->max_upload : UINT64_MAX) &&
			http_rule_is_for(&rules->v[i], name, port))
			least = &rules->v[i];
	return least;
}

uint64_t http_max_upload(const struct http_rules *rules, const char *name, uint16_t port)
{
	const struct http_rule *r = least_upload(rules, name, port);
	return r ? r->max_upload : UINT64_MAX;
}

uint32_t http_max_upload_rule(const struct http_rules *rules, const char *name, uint16_t port)
{
	const struct http_rule *r = least_upload(rules, name, port);
	return r ? r->rule : EGRESS_NO_RULE;
}

bool http_rules_any(const struct http_rules *rules)
{
	for (size_t i = 0; rules && i < rules->n; i++)
		if (!rules->v[i].plain)
			return true;
	return false;
}
