/* policy/credential.c - see credential.h */
#include "policy/credential.h"

#include "policy/egress-table.h"

bool credential_goes_to(const struct credential *c, const char *name, uint16_t port)
{
	for (size_t i = 0; i < c->n_hosts; i++)
		if (c->hosts[i].port == port &&
			egress_name_matches(c->hosts[i].kind, c->hosts[i].name, name))
			return true;
	return false;
}

bool credential_host(const struct credentials *c, const char *name, uint16_t port)
{
	for (size_t i = 0; c && i < c->n; i++)
		if (credential_goes_to(&c->v[i], name, port))
			return true;
	return false;
}

bool credential_sends(const struct credential *c, const char *name, uint16_t port,
	const char *method, size_t method_len, const char *target, size_t target_len)
{
	if (!credential_goes_to(c, name, port))
		return false;
	return c->requests.n == 0 ||
		http_decide(&c->requests, name, port, method, method_len, target, target_len)
			.action == EGRESS_ALLOW;
}

/* "{N}" at s: N and how long it is written; 0 when it isn't one. */
static size_t random_part(const char *s, size_t *ret)
{
	size_t n = 0, i = 1;
	for (; s[i] >= '0' && s[i] <= '9' && i < 5; i++)
		n = n * 10 + (size_t)(s[i] - '0');
	*ret = n;
	return i > 1 && s[i] == '}' ? i + 1 : 0;
}

int credential_shape_check(const char *s, struct err *err)
{
	size_t total = 0, random = 0;
	while (*s) {
		size_t n = 1, len = 1;
		if (*s == '{') {
			len = random_part(s, &n);
			if (len == 0)
				return err_set(err, EINVAL,
					"\"{\" begins a number of random letters and digits, "
					"\"sk-{40}\"");
			random += n;
		} else if (*s <= ' ' || *s > '~' || *s == '}') {
			return err_set(err, EINVAL,
				"only visible ASCII can stand in a placeholder, and no \"}\" "
				"alone");
		}
		total += n;
		if (total > CREDENTIAL_PLACEHOLDER_MAX)
			return err_set(err, EINVAL, "a placeholder is %d bytes at most",
				CREDENTIAL_PLACEHOLDER_MAX);
		s += len;
	}
	/* It must be told from whatever else stands in a header. */
	if (random < 16)
		return err_set(err, EINVAL,
			"a placeholder needs 16 random letters and digits at least, \"sk-{40}\"");
	return (int)total;
}

char *credential_file(struct arena *a, const char *file, const char *placeholder)
{
	char *out = arena_dup(a, "");
	for (const char *hole; out && (hole = strstr(file, "{}")); file = hole + 2)
		out = arena_printf(a, "%s%.*s%s", out, (int)(hole - file), file, placeholder);
	return out ? arena_printf(a, "%s%s", out, file) : NULL;
}

int credential_placeholder(const struct credential *c, const unsigned char *random, size_t n,
	char ret[static CREDENTIAL_PLACEHOLDER_MAX + 1])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t out = 0;
	int r = credential_shape_check(c->shape, NULL);
	if (r < 0 || n < (size_t)r)
		return -EINVAL;
	for (const char *s = c->shape; *s;) {
		if (*s != '{') {
			ret[out++] = *s++;
			continue;
		}
		size_t k;
		s += random_part(s, &k);
		/* 256 is no multiple of 62: a few letters come a little more often, which is as
		 * good for what nobody has to guess. */
		for (; k > 0; k--, out++)
			ret[out] = digits[random[out] % (sizeof(digits) - 1)];
	}
	ret[out] = '\0';
	return (int)out;
}
