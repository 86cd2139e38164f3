/* template/remote.h - templates from registries and to them.
 *
 * Owns: which layers are fetched or sent, and how many at once.  Must not: speak HTTP or know a
 * secret (registry/client.h has bawn-registry do the one and hands it the other), or parse JSON.
 */
#ifndef BAWN_TEMPLATE_REMOTE_H
#define BAWN_TEMPLATE_REMOTE_H

#include "registry/client.h"
#include "template/template.h"

struct template_remote {
	char *helper;     /* path of bawn-registry */
	char *config_dir; /* CONFIG: the file registries, secrets */
	char *home;
};
int template_remote_init(struct template_remote *rm, struct arena *a, const char *libexec,
	const struct path_xdg *xdg, struct err *err);

/* Pull ref: its manifest, its config, and of its layers those that are not in the store; then key
 * ref_key(ref) names it.  The store is held by the caller.  p: which of several platforms.  ret_id
 * gets 65 bytes; *ret_fetched: bytes that came.  On failure the store is as it was. */
int template_pull(struct template_work *w, const struct template_remote *rm, const struct ref *ref,
	const struct image_platform *p, char ret_id[static 65], uint64_t *ret_fetched,
	struct err *err);

/* Push template t as ref (a tag): layers that the registry has, or can take over from another of
 * its repositories that t's layers are known to come from, are not sent.  *ret (in w's arena): the
 * digest of the manifest; *ret_sent: bytes that went. */
int template_push(struct template_work *w, const struct template_remote *rm,
	const struct template *t, const struct ref *ref, bool docker, char **ret,
	uint64_t *ret_sent, struct err *err);

#endif
