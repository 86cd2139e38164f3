/* tests/fuzz/fuzz-vault-frames.c - frames of a WebSocket: the same payload, kinds and ends however
 * they are cut; nothing but whole heads is eaten without being told of; a head that was taken for
 * one is written again as it was.  The first byte says whose frames they are.
 */
#include <stdlib.h>
#include <string.h>

#include "vault/buf.h"
#include "vault/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What was told, as bytes: B kind fin length for a beginning, E for an end, else payload. */
static ssize_t walk(bool masked, const char *p, size_t n, size_t step, struct buf *told)
{
	struct frames f = {.masked = masked};
	struct frame_piece piece;
	size_t at = 0;
	while (at < n) {
		const size_t see = MIN(step, n - at);
		const ssize_t used = frame_next(&f, p + at, see, &piece);
		if (used < 0)
			return used;
		if (used == 0 || (size_t)used > see || piece.data.n > (size_t)used)
			abort();
		if (piece.begins) {
			char head[FRAME_HEAD_MAX];
			const size_t len = frame_head(f.kind, f.fin, f.length, head);
			buf_add(told, "B", 1);
			buf_add(told, head, len);
			if (head[0] != (char)f.head[0] || (head[1] & 0x7f) != (f.head[1] & 0x7f) ||
				memcmp(head + 2, f.head + 2, len - 2) != 0)
				abort();
		}
		buf_add(told, piece.data.p, piece.data.n);
		if (piece.ends)
			buf_add(told, "E", 1);
		at += (size_t)used;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf whole = {0}, bytes = {0};
	if (n < 1 || n > 65536)
		return 0;
	const char *p = (const char *)data + 1;
	const ssize_t a = walk(*data & 1, p, n - 1, n, &whole);
	const ssize_t b = walk(*data & 1, p, n - 1, 1, &bytes);
	if (a != b || (a == 0 && whole.n != bytes.n) ||
		(a == 0 && whole.n && memcmp(buf_data(&whole), buf_data(&bytes), whole.n) != 0))
		abort();
	buf_free(&whole);
	buf_free(&bytes);
	return 0;
}
