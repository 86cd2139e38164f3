/* sandbox/session.h - how a program at a terminal and the supervisor of a lasting sandbox talk.
 *
 * SOCK_SEQPACKET, BOX/control.sock, 0600 in a directory that is only ours; whoever connects must be
 * our user (SO_PEERCRED).  One client is one session, or one request.  Messages are of one fixed
 * size; descriptors come by SCM_RIGHTS.
 *
 *   client                          supervisor
 *   RUN (memfd, stderr, [0-2]) ──►
 *                              ◄── STARTED ([pty master, log])  or  FAILED
 *   SIGNAL, DETACH ...         ──►
 *                              ◄── TITLE, STOPPED, TOLD ..., EXITED
 *   ATTACH, STOP, POLICY ...   ──►
 *                              ◄── STARTED, DONE or FAILED
 *
 * While a client has a session's pty, the supervisor leaves it alone; when the client goes, the
 * supervisor reads it again, so that the agent is never held up by a terminal that isn't there.
 */
#ifndef BAWN_SANDBOX_SESSION_H
#define BAWN_SANDBOX_SESSION_H

#include <signal.h>
#include <stdint.h>

#include "base/err.h"

#define SESSION_MAGIC 0x62776e73u

enum session_kind {
	/* client to supervisor */
	SESSION_RUN = 1, /* fds: plan/wire-exec.h's memfd, stderr, then 0-2 that are no pty, and
			  * where its account goes, if it is wanted; value: milliseconds that it may
			  * take, 0: any */
	SESSION_ATTACH,  /* session (-1: the newest that has a pty); fds: stderr */
	SESSION_SIGNAL,  /* value: signal */
	SESSION_DETACH,  /* the session stays; text: what puts a terminal into its modes */
	SESSION_STOP,    /* value: seconds between SIGTERM and SIGKILL */
	SESSION_POLICY,  /* value: enum session_policy; text: the rule; fds: stderr */
	SESSION_PUBLISH, /* value: enum session_publish; text: [IP:]HOST:PORT or HOST[:PORT] */
	SESSION_STATUS,  /* answered by DONE, text: what runs */
	SESSION_FREEZE,  /* value: 1 stops everything inside, 0 lets it go on, as does the client's
			  * end; answered by DONE */
	SESSION_CHECKPOINT, /* text: "TAG LAYER"; the layer is a copy of what is written there now
			     */
	SESSION_ENTER,      /* text: a profile, which is noted; answered by DONE */
	SESSION_LEND,       /* text: a path of the host to be shown inside; answered by DONE */
	SESSION_KEYS,    /* fds: a sealed memfd of NAME=value, NUL behind each: keys that who joins
			  * has in his environment; answered by DONE, value: whether the sandbox
			  * can use keys at all */
	SESSION_PENDING, /* value: from which question on; answered by DONE, value: where to go
			  * on, 0: that was all; text: a line each */
	SESSION_ANSWER,  /* session: the question; value: enum session_answer; text: who answers;
			  * fds: stderr; answered by DONE */
	SESSION_FLOWS,   /* as PENDING: connections that are open: the pid of the sandbox's pid 1,
			  * then   "UP DOWN MS PORT TARGET\tRULE\n", PORT the one it comes from;
			  * answered by DONE, session: how many there are, flags: SESSION_STALE */
	SESSION_DENIALS, /* as PENDING: "COUNT\tTARGET\tREASON\tFIX\n", the newest first */
	/* supervisor to client */
	SESSION_STARTED = 64, /* session; fds: pty master and log, where it has a pty; text: as of
			       * DETACH, where it went on meanwhile */
	SESSION_FAILED,       /* value: errno; code: exit code; text, NUL, hint */
	SESSION_EXITED,       /* value: exit code */
	SESSION_STOPPED,      /* the agent stopped itself */
	SESSION_TITLE,        /* text: for the terminal's title */
	SESSION_DONE,         /* value, text */
};

enum session_policy {
	SESSION_RELOAD, /* the user's own policy has changed, or a secret; DONE, value 1: one that
			   the policy names counts from the next start only */
	SESSION_ALLOW,
	SESSION_ALLOW_PRIVATE,
	SESSION_DENY,
	SESSION_REMOVE,
	SESSION_RULES, /* answered by DONE: the rules that count until it stops, one a line */
};

enum session_answer {
	SESSION_ANSWER_ONCE = 1, /* until the sandbox stops */
	SESSION_ANSWER_SANDBOX,  /* ... and kept with it */
	SESSION_ANSWER_ALWAYS,   /* noted; the rule comes with user.yaml, by RELOAD */
	SESSION_ANSWER_DENY,
};

enum session_publish {
	SESSION_PORTS_LIST, /* answered by DONE, as the next: one a line, in full */
	SESSION_PORTS_ADD,
	SESSION_PORTS_REMOVE,
};

enum session_flag {
	SESSION_DETACHED = 1, /* RUN: it stays when this client goes */
	SESSION_ONCE = 16,    /* POLICY: until it stops */
	SESSION_FIRST = 2,    /* RUN: the sandbox was started for it */
	SESSION_ACCOUNT = 4,  /* RUN: the last descriptor is for its account */
	SESSION_TIMEOUT = 8,  /* EXITED: its time was over */
	SESSION_STALE = 32,   /* DONE of FLOWS: ask again in a moment */
	SESSION_CLOSED = 64,  /* DONE of STATUS: it is only being set up */
};

struct session_msg {
	uint32_t magic, kind;
	int32_t session, value;
	uint32_t flags;
	uint8_t tty_fds; /* RUN: bit i: descriptor i is to be the pty */
	uint8_t code;
	uint16_t rows, cols;
	uint16_t pad;
	char text[1280];
};

/* The signals that whoever started a session may send, and that it gets: blocked in bawn, and read
 * from a signalfd. */
void session_signals(sigset_t *ret);

/* Listen in dir (of the box).  fd or -errno. */
int session_listen(int dirfd, struct err *err);
/* Nobody listens any more: remove it. */
void session_unlisten(int dirfd);
/* Who has come, if it is our user: non-blocking.  -errno */
int session_accept(int listener);
/* Connect; -ECONNREFUSED or -ENOENT (err untouched) when nobody listens. */
int session_connect(int dirfd, struct err *err);
/* The same; a supervisor that was stopped holds nobody up: -EAGAIN after so long. */
int session_connect_within(int dirfd, int ms, struct err *err);
/* Whoever listens at the other end of sock, which does not answer, is killed.  0 or -errno */
int session_kill(int sock);
/* 0 or -errno */
int session_send(int sock, const struct session_msg *m, const int *fds, size_t nfds);
/* 1; 0 when the other end is gone; -EAGAIN; -EBADMSG.  ret_fds has room for 8. */
int session_recv(int sock, struct session_msg *ret, int ret_fds[8], size_t *ret_nfds);
void session_error(struct session_msg *m, const struct err *err, int code);
/* The error that a FAILED carries. */
int session_take_error(const struct session_msg *m, struct err *err);

#endif
