# init: bawn-init, the stages of one start and then pid 1; static, libc only
pkglibexec_PROGRAMS += bawn-init
bawn_init_SOURCES = \
	src/init/init-main.c \
	src/init/init.h \
	src/init/init-mounts.c \
	src/init/init-net.c \
	src/init/init-agent.c \
	src/init/init-reapply.c \
	src/init/init-report.c
bawn_init_LDADD = libplan.a libconfine.a libnet.a libbase.a
bawn_init_CFLAGS = $(AM_CFLAGS) -pthread
bawn_init_LDFLAGS = $(AM_LDFLAGS) $(BAWN_STATIC_LDFLAGS) -pthread
