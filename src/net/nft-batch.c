/* net/nft-batch.c - nf_tables requests as bytes; see nft-batch.h.
 *
 * Owns: the buffer that they are written to.  Must not: know what our rules are.
 */
#include "net/nft-batch.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>

#include "net/netns.h"

#define TABLE NETNS_TABLE
/* A message is built only where this much room is left; none comes near it. */
#define MESSAGE_ROOM ((size_t)64 << 10)

static char *room(struct nft_batch *o)
{
	if (o->cap - o->n < MESSAGE_ROOM) {
		size_t last = o->last ? (size_t)((char *)o->last - o->buf) : 0;
		char *grown = realloc(o->buf, o->cap + 2 * MESSAGE_ROOM);
		if (!grown) {
			o->failed = true;
			return NULL;
		}
		o->buf = grown;
		/* what pads the attributes is left as it is by the libraries, and a pack of the
		 * same request has the same bytes */
		memset(grown + o->cap, 0, 2 * MESSAGE_ROOM);
		o->cap += 2 * MESSAGE_ROOM;
		if (o->last)
			o->last = (struct nlmsghdr *)(grown + last);
	}
	return o->buf + o->n;
}

static void done(struct nft_batch *o, struct nlmsghdr *h)
{
	o->last = h;
	o->n += NLMSG_ALIGN(h->nlmsg_len);
}

void nft_transaction_begin(struct nft_batch *o)
{
	char *p = room(o);
	if (!p)
		return;
	done(o, nftnl_batch_begin(p, o->seq++));
}

void nft_transaction_end(struct nft_batch *o)
{
	char *p = room(o);
	if (!p || !o->last) {
		o->failed = true;
		return;
	}
	o->last->nlmsg_flags |= NLM_F_ACK;
	done(o, nftnl_batch_end(p, o->seq++));
	o->last = NULL;
}

static struct nlmsghdr *message(struct nft_batch *o, uint16_t type, uint16_t flags)
{
	char *p = room(o);
	return p ? nftnl_nlmsg_build_hdr(p, type, NFPROTO_INET, flags, o->seq++) : NULL;
}

void nft_table(struct nft_batch *o)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *h = message(o, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	if (t && h) {
		nftnl_table_set_str(t, NFTNL_TABLE_NAME, TABLE);
		nftnl_table_nlmsg_build_payload(h, t);
		done(o, h);
	} else {
		o->failed = true;
	}
	if (t)
		nftnl_table_free(t);
}

void nft_chain(struct nft_batch *o, const char *name, const struct nft_hook *hook)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *h = message(o, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	if (c && h) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, TABLE);
		nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
		if (hook) {
			nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, hook->type);
			nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hook->num);
			nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, hook->prio);
			nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, hook->policy);
		}
		nftnl_chain_nlmsg_build_payload(h, c);
		done(o, h);
	} else {
		o->failed = true;
	}
	if (c)
		nftnl_chain_free(c);
}

struct nft_rule nft_rule_begin(struct nft_batch *o, const char *chain)
{
	struct nft_rule r = {o, nftnl_rule_alloc()};
	if (r.r) {
		nftnl_rule_set_str(r.r, NFTNL_RULE_TABLE, TABLE);
		nftnl_rule_set_str(r.r, NFTNL_RULE_CHAIN, chain);
	} else {
		o->failed = true;
	}
	return r;
}

void nft_rule_end(struct nft_rule *r)
{
	struct nlmsghdr *h = r->r ? message(r->o, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND)
				  : NULL;
	if (h) {
		nftnl_rule_nlmsg_build_payload(h, r->r);
		done(r->o, h);
	}
	if (r->r)
		nftnl_rule_free(r->r);
}

/* The new expression, owned by the rule; NULL after a failure, which the two setters take. */
static struct nftnl_expr *expr(struct nft_rule *r, const char *name)
{
	struct nftnl_expr *e = r->r ? nftnl_expr_alloc(name) : NULL;
	if (e)
		nftnl_rule_add_expr(r->r, e);
	else
		r->o->failed = true;
	return e;
}

static void put_u32(struct nftnl_expr *e, uint16_t key, uint32_t value)
{
	if (e)
		nftnl_expr_set_u32(e, key, value);
}

static void put(struct nftnl_expr *e, uint16_t key, const void *data, size_t n)
{
	if (e)
		nftnl_expr_set(e, key, data, (uint32_t)n);
}

void nft_load_meta(struct nft_rule *r, uint32_t key)
{
	struct nftnl_expr *e = expr(r, "meta");
	put_u32(e, NFTNL_EXPR_META_KEY, key);
	put_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

void nft_load_payload(
	struct nft_rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	struct nftnl_expr *e = expr(r, "payload");
	put_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	put_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	put_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	put_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

void nft_compare(struct nft_rule *r, uint32_t op, const void *data, size_t n)
{
	struct nftnl_expr *e = expr(r, "cmp");
	put_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_CMP_OP, op);
	put(e, NFTNL_EXPR_CMP_DATA, data, n);
}

void nft_mask(struct nft_rule *r, const void *bits, size_t n)
{
	static const uint8_t zero[16];
	struct nftnl_expr *e = expr(r, "bitwise");
	put_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_BITWISE_LEN, (uint32_t)n);
	put(e, NFTNL_EXPR_BITWISE_MASK, bits, n);
	put(e, NFTNL_EXPR_BITWISE_XOR, zero, n);
}

void nft_match_family(struct nft_rule *r, uint8_t family)
{
	nft_load_meta(r, NFT_META_NFPROTO);
	nft_compare(r, NFT_CMP_EQ, &family, sizeof(family));
}

void nft_match_tcp(struct nft_rule *r)
{
	uint8_t tcp = IPPROTO_TCP;
	nft_load_meta(r, NFT_META_L4PROTO);
	nft_compare(r, NFT_CMP_EQ, &tcp, sizeof(tcp));
}

void nft_verdict(struct nft_rule *r, uint32_t code, const char *chain)
{
	struct nftnl_expr *e = expr(r, "immediate");
	put_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	put_u32(e, NFTNL_EXPR_IMM_VERDICT, code);
	if (e && chain)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
}

void nft_immediate(struct nft_rule *r, const void *data, size_t n)
{
	struct nftnl_expr *e = expr(r, "immediate");
	put_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
	put(e, NFTNL_EXPR_IMM_DATA, data, n);
}

void nft_load_ct(struct nft_rule *r, uint32_t key)
{
	struct nftnl_expr *e = expr(r, "ct");
	put_u32(e, NFTNL_EXPR_CT_KEY, key);
	put_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
}

void nft_tproxy(struct nft_rule *r)
{
	struct nftnl_expr *e = expr(r, "tproxy");
	put_u32(e, NFTNL_EXPR_TPROXY_FAMILY, NFPROTO_UNSPEC);
	put_u32(e, NFTNL_EXPR_TPROXY_REG_PORT, NFT_REG_1);
}

void nft_redirect(struct nft_rule *r)
{
	struct nftnl_expr *e = expr(r, "redir");
	put_u32(e, NFTNL_EXPR_REDIR_REG_PROTO_MIN, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_REDIR_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
}

void nft_limit(struct nft_rule *r, uint64_t rate, uint32_t burst)
{
	struct nftnl_expr *e = expr(r, "limit");
	if (e) {
		nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, rate);
		nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, 1);
	}
	put_u32(e, NFTNL_EXPR_LIMIT_BURST, burst);
	put_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
}

void nft_log(struct nft_rule *r, uint16_t group, uint32_t snaplen)
{
	struct nftnl_expr *e = expr(r, "log");
	if (e)
		nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, group);
	put_u32(e, NFTNL_EXPR_LOG_SNAPLEN, snaplen);
}

void nft_counter(struct nft_rule *r)
{
	expr(r, "counter");
}

void nft_reject(struct nft_rule *r, uint32_t type, uint8_t code)
{
	struct nftnl_expr *e = expr(r, "reject");
	put_u32(e, NFTNL_EXPR_REJECT_TYPE, type);
	if (e)
		nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, code);
}

/* ---- sets ---- */

void nft_lookup(struct nft_rule *r, const struct nft_set *set)
{
	struct nftnl_expr *e = expr(r, "lookup");
	put_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_LOOKUP_SET_ID, set->id);
	if (e)
		nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set->name);
}

static struct nftnl_set *set_begin(const struct nft_set *set, size_t n)
{
	struct nftnl_set *s = nftnl_set_alloc();
	if (!s)
		return NULL;
	nftnl_set_set_str(s, NFTNL_SET_TABLE, TABLE);
	nftnl_set_set_str(s, NFTNL_SET_NAME, set->name);
	nftnl_set_set_u32(s, NFTNL_SET_ID, set->id);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, set->type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, set->key_len);
	if (set->interval) {
		nftnl_set_set_u32(s, NFTNL_SET_FLAGS, NFT_SET_INTERVAL | NFT_SET_CONCAT);
		nftnl_set_set_data(s, NFTNL_SET_DESC_CONCAT, set->field, sizeof(set->field));
	} else if (n) {
		/* With the number of elements known, the kernel takes the smallest hash. */
		nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, (uint32_t)n);
	}
	return s;
}

void nft_set(struct nft_batch *o, const struct nft_set *set, size_t n)
{
	struct nftnl_set *s = set_begin(set, n);
	struct nlmsghdr *h = message(o, NFT_MSG_NEWSET, NLM_F_CREATE);
	if (s && h) {
		nftnl_set_nlmsg_build_payload(h, s);
		done(o, h);
	} else {
		o->failed = true;
	}
	if (s)
		nftnl_set_free(s);
}

static bool add_element(struct nftnl_set *s, const struct nft_set *set, const struct nft_element *l)
{
	struct nftnl_set_elem *e = nftnl_set_elem_alloc();
	if (!e)
		return false;
	nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, l->key, set->key_len);
	if (set->interval)
		nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY_END, l->end, set->key_len);
	nftnl_set_elem_add(s, e);
	return true;
}

void nft_elements(
	struct nft_batch *o, const struct nft_set *set, const struct nft_element *l, size_t n)
{
	struct nftnl_set *s = set_begin(set, 0);
	bool ok = s;
	for (size_t i = 0; ok && i < n; i++)
		ok = add_element(s, set, &l[i]);
	struct nlmsghdr *h = ok ? message(o, NFT_MSG_NEWSETELEM, NLM_F_CREATE) : NULL;
	if (h) {
		nftnl_set_elems_nlmsg_build_payload(h, s);
		done(o, h);
	} else {
		o->failed = true;
	}
	if (s)
		nftnl_set_free(s);
}
