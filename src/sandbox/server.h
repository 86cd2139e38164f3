/* sandbox/server.h - the supervisor's side of a sandbox that lasts: its sessions and its clients.
 *
 * Owns: the listening socket, clients, sessions, their ptys while nobody watches, the log.  Must
 * not: decide what a request means beyond sessions; the hooks do (sandbox_hooks.request).
 */
#ifndef BAWN_SANDBOX_SERVER_H
#define BAWN_SANDBOX_SERVER_H

#include "plan/control.h"
#include "sandbox/session.h"
#include "sandbox/term-filter.h"

#define SERVER_CLIENTS 128
#define SERVER_SESSIONS 64 /* as many as pid 1 keeps */

struct client {
	int sock;    /* -1: free */
	int errors;  /* its stderr, -1: none */
	int session; /* slot, -1: none */
	bool waits;  /* for the end of the sandbox (stop) */
	bool ready;  /* its session has ended, and it has put its terminal right */
	bool froze;  /* everything inside is stopped for it */
};

/* A time by which something must have ended; then SIGTERM, and SIGKILL 10 s later. */
struct deadline {
	uint64_t at; /* CLOCK_MONOTONIC, ns; 0: none */
	bool hit;    /* SIGTERM was sent */
};

struct live {
	bool open;
	uint32_t id;
	int client; /* slot of the client at its pty, or that waits for its end; -1 */
	int master; /* -1: it has no pty */
	bool detached, started;
	uint32_t timeout_ms;
	struct deadline deadline;
	int account; /* -1: nobody wants one */
	uint64_t user_us, system_us;
	struct term_filter screen; /* the modes its terminal is in, while nobody is there */
};

struct server {
	int listener, log, dirfd;
	struct client clients[SERVER_CLIENTS];
	struct live live[SERVER_SESSIONS];
	uint32_t next_id;
	int voice;              /* the client whose stderr is ours; -1: none */
	int last;               /* the client that is told when all is over, -1 */
	struct live *last_live; /* the session that ended last, and may want an account */
	bool ending;            /* END was sent */
	bool closed;            /* it is only being set up */
	int after_hangup;       /* seconds that sessions get after SIGHUP */
	int end_code;           /* of the session that ended last */
};

struct sandbox;

int server_new(int listener, int dirfd, struct server **ret, struct err *err);
void server_free(struct server *v);

/* Session 0 runs.  client: the socket of who started the sandbox, taken over; -1: nobody waits. */
void server_first(struct sandbox *s, int client, int master, bool detached);
/* Events, by slot. */
void server_accept(struct sandbox *s);
void server_client_event(struct sandbox *s, unsigned int slot);
void server_master_event(struct sandbox *s, unsigned int slot);
/* STARTED, FAILED, EXITED or STOPPED from pid 1; master: taken over, or -1. */
void server_control(struct sandbox *s, const struct control_msg *m, int master);
void server_signal(struct sandbox *s, const struct live *l, int sig);
/* SIGTERM to every session, then SIGHUP, and SIGKILL after so many seconds. */
void server_stop(struct sandbox *s, int seconds);
void server_timer(struct sandbox *s);
/* pid 1 says that nothing runs any more. */
void server_ended(struct sandbox *s);
/* All is over: let the last client put its terminal right before anything is printed. */
void server_before_account(struct sandbox *s);
/* The account of the session that ended last, when all is known. */
void server_last_account(struct sandbox *s);
/* Nothing runs inside, all is said: let every client go, and nobody come any more. */
void server_farewell(struct server *v);
/* For messages: does who hears them have an agent drawing on its terminal?  And its title. */
bool server_voice_raw(const struct server *v);
void server_title(const struct server *v, const char *text);

#endif
