# unit tests and fuzz targets of the vault room
vault_test_libs = libvault-parse.a libvault.a libpolicy.a libbase.a
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-vault
TESTS += tests/unit/test-vault
tests_unit_test_vault_SOURCES = tests/unit/test-vault.c
tests_unit_test_vault_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_vault_LDADD = $(vault_test_libs) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-vault.c

vault_fuzz = tests/fuzz/fuzz-vault-http tests/fuzz/fuzz-vault-chunk tests/fuzz/fuzz-vault-msg \
	tests/fuzz/fuzz-vault-frames
check_PROGRAMS += $(vault_fuzz)
TESTS += $(vault_fuzz)
tests_fuzz_fuzz_vault_http_SOURCES = tests/fuzz/fuzz-vault-http.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_vault_http_LDADD = $(vault_test_libs)
tests_fuzz_fuzz_vault_chunk_SOURCES = tests/fuzz/fuzz-vault-chunk.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_vault_chunk_LDADD = $(vault_test_libs)
tests_fuzz_fuzz_vault_msg_SOURCES = tests/fuzz/fuzz-vault-msg.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_vault_msg_LDADD = $(vault_test_libs)
tests_fuzz_fuzz_vault_frames_SOURCES = tests/fuzz/fuzz-vault-frames.c tests/fuzz/run-corpus.c
tests_fuzz_fuzz_vault_frames_LDADD = $(vault_test_libs)
