# unit and fuzz tests of the sudo room, and of the attribute that owners are kept in
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-sudo
TESTS += tests/unit/test-sudo
tests_unit_test_sudo_SOURCES = tests/unit/test-sudo.c src/init/owner-attr.c
tests_unit_test_sudo_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sudo_LDADD = libsudo.a libbase.a $(CMOCKA_LIBS)
endif
check_PROGRAMS += tests/fuzz/fuzz-exec
TESTS += tests/fuzz/fuzz-exec
tests_fuzz_fuzz_exec_SOURCES = tests/fuzz/fuzz-exec.c tests/fuzz/run-corpus.c src/init/owner-attr.c
tests_fuzz_fuzz_exec_LDADD = libplan.a libbase.a
EXTRA_DIST += tests/unit/test-sudo.c
