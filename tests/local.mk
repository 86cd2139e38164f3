# tests: unit (cmocka), fuzz corpora, integration (bats, as an ordinary user).
#
# Every test program's output passes as-tap, so that each single test is counted.  A bats file
# needs only to be dropped into tests/integration; a unit test adds its own tests/unit/ROOM.mk.
AM_TESTS_ENVIRONMENT = \
	BAWN_SRCDIR='$(abs_top_srcdir)'; BAWN_BUILDDIR='$(abs_top_builddir)'; \
	CMOCKA_MESSAGE_OUTPUT=TAP; ASAN_OPTIONS=abort_on_error=0; LC_ALL=C.UTF-8; \
	export BAWN_SRCDIR BAWN_BUILDDIR CMOCKA_MESSAGE_OUTPUT ASAN_OPTIONS LC_ALL;
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/as-tap

# Everything below tests/ goes into the tarball.  Whole directories only where nothing is built: what
# lies in the build directory's would go along.
EXTRA_DIST += tests/images.py tests/as-tap tests/run-bats tests/count tests/lib.sh tests/templates.sh tests/integration tests/build \
	tests/attack tests/net tests/registry tests/vault/world.py tests/vault/cases.py tests/vault/hostile.py tests/vault/memory.py tests/vault/long.sh tests/fuzz/corpus \
	tests/agents/model.mjs tests/agents/package.json tests/agents/package-lock.json \
	tests/playwright/package.json tests/playwright/package-lock.json \
	tests/toolchains/package.json tests/toolchains/package-lock.json

check_PROGRAMS += tests/deny-call
tests_deny_call_SOURCES = tests/deny-call.c
tests_deny_call_CFLAGS = $(AM_CFLAGS) $(BAWN_NO_SANITIZERS)
tests_deny_call_LDFLAGS = $(AM_LDFLAGS) $(BAWN_NO_SANITIZERS)

# keeps a helper readable, for a search of its memory; loaded before it
check_PROGRAMS += tests/vault/dumpable.so tests/vault/clock.so
tests_vault_dumpable_so_SOURCES = tests/vault/dumpable.c
tests_vault_dumpable_so_CFLAGS = $(AM_CFLAGS) -fPIC $(BAWN_NO_SANITIZERS)
tests_vault_dumpable_so_LDFLAGS = $(AM_LDFLAGS) -shared $(BAWN_NO_SANITIZERS)
tests_vault_clock_so_SOURCES = tests/vault/clock.c
tests_vault_clock_so_CFLAGS = $(AM_CFLAGS) -fPIC $(BAWN_NO_SANITIZERS)
tests_vault_clock_so_LDFLAGS = $(AM_LDFLAGS) -shared $(BAWN_NO_SANITIZERS)

TESTS += build-aux/docs-check tests/run-bats

# What needs neither namespaces of its own nor agents: for a build with sanitizers, whose calls the
# filters of a whole run would refuse.
check-unit:
	$(MAKE) check TESTS='$(filter tests/unit/% tests/fuzz/%,$(TESTS))'
check-integration:
	$(MAKE) check TESTS='$(filter-out tests/unit/% tests/fuzz/%,$(TESTS))'
.PHONY: check-unit check-integration

include tests/unit/core.mk
include tests/unit/audit.mk
include tests/unit/egress.mk
include tests/unit/policy.mk
include tests/unit/learn.mk
include tests/unit/secret.mk
include tests/unit/host.mk
include tests/unit/scan.mk
include tests/unit/sandbox.mk
include tests/unit/seed.mk
include tests/unit/build.mk
include tests/unit/change.mk
include tests/unit/layer.mk
include tests/unit/gate.mk
include tests/unit/recipes.mk
include tests/unit/confine.mk
include tests/unit/sudo.mk
include tests/unit/net.mk
include tests/unit/vault.mk
include tests/unit/login.mk
include tests/unit/image.mk
include tests/unit/registry.mk
include tests/mutations/local.mk
include tests/bench/local.mk
