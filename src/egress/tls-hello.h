/* egress/tls-hello.h - which server a TLS ClientHello names (RFC 8446 4.1.2, RFC 6066 3).
 *
 * Pure.  Looks at bytes that stay in the socket: called again from the start when more arrived.
 */
#ifndef BAWN_EGRESS_TLS_HELLO_H
#define BAWN_EGRESS_TLS_HELLO_H

#include <stddef.h>
#include <stdint.h>

/* A hello that isn't complete within so many bytes on the wire is refused. */
#define TLS_HELLO_MAX 16384

/* 1: complete, sni holds the raw server name (not canonicalised; "" when there is none).
 * 0: more bytes are needed.  -EBADMSG: not a ClientHello, or malformed.  -EMSGSIZE: past the
 * limit.  scratch: where fragments are put together. */
int tls_hello_sni(
	const uint8_t *p, size_t n, uint8_t scratch[static TLS_HELLO_MAX], char sni[static 256]);

#endif
