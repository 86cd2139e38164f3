/* cli/cmd-policy-explain.c - bawn policy explain PROFILE|NAME TARGET: every rule that matches, in
 * the order of the layers, which one decides and why, and what would change it.  TARGET is a host,
 * a URL, or a request.
 *
 * Must not: decide.  The verdict is the compiled table's (policy/egress.h), as in a run.
 */
#include "base/escape.h"
#include "base/path.h"
#include "cli/admin.h"
#include "cli/policy-side.h"
#include "policy/egress-build.h"
#include "policy/path-glob.h"
#include "policy/target.h"

struct explained {
	struct arena *a;
	struct policy_side side;
	struct target target;
	char text[300];            /* HOST:PORT */
	const char *method, *path; /* of the request; method NULL: a connection */
	size_t path_n;
	struct egress_verdict verdict;
	bool allowed;
	const struct rule *decides; /* NULL: no rule does */
	const char *why;
	char fix[1200]; /* what would change it; "": nothing does */
};

/* As a rule, without the port that is meant anyhow. */
static void as_rule(const struct explained *x, char *buf, size_t cap)
{
	if (x->target.port == 443 && !x->target.is_addr)
		snprintf(buf, cap, "%s", x->target.name);
	else if (x->target.port == 443)
		host_addr_format(&x->target.addr, buf, cap);
	else
		snprintf(buf, cap, "%s", x->text);
}

/* Does a rule on requests match the request by itself? */
static bool matches_request(const struct explained *x, const struct rule *r)
{
	struct http_rule one = {.name = r->name,
		.ports = r->ports,
		.n_ports = r->n_ports,
		.kind = r->kind,
		.deny = r->deny,
		.methods = r->methods,
		.path = r->path,
		.rule = 0};
	const struct http_rules only = {.v = &one, .n = 1};
	struct http_verdict v = http_decide(&only, x->target.name, x->target.port, x->method,
		strlen(x->method), x->path, x->path_n);
	return v.rule == 0;
}

/* Where only a connection is asked about, every rule on requests to that host. */
static bool matches(const struct explained *x, const struct rule *r)
{
	const struct target *t = &x->target;
	struct rule asked = {.kind = t->is_addr ? EGRESS_NET : EGRESS_EXACT,
		.name = t->is_addr ? "" : t->name,
		.net = t->addr,
		.bits = 128,
		.ports = {t->port},
		.n_ports = 1};
	if (!rule_covers_host(r, &asked) || !rule_covers_ports(r, &asked))
		return false;
	return !r->path || !x->method || matches_request(x, r);
}

/* ---- what would change it ---- */

/* Where a rule was given decides how it is taken back. */
static void fix_of_rule(struct explained *x, const struct rule *r)
{
	char rule[800], place[500], name[200];
	const char *base = path_base(r->file);
	if (strlen(r->text) > sizeof(rule) / 4) { /* half a rule must not be pasted */
		snprintf(x->fix, sizeof(x->fix), "edit %s",
			policy_rule_place(r->file, r->line, place, sizeof(place)));
		return;
	}
	escape_shell(rule, sizeof(rule), r->text);
	if (r->file[0] == '-' && x->side.kind == SIDE_SANDBOX)
		snprintf(x->fix, sizeof(x->fix), "bawn policy rm --sandbox %s %s",
			escape_shell(name, sizeof(name), x->side.word), rule);
	else if (r->file[0] == '-')
		snprintf(x->fix, sizeof(x->fix), "leave %s %s out", r->file, rule);
	else if (streq(base, "user.yaml"))
		snprintf(x->fix, sizeof(x->fix), "bawn policy rm %s", rule);
	else
		snprintf(x->fix, sizeof(x->fix),
			"edit %s, or use another policy in its place (--policy): a deny wins over "
			"every allow",
			policy_rule_place(r->file, r->line, place, sizeof(place)));
}

static void fix_by_adding(struct explained *x, const char *verb)
{
	char rule[700], name[200], sandbox[240] = "";
	if (!x->method || x->target.is_addr)
		as_rule(x, rule, sizeof(rule));
	else if (!request_as_rule(x->method, x->target.port == 443 ? x->target.name : x->text,
			 x->path, x->path_n, rule, sizeof(rule)))
		return;
	if (x->side.kind == SIDE_SANDBOX)
		snprintf(sandbox, sizeof(sandbox), "--sandbox %s ",
			escape_shell(name, sizeof(name), x->side.word));
	char word[900];
	int n = snprintf(x->fix, sizeof(x->fix), "bawn policy %s %s%s", verb, sandbox,
		escape_shell(word, sizeof(word), rule));
	if (n < 0 || (size_t)n >= sizeof(x->fix)) /* half a command must not be pasted */
		x->fix[0] = '\0';
}

/* Addresses that nothing but a rule for the very address opens; true: that is the answer. */
static bool special_address(struct explained *x)
{
	const char *special = x->target.is_addr ? host_addr_special(&x->target.addr) : NULL;
	if (!special)
		return false;
	if (streq(special, "loopback")) {
		x->allowed = false;
		x->why = "loopback inside the sandbox is its own";
		snprintf(x->fix, sizeof(x->fix), "bawn run --host-port %u", x->target.port);
		return true;
	}
	if (!x->allowed || x->verdict.exact ||
		(!streq(special, "metadata") && x->verdict.private_ok))
		return false;
	x->allowed = false;
	x->why = "the address is special (private, link-local, metadata and the like) and no rule "
		 "gives it";
	fix_by_adding(x, "allow");
	return true;
}

static void judge(struct explained *x, const struct egress *e)
{
	const struct target *t = &x->target;
	x->verdict = t->is_addr ? egress_match_addr(e, &t->addr, t->port)
				: egress_match(e, t->name, t->port);
	x->allowed = x->verdict.action == EGRESS_ALLOW;
	if (x->verdict.rule < x->side.rules.n)
		x->decides = &x->side.rules.v[x->verdict.rule];
	if (x->side.offline) {
		x->decides = NULL;
		x->why = "it is offline: nothing can be reached";
		snprintf(x->fix, sizeof(x->fix), "%s without --offline",
			x->side.kind == SIDE_SANDBOX ? "create another sandbox" : "bawn run");
		return;
	}
	if (special_address(x))
		return;
	if (!x->decides) {
		x->why = "no rule allows it";
		fix_by_adding(
			x, !t->is_addr && host_name_special(t->name) ? "allow --private" : "allow");
	} else if (x->decides->deny) {
		x->why = "a deny wins over every allow, wherever it stands";
		fix_of_rule(x, x->decides);
	} else {
		x->why = "the most specific rule that allows it; no rule denies it";
		fix_by_adding(x, "deny");
	}
}

/* Given that the connection may be made: may the request? */
static void judge_request(struct explained *x)
{
	const struct target *t = &x->target;
	if (!x->allowed || !x->method || t->is_addr ||
		!http_rules_apply(&x->side.http, t->name, t->port))
		return;
	struct http_verdict v = http_decide(
		&x->side.http, t->name, t->port, x->method, strlen(x->method), x->path, x->path_n);
	x->decides = v.rule < x->side.rules.n ? &x->side.rules.v[v.rule] : NULL;
	x->allowed = v.action == EGRESS_ALLOW;
	x->fix[0] = '\0';
	if (x->allowed) {
		x->why = "a rule allows this request; none denies it";
		fix_by_adding(x, "deny");
	} else if (x->decides) {
		x->why = "a deny wins over every allow, in whichever way the path is read";
		fix_of_rule(x, x->decides);
	} else {
		x->why = v.why;
		fix_by_adding(x, "allow");
	}
}

/* ---- showing it ---- */

static void show_match(struct ctx *c, const struct explained *x, const struct rule *r)
{
	char place[500], text[400];
	if (c->as_json) {
		json_begin(&c->json, NULL, '{');
		json_str(&c->json, "action", r->deny ? "deny" : "allow");
		json_str(&c->json, "rule", r->text);
		json_bool(&c->json, "private", r->private_ok);
		json_bool(&c->json, "raw", r->raw);
		json_bool(&c->json, "requests", r->path != NULL);
		json_str(&c->json, "file", r->file);
		json_int(&c->json, "line", r->line);
		json_bool(&c->json, "decides", r == x->decides);
		json_end(&c->json, '}');
		return;
	}
	printf("  %s: %s %s%s%s%s%s\n", policy_rule_place(r->file, r->line, place, sizeof(place)),
		r->deny ? "deny" : "allow", shown(text, sizeof(text), r->text),
		r->private_ok ? " (private)" : "", r->raw ? " (raw)" : "",
		r->path && !x->method ? " (of requests)" : "",
		r == x->decides ? "  <- decides" : "");
}

/* Files first, in the order in which they are read, then options. */
static void show_layers(struct ctx *c, const struct explained *x)
{
	const struct rules *rules = &x->side.rules;
	char text[500];
	const char *last = NULL;
	size_t n = 0;
	if (c->as_json)
		json_begin(&c->json, "layers", '[');
	else
		printf("layers, in order (a deny in any of them wins):\n");
	for (size_t i = 0; i < x->side.files.n; i++) {
		if (c->as_json)
			json_str(&c->json, NULL, x->side.files.v[i]);
		else
			printf("  %zu. %s\n", ++n, shown(text, sizeof(text), x->side.files.v[i]));
	}
	for (size_t i = 0; i < rules->n; i++) {
		const char *file = rules->v[i].file;
		if (file[0] != '-' || (last && streq(last, file)))
			continue;
		last = file;
		if (c->as_json)
			json_str(&c->json, NULL, file);
		else
			printf("  %zu. %s\n", ++n, file);
	}
	if (c->as_json)
		json_end(&c->json, ']');
}

static bool carried(const struct explained *x, const struct credential *cr)
{
	const struct target *t = &x->target;
	if (t->is_addr || !x->allowed)
		return false;
	return x->method ? credential_sends(cr, t->name, t->port, x->method, strlen(x->method),
				   x->path, x->path_n)
			 : credential_goes_to(cr, t->name, t->port);
}

static void show_credentials(struct ctx *c, const struct explained *x)
{
	char place[500];
	if (c->as_json)
		json_begin(&c->json, "credentials", '[');
	for (size_t i = 0; i < x->side.credentials.n; i++) {
		const struct credential *cr = &x->side.credentials.v[i];
		if (!carried(x, cr))
			continue;
		if (c->as_json)
			json_str(&c->json, NULL, cr->secret);
		else
			printf("secret %s goes there in %s, by %s\n", cr->secret, cr->header,
				policy_rule_place(cr->file, cr->line, place, sizeof(place)));
	}
	if (c->as_json)
		json_end(&c->json, ']');
}

static const char *request_path(const struct explained *x)
{
	char *path = arena_dupn(x->a, x->path, x->path_n);
	return path ? path : "";
}

static void show_all(struct ctx *c, const struct explained *x)
{
	char name[340], text[1300];
	bool some = false;
	policy_side_name(&x->side, name, sizeof(name));
	if (c->as_json) {
		json_begin(&c->json, NULL, '{');
		json_str(&c->json, "target", x->text);
		json_str(&c->json, "method", x->method);
		json_str(&c->json, "path", x->method ? request_path(x) : NULL);
		json_str(&c->json, "of", name);
		json_bool(&c->json, "allowed", x->allowed);
		json_str(&c->json, "reason", x->why);
		json_str(&c->json, "fix", x->fix[0] ? x->fix : NULL);
		json_begin(&c->json, "matches", '[');
	} else {
		char method[100];
		printf("%s: %s%s%s", x->allowed ? "allowed" : "denied",
			x->method ? shown(method, sizeof(method), x->method) : "",
			x->method ? " " : "", shown(text, sizeof(text), x->text));
		if (x->method)
			printf("%s", shown(text, sizeof(text), request_path(x)));
		printf(", by %s: %s\n", name, x->why);
		if (x->allowed && !x->method &&
			http_rules_apply(&x->side.http, x->target.name, x->target.port))
			printf("of that host each request is looked at: --method METHOD asks about "
			       "one\n");
	}
	for (size_t i = 0; i < x->side.rules.n; i++) {
		if (!matches(x, &x->side.rules.v[i]))
			continue;
		if (!some && !c->as_json)
			printf("rules that match:\n");
		some = true;
		show_match(c, x, &x->side.rules.v[i]);
	}
	if (c->as_json)
		json_end(&c->json, ']');
	show_credentials(c, x);
	show_layers(c, x);
	if (c->as_json)
		json_end(&c->json, '}');
	else if (x->fix[0])
		printf("to change it: %s\n", shown(text, sizeof(text), x->fix));
}

int policy_check_method(const char *method, struct err *err)
{
	const char *s = method ? method : "GET";
	if (*s >= 'A' && *s <= 'Z' && !s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_")])
		return 0;
	return err_set(err, EINVAL, "methods are in capital letters, as GET");
}

int policy_explain(struct ctx *c)
{
	struct policy_told *told = c->own;
	struct explained x = {0};
	struct err err = {0};
	struct egress e;
	_cleanup_free_ void *data = NULL;
	size_t n = 0;
	if (c->n != 2)
		return admin_usage("bawn policy explain [--json] [--method METHOD] PROFILE|NAME "
				   "URL|HOST[:PORT]",
			"explain takes a profile or sandbox, and a target");
	const char *url = policy_request_words(c, c->arg[1], &x.method);
	x.a = &c->a;
	x.path = policy_url_path(url, &x.path_n);
	if (target_parse(url, &x.target, &err) < 0 || policy_check_method(x.method, &err) < 0) {
		char bad[200];
		err_hint(&err, "write HOST, HOST:PORT, a URL, or METHOD and a URL");
		err_prefix(&err, "'%s'", shown(bad, sizeof(bad), c->arg[1]));
		return admin_fail(&err);
	}
	if (policy_side_read(c, c->arg[0], &told->pack, &x.side, &err) < 0 ||
		egress_build(&x.side.rules, x.side.offline, &data, &n, &err) < 0)
		return admin_fail(&err);
	if (egress_view(&e, data, n) < 0)
		return ADMIN_FAILED;
	policy_target_text(&x.target, x.text, sizeof(x.text));
	judge(&x, &e);
	judge_request(&x);
	show_all(c, &x);
	return x.allowed ? 0 : 1;
}
