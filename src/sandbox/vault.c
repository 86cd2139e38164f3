/* sandbox/vault.c - see vault.h */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/escape.h"
#include "base/fd.h"
#include "sandbox/launch.h"

enum { CERTIFICATE_MAX = 16384, EVENT_BATCH = 64 };

#define NO_PART ((struct vault_part){.proc = PROC_NONE, .sock = -1})

void vault_clear(struct vault *v)
{
	*v = (struct vault){.config = -1, .resume = -1, .certificate = -1, .errors = -1};
	for (size_t i = 0; i < ARRAY_LEN(v->pair); i++)
		for (size_t k = 0; k < VAULT_PARTS; k++)
			v->pair[i].part[k] = NO_PART;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void end_part(struct vault_part *p)
{
	shut(&p->sock);
	proc_kill(&p->proc);
	*p = NO_PART;
}

static void end_pair(struct vault_pair *pair)
{
	for (size_t i = 0; i < VAULT_PARTS; i++)
		end_part(&pair->part[i]);
	pair->used = false;
}

void vault_end(struct vault *v)
{
	for (size_t i = 0; i < ARRAY_LEN(v->pair); i++)
		end_pair(&v->pair[i]);
	shut(&v->config);
	shut(&v->resume);
	shut(&v->certificate);
	shut(&v->errors);
	free(v->flows);
	free(v->spent);
	vault_clear(v);
}

/* ---- starting them ---- */

/* Slots of the loop's events. */
static unsigned int slot_of(size_t pair, size_t part)
{
	return (unsigned int)(pair * VAULT_PARTS + part);
}

static int watch_part(struct sandbox *s, size_t pair, size_t part)
{
	const int sock = s->vault.pair[pair].part[part].sock;
	struct epoll_event e = {
		.events = EPOLLIN, .data.u64 = (uint64_t)slot_of(pair, part) << 32 | TAG_VAULT};
	if (s->epoll < 0 || sock < 0)
		return 0;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, sock, &e) == 0)
		return 0;
	return epoll_ctl(s->epoll, EPOLL_CTL_MOD, sock, &e) < 0 ? -errno : 0;
}

int vault_watch(struct sandbox *s, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(s->vault.pair); i++)
		for (size_t k = 0; k < VAULT_PARTS; k++) {
			int r = watch_part(s, i, k);
			if (r < 0)
				return err_sys(err, -r, "set up the supervisor");
		}
	return 0;
}

/* The host's own word on whom to trust. */
static void trust(char *const text[2], size_t size, char *ret[3])
{
	static const char *const names[] = {"SSL_CERT_FILE", "SSL_CERT_DIR"};
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *v = getenv(names[i]);
		if (v && *v && (size_t)snprintf(text[i], size, "%s=%s", names[i], v) < size)
			ret[n++] = text[i];
	}
	ret[n] = NULL;
}

static int start_part(struct sandbox *s, size_t part, struct err *err)
{
	static const char *const names[] = {
		[VAULT_KEYS] = "bawn-vault", [VAULT_FRONT] = "bawn-front"};
	struct vault *v = &s->vault;
	struct vault_part *p = &v->pair[0].part[part];
	char path[4096], name[16], file[4200], dir[4200], *env[3] = {NULL};
	int sock[2];
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", s->config.libexec, names[part]) >=
		sizeof(path))
		return err_set(err, ENAMETOOLONG, "path too long: %s", s->config.libexec);
	snprintf(name, sizeof(name), "%s", names[part]);
	if (part == VAULT_KEYS)
		trust((char *const[]){file, dir}, sizeof(file), env);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		return err_sys(err, errno, "socketpair");
	char *argv[] = {name, NULL};
	const int fds[] = {-1, -1, v->errors, sock[1], v->config, v->resume};
	const struct proc_spawn how = {.path = path,
		.argv = argv,
		.envp = env,
		.fds = fds,
		.nfds = part == VAULT_FRONT ? 4
			: v->resume < 0     ? 5
					    : 6,
		.die_with_parent = SIGKILL};
	int r = proc_spawn(&how, &p->proc, err);
	close(sock[1]);
	if (r < 0) {
		close(sock[0]);
		return r;
	}
	p->sock = sock[0];
	fd_set_nonblock(p->sock);
	r = watch_part(s, 0, part);
	return r < 0 ? err_sys(err, -r, "watch %s", name) : 0;
}

static int need_part(struct sandbox *s, size_t part, struct err *err)
{
	return s->vault.pair[0].part[part].sock >= 0 ? 0 : start_part(s, part, err);
}

int sandbox_vault(struct sandbox *s, const void *config, size_t n, struct err *err)
{
	struct vault *v = &s->vault;
	int fd = fd_memfd_sealed("bawn-vault", config, n, err);
	if (fd < 0)
		return fd;
	shut(&v->config);
	v->config = fd;
	if (v->errors < 0)
		v->errors = memfd_create("bawn-vault-errors", MFD_CLOEXEC);
	end_pair(&v->pair[1]);
	if (v->pair[0].used) {
		v->pair[1] = v->pair[0];
		v->pair[0] = (struct vault_pair){.part = {NO_PART, NO_PART}};
		int r = vault_watch(s, err);
		if (r < 0)
			return r;
	} else {
		end_pair(&v->pair[0]);
	}
	/* only the first is waited for: those after it have its authority */
	return v->resume < 0 ? start_part(s, VAULT_KEYS, err) : 0;
}

int sandbox_vault_renew(struct sandbox *s, const void *config, size_t n, struct err *err)
{
	struct vault *v = &s->vault;
	const struct vault_flow_msg m = {
		.magic = VAULT_MAGIC, .kind = VAULT_RENEW, .upload_spent = n};
	int fd = fd_memfd_sealed("bawn-vault", config, n, err);
	if (fd < 0)
		return fd;
	shut(&v->config);
	v->config = fd;
	for (size_t i = 0; i < ARRAY_LEN(v->pair); i++) {
		struct vault_part *p = &v->pair[i].part[VAULT_KEYS];
		if (p->sock >= 0 && fd_send(p->sock, &m, sizeof(m), &fd, 1) < 0)
			end_part(p); /* the next one starts with it */
	}
	return 0;
}

bool sandbox_has_vault(const struct sandbox *s)
{
	return s->vault.config >= 0;
}

/* ---- what the vault says when it is ready ---- */

static void take_ready(struct vault *v, int fds[2], size_t n_fds)
{
	if (n_fds == 2 && v->resume < 0) {
		v->certificate = fds[0];
		v->resume = fds[1];
		return;
	}
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
}

static int failed_start(struct vault *v, struct err *err)
{
	char raw[512] = "", shown[512];
	ssize_t n = v->errors >= 0 ? fd_pread_full(v->errors, raw, sizeof(raw) - 1, 0) : 0;
	raw[MAX(n, 0)] = '\0';
	raw[strcspn(raw, "\n")] = '\0';
	end_pair(&v->pair[0]);
	err_hint(err, "without the policy's credentials: bawn run --expose-key VARIABLE");
	return err_set(err, EIO, "the vault did not start%s%s", *raw ? ": " : "",
		escape_text(shown, sizeof(shown), raw));
}

int sandbox_vault_certificate(struct sandbox *s, struct arena *a, const char **ret, struct err *err)
{
	struct vault *v = &s->vault;
	struct vault_tell_msg m;
	struct pollfd p = {.fd = v->pair[0].part[VAULT_KEYS].sock, .events = POLLIN};
	while (v->resume < 0) {
		int fds[2];
		size_t n_fds = 0;
		if (poll(&p, 1, VAULT_READY_MS) <= 0 ||
			fd_recv(p.fd, &m, sizeof(m), fds, ARRAY_LEN(fds), &n_fds) != sizeof(m) ||
			m.magic != VAULT_MAGIC || m.kind != VAULT_READY || n_fds != 2)
			return failed_start(v, err);
		take_ready(v, fds, n_fds);
	}
	char *text = arena_alloc(a, CERTIFICATE_MAX + 1);
	ssize_t n = text ? fd_pread_full(v->certificate, text, CERTIFICATE_MAX, 0) : -ENOMEM;
	if (n <= 0)
		return err_sys(err, n < 0 ? (int)-n : EIO, "read the sandbox's certificate");
	*ret = text;
	return 0;
}

/* ---- connections ---- */

static struct vault_spent *spent_at(struct vault *v, const char *name, uint16_t port)
{
	if (!v->spent)
		v->spent = calloc(VAULT_SPENT, sizeof(*v->spent));
	for (unsigned i = 0; v->spent && i < v->n_spent; i++)
		if (v->spent[i].port == port && streq(v->spent[i].name, name))
			return &v->spent[i];
	if (!v->spent || v->n_spent == VAULT_SPENT)
		return NULL;
	struct vault_spent *x = &v->spent[v->n_spent++];
	x->port = port;
	snprintf(x->name, sizeof(x->name), "%s", name);
	return x;
}

static void remember(struct vault *v, uint32_t id, const char *name, uint16_t port)
{
	if (!v->flows)
		v->flows = calloc(VAULT_FLOWS, sizeof(*v->flows));
	if (!v->flows)
		return;
	struct vault_flow *f = &v->flows[id % VAULT_FLOWS];
	f->id = id;
	f->port = port;
	snprintf(f->name, sizeof(f->name), "%s", name);
}

static int tell_part(struct vault_part *p, const struct vault_flow_msg *m, const int fds[2])
{
	int r = fd_send(p->sock, m, sizeof(*m), fds, 2);
	if (r < 0) /* it has died, or is as good as dead */
		end_part(p);
	return r;
}

/* One end of each stream to each of them. */
static int hand_over(struct sandbox *s, const struct vault_flow_msg *m, int agent,
	const int link[2], int up, struct err *err)
{
	struct vault_pair *now = &s->vault.pair[0];
	const int ends[VAULT_PARTS][2] = {
		[VAULT_KEYS] = {link[1], up}, [VAULT_FRONT] = {agent, link[0]}};
	for (size_t part = 0; part < VAULT_PARTS; part++) {
		int r = need_part(s, part, err);
		if (r == 0 && tell_part(&now->part[part], m, ends[part]) < 0) {
			r = need_part(s, part, err);
			if (r == 0)
				r = tell_part(&now->part[part], m, ends[part]);
		}
		if (r < 0)
			return err->code ? r : err_sys(err, -r, "reach the vault");
	}
	return 0;
}

static enum sandbox_terminated wanted(struct sandbox *s, const char *name, uint16_t port)
{
	return s->config.hooks.terminated
		? s->config.hooks.terminated(s->config.hooks.ctx, name, port)
		: SANDBOX_END_TO_END;
}

const char *vault_refuse(void *sandbox, const char *name, uint16_t port, bool raw)
{
	struct sandbox *s = sandbox;
	if (wanted(s, name, port) != SANDBOX_RULES || GUARD_REMOVED("rules-terminated"))
		return NULL;
	if (raw)
		return "rules on its requests can't be held where a rule says raw";
	if (port == 80)
		return "rules on its requests can't be held on port 80: use https";
	return s->vault.config < 0 ? "rules on its requests count from the next start" : NULL;
}

uint64_t vault_limit(void *sandbox, const char *name, uint16_t port, uint32_t *ret_rule)
{
	const struct sandbox_hooks *h = &((struct sandbox *)sandbox)->config.hooks;
	return h->max_upload ? h->max_upload(h->ctx, name, port, ret_rule) : 0;
}

struct http_verdict vault_judge(
	void *sandbox, const char *name, uint16_t port, const char *method, const char *target)
{
	struct sandbox *s = sandbox;
	if (!s->config.hooks.judge)
		return (struct http_verdict){.action = EGRESS_ALLOW, .rule = EGRESS_NO_RULE};
	return s->config.hooks.judge(s->config.hooks.ctx, name, port, method, target);
}

int vault_flow(
	void *sandbox, const char *name, uint16_t port, bool raw, int up, int *ret, struct err *err)
{
	struct sandbox *s = sandbox;
	struct vault *v = &s->vault;
	const char *why = vault_refuse(s, name, port, raw);
	if (why) /* the policy has changed since it was asked for */
		return err_set(err, EPERM, "%s", why);
	if (v->config < 0 || raw || port == 80 || wanted(s, name, port) == SANDBOX_END_TO_END)
		return 1;
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int agent[2], link[2];
	if (socketpair(AF_UNIX, type, 0, agent) < 0)
		return err_sys(err, errno, "socketpair");
	if (socketpair(AF_UNIX, type, 0, link) < 0) {
		int e = errno;
		close(agent[0]);
		close(agent[1]);
		return err_sys(err, e, "socketpair");
	}
	struct vault_flow_msg m = {
		.magic = VAULT_MAGIC, .kind = VAULT_FLOW, .flow = ++v->next, .port = port};
	snprintf(m.name, sizeof(m.name), "%s", name);
	const struct vault_spent *spent = spent_at(v, name, port);
	m.upload_spent = spent ? spent->up : 0;
	remember(v, m.flow, name, port);
	int r = hand_over(s, &m, agent[1], link, up, err);
	v->pair[0].used = true;
	close(agent[1]);
	close(link[0]);
	close(link[1]);
	if (r < 0) {
		close(agent[0]);
		return r;
	}
	close(up);
	*ret = agent[0];
	return 0;
}

/* ---- what they tell ---- */

static void tell(struct sandbox *s, const struct vault_tell_msg *m, bool former)
{
	struct vault *v = &s->vault;
	const struct vault_flow *f = v->flows ? &v->flows[m->flow % VAULT_FLOWS] : NULL;
	if (!f || f->id != m->flow || !m->flow || !s->config.hooks.http)
		return;
	struct vault_spent *spent = spent_at(v, f->name, f->port);
	if (spent && m->up > spent->up)
		spent->up = m->up;
	char method[sizeof(m->method) * 4], path[sizeof(m->path) * 4], text[sizeof(m->text) * 4];
	const struct sandbox_http h = {.name = f->name,
		.port = f->port,
		.method = escape_text(method, sizeof(method), m->method),
		.path = escape_text(path, sizeof(path), m->path),
		.text = escape_text(text, sizeof(text), m->text),
		.status = m->status,
		.why = m->why,
		.injected = m->injected,
		.lost = m->lost,
		/* its number is one of a table that counts no more */
		.rule = former ? EGRESS_NO_RULE : m->rule};
	s->config.hooks.http(s->config.hooks.ctx, &h);
}

static void part_ended(struct sandbox *s, size_t pair, size_t part)
{
	end_part(&s->vault.pair[pair].part[part]);
	if (pair == 0 && !s->exited && s->config.hooks.message)
		s->config.hooks.message(s->config.hooks.ctx,
			"the vault ended, and with it what went through it; it is started again at "
			"the next connection");
}

static void tell_all(
	struct sandbox *s, size_t pair, size_t part, struct vault_tell_msg *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (m[i].magic != VAULT_MAGIC || m[i].kind != VAULT_EVENT) {
			part_ended(s, pair, part);
			return;
		}
		m[i].method[sizeof(m->method) - 1] = m[i].path[sizeof(m->path) - 1] =
			m[i].text[sizeof(m->text) - 1] = '\0';
		tell(s, &m[i], pair > 0);
	}
}

/* False: nothing more is there. */
static bool hear(struct sandbox *s, size_t pair, size_t part)
{
	static struct vault_tell_msg m[VAULT_TELL_BATCH];
	const int sock = s->vault.pair[pair].part[part].sock;
	int fds[2];
	size_t n_fds = 0;
	ssize_t n = sock < 0 ? -EAGAIN : fd_recv(sock, m, sizeof(m), fds, ARRAY_LEN(fds), &n_fds);
	if (n == -EAGAIN)
		return false;
	if (n == sizeof(m[0]) && m[0].magic == VAULT_MAGIC && m[0].kind == VAULT_READY &&
		part == VAULT_KEYS) {
		take_ready(&s->vault, fds, n_fds);
		return true;
	}
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	if (n <= 0 || (size_t)n % sizeof(m[0])) {
		part_ended(s, pair, part);
		return false;
	}
	tell_all(s, pair, part, m, (size_t)n / sizeof(m[0]));
	return true;
}

void vault_event(struct sandbox *s, unsigned int slot)
{
	for (int i = 0; i < EVENT_BATCH; i++)
		if (!hear(s, slot / VAULT_PARTS % 2, slot % VAULT_PARTS))
			return;
}

/* They end where the supervisor does, with what they haven't told yet. */
static void last_words(struct sandbox *s, size_t pair, size_t part)
{
	struct pollfd p = {.fd = s->vault.pair[pair].part[part].sock, .events = POLLIN};
	if (p.fd < 0)
		return;
	shutdown(p.fd, SHUT_WR);
	for (int i = 0; i < EVENT_BATCH && poll(&p, 1, VAULT_LAST_MS) > 0; i++)
		if (!hear(s, pair, part))
			return;
}

void vault_drain(struct sandbox *s)
{
	for (size_t pair = 0; pair < ARRAY_LEN(s->vault.pair); pair++)
		for (size_t part = 0; part < VAULT_PARTS && s->vault.pair[pair].used; part++)
			last_words(s, pair, part);
}
