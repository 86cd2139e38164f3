/* seed/spec.h - the sections state, login and files of a profile; see bawn-profile(5).
 *
 * Owns: their schema (one table each) and their in-memory form.  Must not: touch any file but the
 * profile.
 */
#ifndef BAWN_SEED_SPEC_H
#define BAWN_SEED_SPEC_H

#include "policy/yaml.h"
#include "json/keypath.h"

enum seed_format { SEED_PLAIN, SEED_JSON, SEED_TOML };
enum seed_tri { SEED_EITHER, SEED_YES, SEED_NO };

/* All that is said must hold. */
struct seed_when {
	struct strv env;     /* any of these variables is set and not empty */
	struct strv no_env;  /* none of these is */
	enum seed_tri login; /* a log-in of the host came along */
	enum seed_tri yolo;  /* the tool's own prompts are switched off */
	/* The tool's version is this or later; is below this.  One that can't be told is new. */
	const char *since, *before;
};

/* A file or directory of the user's that comes along. */
struct seed_state {
	const char *path; /* "~/.codex/config.toml", "${CODEX_HOME:-~/.codex}/config.toml" */
	enum seed_format format;
	struct keypats keep, drop; /* JSON and TOML: keys */
	struct keypats commands;   /* keys that hold a command which must exist inside */
	struct keypats texts;      /* JSON: keys that name texts of the home, which come along */
	struct keypats prompts;    /* JSON: keys that stay where the tool's prompts are off */
	struct keypats variables;  /* JSON and TOML: keys that name variables */
	bool imports;              /* files that its text imports come along, too */
	struct strv exclude;       /* directories: globs of names that stay */
};

/* How a log-in's access token is renewed, and where the file holds what that takes.  Without url it
 * isn't. */
struct seed_renew {
	const char *url;                       /* "https://auth.openai.com/oauth/token" */
	bool form;                             /* the request is a form, not JSON */
	const char *client_id, *client_secret; /* the tool's, which are no secrets */
	const char *scope;                     /* asked for, or NULL */
	const char *refresh;                   /* place of the refresh token */
	const char *id;                        /* of the identity token, or NULL */
	const char *refreshed;                 /* of the time it was renewed, or NULL */
};

/* How a log-in begins, in a browser that comes back to this machine.  Without url it can't. */
struct seed_begin {
	const char *url;     /* "https://auth.openai.com/oauth/authorize" */
	const char *scope;   /* asked for, or NULL */
	const char *host;    /* of the redirect: "localhost", or NULL: "127.0.0.1" */
	const char *port;    /* of the redirect, or NULL: any */
	const char *path;    /* "/auth/callback" */
	const char *paste;   /* a redirect to a page that shows the code, or NULL */
	const char *extra;   /* "a=b&c=d" for url, or NULL */
	bool form;           /* the request for tokens is a form, not JSON */
	bool send_state;     /* it holds the state, too */
	const char *set;     /* JSON that is in the file beside the tokens */
	const char *account; /* place of what the identity token has at claims, claim */
	const char *claims, *claim;
};

/* A credential file of which only the short-lived part comes along. */
struct seed_login {
	const char *path;
	const char *env;  /* a variable in which the tool takes the same text, instead; or NULL */
	const char *name; /* "claude.ai" */
	const char *run;  /* what renews it on the host: "claude" */
	struct keypats keep;
	struct keypat token;
	bool key;               /* it is an API key, not a token that expires */
	bool covered;           /* without a placeholder for it, it stays outside */
	const char *variable;   /* in which the tool would take such a key, too; or NULL */
	const char *credential; /* the policy's secret that this is: a placeholder comes along */
	struct seed_renew renew;
	struct seed_begin begin;
	const char *token_text;   /* of token */
	const char *expires_text; /* NULL, "jwt", or the pattern's text */
	struct keypat expires;
	struct keypats unsign; /* JSON web tokens that lose their signature */
	struct keypats blank;  /* strings that become empty */
	const char *set;       /* JSON merged over what is kept: the refresh token as null */
	struct seed_when when;
};

/* A file written, or a variable set, so that the tool starts without asking. */
struct seed_file {
	const char *path; /* or NULL: env */
	const char *env;
	enum seed_format format;
	bool over; /* wins over what the user's own copy says (default), or only fills gaps */
	const char *content;
	struct seed_when when;
};

struct seed_spec {
	struct seed_state *state;
	struct seed_login *login;
	struct seed_file *files;
	struct strv instructions;      /* the user's own */
	struct strv instructions_file; /* "~/...": where the tool reads them */
	size_t n_state, n_login, n_files;
};

/* root: the whole profile.  Unknown, missing and doubled keys and wrong types are errors with
 * file:line:column.  0 or -EINVAL. */
int seed_spec_parse(struct arena *a, const char *file, const struct yaml_node *root,
	struct seed_spec *ret, struct err *err);

#endif
