# unit tests of the sudo room, and of the attribute that owners are kept in
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-sudo
TESTS += tests/unit/test-sudo
tests_unit_test_sudo_SOURCES = tests/unit/test-sudo.c src/init/owner-attr.c
tests_unit_test_sudo_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sudo_LDADD = libsudo.a libbase.a $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-sudo.c
