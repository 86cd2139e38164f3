/* tests/unit/egress-upstream.h - the servers on the host's loopback that egress tests talk to.
 *
 * One speaks HTTP (GET /big: much, each byte its offset modulo UPSTREAM_PERIOD; GET /ws: echoes
 * from then on; GET /silent: no answer; POST: reads the body; else says which Host it was asked
 * for), one echoes, one stands for a port of the host.
 */
#ifndef BAWN_TEST_EGRESS_UPSTREAM_H
#define BAWN_TEST_EGRESS_UPSTREAM_H

#include <stdint.h>

#include "base/macro.h"

enum { UPSTREAM_BIG = 64 * 1024 * 1024, UPSTREAM_PERIOD = 251 };

/* Listens on 127.0.0.1:*port; 0 picks one and fills it in.  Ends the program on failure. */
int upstream_listen(uint16_t *port);
/* Serve the three listeners until the parent ends. */
_noreturn_ void upstream_run(int http, int echo, int host);

#endif
