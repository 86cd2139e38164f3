# unit tests and fuzz targets of the egress room
if HAVE_CMOCKA
egress_tests = tests/unit/test-egress tests/unit/test-egress-dialer \
	tests/unit/test-egress-relay tests/unit/test-egress-run tests/unit/test-egress-jail
check_PROGRAMS += $(egress_tests)
TESTS += $(egress_tests)
egress_test_libs = libegress.a librelay.a libpolicy-compile.a libpolicy.a libbase.a \
	$(YAML_LIBS) $(CMOCKA_LIBS)
tests_unit_test_egress_SOURCES = tests/unit/test-egress.c
tests_unit_test_egress_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_egress_LDADD = $(egress_test_libs)
tests_unit_test_egress_dialer_SOURCES = \
	tests/unit/test-egress-dialer.c tests/unit/egress-pack.h tests/unit/egress-pack.c
tests_unit_test_egress_dialer_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_egress_dialer_LDADD = $(egress_test_libs)
tests_unit_test_egress_relay_SOURCES = \
	tests/unit/test-egress-relay.c tests/unit/egress-pack.h tests/unit/egress-pack.c \
	tests/unit/late-clock.h
tests_unit_test_egress_relay_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_egress_relay_LDADD = $(egress_test_libs)
# the relay of whose clock a test decides
check_PROGRAMS += tests/unit/relay-late
tests_unit_relay_late_SOURCES = \
	$(bawn_relay_SOURCES) tests/unit/late-clock.h tests/unit/late-clock.c
tests_unit_relay_late_CPPFLAGS = $(bawn_relay_CPPFLAGS) -Dclock_gettime=late_clock_gettime
tests_unit_relay_late_LDFLAGS = $(bawn_relay_LDFLAGS)
tests_unit_relay_late_LDADD = $(bawn_relay_LDADD)
tests_unit_test_egress_run_SOURCES = \
	tests/unit/test-egress-run.c tests/unit/egress-pack.h tests/unit/egress-pack.c \
	tests/unit/egress-upstream.h tests/unit/egress-upstream.c
tests_unit_test_egress_run_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_egress_run_LDADD = libegress.a libpolicy-compile.a libpolicy.a libnet-build.a \
	libnet.a libbase.a $(NFTNL_LIBS) $(MNL_LIBS) $(NL_LIBS) $(YAML_LIBS) $(CMOCKA_LIBS)
tests_unit_test_egress_jail_SOURCES = tests/unit/test-egress-jail.c
tests_unit_test_egress_jail_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_egress_jail_LDADD = librelay.a libnet-build.a libnet.a libpolicy.a libbase.a \
	$(NFTNL_LIBS) $(MNL_LIBS) $(NL_LIBS) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-egress.c tests/unit/test-egress-dialer.c \
	tests/unit/test-egress-relay.c tests/unit/test-egress-run.c tests/unit/test-egress-jail.c \
	tests/unit/egress-pack.h tests/unit/egress-pack.c \
	tests/unit/egress-upstream.h tests/unit/egress-upstream.c \
	tests/unit/late-clock.h tests/unit/late-clock.c

egress_fuzz = tests/fuzz/fuzz-dns tests/fuzz/fuzz-tls-hello tests/fuzz/fuzz-http-head \
	tests/fuzz/fuzz-nflog tests/fuzz/fuzz-relay-msg tests/fuzz/fuzz-proxy-answer
check_PROGRAMS += $(egress_fuzz)
TESTS += $(egress_fuzz)
egress_fuzz_libs = libegress.a librelay.a libpolicy-compile.a libpolicy.a libbase.a $(YAML_LIBS)
tests_fuzz_fuzz_dns_SOURCES = tests/fuzz/fuzz-dns.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_dns_LDADD = $(egress_fuzz_libs)
tests_fuzz_fuzz_tls_hello_SOURCES = tests/fuzz/fuzz-tls-hello.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_tls_hello_LDADD = $(egress_fuzz_libs)
tests_fuzz_fuzz_http_head_SOURCES = tests/fuzz/fuzz-http-head.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_http_head_LDADD = $(egress_fuzz_libs)
tests_fuzz_fuzz_nflog_SOURCES = tests/fuzz/fuzz-nflog.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_nflog_LDADD = $(egress_fuzz_libs)
tests_fuzz_fuzz_relay_msg_SOURCES = tests/fuzz/fuzz-relay-msg.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_relay_msg_LDADD = $(egress_fuzz_libs)
tests_fuzz_fuzz_proxy_answer_SOURCES = tests/fuzz/fuzz-proxy-answer.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_proxy_answer_LDADD = $(egress_fuzz_libs)
