/* init/init-sessions.c - pid 1: reaping, and the programs that the supervisor asks for.
 *
 * Whatever is started here has the same walls as the first agent: pid 1 gave everything up before
 * it, and there is nothing to set again.  The supervisor is our user's own process outside; its
 * messages are obeyed, malformed ones end the sandbox.
 */
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "init/init.h"
#include "plan/wire-exec.h"

#define MAX_SESSIONS 64
#define REAP_BATCH 256
#define STOP_MS 500 /* the supervisor waits two seconds */

static struct session {
	uint32_t id;
	int pid;           /* 0: free */
	bool begins;       /* it has not become its program yet, and outcome says when */
	bool failed;       /* it never will; said */
	int outcome;       /* agent_fork()'s */
	int master;        /* of its pty, for the supervisor; -1: none */
	struct cpu others; /* of others when it began */
} sessions[MAX_SESSIONS];
/* Processor time of what was reaped besides the sessions' own programs: what a program left behind
 * comes to us.  It counts for whichever sessions there were meanwhile. */
static struct cpu others;
/* While the supervisor holds everything stopped, a stop is not the agent's own. */
static bool frozen;
static bool lasting;
static bool sudo; /* other identities than the user's can be had */
static bool more_to_reap;

static struct session *session_of_pid(int pid)
{
	for (size_t i = 0; i < MAX_SESSIONS; i++)
		if (sessions[i].pid == pid)
			return &sessions[i];
	return NULL;
}

static struct session *session_of_id(uint32_t id)
{
	for (size_t i = 0; i < MAX_SESSIONS; i++)
		if (sessions[i].pid && sessions[i].id == id)
			return &sessions[i];
	return NULL;
}

/* Nothing but us is left when this returns.  Whoever runs here descends from us, and is our child
 * once its parents are gone: without a child there is nobody, and no need to have the kernel look
 * at every process of the machine for whom the signal is. */
static void kill_all(void)
{
	if (waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD)
		return;
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

/* ---- starting another ---- */

struct command {
	void *map;
	size_t n;
	struct wire_exec w;
	int fds[4]; /* memfd, then those of 0-2 that come along */
	size_t n_fds;
	struct pty pty;
};

static void command_release(struct command *c)
{
	wire_exec_free(&c->w);
	if (c->map)
		munmap(c->map, c->n); /* it has the agent's environment in it */
	for (size_t i = 0; i < c->n_fds; i++)
		close(c->fds[i]);
	if (c->pty.master >= 0)
		close(c->pty.master);
	if (c->pty.slave >= 0)
		close(c->pty.slave);
}

static int command_read(struct command *c, struct err *err)
{
	struct stat st;
	if (c->n_fds == 0 || fstat(c->fds[0], &st) < 0)
		return err_set(err, EBADMSG, "no command came along");
	c->n = (size_t)st.st_size;
	c->map = mmap(NULL, c->n, PROT_READ, MAP_PRIVATE, c->fds[0], 0);
	if (c->map == MAP_FAILED) {
		c->map = NULL;
		return err_sys(err, errno, "map the command");
	}
	return wire_exec_read(c->map, c->n, &c->w, err);
}

/* Its pid; *ret_outcome: see agent_fork(). */
static int command_start(struct command *c, int *ret_outcome, struct err *err)
{
	struct agent a = {.slave = -1, .leads = true, .fds = {-1, -1, -1}};
	int r = command_read(c, err);
	if (r == 0 && c->w.head.tty_fds)
		r = agent_open_pty(c->w.head.rows, c->w.head.cols, &c->pty, err);
	if (r < 0)
		return r;
	if (c->w.head.as_root && !sudo) {
		err_hint(err, "start it from a template: bawn run --template REF ...");
		return err_set(err, EPERM, "nothing can be root in a sandbox with the host's root");
	}
	a.identity = !sudo ? IDENTITY_ONLY : c->w.head.as_root ? IDENTITY_ROOT : IDENTITY_USER;
	a.owners = a.identity == IDENTITY_ROOT ? owner_post() : -1;
	size_t next = 1;
	for (int fd = 0; fd < 3; fd++)
		if (!(c->w.head.tty_fds >> fd & 1) && next < c->n_fds)
			a.fds[fd] = c->fds[next++];
	a.cwd = c->w.cwd;
	a.exe = c->w.exe;
	a.argv = c->w.argv;
	a.env = c->w.env;
	a.tty_fds = c->w.head.tty_fds;
	a.umask = (mode_t)(c->w.head.umask & 0777);
	a.slave = c->pty.slave;
	return agent_fork(&a, ret_outcome, err);
}

/* Nothing here waits for it: a process inside may have stopped it on its way to its program. */
static void start_session(uint32_t id, const int *fds, size_t n_fds)
{
	struct err err = {0};
	struct command c = {.pty = {.master = -1, .slave = -1}, .n_fds = n_fds};
	int outcome = -1;
	memcpy(c.fds, fds, n_fds * sizeof(*fds));
	struct session *s = session_of_pid(0);
	int pid = s ? command_start(&c, &outcome, &err)
		    : err_set(&err, EAGAIN, "too many sessions (at most %d)", MAX_SESSIONS);
	if (pid < 0)
		report_failed(id, &err);
	else
		*s = (struct session){.id = id,
			.pid = pid,
			.begins = true,
			.outcome = outcome,
			.master = TAKE_FD(c.pty.master),
			.others = others};
	command_release(&c);
}

/* It runs, or it never will. */
static void session_begun(struct session *s)
{
	struct err err = {0};
	s->failed = fd_read_full(s->outcome, &err, sizeof(err)) == (ssize_t)sizeof(err);
	s->begins = false;
	close(s->outcome);
	if (s->failed)
		report_failed(s->id, &err);
	else
		report_session(CONTROL_STARTED, s->id, s->pid, s->master);
	if (s->master >= 0)
		close(TAKE_FD(s->master));
}

/* ---- standing still ---- */

/* Is the thread that this "stat" of /proc is of stopped, or at its end? */
static bool stopped(int dir, const char *thread)
{
	char path[64], text[512];
	snprintf(path, sizeof(path), "%.20s/stat", thread);
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return true; /* gone */
	text[n] = '\0';
	/* its name may hold anything, but what is behind the last parenthesis is the kernel's */
	const char *end = strrchr(text, ')');
	return end && end[1] && strchr("TtZX", end[2]);
}

/* Every numeric entry of the directory but pid 1, until one fails. */
static bool each_number(const char *path, bool (*fn)(int dir, const char *name))
{
	DIR *d = opendir(path);
	struct dirent *de;
	bool ok = d || errno == ENOENT; /* what can't be looked at has not stopped */
	while (d && ok && (de = readdir(d)))
		if (de->d_name[0] >= '1' && de->d_name[0] <= '9' && !streq(de->d_name, "1"))
			ok = fn(dirfd(d), de->d_name);
	if (d)
		closedir(d);
	return ok;
}

static bool all_threads(int proc, const char *pid)
{
	char path[64];
	(void)proc;
	snprintf(path, sizeof(path), "/proc/%.20s/task", pid);
	return each_number(path, stopped);
}

static long now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A signal that stops is only heard on the way out of the kernel: until then a call goes on, a long
 * write among them.  Whoever is still in there after that time waits for something, or for a child
 * of its that was stopped between vfork() and exec. */
static void stop_all(void)
{
	long until = now_ms() + STOP_MS;
	kill(-1, SIGSTOP);
	/* Where a thousand want the processor, what we use of it now we lack the next time. */
	for (int i = 0; !each_number("/proc", all_threads) && now_ms() < until; i++) {
		poll(NULL, 0, i < 3 ? 0 : MIN(1 << (i - 3) / 2, 16));
		kill(-1, SIGSTOP); /* whoever was on its way to wake the others has woken them */
	}
}

/* ---- published ports ---- */

/* A socket on its way to a server inside.  Only the kernel works on it, and not for long: nothing
 * here waits, and no byte of it is ever read by this process. */
static int connect_begin(int value)
{
	const uint16_t port = htons((uint16_t)value);
	const bool v6 = value & CONTROL_CONNECT_V6;
	const struct sockaddr_in a4 = {
		.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct sockaddr_in6 a6 = {
		.sin6_family = AF_INET6, .sin6_port = port, .sin6_addr = in6addr_loopback};
	_cleanup_close_ int fd = socket(
		v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = v6 ? connect(fd, (const struct sockaddr *)&a6, sizeof(a6))
		   : connect(fd, (const struct sockaddr *)&a4, sizeof(a4));
	return r < 0 && errno != EINPROGRESS ? -errno : TAKE_FD(fd);
}

static void connect_inside(uint32_t id, int value)
{
	_cleanup_close_ int fd = connect_begin(value);
	report_session(CONTROL_CONNECTED, id, fd < 0 ? -fd : 0, fd < 0 ? -1 : fd);
}

/* ---- messages ---- */

static void signal_session(uint32_t id, int sig)
{
	const struct session *s = session_of_id(id);
	if (!s || sig <= 0 || sig >= NSIG)
		return;
	if (frozen && sig == SIGCONT)
		return; /* it goes on with all the others */
	/* its whole group was stopped with it, and goes with it where nobody asks any more */
	if (sig == SIGCONT || sig == SIGKILL)
		kill(-s->pid, sig);
	if (sig != SIGCONT) /* which may lead no group yet */
		kill(s->pid, sig);
}

static void handle_message(const struct control_msg *m, const int *fds, size_t n_fds)
{
	switch (m->kind) {
	case CONTROL_SIGNAL:
		signal_session(m->session, m->value);
		break;
	case CONTROL_FREEZE:
		frozen = m->value != 0;
		if (frozen)
			stop_all();
		else
			kill(-1, SIGCONT);
		report_send(CONTROL_FROZEN, m->value, -1);
		break;
	case CONTROL_EXEC:
		if (!lasting)
			_exit(125);
		start_session(m->session, fds, n_fds);
		break;
	case CONTROL_CONNECT:
		connect_inside(m->session, m->value);
		break;
	case CONTROL_END:
		kill_all();
		report_send(CONTROL_ENDED, 0, -1);
		_exit(0);
	default:
		_exit(125);
	}
}

static void add_cpu(struct cpu *c, const struct rusage *ru)
{
	c->user_us += (uint64_t)ru->ru_utime.tv_sec * 1000000u + (uint64_t)ru->ru_utime.tv_usec;
	c->system_us += (uint64_t)ru->ru_stime.tv_sec * 1000000u + (uint64_t)ru->ru_stime.tv_usec;
}

/* ru: of its program and of what that waited for */
static void session_ended(struct session *s, int code, const struct rusage *ru)
{
	uint32_t id = s->id;
	struct cpu used = {.user_us = others.user_us - s->others.user_us,
		.system_us = others.system_us - s->others.system_us};
	struct rusage all;
	add_cpu(&used, ru);
	s->pid = 0;
	/* Whoever it left behind goes first: EXITED says that nothing runs any more, and the
	 * supervisor accounts while the kernel takes the namespaces down. */
	if (!lasting) {
		kill_all();
		used = (struct cpu){0};
		if (getrusage(RUSAGE_CHILDREN, &all) == 0)
			add_cpu(&used, &all);
	}
	report_exited(id, code, &used);
	if (!lasting)
		_exit(0);
}

static void session_changed(struct session *s, int st, const struct rusage *ru)
{
	if (WIFSTOPPED(st)) {
		/* Nobody asked for that yet: whoever did it is inside. */
		if (!frozen && s->begins)
			kill(s->pid, SIGCONT);
		else if (!frozen)
			report_session(CONTROL_STOPPED, s->id, WSTOPSIG(st), -1);
		return;
	}
	if (s->begins)
		session_begun(s);
	if (s->failed)
		s->pid = 0;
	else
		session_ended(s, WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st), ru);
}

static void reap(void)
{
	int st;
	pid_t pid;
	struct rusage ru;
	/* No more than that at once: the supervisor has to be heard, however fast they come. */
	for (int i = 0; i < REAP_BATCH; i++) {
		pid = wait4(-1, &st, WNOHANG | WUNTRACED, &ru);
		if (pid <= 0)
			return;
		struct session *s = session_of_pid(pid);
		if (s)
			session_changed(s, st, &ru);
		else if (!WIFSTOPPED(st))
			add_cpu(&others, &ru);
	}
	more_to_reap = true;
}

void sessions_wait(int first, bool stay, bool with_sudo)
{
	sigset_t chld;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	int sfd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sfd < 0)
		_exit(125);
	lasting = stay;
	sudo = with_sudo;
	sessions[0] = (struct session){.id = 0, .pid = first, .outcome = -1, .master = -1};
	struct pollfd p[2 + MAX_SESSIONS] = {
		{.fd = sfd, .events = POLLIN}, {.fd = INIT_FD_CONTROL, .events = POLLIN}};
	struct session *of[2 + MAX_SESSIONS];
	for (;;) {
		more_to_reap = false;
		reap();
		/* those that begin alone: poll(2) takes no more than the limit of open files */
		nfds_t n = 2;
		for (size_t i = 0; i < MAX_SESSIONS; i++) {
			if (!sessions[i].begins)
				continue;
			of[n] = &sessions[i];
			p[n++] = (struct pollfd){.fd = sessions[i].outcome, .events = POLLIN};
		}
		if (poll(p, n, more_to_reap ? 0 : -1) < 0 && errno != EINTR)
			_exit(125);
		while (n-- > 2)
			if (p[n].revents && of[n]->begins)
				session_begun(of[n]);
		/* Not until there is none: whoever sends them may be quicker. */
		struct signalfd_siginfo si;
		if (p[0].revents && read(sfd, &si, sizeof(si)) < 0 && errno != EAGAIN)
			_exit(125);
		if (!p[1].revents)
			continue;
		struct control_msg m;
		int fds[4];
		size_t n_fds = 0;
		int r = report_receive(&m, false, fds, &n_fds);
		if (r == 0 && GUARD_REMOVED("control-eof"))
			p[1].fd = -1;
		else if (r == 0 || (r < 0 && r != -EAGAIN))
			_exit(125); /* the supervisor is gone, and we with it */
		if (r > 0)
			handle_message(&m, fds, n_fds);
	}
}
