/* registry/places.h - where a registry is asked: CONFIG/registries.
 *
 *   mirror HOST URL [only]   images of HOST are looked for there first (only: and nowhere else)
 *   insecure HOST            asked by http; one on loopback (localhost, 127.0.0.0/8, ::1) always is
 *   https HOST               one on loopback that speaks TLS
 *   ca HOST FILE             more certificates that are trusted for it
 *   stall SECONDS            how long next to nothing may come (30)
 *
 * Owns: that grammar, the rule which scheme is used, docker.io's other name.  Pure but for
 * registry_places_find().
 */
#ifndef BAWN_REGISTRY_PLACES_H
#define BAWN_REGISTRY_PLACES_H

#include <stdint.h>

#include "base/arena.h"

struct registry_place {
	char *host; /* as references and credentials have it: "docker.io", "localhost:5000" */
	char *base; /* "https://registry-1.docker.io" */
	char *ca;   /* a file; NULL */
	bool mirror;
};

struct registry_places {
	struct registry_place *v; /* mirrors first, in their order; last the registry itself */
	size_t n;
	int64_t stall; /* 0: not said */
};

#define PLACES_FILE_MAX ((size_t)256 * 1024)

/* text, n bytes and a NUL, is changed.  push: mirrors don't count.  0; -EINVAL with the line. */
int registry_places_parse(struct arena *a, char *text, size_t n, const char *host, bool push,
	struct registry_places *ret, struct err *err);
/* From CONFIG/registries, which need not be there; -EPERM where others can write it. */
int registry_places_find(struct arena *a, const char *config_dir, const char *host, bool push,
	struct registry_places *ret, struct err *err);

#endif
