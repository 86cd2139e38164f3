/* run/lasting.h - sandboxes that last, as the subcommands see them: which one a word means, joining
 * one that runs, starting one that doesn't.
 *
 * lasting-name.c finds or makes up the sandbox, lasting.c enters it.  A supervisor is a child of
 * the first client and stays when that goes; it has no terminal and hears no key.
 */
#ifndef BAWN_RUN_LASTING_H
#define BAWN_RUN_LASTING_H

#include "run/run.h"
#include "sandbox/client.h"
#include "sandbox/session.h"

#define LASTING_KEYS "ctrl-p,ctrl-q"

/* ---- lasting-name.c ---- */

/* Which sandbox do the options of `bawn run` mean?  r->spec is filled: read, or (true in *ret_new)
 * what a new one would be created with.  r->opt then holds what the sandbox was created with and
 * what was given on top, r->given the latter alone. */
int lasting_find(struct run *r, bool *ret_new, struct err *err);
/* There is a sandbox of the name in r->spec, which was to be created.  *ret_here: it is this
 * profile's for this workspace; else r->spec has another name.  0, or -errno: the name was given.
 */
int lasting_made_meanwhile(struct run *r, bool *ret_here, struct err *err);
/* Has the running sandbox all that was given?  -EINVAL with the command that would change it. */
int lasting_check_given(struct run *r, struct err *err);
/* The sandbox name, which must exist. */
int lasting_find_name(struct run *r, const char *name, struct err *err);
/* "there is no sandbox X", with the line that creates one. */
int lasting_unknown(struct run *r, const char *name, struct err *err);
/* Is there a profile of that name, shipped or the user's? */
bool lasting_is_profile(const struct run *r, const char *name);

/* ---- checkpoint.c ---- */

/* The supervisor: "TAG LAYER" was copied from what is written here now. */
int lasting_note_checkpoint(struct run *r, const char *text, struct err *err);
/* The sandbox is locked and about to start: read again what it is made of, whole and not too high.
 */
int lasting_ready(struct run *r, struct err *err);

/* ---- lasting-profile.c ---- */

/* The sandbox runs, and r's profile is about to join it: its settings, log-in and program are there
 * when this returns.  What has to be known of them has been found out (run_facts_command). */
int lasting_bring_profile(struct run *r, struct err *err);
/* The keys in our environment, for the vault of a sandbox that runs: then there are placeholders.
 */
int lasting_bring_keys(struct run *r, struct err *err);
/* The box's description names every profile that has entered; its lock is held. */
int lasting_note_profile(struct run *r, struct err *err);
/* The supervisor: ENTER and LEND. */
int lasting_on_request(struct run *r, const struct session_msg *m, struct err *err);

/* ---- lasting.c ---- */

/* Enter the sandbox of r->spec with r->command or the profile's tool; it is started where it does
 * not run.  The exit code; err->code tells that it is bawn's. */
int lasting_enter(struct run *r, struct err *err);
/* Come to session number (-1: the newest without a client) of the running sandbox of r->spec, whose
 * socket this is.  The exit code. */
int lasting_attach(struct run *r, int sock, int session, struct err *err);
/* A socket to the supervisor of sandbox name; -ESRCH (err untouched): it doesn't run. */
int lasting_connect(struct run *r, const char *name, struct err *err);
/* Send a request that is answered by DONE or FAILED; *ret is the answer. */
int lasting_request(int sock, struct session_msg *m, const int *fds, size_t n_fds,
	struct session_msg *ret, struct err *err);
/* Make the sandbox of r->spec.  r->fresh stays only where it was this one that made it: what
 * somebody else has made for the same place at the same moment is as good, and has its name in
 * r->spec. */
int lasting_create(struct run *r, struct err *err);
/* A supervisor that has its lock but listens no more, or not yet: it ends or begins.  Waits a
 * little, longer from the 20th time on; false when it has had its time since begin (run_now()). */
bool lasting_pause(uint64_t begin, unsigned int *tries);
/* Is there a supervisor?  One that is about to end is waited for. */
bool lasting_running(struct run *r, const char *name);
/* Lock the sandbox at rest; -EBUSY with a remedy while it runs. */
int lasting_lock(struct run *r, const char *name, struct err *err);

#endif
