# sandbox: the supervisor of one run
noinst_LIBRARIES += libsandbox.a
libsandbox_a_SOURCES = \
	src/sandbox/sandbox.h \
	src/sandbox/launch.h src/sandbox/launch.c \
	src/sandbox/loop.c src/sandbox/deadline.c src/sandbox/lend.c \
	src/sandbox/ports.h src/sandbox/ports.c \
	src/sandbox/policy.c src/sandbox/visitor.c \
	src/sandbox/session.h src/sandbox/session.c \
	src/sandbox/server.h src/sandbox/server.c \
	src/sandbox/client.h src/sandbox/client.c \
	src/sandbox/terminal.h src/sandbox/terminal.c \
	src/sandbox/term-filter.h src/sandbox/term-filter.c \
	src/sandbox/term-key.h src/sandbox/term-key.c \
	src/sandbox/vault.h src/sandbox/vault.c \
	src/sandbox/watch.h src/sandbox/watch.c
