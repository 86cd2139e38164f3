/* host/etc-files.h - the files of the generated /etc that are our own (internal to host).
 */
#ifndef BAWN_HOST_ETC_FILES_H
#define BAWN_HOST_ETC_FILES_H

#include "host/identity.h"

/* passwd, group, hosts, hostname, resolv.conf, nsswitch.conf, profile, ssh, machine-id, mtab.
 * What the copy brought under one of these names is replaced. */
int etc_write_own(struct arena *a, const struct host_identity *id, int dir, struct err *err);

/* Does any line of this settings file look like it holds a credential? */
bool etc_seems_secret(const char *text);
/* Take such lines out, in place; the new length. */
size_t etc_drop_secret_lines(char *text);

#endif
