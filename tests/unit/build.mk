# unit tests and fuzz targets of the build room
if HAVE_CMOCKA
build_tests = tests/unit/test-build tests/unit/test-build-ignore
check_PROGRAMS += $(build_tests)
TESTS += $(build_tests)
tests_unit_test_build_SOURCES = tests/unit/test-build.c
tests_unit_test_build_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_build_LDADD = libbuild.a libbase.a $(CMOCKA_LIBS)
tests_unit_test_build_ignore_SOURCES = tests/unit/test-build-ignore.c
tests_unit_test_build_ignore_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_build_ignore_LDADD = libbuild.a libbase.a $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-build.c tests/unit/test-build-ignore.c

check_PROGRAMS += tests/fuzz/fuzz-dockerfile tests/fuzz/fuzz-ignore
TESTS += tests/fuzz/fuzz-dockerfile tests/fuzz/fuzz-ignore
tests_fuzz_fuzz_dockerfile_SOURCES = tests/fuzz/fuzz-dockerfile.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_dockerfile_LDADD = libbuild.a libbase.a
tests_fuzz_fuzz_ignore_SOURCES = tests/fuzz/fuzz-ignore.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_ignore_LDADD = libbuild.a libbase.a
