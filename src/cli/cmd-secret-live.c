/* cli/cmd-secret-live.c - bawn secret, as far as it concerns sandboxes that run: what was set or
 * removed counts there from the next connection.
 *
 * The rest is bawn-admin's (cmd-secret.c), which knows policies.  No secret passes through here.
 */
#include <signal.h>

#include "base/path.h"
#include "base/proc.h"
#include "cli/command.h"
#include "run/run.h"

extern char **environ;

/* bawn-admin, with the same words, environment, terminal; its exit code. */
static int call_admin(struct run *r, char **argv, int *ret_status, struct err *err)
{
	static char name[] = "bawn-admin";
	const int fds[] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
	size_t n = 0;
	while (argv[n])
		n++;
	char **args = arena_alloc(&r->arena, (n + 2) * sizeof(*args));
	if (!args)
		return err_set(err, ENOMEM, "out of memory");
	args[0] = name;
	memcpy(args + 1, argv, n * sizeof(*args));
	return run_admin(r, args, environ, fds, ret_status, err);
}

static bool changes(int argc, char **argv)
{
	static const char *const verbs[] = {"set", "rm", "import"};
	bool found = false;
	for (int i = 1; i < argc; i++) {
		if (streq(argv[i], "--help") || streq(argv[i], "-h"))
			return false;
		for (size_t k = 0; k < ARRAY_LEN(verbs); k++)
			found |= streq(argv[i], verbs[k]);
	}
	return found;
}

int cmd_secret(int argc, char **argv)
{
	struct err err = {0};
	struct run r;
	int status = 0;
	if (!changes(argc, argv))
		return command_admin(argv);
	run_init(&r, argc, argv);
	int k = run_refuse_nested(&err);
	if (k == 0)
		k = run_begin(&r, &err);
	if (k == 0) {
		/* At the terminal they are the child's, which puts its settings back. */
		signal(SIGINT, SIG_IGN);
		signal(SIGQUIT, SIG_IGN);
		k = call_admin(&r, argv, &status, &err);
		signal(SIGINT, SIG_DFL);
		signal(SIGQUIT, SIG_DFL);
	}
	if (k == 0 && status == 0)
		k = policy_reload_all(&r, false, &err);
	return run_finish(&r, k < 0 ? 125 : MAX(k, status), &err);
}
