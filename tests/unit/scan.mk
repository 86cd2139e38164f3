# unit tests and fuzz targets of the scan room
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-scan tests/unit/test-scan-parse
TESTS += tests/unit/test-scan tests/unit/test-scan-parse
tests_unit_test_scan_parse_SOURCES = tests/unit/test-scan-parse.c
tests_unit_test_scan_parse_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_scan_parse_LDADD = libscan.a libbase.a $(CMOCKA_LIBS)
tests_unit_test_scan_SOURCES = tests/unit/test-scan.c
tests_unit_test_scan_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_scan_LDADD = libscan.a libbase.a $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-scan.c tests/unit/test-scan-parse.c

check_PROGRAMS += tests/fuzz/fuzz-git-index tests/fuzz/fuzz-git-config tests/fuzz/fuzz-glob
TESTS += tests/fuzz/fuzz-git-index tests/fuzz/fuzz-git-config tests/fuzz/fuzz-glob
tests_fuzz_fuzz_git_index_SOURCES = tests/fuzz/fuzz-git-index.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_git_index_LDADD = libscan.a libbase.a
tests_fuzz_fuzz_git_config_SOURCES = tests/fuzz/fuzz-git-config.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_git_config_LDADD = libscan.a libbase.a
tests_fuzz_fuzz_glob_SOURCES = tests/fuzz/fuzz-glob.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_glob_LDADD = libscan.a libbase.a
