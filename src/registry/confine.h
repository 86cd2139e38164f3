/* registry/confine.h - what bawn-registry gives up before the first byte of a registry, a config
 * file or a helper's answer.
 */
#ifndef BAWN_REGISTRY_CONFINE_H
#define BAWN_REGISTRY_CONFINE_H

#include "base/err.h"

/* network: sockets stay, of INET and INET6 and for asking the kernel about its own addresses, and
 * the files that looking up a name takes.  No file else, no program, no other process. */
int confine_registry(bool network, struct err *err);

#endif
