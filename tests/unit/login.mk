# unit tests and the fuzz target of the login room
login_test_libs = liblogin-parse.a libvault-parse.a libjson.a libpolicy.a libbase.a $(JANSSON_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-login
TESTS += tests/unit/test-login
tests_unit_test_login_SOURCES = tests/unit/test-login.c
tests_unit_test_login_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_login_LDADD = $(login_test_libs) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-login.c
check_PROGRAMS += tests/fuzz/fuzz-login
TESTS += tests/fuzz/fuzz-login
tests_fuzz_fuzz_login_SOURCES = tests/fuzz/fuzz-login.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_login_LDADD = $(login_test_libs)
check_PROGRAMS += tests/fuzz/fuzz-callback
TESTS += tests/fuzz/fuzz-callback
tests_fuzz_fuzz_callback_SOURCES = tests/fuzz/fuzz-callback.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_callback_LDADD = $(login_test_libs)
