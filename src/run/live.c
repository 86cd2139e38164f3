/* run/live.c - what a running sandbox is asked to change: the supervisor's side; see live.h.
 *
 * Requests come one at a time, so that what one reads and writes no other has in hand.  r->spec was
 * read with the lock held, and is what stands on disk.  A rule counts first and is written then;
 * where writing fails it counts until the stop, and that is said.
 */
#include "run/live.h"

#include <inttypes.h>

#include "run/credential.h"

/* ---- the spec ---- */

typedef int (*edit_fn)(struct arena *a, struct spec *s, const void *ctx, struct err *err);

/* A list that can be changed while the old one stays as it is. */
static struct strv copy_of(struct arena *a, const struct strv *v)
{
	struct strv c = {0};
	for (size_t i = 0; i < v->n; i++)
		strv_push(a, &c, v->v[i]);
	return c;
}

static int edit_spec(struct run *r, edit_fn edit, const void *ctx, struct err *err)
{
	struct spec s = r->spec;
	struct strv *lists[] = {&s.publish, &s.allow, &s.deny, &s.allow_private};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		*lists[i] = copy_of(&r->arena, lists[i]);
	int k = edit(&r->arena, &s, ctx, err);
	if (k == 0)
		k = arena_check(&r->arena, err);
	if (k == 0)
		k = store_sandbox_save(&r->box, &s, err);
	if (k == 0)
		r->spec = s;
	return k;
}

/* ---- published ports ---- */

static void note_port(struct run *r, const struct port_spec *p, const char *action)
{
	char where[64];
	port_spec_where(p, where, sizeof(where));
	const struct audit_field f[] = {{.key = "where", .str = where},
		{.key = "port", .num = p->inside}, {.key = "action", .str = action}};
	run_audit(r, "publish", f, ARRAY_LEN(f));
}

void run_ports_ready(struct run *r)
{
	struct port_spec v[PORTS_MAX];
	char text[200];
	size_t n = sandbox_ports(r->sandbox, v);
	for (size_t i = 0; i < n; i++) {
		note_port(r, &v[i], "published");
		if (r->opt.ports[i].host == 0 || port_spec_is_public(&v[i]))
			run_message(r, "%s", port_spec_describe(&v[i], text, sizeof(text)));
	}
}

static int edit_publish(struct arena *a, struct spec *s, const void *ctx, struct err *err)
{
	return live_publish_spec(a, s, ctx, err);
}

static int edit_unpublish(struct arena *a, struct spec *s, const void *ctx, struct err *err)
{
	struct port_spec p;
	char text[80];
	const char *want = ctx;
	(void)a;
	for (size_t i = s->publish.n; i-- > 0;)
		if (port_spec_parse(s->publish.v[i], &p, err) == 0 &&
			streq(port_spec_format(&p, text, sizeof(text)), want)) {
			memmove(s->publish.v + i, s->publish.v + i + 1,
				(s->publish.n - i) * sizeof(*s->publish.v));
			s->publish.n--;
			break;
		}
	return 0; /* one that was given to this start alone isn't there */
}

static int port_add(struct run *r, const char *text, struct err *err)
{
	struct port_spec p, got;
	uint16_t asked;
	int k = port_spec_parse(text, &p, err);
	if (k == 0)
		k = sandbox_publish(r->sandbox, &p, &got, err);
	if (k < 0)
		return k;
	k = edit_spec(r, edit_publish, text, err);
	if (k < 0)
		sandbox_unpublish(r->sandbox, got.host, got.inside, &p, &asked);
	else
		note_port(r, &got, "published");
	return k;
}

static int port_remove(struct run *r, const char *text, struct err *err)
{
	uint16_t host, inside, asked;
	struct port_spec was;
	char in_spec[80];
	size_t n = 0;
	int k = port_spec_parse_host(text, &host, &inside, err);
	while (k == 0 && sandbox_unpublish(r->sandbox, host, inside, &was, &asked)) {
		note_port(r, &was, "no more");
		was.host = asked;
		port_spec_format(&was, in_spec, sizeof(in_spec));
		k = edit_spec(r, edit_unpublish, in_spec, err);
		n++;
	}
	if (k < 0 || n)
		return k;
	err_hint(err, "what is published: bawn ports %s", r->box.id);
	return err_set(err, ENOENT, "sandbox %s does not publish %s", r->box.id, text);
}

static void port_list(const struct run *r, struct session_msg *answer)
{
	struct port_spec v[PORTS_MAX];
	size_t n = sandbox_ports(r->sandbox, v), at = 0;
	char text[80];
	_Static_assert(PORTS_MAX * sizeof(text) <= sizeof(answer->text), "all fit");
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(answer->text + at, sizeof(answer->text) - at, "%s\n",
			port_spec_format(&v[i], text, sizeof(text)));
	answer->value = (int)n;
}

static int request_ports(
	struct run *r, const struct session_msg *m, struct session_msg *answer, struct err *err)
{
	switch ((enum session_publish)m->value) {
	case SESSION_PORTS_LIST:
		port_list(r, answer);
		return 0;
	case SESSION_PORTS_ADD:
		return port_add(r, m->text, err);
	case SESSION_PORTS_REMOVE:
		return port_remove(r, m->text, err);
	}
	return err_set(err, EBADMSG, "a malformed request");
}

/* ---- policy ---- */

struct change {
	enum session_policy what;
	const char *rule;
};

static struct live_lists lists_of(struct spec *s)
{
	return (struct live_lists){&s->allow, &s->deny, &s->allow_private};
}

static int edit_rules(struct arena *a, struct spec *s, const void *ctx, struct err *err)
{
	const struct change *c = ctx;
	if (c->what == SESSION_REMOVE)
		live_rule_remove(lists_of(s), c->rule);
	else
		live_rule_add(a, lists_of(s), c->what, c->rule);
	return arena_check(a, err);
}

/* The options as they will be, and the rules that only count until the stop. */
static int change_options(struct run *r, const struct change *c, bool once, struct err *err)
{
	struct run_options *o = &r->opt;
	struct arena *a = &r->arena;
	o->allow = copy_of(a, &o->allow);
	o->deny = copy_of(a, &o->deny);
	o->allow_private = copy_of(a, &o->allow_private);
	r->once.allow = copy_of(a, &r->once.allow);
	r->once.deny = copy_of(a, &r->once.deny);
	r->once.allow_private = copy_of(a, &r->once.allow_private);
	const struct live_lists now = {&o->allow, &o->deny, &o->allow_private};
	const struct live_lists until = {&r->once.allow, &r->once.deny, &r->once.allow_private};
	if (c->what == SESSION_REMOVE) {
		if (live_rule_remove(now, c->rule) == 0) {
			err_hint(err, "its rules: bawn policy ls %s", r->box.id);
			return err_set(
				err, ENOENT, "sandbox %s has no rule %s", r->box.id, c->rule);
		}
		live_rule_remove(until, c->rule);
	} else {
		/* what was for now becomes for good */
		if (!once)
			live_rule_remove(until, c->rule);
		if (live_rule_add(a, now, c->what, c->rule) && once)
			live_rule_add(a, until, c->what, c->rule);
	}
	return arena_check(a, err);
}

int run_policy_again(struct run *r, int errors, struct err *err)
{
	struct pack fresh = {.fd = -1};
	int k = run_find_pack(r, errors, &fresh, err);
	if (k == -ECANCELED) /* bawn-admin has said on errors what is wrong */
		err_set(err, EINVAL, "the policy of sandbox %s stays as it was", r->box.id);
	if (k == 0 && http_rules_any(fresh.http) && !sandbox_has_vault(r->sandbox)) {
		err_hint(err, "bawn stop %s and start it again", r->box.id);
		k = err_set(err, ENOTSUP, "rules on requests count from the next start of %s",
			r->box.id);
	}
	if (k == 0)
		k = sandbox_policy(r->sandbox, r->live.fd >= 0 ? &r->live : &r->pack, &fresh, err);
	if (k < 0) {
		pack_close(&fresh);
		return k;
	}
	struct pack old = r->live;
	r->live = fresh;
	k = run_vault_again(r, err); /* it still looks at the old one's */
	pack_close(&old);
	return k < 0 ? err_prefix(err, "the rules count, but the vault does not know them") : 0;
}

static void note_policy(struct run *r, const struct change *c, bool once)
{
	static const char *const words[] = {[SESSION_RELOAD] = "read again:",
		[SESSION_ALLOW] = "allow",
		[SESSION_ALLOW_PRIVATE] = "allow, also private:",
		[SESSION_DENY] = "deny",
		[SESSION_REMOVE] = "take back"};
	char action[64];
	snprintf(action, sizeof(action), "%s%s", once ? "until it stops: " : "", words[c->what]);
	const struct audit_field f[] = {{.key = "action", .str = action},
		{.key = "rule", .str = c->what == SESSION_RELOAD ? "user.yaml" : c->rule}};
	run_audit(r, "policy", f, ARRAY_LEN(f));
}

static void list_once(const struct run *r, struct session_msg *answer)
{
	const struct {
		const char *verb;
		const struct strv *list;
	} rows[] = {{"allow", &r->once.allow}, {"private", &r->once.allow_private},
		{"deny", &r->once.deny}};
	size_t at = 0;
	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		for (size_t i = 0; i < rows[k].list->n; i++) {
			int n = snprintf(answer->text + at, sizeof(answer->text) - at, "%s %s\n",
				rows[k].verb, rows[k].list->v[i]);
			if (n < 0 || (size_t)n >= sizeof(answer->text) - at) {
				answer->text[at] = '\0'; /* no half of a rule */
				return;
			}
			at += (size_t)n;
		}
}

int run_rule(struct run *r, enum session_policy what, const char *rule, bool once, int errors,
	struct err *err)
{
	const struct change c = {.what = what, .rule = rule};
	if (r->opt.offline && c.what != SESSION_RELOAD) {
		err_hint(err, "create another one without --offline");
		return err_set(err, EINVAL, "sandbox %s has no network (--offline)", r->box.id);
	}
	const struct run_options old = r->opt;
	const struct live_once old_once = r->once;
	int k = 0;
	if (c.what != SESSION_RELOAD)
		k = live_rule_check(c.rule, c.what, err);
	if (k == 0 && c.what != SESSION_RELOAD)
		k = change_options(r, &c, once, err);
	if (k == 0)
		k = run_policy_again(r, errors, err);
	if (k < 0) {
		r->opt = old;
		r->once = old_once;
		return k;
	}
	note_policy(r, &c, once);
	if (once || c.what == SESSION_RELOAD || !r->lasting)
		return 0;
	k = edit_spec(r, edit_rules, &c, err);
	return k < 0 ? err_prefix(err, "it counts until the sandbox stops, but is not kept") : 0;
}

static int request_policy(struct run *r, const struct session_msg *m, const int *fds, size_t n_fds,
	struct session_msg *answer, struct err *err)
{
	const char *rule = arena_dup(&r->arena, m->text);
	if (m->value == SESSION_RULES) {
		list_once(r, answer);
		return 0;
	}
	if (m->value < SESSION_RELOAD || m->value > SESSION_RULES || n_fds != 1 || !rule)
		return err_set(err, EBADMSG, "a malformed request");
	int k = run_rule(
		r, (enum session_policy)m->value, rule, m->flags & SESSION_ONCE, fds[0], err);
	if (k == 0 && m->value == SESSION_RELOAD)
		answer->value = run_credentials_wait(r);
	return k;
}

int run_on_request(void *ctx, const struct session_msg *m, int *fds, size_t n_fds,
	struct session_msg *answer, struct err *err)
{
	struct run *r = ctx;
	switch ((enum session_kind)m->kind) {
	case SESSION_PUBLISH:
		return request_ports(r, m, answer, err);
	case SESSION_KEYS:
		return n_fds == 1 ? run_vault_keys(r, fds[0], answer, err)
				  : err_set(err, EBADMSG, "a malformed request");
	case SESSION_POLICY:
		return request_policy(r, m, fds, n_fds, answer, err);
	case SESSION_PENDING:
	case SESSION_ANSWER:
		return run_on_ask(r, m, fds, n_fds, answer, err);
	case SESSION_FLOWS:
	case SESSION_DENIALS:
		run_on_look(r, m, answer);
		return 0;
	default:
		return err_set(err, ENOSYS, "an unknown request");
	}
}
