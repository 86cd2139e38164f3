# unit tests of what bawn learn makes of requests
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-learn
TESTS += tests/unit/test-learn
tests_unit_test_learn_SOURCES = tests/unit/test-learn.c src/run/learn-request.c
tests_unit_test_learn_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_learn_LDADD = libbase.a $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-learn.c
