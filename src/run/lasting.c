/* run/lasting.c - entering a sandbox that lasts; see lasting.h.
 *
 * Whoever gets the sandbox's lock starts it: a supervisor is forked, which keeps the lock, and this
 * process becomes its first client.  Whoever doesn't get it is a client of the supervisor that has
 * it.  Between the two, while one begins or ends, there is neither: then it is tried again.
 */
#include "run/lasting.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/file.h"
#include "plan/wire-exec.h"
#include "run/image.h"
#include "run/signals.h"

#define PATIENCE_NS 30000000000u /* for a supervisor that begins or ends */
#define PAUSE_MS 10

static int box_fd(struct run *r, const char *name)
{
	int fd = open(path_join(&r->arena, r->store.sandboxes, name),
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int lasting_connect(struct run *r, const char *name, struct err *err)
{
	_cleanup_close_ int dir = box_fd(r, name);
	if (dir < 0)
		return dir == -ENOENT ? -ESRCH : err_sys(err, -dir, "open sandbox %s", name);
	int k = session_connect(dir, err);
	return k == -ENOENT || k == -ECONNREFUSED ? -ESRCH : k;
}

int lasting_request(int sock, struct session_msg *m, const int *fds, size_t n_fds,
	struct session_msg *ret, struct err *err)
{
	int got[8];
	size_t n = 0;
	int k = session_send(sock, m, fds, n_fds);
	/* a supervisor may be stopped */
	if (k == 0 && signals_await(sock) < 0)
		return err_set(err, EINTR, "the sandbox's supervisor had not answered yet");
	if (k == 0)
		k = session_recv(sock, ret, got, &n);
	for (size_t i = 0; k > 0 && i < n; i++)
		close(got[i]);
	if (k <= 0)
		return err_set(err, EIO, "the sandbox's supervisor ended meanwhile");
	if (ret->kind == SESSION_FAILED && ret->value == ESRCH)
		return -ESRCH; /* it ends, or is only being set up: as if it did not run */
	if (ret->kind == SESSION_FAILED)
		return session_take_error(ret, err);
	return ret->kind == SESSION_DONE ? 0 : err_set(err, EPROTO, "an unexpected answer");
}

bool lasting_pause(uint64_t begin, unsigned int *tries)
{
	if (run_now() - begin > PATIENCE_NS || signals_end())
		return false;
	/* nearly always a supervisor that takes its sandbox down: a matter of half a millisecond */
	const long us = ++*tries < 8 ? 150 : *tries < 20 ? 1000 : PAUSE_MS * 1000;
	const struct timespec t = {.tv_nsec = us * 1000};
	ppoll(NULL, 0, &t, NULL);
	return true;
}

bool lasting_running(struct run *r, const char *name)
{
	const uint64_t begin = run_now();
	unsigned int tries = 0;
	while (store_sandbox_busy(&r->store, name)) {
		struct err err = {0};
		_cleanup_close_ int sock = lasting_connect(r, name, &err);
		if (sock != -ESRCH || !lasting_pause(begin, &tries))
			return true;
	}
	return false;
}

/* Does it run only to be set up?  Then it is as good as none. */
static bool is_setup(int sock)
{
	static struct session_msg answer;
	struct session_msg m = {.kind = SESSION_STATUS};
	struct err ignored = {0};
	int k = lasting_request(sock, &m, NULL, 0, &answer, &ignored);
	return k == -EIO || (k == 0 && answer.flags & SESSION_CLOSED);
}

int lasting_lock(struct run *r, const char *name, struct err *err)
{
	const uint64_t begin = run_now();
	unsigned int tries = 0;
	int k;
	for (;;) {
		k = store_sandbox_lock(&r->store, &r->arena, name, &r->box, err);
		if (k != -EBUSY || err->code)
			break;
		_cleanup_close_ int sock = lasting_connect(r, name, err);
		if ((sock != -ESRCH && !(sock >= 0 && is_setup(sock))) || err->code ||
			!lasting_pause(begin, &tries))
			break;
	}
	if (k == -EBUSY && !err->code) {
		err_hint(err, "bawn stop %s", name);
		return err_set(err, EBUSY, "sandbox %s is running", name);
	}
	if (k == -ENOENT && !err->code)
		return lasting_unknown(r, name, err);
	return k;
}

/* ---- joining one that runs ---- */

static void own_tty_fds(struct run *r)
{
	r->tty_fds = 0;
	for (int fd = 0; fd < 3; fd++)
		if (r->opt.detach || isatty(fd))
			r->tty_fds |= (uint8_t)(1u << fd);
}

/* The size of our terminal, or what programs expect where there is none. */
static void terminal_size(uint16_t *rows, uint16_t *cols)
{
	struct winsize ws = {0};
	for (int fd = 0; fd < 3 && !ws.ws_row; fd++)
		ioctl(fd, TIOCGWINSZ, &ws);
	*rows = ws.ws_row ? ws.ws_row : 24;
	*cols = ws.ws_col ? ws.ws_col : 80;
}

/* What is run, as bytes; the supervisor puts the sandbox's own environment under ours. */
static int command_memfd(struct run *r, struct err *err)
{
	mode_t mask = umask(0);
	umask(mask);
	struct wire_exec_head head = {.umask = mask, .tty_fds = r->tty_fds, .as_root = r->as_root};
	struct blob b = {0};
	int k = wire_exec_write(
		&head, r->plan.cwd, r->plan.exe, &r->plan.argv, &r->plan.env, &b, err);
	if (k == 0)
		k = fd_memfd_sealed("bawn-exec", b.data, b.n, err);
	if (b.data)
		explicit_bzero(b.data, b.n);
	blob_free(&b);
	return k;
}

static int send_run(struct run *r, int sock, struct err *err)
{
	struct session_msg m = {.kind = SESSION_RUN,
		.tty_fds = r->tty_fds,
		.value = (int32_t)r->opt.timeout_ms,
		.flags = r->opt.detach ? SESSION_DETACHED : 0};
	terminal_size(&m.rows, &m.cols);
	if (run_check_stdio(err) < 0)
		return -err->code;
	_cleanup_close_ int memfd = command_memfd(r, err);
	if (memfd < 0)
		return memfd;
	int account = run_result_account(r, err);
	if (account == -ENOMEM)
		return account;
	int fds[6] = {memfd, STDERR_FILENO};
	size_t n = 2;
	for (int fd = 0; fd < 3; fd++)
		if (!(r->tty_fds >> fd & 1))
			fds[n++] = fd;
	if (account >= 0) {
		m.flags |= SESSION_ACCOUNT;
		fds[n++] = account;
	}
	int k = session_send(sock, &m, fds, n);
	if (k == -ECONNRESET || k == -EPIPE || k == -ENOTCONN)
		return -ESRCH; /* it has just ended */
	return k < 0 ? err_sys(err, -k, "reach the sandbox's supervisor") : 0;
}

/* Stay with the session that was asked for over sock.  0, with the exit code; -ESRCH (err
 * untouched): there is no supervisor any more that could have started it. */
static int attend(struct run *r, int sock, int *ret_code, struct err *err)
{
	char keys[17];
	struct client_result res = {0};
	*ret_code = 125;
	int k = client_detach_keys(r->opt.keys ? r->opt.keys : LASTING_KEYS, keys, err);
	if (k < 0)
		return 0;
	struct client_config c = {.sock = sock,
		.tty_fds = r->opt.detach ? 0 : r->tty_fds,
		.clipboard = r->opt.clipboard,
		.interrupt = r->result.iteration > 0,
		.detached = r->opt.detach,
		.keys = keys};
	k = client_run(&c, &res, err);
	if (!res.detached && !r->opt.detach)
		run_restore_stdio(r);
	if (k < 0)
		return k == -ESRCH && !err->code ? k : 0;
	r->result.timeout = res.timeout;
	r->result.detached = res.detached;
	r->result.signal = res.signal;
	*ret_code = run_result_code(r, res.code);
	if (res.failed)
		return 0;
	if (res.detached)
		run_message(
			r, "%s goes on; to come back: bawn attach %s", r->spec.name, r->spec.name);
	else if (r->opt.detach)
		puts(r->spec.name);
	return 0;
}

/* The same, where nobody else can be asked. */
static int attend_here(struct run *r, int sock, struct err *err)
{
	int code = 125;
	if (attend(r, sock, &code, err) == -ESRCH)
		err_set(err, EIO, "the sandbox's supervisor ended unexpectedly");
	return code;
}

int lasting_attach(struct run *r, int sock, int session, struct err *err)
{
	struct session_msg m = {.kind = SESSION_ATTACH, .session = session};
	const int errors = STDERR_FILENO;
	own_tty_fds(r);
	int k = session_send(sock, &m, &errors, 1);
	if (k < 0) {
		err_sys(err, -k, "reach the sandbox's supervisor");
		return 125;
	}
	return attend_here(r, sock, err);
}

/* A second session of a running sandbox.  -ESRCH: it doesn't run any more. */
static int join(struct run *r, int *ret_code, struct err *err)
{
	_cleanup_close_ int sock = lasting_connect(r, r->spec.name, err);
	if (sock < 0)
		return sock;
	own_tty_fds(r);
	r->box.id = r->spec.name;
	int k = lasting_check_given(r, err);
	if (k == 0)
		k = run_facts_command(r, err);
	if (k == 0)
		k = lasting_bring_keys(r, err);
	if (k == 0)
		k = lasting_bring_profile(r, err);
	if (k == 0)
		k = run_plan_command(r, err);
	if (k == 0)
		k = send_run(r, sock, err);
	if (k == 0)
		return attend(r, sock, ret_code, err);
	if (k == -ESRCH && !err->code)
		return k;
	*ret_code = r->unfit ? r->unfit : 125;
	return 0;
}

/* ---- starting one ---- */

/* The supervisor: a process of its own that outlives its first client. */
_noreturn_ static void supervise(struct run *r, int sock)
{
	struct err err = {0};
	setsid(); /* no key of the terminal reaches it */
	r->client = sock;
	r->lasting = true;
	int code = run_supervise(r, &err);
	const bool ran = r->sandbox_ran;
	if (ran && err.code)
		run_fail(&err, code);
	if (ran)
		sandbox_farewell(r->sandbox);
	run_release(r, code);
	if (!ran) { /* last, as whoever hears it goes on */
		struct session_msg m = {0};
		session_error(&m, &err, code);
		session_send(sock, &m, NULL, 0);
	}
	_exit(code);
}

static int start(struct run *r, struct err *err)
{
	int pair[2];
	own_tty_fds(r);
	run_note_stdio();
	if (lasting_note_profile(r, err) < 0) {
		store_sandbox_release(&r->box);
		return 125;
	}
	if (run_result_account(r, err) == -ENOMEM)
		return 125;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err_sys(err, errno, "socketpair");
		return 125;
	}
	pid_t pid = fork();
	if (pid == 0) {
		close(pair[0]);
		supervise(r, pair[1]);
	}
	int e = errno;
	close(pair[1]);
	store_sandbox_release(&r->box); /* the supervisor has it */
	int code = 125;
	if (pid < 0) {
		proc_hint(e, err);
		err_sys(err, e, "start a supervisor");
	} else {
		code = attend_here(r, pair[0], err);
	}
	close(pair[0]);
	return code;
}

int lasting_enter(struct run *r, struct err *err)
{
	const uint64_t begin = run_now();
	unsigned int tries = 0;
	int code = 125;
	for (;;) {
		int k = r->box.lock >= 0
			? 0 /* it was made just now */
			: store_sandbox_lock(&r->store, &r->arena, r->spec.name, &r->box, err);
		if (k == 0)
			return lasting_ready(r, err) < 0 ? 125 : start(r, err);
		if (k == -ENOENT && !err->code) {
			lasting_unknown(r, r->spec.name, err);
			return 125;
		}
		if (k != -EBUSY || err->code)
			return 125;
		k = join(r, &code, err);
		if (k == 0)
			return code;
		if (k != -ESRCH || err->code)
			return 125;
		if (!lasting_pause(begin, &tries)) {
			err_hint(err, "another command is changing it; see what runs: bawn ls");
			err_set(err, EBUSY, "sandbox %s is locked and doesn't answer",
				r->spec.name);
			return 125;
		}
	}
}

/* The plan of the sandbox that would be entered; nothing of it is touched or made. */
static int show_plan(struct run *r, struct err *err)
{
	r->lasting = true;
	r->box.id = r->spec.name;
	r->box.dir = path_join(&r->arena, r->store.sandboxes, r->spec.name);
	r->box.home = path_join(&r->arena, r->box.dir, "seed");
	return run_supervise(r, err);
}

int lasting_create(struct run *r, struct err *err)
{
	bool here = false;
	for (;;) {
		int k = store_sandbox_create(&r->store, &r->arena, &r->spec, -1, &r->box, err);
		if (k != -EEXIST)
			return k;
		*err = (struct err){0};
		k = lasting_made_meanwhile(r, &here, err);
		if (k == 0 && here)
			r->fresh = false;
		if (k < 0 || here)
			return k;
	}
}

int lasting_run(struct run *r, struct err *err)
{
	bool fresh;
	int k = run_begin(r, err);
	if (k == 0)
		k = lasting_find(r, &fresh, err);
	if (k == 0 && r->opt.dry_run)
		return show_plan(r, err);
	if (k == 0 && fresh) {
		r->fresh = true;
		k = run_policy(r, err); /* a profile or policy with a fault makes no sandbox */
		if (k == 0)
			k = lasting_create(r, err);
		if (k == 0)
			run_image_release(r);
	}
	return k < 0 ? 125 : lasting_enter(r, err);
}
