/* plan/wire.c - see wire.h */
#include "plan/wire.h"

struct mount_rec {
	uint32_t kind, flags, mode, pad;
};

static void put_mount(struct blob *b, uint32_t tag, const struct mount_op *m)
{
	const char *src = m->src ? m->src : "", *data = m->data ? m->data : "";
	size_t ns = strlen(src) + 1, nd = strlen(m->dst) + 1, nt = strlen(data) + 1;
	struct mount_rec head = {.kind = m->kind, .flags = m->flags, .mode = m->mode};
	char *p = blob_put_space(b, tag, sizeof(head) + ns + nd + nt);
	if (!p)
		return;
	memcpy(p, &head, sizeof(head));
	p += sizeof(head);
	memcpy(p, src, ns);
	memcpy(p + ns, m->dst, nd);
	memcpy(p + ns + nd, data, nt);
}

int wire_write(const struct plan *p, struct wire_bytes seccomp, uint16_t rows, uint16_t cols,
	struct blob *ret, struct err *err)
{
	struct wire_head head = {.magic = WIRE_MAGIC,
		.uid = p->uid,
		.gid = p->gid,
		.n_mounts = (uint32_t)(p->n_mounts - p->n_early),
		.n_land = (uint32_t)p->n_land,
		.n_argv = (uint32_t)p->argv.n,
		.n_env = (uint32_t)p->env.n,
		.tty_fds = p->tty_fds,
		.offline = p->offline,
		.landlock = p->landlock,
		.wait = p->tty_fds != 0, /* the terminal has to be in raw mode first */
		.lasting = !p->ephemeral,
		.image = !p->digest ? 0
			: p->built  ? WIRE_IMAGE_BUILT
				    : 1,
		.sudo = p->sudo || p->as_root,
		.as_root = p->as_root,
		.pids = p->pids,
		.rows = rows,
		.cols = cols};

	blob_put(ret, WIRE_HEAD, &head, sizeof(head));
	blob_put_str(ret, WIRE_HOSTNAME, p->hostname);
	blob_put_str(ret, WIRE_CWD, p->cwd);
	blob_put_str(ret, WIRE_EXE, p->exe);
	blob_put_strs(ret, WIRE_ARGV, (const char *const *)p->argv.v, p->argv.n);
	blob_put_strs(ret, WIRE_ENV, (const char *const *)p->env.v, p->env.n);
	for (size_t i = p->n_early; i < p->n_mounts; i++)
		put_mount(ret, WIRE_MOUNT, &p->mounts[i]);
	for (size_t i = 0; i < p->n_land; i++) {
		const char *strs[] = {p->land[i].write ? "w" : "r", p->land[i].path};
		blob_put_strs(ret, WIRE_LAND, strs, 2);
	}
	blob_put(ret, WIRE_SECCOMP, seccomp.p, seccomp.n);
	blob_put(ret, WIRE_END, NULL, 0);
	return ret->failed ? err_set(err, ENOMEM, "the plan does not fit into memory") : 0;
}

/* Split a record of count strings into v (count + 1 entries, NULL at the end). */
static int split(const struct blob_view *rec, const char **v, size_t count)
{
	size_t pos = 0;
	for (size_t i = 0; i < count; i++) {
		v[i] = blob_strs_next(rec, &pos);
		if (!v[i])
			return -EBADMSG;
	}
	v[count] = NULL;
	return pos == rec->len ? 0 : -EBADMSG;
}

static int read_head(const struct blob_view *v, struct wire_plan *w)
{
	if (v->len != sizeof(w->head) || w->argv)
		return -EBADMSG;
	memcpy(&w->head, v->data, sizeof(w->head));
	const struct wire_head *h = &w->head;
	if (h->magic != WIRE_MAGIC || h->n_mounts > 65536 || h->n_land > 4096 ||
		h->n_argv > WIRE_STRINGS_MAX || h->n_argv == 0 || h->n_env > WIRE_STRINGS_MAX)
		return -EBADMSG;
	w->argv = calloc(h->n_argv + 1, sizeof(*w->argv));
	w->env = calloc(h->n_env + 1, sizeof(*w->env));
	w->mounts = calloc(h->n_mounts + 1, sizeof(*w->mounts));
	w->land = calloc(h->n_land + 1, sizeof(*w->land));
	return w->argv && w->env && w->mounts && w->land ? 0 : -ENOMEM;
}

static int read_mount(const struct blob_view *v, struct wire_mount *ret)
{
	struct mount_rec head;
	if (v->len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, v->data, sizeof(head));
	struct blob_view rest = {
		.data = v->data + sizeof(head), .len = v->len - (uint32_t)sizeof(head)};
	const char *s[4];
	if (head.kind >= MOUNT_KINDS || split(&rest, s, 3) < 0 || s[1][0] != '/')
		return -EBADMSG;
	*ret = (struct wire_mount){.kind = head.kind,
		.flags = head.flags,
		.mode = head.mode,
		.src = s[0],
		.dst = s[1],
		.data = s[2]};
	return 0;
}

struct seen {
	uint32_t mounts, land, tags;
	bool end;
};

static int read_record(const struct blob_view *v, struct wire_plan *w, struct seen *seen)
{
	if (seen->end || (v->tag != WIRE_HEAD && !w->argv) || v->tag == 0 || v->tag > WIRE_END)
		return -EBADMSG;
	bool once = v->tag != WIRE_MOUNT && v->tag != WIRE_LAND;
	if (once && (seen->tags & (1u << v->tag)))
		return -EBADMSG;
	seen->tags |= 1u << v->tag;

	const char *s[3];
	switch (v->tag) {
	case WIRE_HEAD:
		return read_head(v, w);
	case WIRE_HOSTNAME:
		w->hostname = blob_str(v);
		return w->hostname ? 0 : -EBADMSG;
	case WIRE_CWD:
		w->cwd = blob_str(v);
		return w->cwd ? 0 : -EBADMSG;
	case WIRE_EXE:
		w->exe = blob_str(v);
		return w->exe ? 0 : -EBADMSG;
	case WIRE_ARGV:
		return split(v, w->argv, w->head.n_argv);
	case WIRE_ENV:
		return split(v, w->env, w->head.n_env);
	case WIRE_MOUNT:
		return seen->mounts < w->head.n_mounts ? read_mount(v, &w->mounts[seen->mounts++])
						       : -EBADMSG;
	case WIRE_LAND:
		if (seen->land >= w->head.n_land || split(v, s, 2) < 0)
			return -EBADMSG;
		w->land[seen->land++] = (struct land_rule){.write = s[0][0] == 'w', .path = s[1]};
		return 0;
	case WIRE_SECCOMP:
		w->seccomp = (struct wire_bytes){.p = v->data, .n = v->len};
		return 0;
	default:
		seen->end = true;
		return 0;
	}
}

int wire_read(const void *data, size_t n, struct wire_plan *ret, struct err *err)
{
	struct wire_plan w = {0};
	struct seen seen = {0};
	struct blob_iter it;
	struct blob_view v;
	blob_iter_init(&it, data, n);
	int r;
	while ((r = blob_next(&it, &v)) > 0) {
		r = read_record(&v, &w, &seen);
		if (r < 0)
			break;
	}
	/* Every kind of record exactly once; rows as many as the head says. */
	uint32_t need = (1u << (WIRE_END + 1)) - 2;
	need &= ~(1u << WIRE_MOUNT) & ~(1u << WIRE_LAND);
	if (r == 0 &&
		((seen.tags & need) != need || seen.mounts != w.head.n_mounts ||
			seen.land != w.head.n_land))
		r = -EBADMSG;
	if (r < 0) {
		wire_free(&w);
		return err_set(err, -r, "the launch plan is malformed or cut short");
	}
	*ret = w;
	return 0;
}

void wire_free(struct wire_plan *w)
{
	free(w->argv);
	free(w->env);
	free(w->mounts);
	free(w->land);
	*w = (struct wire_plan){0};
}

int wire_early_write(const struct wire_early *e, const struct mount_op *rows, size_t n,
	struct blob *ret, struct err *err)
{
	struct wire_early_head head = e->head;
	head.magic = WIRE_MAGIC;
	head.n_mounts = (uint16_t)n;
	if (n > UINT16_MAX)
		return err_set(err, E2BIG, "too many rows before there is a plan");
	blob_put(ret, WIRE_EARLY_HEAD, &head, sizeof(head));
	blob_put(ret, WIRE_EARLY_NFT, e->nft.p, e->nft.n);
	blob_put(ret, WIRE_EARLY_RTNL, e->rtnl.p, e->rtnl.n);
	for (size_t i = 0; i < n; i++)
		put_mount(ret, WIRE_EARLY_MOUNT, &rows[i]);
	blob_put(ret, WIRE_EARLY_END, NULL, 0);
	return ret->failed ? err_set(err, ENOMEM, "out of memory") : 0;
}

/* Each record once, in the order of its tags, but for the rows, which are as many as the head says.
 */
static int read_early(struct blob_iter *it, struct wire_early *e)
{
	struct blob_view v;
	for (uint32_t tag = WIRE_EARLY_HEAD; tag <= WIRE_EARLY_RTNL; tag++) {
		if (blob_next(it, &v) != 1 || v.tag != tag ||
			(tag == WIRE_EARLY_HEAD && v.len != sizeof(e->head)))
			return -EBADMSG;
		struct wire_bytes bytes = {.p = v.data, .n = v.len};
		if (tag == WIRE_EARLY_HEAD)
			memcpy(&e->head, v.data, sizeof(e->head));
		else if (tag == WIRE_EARLY_NFT)
			e->nft = bytes;
		else
			e->rtnl = bytes;
	}
	e->mounts = calloc((size_t)e->head.n_mounts + 1, sizeof(*e->mounts));
	if (!e->mounts)
		return -ENOMEM;
	for (size_t i = 0; i < e->head.n_mounts; i++)
		if (blob_next(it, &v) != 1 || v.tag != WIRE_EARLY_MOUNT ||
			read_mount(&v, &e->mounts[i]) < 0)
			return -EBADMSG;
	bool whole = blob_next(it, &v) == 1 && v.tag == WIRE_EARLY_END && it->p == it->end &&
		e->head.magic == WIRE_MAGIC &&
		e->head.n_host_ports <= ARRAY_LEN(e->head.host_ports);
	return whole ? 0 : -EBADMSG;
}

int wire_early_read(const void *data, size_t n, struct wire_early *ret, struct err *err)
{
	struct wire_early e = {0};
	struct blob_iter it;
	blob_iter_init(&it, data, n);
	int r = read_early(&it, &e);
	if (r < 0) {
		wire_early_free(&e);
		return err_set(err, -r, "the description of the namespaces is malformed");
	}
	*ret = e;
	return 0;
}

void wire_early_free(struct wire_early *e)
{
	free(e->mounts);
	e->mounts = NULL;
}
