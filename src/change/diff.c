/* change/diff.c - see diff.h
 *
 * Theory: every distinct line becomes a number.  Lines that the other side has nowhere are changed,
 * and left out.  Of the rest, the shortest edit script is found by meeting in the middle: from both
 * ends, for each diagonal (a minus b), how far one gets with k edits; where the two fronts meet,
 * the path is cut in two halves that are solved the same way.  That takes memory for two fronts
 * only.
 */
#include "change/diff.h"

#include <errno.h>

#define COST_MIN 256

static uint64_t hash_line(const char *p, size_t n)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 1099511628211u;
	return h ^ h >> 29;
}

static int split_lines(struct diff_side *s, const char *text, size_t n)
{
	size_t lines = 0, k = 0;
	if (n >= INT32_MAX)
		return -E2BIG;
	for (const char *p = text, *end = text + n; p < end; lines++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		p = nl ? nl + 1 : end;
	}
	if (lines > DIFF_LINES_MAX)
		return -E2BIG;
	s->text = text;
	s->n = (uint32_t)lines;
	s->start = calloc(lines + 1, sizeof(*s->start));
	s->class = calloc(lines + 1, sizeof(*s->class));
	s->kept = calloc(lines + 1, sizeof(*s->kept));
	s->changed = calloc(lines + 1, 1);
	if (!s->start || !s->class || !s->kept || !s->changed)
		return -ENOMEM;
	for (size_t at = 0; k < lines; k++) {
		s->start[k] = (uint32_t)at;
		const char *nl = memchr(text + at, '\n', n - at);
		at = nl ? (size_t)(nl - text) + 1 : n;
	}
	s->start[lines] = (uint32_t)n;
	return 0;
}

/* Number the distinct lines of both sides; drop those that only one side has. */
static int classify(struct diff *d)
{
	struct diff_side *side[2] = {&d->a, &d->b};
	size_t total = (size_t)d->a.n + d->b.n, slots = 64;
	uint32_t classes = 0;
	while (slots < total * 2)
		slots *= 2;
	struct slot {
		uint64_t hash;
		uint32_t line, class; /* line: of both sides in a row, + 1 */
	} *table = calloc(slots, sizeof(*table));
	unsigned char *seen = calloc(total + 1, 1); /* by class: 1 in a, 2 in b */
	if (!table || !seen) {
		free(table);
		free(seen);
		return -ENOMEM;
	}
	for (size_t i = 0; i < total; i++) {
		struct diff_side *s = side[i >= d->a.n];
		uint32_t k = (uint32_t)(i >= d->a.n ? i - d->a.n : i);
		const char *p = s->text + s->start[k];
		size_t n = s->start[k + 1] - s->start[k];
		uint64_t h = hash_line(p, n);
		struct slot *x = &table[h & (slots - 1)];
		for (; x->line; x = x == &table[slots - 1] ? table : x + 1) {
			size_t o = x->line - 1;
			const struct diff_side *t = side[o >= d->a.n];
			size_t l = o >= d->a.n ? o - d->a.n : o;
			if (x->hash == h && t->start[l + 1] - t->start[l] == n &&
				memcmp(t->text + t->start[l], p, n) == 0)
				break;
		}
		if (!x->line)
			*x = (struct slot){h, (uint32_t)i + 1, classes++};
		s->class[k] = x->class;
		seen[x->class] |= i >= d->a.n ? 2 : 1;
	}
	for (int w = 0; w < 2; w++)
		for (uint32_t k = 0; k < side[w]->n; k++) {
			if (seen[side[w]->class[k]] == 3)
				side[w]->kept[side[w]->n_kept++] = k;
			else
				side[w]->changed[k] = 1;
		}
	free(table);
	free(seen);
	return 0;
}

struct front {
	int32_t *v; /* by diagonal; may be indexed from -(nb + 1) to na + 1 */
	int32_t lo, hi;
};

struct box {
	int32_t a0, a1, b0, b1;
};

static bool same(const struct diff *d, int32_t x, int32_t y)
{
	return d->a.class[d->a.kept[x]] == d->b.class[d->b.kept[y]];
}

/* Widen a front by one diagonal on each side, or narrow it where the box ends. */
static void widen(struct front *f, int32_t lo, int32_t hi, int32_t outside)
{
	if (f->lo > lo)
		f->v[--f->lo - 1] = outside;
	else
		f->lo++;
	if (f->hi < hi)
		f->v[++f->hi + 1] = outside;
	else
		f->hi--;
}

static bool step_forward(const struct diff *d, const struct box *x, struct front *f,
	const struct front *back, bool meets, int32_t *ra, int32_t *rb)
{
	widen(f, x->a0 - x->b1, x->a1 - x->b0, -1);
	for (int32_t k = f->hi; k >= f->lo; k -= 2) {
		int32_t i = f->v[k - 1] >= f->v[k + 1] ? f->v[k - 1] + 1 : f->v[k + 1];
		while (i < x->a1 && i - k < x->b1 && same(d, i, i - k))
			i++;
		f->v[k] = i;
		if (meets && k >= back->lo && k <= back->hi && back->v[k] <= i) {
			*ra = i;
			*rb = i - k;
			return true;
		}
	}
	return false;
}

static bool step_back(const struct diff *d, const struct box *x, struct front *f,
	const struct front *ahead, bool meets, int32_t *ra, int32_t *rb)
{
	widen(f, x->a0 - x->b1, x->a1 - x->b0, INT32_MAX);
	for (int32_t k = f->hi; k >= f->lo; k -= 2) {
		int32_t i = f->v[k - 1] < f->v[k + 1] ? f->v[k - 1] : f->v[k + 1] - 1;
		while (i > x->a0 && i - k > x->b0 && same(d, i - 1, i - 1 - k))
			i--;
		f->v[k] = i;
		if (meets && k >= ahead->lo && k <= ahead->hi && i <= ahead->v[k]) {
			*ra = i;
			*rb = i - k;
			return true;
		}
	}
	return false;
}

/* Too dear: the point furthest from the start that was reached. */
static void best_so_far(const struct box *x, const struct front *f, int32_t *ra, int32_t *rb)
{
	int64_t best = -1;
	for (int32_t k = f->hi; k >= f->lo; k -= 2) {
		int32_t i = MIN(f->v[k], x->a1), j = i - k;
		if (j > x->b1) {
			j = x->b1;
			i = j + k;
		}
		if (i < x->a0 || j < x->b0)
			continue;
		if ((int64_t)i + j > best) {
			best = (int64_t)i + j;
			*ra = i;
			*rb = j;
		}
	}
}

static void find_split(struct diff *d, const struct box *x, int32_t *ra, int32_t *rb)
{
	size_t span = (size_t)d->a.n_kept + d->b.n_kept + 4;
	struct front f = {.v = d->vectors + d->b.n_kept + 2}, b = {.v = f.v + span};
	uint32_t max = COST_MIN;
	while ((uint64_t)max * max < span)
		max++;
	f.lo = f.hi = x->a0 - x->b0;
	b.lo = b.hi = x->a1 - x->b1;
	f.v[f.lo] = x->a0;
	b.v[b.lo] = x->a1;
	bool odd = (f.lo - b.lo) & 1;
	for (uint32_t cost = 1;; cost++) {
		if (step_forward(d, x, &f, &b, odd, ra, rb) ||
			step_back(d, x, &b, &f, !odd, ra, rb))
			return;
		if (cost >= max) {
			*ra = x->a0;
			*rb = x->b0;
			best_so_far(x, &f, ra, rb);
			return;
		}
	}
}

/* The larger half is done by going on, so that the stack stays logarithmic. */
static void solve(struct diff *d, struct box x)
{
	for (;;) {
		while (x.a0 < x.a1 && x.b0 < x.b1 && same(d, x.a0, x.b0))
			x.a0++, x.b0++;
		while (x.a0 < x.a1 && x.b0 < x.b1 && same(d, x.a1 - 1, x.b1 - 1))
			x.a1--, x.b1--;
		if (x.a0 == x.a1 || x.b0 == x.b1)
			break;
		int32_t a = x.a0, b = x.b0;
		find_split(d, &x, &a, &b);
		struct box l = {x.a0, a, x.b0, b}, r = {a, x.a1, b, x.b1};
		int64_t nl = (int64_t)(a - x.a0) + (b - x.b0),
			nr = (int64_t)(x.a1 - a) + (x.b1 - b);
		if (nl == 0 || nr == 0)
			break; /* no progress: all of it changed */
		solve(d, nl < nr ? l : r);
		x = nl < nr ? r : l;
	}
	for (int32_t i = x.a0; i < x.a1; i++)
		d->a.changed[d->a.kept[i]] = 1;
	for (int32_t i = x.b0; i < x.b1; i++)
		d->b.changed[d->b.kept[i]] = 1;
}

/* A run of changed lines that could as well be said to begin later is moved down: an added function
 * then ends with its own closing brace.  Runs that meet become one.  While one side moves, its
 * partner's unchanged lines are passed one by one. */
static void settle(struct diff_side *s, const struct diff_side *o)
{
	uint32_t i = 0, k = 0; /* k: in o, in step with i */
	for (;;) {
		while (i < s->n && !s->changed[i]) {
			while (k < o->n && o->changed[k])
				k++;
			i++, k++;
		}
		if (i >= s->n)
			return;
		uint32_t start = i;
		while (i < s->n && s->changed[i])
			i++;
		/* not where the other side has changes too: that is a replacement */
		if (k < o->n && o->changed[k])
			continue;
		while (i < s->n && s->class[start] == s->class[i] && !(k < o->n && o->changed[k])) {
			s->changed[start++] = 0;
			s->changed[i++] = 1;
			k++;
			while (i < s->n && s->changed[i])
				i++;
		}
	}
}

int diff_texts(struct diff *d, const char *a, size_t na, const char *b, size_t nb)
{
	*d = (struct diff){0};
	int r = split_lines(&d->a, a, na);
	if (r == 0)
		r = split_lines(&d->b, b, nb);
	if (r == 0)
		r = classify(d);
	if (r < 0)
		return r;
	d->vectors = calloc(2 * ((size_t)d->a.n_kept + d->b.n_kept + 4) + 4, sizeof(*d->vectors));
	if (!d->vectors)
		return -ENOMEM;
	solve(d, (struct box){0, (int32_t)d->a.n_kept, 0, (int32_t)d->b.n_kept});
	settle(&d->a, &d->b);
	settle(&d->b, &d->a);
	return 0;
}

static void free_side(struct diff_side *s)
{
	free(s->start);
	free(s->class);
	free(s->kept);
	free(s->changed);
}

void diff_free(struct diff *d)
{
	free_side(&d->a);
	free_side(&d->b);
	free(d->vectors);
	*d = (struct diff){0};
}

bool diff_next(const struct diff *d, uint32_t *a0, uint32_t *a1, uint32_t *b0, uint32_t *b1)
{
	uint32_t i = *a1, k = *b1;
	while (i < d->a.n && k < d->b.n && !d->a.changed[i] && !d->b.changed[k])
		i++, k++;
	*a0 = i;
	*b0 = k;
	while (i < d->a.n && d->a.changed[i])
		i++;
	while (k < d->b.n && d->b.changed[k])
		k++;
	*a1 = i;
	*b1 = k;
	return *a1 > *a0 || *b1 > *b0;
}
