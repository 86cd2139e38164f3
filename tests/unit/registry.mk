# unit tests and fuzz targets of the registry room
registry_test_libs = libregistry-parse.a libjson.a libbase.a $(JANSSON_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-registry
TESTS += tests/unit/test-registry
tests_unit_test_registry_SOURCES = tests/unit/test-registry.c src/registry/url.c
tests_unit_test_registry_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
tests_unit_test_registry_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_registry_LDADD = $(registry_test_libs) $(CURL_LIBS) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-registry.c
check_PROGRAMS += tests/fuzz/fuzz-challenge
TESTS += tests/fuzz/fuzz-challenge
tests_fuzz_fuzz_challenge_SOURCES = tests/fuzz/fuzz-challenge.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_challenge_LDADD = $(registry_test_libs)
check_PROGRAMS += tests/fuzz/fuzz-registry
TESTS += tests/fuzz/fuzz-registry
tests_fuzz_fuzz_registry_SOURCES = tests/fuzz/fuzz-registry.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_registry_LDADD = $(registry_test_libs)
