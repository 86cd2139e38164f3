# build: Dockerfiles; libbuild.a is the language, bawn-build what carries it out
noinst_LIBRARIES += libbuild.a
libbuild_a_SOURCES = \
	src/build/buf.h src/build/buf.c \
	src/build/dockerfile.h src/build/dockerfile.c \
	src/build/lines.h src/build/lines.c \
	src/build/exec-form.h src/build/exec-form.c \
	src/build/parse.c \
	src/build/expand.h src/build/expand.c \
	src/build/glob.h src/build/glob.c \
	src/build/ignore.h src/build/ignore.c \
	src/build/mount.h src/build/mount.c
