/* egress/tls-hello.c - see tls-hello.h
 *
 * First the handshake message is put together from its records (a hello may be cut anywhere, even
 * in its 4-byte header), then walked with a cursor that can't pass its end.  An encrypted
 * ClientHello (ECH) is an ordinary extension here: the outer name is what is compared, and a hello
 * whose outer name is absent has none.
 */
#include "egress/tls-hello.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { RECORD_HANDSHAKE = 22, CLIENT_HELLO = 1, EXT_SNI = 0, SNI_HOST_NAME = 0 };

struct cursor {
	const uint8_t *p;
	size_t left;
};

/* Take n bytes off the front; false when there are fewer. */
static bool take(struct cursor *c, size_t n, struct cursor *ret)
{
	if (c->left < n)
		return false;
	if (ret)
		*ret = (struct cursor){c->p, n};
	c->p += n;
	c->left -= n;
	return true;
}

/* Take a vector with a length of len_bytes bytes before it. */
static bool take_vec(struct cursor *c, size_t len_bytes, struct cursor *ret)
{
	struct cursor l;
	if (!take(c, len_bytes, &l))
		return false;
	size_t n = 0;
	for (size_t i = 0; i < len_bytes; i++)
		n = n << 8 | l.p[i];
	return take(c, n, ret);
}

/* RFC 6066: exactly one host_name. */
static int parse_sni(struct cursor ext, char *sni)
{
	struct cursor list, type, host;
	if (!take_vec(&ext, 2, &list) || ext.left || !take(&list, 1, &type) ||
		!take_vec(&list, 2, &host))
		return -EBADMSG;
	if (list.left || type.p[0] != SNI_HOST_NAME || host.left == 0 || host.left > 255 ||
		memchr(host.p, '\0', host.left))
		return -EBADMSG;
	memcpy(sni, host.p, host.left);
	sni[host.left] = '\0';
	return 1;
}

static int parse_hello(struct cursor c, char *sni)
{
	struct cursor exts;
	/* legacy_version and random, session id, cipher suites, compression methods */
	if (!take(&c, 34, NULL) || !take_vec(&c, 1, NULL) || !take_vec(&c, 2, NULL) ||
		!take_vec(&c, 1, NULL))
		return -EBADMSG;
	if (c.left == 0)
		return 1;
	if (!take_vec(&c, 2, &exts) || c.left)
		return -EBADMSG;
	bool seen = false;
	while (exts.left) {
		struct cursor type, data;
		if (!take(&exts, 2, &type) || !take_vec(&exts, 2, &data))
			return -EBADMSG;
		if ((type.p[0] << 8 | type.p[1]) != EXT_SNI)
			continue;
		if (seen || parse_sni(data, sni) < 0)
			return -EBADMSG;
		seen = true;
	}
	return 1;
}

int tls_hello_sni(
	const uint8_t *p, size_t n, uint8_t scratch[static TLS_HELLO_MAX], char sni[static 256])
{
	size_t got = 0, at = 0;
	sni[0] = '\0';
	while (at < n && at < TLS_HELLO_MAX) {
		if (p[at] != RECORD_HANDSHAKE || (at + 1 < n && p[at + 1] != 3))
			return -EBADMSG;
		if (at + 5 > n)
			break;
		size_t len = (size_t)p[at + 3] << 8 | p[at + 4];
		if (len == 0 || len > TLS_HELLO_MAX)
			return -EBADMSG;
		size_t have = n - at - 5 < len ? n - at - 5 : len;
		if (got + have > TLS_HELLO_MAX)
			return -EMSGSIZE;
		memcpy(scratch + got, p + at + 5, have);
		got += have;
		at += 5 + len;
		if (got && scratch[0] != CLIENT_HELLO)
			return -EBADMSG;
		if (got < 4)
			continue;
		size_t body = (size_t)scratch[1] << 16 | (size_t)scratch[2] << 8 | scratch[3];
		if (body + 4 > TLS_HELLO_MAX)
			return -EMSGSIZE;
		if (got >= body + 4)
			return parse_hello((struct cursor){scratch + 4, body}, sni);
	}
	return n >= TLS_HELLO_MAX ? -EMSGSIZE : 0;
}
