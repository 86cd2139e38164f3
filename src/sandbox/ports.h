/* sandbox/ports.h - published ports: servers inside that the host can reach.
 *
 * Owns: the listening sockets on the host, and connections until both of their ends stand.  Must
 * not: read or write a byte of one; bawn-relay does.
 *
 * The way of a connection: somebody on the host connects to a listener of the supervisor's; pid 1
 * makes a socket to the server inside, in the sandbox's own network namespace (CONTROL_CONNECT);
 * once that is connected the relay gets both.  Nothing of it can be used from inside: there is no
 * listener there, and whoever connects is outside.
 */
#ifndef BAWN_SANDBOX_PORTS_H
#define BAWN_SANDBOX_PORTS_H

#include "plan/control.h"
#include "policy/egress.h"

#define PORTS_MAX 16
#define PORTS_PENDING 64 /* connections on their way; more wait in the listeners' queues */

/* [IP:]HOST:PORT */
struct port_spec {
	struct host_addr ip; /* on the host; loopback unless it was given */
	uint16_t host;       /* 0: any that is free */
	uint16_t inside;
};

/* 0, or -EINVAL with what it should be. */
int port_spec_parse(const char *text, struct port_spec *ret, struct err *err);
/* HOST[:PORT]; *ret_inside is 0 where it wasn't given. */
int port_spec_parse_host(
	const char *text, uint16_t *ret_host, uint16_t *ret_inside, struct err *err);
/* "127.0.0.1:8080", "[::1]:8080" */
const char *port_spec_where(const struct port_spec *p, char *dst, size_t n);
/* Can other machines connect to it, too?  All but the host's own loopback is taken for that. */
bool port_spec_is_public(const struct port_spec *p);
/* "port 80 inside is at 127.0.0.1:8080", and what that means where it is public */
const char *port_spec_describe(const struct port_spec *p, char *dst, size_t n);
/* As port_spec_parse() takes it again. */
const char *port_spec_format(const struct port_spec *p, char *dst, size_t n);

struct port_listener {
	int fd;                /* -1: free */
	struct port_spec spec; /* with the port that it got */
	uint16_t asked;        /* what spec.host was, 0: any */
};

struct port_pending {
	uint32_t id; /* 0: free; generation << 8 | slot */
	int outer, inner;
	struct port_spec spec;
	bool v6; /* 127.0.0.1 was tried before */
	uint64_t deadline;
};

struct ports {
	struct port_listener listeners[PORTS_MAX];
	struct port_pending pending[PORTS_PENDING];
	unsigned n_pending;
	uint32_t gen;
	bool paused;
	int timer;
};

struct sandbox;

void ports_clear(struct ports *p);
/* Before anything starts: a port that can't be had is an error then. */
int ports_open(struct ports *p, const struct port_spec *v, size_t n, struct err *err);
int ports_watch(struct sandbox *s, struct err *err);
void ports_close(struct ports *p);

/* Events, by slot. */
void ports_accept(struct sandbox *s, unsigned int slot);
void ports_connect_event(struct sandbox *s, unsigned int slot);
void ports_tick(struct sandbox *s);
/* CONNECTED from pid 1; fd is taken over, -1: none. */
void ports_connected(struct sandbox *s, const struct control_msg *m, int fd);

#endif
