# unit tests of the secret room
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-secret
TESTS += tests/unit/test-secret
tests_unit_test_secret_SOURCES = tests/unit/test-secret.c
tests_unit_test_secret_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_secret_LDADD = libsecret.a libbase.a $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-secret.c
