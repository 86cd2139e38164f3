/* cli/cmd-policy-live.c - bawn policy allow | deny | rm | ls: the rules that were added, for all
 * sandboxes or for one, while they run too.  What only reads policies is bawn-admin's
 * (cmd-policy.c).
 */
#include <dirent.h>

#include "cli/command.h"
#include "cli/policy-live.h"
#include "run/lasting.h"
#include "run/live.h"
#include "cli/verb.h"

enum { OPT_SANDBOX, OPT_ONCE, OPT_PRIVATE, OPT_JSON };

struct asked {
	enum session_policy what;
	const char *sandbox;
	bool once, private_ok, json;
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct asked *o = ctx;
	(void)err;
	if (id == OPT_SANDBOX)
		o->sandbox = value;
	else if (id == OPT_ONCE)
		o->once = true;
	else if (id == OPT_PRIVATE)
		o->private_ok = true;
	else
		o->json = true;
	return 0;
}

/* ---- reaching those that run ---- */

/* *ret_value: of the answer. */
static int tell_one(struct run *r, const char *name, enum session_policy what, const char *rule,
	bool once, int *ret_value, struct err *err)
{
	static struct session_msg answer;
	struct session_msg m = {
		.kind = SESSION_POLICY, .value = (int32_t)what, .flags = once ? SESSION_ONCE : 0};
	const int errors = STDERR_FILENO;
	if ((size_t)snprintf(m.text, sizeof(m.text), "%s", rule) >= sizeof(m.text))
		return err_set(err, EINVAL, "the rule is too long");
	_cleanup_close_ int sock = lasting_connect(r, name, err);
	int k = sock < 0 ? sock : lasting_request(sock, &m, &errors, 1, &answer, err);
	*ret_value = k == 0 ? answer.value : 0;
	return k;
}

static int tell(struct run *r, const char *name, enum session_policy what, const char *rule,
	bool once, struct err *err)
{
	int ignored;
	return tell_one(r, name, what, rule, once, &ignored, err);
}

/* ---- one sandbox ---- */

static int change_stopped(struct run *r, const char *name, enum session_policy what,
	const char *rule, struct err *err)
{
	struct spec s = {0};
	int k = lasting_lock(r, name, err);
	if (k == 0)
		k = store_sandbox_find(&r->store, &r->arena, name, &s, err);
	if (k < 0)
		return k;
	const struct live_lists l = {&s.allow, &s.deny, &s.allow_private};
	if (what != SESSION_REMOVE) {
		live_rule_add(&r->arena, l, what, rule);
	} else if (live_rule_remove(l, rule) == 0) {
		err_hint(err, "its rules: bawn policy ls %s", name);
		return err_set(err, ENOENT, "sandbox %s has no rule %s", name, rule);
	}
	return store_sandbox_save(&r->box, &s, err);
}

static int change_one(struct run *r, const struct asked *o, enum session_policy what,
	const char *rule, struct err *err)
{
	int k = lasting_find_name(r, o->sandbox, err);
	if (k < 0)
		return k;
	const uint64_t begin = run_now();
	unsigned int tries = 0;
	for (;;) {
		k = tell(r, o->sandbox, what, rule, o->once, err);
		if (k != -ESRCH || err->code)
			return k;
		if (o->once) {
			err_hint(err, "leave --once out, and it counts from its next start");
			return err_set(err, ESRCH, "sandbox %s is not running", o->sandbox);
		}
		k = change_stopped(r, o->sandbox, what, rule, err);
		if (k != -EBUSY || !lasting_pause(begin, &tries))
			return k;
		*err = (struct err){0}; /* it was started meanwhile, and is told */
	}
}

/* ---- all of them ---- */

/* user.yaml is YAML, which bawn-admin knows; it says itself what is wrong. */
static int edit_file(struct run *r, enum session_policy what, const char *rule, struct err *err)
{
	static const char *const verbs[] = {[SESSION_ALLOW] = "allow",
		[SESSION_ALLOW_PRIVATE] = "private",
		[SESSION_DENY] = "deny",
		[SESSION_REMOVE] = "rm"};
	static char name[] = "bawn-admin", command[] = "policy-edit";
	char *argv[] = {name, command, r->store.xdg.config, arena_dup(&r->arena, verbs[what]),
		arena_dup(&r->arena, rule), NULL};
	const int fds[] = {-1, -1, STDERR_FILENO};
	return run_admin(r, argv, NULL, fds, NULL, err);
}

/* Those with --rm, too: they have a directory without a description. */
static int list_all(struct run *r, struct strv *ret, struct err *err)
{
	DIR *d = opendir(r->store.sandboxes);
	if (!d)
		return err_sys(err, errno, "open %s", r->store.sandboxes);
	for (struct dirent *de; (de = readdir(d));)
		if (de->d_name[0] != '.')
			strv_add(&r->arena, ret, de->d_name);
	closedir(d);
	return arena_check(&r->arena, err);
}

int policy_reload_all(struct run *r, bool say, struct err *err)
{
	struct strv names = {0};
	int code = 0, k = list_all(r, &names, err);
	for (size_t i = 0; i < names.n && k == 0; i++) {
		struct err failed = {0};
		int waits = 0;
		int e = tell_one(r, names.v[i], SESSION_RELOAD, "", false, &waits, &failed);
		if (e == 0 && say)
			puts(names.v[i]);
		else if (e == 0 && waits)
			run_message(r,
				"%s was started without it: it counts there from the next start",
				names.v[i]);
		else if (failed.code)
			code = verb_failed(&failed);
	}
	return k < 0 ? k : code;
}

int policy_live_all(struct run *r, enum session_policy what, const char *rule, struct err *err)
{
	int k = edit_file(r, what, rule, err);
	return k < 0 ? k : policy_reload_all(r, true, err);
}

static const struct option_row change_rows[] = {
	{"sandbox", 0, "NAME", "for this sandbox alone, not for all", OPT_SANDBOX},
	{"once", 0, NULL, "only until it stops", OPT_ONCE},
	{"private", 0, NULL, "allow: on a private address too", OPT_PRIVATE}, VERB_HELP_ROW, {0}};

static int check(const struct asked *o, enum session_policy what, const char *rule, struct err *err)
{
	if (o->private_ok && what != SESSION_ALLOW)
		return err_set(err, EINVAL, "--private goes with allow");
	if (o->once && !o->sandbox) {
		err_hint(err, "name it: --sandbox NAME");
		return err_set(err, EINVAL, "--once is for one sandbox that runs");
	}
	return live_rule_check(rule, o->private_ok ? SESSION_ALLOW_PRIVATE : what, err);
}

static int change(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const struct asked *o = ctx;
	const char *rule = word[0];
	(void)n;
	int k = check(o, o->what, rule, err);
	if (k < 0)
		return k;
	enum session_policy what = o->private_ok ? SESSION_ALLOW_PRIVATE : o->what;
	return o->sandbox ? change_one(r, o, what, rule, err) : policy_live_all(r, what, rule, err);
}

int cmd_policy_allow(int argc, char **argv)
{
	static const struct verb v = {.usage = "policy allow [--sandbox NAME [--once]] RULE",
		.help = "Allow a host: HOST, *.HOST, **.HOST, ADDRESS or CIDR, with :PORT,... "
			"behind it.\n"
			"It counts for all sandboxes, at once for those that run; with --sandbox "
			"for one.",
		.examples = "  bawn policy allow example.com\n"
			    "  bawn policy allow --sandbox claude-project --once "
			    "'*.example.com:8443'\n",
		.rows = change_rows,
		.option = option,
		.min = 1,
		.max = 1,
		.what = "which rule",
		.ends = true,
		.run = change};
	struct asked o = {.what = SESSION_ALLOW};
	struct run r;
	return verb_main(&v, &r, &o, argc, argv);
}

int cmd_policy_deny(int argc, char **argv)
{
	static const struct verb v = {.usage = "policy deny [--sandbox NAME [--once]] RULE",
		.help = "Deny a host, whatever allows it.  Connections to it end.",
		.examples = "  bawn policy deny telemetry.example.com\n",
		.rows = change_rows,
		.option = option,
		.min = 1,
		.max = 1,
		.what = "which rule",
		.ends = true,
		.run = change};
	struct asked o = {.what = SESSION_DENY};
	struct run r;
	return verb_main(&v, &r, &o, argc, argv);
}

int cmd_policy_rm(int argc, char **argv)
{
	static const struct verb v = {.usage = "policy rm [--sandbox NAME] RULE",
		.help = "Take back what policy allow or deny, or an option of run or create, has "
			"added.",
		.examples = "  bawn policy rm example.com\n",
		.rows = change_rows,
		.option = option,
		.min = 1,
		.max = 1,
		.what = "which rule",
		.ends = true,
		.run = change};
	struct asked o = {.what = SESSION_REMOVE};
	struct run r;
	return verb_main(&v, &r, &o, argc, argv);
}

/* ---- ls ---- */

static void put_rules(struct run *r, struct strv *args, const char *origin, const char *verb,
	const struct strv *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		strv_addf(&r->arena, args, "--extra=%s %s %s", origin, verb, rules->v[i]);
}

static int sandbox_rules(struct run *r, const char *name, struct strv *args, struct err *err)
{
	static struct session_msg answer;
	struct session_msg m = {.kind = SESSION_POLICY, .value = SESSION_RULES};
	int k = lasting_find_name(r, name, err);
	if (k < 0)
		return k;
	put_rules(r, args, "sandbox", "allow", &r->spec.allow);
	put_rules(r, args, "sandbox", "private", &r->spec.allow_private);
	put_rules(r, args, "sandbox", "deny", &r->spec.deny);
	_cleanup_close_ int sock = lasting_connect(r, name, err);
	k = sock < 0 ? sock : lasting_request(sock, &m, NULL, 0, &answer, err);
	if (k == -ESRCH && !err->code)
		return 0;
	char *text = k == 0 ? answer.text : NULL;
	for (char *line; text && (line = strsep(&text, "\n"));)
		if (*line)
			strv_addf(&r->arena, args, "--extra=once %s", line);
	return k;
}

static const struct option_row ls_rows[] = {
	{"json", 0, NULL, "print JSON", OPT_JSON}, VERB_HELP_ROW, {0}};

/* bawn-admin prints; what it can't know of a sandbox goes along. */
static int ls(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const struct asked *o = ctx;
	struct strv args = {0};
	strv_add(&r->arena, &args, "policy");
	strv_add(&r->arena, &args, "ls");
	if (o->json)
		strv_add(&r->arena, &args, "--json");
	int k = n ? sandbox_rules(r, word[0], &args, err) : 0;
	if (k == 0)
		k = arena_check(&r->arena, err);
	return k < 0 ? k : command_admin(args.v);
}

int cmd_policy_ls(int argc, char **argv)
{
	static const struct verb v = {.usage = "policy ls [--json] [NAME]",
		.help = "List the rules that were added for all sandboxes, and those of sandbox "
			"NAME.\n"
			"bawn policy show lists the policies that a profile may name.",
		.examples = "  bawn policy ls claude-project\n",
		.rows = ls_rows,
		.option = option,
		.max = 1,
		.ends = true,
		.run = ls};
	struct asked o = {0};
	struct run r;
	return verb_main(&v, &r, &o, argc, argv);
}

int cmd_policy_live(int argc, char **argv)
{
	const struct command *v = command_verbs("policy");
	char name[40];
	for (; argc > 1 && v->name; v++) {
		if (!streq(v->name, argv[1]) || !v->run)
			continue;
		snprintf(name, sizeof(name), "policy %s", v->name);
		argv[1] = name; /* what messages say of it: bawn ls and bawn rm are others */
		return v->run(argc - 1, argv + 1);
	}
	return command_admin(argv);
}
