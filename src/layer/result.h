/* layer/result.h - the text in which bawn-layer says what it has done; its lines are in layer.h.
 */
#ifndef BAWN_LAYER_RESULT_H
#define BAWN_LAYER_RESULT_H

#include "layer/input.h"
#include "layer/output.h"

struct result {
	char *text;
	size_t n;
};

/* One or more lines; foreign text in it is escaped. */
void say(struct result *r, const char *fmt, ...) _printf_(2, 3);
void say_input(struct result *r, const struct input_digests *d, struct layer_counts *c);
void say_output(struct result *r, const struct output_digests *d, enum layer_format format,
	struct layer_counts *c);
/* Write it to fd, or the error alone.  The exit status. */
int say_end(int fd, int r, struct result *res, const struct err *err);

#endif
