# store: state on disk, locks, garbage
noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	src/store/store.h src/store/store.c \
	src/store/spec.h src/store/spec.c \
	src/store/sandboxes.h src/store/sandboxes.c \
	src/store/home.c
