/* gate/names.h - what a file is by its name; pure.
 */
#ifndef BAWN_GATE_NAMES_H
#define BAWN_GATE_NAMES_H

#include "gate/match.h"

/* A file that is there for nothing but a credential: what it is, or NULL.  path: any, the names at
 * its end decide. */
const char *gate_credential_file(const char *path);
/* What lies there was published by somebody, so that only known secrets count: the tests of an
 * installed package, and what a distribution gives to all.  What to call it, or NULL. */
const char *gate_published(const char *path);
/* How the text of a file is to be read. */
enum gate_manner gate_manner_of(const char *path);

#endif
