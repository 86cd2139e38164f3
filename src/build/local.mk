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
	src/build/mode.h src/build/mode.c \
	src/build/mount.h src/build/mount.c \
	src/build/remote-url.h src/build/remote-url.c

pkglibexec_PROGRAMS += bawn-build
bawn_build_SOURCES = \
	src/build/build.h src/build/main.c src/build/context.c src/build/archive.c src/build/say.c \
	src/build/words.c src/build/stages.c src/build/meta.c \
	src/build/carry.h src/build/carry.c src/build/steps.c src/build/owners.c \
	src/build/copy.c src/build/remote.h src/build/remote.c \
	src/build/remote-git.c src/build/run.c src/build/finish.c \
	src/build/tree.h src/build/tree.c src/build/tree-walk.h src/build/tree-walk.c \
	src/build/tree-place.c src/build/links.h src/build/links.c src/build/view.h src/build/view.c \
	src/init/init-overlay.h src/init/init-overlay.c \
	src/init/owner-attr.h src/init/owner-attr.c \
	src/run/options.h src/run/options.c
bawn_build_LDFLAGS = $(AM_LDFLAGS) -pie
bawn_build_LDADD = libbuild.a libregistry-parse.a libtemplate.a libimage-ask.a libstore.a libbase.a
