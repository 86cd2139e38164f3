/* cli/cmd-policy.c - bawn policy show [NAME|FILE] | check PROFILE TARGET | lint [NAME|FILE...], and
 * the printing of bawn policy ls; the other verbs that read policies have files of their own
 * (policy-side.h).
 *
 * Owns: how policies are listed and explained.  Must not: decide; `check` asks the same tables that
 * a run uses (policy/egress.h), and resolves nothing.
 */
#include <inttypes.h>

#include "base/escape.h"
#include "base/json-out.h"
#include "cli/admin.h"
#include "cli/listing.h"
#include "cli/policy-side.h"
#include "policy/compile.h"
#include "policy/egress-build.h"
#include "policy/egress-table.h"
#include "policy/lint.h"
#include "policy/target.h"

static const char usage[] =
	"bawn policy show [POLICY|FILE] | "
	"check|explain [OPTIONS] [--method METHOD] PROFILE URL|HOST[:PORT] | "
	"lint [POLICY|FILE]... | diff A B | export NAME|PROFILE | import FILE  [--json] | "
	"allow|deny|rm [--sandbox NAME] RULE | ls|pending [--json] [NAME] | "
	"answer ID once|sandbox|always|deny";

enum { OPT_JSON, OPT_HELP, OPT_EXTRA, OPT_METHOD, OPT_OUTPUT, OPT_AS, OPT_FORCE };

/* Those with a PACK_ARG are for check and explain, and mean what they mean to bawn run. */
static const struct option_row rows[] = {
	{"policy", 0, "POLICY|FILE", "check, explain: this policy instead of the profile's",
		PACK_ARG_POLICY},
	{"allow", 0, "RULE", "check, explain: as if it were given to bawn run", PACK_ARG_ALLOW},
	{"deny", 0, "RULE", "the same", PACK_ARG_DENY},
	{"allow-private", 0, "HOST", "the same", PACK_ARG_PRIVATE},
	{"host-port", 0, "PORT", "the same", PACK_ARG_HOST_PORT},
	{"offline", 0, NULL, "the same", PACK_ARG_OFFLINE},
	{"method", 0, "METHOD", "check, explain: a request with this method to the URL",
		OPT_METHOD},
	{"output", 'o', "FILE", "export: write to FILE", OPT_OUTPUT},
	{"as", 0, "NAME", "import: the policy's name", OPT_AS},
	{"force", 0, NULL, "export, import: in the place of what is there", OPT_FORCE},
	{"json", 0, NULL, "print JSON", OPT_JSON},
	{"help", 'h', NULL, "show this help", OPT_HELP},
	{0},
};

static const struct admin_help help = {
	.usage = "bawn policy show [POLICY|FILE]\n"
		 "       bawn policy check [OPTIONS] PROFILE URL|HOST[:PORT]\n"
		 "       bawn policy explain [OPTIONS] PROFILE|NAME URL|HOST[:PORT]\n"
		 "       bawn policy lint [POLICY|FILE]...\n"
		 "       bawn policy diff A B\n"
		 "       bawn policy export NAME|PROFILE [-o FILE]\n"
		 "       bawn policy import FILE [--as NAME]\n"
		 "       bawn policy allow|deny|rm [--sandbox NAME] RULE\n"
		 "       bawn policy ls|pending [NAME]\n"
		 "       bawn policy answer ID once|sandbox|always|deny",
	.text = "Show an egress policy as it is understood (without a name: list them), say "
		"whether\n"
		"a profile's sandbox may connect to a target and by which rule, find mistakes, "
		"compare "
		"two\n"
		"(policies, profiles, sandboxes, files), and take one to another machine.\n"
		"allow, deny, rm and ls change and list the rules that you add, pending and "
		"answer\n"
		"are for what waits (bawn run --ask); each has a --help.\n"
		"What stands in a policy: man 5 bawn-policy",
	.rows = rows,
	.examples = "  bawn policy show balanced\n"
		    "  bawn policy check claude https://github.com/\n"
		    "  bawn policy check --allow example.com:8443 codex example.com:8443\n"
		    "  bawn policy check --method GET claude https://api.github.com/user\n"
		    "  bawn policy explain claude github.com\n"
		    "  bawn policy diff locked balanced\n"
		    "  bawn policy export -o here.yaml claude\n"
		    "  bawn policy import --as there here.yaml\n"
		    "  bawn policy lint\n",
};

/* `ls` is called by bawn: what it has found out of a sandbox comes along. */
static const struct option_row ls_rows[] = {
	{"extra", 0, "RULE", "", OPT_EXTRA}, {"json", 0, NULL, "print JSON", OPT_JSON}, {0}};

static int list_one(struct ctx *c, const char *name, struct err *err)
{
	struct egress_file f;
	char buf[200];
	int r = compile_read_policy(&c->locate, name, &f, err);
	if (r < 0)
		return r;
	if (!c->as_json) {
		printf("%-12s %4zu rules  %s\n", name, f.rules.n,
			shown(buf, sizeof(buf), f.summary));
		return 0;
	}
	json_begin(&c->json, NULL, '{');
	json_str(&c->json, "name", name);
	json_str(&c->json, "summary", f.summary);
	json_str(&c->json, "file", f.file);
	json_int(&c->json, "rules", (int64_t)f.rules.n);
	json_end(&c->json, '}');
	return 0;
}

static int list(struct ctx *c)
{
	return list_all(c, LOCATE_POLICY, list_one);
}

static void show_rule(struct ctx *c, const struct rule *r)
{
	char buf[400];
	if (c->as_json) {
		json_begin(&c->json, NULL, '{');
		json_str(&c->json, "action", r->deny ? "deny" : "allow");
		json_str(&c->json, "rule", r->text);
		json_bool(&c->json, "private", r->private_ok);
		json_bool(&c->json, "raw", r->raw);
		if (r->max_upload)
			json_int(&c->json, "max_upload", (int64_t)r->max_upload);
		else
			json_str(&c->json, "max_upload", NULL);
		json_int(&c->json, "line", r->line);
		json_end(&c->json, '}');
		return;
	}
	printf("%-5s %s%s%s", r->deny ? "deny" : "allow", shown(buf, sizeof(buf), r->text),
		r->private_ok ? "  (private)" : "", r->raw ? "  (raw)" : "");
	if (r->max_upload)
		printf("  (at most %" PRIu64 " bytes sent)", r->max_upload);
	putchar('\n');
}

static int show(struct ctx *c)
{
	struct egress_file f;
	struct err err = {0};
	char buf[400];
	if (c->n == 0)
		return list(c);
	if (c->n != 1)
		return admin_usage(usage, "show takes one policy");
	if (compile_read_policy(&c->locate, c->arg[0], &f, &err) < 0)
		return admin_fail(&err);
	if (c->as_json) {
		json_begin(&c->json, NULL, '{');
		json_str(&c->json, "file", f.file);
		json_str(&c->json, "summary", f.summary);
		json_bool(&c->json, "api", f.api);
		json_bool(&c->json, "beside", f.beside);
		json_begin(&c->json, "rules", '[');
	} else {
		printf("# %s\n", shown(buf, sizeof(buf), f.file));
		if (f.summary[0])
			printf("# %s\n", shown(buf, sizeof(buf), f.summary));
		if (f.api)
			printf("api: true (and what the profile names under api)\n");
		if (f.beside)
			printf("beside: true (and the policies of the profile)\n");
	}
	for (size_t i = 0; i < f.rules.n; i++)
		show_rule(c, &f.rules.v[i]);
	if (c->as_json) {
		json_end(&c->json, ']');
		json_begin(&c->json, "credentials", '[');
	}
	for (size_t i = 0; i < f.credentials.n; i++) {
		if (c->as_json)
			policy_credential_json(c, &f.credentials.v[i]);
		else
			policy_credential_show("", &f.credentials.v[i]);
	}
	if (c->as_json) {
		json_end(&c->json, ']');
		json_end(&c->json, '}');
	}
	return 0;
}

/* The answer to `check`. */
struct answer {
	const struct credentials *credentials; /* of the policy */
	const struct target *to;
	const char *url, *method;
	char target[300];
	bool allowed;
	const char *why; /* NULL when a rule says it all */
	bool has_rule;
	struct egress_rule rule;
	char fix[400];
};

/* Addresses that nothing but a rule for the very address opens. */
static void check_special(const struct target *t, struct egress_verdict v, struct answer *ret)
{
	const char *special = t->is_addr ? host_addr_special(&t->addr) : NULL;
	if (!special)
		return;
	if (streq(special, "loopback")) {
		ret->allowed = false;
		ret->why = "loopback inside the sandbox is its own";
		snprintf(ret->fix, sizeof(ret->fix), "--host-port %u", t->port);
	} else if (ret->allowed && !v.exact && (streq(special, "metadata") || !v.private_ok)) {
		ret->allowed = false;
		ret->why = "the address is special (private, link-local, metadata and the like) "
			   "and no rule gives it";
		snprintf(ret->fix, sizeof(ret->fix), "--allow %s", ret->target);
	}
}

static void explain(const struct egress *e, const struct target *t, struct answer *ret)
{
	struct egress_verdict v = t->is_addr ? egress_match_addr(e, &t->addr, t->port)
					     : egress_match(e, t->name, t->port);
	policy_target_text(t, ret->target, sizeof(ret->target));
	ret->allowed = v.action == EGRESS_ALLOW;
	ret->has_rule = egress_rule(e, v.rule, &ret->rule) == 0;
	if (egress_offline(e)) {
		ret->why = "the run is offline";
	} else if (!ret->has_rule) {
		bool by_name = !t->is_addr;
		ret->why = "no rule allows it";
		snprintf(ret->fix, sizeof(ret->fix), "%s %s",
			by_name && host_name_special(t->name) ? "--allow-private" : "--allow",
			by_name && t->port == 443 ? t->name : ret->target);
	}
	check_special(t, v, ret);
}

/* Does the credential go to the target, with the request if one was named? */
static bool carried(const struct answer *x, const struct credential *cr)
{
	size_t n;
	const char *path = policy_url_path(x->url, &n);
	return x->method ? credential_sends(cr, x->to->name, x->to->port, x->method,
				   strlen(x->method), path, n)
			 : credential_goes_to(cr, x->to->name, x->to->port);
}

/* Given that the connection may be made: may the request? */
static void explain_request(
	const struct egress *e, const struct http_rules *http, struct answer *ret)
{
	size_t n;
	const char *path = policy_url_path(ret->url, &n);
	if (!ret->allowed || ret->to->is_addr)
		return;
	struct http_verdict v = http_decide(
		http, ret->to->name, ret->to->port, ret->method, strlen(ret->method), path, n);
	ret->allowed = v.action == EGRESS_ALLOW;
	if (v.rule != EGRESS_NO_RULE || !ret->allowed)
		ret->has_rule = egress_rule(e, v.rule, &ret->rule) == 0;
	if (ret->allowed)
		return;
	ret->why = v.why;
	if (!ret->has_rule)
		snprintf(ret->fix, sizeof(ret->fix), "--allow '%.16s %.300s/**'", ret->method,
			ret->to->port == 443 ? ret->to->name : ret->target);
}

static void say_carried(const struct answer *x, const struct credential *cr)
{
	if (carried(x, cr))
		printf("secret %s goes there in %s\n", cr->secret, cr->header);
	else if (x->method && credential_goes_to(cr, x->to->name, x->to->port) && cr->beyond)
		printf("secret %s does not go with this request; with --policy %s it does\n",
			cr->secret, cr->beyond);
}

static void credentials_json(struct ctx *c, const struct answer *x)
{
	json_begin(&c->json, "credentials", '[');
	for (size_t i = 0; x->allowed && i < x->credentials->n; i++)
		if (carried(x, &x->credentials->v[i]))
			json_str(&c->json, NULL, x->credentials->v[i].secret);
	json_end(&c->json, ']');
}

static void print_answer(struct ctx *c, const struct answer *x, const char *profile)
{
	char a[400], b[400];
	if (c->as_json) {
		json_begin(&c->json, NULL, '{');
		json_str(&c->json, "target", x->target);
		json_str(&c->json, "method", x->method);
		json_bool(&c->json, "allowed", x->allowed);
		json_str(&c->json, "reason", x->why);
		json_str(&c->json, "file", x->has_rule ? x->rule.file : NULL);
		json_int(&c->json, "line", x->has_rule ? x->rule.line : 0);
		json_str(&c->json, "rule", x->has_rule ? x->rule.text : NULL);
		json_str(&c->json, "fix", x->fix[0] ? x->fix : NULL);
		credentials_json(c, x);
		json_end(&c->json, '}');
		return;
	}
	printf("%s: %s%s%s", x->allowed ? "allowed" : "denied",
		x->method ? shown(b, sizeof(b), x->method) : "", x->method ? " " : "",
		shown(a, sizeof(a), x->target));
	if (x->why)
		printf(": %s", x->why);
	if (x->has_rule) {
		printf(", by %s", shown(a, sizeof(a), x->rule.file));
		if (x->rule.line)
			printf(":%u", x->rule.line);
		printf(": %s %s", x->rule.deny ? "deny" : "allow",
			shown(b, sizeof(b), x->rule.text));
	}
	putchar('\n');
	for (size_t i = 0; x->allowed && i < x->credentials->n; i++)
		say_carried(x, &x->credentials->v[i]);
	if (x->fix[0])
		printf("allow it with: bawn run %s %s\n", shown(a, sizeof(a), x->fix),
			escape_shell(b, sizeof(b), profile));
}

static int check(struct ctx *c)
{
	struct compile_input in;
	struct answer x = {.allowed = false};
	struct target t;
	struct egress e;
	struct err err = {0};
	_cleanup_free_ void *data = NULL;
	size_t n = 0;
	if (c->n != 2)
		return admin_usage(usage, "check takes a profile and a target");
	struct pack_args *args = &((struct policy_told *)c->own)->pack;
	pack_args_finish(args);
	args->req.profile = c->arg[0];
	args->req.config_dir = c->locate.config_dir;
	args->req.data_dir = c->locate.data_dir;
	if (compile_read(&c->a, &args->req, &in, &err) < 0 ||
		egress_build(&in.rules, args->req.offline, &data, &n, &err) < 0)
		return admin_fail(&err);
	if (egress_view(&e, data, n) < 0)
		return ADMIN_FAILED;
	const char *url = policy_request_words(c, c->arg[1], &x.method);
	if (policy_check_method(x.method, &err) < 0) {
		char bad[200];
		err_prefix(&err, "'%s'", shown(bad, sizeof(bad), x.method));
		return admin_fail(&err);
	}
	x.credentials = &in.credentials;
	x.url = url;
	x.to = &t;
	if (target_parse(url, &t, &err) < 0) {
		snprintf(x.target, sizeof(x.target), "%s", url);
		x.why = err.msg;
	} else {
		explain(&e, &t, &x);
		if (x.method)
			explain_request(&e, &in.http, &x);
	}
	print_answer(c, &x, c->arg[0]);
	return x.allowed ? 0 : 1;
}

static int lint_one(struct lint *l, const char *name, struct err *err)
{
	struct egress_file f;
	int r = compile_read_policy(&l->c->locate, name, &f, err);
	if (r >= 0) {
		lint_rules(&l->c->a, &f.rules, lint_finding, l);
		lint_credentials(&f.credentials, lint_finding, l);
	}
	return r;
}

static int lint(struct ctx *c)
{
	return lint_all(c, LOCATE_POLICY, "policy", lint_one);
}

/* ---- ls: rules that were added ---- */

static void show_added(struct ctx *c, const char *origin, const char *verb, const char *rule)
{
	char buf[400];
	bool deny = streq(verb, "deny"), private_ok = streq(verb, "private");
	if (!c->as_json) {
		printf("%-8s  %-5s  %s%s\n", origin, deny ? "deny" : "allow",
			shown(buf, sizeof(buf), rule), private_ok ? "  (private)" : "");
		return;
	}
	json_begin(&c->json, NULL, '{');
	json_str(&c->json, "origin", origin);
	json_str(&c->json, "action", deny ? "deny" : "allow");
	json_str(&c->json, "rule", rule);
	json_bool(&c->json, "private", private_ok);
	json_end(&c->json, '}');
}

/* bawn has found out what a sandbox has; the user's file is read here. */
static int list_added(struct ctx *c)
{
	struct policy_told *told = c->own;
	struct egress_file f = {0};
	struct err err = {0};
	const char *user = NULL;
	if (locate_user_policy(&c->locate, &user, &err) < 0 ||
		(user && compile_read_policy(&c->locate, user, &f, &err) < 0))
		return admin_fail(&err);
	if (c->as_json)
		json_begin(&c->json, NULL, '[');
	for (size_t i = 0; i < f.rules.n; i++) {
		const struct rule *r = &f.rules.v[i];
		show_added(c, "user",
			r->deny                 ? "deny"
				: r->private_ok ? "private"
						: "allow",
			r->text);
	}
	for (size_t i = 0; i < told->extra.n; i++) {
		char *rest = told->extra.v[i], *origin = strsep(&rest, " ");
		char *verb = rest ? strsep(&rest, " ") : NULL;
		if (rest)
			show_added(c, origin, verb, rest);
	}
	if (c->as_json)
		json_end(&c->json, ']');
	return 0;
}

static const struct listing_verb verbs[] = {{"show", show}, {"ls", list_added}, {"check", check},
	{"lint", lint}, {"explain", policy_explain}, {"diff", policy_diff},
	{"export", policy_export}, {"import", policy_import}};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct ctx *c = ctx;
	struct policy_told *told = c->own;
	if (id == OPT_JSON)
		c->as_json = true;
	else if (id == OPT_HELP)
		c->help = true;
	else if (id == OPT_METHOD)
		((struct policy_told *)c->own)->method = arena_dup(&c->a, value);
	else if (id == OPT_EXTRA)
		return strv_add(&c->a, &told->extra, value);
	else if (id == OPT_OUTPUT)
		told->output = value;
	else if (id == OPT_AS)
		told->as = value;
	else if (id == OPT_FORCE)
		told->force = true;
	else
		return pack_args_take(&told->pack, id, value ? arena_dup(&c->a, value) : NULL, err);
	return 0;
}

int cmd_policy(int argc, char **argv)
{
	struct policy_told told = {0};
	struct ctx c = {.json = {.pretty = true}, .own = &told};
	struct option_split split;
	struct err err = {0};
	told.pack.a = &c.a;
	const bool ls = argc > 1 && streq(argv[1], "ls");
	if (options_parse(ls ? ls_rows : rows, argc, argv, option, &c, &split, &err) < 0)
		return admin_fail(&err), ADMIN_USAGE;
	if (c.help)
		return admin_help(&help);
	int end = options_words(&split, argc, argv);
	return listing_run(
		&c, verbs, ARRAY_LEN(verbs), usage, end - split.first, argv + split.first);
}
