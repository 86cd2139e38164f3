/* registry/client.h - asking bawn-registry: one place, who we are there, questions.
 *
 * Owns: the starting of bawn-registry and of credential helpers.  Must not: parse what either says
 * but in the forms of request.h and secrets.h, or let a secret go anywhere but to them.
 */
#ifndef BAWN_REGISTRY_CLIENT_H
#define BAWN_REGISTRY_CLIENT_H

#include "base/job.h"
#include "registry/places.h"
#include "registry/request.h"

struct registry_client {
	char *helper;     /* path of bawn-registry */
	char *config_dir; /* CONFIG */
	char *home;
	struct registry_place place;
	int64_t stall;
	struct registry_secrets *secrets; /* locked memory */
};

/* Who we are to that place: the secret registry.HOST, else what Docker's config.json or a helper
 * that it names says; nobody is no error.  To be closed, also where it fails. */
int registry_open(struct registry_client *c, struct arena *a, struct err *err);
void registry_close(struct registry_client *c);

/* A question that is under way. */
struct registry_job {
	struct job job;
	int secrets;
};
#define REGISTRY_JOB_NONE ((struct registry_job){.job = JOB_NONE, .secrets = -1})

/* q's op, repo, ref, digest, size, type and from count.  data: descriptor 4; -1: none. */
int registry_start(const struct registry_client *c, struct arena *a,
	const struct registry_request *q, int data, struct registry_job *ret, struct err *err);
/* Its answer, once job.fd is readable or has ended (it waits).  A token that it got is c's from now
 * on.  -ENOENT: 404; -EACCES: 401 or 403; other -errno; all with what it said, and whom it asked.
 */
int registry_finish(struct registry_client *c, struct arena *a, struct registry_job *job,
	struct registry_answer *ret, struct err *err);
void registry_abort(struct registry_job *job);
/* Both. */
int registry_ask(struct registry_client *c, struct arena *a, const struct registry_request *q,
	int data, struct registry_answer *ret, struct err *err);

#endif
