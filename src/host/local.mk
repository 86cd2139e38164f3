# host: facts of this machine: identity, the agent, toolchains, the environment, the generated /etc
noinst_LIBRARIES += libhost.a
libhost_a_SOURCES = \
	src/host/identity.h src/host/identity.c \
	src/host/env.h src/host/env.c \
	src/host/chase.h src/host/chase.c \
	src/host/version.h src/host/version.c \
	src/host/package.h src/host/package.c \
	src/host/agent.h src/host/agent.c \
	src/host/toolchain.h src/host/toolchain.c \
	src/host/git.h src/host/git.c \
	src/host/cgroup.h src/host/cgroup.c \
	src/host/stack.h src/host/stack-int.h src/host/stack.c src/host/stack-known.c \
	src/host/account.h src/host/account.c \
	src/host/ca.h src/host/ca.c \
	src/host/etc.h src/host/etc.c \
	src/host/etc-files.h src/host/etc-files.c
