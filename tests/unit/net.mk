# unit tests of the net room
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-net
TESTS += tests/unit/test-net
tests_unit_test_net_SOURCES = tests/unit/test-net.c
tests_unit_test_net_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_net_LDADD = libnet-build.a libnet.a libbase.a \
	$(NFTNL_LIBS) $(MNL_LIBS) $(NL_LIBS) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-net.c
