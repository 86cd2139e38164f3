# vault: credentials put into requests; bawn-front, bawn-vault (both with OpenSSL, and with glibc)
noinst_LIBRARIES += libvault.a libvault-parse.a libvault-tls.a
libvault_a_SOURCES = src/vault/vault.h src/vault/config-put.c

# what is pure, apart so that tests and fuzzers link it
libvault_parse_a_SOURCES = \
	src/vault/buf.h src/vault/buf.c \
	src/vault/http1.h src/vault/http1.c \
	src/vault/scrub.h src/vault/scrub.c \
	src/vault/frames.h src/vault/frames.c \
	src/vault/wire.h src/vault/wire.c \
	src/vault/link.h src/vault/link.c \
	src/vault/config.h src/vault/config.c

libvault_tls_a_SOURCES = \
	src/vault/tls.h src/vault/tls.c \
	src/vault/ca.h src/vault/ca.c \
	src/vault/loop.h src/vault/loop.c src/vault/confine.c
libvault_tls_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS)

vault_libs = libvault-tls.a libvault-parse.a libvault.a libconfine.a libpolicy.a libbase.a \
	$(OPENSSL_LIBS)
pkglibexec_PROGRAMS += bawn-front bawn-vault
bawn_front_SOURCES = src/vault/front.c
bawn_front_LDADD = $(vault_libs)
bawn_front_LDFLAGS = $(AM_LDFLAGS) -pie
bawn_vault_SOURCES = src/vault/upstream.h src/vault/main.c src/vault/ask.c src/vault/answer.c
bawn_vault_LDADD = $(vault_libs)
bawn_vault_LDFLAGS = $(AM_LDFLAGS) -pie
