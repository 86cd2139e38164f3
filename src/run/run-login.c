/* run/run-login.c - see login.h */
#include "run/login.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/escape.h"
#include "base/fd.h"
#include "run/credential.h"
#include "run/run.h"

enum { FIRST_MS = 100000, STARTS_APART_S = 30 };

bool run_logins_take(struct run *r, const char *text)
{
	struct run_logins *all = &r->logins;
	size_t n = strcspn(text, "="), i = 0;
	if (!text[n] || text[n + 1] != '{' || n == 0)
		return false;
	char *name = arena_dupn(&r->arena, text, n), *spec = arena_dup(&r->arena, text + n + 1);
	while (name && i < all->n && !streq(all->v[i].name, name))
		i++;
	if (!name || !spec || i == LOGIN_MAX || (i < all->n && streq(all->v[i].spec, spec)))
		return false;
	all->v[i].name = name;
	all->v[i].spec = spec;
	all->n = MAX(all->n, i + 1);
	return true;
}

struct run_login *run_login_of(struct run *r, const char *name)
{
	for (size_t i = 0; i < r->logins.n; i++)
		if (streq(r->logins.v[i].name, name) && r->logins.v[i].token.n)
			return &r->logins.v[i];
	return NULL;
}

/* ---- bawn-login ---- */

static int specs(struct run *r, struct err *err)
{
	char *text = arena_dup(&r->arena, "");
	for (size_t i = 0; text && i < r->logins.n; i++)
		text = arena_printf(&r->arena, "%s{\"name\":\"%s\",%s\n", text, r->logins.v[i].name,
			r->logins.v[i].spec + 1);
	return text ? fd_memfd_sealed("bawn-logins", text, strlen(text), err)
		    : err_set(err, ENOMEM, "out of memory");
}

static int start(struct run *r, struct err *err)
{
	static const char *const names[] = {"SSL_CERT_FILE", "SSL_CERT_DIR", "https_proxy",
		"HTTPS_PROXY", "no_proxy", "NO_PROXY"};
	char *path = path_join(&r->arena, r->install.libexec, "bawn-login");
	struct strv argv = {0}, env = {0};
	int sock[2];
	strv_add(&r->arena, &argv, "bawn-login");
	strv_push(&r->arena, &argv, path_join(&r->arena, r->store.xdg.data, "logins"));
	for (size_t i = 0; i < r->opt.connect_to_texts.n; i++)
		strv_add(&r->arena, &argv, r->opt.connect_to_texts.v[i]);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (getenv(names[i]))
			strv_addf(&r->arena, &env, "%s=%s", names[i], getenv(names[i]));
	_cleanup_close_ int what = specs(r, err);
	if (what < 0)
		return what;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		return err_sys(err, errno, "socketpair");
	const int fds[] = {-1, -1, -1, sock[1], what};
	/* It outlives us by what it is in the middle of: a token that was asked for is kept. */
	const struct proc_spawn how = {
		.path = path, .argv = argv.v, .envp = env.v, .fds = fds, .nfds = ARRAY_LEN(fds)};
	struct proc p = PROC_NONE;
	int k = path ? proc_spawn(&how, &p, err) : err_set(err, ENOMEM, "out of memory");
	close(sock[1]);
	if (k < 0) {
		close(sock[0]);
		return k;
	}
	close(p.pidfd);
	run_logins_end(r);
	r->logins.sock = sock[0];
	r->logins.started = run_now();
	return 0;
}

static void keep(struct secret_buf *b, const char *v, size_t n)
{
	struct err err = {0};
	secret_buf_free(b);
	if (secret_buf_alloc(b, &err) < 0)
		return;
	memcpy(b->v, v, n);
	b->v[n] = '\0';
	b->n = n;
}

static void take_token(struct run_login *l, const struct login_msg *m)
{
	secret_buf_free(&l->former);
	l->former = l->token;
	l->token = (struct secret_buf){0};
	keep(&l->token, m->token, m->n);
	l->dead = l->refused = l->said = false;
}

/* One word of bawn-login's: its log-in, or NULL: it has ended, or there is nothing to hear. */
static struct run_login *hear(struct run *r, struct login_msg *m, int flags, bool *ret_over)
{
	ssize_t n = recv(r->logins.sock, m, sizeof(*m), flags);
	*ret_over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) ||
		(n > 0 &&
			(n != sizeof(*m) || m->magic != LOGIN_MAGIC || m->which >= r->logins.n ||
				m->n >= sizeof(m->token) || m->n > SECRET_MAX));
	if (n <= 0 || *ret_over)
		return NULL;
	m->text[sizeof(m->text) - 1] = m->hint[sizeof(m->hint) - 1] = '\0';
	return &r->logins.v[m->which];
}

static int ended(struct err *err)
{
	err_hint(err, "without your log-in: bawn run --no-login");
	return err_set(err, EPIPE, "bawn-login, which looks after your log-ins, does not answer");
}

int run_logins_start(struct run *r, struct err *err)
{
	static struct login_msg m;
	char shown[1600];
	int k = start(r, err);
	for (size_t i = 0; i < r->logins.n && k == 0; i++) {
		struct pollfd p = {.fd = r->logins.sock, .events = POLLIN};
		bool over = poll(&p, 1, FIRST_MS) <= 0;
		struct run_login *l = over ? NULL : hear(r, &m, 0, &over);
		if (!l)
			return ended(err);
		if (m.kind == LOGIN_TOKEN) {
			take_token(l, &m);
			continue;
		}
		escape_text(shown, sizeof(shown), m.text);
		if (m.kind == LOGIN_DEAD) {
			err_hint(err, "%s", m.hint);
			return err_set(err, EKEYEXPIRED, "%s", shown);
		}
		l->said = true;
		strv_addf(&r->arena, &r->plan.notices, "%s; it is tried again", shown);
	}
	explicit_bzero(m.token, sizeof(m.token));
	return k < 0 ? k : sandbox_follow(r->sandbox, r->logins.sock, err);
}

int run_logins_memfd(struct run *r, struct err *err)
{
	char *all = NULL;
	size_t n = 0;
	for (size_t i = 0; i < r->logins.n; i++) {
		const struct run_login *l = &r->logins.v[i];
		size_t more = strlen(l->name) + strlen(l->spec) + 3;
		char *bigger = realloc(all, n + more);
		if (!bigger)
			break;
		all = bigger;
		n += (size_t)snprintf(all + n, more, "@%s=%s", l->name, l->spec) + 1;
	}
	int fd = n ? fd_memfd_sealed("bawn-keys", all, n, err) : -ENOENT;
	free(all);
	return fd;
}

/* ---- while it runs ---- */

static void apply(struct run *r)
{
	struct err err = {0};
	if (run_vault_renew(r, &err) < 0)
		run_message(r, "a renewed log-in did not reach the vault: %s", err.msg);
}

static void lost(struct run *r)
{
	struct err err = {0};
	uint64_t before = r->logins.started;
	sandbox_follow(r->sandbox, -1, &err);
	run_logins_end(r);
	if (run_now() - before > (uint64_t)STARTS_APART_S * 1000000000u && start(r, &err) == 0 &&
		sandbox_follow(r->sandbox, r->logins.sock, &err) == 0)
		return;
	run_message(r, "bawn-login ended: your log-in is not renewed any more in this run");
}

static void note(struct run *r, const struct run_login *l, const char *what)
{
	char state[200];
	snprintf(state, sizeof(state), "%s %s", what, l->name);
	const struct audit_field f[] = {
		{.key = "agent", .str = r->pack.profile.name}, {.key = "state", .str = state}};
	run_audit(r, "login", f, ARRAY_LEN(f));
}

void run_logins_told(void *ctx)
{
	static struct login_msg m;
	struct run *r = ctx;
	char shown[1600];
	bool over;
	struct run_login *l = hear(r, &m, MSG_DONTWAIT, &over);
	if (over) {
		lost(r);
		return;
	}
	if (!l)
		return;
	if (m.kind == LOGIN_TOKEN) {
		take_token(l, &m);
		explicit_bzero(m.token, sizeof(m.token));
		note(r, l, "renewed");
		apply(r);
		return;
	}
	l->refused = false;
	l->dead |= m.kind == LOGIN_DEAD;
	if (!l->said)
		run_message(r, "%s%s%s", escape_text(shown, sizeof(shown), m.text),
			m.hint[0] ? "; " : "", m.hint);
	note(r, l, "not renewed:");
	l->said = true;
	apply(r); /* its refusals are the agent's to see from now on */
}

void run_logins_answered(struct run *r, const struct sandbox_http *h)
{
	static struct login_msg m;
	for (size_t i = 0; i < r->n_credentials && h->status == 401 && h->injected; i++) {
		const struct run_credential *c = &r->credentials[i];
		struct run_login *l = c->active && c->from_login &&
				credential_goes_to(c->c, h->name, h->port)
			? run_login_of(r, c->c->secret)
			: NULL;
		if (!l || l->refused || l->dead || r->logins.sock < 0)
			continue;
		m = (struct login_msg){.magic = LOGIN_MAGIC,
			.kind = LOGIN_REFUSED,
			.which = (uint32_t)(l - r->logins.v),
			.n = (uint32_t)l->token.n};
		memcpy(m.token, l->token.v, l->token.n);
		l->refused = send(r->logins.sock, &m, sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
		explicit_bzero(m.token, sizeof(m.token));
	}
}

void run_logins_end(struct run *r)
{
	if (r->logins.sock >= 0)
		close(r->logins.sock);
	r->logins.sock = -1;
}
