/* run/run.h - what the files of `bawn run` share.
 *
 * run-options.c reads the command line, run-facts.c gathers what it needs to know, run-plan.c turns
 * that into a plan, run-supervise.c runs it, run-end.c accounts for it.
 */
#ifndef BAWN_RUN_RUN_H
#define BAWN_RUN_RUN_H

#include "audit/audit.h"
#include "base/path.h"
#include "base/proc.h"
#include "run/options.h"
#include "host/agent.h"
#include "host/cgroup.h"
#include "host/env.h"
#include "host/etc.h"
#include "host/git.h"
#include "host/identity.h"
#include "host/toolchain.h"
#include "plan/plan.h"
#include "policy/pack.h"
#include "run/login.h"
#include "sandbox/sandbox.h"
#include "scan/request.h"
#include "scan/result.h"
#include "store/sandboxes.h"

/* Seconds of --ask: with those of a connection, less than the relay's own limit. */
#define RUN_ASK_MAX 120

/* When a registry is asked for a template: pull.h. */
enum run_pull { RUN_PULL_MISSING, RUN_PULL_ALWAYS, RUN_PULL_NEVER };

struct run_options {
	const char *profile; /* the first word behind "run": a profile or a sandbox; NULL: --name */
	const char *name, *mode, *template, *keys;
	struct strv host_port_texts, connect_to_texts; /* as they were given */
	struct strv publish;                           /* [IP:]HOST:PORT, in full */
	bool detach;
	struct strv paths; /* PATH[:ro] */
	struct strv args;  /* behind "--" */
	struct strv env;   /* -e and --env-file, KEY=value */
	struct strv allow, deny, allow_private, policy, mask, allow_exec;
	struct strv expose_key;  /* variables whose key the agent gets itself */
	struct strv given_files; /* with variables, given by --env-file */
	struct dialer_override *overrides;
	size_t n_overrides, cap_overrides;
	uint16_t host_ports[16];
	size_t n_host_ports;
	struct port_spec ports[PORTS_MAX];
	size_t n_ports;
	uint64_t pids, memory, cpus; /* as in struct spec */
	uint64_t ask;                /* as in struct spec */
	uint64_t timeout_ms;
	enum run_pull pull;
	const char *as_user, *audit, *result;
	struct strv degraded; /* --allow-degraded FEATURE */
	bool offline, no_yolo, no_login, bare_home, dry_run, json, timing, clipboard, help, rm;
	int verbosity; /* -q: -1, -v: 1 */
	bool color;
};

/* One directory that is looked through (run-scan.c). */
struct run_scan {
	const char *path; /* the directory itself; req.root may lie above it */
	struct scan_request req;
	struct job job;
	bool writable;
};

/* A git config file of which the agent gets a private copy (scan/request.h). */
struct run_git_copy {
	const char *real, *base, *copy, *inside;
};

struct run_credential; /* credential.h */
struct run_learn;      /* learn.c: what this run has connected to, for `bawn learn` */
struct run_tally;      /* run-result.c: what the sessions that want an account have used */

/* One session as its client sees it: for --result, and for a loop. */
struct run_result {
	const char *name; /* the file's, below dir; NULL: none is asked for */
	int dir;
	bool wanted;       /* also without a file */
	int account;       /* memfd that the supervisor fills, -1 */
	int64_t started;   /* s since the epoch */
	uint64_t since_ns; /* the same, for what changed in the workspace */
	bool timeout, detached;
	uint64_t iteration; /* of a loop, from 1 */
	int signal;         /* that was sent to us and ended it */
	/* once it has ended */
	uint64_t ms, user_us, system_us, denials, changed;
};

struct run {
	struct arena arena;
	struct run_options opt;
	struct run_options given; /* re-entry: what was given now, without what the sandbox has */
	struct path_install install;
	struct host_identity id;     /* who one is outside */
	struct host_identity inside; /* and inside: the same, but in a template */
	struct run_image *image;     /* the template (image.h); NULL: host */
	struct run_step *step;       /* a RUN of a Dockerfile (step.h); NULL: a run */
	bool as_root;                /* the command is root by emulation; in a template only */
	struct store store;
	struct store_box box;
	bool lasting;            /* the sandbox has a name and stays */
	struct spec spec;        /* what it was created with */
	struct strv command;     /* exec, shell: this instead of the profile's tool */
	const char *directory;   /* exec -w */
	int client;              /* supervisor of a lasting one: who waits for the first session */
	struct strv beside;      /* other profiles that joined while it runs */
	bool fresh;              /* it was made for this start, and goes where that fails */
	struct cgroup cgroup;    /* its limits */
	bool no_memory, no_cpus; /* limits that can't be had, which --allow-degraded allows */
	bool core_handler;       /* nothing keeps crashes from the host's */
	bool any_spelling;       /* masks and pins can be got around by other spellings */
	bool sandbox_ran;        /* ... and was told what became of it */
	struct pack pack;
	struct pack live; /* what took its place while it runs; fd -1: nothing has */
	struct live_once {
		struct strv allow, deny, allow_private;
	} once; /* rules that count until it stops */
	struct host_workspace ws;
	bool closed; /* it is started only to be set up: nobody may join it */
	bool apart;  /* what is at ws.path inside is not the host's directory, or nothing is */
	const char *index; /* clone: the host's */
	const char *repo;  /* clone: the host's git directory that it shares objects with */
	struct host_extra *extras;
	size_t n_extras;
	struct host_agent agent;
	bool agent_sought, tools_sought;
	struct host_toolchains tools;
	struct strv ways; /* what the plan mounts on in the box: store_box_ways() */
	struct host_env env;
	struct run_credential *credentials; /* of the policy, with what of them is in force */
	size_t n_credentials;
	bool joins;               /* credentials are those of a sandbox that runs */
	struct run_logins logins; /* the user's, which stay outside */
	bool ca;            /* the sandbox has an authority of its own, which is trusted inside */
	const char *ca_pem; /* its certificate */
	bool ca_added; /* a template is shown what this machine's administrator trusts beside */
	char *etc;
	struct run_scan *scans; /* the workspace's first, then the further directories' */
	size_t n_scans;
	struct scan_result scan; /* what all of them found */
	struct run_git_copy *git;
	size_t n_git;
	struct proc seed;
	int seed_fd; /* its lines: notice, env, withheld */
	struct strv seed_env, seed_withheld, seed_left, seed_reads;
	struct strv seed_fresh; /* log-ins, as paths in the home */
	const char *host_hooks; /* the user's own core.hooksPath, where it lies in the workspace */
	struct strv settings;   /* of the user's git: key, value, key, value ... (scan/named.h) */
	const char *login;      /* what seed said of the log-in; NULL: there was nothing to seed */
	struct plan plan;
	uint8_t tty_fds; /* bit i: descriptor i is a terminal */
	struct audit *audit;
	struct run_result result;
	struct run_tally *tally;
	struct run_learn *learn;     /* NULL: the policy is kept as it is */
	struct sandbox_ahead *ahead; /* until there is a sandbox */
	struct sandbox *sandbox;
	int argc; /* the command line as typed, for messages */
	char **argv;
	int unfit; /* exit status where the tool is not there (127) or can't be executed (126) */
	uint64_t t_begin, t_pack, t_facts, t_plan, t_since;
	bool unseen; /* t_since is of an earlier session, which nobody looked at */
};

/* run-options.c */
extern const struct option_row run_option_rows[];
int run_options_parse(struct run *r, int argc, char **argv, struct err *err);
void run_options_help(FILE *to);
/* No port is both published and --host-port. */
int run_check_ports(const struct run_options *o, struct err *err);
/* As if --option value had been given. */
int run_option_set(struct run *r, const char *option, const char *value, struct err *err);
/* The same by the row's id; -EINVAL: there is none. */
int run_option_row_set(struct run *r, int id, const char *value, struct err *err);
/* The rows of a command that has own options and takes those of run but for not (ending in NULL):
 * to (at most max, with the end), own ones first. */
void run_option_rows_beside(
	const struct option_row *own, const char *const * not, struct option_row *to, size_t max);

/* run-stdio.c: what comes along as 0-2 must be no way to anywhere else (0 or -errno), and has the
 * modes that it had when the session is over.  To note them is a part of the check. */
int run_check_stdio(struct err *err);
void run_note_stdio(void);
void run_restore_stdio(struct run *r);

/* run-facts.c: who we are and what the policy says, as one pack; then everything else that has to
 * be known before deciding.  Starts the scan and the seed. */
int run_begin(struct run *r, struct err *err); /* who we are, where our state is */
int run_policy(struct run *r, struct err *err);
#define RUN_NO_WORKSPACE "/run/bawn/none" /* ws.path where there is none; nothing is there */
bool run_has_workspace(const struct run *r);
/* The directory that a tool takes for its project: the workspace, or the home. */
const char *run_place(const struct run *r);
/* Start a helper of ours with argv, envp (NULL: none) and descriptors 0 to 2. */
int run_helper_start(struct run *r, const char *helper, char *const *argv, char *const *envp,
	const int fds[static 3], struct proc *ret, struct err *err);
/* The same, and wait for its end. Without ret_status a status other than 0 is an error of which it
 * has said all itself. */
int run_helper(struct run *r, const char *helper, char *const *argv, char *const *envp,
	const int fds[static 3], int *ret_status, struct err *err);
/* bawn-admin. */
int run_admin(struct run *r, char *const *argv, char *const *envp, const int fds[static 3],
	int *ret_status, struct err *err);
/* The pack that r's options ask for, compiled where it has to be; what is wrong with a file is said
 * on errors. */
int run_find_pack(struct run *r, int errors, struct pack *ret, struct err *err);
/* Where the workspace is; once. */
int run_workspace(struct run *r, struct err *err);
int run_facts(struct run *r, struct err *err);
/* The agent's settings and log-in copies are in its home: collect what seed said. */
int run_seed_collect(struct run *r, struct err *err);
/* Another profile joins: its own into r->box.home. */
int run_seed_again(struct run *r, struct err *err);

/* run-scan.c */
int run_scan_start(struct run *r, struct err *err);
int run_scan_collect(struct run *r, struct err *err);
void run_scan_reap(struct run *r, bool wait);
/* Is there anything to look at after it? */
bool run_scan_looks(const struct run *r);
/* After the run; what was found stands in *ret also when one directory could not be read. */
int run_scan_end(struct run *r, struct scan_result *ret, struct err *err);

/* run-change.c */
bool run_is_cow(const struct run *r); /* --workspace cow */
/* Keep what is needed to tell later what changed: for a direct workspace (beside the scan), and for
 * a copy-on-write one (masks are known then). */
int run_change_begin(struct run *r, struct err *err);
int run_change_begin_cow(struct run *r, struct err *err);
/* At the end: that there are changes; and new files that the host would run go aside. */
void run_change_say(struct run *r);
void run_change_aside(struct run *r, const struct scan_result *s);

/* run-plan.c */
/* The rows that are every sandbox's; then the rest, once all is found out. */
void run_plan_begin(struct run *r);
int run_plan(struct run *r, struct err *err);
/* Is path in a directory of the host's that is shown as it is? */
bool run_shown_by_host(const struct run *r, const char *path);
/* run-git.c: a git config's text as the inside gets it; NULL: out of memory. */
const char *run_git_unsigned(struct run *r, const char *text);
/* Says so where the repository needs objects that aren't inside. */
void run_git_borrows(struct run *r);
/* The same of a git directory that isn't followed. */
void run_git_elsewhere(struct run *r);
/* run-trees.c: work trees of the workspace's repository that stay outside. */
void run_trees_rows(struct run *r);
/* run-links.c: of the rows from the given one on, those in directories that the home has as links.
 */
int run_links_turn(struct run *r, size_t from, struct err *err);

/* The links in the name that the user has for the workspace (~/src -> /data/src), so that it counts
 * inside, too: builds keep it (CMake's cache).  Not in a template. */
void run_links_named(struct run *r);
/* The program, its arguments and environment alone: for one more session of a running sandbox. */
int run_plan_command(struct run *r, struct err *err);
/* run-plan-env.c: both parts of that. */
int run_plan_exe(struct run *r, struct err *err);
void run_plan_env(struct run *r);
/* PATH inside; NULL: out of memory. */
char *run_path(struct run *r);
/* Where bawn-why is, by which the agent asks for the rules; see egress/why-main.c. */
#define RUN_WHY_DIR "/run/bawn/bin"
/* Which of our variables come along, with placeholders for keys. */
int run_environment(struct run *r, struct err *err);
/* What run_plan_command() needs to know. */
int run_facts_command(struct run *r, struct err *err);

/* run-ca.c: the sandbox's authority.  Its files and the rows that show them, where it has one; the
 * variables. */
int run_ca_rows(struct run *r, struct err *err);
void run_ca_env(struct run *r);
/* A process that joins: has the sandbox one? */
void run_ca_join(struct run *r);

/* run-vault.c: the vault, where a credential is in force or the policy has rules on requests. Start
 * it, beside what else has to be found out; have its certificate, when all is found out; tell it
 * anew what the credentials are, whose values have been fetched. */
bool run_vault_wanted(const struct run *r);
int run_vault_start(struct run *r, struct err *err);
int run_vault_ready(struct run *r, struct err *err);
int run_vault_configure(struct run *r, struct err *err);
/* The policy or a secret has changed while it runs. */
/* Secrets alone have changed: the vault that runs has them at once. */
int run_vault_renew(struct run *r, struct err *err);
int run_vault_again(struct run *r, struct err *err);
/* SESSION_KEYS */
int run_vault_keys(struct run *r, int fd, struct session_msg *answer, struct err *err);
/* sandbox_hooks */
enum sandbox_terminated run_vault_terminated(void *run, const char *name, uint16_t port);
uint64_t run_vault_max_upload(void *run, const char *name, uint16_t port, uint32_t *ret_rule);
struct http_verdict run_vault_judge(
	void *run, const char *name, uint16_t port, const char *method, const char *target);
void run_vault_told(void *run, const struct sandbox_http *h);

/* run-supervise.c: start the sandbox of r, which is ready to be started, and stay until it ends.
 * The exit code. */
int run_supervise(struct run *r, struct err *err);
void run_init(struct run *r, int argc, char **argv);
int run_release(struct run *r, int code);
/* Say the error, if there is one, and release; of a failure with a signal held (signals_end()) the
 * code is that signal's. */
int run_finish(struct run *r, int code, const struct err *err);
/* -EPERM inside a sandbox. */
int run_refuse_nested(struct err *err);

/* lasting.c: enter the sandbox that the options name, or create it first.  The exit code. */
int lasting_run(struct run *r, struct err *err);
/* run-args.c: a notice for each file that the arguments name and that is not inside. */
void run_say_args(struct run *r);

/* run-argv.c: the tool's command line: yolo flags where the tool takes them, the user's behind. */
int run_argv(struct arena *a, const struct profile *p, const struct strv *args, bool yolo,
	struct strv *ret);

/* run-result.c */
int run_duration(const char *text, uint64_t *ret_ms, struct err *err);
/* Is --result a file that can be written?  Before anything is started. */
int run_result_open(struct run *r, struct err *err);
/* Wanted: a descriptor for the account; -1 where it isn't. */
int run_result_account(struct run *r, struct err *err);
/* Before the start: from here on what changes in the workspace counts. */
void run_result_start(struct run *r);
/* It has ended with that code, by bawn's failure where err says so: find out what it used, and
 * write the file that was asked for. */
void run_result_end(struct run *r, int code, const struct err *err);
/* "bawn: ..." on stderr where its time was over; what the exit code then is. */
int run_result_code(const struct run *r, int code);
/* The supervisor's part. */
void run_tally_flow(struct run *r, const char *target, uint64_t up, uint64_t down);
void run_tally_begin(void *run, uint32_t session);
void run_tally_free(struct run *r);
void run_tally_account(void *run, const struct sandbox_account *a);

uint64_t run_now(void); /* CLOCK_MONOTONIC, ns */

/* run-end.c */
/* "bawn: message", then the remedy.  An empty message was already said by a helper.  Returns code.
 */
int run_fail(const struct err *err, int code);
void run_message(const struct run *r, const char *fmt, ...) _printf_(2, 3);
void run_account(struct run *r, const struct sandbox_result *res);
void run_timing(const struct run *r, const struct sandbox_result *res);
void run_audit(struct run *r, const char *event, const struct audit_field *f, size_t n);

/* learn.c: observe this run, in which every public name is allowed.  Before anything is started. */
int run_learn_begin(struct run *r, struct err *err);
void run_learn_verdict(struct run *r, bool allowed, const struct dialer_denial *d);
void run_learn_asks(void *run, const char *name, uint16_t port, uint16_t client);
void run_learn_request(struct run *r, const struct sandbox_http *h);
void run_learn_flow(struct run *r, const char *target, uint64_t up, uint64_t down);
/* What was learnt, as a policy; the arena's.  NULL with *err. */
char *run_learn_yaml(struct run *r, struct err *err);
struct run_learn_sum {
	size_t fresh, known, left; /* hosts that are new, allowed already, not learnt */
};
struct run_learn_sum run_learn_sum(const struct run *r);

/* run-limits.c: --memory and --cpus; around the sandbox that was launched and has no plan yet. */
int run_parse_size(const char *s, uint64_t *ret, struct err *err);
int run_parse_cpus(const char *s, uint64_t *ret, struct err *err);
int run_limit(struct run *r, struct err *err);
void run_limits_degraded(struct run *r, struct strv *ret);
/* Can crashes be kept from the host's core handler? */
int run_check_core(struct run *r, struct err *err);
/* How far the clock that dates a directory's files is behind ours, in ns, or somewhat more
 * (run-clock.c). */
uint64_t run_clock_behind(const char *path);
/* Do masks and protected paths hold where the workspace lies (run-case.c)? */
int run_check_case(struct run *r, struct err *err);
void run_limits_end(struct run *r); /* say what they have stopped */

/* live.c: what a running sandbox is asked to change; sandbox_hooks.request. */
int run_on_request(void *ctx, const struct session_msg *m, int *fds, size_t n_fds,
	struct session_msg *answer, struct err *err);
/* Its published ports are open: into the log, and said where bawn has chosen one. */
void run_ports_ready(struct run *r);

/* run-audit.c: what of the plan and of the facts behind it stands in the log, once the agent runs.
 */
void run_audit_plan(struct run *r);
/* ... and what a scan did not look at, at the start or at the end. */
void run_audit_limits(struct run *r, const struct scan_result *s);

#endif
