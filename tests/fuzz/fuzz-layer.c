/* tests/fuzz/fuzz-layer.c - a tar from a stranger: what is read of it, that each byte of it is
 * either content or not, that a tree made of it stays in its directory, and that it comes out again
 * as it came in.
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/tree.h"
#include "layer/extract.h"
#include "layer/hash.h"
#include "layer/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct source {
	const uint8_t *p;
	size_t n, piece;
};

/* In pieces of a size that divides nothing, so that everything is cut somewhere. */
static int fill(void *ctx, const unsigned char **ret, size_t *ret_n, struct err *err _unused_)
{
	struct source *s = ctx;
	size_t k = MIN(s->piece, s->n);
	*ret = s->p;
	*ret_n = k;
	s->p += k;
	s->n -= k;
	return 0;
}

static int count(void *ctx, const void *data, size_t n, struct err *err _unused_)
{
	uint64_t *seen = ctx;
	*seen += n;
	return data ? 0 : -EINVAL;
}

struct counted {
	struct source source;
	uint64_t meta;
};

static int counted_fill(void *ctx, const unsigned char **ret, size_t *ret_n, struct err *err)
{
	return fill(&((struct counted *)ctx)->source, ret, ret_n, err);
}

static int counted_meta(void *ctx, const void *data, size_t n, struct err *err)
{
	return count(&((struct counted *)ctx)->meta, data, n, err);
}

/* The reader alone, in pieces of a few bytes. */
static void parse(const uint8_t *data, size_t n)
{
	struct counted c = {{data, n, 7}, 0};
	struct tar *t = tar_new(
		&(struct tar_ops){.fill = counted_fill, .meta = counted_meta, .ctx = &c});
	struct tar_entry e;
	const void *p;
	uint64_t offset, content = 0;
	size_t k;
	int r;
	if (!t)
		return;
	while ((r = tar_next(t, &e, NULL)) > 0) {
		uint64_t sum = 0;
		for (size_t i = 0; i < e.n_segs; i++)
			sum += e.segs[i].n;
		if (!e.path[0] || strlen(e.path) > TAR_PATH_MAX || e.mode > 07777 ||
			(e.type != TAR_FILE && sum))
			abort();
		while ((r = tar_data(t, &p, &k, &offset, NULL)) > 0) {
			if (offset > e.size || k > e.size - offset)
				abort();
			content += k;
			sum -= k;
		}
		if (r < 0 || sum)
			break;
	}
	if (r == 0 && (c.meta + content != n || tar_position(t) != n))
		abort();
	tar_free(t);
}

static int extract_to(int dir, const uint8_t *data, size_t n)
{
	struct source s = {data, n, 1000};
	struct layer_counts c = {0};
	struct extract_in in = {.dir = dir,
		.limits = {.bytes = 1 << 20, .entries = 1000, .meta = 1 << 20, .depth = 50},
		.fill = fill,
		.ctx = &s};
	int r = extract(&in, &c, NULL);
	free(c.notes);
	return r;
}

static void round_trip(int dir, const uint8_t *data, size_t n)
{
	struct layer_counts c = {0};
	struct output_digests d;
	struct output *out;
	char want[HASH_HEX + 1];
	struct hash *h = hash_new();
	if (!h || output_open(-1, LAYER_TAR, &out, NULL) < 0)
		abort();
	hash_add(h, data, n);
	hash_end(h, want);
	hash_free(h);
	if (unpack(dir, out, &c, NULL) < 0 || output_end(out, &d, NULL) < 0 ||
		strcmp(d.diff, want) != 0)
		abort();
	output_free(out);
}

static char place[] = "/tmp/fuzz-layer.XXXXXX";

static void remove_place(void)
{
	rmdir(place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static int top = -1;
	if (top < 0) {
		umask(0);
		if (hash_init(NULL) < 0 || !mkdtemp(place))
			abort();
		top = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (top < 0 || atexit(remove_place) != 0)
			abort();
	}
	parse(data, n);
	if (mkdirat(top, "l", 0700) < 0)
		abort();
	int dir = openat(top, "l", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		abort();
	if (extract_to(dir, data, n) == 0)
		round_trip(dir, data, n);
	close(dir);
	if (tree_remove(top, "l", NULL) < 0)
		abort();
	return 0;
}
