# unit tests of the image and the template room, and the fuzz target of the former
image_test_libs = libimage-ask.a libimage.a libstore.a libjson.a libbase.a $(JANSSON_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-image
TESTS += tests/unit/test-image
tests_unit_test_image_SOURCES = tests/unit/test-image.c
tests_unit_test_image_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_image_LDADD = $(image_test_libs) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test-template
TESTS += tests/unit/test-template
tests_unit_test_template_SOURCES = tests/unit/test-template.c
tests_unit_test_template_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_template_LDADD = $(template_libs) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-image.c tests/unit/test-template.c
check_PROGRAMS += tests/fuzz/fuzz-image
TESTS += tests/fuzz/fuzz-image
tests_fuzz_fuzz_image_SOURCES = tests/fuzz/fuzz-image.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_image_LDADD = $(image_test_libs)
