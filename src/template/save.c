/* template/save.c - see save.h */
#include "template/save.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/proc.h"
#include "template/leave-out.h"

#define FIRST_DIR 4 /* of bawn-layer pack */
#define RESULT_MAX ((size_t)1 << 20)
#define AGENT_ID 1000

struct home {
	unsigned int uid, gid;
	char *path; /* below the root */
};

/* Field n (from 0) of "a:b:c", up to its end. */
static char *field(struct arena *a, const char *line, int n)
{
	for (; n > 0 && line; n--) {
		line = strchr(line, ':');
		line = line ? line + 1 : NULL;
	}
	return line ? arena_dupn(a, line, strcspn(line, ":")) : NULL;
}

/* The homes that may be there, the agent's first. */
static int find_homes(struct arena *a, const struct template_info *info, struct home *ret_agent,
	struct strv *ret, struct err *err)
{
	*ret_agent = (struct home){AGENT_ID, AGENT_ID, arena_dup(a, "home/agent")};
	for (size_t i = 0; i < info->passwd.n; i++) { /* NAME:UID:GID:HOME:SHELL */
		const char *uid = field(a, info->passwd.v[i], 1),
			   *gid = field(a, info->passwd.v[i], 2);
		char *home = field(a, info->passwd.v[i], 3);
		if (!uid || !gid || !home || home[0] != '/' || !home[1] || strstr(home, "/.."))
			continue;
		if (strtoul(uid, NULL, 10) == AGENT_ID) {
			ret_agent->gid = (unsigned int)strtoul(gid, NULL, 10);
			ret_agent->path = home + 1;
		}
		strv_push(a, ret, home + 1);
	}
	strv_push(a, ret, ret_agent->path);
	strv_add(a, ret, "root");
	strv_add(a, ret, "home/agent");
	return arena_check(a, err);
}

/* Names to leave out, each with its NUL, as a memfd. */
static int leave_out_fd(struct template_work *w, const struct template_upper *u,
	const struct strv *homes, const struct strv *env, struct err *err)
{
	struct strv names = {0};
	size_t n = 0;
	if (leave_out(w->a, homes, env, u->dirs, u->n_dirs, u->seed, &names) < 0)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < u->mounts.n; i++)
		if (u->mounts.v[i][0] == '/' && u->mounts.v[i][1])
			strv_add(w->a, &names, u->mounts.v[i] + 1);
	for (size_t i = 0; i < names.n; i++)
		n += strlen(names.v[i]) + 1;
	char *text = arena_alloc(w->a, n + 1), *p = text;
	if (!text)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < names.n; i++)
		p = memcpy(p, names.v[i], strlen(names.v[i]) + 1), p += strlen(p) + 1;
	int fd = fd_memfd_sealed("bawn-leave-out", text, n, err);
	if (fd >= 0 && lseek(fd, 0, SEEK_SET) < 0) { /* it is read as a stream */
		close(fd);
		return err_sys(err, errno, "lseek");
	}
	return fd;
}

/* ---- bawn-layer pack, with bawn-layer read behind it ---- */

static void pulse(void *ctx)
{
	progress_show(&((struct template_work *)ctx)->progress);
}

/* What it said when it failed. */
static int pack_failed(struct template_work *w, int result, int status, struct err *err)
{
	char *text = arena_alloc(w->a, RESULT_MAX + 1);
	ssize_t n = text ? fd_pread_full(result, text, RESULT_MAX, 0) : -1;
	if (status >= 128)
		return err_set(err, EIO, "bawn-layer was ended by signal %d", status - 128);
	const char *said = n > 0 && has_prefix(text, "error ") ? text + 6 : "without a reason";
	return err_set(err, EIO, "bawn-layer pack: %.*s", (int)strcspn(said, "\n"), said);
}

struct packing {
	const int *dirs;
	size_t n;
	const char *how; /* "layer", "squash" */
	const struct home *home;
	size_t home_dirs; /* in which what says nothing is the home's owner's */
	size_t layers;    /* the last of dirs: layers' own directories */
	int leave_out;
};

static int start_pack(struct template_work *w, const struct packing *p, int out, int result,
	struct proc *ret, struct err *err)
{
	char name[] = "bawn-layer", mode[] = "pack", owners[] = "0:0";
	char *home = arena_printf(
		w->a, "%u:%u:%zu:%s", p->home->uid, p->home->gid, p->home_dirs, p->home->path);
	char *layers = arena_printf(w->a, "layers=%zu", p->layers);
	char *argv[] = {name, mode, arena_dup(w->a, p->how), owners, home, layers, NULL};
	int fds[PROC_FDS_MAX] = {p->leave_out, out, -1, result};
	if (!argv[2] || !home || !layers)
		return err_set(err, ENOMEM, "out of memory");
	if (p->n + FIRST_DIR > PROC_FDS_MAX)
		return err_set(err, E2BIG, "more layers than can be packed at once");
	for (size_t i = 0; i < p->n; i++)
		fds[FIRST_DIR + i] = p->dirs[i];
	return proc_spawn(&(struct proc_spawn){.path = w->layer_helper,
				  .argv = argv,
				  .fds = fds,
				  .nfds = FIRST_DIR + (int)p->n,
				  .die_with_parent = SIGKILL},
		ret, err);
}

/* A tar of these directories, read into m. */
static int pack_and_read(struct template_work *w, const struct packing *p,
	const struct template_stack *below, struct template_making *m, struct err *err)
{
	struct proc proc = PROC_NONE;
	struct layer_pulse beat = {pulse, w};
	struct err other = {0};
	int lower[TEMPLATE_LAYERS_MAX], pipe_fds[2], status = 0;
	_cleanup_close_ int result = memfd_create("bawn-pack", MFD_CLOEXEC);
	if (result < 0 || pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	_cleanup_close_ int rd = pipe_fds[0], wr = pipe_fds[1];
	fcntl(rd, F_SETPIPE_SZ, 1 << 20); /* faster; any size will do */
	int r = start_pack(w, p, wr, result, &proc, err);
	close(TAKE_FD(wr));
	if (r < 0)
		return r;
	for (size_t i = 0; i < below->n_lower; i++)
		lower[i] = below->lower[below->n_lower - 1 - i];
	const struct layer_source from = {.fd = rd};
	r = layer_run_read(w->layer_helper, w->a, &from, m->dir, lower, below->n_lower, &beat,
		&m->layer, &other);
	close(TAKE_FD(rd)); /* it ends, too, where the reader did */
	if (proc_wait(&proc, &status) < 0)
		proc_kill(&proc);
	/* which of the two failed first can't be told; a tar cut short is the packer's fault */
	if (status && !(r < 0 && status == 128 + SIGPIPE))
		return pack_failed(w, result, status, err);
	if (r < 0 && err)
		*err = other;
	return r;
}

/* ---- the new template ---- */

static int pass_gate(const char *helper, struct template_work *w, const struct template_upper *u,
	int layer, struct gate_result *ret, struct err *err)
{
	_cleanup_close_ int fs = openat(
		layer, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fs < 0)
		return err_sys(err, errno, "open the new layer");
	int r = gate_run(helper, &u->gate, fs, u->secrets, w->a, ret, err);
	if (r < 0)
		return err_prefix(err, "looking for secrets");
	return ret->n_found && !GUARD_REMOVED("gate") ? -EACCES : 0;
}

static int edit_config(struct template_work *w, const struct template_upper *u, const char *diff,
	char **ret, size_t *ret_n, struct err *err)
{
	struct strv changes = {0};
	char *base, when[32] = "";
	time_t now = (time_t)u->gate.now;
	struct tm tm;
	ssize_t n = template_config(w->t, w->a, u->base, &base, err);
	if (n < 0)
		return (int)n;
	if (gmtime_r(&now, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (u->squash)
		strv_add(w->a, &changes, "squash -");
	strv_addf(w->a, &changes, "created %s", when);
	strv_addf(w->a, &changes, "layer %s", diff);
	strv_addf(w->a, &changes, "history bawn template save %s", u->sandbox);
	if (arena_check(w->a, err) < 0)
		return -ENOMEM;
	return image_edit_config(w->image_helper, w->a, base, (size_t)n, &changes, ret, ret_n, err);
}

/* The base's layers, as they are in the store. */
static int add_base(struct template_work *w, const struct template *base, struct template_stack *s,
	struct err *err)
{
	int r = 0;
	for (size_t i = 0; i < base->info.layers.n && r == 0; i++)
		r = template_stack_add(w, s, base->info.layers.v[i], NULL, NULL, err);
	return r;
}

/* One more layer, just made: the stack's from now on, also where this fails. */
static int add_made(struct template_work *w, struct template_stack *s, struct template_making *m,
	struct err *err)
{
	s->making = arena_alloc(w->a, sizeof(*s->making));
	int fd = openat(m->dir, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!s->making || fd < 0) {
		templates_abandon(w->t, m);
		return fd < 0 ? err_sys(err, errno, "open the new layer")
			      : err_set(err, ENOMEM, "out of memory");
	}
	s->lower[s->n_lower++] = fd;
	s->making[s->n++] = *m;
	return strv_add(w->a, &s->diffs, m->layer.diff) < 0 ? err_set(err, ENOMEM, "out of memory")
							    : 0;
}

/* Base and all that was written as one layer, of which the second part has passed the gate. */
static int make_squashed(struct template_work *w, const struct template_upper *u, struct packing *p,
	const struct template_stack *base, struct template_making *m, struct err *err)
{
	int dirs[TEMPLATE_UPPER_DIRS + TEMPLATE_LAYERS_MAX];
	size_t n = 0;
	int r = 0;
	static const struct template_stack none;
	for (size_t i = 0; i < u->n_dirs; i++)
		dirs[n++] = u->dirs[i];
	/* the directory that a layer's fs is in */
	for (size_t i = base->n_lower; i > 0 && r == 0; i--) {
		int fd = openat(base->lower[i - 1], "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			r = err_sys(err, errno, "open a layer of %s", u->base);
		else
			dirs[n++] = fd;
	}
	p->dirs = dirs;
	p->n = n;
	p->layers = n - u->n_dirs;
	p->how = "squash";
	templates_abandon(w->t, m);
	if (r == 0)
		r = templates_begin(w->t, m, err);
	if (r == 0)
		r = pack_and_read(w, p, &none, m, err);
	while (n > u->n_dirs)
		close(dirs[--n]);
	return r;
}

static int make(struct template_work *w, const char *gate_helper, const struct template_upper *u,
	struct packing *p, const struct template *base, struct gate_result *ret_gate,
	char ret_id[static 65], struct err *err)
{
	struct template_stack s = {0}, alone = {0};
	struct template_making m = TEMPLATE_MAKING_NONE;
	char *config = NULL;
	size_t n = 0;
	int r = add_base(w, base, &s, err);
	if (r == 0 && s.n_lower == TEMPLATE_LAYERS_MAX && !u->squash)
		r = err_set(err, E2BIG, "%s has %d layers already: --squash makes one of all",
			u->base, TEMPLATE_LAYERS_MAX);
	if (r == 0)
		r = templates_begin(w->t, &m, err);
	if (r == 0)
		r = pack_and_read(w, p, &s, &m, err);
	if (r == 0)
		r = pass_gate(gate_helper, w, u, m.dir, ret_gate, err);
	if (r == 0 && u->squash)
		r = make_squashed(w, u, p, &s, &m, err);
	if (r == 0)
		r = edit_config(w, u, m.layer.diff, &config, &n, err);
	struct template_stack *top = u->squash ? &alone : &s;
	if (r == 0)
		r = add_made(w, top, &m, err);
	else
		templates_abandon(w->t, &m);
	if (r == 0)
		r = template_stack_commit(w, top, config, n, NULL, ret_id, err);
	template_stack_free(w, &alone);
	template_stack_free(w, &s);
	return r;
}

int template_save_upper(struct template_work *w, const char *gate_helper,
	const struct template_upper *u, struct gate_result *ret_gate, char ret_id[static 65],
	struct err *err)
{
	struct template base;
	struct home home;
	struct strv homes = {0};
	int r = template_read(w->t, w->a, u->base, &base, err);
	if (r == 0)
		r = find_homes(w->a, &base.info, &home, &homes, err);
	if (r < 0)
		return r;
	_cleanup_close_ int out = leave_out_fd(w, u, &homes, &base.info.env, err);
	if (out < 0)
		return out;
	struct packing p = {.dirs = u->dirs,
		.n = u->n_dirs,
		.how = "layer",
		.home = &home,
		.home_dirs = u->n_dirs,
		.leave_out = out};
	return make(w, gate_helper, u, &p, &base, ret_gate, ret_id, err);
}
