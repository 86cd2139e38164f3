/* template/leave-out.h - what of a sandbox is never part of a template that is saved from it.
 *
 * Owns: the list of agents' log-ins and transcripts, histories, and what bawn itself puts there.
 */
#ifndef BAWN_TEMPLATE_LEAVE_OUT_H
#define BAWN_TEMPLATE_LEAVE_OUT_H

#include "base/arena.h"

/* Names below the root, as bawn-layer pack takes them, each as a string in *ret.  homes: relative
 * to the root ("home/agent"); env: the image's variables, which may have a tool's files elsewhere;
 * dirs: the upper directories, in which names with a '*' are looked up; seed: a directory with what
 * bawn put there, or -1.  0 or -ENOMEM. */
int leave_out(struct arena *a, const struct strv *homes, const struct strv *env, const int *dirs,
	size_t n_dirs, int seed, struct strv *ret);

#endif
