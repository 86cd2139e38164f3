/* cli/policy-side.h - what `bawn policy explain`, `diff` and `export` are asked about: the rules of
 * a profile, a sandbox, a policy or a file.
 */
#ifndef BAWN_CLI_POLICY_SIDE_H
#define BAWN_CLI_POLICY_SIDE_H

#include "cli/listing.h"
#include "cli/pack-args.h"
#include "policy/compile.h"

/* What the verbs of `bawn policy` are told on the command line. */
struct policy_told {
	struct pack_args pack;
	struct strv extra; /* ls: "ORIGIN allow|private|deny RULE" */
	const char *output, *as;
	bool force;
};

enum policy_side_kind { SIDE_PROFILE, SIDE_SANDBOX, SIDE_POLICY };

struct policy_side {
	enum policy_side_kind kind;
	const char *word;   /* as asked for, without "policy:" and the like */
	struct rules rules; /* in the order in which they are read */
	struct strv files;  /* that they are from, in order */
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

int policy_explain(struct ctx *c); /* cmd-policy-explain.c */
int policy_diff(struct ctx *c);    /* cmd-policy-diff.c */
int policy_export(struct ctx *c);  /* cmd-policy-export.c */
int policy_import(struct ctx *c);

#endif
