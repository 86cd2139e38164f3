/* sandbox/server.c - see server.h */
#include "sandbox/server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include "base/fd.h"
#include "plan/wire-exec.h"
#include "sandbox/launch.h"

#define LOG_MAX (16 << 20) /* bytes; then it becomes log.1 */
#define DRAIN_MAX (256 << 10)
#define ACK_MS 3000
#define END_SECONDS 5

int server_new(int listener, int dirfd, struct server **ret, struct err *err)
{
	struct server *v = calloc(1, sizeof(*v));
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	v->listener = listener;
	v->dirfd = dirfd;
	v->log = v->voice = v->last = -1;
	for (size_t i = 0; i < SERVER_CLIENTS; i++)
		v->clients[i] = (struct client){.sock = -1, .errors = -1, .session = -1};
	*ret = v;
	return 0;
}

/* ---- the log of what nobody watched ---- */

static int open_log(struct server *v)
{
	struct stat st;
	if (v->log >= 0 && fstat(v->log, &st) == 0 && st.st_size > LOG_MAX) {
		close(TAKE_FD(v->log));
		renameat(v->dirfd, "log", v->dirfd, "log.1");
	}
	if (v->log < 0)
		v->log = openat(v->dirfd, "log",
			O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	return v->log;
}

static void tell(
	struct sandbox *s, const struct live *l, const char *action, const char *program, int code)
{
	if (s->config.hooks.session)
		s->config.hooks.session(s->config.hooks.ctx, l->id, action, program, code);
}

/* ---- clients ---- */

static int watch(struct sandbox *s, int fd, uint32_t tag, unsigned int slot, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.u64 = (uint64_t)slot << 32 | tag};
	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

/* Our stderr is that of a client that is there; else it leads nowhere. */
static void choose_voice(struct server *v)
{
	if (v->voice >= 0)
		return;
	for (int i = SERVER_CLIENTS - 1; i >= 0 && v->voice < 0; i--)
		if (v->clients[i].sock >= 0 && v->clients[i].errors >= 0)
			v->voice = i;
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd = v->voice >= 0 ? v->clients[v->voice].errors : null;
	if (fd >= 0)
		dup2(fd, STDERR_FILENO);
}

static void send_to(
	struct server *v, int slot, const struct session_msg *m, const int *fds, size_t n)
{
	if (slot >= 0 && v->clients[slot].sock >= 0)
		session_send(v->clients[slot].sock, m, fds, n);
}

static int add_client(struct sandbox *s, int sock)
{
	struct server *v = s->server;
	for (unsigned int i = 0; i < SERVER_CLIENTS; i++) {
		struct client *c = &v->clients[i];
		if (c->sock >= 0)
			continue;
		if (fd_set_nonblock(sock) < 0 || watch(s, sock, TAG_CLIENT, i, EPOLLIN) < 0)
			break;
		*c = (struct client){.sock = sock, .errors = -1, .session = -1};
		return (int)i;
	}
	close(sock);
	return -1;
}

static void drop_client(struct sandbox *s, int slot)
{
	struct server *v = s->server;
	struct client *c = &v->clients[slot];
	if (c->froze)
		sandbox_thaw(s);
	if (c->sock >= 0)
		close(c->sock);
	if (c->errors >= 0)
		close(c->errors);
	*c = (struct client){.sock = -1, .errors = -1, .session = -1};
	if (v->last == slot)
		v->last = -1;
	if (v->voice == slot)
		v->voice = -1;
	choose_voice(v);
}

void server_accept(struct sandbox *s)
{
	int fd = session_accept(s->server->listener);
	if (fd >= 0)
		add_client(s, fd);
}

/* ---- sessions ---- */

static struct live *live_by_id(struct server *v, uint32_t id)
{
	for (size_t i = 0; i < SERVER_SESSIONS; i++)
		if (v->live[i].open && v->live[i].id == id)
			return &v->live[i];
	return NULL;
}

static int slot_of(const struct server *v, const struct live *l)
{
	return (int)(l - v->live);
}

static bool server_any_live(const struct server *v)
{
	for (size_t i = 0; i < SERVER_SESSIONS; i++)
		if (v->live[i].open)
			return true;
	return false;
}

static struct live *live_new(struct server *v, uint32_t id, int client, bool detached)
{
	for (size_t i = 0; i < SERVER_SESSIONS; i++) {
		struct live *l = &v->live[i];
		if (l->open)
			continue;
		*l = (struct live){.open = true,
			.id = id,
			.client = client,
			.master = -1,
			.account = -1,
			.detached = detached};
		if (client >= 0)
			v->clients[client].session = (int)i;
		return l;
	}
	return NULL;
}

/* From here on what is used counts; fd: taken over. */
static void want_account(struct sandbox *s, struct live *l, int fd)
{
	l->account = fd;
	if (fd >= 0 && s->config.hooks.begin)
		s->config.hooks.begin(s->config.hooks.ctx, l->id);
}

static void give_account(struct sandbox *s, struct live *l)
{
	const struct sandbox_account a = {.session = l->id,
		.fd = l->account,
		.user_us = l->user_us,
		.system_us = l->system_us};
	if (l->account < 0)
		return;
	if (s->config.hooks.account)
		s->config.hooks.account(s->config.hooks.ctx, &a);
	close(TAKE_FD(l->account));
}

void server_last_account(struct sandbox *s)
{
	if (s->server->last_live)
		give_account(s, s->server->last_live);
	s->server->last_live = NULL;
}

/* Nobody is at its pty: read it ourselves. */
static void unattended(struct sandbox *s, struct live *l)
{
	l->client = -1;
	if (l->master >= 0)
		watch(s, l->master, TAG_SESSION, (unsigned int)slot_of(s->server, l), EPOLLIN);
}

static void hand_over(struct sandbox *s, struct live *l)
{
	struct server *v = s->server;
	struct session_msg m = {.kind = SESSION_STARTED, .session = (int32_t)l->id};
	int log = l->master >= 0 ? open_log(v) : -1;
	const int fds[] = {l->master, log};
	if (l->detached) {
		m.flags |= SESSION_DETACHED;
		m.text[term_filter_redo(&l->screen, m.text)] = '\0';
	}
	if (l->master >= 0)
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, l->master, NULL);
	send_to(v, l->client, &m, fds, l->master < 0 ? 0 : log < 0 ? 1 : 2);
}

void server_first(struct sandbox *s, int client, int master, bool detached)
{
	struct server *v = s->server;
	int slot = client >= 0 ? add_client(s, client) : -1;
	struct live *l = live_new(v, v->next_id++, slot, detached);
	if (slot >= 0) {
		v->clients[slot].errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
		v->voice = slot;
	}
	l->started = true;
	l->master = master;
	want_account(s, l, TAKE_FD(s->first_account));
	deadline_start(s, &l->deadline, s->config.timeout_ms);
	if (master >= 0)
		fd_set_nonblock(master);
	if (slot >= 0)
		hand_over(s, l);
	/* Ours are needed no more; a pipe in them would not end with the agent. */
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 2 && null >= 0; fd++)
		dup2(null, fd);
	if (slot < 0 || detached) {
		if (slot >= 0)
			v->clients[slot].session = -1;
		unattended(s, l);
	}
}

/* What is written while nobody is there: kept, and the modes it sets noted. */
static void keep(struct live *l, int log, const char *buf, size_t n)
{
	char seen[8192 + TERM_SEQ_MAX];
	term_filter(&l->screen, buf, n, seen);
	if (log >= 0)
		fd_write_all(log, buf, n); /* a full disk loses the log alone */
}

void server_master_event(struct sandbox *s, unsigned int slot)
{
	struct live *l = &s->server->live[slot];
	char buf[8192];
	if (!l->open || l->master < 0 || l->client >= 0)
		return;
	ssize_t n = read(l->master, buf, sizeof(buf));
	if (n > 0) {
		keep(l, open_log(s->server), buf, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, l->master, NULL);
	}
}

/* What was written before the end is there still; no more than a pty holds, as whoever was left
 * behind may write on. */
static void drain(struct sandbox *s, struct live *l)
{
	char buf[8192];
	ssize_t n;
	int log = l->master >= 0 && l->client < 0 ? open_log(s->server) : -1;
	for (size_t left = DRAIN_MAX;
		log >= 0 && left >= sizeof(buf) && (n = read(l->master, buf, sizeof(buf))) > 0;
		left -= (size_t)n)
		fd_write_all(log, buf, (size_t)n);
}

/* Kill all that runs inside. */
static void server_end(struct sandbox *s)
{
	if (s->server->ending)
		return;
	s->server->ending = true;
	sandbox_send(s, CONTROL_END, 0);
	/* pid 1 does little else; one that doesn't answer goes with all it has */
	struct itimerspec it = {.it_value.tv_sec = END_SECONDS};
	timerfd_settime(s->timer, 0, &it, NULL);
}

static void session_over(struct sandbox *s, struct live *l, int code)
{
	struct server *v = s->server;
	struct session_msg m = {.kind = SESSION_EXITED, .session = (int32_t)l->id, .value = code};
	int client = l->client;
	drain(s, l);
	tell(s, l, "ended", "", code);
	l->open = false;
	if (l->master >= 0)
		close(l->master);
	v->end_code = code;
	if (!server_any_live(v)) {
		m.flags = SESSION_FIRST; /* and last: it hears the account before it goes */
		v->last = client;
		v->last_live = l;
		server_end(s);
	} else {
		give_account(s, l);
	}
	if (l->deadline.hit)
		m.flags |= SESSION_TIMEOUT;
	send_to(v, client, &m, NULL, 0);
	if (client >= 0)
		v->clients[client].session = -1;
}

void server_ended(struct sandbox *s)
{
	s->server->ending = true;
	for (size_t i = 0; i < SERVER_SESSIONS; i++)
		if (s->server->live[i].open)
			session_over(s, &s->server->live[i], 128 + SIGKILL);
}

void server_control(struct sandbox *s, const struct control_msg *m, int master)
{
	struct server *v = s->server;
	struct live *l = live_by_id(v, m->session);
	struct session_msg out = {.session = (int32_t)m->session};
	if (!l) {
		if (master >= 0)
			close(master);
		return;
	}
	if (m->kind == CONTROL_STARTED) {
		l->started = true;
		l->master = master;
		deadline_start(s, &l->deadline, l->timeout_ms);
		if (master >= 0)
			fd_set_nonblock(master);
		if (l->client >= 0)
			hand_over(s, l);
		if (l->client < 0 || l->detached) {
			if (l->client >= 0)
				v->clients[l->client].session = -1;
			unattended(s, l);
		}
	} else if (m->kind == CONTROL_FAILED) {
		struct err err = {0};
		const size_t k = strnlen(m->text, sizeof(m->text) - 2) + 1;
		err_hint(&err, "%.500s", m->text + k);
		err_set(&err, m->value, "%.700s", m->text);
		session_error(&out, &err, m->value == ENOENT || m->value == ENOTDIR ? 127 : 126);
		send_to(v, l->client, &out, NULL, 0);
		l->open = false;
		give_account(s, l);
		if (!server_any_live(v))
			server_end(s);
	} else if (m->kind == CONTROL_STOPPED) {
		out.kind = SESSION_STOPPED;
		send_to(v, l->client, &out, NULL, 0);
	} else if (m->kind == CONTROL_EXITED) {
		l->user_us = m->user_us;
		l->system_us = m->system_us;
		session_over(s, l, m->value & 255);
	}
}

void server_signal(struct sandbox *s, const struct live *l, int sig)
{
	struct control_msg m = {
		.magic = CONTROL_MAGIC, .kind = CONTROL_SIGNAL, .value = sig, .session = l->id};
	fd_send(s->control, &m, sizeof(m), NULL, 0);
}

static void signal_all(struct sandbox *s, int sig)
{
	for (size_t i = 0; i < SERVER_SESSIONS; i++)
		if (s->server->live[i].open)
			server_signal(s, &s->server->live[i], sig);
}

static void set_timer(struct sandbox *s, int seconds)
{
	/* 0 would disarm it */
	struct itimerspec it = {
		.it_value = {.tv_sec = seconds, .tv_nsec = seconds > 0 ? 0 : 1000000}};
	timerfd_settime(s->timer, 0, &it, NULL);
}

void server_stop(struct sandbox *s, int seconds)
{
	signal_all(s, SIGTERM);
	/* A shell at a terminal heeds SIGHUP alone; others have had their time for SIGTERM first.
	 */
	int first = seconds > 1 ? MIN(seconds / 2, 2) : seconds;
	s->server->after_hangup = seconds - first;
	set_timer(s, first);
}

void server_timer(struct sandbox *s)
{
	struct server *v = s->server;
	int left = v->after_hangup;
	v->after_hangup = 0;
	if (left > 0) {
		signal_all(s, SIGHUP);
		set_timer(s, left);
	} else {
		server_end(s);
	}
}

/* ---- requests ---- */

/* The command that came, in the environment that the sandbox has. */
static int complete_command(struct sandbox *s, int memfd, const struct session_msg *m, int *ret,
	char program[256], struct err *err)
{
	struct arena a = {0};
	struct wire_exec w = {0};
	struct strv argv = {0}, env = {0};
	struct blob b = {0};
	struct stat st;
	if (fstat(memfd, &st) < 0 || st.st_size > 8 << 20)
		return err_set(err, EBADMSG, "the command is too long");
	size_t n = (size_t)st.st_size;
	void *map = mmap(NULL, n, PROT_READ, MAP_PRIVATE, memfd, 0);
	if (map == MAP_FAILED)
		return err_sys(err, errno, "map the command");
	int r = wire_exec_read(map, n, &w, err);
	for (size_t i = 0; r == 0 && w.argv[i]; i++)
		strv_add(&a, &argv, w.argv[i]);
	for (size_t i = 0; r == 0 && i < s->plan->env.n; i++)
		strv_add(&a, &env, s->plan->env.v[i]);
	for (size_t i = 0; r == 0 && w.env[i]; i++) {
		char *key = arena_dupn(&a, w.env[i], strcspn(w.env[i], "="));
		if (key && w.env[i][strlen(key)])
			strv_env_set(&a, &env, key, w.env[i] + strlen(key) + 1);
	}
	if (r == 0)
		r = arena_check(&a, err);
	if (r == 0) {
		struct wire_exec_head head = w.head;
		head.tty_fds = m->tty_fds;
		head.rows = m->rows;
		head.cols = m->cols;
		r = wire_exec_write(
			&head, *w.cwd ? w.cwd : s->plan->cwd, w.exe, &argv, &env, &b, err);
	}
	if (r == 0) {
		snprintf(program, 256, "%s", w.exe);
		r = fd_memfd_sealed("bawn-exec", b.data, b.n, err);
		*ret = r;
	}
	if (b.data)
		explicit_bzero(b.data, b.n);
	blob_free(&b);
	wire_exec_free(&w);
	munmap(map, n);
	arena_free(&a);
	return r < 0 ? r : 0;
}

static int request_run(struct sandbox *s, int slot, const struct session_msg *m, int *fds,
	size_t n_fds, struct err *err)
{
	struct server *v = s->server;
	size_t want = 2;
	for (int fd = 0; fd < 3; fd++)
		want += !(m->tty_fds >> fd & 1);
	const bool account = m->flags & SESSION_ACCOUNT;
	if (n_fds != want + account || v->clients[slot].session >= 0)
		return err_set(err, EBADMSG, "a malformed request");
	if (v->ending)
		return err_set(err, ESRCH, "the sandbox is about to stop");
	if (s->frozen) /* they try again until that is done */
		return err_set(err, ESRCH, "everything in there is stopped for a checkpoint");
	_cleanup_close_ int memfd = -1;
	char program[256];
	int r = complete_command(s, fds[0], m, &memfd, program, err);
	struct live *l = r < 0 ? NULL : live_new(v, v->next_id, slot, m->flags & SESSION_DETACHED);
	if (r == 0 && !l)
		r = err_set(err, EAGAIN, "too many sessions (at most %d)", SERVER_SESSIONS);
	if (r < 0)
		return r;
	v->next_id++;
	v->clients[slot].errors = TAKE_FD(fds[1]);
	v->voice = -1;
	choose_voice(v);
	struct control_msg c = {.magic = CONTROL_MAGIC, .kind = CONTROL_EXEC, .session = l->id};
	int out[4] = {memfd};
	for (size_t i = 2; i < want; i++)
		out[i - 1] = fds[i];
	l->timeout_ms = m->value > 0 ? (uint32_t)m->value : 0;
	if (account)
		want_account(s, l, TAKE_FD(fds[want]));
	r = fd_send(s->control, &c, sizeof(c), out, want - 1);
	if (r < 0) {
		l->open = false;
		v->clients[slot].session = -1;
	} else {
		tell(s, l, "begins", program, -1);
	}
	return r < 0 ? err_sys(err, -r, "tell the sandbox") : 0;
}

static int request_attach(struct sandbox *s, int slot, const struct session_msg *m, int *fds,
	size_t n_fds, struct err *err)
{
	struct server *v = s->server;
	struct live *l = NULL;
	for (size_t i = 0; i < SERVER_SESSIONS; i++) {
		struct live *x = &v->live[i];
		if (x->open && x->started && x->master >= 0 &&
			(m->session < 0 ? x->client < 0 && (!l || x->id > l->id)
					: x->id == (uint32_t)m->session))
			l = x;
	}
	if (!l)
		return err_set(err, ENOENT, "it has no session that waits for a terminal");
	if (l->client >= 0)
		return err_set(err, EBUSY, "somebody is at that session's terminal");
	if (n_fds == 1) {
		v->clients[slot].errors = TAKE_FD(fds[0]);
		v->voice = -1;
		choose_voice(v);
	}
	l->client = slot;
	l->detached = true; /* it stays when this terminal goes, too */
	tell(s, l, "attached", "", -1);
	v->clients[slot].session = slot_of(v, l);
	hand_over(s, l);
	return 0;
}

/* As the client that leaves had them. */
static void note_modes(struct live *l, const char *text)
{
	char seen[sizeof(((struct session_msg *)0)->text) + TERM_SEQ_MAX];
	l->screen = (struct term_filter){0};
	term_filter(&l->screen, text, strnlen(text, sizeof(seen) - TERM_SEQ_MAX), seen);
}

static void client_gone(struct sandbox *s, int slot)
{
	struct server *v = s->server;
	struct live *l = v->clients[slot].session >= 0 ? &v->live[v->clients[slot].session] : NULL;
	if (l && l->open) {
		/* Whoever started it was killed: so is it, unless it was meant to stay. */
		if (!l->detached && !GUARD_REMOVED("client-gone"))
			server_signal(s, l, SIGKILL);
		unattended(s, l);
	}
	drop_client(s, slot);
}

/* One line a session: its number, "pty" or "pipe", "attached" or "detached". */
static void status(const struct server *v, struct session_msg *answer)
{
	size_t n = 0;
	answer->flags = v->closed ? SESSION_CLOSED : 0;
	for (size_t i = 0; i < SERVER_SESSIONS; i++) {
		const struct live *l = &v->live[i];
		if (!l->open)
			continue;
		answer->value++;
		int k = snprintf(answer->text + n, sizeof(answer->text) - n, "%u %s %s\n", l->id,
			l->master >= 0 ? "pty" : "pipe", l->client >= 0 ? "attached" : "detached");
		n = k > 0 && (size_t)k < sizeof(answer->text) - n ? n + (size_t)k : n;
	}
}

static int request_freeze(struct sandbox *s, struct client *c, int value, struct err *err)
{
	if (c->froze == (value != 0))
		return 0;
	if (value == 0) {
		c->froze = false;
		sandbox_thaw(s);
		return 0;
	}
	if (s->server->ending)
		return err_set(err, ESRCH, "the sandbox is about to stop");
	int r = sandbox_freeze(s);
	c->froze = r == 0;
	if (r == -ETIME) { /* what comes too late must not stay */
		sandbox_send(s, CONTROL_FREEZE, 0);
		err_hint(err, "stop the sandbox first (bawn stop), or end what keeps it busy");
		return err_set(
			err, ETIME, "what runs in there did not stand still within two seconds");
	}
	return r < 0 ? err_sys(err, -r, "stop what runs in the sandbox") : 0;
}

/* What is only being set up can be ended and looked at; for all else it does not run yet. */
static enum session_kind closed_kind(uint32_t kind)
{
	return kind == SESSION_STOP || kind == SESSION_STATUS || kind == SESSION_DETACH
		? (enum session_kind)kind
		: SESSION_FAILED;
}

static void request(struct sandbox *s, int slot, const struct session_msg *m, int *fds, size_t n)
{
	struct server *v = s->server;
	struct client *c = &v->clients[slot];
	struct err err = {0};
	struct session_msg answer = {.kind = SESSION_DONE};
	int r = 0;
	switch (v->closed ? closed_kind(m->kind) : (enum session_kind)m->kind) {
	case SESSION_FAILED:
		r = err_set(&err, ESRCH, "the sandbox is being set up");
		break;
	case SESSION_RUN:
		r = request_run(s, slot, m, fds, n, &err);
		break;
	case SESSION_ATTACH:
		r = request_attach(s, slot, m, fds, n, &err);
		break;
	case SESSION_SIGNAL:
		if (c->session >= 0 && v->live[c->session].open)
			server_signal(s, &v->live[c->session], m->value);
		return;
	case SESSION_DETACH:
		if (c->session < 0) { /* its session has ended, and its terminal is as it was */
			c->ready = true;
			return;
		}
		v->live[c->session].detached = true;
		note_modes(&v->live[c->session], m->text);
		tell(s, &v->live[c->session], "detached", "", -1);
		client_gone(s, slot);
		return;
	case SESSION_STOP:
		c->waits = true;
		server_stop(s, m->value);
		return;
	case SESSION_FREEZE:
		r = request_freeze(s, c, m->value, &err);
		if (r == 0)
			send_to(v, slot, &answer, NULL, 0);
		break;
	case SESSION_STATUS:
		status(v, &answer);
		send_to(v, slot, &answer, NULL, 0);
		return;
	default:
		if (!s->config.hooks.request)
			r = err_set(&err, ENOSYS, "an unknown request");
		else
			r = s->config.hooks.request(s->config.hooks.ctx, m, fds, n, &answer, &err);
		if (r >= 0)
			send_to(v, slot, &answer, NULL, 0);
		break;
	}
	if (r < 0) {
		session_error(&answer, &err, 125);
		send_to(v, slot, &answer, NULL, 0);
	}
}

void server_client_event(struct sandbox *s, unsigned int slot)
{
	struct client *c = &s->server->clients[slot];
	static struct session_msg m;
	int fds[8];
	size_t n = 0;
	if (c->sock < 0)
		return;
	int r = session_recv(c->sock, &m, fds, &n);
	if (r == -EAGAIN)
		return;
	if (r <= 0) {
		client_gone(s, (int)slot);
		return;
	}
	request(s, (int)slot, &m, fds, n);
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* ---- the end ---- */

void server_before_account(struct sandbox *s)
{
	struct server *v = s->server;
	if (v->last < 0)
		return;
	/* Its DETACH, or its end, says that its terminal is as it was. */
	struct client *c = &v->clients[v->last];
	struct pollfd p = {.fd = c->sock, .events = POLLIN};
	if (!c->ready)
		poll(&p, 1, ACK_MS);
	v->voice = -1;
	if (c->errors >= 0) {
		v->voice = v->last;
		dup2(c->errors, STDERR_FILENO);
	}
}

void server_farewell(struct server *v)
{
	if (v->listener >= 0) {
		unlinkat(v->dirfd, "control.sock", 0);
		close(TAKE_FD(v->listener));
	}
	for (size_t i = 0; i < SERVER_CLIENTS; i++) {
		struct client *c = &v->clients[i];
		if (c->errors >= 0)
			close(TAKE_FD(c->errors));
		if (c->sock >= 0)
			close(TAKE_FD(c->sock));
	}
	v->voice = v->last = -1;
	choose_voice(v);
}

bool server_voice_raw(const struct server *v)
{
	int slot = v->voice;
	if (slot < 0 || v->clients[slot].session < 0)
		return false;
	const struct live *l = &v->live[v->clients[slot].session];
	return l->open && l->master >= 0;
}

void server_title(const struct server *v, const char *text)
{
	struct session_msg m = {.kind = SESSION_TITLE};
	snprintf(m.text, sizeof(m.text), "%s", text);
	if (v->voice >= 0 && v->clients[v->voice].sock >= 0)
		session_send(v->clients[v->voice].sock, &m, NULL, 0);
}

void server_free(struct server *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < SERVER_SESSIONS; i++) {
		if (v->live[i].open && v->live[i].master >= 0)
			close(v->live[i].master);
		if (v->live[i].open && v->live[i].account >= 0)
			close(v->live[i].account);
	}
	server_farewell(v);
	if (v->log >= 0)
		close(v->log);
	if (v->dirfd >= 0)
		close(v->dirfd);
	free(v);
}
