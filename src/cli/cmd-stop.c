/* cli/cmd-stop.c - bawn stop, bawn rm, bawn prune: ending sandboxes, and removing them */
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/escape.h"
#include "base/fd.h"
#include "cli/command.h"
#include "run/clone.h"
#include "run/lasting.h"
#include "cli/verb.h"
#include "secret/secret.h"

#define STOP_SECONDS 10
#define SETTLE_NS 10000000000u /* for a supervisor that has nothing left but its account */

enum { OPT_TIME, OPT_FORCE, OPT_ALL, OPT_DRY_RUN, OPT_FILTER };

struct asked {
	int seconds;
	bool force, all, dry_run;
	int64_t until; /* prune: not used since then, seconds since the epoch; 0: any */
};

static int parse_seconds(const char *s, int *ret, struct err *err)
{
	char *end;
	long v = *s >= '0' && *s <= '9' ? strtol(s, &end, 10) : -1;
	if (v < 0 || *end || v > 86400)
		return err_set(err, EINVAL, "'%.40s' is not a number of seconds up to 86400", s);
	*ret = (int)v;
	return 0;
}

/* "until=24h": 30m, 24h, 7d, or seconds since the epoch. */
static int parse_filter(const char *s, int64_t *ret, struct err *err)
{
	static const struct {
		const char *unit;
		int64_t seconds;
	} units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}};
	char *end = NULL;
	const char *v = has_prefix(s, "until=") ? s + 6 : "";
	long long n = *v >= '0' && *v <= '9' ? strtoll(v, &end, 10) : -1;
	if (n >= 0 && n < INT64_MAX / 604800)
		for (size_t i = 0; i < ARRAY_LEN(units); i++)
			if (streq(end, units[i].unit)) {
				*ret = (int64_t)time(NULL) - n * units[i].seconds;
				return 0;
			}
	if (n > 0 && !*end) {
		*ret = n;
		return 0;
	}
	err_hint(err, "until=24h: those that nobody has used for a day (s, m, h, d, w)");
	return err_set(err, EINVAL, "'%.60s' is no filter", s);
}

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct asked *o = ctx;
	switch (id) {
	case OPT_TIME:
		return parse_seconds(value, &o->seconds, err);
	case OPT_FILTER:
		return parse_filter(value, &o->until, err);
	case OPT_FORCE:
		o->force = true;
		return 0;
	case OPT_ALL:
		o->all = true;
		return 0;
	default:
		o->dry_run = true;
		return 0;
	}
}

/* ---- ending one ---- */

/* Its supervisor is gone when it can be locked. */
static int wait_locked(struct run *r, const char *name, struct err *err)
{
	const uint64_t until = run_now() + SETTLE_NS;
	for (;;) {
		int k = store_sandbox_lock(&r->store, &r->arena, name, &r->box, err);
		if (k != -EBUSY || err->code || run_now() > until)
			return k;
		poll(NULL, 0, 1);
	}
}

/* End what runs in it and take its lock; force: also where its supervisor does not answer.  0;
 * -ENOENT (err untouched): there is none. */
static int stop_and_lock(struct run *r, const char *name, int seconds, bool force, struct err *err)
{
	int k = store_sandbox_lock(&r->store, &r->arena, name, &r->box, err);
	if (k != -EBUSY || err->code)
		return k;
	struct session_msg m = {.kind = SESSION_STOP, .value = seconds};
	_cleanup_close_ int sock = lasting_connect(r, name, err);
	if (sock >= 0 && session_send(sock, &m, NULL, 0) == 0) {
		struct pollfd p = {.fd = sock, .events = POLLIN};
		int ended = poll(&p, 1, (seconds + 10) * 1000);
		/* Nothing inside can hold it up, but it has to end whatever does. */
		if (ended == 0 && force)
			session_kill(sock);
	}
	if (err->code)
		return -err->code;
	k = wait_locked(r, name, err);
	if (k == -EBUSY && !err->code) {
		err_hint(err,
			"its supervisor is busy, or something has stopped it: ps -C bawn -o "
			"pid,stat,args shows T for that, kill -CONT PID lets it go on");
		return err_set(err, EBUSY, "sandbox %s did not end", name);
	}
	return k;
}

/* ---- stop ---- */

static const struct option_row stop_rows[] = {
	{"time", 't', "SECONDS", "how long they have to end by themselves (10)", OPT_TIME},
	{"all", 'a', NULL, "all that run", OPT_ALL}, VERB_HELP_ROW, {0}};

static int names_of(struct run *r, bool all, const char *command, char **word, int n,
	struct strv *ret, struct err *err)
{
	if (all && n)
		return err_set(err, EINVAL, "names or --all, not both");
	if (!all && !n) {
		err_hint(err, "bawn %s NAME... or --all; bawn ls lists the sandboxes", command);
		return err_set(err, EINVAL, "which sandbox?");
	}
	for (int i = 0; i < n; i++)
		strv_add(&r->arena, ret, word[i]);
	return all ? store_sandbox_list(&r->store, &r->arena, ret, err) : 0;
}

/* one() on each: 1, it is done and its name printed; 0, done; -errno with *err, said at once. */
static int each(struct run *r, const struct asked *o, const struct strv *names,
	int (*one)(struct run *r, const struct asked *o, const char *name, struct err *err))
{
	int code = 0;
	for (size_t i = 0; i < names->n; i++) {
		struct err err = {0};
		int k = one(r, o, names->v[i], &err);
		if (k < 0)
			code = verb_failed(&err);
		else if (k > 0)
			puts(names->v[i]);
		store_sandbox_release(&r->box);
	}
	return code;
}

static int stop_one(struct run *r, const struct asked *o, const char *name, struct err *err)
{
	int k = stop_and_lock(r, name, o->seconds, false, err);
	if (k == -ENOENT && !err->code && !o->all)
		lasting_unknown(r, name, err);
	return err->code ? -err->code : k == 0 && !o->all;
}

static int stop(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const struct asked *o = ctx;
	struct strv names = {0};
	int k = names_of(r, o->all, "stop", word, n, &names, err);
	return k < 0 ? k : each(r, o, &names, stop_one);
}

int cmd_stop(int argc, char **argv)
{
	static const struct verb v = {.usage = "stop [OPTIONS] NAME...|--all",
		.help = "End what runs in sandboxes: SIGTERM, and SIGKILL for what is still there\n"
			"after a while.  The sandboxes stay.",
		.examples = "  bawn stop claude-project\n  bawn stop --time 0 --all\n",
		.rows = stop_rows,
		.ends = true,
		.option = option,
		.max = -1,
		.what = "which sandbox",
		.run = stop};
	struct asked o = {.seconds = STOP_SECONDS};
	struct run r;
	return verb_main(&v, &r, &o, argc, argv);
}

/* ---- rm ---- */

static int remove_one(struct run *r, const char *name, bool force, struct err *err)
{
	struct err ignored = {0};
	int k = force ? stop_and_lock(r, name, 0, true, err) : lasting_lock(r, name, err);
	if (k == -ENOENT && !err->code)
		return 0; /* with -f it need not be there */
	if (k == -EBUSY && !force)
		err_hint(err, "bawn stop %s, or bawn rm -f %s", name, name);
	if (k == 0 && store_sandbox_find(&r->store, &r->arena, name, &r->spec, &ignored) == 0)
		clone_remote_remove(r, &r->spec);
	/* no session comes any more that would tell of it */
	if (k == 0 && store_sandbox_unseen(&r->box))
		run_message(r,
			"%s was cut short: what it left in its workspace was not looked through",
			name);
	/* first: another sandbox of that name must not find them */
	if (k == 0)
		k = secret_forget_sandbox(r->store.xdg.config, name, err);
	if (k == 0)
		k = store_sandbox_remove(&r->store, &r->box, err);
	return k;
}

static int rm_one(struct run *r, const struct asked *o, const char *name, struct err *err)
{
	int k = remove_one(r, name, o->force, err);
	return k < 0 ? k : 1;
}

static int rm(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const struct asked *o = ctx;
	struct strv names = {0};
	int k = names_of(r, o->all, "rm", word, n, &names, err);
	return k < 0 ? k : each(r, o, &names, rm_one);
}

static const struct option_row rm_rows[] = {
	{"force", 'f', NULL, "end what runs in it; no error where there is none", OPT_FORCE},
	{"all", 'a', NULL, "all that there are", OPT_ALL}, VERB_HELP_ROW, {0}};

int cmd_rm(int argc, char **argv)
{
	static const struct verb v = {.usage = "rm [-f] NAME...|--all",
		.help = "Remove sandboxes with all that was written in them.  Workspaces that "
			"they\n"
			"work on directly stay as they are.",
		.examples = "  bawn rm claude-project\n  bawn rm -f --all\n",
		.rows = rm_rows,
		.ends = true,
		.option = option,
		.max = -1,
		.what = "which sandbox",
		.run = rm};
	struct asked o = {0};
	struct run r;
	return verb_main(&v, &r, &o, argc, argv);
}

/* ---- prune ---- */

static int64_t used_last(struct run *r, const char *name)
{
	struct stat st;
	char *lock = arena_printf(&r->arena, "%s/%s/lock", r->store.sandboxes, name);
	return lock && stat(lock, &st) == 0 ? st.st_mtime : 0;
}

static bool confirmed(size_t n)
{
	char answer[8];
	if (n == 1)
		fprintf(stderr, "Remove it with all that was written in it? [y/N] ");
	else
		fprintf(stderr,
			"Remove these %zu sandboxes with all that was written in them? [y/N] ", n);
	return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

/* One that has come to be used, or was removed meanwhile, is no failure. */
static int prune_one(struct run *r, const struct asked *o, const char *name, struct err *err)
{
	int k = remove_one(r, name, false, err);
	return k == -EBUSY || k == -ENOENT ? 0 : k < 0 ? k : o->force;
}

static int prune(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const struct asked *o = ctx;
	struct strv names = {0}, idle = {0};
	(void)word, (void)n;
	int k = store_sandbox_list(&r->store, &r->arena, &names, err);
	if (k < 0)
		return k;
	for (size_t i = 0; i < names.n; i++)
		if (!lasting_running(r, names.v[i]) &&
			(!o->until || used_last(r, names.v[i]) < o->until))
			strv_add(&r->arena, &idle, names.v[i]);
	for (size_t i = 0; i < idle.n && (o->dry_run || !o->force); i++)
		puts(idle.v[i]);
	if (o->dry_run || !idle.n)
		return 0;
	if (!o->force && !isatty(STDIN_FILENO)) {
		err_hint(err, "bawn prune --force");
		return err_set(err, EINVAL, "there is nobody to ask");
	}
	fflush(stdout);
	if (!o->force && !confirmed(idle.n))
		return 1;
	return each(r, o, &idle, prune_one);
}

static const struct option_row prune_rows[] = {
	{"dry-run", 'n', NULL, "print the names and stop", OPT_DRY_RUN},
	{"filter", 0, "until=AGE", "only those that nobody used for AGE (30m, 24h, 7d)",
		OPT_FILTER},
	{"force", 'f', NULL, "don't ask", OPT_FORCE}, VERB_HELP_ROW, {0}};

int cmd_prune(int argc, char **argv)
{
	static const struct verb v = {.usage = "prune [OPTIONS]",
		.help = "Remove the sandboxes that don't run.",
		.examples = "  bawn prune --dry-run --filter until=7d\n",
		.rows = prune_rows,
		.ends = true,
		.option = option,
		.max = 0,
		.run = prune};
	struct asked o = {0};
	struct run r;
	return verb_main(&v, &r, &o, argc, argv);
}
