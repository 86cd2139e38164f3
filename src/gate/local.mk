# gate: what of a sandbox's files is a secret, before they become a template; bawn-gate
noinst_LIBRARIES += libgate.a libgate-scan.a
# the caller's side
libgate_a_SOURCES = src/gate/gate.h src/gate/wire.c
libgate_scan_a_SOURCES = src/gate/match.h src/gate/match.c src/gate/looks.c \
	src/gate/names.h src/gate/names.c \
	src/gate/scan.h src/gate/scan.c src/gate/archive.c src/gate/walk.c
libgate_scan_a_CFLAGS = $(AM_CFLAGS) $(ARCHIVE_CFLAGS)

pkglibexec_PROGRAMS += bawn-gate
bawn_gate_SOURCES = src/gate/main.c src/confine/jail.h src/confine/jail.c
bawn_gate_LDADD = libgate-scan.a libgate.a libbase.a $(ARCHIVE_LIBS) -lm
