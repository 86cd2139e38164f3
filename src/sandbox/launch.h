/* sandbox/launch.h - the state of one run, shared by launch.c and loop.c.
 */
#ifndef BAWN_SANDBOX_LAUNCH_H
#define BAWN_SANDBOX_LAUNCH_H

#include "base/arena.h"
#include "base/fd.h"
#include "base/proc.h"
#include "sandbox/sandbox.h"
#include "sandbox/server.h"
#include "sandbox/terminal.h"
#include "sandbox/vault.h"
#include "sandbox/watch.h"

/* What an event of the supervisor's epoll is about; a slot stands in the upper half of data.u64. */
enum tag {
	TAG_CONTROL,
	TAG_INIT,
	TAG_DIALER,
	TAG_SIGNAL,
	TAG_TIMER,
	TAG_WATCH,
	TAG_LISTENER,
	TAG_IN,
	TAG_OUT,
	TAG_MASTER,
	TAG_DEADLINE,
	TAG_SERVER,
	TAG_CLIENT,       /* slot */
	TAG_SESSION,      /* slot */
	TAG_PORT,         /* slot */
	TAG_PORT_CONNECT, /* slot */
	TAG_PORT_TIMER,
	TAG_VAULT, /* slot */
	TAG_FOLLOWED,
};

/* bawn-init from its clone on.  What it is started with must last until it runs. */
struct sandbox_ahead {
	struct proc_beside how;
	char path[4096];
	char *argv[2];
	int fds[5];
	struct proc proc;
	int control, handover; /* our ends */
	uint64_t ns;           /* when */
	struct err err;        /* why it isn't there */
};

struct sandbox {
	struct sandbox_config config;
	const struct plan *plan;
	struct proc init, relay;
	struct sandbox_ahead *ahead; /* what init was started with */
	int relay_end;               /* the relay's socket, until it is started */
	int handover;                /* where bawn-init's listening sockets come from */
	int listeners[FD_PASS_MAX];  /* held until something uses the network */
	size_t n_listeners;
	int control; /* SEQPACKET to bawn-init */
	struct dialer *dialer;
	struct vault vault;
	struct terminal term;
	struct server *server; /* NULL: it doesn't last */
	int first_master;      /* the first session's pty, until the server has it */
	int first_client;      /* who waits for it, likewise; not ours to close */
	bool first_detached;
	int visitors, visitor; /* where requests come to one that doesn't last, and from whom */
	struct ports ports;
	int first_account; /* for its account, -1 */
	struct watch watch;
	int epoll, signals, timer;
	int followed;             /* sandbox_follow(), -1 */
	int deadlines;            /* timerfd: the next of them */
	struct deadline deadline; /* of a run that doesn't last */
	int term_requests;        /* SIGTERMs so far */
	bool agent_stopped;       /* and we are not, as it has no terminal */
	bool exited;              /* EXITED was received */
	unsigned int frozen;      /* for so many reasons at once */
	struct sandbox_result result;
	struct arena arena; /* of lent */
	struct strv lent;   /* what sandbox_lend() has shown */
};

uint64_t sandbox_now(void);
/* Run bawn-init MODE [ARG] on the sandbox that runs, to its end: what the mode reads as descriptor
 * 3, or -1; the pidfd of pid 1 behind it; errors: where it says what went wrong, or -1.
 * *ret_status as proc_wait() has it.  0 or -errno. */
int sandbox_run_mode(struct sandbox *s, const char *mode, const char *arg, int what, int errors,
	int *ret_status, struct err *err);
int sandbox_send(struct sandbox *s, enum control_kind kind, int value);
int sandbox_start_relay(struct sandbox *s, struct err *err);
/* The same where it doesn't run yet. */
int sandbox_need_relay(struct sandbox *s, struct err *err);
void sandbox_close_listeners(struct sandbox *s);
/* visitor.c */
void visitor_accept(struct sandbox *s);
void visitor_event(struct sandbox *s);
int sandbox_loop(struct sandbox *s, struct err *err);
/* The agent and all it has is gone when this returns. */
void sandbox_kill_agent(struct sandbox *s);

/* deadline.c: --timeout */
void deadline_start(struct sandbox *s, struct deadline *d, uint32_t ms); /* ms 0: none */
void deadlines_due(struct sandbox *s);

#endif
