/* host/ca.h - what programs inside trust where a sandbox has an authority of its own.
 *
 * Two files, made at each start: the machine's bundle with the sandbox's certificate behind it,
 * which stands in for the bundle wherever programs look for one, and that certificate alone for
 * those that take additions.  Also the variables that lead programs with a list of their own there.
 * Must not: hold a key; only certificates come through here.
 */
#ifndef BAWN_HOST_CA_H
#define BAWN_HOST_CA_H

#include "base/arena.h"
#include "host/stack.h"

/* What OpenSSL's directories of certificates call that certificate: the hash of its subject, which
 * is the same in all sandboxes (vault/ca.c). */
#define HOST_CA_HASH "32e0e17b.0"

/* The directory inside, and what is in it. */
#define HOST_CA_INSIDE "/run/bawn/ca"
#define HOST_CA_OWN "ca.crt"
#define HOST_CA_BUNDLE "bundle.crt"
#define HOST_CA_SANDBOX "sandbox.crt" /* there where the sandbox has an authority; it alone */

/* What is inside, seen from out here: template host with its generated /etc (host/etc.h), or, where
 * stack is set, a template. */
struct host_ca_view {
	const char *etc;
	const struct host_stack *stack;
};

/* Where programs look for the machine's bundle: paths inside, no link in them, each once.  0 or
 * -errno. */
int host_ca_places(
	struct arena *a, const struct host_ca_view *v, struct strv *ret, struct err *err);

/* The certificates that the administrator of this machine has added, where the distributions' tools
 * take them from, in PEM: a template has not heard of them, and behind a proxy that ends TLS
 * nothing could be reached from there.  NULL: none. */
char *host_ca_added(struct arena *a);

/* The file with this machine's own bundle, links followed; NULL: there is none. */
const char *host_ca_machine(struct arena *a);

/* Write the files into dir.  pem: the sandbox's certificate, more: further ones; either may be
 * NULL, not both.  passed: variables that come along; what the certificate variables among them
 * name is put in, too.  0 or -errno. */
int host_ca_write(struct arena *a, const struct host_ca_view *v, const char *dir, const char *pem,
	const char *more, const struct strv *passed, struct err *err);
/* For a template's root, which is put together beneath seed: the bundle of dir, which is shown at
 * HOST_CA_INSIDE, where it has none or an own, and a link where its own tool adds certificates, so
 * that a bundle that is made inside has the sandbox's too.  What this machine has added stays out
 * of that: a bundle that is saved in a template should not trust it elsewhere. */
int host_ca_seed(struct arena *a, const struct host_ca_view *v, const char *dir, const char *seed,
	struct err *err);

/* NAME=value for every runtime that has a list of its own; the end is NULL. */
extern const char *const host_ca_env[];
/* Is that the name of one of these variables? */
bool host_ca_variable(const char *name, size_t n);

#endif
