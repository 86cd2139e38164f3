/* layer/result.c - see result.h. */
#include "layer/result.h"

#include <stdarg.h>

#include "base/fd.h"

void say(struct result *r, const char *fmt, ...)
{
	char line[20000];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	char *p = n < 0 ? NULL : realloc(r->text, r->n + (size_t)n + 1);
	if (!p)
		return;
	r->text = p;
	memcpy(p + r->n, line, MIN((size_t)n, sizeof(line) - 1) + 1);
	r->n += MIN((size_t)n, sizeof(line) - 1);
}

static void say_counts(struct result *r, const struct layer_counts *c)
{
	say(r, "tar %llu\nsize %llu\nentries %llu\nskipped %llu\n", (unsigned long long)c->tar,
		(unsigned long long)c->size, (unsigned long long)c->entries,
		(unsigned long long)c->skipped);
	char *p = c->notes_n ? realloc(r->text, r->n + c->notes_n + 1) : NULL;
	if (p) {
		memcpy(p + r->n, c->notes, c->notes_n + 1);
		r->text = p;
		r->n += c->notes_n;
	}
	if (c->notes_left_out)
		say(r, "note and %zu more of this kind\n", c->notes_left_out);
}

void say_input(struct result *r, const struct input_digests *d, struct layer_counts *c)
{
	say(r, "diff sha256:%s\nblob sha256:%s %llu %s\n", d->diff, d->blob,
		(unsigned long long)d->bytes, layer_media[d->format]);
	c->tar = d->tar;
	say_counts(r, c);
}

void say_output(struct result *r, const struct output_digests *d, enum layer_format format,
	struct layer_counts *c)
{
	say(r, "diff sha256:%s\nblob sha256:%s %llu %s\n", d->diff, d->blob,
		(unsigned long long)d->bytes, layer_media[format]);
	c->tar = d->tar;
	say_counts(r, c);
}

int say_end(int fd, int r, struct result *res, const struct err *err)
{
	if (r < 0) {
		res->n = 0;
		say(res, "error %s\n", err->msg);
		if (err->code == ENOEXEC)
			say(res, "no-tar\n");
		if (err->hint[0])
			say(res, "hint %s\n", err->hint);
	}
	bool written = res->text && fd_write_all(fd, res->text, res->n) == 0;
	return r < 0 || !written;
}
