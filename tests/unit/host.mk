# unit tests of the host room
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-host tests/unit/test-host-ca tests/unit/test-stack tests/unit/test-version
TESTS += tests/unit/test-host tests/unit/test-host-ca tests/unit/test-stack tests/unit/test-version
tests_unit_test_host_SOURCES = tests/unit/test-host.c
tests_unit_test_host_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_host_LDADD = libhost.a libbase.a $(CMOCKA_LIBS)
tests_unit_test_host_ca_SOURCES = tests/unit/test-host-ca.c
tests_unit_test_host_ca_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_host_ca_LDADD = libhost.a libbase.a $(CMOCKA_LIBS)
tests_unit_test_stack_SOURCES = tests/unit/test-stack.c
tests_unit_test_stack_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_stack_LDADD = libhost.a libbase.a $(CMOCKA_LIBS)
tests_unit_test_version_SOURCES = tests/unit/test-version.c
tests_unit_test_version_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_version_LDADD = libhost.a libbase.a $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-host.c tests/unit/test-host-ca.c tests/unit/test-stack.c tests/unit/test-version.c

check_PROGRAMS += tests/fuzz/fuzz-account
TESTS += tests/fuzz/fuzz-account
tests_fuzz_fuzz_account_SOURCES = tests/fuzz/fuzz-account.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_account_LDADD = libhost.a libbase.a
