/* sudo/sudo-main.c - bawn-sudo, the sudo and su of a sandbox with an image's root.
 *
 * Runs inside, as whatever the agent starts, and has no rights of its own: root is an emulation
 * that pid 1 puts on (plan/sudo.h), for whoever asks.  There is no password and nothing is
 * forbidden.  What is not root is the sandbox's one user, under whatever name.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/file.h"
#include "sudo/sudo-args.h"
#include "sudo/sudo-client.h"
#include "sudo/sudo-env.h"

#define FAILED 1 /* sudo's own, whatever went wrong */
#define PASSWD_MAX ((size_t)4 << 20)

static const char usage[] =
	"Usage: sudo [-EHbn] [-D DIR] [-u USER] [VAR=VALUE] [--] COMMAND...\n"
	"       sudo [-EHbn] [-u USER] -s|-i [COMMAND...]\n"
	"       sudo -l|-v|-k|-K\n"
	"       su [-lmp] [-s SHELL] [-c COMMAND] [-] [USER [ARGUMENT...]]\n\n"
	"Run a command as root (by emulation: all files here are one user's), or as the\n"
	"sandbox's user under the name USER.  No password is asked for.  See bawn-sudo(1).\n";

static const char *me = "sudo";

static int complain(const char *what)
{
	fprintf(stderr, "%s: %s\n", me, what);
	return FAILED;
}

struct caller {
	struct arena arena;
	char *passwd;
	struct sudo_user user; /* who the sandbox's user is */
	bool root;             /* we are under the emulation already */
};

static void know_caller(struct caller *c)
{
	uid_t uid, euid, suid;
	gid_t gid, egid, sgid;
	c->passwd = NULL;
	if (file_read(&c->arena, AT_FDCWD, "/etc/passwd", PASSWD_MAX, &c->passwd, NULL) < 0)
		c->passwd = arena_dup(&c->arena, "");
	c->root = geteuid() == 0;
	/* these tell the truth also under the emulation */
	if (getresuid(&uid, &euid, &suid) < 0 || getresgid(&gid, &egid, &sgid) < 0)
		uid = gid = (uid_t)-1;
	if (!c->passwd || sudo_user_of(&c->arena, c->passwd, uid, &c->user) < 0)
		c->user = (struct sudo_user){
			.name = "agent", .home = "/", .shell = "/bin/sh", .uid = uid, .gid = gid};
}

static int find_user(struct caller *c, const char *who, struct sudo_user *ret)
{
	if (c->passwd && sudo_user_find(&c->arena, c->passwd, who, ret) == 0)
		return 0;
	if (!streq(who, "root") && !streq(who, "#0"))
		return -ENOENT;
	*ret = (struct sudo_user){.name = "root", .home = "/root", .shell = "/bin/sh"};
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* The shell that is to run, or NULL. */
static const char *pick_shell(
	const struct sudo_args *s, const struct caller *c, const struct sudo_user *to)
{
	const char *own = getenv("SHELL");
	if (s->shell)
		return s->shell;
	if (s->login || (s->su && !s->preserve))
		return to->shell;
	if (!s->with_shell)
		return NULL;
	return own && *own ? own : c->user.shell;
}

/* The words of the command: its own, or a shell's. */
static int make_command(struct caller *c, const struct sudo_args *s, const struct sudo_user *to,
	const char *shell, struct sudo_command *ret)
{
	struct arena *a = &c->arena;
	if (!shell) {
		ret->exe = s->command.v[0];
		ret->argv = s->command;
	} else {
		ret->exe = shell;
		strv_addf(a, &ret->argv, "%s%s", s->login ? "-" : "", base_name(shell));
		if (!s->su && s->command.n) {
			strv_add(a, &ret->argv, "-c");
			strv_push(a, &ret->argv, sudo_args_quote(a, &s->command));
		}
		for (size_t i = 0; s->su && i < s->command.n; i++)
			strv_push(a, &ret->argv, s->command.v[i]);
	}
	ret->root = to->uid == 0;
	ret->detach = s->background;
	mode_t mask = umask(0);
	umask(mask);
	ret->umask = mask | (s->su ? 0u : 0022u);
	return sudo_env(a, environ, s, to, &c->user, shell, &ret->env);
}

static int go_to(const struct sudo_args *s, const struct sudo_user *to)
{
	const char *dir = s->login ? to->home : s->dir;
	if (!dir || chdir(dir) == 0)
		return 0;
	fprintf(stderr, "%s: unable to change directory to %s: %s\n", me, dir, strerror(errno));
	return s->login ? 0 : -errno; /* a home need not be there */
}

/* Nothing to change but the variables. */
static int run_here(const struct sudo_command *c)
{
	if (c->detach) {
		pid_t pid = fork();
		if (pid)
			return pid < 0 ? complain("no process could be started") : 0;
		setsid();
	}
	umask((mode_t)c->umask);
	if (strchr(c->exe, '/')) {
		execve(c->exe, c->argv.v, c->env.v);
	} else {
		const char *path = strv_env_get(&c->env, "PATH");
		setenv("PATH", path ? path : SUDO_PATH, 1);
		execvpe(c->exe, c->argv.v, c->env.v);
	}
	return -errno;
}

static int cannot_run(const struct sudo_command *c, int error, const char *why)
{
	if (error == ENOENT && !strchr(c->exe, '/'))
		fprintf(stderr, "%s: %s: command not found\n", me, c->exe);
	else if (why)
		fprintf(stderr, "%s: %s\n", me, why);
	else
		fprintf(stderr, "%s: unable to execute %s: %s\n", me, c->exe, strerror(error));
	return FAILED;
}

/* End as it has. */
static int end_as(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	sigset_t none;
	sigemptyset(&none);
	signal(WTERMSIG(status), SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

static int run(struct caller *c, const struct sudo_args *s)
{
	struct sudo_user to;
	struct sudo_command cmd = {0};
	struct err err = {0};
	const char *who = s->user ? s->user : "root";
	if (find_user(c, who, &to) < 0) {
		fprintf(stderr, s->su ? "%s: user %s does not exist\n" : "%s: unknown user: %s\n",
			me, who);
		return FAILED;
	}
	if (make_command(c, s, &to, pick_shell(s, c, &to), &cmd) < 0)
		return complain("out of memory");
	if (go_to(s, &to) < 0)
		return FAILED;
	if (cmd.root == c->root) {
		int r = run_here(&cmd);
		return r < 0 ? cannot_run(&cmd, -r, NULL) : r;
	}
	int status = 0;
	int r = sudo_client_run(&cmd, &status, &err);
	if (r == -ENOTCONN) {
		complain("nothing can be root in a sandbox with the host's root");
		return complain("start it from a template: bawn run --template REF ...");
	}
	return r < 0 ? cannot_run(&cmd, -r, err.msg) : end_as(status);
}

static int list(struct caller *c, const struct sudo_args *s)
{
	char host[128] = "";
	gethostname(host, sizeof(host) - 1);
	if (s->command.n)
		printf("%s\n", s->command.v[0]);
	else
		printf("User %s may run the following commands on %s:\n    (ALL : ALL) NOPASSWD: "
		       "ALL\n",
			c->root ? "root" : c->user.name, host);
	return fflush(stdout) ? FAILED : 0;
}

int main(int argc, char **argv)
{
	struct caller c = {0};
	struct sudo_args s;
	struct err err = {0};
	bool su = argc > 0 && streq(base_name(argv[0]), "su");
	if (fd_fix_stdio(&err) < 0)
		return complain(err.msg);
	me = su ? "su" : "sudo";
	int r = su ? sudo_args_su(&c.arena, argc, argv, &s, &err)
		   : sudo_args_sudo(&c.arena, argc, argv, &s, &err);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n%s", me, err.msg, usage);
		return FAILED;
	}
	know_caller(&c);
	switch (s.mode) {
	case SUDO_HELP:
		return fputs(usage, stdout) < 0 || fflush(stdout) ? FAILED : 0;
	case SUDO_VERSION:
		return printf("%s (bawn) %s\n", me, PACKAGE_VERSION) < 0 || fflush(stdout) ? FAILED
											   : 0;
	case SUDO_VALIDATE:
		return 0;
	case SUDO_LIST:
		return list(&c, &s);
	default:
		return run(&c, &s);
	}
}
