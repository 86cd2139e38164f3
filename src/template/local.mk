# template: archives of images into the store and out of it; what bawn-template, and whoever makes
# templates, links
noinst_LIBRARIES += libtemplate.a
libtemplate_a_SOURCES = \
	src/template/template.h src/template/stack.c src/template/load.c src/template/export.c \
	src/template/verify.c \
	src/template/layer-run.h src/template/layer-run.c \
	src/template/tar-out.h src/template/tar-out.c \
	src/template/leave-out.h src/template/leave-out.c \
	src/template/save.h src/template/save.c src/template/box.h \
	src/template/progress.h src/template/progress.c
template_libs = libtemplate.a libgate.a libimage-ask.a libstore.a libbase.a
