/* policy/host-name.c - the one canonical form of host names, addresses, and the special ranges.
 *
 * Owns: what counts as a host name, as an address, and which addresses are never dialled by
 * accident.  Must not: resolve anything or make a system call.
 */
#include <arpa/inet.h>
#include <string.h>

#include "policy/egress.h"

static bool label_byte(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Would inet_aton(3) take a name with this last label for an address?  It reads decimal, octal and
 * hexadecimal parts, and getaddrinfo(3) asks it first. */
static bool label_is_number(const char *s, size_t n)
{
	size_t i = 0;
	bool hex = n >= 2 && s[0] == '0' && s[1] == 'x';
	for (i = hex ? 2 : 0; i < n; i++) {
		bool digit = s[i] >= '0' && s[i] <= '9';
		if (!digit && !(hex && s[i] >= 'a' && s[i] <= 'f'))
			return false;
	}
	return true;
}

int host_canonical(const char *raw, size_t n, char ret[static HOST_NAME_MAX_LEN + 1])
{
	if (n > 0 && raw[n - 1] == '.')
		n--;
	if (n == 0 || n > HOST_NAME_MAX_LEN)
		return -EINVAL;

	char out[HOST_NAME_MAX_LEN + 1];
	size_t label = 0;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && raw[i] != '.') {
			unsigned char c = (unsigned char)raw[i];
			if (c >= 'A' && c <= 'Z')
				c = (unsigned char)(c | 0x20);
			if (!label_byte(c))
				return -EINVAL;
			out[i] = (char)c;
			continue;
		}
		size_t len = i - label;
		if (len == 0 || len > 63 || out[label] == '-' || out[i - 1] == '-')
			return -EINVAL;
		if (i == n && label_is_number(out + label, len))
			return -EINVAL;
		out[i] = '.';
		label = i + 1;
	}
	memcpy(ret, out, n);
	ret[n] = '\0';
	return 0;
}

bool host_name_special(const char *name)
{
	/* RFC 6761, 6762, 7686, 8375; and what routers and companies use unasked */
	static const char *const suffixes[] = {
		"local", "internal", "arpa", "invalid", "onion", "test", "home", "corp", "lan"};
	const char *last = strrchr(name, '.');
	if (!last)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (strcmp(last + 1, suffixes[i]) == 0)
			return true;
	return false;
}

static struct in6_addr map_v4(uint32_t host_order)
{
	struct in6_addr a = {0};
	a.s6_addr[10] = a.s6_addr[11] = 0xff;
	for (int i = 0; i < 4; i++)
		a.s6_addr[12 + i] = (uint8_t)(host_order >> (24 - 8 * i));
	return a;
}

static uint32_t v4_at(const struct in6_addr *a, int at)
{
	return (uint32_t)a->s6_addr[at] << 24 | (uint32_t)a->s6_addr[at + 1] << 16 |
		(uint32_t)a->s6_addr[at + 2] << 8 | a->s6_addr[at + 3];
}

/* Four decimal parts, no leading zeros (inet_aton(3) would read 010 as eight). */
static int parse_v4(const char *s, uint32_t *ret)
{
	uint32_t v = 0;
	for (int part = 0; part < 4; part++) {
		if (part > 0 && *s++ != '.')
			return -EINVAL;
		if (*s < '0' || *s > '9' || (*s == '0' && s[1] >= '0' && s[1] <= '9'))
			return -EINVAL;
		uint32_t x = 0;
		for (int i = 0; *s >= '0' && *s <= '9'; i++, s++) {
			if (i == 3)
				return -EINVAL;
			x = x * 10 + (uint32_t)(*s - '0');
		}
		if (x > 255)
			return -EINVAL;
		v = v << 8 | x;
	}
	if (*s)
		return -EINVAL;
	*ret = v;
	return 0;
}

int host_addr_parse(const char *s, struct host_addr *ret)
{
	uint32_t v4;
	if (parse_v4(s, &v4) == 0) {
		ret->ip = map_v4(v4);
		return 0;
	}
	struct in6_addr a;
	if (!strchr(s, ':') || strlen(s) >= INET6_ADDRSTRLEN || inet_pton(AF_INET6, s, &a) != 1)
		return -EINVAL;
	ret->ip = a;
	return 0;
}

bool host_addr_is_v4(const struct host_addr *a)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
	return memcmp(&a->ip, prefix, sizeof(prefix)) == 0;
}

void host_addr_format(const struct host_addr *a, char *dst, size_t cap)
{
	if (cap == 0)
		return;
	dst[0] = '\0';
	if (host_addr_is_v4(a))
		inet_ntop(AF_INET, &a->ip.s6_addr[12], dst, (socklen_t)cap);
	else
		inet_ntop(AF_INET6, &a->ip, dst, (socklen_t)cap);
}

struct special {
	uint8_t net[16];
	uint8_t bits;
	const char *name;
};

/* IANA IPv4 Special-Purpose Address Registry (RFC 6890), the multicast and class E space, and the
 * metadata services of the big clouds; the first hit counts.  The blocks for documentation
 * (RFC 5737, 3849, 9637) are not among them: nothing of a host, a LAN or a cloud lies there, and
 * who routes them does it on purpose, as in a closed network whose mirrors stand there for the
 * Internet's. */
static const struct special special_v4[] = {
	{{169, 254, 169, 254}, 32, "metadata"}, /* AWS, GCP, Azure and many others */
	{{169, 254, 170, 2}, 32, "metadata"},   /* AWS ECS credentials */
	{{169, 254, 170, 23}, 32, "metadata"},  /* AWS EKS pod identity */
	{{100, 100, 100, 200}, 32, "metadata"}, /* Alibaba Cloud */
	{{168, 63, 129, 16}, 32, "metadata"},   /* Azure's host agent, a public address */
	{{192, 0, 0, 192}, 32, "metadata"},     /* Oracle Cloud */
	{{169, 254, 42, 42}, 32, "metadata"},   /* Scaleway */
	{{169, 254, 0, 23}, 32, "metadata"},    /* Tencent Cloud */
	{{169, 254, 169}, 24, "metadata"},      /* time, names and licences of AWS beside it */
	{{0}, 8, "unspecified"},
	{{10}, 8, "private"},
	{{100, 64}, 10, "shared"}, /* carrier-grade NAT, RFC 6598 */
	{{127}, 8, "loopback"},
	{{169, 254}, 16, "link-local"},
	{{172, 16}, 12, "private"},
	{{192, 0, 0}, 24, "reserved"},
	{{192, 88, 99}, 24, "6to4 relay"},
	{{192, 168}, 16, "private"},
	{{198, 18}, 15, "benchmarking"},
	{{224}, 4, "multicast"},
	{{255, 255, 255, 255}, 32, "broadcast"},
	{{240}, 4, "reserved"},
};

/* IANA IPv6 Special-Purpose Address Registry.  Ranges that embed an IPv4 address are in
 * embedded[]. */
static const struct special special_v6[] = {
	{{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54}, 128, "metadata"},      /* AWS */
	{{0xfd, 0x00, 0x0e, 0xc2, [15] = 0x23}, 128, "metadata"},                   /* AWS EKS */
	{{0xfd, 0x20, 0x00, 0xce, [14] = 0x02, [15] = 0x54}, 128, "metadata"},      /* GCP */
	{{0xfd, 0x00, 0x00, 0x42, [15] = 0x42}, 128, "metadata"},                   /* Scaleway */
	{{0xfd, 0x00, 0x00, 0xc1, [12] = 0xa9, 0xfe, 0xa9, 0xfe}, 128, "metadata"}, /* Oracle */
	{{0xfe, 0x80, [12] = 0xa9, 0xfe, 0xa9, 0xfe}, 128, "metadata"},             /* OpenStack */
	{{0}, 128, "unspecified"},
	{{[15] = 1}, 128, "loopback"},
	{{0}, 96, "reserved"},                                      /* v4-compatible */
	{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, "private"},      /* RFC 8215 */
	{{0x01, 0x00}, 64, "discard"},                              /* RFC 6666 */
	{{0x20, 0x01, 0x00, 0x02, 0x00, 0x00}, 48, "benchmarking"}, /* RFC 5180 */
	{{0x20, 0x01, 0x00, 0x10}, 28, "reserved"},                 /* ORCHID */
	{{0x20, 0x01, 0x00, 0x20}, 28, "reserved"},                 /* ORCHIDv2 */
	{{0x5f, 0x00}, 16, "reserved"},                             /* SRv6 SIDs, RFC 9602 */
	{{0xfc}, 7, "private"},
	{{0xfe, 0x80}, 10, "link-local"},
	{{0xfe, 0xc0}, 10, "site-local"},
	{{0xff}, 8, "multicast"},
};

/* Prefixes that carry an IPv4 address: where, and whether its bits are inverted. */
static const struct embed {
	struct special range;
	int at;
	bool inverted;
} embedded[] = {
	{{{0x00, 0x64, 0xff, 0x9b}, 96, "NAT64"}, 12, false}, /* RFC 6052 */
	{{{0x20, 0x02}, 16, "6to4"}, 2, false},               /* RFC 3056 */
	{{{0x20, 0x01, 0x00, 0x00}, 32, "Teredo"}, 12, true}, /* RFC 4380, the client */
	{{{0x20, 0x01, 0x00, 0x00}, 32, "Teredo"}, 4, false}, /* the server */
};

static bool in_net(const uint8_t *addr, const uint8_t *net, unsigned int bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;
	if (memcmp(addr, net, whole) != 0)
		return false;
	return rest == 0 || ((addr[whole] ^ net[whole]) & (0xff00u >> rest) & 0xffu) == 0;
}

static const char *find_special(const uint8_t *addr, const struct special *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (in_net(addr, t[i].net, t[i].bits))
			return t[i].name;
	return NULL;
}

static const char *v4_special(uint32_t v4)
{
	uint8_t b[4] = {(uint8_t)(v4 >> 24), (uint8_t)(v4 >> 16), (uint8_t)(v4 >> 8), (uint8_t)v4};
	return find_special(b, special_v4, ARRAY_LEN(special_v4));
}

const char *host_addr_special(const struct host_addr *a)
{
	const uint8_t *b = a->ip.s6_addr;
	if (host_addr_is_v4(a))
		return v4_special(v4_at(&a->ip, 12));
	const char *name = find_special(b, special_v6, ARRAY_LEN(special_v6));
	if (name)
		return name;
	for (size_t i = 0; i < ARRAY_LEN(embedded); i++) {
		const struct embed *e = &embedded[i];
		if (!in_net(b, e->range.net, e->range.bits))
			continue;
		uint32_t v4 = v4_at(&a->ip, e->at);
		name = v4_special(e->inverted ? ~v4 : v4);
		if (name)
			return name;
	}
	/* ISATAP (RFC 5214): the interface identifier ends in a v4 address. */
	if ((b[8] & 0xfd) == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe) {
		name = v4_special(v4_at(&a->ip, 12));
		if (name)
			return name;
	}
	/* Nothing but 2000::/3 and the NAT64 prefix is handed out (RFC 4291 2.4, RFC 6052). */
	if ((b[0] & 0xe0) != 0x20 && !in_net(b, embedded[0].range.net, embedded[0].range.bits))
		return "reserved";
	return NULL;
}
