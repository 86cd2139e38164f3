/* sandbox/launch.c - starting the processes of a run; see sandbox.h.
 *
 * Order: bawn-init first, before anything is known that it is to do, as its namespaces are the long
 * pole, and it keeps two processors busy.
 * The relay starts when the agent has been told to: until it runs, the listening sockets that
 * bawn-init made hold whatever the agent sends.  Both end with us: by a socket whose other end we
 * hold, and by PR_SET_PDEATHSIG.
 */
#include "sandbox/launch.h"

#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "base/fd.h"
#include "net/netns.h"
#include "plan/wire.h"

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

/* What either of the two forms of a plan needs, nearly always. */
#define WIRE_EXPECT ((size_t)24 * 1024)

#define CAP(name) (UINT64_C(1) << CAP_##name)
/* What bawn-init does in there: it mounts, sets up a network, limits, identities, owners and modes,
 * and is sudo's helper.  Each more would be one more to give and to drop at every start. */
#define CAPABILITIES                                                                               \
	(CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(DAC_READ_SEARCH) | CAP(FOWNER) | CAP(FSETID) |       \
		CAP(KILL) | CAP(SETGID) | CAP(SETUID) | CAP(SETPCAP) | CAP(NET_BIND_SERVICE) |     \
		CAP(NET_ADMIN) | CAP(NET_RAW) | CAP(SYS_CHROOT) | CAP(SYS_PTRACE) |                \
		CAP(SYS_ADMIN) | CAP(SYS_RESOURCE) | CAP(MKNOD) | CAP(SETFCAP) |                   \
		CAP(CHECKPOINT_RESTORE))

uint64_t sandbox_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Both ends close-on-exec; ours is [0]. */
static int pair(int ret[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
		return err_sys(err, errno, "socketpair");
	return 0;
}

static void close_pair(int p[2])
{
	for (int i = 0; i < 2; i++)
		if (p[i] >= 0)
			close(p[i]);
	p[0] = p[1] = -1;
}

static int early_memfd(const struct sandbox_config *c, struct err *err)
{
	struct wire_early e = {.head = {.uid = c->uid,
				       .gid = c->gid,
				       .inside_uid = c->inside_uid,
				       .inside_gid = c->inside_gid,
				       .user_namespaces = (uint16_t)c->pack->user_namespaces,
				       .n_host_ports = (uint16_t)c->dialer.n_host_ports},
		.nft = {.p = c->pack->nft, .n = c->pack->nft_bytes},
		.rtnl = {.p = c->pack->rtnl, .n = c->pack->rtnl_bytes}};
	if (c->dialer.n_host_ports > ARRAY_LEN(e.head.host_ports))
		return err_set(err, E2BIG, "too many host ports");
	for (size_t i = 0; i < c->dialer.n_host_ports; i++)
		e.head.host_ports[i] = c->dialer.host_ports[i];
	struct blob b = {0};
	blob_expect(&b, WIRE_EXPECT);
	int r = wire_early_write(&e, c->rows, c->n_rows, &b, err);
	if (r == 0)
		r = fd_memfd_sealed("bawn-early", b.data, b.n, err);
	blob_free(&b);
	return r;
}

static int plan_memfd(const struct sandbox *s, const struct plan *plan, struct err *err)
{
	struct winsize ws = {0};
	for (int fd = 0; fd < 3 && plan->tty_fds; fd++)
		if ((plan->tty_fds >> fd & 1) && ioctl(fd, TIOCGWINSZ, &ws) == 0)
			break;
	if (s->config.lasting &&
		!ws.ws_row) /* a session in the background has no terminal's size */
		ws = (struct winsize){.ws_row = 24, .ws_col = 80};
	const struct pack *pack = s->config.pack;
	struct wire_bytes seccomp = {.p = pack->seccomp, .n = pack->seccomp_bytes};
	struct blob b = {0};
	blob_expect(&b, WIRE_EXPECT);
	int r = wire_write(plan, seccomp, ws.ws_row, ws.ws_col, &b, err);
	if (r == 0)
		r = fd_memfd_sealed("bawn-plan", b.data, b.n, err);
	if (b.data) /* it has the agent's environment in it */
		explicit_bzero(b.data, b.n);
	blob_free(&b);
	return r;
}

static int helper_path(const char *libexec, const char *name, char *dst, size_t n, struct err *err)
{
	if ((size_t)snprintf(dst, n, "%s/%s", libexec, name) >= n)
		return err_set(err, ENAMETOOLONG, "path too long: %s/%s", libexec, name);
	return 0;
}

int sandbox_run_mode(struct sandbox *s, const char *mode, const char *arg, int what, int errors,
	int *ret_status, struct err *err)
{
	char path[4096];
	int r = helper_path(s->config.libexec, "bawn-init", path, sizeof(path), err);
	if (r < 0)
		return r;
	_cleanup_free_ char *first = strdup(mode), *second = arg ? strdup(arg) : NULL;
	if (!first || (arg && !second))
		return err_set(err, ENOMEM, "out of memory");
	static char name[] = "bawn-init";
	char *argv[] = {name, first, second, NULL};
	const int with[] = {-1, -1, errors, what, s->init.pidfd},
		  without[] = {-1, -1, errors, s->init.pidfd};
	struct proc_spawn how = {.path = path,
		.argv = argv,
		.fds = what < 0 ? without : with,
		.nfds = what < 0 ? (int)ARRAY_LEN(without) : (int)ARRAY_LEN(with),
		.die_with_parent = SIGKILL};
	struct proc p;
	r = proc_spawn(&how, &p, err);
	return r < 0 ? r : proc_wait(&p, ret_status);
}

static void start_init(
	struct sandbox_ahead *a, const char *libexec, uint8_t tty_fds, const int ends[2])
{
	static char name[] = "bawn-init";
	if (helper_path(libexec, name, a->path, sizeof(a->path), &a->err) < 0)
		return;
	a->argv[0] = name;
	/* The caller's own terminal never enters: the pty stands in for it. */
	for (int fd = 0; fd < 3; fd++)
		a->fds[fd] = tty_fds >> fd & 1 ? -1 : fd;
	a->fds[3] = ends[0];
	a->fds[4] = ends[1];
	a->how.how = (struct proc_spawn){.path = a->path,
		.argv = a->argv,
		.fds = a->fds,
		.nfds = ARRAY_LEN(a->fds),
		.ns = NAMESPACES,
		.caps = CAPABILITIES,
		.die_with_parent = SIGKILL};
	const int r = proc_spawn_beside(&a->how, &a->proc, &a->err);
	/* EINVAL: a kernel without them */
	if (r == -EPERM || r == -ENOSPC || r == -EUSERS || r == -EINVAL)
		err_hint(&a->err, "user namespaces are not available to you here: run bawn doctor");
}

struct sandbox_ahead *sandbox_ahead(const char *libexec, uint8_t tty_fds)
{
	struct sandbox_ahead *a = first_calloc(sizeof(*a));
	if (!a)
		return NULL;
	*a = (struct sandbox_ahead){
		.proc = PROC_NONE, .control = -1, .handover = -1, .ns = sandbox_now()};
	int control[2] = {-1, -1}, handover[2] = {-1, -1};
	if (pair(control, &a->err) == 0 && pair(handover, &a->err) == 0) {
		const int ends[2] = {control[1], handover[1]};
		start_init(a, libexec, tty_fds, ends);
		a->control = TAKE_FD(control[0]);
		a->handover = TAKE_FD(handover[0]);
	}
	close_pair(control);
	close_pair(handover);
	return a;
}

void sandbox_ahead_drop(struct sandbox_ahead *a)
{
	if (!a)
		return;
	proc_kill(&a->proc);
	if (a->control >= 0)
		close(a->control);
	if (a->handover >= 0)
		close(a->handover);
	first_free(a);
}

int sandbox_start_relay(struct sandbox *s, struct err *err)
{
	char path[4096];
	int handover[2] = {-1, -1};
	int r = helper_path(s->config.libexec, "bawn-relay", path, sizeof(path), err);
	if (r == 0)
		r = pair(handover, err);
	if (r < 0)
		return r;
	r = fd_send(handover[0], "L", 1, s->listeners, s->n_listeners);
	if (r < 0)
		err_sys(err, -r, "hand the listening sockets to the relay");
	sandbox_close_listeners(s);
	_cleanup_close_ int leases = dialer_lease_fd(s->dialer);
	char *argv[] = {
		(char[]){"bawn-relay"}, leases >= 0 ? (char[]){DIALER_RELAY_LEASES} : NULL, NULL};
	/* It says why it ends, where that can't garble what the agent draws. */
	bool quiet = s->config.lasting ||
		(s->config.tty_fds & 4); /* a client's must end with the client */
	int errors = quiet ? -1 : 2;
	int fds[7] = {-1, -1, errors, s->relay_end, handover[1], s->config.pack->fd, leases};
	struct proc_spawn how = {.path = path,
		.argv = argv,
		.fds = fds,
		.nfds = leases >= 0 ? 7 : 6,
		.die_with_parent = SIGKILL};
	if (r == 0)
		r = proc_spawn(&how, &s->relay, err);
	close(TAKE_FD(s->relay_end));
	close_pair(handover);
	return r;
}

void sandbox_close_listeners(struct sandbox *s)
{
	for (size_t i = 0; i < s->n_listeners; i++)
		close(s->listeners[i]);
	s->n_listeners = 0;
}

/* bawn-init has sent them before it said that it is ready. */
static int take_listeners(struct sandbox *s, struct err *err)
{
	char byte;
	ssize_t n = fd_recv(s->handover, &byte, 1, s->listeners, FD_PASS_MAX, &s->n_listeners);
	close(TAKE_FD(s->handover));
	if (n == 1 && s->n_listeners < NETNS_FD_HOST_PORTS)
		return err_sys(err, EMFILE, "take the sandbox's listening sockets");
	if (n != 1)
		return err_set(err, EBADMSG, "the sandbox's listening sockets did not arrive");
	return 0;
}

/* One of the two memfds with what it is to do.  A bawn-init that has failed by now says why itself:
 * sandbox_wait() reads it.  One that is there would wait for ever for what could not be sent. */
static int tell(struct sandbox *s, enum control_kind kind, int fd, struct err *err)
{
	const struct control_msg m = {.magic = CONTROL_MAGIC, .kind = kind};
	const int r = fd_send(s->control, &m, sizeof(m), &fd, 1);
	if (r == -ETOOMANYREFS)
		err_hint(err,
			"too many descriptors of yours are under way between processes: a sandbox "
			"of yours may hold them; see what runs: bawn ls");
	return r >= 0 || r == -EPIPE || r == -ECONNRESET ? 0 : err_sys(err, -r, "tell bawn-init");
}

static int begin(struct sandbox *s, struct err *err)
{
	int relay[2] = {-1, -1};
	_cleanup_close_ int early = early_memfd(&s->config, err);
	if (early < 0)
		return early;
	int r = tell(s, CONTROL_EARLY, early, err);
	if (r == 0)
		r = pair(relay, err);
	if (r < 0)
		return r;
	s->relay_end = TAKE_FD(relay[1]);
	s->config.dialer.relay_sock = relay[0];
	s->config.dialer.vault = (struct dialer_vault){.ctx = s,
		.refuse = vault_refuse,
		.flow = vault_flow,
		.limit = vault_limit,
		.judge = vault_judge};
	r = dialer_new(&s->config.dialer, &s->dialer, err);
	if (r >= 0)
		relay[0] = -1;
	close_pair(relay);
	return r < 0 ? r : 0;
}

/* What was started ahead is this sandbox's from here on. */
static int adopt(struct sandbox *s, struct sandbox_ahead *a, struct err *err)
{
	s->ahead = a;
	s->init = a->proc;
	a->proc = PROC_NONE;
	s->control = TAKE_FD(a->control);
	s->handover = TAKE_FD(a->handover);
	s->result.start_ns = a->ns;
	if (a->err.code)
		*err = a->err;
	return -a->err.code;
}

int sandbox_launch(const struct sandbox_config *c, struct sandbox_ahead **ahead,
	struct sandbox **ret, struct err *err)
{
	struct sandbox *s = first_calloc(sizeof(*s));
	if (!s || !*ahead) {
		first_free(s);
		return err_set(err, ENOMEM, "out of memory");
	}
	s->config = *c;
	s->init = s->relay = PROC_NONE;
	s->deadlines = s->first_account = -1;
	s->followed = s->control = s->epoll = s->signals = s->timer = s->relay_end = s->handover =
		-1;
	s->watch.fd = s->first_master = s->first_client = -1;
	terminal_clear(&s->term);
	ports_clear(&s->ports);
	vault_clear(&s->vault);
	s->visitors = s->visitor = -1;
	int r = adopt(s, *ahead, err);
	*ahead = NULL;
	if (r == 0)
		r = ports_open(&s->ports, c->ports, c->n_ports, err);
	if (r == 0)
		r = begin(s, err);
	if (r < 0) {
		sandbox_free(s, NULL);
		return r;
	}
	*ret = s;
	return 0;
}

int sandbox_serve(struct sandbox *s, const struct sandbox_lasting *l, struct err *err)
{
	s->first_client = l->client;
	s->first_detached = l->detached;
	s->first_account = l->account;
	int r = server_new(l->listener, l->dirfd, &s->server, err);
	if (r == 0)
		s->server->closed = l->closed;
	return r;
}

int sandbox_decide(struct sandbox *s, const struct plan *plan, struct err *err)
{
	s->plan = plan;
	/* Before the mounts are made, so that no replacement between falls through. */
	int r = watch_start(&s->watch, plan, err);
	if (r < 0)
		return r;
	_cleanup_close_ int fd = plan_memfd(s, plan, err);
	if (fd < 0)
		return fd;
	return tell(s, CONTROL_PLAN, fd, err);
}

int sandbox_send(struct sandbox *s, enum control_kind kind, int value)
{
	struct control_msg m = {.magic = CONTROL_MAGIC, .kind = kind, .value = value};
	return fd_send(s->control, &m, sizeof(m), NULL, 0);
}

/* The next message of bawn-init, with the pty it may carry. */
static int receive(struct sandbox *s, struct control_msg *m, int *ret_fd, struct err *err)
{
	size_t nfds = 0;
	ssize_t n = fd_recv(s->control, m, sizeof(*m), ret_fd, 1, &nfds);
	if (nfds == 0)
		*ret_fd = -1;
	if (n == 0 || n == -ECONNRESET) {
		int status = 0;
		proc_wait(&s->init, &status);
		if (s->ahead->how.error)
			return err_sys(err, s->ahead->how.error, "execute %s", s->ahead->path);
		return err_set(err, EIO, "bawn-init ended unexpectedly (status %d)", status);
	}
	if (n != sizeof(*m) || m->magic != CONTROL_MAGIC)
		return err_set(err, EBADMSG, "bawn-init sent a malformed message");
	memcpy(s->result.stamps, m->stamps, sizeof(m->stamps));
	if (m->kind == CONTROL_ERROR) {
		m->text[sizeof(m->text) - 1] = '\0';
		size_t k = strlen(m->text) + 1;
		if (k < sizeof(m->text) && m->text[k])
			err_hint(err, "%.500s", m->text + k);
		return err_set(err, m->value > 0 ? m->value : EIO, "%s", m->text);
	}
	return 0;
}

/* Who has the terminal: a client in another process, or this one. */
static int take_terminal(struct sandbox *s, int master, struct err *err)
{
	int r = 0;
	if (s->server) {
		s->first_master = master;
	} else {
		r = terminal_open(&s->term, s->config.tty_fds, master, s->config.clipboard, err);
		if (r == 0)
			r = terminal_start(&s->term, err);
	}
	if (r == 0 && s->config.tty_fds && sandbox_send(s, CONTROL_GO, 0) < 0)
		r = err_set(err, EPIPE, "bawn-init ended before the agent started");
	return r;
}

int sandbox_wait(struct sandbox *s, struct sandbox_result *ret, struct err *err)
{
	struct control_msg m;
	int fd = -1;
	int r = receive(s, &m, &fd, err);
	if (r == 0 && m.kind != CONTROL_READY)
		r = err_set(err, EBADMSG, "bawn-init did not say that it is ready");
	s->result.ready_ns = sandbox_now();
	if (r == 0)
		r = take_terminal(s, fd, err);
	if (r == 0)
		r = take_listeners(s, err);
	if (r < 0)
		return r;

	r = receive(s, &m, &fd, err);
	if (r < 0 && m.kind == CONTROL_ERROR) {
		s->result.code = err->code == ENOENT || err->code == ENOTDIR ? 127 : 126;
		*ret = s->result;
		return 0;
	}
	if (r < 0)
		return r;
	s->result.agent_ns = sandbox_now();
	r = sandbox_loop(s, err);
	s->result.end_ns = sandbox_now();
	*ret = s->result;
	return r;
}

void sandbox_denied(
	struct sandbox *s, const char *target, const char *reason, uint32_t rule, const char *fix)
{
	dialer_denied(s->dialer, target, reason, rule, fix);
}

struct dialer *sandbox_dialer_live(struct sandbox *s)
{
	return s->dialer;
}

const struct dialer *sandbox_dialer(const struct sandbox *s)
{
	return s->dialer;
}

pid_t sandbox_init_pid(const struct sandbox *s)
{
	return s->init.pid;
}

bool sandbox_ended(const struct sandbox *s)
{
	return s && s->exited;
}

void sandbox_title(struct sandbox *s, const char *text)
{
	if (s->server)
		server_title(s->server, text);
	else
		terminal_title(&s->term, text);
}

bool sandbox_owns_terminal(const struct sandbox *s)
{
	return s->server ? server_voice_raw(s->server) : s->term.raw;
}

void sandbox_farewell(struct sandbox *s)
{
	if (s && s->server)
		server_farewell(s->server);
}

void sandbox_free(struct sandbox *s, struct proc *ret_last)
{
	if (ret_last)
		*ret_last = PROC_NONE;
	if (!s)
		return;
	proc_end(&s->init);
	proc_end(&s->relay);
	if (!ret_last || !s->exited)
		proc_kill(&s->init);
	else
		*ret_last = s->init;
	terminal_close(&s->term);
	server_free(s->server);
	if (s->first_master >= 0)
		close(s->first_master);
	ports_close(&s->ports);
	sandbox_close_listeners(s);
	proc_kill(&s->relay);
	vault_end(&s->vault);
	dialer_free(s->dialer);
	watch_stop(&s->watch);
	int fds[] = {s->control, s->epoll, s->signals, s->timer, s->deadlines, s->first_account,
		s->relay_end, s->handover, s->visitors, s->visitor};
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	arena_free(&s->arena);
	first_free(s->ahead);
	first_free(s);
}
