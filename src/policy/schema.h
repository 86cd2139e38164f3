/* policy/schema.h - checking YAML against tables: kinds, names, and the nearest valid key.
 *
 * Owns: the value types that profiles and policies share, and the messages for what is wrong.
 */
#ifndef BAWN_POLICY_SCHEMA_H
#define BAWN_POLICY_SCHEMA_H

#include "policy/yaml.h"

/* Keys of policies/egress/NAME.yaml; the parser, lint, and the man page's test use this table. */
struct policy_key {
	const char *name;
	const char *type, *deflt, *summary;
};
extern const struct policy_key policy_keys[]; /* summary, api, allow, deny, credentials */
extern const size_t policy_n_keys;
extern const struct policy_key rule_keys[]; /* of a rule written as a map: host, private, ... */
extern const size_t rule_n_keys;
extern const struct policy_key credential_keys[]; /* of an entry of credentials */
extern const size_t credential_n_keys;

/* schema_unknown_key() with the words of such a table. */
int schema_unknown(struct err *err, const char *file, const struct yaml_node *at, const char *where,
	const struct policy_key *keys, size_t n);

/* "unknown key "x"; did you mean "y"?" (or the list of keys), at the node's key. */
int schema_unknown_key(struct err *err, const char *file, const struct yaml_node *at,
	const char *where, const char *const *words, size_t n);

int schema_want(struct err *err, const char *file, const struct yaml_node *at, enum yaml_kind kind);
/* One line of text, not empty. */
int schema_text(struct arena *a, const char *file, const struct yaml_node *at, const char **ret,
	struct err *err);
int schema_bool(const char *file, const struct yaml_node *at, bool *ret, struct err *err);
/* A list of texts, appended to *ret; an empty value is an empty list. */
int schema_list(struct arena *a, const char *file, const struct yaml_node *at, struct strv *ret,
	struct err *err);

/* Letters, digits, ".", "-" and "_", at most 64, not starting with "." or "-". */
bool schema_is_name(const char *s);
/* A variable's name; wild: one "*" may stand at its end (not alone). */
bool schema_is_var(const char *s, bool wild);
/* A glob or path below the workspace in its plain form: no leading "./", no "//", no "/" at the
 * end ("!" may stand before).  NULL when it is absolute, empty or has a ".." part. */
char *schema_plain_glob(struct arena *a, const char *s);

#endif
