/* layer/output.h - a tar's bytes on their way out: compressed, written, hashed on both sides of
 * that.
 */
#ifndef BAWN_LAYER_OUTPUT_H
#define BAWN_LAYER_OUTPUT_H

#include "layer/hash.h"
#include "layer/layer.h"

struct output;
/* To fd (the caller's); -1: only hashed. */
int output_open(int fd, enum layer_format format, struct output **ret, struct err *err);
int output_put(struct output *o, const void *data, size_t n, struct err *err);
/* n bytes of the file fd from offset on; -EIO if it has not so many. */
int output_put_file(struct output *o, int fd, uint64_t offset, uint64_t n, struct err *err);

struct output_digests {
	char diff[HASH_HEX + 1], blob[HASH_HEX + 1];
	uint64_t tar, bytes; /* before, after compression */
};
int output_end(struct output *o, struct output_digests *ret, struct err *err);
void output_free(struct output *o);

#endif
