# unit tests and fuzz targets of the change room
if HAVE_CMOCKA
change_tests = tests/unit/test-change tests/unit/test-change-apply tests/unit/test-change-parts
check_PROGRAMS += $(change_tests)
TESTS += $(change_tests)
tests_unit_test_change_SOURCES = tests/unit/test-change.c tests/unit/change-world.c
tests_unit_test_change_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_change_LDADD = libchange.a libbase.a $(CMOCKA_LIBS)
tests_unit_test_change_apply_SOURCES = tests/unit/test-change-apply.c tests/unit/change-world.c
tests_unit_test_change_apply_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_change_apply_LDADD = libchange.a libbase.a $(CMOCKA_LIBS)
tests_unit_test_change_parts_SOURCES = tests/unit/test-change-parts.c
tests_unit_test_change_parts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_change_parts_LDADD = libchange-engine.a libchange.a libbase.a $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-change.c tests/unit/test-change-apply.c \
	tests/unit/test-change-parts.c tests/unit/change-world.c tests/unit/change-world.h

check_PROGRAMS += tests/fuzz/fuzz-change tests/fuzz/fuzz-diff
TESTS += tests/fuzz/fuzz-change tests/fuzz/fuzz-diff
tests_fuzz_fuzz_change_SOURCES = tests/fuzz/fuzz-change.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_change_LDADD = libchange-engine.a libchange.a libbase.a
tests_fuzz_fuzz_diff_SOURCES = tests/fuzz/fuzz-diff.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_diff_LDADD = libchange-engine.a libchange.a libbase.a
