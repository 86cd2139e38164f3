# confine: what a process gives up. libconfine.a needs libc only and goes into bawn-init;
# libconfine-compile.a needs libseccomp and goes into bawn-admin.
noinst_LIBRARIES += libconfine.a
libconfine_a_SOURCES = \
	src/confine/caps.h src/confine/caps.c \
	src/confine/emulate.h src/confine/emulate.c \
	src/confine/landlock.h src/confine/landlock.c \
	src/confine/limits.h src/confine/limits.c \
	src/confine/jail.h src/confine/jail.c \
	src/confine/seccomp-load.h src/confine/seccomp-load.c

noinst_LIBRARIES += libconfine-compile.a
libconfine_compile_a_SOURCES = \
	src/confine/seccomp-policy.h src/confine/seccomp-policy.c \
	src/confine/seccomp-compile.h src/confine/seccomp-compile.c
libconfine_compile_a_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)
