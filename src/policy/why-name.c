/* policy/why-name.c - see why-name.h */
#include "policy/why-name.h"

#include <string.h>

static const char suffix[] = ".why.bawn.invalid";
static const char addr_label[] = "addr-";
enum { SUFFIX = sizeof(suffix) - 1, HEX = 32 };

bool why_name_is(const char *name)
{
	size_t n = strlen(name);
	return streq(name, suffix + 1) || (n > SUFFIX && streq(name + n - SUFFIX, suffix));
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

int why_name_parse(const char *name, struct target *ret)
{
	struct target t = {0};
	unsigned int port = 0;
	const char *p = name;
	if (!why_name_is(name) || strlen(name) <= SUFFIX)
		return -EINVAL;
	const char *end = name + strlen(name) - SUFFIX;
	for (; *p >= '0' && *p <= '9' && p - name < 5; p++)
		port = port * 10 + (unsigned int)(*p - '0');
	if (p == name || *name == '0' || *p != '.' || port > 65535 || p >= end)
		return -EINVAL;
	t.port = (uint16_t)port;
	const char *host = p + 1;
	size_t n = (size_t)(end - host), prefix = sizeof(addr_label) - 1;
	if (n == prefix + HEX && strncmp(host, addr_label, prefix) == 0) {
		t.is_addr = true;
		if (parse_addr(host + prefix, n - prefix, &t.addr) < 0)
			return -EINVAL;
	} else if (host_canonical(host, n, t.name) < 0) {
		return -EINVAL;
	}
	*ret = t;
	return 0;
}

int why_name_format(const struct target *t, char ret[static HOST_NAME_MAX_LEN + 1])
{
	char host[HOST_NAME_MAX_LEN + 1], hex[HEX + 1], name[2 * HOST_NAME_MAX_LEN];
	for (size_t i = 0; i < HEX / 2; i++)
		snprintf(hex + 2 * i, 3, "%02x", t->addr.ip.s6_addr[i]);
	if (t->is_addr)
		snprintf(host, sizeof(host), "%s%s", addr_label, hex);
	else
		snprintf(host, sizeof(host), "%s", t->name);
	int n = snprintf(name, sizeof(name), "%u.%s%s", t->port, host, suffix);
	if (n > HOST_NAME_MAX_LEN)
		return -ENAMETOOLONG;
	memcpy(ret, name, (size_t)n + 1);
	return 0;
}
