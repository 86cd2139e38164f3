/* layer/input.h - the plain bytes of a tar that comes plain or packed in one of four ways, and
 * digests of both.
 *
 * A thread of its own reads and decompresses ahead, and hashes what it reads; the caller hashes
 * what it gets, where that is something else.
 */
#ifndef BAWN_LAYER_INPUT_H
#define BAWN_LAYER_INPUT_H

#include "layer/hash.h"
#include "layer/layer.h"

#define INPUT_TO_END UINT64_MAX

/* By its first bytes, of which INPUT_MAGIC are enough; LAYER_TAR: nothing else that is known. */
#define INPUT_MAGIC 10
enum layer_format input_format(const unsigned char *p, size_t n);

struct input;
/* From fd (the caller's) where it stands, or with `at` from offset on; length bytes of it. */
int input_open(
	int fd, bool at, uint64_t offset, uint64_t length, struct input **ret, struct err *err);
/* For tar_ops.fill; ctx is the struct input. */
int input_fill(void *ctx, const unsigned char **ret, size_t *ret_n, struct err *err);

struct input_digests {
	char diff[HASH_HEX + 1], blob[HASH_HEX + 1];
	uint64_t tar, bytes; /* of the plain tar, of what was read */
	enum layer_format format;
};
/* Once input_fill() has said that it is over. */
int input_end(struct input *in, struct input_digests *ret, struct err *err);
/* Also before the end: what is being read is waited for, which for a pipe may be long. */
void input_free(struct input *in);

#endif
