/* egress/why-main.c - bawn-why, inside the sandbox: may HOST be connected to, by which rule, and
 * what would the person have to type outside?
 *
 * Owns: the question and how the answer is printed.  It has no right that anything else inside
 * lacks: it looks up a name of policy/why-name.h at the sandbox's name server and asks for "/"
 * there, as curl could.  It can change nothing.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/json-out.h"
#include "net/netns.h"
#include "policy/why-name.h"

enum { ALLOWED = 0, DENIED = 1, USAGE = 2, FAILED = 125 };
enum { DNS_TRIES = 3, DNS_MS = 2000, ANSWER_MS = 10000, DNS_HEADER = 12, NXDOMAIN = 3 };

static const char usage[] =
	"Usage: bawn-why [--json] [METHOD] HOST[:PORT]|ADDRESS[:PORT]|URL\n\n"
	"Inside a bawn sandbox: may it be connected to, by which rule, and which command on the "
	"host\n"
	"would allow it?  With a METHOD: may that request be made?  Without a port: 443.\n"
	"It changes nothing and connects to nothing.\n\n"
	"Options:\n"
	"  --json      print JSON\n"
	"  -h, --help  show this help\n\n"
	"Examples:\n"
	"  bawn-why example.com\n"
	"  bawn-why http://example.com/path\n"
	"  bawn-why POST https://api.github.com/graphql\n\n"
	"Exit status: 0 it is allowed, 1 it is denied, 2 the command line is wrong, 125 nobody "
	"answered.\n"
	"On the host: bawn policy explain.\n";

static int fail(const char *what, const char *remedy)
{
	fprintf(stderr, "bawn-why: %s\n", what);
	if (remedy)
		fprintf(stderr, "bawn-why: %s\n", remedy);
	return FAILED;
}

/* ---- the name server ---- */

static size_t put_question(uint8_t *p, const char *name)
{
	static const uint8_t head[DNS_HEADER] = {0x77, 0x68, 1, 0, 0, 1};
	static const uint8_t type_a_in[] = {0, 0, 1, 0, 1}; /* the root label, A, IN */
	size_t n = sizeof(head);
	memcpy(p, head, n);
	while (*name) {
		size_t len = strcspn(name, ".");
		p[n++] = (uint8_t)len;
		memcpy(p + n, name, len);
		n += len;
		name += len + (name[len] == '.');
	}
	memcpy(p + n, type_a_in, sizeof(type_a_in));
	return n + sizeof(type_a_in);
}

/* The relay's answer is the question and one A record behind it, or none.  0, the rcode, or -1 for
 * what is no answer to this. */
static int read_answer(
	const uint8_t *q, size_t q_len, const uint8_t *p, size_t n, struct in_addr *ret)
{
	if (n < q_len || memcmp(p, q, 2) != 0 ||
		memcmp(p + DNS_HEADER, q + DNS_HEADER, q_len - DNS_HEADER) != 0)
		return -1;
	if (p[3] & 0xf)
		return p[3] & 0xf;
	if (p[7] != 1 || n < q_len + 16 || p[q_len + 3] != 1 || p[q_len + 11] != 4)
		return -1;
	memcpy(ret, p + q_len + 12, sizeof(*ret));
	return 0;
}

/* 0, the rcode, or -errno. */
static int look_up(const char *name, struct in_addr *ret)
{
	uint8_t q[512], p[512];
	const struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(53),
		.sin_addr.s_addr = inet_addr(NETNS_DNS_ADDR)};
	size_t n = put_question(q, name);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	for (int i = 0; i < DNS_TRIES; i++) {
		struct pollfd f = {.fd = fd, .events = POLLIN};
		if (send(fd, q, n, MSG_NOSIGNAL) < 0)
			return -errno;
		while (poll(&f, 1, DNS_MS) > 0) {
			ssize_t k = recv(fd, p, sizeof(p), 0);
			if (k < 0)
				return -errno;
			int r = read_answer(q, n, p, (size_t)k, ret);
			if (r >= 0)
				return r;
		}
	}
	return -ETIMEDOUT;
}

/* An offline sandbox has no way to the addresses that stand for names. */
static bool is_offline(void)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(80),
		.sin_addr.s_addr = htonl(NETNS_SYNTH_NET + 1)};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 &&
		errno == ENETUNREACH;
}

/* ---- the answer ---- */

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What is answered to a request for "/", NUL behind it; bytes or -errno. */
static ssize_t fetch(const char *name, struct in_addr at, char *ret, size_t cap)
{
	char head[400];
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(80), .sin_addr = at};
	int n = snprintf(head, sizeof(head),
		"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", name);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 ||
		send(fd, head, (size_t)n, MSG_NOSIGNAL) != n)
		return -errno;
	const int64_t end = now_ms() + ANSWER_MS;
	size_t got = 0;
	while (got < cap - 1) {
		struct pollfd f = {.fd = fd, .events = POLLIN};
		int64_t left = end - now_ms();
		if (left <= 0 || poll(&f, 1, (int)left) <= 0)
			return -ETIMEDOUT;
		ssize_t k = recv(fd, ret + got, cap - 1 - got, 0);
		if (k < 0)
			return -errno;
		if (k == 0)
			break;
		got += (size_t)k;
	}
	ret[got] = '\0';
	return (ssize_t)got;
}

static int print_plain(char *body)
{
	char shown[1100];
	for (char *line; (line = strsep(&body, "\n"));)
		if (*line)
			puts(escape_text(shown, sizeof(shown), line));
	return fflush(stdout) == 0 ? 0 : -1;
}

static int print_json(char *body, bool allowed)
{
	static const struct {
		const char *before, *key;
	} lines[] = {
		{"because: ", "reason"}, {"by: ", "rule"}, {"to allow it, on the host: ", "fix"}};
	const char *value[ARRAY_LEN(lines)] = {0};
	char *first = strsep(&body, "\n");
	struct json_out j = {.pretty = true};
	for (char *line; (line = strsep(&body, "\n"));)
		for (size_t i = 0; i < ARRAY_LEN(lines); i++)
			if (has_prefix(line, lines[i].before))
				value[i] = line + strlen(lines[i].before);
	json_begin(&j, NULL, '{');
	json_str(&j, "target", strchr(first, ' ') + 1);
	json_bool(&j, "allowed", allowed);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		json_str(&j, lines[i].key, value[i]);
	json_end(&j, '}');
	bool ok = !j.failed && puts(j.buf) >= 0 && fflush(stdout) == 0;
	json_free(&j);
	return ok ? 0 : -1;
}

static int print(char *body, bool json)
{
	char shown[1100];
	const bool allowed = has_prefix(body, "allowed: "), denied = has_prefix(body, "denied: ");
	if (!allowed && !denied) {
		body[strcspn(body, "\n")] = '\0';
		return fail(escape_text(shown, sizeof(shown), body), NULL);
	}
	if ((json ? print_json(body, allowed) : print_plain(body)) < 0)
		return FAILED;
	return allowed ? ALLOWED : DENIED;
}

static int ask(const struct why_question *q, const char *word, bool json)
{
	char name[HOST_NAME_MAX_LEN + 1], shown[200];
	static char buf[8192];
	struct in_addr at = {0};
	if (why_name_format(q, name) < 0)
		return fail(q->method[0] ? "the path is too long to be asked for"
					 : "the name is too long to be asked for",
			"your person can ask on the host: bawn policy explain");
	int r = look_up(name, &at);
	if (is_offline()) {
		snprintf(buf, sizeof(buf),
			"denied: %s\nbecause: this sandbox is offline: nothing can be reached\n"
			"to allow it, on the host: bawn run without --offline (a new sandbox)\n",
			escape_text(shown, sizeof(shown), word));
		return print(buf, json);
	}
	if (r == NXDOMAIN)
		return fail(
			"the sandbox's name server has too much to do", "try again in a minute");
	ssize_t n = r ? -EHOSTUNREACH : fetch(name, at, buf, sizeof(buf));
	char *body = n > 0 ? strstr(buf, "\r\n\r\n") : NULL;
	if (!body)
		return fail("nobody answers",
			"it works inside a bawn sandbox; on the host: bawn policy explain PROFILE "
			"HOST");
	return print(body + 4, json);
}

/* METHOD, and the path of a URL: what a request is asked about by.  false: too long, or none. */
static bool take_request(struct why_question *q, const char *method, const char *url)
{
	const char *path = strstr(url, "://");
	path = path ? path + 3 + strcspn(path + 3, "/?#") : "";
	size_t n = strcspn(path, "?#"), m = strlen(method);
	if (*path != '/') {
		path = "/";
		n = 1;
	}
	if (m == 0 || m > WHY_METHOD_MAX || n > WHY_PATH_MAX)
		return false;
	memcpy(q->method, method, m + 1);
	memcpy(q->path, path, n);
	return true;
}

static int usage_error(const char *what)
{
	fprintf(stderr,
		"bawn-why: %s\n"
		"bawn-why: usage: bawn-why [--json] [METHOD] HOST[:PORT]|ADDRESS[:PORT]|URL\n",
		what);
	return USAGE;
}

int main(int argc, char **argv)
{
	struct why_question q = {0};
	struct err err = {0};
	char shown[200];
	bool json = false;
	int i = 1;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (streq(argv[i], "-h") || streq(argv[i], "--help"))
			return fputs(usage, stdout) < 0 || fflush(stdout) ? FAILED : 0;
		if (streq(argv[i], "--")) {
			i++;
			break;
		}
		if (!streq(argv[i], "--json"))
			break;
		json = true;
	}
	if (argc - i < 1 || argc - i > 2 || argv[i][0] == '-')
		return usage_error("one host is missing, or a word too many");
	const char *method = argc - i == 2 ? argv[i] : NULL, *word = argv[argc - 1];
	if (method && method[strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_")])
		return usage_error("before the host stands a method, in capital letters");
	if (target_parse(word, &q.to, &err) < 0) {
		fprintf(stderr, "bawn-why: '%s': %s\n", escape_text(shown, sizeof(shown), word),
			err.msg);
		return USAGE;
	}
	if (method && !take_request(&q, method, word))
		return fail("the path is too long to be asked for",
			"your person can ask on the host: bawn policy explain");
	return ask(&q, word, json);
}
