/* layer/codec.c - see codec.h. */
#include "layer/codec.h"

#include <zlib.h>
#include <zstd.h>

#define WINDOW_BITS (15 + 16) /* zlib's most; 16: gzip's header and checksum */
#define ZSTD_WINDOW_LOG 27    /* 128 MiB; what zstd itself takes without being told */
enum { GZIP_LEVEL = 6, GZIP_MEMORY = 9, ZSTD_LEVEL = 3 };

struct codec {
	enum layer_format format;
	bool packs, ready;
	z_stream z;
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

struct codec *codec_unpacker(enum layer_format format)
{
	struct codec *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->format = format;
	if (format == LAYER_GZIP) {
		c->ready = inflateInit2(&c->z, WINDOW_BITS) == Z_OK;
	} else {
		c->unzstd = ZSTD_createDCtx();
		c->ready = c->unzstd &&
			ok(ZSTD_DCtx_setParameter(c->unzstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
	}
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
	} else {
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

int codec_unpack(
	struct codec *c, const unsigned char *in, size_t *in_n, unsigned char *to, size_t *to_n)
{
	if (c->format == LAYER_ZSTD) {
		ZSTD_inBuffer ib = {in, *in_n, 0};
		ZSTD_outBuffer ob = {to, *to_n, 0};
		size_t r = ZSTD_decompressStream(c->unzstd, &ob, &ib);
		*in_n = ib.pos;
		*to_n = ob.pos;
		return ok(r) ? r == 0 : -EBADMSG;
	}
	set_z(&c->z, in, *in_n, to, *to_n);
	int r = inflate(&c->z, Z_NO_FLUSH);
	*in_n -= c->z.avail_in;
	*to_n -= c->z.avail_out;
	if (r == Z_STREAM_END)
		return inflateReset(&c->z) == Z_OK ? 1 : -EBADMSG;
	return r == Z_OK || r == Z_BUF_ERROR ? 0 : r == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
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
