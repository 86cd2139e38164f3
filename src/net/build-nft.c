/* net/build-nft.c - the nftables rules of the sandbox's network namespace; see build.h.
 *
 * Owns: table inet bawn, as netlink transactions (libmnl, libnftnl).  Must not: send anything.
 *
 * Theory of operation.  There is one interface, lo, and every address is local (build-rtnl.c), so
 * what a program sends out only ever passes the output hooks, twice for a connection: `nat` (first
 * packet only, priority -100) and then `out`.
 *
 *   nat  TCP to a synthetic address, or to a literal address and port that a rule names, is turned
 *        to the relay's listener.  Nothing else is, so nftables alone refuses unlisted literals.
 *   out  policy drop.  Accepted are: packets of flows already accepted, and what they relate to
 *        (answers, the resets and ICMP errors that `refuse` makes); what `nat` has turned;
 * loopback. A connection that names the relay's port itself was not turned and would show the
 *        listener as its original destination: it is refused before loopback is accepted.
 *   refuse
 *        copies the packet to NFLOG, rate-limited, and rejects without a limit: TCP by a reset, all
 *        else by ICMP; the drop itself makes send(2) fail with EPERM at once, which is what sends
 *        QUIC clients to TCP.
 *
 * Literals stand in sets keyed by address . port: a hash set for single addresses (1,000 elements
 * load in 0.6 ms), an interval set for networks (6 ms), each made only when it has elements.
 *
 * A transaction must fit the default socket buffer, so long element lists continue in transactions
 * of their own; the first has all rules, and the sets only ever allow more.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include "net/literals.h"
#include "net/netns.h"

#define TABLE NETNS_TABLE
/* A message is built only where this much room is left; none comes near it. */
#define MESSAGE_ROOM ((size_t)64 << 10)
#define ELEMENTS_A_MESSAGE 256
/* Loading takes about 0.6 us for each unit of cost, and fits the default socket buffer. */
#define COST_MAX 512u
#define COST_NET 8u

/* nft's numbers for data types, six bits each when concatenated (nftables: include/datatype.h). */
#define TYPE_IPV4 7u
#define TYPE_IPV6 8u
#define TYPE_PORT 13u

/* Denials are news once; what a flood says is in the counters. */
#define LOG_RATE 20
#define LOG_BURST 100
#define LOG_SNAPLEN 96

static const struct {
	const char *name;
	uint32_t type, addr_len;
	bool v6, interval;
} sets[LITERAL_SETS] = {
	[LITERAL_ADDR4] = {"addr4", TYPE_IPV4 << 6 | TYPE_PORT, 4, false, false},
	[LITERAL_NET4] = {"net4", TYPE_IPV4 << 6 | TYPE_PORT, 4, false, true},
	[LITERAL_ADDR6] = {"addr6", TYPE_IPV6 << 6 | TYPE_PORT, 16, true, false},
	[LITERAL_NET6] = {"net6", TYPE_IPV6 << 6 | TYPE_PORT, 16, true, true},
};

struct out {
	char *buf;
	size_t n, cap;
	uint32_t seq;
	struct nlmsghdr *last; /* message that will be asked to answer */
	bool failed;
};

static char *room(struct out *o)
{
	if (o->cap - o->n < MESSAGE_ROOM) {
		size_t last = o->last ? (size_t)((char *)o->last - o->buf) : 0;
		char *grown = realloc(o->buf, o->cap + 2 * MESSAGE_ROOM);
		if (!grown) {
			o->failed = true;
			return NULL;
		}
		/* padding between attributes is left as it is: two builds must give the same */
		memset(grown + o->n, 0, o->cap + 2 * MESSAGE_ROOM - o->n);
		o->buf = grown;
		o->cap += 2 * MESSAGE_ROOM;
		if (o->last)
			o->last = (struct nlmsghdr *)(grown + last);
	}
	return o->buf + o->n;
}

static void done(struct out *o, struct nlmsghdr *h)
{
	o->last = h;
	o->n += NLMSG_ALIGN(h->nlmsg_len);
}

static void transaction_begin(struct out *o)
{
	char *p = room(o);
	if (!p)
		return;
	done(o, nftnl_batch_begin(p, o->seq++));
}

static void transaction_end(struct out *o)
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

static struct nlmsghdr *message(struct out *o, uint16_t type, uint16_t flags)
{
	char *p = room(o);
	return p ? nftnl_nlmsg_build_hdr(p, type, NFPROTO_INET, flags, o->seq++) : NULL;
}

static void add_table(struct out *o)
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

/* type NULL: a chain to jump to. */
static void add_chain(
	struct out *o, const char *name, const char *type, int32_t prio, uint32_t policy)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *h = message(o, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	if (c && h) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, TABLE);
		nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
		if (type) {
			nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, type);
			nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, NF_INET_LOCAL_OUT);
			nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, prio);
			nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, policy);
		}
		nftnl_chain_nlmsg_build_payload(h, c);
		done(o, h);
	} else {
		o->failed = true;
	}
	if (c)
		nftnl_chain_free(c);
}

/* A rule being written: NULL rule after any failure. */
struct rule {
	struct out *o;
	struct nftnl_rule *r;
};

static struct rule rule_begin(struct out *o, const char *chain)
{
	struct rule r = {o, nftnl_rule_alloc()};
	if (r.r) {
		nftnl_rule_set_str(r.r, NFTNL_RULE_TABLE, TABLE);
		nftnl_rule_set_str(r.r, NFTNL_RULE_CHAIN, chain);
	} else {
		o->failed = true;
	}
	return r;
}

static void rule_end(struct rule *r)
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

/* The new expression, owned by the rule; a throw-away one after a failure is not needed, as setters
 * are only called through put_u32() and put(). */
static struct nftnl_expr *expr(struct rule *r, const char *name)
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

static void load_meta(struct rule *r, uint32_t key)
{
	struct nftnl_expr *e = expr(r, "meta");
	put_u32(e, NFTNL_EXPR_META_KEY, key);
	put_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

static void load_payload(struct rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	struct nftnl_expr *e = expr(r, "payload");
	put_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	put_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	put_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	put_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

static void compare(struct rule *r, uint32_t op, const void *data, size_t n)
{
	struct nftnl_expr *e = expr(r, "cmp");
	put_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_CMP_OP, op);
	put(e, NFTNL_EXPR_CMP_DATA, data, n);
}

static void mask(struct rule *r, const void *bits)
{
	static const uint32_t zero;
	struct nftnl_expr *e = expr(r, "bitwise");
	put_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_BITWISE_LEN, sizeof(zero));
	put(e, NFTNL_EXPR_BITWISE_MASK, bits, sizeof(zero));
	put(e, NFTNL_EXPR_BITWISE_XOR, &zero, sizeof(zero));
}

static void match_family(struct rule *r, uint8_t family)
{
	load_meta(r, NFT_META_NFPROTO);
	compare(r, NFT_CMP_EQ, &family, sizeof(family));
}

static void match_tcp(struct rule *r)
{
	uint8_t tcp = IPPROTO_TCP;
	load_meta(r, NFT_META_L4PROTO);
	compare(r, NFT_CMP_EQ, &tcp, sizeof(tcp));
}

static void verdict(struct rule *r, uint32_t code, const char *chain)
{
	struct nftnl_expr *e = expr(r, "immediate");
	put_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	put_u32(e, NFTNL_EXPR_IMM_VERDICT, code);
	if (e && chain)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
}

static void redirect_to_relay(struct rule *r)
{
	uint16_t port = htons(NETNS_RELAY_PORT);
	struct nftnl_expr *e = expr(r, "immediate");
	put_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
	put(e, NFTNL_EXPR_IMM_DATA, &port, sizeof(port));
	e = expr(r, "redir");
	put_u32(e, NFTNL_EXPR_REDIR_REG_PROTO_MIN, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_REDIR_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
}

/* ip daddr 127.0.0.0/8 accept; ip6 daddr ::1 accept */
static void accept_loopback(struct out *o, const char *chain)
{
	uint8_t v4 = 127;
	struct rule r = rule_begin(o, chain);
	match_family(&r, NFPROTO_IPV4);
	load_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, 16, 1, NFT_REG_1);
	compare(&r, NFT_CMP_EQ, &v4, sizeof(v4));
	verdict(&r, NF_ACCEPT, NULL);
	rule_end(&r);

	r = rule_begin(o, chain);
	match_family(&r, NFPROTO_IPV6);
	load_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, 24, 16, NFT_REG_1);
	compare(&r, NFT_CMP_EQ, &in6addr_loopback, sizeof(in6addr_loopback));
	verdict(&r, NF_ACCEPT, NULL);
	rule_end(&r);
}

/* ip daddr 198.18.0.0/15 meta l4proto tcp redirect to :1 */
static void redirect_synthetic(struct out *o)
{
	uint32_t bits = htonl(~(UINT32_MAX >> NETNS_SYNTH_BITS));
	uint32_t net = htonl(NETNS_SYNTH_NET);
	struct rule r = rule_begin(o, "nat");
	match_family(&r, NFPROTO_IPV4);
	load_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, 16, 4, NFT_REG_1);
	mask(&r, &bits);
	compare(&r, NFT_CMP_EQ, &net, sizeof(net));
	match_tcp(&r);
	redirect_to_relay(&r);
	rule_end(&r);
}

/* ip daddr . tcp dport @SET redirect to :1 */
static void redirect_set(struct out *o, enum literal_set set)
{
	bool v6 = sets[set].v6;
	struct rule r = rule_begin(o, "nat");
	match_family(&r, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	match_tcp(&r);
	load_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 24 : 16, sets[set].addr_len, NFT_REG_1);
	/* The 32-bit registers behind the address. */
	load_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, v6 ? NFT_REG_2 : NFT_REG32_01);
	struct nftnl_expr *e = expr(&r, "lookup");
	put_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	put_u32(e, NFTNL_EXPR_LOOKUP_SET_ID, set + 1);
	if (e)
		nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, sets[set].name);
	redirect_to_relay(&r);
	rule_end(&r);
}

static struct nftnl_set *set_begin(enum literal_set set, size_t n)
{
	struct nftnl_set *s = nftnl_set_alloc();
	if (!s)
		return NULL;
	uint8_t concat[] = {(uint8_t)sets[set].addr_len, 2};
	nftnl_set_set_str(s, NFTNL_SET_TABLE, TABLE);
	nftnl_set_set_str(s, NFTNL_SET_NAME, sets[set].name);
	nftnl_set_set_u32(s, NFTNL_SET_ID, set + 1);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, sets[set].type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, sets[set].addr_len + 4);
	if (sets[set].interval) {
		nftnl_set_set_u32(s, NFTNL_SET_FLAGS, NFT_SET_INTERVAL | NFT_SET_CONCAT);
		nftnl_set_set_data(s, NFTNL_SET_DESC_CONCAT, concat, sizeof(concat));
	} else if (n) {
		/* With the number of elements known, the kernel takes the smallest hash. */
		nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, (uint32_t)n);
	}
	return s;
}

static void add_set(struct out *o, enum literal_set set, size_t n)
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

static bool add_element(struct nftnl_set *s, const struct literal *l)
{
	struct nftnl_set_elem *e = nftnl_set_elem_alloc();
	if (!e)
		return false;
	uint32_t len = sets[l->set].addr_len;
	uint16_t port = htons(l->port);
	uint8_t key[20] = {0}, end[20] = {0};
	memcpy(key, l->first, len);
	memcpy(key + len, &port, sizeof(port));
	nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, key, len + 4);
	if (sets[l->set].interval) {
		memcpy(end, l->last, len);
		memcpy(end + len, &port, sizeof(port));
		nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY_END, end, len + 4);
	}
	nftnl_set_elem_add(s, e);
	return true;
}

/* All of l[n] belong to one set. */
static void add_elements(struct out *o, const struct literal *l, size_t n)
{
	struct nftnl_set *s = set_begin(l->set, 0);
	bool ok = s;
	for (size_t i = 0; ok && i < n; i++)
		ok = add_element(s, &l[i]);
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

static void load_ct(struct rule *r, uint32_t key)
{
	struct nftnl_expr *e = expr(r, "ct");
	put_u32(e, NFTNL_EXPR_CT_KEY, key);
	put_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
}

/* ct KEY BITS accept */
static void accept_ct(struct out *o, uint32_t key, uint32_t bits)
{
	static const uint32_t zero;
	struct rule r = rule_begin(o, "out");
	load_ct(&r, key);
	mask(&r, &bits);
	compare(&r, NFT_CMP_NEQ, &zero, sizeof(zero));
	verdict(&r, NF_ACCEPT, NULL);
	rule_end(&r);
}

/* tcp dport 1 goto refuse */
static void refuse_listener(struct out *o)
{
	if (GUARD_REMOVED("nft-listener"))
		return;
	uint16_t port = htons(NETNS_RELAY_PORT);
	struct rule r = rule_begin(o, "out");
	match_tcp(&r);
	load_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG_1);
	compare(&r, NFT_CMP_EQ, &port, sizeof(port));
	verdict(&r, (uint32_t)NFT_GOTO, "refuse");
	rule_end(&r);
}

static void log_packet(struct out *o)
{
	struct rule r = rule_begin(o, "refuse");
	struct nftnl_expr *e = expr(&r, "limit");
	if (e) {
		nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, LOG_RATE);
		nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, 1);
	}
	put_u32(e, NFTNL_EXPR_LIMIT_BURST, LOG_BURST);
	put_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	e = expr(&r, "log");
	if (e)
		nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, NETNS_NFLOG_GROUP);
	put_u32(e, NFTNL_EXPR_LOG_SNAPLEN, LOG_SNAPLEN);
	rule_end(&r);
}

static void reject(struct rule *r, uint32_t type, uint8_t code)
{
	expr(r, "counter");
	struct nftnl_expr *e = expr(r, "reject");
	put_u32(e, NFTNL_EXPR_REJECT_TYPE, type);
	if (e)
		nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, code);
}

static void fill_refuse(struct out *o)
{
	log_packet(o);
	struct rule r = rule_begin(o, "refuse");
	match_tcp(&r);
	reject(&r, NFT_REJECT_TCP_RST, 0);
	rule_end(&r);
	r = rule_begin(o, "refuse");
	reject(&r, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
	rule_end(&r);
}

static void fill_out(struct out *o)
{
	/* NF_CT_STATE_BIT is the kernel's 1 << (ctinfo + 1). */
	accept_ct(o, NFT_CT_STATE, 1u << (IP_CT_ESTABLISHED + 1) | 1u << (IP_CT_RELATED + 1));
	accept_ct(o, NFT_CT_STATUS, IPS_DST_NAT);
	refuse_listener(o);
	accept_loopback(o, "out");
	struct rule r = rule_begin(o, "out");
	verdict(&r, (uint32_t)NFT_GOTO, "refuse");
	rule_end(&r);
}

/* How many of l[n], sorted by set, belong to this set; *ret_first: the first of them. */
static size_t slice(
	const struct literal *l, size_t n, enum literal_set set, const struct literal **ret_first)
{
	size_t from = 0, to;
	while (from < n && l[from].set != set)
		from++;
	for (to = from; to < n && l[to].set == set; to++)
		;
	*ret_first = to > from ? &l[from] : NULL;
	return to - from;
}

static size_t cost(const struct literal *l, size_t n)
{
	size_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += sets[l[i].set].interval ? COST_NET : 1;
	return sum;
}

/* meta l4proto tcp redirect to :1 */
static void redirect_all(struct out *o)
{
	struct rule r = rule_begin(o, "nat");
	match_tcp(&r);
	redirect_to_relay(&r);
	rule_end(&r);
}

static void fill_nat(struct out *o, const struct literal *l, size_t n, bool use_sets)
{
	if (n) /* a network such as 0.0.0.0/0 covers loopback */
		accept_loopback(o, "nat");
	if (!use_sets) {
		redirect_all(o);
		return;
	}
	redirect_synthetic(o);
	for (unsigned set = 0; set < LITERAL_SETS; set++) {
		const struct literal *first;
		size_t k = slice(l, n, set, &first);
		if (k)
			redirect_set(o, set);
		for (size_t i = 0; i < k; i += ELEMENTS_A_MESSAGE)
			add_elements(o, first + i, MIN(k - i, (size_t)ELEMENTS_A_MESSAGE));
	}
}

static void fill(struct out *o, const struct literal *l, size_t n)
{
	bool reject_rest = !GUARD_REMOVED("nft-reject");
	bool use_sets = cost(l, n) <= COST_MAX;
	transaction_begin(o);
	add_table(o);
	for (unsigned set = 0; use_sets && set < LITERAL_SETS; set++) {
		const struct literal *first;
		size_t k = slice(l, n, set, &first);
		if (k)
			add_set(o, set, k);
	}
	add_chain(o, "nat", "nat", -100, NF_ACCEPT);
	add_chain(o, "refuse", NULL, 0, 0);
	add_chain(o, "out", "filter", 0, reject_rest ? NF_DROP : NF_ACCEPT);
	fill_nat(o, l, n, use_sets);
	fill_refuse(o);
	if (reject_rest)
		fill_out(o);
	transaction_end(o);
}

int net_build_nft(const struct net_build *b, void **ret, size_t *ret_n, struct err *err)
{
	_cleanup_free_ struct literal *l = NULL;
	size_t n = 0;
	int r = literals_flatten(b->allow, b->n_allow, &l, &n, err);
	if (r < 0)
		return r;
	struct out o = {.seq = 1};
	fill(&o, l, n);
	if (o.failed) {
		free(o.buf);
		return err_sys(err, ENOMEM, "build the nftables rules");
	}
	*ret = o.buf;
	*ret_n = o.n;
	return 0;
}
