/* policy/egress.c - deciding: which rule, if any, lets this name or address and port through.
 *
 * Owns: matching on the compiled tables.  Must not: make a system call, allocate, or know YAML.
 *
 * Theory of operation.  A name is asked for once as it is, once behind "*." and once behind "**."
 * for each of its suffixes; all hashes come out of one backward pass.  Each probe that hits gives
 * a short list of rules, of which those count whose ports hold the asked one.  Any deny among
 * them ends it.  Otherwise the most specific allow is the one that is named, and what the others
 * permit (private addresses, raw) is added: rules are a union, except that deny wins.
 * Addresses work the same over prefix lengths: one binary search for each length in use.
 */
#include "policy/egress-table.h"

#include <string.h>

#include "policy/egress.h"

static bool take(const char **p, size_t *left, size_t count, size_t size, const void **ret)
{
	if (count > *left / size)
		return false;
	size_t n = (count * size + 7) & ~(size_t)7;
	if (n > *left)
		return false;
	*ret = *p;
	*p += n;
	*left -= n;
	return true;
}

int egress_view(struct egress *ret, const void *data, size_t n)
{
	const char *p = data;
	struct egress e = {0};
	if ((uintptr_t)data % 8 || !take(&p, &n, 1, sizeof(*e.head), (const void **)&e.head))
		return -EBADMSG;
	const struct egress_head *h = e.head;
	if (h->magic != EGRESS_TABLE_MAGIC || h->n_slots == 0 || (h->n_slots & (h->n_slots - 1)))
		return -EBADMSG;
	if (!take(&p, &n, h->n_rows, sizeof(*e.rows), (const void **)&e.rows) ||
		!take(&p, &n, h->n_slots, sizeof(*e.slots), (const void **)&e.slots) ||
		!take(&p, &n, h->n_nets, sizeof(*e.nets), (const void **)&e.nets) ||
		!take(&p, &n, h->n_lists, sizeof(*e.lists), (const void **)&e.lists) ||
		!take(&p, &n, h->n_ports, sizeof(*e.ports), (const void **)&e.ports) ||
		!take(&p, &n, h->n_strings, 1, (const void **)&e.strings) || n != 0)
		return -EBADMSG;
	if (h->n_strings == 0 || e.strings[h->n_strings - 1] != '\0')
		return -EBADMSG;
	*ret = e;
	return 0;
}

static const struct egress_slot *find_slot(
	const struct egress *e, const char *name, size_t len, uint32_t hash, uint32_t kind)
{
	uint32_t mask = e->head->n_slots - 1;
	hash = egress_hash_final(hash, kind);
	for (uint32_t i = 0; i <= mask; i++) {
		const struct egress_slot *s = &e->slots[(hash + i) & mask];
		if (s->list == 0)
			return NULL;
		if (s->hash != hash || s->kind != kind || s->len != len)
			continue;
		if (s->name > e->head->n_strings || len > e->head->n_strings - s->name)
			continue;
		if (memcmp(e->strings + s->name, name, len) == 0)
			return s;
	}
	return NULL;
}

/* The sets of rules that a name or an address falls under, most specific first: exact, one label,
 * then shrinking suffixes (127 labels at most), or prefix lengths (129). */
#define SETS_MAX 160
struct sets {
	uint32_t list[SETS_MAX];
	uint8_t bits[SETS_MAX]; /* addresses: the prefix length */
	size_t n;
	bool is_exact; /* names: the first set is of rules for the name itself */
};

static void add_set(struct sets *s, uint32_t list_plus_1, unsigned int bits)
{
	if (s->n == SETS_MAX)
		return;
	s->bits[s->n] = (uint8_t)bits;
	s->list[s->n++] = list_plus_1 - 1;
}

static void name_sets(const struct egress *e, const char *name, struct sets *ret)
{
	size_t len = strlen(name);
	struct sets suffixes;
	const struct egress_slot *one = NULL, *slot;
	uint32_t h = EGRESS_HASH_START;
	suffixes.n = ret->n = 0;
	ret->is_exact = false;
	if (len == 0 || len > HOST_NAME_MAX_LEN)
		return;
	const char *first_dot = strchr(name, '.');

	slot = find_slot(e, "", 0, h, EGRESS_ANY); /* "**" */
	if (slot)
		add_set(&suffixes, slot->list, 0);
	for (size_t i = len; i-- > 0;) {
		if (name[i] == '.') {
			const char *suffix = name + i + 1;
			size_t n = len - i - 1;
			slot = find_slot(e, suffix, n, h, EGRESS_ANY);
			if (slot)
				add_set(&suffixes, slot->list, 0);
			if (name + i == first_dot)
				one = find_slot(e, suffix, n, h, EGRESS_ONE);
		}
		h = egress_hash_step(h, name[i]);
	}
	slot = find_slot(e, name, len, h, EGRESS_EXACT);
	ret->is_exact = slot != NULL;
	if (slot)
		add_set(ret, slot->list, 0);
	if (one)
		add_set(ret, one->list, 0);
	while (suffixes.n > 0)
		add_set(ret, suffixes.list[--suffixes.n] + 1, 0);
}

bool egress_name_matches(uint32_t kind, const char *rule_name, const char *name)
{
	size_t rn = strlen(rule_name), n = strlen(name);
	if (kind == EGRESS_EXACT)
		return streq(rule_name, name);
	if (kind == EGRESS_ANY && rn == 0)
		return true;
	if (n <= rn + 1 || name[n - rn - 1] != '.' || !streq(name + n - rn, rule_name))
		return false;
	return kind == EGRESS_ANY || (kind == EGRESS_ONE && strchr(name, '.') == name + n - rn - 1);
}

void egress_mask_addr(struct in6_addr *a, unsigned int bits)
{
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int keep = bits >= (i + 1) * 8 ? 8 : bits > i * 8 ? bits - i * 8 : 0;
		a->s6_addr[i] = (uint8_t)(a->s6_addr[i] & (0xff00u >> keep));
	}
}

static const struct egress_net *find_net(
	const struct egress *e, const struct in6_addr *net, uint32_t bits)
{
	uint32_t lo = 0, hi = e->head->n_nets;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct egress_net *x = &e->nets[mid];
		int c = x->bits < bits ? -1 : x->bits > bits ? 1 : memcmp(&x->net, net, 16);
		if (c == 0)
			return x;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static void addr_sets(const struct egress *e, const struct host_addr *a, struct sets *ret)
{
	ret->n = 0;
	/* ::/0 and the like mean IPv6: they must not catch v4-mapped addresses. */
	unsigned int least = host_addr_is_v4(a) ? 96 : 0;
	for (unsigned int bits = 129; bits-- > least;) {
		if (!(e->head->bits_used[bits / 8] & (1u << (bits % 8))))
			continue;
		struct in6_addr net = a->ip;
		egress_mask_addr(&net, bits);
		const struct egress_net *x = find_net(e, &net, bits);
		if (x && x->list)
			add_set(ret, x->list, bits);
	}
}

/* The rule at place *at of a set; false behind the last.  A damaged list ends the set. */
static bool next_rule(const struct egress *e, uint32_t *at, bool *last, uint32_t *ret,
	const struct egress_row **row)
{
	if (*last || *at >= e->head->n_lists)
		return false;
	uint32_t v = e->lists[(*at)++];
	*last = v & EGRESS_LAST;
	*ret = v & ~EGRESS_LAST;
	if (*ret >= e->head->n_rows)
		return false;
	*row = &e->rows[*ret];
	return (*row)->ports <= e->head->n_ports &&
		(*row)->n_ports <= e->head->n_ports - (*row)->ports;
}

static bool row_has_port(const struct egress *e, const struct egress_row *row, uint16_t port)
{
	if (row->n_ports == 0)
		return true;
	for (uint32_t i = 0; i < row->n_ports; i++)
		if (e->ports[row->ports + i] == port)
			return true;
	return false;
}

/* *ret_bits: the longest prefix of the rules that allow it. */
static struct egress_verdict decide(
	const struct egress *e, const struct sets *sets, uint16_t port, unsigned int *ret_bits)
{
	struct egress_verdict v = {.action = EGRESS_DENY, .rule = EGRESS_NO_RULE};
	if (e->head->offline || port == 0)
		return v;
	for (size_t i = 0; i < sets->n; i++) {
		uint32_t at = sets->list[i], rule;
		bool last = false;
		const struct egress_row *row;
		while (next_rule(e, &at, &last, &rule, &row)) {
			if (!row_has_port(e, row, port))
				continue;
			if (row->flags & EGRESS_F_DENY)
				return (struct egress_verdict){.action = EGRESS_DENY, .rule = rule};
			if (v.action == EGRESS_DENY) {
				v.rule = rule;
				*ret_bits = sets->bits[i];
			}
			v.action = EGRESS_ALLOW;
			v.private_ok |= (row->flags & EGRESS_F_PRIVATE) != 0;
			v.raw |= (row->flags & EGRESS_F_RAW) != 0;
		}
	}
	return v;
}

struct egress_verdict egress_match(const struct egress *e, const char *name, uint16_t port)
{
	struct sets sets;
	unsigned int bits;
	name_sets(e, name, &sets);
	return decide(e, &sets, port, &bits);
}

/* Would any of the rules of one set let a port through, all sets considered? */
static bool set_allows(const struct egress *e, const struct sets *sets, size_t i)
{
	uint32_t at = sets->list[i], rule;
	bool last = false;
	unsigned int bits;
	const struct egress_row *row;
	while (next_rule(e, &at, &last, &rule, &row)) {
		if (row->flags & EGRESS_F_DENY)
			continue;
		for (uint32_t k = 0; k < row->n_ports; k++)
			if (decide(e, sets, e->ports[row->ports + k], &bits).action == EGRESS_ALLOW)
				return true;
	}
	return false;
}

bool egress_name_known(const struct egress *e, const char *name)
{
	struct sets sets;
	name_sets(e, name, &sets);
	for (size_t i = 0; i < sets.n; i++)
		if (set_allows(e, &sets, i))
			return true;
	return false;
}

bool egress_name_exact(const struct egress *e, const char *name)
{
	struct sets sets;
	name_sets(e, name, &sets);
	/* the most specific set comes first */
	return sets.n > 0 && sets.is_exact && set_allows(e, &sets, 0);
}

struct egress_verdict egress_match_addr(
	const struct egress *e, const struct host_addr *a, uint16_t port)
{
	struct sets sets;
	unsigned int bits = 0;
	addr_sets(e, a, &sets);
	struct egress_verdict v = decide(e, &sets, port, &bits);
	v.exact = v.action == EGRESS_ALLOW && bits == 128;
	return v;
}

int egress_rule(const struct egress *e, uint32_t rule, struct egress_rule *ret)
{
	if (rule >= e->head->n_rows)
		return -ENOENT;
	const struct egress_row *row = &e->rows[rule];
	if (row->text >= e->head->n_strings || row->file >= e->head->n_strings)
		return -EBADMSG;
	*ret = (struct egress_rule){
		.text = e->strings + row->text,
		.file = e->strings + row->file,
		.line = row->line,
		.deny = row->flags & EGRESS_F_DENY,
	};
	return 0;
}

uint32_t egress_n_rules(const struct egress *e)
{
	return e->head->n_rows;
}

bool egress_offline(const struct egress *e)
{
	return e->head->offline != 0;
}
