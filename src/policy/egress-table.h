/* policy/egress-table.h - the compiled form of egress rules, as it lies in a pack.
 *
 * One flat record, used in place: reading it costs nothing per rule.  Every index is checked where
 * it is used, so a damaged record gives wrong answers at worst ("denied" where possible), never a
 * read outside it.
 *
 * Parts, in this order, each 8-byte aligned:
 *   struct egress_head
 *   struct egress_row   rows[n_rows]      one per rule, in the order of egress_rule()
 *   struct egress_slot  slots[n_slots]    open-addressing hash table of names, a power of two
 *   struct egress_net   nets[n_nets]      sorted by (bits, net)
 *   uint32_t            lists[n_lists]    rule numbers; a set's last one has EGRESS_LAST
 *   uint16_t            ports[n_ports]    port lists, shared between rules
 *   char                strings[n_strings], the last byte NUL
 */
#ifndef BAWN_POLICY_EGRESS_TABLE_H
#define BAWN_POLICY_EGRESS_TABLE_H

#include "policy/egress.h"

#define EGRESS_TABLE_MAGIC 0x62726531u /* "bre1" */
#define EGRESS_LAST 0x80000000u
#define EGRESS_RULES_MAX 1000000u

enum egress_kind { EGRESS_EXACT, EGRESS_ONE, EGRESS_ANY, EGRESS_NET };

enum egress_flag { EGRESS_F_DENY = 1, EGRESS_F_PRIVATE = 2, EGRESS_F_RAW = 4 };

struct egress_head {
	uint32_t magic, offline;
	uint32_t n_rows, n_slots, n_nets, n_lists, n_ports, n_strings;
	uint8_t bits_used[24]; /* bit i: a net of prefix length i exists (0-128) */
};

struct egress_row {
	uint32_t text, file; /* offsets into strings */
	uint32_t line;
	uint32_t ports;   /* index of the first */
	uint16_t n_ports; /* 0: every port */
	uint16_t flags;
};

struct egress_slot {
	uint32_t hash;
	uint32_t name; /* offset into strings; not NUL-terminated there */
	uint16_t len;
	uint16_t kind; /* of enum egress_kind */
	uint32_t list; /* index of the first rule number, +1; 0: the slot is empty */
};

struct egress_net {
	struct in6_addr net;
	uint32_t bits;
	uint32_t list; /* as above */
};

/* The hash of a name is taken from its last byte to its first, so that one pass over a name gives
 * the hash of each of its suffixes. */
#define EGRESS_HASH_START 2166136261u
static inline uint32_t egress_hash_step(uint32_t h, char c)
{
	return (h ^ (unsigned char)c) * 16777619u;
}
/* FNV-1a's low bits are weak for short input; a table index takes them mixed. */
static inline uint32_t egress_hash_final(uint32_t h, uint32_t kind)
{
	h ^= kind * 0x9e3779b9u;
	h ^= h >> 15;
	h *= 0x2c1b3c6du;
	return h ^ h >> 13;
}

struct egress {
	const struct egress_head *head;
	const struct egress_row *rows;
	const struct egress_slot *slots;
	const struct egress_net *nets;
	const uint32_t *lists;
	const uint16_t *ports;
	const char *strings;
};

/* A view onto a record.  data must be 8-byte aligned.  0 or -EBADMSG. */
int egress_view(struct egress *ret, const void *data, size_t n);

/* Does a rule of this enum egress_kind on rule_name mean the canonical name? */
bool egress_name_matches(uint32_t kind, const char *rule_name, const char *name);

/* Keep the first bits bits. */
void egress_mask_addr(struct in6_addr *a, unsigned int bits);

#endif
