/* policy/why-name.h - names that are questions: may this be connected to?
 *
 * "443.example.com.why.bawn.invalid" asks for example.com:443, "443.addr-HEX.why.bawn.invalid" (16
 * bytes) for an address.  The top-level domain is nobody's (RFC 6761 6.4), so no such name is ever
 * looked up, whatever a policy allows.  A connection to port 80 of one is answered in words.
 *
 * Pure: no system calls.
 */
#ifndef BAWN_POLICY_WHY_NAME_H
#define BAWN_POLICY_WHY_NAME_H

#include "policy/target.h"

/* Is it one of them, well-formed or not?  name: canonical. */
bool why_name_is(const char *name);
/* 0; -EINVAL: not a question. */
int why_name_parse(const char *name, struct target *ret);
/* 0; -ENAMETOOLONG: the host's name is too long to be asked for. */
int why_name_format(const struct target *t, char ret[static HOST_NAME_MAX_LEN + 1]);

#endif
