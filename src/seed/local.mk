# seed: what of the user's agent settings, log-in and git identity comes along, as copies
noinst_LIBRARIES += libseed.a
# The reader of the cache also goes into bawn: libc and base only.
seed_cache_sources = src/seed/cache.h src/seed/cache.c
libseed_a_SOURCES = \
	$(seed_cache_sources) src/seed/cache-write.c \
	src/seed/secret.h src/seed/secret.c \
	src/seed/report.h src/seed/report.c \
	src/seed/toml.h src/seed/toml.c src/seed/toml-merge.c \
	src/seed/spec.h src/seed/spec.c \
	src/seed/copy.h src/seed/copy.c \
	src/seed/standing.h src/seed/standing.c \
	src/seed/script.h src/seed/script.c \
	src/seed/imports.h src/seed/imports.c \
	src/seed/reads.h src/seed/reads.c \
	src/seed/git.h src/seed/git.c \
	src/seed/expand.h src/seed/expand.c \
	src/seed/glob.h src/seed/glob.c \
	src/seed/merge.h src/seed/merge-wire.h src/seed/merge.c src/seed/merge-ask.c \
	src/seed/seed.h src/seed/seed.c

# bawn-merge: a template's settings are read in here
pkglibexec_PROGRAMS += bawn-merge
bawn_merge_SOURCES = src/seed/merge-main.c
bawn_merge_LDADD = libseed.a libconfine.a libjson.a libbase.a $(JANSSON_LIBS)
bawn_merge_LDFLAGS = $(AM_LDFLAGS) -pie
