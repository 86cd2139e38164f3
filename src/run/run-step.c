/* run/run-step.c - one RUN of a Dockerfile in a sandbox; see step.h */
#include "run/step.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/blob.h"
#include "base/file.h"
#include "host/ca.h"
#include "run/image.h"

static int malformed(struct err *err)
{
	return err_set(err, EBADMSG, "a malformed request");
}

static int take_record(struct arena *a, struct run_step *s, const struct blob_view *v)
{
	uint64_t n = 0;
	int k = 0;
	switch (v->tag) {
	case STEP_LAYERS:
		return blob_strv(a, v, &s->layers);
	case STEP_ENV:
		return blob_strv(a, v, &s->env);
	case STEP_ARGV:
		return blob_strv(a, v, &s->argv);
	case STEP_CWD:
		s->cwd = blob_str(v);
		return s->cwd ? 0 : -EBADMSG;
	case STEP_DIR:
		s->dir = blob_str(v);
		return s->dir ? 0 : -EBADMSG;
	case STEP_USER:
		s->user = blob_str(v);
		return s->user ? 0 : -EBADMSG;
	case STEP_HOME:
		s->home = blob_str(v);
		return s->home ? 0 : -EBADMSG;
	case STEP_UID:
		k = blob_u64(v, &n);
		s->uid = (uid_t)n;
		return k;
	case STEP_GID:
		k = blob_u64(v, &n);
		s->gid = (gid_t)n;
		return k;
	case STEP_OFFLINE:
		k = blob_u64(v, &n);
		s->offline = n != 0;
		return k;
	case STEP_HOST:
		k = blob_u64(v, &n);
		s->host = n != 0;
		return k;
	case STEP_MOUNT: {
		struct strv words = {0};
		k = blob_strv(a, v, &words);
		if (k < 0 || words.n != 4)
			return -EBADMSG;
		s->mounts = arena_grow(a, s->mounts, s->n_mounts, &s->cap, sizeof(*s->mounts));
		if (!s->mounts)
			return -ENOMEM;
		s->mounts[s->n_mounts++] = (struct run_step_mount){.kind = words.v[0],
			.source = words.v[1],
			.target = words.v[2],
			.size = words.v[3]};
		return 0;
	}
	default:
		return -EBADMSG;
	}
}

int run_step_read(struct run *r, int fd, struct err *err)
{
	struct stat st;
	struct blob_iter it;
	struct blob_view v;
	struct run_step *s = arena_alloc(&r->arena, sizeof(*s));
	if (!s)
		return err_set(err, ENOMEM, "out of memory");
	if (fstat(fd, &st) < 0 || st.st_size <= 0)
		return malformed(err);
	char *data = arena_alloc(&r->arena, (size_t)st.st_size);
	if (!data || pread(fd, data, (size_t)st.st_size, 0) != st.st_size)
		return malformed(err);
	blob_iter_init(&it, data, (size_t)st.st_size);
	int k;
	while ((k = blob_next(&it, &v)) > 0)
		if (take_record(&r->arena, s, &v) < 0)
			return malformed(err);
	if (k < 0 || !s->cwd || !s->dir || !s->user || !s->home || !s->argv.n)
		return malformed(err);
	r->step = s;
	r->directory = s->host ? NULL : s->cwd;
	r->as_root = s->uid == 0 && !s->host;
	return 0;
}

int run_step_image(struct run *r, struct err *err)
{
	const struct run_step *s = r->step;
	struct run_image *m = arena_alloc(&r->arena, sizeof(*m));
	if (!m)
		return err_set(err, ENOMEM, "out of memory");
	*m = (struct run_image){.store = TEMPLATES_NONE,
		.ref = arena_dup(&r->arena, "build"),
		.layers = s->layers,
		.has_account = true,
		.has_group = true,
		.hold = -1,
		.use = -1,
		.known = host_stack_know(&r->arena, NULL, -1)};
	m->t.id = arena_dup(&r->arena, "build");
	m->t.info.env = s->env;
	r->image = m;
	/* root is an emulation, below which there is a user like any other */
	r->inside = (struct host_identity){.uid = s->uid ? s->uid : RUN_IMAGE_UID,
		.gid = s->uid && s->gid ? s->gid : RUN_IMAGE_UID,
		.user = arena_dup(&r->arena, s->user),
		.group = arena_dup(&r->arena, s->user),
		.full_name = arena_dup(&r->arena, ""),
		.home = arena_dup(&r->arena, RUN_STEP_HOME),
		.shell = arena_dup(&r->arena, "/bin/sh")};
	return arena_check(&r->arena, err);
}

/* path as it is once links are followed, as far as there is anything. */
static char *resolved(struct run *r, const struct host_stack *s, const char *path)
{
	struct host_stack_found f;
	if (host_stack_find(&r->arena, s, path, &f) == 0)
		return f.path;
	char *to = host_stack_place(&r->arena, s, path);
	return to ? to : arena_dup(&r->arena, path);
}

/* Places for the mounts, below all that is written. */
int run_step_points(struct run *r, const struct host_stack *stack, struct err *err)
{
	struct run_step *s = r->step;
	for (size_t i = 0; i < s->n_mounts; i++) {
		struct run_step_mount *m = &s->mounts[i];
		struct stat st = {.st_mode = S_IFDIR};
		m->target = resolved(r, stack, m->target);
		char *to = m->target ? arena_printf(&r->arena, "%s%s", r->image->seed, m->target)
				     : NULL;
		if (!to || (*m->source && stat(m->source, &st) < 0))
			return err_sys(err, to ? errno : ENOMEM, "look at what is to be mounted");
		m->dir = S_ISDIR(st.st_mode);
		const char *slash = strrchr(to, '/');
		char *dir = arena_dupn(&r->arena, to, (size_t)(slash - to));
		int k = !dir ? -ENOMEM : file_mkdir_p(AT_FDCWD, m->dir ? to : dir, 0755);
		if (k == 0 && !m->dir)
			k = file_write_atomic(AT_FDCWD, to, "", 0, 0644, false, err);
		if (k < 0)
			return err_sys(err, -k, "create a place for %s", m->target);
	}
	return 0;
}

void run_step_rows(struct run *r)
{
	struct plan *p = &r->plan;
	const struct run_step *s = r->step;
	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct run_step_mount *m = &s->mounts[i];
		const bool tmpfs = streq(m->kind, STEP_TMPFS);
		struct mount_op *op = plan_mount(p, tmpfs ? MOUNT_TMPFS : MOUNT_BIND, m->target);
		op->flags = MOUNT_POINT | (streq(m->kind, STEP_BIND_RO) ? MOUNT_RO : 0);
		op->why = "a mount of this RUN";
		if (!tmpfs)
			op->src = m->source;
		else
			op->data = streq(m->size, "0")
				? "mode=1777"
				: arena_printf(&p->arena, "mode=1777,size=%s", m->size);
	}
}

/* The environment is the image's and the Dockerfile's, and nothing else. */
void run_step_env(struct run *r)
{
	struct plan *p = &r->plan;
	const struct run_step *s = r->step;
	p->env = (struct strv){0};
	for (size_t i = 0; i < s->env.n; i++)
		strv_add(&p->arena, &p->env, s->env.v[i]);
	/* what this machine has added (run-ca.c), where the image doesn't say otherwise */
	for (size_t i = 0; r->ca_added && host_ca_env[i]; i++) {
		char *name = arena_dupn(&p->arena, host_ca_env[i], strcspn(host_ca_env[i], "="));
		if (name && !strv_env_get(&s->env, name))
			strv_add(&p->arena, &p->env, host_ca_env[i]);
	}
}

int run_step_keep(struct run *r, struct err *err)
{
	char *from = path_join(&r->arena, r->box.dir, "up/" RUN_IMAGE_PART);
	char *to = path_join(&r->arena, r->step->dir, "fs");
	struct stat st;
	if (!from || !to)
		return err_set(err, ENOMEM, "out of memory");
	/* the root itself is what it was below */
	if (stat(to, &st) < 0 || chmod(from, st.st_mode & 07777) < 0)
		return err_sys(err, errno, "look at %s", to);
	CRASH_STEP();
	if (rename(from, to) < 0)
		return err_sys(err, errno, "keep what was written");
	return 0;
}
