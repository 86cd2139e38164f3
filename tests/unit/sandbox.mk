# unit tests of the sandbox room
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-server
TESTS += tests/unit/test-server
tests_unit_test_server_SOURCES = tests/unit/test-server.c
tests_unit_test_server_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
# the supervisor's own user is the test's to choose
tests_unit_test_server_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=geteuid
tests_unit_test_server_LDADD = libsandbox.a libegress.a libplan.a libconfine.a libpolicy.a \
	libaudit.a libhost.a libbase.a $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-server.c
