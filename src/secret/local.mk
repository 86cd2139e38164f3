# secret: the store of secrets, and the values behind them; libc only, as bawn reads it at a start
noinst_LIBRARIES += libsecret.a
libsecret_a_SOURCES = \
	src/secret/secret.h \
	src/secret/secret-buf.c \
	src/secret/secret-store.c \
	src/secret/secret-get.c \
	src/secret/secret-file.h src/secret/secret-file.c \
	src/secret/ask.h src/secret/ask.c
