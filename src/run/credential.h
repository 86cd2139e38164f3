/* run/credential.h - the policy's credentials in one run: which are in force, and what the agent
 * sees in their place.
 *
 * A credential is in force when its secret can be had: one that is stored, or the key in bawn's own
 * environment (or given by -e, --env-file).  The agent then has a placeholder in the variables that
 * the key would stand in, and the vault (sandbox/vault.h) the key.  The value is asked for whenever
 * a vault is to be told it, and erased here at once.
 */
#ifndef BAWN_RUN_CREDENTIAL_H
#define BAWN_RUN_CREDENTIAL_H

#include "policy/credential.h"
#include "run/run.h"
#include "secret/secret.h"

struct run_credential {
	const struct credential *c;
	bool active;
	char *placeholder; /* of one that was in force, or that a key may be found for; NULL */
	bool waits;        /* there is a secret now; it counts from the next start */
	bool from_login;   /* its value is the token of a log-in (run/login.h) */
	bool seeded;       /* its key was found in a file of the tool's */
	struct strv names; /* variables that have it inside */
	struct secret_buf value; /* between run_credentials_fetch() and run_credentials_drop() */
};

/* Once the policy is there: find out which are in force, and fetch their values.  0 or -errno. */
int run_credentials_begin(struct run *r, struct err *err);
/* The same in a process that joins a sandbox: those that this one has, without their values. */
int run_credentials_join(struct run *r, struct err *err);
/* Ask for all values anew; what has none is in force no more.  0 or -errno, with nothing changed.
 */
int run_credentials_fetch(struct run *r, struct err *err);
void run_credentials_drop(struct run *r);
/* While it runs: the policy is that of pack now, or secrets have changed.  What is known by name
 * keeps its placeholder; what can't be had is said, and is in force no more. */
int run_credentials_again(struct run *r, const struct pack *pack, struct err *err);
/* It runs without a vault, and there is a secret that its policy names since it was last asked. */
bool run_credentials_wait(struct run *r);
/* A lasting sandbox at rest: the same lines into files that it has of its own. */
void run_credentials_home(struct run *r);
/* For SESSION_KEYS: a sealed memfd; -ENOENT (err untouched) where no key is in the environment. */
int run_credentials_memfd(const struct run *r, struct err *err);
/* One of them: true where it is another than was known. */
bool run_credentials_adopt(struct run *r, const char *assignment);
/* For those who join: which there are, in the box. */
int run_credentials_note(struct run *r, struct err *err);
/* In a list of NAME=value put the placeholder where a key stands; add: also where none does. */
void run_credentials_cover(const struct run *r, struct arena *a, struct strv *env, bool add);
/* For bawn-admin seed: what to put in the place of keys that it finds in a tool's files.  And it
 * has found one: NAME=KEY, which is erased there; fetch what is in force anew. */
int run_credentials_stand_ins(struct run *r, struct strv *argv, struct err *err);
/* Likewise: lines with a placeholder in them, for files of the home.  How many files. */
size_t run_credentials_files(struct run *r, struct strv *argv);
void run_credentials_found(struct run *r, char *assignment);
/* What of the user's environment comes along is known: the placeholders in it. */
void run_credentials_env(struct run *r);
/* One line each: which secret goes where, and what has its placeholder. */
void run_credentials_list(struct run *r);
/* Keys that the agent will send where no credential goes. */
void run_credentials_warn(struct run *r);

#endif
