/* policy/read.h - profiles and egress policies from YAML to their in-memory forms.
 */
#ifndef BAWN_POLICY_READ_H
#define BAWN_POLICY_READ_H

#include "policy/credential.h"
#include "policy/profile.h"
#include "policy/rule.h"
#include "policy/yaml.h"

/* root is the tree of file.  name: of the profile.  Defaults are filled in.  All strings are the
 * arena's.  0 or -EINVAL with file:line:column. */
int profile_parse(struct arena *a, const char *name, const char *file, const struct yaml_node *root,
	struct profile *ret, struct err *err);

struct egress_file {
	const char *file, *summary; /* summary: "" when there is none */
	bool api;                   /* also apply what the profile names under api */
	bool beside;                /* named by --policy: those of the profile stay */
	struct rules rules;         /* in file order */
	struct credentials credentials;
};

int egress_file_parse(struct arena *a, const char *file, const struct yaml_node *root,
	struct egress_file *ret, struct err *err);

/* The list under "credentials", appended to *ret. */
int credentials_parse(struct arena *a, const char *file, const struct yaml_node *at,
	struct credentials *ret, struct err *err);
/* Append c, unless the same stands there already (from another policy).  -EEXIST with both places:
 * the two would set one header on one host, or give one variable two placeholders. */
int credentials_add(
	struct arena *a, struct credentials *list, const struct credential *c, struct err *err);

/* Do both say the same, wherever they stand? */
bool credential_same(const struct credential *a, const struct credential *b);

/* What is masked and protected when a profile doesn't say. */
extern const char *const profile_default_mask[];
extern const char *const profile_default_protect[];

#endif
