# unit tests of the audit room
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-audit
TESTS += tests/unit/test-audit
tests_unit_test_audit_SOURCES = tests/unit/test-audit.c
tests_unit_test_audit_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_audit_LDADD = libaudit-read.a libaudit.a libjson.a libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-audit.c

check_PROGRAMS += tests/fuzz/fuzz-audit
TESTS += tests/fuzz/fuzz-audit
tests_fuzz_fuzz_audit_SOURCES = tests/fuzz/fuzz-audit.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_audit_LDADD = libaudit-read.a libaudit.a libjson.a libbase.a $(JANSSON_LIBS)
