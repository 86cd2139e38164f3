# image: the JSON of images, read and written in a confined process; bawn-image (jansson; with glibc)
noinst_LIBRARIES += libimage.a libimage-ask.a
libimage_a_SOURCES = \
	src/image/image.h src/image/request.h src/image/request.c src/image/cpu.h src/image/cpu.c src/image/platform.c \
	src/image/read-archive.c src/image/read-manifest.c src/image/read-config.c src/image/passwd.c \
	src/image/edit-config.c src/image/write.c src/image/answer.c
# what whoever asks it links
libimage_ask_a_SOURCES = src/image/image.h src/image/ask.h src/image/ask.c src/image/ask-write.c \
	src/image/request.h src/image/request.c src/image/cpu.h src/image/cpu.c src/image/platform.c

pkglibexec_PROGRAMS += bawn-image
bawn_image_SOURCES = src/image/main.c
bawn_image_LDADD = libimage.a libconfine.a libstore.a libjson.a libbase.a $(JANSSON_LIBS)
bawn_image_LDFLAGS = $(AM_LDFLAGS) -pie
