# layer: an image's layer from a tar to an overlay's lower directory and back; bawn-layer (with
# OpenSSL's libcrypto, zlib, zstd, liblzma and libbz2, and with glibc)
noinst_LIBRARIES += liblayer.a
liblayer_a_SOURCES = \
	src/layer/layer.h src/layer/layer.c \
	src/layer/tar.h src/layer/tar-in.h src/layer/tar.c src/layer/tar-pax.c \
	src/layer/tar-sparse.c src/layer/tar-put.c \
	src/layer/place.h src/layer/place.c \
	src/layer/attr.h src/layer/attr.c \
	src/layer/hash.h src/layer/hash.c \
	src/layer/codec.h src/layer/codec.c src/layer/frame.h src/layer/frame.c \
	src/layer/frame-owners.h src/layer/frame-owners.c \
	src/layer/input.h src/layer/input.c src/layer/output.h src/layer/output.c \
	src/layer/extract.h src/layer/extract-in.h src/layer/extract.c src/layer/extract-dir.c \
	src/layer/extract-clear.c src/layer/check.h src/layer/check.c \
	src/layer/pack.h src/layer/pack-in.h src/layer/pack.c src/layer/pack-entry.c \
	src/layer/pack-names.c \
	src/layer/unpack.h src/layer/unpack.c src/layer/index.h src/layer/index.c \
	src/layer/result.h src/layer/result.c
liblayer_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS) $(ZLIB_CFLAGS) $(ZSTD_CFLAGS) \
	$(LZMA_CFLAGS)

layer_libs = liblayer.a libconfine.a libbase.a $(CRYPTO_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) \
	$(LZMA_LIBS) $(BZIP2_LIBS) -lpthread
pkglibexec_PROGRAMS += bawn-layer
bawn_layer_SOURCES = src/layer/main.c src/layer/jail.h src/layer/jail.c
bawn_layer_LDADD = $(layer_libs)
bawn_layer_LDFLAGS = $(AM_LDFLAGS) -pie
