/* run/learn-who.h - which program inside a connection is from, as far as /proc shows it.
 */
#ifndef BAWN_RUN_LEARN_WHO_H
#define BAWN_RUN_LEARN_WHO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LEARN_WHO_LEN 32

/* The name (comm) of the process that has a TCP connection from its port client to port, in the
 * network of the process init.  It is the process's own word, and up to 15 bytes of anything.
 * 0, or -ENOENT: not known. */
int learn_who(pid_t init, uint16_t port, uint16_t client, char *buf, size_t cap);

#endif
