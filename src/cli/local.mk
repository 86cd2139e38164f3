# cli: the executables bawn (here) and bawn-admin (admin.mk)
bin_PROGRAMS += bawn
bawn_SOURCES = \
	src/cli/main.c \
	src/cli/command.h src/cli/command.c \
	src/cli/options.h src/cli/options.c \
	src/cli/run.h src/cli/cmd-run.c \
	src/cli/run-options.c src/cli/run-facts.c src/cli/run-argv.c \
	src/cli/run-plan.c src/cli/run-audit.c src/cli/run-end.c
bawn_LDADD = libsandbox.a libegress.a libplan.a libscan.a libhost.a libpolicy.a libaudit.a \
	libstore.a libbase.a
bawn_LDFLAGS = $(AM_LDFLAGS) $(BAWN_STATIC_LDFLAGS)

