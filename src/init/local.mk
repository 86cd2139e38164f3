# init: bawn-init, the stages of one start and then pid 1; static, libc only.  The small programs
# compile the rooms they use themselves, as they may have another C library than the rest.
pkglibexec_PROGRAMS += bawn-init
bawn_init_SOURCES = \
	src/init/init-main.c \
	src/init/init.h \
	src/init/init-below.h src/init/init-below.c src/init/init-mounts.c \
	src/init/init-overlay.h src/init/init-overlay.c \
	src/init/init-net.c \
	src/init/init-agent.c \
	src/init/init-sessions.c \
	src/init/init-sudo.c src/init/init-keeper.c src/init/init-owner.c \
	src/init/owner-attr.h src/init/owner-attr.c src/init/theirs.h src/init/theirs.c \
	src/init/theirs-ids.h src/init/theirs-ids.c \
	src/init/init-reapply.c src/init/init-renet.c src/init/init-lend.c \
	src/init/init-report.c \
	$(libplan_a_SOURCES) $(libconfine_a_SOURCES) $(libnet_a_SOURCES) $(libbase_a_SOURCES)
bawn_init_CPPFLAGS = $(AM_CPPFLAGS) $(LIGHT_CPPFLAGS)
bawn_init_LDFLAGS = $(AM_LDFLAGS) $(LIGHT_LDFLAGS)
bawn_init_LDADD = $(LIGHT_LIBS)
