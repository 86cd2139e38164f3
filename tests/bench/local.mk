# bench: `make bench`, never part of `make check`: a timing is no test.
EXTRA_PROGRAMS = tests/bench/race tests/bench/load tests/bench/tls
tests_bench_race_SOURCES = tests/bench/race.c
tests_bench_load_SOURCES = tests/bench/load.c
tests_bench_load_LDFLAGS = $(AM_LDFLAGS) -pthread
tests_bench_tls_SOURCES = tests/bench/tls.c
tests_bench_tls_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS)
tests_bench_tls_LDADD = $(OPENSSL_LIBS)
EXTRA_DIST += tests/bench/run tests/bench/lasting.sh tests/bench/terminated.sh tests/bench/template.sh
CLEANFILES += tests/bench/race tests/bench/load tests/bench/tls

# BENCHFLAGS="-n 50 --json FILE"
bench: all tests/bench/race tests/bench/load tests/bench/tls
	BAWN_BUILDDIR='$(abs_top_builddir)' bash $(top_srcdir)/tests/bench/run $(BENCHFLAGS)

.PHONY: bench
