/* host/etc.h - the /etc of template host: an allow-list copied from the machine's, plus our own.
 *
 * Made once into CACHE/etc/KEY and bound read-only; a start only checks that the sources are what
 * they were (one stat each).  Never copied: shadow, sudoers, keys, anything not in the table.
 */
#ifndef BAWN_HOST_ETC_H
#define BAWN_HOST_ETC_H

#include "host/identity.h"

/* /etc/hostname and /etc/hosts say this; a plan that uses the directory sets the same host name. */
#define HOST_ETC_HOSTNAME "bawn"

/* *ret_dir: "CACHE_DIR/etc/<32 hex>", complete and verified.  cache_dir is $XDG_CACHE_HOME/bawn. */
int host_etc_prepare(struct arena *a, const char *cache_dir, const struct host_identity *id,
	char **ret_dir, struct err *err);

/* Into a template's dir, made where it is missing: hosts, host name, resolver. */
int host_etc_network(const char *dir, struct err *err);

#endif
