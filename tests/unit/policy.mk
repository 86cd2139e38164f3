# unit tests and fuzz targets of the policy room
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-policy tests/unit/test-policy-yaml tests/unit/test-policy-pack \
	tests/unit/test-policy-compare tests/unit/test-why-name
TESTS += tests/unit/test-policy tests/unit/test-policy-yaml tests/unit/test-policy-pack \
	tests/unit/test-policy-compare tests/unit/test-why-name
tests_unit_test_policy_SOURCES = tests/unit/test-policy.c
tests_unit_test_policy_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_policy_LDADD = libpolicy-compile.a libpolicy.a libbase.a \
	$(YAML_LIBS) $(CMOCKA_LIBS)
tests_unit_test_policy_compare_SOURCES = tests/unit/test-policy-compare.c
tests_unit_test_policy_compare_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_policy_compare_LDADD = libpolicy-compile.a libpolicy.a libbase.a \
	$(YAML_LIBS) $(CMOCKA_LIBS)
tests_unit_test_why_name_SOURCES = tests/unit/test-why-name.c
tests_unit_test_why_name_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_why_name_LDADD = libpolicy-compile.a libpolicy.a libbase.a \
	$(YAML_LIBS) $(CMOCKA_LIBS)
tests_unit_test_policy_yaml_SOURCES = tests/unit/test-policy-yaml.c
tests_unit_test_policy_yaml_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_policy_yaml_LDADD = libpolicy-compile.a libpolicy.a libbase.a \
	$(YAML_LIBS) $(CMOCKA_LIBS)
tests_unit_test_policy_pack_SOURCES = tests/unit/test-policy-pack.c
tests_unit_test_policy_pack_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_policy_pack_LDADD = libpolicy-compile.a libpolicy.a libconfine-compile.a \
	libnet-build.a libbase.a $(YAML_LIBS) $(SECCOMP_LIBS) $(NFTNL_LIBS) $(MNL_LIBS) \
	$(NL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test-requests
TESTS += tests/unit/test-requests
tests_unit_test_requests_SOURCES = tests/unit/test-requests.c
tests_unit_test_requests_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_requests_LDADD = libpolicy-compile.a libpolicy.a libbase.a \
	$(YAML_LIBS) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-requests.c
EXTRA_DIST += tests/unit/test-policy.c tests/unit/test-policy-yaml.c tests/unit/test-policy-pack.c \
	tests/unit/test-policy-compare.c tests/unit/test-why-name.c

check_PROGRAMS += tests/fuzz/fuzz-yaml tests/fuzz/fuzz-host tests/fuzz/fuzz-rule \
	tests/fuzz/fuzz-why
TESTS += tests/fuzz/fuzz-yaml tests/fuzz/fuzz-host tests/fuzz/fuzz-rule \
	tests/fuzz/fuzz-why
tests_fuzz_fuzz_yaml_SOURCES = tests/fuzz/fuzz-yaml.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_yaml_LDADD = libpolicy-compile.a libpolicy.a libbase.a $(YAML_LIBS)
tests_fuzz_fuzz_host_SOURCES = tests/fuzz/fuzz-host.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_host_LDADD = libpolicy-compile.a libpolicy.a libbase.a $(YAML_LIBS)
tests_fuzz_fuzz_rule_SOURCES = tests/fuzz/fuzz-rule.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_rule_LDADD = libpolicy-compile.a libpolicy.a libbase.a $(YAML_LIBS)

check_PROGRAMS += tests/fuzz/fuzz-request
TESTS += tests/fuzz/fuzz-request
tests_fuzz_fuzz_request_SOURCES = tests/fuzz/fuzz-request.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_request_LDADD = libpolicy-compile.a libpolicy.a libbase.a $(YAML_LIBS)
tests_fuzz_fuzz_why_SOURCES = tests/fuzz/fuzz-why.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_why_LDADD = libpolicy.a libbase.a
