# unit tests of base, plan, sandbox, store and the argument rules of cli
if HAVE_CMOCKA
core_tests = tests/unit/test-base tests/unit/test-plan tests/unit/test-term-filter \
	tests/unit/test-store tests/unit/test-argv tests/unit/test-layers tests/unit/test-templates
check_PROGRAMS += $(core_tests)
TESTS += $(core_tests)
tests_unit_test_base_SOURCES = tests/unit/test-base.c
tests_unit_test_base_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_base_LDADD = libbase.a $(CMOCKA_LIBS)
tests_unit_test_plan_SOURCES = tests/unit/test-plan.c
tests_unit_test_plan_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_plan_LDADD = libplan.a libbase.a $(CMOCKA_LIBS)
tests_unit_test_term_filter_SOURCES = tests/unit/test-term-filter.c
tests_unit_test_term_filter_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_term_filter_LDADD = libsandbox.a libbase.a $(CMOCKA_LIBS)
tests_unit_test_store_SOURCES = tests/unit/test-store.c
tests_unit_test_store_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_store_LDADD = libstore.a libbase.a $(CMOCKA_LIBS)
tests_unit_test_templates_SOURCES = tests/unit/test-templates.c
tests_unit_test_templates_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_templates_LDADD = libstore.a libbase.a $(CMOCKA_LIBS)
tests_unit_test_argv_SOURCES = tests/unit/test-argv.c src/run/run-argv.c
tests_unit_test_argv_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_argv_LDADD = libbase.a $(CMOCKA_LIBS)
tests_unit_test_layers_SOURCES = tests/unit/test-layers.c src/init/init-overlay.c
tests_unit_test_layers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_layers_LDADD = libbase.a $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-base.c tests/unit/test-plan.c tests/unit/test-term-filter.c \
	tests/unit/test-store.c tests/unit/test-argv.c tests/unit/test-layers.c tests/unit/test-templates.c \
	tests/unit/unit.h tests/unit/child.h

check_PROGRAMS += tests/fuzz/fuzz-term-filter
TESTS += tests/fuzz/fuzz-term-filter
tests_fuzz_fuzz_term_filter_SOURCES = tests/fuzz/fuzz-term-filter.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_term_filter_LDADD = libsandbox.a libbase.a
