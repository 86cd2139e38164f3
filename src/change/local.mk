# change: what a sandbox changed in a copy-on-write workspace: shown, landed, discarded; bawn-change
noinst_LIBRARIES += libchange.a libchange-engine.a
# the caller's side
libchange_a_SOURCES = \
	src/change/request.h src/change/request.c \
	src/change/result.h src/change/result.c \
	src/change/aside.h src/change/aside.c \
	src/change/starts.h src/change/starts.c \
	src/change/job.c
change_engine = \
	src/change/change.h src/change/layers.c src/change/collect.c src/change/compare.c \
	src/change/direct.c \
	src/change/trip.c src/change/named.c \
	src/change/diff.h src/change/diff.c src/change/object.h src/change/object.c \
	src/change/patch.c \
	src/change/ledger.h src/change/ledger.c src/change/apply.c src/change/discard.c

libchange_engine_a_SOURCES = $(change_engine)

pkglibexec_PROGRAMS += bawn-change
bawn_change_SOURCES = src/change/main.c $(change_engine) $(libchange_a_SOURCES) \
	src/confine/jail.h src/confine/jail.c src/scan/persist.h src/scan/persist.c src/scan/persist-table.c \
	src/scan/git-config.h src/scan/git-config.c \
	src/scan/git-index.h src/scan/git-index.c \
	src/scan/named.h src/scan/named.c \
	$(libbase_a_SOURCES)
bawn_change_CPPFLAGS = $(AM_CPPFLAGS) $(LIGHT_CPPFLAGS)
bawn_change_LDFLAGS = $(AM_LDFLAGS) $(LIGHT_LDFLAGS)
bawn_change_LDADD = $(LIGHT_LIBS)
