# unit tests and fuzz target of the gate room
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-gate
TESTS += tests/unit/test-gate
tests_unit_test_gate_SOURCES = tests/unit/test-gate.c
tests_unit_test_gate_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_gate_LDADD = libgate-scan.a libgate.a libbase.a $(ARCHIVE_LIBS) $(CMOCKA_LIBS) -lm
endif
EXTRA_DIST += tests/unit/test-gate.c

check_PROGRAMS += tests/fuzz/fuzz-gate
TESTS += tests/fuzz/fuzz-gate
tests_fuzz_fuzz_gate_SOURCES = tests/fuzz/fuzz-gate.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_gate_LDADD = libgate-scan.a libgate.a libbase.a $(ARCHIVE_LIBS) -lm
