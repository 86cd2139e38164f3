/* vault/link.h - what bawn-front and bawn-vault say to each other about one flow.
 *
 * A stream of frames.  Neither trusts the other: a frame of an unknown kind, out of place or too
 * long ends the flow.
 */
#ifndef BAWN_VAULT_LINK_H
#define BAWN_VAULT_LINK_H

#include "vault/buf.h"
#include "vault/vault.h"
#include "vault/wire.h"

enum link_kind {
	/* vault to front */
	LINK_LEAF = 1, /* first: u32 length of the certificate, certificate and key, both DER */
	LINK_DATA,     /* bytes for the agent */
	LINK_DONE,     /* the response is complete; one byte: may another request come? */
	LINK_SWITCH,   /* from now on both sides are opaque */
	/* front to vault */
	LINK_HEAD, /* a request head, written by h1_put_request() and ended */
	LINK_BODY, /* a piece of its body; after LINK_SWITCH, of the opaque stream */
	LINK_END,  /* the request is complete; trailer lines */
};

#define LINK_FRAME_MAX 65536
#define LINK_FULL 65536 /* no more is put into a link that still has so much to send */

/* Is this what the supervisor sends: its size, magic, kind, and a canonical name? */
bool link_flow_ok(const struct vault_flow_msg *m, size_t n);

struct link_frame {
	uint32_t kind;
	size_t n;
	const char *p;
};

struct link {
	struct wire wire;
	struct buf in, out;
};

/* Append a frame.  0, -EMSGSIZE or -ENOMEM. */
int link_put(struct link *l, enum link_kind kind, const void *data, size_t n);

/* Send what is there, receive what has come: bytes moved, 0 for none (now), -EPIPE at the other's
 * end, or -errno. */
ssize_t link_flush(struct link *l);
ssize_t link_fill(struct link *l);

/* The frame at the front of what has come; link_eat() drops it.  1, 0: not whole yet, -EBADMSG. */
int link_next(const struct link *l, struct link_frame *ret);
void link_eat(struct link *l, const struct link_frame *f);
void link_free(struct link *l);

#endif
