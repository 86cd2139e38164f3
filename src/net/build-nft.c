/* net/build-nft.c - the nftables rules of the sandbox's network namespace; see build.h.
 *
 * Owns: table inet bawn, as netlink transactions.  Must not: send anything.
 *
 * Theory of operation.  There is one interface, lo, and every address is local (build-rtnl.c), so
 * what a program sends passes the output hook and comes in again at prerouting.
 *
 *   out  policy drop, and what a refusal is told from: only a packet that begins a connection (SYN
 *        without ACK) is judged, as without one there is no socket that any other could reach.  It
 *        may go to loopback, to a synthetic address, or to a literal address and port that a rule
 *        names.  ICMP errors are those that `refuse` makes: a program can send none.
 *   loopback
 *        all but the relay's own port, which would show itself as the destination.
 *   relay
 *        at prerouting: what may go to the relay is given to its listener by tproxy, so that the
 *        accepted socket's own address is the destination.  No state is kept beside the sockets':
 *        tracking connections and turning their addresses costs a quarter of a short connection,
 *        and a table that can be filled.
 *   refuse
 *        copies the packet to NFLOG, rate-limited, and rejects without a limit: TCP by a reset, all
 *        else by ICMP; the drop itself makes send(2) fail with EPERM at once, which is what sends
 *        QUIC clients to TCP.
 *
 * A kernel without nft_tproxy gets a second transaction, which does the same by turning addresses
 * (redirect), with connection tracking to tell what belongs to a flow: see net/apply.h.
 *
 * Literals stand in sets keyed by address . port: a hash set for single addresses (1,000 elements
 * load in 0.6 ms), an interval set for networks (6 ms), each made only when it has elements.  More
 * than fits the default socket buffer is not written: then all TCP goes to the relay.
 */
#include <arpa/inet.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>

#include "net/build.h"
#include "net/literals.h"
#include "net/netns.h"
#include "net/nft-batch.h"

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

static const struct nft_set sets[LITERAL_SETS] = {
	[LITERAL_ADDR4] = {"addr4", 1, TYPE_IPV4 << 6 | TYPE_PORT, 8, {4, 2}, false},
	[LITERAL_NET4] = {"net4", 2, TYPE_IPV4 << 6 | TYPE_PORT, 8, {4, 2}, true},
	[LITERAL_ADDR6] = {"addr6", 3, TYPE_IPV6 << 6 | TYPE_PORT, 20, {16, 2}, false},
	[LITERAL_NET6] = {"net6", 4, TYPE_IPV6 << 6 | TYPE_PORT, 20, {16, 2}, true},
};

/* What is done with a packet that may go to the relay. */
enum action { ACCEPT, TPROXY, REDIRECT };

/* The literal addresses of the rules, sorted by set. */
struct literals {
	const struct literal *l;
	size_t n;
	bool use_sets; /* else all TCP may go to the relay, which decides */
};

static void act(struct nft_rule *r, enum action action)
{
	uint16_t port = htons(NETNS_RELAY_PORT);
	if (action == ACCEPT) {
		nft_verdict(r, NF_ACCEPT, NULL);
		return;
	}
	nft_immediate(r, &port, sizeof(port));
	if (action == TPROXY)
		nft_tproxy(r);
	else
		nft_redirect(r);
}

/* ip daddr 127.0.0.0/8 VERDICT; ip6 daddr ::1 VERDICT; ip6 daddr fd62:6177:6e00::1 VERDICT */
static void match_loopback(struct nft_batch *o, const char *chain, uint32_t verdict, const char *to)
{
	uint8_t v4 = IN_LOOPBACKNET;
	struct nft_rule r = nft_rule_begin(o, chain);
	nft_match_family(&r, NFPROTO_IPV4);
	nft_load_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, 16, 1, NFT_REG_1);
	nft_compare(&r, NFT_CMP_EQ, &v4, sizeof(v4));
	nft_verdict(&r, verdict, to);
	nft_rule_end(&r);

	const void *v6[] = {&in6addr_loopback, NETNS_OWN6};
	for (size_t i = 0; i < ARRAY_LEN(v6); i++) {
		r = nft_rule_begin(o, chain);
		nft_match_family(&r, NFPROTO_IPV6);
		nft_load_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, 24, 16, NFT_REG_1);
		nft_compare(&r, NFT_CMP_EQ, v6[i], 16);
		nft_verdict(&r, verdict, to);
		nft_rule_end(&r);
	}
}

/* ip daddr 198.18.0.0/15 meta l4proto tcp ACTION */
static void match_synthetic(struct nft_batch *o, const char *chain, enum action action)
{
	uint32_t bits = htonl(~(UINT32_MAX >> NETNS_SYNTH_BITS));
	uint32_t net = htonl(NETNS_SYNTH_NET);
	struct nft_rule r = nft_rule_begin(o, chain);
	nft_match_family(&r, NFPROTO_IPV4);
	nft_load_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, 16, 4, NFT_REG_1);
	nft_mask(&r, &bits, sizeof(bits));
	nft_compare(&r, NFT_CMP_EQ, &net, sizeof(net));
	nft_match_tcp(&r);
	act(&r, action);
	nft_rule_end(&r);
}

/* ip daddr . tcp dport @SET ACTION */
static void match_set(
	struct nft_batch *o, const char *chain, enum literal_set set, enum action action)
{
	bool v6 = sets[set].field[0] == sizeof(struct in6_addr);
	struct nft_rule r = nft_rule_begin(o, chain);
	nft_match_family(&r, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	nft_match_tcp(&r);
	nft_load_payload(
		&r, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 24 : 16, sets[set].field[0], NFT_REG_1);
	/* The 32-bit registers behind the address. */
	nft_load_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, v6 ? NFT_REG_2 : NFT_REG32_01);
	nft_lookup(&r, &sets[set]);
	act(&r, action);
	nft_rule_end(&r);
}

/* All of l[n] belong to one set; n <= ELEMENTS_A_MESSAGE. */
static void add_elements(struct nft_batch *o, const struct literal *l, size_t n)
{
	struct nft_element e[ELEMENTS_A_MESSAGE];
	const struct nft_set *set = &sets[l->set];
	const size_t len = set->field[0];
	memset(e, 0, sizeof(e));
	for (size_t i = 0; i < n; i++) {
		uint16_t port = htons(l[i].port);
		memcpy(e[i].key, l[i].first, len);
		memcpy(e[i].key + len, &port, sizeof(port));
		memcpy(e[i].end, l[i].last, len);
		memcpy(e[i].end + len, &port, sizeof(port));
	}
	nft_elements(o, set, e, n);
}

/* How many of l[n], sorted by set, belong to this set; *ret_first: the first of them. */
static size_t slice(
	const struct literals *x, enum literal_set set, const struct literal **ret_first)
{
	size_t from = 0, to;
	while (from < x->n && x->l[from].set != set)
		from++;
	for (to = from; to < x->n && x->l[to].set == set; to++)
		;
	*ret_first = to > from ? &x->l[from] : NULL;
	return to - from;
}

/* All that may go to the relay; a network such as 0.0.0.0/0 covers loopback, which goes before. */
static void match_relayed(
	struct nft_batch *o, const char *chain, const struct literals *x, enum action action)
{
	const struct literal *first;
	if (!x->use_sets) {
		struct nft_rule r = nft_rule_begin(o, chain);
		nft_match_tcp(&r);
		act(&r, action);
		nft_rule_end(&r);
		return;
	}
	match_synthetic(o, chain, action);
	for (unsigned set = 0; set < LITERAL_SETS; set++)
		if (slice(x, set, &first))
			match_set(o, chain, set, action);
}

static void fill_sets(struct nft_batch *o, const struct literals *x)
{
	for (unsigned set = 0; x->use_sets && set < LITERAL_SETS; set++) {
		const struct literal *first;
		size_t k = slice(x, set, &first);
		if (k)
			nft_set(o, &sets[set], k);
		for (size_t i = 0; i < k; i += ELEMENTS_A_MESSAGE)
			add_elements(o, first + i, MIN(k - i, (size_t)ELEMENTS_A_MESSAGE));
	}
}

/* ct KEY BITS accept */
static void accept_ct(struct nft_batch *o, uint32_t key, uint32_t bits)
{
	static const uint32_t zero;
	struct nft_rule r = nft_rule_begin(o, "out");
	nft_load_ct(&r, key);
	nft_mask(&r, &bits, sizeof(bits));
	nft_compare(&r, NFT_CMP_NEQ, &zero, sizeof(zero));
	nft_verdict(&r, NF_ACCEPT, NULL);
	nft_rule_end(&r);
}

/* tcp flags & (syn | ack) != syn accept */
static void accept_begun(struct nft_batch *o)
{
	enum { FLAGS_AT = 13, SYN = 0x02, ACK = 0x10 }; /* RFC 9293, 3.1 */
	const uint8_t bits = SYN | ACK, begins = SYN;
	struct nft_rule r = nft_rule_begin(o, "out");
	nft_match_tcp(&r);
	nft_load_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, FLAGS_AT, 1, NFT_REG_1);
	nft_mask(&r, &bits, sizeof(bits));
	nft_compare(&r, NFT_CMP_NEQ, &begins, sizeof(begins));
	nft_verdict(&r, NF_ACCEPT, NULL);
	nft_rule_end(&r);
}

/* icmp type destination-unreachable accept */
static void accept_unreachable(struct nft_batch *o, uint8_t proto, uint8_t type)
{
	struct nft_rule r = nft_rule_begin(o, "out");
	nft_load_meta(&r, NFT_META_L4PROTO);
	nft_compare(&r, NFT_CMP_EQ, &proto, sizeof(proto));
	nft_load_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, NFT_REG_1);
	nft_compare(&r, NFT_CMP_EQ, &type, sizeof(type));
	nft_verdict(&r, NF_ACCEPT, NULL);
	nft_rule_end(&r);
}

/* tcp dport 1 goto refuse */
static void refuse_listener(struct nft_batch *o, const char *chain)
{
	if (GUARD_REMOVED("nft-listener"))
		return;
	uint16_t port = htons(NETNS_RELAY_PORT);
	struct nft_rule r = nft_rule_begin(o, chain);
	nft_match_tcp(&r);
	nft_load_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG_1);
	nft_compare(&r, NFT_CMP_EQ, &port, sizeof(port));
	nft_verdict(&r, (uint32_t)NFT_GOTO, "refuse");
	nft_rule_end(&r);
}

/* For all packets: VERDICT */
static void always(struct nft_batch *o, const char *chain, uint32_t verdict, const char *to)
{
	struct nft_rule r = nft_rule_begin(o, chain);
	nft_verdict(&r, verdict, to);
	nft_rule_end(&r);
}

static void fill_refuse(struct nft_batch *o)
{
	struct nft_rule r = nft_rule_begin(o, "refuse");
	nft_limit(&r, LOG_RATE, LOG_BURST);
	nft_log(&r, NETNS_NFLOG_GROUP, LOG_SNAPLEN);
	nft_rule_end(&r);
	r = nft_rule_begin(o, "refuse");
	nft_match_tcp(&r);
	nft_counter(&r);
	nft_reject(&r, NFT_REJECT_TCP_RST, 0);
	nft_rule_end(&r);
	r = nft_rule_begin(o, "refuse");
	nft_counter(&r);
	nft_reject(&r, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
	nft_rule_end(&r);
}

static void fill_out(struct nft_batch *o, const struct literals *x)
{
	accept_begun(o);
	accept_unreachable(o, IPPROTO_ICMP, ICMP_DEST_UNREACH);
	accept_unreachable(o, IPPROTO_ICMPV6, ICMPV6_DEST_UNREACH);
	match_loopback(o, "out", (uint32_t)NFT_GOTO, "loopback");
	match_relayed(o, "out", x, ACCEPT);
	always(o, "out", (uint32_t)NFT_GOTO, "refuse");
	refuse_listener(o, "loopback");
	always(o, "loopback", NF_ACCEPT, NULL);
}

static void fill_out_tracked(struct nft_batch *o)
{
	/* NF_CT_STATE_BIT is the kernel's 1 << (ctinfo + 1). */
	accept_ct(o, NFT_CT_STATE, 1u << (IP_CT_ESTABLISHED + 1) | 1u << (IP_CT_RELATED + 1));
	accept_ct(o, NFT_CT_STATUS, IPS_DST_NAT);
	refuse_listener(o, "out");
	match_loopback(o, "out", NF_ACCEPT, NULL);
	always(o, "out", (uint32_t)NFT_GOTO, "refuse");
}

static size_t cost(const struct literal *l, size_t n)
{
	size_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += sets[l[i].set].interval ? COST_NET : 1;
	return sum;
}

/* One transaction that makes all of it; tracked: without tproxy. */
static void fill(struct nft_batch *o, const struct literals *x, bool tracked)
{
	const bool reject_rest = !GUARD_REMOVED("nft-reject");
	const struct nft_hook out = {
		"filter", NF_INET_LOCAL_OUT, reject_rest ? NF_DROP : NF_ACCEPT, NF_IP_PRI_FILTER};
	const struct nft_hook nat = {"nat", NF_INET_LOCAL_OUT, NF_ACCEPT, NF_IP_PRI_NAT_DST};
	const struct nft_hook pre = {"filter", NF_INET_PRE_ROUTING, NF_ACCEPT, NF_IP_PRI_MANGLE};
	const char *relay = tracked ? "nat" : "relay";
	nft_transaction_begin(o);
	nft_table(o);
	fill_sets(o, x);
	nft_chain(o, relay, tracked ? &nat : &pre);
	nft_chain(o, "refuse", NULL);
	if (!tracked)
		nft_chain(o, "loopback", NULL);
	nft_chain(o, "out", &out);
	if (x->n)
		match_loopback(o, relay, NF_ACCEPT, NULL);
	match_relayed(o, relay, x, tracked ? REDIRECT : TPROXY);
	fill_refuse(o);
	if (reject_rest && tracked)
		fill_out_tracked(o);
	else if (reject_rest)
		fill_out(o, x);
	nft_transaction_end(o);
}

int net_build_nft(const struct net_build *b, void **ret, size_t *ret_n, struct err *err)
{
	_cleanup_free_ struct literal *l = NULL;
	struct literals x = {0};
	int r = literals_flatten(b->allow, b->n_allow, &l, &x.n, err);
	if (r < 0)
		return r;
	x.l = l;
	x.use_sets = cost(l, x.n) <= COST_MAX;
	struct nft_batch o = {.seq = 1};
	fill(&o, &x, false);
	fill(&o, &x, true);
	if (o.failed) {
		free(o.buf);
		return err_sys(err, ENOMEM, "build the nftables rules");
	}
	*ret = o.buf;
	*ret_n = o.n;
	return 0;
}
