/* cli/cmd-doctor.c - `bawn doctor [--json] [--apparmor]`: can this machine do what bawn needs?
 *
 * Owns: running the checks, each in a child, and showing them.  Must not: ask a version number
 * where the act itself can be tried; change anything that outlives a check.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/json-out.h"
#include "cli/admin.h"
#include "cli/doctor.h"

/* A check that takes longer is taken as failed. */
#define CHECK_MS 10000

static const struct doctor_check *const groups[] = {
	doctor_host_checks,
	doctor_ns_checks,
	doctor_net_checks,
	doctor_kernel_checks,
};

static const char *const state_names[] = {"ok", "warn", "fail"};

enum { OPT_JSON, OPT_APPARMOR, OPT_HELP };

static const struct option_row rows[] = {
	{"json", 0, NULL, "one JSON object", OPT_JSON},
	{"apparmor", 0, NULL, "print the AppArmor profile for this installation's executables",
		OPT_APPARMOR},
	{"help", 'h', NULL, "show this help", OPT_HELP},
	{0},
};

static const struct admin_help help = {
	.usage = "bawn doctor [--json|--apparmor]",
	.text = "Try everything that bawn needs of this machine, and say what to do where it "
		"fails.\n"
		"Exit status: 0 when a sandbox can be started, 1 when something required is "
		"missing.",
	.rows = rows,
	.examples = "  bawn doctor\n  bawn doctor --json\n",
};

#define SETTER(name, value)                                                                        \
	void doctor_##name(struct doctor_result *r, const char *fmt, ...)                          \
	{                                                                                          \
		va_list ap;                                                                        \
		va_start(ap, fmt);                                                                 \
		r->state = (value);                                                                \
		vsnprintf(r->detail, sizeof(r->detail), fmt, ap);                                  \
		va_end(ap);                                                                        \
	}
SETTER(ok, DOCTOR_OK)
SETTER(warn, DOCTOR_WARN)
SETTER(fail, DOCTOR_FAIL)

void doctor_remedy(struct doctor_result *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(r->remedy, sizeof(r->remedy), fmt, ap);
	va_end(ap);
}

_noreturn_ static void child(const struct doctor_check *c, int out)
{
	struct doctor_result r = {.state = DOCTOR_OK};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* so that a check that makes children takes them along when it is killed */
	setpgid(0, 0);
	c->fn(&r);
	_exit(fd_write_all(out, &r, sizeof(r)) < 0);
}

static void run_check(const struct doctor_check *c, struct doctor_result *ret)
{
	int p[2], status = 0;
	*ret = (struct doctor_result){0};
	if (pipe2(p, O_CLOEXEC) < 0) {
		doctor_fail(ret, "pipe: %s", strerror(errno));
		return;
	}
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		child(c, p[1]);
	close(p[1]);
	if (pid < 0) {
		doctor_fail(ret, "fork: %s", strerror(errno));
		close(p[0]);
		return;
	}
	struct pollfd pfd = {.fd = p[0], .events = POLLIN};
	int ready = poll(&pfd, 1, CHECK_MS);
	ssize_t n = ready == 1 ? fd_read_full(p[0], ret, sizeof(*ret)) : 0;
	close(p[0]);
	if (ready != 1) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
	}
	waitpid(pid, &status, 0);
	if (ready == 1 && n == sizeof(*ret))
		return;
	*ret = (struct doctor_result){0};
	if (ready != 1)
		doctor_fail(ret, "no answer within %d s", CHECK_MS / 1000);
	else if (WIFSIGNALED(status))
		doctor_fail(ret, "the check was killed: %s", strsignal(WTERMSIG(status)));
	else
		doctor_fail(ret, "the check ended without an answer");
}

static void show(const struct doctor_check *c, const struct doctor_result *r)
{
	static const char *const color[] = {"\033[32m", "\033[33m", "\033[31m"};
	char text[2048];
	bool tty = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	printf("%s%-4s%s  %-22s %s\n", tty ? color[r->state] : "", state_names[r->state],
		tty ? "\033[0m" : "", c->title, escape_text(text, sizeof(text), r->detail));
	if (r->remedy[0])
		printf("      %-22s -> %s\n", "", escape_text(text, sizeof(text), r->remedy));
}

static void put_json(
	struct json_out *j, const struct doctor_check *c, const struct doctor_result *r)
{
	json_begin(j, NULL, '{');
	json_str(j, "id", c->id);
	json_str(j, "title", c->title);
	json_str(j, "state", state_names[r->state]);
	json_str(j, "detail", r->detail);
	if (r->remedy[0])
		json_str(j, "remedy", r->remedy);
	json_end(j, '}');
}

/* Every check in turn.  How many failed. */
static int run_all(bool json)
{
	struct json_out j = {.pretty = true};
	int count[ARRAY_LEN(state_names)] = {0};
	bool no_userns = false;
	if (json) {
		json_begin(&j, NULL, '{');
		json_begin(&j, "checks", '[');
	}
	for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
		for (const struct doctor_check *c = groups[g]; c->id; c++) {
			struct doctor_result r = {.state = DOCTOR_FAIL};
			if (c->in_userns && no_userns)
				doctor_fail(&r, "not tried: there is no user namespace");
			else
				run_check(c, &r);
			no_userns |= r.state == DOCTOR_FAIL && streq(c->id, "userns");
			count[r.state]++;
			if (json)
				put_json(&j, c, &r);
			else
				show(c, &r);
		}
	}
	int failed = count[DOCTOR_FAIL];
	if (json) {
		json_end(&j, ']');
		json_bool(&j, "ok", failed == 0);
		json_end(&j, '}');
		puts(j.failed ? "{}" : j.buf);
		failed += j.failed;
		json_free(&j);
	} else if (failed) {
		printf("\n%d of %d checks failed: bawn can't keep its promises here.\n", failed,
			count[0] + count[1] + count[2]);
	} else {
		printf("\nbawn works here%s.\n",
			count[DOCTOR_WARN] ? ", with the warnings above" : "");
	}
	return failed;
}

struct asked {
	bool json, apparmor, help;
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct asked *o = ctx;
	(void)value;
	(void)err;
	if (id == OPT_JSON)
		o->json = true;
	else if (id == OPT_APPARMOR)
		o->apparmor = true;
	else
		o->help = true;
	return 0;
}

int cmd_doctor(int argc, char **argv)
{
	struct asked o = {0};
	struct option_split split;
	struct err err = {0};
	int r = options_parse(rows, argc, argv, option, &o, &split, &err);
	if (r == 0 && options_words(&split, argc, argv) > split.first) {
		err_hint(&err, "%s", help.usage);
		r = err_set(&err, EINVAL, "doctor takes no arguments");
	}
	if (r < 0)
		return admin_fail(&err);
	if (o.help)
		return admin_help(&help);
	if (o.apparmor)
		return doctor_print_apparmor();
	int failed = run_all(o.json);
	return admin_said(failed ? 1 : 0);
}
