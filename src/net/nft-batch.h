/* net/nft-batch.h - writing nf_tables transactions (libmnl, libnftnl): tables, chains, rules and
 * their expressions.
 *
 * Any failure is kept in `failed`, so that only the end needs to look: after one, nothing more is
 * written, and every function may still be called.  All of it is of one table, NETNS_TABLE, in the
 * family inet.  The numbers are those of linux/netfilter/nf_tables.h.
 */
#ifndef BAWN_NET_NFT_BATCH_H
#define BAWN_NET_NFT_BATCH_H

#include <linux/netfilter/nf_tables.h>
#include <stdint.h>

#include "base/macro.h"

struct nft_batch {
	char *buf; /* malloc'd: the caller's at the end */
	size_t n, cap;
	uint32_t seq;
	struct nlmsghdr *last; /* message that will be asked to answer */
	bool failed;
};

/* What is between the two takes effect as one, or not at all; its last message is answered. */
void nft_transaction_begin(struct nft_batch *o);
void nft_transaction_end(struct nft_batch *o);

/* Where a chain is called: enum nf_inet_hooks, NF_IP_PRI_..., NF_ACCEPT or NF_DROP. */
struct nft_hook {
	const char *type; /* "filter", "nat" */
	uint32_t num, policy;
	int32_t prio;
};

void nft_table(struct nft_batch *o);
/* hook NULL: a chain to jump to. */
void nft_chain(struct nft_batch *o, const char *name, const struct nft_hook *hook);

/* A rule being written; r is NULL after any failure. */
struct nft_rule {
	struct nft_batch *o;
	struct nftnl_rule *r;
};
struct nft_rule nft_rule_begin(struct nft_batch *o, const char *chain);
void nft_rule_end(struct nft_rule *r);

/* Expressions, one after the other.  Loads go into register 1, where all that compares or acts
 * takes them from; nft_load_payload names its own, to put a port behind an address. */
void nft_load_meta(struct nft_rule *r, uint32_t key);
void nft_load_ct(struct nft_rule *r, uint32_t key);
void nft_load_payload(
	struct nft_rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg);
void nft_immediate(struct nft_rule *r, const void *data, size_t n);
void nft_compare(struct nft_rule *r, uint32_t op, const void *data, size_t n);
void nft_mask(struct nft_rule *r, const void *bits, size_t n); /* n <= 16 */
void nft_match_family(struct nft_rule *r, uint8_t family);
void nft_match_tcp(struct nft_rule *r);
/* To the port in register 1, in network order; the address is lo's own. */
void nft_tproxy(struct nft_rule *r);
void nft_redirect(struct nft_rule *r);
void nft_limit(struct nft_rule *r, uint64_t packets_a_second, uint32_t burst);
void nft_log(struct nft_rule *r, uint16_t group, uint32_t snaplen);
void nft_counter(struct nft_rule *r);
void nft_reject(struct nft_rule *r, uint32_t type, uint8_t code); /* NFT_REJECT_... */
/* NF_ACCEPT, NF_DROP, or NFT_GOTO with a chain. */
void nft_verdict(struct nft_rule *r, uint32_t code, const char *chain);

/* A set, of which the key is two fields: in whole 32-bit words, the second in one.  type: nft's
 * number of the concatenated type. */
struct nft_set {
	const char *name;
	uint32_t id, type, key_len;
	uint8_t field[2]; /* bytes of each, unpadded */
	bool interval;
};

struct nft_element {
	uint8_t key[20], end[20]; /* end: of an interval */
};

/* n: how many elements will come, where that is known. */
void nft_set(struct nft_batch *o, const struct nft_set *set, size_t n);
void nft_elements(
	struct nft_batch *o, const struct nft_set *set, const struct nft_element *l, size_t n);
void nft_lookup(struct nft_rule *r, const struct nft_set *set);

#endif
