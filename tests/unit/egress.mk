# unit tests of the egress room
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-egress-run
TESTS += tests/unit/test-egress-run
tests_unit_test_egress_run_SOURCES = \
	tests/unit/test-egress-run.c tests/unit/egress-pack.h tests/unit/egress-pack.c
tests_unit_test_egress_run_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_unit_test_egress_run_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_egress_run_LDADD = \
	libegress.a libpolicy-compile.a libpolicy.a libnet-build.a libnet.a libbase.a \
	$(NFTNL_LIBS) $(MNL_LIBS) $(NL_LIBS) $(YAML_LIBS) $(CMOCKA_LIBS)
endif
