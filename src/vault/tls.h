/* vault/tls.h - one TLS connection, either side; this and ca.c are the users of OpenSSL.
 *
 * TLS 1.2 and 1.3, ALPN "http/1.1" or none, no tickets, no renegotiation.  Everything that lies in
 * files is read by the set-up functions, before the caller confines itself.
 */
#ifndef BAWN_VAULT_TLS_H
#define BAWN_VAULT_TLS_H

#include <sys/types.h>

#include "base/err.h"
#include "vault/wire.h"

struct tls;

/* The agent's side.  0 or -errno. */
int tls_front_setup(struct err *err);
/* cert and key: DER.  name: the only one that an SNI may say, and one must be said.  w stays the
 * caller's.  NULL: out of memory, or malformed DER. */
struct tls *tls_front(struct wire *w, const char *name, const void *cert, size_t cert_n,
	const void *key, size_t key_n);

/* The upstream side.  What is trusted: SSL_CERT_FILE and SSL_CERT_DIR, else the host's bundle. */
int tls_upstream_setup(struct err *err);
struct tls *tls_upstream(struct wire *w, const char *name);

/* 1: done, 0: more must come, -EKEYREJECTED: the certificate does not hold, -EPROTO and others: why
 * says what for a person. */
int tls_handshake(struct tls *t, char *why, size_t cap);

/* Bytes, 0: the other side has said that it sends no more, -EAGAIN, or -errno.  What is buffered
 * (read ahead) is no event of the wire's: read until -EAGAIN. */
ssize_t tls_read(struct tls *t, void *buf, size_t n);
ssize_t tls_write(struct tls *t, const void *buf, size_t n);

void tls_bye(struct tls *t); /* say that nothing more comes */
void tls_free(struct tls *t);

#endif
