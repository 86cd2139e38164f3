/* probe.c - one attack on the sandbox from inside: probe NAME [ARGS...]; probe --list
 *
 * Prints "NAME: ERRNO detail" when it was refused (exit 0) or "NAME: ok detail" when it worked
 * (exit 1); exit 2 for wrong usage.
 */
#include "probe.h"

#include <stdarg.h>
#include <sys/wait.h>

char probe_detail[256];

static const struct probe *const classes[] = {probes_sec, probes_ns, probes_mnt, probes_net,
	probes_fs, probes_proc, probes_term, probes_ipc, probes_res};

void probe_say(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(probe_detail, sizeof(probe_detail), fmt, ap);
	va_end(ap);
}

int probe_call(const struct probe *p, char **argv)
{
	(void)argv;
	const long *a = p->arg;
	long r = syscall(p->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	return p->reached ? reached(r, p->reached) : result(r);
}

int probe_in_child(int (*fn)(void *ctx), void *ctx)
{
	int pipefd[2];
	struct {
		int r;
		char detail[sizeof(probe_detail)];
	} m = {.r = ECHILD};
	if (pipe(pipefd) < 0)
		return errno;
	pid_t pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0) {
		m.r = fn(ctx);
		memcpy(m.detail, probe_detail, sizeof(m.detail));
		_exit(write(pipefd[1], &m, sizeof(m)) == sizeof(m) ? 0 : 1);
	}
	close(pipefd[1]);
	if (read(pipefd[0], &m, sizeof(m)) == sizeof(m))
		memcpy(probe_detail, m.detail, sizeof(m.detail));
	close(pipefd[0]);
	waitpid(pid, NULL, 0);
	return m.r;
}

static const struct probe *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		for (const struct probe *p = classes[i]; p->name; p++)
			if (streq(p->name, name))
				return p;
	return NULL;
}

static int list(void)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		for (const struct probe *p = classes[i]; p->name; p++)
			printf("%s %s%s%s\n", p->id, p->name, p->args ? " " : "",
				p->args ? p->args : "");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && streq(argv[1], "--list"))
		return list();
	const struct probe *p = argc > 1 ? find(argv[1]) : NULL;
	size_t want = 0, max = 0;
	for (const char *a = p && p->args ? p->args : ""; *a; a++)
		if (a[0] != '[' && (a == p->args || a[-1] == ' '))
			want++, max++;
		else if (a[0] == '[')
			max++;
	size_t have = argc > 2 ? (size_t)argc - 2 : 0;
	if (!p || have < want || have > max) {
		fprintf(stderr, "usage: probe --list | probe %s %s\n", p ? p->name : "NAME",
			p && p->args ? p->args : (p ? "" : "[ARGS...]"));
		return 2;
	}
	int e = p->run(p, argv + 2);
	printf("%s: %s%s%s\n", p->name, e ? strerrorname_np(e) : "ok", *probe_detail ? " " : "",
		probe_detail);
	return e ? 0 : 1;
}
