/* policy/egress-build.c - rules to the tables of egress-table.h.
 *
 * Owns: the writer's side of that format.  Rules are sorted so that all of one name (or network)
 * stand together; each group becomes one slot (or net) with its list.
 */
#include "policy/egress-build.h"

#include <stdlib.h>

struct build {
	const struct rules *rules;
	const struct rule **sorted;
	size_t n_sorted;
	struct egress_head head;
	struct egress_row *rows;
	struct egress_slot *slots;
	struct egress_net *nets;
	uint32_t *lists;
	uint16_t *ports;
	char *strings;
	size_t strings_cap;
	bool failed;
};

static int by_target(const void *pa, const void *pb)
{
	const struct rule *a = *(const struct rule *const *)pa;
	const struct rule *b = *(const struct rule *const *)pb;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind == EGRESS_NET && a->bits != b->bits)
		return a->bits < b->bits ? -1 : 1;
	int c = a->kind == EGRESS_NET ? memcmp(&a->net, &b->net, sizeof(a->net))
				      : strcmp(a->name, b->name);
	if (c != 0)
		return c;
	return a < b ? -1 : a > b;
}

static bool same_target(const struct rule *a, const struct rule *b)
{
	return a->kind == b->kind && a->bits == b->bits && streq(a->name, b->name) &&
		memcmp(&a->net, &b->net, sizeof(a->net)) == 0;
}

static uint32_t add_string(struct build *b, const char *s)
{
	size_t n = strlen(s) + 1;
	if (b->failed || b->head.n_strings + n > UINT32_MAX / 2) {
		b->failed = true;
		return 0;
	}
	if (b->strings_cap - b->head.n_strings < n) {
		size_t cap = MAX(b->strings_cap * 2, (size_t)4096);
		while (cap - b->head.n_strings < n)
			cap *= 2;
		char *p = realloc(b->strings, cap);
		if (!p) {
			b->failed = true;
			return 0;
		}
		b->strings = p;
		b->strings_cap = cap;
	}
	memcpy(b->strings + b->head.n_strings, s, n);
	uint32_t at = b->head.n_strings;
	b->head.n_strings += (uint32_t)n;
	return at;
}

/* A port list that is there already, or a new one.  Few differ, so the newest 64 are looked at. */
static uint32_t add_ports(struct build *b, const struct rule *r)
{
	uint32_t n = b->head.n_ports;
	for (uint32_t i = 0; i < MIN(n, 64u); i++)
		if (n - i >= r->n_ports &&
			memcmp(&b->ports[n - i - r->n_ports], r->ports,
				r->n_ports * sizeof(*r->ports)) == 0)
			return n - i - r->n_ports;
	memcpy(&b->ports[n], r->ports, r->n_ports * sizeof(*r->ports));
	b->head.n_ports += r->n_ports;
	return n;
}

static void add_row(struct build *b, uint32_t i)
{
	const struct rule *r = &b->rules->v[i];
	struct egress_row *row = &b->rows[i];
	bool same_file = i > 0 && r->file == b->rules->v[i - 1].file;
	*row = (struct egress_row){
		.text = add_string(b, r->text),
		.file = same_file ? b->rows[i - 1].file : add_string(b, r->file),
		.line = r->line,
		.ports = add_ports(b, r),
		.n_ports = r->n_ports,
		.flags = (uint16_t)((r->deny ? EGRESS_F_DENY : 0) |
			(r->private_ok ? EGRESS_F_PRIVATE : 0) | (r->raw ? EGRESS_F_RAW : 0)),
	};
}

static void add_slot(struct build *b, const struct rule *r, uint32_t list)
{
	size_t n = strlen(r->name);
	uint32_t h = EGRESS_HASH_START;
	for (size_t i = n; i-- > 0;)
		h = egress_hash_step(h, r->name[i]);
	h = egress_hash_final(h, r->kind);
	/* The name mostly stands in the rule's text already. */
	uint32_t text = b->rows[r - b->rules->v].text;
	const char *at = strstr(r->text, r->name);
	uint32_t name = at ? text + (uint32_t)(at - r->text) : add_string(b, r->name);
	uint32_t mask = b->head.n_slots - 1, i = h & mask;
	while (b->slots[i].list)
		i = (i + 1) & mask;
	b->slots[i] = (struct egress_slot){.hash = h,
		.name = name,
		.len = (uint16_t)n,
		.kind = (uint16_t)r->kind,
		.list = list};
}

static void add_net(struct build *b, const struct rule *r, uint32_t list)
{
	b->nets[b->head.n_nets++] = (struct egress_net){
		.net = r->net.ip, .bits = r->bits, .list = list};
	b->head.bits_used[r->bits / 8] |= (uint8_t)(1u << (r->bits % 8));
}

static void add_groups(struct build *b)
{
	size_t n = b->n_sorted;
	for (size_t i = 0; i < n;) {
		const struct rule *r = b->sorted[i];
		uint32_t list = b->head.n_lists + 1;
		for (; i < n && same_target(r, b->sorted[i]); i++)
			b->lists[b->head.n_lists++] = (uint32_t)(b->sorted[i] - b->rules->v);
		b->lists[b->head.n_lists - 1] |= EGRESS_LAST;
		if (r->kind == EGRESS_NET)
			add_net(b, r, list);
		else
			add_slot(b, r, list);
	}
}

static char *put(char *p, const void *data, size_t n)
{
	if (n)
		memcpy(p, data, n);
	return p + ((n + 7) & ~(size_t)7);
}

static int flatten(const struct build *b, void **ret, size_t *ret_n)
{
	const struct {
		const void *p;
		size_t n;
	} parts[] = {
		{&b->head, sizeof(b->head)},
		{b->rows, b->head.n_rows * sizeof(*b->rows)},
		{b->slots, b->head.n_slots * sizeof(*b->slots)},
		{b->nets, b->head.n_nets * sizeof(*b->nets)},
		{b->lists, b->head.n_lists * sizeof(*b->lists)},
		{b->ports, b->head.n_ports * sizeof(*b->ports)},
		{b->strings, b->head.n_strings},
	};
	size_t total = 0;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		total += (parts[i].n + 7) & ~(size_t)7;
	char *out = calloc(1, total), *p = out;
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		p = put(p, parts[i].p, parts[i].n);
	*ret = out;
	*ret_n = total;
	return 0;
}

static int build_all(struct build *b, void **ret, size_t *ret_n)
{
	size_t n = b->rules->n;
	uint32_t slots = 8;
	while (slots < n + n / 3)
		slots *= 2;
	b->head.n_slots = slots;
	b->head.n_rows = (uint32_t)n;
	b->sorted = calloc(n + 1, sizeof(*b->sorted));
	b->rows = calloc(n + 1, sizeof(*b->rows));
	b->slots = calloc(slots, sizeof(*b->slots));
	b->nets = calloc(n + 1, sizeof(*b->nets));
	b->lists = calloc(n + 1, sizeof(*b->lists));
	b->ports = calloc(n * RULE_PORTS_MAX + 1, sizeof(*b->ports));
	if (!b->sorted || !b->rows || !b->slots || !b->nets || !b->lists || !b->ports)
		return -ENOMEM;
	add_string(b, "");
	for (uint32_t i = 0; i < n; i++) {
		add_row(b, i);
		/* What denies some requests to a host denies no connection. */
		if (!(b->rules->v[i].deny && b->rules->v[i].path))
			b->sorted[b->n_sorted++] = &b->rules->v[i];
	}
	qsort(b->sorted, b->n_sorted, sizeof(*b->sorted), by_target);
	add_groups(b);
	return b->failed ? -ENOMEM : flatten(b, ret, ret_n);
}

int egress_build(
	const struct rules *rules, bool offline, void **ret, size_t *ret_n, struct err *err)
{
	struct build b = {
		.rules = rules, .head = {.magic = EGRESS_TABLE_MAGIC, .offline = offline}};
	int r = build_all(&b, ret, ret_n);
	free(b.sorted);
	free(b.rows);
	free(b.slots);
	free(b.nets);
	free(b.lists);
	free(b.ports);
	free(b.strings);
	return r < 0 ? err_set(err, -r, "out of memory") : 0;
}
