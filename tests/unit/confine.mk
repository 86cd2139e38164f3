# unit tests of the confine room, and the attack probe, which the integration tests run inside
check_PROGRAMS += tests/probe
tests_probe_SOURCES = \
	tests/probes/probe.h tests/probes/probe.c \
	tests/probes/probe-sec.c tests/probes/probe-ns.c tests/probes/probe-mnt.c \
	tests/probes/probe-net.c tests/probes/probe-fs.c tests/probes/probe-proc.c \
	tests/probes/probe-term.c tests/probes/probe-ipc.c tests/probes/probe-res.c
tests_probe_CFLAGS = $(AM_CFLAGS) $(BAWN_NO_SANITIZERS)
tests_probe_LDFLAGS = $(AM_LDFLAGS) $(BAWN_STATIC_LDFLAGS) $(BAWN_NO_SANITIZERS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-confine tests/unit/test-confine-policy
TESTS += tests/unit/test-confine tests/unit/test-confine-policy
tests_unit_test_confine_SOURCES = tests/unit/test-confine.c
tests_unit_test_confine_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_confine_LDADD = libconfine.a libconfine-compile.a libpolicy-compile.a libbase.a \
	$(SECCOMP_LIBS) $(YAML_LIBS) $(LIBCAP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_confine_policy_SOURCES = tests/unit/test-confine-policy.c
tests_unit_test_confine_policy_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(SECCOMP_CFLAGS)
tests_unit_test_confine_policy_LDADD = libconfine-compile.a libpolicy-compile.a libbase.a \
	$(SECCOMP_LIBS) $(YAML_LIBS) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-confine.c tests/unit/test-confine-policy.c
