# unit tests of the seed room
if HAVE_CMOCKA
seed_tests = tests/unit/test-seed tests/unit/test-seed-filter tests/unit/test-seed-cache
check_PROGRAMS += $(seed_tests)
TESTS += $(seed_tests)
seed_test_libs = libseed.a libpolicy-compile.a libjson.a libbase.a $(JANSSON_LIBS) $(YAML_LIBS) $(CMOCKA_LIBS)
tests_unit_test_seed_SOURCES = tests/unit/test-seed.c
tests_unit_test_seed_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_seed_LDADD = $(seed_test_libs)
tests_unit_test_seed_cache_SOURCES = tests/unit/test-seed-cache.c
tests_unit_test_seed_cache_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_seed_cache_LDADD = $(seed_test_libs)
tests_unit_test_seed_filter_SOURCES = tests/unit/test-seed-filter.c
tests_unit_test_seed_filter_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_seed_filter_LDADD = $(seed_test_libs)
endif
EXTRA_DIST += tests/unit/test-seed.c tests/unit/test-seed-filter.c tests/unit/test-seed-cache.c

check_PROGRAMS += tests/fuzz/fuzz-seed
TESTS += tests/fuzz/fuzz-seed
tests_fuzz_fuzz_seed_SOURCES = tests/fuzz/fuzz-seed.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_seed_LDADD = libseed.a libpolicy-compile.a libjson.a libbase.a $(JANSSON_LIBS) $(YAML_LIBS)
EXTRA_DIST += tests/agents/scenario.json
