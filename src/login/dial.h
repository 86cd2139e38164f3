/* login/dial.h - a connection to a token endpoint, as the supervisor would make one: by the user's
 * --connect-to, else through the host's proxy if it has one, else straight.
 */
#ifndef BAWN_LOGIN_DIAL_H
#define BAWN_LOGIN_DIAL_H

#include "base/arena.h"

/* A connected, blocking socket whose reads and writes give up in time.  overrides:
 * HOST:PORT:ADDR:PORT.  fd or -errno. */
int dial(const struct strv *overrides, const char *host, const char *port, struct err *err);

#endif
