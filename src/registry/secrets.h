/* registry/secrets.h - what bawn-registry may use to say who it is, and what it has learnt to use.
 *
 * Owns: the form in which that crosses: a memfd of lines "KEY VALUE", which the helper reads and
 * writes anew.  Must not: let any of it into an argument, variable, message or answer.
 */
#ifndef BAWN_REGISTRY_SECRETS_H
#define BAWN_REGISTRY_SECRETS_H

#include "base/err.h"

#define SECRETS_TOKEN_MAX 16384

struct registry_secrets {
	char user[512], pass[SECRETS_TOKEN_MAX]; /* Basic, and for the endpoint of tokens */
	char identity[SECRETS_TOKEN_MAX];        /* an OAuth refresh token, in place of both */
	char bearer[SECRETS_TOKEN_MAX];          /* a token that was given for this repository */
	char proxy[1024];                        /* http://[USER:PASSWORD@]HOST:PORT */
};

/* What stands in fd; a descriptor without any bytes is empty.  0; -EBADMSG; -errno. */
int registry_secrets_read(int fd, struct registry_secrets *ret);
/* In place of what stands there.  0; -EINVAL: a value has a control byte in it that can't be sent
 * (a name, a password and a refresh token may have several lines); -errno. */
int registry_secrets_write(int fd, const struct registry_secrets *s);
void registry_secrets_erase(struct registry_secrets *s);
static inline bool registry_secrets_any(const struct registry_secrets *s)
{
	return *s->user || *s->pass || *s->identity;
}

#endif
