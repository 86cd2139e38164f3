/* gate/scan.c - a stream of bytes, through a window; see scan.h */
#include "gate/scan.h"

#include "base/path.h"
#include "gate/names.h"

#define WINDOW ((size_t)1 << 20)
#define HEAD 512 /* tells what a file is */

static bool is_allowed(const struct scan *s)
{
	for (size_t i = 0; i < s->req->allow.n; i++)
		if (path_within(s->path, s->req->allow.v[i]))
			return true;
	return false;
}

void scan_found(struct scan *s, uint64_t line, const char *what, bool known)
{
	char words[512];
	const char *given = known ? NULL : gate_published(*s->member ? s->member : s->path);
	const bool allowed = given || is_allowed(s);
	const struct gate_item it = {s->path, s->member, words, line};
	uint64_t *n = allowed ? &s->t.n_allowed : &s->t.n_found;
	if (line && line == s->line && s->told && !known)
		return; /* one a line will do */
	snprintf(words, sizeof(words), "%s%s%s", what, given ? ", " : "", given ? given : "");
	s->line = line;
	++*n;
	if (s->told++ < GATE_FOUND_FILE && *n <= GATE_FOUND_MAX)
		gate_result_put(&s->out, allowed ? GATE_TAG_ALLOWED : GATE_TAG_FOUND, &it);
}

void scan_unseen(struct scan *s, const char *why)
{
	const struct gate_item it = {s->path, s->member, why, 0};
	if (++s->t.n_unseen <= GATE_FOUND_MAX)
		gate_result_put(&s->out, GATE_TAG_UNSEEN, &it);
}

/* ---- pieces that are there whole ---- */

struct piece {
	struct scan *s;
	const char *where;
};

static void on_piece(void *ctx, size_t at, const char *kind, bool known)
{
	const struct piece *p = ctx;
	char what[256];
	(void)at;
	snprintf(what, sizeof(what), "%s, in %s", kind, p->where);
	scan_found(p->s, 0, what, known);
}

void scan_bytes(struct scan *s, enum gate_manner how, const void *v, size_t n, const char *where)
{
	struct piece p = {s, where};
	gate_match(s->set, how, v, 0, n, n, on_piece, &p);
}

/* ---- streams ---- */

struct lines {
	struct scan *s;
	const unsigned char *b;
	size_t at;     /* as far as they are counted */
	uint64_t line; /* there */
};

static void count_to(struct lines *l, size_t at)
{
	while (l->at < at) {
		const unsigned char *p = memchr(l->b + l->at, '\n', at - l->at);
		if (!p) {
			l->at = at;
			return;
		}
		l->line++;
		l->at = (size_t)(p - l->b) + 1;
	}
}

static void on_hit(void *ctx, size_t at, const char *kind, bool known)
{
	struct lines *l = ctx;
	if (at >= l->at) /* a value on a line below the name's; the one before counts */
		count_to(l, at);
	scan_found(l->s, l->line, kind, known);
}

static ssize_t fill(const struct scan_source *from, unsigned char *b, size_t n, size_t cap)
{
	while (n < cap) {
		ssize_t k = from->read(from->ctx, b + n, cap - n);
		if (k < 0)
			return k;
		if (k == 0)
			break;
		n += (size_t)k;
	}
	return (ssize_t)n;
}

/* NUL bytes early on: no text. */
static bool is_binary(const unsigned char *b, size_t n)
{
	return memchr(b, 0, MIN(n, GATE_AHEAD)) != NULL;
}

static enum gate_manner manner_of(const struct scan *s, const unsigned char *b, size_t n)
{
	enum gate_manner how = gate_manner_of(*s->member ? s->member : s->path);
	/* also a class of Java's */
	if (n >= 4 && (memcmp(b, "\177ELF", 4) == 0 || memcmp(b, "\xca\xfe\xba\xbe", 4) == 0))
		return GATE_OBJECT;
	return is_binary(b, n) ? MAX(how, GATE_BINARY) : how;
}

static int scan_text(
	struct scan *s, const struct scan_source *from, unsigned char *b, size_t cap, size_t n)
{
	const size_t ahead = gate_ahead(s->set);
	enum gate_manner how = GATE_PLAIN;
	struct lines l = {.s = s, .b = b, .line = 1};
	size_t begin = 0;
	bool first = true;
	for (;;) {
		ssize_t k = fill(from, b, n, cap);
		if (k < 0)
			return (int)k;
		s->t.bytes += (uint64_t)k - n;
		n = (size_t)k;
		if (first)
			how = manner_of(s, b, n);
		first = false;
		const bool last = n < cap;
		const size_t to = last ? n : n - ahead;
		gate_match(s->set, how, b, begin, to, n, on_hit, &l);
		if (last)
			return 0;
		count_to(&l, to);
		begin = MIN(to, GATE_BEHIND);
		memmove(b, b + to - begin, n - to + begin);
		n -= to - begin;
		l.at = l.at > to - begin ? l.at - (to - begin) : 0;
	}
}

int scan_stream(struct scan *s, const struct scan_source *from, unsigned int nest)
{
	struct scan_window *w = &s->window[nest];
	bool known = true;
	if (!w->b) {
		w->cap = WINDOW + 2 * gate_ahead(s->set);
		w->b = malloc(w->cap);
	}
	if (!w->b)
		return -ENOMEM;
	/* a small file comes whole with its head */
	ssize_t n = fill(from, w->b, 0, HEAD);
	if (n < 0)
		return (int)n;
	const char *kind = archive_kind(w->b, (size_t)n, &known);
	if (!kind) {
		const char *key = gate_binary_key(w->b, (size_t)n);
		if (key)
			scan_found(s, 0, key, false);
		s->t.bytes += (uint64_t)n;
		return scan_text(s, from, w->b, w->cap, (size_t)n);
	}
	if (!known || nest >= GATE_NEST_MAX) {
		scan_unseen(s, known ? "an archive in too many others" : kind);
		/* what of it is not compressed is text as any other: names of members */
		return scan_text(s, from, w->b, w->cap, (size_t)n);
	}
	return archive_scan(s, from, w->b, (size_t)n, nest);
}
