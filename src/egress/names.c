/* egress/names.c - see names.h
 *
 * Index i below NAMES_MAX_KNOWN is the known pool, address NETNS_SYNTH_NET + 1 + i; the rest is the
 * other pool, in the upper half of the range.  Hash chains start with few buckets and double, so
 * that a quiet sandbox touches a page or two.
 */
#include "egress/names.h"

#include "base/macro.h"
#include "net/netns.h"

enum { N_ENTRIES = NAMES_MAX_KNOWN + NAMES_MAX_OTHER, MAX_BUCKETS = 16384, FIRST_BUCKETS = 64 };
/* How many entries one question may look at for something to recycle. */
enum { RECYCLE_SCAN = 64 };
#define OTHER_BASE (NETNS_SYNTH_NET + (1u << (31 - NETNS_SYNTH_BITS)))

struct entry {
	uint32_t hash;
	uint32_t last; /* second of the last question or flow end */
	uint32_t refs;
	int16_t next; /* chain, -1 ends */
	bool used;
	bool kept; /* came to be allowed: never given to another */
	char text[254];
};

static struct entry entries[N_ENTRIES];
static int16_t buckets[MAX_BUCKETS]; /* index + 1; 0 is empty, so that the BSS needs no init */
static uint32_t n_buckets, n_known, n_other, hand, hash_seed;

_Static_assert(N_ENTRIES < INT16_MAX, "an index fits the chains");

void names_init(uint32_t seed)
{
	memset(buckets, 0, n_buckets * sizeof(buckets[0]));
	memset(entries, 0, n_known * sizeof(entries[0]));
	memset(entries + NAMES_MAX_KNOWN, 0, n_other * sizeof(entries[0]));
	n_buckets = FIRST_BUCKETS;
	n_known = n_other = hand = 0;
	hash_seed = seed;
}

static uint32_t hash_of(const char *s)
{
	uint32_t h = hash_seed ^ 2166136261u;
	for (; *s; s++) {
		h = (h ^ (uint8_t)*s) * 16777619u;
		h ^= h >> 15;
	}
	return h;
}

static void link_entry(int i)
{
	int16_t *head = &buckets[entries[i].hash & (n_buckets - 1)];
	entries[i].next = (int16_t)(*head - 1);
	*head = (int16_t)(i + 1);
}

static void unlink_entry(int i)
{
	int16_t *head = &buckets[entries[i].hash & (n_buckets - 1)];
	if (*head == i + 1) {
		*head = (int16_t)(entries[i].next + 1);
		return;
	}
	for (int k = *head - 1; k >= 0; k = entries[k].next) {
		if (entries[k].next == i) {
			entries[k].next = entries[i].next;
			return;
		}
	}
}

static void grow(void)
{
	if (n_known + n_other < n_buckets || n_buckets == MAX_BUCKETS)
		return;
	memset(buckets, 0, n_buckets * sizeof(buckets[0]));
	n_buckets *= 2;
	for (uint32_t i = 0; i < n_known; i++)
		link_entry((int)i);
	for (uint32_t i = 0; i < n_other; i++)
		if (entries[NAMES_MAX_KNOWN + i].used)
			link_entry((int)(NAMES_MAX_KNOWN + i));
}

static int take_known(enum names_kind kind)
{
	uint32_t max = NAMES_MAX_KNOWN - (kind == NAMES_EXACT ? 0 : NAMES_RESERVED);
	return n_known < max ? (int)n_known++ : -1;
}

static int take_other(uint32_t now)
{
	if (n_other < NAMES_MAX_OTHER)
		return (int)(NAMES_MAX_KNOWN + n_other++);
	for (int scan = 0; scan < RECYCLE_SCAN; scan++) {
		int i = (int)(NAMES_MAX_KNOWN + hand);
		hand = (hand + 1) % NAMES_MAX_OTHER;
		if (entries[i].refs == 0 && !entries[i].kept &&
			now - entries[i].last >= NAMES_RECYCLE_S) {
			unlink_entry(i);
			return i;
		}
	}
	return -1;
}

int names_intern(const char *name, enum names_kind kind, uint32_t now, bool *ret_new)
{
	uint32_t h = hash_of(name);
	*ret_new = false;
	for (int i = buckets[h & (n_buckets - 1)] - 1; i >= 0; i = entries[i].next) {
		if (entries[i].hash == h && streq(entries[i].text, name)) {
			entries[i].last = now;
			entries[i].kept |= kind != NAMES_OTHER;
			return i;
		}
	}
	int i = kind == NAMES_OTHER ? take_other(now) : take_known(kind);
	if (i < 0)
		return -1;
	struct entry *e = &entries[i];
	e->hash = h;
	e->last = now;
	e->refs = 0;
	e->used = true;
	e->kept = false;
	snprintf(e->text, sizeof(e->text), "%s", name);
	link_entry(i);
	grow();
	*ret_new = true;
	return i;
}

uint32_t names_addr(int idx)
{
	return idx < NAMES_MAX_KNOWN ? NETNS_SYNTH_NET + 1 + (uint32_t)idx
				     : OTHER_BASE + (uint32_t)(idx - NAMES_MAX_KNOWN);
}

int names_find_addr(uint32_t addr)
{
	if (addr > NETNS_SYNTH_NET && addr - NETNS_SYNTH_NET - 1 < n_known)
		return (int)(addr - NETNS_SYNTH_NET - 1);
	if (addr >= OTHER_BASE && addr - OTHER_BASE < n_other)
		return (int)(NAMES_MAX_KNOWN + (addr - OTHER_BASE));
	return -1;
}

const char *names_text(int idx)
{
	return entries[idx].text;
}

void names_ref(int idx)
{
	entries[idx].refs++;
}

void names_unref(int idx, uint32_t now)
{
	entries[idx].refs--;
	entries[idx].last = now;
}
