/* egress/jail-filter.h - the seccomp program of a jail.
 */
#ifndef BAWN_EGRESS_JAIL_FILTER_H
#define BAWN_EGRESS_JAIL_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

#include "egress/jail.h"

enum { JAIL_FILTER_MAX = 96 + 80 }; /* instructions: the table, and what comes before it */

/* The number of instructions in f, or -E2BIG: the table is too long. */
int jail_filter(const struct jail *j, struct sock_filter f[static JAIL_FILTER_MAX]);

#endif
