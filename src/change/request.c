/* change/request.c - see request.h: the record form of a request */
#include "change/request.h"

#include "change/result.h"

enum tag {
	TAG_HEAD = 1,
	TAG_BASE,
	TAG_UPPERS,
	TAG_PATHS,
	TAG_ALLOW_EXEC,
	TAG_OVERWRITE,
	TAG_MASKED,
	TAG_HOOKS,
	TAG_SINCE,
	TAG_LEDGER,
	TAG_TRASH,
	TAG_INDEX,
	TAG_END,
	TAG_NAMED,
	TAG_SETTINGS,
	TAG_HOME,
};

struct head {
	uint32_t op, flags, hash_len, pad;
};

#define FLAG_LINES 1u
#define FLAG_DRY_RUN 2u
#define FLAG_REST 4u
#define FLAG_RUNNING 8u
#define FLAG_DIRECT 16u
#define SINCE_MAX 65536

char *change_path(
	struct arena *a, const char *base, const char *cwd, const char *path, struct err *err)
{
	size_t room = strlen(cwd) + strlen(path) + 2, nb = strlen(base);
	char *out = arena_alloc(a, room + 1);
	size_t n = 0;
	if (!out)
		goto nomem;
	const char *part[] = {path[0] == '/' ? "" : cwd, path};
	for (size_t i = 0; i < ARRAY_LEN(part); i++)
		for (const char *p = part[i]; *p;) {
			p += strspn(p, "/");
			size_t k = strcspn(p, "/");
			if (k == 2 && p[0] == '.' && p[1] == '.') {
				while (n && out[n - 1] != '/')
					n--;
				n -= n > 0;
			} else if (k && !(k == 1 && p[0] == '.')) {
				out[n++] = '/';
				memcpy(out + n, p, k);
				n += k;
			}
			p += k;
		}
	out[n] = '\0';
	if (n >= nb && memcmp(out, base, nb) == 0 && (out[nb] == '\0' || out[nb] == '/'))
		return arena_dup(a, out + nb + (out[nb] == '/'));
	err_hint(err, "name paths below %s", base);
	err_set(err, EINVAL, "%s lies outside the workspace", path);
	return NULL;
nomem:
	err_set(err, ENOMEM, "out of memory");
	return NULL;
}

int change_request_write(struct blob *b, const struct change_request *req)
{
	struct head h = {.op = req->op,
		.flags = (req->lines ? FLAG_LINES : 0) | (req->dry_run ? FLAG_DRY_RUN : 0) |
			(req->rest ? FLAG_REST : 0) | (req->running ? FLAG_RUNNING : 0) |
			(req->direct ? FLAG_DIRECT : 0),
		.hash_len = req->hash_len ? req->hash_len : 20};
	blob_put(b, TAG_HEAD, &h, sizeof(h));
	blob_put_str(b, TAG_BASE, req->base);
	blob_put_strv(b, TAG_UPPERS, &req->uppers);
	blob_put_strv(b, TAG_PATHS, &req->paths);
	blob_put_strv(b, TAG_ALLOW_EXEC, &req->allow_exec);
	blob_put_strv(b, TAG_OVERWRITE, &req->overwrite);
	blob_put_strv(b, TAG_MASKED, &req->masked);
	blob_put_opt(b, TAG_HOOKS, req->hooks);
	blob_put_strv(b, TAG_NAMED, &req->named);
	blob_put_strv(b, TAG_SETTINGS, &req->settings);
	blob_put_opt(b, TAG_HOME, req->home);
	blob_put(b, TAG_SINCE, req->since, req->n_since * sizeof(*req->since));
	blob_put_opt(b, TAG_LEDGER, req->ledger);
	blob_put_opt(b, TAG_TRASH, req->trash);
	blob_put_opt(b, TAG_INDEX, req->index);
	blob_put_u64(b, TAG_END, 0);
	return b->failed ? -ENOMEM : 0;
}

static int get_head(const struct blob_view *v, struct change_request *req)
{
	struct head h;
	if (v->len != sizeof(h))
		return -EBADMSG;
	memcpy(&h, v->data, sizeof(h));
	if (h.op == 0 || h.op >= CHANGE_OPS || (h.hash_len != 20 && h.hash_len != 32))
		return -EBADMSG;
	req->op = h.op;
	req->lines = h.flags & FLAG_LINES;
	req->dry_run = h.flags & FLAG_DRY_RUN;
	req->rest = h.flags & FLAG_REST;
	req->running = h.flags & FLAG_RUNNING;
	req->direct = h.flags & FLAG_DIRECT;
	req->hash_len = h.hash_len;
	return 0;
}

static int get_since(struct arena *a, const struct blob_view *v, struct change_request *req)
{
	if (v->len % sizeof(uint64_t) || v->len > SINCE_MAX * sizeof(uint64_t))
		return -EBADMSG;
	uint64_t *p = arena_alloc(a, v->len + 1);
	if (!p)
		return -ENOMEM;
	memcpy(p, v->data, v->len);
	req->since = p;
	req->n_since = v->len / sizeof(uint64_t);
	return 0;
}

static int get_record(struct arena *a, const struct blob_view *v, struct change_request *req)
{
	switch (v->tag) {
	case TAG_HEAD:
		return get_head(v, req);
	case TAG_BASE:
		return (req->base = blob_str(v)) ? 0 : -EBADMSG;
	case TAG_UPPERS:
		return blob_strv(a, v, &req->uppers);
	case TAG_PATHS:
		return blob_strv(a, v, &req->paths);
	case TAG_ALLOW_EXEC:
		return blob_strv(a, v, &req->allow_exec);
	case TAG_OVERWRITE:
		return blob_strv(a, v, &req->overwrite);
	case TAG_MASKED:
		return blob_strv(a, v, &req->masked);
	case TAG_HOOKS:
		return (req->hooks = blob_str(v)) ? 0 : -EBADMSG;
	case TAG_NAMED:
		return blob_strv(a, v, &req->named);
	case TAG_SETTINGS:
		return blob_strv(a, v, &req->settings);
	case TAG_HOME:
		return (req->home = blob_str(v)) ? 0 : -EBADMSG;
	case TAG_SINCE:
		return get_since(a, v, req);
	case TAG_LEDGER:
		return (req->ledger = blob_str(v)) ? 0 : -EBADMSG;
	case TAG_INDEX:
		return (req->index = blob_str(v)) ? 0 : -EBADMSG;
	case TAG_TRASH:
		return (req->trash = blob_str(v)) ? 0 : -EBADMSG;
	default:
		return -EBADMSG;
	}
}

static bool all_plain(const struct strv *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i][0] && !change_plain(v->v[i]))
			return false;
	return true;
}

static bool sound_named(const struct change_request *req)
{
	if (req->named.n % 3 || req->settings.n % 2)
		return false;
	for (size_t i = 0; i < req->named.n; i += 3)
		if (req->named.v[i][0] && !change_plain(req->named.v[i]))
			return false;
	return true;
}

static bool sound(const struct change_request *req)
{
	if (!req->op || !req->base || req->base[0] != '/' || req->direct != (req->uppers.n == 0) ||
		req->uppers.n > CHANGE_LAYERS_MAX)
		return false;
	if (req->direct &&
		(req->op > CHANGE_PATCH || !req->n_since || (req->index && req->index[0] != '/')))
		return false;
	for (size_t i = 0; i < req->uppers.n; i++)
		if (req->uppers.v[i][0] != '/')
			return false;
	for (size_t i = 1; i < req->n_since; i++)
		if (req->since[i] < req->since[i - 1])
			return false;
	if (req->op == CHANGE_APPLY && (!req->n_since || !req->ledger || req->ledger[0] != '/'))
		return false;
	if (req->op == CHANGE_DISCARD && (!req->trash || req->running))
		return false;
	return (!req->trash || req->trash[0] == '/') && all_plain(&req->paths) &&
		all_plain(&req->allow_exec) && all_plain(&req->overwrite) &&
		all_plain(&req->masked) && sound_named(req);
}

int change_request_read(
	struct arena *a, const void *data, size_t n, struct change_request *ret, struct err *err)
{
	struct change_request req = {0};
	struct blob_iter it;
	struct blob_view v;
	bool done = false;
	int r;
	blob_iter_init(&it, data, n);
	while ((r = blob_next(&it, &v)) > 0 && !done) {
		done = v.tag == TAG_END;
		r = done ? 0 : get_record(a, &v, &req);
		if (r < 0)
			break;
	}
	if (r == 0 && arena_check(a, err) < 0)
		return -ENOMEM;
	if (r < 0 || !done || !sound(&req))
		return err_set(err, EBADMSG, "malformed request to bawn-change");
	*ret = req;
	return 0;
}
