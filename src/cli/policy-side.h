/* cli/policy-side.h - what `bawn policy explain`, `diff` and `export` are asked about: the rules of
 * a profile, a sandbox, a policy or a file.
 */
#ifndef BAWN_CLI_POLICY_SIDE_H
#define BAWN_CLI_POLICY_SIDE_H

#include "cli/listing.h"
#include "cli/pack-args.h"
#include "policy/compile.h"
#include "policy/target.h"

/* What the verbs of `bawn policy` are told on the command line. */
struct policy_told {
	struct pack_args pack;
	struct strv extra;  /* ls: "ORIGIN allow|private|deny RULE" */
	const char *method; /* check, explain */
	const char *output, *as;
	bool force;
};

enum policy_side_kind { SIDE_PROFILE, SIDE_SANDBOX, SIDE_POLICY };

struct policy_side {
	enum policy_side_kind kind;
	const char *word;       /* as asked for, without "policy:" and the like */
	struct rules rules;     /* in the order in which they are read */
	struct http_rules http; /* made of them */
	struct credentials credentials;
	struct strv files; /* that they are from, in order */
	bool offline;
	struct egress_file file; /* a policy's own */
};

/* WORD is profile:NAME, sandbox:NAME, policy:NAME, a path, or a bare name that only one of them has
 * (a sandbox is looked for last).  args: what counts besides, for a profile or sandbox; NULL:
 * nothing.  0 or -errno; -ENOENT where there is no such thing. */
int policy_side_read(struct ctx *c, const char *word, struct pack_args *args,
	struct policy_side *ret, struct err *err);

/* "profile claude", "policy ./x.yaml": for messages. */
const char *policy_side_name(const struct policy_side *s, char *buf, size_t cap);
/* FILE, or FILE:LINE, as a rule is shown; its option, where it is from the command line. */
const char *policy_rule_place(const char *file, uint32_t line, char *buf, size_t cap);

/* "host:443", "[2001:db8::1]:443". */
void policy_target_text(const struct target *t, char *buf, size_t cap);

/* A request on the command line: "METHOD URL" as one word, or URL beside --method.  The URL; *ret
 * is NULL where no method is named. */
const char *policy_request_words(struct ctx *c, const char *word, const char **ret);
/* NULL is none, and well. */
int policy_check_method(const char *method, struct err *err);
/* The path of a URL with its query, n bytes; "/" where it has none. */
const char *policy_url_path(const char *url, size_t *ret_n);

/* policy-credential.c */
void policy_credential_show(const char *before, const struct credential *cr); /* one line */
void policy_credential_json(struct ctx *c, const struct credential *cr);
/* The key "credentials" of a policy; nothing where there are none. */
void policy_credentials_put(struct arena *a, FILE *f, const struct credentials *list);

int policy_explain(struct ctx *c); /* cmd-policy-explain.c */
int policy_diff(struct ctx *c);    /* cmd-policy-diff.c */
int policy_export(struct ctx *c);  /* cmd-policy-export.c */
int policy_import(struct ctx *c);

#endif
