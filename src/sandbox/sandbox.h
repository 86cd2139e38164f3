/* sandbox/sandbox.h - running one plan: start the processes, keep the terminal, wait, account.
 *
 * Owns: the processes of a run and the order they start and end in.  Must not: decide (the plan has
 * decided) or print (the hooks do).
 */
#ifndef BAWN_SANDBOX_SANDBOX_H
#define BAWN_SANDBOX_SANDBOX_H

#include <sys/types.h>

#include "egress/dialer.h"
#include "plan/control.h"
#include "plan/plan.h"
#include "policy/pack.h"
#include "sandbox/ports.h"
#include "sandbox/session.h"

/* What a session has used, at its end. */
struct sandbox_account {
	uint32_t session;
	int fd; /* where its client wants to read it */
	uint64_t user_us, system_us;
};

/* Does TLS to a host end in the vault, and what for? */
enum sandbox_terminated {
	SANDBOX_END_TO_END,
	SANDBOX_CREDENTIAL, /* a credential goes there; without it the connection is one like others
			     */
	SANDBOX_RULES,      /* rules on requests, which only the vault can hold */
};

/* A request on a connection that the vault has terminated; text is escaped. */
struct sandbox_http {
	const char *name;
	uint16_t port;
	const char *method, *path; /* without the query; empty: there was no request */
	const char *text;          /* what was wrong */
	uint16_t status;           /* of the response, 0: there was none */
	uint8_t why;               /* enum vault_why */
	bool injected;             /* with a credential */
	uint32_t lost;             /* that many were not told before this one */
	uint32_t rule;             /* that decided, or EGRESS_NO_RULE */
};

struct sandbox_hooks {
	void *ctx;
	/* A session whose client wants an account begins; ends. */
	void (*begin)(void *ctx, uint32_t session);
	void (*account)(void *ctx, const struct sandbox_account *a);
	/* Asked at each connection. */
	enum sandbox_terminated (*terminated)(void *ctx, const char *name, uint16_t port);
	void (*http)(void *ctx, const struct sandbox_http *h);
	/* Likewise: how much a run may send there, 0: no limit; and the rule that says so. */
	uint64_t (*max_upload)(void *ctx, const char *name, uint16_t port, uint32_t *ret_rule);
	/* What the vault would say of a request. */
	struct http_verdict (*judge)(
		void *ctx, const char *name, uint16_t port, const char *method, const char *target);
	/* The agent runs; the supervisor has time now (leftovers are collected here). */
	void (*started)(void *ctx);
	/* The host replaced a guarded path.  again: its guard is back; else the run was ended. */
	void (*replaced)(void *ctx, const char *path, bool again);
	/* The descriptor of sandbox_follow() can be read from. */
	void (*followed)(void *ctx);
	/* Something failed while the agent runs: a line for the person at the terminal. */
	void (*message)(void *ctx, const char *line);
	/* A lasting sandbox: a session started (program; code -1) or ended (code), or its terminal
	 * came or went (code -1). */
	void (*session)(void *ctx, uint32_t id, const char *action, const char *program, int code);
	/* A lasting sandbox: a client asks for something that is not a session's.  *answer is a
	 * DONE to fill.  Descriptors that are kept are replaced by -1.  0 or -errno. */
	int (*request)(void *ctx, const struct session_msg *m, int *fds, size_t n_fds,
		struct session_msg *answer, struct err *err);
};

/* A sandbox that lasts: who may come to it, and who has started it. */
struct sandbox_lasting {
	int listener; /* session_listen() */
	int dirfd;    /* of the box */
	int client;   /* SEQPACKET to who waits for the first session, -1: nobody */
	int account;  /* for the account of the first session, -1: nobody wants it; taken over */
	bool detached;
	bool closed; /* it is being set up: nobody joins it, or changes what it will be */
};

struct sandbox_config {
	uid_t uid; /* the one user that is mapped */
	gid_t gid;
	uid_t inside_uid; /* and as whom */
	gid_t inside_gid;
	uint8_t tty_fds; /* which of 0-2 are the caller's terminal */
	const struct pack *pack;
	const struct mount_op *rows; /* laid while the rest of the plan is made */
	size_t n_rows;
	const char *libexec;         /* where bawn-init, bawn-relay and bawn-resolve are */
	struct dialer_config dialer; /* relay_sock is filled in here */
	struct sandbox_hooks hooks;
	bool clipboard;                /* pass OSC 52 writes to the terminal */
	const struct port_spec *ports; /* published from the start */
	size_t n_ports;
	bool lasting;        /* sandbox_serve() follows */
	uint32_t timeout_ms; /* that the first session may take, 0: any */
};

struct sandbox_result {
	int code;                                      /* the agent's, or 128+n, or 125-127 */
	uint64_t start_ns, ready_ns, agent_ns, end_ns; /* CLOCK_MONOTONIC; 0: not reached */
	uint64_t stamps[CONTROL_STAMPS];               /* bawn-init's own */
	bool killed;                                   /* by us: second SIGTERM or its 10 s */
	bool timeout;                                  /* its time was over */
	uint64_t user_us, system_us;                   /* processor time; not if lasting */
};

struct sandbox;       /* a run in progress */
struct sandbox_ahead; /* bawn-init alone, in namespaces of its own, which waits to be told */

/* Clone bawn-init before anything is decided: to make its namespaces it need know nothing.  What
 * keeps it from starting is said by sandbox_launch(); NULL: no memory.  tty_fds: as in the config.
 */
struct sandbox_ahead *sandbox_ahead(const char *libexec, uint8_t tty_fds);
/* There will be no sandbox: it is gone when this returns. */
void sandbox_ahead_drop(struct sandbox_ahead *a);

/* Give it what follows from the policy alone: it makes the network, the first mounts, and waits.
 * *ahead is taken over, and NULL then.  0 or -errno. */
int sandbox_launch(const struct sandbox_config *c, struct sandbox_ahead **ahead,
	struct sandbox **ret, struct err *err);
/* A sandbox that lasts: who may come to it.  The listener and dirfd are taken over, the client is
 * when the agent has started.  0 or -errno. */
int sandbox_serve(struct sandbox *s, const struct sandbox_lasting *l, struct err *err);
/* Start a vault with this configuration (vault/vault.h), or have another take over at the next
 * connection.  The bytes stay the caller's, to be erased.  0 or -errno. */
int sandbox_vault(struct sandbox *s, const void *config, size_t n, struct err *err);
/* The same, at once and in the one that runs, with other secrets alone.  0 or -errno. */
int sandbox_vault_renew(struct sandbox *s, const void *config, size_t n, struct err *err);
/* hooks.followed is called whenever fd, which stays the caller's, can be read from.  -1: no more.
 */
int sandbox_follow(struct sandbox *s, int fd, struct err *err);
bool sandbox_has_vault(const struct sandbox *s);
/* Wait until the first one is ready: the certificate of the sandbox's authority, PEM. */
int sandbox_vault_certificate(
	struct sandbox *s, struct arena *a, const char **ret, struct err *err);
/* Something was refused elsewhere: it is a denial like others (egress/dialer.h). */
void sandbox_denied(
	struct sandbox *s, const char *target, const char *reason, uint32_t rule, const char *fix);
/* Everything is decided: hand the plan over, which must outlive the sandbox.  0 or -errno. */
int sandbox_decide(struct sandbox *s, const struct plan *plan, struct err *err);
/* Wait for the guards, start the agent, and stay until it ends.  0 with *ret filled (its code may
 * be 126 or 127 with *err filled when the agent's program would not start), or -errno. */
int sandbox_wait(struct sandbox *s, struct sandbox_result *ret, struct err *err);
/* It ran, and nothing runs inside any more; bawn-init may not have been reaped yet. */
bool sandbox_ended(const struct sandbox *s);
/* bawn-init's pid, outside. */
pid_t sandbox_init_pid(const struct sandbox *s);
/* For the exit list. */
const struct dialer *sandbox_dialer(const struct sandbox *s);
/* For answering its questions. */
struct dialer *sandbox_dialer_live(struct sandbox *s);
/* While the agent runs: show text in the terminal's title when the agent owns the terminal. */
void sandbox_title(struct sandbox *s, const char *text);
bool sandbox_owns_terminal(const struct sandbox *s);
/* A lasting sandbox that runs: show a directory or file of the host at its own path, read-only.  0
 * or -errno. */
int sandbox_lend(struct sandbox *s, const char *path, struct err *err);
/* A lasting sandbox: stop or continue everything inside.  0 or -errno. */
int sandbox_freeze(struct sandbox *s);
void sandbox_thaw(struct sandbox *s);
/* One that doesn't last: hear at this listener (session_listen()), taken over, that the user's
 * policy has changed.  0 or -errno. */
int sandbox_hear(struct sandbox *s, int listener);
/* Published ports while it runs: one more (*ret: with the port that it got); the next one less of
 * that HOST and PORT (0: any), as it was, and the HOST that was asked for (its connections end);
 * all that there are. */
int sandbox_publish(
	struct sandbox *s, const struct port_spec *want, struct port_spec *ret, struct err *err);
bool sandbox_unpublish(struct sandbox *s, uint16_t host, uint16_t inside, struct port_spec *ret,
	uint16_t *ret_asked);
size_t sandbox_ports(const struct sandbox *s, struct port_spec ret[PORTS_MAX]);
/* Another policy, at once: of pack instead of now.  What pack maps must outlive the sandbox or the
 * next call.  Connections that it denies end, the others go on.  0 or -errno, with nothing changed.
 */
int sandbox_policy(
	struct sandbox *s, const struct pack *now, const struct pack *pack, struct err *err);
/* A lasting sandbox has ended and was accounted for: let its clients go while the kernel takes its
 * mounts down, which syncs the file system under an overlay. */
void sandbox_farewell(struct sandbox *s);
/* Kill whatever still lives, reap, restore the terminal.  Where all that ran inside has ended, the
 * kernel needs a while for the namespaces of bawn-init, with which the caller can do something:
 * *ret_last is bawn-init then, to be waited for.  NULL: waited for here. */
void sandbox_free(struct sandbox *s, struct proc *ret_last);

#endif
