/* run/login.h - the user's log-ins in one run: what bawn-login (login/login.h) says of them.
 *
 * A log-in that seeding has found stays on the host; inside stands a document of its shape.  Its
 * token is the value of the credential that has its name, whenever the vault is to be told it.
 */
#ifndef BAWN_RUN_LOGIN_H
#define BAWN_RUN_LOGIN_H

#include "login/login.h"
#include "secret/secret.h"

struct run;
struct sandbox_http;

struct run_login {
	const char *name, *spec; /* of the credential; JSON for bawn-login */
	struct secret_buf token, former;
	bool dead;    /* only a person can change that */
	bool refused; /* said so to bawn-login, which has not answered yet */
	bool said;    /* the person has been told what is wrong */
};

struct run_logins {
	struct run_login v[LOGIN_MAX];
	size_t n;
	int sock; /* to bawn-login, -1: it doesn't run */
	uint64_t started;
};

/* NAME=JSON, from seeding.  True: it is a new one. */
bool run_logins_take(struct run *r, const char *text);
/* Start bawn-login and wait for its word on each.  0 or -errno: one of them can't be used, which
 * only a person can change. */
int run_logins_start(struct run *r, struct err *err);
/* The one of this credential that has a token, or NULL. */
struct run_login *run_login_of(struct run *r, const char *name);
/* For those who join, to be sent as keys are: a sealed memfd; -ENOENT (err untouched): none. */
int run_logins_memfd(struct run *r, struct err *err);
/* sandbox_hooks.followed */
void run_logins_told(void *run);
/* A request with a credential was answered; that may have been a refusal. */
void run_logins_answered(struct run *r, const struct sandbox_http *h);
void run_logins_end(struct run *r);

#endif
