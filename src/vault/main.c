/* vault/main.c - bawn-vault: credentials, the sandbox's authority, and the upstream's side of
 * terminated connections.
 *
 * Given: see vault.h.  It opens what it needs of the host (certificates to trust), then confines
 * itself; connections come from the supervisor, checked and connected.  No other process holds a
 * secret, and this one reads nothing of the agent's that bawn-front has not written anew.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "vault/ca.h"
#include "vault/upstream.h"

enum { CONFIG_FD = 4, RESUME_FD = 5, ROUNDS = 32, STEPS = 256, LEAVES = 256 };
enum { HANDSHAKE_MS = 20000, LINGER_MS = 5000 };
#define CONFIG_MAX ((size_t)64 << 20)

struct vault_config vault_config;
static struct ca *ca;

struct leaf {
	char name[256];
	uint64_t until; /* ms */
	struct buf der;
};
static struct leaf leaves[LEAVES];

/* The leaf of a name: the one in use, or a new one in the place of the oldest. */
static const struct buf *leaf_of(const char *name)
{
	struct leaf *l = &leaves[0];
	struct err err;
	uint64_t now = loop_now();
	for (size_t i = 0; i < LEAVES; i++) {
		if (leaves[i].until > now && streq(leaves[i].name, name))
			return &leaves[i].der;
		if (leaves[i].until < l->until)
			l = &leaves[i];
	}
	buf_free(&l->der);
	l->until = 0;
	if (ca_leaf(ca, name, &l->der, &err) < 0)
		return NULL;
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->until = now + (uint64_t)CA_LEAF_RENEW_S * 1000;
	return &l->der;
}

static void start(struct flow *f, const struct vault_flow_msg *m)
{
	struct upstream *u = (struct upstream *)(void *)f;
	const struct buf *leaf = leaf_of(f->name);
	upstream_spent(u, m->upload_spent);
	f->deadline = loop_now() + HANDSHAKE_MS;
	f->tls = tls_upstream(&f->wire, f->name);
	if (!leaf || !f->tls || link_put(&f->link, LINK_LEAF, buf_data(leaf), leaf->n) < 0)
		f->dead = true;
}

static void fail(struct upstream *u, enum vault_why why, const char *fmt, ...) _printf_(3, 4);
static void fail(struct upstream *u, enum vault_why why, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(u->text, sizeof(u->text), fmt, ap);
	va_end(ap);
	u->state = UP_FAILED;
	u->why = why;
	u->f.deadline = 0;
}

static bool shake_hands(struct upstream *u)
{
	char why[120] = "";
	int r = tls_handshake(u->f.tls, why, sizeof(why));
	if (r == 0)
		return false;
	if (r > 0) {
		u->state = UP_OPEN;
		u->f.deadline = 0;
	} else if (r == -EKEYREJECTED) {
		fail(u, VAULT_WHY_UNTRUSTED,
			"the host's certificate does not hold (%s), so nothing was sent to it",
			why);
	} else {
		fail(u, VAULT_WHY_UPSTREAM, "no TLS with the host: %s", why);
	}
	return true;
}

static bool write_upstream(struct upstream *u)
{
	if (u->out.n == 0 || u->state != UP_OPEN)
		return false;
	ssize_t n = tls_write(u->f.tls, buf_data(&u->out), u->out.n);
	if (n == -EAGAIN)
		return false;
	if (n < 0) {
		/* it may have answered before it closed */
		buf_free(&u->out);
		return true;
	}
	buf_eat(&u->out, (size_t)n);
	return true;
}

/* Within bounds, as the other side may have no end. */
static bool as_far(struct upstream *u, bool (*step)(struct upstream *u))
{
	int i = 0;
	while (i < STEPS && !u->f.dead && step(u))
		i++;
	return i > 0;
}

static bool round_of(struct upstream *u)
{
	bool moved = false;
	if (u->state == UP_HANDSHAKE)
		moved |= shake_hands(u);
	/* each as far as it goes, then one call for all of it */
	moved |= as_far(u, upstream_ask);
	moved |= as_far(u, write_upstream);
	moved |= as_far(u, upstream_answer);
	ssize_t n = u->f.dead ? 0 : link_flush(&u->f.link);
	if (n < 0)
		u->f.dead = true;
	/* said all: the front ends the flow, or else this does */
	if (u->state == UP_OVER && u->f.link.out.n == 0 && !u->f.deadline) {
		shutdown(u->f.link.wire.fd, SHUT_WR);
		u->f.deadline = loop_now() + LINGER_MS;
	}
	return (moved || n > 0) && !u->f.dead;
}

static bool pump(struct flow *f)
{
	struct upstream *u = (struct upstream *)(void *)f;
	for (int i = 0; i < ROUNDS; i++) {
		if (round_of(u))
			continue;
		buf_trim(&u->in);
		buf_trim(&u->out);
		buf_trim(&u->held);
		buf_trim(&u->control);
		buf_trim(&f->link.in);
		buf_trim(&f->link.out);
		return false;
	}
	return true;
}

static void late(struct flow *f)
{
	struct upstream *u = (struct upstream *)(void *)f;
	if (u->state == UP_HANDSHAKE)
		fail(u, VAULT_WHY_UPSTREAM, "no TLS with the host: %s",
			"it did not answer in time");
	else
		f->dead = true;
}

static void stop(struct flow *f)
{
	struct upstream *u = (struct upstream *)(void *)f;
	if (f->tls && u->state != UP_HANDSHAKE)
		tls_bye(f->tls);
	buf_free(&u->in);
	buf_free(&u->out);
	buf_free(&u->held);
	buf_free(&u->control);
}

/* ---- start ---- */

/* A descriptor's content, mapped; *ret_n 0 for what is no file. */
static const char *map(int fd, size_t *ret_n)
{
	struct stat st;
	*ret_n = 0;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
		(size_t)st.st_size > CONFIG_MAX)
		return NULL;
	const char *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	madvise((void *)(uintptr_t)p, (size_t)st.st_size, MADV_DONTDUMP);
	*ret_n = (size_t)st.st_size;
	return p;
}

static int read_authority(struct err *err)
{
	size_t n;
	const char *saved = map(RESUME_FD, &n);
	ca = saved ? ca_load(saved, n, err) : ca_make(err);
	if (saved)
		munmap((void *)(uintptr_t)saved, n);
	close(RESUME_FD);
	return ca ? 0 : -EIO;
}

static int make_ready(int fds[static 2], struct err *err)
{
	struct buf cert = {0}, saved = {0};
	int r = ca_cert(ca, &cert, err);
	r = r < 0 ? r : ca_save(ca, &saved, err);
	if (r == 0)
		r = fds[0] = fd_memfd_sealed("authority", buf_data(&cert), cert.n, err);
	if (r >= 0)
		r = fds[1] = fd_memfd_sealed("authority-key", buf_data(&saved), saved.n, err);
	buf_free(&cert);
	buf_free(&saved);
	return r < 0 ? r : 0;
}

/* The supervisor's memfd stays, for a successor; here is a copy without what is secret. */
static int read_config(struct err *err)
{
	size_t n;
	const char *given = map(CONFIG_FD, &n);
	char *copy = given ? malloc(n) : NULL;
	if (!copy)
		return err_set(err, EINVAL, "no configuration");
	memcpy(copy, given, n);
	munmap((void *)(uintptr_t)given, n);
	close(CONFIG_FD);
	return config_read(&vault_config, copy, n, err);
}

/* The supervisor has a newer secret for a credential.  What is wrong with it leaves all as it is.
 */
static void renew(int fd, size_t n)
{
	static char *kept; /* what the strings of vault_config lie in, after the first */
	struct vault_config fresh = {0};
	struct err err;
	const char *given = n && n <= CONFIG_MAX ? mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0)
						 : MAP_FAILED;
	if (given == MAP_FAILED)
		return;
	madvise((void *)(uintptr_t)given, n, MADV_DONTDUMP);
	char *copy = malloc(n);
	if (copy)
		memcpy(copy, given, n);
	munmap((void *)(uintptr_t)given, n);
	if (!copy || config_read(&fresh, copy, n, &err) < 0) {
		config_erase(&fresh);
		free(copy);
		return;
	}
	config_erase(&vault_config);
	vault_config = fresh;
	free(kept);
	kept = copy;
}

static int set_up(struct err *err)
{
	struct vault_tell_msg ready = {.magic = VAULT_MAGIC, .kind = VAULT_READY};
	int fds[2] = {-1, -1};
	int r = read_config(err);
	r = r < 0 ? r : read_authority(err);
	r = r < 0 ? r : tls_upstream_setup(err);
	r = r < 0 ? r : make_ready(fds, err);
	r = r < 0 ? r : loop_confine(err);
	if (r == 0 && fd_send(LOOP_SUPER_FD, &ready, sizeof(ready), fds, 2) < 0)
		r = err_set(err, EPIPE, "the supervisor is gone");
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return r;
}

int main(void)
{
	static struct err err;
	static const struct loop_ops ops = {.flow_size = sizeof(struct upstream),
		.agent_fd = 1,
		.start = start,
		.pump = pump,
		.late = late,
		.stop = stop,
		.renew = renew};
	setsid(); /* signals of the terminal are the supervisor's to act on */
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_DUMPABLE, 0);
	syscall(SYS_close_range, RESUME_FD + 1, ~0u, 0);
	if (set_up(&err) < 0) {
		dprintf(STDERR_FILENO, "bawn: vault: %s%s%s\n", err.msg, *err.hint ? "; " : "",
			err.hint);
		return 1;
	}
	int r = loop_run(&ops);
	config_erase(&vault_config);
	return r;
}
