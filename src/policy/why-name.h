/* policy/why-name.h - names that are questions: may this be connected to, or asked for?
 *
 * "443.example.com.why.bawn.invalid" asks for example.com:443, "443.addr-HEX.why.bawn.invalid" (16
 * bytes) for an address.  "443.2.LABEL.LABEL.example.com.request.bawn.invalid" asks for a request:
 * the labels, as many as the number says, are base32 (RFC 4648, small letters) of "METHOD /PATH".
 * The top-level domain is nobody's (RFC 6761 6.4), so no such name is ever looked up, whatever a
 * policy allows.  A connection to port 80 of one is answered in words.
 *
 * Pure: no system calls.
 */
#ifndef BAWN_POLICY_WHY_NAME_H
#define BAWN_POLICY_WHY_NAME_H

#include "policy/target.h"

#define WHY_METHOD_MAX 16
#define WHY_PATH_MAX 160

struct why_question {
	struct target to;
	char method[WHY_METHOD_MAX + 1]; /* empty: a connection is asked about */
	char path[WHY_PATH_MAX + 1];
};

/* Is it one of them, well-formed or not?  name: canonical. */
bool why_name_is(const char *name);
/* 0; -EINVAL: not a question. */
int why_name_parse(const char *name, struct why_question *ret);
/* 0; -ENAMETOOLONG: the host's name, or the path, is too long to be asked for. */
int why_name_format(const struct why_question *q, char ret[static HOST_NAME_MAX_LEN + 1]);

#endif
