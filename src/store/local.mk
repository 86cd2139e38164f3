# store: state on disk, locks, garbage
noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	src/store/store.h src/store/store.c src/store/spare.h src/store/spare.c src/store/sweep.c \
	src/store/spec.h src/store/spec.c \
	src/store/sandboxes.h src/store/sandboxes.c \
	src/store/home.c \
	src/store/leftover.c \
	src/store/layers.h src/store/layers.c src/store/layers-make.c \
	src/store/checkpoint.h src/store/checkpoint.c \
	src/store/ref.h src/store/ref.c \
	src/store/line.h src/store/line.c \
	src/store/template-info.h src/store/template-info.c \
	src/store/templates.h src/store/templates.c src/store/templates-make.c \
	src/store/templates-remove.c \
	src/store/write-back.h src/store/write-back.c
