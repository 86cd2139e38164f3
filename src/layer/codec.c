/* layer/codec.c - see codec.h.
 *
 * What a stranger's stream may ask for is bounded: zlib takes 44 KB, bzip2 4 MB, zstd and xz what
 * their windows say, of which those that their tools don't make without being forced are refused.
 */
#include "layer/codec.h"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#define WINDOW_BITS (15 + 16)           /* zlib's most; 16: gzip's header and checksum */
#define ZSTD_WINDOW_LOG 27              /* 128 MiB; what zstd itself takes without being told */
#define XZ_MEMORY ((uint64_t)256 << 20) /* xz -9 takes 65 MiB */
enum { GZIP_LEVEL = 6, GZIP_MEMORY = 9, ZSTD_LEVEL = 3 };

struct codec {
	enum layer_format format;
	bool packs, ready;
	z_stream z;
	lzma_stream xz;
	bz_stream bz;
	ZSTD_DCtx *unzstd;
	ZSTD_CCtx *zstd;
};

static bool ok(size_t zstd_result)
{
	return !ZSTD_isError(zstd_result);
}

static struct codec *ready(struct codec *c)
{
	if (c && c->ready)
		return c;
	codec_free(c);
	return NULL;
}

/* The beginning of an xz file, or of the next one behind it. */
static bool begin_xz(struct codec *c)
{
	const uint64_t most = GUARD_REMOVED("layer-memory") ? UINT64_MAX : XZ_MEMORY;
	return lzma_stream_decoder(&c->xz, most, 0) == LZMA_OK;
}

static bool begin_bzip2(struct codec *c)
{
	c->bz = (bz_stream){0};
	return BZ2_bzDecompressInit(&c->bz, 0, 0) == BZ_OK;
}

static bool begin_zstd(struct codec *c)
{
	c->unzstd = ZSTD_createDCtx();
	return c->unzstd &&
		ok(ZSTD_DCtx_setParameter(c->unzstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
}

struct codec *codec_unpacker(enum layer_format format)
{
	struct codec *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->format = format;
	c->ready = format == LAYER_GZIP ? inflateInit2(&c->z, WINDOW_BITS) == Z_OK
		: format == LAYER_XZ    ? begin_xz(c)
		: format == LAYER_BZIP2 ? begin_bzip2(c)
					: begin_zstd(c);
	return ready(c);
}

struct codec *codec_packer(enum layer_format format)
{
	struct codec *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->format = format;
	c->packs = true;
	if (format == LAYER_GZIP) {
		c->ready = deflateInit2(&c->z, GZIP_LEVEL, Z_DEFLATED, WINDOW_BITS, GZIP_MEMORY,
				   Z_DEFAULT_STRATEGY) == Z_OK;
	} else if (format == LAYER_ZSTD) {
		c->zstd = ZSTD_createCCtx();
		c->ready = c->zstd &&
			ok(ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) &&
			ok(ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_checksumFlag, 1));
	}
	return ready(c);
}

void codec_free(struct codec *c)
{
	if (!c)
		return;
	if (c->ready && c->format == LAYER_GZIP && c->packs)
		deflateEnd(&c->z);
	else if (c->ready && c->format == LAYER_GZIP)
		inflateEnd(&c->z);
	else if (c->ready && c->format == LAYER_BZIP2)
		BZ2_bzDecompressEnd(&c->bz);
	lzma_end(&c->xz);
	ZSTD_freeDCtx(c->unzstd);
	ZSTD_freeCCtx(c->zstd);
	free(c);
}

static void set_z(z_stream *z, const unsigned char *in, size_t in_n, unsigned char *to, size_t to_n)
{
	z->next_in = (unsigned char *)(uintptr_t)in;
	z->avail_in = (unsigned int)in_n;
	z->next_out = to;
	z->avail_out = (unsigned int)to_n;
}

static int unpack_gzip(
	struct codec *c, const unsigned char *in, size_t *in_n, unsigned char *to, size_t *to_n)
{
	set_z(&c->z, in, *in_n, to, *to_n);
	int r = inflate(&c->z, Z_NO_FLUSH);
	*in_n -= c->z.avail_in;
	*to_n -= c->z.avail_out;
	if (r == Z_STREAM_END)
		return inflateReset(&c->z) == Z_OK ? 1 : -EBADMSG;
	return r == Z_OK || r == Z_BUF_ERROR ? 0 : r == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static int unpack_zstd(
	struct codec *c, const unsigned char *in, size_t *in_n, unsigned char *to, size_t *to_n)
{
	ZSTD_inBuffer ib = {in, *in_n, 0};
	ZSTD_outBuffer ob = {to, *to_n, 0};
	size_t r = ZSTD_decompressStream(c->unzstd, &ob, &ib);
	*in_n = ib.pos;
	*to_n = ob.pos;
	return ok(r) ? r == 0 : -EBADMSG;
}

static int unpack_xz(
	struct codec *c, const unsigned char *in, size_t *in_n, unsigned char *to, size_t *to_n)
{
	c->xz.next_in = in;
	c->xz.avail_in = *in_n;
	c->xz.next_out = to;
	c->xz.avail_out = *to_n;
	lzma_ret r = lzma_code(&c->xz, LZMA_RUN);
	*in_n -= c->xz.avail_in;
	*to_n -= c->xz.avail_out;
	if (r == LZMA_STREAM_END)
		return begin_xz(c) ? 1 : -ENOMEM;
	if (r == LZMA_MEMLIMIT_ERROR)
		return -E2BIG;
	return r == LZMA_OK || r == LZMA_BUF_ERROR ? 0 : r == LZMA_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static int unpack_bzip2(
	struct codec *c, const unsigned char *in, size_t *in_n, unsigned char *to, size_t *to_n)
{
	c->bz.next_in = (char *)(uintptr_t)in;
	c->bz.avail_in = (unsigned int)*in_n;
	c->bz.next_out = (char *)to;
	c->bz.avail_out = (unsigned int)*to_n;
	int r = BZ2_bzDecompress(&c->bz);
	*in_n -= c->bz.avail_in;
	*to_n -= c->bz.avail_out;
	if (r == BZ_STREAM_END) {
		c->ready = BZ2_bzDecompressEnd(&c->bz) == BZ_OK && begin_bzip2(c);
		return c->ready ? 1 : -ENOMEM;
	}
	return r == BZ_OK ? 0 : r == BZ_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

int codec_unpack(
	struct codec *c, const unsigned char *in, size_t *in_n, unsigned char *to, size_t *to_n)
{
	switch (c->format) {
	case LAYER_ZSTD:
		return unpack_zstd(c, in, in_n, to, to_n);
	case LAYER_XZ:
		return unpack_xz(c, in, in_n, to, to_n);
	case LAYER_BZIP2:
		return unpack_bzip2(c, in, in_n, to, to_n);
	default:
		return unpack_gzip(c, in, in_n, to, to_n);
	}
}

int codec_pack(struct codec *c, const unsigned char *in, size_t *in_n, unsigned char *to,
	size_t *to_n, bool last)
{
	if (c->format == LAYER_ZSTD) {
		ZSTD_inBuffer ib = {in, *in_n, 0};
		ZSTD_outBuffer ob = {to, *to_n, 0};
		size_t given = *in_n;
		size_t r = ZSTD_compressStream2(
			c->zstd, &ob, &ib, last ? ZSTD_e_end : ZSTD_e_continue);
		*in_n = ib.pos;
		*to_n = ob.pos;
		return !ok(r) ? -EIO : last ? r == 0 : ib.pos == given;
	}
	set_z(&c->z, in, *in_n, to, *to_n);
	int r = deflate(&c->z, last ? Z_FINISH : Z_NO_FLUSH);
	*in_n -= c->z.avail_in;
	*to_n -= c->z.avail_out;
	return r == Z_STREAM_ERROR ? -EIO : last ? r == Z_STREAM_END : c->z.avail_out > 0;
}
