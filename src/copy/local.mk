# copy: files across the wall; bawn-copy
copy_sources = src/copy/copy.h src/copy/send.c src/copy/receive.c src/copy/jail.c \
	src/confine/jail.h src/confine/jail.c
pkglibexec_PROGRAMS += bawn-copy
bawn_copy_SOURCES = src/copy/main.c $(copy_sources) $(libbase_a_SOURCES)
bawn_copy_CPPFLAGS = $(AM_CPPFLAGS) $(LIGHT_CPPFLAGS)
bawn_copy_LDFLAGS = $(AM_LDFLAGS) $(LIGHT_LDFLAGS)
bawn_copy_LDADD = $(LIGHT_LIBS)
