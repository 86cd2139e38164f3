/* policy/profile.c - profiles/NAME.yaml to struct profile, driven by the table of keys.
 *
 * Owns: the types of profile_keys[] and the defaults.  Must not: find files (locate.c) or decide
 * what a profile means for a run.
 */
#include "base/escape.h"
#include "base/text.h"
#include "policy/profile-keys.h"
#include "policy/read.h"

#include <ctype.h>
#include "policy/schema.h"

/* Files that hold secrets by convention.  Certificates (*.pem) may be public: those with a private
 * key in them are found by their first line (src/scan).  Tracked ones are never masked (src/scan).
 * Installed packages ship certificates and test keys under such names, which programs need. */
const char *const profile_default_mask[] = {
	".env",
	".env.*",
	".env-*",
	".env_*",
	".env~",
	".envs",
	"*.env",
	"env.local",
	".envrc",
	".envrc.*",
	"!.env.example",
	"!.env.sample",
	"!.env.template",
	"!.env.dist",
	"!.env.defaults",
	"!example.env",
	"!sample.env",
	"!template.env",
	"*.key",
	"*.p12",
	"*.pfx",
	"*.jks",
	"*.keystore",
	"*.kdbx",
	"*.ppk",
	"*.tfstate",
	"*.tfstate.backup",
	"id_rsa",
	"id_dsa",
	"id_ecdsa",
	"id_ed25519",
	".ssh",
	".gnupg",
	".netrc",
	".pypirc",
	".dockercfg",
	".my.cnf",
	".s3cfg",
	".boto",
	"rclone.conf",
	"kubeconfig",
	"*.kubeconfig",
	"**/.aws/credentials",
	"**/.docker/config.json",
	"**/.kube/config",
	"*.tfvars",
	".pgpass",
	".git-credentials",
	".htpasswd",
	".vault-token",
	"credentials.json",
	"client_secret*.json",
	"service-account*.json",
	"secrets.yml",
	"secrets.yaml",
	"!**/node_modules/**",
	"!**/site-packages/**",
	NULL,
};

/* What the host runs, or lets run, by being there: git's own, editors' tasks, agents' hooks.  Only
 * existing ones are pinned. */
const char *const profile_default_protect[] = {
	".git/hooks",
	".git/config",
	".git/config.worktree",
	".git/info/attributes",
	".git/modules/**/config",
	".git/modules/**/hooks",
	".husky",
	".githooks",
	".envrc",
	".autoenv",
	".autoenv.zsh",
	".mise.toml",
	"mise.toml",
	".mise",
	".tool-versions",
	".vscode",
	".idea",
	".zed",
	".cursor",
	".windsurf",
	"*.code-workspace",
	".devcontainer",
	".devcontainer.json",
	".mcp.json",
	".claude/settings.json",
	".claude/settings.local.json",
	".claude/commands",
	".claude/agents",
	".claude/skills",
	".claude/hooks",
	".codex/config.toml",
	".codex/hooks.json",
	".gemini/settings.json",
	".gemini/.env",
	"opencode.json",
	"opencode.jsonc",
	".opencode/plugin",
	".opencode/plugins",
	".exrc",
	".nvimrc",
	".nvim.lua",
	".lvimrc",
	".dir-locals.el",
	".gdbinit",
	".lldbinit",
	".cargo/config",
	".cargo/config.toml",
	".pre-commit-config.yaml",
	"lefthook.yml",
	".lefthook.yml",
	NULL,
};

struct ctx {
	struct arena *a;
	const char *file;
	struct profile *p;
	struct err *err;
};

static int add_globs(struct ctx *c, const struct yaml_node *at, struct strv *ret)
{
	struct strv raw = {0};
	int r = schema_list(c->a, c->file, at, &raw, c->err);
	if (r < 0)
		return r;
	const struct yaml_node *e = at->child;
	for (size_t i = 0; i < raw.n; i++, e = e->next) {
		char *s = schema_plain_glob(c->a, raw.v[i]), shown[128];
		if (!s)
			return yaml_err(c->err, c->file, e,
				"\"%s\" is not below the workspace: no leading \"/\", no \"..\"",
				escape_text(shown, sizeof(shown), raw.v[i]));
		if (!text_glob_ok(s))
			return yaml_err(c->err, c->file, e,
				"\"%s\" is no pattern: a \"[\" is not closed, or a backslash "
				"stands "
				"at the end",
				escape_text(shown, sizeof(shown), raw.v[i]));
		if (strv_push(c->a, ret, s) < 0)
			return err_set(c->err, ENOMEM, "out of memory");
	}
	return 0;
}

static int add_names(struct ctx *c, const struct yaml_node *at, bool vars, struct strv *ret)
{
	struct strv raw = {0};
	char shown[128];
	int r = schema_list(c->a, c->file, at, &raw, c->err);
	if (r < 0)
		return r;
	const struct yaml_node *e = at->child;
	for (size_t i = 0; i < raw.n; i++, e = e->next) {
		const char *s = raw.v[i];
		escape_text(shown, sizeof(shown), s);
		if (vars && streq(s, "*"))
			return yaml_err(
				c->err, c->file, e, "\"*\" would pass every variable; name them");
		if (vars && !schema_is_var(s, true))
			return yaml_err(c->err, c->file, e,
				"\"%s\" is not a variable's name (one * may stand at its end)",
				shown);
		if (!vars && s[0] != '/' && !schema_is_name(s))
			return yaml_err(c->err, c->file, e,
				"\"%s\" is neither a policy's name nor an absolute path", shown);
		if (strv_add(c->a, ret, s) < 0)
			return err_set(c->err, ENOMEM, "out of memory");
	}
	return 0;
}

/* FLAG: VERSION, and variables: NAME: VALUE */
static int add_map(
	struct ctx *c, const struct yaml_node *at, enum profile_type type, struct strv *ret)
{
	char shown[128];
	if (yaml_is_empty(at))
		return 0;
	int r = schema_want(c->err, c->file, at, YAML_MAP);
	if (r < 0)
		return r;
	YAML_EACH(e, at)
	{
		if (type == PROFILE_SINCE && (e->key[0] != '-' || strchr(e->key, '=')))
			return yaml_err_key(c->err, c->file, e, "\"%s\" is not a flag",
				escape_text(shown, sizeof(shown), e->key));
		if (type == PROFILE_ENV && !schema_is_var(e->key, false))
			return yaml_err_key(c->err, c->file, e, "\"%s\" is not a variable's name",
				escape_text(shown, sizeof(shown), e->key));
		r = schema_want(c->err, c->file, e, YAML_SCALAR);
		if (r < 0)
			return r;
		if (type == PROFILE_SINCE && !isdigit((unsigned char)e->text[0]))
			return yaml_err(c->err, c->file, e, "\"%s\" is not a version, as 1.2",
				escape_text(shown, sizeof(shown), e->text));
		if (strv_addf(c->a, ret, "%s=%s", e->key, e->text) < 0)
			return err_set(c->err, ENOMEM, "out of memory");
	}
	return 0;
}

static int set_subs(struct ctx *c, const struct yaml_node *at)
{
	if (yaml_is_empty(at))
		return 0;
	int r = schema_want(c->err, c->file, at, YAML_MAP);
	if (r < 0)
		return r;
	c->p->subs = arena_alloc(c->a, (at->n + 1) * sizeof(*c->p->subs));
	if (!c->p->subs)
		return err_set(c->err, ENOMEM, "out of memory");
	YAML_EACH(e, at)
	{
		struct profile_sub *sub = &c->p->subs[c->p->n_subs++];
		sub->word = arena_dup(c->a, e->key);
		r = sub->word ? schema_list(c->a, c->file, e, &sub->args, c->err) : -ENOMEM;
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_name(struct ctx *c, const struct yaml_node *at, const char **ret)
{
	char shown[128];
	const char *s = NULL;
	int r = schema_text(c->a, c->file, at, &s, c->err);
	if (r < 0)
		return r;
	if (s[0] != '/' && !schema_is_name(s))
		return yaml_err(c->err, c->file, at, "\"%s\" is not a policy's name",
			escape_text(shown, sizeof(shown), s));
	*ret = s;
	return 0;
}

#define TEXT_MAX ((size_t)16 << 10)

/* Words that a tool will read: any text, but nothing that steers a terminal when it is shown. */
static int add_text(struct ctx *c, const struct yaml_node *at, struct strv *ret)
{
	int r = schema_want(c->err, c->file, at, YAML_SCALAR);
	if (r < 0)
		return r;
	if (!at->text[strspn(at->text, " \t\n")])
		return yaml_err(c->err, c->file, at, "the text is empty");
	if (strlen(at->text) > TEXT_MAX)
		return yaml_err(c->err, c->file, at, "the text is longer than %zu bytes", TEXT_MAX);
	for (const unsigned char *s = (const unsigned char *)at->text; *s; s++)
		if ((*s < ' ' && *s != '\n' && *s != '\t') || *s == 0x7f)
			return yaml_err(
				c->err, c->file, at, "the text has a control character in it");
	return strv_add(c->a, ret, at->text) < 0 ? err_set(c->err, ENOMEM, "out of memory") : 0;
}

static int add_texts(struct ctx *c, const struct yaml_node *at, struct strv *ret)
{
	if (yaml_is_empty(at))
		return 0;
	if (at->kind == YAML_SCALAR)
		return add_text(c, at, ret);
	int r = schema_want(c->err, c->file, at, YAML_LIST);
	YAML_EACH(e, at)
	{
		if (r == 0)
			r = add_text(c, e, ret);
	}
	return r;
}

static int add_home_paths(struct ctx *c, const struct yaml_node *at, struct strv *ret)
{
	char shown[128];
	int r = schema_list(c->a, c->file, at, ret, c->err);
	const struct yaml_node *e = at->child;
	for (size_t i = 0; r == 0 && i < ret->n; i++, e = e->next) {
		const char *s = ret->v[i];
		if (!has_prefix(s, "~/") || !s[2] || strstr(s, "/../") || strstr(s, "//") ||
			s[strlen(s) - 1] == '/')
			r = yaml_err(c->err, c->file, e, "\"%s\" is no file below the home: ~/...",
				escape_text(shown, sizeof(shown), s));
	}
	c->p->has_seed |= ret->n > 0;
	return r;
}

/* What the list holds is seed/spec.h's to say. */
static int set_tree(struct ctx *c, const struct yaml_node *at)
{
	if (yaml_is_empty(at))
		return 0;
	c->p->has_seed = true;
	return schema_want(c->err, c->file, at, YAML_LIST);
}

static int read_map(struct ctx *c, const struct yaml_node *map, const char *prefix);

static int set_key(struct ctx *c, const struct profile_key *k, const struct yaml_node *at)
{
	void *member = profile_member(c->p, k);
	switch (k->type) {
	case PROFILE_STRING:
		return schema_text(c->a, c->file, at, member, c->err);
	case PROFILE_NAME:
		return set_name(c, at, member);
	case PROFILE_LIST:
		return schema_list(c->a, c->file, at, member, c->err);
	case PROFILE_NAMES:
		return add_names(c, at, false, member);
	case PROFILE_VARS:
		return add_names(c, at, true, member);
	case PROFILE_GLOBS:
	case PROFILE_PATHS:
		return add_globs(c, at, member);
	case PROFILE_ENV:
	case PROFILE_SINCE:
		return add_map(c, at, k->type, member);
	case PROFILE_TEXTS:
		return add_texts(c, at, member);
	case PROFILE_HOME:
		return add_home_paths(c, at, member);
	case PROFILE_BOOL:
		return schema_bool(c->file, at, member, c->err);
	case PROFILE_SUBS:
		return set_subs(c, at);
	case PROFILE_MAP:
		return yaml_is_empty(at) ? 0 : read_map(c, at, k->path);
	case PROFILE_TREE:
		return set_tree(c, at);
	}
	return -EINVAL;
}

/* The key's own word when it stands directly below prefix, else NULL. */
static const char *key_below(const struct profile_key *k, const char *prefix)
{
	size_t n = strlen(prefix);
	const char *word = k->path;
	if (n > 0) {
		if (strncmp(word, prefix, n) != 0 || word[n] != '.')
			return NULL;
		word += n + 1;
	}
	return strchr(word, '.') ? NULL : word;
}

static int read_map(struct ctx *c, const struct yaml_node *map, const char *prefix)
{
	int r = schema_want(c->err, c->file, map, YAML_MAP);
	if (r < 0)
		return r;
	YAML_EACH(e, map)
	{
		const char *words[64];
		size_t n = 0;
		const struct profile_key *found = NULL;
		for (size_t i = 0; i < profile_n_keys && n < ARRAY_LEN(words); i++) {
			const char *word = key_below(&profile_keys[i], prefix);
			if (!word)
				continue;
			words[n++] = word;
			if (streq(word, e->key))
				found = &profile_keys[i];
		}
		char where[64] = "";
		if (*prefix)
			snprintf(where, sizeof(where), " in \"%s\"", prefix);
		if (!found)
			return schema_unknown_key(c->err, c->file, e, where, words, n);
		r = set_key(c, found, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_defaults(struct ctx *c, const struct yaml_node *root)
{
	struct profile *p = c->p;
	int r = 0;
	if (!p->summary)
		p->summary = p->name;
	if (!p->syscalls)
		p->syscalls = "default";
	if (!yaml_get(root, "policies"))
		r |= strv_add(c->a, &p->policies, "balanced");
	for (size_t i = 0; !yaml_get(root, "mask") && profile_default_mask[i]; i++)
		r |= strv_add(c->a, &p->mask, profile_default_mask[i]);
	for (size_t i = 0; !yaml_get(root, "protect") && profile_default_protect[i]; i++)
		r |= strv_add(c->a, &p->protect, profile_default_protect[i]);
	return r ? err_set(c->err, ENOMEM, "out of memory") : 0;
}

int profile_parse(struct arena *a, const char *name, const char *file, const struct yaml_node *root,
	struct profile *ret, struct err *err)
{
	struct profile p = {.name = arena_dup(a, name), .file = arena_dup(a, file)};
	struct ctx c = {.a = a, .file = file, .p = &p, .err = err};
	if (!p.name || !p.file)
		return err_set(err, ENOMEM, "out of memory");
	int r = read_map(&c, root, "");
	if (r < 0)
		return r;
	if (p.command.n == 0)
		return yaml_err(err, file, root,
			"no command: say what to run, like \"command: [%s]\"",
			schema_is_name(name) ? name : "tool");
	if (p.instructions.n && !p.instructions_file.n)
		return yaml_err(err, file, yaml_get(root, "instructions"),
			"\"instructions\" needs \"instructions-file\": where the tool reads them");
	r = add_defaults(&c, root);
	if (r < 0)
		return r;
	*ret = p;
	return 0;
}
