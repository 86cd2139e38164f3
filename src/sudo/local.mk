# sudo: bawn-sudo, which runs inside a sandbox with an image's root, as sudo and su; static, libc only.
# The parts that decide nothing but text are a library for tests and fuzzers.
noinst_LIBRARIES += libsudo.a
libsudo_a_SOURCES = \
	src/sudo/sudo-args.h src/sudo/sudo-args.c \
	src/sudo/sudo-env.h src/sudo/sudo-env.c \
	src/sudo/sudo-user.h src/sudo/sudo-user.c

pkglibexec_PROGRAMS += bawn-sudo
bawn_sudo_SOURCES = \
	src/sudo/sudo-main.c \
	src/sudo/sudo-client.h src/sudo/sudo-client.c \
	src/sudo/sudo-tty.h src/sudo/sudo-tty.c \
	src/plan/sudo.h src/plan/wire-exec.h src/plan/wire-exec.c \
	$(libsudo_a_SOURCES) $(libbase_a_SOURCES)
bawn_sudo_CPPFLAGS = $(AM_CPPFLAGS) $(LIGHT_CPPFLAGS)
bawn_sudo_LDFLAGS = $(AM_LDFLAGS) $(LIGHT_LDFLAGS)
bawn_sudo_LDADD = $(LIGHT_LIBS)
