/* run/checkpoint.c - see checkpoint.h; and what a start has to do about layers.
 *
 * A sandbox at rest is frozen where it is: what it wrote becomes a layer by being renamed.  One
 * that runs goes on writing into the same directory, so it gets a copy, made by this process while
 * its supervisor holds everything inside stopped for us; when we go, for whatever reason, it goes
 * on.
 */
#include "run/checkpoint.h"

#include "run/clone.h"

#include <inttypes.h>
#include <sys/mman.h>
#include <time.h>

#include "base/escape.h"

#define SAY_AFTER_NS 1000000000u
#define SAY_EVERY_NS 500000000u

static int ask(int sock, uint32_t kind, int value, struct err *err)
{
	static struct session_msg answer;
	struct session_msg m = {.kind = kind, .value = value};
	return lasting_request(sock, &m, NULL, 0, &answer, err);
}

/* It runs: everything inside stands still for us.  -ESRCH (err untouched): not any more. */
static int stop_running(struct run *r, const char *name, int *ret_sock, struct err *err)
{
	struct err gone = {0};
	_cleanup_close_ int sock = lasting_connect(r, name, err);
	if (sock < 0)
		return sock;
	int k = ask(sock, SESSION_FREEZE, 1, &gone);
	if (k == -EIO || k == -ESRCH)
		return -ESRCH;
	if (k < 0) {
		*err = gone;
		return k;
	}
	*ret_sock = TAKE_FD(sock);
	return 0;
}

int checkpoint_open(struct run *r, const char *name, int *ret_sock, struct err *err)
{
	const uint64_t begin = run_now();
	unsigned int tries = 0;
	*ret_sock = -1;
	for (;;) {
		int k = lasting_find_name(r, name, err);
		if (k == 0)
			k = store_sandbox_lock(&r->store, &r->arena, name, &r->box, err);
		if (k == -ENOENT && !err->code)
			return lasting_unknown(r, name, err);
		if (k == -EBUSY && !err->code)
			k = stop_running(r, name, ret_sock, err);
		if (k == 0) /* it may have changed until we had it */
			return lasting_find_name(r, name, err);
		if (k != -ESRCH || err->code)
			return k;
		if (!lasting_pause(begin, &tries)) {
			err_hint(err, "another command is changing it; see what runs: bawn ls");
			return err_set(err, EBUSY, "sandbox %s is locked and doesn't answer", name);
		}
	}
}

void checkpoint_say_workspace(const struct run *r, const char *what)
{
	char shown[512];
	if (r->spec.workspace && streq(r->spec.mode, "direct"))
		run_message(r, "%s: the workspace %s is worked on directly and is no part of it",
			what, escape_text(shown, sizeof(shown), r->spec.workspace));
}

/* ---- copying what a running one has written ---- */

struct progress {
	uint64_t begin, said;
	bool tty;
};

static const char *amount(char *dst, size_t n, uint64_t bytes)
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
	double v = (double)bytes;
	size_t u = 0;
	for (; v >= 1000 && u + 1 < ARRAY_LEN(units); u++)
		v /= 1000;
	snprintf(dst, n, "%.*f %s", u ? 1 : 0, v, units[u]);
	return dst;
}

/* In the process that copies. */
static void on_progress(void *ctx, const struct tree_copy *c)
{
	struct progress *p = ctx;
	char bytes[32];
	if (c->files % 64 && c->bytes == 0)
		return;
	uint64_t now = run_now();
	if (!p->tty || now - p->begin < SAY_AFTER_NS || now - p->said < SAY_EVERY_NS)
		return;
	p->said = now;
	amount(bytes, sizeof(bytes), c->bytes);
	fprintf(stderr, "\rbawn: the sandbox is stopped; copied %s, %" PRIu64 " files ", bytes,
		c->files);
}

int checkpoint_copy(struct run *r, int sock, struct kept_state *ret, struct err *err)
{
	struct kept_state k = {.sock = sock, .layers = r->spec.layers};
	struct progress p = {.begin = run_now(), .tty = isatty(STDERR_FILENO)};
	/* shared with the process that copies: it counts */
	struct tree_copy *c = mmap(
		NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char bytes[32];
	struct store_box b = {.dir = path_join(&r->arena, r->store.sandboxes, r->spec.name)};
	k.id = layer_id_new(&r->arena);
	if (!k.id || !b.dir || c == MAP_FAILED)
		return err_set(err, ENOMEM, "out of memory");
	*c = (struct tree_copy){.progress = on_progress, .ctx = &p};
	k.hold = layers_hold(&r->store, err);
	int e = k.hold < 0 ? k.hold : 0;
	/* what it is made of can't change while it runs; when it ended just now, the lock is free
	 */
	if (e == 0)
		e = layer_copy(&r->store, &r->arena, &b, k.id, c, err);
	uint64_t ms = (run_now() - p.begin) / 1000000;
	if (e == 0)
		e = ask(sock, SESSION_FREEZE, 0, err);
	if (e < 0) {
		if (k.hold >= 0)
			close(k.hold);
		return e;
	}
	struct strv layers = {0};
	for (size_t i = 0; i < k.layers.n; i++)
		strv_push(&r->arena, &layers, k.layers.v[i]);
	strv_push(&r->arena, &layers, k.id);
	k.layers = layers;
	if (p.tty && ms > SAY_AFTER_NS / 1000000)
		fputs("\r\033[K", stderr);
	run_message(r,
		"it runs: it stood still for %" PRIu64 " ms, in which %" PRIu64
		" files (%s that could not be shared) were copied",
		ms, c->files, amount(bytes, sizeof(bytes), c->bytes));
	munmap(c, sizeof(*c));
	*ret = k;
	return arena_check(&r->arena, err);
}

/* ---- the supervisor's part ---- */

int lasting_note_checkpoint(struct run *r, const char *text, struct err *err)
{
	const char *id = strchr(text, ' ');
	struct spec changed = r->spec;
	struct checkpoint c = {.time = (int64_t)time(NULL), .parent = r->spec.base};
	if (!id || !layer_id_ok(id + 1))
		return err_set(err, EBADMSG, "a malformed request");
	c.tag = arena_dupn(&r->arena, text, (size_t)(id - text));
	int k = c.tag ? checkpoint_tag_check(c.tag, err) : -ENOMEM;
	struct checkpoint other;
	struct err ignored = {0};
	if (k == 0 && checkpoint_find(&r->arena, &r->spec, c.tag, &other, &ignored) == 0)
		k = err_set(err, EEXIST, "there is a checkpoint %s by now", c.tag);
	for (size_t i = 0; k == 0 && i < r->spec.layers.n; i++)
		strv_push(&r->arena, &c.layers, r->spec.layers.v[i]);
	if (k == 0)
		strv_add(&r->arena, &c.layers, id + 1);
	if (k == 0)
		k = checkpoint_put(&r->arena, &changed, &c, err);
	changed.base = c.tag;
	if (k == 0)
		k = store_sandbox_save(&r->box, &changed, err);
	if (k == 0)
		r->spec = changed;
	return k;
}

/* ---- before a start ---- */

int lasting_ready(struct run *r, struct err *err)
{
	struct spec now = {0};
	if (r->fresh)
		return clone_ready(r, err);
	int k = store_sandbox_find(&r->store, &r->arena, r->spec.name, &now, err);
	if (k < 0)
		return k == -ENOENT && !err->code ? lasting_unknown(r, r->spec.name, err) : k;
	if (now.pending)
		k = store_settle(&r->store, &r->arena, &r->box, &now, err);
	if (k == 0)
		k = layers_check(&r->store, &r->arena, &now, err);
	if (k == 0)
		k = layers_squash(&r->store, &r->arena, &r->box, &now, LAYERS_SQUASH, err);
	if (k < 0)
		return k;
	r->spec = now;
	return clone_ready(r, err);
}
