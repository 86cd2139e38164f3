# json: JSON documents and the places in them (jansson)
noinst_LIBRARIES += libjson.a
libjson_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
libjson_a_SOURCES = \
	src/json/keypath.h src/json/keypath.c \
	src/json/json.h src/json/json.c src/json/walk.c \
	src/json/value.h src/json/value.c
