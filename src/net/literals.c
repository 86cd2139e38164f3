/* net/literals.c - see literals.h */
#include "net/literals.h"

#define LITERALS_MAX 65536u

static bool is_v4(const struct net_cidr *c)
{
	return c->bits >= 96 && IN6_IS_ADDR_V4MAPPED(&c->net);
}

/* Clear (or set) the bits of addr behind the first `bits`. */
static void fill_host_bits(uint8_t *addr, size_t len, uint8_t bits, bool set)
{
	for (size_t i = 0; i < len; i++) {
		size_t from = i * 8;
		int host = bits >= from + 8 ? 0 : bits <= from ? 0xff : 0xff >> (bits - from);
		addr[i] = (uint8_t)(set ? addr[i] | host : addr[i] & ~host);
	}
}

static struct literal literal(const struct net_cidr *c, uint16_t port)
{
	struct literal l = {.port = port};
	bool v4 = is_v4(c);
	size_t len = v4 ? 4 : 16;
	l.bits = (uint8_t)(v4 ? c->bits - 96 : c->bits);
	memcpy(l.first, c->net.s6_addr + (v4 ? 12 : 0), len);
	fill_host_bits(l.first, len, l.bits, false);
	memcpy(l.last, l.first, len);
	fill_host_bits(l.last, len, l.bits, true);
	bool single = l.bits == len * 8;
	l.set = v4 ? (single ? LITERAL_ADDR4 : LITERAL_NET4)
		   : (single ? LITERAL_ADDR6 : LITERAL_NET6);
	return l;
}

static bool is_loopback(const struct literal *l)
{
	if (l->set == LITERAL_ADDR4 || l->set == LITERAL_NET4)
		return l->bits >= 8 && l->first[0] == 127;
	return l->set == LITERAL_ADDR6 &&
		memcmp(l->first, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

static int by_family(const struct literal *l)
{
	return l->set >= LITERAL_ADDR6;
}

/* A network sorts right before what it contains. */
static int by_containment(const void *pa, const void *pb)
{
	const struct literal *a = pa, *b = pb;
	int d = by_family(a) - by_family(b);
	if (d == 0)
		d = a->port - b->port;
	if (d == 0)
		d = memcmp(a->first, b->first, sizeof(a->first));
	return d ? d : a->bits - b->bits;
}

static int by_set(const void *pa, const void *pb)
{
	const struct literal *a = pa, *b = pb;
	int d = (int)a->set - (int)b->set;
	return d ? d : by_containment(a, b);
}

static bool contains(const struct literal *outer, const struct literal *in)
{
	return by_family(outer) == by_family(in) && outer->port == in->port &&
		memcmp(outer->first, in->first, sizeof(in->first)) <= 0 &&
		memcmp(outer->last, in->last, sizeof(in->last)) >= 0;
}

static int count(const struct net_cidr *c, size_t n, size_t *ret, struct err *err)
{
	size_t total = 0;
	for (size_t i = 0; i < n; i++) {
		if (c[i].bits > 128 || c[i].n_ports < 1 || c[i].n_ports > NET_CIDR_PORTS)
			return err_set(err, EINVAL, "malformed address rule %zu", i);
		total += c[i].n_ports;
		if (total > LITERALS_MAX)
			return err_set(err, E2BIG,
				"more than %u addresses and ports in the egress rules",
				LITERALS_MAX);
	}
	*ret = total;
	return 0;
}

int literals_flatten(
	const struct net_cidr *c, size_t n, struct literal **ret, size_t *ret_n, struct err *err)
{
	size_t total = 0;
	int r = count(c, n, &total, err);
	if (r < 0)
		return r;
	_cleanup_free_ struct literal *v = total ? calloc(total, sizeof(*v)) : NULL;
	if (total && !v)
		return err_sys(err, ENOMEM, "address rules");
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t p = 0; p < c[i].n_ports; p++) {
			v[k] = literal(&c[i], c[i].ports[p]);
			k += !is_loopback(&v[k]);
		}
	if (k)
		qsort(v, k, sizeof(*v), by_containment);
	size_t kept = 0;
	for (size_t i = 0; i < k; i++)
		if (kept == 0 || !contains(&v[kept - 1], &v[i]))
			v[kept++] = v[i];
	if (kept)
		qsort(v, kept, sizeof(*v), by_set);
	*ret = kept ? TAKE_PTR(v) : NULL;
	*ret_n = kept;
	return 0;
}
