/* tests/fuzz/fuzz-codec.c - what a layer is packed with: the first byte tells the format, the rest
 * is the stream.  However it is cut, the same comes out of it, and never more than there is room
 * for.
 */
#include <stdint.h>
#include <string.h>

#include "layer/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MOST = 1 << 20 };

struct outcome {
	int r; /* 1: it ended in its end; 0: too early; else what was wrong */
	size_t n;
	uint64_t sum;
};

static struct outcome unpack(
	enum layer_format format, const uint8_t *data, size_t n, size_t piece, size_t room)
{
	static unsigned char out[4096 + 16];
	struct outcome o = {0};
	struct codec *c = codec_unpacker(format);
	if (!c || room > 4096)
		abort();
	for (size_t p = 0, idle = 0; o.r >= 0 && o.n < MOST && idle < 3;) {
		size_t in = n - p < piece ? n - p : piece, made = room;
		memset(out + room, 0xa5, 16);
		o.r = codec_unpack(c, data + p, &in, out, &made);
		if (in > n - p || made > room || out[room] != 0xa5)
			abort();
		p += in;
		for (size_t i = 0; i < made; i++)
			o.sum = o.sum * 31 + out[i];
		o.n += made;
		if (p == n && o.r == 1)
			break;
		idle = in || made ? 0 : idle + 1;
	}
	codec_free(c);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const enum layer_format formats[] = {LAYER_GZIP, LAYER_ZSTD, LAYER_XZ, LAYER_BZIP2};
	if (n < 2)
		return 0;
	enum layer_format format = formats[data[0] % ARRAY_LEN(formats)];
	struct outcome a = unpack(format, data + 1, n - 1, n, 4096);
	struct outcome b = unpack(format, data + 1, n - 1, 7, 333);
	if (a.n < MOST && b.n < MOST && a.r == 1 && (b.r != 1 || a.n != b.n || a.sum != b.sum))
		abort();
	return 0;
}
