/* policy/egress-file.c - policies/egress/NAME.yaml to a list of rules.
 *
 * Owns: the keys of an egress policy.  Must not: know the rule grammar (rule.c) or the tables.
 */
#include "base/escape.h"
#include "policy/read.h"
#include "policy/schema.h"

struct ctx {
	struct arena *a;
	struct egress_file *f;
	struct err *err;
};

static int read_size(struct ctx *c, const struct yaml_node *at, uint64_t *ret)
{
	struct err why = {0};
	int r = schema_want(c->err, c->f->file, at, YAML_SCALAR);
	if (r < 0)
		return r;
	r = rule_size(at->text, ret, &why);
	return r < 0 ? yaml_err(c->err, c->f->file, at, "%.500s", why.msg) : 0;
}

static int map_rule(
	struct ctx *c, const struct yaml_node *at, struct rule *rule, const struct yaml_node **ret)
{
	int r = 0;
	YAML_EACH(e, at)
	{
		if (streq(e->key, "host"))
			r = schema_want(c->err, c->f->file, e, YAML_SCALAR);
		else if (streq(e->key, "private"))
			r = schema_bool(c->f->file, e, &rule->private_ok, c->err);
		else if (streq(e->key, "raw"))
			r = schema_bool(c->f->file, e, &rule->raw, c->err);
		else if (streq(e->key, "max-upload"))
			r = read_size(c, e, &rule->max_upload);
		else
			r = schema_unknown(
				c->err, c->f->file, e, " in a rule", rule_keys, rule_n_keys);
		if (r < 0)
			return r;
	}
	*ret = yaml_get(at, "host");
	if (!*ret)
		return yaml_err(c->err, c->f->file, at, "a rule without \"host\"");
	if (rule->deny && (rule->private_ok || rule->raw || rule->max_upload))
		return yaml_err(c->err, c->f->file, at,
			"\"private\", \"raw\" and \"max-upload\" allow something; they don't go "
			"with deny");
	return 0;
}

static int read_rule(struct ctx *c, const struct yaml_node *at, bool deny)
{
	struct rule rule = {.deny = deny};
	const struct yaml_node *text = at;
	int r = 0;
	if (at->kind == YAML_MAP)
		r = map_rule(c, at, &rule, &text);
	else
		r = schema_want(c->err, c->f->file, at, YAML_SCALAR);
	if (r < 0)
		return r;
	struct err why = {0};
	r = rule_parse(c->a, text->text, &rule, &why);
	if (r < 0)
		return yaml_err(c->err, c->f->file, text, "%.500s", why.msg);
	if (rule.path && rule.raw)
		return yaml_err(c->err, c->f->file, at,
			"\"raw\" means bytes that nobody looks at; methods and paths don't go with "
			"it");
	if (rule.max_upload && rule.kind == EGRESS_NET)
		return yaml_err(c->err, c->f->file, at,
			"\"max-upload\" goes with a host's name, not an address");
	rule.file = c->f->file;
	rule.line = text->line;
	rule.col = text->col;
	return rule_add(c->a, &c->f->rules, &rule, c->err);
}

static int read_rules(struct ctx *c, const struct yaml_node *at, bool deny)
{
	if (yaml_is_empty(at))
		return 0; /* no rules: nothing is allowed by them */
	int r = schema_want(c->err, c->f->file, at, YAML_LIST);
	if (r < 0)
		return r;
	YAML_EACH(e, at)
	{
		r = read_rule(c, e, deny);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_key(struct ctx *c, const struct yaml_node *e)
{
	if (streq(e->key, "allow") || streq(e->key, "deny"))
		return read_rules(c, e, e->key[0] == 'd');
	if (streq(e->key, "summary"))
		return schema_text(c->a, c->f->file, e, &c->f->summary, c->err);
	if (streq(e->key, "api"))
		return schema_bool(c->f->file, e, &c->f->api, c->err);
	if (streq(e->key, "beside"))
		return schema_bool(c->f->file, e, &c->f->beside, c->err);
	if (streq(e->key, "credentials"))
		return credentials_parse(c->a, c->f->file, e, &c->f->credentials, c->err);
	return schema_unknown(c->err, c->f->file, e, "", policy_keys, policy_n_keys);
}

int egress_file_parse(struct arena *a, const char *file, const struct yaml_node *root,
	struct egress_file *ret, struct err *err)
{
	struct egress_file f = {.file = arena_dup(a, file), .summary = ""};
	struct ctx c = {.a = a, .f = &f, .err = err};
	if (!f.file)
		return err_set(err, ENOMEM, "out of memory");
	int r = schema_want(err, file, root, YAML_MAP);
	if (r < 0)
		return r;
	YAML_EACH(e, root)
	{
		r = read_key(&c, e);
		if (r < 0)
			return r;
	}
	*ret = f;
	return 0;
}
