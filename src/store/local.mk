# store: state on disk, locks, garbage
noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = src/store/store.h src/store/store.c
