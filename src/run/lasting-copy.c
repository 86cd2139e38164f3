/* run/lasting-copy.c - see lasting-copy.h
 *
 * Theory of operation.  The program that works inside need not be there in any template, and must
 * not be looked for in a place that an agent can write: it comes along as a sealed memfd in the
 * place of the session's standard error, and is executed as /proc/self/fd/2.  The session itself is
 * any other session, started by a child of ours, so that this process can read what the receiver
 * says.
 */
#include "run/lasting-copy.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "run/lasting.h"
#include "run/signals.h"

#define PROGRAM_MAX ((size_t)16 << 20)
#define PIPE_BYTES (1 << 20)
#define NOTES_MAX 12
#define END_MS 2000
#define IDLE_MS 10000 /* once the session has ended */

/* What the child that holds the session found. */
struct outcome {
	int code;
	struct err err;
};

struct copying {
	const struct lasting_copy *c;
	int stream[2], status[2]; /* pipes */
	int program;
	struct proc host;
	pid_t session;
	struct outcome *outcome; /* shared with it */
	bool terminal, shown;
	size_t notes;
	bool done;
	struct copy_status last;
};

static void close_fds(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(TAKE_FD(fds[i]));
}

static int load_program(struct run *r, struct err *err)
{
	char *data, *path = path_join(&r->arena, r->install.libexec, "bawn-copy");
	if (!path)
		return err_set(err, ENOMEM, "out of memory");
	ssize_t n = file_read(&r->arena, AT_FDCWD, path, PROGRAM_MAX, &data, err);
	return n < 0 ? (int)n : fd_memfd_sealed("bawn-copy", data, (size_t)n, err);
}

/* The arguments of one end; v[0] is there. */
static void arguments(struct arena *a, const struct lasting_copy *c, bool sends, struct strv *v)
{
	if (sends && (c->flags & COPY_FOLLOW))
		strv_add(a, v, "-l");
	if (!sends && (c->flags & COPY_EXACT))
		strv_add(a, v, "-x");
	if (!sends && (c->flags & COPY_FRESH))
		strv_add(a, v, "-f");
	if (!sends && !c->into)
		strv_add(a, v, "-o");
	if (!sends && c->base) {
		strv_add(a, v, "-b");
		strv_add(a, v, c->base);
	}
	strv_add(a, v, sends ? "send" : "receive");
	strv_add(a, v, sends == c->into ? c->host : c->inside);
}

static int start_host(struct run *r, struct copying *k, struct err *err)
{
	struct strv argv = {0};
	strv_add(&r->arena, &argv, "bawn-copy");
	arguments(&r->arena, k->c, k->c->into, &argv);
	const int send[] = {-1, k->stream[1], -1}, receive[] = {k->stream[0], k->status[1], -1};
	struct proc_spawn how = {.path = path_join(&r->arena, r->install.libexec, "bawn-copy"),
		.argv = argv.v,
		.fds = k->c->into ? send : receive,
		.nfds = 3,
		.die_with_parent = SIGTERM};
	int e = arena_check(&r->arena, err);
	return e < 0 ? e : proc_spawn(&how, &k->host, err);
}

/* ---- the session ---- */

static int hold_session(const struct copying *k, struct err *err)
{
	struct run r;
	bool fresh;
	run_init(&r, 0, NULL);
	r.opt.name = k->c->name;
	r.opt.verbosity = -1;
	r.result.iteration = 1; /* Ctrl-C ends it, whatever it makes of that */
	r.directory = "/";
	r.plan.cwd = "/";
	strv_add(&r.arena, &r.command, "/proc/self/fd/2");
	arguments(&r.arena, k->c, !k->c->into, &r.command);
	int e = run_begin(&r, err);
	if (e == 0)
		e = lasting_find(&r, &fresh, err);
	int code = e < 0 ? 125 : lasting_enter(&r, err);
	return run_release(&r, code);
}

static int start_session(struct copying *k, struct err *err)
{
	k->session = fork();
	if (k->session < 0)
		return err_sys(err, errno, "fork");
	if (k->session > 0)
		return 0;
	/* It passes it on, and the end inside removes what is half; were this one killed, so would
	 * that be, with no time for it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* that is all it shall hear: a key of the terminal would be the first of two, and two kill
	 */
	setpgid(0, 0);
	signals_hold();
	const int in = k->c->into ? k->stream[0] : open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int out = k->c->into ? k->status[1] : k->stream[1];
	/* none of them is 0-2: those are open */
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(k->program, 2) < 0)
		_exit(125);
	syscall(SYS_close_range, 3, ~0u, 0);
	k->outcome->code = hold_session(k, &k->outcome->err);
	_exit(0);
}

/* ---- what the receiver says ---- */

static void clear_line(struct copying *k)
{
	if (k->shown)
		fputs("\r\033[K", stderr);
	k->shown = false;
}

static void show_progress(struct copying *k, const struct copy_status *s)
{
	if (!k->terminal)
		return;
	fprintf(stderr, "\r\033[Kbawn: %llu files, %.1f MB", (unsigned long long)s->files,
		(double)s->bytes / 1e6);
	k->shown = true;
}

static void say_note(struct copying *k, const char *text)
{
	char shown[1100];
	if (k->c->quiet || k->notes++ >= NOTES_MAX)
		return;
	clear_line(k);
	fprintf(stderr, "bawn: not copied: %s\n", escape_text(shown, sizeof(shown), text));
}

/* false: it has said its last, or nonsense. */
static bool hear(struct copying *k)
{
	struct copy_status s;
	if (fd_read_full(k->status[0], &s, sizeof(s)) != (ssize_t)sizeof(s) ||
		s.magic != COPY_MAGIC)
		return false;
	s.text[sizeof(s.text) - 1] = '\0';
	if (s.kind == COPY_PROGRESS)
		show_progress(k, &s);
	else if (s.kind == COPY_NOTE)
		say_note(k, s.text);
	if (s.kind != COPY_DONE)
		return true;
	k->last = s;
	k->done = true;
	return false;
}

static void listen_to(struct copying *k)
{
	_cleanup_close_ int session = (int)syscall(SYS_pidfd_open, k->session, 0);
	struct pollfd p[] = {
		{.fd = k->status[0], .events = POLLIN}, {.fd = session, .events = POLLIN}};
	for (;;) {
		int n = poll(p, 2, p[1].fd < 0 ? IDLE_MS : -1);
		if (n == 0)
			break;
		if (n > 0 && p[0].revents && !hear(k))
			break;
		if (n > 0 && p[1].revents && !p[0].revents) {
			if (k->outcome->err.code)
				break; /* it was never there */
			p[1].fd = -1;
		}
	}
	clear_line(k);
}

static int conclude(struct copying *k, struct err *err)
{
	char text[1100], hint[600];
	const struct outcome *o = k->outcome;
	if (k->notes > NOTES_MAX && !k->c->quiet)
		fprintf(stderr, "bawn: and %zu more\n", k->notes - NOTES_MAX);
	/* the receiver outside only sees its end: why there was no session says more */
	if (o->err.code && (!k->done || k->last.error)) {
		err_hint(err, "%s", o->err.hint);
		return err_set(err, o->err.code, "%s", o->err.msg);
	}
	if (!k->done)
		return err_set(err, EIO, "the copy was cut short");
	if (!k->last.error)
		return k->last.skipped > 0;
	const char *more = k->last.text + strlen(k->last.text) + 1;
	if (more < k->last.text + sizeof(k->last.text) && *more)
		err_hint(err, "%.500s", escape_text(hint, sizeof(hint), more));
	return err_set(err, k->last.error > 0 ? k->last.error : EIO, "%.900s",
		escape_text(text, sizeof(text), k->last.text));
}

/* It removes what is half first, where it can. */
static void end_host(struct proc *p)
{
	struct pollfd poll_it = {.fd = p->pidfd, .events = POLLIN};
	if (p->pid > 0 && kill(p->pid, SIGTERM) == 0)
		poll(&poll_it, 1, END_MS);
	proc_kill(p);
}

static int open_pipes(struct copying *k, struct err *err)
{
	if (pipe2(k->stream, O_CLOEXEC) < 0 || pipe2(k->status, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	fcntl(k->stream[0], F_SETPIPE_SZ, PIPE_BYTES); /* faster; any size will do */
	void *p = mmap(NULL, sizeof(*k->outcome), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return err_sys(err, errno, "mmap");
	k->outcome = p;
	return 0;
}

int lasting_copy(struct run *r, const struct lasting_copy *c, struct err *err)
{
	struct copying k = {.c = c,
		.stream = {-1, -1},
		.status = {-1, -1},
		.host = PROC_NONE,
		.session = -1,
		.terminal = !c->quiet && isatty(STDERR_FILENO)};
	k.program = load_program(r, err);
	int e = k.program < 0 ? k.program : open_pipes(&k, err);
	if (e == 0)
		e = start_host(r, &k, err);
	if (e == 0)
		e = start_session(&k, err);
	/* what the two ends have is theirs alone now: who stops is missed */
	close_fds(k.stream, 2);
	close_fds(&k.status[1], 1);
	close_fds(&k.program, 1);
	if (e == 0) {
		listen_to(&k);
		if (!k.done)
			end_host(&k.host);
		close_fds(k.status, 1);
		waitpid(k.session, NULL, 0);
		e = conclude(&k, err);
	}
	close_fds(k.status, 1);
	end_host(&k.host);
	if (k.outcome)
		munmap(k.outcome, sizeof(*k.outcome));
	return e;
}

int lasting_put_tree(struct run *r, const char *name, const char *host_dir, const char *inside_dir,
	struct err *err)
{
	const struct lasting_copy c = {.name = name,
		.into = true,
		.inside = inside_dir,
		.host = host_dir,
		.flags = COPY_EXACT | COPY_FRESH,
		.quiet = true};
	return lasting_copy(r, &c, err);
}
