# unit tests of the host room
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-host
TESTS += tests/unit/test-host
tests_unit_test_host_SOURCES = tests/unit/test-host.c
tests_unit_test_host_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_host_LDADD = libhost.a libbase.a $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-host.c
