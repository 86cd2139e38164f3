/* cli/cmd-loop.c - bawn loop: the same task again and again in one sandbox, each time as a fresh
 * session that is told its number and what the last one wrote.
 *
 * Each iteration is a whole `bawn run` of a sandbox that lasts, in this process.  Its output passes
 * through a child of ours (cli/tee.c), which keeps the end of what it writes to standard output:
 * that is the result the next one is told.  Nobody types to it: its standard input is empty, so
 * that Ctrl-C is ours, and ends the session and the loop.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/json-out.h"
#include "cli/command.h"
#include "run/lasting.h"
#include "run/signals.h"
#include "cli/tee.h"

#define MAX_DEFAULT 10
#define EXIT_MAX 123   /* the iterations are over, the target was not reached */
#define EXIT_REACHED 2 /* what a tool says with it: enough */

enum {
	OPT_TIMEOUT = 1000,
	OPT_RESULT,
	OPT_MAX,
	OPT_UNTIL,
	OPT_CHECKPOINT,
	OPT_LOOP_JSON,
	OPT_LOOP_HELP
};

static const struct option_row own_rows[] = {{"max", 0, "N", "at most N iterations (10)", OPT_MAX},
	{"until", 0, "COMMAND", "stop when COMMAND succeeds in the sandbox after an iteration",
		OPT_UNTIL},
	{"checkpoint", 0, NULL, "take a checkpoint before each iteration", OPT_CHECKPOINT},
	{"json", 0, NULL, "an object for each iteration on standard output", OPT_LOOP_JSON},
	{"timeout", 0, "DURATION", "how long one iteration may take: 30s, 10m, 1h", OPT_TIMEOUT},
	{"result", 0, "FILE", "describe the last iteration in FILE as JSON", OPT_RESULT},
	{"help", 'h', NULL, "show this help", OPT_LOOP_HELP}, {0}};

/* Options of run that make no sense here. */
static const char *const not_ours[] = {"rm", "detach", "detach-keys", "dry-run", "json", "timing",
	"clipboard", "help", "timeout", "result", NULL};

struct loop {
	int argc;
	char **argv;
	struct option_row rows[OPTIONS_MAX];
	uint64_t max;
	const char *until;
	bool checkpoint, json, help, quiet;
	struct tee_tail *tail;
	char name[SPEC_NAME_MAX + 1]; /* of the sandbox, once it is known */
	uint64_t n;                   /* this iteration, from 1 */
	char tag[128];                /* of the checkpoint before it; "": none */
};

struct parsing {
	struct loop *l;
	struct run *r;
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct parsing *p = ctx;
	char *end;
	switch (id) {
	case OPT_MAX:
		errno = 0;
		p->l->max = *value >= '1' && *value <= '9' ? strtoull(value, &end, 10) : 0;
		if (!p->l->max || *end || errno || p->l->max > 1000000)
			return err_set(err, EINVAL, "it is a number from 1 to 1000000");
		return 0;
	case OPT_UNTIL:
		p->l->until = value;
		return *value ? 0 : err_set(err, EINVAL, "which command?");
	case OPT_TIMEOUT:
		return run_option_set(p->r, "timeout", value, err);
	case OPT_RESULT:
		return run_option_set(p->r, "result", value, err);
	case OPT_CHECKPOINT:
		p->l->checkpoint = true;
		return 0;
	case OPT_LOOP_JSON:
		p->l->json = true;
		return 0;
	case OPT_LOOP_HELP:
		p->l->help = true;
		return 0;
	default:
		return run_option_row_set(p->r, id, value, err);
	}
}

static void help(void)
{
	printf("Usage: bawn loop [OPTIONS] PROFILE|NAME [PATH[:ro]...] -- ARGS...\n\n"
	       "Run the tool with ARGS again and again in one sandbox.  In ARGS {n} is the number "
	       "of\n"
	       "the iteration and {last} what the last one wrote; so are BAWN_ITERATION and\n"
	       "BAWN_LAST_RESULT in its environment.  Exit status 0 of the tool: go on; 2: "
	       "reached;\n"
	       "anything else: failed.\n\nOptions, and those of bawn run that concern the sandbox "
	       "or one session:\n");
	options_help(own_rows, stdout);
	printf("\nExamples:\n"
	       "  bawn loop --max 5 --until 'make check' codex -- exec \"Do the next task of "
	       "PLAN.md. Last: {last}\"\n"
	       "  bawn loop --until 'git diff --quiet' --checkpoint claude -- -p \"Commit a "
	       "part\"\n\n"
	       "Exit status: 0 reached; 123 not reached in --max iterations; else that of the\n"
	       "iteration that failed.  More: man bawn-loop\n");
}

/* What stands for {n} and {last} in one argument; "\{" stays a brace. */
static char *fill_in(struct arena *a, const char *s, const char *n, const char *last)
{
	const size_t most = strlen(s) * (MAX(strlen(last), strlen(n)) + 1) / 3 + strlen(s) + 1;
	char *out = arena_alloc(a, most), *to = out;
	while (out && *s) {
		const char *put = has_prefix(s, "{n}") ? n : has_prefix(s, "{last}") ? last : NULL;
		if (put) {
			to = stpcpy(to, put);
			s = strchr(s, '}') + 1;
			continue;
		}
		if (s[0] == '\\' && (has_prefix(s + 1, "{n}") || has_prefix(s + 1, "{last}")))
			s++;
		*to++ = *s++;
	}
	return out;
}

/* The command line once more, for this iteration. */
static int parse(struct loop *l, struct run *r, struct err *err)
{
	struct option_split split;
	struct parsing p = {.l = l, .r = r};
	char number[24];
	char **argv = arena_alloc(&r->arena, ((size_t)l->argc + 1) * sizeof(*argv));
	if (!argv)
		return err_set(err, ENOMEM, "out of memory");
	memcpy(argv, l->argv, (size_t)l->argc * sizeof(*argv));
	int k = options_parse(l->rows, l->argc, argv, option, &p, &split, err);
	if (k < 0 || l->help)
		return k;
	if ((split.first == split.end && !r->opt.name) || split.rest >= l->argc) {
		err_hint(err, "bawn loop [OPTIONS] PROFILE|NAME -- ARGS...");
		return err_set(err, EINVAL, "%s",
			split.rest >= l->argc ? "what is it to do? ARGS are missing"
					      : "which profile or sandbox?");
	}
	l->quiet = r->opt.verbosity < 0;
	r->opt.profile = split.first < split.end ? path_of_word(&r->arena, argv[split.first])
						 : NULL;
	for (int i = split.first + 1; i < split.end; i++)
		strv_add(&r->arena, &r->opt.paths, argv[i]);
	snprintf(number, sizeof(number), "%" PRIu64, l->n);
	for (int i = split.rest; i < l->argc; i++)
		strv_push(&r->arena, &r->opt.args,
			fill_in(&r->arena, argv[i], number, l->tail->text));
	strv_env_set(&r->arena, &r->opt.env, "BAWN_ITERATION", number);
	strv_env_set(&r->arena, &r->opt.env, "BAWN_LAST_RESULT", l->tail->text);
	return arena_check(&r->arena, err);
}

/* ---- one iteration ---- */

/* One session with its output through the tee; the exit code. */
static int session(struct loop *l, struct run *r, struct tee_tail *tail, struct err *err,
	int (*enter)(struct run *r, struct err *err))
{
	struct tee t;
	if (tee_begin(&t, l->json ? STDERR_FILENO : STDOUT_FILENO, tail, err) < 0)
		return 125;
	int code = enter(r, err);
	fflush(NULL);
	tee_end(&t);
	return code;
}

/* A word of the loop's own; -q keeps it quiet as it does bawn run. */
static void say_account(const struct loop *l, const struct run *r, int code)
{
	const struct run_result *u = &r->result;
	run_message(r,
		"iteration %" PRIu64 "%s%s: exit %d, %" PRIu64 ".%" PRIu64 " s, %" PRIu64
		" denied, %" PRIu64 " file%s changed",
		l->n, *l->tag ? " after checkpoint " : "", l->tag, code, u->ms / 1000,
		u->ms / 100 % 10, u->denials, u->changed, u->changed == 1 ? "" : "s");
}

static void print_json(const struct loop *l, const struct run *r, int code, const char *outcome)
{
	const struct run_result *u = &r->result;
	struct json_out j = {0};
	json_begin(&j, NULL, '{');
	json_int(&j, "iteration", (int64_t)l->n);
	json_str(&j, "sandbox", l->name);
	json_str(&j, "checkpoint", *l->tag ? l->tag : NULL);
	json_int(&j, "exit", code);
	json_str(&j, "outcome", outcome);
	json_int(&j, "duration_ms", (int64_t)u->ms);
	json_int(&j, "cpu_ms", (int64_t)((u->user_us + u->system_us) / 1000));
	json_int(&j, "denials", (int64_t)u->denials);
	json_int(&j, "files_changed", (int64_t)u->changed);
	json_str(&j, "result", l->tail->text);
	json_end(&j, '}');
	if (!j.failed)
		puts(j.buf);
	fflush(stdout);
	json_free(&j);
}

/* What `bawn checkpoint NAME` does, in a process of its own, whose output is the tag. */
static int take_checkpoint(struct loop *l, struct err *err)
{
	static char word[] = "checkpoint";
	char *argv[] = {word, l->name, NULL};
	int out[2], status = 0;
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		int code = cmd_checkpoint(2, argv);
		fflush(NULL);
		_exit(code);
	}
	close(out[1]);
	ssize_t n = pid > 0 ? fd_read_full(out[0], l->tag, sizeof(l->tag) - 1) : -1;
	close(out[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	l->tag[MAX(n, (ssize_t)0)] = '\0';
	l->tag[strcspn(l->tag, "\n")] = '\0';
	/* it has said why */
	return n > 0 && status == 0 ? 0 : err_set(err, ECANCELED, "%s", "");
}

/* Of the sandbox that there is: before the first iteration there may be none, nor anything to keep.
 */
static int checkpoint(struct loop *l, struct err *err)
{
	struct run r;
	bool fresh = false;
	run_init(&r, l->argc, l->argv);
	int k = l->name[0] ? 0 : parse(l, &r, err);
	if (k == 0 && !l->name[0])
		k = run_begin(&r, err);
	if (k == 0 && !l->name[0])
		k = lasting_find(&r, &fresh, err);
	if (k == 0 && !l->name[0] && !fresh)
		snprintf(l->name, sizeof(l->name), "%s", r.spec.name);
	run_release(&r, 0);
	l->tag[0] = '\0';
	return k == 0 && !fresh ? take_checkpoint(l, err) : k;
}

static int enter_until(struct run *r, struct err *err)
{
	bool fresh;
	int k = lasting_find(r, &fresh, err);
	return k < 0 ? 125 : lasting_enter(r, err);
}

/* Does COMMAND succeed?  1, 0, or -1 where it could not be asked, with all said. */
static int check_until(struct loop *l, int *ret_signal)
{
	struct run r;
	struct err err = {0};
	run_init(&r, 0, NULL);
	r.opt.name = l->name;
	r.opt.verbosity = -1;
	r.result.iteration = l->n; /* Ctrl-C ends it */
	strv_add(&r.arena, &r.command, "/bin/sh");
	strv_add(&r.arena, &r.command, "-c");
	strv_add(&r.arena, &r.command, l->until);
	int code = run_begin(&r, &err) < 0 ? 125 : session(l, &r, NULL, &err, enter_until);
	*ret_signal = r.result.signal;
	bool failed = err.code && code == 125;
	run_finish(&r, code, failed ? &err : &(struct err){0});
	return failed ? -1 : code == 0;
}

enum outcome { GO_ON, REACHED, FAILED, STOPPED };

/* What the end of an iteration means, --until included. */
static enum outcome judge(struct loop *l, int code, int *signal)
{
	if (!*signal)
		*signal = signals_end(); /* between two sessions nobody took it */
	if (*signal)
		return STOPPED;
	if (code == EXIT_REACHED)
		return REACHED;
	if (code != 0)
		return FAILED;
	if (!l->until)
		return GO_ON;
	int met = check_until(l, signal);
	return *signal ? STOPPED : met < 0 ? FAILED : met ? REACHED : GO_ON;
}

static enum outcome iterate(struct loop *l, int *ret_code)
{
	static const char *const words[] = {"continue", "reached", "failed", "stopped"};
	struct run r;
	struct err err = {0};
	enum outcome what = FAILED;
	run_init(&r, l->argc, l->argv);
	*ret_code = 125;
	int k = parse(l, &r, &err);
	if (k == 0)
		k = run_begin(&r, &err);
	if (k == 0)
		k = run_result_open(&r, &err);
	if (k == 0 && l->checkpoint)
		k = checkpoint(l, &err);
	if (k == 0) {
		r.result.wanted = true;
		r.result.iteration = l->n;
		run_result_start(&r);
		*ret_code = session(l, &r, l->tail, &err, lasting_run);
		run_result_end(&r, *ret_code, &err);
		if (r.spec.name)
			snprintf(l->name, sizeof(l->name), "%s", r.spec.name);
		int signal = r.result.signal;
		if (!err.code)
			say_account(l, &r, *ret_code);
		what = err.code && !signal ? FAILED : judge(l, *ret_code, &signal);
		if (what == STOPPED)
			*ret_code = 128 + signal;
		else if (what == FAILED && *ret_code == 0)
			*ret_code = 125; /* --until could not be asked */
		if (l->json && l->name[0])
			print_json(l, &r, *ret_code, words[what]);
	}
	run_finish(&r, *ret_code, &err);
	/* the supervisor of a sandbox that has stopped was a child of ours */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return what;
}

static int run_loop(struct loop *l)
{
	static const char *const words[] = {"not reached", "reached", "failed", "stopped"};
	enum outcome what = GO_ON;
	int code = 0;
	for (l->n = 1; what == GO_ON && l->n <= l->max; l->n++)
		what = iterate(l, &code);
	if (what == GO_ON)
		code = EXIT_MAX;
	else if (what == REACHED)
		code = 0;
	/* where there is no sandbox yet, the error has said all */
	if (!l->quiet && l->name[0])
		fprintf(stderr, "bawn: %s in %s%" PRIu64 "%s\n", words[what],
			what == GO_ON ? "" : "iteration ", l->n - 1,
			what == GO_ON ? " iterations (--max)" : "");
	return code;
}

/* Wrong options are said before anything is done. */
static int first_look(struct loop *l, struct err *err)
{
	struct run r;
	run_init(&r, l->argc, l->argv);
	int k = parse(l, &r, err);
	if (k == 0 && !l->help)
		k = run_refuse_nested(err);
	run_release(&r, 0);
	return k;
}

int cmd_loop(int argc, char **argv)
{
	struct err err = {0};
	struct loop l = {.argc = argc, .argv = argv, .max = MAX_DEFAULT, .n = 1};
	run_option_rows_beside(own_rows, not_ours, l.rows, OPTIONS_MAX);
	l.tail = tee_tail_new(&err);
	if (!l.tail || first_look(&l, &err) < 0)
		return run_fail(&err, 125);
	if (l.help) {
		help();
		return 0;
	}
	signals_hold();
	_cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0) {
		err_sys(&err, errno, "/dev/null");
		return run_fail(&err, 125);
	}
	return run_loop(&l);
}
