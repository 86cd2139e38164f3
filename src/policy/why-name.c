/* policy/why-name.c - see why-name.h */
#include "policy/why-name.h"

#include <string.h>

static const char suffix[] = ".why.bawn.invalid";
static const char request_suffix[] = ".request.bawn.invalid";
static const char addr_label[] = "addr-";
enum { SUFFIX = sizeof(suffix) - 1, REQUEST_SUFFIX = sizeof(request_suffix) - 1, HEX = 32 };
/* A label holds at most 63; these are 35 bytes. */
enum { LABEL = 56, LABELS_MAX = 4, TEXT_MAX = WHY_METHOD_MAX + 1 + WHY_PATH_MAX };

/* Where the suffix begins, or NULL; "" before it counts as none. */
static const char *ends_with(const char *name, const char *what, size_t n)
{
	size_t len = strlen(name);
	return len > n && streq(name + len - n, what) ? name + len - n : NULL;
}

bool why_name_is(const char *name)
{
	return streq(name, suffix + 1) || streq(name, request_suffix + 1) ||
		ends_with(name, suffix, SUFFIX) || ends_with(name, request_suffix, REQUEST_SUFFIX);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_addr(const char *hex, size_t n, struct host_addr *ret)
{
	if (n != HEX)
		return -EINVAL;
	for (size_t i = 0; i < HEX; i++) {
		int v = hex_digit(hex[i]);
		if (v < 0)
			return -EINVAL;
		uint8_t *byte = &ret->ip.s6_addr[i / 2];
		*byte = (uint8_t)(i % 2 ? *byte | v : v << 4);
	}
	return 0;
}

/* ---- base32 ---- */

static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

/* In labels, each with a dot behind it.  How many. */
static unsigned int put_labels(const char *text, char *out)
{
	unsigned int bits = 0, held = 0, n = 0, labels = 0;
	for (const unsigned char *p = (const unsigned char *)text; *p || held;) {
		if (held < 5 && *p) {
			bits = (bits << 8) | *p++;
			held += 8;
		} else if (held < 5) { /* what is left at the end is filled with zeroes */
			bits <<= 5 - held;
			held = 5;
		}
		held -= 5;
		*out++ = letters[bits >> held & 31];
		bits &= (1u << held) - 1;
		if (++n % LABEL == 0)
			*out++ = '.';
		labels = (n + LABEL - 1) / LABEL;
	}
	if (n % LABEL)
		*out++ = '.';
	*out = '\0';
	return labels;
}

/* From n labels; *at is left behind them. */
static int get_labels(const char **at, const char *end, unsigned int n, char *out, size_t cap)
{
	unsigned int bits = 0, held = 0;
	size_t len = 0;
	const char *p = *at;
	for (; n; n--, p++) {
		for (; p < end && *p != '.'; p++) {
			const char *letter = strchr(letters, *p);
			if (!letter)
				return -EINVAL;
			bits = (bits << 5) | (unsigned int)(letter - letters);
			held += 5;
			if (held < 8)
				continue;
			held -= 8;
			if (len + 1 >= cap || (bits >> held) == 0)
				return -EINVAL;
			out[len++] = (char)(bits >> held);
			bits &= (1u << held) - 1;
		}
		if (p >= end)
			return -EINVAL;
	}
	if (bits || held >= 5)
		return -EINVAL;
	out[len] = '\0';
	*at = p;
	return 0;
}

static int parse_request(const char **at, const char *end, struct why_question *q)
{
	char text[TEXT_MAX + 1];
	const char *p = *at;
	if (end - p < 3 || *p < '1' || *p > '0' + LABELS_MAX || p[1] != '.')
		return -EINVAL;
	const unsigned int n = (unsigned int)(*p - '0');
	p += 2;
	if (get_labels(&p, end, n, text, sizeof(text)) < 0)
		return -EINVAL;
	char *space = strchr(text, ' ');
	if (!space || space == text || space - text > WHY_METHOD_MAX || space[1] != '/' ||
		strlen(space + 1) > WHY_PATH_MAX)
		return -EINVAL;
	*space = '\0';
	memcpy(q->method, text, strlen(text) + 1);
	memcpy(q->path, space + 1, strlen(space + 1) + 1);
	*at = p;
	return 0;
}

/* ---- the names ---- */

int why_name_parse(const char *name, struct why_question *ret)
{
	struct why_question q = {0};
	unsigned int port = 0;
	const char *p = name, *end = ends_with(name, suffix, SUFFIX);
	const bool request = !end;
	if (request)
		end = ends_with(name, request_suffix, REQUEST_SUFFIX);
	if (!end)
		return -EINVAL;
	for (; *p >= '0' && *p <= '9' && p - name < 5; p++)
		port = port * 10 + (unsigned int)(*p - '0');
	if (p == name || *name == '0' || *p != '.' || port > 65535 || p >= end)
		return -EINVAL;
	q.to.port = (uint16_t)port;
	const char *host = p + 1;
	if (request && parse_request(&host, end, &q) < 0)
		return -EINVAL;
	size_t n = (size_t)(end - host), prefix = sizeof(addr_label) - 1;
	if (n == prefix + HEX && strncmp(host, addr_label, prefix) == 0) {
		q.to.is_addr = true;
		if (parse_addr(host + prefix, n - prefix, &q.to.addr) < 0)
			return -EINVAL;
	} else if (host_canonical(host, n, q.to.name) < 0) {
		return -EINVAL;
	}
	*ret = q;
	return 0;
}

int why_name_format(const struct why_question *q, char ret[static HOST_NAME_MAX_LEN + 1])
{
	char host[HOST_NAME_MAX_LEN + 1], hex[HEX + 1], name[4 * HOST_NAME_MAX_LEN];
	char text[TEXT_MAX + 1], labels[2 * TEXT_MAX + LABELS_MAX + 2], count[16] = "";
	const struct target *t = &q->to;
	labels[0] = '\0';
	for (size_t i = 0; i < HEX / 2; i++)
		snprintf(hex + 2 * i, 3, "%02x", t->addr.ip.s6_addr[i]);
	if (t->is_addr)
		snprintf(host, sizeof(host), "%s%s", addr_label, hex);
	else
		snprintf(host, sizeof(host), "%s", t->name);
	if (q->method[0]) {
		snprintf(text, sizeof(text), "%s %s", q->method, q->path);
		snprintf(count, sizeof(count), "%u.", put_labels(text, labels));
	}
	int n = snprintf(name, sizeof(name), "%u.%s%s%s%s", t->port, count, labels, host,
		q->method[0] ? request_suffix : suffix);
	if (n > HOST_NAME_MAX_LEN)
		return -ENAMETOOLONG;
	memcpy(ret, name, (size_t)n + 1);
	return 0;
}
