/* run/lasting-profile.c - another profile than the one a sandbox was created with enters it.
 *
 * In a stopped one its settings, log-in and program are there from the start.  In one that runs
 * they are brought in: settings and log-in as copies that change nothing that is there, the program
 * as a read-only mount.  The supervisor notes who has entered.
 */
#include <stdlib.h>

#include "run/credential.h"
#include "run/lasting-copy.h"
#include "run/lasting.h"
#include "run/live.h"

/* A profile given as a file is known by its path. */
static char *name_of(struct run *r)
{
	return strchr(r->opt.profile, '/') ? path_real(&r->arena, r->opt.profile)
					   : arena_dup(&r->arena, r->opt.profile);
}

static int note(struct run *r, const char *name, struct err *err)
{
	if (!name || streq(name, r->spec.profile) || strv_has(&r->spec.profiles, name))
		return 0;
	if (strv_add(&r->arena, &r->spec.profiles, name) < 0)
		return err_set(err, ENOMEM, "out of memory");
	return store_sandbox_save(&r->box, &r->spec, err);
}

int lasting_note_profile(struct run *r, struct err *err)
{
	return r->command.n || !r->opt.profile ? 0 : note(r, name_of(r), err);
}

/* ---- the supervisor ---- */

/* Its hosts are allowed from now on, beside those of who is there. */
static int enter(struct run *r, char *name, struct err *err)
{
	char *own = name_of(r);
	if (!name || !own)
		return err_set(err, ENOMEM, "out of memory");
	if (!streq(name, own) && !strv_has(&r->beside, name)) {
		int k = strv_push(&r->arena, &r->beside, name) < 0
			? err_set(err, ENOMEM, "out of memory")
			: run_policy_again(r, STDERR_FILENO, err);
		if (k < 0) {
			r->beside.n--;
			return k;
		}
	}
	return note(r, name, err);
}

int lasting_on_request(struct run *r, const struct session_msg *m, struct err *err)
{
	switch ((enum session_kind)m->kind) {
	case SESSION_ENTER:
		return enter(r, arena_dup(&r->arena, m->text), err);
	case SESSION_LEND:
		return sandbox_lend(r->sandbox, m->text, err);
	default:
		return err_set(err, ENOSYS, "an unknown request");
	}
}

/* ---- who joins ---- */

static int ask(struct run *r, enum session_kind kind, const char *text, struct err *err)
{
	static struct session_msg m, answer;
	m = (struct session_msg){.kind = kind};
	if ((size_t)snprintf(m.text, sizeof(m.text), "%s", text) >= sizeof(m.text))
		return err_set(err, ENAMETOOLONG, "%s: too long", text);
	_cleanup_close_ int sock = lasting_connect(r, r->spec.name, err);
	return sock < 0 ? sock : lasting_request(sock, &m, NULL, 0, &answer, err);
}

/* The tool and what it needs of the host, where the system's directories don't have it. */
static int lend_program(struct run *r, struct err *err)
{
	/* the links that lead to it are not inside */
	char *real = r->agent.exe ? path_real(&r->arena, r->agent.exe) : NULL;
	int k = 0;
	if (real)
		r->agent.exe = real;
	for (size_t i = 0; k == 0 && i < r->agent.binds.n; i++)
		if (!path_within(r->agent.binds.v[i], r->ws.path))
			k = ask(r, SESSION_LEND, r->agent.binds.v[i], err);
	for (size_t i = 0; k == 0 && i < r->tools.n; i++) {
		/* what can't be lent now is only missed where the tool wants it */
		struct err ignored = {0};
		if (r->tools.v[i].mode != HOST_TOOL_COPY &&
			!path_within(r->tools.v[i].path, r->ws.path) &&
			ask(r, SESSION_LEND, r->tools.v[i].path, &ignored) == -ESRCH)
			k = -ESRCH;
	}
	return k;
}

/* A log-in that was brought in earlier is out of date. */
static int put_fresh(struct run *r, const char *from, struct err *err)
{
	int k = 0;
	for (size_t i = 0; k >= 0 && i < r->seed_fresh.n; i++) {
		const char *rel = r->seed_fresh.v[i];
		const struct lasting_copy c = {.name = r->spec.name,
			.into = true,
			.inside = path_join(&r->arena, r->inside.home, rel),
			.host = path_join(&r->arena, from, rel),
			.base = path_base(rel),
			.flags = COPY_EXACT,
			.quiet = true};
		k = lasting_copy(r, &c, err);
	}
	return MIN(k, 0);
}

/* Log-ins that seeding has found here are looked after there. */
static int bring_logins(struct run *r, struct err *err)
{
	static struct session_msg m, answer;
	_cleanup_close_ int fd = run_logins_memfd(r, err);
	if (fd == -ENOENT && !err->code)
		return 0;
	_cleanup_close_ int sock = fd < 0 ? fd : lasting_connect(r, r->spec.name, err);
	m = (struct session_msg){.kind = SESSION_KEYS};
	return sock < 0 ? sock : lasting_request(sock, &m, &fd, 1, &answer, err);
}

static int bring_settings(struct run *r, struct err *err)
{
	struct store_box temp = STORE_BOX_NONE;
	struct err ignored = {0};
	const struct store_box own = r->box;
	if (!r->pack.profile.has_seed)
		return 0;
	int k = store_box_create(
		&r->store, &r->arena, r->pack.profile.name, r->ws.path, r->inside.home, &temp, err);
	if (k < 0)
		return k;
	r->box.home = temp.home;
	k = run_seed_again(r, err);
	r->box = own;
	if (k == 0)
		k = bring_logins(r, err);
	if (k == 0)
		k = lasting_put_tree(r, r->spec.name, temp.home, r->inside.home, err);
	if (k >= 0)
		k = put_fresh(r, temp.home, err);
	store_box_remove(&temp, &ignored);
	return MIN(k, 0);
}

/* A key without a vault stays outside, and that has to be said. */
static void say_keys(struct run *r)
{
	for (size_t i = 0; i < r->n_credentials; i++) {
		const struct run_credential *c = &r->credentials[i];
		for (size_t n = 0; n < c->c->env.n && !c->active && !r->command.n; n++) {
			const char *name = c->c->env.v[n], *value = getenv(name);
			if (value && *value && !strv_has(&r->opt.expose_key, name))
				run_message(r,
					"%s stays outside, as %s was started without it: bawn stop "
					"%s, then run it again",
					name, r->spec.name, r->spec.name);
		}
	}
}

int lasting_bring_keys(struct run *r, struct err *err)
{
	static struct session_msg m, answer;
	_cleanup_close_ int fd = run_credentials_memfd(r, err);
	if (fd == -ENOENT && !err->code)
		return 0;
	_cleanup_close_ int sock = fd < 0 ? fd : lasting_connect(r, r->spec.name, err);
	if (sock < 0)
		return sock;
	m = (struct session_msg){.kind = SESSION_KEYS};
	int k = lasting_request(sock, &m, &fd, 1, &answer, err);
	if (k == 0)
		k = run_credentials_join(r, err);
	if (k == 0)
		k = run_environment(r, err);
	if (k == 0)
		say_keys(r);
	return k;
}

int lasting_bring_profile(struct run *r, struct err *err)
{
	char *name = r->command.n ? NULL : name_of(r);
	/* whose settings it was started with is not known here: more than one means, bring them */
	if (!name || (streq(name, r->spec.profile) && !r->spec.profiles.n))
		return 0;
	int k = lend_program(r, err);
	if (k == 0)
		k = ask(r, SESSION_ENTER, name, err);
	if (k == 0) /* its settings may have a key's placeholder in them */
		k = lasting_bring_keys(r, err);
	if (k == 0)
		k = bring_settings(r, err);
	for (size_t i = 0; k == 0 && i < r->plan.notices.n; i++)
		run_message(r, "%s", r->plan.notices.v[i]);
	return k;
}
