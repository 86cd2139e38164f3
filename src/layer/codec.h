/* layer/codec.h - gzip, zstd, xz and bzip2, a buffer at a time; the one place that knows zlib,
 * libzstd, liblzma and libbz2.
 */
#ifndef BAWN_LAYER_CODEC_H
#define BAWN_LAYER_CODEC_H

#include "layer/layer.h"

struct codec;
/* Anything but LAYER_TAR; made is gzip and zstd alone.  NULL: out of memory. */
struct codec *codec_unpacker(enum layer_format format);
struct codec *codec_packer(enum layer_format format);
void codec_free(struct codec *c);

/* Some of in[*in_n] into to[*to_n]; both become what was used and made.  1: a member ended there,
 * whose checksum was right; -EBADMSG: it is damaged; -E2BIG: it wants more memory than it may;
 * -ENOMEM. */
int codec_unpack(
	struct codec *c, const unsigned char *in, size_t *in_n, unsigned char *to, size_t *to_n);
/* The same the other way; last: what is given is the end.  1: nothing is left to come of it. */
int codec_pack(struct codec *c, const unsigned char *in, size_t *in_n, unsigned char *to,
	size_t *to_n, bool last);

#endif
