/* build/dockerfile.c - see dockerfile.h: places, names; the reading itself is parse.c's. */
#include <ctype.h>
#include <stdarg.h>

#include "base/escape.h"
#include "build/buf.h"
#include "build/dockerfile.h"

static const char *const names[] = {
	[DF_ADD] = "ADD",
	[DF_ARG] = "ARG",
	[DF_CMD] = "CMD",
	[DF_COPY] = "COPY",
	[DF_ENTRYPOINT] = "ENTRYPOINT",
	[DF_ENV] = "ENV",
	[DF_EXPOSE] = "EXPOSE",
	[DF_FROM] = "FROM",
	[DF_HEALTHCHECK] = "HEALTHCHECK",
	[DF_LABEL] = "LABEL",
	[DF_MAINTAINER] = "MAINTAINER",
	[DF_ONBUILD] = "ONBUILD",
	[DF_RUN] = "RUN",
	[DF_SHELL] = "SHELL",
	[DF_STOPSIGNAL] = "STOPSIGNAL",
	[DF_USER] = "USER",
	[DF_VOLUME] = "VOLUME",
	[DF_WORKDIR] = "WORKDIR",
};

const char *df_name(enum df_kind kind)
{
	return names[kind];
}

static void find_place(struct dockerfile *d, const struct df_line *line, size_t at)
{
	const struct df_seg *seg = NULL;
	if (at > line->n)
		at = line->n;
	for (size_t i = 0; i < line->n_seg && line->seg[i].off <= at; i++)
		seg = &line->seg[i];
	d->err_line = seg ? seg->line : 0;
	d->err_col = seg ? seg->col + (uint32_t)(at - seg->off) : 0;
}

int df_err(struct dockerfile *d, const struct df_line *line, size_t at, struct err *err,
	const char *fmt, ...)
{
	char msg[sizeof(err->msg)], safe[sizeof(err->msg)];
	va_list ap;
	find_place(d, line, at);
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	escape_text(safe, sizeof(safe), msg);
	return err_set(err, EINVAL, "%s:%u:%u: %s", d->file, d->err_line, d->err_col, safe);
}

int df_err_at(struct dockerfile *d, const struct df_line *line, size_t at, struct err *err)
{
	find_place(d, line, at);
	return err_prefix(err, "%s:%u:%u", d->file, d->err_line, d->err_col);
}

#define EXCERPT_MAX 160 /* columns */

char *df_excerpt(struct arena *a, const struct dockerfile *d)
{
	const char *p = d->text, *end = d->text + d->n;
	_cleanup_buf_ struct buf mark = {0};
	if (!d->err_line)
		return arena_dup(a, "");
	for (uint32_t i = 1; i < d->err_line && p; i++) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	if (!p)
		return arena_dup(a, "");
	const char *nl = memchr(p, '\n', (size_t)(end - p));
	size_t n = (size_t)((nl ? nl : end) - p), from = 0;
	size_t col = MIN((size_t)(d->err_col ? d->err_col - 1 : 0), n);
	/* of a long line, what is around the place */
	if (n > EXCERPT_MAX && col > EXCERPT_MAX / 2)
		from = col - EXCERPT_MAX / 2;
	char *text = arena_dupn(a, p + from, MIN(n - from, (size_t)EXCERPT_MAX));
	char *safe = arena_alloc(a, 4 * EXCERPT_MAX + 1);
	if (!text || !safe)
		return NULL;
	for (size_t i = 0; i < col - from; i++)
		buf_char(&mark, text[i] == '\t' ? '\t' : ' ');
	/* tabs stay what they are, so that the caret stands below its place */
	size_t at = 0;
	for (char *c = text; *c; c++) {
		char one[2] = {*c, '\0'};
		if (*c == '\t' || (unsigned char)*c >= 0x80)
			safe[at++] = *c == '\t' ? '\t' : '?';
		else
			at += strlen(escape_text(safe + at, 5, *c == '\\' ? "" : one));
		if (*c == '\\')
			safe[at++] = '\\';
	}
	safe[at] = '\0';
	return arena_printf(a, "  %s\n  %s^\n", safe, mark.s ? mark.s : "");
}

char *df_trigger(struct arena *a, const struct df_inst *i)
{
	_cleanup_buf_ struct buf b = {0};
	buf_str(&b, i->rest);
	for (size_t k = 0; i->sub && k < i->sub->n_docs; k++) {
		const struct df_heredoc *d = &i->sub->docs[k];
		buf_char(&b, '\n');
		buf_add(&b, d->text, d->n);
		buf_str(&b, d->name);
	}
	return buf_take(a, &b);
}

const char *df_flag(const struct df_inst *i, const char *name)
{
	for (size_t k = 0; k < i->n_flags; k++)
		if (streq(i->flags[k].name, name))
			return i->flags[k].value;
	return NULL;
}

const char *df_source(struct arena *a, const struct df_inst *i)
{
	_cleanup_buf_ struct buf b = {0};
	bool gap = false;
	for (const char *c = i->line->text; *c; c++) {
		if (isspace((unsigned char)*c)) {
			gap = b.n > 0;
			continue;
		}
		if (gap)
			buf_char(&b, ' ');
		gap = false;
		buf_char(&b, *c);
	}
	return buf_take(a, &b);
}
