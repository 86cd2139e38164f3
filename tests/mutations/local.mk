# Does a test notice when a guard is gone?  A build of its own, in mutations/ of the build directory.
EXTRA_DIST += tests/mutations/run tests/mutations/table tests/mutations/crash.bats tests/security-check
TESTS += tests/security-check

# Its results stand in a .trs file like those of make check, so that tests/count counts them.
check-mutations: all
	$(AM_V_at)mkdir -p tests/mutations
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) $(LOG_DRIVER) --test-name mutations \
		--log-file tests/mutations/run.log --trs-file tests/mutations/run.trs \
		--color-tests no -- $(LOG_COMPILER) $(srcdir)/tests/mutations/run
	$(AM_V_at)grep -q '^:test-result: PASS' tests/mutations/run.trs
	$(AM_V_at)! grep -qE '^:test-result: (FAIL|ERROR)' tests/mutations/run.trs

.PHONY: check-mutations
