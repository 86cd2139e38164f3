/* seed/secret.c - see secret.h
 *
 * Theory: three signs.  A known prefix (who issues tokens gives them one, so that scanners find
 * them); a name that says so (password, API_KEY, authToken) before a value of some length; and
 * sheer randomness: many characters of mixed classes without a word boundary.
 */
#include "seed/secret.h"

#include <ctype.h>
#include <fnmatch.h>
#include <strings.h>

/* Known prefixes and how many token characters have to follow at least. */
static const struct {
	const char *prefix;
	size_t least;
	const char *why;
} prefixes[] = {
	{"sk-ant-", 8, "an Anthropic key"},
	{"sk-", 16, "an API key"},
	{"sk_live_", 8, "a Stripe key"},
	{"sk_test_", 8, "a Stripe key"},
	{"rk_live_", 8, "a Stripe key"},
	{"ghp_", 16, "a GitHub token"},
	{"gho_", 16, "a GitHub token"},
	{"ghu_", 16, "a GitHub token"},
	{"ghs_", 16, "a GitHub token"},
	{"ghr_", 16, "a GitHub token"},
	{"github_pat_", 16, "a GitHub token"},
	{"glpat-", 12, "a GitLab token"},
	{"xoxa-", 8, "a Slack token"},
	{"xoxb-", 8, "a Slack token"},
	{"xoxe-", 8, "a Slack token"},
	{"xoxo-", 8, "a Slack token"},
	{"xoxp-", 8, "a Slack token"},
	{"xoxr-", 8, "a Slack token"},
	{"xoxs-", 8, "a Slack token"},
	{"xapp-", 8, "a Slack token"},
	{"AKIA", 16, "an AWS key"},
	{"ASIA", 16, "an AWS key"},
	{"AIza", 30, "a Google key"},
	{"ya29.", 8, "a Google token"},
	{"1//0", 20, "a Google token"},
	{"npm_", 16, "a registry token"},
	{"pypi-", 16, "a registry token"},
	{"hf_", 16, "a Hugging Face token"},
	{"dop_v1_", 16, "a DigitalOcean token"},
	{"shpat_", 16, "a Shopify token"},
	{"SG.", 20, "a SendGrid key"},
	{"gsk_", 16, "an API key"},
	{"xai-", 16, "an API key"},
	{"r8_", 16, "an API key"},
	{"tvly-", 12, "an API key"},
	{"lin_api_", 12, "an API key"},
	{"ntn_", 16, "an API key"},
	{"figd_", 16, "an API key"},
	{"sntrys_", 16, "an API key"},
	{"AGE-SECRET-KEY-", 8, "a private key"},
};

static const char pem[] = "-----BEGIN ";
static const char pem_key[] = "PRIVATE KEY-----";

static bool token_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static size_t token_len(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && (token_char(s[i]) || s[i] == '.'))
		i++;
	while (i && s[i - 1] == '.')
		i--;
	return i;
}

static bool has_digit(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isdigit((unsigned char)s[i]))
			return true;
	return false;
}

/* Length of the token with a known prefix that starts at s, or 0. */
static size_t known_token(const char *s, size_t n, const char **ret_why)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t k = strlen(prefixes[i].prefix);
		if (n < k || memcmp(s, prefixes[i].prefix, k) != 0)
			continue;
		size_t len = token_len(s + k, n - k);
		if (len >= prefixes[i].least && has_digit(s + k, len)) {
			*ret_why = prefixes[i].why;
			return k + len;
		}
	}
	/* JSON web token: base64url of {"..., a dot, another of the same (RFC 7519) */
	if (n > 20 && memcmp(s, "eyJ", 3) == 0) {
		size_t len = token_len(s, n);
		const char *dot = memchr(s, '.', len);
		if (dot && dot - s >= 8 && (size_t)(dot - s) + 9 <= len) {
			*ret_why = "a JSON web token";
			return len;
		}
	}
	return 0;
}

/* A password in "scheme://user:password@host" or a token as its user name; len of what stands
 * between "://" and "@", 0 if none. */
static size_t url_secret(const char *s, size_t n)
{
	if (n < 4 || memcmp(s, "://", 3) != 0)
		return 0;
	const char *p = s + 3;
	size_t i = 0, colon = 0, max = n - 3;
	while (i < max && !strchr("/ \t\r\n\"'<>?#@", p[i]) && p[i]) {
		if (p[i] == ':' && !colon)
			colon = i + 1;
		i++;
	}
	if (i >= max || p[i] != '@')
		return 0;
	if (colon)
		return i > colon && p[colon] != '$' && p[colon] != '{' ? i : 0;
	return i >= 20 && has_digit(p, i) ? i : 0;
}

static const char *const name_words[] = {
	"token",
	"secret",
	"password",
	"passwd",
	"passphrase",
	"pwd",
	"apikey",
	"authorization",
	"credential",
	"credentials",
	"cookie",
	"bearer",
	"jwt",
	"pat",
	"auth",
	"privatekey",
	"accesskey",
	"dsn",
};

/* Cuts name into words at non-letters and at aB; calls that word of length n a hit? */
static bool word_hits(const char *w, size_t n, bool last)
{
	for (size_t i = 0; i < ARRAY_LEN(name_words); i++)
		if (strlen(name_words[i]) == n && strncasecmp(w, name_words[i], n) == 0)
			return true;
	return last && n == 3 && strncasecmp(w, "key", 3) == 0;
}

bool secret_name(const char *name)
{
	size_t i = 0, n = strlen(name);
	while (i < n) {
		while (i < n && !isalpha((unsigned char)name[i]))
			i++;
		size_t start = i;
		bool upper_run = i + 1 < n && isupper((unsigned char)name[i]) &&
			isupper((unsigned char)name[i + 1]);
		while (i < n && isalpha((unsigned char)name[i])) {
			bool boundary = i > start && isupper((unsigned char)name[i]) &&
				!isupper((unsigned char)name[i - 1]);
			if (boundary && !upper_run)
				break;
			i++;
		}
		if (i > start && word_hits(name + start, i - start, i == n))
			return true;
	}
	return false;
}

static bool is_reference(const char *v)
{
	if (v[0] == '$' && (v[1] == '{' || isalpha((unsigned char)v[1]) || v[1] == '_')) {
		size_t k = strspn(v + 1,
			"{}ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			"0123456789_:");
		return v[1 + k] == '\0';
	}
	return has_prefix(v, "{env:") && v[strlen(v) - 1] == '}';
}

/* Codex' "env_key": the name of a variable, whose value is the secret. */
static bool names_variable(const char *key, const char *v)
{
	return key && streq(key, "env_key") &&
		!v[strspn(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] && strchr(v, '_');
}

/* Random-looking: long, of mixed classes, without what words and paths are parted by. */
static bool looks_random(const char *v, size_t least)
{
	size_t n = strlen(v), lower = 0, upper = 0, digit = 0, switches = 0;
	if (n < least)
		return false;
	int last = -1;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)v[i];
		int class = isdigit(c) ? 0 : islower(c) ? 1 : isupper(c) ? 2 : 3;
		if (class == 3 && !strchr("+/=_-", c))
			return false;
		digit += class == 0;
		lower += class == 1;
		upper += class == 2;
		if (class == 3)
			continue;
		switches += class != last;
		last = class;
	}
	/* Words, paths and camel case change class rarely; random text about every 1.6 bytes. */
	return digit && (lower || upper) && switches * 3 > n;
}

/* "./prompts/review.txt}": a text by its name, beside the settings or in the home. */
static bool names_text(const char *s)
{
	char path[256];
	const size_t n = strcspn(s, "}");
	if (s[n] != '}' || snprintf(path, sizeof(path), "%.*s", (int)n, s) >= (int)sizeof(path))
		return false;
	return *path != '/' && !strstr(path, "..") && secret_text_name(path);
}

const char *secret_value(const char *key, const char *value)
{
	static const char *const schemes[] = {"Bearer ", "bearer ", "Basic ", "basic ", "token "};
	const char *v = value;
	bool scheme = false;
	if (GUARD_REMOVED("seed-secrets"))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		if (has_prefix(v, schemes[i])) {
			v += strlen(schemes[i]);
			scheme = true;
			break;
		}
	}
	if (!*v || is_reference(v))
		return NULL;
	for (const char *at = v; (at = strstr(at, "{file:")); at++)
		if (!names_text(at + strlen("{file:")))
			return "the content of another file";
	size_t at, len;
	const char *why;
	if (secret_find(v, strlen(v), &at, &len, &why))
		return why;
	if (scheme && strlen(v) >= 8 && !strchr(v, ' '))
		return "a credential";
	if (key && secret_name(key) && !names_variable(key, v) && strlen(v) >= 6 && !strchr(v, ' '))
		return "its name says so";
	if (looks_random(v, 32))
		return "it looks random";
	return NULL;
}

/* At text[i] stands '=' or ':'.  Is it an assignment of a random value to a telling name? */
static size_t assigned_secret(const char *text, size_t n, size_t i, size_t *ret_at)
{
	size_t e = i;
	while (e && strchr(" \t\"'", text[e - 1]))
		e--;
	size_t s = e;
	while (s && (token_char(text[s - 1])) && e - s < 63)
		s--;
	char name[64], value[128];
	if (e == s)
		return 0;
	memcpy(name, text + s, e - s);
	name[e - s] = '\0';
	if (!secret_name(name))
		return 0;
	size_t v = i + 1;
	while (v < n && strchr(" \t\"'", text[v]))
		v++;
	size_t len = 0;
	while (v + len < n && len < sizeof(value) - 1 &&
		(token_char(text[v + len]) || strchr("+/=.", text[v + len])) && text[v + len])
		len++;
	memcpy(value, text + v, len);
	value[len] = '\0';
	if (len < 12 || !has_digit(value, len))
		return 0;
	*ret_at = v;
	return len;
}

int secret_find(const char *text, size_t n, size_t *ret_at, size_t *ret_len, const char **ret_why)
{
	for (size_t i = 0; i < n; i++) {
		char c = text[i];
		size_t len = 0, at = i;
		if ((i == 0 || !token_char(text[i - 1])) && token_char(c))
			len = known_token(text + i, n - i, ret_why);
		if (!len && c == '-' && n - i > sizeof(pem) && memcmp(text + i, pem, 11) == 0) {
			const char *eol = memchr(text + i, '\n', n - i);
			size_t line = eol ? (size_t)(eol - text) - i : n - i;
			if (memmem(text + i, line, pem_key, sizeof(pem_key) - 1)) {
				*ret_why = "a private key";
				const char *end = memmem(text + i + 11, n - i - 11, "-----END", 8);
				len = end ? (size_t)(end - text) - i : n - i;
			}
		}
		if (!len && c == ':' && (len = url_secret(text + i, n - i))) {
			at = i + 3;
			*ret_why = "a password in a URL";
		}
		if (!len && (c == '=' || c == ':') && (len = assigned_secret(text, n, i, &at)))
			*ret_why = "its name says so";
		if (len) {
			*ret_at = at;
			*ret_len = len;
			return 1;
		}
	}
	return 0;
}

bool secret_file_name(const char *name)
{
	static const char *const globs[] = {
		".env",
		".env.*",
		"*.pem",
		"*.key",
		"*.p12",
		"*.pfx",
		"*.kdbx",
		"id_rsa*",
		"id_ed25519*",
		"id_ecdsa*",
		"id_dsa*",
		".netrc",
		".npmrc",
		".pypirc",
		".git-credentials",
		".htpasswd",
		"auth.json",
		"mcp-auth.json",
		"credentials",
		"credentials.*",
		".credentials.*",
		"oauth_creds*",
		"google_accounts*",
		"*-credentials.json",
		"*.keyring",
		"*token*.json",
		"cookies*",
		"history*.jsonl",
		"*.sqlite",
		"*.db",
		".git",
		"node_modules",
	};
	for (size_t i = 0; i < ARRAY_LEN(globs); i++)
		if (fnmatch(globs[i], name, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

bool secret_text_name(const char *path)
{
	static const char *const ends[] = {
		".md", ".mdc", ".mdx", ".markdown", ".txt", ".text", ".rst", ".adoc"};
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	for (size_t i = 0; dot && i < ARRAY_LEN(ends); i++)
		if (streq(dot, ends[i]))
			return !secret_file_name(slash ? slash + 1 : path);
	return false;
}
