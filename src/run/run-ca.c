/* run/run-ca.c - the sandbox's own authority, where it has one (sandbox/vault.h): its certificate
 * in a file of the box, that file wherever programs look for the machine's certificates, and
 * variables for those that have a list of their own.
 */
#include "base/tree.h"
#include "host/ca.h"
#include "run/image.h"

#include <fcntl.h>

static struct mount_op *file_row(struct run *r, const char *src, const char *dst, uint32_t flags)
{
	struct mount_op *m = plan_mount(&r->plan, MOUNT_BIND, dst);
	m->flags = MOUNT_RO | MOUNT_NOEXEC | flags;
	m->src = src;
	return m;
}

const char *run_ca_added(struct run *r)
{
	struct run_image *m = r->image;
	if (m && !m->looked) {
		m->added = host_ca_added(&r->arena);
		m->looked = true;
	}
	return m ? m->added : NULL;
}

static int write_files(struct run *r, const struct host_ca_view *view, const char *dir,
	const struct strv *env, struct err *err)
{
	struct arena *a = &r->plan.arena;
	struct run_image *m = r->image;
	const bool whole = m && m->whole;
	if (m)
		m->whole = false;
	int k = host_ca_write(a, view, dir, r->ca ? r->ca_pem : NULL, run_ca_added(r), env, err);
	if (k == 0 && m)
		k = host_ca_seed(a, view, dir, m->seed, err);
	if (m)
		m->whole = whole && k == 0;
	return k;
}

int run_ca_rows(struct run *r, struct err *err)
{
	struct arena *a = &r->plan.arena;
	char *dir = path_join(a, r->box.dir, RUN_CA_DIR),
	     *bundle = path_join(a, dir, HOST_CA_BUNDLE);
	struct strv places = {0};
	if (!dir || !bundle)
		return err_set(err, ENOMEM, "out of memory");
	const char *added = run_ca_added(r);
	r->ca_added = added != NULL;
	/* what an earlier start had is trusted no more */
	int k = r->ca || r->opt.dry_run || !r->lasting ? 0 : tree_remove(AT_FDCWD, dir, err);
	if (k < 0 || (!r->ca && !added))
		return k;
	struct host_stack stack = {0};
	if (r->image)
		stack = run_image_stack(r);
	const struct host_ca_view view = {.etc = r->etc, .stack = r->image ? &stack : NULL};
	const struct strv *env = r->image ? &r->image->t.info.env : &r->env.env;
	if (!r->image)
		k = host_ca_places(a, &view, &places, err);
	if (k == 0 && !r->opt.dry_run && !(r->box.taken && !r->ca))
		k = write_files(r, &view, dir, env, err);
	if (k < 0)
		return k;
	file_row(r, dir, HOST_CA_INSIDE, MOUNT_POINT)->why = r->ca
		? "the sandbox's own authority"
		: "authorities that this machine has added";
	if (r->image) /* there it is a file like others, which its own tools replace */
		return 0;
	for (size_t i = 0; i < places.n; i++)
		file_row(r, bundle, places.v[i], 0)->why =
			"the machine's certificates and the sandbox's";
	return 0;
}

void run_ca_env(struct run *r)
{
	for (size_t i = 0; (r->ca || r->ca_added) && host_ca_env[i]; i++) {
		const char *e = host_ca_env[i];
		char *name = arena_dupn(&r->plan.arena, e, strcspn(e, "="));
		if (!name)
			return;
		strv_env_set(&r->plan.arena, &r->plan.env, name, e + strlen(name) + 1);
		if (r->ca && strv_env_get(&r->opt.env, name) && !r->command.n)
			strv_addf(&r->arena, &r->plan.notices,
				"with your own %s, what reads it does not know the sandbox's "
				"certificate: credentials do not reach it",
				name);
	}
}

void run_ca_join(struct run *r)
{
	char *dir = path_join(&r->arena, r->store.sandboxes, r->spec.name);
	char *own = dir ? path_join(&r->arena, dir, RUN_CA_DIR "/" HOST_CA_SANDBOX) : NULL;
	char *file = dir ? path_join(&r->arena, dir, RUN_CA_DIR "/" HOST_CA_BUNDLE) : NULL;
	r->ca = own && access(own, F_OK) == 0;
	r->ca_added = file && access(file, F_OK) == 0;
}
