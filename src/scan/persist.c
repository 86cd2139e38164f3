/* scan/persist.c - see persist.h */
#include "scan/persist.h"

#include <stdint.h>

#include "base/digest.h"
#include "base/path.h"

#define ROWS_MAX 2048
#define SLOTS 4096 /* a power of two, twice what there are names, or more */
static struct persist_rule rules[ROWS_MAX];
static char pool[ROWS_MAX * 16]; /* their names */
static size_t n_rules;
static uint16_t slot[SLOTS]; /* names and root commands, open addressing */
/* Chains by the byte that a pattern begins, or ends, with, and a directory's name; rows + 1. */
static uint16_t first[256], last[256], dirs[256], next[ROWS_MAX];
static bool ready; /* filled at first use, which is before there are threads */

static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h ^ h >> 15;
}

/* The name of a directory's rule, without its parent. */
static const char *dir_base(const struct persist_rule *r)
{
	const char *slash = strchr(r->name, '/');
	return slash ? slash + 1 : r->name;
}

static void put_row(const struct persist_rule *r)
{
	uint16_t row = (uint16_t)++n_rules;
	const char *name = r->name;
	rules[row - 1] = *r;
	uint16_t *chain = r->how == PERSIST_PREFIX ? &first[(unsigned char)name[0]]
		: r->how == PERSIST_SUFFIX || r->how == PERSIST_DOT
		? &last[(unsigned char)name[strlen(name) - 1]]
		: r->how == PERSIST_DIR && *name ? &dirs[(unsigned char)dir_base(r)[0]]
						 : NULL;
	if (chain) {
		next[row - 1] = *chain;
		*chain = row;
	}
	if (r->how != PERSIST_NAME && r->how != PERSIST_ROOT)
		return;
	uint32_t k = hash(name) % SLOTS;
	while (slot[k])
		k = (k + 1) % SLOTS;
	slot[k] = row;
}

static void fill(void)
{
	size_t used = 0;
	for (size_t i = 0; i < persist_n_groups; i++) {
		const struct persist_group *g = &persist_groups[i];
		const char *p = g->names;
		do {
			size_t n = strcspn(p, " ");
			/* test-scan sees that all have room */
			if (n_rules == ROWS_MAX || sizeof(pool) - used < n + 1)
				return;
			memcpy(pool + used, p, n);
			put_row(&(struct persist_rule){.name = pool + used,
				.how = g->how,
				.per = g->per,
				.check = g->check,
				.automatic = g->automatic,
				.what = g->what});
			used += n + 1;
			p += n + (p[n] == ' ');
		} while (*p);
	}
	ready = true;
}

static void need_table(void)
{
	if (!ready)
		fill();
}

/* Does base match the pattern row r?  An end alone (".mk") is no such file. */
static bool matches(const struct persist_rule *r, const char *base, size_t n)
{
	size_t k = strlen(r->name);
	if (r->how == PERSIST_PREFIX)
		return n >= k && memcmp(base, r->name, k) == 0;
	return n > k && memcmp(base + n - k, r->name, k) == 0 &&
		(r->how == PERSIST_SUFFIX || base[0] == '.');
}

uint16_t persist_file(const char *base, bool root)
{
	need_table();
	for (uint32_t k = hash(base) % SLOTS; slot[k]; k = (k + 1) % SLOTS) {
		const struct persist_rule *r = &rules[slot[k] - 1];
		if (streq(r->name, base) && (r->how == PERSIST_NAME || root))
			return slot[k];
	}
	/* Few patterns begin, or end, with any one byte; the chains make this cheap for 100,000
	 * files. */
	size_t n = strlen(base);
	for (uint16_t i = n ? first[(unsigned char)base[0]] : 0; i; i = next[i - 1])
		if (matches(&rules[i - 1], base, n))
			return i;
	for (uint16_t i = n ? last[(unsigned char)base[n - 1]] : 0; i; i = next[i - 1])
		if (matches(&rules[i - 1], base, n))
			return i;
	return 0;
}

uint16_t persist_dir(const char *base, const char *parent)
{
	need_table();
	for (uint16_t i = dirs[(unsigned char)base[0]]; i; i = next[i - 1]) {
		const struct persist_rule *r = &rules[i - 1];
		const char *slash = strchr(r->name, '/');
		if (streq(dir_base(r), base) &&
			(!slash ||
				(strlen(parent) == (size_t)(slash - r->name) &&
					has_prefix(r->name, parent))))
			return i;
	}
	return 0;
}

const struct persist_rule *persist_row(uint16_t row_plus_1)
{
	need_table();
	return row_plus_1 && row_plus_1 <= n_rules ? &rules[row_plus_1 - 1] : NULL;
}

struct digest persist_digest(const struct persist_group *groups, size_t n)
{
	struct digest d = {0};
	for (size_t i = 0; i < n; i++) {
		const struct persist_group *g = &groups[i];
		const uint8_t head[] = {g->how, g->check, g->per, g->automatic};
		d = digest_add(d, head, sizeof(head));
		d = digest_add(d, g->what, strlen(g->what));
		d = digest_add(d, g->names, strlen(g->names));
	}
	return d;
}

bool persist_pyc_runs(const char *path, const void *head, size_t n)
{
	enum { FLAGS_AT = 4, BY_HASH = 1, CHECKED = 2 };
	static const char dir[] = "__pycache__/";
	const size_t k = sizeof(dir) - 1, base = (size_t)(path_base(path) - path);
	bool cached = base >= k && memcmp(path + base - k, dir, k) == 0 &&
		(base == k || path[base - k - 1] == '/');
	const unsigned char *p = head;
	return !cached || (n > FLAGS_AT && p[FLAGS_AT] & BY_HASH && !(p[FLAGS_AT] & CHECKED));
}

bool persist_module_source(const char *base, char *ret, size_t n)
{
	const size_t k = strcspn(base, ".");
	return k && snprintf(ret, n, "%.*s.py", (int)k, base) < (int)n;
}

uint16_t persist_hooks_path(void)
{
	return 1;
}
