# registry: registries of images, asked by bawn-registry (libcurl, jansson; with glibc)
noinst_LIBRARIES += libregistry-parse.a
# what is pure, apart so that both sides, tests and fuzzers link it
libregistry_parse_a_SOURCES = \
	src/registry/request.h src/registry/request.c \
	src/registry/secrets.h src/registry/secrets.c \
	src/registry/challenge.h src/registry/challenge.c \
	src/registry/ops.h src/registry/login.c

pkglibexec_PROGRAMS += bawn-registry
bawn_registry_SOURCES = src/registry/main.c \
	src/registry/confine.h src/registry/confine.c \
	src/registry/http.h src/registry/http.c src/registry/url.c \
	src/registry/session.h src/registry/session.c src/registry/ops.c \
	src/registry/fetch.c \
	src/net/routed-here.h src/net/routed-here.c
bawn_registry_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
bawn_registry_LDFLAGS = $(AM_LDFLAGS) -pie
bawn_registry_LDADD = libregistry-parse.a libjson.a libconfine.a libbase.a $(CURL_LIBS) $(JANSSON_LIBS)

# the side that asks; libc alone
noinst_LIBRARIES += libregistry.a
libregistry_a_SOURCES = src/registry/places.h src/registry/places.c \
	src/registry/client.h src/registry/client.c
