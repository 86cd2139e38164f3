# login: the user's log-ins, kept current while sandboxes use them (OpenSSL, jansson; with glibc)
noinst_LIBRARIES += liblogin-parse.a
# what is pure, apart so that tests and fuzzers link it
liblogin_parse_a_SOURCES = src/login/login.h src/login/tokens.h src/login/tokens.c \
	src/login/callback.h src/login/callback.c

pkglibexec_PROGRAMS += bawn-login
bawn_login_SOURCES = src/login/main.c src/login/work.h src/login/work.c src/login/begin.h src/login/begin.c \
	src/login/lock.h src/login/lock.c src/login/dial.h src/login/dial.c src/egress/proxy.h src/egress/dialer-proxy.c
bawn_login_LDADD = liblogin-parse.a libjson.a $(vault_libs) $(JANSSON_LIBS)
bawn_login_LDFLAGS = $(AM_LDFLAGS) -pie
