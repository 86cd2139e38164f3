# scan: the workspace: what must be masked and protected, what was left behind; bawn-scan
noinst_LIBRARIES += libscan.a
libscan_a_SOURCES = \
	src/scan/request.h src/scan/request.c \
	src/scan/result.h src/scan/result.c \
	src/scan/job.c \
	src/scan/glob.h src/scan/glob.c \
	src/scan/git-config.h src/scan/git-config.c src/scan/git-merge.c \
	src/scan/git-index.h src/scan/git-index.c \
	src/scan/named.h src/scan/named.c \
	src/scan/persist.h src/scan/persist.c src/scan/persist-table.c \
	src/scan/par.h src/scan/par.c \
	src/scan/walk.h src/scan/walk.c src/scan/table.c \
	src/scan/scanner.h src/scan/scanner.c \
	src/scan/git-dirs.c src/scan/git-links.c src/scan/git-state.c src/scan/masks.c \
	src/scan/key-text.h src/scan/key-text.c \
	src/scan/end.c src/scan/end-named.c src/scan/end-packages.c \
	src/scan/changed.h src/scan/changed.c \
	src/scan/jail.h src/scan/jail.c src/confine/jail.h src/confine/jail.c

pkglibexec_PROGRAMS += bawn-scan
bawn_scan_SOURCES = src/scan/main.c $(libscan_a_SOURCES) $(libbase_a_SOURCES)
bawn_scan_CPPFLAGS = $(AM_CPPFLAGS) $(LIGHT_CPPFLAGS)
bawn_scan_LDFLAGS = $(AM_LDFLAGS) $(LIGHT_LDFLAGS)
bawn_scan_LDADD = $(LIGHT_LIBS)
