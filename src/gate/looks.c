/* gate/looks.c - what by its form is a secret; see match.h
 *
 * Everything here weighs two errors: a secret that is saved, and a template that can't be, because
 * some library's documentation says "password: hunter2".  So in text at large a value counts only
 * where a name says that it is one *and* it seems drawn by lot; in files that are there for
 * credentials, any value does.
 */
#include "gate/match.h"

#include <ctype.h>
#include <math.h>

enum {
	NAME_MAX = 64,
	VALUE_MAX = 512,
	RANDOM_MIN = 16, /* of a value that nothing but its name makes suspect */
	LENIENT_MIN = 4,
	PEM_MIN = 64, /* letters of base64 that a private key has at least */
	URL_PART_MAX = 256,
};

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static unsigned char lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

/* ---- drawn by lot? ---- */

enum kind { K_LOWER, K_UPPER, K_DIGIT, K_OTHER };

static enum kind kind_of(unsigned char c)
{
	return c >= 'a' && c <= 'z'    ? K_LOWER
		: c >= 'A' && c <= 'Z' ? K_UPPER
		: c >= '0' && c <= '9' ? K_DIGIT
				       : K_OTHER;
}

/* Bits a letter, by how often each comes. */
static double entropy(const unsigned char *v, size_t n)
{
	unsigned int count[256] = {0};
	double bits = 0;
	for (size_t i = 0; i < n; i++)
		count[v[i]]++;
	for (size_t c = 0; c < 256; c++)
		if (count[c])
			bits -= count[c] * log2((double)count[c] / (double)n);
	return bits / (double)n;
}

struct counts {
	size_t of[K_OTHER + 1], letters, changes;
	bool rows; /* xxxxx, 123456, abcdef */
};

static struct counts count(const unsigned char *v, size_t n)
{
	struct counts c = {0};
	for (size_t i = 0, run = 1, row = 1; i < n; i++) {
		c.of[kind_of(v[i])]++;
		if (i == 0)
			continue;
		c.changes += kind_of(v[i]) != kind_of(v[i - 1]);
		run = v[i] == v[i - 1] ? run + 1 : 1;
		row = v[i] == v[i - 1] + 1 ? row + 1 : 1;
		c.rows |= run >= 5 || row >= 6;
	}
	c.letters = c.of[K_LOWER] + c.of[K_UPPER];
	return c;
}

bool gate_looks_random(const unsigned char *v, size_t n)
{
	n = MIN(n, VALUE_MAX);
	const struct counts c = count(v, n);
	/* Words and paths change from letters to digits seldom; of 62 letters, every other time,
	 * and less often where there is but one case: hexadecimal. */
	const bool one_case = !c.of[K_OTHER] && !(c.of[K_LOWER] && c.of[K_UPPER]) &&
		c.of[K_DIGIT] * 6 >= n;
	return n >= 8 && !c.rows && c.letters && c.of[K_DIGIT] >= 1 + n / 32 &&
		c.changes * 100 >= n * (one_case ? 25 : 30) &&
		entropy(v, n) >= (n < 24 ? 2.8 : 3.2);
}

bool gate_looks_drawn(const unsigned char *v, size_t n)
{
	n = MIN(n, VALUE_MAX);
	const struct counts c = count(v, n);
	if (c.rows || !c.letters || entropy(v, n) < (n < 24 ? 2.5 : 3.0))
		return false;
	/* camelCase has few capitals, and no digits */
	return c.of[K_DIGIT] ||
		(c.of[K_UPPER] * 10 >= n * 3 && c.of[K_UPPER] * 10 <= n * 7 &&
			c.changes * 10 >= n * 3);
}

/* What the standards themselves have for examples, and so every library for them. */
static const char *const published[] = {"2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA",
	"7Fjfp0ZBr1KtDRbnfVdmIw", "gX1fBat3bV", "kkk9d7dh3k39sjv7", "pfkkdhi9sl3r4s00",
	"nnch734d00sl2jdk", "kd94hf93k423kf44", "hh5s93j4hdidpola", "hdhd0244k9j7ao03",
	"SlAV32hkKG", "8xLOxBtZp8", "czZCaGRSa3F0MzpnWDFmQmF0M2JW",
	"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};

bool gate_is_stand_in(enum gate_manner how, const unsigned char *v, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(published); i++)
		if (n == strlen(published[i]) && memcmp(v, published[i], n) == 0)
			return true;
	/* the first few stand for something in any file */
	static const char *const words[] = {"${", "{{", "<", "%(", "****", "xxxx", "changeme",
		"change-me", "change_me", "your-", "your_", "yourtoken", "yourpass", "yourkey",
		"placeholder", "redacted", "process.env", "os.environ", "getenv", "example", "....",
		"dummy", "insert", "replace", "sample", "notreal", "not-a-", "fake", "abcdef",
		"123456", "deadbeef", "foobar"};
	enum { ANYWHERE = 19 };
	if (!n || (how != GATE_LENIENT && strchr("$%@", v[0])))
		return true;
	if (n > 1 && v[0] == '$' && v[1] == '(') /* what a command says */
		return true;
	if (v[0] == '$' || v[0] == '%') { /* a variable's name, and no more */
		size_t k = 1;
		while (k < n &&
			(kind_of(v[k]) == K_UPPER || kind_of(v[k]) == K_DIGIT || v[k] == '_'))
			k++;
		if (k == n || (v[0] == '%' && k + 1 == n && v[k] == '%'))
			return true;
	}
	n = MIN(n, VALUE_MAX);
	const size_t n_words = how == GATE_LENIENT ? ANYWHERE : ARRAY_LEN(words);
	for (size_t w = 0; w < n_words; w++) {
		const size_t len = strlen(words[w]);
		for (size_t i = 0; i + len <= n; i++) {
			size_t k = 0;
			while (k < len && lower(v[i + k]) == (unsigned char)words[w][k])
				k++;
			if (k == len)
				return true;
		}
	}
	return false;
}

/* One of the words that documentation has where a password would be. */
static bool is_stock_word(const unsigned char *v, size_t n)
{
	static const char *const words[] = {"password", "passwd", "pass", "passw0rd", "pw", "pwd",
		"secret", "token", "user", "username", "test", "none", "null", "true", "false",
		"undefined", "hunter2", "string", "required", "optional", "yes", "no", "admin",
		"root", "guest", "anonymous", "foo", "bar", "baz", "qux", "x-oauth-basic",
		"x-access-token", "auth", "key", "value", "prompt", "ask", "keyring", "default",
		"empty"};
	for (size_t w = 0; w < ARRAY_LEN(words); w++) {
		if (strlen(words[w]) != n)
			continue;
		size_t k = 0;
		while (k < n && lower(v[k]) == (unsigned char)words[w][k])
			k++;
		if (k == n)
			return true;
	}
	return false;
}

/* ---- NAME=value ---- */

/* Does the name that ends before at say that a secret follows?  *ret: its first letter. */
static bool names_secret(enum gate_manner how, const unsigned char *buf, size_t at, size_t *ret)
{
	/* without '-', '_' and '.'; what has this at its end */
	static const char *const ends[] = {"token", "secret", "password", "passwd", "passphrase",
		"passwort", "apikey", "secretkey", "accesskey", "privatekey", "authkey",
		"signingkey", "encryptionkey", "masterkey", "secretaccesskey", "credential",
		"credentials", "apitoken", "tokensecret", "clientsecret", "webhooksecret",
		"connectionstring", "authorization", "secretkeybase", "appkey"};
	static const char *const lenient[] = {
		"auth", "pwd", "pass", "keydata", "identitytoken", "key", "secretid", "sessionid"};
	char name[NAME_MAX + 1];
	size_t n = 0, i = at;
	while (i > 0 && at - i < NAME_MAX &&
		(is_alnum(buf[i - 1]) || buf[i - 1] == '_' || buf[i - 1] == '-' ||
			buf[i - 1] == '.'))
		i--;
	*ret = i;
	for (size_t k = i; k < at; k++)
		if (is_alnum(buf[k]))
			name[n++] = (char)lower(buf[k]);
	for (size_t e = 0; e < ARRAY_LEN(ends); e++) {
		const size_t len = strlen(ends[e]);
		if (n >= len && memcmp(name + n - len, ends[e], len) == 0)
			return true;
	}
	for (size_t e = 0; how == GATE_LENIENT && e < ARRAY_LEN(lenient); e++) {
		const size_t len = strlen(lenient[e]);
		if (n >= len && memcmp(name + n - len, lenient[e], len) == 0)
			return true;
	}
	return false;
}

static bool is_value(enum gate_manner how, unsigned char c, unsigned char quote)
{
	if (c <= ' ' || c == 0x7f || c == '"' || c == '\'' || c == '`' || c == '\\')
		return false;
	if (how == GATE_LENIENT)
		return true;
	return is_alnum(c) || strchr("+/=_.~-!@#^&%$*:<>{}", c) || (quote && strchr("?,;|()[]", c));
}

/* Spaces, and a quote that may be escaped, going back from at (exclusive) or on from it. */
static size_t skip_back(const unsigned char *buf, size_t at)
{
	for (int i = 0; i < 4 && at > 0 && (buf[at - 1] == ' ' || buf[at - 1] == '\t'); i++)
		at--;
	if (at > 0 && (buf[at - 1] == '"' || buf[at - 1] == '\'' || buf[at - 1] == ']'))
		at--;
	if (at > 0 && (buf[at - 1] == '\\' || buf[at - 1] == '"' || buf[at - 1] == '\''))
		at--;
	return at;
}

static size_t skip_on(const unsigned char *buf, size_t at, size_t end, unsigned char *quote)
{
	*quote = 0;
	for (int i = 0; i < 8 && at < end && (buf[at] == ' ' || buf[at] == '\t'); i++)
		at++;
	if (at < end && buf[at] == '\\')
		at++;
	if (at < end && (buf[at] == '"' || buf[at] == '\'' || buf[at] == '`'))
		*quote = buf[at++];
	if (*quote && at + 1 < end && buf[at] == *quote && buf[at + 1] == *quote)
		at += 2; /* """, of Python and TOML */
	return at;
}

/* "Bearer ", "Basic ", "token " before what a header carries. */
static size_t skip_scheme(const unsigned char *buf, size_t at, size_t end)
{
	static const char *const schemes[] = {"bearer ", "basic ", "token "};
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		const size_t n = strlen(schemes[i]);
		size_t k = 0;
		while (k < n && at + k < end && lower(buf[at + k]) == (unsigned char)schemes[i][k])
			k++;
		if (k == n)
			return at + n;
	}
	return at;
}

static size_t from_base64(const unsigned char *v, size_t n, unsigned char *out, size_t cap);

/* "auth" before at: what Docker, Podman and npm call USER:PASSWORD in base64. */
static bool names_auth(const unsigned char *buf, size_t at)
{
	return at >= 4 && memcmp(buf + at - 4, "auth", 4) == 0 &&
		(at == 4 || !is_alnum(buf[at - 5]));
}

static bool is_user_and_password(const unsigned char *v, size_t n)
{
	unsigned char text[VALUE_MAX];
	size_t pad = 0;
	while (pad < 2 && n > pad && v[n - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < n - pad; i++)
		if (!is_alnum(v[i]) && !strchr("+/-_", v[i]))
			return false;
	if (n < 8 || (pad && n % 4) || n % 4 == 1)
		return false;
	const size_t k = from_base64(v, n - pad, text, sizeof(text));
	for (size_t i = 0; i < k; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	const unsigned char *colon = memchr(text, ':', k);
	const size_t user = colon ? (size_t)(colon - text) : 0;
	return user && k - user - 1 >= LENIENT_MIN && !is_stock_word(colon + 1, k - user - 1) &&
		!gate_is_stand_in(GATE_LENIENT, colon + 1, k - user - 1);
}

const char *gate_assignment(
	enum gate_manner how, const unsigned char *buf, size_t at, size_t end, size_t *ret)
{
	unsigned char quote;
	size_t begin, n = 0, name = at;
	if (name > 0 && buf[at] == '=' && (buf[name - 1] == ':' || buf[name - 1] == '?'))
		name--; /* := ?= */
	name = skip_back(buf, name);
	const bool auth = how != GATE_LENIENT && names_auth(buf, name);
	if (!auth && !names_secret(how, buf, name, &begin))
		return NULL;
	size_t v = at + 1;
	if (v < end && (buf[v] == '>' || buf[v] == '=')) /* => == */
		v++;
	v = skip_scheme(buf, skip_on(buf, v, end, &quote), end);
	while (v + n < end && n < VALUE_MAX && is_value(how, buf[v + n], quote))
		n++;
	/* a URL is looked at as one, and a value in a program that has no end in sight is none */
	if (n == VALUE_MAX || (how == GATE_CODE && (!quote || v + n >= end || buf[v + n] != quote)))
		return NULL;
	if (!quote)
		while (n > 0 && strchr(",;)}]", buf[v + n - 1]))
			n--;
	/* Google's for a program that people install: in each copy of it, so nobody's secret */
	if (n > 7 && memcmp(buf + v, "GOCSPX-", 7) == 0)
		return NULL;
	if (gate_is_stand_in(how, buf + v, n) || memmem(buf + v, n, "://", 3))
		return NULL;
	*ret = v;
	if (auth)
		return is_user_and_password(buf + v, n) ? "a name and a password, as base64" : NULL;
	if (how == GATE_LENIENT) /* "{" begins a list of them, "/" is where a key is */
		return n >= LENIENT_MIN && !is_stock_word(buf + v, n) && !strchr("{[/~", buf[v])
			? "a credential"
			: NULL;
	return n >= RANDOM_MIN && gate_looks_random(buf + v, n)
		? "a value that looks like a secret, under a name that says so"
		: NULL;
}

bool gate_password_word(const unsigned char *buf, size_t at, size_t end)
{
	size_t v = at, n = 0;
	if (v >= end || (buf[v] != ' ' && buf[v] != '\t' && buf[v] != '\n' && buf[v] != '>'))
		return false;
	while (v < end && (buf[v] == ' ' || buf[v] == '\t' || buf[v] == '\n' || buf[v] == '>'))
		v++;
	while (v + n < end && n < VALUE_MAX && buf[v + n] > ' ' && buf[v + n] != '<')
		n++;
	return n > 0 && buf[v] != '=' && buf[v] != ':' && buf[v] != '{' && buf[v] != '/' &&
		!gate_is_stand_in(GATE_LENIENT, buf + v, n);
}

/* ---- web tokens ---- */

static bool is_base64_url(unsigned char c)
{
	return is_alnum(c) || c == '-' || c == '_';
}

/* The bytes of buf[0..n) of base64url into out, at most cap; how many. */
static size_t from_base64(const unsigned char *v, size_t n, unsigned char *out, size_t cap)
{
	unsigned int bits = 0, have = 0;
	size_t k = 0;
	for (size_t i = 0; i < n && k < cap; i++) {
		const unsigned char c = v[i];
		unsigned int six = c >= 'A' && c <= 'Z' ? c - 65u
			: c >= 'a' && c <= 'z'          ? c - 97u + 26
			: c >= '0' && c <= '9'          ? c - 48u + 52
			: c == '-' || c == '+'          ? 62u
							: 63u;
		bits = (bits << 6 | six) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[k++] = (unsigned char)(bits >> have & 255);
		}
	}
	return k;
}

/* The claims say until when it holds, and that is over. */
static bool is_over(const unsigned char *claims, size_t n, int64_t now)
{
	unsigned char text[4096];
	int64_t until = 0;
	n = from_base64(claims, n, text, sizeof(text));
	const unsigned char *p = memmem(text, n, "\"exp\"", 5);
	if (!p || !now)
		return false;
	size_t i = (size_t)(p - text) + 5;
	while (i < n && (text[i] == ':' || text[i] == ' '))
		i++;
	for (int k = 0; k < 12 && i < n && isdigit(text[i]); k++)
		until = until * 10 + (text[i++] - '0');
	return until > 0 && until < now;
}

/* The one that every description of them has. */
static bool is_famous(const unsigned char *claims, size_t n)
{
	static const char subject[] = "eyJzdWIiOiIxMjM0NTY3ODkwIi";
	return n >= sizeof(subject) - 1 && memcmp(claims, subject, sizeof(subject) - 1) == 0;
}

size_t gate_web_token(const unsigned char *buf, size_t at, size_t end, int64_t now)
{
	size_t part[3] = {0}, begin[3], i = at;
	for (int p = 0; p < 3; p++) {
		begin[p] = i;
		while (i < end && is_base64_url(buf[i]) && i - begin[p] < GATE_AHEAD / 3)
			i++;
		part[p] = i - begin[p];
		if (p < 2 && (i >= end || buf[i++] != '.'))
			return 0;
	}
	if (part[0] < 16 || part[1] < 32 || part[2] < 16 || memcmp(buf + begin[1], "eyJ", 3) != 0)
		return 0;
	if (is_famous(buf + begin[1], part[1]) || is_over(buf + begin[1], part[1], now) ||
		gate_is_stand_in(GATE_PLAIN, buf + begin[2], part[2]))
		return 0;
	return i - at;
}

/* ---- URLs with a password ---- */

static bool is_user_info(unsigned char c)
{
	return is_alnum(c) || (c > ' ' && c < 0x7f && strchr("-._~!$&'()*+,;=:%", c));
}

/* Hosts that are nobody's. */
static bool is_nobody(const unsigned char *v, size_t n)
{
	static const char *const ends[] = {"example.com", "example.org", "example.net", ".example",
		".test", ".invalid", "localhost", "127.0.0.1", "hostname", "host", "server",
		"domain", "proxy", "domain.com", "foo.com", "bar.com", "host.com", "site.com",
		"mydomain.com", "user.com", "a.com", "b.com"};
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		const size_t len = strlen(ends[i]);
		if (n < len)
			continue;
		size_t k = 0;
		while (k < len && lower(v[n - len + k]) == (unsigned char)ends[i][k])
			k++;
		if (k == len)
			return true;
	}
	return false;
}

const char *gate_url(enum gate_manner how, const unsigned char *buf, size_t at, size_t end)
{
	static const char kind[] = "a URL with a password in it";
	const size_t user = at + 3;
	size_t i = user, colon = 0, host;
	if (!at || !is_alnum(buf[at - 1]))
		return NULL;
	for (; i < end && i - user < URL_PART_MAX && is_user_info(buf[i]); i++)
		if (buf[i] == ':' && !colon)
			colon = i;
	if (i >= end || buf[i] != '@' || i == user)
		return NULL;
	host = i + 1;
	size_t n_host = 0;
	while (host + n_host < end && n_host < URL_PART_MAX &&
		(is_alnum(buf[host + n_host]) || buf[host + n_host] == '.' ||
			buf[host + n_host] == '-'))
		n_host++;
	const size_t v = colon ? colon + 1 : user, n = i - v;
	if (!n_host || !n || gate_is_stand_in(how, buf + v, n) || is_stock_word(buf + v, n))
		return NULL;
	if (how == GATE_LENIENT ||
		how == GATE_GIT) /* a user's name alone is no secret, unless it is a token */
		return colon || (n >= RANDOM_MIN && gate_looks_random(buf + v, n)) ? kind : NULL;
	if (is_nobody(buf + host, n_host))
		return NULL;
	/* what reports errors has a public key there */
	if (memmem(buf + host, n_host, "sentry", 6))
		return NULL;
	return n >= (colon ? 8 : 20) && gate_looks_random(buf + v, n) ? kind : NULL;
}

/* ---- private keys ---- */

static bool is_base64(unsigned char c)
{
	return is_alnum(c) || c == '+' || c == '/' || c == '=';
}

/* What is encrypted has a line or two before it: "Proc-Type: 4,ENCRYPTED". */
static size_t skip_headers(const unsigned char *buf, size_t at, size_t end)
{
	for (;;) {
		size_t i = at, colon = 0;
		while (i < end && i - at < 128 && buf[i] != '\n' && buf[i] != '\\') {
			if (buf[i] == ':' && i + 1 < end && buf[i + 1] == ' ')
				colon = i;
			i++;
		}
		if (!colon || i >= end)
			return at;
		at = i + (buf[i] == '\\' ? 2 : 1);
	}
}

/* A program or a text that only speaks of keys has no key behind the first line.  Line ends may be
 * written as \n, with quotes and signs between them. */
static bool key_follows(const unsigned char *buf, size_t at, size_t end)
{
	unsigned char key[PEM_MIN];
	size_t n = 0;
	bool digit = false, upper = false, low = false;
	while (at < end && (buf[at] == '\n' || buf[at] == '\r'))
		at++;
	for (size_t i = skip_headers(buf, at, end), gap = 0; n < PEM_MIN; i++) {
		if (i >= end || gap > 48)
			return false;
		if (buf[i] == '\\' && i + 1 < end && (buf[i + 1] == 'n' || buf[i + 1] == 'r')) {
			i++;
		} else if (is_base64(buf[i])) {
			key[n++] = buf[i];
			gap = 0;
		} else if (buf[i] > ' ' ? !strchr("\"'`,;\\#>|", buf[i]) : !buf[i]) {
			return false;
		} else {
			gap++;
		}
	}
	for (size_t i = 0; i < n; i++) {
		digit |= kind_of(key[i]) == K_DIGIT;
		upper |= kind_of(key[i]) == K_UPPER;
		low |= kind_of(key[i]) == K_LOWER;
	}
	/* a sequence in DER, what OpenSSH's begin with, or with packets */
	return digit && upper && low && entropy(key, n) >= 4.2 && strchr("Mblx", key[0]);
}

const char *gate_private_key(const unsigned char *buf, size_t at, size_t end)
{
	static const char begin[] = "-----BEGIN ", key[] = "PRIVATE KEY";
	size_t i = at + sizeof(begin) - 1;
	const size_t line = MIN(end, i + 40);
	const unsigned char *p = i < line ? memmem(buf + i, line - i, key, sizeof(key) - 1) : NULL;
	if (!p)
		return NULL;
	i = (size_t)(p - buf) + sizeof(key) - 1;
	if (i + 6 <= end && memcmp(buf + i, " BLOCK", 6) == 0)
		i += 6; /* of PGP */
	if (i + 5 > end || memcmp(buf + i, "-----", 5) != 0)
		return NULL;
	/* a file that begins so is one, whatever its key looks like */
	const bool whole = at == 0 && memmem(buf + i, end - i, "-----END ", 9) != NULL;
	return whole || key_follows(buf, i + 5, end) ? "a private key" : NULL;
}

/* ---- keys in binary ---- */

static unsigned int u32(const unsigned char *p)
{
	return (unsigned int)p[0] << 24 | (unsigned int)p[1] << 16 | (unsigned int)p[2] << 8 | p[3];
}

/* Where the content of a DER sequence begins; 0: it is none. */
static size_t der_content(const unsigned char *b, size_t n)
{
	if (n < 16 || b[0] != 0x30)
		return 0;
	return b[1] < 0x80 ? 2 : b[1] == 0x81 ? 3 : b[1] == 0x82 ? 4 : 0;
}

/* PKCS#8 (version 0, an algorithm), PKCS#1 (version 0, a modulus), SEC 1 (version 1, octets). */
static bool is_der_key(const unsigned char *b, size_t n)
{
	const unsigned char *p = b + der_content(b, n);
	if (p == b || p[0] != 2 || p[1] != 1)
		return false;
	return (p[2] == 0 && p[3] == 0x30 && p[4] < 0x40 && p[5] == 6) ||
		(p[2] == 0 && p[3] == 2 && (p[4] == 0x81 || p[4] == 0x82)) ||
		(p[2] == 1 && p[3] == 4 && (p[4] == 0x20 || p[4] == 0x30 || p[4] == 0x42));
}

/* A packet of tag 5 (RFC 4880, 5.5.3), of version 4 and on. */
static bool is_pgp_key(const unsigned char *b, size_t n)
{
	size_t at = b[0] == 0x94 ? 2
		: b[0] == 0x95   ? 3
		: b[0] == 0x96   ? 5
		: b[0] != 0xc5   ? 0
		: b[1] < 192     ? 2
		: b[1] < 224     ? 3
				 : 6;
	if (!at || n < at + 16 || b[at] < 4 || b[at] > 6)
		return false;
	const unsigned char *p = b + at + 1;
	const unsigned int made = u32(p), how = p[4], bits = (unsigned int)p[5] << 8 | p[6];
	if (made < 0x2a000000)
		return false;
	if (how >= 1 && how <= 17) /* RSA, Elgamal, DSA: a number of so many bits */
		return (how <= 3 || how >= 16) && bits >= 1000 && bits <= 16384;
	/* a curve's name: 1.3..., 1.2... */
	return (how == 18 || how == 19 || how == 22) && p[5] >= 5 && p[5] <= 10 &&
		(p[6] == 0x2a || p[6] == 0x2b);
}

const char *gate_binary_key(const unsigned char *b, size_t n)
{
	if (n < 24)
		return NULL;
	/* of Java, where the first entry is no mere certificate */
	if ((u32(b) == 0xfeedfeed || u32(b) == 0xcececece) && u32(b + 8) && u32(b + 12) != 2)
		return "private keys (a keystore of Java)";
	return is_der_key(b, n) || is_pgp_key(b, n) ? "a private key" : NULL;
}
