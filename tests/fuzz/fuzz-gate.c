/* tests/fuzz/fuzz-gate.c - the gate's scanner on any bytes: text in every manner, archives, and the
 * result that its caller reads.  The first byte says which. */
#include <stdint.h>
#include <stdlib.h>

#include "gate/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void on_hit(void *ctx, size_t at, const char *kind, bool known)
{
	(void)known;
	if (at >= *(size_t *)ctx || !*kind)
		abort();
}

struct bytes {
	const uint8_t *p;
	size_t n;
};

static ssize_t give(void *ctx, void *buf, size_t n)
{
	struct bytes *b = ctx;
	n = MIN(n, b->n);
	memcpy(buf, b->p, n);
	b->p += n;
	b->n -= n;
	return (ssize_t)n;
}

static void stream(struct gate_set *set, const uint8_t *data, size_t n)
{
	static struct scan s;
	static const struct gate_request none;
	struct bytes b = {data, n};
	const struct scan_source from = {give, &b};
	blob_free(&s.out);
	s.set = set;
	s.req = &none;
	s.path = "home/agent/.env";
	s.member = "";
	s.told = s.line = 0;
	/* a bomb ends here sooner than in the gate */
	s.unpacked = GATE_UNPACKED_MAX - ((uint64_t)8 << 20);
	s.t = (struct gate_totals){0};
	scan_stream(&s, &from, 0);
	blob_put(&s.out, GATE_TAG_TOTALS, &s.t, sizeof(s.t));
	struct arena a = {0};
	struct gate_result r;
	struct err err = {0};
	if (gate_result_read(&a, s.out.data, s.out.n, &r, &err) < 0)
		abort(); /* what it writes can be read */
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct gate_set set;
	if (!set.n &&
		(gate_set_begin(&set) < 0 ||
			gate_set_add(&set, "the secret x", "tr/4ub+our-\"9x", 14) < 0))
		abort();
	if (!n)
		return 0;
	const unsigned int how = data[0] % 8;
	size_t len = n - 1;
	if (how <= GATE_OBJECT) {
		gate_match(&set, (enum gate_manner)how, data + 1, 0, len, len, on_hit, &len);
	} else if (how == GATE_OBJECT + 1) {
		stream(&set, data + 1, len);
	} else {
		struct arena a = {0};
		struct gate_result r;
		struct err err = {0};
		char *copy = arena_dupn(&a, (const char *)data + 1, len);
		if (copy)
			gate_result_read(&a, copy, len, &r, &err);
		arena_free(&a);
	}
	return 0;
}
