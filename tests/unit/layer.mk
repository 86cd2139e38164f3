# unit tests and fuzz targets of the layer room
layer_test_libs = liblayer.a libconfine.a libbase.a $(CRYPTO_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) \
	$(LZMA_LIBS) $(BZIP2_LIBS) -lpthread
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-layer
TESTS += tests/unit/test-layer
tests_unit_test_layer_SOURCES = tests/unit/test-layer.c src/layer/jail.c
tests_unit_test_layer_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_layer_LDADD = $(layer_test_libs) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-layer.c

check_PROGRAMS += tests/fuzz/fuzz-layer tests/fuzz/fuzz-frame tests/fuzz/fuzz-codec
TESTS += tests/fuzz/fuzz-layer tests/fuzz/fuzz-frame tests/fuzz/fuzz-codec
tests_fuzz_fuzz_codec_SOURCES = tests/fuzz/fuzz-codec.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_codec_LDADD = $(layer_test_libs)
tests_fuzz_fuzz_layer_SOURCES = tests/fuzz/fuzz-layer.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_layer_LDADD = $(layer_test_libs)
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz-frame.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_frame_LDADD = $(layer_test_libs)
