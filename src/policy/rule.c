/* policy/rule.c - egress rules: text to parsed form, with errors that say what was meant.
 *
 * Owns: the rule grammar and the advice on suspicious rules.  Must not: know YAML or the tables.
 */
#include "policy/rule.h"

#include <ctype.h>
#include <stdarg.h>
#include <strings.h>

#include "base/escape.h"

#define PORT_DEFAULT 443

struct split {
	const char *host; /* without brackets */
	size_t host_len;
	const char *ports; /* behind the colon, NULL: none */
	bool bracket;
};

_printf_(3, 4) static int bad(struct err *err, const char *text, const char *fmt, ...)
{
	char shown[200], msg[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	escape_text(shown, sizeof(shown), text);
	return err_set(err, EINVAL, "rule \"%s\": %s", shown, msg);
}

/* A rule that looks like a URL: name the host in it, if there is one. */
static int bad_url(struct err *err, const char *text)
{
	const char *host = strstr(text, "://");
	host = host ? host + 3 : text;
	size_t n = strcspn(host, "/?#");
	char name[HOST_NAME_MAX_LEN + 1];
	size_t bare = strcspn(host, ":/?#");
	if (strncmp(text, "udp://", 6) == 0)
		return bad(err, text, "UDP can't be allowed in this version; only TCP passes");
	if (host_canonical(host, bare, name) == 0)
		return bad(err, text,
			"a rule is a host, not a URL; write \"%.*s\", with a path behind it for "
			"requests",
			(int)n, host);
	return bad(err, text, "a rule is a host, not a URL");
}

static int split_rule(const char *text, struct split *ret, struct err *err)
{
	*ret = (struct split){.host = text};
	if (text[0] == '[') {
		const char *close = strchr(text, ']');
		if (!close)
			return bad(err, text, "the bracket is not closed");
		if (close[1] && close[1] != ':')
			return bad(err, text, "only :PORT may stand behind the bracket");
		ret->host = text + 1;
		ret->host_len = (size_t)(close - text - 1);
		ret->bracket = true;
		ret->ports = close[1] ? close + 2 : NULL;
		return 0;
	}
	const char *colon = strchr(text, ':');
	/* Two colons: an IPv6 address without a port. */
	if (colon && strchr(colon + 1, ':'))
		colon = NULL;
	ret->host_len = colon ? (size_t)(colon - text) : strlen(text);
	ret->ports = colon ? colon + 1 : NULL;
	return 0;
}

static int add_port(struct rule *rule, const char *text, const char *p, size_t n, struct err *err)
{
	unsigned int port = 0;
	if (n == 0)
		return bad(err, text, "a port is missing behind \":\" or \",\"");
	if (n == 1 && *p == '*')
		return bad(err, text, "there is no port wildcard; list the ports (:80,443)");
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '-')
			return bad(err, text, "there are no port ranges; list the ports");
		if (p[i] < '0' || p[i] > '9' || n > 5 || (n > 1 && p[0] == '0'))
			return bad(err, text, "\"%.*s\" is not a port number",
				(int)MIN(n, (size_t)40), p);
		port = port * 10 + (unsigned int)(p[i] - '0');
	}
	if (port == 0 || port > 65535)
		return bad(err, text, "port %u is not between 1 and 65535", port);
	for (size_t i = 0; i < rule->n_ports; i++)
		if (rule->ports[i] == port)
			return bad(err, text, "port %u stands twice", port);
	if (rule->n_ports == RULE_PORTS_MAX)
		return bad(err, text, "more than %d ports", RULE_PORTS_MAX);
	rule->ports[rule->n_ports++] = (uint16_t)port;
	return 0;
}

static int parse_ports(struct rule *rule, const char *text, const char *ports, struct err *err)
{
	rule->n_ports = 0;
	if (!ports) {
		if (!rule->deny)
			rule->ports[rule->n_ports++] = PORT_DEFAULT;
		return 0;
	}
	for (;;) {
		size_t n = strcspn(ports, ",");
		int r = add_port(rule, text, ports, n, err);
		if (r < 0 || !ports[n])
			return r;
		ports += n + 1;
	}
}

/* Addresses that can't mean what the writer hopes: inside, loopback is the sandbox's own, and the
 * synthetic range stands for names. */
static int check_net(const struct rule *rule, const char *text, struct err *err)
{
	const char *special = host_addr_special(&rule->net);
	unsigned int bits = rule->bits;
	if (rule->deny || !special)
		return 0;
	if (streq(special, "loopback") && bits >= (host_addr_is_v4(&rule->net) ? 104 : 128))
		return bad(err, text,
			"loopback inside the sandbox is its own; for a port of this machine use "
			"--host-port PORT");
	if (streq(special, "benchmarking") && host_addr_is_v4(&rule->net) && bits >= 111)
		return bad(err, text, "198.18.0.0/15 stands for host names inside; name the host");
	if (streq(special, "unspecified") && bits >= 104)
		return bad(err, text, "the unspecified address reaches nothing");
	return 0;
}

static int parse_net(struct rule *rule, const char *text, const struct split *s, struct err *err)
{
	char buf[64];
	const char *slash = memchr(s->host, '/', s->host_len);
	size_t n = slash ? (size_t)(slash - s->host) : s->host_len;
	if (n >= sizeof(buf))
		return 1;
	memcpy(buf, s->host, n);
	buf[n] = '\0';
	if (host_addr_parse(buf, &rule->net) < 0)
		return 1; /* not an address */
	bool v4 = host_addr_is_v4(&rule->net) && !strchr(buf, ':');
	unsigned int max = v4 ? 32 : 128, bits = max;
	if (slash) {
		const char *p = slash + 1, *end = s->host + s->host_len;
		if (p == end || end - p > 3 || (*p == '0' && end - p > 1))
			return bad(err, text, "the prefix length behind \"/\" is not 0-%u", max);
		for (bits = 0; p < end; p++) {
			if (*p < '0' || *p > '9')
				return bad(err, text, "the prefix length behind \"/\" is not 0-%u",
					max);
			bits = bits * 10 + (unsigned int)(*p - '0');
		}
		if (bits > max)
			return bad(err, text, "the prefix length behind \"/\" is not 0-%u", max);
	}
	rule->kind = EGRESS_NET;
	rule->name = "";
	rule->bits = (uint8_t)(v4 ? bits + 96 : bits);
	struct host_addr net = rule->net;
	egress_mask_addr(&net.ip, rule->bits);
	if (memcmp(&net, &rule->net, sizeof(net)) != 0) {
		char shown[INET6_ADDRSTRLEN];
		host_addr_format(&net, shown, sizeof(shown));
		return bad(
			err, text, "bits behind the prefix are set; write \"%s/%u\"", shown, bits);
	}
	return check_net(rule, text, err);
}

/* Why a text that is neither a name nor an address isn't one; most telling reason first. */
static int bad_host(struct err *err, const char *text, const struct split *s)
{
	const char *h = s->host;
	size_t n = s->host_len;
	bool digits = n > 0 && isdigit((unsigned char)h[0]);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)h[i];
		if (c >= 0x80)
			return bad(err, text,
				"only ASCII names: write an international name in its xn-- form");
		if (isspace(c) || c < ' ')
			return bad(err, text, "white space or a control byte in a host name");
		if (c == '@')
			return bad(err, text, "a rule names a host, not a user at a host");
		if (c == '*')
			return bad(err, text,
				"a wildcard is the whole first label: \"*.example.com\" or "
				"\"**.example.com\"");
		if (!isdigit(c) && c != '.' && !isxdigit(c) && c != 'x')
			digits = false;
	}
	if (s->bracket || memchr(h, ':', n))
		return bad(err, text, "not an IPv6 address");
	if (n > 0 && h[0] == '.')
		return bad(err, text, "starts with a dot; write \"**%.*s\" for the hosts below it",
			(int)MIN(n, (size_t)200), h);
	if (n > HOST_NAME_MAX_LEN + 1)
		return bad(err, text, "longer than 253 bytes");
	if (digits && memchr(h, '.', n))
		return bad(err, text, "neither a host name nor an address of four plain numbers");
	return bad(err, text,
		"not a host name: labels of 1-63 letters, digits, \"-\" and \"_\", with dots "
		"between");
}

static int check_name(const struct rule *rule, const char *text, struct err *err)
{
	size_t n = strlen(rule->name);
	bool local = streq(rule->name, "localhost") ||
		(n > 10 && streq(rule->name + n - 10, ".localhost"));
	if (local && !rule->deny)
		return bad(err, text,
			"localhost inside the sandbox is its own; for a port of this machine use "
			"--host-port PORT");
	return 0;
}

static int parse_name(struct arena *a, struct rule *rule, const char *text, const struct split *s,
	struct err *err)
{
	struct split rest = *s;
	rule->kind = EGRESS_EXACT;
	if (rest.host_len == 2 && memcmp(rest.host, "**", 2) == 0) {
		rule->kind = EGRESS_ANY;
		rule->name = "";
		return 0;
	}
	/* a host of that name is nobody's, and what is meant would not be allowed */
	if ((rest.host_len == 1 && rest.host[0] == '*') ||
		(rest.host_len == 3 && strncasecmp(rest.host, "all", 3) == 0))
		return bad(err, text,
			"write \"*.example.com\" (one label), \"**.example.com\" (any depth), or "
			"\"**\" for every name");
	if (rest.host_len >= 3 && memcmp(rest.host, "**.", 3) == 0) {
		rule->kind = EGRESS_ANY;
		rest.host += 3;
		rest.host_len -= 3;
	} else if (rest.host_len >= 2 && memcmp(rest.host, "*.", 2) == 0) {
		rule->kind = EGRESS_ONE;
		rest.host += 2;
		rest.host_len -= 2;
	}
	if (rule->kind != EGRESS_EXACT && rest.host_len == 0)
		return bad(err, text, "nothing stands behind the wildcard");

	char name[HOST_NAME_MAX_LEN + 1];
	if (host_canonical(rest.host, rest.host_len, name) < 0)
		return bad_host(err, text, &rest);
	rule->name = arena_dup(a, name);
	if (!rule->name)
		return err_set(err, ENOMEM, "out of memory");
	return check_name(rule, text, err);
}

int rule_parse(struct arena *a, const char *text, struct rule *rule, struct err *err)
{
	struct split s;
	if (!*text)
		return err_set(err, EINVAL, "an empty rule");
	if (strstr(text, "://"))
		return bad_url(err, text);
	const char *host = text;
	int r = rule_request(a, text, rule, &host, err);
	if (r == 0)
		r = split_rule(host, &s, err);
	if (r < 0)
		return r;
	if (s.host_len == 0)
		return bad(err, text, "no host stands before the %s",
			s.ports || !rule->path ? "port" : "path");
	rule->text = arena_dup(a, text);
	if (!rule->text)
		return err_set(err, ENOMEM, "out of memory");
	r = parse_net(rule, text, &s, err);
	if (r < 0)
		return r;
	if (r == 0 && rule->path)
		return bad(err, text, "methods and paths go with a host's name, not an address");
	if (r > 0) {
		r = s.bracket ? bad_host(err, text, &s) : parse_name(a, rule, text, &s, err);
		if (r < 0)
			return r;
	}
	r = parse_ports(rule, text, s.ports, err);
	for (size_t i = 0; r == 0 && rule->path && i < rule->n_ports; i++)
		if (rule->ports[i] == 80)
			return bad(err, text,
				"requests are read where TLS ends, not on port 80: leave it out (a "
				"host with rules on requests is not reached there)");
	return r;
}

int rule_add(struct arena *a, struct rules *rules, const struct rule *rule, struct err *err)
{
	if (rules->n >= EGRESS_RULES_MAX)
		return err_set(err, E2BIG, "more than %u rules", EGRESS_RULES_MAX);
	struct rule *v = arena_grow(a, rules->v, rules->n, &rules->cap, sizeof(*v));
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	rules->v = v;
	rules->v[rules->n++] = *rule;
	return 0;
}

/* Suffixes below which anyone can have a name (a part of publicsuffix.org's list: what an agent
 * is likely to be pointed at).  A wildcard over one of them is a way out for data. */
static const char *const shared_suffixes[] = {
	"ac.uk",
	"amazonaws.com",
	"amplifyapp.com",
	"appspot.com",
	"azurecontainerapps.io",
	"azureedge.net",
	"azurefd.net",
	"azurestaticapps.net",
	"azurewebsites.net",
	"blob.core.windows.net",
	"blogspot.com",
	"bitbucket.io",
	"cloudapp.azure.com",
	"cloudapp.net",
	"cloudfront.net",
	"co.jp",
	"co.kr",
	"co.nz",
	"co.uk",
	"codeberg.page",
	"com.au",
	"com.br",
	"com.cn",
	"core.windows.net",
	"ddns.net",
	"deno.dev",
	"duckdns.org",
	"edgekey.net",
	"elasticbeanstalk.com",
	"execute-api.us-east-1.amazonaws.com",
	"fastly.net",
	"firebaseapp.com",
	"firebaseio.com",
	"fly.dev",
	"github.dev",
	"github.io",
	"githubusercontent.com",
	"gitlab.io",
	"glitch.me",
	"googleusercontent.com",
	"herokuapp.com",
	"hf.space",
	"loca.lt",
	"lhr.life",
	"netlify.app",
	"ngrok-free.app",
	"ngrok.app",
	"ngrok.io",
	"nip.io",
	"on.aws",
	"onrender.com",
	"org.uk",
	"pages.dev",
	"pipedream.net",
	"r2.dev",
	"railway.app",
	"readthedocs.io",
	"repl.co",
	"replit.app",
	"run.app",
	"s3.amazonaws.com",
	"serveo.net",
	"sslip.io",
	"surge.sh",
	"trycloudflare.com",
	"up.railway.app",
	"vercel.app",
	"web.app",
	"webhook.site",
	"windows.net",
	"workers.dev",
	"000webhostapp.com",
};

const char *rule_suspicious(const struct rule *rule, char *buf, size_t cap)
{
	if (rule->deny)
		return NULL;
	if (rule->kind == EGRESS_NET) {
		const char *special = host_addr_special(&rule->net);
		if (special && streq(special, "metadata") && rule->bits == 128) {
			snprintf(buf, cap,
				"allows a cloud metadata service, which hands out credentials");
			return buf;
		}
		unsigned int narrow = host_addr_is_v4(&rule->net) ? 96 + 8 : 16;
		if (rule->bits < narrow) {
			snprintf(buf, cap, "allows a very large part of the internet");
			return buf;
		}
		return NULL;
	}
	if (rule->kind == EGRESS_EXACT) {
		if (strchr(rule->name, '.') || rule->private_ok)
			return NULL;
		snprintf(buf, cap,
			"a name of one label is found on local networks only; it also "
			"needs \"private: true\"");
		return buf;
	}
	if (rule->name[0] == '\0') {
		snprintf(buf, cap, "allows every host name");
		return buf;
	}
	if (!strchr(rule->name, '.')) {
		snprintf(buf, cap, "allows every host below the top-level domain .%s", rule->name);
		return buf;
	}
	for (size_t i = 0; i < ARRAY_LEN(shared_suffixes); i++) {
		if (!streq(rule->name, shared_suffixes[i]))
			continue;
		snprintf(buf, cap,
			"anyone can have a name below %s, so data can leave through it; name the "
			"hosts",
			rule->name);
		return buf;
	}
	return NULL;
}

bool rule_covers_ports(const struct rule *a, const struct rule *b)
{
	if (a->n_ports == 0)
		return true;
	if (b->n_ports == 0)
		return false;
	for (size_t i = 0; i < b->n_ports; i++) {
		bool found = false;
		for (size_t k = 0; k < a->n_ports; k++)
			found |= a->ports[k] == b->ports[i];
		if (!found)
			return false;
	}
	return true;
}

bool rule_covers_host(const struct rule *a, const struct rule *b)
{
	if ((a->kind == EGRESS_NET) != (b->kind == EGRESS_NET))
		return false;
	if (a->kind == EGRESS_NET) {
		struct in6_addr net = b->net.ip;
		if (a->bits > b->bits || host_addr_is_v4(&a->net) != host_addr_is_v4(&b->net))
			return false;
		egress_mask_addr(&net, a->bits);
		return memcmp(&net, &a->net, sizeof(net)) == 0;
	}
	if (a->kind == b->kind && streq(a->name, b->name))
		return true;
	if (a->kind == EGRESS_EXACT)
		return false;
	size_t an = strlen(a->name), bn = strlen(b->name);
	if (a->kind == EGRESS_ONE) {
		const char *dot = strchr(b->name, '.');
		return b->kind == EGRESS_EXACT && dot && streq(dot + 1, a->name);
	}
	/* a is "**.x": b lies below x, or is a wildcard on x itself. */
	if (an == 0)
		return true;
	if (b->kind == EGRESS_ONE && streq(a->name, b->name))
		return true;
	return bn > an && b->name[bn - an - 1] == '.' && streq(b->name + bn - an, a->name);
}
