/* vault/ca.h - the sandbox's certificate authority: made at start, its key in one process alone.
 */
#ifndef BAWN_VAULT_CA_H
#define BAWN_VAULT_CA_H

#include "vault/buf.h"
#include "base/err.h"

struct ca;

#define CA_YEARS 1           /* how long it holds; a start makes a new one */
#define CA_LEAF_HOURS 24     /* how long a leaf holds */
#define CA_LEAF_RENEW_S 3600 /* and for how long one is handed out */

/* A new one, or the one that ca_save() wrote.  NULL and *err. */
struct ca *ca_make(struct err *err);
struct ca *ca_load(const void *saved, size_t n, struct err *err);
int ca_save(const struct ca *ca, struct buf *ret, struct err *err); /* with its key */
int ca_cert(const struct ca *ca, struct buf *ret, struct err *err); /* PEM, to be trusted */

/* A certificate for this canonical name with a key of its own, in the form of LINK_LEAF.  0 or
 * -errno. */
int ca_leaf(const struct ca *ca, const char *name, struct buf *ret, struct err *err);

#endif
