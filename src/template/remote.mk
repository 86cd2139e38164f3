# templates from registries and to them
noinst_LIBRARIES += libtemplate-remote.a
libtemplate_remote_a_SOURCES = src/template/remote.h src/template/pull.c src/template/push.c
template_remote_libs = libtemplate-remote.a libregistry.a libregistry-parse.a libsecret.a
