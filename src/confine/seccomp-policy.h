/* confine/seccomp-policy.h - policies/syscalls/NAME.yaml as a table of calls and conditions.
 *
 * Heavy (with seccomp-compile.h): reads YAML through policy/yaml.h, the one header of a room of the
 * same line, which has the tree and its positions and no knowledge of policies.  Knows no numbers
 * of system calls.  Grammar: bawn-policy(5), policies/syscalls/default.yaml.
 */
#ifndef BAWN_CONFINE_SECCOMP_POLICY_H
#define BAWN_CONFINE_SECCOMP_POLICY_H

#include <stdint.h>

#include "base/arena.h"
#include "policy/yaml.h"

#define POLICY_CONDS 3
#define POLICY_USERNS_MAX 1000
#define POLICY_VALUES 16

enum policy_op {
	POLICY_IN,      /* (arg & mask) is one of the values */
	POLICY_NONZERO, /* all 64 bits */
	POLICY_GE,      /* all 64 bits */
};

struct policy_cond {
	unsigned arg; /* 0-5 */
	enum policy_op op;
	uint64_t mask;
	uint64_t values[POLICY_VALUES];
	size_t n_values;
};

/* One call of one entry. */
struct policy_call {
	const char *call, *name; /* name: of the entry */
	bool allow;
	int error; /* deny: the errno, 0 to pretend success */
	struct policy_cond conds[POLICY_CONDS];
	size_t n_conds; /* 0: whatever the arguments */
	const char *file;
	const struct yaml_node *at;
	bool dropped; /* a file that extends this one says otherwise */
};

struct seccomp_policy {
	struct policy_call *calls;
	size_t n, cap;
	unsigned user_namespaces; /* how many may be made inside; 0: none */
};

/* Where the policy called name is; name comes from "extends". */
typedef int (*seccomp_locate)(void *ctx, const char *name, const char **ret, struct err *err);

/* Read file and what it extends.  locate NULL: NAME.yaml beside the file.  All memory is the
 * arena's. 0, or -EINVAL with file:line:column. */
int seccomp_policy_read(struct arena *a, const char *file, seccomp_locate locate, void *ctx,
	struct seccomp_policy *ret, struct err *err);

#endif
