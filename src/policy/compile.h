/* policy/compile.h - from a request to its profile and rules, and to the pack file.
 */
#ifndef BAWN_POLICY_COMPILE_H
#define BAWN_POLICY_COMPILE_H

#include "policy/locate.h"
#include "policy/pack.h"
#include "policy/read.h"

/* All that a request names, read and checked. */
struct compile_input {
	struct locate locate;
	struct profile profile;
	struct rules rules;
	struct credentials credentials;
	struct http_rules http; /* made of rules */
	struct strv policies;   /* the files the rules are from, in order */
};

/* Read the profile and every policy.  All memory is the arena's.  0 or -errno. */
int compile_read(struct arena *a, const struct pack_request *req, struct compile_input *ret,
	struct err *err);

/* A rule that gives the address itself means that address: a private one needs no further word.
 * 0.0.0.0/0 gives none.  compile_read() has done it. */
void rules_mark_given(struct rules *rules);

/* One policy by name or path. */
int compile_read_policy(
	struct locate *l, const char *name, struct egress_file *ret, struct err *err);

/* A policy that the profile names was not found: put its place in the profile in front of *err. */
int compile_blame(struct locate *l, const struct profile *p, const char *name, struct err *err);
int compile_read_profile(struct locate *l, const char *name, struct profile *ret, struct err *err);

/* Compile and write the pack to out, atomically, 0600.  0 or -errno. */
int compile_pack(const struct pack_request *req, const char *out, struct err *err);

#endif
