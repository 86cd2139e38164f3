/* run/signals.h - the signals of a command that a session is still to come of.
 *
 * Owns: holding them until there is one, and what waits meanwhile.  Must not: pass one on to an
 * agent; the supervisor and the client take them from here.
 */
#ifndef BAWN_RUN_SIGNALS_H
#define BAWN_RUN_SIGNALS_H

#include "base/err.h"

/* Signals wait for the supervisor's signalfd, or the client's; children start with a clean mask.
 * Once the command line is read: that may take a pipe. */
void signals_hold(void);

/* The signal that is held and would have ended the command: SIGINT, SIGTERM or SIGHUP; 0: none. It
 * goes on being held. */
int signals_end(void);

/* Wait until fd can be read, where signals are held.  0; -EINTR where one of them ends it. */
int signals_await(int fd);

/* Wait for the end of a child of ours that works where there is no session yet, and may do so for
 * long; it is not reaped.  pidfd: its.  A signal that would have ended us reaches it, too, if it is
 * not at its end half a second later (a terminal's comes to both); Ctrl-Z stops us, as it does
 * it. */
void signals_await_child(int pidfd);

#endif
