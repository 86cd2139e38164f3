/* policy/schema.c - see schema.h.  Must not: know what a key is for. */
#include "policy/schema.h"

#include "base/escape.h"
#include "base/text.h"

const struct policy_key policy_keys[] = {
	{"summary", "text", "none", "what the policy is for, in one line"},
	{"api", "true or false", "false", "also apply the policies the profile names under api"},
	{"beside", "true or false", "false", "with --policy: beside the profile's own policies"},
	{"allow", "list of rules", "empty", "who may be reached"},
	{"deny", "list of rules", "empty", "who may not, whatever is allowed"},
	{"credentials", "list of maps", "empty", "secrets that go to hosts, unseen by the agent"},
};
const size_t policy_n_keys = ARRAY_LEN(policy_keys);

const struct policy_key rule_keys[] = {
	{"host", "rule", "required", "the rule itself"},
	{"private", "true or false", "false", "the name may resolve to a private address"},
	{"raw", "true or false", "false", "bytes that are neither TLS nor HTTP may pass"},
	{"max-upload", "size", "none", "what a run may send to each host that the rule names"},
};
const size_t rule_n_keys = ARRAY_LEN(rule_keys);

const struct policy_key credential_keys[] = {
	{"secret", "name", "required", "the secret's name, as in bawn secret set NAME"},
	{"hosts", "list of hosts", "required", "where it goes; no port means 443"},
	{"header", "text or map", "required", "the header it is put in, {} where it stands"},
	{"basic", "text", "none", "instead of header: the user name of basic authentication"},
	{"env", "text or list", "empty", "variables in which the agent sees a placeholder"},
	{"file", "map", "empty", "files of the sandbox's home with lines that have one in {}"},
	{"placeholder", "text", "{40}", "its shape; {N}: N random letters and digits"},
	{"always", "true or false", "false", "put it into requests without a placeholder, too"},
	{"login", "true or false", "false", "it is the token of a log-in that a profile names"},
	{"requests", "list of requests", "all", "which requests may carry it"},
	{"beyond", "policy", "none",
		"the policy by which others may, too: it is named to who asks"},
};
const size_t credential_n_keys = ARRAY_LEN(credential_keys);

int schema_unknown_key(struct err *err, const char *file, const struct yaml_node *at,
	const char *where, const char *const *words, size_t n)
{
	char shown[128], all[512] = "";
	escape_text(shown, sizeof(shown), at->key ? at->key : "");
	const char *near = text_nearest(at->key ? at->key : "", words, n);
	if (near)
		return yaml_err_key(err, file, at, "unknown key \"%s\"%s; did you mean \"%s\"?",
			shown, where, near);
	size_t len = 0;
	for (size_t i = 0; i < n && len < sizeof(all); i++)
		len += (size_t)snprintf(
			all + len, sizeof(all) - len, "%s%s", i ? ", " : "", words[i]);
	return yaml_err_key(
		err, file, at, "unknown key \"%s\"%s; the keys are %s", shown, where, all);
}

int schema_unknown(struct err *err, const char *file, const struct yaml_node *at, const char *where,
	const struct policy_key *keys, size_t n)
{
	const char *words[16];
	for (size_t i = 0; i < n && i < ARRAY_LEN(words); i++)
		words[i] = keys[i].name;
	return schema_unknown_key(err, file, at, where, words, MIN(n, ARRAY_LEN(words)));
}

int schema_want(struct err *err, const char *file, const struct yaml_node *at, enum yaml_kind kind)
{
	if (at->kind == kind)
		return 0;
	char shown[128], name[160] = "";
	if (at->key) {
		escape_text(shown, sizeof(shown), at->key);
		snprintf(name, sizeof(name), "\"%s\" ", shown);
	}
	const char *want = kind == YAML_LIST ? "a list, [a, b] or lines of \"- a\""
		: kind == YAML_MAP           ? "a map, lines of \"key: value\""
					     : "text";
	return yaml_err(err, file, at, "%sneeds %s; here is %s", name, want, yaml_kind_name(at));
}

int schema_text(struct arena *a, const char *file, const struct yaml_node *at, const char **ret,
	struct err *err)
{
	int r = schema_want(err, file, at, YAML_SCALAR);
	if (r < 0)
		return r;
	if (!at->text[0])
		return yaml_err(err, file, at, "an empty value");
	if (strchr(at->text, '\n'))
		return yaml_err(err, file, at, "more than one line");
	char *s = arena_dup(a, at->text);
	if (!s)
		return err_set(err, ENOMEM, "out of memory");
	*ret = s;
	return 0;
}

int schema_bool(const char *file, const struct yaml_node *at, bool *ret, struct err *err)
{
	int r = schema_want(err, file, at, YAML_SCALAR);
	if (r < 0)
		return r;
	if (streq(at->text, "true") || streq(at->text, "false")) {
		*ret = at->text[0] == 't';
		return 0;
	}
	char shown[64];
	return yaml_err(err, file, at, "\"%s\" is neither true nor false",
		escape_text(shown, sizeof(shown), at->text));
}

int schema_list(struct arena *a, const char *file, const struct yaml_node *at, struct strv *ret,
	struct err *err)
{
	if (yaml_is_empty(at))
		return 0;
	int r = schema_want(err, file, at, YAML_LIST);
	if (r < 0)
		return r;
	YAML_EACH(e, at)
	{
		const char *s = NULL;
		r = schema_text(a, file, e, &s, err);
		if (r < 0)
			return r;
		if (strv_add(a, ret, s) < 0)
			return err_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

static bool word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_';
}

bool schema_is_name(const char *s)
{
	size_t n = strlen(s);
	if (n == 0 || n > 64 || !word_byte(s[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!word_byte(s[i]) && s[i] != '.' && s[i] != '-')
			return false;
	return true;
}

bool schema_is_var(const char *s, bool wild)
{
	size_t n = strlen(s);
	if (wild && n > 1 && s[n - 1] == '*')
		n--;
	if (n == 0 || (s[0] >= '0' && s[0] <= '9'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!word_byte(s[i]))
			return false;
	return true;
}

char *schema_plain_glob(struct arena *a, const char *s)
{
	char *out = arena_alloc(a, strlen(s) + 2);
	size_t n = 0;
	if (!out)
		return NULL;
	if (*s == '!')
		out[n++] = *s++;
	if (*s == '/')
		return NULL;
	size_t start = n;
	while (*s) {
		size_t len = strcspn(s, "/");
		if (len == 2 && memcmp(s, "..", 2) == 0)
			return NULL;
		if (len > 0 && !(len == 1 && *s == '.')) {
			if (n > start)
				out[n++] = '/';
			memcpy(out + n, s, len);
			n += len;
		}
		s += len;
		while (*s == '/')
			s++;
	}
	out[n] = '\0';
	return n > start ? out : NULL;
}
