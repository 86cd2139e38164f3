/* layer/layer.c - notes. */
#include "layer/layer.h"

#include <stdarg.h>

void layer_note(struct layer_counts *c, const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	if (c->n_notes == LAYER_NOTES_MAX) {
		c->notes_left_out++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	size_t n = strlen(text), need = c->notes_n + n + sizeof("note \n");
	char *p = realloc(c->notes, need);
	if (!p) {
		c->notes_left_out++;
		return;
	}
	c->notes = p;
	snprintf(p + c->notes_n, need - c->notes_n, "note %s\n", text);
	c->notes_n = need - 1;
	c->n_notes++;
}
