/* vault/wire.h - a stream socket and what is known about it, so that it isn't asked for nothing.
 *
 * Descriptors are watched edge-triggered.  An event says that there may be something to read; who
 * has read less than there was room for has read all, and what comes after that is a new event.
 * Not so at the other's end: where that was reported, reading goes on to it.  Room to write is
 * waited for only where it ran out, as each byte that the other side of a local stream reads would
 * else wake this one.
 *
 * These two flags are cleared here and set by the loop alone: whoever reads until -EAGAIN, and
 * comes back at each event, misses nothing, whatever is buffered above (TLS, frames).
 */
#ifndef BAWN_VAULT_WIRE_H
#define BAWN_VAULT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct wire {
	int fd;     /* non-blocking; its owner closes it */
	bool in;    /* there may be something to read, or its end */
	bool hup;   /* the end has been reported */
	bool full;  /* it took no more; an event will come */
	bool armed; /* the loop's: watched for room to write */
};

/* As recv and send; -EAGAIN, -EPIPE at the other's end, or -errno. */
ssize_t wire_recv(struct wire *w, void *p, size_t n);
ssize_t wire_send(struct wire *w, const void *p, size_t n);

/* What epoll reports (the loop's). */
void wire_event(struct wire *w, uint32_t events);

#endif
