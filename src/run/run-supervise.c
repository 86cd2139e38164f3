/* run/run-supervise.c - one run from its options to its account; see run.h */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/proxy-env.h"
#include "base/tree.h"
#include "run/credential.h"
#include "run/image.h"
#include "run/lasting.h"
#include "run/live.h"
#include "run/signals.h"

static void on_message(void *ctx, const char *line)
{
	const struct audit_field f[] = {{.key = "message", .str = line}};
	run_message(ctx, "%s", line);
	run_audit(ctx, "error", f, ARRAY_LEN(f));
}

static void on_replaced(void *ctx, const char *path, bool again)
{
	char shown[512];
	const char *action = again ? "guarded again" : "the run was ended";
	const struct audit_field f[] = {
		{.key = "path", .str = path}, {.key = "action", .str = action}};
	escape_text(shown, sizeof(shown), path);
	run_message(ctx,
		again ? "the host replaced %s; it is guarded again"
		      : "the host replaced %s and it could not be guarded again: the run was ended",
		shown);
	run_audit(ctx, "remount", f, ARRAY_LEN(f));
}

/* A verdict: into the log; a denial also before the person's eyes, where it disturbs nothing. */
static void on_verdict(void *ctx, bool allowed, const struct dialer_denial *d)
{
	struct run *r = ctx;
	const struct audit_field f[] = {{.key = "target", .str = d->target},
		{.key = "rule", .str = d->rule}, {.key = "reason", .str = d->reason},
		{.key = "count", .num = (int64_t)d->count}, {.key = "fix", .str = d->fix}};
	run_audit(r, allowed ? "allow" : "deny", f, allowed ? 2 : ARRAY_LEN(f));
	run_learn_verdict(r, allowed, d);
	if (allowed || d->count > 1)
		return;
	if (sandbox_owns_terminal(r->sandbox)) {
		char title[160];
		snprintf(title, sizeof(title), "bawn denied %.100s", d->target);
		sandbox_title(r->sandbox, title);
	} else {
		run_message(r, "denied %s: %s%s%s%s%s%s", d->target, d->reason,
			d->rule[0] ? " (" : "", d->rule, d->rule[0] ? ")" : "",
			d->fix[0] ? "; to allow it: " : "", d->fix);
	}
}

/* The agent sees the same broken connection as for a denial. */
static void on_unreached(void *ctx, const char *target, const char *why)
{
	struct run *r = ctx;
	const struct audit_field f[] = {
		{.key = "target", .str = target}, {.key = "reason", .str = why}};
	run_audit(r, "unreachable", f, ARRAY_LEN(f));
	if (!sandbox_owns_terminal(r->sandbox))
		run_message(r, "%s is allowed, but can't be reached: %s", target, why);
}

static void on_flow_end(void *ctx, const char *target, uint64_t up, uint64_t down, uint64_t ms)
{
	const struct audit_field f[] = {{.key = "target", .str = target},
		{.key = "up", .num = (int64_t)up}, {.key = "down", .num = (int64_t)down},
		{.key = "ms", .num = (int64_t)ms}};
	run_audit(ctx, "flow", f, ARRAY_LEN(f));
	run_tally_flow(ctx, target, up, down);
	run_learn_flow(ctx, target, up, down);
}

static void on_session(void *ctx, uint32_t id, const char *action, const char *program, int code)
{
	struct audit_field f[] = {{.key = "session", .num = id}, {.key = "action", .str = action},
		{.key = "program", .str = program}, {.key = "code", .num = code}};
	if (!*program)
		f[2] = f[3];
	run_audit(ctx, "session", f, 2u + (*program != 0) + (code >= 0));
}

/* Where it is told of a policy that changes.  Without, it has the one that it was started with. */
static void hear(struct run *r)
{
	struct err err = {0};
	_cleanup_close_ int dir = open(r->box.dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd = dir < 0 ? dir : session_listen(dir, &err);
	if (fd >= 0 && sandbox_hear(r->sandbox, fd) < 0)
		close(fd);
}

static void on_started(void *ctx)
{
	struct run *r = ctx;
	r->sandbox_ran = true;
	if (!r->lasting)
		hear(r);
	/* Work that can wait until the agent runs: leftovers of runs that were killed. */
	store_collect(&r->store, NULL);
	store_box_sweep(&r->box);
	store_prune_cache(r->store.xdg.cache);
	run_scan_reap(r, false);
	run_audit_plan(r);
}

static int on_request(void *ctx, const struct session_msg *m, int *fds, size_t n_fds,
	struct session_msg *answer, struct err *err)
{
	if (m->kind == SESSION_CHECKPOINT)
		return lasting_note_checkpoint(ctx, m->text, err);
	if (m->kind == SESSION_ENTER || m->kind == SESSION_LEND)
		return lasting_on_request(ctx, m, err);
	return run_on_request(ctx, m, fds, n_fds, answer, err);
}

static void say_notices(struct run *r)
{
	for (size_t i = 0; i < r->plan.notices.n; i++)
		run_message(r, "%s", r->plan.notices.v[i]);
	if (r->opt.verbosity > 0)
		for (size_t i = 0; i < r->plan.withheld.n; i++)
			run_message(r, "withheld: %s", r->plan.withheld.v[i]);
	for (size_t i = 0; i < r->plan.degraded.n; i++) {
		run_message(r, "degraded, as you allowed: no %s", r->plan.degraded.v[i]);
		const struct audit_field f[] = {{.key = "feature", .str = r->plan.degraded.v[i]}};
		run_audit(r, "degraded", f, 1);
	}
}

/* A log that the agent can write proves nothing.  bawn's own place can't lie in what is shown. */
static int check_audit_place(struct run *r, const char *file, struct err *err)
{
	/* What isn't there yet is made where its nearest directory is. */
	char *dir = path_join(&r->arena, ".", file);
	if (file[0] == '/')
		dir = arena_dup(&r->arena, file);
	const char *real = NULL;
	for (char *slash; dir && !real && (slash = strrchr(dir, '/'));) {
		*slash = '\0';
		real = path_real(&r->arena, *dir ? dir : "/");
	}
	for (size_t i = 0; real && i < r->n_scans + r->ws.binds.n; i++) {
		const char *shown = i < r->n_scans ? r->scans[i].path
						   : r->ws.binds.v[i - r->n_scans];
		if (!path_within(real, shown))
			continue;
		err_hint(err, "give --audit a file outside of what the agent sees");
		return err_set(
			err, EPERM, "the audit log can't lie in %s, where the agent works", shown);
	}
	return 0;
}

static int open_audit(struct run *r, struct err *err)
{
	const char *path = r->opt.audit ? r->opt.audit
					: path_join(&r->arena, r->store.xdg.data, "audit.jsonl");
	int k = r->opt.audit ? check_audit_place(r, path, err) : 0;
	if (k < 0)
		return k;
	k = audit_open(path, r->box.id, &r->audit, err);
	if (k < 0)
		return k;
	const struct audit_field f[] = {{.key = "profile", .str = r->pack.profile.name},
		{.key = "program", .str = r->plan.exe}, {.key = "version", .str = PACKAGE_VERSION},
		{.key = "workspace", .str = r->ws.path}};
	run_audit(r, "start", f, ARRAY_LEN(f) - !run_has_workspace(r));
	return 0;
}

static int show_plan(struct run *r)
{
	if (!r->opt.json) {
		plan_print(&r->plan, stdout);
		return 0;
	}
	struct json_out j = {.pretty = true};
	plan_json(&r->plan, &j);
	int k = j.failed ? 125 : 0;
	if (!k)
		puts(j.buf);
	json_free(&j);
	return k;
}

/* The user's own command line behind "bawn run", as a shell would take it again; one that nobody
 * would, "...". */
static char *rest_of_command(struct run *r)
{
	enum { SHOWN_MAX = 256 * 1024, CHAR_MAX_LEN = 4, QUOTES = 4, SPARE = 8 };
	size_t size = SPARE, o = 0;
	for (int i = 1; i < r->argc; i++) {
		size += strlen(r->argv[i]) * CHAR_MAX_LEN + QUOTES;
		if (size > SHOWN_MAX)
			return arena_dup(&r->arena, "...");
	}
	char *s = arena_alloc(&r->arena, size);
	for (int i = 1; i < r->argc && s; i++) {
		if (i > 1)
			s[o++] = ' ';
		o += strlen(escape_shell(s + o, size - o, r->argv[i]));
	}
	return s;
}

/* What a lasting sandbox's supervisor has besides: its socket, and who waits for it. */
static int serve(struct run *r, struct err *err)
{
	_cleanup_close_ int dir = open(r->box.dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, errno, "open %s", r->box.dir);
	int fd = session_listen(dir, err);
	if (fd < 0)
		return fd;
	futimens(r->box.lock, NULL); /* when it was used last */
	const struct sandbox_lasting l = {.listener = fd,
		.dirfd = TAKE_FD(dir),
		.client = r->client,
		.account = TAKE_FD(r->result.account),
		.detached = r->opt.detach,
		.closed = r->closed};
	return sandbox_serve(r->sandbox, &l, err);
}

/* The namespaces take longest: before all that is to be read and decided. */
static int start_ahead(struct run *r, struct err *err)
{
	if (run_check_stdio(err) < 0)
		return -err->code;
	for (int fd = 0; fd < 3 && !r->lasting; fd++)
		if (isatty(fd))
			r->tty_fds |= (uint8_t)(1u << fd);
	if (!r->opt.dry_run)
		r->ahead = sandbox_ahead(r->install.libexec, r->tty_fds);
	return 0;
}

static int launch(struct run *r, struct err *err)
{
	if (!r->lasting && run_result_account(r, err) == -ENOMEM)
		return -ENOMEM;
	if (!r->lasting && r->result.account >= 0)
		run_tally_begin(r, 0);
	run_plan_begin(r);
	int k = arena_check(&r->plan.arena, err);
	if (k < 0)
		return k;
	struct sandbox_config c = {.uid = r->id.uid,
		.gid = r->id.gid,
		.inside_uid = r->inside.uid,
		.inside_gid = r->inside.gid,
		.tty_fds = r->tty_fds,
		.pack = &r->pack,
		.rows = r->plan.mounts,
		.n_rows = r->plan.n_mounts,
		.libexec = r->install.libexec,
		.clipboard = r->opt.clipboard,
		.lasting = r->lasting,
		.timeout_ms = (uint32_t)r->opt.timeout_ms,
		.dialer = {.egress = r->pack.egress,
			.resolver_path = path_join(&r->arena, r->install.libexec, "bawn-resolve"),
			.overrides = r->opt.overrides,
			.n_overrides = r->opt.n_overrides,
			.host_ports = r->opt.host_ports,
			.n_host_ports = r->opt.n_host_ports,
			.https_proxy = proxy_env("https_proxy", "HTTPS_PROXY"),
			.http_proxy = proxy_env("http_proxy", "HTTP_PROXY"),
			.no_proxy = proxy_env("no_proxy", "NO_PROXY"),
			.fix_prefix = r->learn ? "bawn learn" : "bawn run",
			.fix_suffix = rest_of_command(r),
			.fix_sandbox = r->lasting ? r->box.id : NULL,
			.ask_ms = (uint32_t)r->opt.ask * 1000,
			.hooks = {.ctx = r,
				.asks = r->learn ? run_learn_asks : NULL,
				.asked = run_on_asked,
				.verdict = on_verdict,
				.unreached = on_unreached,
				.flow_end = on_flow_end}},
		.hooks = {.ctx = r,
			.begin = run_tally_begin,
			.account = run_tally_account,
			.started = on_started,
			.replaced = on_replaced,
			.message = on_message,
			.session = on_session,
			.request = on_request,
			.terminated = run_vault_terminated,
			.judge = run_vault_judge,
			.http = run_vault_told,
			.max_upload = run_vault_max_upload,
			.followed = run_logins_told},
		.ports = r->opt.ports,
		.n_ports = r->opt.n_ports};
	if (r->opt.dry_run)
		return 0;
	k = sandbox_launch(&c, &r->ahead, &r->sandbox, err);
	if (k == 0 && r->lasting) /* before anything can be mounted there */
		k = store_sandbox_note_init(&r->box, sandbox_init_pid(r->sandbox), err);
	return k == 0 && r->lasting ? serve(r, err) : k;
}

static int decide_and_wait(struct run *r, struct sandbox_result *res, struct err *err)
{
	/* First the log: without a terminal the agent starts as soon as it is decided. */
	int k = open_audit(r, err), noted = 0;
	if (k == 0 && r->lasting && run_scan_looks(r))
		k = noted = store_sandbox_note_unseen(&r->box, r->t_since, err);
	if (k >= 0)
		k = sandbox_decide(r->sandbox, &r->plan, err);
	if (k == 0) {
		say_notices(r);
		run_ports_ready(r);
		k = sandbox_wait(r->sandbox, res, err);
	}
	if (k < 0 && noted > 0 && !r->sandbox_ran)
		store_sandbox_seen(&r->box); /* nothing of it ran */
	return k;
}

/* A directory in which nothing was left behind can be used again: the socket goes first.  Its lock,
 * to be closed when nothing is mounted there any more; -1: none. */
static int remove_box(struct run *r)
{
	struct err err = {0};
	int lock;
	if (r->box.lock < 0)
		return -1;
	_cleanup_close_ int dir = r->sandbox_ran
		? open(r->box.dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
		: -1;
	if (dir >= 0)
		session_unlisten(dir);
	if (r->image)
		run_kept_decide(r);
	if (store_box_leave(&r->box, &lock, &err) < 0)
		run_message(r, "%s; the next bawn command tries again", err.msg);
	return lock;
}

int run_release(struct run *r, int code)
{
	struct err err = {0};
	run_credentials_drop(r);
	run_logins_end(r);
	/* Nothing runs inside any more: while the kernel takes the namespaces down, bawn-init with
	 * them, what it leaves behind goes.  Not what the next start may take whole: no two mounts
	 * shall have the same upper directory. */
	const bool early = !r->box.lasting && !(r->image && r->box.spare) &&
		sandbox_ended(r->sandbox);
	_cleanup_close_ int lock = early ? remove_box(r) : -1;
	/* a template stays in use, and a control group has somebody in it, until it is gone */
	const bool beside = early && !r->image && r->cgroup.dir < 0;
	struct proc last = PROC_NONE;
	sandbox_ahead_drop(r->ahead);
	r->ahead = NULL;
	sandbox_free(r->sandbox, beside ? &last : NULL);
	cgroup_end(&r->cgroup);
	r->sandbox = NULL; /* what is said from here on goes to a restored terminal */
	proc_kill(&r->seed);
	run_scan_reap(r, true);
	if (r->box.lasting && r->box.lock >= 0 && r->fresh && !r->sandbox_ran)
		store_sandbox_remove(&r->store, &r->box, &err);
	else if (r->box.lasting)
		store_sandbox_release(&r->box);
	else if (!early)
		lock = remove_box(r);
	if (r->audit)
		audit_close(r->audit);
	run_image_close(r);
	run_tally_free(r);
	store_close(&r->store);
	pack_close(&r->pack);
	pack_close(&r->live);
	plan_free(&r->plan);
	arena_free(&r->arena);
	proc_kill(&last);
	return code;
}

/* What one that lasts has was found with its description. */
static int open_root(struct run *r, struct err *err)
{
	const char *ref = r->opt.template ? r->opt.template : r->pack.profile.template;
	return r->lasting ? 0 : run_image_open(r, ref, NULL, err);
}

int run_supervise(struct run *r, struct err *err)
{
	struct sandbox_result res = {0};
	int k = run_begin(r, err);
	if (k == 0)
		k = start_ahead(r, err);
	if (k == 0)
		k = run_policy(r, err);
	if (k == 0)
		k = open_root(r, err);
	if (k == 0)
		k = run_check_core(r, err);
	if (k == 0)
		k = run_credentials_begin(r, err);
	if (k == 0)
		k = launch(r, err);
	if (k == 0)
		k = run_vault_start(r, err);
	if (k == 0)
		k = run_limit(r, err);
	if (k == 0)
		k = run_facts(r, err);
	if (k == 0)
		k = run_seed_collect(r, err);
	if (k == 0)
		k = run_vault_ready(r, err);
	if (k == 0)
		k = run_change_begin_cow(r, err);
	if (k == 0)
		k = run_plan(r, err);
	r->t_plan = run_now();
	if (k < 0)
		return r->unfit ? r->unfit : 125;
	if (r->opt.dry_run)
		return show_plan(r);
	if (!r->lasting)
		store_box_ways(&r->box, &r->arena, &r->ways);
	k = decide_and_wait(r, &res, err);
	if (err->code) {
		const struct audit_field f[] = {
			{.key = "message", .str = err->msg}, {.key = "hint", .str = err->hint}};
		run_audit(r, "error", f, ARRAY_LEN(f));
	}
	if (!r->lasting) /* else they are its clients' */
		run_restore_stdio(r);
	if (k < 0)
		return 125;
	run_limits_end(r);
	run_account(r, &res);
	if (r->opt.timing)
		run_timing(r, &res);
	r->result.timeout = res.timeout;
	const struct sandbox_account a = {
		.fd = r->result.account, .user_us = res.user_us, .system_us = res.system_us};
	if (a.fd >= 0)
		run_tally_account(r, &a);
	return run_result_code(r, res.code);
}

#define FIRST_USED ((size_t)160 * 1024) /* of what a program has from its start, by a run */

void run_init(struct run *r, int argc, char **argv)
{
	*r = (struct run){.store = STORE_NONE,
		.box = STORE_BOX_NONE,
		.seed = PROC_NONE,
		.pack.fd = -1,
		.live.fd = -1,
		.cgroup.dir = -1,
		.logins.sock = -1,
		.result = {.dir = -1, .account = -1},
		.client = -1};
	r->t_begin = run_now();
	first_ahead(FIRST_USED);
	/* getopt permutes its argument vector; what the user typed is kept for messages. */
	r->argc = argc;
	r->argv = arena_alloc(&r->arena, ((size_t)argc + 1) * sizeof(*r->argv));
	if (r->argv)
		memcpy(r->argv, argv, (size_t)argc * sizeof(*argv));
	else
		r->argc = 0;
}

int run_refuse_nested(struct err *err)
{
	char shown[128];
	const char *sandbox = getenv("BAWN_SANDBOX");
	if (!sandbox)
		return 0;
	err_hint(err, "end this sandbox first, or run the command as it is: it is confined");
	return err_set(err, EPERM, "bawn runs inside sandbox %s already",
		escape_text(shown, sizeof(shown), sandbox));
}

/* The exit code; an error is said last, when all that was found out was said before it. */
int run_finish(struct run *r, int code, const struct err *err)
{
	/* what failed with no session begun may have failed because the user would have it end */
	const int end = code == 125 && err->code ? signals_end() : 0;
	if (end)
		code = 128 + end;
	run_result_end(r, code, err);
	if (err->code)
		run_fail(err, code);
	return run_release(r, code);
}
