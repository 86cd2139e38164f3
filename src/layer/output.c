/* layer/output.c - see output.h. */
#include "layer/output.h"

#include <sys/types.h>
#include <zlib.h>
#include <zstd.h>

#include "base/fd.h"

#define CHUNK ((size_t)256 << 10)
enum { GZIP_LEVEL = 6, ZSTD_LEVEL = 3 };

struct output {
	int fd;
	enum layer_format format;
	struct hash *diff, *blob;
	uint64_t tar, bytes;
	z_stream z;
	bool z_begun;
	ZSTD_CCtx *zstd;
	unsigned char in[CHUNK], out[CHUNK];
	size_t n; /* in `in` */
};

int output_open(int fd, enum layer_format format, struct output **ret, struct err *err)
{
	struct output *o = calloc(1, sizeof(*o));
	if (!o)
		return err_set(err, ENOMEM, "out of memory");
	o->fd = fd;
	o->format = format;
	o->diff = hash_new();
	o->blob = hash_new();
	bool ok = o->diff && o->blob;
	if (ok && format == LAYER_GZIP) {
		ok = deflateInit2(&o->z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) ==
			Z_OK;
		o->z_begun = ok;
	}
	if (ok && format == LAYER_ZSTD) {
		o->zstd = ZSTD_createCCtx();
		ok = o->zstd &&
			!ZSTD_isError(ZSTD_CCtx_setParameter(
				o->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) &&
			!ZSTD_isError(ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_checksumFlag, 1));
	}
	if (!ok) {
		output_free(o);
		return err_set(err, ENOMEM, "out of memory");
	}
	*ret = o;
	return 0;
}

static int emit(struct output *o, const void *data, size_t n, struct err *err)
{
	o->bytes += n;
	if (o->format != LAYER_TAR)
		hash_add(o->blob, data, n);
	int r = o->fd >= 0 ? fd_write_all(o->fd, data, n) : 0;
	return r < 0 ? err_sys(err, -r, "write the layer's tar") : 0;
}

static int emit_gzip(struct output *o, bool last, struct err *err)
{
	int z, r;
	o->z.next_in = o->in;
	o->z.avail_in = (unsigned int)o->n;
	do {
		o->z.next_out = o->out;
		o->z.avail_out = (unsigned int)CHUNK;
		z = deflate(&o->z, last ? Z_FINISH : Z_NO_FLUSH);
		if (z == Z_STREAM_ERROR)
			return err_set(err, EIO, "zlib has failed");
		r = emit(o, o->out, CHUNK - o->z.avail_out, err);
	} while (r == 0 && (last ? z != Z_STREAM_END : o->z.avail_out == 0));
	return r;
}

static int emit_zstd(struct output *o, bool last, struct err *err)
{
	ZSTD_inBuffer in = {o->in, o->n, 0};
	bool more;
	do {
		ZSTD_outBuffer out = {o->out, CHUNK, 0};
		size_t z = ZSTD_compressStream2(
			o->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(z))
			return err_set(err, EIO, "zstd has failed");
		int r = emit(o, o->out, out.pos, err);
		if (r < 0)
			return r;
		more = last ? z != 0 : in.pos < in.size;
	} while (more);
	return 0;
}

static int flush(struct output *o, bool last, struct err *err)
{
	int r = 0;
	hash_add(o->diff, o->in, o->n);
	o->tar += o->n;
	if (o->format == LAYER_GZIP)
		r = emit_gzip(o, last, err);
	else if (o->format == LAYER_ZSTD)
		r = emit_zstd(o, last, err);
	else if (o->n)
		r = emit(o, o->in, o->n, err);
	o->n = 0;
	return r;
}

int output_put(struct output *o, const void *data, size_t n, struct err *err)
{
	const char *p = data;
	int r = 0;
	while (n && r == 0) {
		size_t k = MIN(n, CHUNK - o->n);
		memcpy(o->in + o->n, p, k);
		o->n += k;
		p += k;
		n -= k;
		if (o->n == CHUNK)
			r = flush(o, false, err);
	}
	return r;
}

int output_put_file(struct output *o, int fd, uint64_t offset, uint64_t n, struct err *err)
{
	while (n) {
		size_t want = (size_t)MIN(n, (uint64_t)(CHUNK - o->n));
		ssize_t got = fd_pread_full(fd, o->in + o->n, want, (off_t)offset);
		if (got < 0)
			return err_sys(err, (int)-got, "read a file of the layer");
		if ((size_t)got < want)
			return err_set(err, EIO, "a file of the layer is shorter than it was");
		o->n += want;
		offset += want;
		n -= want;
		int r = o->n == CHUNK ? flush(o, false, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int output_end(struct output *o, struct output_digests *ret, struct err *err)
{
	struct output_digests d = {0};
	int r = flush(o, true, err);
	if (r < 0)
		return r;
	d.tar = o->tar;
	d.bytes = o->bytes;
	hash_end(o->diff, d.diff);
	if (o->format == LAYER_TAR)
		memcpy(d.blob, d.diff, sizeof(d.blob));
	else
		hash_end(o->blob, d.blob);
	if (!d.diff[0] || !d.blob[0])
		return err_set(err, EIO, "libcrypto has failed");
	*ret = d;
	return 0;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	if (o->z_begun)
		deflateEnd(&o->z);
	ZSTD_freeCCtx(o->zstd);
	hash_free(o->diff);
	hash_free(o->blob);
	free(o);
}
