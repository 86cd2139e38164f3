/* layer/output.c - see output.h. */
#include "layer/output.h"

#include <sys/types.h>

#include "base/fd.h"
#include "layer/codec.h"

#define CHUNK ((size_t)256 << 10)

struct output {
	int fd;
	enum layer_format format;
	struct hash *diff, *blob;
	uint64_t tar, bytes;
	struct codec *codec; /* NULL: none */
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
	o->codec = format == LAYER_TAR ? NULL : codec_packer(format);
	if (!o->diff || !o->blob || (format != LAYER_TAR && !o->codec)) {
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

static int emit_packed(struct output *o, bool last, struct err *err)
{
	size_t at = 0;
	int done, r;
	do {
		size_t used = o->n - at, made = CHUNK;
		done = codec_pack(o->codec, o->in + at, &used, o->out, &made, last);
		if (done < 0)
			return err_sys(err, -done, "compress the layer's tar");
		at += used;
		r = emit(o, o->out, made, err);
	} while (r == 0 && !done);
	return r;
}

static int flush(struct output *o, bool last, struct err *err)
{
	int r = 0;
	hash_add(o->diff, o->in, o->n);
	o->tar += o->n;
	if (o->codec)
		r = emit_packed(o, last, err);
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
	codec_free(o->codec);
	hash_free(o->diff);
	hash_free(o->blob);
	free(o);
}
